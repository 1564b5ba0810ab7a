/* SPDX-License-Identifier: MIT */
/* A recorded link once more: does the switch decide what it decided then? */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/capture.h"
#include "cli/command.h"
#include "cli/run_ref.h"
#include "cli/ui.h"
#include "replay/recheck.h"

/* -w: what is seen in the replay, as a capture. */
struct copy {
	struct loop *loop;
	struct capture *capture;
	const struct history *history;
	const char **names;
};

static void on_ended(void *ctx, const char *why)
{
	(void)ctx;
	if (why)
		ui_error("the copy: %s", why);
}

/* Begins with the first event: the replay knows the ports then. */
static void begin_copy(struct copy *copy, const struct link_replay *replay, int fd)
{
	uint32_t ports = link_replay_port_count(replay);
	struct capture_config config = { .fd = fd, .interface_count = ports };
	struct why why;

	copy->names = ui_need(calloc(ports + 1, sizeof(*copy->names)));
	for (uint32_t p = 0; p < ports; p++)
		copy->names[p] = link_replay_port_name(replay, p);
	config.interfaces = copy->names;
	if (capture_create(&copy->capture, copy->loop, &config, on_ended, copy, &why))
		ui_error("the copy: %s", why.text);
}

struct job {
	struct copy copy;
	int fd;
};

static void on_seen(void *ctx, struct link_replay *replay, const struct sw_tap_event *event)
{
	struct job *job = ctx;
	char text[VERDICT_BYTES_MAX];
	struct capture_frame frame;

	if (job->fd < 0)
		return;
	if (!job->copy.capture)
		begin_copy(&job->copy, replay, job->fd);
	if (!job->copy.capture)
		return;
	frame = verdict_frame(text, event,
			      event->now_ns + job->copy.history->wall_at_zero_ns,
			      link_replay_cut_name, replay);
	frame.interface = event->port;
	capture_frame(job->copy.capture, &frame);
	/* A file takes all there is. */
	while (loop_turn(job->copy.loop, 0) > 0)
		;
}

static int open_copy(struct job *job, const char *path, struct why *why)
{
	job->fd = -1;
	if (!path)
		return 0;
	job->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (job->fd < 0)
		return why_errno(why, -errno, "%s", path);
	return loop_create(&job->copy.loop, why);
}

static void close_copy(struct job *job)
{
	capture_destroy(job->copy.capture);
	loop_destroy(job->copy.loop);
	free(job->copy.names);
}

static json_t *sight_json(const struct sight *sight)
{
	if (!sight->comment)
		return json_null();
	return json_pack("{s:s, s:s, s:I}", "verdict",
			 sw_fate_name((enum sw_fate)(sight->fate & ~VERDICT_LATE)),
			 "comment", sight->comment, "frame", (json_int_t)sight->number);
}

static void print_sight(const char *when, const struct sight *sight)
{
	printf("  %-8s ", when);
	if (!sight->comment)
		printf("not seen\n");
	else
		printf("%s%s%s\n",
		       sw_fate_name((enum sw_fate)(sight->fate & ~VERDICT_LATE)),
		       *sight->comment ? "  " : "", sight->comment);
}

static void print_result(const struct command_call *call, const struct recheck *r)
{
	json_t *out;

	if (call->json) {
		out = json_pack("{s:I, s:I, s:I}", "frames", (json_int_t)r->frames,
				"compared", (json_int_t)r->compared, "differences",
				(json_int_t)r->differences);
		if (r->differences)
			json_object_set_new(out, "first",
					    json_pack("{s:o, s:o}", "recorded",
						      sight_json(&r->was), "replayed",
						      sight_json(&r->is)));
		if (!whole_is(&r->whole))
			json_object_set_new(out, "incomplete",
					    json_string(r->whole.why.text));
		ui_json(out);
		json_decref(out);
		return;
	}
	printf("%" PRIu64 " frames entered, %" PRIu64 " verdicts compared: ", r->frames,
	       r->compared);
	if (!whole_is(&r->whole))
		ui_warning("the record is incomplete: %s", r->whole.why.text);
	if (!r->differences) {
		printf(whole_is(&r->whole) ? "all are the same\n"
					   : "those that there are are the same\n");
		return;
	}
	printf("%" PRIu64 " differ\n", r->differences);
	if (r->was.comment)
		printf("the first is frame %" PRIu64 " of the capture:\n", r->was.number);
	print_sight("recorded", &r->was);
	print_sight("replayed", &r->is);
}

int cmd_replay_link(struct command_call *call)
{
	const char *file = call_option(call, "read"), *out = call_option(call, "write");
	struct job job = { .fd = -1 };
	struct recheck_ops ops = { .seen = on_seen, .ctx = &job };
	struct history history = { 0 };
	struct recheck recheck = { 0 };
	char path[PATH_MAX];
	struct why why;
	int rc, status = STATUS_DONE;

	if (!file) {
		ui_error("which capture? -r FILE: one of this run, with all ends of %s",
			 call->argv[1]);
		return STATUS_USAGE;
	}
	job.copy.history = &history;
	rc = run_ref_find(path, call->argv[0], &why);
	if (!rc)
		rc = history_read(&history, path, &why);
	if (!rc)
		rc = open_copy(&job, out, &why);
	if (!rc)
		rc = recheck_run(&recheck, &history, call->argv[1], file, &ops, &why);
	close_copy(&job);
	if (rc) {
		ui_error("%s", why.text);
		status = STATUS_FAILED;
	} else {
		print_result(call, &recheck);
		status = recheck.differences || !whole_is(&recheck.whole) ? STATUS_FAILED
									  : STATUS_DONE;
	}
	recheck_free(&recheck);
	history_free(&history);
	return status;
}
