/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "init/environ.h"
#include "agent/execs.h"
#include "init/json_fields.h"
#include "agent/lablink.h"
#include "agent/reaper.h"
#include "agent/service.h"
#include "init/setup.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "init/service_cgroup.h"

enum { FLUSH_MS = 500 };

enum agent_state { HELLO_SENT, CONFIGURED, REFUSED, STOPPING, OVER };

struct agent {
	struct loop *loop;
	struct clock *clock;
	const struct agent_ops *ops;
	void *ctx;
	enum agent_state state;
	char *refused; /* why CONFIG is going to be refused, or NULL */
	const char *stopped; /* why it is STOPPING */
	struct lablink *link;
	struct reaper *reaper;
	struct drains drains;
	struct settings settings;
	struct environ_list env;
	struct execs *execs;	   /* from CONFIGURED on */
	struct services *services; /* from CONFIGURED on */
};

static void over(struct agent *agent, enum agent_end end, const char *why)
{
	if (agent->state == OVER)
		return;
	agent->state = OVER;
	agent->ops->over(agent->ctx, end, why);
}

/* Nanoseconds since the kernel came up, as exact as /proc tells: 10 ms. */
static uint64_t boot_ns(void)
{
	cleanup_free char *text = NULL;
	unsigned long long s = 0, cs = 0;
	size_t size;

	if (fdio_read_file(AT_FDCWD, "/proc/uptime", 256, &text, &size, NULL) == 0 &&
	    sscanf(text, "%llu.%2llu", &s, &cs) != 2)
		return 0;
	return s * NS_PER_S + cs * 10 * NS_PER_MS;
}

static void say_hello(struct agent *agent)
{
	struct utsname uts = { .release = "?" };

	uname(&uts);
	lablink_send_json(agent->link, PROTO_HELLO, 0,
			  json_pack("{s:i, s:s, s:I}", "version", PROTO_VERSION, "kernel",
				    uts.release, "boot_ns", (json_int_t)boot_ns()));
}

static int make_world(struct agent *agent, struct why *why)
{
	/* A host's own are none of our business. */
	bool machine = getpid() == 1;
	struct exec_world world = {
		.loop = agent->loop,
		.clock = agent->clock,
		.link = agent->link,
		.reaper = agent->reaper,
		.drains = &agent->drains,
		.env = &agent->env,
		.cgroups = machine ? SERVICE_CGROUPS : NULL,
		.kernel_log = machine ? "/dev/kmsg" : NULL,
	};
	int err = setup_environ(&agent->settings, &agent->env, why);

	err = err ? err : execs_create(&agent->execs, &world, why);
	return err ? err : services_create(&agent->services, &world, &agent->settings, why);
}

static void on_config(struct agent *agent, const struct proto_message *m)
{
	struct why why = { "" };
	int err;

	if (agent->state != HELLO_SENT) {
		lablink_malformed(agent->link, "a second CONFIG");
		return;
	}
	err = agent->refused ? why_set(&why, -EIO, "%s", agent->refused) : 0;
	err = err ? err : settings_parse(m->payload, m->size, &agent->settings, &why);
	err = err ? err : agent->ops->configure(agent->ctx, &agent->settings, &why);
	err = err ? err : make_world(agent, &why);
	if (err) {
		agent->state = REFUSED;
		lablink_send_json(agent->link, PROTO_FAILED, 0,
				  json_pack("{s:o}", "error", json_fields_text(why.text)));
		return;
	}
	agent->state = CONFIGURED;
	lablink_send(agent->link, PROTO_CONFIGURED, 0, "{}", 2);
	agent->ops->configured(agent->ctx, &agent->settings, agent->env.vars);
}

static void on_stopped(void *ctx)
{
	struct agent *agent = ctx;

	lablink_flush(agent->link, FLUSH_MS);
	over(agent, AGENT_SHUTDOWN, agent->stopped);
}

void agent_shut_down(struct agent *agent, const char *why)
{
	bool services = agent->state == CONFIGURED;

	if (agent->state == STOPPING || agent->state == OVER)
		return;
	agent->state = STOPPING;
	agent->stopped = why;
	if (services) {
		execs_hangup(agent->execs);
		services_stop(agent->services, on_stopped, agent);
	} else {
		on_stopped(agent);
	}
}

static void on_command(struct agent *agent, const struct proto_message *m)
{
	struct why why;

	if (agent->state == CONFIGURED) {
		if (execs_message(agent->execs, m, &why))
			lablink_malformed(agent->link, why.text);
	} else if (agent->state == HELLO_SENT) {
		why_set(&why, -EPROTO, "%s before CONFIG", proto_type_name(m->type));
		lablink_malformed(agent->link, why.text);
	} else if (m->type == PROTO_EXEC) {
		lablink_send_json(agent->link, PROTO_FAILED, m->channel,
				  json_pack("{s:s, s:i}", "error",
					    agent->state == REFUSED
						    ? "the machine is not configured"
						    : "the machine is going down",
					    "exit", 126));
	}
}

