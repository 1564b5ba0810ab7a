/* SPDX-License-Identifier: MIT */
/* fault_profiles.h - the profiles that netlab has of itself
 *
 * What they are made of: fault_profiles.c; where the values come from:
 * docs/faults.md.  A user's own are in a topology file's "profiles".
 *
 * Errors:  none.
 */
#ifndef NL_FAULTWORDS_FAULT_PROFILES_H
#define NL_FAULTWORDS_FAULT_PROFILES_H

extern const char *const fault_profile_names[]; /* NULL at the end */

#endif
