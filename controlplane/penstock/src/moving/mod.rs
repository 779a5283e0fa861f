//! Moving in: what another balancer was told.

pub(crate) mod import;
