/* SPDX-License-Identifier: MIT */
/* Verdicts: which specs have one, in which order models act, and, for fixed seeds,
 * which they are. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "lib/fault_rig.h"
#include "linkfault/passage.h"
#include "faultwords/fault_words.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static const uint8_t blank[2048];

static void every_spec_without_a_verdict_is_refused_in_the_words_of_the_file(void **state)
{
	static const struct {
		struct fault_rule rule;
		const char *why; /* NULL: accepted */
	} cases[] = {
		{ { .down = false }, NULL },
		{ { .down = true }, NULL },
		{ { .loss.p_ppb = FAULT_PPB_ALL }, NULL },
		{ { .loss.p_ppb = FAULT_PPB_ALL + FAULT_PPM },
		  "loss 100.0001% is more than 100%" },
		{ { .loss = { 1, FAULT_PPB_ALL } },
		  "loss: a correlation of 100% would repeat the first draw for ever" },
		{ { .delay_ns = FAULT_DELAY_NS_MAX, .jitter_ns = FAULT_DELAY_NS_MAX },
		  NULL },
		{ { .delay_ns = FAULT_DELAY_NS_MAX + 1 },
		  "delay 3600000000001ns is longer than 1h" },
		{ { .delay_ns = MS, .jitter_ns = 5 * MS },
		  "jitter 5ms is larger than delay 1ms: a frame cannot arrive before it "
		  "was "
		  "sent" },
		{ { .rate_bps = FAULT_RATE_BPS_MIN }, NULL },
		{ { .rate_bps = 7 }, "rate 7bit is less than 8bit" },
		{ { .rate_bps = FAULT_RATE_BPS_MAX + 1 },
		  "rate 1000000000001bit is more than 1000Gbit" },
		{ { .limit_frames = 5 },
		  "limit needs a rate: without one, no frame waits for the line" },
		{ { .limit_bytes = 5 },
		  "limit needs a rate: without one, no frame waits for the line" },
		{ { .reorder.p_ppb = 1 },
		  "reorder needs a delay: a frame overtakes others by having none" },
		{ { .reorder.p_ppb = 1, .delay_ns = 1, .keep_order = true },
		  "reorder and order keep exclude each other" },
		{ { .delay_ns = 1, .gap = 2 }, "gap needs a reorder" },
		{ { .queue = QUEUE_CODEL },
		  "queue needs a rate: without one, no frame waits for the line" },
		{ { .loss_model = LOSS_STATE,
		    .loss_p_ppb = { 600000000, 0, 0, 0, 500000000 } },
		  "loss state: p13 + p14 and p31 + p32 may not be more than 100%" },
		{ { .distribution = DIST_NORMAL, .delay_ns = 1 },
		  "distribution needs a jitter: without one, every delay is the same" },
		{ { .corrupt_bits = 1 }, "corrupt-bits, -at and -mode need a corrupt" },
		{ { .ecn = true },
		  "ecn needs a loss, or a queue of red or codel: there is nothing to "
		  "mark "
		  "instead" },
		{ { .flap = { 5, S, 0, false } }, "flap 5ns is not between 1ms and 24h" },
		{ { .carrier = true },
		  "carrier needs a flap, or a state in which the link is down (down "
		  "alone "
		  "takes the carrier anyway)" },
		{ { .in = "bad" }, "in: the link has no states" },
		{ { .replay_ppb = 1 }, "replay: after how long? Write \"1% 5s\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_spec *spec = fault_spec_of(&cases[i].rule);
		struct why why = { "" };
		int err = fault_spec_check(spec, &why);

		assert_string_equal(why.text, cases[i].why ? cases[i].why : "");
		assert_int_equal(err, cases[i].why ? -EINVAL : 0);
		fault_spec_free(spec);
	}
}

