/* SPDX-License-Identifier: MIT */
#include "fabric/captures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "fabric/cuts.h"
#include "fabric/verdict.h"

#define NOT_RECORDED UINT32_MAX

enum { END_PATIENCE_MS = 2000 }; /* with readers, at the end of the lab */

struct recording {
	struct captures *captures;
	struct recording *prev, *next;
	struct capture *capture;
	char *target, *filter;
	bool delivered;
	bool finishing; /* no more frames */
	bool placed;	/* at that place of the file system */
	dev_t dev;
	ino_t ino;
	uint32_t *interface_of; /* by port: index in the stream, or NOT_RECORDED */
	const char **names;	/* by index; lent by the wiring */
	uint32_t name_count;
	void (*ended)(void *ctx, const struct capture_stats *stats, const char *why);
	void *ctx;
};

struct captures {
	const char *lab;
	const struct plan *plan;
	struct loop *loop;
	struct clock *clock;
	struct wire *wire;
	const struct cuts *cuts;
	struct recording *first;
	uint32_t count;
	uint32_t *watchers; /* by port: recordings that want it */
};

int captures_create(struct captures **out, const char *lab, const struct plan *plan,
		    struct loop *loop, struct clock *clock, struct wire *wire,
		    const struct cuts *cuts, struct why *why)
{
	struct captures *captures = calloc(1, sizeof(*captures));

	if (captures)
		captures->watchers = calloc(wire_port_count(wire) + 1, sizeof(uint32_t));
	if (!captures || !captures->watchers) {
		free(captures);
		return why_set(why, -ENOMEM, "captures: out of memory");
	}
	captures->lab = lab;
	captures->plan = plan;
	captures->loop = loop;
	captures->clock = clock;
	captures->wire = wire;
	captures->cuts = cuts;
	*out = captures;
	return 0;
}

/* ---- targets ----------------------------------------------------------- */

static void want(struct recording *recording, struct plan_endpoint at)
{
	uint32_t port = wire_port(recording->captures->wire, at);

	if (recording->interface_of[port] != NOT_RECORDED)
		return;
	recording->interface_of[port] = recording->name_count;
	recording->names[recording->name_count++] =
		wire_port_name(recording->captures->wire, port);
}

static void want_link(struct recording *recording, const struct plan_link *link)
{
	want(recording, link->a);
	if (link->b_kind == LINK_TO_INTERFACE)
		want(recording, link->b);
}

/* A port by its own name, or all ports of a node. */
static void want_ports(struct recording *recording, const char *target)
{
	const struct captures *captures = recording->captures;
	int node = plan_find_node(captures->plan, target);
	bool all = strcmp(target, "all") == 0;

	for (uint32_t port = 0; port < wire_port_count(captures->wire); port++) {
		struct plan_endpoint at = wire_endpoint(captures->wire, port);

		if (all || (int)at.node == node ||
		    strcmp(wire_port_name(captures->wire, port), target) == 0)
			want(recording, at);
	}
}

static void want_network(struct recording *recording, const char *target)
{
	const struct plan *plan = recording->captures->plan;

	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_link *link = &plan->links[i];

		if (link->b_kind == LINK_TO_SEGMENT &&
		    strcmp(plan->segments[link->segment].name, target) == 0)
			want_link(recording, link);
	}
}

static int resolve(struct recording *recording, const char *target, struct why *why)
{
	const struct plan *plan = recording->captures->plan;
	int link = plan_find_link(plan, target);

	if (link >= 0)
		want_link(recording, &plan->links[link]);
	if (!recording->name_count)
		want_network(recording, target);
	if (!recording->name_count)
		want_ports(recording, target);
	if (!recording->name_count)
		return why_set(
			why, -ENOENT,
			"nothing to capture is named %.100s: give a link, a network, a "
			"node, NODE:INTERFACE or all",
			target);
	return 0;
}

/* ---- recordings -------------------------------------------------------- */

