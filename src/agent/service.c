/* SPDX-License-Identifier: MIT */
#include "agent/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "init/service_cgroup.h"
#include "init/json_fields.h"
#include "init/oom.h"
#include "agent/pump.h"
#include "agent/ready.h"
#include "agent/session.h"
#include "agent/spawn.h"
#include "base/check.h"
#include "base/cleanup.h"

enum { LOG_STDOUT = 1, LOG_STDERR = 2 }; /* first byte of a LOG */

/* What dies at once (a program that is not there, a wrong option) has done so by then, if
 * it got a processor: on a host that is overrun it is given more time. */
enum { SETTLE_MS = 50, SETTLES_MAX = 20 };

enum { AGAIN_MS = 100, AGAIN_MS_MAX = 10000, RUNS_WELL_MS = 10000 };

struct service {
	struct services *services;
	const struct plan_service *plan;
	uint32_t index;
	enum service_phase state;
	pid_t session; /* 0: it has no process any more */
	int group_fd;  /* its cgroup; -1: none, and its session stands for it */
	bool running;  /* the shell, or what it became */
	bool behind;   /* that has ended well and left others to do the work */
	bool heeded;   /* it did so because it was asked to end */
	bool gone;     /* ended, with status, and not yet told */
	int status;
	pid_t pid;
	struct timer settled;
	unsigned settles; /* how often it was looked at */
	struct timer again;
	bool was_ready;
	unsigned ends;	   /* in a row, since it has run for long enough */
	uint64_t begun_ns; /* for the last time */
	struct child child;
	struct ready ready;
	struct pump out, err;
	struct deferred ending;
};

struct services {
	struct exec_world world;
	struct service *all;
	size_t count;
	bool stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	struct timer stop_timer;
	struct deferred stop_over;
	struct oom oom;
	struct reaper_listener orphans;
	struct deferred next;
};

static const char *const state_names[SERVICE_STATES] = { "idle",       "starting", "ready",
							 "restarting", "exited",   "failed" };

const char *service_state_name(enum service_phase state)
{
	return state < SERVICE_STATES ? state_names[state] : "?";
}

/* The only writer of a state.  how: {"exit":1}, {"error":"..."} or NULL. */
static void set_state(struct service *service, enum service_phase state, json_t *how)
{
	json_t *json = json_pack("{s:s, s:s}", "name", service->plan->name, "state",
				 service_state_name(state));

	service->state = state;
	service->was_ready |= state == SERVICE_READY;
	if (json && how)
		json_object_update(json, how);
	json_decref(how);
	lablink_send_json(service->services->world.link, PROTO_SERVICE, 0, json);
	if (state == SERVICE_READY)
		loop_defer(service->services->world.loop, &service->services->next);
}

static void fail(struct service *service, const char *error)
{
	set_state(service, SERVICE_FAILED, json_pack("{s:o}", "error", json_fields_text(error)));
}

/* Of all that came of it, is somebody left? */
static bool has_members(const struct service *service)
{
	if (service->group_fd >= 0)
		return service_cgroup_has_members(service->group_fd);
	return service->session && session_signal(service->session, 0) > 0;
}

/* Who cannot be reached that way ends with the machine. */
static void signal_all(struct service *service, int signal_no)
{
	if (service->group_fd >= 0)
		(void)service_cgroup_signal(service->group_fd, signal_no);
	else if (service->session)
		session_signal(service->session, signal_no);
}

static void maybe_stopped(struct services *services)
{
	if (!services->stopped)
		return;
	for (size_t i = 0; i < services->count; i++)
		if (services->all[i].running || services->all[i].behind)
			return;
	loop_defer(services->world.loop, &services->stop_over);
}

/* In words, as a person is to read them who sees no other field. */
static json_t *early_end(int status, const char *of_memory)
{
	char text[160];

	if (*of_memory)
		snprintf(text, sizeof(text), "%s before it was ready", of_memory);
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "it was ended by signal %d (%s) before it was ready",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text),
			 "it ended with exit status %d before it was ready",
			 WEXITSTATUS(status));
	return json_string(text);
}

