/* SPDX-License-Identifier: MIT */
#include "capture/pcapng.h"

#include <string.h>

#include "base/check.h"

/* Numbers of the format. */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,

	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_ETHERNET = 1,

	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_PROGRAM = 4,
	INTERFACE_NAME = 2,
	INTERFACE_TIME_RESOLUTION = 9,
	INTERFACE_FILTER = 11,
	PACKET_FLAGS = 2,
	PACKET_MISSED = 4,
	PACKET_ID = 5,
	PACKET_VERDICT = 7,
	STATISTICS_RECEIVED = 4,
	STATISTICS_MISSED = 5,
	STATISTICS_ACCEPTED = 6,
	STATISTICS_DELIVERED = 8,

	TIME_NANOSECONDS = 9, /* 10^-9 s */
	FILTER_IS_TEXT = 0,

	BLOCK_BYTES = 12,  /* type, length, and length again at the end */
	OPTION_BYTES = 4,  /* code and length */
	SECTION_BYTES = 16,
	INTERFACE_BYTES = 8,
	PACKET_BYTES = 20,
	STATISTICS_BYTES = 12,
};

static size_t padded(size_t bytes)
{
	return (bytes + 3) & ~(size_t)3;
}

static size_t option_bytes(size_t bytes)
{
	return OPTION_BYTES + padded(bytes);
}

static size_t text_bytes(const char *text)
{
	return strnlen(text, PCAPNG_TEXT_BYTES_MAX);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
	uint16_t v = (uint16_t)value;

	return put(at, &v, sizeof(v));
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put(at, &value, sizeof(value));
}

/* The upper half comes first, whatever the byte order. */
static uint8_t *put_time(uint8_t *at, uint64_t wall_ns)
{
	return put32(put32(at, (uint32_t)(wall_ns >> 32)), (uint32_t)wall_ns);
}

static uint8_t *put_padded(uint8_t *at, const void *bytes, size_t size)
{
	memset(put(at, bytes, size), 0, padded(size) - size);
	return at + padded(size);
}

static uint8_t *put_option(uint8_t *at, unsigned code, const void *bytes, size_t size)
{
	return put_padded(put16(put16(at, code), (unsigned)size), bytes, size);
}

static uint8_t *put_option_text(uint8_t *at, unsigned code, const char *text)
{
	return put_option(at, code, text, text_bytes(text));
}

static uint8_t *put_option64(uint8_t *at, unsigned code, uint64_t value)
{
	return put_option(at, code, &value, sizeof(value));
}

static uint8_t *begin(uint8_t *at, uint32_t type, size_t bytes)
{
	return put32(put32(at, type), (uint32_t)bytes);
}

/* Options end, then the length again; it must be what was announced. */
static uint8_t *end(uint8_t *at, const uint8_t *block, size_t bytes)
{
	at = put16(put16(at, OPTION_END), 0);
	at = put32(at, (uint32_t)bytes);
	ASSERT(at == block + bytes);
	return at;
}

size_t pcapng_section_bytes(const struct pcapng_section *section)
{
	return BLOCK_BYTES + SECTION_BYTES + option_bytes(text_bytes(section->program)) +
	       (section->comment ? option_bytes(text_bytes(section->comment)) : 0) +
	       OPTION_BYTES;
}

uint8_t *pcapng_put_section(uint8_t *at, const struct pcapng_section *section)
{
	const uint64_t length_unknown = UINT64_MAX;
	size_t bytes = pcapng_section_bytes(section);
	uint8_t *block = at;

	at = begin(at, BLOCK_SECTION, bytes);
	at = put32(at, BYTE_ORDER_MAGIC);
	at = put16(put16(at, 1), 0); /* version 1.0 */
	at = put(at, &length_unknown, sizeof(length_unknown));
	if (section->comment)
		at = put_option_text(at, OPTION_COMMENT, section->comment);
	at = put_option_text(at, SECTION_PROGRAM, section->program);
	return end(at, block, bytes);
}

/* The filter's option: what kind of filter, then its text. */
static size_t filter_bytes(const char *filter)
{
	return option_bytes(1 + text_bytes(filter));
}

