/* SPDX-License-Identifier: MIT */
#include "lab/verbs.h"

#include <errno.h>

#include "base/cleanup.h"
#include "lab/control_args.h"

/* What reaches the wire or a clock, and no command, is an input as it was said. */
static int noted(int err, struct lab *lab, const char *verb, const struct call *call)
{
	json_t *fields = err ? NULL : json_copy((json_t *)call->body);

	if (fields)
		inputs_note(lab->inputs, verb, fields);
	return err;
}

static int fault_set(void *ctx, struct call *call, struct why *why)
{
	return noted(verb_fault_set(ctx, call, why), ctx, "fault-set", call);
}

static int fault_clear(void *ctx, struct call *call, struct why *why)
{
	return noted(verb_fault_clear(ctx, call, why), ctx, "fault-clear", call);
}

static int partition(void *ctx, struct call *call, struct why *why)
{
	return noted(verb_partition(ctx, call, why), ctx, "partition", call);
}

static int heal(void *ctx, struct call *call, struct why *why)
{
	return noted(verb_heal(ctx, call, why), ctx, "heal", call);
}

static int node_clock(void *ctx, struct call *call, struct why *why)
{
	return noted(verb_node_clock(ctx, call, why), ctx, "node-clock", call);
}

const struct verb lab_verbs[] = {
	{ "hello", { NULL }, verb_hello, false },
	{ "ps", { NULL }, verb_ps, false },
	{ "inspect", { NULL }, verb_inspect, false },
	{ "wait", { "until" }, verb_wait, false },
	{ "down", { "graceful" }, verb_down, false },
	{ "exec",
	  { "node", "argv", "env", "cwd", "tty", "rows", "cols", "stdin", "lockstep" },
	  verb_exec,
	  true },
	{ "go-on", { "to", "events" }, verb_go_on, false },
	{ "stdin", { "to", "data" }, verb_stdin, true },
	{ "resize", { "to", "rows", "cols" }, verb_resize, true },
	{ "signal", { "to", "signal" }, verb_signal, true },
	{ "console", { "node", "tail" }, verb_console, false },
	{ "input", { "to", "data" }, verb_input, false },
	{ "close", { "to" }, verb_close, true },
	{ "events", { "follow", "since" }, verb_events, false },
	{ "fault-set", { "target", "fault", "replace", "for" }, fault_set, true },
	{ "fault-clear", { "target", "keys", "rule" }, fault_clear, true },
	{ "fault-ls", { "target" }, verb_fault_ls, false },
	{ "partition",
	  { "sides", "kind", "nodes", "among", "one_way", "name", "for", "every",
	    "min_stable" },
	  partition, true },
	{ "partition-ls", { NULL }, verb_partition_ls, false },
	{ "fidelity", { "target" }, verb_fidelity, false },
	{ "matrix", { NULL }, verb_matrix, false },
	{ "heal", { "names" }, heal, true },
	{ "capture", { "target", "filter", "snap", "delivered" }, verb_capture, false },
	{ "replay", { NULL }, verb_replay, false },
	{ "clock", { "pace_ppm", "paused", "step_ns" }, verb_clock, false },
	{ "node-clock",
	  { "node", "offset_ns", "step_ns", "drift_ppb", "frozen" },
	  node_clock,
	  true },
};
const size_t lab_verb_count = ARRAY_SIZE(lab_verbs);

int verb_close(void *ctx, struct call *call, struct why *why)
{
	struct request *request;
	json_int_t to;
	int err = arg_integer(call->body, "to", ARG_REQUIRED, INT64_MIN, INT64_MAX, &to,
			      why);

	(void)ctx;
	if (err)
		return err;
	request = request_find(call, to);
	if (!request || !request->ops->close)
		return why_set(why, -ENOENT,
			       "request %lld is not under way, or has an end of "
			       "its own",
			       (long long)to);
	request->ops->close(request);
	return 0;
}
