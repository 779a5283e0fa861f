//! The worker loop: receive, process, transmit, and a tick.
