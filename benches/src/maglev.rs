//! Pools of many reals: how long a table takes to build, how much a changed weight moves, how even the
//! shares are; and the same of weighted rendezvous hashing, which is the ideal to be near to.

use std::net::Ipv4Addr;

use mem::Prf;
use service::{
    Blueprint, DontFragment, Encap, Generation, Member, Outer, OuterSource, Policy, PoolSpec, RealNumber,
    RealSpec, RealState, ServiceNumber, ServiceSpec, Timeouts,
};

/// Reals of the pool that is measured.
pub const REALS: u32 = 1000;
/// Everybody's weight, but for the one that is changed.
pub const WEIGHT: u32 = 100;
/// That one's, after the change: a tenth less.
pub const LESS: u32 = 90;
const GENERATION: Generation = Generation { boot: 1, sequence: 1 };
const SEED: [u8; 16] = [7; 16];

/// Without one real of the first so many, the blueprint of a pool of those.
#[must_use]
pub fn pool_of(reals: u32, slots: u32, gone: Option<u32>) -> Option<Blueprint> {
    let mut blueprint = blueprint(slots, None)?;
    let stays = |number: RealNumber| number.get() < reals && Some(number.get()) != gone;
    blueprint.reals.retain(|real| stays(real.number));
    blueprint.pools.iter_mut().for_each(|pool| pool.members.retain(|member| stays(member.real)));
    Some(blueprint)
}

/// One service over one pool of [`REALS`], of which `changed` has the weight [`LESS`].
#[must_use]
pub fn blueprint(slots: u32, changed: Option<u32>) -> Option<Blueprint> {
    let numbers: Option<Vec<RealNumber>> = (0..REALS).map(|index| RealNumber::new(index).ok()).collect();
    let numbers = numbers?;
    let real = |(number, index): (&RealNumber, u32)| RealSpec {
        number: *number,
        address: Ipv4Addr::from_bits(0x0a00_0001 + index).into(),
        next_hop: Some([2, 0, 0, 0, 0, 1]),
        port: None,
        encap: Encap::Ipip,
        state: RealState::Up,
    };
    let member = |(number, index): (&RealNumber, u32)| Member {
        real: *number,
        weight: if changed == Some(index) { LESS } else { WEIGHT },
    };
    Some(Blueprint {
        select_seed: SEED,
        outer: Outer {
            mac: [2, 0, 0, 0, 0, 0xee],
            source_v4: Some(OuterSource { address: Ipv4Addr::new(192, 0, 2, 1), prefix_len: 32 }),
            source_v6: None,
            hop_limit: 64,
            passes_max: 4,
            dont_fragment: DontFragment::Inherit,
            mtu: 1500,
        },
        timeouts: Timeouts { syn: 80, established: 7200, closing: 80, udp: 240 },
        return_path: service::ReturnPath::Direct,
        new_flows_rate_max: None,
        quic: Vec::new(),
        ends: Vec::new(),
        rules: Vec::new(),
        reals: numbers.iter().zip(0..).map(real).collect(),
        pools: vec![PoolSpec {
            members: numbers.iter().zip(0..).map(member).collect(),
            slots,
            policy: Policy::Maglev,
            panics: false,
        }],
        services: vec![ServiceSpec {
            number: ServiceNumber::new(0).ok()?,
            vip: Ipv4Addr::new(198, 51, 100, 10).into(),
            prefix_len: 32,
            protocol: 6,
            port_first: 80,
            port_last: 80,
            pool: 0,
            quic: [None; 7],
            attributes: service::Attributes::default(),
            key: service::Key::Flow,
            mss: 0,
        }],
    })
}

/// Builds the images: everything that a change of configuration costs, digests included.
#[must_use]
pub fn build(blueprint: &Blueprint) -> Option<service::Built> {
    service::build(blueprint, GENERATION).ok()
}

/// Who holds each slot of the pool that `blueprint` makes, asked as the packet path asks.
#[must_use]
pub fn holders(blueprint: &Blueprint) -> Option<Vec<u32>> {
    let slots = blueprint.pools.first()?.slots;
    let table = build(blueprint)?.table().ok()?;
    let view = table.view();
    let (service, _) = view.services().next()?;
    (0..slots).map(|slot| Some(view.select(service, hash_of(slot, slots))?.get())).collect()
}

/// The least hash that chooses a slot: the slot of a hash is its upper part, scaled.
fn hash_of(slot: u32, slots: u32) -> u64 {
    let least = (u128::from(slot) << 64).div_ceil(u128::from(slots));
    u64::try_from(least).unwrap_or(u64::MAX)
}

/// Shares in comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The largest share over the mean.
    pub max_over_mean: f64,
    /// The smallest share over the mean.
    pub min_over_mean: f64,
}

