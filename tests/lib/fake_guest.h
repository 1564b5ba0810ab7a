/* SPDX-License-Identifier: MIT */
/* fake_guest.h - a vhost-user front end made of paper: memory, rings, no kernel
 *
 * Connects to a device's socket, says what User-Mode Linux or QEMU would say, and
 * drives the rings as a driver would, or as no driver should.  Runs in the process
 * of the device (then `pump` turns the device's loop while we wait for it) or in
 * one of its own (no pump: it waits for descriptors).
 *
 * Memory is one or more memfd regions, mapped here side by side, so that a place in
 * it is an offset; fake_physical() and fake_virtual() give the addresses that the
 * device is told.  Each ring has, besides itself, a slot of slot_bytes for every
 * descriptor and room for indirect tables.
 *
 * Errors:    -1, or what the function says.  Asserts on what only a wrong test does.
 * Ownership: fake_guest_close() gives everything back, in every state.
 * Threads:   one.
 */
#ifndef TESTS_LIB_FAKE_GUEST_H
#define TESTS_LIB_FAKE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vhost/vhost_message.h"

enum {
	FAKE_RINGS_MAX = 8,
	FAKE_REGIONS_MAX = 4,
	FAKE_CHAIN_MAX = 64, /* parts of a chain made by the helpers */
};

enum fake_style { FAKE_UML, FAKE_QEMU };

struct fake_options {
	unsigned rings;
	uint32_t ring_size;	/* 0: 256 */
	uint32_t slot_bytes;	/* 0: 2048 */
	unsigned regions;	/* 0: 1; rings are in the first */
	uint64_t decline;	/* features not to accept though offered */
	bool indirect;		/* use indirect tables if negotiated */
	bool inband;		/* notifications in messages, if offered */
	void (*pump)(void *ctx); /* NULL: wait */
	void *pump_ctx;
};

struct fake_ring {
	uint32_t size;
	size_t desc, avail, used; /* offsets in memory */
	size_t slots, tables;
	uint16_t avail_next, used_seen, kicked_at;
	uint16_t base; /* where the device is to begin */
	uint16_t free[32768];
	unsigned free_count;
	uint16_t chain_parts[32768]; /* by head: descriptors to free */
	int kick_fd;
	int call_fd; /* the end we read */
	unsigned kicks; /* made */
	unsigned calls; /* in-band: heard, and not told by fake_signals() yet */
};

struct fake_guest {
	struct fake_options options;
	enum fake_style style;
	int fd, slave_fd;
	uint8_t *memory;
	size_t memory_bytes, region_bytes;
	int region_fds[FAKE_REGIONS_MAX];
	uint64_t offered, features, protocol_features;
	struct fake_ring ring[FAKE_RINGS_MAX];
	int messages_left; /* -1: no limit; 0: fake_send() fails */
	char calls[256];   /* in-band: all that was heard, as "config 1 0 " */
};

/* Make memory and connect.  0 or -errno. */
int fake_guest_open(struct fake_guest **out, const char *path,
		    const struct fake_options *options);
void fake_guest_close(struct fake_guest *guest);

/* Everything up to running rings, in the order of the style.  0 or -1. */
int fake_handshake(struct fake_guest *guest, enum fake_style style);
/* Its parts, for front ends that come back. */
int fake_negotiate(struct fake_guest *guest, enum fake_style style);
int fake_set_memory(struct fake_guest *guest);
int fake_start_rings(struct fake_guest *guest);
/* User-Mode Linux frees its rings: the next start is with empty ones.  QEMU asks
 * how far the device was, and goes on from there. */
int fake_stop_rings(struct fake_guest *guest);

/* Messages. */
int fake_send(struct fake_guest *guest, uint32_t request, uint32_t flags,
	      const void *payload, uint32_t size, const int *fds, unsigned fd_count);
/* 1: a reply came; 0: none, within patience; -1: the device has hung up. */
int fake_receive(struct fake_guest *guest, struct vhost_message *message);
/* Has the device hung up? */
bool fake_hung_up(struct fake_guest *guest);
/* In-band: has the device accepted that, too? */
bool fake_is_inband(const struct fake_guest *guest);
/* In-band: a call that is there; 1, or 0: none.  To be answered. */
int fake_hear_call(struct fake_guest *guest, struct vhost_message *message);
void fake_answer(struct fake_guest *guest, uint32_t request, uint64_t status);
/* Hear and answer all that are there. */
unsigned fake_answer_calls(struct fake_guest *guest);
/* A message from the slave channel; 1, or 0: none. */
int fake_slave_message(struct fake_guest *guest, struct vhost_header *header);
int fake_get_config(struct fake_guest *guest, uint32_t offset, void *to, uint32_t size);

/* Addresses of an offset. */
uint64_t fake_physical(const struct fake_guest *guest, size_t offset);
uint64_t fake_virtual(const struct fake_guest *guest, size_t offset);

/* Rings, raw. */
struct fake_desc {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};
enum { FAKE_NEXT = 1, FAKE_WRITE = 2, FAKE_INDIRECT = 4 };
void fake_desc_set(struct fake_guest *guest, unsigned ring, uint32_t index,
		   struct fake_desc desc);
void fake_avail_push(struct fake_guest *guest, unsigned ring, uint16_t head);
uint16_t *fake_avail_flags(struct fake_guest *guest, unsigned ring);
uint16_t *fake_used_event(struct fake_guest *guest, unsigned ring);
/* The descriptor's own memory. */
size_t fake_slot(const struct fake_guest *guest, unsigned ring, uint32_t index);
void fake_kick(struct fake_guest *guest, unsigned ring); /* whether wanted or not */
/* In-band: the message alone; its reply is to be received. */
void fake_kick_message(struct fake_guest *guest, unsigned ring);
/* Kick if the device wants to know of what was pushed since the last call. */
bool fake_kick_if_wanted(struct fake_guest *guest, unsigned ring);
/* Signals waiting at the call descriptor; forgets them. */
unsigned fake_signals(struct fake_guest *guest, unsigned ring);

/* Rings, as a driver.  A head, or -1: no descriptors free. */
int fake_put(struct fake_guest *guest, unsigned ring, const void *bytes, size_t size,
	     uint32_t part_bytes);
int fake_post(struct fake_guest *guest, unsigned ring, unsigned parts,
	      uint32_t part_bytes);
/* The next used chain: its head, or -1.  Copies what was written into it. */
int fake_get(struct fake_guest *guest, unsigned ring, void *to, size_t to_size,
	     uint32_t *written);

/* A network driver on rings 0 and 1.  Header and frame go in parts of part_bytes
 * (0: one).  True: it is in the ring. */
bool fake_net_send(struct fake_guest *guest, const void *frame, size_t size,
		   uint32_t part_bytes);
/* The bytes of the next received frame, 0: none.  Its buffers are free after. */
size_t fake_net_receive(struct fake_guest *guest, void *to, size_t to_size);
size_t fake_net_header_bytes(const struct fake_guest *guest);

#endif
