//! Bindings to the system's DPDK, narrowly allow-listed.