static void tap_ports(struct recording *recording, bool on)
{
	struct captures *captures = recording->captures;

	for (uint32_t port = 0; port < wire_port_count(captures->wire); port++) {
		if (recording->interface_of[port] == NOT_RECORDED)
			continue;
		captures->watchers[port] += on ? 1 : UINT32_MAX;
		wire_port_tap(captures->wire, port, captures->watchers[port] > 0);
	}
}

static void unlink_recording(struct recording *recording)
{
	struct captures *captures = recording->captures;

	if (!recording->finishing)
		tap_ports(recording, false);
	if (recording->prev)
		recording->prev->next = recording->next;
	else
		captures->first = recording->next;
	if (recording->next)
		recording->next->prev = recording->prev;
	captures->count--;
}

static void free_recording(struct recording *recording)
{
	capture_destroy(recording->capture);
	free(recording->target);
	free(recording->filter);
	free(recording->interface_of);
	free(recording->names);
	free(recording);
}

static void on_ended(void *ctx, const char *why)
{
	struct recording *recording = ctx;
	struct capture_stats stats = *capture_stats(recording->capture);
	char said[WHY_BYTES_MAX]; /* why may lie in the capture */

	snprintf(said, sizeof(said), "%s", why ? why : "");
	unlink_recording(recording);
	/* First the file is whole, then it is said to be. */
	capture_destroy(steal_ptr(&recording->capture));
	recording->ended(recording->ctx, &stats, said);
	free_recording(recording);
}

void captures_end_all(struct captures *captures, const char *reason)
{
	int patience_ms = END_PATIENCE_MS;

	while (captures->first) {
		struct recording *recording = captures->first;
		struct capture_stats stats = *capture_stats(recording->capture);
		char said[WHY_BYTES_MAX];
		bool whole;

		unlink_recording(recording);
		whole = capture_end(steal_ptr(&recording->capture), &patience_ms);
		snprintf(said, sizeof(said), "%s%s", reason,
			 whole ? "" : "; its reader was too slow: the end is missing");
		recording->ended(recording->ctx, &stats, said);
		free_recording(recording);
	}
}

static int allocate(struct recording **out, struct captures *captures,
		    const struct recording_config *config, struct why *why)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	uint32_t ports = wire_port_count(captures->wire);

	if (!recording)
		return why_set(why, -ENOMEM, "capture: out of memory");
	recording->captures = captures;
	recording->delivered = config->delivered;
	recording->target = strdup(config->target);
	recording->filter = strdup(config->filter ? config->filter : "");
	recording->interface_of = malloc((ports + 1) * sizeof(*recording->interface_of));
	recording->names = calloc(ports + 1, sizeof(*recording->names));
	if (!recording->target || !recording->filter || !recording->interface_of ||
	    !recording->names) {
		free_recording(recording);
		return why_set(why, -ENOMEM, "capture: out of memory");
	}
	for (uint32_t port = 0; port < ports; port++)
		recording->interface_of[port] = NOT_RECORDED;
	*out = recording;
	return 0;
}

/* Two that write to one place leave something that nobody can read.  What has no place,
 * such as /dev/null, takes any number. */
static int check_alone(struct recording *recording, int fd, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return why_errno(why, -errno, "capture");
	recording->dev = st.st_dev;
	recording->ino = st.st_ino;
	recording->placed = !S_ISCHR(st.st_mode);
	for (const struct recording *r = recording->captures->first; r; r = r->next)
		if (recording->placed && r->placed && r->dev == st.st_dev &&
		    r->ino == st.st_ino)
			return why_set(why, -EBUSY,
				       "the capture of %s is being written there already",
				       r->target);
	return 0;
}

static int begin(struct recording *recording, const struct recording_config *config,
		 struct why *why)
{
	struct captures *captures = recording->captures;
	struct capture_config how = {
		.fd = config->fd,
		.filter = recording->filter,
		.snap_bytes = config->snap_bytes,
		.interfaces = recording->names,
		.lab = captures->lab,
	};
	int err = resolve(recording, config->target, why);

