/* SPDX-License-Identifier: MIT */
/* The line: rates, queues, gates.  No chance in most of it, so exact. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/fault_rig.h"
#include "faultwords/fault_words.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* A direction whose words name a file with that text. */
static struct fault_rig open_with_file(uint64_t seed, const char *before,
				       const char *text, const char *behind)
{
	char path[] = "/tmp/netlab-test-XXXXXX", words[256];
	struct fault_rig rig;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	snprintf(words, sizeof(words), "%s%s%s", before, path, behind);
	rig = rig_open(seed, words);
	unlink(path);
	return rig;
}

static struct fault_rig open_trace(const char *text)
{
	return open_with_file(1, "{'capacity':'", text, "'}");
}

/* One byte at 3 Mbit/s takes 2666.67 ns.  A million such frames take
 * 8/3 s; rounding each one up would be off by 333 us. */
static void a_rate_does_not_drift_over_a_million_frames(void **state)
{
	enum { COUNT = 1000000 };
	struct fault_rig rig = rig_open(1, "{'rate':'3Mbit','limit':'4000000000frames'}");
	struct rig_frame *frames = calloc(COUNT, sizeof(*frames));

	(void)state;
	for (size_t n = 0; n < COUNT; n++)
		frames[n].size = 1;
	rig_line(&rig, frames, COUNT);
	for (uint64_t n = 0; n < COUNT; n++)
		assert_int_equal(frames[n].leave_ns,
				 ((n + 1) * 8 * S + 2999999) / 3000000);
	free(frames);
	rig_close(&rig);
}

static void ten_megabit_carry_1500_bytes_each_1200_us(void **state)
{
	struct rig_frame frames[] = { { .at_ns = 7, .size = 1500 },
				      { .at_ns = 100, .size = 1500 },
				      { .at_ns = S, .size = 1500 } };
	struct fault_rig rig = rig_open(1, "{'rate':'10Mbit'}");

	(void)state;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	assert_int_equal(frames[0].leave_ns, 7 + 1200000);
	assert_int_equal(frames[1].leave_ns, 7 + 2400000);
	assert_int_equal(frames[2].leave_ns, S + 1200000); /* begins anew */
	rig_close(&rig);
}

/* ATM: 1500 bytes and 8 of overhead are 32 cells of 48, 53 on the line. */
static void overhead_and_cells_are_counted(void **state)
{
	static const struct {
		const char *words;
		uint64_t bytes;
	} cases[] = {
		{ "{'rate':'8Mbit','overhead':'8B','cell':'48B 5B'}", 32 * 53 },
		{ "{'rate':'8Mbit','overhead':'24B'}", 1524 },
		{ "{'rate':'8Mbit','overhead':'-14B'}", 1486 },
		{ "{'rate':'8Mbit','overhead':'-2000B'}", 1 },
		{ "{'rate':'8Mbit','cell':'100B'}", 1500 },
		{ "{'rate':'8Mbit','cell':'1501B'}", 1501 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig_frame frame = { .size = 1500 };
		struct fault_rig rig = rig_open(1, cases[i].words);

		rig_line(&rig, &frame, 1);
		assert_int_equal(frame.leave_ns, cases[i].bytes * 1000);
		rig_close(&rig);
	}
}

static void a_frame_that_would_wait_behind_the_limit_is_dropped(void **state)
{
	struct rig_frame frames[] = { { .size = 100 },
				      { .size = 100 },
				      { .size = 100 },
				      { .size = 100 },
				      { .at_ns = 800000, .size = 100 } };
	struct fault_rig rig = rig_open(1, "{'rate':'1Mbit','limit':'3frames'}");

	(void)state;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	assert_int_equal(frames[2].fate, FAULT_PASS);
	assert_int_equal(frames[3].fate, FAULT_LIMIT);
	assert_int_equal(frames[4].fate, FAULT_PASS);
	rig_close(&rig);
}

static void without_a_limit_a_thousand_frames_may_wait(void **state)
{
	static struct rig_frame frames[FAULT_LIMIT_FRAMES_DEFAULT + 1];
	struct fault_rig rig = rig_open(1, "{'rate':'1Mbit'}");

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(frames); n++)
		frames[n].size = 100;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	assert_int_equal(frames[FAULT_LIMIT_FRAMES_DEFAULT - 1].fate, FAULT_PASS);
	assert_int_equal(frames[FAULT_LIMIT_FRAMES_DEFAULT].fate, FAULT_LIMIT);
	rig_close(&rig);
}

