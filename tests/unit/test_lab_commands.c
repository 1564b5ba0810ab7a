/* SPDX-License-Identifier: MIT */
/* Commands in machines, as a client of the control socket runs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "control/control_internal.h"
#include "lib/fake_machine.h"
#include "lib/talk.h"

/* Start one in n1; returns the channel. */
static uint32_t start_command(json_int_t *id)
{
	struct fake_message message;
	uint32_t channel;
	json_t *spec;

	*id = fake_client_ask(&client, "exec",
			      "\"node\":\"n1\",\"argv\":[\"cat\"],\"env\":{\"A\":\"b\"}");
	assert_true(fake_agent_hear("n1", &message));
	assert_int_equal(message.type, PROTO_EXEC);
	spec = json_loads((char *)message.payload, 0, NULL);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(spec, "argv"), 0)),
		"cat");
	assert_null(json_object_get(spec, "id"));
	assert_null(json_object_get(spec, "node"));
	json_decref(spec);
	channel = message.channel;
	free(message.payload);
	return channel;
}

static void assert_heard(enum proto_type type, uint32_t channel, const char *payload)
{
	struct fake_message message;

	assert_true(fake_agent_hear("n1", &message));
	assert_int_equal(message.type, type);
	assert_int_equal(message.channel, channel);
	assert_string_equal((char *)message.payload, payload);
	free(message.payload);
}

static void a_command_runs_from_its_start_to_its_status(void **state)
{
	json_int_t id;
	uint32_t channel = start_command(&id);
	char text[100];

	(void)state;
	fake_agent_say_text("n1", PROTO_STARTED, channel, "{\"pid\":12}");
	snprintf(text, sizeof(text), "\"to\":%lld,\"data\":\"aGk=\"", (long long)id);
	fake_client_ask(&client, "stdin", text);
	assert_heard(PROTO_STDIN, channel, "hi");
	snprintf(text, sizeof(text), "\"to\":%lld,\"data\":\"\"", (long long)id);
	fake_client_ask(&client, "stdin", text);
	assert_heard(PROTO_STDIN, channel, "");
	snprintf(text, sizeof(text), "\"to\":%lld,\"signal\":2", (long long)id);
	fake_client_ask(&client, "signal", text);
	assert_heard(PROTO_SIGNAL, channel, "{\"signal\":2}");
	fake_agent_say("n1", PROTO_CREDIT, channel, "\2\0\0\0", 4);
	fake_agent_say_text("n1", PROTO_STDOUT, channel, "out");
	fake_agent_say_text("n1", PROTO_STDERR, channel, "err");
	fake_agent_say_text("n1", PROTO_EXITED, channel, "{\"exit\":3}");
	fake_lab_settle(&fake);
	assert_int_equal(id, 1);
	assert_next_is("{\"id\":1,\"event\":\"started\",\"pid\":12}");
	assert_next_is("{\"id\":1,\"event\":\"credit\",\"bytes\":2}");
	assert_next_is("{\"id\":1,\"event\":\"stdout\",\"data\":\"b3V0\"}");
	assert_next_is("{\"id\":1,\"event\":\"stderr\",\"data\":\"ZXJy\"}");
	assert_next_is("{\"id\":1,\"ok\":true,\"exit\":3}");
	assert_null(fake_client_line(&client));
}

static void a_command_that_is_not_there_is_an_error_with_a_status(void **state)
{
	json_int_t id;
	uint32_t channel = start_command(&id);

	(void)state;
	fake_agent_say_text("n1", PROTO_FAILED, channel,
			    "{\"error\":\"no cat\",\"exit\":127}");
	fake_lab_settle(&fake);
	assert_next_is("{\"id\":1,\"ok\":false,\"error\":\"no cat\",\"exit\":127}");
}

static void a_command_of_a_client_that_went_away_is_hung_up(void **state)
{
	json_int_t id;
	uint32_t channel = start_command(&id);

	(void)state;
	fake_client_close(&client);
	assert_heard(PROTO_CLOSE, channel, "");
	/* Its last words on the way are not a breach of the protocol. */
	fake_agent_say_text("n1", PROTO_STDOUT, channel, "late");
	fake_agent_say_text("n1", PROTO_EXITED, channel, "{\"signal\":1}");
	fake_lab_settle(&fake);
	assert_int_equal(machine_state(fake.lab.machines[0]), MACHINE_READY);
	fake_client_open(&client, &fake);
}

static void a_command_in_a_machine_that_ends_ends_with_the_reason(void **state)
{
	json_int_t id;
	json_t *line;

	(void)state;
	start_command(&id);
	fake_machine_end("n1", "killed by signal 9");
	fake_lab_settle(&fake);
	line = fake_client_line(&client);
	assert_int_equal(number(line, "id"), id);
	assert_non_null(strstr(text_of(line, "error"), "has ended"));
	json_decref(line);
	assert_refused("exec", "\"node\":\"n1\",\"argv\":[\"true\"]", "the machine is failed (");
}

