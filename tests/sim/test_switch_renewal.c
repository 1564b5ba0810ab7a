/* SPDX-License-Identifier: MIT */
/* Faults that are changed while frames come: a word that has changed behaves as if it
 * had been there from the start, whatever it was before, and what waits keeps its order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "switch/switch.h"
#include "faultwords/fault_words.h"
#include "plan/plan.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

enum { FRAMES_MAX = 1024, BEFORE = 120, AFTER = 240, SIZE_MAX_BYTES = 1514, SEED = 11 };

/* One link, the times at which its frames arrive, and what became of them. */
struct lab {
	struct sw *sw;
	uint32_t link;
	struct fault_spec *spec;
	uint32_t sent, arrivals;
	uint64_t now_ns;
	uint64_t came_ns[FRAMES_MAX]; /* the first time; 0: never */
	unsigned copies[FRAMES_MAX];
	uint32_t order[4 * FRAMES_MAX]; /* frames, as they came */
};

static char folder[] = "/tmp/renewal.XXXXXX";

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	struct lab *lab = ctx;
	uint32_t serial;

	(void)port;
	memcpy(&serial, frame.bytes + 14, sizeof(serial));
	assert_true(serial < FRAMES_MAX && lab->arrivals < 4 * FRAMES_MAX);
	if (!lab->copies[serial]++)
		lab->came_ns[serial] = lab->now_ns;
	lab->order[lab->arrivals++] = serial;
	return 0;
}

static const struct sw_sink sink = { .deliver = deliver };

static struct lab *open_lab(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	const struct sw_config config = { .seed = SEED,
					  .node_count = 2,
					  .pool_bytes_max = 64 << 20,
					  .sink = &sink,
					  .ctx = lab };
	uint32_t port;

	assert_non_null(lab);
	assert_int_equal(sw_create(&lab->sw, &config, NULL), 0);
	assert_int_equal(sw_add_port(lab->sw, "n1:eth0", 0, &port, NULL), 0);
	assert_int_equal(sw_add_port(lab->sw, "n2:eth0", 1, &port, NULL), 0);
	assert_int_equal(sw_link_ports(lab->sw, "wire", 0, 1, &lab->link, NULL), 0);
	sw_port_up(lab->sw, 0, true);
	sw_port_up(lab->sw, 1, true);
	return lab;
}

static void close_lab(struct lab *lab)
{
	fault_spec_free(lab->spec);
	sw_destroy(lab->sw);
	free(lab);
}

/* Each frame arrives at its own time. */
static void until(struct lab *lab, uint64_t now_ns)
{
	uint64_t due_ns;

	while ((due_ns = sw_next_due_ns(lab->sw)) <= now_ns) {
		lab->now_ns = due_ns;
		sw_advance(lab->sw, due_ns);
	}
	lab->now_ns = now_ns;
	sw_advance(lab->sw, now_ns);
}

/* words: JSON with ' for ". */
static void set(struct lab *lab, const char *words)
{
	struct fault_context context = { .dir = folder, .now_ns = lab->now_ns };
	char text[1024];
	struct why why = { "" };
	json_t *json;

	snprintf(text, sizeof(text), "%s", words);
	for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	json = json_loads(text, 0, NULL);
	if (!json || fault_words_from_json(&lab->spec, &context, json, &why))
		fail_msg("%s: %s", words, why.text);
	json_decref(json);
	assert_int_equal(
		sw_fault_set(lab->sw, lab->link, DIR_AB, lab->spec, lab->now_ns, NULL),
		0);
}

static void send_one(struct lab *lab, uint32_t size)
{
	uint8_t bytes[SIZE_MAX_BYTES] = { 0 };

	assert_true(lab->sent < FRAMES_MAX);
	memcpy(bytes + 14, &lab->sent, sizeof(lab->sent));
	lab->sent++;
	sw_port_frame(lab->sw, 0, (struct frame){ bytes, size }, lab->now_ns);
}