static void a_limit_in_bytes_counts_the_frame_itself(void **state)
{
	struct rig_frame frames[] = { { .size = 900 }, { .size = 101 }, { .size = 100 } };
	struct fault_rig rig = rig_open(1, "{'rate':'1Mbit','limit':'1000B'}");

	(void)state;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	assert_int_equal(frames[1].fate, FAULT_LIMIT);
	assert_int_equal(frames[2].fate, FAULT_PASS);
	rig_close(&rig);
}

static void a_full_queue_with_random_drop_keeps_the_front_and_the_newcomer(void **state)
{
	struct rig_frame frames[20];
	struct fault_rig rig =
		rig_open(1, "{'rate':'1Mbit','limit':'4frames','queue':'random'}");
	unsigned lost = 0, lost_last = 0;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(frames); n++)
		frames[n] = (struct rig_frame){ .size = 100 };
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	for (size_t n = 0; n < ARRAY_SIZE(frames); n++)
		lost += frames[n].fate == FAULT_LIMIT;
	for (size_t n = 16; n < ARRAY_SIZE(frames); n++)
		lost_last += frames[n].fate == FAULT_LIMIT;
	assert_int_equal(lost, 16);
	assert_int_equal(frames[0].fate, FAULT_PASS);
	assert_int_equal(frames[19].fate, FAULT_PASS);
	assert_in_range(lost_last, 0, 3);
	rig_close(&rig);
}

/* ---- CoDel ------------------------------------------------------------- */

/* RFC 8289: once the queue has been slower than the target for an interval, the
 * drops come an interval, then interval / sqrt(2), / sqrt(3), ... apart.  Frames of
 * 1 ms on the line, offered twice as fast. */
static void codel_drops_at_the_times_of_its_control_law(void **state)
{
	enum { COUNT = 1200 };
	static struct rig_frame frames[COUNT];
	struct fault_rig rig = rig_open(
		1, "{'rate':'8Mbit','queue':'codel 5ms 100ms','limit':'10000frames'}");
	unsigned dropped[8], count = 0;

	(void)state;
	for (uint64_t n = 0; n < COUNT; n++)
		frames[n] = (struct rig_frame){ .at_ns = n * 500000, .size = 1000 };
	rig_line(&rig, frames, COUNT);
	for (unsigned n = 0; n < COUNT && count < 8; n++)
		if (frames[n].fate == FAULT_AQM)
			dropped[count++] = n;
	assert_int_equal(count, 8);
	/* Frame 10 waits 5 ms first, at 10 ms: so the first drop is at 110 ms, and the
	 * next ones at 210, 280.7, 338.4, 388.4: each 100/sqrt(n) after the one before.
	 * At t ms the frame that gets to the front is number t, and one more for each
	 * that was dropped before. */
	assert_int_equal(dropped[0], 110);
	assert_int_equal(dropped[1], 211);
	assert_int_equal(dropped[2], 283);
	assert_int_equal(dropped[3], 342);
	assert_int_equal(dropped[4], 393);
	rig_close(&rig);
}

static void a_queue_below_its_target_is_left_alone_by_codel(void **state)
{
	static struct rig_frame frames[1000];
	struct fault_rig rig = rig_open(1, "{'rate':'8Mbit','queue':'codel'}");

	(void)state;
	for (uint64_t n = 0; n < 1000; n++)
		frames[n] = (struct rig_frame){ .at_ns = n * MS, .size = 1000 };
	rig_line(&rig, frames, 1000);
	for (unsigned n = 0; n < 1000; n++)
		assert_int_equal(frames[n].fate, FAULT_PASS);
	rig_close(&rig);
}

static void red_leaves_a_short_queue_alone_and_ends_a_long_one(void **state)
{
	static struct rig_frame frames[5000];
	struct fault_rig rig = rig_open(
		1, "{'rate':'8Mbit','queue':'red 5kB 15kB 10%','limit':'1000frames'}");
	unsigned lost = 0, first = 0;

	(void)state;
	for (uint64_t n = 0; n < 5000; n++)
		frames[n] = (struct rig_frame){ .at_ns = n * 500000, .size = 1000 };
	rig_line(&rig, frames, 5000);
	for (unsigned n = 0; n < 5000; n++) {
		if (frames[n].fate != FAULT_PASS && !first)
			first = n;
		lost += frames[n].fate == FAULT_AQM;
		assert_int_not_equal(frames[n].fate, FAULT_LIMIT);
	}
	/* The average is slow: (1 - 2^-9)^n; and then half has to go. */
	assert_in_range(first, 80, 200);
	assert_in_range(lost, 2300, 2600);
	rig_close(&rig);
}

