/* SPDX-License-Identifier: MIT */
#include "base/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

typedef int parse_fn(const char *text, uint64_t *out, struct why *why);

struct good {
	parse_fn *parse;
	const char *text;
	uint64_t value;
};

struct bad {
	parse_fn *parse;
	const char *text;
	int err;
	const char *says; /* part of the reason */
};

static void a_number_with_a_unit_is_exact(void **state)
{
	static const struct good cases[] = {
		{ units_parse_ns, "50ms", 50000000 },
		{ units_parse_ns, "1.5s", 1500000000 },
		{ units_parse_ns, "0.000000001s", 1 },
		{ units_parse_ns, "0ns", 0 },
		{ units_parse_ns, "10 us", 10000 },
		{ units_parse_ns, "2min", UINT64_C(120000000000) },
		{ units_parse_ns, "1h", UINT64_C(3600000000000) },
		{ units_parse_ns, "18446744073709551615ns", UINT64_MAX },
		{ units_parse_bps, "10Mbit", 10000000 },
		{ units_parse_bps, "10Mbit/s", 10000000 },
		{ units_parse_bps, "1.5kbit", 1500 },
		{ units_parse_bps, "9bit", 9 },
		{ units_parse_bps, "1Gbit", 1000000000 },
		{ units_parse_ppm, "1%", 10000 },
		{ units_parse_ppm, "0.5%", 5000 },
		{ units_parse_ppm, "0.0001%", 1 },
		{ units_parse_ppm, "100ppm", 100 },
		{ units_parse_ppm, "100.0000%", 1000000 },
		{ units_parse_memory, "64M", UINT64_C(64) << 20 },
		{ units_parse_memory, "64MiB", UINT64_C(64) << 20 },
		{ units_parse_memory, "1.5G", UINT64_C(1536) << 20 },
		{ units_parse_memory, "4K", 4096 },
		{ units_parse_size, "150kB", 150000 },
		{ units_parse_size, "64KiB", 65536 },
		{ units_parse_size, "7B", 7 },
		{ units_parse_size, "1MB", 1000000 },
		{ units_parse_size, "1MiB", 1048576 },
		{ units_parse_count, "0", 0 },
		{ units_parse_count, "18446744073709551615", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct why why = { "" };
		uint64_t out = 12345;

		if (cases[i].parse(cases[i].text, &out, &why))
			fail_msg("%s: %s", cases[i].text, why.text);
		if (out != cases[i].value)
			fail_msg("%s: %llu", cases[i].text, (unsigned long long)out);
	}
}

static void what_is_no_quantity_is_refused_with_the_accepted_forms(void **state)
{
	static const struct bad cases[] = {
		{ units_parse_ns, "", -EINVAL, "ns us ms s min" },
		{ units_parse_ns, "50", -EINVAL, "has no unit" },
		{ units_parse_ns, "1.5", -EINVAL, "has no unit" },
		{ units_parse_ns, "-5ms", -EINVAL, "cannot be negative" },
		{ units_parse_ns, "+5ms", -EINVAL, "not a duration" },
		{ units_parse_ns, "5 parsecs", -EINVAL, "not a duration" },
		{ units_parse_ns, "5mss", -EINVAL, "not a duration" },
		{ units_parse_ns, "5ms ", -EINVAL, "not a duration" },
		{ units_parse_ns, " 5ms", -EINVAL, "not a duration" },
		{ units_parse_ns, "5  ms", -EINVAL, "not a duration" },
		{ units_parse_ns, "5MS", -EINVAL, "not a duration" },
		{ units_parse_ns, "5.ms", -EINVAL, "not a duration" },
		{ units_parse_ns, ".5ms", -EINVAL, "not a duration" },
		{ units_parse_ns, "1e3ms", -EINVAL, "not a duration" },
		{ units_parse_ns, "0x5ms", -EINVAL, "not a duration" },
		{ units_parse_ns, "5ms/s", -EINVAL, "not a duration" },
		{ units_parse_ns, "nan", -EINVAL, "not a duration" },
		{ units_parse_ns, "0.5ns", -EINVAL, "finer than one ns" },
		{ units_parse_ns, "18446744073709551616ns", -ERANGE, "too long" },
		{ units_parse_ns, "18446744073709551615us", -ERANGE, "too large" },
		{ units_parse_ns, "0.00000000000000000000000000001s", -ERANGE,
		  "too long" },
		{ units_parse_bps, "10Mbps", -EINVAL, "kbit Mbit Gbit" },
		{ units_parse_bps, "/s", -EINVAL, "not a rate" },
		{ units_parse_bps, "10/s", -EINVAL, "not a rate" },
		{ units_parse_ppm, "1", -EINVAL, "has no unit" },
		{ units_parse_ppm, "0.00001%", -EINVAL, "finer than one ppm" },
		{ units_parse_ppm, "0.5ppm", -EINVAL, "finer than one ppm" },
		{ units_parse_memory, "64MB", -EINVAL, "K M G KiB MiB GiB" },
		{ units_parse_memory, "64m", -EINVAL, "not an amount of memory" },
		{ units_parse_size, "150k", -EINVAL, "B kB MB KiB MiB" },
		{ units_parse_count, "", -EINVAL, "not a whole number" },
		{ units_parse_count, "1.0", -EINVAL, "not a whole number" },
		{ units_parse_count, "7 ", -EINVAL, "not a whole number" },
		{ units_parse_count, "-1", -EINVAL, "not a whole number" },
		{ units_parse_count, "18446744073709551616", -ERANGE, "too large" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct why why = { "" };
		uint64_t out = 12345;

		if (cases[i].parse(cases[i].text, &out, &why) != cases[i].err)
			fail_msg("\"%s\": wrong result, %s", cases[i].text, why.text);
		if (!strstr(why.text, cases[i].says))
			fail_msg("\"%s\": %s", cases[i].text, why.text);
		assert_int_equal(out, 12345);
		assert_int_equal(cases[i].parse(cases[i].text, &out, NULL), cases[i].err);
	}
}

static void what_is_printed_reads_back_as_the_same_number(void **state)
{
	static const struct {
		parse_fn *parse;
		const char *(*format)(char *text, uint64_t value);
		uint64_t step; /* the finest that the format can say */
	} kinds[] = {
		{ units_parse_ns, units_format_ns, 1 },
		{ units_parse_bps, units_format_bps, 1 },
		{ units_parse_ppm, units_format_ppm, 1 },
		{ units_parse_size, units_format_size, 1 },
		{ units_parse_memory, units_format_memory, 1024 },
	};
	static const uint64_t values[] = { 0,	    1,	     9,		  10,
					   999,	    1000,    1001,	  1023,
					   1024,    1500,    10000,	  12340,
					   65536,   1000000, 1234567,	  9999999,
					   1 << 20, 1 << 30, 60000000000, 3600000000000 };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			char text[UNITS_TEXT_BYTES_MAX];
			uint64_t value = values[i] * kinds[k].step, back;

			assert_int_equal(
				kinds[k].parse(kinds[k].format(text, value), &back, NULL),
				0);
			if (back != value)
				fail_msg("%llu -> %s -> %llu", (unsigned long long)value,
					 text, (unsigned long long)back);
		}
	}
}