/* Bursts of up to eight, a few milliseconds apart: the same for the same key. */
static void send_some(struct lab *lab, unsigned count, uint64_t key)
{
	for (unsigned i = 0; i < count; i++) {
		if (draw_below(key, i, LANE_TOPOLOGY, 4) == 0)
			until(lab, lab->now_ns +
					   draw_below(key, i, LANE_LOSS, 8 * MS));
		send_one(lab, draw_below(key, i, LANE_JITTER, 3) ? 60 : 1514);
	}
}

/* ---- a changed word starts fresh --------------------------------------- */

enum { VALUES_MAX = 10 };

struct word {
	const char *key;
	const char *base; /* words that it needs, ending with a comma */
	const char *values[VALUES_MAX];
};

static const struct word words[] = {
	{ "loss", "", { "'30%'", "'30% 60%'", "'50% 60%'", "'gemodel 10% 20% 80% 5%'",
			"'gemodel 30% 40%'", "'state 10% 40% 5% 80% 2%'", "'every 3'",
			"'every 7'", "'list 3,7,9-12'", "'list 0-1,100'" } },
	{ "drop-first", "", { "3", "30", "200" } },
	{ "delay", "", { "'5ms'", "'40ms'", "'300ms'" } },
	{ "jitter", "'delay':'20ms',", { "'5ms'", "'15ms'", "'1ms'" } },
	{ "correlation", "'delay':'20ms','jitter':'9ms',", { "'30%'", "'80%'" } },
	{ "distribution", "'delay':'20ms','jitter':'4ms',",
	  { "'normal'", "'pareto'", "'paretonormal'", "'exponential'", "'table table'" } },
	{ "distribution", "'delay':'20ms',",
	  { "'samples samples'", "'trace samples'", "'trace other'" } },
	{ "order", "'delay':'20ms','jitter':'15ms',", { "'keep'", "'free'" } },
	{ "reorder", "'delay':'20ms',", { "'30%'", "'60%'", "'30% 70%'" } },
	{ "gap", "'delay':'20ms','reorder':'70%',", { "5", "13", "2" } },
	{ "rate", "", { "'300kbit'", "'1Mbit'", "'7Mbit'", "'40kbit'" } },
	{ "overhead", "'rate':'1Mbit',", { "'24B'", "'-4B'", "'500B'" } },
	{ "cell", "'rate':'1Mbit',", { "'48B 5B'", "'100B'" } },
	{ "capacity", "", { "'fast'", "'slow'", "'uneven'" } },
	{ "limit", "'rate':'300kbit',", { "'3frames'", "'20frames'", "'3kB'" } },
	{ "queue", "'rate':'300kbit','limit':'15frames',",
	  { "'random'", "'red 1kB 9kB 20%'", "'red 2kB 15kB 90%'", "'codel 1ms 5ms'",
	    "'codel 5ms 20ms'", "'tail'" } },
	{ "slot", "", { "'3ms'", "'1h'", "'5ms 3frames'", "'4ms 6kB'" } },
	/* What these drew for frames that waited, they do not draw for those that come. */
	{ "slot", "", { "'3ms'", "'2ms 9ms'", "'normal 5ms 2ms 4frames 6kB'",
			"'pareto 5ms 1ms'" } },
	{ "clog", "", { "'open 5ms closed 9ms'", "'open 20ms closed 90ms random'",
			"'open 7ms closed 12h'", "'open 5ms closed 9ms phase 3ms'" } },
	{ "hold", "", { "true", "false" } },
	{ "duplicate", "", { "'30%'", "'60%'", "'30% 80%'" } },
	{ "duplicate-count", "'duplicate':'50% 50%',", { "2", "7" } },
	{ "replay", "", { "'30% 5ms'", "'30% 80ms'", "'70% 5ms'" } },
	{ "corrupt", "'corrupt':'50%','corrupt-mode':'fcs',", { "'30%'", "'30% 80%'", "'60%'" } },
	{ "mtu-drop", "", { "100", "1500" } },
	{ "flap", "", { "'up 5ms down 9ms'", "'up 20ms down 30ms random'",
			"'up 5ms down 9ms phase 3ms'", "'up 30ms down 24h'" } },
	{ "states", "'faults':[{'name':'b','in':'bad','loss':'60%'}],",
	  { "'good 20ms, bad 30ms'", "'good 90ms, bad 10ms'",
	    "'bad 5ms fair, fair 20ms good 40% bad 60%, good 5ms'" } },
	{ "down", "", { "true", "false" } },
	{ "match", "'loss':'every 3',", { "'greater 100'", "'less 100'" } },
	{ "after", "'loss':'60%',", { "5", "140", "0" } },
	{ "first", "'loss':'60%',", { "5", "200" } },
	{ "apply", "'loss':'60%',", { "'30%'", "'80%'" } },
	{ "when", "'loss':'60%',",
	  { "'on 5ms off 9ms'", "'on 20ms off 30ms random'" } },
};

