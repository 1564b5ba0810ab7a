/* SPDX-License-Identifier: MIT */
/* What a machine can make the lab write down has an end, and that is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "machine/budget.h"
#include "machine/machine_internal.h"
#include "lib/fake_lab.h"
#include "lib/fake_machine.h"

static const char topology[] =
	"{\"name\":\"t\",\"nodes\":{\"n1\":{\"run\":[{\"name\":\"web\",\"cmd\":\"web\"}]},"
	"\"n2\":{\"run\":[{\"name\":\"web\",\"cmd\":\"web\"}]}}}";

/* ---- the budget itself ---- */

static void all_of_it_can_be_taken_at_once_and_no_more(void **state)
{
	struct budget budget = { 0 };

	(void)state;
	assert_true(budget_take(&budget, BUDGET_BYTES_AT_ONCE - 10, 5 * NS_PER_S));
	assert_false(budget_take(&budget, 11, 5 * NS_PER_S));
	assert_true(budget_take(&budget, 10, 5 * NS_PER_S));
	assert_false(budget_take(&budget, 1, 5 * NS_PER_S));
	assert_int_equal(budget.left_out, 2);
}

static void it_comes_back_with_lab_time_however_often_one_asks(void **state)
{
	struct budget budget = { 0 };
	uint64_t step_ns = NS_PER_S / BUDGET_BYTES_PER_S / 3, now_ns = 0;
	unsigned taken = 0;

	(void)state;
	assert_true(budget_take(&budget, BUDGET_BYTES_AT_ONCE, 0));
	for (int i = 0; i < 3 * BUDGET_BYTES_PER_S; i++)
		taken += budget_take(&budget, 1, now_ns += step_ns);
	assert_in_range(taken, BUDGET_BYTES_PER_S - 2, BUDGET_BYTES_PER_S);
	/* It is full again in time, and then not more than full. */
	now_ns += (uint64_t)BUDGET_BYTES_AT_ONCE * NS_PER_S;
	assert_true(budget_take(&budget, BUDGET_BYTES_AT_ONCE, now_ns));
	assert_false(budget_take(&budget, 1, now_ns));
}

static void it_ends_for_good_however_much_time_passes(void **state)
{
	struct budget budget = { 0 };
	uint64_t day_ns = 86400 * NS_PER_S;
	unsigned taken = 0;

	(void)state;
	for (uint64_t day = 1; day <= 1000; day++)
		taken += budget_take(&budget, BUDGET_BYTES_AT_ONCE, day * day_ns);
	assert_int_equal(taken, BUDGET_BYTES_IN_ALL / BUDGET_BYTES_AT_ONCE);
	assert_false(budget_take(&budget, 1, UINT64_MAX));
	assert_int_equal(budget.left_out, 1000 - taken + 1);
}

/* ---- of machines ---- */

static struct fake_lab fake;

static void flood(const char *node, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		fake_agent_say_text(node, PROTO_SERVICE, 0,
				    i % 2 ? "{\"name\":\"web\",\"state\":\"ready\"}"
					  : "{\"name\":\"web\",\"state\":\"starting\"}");
		fake_lab_settle(&fake);
	}
}

/* The member of the last entry of that event, borrowed until *entry is dropped. */
static const json_t *last_entry(json_t **entry, const char *event, const char *key)
{
	uint64_t n = journal_next(fake.lab.journal);

	*entry = NULL;
	while (!*entry && n-- > journal_first(fake.lab.journal)) {
		json_t *one = json_loads(journal_line(fake.lab.journal, n, NULL), 0, NULL);

		if (!strcmp(text_of(one, "event"), event))
			*entry = one;
		else
			json_decref(one);
	}
	return json_object_get(*entry, key);
}

