/* SPDX-License-Identifier: MIT */
#include "machine/exec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "machine/machine_internal.h"

struct exec {
	struct machine *machine;
	struct exec *prev, *next;
	uint32_t channel;
	const struct exec_ops *ops; /* NULL: abandoned */
	void *ctx;
	bool stdin_ended;
	size_t stdin_under_way;	 /* sent, not given back as credit */
	size_t output_under_way; /* came, not given back as credit */
	size_t credit_owed;	 /* consumed, credit not sent yet */
};

/* Credit is not sent for every few bytes. */
enum { CREDIT_BYTES_MIN = PROTO_WINDOW_BYTES / 4 };

static struct exec *find(struct exec_list *list, uint32_t channel)
{
	struct exec *exec = list->first;

	while (exec && exec->channel != channel)
		exec = exec->next;
	return exec;
}

static void unlink_and_free(struct exec_list *list, struct exec *exec)
{
	if (exec->prev)
		exec->prev->next = exec->next;
	else
		list->first = exec->next;
	if (exec->next)
		exec->next->prev = exec->prev;
	list->count--;
	free(exec);
}

static struct exec *add(struct exec_list *list)
{
	struct exec *exec = calloc(1, sizeof(*exec));

	if (!exec)
		return NULL;
	do
		exec->channel = ++list->next_channel;
	while (exec->channel == 0 || find(list, exec->channel));
	exec->next = list->first;
	if (exec->next)
		exec->next->prev = exec;
	list->first = exec;
	list->count++;
	return exec;
}

int exec_open(struct exec **out, struct machine *machine, const json_t *spec,
	      const struct exec_ops *ops, void *ctx, struct why *why)
{
	const char *name = machine->plan->name;
	cleanup_free char *text = json_dumps(spec, JSON_COMPACT);
	struct exec *exec;

	if (!machine_agent_talks(machine) || machine->state < MACHINE_CONFIGURED)
		return why_set(why, -ENOTCONN,
			       "the machine is %s%s%s%s, so no command can run in it",
			       machine_state_name(machine->state),
			       *machine->reason.text ? " (" : "", machine->reason.text,
			       *machine->reason.text ? ")" : "");
	/* It would wait for somebody else, while time passes for all others. */
	if (machine->clock.frozen)
		return why_set(why, -EAGAIN,
			       "%s is frozen and hears nothing; let it go on with netlab "
			       "clock thaw %s",
			       name, name);
	if (machine->execs.count >= PROTO_CHANNELS_MAX)
		return why_set(why, -EBUSY, "%s runs %d commands already", name,
			       PROTO_CHANNELS_MAX);
	if (!text)
		return why_set(why, -ENOMEM, "exec: out of memory");
	if (strlen(text) > PROTO_PAYLOAD_BYTES_MAX)
		return why_set(why, -E2BIG,
			       "exec: command and environment take more than %d bytes",
			       PROTO_PAYLOAD_BYTES_MAX);
	exec = add(&machine->execs);
	if (!exec)
		return why_set(why, -ENOMEM, "exec: out of memory");
	exec->machine = machine;
	exec->ops = ops;
	exec->ctx = ctx;
	machine_agent_send(machine, PROTO_EXEC, exec->channel, text, strlen(text));
	*out = exec;
	return 0;
}

size_t exec_room(const struct exec *exec)
{
	return PROTO_WINDOW_BYTES - exec->stdin_under_way;
}

int exec_stdin(struct exec *exec, const uint8_t *bytes, size_t size, struct why *why)
{
	if (exec->stdin_ended)
		return why_set(why, -EPIPE, "stdin: it has been ended already");
	if (size > exec_room(exec))
		return why_set(why, -ENOBUFS,
			       "stdin: more than %d bytes under way; wait for credit",
			       PROTO_WINDOW_BYTES);
	exec->stdin_under_way += size;
	if (size == 0) {
		exec->stdin_ended = true;
		machine_agent_send(exec->machine, PROTO_STDIN, exec->channel, "", 0);
	}
	while (size) {
		size_t n = size < PROTO_STREAM_BYTES_MAX ? size : PROTO_STREAM_BYTES_MAX;

		machine_agent_send(exec->machine, PROTO_STDIN, exec->channel, bytes, n);
		bytes += n;
		size -= n;
	}
	return 0;
}