static void what_is_most_likely_not_meant_is_warned_of(void **state)
{
	static const struct {
		const char *words, *begins;
	} cases[] = {
		{ "{\"rate\":\"1Gbit\",\"delay\":\"50ms\",\"limit\":\"100frames\"}",
		  "limit: the queue holds about" },
		{ "{\"rate\":\"1Mbit\",\"delay\":\"50ms\"}", NULL },
		{ "{\"delay\":\"10ms\",\"jitter\":\"8ms\",\"distribution\":\"normal\"}",
		  "jitter is more than half" },
		{ "{\"corrupt\":\"1%\",\"corrupt-mode\":\"repair\"}",
		  "corrupt-mode repair" },
		{ "{\"loss\":\"gemodel "
		  "1%\",\"faults\":[{\"match\":\"tcp\",\"loss\":\"state "
		  "1%\"}]}",
		  "loss: 2 loss chains" },
		{ "{\"delay\":\"15s\"}", "delay: 15s of 1Gbit are more than the memory" },
		{ "{\"delay\":\"500ms\"}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rig rig = rig_open(1, cases[i].words);
		struct why why = { "" };
		bool warned = fault_spec_warning(rig.spec, 0, &why);

		assert_int_equal(warned, cases[i].begins != NULL);
		if (warned)
			assert_non_null(strstr(why.text, cases[i].begins));
		assert_false(fault_spec_warning(rig.spec, 1, &why));
		rig_close(&rig);
	}
}

/* The numbers come from a second implementation of draw.h's description. */
static void verdicts_are_those_of_the_recorded_draws(void **state)
{
	static const uint32_t loss_draws[] = { 817370, 521608, 968094, 396168,
					       146914, 427398, 4738,   993652 };
	static const uint64_t jitter_draws[] = { 457551, 336322, 141978, 260869,
						 291858, 279331, 27259,	 223940 };

	(void)state;
	for (uint64_t n = 0; n < ARRAY_SIZE(loss_draws); n++) {
		struct fault_rig rig = rig_open(
			1, "{\"delay\":\"1ms\",\"jitter\":\"250us\",\"loss\":\"1%\"}");
		struct fault_verdict v;

		rig.no = n;
		rig.spec->rule[0].loss.p_ppb = loss_draws[n] * FAULT_PPM;
		v = rig_offer(&rig, blank, 64, 1000 * n);
		assert_int_equal(v.fate, FAULT_PASS);
		assert_int_equal(v.delay_ns, MS - 250000 + jitter_draws[n]);
		rig.no = n;
		rig.spec->rule[0].loss.p_ppb += FAULT_PPM;
		assert_int_equal(rig_offer(&rig, blank, 64, 1000 * n).fate, FAULT_LOSS);
		rig_close(&rig);
	}
}

/* Lost iff the draw is below the share: not at it. */
static void a_share_is_met_to_the_last_part_in_a_billion(void **state)
{
	struct fault_rig rig = rig_open(1, "{'loss':'1%'}");
	uint64_t key = draw_key(1, "L a->b");

	(void)state;
	for (uint64_t n = 0; n < 20; n++) {
		uint32_t draw = (uint32_t)draw_below(key, n, LANE_LOSS, FAULT_PPB_ALL);

		rig.spec->rule[0].loss.p_ppb = draw;
		rig.no = n;
		assert_int_equal(rig_offer(&rig, blank, 64, n).fate, FAULT_PASS);
		rig.spec->rule[0].loss.p_ppb = draw + 1;
		rig.no = n;
		assert_int_equal(rig_offer(&rig, blank, 64, n).fate, FAULT_LOSS);
	}
	rig_close(&rig);
}

/* The first 64 verdicts of each model, a character each: what a seed means may never
 * change.  '.' passes; digits are decades of a delay. */
static void fixed_seeds_have_the_verdicts_that_they_always_had(void **state)
{
	static const struct {
		const char *words, *first;
	} cases[] = {
#include "unit/fault_verdicts.inc"
	};
	bool print = getenv("NETLAB_PRINT_VERDICTS") != NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rig rig = rig_open(7, cases[i].words);
		char text[65] = "";

		for (unsigned n = 0; n < 64; n++) {
			struct fault_verdict v = rig_offer(&rig, blank, 1000, n * MS);

			text[n] = v.fate != FAULT_PASS ? "?DxLAFM"[v.fate]
				  : rig.copy_count > 1 ? 'd'
				  : v.flips	       ? (char)('a' + v.flip[0] % 26)
				  : v.delay_ns ? (char)('0' + v.delay_ns / 1000 * 10 /
								      30000 % 10)
					       : '.';
		}
		if (print)
			printf("\t\t{ \"%s\",\n\t\t  \"%s\" },\n", cases[i].words, text);
		else
			assert_string_equal(text, cases[i].first);
		rig_close(&rig);
	}
}

