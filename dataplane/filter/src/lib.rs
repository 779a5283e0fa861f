//! Classic BPF (McCanne and Jacobson, "The BSD Packet Filter", 1993): which packets a capture wants.
//!
//! A program comes from somewhere else (libpcap compiles it from an expression) as 64-bit instructions. It is
//! checked once, and then runs in a worker.
//!
//! Architecture invariants: any instructions give a program or a reason; a checked program ends after at most
//! [`INSNS_MAX`] steps on any bytes, because jumps go forward only; nothing panics and nothing allocates after
//! the check. What the machine does is what libpcap's own `bpf_filter` does; a test of `ffi/pcap` holds the two
//! together.
#![forbid(unsafe_code)]

mod check;
mod insn;
mod program;

pub use check::{Fault, Refused};
pub use insn::Insn;
pub use program::{INSNS_MAX, MEMORY_WORDS, Program};
