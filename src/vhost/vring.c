/* SPDX-License-Identifier: MIT */
#include "vhost/vring.h"

#include <errno.h>

#include "base/check.h"

enum {
	DESC_BYTES = 16,
	USED_ENTRY_BYTES = 8,

	DESC_F_NEXT = 1,
	DESC_F_WRITE = 2,
	DESC_F_INDIRECT = 4,

	AVAIL_F_NO_INTERRUPT = 1,
	USED_F_NO_NOTIFY = 1,
};

/* Shared memory: volatile makes each of these one access, never two; the guest
 * may place a table at any address, so no alignment is assumed.  virtio 1.x is
 * little-endian, as are all hosts netlab runs on. */
typedef uint16_t any16 __attribute__((aligned(1), may_alias));
typedef uint32_t any32 __attribute__((aligned(1), may_alias));
typedef uint64_t any64 __attribute__((aligned(1), may_alias));

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virtio 1.x is little-endian");

static inline uint16_t get16(const uint8_t *at)
{
	return *(const volatile any16 *)at;
}

static inline uint64_t get64(const uint8_t *at)
{
	return *(const volatile any64 *)at;
}

static inline void set16(uint8_t *at, uint16_t value)
{
	*(volatile any16 *)at = value;
}

static inline void set32(uint8_t *at, uint32_t value)
{
	*(volatile any32 *)at = value;
}

/* Where things are in the two shared structures. */
static inline uint8_t *avail_entry(const struct vring *ring, uint16_t index)
{
	return ring->avail + 4 + 2 * (size_t)(index & (ring->size - 1));
}

static inline uint8_t *used_event(const struct vring *ring)
{
	return ring->avail + 4 + 2 * (size_t)ring->size;
}

static inline uint8_t *used_entry(const struct vring *ring, uint16_t index)
{
	return ring->used + 4 + USED_ENTRY_BYTES * (size_t)(index & (ring->size - 1));
}

static inline uint8_t *avail_event(const struct vring *ring)
{
	return ring->used + 4 + USED_ENTRY_BYTES * (size_t)ring->size;
}

static int place_one(const struct vring *ring, const char *what, uint64_t address,
		     uint64_t size, unsigned align, uint8_t **out, struct why *why)
{
	if (address % align)
		return why_set(why, -EPROTO, "its %s (address 0x%llx) is not aligned to %u",
			       what, (unsigned long long)address, align);
	*out = guest_memory_virtual(ring->memory, address, size);
	if (!*out)
		return why_set(why, -EPROTO,
			       "its %s (address 0x%llx, %llu bytes) lies outside the "
			       "machine's memory",
			       what, (unsigned long long)address, (unsigned long long)size);
	return 0;
}

int vring_relocate(struct vring *ring, const struct vring_place *place, struct why *why)
{
	uint64_t event = ring->event_idx ? 2 : 0;
	uint8_t *desc = NULL, *avail = NULL, *used = NULL;
	int err;

	err = place_one(ring, "descriptor table", place->desc,
			(uint64_t)DESC_BYTES * place->size, 16, &desc, why);
	if (!err)
		err = place_one(ring, "available ring", place->avail,
				4 + 2 * (uint64_t)place->size + event, 2, &avail, why);
	if (!err)
		err = place_one(ring, "used ring", place->used,
				4 + USED_ENTRY_BYTES * (uint64_t)place->size + event, 4,
				&used, why);
	if (err)
		return err;
	ring->desc = desc;
	ring->avail = avail;
	ring->used = used;
	return 0;
}

int vring_start(struct vring *ring, const struct guest_memory *memory,
		const struct vring_place *place, uint16_t next, uint64_t features,
		struct why *why)
{
	int err;

	if (place->size == 0 || place->size > VRING_SIZE_MAX ||
	    (place->size & (place->size - 1)))
		return why_set(why, -EPROTO,
			       "its size %u is not a power of two from 1 to %d", place->size,
			       VRING_SIZE_MAX);
	*ring = (struct vring){
		.memory = memory,
		.size = place->size,
		.indirect = features >> VRING_F_INDIRECT_DESC & 1,
		.event_idx = features >> VRING_F_EVENT_IDX & 1,
		.avail_seen = next,
		.avail_next = next,
		.signal_due = true,
	};
	err = vring_relocate(ring, place, why);
	if (err)
		return err;
	ring->used_next = get16(ring->used + 2);
	ring->used_published = ring->used_signalled = ring->used_next;
	return 0;
}

