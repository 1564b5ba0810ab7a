/* SPDX-License-Identifier: MIT */
#include "plan/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* No locale: a name means the same everywhere. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int name_check(const char *name, struct why *why)
{
	size_t size = strlen(name);
	bool good = is_letter(name[0]) && name[size - 1] != '-';

	for (size_t i = 1; good && i < size; i++)
		good = is_letter(name[i]) || is_digit(name[i]) ||
		       (name[i] == '-' && name[i - 1] != '-');
	if (!good)
		return why_set(why, -EINVAL,
			       "\"%.60s\" is not a name: write letters, digits and "
			       "single dashes, a letter first",
			       name);
	if (size >= PLAN_NAME_BYTES_MAX)
		return why_set(why, -EINVAL,
			       "\"%.60s\" is too long: at most %d characters", name,
			       PLAN_NAME_BYTES_MAX - 1);
	if (!strcmp(name, "all") || !strcmp(name, "localhost"))
		return why_set(why, -EINVAL, "\"%s\" has a meaning of its own", name);
	return 0;
}

int ifname_check(const char *name, struct why *why)
{
	size_t size = strlen(name);
	bool good = is_letter(name[0]);

	for (size_t i = 1; good && i < size; i++)
		good = is_letter(name[i]) || is_digit(name[i]) || name[i] == '-' ||
		       name[i] == '_';
	if (!good || size >= PLAN_IFNAME_BYTES_MAX)
		return why_set(why, -EINVAL,
			       "\"%.60s\" is not an interface name: write up to %d "
			       "letters and digits, such as eth1",
			       name, PLAN_IFNAME_BYTES_MAX - 1);
	if (!strcmp(name, "lo") || !strcmp(name, "all") || !strcmp(name, "default"))
		return why_set(why, -EINVAL,
			       "\"%s\" has a meaning of its own in the kernel", name);
	return 0;
}

/* Digits at *at, up to end; moves *at behind them. */
static int parse_number(const char **at, const char *end, uint32_t *number, int *width)
{
	const char *from = *at;

	*number = 0;
	for (; *at < end && is_digit(**at) && *at - from < 9; (*at)++)
		*number = 10 * *number + (uint32_t)(**at - '0');
	*width = *from == '0' ? (int)(*at - from) : 0;
	return *at > from && !(*at < end && is_digit(**at)) ? 0 : -EINVAL;
}

static int parse_span(struct range *range, const char **at, const char *end)
{
	struct range_span *span = &range->spans[range->span_count];
	int width;

	if (range->span_count == RANGE_SPANS_MAX)
		return -EINVAL;
	if (parse_number(at, end, &span->from, &span->width))
		return -EINVAL;
	span->to = span->from;
	if (*at < end && **at == '-') {
		(*at)++;
		if (parse_number(at, end, &span->to, &width) || span->to < span->from)
			return -EINVAL;
	}
	range->span_count++;
	range->total += (size_t)span->to - span->from + 1;
	return 0;
}

static int refuse_range(const char *text, size_t size, struct why *why)
{
	return why_set(why, -EINVAL,
		       "\"%.*s\" is not a range: write n[1-3] or n[1,4-6], smaller "
		       "number first, at most %d parts",
		       size > 60 ? 60 : (int)size, text, RANGE_SPANS_MAX);
}

/* The longest name there will be stands for them all. */
static int check_result(const struct range *range, struct why *why)
{
	char name[PLAN_NAME_BYTES_MAX * 3];
	uint32_t largest = 0;
	int width = 0;

	for (size_t i = 0; i < range->span_count; i++) {
		if (range->spans[i].to > largest)
			largest = range->spans[i].to;
		if (range->spans[i].width > width)
			width = range->spans[i].width;
	}
	if (range->span_count)
		snprintf(name, sizeof(name), "%s%0*u%s", range->prefix, width, largest,
			 range->suffix);
	else
		snprintf(name, sizeof(name), "%s", range->prefix);
	return name_check(name, why);
}

int range_parse(struct range *range, const char *text, size_t size, struct why *why)
{
	const char *end = text + size;
	const char *open = memchr(text, '[', size);
	const char *close = open ? memchr(open, ']', (size_t)(end - open)) : NULL;
	size_t prefix = open ? (size_t)(open - text) : size;

	memset(range, 0, sizeof(*range));
	if (open && !close)
		return refuse_range(text, size, why);
	if (prefix >= sizeof(range->prefix) ||
	    (close && (size_t)(end - close - 1) >= sizeof(range->suffix)))
		return why_set(why, -EINVAL,
			       "\"%.*s\" is too long: at most %d characters",
			       size > 60 ? 60 : (int)size, text, PLAN_NAME_BYTES_MAX - 1);
	memcpy(range->prefix, text, prefix);
	if (!open) {
		range->total = 1;
		return check_result(range, why);
	}
	memcpy(range->suffix, close + 1, (size_t)(end - close - 1));
	for (const char *at = open + 1;; at++) {
		if (parse_span(range, &at, close))
			return refuse_range(text, size, why);
		if (at == close)
			break;
		if (*at != ',')
			return refuse_range(text, size, why);
	}
	if (range->total > PLAN_NODES_MAX)
		return why_set(
			why, -EINVAL, "\"%.*s\" is %zu names; a lab has at most %d nodes",
			size > 60 ? 60 : (int)size, text, range->total, PLAN_NODES_MAX);
	return check_result(range, why);
}

void range_name(const struct range *range, size_t n, char name[PLAN_NAME_BYTES_MAX])
{
	char whole[PLAN_NAME_BYTES_MAX * 3];
	const struct range_span *span = range->spans;

	if (!range->span_count) {
		memcpy(name, range->prefix, PLAN_NAME_BYTES_MAX);
		return;
	}
	while (n > span->to - span->from) {
		n -= (size_t)span->to - span->from + 1;
		span++;
	}
	snprintf(whole, sizeof(whole), "%s%0*u%s", range->prefix, span->width,
		 span->from + (uint32_t)n, range->suffix);
	memcpy(name, whole, PLAN_NAME_BYTES_MAX);
	name[PLAN_NAME_BYTES_MAX - 1] = 0; /* range_parse() saw to it that it fits */
}

int name_order(const char *a, const char *b)
{
	return strverscmp(a, b);
}
