/* SPDX-License-Identifier: MIT */
#include "base/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/fnv.h"

static const char magic[4] = { 'N', 'L', 'R', '1' };

enum { VERSION_AT = 4, KIND_AT = 8, SIZE_AT = 16, SUM_AT = 24, ROOM_MIN = 4096 };

void record_save(struct record *record)
{
	*record = (struct record){ 0 };
}

void record_load(struct record *record, const uint8_t *bytes, size_t size)
{
	*record = (struct record){ .loading = true, .in = bytes, .size = size };
}

void record_free(struct record *record)
{
	free(record->bytes);
	*record = (struct record){ 0 };
}

/* ---- errors ------------------------------------------------------------ */

void record_part(struct record *record, const char *part, uint64_t index)
{
	record->part = part;
	record->index = index;
}

int record_refuse(struct record *record, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (record->err)
		return record->err;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	record->err = -EBADMSG;
	if (!record->part)
		return why_set(record->why, -EBADMSG, "record of %s, byte %zu: %s",
			       record->kind, record->at, text);
	return why_set(record->why, -EBADMSG,
		       "record of %s, byte %zu, %s %" PRIu64 ": %s", record->kind,
		       record->at, record->part, record->index, text);
}

int record_no_memory(struct record *record)
{
	if (!record->err)
		record->err = why_set(record->why, -ENOMEM, "record of %s: out of memory",
				      record->kind);
	return record->err;
}

/* ---- whole records ----------------------------------------------------- */

