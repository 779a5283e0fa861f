//! `penstock run`.
use crate::cli::RunOptions;
use crate::failure::Failure;

pub(crate) fn run(_: &RunOptions) -> Result<(), Failure> {
    Err(Failure::new("this build has no DPDK: replay with --backend memory, or build with the feature `dpdk`"))
}
