/* SPDX-License-Identifier: MIT */
#include "node/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"

struct last_words {
	int err;
	struct why why;
};

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

int report_wait(int end, struct why *why)
{
	struct last_words words;
	ssize_t got = fdio_read(end, &words, sizeof(words));

	if (got == 0)
		return 0;
	if (got != (ssize_t)sizeof(words) || words.err >= 0)
		return why_set(why, -EIO, "the child ended while it was being set up");
	words.why.text[WHY_BYTES_MAX - 1] = 0;
	return why_set(why, words.err, "%s", words.why.text);
}
