//! The counters themselves: name, unit and help, one line each.

/// Declares one enum of counters: discriminants are dense, names and help come from the same line.
macro_rules! counters {
    ($(#[$outer:meta])* $vis:vis enum $name:ident ($prefix:literal) { $($(#[doc = $help:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        $vis enum $name { $($(#[doc = $help])+ $variant,)+ }

        impl $name {
            /// Every variant, in the order of its index.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The short name: `truncated`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The full name: `drop.truncated`.
            #[must_use]
            pub const fn full_name(self) -> &'static str {
                match self { $(Self::$variant => concat!($prefix, $text),)+ }
            }

            /// One sentence of help.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => concat!($($help,)+),)+ }
            }
        }
    };
}

counters! {
    /// Why a packet was dropped.
    pub enum DropReason ("drop.") {
        /// The frame ends before the header that its own lengths promise (RFC 791 §3.1, RFC 8200 §3).
        Truncated = "truncated",
        /// A header contradicts itself: version, header length or total length (RFC 791 §3.1).
        Malformed = "malformed",
        /// The IPv4 header checksum is wrong (RFC 1812 §5.2.2).
        BadChecksum = "bad_checksum",
        /// To a VIP, from an address that cannot be a client's: multicast, loopback, unspecified (RFC 1812 §5.3.7).
        BadSource = "bad_source",
        /// To a VIP, in a frame to many at the link layer (RFC 1122 §3.3.6).
        LinkBroadcast = "link_broadcast",
        /// More IPv6 extension headers, or more bytes of them, than are walked.
        HeaderChain = "header_chain",
        /// A fragment to a VIP of what is not forwarded: of an ICMP message, or of a fragment.
        Fragment = "fragment",
        /// The address is a VIP, but no service there takes this protocol, which has no ports.
        Protocol = "protocol",
        /// The address is a VIP, but no service there takes this protocol and port.
        NoService = "no_service",
        /// A rule says so.
        Rule = "rule",
        /// The service's pool has no real that may take a new flow.
        NoReal = "no_real",
        /// The real's next hop is not known, and no more packets may wait for it, or this one has waited too long.
        NoNextHop = "no_next_hop",
        /// An ICMP error whose quoted packet is cut short, not ours, or of a kind we do not balance.
        IcmpQuote = "icmp_quote",
        /// An ICMP message to a VIP that is neither an error nor an echo request.
        IcmpType = "icmp_type",
        /// The packet and its outer header exceed the tunnel's MTU.
        TunnelMtu = "tunnel_mtu",
        /// In a tunnel that ends here, from an address that the tunnel's `from` does not hold.
        TunnelSource = "tunnel_source",
        /// In a tunnel to us, with a key or network identifier that no tunnel here has, or without one.
        TunnelKey = "tunnel_key",
        /// The tunnel's own header contradicts itself, or is of a version that is not known (RFC 2784, RFC 7348).
        TunnelMalformed = "tunnel_malformed",
        /// The tunnel's UDP or GRE checksum is wrong.
        TunnelChecksum = "tunnel_checksum",
        /// What the tunnel carries is no IP packet to one of us, or comes with options that are not known.
        TunnelPayload = "tunnel_payload",
        /// A fragment of a tunnel's packet: what is to end here has to arrive whole.
        TunnelFragment = "tunnel_fragment",
        /// Congestion on the tunnel's way, met by a packet that cannot say so (RFC 6040 §4.2).
        TunnelEcn = "tunnel_ecn",
        /// It came from ourselves, or has passed as many routers as it may.
        TunnelLoop = "tunnel_loop",
        /// More tunnels in one another than are opened.
        TunnelDepth = "tunnel_depth",
        /// Above the limit of its service (RFC 2697, RFC 2698).
        Limited = "limited",
        /// An MPLS label on a packet to a VIP may go no further (RFC 3032 §2.4.2).
        LabelTtl = "label_ttl",
        /// The back end left no room in front of the packet for the outer header.
        NoHeadroom = "no_headroom",
        /// For the kernel, which took no more at the time.
        PuntFull = "punt_full",
        /// The back end refused the transmission.
        TxRefused = "tx_refused",
        /// A first fragment that ends before its transport header does, and the rest of its datagram (RFC 7112 §5).
        FragmentShort = "fragment_short",
        /// A fragment that covers what another of its datagram covered, and the rest of the datagram unless it is the
        /// last one over again (RFC 5722 §3).
        FragmentOverlap = "fragment_overlap",
        /// Fragments of a datagram that came with more than seven gaps between them.
        FragmentScattered = "fragment_scattered",
        /// Fragments whose first did not come within a second.
        FragmentTimeout = "fragment_timeout",
        /// Fragments that came before their first, where no more may wait; and the rest of their datagrams.
        FragmentFull = "fragment_full",
        /// A fragment for another worker, which took no more at the time.
        HandFull = "hand_full",
    }
}