static uint8_t *put_filter(uint8_t *at, const char *filter)
{
	size_t size = text_bytes(filter);

	at = put16(put16(at, INTERFACE_FILTER), (unsigned)size + 1);
	*at = FILTER_IS_TEXT;
	memcpy(at + 1, filter, size);
	memset(at + 1 + size, 0, padded(size + 1) - (size + 1));
	return at + padded(size + 1);
}

size_t pcapng_interface_bytes(const struct pcapng_interface *interface)
{
	return BLOCK_BYTES + INTERFACE_BYTES + option_bytes(text_bytes(interface->name)) +
	       option_bytes(1) + (interface->filter ? filter_bytes(interface->filter) : 0) +
	       OPTION_BYTES;
}

uint8_t *pcapng_put_interface(uint8_t *at, const struct pcapng_interface *interface)
{
	const uint8_t resolution = TIME_NANOSECONDS;
	size_t bytes = pcapng_interface_bytes(interface);
	uint8_t *block = at;

	at = begin(at, BLOCK_INTERFACE, bytes);
	at = put16(put16(at, LINKTYPE_ETHERNET), 0);
	at = put32(at, interface->snap_bytes);
	at = put_option_text(at, INTERFACE_NAME, interface->name);
	at = put_option(at, INTERFACE_TIME_RESOLUTION, &resolution, 1);
	if (interface->filter)
		at = put_filter(at, interface->filter);
	return end(at, block, bytes);
}

size_t pcapng_packet_bytes(const struct pcapng_packet *packet)
{
	return BLOCK_BYTES + PACKET_BYTES + padded(packet->captured) +
	       (packet->comment ? option_bytes(text_bytes(packet->comment)) : 0) +
	       option_bytes(sizeof(uint32_t)) +
	       (packet->missed ? option_bytes(sizeof(uint64_t)) : 0) +
	       (packet->id != PCAPNG_NO_ID ? option_bytes(sizeof(uint64_t)) : 0) +
	       (packet->verdict != PCAPNG_NO_VERDICT ? option_bytes(2) : 0) + OPTION_BYTES;
}

uint8_t *pcapng_put_packet(uint8_t *at, const struct pcapng_packet *packet)
{
	/* Of the type "hardware": whatever carried the packet. */
	const uint8_t verdict[2] = { 0, (uint8_t)packet->verdict };
	size_t bytes = pcapng_packet_bytes(packet);
	uint8_t *block = at;

	at = begin(at, BLOCK_PACKET, bytes);
	at = put32(at, packet->interface);
	at = put_time(at, packet->wall_ns);
	at = put32(put32(at, packet->captured), packet->size);
	at = put_padded(at, packet->bytes, packet->captured);
	if (packet->comment)
		at = put_option_text(at, OPTION_COMMENT, packet->comment);
	at = put_option(at, PACKET_FLAGS, &packet->flags, sizeof(packet->flags));
	if (packet->missed)
		at = put_option64(at, PACKET_MISSED, packet->missed);
	if (packet->id != PCAPNG_NO_ID)
		at = put_option64(at, PACKET_ID, packet->id);
	if (packet->verdict != PCAPNG_NO_VERDICT)
		at = put_option(at, PACKET_VERDICT, verdict, sizeof(verdict));
	return end(at, block, bytes);
}

size_t pcapng_statistics_bytes(void)
{
	return BLOCK_BYTES + STATISTICS_BYTES + 4 * option_bytes(sizeof(uint64_t)) +
	       OPTION_BYTES;
}

uint8_t *pcapng_put_statistics(uint8_t *at, const struct pcapng_statistics *statistics)
{
	size_t bytes = pcapng_statistics_bytes();
	uint8_t *block = at;

	at = begin(at, BLOCK_STATISTICS, bytes);
	at = put32(at, statistics->interface);
	at = put_time(at, statistics->wall_ns);
	at = put_option64(at, STATISTICS_RECEIVED, statistics->received);
	at = put_option64(at, STATISTICS_MISSED, statistics->missed);
	at = put_option64(at, STATISTICS_ACCEPTED, statistics->accepted);
	at = put_option64(at, STATISTICS_DELIVERED, statistics->delivered);
	return end(at, block, bytes);
}
