/* SPDX-License-Identifier: MIT */
#include "agent/execs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent/exec_request.h"
#include "init/json_fields.h"
#include "agent/pump.h"
#include "agent/session.h"
#include "agent/spawn.h"
#include "agent/stdin_queue.h"
#include "base/check.h"
#include "base/cleanup.h"

struct exec {
	struct execs *execs;
	struct exec *next;
	uint32_t channel;
	pid_t session; /* the program's pid */
	bool tty;
	bool gone;   /* the program has ended, with status */
	bool closed; /* the lab no longer listens */
	int status;
	uint32_t credit; /* bytes of output that the lab will take */
	struct child child;
	struct stdin_queue in;
	struct pump out, err;
	struct deferred ending; /* whoever was last to be done is not under our feet */
};

/* A session that was hung up and has some time to go. */
struct hangup {
	struct execs *execs;
	struct hangup *next;
	pid_t session;
	struct timer timer;
};

struct execs {
	struct exec_world world;
	struct exec *first;
	unsigned count;
	struct hangup *hangups;
};

json_t *exec_status_json(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return json_pack("{s:i}", "signal", WTERMSIG(wait_status));
	return json_pack("{s:i}", "exit", WEXITSTATUS(wait_status));
}

static struct exec *find(struct execs *execs, uint32_t channel)
{
	struct exec *exec = execs->first;

	while (exec && exec->channel != channel)
		exec = exec->next;
	return exec;
}

static void unlink_exec(struct exec *exec)
{
	struct exec **at = &exec->execs->first;

	while (*at != exec)
		at = &(*at)->next;
	*at = exec->next;
	exec->execs->count--;
}

static void free_exec(struct exec *exec)
{
	stdin_queue_close(&exec->in);
	pump_stop(&exec->out);
	pump_stop(&exec->err);
	reaper_forget(&exec->child);
	deferred_cancel(&exec->ending);
	free(exec);
}

/* The last word, when the program is gone and all it wrote has been sent. */
static void maybe_exited(void *ctx)
{
	struct exec *exec = ctx;
	const struct exec_world *world = &exec->execs->world;

	if (!exec->gone || (!exec->closed && !(exec->out.is_done && exec->err.is_done)))
		return;
	drains_add(world->drains, pump_take_fd(&exec->out));
	drains_add(world->drains, pump_take_fd(&exec->err));
	unlink_exec(exec);
	lablink_send_json(world->link, PROTO_EXITED, exec->channel,
			  exec_status_json(exec->status));
	free_exec(exec);
}

static void on_pump_done(void *ctx)
{
	struct exec *exec = ctx;

	loop_defer(exec->execs->world.loop, &exec->ending);
}

static void on_gone(void *ctx, int wait_status)
{
	struct exec *exec = ctx;

	exec->gone = true;
	exec->status = wait_status;
	pump_finish(&exec->out);
	pump_finish(&exec->err);
	loop_defer(exec->execs->world.loop, &exec->ending);
}

static void on_stdin_credit(void *ctx, size_t bytes)
{
	struct exec *exec = ctx;

	if (!exec->closed)
		lablink_send_credit(exec->execs->world.link, exec->channel, bytes);
}

static void start_streams(struct exec *exec, const struct spawned *spawned)
{
	const struct exec_world *world = &exec->execs->world;
	struct pump pump = {
		.loop = world->loop,
		.link = world->link,
		.fd = spawned->out,
		.type = PROTO_STDOUT,
		.channel = exec->channel,
		.prefix = PUMP_NO_PREFIX,
		.credit = &exec->credit,
		.done = on_pump_done,
		.ctx = exec,
	};

	exec->in = (struct stdin_queue){
		.loop = world->loop,
		.fd = spawned->in,
		.tty = exec->tty,
		.credit = on_stdin_credit,
		.ctx = exec,
	};
	exec->out = pump;
	pump.fd = spawned->err;
	pump.type = PROTO_STDERR;
	exec->err = pump;
	pump_start(&exec->out);
	pump_start(&exec->err);
}