/* "it was killed for want of memory", or "" if that was not why it ended. */
static void explain_memory(struct service *service, char *text, size_t bytes)
{
	struct oom_victim victim;

	*text = 0;
	if (!oom_explains(&service->services->oom, service->pid, service->status, &victim))
		return;
	if (victim.pid == service->pid)
		snprintf(text, bytes, "it was killed for want of memory");
	else
		snprintf(text, bytes, "its process %d (%s) was killed for want of memory",
			 (int)victim.pid, victim.name);
}

static bool is_restarted(const struct service *service)
{
	return !service->services->stopping &&
	       (service->plan->restart == RESTART_ALWAYS ||
		(service->plan->restart == RESTART_ON_FAILURE && service->status));
}

/* One more end.  After how many ms does it begin again?  0: it has ended in vain too often. */
static unsigned count_end(struct service *service)
{
	uint64_t ran_ns = clock_now_ns(service->services->world.clock) - service->begun_ns;
	unsigned ms = AGAIN_MS;

	if (ran_ns >= RUNS_WELL_MS * NS_PER_MS)
		service->ends = 0;
	service->ends++;
	if (!service->was_ready && service->ends == RESTARTS_IN_VAIN)
		return 0;
	for (unsigned i = 1; i < service->ends && ms < AGAIN_MS_MAX; i++)
		ms *= 2;
	return ms < AGAIN_MS_MAX ? ms : AGAIN_MS_MAX;
}

static void restart_in(struct service *service, unsigned ms, json_t *how)
{
	const struct exec_world *world = &service->services->world;

	json_object_set_new(how, "again_ms", json_integer(ms));
	set_state(service, SERVICE_RESTARTING, how);
	timer_set(world->clock, &service->again, clock_now_ns(world->clock) + ms * NS_PER_MS);
}

/* It ended and its last lines are sent. */
static void tell_end(void *ctx)
{
	struct service *service = ctx;
	char of_memory[96];
	unsigned ms = 0;
	json_t *how;

	if (!service->gone || !service->out.is_done || !service->err.is_done)
		return;
	service->gone = false;
	drains_add(service->services->world.drains, pump_take_fd(&service->out));
	drains_add(service->services->world.drains, pump_take_fd(&service->err));
	explain_memory(service, of_memory, sizeof(of_memory));
	how = exec_status_json(service->status);
	/* One that has no test and is done has done what it was for. */
	if (service->state == SERVICE_STARTING && service->plan->ready.kind == READY_NONE &&
	    service->status == 0)
		set_state(service, SERVICE_READY, NULL);
	if (service->state == SERVICE_STARTING)
		json_object_set_new(how, "error", early_end(service->status, of_memory));
	else if (*of_memory)
		json_object_set_new(how, "error", json_fields_text(of_memory));
	if (is_restarted(service))
		ms = count_end(service);
	if (ms) {
		restart_in(service, ms, how);
	} else if (service->state == SERVICE_STARTING) {
		set_state(service, SERVICE_FAILED, how);
	} else if (service->state == SERVICE_READY) {
		set_state(service, SERVICE_EXITED, how);
	} else {
		json_decref(how);
	}
	maybe_stopped(service->services);
}

static void on_pump_done(void *ctx)
{
	struct service *service = ctx;

	loop_defer(service->services->world.loop, &service->ending);
}

/* Nothing of it is left, or what is left does not count. */
static void ended(struct service *service, int wait_status)
{
	service->behind = false;
	service->gone = true;
	service->status = wait_status;
	if (service->plan->ready.kind != READY_NONE)
		ready_stop(&service->ready);
	timer_cancel(service->services->world.clock, &service->settled);
	pump_finish(&service->out);
	pump_finish(&service->err);
	loop_defer(service->services->world.loop, &service->ending);
}