static void a_rule_acts_only_on_its_frames_and_counts_only_them(void **state)
{
	static const uint8_t tcp[64] = { [12] = 8, [14] = 0x45, [23] = 6 };
	struct fault_rig rig = rig_open(1, "{\"faults\":[{\"match\":\"tcp\",\"after\":2,"
					   "\"first\":3,\"loss\":\"100%\"}]}");
	char text[21] = "";

	(void)state;
	for (unsigned n = 0; n < 20; n++)
		text[n] = rig_offer(&rig, n % 2 ? tcp : blank, 64, n).fate == FAULT_LOSS
				  ? 'x'
				  : '.';
	/* tcp frames are 1, 3, 5, ...; the third to the fifth of them are lost. */
	assert_string_equal(text, ".....x.x.x..........");
	rig_close(&rig);
}

static void a_rule_ends_when_its_time_is_over_and_sleeps_when_it_is_off(void **state)
{
	struct fault_rig until =
		rig_open(1, "{\"faults\":[{\"until\":\"5ms\",\"loss\":\"100%\"}]}");
	struct fault_rig when = rig_open(1, "{\"faults\":[{\"when\":\"on 2ms off 3ms "
					    "phase 1ms\",\"loss\":\"100%\"}]}");
	char a[11] = "", b[11] = "";

	(void)state;
	for (unsigned n = 0; n < 10; n++) {
		a[n] = rig_offer(&until, blank, 64, n * MS).fate ? 'x' : '.';
		b[n] = rig_offer(&when, blank, 64, n * MS).fate ? 'x' : '.';
	}
	assert_string_equal(a, "xxxxx.....");
	assert_string_equal(b, "x...xx...x");
	rig_close(&until);
	rig_close(&when);
}

static void rules_add_up_and_the_last_line_is_taken(void **state)
{
	struct fault_rig rig =
		rig_open(1, "{\"delay\":\"3ms\",\"rate\":\"1Mbit\",\"faults\":["
			    "{\"name\":\"a\",\"delay\":\"4ms\",\"rate\":\"2Mbit\"},"
			    "{\"name\":\"b\",\"match\":\"tcp\",\"rate\":\"3Mbit\"}]}");
	struct fault_verdict v = rig_offer(&rig, blank, 64, 0);

	(void)state;
	assert_int_equal(v.delay_ns, 7 * MS);
	assert_int_equal(v.line, 1);
	rig_close(&rig);
}

