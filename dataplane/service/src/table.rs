//! A checked table and the view of it that the packet path reads.

use core::fmt;
use core::ops::Range;
use std::net::IpAddr;

use ::quic::ServerId;
use wire::{Family, FiveTuple, protocol};
use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::blueprint::{DontFragment, ReturnPath, Timeouts};
use crate::check;
use crate::ends::{self, EndsView};
use crate::error::ImageError;
use crate::index::{Entry, Index, Key};
use crate::key;
use crate::layout::{
    Counts, Entry4, Entry6, Header, IndexHead, OPENS_TUNNELS, PoolEntry, SECTIONS, Section, ServiceEntry,
};
use crate::numbers::{RealNumber, ServiceNumber};
use crate::pool::PoolView;
use crate::quic::{QuicConfig, QuicView};
use crate::tail::Tail;
use crate::template::Template;

/// The name of a generation of the forwarding table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// Chosen at random when a control core first publishes.
    pub boot: u64,
    /// One more than the generation before.
    pub sequence: u64,
}

/// Place of a service in one table. It means nothing in another generation: keep numbers, not slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceSlot(pub(crate) u32);

impl ServiceSlot {
    /// The first place, for memory that holds slots and has none yet.
    pub const FIRST: Self = Self(0);

    /// The place.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A service.
    Service(ServiceSlot),
    /// A VIP, but none of its services.
    VipOnly,
    /// No VIP.
    NotVip,
}

/// A forwarding table whose images have been checked. `B` is what holds an image: sealed shared memory or
/// [`crate::Aligned`]. Its bytes must not change; if they do, answers are wrong but nothing panics.
pub struct Table<B> {
    root: B,
    /// In the order of the root's pools; behind them that of the rules.
    images: Vec<B>,
    header: Header,
    spans: [Range<usize>; SECTIONS],
    generation: Generation,
    digest: [u8; 32],
}

impl<B> fmt::Debug for Table<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl<B: AsRef<[u8]>> Table<B> {
    /// Checks everything about a root image and the images of its pools and rules (in any order), so that nothing need
    /// be checked again. Takes time in proportion to the images, a few milliseconds per megabyte.
    ///
    /// # Errors
    /// What is wrong first. No bytes make it panic.
    pub fn check(root: B, images: Vec<B>, generation: Generation) -> Result<Self, ImageError> {
        let checked = check::root(root.as_ref())?;
        let order = check::images(&checked, root.as_ref(), &images)?;
        let mut images: Vec<Option<B>> = images.into_iter().map(Some).collect();
        let images = order.into_iter().filter_map(|place| images.get_mut(place)?.take()).collect();
        let check::Root { header, spans, digest } = checked;
        Ok(Self { root, images, header, spans, generation, digest })
    }

    /// The view that answers questions; made once per burst.
    #[inline]
    #[must_use]
    pub fn view(&self) -> TableView<'_> {
        let sections = Sections { root: self.root.as_ref(), spans: &self.spans };
        TableView::new(&self.header, sections, sections.items(Section::Templates), &self.images)
    }

    /// The same with templates that know their next hops, made from [`Self::templates`].
    #[inline]
    #[must_use]
    pub fn view_with<'t>(&'t self, templates: &'t [Template]) -> TableView<'t> {
        let sections = Sections { root: self.root.as_ref(), spans: &self.spans };
        TableView::new(&self.header, sections, templates, &self.images)
    }

    /// Every real's template by number, as the image has it.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        Sections { root: self.root.as_ref(), spans: &self.spans }.items(Section::Templates)
    }

    /// The name it goes by.
    #[inline]
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// SHA-256 of the root image, which names its pools by theirs: equal digests, equal tables.
    #[inline]
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// A root image and where its sections are.
#[derive(Clone, Copy)]
pub(crate) struct Sections<'t> {
    pub(crate) root: &'t [u8],
    pub(crate) spans: &'t [Range<usize>; SECTIONS],
}

