/* SPDX-License-Identifier: MIT */
/* fault_fields.h - faults as the topology file has them: words, rules, profiles
 *
 * Errors:    to diags, with the place of the value.
 * Ownership: specs are the build's; the plan takes references of its own.
 */
#ifndef NL_TOPOLOGY_FAULT_FIELDS_H
#define NL_TOPOLOGY_FAULT_FIELDS_H

#include "topology/stages.h"

/* "profiles" of the file, which faults may name. */
void build_profiles(struct build *b);

/* Apply the fault words of an object, "faults" among them, to *spec, which becomes
 * another one; true if there were any.  The whole is checked if none was wrong. */
bool build_faults(struct build *b, const struct tree *object, struct fault_spec **spec);

void build_faults_free(struct build *b);

#endif
