/* SPDX-License-Identifier: MIT */
#include "agent/life.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "agent/agent.h"
#include "base/fdio.h"

struct served {
	struct loop *loop;
	int status;
};

static int serve_configure(void *ctx, const struct settings *settings, struct why *why)
{
	(void)ctx;
	(void)settings;
	(void)why;
	return 0;
}

static void serve_configured(void *ctx, const struct settings *settings, char *const *envp)
{
	(void)ctx;
	(void)settings;
	(void)envp;
}

static void serve_clock(void *ctx, const struct agent_clock *clock)
{
	(void)ctx;
	(void)clock; /* it is the host's */
}

static void serve_panic(void *ctx, bool silent)
{
	(void)ctx; /* it has no kernel of its own */
	(void)silent;
}

static void serve_over(void *ctx, enum agent_end end, const char *why)
{
	struct served *served = ctx;

	if (end == AGENT_MALFORMED) {
		fprintf(stderr, "netlab-agent: %s\n", why);
		served->status = 1;
	}
	loop_stop(served->loop);
}

static int run(struct served *served, int fd, struct why *why)
{
	static const struct agent_ops ops = { serve_configure, serve_configured,
					      serve_clock, serve_panic, serve_over };
	struct agent *agent = NULL;
	struct clock *clock = NULL;
	int err = loop_create(&served->loop, why);

	err = err ? err : clock_real_create(&clock, served->loop, why);
	err = err ? err : agent_create(&agent, served->loop, clock, fd, &ops, served, why);
	err = err ? err : loop_run(served->loop);
	agent_destroy(agent);
	clock_destroy(clock);
	loop_destroy(served->loop);
	return err;
}

int life_serve(int fd)
{
	struct served served = { .loop = NULL };
	struct why why = { "" };

	/* Orphans come to us, as they do to process 1. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	fdio_nonblock(fd, true);
	if (run(&served, fd, &why)) {
		fprintf(stderr, "netlab-agent: %s\n", why.text);
		return 1;
	}
	return served.status;
}
