/* SPDX-License-Identifier: MIT */
#include "unit/agent_rig.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/proc.h"

void rig_start(struct rig *rig)
{
	char number[16];
	int fds[2];
	json_t *hello;

	memset(rig, 0, sizeof(*rig));
	rig->credit = true;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0) {
		int fd = dup(fds[1]);

		snprintf(number, sizeof(number), "%d", fd);
		execl(AGENT_PATH, AGENT_PATH, "--serve", number, NULL);
		perror(AGENT_PATH);
		_exit(99);
	}
	close(fds[1]);
	rig->fd = fds[0];
	hello = rig_expect(rig, PROTO_HELLO, 0);
	assert_int_equal(json_integer_value(json_object_get(hello, "version")), PROTO_VERSION);
	json_decref(hello);
}

void rig_config(struct rig *rig, const char *members)
{
	char text[8192];

	snprintf(text, sizeof(text), "{\"version\":1,\"lab\":\"t\",\"name\":\"n1\"%s%s}",
		 *members ? "," : "", members);
	rig_text(rig, PROTO_CONFIG, 0, text);
	json_decref(rig_expect(rig, PROTO_CONFIGURED, 0));
}

void rig_up(struct rig *rig)
{
	rig_start(rig);
	rig_config(rig, "");
}

int rig_wait(struct rig *rig)
{
	struct why why = { "" };
	struct proc_id id;
	int status = -1;

	if (proc_identify(&id, rig->pid, &why) == 0) {
		int pidfd = proc_open(&id, &why);
		struct pollfd fd = { .fd = pidfd, .events = POLLIN };

		if (pidfd >= 0)
			assert_int_equal(poll(&fd, 1, RIG_PATIENCE_MS), 1);
		if (pidfd >= 0)
			close(pidfd);
	}
	assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
	close(rig->fd);
	proto_reader_free(&rig->reader);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void rig_down(struct rig *rig)
{
	struct proto_message m;

	rig_text(rig, PROTO_SHUTDOWN, 0, "{}");
	while (rig_poll(rig, &m, RIG_PATIENCE_MS))
		;
	assert_int_equal(rig_wait(rig), 0);
}

void rig_send(struct rig *rig, enum proto_type type, uint32_t channel, const void *bytes,
	      size_t size)
{
	uint8_t header[PROTO_HEADER_BYTES];

	proto_header(header, type, channel, (uint32_t)size);
	assert_int_equal(send(rig->fd, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	for (size_t at = 0; at < size;) {
		ssize_t n = send(rig->fd, (const char *)bytes + at, size - at, MSG_NOSIGNAL);

		assert_true(n > 0);
		at += (size_t)n;
	}
}

void rig_text(struct rig *rig, enum proto_type type, uint32_t channel, const char *text)
{
	rig_send(rig, type, channel, text, strlen(text));
}

void rig_credit(struct rig *rig, uint32_t channel, uint32_t bytes)
{
	uint8_t payload[4];

	proto_put_u32(payload, bytes);
	rig_send(rig, PROTO_CREDIT, channel, payload, sizeof(payload));
}

bool rig_poll(struct rig *rig, struct proto_message *message, int timeout_ms)
{
	struct why why = { "" };

	for (;;) {
		struct pollfd fd = { .fd = rig->fd, .events = POLLIN };
		ssize_t n;
		int ready = 0;

		if (rig->at < rig->have) {
			long used = proto_reader_feed(&rig->reader, rig->in + rig->at,
						      rig->have - rig->at, message, &ready, &why);

			if (used < 0)
				fail_msg("the agent said: %s", why.text);
			rig->at += (size_t)used;
			if (ready)
				break;
			continue;
		}
		if (poll(&fd, 1, timeout_ms) <= 0)
			return false;
		n = read(rig->fd, rig->in, sizeof(rig->in));
		if (n <= 0)
			return false;
		rig->at = 0;
		rig->have = (size_t)n;
	}
	if (rig->credit && (message->type == PROTO_STDOUT || message->type == PROTO_STDERR))
		rig_credit(rig, message->channel, message->size);
	return true;
}

void rig_next(struct rig *rig, struct proto_message *message)
{
	if (!rig_poll(rig, message, RIG_PATIENCE_MS))
		fail_msg("the agent says nothing");
}

json_t *rig_expect(struct rig *rig, enum proto_type type, uint32_t channel)
{
	struct proto_message m;
	json_t *json;

	rig_next(rig, &m);
	if (m.type != type || m.channel != channel)
		fail_msg("expected %s on %u, got %s on %u: %.*s", proto_type_name(type), channel,
			 proto_type_name(m.type), m.channel, (int)m.size,
			 (const char *)m.payload);
	json = json_loadb((const char *)m.payload, m.size, 0, NULL);
	assert_non_null(json);
	return json;
}

void rig_exec(struct rig *rig, uint32_t channel, const char *script, const char *members)
{
	json_t *quoted = json_string(script);
	char *dump = json_dumps(quoted, JSON_ENCODE_ANY);
	char *text;

	assert_true(asprintf(&text, "{\"argv\":[\"sh\",\"-c\",%s]%s}", dump, members) > 0);
	rig_text(rig, PROTO_EXEC, channel, text);
	free(text);
	free(dump);
	json_decref(quoted);
}

static void append(char **text, size_t *size, const struct proto_message *m)
{
	assert_true(*size + m->size < RIG_TEXT_BYTES);
	memcpy(*text + *size, m->payload, m->size);
	*size += m->size;
	(*text)[*size] = 0;
}

static int number(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	return json_is_integer(value) ? (int)json_integer_value(value) : -1;
}

static void read_end(const struct proto_message *m, struct outcome *outcome)
{
	json_t *json = json_loadb((const char *)m->payload, m->size, 0, NULL);
	const char *error;

	assert_non_null(json);
	outcome->exit = number(json, "exit");
	outcome->signal = number(json, "signal");
	error = json_string_value(json_object_get(json, "error"));
	snprintf(outcome->failed, sizeof(outcome->failed), "%s", error ? error : "");
	json_decref(json);
}

static void read_pid(const struct proto_message *m, struct outcome *outcome)
{
	json_t *json = json_loadb((const char *)m->payload, m->size, 0, NULL);

	assert_non_null(json);
	outcome->pid = number(json, "pid");
	json_decref(json);
}

void rig_collect(struct rig *rig, uint32_t channel, struct outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->out = calloc(1, RIG_TEXT_BYTES);
	outcome->err = calloc(1, RIG_TEXT_BYTES);
	assert_true(outcome->out && outcome->err);
	for (;;) {
		struct proto_message m;

		rig_next(rig, &m);
		if (m.channel != channel)
			fail_msg("%s on channel %u", proto_type_name(m.type), m.channel);
		switch (m.type) {
		case PROTO_STDOUT:
			append(&outcome->out, &outcome->out_size, &m);
			break;
		case PROTO_STDERR:
			append(&outcome->err, &outcome->err_size, &m);
			break;
		case PROTO_EXITED:
		case PROTO_FAILED:
			read_end(&m, outcome);
			return;
		case PROTO_STARTED:
			read_pid(&m, outcome);
			break;
		default:
			assert_int_equal(m.type, PROTO_CREDIT);
		}
	}
}

void rig_run(struct rig *rig, const char *script, const char *members,
	     struct outcome *outcome)
{
	rig_exec(rig, 7, script, members);
	rig_collect(rig, 7, outcome);
}

void outcome_free(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
	memset(outcome, 0, sizeof(*outcome));
}

void rig_await_output(struct rig *rig, uint32_t channel, const char *text)
{
	static char seen[1 << 20];
	size_t size = 0;

	while (true) {
		struct proto_message m;

		rig_next(rig, &m);
		if (m.type != PROTO_STDOUT || m.channel != channel)
			continue;
		assert_true(size + m.size < sizeof(seen));
		memcpy(seen + size, m.payload, m.size);
		size += m.size;
		seen[size] = 0;
		if (strstr(seen, text))
			return;
	}
}

void rig_await_gone(pid_t pid)
{
	struct why why;
	struct proc_id id;
	struct pollfd fd = { .events = POLLIN };

	if (proc_identify(&id, pid, &why))
		return;
	fd.fd = proc_open(&id, &why);
	if (fd.fd < 0)
		return;
	assert_int_equal(poll(&fd, 1, RIG_PATIENCE_MS), 1);
	close(fd.fd);
}

/* The kernel announces this to the parent only, which we are not: ask again. */
void rig_await_state(pid_t pid, char state)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int ms = 0; ms < RIG_PATIENCE_MS; ms++) {
		FILE *file = fopen(path, "r");
		char now = 0;

		assert_non_null(file);
		assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &now), 1);
		fclose(file);
		if (now == state)
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("process %d does not come into state %c", pid, state);
}
