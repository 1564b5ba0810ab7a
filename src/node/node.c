/* SPDX-License-Identifier: MIT */
#include "node/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "node/driver.h"

static const struct node_driver *const drivers[] = { &uml_driver };

struct node {
	const struct node_driver *driver;
	struct jail jail;
	pid_t pid;
	bool failed; /* it was never what it should become */
};

static const struct node_driver *find_driver(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->kind, kind))
			return drivers[i];
	return NULL;
}

/* The number under which the /proc in sight knows the process of a pidfd; in the
 * lab that is the host's, not the lab's own. */
static pid_t pid_of(int pidfd)
{
	char path[64];
	int pid = -1;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	cleanup_file FILE *info = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t room = 0;

	while (info && getline(&line, &room, info) > 0)
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	return pid;
}

int node_start(struct node **out, const struct node_start *start, struct why *why)
{
	const struct node_driver *driver = find_driver(start->plan->kind);
	cleanup_free struct node *node = NULL;
	int err;

	if (!driver)
		return why_set(why, -ENOTSUP,
			       "node %s: no driver for kind '%s'; there is: uml",
			       start->plan->name, start->plan->kind);
	node = calloc(1, sizeof(*node));
	if (!node)
		return why_set(why, -ENOMEM, "node %s: out of memory", start->plan->name);
	node->driver = driver;
	err = driver->start(&node->jail, start, why);
	if (err)
		return why_wrap(why, err, "node %s", start->plan->name);
	node->pid = pid_of(node->jail.pidfd);
	*out = steal_ptr(&node);
	return 0;
}

int node_report_fd(const struct node *node)
{
	return node->jail.report_fd;
}

void node_report_close(struct node *node)
{
	jail_report_close(&node->jail);
}

int node_started(struct node *node, struct why *why)
{
	int err = jail_started(&node->jail, why);

	node->failed |= err && err != -EAGAIN;
	return err;
}

int node_pidfd(const struct node *node)
{
	return node->jail.pidfd;
}

pid_t node_pid(const struct node *node)
{
	return node->pid;
}

void node_kill(struct node *node)
{
	if (node->jail.pidfd >= 0)
		jail_kill(&node->jail);
}

void node_ask(const struct node *node)
{
	if (node->jail.pidfd >= 0)
		jail_ask(&node->jail);
}

void node_reap(struct node *node, char *how, size_t how_bytes)
{
	int status;

	if (node->jail.pidfd < 0) {
		snprintf(how, how_bytes, "gone");
		return;
	}
	if (node->failed) {
		jail_close(&node->jail);
		snprintf(how, how_bytes, "not started");
	} else if (jail_reap(&node->jail, &status)) {
		snprintf(how, how_bytes, "killed");
	} else {
		node->driver->describe(status, how, how_bytes);
	}
}

void node_free(struct node *node)
{
	if (!node)
		return;
	jail_close(&node->jail);
	free(node);
}
