/* SPDX-License-Identifier: MIT */
/* Build netlab's own kernel, and show how far it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/host_clock.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/ui.h"
#include "kernel/build.h"
#include "kernel/choice.h"

enum { TAIL_LINES = 20, LOG_BYTES_MAX = 64 << 20, JOBS_MAX = 1024 };

static void news(void *ctx, const char *what, uint32_t done_ppm)
{
	progress_part(ctx, what, done_ppm);
}

/* The last lines of the log, set off from our own words. */
static void print_tail(const char *path)
{
	cleanup_free char *text = NULL;
	size_t size;

	if (*path && !fdio_read_file(AT_FDCWD, path, LOG_BYTES_MAX, &text, &size, NULL))
		ui_tail(text, TAIL_LINES);
}

static int options_of(const struct command_call *call, struct build_options *options,
		      struct why *why)
{
	const char *jobs = call_option(call, "jobs");
	uint64_t count;

	options->source = call_option(call, "source");
	options->again = call_option(call, "again") != NULL;
	if (!jobs)
		return 0;
	if (units_parse_count(jobs, &count, why))
		return why_wrap(why, -EINVAL, "--jobs");
	if (!count || count > JOBS_MAX)
		return why_set(why, -EINVAL, "--jobs %s: from 1 to %d", jobs, JOBS_MAX);
	options->jobs = (unsigned)count;
	return 0;
}

static void say_done(const struct command_call *call, const struct stored *kernel, bool was_there,
		     const struct progress *progress)
{
	struct choice choice;
	char path[PATH_MAX], time[32];
	bool used = false;

	if (!store_kernel_path(path, kernel, NULL) && !choice_make(&choice, NULL, NULL))
		used = !strcmp(path, choice.path);
	if (call->json) {
		json_t *out = json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", kernel->name,
					"path", path, "release", kernel->release,
					"was_there", was_there, "used", used);

		ui_json(out);
		json_decref(out);
		return;
	}
	if (was_there)
		printf("%s is already there", kernel->name);
	else
		printf("%s%s%s is built, in %s", ui_paint(stdout, PAINT_GREEN),
		       kernel->name, ui_paint(stdout, PAINT_OFF),
		       ui_duration(time, sizeof(time), progress_elapsed_ns(progress)));
	printf(": Linux %s of %s\n  %s\n", kernel->release, kernel->source, path);
	if (used)
		printf("Labs use it from now on.\n");
	else
		printf("It is not the one that labs use: netlab kernel ls\n");
}

static int say_failed(int err, const struct why *why, const char *log, int number)
{
	if (err == -ECANCELED) {
		ui_error("%s; `netlab kernel build` goes on from here", why->text);
		return 128 + (number ? number : SIGINT);
	}
	if (err == -ECHILD)
		print_tail(log);
	ui_error("%s", why->text);
	return STATUS_FAILED;
}

int cmd_kernel_build(struct command_call *call)
{
	static const int list[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0 };
	struct build_options options = { 0 };
	struct progress progress;
	struct steps steps = { .news = news, .ctx = &progress };
	struct stored kernel;
	bool was_there;
	struct why why = { "" };
	int signals, err, status = STATUS_DONE;

	if (options_of(call, &options, &why)) {
		ui_error("%s", why.text);
		return STATUS_USAGE;
	}
	signals = signals_open(list, &why);
	if (signals < 0) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	steps.cancel_fd = signals;
	progress_start(&progress, stderr, host_clock());
	err = build_kernel(&kernel, &was_there, &options, &steps, &why);
	progress_end(&progress);
	if (err)
		status = say_failed(err, &why, steps.log, signals_next(signals));
	else
		say_done(call, &kernel, was_there, &progress);
	signals_close(signals);
	return status;
}