	if (!err)
		err = check_alone(recording, config->fd, why);
	how.interface_count = recording->name_count;
	return err ? err
		   : capture_create(&recording->capture, captures->loop, &how, on_ended,
				    recording, why);
}

int captures_start(struct recording **out, struct captures *captures,
		   const struct recording_config *config,
		   void (*ended)(void *ctx, const struct capture_stats *stats,
				 const char *why),
		   void *ctx, struct why *why)
{
	struct recording *recording = NULL;
	int err;

	if (captures->count >= CAPTURES_MAX)
		return why_set(why, -EBUSY, "%d captures are running already",
			       CAPTURES_MAX);
	err = allocate(&recording, captures, config, why);
	if (err)
		return err;
	err = begin(recording, config, why);
	if (err) {
		free_recording(recording);
		return err;
	}
	recording->ended = ended;
	recording->ctx = ctx;
	recording->next = captures->first;
	if (recording->next)
		recording->next->prev = recording;
	captures->first = recording;
	captures->count++;
	tap_ports(recording, true);
	*out = recording;
	return 0;
}

void captures_finish(struct recording *recording)
{
	if (!recording->finishing)
		tap_ports(recording, false);
	recording->finishing = true;
	capture_finish(recording->capture);
}

static void nobody_is_told(void *ctx, const struct capture_stats *stats, const char *why)
{
	(void)ctx;
	(void)stats;
	(void)why;
}

struct capture_stats captures_abandon(struct recording *recording)
{
	struct capture_stats stats = *capture_stats(recording->capture);

	recording->ended = nobody_is_told;
	captures_finish(recording);
	return stats;
}

void captures_destroy(struct captures *captures)
{
	if (!captures)
		return;
	while (captures->first) {
		struct recording *recording = captures->first;

		unlink_recording(recording);
		free_recording(recording);
	}
	free(captures->watchers);
	free(captures);
}

/* ---- frames ------------------------------------------------------------ */

/* Which partition that is: the name is not the switch's to know. */
static const char *cut_name(void *ctx, uint32_t from_node, uint32_t to_node)
{
	const struct captures *captures = ctx;

	return cuts_who(captures->cuts, from_node, to_node);
}

void captures_tap(struct captures *captures, const struct sw_tap_event *event)
{
	uint64_t wall_ns = clock_wall_ns(captures->clock, event->now_ns);
	struct capture_frame full = { 0 }, plain = verdict_plain(event, wall_ns);
	char text[VERDICT_BYTES_MAX];
	bool worded = false;

	for (struct recording *r = captures->first, *next; r; r = next) {
		struct capture_frame *frame = r->delivered ? &plain : &full;

		next = r->next;
		if (r->finishing || r->interface_of[event->port] == NOT_RECORDED ||
		    (r->delivered && event->inbound))
			continue;
		/* Words are made when the first one wants them. */
		if (!r->delivered && !worded)
			full = verdict_frame(text, event, wall_ns, cut_name, captures);
		worded |= !r->delivered;
		frame->interface = r->interface_of[event->port];
		capture_frame(r->capture, frame);
	}
}

json_t *recording_interfaces(const struct recording *recording)
{
	json_t *names = json_array();

	for (uint32_t i = 0; i < recording->name_count; i++)
		json_array_append_new(names, json_string(recording->names[i]));
	return names;
}

json_t *captures_json(const struct captures *captures)
{
	json_t *all = json_array();

	for (const struct recording *r = captures->first; r; r = r->next) {
		const struct capture_stats *stats = capture_stats(r->capture);

		json_array_append_new(all,
				      json_pack("{s:s, s:s, s:b, s:o, s:I, s:I}",
						"target", r->target, "filter", r->filter,
						"delivered", r->delivered, "interfaces",
						recording_interfaces(r), "frames",
						(json_int_t)stats->written, "missed",
						(json_int_t)stats->missed));
	}
	return all;
}