static void more_stdin_than_the_window_is_refused(void **state)
{
	static uint8_t zeros[PROTO_WINDOW_BYTES + 1];
	char *data = malloc(BASE64_ROOM(sizeof(zeros))), *text;
	json_int_t id;
	json_t *line;

	(void)state;
	start_command(&id);
	base64_encode(data, zeros, sizeof(zeros));
	assert_true(asprintf(&text, "\"to\":%lld,\"data\":\"%s\"", (long long)id, data) >
		    0);
	fake_client_ask(&client, "stdin", text);
	line = fake_client_line(&client);
	assert_non_null(strstr(text_of(line, "error"), "wait for credit"));
	json_decref(line);
	free(text);
	base64_encode(data, zeros, PROTO_WINDOW_BYTES);
	assert_true(asprintf(&text, "\"to\":%lld,\"data\":\"%s\"", (long long)id, data) >
		    0);
	fake_client_ask(&client, "stdin", text);
	assert_null(fake_client_line(&client));
	free(text);
	free(data);
}

static void a_machine_that_does_not_read_keeps_its_stdin_waiting(void **state)
{
	json_int_t id;
	uint32_t channel = start_command(&id);
	char text[100];
	struct fake_message message;

	(void)state;
	fake_agent_room("n1", 0);
	snprintf(text, sizeof(text), "\"to\":%lld,\"data\":\"aGk=\"", (long long)id);
	fake_client_ask(&client, "stdin", text);
	assert_false(fake_agent_hear("n1", &message));
	fake_agent_room("n1", 5); /* in the middle of a header */
	assert_false(fake_agent_hear("n1", &message));
	fake_agent_room("n1", SIZE_MAX);
	assert_heard(PROTO_STDIN, channel, "hi");
}

static void credit_for_output_is_given_when_the_client_has_room(void **state)
{
	static uint8_t block[PROTO_STREAM_BYTES_MAX];
	json_int_t id;
	uint32_t channel = start_command(&id);
	struct fake_message message;
	uint32_t credit = 0;
	size_t said = 0;
	json_t *line;

	(void)state;
	/* A window's worth, with nobody reading: the socket takes some of it. */
	for (; said < PROTO_WINDOW_BYTES; said += sizeof(block))
		fake_agent_say("n1", PROTO_STDOUT, channel, block, sizeof(block));
	fake_lab_settle(&fake);
	assert_false(fake_agent_hear("n1", &message));
	while ((line = fake_client_line(&client)))
		json_decref(line);
	while (fake_agent_hear("n1", &message)) {
		assert_int_equal(message.type, PROTO_CREDIT);
		credit += proto_get_u32(message.payload);
		free(message.payload);
	}
	assert_int_equal(credit, said);
}

static void credit_is_given_too_when_the_socket_takes_everything_at_once(void **state)
{
	static uint8_t block[PROTO_STREAM_BYTES_MAX];
	struct conn *conn = fake.lab.control->first;
	int bytes = 212992; /* what everybody may set; the kernel doubles it */
	json_int_t id;
	uint32_t channel = start_command(&id);
	struct fake_message message;

	(void)state;
	setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	/* More than the connection has room for, less than its socket. */
	for (int i = 0; i < 6; i++)
		fake_agent_say("n1", PROTO_STDOUT, channel, block, sizeof(block));
	assert_true(outbuf_size(&conn->out) >= CONTROL_ROOM_BYTES);
	fake_lab_settle(&fake);
	assert_int_equal(outbuf_size(&conn->out), 0);
	assert_true(fake_agent_hear("n1", &message));
	assert_int_equal(message.type, PROTO_CREDIT);
	free(message.payload);
}

static void an_agent_that_says_more_than_its_credit_is_lost(void **state)
{
	static uint8_t block[PROTO_STREAM_BYTES_MAX];
	json_int_t id;
	uint32_t channel = start_command(&id);

	(void)state;
	/* In one go: the lab has no turn in which to give credit. */
	for (size_t said = 0; said <= PROTO_WINDOW_BYTES; said += sizeof(block))
		fake_agent_say("n1", PROTO_STDOUT, channel, block, sizeof(block));
	fake_lab_settle(&fake);
	assert_int_equal(machine_state(fake.lab.machines[0]), MACHINE_LOST);
	assert_int_equal(machine_state(fake.lab.machines[1]), MACHINE_READY);
}

