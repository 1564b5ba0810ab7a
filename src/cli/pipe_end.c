/* SPDX-License-Identifier: MIT */
#include "cli/pipe_end.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdio.h"
#include "cli/client.h"
#include "cli/site.h"
#include "cli/terminal.h"

enum { READ_BYTES = 64 << 10 };

static void keep_words(struct pipe_end *e, const uint8_t *bytes, size_t size)
{
	size_t room = sizeof(e->words) - 1 - e->words_have;

	if (size > room)
		size = room;
	memcpy(e->words + e->words_have, bytes, size);
	e->words_have += size;
	e->words[e->words_have] = 0;
}

static void keep_output(struct pipe_end *e, const uint8_t *bytes, size_t size)
{
	if (e->out_from == e->out_to)
		e->out_from = e->out_to = 0;
	if (e->out_to + size > PIPE_END_OUT_BYTES) {
		memmove(e->out, e->out + e->out_from, e->out_to - e->out_from);
		e->out_to -= e->out_from;
		e->out_from = 0;
	}
	/* A lab that sends more than its window breaks the protocol; what does not
	 * fit would be a hole in a file, so the command is lost. */
	if (e->out_to + size > PIPE_END_OUT_BYTES) {
		why_set(&e->remote.error, -EPROTO,
			"more output than the protocol allows");
		return;
	}
	memcpy(e->out + e->out_to, bytes, size);
	e->out_to += size;
}

static void remote_output(void *ctx, enum remote_stream stream, const uint8_t *bytes,
			  size_t size)
{
	if (stream == REMOTE_STDERR)
		keep_words(ctx, bytes, size);
	else
		keep_output(ctx, bytes, size);
}

static _Noreturn void run_here(const int in[2], const int out[2], const int err[2],
			       const struct pipe_job *job)
{
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	dup2(err[1], STDERR_FILENO);
	/* The connections are not ours. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	signals_unblock();
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	_exit(job->here(job->argv));
}

static int start_here(struct pipe_end *e, const struct pipe_job *job, struct why *why)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) ||
	    (e->pid = fork()) < 0) {
		int rc = -errno;

		for (int i = 0; i < 2; i++) {
			close(in[i]);
			close(out[i]);
			close(err[i]);
		}
		return why_errno(why, rc, "start a process");
	}
	if (!e->pid)
		run_here(in, out, err, job);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	e->in_fd = in[1];
	e->out_fd = out[0];
	e->err_fd = err[0];
	fdio_nonblock(e->in_fd, true);
	fdio_nonblock(e->out_fd, true);
	fdio_nonblock(e->err_fd, true);
	return 0;
}

int pipe_end_start(struct pipe_end *e, struct site *place, const struct pipe_job *job,
		   struct why *why)
{
	json_t *list;

	memset(e, 0, sizeof(*e));
	e->in_fd = e->out_fd = e->err_fd = -1;
	e->want_output = true;
	e->out = malloc(PIPE_END_OUT_BYTES);
	if (!e->out)
		return why_errno(why, -ENOMEM, "copying");
	if (!place->client)
		return start_here(e, job, why);
	list = json_array();
	for (const char *const *word = job->argv; *word; word++)
		if (json_array_append_new(list, json_string(*word))) {
			json_decref(list);
			return why_set(why, -EINVAL, "%s is not UTF-8 text", *word);
		}
	e->remote.output = remote_output;
	e->remote.ctx = e;
	return remote_start(&e->remote, place->client, place->node,
			    json_pack("{s:o}", "argv", list), why);
}

void pipe_end_poll(struct pipe_end *e, struct pollfd fds[PIPE_END_FDS])
{
	bool room = e->want_output &&
		    PIPE_END_OUT_BYTES - (e->out_to - e->out_from) >= READ_BYTES * 2;
	int i;

	for (i = 0; i < PIPE_END_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (e->remote.client) {
		fds[0] = client_pollfd(e->remote.client);
		/* What was received but not wanted would have to be kept. */
		if (!room && !e->remote.ended)
			fds[0].events &= ~POLLIN;
		if (e->remote.ended)
			fds[0].fd = -1;
		return;
	}
	if (room)
		fds[0] = (struct pollfd){ .fd = e->out_fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = e->err_fd, .events = POLLIN };
}

/* One read of a child's stream. */
static void read_here(struct pipe_end *e, int *fd, bool is_output)
{
	uint8_t bytes[READ_BYTES];
	ssize_t n = read(*fd, bytes, sizeof(bytes));

	if (n > 0 && is_output)
		keep_output(e, bytes, (size_t)n);
	else if (n > 0)
		keep_words(e, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(*fd);
		*fd = -1;
	}
}

static int serve_here(struct pipe_end *e, const struct pollfd *fds, struct why *why)
{
	int status;

	if (fds[0].revents)
		read_here(e, &e->out_fd, true);
	if (fds[1].revents)
		read_here(e, &e->err_fd, false);
	if (e->ended || e->out_fd >= 0 || e->err_fd >= 0)
		return 0;
	if (waitpid(e->pid, &status, 0) < 0)
		return why_errno(why, -errno, "waiting for a process");
	e->ended = true;
	e->pid = 0;
	e->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

int pipe_end_serve(struct pipe_end *e, const struct pollfd fds[PIPE_END_FDS],
		   struct why *why)
{
	int rc;

	if (!e->remote.client)
		return serve_here(e, fds, why);
	rc = fds[0].revents ? client_serve(e->remote.client, fds[0].revents, why) : 0;
	if (rc)
		return rc;
	if (e->remote.error.text[0])
		return why_set(why, -EREMOTEIO, "%s", e->remote.error.text);
	if (e->remote.ended) {
		e->ended = true;
		e->status = remote_status(&e->remote);
	}
	return 0;
}

bool pipe_end_writable(const struct pipe_end *e)
{
	return e->remote.client ? remote_room(&e->remote) > 0 : e->in_fd >= 0;
}

long pipe_end_write(struct pipe_end *e, const uint8_t *bytes, size_t size, bool *broken,
		    struct why *why)
{
	size_t room;
	ssize_t n;

	*broken = e->ended || (e->remote.client && e->remote.ended);
	if (*broken)
		return 0;
	if (e->remote.client) {
		room = remote_room(&e->remote);
		if (size > room)
			size = room;
		if (!size)
			return 0;
		n = remote_write(&e->remote, bytes, size, why);
		return n < 0 ? n : (long)size;
	}
	n = write(e->in_fd, bytes, size);
	if (n < 0 && errno == EPIPE)
		*broken = true;
	if (n < 0)
		return errno == EPIPE || errno == EAGAIN || errno == EINTR
			       ? 0
			       : why_errno(why, -errno, "copying");
	return n;
}

int pipe_end_close_stdin(struct pipe_end *e, struct why *why)
{
	if (e->remote.client)
		return e->remote.started ? remote_end_stdin(&e->remote, why) : 0;
	if (e->in_fd >= 0)
		close(e->in_fd);
	e->in_fd = -1;
	return 0;
}

void pipe_end_free(struct pipe_end *e)
{
	if (e->in_fd >= 0)
		close(e->in_fd);
	if (e->out_fd >= 0)
		close(e->out_fd);
	if (e->err_fd >= 0)
		close(e->err_fd);
	if (e->pid > 0) {
		/* Without its streams it ends by itself, and cleans up first. */
		kill(e->pid, SIGTERM);
		waitpid(e->pid, NULL, 0);
	}
	remote_close(&e->remote);
	free(e->out);
}
