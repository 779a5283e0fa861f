//! The penstock binary.
