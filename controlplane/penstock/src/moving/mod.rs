//! Moving in: what another balancer was told, whether the machine is fit, and the pages of a package.

pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod pages;
