/* SPDX-License-Identifier: MIT */
#include "device/vnet.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "vhost/vhost_user.h"

enum {
	RX, /* the guest receives */
	TX, /* the guest sends */
	RINGS,

	FRAMES_PER_TURN = 256,
	HANDED_PER_TURN = 128, /* to more machines than one for each */
	FRAMES_PER_PUBLISH = 32, /* let the guest reuse its buffers while we work */
	STEPS_PER_TURN = 16384,	 /* descriptors: frames in crumbs cost more */
	STEPS_PER_FRAME = 4096,	 /* for one frame in the receive ring */
	TRIES_PER_SEND = 4,	 /* while the guest adds buffers as we look */

	SPEED_MBIT = 10000,

	HEADER_BYTES = sizeof(struct virtio_net_hdr_v1), /* with num_buffers */
	HEADER_BYTES_LEGACY = sizeof(struct virtio_net_hdr),
	NUM_BUFFERS_AT = offsetof(struct virtio_net_hdr_v1, num_buffers),
};

static const char *const ring_names[RINGS] = { "receive ring", "transmit ring" };

struct vnet {
	struct loop *loop;
	struct vhost_user *conn;
	const struct vnet_ops *ops;
	void *ctx;
	struct virtio_net_config space;
	bool up;      /* both rings run */
	bool rx_full; /* vnet_send() said -EAGAIN: kicks are on, writable() is due */
	bool rx_merge;
	uint32_t header_bytes;
	struct deferred poll;	 /* of the transmit ring, when a turn was not enough */
	struct deferred rx_poll; /* of the receive ring, likewise */
	struct vnet_count count;
	struct vring_chain chain; /* the one in work */
	uint8_t gathered[HEADER_BYTES + VNET_FRAME_BYTES_MAX];
};

/* Copy a chain that lies in pieces into ours; the caller has bounded its size. */
static void gather(struct vnet *vnet, const struct vring_chain *chain)
{
	uint8_t *to = vnet->gathered;

	for (unsigned i = 0; i < chain->readable_count; i++) {
		memcpy(to, chain->parts[i].bytes, chain->parts[i].size);
		to += chain->parts[i].size;
	}
}

/* The frame in a sent chain.  NULL: there is none to be had. */
static const uint8_t *frame_of(struct vnet *vnet, uint32_t *size, struct why *why)
{
	const struct vring_chain *chain = &vnet->chain;
	uint32_t skip = vnet->header_bytes;
	uint64_t total = chain->readable_bytes;

	if (chain->hidden) {
		vnet->count.hidden++;
		return NULL;
	}
	if (total < skip || total > skip + (uint64_t)VNET_FRAME_BYTES_MAX) {
		why_set(why, -EPROTO,
			"the buffer at descriptor %u has %llu bytes; a frame with its header "
			"has %u to %u",
			chain->head, (unsigned long long)total, skip,
			skip + VNET_FRAME_BYTES_MAX);
		return NULL;
	}
	*size = (uint32_t)total - skip;
	if (chain->readable_count == 1)
		return chain->parts[0].bytes + skip;
	/* Linux puts the header in a part of its own when it must. */
	if (chain->readable_count == 2 && chain->parts[0].size == skip)
		return chain->parts[1].bytes;
	gather(vnet, chain);
	return vnet->gathered + skip;
}

/* Serve what a turn allows.  Returns the number of frames; *more: there may be
 * others, and kicks are off. */
