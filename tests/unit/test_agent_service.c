/* SPDX-License-Identifier: MIT */
/* Services: their states, their words, their end. */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "unit/agent_rig.h"

/* All that came: "web starting\nweb ready\n", and what was logged. */
struct story {
	char states[2048];
	char *log;
	size_t log_size;
};

static void add_state(struct story *story, const struct proto_message *m)
{
	json_t *json = json_loadb((const char *)m->payload, m->size, 0, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));
	const json_t *status = json_object_get(json, "exit");
	size_t used = strlen(story->states);

	used += (size_t)snprintf(story->states + used, sizeof(story->states) - used, "%s %s",
				 json_string_value(json_object_get(json, "name")),
				 json_string_value(json_object_get(json, "state")));
	if (status)
		used += (size_t)snprintf(story->states + used, sizeof(story->states) - used,
					 " exit %d", (int)json_integer_value(status));
	if (error)
		used += (size_t)snprintf(story->states + used, sizeof(story->states) - used,
					 " (%s)", error);
	snprintf(story->states + used, sizeof(story->states) - used, "\n");
	json_decref(json);
}

static void take(struct story *story, const struct proto_message *m)
{
	if (m->type == PROTO_SERVICE) {
		add_state(story, m);
	} else if (m->type == PROTO_LOG) {
		assert_true(m->payload[0] == 1 || m->payload[0] == 2);
		assert_true(story->log_size + m->size < RIG_TEXT_BYTES);
		memcpy(story->log + story->log_size, m->payload + 1, m->size - 1);
		story->log_size += m->size - 1;
		story->log[story->log_size] = 0;
	} else {
		fail_msg("%s", proto_type_name(m->type));
	}
}

static void begin(struct rig *rig, struct story *story, const char *services)
{
	char members[2048];

	memset(story, 0, sizeof(*story));
	story->log = calloc(1, RIG_TEXT_BYTES);
	assert_non_null(story->log);
	rig_start(rig);
	snprintf(members, sizeof(members), "\"services\":[%s]", services);
	rig_config(rig, members);
	rig_text(rig, PROTO_SERVICES_START, 0, "{}");
}

static void read_until(struct rig *rig, struct story *story, const char *states)
{
	while (!strstr(story->states, states)) {
		struct proto_message m;

		if (!rig_poll(rig, &m, RIG_PATIENCE_MS))
			fail_msg("until \"%s\" there came:\n%s", states, story->states);
		take(story, &m);
	}
}

static void end(struct rig *rig, struct story *story)
{
	free(story->log);
	rig_down(rig);
}

/* To the agent's good end; what is said until then is taken. */
static void shut_down(struct rig *rig, struct story *story)
{
	struct proto_message m;

	rig_text(rig, PROTO_SHUTDOWN, 0, "{}");
	while (rig_poll(rig, &m, RIG_PATIENCE_MS))
		take(story, &m);
	assert_int_equal(rig_wait(rig), 0);
}

static void without_a_test_it_is_ready_when_it_runs_or_is_done(void **state)
{
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"echo hello; echo there >&2\"},"
	      "{\"name\":\"b\",\"cmd\":\"sleep 0.3; exit 5\"}");
	read_until(&rig, &story, "b exited");
	assert_string_equal(story.states, "a starting\na ready\na exited exit 0\n"
					  "b starting\nb ready\nb exited exit 5\n");
	/* Two pipes: their order is not kept. */
	assert_non_null(strstr(story.log, "hello\n"));
	assert_non_null(strstr(story.log, "there\n"));
	end(&rig, &story);
}

