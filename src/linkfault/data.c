/* SPDX-License-Identifier: MIT */
#include "linkfault/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/units.h"

#define NS_MAX UINT64_C(3600000000000) /* as a delay */

enum { WORD_BYTES_MAX = 64, TABLE_VALUE_MAX = 1 << 24, CAPACITY_MS_MAX = 1 << 30 };

struct reader {
	struct fault_data *data;
	size_t room;
	unsigned line;
	const char *name;
	struct why *why;
};

static int add(struct reader *r, int64_t value)
{
	struct fault_data *grown;

	if (r->data->count == FAULT_DATA_COUNT_MAX)
		return why_set(r->why, -ERANGE, "%s: more than %d values", r->name,
			       FAULT_DATA_COUNT_MAX);
	if (r->data->count == r->room) {
		size_t room = 2 * r->room;

		grown = realloc(r->data, sizeof(*grown) + room * sizeof(int64_t));
		if (!grown)
			return why_set(r->why, -ENOMEM, "%s: out of memory", r->name);
		r->data = grown;
		r->room = room;
	}
	r->data->value[r->data->count++] = value;
	return 0;
}

static int refuse(const struct reader *r, const char *word, const char *expected)
{
	return why_set(r->why, -EINVAL, "%s:%u: \"%.20s\": %s was expected", r->name,
		       r->line, word, expected);
}

static int read_table_word(struct reader *r, const char *word)
{
	bool negative = *word == '-';
	uint64_t value;

	if (units_parse_count(word + negative, &value, NULL) || value > TABLE_VALUE_MAX)
		return refuse(r, word, "a whole number, 8192 to the standard deviation");
	return add(r, negative ? -(int64_t)value : (int64_t)value);
}

static int read_time_word(struct reader *r, const char *word)
{
	uint64_t ns;

	if (units_parse_ns(word, &ns, NULL) || ns > NS_MAX)
		return refuse(r, word, "a duration such as 1.5ms, at most an hour");
	return add(r, (int64_t)ns);
}

static int read_capacity_word(struct reader *r, const char *word)
{
	uint64_t ms;

	if (units_parse_count(word, &ms, NULL) || ms > CAPACITY_MS_MAX)
		return refuse(r, word, "a whole number of milliseconds");
	if (r->data->count && (int64_t)ms < r->data->value[r->data->count - 1])
		return refuse(r, word, "a time not before the line above");
	return add(r, (int64_t)ms);
}

/* "7" or "9-12"; ranges ascend and do not touch each other's numbers. */
static int read_range(struct reader *r, const char *word)
{
	char first[WORD_BYTES_MAX];
	const char *dash = strchr(word, '-');
	size_t bytes = dash ? (size_t)(dash - word) : strlen(word);
	uint64_t from, to;
	int err;

	memcpy(first, word, bytes);
	first[bytes] = '\0';
	if (units_parse_count(first, &from, NULL) ||
	    units_parse_count(dash ? dash + 1 : first, &to, NULL) || from > to ||
	    to > INT64_MAX)
		return why_set(r->why, -EINVAL,
			       "\"%.20s\" is not a number, nor a range such as 9-12",
			       word);
	if (r->data->count && (int64_t)from <= r->data->value[r->data->count - 1])
		return why_set(r->why, -EINVAL,
			       "\"%.20s\": the numbers must ascend and none be twice",
			       word);
	err = add(r, (int64_t)from);
	return err ? err : add(r, (int64_t)to);
}

static int read_word(struct reader *r, const char *word)
{
	switch (r->data->kind) {
	case DATA_NUMBERS:
		return read_range(r, word);
	case DATA_TABLE:
		return read_table_word(r, word);
	case DATA_SAMPLES:
	case DATA_TRACE:
		return read_time_word(r, word);
	case DATA_CAPACITY:
		return read_capacity_word(r, word);
	}
	ASSERT(false);
	return -EINVAL;
}

static int read_words(struct reader *r, const char *text)
{
	bool list = r->data->kind == DATA_NUMBERS;
	const char *between = list ? "," : " \t\r\n";
	int err = 0;

	while (!err && *text) {
		char word[WORD_BYTES_MAX];
		size_t bytes = strcspn(text, list ? "," : " \t\r\n#");

		if (!list && *text == '#') {
			text += strcspn(text, "\n");
			continue;
		}
		if (bytes >= sizeof(word))
			return refuse(r, text, "something shorter");
		memcpy(word, text, bytes);
		word[bytes] = '\0';
		if (bytes || list)
			err = read_word(r, word);
		text += bytes;
		r->line += *text == '\n';
		text += *text && strchr(between, *text);
	}
	return err;
}

