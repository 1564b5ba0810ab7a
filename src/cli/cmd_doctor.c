/* SPDX-License-Identifier: MIT */
/* What node/host.h finds out about the host, what netlab needs of its own, and
 * whether `netlab` means this program. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/ui.h"
#include "lab/parts.h"
#include "node/host.h"

enum { OWN_CHECKS = 2 };

static void own_parts(struct host_check *check, struct parts *parts)
{
	struct why why;

	check->name = "netlab's parts";
	memset(parts, 0, sizeof(*parts));
	if (parts_find(parts, &why)) {
		check->grade = HOST_FAIL;
		snprintf(check->what, sizeof(check->what), "%.500s", why.text);
		snprintf(check->fix, sizeof(check->fix),
			 "build or install netlab as a whole, "
			 "or set NETLAB_LIBEXEC to the folder of netlab-initramfs.cpio");
		return;
	}
	check->grade = HOST_OK;
	snprintf(check->what, sizeof(check->what), "%.250s%s%.200s", parts->initramfs,
		 *parts->preload ? ", " : "", parts->preload);
}

/* The first `netlab` in PATH: that file, or "" if there is none. */
static void first_in_path(char found[PATH_MAX])
{
	cleanup_free char *path = ui_need(strdup(getenv("PATH") ?: ""));
	char *at = path, *folder;

	found[0] = 0;
	while (!*found && (folder = strsep(&at, ":"))) {
		snprintf(found, PATH_MAX, "%s/netlab", *folder ? folder : ".");
		if (access(found, X_OK))
			found[0] = 0;
	}
}

/* There is a network-configuration tool of the same name (ipspace). */
static void own_name(struct host_check *check)
{
	char found[PATH_MAX], self[PATH_MAX] = "";
	struct stat a, b;

	check->name = "name";
	check->grade = HOST_OK;
	check->fix[0] = 0;
	first_in_path(found);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		self[0] = 0;
	if (!*found) {
		snprintf(check->what, sizeof(check->what),
			 "no netlab in PATH; this one is %.400s", self);
	} else if (stat(found, &a) || stat("/proc/self/exe", &b) ||
		   (a.st_dev == b.st_dev && a.st_ino == b.st_ino)) {
		snprintf(check->what, sizeof(check->what),
			 "netlab in PATH is this one, %.400s", found);
	} else {
		check->grade = HOST_WARN;
		snprintf(check->what, sizeof(check->what),
			 "another netlab comes first in PATH: "
			 "%.200s (perhaps the network-configuration tool); this one is "
			 "%.200s",
			 found, self);
		snprintf(check->fix, sizeof(check->fix),
			 "call this one by its path, or put its folder first in PATH");
	}
}

static void print_text(const struct host_check *checks, size_t count)
{
	static const enum paint paints[] = { [HOST_OK] = PAINT_GREEN,
					     [HOST_WARN] = PAINT_YELLOW,
					     [HOST_FAIL] = PAINT_RED };
	size_t i;

	for (i = 0; i < count; i++) {
		const struct host_check *c = &checks[i];

		printf("%s%-4s%s  %s: ", ui_paint(stdout, paints[c->grade]),
		       host_grade_name(c->grade), ui_paint(stdout, PAINT_OFF), c->name);
		ui_safe(stdout, c->what, false);
		putchar('\n');
		if (*c->fix) {
			printf("      to do: ");
			ui_safe(stdout, c->fix, false);
			putchar('\n');
		}
	}
	printf("\n%s\n", host_able(checks, count)
				 ? "Labs can run here."
				 : "Labs cannot run here yet: see what failed.");
}

static void print_json(const struct host_check *checks, size_t count)
{
	json_t *all = json_array(), *out;
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:s}", "name", checks[i].name,
				       "grade", host_grade_name(checks[i].grade), "what",
				       checks[i].what, "fix", checks[i].fix));
	out = json_pack("{s:b, s:o}", "able", host_able(checks, count), "checks", all);
	ui_json(out);
	json_decref(out);
}

int cmd_doctor(struct command_call *call)
{
	cleanup_free struct host_check *checks =
		ui_need(calloc(HOST_CHECKS_MAX + OWN_CHECKS, sizeof(*checks)));
	struct host_options options = { .kernel = call_option(call, "kernel") };
	struct parts parts;
	size_t count = 0;

	own_parts(&checks[count++], &parts);
	options.preload = *parts.preload ? parts.preload : NULL;
	count += host_examine(checks + count, &options);
	own_name(&checks[count++]);
	if (call->json)
		print_json(checks, count);
	else
		print_text(checks, count);
	return host_able(checks, count) ? STATUS_DONE : STATUS_FAILED;
}
