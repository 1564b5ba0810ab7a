/* SPDX-License-Identifier: MIT */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"

struct unit {
	const char *word;
	uint64_t times; /* of the base unit */
};

/* A kind of quantity.  The first unit of a size is the one that is
 * printed. */
struct quantity {
	const char *what;
	const char *accepted;
	const struct unit *units;
	size_t count;
};

static const struct unit ns_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", UINT64_C(1000000000) },
	{ "min", UINT64_C(60000000000) },
	{ "h", UINT64_C(3600000000000) },
};
static const struct unit bps_units[] = {
	{ "bit", 1 },
	{ "kbit", 1000 },
	{ "Mbit", 1000000 },
	{ "Gbit", 1000000000 },
};
static const struct unit ppm_units[] = {
	{ "ppm", 1 },
	{ "%", 10000 },
};
static const struct unit ppb_units[] = {
	{ "ppb", 1 },
	{ "ppm", 1000 },
	{ "%", 10000000 },
};
static const struct unit memory_units[] = {
	{ "K", UINT64_C(1) << 10 },   { "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },   { "KiB", UINT64_C(1) << 10 },
	{ "MiB", UINT64_C(1) << 20 }, { "GiB", UINT64_C(1) << 30 },
};
static const struct unit size_units[] = {
	{ "B", 1 },	   { "kB", 1000 },     { "KiB", 1 << 10 },
	{ "MB", 1000000 }, { "MiB", 1 << 20 },
};

static const struct quantity durations = {
	"a duration",
	"write a number and one of ns us ms s min h, such as \"50ms\" or \"1.5s\"",
	ns_units,
	ARRAY_SIZE(ns_units),
};
static const struct quantity rates = {
	"a rate",
	"write a number and one of bit kbit Mbit Gbit (a second), such as \"10Mbit\"",
	bps_units,
	ARRAY_SIZE(bps_units),
};
static const struct quantity parts = {
	"a share",
	"write a number and % or ppm, such as \"1%\", \"0.5%\" or \"100ppm\"",
	ppm_units,
	ARRAY_SIZE(ppm_units),
};
static const struct quantity fine_parts = {
	"a share",
	"write a number and % or ppm, such as \"1%\", \"0.5%\" or \"100ppm\"",
	ppb_units,
	ARRAY_SIZE(ppb_units),
};
static const struct quantity memories = {
	"an amount of memory",
	"write a number and one of K M G KiB MiB GiB, such as \"64M\" or \"1GiB\"",
	memory_units,
	ARRAY_SIZE(memory_units),
};
static const struct quantity sizes = {
	"a size",
	"write a number and one of B kB MB KiB MiB, such as \"150kB\"",
	size_units,
	ARRAY_SIZE(size_units),
};

/* A decimal number: whole is digits without the point, scale how many of them
 * stood behind it.  "1.50" -> 150, 2. */
struct decimal {
	uint64_t digits;
	uint64_t scale; /* power of ten */
	bool overflow;
};

static void add_digit(struct decimal *number, char c, bool fraction)
{
	if (__builtin_mul_overflow(number->digits, 10, &number->digits) ||
	    __builtin_add_overflow(number->digits, (uint64_t)(c - '0'), &number->digits))
		number->overflow = true;
	if (fraction && __builtin_mul_overflow(number->scale, 10, &number->scale))
		number->overflow = true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Returns where the number ends, or NULL if there is none. */
static const char *read_decimal(const char *text, struct decimal *number)
{
	*number = (struct decimal){ .scale = 1 };
	if (!is_digit(*text))
		return NULL;
	while (is_digit(*text))
		add_digit(number, *text++, false);
	if (*text == '.') {
		text++;
		if (!is_digit(*text))
			return NULL;
		while (is_digit(*text))
			add_digit(number, *text++, true);
	}
	return text;
}

static const struct unit *find_unit(const struct quantity *q, const char *word)
{
	for (size_t i = 0; i < q->count; i++)
		if (!strcmp(q->units[i].word, word))
			return &q->units[i];
	return NULL;
}

/* The reason, in one line, why text is not a quantity of this kind. */
static int refuse(const struct quantity *q, const char *text, struct why *why)
{
	struct decimal number;
	const char *end = read_decimal(text, &number);

	if (!*text)
		return why_set(why, -EINVAL, "empty text is not %s: %s", q->what,
			       q->accepted);
	if (*text == '-' && is_digit(text[1]))
		return why_set(why, -EINVAL, "\"%.40s\": %s cannot be negative: %s", text,
			       q->what, q->accepted);
	if (end && !*end)
		return why_set(why, -EINVAL, "\"%.40s\" has no unit: %s", text,
			       q->accepted);
	return why_set(why, -EINVAL, "\"%.40s\" is not %s: %s", text, q->what,
		       q->accepted);
}

static int parse(const struct quantity *q, const char *text, uint64_t *out,
		 struct why *why)
{
	struct decimal number;
	unsigned __int128 product;
	const struct unit *unit;
	const char *end = read_decimal(text, &number);
	char word[8];
	size_t size;

	if (!end)
		return refuse(q, text, why);
	if (*end == ' ')
		end++;
	size = strlen(end);
	if (q == &rates && size > 2 && !strcmp(end + size - 2, "/s"))
		size -= 2;
	if (size >= sizeof(word))
		return refuse(q, text, why);
	memcpy(word, end, size);
	word[size] = 0;
	unit = find_unit(q, word);
	if (!unit)
		return refuse(q, text, why);
	if (number.overflow)
		return why_set(why, -ERANGE, "\"%.40s\": the number is too long", text);
	product = (unsigned __int128)number.digits * unit->times;
	if (product % number.scale)
		return why_set(why, -EINVAL, "\"%.40s\" is finer than one %s", text,
			       q->units[0].word);
	product /= number.scale;
	if (product > UINT64_MAX)
		return why_set(why, -ERANGE, "\"%.40s\" is too large", text);
	*out = (uint64_t)product;
	return 0;
}

int units_parse_ns(const char *text, uint64_t *ns, struct why *why)
{
	return parse(&durations, text, ns, why);
}

int units_parse_bps(const char *text, uint64_t *bps, struct why *why)
{
	return parse(&rates, text, bps, why);
}

int units_parse_ppm(const char *text, uint64_t *ppm, struct why *why)
{
	return parse(&parts, text, ppm, why);
}

int units_parse_ppb(const char *text, uint64_t *ppb, struct why *why)
{
	return parse(&fine_parts, text, ppb, why);
}

int units_parse_memory(const char *text, uint64_t *bytes, struct why *why)
{
	return parse(&memories, text, bytes, why);
}

int units_parse_size(const char *text, uint64_t *bytes, struct why *why)
{
	return parse(&sizes, text, bytes, why);
}

static int parse_signed(const struct quantity *q, const char *text, int64_t *out,
			struct why *why)
{
	bool negative = *text == '-';
	uint64_t value;
	int err = parse(q, text + (negative || *text == '+'), &value, why);

	if (err)
		return err;
	if (value > INT64_MAX)
		return why_set(why, -ERANGE, "\"%.40s\" is too large", text);
	*out = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}

int units_parse_signed_ns(const char *text, int64_t *ns, struct why *why)
{
	return parse_signed(&durations, text, ns, why);
}

int units_parse_signed_ppb(const char *text, int64_t *ppb, struct why *why)
{
	return parse_signed(&fine_parts, text, ppb, why);
}

int units_parse_count(const char *text, uint64_t *count, struct why *why)
{
	struct decimal number;
	const char *end = read_decimal(text, &number);

	if (!end || *end || number.scale != 1)
		return why_set(why, -EINVAL, "\"%.40s\" is not a whole number", text);
	if (number.overflow)
		return why_set(why, -ERANGE, "\"%.40s\" is too large", text);
	*count = number.digits;
	return 0;
}

/* In the largest unit of which it is a whole multiple; zero in `zero`. */
static const char *format(const struct quantity *q, char *text, uint64_t value,
			  const char *zero)
{
	const struct unit *best = &q->units[0];

	if (!value) {
		snprintf(text, UNITS_TEXT_BYTES_MAX - 1, "0%s", zero);
		return text;
	}
	for (size_t i = 1; i < q->count; i++)
		if (q->units[i].times > best->times && value % q->units[i].times == 0)
			best = &q->units[i];
	/* A sign may stand before: room for it is there, as no value takes 30 characters. */
	snprintf(text, UNITS_TEXT_BYTES_MAX - 1, "%" PRIu64 "%s", value / best->times,
		 best->word);
	return text;
}

const char *units_format_ns(char text[UNITS_TEXT_BYTES_MAX], uint64_t ns)
{
	return format(&durations, text, ns, "ms");
}

/* "+3s", "-200ppm", "0ms". */
static const char *format_signed(const struct quantity *q, char *text, int64_t value,
				 const char *zero)
{
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;

	if (!value)
		return format(q, text, 0, zero);
	*text = value < 0 ? '-' : '+';
	format(q, text + 1, size, zero);
	return text;
}

const char *units_format_signed_ns(char text[UNITS_TEXT_BYTES_MAX], int64_t ns)
{
	return format_signed(&durations, text, ns, "ms");
}

const char *units_format_signed_ppb(char text[UNITS_TEXT_BYTES_MAX], int64_t ppb)
{
	/* Of clocks one speaks in ppm. */
	static const struct quantity drifts = { .units = ppb_units, .count = 2 };

	return format_signed(&drifts, text, ppb, "ppm");
}

const char *units_format_bps(char text[UNITS_TEXT_BYTES_MAX], uint64_t bps)
{
	return format(&rates, text, bps, "bit");
}

/* Per cent, whatever it takes: at most seven places, as a ppb is 0.0000001%. */
const char *units_format_ppb(char text[UNITS_TEXT_BYTES_MAX], uint64_t ppb)
{
	unsigned places = (unsigned)(ppb % 10000000);
	int digits = 7;

	if (!places) {
		snprintf(text, UNITS_TEXT_BYTES_MAX, "%" PRIu64 "%%", ppb / 10000000);
		return text;
	}
	for (; places % 10 == 0; places /= 10)
		digits--;
	snprintf(text, UNITS_TEXT_BYTES_MAX, "%" PRIu64 ".%0*u%%", ppb / 10000000, digits,
		 places);
	return text;
}

const char *units_format_ppm(char text[UNITS_TEXT_BYTES_MAX], uint64_t ppm)
{
	ASSERT(ppm <= UINT64_MAX / 1000);
	return units_format_ppb(text, ppm * 1000);
}

const char *units_format_memory(char text[UNITS_TEXT_BYTES_MAX], uint64_t bytes)
{
	/* There is no smaller unit than K; memory is never finer than a page. */
	return format(&memories, text, bytes - bytes % 1024, "K");
}

const char *units_format_size(char text[UNITS_TEXT_BYTES_MAX], uint64_t bytes)
{
	return format(&sizes, text, bytes, "B");
}
