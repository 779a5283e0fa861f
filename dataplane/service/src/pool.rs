//! Pool images: the members of a pool and its table of slots, shared by every service that uses the pool.
//!
//! ```text
//! PoolHeader | numbers of the members' reals, u32 | PoolMember | slots, u16
//! ```
//!
//! Each part starts on a cache line. Members are in the order of their addresses (IPv4 first), and at one address of their
//! doors; a slot holds a place in that list, or [`NO_REAL`].

use core::mem::size_of;

use mem::Prf;
use wire::Family;
use zerocopy::{FromBytes, IntoBytes};

use crate::blueprint::{Policy, RealState};
use crate::door::Door;
use crate::hash::real_hash;
use crate::layout::{ALIGN, LAYOUT, POOL_HEADER_BYTES, POOL_MAGIC, PoolHeader, PoolMember, VERSION};
use crate::limits::{POOL_REALS_MAX, SLOTS_MAX, WEIGHT_MAX};
use crate::maglev::{self, Candidate, EMPTY, scaled};
use crate::numbers::RealNumber;
use crate::rendezvous;
use crate::tail::{Form, Tail};

/// What a slot without a real holds.
pub const NO_REAL: u16 = EMPTY;

/// A member with all that its pool's image says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolReal {
    pub(crate) number: RealNumber,
    pub(crate) family: Family,
    pub(crate) address: [u8; 16],
    pub(crate) door: Door,
    pub(crate) weight: u32,
    pub(crate) state: RealState,
}

/// The image of a pool; members in any order, at most [`POOL_REALS_MAX`]. If it panics, those that have failed get
/// slots too.
pub(crate) fn image(
    select_seed: [u8; 16],
    members: &[PoolReal],
    (slots, policy, panics): (u32, Policy, bool),
) -> Vec<u8> {
    let mut sorted = members.to_vec();
    sorted.sort_unstable_by_key(|member| (member.family, member.address, member.door));
    let prf = Prf::new(select_seed);
    let candidates: Vec<Candidate> = (0_u16..)
        .zip(&sorted)
        .filter(|(_, real)| real.state.takes(panics) && real.weight > 0)
        .map(|(member, real)| Candidate {
            member,
            weight: real.weight,
            hash: real_hash(&prf, real.address, real.family, &real.door),
        })
        .collect();
    let numbers: Vec<u32> = sorted.iter().map(|real| real.number.get()).collect();
    let details: Vec<PoolMember> = sorted.iter().map(PoolMember::from).collect();
    let parts = Parts::new(numbers.len() as u64, u64::from(slots));
    let header = PoolHeader {
        magic: POOL_MAGIC,
        version: VERSION,
        header_bytes: POOL_HEADER_BYTES,
        layout: LAYOUT,
        length: parts.end,
        select_seed,
        members: u32::try_from(numbers.len()).unwrap_or(u32::MAX),
        slots,
        panics: u64::from(panics),
    };
    let table = match policy {
        Policy::Maglev => maglev::fill(&candidates, slots),
        Policy::Rendezvous => rendezvous::fill(&candidates, slots, &prf),
    };
    let mut bytes = Vec::new();
    for part in [header.as_bytes(), numbers.as_bytes(), details.as_bytes(), table.as_bytes()] {
        bytes.extend(part);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    }
    bytes
}

impl From<&PoolReal> for PoolMember {
    fn from(real: &PoolReal) -> Self {
        let Door { form, port, key, mac } = real.door;
        Self {
            address: real.address,
            weight: real.weight,
            key,
            port,
            mac,
            form: form as u8,
            family: real.family as u8,
            state: real.state.code(),
            spare: 0,
        }
    }
}

impl PoolMember {
    /// What the table is filled by: all but its state.
    pub(crate) const fn taking(&self) -> Self {
        Self { state: 0, ..*self }
    }

    /// Its place among the members.
    fn rank(&self) -> (u8, [u8; 16], Door) {
        let Self { form, port, key, mac, .. } = *self;
        (self.family, self.address, Door { form: Form::of_code(form), port, key, mac })
    }

    fn is_sound(&self) -> bool {
        let family = self.family == Family::V4 as u8 || self.family == Family::V6 as u8;
        let (.., door) = self.rank();
        family
            && self.weight <= WEIGHT_MAX
            && self.state <= RealState::CODE_MAX
            && door.form as u8 == self.form
            && Tail::at(&door).is_sound(door.form)
            && self.spare == 0
    }
}