counters! {
    /// Why a packet was handed to the kernel.
    pub enum PuntReason ("punt.") {
        /// Not IP: ARP, LLDP, spanning tree, more than two VLAN tags.
        NotIp = "not_ip",
        /// The destination is no VIP.
        NotVip = "not_vip",
        /// A response from a VIP to its client, where `return_path` is `via-slr`: the kernel forwards it.
        Return = "return",
        /// IPv6 neighbour discovery to a VIP's address (RFC 4861).
        NeighbourDiscovery = "neighbour_discovery",
    }
}

counters! {
    /// What else happened.
    pub enum Event ("") {
        /// Packets received.
        Rx = "rx",
        /// Bytes received, without the frame check sequence.
        RxBytes = "rx.bytes",
        /// Packets transmitted.
        Tx = "tx",
        /// Bytes transmitted, without the frame check sequence.
        TxBytes = "tx.bytes",
        /// Packets of a flow that was in the table.
        FlowHit = "flow.hit",
        /// Flows put into the table, and clients of services that are keyed by source.
        FlowInsert = "flow.insert",
        /// Flows forgotten after their silence, by the sweep or where a packet met them.
        FlowExpire = "flow.expire",
        /// Embryonic flows evicted for a newer one.
        FlowEvict = "flow.evict",
        /// Packets forwarded without an entry, because the table was full of established flows.
        FlowStatelessFull = "flow.stateless_full",
        /// Packets forwarded without an entry, because new flows came faster than the configured rate.
        FlowStatelessGate = "flow.stateless_gate",
        /// Flows given another real, because theirs was down or gone.
        FlowMoved = "flow.moved",
        /// Echo requests to a VIP, answered (RFC 792, RFC 4443 §4.1).
        EchoAnswered = "echo.answered",
        /// ARP requests for a VIP, answered (RFC 826).
        ArpAnswered = "arp.answered",
        /// Neighbour solicitations for a VIP, answered (RFC 4861 §7.2.4).
        NdAnswered = "nd.answered",
        /// Packets too big for the tunnel whose sender was told so (RFC 1191 §4, RFC 4443 §3.2).
        TooBigAnswered = "too_big.answered",
        /// Packets too big for a tunnel, and errors from inside of one, whose sender was not told, because answers are
        /// limited to 1,000 a second.
        TooBigLimited = "too_big.limited",
        /// Frames that came from the kernel, or from this program beside the path, to be transmitted.
        KernelRx = "kernel.rx",
        /// Packets made here: answers to packets that were dropped themselves.
        Made = "made",
        /// Packets that had to wait: for their real's next hop, or for their first fragment.
        Held = "held",
        /// Packets that waited and do no more: they were sent, or dropped, or wait for something else.
        Released = "released",
        /// ICMP errors that followed the flow they quote.
        IcmpFollowed = "icmp.followed",
        /// QUIC packets that were led to the real whose server id is in their connection id.
        QuicRouted = "quic.routed",
        /// QUIC packets whose connection id names no real that is there: they follow their four-tuple.
        QuicUnroutable = "quic.unroutable",
        /// ICMP errors from inside of a tunnel to a real that the client was told in the VIP's name (RFC 2003 §4).
        IcmpTranslated = "icmp.translated",
        /// Such errors of which no client could be told: they quote too little of its packet, or a later fragment, or one
        /// whose flow has another real.
        IcmpUntranslatable = "icmp.untranslatable",
        /// MTUs of ways to reals that were learnt from ICMP errors (RFC 1191, RFC 8201).
        PathMtuLearnt = "path_mtu.learnt",
        /// SYNs whose offer of a segment size was lowered to what their service says.
        MssClamped = "mss.clamped",
        /// Tunnels that ended here: one for each packet that was taken out of one.
        TunnelEnded = "tunnel.ended",
        /// Packets of flows that were new, or had to be confirmed, and whose service a rule gave.
        RuleRouted = "rule.routed",
        /// Packets to a VIP whose MPLS labels were taken off (RFC 3032).
        LabelsPopped = "labels.popped",
        /// Packets above the committed rate of their service's limit (RFC 2697, RFC 2698).
        MeterYellow = "meter.yellow",
        /// Packets above all that their service's limit allows; dropped, or given a code point.
        MeterRed = "meter.red",
        /// New flows that went where their client's other flows go, of services that are keyed by source.
        FlowAffinity = "flow.affinity",
        /// Table generations this worker switched to.
        TableSwitch = "table.switch",
        /// Fragments that followed the first of their datagram.
        FragmentFollowed = "fragment.followed",
        /// Fragments handed to the worker whose datagram they are of.
        HandOut = "hand.out",
        /// Fragments that other workers handed over.
        HandIn = "hand.in",
        /// Flows looked for in the other workers' tables.
        LookAround = "look.around",
        /// Flows not looked for there, because looks are limited to 20,000 a second and worker.
        LookLimited = "look.limited",
        /// Flows of another worker that were put into this one's table too.
        LookCopied = "look.copied",
    }
}

