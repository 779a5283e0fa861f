//! What goes to no real: it is dropped, or the kernel's. Where we are the servers' gateway (`return_path = "via-slr"`)
//! responses are among it, on their way back: the kernel forwards them, and they are counted for their service.

use counters::PuntReason;
use service::{Class, ReturnPath, ServiceNumber, TableView};
use wire::{FiveTuple, Kind, Parsed};

use crate::decision::{Decision, Verdict};
use crate::resolve::{Refusal, Resolver};

/// A packet that goes to no real, counted. The kernel's is dropped where the kernel has no room.
#[inline]
pub(crate) fn refused(resolver: &mut Resolver<'_, '_>, refusal: Refusal, parsed: &Parsed) -> Decision {
    let (verdict, service) = match refusal {
        (Verdict::Punt(PuntReason::NotVip), _) => {
            let (reason, service) = not_vip(resolver.table, parsed);
            (resolver.kernel.admit(reason), service)
        }
        (Verdict::Punt(reason), service) => (resolver.kernel.admit(reason), service),
        refusal => refusal,
    };
    match verdict {
        Verdict::Tx | Verdict::Held | Verdict::Handed => {}
        Verdict::Drop(reason) => resolver.ledger.add(reason, 1),
        Verdict::Punt(reason) => {
            resolver.ledger.add(reason, 1);
            if let Some(service) = service {
                resolver.ledger.respond(service.index(), u64::from(parsed.ip_len));
            }
        }
    }
    Decision::left(verdict, service)
}

/// What a packet for no VIP is to the kernel, and whose response it is. A fragment has no ports to ask for: one from a
/// VIP's address is a response too, of no service in particular.
#[inline(never)]
pub(crate) fn not_vip(table: &TableView<'_>, parsed: &Parsed) -> (PuntReason, Option<ServiceNumber>) {
    let other = (PuntReason::NotVip, None);
    let FiveTuple { source, destination, family, .. } = parsed.tuple;
    if table.return_path() == ReturnPath::Direct
        || !table.may_be_vip(&source, family)
        || parsed.ends.is_to_many()
    {
        return other;
    }
    match parsed.kind {
        // Of an error the tuple is the flow's that it is about, as the response would have it.
        Kind::Tcp | Kind::Udp | Kind::IcmpError | Kind::Esp | Kind::Ah | Kind::OtherProtocol => {
            let request = FiveTuple {
                source: destination,
                destination: source,
                source_port: parsed.tuple.destination_port,
                destination_port: parsed.tuple.source_port,
                ..parsed.tuple
            };
            match table.classify(&request) {
                Class::Service(at) => (PuntReason::Return, Some(table.service(at).number())),
                Class::VipOnly | Class::NotVip => other,
            }
        }
        Kind::FirstFragment | Kind::LaterFragment | Kind::ShortFragment | Kind::Fragment
            if table.classify_address(&source, family) =>
        {
            (PuntReason::Return, None)
        }
        _ => other,
    }
}