static void put_number(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_number(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

static uint64_t sum_on(uint64_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum = fnv_on(sum, bytes[i]);
	return sum;
}

uint64_t record_sum(const uint8_t *header, const uint8_t *values, size_t size)
{
	return sum_on(sum_on(FNV_BASIS, header, SUM_AT), values, size);
}

/* Room for so many bytes more. */
static uint8_t *grow(struct record *record, size_t bytes)
{
	uint8_t *at;

	if (record->size + bytes > record->room) {
		size_t room = record->room ? 2 * record->room : ROOM_MIN;
		uint8_t *grown;

		while (room < record->size + bytes)
			room *= 2;
		grown = realloc(record->bytes, room);
		if (!grown) {
			record_no_memory(record);
			return NULL;
		}
		record->bytes = grown;
		record->room = room;
	}
	at = record->bytes + record->size;
	record->size += bytes;
	record->at = record->size;
	return at;
}

/* What is there, before anything of it is believed. */
static void check_header(struct record *record, const uint8_t *header, uint32_t version)
{
	const uint8_t *values = header + RECORD_HEADER_BYTES;
	uint64_t size = get_number(header + SIZE_AT, 8);
	size_t left = record->size - record->begin - RECORD_HEADER_BYTES;
	char kind[RECORD_KIND_BYTES + 1] = { 0 };

	memcpy(kind, header + KIND_AT, RECORD_KIND_BYTES);
	if (memcmp(header, magic, sizeof(magic)) != 0)
		record_refuse(record, "this is no record of netlab's");
	else if (strcmp(kind, record->kind) != 0)
		record_refuse(record, "it is the record of something else");
	else if (get_number(header + VERSION_AT, 4) != version)
		record_refuse(record,
			      "it has version %" PRIu64
			      ", and this netlab reads %" PRIu32,
			      get_number(header + VERSION_AT, 4), version);
	else if (size > left)
		record_refuse(record,
			      "it is cut short: %zu bytes of %" PRIu64 " are there", left,
			      size);
	else if (get_number(header + SUM_AT, 8) !=
		 record_sum(header, values, (size_t)size))
		record_refuse(record, "it is damaged: the checksum is another");
	if (record->err)
		return;
	record->at += RECORD_HEADER_BYTES;
	record->end = record->at + (size_t)size;
}

void record_begin(struct record *record, const char *kind, uint32_t version,
		  struct why *why)
{
	uint8_t *header;

	ASSERT(strlen(kind) <= RECORD_KIND_BYTES);
	snprintf(record->kind, sizeof(record->kind), "%s", kind);
	record->why = why;
	record->part = NULL;
	if (record->err)
		return;
	if (record->loading) {
		record->begin = record->end = record->at;
		if (record->size - record->at < RECORD_HEADER_BYTES) {
			record_refuse(record, "it is cut short: there is no header");
			return;
		}
		check_header(record, record->in + record->begin, version);
		return;
	}
	record->begin = record->size;
	header = grow(record, RECORD_HEADER_BYTES);
	if (!header)
		return;
	memset(header, 0, RECORD_HEADER_BYTES);
	memcpy(header, magic, sizeof(magic));
	put_number(header + VERSION_AT, version, 4);
	/* A field of its own size, no text.  NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	memcpy(header + KIND_AT, kind, strlen(kind));
}

int record_end(struct record *record)
{
	uint8_t *header;
	size_t size;

	record->part = NULL;
	if (record->err)
		return record->err;
	if (record->loading)
		return record->at == record->end
			       ? 0
			       : record_refuse(record, "%zu bytes are left over",
					       record->end - record->at);
	header = record->bytes + record->begin;
	size = record->size - record->begin - RECORD_HEADER_BYTES;
	put_number(header + SIZE_AT, size, 8);
	put_number(header + SUM_AT,
		   record_sum(header, header + RECORD_HEADER_BYTES, size), 8);
	return 0;
}

/* ---- values ------------------------------------------------------------ */

/* The next bytes of what is loaded; NULL: they are not there. */
static const uint8_t *take(struct record *record, size_t bytes)
{
	const uint8_t *at = record->in + record->at;

	if (record->err)
		return NULL;
	if (bytes > record->end - record->at) {
		record_refuse(record, "the values end where %zu bytes more should be",
			      bytes);
		return NULL;
	}
	record->at += bytes;
	return at;
}

static uint64_t number(struct record *record, uint64_t value, unsigned bytes)
{
	if (record->loading) {
		const uint8_t *from = take(record, bytes);

		return from ? get_number(from, bytes) : 0;
	}
	if (!record->err) {
		uint8_t *to = grow(record, bytes);

		if (to)
			put_number(to, value, bytes);
	}
	return value;
}

void record_u8(struct record *record, uint8_t *value)
{
	*value = (uint8_t)number(record, *value, 1);
}

void record_u16(struct record *record, uint16_t *value)
{
	*value = (uint16_t)number(record, *value, 2);
}

void record_u32(struct record *record, uint32_t *value)
{
	*value = (uint32_t)number(record, *value, 4);
}

void record_u64(struct record *record, uint64_t *value)
{
	*value = number(record, *value, 8);
}

void record_i32(struct record *record, int32_t *value)
{
	*value = (int32_t)(uint32_t)number(record, (uint32_t)*value, 4);
}

void record_i64(struct record *record, int64_t *value)
{
	*value = (int64_t)number(record, (uint64_t)*value, 8);
}

void record_bool(struct record *record, bool *value)
{
	/* What is loaded over may be anything. */
	uint64_t byte = number(record, !record->loading && *value, 1);

	if (byte > 1)
		record_refuse(record, "%" PRIu64 " is neither 0 nor 1", byte);
	*value = byte == 1;
}

void record_below(struct record *record, uint32_t *value, uint32_t below,
		  const char *what)
{
	record_u32(record, value);
	if (!record->err && *value >= below) {
		record_refuse(record, "%s %" PRIu32 " of %" PRIu32, what, *value, below);
		*value = 0;
	}
}

void record_same(struct record *record, uint64_t value, const char *what)
{
	uint64_t there = value;

	record_u64(record, &there);
	if (!record->err && there != value)
		record_refuse(record, "%s is %" PRIu64 " there, and %" PRIu64 " here",
			      what, there, value);
}

void record_count(struct record *record, uint64_t *count, size_t item_bytes)
{
	record_u64(record, count);
	if (!record->loading || record->err)
		return;
	if (*count > (record->end - record->at) / item_bytes) {
		record_refuse(record, "%" PRIu64 " items are more than there can be",
			      *count);
		*count = 0;
	}
}

void record_bytes(struct record *record, void *bytes, size_t size)
{
	if (record->loading) {
		const uint8_t *from = take(record, size);

		if (from && size)
			memcpy(bytes, from, size);
		else
			memset(bytes, 0, size);
	} else if (!record->err && size) {
		uint8_t *to = grow(record, size);

		if (to)
			memcpy(to, bytes, size);
	}
}

/* Its length, and the same again if it may be so long. */
static uint32_t text_bytes(struct record *record, const char *text, size_t bytes_max)
{
	uint32_t bytes = record->loading ? 0 : (uint32_t)strlen(text);

	record_u32(record, &bytes);
	if (!record->err && bytes > bytes_max)
		record_refuse(record, "a text of %" PRIu32 " bytes, at most %zu may be",
			      bytes, bytes_max);
	return record->err ? 0 : bytes;
}

static void check_text(struct record *record, const char *text, uint32_t bytes)
{
	if (record->loading && !record->err && memchr(text, 0, bytes))
		record_refuse(record, "a text with a zero in it");
}

void record_text(struct record *record, char *text, size_t room)
{
	uint32_t bytes = text_bytes(record, text, room - 1);

	record_bytes(record, text, bytes);
	if (!record->loading)
		return;
	memset(text + bytes, 0, room - bytes);
	check_text(record, text, bytes);
}

void record_string(struct record *record, char **text, size_t bytes_max)
{
	uint32_t bytes = text_bytes(record, *text, bytes_max);

	if (!record->loading) {
		record_bytes(record, *text, bytes);
		return;
	}
	*text = NULL;
	if (record->err)
		return;
	*text = calloc(1, (size_t)bytes + 1);
	if (!*text) {
		record_no_memory(record);
		return;
	}
	record_bytes(record, *text, bytes);
	check_text(record, *text, bytes);
	if (record->err) {
		free(*text);
		*text = NULL;
	}
}
