/* SPDX-License-Identifier: MIT */
/* apt.h - kernel sources from Debian, through apt
 *
 * Two ways: as the system's apt is set up, and through a private folder of lists for
 * newer releases of Debian.  That one is made of the system's own mirror
 * (apt_sources.h), its keyring and its settings of how to fetch (proxies and such);
 * signatures are verified, and nothing of the system's apt is changed.  No privilege
 * is needed.
 *
 * Errors:    0 or -errno; -ENOENT: none that is new enough is offered; -ENONET: the
 *            mirror could not be read, *why has apt's own words.
 * Ownership: plain values.
 * Threads:   forks: one thread.
 */
#ifndef NL_KERNEL_APT_H
#define NL_KERNEL_APT_H

#include <limits.h>
#include <stdint.h>

#include "base/why.h"
#include "kernel/steps.h"

struct apt_offer {
	char package[64]; /* "linux-source-7.3" */
	char version[96]; /* "7.3.4-1~bpo13+1" */
	uint64_t bytes;
	char config[PATH_MAX]; /* APT_CONFIG; "": the system's */
};

/* The newest one that netlab can use. */
int apt_offered(struct apt_offer *out, struct steps *steps, struct why *why);
/* Of the first newer release, backports before the release itself, that has one. */
int apt_offered_elsewhere(struct apt_offer *out, struct steps *steps, struct why *why);
/* Into that folder, as a .deb. */
int apt_fetch(const struct apt_offer *offer, const char *dir, struct steps *steps,
	      struct why *why);

#endif
