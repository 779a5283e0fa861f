//! Marks and limits as they are written.

use conf::{Config, Limit, Mark};
use service::{DscpOn, Excess, LabelMark, VlanMark};

use super::compare::{Thing, or_none};

pub(super) fn marks(config: &Config) -> Vec<Thing<'_>> {
    let values = |Mark { mark, .. }: &Mark| {
        vec![
            ("dscp", or_none(mark.dscp)),
            ("dscp_on", if mark.dscp_on == DscpOn::Both { "both" } else { "outer" }.to_owned()),
            ("vlan", vlan(mark.vlan)),
            ("priority", or_none(mark.priority)),
            ("labels", labels(mark.labels)),
            ("tc", or_none(mark.tc)),
            ("ttl", or_none(mark.ttl)),
        ]
    };
    config.marks.iter().map(|mark| Thing::new(&mark.name, values(mark))).collect()
}

fn vlan(mark: VlanMark) -> String {
    match mark {
        VlanMark::Keep => or_none(None::<u16>),
        VlanMark::Insert(id) => format!("{id} inserted"),
        VlanMark::Rewrite(id) => format!("rewritten to {id}"),
        VlanMark::Remove => "removed".to_owned(),
    }
}

fn labels(mark: LabelMark) -> String {
    match mark {
        LabelMark::None => or_none(None::<u32>),
        LabelMark::Push([label, 0]) => format!("{label} pushed"),
        LabelMark::Push([outer, inner]) => format!("{outer} and {inner} pushed"),
        LabelMark::Swap(label) => format!("swapped to {label}"),
        LabelMark::Pop => "popped".to_owned(),
    }
}

pub(super) fn limits(config: &Config) -> Vec<Thing<'_>> {
    let kbit = |rate: u64| (rate / 125).to_string();
    let values = |Limit { limit, .. }: &Limit| {
        let (kind, ebs, peak) = match limit.excess {
            Excess::Burst(bytes) => ("srtcm", Some(bytes), None),
            Excess::Peak(rate, bytes) => ("trtcm", None, Some((rate, bytes))),
        };
        vec![
            ("kind", kind.to_owned()),
            ("cir_kbit_s", kbit(limit.cir)),
            ("cbs_bytes", limit.cbs.to_string()),
            ("ebs_bytes", or_none(ebs)),
            ("pir_kbit_s", or_none(peak.map(|(rate, _)| kbit(rate)))),
            ("pbs_bytes", or_none(peak.map(|(_, bytes)| bytes))),
            ("colour_aware", limit.is_aware.to_string()),
            ("yellow_dscp", or_none(limit.yellow)),
            ("red_dscp", limit.red.map_or_else(|| "dropped".to_owned(), |dscp| dscp.to_string())),
        ]
    };
    config.limits.iter().map(|limit| Thing::new(&limit.name, values(limit))).collect()
}
