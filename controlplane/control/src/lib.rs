//!
//! A valid configuration and the numbers of its names make a blueprint; a blueprint makes images; images
//!
//! Architecture invariant: nothing here reads a clock or touches a packet. Time arrives as an argument, so
//! that the same inputs always give the same outputs.

#![forbid(unsafe_code)]

mod blueprint;
pub mod limits;
mod numbers;

pub use blueprint::{NoNumber, blueprint};
pub use numbers::{Exhausted, Kind, Numbers};