impl<'t> Sections<'t> {
    /// The items of a section; `None` if it is out of bounds or does not hold whole items.
    #[inline]
    pub(crate) fn try_items<T: FromBytes + Immutable + KnownLayout>(
        &self,
        section: Section,
    ) -> Option<&'t [T]> {
        let span = self.spans.get(section as usize)?.clone();
        <[T]>::ref_from_bytes(self.root.get(span)?).ok()
    }

    #[inline]
    pub(crate) fn items<T: FromBytes + Immutable + KnownLayout>(&self, section: Section) -> &'t [T] {
        self.try_items(section).unwrap_or_default()
    }

    /// Whether a section is not empty.
    #[inline]
    pub(crate) fn has(&self, section: Section) -> bool {
        self.spans.get(section as usize).is_some_and(|span| !span.is_empty())
    }

    /// The index of IPv4 VIPs.
    #[inline]
    pub(crate) fn index4(&self, head: &IndexHead) -> Index<'t, Entry4> {
        Index {
            seed: head.seed,
            lengths: self.items(Section::Lengths4),
            screen: self.items(Section::Screen4),
            pilots: self.items(Section::Pilots4),
            entries: self.items(Section::Entries4),
        }
    }

    /// The index of IPv6 VIPs.
    #[inline]
    pub(crate) fn index6(&self, head: &IndexHead) -> Index<'t, Entry6> {
        Index {
            seed: head.seed,
            lengths: self.items(Section::Lengths6),
            screen: self.items(Section::Screen6),
            pilots: self.items(Section::Pilots6),
            entries: self.items(Section::Entries6),
        }
    }
}

/// Images of pools by place, and behind them that of the rules. Asked for new flows only, so that the call through a
/// pointer does not matter; it keeps what holds the images out of the view's type.
pub(crate) trait Images {
    fn image(&self, place: usize) -> &[u8];
}

impl<B: AsRef<[u8]>> Images for Vec<B> {
    fn image(&self, place: usize) -> &[u8] {
        self.get(place).map(AsRef::as_ref).unwrap_or_default()
    }
}

/// What the packet path reads. Making one takes some nanoseconds; hold it for a burst.
#[derive(Clone, Copy)]
pub struct TableView<'t> {
    pub(crate) header: &'t Header,
    v4: Index<'t, Entry4>,
    v6: Index<'t, Entry6>,
    cells: &'t [u64],
    pub(crate) services: &'t [ServiceEntry],
    templates: &'t [Template],
    digests: &'t [PoolEntry],
    pub(crate) images: &'t dyn Images,
    /// For what few packets ask.
    pub(crate) sections: Sections<'t>,
}

impl fmt::Debug for TableView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableView").field("services", &self.services.len()).finish_non_exhaustive()
    }
}

impl<'t> TableView<'t> {
    #[inline]
    fn new<B: AsRef<[u8]>>(
        header: &'t Header,
        sections: Sections<'t>,
        templates: &'t [Template],
        images: &'t Vec<B>,
    ) -> Self {
        Self {
            header,
            v4: sections.index4(&header.index4),
            v6: sections.index6(&header.index6),
            cells: sections.items(Section::Cells),
            services: sections.items(Section::Services),
            templates,
            digests: sections.items(Section::Pools),
            images,
            sections,
        }
    }

    /// The service of a packet from a client: longest prefix, then narrowest range of ports. A port that a
    /// longer prefix leaves open is the covering prefix's.
    #[inline]
    #[must_use]
    pub fn classify(&self, tuple: &FiveTuple) -> Class {
        match tuple.family {
            Family::V4 => self.classify_in(&self.v4, tuple),
            Family::V6 => self.classify_in(&self.v6, tuple),
        }
    }

    /// Whether the address is a VIP's, on any protocol and port.
    #[inline]
    #[must_use]
    pub fn classify_address(&self, destination: &[u8; 16], family: Family) -> bool {
        match family {
            Family::V4 => self.v4.find(Key::of(destination)).is_some(),
            Family::V6 => self.v6.find(Key::of(destination)).is_some(),
        }
    }

    /// Whether the address may be a VIP's: one look at a small map. `false` is certain.
    #[inline]
    #[must_use]
    pub fn may_be_vip(&self, destination: &[u8; 16], family: Family) -> bool {
        match family {
            Family::V4 => self.v4.may_hold(Key::of(destination)),
            Family::V6 => self.v6.may_hold(Key::of(destination)),
        }
    }

