/* SPDX-License-Identifier: MIT */
/* What is done to a frame's bytes, and the files that faults read. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "linkfault/data.h"
#include "linkfault/edit.h"

enum { PAYLOAD = 37, ECT0 = 2, CE = 3 }; /* an odd number of bytes */

/* A frame, and where its parts are. */
struct packet {
	uint8_t bytes[160];
	uint32_t size, ip, l4;
	uint8_t proto;
	bool v6;
};

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* RFC 1071, the plain way: all words, the pseudo header's too; 0xffff is right. */
static unsigned sum_of(const uint8_t *at, uint32_t size, unsigned sum)
{
	for (uint32_t i = 0; i < size; i++)
		sum += i % 2 ? at[i] : (unsigned)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static bool header_is_right(const struct packet *p)
{
	return p->v6 || sum_of(p->bytes + p->ip, 20, 0) == 0xffff;
}

static bool payload_is_right(const struct packet *p)
{
	uint32_t size = p->size - p->l4;
	unsigned pseudo = p->proto == 1 ? 0 : size + p->proto;

	if (p->proto != 1)
		pseudo = p->v6 ? sum_of(p->bytes + p->ip + 8, 32, pseudo)
			       : sum_of(p->bytes + p->ip + 12, 8, pseudo);
	return sum_of(p->bytes + p->l4, size, pseudo) == 0xffff;
}

static struct packet packet(bool tagged, bool v6, uint8_t proto, unsigned ecn)
{
	struct packet p = { .ip = tagged ? 18 : 14, .proto = proto, .v6 = v6 };
	uint32_t header = proto == 6 ? 20 : 8;
	uint8_t *ip = p.bytes + p.ip;

	p.l4 = p.ip + (v6 ? 40 : 20);
	p.size = p.l4 + header + PAYLOAD;
	for (uint32_t i = 0; i < p.size; i++)
		p.bytes[i] = (uint8_t)(i * 37 + 5);
	if (tagged)
		put16(p.bytes + 12, 0x8100);
	put16(p.bytes + p.ip - 2, v6 ? 0x86dd : 0x0800);
	ip[0] = v6 ? 0x60 : 0x45;
	ip[1] = (uint8_t)(v6 ? ecn << 4 : ecn);
	if (v6) {
		put16(ip + 4, p.size - p.l4);
		ip[6] = proto;
	} else {
		put16(ip + 2, p.size - p.ip);
		put16(ip + 6, 0x4000);
		ip[9] = proto;
	}
	edit_repair(p.bytes, p.size);
	return p;
}

/* Every protocol, with and without a tag. */
static const struct {
	bool tagged, v6;
	uint8_t proto;
} kinds[] = {
	{ false, false, 6 }, { false, false, 17 }, { true, false, 17 },
	{ false, false, 1 }, { false, true, 6 },   { false, true, 17 },
	{ true, true, 58 },
};

static void repaired_checksums_are_right_whatever_bit_was_wrong(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct packet whole =
			packet(kinds[k].tagged, kinds[k].v6, kinds[k].proto, ECT0);

		assert_true(header_is_right(&whole) && payload_is_right(&whole));
		for (uint32_t bit = 8 * (whole.l4 + 8); bit < 8 * whole.size; bit++) {
			struct packet p = whole;

			p.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			/* TCP's own checksum is no payload. */
			if (p.proto == 6 && bit / 8 - p.l4 >= 16 && bit / 8 - p.l4 < 18)
				continue;
			assert_false(payload_is_right(&p));
			edit_repair(p.bytes, p.size);
			assert_true(header_is_right(&p) && payload_is_right(&p));
			assert_memory_not_equal(p.bytes, whole.bytes, p.size);
		}
	}
}

