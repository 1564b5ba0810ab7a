/* SPDX-License-Identifier: MIT */
/* netlab - the program: find the command, find its lab, run it */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
	struct command_call call;
	struct why why;
	int status;

	setlocale(LC_CTYPE, "");
	ui_setup();
	if (args_parse(&call, argc - 1, argv + 1, &why)) {
		ui_error("%s", why.text);
		if (call.command)
			ui_note("Try: netlab help %s", call.command->name);
		status = STATUS_USAGE;
	} else {
		status = run(&call);
	}
	call_free(&call);
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE) {
		ui_error("writing the output: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return status;
}
