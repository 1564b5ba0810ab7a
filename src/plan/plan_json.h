/* SPDX-License-Identifier: MIT */
/* plan_json.h - a plan as JSON
 *
 * For `netlab check --expand`, the run directory and the control socket.  Keys
 * are stable; netlab-topology(5) lists them.  Quantities are in the words of the
 * topology file ("64M", "50ms"), indices have become names again.
 *
 * Errors:    NULL when memory is short.
 * Ownership: the caller's.
 * Threads:   pure.
 */
#ifndef NL_PLAN_PLAN_JSON_H
#define NL_PLAN_PLAN_JSON_H

#include <jansson.h>

#include "plan/plan.h"

json_t *plan_to_json(const struct plan *plan);
/* One of its partitions, in the words of the file. */
json_t *plan_partition_json(const struct plan *plan,
			    const struct partition *partition);

enum { PLAN_ADDR_BYTES_MAX = 64 };

/* "10.0.0.1", or "10.0.0.1/24" with the prefix.  Returns text. */
const char *plan_addr_format(const struct plan_addr *addr, bool with_prefix,
			     char text[PLAN_ADDR_BYTES_MAX]);
/* "02:00:00:00:00:01".  Returns text. */
const char *plan_mac_format(const uint8_t mac[6], char text[18]);

#endif
