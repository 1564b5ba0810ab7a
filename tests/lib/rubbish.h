/* SPDX-License-Identifier: MIT */
/* rubbish.h - a guest that misbehaves, beside two that talk to one another
 *
 * A test is a table: how to misbehave, when, and the reason that must be given.
 * rubbish_check() makes the bad guest do it and then demands that its port is dead
 * for that reason, that the guest has been hung up on, that the other two still
 * talk, and that no descriptor is left over.
 */
#ifndef TESTS_LIB_RUBBISH_H
#define TESTS_LIB_RUBBISH_H

#include "lib/vnet_rig.h"

enum { RX, TX };

enum when {
	AT_ONCE,       /* connected, and nothing said yet */
	NEGOTIATED,    /* features agreed on */
	RUNNING,       /* rings run */
	RUNNING_PLAIN, /* ... without indirect descriptors */
};

struct rubbish {
	const char *name;
	void (*make)(void);
	enum when when;
	const char *reason; /* part of it */
};

#define RUBBISH(f, when, reason)                                                         \
	{                                                                                \
		#f, f, when, reason                                                      \
	}

extern struct port bad;
extern struct fake_guest *g; /* bad.guest */

/* cmocka fixtures: the two good ports. */
int rubbish_begin(void **state);
int rubbish_end(void **state);

void rubbish_check(const struct rubbish *rubbish);
void good_ports_still_talk(void);
/* A bad port whose guest has connected. */
void bad_connect(struct fake_options options);
void turns(unsigned n);

/* Messages of the bad guest. */
void say(uint32_t request, const void *payload, uint32_t size);
void say_integer(uint32_t request, uint64_t value);
void say_state(uint32_t request, uint32_t index, uint32_t num);
/* With this many eventfds. */
void say_with_fds(uint32_t request, uint64_t value, unsigned count);
/* count: as the message says; given: that are in it. */
void say_table(uint32_t count, const struct vhost_region *regions, unsigned given,
	       const int *fds, unsigned fd_count);
struct vhost_region fine_region(void);

#endif
