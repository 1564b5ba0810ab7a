/* SPDX-License-Identifier: MIT */
#include "control/control_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/json_memory.h"
#include "base/text.h"

/* ---- answers ----------------------------------------------------------- */

/* The line {"id":…, KEY:VALUE, fields…}; takes fields over. */
static json_t *line(json_int_t id, const char *key, json_t *value, json_t *fields)
{
	json_t *object = json_pack("{s:I, s:o}", "id", id, key, value);

	if (fields && object && json_object_update_missing(object, fields)) {
		json_decref(object);
		object = NULL;
	}
	json_decref(fields);
	return object;
}

const char *control_trouble(const struct control *control)
{
	if (control->trouble_then)
		return *control->trouble_then;
	return control->trouble ? control->trouble(control->ctx) : NULL;
}

/* An answer, and what is the matter with the record of the run. */
static json_t *success(const struct conn *conn, json_int_t id, json_t *fields)
{
	const char *trouble = control_trouble(conn->control);
	json_t *object = line(id, "ok", json_true(), fields);

	if (object && trouble)
		json_object_set_new(object, "record_lost", text_json_z(trouble));
	return object;
}

void call_answer(struct call *call, json_t *fields)
{
	conn_send(call->conn, success(call->conn, call->id, fields));
}

json_t *call_failure(json_int_t id, json_t *fields, const char *error)
{
	json_t *object = json_pack("{s:I, s:b, s:o}", "id", id, "ok", 0, "error",
				   text_json_z(error));

	if (fields && object)
		json_object_update_missing(object, fields);
	json_decref(fields);
	return object;
}

int call_take_fd(struct call *call)
{
	struct conn *conn = call->conn;
	int fd;

	if (conn->fd_count == 0)
		return -1;
	fd = conn->fds[0];
	conn->fd_count--;
	memmove(conn->fds, conn->fds + 1, conn->fd_count * sizeof(*conn->fds));
	return fd;
}

/* ---- requests under way ------------------------------------------------ */

void request_begin(struct request *request, struct call *call,
		   const struct request_ops *ops, unsigned wakes)
{
	struct conn *conn = call->conn;

	ASSERT(ops->drop);
	*request = (struct request){ .ops = ops,
				     .conn = conn,
				     .id = call->id,
				     .wakes = wakes,
				     .next = conn->first };
	if (request->next)
		request->next->prev = request;
	conn->first = request;
	conn->request_count++;
	conn_kick(conn);
}

static void detach(struct request *request)
{
	struct conn *conn = request->conn;

	if (request->prev)
		request->prev->next = request->next;
	else
		conn->first = request->next;
	if (request->next)
		request->next->prev = request->prev;
	request->prev = request->next = NULL;
	conn->request_count--;
}

struct request *request_find(const struct call *call, json_int_t id)
{
	struct request *request = call->conn->first;

	while (request && request->id != id)
		request = request->next;
	return request;
}

bool request_has_room(const struct request *request)
{
	return conn_has_room(request->conn);
}

void request_kick(struct request *request)
{
	conn_kick(request->conn);
}

void request_event(struct request *request, const char *event, json_t *fields)
{
	conn_send(request->conn, line(request->id, "event", json_string(event), fields));
}

void request_hold(struct request *request)
{
	request->holds = true;
	request->conn->waits = WAITS_FOR_ANSWER;
}

/* Its last line. */
static void end(struct request *request, json_t *last)
{
	struct conn *conn = request->conn;
	bool held = request->holds;

	detach(request);
	conn_send(conn, last);
	/* Its end may be waiting for the gate by now. */
	if (held && conn->waits == WAITS_FOR_ANSWER)
		conn_go_on(conn);
}

void request_answer(struct request *request, json_t *fields)
{
	end(request, success(request->conn, request->id, fields));
}

void request_fail(struct request *request, json_t *fields, const char *error)
{
	end(request, call_failure(request->id, fields, error));
}

/* ---- lines ------------------------------------------------------------- */

static int check_keys(const struct verb *verb, const json_t *body, struct why *why)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)body, key, value)
	{
		bool known = strcmp(key, "id") == 0 || strcmp(key, "do") == 0;

		for (int i = 0; !known && i < CONTROL_KEYS_MAX && verb->keys[i]; i++)
			known = strcmp(key, verb->keys[i]) == 0;
		if (!known)
			return why_set(why, -EINVAL, "%s: unknown key \"%.40s\"",
				       verb->name, key);
	}
	return 0;
}

static const struct verb *find(const struct control *control, const char *name)
{
	for (size_t i = 0; i < control->verb_count; i++)
		if (strcmp(control->verbs[i].name, name) == 0)
			return &control->verbs[i];
	return NULL;
}

static bool has_to_wait(const struct control *control, const char *name)
{
	const struct verb *verb = name && control->gate ? find(control, name) : NULL;

	return verb && verb->kind == VERB_INPUT && !control->gate->is_open(control->ctx);
}

/* Is its answer to be made by a helper? */
static bool is_long(const struct conn *conn, const struct verb *verb)
{
	const struct control *control = conn->control;

	return verb && verb->kind == VERB_LOOK && conn->fd >= 0 && !conn->together &&
	       control->is_large && control->is_large(control->ctx);
}