/* A daemon goes on in the background: it is the service now, and has its output. */
static void on_gone(void *ctx, int wait_status)
{
	struct service *service = ctx;

	service->running = false;
	/* A number that nobody has may soon be somebody else's. */
	if (session_signal(service->session, 0) == 0)
		service->session = 0;
	if (wait_status == 0 && has_members(service)) {
		service->behind = true;
		service->heeded = service->services->stopping;
	} else {
		ended(service, wait_status);
	}
}

/* The last that goes is an orphan, so a child of ours. */
static void on_orphan(void *ctx, int wait_status)
{
	struct services *services = ctx;

	for (size_t i = 0; i < services->count; i++) {
		struct service *service = &services->all[i];

		if (service->behind && !has_members(service)) {
			service->session = 0;
			/* Whoever was the last to go: the one that was asked said how. */
			ended(service, service->heeded ? 0 : wait_status);
		}
	}
}

static void on_ready(void *ctx, const char *why_not)
{
	struct service *service = ctx;

	if (service->state != SERVICE_STARTING)
		return;
	if (why_not)
		fail(service, why_not);
	else
		set_state(service, SERVICE_READY, NULL);
}

static void start_log(struct service *service, struct pump *pump, int fd, int stream)
{
	const struct exec_world *world = &service->services->world;

	*pump = (struct pump){
		.loop = world->loop,
		.link = world->link,
		.fd = fd,
		.type = PROTO_LOG,
		.channel = service->index,
		.prefix = stream,
		.done = on_pump_done,
		.ctx = service,
	};
	pump_start(pump);
}

static void on_settled(void *ctx, uint64_t now_ns)
{
	struct service *service = ctx;

	if (service->state != SERVICE_STARTING)
		return;
	/* Nobody left of it: it has died, and how is what the reaper says next. */
	if (service->running && ++service->settles < SETTLES_MAX &&
	    (session_is_busy(service->session) || !session_signal(service->session, 0)))
		timer_set(service->services->world.clock, &service->settled,
			  now_ns + SETTLE_MS * NS_PER_MS);
	else
		set_state(service, SERVICE_READY, NULL);
}

static void start_ready(struct service *service)
{
	const struct exec_world *world = &service->services->world;

	if (service->plan->ready.kind == READY_NONE) {
		service->settled = (struct timer){ .fire = on_settled, .ctx = service };
		timer_set(world->clock, &service->settled,
			  clock_now_ns(world->clock) + SETTLE_MS * NS_PER_MS);
		return;
	}
	service->ready = (struct ready){
		.clock = world->clock,
		.reaper = world->reaper,
		.test = &service->plan->ready,
		.envp = world->env->vars,
		.over = on_ready,
		.ctx = service,
	};
	ready_start(&service->ready);
}

static void start(struct service *service)
{
	const struct exec_world *world = &service->services->world;
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", service->plan->cmd, NULL };
	struct spawn spawn = { .argv = argv, .envp = world->env->vars, .cwd = "/",
			       .io = SPAWN_LOG };
	struct spawned spawned;
	char group[PLAN_NAME_BYTES_MAX + 64];
	struct why why;
	int exit_code, err;

	service->begun_ns = clock_now_ns(world->clock);
	set_state(service, SERVICE_STARTING, NULL);
	snprintf(group, sizeof(group), "service.%s", service->plan->name);
	service->group_fd = service_cgroup_make(world->cgroups, group);
	spawn.group_fd = service_cgroup_open_door(service->group_fd);
	err = spawn_program(&spawn, &spawned, &exit_code, &why);
	cleanup_close_(&spawn.group_fd);
	if (err) {
		fail(service, why.text);
		return;
	}
	service->running = true;
	service->session = service->pid = spawned.pid;
	service->child = (struct child){ .pid = spawned.pid, .gone = on_gone, .ctx = service };
	reaper_watch(world->reaper, &service->child);
	start_log(service, &service->out, spawned.out, LOG_STDOUT);
	start_log(service, &service->err, spawned.err, LOG_STDERR);
	start_ready(service);
}