static void states_are_written_as_they_may_be_read(void **state)
{
	static const char *const cases[][2] = {
		{ "a 1s,b 2000ms", "states a 1s, b 2s" },
		{ "a 1 s b, b 2s a 100%", "states a 1s, b 2s" },
		{ "a 1s c, b 2s, c 1s b 25% a 75%",
		  "states a 1s c, b 2s, c 1s a 75% b 25%" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char words[FAULT_WORDS_BYTES_MAX + 32], text[FAULT_WORDS_BYTES_MAX];
		struct fault_rig rig;

		snprintf(words, sizeof(words), "{'states':'%s'}", cases[i][0]);
		rig = rig_open(1, words);
		assert_string_equal(fault_words_format(rig.spec, text), cases[i][1]);
		rig_close(&rig);
		snprintf(words, sizeof(words), "{'states':'%s'}",
			 text + strlen("states "));
		rig = rig_open(1, words);
		assert_string_equal(fault_words_format(rig.spec, text), cases[i][1]);
		rig_close(&rig);
	}
}

static void a_rate_in_a_state_is_of_the_links_own_line(void **state)
{
	struct fault_rig rig = rig_open(1, "{'states':'a 5ms, b 5ms','faults':["
					   "{'in':'b','rate':'1Mbit'}]}");
	unsigned limited = 0;

	(void)state;
	for (unsigned n = 0; n < 100; n++) {
		assert_int_equal(rig_offer(&rig, blank, 64, n * MS).line, 0);
		limited += fault_pace(rig.spec, rig.state, 0, n * MS)->rate_bps != 0;
	}
	assert_in_range(limited, 20, 80);
	rig_close(&rig);
}

static void another_rule_or_model_moves_no_draw(void **state)
{
	struct fault_rig alone = rig_open(3, "{\"loss\":\"30%\"}");
	struct fault_rig both = rig_open(
		3,
		"{\"loss\":\"30%\",\"delay\":\"9ms\",\"jitter\":\"5ms\",\"duplicate\":"
		"\"20%\","
		"\"corrupt\":\"10%\",\"faults\":[{\"name\":\"a\",\"loss\":\"0.0001%\"},"
		"{\"name\":\"b\",\"match\":\"tcp\",\"loss\":\"50%\"}]}");

	(void)state;
	for (unsigned n = 0; n < 10000; n++)
		assert_int_equal(rig_offer(&alone, blank, 64, n).fate,
				 rig_offer(&both, blank, 64, n).fate);
	rig_close(&alone);
	rig_close(&both);
}

static void a_copy_has_draws_of_its_own_and_is_told_as_one(void **state)
{
	struct fault_rig rig =
		rig_open(1, "{\"duplicate\":\"100%\",\"duplicate-count\":2,"
			    "\"replay\":\"100% 5s\",\"loss\":\"50%\"}");
	unsigned differ = 0;
	char text[FAULT_TRAIL_BYTES_MAX];

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		struct fault_verdict v = rig_offer(&rig, blank, 64, n), copy;

		assert_int_equal(rig.copy_count, 4);
		assert_int_equal(rig.copies[3].kind, COPY_REPLAY);
		trail_begin(&rig.trail);
		trail_step(&rig.trail, "L", n);
		copy = rig_copy(&rig, 3, n);
		differ += copy.fate != v.fate;
		if (copy.fate == FAULT_PASS) {
			assert_int_equal(copy.delay_ns, 5 * S);
			fault_trail_format(text, &rig.trail);
			assert_non_null(strstr(text, "replay of #"));
		}
	}
	assert_in_range(differ, 430, 570); /* half; 4.4 standard deviations */
	rig_close(&rig);
}

static void order_is_kept_where_it_is_promised(void **state)
{
	struct fault_rig rig = rig_open(1, "{\"delay\":\"9ms\",\"jitter\":\"9ms\","
					   "\"order\":\"keep\"}");
	uint64_t before = 0;

	(void)state;
	for (unsigned n = 0; n < 10000; n++) {
		uint64_t now = n * 100000;
		struct fault_verdict v = rig_offer(&rig, blank, 64, now);
		uint64_t due =
			fault_due_ns(rig.state, v.order, v.delay_ns, now, &rig.trail);

		assert_true(due >= before && due >= now + v.delay_ns);
		before = due;
	}
	rig_close(&rig);
}

