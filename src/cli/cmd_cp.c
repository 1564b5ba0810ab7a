/* SPDX-License-Identifier: MIT */
/* cp: a stream from one place to another (agentproto/file_tree.h).  In a machine its agent is
 * the program at the end, so nothing is needed of its image; here it is ourselves. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agentproto/pack.h"
#include "agentproto/proto.h"
#include "agentproto/unpack.h"
#include "cli/command.h"
#include "cli/labref.h"
#include "cli/pipe_end.h"
#include "cli/site.h"
#include "cli/ui.h"

static int pack_here(const char *const *argv)
{
	return pack_run(argv[2]);
}

/* Where a link points is for a machine to decide in there, not here. */
static int unpack_here(const char *const *argv)
{
	return unpack_run(argv[2], argv[3], UNPACK_LINKS_INSIDE);
}

/* The last component of a path; "" if it has none of its own: /, . and .. */
static void name_of(const char *path, char *name, size_t bytes)
{
	size_t end = strlen(path), begin;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (begin = end; begin && path[begin - 1] != '/'; begin--)
		;
	snprintf(name, bytes, "%.*s", (int)(end - begin), path + begin);
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		*name = 0;
}

static int copy(struct site *from, struct site *to, struct why *why)
{
	char name[TREE_NAME_BYTES_MAX + 1];
	const struct pipe_job pack = { { PROTO_AGENT_PATH, "pack", from->path, NULL }, pack_here };
	const struct pipe_job unpack = { { PROTO_AGENT_PATH, "unpack", to->path, name, NULL },
					 unpack_here };

	if (strlen(from->path) >= 4096 || strlen(to->path) >= 4096)
		return why_set(why, -ENAMETOOLONG, "a path of 4096 bytes or more");
	name_of(from->path, name, sizeof(name));
	return site_pipe(from, &pack, to, &unpack, why);
}

int cmd_cp(struct command_call *call)
{
	struct site from = { 0 }, to = { 0 };
	struct why why;
	int rc;

	rc = site_open(&from, call->argv[0], call->lab, &why);
	if (!rc)
		rc = site_open(&to, call->argv[1], call->lab, &why);
	if (!rc && !from.client && !to.client)
		rc = why_set(
			&why, -EINVAL,
			"neither side is in a machine: write NODE:PATH for one of them");
	/* A side that ends early is its own message. */
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	if (!rc)
		rc = copy(&from, &to, &why);
	site_close(&from);
	site_close(&to);
	if (rc)
		ui_error("%s", why.text);
	return rc == -EINVAL ? STATUS_USAGE : rc ? STATUS_FAILED : STATUS_DONE;
}
