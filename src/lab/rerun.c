/* SPDX-License-Identifier: MIT */
#include "lab/rerun.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "lab/lab_internal.h"

/* How often somebody who waits for it is told how far it is, in the host's time. */
#define TELL_NS (100 * NS_PER_MS)

struct rerun {
	struct lab *lab;
	const struct rerun_config *config;
	struct comparison *comparison;
	struct digest_watch watch;
	enum rerun_state state;
	struct why why;
	size_t next; /* of the recorded inputs */
	uint64_t halt_ns;
	struct vtime_input input;
	struct timer tell; /* of the host */
	uint64_t ticks;
};

static void end(struct rerun *rerun, enum rerun_state state)
{
	struct lab *lab = rerun->lab;

	if (rerun->state != RERUN_RUNNING)
		return;
	rerun->state = state;
	timer_cancel(lab->host, &rerun->tell);
	vtime_unwant(lab->vtime);
	lab_vtime_unwant_boot(lab);
	if (state == RERUN_DIVERGED || state == RERUN_BROKEN)
		vtime_pause(lab->vtime, true);
	control_wake(lab->control, WAKE_RERUN);
	lab_vtime_let_in(lab);
}

static void on_tell(void *ctx, uint64_t now_ns)
{
	struct rerun *rerun = ctx;

	rerun->ticks++;
	control_wake(rerun->lab->control, WAKE_RERUN);
	timer_set(rerun->lab->host, &rerun->tell, now_ns + TELL_NS);
}

/* ---- what is compared ------------------------------------------------------------------ */

static void on_frame(void *ctx, enum digest_way way, uint32_t port, uint64_t now_ns,
		     size_t size, uint64_t hash)
{
	struct rerun *rerun = ctx;
	struct frame_record frame = frame_record(way, port, now_ns, size, hash);

	if (rerun->state == RERUN_RUNNING && comparison_frame(rerun->comparison, &frame))
		end(rerun, RERUN_DIVERGED);
}

static void on_entry(void *ctx, const char *line, size_t size)
{
	struct rerun *rerun = ctx;

	if (rerun->state == RERUN_RUNNING &&
	    comparison_entry(rerun->comparison, clock_now_ns(rerun->lab->clock), line,
			     size))
		end(rerun, RERUN_DIVERGED);
}

static void on_stream(void *ctx, uint32_t node, uint32_t service, const uint8_t *bytes,
		      size_t size)
{
	struct rerun *rerun = ctx;

	if (rerun->state == RERUN_RUNNING &&
	    comparison_stream(rerun->comparison, clock_now_ns(rerun->lab->clock), node,
			      service, bytes, size))
		end(rerun, RERUN_DIVERGED);
}

/* ---- what is done again ---------------------------------------------------------------- */

static uint64_t member(const json_t *entry, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(entry, key));
}

/* The bytes of a command's stdin, from where they were kept. */
static int add_bytes(const struct recorded *recorded, const json_t *entry, json_t *body,
		     struct why *why)
{
	const char *hash = json_string_value(json_object_get(entry, "hash"));
	uint64_t at = member(entry, "at"), size = member(entry, "bytes");
	const struct recorded_stream *kept = &recorded->stdin_bytes;
	cleanup_free char *text = NULL;
	char is[DIGEST_TEXT_BYTES];

	if (json_is_false(json_object_get(entry, "kept")))
		return why_set(why, -ENODATA,
			       "its %" PRIu64 " bytes were more than could be kept",
			       size);
	if (at > kept->size || size > kept->size - at)
		return why_set(why, -ENODATA, "%s/stdin.bin is too short",
			       recorded->path);
	if (size && (!hash || strcmp(digest_text(is, digest_hash(kept->bytes + at, size)),
				     hash) != 0))
		return why_set(why, -ENODATA, "%s/stdin.bin is not what it was",
			       recorded->path);
	text = malloc(BASE64_ROOM(size));
	if (!text)
		return why_set(why, -ENOMEM, "out of memory");
	*text = 0;
	if (size)
		base64_encode(text, kept->bytes + at, size);
	json_object_set_new(body, "data", json_string(text));
	return 0;
}

/* The request that it was, with the command's number for an id. */
static int request_of(const struct recorded *recorded, const json_t *entry,
		      json_t **out, struct why *why)
{
	static const char *const not_said[] = { "n",  "t",    "wall", "event",
						"do", "bytes", "at",   "hash",
						"kept" };
	const char *verb = json_string_value(json_object_get(entry, "do"));
	json_t *body = json_copy((json_t *)entry), *command;
	int err = 0;

	if (!body)
		return why_set(why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(not_said); i++)
		json_object_del(body, not_said[i]);
	command = json_incref(json_object_get(body, "command"));
	json_object_del(body, "command");
	if (command && strcmp(verb, "exec") != 0)
		json_object_set(body, "to", command);
	json_decref(command);
	if (strcmp(verb, "stdin") == 0)
		err = add_bytes(recorded, entry, body, why);
	if (err)
		json_decref(body);
	else
		*out = body;
	return err;
}

static int do_again(struct rerun *rerun, const json_t *entry, struct why *why)
{
	const char *verb = json_string_value(json_object_get(entry, "do"));
	struct lab *lab = rerun->lab;
	json_int_t id = 0;
	json_t *body;
	int err;

	if (strcmp(verb, "down") == 0) {
		lab_vtime_go_down(lab);
		return 0;
	}
	err = request_of(rerun->config->recorded, entry, &body, why);
	if (err)
		return err;
	if (strcmp(verb, "exec") == 0)
		id = json_integer_value(json_object_get(entry, "command"));
	err = control_do(lab->control, id, verb, body, why);
	json_decref(body);
	return err;
}