static unsigned serve_batch(struct vnet *vnet, struct vring *ring, bool *more)
{
	uint64_t steps_end = ring->steps + STEPS_PER_TURN;
	struct why why = { .text = "" };
	unsigned n = 0, handed = 0;

	*more = true;
	vring_kicks_off(ring);
	while (n < FRAMES_PER_TURN && handed < n + HANDED_PER_TURN &&
	       ring->steps < steps_end) {
		const uint8_t *bytes;
		uint32_t size = 0;
		int took = vring_take(ring, &vnet->chain, &why);
		uint16_t head = vnet->chain.head; /* frame() may lead to vnet_send() */

		if (took < 0)
			break;
		if (took == 0) {
			if (vring_kicks_on(ring)) {
				vring_kicks_off(ring);
				continue;
			}
			*more = false;
			break;
		}
		bytes = frame_of(vnet, &size, &why);
		if (bytes) {
			vnet->count.from_guest++;
			vnet->count.from_guest_bytes += size;
			handed += vnet->ops->frame(vnet->ctx, bytes, size);
		} else if (why.text[0]) {
			break;
		}
		vring_put(ring, head, 0);
		if (++n % FRAMES_PER_PUBLISH == 0)
			vring_publish(ring);
	}
	if (why.text[0])
		vhost_user_break(vnet->conn, TX, why.text);
	return n;
}

static void serve_transmit(void *ctx)
{
	struct vnet *vnet = ctx;
	struct vring *ring = vnet->up ? vhost_user_ring(vnet->conn, TX) : NULL;
	unsigned n;
	bool more;

	if (!ring || vnet->poll.next)
		return; /* not now, or later in this turn anyway */
	n = serve_batch(vnet, ring, &more);
	vhost_user_memory_ok(vnet->conn);
	if (n == 0)
		return;
	vhost_user_notify(vnet->conn, TX);
	if (more)
		loop_defer(vnet->loop, &vnet->poll);
	vnet->ops->batch_end(vnet->ctx);
}

/* Where a frame goes in a receive ring: chain after chain, part after part. */
struct cursor {
	struct vring *ring;
	struct vring_chain *chain;
	unsigned part;	  /* of the chain */
	uint32_t at;	  /* in the part */
	uint32_t written; /* into the chain */
	unsigned chains;  /* taken */
	uint32_t chains_max;
	uint64_t steps_end; /* of the ring */
};

enum { NO_ROOM = -EAGAIN, NEVER_ROOM = -EMSGSIZE };

/* Finish the chain in work and take the next one. */
static int next_chain(struct cursor *c, struct why *why)
{
	int took;

	if (c->chains)
		vring_put(c->ring, c->chain->head, c->written);
	if (c->chains == c->chains_max || c->ring->steps >= c->steps_end)
		return NEVER_ROOM;
	took = vring_take(c->ring, c->chain, why);
	if (took < 0)
		return took;
	if (took == 0)
		return NO_ROOM;
	if (c->chain->readable_count || c->chain->hidden)
		return why_set(why, -EPROTO,
			       "the buffer at descriptor %u is not one to write to",
			       c->chain->head);
	c->chains++;
	c->part = 0;
	c->at = 0;
	c->written = 0;
	return 0;
}

/* Write size bytes at the cursor.  where[i], unless where is NULL, becomes the
 * address of byte i. */
static int put_bytes(struct cursor *c, const uint8_t *bytes, uint32_t size,
		     uint8_t **where, struct why *why)
{
	while (size) {
		const struct vring_part *part = &c->chain->parts[c->part];
		uint32_t n;

		if (!c->chains || c->part == c->chain->writable_count) {
			int err = next_chain(c, why);

			if (err)
				return err;
			continue;
		}
		n = part->size - c->at < size ? part->size - c->at : size;
		/* The frame may be lent from this guest's memory, and nothing keeps it
		 * from naming the same bytes as a place to receive. */
		memmove(part->bytes + c->at, bytes, n);
		for (uint32_t i = 0; where && i < n; i++)
			*where++ = part->bytes + c->at + i;
		bytes += n;
		size -= n;
		c->at += n;
		c->written += n;
		if (c->at == part->size) {
			c->part++;
			c->at = 0;
		}
	}
	return 0;
}

