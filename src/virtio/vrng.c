/* SPDX-License-Identifier: MIT */
#include "virtio/vrng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "virtio/vhost_user.h"

enum {
	REQUESTS,
	RINGS,

	BYTES_PER_TURN = 64 * 1024,
	STEPS_PER_TURN = 16384, /* descriptors: small requests cost more */
};

static const char *const ring_names[RINGS] = { "request ring" };

struct vrng {
	struct loop *loop;
	struct vhost_user *conn;
	const struct vrng_ops *ops;
	void *ctx;
	uint64_t key;
	void (*fill)(void *ctx, uint8_t *bytes, size_t size);
	uint64_t at; /* bytes of the stream that are gone */
	struct deferred poll;
	struct vring_chain chain; /* the one in work */
	uint8_t bytes[VRNG_REQUEST_BYTES_MAX];
};

static void draw(struct vrng *vrng, size_t size)
{
	for (size_t i = 0; i < size; i++, vrng->at++) {
		uint64_t word = draw_bits(vrng->key, vrng->at / 8, LANE_ENTROPY);

		vrng->bytes[i] = (uint8_t)(word >> 8 * (vrng->at % 8));
	}
}

/* Answer the chain in work.  Returns how many bytes that took. */
static uint32_t answer(struct vrng *vrng, struct vring *ring)
{
	const struct vring_chain *chain = &vrng->chain;
	size_t done = 0, size = sizeof(vrng->bytes);

	if (chain->writable_bytes < size)
		size = (size_t)chain->writable_bytes;
	if (vrng->fill) {
		vrng->fill(vrng->ctx, vrng->bytes, size);
		vrng->at += size;
	} else {
		draw(vrng, size);
	}
	for (unsigned i = 0; i < chain->writable_count && done < size; i++) {
		const struct vring_part *part = &chain->parts[i];
		size_t n = part->size < size - done ? part->size : size - done;

		memcpy(part->bytes, vrng->bytes + done, n);
		done += n;
	}
	vring_put(ring, chain->head, (uint32_t)size);
	return (uint32_t)size;
}

static int take(struct vrng *vrng, struct vring *ring, struct why *why)
{
	int took = vring_take(ring, &vrng->chain, why);

	if (took > 0 && (vrng->chain.readable_count || vrng->chain.hidden ||
			 !vrng->chain.writable_bytes))
		return why_set(why, -EPROTO,
			       "the buffer at descriptor %u is not one to write to",
			       vrng->chain.head);
	return took;
}

static void serve(void *ctx)
{
	struct vrng *vrng = ctx;
	struct vring *ring = vhost_user_ring(vrng->conn, REQUESTS);
	uint64_t steps_end = ring ? ring->steps + STEPS_PER_TURN : 0;
	uint32_t given = 0;

	if (!ring || vrng->poll.next)
		return; /* not now, or later in this turn anyway */
	vring_kicks_off(ring);
	for (;;) {
		struct why why = { .text = "" };
		int took;

		if (given >= BYTES_PER_TURN || ring->steps >= steps_end) {
			loop_defer(vrng->loop, &vrng->poll);
			break;
		}
		took = take(vrng, ring, &why);
		if (took < 0) {
			vhost_user_break(vrng->conn, REQUESTS, why.text);
			break;
		}
		if (took == 0) {
			if (vring_kicks_on(ring))
				continue;
			break;
		}
		given += answer(vrng, ring);
	}
	vhost_user_notify(vrng->conn, REQUESTS);
	vhost_user_memory_ok(vrng->conn);
}

static void on_kick(void *ctx, unsigned ring)
{
	(void)ring;
	serve(ctx);
}

static void on_running(void *ctx, unsigned ring, bool running)
{
	struct vrng *vrng = ctx;

	(void)ring;
	if (!running)
		deferred_cancel(&vrng->poll);
}

static void on_config(void *ctx, uint8_t *bytes, uint32_t size)
{
	(void)ctx;
	(void)bytes;
	(void)size; /* it has none */
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	struct vrng *vrng = ctx;

	deferred_cancel(&vrng->poll);
	vrng->ops->dead(vrng->ctx, broken, why);
}

static const struct vhost_user_ops conn_ops = {
	.config = on_config,
	.running = on_running,
	.kick = on_kick,
	.dead = on_dead,
};

int vrng_create(struct vrng **out, struct loop *loop, const struct vrng_config *config,
		const struct vrng_ops *ops, void *ctx, struct why *why)
{
	struct vhost_user_config conn_config = {
		.name = config->name,
		.path = config->path,
		.features = VHOST_FEATURES_COMMON,
		.ring_count = RINGS,
		.ring_names = ring_names,
		.guest = config->guest,
	};
	struct vrng *vrng = calloc(1, sizeof(*vrng));
	int err;

	if (!vrng)
		return why_set(why, -ENOMEM, "%s: out of memory", config->name);
	vrng->loop = loop;
	vrng->ops = ops;
	vrng->ctx = ctx;
	vrng->key = config->key;
	vrng->fill = config->fill;
	vrng->poll = (struct deferred){ .run = serve, .ctx = vrng };
	err = vhost_user_create(&vrng->conn, loop, &conn_config, &conn_ops, vrng, why);
	if (err) {
		free(vrng);
		return err;
	}
	*out = vrng;
	return 0;
}

void vrng_destroy(struct vrng *vrng)
{
	if (!vrng)
		return;
	deferred_cancel(&vrng->poll);
	vhost_user_destroy(vrng->conn);
	free(vrng);
}

uint64_t vrng_bytes(const struct vrng *vrng)
{
	return vrng->at;
}
