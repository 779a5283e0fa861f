//! Safe Eal, Mempool, Mbuf, EthPort and Lcore over DPDK.
