/* SPDX-License-Identifier: MIT */
/* config.h - the host's side: from the plan of a node to its CONFIG message
 *
 * Everything that a machine has to know, in one JSON object (the keys are in
 * docs/agent-protocol.md).  The guest's side, which reads it, is settings.h.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: the plan and the boot are borrowed for the call; what is returned
 *            is the caller's.
 * Threads:   pure.
 */
#ifndef NL_AGENTPROTO_CONFIG_H
#define NL_AGENTPROTO_CONFIG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

/* What the lab knows and the plan does not. */
struct agent_boot {
	const char *lab;  /* the running lab's name; NULL: the plan's */
	uint64_t wall_ns; /* set the machine's clock to this (since 1970); 0: leave it */
};

/* boot may be NULL.  NULL when out of memory. */
json_t *agent_config_json(const struct plan *plan, size_t node,
			  const struct agent_boot *boot);

/* The same, as the payload of CONFIG: *text is the caller's to free, and has no
 * terminating zero to be sent.  -E2BIG: more than PROTO_PAYLOAD_BYTES_MAX; *why
 * says that the files' content must go into the lab's folder. */
int agent_config_text(const struct plan *plan, size_t node, const struct agent_boot *boot,
		      char **text, size_t *size, struct why *why);
/* Will that of each node fit?  In time that grows with the plan, not with its square. */
int agent_config_check(const struct plan *plan, struct why *why);

#endif