/* As it was at first, without what is left of it. */
static void start_again(void *ctx, uint64_t now_ns)
{
	struct service *service = ctx;

	(void)now_ns;
	signal_all(service, SIGKILL);
	cleanup_close_(&service->group_fd);
	service->session = 0;
	service->settles = 0;
	start(service);
}

/* Each when the one before it is ready, or was. */
static void start_next(void *ctx)
{
	struct services *services = ctx;

	for (size_t i = 0; i < services->count && !services->stopping; i++) {
		struct service *service = &services->all[i];

		if (service->state == SERVICE_IDLE)
			start(service);
		if (service->state == SERVICE_STARTING || service->state == SERVICE_FAILED ||
		    (service->state == SERVICE_RESTARTING && !service->was_ready))
			return;
	}
}

void services_start(struct services *services)
{
	start_next(services);
}

static void stop_over(void *ctx)
{
	struct services *services = ctx;
	void (*stopped)(void *) = services->stopped;

	if (!stopped)
		return;
	services->stopped = NULL;
	timer_cancel(services->world.clock, &services->stop_timer);
	stopped(services->stopped_ctx);
}

static void on_stop_late(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	stop_over(ctx);
}

/* To the whole session: the shell that runs a command may not pass it on. */
void services_stop(struct services *services, void (*stopped)(void *ctx), void *ctx)
{
	struct clock *clock = services->world.clock;

	ASSERT(!services->stopped);
	services->stopping = true;
	services->stopped = stopped;
	services->stopped_ctx = ctx;
	for (size_t i = 0; i < services->count; i++) {
		timer_cancel(clock, &services->all[i].again);
		signal_all(&services->all[i], SIGTERM);
		signal_all(&services->all[i], SIGCONT);
	}
	timer_set(clock, &services->stop_timer,
		  clock_now_ns(clock) + SERVICES_STOP_MS * NS_PER_MS);
	maybe_stopped(services);
}

int services_create(struct services **out, const struct exec_world *world,
		    const struct settings *settings, struct why *why)
{
	struct services *services = calloc(1, sizeof(*services));

	if (services)
		services->all = calloc(settings->service_count + 1, sizeof(*services->all));
	if (!services || !services->all) {
		free(services);
		return why_set(why, -ENOMEM, "out of memory for the services");
	}
	services->world = *world;
	services->count = settings->service_count;
	services->stop_timer = (struct timer){ .fire = on_stop_late, .ctx = services };
	services->stop_over = (struct deferred){ .run = stop_over, .ctx = services };
	services->next = (struct deferred){ .run = start_next, .ctx = services };
	services->orphans = (struct reaper_listener){ .gone = on_orphan, .ctx = services };
	reaper_listen(world->reaper, &services->orphans);
	oom_open(&services->oom, world->kernel_log);
	for (size_t i = 0; i < services->count; i++) {
		struct service *service = &services->all[i];

		service->services = services;
		service->plan = &settings->services[i];
		service->index = (uint32_t)i;
		service->group_fd = -1;
		service->out.fd = service->err.fd = -1;
		service->ending = (struct deferred){ .run = tell_end, .ctx = service };
		service->again = (struct timer){ .fire = start_again, .ctx = service };
	}
	*out = services;
	return 0;
}

void services_destroy(struct services *services)
{
	if (!services)
		return;
	for (size_t i = 0; i < services->count; i++) {
		struct service *service = &services->all[i];

		signal_all(service, SIGKILL);
		cleanup_close_(&service->group_fd);
		timer_cancel(services->world.clock, &service->settled);
		timer_cancel(services->world.clock, &service->again);
		if ((service->running || service->behind) &&
		    service->plan->ready.kind != READY_NONE)
			ready_stop(&service->ready);
		reaper_forget(&service->child);
		deferred_cancel(&service->ending);
		pump_stop(&service->out);
		pump_stop(&service->err);
	}
	timer_cancel(services->world.clock, &services->stop_timer);
	deferred_cancel(&services->stop_over);
	deferred_cancel(&services->next);
	reaper_listen(services->world.reaper, NULL);
	oom_close(&services->oom);
	free(services->all);
	free(services);
}
