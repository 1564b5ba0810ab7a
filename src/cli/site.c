/* SPDX-License-Identifier: MIT */
#include "cli/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agentproto/file_tree.h"
#include "cli/client.h"
#include "cli/labref.h"
#include "cli/node_set.h"
#include "cli/pipe_end.h"

int site_open(struct site *p, const char *word, const char *lab, struct why *why)
{
	const char *colon = strchr(word, ':'), *slash = strchr(word, '/');
	struct nodes all = { 0 };
	int rc;

	memset(p, 0, sizeof(*p));
	p->word = word;
	p->path = word;
	if (!colon || (slash && slash < colon))
		return *word ? 0 : why_set(why, -EINVAL, "an empty path");
	if (colon - word >= (long)sizeof(p->node) || colon == word)
		return why_set(why, -EINVAL,
			       "%s: write NODE:PATH, or ./%s for a file here", word,
			       word);
	snprintf(p->node, sizeof(p->node), "%.*s", (int)(colon - word), word);
	p->path = colon[1] ? colon + 1 : ".";
	rc = labref_connect(lab, &p->client, why);
	if (!rc)
		rc = node_set_of_lab(&all, p->client, why);
	if (!rc && node_set_find(&all, p->node, strlen(p->node)) < 0) {
		struct nodes none = { 0 };

		rc = node_set_select(&none, &all, p->node, why);
		node_set_free(&none);
		if (rc)
			rc = why_wrap(why, rc, "%s", word);
		else
			rc = why_set(why, -EINVAL, "%s: one machine at a time", word);
	}
	node_set_free(&all);
	return rc;
}

void site_close(struct site *p)
{
	client_free(p->client);
	p->client = NULL;
}

/* The first line it said, with the place in front.  A machine's words are its own:
 * nothing of them may speak to the user's terminal. */
static int failed(const struct site *p, struct pipe_end *e, struct why *why)
{
	e->words[strcspn(e->words, "\r\n")] = 0;
	for (char *c = e->words; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (!*e->words)
		return why_set(why, -EREMOTEIO, "%s: copying failed with status %d", p->word,
			       e->status);
	return why_set(why, -EREMOTEIO, "%s%s%s", p->node, *p->node ? ": " : "", e->words);
}

/* What the source has said goes to the sink, as far as that takes it. */
static int move_bytes(struct pipe_end *from, struct pipe_end *to, bool *broken,
		      struct why *why)
{
	long n;

	while (from->out_from < from->out_to && pipe_end_writable(to)) {
		n = pipe_end_write(to, from->out + from->out_from,
				   from->out_to - from->out_from, broken, why);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return 0;
		from->out_from += (size_t)n;
	}
	if (from->ended && from->out_from == from->out_to)
		return pipe_end_close_stdin(to, why);
	return 0;
}

static int one_turn(struct pipe_end *from, struct pipe_end *to, struct why *why)
{
	struct pollfd fds[2 * PIPE_END_FDS];
	int rc;

	pipe_end_poll(from, fds);
	pipe_end_poll(to, fds + PIPE_END_FDS);
	/* A child's stdin: wait until it takes more. */
	if (from->out_from < from->out_to && to->in_fd >= 0)
		fds[2 * PIPE_END_FDS - 1] =
			(struct pollfd){ .fd = to->in_fd, .events = POLLOUT };
	if (poll(fds, 2 * PIPE_END_FDS, -1) < 0)
		return errno == EINTR ? 0 : why_errno(why, -errno, "poll");
	rc = pipe_end_serve(from, fds, why);
	return rc ? rc : pipe_end_serve(to, fds + PIPE_END_FDS, why);
}

int site_pipe(struct site *source, const struct pipe_job *job, struct site *sink,
	       const struct pipe_job *sink_job, struct why *why)
{
	struct pipe_end from = { .in_fd = -1, .out_fd = -1, .err_fd = -1 }, to = from;
	bool broken = false;
	int rc;

	rc = pipe_end_start(&to, sink, sink_job, why);
	if (!rc)
		rc = pipe_end_start(&from, source, job, why);
	if (!rc)
		rc = pipe_end_close_stdin(&from, why);
	while (!rc && (!to.ended || (!from.ended && !to.status))) {
		rc = one_turn(&from, &to, why);
		if (!rc && !to.ended && !broken)
			rc = move_bytes(&from, &to, &broken, why);
		/* The sink may have failed, or stop before padding. */
		if (to.ended)
			from.out_from = from.out_to;
	}
	/* If both failed, the source's words are the cause: without a source nothing
	 * could be made.  If both left something out, the source did so first. */
	if (!rc && from.ended && from.status &&
	    (from.status != TREE_STATUS_PARTS || to.status <= TREE_STATUS_PARTS))
		rc = failed(source, &from, why);
	if (!rc && to.status)
		rc = failed(sink, &to, why);
	pipe_end_free(&from);
	pipe_end_free(&to);
	return rc;
}
