/* SPDX-License-Identifier: MIT */
/* The logs of services are files of the run directory, so this needs no lab. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/labref.h"
#include "cli/lines.h"
#include "cli/node_set.h"
#include "cli/ui.h"

enum { LOGS_MAX = 512, LOOK_MS = 1000 };

struct log {
	char *service, *prefix;
	int fd;
	struct lines lines;
};

struct logs {
	struct log all[LOGS_MAX];
	size_t count;
};

/* "n1.redis.log" of node n1: "redis". */
static char *service_of(const char *file, const char *node)
{
	size_t size = strlen(file), n = strlen(node);

	if (size <= n + 5 || memcmp(file, node, n) || file[n] != '.' ||
	    strcmp(file + size - 4, ".log"))
		return NULL;
	return ui_need(strndup(file + n + 1, size - n - 5));
}

static int add_log(struct logs *logs, const char *path, char *service, struct why *why)
{
	struct log *log = &logs->all[logs->count];

	log->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (log->fd < 0) {
		free(service);
		return why_errno(why, -errno, "%s", path);
	}
	log->service = service;
	log->lines.out = stdout;
	logs->count++;
	return 0;
}

static int by_service(const void *a, const void *b)
{
	return strcmp(((const struct log *)a)->service, ((const struct log *)b)->service);
}

static int find_logs(struct logs *logs, const char *run_dir, const char *node,
		     const char *wanted, struct why *why)
{
	char path[PATH_MAX * 2], there[512] = "";
	struct dirent *entry;
	size_t before = logs->count;
	char *service;
	DIR *dir;
	int rc = 0;

	if (wanted && !strcmp(wanted, "console")) {
		snprintf(path, sizeof(path), "%s/consoles/%s.log", run_dir, node);
		return add_log(logs, path, ui_need(strdup("console")), why);
	}
	snprintf(path, sizeof(path), "%s/logs", run_dir);
	dir = opendir(path);
	if (!dir)
		return why_errno(why, -errno, "%s", path);
	while (!rc && logs->count < LOGS_MAX && (entry = readdir(dir))) {
		service = service_of(entry->d_name, node);
		if (!service)
			continue;
		snprintf(there + strlen(there), sizeof(there) - strlen(there), " %s",
			 service);
		if (wanted && strcmp(wanted, service)) {
			free(service);
			continue;
		}
		snprintf(path, sizeof(path), "%s/logs/%s", run_dir, entry->d_name);
		rc = add_log(logs, path, service, why);
	}
	closedir(dir);
	qsort(logs->all + before, logs->count - before, sizeof(logs->all[0]), by_service);
	if (!rc && logs->count == before && wanted)
		rc = why_set(why, -ENOENT,
			     "node %s has no service \"%s\"; there is:%s console", node,
			     wanted, there);
	if (!rc && logs->count == before)
		rc = why_set(why, -ENOENT,
			     "node %s has no service with a log; its console: "
			     "netlab logs %s console",
			     node, node);
	return rc;
}

static void print_new(struct logs *logs)
{
	uint8_t bytes[16384];
	size_t i;
	ssize_t n;

	for (i = 0; i < logs->count; i++)
		while (!ui_is_broken() &&
		       (n = read(logs->all[i].fd, bytes, sizeof(bytes))) > 0)
			lines_put(&logs->all[i].lines, bytes, (size_t)n);
}

/* Until the lab is gone, or the user has seen enough. */
static int follow(struct logs *logs, const struct state_info *lab, const char *run_dir,
		  bool console, struct why *why)
{
	cleanup_close int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[PATH_MAX + 16], events[4096];
	struct state_info now;

	snprintf(path, sizeof(path), "%s/%s", run_dir, console ? "consoles" : "logs");
	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
		return why_errno(why, -errno, "watching %s", path);
	do {
		struct pollfd p = { .fd = watch, .events = POLLIN };

		print_new(logs);
		if (poll(&p, 1, LOOK_MS) > 0)
			while (read(watch, events, sizeof(events)) > 0)
				;
	} while (!ui_is_broken() && !state_look(&now, lab->name, NULL) && now.kind != STATE_DEAD &&
		 now.started_at == lab->started_at);
	print_new(logs);
	return 0;
}

