/* SPDX-License-Identifier: MIT */
/* What reaches machines waits until the calendar lets it in; the clock's verb. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/pace.h"
#include "control/control_internal.h"
#include "lib/fake_machine.h"
#include "lib/talk.h"

static bool open_now;
static unsigned wanted;

static bool is_open(void *ctx)
{
	(void)ctx;
	return open_now;
}

static void want(void *ctx)
{
	(void)ctx;
	wanted++;
}

static const struct control_gate gate = { is_open, want };

static void let_in(void)
{
	open_now = true;
	control_gate_opened(fake.lab.control);
	open_now = false;
	fake_lab_settle(&fake);
}

static int gated_open(void **state)
{
	int err = talk_open(state);

	open_now = false;
	wanted = 0;
	control_set_gate(fake.lab.control, &gate);
	return err;
}

static void looking_needs_no_gate(void **state)
{
	(void)state;
	json_decref(assert_done("ps", ""));
	json_decref(assert_done("fault-ls", ""));
	assert_int_equal(wanted, 0);
}

static void a_fault_waits_and_what_comes_after_it_does_too(void **state)
{
	json_t *line;

	(void)state;
	fake_client_send(&client,
			 "{\"id\":1,\"do\":\"partition\",\"sides\":[[\"n1\"],[\"n2\"]]}\n"
			 "{\"id\":2,\"do\":\"ps\"}");
	fake_lab_settle(&fake);
	assert_null(fake_client_line(&client));
	assert_int_equal(wanted, 1);
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 0);
	let_in();
	line = fake_client_line(&client);
	assert_int_equal(number(line, "id"), 1);
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
	line = fake_client_line(&client);
	assert_int_equal(number(line, "id"), 2);
	json_decref(line);
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 1);
}

static void who_leaves_at_the_gate_is_still_heard(void **state)
{
	struct fake_client other;

	(void)state;
	fake_client_open(&other, &fake);
	fake_client_send(&other,
			 "{\"id\":1,\"do\":\"partition\",\"sides\":[[\"n1\"],[\"n2\"]]}");
	fake_client_close(&other);
	fake_lab_settle(&fake);
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 0);
	let_in();
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 1);
	json_decref(assert_done("ps", ""));
}

#define CUT  "{\"id\":1,\"do\":\"partition\",\"sides\":[[\"n1\"],[\"n2\"]]}"
#define HEAL "{\"id\":2,\"do\":\"heal\"}"

static void send_head(size_t bytes)
{
	char head[64];

	snprintf(head, sizeof(head), "{\"id\":9,\"do\":\"together\",\"bytes\":%zu}", bytes);
	fake_client_send(&client, head);
}

static void lines_that_belong_together_are_done_in_one_opening_and_none_before(void **state)
{
	(void)state;
	send_head(strlen(CUT "\n" HEAL "\n"));
	fake_client_send(&client, CUT);
	fake_lab_settle(&fake);
	/* The second is not there yet: nothing is begun. */
	assert_int_equal(wanted, 0);
	let_in();
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 0);
	fake_client_send(&client, HEAL);
	fake_lab_settle(&fake);
	assert_int_equal(wanted, 1);
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 0);
	open_now = true;
	control_gate_opened(fake.lab.control);
	open_now = false;
	/* Both, before anything else is. */
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 1);
	assert_int_equal(fake_lab_journalled(&fake, "heal"), 1);
	fake_lab_settle(&fake);
	for (int id = 1; id <= 2; id++) {
		json_t *line = fake_client_line(&client);
		assert_int_equal(number(line, "id"), id);
		json_decref(line);
	}
}

