/* SPDX-License-Identifier: MIT */
#include "base/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "base/ring.h"
#include "lib/damaged.h"

static struct why why;

/* One of each. */
struct thing {
	uint8_t a;
	uint16_t b;
	uint32_t c, choice;
	uint64_t d;
	int32_t e;
	int64_t f;
	bool g;
	char text[8];
	char *string;
	uint64_t count;
	uint8_t items[16];
};

static const struct thing thing = { .a = 0xfe,
				    .b = 0xfedc,
				    .c = 0xfedcba98,
				    .choice = 2,
				    .d = UINT64_C(0xfedcba9876543210),
				    .e = -2,
				    .f = INT64_MIN,
				    .g = true,
				    .text = "seven77",
				    .string = (char[]){ "as long as one likes" },
				    .count = 3,
				    .items = { 7, 8, 9 } };

static int thing_record(struct thing *t, struct record *r, struct why *w)
{
	record_begin(r, "thing", 3, w);
	record_u8(r, &t->a);
	record_u16(r, &t->b);
	record_part(r, "number", 3);
	record_u32(r, &t->c);
	record_below(r, &t->choice, 5, "choice");
	record_u64(r, &t->d);
	record_i32(r, &t->e);
	record_i64(r, &t->f);
	record_bool(r, &t->g);
	record_text(r, t->text, sizeof(t->text));
	record_string(r, &t->string, 64);
	record_count(r, &t->count, 1);
	if (t->count > sizeof(t->items))
		record_refuse(r, "too many");
	else
		record_bytes(r, t->items, t->count);
	record_same(r, 77, "the number of sevens");
	return record_end(r);
}

static struct record saved(void)
{
	struct thing copy = thing;
	struct record r;

	record_save(&r);
	assert_int_equal(thing_record(&copy, &r, &why), 0);
	return r;
}

static void what_is_written_is_what_is_read(void **state)
{
	struct record to = saved(), from;
	struct thing t;

	(void)state;
	memset(&t, 0xee, sizeof(t));
	record_load(&from, to.bytes, to.size);
	assert_int_equal(thing_record(&t, &from, &why), 0);
	assert_int_equal(t.a, thing.a);
	assert_int_equal(t.b, thing.b);
	assert_int_equal(t.c, thing.c);
	assert_int_equal(t.choice, thing.choice);
	assert_true(t.d == thing.d);
	assert_int_equal(t.e, thing.e);
	assert_true(t.f == thing.f);
	assert_true(t.g);
	assert_string_equal(t.text, thing.text);
	assert_string_equal(t.string, thing.string);
	assert_int_equal(t.count, 3);
	assert_memory_equal(t.items, thing.items, 3);
	free(t.string);
	record_free(&to);
}

/* The format is what the header says, byte by byte. */
static void a_record_has_the_bytes_that_the_format_says(void **state)
{
	static const uint8_t expected[] = {
		'N', 'L', 'R', '1', 9,	0, 0, 0, 'k', 'i', 'n', 'd',
		0,   0,	  0,   0,   11, 0, 0, 0, 0,   0,   0,	0,
	};
	static const uint8_t values[] = { 4, 3, 2, 1, 1, 2, 0, 0, 0, 'o', 'k' };
	uint32_t number = 0x01020304;
	bool yes = true;
	char ok[] = "ok";
	struct record r;

	(void)state;
	record_save(&r);
	record_begin(&r, "kind", 9, &why);
	record_u32(&r, &number);
	record_bool(&r, &yes);
	record_text(&r, ok, sizeof(ok));
	assert_int_equal(record_end(&r), 0);
	assert_int_equal(r.size, RECORD_HEADER_BYTES + sizeof(values));
	assert_memory_equal(r.bytes, expected, sizeof(expected));
	assert_memory_equal(r.bytes + RECORD_HEADER_BYTES, values, sizeof(values));
	record_free(&r);
}

static void records_lie_one_after_the_other(void **state)
{
	struct thing first = thing, second = thing, t;
	struct record to, from;

	(void)state;
	second.c = 5;
	record_save(&to);
	assert_int_equal(thing_record(&first, &to, &why), 0);
	assert_int_equal(thing_record(&second, &to, &why), 0);
	record_load(&from, to.bytes, to.size);
	assert_int_equal(thing_record(&t, &from, &why), 0);
	assert_int_equal(t.c, thing.c);
	free(t.string);
	assert_int_equal(thing_record(&t, &from, &why), 0);
	assert_int_equal(t.c, 5);
	free(t.string);
	assert_int_equal(thing_record(&t, &from, &why), -EBADMSG);
	assert_string_equal(why.text, "record of thing, byte 236: it is cut short: there "
				      "is no header");
	record_free(&to);
}

static int load_thing(void *ctx, struct record *r, struct why *w)
{
	struct thing t = { 0 };
	int err = thing_record(&t, r, w);

	(void)ctx;
	free(t.string);
	return err;
}

static void what_is_cut_or_changed_is_refused(void **state)
{
	struct record r = saved();

	(void)state;
	assert_true(damaged_is_refused(r.bytes, r.size, load_thing, NULL) > 100);
	record_free(&r);
}

static int refused(const char *kind, uint32_t version, const struct record *r)
{
	struct record from;

	record_load(&from, r->bytes, r->size);
	record_begin(&from, kind, version, &why);
	return record_end(&from);
}

