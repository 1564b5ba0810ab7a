/* SPDX-License-Identifier: MIT */
/* wire.h - the smallest lab: two machines and one link */
#ifndef NL_TESTS_WIRE_H
#define NL_TESTS_WIRE_H

#include "sim/sim.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

#define POOL (UINT64_C(64) << 20)

struct wire {
	struct sim *sim;
	uint32_t a, b, link;
};

static inline struct wire wire_create(uint64_t seed)
{
	struct wire w = { .sim = sim_create(seed, 2, POOL) };

	w.a = sim_port(w.sim, "n1:eth0", 0);
	w.b = sim_port(w.sim, "n2:eth0", 1);
	w.link = sim_link(w.sim, "backup", w.a, w.b);
	return w;
}

#endif