static void lists_and_every_nth_lose_exactly_those(void **state)
{
	struct fault_rig list = rig_open(1, "{\"loss\":\"list 0,3,7-9\"}");
	struct fault_rig every = rig_open(1, "{\"loss\":\"every 4\"}");
	char a[13] = "", b[13] = "";

	(void)state;
	for (unsigned n = 0; n < 12; n++) {
		a[n] = rig_offer(&list, blank, 64, n).fate ? 'x' : '.';
		b[n] = rig_offer(&every, blank, 64, n).fate ? 'x' : '.';
	}
	assert_string_equal(a, "x..x...xxx..");
	assert_string_equal(b, "...x...x...x");
	rig_close(&list);
	rig_close(&every);
}

/* And a chain takes its steps, as if they had not been. */
static void the_first_frames_are_lost_with_their_copies_and_no_other(void **state)
{
	static const char chain[] = "'loss':'gemodel 20% 30% 80% 5%'";
	struct fault_rig rig, without;
	char words[128];

	(void)state;
	snprintf(words, sizeof(words), "{%s,'drop-first':5,'duplicate':'100%%'}", chain);
	rig = rig_open(1, words);
	snprintf(words, sizeof(words), "{%s,'duplicate':'100%%'}", chain);
	without = rig_open(1, words);
	for (unsigned n = 0; n < 200; n++) {
		enum fault_fate fate = rig_offer(&rig, blank, 64, n).fate;
		enum fault_fate copy = rig_copy(&rig, 1, n).fate;
		enum fault_fate alone = rig_offer(&without, blank, 64, n).fate;
		enum fault_fate alone_copy = rig_copy(&without, 1, n).fate;

		assert_int_equal(fate, n < 5 ? FAULT_LOSS : alone);
		assert_int_equal(copy, n < 5 ? FAULT_LOSS : alone_copy);
	}
	rig_close(&without);
	rig_close(&rig);
	/* Bad from the second frame on, and then for ever. */
	rig = rig_open(1, "{'drop-first':1,'loss':'gemodel 100% 0%'}");
	assert_int_equal(rig_offer(&rig, blank, 64, 0).fate, FAULT_LOSS);
	assert_int_equal(rig_offer(&rig, blank, 64, 1).fate, FAULT_LOSS);
	rig_close(&rig);
	/* It stands before ECN: nothing comes, marked or not. */
	rig = rig_open(1, "{'drop-first':1,'loss':'1%','ecn':true}");
	assert_int_equal(rig_offer(&rig, blank, 64, 0).fate, FAULT_LOSS);
	assert_int_equal(rig.trail.note[0].kind, NOTE_LOST_FIRST);
	rig_close(&rig);
}

static void frames_over_the_mtu_vanish_and_a_tag_does_not_count(void **state)
{
	static const uint8_t tagged[2048] = { [12] = 0x81 };
	struct fault_rig rig = rig_open(1, "{\"mtu-drop\":1400}");

	(void)state;
	assert_int_equal(rig_offer(&rig, blank, 1414, 0).fate, FAULT_PASS);
	assert_int_equal(rig_offer(&rig, blank, 1415, 0).fate, FAULT_MTU);
	assert_int_equal(rig_offer(&rig, tagged, 1418, 0).fate, FAULT_PASS);
	assert_int_equal(rig_offer(&rig, tagged, 1419, 0).fate, FAULT_MTU);
	rig_close(&rig);
}

static void a_link_flaps_to_its_plan(void **state)
{
	struct fault_rig rig = rig_open(1, "{\"flap\":\"up 3ms down 2ms\"}");
	char text[13] = "";

	(void)state;
	for (unsigned n = 0; n < 12; n++)
		text[n] =
			rig_offer(&rig, blank, 64, n * MS).fate == FAULT_DOWN ? 'x' : '.';
	assert_string_equal(text, "...xx...xx..");
	assert_true(fault_is_up(rig.spec, rig.state, 12 * MS));
	assert_false(fault_is_up(rig.spec, rig.state, 13 * MS));
	rig_close(&rig);
}