static void a_refusal_says_what_is_wrong_and_where(void **state)
{
	struct record r = saved();
	struct thing t = thing;

	(void)state;
	assert_int_equal(refused("ring", 3, &r), -EBADMSG);
	assert_string_equal(why.text, "record of ring, byte 0: it is the record of "
				      "something else");
	assert_int_equal(refused("thing", 4, &r), -EBADMSG);
	assert_string_equal(why.text, "record of thing, byte 0: it has version 3, and "
				      "this netlab reads 4");
	assert_int_equal(refused("thing", 3, &r), -EBADMSG);
	assert_string_equal(why.text, "record of thing, byte 32: 86 bytes are left over");
	r.bytes[40] ^= 1;
	assert_int_equal(refused("thing", 3, &r), -EBADMSG);
	assert_string_equal(why.text, "record of thing, byte 0: it is damaged: the "
				      "checksum is another");
	r.bytes[0] = 'n';
	assert_int_equal(refused("thing", 3, &r), -EBADMSG);
	assert_string_equal(why.text,
			    "record of thing, byte 0: this is no record of netlab's");
	record_free(&r);
	/* What would not be read is not written either. */
	t.choice = 5;
	record_save(&r);
	assert_int_equal(thing_record(&t, &r, &why), -EBADMSG);
	assert_string_equal(why.text,
			    "record of thing, byte 43, number 3: choice 5 of 5");
	record_free(&r);
}

/* ---- a ring ------------------------------------------------------------ */

enum { ROOM = 13 };

static void put_some(struct ring *a, struct ring *b, uint64_t i)
{
	uint8_t bytes[2 * ROOM];
	size_t n = draw_below(1, i, LANE_LOSS, sizeof(bytes));

	for (size_t k = 0; k < n; k++)
		bytes[k] = (uint8_t)draw_bits(i, k, LANE_LOSS);
	ring_put(a, bytes, n);
	ring_put(b, bytes, n);
}

static void assert_same(const struct ring *a, const struct ring *b)
{
	uint8_t ta[ROOM], tb[ROOM];

	assert_true(a->end == b->end);
	assert_int_equal(ring_tail(a, ta, ROOM), ring_tail(b, tb, ROOM));
	assert_memory_equal(ta, tb, a->end - ring_first(a));
	for (uint64_t from = ring_first(a); from < a->end; from++) {
		const uint8_t *pa, *pb;
		size_t n = ring_peek(a, from, &pa);

		assert_int_equal(ring_peek(b, from, &pb), n);
		assert_memory_equal(pa, pb, n);
	}
}

static void a_ring_that_was_saved_and_loaded_goes_on_the_same(void **state)
{
	struct ring a, b;

	(void)state;
	assert_int_equal(ring_init(&a, ROOM), 0);
	assert_int_equal(ring_init(&b, ROOM), 0);
	for (uint64_t i = 0; i < 100000; i++) {
		put_some(&a, &b, i);
		assert_same(&a, &b);
		if (i % 3 == 0) {
			struct record to, from;

			record_save(&to);
			assert_int_equal(ring_save(&a, &to, &why), 0);
			ring_free(&b);
			assert_int_equal(ring_init(&b, ROOM), 0);
			memset(b.bytes, 0xee, ROOM);
			record_load(&from, to.bytes, to.size);
			assert_int_equal(ring_load(&b, &from, &why), 0);
			assert_same(&a, &b);
			record_free(&to);
		}
	}
	ring_free(&a);
	ring_free(&b);
}

static int load_ring(void *ctx, struct record *r, struct why *w)
{
	struct ring ring;
	const uint8_t *piece;
	int err;

	(void)ctx;
	assert_int_equal(ring_init(&ring, ROOM), 0);
	err = ring_load(&ring, r, w);
	if (err)
		assert_int_equal(ring.end, 0);
	else
		ring_peek(&ring, ring_first(&ring), &piece);
	ring_free(&ring);
	return err;
}

static void a_damaged_ring_is_refused(void **state)
{
	struct record r;
	struct ring ring;

	(void)state;
	assert_int_equal(ring_init(&ring, ROOM), 0);
	ring_put(&ring, (const uint8_t *)"twenty bytes of text", 20);
	record_save(&r);
	assert_int_equal(ring_save(&ring, &r, &why), 0);
	assert_true(damaged_is_refused(r.bytes, r.size, load_ring, NULL) > 50);
	record_free(&r);
	ring_free(&ring);
}

static void a_ring_of_another_size_is_refused(void **state)
{
	struct ring ring, other;
	struct record to, from;

	(void)state;
	assert_int_equal(ring_init(&ring, ROOM), 0);
	assert_int_equal(ring_init(&other, ROOM + 1), 0);
	record_save(&to);
	assert_int_equal(ring_save(&ring, &to, &why), 0);
	record_load(&from, to.bytes, to.size);
	assert_int_equal(ring_load(&other, &from, &why), -EBADMSG);
	assert_string_equal(why.text, "record of ring, byte 40: the room of the ring is "
				      "13 there, and 14 here");
	record_free(&to);
	ring_free(&ring);
	ring_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_what_is_read),
		cmocka_unit_test(a_record_has_the_bytes_that_the_format_says),
		cmocka_unit_test(records_lie_one_after_the_other),
		cmocka_unit_test(what_is_cut_or_changed_is_refused),
		cmocka_unit_test(a_refusal_says_what_is_wrong_and_where),
		cmocka_unit_test(a_ring_that_was_saved_and_loaded_goes_on_the_same),
		cmocka_unit_test(a_damaged_ring_is_refused),
		cmocka_unit_test(a_ring_of_another_size_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
