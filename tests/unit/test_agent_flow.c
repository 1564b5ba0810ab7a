/* SPDX-License-Identifier: MIT */
/* Windows, slow readers, and a lab that breaks the protocol. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/draw.h"
#include "unit/agent_rig.h"

static void a_reader_that_does_not_read_stops_its_own_command_only(void **state)
{
	struct proto_message m;
	struct outcome o;
	size_t size = 0;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig.credit = false;
	rig_exec(&rig, 1, "head -c 1000000 /dev/zero", "");
	rig_next(&rig, &m);
	assert_int_equal(m.type, PROTO_STARTED);
	while (size < PROTO_WINDOW_BYTES) {
		rig_next(&rig, &m);
		assert_int_equal(m.type, PROTO_STDOUT);
		size += m.size;
	}
	assert_int_equal(size, PROTO_WINDOW_BYTES);
	/* Another one's words come, and none of the first's. */
	rig_run(&rig, "echo still alive", "", &o);
	assert_string_equal(o.out, "still alive\n");
	outcome_free(&o);
	/* So much as is given back, and no more. */
	rig_credit(&rig, 1, 1000);
	rig_next(&rig, &m);
	assert_int_equal(m.type, PROTO_STDOUT);
	assert_int_equal(m.size, 1000);
	rig_credit(&rig, 1, PROTO_WINDOW_BYTES);
	rig.credit = true;
	rig_collect(&rig, 1, &o);
	assert_int_equal(size + 1000 + o.out_size, 1000000);
	assert_int_equal(o.exit, 0);
	outcome_free(&o);
	rig_down(&rig);
}

/* A program may be gone long before its last words are taken. */
static void the_end_waits_for_the_reader(void **state)
{
	struct proto_message m;
	struct outcome o;
	size_t size = 0;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig.credit = false;
	rig_exec(&rig, 1, "head -c 300000 /dev/zero; exit 4", "");
	while (size < PROTO_WINDOW_BYTES) {
		rig_next(&rig, &m);
		size += m.type == PROTO_STDOUT ? m.size : 0;
	}
	assert_false(rig_poll(&rig, &m, 50));
	rig.credit = true;
	rig_credit(&rig, 1, PROTO_WINDOW_BYTES);
	rig_collect(&rig, 1, &o);
	assert_int_equal(size + o.out_size, 300000);
	assert_int_equal(o.exit, 4);
	outcome_free(&o);
	rig_down(&rig);
}

static uint32_t take_credit(struct rig *rig, int timeout_ms)
{
	struct proto_message m;
	uint32_t credit = 0;

	while (rig_poll(rig, &m, timeout_ms))
		if (m.type == PROTO_CREDIT)
			credit += proto_get_u32(m.payload);
	return credit;
}

static void input_is_acknowledged_as_the_command_reads_it(void **state)
{
	static char chunk[PROTO_STREAM_BYTES_MAX];
	uint32_t early, late = 0;
	struct proto_message m;
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig_exec(&rig, 1, "kill -STOP $$; wc -c", "");
	rig_next(&rig, &m);
	for (int i = 0; i < PROTO_WINDOW_BYTES / PROTO_STREAM_BYTES_MAX; i++)
		rig_send(&rig, PROTO_STDIN, 1, chunk, sizeof(chunk));
	rig_send(&rig, PROTO_STDIN, 1, "", 0);
	/* What the pipe holds is the kernel's; the rest is still ours. */
	early = take_credit(&rig, 200);
	assert_in_range(early, 4096, PROTO_WINDOW_BYTES / 2);
	rig_text(&rig, PROTO_SIGNAL, 1, "{\"signal\":18}");
	while (late + early < PROTO_WINDOW_BYTES) {
		rig_next(&rig, &m);
		late += m.type == PROTO_CREDIT ? proto_get_u32(m.payload) : 0;
	}
	rig_collect(&rig, 1, &o);
	assert_string_equal(o.out, "262144\n");
	outcome_free(&o);
	rig_down(&rig);
}