/* ---- when --------------------------------------------------------------------------------
 */

static void compare_end(struct rerun *rerun)
{
	struct lab *lab = rerun->lab;

	for (size_t i = 0; i < lab->plan->node_count; i++)
		machine_drain(lab->machines[i]);
	/* What machines had said just before may have been the difference. */
	if (rerun->state == RERUN_RUNNING)
		end(rerun, comparison_end(rerun->comparison) ? RERUN_DIVERGED
							     : RERUN_SAME);
}

static void plan_next(struct rerun *rerun)
{
	const struct recorded *recorded = rerun->config->recorded;
	uint64_t at_ns = rerun->halt_ns;

	if (rerun->next < recorded->input_count &&
	    recorded->inputs[rerun->next].at_ns < at_ns)
		at_ns = recorded->inputs[rerun->next].at_ns;
	vtime_plan(rerun->lab->vtime, &rerun->input, at_ns);
}

static void halt(struct rerun *rerun)
{
	if (!rerun->config->until_ns)
		compare_end(rerun);
	else if (comparison_until(rerun->comparison, rerun->halt_ns))
		end(rerun, RERUN_DIVERGED);
	else
		end(rerun, RERUN_HALTED);
}

/* An instant of the recording: all inputs of it, or its end. */
static void on_planned(void *ctx)
{
	struct rerun *rerun = ctx;
	const struct recorded *recorded = rerun->config->recorded;
	uint64_t now_ns = clock_now_ns(rerun->lab->clock);
	struct why why = { "" };
	bool any = false;

	while (rerun->state == RERUN_RUNNING && rerun->next < recorded->input_count &&
	       recorded->inputs[rerun->next].at_ns <= now_ns) {
		const json_t *entry = recorded->inputs[rerun->next++].entry;

		any = true;
		/* Refused, it is missing from the journal; but why says more. */
		if (do_again(rerun, entry, &why) && rerun->state == RERUN_RUNNING) {
			why_set(&rerun->why, 0,
				"at %" PRIu64 " ns: input %" PRIu64
				" of the journal (%s) cannot be done again: %s",
				now_ns, member(entry, "n"),
				json_string_value(json_object_get(entry, "do")),
				why.text);
			end(rerun, RERUN_BROKEN);
		}
	}
	if (rerun->state != RERUN_RUNNING)
		return;
	/* What the inputs lead to at this instant comes before its end. */
	if (!any && now_ns == rerun->halt_ns)
		halt(rerun);
	else
		plan_next(rerun);
}

void rerun_seal(struct rerun *rerun)
{
	uint64_t now_ns;

	if (!rerun || rerun->state != RERUN_RUNNING)
		return;
	now_ns = clock_now_ns(rerun->lab->clock);
	if (now_ns >= rerun->config->recorded->end_ns) {
		compare_end(rerun);
		return;
	}
	why_set(&rerun->why, 0,
		"the lab was ended at %" PRIu64 " ns; the recorded run went on to %" PRIu64
		" ns",
		now_ns, rerun->config->recorded->end_ns);
	end(rerun, RERUN_BROKEN);
}

/* ---- life ------------------------------------------------------------------------------ */

int rerun_create(struct rerun **out, struct lab *lab, const struct rerun_config *config,
		 struct why *why)
{
	struct rerun *rerun = calloc(1, sizeof(*rerun));
	int err;

	if (!rerun)
		return why_set(why, -ENOMEM, "replay: out of memory");
	rerun->lab = lab;
	rerun->config = config;
	rerun->halt_ns = config->until_ns ? config->until_ns : config->recorded->end_ns;
	rerun->input = (struct vtime_input){ .run = on_planned, .ctx = rerun };
	rerun->tell = (struct timer){ .fire = on_tell, .ctx = rerun };
	err = comparison_create(&rerun->comparison, config->recorded,
				wire_port_count(lab->fabric.wire), why);
	if (err) {
		free(rerun);
		return err;
	}
	rerun->watch = (struct digest_watch){
		.frame = on_frame, .entry = on_entry, .stream = on_stream, .ctx = rerun
	};
	digest_watch(lab->digest, &rerun->watch);
	vtime_want(lab->vtime);
	plan_next(rerun);
	timer_set(lab->host, &rerun->tell, clock_now_ns(lab->host) + TELL_NS);
	*out = rerun;
	return 0;
}

void rerun_destroy(struct rerun *rerun)
{
	if (!rerun)
		return;
	timer_cancel(rerun->lab->host, &rerun->tell);
	comparison_destroy(rerun->comparison);
	free(rerun);
}

enum rerun_state rerun_state(const struct rerun *rerun)
{
	return rerun ? rerun->state : RERUN_HALTED;
}

uint64_t rerun_ticks(const struct rerun *rerun)
{
	return rerun->ticks;
}

const char *rerun_reason(const struct rerun *rerun)
{
	return rerun->why.text;
}

const struct comparison *rerun_comparison(const struct rerun *rerun)
{
	return rerun->comparison;
}

const struct rerun_config *rerun_config(const struct rerun *rerun)
{
	return rerun->config;
}
