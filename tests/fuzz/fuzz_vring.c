/* SPDX-License-Identifier: MIT */
/* A ring in memory that a fuzzer wrote, and writes on while it is served.
 *
 * Input: options (1 byte: ring size, features), a count of steps, the steps (5 bytes
 * each: what, and a place and value to write between them), the image of memory.
 * Every part that the ring hands out must lie in the machine's memory. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "vhost/vring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REGION = 16384, REGIONS = 2, STEP_BYTES = 5, STEPS_MAX = 64 };

static const uint64_t physical[REGIONS] = { 0x4000, 0x10000 };
static struct guest_memory memory;
static struct vring_chain chain;

static void set_up(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct why why;

	ASSERT(fd >= 0 && ftruncate(fd, REGION * REGIONS) == 0);
	for (int i = 0; i < REGIONS; i++)
		ASSERT(guest_memory_add(&memory, physical[i], physical[i], REGION, fd,
					(uint64_t)i * REGION, &why) == 0);
	close(fd);
}

static void load(const uint8_t *data, size_t size)
{
	for (int i = 0; i < REGIONS; i++) {
		size_t n = size < REGION ? size : REGION;

		if (n)
			memcpy(memory.regions[i].bytes, data, n);
		memset(memory.regions[i].bytes + n, 0, REGION - n);
		data += n;
		size -= n;
	}
}

static bool inside(const struct vring_part *part)
{
	for (int i = 0; i < REGIONS; i++) {
		const struct guest_region *r = &memory.regions[i];

		if (part->bytes >= r->bytes && part->size <= REGION &&
		    part->bytes + part->size <= r->bytes + REGION)
			return true;
	}
	return false;
}

static void check_chain(const struct vring *ring)
{
	uint64_t bytes = 0;

	ASSERT(chain.head < ring->size);
	ASSERT(chain.readable_count + chain.writable_count <= VRING_PARTS_MAX);
	for (unsigned i = 0; i < chain.readable_count + chain.writable_count; i++) {
		ASSERT(inside(&chain.parts[i]));
		bytes += chain.parts[i].size;
	}
	ASSERT(bytes == chain.readable_bytes + chain.writable_bytes);
}

/* One step; false: the driver broke the protocol. */
static bool step(struct vring *ring, const uint8_t *what, unsigned *taken)
{
	struct vring_mark mark = vring_mark(ring);
	uint64_t before = ring->steps;
	struct why why = { .text = "" };
	size_t at = (size_t)(what[1] | what[2] << 8) % (REGION - 2);
	int took;

	memcpy(memory.regions[0].bytes + at, what + 3, 2);
	switch (what[0] & 7) {
	case 0:
	case 1:
	case 2:
		took = vring_take(ring, &chain, &why);
		ASSERT(ring->steps - before <= 2 * VRING_PARTS_MAX);
		ASSERT(took >= 0 || why.text[0]);
		if (took <= 0)
			return took == 0;
		check_chain(ring);
		if (what[0] & 8) {
			vring_rollback(ring, mark);
		} else {
			vring_put(ring, chain.head, (uint32_t)chain.writable_bytes);
			(*taken)++;
		}
		break;
	case 3:
		vring_publish(ring);
		vring_must_signal(ring);
		break;
	case 4:
		vring_kicks_off(ring);
		break;
	case 5:
		vring_kicks_on(ring);
		break;
	default:
		break;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vring_place place = { .desc = 0x4000, .avail = 0x5000, .used = 0x6000 };
	struct vring ring;
	struct why why = { .text = "" };
	uint64_t features = 0;
	unsigned steps, taken = 0;

	if (!memory.count)
		set_up();
	if (size < 2)
		return 0;
	place.size = 1u << (data[0] & 7);
	features |= (uint64_t)(data[0] >> 3 & 1) << VRING_F_INDIRECT_DESC;
	features |= (uint64_t)(data[0] >> 4 & 1) << VRING_F_EVENT_IDX;
	steps = data[1] % STEPS_MAX;
	data += 2;
	size -= 2;
	if (size < (size_t)steps * STEP_BYTES)
		return 0;
	load(data + steps * STEP_BYTES, size - steps * STEP_BYTES);
	if (data[-2] & 32) /* let it choose where the ring is, too */
		memcpy(&place.desc, memory.regions[1].bytes, 24);
	if (vring_start(&ring, &memory, &place, 0, features, &why)) {
		ASSERT(why.text[0]);
		return 0;
	}
	for (unsigned i = 0; i < steps; i++)
		if (!step(&ring, data + i * STEP_BYTES, &taken))
			break;
	return 0;
}
