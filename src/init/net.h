/* SPDX-License-Identifier: MIT */
/* net.h - interfaces, addresses and routes as the settings say, and silence
 *
 * Interfaces are found by their hardware address and renamed, in two steps so
 * that names can be exchanged: in which order the kernel found them says nothing.
 *
 * Silence: an idle machine sends no frame.  No router solicitation, no duplicate
 * address detection, no link-local addresses; IPv6 is off on a machine that has
 * no IPv6 address.  (One that has some reports its multicast groups once, when
 * its interfaces come up; the kernel cannot be kept from that.)
 *
 * Errors:    0 or -errno; *why names the interface, address or route.
 * Ownership: settings are borrowed for the call.
 * Threads:   any.
 */
#ifndef NL_INIT_NET_H
#define NL_INIT_NET_H

#include "init/settings.h"

/* All of it, in this order: silence, names, MTU, sysctls, addresses, up, routes.  A
 * sysctl of a module that is not there yet loads it. */
int net_apply(const struct settings *settings, struct why *why);

/* Wait until carriers are there of which the kernel has only not told yet.  tell: the
 * lab that it may show them now; called if there is none on some interface. */
int net_await_carriers(const struct settings *settings, void (*tell)(void *ctx), void *ctx,
		       struct why *why);

/* The settings that keep an interface ("default", "all" or a name) silent. */
int net_quiet(const char *interface, bool ipv6, struct why *why);

#endif
