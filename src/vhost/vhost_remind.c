/* SPDX-License-Identifier: MIT */
#include "vhost/vhost_remind.h"

#include <stdbool.h>
#include <sys/ioctl.h>

#include "vhost/vhost_internal.h"

/* Has the guest still to take it out of the pipe?  What is no pipe does not say. */
static bool is_unheard(int fd)
{
	int bytes = 0;

	return fd >= 0 && !ioctl(fd, FIONREAD, &bytes) && bytes > 0;
}

/* Makes the signal again if it is time.  Returns when it has to be looked at next, or
 * UINT64_MAX. */
static uint64_t look_after(struct vhost_user *conn, struct vhost_signal *signal, bool unheard,
			   void (*again)(struct vhost_user *conn, unsigned index),
			   unsigned index, uint64_t now_ns)
{
	if (!signal->times_left)
		return UINT64_MAX;
	if (now_ns < signal->due_ns)
		return signal->due_ns;
	if (!unheard) {
		signal->times_left = 0;
		return UINT64_MAX;
	}
	again(conn, index);
	signal->times_left--;
	signal->due_ns = now_ns +
			 ((uint64_t)REMIND_FIRST_NS << (REMIND_TIMES - signal->times_left));
	return signal->times_left ? signal->due_ns : UINT64_MAX;
}

static void ring_again(struct vhost_user *conn, unsigned index)
{
	vhost_ring_signal(&conn->rings[index]);
}

static void config_again(struct vhost_user *conn, unsigned index)
{
	(void)index;
	vhost_config_signal(conn);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct vhost_user *conn = ctx;
	uint64_t next_ns = look_after(conn, &conn->config_signal, is_unheard(conn->slave_fd),
				      config_again, 0, now_ns);

	for (unsigned i = 0; i < conn->ring_count; i++) {
		struct vhost_ring *ring = &conn->rings[i];

		/* It may have taken the signal and not acted on it. */
		bool idle = ring->running &&
			    vring_wish(&ring->vring) == ring->signal.wish;
		uint64_t due_ns = look_after(conn, &ring->signal, idle || is_unheard(ring->call.fd),
					     ring_again, i, now_ns);

		if (due_ns < next_ns)
			next_ns = due_ns;
	}
	if (next_ns != UINT64_MAX)
		timer_set(conn->reminder.clock, &conn->reminder.timer, next_ns);
}

void vhost_remind_init(struct vhost_user *conn, struct clock *clock)
{
	conn->reminder.clock = clock;
	conn->reminder.timer = (struct timer){ .fire = on_timer, .ctx = conn };
}

void vhost_remind_close(struct vhost_user *conn)
{
	if (conn->reminder.clock)
		timer_cancel(conn->reminder.clock, &conn->reminder.timer);
}

void vhost_remind_of(struct vhost_user *conn, struct vhost_signal *signal)
{
	if (!conn->reminder.clock)
		return;
	signal->due_ns = clock_now_ns(conn->reminder.clock) + REMIND_FIRST_NS;
	signal->times_left = REMIND_TIMES;
	/* One that is set is not later than this. */
	if (!conn->reminder.timer.set)
		timer_set(conn->reminder.clock, &conn->reminder.timer, signal->due_ns);
}
