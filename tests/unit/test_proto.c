/* SPDX-License-Identifier: MIT */
/* The codec of the agent's protocol. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agentproto/proto.h"
#include "base/cleanup.h"

enum { STREAM_BYTES = 1 << 20 };

struct stream {
	uint8_t *bytes;
	size_t size;
};

static void add(struct stream *stream, enum proto_type type, uint32_t channel,
		const void *payload, size_t size)
{
	assert_true(stream->size + PROTO_HEADER_BYTES + size <= STREAM_BYTES);
	proto_header(stream->bytes + stream->size, type, channel, (uint32_t)size);
	memcpy(stream->bytes + stream->size + PROTO_HEADER_BYTES, payload, size);
	stream->size += PROTO_HEADER_BYTES + size;
}

/* What comes out when the stream is fed `step` bytes at a time: one line a message,
 * with a sum over its payload.  Each piece is a fresh allocation of just its size, so
 * that a sanitizer sees who reads beyond it or too late. */
static void transcript(const struct stream *stream, size_t step, char *out, size_t room)
{
	struct proto_reader reader = { 0 };
	size_t used = 0;

	out[0] = 0;
	for (size_t at = 0; at < stream->size; at += step) {
		size_t size = stream->size - at < step ? stream->size - at : step;
		uint8_t *piece = malloc(size);

		memcpy(piece, stream->bytes + at, size);
		for (size_t fed = 0; fed < size;) {
			struct proto_message m;
			unsigned sum = 0;
			int ready;
			long n = proto_reader_feed(&reader, piece + fed, size - fed, &m, &ready,
						   NULL);

			assert_true(n > 0);
			fed += (size_t)n;
			if (!ready)
				continue;
			for (uint32_t i = 0; i < m.size; i++)
				sum = sum * 31 + m.payload[i];
			used += (size_t)snprintf(out + used, room - used, "%s %u %u %08x\n",
						 proto_type_name(m.type), m.channel, m.size,
						 sum);
		}
		free(piece);
	}
	proto_reader_free(&reader);
}

static void messages_are_the_same_however_they_are_cut(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 11, 12, 13, 14, 100, 4096, 32768, STREAM_BYTES };
	struct stream stream = { .bytes = malloc(STREAM_BYTES) };
	uint8_t *payload = malloc(300000);
	char whole[4096], cut[4096];
	(void)state;

	for (size_t i = 0; i < 300000; i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
	add(&stream, PROTO_CONFIG, 0, payload, 300000);
	add(&stream, PROTO_STDIN, 5, "", 0);
	add(&stream, PROTO_STDOUT, 0xffffffff, payload, 1);
	add(&stream, PROTO_STDERR, 7, payload, PROTO_STREAM_BYTES_MAX);
	add(&stream, PROTO_LOG, 0, payload, 1 + PROTO_STREAM_BYTES_MAX);
	add(&stream, PROTO_CREDIT, 9, payload, 4);
	add(&stream, PROTO_CLOSE, 9, "", 0);
	add(&stream, PROTO_SHUTDOWN, 0, "{}", 2);
	transcript(&stream, STREAM_BYTES, whole, sizeof(whole));
	assert_non_null(strstr(whole, "CONFIG 0 300000 "));
	assert_non_null(strstr(whole, "STDIN 5 0 00000000\nSTDOUT 4294967295 1 00000000\n"));
	assert_non_null(strstr(whole, "SHUTDOWN 0 2 "));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		transcript(&stream, steps[i], cut, sizeof(cut));
		assert_string_equal(cut, whole);
	}
	free(payload);
	free(stream.bytes);
}

/* The numbers are the protocol. */
static void a_header_is_twelve_bytes_little_endian(void **state)
{
	static const uint8_t expected[PROTO_HEADER_BYTES] = {
		0x04, 0, 0, 0, 15, 0, 0, 0, 0x44, 0x33, 0x22, 0x11,
	};
	uint8_t header[PROTO_HEADER_BYTES];
	(void)state;

	proto_header(header, PROTO_CREDIT, 0x11223344, 4);
	assert_memory_equal(header, expected, sizeof(header));
	assert_int_equal(PROTO_SHUTDOWN, 18);
	assert_int_equal(PROTO_CLOCK, 19);
	assert_int_equal(PROTO_PANIC, 22);
}

