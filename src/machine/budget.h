/* SPDX-License-Identifier: MIT */
/* budget.h - how much a machine may have the lab write down about it
 *
 * What a guest says can end up in files of the host: a guest that never stops talking would
 * fill them.  A budget is bytes that come back with lab time, as far as BUDGET_BYTES_AT_ONCE,
 * and are BUDGET_BYTES_IN_ALL in one life of the machine, however fast its time passes.
 *
 *	there is room	budget_take(): true, and the bytes are gone
 *	there is none	false: what was to be written is left out, and counted
 *
 * An honest machine reaches neither: its 64 services take some 20 KB until they have ended.
 *
 * Ownership: a plain value, all-zero at first: full.
 * Units:     bytes; lab time in nanoseconds, which never goes back.
 * Threads:   pure.
 */
#ifndef NL_MACHINE_BUDGET_H
#define NL_MACHINE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BUDGET_BYTES_AT_ONCE = 256 << 10,
	BUDGET_BYTES_PER_S = 1 << 10,
	BUDGET_BYTES_IN_ALL = 16 << 20,
};

struct budget {
	uint64_t missing;	  /* bytes that have not come back */
	uint64_t since_ns;	  /* up to when they were counted */
	uint64_t taken;		  /* in all */
	uint64_t left_out;	  /* how often there was no room */
};

bool budget_take(struct budget *budget, size_t bytes, uint64_t now_ns);

#endif