static void more_lines_together_than_a_line_may_be_long_are_taken(void **state)
{
	size_t padded = CONTROL_LINE_BYTES_MAX / 2, sent = 0;
	char *text = malloc(4 * padded + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', 4 * padded);
	for (int i = 0; i < 4; i++) {
		char id[32];
		int length = snprintf(id, sizeof(id), "{\"id\":%d,\"do\":\"heal\"}", i + 1);

		memcpy(text + (size_t)i * padded, id, (size_t)length);
		text[(size_t)(i + 1) * padded - 1] = '\n';
	}
	send_head(4 * padded);
	while (sent < 4 * padded) {
		ssize_t n = send(client.fd, text + sent, 4 * padded - sent, MSG_DONTWAIT);

		if (n > 0)
			sent += (size_t)n;
		fake_lab_settle(&fake);
	}
	free(text);
	assert_int_equal(wanted, 1);
	let_in();
	for (int id = 1; id <= 4; id++) {
		json_t *line = fake_client_line(&client);

		assert_int_equal(number(line, "id"), id);
		json_decref(line);
	}
}

static void lines_together_that_never_come_are_nobodys_loss(void **state)
{
	struct fake_client other;

	(void)state;
	fake_client_open(&other, &fake);
	fake_client_send(&other, "{\"id\":9,\"do\":\"together\",\"bytes\":4000}");
	fake_client_send(&other, "{\"id\":1,\"do\":\"heal\"}");
	fake_client_close(&other);
	fake_lab_settle(&fake);
	assert_int_equal(wanted, 0);
	json_decref(assert_done("ps", ""));
	assert_refused("together", "\"bytes\":-1", "0 to 16777216");
	assert_refused("together", "\"bytes\":16777217", "0 to 16777216");
	assert_refused("together", "\"bytes\":1,\"more\":1", "0 to 16777216");
	assert_refused("together", "", "0 to 16777216");
}

static void what_nobody_asks_for_is_done_all_the_same(void **state)
{
	json_t *body = json_pack("{s:[[s],[s]]}", "sides", "n1", "n2");
	struct why why = { "" };

	(void)state;
	/* The gate is shut: it is for clients. */
	assert_int_equal(control_do(fake.lab.control, 1, "partition", body, &why), 0);
	assert_int_equal(fake_lab_journalled(&fake, "partition"), 1);
	json_object_set_new(body, "unknown", json_true());
	assert_int_equal(control_do(fake.lab.control, 2, "partition", body, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "unknown key"));
	json_decref(body);
	fake_lab_settle(&fake);
	assert_null(fake_client_line(&client));
	assert_refused("replay", "", "is no replay");
}

static void real_time_has_no_pace(void **state)
{
	json_t *answer;

	(void)state;
	answer = assert_done("clock", "");
	assert_string_equal(text_of(answer, "clock"), "real");
	json_decref(answer);
	assert_refused("clock", "\"paused\":true", "runs in real time");
	assert_refused("clock", "\"step_ns\":5", "runs in real time");
	assert_refused("clock", "\"pace_ppm\":1", "0 (max) or 1000 to");
}

static void paces_read_back_as_they_were_written(void **state)
{
	static const struct {
		const char *text;
		uint64_t ppm;
		const char *back;
	} paces[] = {
		{ "max", 0, "max" },	    { "1", 1000000, "1" },
		{ "0.5", 500000, "0.5" },   { "1000", 1000000000, "1000" },
		{ "0.001", 1000, "0.001" }, { "20.250", 20250000, "20.25" },
		{ "10", 10000000, "10" },
	};
	static const char *const wrong[] = {
		"",   "0",    "0.0001", "-1", "1.",
		".5", "1001", "1e3",	"1 ", "99999999999999999999",
		"Max"
	};
	char text[PACE_TEXT_BYTES_MAX];
	struct why why;
	uint64_t ppm;

	(void)state;
	for (size_t i = 0; i < sizeof(paces) / sizeof(*paces); i++) {
		assert_int_equal(pace_parse(paces[i].text, &ppm, &why), 0);
		assert_int_equal(ppm, paces[i].ppm);
		assert_string_equal(pace_format(text, ppm), paces[i].back);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(pace_parse(wrong[i], &ppm, &why), -EINVAL);
}

int main(void)
{
#define GATED(name) cmocka_unit_test_setup_teardown(name, gated_open, talk_close)
	const struct CMUnitTest tests[] = {
		GATED(looking_needs_no_gate),
		GATED(a_fault_waits_and_what_comes_after_it_does_too),
		GATED(who_leaves_at_the_gate_is_still_heard),
		GATED(lines_that_belong_together_are_done_in_one_opening_and_none_before),
		GATED(more_lines_together_than_a_line_may_be_long_are_taken),
		GATED(lines_together_that_never_come_are_nobodys_loss),
		GATED(what_nobody_asks_for_is_done_all_the_same),
		TEST(real_time_has_no_pace),
		cmocka_unit_test(paces_read_back_as_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
