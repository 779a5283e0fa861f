//! Services, pools and reals: the forwarding table image, classification and selection.
//!
//! A [`Blueprint`] goes in, a [`Built`] comes out: one flat root image one image per unique pool, and one of its rules.
//! [`Table::check`] verifies such images, whoever made them, and [`TableView`] answers the packet path.
//!
//! * A table is a pure function of its blueprint: same blueprint, same bytes, whatever the order of its
//!   lists. The name of a generation travels beside the image, never in it.
//! * After `check` no access can panic or read out of range, also if the image was made by an enemy.
//! * All integers in images are little-endian.
#![forbid(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("images are little-endian and are read in place");

mod aligned;
mod asked;
mod attributes;
mod blueprint;
mod build;
mod check;
mod door;
mod ends;
mod error;
mod hash;
mod hop;
mod index;
mod key;
mod layout;
mod limits;
mod maglev;
mod movement;
mod numbers;
mod pool;
mod ports;
mod quic;
mod rendezvous;
mod rules;
mod sizes;
mod table;
mod tail;
mod template;
#[cfg(test)]
mod tests;
mod vips;

pub use aligned::Aligned;
pub use asked::{Asked, Asker, LimitEntry};
pub use attributes::{
    AttributeFault, Attributes, DSCP_MAX, DscpOn, Excess, LABEL_TTL, LABELS_OUT_MAX, LabelMark, Limit, Mark,
    VLAN_MAX, VlanMark,
};
pub use blueprint::{
    Blueprint, DontFragment, Encap, Member, Outer, OuterSource, Policy, PoolSpec, RealSpec, RealState,
    ReturnPath, ServiceSpec, Timeouts, UdpChecksum, UdpTunnel,
};
pub use build::{Built, build};
pub use door::Door;
pub use ends::{EndEntry, EndFault, EndSpec, EndsView};
pub use error::{BuildError, ImageError, PoolFault, RealFault, ServiceFault};
pub use hash::{real_hash, tuple_hash, tuple_hash_with};
pub use hop::Hop;
pub use key::{Key, session_hash};
pub use layout::{Section, ServiceEntry};
pub use limits::{
    CELLS_MAX, END_SOURCES_MAX, ENDS_MAX, LIMITS_MAX, MARKS_MAX, POOL_REALS_MAX, POOLS_MAX, PORTS_MAX,
    QUIC_CONFIGS_MAX, REALS_MAX, RENDEZVOUS_COSTS_MAX, RULE_LISTS_MAX, RULE_OFFSET_MAX, RULE_PATTERNS_MAX,
    RULE_WORDS_MAX, RULES_MAX, SERVER_IDS_MAX, SERVICES_MAX, SLOTS_MAX, WEIGHT_MAX,
};
pub use movement::{Movement, movement};
pub use numbers::{NumberOutOfRange, RealNumber, RuleNumber, ServiceNumber};
pub use pool::NO_REAL;
pub use quic::{QuicConfig, QuicFault, QuicKey, QuicPlaces, QuicSpec, ROTATIONS};
pub use rules::{
    Base, Effect, Masked, NO_VLAN, Prefix, RuleAction, RuleFault, RuleKey, RuleSpec, RulesView, Ruling,
    rules_fit,
};
pub use table::{Class, Generation, ServiceSlot, Table, TableView};
pub use tail::{Form, Tail};
pub use template::{ETHERNET_BYTES, HEADER_BYTES, OUTER_V4_BYTES, OUTER_V6_BYTES, Template, TunnelKind};
