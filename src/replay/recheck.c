/* SPDX-License-Identifier: MIT */
#include "replay/recheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"

#define NO_PORT UINT32_MAX

struct run {
	struct recheck *recheck;
	struct link_replay *replay;
	const struct history *history;
	const struct recheck_ops *ops;
	struct pcapng_file file;
	uint32_t *port_of;	/* by interface of the file; NO_PORT: not of the link */
	size_t known;		/* interfaces that port_of tells of */
	bool *wanted;		/* by port */
	bool *seen;		/* by port: it is in the capture */
	uint64_t *first, *next; /* by port: numbers that have entered, from and below */
	uint64_t last_ns;	/* lab time of the last record */
	bool ending;		/* the file is at its end */
	uint64_t order;
	bool no_memory;
};

/* ---- sights ------------------------------------------------------------ */

static int add_sight(struct sights *sights, struct sight sight, const char *comment)
{
	if (sights->count == sights->room) {
		size_t room = sights->room ? 2 * sights->room : 1024;
		struct sight *grown = reallocarray(sights->at, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		sights->at = grown;
		sights->room = room;
	}
	sight.comment = strdup(comment);
	if (!sight.comment)
		return -ENOMEM;
	sights->at[sights->count++] = sight;
	return 0;
}

static int by_frame(const void *a, const void *b)
{
	const struct sight *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->inbound != y->inbound)
		return x->inbound ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* Whether the machine at the far end took it is not for the link to say. */
static bool lies_with_machine(int verdict)
{
	int fate = verdict & ~VERDICT_LATE;

	return fate == SW_DROP_FULL || fate == SW_DROP_NO_PORT || fate == SW_DROP_POOL;
}

static void on_tap(void *ctx, const struct sw_tap_event *event)
{
	struct run *run = ctx;
	char text[VERDICT_BYTES_MAX];
	struct capture_frame frame =
		verdict_frame(text, event, 0, link_replay_cut_name, run->replay);

	if (run->ops->seen)
		run->ops->seen(run->ops->ctx, run->replay, event);
	if (frame.id == CAPTURE_NO_ID || lies_with_machine(frame.verdict))
		return;
	/* What was under way when the capture ended was not seen to end. */
	if (run->ending && event->now_ns > run->last_ns)
		return;
	if (add_sight(&run->recheck->again,
		      (struct sight){ .id = frame.id,
				      .port = event->port,
				      .inbound = event->inbound,
				      .fate = frame.verdict,
				      .order = run->order++ },
		      frame.comment ? frame.comment : ""))
		run->no_memory = true;
}

/* ---- feeding ----------------------------------------------------------- */

static int learn_interfaces(struct run *run, struct why *why)
{
	while (run->known < run->file.interface_count) {
		int port =
			link_replay_find_port(run->replay, run->file.interfaces[run->known]);
		uint32_t *grown =
			reallocarray(run->port_of, run->known + 1, sizeof(*grown));

		if (!grown)
			return why_set(why, -ENOMEM, "replay: out of memory");
		run->port_of = grown;
		grown[run->known] = NO_PORT;
		if (port >= 0 && run->wanted[port]) {
			grown[run->known] = (uint32_t)port;
			run->seen[port] = true;
		}
		run->known++;
	}
	return 0;
}

static int check_record(const struct pcapng_record *record, struct why *why)
{
	if (record->verdict == PCAPNG_NO_VERDICT && record->id == PCAPNG_NO_ID)
		return why_set(
			why, -EINVAL,
			"frame %llu says not what was done to it: this is a plain "
			"capture (--delivered), or another program has rewritten it",
			(unsigned long long)record->number);
	if (record->captured < record->size)
		return why_set(
			why, -EINVAL,
			"frame %llu is not there as a whole: record without --snap",
			(unsigned long long)record->number);
	return 0;
}

static bool is_inbound(const struct pcapng_record *record)
{
	return (record->flags & 3) == PCAPNG_OUTBOUND;
}

static int enter(struct run *run, const struct pcapng_record *record, uint32_t port,
		 struct why *why)
{
	uint64_t number = record->id & VERDICT_NUMBER_MASK;
	struct frame frame = { record->bytes, record->size };

	if (!run->next[port])
		run->first[port] = number;
	run->next[port] = number + 1;
	run->recheck->frames++;
	if (run->ops->enters)
		run->ops->enters(run->ops->ctx, record);
	return link_replay_frame(run->replay, port, number, frame,
			    record->wall_ns - run->history->wall_at_zero_ns, why);
}

/* Was it seen to enter? */
static bool has_entered(const struct run *run, uint64_t id)
{
	uint64_t port = id >> VERDICT_NUMBER_BITS, number = id & VERDICT_NUMBER_MASK;

	return port < link_replay_port_count(run->replay) && number >= run->first[port] &&
	       number < run->next[port];
}

static int feed_record(struct run *run, const struct pcapng_record *record,
		       struct why *why)
{
	uint32_t port = run->port_of[record->interface];
	uint64_t number = record->id & VERDICT_NUMBER_MASK;
	int err = check_record(record, why);

	run->last_ns = record->wall_ns - run->history->wall_at_zero_ns;
	/* Without an identity it never came to a direction. */
	if (err || record->id == PCAPNG_NO_ID)
		return err;
	if (is_inbound(record) && !(record->verdict & VERDICT_LATE) &&
	    number >= run->next[port])
		err = enter(run, record, port, why);
	if (err || lies_with_machine(record->verdict) || !has_entered(run, record->id))
		return err;
	return add_sight(&run->recheck->then,
			 (struct sight){ .id = record->id,
					 .port = port,
					 .inbound = is_inbound(record),
					 .fate = record->verdict,
					 .order = record->number,
					 .number = record->number },
			 record->comment)
		       ? why_set(why, -ENOMEM, "replay: out of memory")
		       : 0;
}

/* What was set after a gap in the journal is not known. */
static bool is_beyond_history(const struct run *run, const struct pcapng_record *record)
{
	return run->history->whole.gap &&
	       record->wall_ns - run->history->wall_at_zero_ns >
		       run->history->whole.until_ns;
}

/* A capture that goes on has no end, either; but not of a lab that is over. */
static void look_at_end(struct run *run)
{
	struct whole *whole = &run->recheck->whole;

	if (run->file.cut_short)
		whole_lacks(whole, "the capture breaks off within a frame");
	else if (run->history->over && !run->history->whole.gap && !run->file.ended)
		whole_lacks(whole, "the capture has no end of its own: it was cut short, or "
				   "written again by a program that leaves that out");
	if (run->file.missed)
		whole_lacks(whole, "the capture misses %llu frames, which found no room",
			    (unsigned long long)run->file.missed);
}

static int feed(struct run *run, struct why *why)
{
	struct pcapng_record record;
	int rc;

	while ((rc = pcapng_next(&run->file, &record, why)) > 0) {
		if (is_beyond_history(run, &record))
			break;
		rc = learn_interfaces(run, why);
		if (!rc && run->port_of[record.interface] != NO_PORT)
			rc = feed_record(run, &record, why);
		if (rc)
			return rc;
	}
	run->ending = true;
	look_at_end(run);
	return rc < 0 ? rc : link_replay_end(run->replay, why);
}

/* Of a link that was seen in part only, frames would be missing. */
static int check_whole(const struct run *run, struct why *why)
{
	for (uint32_t p = 0; p < link_replay_port_count(run->replay); p++)
		if (run->wanted[p] && !run->seen[p])
			return why_set(
				why, -EINVAL,
				"the capture has not %s: all ends of what is replayed "
				"must be in it",
				link_replay_port_name(run->replay, p));
	return 0;
}

/* ---- comparing --------------------------------------------------------- */

static bool same_place(const struct sight *a, const struct sight *b)
{
	return a->id == b->id && a->port == b->port && a->inbound == b->inbound;
}

/* Keep the one that comes first in the file. */
static void differ(struct recheck *r, const struct sight *was, const struct sight *is)
{
	const struct sight nothing = { .id = (was ? was : is)->id,
				       .port = (was ? was : is)->port };
	uint64_t number = was ? was->number : UINT64_MAX;
	uint64_t least = r->was.comment ? r->was.number : UINT64_MAX;

	r->differences++;
	if (r->differences > 1 && number >= least)
		return;
	r->was = was ? *was : nothing;
	r->is = is ? *is : nothing;
}

/* Was it only not seen to arrive, for its receiver was full? */
static bool may_be_missing(const struct sight *again)
{
	return !again->inbound;
}

static void compare(struct recheck *r)
{
	size_t a = 0, b = 0;

	while (a < r->then.count || b < r->again.count) {
		const struct sight *was = a < r->then.count ? &r->then.at[a] : NULL;
		const struct sight *is = b < r->again.count ? &r->again.at[b] : NULL;

		if (was && is && same_place(was, is)) {
			r->compared++;
			if (was->fate != is->fate || strcmp(was->comment, is->comment))
				differ(r, was, is);
			a++;
			b++;
		} else if (!is || (was && by_frame(was, is) < 0)) {
			differ(r, was, NULL);
			a++;
		} else {
			if (!may_be_missing(is))
				differ(r, NULL, is);
			b++;
		}
	}
}

/* ---- the whole --------------------------------------------------------- */

static int run_it(struct run *run, const char *link, const char *capture, struct why *why)
{
	uint32_t ports;
	int err = link_replay_create(&run->replay, run->history, on_tap, run, why);

	if (err)
		return err;
	ports = link_replay_port_count(run->replay);
	run->wanted = calloc(ports + 1, sizeof(*run->wanted));
	run->seen = calloc(ports + 1, sizeof(*run->seen));
	run->first = calloc(ports + 1, sizeof(*run->first));
	run->next = calloc(ports + 1, sizeof(*run->next));
	if (!run->wanted || !run->seen || !run->first || !run->next)
		return why_set(why, -ENOMEM, "replay: out of memory");
	err = link_replay_ports_of(run->replay, link, run->wanted, why);
	for (uint32_t p = 0; !err && p < ports; p++)
		link_replay_tap(run->replay, p, run->wanted[p]);
	if (!err)
		err = pcapng_open(&run->file, capture, why);
	if (!err)
		err = feed(run, why);
	if (!err)
		err = learn_interfaces(run, why);
	if (!err)
		err = check_whole(run, why);
	if (!err && run->no_memory)
		err = why_set(why, -ENOMEM, "replay: out of memory");
	return err;
}

int recheck_run(struct recheck *out, const struct history *history, const char *link,
		const char *capture, const struct recheck_ops *ops, struct why *why)
{
	struct recheck recheck = { .whole = history->whole };
	struct run run = { .recheck = &recheck, .history = history, .ops = ops };
	int err = run_it(&run, link, capture, why);

	link_replay_free(run.replay);
	pcapng_close(&run.file);
	free(run.port_of);
	free(run.wanted);
	free(run.seen);
	free(run.first);
	free(run.next);
	if (err) {
		recheck_free(&recheck);
		return err;
	}
	qsort(recheck.then.at, recheck.then.count, sizeof(struct sight), by_frame);
	qsort(recheck.again.at, recheck.again.count, sizeof(struct sight), by_frame);
	compare(&recheck);
	*out = recheck;
	return 0;
}

static void free_sights(struct sights *sights)
{
	for (size_t i = 0; i < sights->count; i++)
		free(sights->at[i].comment);
	free(sights->at);
}

void recheck_free(struct recheck *recheck)
{
	free_sights(&recheck->then);
	free_sights(&recheck->again);
	*recheck = (struct recheck){ 0 };
}
