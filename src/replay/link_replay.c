/* SPDX-License-Identifier: MIT */
#include "replay/link_replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/units.h"
#include "faultwords/fault_words.h"
#include "plan/plan.h"
#include "replay/recorded_cuts.h"

#define POOL_BYTES_MAX (UINT64_C(1) << 30)

struct setting {
	const char *
		direction; /* the name that keys its draws; the switch's or the entry's */
	const json_t *fault;
	uint64_t since_ns;
};

struct link_replay {
	const struct history *history;
	struct sw *sw;
	void (*tap)(void *ctx, const struct sw_tap_event *event);
	void *ctx;
	const json_t *nodes, *links, *networks; /* of the plan */
	char **ports;
	uint32_t port_count;
	uint64_t *numbers; /* by port: the next one */
	struct setting *settings;
	size_t setting_count;
	struct recorded_cuts cuts;
	size_t next_change;
	uint64_t now_ns;
};

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	(void)ctx;
	(void)port;
	(void)frame;
	return 0;
}

static void on_tap(void *ctx, const struct sw_tap_event *event)
{
	struct link_replay *replay = ctx;

	replay->tap(replay->ctx, event);
}

/* ---- finding things by name -------------------------------------------- */

static int find_named(const json_t *array, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)array, i,
			   one) if (!strcmp(text(one, "name"), name)) return (int)i;
	return -1;
}

uint32_t link_replay_port_count(const struct link_replay *replay)
{
	return replay->port_count;
}

const char *link_replay_port_name(const struct link_replay *replay, uint32_t port)
{
	return replay->ports[port];
}

int link_replay_find_port(const struct link_replay *replay, const char *name)
{
	for (uint32_t i = 0; i < replay->port_count; i++)
		if (!strcmp(replay->ports[i], name))
			return (int)i;
	return -1;
}

int link_replay_ports_of(const struct link_replay *replay, const char *link, bool *wanted,
		    struct why *why)
{
	bool any = !strcmp(link, "all");
	const json_t *one;
	size_t i;

	for (uint32_t p = 0; p < replay->port_count; p++)
		wanted[p] = any;
	json_array_foreach((json_t *)replay->links, i, one)
	{
		int a = link_replay_find_port(replay, text(one, "a"));
		int b = link_replay_find_port(replay, text(one, "b"));

		if (strcmp(text(one, "name"), link) && strcmp(text(one, "network"), link))
			continue;
		any = true;
		if (a >= 0)
			wanted[a] = true;
		if (b >= 0)
			wanted[b] = true;
	}
	return any ? 0
		   : why_set(why, -ENOENT,
			     "no link or network of this run is named %.100s", link);
}

static struct setting *find_setting(const struct link_replay *replay, const char *direction)
{
	for (size_t i = 0; i < replay->setting_count; i++)
		if (!strcmp(replay->settings[i].direction, direction))
			return &replay->settings[i];
	return NULL;
}

const json_t *link_replay_fault(const struct link_replay *replay, const char *direction)
{
	const struct setting *setting = find_setting(replay, direction);

	return setting ? setting->fault : NULL;
}

uint64_t link_replay_fault_since_ns(const struct link_replay *replay, const char *direction)
{
	const struct setting *setting = find_setting(replay, direction);

	return setting ? setting->since_ns : 0;
}

/* ---- building ---------------------------------------------------------- */

static int broken(const char *what, struct why *why)
{
	return why_set(why, -EINVAL, "plan.json: %s", what);
}

static int add_ports(struct link_replay *replay, struct why *why)
{
	const json_t *node, *interface;
	size_t n, i;
	int err = 0;

	json_array_foreach((json_t *)replay->nodes, n, node)
		json_array_foreach(json_object_get(node, "interfaces"), i, interface)
	{
		char **grown = reallocarray(replay->ports, replay->port_count + 1,
					    sizeof(*grown));
		char *name;
		uint32_t port;

		if (!grown)
			return -ENOMEM;
		replay->ports = grown;
		if (asprintf(&name, "%s:%s", text(node, "name"),
			     text(interface, "name")) < 0)
			return -ENOMEM;
		grown[replay->port_count++] = name;
		err = sw_add_port(replay->sw, name, (uint32_t)n, &port, why);
		if (err)
			return err;
	}
	replay->numbers = calloc(replay->port_count + 1, sizeof(*replay->numbers));
	return replay->numbers ? 0 : -ENOMEM;
}

/* Profiles are written out there, files with their path from the root on. */
static int read_fault(struct fault_spec **spec, const json_t *words, struct why *why)
{
	const struct fault_context nothing = { 0 };

	*spec = NULL;
	return fault_words_from_json(spec, &nothing, words, why);
}

static int set_fault(struct link_replay *replay, uint32_t link, int dir, const json_t *words,
		     uint64_t now_ns, struct why *why)
{
	struct fault_spec *spec = NULL;
	int err = json_is_object(words) ? read_fault(&spec, words, why)
					: broken("a link without faults", why);

	if (!err)
		err = sw_fault_set(replay->sw, link, dir, spec, now_ns, why);
	fault_spec_free(spec);
	return err;
}

