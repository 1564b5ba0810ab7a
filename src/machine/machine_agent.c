/* SPDX-License-Identifier: MIT */
/* The conversation with a machine's agent (agentproto/proto.h), the lab's side. */
#include "machine/machine_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agentproto/config.h"
#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char *member_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- ending it --------------------------------------------------------- */

/* A machine that ends hangs up first; how it ended says more than that it did. */
#define HANGUP_GRACE_NS (2 * NS_PER_S)

/* The agent broke the rules while the machine still runs.  Said later, not from
 * within the device's own callback. */
static void lose(struct machine *machine, const char *reason)
{
	if (machine->agent_dead)
		return;
	machine->agent_dead = true;
	why_set(&machine->agent_why, 0, "%s", reason);
	loop_defer(machine->env->loop, &machine->agent_end);
}

/* The agent is silent for good, most likely because its machine is about to end. */
static void hang_up(struct machine *machine, const char *reason)
{
	if (machine->agent_dead)
		return;
	machine->agent_dead = true;
	why_set(&machine->agent_why, 0, "%s", reason);
	timer_set(machine->env->clock, &machine->agent_grace,
		  clock_now_ns(machine->env->clock) + HANGUP_GRACE_NS);
}

static void end_conversation(void *ctx)
{
	struct machine *machine = ctx;
	char reason[WHY_BYTES_MAX + 32];

	vconsole_destroy(steal_ptr(&machine->vconsole));
	if (machine->state == MACHINE_STOPPING || machine->state == MACHINE_STOPPED)
		return;
	snprintf(reason, sizeof(reason), "its agent: %s", machine->agent_why.text);
	exec_end_all(&machine->execs, reason);
	machine_set_state(machine, MACHINE_LOST, reason);
}

static void on_grace(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	end_conversation(ctx);
}

bool machine_agent_talks(const struct machine *machine)
{
	return machine->vconsole && !machine->agent_dead &&
	       machine->state >= MACHINE_CONFIGURING;
}

/* ---- speaking ---------------------------------------------------------- */

static void push(struct machine *machine)
{
	while (outbuf_size(&machine->to_agent)) {
		size_t n = vconsole_write(machine->vconsole,
					  outbuf_front(&machine->to_agent),
					  outbuf_size(&machine->to_agent));

		if (n == 0)
			return;
		outbuf_take(&machine->to_agent, n);
	}
}

void machine_agent_send(struct machine *machine, enum proto_type type, uint32_t channel,
			const void *payload, size_t size)
{
	uint8_t header[PROTO_HEADER_BYTES];

	if (!machine->vconsole || machine->agent_dead)
		return;
	ASSERT(size <= PROTO_PAYLOAD_BYTES_MAX);
	proto_header(header, type, channel, (uint32_t)size);
	if (outbuf_append(&machine->to_agent, header, sizeof(header)) ||
	    outbuf_append(&machine->to_agent, payload, size)) {
		lose(machine, "it does not read what it is sent");
		return;
	}
	push(machine);
}

void machine_agent_send_json(struct machine *machine, enum proto_type type,
			     uint32_t channel, json_t *payload)
{
	cleanup_free char *text = payload ? json_dumps(payload, JSON_COMPACT) : NULL;

	json_decref(payload);
	if (text)
		machine_agent_send(machine, type, channel, text, strlen(text));
	else
		lose(machine, "the lab is out of memory");
}

void machine_agent_configure(struct machine *machine)
{
	const struct machine_env *env = machine->env;
	struct agent_boot boot = { .lab = env->lab };
	cleanup_free char *text = NULL;
	struct why why = { "" };
	size_t size;

	if (agent_config_text(env->plan, machine->index, &boot, &text, &size, &why)) {
		machine_set_state(machine, MACHINE_FAILED, why.text);
		return;
	}
	machine_agent_send(machine, PROTO_CONFIG, 0, text, size);
}

/* In virtual time a kernel boots in no time, but programs take an uptime below one
 * second for none at all (ping sends without a pause, for one). */
#define VIRTUAL_BOOT_NS (2 * NS_PER_S)

static void on_config_due(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	machine_agent_configure(ctx);
}

void machine_start_services(struct machine *machine)
{
	ASSERT(machine->state == MACHINE_CONFIGURED);
	machine_set_state(machine, MACHINE_STARTING, NULL);
	machine_agent_send_json(machine, PROTO_SERVICES_START, 0, json_object());
	if (machine->plan->service_count == 0)
		machine_set_state(machine, MACHINE_READY, NULL);
}

/* ---- hearing ----------------------------------------------------------- */

