/* SPDX-License-Identifier: MIT */
/* exec, and what is said to a command under way: stdin, resize, signal. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "control/control_args.h"
#include "machine/exec.h"
#include "base/text.h"
#include "lab/verbs.h"

struct command {
	struct request request;
	struct exec *exec;
	struct lab *lab;
	json_int_t number; /* in virtual time: among the inputs */
	/* In virtual time: */
	bool wants;    /* it is to pass */
	bool stalls;   /* it stands until the client has read, or has said go-on */
	bool lockstep; /* ... which it says of each output */
	size_t unsaid; /* outputs of which it has not */
	uint64_t slow_times; /* that it was told, who makes it slow */
	size_t owed; /* bytes of output sent on, for which credit is not given back */
};

static json_t *base64_json(const uint8_t *bytes, size_t size)
{
	cleanup_free char *text = malloc(BASE64_ROOM(size));

	if (!text)
		return NULL;
	base64_encode(text, bytes, size);
	return json_string_nocheck(text);
}

/* ---- what the command says -----------------------------------------------------------
 */

static void on_started(void *ctx, long pid)
{
	struct command *command = ctx;

	request_event(&command->request, "started",
		      json_pack("{s:I}", "pid", (json_int_t)pid));
}

/* In virtual time the command has its credit back at once, for when a client reads is
 * the host's business; while it does not read, time stands.  So it does in lockstep, where
 * what the client does then is to happen at a time that does not depend on the host. */
static void stall_until_read(struct command *command, size_t size)
{
	exec_consumed(command->exec, size);
	command->unsaid += command->lockstep;
	if (command->stalls ||
	    (!command->unsaid && request_has_room(&command->request)))
		return;
	command->stalls = true;
	vtime_stall(command->lab->vtime);
}

static void end_stall(struct command *command)
{
	if (command->stalls)
		vtime_unstall(command->lab->vtime);
	command->stalls = false;
}

/* Time is wanted while a command is under way. */
static void end_command(struct command *command)
{
	end_stall(command);
	if (command->wants)
		vtime_unwant(command->lab->vtime);
	free(command);
}

static void on_output(void *ctx, bool is_stderr, const uint8_t *bytes, size_t size)
{
	struct command *command = ctx;

	if (command->lab->vtime)
		stall_until_read(command, size);
	else
		command->owed += size;
	request_event(&command->request, is_stderr ? "stderr" : "stdout",
		      json_pack("{s:o}", "data", base64_json(bytes, size)));
}

static void on_credit(void *ctx, size_t bytes)
{
	struct command *command = ctx;

	request_event(&command->request, "credit",
		      json_pack("{s:I}", "bytes", (json_int_t)bytes));
}

static void on_ended(void *ctx, const struct exec_end *end)
{
	struct command *command = ctx;
	json_t *fields = NULL;

	if (end->how == EXEC_FAILED) {
		if (end->value >= 0)
			fields = json_pack("{s:i}", "exit", end->value);
		request_fail(&command->request, fields, end->error);
	} else {
		request_answer(&command->request,
			       json_pack("{s:i}",
					 end->how == EXEC_EXITED ? "exit" : "signal",
					 end->value));
	}
	end_command(command);
}

static const struct exec_ops exec_ops = {
	.started = on_started,
	.output = on_output,
	.credit = on_credit,
	.ended = on_ended,
};

/* ---- what the client does ---------------------------------------------- */

/* There is room on the connection: the command may go on. */
static bool pump_command(struct request *request)
{
	struct command *command = (struct command *)request;
	const struct lab *lab = command->lab;
	size_t owed = command->owed;

	command->owed = 0;
	if (owed)
		exec_consumed(command->exec, owed);
	if (!command->unsaid)
		end_stall(command);
	if (command->slow_times != lab->slow.times) {
		command->slow_times = lab->slow.times;
		request_event(request, "slow", json_pack("{s:s}", "why", lab->slow.text));
	}
	return false;
}