/* ---- gates ------------------------------------------------------------- */

static void a_slot_lets_through_what_waits_up_to_its_frames(void **state)
{
	struct rig_frame frames[8];
	struct fault_rig rig = rig_open(1, "{'slot':'10ms 2frames'}");
	static const uint64_t leaves[] = { 0, 10, 10, 20, 20, 30, 30, 40 };

	(void)state;
	for (unsigned n = 0; n < 8; n++)
		frames[n] = (struct rig_frame){ .at_ns = n, .size = 100 };
	rig_line(&rig, frames, 8);
	for (unsigned n = 0; n < 8; n++)
		assert_int_equal(frames[n].leave_ns, leaves[n] * MS);
	rig_close(&rig);
}

static void slots_come_at_times_between_least_and_most(void **state)
{
	static struct rig_frame frames[5000];
	struct fault_rig rig = rig_open(9, "{'slot':'2ms 6ms'}");
	uint64_t before = 0, sum = 0, slots = 0;

	(void)state;
	for (uint64_t n = 0; n < 5000; n++)
		frames[n] = (struct rig_frame){ .at_ns = n * 1000003, .size = 100 };
	rig_line(&rig, frames, 5000);
	for (unsigned n = 1; n < 5000; n++) {
		uint64_t gap = frames[n].leave_ns - before;

		assert_true(frames[n].leave_ns >= frames[n].at_ns);
		if (!gap)
			continue;
		/* The next frame may come up to 1 ms after the slot could have been. */
		assert_in_range(gap, 2 * MS, 7 * MS + 3);
		sum += gap;
		slots++;
		before = frames[n].leave_ns;
	}
	assert_in_range(sum / slots, 4 * MS, 5 * MS);
	rig_close(&rig);
}

/* What a seed means may never change.  The times are those of a second implementation, by
 * the exact quantile functions, to a microsecond. */
