/* SPDX-License-Identifier: MIT */
/* control_args.h - the members of a request, checked
 *
 * Each returns 0 and sets *out, or -EINVAL with *why naming the member and what was
 * expected.  A member that is absent and not required leaves *out as it is.
 *
 * Ownership: texts are lent as long as the request; bytes are the caller's to free.
 */
#ifndef NL_CONTROL_CONTROL_ARGS_H
#define NL_CONTROL_CONTROL_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum arg_need { ARG_OPTIONAL, ARG_REQUIRED };

int arg_text(const json_t *body, const char *key, enum arg_need need, const char **out,
	     struct why *why);
int arg_integer(const json_t *body, const char *key, enum arg_need need, json_int_t min,
		json_int_t max, json_int_t *out, struct why *why);
int arg_flag(const json_t *body, const char *key, bool *out, struct why *why);
/* Base64; required. */
int arg_bytes(const json_t *body, const char *key, uint8_t **out, size_t *size,
	      struct why *why);

#endif
