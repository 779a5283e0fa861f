//! Marks and limits: values, and what they are to one another.

use service::{DSCP_MAX, Excess, LABELS_OUT_MAX, LIMITS_MAX, LabelMark, MARKS_MAX, VLAN_MAX, VlanMark};
use toml::Spanned;
use wire::mpls::{LABEL_MAX, LABEL_MIN};

use super::{Names, needed, optional, too_many};
use crate::config::{Limit, Mark};
use crate::fault::{Refusal, Report};
use crate::file::{LimitFile, MarkFile};
use crate::limits::RATE_KBIT_MAX;
use crate::read::Entry;
use crate::scalar;

/// Bytes in a thousand bits.
const KBIT: u64 = 125;

pub(super) fn marks(report: &mut Report<'_>, tables: &[Entry<MarkFile>]) -> (Vec<Mark>, Names) {
    let mut names = Names::new(report, "mark");
    let mut marks = Vec::new();
    for table in tables {
        let file = &table.file;
        let name = names.take(report, table, file.name.as_ref());
        let small = |most: u8| move |&n: &i64| scalar::whole(n, 0..=most);
        let mark = service::Mark {
            dscp: optional(report, table, "dscp", file.dscp.as_ref(), small(DSCP_MAX)),
            dscp_on: optional(report, table, "dscp_on", file.dscp_on.as_ref(), |text| scalar::dscp_on(text))
                .unwrap_or_default(),
            vlan: vlan(report, table),
            priority: optional(report, table, "priority", file.priority.as_ref(), small(7)),
            labels: labels(report, table),
            tc: optional(report, table, "tc", file.tc.as_ref(), small(7)),
            ttl: optional(report, table, "ttl", file.ttl.as_ref(), |&n| scalar::whole(n, 1..=u8::MAX)),
        };
        of_no_use(report, table, &mark);
        if let Some(name) = name {
            names.placed(&name, marks.len());
            marks.push(Mark { name, mark });
        }
    }
    too_many(report, tables, MARKS_MAX, "marks");
    (marks, names)
}

/// Where a key stands that must not stand there.
fn refuse<T, V>(
    report: &mut Report<'_>,
    table: &Entry<T>,
    (key, value): (&str, Option<&Spanned<V>>),
    message: &str,
    remedy: &str,
) {
    if let Some(value) = value {
        report.add(&value.span(), Some(table.key(key)), Refusal::new(message, remedy));
    }
}

/// What says nothing, or nothing beside the rest.
fn of_no_use(report: &mut Report<'_>, table: &Entry<MarkFile>, mark: &service::Mark) {
    let file = &table.file;
    if mark.vlan == VlanMark::Remove {
        let message = "a tag that is removed has no priority";
        refuse(report, table, ("priority", file.priority.as_ref()), message, "Leave one of the two out.");
    }
    // A label that was refused is told already.
    if file.push_labels.is_none() && file.swap_label.is_none() {
        let (message, remedy) =
            ("there is no label to write it to", "Write push_labels or swap_label beside it.");
        refuse(report, table, ("tc", file.tc.as_ref()), message, remedy);
        refuse(report, table, ("ttl", file.ttl.as_ref()), message, remedy);
    }
    // Where the code points of limits are written is something too.
    let is_empty = *mark == service::Mark::default() && file.dscp_on.is_none();
    if is_empty && !report.has_told_under(&table.path) {
        let message = "nothing is marked";
        let remedy = "Write dscp, priority, one of the VLAN keys or one of the label keys.";
        report.add(&table.span, Some(table.path.clone()), Refusal::new(message, remedy));
    }
}

fn vlan(report: &mut Report<'_>, table: &Entry<MarkFile>) -> VlanMark {
    let file = &table.file;
    let id = |&n: &i64| scalar::whole(n, 1..=VLAN_MAX);
    let insert = optional(report, table, "insert_vlan", file.insert_vlan.as_ref(), id).map(VlanMark::Insert);
    let rewrite =
        optional(report, table, "rewrite_vlan", file.rewrite_vlan.as_ref(), id).map(VlanMark::Rewrite);
    let remove = file.remove_vlan.as_ref().filter(|written| *written.get_ref()).map(|_| VlanMark::Remove);
    if [insert, rewrite, remove].into_iter().flatten().count() > 1 {
        let message = "a tag is inserted, rewritten or removed, and one of them is done";
        let remedy = "Leave one of insert_vlan, rewrite_vlan and remove_vlan.";
        report.add(&table.span, Some(table.path.clone()), Refusal::new(message, remedy));
    }
    insert.or(rewrite).or(remove).unwrap_or_default()
}

fn labels(report: &mut Report<'_>, table: &Entry<MarkFile>) -> LabelMark {
    let file = &table.file;
    let label = |n: i64| scalar::whole(n, LABEL_MIN..=LABEL_MAX);
    let push = optional(report, table, "push_labels", file.push_labels.as_ref(), |list| {
        let mut labels = [0; LABELS_OUT_MAX];
        if list.is_empty() || list.len() > LABELS_OUT_MAX {
            let message = format!("{} labels are too many or too few", list.len());
            return Err(Refusal::new(message, format!("Write one label, or {LABELS_OUT_MAX}.")));
        }
        for (to, from) in labels.iter_mut().zip(list) {
            *to = label(*from.get_ref())?;
        }
        Ok(LabelMark::Push(labels))
    });
    let swap =
        optional(report, table, "swap_label", file.swap_label.as_ref(), |&n| label(n)).map(LabelMark::Swap);
    let pop = file.pop_labels.as_ref().filter(|written| *written.get_ref()).map(|_| LabelMark::Pop);
    if [push, swap, pop].into_iter().flatten().count() > 1 {
        let message = "labels are pushed, swapped or popped, and one of them is done";
        let remedy = "Leave one of push_labels, swap_label and pop_labels.";
        report.add(&table.span, Some(table.path.clone()), Refusal::new(message, remedy));
    }
    push.or(swap).or(pop).unwrap_or_default()
}

