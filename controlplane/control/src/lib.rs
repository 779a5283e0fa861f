//! The control core: numbers, plans, table building and publication.
//!
//! A valid configuration and the numbers of its names make a blueprint; a blueprint makes images; images
//! are published as sealed memory. A plan says beforehand, in words, what a new configuration changes.
//!
//! Architecture invariant: nothing here reads a clock or touches a packet. Time arrives as an argument, so
//! that the same inputs always give the same outputs.

#![forbid(unsafe_code)]

mod blueprint;
mod desk;
mod hops;
pub mod limits;
mod numbers;
mod overrides;
mod plan;
mod publish;
mod ramps;
mod segments;
mod whole;

/// A map whose order means nothing. Keyed at random at start (`ahash`), because some keys are what others
/// named; what is pinned or must come in order is hashed or kept elsewhere.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, ahash::RandomState>;

pub use blueprint::{NoNumber, blueprint};
pub use desk::{Desk, Done, Draft, InForce, Input, Job, Now, Output, Refusal, Ticket, Wish, needs_restart};
pub use hops::{HopInput, HopOutput, Hops, Next, PortEnd, Why};
pub use numbers::{Exhausted, Kind, Numbers};
pub use overrides::{Overrides, Unsaid, Word};
pub use plan::{
    Affected, Change, Effect, Fate, FlowCount, Led, Plan, PlanError, Subject, What, affected, plan,
};
pub use publish::{Image, Publication, PublishError, Publisher};
