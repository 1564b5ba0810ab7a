/* SPDX-License-Identifier: MIT */
/* inband_rig.h - fake guests in virtual time: a calendar and what kernels say to it
 *
 * A machine is the calendar's side of a guest; its devices are ports of vnet_rig.h,
 * or made by the test with machine_guest().  machine_boot() gives it its first turn,
 * so that it runs; from then on the test says what a kernel would.  The host's clock
 * stands still until a test moves it (clock_fake_advance()).
 */
#ifndef TESTS_LIB_INBAND_RIG_H
#define TESTS_LIB_INBAND_RIG_H

#include "clock/vtime_internal.h"
#include "lib/vnet_rig.h"

enum { MACHINES = 2, PORTS = 4 };

struct machine {
	int fd;
	uint32_t seq;
	struct tt_message ack; /* the last one that came */
	bool running;
	uint64_t ran_at_ns; /* its last turn */
	unsigned runs;
};

extern struct inband {
	struct rig rig;
	struct clock *host;
	struct vtime *vtime;
	struct machine machine[MACHINES];
	unsigned broken, stuck; /* bits by machine: reported by the calendar */
	char reason[256];
	bool mute; /* calls are not answered while a guest waits for something */
	struct port *port[PORTS]; /* made by inband_port_boot() */
	unsigned port_machine[PORTS], ports;
} inband;

/* cmocka fixtures.  The guard is a second.  Time stands until vtime_want(). */
int inband_begin(void **state);
int inband_end(void **state);

struct vtime_guest *machine_guest(unsigned machine);
/* Connected, and its first turn, which it has when the others wait. */
void machine_boot(unsigned machine);
/* Its turn is over; the next one it wants at next_ns. */
void machine_wait(unsigned machine, uint64_t next_ns);
/* Say it and have the answer; its time. */
uint64_t machine_ask(unsigned machine, enum tt_op op, uint64_t time);
/* Its process is gone. */
void machine_end(unsigned machine);

/* Turns of the loop in which machines answer their calendar. */
void inband_turn(unsigned turns);
/* For fake_options: the same, and unless mute calls to all ports are answered, and
 * those to this guest, if it is not NULL. */
void inband_pump(void *fake_guest);

/* A network card of the machine, up; the machine runs.  ring_size 0: 256.  The port
 * stays where it is until the end of the test. */
void inband_port_boot(struct port *port, unsigned machine, const char *name,
		      uint32_t ring_size);
/* Calls heard at the port's guest since the last time, as in fake_guest.calls. */
const char *calls_heard(struct port *port);
/* As a kernel: ask for a turn now, and only then answer. */
void answer_as_linux(struct port *port, unsigned machine);

uint64_t virtual_now(void);

#endif
