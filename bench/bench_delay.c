/* SPDX-License-Identifier: MIT */
/* How late a delayed frame comes, and whether any comes early or not at all: netlab's
 * wiring, as a lab runs it, and VDE's wirefilter, in the same rounds.  See README.md.
 *
 * A sender stamps each frame and sends at a steady rate, a receiver reads the clock for
 * each as it comes; lateness is the time between minus the delay that was asked for. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/draw.h"
#include "bench_delay.h"

enum { ROUNDS_MAX = 32, STARTED_MS = 300, LAST_MS = 1000 };

uint64_t delay_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

_Noreturn void delay_die(const char *what)
{
	fprintf(stderr, "bench_delay: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* A frame from station 1 to station 0 that says when it was sent. */
void delay_stamp(uint8_t *frame, uint64_t number)
{
	uint64_t stamp[2] = { number, delay_now_ns() };

	memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 }, 14);
	memcpy(frame + 16, stamp, sizeof(stamp));
}

void delay_received(struct delay_case *c, const uint8_t *frame, uint32_t size)
{
	uint64_t stamp[2], n = c->shared->received;

	if (size < 32 || frame[12] != 0x88 || n >= DELAY_FRAMES_MAX)
		return;
	memcpy(stamp, frame + 16, sizeof(stamp));
	c->shared->late_ns[n] = (int64_t)(delay_now_ns() - stamp[1] - c->delay_ns);
	__atomic_store_n(&c->shared->received, n + 1, __ATOMIC_RELEASE);
}

/* Send at the rate, as many as are due whenever we are awake.  Each comes up to half a
 * period late: if all came to the tick of one clock, each would wake the wire just when
 * another one is due, and it is the wire's own timers that are looked at. */
void delay_pace(struct delay_case *c, bool (*send)(void *ctx, uint64_t number), void *ctx)
{
	uint64_t every_ns = 1000000000u / c->per_second, sent = 0;
	uint64_t begin_ns = delay_now_ns();

	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	while (sent < c->frames) {
		uint64_t due_ns = begin_ns + sent * every_ns +
				  draw_below(1, sent, LANE_JITTER, every_ns / 2);
		struct timespec at = { (time_t)(due_ns / 1000000000u),
				       (long)(due_ns % 1000000000u) };

		if (due_ns > delay_now_ns())
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		do
			sent += send(ctx, sent);
		while (sent < c->frames &&
		       begin_ns + (sent + 1) * every_ns <= delay_now_ns());
	}
	__atomic_store_n(&c->shared->sent, sent, __ATOMIC_RELEASE);
}

/* ---- one case ---------------------------------------------------------- */

struct outcome {
	uint64_t sent, received, early;
	double p50_us, p99_us, most_us, least_us, cpu;
};

static pid_t start(void (*process)(struct delay_case *), struct delay_case *c)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		process(c);
		_exit(0);
	}
	return pid;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* An early frame is as wrong as one that is late by as much. */
static struct outcome judge(struct delay_case *c)
{
	struct outcome o = { .sent = c->shared->sent, .received = c->shared->received };
	int64_t *late = c->shared->late_ns;
	uint64_t n = o.received;

	if (!n)
		return o;
	qsort(late, n, sizeof(*late), by_size);
	o.least_us = (double)late[0] / 1e3;
	for (uint64_t i = 0; i < n; i++)
		if (late[i] < 0) {
			o.early++;
			late[i] = -late[i];
		}
	qsort(late, n, sizeof(*late), by_size);
	o.p50_us = (double)late[n / 2] / 1e3;
	o.p99_us = (double)late[n * 99 / 100] / 1e3;
	o.most_us = (double)late[n - 1] / 1e3;
	return o;
}

