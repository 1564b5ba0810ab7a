/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/life.h"
#include "init/modprobe.h"
#include "agentproto/pack.h"
#include "init/probe.h"
#include "init/proc_signal.h"
#include "agentproto/proto.h"
#include "agentproto/unpack.h"

static const char usage[] =
	"usage: netlab-agent --serve FD | probe | pack PATH | unpack TO NAME |\n"
	"                    signal NUMBER SERVICE|PID | --version\n"
	"\n"
	"netlab's agent.  As process 1 of a machine it takes no arguments; the lab\n"
	"starts it.  --serve speaks the agent's protocol over an open descriptor, for\n"
	"tests: commands and services run as plain processes of this host.  probe finds\n"
	"out who hears whom; `netlab matrix --probe` speaks to it.  pack and unpack are\n"
	"the ends of `netlab cp`, and signal is that of `netlab proc`.\n";

/* Of a number between 3 and INT_MAX, or -1. */
static int read_fd(const char *text)
{
	char *end;
	long fd;

	errno = 0;
	fd = strtol(text, &end, 10);
	if (errno || *end || end == text || fd < 3 || fd > 1 << 20)
		return -1;
	return fcntl((int)fd, F_GETFD) < 0 ? -1 : (int)fd;
}

int main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	/* What we were left with is not for the programs that we start. */
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	/* Tables here hold what the lab says: nobody attacks them, and the kernel's
	 * chance is not to be drawn on. */
	json_object_seed(1);
	if (argc == 3 && !strcmp(argv[1], "--serve")) {
		int fd = read_fd(argv[2]);

		if (fd >= 0)
			return life_serve(fd);
		fprintf(stderr, "netlab-agent: --serve %s: no open descriptor above 2\n",
			argv[2]);
		return 2;
	}
	if (argc == 2 && !strcmp(argv[1], "probe"))
		return probe_run();
	if (argc == 3 && !strcmp(argv[1], "pack"))
		return pack_run(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "unpack"))
		return unpack_run(argv[2], argv[3], UNPACK_LINKS_ANY);
	if (argc == 4 && !strcmp(argv[1], "signal"))
		return proc_signal_run(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("netlab-agent, protocol %d\n", PROTO_VERSION);
		return 0;
	}
	/* As the kernel calls its modprobe. */
	if (argc == 4 && !strcmp(argv[1], "-q") && !strcmp(argv[2], "--"))
		return modprobe_run(argv[3]);
	/* The kernel hands on words of its command line that it does not know. */
	if (getpid() == 1)
		life_run();
	fputs(usage, stderr);
	return 2;
}
