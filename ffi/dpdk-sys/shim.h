/*
 * What Rust needs of DPDK and cannot have from a plain binding: static inlines, thread locals, and
 * structures whose fields move from one DPDK release to the next. Everything here is called once per
 * burst or less often; what happens per packet is done in Rust by the offsets below, which shim.c
 * asserts against the headers it is compiled with.
 */
#ifndef DPDK_SYS_SHIM_H
#define DPDK_SYS_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <rte_version.h>

/* Byte offsets into struct rte_mbuf. */
#define SHIM_MBUF_BUF_ADDR 0
#define SHIM_MBUF_DATA_OFF 16
#define SHIM_MBUF_REFCNT 18
#define SHIM_MBUF_NB_SEGS 20
#define SHIM_MBUF_OL_FLAGS 24
#define SHIM_MBUF_PKT_LEN 36
#define SHIM_MBUF_DATA_LEN 40
#define SHIM_MBUF_BUF_LEN 54
#define SHIM_MBUF_POOL 56
#define SHIM_MBUF_NEXT 64

/* ol_flags of an mbuf whose bytes lie outside of itself: another mbuf's, or nobody's. */
#define SHIM_MBUF_F_EXTERNAL (1ULL << 61)
#define SHIM_MBUF_F_INDIRECT (1ULL << 62)

/* The step of shim_port_open that failed. */
enum shim_step {
	SHIM_STEP_NONE = 0,
	SHIM_STEP_INFO = 1,
	SHIM_STEP_CONFIGURE = 2,
	SHIM_STEP_MTU = 3,
	SHIM_STEP_RX_QUEUE = 4,
	SHIM_STEP_TX_QUEUE = 5,
	SHIM_STEP_START = 6,
};

struct shim_port_conf {
	uint16_t queues;         /* pairs of one Rx and one Tx queue */
	uint16_t rx_descriptors; /* adjusted to what the driver can do */
	uint16_t tx_descriptors;
	uint16_t mtu;            /* bytes; 0 leaves the driver's own */
	uint16_t room;           /* bytes of data that one mbuf takes, headroom not counted */
	uint8_t promiscuous;
};

struct shim_port_stats {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
	uint64_t rx_missed, rx_errors, tx_errors, rx_no_mbuf;
};

/* EAL lcore of this thread; UINT32_MAX if it has none. */
unsigned int shim_lcore_id(void);
/* rte_errno of this thread. */
int shim_errno(void);

/* Sends DPDK's log to a buffer (and, if echo is set, to stderr), never to stdout. 0 or -1. */
int shim_log_open(int echo);
/* From now on: 1 keeps lines for shim_log_take and is silent unless echo was asked for, 0 also
 * writes them to stderr. */
void shim_log_hold(int hold);
/* Moves what was kept into out, at most size bytes, and gives how many. */
size_t shim_log_take(char *out, size_t size);

/* A pktmbuf pool. software: objects need not be contiguous in IO addresses. NULL sets rte_errno. */
struct rte_mempool *shim_pool_create(const char *name, unsigned int mbufs, unsigned int cache,
				     uint16_t room, int software);
/* Gives back what the pool keeps at hand for this thread's lcore. */
void shim_pool_flush(struct rte_mempool *pool);
struct rte_mbuf *shim_mbuf_alloc(struct rte_mempool *pool);
void shim_mbuf_free(struct rte_mbuf *mbuf);
/* The offset of 8 bytes in every mbuf that are ours, or -1. */
int shim_cookie_register(void);

/* Configures and starts a port with one pool per queue. 0, or -errno with the step in *step. */
int shim_port_open(uint16_t port, const struct shim_port_conf *conf, struct rte_mempool *const *pools,
		   enum shim_step *step);
int shim_port_stats(uint16_t port, struct shim_port_stats *stats);
int shim_port_mac(uint16_t port, uint8_t mac[6]);
/* Makes it the port's address: the NIC takes frames to it. 0 or -errno. */
int shim_port_set_mac(uint16_t port, const uint8_t mac[6]);
/* Takes frames to any address from now on. 0 or -errno. */
int shim_port_promiscuous(uint16_t port);
/* The driver's name, at most size bytes with the zero. 0 or -errno. */
int shim_port_driver(uint16_t port, char *out, size_t size);

/* A port over rings that stay the caller's. The port's number, or -1 with rte_errno. */
int shim_port_from_rings(const char *name, struct rte_ring *const *rx, struct rte_ring *const *tx,
			 unsigned int queues);
/* Rings of exactly size pointers with one producer and one consumer. */
struct rte_ring *shim_ring_create(const char *name, unsigned int size);
unsigned int shim_ring_enqueue(struct rte_ring *ring, void *const *objects, unsigned int count);
unsigned int shim_ring_dequeue(struct rte_ring *ring, void **objects, unsigned int count);

#endif
