/* SPDX-License-Identifier: MIT */
/* wait, down: how the lab comes up and goes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_args.h"
#include "fabric/fidelity.h"
#include "base/text.h"
#include "lab/verbs.h"

enum { LAST_WORDS_BYTES = 4096 };

/* Somebody who watches until the lab is there, or gone. */
struct watcher {
	struct request request;
	struct lab *lab;
	uint64_t told; /* lab->changes when progress was last told */
};

static void tell_progress(struct watcher *watcher)
{
	const struct lab *lab = watcher->lab;
	struct lab_count count = lab_count(lab);
	json_t *fields;

	if (watcher->told == lab->changes)
		return;
	watcher->told = lab->changes;
	fields = json_pack("{s:i, s:i, s:i, s:i, s:i}", "booted", count.booted, "nodes",
			   count.nodes, "ready", count.ready, "services", count.services,
			   "gone", count.gone);
	if (lab->last_node) {
		json_object_set_new(fields, "node", json_string(lab->last_node));
		json_object_set_new(fields, "what", text_json_z(lab->last_what));
	}
	request_event(&watcher->request, "progress", fields);
}

static void drop_watcher(struct request *request)
{
	free(request);
}

static int begin(struct lab *lab, struct call *call, const struct request_ops *ops,
		 struct why *why)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));

	if (!watcher)
		return why_set(why, -ENOMEM, "out of memory");
	watcher->lab = lab;
	watcher->told = UINT64_MAX;
	request_begin(&watcher->request, call, ops, WAKE_PROGRESS);
	return 0;
}

/* ---- wait -------------------------------------------------------------- */

static void answer_ready(struct watcher *watcher)
{
	struct lab_count count = lab_count(watcher->lab);

	request_answer(&watcher->request,
		       json_pack("{s:i, s:i, s:I}", "nodes", count.nodes, "services",
				 count.services, "ready_ns",
				 (json_int_t)watcher->lab->ready_ns));
	free(watcher);
}

/* The console's last bytes, from the beginning of a line on. */
static json_t *last_words(const struct machine *machine)
{
	char bytes[LAST_WORDS_BYTES];
	size_t size = machine_last_words(machine, bytes, sizeof(bytes)), from = 0;
	const char *newline = size == sizeof(bytes) ? memchr(bytes, '\n', size) : NULL;

	if (newline)
		from = (size_t)(newline + 1 - bytes);
	return text_json(bytes + from, size - from);
}

static void answer_failed(struct watcher *watcher)
{
	struct lab *lab = watcher->lab;
	const struct machine *machine = lab->failed;
	char error[WHY_BYTES_MAX + 64];

	snprintf(error, sizeof(error), "%s: %s", machine_plan(machine)->name,
		 *machine_reason(machine) ? machine_reason(machine) : "failed");
	request_fail(&watcher->request,
		     json_pack("{s:s, s:o}", "node", machine_plan(machine)->name,
			       "console", last_words(machine)),
		     error);
	free(watcher);
	lab->failure_told = true;
	loop_defer(lab->loop, &lab->advance);
}

static bool pump_wait(struct request *request)
{
	struct watcher *watcher = (struct watcher *)request;
	struct lab *lab = watcher->lab;

	tell_progress(watcher);
	if (lab->phase == LAB_RUNNING) {
		answer_ready(watcher);
	} else if (lab->failed) {
		answer_failed(watcher);
	} else if (lab->phase >= LAB_STOPPING) {
		request_fail(request, NULL, "the lab was taken down before it was ready");
		free(watcher);
	}
	return false;
}

static void close_wait(struct request *request)
{
	request_fail(request, NULL, "closed");
	free(request);
}

int verb_wait(void *ctx, struct call *call, struct why *why)
{
	static const struct request_ops ops = {
		.pump = pump_wait,
		.close = close_wait,
		.drop = drop_watcher,
	};
	const char *until = "ready";
	int err = arg_text(call->body, "until", ARG_OPTIONAL, &until, why);

	if (err)
		return err;
	if (strcmp(until, "ready") != 0)
		return why_set(why, -EINVAL, "\"until\": \"ready\" was expected");
	return begin(ctx, call, &ops, why);
}

/* ---- down -------------------------------------------------------------- */

static bool pump_down(struct request *request)
{
	struct watcher *watcher = (struct watcher *)request;

	tell_progress(watcher);
	if (watcher->lab->phase == LAB_GONE) {
		request_answer(request,
			       json_pack("{s:o}", "fidelity",
					 fidelity_run(watcher->lab->fabric.wire)));
		free(watcher);
	}
	return false;
}

int verb_down(void *ctx, struct call *call, struct why *why)
{
	static const struct request_ops ops = { .pump = pump_down, .drop = drop_watcher };
	struct lab *lab = ctx;
	bool graceful = false;
	int err = arg_flag(call->body, "graceful", &graceful, why);

	if (!err)
		err = begin(lab, call, &ops, why);
	if (err)
		return err;
	/* Whoever takes a failed lab down knows. */
	lab->failure_told = true;
	/* Asking the machines is an input to them. */
	if (graceful && lab->vtime)
		vtime_input(lab->vtime, &lab->stop_gate);
	else
		lab_stop(lab, graceful, "down");
	loop_defer(lab->loop, &lab->advance);
	return 0;
}
