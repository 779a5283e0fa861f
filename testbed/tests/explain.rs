//! The walk of `penstock explain` ends as the path does: over every golden case, packet by packet in the state
//! that the packets before left, and over the same packets damaged.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use capture::Capture;
use control::{Image, Numbers, Publisher, blueprint};
use counters::Layout;
use engine::{Decision, Engine, FlowUse, Observer, Parsed, Step};
use flow::FlowTable;
use port::{Burst, MemPacket, Packet, Tick};
use service::Table;
use testbed::cases::{self, Case};

/// Damaged packets of each packet of a case.
const DAMAGED: u64 = 40;

struct Last(Option<(Decision, Vec<u8>)>);

impl Observer<MemPacket> for Last {
    fn decided(&mut self, packet: &MemPacket, _: Option<&Parsed>, decision: &Decision) {
        self.0 = Some((*decision, packet.data().to_vec()));
    }
}

fn table(case: &Case) -> (conf::Config, Table<Image>) {
    let config = conf::load(&case.file("config.toml")).unwrap();
    let numbers = Numbers::default().assign(&config, 0).unwrap();
    let published = Publisher::new(1).publish(&blueprint(&config, &numbers).unwrap()).unwrap();
    (config, published.table().unwrap())
}

fn load(bytes: &[u8]) -> MemPacket {
    let mut packet = MemPacket::with_room(16_384);
    packet.load(bytes, 0);
    packet
}

/// What is wrong between the walk and the path for one packet.
fn compare(engine: &mut Engine, table: &Table<Image>, bytes: &[u8], now: Tick) -> Result<(), String> {
    let (mut walked, mut last_step) = (load(bytes), None);
    let told = engine.explain(&table.view(), &mut walked, now, |step| last_step = Some(step));
    let (mut burst, mut gone, mut last) = (Burst::new(), Burst::new(), Last(None));
    burst.push(load(bytes)).unwrap();
    engine.process(&table.view(), &mut burst, now, &mut gone, &mut last);
    let (mut decided, left) = last.0.unwrap();
    // The walk does not try whether a new flow finds room.
    let is_entered = matches!(told.flow, Some(FlowUse::New | FlowUse::Led));
    if is_entered && decided.flow == Some(FlowUse::Stateless) {
        decided.flow = told.flow;
    }
    let is_last = matches!(last_step, Some(Step::Leaves(last)) if last == told);
    if told != decided || walked.data() != left || !is_last {
        return Err(format!("{bytes:02x?}\nwalked {told:?}\ndecided {decided:?}"));
    }
    Ok(())
}

fn engine(config: &conf::Config, table: &Table<Image>) -> Engine {
    let entries = usize::try_from(config.flow.entries).unwrap().min(1 << 16);
    let flows = FlowTable::new(entries, config.flow.key.unwrap_or([7; 16])).unwrap();
    let mut engine = Engine::new(0, 1, flows, Layout::default());
    engine.adopt(&table.view());
    engine
}

fn check(case: &Case) -> Result<(), String> {
    let (config, table) = table(case);
    let (mut whole, mut damaged) = (engine(&config, &table), engine(&config, &table));
    let capture = Capture::open(case.file("send.pcap")).unwrap();
    let first = capture.records().first().map_or(0, |record| record.time_nanos);
    let mut now = Tick(0);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for packet in capture.packets() {
        now = now.max(Tick::from_nanos(packet.time_nanos.saturating_sub(first)));
        let place = |told| format!("packet {}: {told}", packet.index);
        compare(&mut whole, &table, packet.data, now).map_err(place)?;
        for _ in 0..DAMAGED {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut bytes = packet.data.to_vec();
            let at = usize::try_from(random >> 40).unwrap() % bytes.len().clamp(1, 90);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= u8::try_from(random >> 32 & 0xff).unwrap();
            }
            if random >> 62 == 3 {
                bytes.truncate(at);
            }
            compare(&mut damaged, &table, &bytes, now).map_err(|told| format!("damaged {told}"))?;
        }
    }
    Ok(())
}

#[test]
fn over_every_case_the_walk_ends_as_the_path_does() {
    let (cases, _) = cases::all().unwrap();
    let failures = cases::each(&cases, |case| case.name.clone(), check);
    assert!(failures.is_empty(), "{} cases:\n{}", failures.len(), failures.join("\n"));
}
