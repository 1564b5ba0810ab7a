/* SPDX-License-Identifier: MIT */
#include "agent/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/fields.h"
#include "agent/pump.h"
#include "agent/ready.h"
#include "agent/session.h"
#include "agent/spawn.h"
#include "base/check.h"

enum { LOG_STDOUT = 1, LOG_STDERR = 2 }; /* first byte of a LOG */

struct service {
	struct services *services;
	const struct plan_service *plan;
	uint32_t index;
	enum service_state state;
	pid_t session; /* 0: it has no process any more */
	bool running, gone; /* gone: ended, with status, and not yet told */
	int status;
	struct child child;
	struct ready ready;
	struct pump out, err;
	struct deferred ending;
};

struct services {
	struct exec_world world;
	struct service *all;
	size_t count;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	struct timer stop_timer;
	struct deferred stop_over;
};

static const char *const state_names[SERVICE_STATES] = { "idle", "starting", "ready",
							 "exited", "failed" };

const char *service_state_name(enum service_state state)
{
	return state < SERVICE_STATES ? state_names[state] : "?";
}

/* The only writer of a state.  how: {"exit":1}, {"error":"..."} or NULL. */
static void set_state(struct service *service, enum service_state state, json_t *how)
{
	json_t *json = json_pack("{s:s, s:s}", "name", service->plan->name, "state",
				 service_state_name(state));

	service->state = state;
	if (json && how)
		json_object_update(json, how);
	json_decref(how);
	lablink_send_json(service->services->world.link, PROTO_SERVICE, 0, json);
}

static void fail(struct service *service, const char *error)
{
	set_state(service, SERVICE_FAILED, json_pack("{s:o}", "error", fields_text(error)));
}

static void maybe_stopped(struct services *services)
{
	if (!services->stopped)
		return;
	for (size_t i = 0; i < services->count; i++)
		if (services->all[i].running)
			return;
	loop_defer(services->world.loop, &services->stop_over);
}

/* In words, as a person is to read them who sees no other field. */
static json_t *early_end(int status)
{
	char text[96];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "it was ended by signal %d (%s) before it was ready",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text),
			 "it ended with exit status %d before it was ready",
			 WEXITSTATUS(status));
	return json_string(text);
}

/* It ended and its last lines are sent. */
static void tell_end(void *ctx)
{
	struct service *service = ctx;
	json_t *how;

	if (!service->gone || !service->out.is_done || !service->err.is_done)
		return;
	service->gone = false;
	drains_add(service->services->world.drains, pump_take_fd(&service->out));
	drains_add(service->services->world.drains, pump_take_fd(&service->err));
	how = exec_status_json(service->status);
	if (service->state == SERVICE_STARTING) {
		json_object_set_new(how, "error", early_end(service->status));
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

static void on_gone(void *ctx, int wait_status)
{
	struct service *service = ctx;

	service->running = false;
	/* A number that nobody has may soon be somebody else's. */
	if (session_signal(service->session, 0) == 0)
		service->session = 0;
	service->gone = true;
	service->status = wait_status;
	if (service->plan->ready.kind != READY_NONE)
		ready_stop(&service->ready);
	pump_finish(&service->out);
	pump_finish(&service->err);
	loop_defer(service->services->world.loop, &service->ending);
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

static void start_ready(struct service *service)
{
	const struct exec_world *world = &service->services->world;

	if (service->plan->ready.kind == READY_NONE) {
		set_state(service, SERVICE_READY, NULL);
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
	struct why why;
	int exit_code;

	set_state(service, SERVICE_STARTING, NULL);
	if (spawn_program(&spawn, &spawned, &exit_code, &why)) {
		fail(service, why.text);
		return;
	}
	service->running = true;
	service->session = spawned.pid;
	service->child = (struct child){ .pid = spawned.pid, .gone = on_gone, .ctx = service };
	reaper_watch(world->reaper, &service->child);
	start_log(service, &service->out, spawned.out, LOG_STDOUT);
	start_log(service, &service->err, spawned.err, LOG_STDERR);
	start_ready(service);
}

void services_start(struct services *services)
{
	for (size_t i = 0; i < services->count; i++)
		if (services->all[i].state == SERVICE_IDLE)
			start(&services->all[i]);
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
	services->stopped = stopped;
	services->stopped_ctx = ctx;
	for (size_t i = 0; i < services->count; i++) {
		struct service *service = &services->all[i];

		if (!service->session)
			continue;
		session_signal(service->session, SIGTERM);
		session_signal(service->session, SIGCONT);
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
	for (size_t i = 0; i < services->count; i++) {
		struct service *service = &services->all[i];

		service->services = services;
		service->plan = &settings->services[i];
		service->index = (uint32_t)i;
		service->out.fd = service->err.fd = -1;
		service->ending = (struct deferred){ .run = tell_end, .ctx = service };
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

		if (service->session)
			session_signal(service->session, SIGKILL);
		if (service->running && service->plan->ready.kind != READY_NONE)
			ready_stop(&service->ready);
		reaper_forget(&service->child);
		deferred_cancel(&service->ending);
		pump_stop(&service->out);
		pump_stop(&service->err);
	}
	timer_cancel(services->world.clock, &services->stop_timer);
	deferred_cancel(&services->stop_over);
	free(services->all);
	free(services);
}