/* Also before CONFIG: then all that is configured sees the clock as it is to be. */
static void on_clock(struct agent *agent, const struct proto_message *m)
{
	json_t *body = json_loadb((const char *)m->payload, m->size, 0, NULL);
	struct agent_clock clock = { 0 };
	json_int_t step_ns = 0, drift_ppb = 0;

	if (!body || json_unpack_ex(body, NULL, JSON_STRICT, "{s?I, s?I}", "step_ns",
				    &step_ns, "drift_ppb", &drift_ppb)) {
		lablink_malformed(agent->link, "CLOCK: \"step_ns\" and \"drift_ppb\" were "
					       "expected, whole numbers");
	} else {
		clock.step_ns = step_ns;
		clock.has_drift = json_object_get(body, "drift_ppb") != NULL;
		clock.drift_ppb = drift_ppb;
		agent->ops->clock(agent->ctx, &clock);
	}
	json_decref(body);
}

/* Whoever asks wants to know how late an answer can be: so nothing else comes first. */
static void on_time(struct agent *agent, const struct proto_message *m)
{
	uint8_t answer[PROTO_TIME_ANSWER_BYTES];

	if (m->size != PROTO_TIME_ASK_BYTES) {
		lablink_malformed(agent->link, "TIME is a number of 4 bytes");
		return;
	}
	memcpy(answer, m->payload, PROTO_TIME_ASK_BYTES);
	proto_put_u64(answer + PROTO_TIME_ASK_BYTES, clock_host_wall_ns());
	lablink_send(agent->link, PROTO_TIME, 0, answer, sizeof(answer));
}

static void on_panic(struct agent *agent, const struct proto_message *m)
{
	json_t *body = json_loadb((const char *)m->payload, m->size, 0, NULL);
	int silent = 0;

	if (!body || json_unpack_ex(body, NULL, JSON_STRICT, "{s?b}", "silent", &silent))
		lablink_malformed(agent->link,
				  "PANIC: \"silent\" was expected, true or false");
	else
		agent->ops->panic(agent->ctx, silent);
	json_decref(body);
}

static void on_message(void *ctx, const struct proto_message *m)
{
	struct agent *agent = ctx;

	switch (m->type) {
	case PROTO_CONFIG:
		on_config(agent, m);
		break;
	case PROTO_SERVICES_START:
		if (agent->state == CONFIGURED)
			services_start(agent->services);
		break;
	case PROTO_CLOCK:
		on_clock(agent, m);
		break;
	case PROTO_TIME:
		on_time(agent, m);
		break;
	case PROTO_PANIC:
		on_panic(agent, m);
		break;
	case PROTO_SHUTDOWN:
		agent_shut_down(agent, "the lab has ended this machine");
		break;
	default:
		on_command(agent, m);
	}
}

static void on_lost(void *ctx, bool malformed, const char *why)
{
	over(ctx, malformed ? AGENT_MALFORMED : AGENT_LAB_GONE, why);
}

int agent_create(struct agent **out, struct loop *loop, struct clock *clock, int fd,
		 const struct agent_ops *ops, void *ctx, struct why *why)
{
	static const struct lablink_ops link_ops = { .message = on_message, .lost = on_lost };
	struct agent *agent = calloc(1, sizeof(*agent));
	int err;

	if (!agent)
		return why_set(why, -ENOMEM, "out of memory for the agent");
	agent->loop = loop;
	agent->clock = clock;
	agent->ops = ops;
	agent->ctx = ctx;
	drains_init(&agent->drains, loop);
	err = reaper_create(&agent->reaper, loop, why);
	err = err ? err : lablink_create(&agent->link, loop, fd, &link_ops, agent, why);
	if (err) {
		agent_destroy(agent);
		return err;
	}
	say_hello(agent);
	*out = agent;
	return 0;
}

void agent_destroy(struct agent *agent)
{
	if (!agent)
		return;
	services_destroy(agent->services);
	execs_destroy(agent->execs);
	drains_close(&agent->drains);
	lablink_destroy(agent->link);
	reaper_destroy(agent->reaper);
	environ_free(&agent->env);
	settings_free(&agent->settings);
	free(agent->refused);
	free(agent);
}

void agent_refuse(struct agent *agent, const char *why)
{
	free(agent->refused);
	agent->refused = strdup(why);
}

void agent_say_links(struct agent *agent)
{
	lablink_send(agent->link, PROTO_LINKS, 0, "{}", 2);
	lablink_flush(agent->link, FLUSH_MS);
}

struct reaper *agent_reaper(struct agent *agent)
{
	return agent->reaper;
}
