//! What a service or a rule asks for beside a real, in words.

use engine::Colour;
use service::{DscpOn, LabelMark, Mark, VlanMark};
use wire::mpls::Entry;

/// Labels that were taken off.
pub(super) fn popped(top: Entry, bytes: usize) -> String {
    let others = match bytes / wire::mpls::ENTRY_LEN {
        0 | 1 => String::new(),
        many => format!(", the outermost of {many}"),
    };
    format!("MPLS label {}{others}, traffic class {}, TTL {}: taken off", top.label, top.tc, top.ttl)
}

/// What a limit says.
pub(super) const fn metered(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "green: within the committed rate, as far as the pots are known here",
        Colour::Yellow => "yellow: above the committed rate",
        Colour::Red => "red: above all that is allowed",
    }
}

/// How a packet is marked.
pub(super) fn marked(mark: &Mark) -> String {
    let mut words = Vec::new();
    if let Some(dscp) = mark.dscp {
        let on = if mark.dscp_on == DscpOn::Outer { " on the outer header alone" } else { "" };
        words.push(format!("DSCP {dscp}{on}"));
    }
    match mark.labels {
        LabelMark::None => {}
        LabelMark::Push([label, 0]) => words.push(format!("label {label} pushed")),
        LabelMark::Push([outer, inner]) => words.push(format!("labels {outer} and {inner} pushed")),
        LabelMark::Swap(label) => words.push(format!("labels swapped to {label}, if it came with any")),
        LabelMark::Pop => words.push("labels popped".to_owned()),
    }
    match mark.vlan {
        VlanMark::Keep => {}
        VlanMark::Insert(id) => words.push(format!("VLAN tag {id} inserted")),
        VlanMark::Rewrite(id) => words.push(format!("VLAN tag rewritten to {id}, if it has one")),
        VlanMark::Remove => words.push("VLAN tag removed".to_owned()),
    }
    if let Some(priority) = mark.priority {
        words.push(format!("priority {priority}"));
    }
    if words.is_empty() { "nothing but by its limit".to_owned() } else { words.join(", ") }
}
