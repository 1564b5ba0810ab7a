/* SPDX-License-Identifier: MIT */
/* What reaches machines waits until the calendar lets it in; the clock's verb. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/pace.h"
#include "lab/control_internal.h"
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
		GATED(what_nobody_asks_for_is_done_all_the_same),
		TEST(real_time_has_no_pace),
		cmocka_unit_test(paces_read_back_as_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
