/* SPDX-License-Identifier: MIT */
/* The lab writes pcapng into a pipe of ours; we copy it to where it shall go.  So a
 * full disk or a slow reader is our trouble and never the lab's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ns.h"
#include "base/units.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/gate.h"
#include "cli/host_clock.h"
#include "cli/streams.h"
#include "cli/terminal.h"
#include "cli/ui.h"

enum { COPY_BYTES = 64 << 10, AGAIN_MS = 100, END_NS = 2000000000 };

struct job {
	struct client *client;
	const char *path; /* "-": stdout */
	long id;
	int pipe; /* its reading end; -1 once it has ended */
	int file; /* -1: not open yet */
	bool twice; /* a frame may be in it where it is sent and where it arrives */
	bool begun, answered, closing, reader_gone;
	bool overwrite;
	bool leave;	/* told so twice: what is on its way stays there */
	bool told_wait; /* that a pipe has no reader yet */
	bool slow;	/* the file is a pipe or so: a write may have to wait */
	uint64_t due_ns;     /* 0: no end */
	uint64_t give_up_ns; /* once closing */
	struct gate gate;
	uint64_t bytes;
	size_t interfaces;
	uint8_t out[COPY_BYTES + GATE_HEADER_BYTES]; /* what has to be written yet */
	size_t out_sent, out_have;
	json_t *answer;
	int error; /* of the file */
	struct why why; /* of error */
};

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct job *job = ctx;

	if (last) {
		job->answered = true;
		job->answer = json_incref((json_t *)line);
		return;
	}
	if (job->begun)
		return;
	job->begun = true;
	job->interfaces = json_array_size(json_object_get(line, "interfaces"));
}

static void fail(struct job *job, int err)
{
	job->error = err;
	why_errno(&job->why, err, "%s", job->path);
}

/* A file of ours alone, and empty; a pipe once it has a reader: until then job->file
 * stays -1. */
static void open_file(struct job *job)
{
	int fd = open(job->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		fd = open(job->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == ENXIO) {
		if (!job->told_wait)
			ui_note("%s is a pipe that nobody reads yet; waiting. Ctrl-C ends "
				"it.",
				job->path);
		job->told_wait = true;
		return;
	}
	if (fd < 0 || fstat(fd, &st)) {
		fail(job, -errno);
	} else if (!S_ISREG(st.st_mode)) {
		job->slow = true;
	} else if (flock(fd, LOCK_EX | LOCK_NB)) {
		job->error = why_set(&job->why, -EBUSY,
				     "%s: another capture is being written there",
				     job->path);
	} else if (st.st_size && !job->overwrite) {
		job->error = why_set(&job->why, -EEXIST,
				     "%s is there already; --overwrite replaces it",
				     job->path);
	} else if (ftruncate(fd, 0)) {
		fail(job, -errno);
	}
	if (job->error && fd >= 0)
		close(fd);
	else
		job->file = fd;
	if (job->file >= 0 && isatty(STDERR_FILENO))
		ui_note("Capturing on %zu interface%s%s. Ctrl-C ends it.", job->interfaces,
			UI_PLURAL(job->interfaces),
			job->twice && job->interfaces > 1
				? ": each frame where it is sent and where it arrives (once: "
				  "--delivered, or NODE:IF)"
				: "");
}

static int finish(struct job *job, struct why *why)
{
	long id;

	if (job->closing || job->answered)
		return 0;
	job->closing = true;
	job->give_up_ns = clock_now_ns(host_clock()) + END_NS;
	id = client_request(job->client, "close",
			    json_pack("{s:I}", "to", (json_int_t)job->id), NULL, NULL,
			    why);
	return id < 0 ? (int)id : 0;
}

/* Wireshark was closed: that is how such a capture ends. */
static int reader_gone(struct job *job, struct why *why)
{
	job->reader_gone = true;
	job->out_sent = job->out_have = 0;
	if (job->pipe >= 0)
		close(job->pipe);
	job->pipe = -1;
	return finish(job, why);
}

/* Write what waits, without waiting ourselves: so that Ctrl-C is heard. */
static int write_some(struct job *job, struct why *why)
{
	size_t size = job->out_have - job->out_sent;
	ssize_t n;

	/* A pipe that is writable takes so much, also where writes wait. */
	if (job->slow && size > PIPE_BUF)
		size = PIPE_BUF;
	n = write(job->file, job->out + job->out_sent, size);
	if (n < 0 && errno == EPIPE)
		return reader_gone(job, why);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(job, -errno);
	if (n <= 0)
		return 0;
	job->out_sent += (size_t)n;
	job->bytes += (size_t)n;
	job->give_up_ns = clock_now_ns(host_clock()) + END_NS;
	return 0;
}

static int copy_some(struct job *job, struct why *why)
{
	uint8_t in[COPY_BYTES];
	ssize_t n = read(job->pipe, in, sizeof(in));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		close(job->pipe);
		job->pipe = -1;
		return 0;
	}
	job->out_sent = 0;
	job->out_have = gate_pass(&job->gate, in, (size_t)n, job->out);
	return gate_full(&job->gate) ? finish(job, why) : 0;
}

