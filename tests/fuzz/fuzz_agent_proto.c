/* SPDX-License-Identifier: MIT */
/* What the lab may say to the agent, and the agent to the lab: the codec, and all
 * that reads a payload.  Nothing is run or configured.
 *
 * The first byte says into which pieces the rest is cut; with its top bit set, the
 * rest is a kernel's command line instead.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/exec_request.h"
#include "agentproto/params.h"
#include "agentproto/proto.h"
#include "init/settings.h"
#include "base/check.h"

/* What the messages were, as a number: the same for every way of cutting. */
struct sum {
	uint64_t messages, hash;
	long err;
};

static void read_payload(const struct proto_message *m)
{
	struct environ_list env = { 0 };
	struct exec_request request;
	struct settings settings;
	uint16_t rows, cols;
	struct why why;
	int number;

	if (m->type == PROTO_CONFIG && !settings_parse(m->payload, m->size, &settings, &why))
		settings_free(&settings);
	else if (m->type == PROTO_EXEC &&
		 !exec_request_parse(m->payload, m->size, &env, &request, &why))
		exec_request_free(&request);
	else if (m->type == PROTO_SIGNAL)
		exec_signal_parse(m->payload, m->size, &number, &why);
	else if (m->type == PROTO_RESIZE)
		exec_resize_parse(m->payload, m->size, &rows, &cols, &why);
}

static void add(struct sum *sum, const struct proto_message *m)
{
	uint64_t hash = sum->hash ^ m->type ^ (uint64_t)m->channel << 16;

	ASSERT(proto_check(m->type, m->channel, m->size, NULL) == 0);
	for (uint32_t i = 0; i < m->size; i++)
		hash = (hash ^ m->payload[i]) * 0x100000001b3;
	sum->hash = hash;
	sum->messages++;
}

/* Pieces are copies of just their size: reading beyond one is seen. */
static struct sum feed(const uint8_t *bytes, size_t size, size_t step, int parse)
{
	struct proto_reader reader = { 0 };
	struct sum sum = { 0 };

	for (size_t at = 0; at < size && !sum.err; at += step) {
		size_t n = size - at < step ? size - at : step;
		uint8_t *piece = malloc(n);

		memcpy(piece, bytes + at, n);
		for (size_t fed = 0; fed < n && !sum.err;) {
			struct proto_message m;
			int ready;
			long used = proto_reader_feed(&reader, piece + fed, n - fed, &m, &ready,
						      NULL);

			ASSERT(used != 0 && used <= (long)(n - fed));
			if (used < 0)
				sum.err = used;
			else
				fed += (size_t)used;
			if (used > 0 && ready) {
				add(&sum, &m);
				if (parse)
					read_payload(&m);
			}
		}
		free(piece);
	}
	proto_reader_free(&reader);
	return sum;
}

static void command_line(const uint8_t *bytes, size_t size)
{
	char *line = malloc(size + 1), *words = malloc(4 * PARAMS_PATH_BYTES_MAX * 3);
	struct params params, again;
	struct why why;

	memcpy(line, bytes, size);
	line[size] = 0;
	if (params_parse(line, &params, &why) == 0 &&
	    params_format(&params, words, 4 * PARAMS_PATH_BYTES_MAX * 3, &why) == 0) {
		/* What was understood can be said and is understood the same. */
		ASSERT(params_parse(words, &again, &why) == 0);
		ASSERT(!strcmp(again.modules, params.modules) && !strcmp(again.lab, params.lab));
		ASSERT(again.image_kind == params.image_kind);
	}
	free(line);
	free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole, cut;

	if (size < 2)
		return 0;
	if (data[0] & 0x80) {
		command_line(data + 1, size - 1);
		return 0;
	}
	whole = feed(data + 1, size - 1, size - 1, 1);
	cut = feed(data + 1, size - 1, data[0] ? data[0] : 1, 0);
	ASSERT(whole.messages == cut.messages && whole.hash == cut.hash);
	ASSERT(whole.err == cut.err);
	return 0;
}
