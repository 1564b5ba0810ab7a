/* SPDX-License-Identifier: MIT */
#include "node/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"

struct last_words {
	int err;
	struct why why;
};
_Static_assert(sizeof(struct last_words) <= PIPE_BUF, "it comes in one piece");

int report_open(int ends[2], struct why *why)
{
	return pipe2(ends, O_CLOEXEC) ? why_errno(why, -errno, "pipe") : 0;
}

void report_fail(int end, int err, const struct why *why)
{
	struct last_words words = { .err = err, .why = *why };

	fdio_write(end, &words, sizeof(words));
	_exit(127);
}

static int take(struct last_words *words, ssize_t got, struct why *why)
{
	if (got == 0)
		return 0;
	if (got != (ssize_t)sizeof(*words) || words->err >= 0)
		return why_set(why, -EIO, "the child ended while it was being set up");
	words->why.text[WHY_BYTES_MAX - 1] = 0;
	return why_set(why, words->err, "%s", words->why.text);
}

int report_wait(int end, struct why *why)
{
	struct last_words words;
	ssize_t got = fdio_read(end, &words, sizeof(words));

	return take(&words, got, why);
}

int report_look(int end, struct why *why)
{
	struct last_words words;
	/* No longer than a pipe takes at once: all or nothing. */
	ssize_t got = read(end, &words, sizeof(words));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	return take(&words, got, why);
}