static void without_a_test_it_has_failed_if_it_dies_at_once(void **state)
{
	static const char *const how[][2] = {
		{ "exit 7", "a starting\n"
			    "a failed exit 7 (it ended with exit status 7 before it was ready)\n" },
		{ "/no/such/program 2>/dev/null",
		  "a starting\n"
		  "a failed exit 127 (it ended with exit status 127 before it was ready)\n" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		char services[256];
		struct story story;
		struct rig rig;

		snprintf(services, sizeof(services),
			 "{\"name\":\"a\",\"cmd\":\"%s\"},"
			 "{\"name\":\"b\",\"cmd\":\"true\"}", how[i][0]);
		begin(&rig, &story, services);
		read_until(&rig, &story, "failed");
		assert_string_equal(story.states, how[i][1]);
		end(&rig, &story);
	}
}

static void each_starts_when_the_one_before_it_is_ready(void **state)
{
	char dir[] = "/tmp/agent-test-XXXXXX", services[1024], path[64];
	struct story story;
	struct rig rig;
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/up", dir);
	snprintf(services, sizeof(services),
		 "{\"name\":\"a\",\"cmd\":\"sleep 0.2; touch %s; exec sleep 1000\","
		 "\"ready\":{\"file\":\"%s\",\"timeout_ns\":60000000000}},"
		 "{\"name\":\"b\",\"cmd\":\"test -e %s && echo in order\"}",
		 path, path, path);
	begin(&rig, &story, services);
	read_until(&rig, &story, "b exited");
	assert_string_equal(story.states, "a starting\na ready\nb starting\nb ready\n"
					  "b exited exit 0\n");
	assert_string_equal(story.log, "in order\n");
	unlink(path);
	rmdir(dir);
	end(&rig, &story);
}

/* Its output is heard, its readiness counts, its end is told. */
static void what_goes_to_the_background_is_the_service(void **state)
{
	char dir[] = "/tmp/agent-test-XXXXXX", services[1024], path[64];
	struct story story;
	struct rig rig;
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/up", dir);
	/* It ends when the file by which it is ready is taken away. */
	snprintf(services, sizeof(services),
		 "{\"name\":\"a\",\"cmd\":\"(sleep 0.2; echo late; touch %s; "
		 "while [ -e %s ]; do sleep 0.05; done; echo bye; exit 3) & echo early\","
		 "\"ready\":{\"file\":\"%s\",\"timeout_ns\":60000000000}}",
		 path, path, path);
	begin(&rig, &story, services);
	read_until(&rig, &story, "ready");
	unlink(path);
	read_until(&rig, &story, "exited");
	assert_string_equal(story.states, "a starting\na ready\na exited exit 3\n");
	assert_string_equal(story.log, "early\nlate\nbye\n");
	rmdir(dir);
	end(&rig, &story);
}

static void what_went_to_the_background_is_asked_to_end(void **state)
{
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"(trap 'echo asked; exit 0' TERM; "
	      "while :; do sleep 0.05; done) &\"}");
	read_until(&rig, &story, "ready");
	shut_down(&rig, &story);
	assert_non_null(strstr(story.log, "asked\n"));
	free(story.log);
}

static void ready_means_the_file_is_there(void **state)
{
	char dir[] = "/tmp/agent-test-XXXXXX", services[512], path[64];
	struct proto_message m;
	struct story story;
	struct rig rig;
	FILE *file;
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/up", dir);
	snprintf(services, sizeof(services),
		 "{\"name\":\"a\",\"cmd\":\"exec sleep 1000\","
		 "\"ready\":{\"file\":\"%s\",\"timeout_ns\":60000000000}}", path);
	begin(&rig, &story, services);
	read_until(&rig, &story, "starting");
	assert_false(rig_poll(&rig, &m, 150));
	assert_string_equal(story.states, "a starting\n");
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	read_until(&rig, &story, "a ready\n");
	unlink(path);
	rmdir(dir);
	end(&rig, &story);
}

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &size), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

/* Bound is not enough; and nobody connects to find out. */
static void ready_means_the_port_listens(void **state)
{
	struct proto_message m;
	struct story story;
	char services[512];
	struct rig rig;
	uint16_t port;
	int fd = listen_somewhere(&port);
	(void)state;

	snprintf(services, sizeof(services),
		 "{\"name\":\"a\",\"cmd\":\"exec sleep 1000\","
		 "\"ready\":{\"tcp\":%u,\"timeout_ns\":60000000000}}", port);
	begin(&rig, &story, services);
	read_until(&rig, &story, "starting");
	assert_false(rig_poll(&rig, &m, 150));
	assert_int_equal(listen(fd, 1), 0);
	read_until(&rig, &story, "a ready\n");
	assert_int_equal(accept(fd, NULL, NULL), -1);
	close(fd);
	end(&rig, &story);
}

