/* SPDX-License-Identifier: MIT */
#include "netlab_guest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/fake_guest.h"

enum { RX, TX, RING = 256, SLOT = 2048, HEADER = 12 };

/* A ring with one descriptor for each entry, always in the same order: what a
 * driver does for each frame, and nothing else. */
struct fast {
	struct fake_guest *guest;
	unsigned ring;
	uint16_t *avail_index, *used_index, *avail_event, *used_event;
	uint32_t (*used)[2];
	uint16_t *avail;
	uint16_t avail_next, used_seen, kicked;
};

void netlab_guest_path(const struct run *run, unsigned station, char *path, size_t size)
{
	snprintf(path, size, "%s/net%u", run->dir, station);
}

void netlab_guest_many_files(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static struct fake_guest *open_guest(struct run *run, unsigned station)
{
	struct fake_options options = { .rings = 2, .ring_size = RING, .slot_bytes = SLOT };
	struct fake_guest *guest = NULL;
	char path[200];
	int err;

	bench_await(&run->shared->switch_ready);
	netlab_guest_path(run, station, path, sizeof(path));
	err = fake_guest_open(&guest, path, &options);
	errno = -err;
	if (err || fake_handshake(guest, FAKE_UML))
		bench_die("guest");
	return guest;
}

static struct fast make_fast(struct fake_guest *g, unsigned ring, uint32_t bytes,
			     uint16_t flags)
{
	struct fake_ring *r = &g->ring[ring];
	struct fast f = { .guest = g,
			  .ring = ring,
			  .avail_index = (uint16_t *)(g->memory + r->avail + 2),
			  .avail = (uint16_t *)(g->memory + r->avail + 4),
			  .used_event = (uint16_t *)(g->memory + r->avail + 4 + 2 * RING),
			  .used_index = (uint16_t *)(g->memory + r->used + 2),
			  .used = (void *)(g->memory + r->used + 4),
			  .avail_event = (uint16_t *)(g->memory + r->used + 4 + 8 * RING) };

	for (unsigned i = 0; i < RING; i++) {
		fake_desc_set(g, ring, i,
			      (struct fake_desc){ fake_physical(g, fake_slot(g, ring, i)),
						  bytes, flags, 0 });
		f.avail[i] = (uint16_t)i;
	}
	return f;
}

static void make_available(struct fast *f, uint16_t count)
{
	f->avail_next += count;
	__atomic_store_n(f->avail_index, f->avail_next, __ATOMIC_RELEASE);
}

static void kick_if_wanted(struct fast *f)
{
	const uint64_t one = 1;
	uint16_t before = f->kicked, event;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = __atomic_load_n(f->avail_event, __ATOMIC_RELAXED);
	f->kicked = f->avail_next;
	if ((uint16_t)(f->avail_next - event - 1) < (uint16_t)(f->avail_next - before) &&
	    write(f->guest->ring[f->ring].kick_fd, &one, sizeof(one)) < 0)
		bench_die("kick");
}

static uint16_t used_now(const struct fast *f)
{
	return __atomic_load_n(f->used_index, __ATOMIC_ACQUIRE);
}

/* Sleep until the device has used `ahead` more than we have seen. */
static void sleep_until_used(struct fast *f, uint16_t ahead)
{
	int fd = f->guest->ring[f->ring].call_fd;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint16_t event = (uint16_t)(f->used_seen + ahead - 1);
	uint64_t drop[64];

	__atomic_store_n(f->used_event, event, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if ((uint16_t)(used_now(f) - f->used_seen) >= ahead)
		return;
	poll(&p, 1, -1);
	while (read(fd, drop, sizeof(drop)) > 0)
		;
}

static struct fast make_sender(struct run *run, struct fake_guest *g)
{
	struct fast tx = make_fast(g, TX, HEADER + run->frame_bytes, 0);

	for (unsigned i = 0; i < RING; i++)
		bench_frame(g->memory + fake_slot(g, TX, i) + HEADER, run->frame_bytes, 0, 1);
	return tx;
}

/* Another frame each time: the switch may not know it already. */
static void send_one(struct fast *tx, uint64_t serial)
{
	struct fake_guest *g = tx->guest;

	memcpy(g->memory + fake_slot(g, TX, tx->avail_next % RING) + HEADER +
		       FRAME_SERIAL_AT,
	       &serial, sizeof(serial));
	make_available(tx, 1);
}

void netlab_guest_send(struct run *run)
{
	struct fast tx = make_sender(run, open_guest(run, 1));
	uint64_t serial = 0;

	for (;;) {
		uint16_t busy = (uint16_t)(tx.avail_next - tx.used_seen);

		if (busy == RING) {
			tx.used_seen = used_now(&tx);
			if ((uint16_t)(tx.avail_next - tx.used_seen) == RING)
				sleep_until_used(&tx, RING * 3 / 4);
			continue;
		}
		send_one(&tx, ++serial);
		kick_if_wanted(&tx);
	}
}

void netlab_guest_send_paced(struct run *run)
{
	enum { NS_PER_S = 1000000000 };
	struct fast tx = make_sender(run, open_guest(run, 1));
	struct timespec at;
	uint64_t serial = 0;

	clock_gettime(CLOCK_MONOTONIC, &at);
	for (;;) {
		at.tv_nsec += NS_PER_S / BENCH_PACE;
		if (at.tv_nsec >= NS_PER_S) {
			at.tv_nsec -= NS_PER_S;
			at.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		tx.used_seen = used_now(&tx);
		if ((uint16_t)(tx.avail_next - tx.used_seen) == RING)
			continue;
		send_one(&tx, ++serial);
		kick_if_wanted(&tx);
	}
}

static struct fast make_receiver(struct fake_guest *g)
{
	struct fast rx = make_fast(g, RX, SLOT, FAKE_WRITE);

	make_available(&rx, RING);
	kick_if_wanted(&rx);
	return rx;
}

/* Let the switch learn where station 0 is. */
static void announce(struct fake_guest *g)
{
	uint8_t frame[64];

	bench_frame(frame, sizeof(frame), 0xff, 0);
	fake_net_send(g, frame, sizeof(frame), 0);
	fake_kick(g, TX);
}

void netlab_guest_receive(struct run *run)
{
	struct fake_guest *g = open_guest(run, 0);
	struct fast rx = make_receiver(g);
	uint8_t copy[SLOT];

	announce(g);
	__atomic_store_n(&run->shared->receiver_ready, 1, __ATOMIC_RELEASE);
	for (;;) {
		uint16_t seen = used_now(&rx), n = seen - rx.used_seen;

		if (n == 0) {
			sleep_until_used(&rx, 1);
			continue;
		}
		for (uint16_t i = 0; i < n; i++) {
			const uint32_t *used = rx.used[(uint16_t)(rx.used_seen + i) % RING];

			memcpy(copy, g->memory + fake_slot(g, RX, used[0]), used[1]);
			__asm__ volatile("" ::"r"(copy) : "memory");
		}
		rx.used_seen = seen;
		__atomic_store_n(&run->shared->received, run->shared->received + n,
				 __ATOMIC_RELAXED);
		make_available(&rx, n);
		kick_if_wanted(&rx);
	}
}

void netlab_guest_silent(struct run *run)
{
	netlab_guest_many_files();
	for (unsigned i = 0; i < run->silent; i++)
		make_receiver(open_guest(run, 2 + i));
	__atomic_store_n(&run->shared->silent_ready, 1, __ATOMIC_RELEASE);
	pause();
}
