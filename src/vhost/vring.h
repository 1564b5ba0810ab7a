/* SPDX-License-Identifier: MIT */
/* vring.h - a split virtqueue in a guest's memory; the only way to touch one
 *
 * The guest's driver makes buffers *available*; the device *takes* a chain of
 * them, fills or empties it, *puts* it back, and *publishes* what it has put.
 *
 *	vring_take()  vring_put()  ...  vring_publish()  vring_must_signal()
 *
 * What the device has taken and put but not published it may take back with
 * vring_rollback().
 *
 * Everything in the ring is written by someone we do not trust, at any time.
 * Each shared value is therefore read once into a local, checked, and then
 * used; every address goes through guest_memory.h.  A chain is followed for at
 * most as many steps as its table has entries, and VRING_PARTS_MAX, so a loop
 * ends; ring->steps counts all steps, so a device can bound its work.
 *
 * Who wakes whom.  The driver says when it wants to be signalled, either by a
 * flag or (VIRTIO_RING_F_EVENT_IDX) by the index after which it does; the device
 * says the same of kicks.  Both sides write their index, fence, and then read
 * the other's wish, so one of them always sees the other: vring_kicks_on()
 * returns true if buffers came while kicks were off, and the caller looks again.
 *
 * Errors:    -EPROTO with *why in words ("descriptor 17 points ..."): the driver
 *            broke the protocol, the ring is not to be touched again.
 * Ownership: a chain's parts are good until the guest's memory changes.
 * Threads:   one of ours; the guest's run at the same time.
 */
#ifndef NL_VHOST_VRING_H
#define NL_VHOST_VRING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "vhost/guest_memory.h"

enum {
	VRING_SIZE_MAX = 32768,	 /* entries; a power of two */
	VRING_PARTS_MAX = 1024, /* of a chain; QEMU and Linux have the same limit */
};

enum vring_feature {
	VRING_F_INDIRECT_DESC = 28,
	VRING_F_EVENT_IDX = 29,
};

/* Where the driver says the ring is (front-end virtual addresses). */
struct vring_place {
	uint32_t size; /* entries */
	uint64_t desc, avail, used;
};

struct vring {
	const struct guest_memory *memory;
	const uint8_t *desc; /* of size * 16 bytes, aligned to 16 */
	uint8_t *avail;	     /* flags, index, size entries, used_event */
	uint8_t *used;	     /* flags, index, size entries, avail_event */
	uint32_t size;
	bool indirect, event_idx;

	uint16_t avail_seen;	 /* the driver's index when last read */
	uint16_t avail_next;	 /* what to take next */
	uint16_t used_next;	 /* where to put next */
	uint16_t used_published; /* the index the driver can see */
	uint16_t used_signalled; /* that index when signalling was last considered */
	bool signal_due;	 /* signal without comparing: the ring is new */
	uint64_t steps;		 /* descriptors looked at, ever */
};

struct vring_part {
	uint8_t *bytes;
	uint32_t size;
};

/* A chain of buffers: readable parts (from the driver) come first. */
struct vring_chain {
	uint16_t head;
	bool hidden; /* a readable part lies where the guest's kernel image is */
	unsigned readable_count, writable_count;
	uint64_t readable_bytes, writable_bytes;
	struct vring_part parts[VRING_PARTS_MAX];
};

/* A place to come back to. */
struct vring_mark {
	uint16_t avail_next, used_next;
};

/* Begin: next is the index of the first available entry to take. */
int vring_start(struct vring *ring, const struct guest_memory *memory,
		const struct vring_place *place, uint16_t next, uint64_t features,
		struct why *why);

/* The guest's memory was mapped anew: find the ring again, keep all indices. */
int vring_relocate(struct vring *ring, const struct vring_place *place, struct why *why);

/* 1: *chain is the next one; 0: there is none; -EPROTO. */
int vring_take(struct vring *ring, struct vring_chain *chain, struct why *why);

/* Give a chain back with size bytes written into it. */
void vring_put(struct vring *ring, uint16_t head, uint32_t size);

/* Let the driver see what was put. */
void vring_publish(struct vring *ring);

/* Does the driver want a signal for what was published since the last call? */
bool vring_must_signal(struct vring *ring);

/* When the driver wants to be signalled, as it says now: it says something else once it
 * has acted on a signal. */
uint32_t vring_wish(const struct vring *ring);

struct vring_mark vring_mark(const struct vring *ring);
/* Undo all vring_take() and vring_put() since the mark; nothing was published. */
void vring_rollback(struct vring *ring, struct vring_mark mark);

/* Ask the driver not to kick; only a hint. */
void vring_kicks_off(struct vring *ring);
/* Ask it to kick when it makes more available than we have seen.  True: it has
 * already, look again. */
bool vring_kicks_on(struct vring *ring);

#endif