static void the_largest_whole_unit_is_printed(void **state)
{
	char text[UNITS_TEXT_BYTES_MAX];

	(void)state;
	assert_string_equal(units_format_ns(text, 50000000), "50ms");
	assert_string_equal(units_format_ns(text, 1500000), "1500us");
	assert_string_equal(units_format_ns(text, 0), "0ms");
	assert_string_equal(units_format_bps(text, 10000000), "10Mbit");
	assert_string_equal(units_format_ppm(text, 5000), "0.5%");
	assert_string_equal(units_format_ppm(text, 10001), "1.0001%");
	assert_string_equal(units_format_ppm(text, 1000000), "100%");
	assert_string_equal(units_format_memory(text, UINT64_C(64) << 20), "64M");
	assert_string_equal(units_format_size(text, 150000), "150kB");
	assert_string_equal(units_format_size(text, 65536), "64KiB");
}

static void a_signed_quantity_reads_back_with_its_sign(void **state)
{
	static const int64_t values[] = { 0, 1, -1, 3000000000, -5000000000, 200000,
					  -200500, INT64_MAX, -INT64_MAX };
	char text[UNITS_TEXT_BYTES_MAX];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		units_format_signed_ns(text, values[i]);
		assert_int_equal(units_parse_signed_ns(text, &back, NULL), 0);
		assert_true(back == values[i]);
		units_format_signed_ppb(text, values[i]);
		assert_int_equal(units_parse_signed_ppb(text, &back, NULL), 0);
		assert_true(back == values[i]);
	}
	assert_string_equal(units_format_signed_ns(text, -5000000000), "-5s");
	assert_string_equal(units_format_signed_ppb(text, 200000), "+200ppm");
	assert_int_equal(units_parse_signed_ns("3s", &back, NULL), 0);
	assert_true(back == 3000000000);
	assert_int_equal(units_parse_signed_ns("+-3s", &back, NULL), -EINVAL);
	assert_int_equal(units_parse_signed_ns("-", &back, NULL), -EINVAL);
	assert_int_equal(units_parse_signed_ns("9999999999s", &back, NULL), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_with_a_unit_is_exact),
		cmocka_unit_test(what_is_no_quantity_is_refused_with_the_accepted_forms),
		cmocka_unit_test(what_is_printed_reads_back_as_the_same_number),
		cmocka_unit_test(the_largest_whole_unit_is_printed),
		cmocka_unit_test(a_signed_quantity_reads_back_with_its_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
