/* SPDX-License-Identifier: MIT */
#include "cli/reach_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agentproto/proto.h"
#include "base/check.h"
#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/host_clock.h"
#include "cli/ui.h"

enum {
	START_MS = 15000, /* a machine may be busy */
	WARM_MS = 11000,  /* init/probe.c: the most that it takes to warm up */
	END_MS = 2000,	  /* what it measured is known by then */
	VIRTUAL_MS = 3600000, /* how fast its time passes is no reason to give up */
	TEXT_BYTES_MAX = 256 << 10,
};

/* ---- addresses --------------------------------------------------------- */

/* "10.0.0.1/24": the address's bytes, and how many bits are the network's. */
static int read_address(const char *text, uint8_t bytes[16], int *prefix)
{
	char address[PROBE_ADDRESS_BYTES];
	const char *slash = strchr(text, '/');
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	snprintf(address, sizeof(address), "%.*s",
		 slash ? (int)(slash - text) : (int)strlen(text), text);
	*prefix = slash ? (int)strtol(slash + 1, NULL, 10) : 128;
	return inet_pton(family, address, bytes) == 1 ? family : -1;
}

bool reach_probe_same_subnet(const char *a, const char *b)
{
	uint8_t x[16] = { 0 }, y[16] = { 0 };
	int x_prefix, y_prefix, family = read_address(a, x, &x_prefix);

	if (family < 0 || read_address(b, y, &y_prefix) != family || x_prefix != y_prefix)
		return false;
	for (int bit = 0; bit < x_prefix; bit++)
		if ((x[bit / 8] ^ y[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static void choose_address(struct reach_probe_way *way, const json_t *from, const json_t *to)
{
	const json_t *mine, *theirs;
	const char *best = NULL;
	size_t i, k;

	json_array_foreach((json_t *)to, i, theirs)
	{
		const char *address = json_string_value(theirs);

		if (!address)
			continue;
		if (!best)
			best = address;
		json_array_foreach((json_t *)from, k, mine)
		{
			if (json_is_string(mine) &&
			    reach_probe_same_subnet(json_string_value(mine), address)) {
				best = address;
				goto found;
			}
		}
	}
found:
	if (best)
		snprintf(way->address, sizeof(way->address), "%.*s",
			 (int)strcspn(best, "/"), best);
}

static int find_machines(struct probe *probe, struct why *why)
{
	const json_t *nodes = json_object_get(probe->ps, "nodes");
	size_t count = json_array_size(nodes);

	probe->count = count;
	if (count > PROBE_MACHINES_MAX)
		return why_set(why, -E2BIG,
			       "%zu machines are too many to probe all ways between: at "
			       "most %d",
			       count, PROBE_MACHINES_MAX);
	probe->machines = calloc(count + 1, sizeof(*probe->machines));
	probe->ways = calloc(count * count + 1, sizeof(*probe->ways));
	if (!probe->machines || !probe->ways)
		return why_set(why, -ENOMEM, "probe: out of memory");
	for (size_t a = 0; a < count; a++) {
		const json_t *node = json_array_get(nodes, a);

		probe->machines[a].name =
			json_string_value(json_object_get(node, "name")) ?: "?";
		probe->machines[a].probe = probe;
		for (size_t b = 0; b < count; b++)
			if (a != b)
				choose_address(reach_probe_way(probe, a, b),
					       json_object_get(node, "addrs"),
					       json_object_get(json_array_get(nodes, b),
							       "addrs"));
	}
	return 0;
}

void reach_probe_free(struct probe *probe)
{
	for (size_t i = 0; probe->machines && i < probe->count; i++) {
		remote_close(&probe->machines[i].remote);
		free(probe->machines[i].text);
	}
	free(probe->machines);
	free(probe->ways);
	json_decref(probe->ps);
	*probe = (struct probe){ 0 };
}

/* ---- what machines say ------------------------------------------------- */

static void got_line(struct probe_machine *machine, const char *line)
{
	struct probe *probe = machine->probe;
	size_t self = (size_t)(machine - probe->machines);
	unsigned index, sent, count;
	int reason;
	struct reach_probe_way said = { 0 }, *way;

	if (sscanf(line, "ports %u %u", &machine->port[0], &machine->port[1]) == 2) {
		machine->said = PROBE_PORTS;
	} else if (!strcmp(line, "armed")) {
		machine->said = PROBE_ARMED;
	} else if (!strcmp(line, "warm")) {
		machine->said = PROBE_WARM;
	} else if (!strcmp(line, "done")) {
		machine->said = PROBE_DONE;
	} else if (!strcmp(line, "said")) {
		machine->said = PROBE_SAID;
	} else if (sscanf(line, "heard %u %u", &index, &count) == 2 &&
		   index < probe->count) {
		reach_probe_way(probe, index, self)->heard = count;
	} else if (sscanf(line, "unsent %u %u %d", &index, &count, &reason) == 3 &&
		   index < probe->count) {
		reach_probe_way(probe, self, index)->unsent = count;
		reach_probe_way(probe, self, index)->unsent_for = reason;
	} else if (sscanf(line,
			  "answered %u %u %u %" SCNu64 " %" SCNu64 " %" SCNu64
			  " %" SCNu64,
			  &index, &sent, &count, &said.min_ns, &said.p50_ns, &said.p99_ns,
			  &said.max_ns) == 7 &&
		   index < probe->count) {
		way = reach_probe_way(probe, self, index);
		way->sent = sent;
		way->answered = count;
		way->min_ns = said.min_ns;
		way->p50_ns = said.p50_ns;
		way->p99_ns = said.p99_ns;
		way->max_ns = said.max_ns;
	}
}

static void got_output(void *ctx, enum remote_stream stream, const uint8_t *bytes,
		       size_t size)
{
	struct probe_machine *machine = ctx;
	char *newline;

	if (stream == REMOTE_STDERR) {
		why_set(&machine->failed, -EIO, "%.*s",
			(int)(size && bytes[size - 1] == '\n' ? size - 1 : size),
			(const char *)bytes);
		return;
	}
	if (!machine->text)
		machine->text = ui_need(malloc(TEXT_BYTES_MAX + 1));
	if (size > TEXT_BYTES_MAX - machine->text_bytes)
		size = TEXT_BYTES_MAX - machine->text_bytes;
	memcpy(machine->text + machine->text_bytes, bytes, size);
	machine->text_bytes += size;
	machine->text[machine->text_bytes] = 0;
	while ((newline = strchr(machine->text, '\n'))) {
		size_t used = (size_t)(newline + 1 - machine->text);

		*newline = 0;
		got_line(machine, machine->text);
		machine->text_bytes -= used;
		memmove(machine->text, newline + 1, machine->text_bytes + 1);
	}
}

/* ---- running it -------------------------------------------------------- */

static bool takes_part(const struct probe_machine *machine)
{
	return !*machine->failed.text;
}

static bool has_said(const struct probe_machine *machine, enum probe_said word)
{
	return word == PROBE_ENDED ? machine->remote.ended : machine->said >= word;
}

/* Virtual time stands from each word of a machine until here: what is asked for before
 * follows at a time that does not depend on how fast we are. */
static int go_on(struct probe *probe, struct why *why)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < probe->count; i++)
		rc = remote_go_on(&probe->machines[i].remote, why);
	return rc;
}

/* Turn until each that takes part has said it, has ended, or the time is over; who has
 * not by then takes no part any more, but if it was only to end. */
static int await(struct probe *probe, enum probe_said word, uint64_t patience_ms,
		 struct why *why)
{
	uint64_t end_ns = clock_now_ns(host_clock()) +
			  (probe->virtual_time ? VIRTUAL_MS : patience_ms) * NS_PER_MS;
	bool timed_out = false;
	int rc = 0;

	for (;;) {
		size_t missing = 0;

		for (size_t i = 0; i < probe->count; i++) {
			struct probe_machine *machine = &probe->machines[i];

			if (!takes_part(machine) || has_said(machine, word) ||
			    (timed_out && word == PROBE_ENDED))
				continue;
			if (machine->remote.ended || timed_out)
				why_set(&machine->failed, -EIO, "%s",
					*machine->remote.error.text
						? machine->remote.error.text
					: timed_out ? "it did not answer in time"
						    : "the probe ended");
			else
				missing++;
		}
		if (rc || !missing)
			return rc;
		rc = go_on(probe, why);
		if (rc)
			return rc;
		rc = client_turn(probe->client, host_clock_ms_until(end_ns), NULL, why);
		timed_out = clock_now_ns(host_clock()) >= end_ns;
	}
}

static int tell(struct probe_machine *machine, const char *text, size_t bytes,
		struct why *why)
{
	/* One machine's orders are below the window that a command may be sent. */
	ASSERT(bytes <= REMOTE_WINDOW_BYTES);
	for (size_t at = 0, n; at < bytes; at += n) {
		n = bytes - at < REMOTE_CHUNK_BYTES ? bytes - at : REMOTE_CHUNK_BYTES;
		if (remote_write(&machine->remote, (const uint8_t *)text + at, n, why))
			return -EIO;
	}
	return 0;
}

static int send_orders(struct probe *probe, struct probe_machine *machine, uint64_t nonce,
		       struct why *why)
{
	size_t self = (size_t)(machine - probe->machines), bytes = 0;
	const struct probe_plan *plan = &probe->plan;
	cleanup_free char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return why_set(why, -ENOMEM, "probe: out of memory");
	fprintf(out, "self %zu\n", self);
	for (size_t to = 0; to < probe->count; to++) {
		const struct reach_probe_way *way = reach_probe_way(probe, self, to);
		const struct probe_machine *other = &probe->machines[to];
		unsigned port = other->port[strchr(way->address, ':') != NULL];

		if (*way->address && takes_part(other) && port)
			fprintf(out, "to %zu %s %u\n", to, way->address, port);
	}
	fprintf(out, "arm %u %" PRIu64 " %" PRIu64 " %u %" PRIu64 "\n", plan->datagrams,
		plan->interval_ns, plan->wait_ns, plan->bytes, nonce);
	if (fclose(out))
		return why_set(why, -ENOMEM, "probe: out of memory");
	return tell(machine, text, bytes, why);
}

static int start_all(struct probe *probe, struct why *why)
{
	int rc = 0;

	client_together(probe->client);
	for (size_t i = 0; !rc && i < probe->count; i++) {
		struct probe_machine *machine = &probe->machines[i];

		machine->remote.output = got_output;
		machine->remote.ctx = machine;
		machine->remote.lockstep = true;
		rc = remote_start(&machine->remote, probe->client, machine->name,
				  json_pack("{s:[s,s]}", "argv", PROTO_AGENT_PATH, "probe"),
				  why);
	}
	return rc ? rc : client_together_end(probe->client, why);
}

static int order_all(struct probe *probe, uint64_t nonce, struct why *why)
{
	int rc = 0;

	client_together(probe->client);
	for (size_t i = 0; !rc && i < probe->count; i++)
		if (takes_part(&probe->machines[i]))
			rc = send_orders(probe, &probe->machines[i], nonce, why);
	return rc ? rc : client_together_end(probe->client, why);
}

static int tell_all(struct probe *probe, const char *line, struct why *why)
{
	int rc = 0;

	client_together(probe->client);
	for (size_t i = 0; !rc && i < probe->count; i++)
		if (takes_part(&probe->machines[i]))
			rc = tell(&probe->machines[i], line, strlen(line), why);
	return rc ? rc : client_together_end(probe->client, why);
}

static int end_all(struct probe *probe, struct why *why)
{
	int rc = 0;

	client_together(probe->client);
	for (size_t i = 0; !rc && i < probe->count; i++)
		if (takes_part(&probe->machines[i]))
			rc = remote_end_stdin(&probe->machines[i].remote, why);
	return rc ? rc : client_together_end(probe->client, why);
}

/* All ways share the host: the more there are, the longer each round, and the last answer. */
static void stretch(struct probe *probe)
{
	struct probe_plan *plan = &probe->plan;
	uint64_t ways = probe->count * probe->count;

	if (plan->interval_ns < ways * plan->per_way_ns)
		plan->interval_ns = ways * plan->per_way_ns;
	plan->wait_ns += ways * plan->per_way_ns * 2;
}

static int run(struct probe *probe, uint64_t nonce, struct why *why)
{
	const struct probe_plan *plan = &probe->plan;
	uint64_t lasts_ms =
		(plan->datagrams * plan->interval_ns + plan->wait_ns) / NS_PER_MS;
	int rc = start_all(probe, why);

	if (!rc)
		rc = await(probe, PROBE_PORTS, START_MS, why);
	if (!rc)
		rc = order_all(probe, nonce, why);
	if (!rc)
		rc = await(probe, PROBE_ARMED, START_MS, why);
	if (!rc)
		rc = tell_all(probe, "warm\n", why);
	if (!rc)
		rc = await(probe, PROBE_WARM, WARM_MS + START_MS, why);
	if (!rc)
		rc = tell_all(probe, "go\n", why);
	if (!rc)
		rc = await(probe, PROBE_DONE, lasts_ms + START_MS, why);
	if (!rc)
		rc = tell_all(probe, "say\n", why);
	if (!rc)
		rc = await(probe, PROBE_SAID, START_MS, why);
	if (!rc)
		rc = end_all(probe, why);
	/* Left alone before, they would be hung up when the host decides. */
	return rc ? rc : await(probe, PROBE_ENDED, END_MS, why);
}

/* Another run's late datagrams are not ours; and where two labs are to do the same, the
 * number that tells them apart is the same. */
static int choose_nonce(struct probe *probe, uint64_t *nonce, struct why *why)
{
	json_t *clock = NULL;
	const char *kind;
	int rc = client_call(probe->client, "clock", NULL, CLIENT_CALL_MS, &clock, why);

	if (rc)
		return rc;
	kind = json_string_value(json_object_get(clock, "clock"));
	probe->virtual_time = kind && !strcmp(kind, "virtual");
	*nonce = probe->virtual_time
			 ? (uint64_t)json_integer_value(json_object_get(clock, "now_ns"))
			 : clock_wall_ns(host_clock(), clock_now_ns(host_clock())) >> 1;
	if (json_is_true(json_object_get(clock, "paused")))
		rc = why_set(why, -EBUSY,
			     "time stands, and a probe takes some: netlab clock resume lets "
			     "it pass again");
	json_decref(clock);
	return rc;
}

int reach_probe_lab(struct probe *probe, struct client *client, const struct probe_plan *plan,
	      struct why *why)
{
	uint64_t nonce = 0;
	int rc;

	*probe = (struct probe){ .client = client, .plan = *plan };
	rc = client_call(client, "ps", NULL, CLIENT_CALL_MS, &probe->ps, why);
	if (!rc)
		rc = find_machines(probe, why);
	if (!rc)
		rc = choose_nonce(probe, &nonce, why);
	if (!rc)
		stretch(probe);
	if (!rc)
		rc = run(probe, nonce, why);
	for (size_t i = 0; !rc && i < probe->count; i++)
		if (*probe->machines[i].failed.text)
			ui_warning("%s took no part: %s", probe->machines[i].name,
				   probe->machines[i].failed.text);
	return rc;
}