/* 1: something is to be made first, or a helper has to end.  What cannot be made is the
 * answer. */
static int prepare(const struct conn *conn, const char *name, const json_t *body,
		   struct why *why)
{
	const struct control *control = conn->control;
	const struct verb *verb = name ? find(control, name) : NULL;

	if (is_long(conn, verb) && control->looks == LOOKS_MAX)
		return 1;
	return verb && verb->prepare ? verb->prepare(control->ctx, body, why) : 0;
}

static int run(struct call *call, const char *name, struct why *why)
{
	const struct control *control = call->control;
	const struct verb *verb = find(control, name);
	int err;

	if (!verb)
		return why_set(why, -EINVAL, "unknown verb \"%.40s\"", name);
	if (call->conn->kept && verb->kind != VERB_LOOK && verb->kind != VERB_ALWAYS)
		return why_set(why, -EBUSY,
			       CONTROL_IS_FULL ": there is only room to look, and to take "
					       "the lab down");
	err = check_keys(verb, call->body, why);
	if (!err && call->conn != control->nobody &&
	    call->conn->request_count >= CONTROL_REQUESTS_MAX)
		err = why_set(why, -EBUSY, "%d requests are under way on this connection",
			      CONTROL_REQUESTS_MAX);
	/* Where there can be no helper, an answer that takes long is better than none. */
	if (!err && is_long(call->conn, verb) && !look_begin(call, verb, why))
		return 0;
	return err ? err : verb->run(control->ctx, call, why);
}

int control_do(struct control *control, json_int_t id, const char *verb,
	       const json_t *body, struct why *why)
{
	struct call call = { .control = control, .id = id, .body = body };
	int err = control->nobody ? 0 : conn_create_nobody(control, why);

	call.conn = control->nobody;
	return err ? err : run(&call, verb, why);
}

/* An id that is under way again would make every later line ambiguous. */
static void refuse_id(struct conn *conn, const char *error)
{
	conn_send(conn, json_pack("{s:n, s:b, s:o}", "id", "ok", 0, "error",
				  text_json_z(error)));
}

/* Where nothing waits for a gate, there is nothing to wait for others for. */
static int begin_together(struct conn *conn, const json_t *body, size_t *together,
			  struct why *why)
{
	const json_t *bytes = json_object_get(body, "bytes");
	json_int_t count = json_integer_value(bytes);

	if (!json_is_integer(bytes) || json_object_size(body) != 3 || count < 0 ||
	    count > CONTROL_TOGETHER_BYTES_MAX)
		return why_set(why, -EINVAL,
			       "together: \"bytes\" of the lines that follow: 0 to %d",
			       CONTROL_TOGETHER_BYTES_MAX);
	if (conn->together)
		return why_set(why, -EINVAL, "together: within what is together already");
	if (conn->control->gate)
		*together = (size_t)count;
	return 0;
}

/* What is between its values is found a hundred times faster than they are read. */
static bool has_too_many_values(const char *text, size_t size)
{
	size_t between = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (text[i] == '\\')
			i++;
		else if (!quoted)
			between += strchr(",:[{", text[i]) && text[i];
	}
	return between >= CONTROL_VALUES_MAX;
}

enum line_end conn_line(struct conn *conn, const char *text, size_t size, size_t *together)
{
	json_error_t error;
	bool too_many = has_too_many_values(text, size);
	json_t *body = too_many ? NULL
				: json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	const json_t *id = json_object_get(body, "id");
	const char *verb = json_string_value(json_object_get(body, "do"));
	struct call call = { .control = conn->control, .conn = conn, .body = body };
	struct why why = { "" };
	char message[sizeof(error.text) + 64];
	int prepared = body ? prepare(conn, verb, body, &why) : 0;

	call.id = json_integer_value(id);
	if (prepared > 0 || (body && has_to_wait(conn->control, verb))) {
		json_decref(body);
		return prepared > 0 ? LINE_WAITS_FOR_SUPPLIES : LINE_WAITS_FOR_GATE;
	}
	if (json_memory_was_short()) {
		refuse_id(conn, "the lab is out of memory");
	} else if (too_many) {
		snprintf(message, sizeof(message), "a request has at most %d values",
			 CONTROL_VALUES_MAX);
		refuse_id(conn, message);
	} else if (!body) {
		snprintf(message, sizeof(message), "not JSON: column %d: %s",
			 error.column, error.text);
		refuse_id(conn, message);
	} else if (!json_is_integer(id)) {
		refuse_id(conn, "a request is an object with an integer \"id\"");
	} else if (request_find(&call, call.id)) {
		refuse_id(conn, "this id is under way already; the request is ignored");
	} else if (!verb) {
		conn_send(conn, call_failure(call.id, NULL,
					"\"do\" is missing: what is to be done?"));
	} else if (prepared < 0) {
		conn_send(conn, call_failure(call.id, NULL, why.text));
	} else if (strcmp(verb, "together") == 0
			   ? begin_together(conn, body, together, &why)
			   : run(&call, verb, &why)) {
		conn_send(conn,
			  call_failure(call.id, NULL,
				  *why.text ? why.text : "the lab is out of memory"));
	}
	json_decref(body);
	return LINE_SERVED;
}