/// Any counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Something that happened.
    Event(Event),
    /// A packet was dropped.
    Drop(DropReason),
    /// A packet was handed to the kernel.
    Punt(PuntReason),
}

/// How many counters there are.
pub const COUNTERS: usize = Event::COUNT + DropReason::COUNT + PuntReason::COUNT;

impl Counter {
    /// Its place in a ledger or on a counter page.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Event(event) => event as usize,
            Self::Drop(reason) => Event::COUNT + reason as usize,
            Self::Punt(reason) => Event::COUNT + DropReason::COUNT + reason as usize,
        }
    }

    /// All of them, in the order of their index.
    pub fn all() -> impl Iterator<Item = Self> {
        let events = Event::ALL.iter().map(|&event| Self::Event(event));
        let drops = DropReason::ALL.iter().map(|&reason| Self::Drop(reason));
        let punts = PuntReason::ALL.iter().map(|&reason| Self::Punt(reason));
        events.chain(drops).chain(punts)
    }

    /// The full name, such as `drop.truncated`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event(event) => event.full_name(),
            Self::Drop(reason) => reason.full_name(),
            Self::Punt(reason) => reason.full_name(),
        }
    }

    /// One sentence of help.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Event(event) => event.help(),
            Self::Drop(reason) => reason.help(),
            Self::Punt(reason) => reason.help(),
        }
    }

    /// The counter of that full name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|counter| counter.name() == name)
    }
}

impl From<Event> for Counter {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl From<DropReason> for Counter {
    fn from(reason: DropReason) -> Self {
        Self::Drop(reason)
    }
}

impl From<PuntReason> for Counter {
    fn from(reason: PuntReason) -> Self {
        Self::Punt(reason)
    }
}
