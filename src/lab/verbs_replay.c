/* SPDX-License-Identifier: MIT */
/* replay: how far a run that is run again has come, and how it ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "lab/verbs.h"

static const char *const state_names[] = {
	[RERUN_RUNNING] = "running",   [RERUN_SAME] = "same",
	[RERUN_HALTED] = "halted",     [RERUN_DIVERGED] = "diverged",
	[RERUN_BROKEN] = "broken",
};

/* ---- what differs ------------------------------------------------------------------------ */

static json_t *frame_json(const struct lab *lab, const struct divergence_side *side)
{
	const struct frame_record *frame = &side->frame;
	char hash[DIGEST_TEXT_BYTES];
	struct plan_endpoint at;
	const struct plan_node *node;
	uint32_t link;

	if (!side->there || frame->port >= wire_port_count(lab->fabric.wire))
		return json_null();
	at = wire_endpoint(lab->fabric.wire, frame->port);
	node = &lab->plan->nodes[at.node];
	link = node->interfaces[at.interface].link;
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "at_ns",
			 (json_int_t)side->at_ns, "node", node->name, "interface",
			 node->interfaces[at.interface].name, "link",
			 lab->plan->links[link].name, "way",
			 FRAME_WAY(frame) == DIGEST_SENT ? "sent" : "received", "frame",
			 (json_int_t)side->number, "bytes",
			 (json_int_t)FRAME_SIZE(frame), "hash",
			 digest_text(hash, frame->hash));
}

/* The entry once more, without its number. */
static json_t *entry_json(const struct divergence_side *side)
{
	cleanup_free char *text = NULL;
	json_t *entry = NULL;

	if (side->there && side->text && asprintf(&text, "{%s", side->text) >= 0)
		entry = json_loads(text, 0, NULL);
	return entry ? entry : json_null();
}

static json_t *line_json(const struct divergence_side *side)
{
	return side->there && side->text ? text_json_z(side->text) : json_null();
}

static json_t *divergence_json(const struct lab *lab, const struct divergence *first)
{
	json_t *was, *is, *out;
	const char *kind;

	if (first->kind == DIVERGED_FRAME) {
		kind = "frame";
		was = frame_json(lab, &first->was);
		is = frame_json(lab, &first->is);
	} else if (first->kind == DIVERGED_ENTRY) {
		kind = "journal";
		was = entry_json(&first->was);
		is = entry_json(&first->is);
	} else {
		kind = first->service == DIGEST_CONSOLE ? "console" : "log";
		was = line_json(&first->was);
		is = line_json(&first->is);
	}
	out = json_pack("{s:s, s:I, s:o, s:o}", "kind", kind, "at_ns",
			(json_int_t)first->at_ns, "was", was, "is", is);
	if (out && first->kind == DIVERGED_STREAM) {
		const struct plan_node *node = &lab->plan->nodes[first->node];

		json_object_set_new(out, "node", json_string(node->name));
		json_object_set_new(out, "line", json_integer((json_int_t)first->line));
		json_object_set_new(out, "byte", json_integer((json_int_t)first->byte));
		if (first->service != DIGEST_CONSOLE)
			json_object_set_new(
				out, "service",
				json_string(node->services[first->service].name));
	}
	return out;
}

/* ---- who waits for the end ----------------------------------------------------------------
 */

struct watcher {
	struct request request;
	struct lab *lab;
	uint64_t told; /* rerun_ticks() */
};

static json_t *state_json(const struct lab *lab)
{
	const struct rerun *rerun = lab->rerun;
	const struct comparison *comparison = rerun_comparison(rerun);
	const struct recorded *recorded = rerun_config(rerun)->recorded;
	uint64_t until_ns = rerun_config(rerun)->until_ns;

	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "state",
			 state_names[rerun_state(rerun)], "now_ns",
			 (json_int_t)clock_now_ns(lab->clock), "end_ns",
			 (json_int_t)(until_ns ? until_ns : recorded->end_ns), "frames",
			 (json_int_t)comparison_frames(comparison), "entries",
			 (json_int_t)comparison_entries(comparison));
}

static json_t *result_json(const struct lab *lab)
{
	const struct rerun *rerun = lab->rerun;
	const struct divergence *first = comparison_first(rerun_comparison(rerun));
	json_t *result = state_json(lab), *digest = digest_json(lab);

	json_object_set(result, "digest", json_object_get(digest, "all"));
	json_decref(digest);
	if (rerun_config(rerun)->recorded->ended)
		json_object_set_new(
			result, "recorded_digest",
			json_string(rerun_config(rerun)->recorded->digest));
	if (first)
		json_object_set_new(result, "divergence", divergence_json(lab, first));
	if (rerun_state(rerun) == RERUN_BROKEN)
		json_object_set_new(result, "why", text_json_z(rerun_reason(rerun)));
	return result;
}

static bool pump(struct request *request)
{
	struct watcher *watcher = (struct watcher *)request;
	struct lab *lab = watcher->lab;

	if (rerun_state(lab->rerun) == RERUN_RUNNING) {
		if (watcher->told != rerun_ticks(lab->rerun))
			request_event(request, "progress", state_json(lab));
		watcher->told = rerun_ticks(lab->rerun);
		return false;
	}
	request_answer(request, result_json(lab));
	free(watcher);
	return false;
}

static void drop(struct request *request)
{
	free(request);
}

static void close_watcher(struct request *request)
{
	request_fail(request, NULL, "closed");
	free(request);
}

int verb_replay(void *ctx, struct call *call, struct why *why)
{
	static const struct request_ops ops = {
		.pump = pump,
		.close = close_watcher,
		.drop = drop,
	};
	struct lab *lab = ctx;
	struct watcher *watcher;

	if (!lab->rerun)
		return why_set(why, -EINVAL, "lab %s is no replay of a run", lab->name);
	watcher = calloc(1, sizeof(*watcher));
	if (!watcher)
		return why_set(why, -ENOMEM, "out of memory");
	watcher->lab = lab;
	request_begin(&watcher->request, call, &ops, WAKE_RERUN);
	return 0;
}