static void wrong_commands_are_refused_before_the_machine_sees_them(void **state)
{
	struct fake_message message;

	(void)state;
	assert_refused("exec", "\"argv\":[\"true\"]", "machine's name");
	assert_refused("exec", "\"node\":\"n9\",\"argv\":[\"true\"]",
		       "no machine is named n9");
	assert_refused("exec", "\"node\":\"n1\"", "argv");
	assert_refused("exec", "\"node\":\"n1\",\"argv\":[]", "argv");
	assert_refused("exec", "\"node\":\"n1\",\"argv\":[1]", "word 0");
	assert_refused("exec", "\"node\":\"n1\",\"argv\":[\"a\"],\"env\":{\"A=B\":\"c\"}",
		       "A=B");
	assert_refused("exec", "\"node\":\"n1\",\"argv\":[\"a\"],\"env\":[]", "env");
	assert_refused("exec", "\"node\":\"n1\",\"argv\":[\"a\"],\"rows\":70000", "rows");
	assert_refused("exec", "\"node\":\"n1\",\"argv\":[\"a\"],\"cwd\":1", "cwd");
	assert_refused("stdin", "\"to\":99,\"data\":\"\"", "no command under way");
	assert_refused("signal", "\"to\":99,\"signal\":9", "no command under way");
	assert_false(fake_agent_hear("n1", &message));
}

static void a_machines_clock_is_set_by_its_agent_in_real_time(void **state)
{
	struct fake_message message;
	json_t *answer;

	(void)state;
	answer = assert_done("node-clock", "\"node\":\"n1\",\"step_ns\":-5000000000");
	assert_int_equal(number(answer, "offset_ns"), -5000000000);
	json_decref(answer);
	assert_heard(PROTO_CLOCK, 0, "{\"step_ns\":-5000000000}");
	/* An offset is what it is off by, whatever was before. */
	json_decref(assert_done("node-clock", "\"node\":\"n1\",\"offset_ns\":1000000000,"
					      "\"drift_ppb\":-200000"));
	assert_heard(PROTO_CLOCK, 0, "{\"step_ns\":6000000000,\"drift_ppb\":-200000}");
	json_decref(assert_done("node-clock", "\"node\":\"n1\",\"drift_ppb\":0"));
	assert_heard(PROTO_CLOCK, 0, "{\"drift_ppb\":0}");
	assert_int_equal(fake_lab_journalled(&fake, "node-clock"), 3);
	assert_refused("node-clock", "\"node\":\"n1\",\"frozen\":true",
		       "in virtual time only");
	assert_refused("node-clock", "\"node\":\"n1\",\"step_ns\":1,\"offset_ns\":1",
		       "give one of them");
	assert_refused("node-clock", "\"node\":\"n1\",\"drift_ppb\":100000001",
		       "whole number from");
	assert_refused("node-clock", "\"node\":\"n1\",\"step_ns\":2000000000000000000",
		       "off by more than 50 years");
	assert_false(fake_agent_hear("n1", &message));
	assert_int_equal(fake_lab_journalled(&fake, "node-clock"), 3);
}

static void orders_that_do_not_fit_a_machines_life_are_refused(void **state)
{
	(void)state;
	assert_refused("node-life", "\"node\":\"n9\",\"order\":\"kill\"",
		       "no machine is named n9");
	assert_refused("node-life", "\"node\":\"n1\"", "order");
	assert_refused("node-life", "\"node\":\"n1\",\"order\":\"burn\"",
		       "stop, kill, panic, start, restart, reset, pause or resume");
	assert_refused("node-life", "\"node\":\"n1\",\"order\":\"start\"",
		       "n1 is ready: it runs already");
	assert_int_equal(fake_lab_journalled(&fake, "node-life"), 0);
}

static void a_machine_is_told_to_panic(void **state)
{
	(void)state;
	fake_client_ask(&client, "node-life", "\"node\":\"n1\",\"order\":\"panic\"");
	assert_heard(PROTO_PANIC, 0, "{}");
	assert_int_equal(fake_lab_journalled(&fake, "node-life"), 1);
	/* It answers when the machine has ended. */
	assert_null(fake_client_line(&client));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_runs_from_its_start_to_its_status),
		TEST(a_command_that_is_not_there_is_an_error_with_a_status),
		TEST(a_command_of_a_client_that_went_away_is_hung_up),
		TEST(a_command_in_a_machine_that_ends_ends_with_the_reason),
		TEST(more_stdin_than_the_window_is_refused),
		TEST(a_machine_that_does_not_read_keeps_its_stdin_waiting),
		TEST(credit_for_output_is_given_when_the_client_has_room),
		TEST(credit_is_given_too_when_the_socket_takes_everything_at_once),
		TEST(an_agent_that_says_more_than_its_credit_is_lost),
		TEST(wrong_commands_are_refused_before_the_machine_sees_them),
		TEST(a_machines_clock_is_set_by_its_agent_in_real_time),
		TEST(orders_that_do_not_fit_a_machines_life_are_refused),
		TEST(a_machine_is_told_to_panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
