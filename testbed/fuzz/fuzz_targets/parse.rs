//! Any frame gives offsets that lie in it, or a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Kind, Parsed, ipsec};

fuzz_target!(|frame: &[u8]| {
    look(frame, frame.len());
    // What lies in further segments is counted and not read.
    look(frame, frame.len() + 1400);
});

fn look(frame: &[u8], frame_len: usize) {
    let mut parsed = Parsed::EMPTY;
    let mut again = Parsed::EMPTY;
    let result = wire::parse(frame, frame_len, &mut parsed);
    assert_eq!(result, wire::parse(frame, frame_len, &mut again));
    if result.is_err() {
        return;
    }
    assert_eq!(parsed, again);
    let (network, transport) = (usize::from(parsed.network_offset), usize::from(parsed.transport_offset));
    assert!((14..=22).contains(&network), "the IP header begins at {network}");
    assert!(transport >= network + 20 && transport <= frame.len(), "transport at {transport}");
    let ip_len = parsed.ip_len as usize;
    assert!(network + ip_len <= frame_len, "{ip_len} bytes of IP at {network} in {frame_len}");
    assert!(transport <= network + ip_len, "transport at {transport} is behind the packet's end");
    if matches!(parsed.kind, Kind::Tcp | Kind::Udp) {
        let ports = frame.get(transport..transport + 4).expect("the ports are in the frame");
        let (source, destination) = (&ports[..2], &ports[2..]);
        assert_eq!(parsed.tuple.source_port.to_be_bytes(), source);
        assert_eq!(parsed.tuple.destination_port.to_be_bytes(), destination);
    }
    if matches!(parsed.kind, Kind::Esp | Kind::Ah) {
        let at = transport + if parsed.kind == Kind::Ah { 4 } else { 0 };
        let spi = ipsec::of_ports(parsed.tuple.source_port, parsed.tuple.destination_port);
        assert!(spi != 0 && spi.to_be_bytes() == frame[at..at + 4]);
    }
}