static void input_that_nobody_reads_is_acknowledged_too(void **state)
{
	static char chunk[PROTO_STREAM_BYTES_MAX];
	uint32_t credit = 0;
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig_exec(&rig, 1, "echo closed; exec sleep 1000 <&-", "");
	rig_await_output(&rig, 1, "closed");
	for (int i = 0; i < 40; i++) {
		struct proto_message m;

		rig_send(&rig, PROTO_STDIN, 1, chunk, sizeof(chunk));
		while (credit < (uint32_t)(i + 1) * sizeof(chunk)) {
			rig_next(&rig, &m);
			assert_int_equal(m.type, PROTO_CREDIT);
			credit += proto_get_u32(m.payload);
		}
	}
	rig_text(&rig, PROTO_SIGNAL, 1, "{\"signal\":15}");
	rig_collect(&rig, 1, &o);
	assert_int_equal(o.signal, 15);
	outcome_free(&o);
	rig_down(&rig);
}

/* Each ends the conversation, and the agent with it: status 1, no crash. */
static void a_lab_that_breaks_the_protocol_is_left(void **state)
{
	static char chunk[PROTO_STREAM_BYTES_MAX];
	(void)state;

	for (int kind = 0; kind < 7; kind++) {
		struct proto_message m;
		struct rig rig;

		rig_start(&rig);
		if (kind != 6)
			rig_config(&rig, "");
		rig_exec(&rig, 1, "kill -STOP $$", "");
		switch (kind) {
		case 0: /* a channel that is taken */
			rig_exec(&rig, 1, "true", "");
			break;
		case 1: /* more than the window */
			for (int i = 0; i < 12; i++)
				rig_send(&rig, PROTO_STDIN, 1, chunk, sizeof(chunk));
			break;
		case 2: /* credit for what was not sent */
			rig_credit(&rig, 1, 1);
			break;
		case 3: /* the agent's own word */
			rig_text(&rig, PROTO_EXITED, 1, "{}");
			break;
		case 4: /* no JSON */
			rig_text(&rig, PROTO_SIGNAL, 1, "{\"signal\":");
			break;
		case 5: /* configured twice */
			rig_text(&rig, PROTO_CONFIG, 0, "{}");
			break;
		default: /* EXEC before CONFIG */
			break;
		}
		while (rig_poll(&rig, &m, RIG_PATIENCE_MS))
			;
		assert_int_equal(rig_wait(&rig), 1);
	}
}

static void garbage_ends_the_agent_and_harms_nothing(void **state)
{
	(void)state;

	for (uint64_t round = 0; round < 50; round++) {
		uint64_t key = draw_key(round, "garbage");
		uint8_t bytes[512];
		struct proto_message m;
		struct rig rig;

		rig_start(&rig);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)draw_bits(key, i, LANE_TOPOLOGY);
		/* Half of the rounds: a header that looks right at first. */
		if (round & 1)
			memcpy(bytes, "\xff\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00", 12);
		assert_int_equal(write(rig.fd, bytes, sizeof(bytes)), sizeof(bytes));
		while (rig_poll(&rig, &m, RIG_PATIENCE_MS))
			;
		assert_int_equal(rig_wait(&rig), 1);
	}
}

static void a_clock_may_be_set_at_any_time_and_nonsense_ends_the_conversation(void **state)
{
	static const struct {
		enum proto_type type;
		const char *text;
	} nonsense[] = {
		{ PROTO_CLOCK, "{\"step\":1}" },	{ PROTO_CLOCK, "{\"step_ns\":\"1\"}" },
		{ PROTO_CLOCK, "[]" },		{ PROTO_PANIC, "{\"loud\":true}" },
		{ PROTO_PANIC, "{\"silent\":1}" }, { PROTO_PANIC, "silent" },
	};
	struct outcome o;
	(void)state;

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		struct proto_message m;
		struct rig rig;

		rig_up(&rig);
		rig_text(&rig, PROTO_CLOCK, 0, "{\"step_ns\":-5,\"drift_ppb\":7}");
		rig_run(&rig, "echo fine", "", &o);
		assert_string_equal(o.out, "fine\n");
		outcome_free(&o);
		rig_text(&rig, nonsense[i].type, 0, nonsense[i].text);
		while (rig_poll(&rig, &m, RIG_PATIENCE_MS))
			;
		assert_int_equal(rig_wait(&rig), 1);
	}
}

