/* SPDX-License-Identifier: MIT */
#include "run/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/fdio.h"
#include "base/json_memory.h"

struct line {
	char *text;
	size_t size;
};

struct journal {
	const struct clock *clock;
	int fd;
	uint64_t first, next;
	size_t tail_bytes;
	int error; /* 0, or why the file ends before the run does */
	void (*grown)(void *ctx);
	void *grown_ctx;
	struct line tail[JOURNAL_TAIL_ENTRIES]; /* entry n is at n % size */
};

int journal_create(struct journal **out, const struct clock *clock, int fd,
		   struct why *why)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return why_set(why, -ENOMEM, "journal: out of memory");
	journal->clock = clock;
	journal->fd = fd;
	*out = journal;
	return 0;
}

static struct line *at(struct journal *journal, uint64_t n)
{
	return &journal->tail[n % JOURNAL_TAIL_ENTRIES];
}

static void forget_first(struct journal *journal)
{
	struct line *line = at(journal, journal->first++);

	journal->tail_bytes -= line->size;
	free(line->text);
	*line = (struct line){ 0 };
}

void journal_destroy(struct journal *journal)
{
	if (!journal)
		return;
	while (journal->first < journal->next)
		forget_first(journal);
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal);
}

/* RFC 3339 in UTC, to the nanosecond. */
static void wall_text(char *text, size_t room, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;
	size_t n = strftime(text, room, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));

	snprintf(text + n, room - n, ".%09uZ", (unsigned)(wall_ns % NS_PER_S));
}

static char *format(struct journal *journal, const char *event, json_t *fields)
{
	uint64_t now_ns = clock_now_ns(journal->clock);
	char wall[48];
	json_t *entry;
	char *text = NULL;

	wall_text(wall, sizeof(wall), clock_wall_ns(journal->clock, now_ns));
	entry = json_pack("{s:I, s:I, s:s, s:s}", "n", (json_int_t)journal->next, "t",
			  (json_int_t)now_ns, "wall", wall, "event", event);
	if (entry && (!fields || json_object_update_missing(entry, fields) == 0))
		text = json_dumps(entry, JSON_COMPACT);
	if (text && strlen(text) > JOURNAL_LINE_BYTES_MAX && fields) {
		free(text);
		json_decref(entry);
		return format(journal, event, NULL);
	}
	json_decref(entry);
	return text;
}

/* The first of what went wrong is the one that explains the others. */
static void lose(struct journal *journal, int err)
{
	if (!journal->error)
		journal->error = err;
}

/* text NULL: what would be there could not be made. */
static void keep(struct journal *journal, char *text, size_t size)
{
	while (journal->first < journal->next &&
	       (journal->next - journal->first == JOURNAL_TAIL_ENTRIES ||
		journal->tail_bytes + size > JOURNAL_TAIL_BYTES_MAX))
		forget_first(journal);
	*at(journal, journal->next++) = (struct line){ .text = text, .size = size };
	journal->tail_bytes += size;
}

void journal_write(struct journal *journal, const char *event, json_t *fields)
{
	char *text = format(journal, event, fields);
	size_t size;

	json_decref(fields);
	if (json_memory_was_short() || !text) {
		free(text);
		lose(journal, -ENOMEM);
		/* By its number it is seen to be missing. */
		keep(journal, NULL, 0);
		return;
	}
	size = strlen(text);
	if (journal->fd >= 0) {
		int err;

		/* One write a line: whoever follows the file sees whole lines. */
		text[size] = '\n';
		err = fdio_append(journal->fd, text, size + 1);
		text[size] = 0;
		/* Lines after a hole would be taken for the next ones. */
		if (err) {
			lose(journal, err);
			close(journal->fd);
			journal->fd = -1;
		}
	}
	keep(journal, text, size);
	if (journal->grown)
		journal->grown(journal->grown_ctx);
}

uint64_t journal_first(const struct journal *journal)
{
	return journal->first;
}

uint64_t journal_next(const struct journal *journal)
{
	return journal->next;
}

const char *journal_line(const struct journal *journal, uint64_t n, size_t *size)
{
	const struct line *line = &journal->tail[n % JOURNAL_TAIL_ENTRIES];

	ASSERT(n >= journal->first && n < journal->next);
	if (size)
		*size = line->size;
	return line->text;
}

int journal_error(const struct journal *journal)
{
	return journal->error;
}

void journal_listen(struct journal *journal, void (*grown)(void *ctx), void *ctx)
{
	journal->grown = grown;
	journal->grown_ctx = ctx;
}