static void slots_are_drawn_as_they_always_were(void **state)
{
	static const struct {
		const char *slot;
		uint64_t us[6];
	} cases[] = {
		{ "2ms 6ms", { 0, 5115, 10341, 15273, 20512, 25428 } },
		{ "normal 4ms 1ms", { 0, 4571, 9576, 14602, 18877, 22723 } },
		{ "pareto 4ms 1ms", { 0, 4025, 8431, 12860, 16706, 20374 } },
		{ "paretonormal 4ms 1ms", { 0, 3769, 8303, 12940, 16481, 20611 } },
		{ "exponential 4ms 1ms", { 0, 4259, 9108, 13988, 17925, 21503 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig_frame frames[6] = { 0 };
		struct fault_rig rig;
		char words[64];

		snprintf(words, sizeof(words), "{'slot':'%s 1frames'}", cases[i].slot);
		rig = rig_open(9, words);
		rig_line(&rig, frames, 6);
		for (unsigned n = 0; n < 6; n++)
			if (frames[n].leave_ns / 1000 != cases[i].us[n])
				fail_msg("%s: slot %u at %" PRIu64 " us", cases[i].slot,
					 n, frames[n].leave_ns / 1000);
		rig_close(&rig);
	}
}

/* A normal distribution goes below 0 one time in six where its mean is its deviation. */
static void a_slot_that_would_come_before_the_last_comes_with_it(void **state)
{
	struct rig_frame frames[200] = { 0 };
	struct fault_rig rig = rig_open(9, "{'slot':'normal 1ms 1ms 1frames'}");
	unsigned at_once = 0;

	(void)state;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	for (unsigned n = 1; n < ARRAY_SIZE(frames); n++) {
		assert_in_range(frames[n].leave_ns - frames[n - 1].leave_ns, 0, 10 * MS);
		at_once += frames[n].leave_ns == frames[n - 1].leave_ns;
	}
	assert_in_range(at_once, 10, 60);
	rig_close(&rig);
}

static void a_slots_table_is_read_and_drawn_from(void **state)
{
	struct rig_frame frames[200] = { 0 };
	struct fault_rig rig = open_with_file(9, "{'slot':'table ", "-8192 8192\n",
					      " 4ms 1ms 1frames'}");
	char text[FAULT_WORDS_BYTES_MAX];
	unsigned early = 0;

	(void)state;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	for (unsigned n = 1; n < ARRAY_SIZE(frames); n++) {
		uint64_t gap = frames[n].leave_ns - frames[n - 1].leave_ns;

		assert_true(gap == 3 * MS || gap == 5 * MS);
		early += gap == 3 * MS;
	}
	assert_in_range(early, 70, 130);
	fault_words_format(rig.spec, text);
	assert_non_null(strstr(text, "slot table /tmp/netlab-test-"));
	assert_non_null(strstr(text, " 4ms 1ms 1frames"));
	rig_close(&rig);
}

/* Sending takes its time, and what came after the slot waits for the next. */
static void a_slot_lets_out_all_that_waited_for_it_however_slowly(void **state)
{
	struct rig_frame frames[] = { { .at_ns = 0, .size = 1000 },
				      { .at_ns = 0, .size = 1000 },
				      { .at_ns = 0, .size = 1000 },
				      { .at_ns = MS / 2, .size = 1000 },
				      { .at_ns = 11 * MS, .size = 1000 } };
	static const uint64_t leaves[] = { 1, 2, 3, 11, 21 };
	struct fault_rig rig = rig_open(1, "{'rate':'8Mbit','slot':'10ms'}");

	(void)state;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	for (size_t n = 0; n < ARRAY_SIZE(frames); n++)
		assert_int_equal(frames[n].leave_ns, leaves[n] * MS);
	rig_close(&rig);
}

static void a_clog_holds_and_then_lets_all_go_in_order(void **state)
{
	struct rig_frame frames[10];
	struct fault_rig rig = rig_open(1, "{'clog':'open 3ms closed 4ms'}");
	static const uint64_t leaves[] = { 0, 1, 2, 7, 7, 7, 7, 7, 8, 9 };

	(void)state;
	for (uint64_t n = 0; n < 10; n++)
		frames[n] = (struct rig_frame){ .at_ns = n * MS, .size = 100 };
	rig_line(&rig, frames, 10);
	for (unsigned n = 0; n < 10; n++)
		assert_int_equal(frames[n].leave_ns, leaves[n] * MS);
	rig_close(&rig);
}

/* ---- capacity ---------------------------------------------------------- */

/* mahimahi's rules: 1500 bytes at each of the times, small frames share one, a large
 * one takes several, what nobody waits for is lost, and the trace begins anew after
 * its last time. */
static void a_trace_of_capacity_is_followed_to_the_byte(void **state)
{
	struct fault_rig rig = open_trace("2\n5\n5\n10\n");
	struct rig_frame frames[] = {
		{ .at_ns = 0, .size = 700 },	      /* 2 ms */
		{ .at_ns = 0, .size = 700 },	      /* 2 ms: shared */
		{ .at_ns = 0, .size = 700 },	      /* 100 at 2 ms, the rest at 5 */
		{ .at_ns = 6 * MS, .size = 1500 },    /* 10 ms */
		{ .at_ns = 6 * MS, .size = 3000 },    /* 12 and 15 ms */
		{ .at_ns = 30 * MS, .size = 60 },     /* 30 ms, the third round's end */
		{ .at_ns = 30 * MS + 1, .size = 60 }, /* 32 ms */
	};
	static const uint64_t leaves[] = { 2, 2, 5, 10, 15, 30, 32 };

	(void)state;
	rig_line(&rig, frames, ARRAY_SIZE(frames));
	for (size_t n = 0; n < ARRAY_SIZE(frames); n++)
		assert_int_equal(frames[n].leave_ns, leaves[n] * MS);
	rig_close(&rig);
}

static void an_endless_stream_gets_all_of_a_traces_capacity(void **state)
{
	enum { COUNT = 8000 };
	static struct rig_frame frames[COUNT];
	struct fault_rig rig = open_trace("1\n1\n7\n10\n");
	uint64_t bytes = 0;

	(void)state;
	rig.spec->rule[0].limit_frames = COUNT;
	for (unsigned n = 0; n < COUNT; n++)
		frames[n].size = 64 + n * 7919 % 1400;
	rig_line(&rig, frames, COUNT);
	for (unsigned n = 0; n < COUNT; n++) {
		uint64_t ms = frames[n].leave_ns / MS, most;

		bytes += frames[n].size;
		most = ms / 10 * 4 + 2 * (ms % 10 >= 1) + (ms % 10 >= 7);
		assert_true(bytes <= most * 1500);
		/* Nothing is left over that the next one could have begun with. */
		if (n + 1 < COUNT && frames[n + 1].leave_ns / MS > ms)
			assert_true(bytes + frames[n + 1].size > most * 1500);
	}
	rig_close(&rig);
}

/* A thousand wait from the start: each is sent at the rate of the state that the link is
 * in when its turn comes, none overtakes, and nothing is lost or sent in between. */
static void what_waits_goes_at_the_rate_of_the_state(void **state)
{
	enum { COUNT = 1000, BYTES = 1000 };
	struct fault_rig rig = rig_open(
		9, "{'states':'fast 50ms, slow 50ms','rate':'8Mbit',"
		   "'limit':'2000frames','faults':[{'in':'slow','rate':'800kbit'}]}");
	struct fault_rig look = rig_open(9, "{'states':'fast 50ms, slow 50ms'}");
	static struct rig_frame frames[COUNT];
	uint64_t begins_ns = 0;
	unsigned slow = 0;

	(void)state;
	for (unsigned n = 0; n < COUNT; n++)
		frames[n] = (struct rig_frame){ .size = BYTES };
	rig_line(&rig, frames, COUNT);
	for (unsigned n = 0; n < COUNT; n++) {
		bool is_slow =
			!strcmp(fault_in_state(look.spec, look.state, begins_ns), "slow");

		assert_int_equal(frames[n].fate, FAULT_PASS);
		assert_int_equal(frames[n].leave_ns,
				 begins_ns + (is_slow ? 10 * MS : MS));
		begins_ns = frames[n].leave_ns;
		slow += is_slow;
	}
	assert_in_range(slow, 30, 300);
	rig_close(&rig);
	rig_close(&look);
}

static void random_drop_makes_room_for_the_newcomers_bytes_and_for_no_more(void **state)
{
	/* 2000 bytes: one is sent, those behind it may go. */
	static const struct {
		uint32_t front, waiting, newcomer;
		unsigned gone; /* of four that wait; 5: it is the newcomer */
	} cases[] = {
		{ 800, 300, 100, 1 }, /* 2000 + 100 */
		{ 800, 300, 300, 1 },  { 800, 300, 301, 2 },  { 800, 300, 1200, 4 },
		{ 800, 300, 1201, 5 }, { 400, 400, 1600, 4 }, { 800, 299, 4, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rig rig =
			rig_open(1, "{'rate':'8Mbit','limit':'2kB','queue':'random'}");
		struct rig_frame frames[6] = { { .size = cases[i].front } };
		unsigned gone = 0;

		for (int k = 1; k < 5; k++)
			frames[k].size = cases[i].waiting;
		frames[5].size = cases[i].newcomer;
		rig_line(&rig, frames, ARRAY_SIZE(frames));
		assert_int_equal(frames[0].fate, FAULT_PASS);
		for (int k = 1; k < 5; k++)
			gone += frames[k].fate == FAULT_LIMIT;
		if (frames[5].fate != FAULT_PASS) {
			assert_int_equal(frames[5].fate, FAULT_LIMIT);
			assert_int_equal(gone, 0);
			gone = 5;
		}
		assert_int_equal(gone, cases[i].gone);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_does_not_drift_over_a_million_frames),
		cmocka_unit_test(ten_megabit_carry_1500_bytes_each_1200_us),
		cmocka_unit_test(overhead_and_cells_are_counted),
		cmocka_unit_test(a_frame_that_would_wait_behind_the_limit_is_dropped),
		cmocka_unit_test(without_a_limit_a_thousand_frames_may_wait),
		cmocka_unit_test(a_limit_in_bytes_counts_the_frame_itself),
		cmocka_unit_test(
			a_full_queue_with_random_drop_keeps_the_front_and_the_newcomer),
		cmocka_unit_test(
			random_drop_makes_room_for_the_newcomers_bytes_and_for_no_more),
		cmocka_unit_test(codel_drops_at_the_times_of_its_control_law),
		cmocka_unit_test(a_queue_below_its_target_is_left_alone_by_codel),
		cmocka_unit_test(red_leaves_a_short_queue_alone_and_ends_a_long_one),
		cmocka_unit_test(a_slot_lets_through_what_waits_up_to_its_frames),
		cmocka_unit_test(slots_come_at_times_between_least_and_most),
		cmocka_unit_test(slots_are_drawn_as_they_always_were),
		cmocka_unit_test(a_slot_that_would_come_before_the_last_comes_with_it),
		cmocka_unit_test(a_slots_table_is_read_and_drawn_from),
		cmocka_unit_test(a_slot_lets_out_all_that_waited_for_it_however_slowly),
		cmocka_unit_test(a_clog_holds_and_then_lets_all_go_in_order),
		cmocka_unit_test(a_trace_of_capacity_is_followed_to_the_byte),
		cmocka_unit_test(what_waits_goes_at_the_rate_of_the_state),
		cmocka_unit_test(an_endless_stream_gets_all_of_a_traces_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