static void send_failed(struct execs *execs, uint32_t channel, int exit_code,
			const struct why *why)
{
	lablink_send_json(execs->world.link, PROTO_FAILED, channel,
			  json_pack("{s:o, s:i}", "error", json_fields_text(why->text), "exit",
				    exit_code));
}

/* Run what is asked for; on failure *exit_code is set for the answer. */
static int start(struct exec *exec, const struct exec_request *request, int *exit_code,
		 struct why *why)
{
	struct execs *execs = exec->execs;
	struct spawn spawn = {
		.argv = request->argv,
		.envp = request->env.vars,
		.cwd = request->cwd,
		.io = request->tty ? SPAWN_TTY : SPAWN_PIPES,
		.rows = request->rows,
		.cols = request->cols,
	};
	struct spawned spawned;
	int err = spawn_program(&spawn, &spawned, exit_code, why);

	if (err)
		return err;
	exec->session = spawned.pid;
	exec->tty = request->tty;
	exec->credit = PROTO_WINDOW_BYTES;
	exec->ending = (struct deferred){ .run = maybe_exited, .ctx = exec };
	exec->child = (struct child){ .pid = spawned.pid, .gone = on_gone, .ctx = exec };
	reaper_watch(execs->world.reaper, &exec->child);
	lablink_send_json(execs->world.link, PROTO_STARTED, exec->channel,
			  json_pack("{s:i}", "pid", (int)spawned.pid));
	exec->next = execs->first;
	execs->first = exec;
	execs->count++;
	start_streams(exec, &spawned);
	return 0;
}

static int on_exec(struct execs *execs, const struct proto_message *m, struct why *why)
{
	struct exec_request request = { 0 };
	struct exec *exec = NULL;
	struct why failed;
	int exit_code = 126;
	int err = 0;

	if (find(execs, m->channel))
		return why_set(why, -EPROTO, "EXEC on channel %u, which is taken", m->channel);
	if (execs->count >= PROTO_CHANNELS_MAX)
		err = why_set(&failed, -EAGAIN, "%u commands are running here; no more",
			      execs->count);
	err = err ? err : exec_request_parse(m->payload, m->size, execs->world.env, &request,
					     &failed);
	if (!err) {
		exec = calloc(1, sizeof(*exec));
		err = exec ? 0 : why_set(&failed, -ENOMEM, "out of memory");
	}
	if (!err) {
		exec->execs = execs;
		exec->channel = m->channel;
		err = start(exec, &request, &exit_code, &failed);
	}
	exec_request_free(&request);
	if (err) {
		free(exec);
		send_failed(execs, m->channel, exit_code, &failed);
	}
	return 0;
}

static int on_stdin(struct exec *exec, const struct proto_message *m, struct why *why)
{
	int err = 0;

	if (exec->closed)
		return 0;
	if (m->size)
		err = stdin_queue_add(&exec->in, m->payload, m->size, why);
	else
		stdin_queue_end(&exec->in);
	return err ? why_wrap(why, err, "channel %u", exec->channel) : 0;
}

static int on_signal(struct exec *exec, const struct proto_message *m, struct why *why)
{
	pid_t group = exec->session;
	int number, err;

	err = exec_signal_parse(m->payload, m->size, &number, why);
	if (err)
		return err;
	/* A terminal's signals go to whom the shell put in front. */
	if (exec->tty && exec->in.fd >= 0 && ioctl(exec->in.fd, TIOCGPGRP, &group) < 0)
		group = exec->session;
	if (!exec->gone && group > 0)
		kill(-group, number);
	return 0;
}

static int on_resize(struct exec *exec, const struct proto_message *m, struct why *why)
{
	struct winsize size = { 0 };
	int err = exec_resize_parse(m->payload, m->size, &size.ws_row, &size.ws_col, why);

	if (!err && exec->tty && exec->in.fd >= 0)
		ioctl(exec->in.fd, TIOCSWINSZ, &size);
	return err;
}