static void a_flood_of_one_machine_ends_and_others_are_still_told(void **state)
{
	struct machine_left_out left_out;
	int before, said;
	json_t *entry;

	(void)state;
	fake_lab_open(&fake, topology);
	fake_lab_boot(&fake);
	flood("n2", 2);
	before = fake_lab_journalled(&fake, "service");
	flood("n1", 3000);
	said = fake_lab_journalled(&fake, "service") - before;
	assert_in_range(said, 300, 2000);
	assert_int_equal(fake_lab_journalled(&fake, "left-out"), 1);
	last_entry(&entry, "left-out", "node");
	assert_string_equal(text_of(entry, "node"), "n1");
	assert_string_equal(text_of(entry, "file"), "journal.jsonl");
	assert_non_null(strstr(text_of(entry, "why"), "256 KiB at once"));
	json_decref(entry);
	left_out = machine_left_out(fake.lab.machines[0]);
	assert_int_equal(left_out.messages, 3000 - said);
	/* What it is now is known all the same. */
	assert_int_equal(machine_service(fake.lab.machines[0], 0)->state, SERVICE_READY);
	flood("n2", 1);
	last_entry(&entry, "service", "node");
	assert_string_equal(text_of(entry, "node"), "n2");
	json_decref(entry);
	/* With time some more, and it is not told anew. */
	fake_lab_advance(&fake, 100 * NS_PER_S);
	flood("n1", 1500);
	assert_true(fake_lab_journalled(&fake, "service") - before > said + 300);
	assert_int_equal(fake_lab_journalled(&fake, "left-out"), 1);
	left_out = machine_left_out(fake.lab.machines[0]);
	fake_machine_end("n1", "powered off");
	fake_lab_settle(&fake);
	assert_int_equal(json_integer_value(last_entry(&entry, "node-gone", "left_out")),
			 left_out.messages);
	json_decref(entry);
	/* What somebody starts again has all of it again. */
	machine_renew(fake.lab.machines[0]);
	assert_int_equal(machine_left_out(fake.lab.machines[0]).messages, 0);
	assert_true(budget_take(&fake.lab.machines[0]->budget, BUDGET_BYTES_AT_ONCE,
				clock_now_ns(fake.lab.clock)));
	fake_lab_close(&fake);
}

static void what_is_left_out_is_in_ps_of_that_machine_only(void **state)
{
	struct fake_client client;
	json_t *answer, *nodes;

	(void)state;
	fake_lab_open(&fake, topology);
	fake_lab_boot(&fake);
	fake_client_open(&client, &fake);
	flood("n1", 3000);
	answer = fake_client_call(&client, "ps", "");
	nodes = json_object_get(answer, "nodes");
	assert_true(json_integer_value(json_object_get(
			    json_object_get(json_array_get(nodes, 0), "left_out"),
			    "messages")) > 1000);
	assert_null(json_object_get(json_array_get(nodes, 1), "left_out"));
	json_decref(answer);
	fake_client_close(&client);
	fake_lab_close(&fake);
}

static void a_console_and_a_log_that_are_full_are_told_once_each(void **state)
{
	struct machine *machine;
	struct machine_left_out left_out;
	json_t *entry;

	(void)state;
	fake_lab_open(&fake, topology);
	fake_lab_boot(&fake);
	machine = fake.lab.machines[0];
	machine->console_log.written = LOGFILE_BYTES_MAX - 4;
	machine->services[0].log.written = LOGFILE_BYTES_MAX - 4;
	fake_lab_print(&fake, 0, "abcd");
	assert_int_equal(fake_lab_journalled(&fake, "left-out"), 0);
	fake_lab_print(&fake, 0, "efg");
	fake_lab_print(&fake, 0, "hij");
	last_entry(&entry, "left-out", "node");
	assert_string_equal(text_of(entry, "file"), "consoles/n1.log");
	assert_string_equal(text_of(entry, "why"),
			    "it has taken 64 MiB, which is as much as is kept");
	json_decref(entry);
	fake_agent_say("n1", PROTO_LOG, 0, "\1five!", 6);
	fake_agent_say("n1", PROTO_LOG, 0, "\1more", 5);
	fake_lab_settle(&fake);
	last_entry(&entry, "left-out", "node");
	assert_string_equal(text_of(entry, "file"), "logs/n1.web.log");
	json_decref(entry);
	assert_int_equal(fake_lab_journalled(&fake, "left-out"), 2);
	left_out = machine_left_out(machine);
	assert_int_equal(left_out.console_bytes, 6);
	assert_int_equal(left_out.log_bytes, 9);
	assert_int_equal(left_out.messages, 0);
	fake_lab_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_can_be_taken_at_once_and_no_more),
		cmocka_unit_test(it_comes_back_with_lab_time_however_often_one_asks),
		cmocka_unit_test(it_ends_for_good_however_much_time_passes),
		cmocka_unit_test(a_flood_of_one_machine_ends_and_others_are_still_told),
		cmocka_unit_test(what_is_left_out_is_in_ps_of_that_machine_only),
		cmocka_unit_test(a_console_and_a_log_that_are_full_are_told_once_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
