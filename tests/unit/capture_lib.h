/* SPDX-License-Identifier: MIT */
/* capture_lib.h - what the tests of captures share */
#ifndef NL_TESTS_CAPTURE_LIB_H
#define NL_TESTS_CAPTURE_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/loop.h"
#include "capture/capture.h"

enum { OUTPUT_BYTES_MAX = 1 << 16 };

/* A capture on its way to a descriptor. */
struct rig {
	struct loop *loop;
	struct capture *capture;
	int ended;	 /* calls */
	char ended_why[128]; /* "(none)" for NULL */
	bool destroy_in_ended;
};

void rig_create(struct rig *rig, int fd, const char *filter, uint32_t snap_bytes);
void rig_destroy(struct rig *rig);
void rig_turn_until_ended(struct rig *rig);

/* An Ethernet frame of IPv4 and UDP from port 1000 to port, of size bytes, which
 * carries number; valid until the next call. */
const uint8_t *udp_frame(uint32_t number, uint16_t port, uint32_t size);
uint32_t udp_frame_number(const uint8_t *bytes);
/* The frame comes by at 1.7e9 seconds and number nanoseconds. */
void rig_frame(struct rig *rig, uint32_t interface, bool inbound, uint32_t number,
	       uint16_t port, uint32_t size, const char *comment);

/* A new file in a folder of its own; the path is valid until it is removed. */
const char *scratch_file(int *fd);
void scratch_remove(void);

/* Run a program; its output and errors, one string; its exit status.  NULL: it is
 * not installed. */
const char *run_program(int *status, const char *const argv[]);

#endif
