//! A pool that is empty gives nothing and breaks nothing, and is whole again afterwards; what is never
//! given back is counted.

mod common;

use dpdk::{EthPort, Mbuf, Mempool, PoolConfig, PortConfig};
use port::{Burst, Port};

#[test]
fn an_empty_pool_gives_nothing_and_a_leak_is_counted() {
    let eal = common::start(&["net_null0"]);
    let config = PoolConfig { cache: 0, ..PoolConfig::new("small", 100) };
    let pool = Mempool::new(&eal, &config).unwrap();
    let twice = Mempool::new(&eal, &config).unwrap_err().to_string();
    assert!(twice.contains("small") && twice.contains("exists"), "{twice}");
    assert!(Mempool::new(&eal, &PoolConfig::new("a_name_that_is_longer_than_any_that_fits", 64)).is_err());

    let held: Vec<Mbuf> = std::iter::from_fn(|| pool.alloc()).collect();
    assert_eq!((held.len(), pool.in_use()), (100, 100));
    assert!(Mbuf::from_bytes(&pool, b"no").is_none());

    let (port, mut queues) = EthPort::open(&eal, "net_null0", &PortConfig::new(&[pool])).unwrap();
    let mut burst = Burst::new();
    for _ in 0..10 {
        queues[0].rx_burst(&mut burst);
        assert!(burst.is_empty());
    }
    drop(held);
    assert_eq!(pool.in_use(), 0);
    queues[0].rx_burst(&mut burst);
    assert_eq!(burst.len(), 64);
    queues[0].rx_burst(&mut burst);
    assert_eq!(burst.len(), 64, "a full burst takes no more");
    queues[0].free_burst(&mut burst);

    // A chain for which the segments do not suffice gives back those it had.
    assert!(Mbuf::from_bytes(&pool, &vec![1; 101 * 2048]).is_none());
    assert_eq!(pool.in_use(), 0);
    assert!(Mbuf::from_bytes(&pool, &vec![1; 50 * 2048]).is_some());

    queues.clear();
    common::assert_whole(&pool, 100);
    std::mem::forget(Mbuf::from_bytes(&pool, &[1; 3000]));
    drop((port, burst));
    assert_eq!(eal.mbufs_in_use(), 2, "the two segments of the forgotten packet");
}
