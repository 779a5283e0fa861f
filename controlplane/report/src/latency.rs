//! Times per packet, gathered into buckets that are even on a logarithmic axis.

use serde::{Deserialize, Serialize};

/// Buckets in one decade.
const PER_DECADE: i32 = 36;

/// How many packets took how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// The least time, in nanoseconds per packet.
    pub from_ns: f64,
    /// The time below which it ends, in nanoseconds per packet.
    pub to_ns: f64,
    /// Packets in bursts that took so long per packet.
    pub packets: u64,
}

/// Gathers pairs of nanoseconds per packet and packets, in any order, into 36 buckets a decade from
/// 0.1 ns to 100 ms; what is outside goes into the outermost. Buckets before the first and after the last
/// that hold a packet are left out.
#[must_use]
pub fn buckets(pairs: impl IntoIterator<Item = (f64, u64)>) -> Vec<Bucket> {
    let edge = |step: i32| 10_f64.powf(f64::from(step) / f64::from(PER_DECADE));
    let mut buckets: Vec<_> = (-PER_DECADE..8 * PER_DECADE)
        .map(|step| Bucket { from_ns: edge(step), to_ns: edge(step + 1), packets: 0 })
        .collect();
    let last = buckets.len() - 1;
    for (ns, packets) in pairs {
        let at = buckets.partition_point(|bucket| bucket.to_ns <= ns).min(last);
        if let Some(bucket) = buckets.get_mut(at) {
            bucket.packets += packets;
        }
    }
    let Some(end) = buckets.iter().rposition(|bucket| bucket.packets > 0) else { return Vec::new() };
    let start = buckets.iter().position(|bucket| bucket.packets > 0).unwrap_or(0);
    buckets.drain(..=end).skip(start).collect()
}

#[cfg(test)]
mod tests {
    use super::buckets;

    #[test]
    fn every_packet_is_in_one_bucket_and_its_time_within() {
        let pairs = [(14.0, 5), (14.1, 7), (900.0, 1), (20.0, 2)];
        let all = buckets(pairs);
        assert_eq!(all.iter().map(|bucket| bucket.packets).sum::<u64>(), 15);
        for (ns, _) in pairs {
            assert_eq!(all.iter().filter(|b| b.from_ns <= ns && ns < b.to_ns && b.packets > 0).count(), 1);
        }
        assert!(all.first().unwrap().packets > 0 && all.last().unwrap().packets > 0);
        assert!(all.windows(2).all(|two| two[0].to_ns == two[1].from_ns));
    }

    #[test]
    fn what_is_outside_goes_into_the_outermost() {
        assert_eq!(buckets([(0.0, 1)]).len(), 1);
        assert_eq!(buckets([(1e12, 1)]).len(), 1);
        assert_eq!(buckets([(0.0, 1), (1e12, 1)]).len(), 9 * 36);
        assert_eq!(buckets([]), []);
    }
}