pub(super) fn limits(report: &mut Report<'_>, tables: &[Entry<LimitFile>]) -> (Vec<Limit>, Names) {
    let mut names = Names::new(report, "limit");
    let mut limits = Vec::new();
    for table in tables {
        let file = &table.file;
        let name = names.take(report, table, file.name.as_ref());
        let rate = |&n: &i64| scalar::whole(n, 1..=RATE_KBIT_MAX).map(|kbit| kbit * KBIT);
        let cir = needed(report, table, "cir_kbit_s", file.cir_kbit_s.as_ref(), rate);
        let cbs = needed(report, table, "cbs_bytes", file.cbs_bytes.as_ref(), |&n| burst(n, cir));
        let excess = excess(report, table, cir);
        let dscp = |&n: &i64| scalar::whole(n, 0..=DSCP_MAX);
        let yellow = optional(report, table, "yellow_dscp", file.yellow_dscp.as_ref(), dscp);
        let red = optional(report, table, "red_dscp", file.red_dscp.as_ref(), dscp);
        let is_aware = file.colour_aware.as_ref().is_some_and(|aware| *aware.get_ref());
        if let (Some(name), Some(cir), Some(cbs), Some(excess)) = (name, cir, cbs, excess) {
            names.placed(&name, limits.len());
            limits.push(Limit { name, limit: service::Limit { cir, cbs, excess, is_aware, yellow, red } });
        }
    }
    too_many(report, tables, LIMITS_MAX, "limits");
    (limits, names)
}

/// A burst that holds what its rate brings in an eighth of a second, in which pots are filled once.
fn burst(bytes: i64, rate: Option<u64>) -> Result<u32, Refusal> {
    let bytes = scalar::whole(bytes, 1..=u32::MAX)?;
    let least = rate.map_or(0, |rate| rate.div_ceil(8));
    if u64::from(bytes) >= least {
        return Ok(bytes);
    }
    let message = format!("{bytes} bytes hold less than the rate brings in an eighth of a second");
    Err(Refusal::new(message, format!("Write {least} or more, or a lower rate.")))
}

/// What stands above the committed rate, by the kind of the meter.
fn excess(report: &mut Report<'_>, table: &Entry<LimitFile>, cir: Option<u64>) -> Option<Excess> {
    let file = &table.file;
    let is_two_rate = needed(report, table, "kind", file.kind.as_ref(), |text| scalar::is_two_rate(text))?;
    if is_two_rate {
        let (message, remedy) = ("is of srtcm alone", "Write pbs_bytes, or kind = \"srtcm\".");
        refuse(report, table, ("ebs_bytes", file.ebs_bytes.as_ref()), message, remedy);
        let peak = needed(report, table, "pir_kbit_s", file.pir_kbit_s.as_ref(), |&n| {
            let rate = scalar::whole(n, 1..=RATE_KBIT_MAX)? * KBIT;
            let message = "the peak rate is below the committed one";
            let below = cir.is_some_and(|cir| rate < cir);
            if below { Err(Refusal::new(message, "Write cir_kbit_s or more.")) } else { Ok(rate) }
        });
        let burst = needed(report, table, "pbs_bytes", file.pbs_bytes.as_ref(), |&n| burst(n, peak));
        Some(Excess::Peak(peak?, burst?))
    } else {
        let (message, remedy) = ("is of trtcm alone", "Leave it out, or write kind = \"trtcm\".");
        refuse(report, table, ("pir_kbit_s", file.pir_kbit_s.as_ref()), message, remedy);
        refuse(report, table, ("pbs_bytes", file.pbs_bytes.as_ref()), message, remedy);
        let bytes =
            needed(report, table, "ebs_bytes", file.ebs_bytes.as_ref(), |&n| scalar::whole(n, 0..=u32::MAX));
        Some(Excess::Burst(bytes?))
    }
}

/// Marks and limits that there are, and how many of those who ask have a limit so far: each has it for itself.
pub(super) struct Asked<'n> {
    pub(super) marks: &'n Names,
    pub(super) limits: &'n Names,
    pub(super) limits_before: usize,
}

impl Asked<'_> {
    /// Places of the mark and the limit that a service or a rule names.
    pub(super) fn of<T>(
        &mut self,
        report: &mut Report<'_>,
        table: &Entry<T>,
        (mark, limit): (Option<&Spanned<String>>, Option<&Spanned<String>>),
    ) -> (Option<usize>, Option<usize>) {
        let mark = optional(report, table, "mark", mark, |text| self.marks.find(text, "mark"));
        let limit = optional(report, table, "limit", limit, |text| {
            if self.limits_before >= LIMITS_MAX {
                let message =
                    format!("there are {LIMITS_MAX} services and rules with a limit before this one");
                return Err(Refusal::new(message, "Leave it out."));
            }
            self.limits.find(text, "limit")
        });
        self.limits_before += usize::from(limit.is_some());
        (mark.flatten(), limit.flatten())
    }
}
