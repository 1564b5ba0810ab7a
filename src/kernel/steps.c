/* SPDX-License-Identifier: MIT */
#include "kernel/steps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "kernel/run.h"

enum { KEPT_BYTES_MAX = 16 << 20 };

/* Parts of a million, as measured on two cores. */
static const uint32_t weights[STEPS] = { 10000, 40000, 70000, 50000, 800000, 30000 };

static void tell(struct steps *s)
{
	uint64_t done = 0, part = weights[s->step];

	for (int i = 0; i < (int)s->step; i++)
		done += weights[i];
	if (s->expected)
		done += part * (s->count < s->expected ? s->count : s->expected) /
			s->expected;
	if (done > s->done_ppm)
		s->done_ppm = (uint32_t)done;
	if (s->news)
		s->news(s->ctx, s->what, s->done_ppm);
}

void steps_begin(struct steps *s, enum step step, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->what, sizeof(s->what), fmt, ap);
	va_end(ap);
	s->step = step;
	steps_expect(s, MEASURE_NOTHING, 0);
	if (s->log_fd)
		dprintf(s->log_fd, "== %s\n", s->what);
	tell(s);
}

void steps_expect(struct steps *s, enum step_measure measure, uint64_t expected)
{
	s->measure = measure;
	s->expected = expected;
	s->count = 0;
}

static void got_line(void *ctx, const char *line)
{
	struct steps *s = ctx;
	unsigned long long number;
	double percent;

	if (line && s->measure == MEASURE_LINES)
		s->count++;
	else if (line && s->measure == MEASURE_OBJECTS)
		s->count += !strncmp(line, "  CC ", 5);
	else if (line && s->measure == MEASURE_DOWNLOAD &&
		 sscanf(line, "dlstatus:%llu:%lf:", &number, &percent) == 2)
		s->count = (uint64_t)(percent * (double)s->expected / 100);
	if (!line)
		tell(s);
}

int steps_run(struct steps *s, const char *dir, const char *const argv[], char **kept,
	      struct why *why)
{
	struct run run = { .argv = argv,
			   .dir = dir,
			   .log_fd = s->log_fd,
			   .cancel_fd = s->cancel_fd,
			   .errors_too = true,
			   .low_priority = true,
			   .keep_bytes = kept ? KEPT_BYTES_MAX : 0,
			   .line = got_line,
			   .ctx = s };
	int err;

	if (s->log_fd) {
		dprintf(s->log_fd, "$");
		for (size_t i = 0; argv[i]; i++)
			dprintf(s->log_fd, " %s", argv[i]);
		dprintf(s->log_fd, "\n");
	}
	err = run_program(&run, why);
	if (kept)
		*kept = run.kept;
	if (err == -ECANCELED)
		return why_set(why, err, "interrupted while %s", s->what);
	if (err == -ECHILD && WIFSIGNALED(run.status))
		return why_set(why, err, "%s failed: killed by signal %d; the log: %s",
			       s->what, WTERMSIG(run.status), s->log);
	if (err == -ECHILD)
		return why_set(why, err, "%s failed (exit status %d); the log: %s",
			       s->what, WEXITSTATUS(run.status), s->log);
	return err ? why_wrap(why, err, "%s", s->what) : 0;
}
