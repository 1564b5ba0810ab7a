/* SPDX-License-Identifier: MIT */
/* pcapng.h - the blocks of a pcapng section, as bytes
 *
 * Each kind of block has a function that says how long it is going to be and one
 * that writes it; so a caller can see whether it fits before a byte is written.
 * Byte order is the host's, as the format allows.
 *
 * Format: draft-ietf-opsawg-pcapng.
 *
 * Errors:    none.  Texts are cut at PCAPNG_TEXT_BYTES_MAX.
 * Ownership: everything is borrowed.
 * Threads:   pure.
 */
#ifndef NL_CAPTURE_PCAPNG_H
#define NL_CAPTURE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

enum { PCAPNG_TEXT_BYTES_MAX = 8192 };

struct pcapng_section {
	const char *comment; /* NULL: none */
	const char *program;
};

/* Ethernet, time in nanoseconds. */
struct pcapng_interface {
	const char *name;
	const char *filter; /* libpcap's language; NULL: none */
	uint32_t snap_bytes;
};

/* epb_flags: a way, how it is addressed, what was wrong with it. */
enum {
	PCAPNG_INBOUND = 1,
	PCAPNG_OUTBOUND = 2,
	PCAPNG_UNICAST = 1 << 2,
	PCAPNG_MULTICAST = 2 << 2,
	PCAPNG_BROADCAST = 3 << 2,
	PCAPNG_CRC_ERROR = 1 << 24,
};

#define PCAPNG_NO_ID UINT64_MAX
enum { PCAPNG_NO_VERDICT = -1 };

struct pcapng_packet {
	uint32_t interface;
	uint32_t flags;
	uint64_t wall_ns;
	const uint8_t *bytes;
	uint32_t captured, size; /* captured <= size */
	const char *comment;	 /* NULL: none */
	uint64_t missed;	 /* on this interface, since the packet before */
	uint64_t id;		 /* epb_packetid, or PCAPNG_NO_ID */
	int verdict; /* epb_verdict of type 0, one byte, or PCAPNG_NO_VERDICT */
};

struct pcapng_statistics {
	uint32_t interface;
	uint64_t wall_ns;
	uint64_t received, missed, accepted, delivered;
};

/* Each put function writes the block and returns what comes behind it. */
size_t pcapng_section_bytes(const struct pcapng_section *section);
uint8_t *pcapng_put_section(uint8_t *at, const struct pcapng_section *section);
size_t pcapng_interface_bytes(const struct pcapng_interface *interface);
uint8_t *pcapng_put_interface(uint8_t *at, const struct pcapng_interface *interface);
size_t pcapng_packet_bytes(const struct pcapng_packet *packet);
uint8_t *pcapng_put_packet(uint8_t *at, const struct pcapng_packet *packet);
size_t pcapng_statistics_bytes(void);
uint8_t *pcapng_put_statistics(uint8_t *at, const struct pcapng_statistics *statistics);

#endif
