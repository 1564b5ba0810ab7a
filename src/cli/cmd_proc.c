/* SPDX-License-Identifier: MIT */
/* A signal to a process of a machine, or to all of a service: sent in there by the agent,
 * which is in every machine. */
#include <signal.h>
#include <stdio.h>

#include "agentproto/proto.h"
#include "cli/command.h"
#include "cli/exec_many.h"
#include "cli/ui.h"

static int proc(struct command_call *call, int signal_no)
{
	struct nodes nodes = { 0 };
	int status = STATUS_FAILED;
	char number[16];
	struct why why;

	snprintf(number, sizeof(number), "%d", signal_no);
	if (node_set_named(&nodes, call->client, call->argv[0], &why))
		ui_error("%s", why.text);
	else
		status = exec_many(&nodes, call->client,
				   ui_need(json_pack("{s:[s,s,s,s]}", "argv",
						     PROTO_AGENT_PATH, "signal", number,
						     call->argv[1])),
				   call->json);
	node_set_free(&nodes);
	return status;
}

int cmd_proc_kill(struct command_call *call)
{
	return proc(call, SIGKILL);
}

int cmd_proc_stop(struct command_call *call)
{
	return proc(call, SIGSTOP);
}

int cmd_proc_cont(struct command_call *call)
{
	return proc(call, SIGCONT);
}