static void what_goes_by_states_has_to_have_them(void **state)
{
	static const struct {
		const char *words, *why;
	} cases[] = {
		{ "{'states':'a 1s'}", "states: at least two" },
		{ "{'states':'a 1s, b'}", "states: \"b\": a state's name" },
		{ "{'states':'a 1s, b 1s, a 2s'}",
		  "states: there are two of the name a" },
		{ "{'states':'a 1s, b 1us'}", "states: b: 1us is not between 1ms and" },
		{ "{'states':'a 1s c, b 1s'}", "states: \"c\" follows a, but there is" },
		{ "{'states':'a 1s a 10% b 90%, b 1s'}", "states: a follows itself" },
		{ "{'states':'a 1s b 60% c 30%, b 1s, c 1s'}",
		  "states: what follows a has 90% in all, not 100%" },
		{ "{'states':'a 1s b 50% b 50%, b 1s'}",
		  "states: \"b\" follows a twice" },
		{ "{'states':'2 1s, b 1s'}", "states: \"2\": a state's name has" },
		{ "{'states':'a 1s,b 1s,c 1s,d 1s,e 1s,f 1s,g 1s,h 1s,i 1s'}",
		  "states: at most 8 states" },
		{ "{'states':'a 1s, b 1s','faults':[{'in':'c','loss':'1%'}]}",
		  "in: the link has no state \"c\"" },
		{ "{'faults':[{'in':'c','loss':'1%'}]}", "in: the link has no states" },
		{ "{'states':'a 1s, b 1s','faults':[{'in':'b','hold':true}]}",
		  "in: limit, queue, capacity, slot, clog, hold and flap are" },
		{ "{'states':'a 1s, b "
		  "1s','faults':[{'in':'b','rate':'1Mbit','match':'tcp'}]}",
		  "in: rate and down are for every frame of the state" },
		{ "{'faults':[{'name':'x','states':'a 1s, b 1s','loss':'1%'}]}",
		  "states: only of the link itself" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char why[WHY_BYTES_MAX];

		rig_refused(cases[i].words, why);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: \"%s\" is not in \"%s\"", cases[i].words,
				 cases[i].why, why);
	}
}

/* Whatever frames came before: with one a millisecond, and with one a second. */
static void the_state_at_a_time_depends_on_no_frame(void **state)
{
	static const char words[] = "{'states':'a 7ms, b 40ms a 30% c 70%, c 20ms',"
				    "'faults':[{'in':'b','loss':'100%'}]}";
	struct fault_rig many = rig_open(3, words), few = rig_open(3, words);
	struct fault_rig other = rig_open(4, words);
	unsigned lost = 0, differ = 0;

	(void)state;
	for (unsigned n = 0; n < 100000; n++) {
		bool in_b = rig_offer(&many, blank, 64, n * MS).fate == FAULT_LOSS;
		const char *name = fault_in_state(few.spec, few.state, n * MS);

		assert_int_equal(in_b, !strcmp(name, "b"));
		differ += in_b !=
			  !strcmp(fault_in_state(other.spec, other.state, n * MS), "b");
		if (n % 1000 == 0)
			assert_int_equal(in_b, rig_offer(&few, blank, 64, n * MS).fate ==
						       FAULT_LOSS);
		if (n % 1000 == 0)
			rig_offer(&other, blank, 64, n * MS);
		lost += in_b;
	}
	assert_in_range(lost, 40000, 80000);
	assert_true(differ > 10000);
	rig_close(&many);
	rig_close(&few);
	rig_close(&other);
}