    #[inline]
    fn classify_in<E: Entry>(&self, index: &Index<'t, E>, tuple: &FiveTuple) -> Class {
        let Some(entry) = index.find(Key::of(&tuple.destination)) else { return Class::NotVip };
        let (port, protocol) = (u64::from(tuple.destination_port), u64::from(tuple.protocol));
        let cell = entry.cell();
        if port >= cell & 0xffff && port <= cell >> 16 & 0xffff && protocol == cell >> 48 & 0xff {
            return Class::Service(slot_of(cell));
        }
        if entry.run() == 0 {
            return Class::VipOnly;
        }
        self.classify_in_run(entry.run() as usize, tuple)
    }

    fn classify_in_run(&self, run: usize, tuple: &FiveTuple) -> Class {
        let Counts { tcp, udp, others } = Counts::of(self.cells.get(run).copied().unwrap_or_default());
        let (start, len) = match tuple.protocol {
            protocol::TCP => (run + 1, tcp),
            protocol::UDP => (run + 1 + tcp, udp),
            protocol => return self.classify_portless(run + 1 + tcp + udp, others, protocol),
        };
        let cells = self.cells.get(start..start + len).unwrap_or_default();
        let port = u64::from(tuple.destination_port);
        let after = cells.partition_point(|cell| cell & 0xffff <= port);
        match after.checked_sub(1).and_then(|place| cells.get(place)) {
            Some(cell) if port <= cell >> 16 & 0xffff => Class::Service(slot_of(*cell)),
            _ => Class::VipOnly,
        }
    }

    #[cold]
    fn classify_portless(&self, start: usize, len: usize, protocol: u8) -> Class {
        let cells = self.cells.get(start..start + len).unwrap_or_default();
        key::cell_of(cells, protocol).map_or(Class::VipOnly, |cell| Class::Service(slot_of(cell)))
    }

    /// Whether a service is keyed by source.
    #[must_use]
    pub const fn keeps_clients(&self) -> bool {
        self.header.keeps_clients != 0
    }

