/* SPDX-License-Identifier: MIT */
/* netlab - the program: find the command, find its lab, run it */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/labref.h"
#include "cli/ui.h"

/* Where a lab is needed, there is one when run() begins. */
static int get_lab(struct command_call *call)
{
	struct state_info info;
	struct why why;
	int rc;

	rc = labref_find(&info, call->lab_wanted, true, &why);
	if (!rc)
		rc = labref_connect(info.name, &call->client, &why);
	if (rc) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	snprintf(call->lab, sizeof(call->lab), "%s", info.name);
	return STATUS_DONE;
}

static int run(struct command_call *call)
{
	int status;

	if (call->help)
		return help_print(call->command, call->argc ? call->argv[0] : NULL);
	if (call->version)
		return cmd_version(call);
	if (!call->command) {
		help_usage(stderr);
		return STATUS_USAGE;
	}
	status = call->command->flags & NEED_LAB ? get_lab(call) : STATUS_DONE;
	return status ? status : call->command->run(call);
}

/* A caller may have closed the standard streams: what is opened next must not get their
 * numbers, and nobody misses what is said to nobody. */
static bool open_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return false;
	return true;
}

/* Of a call that cannot be parsed: was it meant? */
static bool is_json_meant(int argc, char *const *argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

static int parse_and_run(struct command_call *call, int argc, char **argv)
{
	struct why why;

	if (args_parse(call, argc - 1, argv + 1, &why)) {
		if (is_json_meant(argc, argv))
			ui_json_wanted();
		ui_error("%s", why.text);
		if (call->command)
			ui_note("Try: netlab help %s", call->command->name);
		return STATUS_USAGE;
	}
	if (call->json)
		ui_json_wanted();
	return run(call);
}

int main(int argc, char **argv)
{
	struct command_call call;
	int status, err;

	if (!open_streams()) {
		/* Where that goes nowhere, too, nobody can be told. */
		fprintf(stderr, "netlab: /dev/null, for a stream that is closed: %s\n",
			strerror(errno));
		return STATUS_FAILED;
	}
	setlocale(LC_CTYPE, "");
	ui_setup();
	status = parse_and_run(&call, argc, argv);
	call_free(&call);
	ui_json_end(status);
	err = ui_output_error();
	/* A reader that has seen enough is no failure. */
	if (err && err != -EPIPE) {
		ui_error("writing the output: %s", strerror(-err));
		return status ? status : STATUS_FAILED;
	}
	return status;
}
