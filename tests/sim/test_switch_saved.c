/* SPDX-License-Identifier: MIT */
/* A switch that was saved and loaded goes on as the one that was not: at any of 10^5
 * steps, with every word of faults, partitions, and ports that come and go. */
#include "switch/switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "base/fnv.h"
#include "faultwords/fault_words.h"
#include "lib/damaged.h"
#include "linkfault/word.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

enum {
	NODES = 5,
	MEMBERS = 5,
	WIRES = 3,
	PORTS = MEMBERS + 2 * WIRES,
	ENDLESS = 1 << 30
};
enum { LINKS = MEMBERS + WIRES, STEPS = 100000, WORDS_MAX = 64 };

/* Several at once, as often as they agree with one another. */
static const char *const faults[] = {
	"{'loss':'20% 40%'}",
	"{'loss':'gemodel 10% 20% 80% 5%'}",
	"{'loss':'state 10% 40% 5% 80% 2%'}",
	"{'loss':'every 7'}",
	"{'drop-first':3}",
	"{'loss':'list 3,7,9-12,400-800'}",
	"{'profile':'lte'}",
	"{'delay':'2ms','jitter':'1ms','correlation':'30%'}",
	"{'delay':'2ms','jitter':'1ms','distribution':'paretonormal'}",
	"{'delay':'2ms','jitter':'1ms','distribution':'table table'}",
	"{'jitter':'0','distribution':'samples samples'}",
	"{'jitter':'0','distribution':'trace samples'}",
	"{'order':'keep'}",
	"{'order':'free','reorder':'30% 50%','gap':3}",
	"{'rate':'10Mbit','overhead':'24B','cell':'48B 5B'}",
	"{'capacity':'capacity'}",
	"{'limit':'7frames'}",
	"{'limit':'9kB','queue':'random'}",
	"{'rate':'3Mbit','queue':'red 1kB 9kB 20%','ecn':true}",
	"{'rate':'3Mbit','queue':'codel 100us 2ms'}",
	"{'slot':'1ms 3ms'}",
	"{'slot':'normal 2ms 300us 4frames 6kB'}",
	"{'slot':'table table 2ms 300us'}",
	"{'clog':'open 5ms closed 3ms random'}",
	"{'clog':'open 5ms closed 3ms phase 1ms'}",
	"{'hold':true}",
	"{'duplicate':'30% 20%','duplicate-count':3}",
	"{'replay':'10% 5ms'}",
	"{'corrupt':'20% 30%','corrupt-bits':3}",
	"{'corrupt':'20%','corrupt-at':'100-110'}",
	"{'corrupt-mode':'fcs'}",
	"{'corrupt-mode':'repair'}",
	"{'mtu-drop':1000}",
	"{'flap':'up 30ms down 2ms random'}",
	"{'flap':'up 30ms down 2ms','carrier':true}",
	/* In parentheses: one text, no comma forgotten. */
	("{'states':'good 20ms, bad 3ms','faults':[{'name':'b','in':'bad','loss':'60%',"
	 "'rate':'2Mbit'}]}"),
	"{'down':true}",
	"{'faults':[{'name':'m','match':'greater 100','delay':'1ms','loss':'40%'}]}",
	"{'faults':[{'name':'n','after':5,'first':200,'rate':'5Mbit'}]}",
	"{'faults':[{'name':'o','apply':'50%','when':'on 5ms off 9ms','delay':'3ms'}]}",
	"{'faults':[{'name':'p','until':'3s','duplicate':'50%','order':'keep'}]}",
};

static char folder[] = "/tmp/saved.XXXXXX";
static struct why why;

/* ---- two switches, the same in all -------------------------------------- */

/* What a switch is connected with: what it did so far, in a number. */
struct world {
	struct sw *sw;
	uint64_t did;
	uint64_t delivered, taps;
	int room[PORTS];
};

static void note(struct world *w, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++)
		w->did = fnv_on(w->did, at[i]);
}

static void note_number(struct world *w, uint64_t number)
{
	note(w, &number, sizeof(number));
}

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	struct world *w = ctx;

	note_number(w, port);
	note_number(w, w->room[port] > 0);
	note(w, frame.bytes, frame.size);
	if (!w->room[port])
		return -EAGAIN;
	if (w->room[port] != ENDLESS)
		w->room[port]--;
	w->delivered++;
	return 0;
}