static void text_of(char text[512], const struct word *word, const char *value)
{
	snprintf(text, 512, fault_match_is_key(word->key) ? "{'faults':[{'name':'r',%s'%s':%s}]}"
					  : "{%s'%s':%s}",
		 word->base, word->key, value);
}

static void base_of(char text[512], const struct word *word)
{
	size_t bytes = strlen(word->base);

	snprintf(text, 512,
		 fault_match_is_key(word->key) ? "{'faults':[{'name':'r',%.*s}]}"
					       : "{%.*s}",
		 (int)(bytes ? bytes - 1 : 0), word->base);
}

/* The word was `before` and becomes `value`; or it was not there and becomes it. */
static struct lab *live(const struct word *word, const char *before, const char *value)
{
	struct lab *lab = open_lab();
	char text[512];

	/* States are what a rule needs: without them there is none. */
	if (before)
		text_of(text, word, before);
	else if (strcmp(word->key, "states"))
		base_of(text, word);
	else
		snprintf(text, sizeof(text), "{}");
	set(lab, text);
	send_some(lab, BEFORE, 1);
	until(lab, 2 * S);
	text_of(text, word, value);
	set(lab, text);
	until(lab, 4 * S);
	send_some(lab, AFTER, 2);
	until(lab, lab->now_ns + 4 * S);
	return lab;
}

static void a_word_that_changes_behaves_as_if_it_had_been_so_from_the_start(void **state)
{
	(void)state;
	for (size_t w = 0; w < ARRAY_SIZE(words); w++)
		for (size_t to = 0; to < VALUES_MAX && words[w].values[to]; to++) {
			const struct word *word = &words[w];
			struct lab *fresh = live(word, NULL, word->values[to]);

			for (size_t from = 0; from < VALUES_MAX && word->values[from];
			     from++) {
				struct lab *changed;

				if (from == to)
					continue;
				changed = live(word, word->values[from],
					       word->values[to]);
				for (uint32_t i = BEFORE; i < BEFORE + AFTER; i++)
					if (changed->copies[i] != fresh->copies[i] ||
					    changed->came_ns[i] != fresh->came_ns[i])
						fail_msg("%s: %s -> %s: frame %u came "
							 "%u times, first at %llu, not "
							 "%u times, first at %llu",
							 word->key, word->values[from],
							 word->values[to], i,
							 changed->copies[i],
							 (unsigned long long)
								 changed->came_ns[i],
							 fresh->copies[i],
							 (unsigned long long)
								 fresh->came_ns[i]);
				close_lab(changed);
			}
			close_lab(fresh);
		}
}

