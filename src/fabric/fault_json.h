/* SPDX-License-Identifier: MIT */
/* fault_json.h - a direction's fault as clients and the journal are told of it
 *
 * Each is an object as in docs/control-protocol.md: link, name, pair, fault, and where it
 * has them profile and ends; with `counters` also words, now and counters.
 *
 * Ownership: new references, the caller's.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_FAULT_JSON_H
#define NL_FABRIC_FAULT_JSON_H

#include <jansson.h>

#include "fabric/fabric.h"
#include "fabric/fault_target.h"
#include "switch/switch.h"

json_t *fault_at_json(const struct fabric *fabric, const struct fault_at *at,
		      bool counters);
json_t *fault_all_json(const struct fabric *fabric, bool counters); /* and every pair */
json_t *count_json(const struct sw_count *count); /* NULL: null */

#endif