void exec_consumed(struct exec *exec, size_t bytes)
{
	uint8_t payload[4];

	exec->credit_owed += bytes;
	ASSERT(exec->credit_owed <= exec->output_under_way);
	if (exec->credit_owed < CREDIT_BYTES_MIN)
		return;
	proto_put_u32(payload, (uint32_t)exec->credit_owed);
	exec->output_under_way -= exec->credit_owed;
	exec->credit_owed = 0;
	machine_agent_send(exec->machine, PROTO_CREDIT, exec->channel, payload,
			   sizeof(payload));
}

void exec_signal(struct exec *exec, int signal)
{
	machine_agent_send_json(exec->machine, PROTO_SIGNAL, exec->channel,
				json_pack("{s:i}", "signal", signal));
}

void exec_resize(struct exec *exec, int rows, int cols)
{
	machine_agent_send_json(exec->machine, PROTO_RESIZE, exec->channel,
				json_pack("{s:i, s:i}", "rows", rows, "cols", cols));
}

void exec_abandon(struct exec *exec)
{
	exec->ops = NULL;
	machine_agent_send(exec->machine, PROTO_CLOSE, exec->channel, "", 0);
}

/* ---- what the agent says ----------------------------------------------- */

static int on_output(struct exec *exec, const struct proto_message *message,
		     struct why *why)
{
	if (exec->output_under_way + message->size > PROTO_WINDOW_BYTES)
		return why_set(why, -EPROTO, "more output than it has credit for");
	exec->output_under_way += message->size;
	if (exec->ops)
		exec->ops->output(exec->ctx, message->type == PROTO_STDERR,
				  message->payload, message->size);
	else
		exec_consumed(exec, message->size);
	return 0;
}

static int on_credit(struct exec *exec, const struct proto_message *message,
		     struct why *why)
{
	uint32_t bytes =
		message->size == 4 ? proto_get_u32(message->payload) : UINT32_MAX;

	if (bytes > exec->stdin_under_way)
		return why_set(why, -EPROTO, "credit for more than it was sent");
	exec->stdin_under_way -= bytes;
	if (exec->ops)
		exec->ops->credit(exec->ctx, bytes);
	return 0;
}

static int on_end(struct exec_list *list, struct exec *exec, enum proto_type type,
		  const json_t *body, struct why *why)
{
	const json_t *signal = json_object_get(body, "signal");
	const json_t *status = json_object_get(body, "exit");
	const char *error = json_string_value(json_object_get(body, "error"));
	struct exec_end end = { .how = EXEC_EXITED, .value = -1 };

	if (type == PROTO_FAILED) {
		end.how = EXEC_FAILED;
		end.error = error ? error : "it could not be started";
	} else if (json_is_integer(signal)) {
		end.how = EXEC_SIGNALLED;
	} else if (!json_is_integer(status)) {
		return why_set(why, -EPROTO, "EXITED with neither exit nor signal");
	}
	if (end.how == EXEC_SIGNALLED)
		end.value = (int)json_integer_value(signal);
	else if (json_is_integer(status))
		end.value = (int)json_integer_value(status);
	if (exec->ops)
		exec->ops->ended(exec->ctx, &end);
	unlink_and_free(list, exec);
	return 0;
}

int exec_message(struct exec_list *list, const struct proto_message *message,
		 struct why *why)
{
	struct exec *exec = find(list, message->channel);
	json_t *body;
	int err = 0;

	if (!exec)
		return why_set(why, -EPROTO, "%s on channel %u, which is not open",
			       proto_type_name(message->type), message->channel);
	if (message->type == PROTO_STDOUT || message->type == PROTO_STDERR)
		return on_output(exec, message, why);
	if (message->type == PROTO_CREDIT)
		return on_credit(exec, message, why);
	body = json_loadb((const char *)message->payload, message->size, 0, NULL);
	if (!json_is_object(body))
		err = why_set(why, -EPROTO, "%s: not a JSON object",
			      proto_type_name(message->type));
	else if (message->type != PROTO_STARTED)
		err = on_end(list, exec, message->type, body, why);
	else if (exec->ops)
		exec->ops->started(exec->ctx, (long)json_integer_value(
						      json_object_get(body, "pid")));
	json_decref(body);
	return err;
}

void exec_end_all(struct exec_list *list, const char *reason)
{
	struct exec_end end = { .how = EXEC_FAILED, .value = -1, .error = reason };

	while (list->first) {
		struct exec *exec = list->first;

		if (exec->ops)
			exec->ops->ended(exec->ctx, &end);
		unlink_and_free(list, exec);
	}
}