    /// The service in a slot that [`Self::classify`] gave.
    #[inline]
    #[must_use]
    pub fn service(&self, slot: ServiceSlot) -> &'t ServiceEntry {
        self.services.get(slot.0 as usize).unwrap_or(&ServiceEntry::NONE)
    }

    /// All services, by number, with their slots.
    pub fn services(&self) -> impl Iterator<Item = (ServiceSlot, &'t ServiceEntry)> + use<'t> {
        (0..).map(ServiceSlot).zip(self.services)
    }

    /// The real that a new flow of the service with that hash (the first word of
    /// [`crate::tuple_hash`] under [`Self::select_seed`]) gets; `None` if its pool has none to give.
    #[inline]
    #[must_use]
    pub fn select(&self, slot: ServiceSlot, hash: u64) -> Option<RealNumber> {
        self.pool(self.service(slot).pool())?.select(hash)
    }

    /// Fetches what [`Self::select`] with the same arguments will read: a table of some size is not in the
    /// nearest caches.
    #[inline]
    pub fn prefetch_selection(&self, slot: ServiceSlot, hash: u64) {
        if let Some(pool) = self.pool(self.service(slot).pool()) {
            pool.prefetch(hash);
        }
    }

    /// The pool of that place.
    #[inline]
    pub(crate) fn pool(&self, place: usize) -> Option<PoolView<'t>> {
        PoolView::open(self.images.image(place))
    }

    /// The place of the service with that number.
    #[must_use]
    pub fn slot_of(&self, number: ServiceNumber) -> Option<ServiceSlot> {
        let place = self.services.binary_search_by_key(&number.get(), |entry| entry.number).ok()?;
        u32::try_from(place).ok().map(ServiceSlot)
    }

    fn quic(&self) -> QuicView<'t> {
        QuicView {
            configs: self.sections.items(Section::Quic),
            servers: self.sections.items(Section::ServerIds),
        }
    }

    /// How QUIC's connection ids are made, in the order of [`ServiceEntry::quic`]'s places.
    pub fn quic_configs(&self) -> impl Iterator<Item = QuicConfig> + use<'t> {
        self.quic().ready()
    }

    /// The real of a server id that a connection id held, by the configuration of that place.
    #[must_use]
    pub fn server(&self, place: u8, id: &ServerId) -> Option<RealNumber> {
        self.quic().server(place, id)
    }

    /// How many pools it has.
    #[must_use]
    pub const fn pools_len(&self) -> usize {
        self.digests.len()
    }

    /// SHA-256 of the pool image of that place.
    #[must_use]
    pub fn pool_digest(&self, place: usize) -> Option<&'t [u8; 32]> {
        self.digests.get(place).map(|entry| &entry.digest)
    }

    /// A real's template; `None` if there is no such real.
    #[inline]
    #[must_use]
    pub fn template(&self, real: RealNumber) -> Option<&'t Template> {
        self.templates.get(real.index()).filter(|template| template.is_present())
    }

    /// What stands behind the outer IP header of packets to a real; nothing where its template has no form.
    #[must_use]
    pub fn tail(&self, real: RealNumber) -> Tail {
        let tails: &[Tail] = self.sections.items(Section::Tails);
        tails.get(real.index()).copied().unwrap_or_default()
    }

    /// The reals whose tunnels end at an address, by number.
    pub fn reals_at(&self, address: IpAddr) -> impl Iterator<Item = RealNumber> + use<'t> {
        ends::reals_at(self.sections.items(Section::ByAddress), self.templates, address)
    }

    /// Whether any tunnel ends here.
    #[inline]
    #[must_use]
    pub const fn has_ends(&self) -> bool {
        self.header.opens & OPENS_TUNNELS != 0
    }

    /// Tunnels that end here, and where ours come from.
    #[must_use]
    pub fn ends(&self) -> EndsView<'t> {
        EndsView::of(&self.sections)
    }

    /// How many of us a packet may pass.
    #[inline]
    #[must_use]
    pub const fn passes_max(&self) -> u8 {
        self.header.passes_max
    }

    /// Idle times.
    #[inline]
    #[must_use]
    pub const fn timeouts(&self) -> Timeouts {
        let [syn, established, closing, udp] = self.header.timeouts;
        Timeouts { syn, established, closing, udp }
    }

    /// What chooses slots.
    #[inline]
    #[must_use]
    pub const fn select_seed(&self) -> [u8; 16] {
        self.header.select_seed
    }

    /// New flows that one worker inserts per second; `None` is no gate.
    #[inline]
    #[must_use]
    pub const fn new_flows_rate_max(&self) -> Option<u32> {
        if self.header.new_flows_gate == 0 { None } else { Some(self.header.new_flows_rate_max) }
    }

    /// Most bytes of an IP packet to a real, outer header included. Each template has it too.
    #[inline]
    #[must_use]
    pub const fn mtu(&self) -> u16 {
        self.header.mtu
    }

    /// Our own MAC address.
    #[inline]
    #[must_use]
    pub const fn mac(&self) -> [u8; 6] {
        self.header.mac
    }

    /// Outer TTL or hop limit.
    #[inline]
    #[must_use]
    pub const fn hop_limit(&self) -> u8 {
        self.header.hop_limit
    }

    /// The outer Don't Fragment bit.
    #[inline]
    #[must_use]
    pub const fn dont_fragment(&self) -> DontFragment {
        DontFragment::of_code(self.header.dont_fragment)
    }

    /// Which way responses take.
    #[inline]
    #[must_use]
    pub const fn return_path(&self) -> ReturnPath {
        ReturnPath::of_code(self.header.return_path)
    }

    /// One above the largest number of a service.
    #[inline]
    #[must_use]
    pub const fn services_len(&self) -> usize {
        self.header.services_len as usize
    }

    /// One above the largest number of a real.
    #[inline]
    #[must_use]
    pub const fn reals_len(&self) -> usize {
        self.templates.len()
    }
}

#[inline]
const fn slot_of(cell: u64) -> ServiceSlot {
    ServiceSlot((cell >> 32 & 0xffff) as u32)
}