static void a_repair_leaves_alone_what_has_no_checksum(void **state)
{
	struct packet p = packet(false, false, 17, 0), before;

	(void)state;
	put16(p.bytes + p.l4 + 6, 0); /* UDP without one */
	before = p;
	edit_repair(p.bytes, p.size);
	assert_memory_equal(p.bytes, before.bytes, p.size);
	/* A fragment: the header only. */
	p = packet(false, false, 6, 0);
	put16(p.bytes + p.ip + 6, 0x2000);
	p.bytes[p.size - 1] ^= 1;
	before = p;
	edit_repair(p.bytes, p.size);
	assert_true(header_is_right(&p));
	assert_memory_equal(p.bytes + p.l4, before.bytes + p.l4, p.size - p.l4);
	/* No IP at all, and one that is cut off or lies about its length. */
	p = packet(false, false, 6, 0);
	put16(p.bytes + 12, 0x88b5);
	before = p;
	edit_repair(p.bytes, p.size);
	assert_memory_equal(p.bytes, before.bytes, p.size);
	for (uint32_t size = 0; size < p.size; size++) {
		struct packet cut = packet(false, size % 2, 6, 0);

		put16(cut.bytes + cut.ip + 2, 65535);
		before = cut;
		edit_repair(cut.bytes, size);
		assert_memory_equal(cut.bytes + size, before.bytes + size,
				    cut.size - size);
	}
}

static void a_mark_is_set_where_it_may_be_and_the_header_stays_right(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (unsigned ecn = 0; ecn < 4; ecn++) {
			struct packet p =
				packet(kinds[k].tagged, kinds[k].v6, kinds[k].proto, ecn);
			struct packet like =
				packet(kinds[k].tagged, kinds[k].v6, kinds[k].proto, CE);

			assert_int_equal(edit_can_mark(p.bytes, p.size), ecn != 0);
			if (!ecn)
				continue;
			edit_mark(p.bytes, p.size);
			assert_true(header_is_right(&p) && payload_is_right(&p));
			assert_memory_equal(p.bytes, like.bytes, p.size);
		}
}

/* ---- lists and files --------------------------------------------------- */

static void a_list_has_its_numbers_and_no_others(void **state)
{
	struct fault_data *list = NULL;
	char got[16] = "";

	(void)state;
	assert_int_equal(fault_data_parse(&list, DATA_NUMBERS, "x", "0,3-4,7,9-12", NULL),
			 0);
	for (unsigned n = 0; n < 15; n++)
		got[n] = fault_data_has(list, n) ? 'x' : '.';
	assert_string_equal(got, "x..xx..x.xxxx..");
	assert_false(fault_data_has(list, UINT64_MAX));
	fault_data_free(list);
}

static void what_is_wrong_with_a_file_is_told_with_its_line(void **state)
{
	static const struct {
		enum fault_data_kind kind;
		const char *text, *says; /* NULL: it is right */
	} cases[] = {
		{ DATA_NUMBERS, "4,3", "must ascend" },
		{ DATA_NUMBERS, "3,3", "must ascend" },
		{ DATA_NUMBERS, "5-3", "not a number" },
		{ DATA_NUMBERS, "1,,2", "not a number" },
		{ DATA_NUMBERS, "", "nothing in it" },
		{ DATA_TABLE, "# comment\n1 -2\n3 x", "f:3: \"x\"" },
		{ DATA_TABLE, "# only a comment", "nothing in it" },
		{ DATA_TABLE, "-8192 0 8192 # and that", NULL },
		{ DATA_SAMPLES, "1ms\n2\n", "f:2: \"2\"" },
		{ DATA_SAMPLES, "61min", "at most an hour" },
		{ DATA_TRACE, "1ms 2ms", NULL },
		{ DATA_CAPACITY, "5\n3\n", "f:2: \"3\": a time not before" },
		{ DATA_CAPACITY, "0\n0\n", "cannot be 0" },
		{ DATA_CAPACITY, "0\n0\n7\n", NULL },
		{ DATA_CAPACITY, "1ms", "whole number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_data *data = NULL;
		struct why why = { "" };
		int err =
			fault_data_parse(&data, cases[i].kind, "f", cases[i].text, &why);

		assert_int_equal(err == 0, cases[i].says == NULL);
		if (err && !strstr(why.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, why.text);
		fault_data_free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repaired_checksums_are_right_whatever_bit_was_wrong),
		cmocka_unit_test(a_repair_leaves_alone_what_has_no_checksum),
		cmocka_unit_test(
			a_mark_is_set_where_it_may_be_and_the_header_stays_right),
		cmocka_unit_test(a_list_has_its_numbers_and_no_others),
		cmocka_unit_test(what_is_wrong_with_a_file_is_told_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