/* The machines of the run, by its plan; without one, the words are a name. */
static int find_nodes(struct nodes *out, const char *run_dir, const char *words,
		      struct why *why)
{
	char path[PATH_MAX + 16];
	struct nodes all = { 0 };
	json_t *plan, *n;
	size_t i;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/plan.json", run_dir);
	plan = json_load_file(path, 0, NULL);
	json_array_foreach(json_object_get(plan, "nodes"), i, n)
	{
		if (!rc)
			rc = node_set_add(&all,
				       json_string_value(json_object_get(n, "name")) ?: "?",
				       why);
	}
	if (!rc)
		rc = all.count ? node_set_select(out, &all, words, why)
			       : node_set_add(out, words, why);
	node_set_free(&all);
	json_decref(plan);
	return rc;
}

/* Of several machines, those that have none are passed over while one has some. */
static int find_all(struct logs *logs, const struct nodes *nodes, const char *run_dir,
		    const char *service, struct why *why)
{
	int rc = 0;

	for (size_t i = 0; i < nodes->count; i++) {
		size_t before = logs->count;
		int err = find_logs(logs, run_dir, nodes->names[i], service, why);

		if (err && err != -ENOENT)
			return err;
		if (err)
			rc = err;
		for (size_t k = before; nodes->count > 1 && k < logs->count; k++) {
			char *both = NULL;

			if (asprintf(&both, "%s %s", nodes->names[i],
				     logs->all[k].service) < 0)
				return why_set(why, -ENOMEM, "logs: out of memory");
			free(logs->all[k].service);
			logs->all[k].service = both;
		}
	}
	return logs->count ? 0 : rc;
}

static void prefix_all(struct logs *logs)
{
	size_t i, widest = 0;

	for (i = 0; i < logs->count; i++)
		if (strlen(logs->all[i].service) > widest)
			widest = strlen(logs->all[i].service);
	for (i = 0; logs->count > 1 && i < logs->count; i++) {
		struct log *log = &logs->all[i];

		if (asprintf(&log->prefix, "%s%-*s |%s ", ui_paint(stdout, PAINT_BOLD),
			     (int)widest, log->service, ui_paint(stdout, PAINT_OFF)) < 0)
			log->prefix = ui_need(NULL);
		log->lines.prefix = log->prefix;
	}
}

int cmd_logs(struct command_call *call)
{
	const char *words = call->argv[0],
		   *service = call->argc > 1 ? call->argv[1] : NULL;
	cleanup_free struct logs *logs = ui_need(calloc(1, sizeof(*logs)));
	struct nodes nodes = { 0 };
	struct state_info lab;
	struct why why;
	size_t i;
	int rc;

	rc = labref_find(&lab, call->lab_wanted, false, &why);
	if (!rc && !*lab.run_dir)
		rc = why_set(&why, -ENOENT, "lab %s left no run directory", lab.name);
	if (!rc)
		rc = find_nodes(&nodes, lab.run_dir, words, &why);
	if (!rc)
		rc = find_all(logs, &nodes, lab.run_dir, service, &why);
	node_set_free(&nodes);
	if (!rc) {
		prefix_all(logs);
		print_new(logs);
	}
	if (!rc && call_option(call, "follow") && lab.kind != STATE_DEAD)
		rc = follow(logs, &lab, lab.run_dir,
			    service && !strcmp(service, "console"), &why);
	for (i = 0; i < logs->count; i++) {
		lines_end(&logs->all[i].lines);
		close(logs->all[i].fd);
		free(logs->all[i].service);
		free(logs->all[i].prefix);
	}
	if (rc)
		ui_error("%s", why.text);
	return rc ? STATUS_FAILED : STATUS_DONE;
}
