//! The flow table: one shard per worker, one cache line per hit.