static int add_setting(struct link_replay *replay, const char *direction, const json_t *fault,
		       uint64_t since_ns)
{
	struct setting *setting = find_setting(replay, direction);

	if (!setting) {
		setting = reallocarray(replay->settings, replay->setting_count + 1,
				       sizeof(*setting));
		if (!setting)
			return -ENOMEM;
		replay->settings = setting;
		setting += replay->setting_count++;
	}
	*setting = (struct setting){ direction, fault, since_ns };
	return 0;
}

static int add_link(struct link_replay *replay, const json_t *one, struct why *why)
{
	static const char *const ways[] = { [DIR_AB] = "a->b", [DIR_BA] = "b->a" };
	int a = link_replay_find_port(replay, text(one, "a"));
	int b = link_replay_find_port(replay, text(one, "b"));
	int network = find_named(replay->networks, text(one, "network"));
	uint32_t link;
	int err;

	if (a < 0 || (b < 0 && network < 0))
		return broken("a link without ends", why);
	if (b >= 0)
		err = sw_link_ports(replay->sw, text(one, "name"), (uint32_t)a,
				    (uint32_t)b, &link, why);
	else
		err = sw_link_segment(replay->sw, text(one, "name"), (uint32_t)a,
				      (uint32_t)network, &link, why);
	for (int dir = 0; !err && dir < DIRS; dir++) {
		const json_t *words =
			json_object_get(json_object_get(one, "faults"), ways[dir]);

		err = set_fault(replay, link, dir, words, 0, why);
		if (!err)
			err = add_setting(replay,
					  sw_link_direction_name(replay->sw, link, dir),
					  words, 0);
	}
	return err;
}

static int build(struct link_replay *replay, struct why *why)
{
	static const struct sw_sink sink = { .deliver = deliver, .tap = on_tap };
	struct sw_config config = {
		.seed = replay->history->seed,
		.node_count = (uint32_t)json_array_size(replay->nodes),
		.pool_bytes_max = POOL_BYTES_MAX,
		.sink = &sink,
		.ctx = replay,
	};
	const json_t *one;
	size_t i;
	int err = sw_create(&replay->sw, &config, why);

	replay->cuts = (struct recorded_cuts){ .sw = replay->sw, .nodes = replay->nodes };
	if (!err)
		sw_set_floor(replay->sw, replay->history->floor_ns);
	if (!err)
		err = add_ports(replay, why);
	json_array_foreach((json_t *)replay->networks, i, one)
	{
		uint64_t ageing_ns;
		uint32_t segment;

		if (err)
			return err;
		err = units_parse_ns(text(one, "ageing"), &ageing_ns, why);
		if (!err)
			err = sw_add_segment(replay->sw, text(one, "name"), ageing_ns,
					     &segment, why);
	}
	json_array_foreach((json_t *)replay->links, i, one)
	{
		if (err)
			return err;
		err = add_link(replay, one, why);
	}
	return err;
}

int link_replay_create(struct link_replay **out, const struct history *history,
		  void (*tap)(void *ctx, const struct sw_tap_event *event), void *ctx,
		  struct why *why)
{
	struct link_replay *replay = calloc(1, sizeof(*replay));
	int err;

	if (!replay)
		return why_set(why, -ENOMEM, "replay: out of memory");
	*replay = (struct link_replay){
		.history = history,
		.tap = tap,
		.ctx = ctx,
		.nodes = json_object_get(history->plan, "nodes"),
		.links = json_object_get(history->plan, "links"),
		.networks = json_object_get(history->plan, "networks"),
	};
	why_set(why, 0, "%s", "");
	err = build(replay, why);
	if (err == -ENOMEM)
		why_set(why, err, "replay: out of memory");
	if (err) {
		link_replay_free(replay);
		return err;
	}
	*out = replay;
	return 0;
}

void link_replay_free(struct link_replay *replay)
{
	if (!replay)
		return;
	sw_destroy(replay->sw);
	for (uint32_t i = 0; i < replay->port_count; i++)
		free(replay->ports[i]);
	free(replay->ports);
	free(replay->numbers);
	free(replay->settings);
	free(replay);
}

void link_replay_tap(struct link_replay *replay, uint32_t port, bool on)
{
	sw_port_tap(replay->sw, port, on);
}

/* ---- changes ----------------------------------------------------------- */

