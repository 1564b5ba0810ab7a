/* SPDX-License-Identifier: MIT */
/* capture: frames to a descriptor of the client's. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fabric/captures.h"
#include "control/control_args.h"
#include "base/text.h"
#include "lab/verbs.h"

enum { SNAP_BYTES_MAX = 262144 };

struct watching {
	struct request request;
	struct recording *recording; /* NULL once it has ended by itself */
	struct journal *journal;
};

static json_t *stats_json(const struct capture_stats *stats)
{
	return json_pack("{s:I, s:I, s:I}", "frames", (json_int_t)stats->written,
			 "missed", (json_int_t)stats->missed, "filtered",
			 (json_int_t)stats->filtered);
}

static void journal_end(struct watching *watching, const struct capture_stats *stats)
{
	journal_write(watching->journal, "capture-end", stats_json(stats));
}

static void on_ended(void *ctx, const struct capture_stats *stats, const char *why)
{
	struct watching *watching = ctx;
	json_t *answer = stats_json(stats);

	if (why && *why)
		json_object_set_new(answer, "why", text_json_z(why));
	journal_end(watching, stats);
	request_answer(&watching->request, answer);
	free(watching);
}

static void close_watching(struct request *request)
{
	captures_finish(((struct watching *)request)->recording);
}

static void drop_watching(struct request *request)
{
	struct watching *watching = (struct watching *)request;
	struct capture_stats stats = captures_abandon(watching->recording);

	journal_end(watching, &stats);
	free(watching);
}

static int read_config(struct call *call, struct recording_config *config,
		       struct why *why)
{
	json_int_t snap = 0;
	int err = arg_text(call->body, "target", ARG_REQUIRED, &config->target, why);

	if (!err)
		err = arg_text(call->body, "filter", ARG_OPTIONAL, &config->filter, why);
	if (!err)
		err = arg_integer(call->body, "snap", ARG_OPTIONAL, 0, SNAP_BYTES_MAX,
				  &snap, why);
	config->snap_bytes = (uint32_t)snap;
	if (!err)
		err = arg_flag(call->body, "delivered", &config->delivered, why);
	return err;
}

int verb_capture(void *ctx, struct call *call, struct why *why)
{
	static const struct request_ops ops = {
		.close = close_watching,
		.drop = drop_watching,
	};
	struct lab *lab = ctx;
	struct recording_config config = { 0 };
	cleanup_close int fd = call_take_fd(call);
	struct watching *watching;
	int err = read_config(call, &config, why);

	if (err)
		return err;
	if (fd < 0)
		return why_set(
			why, -EINVAL,
			"capture: a descriptor to write to must come with the request "
			"(SCM_RIGHTS)");
	config.fd = fd;
	watching = calloc(1, sizeof(*watching));
	err = watching ? captures_start(&watching->recording, lab->fabric.captures, &config,
					on_ended, watching, why)
		       : why_set(why, -ENOMEM, "capture: out of memory");
	if (err) {
		free(watching);
		return err;
	}
	steal_fd(&fd);
	watching->journal = lab->journal;
	request_begin(&watching->request, call, &ops, 0);
	journal_write(lab->journal, "capture",
		      json_pack("{s:s, s:s, s:b}", "target", config.target, "filter",
				config.filter ? config.filter : "", "delivered",
				config.delivered));
	request_event(&watching->request, "capturing",
		      json_pack("{s:o}", "interfaces",
				recording_interfaces(watching->recording)));
	return 0;
}