/* -1: until something comes. */
static int wait_ms(const struct job *job)
{
	int ms = -1;

	/* A slow reader has as much time as he wants; a silent lab has not. */
	if (job->closing && job->out_sent == job->out_have)
		ms = host_clock_ms_until(job->give_up_ns);
	else if (!job->closing && job->due_ns)
		ms = host_clock_ms_until(job->due_ns);
	if (job->begun && job->file < 0 && (ms < 0 || ms > AGAIN_MS))
		ms = AGAIN_MS;
	return ms;
}

static int on_signal(struct job *job, struct why *why)
{
	job->leave = job->closing;
	return finish(job, why);
}

static int on_silence(struct job *job, struct why *why)
{
	uint64_t now_ns = clock_now_ns(host_clock());

	if (job->closing && now_ns >= job->give_up_ns)
		job->leave = true; /* the lab keeps the pipe open; what is here is here */
	if (job->due_ns && now_ns >= job->due_ns)
		return finish(job, why);
	return 0;
}

/* Until the lab has answered and the pipe is empty. */
static int copy_all(struct job *job, int signals, struct why *why)
{
	int rc = 0, n;

	while (!rc && !job->error && !job->leave &&
	       (!job->answered || job->pipe >= 0 || job->out_sent < job->out_have)) {
		bool waits = job->out_sent < job->out_have;
		struct pollfd p[4] = {
			client_pollfd(job->client),
			{ .fd = signals, .events = POLLIN },
			{ .events = POLLIN },
			{ .fd = waits ? job->file : -1, .events = POLLOUT },
		};

		if (job->begun && job->file < 0)
			open_file(job);
		if (job->error || ((job->answered || job->closing) && job->file < 0))
			break; /* refused, or nobody came to read */
		p[2].fd = job->file >= 0 && !waits ? job->pipe : -1;
		if (job->answered)
			p[0].fd = -1;
		n = poll(p, 4, wait_ms(job));
		if (n == 0)
			rc = on_silence(job, why);
		while (n > 0 && p[1].revents && signals_next(signals) && !rc)
			rc = on_signal(job, why);
		if (n > 0 && !rc && p[0].revents)
			rc = client_serve(job->client, p[0].revents, why);
		if (n > 0 && !rc && p[2].revents)
			rc = copy_some(job, why);
		if (n > 0 && !rc && p[3].revents)
			rc = write_some(job, why);
	}
	return rc;
}

static int ask(struct command_call *call, struct job *job, struct why *why)
{
	const char *filter = call_option(call, "filter"),
		   *snap = call_option(call, "snap");
	json_t *fields = json_pack("{s:s}", "target", call->argv[0]);
	uint64_t bytes = 0;
	int ends[2];

	if (filter)
		json_object_set_new(fields, "filter", json_string(filter));
	if (snap && !units_parse_count(snap, &bytes, NULL))
		json_object_set_new(fields, "snap", json_integer((json_int_t)bytes));
	job->twice = !call_option(call, "delivered");
	if (!job->twice)
		json_object_set_new(fields, "delivered", json_true());
	if (pipe2(ends, O_CLOEXEC)) {
		json_decref(fields);
		return why_errno(why, -errno, "pipe");
	}
	fdio_nonblock(ends[0], true);
	job->pipe = ends[0];
	job->id = client_request_fd(job->client, "capture", fields, ends[1], got_line,
				    job, why);
	close(ends[1]);
	return job->id < 0 ? (int)job->id : 0;
}

