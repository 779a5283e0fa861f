//! The draft as TOML.

use std::fmt::Write as _;

use conf::{Mac, PortRange};

use crate::draft::{Draft, Pool, Real, Service, real_name};
use crate::fault::Fault;
use crate::limits::{LARGE_TABLES_MAX, OUTPUT_BYTES_MAX, SLOT_SIZES, SLOTS_PER_MEMBER};
use crate::tunnel::Encap;
use crate::{Format, Imported};

/// The text while it grows, and what was counted on the way.
#[derive(Default)]
struct Page {
    text: String,
    without_counterpart: usize,
    to_fill_in: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn notes(&mut self, indent: &str, notes: &[String]) {
        let mut before: Option<&String> = None;
        for note in notes {
            if before != Some(note) {
                self.line(&format!("{indent}# no counterpart: {note}"));
                self.without_counterpart = self.without_counterpart.saturating_add(1);
            }
            before = Some(note);
        }
    }

    fn fill_in(&mut self, what: &str) {
        self.line(&format!("# FILL IN: {what}"));
        self.to_fill_in = self.to_fill_in.saturating_add(1);
    }
}

/// Writes the draft.
pub(crate) fn toml(draft: Draft) -> Result<Imported, Fault> {
    if draft.services.is_empty() {
        let why = draft.notes.last().map(|note| format!(" (the last one: {note})")).unwrap_or_default();
        let message = format!("there is no service in it that Penstock can offer{why}");
        return Err(Fault::whole(message, remedy(draft.format)));
    }
    let mut page = Page::default();
    head(&mut page, &draft);
    tunnel(&mut page, &draft);
    port(&mut page);
    for real in &draft.reals {
        self::real(&mut page, real);
    }
    let many = draft.pools.len() > LARGE_TABLES_MAX;
    for pool in &draft.pools {
        self::pool(&mut page, pool, many);
    }
    for service in &draft.services {
        let pool = draft.pools.get(service.pool).map(|pool| pool.name.as_str()).unwrap_or_default();
        self::service(&mut page, service, pool);
    }
    if page.text.len() as u64 > OUTPUT_BYTES_MAX {
        let message = format!("the configuration would be longer than {OUTPUT_BYTES_MAX} bytes");
        return Err(Fault::whole(message, "Split the file by VIPs and import each part."));
    }
    Ok(Imported {
        toml: page.text,
        services: draft.services.len(),
        reals: draft.reals.len(),
        without_counterpart: page.without_counterpart,
        to_fill_in: page.to_fill_in,
    })
}

/// What to look for in a text without services.
const fn remedy(format: Format) -> &'static str {
    match format {
        Format::Ipvs => "Give what `ipvsadm -Sn` prints on the balancer.",
        Format::Keepalived => "Give a keepalived.conf with virtual_server blocks.",
        Format::Katran => "Give a list of VIPs with their reals; `penstock import --help` shows its shape.",
        Format::Glb => "Give the forwarding table as JSON, with \"tables\", \"binds\" and \"backends\".",
    }
}

fn head(page: &mut Page, draft: &Draft) {
    page.line(&format!(
        "# Made by `penstock import {}`. `penstock check` accepts it as it stands;",
        draft.format.name()
    ));
    page.line("# before `penstock run`, go through the comments that begin with");
    page.line("#   FILL IN          what the old configuration cannot know: an example stands there;");
    page.line("#   no counterpart   what Penstock does not do, or does in another way.");
    page.line("# Clients keep the VIPs. A server needs the VIP on its loopback and, unless it is reached");
    page.line("# by MAC address, the end of its tunnel: it answers clients directly.");
    if !draft.notes.is_empty() {
        page.line("");
        page.notes("", &draft.notes);
    }
    page.line("");
}

fn tunnel(page: &mut Page, draft: &Draft) {
    let tunnelled =
        |v4: bool| draft.reals.iter().any(|real| real.encap != Encap::Mac && real.address.is_ipv4() == v4);
    page.line("[tunnel]");
    if tunnelled(true) {
        page.fill_in(
            "an IPv4 address of this machine, or a prefix of /16 to /31 that servers accept tunnels from.",
        );
        page.line("source_v4 = \"192.0.2.1\"");
    }
    if tunnelled(false) {
        page.fill_in("an IPv6 address of this machine, or a prefix of /112 to /127.");
        page.line("source_v6 = \"2001:db8::1\"");
    }
    next_hop(page, draft.next_hop);
    page.line("");
}

fn next_hop(page: &mut Page, known: Option<Mac>) {
    if let Some(mac) = known {
        page.line(&format!("next_hop = \"{mac}\""));
    } else {
        page.line("# Next hops are learnt from the kernel. A replay has none to ask, and needs one here:");
        page.line("# next_hop = \"02:00:00:00:00:fe\"");
    }
}

fn port(page: &mut Page) {
    page.fill_in("the ports of `penstock run`, each a PCI address or a virtual device.");
    page.line("# [[port]]");
    page.line("# name = \"lan0\"");
    page.line("# device = \"0000:01:00.0\"");
    page.line("");
}

fn real(page: &mut Page, real: &Real) {
    page.line("[[real]]");
    page.line(&format!("name = \"{}\"", real_name((real.address, real.encap.door()))));
    page.line(&format!("address = \"{}\"", real.address));
    match real.encap {
        Encap::Ipip => {}
        Encap::Mac => {
            page.line("# It must be on the same LAN.");
            page.line("encap = \"mac\"");
        }
        Encap::Gre => page.line("encap = \"gre\""),
        Encap::Gue { port, is_summed } => {
            page.line("encap = \"gue\"");
            page.line(&format!("tunnel_port = {port}"));
            let checksum = if is_summed { "full" } else { "zero" };
            page.line(&format!("udp_checksum = \"{checksum}\""));
        }
    }
    page.line("");
}

fn pool(page: &mut Page, pool: &Pool, many: bool) {
    page.line("[[pool]]");
    page.line(&format!("name = \"{}\"", pool.name));
    if let Some(slots) = slots(pool.members.len(), many) {
        page.line(&format!("slots = {slots}"));
    }
    page.line("members = [");
    for member in &pool.members {
        page.notes("    ", &member.notes);
        // Writing to a string cannot fail.
        let _ = writeln!(
            page.text,
            "    {{ real = \"{}\", weight = {} }},",
            real_name(member.end),
            member.weight
        );
    }
    page.line("]");
    page.line("");
}

/// The table's size where the default will not do.
fn slots(members: usize, many: bool) -> Option<u32> {
    let default = conf::defaults::SLOTS;
    let need = members.saturating_mul(SLOTS_PER_MEMBER);
    let fits = |&&size: &&u32| size as usize >= need;
    let smallest = SLOT_SIZES.iter().find(fits).copied().unwrap_or(service::SLOTS_MAX);
    let size = if many { smallest } else { smallest.max(default) };
    (size != default).then_some(size)
}

fn service(page: &mut Page, service: &Service, pool: &str) {
    page.notes("", &service.notes);
    page.line("[[service]]");
    page.line(&format!("name = \"{}\"", service.name));
    page.line(&format!("vip = \"{}\"", service.vip));
    page.line(&format!("protocol = \"{}\"", service.protocol));
    match service.ports {
        PortRange { first, last } if first == last => page.line(&format!("ports = {first}")),
        range => page.line(&format!("ports = \"{range}\"")),
    }
    page.line(&format!("pool = \"{pool}\""));
    page.line("");
}
