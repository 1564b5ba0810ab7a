/* SPDX-License-Identifier: MIT */
#include "cli/streams.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/outlet.h"
#include "cli/remote.h"
#include "cli/terminal.h"
#include "cli/ui.h"

enum { KEY_BRACKET = 0x1d };

/* One key; whether it goes to the machine now. */
static bool key_passes(struct escape *e, uint8_t key, uint8_t *out, size_t *n,
		       bool *leave)
{
	if (e->kind == ESCAPE_BRACKET && key == KEY_BRACKET) {
		*leave = true;
		return false;
	}
	if (e->kind != ESCAPE_TILDE)
		return true;
	if (e->tilde) {
		e->tilde = false;
		if (key == '.') {
			*leave = true;
			return false;
		}
		if (key != '~')
			out[(*n)++] = '~';
	} else if (key == '~' && !e->line_begun) {
		e->tilde = true;
		return false;
	}
	e->line_begun = key != '\r' && key != '\n';
	return true;
}

size_t escape_filter(struct escape *e, const uint8_t *in, size_t size, uint8_t *out,
		     bool *leave)
{
	size_t i, n = 0;

	*leave = false;
	for (i = 0; i < size && !*leave; i++)
		if (key_passes(e, in[i], out, &n, leave))
			out[n++] = in[i];
	return n;
}

void screen_watch(struct screen *screen, const uint8_t *bytes, size_t size)
{
	static const char mode[] = "\033[?1049";

	for (size_t i = 0; i < size; i++) {
		if (screen->seen == sizeof(mode) - 1 && (bytes[i] == 'h' || bytes[i] == 'l'))
			screen->other = bytes[i] == 'h';
		if (screen->seen < sizeof(mode) - 1 &&
		    bytes[i] == (uint8_t)mode[screen->seen])
			screen->seen++;
		else
			screen->seen = bytes[i] == (uint8_t)mode[0];
	}
}

struct running {
	const struct session *session;
	struct remote remote;
	struct escape escape;
	bool stdin_open;
	bool interrupted; /* one Ctrl-C has been passed on */
	bool leave;
	int left_by; /* signal, or 0: by key */
	int put_error;
	struct screen screen;
	struct outlet out, err;
	int signals; /* descriptor */
};

static int take_input(struct running *run, struct why *why)
{
	uint8_t in[REMOTE_CHUNK_BYTES], out[REMOTE_CHUNK_BYTES + 1];
	size_t room = remote_room(&run->remote);
	ssize_t n;
	size_t size;
	int rc;

	if (room < 2)
		return 0;
	n = read(STDIN_FILENO, in, room - 1);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		run->stdin_open = false;
		return remote_end_stdin(&run->remote, why);
	}
	size = escape_filter(&run->escape, in, (size_t)n, out, &run->leave);
	rc = size ? remote_write(&run->remote, out, size, why) : 0;
	return rc;
}

static int take_signal(struct running *run, int number, struct why *why)
{
	unsigned rows, cols;

	switch (number) {
	case SIGWINCH:
		if (!run->session->tty)
			return 0;
		terminal_size(&rows, &cols);
		return remote_resize(&run->remote, rows, cols, why);
	case SIGINT:
	case SIGQUIT:
		if (!run->interrupted && run->remote.started) {
			run->interrupted = true;
			return remote_signal(&run->remote, number, why);
		}
		/* fall through */
	case SIGTERM:
	case SIGHUP:
		run->leave = true;
		run->left_by = number;
	}
	return 0;
}

/* Keys are read while the machine takes them; without a terminal they are data, which
 * can wait. */
static bool wants_keys(const struct running *run)
{
	return run->stdin_open && remote_room(&run->remote) > 1;
}

/* Whoever reads our output may not do so for a long time, and that must not keep
 * the user from leaving. */
