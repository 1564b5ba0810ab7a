/* SPDX-License-Identifier: MIT */
#include "clock/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/ns.h"
#include "clock/timer_heap.h"

enum clock_kind { CLOCK_REAL, CLOCK_VIRTUAL, CLOCK_FAKE };

/* A processor that sleeps needs some tens of microseconds to wake up, a busy one a few.
 * So the timerfd is set early by a little more than it lately took, and what is left is
 * waited for awake: once for each sleep, never longer than that lead, and not more than
 * one part in SPIN_SHARE of all time.  What took longer than WAKE_NS_MAX was no waking up
 * but a host that has other things to do: there, for a second, nobody waits awake. */
enum {
	WAKE_NS_START = 30000,
	WAKE_NS_MAX = 100000,
	LEAD_NS_MAX = 60000,
	SPIN_SHARE = 50
};

struct clock {
	enum clock_kind kind;
	struct timer_heap heap;
	uint64_t wall_at_zero_ns;

	/* real */
	uint64_t host_at_zero_ns;
	uint64_t armed_ns; /* the timer that the timerfd is set for; UINT64_MAX: none */
	bool punctual;
	bool early;		/* it is set a little before that: see lead() */
	uint64_t set_ns;	/* then: when it is to go off */
	uint64_t wake_ns;	/* how long waking up took of late */
	uint64_t spun_ns;	/* in all */
	uint64_t busy_until_ns; /* others need the processors: nobody waits awake */
	int timer_fd;
	struct watch *watch;
	struct loop *loop;
	struct turn_hook hook;

	/* virtual and fake */
	uint64_t now_ns;
};

static uint64_t host_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(const struct clock *clock)
{
	if (clock->kind != CLOCK_REAL)
		return clock->now_ns;
	return host_ns(CLOCK_MONOTONIC) - clock->host_at_zero_ns;
}

uint64_t clock_host_ns(void)
{
	return host_ns(CLOCK_MONOTONIC);
}

uint64_t clock_host_wall_ns(void)
{
	return host_ns(CLOCK_REALTIME);
}

