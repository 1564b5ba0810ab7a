/* SPDX-License-Identifier: MIT */
/* The driver's side of the rings of fake_guest.h. */
#include <linux/virtio_net.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "lib/fake_guest.h"
#include "vhost/vhost_user.h"

enum { TABLE_BYTES = FAKE_CHAIN_MAX * 16, HEADER_BYTES = 12, HEADER_BYTES_LEGACY = 10 };

static bool has(const struct fake_guest *g, unsigned bit)
{
	return g->features >> bit & 1;
}

static uint16_t *at16(struct fake_guest *g, size_t offset)
{
	return (uint16_t *)(g->memory + offset);
}

void fake_desc_set(struct fake_guest *g, unsigned ring, uint32_t index,
		   struct fake_desc desc)
{
	memcpy(g->memory + g->ring[ring].desc + 16 * index, &desc, 16);
}

static struct fake_desc desc_get(struct fake_guest *g, unsigned ring, uint32_t index)
{
	struct fake_desc desc;

	memcpy(&desc, g->memory + g->ring[ring].desc + 16 * index, 16);
	return desc;
}

void fake_avail_push(struct fake_guest *g, unsigned ring, uint16_t head)
{
	struct fake_ring *r = &g->ring[ring];
	uint16_t *entries = at16(g, r->avail + 4);

	entries[r->avail_next++ & (r->size - 1)] = head;
	__atomic_store_n(at16(g, r->avail + 2), r->avail_next, __ATOMIC_RELEASE);
}

uint16_t *fake_avail_flags(struct fake_guest *g, unsigned ring)
{
	return at16(g, g->ring[ring].avail);
}

uint16_t *fake_used_event(struct fake_guest *g, unsigned ring)
{
	return at16(g, g->ring[ring].avail + 4 + 2 * g->ring[ring].size);
}

size_t fake_slot(const struct fake_guest *g, unsigned ring, uint32_t index)
{
	return g->ring[ring].slots + (size_t)index * g->options.slot_bytes;
}

void fake_kick_message(struct fake_guest *g, unsigned ring)
{
	struct vhost_vring_state state = { .index = ring };

	g->ring[ring].kicks++;
	ASSERT(fake_send(g, VHOST_VRING_KICK, VHOST_FLAG_NEED_REPLY, &state, sizeof(state),
			 NULL, 0) == 0);
}

void fake_kick(struct fake_guest *g, unsigned ring)
{
	const uint64_t one = 1;
	struct vhost_message m;

	if (fake_is_inband(g)) {
		fake_kick_message(g, ring);
		ASSERT(fake_receive(g, &m) == 1 && m.header.request == VHOST_VRING_KICK &&
		       m.header.flags == (VHOST_VERSION | VHOST_FLAG_REPLY) &&
		       m.header.size == 8 && m.payload.integer == 0);
		return;
	}
	g->ring[ring].kicks++;
	ASSERT(write(g->ring[ring].kick_fd, &one, sizeof(one)) == sizeof(one));
}

bool fake_kick_if_wanted(struct fake_guest *g, unsigned ring)
{
	struct fake_ring *r = &g->ring[ring];
	uint16_t before = r->kicked_at, now = r->avail_next, event;
	bool wanted;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	r->kicked_at = now;
	if (has(g, VRING_F_EVENT_IDX)) {
		event = __atomic_load_n(at16(g, r->used + 4 + 8 * r->size), __ATOMIC_RELAXED);
		wanted = (uint16_t)(now - event - 1) < (uint16_t)(now - before);
	} else {
		wanted = !(__atomic_load_n(at16(g, r->used), __ATOMIC_RELAXED) & 1);
	}
	if (wanted && now != before)
		fake_kick(g, ring);
	return wanted;
}

unsigned fake_signals(struct fake_guest *g, unsigned ring)
{
	unsigned count = 0;
	uint64_t n;

	if (fake_is_inband(g)) {
		fake_answer_calls(g);
		count = g->ring[ring].calls;
		g->ring[ring].calls = 0;
		return count;
	}
	while (read(g->ring[ring].call_fd, &n, sizeof(n)) == sizeof(n))
		count += (unsigned)n;
	return count;
}

/* A chain of parts of part_bytes each, the last with what is left of size.  Plain:
 * each part in its descriptor's slot.  Indirect: all in the head's, last first, so
 * that their order is nobody's luck. */
