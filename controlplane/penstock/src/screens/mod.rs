//! What one keeps open beside a running box: its screen, and its figures for Prometheus.

#[cfg(feature = "dpdk")]
pub(crate) mod figures;
pub(crate) mod top;
