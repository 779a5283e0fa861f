//! Every key of the file, once: what it takes, an example, what it means. The README's table, the remedies
//! of wrong types and the tests are made from it.

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its table; `pool.members` is the inline table of a member, `quic.servers` that of a server,
    /// `rule.bytes` that of a masked value.
    pub table: &'static str,
    /// The key.
    pub key: &'static str,
    /// What it takes, with its article.
    pub takes: &'static str,
    /// An example, as it is written after the equals sign.
    pub example: &'static str,
    /// Whether it must be there, or what is taken if it is not.
    pub absent: &'static str,
    /// What it means.
    pub means: &'static str,
}

/// The tables that stand once.
pub const SINGLE_TABLES: [&str; 6] = ["node", "tunnel", "select", "flow", "dataplane", "metrics"];

/// The tables that may stand any number of times.
pub const LISTED_TABLES: [&str; 9] =
    ["port", "tunnel_end", "real", "pool", "quic", "mark", "limit", "service", "rule"];

/// The key of that name in that table.
#[must_use]
pub fn find(table: &str, key: &str) -> Option<&'static Key> {
    KEYS.iter().find(|entry| entry.table == table && entry.key == key)
}

const TEXT: &str = "a text in quotes";
const WHOLE: &str = "a whole number";
const YES: &str = "true or false";
const SECONDS: &str = "a number of seconds";

macro_rules! keys {
    ($($table:literal . $key:ident: $takes:expr, $example:literal, $absent:literal, $means:literal;)*) => {
        &[$(Key { table: $table, key: stringify!($key), takes: $takes, example: $example, absent: $absent, means: $means },)*]
    };
}

