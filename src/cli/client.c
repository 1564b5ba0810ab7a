/* SPDX-License-Identifier: MIT */
#include "cli/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/ui.h"

enum { READ_BYTES = 64 << 10 };

struct pending {
	long id;
	client_fn *fn;
	void *ctx;
};

struct client {
	int fd;
	bool dead;
	bool quiet; /* whoever owns it tells of the record himself */
	long last_id;
	struct pending *pending;
	size_t pending_count;
	char *in; /* a line that is not whole yet */
	size_t in_have, in_room;
	size_t in_scanned; /* no newline before this */
	char *out;
	size_t out_sent, out_have, out_room;
	bool together;	       /* what is queued waits for its end */
	size_t together_bytes; /* of it, without its head */
};

int client_open(struct client **out, int fd, struct why *why)
{
	struct client *client;
	int rc = fdio_nonblock(fd, true);

	client = rc ? NULL : calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return why_errno(why, rc ? rc : -ENOMEM, "control socket");
	}
	client->fd = fd;
	*out = client;
	return 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	close(client->fd);
	free(client->pending);
	free(client->in);
	free(client->out);
	free(client);
}

void client_quiet(struct client *client)
{
	client->quiet = true;
}

size_t client_backlog(const struct client *client)
{
	return client->out_have - client->out_sent;
}

static int died(struct client *client, int err, struct why *why, const char *what)
{
	client->dead = true;
	return why_set(why, err, "%s", what);
}

static int gone(struct client *client, struct why *why)
{
	return died(client, -ENOTCONN, why,
		    "the lab has gone: its process ended while it was asked; "
		    "`netlab ps` says what is left");
}

