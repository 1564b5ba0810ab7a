/* SPDX-License-Identifier: MIT */
#include "capture/pcapng_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Numbers of the format. */
enum {
	SECTION = 0x0a0d0d0a,
	INTERFACE = 1,
	STATISTICS = 5,
	PACKET = 6,
	MAGIC = 0x1a2b3c4d,
	ETHERNET = 1,

	OPTION_END = 0,
	OPTION_COMMENT = 1,
	INTERFACE_NAME = 2,
	INTERFACE_RESOLUTION = 9,
	PACKET_FLAGS = 2,
	PACKET_ID = 5,
	PACKET_VERDICT = 7,
	STATISTICS_MISSED = 5,

	NANOSECONDS = 9,
	BLOCK_BYTES = 12, /* type, length and length again */
	INTERFACE_BYTES = 8,
	PACKET_BYTES = 20,
	STATISTICS_BYTES = 12,
	INTERFACES_MAX = 65536,
};

static uint32_t get32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static uint16_t get16(const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

void pcapng_open_bytes(struct pcapng_file *out, const uint8_t *bytes, size_t size)
{
	*out = (struct pcapng_file){ .bytes = bytes, .size = size };
}

int pcapng_open(struct pcapng_file *out, const char *path, struct why *why)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		return why_errno(why, -errno, "%s", path);
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return why_set(why, -EINVAL, "%s: a capture in a file was expected",
			       path);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return why_errno(why, -errno, "%s", path);
	pcapng_open_bytes(out, bytes, (size_t)st.st_size);
	return 0;
}

static void forget_interfaces(struct pcapng_file *file)
{
	for (size_t i = 0; i < file->interface_count; i++)
		free(file->interfaces[i]);
	free(file->interfaces);
	file->interfaces = NULL;
	file->interface_count = 0;
}

void pcapng_close(struct pcapng_file *file)
{
	forget_interfaces(file);
	if (file->bytes)
		munmap((void *)(uintptr_t)file->bytes, file->size);
	*file = (struct pcapng_file){ 0 };
}

/* ---- options ----------------------------------------------------------- */

struct option {
	uint16_t code, size;
	const uint8_t *bytes;
};

/* The next option of size bytes at *at; false at their end, or where they are wrong. */
static bool next_option(const uint8_t **at, size_t *size, struct option *option)
{
	size_t padded;

	if (*size < 4)
		return false;
	option->code = get16(*at);
	option->size = get16(*at + 2);
	option->bytes = *at + 4;
	padded = ((size_t)option->size + 3) & ~(size_t)3;
	if (option->code == OPTION_END || padded > *size - 4)
		return false;
	*at += 4 + padded;
	*size -= 4 + padded;
	return true;
}

/* ---- blocks ------------------------------------------------------------ */

static int wrong(const struct pcapng_file *file, const char *what, struct why *why)
{
	return why_set(why, -EINVAL,
		       "%s, at byte %zu: this is no capture that netlab wrote", what,
		       file->at);
}

static int add_interface(struct pcapng_file *file, const uint8_t *body, size_t size,
			 struct why *why)
{
	size_t n = file->interface_count;
	const uint8_t *at = body + INTERFACE_BYTES;
	uint8_t resolution = 6;
	cleanup_free char *name = NULL;
	struct option option;
	char **names;

	if (size < INTERFACE_BYTES || get16(body) != ETHERNET || n == INTERFACES_MAX)
		return wrong(file, "an interface that is no Ethernet", why);
	size -= INTERFACE_BYTES;
	while (next_option(&at, &size, &option)) {
		if (option.code == INTERFACE_NAME && !name)
			name = strndup((const char *)option.bytes, option.size);
		if (option.code == INTERFACE_RESOLUTION && option.size)
			resolution = option.bytes[0];
	}
	if (resolution != NANOSECONDS)
		return wrong(file, "an interface whose time is not in nanoseconds", why);
	names = reallocarray(file->interfaces, n + 1, sizeof(*names));
	if (names)
		file->interfaces = names;
	if (!name)
		name = strdup("");
	if (!names || !name)
		return why_set(why, -ENOMEM, "capture: out of memory");
	file->interfaces[n] = steal_ptr(&name);
	file->interface_count++;
	return 0;
}

