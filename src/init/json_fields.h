/* SPDX-License-Identifier: MIT */
/* json_fields.h - read the members of a JSON object, and complain well
 *
 *	err = json_fields_read(json, "/files/3", table, &file, why);
 *
 * A table names every member that may be there; one that is not in the table is
 * an error.  `at` is where the value goes, an offset into the struct.
 *
 * Errors:    0, or -EINVAL: "/files/3/path: expected a string".
 * Ownership: strings and objects that come out are borrowed from the JSON.
 * Threads:   pure.
 */
#ifndef NL_INIT_JSON_FIELDS_H
#define NL_INIT_JSON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum field_kind {
	FIELD_STRING, /* const char * or char *; without zero bytes inside */
	FIELD_U64,    /* uint64_t, within [min, max] */
	FIELD_BOOL,   /* bool */
	FIELD_ARRAY,  /* json_t * */
	FIELD_OBJECT, /* json_t * */
	FIELD_ANY,    /* json_t * */
};

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	size_t at;
	uint64_t min, max; /* FIELD_U64 */
};

/* Reads into *out what is there and leaves the rest as it is.  The table ends
 * with a field without a name. */
int json_fields_read(const json_t *json, const char *path, const struct field *table, void *out,
		struct why *why);

/* A JSON string of a text that may have been cut inside a character: then all
 * that is not ASCII becomes '?'.  NULL when out of memory. */
json_t *json_fields_text(const char *text);

#endif