/// All keys, in the order of the reference sample.
#[rustfmt::skip] // one key, one line
pub const KEYS: &[Key] = keys! {
    "node".mac: TEXT, r#""02:00:00:00:00:01""#, "the port's own; in replay 02:00:00:00:00:01", "source MAC address of the frames we send, and the ports' address: where a driver does not set it, the port is promiscuous";
    "node".numbers: TEXT, r#""site.numbers.toml""#, "numbers are not kept", "file that keeps the numbers of reals and services, relative to this file's folder";
    "node".control: TEXT, r#""/run/penstock/control.sock""#, "/run/penstock/control.sock", "control socket of `penstock run`, relative to this file's folder; where the default one cannot be made, it runs without";
    "node".return_path: TEXT, r#""direct""#, "direct", "direct (responses go past us) or via-slr (we are the servers' gateway, and our kernel forwards them)";

    "tunnel".source_v4: TEXT, r#""192.0.2.1""#, "needed if a real with an IPv4 address is tunnelled to", "outer source address towards IPv4 reals; a prefix (/16 to /31) spreads flows over its addresses";
    "tunnel".source_v6: TEXT, r#""2001:db8::1""#, "needed if a real with an IPv6 address is tunnelled to", "outer source address towards IPv6 reals; a prefix (/112 to /127) spreads flows over its addresses";
    "tunnel".hop_limit: WHOLE, "64", "64", "outer TTL or hop limit, 1 to 255";
    "tunnel".passes_max: WHOLE, "4", "4", "how many routers like this one a packet may pass, in tunnels from one to the next; equal on all of them, as hop_limit is, and at most that";
    "tunnel".dont_fragment: TEXT, r#""inherit""#, "inherit", "outer Don't Fragment: inherit (from the inner packet), set or clear";
    "tunnel".mtu: WHOLE, "1500", "1500", "most bytes of an IP packet to a real, outer header included; 576 (1280 with IPv6 reals) to 9600";
    "tunnel".next_hop: TEXT, r#""02:00:00:00:00:fe""#, "learnt from the kernel", "destination MAC address of frames to reals that name none";

    "select".seed: TEXT, r#""00000000000000000000000000000000""#, "32 zeros", "32 hex digits that choose the tables of slots; equal on all routers of a cluster";
    "select".slots: WHOLE, "65537", "65537", "size of the tables of pools that name none, a prime";

    "flow".entries: WHOLE, "1048576", "1048576", "flows per worker";
    "flow".key: TEXT, r#""00112233445566778899aabbccddeeff""#, "random", "32 hex digits that fix the key of the flow table, for tests";
    "flow".syn_timeout_s: SECONDS, "10", "10", "idle time of a TCP flow before its handshake is done; 0.125 to 3600 in eighths";
    "flow".established_timeout_s: SECONDS, "900", "900", "idle time of an established TCP flow";
    "flow".closing_timeout_s: SECONDS, "10", "10", "idle time of a TCP flow after FIN or RST";
    "flow".udp_timeout_s: SECONDS, "60", "60", "idle time of a UDP flow";
    "flow".new_flows_per_second_max: WHOLE, "1000000", "no gate", "new flows a worker keeps per second; those above are forwarded by hash alone";

    "dataplane".workers: WHOLE, "1", "1", "worker lcores, 1 to 128";
    "dataplane".huge_pages: TEXT, r#""auto""#, "auto", "auto (when there), require or off";
    "dataplane".memory_mb: WHOLE, "512", "512", "DPDK memory without huge pages, in megabytes";
    "dataplane".packets: WHOLE, "16384", "16384", "packet buffers (mbufs) per worker";

    "metrics".listen: TEXT, r#""127.0.0.1:9464""#, "nowhere", "address and port where Prometheus finds the figures, under /metrics";

    "port".name: TEXT, r#""lan0""#, "needed", "name of the port";
    "port".device: TEXT, r#""net_af_packet0,iface=eth1""#, "needed", "DPDK device: a PCI address, or a virtual device with its arguments";
    "port".kernel: TEXT, r#""auto""#, "auto", "twin (the kernel has an interface of the port's name), none, or auto (a twin for NICs and AF_PACKET)";

    "tunnel_end".name: TEXT, r#""upper""#, "needed", "name of a tunnel that ends here";
    "tunnel_end".address: TEXT, r#""192.0.2.9""#, "needed", "our address that it ends at; no VIP";
    "tunnel_end".encap: TEXT, r#""gue""#, "ipip", "ipip (IP in IP), gre, gue, fou or vxlan";
    "tunnel_end".tunnel_key: WHOLE, "42", "no key; needed with vxlan", "key of gre (0 to 4294967295), or network identifier (VNI) of vxlan (0 to 16777215)";
    "tunnel_end".tunnel_port: WHOLE, "6080", "6080 (gue), 5555 (fou), 4789 (vxlan)", "UDP port that it ends at";
    "tunnel_end".from: "a list of texts", r#"["192.0.2.1"]"#, "needed", "addresses and prefixes that its packets come from; \"any\" takes them from everywhere";

    "real".name: TEXT, r#""web-1""#, "needed", "name of the real; its number in the numbers file hangs on it";
    "real".address: TEXT, r#""10.0.0.11""#, "needed", "address of the real; several may have one if their tunnels differ";
    "real".next_hop: TEXT, r#""02:00:00:00:00:11""#, "tunnel.next_hop", "destination MAC address of frames on their way to it; without any, `penstock run` learns it from the kernel's routes and neighbours";
    "real".port: TEXT, r#""lan0""#, "the port that a packet came by", "name of the port by which packets leave to it";
    "real".encap: TEXT, r#""vxlan""#, "ipip", "ipip (IP in IP), gre, gue, fou, vxlan, or mac (the destination MAC address is rewritten)";
    "real".tunnel_key: WHOLE, "42", "no key; needed with vxlan", "key of gre (0 to 4294967295), or network identifier (VNI) of vxlan (0 to 16777215)";
    "real".tunnel_port: WHOLE, "4789", "6080 (gue), 5555 (fou), 4789 (vxlan)", "UDP port that the tunnel's end listens on";
    "real".inner_mac: TEXT, r#""02:00:00:00:01:11""#, "needed with vxlan", "destination MAC address inside of vxlan: what the tunnel's end answers to";
    "real".udp_checksum: TEXT, r#""auto""#, "auto", "of gue, fou and vxlan: auto (zero over IPv4, full over IPv6), zero or full";
    "real".state: TEXT, r#""up""#, "up", "up, drain (keeps its flows, takes no new ones), down (takes nothing, and its flows get another real) or failed (the same, unless its pool panics)";

    "pool".name: TEXT, r#""web""#, "needed", "name of the pool";
    "pool".slots: WHOLE, "65537", "select.slots", "size of its table, a prime";
    "pool".policy: TEXT, r#""maglev""#, "maglev", "maglev (even shares; a change moves a little more than it must) or rendezvous (moves only what it must; shares as even as chance)";
    "pool".members: "a list of tables", r#"[{ real = "web-1", weight = 100 }]"#, "needed", "the reals of the pool";
    "pool".panic_percent: WHOLE, "0", "0", "where less than so many percent of the weight is up, reals that have failed count as up; what is down or drains counts on no side, and 0 never panics";
    "pool".slow_start_s: WHOLE, "0", "0", "seconds in which a real that comes up gets its whole weight, an eighth at a time, 8 to 3600; 0 gives it at once";
    "pool.members".real: TEXT, r#""web-1""#, "needed", "name of the real";
    "pool.members".weight: WHOLE, "100", "100", "its share of new flows, 0 to 65535";

    "quic".name: TEXT, r#""2026a""#, "needed", "name of this way to make connection ids of QUIC";
    "quic".config: WHOLE, "0", "needed", "the number that the first three bits of an id have for it, 0 to 6";
    "quic".server_id_bytes: WHOLE, "2", "needed", "bytes of a server id, 1 to 15";
    "quic".nonce_bytes: WHOLE, "14", "needed", "bytes of a nonce, 4 to 18; 5 to 19 with the server id, and 16 together cost least under a key";
    "quic".key: TEXT, r#""8f95f09245765f80256934e50c66207f""#, "ids are clear, and whoever sees two can tell whether they are of one server", "32 hex digits by which server id and nonce are encrypted; the servers have the same";
    "quic".lengths: "true or false", "false", "false", "whether the first octet of every id tells its length; then it is held to that";
    "quic".servers: "a list of tables", r#"[{ real = "web-1", id = "0001" }]"#, "needed", "whose server ids are whose";
    "quic.servers".real: TEXT, r#""web-1""#, "needed", "name of the real";
    "quic.servers".id: TEXT, r#""0001""#, "needed", "a server id of it, two hex digits a byte";

    "mark".name: TEXT, r#""voice""#, "needed", "name of the mark";
    "mark".dscp: WHOLE, "46", "the packet's own", "code point of differentiated services, 0 to 63; ECN stays as it is";
    "mark".dscp_on: TEXT, r#""both""#, "both", "where code points are written, this one and a limit's: both (the packet, and so the outer header, which copies it) or outer (the outer header alone)";
    "mark".insert_vlan: WHOLE, "7", "none is put on", "id of a VLAN tag that is put outside, 1 to 4094; a service tag (802.1ad) where there is one already";
    "mark".rewrite_vlan: WHOLE, "7", "it stays", "id for the outermost VLAN tag, 1 to 4094; an untagged frame stays so";
    "mark".remove_vlan: YES, "true", "it stays", "whether the outermost VLAN tag is taken off";
    "mark".priority: WHOLE, "5", "the tag's own, and 0 of one that is put on", "priority of the outermost VLAN tag (802.1p), 0 to 7; an untagged frame gets a tag of VLAN 0 for it";
    "mark".push_labels: "a list of labels", "[1016, 1017]", "none are put on", "one or two MPLS labels, 16 to 1048575, the outermost first";
    "mark".swap_label: WHOLE, "1018", "labels are nobody's", "the MPLS label that a packet gets which came with labels";
    "mark".pop_labels: YES, "true", "labels are nobody's", "whether a packet that came with MPLS labels goes on without";
    "mark".tc: WHOLE, "5", "0, and the label's own where it is swapped", "traffic class of labels, 0 to 7";
    "mark".ttl: WHOLE, "64", "64, and one less than came where it is swapped", "TTL of labels, 1 to 255";

    "limit".name: TEXT, r#""ten-mbit""#, "needed", "name of the limit";
    "limit".kind: TEXT, r#""srtcm""#, "needed", "srtcm (one rate and two bursts, RFC 2697) or trtcm (two rates, RFC 2698)";
    "limit".cir_kbit_s: WHOLE, "10000", "needed", "committed information rate, in thousands of bits a second; each worker has its part";
    "limit".cbs_bytes: WHOLE, "200000", "needed", "committed burst size; what the rate brings in an eighth of a second at least";
    "limit".ebs_bytes: WHOLE, "100000", "needed for srtcm", "excess burst size, of what the committed burst leaves over";
    "limit".pir_kbit_s: WHOLE, "20000", "needed for trtcm", "peak information rate, the committed one at least";
    "limit".pbs_bytes: WHOLE, "400000", "needed for trtcm", "peak burst size; what the peak rate brings in an eighth of a second at least";
    "limit".colour_aware: YES, "false", "false", "whether packets come coloured, by the drop precedence of assured forwarding (RFC 2597), and get no better colour";
    "limit".yellow_dscp: WHOLE, "12", "they are left as they are", "code point of yellow packets, 0 to 63";
    "limit".red_dscp: WHOLE, "14", "they are dropped", "code point of red packets, 0 to 63";

    "service".name: TEXT, r#""web""#, "needed", "name of the service; its number in the numbers file hangs on it";
    "service".vip: TEXT, r#""198.51.100.10""#, "needed", "VIP: an address, or a prefix with all host bits zero";
    "service".protocol: "a protocol number or a text", r#""tcp""#, "needed", "tcp, udp, esp, ah, gre, sctp, the number of another protocol, or any: every one that no other service of the VIP takes, on every port";
    "service".ports: "a port number or a text", "80", "needed of tcp and udp", "one port, a range with both ends included, or any; other protocols have none";
    "service".pool: TEXT, r#""web""#, "needed", "name of the pool its packets go to";
    "service".clamp_mss: "a whole number or a text", "1400", "any is let through", "of TCP: the largest segment size that a SYN may offer, 536 to 65535, or auto, what fits tunnel.mtu with the longest headers to a real of its pool: the client's, and the server's where return_path is via-slr";
    "service".quic: "a list of texts", r#"["2026a"]"#, "no id is looked at", "of UDP: the ways its servers make connection ids of QUIC; packets go where theirs says, and where it says nothing by their flow";
    "service".mark: TEXT, r#""voice""#, "none", "name of the mark that its packets get";
    "service".limit: TEXT, r#""ten-mbit""#, "none", "name of the limit that its packets have to keep to; each service and each rule that names it has it for itself";
    "service".key: TEXT, r#""flow""#, "flow", "what chooses a real: flow (all that makes a flow), source (the client's address, or its first bits: source/24, and source/24,56 for both families) or port (of tcp and udp); esp and ah need source";

    "rule".name: TEXT, r#""bad-clients""#, "needed", "name of the rule";
    "rule".priority: WHOLE, "100", "100", "of the rules that match a packet the one with the largest decides, then the one whose name comes first; 0 to 65535";
    "rule".source: "a text or a list of texts", r#"["203.0.113.0/24", "2001:db8:bad::/48"]"#, "anywhere", "where packets come from: addresses or prefixes, at most 64";
    "rule".destination: "a text or a list of texts", r#""198.51.100.10""#, "any VIP", "where packets go to: addresses or prefixes, each of which has to meet a VIP";
    "rule".protocol: "a protocol number or a text", r#""tcp""#, "any; with ports TCP and UDP", "tcp, udp, icmp, icmpv6, gre, esp, ah, sctp, or a number";
    "rule".source_ports: "a port number or a text", r#""1024-65535""#, "any", "their source port: one, or a range with both ends included";
    "rule".ports: "a port number or a text", "80", "any", "their destination port: one, or a range with both ends included";
    "rule".spi: "a number or a text", "4096", "any; without a protocol that of ESP or AH", "their SPI, of ESP or AH: 1 to 4294967295, or a range; not that of ESP in UDP";
    "rule".dscp: "a number or a text", "46", "any", "their DSCP, 0 to 63, or a range; asked of every packet";
    "rule".vlan: "a number or a text", "7", "any", "the VLAN of their outermost tag, 1 to 4094, a range, or none; asked of every packet";
    "rule".tcp_flags: TEXT, r#""syn !ack""#, "any", "flags that are set, and behind a ! those that are not: fin, syn, rst, psh, ack, urg, ece, cwr; asked of every packet";
    "rule".bytes: "a list of tables", r#"[{ at = "transport+8", mask = "ff", value = "16" }]"#, "any", "bytes of theirs under a mask, at most 4; asked of every packet";
    "rule.bytes".at: TEXT, r#""transport+8""#, "needed", "network or transport, a plus, and how many bytes behind the start of that header, at most 128";
    "rule.bytes".mask: TEXT, r#""ff""#, "needed", "the bits that count: 2 to 8 hex digits";
    "rule.bytes".value: TEXT, r#""16""#, "needed", "what they have to be: as many hex digits";
    "rule".drop: "true or false", "true", "false", "whether packets that match are dropped, those of established flows too";
    "rule".service: TEXT, r#""web""#, "the one that has their address, protocol and port", "name of the service that new flows are given, whatever their address and port say";
    "rule".real: TEXT, r#""web-1""#, "the service's pool chooses", "name of the real that they are given while it takes new flows";
    "rule".mark: TEXT, r#""voice""#, "their service's", "name of the mark that packets that match get, those of established flows too; asked of every packet";
    "rule".limit: TEXT, r#""ten-mbit""#, "their service's", "name of the limit that they have to keep to together, in the place of their service's; each rule that names it has it for itself; asked of every packet";
};