/* Send what waits, as far as the socket takes it. */
static int send_some(struct client *client, struct why *why)
{
	while (client->out_sent < client->out_have) {
		ssize_t n = send(client->fd, client->out + client->out_sent,
				 client->out_have - client->out_sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		/* The lab's last words may still be there to read. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
			client->out_sent = client->out_have;
			return 0;
		}
		if (n < 0)
			return gone(client, why);
		client->out_sent += (size_t)n;
	}
	client->out_sent = client->out_have = 0;
	return 0;
}

static int queue(struct client *client, const char *text, size_t bytes)
{
	char *more;
	size_t room;

	if (client->out_sent) {
		memmove(client->out, client->out + client->out_sent,
			client_backlog(client));
		client->out_have -= client->out_sent;
		client->out_sent = 0;
	}
	if (client->out_have + bytes > client->out_room) {
		room = (client->out_have + bytes) * 2;
		more = realloc(client->out, room);
		if (!more)
			return -ENOMEM;
		client->out = more;
		client->out_room = room;
	}
	memcpy(client->out + client->out_have, text, bytes);
	client->out_have += bytes;
	client->together_bytes += bytes;
	return 0;
}

static int await_pending(struct client *client, long id, client_fn *fn, void *ctx)
{
	struct pending *more;

	if (!fn)
		return 0;
	more = reallocarray(client->pending, client->pending_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	client->pending = more;
	client->pending[client->pending_count++] = (struct pending){ id, fn, ctx };
	return 0;
}

void client_forget(struct client *client, long id)
{
	size_t i;

	for (i = 0; i < client->pending_count; i++)
		if (client->pending[i].id == id) {
			client->pending[i] = client->pending[--client->pending_count];
			return;
		}
}

/* The descriptor goes with the first byte of the line, so all before it must be
 * out: wait for that. */
static int send_with_fd(struct client *client, char *line, size_t bytes, int fd,
			struct why *why)
{
	struct pollfd p = { .fd = client->fd, .events = POLLOUT };
	ssize_t n;
	int rc;

	do {
		rc = send_some(client, why);
		if (rc)
			return rc;
		if (client_backlog(client) && poll(&p, 1, CLIENT_CALL_MS) <= 0)
			return why_set(why, -ETIMEDOUT, "the lab does not read");
	} while (client_backlog(client));
	do {
		n = fdio_send(client->fd, line, bytes, &fd, 1);
		if (n == -EAGAIN && poll(&p, 1, CLIENT_CALL_MS) <= 0)
			return why_set(why, -ETIMEDOUT, "the lab does not read");
	} while (n == -EAGAIN || n == -EINTR);
	if (n < 0)
		return gone(client, why);
	return queue(client, line + n, bytes - (size_t)n);
}

long client_request_fd(struct client *client, const char *what, json_t *fields, int fd,
		       client_fn *fn, void *ctx, struct why *why)
{
	cleanup_free char *line = NULL;
	long id = ++client->last_id;
	json_t *request = fields ? fields : json_object();
	size_t bytes;
	int rc;

	if (client->dead) {
		json_decref(request);
		return gone(client, why);
	}
	json_object_set_new(request, "id", json_integer(id));
	json_object_set_new(request, "do", json_string(what));
	line = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!line)
		return why_set(why, -EINVAL, "%s: this is not UTF-8 text", what);
	bytes = strlen(line);
	if (bytes >= CLIENT_REQUEST_BYTES_MAX)
		return why_set(why, -E2BIG,
			       "%s: this takes %zu bytes as a request, and a lab takes less "
			       "than %d at once; what is long can be copied (netlab cp) or "
			       "come through stdin",
			       what, bytes, CLIENT_REQUEST_BYTES_MAX);
	line[bytes++] = '\n'; /* in the place of the 0 */
	rc = await_pending(client, id, fn, ctx);
	if (!rc)
		rc = fd < 0 ? queue(client, line, bytes)
			    : send_with_fd(client, line, bytes, fd, why);
	if (rc) {
		client_forget(client, id);
		return rc == -ENOMEM ? why_errno(why, rc, "%s", what) : rc;
	}
	rc = client->together ? 0 : send_some(client, why);
	return rc ? rc : id;
}

/* The head's number is known at the end, and its place is kept. */
enum { TOGETHER_DIGITS = 10 };

void client_together(struct client *client)
{
	char head[96];

	snprintf(head, sizeof(head), "{\"id\":%ld,\"do\":\"together\",\"bytes\":%*s}\n",
		 ++client->last_id, TOGETHER_DIGITS, "");
	/* Without memory for the head its requests go one by one, and fail themselves. */
	client->together = !queue(client, head, strlen(head));
	client->together_bytes = 0;
}

int client_together_end(struct client *client, struct why *why)
{
	size_t bytes = client->together_bytes;
	char digits[TOGETHER_DIGITS + 1];

	if (!client->together || client->dead)
		return client->dead ? gone(client, why) : 0;
	client->together = false;
	if (bytes > CLIENT_TOGETHER_BYTES_MAX)
		return died(client, -E2BIG, why,
			    "what is asked of all machines at one time is more than 16 MiB");
	snprintf(digits, sizeof(digits), "%*zu", TOGETHER_DIGITS, bytes);
	memcpy(client->out + client->out_have - bytes - strlen("}\n") - TOGETHER_DIGITS,
	       digits, TOGETHER_DIGITS);
	return send_some(client, why);
}

long client_request(struct client *client, const char *what, json_t *fields,
		    client_fn *fn, void *ctx, struct why *why)
{
	return client_request_fd(client, what, fields, -1, fn, ctx, why);
}

static int one_line(struct client *client, const char *text, size_t bytes,
		    struct why *why)
{
	json_error_t error;
	json_t *line, *ok;
	struct pending to = { 0 };
	long id;
	size_t i;
	int rc;

	line = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(line)) {
		json_decref(line);
		return died(client, -EPROTO, why,
			    "what listens on the control socket is no netlab lab");
	}
	id = (long)json_integer_value(json_object_get(line, "id"));
	ok = json_object_get(line, "ok");
	if (json_is_null(json_object_get(line, "id")) && json_is_false(ok)) {
		const char *said = json_string_value(json_object_get(line, "error"));

		rc = died(client, -EREMOTEIO, why, said ? said : "the lab refused");
		json_decref(line);
		return rc;
	}
	for (i = 0; i < client->pending_count; i++)
		if (client->pending[i].id == id)
			to = client->pending[i];
	if (ok && !client->quiet && json_object_get(line, "record_lost")) {
		ui_warning("the record of this run is incomplete: %s",
			   json_string_value(json_object_get(line, "record_lost")) ?: "?");
		client->quiet = true;
	}
	if (to.fn) {
		if (ok)
			client_forget(client, id);
		to.fn(to.ctx, line, ok != NULL);
	}
	json_decref(line);
	return 0;
}

static int take_lines(struct client *client, struct why *why)
{
	size_t start = 0;
	char *end;
	int rc = 0;

	while (!rc && (end = memchr(client->in + client->in_scanned, '\n',
				    client->in_have - client->in_scanned))) {
		rc = one_line(client, client->in + start,
			      (size_t)(end - client->in) - start, why);
		start = client->in_scanned = (size_t)(end - client->in) + 1;
	}
	memmove(client->in, client->in + start, client->in_have - start);
	client->in_have -= start;
	client->in_scanned = client->in_have;
	if (!rc && client->in_have > CLIENT_LINE_BYTES_MAX)
		return died(client, -EPROTO, why, "the lab sends a line without an end");
	return rc;
}

static int receive_some(struct client *client, struct why *why)
{
	size_t room = client->in_have + READ_BYTES;
	ssize_t n;
	char *more;

	if (room > client->in_room) {
		more = realloc(client->in, room * 2);
		if (!more)
			return why_errno(why, -ENOMEM, "answer of the lab");
		client->in = more;
		client->in_room = room * 2;
	}
	n = recv(client->fd, client->in + client->in_have, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return gone(client, why);
	client->in_have += (size_t)n;
	return take_lines(client, why);
}

struct pollfd client_pollfd(const struct client *client)
{
	short events = POLLIN;

	if (client_backlog(client) && !client->together)
		events |= POLLOUT;
	return (struct pollfd){ .fd = client->dead ? -1 : client->fd, .events = events };
}

int client_serve(struct client *client, short revents, struct why *why)
{
	int rc = 0;

	if (client->dead)
		return gone(client, why);
	if (revents & POLLOUT)
		rc = send_some(client, why);
	if (!rc && revents & (POLLIN | POLLHUP | POLLERR))
		rc = receive_some(client, why);
	return rc;
}

int client_turn(struct client *client, int timeout_ms, bool *timed_out, struct why *why)
{
	struct pollfd p = client_pollfd(client);
	int n = poll(&p, 1, timeout_ms);

	if (timed_out)
		*timed_out = n == 0;
	if (n < 0 && errno != EINTR)
		return why_errno(why, -errno, "poll");
	return n > 0 ? client_serve(client, p.revents, why) : 0;
}

int client_verdict(const json_t *answer, struct why *why)
{
	const char *error;

	if (json_is_true(json_object_get(answer, "ok")))
		return 0;
	error = json_string_value(json_object_get(answer, "error"));
	return why_set(why, -EREMOTEIO, "%s",
		       error ? error : "the lab refused, without a word");
}

struct answer {
	json_t *json;
};

static void keep_answer(void *ctx, const json_t *line, bool last)
{
	struct answer *answer = ctx;

	if (last)
		answer->json = json_incref((json_t *)line);
}

int client_call(struct client *client, const char *what, json_t *fields, int timeout_ms,
		json_t **out, struct why *why)
{
	struct answer answer = { 0 };
	bool timed_out = false;
	long id;
	int rc = 0;

	id = client_request(client, what, fields, keep_answer, &answer, why);
	if (id < 0)
		return (int)id;
	while (!rc && !answer.json && !timed_out)
		rc = client_turn(client, timeout_ms, &timed_out, why);
	if (!answer.json) {
		client_forget(client, id);
		if (rc)
			return rc;
		return why_set(
			why, -ETIMEDOUT,
			"the lab did not answer within %d s; `netlab ps` shows its state",
			timeout_ms / 1000);
	}
	rc = client_verdict(answer.json, why);
	if (!rc && out)
		*out = answer.json;
	else
		json_decref(answer.json);
	return rc;
}