static void what_a_header_can_show_to_be_wrong_is_refused(void **state)
{
	static const struct {
		unsigned type;
		uint32_t channel, size;
		uint8_t pad;
		const char *words;
	} cases[] = {
		{ 0, 0, 2, 0, "message of unknown type 0" },
		{ PROTO_TYPES, 0, 2, 0, "message of unknown type 23" },
		{ 65535, 0, 2, 0, "message of unknown type 65535" },
		{ PROTO_CONFIG, 1, 2, 0, "CONFIG on channel 1; it goes to the machine (0)" },
		{ PROTO_EXEC, 0, 2, 0, "EXEC on channel 0, which is the machine" },
		{ PROTO_STDIN, 1, PROTO_STREAM_BYTES_MAX + 1, 0,
		  "STDIN of 32769 bytes; it has 0 to 32768" },
		{ PROTO_STDOUT, 1, 0, 0, "STDOUT of 0 bytes; it has 1 to 32768" },
		{ PROTO_CREDIT, 1, 5, 0, "CREDIT of 5 bytes; it has 4 to 4" },
		{ PROTO_CONFIG, 0, 0xffffffff, 0,
		  "CONFIG of 4294967295 bytes; it has 2 to 1048576" },
		{ PROTO_SHUTDOWN, 0, 2, 1, "message header with 0001 where zeros belong" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t h[PROTO_HEADER_BYTES] = { 0 };

		proto_put_u32(h, cases[i].size);
		h[4] = (uint8_t)cases[i].type;
		h[5] = (uint8_t)(cases[i].type >> 8);
		h[7] = cases[i].pad;
		proto_put_u32(h + 8, cases[i].channel);
		/* Whole and in two pieces. */
		for (size_t cut = 5; cut <= sizeof(h); cut += 7) {
			struct proto_reader reader = { 0 };
			struct proto_message m;
			struct why why = { "" };
			int ready;
			long n = proto_reader_feed(&reader, h, cut, &m, &ready, &why);

			if (cut < sizeof(h)) {
				assert_int_equal(n, cut);
				n = proto_reader_feed(&reader, h + cut, sizeof(h) - cut, &m,
						      &ready, &why);
			}
			assert_int_equal(n, -EPROTO);
			assert_int_equal(ready, 0);
			assert_string_equal(why.text, cases[i].words);
			proto_reader_free(&reader);
		}
	}
}

static void a_promise_of_a_megabyte_costs_nothing_yet(void **state)
{
	struct proto_reader reader = { 0 };
	uint8_t header[PROTO_HEADER_BYTES + 1] = { 0 };
	struct proto_message m;
	int ready;
	(void)state;

	proto_header(header, PROTO_CONFIG, 0, PROTO_PAYLOAD_BYTES_MAX);
	assert_int_equal(proto_reader_feed(&reader, header, sizeof(header), &m, &ready, NULL),
			 sizeof(header));
	assert_true(reader.room <= 1024);
	proto_reader_free(&reader);
}

static void every_type_has_a_name(void **state)
{
	(void)state;

	for (unsigned type = 1; type < PROTO_TYPES; type++)
		assert_string_not_equal(proto_type_name(type), "?");
	assert_string_equal(proto_type_name(0), "?");
	assert_string_equal(proto_type_name(PROTO_TYPES), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_the_same_however_they_are_cut),
		cmocka_unit_test(a_header_is_twelve_bytes_little_endian),
		cmocka_unit_test(what_a_header_can_show_to_be_wrong_is_refused),
		cmocka_unit_test(a_promise_of_a_megabyte_costs_nothing_yet),
		cmocka_unit_test(every_type_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