static int check_whole(const struct reader *r)
{
	const struct fault_data *data = r->data;

	if (!data->count)
		return why_set(r->why, -EINVAL, "%s: there is nothing in it", r->name);
	if (data->kind == DATA_CAPACITY && !data->value[data->count - 1])
		return why_set(r->why, -EINVAL,
			       "%s: the last time is the period and cannot be 0",
			       r->name);
	return 0;
}

int fault_data_parse(struct fault_data **out, enum fault_data_kind kind, const char *name,
		     const char *text, struct why *why)
{
	struct reader r = { .room = 16, .line = 1, .name = name, .why = why };
	int err;

	r.data = calloc(1, sizeof(*r.data) + r.room * sizeof(int64_t));
	if (!r.data || !(r.data->name = strdup(name))) {
		free(r.data);
		return why_set(why, -ENOMEM, "%s: out of memory", name);
	}
	r.data->refs = 1;
	r.data->kind = kind;
	err = read_words(&r, text);
	if (!err)
		err = check_whole(&r);
	if (err) {
		fault_data_free(r.data);
		return err;
	}
	*out = r.data;
	return 0;
}

int fault_data_make(struct fault_data **out, enum fault_data_kind kind, const char *name,
		    size_t name_bytes, const void *values, size_t count, struct why *why)
{
	struct fault_data *data = malloc(sizeof(*data) + count * sizeof(data->value[0]));

	if (data)
		*data = (struct fault_data){ .refs = 1, .kind = kind, .count = count,
					     .name = strndup(name, name_bytes) };
	if (!data || !data->name) {
		free(data);
		return why_set(why, -ENOMEM, "%.*s: out of memory", (int)name_bytes, name);
	}
	memcpy(data->value, values, count * sizeof(data->value[0]));
	*out = data;
	return 0;
}

struct fault_data *fault_data_ref(struct fault_data *data)
{
	if (data)
		data->refs++;
	return data;
}

void fault_data_free(struct fault_data *data)
{
	if (!data || --data->refs)
		return;
	free(data->name);
	free(data);
}

/* One of a row that may be there; before: the one before it, -1 at first. */
static bool is_value(enum fault_data_kind kind, size_t i, int64_t value, int64_t before)
{
	switch (kind) {
	case DATA_NUMBERS:
		/* The last of a range may be its first. */
		return value >= 0 && (i % 2 ? value >= before : value > before);
	case DATA_TABLE:
		return value >= -(int64_t)TABLE_VALUE_MAX &&
		       value <= (int64_t)TABLE_VALUE_MAX;
	case DATA_SAMPLES:
	case DATA_TRACE:
		return value >= 0 && value <= (int64_t)NS_MAX;
	case DATA_CAPACITY:
		return value >= 0 && value >= before && value <= (int64_t)CAPACITY_MS_MAX;
	}
	return false;
}

int fault_data_check(const struct fault_data *data)
{
	int64_t before = -1;

	if (!data->count || data->count > FAULT_DATA_COUNT_MAX ||
	    (data->kind == DATA_NUMBERS && data->count % 2) ||
	    (data->kind == DATA_CAPACITY && !data->value[data->count - 1]))
		return -EINVAL;
	for (size_t i = 0; i < data->count; before = data->value[i++])
		if (!is_value(data->kind, i, data->value[i], before))
			return -EINVAL;
	return 0;
}

bool fault_data_same(const struct fault_data *a, const struct fault_data *b)
{
	if (a == b || !a || !b)
		return a == b;
	return a->kind == b->kind && a->count == b->count &&
	       !memcmp(a->value, b->value, a->count * sizeof(a->value[0]));
}

bool fault_data_has(const struct fault_data *data, uint64_t number)
{
	size_t low = 0, high = data->count / 2;

	/* The first range that does not end before the number. */
	while (low < high) {
		size_t middle = (low + high) / 2;

		if ((uint64_t)data->value[2 * middle + 1] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < data->count / 2 && (uint64_t)data->value[2 * low] <= number;
}