/* Write header and frame, nothing of it published yet. */
static int put_frame(struct vnet *vnet, struct vring *ring, const uint8_t *bytes,
		     uint32_t size, struct why *why)
{
	static const uint8_t header[HEADER_BYTES] = { [NUM_BUFFERS_AT] = 1 };
	uint8_t *where[HEADER_BYTES];
	struct cursor c = {
		.ring = ring,
		.chain = &vnet->chain,
		.chains_max = vnet->rx_merge ? ring->size : 1,
		.steps_end = ring->steps + STEPS_PER_FRAME,
	};
	int err;

	err = put_bytes(&c, header, vnet->header_bytes, where, why);
	if (!err)
		err = put_bytes(&c, bytes, size, NULL, why);
	if (err)
		return err;
	vring_put(ring, c.chain->head, c.written);
	if (c.chains > 1) {
		*where[NUM_BUFFERS_AT] = (uint8_t)c.chains;
		*where[NUM_BUFFERS_AT + 1] = (uint8_t)(c.chains >> 8);
	}
	return 0;
}

static int try_send(struct vnet *vnet, struct vring *ring, const uint8_t *bytes,
		    uint32_t size)
{
	struct vring_mark mark = vring_mark(ring);
	struct why why = { .text = "" };
	int err = put_frame(vnet, ring, bytes, size, &why);

	if (!vhost_user_memory_ok(vnet->conn))
		return -ENOTCONN;
	if (!err) {
		vnet->count.to_guest++;
		vnet->count.to_guest_bytes += size;
		return 0;
	}
	vring_rollback(ring, mark);
	if (err == NEVER_ROOM) {
		vnet->count.too_large++;
		return 0;
	}
	if (err == NO_ROOM)
		return -EAGAIN;
	vhost_user_break(vnet->conn, RX, why.text);
	return -ENOTCONN;
}

int vnet_send(struct vnet *vnet, const uint8_t *bytes, uint32_t size)
{
	struct vring *ring = vnet->up ? vhost_user_ring(vnet->conn, RX) : NULL;
	int err;

	ASSERT(size <= VNET_FRAME_BYTES_MAX);
	if (!ring)
		return -ENOTCONN;
	if (vnet->rx_full)
		return -EAGAIN;
	err = try_send(vnet, ring, bytes, size);
	if (err != -EAGAIN)
		return err;
	/* The guest must see what it has, to make room. */
	vhost_user_notify(vnet->conn, RX);
	for (int i = 0; err == -EAGAIN && vring_kicks_on(ring); i++) {
		if (i == TRIES_PER_SEND) {
			loop_defer(vnet->loop, &vnet->rx_poll);
			break;
		}
		err = try_send(vnet, ring, bytes, size);
	}
	if (err == -EAGAIN)
		vnet->rx_full = true;
	else if (!err)
		vring_kicks_off(ring);
	return err;
}

void vnet_flush(struct vnet *vnet)
{
	vhost_user_notify(vnet->conn, RX);
}

static void serve_receive(void *ctx)
{
	struct vnet *vnet = ctx;
	struct vring *ring = vnet->up ? vhost_user_ring(vnet->conn, RX) : NULL;

	if (!ring || !vnet->rx_full)
		return;
	vnet->rx_full = false;
	vring_kicks_off(ring);
	vnet->ops->writable(vnet->ctx);
}

static void on_kick(void *ctx, unsigned ring)
{
	if (ring == TX)
		serve_transmit(ctx);
	else
		serve_receive(ctx);
}

static void on_running(void *ctx, unsigned ring, bool running)
{
	struct vnet *vnet = ctx;
	uint64_t features = vhost_user_features(vnet->conn);

	if (!running) {
		vnet->up = false;
		vnet->rx_full = false;
		deferred_cancel(&vnet->poll);
		deferred_cancel(&vnet->rx_poll);
		return;
	}
	if (!vhost_user_ring(vnet->conn, RX) || !vhost_user_ring(vnet->conn, TX))
		return;
	vnet->rx_merge = features & VHOST_FEATURE(VIRTIO_NET_F_MRG_RXBUF);
	vnet->header_bytes = vnet->rx_merge || features & VHOST_FEATURE(VHOST_F_VERSION_1) ?
				     HEADER_BYTES :
				     HEADER_BYTES_LEGACY;
	vring_kicks_off(vhost_user_ring(vnet->conn, RX));
	vnet->up = true;
	/* The ring that came first was kicked before there was an other. */
	if (ring == RX)
		loop_defer(vnet->loop, &vnet->poll);
	vnet->ops->up(vnet->ctx);
}