static void tap(void *ctx, const struct sw_tap_event *event)
{
	struct world *w = ctx;
	char trail[FAULT_TRAIL_BYTES_MAX];

	note_number(w, event->port);
	note_number(w, event->from);
	note_number(w, event->fate * 4 + event->inbound * 2 + event->late);
	note_number(w, event->frame_no);
	note_number(w, event->now_ns);
	note(w, event->frame.bytes, event->frame.size);
	note_number(w, event->trail->copy);
	fault_trail_format(trail, event->trail);
	note(w, trail, strlen(trail));
	if (event->direction)
		note(w, event->direction, strlen(event->direction));
	w->taps++;
}

static const struct sw_sink sink = { .deliver = deliver, .tap = tap };

static void build(struct world *w, uint64_t seed, uint64_t pool_bytes)
{
	const struct sw_config config = { .seed = seed,
					  .node_count = NODES,
					  .pool_bytes_max = pool_bytes,
					  .sink = &sink,
					  .ctx = w };
	uint32_t lan, id;

	assert_int_equal(sw_create(&w->sw, &config, NULL), 0);
	assert_int_equal(sw_add_segment(w->sw, "lan", 20 * MS, &lan, NULL), 0);
	for (uint32_t p = 0; p < PORTS; p++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u:eth%u", p % NODES, p);
		assert_int_equal(sw_add_port(w->sw, name, p % NODES, &id, NULL), 0);
		snprintf(name, sizeof(name), "link%u", p);
		if (p < MEMBERS)
			assert_int_equal(sw_link_segment(w->sw, name, p, lan, &id, NULL),
					 0);
		else if ((p - MEMBERS) % 2)
			assert_int_equal(sw_link_ports(w->sw, name, p - 1, p, &id, NULL),
					 0);
	}
}

static struct record saved(const struct world *w)
{
	struct record r;

	record_save(&r);
	if (sw_save(w->sw, &r, &why))
		fail_msg("%s", why.text);
	return r;
}

