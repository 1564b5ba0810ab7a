/* SPDX-License-Identifier: MIT */
#include "init/json_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[FIELD_STRING] = "a string",  [FIELD_U64] = "a number",	   [FIELD_BOOL] = "true or false",
	[FIELD_ARRAY] = "an array",   [FIELD_OBJECT] = "an object", [FIELD_ANY] = "a value",
};

static bool kind_fits(const struct field *field, const json_t *value)
{
	switch (field->kind) {
	case FIELD_STRING:
		return json_is_string(value) &&
		       strlen(json_string_value(value)) == json_string_length(value);
	case FIELD_U64:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case FIELD_BOOL:
		return json_is_boolean(value);
	case FIELD_ARRAY:
		return json_is_array(value);
	case FIELD_OBJECT:
		return json_is_object(value);
	case FIELD_ANY:
		break;
	}
	return true;
}

static int field_store(const struct field *field, json_t *value, const char *path,
		       void *out, struct why *why)
{
	void *at = (char *)out + field->at;
	uint64_t number;

	if (!kind_fits(field, value))
		return why_set(why, -EINVAL, "%s/%s: expected %s", path, field->name,
			       kind_names[field->kind]);
	switch (field->kind) {
	case FIELD_STRING:
		*(const char **)at = json_string_value(value);
		break;
	case FIELD_U64:
		number = (uint64_t)json_integer_value(value);
		if (number < field->min || number > field->max)
			return why_set(why, -EINVAL, "%s/%s: %llu is not within %llu to %llu",
				       path, field->name, (unsigned long long)number,
				       (unsigned long long)field->min,
				       (unsigned long long)field->max);
		*(uint64_t *)at = number;
		break;
	case FIELD_BOOL:
		*(bool *)at = json_is_true(value);
		break;
	case FIELD_ARRAY:
	case FIELD_OBJECT:
	case FIELD_ANY:
		*(json_t **)at = value;
		break;
	}
	return 0;
}

int json_fields_read(const json_t *json, const char *path, const struct field *table, void *out,
		struct why *why)
{
	size_t known = 0;

	if (!json_is_object(json))
		return why_set(why, -EINVAL, "%s: expected an object", *path ? path : "/");
	for (const struct field *field = table; field->name; field++) {
		json_t *value = json_object_get(json, field->name);
		int err;

		if (!value && field->required)
			return why_set(why, -EINVAL, "%s/%s: missing", path, field->name);
		if (!value)
			continue;
		known++;
		err = field_store(field, value, path, out, why);
		if (err)
			return err;
	}
	if (known != json_object_size(json)) {
		const char *key;
		json_t *value;

		json_object_foreach((json_t *)json, key, value) {
			const struct field *field = table;

			while (field->name && strcmp(field->name, key))
				field++;
			if (!field->name)
				return why_set(why, -EINVAL, "%s/%.64s: not known to this agent",
					       path, key);
		}
	}
	return 0;
}

json_t *json_fields_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy = json ? NULL : strdup(text);

	if (json || !copy)
		return json;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	json = json_string(copy);
	free(copy);
	return json;
}