static void every_word_is_among_those_that_are_tried(void **state)
{
	/* Nothing is remembered for these. */
	static const char *const others[] = { "profile", "ecn",	      "corrupt-bits",
					      "carrier", "corrupt-at", "corrupt-mode",
					      "in",	 "until",      "for" };

	(void)state;
	for (int table = 0; table < 2; table++)
		for (const char *const *key = table ? fault_match_keys() : fault_word_keys();
		     *key; key++) {
			bool known = false;

			for (size_t w = 0; w < ARRAY_SIZE(words); w++)
				known |= !strcmp(words[w].key, *key);
			for (size_t i = 0; i < ARRAY_SIZE(others); i++)
				known |= !strcmp(others[i], *key);
			if (!known)
				fail_msg("%s: is it new when it has changed? words[] needs "
					 "values of it",
					 *key);
		}
}

static bool is_otherwise(const struct lab *a, const struct lab *b)
{
	for (uint32_t i = 0; i < FRAMES_MAX; i++)
		if (a->copies[i] != b->copies[i] || a->came_ns[i] != b->came_ns[i])
			return true;
	return false;
}

/* Without its effect, a word passes every other test here. */
static void every_word_makes_a_difference(void **state)
{
	(void)state;
	for (size_t w = 0; w < ARRAY_SIZE(words); w++) {
		struct lab *first = live(&words[w], NULL, words[w].values[0]), *other;
		bool differs = false;

		for (size_t v = 1; !differs && v < VALUES_MAX && words[w].values[v]; v++) {
			other = live(&words[w], NULL, words[w].values[v]);
			differs = is_otherwise(first, other);
			close_lab(other);
		}
		if (!differs)
			fail_msg("%s: %s and what it is changed to do the same",
				 words[w].key, words[w].values[0]);
		close_lab(first);
	}
}

/* The draws, counts and lines of the others go on as if nothing had happened. */
static void a_word_that_is_set_again_as_it_was_changes_nothing(void **state)
{
	(void)state;
	for (size_t w = 0; w < ARRAY_SIZE(words); w++)
		for (size_t v = 0; v < VALUES_MAX && words[w].values[v]; v++) {
			struct lab *once = open_lab(), *often = open_lab();
			char text[512];

			text_of(text, &words[w], words[w].values[v]);
			set(once, text);
			set(often, text);
			for (uint64_t i = 0; i < 20; i++) {
				send_some(once, 10, i);
				send_some(often, 10, i);
				set(often, text);
			}
			until(once, 9 * S);
			until(often, 9 * S);
			for (uint32_t i = 0; i < once->sent; i++)
				if (once->copies[i] != often->copies[i] ||
				    once->came_ns[i] != often->came_ns[i])
					fail_msg("%s: frame %u came otherwise", text, i);
			close_lab(once);
			close_lab(often);
		}
}

/* ---- what waited ------------------------------------------------------- */

static void what_waits_for_a_trace_goes_on_by_the_one_that_takes_its_place(void **state)
{
	static const char *const then[] = { "{'capacity':'fast'}",
					    "{'capacity':'none','rate':'10Mbit'}",
					    "{'capacity':'none'}",
					    "{'capacity':'none','slot':'1ms'}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(then); i++) {
		struct lab *lab = open_lab();

		set(lab, "{'capacity':'slow'}");
		until(lab, S);
		send_some(lab, 50, 3);
		until(lab, 3 * S);
		assert_int_equal(lab->arrivals, 0);
		set(lab, then[i]);
		until(lab, 4 * S);
		assert_int_equal(lab->arrivals, 50);
		close_lab(lab);
	}
}

static void assert_in_order(const struct lab *lab, const char *what)
{
	for (uint32_t i = 1; i < lab->arrivals; i++)
		if (lab->order[i] < lab->order[i - 1])
			fail_msg("%s: frame %u came after %u", what, lab->order[i],
				 lab->order[i - 1]);
}