static int on_hello(struct machine *machine, const json_t *body, struct why *why)
{
	json_int_t version = json_integer_value(json_object_get(body, "version"));

	if (machine->state != MACHINE_BOOTING)
		return why_set(why, -EPROTO, "HELLO while %s",
			       machine_state_name(machine->state));
	if (version != PROTO_VERSION)
		return why_set(
			why, -EPROTO,
			"it speaks version %lld of the agent protocol, this lab %d; "
			"use the agent that was built with it",
			(long long)version, PROTO_VERSION);
	journal_write(machine->env->journal, "node-hello",
		      json_pack("{s:s, s:o}", "node", machine->plan->name, "agent",
				json_deep_copy(body)));
	machine_set_state(machine, MACHINE_CONFIGURING, NULL);
	if (machine->env->keeps_time) {
		machine_time_begin(machine);
		return 0;
	}
	machine_clock_begin(machine);
	if (machine->env->vtime)
		timer_set(machine->env->clock, &machine->config_due,
			  clock_now_ns(machine->env->clock) + VIRTUAL_BOOT_NS);
	else
		machine_agent_configure(machine);
	return 0;
}

static int on_configured(struct machine *machine, struct why *why)
{
	if (machine->state == MACHINE_STOPPING)
		return 0;
	if (machine->state != MACHINE_CONFIGURING)
		return why_set(why, -EPROTO, "CONFIGURED while %s",
			       machine_state_name(machine->state));
	machine_set_state(machine, MACHINE_CONFIGURED, NULL);
	return 0;
}

static void check_all_ready(struct machine *machine)
{
	if (machine->state != MACHINE_STARTING)
		return;
	for (size_t i = 0; i < machine->plan->service_count; i++)
		if (!machine->services[i].is.was_ready)
			return;
	machine_set_state(machine, MACHINE_READY, NULL);
}

/* A service that cannot become ready any more fails its machine's start. */
static void check_hopeless(struct machine *machine, size_t index)
{
	const struct service_run *service = &machine->services[index];
	const char *name = machine->plan->services[index].name;
	char reason[WHY_BYTES_MAX + 128];

	if (machine->state != MACHINE_STARTING || service->is.was_ready)
		return;
	if (service->is.state == SERVICE_FAILED)
		snprintf(reason, sizeof(reason), "service %s: %s", name,
			 *service->error.text ? service->error.text : "failed");
	else if (service->is.state == SERVICE_EXITED)
		snprintf(reason, sizeof(reason),
			 "service %s ended with status %d before it was ready", name,
			 service->is.exit);
	else
		return;
	machine->failed_service = (int)index;
	machine_set_state(machine, MACHINE_FAILED, reason);
}