/// How even the slots are given out.
#[must_use]
pub fn evenness(holders: &[u32]) -> Spread {
    let mut counts = vec![0_u32; REALS as usize];
    for &holder in holders {
        if let Some(count) = counts.get_mut(holder as usize) {
            *count += 1;
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let mean = holders.len() as f64 / f64::from(REALS);
    let share = |count: Option<&u32>| count.map_or(f64::NAN, |&count| f64::from(count) / mean);
    Spread { max_over_mean: share(counts.iter().max()), min_over_mean: share(counts.iter().min()) }
}

/// The share of slots whose holder differs.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn moved(before: &[u32], after: &[u32]) -> f64 {
    let differ = before.iter().zip(after).filter(|(one, other)| one != other).count();
    differ as f64 / before.len().max(1) as f64
}

/// Of all slots, the shares that a real which goes leaves, and that move between the others besides.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn own_and_further(before: &[u32], after: &[u32], gone: u32) -> [f64; 2] {
    let of = |count: usize| count as f64 / before.len().max(1) as f64;
    let own = before.iter().filter(|&&holder| holder == gone).count();
    let further = before.iter().zip(after).filter(|(was, is)| **was != gone && was != is).count();
    [of(own), of(further)]
}

/// Weighted rendezvous hashing (Thaler and Ravishankar, 1998; with weights by the logarithmic method): each
/// key goes to the real of the largest score −w / ln u, where u is the hash of key and real, in (0, 1).
/// A change moves exactly what it must; its shares are as uneven as chance.
#[derive(Debug)]
pub struct Rendezvous {
    /// Per key: −ln u of the winner and of all, in rows of [`REALS`].
    costs: Vec<f32>,
}

impl Rendezvous {
    /// For so many keys.
    #[must_use]
    pub fn new(keys: u32) -> Self {
        let prf = Prf::new(SEED);
        let cost = |key: u32, real: u32| {
            let block = (u128::from(key) << 64) | (u128::from(real) << 32) | 0xffff;
            let (word, _) = prf.short(block.to_be_bytes());
            #[allow(clippy::cast_precision_loss, reason = "a fraction: 53 bits of it are plenty")]
            let uniform = ((word >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            #[allow(clippy::cast_possible_truncation, reason = "24 bits of a score tell two of 1,000 apart")]
            let cost = -uniform.ln() as f32;
            cost
        };
        let costs = (0..keys).flat_map(|key| (0..REALS).map(move |real| (key, real)));
        Self { costs: costs.map(|(key, real)| cost(key, real)).collect() }
    }

    /// Who has each key when `changed` weighs [`LESS`].
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "weights are small")]
    pub fn holders(&self, changed: Option<u32>) -> Vec<u32> {
        let weight = |real: u32| if changed == Some(real) { LESS as f32 } else { WEIGHT as f32 };
        let of_key = |costs: &[f32]| {
            let scores = costs.iter().zip(0_u32..).map(|(cost, real)| (cost / weight(real), real));
            scores.min_by(|one, other| one.0.total_cmp(&other.0)).map_or(u32::MAX, |(_, real)| real)
        };
        self.costs.chunks_exact(REALS as usize).map(of_key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{REALS, Rendezvous, blueprint, evenness, holders, moved, own_and_further, pool_of};

    #[test]
    fn what_a_real_leaves_and_what_moves_besides_are_told_apart() {
        assert_eq!(own_and_further(&[1, 1, 2, 3], &[2, 3, 2, 2], 1), [0.5, 0.25]);
        let [before, after] =
            [None, Some(7)].map(|gone| holders(&pool_of(100, 65_537, gone).unwrap()).unwrap());
        assert!(before.contains(&7) && !after.contains(&7) && before.iter().all(|&real| real < 100));
    }

    #[test]
    fn every_slot_is_held_and_a_change_moves_some() {
        let before = holders(&blueprint(65_537, None).unwrap()).unwrap();
        let after = holders(&blueprint(65_537, Some(7)).unwrap()).unwrap();
        assert_eq!(before.len(), 65_537);
        let shares = evenness(&before);
        assert!(shares.min_over_mean > 0.9 && shares.max_over_mean < 1.1, "{shares:?}");
        let counts = |holders: &[u32]| holders.iter().filter(|&&holder| holder == 7).count();
        assert!(counts(&after) < counts(&before));
        assert!(moved(&before, &after) > 0.0 && moved(&before, &before) == 0.0);
    }

    #[test]
    fn rendezvous_moves_keys_of_the_changed_real_only() {
        let ideal = Rendezvous::new(20 * REALS);
        let (before, after) = (ideal.holders(None), ideal.holders(Some(7)));
        let mut changes = before.iter().zip(&after).filter(|(one, other)| one != other);
        assert!(changes.all(|(one, _)| *one == 7));
        assert!(evenness(&before).max_over_mean < 3.0);
    }
}