static void read_statistics(struct pcapng_file *file, const uint8_t *body, size_t size)
{
	const uint8_t *at = body + STATISTICS_BYTES;
	struct option option;
	uint64_t missed;

	if (size < STATISTICS_BYTES)
		return;
	size -= STATISTICS_BYTES;
	while (next_option(&at, &size, &option))
		if (option.code == STATISTICS_MISSED && option.size == sizeof(missed)) {
			memcpy(&missed, option.bytes, sizeof(missed));
			file->missed += missed;
		}
}

static void read_options(struct pcapng_file *file, struct pcapng_record *record,
			 const uint8_t *at, size_t size)
{
	struct option option;

	while (next_option(&at, &size, &option)) {
		size_t text = option.size < PCAPNG_TEXT_BYTES_MAX ? option.size
								  : PCAPNG_TEXT_BYTES_MAX;

		/* Somebody may have added comments of his own: ours is the first. */
		if (option.code == OPTION_COMMENT && !*record->comment) {
			memcpy(file->comment, option.bytes, text);
			file->comment[text] = 0;
			record->comment = file->comment;
		}
		if (option.code == PACKET_FLAGS && option.size == sizeof(uint32_t))
			record->flags = get32(option.bytes);
		if (option.code == PACKET_ID && option.size == sizeof(uint64_t))
			memcpy(&record->id, option.bytes, sizeof(record->id));
		if (option.code == PACKET_VERDICT && option.size == 2 && !option.bytes[0])
			record->verdict = option.bytes[1];
	}
}

static int read_packet(struct pcapng_file *file, struct pcapng_record *record,
		       const uint8_t *body, size_t size, struct why *why)
{
	size_t padded;

	if (size < PACKET_BYTES)
		return wrong(file, "a packet that is too short", why);
	*record = (struct pcapng_record){
		.number = ++file->count,
		.interface = get32(body),
		.wall_ns = (uint64_t)get32(body + 4) << 32 | get32(body + 8),
		.captured = get32(body + 12),
		.size = get32(body + 16),
		.bytes = body + PACKET_BYTES,
		.comment = "",
		.id = PCAPNG_NO_ID,
		.verdict = PCAPNG_NO_VERDICT,
	};
	padded = ((size_t)record->captured + 3) & ~(size_t)3;
	if (record->interface >= file->interface_count)
		return wrong(file, "a packet of an interface that is not described", why);
	if (padded > size - PACKET_BYTES || record->captured > record->size)
		return wrong(file, "a packet that is longer than its block", why);
	read_options(file, record, record->bytes + padded, size - PACKET_BYTES - padded);
	return 1;
}

int pcapng_next(struct pcapng_file *file, struct pcapng_record *record, struct why *why)
{
	while (file->size - file->at >= BLOCK_BYTES) {
		const uint8_t *block = file->bytes + file->at;
		uint32_t type = get32(block), size = get32(block + 4);
		const uint8_t *body = block + 8;
		int rc = 0;

		if (!file->at && (type != SECTION || get32(body) != MAGIC))
			return wrong(file, "no section of this machine's byte order",
				     why);
		if (size < BLOCK_BYTES || size % 4)
			return wrong(file, "a block without a size", why);
		if (size > file->size - file->at)
			break;
		if (get32(block + size - 4) != size)
			return wrong(file, "a block with two sizes", why);
		if (type == SECTION && file->at)
			forget_interfaces(file);
		if (type == INTERFACE)
			rc = add_interface(file, body, size - BLOCK_BYTES, why);
		if (type == STATISTICS)
			read_statistics(file, body, size - BLOCK_BYTES);
		if (type == PACKET)
			rc = read_packet(file, record, body, size - BLOCK_BYTES, why);
		file->ended = type == STATISTICS;
		if (rc < 0)
			return rc;
		file->at += size;
		if (rc)
			return 1;
	}
	file->cut_short = file->at < file->size;
	return 0;
}
