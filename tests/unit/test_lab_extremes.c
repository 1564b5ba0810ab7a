/* SPDX-License-Identifier: MIT */
/* Requests with the largest and the smallest numbers: each is done as it was asked, or
 * refused with a reason; nothing goes round, and the lab lives on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "lab/verbs.h"
#include "lib/talk.h"

/* Where integers of 8, 16, 31, 32, 63 and 64 bits end, also in seconds and hours. */
static const char *const numbers[] = {
	"0",
	"1",
	"-1",
	"255",
	"256",
	"65535",
	"65536",
	"2147483647",
	"2147483648",
	"-2147483648",
	"4294967295",
	"4294967296",
	"1576800000000000000",
	"1576800000000000001",
	"9223372036854775806",
	"9223372036854775807",
	"-9223372036854775807",
	"-9223372036854775808",
};
static const char *const durations[] = {
	"0s",
	"1ns",
	"1ms",
	"1s",
	"24h",
	"2562047h",
	"2562048h",
	"5124095h",
	"5124096h",
	"9223372036s",
	"9223372037s",
	"18446744000s",
	"18446744073s",
	"18446744074s",
	"9223372036854775807ns",
	"9223372036854775808ns",
	"18446744073709551614ns",
	"18446744073709551615ns",
	"18446744073709551616ns",
	"-1s",
};

/* # is one of them; ' for ". */
static const struct {
	const char *verb, *fields;
	bool duration;
} forms[] = {
	{ "fault-set", "'target':'backup','fault':{'loss':'1%'},'for':'#'", true },
	{ "fault-set", "'target':'lan','replace':true,'fault':{},'for':'#'", true },
	{ "fault-set",
	  "'target':'backup','fault':{'faults':[{'name':'r','loss':'1%','for':'#'}]}",
	  true },
	{ "fault-set",
	  "'target':'backup','fault':{'faults':[{'name':'r','loss':'1%','until':'#'}]}",
	  true },
	{ "fault-set",
	  "'target':'backup','for':'#','fault':{'faults':[{'name':'r','delay':'1ms'}]}",
	  true },
	{ "partition", "'kind':'isolate','nodes':['n1'],'for':'#'", true },
	{ "partition", "'kind':'random','every':'#'", true },
	{ "partition", "'kind':'random','every':'24h','min_stable':'#'", true },
	{ "partition", "'kind':'random','every':'24h','min_stable':'24h','for':'#'",
	  true },
	{ "node-clock", "'node':'n1','offset_ns':#", false },
	{ "node-clock", "'node':'n1','step_ns':#", false },
	{ "node-clock", "'node':'n1','drift_ppb':#", false },
	{ "clock", "'step_ns':#", false },
	{ "clock", "'pace_ppm':#", false },
	{ "console", "'node':'n1','tail':#", false },
	{ "events", "'since':#", false },
	{ "exec", "'node':'n1','argv':['true'],'tty':true,'rows':#,'cols':#", false },
	{ "stdin", "'to':#,'data':''", false },
	{ "resize", "'to':#,'rows':#,'cols':#", false },
	{ "signal", "'to':#,'signal':#", false },
	{ "go-on", "'to':#,'events':#", false },
	{ "input", "'to':#,'data':''", false },
	{ "close", "'to':#", false },
};

static void write_fields(char text[512], const char *form, const char *number)
{
	size_t used = 0;

	for (; *form; form++)
		if (*form == '#')
			used += (size_t)snprintf(text + used, 512 - used, "%s", number);
		else
			text[used++] = *form == '\'' ? '"' : *form;
	text[used] = 0;
}

/* Long enough for what is due, and it is answered at once. */
static void assert_lives(const char *what, const char *fields)
{
	static const uint64_t ms[] = { 0, 1, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		json_t *answer;

		fake_lab_advance(&fake, ms[i] * NS_PER_MS);
		answer = fake_client_call(&client, "ps", "");
		if (!json_is_true(json_object_get(answer, "ok")))
			fail_msg("after %s %s there is no answer", what, fields);
		json_decref(answer);
	}
}

static void a_number_of_a_request_is_taken_as_it_is_or_refused(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		bool duration = forms[f].duration;
		size_t count = duration ? ARRAY_SIZE(durations) : ARRAY_SIZE(numbers);

		for (size_t n = 0; n < count; n++) {
			char fields[512];
			json_t *answer;

			write_fields(fields, forms[f].fields,
				     duration ? durations[n] : numbers[n]);
			/* What is there is changed by what comes, so begin anew. */
			json_decref(fake_client_call(&client, "heal", ""));
			json_decref(fake_client_call(&client, "fault-clear", ""));
			answer = fake_client_call(&client, forms[f].verb, fields);
			/* Some have no answer unless they are wrong. */
			if (json_is_false(json_object_get(answer, "ok")) &&
			    !*text_of(answer, "error"))
				fail_msg("%s %s: no reason", forms[f].verb, fields);
			json_decref(answer);
			assert_lives(forms[f].verb, fields);
		}
		/* Commands and consoles that were begun end with their client. */
		fake_client_close(&client);
		fake_client_open(&client, &fake);
	}
}

static void what_is_for_a_time_is_so_until_then_and_no_longer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		char fields[512];
		uint64_t begin_ns = clock_now_ns(fake.lab.clock), ns = 0;
		json_t *answer;
		bool taken;

		write_fields(fields,
			     "'kind':'isolate','nodes':['n1'],'name':'p','for':'#'",
			     durations[i]);
		answer = fake_client_call(&client, "partition", fields);
		taken = json_is_true(json_object_get(answer, "ok"));
		json_decref(answer);
		if (!taken)
			continue;
		assert_int_equal(units_parse_ns(durations[i], &ns, NULL), 0);
		assert_true(wire_is_cut(fake.lab.fabric.wire, 0, 1));
		for (uint64_t step_ns = 1; step_ns < 100000 * NS_PER_S; step_ns *= 10) {
			uint64_t now_ns = clock_now_ns(fake.lab.clock) - begin_ns;

			if (now_ns < ns && !wire_is_cut(fake.lab.fabric.wire, 0, 1))
				fail_msg("for %s: over after %llu ns", durations[i],
					 (unsigned long long)now_ns);
			fake_lab_advance(&fake, step_ns);
		}
		if (ns < 1000 * NS_PER_S && wire_is_cut(fake.lab.fabric.wire, 0, 1))
			fail_msg("for %s: never over", durations[i]);
		json_decref(fake_client_call(&client, "heal", ""));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_number_of_a_request_is_taken_as_it_is_or_refused),
		TEST(what_is_for_a_time_is_so_until_then_and_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