static void a_link_that_is_down_in_a_state_is_down_for_what_arrives(void **state)
{
	struct fault_rig rig = rig_open(5, "{'states':'up 5ms, out 5ms',"
					   "'faults':[{'in':'out','down':true}]}");
	unsigned down = 0;

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		bool offered = rig_offer(&rig, blank, 64, n * MS).fate == FAULT_DOWN;

		assert_int_equal(fault_is_up(rig.spec, rig.state, n * MS), !offered);
		assert_int_equal(fault_is_down(rig.spec, rig.state, n * MS, &rig.trail),
				 offered);
		assert_int_equal(fault_rule_in_force(rig.spec, rig.state, 1, n * MS),
				 offered);
		down += offered;
	}
	assert_in_range(down, 300, 700);
	rig_close(&rig);
}

/* Asked only when it may have changed, the carrier is there whenever the link is up; and
 * without the word, always. */
static void a_carrier_goes_with_the_link_only_if_it_says_so(void **state)
{
	static const char *const words[] = {
		"'flap':'up 30ms down 20ms phase 7ms'",
		"'flap':'up 30ms down 20ms random'",
		"'states':'good 20ms, fair 5ms, out 10ms',"
		"'faults':[{'in':'out','down':true}]",
		"'states':'good 20ms, out 10ms','flap':'up 30ms down 20ms',"
		"'faults':[{'in':'out','down':true}]",
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(words); i++) {
		bool asked = i % 2 == 0, light = true;
		uint64_t change_ns = 0;
		unsigned changes = 0;
		char text[256];
		struct fault_rig rig;
		struct fault_rule_state own;

		snprintf(text, sizeof(text), "{'carrier':%s,%s}",
			 asked ? "true" : "false", words[i / 2]);
		rig = rig_open(11, text);
		own = rig.state->rule[0];
		for (uint64_t ms = 0; ms < 1000; ms++) {
			bool before = light;

			if (ms * MS >= change_ns)
				light = fault_has_carrier(rig.spec, &own, ms * MS,
							  &change_ns);
			assert_int_equal(light, !asked || fault_is_up(rig.spec, rig.state,
								      ms * MS));
			changes += light != before;
		}
		assert_true(asked ? changes > 10 : !changes && change_ns == UINT64_MAX);
		rig_close(&rig);
	}
}

static void what_lets_nothing_pass_is_known_as_what_it_is(void **state)
{
	static const struct {
		const char *words;
		enum fault_passage passage;
	} cases[] = {
		{ "{'loss':'99.9%','delay':'1s'}", PASSAGE_OPEN },
		{ "{'loss':'100%'}", PASSAGE_LOST },
		{ "{'loss':'100%','ecn':true}", PASSAGE_OPEN },
		{ "{'loss':'every 1'}", PASSAGE_LOST },
		{ "{'loss':'every 2'}", PASSAGE_OPEN },
		{ "{'loss':'gemodel 1% 1% 100% 100%'}", PASSAGE_LOST },
		{ "{'loss':'gemodel 1% 1% 100% 99%'}", PASSAGE_OPEN },
		{ "{'corrupt':'100%','corrupt-mode':'fcs'}", PASSAGE_LOST },
		{ "{'corrupt':'100%'}", PASSAGE_OPEN },
		{ "{'down':true,'loss':'100%','flap':'up 1s down 1s'}", PASSAGE_DOWN },
		{ "{'flap':'up 1s down 1s'}", PASSAGE_AT_TIMES },
		{ "{'flap':'up 1s down 1s','loss':'100%'}", PASSAGE_LOST },
		{ "{'faults':[{'loss':'100%'}]}", PASSAGE_LOST },
		{ "{'faults':[{'down':true}]}", PASSAGE_DOWN },
		{ "{'down':true,'faults':[{'loss':'1%'}]}", PASSAGE_DOWN },
		{ "{'faults':[{'down':true,'match':'tcp'}]}", PASSAGE_OPEN },
		{ "{'faults':[{'down':true,'first':5}]}", PASSAGE_OPEN },
		{ "{'faults':[{'down':true,'until':'2s'}]}", PASSAGE_DOWN },
		{ "{'faults':[{'down':true,'until':'1s'}]}", PASSAGE_OPEN },
		{ "{'faults':[{'loss':'100%','when':'on 1s off 1s'}]}",
		  PASSAGE_AT_TIMES },
		{ "{'states':'a 1s, b 1s','faults':[{'in':'b','down':true}]}",
		  PASSAGE_AT_TIMES },
		{ "{'states':'a 1s, b 1s','faults':[{'in':'b','loss':'100%'}]}",
		  PASSAGE_AT_TIMES },
		{ "{'states':'a 1s, b 1s','faults':[{'in':'b','loss':'10%'}]}",
		  PASSAGE_OPEN },
	};

	(void)state;
	assert_int_equal(fault_passage(NULL, 0), PASSAGE_OPEN);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rig rig = rig_open(1, cases[i].words);

		if (fault_passage(rig.spec, S) != cases[i].passage)
			fail_msg("%s: %d", cases[i].words, fault_passage(rig.spec, S));
		rig_close(&rig);
	}
}