static double cpu_seconds(pid_t pid)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct outcome run_case(const struct delay_side *side, struct delay_case *c)
{
	pid_t pids[3] = { 0 };
	struct outcome o;
	double cpu;

	memset(c->shared, 0, sizeof(*c->shared));
	side->prepare(c);
	pids[0] = start(side->run_wire, c);
	pids[1] = start(side->run_receiver, c);
	while (!__atomic_load_n(&c->shared->receiver_ready, __ATOMIC_ACQUIRE))
		poll(NULL, 0, 5);
	poll(NULL, 0, STARTED_MS);
	cpu = cpu_seconds(pids[0]);
	pids[2] = start(side->run_sender, c);
	while (!__atomic_load_n(&c->shared->sent, __ATOMIC_ACQUIRE))
		poll(NULL, 0, 20);
	for (int ms = 0; ms < LAST_MS && c->shared->received < c->shared->sent; ms += 20)
		poll(NULL, 0, 20);
	cpu = cpu_seconds(pids[0]) - cpu;
	for (int i = 0; i < 3; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	for (int i = 0; i < 3; i++)
		if (pids[i] > 0)
			waitpid(pids[i], NULL, 0);
	side->clean_up(c);
	o = judge(c);
	o.cpu = cpu * 1e9 / (double)(o.sent ? o.sent : 1);
	return o;
}

/* ---- all of them ------------------------------------------------------- */

static int by_double(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_double);
	return values[count / 2];
}

static void print_side(const char *name, const struct delay_case *c, struct outcome *o,
		       unsigned rounds)
{
	double p50[ROUNDS_MAX], p99[ROUNDS_MAX], most[ROUNDS_MAX], cpu[ROUNDS_MAX];
	uint64_t sent = 0, received = 0, early = 0;

	for (unsigned r = 0; r < rounds; r++) {
		p50[r] = o[r].p50_us;
		p99[r] = o[r].p99_us;
		most[r] = o[r].most_us;
		cpu[r] = o[r].cpu;
		sent += o[r].sent;
		received += o[r].received;
		early += o[r].early;
	}
	printf("%-11s %4" PRIu64 " ms %6u/s %9" PRIu64 " %6" PRIu64 " %8" PRIu64
	       " %9.0f %9.0f %9.0f %9.0f\n",
	       name, c->delay_ns / 1000000, c->per_second, sent, sent - received, early,
	       median(p50, rounds), median(p99, rounds), median(most, rounds),
	       median(cpu, rounds));
	fflush(stdout);
}

static unsigned number_of(int argc, char **argv, const char *option, unsigned otherwise)
{
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], option))
			return (unsigned)strtoul(argv[i + 1], NULL, 10);
	return otherwise;
}

int main(int argc, char **argv)
{
	static const unsigned delays_ms[] = { 1, 10, 100 }, rates[] = { 1000, 50000 };
	static const struct delay_side *const sides[] = { &delay_netlab, &delay_vde };
	static struct outcome outcomes[2][ROUNDS_MAX];
	unsigned rounds = number_of(argc, argv, "--rounds", 3);
	unsigned seconds = number_of(argc, argv, "--seconds", 3);
	unsigned delay = number_of(argc, argv, "--delay", 0);
	unsigned rate = number_of(argc, argv, "--rate", 0);
	int side_count = 2;
	struct delay_case c = { .shared = mmap(NULL, sizeof(*c.shared),
					       PROT_READ | PROT_WRITE,
					       MAP_SHARED | MAP_ANONYMOUS, -1, 0) };

	ASSERT(c.shared != MAP_FAILED);
	if (rounds < 1 || rounds > ROUNDS_MAX || seconds < 1 || seconds > 60) {
		fprintf(stderr,
			"usage: bench_delay [--rounds N] [--seconds N] [--delay MS] "
			"[--rate FRAMES] [--no-vde]\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--no-vde"))
			side_count = 1;
	printf("%-11s %7s %8s %9s %6s %8s %9s %9s %9s %9s\n", "", "delay", "rate",
	       "frames", "lost", "early", "p50 us", "p99 us", "most us", "CPU ns");
	for (unsigned d = 0; d < 3; d++)
		for (unsigned r = 0; r < 2; r++) {
			if ((delay && delay != delays_ms[d]) ||
			    (rate && rate != rates[r]))
				continue;
			c.delay_ns = delays_ms[d] * UINT64_C(1000000);
			c.per_second = rates[r];
			c.frames = (uint64_t)rates[r] * seconds;
			for (unsigned i = 0; i < rounds; i++)
				for (int side = 0; side < side_count; side++)
					outcomes[side][i] = run_case(sides[side], &c);
			for (int side = 0; side < side_count; side++)
				print_side(sides[side]->name, &c, outcomes[side], rounds);
		}
	return 0;
}
