/* SPDX-License-Identifier: MIT */
#include "run/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/fnv.h"

/* FNV-1a for streams, byte by byte; for frames a multiply and a fold of eight. */
#define MIX UINT64_C(0x9e3779b97f4a7c15)

struct stream {
	uint64_t hash, bytes;
};

struct digest {
	bool sealed;
	uint64_t frames, journal;
	uint64_t frame_count, entry_count, console_bytes, log_bytes;
	uint32_t node_count;
	uint32_t *first_log; /* by node; one more at the end */
	struct stream *consoles; /* by node */
	struct stream *logs;
	struct digest_watch *watches;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * MIX;

	return (uint64_t)product ^ (uint64_t)(product >> 64) ^ word;
}

static uint64_t words(uint64_t hash, const uint8_t *bytes, size_t size)
{
	uint64_t word;

	for (; size >= 8; bytes += 8, size -= 8) {
		memcpy(&word, bytes, 8);
		hash = mix(hash, word);
	}
	return hash;
}

static uint64_t last_word(uint64_t hash, const uint8_t *bytes, size_t size)
{
	uint64_t word = 0;

	if (size)
		memcpy(&word, bytes, size);
	return mix(hash, word);
}

static uint64_t whole(uint64_t hash, const uint8_t *bytes, size_t size)
{
	hash = words(mix(hash, size), bytes, size);
	return last_word(hash, bytes + (size & ~(size_t)7), size & 7);
}

uint64_t digest_hash(const uint8_t *bytes, size_t size)
{
	return whole(FNV_BASIS, bytes, size);
}

int digest_hash_file(int fd, uint64_t size, uint64_t *out)
{
	uint8_t bytes[65536];
	uint64_t hash = mix(FNV_BASIS, size);
	size_t have = 0;

	do {
		ssize_t n = fdio_read(fd, bytes, sizeof(bytes));

		if (n < 0)
			return (int)n;
		have = (size_t)n < size ? (size_t)n : (size_t)size;
		hash = words(hash, bytes, have);
		size -= have;
	} while (size && have == sizeof(bytes));
	if (size)
		return -ESTALE;
	*out = last_word(hash, bytes + (have & ~(size_t)7), have & 7);
	return 0;
}

const char *digest_text(char text[DIGEST_TEXT_BYTES], uint64_t hash)
{
	snprintf(text, DIGEST_TEXT_BYTES, "%016" PRIx64, hash);
	return text;
}

const char *digest_line(const char *line)
{
	static const char *const looking[] = { "capture\"", "capture-end\"", "clock\"",
					       "slow\"", "left-out\"", "record-lost\"" };
	const char *from = strstr(line, "\"t\":"), *event = strstr(line, "\"event\":\"");

	if (!from || !event || strncmp(line, "{\"n\":0,", 7) == 0)
		return NULL;
	event += strlen("\"event\":\"");
	for (size_t i = 0; i < sizeof(looking) / sizeof(*looking); i++)
		if (strncmp(event, looking[i], strlen(looking[i])) == 0)
			return NULL;
	return from;
}

static void stream(struct digest *digest, struct stream *stream, uint32_t node,
		   uint32_t service, const uint8_t *bytes, size_t size)
{
	struct digest_watch *watch = digest->watches;

	for (size_t i = 0; i < size; i++)
		stream->hash = fnv_on(stream->hash, bytes[i]);
	stream->bytes += size;
	for (; watch; watch = watch->next)
		if (watch->stream)
			watch->stream(watch->ctx, node, service, bytes, size);
}