static int on_credit(struct exec *exec, const struct proto_message *m, struct why *why)
{
	uint32_t bytes = proto_get_u32(m->payload);

	if (bytes > PROTO_WINDOW_BYTES - exec->credit)
		return why_set(why, -EPROTO, "CREDIT of %u bytes on channel %u, which has %u of %d",
			       bytes, exec->channel, exec->credit, PROTO_WINDOW_BYTES);
	exec->credit += bytes;
	if (exec->closed)
		return 0;
	pump_kick(&exec->out);
	pump_kick(&exec->err);
	return 0;
}

static void hangup_over(struct hangup *hangup)
{
	struct hangup **at = &hangup->execs->hangups;

	while (*at != hangup)
		at = &(*at)->next;
	*at = hangup->next;
	timer_cancel(hangup->execs->world.clock, &hangup->timer);
	free(hangup);
}

static void on_hangup_late(void *ctx, uint64_t now_ns)
{
	struct hangup *hangup = ctx;

	(void)now_ns;
	session_signal(hangup->session, SIGKILL);
	hangup_over(hangup);
}

/* SIGCONT, for one that is stopped gets no signal but SIGKILL. */
static void hang_up(struct execs *execs, pid_t session)
{
	struct clock *clock = execs->world.clock;
	struct hangup *hangup;

	if (session_signal(session, SIGHUP) == 0)
		return;
	session_signal(session, SIGCONT);
	hangup = calloc(1, sizeof(*hangup));
	if (!hangup) {
		session_signal(session, SIGKILL);
		return;
	}
	hangup->execs = execs;
	hangup->session = session;
	hangup->timer = (struct timer){ .fire = on_hangup_late, .ctx = hangup };
	hangup->next = execs->hangups;
	execs->hangups = hangup;
	timer_set(clock, &hangup->timer, clock_now_ns(clock) + EXEC_HANGUP_MS * NS_PER_MS);
}

static void on_close(struct exec *exec)
{
	if (exec->closed)
		return;
	exec->closed = true;
	hang_up(exec->execs, exec->session);
	stdin_queue_close(&exec->in);
	pump_stop(&exec->out);
	pump_stop(&exec->err);
	loop_defer(exec->execs->world.loop, &exec->ending);
}

int execs_message(struct execs *execs, const struct proto_message *m, struct why *why)
{
	struct exec *exec;

	if (m->type == PROTO_EXEC)
		return on_exec(execs, m, why);
	exec = find(execs, m->channel);
	if (!exec)
		return 0; /* it crossed EXITED on its way */
	switch (m->type) {
	case PROTO_STDIN:
		return on_stdin(exec, m, why);
	case PROTO_SIGNAL:
		return on_signal(exec, m, why);
	case PROTO_RESIZE:
		return on_resize(exec, m, why);
	case PROTO_CREDIT:
		return on_credit(exec, m, why);
	case PROTO_CLOSE:
		on_close(exec);
		return 0;
	default:
		return why_set(why, -EPROTO, "%s is not for the lab to say",
			       proto_type_name(m->type));
	}
}

void execs_hangup(struct execs *execs)
{
	for (struct exec *exec = execs->first; exec; exec = exec->next) {
		session_signal(exec->session, SIGHUP);
		session_signal(exec->session, SIGCONT);
	}
}

int execs_create(struct execs **out, const struct exec_world *world, struct why *why)
{
	struct execs *execs = calloc(1, sizeof(*execs));

	if (!execs)
		return why_set(why, -ENOMEM, "out of memory for the table of commands");
	execs->world = *world;
	*out = execs;
	return 0;
}

void execs_destroy(struct execs *execs)
{
	if (!execs)
		return;
	while (execs->first) {
		struct exec *exec = execs->first;

		session_signal(exec->session, SIGKILL);
		unlink_exec(exec);
		free_exec(exec);
	}
	while (execs->hangups) {
		session_signal(execs->hangups->session, SIGKILL);
		hangup_over(execs->hangups);
	}
	free(execs);
}
