/* SPDX-License-Identifier: MIT */
#include "lib/one_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "faultwords/fault_words.h"

enum {
	SMALL_BYTES = 60,
	LARGE_BYTES = 1514,
	IP_AT = 14,
	/* The number is there so often that damage leaves its majority. */
	NUMBER_AT = 34,
	NUMBER_TIMES = 12,
	WORDS_BYTES_MAX = 2048,
};

static void fill(uint8_t *bytes, uint32_t number, uint32_t size)
{
	uint16_t stamp = (uint16_t)number;

	memset(bytes, 0, size);
	bytes[12] = 0x08;
	bytes[IP_AT] = 0x45;
	bytes[IP_AT + 1] = 2; /* ECT(0) */
	bytes[IP_AT + 9] = 253;
	for (unsigned i = 0; i < NUMBER_TIMES; i++)
		memcpy(bytes + NUMBER_AT + i * sizeof(stamp), &stamp, sizeof(stamp));
}

/* Each bit as most of them have it. */
static uint32_t number_of(struct frame frame)
{
	uint32_t number = 0;

	for (unsigned bit = 0; bit < 16; bit++) {
		unsigned set = 0;

		for (unsigned i = 0; i < NUMBER_TIMES; i++) {
			uint16_t one;

			memcpy(&one, frame.bytes + NUMBER_AT + i * sizeof(one),
			       sizeof(one));
			set += one >> bit & 1;
		}
		number |= (uint32_t)(set > NUMBER_TIMES / 2) << bit;
	}
	return number;
}

static uint64_t changes_of(struct frame frame, uint32_t number)
{
	uint8_t sent[LARGE_BYTES];
	uint64_t hash = 0;

	assert_true(frame.size <= sizeof(sent));
	fill(sent, number, frame.size);
	for (uint32_t i = 0; i < frame.size; i++)
		if (sent[i] != frame.bytes[i])
			hash = (hash + i * 256 + frame.bytes[i] + 1) *
			       UINT64_C(0x100000001b3);
	return hash;
}

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	struct one_wire *wire = ctx;
	uint32_t number = number_of(frame);
	struct wire_frame *it;

	assert_int_equal(port, 1);
	assert_true(number < wire->sent && wire->arrivals < WIRE_ARRIVALS_MAX);
	it = &wire->frames[number];
	if (!it->copies++)
		it->came_ns = wire->now_ns;
	it->changes = it->changes * 31 + changes_of(frame, number);
	wire->order[wire->arrivals++] = number;
	return 0;
}

static void tap(void *ctx, const struct sw_tap_event *event)
{
	struct one_wire *wire = ctx;

	if (event->inbound && !event->late)
		wire->entered++;
	if (!event->inbound)
		wire->left++;
	else if (event->fate != SW_PASS)
		wire->lost[event->fate]++;
}

static const struct sw_sink sink = { .deliver = deliver, .tap = tap };

/* What passed in is what came out, what waits, and what is told lost. */
static void balance(const struct one_wire *wire)
{
	const struct sw_count *count = sw_link_count(wire->sw, wire->link, DIR_AB);
	uint64_t lost = 0;

	for (int fate = 0; fate < SW_FATES; fate++) {
		assert_int_equal(wire->lost[fate], count->dropped[fate]);
		lost += wire->lost[fate];
	}
	assert_int_equal(wire->entered, wire->sent);
	assert_int_equal(count->frames, wire->sent);
	assert_int_equal(count->passed, wire->left);
	assert_int_equal(wire->arrivals, wire->left);
	assert_int_equal(wire->sent + count->copies, wire->left + lost + count->queued);
}

struct one_wire *one_wire_open(uint64_t seed, const char *folder)
{
	struct one_wire *wire = calloc(1, sizeof(*wire));
	const struct sw_config config = { .seed = seed,
					  .node_count = 2,
					  .pool_bytes_max = 64 << 20,
					  .sink = &sink,
					  .ctx = wire };
	uint32_t port;

	assert_non_null(wire);
	wire->folder = folder;
	assert_int_equal(sw_create(&wire->sw, &config, NULL), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(
			sw_add_port(wire->sw, i ? "n2:eth0" : "n1:eth0", i, &port, NULL),
			0);
		sw_port_tap(wire->sw, port, true);
	}
	assert_int_equal(sw_link_ports(wire->sw, "wire", 0, 1, &wire->link, NULL), 0);
	sw_port_up(wire->sw, 0, true);
	sw_port_up(wire->sw, 1, true);
	return wire;
}

void one_wire_close(struct one_wire *wire)
{
	fault_spec_free(wire->spec);
	sw_destroy(wire->sw);
	free(wire);
}

static void renew(struct one_wire *wire)
{
	assert_int_equal(sw_fault_set(wire->sw, wire->link, DIR_AB, wire->spec,
				      wire->now_ns, NULL),
			 0);
	balance(wire);
}

/* As people write them here; the caller frees what is read. */
static json_t *read_words(const char *words)
{
	char text[WORDS_BYTES_MAX];
	json_t *json;

	assert_true(strlen(words) < sizeof(text));
	snprintf(text, sizeof(text), "%s", words);
	for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	json = json_loads(text, 0, NULL);
	if (!json)
		fail_msg("%s is not JSON", words);
	return json;
}

bool one_wire_try(struct one_wire *wire, const char *words)
{
	struct fault_context context = { .dir = wire->folder, .now_ns = wire->now_ns };
	json_t *json = read_words(words);
	int err = fault_words_from_json(&wire->spec, &context, json, NULL);

	json_decref(json);
	if (!err)
		renew(wire);
	return !err;
}

void one_wire_set(struct one_wire *wire, const char *words)
{
	struct fault_context context = { .dir = wire->folder, .now_ns = wire->now_ns };
	json_t *json = read_words(words);
	struct why why = { "" };

	if (fault_words_from_json(&wire->spec, &context, json, &why))
		fail_msg("%s: %s", words, why.text);
	json_decref(json);
	renew(wire);
}

void one_wire_clear(struct one_wire *wire)
{
	fault_spec_free(wire->spec);
	wire->spec = NULL;
	renew(wire);
}

void one_wire_forget_rule(struct one_wire *wire, const char *name)
{
	fault_words_clear(&wire->spec, name, NULL, NULL);
}

void one_wire_until(struct one_wire *wire, uint64_t now_ns)
{
	uint64_t due_ns;

	while ((due_ns = sw_next_due_ns(wire->sw)) <= now_ns) {
		wire->now_ns = due_ns;
		sw_advance(wire->sw, due_ns);
	}
	wire->now_ns = now_ns;
	sw_advance(wire->sw, now_ns);
	balance(wire);
}

void one_wire_send(struct one_wire *wire, uint32_t size)
{
	uint8_t bytes[LARGE_BYTES];

	assert_true(wire->sent < WIRE_FRAMES_MAX && size <= sizeof(bytes));
	fill(bytes, wire->sent++, size);
	sw_port_frame(wire->sw, 0, (struct frame){ bytes, size }, wire->now_ns);
	/* What was lent is gone. */
	memset(bytes, 0xee, sizeof(bytes));
	balance(wire);
}

void one_wire_send_some(struct one_wire *wire, unsigned count, uint64_t key)
{
	for (unsigned i = 0; i < count; i++) {
		if (draw_below(key, i, LANE_TOPOLOGY, 4) == 0)
			one_wire_until(wire, wire->now_ns + draw_below(key, i, LANE_LOSS,
								       8 * MS));
		one_wire_send(wire, draw_below(key, i, LANE_JITTER, 3) ? SMALL_BYTES
								       : LARGE_BYTES);
	}
}