static int add_chain(struct fake_guest *g, unsigned ring, size_t size,
		     uint32_t part_bytes, uint16_t flags, const uint8_t *bytes)
{
	struct fake_ring *r = &g->ring[ring];
	unsigned parts = (unsigned)((size + part_bytes - 1) / part_bytes);
	bool indirect = g->options.indirect && has(g, VRING_F_INDIRECT_DESC);
	uint16_t head, index;

	ASSERT(parts > 0 && parts <= FAKE_CHAIN_MAX);
	ASSERT((indirect ? parts : 1) * part_bytes <= g->options.slot_bytes);
	if (r->free_count < (indirect ? 1 : parts))
		return -1;
	head = index = r->free[--r->free_count];
	for (unsigned i = 0; i < parts; i++) {
		uint32_t n = i + 1 < parts ? part_bytes :
					     (uint32_t)(size - (size_t)i * part_bytes);
		size_t slot = indirect ? fake_slot(g, ring, head) +
						 (size_t)(parts - 1 - i) * part_bytes :
					 fake_slot(g, ring, index);
		struct fake_desc d = { fake_physical(g, slot), n, flags, 0 };

		if (bytes)
			memcpy(g->memory + slot, bytes + (size_t)i * part_bytes, n);
		if (i + 1 < parts) {
			d.flags |= FAKE_NEXT;
			d.next = indirect ? (uint16_t)(i + 1) : r->free[--r->free_count];
		}
		if (indirect)
			memcpy(g->memory + r->tables + (size_t)head * TABLE_BYTES + 16 * i,
			       &d, 16);
		else
			fake_desc_set(g, ring, index, d);
		index = d.next;
	}
	if (indirect)
		fake_desc_set(g, ring, head,
			      (struct fake_desc){
				      fake_physical(g, r->tables +
							       (size_t)head * TABLE_BYTES),
				      16 * parts, FAKE_INDIRECT, 0 });
	r->chain_parts[head] = (uint16_t)(indirect ? 1 : parts);
	fake_avail_push(g, ring, head);
	return head;
}

int fake_put(struct fake_guest *g, unsigned ring, const void *bytes, size_t size,
	     uint32_t part_bytes)
{
	return add_chain(g, ring, size, part_bytes, 0, bytes);
}

int fake_post(struct fake_guest *g, unsigned ring, unsigned parts, uint32_t part_bytes)
{
	return add_chain(g, ring, (size_t)parts * part_bytes, part_bytes, FAKE_WRITE, NULL);
}

/* Copy what the device wrote into the chain, in its order. */
static void copy_chain(struct fake_guest *g, unsigned ring, uint16_t head, uint8_t *to,
		       size_t size)
{
	struct fake_desc d = desc_get(g, ring, head);
	size_t table = g->ring[ring].tables + (size_t)head * TABLE_BYTES;
	bool indirect = d.flags & FAKE_INDIRECT;

	if (indirect)
		memcpy(&d, g->memory + table, 16);
	while (size) {
		size_t n = d.size < size ? d.size : size;
		size_t region = (d.address - fake_physical(g, 0)) >> 32;
		size_t offset = (d.address & 0xffffffff) - fake_physical(g, 0) +
				region * g->region_bytes;

		memcpy(to, g->memory + offset, n);
		to += n;
		size -= n;
		if (!(d.flags & FAKE_NEXT))
			break;
		if (indirect)
			memcpy(&d, g->memory + table + 16 * d.next, 16);
		else
			d = desc_get(g, ring, d.next);
	}
}

static void free_chain(struct fake_guest *g, unsigned ring, uint16_t head)
{
	struct fake_ring *r = &g->ring[ring];
	uint16_t index = head;

	for (unsigned i = r->chain_parts[head]; i > 0; i--) {
		r->free[r->free_count++] = index;
		index = desc_get(g, ring, index).next;
	}
}

int fake_get(struct fake_guest *g, unsigned ring, void *to, size_t to_size,
	     uint32_t *written)
{
	struct fake_ring *r = &g->ring[ring];
	uint32_t entry[2];

	if (__atomic_load_n(at16(g, r->used + 2), __ATOMIC_ACQUIRE) == r->used_seen)
		return -1;
	memcpy(entry, g->memory + r->used + 4 + 8 * (r->used_seen & (r->size - 1)), 8);
	r->used_seen++;
	ASSERT(entry[0] < r->size);
	if (written)
		*written = entry[1];
	if (to)
		copy_chain(g, ring, (uint16_t)entry[0], to,
			   entry[1] < to_size ? entry[1] : to_size);
	free_chain(g, ring, (uint16_t)entry[0]);
	return (int)entry[0];
}

size_t fake_net_header_bytes(const struct fake_guest *g)
{
	return has(g, VHOST_F_VERSION_1) || has(g, VIRTIO_NET_F_MRG_RXBUF) ?
		       HEADER_BYTES :
		       HEADER_BYTES_LEGACY;
}

bool fake_net_send(struct fake_guest *g, const void *frame, size_t size,
		   uint32_t part_bytes)
{
	uint8_t bytes[HEADER_BYTES + 65536] = { 0 };
	size_t header = fake_net_header_bytes(g);

	ASSERT(size <= 65536);
	memcpy(bytes + header, frame, size);
	while (fake_get(g, 1, NULL, 0, NULL) >= 0)
		;
	return fake_put(g, 1, bytes, header + size,
			part_bytes ? part_bytes : (uint32_t)(header + size)) >= 0;
}

size_t fake_net_receive(struct fake_guest *g, void *to, size_t to_size)
{
	static uint8_t bytes[HEADER_BYTES + 65536];
	size_t header = fake_net_header_bytes(g), have;
	uint16_t chains = 1;
	uint32_t n;

	if (fake_get(g, 0, bytes, sizeof(bytes), &n) < 0)
		return 0;
	ASSERT(n >= header);
	have = n;
	if (has(g, VIRTIO_NET_F_MRG_RXBUF))
		memcpy(&chains, bytes + 10, 2);
	for (uint16_t i = 1; i < chains; i++) {
		ASSERT(fake_get(g, 0, bytes + have, sizeof(bytes) - have, &n) >= 0);
		have += n;
	}
	ASSERT(have - header <= to_size);
	memcpy(to, bytes + header, have - header);
	return have - header;
}