static void bits_are_flipped_where_it_says_and_fcs_drops(void **state)
{
	uint8_t frame[64] = { 0 };
	struct fault_rig at = rig_open(
		1, "{\"corrupt\":\"100%\",\"corrupt-at\":\"0,15,100-101,9999\"}");
	struct fault_rig fcs =
		rig_open(1, "{\"corrupt\":\"100%\",\"corrupt-mode\":\"fcs\"}");
	struct fault_verdict v = rig_offer(&at, frame, sizeof(frame), 0);

	(void)state;
	assert_int_equal(v.flips, 4);
	fault_edit(&v, frame, sizeof(frame));
	assert_int_equal(frame[0], 0x80);
	assert_int_equal(frame[1], 0x01);
	assert_int_equal(frame[12], 0x0c);
	v = rig_offer(&fcs, frame, sizeof(frame), 0);
	assert_int_equal(v.fate, FAULT_FCS);
	rig_close(&at);
	rig_close(&fcs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_spec_without_a_verdict_is_refused_in_the_words_of_the_file),
		cmocka_unit_test(what_is_most_likely_not_meant_is_warned_of),
		cmocka_unit_test(verdicts_are_those_of_the_recorded_draws),
		cmocka_unit_test(a_share_is_met_to_the_last_part_in_a_billion),
		cmocka_unit_test(fixed_seeds_have_the_verdicts_that_they_always_had),
		cmocka_unit_test(a_rule_acts_only_on_its_frames_and_counts_only_them),
		cmocka_unit_test(
			a_rule_ends_when_its_time_is_over_and_sleeps_when_it_is_off),
		cmocka_unit_test(rules_add_up_and_the_last_line_is_taken),
		cmocka_unit_test(states_are_written_as_they_may_be_read),
		cmocka_unit_test(a_rate_in_a_state_is_of_the_links_own_line),
		cmocka_unit_test(another_rule_or_model_moves_no_draw),
		cmocka_unit_test(a_copy_has_draws_of_its_own_and_is_told_as_one),
		cmocka_unit_test(order_is_kept_where_it_is_promised),
		cmocka_unit_test(lists_and_every_nth_lose_exactly_those),
		cmocka_unit_test(
			the_first_frames_are_lost_with_their_copies_and_no_other),
		cmocka_unit_test(frames_over_the_mtu_vanish_and_a_tag_does_not_count),
		cmocka_unit_test(a_link_flaps_to_its_plan),
		cmocka_unit_test(what_goes_by_states_has_to_have_them),
		cmocka_unit_test(the_state_at_a_time_depends_on_no_frame),
		cmocka_unit_test(a_link_that_is_down_in_a_state_is_down_for_what_arrives),
		cmocka_unit_test(a_carrier_goes_with_the_link_only_if_it_says_so),
		cmocka_unit_test(what_lets_nothing_pass_is_known_as_what_it_is),
		cmocka_unit_test(bits_are_flipped_where_it_says_and_fcs_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