/* "lan n1:eth0->n2:eth0": no link, so a pair of members. */
static int find_pair(const struct link_replay *replay, const char *name, uint32_t *network,
		     uint32_t *from, uint32_t *to)
{
	const char *space = strchr(name, ' ');

	for (uint32_t a = 0; space && a < replay->port_count; a++) {
		size_t bytes = strlen(replay->ports[a]);
		const char *arrow = space + 1 + bytes;
		int b;

		if (strncmp(space + 1, replay->ports[a], bytes) ||
		    strncmp(arrow, "->", 2))
			continue;
		b = link_replay_find_port(replay, arrow + 2);
		for (uint32_t s = 0; b >= 0 && s < json_array_size(replay->networks);
		     s++) {
			const char *one =
				text(json_array_get(replay->networks, s), "name");

			if (strlen(one) != (size_t)(space - name) ||
			    strncmp(one, name, strlen(one)))
				continue;
			*network = s;
			*from = a;
			*to = (uint32_t)b;
			return 0;
		}
	}
	return -ENOENT;
}

static int change_pair(struct link_replay *replay, const char *name, const json_t *words,
		       uint64_t now_ns, struct why *why)
{
	uint32_t network, from, to;
	struct fault_spec *spec;
	int err;

	if (find_pair(replay, name, &network, &from, &to))
		return why_set(why, -EINVAL,
			       "journal: no direction of the plan is named %.100s", name);
	err = read_fault(&spec, words, why);
	if (!err)
		err = sw_pair_set(replay->sw, network, from, to, spec, now_ns, why);
	fault_spec_free(spec);
	return err;
}

static int change_fault(struct link_replay *replay, const struct change *change,
			struct why *why)
{
	const char *name = text(change->entry, "draws");
	const json_t *words = json_object_get(change->entry, "fault");
	int err = add_setting(replay, name, words, change->at_ns);

	if (!*name)
		return why_set(why, -EINVAL,
			       "journal: a fault without \"draws\": it was "
			       "written by an older netlab");
	if (err)
		return why_set(why, err, "replay: out of memory");
	for (uint32_t link = 0; link < json_array_size(replay->links); link++)
		for (int dir = 0; dir < DIRS; dir++)
			if (!strcmp(sw_link_direction_name(replay->sw, link, dir), name))
				return set_fault(replay, link, dir, words, change->at_ns,
						 why);
	return change_pair(replay, name, words, change->at_ns, why);
}

const char *link_replay_cut_name(void *ctx, uint32_t from_node, uint32_t to_node)
{
	const struct link_replay *replay = ctx;

	return recorded_cuts_name(&replay->cuts, from_node, to_node);
}

/* What waits arrives, each frame when the switch's clock says its due time. */
static void advance_to(struct link_replay *replay, uint64_t now_ns)
{
	uint64_t due_ns;

	while ((due_ns = sw_next_due_ns(replay->sw)) <= now_ns && due_ns != UINT64_MAX)
		sw_advance(replay->sw, due_ns > sw_now_ns(replay->sw)
					       ? due_ns
					       : sw_now_ns(replay->sw));
}

static int apply(struct link_replay *replay, const struct change *change, struct why *why)
{
	int port;

	advance_to(replay, change->at_ns);
	sw_advance(replay->sw, change->at_ns);
	switch (change->kind) {
	case CHANGE_FAULT:
		return change_fault(replay, change, why);
	case CHANGE_CUT:
		return recorded_cuts_begin(&replay->cuts, change->entry, why);
	case CHANGE_HEAL:
		recorded_cuts_heal(&replay->cuts, change->entry);
		break;
	case CHANGE_PORT:
		port = link_replay_find_port(replay, text(change->entry, "port"));
		if (port >= 0)
			sw_port_up(replay->sw, (uint32_t)port,
				   !strcmp(text(change->entry, "state"), "up"));
		break;
	}
	return 0;
}

static int apply_until(struct link_replay *replay, uint64_t now_ns, struct why *why)
{
	const struct history *history = replay->history;
	int err = 0;

	while (!err && replay->next_change < history->change_count) {
		struct change change = history->changes[replay->next_change];

		if (change.at_ns > now_ns)
			break;
		/* The switch's time is that of its last call: never behind it. */
		if (change.at_ns < replay->now_ns)
			change.at_ns = replay->now_ns;
		replay->now_ns = change.at_ns;
		replay->next_change++;
		err = apply(replay, &change, why);
	}
	return err;
}

/* ---- frames ------------------------------------------------------------ */

int link_replay_frame(struct link_replay *replay, uint32_t port, uint64_t number,
		 struct frame frame, uint64_t now_ns, struct why *why)
{
	int err = apply_until(replay, now_ns, why);

	if (err)
		return err;
	if (now_ns < replay->now_ns || number < replay->numbers[port])
		return why_set(why, -EINVAL, "%s: frame %llu comes after a later one",
			       replay->ports[port], (unsigned long long)number);
	replay->now_ns = now_ns;
	advance_to(replay, now_ns);
	sw_skip_to(replay->sw, port, number);
	replay->numbers[port] = number + 1;
	sw_port_frame(replay->sw, port, frame, now_ns);
	return 0;
}

int link_replay_end(struct link_replay *replay, struct why *why)
{
	int err = apply_until(replay, UINT64_MAX, why);

	if (!err)
		advance_to(replay, UINT64_MAX);
	return err;
}