static void frames_that_keep_their_order_keep_it_when_their_line_goes(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	set(lab, "{'delay':'50ms','jitter':'40ms','order':'keep','rate':'1Mbit'}");
	for (int i = 0; i < 150; i++)
		send_one(lab, 200);
	until(lab, 100 * MS);
	set(lab, "{'rate':'none'}");
	for (int i = 0; i < 50; i++)
		send_one(lab, 200);
	until(lab, S);
	assert_int_equal(lab->arrivals, 200);
	assert_in_order(lab, "rate=none");
	close_lab(lab);
	/* With the whole fault, and with the rule whose order it was, too. */
	lab = open_lab();
	set(lab, "{'rate':'1Mbit','faults':[{'name':'r','delay':'50ms','jitter':'40ms',"
		 "'order':'keep'}]}");
	for (int i = 0; i < 150; i++)
		send_one(lab, 200);
	until(lab, 50 * MS);
	fault_words_clear(&lab->spec, "r", NULL, NULL);
	set(lab, "{'loss':'none'}");
	until(lab, 100 * MS);
	assert_int_equal(sw_fault_set(lab->sw, lab->link, DIR_AB, NULL, lab->now_ns, NULL),
			 0);
	until(lab, S);
	assert_int_equal(lab->arrivals, 150);
	assert_in_order(lab, "cleared");
	close_lab(lab);
}

static void whatever_else_changes_an_order_that_is_kept_is_kept(void **state)
{
	static const char *const changes[] = {
		"{'rate':'300kbit','capacity':'none'}",
		"{'rate':'5Mbit','capacity':'none'}",
		"{'rate':'none','queue':'none','limit':'none'}",
		"{'rate':'none','queue':'none','limit':'none','capacity':'uneven'}",
		"{'capacity':'none','queue':'none','limit':'none'}",
		"{'hold':true}",
		"{'hold':false}",
		"{'slot':'3ms 9ms'}",
		"{'slot':'none'}",
		"{'clog':'open 5ms closed 20ms random'}",
		"{'clog':'none'}",
		"{'delay':'90ms'}",
		"{'delay':'40ms'}",
		"{'jitter':'40ms'}",
		"{'jitter':'1ms'}",
		"{'loss':'10%'}",
		"{'faults':[{'name':'r','delay':'7ms'}]}",
		"{'faults':[{'name':'r','order':'keep','delay':'70ms'}]}",
		"{'faults':[{'name':'r','rate':'2Mbit'}]}",
	};

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct lab *lab = open_lab();

		set(lab, "{'delay':'50ms','jitter':'40ms','order':'keep'}");
		for (unsigned i = 0; i < 60; i++) {
			send_some(lab, 8, seed * 100 + i);
			/* A second line beside the first would be a second row. */
			if (i % 10 == 9)
				fault_words_clear(&lab->spec, "r", NULL, NULL);
			set(lab, changes[draw_below(seed, i, LANE_TOPOLOGY,
						    ARRAY_SIZE(changes) - 1)]);
		}
		set(lab, "{'hold':false}");
		until(lab, lab->now_ns + 100 * S);
		assert_in_order(lab, "changes");
		assert_true(lab->arrivals > 100);
		assert_int_equal(sw_link_count(lab->sw, lab->link, DIR_AB)->queued, 0);
		close_lab(lab);
	}
}

/* ---- files ------------------------------------------------------------- */

static void write_file(const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_file("fast", "1\n2\n3\n4\n");
	write_file("slow", "1000000\n");
	write_file("uneven", "1\n1\n5\n20\n");
	write_file("table", "-8192 0 8192 4000 -4000\n");
	write_file("samples", "1ms 5ms 9ms 2ms 30ms\n");
	write_file("other", "7ms 3ms\n");
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "fast",  "slow",	 "uneven",
					     "table", "samples", "other" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_word_that_changes_behaves_as_if_it_had_been_so_from_the_start),
		cmocka_unit_test(every_word_is_among_those_that_are_tried),
		cmocka_unit_test(every_word_makes_a_difference),
		cmocka_unit_test(a_word_that_is_set_again_as_it_was_changes_nothing),
		cmocka_unit_test(
			what_waits_for_a_trace_goes_on_by_the_one_that_takes_its_place),
		cmocka_unit_test(frames_that_keep_their_order_keep_it_when_their_line_goes),
		cmocka_unit_test(whatever_else_changes_an_order_that_is_kept_is_kept),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