static int find_service(const struct machine *machine, const char *name)
{
	for (size_t i = 0; i < machine->plan->service_count; i++)
		if (strcmp(machine->plan->services[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* What an agent can say; SERVICE_WAITING: no such word. */
static enum service_state service_state_find(const char *name)
{
	enum service_state state = SERVICE_STATES - 1;

	while (state > SERVICE_WAITING && strcmp(service_state_name(state), name) != 0)
		state--;
	return state;
}

static int on_service(struct machine *machine, const json_t *body, size_t size,
		      struct why *why)
{
	const char *state = member_text(body, "state");
	int index = find_service(machine, member_text(body, "name"));
	enum service_state to = service_state_find(state);
	struct service_run *service;

	if (index < 0 || to == SERVICE_WAITING)
		return why_set(why, -EPROTO, "SERVICE \"%.40s\" \"%.40s\" is not known",
			       member_text(body, "name"), state);
	service = &machine->services[index];
	service->is.state = to;
	service->is.restarts += to == SERVICE_RESTARTING;
	service->is.exit = (int)json_integer_value(json_object_get(body, "exit"));
	why_set(&service->error, 0, "%s", member_text(body, "error"));
	if (to == SERVICE_READY ||
	    (to == SERVICE_EXITED && service->is.exit == 0 &&
	     machine->plan->services[index].ready.kind == READY_NONE))
		service->is.was_ready = true;
	machine_record_service(machine, body, size);
	machine->env->ops->service(machine->env->ctx, machine, (size_t)index);
	check_hopeless(machine, (size_t)index);
	check_all_ready(machine);
	return 0;
}

static int on_log(struct machine *machine, const struct proto_message *message,
		  struct why *why)
{
	struct service_run *service;

	/* The first byte says which stream; both go to one file, in order. */
	if (message->channel >= machine->plan->service_count || message->size < 1)
		return why_set(why, -EPROTO,
			       "LOG of service number %u, which there is not",
			       message->channel);
	service = &machine->services[message->channel];
	machine_record_log(machine, message->channel, message->payload + 1,
			   message->size - 1);
	digest_log(machine->env->digest, machine->index, message->channel,
		   message->payload + 1, message->size - 1);
	ring_put(&service->tail, message->payload + 1, message->size - 1);
	return 0;
}

static int on_failed(struct machine *machine, const json_t *body, struct why *why)
{
	if (machine->state != MACHINE_CONFIGURING)
		return why_set(why, -EPROTO, "FAILED while %s",
			       machine_state_name(machine->state));
	machine_set_state(machine, MACHINE_FAILED, member_text(body, "error"));
	return 0;
}

/* Messages of the machine itself whose payload is an object. */
static int on_object(struct machine *machine, const struct proto_message *message,
		     struct why *why)
{
	json_error_t error;
	json_t *body =
		json_loadb((const char *)message->payload, message->size, 0, &error);
	int err;

	if (!json_is_object(body))
		err = why_set(why, -EPROTO, "%s: not a JSON object: %s",
			      proto_type_name(message->type), body ? "" : error.text);
	else if (message->type == PROTO_HELLO)
		err = on_hello(machine, body, why);
	else if (message->type == PROTO_CONFIGURED)
		err = on_configured(machine, why);
	else if (message->type == PROTO_SERVICE)
		err = on_service(machine, body, message->size, why);
	else
		err = on_failed(machine, body, why);
	json_decref(body);
	return err;
}

static int on_message(struct machine *machine, const struct proto_message *message,
		      struct why *why)
{
	bool greeted = machine->state != MACHINE_BOOTING;

	switch (message->type) {
	case PROTO_HELLO:
		return on_object(machine, message, why);
	case PROTO_CONFIGURED:
	case PROTO_SERVICE:
		return greeted ? on_object(machine, message, why) : -EPROTO;
	case PROTO_LINKS:
		if (greeted)
			wire_node_show_carriers(machine->env->wire, machine->index, true);
		return greeted ? 0 : -EPROTO;
	case PROTO_LOG:
		return greeted ? on_log(machine, message, why) : -EPROTO;
	case PROTO_TIME:
		return machine_time_answer(machine, message, why);
	case PROTO_FAILED:
		if (message->channel == 0)
			return on_object(machine, message, why);
		return exec_message(&machine->execs, message, why);
	case PROTO_STARTED:
	case PROTO_STDOUT:
	case PROTO_STDERR:
	case PROTO_CREDIT:
	case PROTO_EXITED:
		return exec_message(&machine->execs, message, why);
	default:
		return why_set(why, -EPROTO, "%s is not the agent's to say",
			       proto_type_name(message->type));
	}
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t size)
{
	struct machine *machine = ctx;
	struct why why = { "it broke the protocol" };
	size_t used = 0;

	while (used < size && !machine->agent_dead) {
		struct proto_message message;
		int ready = 0;
		long n = proto_reader_feed(&machine->reader, bytes + used, size - used,
					   &message, &ready, &why);

		if (n < 0 || (ready && on_message(machine, &message, &why))) {
			lose(machine, why.text);
			break;
		}
		used += (size_t)n;
	}
	return size;
}

static void on_open(void *ctx, bool open)
{
	struct machine *machine = ctx;

	if (!open)
		hang_up(machine, "it has ended");
}

static void on_writable(void *ctx)
{
	push(ctx);
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	const char *reason = why && *why ? why : "its device went away";

	if (broken)
		lose(ctx, reason);
	else
		hang_up(ctx, reason);
}

static const struct vconsole_ops ops = {
	.open = on_open,
	.bytes = on_bytes,
	.writable = on_writable,
	.dead = on_dead,
};

int machine_agent_open(struct machine *machine, const char *work_dir, struct why *why)
{
	char name[PLAN_NAME_BYTES_MAX + 8], path[PATH_MAX];
	struct vtime *vtime = machine->env->vtime;
	struct vconsole_config config = { .name = name, .path = path };

	snprintf(name, sizeof(name), "%s:agent", machine->plan->name);
	snprintf(path, sizeof(path), "%s/agent", work_dir);
	if (vtime)
		config.guest = vtime_guest(vtime, machine->index);
	else
		config.clock = machine->env->clock;
	machine->agent_end = (struct deferred){ .run = end_conversation, .ctx = machine };
	machine->agent_grace = (struct timer){ .fire = on_grace, .ctx = machine };
	machine->config_due = (struct timer){ .fire = on_config_due, .ctx = machine };
	machine->agent_dead = false;
	machine->to_agent.limit = AGENT_OUT_BYTES_MAX;
	return vconsole_create(&machine->vconsole, machine->env->loop, &config, &ops,
			       machine, why);
}

void machine_agent_close(struct machine *machine, const char *reason)
{
	machine->agent_dead = true;
	deferred_cancel(&machine->agent_end);
	timer_cancel(machine->env->clock, &machine->agent_grace);
	timer_cancel(machine->env->clock, &machine->config_due);
	machine_time_end(machine);
	vconsole_destroy(steal_ptr(&machine->vconsole));
	exec_end_all(&machine->execs, reason);
	outbuf_free(&machine->to_agent);
	proto_reader_free(&machine->reader);
	machine->reader = (struct proto_reader){ 0 };
}
