/* SPDX-License-Identifier: MIT */
#include "agentproto/proto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum where { MACHINE, CHANNEL, EITHER }; /* what the header's channel means */

struct shape {
	const char *name;
	enum where where;
	uint32_t min, max; /* of the payload */
};

enum { JSON_MIN = 2 }; /* {} */

static const struct shape shapes[PROTO_TYPES] = {
	[PROTO_HELLO] = { "HELLO", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_CONFIG] = { "CONFIG", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_CONFIGURED] = { "CONFIGURED", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	/* Of the configuration on 0, of an EXEC on its channel. */
	[PROTO_FAILED] = { "FAILED", EITHER, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_SERVICES_START] = { "SERVICES_START", MACHINE, JSON_MIN,
				   PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_SERVICE] = { "SERVICE", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_LOG] = { "LOG", EITHER, 2, 1 + PROTO_STREAM_BYTES_MAX },
	[PROTO_EXEC] = { "EXEC", CHANNEL, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_STARTED] = { "STARTED", CHANNEL, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_STDIN] = { "STDIN", CHANNEL, 0, PROTO_STREAM_BYTES_MAX },
	[PROTO_STDOUT] = { "STDOUT", CHANNEL, 1, PROTO_STREAM_BYTES_MAX },
	[PROTO_STDERR] = { "STDERR", CHANNEL, 1, PROTO_STREAM_BYTES_MAX },
	[PROTO_SIGNAL] = { "SIGNAL", CHANNEL, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_RESIZE] = { "RESIZE", CHANNEL, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_CREDIT] = { "CREDIT", CHANNEL, 4, 4 },
	[PROTO_CLOSE] = { "CLOSE", CHANNEL, 0, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_EXITED] = { "EXITED", CHANNEL, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_SHUTDOWN] = { "SHUTDOWN", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_TIME] = { "TIME", MACHINE, PROTO_TIME_ASK_BYTES, PROTO_TIME_ANSWER_BYTES },
	[PROTO_CLOCK] = { "CLOCK", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_PANIC] = { "PANIC", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
	[PROTO_LINKS] = { "LINKS", MACHINE, JSON_MIN, PROTO_PAYLOAD_BYTES_MAX },
};

const char *proto_type_name(unsigned type)
{
	return type < PROTO_TYPES && shapes[type].name ? shapes[type].name : "?";
}

uint32_t proto_get_u32(const uint8_t bytes[4])
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

void proto_put_u32(uint8_t bytes[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

uint64_t proto_get_u64(const uint8_t bytes[8])
{
	return proto_get_u32(bytes) | (uint64_t)proto_get_u32(bytes + 4) << 32;
}

void proto_put_u64(uint8_t bytes[8], uint64_t value)
{
	proto_put_u32(bytes, (uint32_t)value);
	proto_put_u32(bytes + 4, (uint32_t)(value >> 32));
}

int proto_check(unsigned type, uint32_t channel, uint32_t size, struct why *why)
{
	const struct shape *shape;

	if (type >= PROTO_TYPES || !shapes[type].name)
		return why_set(why, -EPROTO, "message of unknown type %u", type);
	shape = &shapes[type];
	if (size < shape->min || size > shape->max)
		return why_set(why, -EPROTO, "%s of %u bytes; it has %u to %u", shape->name,
			       size, shape->min, shape->max);
	if (shape->where == MACHINE && channel != 0)
		return why_set(why, -EPROTO, "%s on channel %u; it goes to the machine (0)",
			       shape->name, channel);
	if (shape->where == CHANNEL && channel == 0)
		return why_set(why, -EPROTO, "%s on channel 0, which is the machine",
			       shape->name);
	return 0;
}

void proto_header(uint8_t header[PROTO_HEADER_BYTES], enum proto_type type,
		  uint32_t channel, uint32_t size)
{
	ASSERT(proto_check(type, channel, size, NULL) == 0);
	proto_put_u32(header, size);
	header[4] = (uint8_t)type;
	header[5] = (uint8_t)(type >> 8);
	header[6] = header[7] = 0;
	proto_put_u32(header + 8, channel);
}

/* Check a header; fills type, channel and size. */
static int header_read(const uint8_t *header, struct proto_message *message,
		       struct why *why)
{
	unsigned type = header[4] | (unsigned)header[5] << 8;

	message->size = proto_get_u32(header);
	message->channel = proto_get_u32(header + 8);
	message->type = (enum proto_type)type;
	if (header[6] || header[7])
		return why_set(why, -EPROTO, "message header with %02x%02x where zeros belong",
			       header[6], header[7]);
	return proto_check(type, message->channel, message->size, why);
}

/* Room for `need` bytes, at most twice what has come: a header that promises
 * a megabyte costs memory only as the megabyte arrives. */
static int reader_grow(struct proto_reader *reader, size_t need, struct why *why)
{
	size_t room = reader->room ? reader->room : 512;
	uint8_t *buffer;

	if (need <= reader->room)
		return 0;
	while (room < need)
		room *= 2;
	buffer = realloc(reader->buffer, room);
	if (!buffer)
		return why_set(why, -ENOMEM, "out of memory for a message");
	reader->buffer = buffer;
	reader->room = room;
	return 0;
}

/* Take up to `want` bytes in all into the buffer; returns how many were taken. */
static long reader_take(struct proto_reader *reader, size_t want, const uint8_t *bytes,
			size_t size, struct why *why)
{
	size_t n = want - reader->have;
	int err;

	if (n > size)
		n = size;
	err = reader_grow(reader, reader->have + n, why);
	if (err)
		return err;
	if (n)
		memcpy(reader->buffer + reader->have, bytes, n);
	reader->have += n;
	return (long)n;
}

/* The message before was lent from the buffer: it is the next call now. */
static void reader_recycle(struct proto_reader *reader)
{
	if (!reader->whole)
		return;
	reader->whole = 0;
	reader->have = 0;
	if (reader->room > 2 * PROTO_STREAM_BYTES_MAX)
		proto_reader_free(reader);
}

long proto_reader_feed(struct proto_reader *reader, const uint8_t *bytes, size_t size,
		       struct proto_message *message, int *ready, struct why *why)
{
	size_t used = 0;
	long n;
	int err;

	*ready = 0;
	reader_recycle(reader);
	/* The usual case costs no copy: all of it is in the input. */
	if (reader->have == 0 && size >= PROTO_HEADER_BYTES) {
		err = header_read(bytes, message, why);
		if (err)
			return err;
		if (size - PROTO_HEADER_BYTES >= message->size) {
			message->payload = bytes + PROTO_HEADER_BYTES;
			*ready = 1;
			return PROTO_HEADER_BYTES + (long)message->size;
		}
	}
	if (reader->have < PROTO_HEADER_BYTES) {
		n = reader_take(reader, PROTO_HEADER_BYTES, bytes, size, why);
		if (n < 0 || reader->have < PROTO_HEADER_BYTES)
			return n;
		used = (size_t)n;
	}
	err = header_read(reader->buffer, message, why);
	if (err)
		return err;
	n = reader_take(reader, PROTO_HEADER_BYTES + (size_t)message->size, bytes + used,
			size - used, why);
	if (n < 0)
		return n;
	if (reader->have == PROTO_HEADER_BYTES + (size_t)message->size) {
		message->payload = reader->buffer + PROTO_HEADER_BYTES;
		*ready = reader->whole = 1;
	}
	return (long)used + n;
}

void proto_reader_free(struct proto_reader *reader)
{
	free(reader->buffer);
	*reader = (struct proto_reader){ 0 };
}