static void ready_means_the_command_succeeds(void **state)
{
	char dir[] = "/tmp/agent-test-XXXXXX", services[512], path[64];
	struct story story;
	struct rig rig;
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/n", dir);
	/* The third time. */
	snprintf(services, sizeof(services),
		 "{\"name\":\"a\",\"cmd\":\"exec sleep 1000\",\"ready\":{\"cmd\":\"echo x >>%s; "
		 "test $(wc -l <%s) -ge 3\",\"timeout_ns\":60000000000}}", path, path);
	begin(&rig, &story, services);
	read_until(&rig, &story, "a ready\n");
	assert_string_equal(story.states, "a starting\na ready\n");
	unlink(path);
	rmdir(dir);
	end(&rig, &story);
}

static void too_late_is_a_failure_with_its_reason(void **state)
{
	static const char *const how[][2] = {
		{ "{\"tcp\":1,\"timeout_ns\":20000000}",
		  "a failed (nothing listens on tcp port 1 after 20ms)\n" },
		{ "{\"file\":\"/no/file\",\"timeout_ns\":30000000}",
		  "a failed (there is no /no/file after 30ms)\n" },
		{ "{\"cmd\":\"exit 3\",\"timeout_ns\":400000000}",
		  "a failed (\"exit 3\" still exits with 3 after 400ms)\n" },
		{ "{\"cmd\":\"sleep 1000\",\"timeout_ns\":50000000}",
		  "a failed (\"sleep 1000\" has not ended after 50ms)\n" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		char services[256];
		struct story story;
		struct rig rig;

		snprintf(services, sizeof(services),
			 "{\"name\":\"a\",\"cmd\":\"exec sleep 1000\",\"ready\":%s}", how[i][0]);
		begin(&rig, &story, services);
		read_until(&rig, &story, how[i][1]);
		end(&rig, &story);
	}
}

static void one_that_ends_before_it_is_ready_has_failed(void **state)
{
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"echo bad option >&2; exit 2\","
	      "\"ready\":{\"tcp\":1,\"timeout_ns\":60000000000}}");
	read_until(&rig, &story, "failed");
	assert_string_equal(story.states,
			    "a starting\na failed exit 2 "
			    "(it ended with exit status 2 before it was ready)\n");
	/* Its last words came first. */
	assert_string_equal(story.log, "bad option\n");
	end(&rig, &story);
}

/* What is still in the pipe when it ends comes before its end is told. */
static void last_words_are_heard(void **state)
{
	struct story story;
	struct rig rig;
	(void)state;

	for (int i = 0; i < 20; i++) {
		begin(&rig, &story, "{\"name\":\"a\",\"cmd\":\"head -c 100000 /dev/zero\"}");
		read_until(&rig, &story, "exited");
		assert_int_equal(story.log_size, 100000);
		end(&rig, &story);
	}
}

/* Ten times what may be queued; and a command is answered meanwhile. */
static void a_flood_is_slowed_down_and_nothing_is_lost(void **state)
{
	const size_t size = 3000000;
	struct proto_message m;
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"i=0; while [ $i -lt 3000 ]; do "
	      "printf %1000d $i; i=$((i+1)); done\"}");
	rig_exec(&rig, 1, "exit 0", "");
	while (story.log_size < size || !strstr(story.states, "exited")) {
		rig_next(&rig, &m);
		if (m.type == PROTO_SERVICE || m.type == PROTO_LOG)
			take(&story, &m);
	}
	assert_int_equal(story.log_size, size);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(strtol(story.log + 1000 * i + 990, NULL, 10) % 10000, i);
	end(&rig, &story);
}

static long agent_kilobytes(const struct rig *rig)
{
	char path[64], line[256];
	long kilobytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", rig->pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (kilobytes < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "VmRSS: %ld kB", &kilobytes);
	fclose(file);
	return kilobytes;
}

static void a_flood_that_nobody_reads_takes_no_memory(void **state)
{
	struct proto_message m;
	struct story story;
	struct rig rig;
	long before;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"exec cat /dev/zero\","
	      "\"ready\":{\"file\":\"/\",\"timeout_ns\":60000000000}}");
	read_until(&rig, &story, "ready");
	before = agent_kilobytes(&rig);
	/* Time enough for hundreds of megabytes, if somebody kept them. */
	poll(NULL, 0, 200);
	assert_true(before > 0);
	assert_true(agent_kilobytes(&rig) - before < 4096);
	free(story.log);
	rig_text(&rig, PROTO_SHUTDOWN, 0, "{}");
	while (rig_poll(&rig, &m, RIG_PATIENCE_MS))
		;
	assert_int_equal(rig_wait(&rig), 0);
}

