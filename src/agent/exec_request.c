/* SPDX-License-Identifier: MIT */
#include "agent/exec_request.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "init/json_fields.h"

struct raw_request {
	json_t *argv, *env;
	const char *cwd;
	bool tty;
	uint64_t rows, cols;
};

#define AT(member) offsetof(struct raw_request, member)
static const struct field request_table[] = {
	{ "argv", FIELD_ARRAY, true, AT(argv), 0, 0 },
	{ "env", FIELD_OBJECT, false, AT(env), 0, 0 },
	{ "cwd", FIELD_STRING, false, AT(cwd), 0, 0 },
	{ "tty", FIELD_BOOL, false, AT(tty), 0, 0 },
	{ "rows", FIELD_U64, false, AT(rows), 0, UINT16_MAX },
	{ "cols", FIELD_U64, false, AT(cols), 0, UINT16_MAX },
	{ 0 },
};
#undef AT

static int load(const uint8_t *text, size_t size, json_t **out, struct why *why)
{
	json_error_t error;

	*out = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &error);
	return *out ? 0 : why_set(why, -EINVAL, "no JSON: %s", error.text);
}

static int read_argv(const json_t *array, struct exec_request *out, struct why *why)
{
	size_t n = json_array_size(array);

	if (!n)
		return why_set(why, -EINVAL, "/argv: is empty; it begins with the program");
	out->argv = calloc(n + 1, sizeof(*out->argv));
	if (!out->argv)
		return why_set(why, -ENOMEM, "/argv: out of memory");
	for (size_t i = 0; i < n; i++) {
		out->argv[i] = (char *)json_string_value(json_array_get(array, i));
		if (!out->argv[i])
			return why_set(why, -EINVAL, "/argv/%zu: expected a string", i);
	}
	return 0;
}

static int read_env(json_t *object, struct exec_request *out, struct why *why)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		int err;

		if (!json_is_string(value))
			return why_set(why, -EINVAL, "/env/%.64s: expected a string", key);
		err = environ_set(&out->env, key, json_string_value(value), why);
		if (err)
			return why_wrap(why, err, "/env");
	}
	return 0;
}

int exec_request_parse(const uint8_t *text, size_t size, const struct environ_list *machine,
		       struct exec_request *out, struct why *why)
{
	struct raw_request raw = { .cwd = "/" };
	int err;

	*out = (struct exec_request){ 0 };
	err = load(text, size, &out->json, why);
	err = err ? err : json_fields_read(out->json, "", request_table, &raw, why);
	err = err ? err : read_argv(raw.argv, out, why);
	err = err ? err : environ_copy(&out->env, machine, why);
	err = err ? err : read_env(raw.env, out, why);
	if (err) {
		exec_request_free(out);
		return why_wrap(why, err, "EXEC");
	}
	out->cwd = raw.cwd;
	out->tty = raw.tty;
	out->rows = (uint16_t)raw.rows;
	out->cols = (uint16_t)raw.cols;
	return 0;
}

void exec_request_free(struct exec_request *request)
{
	free(request->argv);
	environ_free(&request->env);
	json_decref(request->json);
	*request = (struct exec_request){ 0 };
}

int exec_signal_parse(const uint8_t *text, size_t size, int *signal, struct why *why)
{
	static const struct field table[] = {
		{ "signal", FIELD_U64, true, 0, 1, _NSIG - 1 },
		{ 0 },
	};
	uint64_t number = 0;
	json_t *json = NULL;
	int err = load(text, size, &json, why);

	err = err ? err : json_fields_read(json, "", table, &number, why);
	json_decref(json);
	if (err)
		return why_wrap(why, err, "SIGNAL");
	*signal = (int)number;
	return 0;
}

int exec_resize_parse(const uint8_t *text, size_t size, uint16_t *rows, uint16_t *cols,
		      struct why *why)
{
	struct raw {
		uint64_t rows, cols;
	} raw = { 0 };
	static const struct field table[] = {
		{ "rows", FIELD_U64, true, offsetof(struct raw, rows), 0, UINT16_MAX },
		{ "cols", FIELD_U64, true, offsetof(struct raw, cols), 0, UINT16_MAX },
		{ 0 },
	};
	json_t *json = NULL;
	int err = load(text, size, &json, why);

	err = err ? err : json_fields_read(json, "", table, &raw, why);
	json_decref(json);
	if (err)
		return why_wrap(why, err, "RESIZE");
	*rows = (uint16_t)raw.rows;
	*cols = (uint16_t)raw.cols;
	return 0;
}
