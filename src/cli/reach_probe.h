/* SPDX-License-Identifier: MIT */
/* reach_probe.h - have the machines find out who hears whom
 *
 * Runs the agent's probe (init/probe.h) in each machine that takes part, all at once:
 * each sends numbered datagrams to those it is to probe, counts what it hears and times
 * the answers.  Needs nothing of a machine's image but /proc.
 *
 * Errors:    0, or -errno with *why.  A machine that does not run, or does not answer
 *            in time, takes no part: `failed` says why, and the user is warned.
 * Ownership: the caller's; reach_probe_free() frees what is below, also after an error.
 * Threads:   one.
 */
#ifndef NL_CLI_REACH_PROBE_H
#define NL_CLI_REACH_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "cli/remote.h"

struct client;

enum { PROBE_MACHINES_MAX = 256, PROBE_ADDRESS_BYTES = 64 };

/* From one machine to another, or nothing if there is no address to send to. */
struct reach_probe_way {
	char address[PROBE_ADDRESS_BYTES];	 /* "": not probed */
	uint32_t sent, heard, answered;		 /* datagrams; heard at the far end */
	uint32_t unsent;			 /* the machine itself could not send */
	int unsent_for;				 /* errno of the last of them */
	uint64_t min_ns, p50_ns, p99_ns, max_ns; /* round trips, of those answered */
};

struct probe_machine {
	const char *name;
	struct why failed; /* "" if it took part */

	struct remote remote; /* the rest is probe.c's */
	unsigned port[2];
	enum probe_said {
		PROBE_NOTHING,
		PROBE_PORTS,
		PROBE_ARMED,
		PROBE_WARM,
		PROBE_DONE,
		PROBE_SAID,
		PROBE_ENDED
	} said;
	char *text;
	size_t text_bytes;
	struct probe *probe;
};

struct probe {
	struct client *client;
	bool virtual_time;
	json_t *ps; /* has the names */
	struct probe_machine *machines;
	struct reach_probe_way *ways; /* [from * count + to] */
	size_t count;

	struct probe_plan {
		uint32_t datagrams, bytes; /* to each */
		uint64_t interval_ns, wait_ns;
		uint64_t per_way_ns; /* and at least so much of an interval to each */
	} plan;
};

/* All machines of the lab.  Each way's address is one in a subnet that both are in, else
 * the first. */
int reach_probe_lab(struct probe *probe, struct client *client, const struct probe_plan *plan,
	      struct why *why);
void reach_probe_free(struct probe *probe);

static inline struct reach_probe_way *reach_probe_way(const struct probe *probe, size_t from,
					  size_t to)
{
	return &probe->ways[from * probe->count + to];
}

/* ---- pure, for tests ---- */

/* Is "10.0.0.1/24" in one subnet with "10.0.0.7/24"? */
bool reach_probe_same_subnet(const char *a, const char *b);

#endif
