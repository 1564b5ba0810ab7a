/* SPDX-License-Identifier: MIT */
#include "run/inputs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fdio.h"
#include "run/digest.h"

struct inputs {
	struct journal *journal;
	int fd;
	uint64_t bytes; /* in stdin.bin */
	int error;
	json_int_t commands;
	bool ended;
};

int inputs_create(struct inputs **out, struct journal *journal, int stdin_fd,
		  struct why *why)
{
	struct inputs *inputs = calloc(1, sizeof(*inputs));

	if (!inputs) {
		if (stdin_fd >= 0)
			close(stdin_fd);
		return why_set(why, -ENOMEM, "inputs: out of memory");
	}
	inputs->journal = journal;
	inputs->fd = stdin_fd;
	*out = inputs;
	return 0;
}

void inputs_destroy(struct inputs *inputs)
{
	if (!inputs)
		return;
	if (inputs->fd >= 0)
		close(inputs->fd);
	free(inputs);
}

json_int_t inputs_command(struct inputs *inputs)
{
	return inputs ? ++inputs->commands : 0;
}

void inputs_note(struct inputs *inputs, const char *verb, json_t *fields)
{
	json_t *entry;

	if (!inputs || inputs->ended) {
		json_decref(fields);
		return;
	}
	entry = json_pack("{s:s}", "do", verb);
	json_object_del(fields, "id");
	if (entry && fields)
		json_object_update_missing(entry, fields);
	json_decref(fields);
	journal_write(inputs->journal, "input", entry);
}

/* After a write that failed in the middle nobody knows where the next would lie. */
static bool keep(struct inputs *inputs, const uint8_t *bytes, size_t size)
{
	if (inputs->fd < 0)
		return false;
	inputs->error = inputs->bytes + size <= INPUTS_BYTES_MAX
				? fdio_append(inputs->fd, bytes, size)
				: -EFBIG;
	if (!inputs->error) {
		inputs->bytes += size;
		return true;
	}
	close(inputs->fd);
	inputs->fd = -1;
	return false;
}

void inputs_stdin(struct inputs *inputs, json_int_t command, const uint8_t *bytes,
		  size_t size)
{
	char hash[DIGEST_TEXT_BYTES];
	uint64_t at;
	json_t *entry;

	if (!inputs || inputs->ended)
		return;
	at = inputs->bytes;
	entry = json_pack("{s:I, s:I}", "command", command, "bytes", (json_int_t)size);
	if (size && keep(inputs, bytes, size))
		json_object_set_new(entry, "at", json_integer((json_int_t)at));
	else if (size)
		json_object_set_new(entry, "kept", json_false());
	if (size)
		json_object_set_new(
			entry, "hash",
			json_string(digest_text(hash, digest_hash(bytes, size))));
	inputs_note(inputs, "stdin", entry);
}

int inputs_error(const struct inputs *inputs)
{
	return inputs ? inputs->error : 0;
}

void inputs_end(struct inputs *inputs)
{
	if (inputs)
		inputs->ended = true;
}