static void assert_same_count(const struct sw_count *a, const struct sw_count *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

/* What is only looked at, or shows much later. */
static void assert_same_memory(const struct fault_state *sa, const struct fault_state *sb,
			       const struct sw_timing *ta, const struct sw_timing *tb)
{
	assert_int_equal(!sa, !sb);
	assert_int_equal(!ta, !tb);
	if (sa) {
		assert_int_equal(sa->count, sb->count);
		assert_memory_equal(sa->rule, sb->rule, sa->count * sizeof(*sa->rule));
	}
	if (ta)
		assert_memory_equal(ta, tb, sizeof(*ta));
}

static void assert_same_within(const struct world *a, const struct world *b)
{
	for (uint32_t link = 0; link < LINKS; link++)
		for (int dir = 0; dir < DIRS; dir++)
			assert_same_memory(sw_fault_state(a->sw, link, dir),
					   sw_fault_state(b->sw, link, dir),
					   sw_link_timing(a->sw, link, dir),
					   sw_link_timing(b->sw, link, dir));
	for (uint32_t from = 0; from < MEMBERS; from++)
		for (uint32_t to = 0; to < MEMBERS; to++)
			assert_same_memory(sw_pair_state(a->sw, 0, from, to),
					   sw_pair_state(b->sw, 0, from, to),
					   sw_pair_timing(a->sw, 0, from, to),
					   sw_pair_timing(b->sw, 0, from, to));
}

static void assert_same(const struct world *a, const struct world *b)
{
	assert_true(a->did == b->did);
	assert_true(sw_now_ns(a->sw) == sw_now_ns(b->sw));
	assert_true(sw_next_due_ns(a->sw) == sw_next_due_ns(b->sw));
	assert_true(sw_pool_bytes(a->sw) == sw_pool_bytes(b->sw));
	for (uint32_t link = 0; link < LINKS; link++)
		for (int dir = 0; dir < DIRS; dir++)
			assert_same_count(sw_link_count(a->sw, link, dir),
					  sw_link_count(b->sw, link, dir));
	for (uint32_t port = 0; port < PORTS; port++) {
		assert_same_count(sw_port_count_in(a->sw, port),
				  sw_port_count_in(b->sw, port));
		assert_same_count(sw_port_count_out(a->sw, port),
				  sw_port_count_out(b->sw, port));
	}
}

/* ---- what is done to both ------------------------------------------------ */

struct pair_of_worlds {
	struct world w[2];
	uint64_t seed, picks;
	uint64_t now_ns, serial, skip_to;
	unsigned given[WORDS_MAX]; /* by word: how often it was in a fault that was set */
};

static uint64_t pick(struct pair_of_worlds *p, uint64_t bound)
{
	return draw_below(p->seed, p->picks++, LANE_TOPOLOGY, bound);
}

static void add_words(struct fault_spec **spec, const char *words, uint64_t now_ns)
{
	struct fault_context context = { .dir = folder, .now_ns = now_ns };
	char text[512];
	json_t *json;

	snprintf(text, sizeof(text), "%s", words);
	for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	json = json_loads(text, 0, NULL);
	if (!json)
		fail_msg("%s is not JSON", words);
	/* Not all agree with one another. */
	(void)fault_words_from_json(spec, &context, json, &why);
	json_decref(json);
}

static struct fault_spec *some_fault(struct pair_of_worlds *p)
{
	static const struct fault_rule none;
	struct fault_spec *spec = NULL;
	const struct fault_word *word;

	for (uint64_t n = pick(p, 6); n; n--)
		add_words(&spec, faults[pick(p, ARRAY_SIZE(faults))], p->now_ns);
	for (uint32_t i = 0; spec && i < spec->count; i++)
		for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
			p->given[n] += !fault_word_same(word, &spec->rule[i], &none);
	return spec;
}

static void set_fault(struct pair_of_worlds *p)
{
	struct fault_spec *spec = some_fault(p);
	uint32_t link = (uint32_t)pick(p, LINKS), from = (uint32_t)pick(p, MEMBERS);
	uint32_t to = (uint32_t)pick(p, MEMBERS);
	int dir = (int)pick(p, DIRS);
	bool of_pair = pick(p, 3) == 0 && from != to;

	for (int i = 0; i < 2; i++) {
		struct sw *sw = p->w[i].sw;

		assert_int_equal(
			of_pair ? sw_pair_set(sw, 0, from, to, spec, p->now_ns, &why)
				: sw_fault_set(sw, link, dir, spec, p->now_ns, &why),
			0);
	}
	fault_spec_free(spec);
}

static void put_mac(uint8_t *at, uint64_t port, uint64_t which)
{
	memset(at, 0, 6);
	at[0] = 2;
	at[4] = (uint8_t)which;
	at[5] = (uint8_t)port;
}

/* An IPv4 packet that may be marked, with some bytes of its own. */
static void send_one(struct pair_of_worlds *p, uint32_t from)
{
	static const uint32_t sizes[] = { 60, 90, 590, 1514, 13 };
	uint32_t size = sizes[pick(p, pick(p, 20) ? 4 : 5)];
	uint8_t bytes[1514] = { 0 };

	put_mac(bytes, pick(p, MEMBERS), pick(p, 2));
	if (pick(p, 4) == 0)
		memset(bytes, 0xff, 6);
	put_mac(bytes + 6, from, pick(p, 2));
	bytes[12] = 8;
	bytes[14] = 0x45;
	bytes[15] = 2; /* ECT(0) */
	bytes[17] = (uint8_t)(size - 14);
	memcpy(bytes + 34, &p->serial, sizeof(p->serial));
	p->serial++;
	for (int i = 0; i < 2; i++)
		sw_port_frame(p->w[i].sw, from, (struct frame){ bytes, size }, p->now_ns);
}

static void advance(struct pair_of_worlds *p, uint64_t by_ns)
{
	p->now_ns += by_ns;
	for (int i = 0; i < 2; i++)
		sw_advance(p->w[i].sw, p->now_ns);
}

static void change(struct pair_of_worlds *p)
{
	uint32_t a = (uint32_t)pick(p, NODES), b = (uint32_t)pick(p, NODES);
	uint32_t port = (uint32_t)pick(p, PORTS);
	uint64_t what = pick(p, 10);
	bool yes = pick(p, 4) > 0, cut = pick(p, 3) == 0;
	int room = pick(p, 3) ? ENDLESS : (int)pick(p, 12);
	uint64_t skip_to = p->skip_to += 10 * STEPS;
	uint32_t dues[2];

	for (int i = 0; i < 2; i++) {
		struct world *w = &p->w[i];

		if (what < 2) {
			sw_cut(w->sw, a, b, cut);
		} else if (what == 2 && cut) {
			sw_heal(w->sw);
		} else if (what == 2) {
			/* As a replay does, where frames are missing. */
			sw_skip_to(w->sw, port, skip_to);
		} else if (what < 5) {
			sw_port_up(w->sw, port, yes);
		} else if (what == 5) {
			sw_port_tap(w->sw, port, yes);
		} else if (what < 9) {
			w->room[port] = room;
			if (room)
				sw_port_writable(w->sw, port, p->now_ns);
		} else {
			const uint64_t *at = sw_take_dues(w->sw, &dues[i]);

			note(w, at, dues[i] * sizeof(*at));
		}
	}
}

static void step(struct pair_of_worlds *p)
{
	uint64_t what = pick(p, 100);

	if (what < 60)
		send_one(p, (uint32_t)pick(p, PORTS));
	else if (what < 85)
		advance(p, pick(p, pick(p, 20) ? 300 * US : 30 * MS));
	else if (what < 97)
		change(p);
	else
		set_fault(p);
}

static struct pair_of_worlds *begin(uint64_t seed, uint64_t pool_bytes)
{
	struct pair_of_worlds *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->seed = seed;
	for (int i = 0; i < 2; i++) {
		build(&p->w[i], seed, pool_bytes);
		for (uint32_t port = 0; port < PORTS; port++) {
			p->w[i].room[port] = ENDLESS;
			sw_port_up(p->w[i].sw, port, true);
			sw_port_tap(p->w[i].sw, port, true);
		}
		/* As in virtual time. */
		sw_set_floor(p->w[i].sw, seed % 2 ? 0 : 50 * US);
	}
	return p;
}

static void end(struct pair_of_worlds *p)
{
	sw_destroy(p->w[0].sw);
	sw_destroy(p->w[1].sw);
	free(p);
}

/* The second is thrown away and made from the record of the first. */
static void load_anew(struct pair_of_worlds *p, uint64_t pool_bytes)
{
	struct record to = saved(&p->w[0]), from, again;

	sw_destroy(p->w[1].sw);
	build(&p->w[1], p->seed, pool_bytes);
	record_load(&from, to.bytes, to.size);
	if (sw_load(p->w[1].sw, &from, &why))
		fail_msg("%s", why.text);
	again = saved(&p->w[1]);
	assert_int_equal(again.size, to.size);
	assert_memory_equal(again.bytes, to.bytes, to.size);
	record_free(&to);
	record_free(&again);
	assert_same_within(&p->w[0], &p->w[1]);
}

static void live(uint64_t seed, unsigned steps, uint64_t pool_bytes, unsigned *given)
{
	struct pair_of_worlds *p = begin(seed, pool_bytes);

	for (unsigned i = 0; i < steps; i++) {
		if (pick(p, 50) == 0)
			load_anew(p, pool_bytes);
		step(p);
		assert_same(&p->w[0], &p->w[1]);
	}
	/* It was about something. */
	assert_true(p->w[0].delivered > steps / 10 && p->w[0].taps > steps / 2);
	for (size_t n = 0; n < WORDS_MAX; n++)
		given[n] += p->given[n];
	end(p);
}

static void a_switch_that_was_saved_and_loaded_goes_on_the_same(void **state)
{
	unsigned given[WORDS_MAX] = { 0 };
	const struct fault_word *word;

	(void)state;
	live(1, STEPS / 2, 16 << 20, given);
	live(2, STEPS / 2, 64 << 10, given);
	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
		if (!given[n] && strcmp(word->key, "profile"))
			fail_msg("%s: no fault had it", word->key);
}

/* ---- what cannot be loaded ----------------------------------------------- */

static int load_switch(void *ctx, struct record *r, struct why *w)
{
	struct pair_of_worlds *p = ctx;
	struct world world = { 0 };
	int err;

	build(&world, p->seed, 16 << 20);
	err = sw_load(world.sw, r, w);
	if (!err && sw_now_ns(world.sw) < S) {
		/* It can be used. */
		uint8_t bytes[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 };

		sw_port_frame(world.sw, 0, (struct frame){ bytes, sizeof(bytes) }, S);
		sw_advance(world.sw, 2 * S);
		for (uint32_t port = 0; port < PORTS; port++)
			sw_port_up(world.sw, port, false);
	}
	sw_destroy(world.sw);
	return err;
}

static void a_damaged_switch_is_refused(void **state)
{
	struct pair_of_worlds *p = begin(3, 16 << 20);
	struct record r;

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		step(p);
	r = saved(&p->w[0]);
	assert_true(r.size > 2000);
	assert_true(damaged_is_refused(r.bytes, r.size, load_switch, p) > 500);
	record_free(&r);
	end(p);
}

static void refused(const struct record *r, struct sw *other, const char *text)
{
	struct record from;

	record_load(&from, r->bytes, r->size);
	assert_int_equal(sw_load(other, &from, &why), -EBADMSG);
	assert_string_equal(why.text, text);
	sw_destroy(other);
}

/* Built the same, with something more. */
static struct sw *other_switch(uint64_t seed, bool port, bool segment, bool link)
{
	struct world other = { 0 };
	uint32_t id, at = 0;

	build(&other, seed, 16 << 20);
	if (port)
		assert_int_equal(sw_add_port(other.sw, "n0:eth99", 0, &at, NULL), 0);
	if (segment)
		assert_int_equal(sw_add_segment(other.sw, "lan2", S, &id, NULL), 0);
	if (link)
		assert_int_equal(sw_link_segment(other.sw, "more", at, 0, &id, NULL), 0);
	return other.sw;
}

static void a_switch_of_another_lab_is_refused(void **state)
{
	struct pair_of_worlds *p = begin(3, 16 << 20);
	struct record r = saved(&p->w[0]), from;
	struct world other = { 0 };
	uint32_t port, link;

	(void)state;
	refused(&r, other_switch(4, false, false, false),
		"record of switch, byte 40: the seed is 3 there, and 4 here");
	refused(&r, other_switch(3, true, false, false),
		"record of switch, byte 56: the number of ports is 11 there, and 12 "
		"here");
	refused(&r, other_switch(3, false, true, false),
		"record of switch, byte 64: the number of segments is 1 there, and 2 "
		"here");
	/* The same numbers, but not the same. */
	record_free(&r);
	sw_destroy(p->w[0].sw);
	p->w[0].sw = other_switch(3, true, false, true);
	r = saved(&p->w[0]);
	refused(&r, other_switch(3, true, false, false),
		"record of switch, byte 72: the number of links is 9 there, and 8 here");
	/* And the same numbers, but other names, and so other draws. */
	build(&other, 3, 16 << 20);
	assert_int_equal(sw_add_port(other.sw, "n1:eth99", 1, &port, NULL), 0);
	assert_int_equal(sw_link_segment(other.sw, "more", port, 0, &link, NULL), 0);
	record_load(&from, r.bytes, r.size);
	assert_int_equal(sw_load(other.sw, &from, &why), -EBADMSG);
	assert_non_null(strstr(why.text, ", direction 16: more n1->lan is "));
	sw_destroy(other.sw);
	record_free(&r);
	end(p);
}

/* ---- files ---------------------------------------------------------------- */

static const char *const files[][2] = {
	{ "capacity", "1\n1\n3\n4\n" },
	{ "table", "-8192 0 8192 4000 -4000\n" },
	{ "samples", "1ms 500us 3ms\n" },
};

static int write_files(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[64];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", folder, files[i][0]);
		file = fopen(path, "w");
		if (!file || fputs(files[i][1], file) < 0 || fclose(file))
			return -1;
	}
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", folder, files[i][0]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_that_was_saved_and_loaded_goes_on_the_same),
		cmocka_unit_test(a_damaged_switch_is_refused),
		cmocka_unit_test(a_switch_of_another_lab_is_refused),
	};

	return cmocka_run_group_tests(tests, write_files, remove_files);
}