static void starting_twice_starts_once(void **state)
{
	struct proto_message m;
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story, "{\"name\":\"a\",\"cmd\":\"echo once\"}");
	rig_text(&rig, PROTO_SERVICES_START, 0, "{}");
	read_until(&rig, &story, "exited");
	rig_text(&rig, PROTO_SERVICES_START, 0, "{}");
	assert_false(rig_poll(&rig, &m, 100));
	assert_string_equal(story.log, "once\n");
	end(&rig, &story);
}

/* One that listens to SIGTERM ends itself; its children too, for the signal goes
 * to the session; one that does not is killed after two seconds. */
static void shutdown_asks_services_to_end_and_then_does_not_ask(void **state)
{
	struct proto_message m;
	struct story story;
	struct rig rig;
	char *at;
	pid_t stubborn, child;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"kind\",\"cmd\":\"trap 'echo bye; exit 0' TERM; sleep 1000 & echo set; "
	      "wait\"},"
	      "{\"name\":\"stubborn\",\"cmd\":\"trap '' TERM; sleep 1000 & echo pids $$ $! .; "
	      "wait\"}");
	while (!strstr(story.log, "set\n") || !(at = strstr(story.log, "pids")) ||
	       !strchr(at, '.')) {
		rig_next(&rig, &m);
		take(&story, &m);
	}
	stubborn = (pid_t)strtol(at + 5, &at, 10);
	child = (pid_t)strtol(at, &at, 10);
	shut_down(&rig, &story);
	assert_non_null(strstr(story.log, "bye\n"));
	assert_non_null(strstr(story.states, "kind exited exit 0\n"));
	assert_true(stubborn > 1 && child > 1);
	rig_await_gone(stubborn);
	rig_await_gone(child);
	free(story.log);
}

/* Its child is killed after the shell that was asked has ended well. */
static void who_ended_well_when_asked_has_done_so_whoever_goes_last(void **state)
{
	struct proto_message m;
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"kind\",\"cmd\":\"trap 'exit 0' TERM; "
	      "sh -c 'trap \\\"sleep 0.2; kill -9 $$\\\" TERM; echo set; "
	      "while :; do sleep 0.01; done' & wait\"}");
	while (!strstr(story.log, "set\n")) {
		rig_next(&rig, &m);
		take(&story, &m);
	}
	read_until(&rig, &story, "kind ready\n");
	shut_down(&rig, &story);
	assert_string_equal(story.states, "kind starting\nkind ready\nkind exited exit 0\n");
	free(story.log);
}

/* ---- restarts ---------------------------------------------------------- */

static void one_that_is_to_be_restarted_begins_again(void **state)
{
	static const struct {
		const char *restart, *end, *states;
	} cases[] = {
		{ "no", "exit 5", "a starting\na ready\na exited exit 5\n" },
		{ "on-failure", "exit 0", "a starting\na ready\na exited exit 0\n" },
		{ "on-failure", "exit 5",
		  "a starting\na ready\na restarting exit 5\n"
		  "a starting\na ready\na restarting exit 5\na starting\n" },
		{ "on-failure", "kill -9 $$",
		  "a starting\na ready\na restarting\n"
		  "a starting\na ready\na restarting\na starting\n" },
		{ "always", "exit 0",
		  "a starting\na ready\na restarting exit 0\n"
		  "a starting\na ready\na restarting exit 0\na starting\n" },
	};
	struct story story;
	char services[256];
	struct rig rig;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(services, sizeof(services),
			 "{\"name\":\"a\",\"cmd\":\"echo begun; sleep 0.2; %s\","
			 "\"restart\":\"%s\"}",
			 cases[i].end, cases[i].restart);
		begin(&rig, &story, services);
		read_until(&rig, &story, cases[i].states);
		assert_string_equal(story.states, cases[i].states);
		end(&rig, &story);
	}
}