/* What crosses EXITED on its way is no error. */
static void words_to_a_free_channel_are_ignored(void **state)
{
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig_text(&rig, PROTO_STDIN, 77, "x");
	rig_send(&rig, PROTO_STDIN, 77, "", 0);
	rig_text(&rig, PROTO_SIGNAL, 77, "{\"signal\":9}");
	rig_text(&rig, PROTO_RESIZE, 77, "{\"rows\":1,\"cols\":1}");
	rig_credit(&rig, 77, 1);
	rig_send(&rig, PROTO_CLOSE, 77, "", 0);
	rig_run(&rig, "echo fine", "", &o);
	assert_string_equal(o.out, "fine\n");
	outcome_free(&o);
	rig_down(&rig);
}

static void a_lab_that_goes_away_takes_its_commands_with_it(void **state)
{
	struct proto_message m;
	struct rig rig;
	json_t *started;
	pid_t pid;
	(void)state;

	rig_up(&rig);
	rig_exec(&rig, 1, "exec sleep 1000", "");
	started = rig_expect(&rig, PROTO_STARTED, 1);
	pid = (pid_t)json_integer_value(json_object_get(started, "pid"));
	json_decref(started);
	assert_int_equal(shutdown(rig.fd, SHUT_RDWR), 0);
	while (rig_poll(&rig, &m, RIG_PATIENCE_MS))
		;
	assert_int_equal(rig_wait(&rig), 0);
	rig_await_gone(pid);
}

static void a_refused_configuration_says_why(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"version\":1,\"lab\":\"t\"}", "CONFIG: /name: missing" },
		{ "{\"version\":9,\"lab\":\"t\",\"name\":\"n\"}",
		  "CONFIG: /version: 9 is not within 1 to 1" },
		{ "{\"version\":1,\"lab\":\"t\",\"name\":\"n\",\"colour\":1}",
		  "CONFIG: /colour: not known to this agent" },
		{ "{\"version\":1,\"lab\":\"t\",\"name\":\"n\",\"env\":{\"A\":1}}",
		  "CONFIG: /env/A: expected a string" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o;
		struct rig rig;
		json_t *failed;

		rig_start(&rig);
		rig_text(&rig, PROTO_CONFIG, 0, cases[i][0]);
		failed = rig_expect(&rig, PROTO_FAILED, 0);
		assert_string_equal(json_string_value(json_object_get(failed, "error")),
				    cases[i][1]);
		json_decref(failed);
		rig_run(&rig, "true", "", &o);
		assert_string_equal(o.failed, "the machine is not configured");
		outcome_free(&o);
		rig_down(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_does_not_read_stops_its_own_command_only),
		cmocka_unit_test(the_end_waits_for_the_reader),
		cmocka_unit_test(input_is_acknowledged_as_the_command_reads_it),
		cmocka_unit_test(input_that_nobody_reads_is_acknowledged_too),
		cmocka_unit_test(a_lab_that_breaks_the_protocol_is_left),
		cmocka_unit_test(garbage_ends_the_agent_and_harms_nothing),
		cmocka_unit_test(words_to_a_free_channel_are_ignored),
		cmocka_unit_test(
			a_clock_may_be_set_at_any_time_and_nonsense_ends_the_conversation),
		cmocka_unit_test(a_lab_that_goes_away_takes_its_commands_with_it),
		cmocka_unit_test(a_refused_configuration_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