/* Read the driver's index: are there new entries? */
static int look(struct vring *ring, struct why *why)
{
	uint16_t seen = get16(ring->avail + 2);
	uint16_t waiting = seen - ring->avail_next;

	/* What the index promises must not be read before the index. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (waiting > ring->size)
		return why_set(why, -EPROTO,
			       "the available index jumped from %u to %u in a ring of %u",
			       ring->avail_next, seen, ring->size);
	ring->avail_seen = seen;
	return waiting > 0;
}

struct desc {
	uint64_t address;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};

static inline struct desc get_desc(const uint8_t *table, uint32_t index)
{
	uint64_t address = get64(table + DESC_BYTES * (size_t)index);
	uint64_t rest = get64(table + DESC_BYTES * (size_t)index + 8);

	return (struct desc){ address, (uint32_t)rest, (uint16_t)(rest >> 32),
			      (uint16_t)(rest >> 48) };
}

/* Where a descriptor was found, for messages. */
struct spot {
	uint32_t index;
	bool indirect;
};

static int bad_desc(struct why *why, struct spot spot, const struct desc *d,
		    const char *what)
{
	return why_set(why, -EPROTO, "%sdescriptor %u %s (address 0x%llx, %u bytes)",
		       spot.indirect ? "indirect " : "", spot.index, what,
		       (unsigned long long)d->address, d->size);
}

/* Add a descriptor's bytes to the chain: one part for each region it lies in. */
static int add_parts(const struct vring *ring, struct vring_chain *chain,
		     const struct desc *d, struct spot spot, struct why *why)
{
	bool writable = d->flags & DESC_F_WRITE;
	uint64_t address = d->address;
	uint32_t left = d->size;

	if (!writable && chain->writable_count)
		return bad_desc(why, spot, d, "is readable, but follows a writable one");
	if (!writable && guest_memory_hidden(ring->memory, address, left)) {
		chain->hidden = true;
		return 0;
	}
	while (left) {
		unsigned count = chain->readable_count + chain->writable_count;
		struct vring_part *part = &chain->parts[count];
		uint64_t here;

		if (count == VRING_PARTS_MAX)
			return bad_desc(why, spot, d, "makes its chain too long");
		here = guest_memory_prefix(ring->memory, address, left, &part->bytes);
		if (here == 0 || address + here < address)
			return bad_desc(why, spot, d,
					"points outside the machine's memory");
		part->size = (uint32_t)here;
		*(writable ? &chain->writable_count : &chain->readable_count) += 1;
		*(writable ? &chain->writable_bytes : &chain->readable_bytes) += here;
		address += here;
		left -= (uint32_t)here;
	}
	return 0;
}

static int walk_indirect(struct vring *ring, struct vring_chain *chain,
			 const struct desc *at, struct spot spot, struct why *why)
{
	uint32_t entries = at->size / DESC_BYTES, index = 0;
	const uint8_t *table;

	if (!ring->indirect)
		return bad_desc(why, spot, at,
				"is indirect, which the driver did not negotiate");
	if (at->flags & (DESC_F_NEXT | DESC_F_WRITE))
		return bad_desc(why, spot, at, "is indirect and has other flags");
	if (entries == 0 || at->size % DESC_BYTES || entries > VRING_PARTS_MAX)
		return bad_desc(why, spot, at, "has an indirect table of a wrong size");
	table = guest_memory_physical(ring->memory, at->address, at->size);
	if (!table)
		return bad_desc(why, spot, at,
				"has an indirect table outside the machine's memory");
	for (uint32_t steps = 0; steps < entries; steps++) {
		struct desc d = get_desc(table, index);
		struct spot here = { index, true };
		int err;

		ring->steps++;
		if (d.flags & DESC_F_INDIRECT)
			return bad_desc(why, here, &d, "is indirect again");
		err = add_parts(ring, chain, &d, here, why);
		if (err)
			return err;
		if (!(d.flags & DESC_F_NEXT))
			return 0;
		if (d.next >= entries)
			return bad_desc(why, here, &d, "continues outside its table");
		index = d.next;
	}
	return why_set(why, -EPROTO, "the indirect table of descriptor %u has a loop",
		       spot.index);
}

static int walk(struct vring *ring, struct vring_chain *chain, struct why *why)
{
	uint32_t index = chain->head;
	uint32_t most = ring->size < VRING_PARTS_MAX ? ring->size : VRING_PARTS_MAX;

	for (uint32_t steps = 0; steps < most; steps++) {
		struct desc d = get_desc(ring->desc, index);
		struct spot here = { index, false };
		int err;

		ring->steps++;
		/* A table may also end a chain of plain descriptors. */
		if (d.flags & DESC_F_INDIRECT)
			return walk_indirect(ring, chain, &d, here, why);
		err = add_parts(ring, chain, &d, here, why);
		if (err)
			return err;
		if (!(d.flags & DESC_F_NEXT))
			return 0;
		if (d.next >= ring->size)
			return bad_desc(why, here, &d, "continues outside the ring");
		index = d.next;
	}
	return why_set(why, -EPROTO,
		       "the chain that begins at descriptor %u is a loop, or has more than "
		       "%d descriptors",
		       chain->head, VRING_PARTS_MAX);
}

int vring_take(struct vring *ring, struct vring_chain *chain, struct why *why)
{
	uint16_t head;

	if (ring->avail_next == ring->avail_seen) {
		int more = look(ring, why);

		if (more <= 0)
			return more;
	}
	head = get16(avail_entry(ring, ring->avail_next));
	if (head >= ring->size)
		return why_set(why, -EPROTO,
			       "available entry %u names descriptor %u in a ring of %u",
			       ring->avail_next & (ring->size - 1), head, ring->size);
	chain->head = head;
	chain->hidden = false;
	chain->readable_count = chain->writable_count = 0;
	chain->readable_bytes = chain->writable_bytes = 0;
	ring->avail_next++;
	return walk(ring, chain, why) ? -EPROTO : 1;
}

void vring_put(struct vring *ring, uint16_t head, uint32_t size)
{
	uint8_t *entry = used_entry(ring, ring->used_next++);

	set32(entry, head);
	set32(entry + 4, size);
}

void vring_publish(struct vring *ring)
{
	if (ring->used_published == ring->used_next)
		return;
	/* The entries, and what is in the buffers, come before the index. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	set16(ring->used + 2, ring->used_next);
	ring->used_published = ring->used_next;
}

uint32_t vring_wish(const struct vring *ring)
{
	uint32_t flags = get16(ring->avail);

	return ring->event_idx ? (uint32_t)get16(used_event(ring)) << 16 | flags : flags;
}

bool vring_must_signal(struct vring *ring)
{
	uint16_t before = ring->used_signalled, now = ring->used_published;
	uint16_t event;

	if (before == now)
		return false;
	/* The index is written before the driver's wish is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!ring->event_idx) {
		ring->used_signalled = now;
		return !(get16(ring->avail) & AVAIL_F_NO_INTERRUPT);
	}
	event = get16(used_event(ring));
	ring->used_signalled = now;
	if (ring->signal_due) {
		ring->signal_due = false;
		return true;
	}
	/* Is the event's index among [before, now), which may wrap? */
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

struct vring_mark vring_mark(const struct vring *ring)
{
	return (struct vring_mark){ ring->avail_next, ring->used_next };
}

void vring_rollback(struct vring *ring, struct vring_mark mark)
{
	ASSERT((uint16_t)(mark.used_next - ring->used_published) <=
	       (uint16_t)(ring->used_next - ring->used_published));
	ring->avail_next = mark.avail_next;
	ring->used_next = mark.used_next;
}

void vring_kicks_off(struct vring *ring)
{
	/* With event_idx, the event stays where it is, in the past. */
	if (!ring->event_idx)
		set16(ring->used, USED_F_NO_NOTIFY);
}

bool vring_kicks_on(struct vring *ring)
{
	if (ring->event_idx)
		set16(avail_event(ring), ring->avail_seen);
	else
		set16(ring->used, 0);
	/* The wish is written before the driver's index is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return get16(ring->avail + 2) != ring->avail_seen;
}