int digest_create(struct digest **out, const struct plan *plan, struct why *why)
{
	struct digest *digest = calloc(1, sizeof(*digest));
	uint32_t logs = 0;

	if (!digest)
		return why_set(why, -ENOMEM, "digest: out of memory");
	digest->node_count = (uint32_t)plan->node_count;
	digest->first_log = calloc(plan->node_count + 1, sizeof(*digest->first_log));
	digest->consoles = calloc(plan->node_count + 1, sizeof(*digest->consoles));
	for (size_t n = 0; digest->first_log && n < plan->node_count; n++) {
		digest->first_log[n] = logs;
		logs += (uint32_t)plan->nodes[n].service_count;
	}
	digest->logs = calloc(logs + 1, sizeof(*digest->logs));
	if (!digest->first_log || !digest->consoles || !digest->logs) {
		digest_destroy(digest);
		return why_set(why, -ENOMEM, "digest: out of memory");
	}
	digest->first_log[plan->node_count] = logs;
	digest->frames = digest->journal = FNV_BASIS;
	for (size_t n = 0; n < plan->node_count; n++)
		digest->consoles[n].hash = FNV_BASIS;
	for (uint32_t l = 0; l < logs; l++)
		digest->logs[l].hash = FNV_BASIS;
	*out = digest;
	return 0;
}

void digest_destroy(struct digest *digest)
{
	if (!digest)
		return;
	free(digest->first_log);
	free(digest->consoles);
	free(digest->logs);
	free(digest);
}

void digest_frame(struct digest *digest, enum digest_way way, uint32_t port,
		  uint64_t now_ns, const uint8_t *bytes, size_t size)
{
	struct digest_watch *watch;
	uint64_t hash;

	if (!digest || digest->sealed)
		return;
	watch = digest->watches;
	hash = digest_hash(bytes, size);
	digest->frames = mix(digest->frames, (uint64_t)port << 8 | way);
	digest->frames = mix(digest->frames, now_ns);
	digest->frames = mix(digest->frames, hash);
	digest->frame_count++;
	for (; watch; watch = watch->next)
		if (watch->frame)
			watch->frame(watch->ctx, way, port, now_ns, size, hash);
}

void digest_entry(struct digest *digest, const char *line, size_t size)
{
	struct digest_watch *watch;

	if (!digest || digest->sealed)
		return;
	digest->journal = whole(digest->journal, (const uint8_t *)line, size);
	digest->entry_count++;
	for (watch = digest->watches; watch; watch = watch->next)
		if (watch->entry)
			watch->entry(watch->ctx, line, size);
}

void digest_console(struct digest *digest, uint32_t node, const uint8_t *bytes,
		    size_t size)
{
	if (!digest || digest->sealed)
		return;
	stream(digest, &digest->consoles[node], node, DIGEST_CONSOLE, bytes, size);
	digest->console_bytes += size;
}

void digest_log(struct digest *digest, uint32_t node, uint32_t service,
		const uint8_t *bytes, size_t size)
{
	if (!digest || digest->sealed)
		return;
	stream(digest, &digest->logs[digest->first_log[node] + service], node, service,
	       bytes, size);
	digest->log_bytes += size;
}

void digest_watch(struct digest *digest, struct digest_watch *watch)
{
	watch->next = digest->watches;
	digest->watches = watch;
}

uint64_t digest_stream_bytes(const struct digest *digest, uint32_t node, uint32_t service)
{
	return service == DIGEST_CONSOLE
		       ? digest->consoles[node].bytes
		       : digest->logs[digest->first_log[node] + service].bytes;
}

void digest_seal(struct digest *digest)
{
	if (digest)
		digest->sealed = true;
}

struct digest_value digest_value(const struct digest *digest)
{
	struct digest_value value = {
		.frames = digest->frames,
		.journal = digest->journal,
		.consoles = FNV_BASIS,
		.logs = FNV_BASIS,
		.frame_count = digest->frame_count,
		.entry_count = digest->entry_count,
		.console_bytes = digest->console_bytes,
		.log_bytes = digest->log_bytes,
		.sealed = digest->sealed,
	};

	for (uint32_t n = 0; n < digest->node_count; n++)
		value.consoles = mix(value.consoles, digest->consoles[n].hash);
	for (uint32_t l = 0; l < digest->first_log[digest->node_count]; l++)
		value.logs = mix(value.logs, digest->logs[l].hash);
	value.all =
		mix(mix(mix(mix(FNV_BASIS, value.frames), value.journal), value.consoles),
		    value.logs);
	return value;
}