static void hang_up(struct command *command)
{
	exec_abandon(command->exec);
	inputs_note(command->lab->inputs, "close",
		    json_pack("{s:I}", "command", command->number));
}

static void drop_command(struct request *request)
{
	struct command *command = (struct command *)request;

	hang_up(command);
	end_command(command);
}

static void close_command(struct request *request)
{
	struct command *command = (struct command *)request;

	hang_up(command);
	request_fail(request, NULL, "closed; the command was hung up");
	end_command(command);
}

static const struct request_ops request_ops = {
	.pump = pump_command,
	.close = close_command,
	.drop = drop_command,
};

static int check_argv(const json_t *argv, struct why *why)
{
	const json_t *word;
	size_t i;

	if (!json_is_array(argv) || json_array_size(argv) == 0)
		return why_set(
			why, -EINVAL,
			"\"argv\": an array that begins with the program was expected");
	json_array_foreach((json_t *)argv, i, word) if (
		!json_is_string(
			word)) return why_set(why, -EINVAL,
					      "\"argv\": word %zu is not a string", i);
	return 0;
}

static int check_env(const json_t *env, struct why *why)
{
	const json_t *value;
	const char *key;

	if (env && !json_is_object(env))
		return why_set(why, -EINVAL,
			       "\"env\": an object of strings was expected");
	json_object_foreach(
		(json_t *)env, key,
		value) if (!*key || strchr(key, '=') ||
			   !json_is_string(
				   value)) return why_set(why, -EINVAL,
							  "\"env\": \"%.40s\": a name "
							  "without '=' and a string were "
							  "expected",
							  key);
	return 0;
}

/* The payload of EXEC: what the request said, checked, without id, do and node. */
static int make_spec(const json_t *body, json_t **out, struct why *why)
{
	const char *cwd = NULL;
	json_int_t rows = 24, cols = 80;
	bool tty = false;
	int err = check_argv(json_object_get(body, "argv"), why);

	if (!err)
		err = check_env(json_object_get(body, "env"), why);
	if (!err)
		err = arg_text(body, "cwd", ARG_OPTIONAL, &cwd, why);
	if (!err)
		err = arg_flag(body, "tty", &tty, why);
	if (!err)
		err = arg_integer(body, "rows", ARG_OPTIONAL, 0, UINT16_MAX, &rows, why);
	if (!err)
		err = arg_integer(body, "cols", ARG_OPTIONAL, 0, UINT16_MAX, &cols, why);
	if (err)
		return err;
	*out = json_pack("{s:O, s:O*, s:s*, s:b}", "argv", json_object_get(body, "argv"),
			 "env", json_object_get(body, "env"), "cwd", cwd, "tty", tty);
	if (tty && *out) {
		json_object_set_new(*out, "rows", json_integer(rows));
		json_object_set_new(*out, "cols", json_integer(cols));
	}
	return *out ? 0 : why_set(why, -ENOMEM, "exec: out of memory");
}

/* As it was said, with its number. */
static void note_exec(struct command *command, const json_t *body)
{
	json_t *fields = json_copy((json_t *)body);

	/* Nobody answers when it is done again. */
	json_object_del(fields, "lockstep");
	command->number = inputs_command(command->lab->inputs);
	if (fields)
		json_object_set_new(fields, "command", json_integer(command->number));
	inputs_note(command->lab->inputs, "exec", fields);
}