static int put_or_leave(struct running *run, const struct outlet *outlet,
			const uint8_t *bytes, size_t size)
{
	while (size && !run->leave) {
		struct pollfd p[3] = {
			{ .fd = outlet->fd, .events = POLLOUT },
			{ .fd = run->signals, .events = POLLIN },
			{ .fd = run->session->tty && wants_keys(run) ? STDIN_FILENO : -1,
			  .events = POLLIN },
		};
		int rc = 0, number;
		ssize_t n = 0;

		if (poll(p, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		while (p[1].revents && !rc && (number = signals_next(run->signals)))
			rc = take_signal(run, number, NULL);
		if (!rc && p[2].revents)
			rc = take_input(run, NULL);
		if (!rc && p[0].revents && !run->leave)
			n = outlet_put(outlet, bytes, size);
		if (rc || n < 0)
			return rc ? rc : (int)n;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static void put_output(void *ctx, enum remote_stream stream, const uint8_t *bytes,
		       size_t size)
{
	struct running *run = ctx;
	int rc;

	screen_watch(&run->screen, bytes, size);
	rc = put_or_leave(run, stream == REMOTE_STDOUT ? &run->out : &run->err, bytes, size);
	if (rc && !run->put_error)
		run->put_error = rc;
}

static int one_turn(struct running *run, struct why *why)
{
	struct pollfd p[3] = {
		client_pollfd(run->session->client),
		{ .fd = run->signals, .events = POLLIN },
		{ .fd = wants_keys(run) ? STDIN_FILENO : -1, .events = POLLIN },
	};
	int rc = 0, number;

	if (poll(p, 3, -1) < 0)
		return errno == EINTR ? 0 : why_errno(why, -errno, "poll");
	while (p[1].revents && !rc && (number = signals_next(run->signals)))
		rc = take_signal(run, number, why);
	/* Keys first: while output is written they are read, too, and there may be none left. */
	if (!rc && p[2].revents)
		rc = take_input(run, why);
	if (!rc && p[0].revents)
		rc = client_serve(run->session->client, p[0].revents, why);
	if (!rc && run->put_error)
		rc = why_errno(why, run->put_error, "writing the output");
	return rc;
}

static int run_until_end(struct running *run, struct why *why)
{
	int rc = 0;

	while (!rc && !run->remote.ended && !run->leave)
		rc = one_turn(run, why);
	return rc;
}

/* On a line of its own, whatever stood there. */
static void make_room(const struct running *run)
{
	if (run->session->tty)
		terminal_reset_modes(run->screen.other);
	else if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
}

static int outcome(struct running *run, int rc, const struct why *why)
{
	const struct session *session = run->session;

	if (rc) {
		make_room(run);
		ui_error("%s: %s", session->node, why->text);
		return STATUS_FAILED;
	}
	if (run->leave && !run->remote.ended) {
		/* A terminal that takes nothing has to be left, too. */
		if (outlet_has_room(STDERR_FILENO)) {
			make_room(run);
			ui_note("netlab: left %s; what ran there is hung up",
				session->node);
		}
		return run->left_by ? 128 + run->left_by : STATUS_FAILED;
	}
	if (run->remote.error.text[0]) {
		if (run->remote.started)
			make_room(run);
		ui_error("%s: %s", session->node, run->remote.error.text);
	}
	return remote_status(&run->remote);
}

/* Nothing will ever come from it, which need not be found out on the way. */
static bool is_empty(int fd)
{
	struct stat st, null_st;

	return fstat(fd, &st) || (!stat("/dev/null", &null_st) && S_ISCHR(st.st_mode) &&
				  st.st_rdev == null_st.st_rdev);
}

int session_run(struct session *session)
{
	static const int list[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGWINCH, 0 };
	struct running run = { .session = session,
			       .stdin_open = session->with_stdin && !is_empty(STDIN_FILENO) };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct why why;
	unsigned rows, cols;
	int rc;

	run.remote.output = put_output;
	run.remote.ctx = &run;
	outlet_open(&run.out, STDOUT_FILENO);
	outlet_open(&run.err, STDERR_FILENO);
	if (session->tty) {
		terminal_size(&rows, &cols);
		json_object_set_new(session->what, "tty", json_true());
		json_object_set_new(session->what, "rows", json_integer(rows));
		json_object_set_new(session->what, "cols", json_integer(cols));
		/* With a raw terminal, dying of a signal is no way out. */
		sigaction(SIGPIPE, &ignore, NULL);
		run.escape.kind = ESCAPE_TILDE;
	}
	run.signals = signals_open(list, &why);
	rc = run.signals < 0 ? run.signals : 0;
	/* Said with the command, the end of stdin comes at the same instant. */
	if (!run.stdin_open)
		json_object_set_new(session->what, "stdin", json_false());
	if (!rc)
		rc = remote_start(&run.remote, session->client, session->node,
				  session->what, &why);
	else
		json_decref(session->what);
	if (!rc && session->tty && isatty(STDIN_FILENO))
		rc = terminal_raw(STDIN_FILENO, &why);
	if (!rc)
		rc = run_until_end(&run, &why);
	terminal_restore();
	rc = outcome(&run, rc, &why);
	remote_close(&run.remote);
	signals_close(run.signals);
	outlet_close(&run.out);
	outlet_close(&run.err);
	return rc;
}