/// Where the parts of a pool image start.
struct Parts {
    members: u64,
    slots: u64,
    end: u64,
}

impl Parts {
    const fn new(members: u64, slots: u64) -> Self {
        let line = ALIGN as u64;
        let details = line + (4 * members).next_multiple_of(line);
        let table = details + (size_of::<PoolMember>() as u64 * members).next_multiple_of(line);
        Self { members: details, slots: table, end: table + (2 * slots).next_multiple_of(line) }
    }
}

/// Why a pool image is refused, without its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolRefusal {
    Header,
    Member,
    Slot,
}

/// Parts of a checked pool image.
#[derive(Clone, Copy)]
pub(crate) struct PoolView<'t> {
    pub(crate) numbers: &'t [u32],
    pub(crate) members: &'t [PoolMember],
    pub(crate) slots: &'t [u16],
    /// Members that have failed have slots too.
    pub(crate) panics: bool,
}

impl<'t> PoolView<'t> {
    /// The parts of an image, bounds checked, content not.
    #[inline]
    pub(crate) fn open(image: &'t [u8]) -> Option<Self> {
        let (header, _) = PoolHeader::ref_from_prefix(image).ok()?;
        let parts = Parts::new(u64::from(header.members), u64::from(header.slots));
        let end_numbers = ALIGN + 4 * header.members as usize;
        let at = |offset: u64| usize::try_from(offset).ok();
        let (members, slots) = (at(parts.members)?, at(parts.slots)?);
        let end_members = members + size_of::<PoolMember>() * header.members as usize;
        Some(Self {
            numbers: <[u32]>::ref_from_bytes(image.get(ALIGN..end_numbers)?).ok()?,
            members: <[PoolMember]>::ref_from_bytes(image.get(members..end_members)?).ok()?,
            slots: <[u16]>::ref_from_bytes(image.get(slots..slots + 2 * header.slots as usize)?).ok()?,
            panics: header.panics != 0,
        })
    }

    /// The parts of an image whose every value is in range, given which reals there are.
    pub(crate) fn check(
        image: &'t [u8],
        seed: &[u8; 16],
        is_real: impl Fn(u32) -> bool,
    ) -> Result<Self, PoolRefusal> {
        let header = PoolHeader::ref_from_prefix(image).map_err(|_| PoolRefusal::Header)?.0;
        let parts = Parts::new(u64::from(header.members), u64::from(header.slots));
        let fits = header.magic == POOL_MAGIC
            && header.version == VERSION
            && header.header_bytes == POOL_HEADER_BYTES
            && header.layout == LAYOUT
            && header.length == parts.end
            && parts.end == image.len() as u64
            && header.select_seed == *seed
            && header.members as usize <= POOL_REALS_MAX
            && (2..=SLOTS_MAX).contains(&header.slots)
            && header.panics <= 1;
        if !fits {
            return Err(PoolRefusal::Header);
        }
        let view = Self::open(image).ok_or(PoolRefusal::Header)?;
        let sound = |(member, number): (&PoolMember, &u32)| is_real(*number) && member.is_sound();
        if !view.members.iter().zip(view.numbers).all(sound)
            || !view.members.is_sorted_by(|a, b| a.rank() < b.rank())
        {
            return Err(PoolRefusal::Member);
        }
        let held = |slot: &u16| *slot == NO_REAL || usize::from(*slot) < view.numbers.len();
        if view.slots.iter().all(held) { Ok(view) } else { Err(PoolRefusal::Slot) }
    }

    /// The real that a hash selects.
    #[inline]
    pub(crate) fn select(&self, hash: u64) -> Option<RealNumber> {
        let slots = u32::try_from(self.slots.len()).unwrap_or_default();
        self.holder(scaled(hash, slots) as usize)
    }

    /// Fetches what [`Self::select`] will read of the table.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let slots = u32::try_from(self.slots.len()).unwrap_or_default();
        if let Some(slot) = self.slots.get(scaled(hash, slots) as usize) {
            mem::prefetch(slot);
        }
    }

    /// The real that has a slot.
    #[inline]
    pub(crate) fn holder(&self, slot: usize) -> Option<RealNumber> {
        let member = *self.slots.get(slot)?;
        RealNumber::new(*self.numbers.get(usize::from(member))?).ok()
    }
}