uint64_t clock_used_ns(void)
{
	return host_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_wall_ns(const struct clock *clock, uint64_t lab_ns)
{
	return clock->wall_at_zero_ns + lab_ns;
}

static uint64_t lead(const struct clock *clock)
{
	uint64_t lead_ns = clock->wake_ns + clock->wake_ns / 4 + NS_PER_US;

	return lead_ns < LEAD_NS_MAX ? lead_ns : LEAD_NS_MAX;
}

static void arm(struct clock *clock, const struct timer *first, uint64_t now_ns)
{
	/* A zero time would disarm: the host's clock is never 0 here. */
	uint64_t at = ns_add(clock->host_at_zero_ns, first->due_ns);
	struct itimerspec spec = { 0 };
	uint64_t lead_ns = lead(clock);

	clock->armed_ns = first->due_ns;
	clock->early = clock->punctual && now_ns >= clock->busy_until_ns &&
		       first->due_ns > now_ns + 2 * lead_ns &&
		       clock->spun_ns < now_ns / SPIN_SHARE;
	if (clock->early)
		at -= lead_ns;
	clock->set_ns = at - clock->host_at_zero_ns;
	spec.it_value.tv_sec = (time_t)(at / NS_PER_S);
	spec.it_value.tv_nsec = (long)(at % NS_PER_S);
	ASSERT(timerfd_settime(clock->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0);
}

/* Fire what is due at now_ns.  Timers set by a callback wait for the next turn
 * if they are due later than this one; the count bounds a callback that sets
 * itself to a time in the past. */
static void fire_due(struct clock *clock, uint64_t now_ns)
{
	size_t turns_max = clock->heap.count;

	for (size_t i = 0; i < turns_max; i++) {
		struct timer *first = timer_heap_first(&clock->heap);

		if (!first || first->due_ns > now_ns)
			break;
		timer_heap_remove(&clock->heap, first);
		first->fire(first->ctx, now_ns);
	}
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* We are awake; the first timer is due at once. */
static uint64_t wait_awake(struct clock *clock)
{
	const struct timer *first = timer_heap_first(&clock->heap);
	uint64_t begin_ns = clock_now_ns(clock), now_ns = begin_ns;

	if (clock->punctual && begin_ns > clock->set_ns + WAKE_NS_MAX)
		clock->busy_until_ns = begin_ns + NS_PER_S;
	if (!clock->early || !first || first->due_ns > begin_ns + LEAD_NS_MAX)
		return begin_ns;
	if (begin_ns > clock->set_ns && begin_ns - clock->set_ns < WAKE_NS_MAX)
		clock->wake_ns += (begin_ns - clock->set_ns) / 8 - clock->wake_ns / 8;
	while (now_ns < first->due_ns) {
		relax();
		now_ns = clock_now_ns(clock);
	}
	clock->spun_ns += now_ns - begin_ns;
	return now_ns;
}

static void on_timerfd(void *ctx, uint32_t events)
{
	struct clock *clock = ctx;
	uint64_t expirations;

	(void)events;
	/* EAGAIN: it was set anew between epoll and here. */
	if (read(clock->timer_fd, &expirations, sizeof(expirations)) < 0)
		ASSERT(errno == EAGAIN);
	clock->armed_ns = UINT64_MAX;
	fire_due(clock, wait_awake(clock));
}

/* Setting the timerfd costs as much as a dozen frames, more in a virtual machine: so it is
 * set only when the loop is going to sleep.  While it has work, the time is read. */
static void before_turn(void *ctx, bool waits)
{
	struct clock *clock = ctx;
	const struct timer *first = timer_heap_first(&clock->heap);
	uint64_t now_ns;

	if (!first || first->due_ns == clock->armed_ns)
		return;
	now_ns = clock_now_ns(clock);
	if (first->due_ns <= now_ns) {
		fire_due(clock, now_ns);
		loop_again(clock->loop);
	} else if (waits) {
		arm(clock, first, now_ns);
	}
}

void timer_set(struct clock *clock, struct timer *timer, uint64_t due_ns)
{
	ASSERT(timer->fire);
	timer_heap_set(&clock->heap, timer, due_ns);
}

void timer_cancel(struct clock *clock, struct timer *timer)
{
	/* The timerfd may now wake for nothing; that is cheaper than setting it. */
	timer_heap_remove(&clock->heap, timer);
}

static struct clock *create(enum clock_kind kind)
{
	struct clock *clock = calloc(1, sizeof(*clock));

	if (clock) {
		clock->kind = kind;
		clock->timer_fd = -1;
		clock->armed_ns = UINT64_MAX;
	}
	return clock;
}

int clock_real_create(struct clock **out, struct loop *loop, struct why *why)
{
	struct clock *clock = create(CLOCK_REAL);
	int err;

	if (!clock)
		return why_set(why, -ENOMEM, "clock: out of memory");
	/* The default slack lets the kernel deliver timers 50 us late. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	clock->host_at_zero_ns = host_ns(CLOCK_MONOTONIC);
	clock->wall_at_zero_ns = host_ns(CLOCK_REALTIME);
	clock->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (clock->timer_fd < 0) {
		err = -errno;
		clock_destroy(clock);
		return why_errno(why, err, "clock: timerfd_create");
	}
	err = loop_watch(loop, clock->timer_fd, EPOLLIN, on_timerfd, clock, &clock->watch,
			 why);
	if (err) {
		clock_destroy(clock);
		return err;
	}
	clock->loop = loop;
	clock->hook = (struct turn_hook){ .run = before_turn, .ctx = clock };
	loop_hook(loop, &clock->hook);
	*out = clock;
	return 0;
}

int clock_virtual_create(struct clock **out, uint64_t wall_at_zero_ns, struct why *why)
{
	struct clock *clock = create(CLOCK_VIRTUAL);

	if (!clock)
		return why_set(why, -ENOMEM, "clock: out of memory");
	clock->wall_at_zero_ns = wall_at_zero_ns;
	*out = clock;
	return 0;
}

uint64_t clock_virtual_due_ns(const struct clock *clock)
{
	const struct timer *first = timer_heap_first(&clock->heap);

	return first ? first->due_ns : UINT64_MAX;
}

void clock_virtual_set(struct clock *clock, uint64_t now_ns)
{
	ASSERT(clock->kind == CLOCK_VIRTUAL && now_ns >= clock->now_ns);
	clock->now_ns = now_ns;
}

void clock_virtual_fire(struct clock *clock)
{
	ASSERT(clock->kind == CLOCK_VIRTUAL);
	fire_due(clock, clock->now_ns);
}

int clock_fake_create(struct clock **out, struct why *why)
{
	struct clock *clock = create(CLOCK_FAKE);

	if (!clock)
		return why_set(why, -ENOMEM, "clock: out of memory");
	*out = clock;
	return 0;
}

void clock_real_punctual(struct clock *clock)
{
	ASSERT(clock->kind == CLOCK_REAL);
	clock->punctual = true;
	clock->wake_ns = WAKE_NS_START;
}

void clock_destroy(struct clock *clock)
{
	if (!clock)
		return;
	if (clock->loop)
		loop_unhook(clock->loop, &clock->hook);
	watch_close(clock->watch);
	if (clock->timer_fd >= 0)
		close(clock->timer_fd);
	free(clock);
}

void clock_fake_advance(struct clock *clock, uint64_t now_ns)
{
	ASSERT(clock->kind == CLOCK_FAKE && now_ns >= clock->now_ns);
	for (;;) {
		struct timer *first = timer_heap_first(&clock->heap);

		if (!first || first->due_ns > now_ns)
			break;
		if (first->due_ns > clock->now_ns)
			clock->now_ns = first->due_ns;
		timer_heap_remove(&clock->heap, first);
		first->fire(first->ctx, clock->now_ns);
	}
	clock->now_ns = now_ns;
}
