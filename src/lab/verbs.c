/* SPDX-License-Identifier: MIT */
#include "lab/verbs.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/control_args.h"
#include "faultwords/fault_words.h"
#include "ops/fault_ops.h"

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

static int node_life(void *ctx, struct call *call, struct why *why)
{
	return noted(verb_node_life(ctx, call, why), ctx, "node-life", call);
}

/* Long filters are compiled while the loop goes on. */
static int prepare_capture(void *ctx, const json_t *body, struct why *why)
{
	const struct lab *lab = ctx;
	const char *filter = json_string_value(json_object_get(body, "filter"));

	return filter ? supplies_filter(lab->supplies, filter, why) : 0;
}

static int prepare_fault_set(void *ctx, const json_t *body, struct why *why)
{
	const struct lab *lab = ctx;
	const json_t *words = json_object_get(body, "fault");
	const json_t *rules = json_object_get(words, "faults");
	const struct fault_context context = fault_ops_context(&lab->fabric);
	const json_t *rule;
	size_t i;
	int err;

	json_array_foreach((json_t *)rules, i, rule)
	{
		const char *match = json_string_value(json_object_get(rule, "match"));

		/* Longer ones are refused before they are compiled. */
		err = match && strlen(match) < FAULT_WORD_BYTES_MAX
			      ? supplies_filter(lab->supplies, match, why)
			      : 0;
		if (err < 0)
			return why_wrap(why, err, "faults: rule %zu: match", i + 1);
		if (err)
			return err;
	}
	/* In virtual time a request has its instant, and nobody waits for the loop. */
	return lab->vtime ? 0 : supplies_files(lab->supplies, &context, words, why);
}

const struct verb lab_verbs[] = {
	{ "hello", { NULL }, verb_hello, VERB_ALWAYS, NULL },
	{ "ps", { NULL }, verb_ps, VERB_LOOK, NULL },
	{ "inspect", { NULL }, verb_inspect, VERB_LOOK, NULL },
	{ "wait", { "until" }, verb_wait, VERB_OTHER, NULL },
	{ "down", { "graceful" }, verb_down, VERB_ALWAYS, NULL },
	{ "exec",
	  { "node", "argv", "env", "cwd", "tty", "rows", "cols", "stdin", "lockstep" },
	  verb_exec,
	  VERB_INPUT, NULL },
	{ "go-on", { "to", "events" }, verb_go_on, VERB_OTHER, NULL },
	{ "stdin", { "to", "data" }, verb_stdin, VERB_INPUT, NULL },
	{ "resize", { "to", "rows", "cols" }, verb_resize, VERB_INPUT, NULL },
	{ "signal", { "to", "signal" }, verb_signal, VERB_INPUT, NULL },
	{ "console", { "node", "tail" }, verb_console, VERB_OTHER, NULL },
	{ "input", { "to", "data" }, verb_input, VERB_OTHER, NULL },
	{ "close", { "to" }, verb_close, VERB_INPUT, NULL },
	{ "events", { "follow", "since" }, verb_events, VERB_OTHER, NULL },
	{ "fault-set", { "target", "fault", "replace", "for" }, fault_set, VERB_INPUT,
	  prepare_fault_set },
	{ "fault-clear", { "target", "keys", "rule" }, fault_clear, VERB_INPUT, NULL },
	{ "fault-ls", { "target" }, verb_fault_ls, VERB_LOOK, NULL },
	{ "partition",
	  { "sides", "kind", "nodes", "among", "one_way", "name", "for", "every",
	    "min_stable" },
	  partition, VERB_INPUT, NULL },
	{ "partition-ls", { NULL }, verb_partition_ls, VERB_LOOK, NULL },
	{ "fidelity", { "target" }, verb_fidelity, VERB_LOOK, NULL },
	{ "matrix", { NULL }, verb_matrix, VERB_LOOK, NULL },
	{ "heal", { "names" }, heal, VERB_INPUT, NULL },
	{ "capture", { "target", "filter", "snap", "delivered" }, verb_capture, VERB_OTHER,
	  prepare_capture },
	{ "replay", { NULL }, verb_replay, VERB_OTHER, NULL },
	{ "clock", { "pace_ppm", "paused", "step_ns" }, verb_clock, VERB_OTHER, NULL },
	{ "node-life", { "node", "order" }, node_life, VERB_INPUT, NULL },
	{ "node-clock",
	  { "node", "offset_ns", "step_ns", "drift_ppb", "frozen" },
	  node_clock,
	  VERB_INPUT, NULL },
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