/* The next one does not start until it has been ready. */
static void one_that_ends_in_vain_five_times_has_failed(void **state)
{
	struct proto_message m;
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"exit 3\",\"restart\":\"always\","
	      "\"ready\":{\"file\":\"/no/file\",\"timeout_ns\":60000000000}},"
	      "{\"name\":\"b\",\"cmd\":\"exec sleep 1000\"}");
	read_until(&rig, &story, "failed");
	for (int i = 0; i < 4; i++) {
		char *at = strstr(story.states, "a restarting");

		assert_non_null(at);
		at[0] = 'x';
	}
	assert_null(strstr(story.states, "a restarting"));
	assert_null(strstr(story.states, "b "));
	assert_non_null(strstr(story.states,
			       "a failed exit 3 (it ended with exit status 3 "
			       "before it was ready)"));
	assert_false(rig_poll(&rig, &m, 300));
	end(&rig, &story);
}

/* What was left of it is gone when it begins again. */
static void a_restart_leaves_nothing_of_the_last_time(void **state)
{
	struct story story;
	struct rig rig;
	char *at;
	pid_t child;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"sleep 1000 & echo child $! .; sleep 0.2; exit 1\","
	      "\"restart\":\"on-failure\"}");
	read_until(&rig, &story, "a restarting exit 1\na starting\n");
	at = strstr(story.log, "child ");
	assert_non_null(at);
	child = (pid_t)strtol(at + 6, NULL, 10);
	assert_true(child > 1);
	rig_await_gone(child);
	end(&rig, &story);
}

static void shutdown_restarts_nothing(void **state)
{
	struct story story;
	struct rig rig;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"exec sleep 1000\",\"restart\":\"always\"},"
	      "{\"name\":\"b\",\"cmd\":\"sleep 0.2; exit 1\",\"restart\":\"always\"}");
	read_until(&rig, &story, "b restarting");
	shut_down(&rig, &story);
	assert_non_null(strstr(story.states, "a exited\n"));
	assert_null(strstr(story.states, "a restarting"));
	free(story.log);
}

/* A child that ignores the signal outlives the shell that heeds it, but not the
 * machine. */
static void shutdown_leaves_no_child_behind(void **state)
{
	struct proto_message m;
	struct story story;
	struct rig rig;
	char *at;
	pid_t child;
	(void)state;

	begin(&rig, &story,
	      "{\"name\":\"a\",\"cmd\":\"trap '' TERM; sleep 1000 & trap 'exit 0' TERM;"
	      " echo child $! .; wait\"}");
	while (!(at = strstr(story.log, "child")) || !strchr(at, '.')) {
		rig_next(&rig, &m);
		take(&story, &m);
	}
	child = (pid_t)strtol(at + 6, NULL, 10);
	assert_true(child > 1);
	shut_down(&rig, &story);
	rig_await_gone(child);
	free(story.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_test_it_is_ready_when_it_runs_or_is_done),
		cmocka_unit_test(without_a_test_it_has_failed_if_it_dies_at_once),
		cmocka_unit_test(each_starts_when_the_one_before_it_is_ready),
		cmocka_unit_test(what_goes_to_the_background_is_the_service),
		cmocka_unit_test(what_went_to_the_background_is_asked_to_end),
		cmocka_unit_test(ready_means_the_file_is_there),
		cmocka_unit_test(ready_means_the_port_listens),
		cmocka_unit_test(ready_means_the_command_succeeds),
		cmocka_unit_test(too_late_is_a_failure_with_its_reason),
		cmocka_unit_test(one_that_ends_before_it_is_ready_has_failed),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(a_flood_is_slowed_down_and_nothing_is_lost),
		cmocka_unit_test(a_flood_that_nobody_reads_takes_no_memory),
		cmocka_unit_test(starting_twice_starts_once),
		cmocka_unit_test(shutdown_asks_services_to_end_and_then_does_not_ask),
		cmocka_unit_test(
			who_ended_well_when_asked_has_done_so_whoever_goes_last),
		cmocka_unit_test(one_that_is_to_be_restarted_begins_again),
		cmocka_unit_test(one_that_ends_in_vain_five_times_has_failed),
		cmocka_unit_test(a_restart_leaves_nothing_of_the_last_time),
		cmocka_unit_test(shutdown_restarts_nothing),
		cmocka_unit_test(shutdown_leaves_no_child_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
