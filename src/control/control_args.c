/* SPDX-License-Identifier: MIT */
#include "control/control_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

int arg_text(const json_t *body, const char *key, enum arg_need need, const char **out,
	     struct why *why)
{
	const json_t *value = json_object_get(body, key);

	if (!value && need == ARG_OPTIONAL)
		return 0;
	if (!json_is_string(value))
		return why_set(why, -EINVAL, "\"%s\": a string was expected", key);
	*out = json_string_value(value);
	return 0;
}

int arg_integer(const json_t *body, const char *key, enum arg_need need, json_int_t min,
		json_int_t max, json_int_t *out, struct why *why)
{
	const json_t *value = json_object_get(body, key);

	if (!value && need == ARG_OPTIONAL)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max)
		return why_set(why, -EINVAL,
			       "\"%s\": a whole number from %lld to %lld was expected",
			       key, (long long)min, (long long)max);
	*out = json_integer_value(value);
	return 0;
}

int arg_flag(const json_t *body, const char *key, bool *out, struct why *why)
{
	const json_t *value = json_object_get(body, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return why_set(why, -EINVAL, "\"%s\": true or false was expected", key);
	*out = json_is_true(value);
	return 0;
}

int arg_bytes(const json_t *body, const char *key, uint8_t **out, size_t *size,
	      struct why *why)
{
	const json_t *value = json_object_get(body, key);
	size_t chars = json_string_length(value);
	uint8_t *bytes;
	long n;

	if (!json_is_string(value))
		return why_set(why, -EINVAL, "\"%s\": a string of base64 was expected",
			       key);
	bytes = malloc(chars + 1);
	if (!bytes)
		return why_set(why, -ENOMEM, "\"%s\": out of memory", key);
	n = base64_decode(bytes, json_string_value(value), chars);
	if (n < 0) {
		free(bytes);
		return why_set(why, -EINVAL, "\"%s\": this is no base64", key);
	}
	*out = bytes;
	*size = (size_t)n;
	return 0;
}
