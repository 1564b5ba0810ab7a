/* SPDX-License-Identifier: MIT */
/* vrng.h - a guest's source of entropy: virtio-rng (id 4) over vhost-user
 *
 * The bytes are a stream that begins with the device: byte i is the (i % 8)th, from
 * the low end, of draw_bits(key, i / 8, LANE_ENTROPY).  How the guest cuts it into
 * requests, unloads its driver and loads it again makes no difference to what comes
 * next, so with the same key the same guest has the same entropy.  A machine that is
 * booted again has a new device, which is to have a key of its own.
 *
 * Draws are a hash, not cryptography: who knows the seed knows the keys of the
 * machine's ssh server.  In real time, where nothing repeats anyway, the owner may
 * fill the requests from elsewhere (config.fill).
 *
 * Work: a request is given at most VRNG_REQUEST_BYTES_MAX, however long its buffer
 * is (the driver asks again), and a turn of the loop at most 64 KiB.
 *
 * A buffer that is empty or has a part to read breaks the protocol.
 *
 * States, errors, ownership and threads as in vnet.h; in virtual time as in
 * vhost_inband.h: requests are answered while the guest waits for its kick.
 * Source: Virtual I/O Device (VIRTIO) 1.2, section 5.4.
 */
#ifndef NL_VIRTIO_VRNG_H
#define NL_VIRTIO_VRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/vtime.h"

enum { VRNG_REQUEST_BYTES_MAX = 4096 };

struct vrng;

struct vrng_ops {
	/* As vnet_ops.dead: the last call; vrng_destroy() is allowed in it. */
	void (*dead)(void *ctx, bool broken, const char *why);
};

struct vrng_config {
	const char *name; /* for messages: "n1:entropy"; copied */
	const char *path; /* of the listening socket; created, removed */
	uint64_t key;	  /* draw_key() of the seed and the machine */
	/* Not NULL: bytes come from here instead.  Into memory of ours. */
	void (*fill)(void *ctx, uint8_t *bytes, size_t size);
	struct vtime_guest *guest; /* in virtual time; NULL: real time */
};

int vrng_create(struct vrng **out, struct loop *loop, const struct vrng_config *config,
		const struct vrng_ops *ops, void *ctx, struct why *why);
void vrng_destroy(struct vrng *vrng); /* NULL does nothing */

/* How many bytes the guest has been given. */
uint64_t vrng_bytes(const struct vrng *vrng);

#endif