static void on_config(void *ctx, uint8_t *bytes, uint32_t size)
{
	struct vnet *vnet = ctx;

	ASSERT(size >= sizeof(vnet->space));
	memcpy(bytes, &vnet->space, sizeof(vnet->space));
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	struct vnet *vnet = ctx;

	vnet->up = false;
	deferred_cancel(&vnet->poll);
	deferred_cancel(&vnet->rx_poll);
	vnet->ops->dead(vnet->ctx, broken, why);
}

static const struct vhost_user_ops conn_ops = {
	.config = on_config,
	.running = on_running,
	.kick = on_kick,
	.dead = on_dead,
};

int vnet_create(struct vnet **out, struct loop *loop, const struct vnet_config *config,
		const struct vnet_ops *ops, void *ctx, struct why *why)
{
	struct vhost_user_config conn_config = {
		.name = config->name,
		.path = config->path,
		.features = VHOST_FEATURES_COMMON | VHOST_FEATURE(VIRTIO_NET_F_MAC) |
			    VHOST_FEATURE(VIRTIO_NET_F_MTU) |
			    VHOST_FEATURE(VIRTIO_NET_F_STATUS) |
			    VHOST_FEATURE(VIRTIO_NET_F_SPEED_DUPLEX) |
			    VHOST_FEATURE(VIRTIO_NET_F_MRG_RXBUF),
		.ring_count = RINGS,
		.ring_names = ring_names,
		.guest = config->guest,
		.clock = config->clock,
	};
	struct vnet *vnet;
	int err;

	if (config->mtu_bytes < VNET_MTU_BYTES_MIN || config->mtu_bytes > VNET_MTU_BYTES_MAX)
		return why_set(why, -EINVAL, "%s: mtu %u is not from %d to %d", config->name,
			       config->mtu_bytes, VNET_MTU_BYTES_MIN, VNET_MTU_BYTES_MAX);
	vnet = calloc(1, sizeof(*vnet));
	if (!vnet)
		return why_set(why, -ENOMEM, "%s: out of memory", config->name);
	vnet->loop = loop;
	vnet->ops = ops;
	vnet->ctx = ctx;
	vnet->poll = (struct deferred){ .run = serve_transmit, .ctx = vnet };
	vnet->rx_poll = (struct deferred){ .run = serve_receive, .ctx = vnet };
	memcpy(vnet->space.mac, config->mac, sizeof(vnet->space.mac));
	vnet->space.mtu = (uint16_t)config->mtu_bytes;
	vnet->space.status = VIRTIO_NET_S_LINK_UP;
	vnet->space.max_virtqueue_pairs = 1;
	/* Bonds of mode 802.3ad and routing protocols want one. */
	vnet->space.speed = SPEED_MBIT;
	vnet->space.duplex = DUPLEX_FULL;
	err = vhost_user_create(&vnet->conn, loop, &conn_config, &conn_ops, vnet, why);
	if (err) {
		free(vnet);
		return err;
	}
	*out = vnet;
	return 0;
}

void vnet_destroy(struct vnet *vnet)
{
	if (!vnet)
		return;
	deferred_cancel(&vnet->poll);
	deferred_cancel(&vnet->rx_poll);
	vhost_user_destroy(vnet->conn);
	free(vnet);
}

void vnet_set_carrier(struct vnet *vnet, bool up)
{
	uint16_t status = up ? VIRTIO_NET_S_LINK_UP : 0;

	if (vnet->space.status == status)
		return;
	vnet->space.status = status;
	vhost_user_config_changed(vnet->conn);
}

const struct vnet_count *vnet_count(const struct vnet *vnet)
{
	return &vnet->count;
}