int verb_exec(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct command *command;
	struct machine *machine;
	json_t *spec;
	bool with_stdin = true, lockstep = false;
	int err = lab_machine(lab, call->body, &machine, why);

	if (!err)
		err = arg_flag(call->body, "stdin", &with_stdin, why);
	if (!err)
		err = arg_flag(call->body, "lockstep", &lockstep, why);
	if (!err)
		err = make_spec(call->body, &spec, why);
	if (err)
		return err;
	command = calloc(1, sizeof(*command));
	if (command)
		err = exec_open(&command->exec, machine, spec, &exec_ops, command, why);
	else
		err = why_set(why, -ENOMEM, "exec: out of memory");
	if (err) {
		json_decref(spec);
		free(command);
		return err;
	}
	command->lab = lab;
	/* Of a lab that is slow already it is said at once. */
	command->slow_times = lab->slow.times - (lab->slow.json != NULL);
	request_begin(&command->request, call, &request_ops, WAKE_SLOW);
	command->wants = lab->vtime && rerun_state(lab->rerun) != RERUN_RUNNING;
	command->lockstep = lockstep && command->wants;
	if (command->wants)
		vtime_want(lab->vtime);
	if (!with_stdin)
		exec_stdin(command->exec, NULL, 0, NULL);
	/* A fault typed by hand is part of the run, and so is a command. */
	journal_write(lab->journal, "exec",
		      json_pack("{s:s, s:O}", "node", machine_plan(machine)->name, "argv",
				json_object_get(spec, "argv")));
	note_exec(command, call->body);
	json_decref(spec);
	return 0;
}

/* The command that "to" names; -ENOENT also if it has just ended. */
static int find_command(struct call *call, struct command **out, struct why *why)
{
	json_int_t to;
	struct request *request;
	int err = arg_integer(call->body, "to", ARG_REQUIRED, INT64_MIN, INT64_MAX, &to,
			      why);

	if (err)
		return err;
	request = request_find(call, to);
	if (!request || request->ops != &request_ops)
		return why_set(why, -ENOENT, "request %lld is no command under way",
			       (long long)to);
	*out = (struct command *)request;
	return 0;
}

/* The client has read so many outputs, and asked for what it wants to follow. */
int verb_go_on(void *ctx, struct call *call, struct why *why)
{
	struct command *command;
	json_int_t events;
	int err = find_command(call, &command, why);

	(void)ctx;
	if (!err)
		err = arg_integer(call->body, "events", ARG_REQUIRED, 1, INT32_MAX,
				  &events, why);
	if (err)
		return err;
	command->unsaid -= (size_t)events < command->unsaid ? (size_t)events
							    : command->unsaid;
	if (!command->unsaid && request_has_room(&command->request))
		end_stall(command);
	return 0;
}

int verb_stdin(void *ctx, struct call *call, struct why *why)
{
	cleanup_free uint8_t *bytes = NULL;
	struct command *command;
	size_t size;
	int err = find_command(call, &command, why);

	(void)ctx;
	if (!err)
		err = arg_bytes(call->body, "data", &bytes, &size, why);
	if (!err)
		err = exec_stdin(command->exec, bytes, size, why);
	if (!err)
		inputs_stdin(command->lab->inputs, command->number, bytes, size);
	return err;
}

int verb_resize(void *ctx, struct call *call, struct why *why)
{
	struct command *command;
	json_int_t rows, cols;
	int err = find_command(call, &command, why);

	(void)ctx;
	if (!err)
		err = arg_integer(call->body, "rows", ARG_REQUIRED, 0, UINT16_MAX, &rows,
				  why);
	if (!err)
		err = arg_integer(call->body, "cols", ARG_REQUIRED, 0, UINT16_MAX, &cols,
				  why);
	if (err)
		return err;
	exec_resize(command->exec, (int)rows, (int)cols);
	inputs_note(command->lab->inputs, "resize",
		    json_pack("{s:I, s:I, s:I}", "command", command->number, "rows", rows,
			      "cols", cols));
	return 0;
}

int verb_signal(void *ctx, struct call *call, struct why *why)
{
	struct command *command;
	json_int_t number;
	int err = find_command(call, &command, why);

	(void)ctx;
	if (!err)
		err = arg_integer(call->body, "signal", ARG_REQUIRED, 1, NSIG - 1,
				  &number, why);
	if (err)
		return err;
	exec_signal(command->exec, (int)number);
	inputs_note(command->lab->inputs, "signal",
		    json_pack("{s:I, s:I}", "command", command->number, "signal",
			      number));
	return 0;
}
