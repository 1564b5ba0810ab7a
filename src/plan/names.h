/* SPDX-License-Identifier: MIT */
/* names.h - names and ranges of names
 *
 * A name (of a lab, node, group, network, link or pattern) is letters, digits
 * and single dashes between them, begins with a letter, and has at most 31
 * characters: so every node's name is a host name, and "a--b", "a->b", "a:eth0"
 * and "lan.a" can never be mistaken for one.
 *
 * A range is a name with one list of numbers in brackets: "n[1-3]",
 * "rack[1-2,7]-top", "n[08-10]" (a leading zero keeps the width).
 *
 * Errors:  -EINVAL and the reason.  Threads: pure.
 */
#ifndef NL_PLAN_NAMES_H
#define NL_PLAN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

enum { RANGE_SPANS_MAX = 16 };

struct range {
	char prefix[PLAN_NAME_BYTES_MAX], suffix[PLAN_NAME_BYTES_MAX];
	struct range_span {
		uint32_t from, to;
		int width; /* digits, at least */
	} spans[RANGE_SPANS_MAX];
	size_t span_count; /* 0: a plain name */
	size_t total;	   /* names, at most PLAN_NODES_MAX */
};

int name_check(const char *name, struct why *why);

/* An interface: letter, then letters, digits, _ and -; at most 15 characters. */
int ifname_check(const char *name, struct why *why);

/* Read a name or range of size bytes, and check what it will give. */
int range_parse(struct range *range, const char *text, size_t size, struct why *why);

/* The n-th name, n < total. */
void range_name(const struct range *range, size_t n, char name[PLAN_NAME_BYTES_MAX]);

/* Host name order: n2 before n10. */
int name_order(const char *a, const char *b);

#endif