static void summary(const struct command_call *call, const struct job *job, uint64_t started_ns)
{
	const json_t *missed = json_object_get(job->answer, "missed");
	const json_t *frames = json_object_get(job->answer, "frames");
	json_int_t n = job->gate.blind ? json_integer_value(frames)
				       : (json_int_t)job->gate.frames;
	bool to_file = strcmp(job->path, "-") != 0;
	char time[32], lost[64] = "";
	json_t *out;

	if (call->json) {
		out = json_pack("{s:s, s:I, s:I, s:i, s:I}", "file", job->path, "frames",
				n, "missed", json_integer_value(missed), "interfaces",
				(int)job->interfaces, "bytes", (json_int_t)job->bytes);
		ui_json(out);
		json_decref(out);
		return;
	}
	if (json_integer_value(missed))
		snprintf(lost, sizeof(lost), ", %" JSON_INTEGER_FORMAT " missed",
			 json_integer_value(missed));
	ui_note("%" JSON_INTEGER_FORMAT " frame%s from %zu interface%s in %s%s%s%s", n,
		UI_PLURAL(n), job->interfaces, UI_PLURAL(job->interfaces),
		ui_duration(time, sizeof(time), clock_now_ns(host_clock()) - started_ns),
		lost, to_file ? ": " : "", to_file ? job->path : "");
}

static int prepare(const struct command_call *call, struct job *job, struct why *why)
{
	const char *count = call_option(call, "count"), *time = call_option(call, "for");
	const char *snap = call_option(call, "snap");
	struct stat st;
	uint64_t ns;

	job->overwrite = call_option(call, "overwrite") != NULL;
	if (!job->path)
		return why_set(
			why, -EINVAL,
			"where to? -w FILE, or -w - for a pipe: netlab capture %s -w - | "
			"wireshark -k -i -",
			call->argv[0]);
	if (count &&
	    (units_parse_count(count, &job->gate.limit, NULL) || !job->gate.limit))
		return why_set(why, -EINVAL, "--count %s: write a number of frames",
			       count);
	if (snap && (units_parse_count(snap, &ns, NULL) || !ns || ns > UINT32_MAX))
		return why_set(why, -EINVAL, "--snap %s: write a number of bytes", snap);
	if (time) {
		if (units_parse_ns(time, &ns, why))
			return why_wrap(why, -EINVAL, "--for");
		job->due_ns = ns_add(clock_now_ns(host_clock()), ns);
	}
	if (strcmp(job->path, "-"))
		return 0;
	if (call->json)
		return why_set(why, -EINVAL,
			       "with -w -, stdout is the capture and has no place for "
			       "JSON");
	if (isatty(STDOUT_FILENO))
		return why_set(why, -EINVAL,
			       "a terminal cannot show a capture; pipe it: netlab "
			       "capture %s -w - | tshark -r -",
			       call->argv[0]);
	job->file = STDOUT_FILENO;
	job->slow = fstat(job->file, &st) || !S_ISREG(st.st_mode);
	return 0;
}

int cmd_capture(struct command_call *call)
{
	static const int list[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0 };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct job job = { .client = call->client,
			   .path = call_option(call, "write"),
			   .pipe = -1,
			   .file = -1 };
	uint64_t started_ns = clock_now_ns(host_clock());
	struct why why;
	int signals, rc;

	if (prepare(call, &job, &why)) {
		ui_error("%s", why.text);
		return STATUS_USAGE;
	}
	sigaction(SIGPIPE, &ignore, NULL);
	signals = signals_open(list, &why);
	rc = signals < 0 ? signals : ask(call, &job, &why);
	if (!rc)
		rc = copy_all(&job, signals, &why);
	if (!rc && job.error)
		rc = why_set(&why, job.error, "%s", job.why.text);
	if (!rc && job.leave)
		rc = why_set(&why, -EIO, "%s: the end of the capture is missing", job.path);
	if (!rc && job.answer && !job.reader_gone)
		rc = client_verdict(job.answer, &why);
	if (rc)
		ui_error("%s", why.text);
	else if (!job.closing && json_object_get(job.answer, "why"))
		ui_warning("the capture ended: %s",
			   json_string_value(json_object_get(job.answer, "why")) ?: "?");
	if (job.begun && !(rc && job.file < 0))
		summary(call, &job, started_ns);
	client_forget(job.client, job.id);
	json_decref(job.answer);
	if (job.pipe >= 0)
		close(job.pipe);
	if (job.file >= 0 && job.file != STDOUT_FILENO && close(job.file) && !rc) {
		ui_error("%s: %s", job.path, strerror(errno));
		rc = -EIO;
	}
	signals_close(signals);
	return rc ? STATUS_FAILED : STATUS_DONE;
}
