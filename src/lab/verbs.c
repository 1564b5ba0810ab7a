/* SPDX-License-Identifier: MIT */
#include "lab/verbs.h"

#include <errno.h>

#include "base/cleanup.h"
#include "lab/control_args.h"

const struct verb lab_verbs[] = {
	{ "hello", { NULL }, verb_hello },
	{ "ps", { NULL }, verb_ps },
	{ "inspect", { NULL }, verb_inspect },
	{ "wait", { "until" }, verb_wait },
	{ "down", { "graceful" }, verb_down },
	{ "exec", { "node", "argv", "env", "cwd", "tty", "rows", "cols" }, verb_exec },
	{ "stdin", { "to", "data" }, verb_stdin },
	{ "resize", { "to", "rows", "cols" }, verb_resize },
	{ "signal", { "to", "signal" }, verb_signal },
	{ "console", { "node", "tail" }, verb_console },
	{ "input", { "to", "data" }, verb_input },
	{ "close", { "to" }, verb_close },
	{ "events", { "follow", "since" }, verb_events },
	{ "fault-set", { "target", "fault", "replace" }, verb_fault_set },
	{ "fault-clear", { "target" }, verb_fault_clear },
	{ "fault-ls", { "target" }, verb_fault_ls },
	{ "partition",
	  { "sides", "kind", "nodes", "among", "one_way", "name", "for", "every",
	    "min_stable" },
	  verb_partition },
	{ "partition-ls", { NULL }, verb_partition_ls },
	{ "fidelity", { "target" }, verb_fidelity },
	{ "matrix", { NULL }, verb_matrix },
	{ "heal", { "names" }, verb_heal },
	{ "capture", { "target", "filter", "snap", "delivered" }, verb_capture },
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
