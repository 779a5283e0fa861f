#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_log.h>
#include <rte_mbuf_dyn.h>
/* Without this header an implicit int truncates a pointer: hence -Werror=implicit-function-declaration. */
#include <rte_mbuf_pool_ops.h>

#define AT(field, offset) \
	_Static_assert(offsetof(struct rte_mbuf, field) == (offset), "struct rte_mbuf: " #field " has moved")

AT(buf_addr, SHIM_MBUF_BUF_ADDR);
AT(data_off, SHIM_MBUF_DATA_OFF);
AT(refcnt, SHIM_MBUF_REFCNT);
AT(nb_segs, SHIM_MBUF_NB_SEGS);
AT(ol_flags, SHIM_MBUF_OL_FLAGS);
AT(pkt_len, SHIM_MBUF_PKT_LEN);
AT(data_len, SHIM_MBUF_DATA_LEN);
AT(buf_len, SHIM_MBUF_BUF_LEN);
AT(pool, SHIM_MBUF_POOL);
AT(next, SHIM_MBUF_NEXT);
_Static_assert(SHIM_MBUF_F_EXTERNAL == RTE_MBUF_F_EXTERNAL, "RTE_MBUF_F_EXTERNAL has changed");
_Static_assert(SHIM_MBUF_F_INDIRECT == RTE_MBUF_F_INDIRECT, "RTE_MBUF_F_INDIRECT has changed");
/* Rust reads data_off, refcnt, nb_segs and port as one 64-bit word. */
_Static_assert(sizeof(((struct rte_mbuf *)0)->refcnt) == 2 && sizeof(((struct rte_mbuf *)0)->nb_segs) == 2,
	       "struct rte_mbuf: a counter has changed its size");

unsigned int shim_lcore_id(void)
{
	return rte_lcore_id();
}

int shim_errno(void)
{
	return rte_errno;
}

static struct {
	pthread_mutex_t lock;
	int echo, hold;
	size_t used;
	char text[16384];
} lines = { .lock = PTHREAD_MUTEX_INITIALIZER };

static ssize_t log_write(void *cookie, const char *text, size_t size)
{
	(void)cookie;
	pthread_mutex_lock(&lines.lock);
	if (lines.hold) {
		/* The last lines tell the reason, so the oldest go first. */
		size_t take = size < sizeof(lines.text) ? size : sizeof(lines.text);
		if (take > sizeof(lines.text) - lines.used) {
			size_t gone = take - (sizeof(lines.text) - lines.used);
			memmove(lines.text, lines.text + gone, lines.used - gone);
			lines.used -= gone;
		}
		memcpy(lines.text + lines.used, text + (size - take), take);
		lines.used += take;
	}
	if (lines.echo || !lines.hold)
		fwrite(text, 1, size, stderr);
	pthread_mutex_unlock(&lines.lock);
	return (ssize_t)size;
}

int shim_log_open(int echo)
{
	cookie_io_functions_t functions = { .write = log_write };
	FILE *stream = fopencookie(NULL, "w", functions);

	if (stream == NULL)
		return -1;
	lines.echo = echo;
	return rte_openlog_stream(stream);
}

void shim_log_hold(int hold)
{
	pthread_mutex_lock(&lines.lock);
	lines.hold = hold;
	lines.used = 0;
	pthread_mutex_unlock(&lines.lock);
}

size_t shim_log_take(char *out, size_t size)
{
	pthread_mutex_lock(&lines.lock);
	size_t take = lines.used < size ? lines.used : size;
	memcpy(out, lines.text + (lines.used - take), take);
	lines.used = 0;
	pthread_mutex_unlock(&lines.lock);
	return take;
}

struct rte_mempool *shim_pool_create(const char *name, unsigned int mbufs, unsigned int cache,
				     uint16_t room, int software)
{
	struct rte_pktmbuf_pool_private private = { .mbuf_data_room_size = room };
	struct rte_mempool *pool;
	int ret;

	if (!software)
		return rte_pktmbuf_pool_create(name, mbufs, cache, 0, room, SOCKET_ID_ANY);
	/* On 4 KiB pages the standard pool lets no object cross a page, so that every mbuf starts at the
	 * same offset of a page of its own and all headers share a few L1 sets: half the speed. Software
	 * ports never give an mbuf to a device, so objects may cross pages. */
	pool = rte_mempool_create_empty(name, mbufs, sizeof(struct rte_mbuf) + room, cache, sizeof(private),
					SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	if (pool == NULL)
		return NULL;
	ret = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
	if (ret == 0) {
		rte_pktmbuf_pool_init(pool, &private);
		ret = rte_mempool_populate_default(pool);
	}
	if (ret < 0) {
		rte_mempool_free(pool);
		rte_errno = -ret;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

void shim_pool_flush(struct rte_mempool *pool)
{
	rte_mempool_cache_flush(NULL, pool);
}

struct rte_mbuf *shim_mbuf_alloc(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

void shim_mbuf_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

int shim_cookie_register(void)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "penstock_cookie",
		.size = sizeof(uint64_t),
		.align = __alignof__(uint64_t),
	};

	return rte_mbuf_dynfield_register(&field);
}

static int port_configure(uint16_t port, const struct shim_port_conf *conf, const struct rte_eth_dev_info *info)
{
	const uint64_t kinds = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
	struct rte_eth_conf eth = { 0 };
	int ret;

	/* Never MBUF_FAST_FREE: chains and several pools are ordinary here. */
	eth.txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (conf->mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN > conf->room)
		eth.rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	if (conf->queues > 1 && (info->flow_type_rss_offloads & kinds) != 0) {
		eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		eth.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & kinds;
		ret = rte_eth_dev_configure(port, conf->queues, conf->queues, &eth);
		if (ret == 0)
			return 0;
		/* net_tap offers RSS and refuses it: without, queues still work. */
		eth.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
		eth.rx_adv_conf.rss_conf.rss_hf = 0;
	}
	return rte_eth_dev_configure(port, conf->queues, conf->queues, &eth);
}

int shim_port_open(uint16_t port, const struct shim_port_conf *conf, struct rte_mempool *const *pools,
		   enum shim_step *step)
{
	uint16_t rx = conf->rx_descriptors, tx = conf->tx_descriptors;
	int socket = rte_eth_dev_socket_id(port);
	struct rte_eth_dev_info info;
	int ret;

	*step = SHIM_STEP_INFO;
	ret = rte_eth_dev_info_get(port, &info);
	if (ret != 0)
		return ret;
	*step = SHIM_STEP_CONFIGURE;
	if (conf->queues > info.max_rx_queues || conf->queues > info.max_tx_queues)
		return -ERANGE;
	ret = port_configure(port, conf, &info);
	if (ret != 0)
		return ret;
	ret = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rx, &tx);
	if (ret != 0)
		return ret;
	*step = SHIM_STEP_MTU;
	if (conf->mtu != 0 && (ret = rte_eth_dev_set_mtu(port, conf->mtu)) != 0)
		return ret;
	for (uint16_t q = 0; q < conf->queues; q++) {
		*step = SHIM_STEP_RX_QUEUE;
		ret = rte_eth_rx_queue_setup(port, q, rx, (unsigned int)socket, NULL, pools[q]);
		if (ret != 0)
			return ret;
		*step = SHIM_STEP_TX_QUEUE;
		ret = rte_eth_tx_queue_setup(port, q, tx, (unsigned int)socket, NULL);
		if (ret != 0)
			return ret;
	}
	*step = SHIM_STEP_START;
	ret = rte_eth_dev_start(port);
	if (ret != 0)
		return ret;
	/* Several software drivers know no such mode and pass everything anyway. */
	if (conf->promiscuous)
		(void)rte_eth_promiscuous_enable(port);
	/* Who looks for an IPv6 address asks a group of its own. */
	(void)rte_eth_allmulticast_enable(port);
	*step = SHIM_STEP_NONE;
	return 0;
}

int shim_port_stats(uint16_t port, struct shim_port_stats *stats)
{
	struct rte_eth_stats eth;
	int ret = rte_eth_stats_get(port, &eth);

	if (ret != 0)
		return ret;
	stats->rx_packets = eth.ipackets;
	stats->tx_packets = eth.opackets;
	stats->rx_bytes = eth.ibytes;
	stats->tx_bytes = eth.obytes;
	stats->rx_missed = eth.imissed;
	stats->rx_errors = eth.ierrors;
	stats->tx_errors = eth.oerrors;
	stats->rx_no_mbuf = eth.rx_nombuf;
	return 0;
}

int shim_port_mac(uint16_t port, uint8_t mac[6])
{
	struct rte_ether_addr addr;
	int ret = rte_eth_macaddr_get(port, &addr);

	if (ret == 0)
		memcpy(mac, addr.addr_bytes, 6);
	return ret;
}

int shim_port_set_mac(uint16_t port, const uint8_t mac[6])
{
	struct rte_ether_addr addr;

	memcpy(addr.addr_bytes, mac, 6);
	return rte_eth_dev_default_mac_addr_set(port, &addr);
}

int shim_port_promiscuous(uint16_t port)
{
	return rte_eth_promiscuous_enable(port);
}

int shim_port_driver(uint16_t port, char *out, size_t size)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(port, &info);

	if (ret == 0)
		snprintf(out, size, "%s", info.driver_name != NULL ? info.driver_name : "");
	return ret;
}

int shim_port_from_rings(const char *name, struct rte_ring *const *rx, struct rte_ring *const *tx,
			 unsigned int queues)
{
	return rte_eth_from_rings(name, rx, queues, tx, queues, (unsigned int)SOCKET_ID_ANY);
}

struct rte_ring *shim_ring_create(const char *name, unsigned int size)
{
	return rte_ring_create(name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

unsigned int shim_ring_enqueue(struct rte_ring *ring, void *const *objects, unsigned int count)
{
	return rte_ring_sp_enqueue_burst(ring, objects, count, NULL);
}

unsigned int shim_ring_dequeue(struct rte_ring *ring, void **objects, unsigned int count)
{
	return rte_ring_sc_dequeue_burst(ring, objects, count, NULL);
}
