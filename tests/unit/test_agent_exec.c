/* SPDX-License-Identifier: MIT */
/* Commands on a machine, seen from the lab. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "unit/agent_rig.h"

static void run_in(const char *script, const char *members, struct outcome *outcome)
{
	struct rig rig;

	rig_up(&rig);
	rig_run(&rig, script, members, outcome);
	rig_down(&rig);
}

static void output_error_output_and_status_come_apart(void **state)
{
	struct outcome o;
	(void)state;

	run_in("echo out; echo err >&2; exit 42", "", &o);
	assert_string_equal(o.out, "out\n");
	assert_string_equal(o.err, "err\n");
	assert_int_equal(o.exit, 42);
	assert_int_equal(o.signal, -1);
	assert_true(o.pid > 1);
	outcome_free(&o);
}

static void a_death_by_signal_is_told_as_one(void **state)
{
	struct outcome o;
	(void)state;

	run_in("kill -9 $$", "", &o);
	assert_int_equal(o.signal, 9);
	assert_int_equal(o.exit, -1);
	outcome_free(&o);
}

static void what_cannot_be_run_fails_as_in_a_shell(void **state)
{
	static const struct {
		const char *exec;
		int exit;
		const char *words;
	} cases[] = {
		{ "{\"argv\":[\"no-such-program\"]}", 127,
		  "no-such-program: command not found" },
		{ "{\"argv\":[\"/no/such/file\"]}", 127,
		  "/no/such/file: No such file or directory" },
		{ "{\"argv\":[\"/etc/passwd\"]}", 126, "/etc/passwd: Permission denied" },
		{ "{\"argv\":[\"/\"]}", 126, "/: Permission denied" },
		{ "{\"argv\":[\"true\"],\"cwd\":\"/no/where\"}", 126,
		  "true: /no/where: No such file or directory" },
		{ "{\"argv\":[\"\"]}", 126, "the command is empty" },
		{ "{\"argv\":[]}", 126, "EXEC: /argv: is empty; it begins with the program" },
		{ "{\"argv\":[1]}", 126, "EXEC: /argv/0: expected a string" },
		{ "{\"argv\":[\"true\"],\"ttty\":true}", 126,
		  "EXEC: /ttty: not known to this agent" },
		{ "{\"argv\":[\"true\"],\"env\":{\"A=B\":\"\"}}", 126,
		  "EXEC: /env: \"A=B\" cannot be a variable's name" },
		{ "{\"argv\"", 126, NULL },
	};
	struct rig rig;
	(void)state;

	rig_up(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome o;

		rig_text(&rig, PROTO_EXEC, 3, cases[i].exec);
		rig_collect(&rig, 3, &o);
		assert_int_equal(o.exit, cases[i].exit);
		if (cases[i].words)
			assert_string_equal(o.failed, cases[i].words);
		else
			assert_true(*o.failed);
		outcome_free(&o);
	}
	rig_down(&rig);
}

static void the_environment_is_the_defaults_the_plan_and_the_request(void **state)
{
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_start(&rig);
	rig_config(&rig, "\"env\":{\"TARGET\":\"n2\",\"HOME\":\"/home\"}");
	rig_run(&rig, "echo $TARGET $HOME $USER $HOSTNAME $TERM; pwd",
		",\"env\":{\"TERM\":\"xterm\",\"USER\":\"me\"},\"cwd\":\"/usr\"", &o);
	assert_string_equal(o.out, "n2 /home me n1 xterm\n/usr\n");
	outcome_free(&o);
	rig_down(&rig);
}

/* Looked up in the PATH that the command gets, not in the agent's. */
static void a_script_is_found_in_its_path_and_needs_no_first_line(void **state)
{
	char dir[] = "/tmp/agent-test-XXXXXX", path[64], exec[256];
	struct outcome o;
	struct rig rig;
	FILE *file;
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/greet", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("echo hello $1 from $0\n", file);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
	rig_up(&rig);
	snprintf(exec, sizeof(exec),
		 "{\"argv\":[\"greet\",\"you\"],\"env\":{\"PATH\":\"/no/where:%s\"}}", dir);
	rig_text(&rig, PROTO_EXEC, 1, exec);
	rig_collect(&rig, 1, &o);
	assert_string_equal(o.failed, "");
	assert_memory_equal(o.out, "hello you from /tmp/agent-test-", 30);
	outcome_free(&o);
	rig_down(&rig);
	unlink(path);
	rmdir(dir);
}

static void input_arrives_and_ends(void **state)
{
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig_exec(&rig, 5, "cat; echo that was it", "");
	rig_text(&rig, PROTO_STDIN, 5, "one\n");
	rig_await_output(&rig, 5, "one\n");
	rig_text(&rig, PROTO_STDIN, 5, "two\n");
	rig_send(&rig, PROTO_STDIN, 5, "", 0);
	rig_collect(&rig, 5, &o);
	assert_string_equal(o.out, "two\nthat was it\n");
	assert_int_equal(o.exit, 0);
	outcome_free(&o);
	rig_down(&rig);
}

/* Its shell is a fresh process: nothing of the agent's shows in it. */
static void a_command_starts_clean(void **state)
{
	struct outcome o;
	(void)state;

	run_in("ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign)' /proc/self/status;"
	       "test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo own session", "", &o);
	assert_string_equal(o.out, "0 1 2 3 SigBlk:\t0000000000000000\n"
				   "SigIgn:\t0000000000000000\nown session\n");
	outcome_free(&o);
}

/* How many descriptors the agent has, and how many zombies.  Asked when the agent
 * has answered: it closes the command's ends of the pipes while that one starts. */
static void count_leftovers(struct rig *rig, char out[64])
{
	char script[160];
	struct outcome o;

	snprintf(script, sizeof(script),
		 "read go; ls /proc/%d/fd | wc -l;"
		 "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z %d '",
		 rig->pid, rig->pid);
	rig_exec(rig, 8, script, "");
	json_decref(rig_expect(rig, PROTO_STARTED, 8));
	rig_text(rig, PROTO_STDIN, 8, "go\n");
	rig_collect(rig, 8, &o);
	snprintf(out, 64, "%s", o.out);
	assert_non_null(strstr(out, "\n0\n"));
	outcome_free(&o);
}

static void a_thousand_quick_commands_leave_nothing(void **state)
{
	char before[64], after[64];
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	count_leftovers(&rig, before);
	for (uint32_t i = 1; i <= 1000; i++) {
		rig_exec(&rig, i % 3 + 1, "echo $((6 * 7)); exit 7", "");
		rig_collect(&rig, i % 3 + 1, &o);
		assert_string_equal(o.out, "42\n");
		assert_int_equal(o.exit, 7);
		outcome_free(&o);
	}
	/* One that could not be started leaves nothing either. */
	for (int i = 0; i < 100; i++) {
		rig_text(&rig, PROTO_EXEC, 1, "{\"argv\":[\"/no/such\"],\"tty\":true}");
		rig_collect(&rig, 1, &o);
		outcome_free(&o);
	}
	count_leftovers(&rig, after);
	assert_string_equal(after, before);
	rig_down(&rig);
}

static void commands_run_side_by_side_up_to_a_limit(void **state)
{
	struct proto_message m;
	unsigned exited = 0, failed = 0;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	for (uint32_t i = 1; i <= PROTO_CHANNELS_MAX + 1; i++)
		rig_exec(&rig, i, "read x; exit 3", "");
	/* The last is refused while all others wait for input. */
	do
		rig_next(&rig, &m);
	while (m.type == PROTO_STARTED);
	assert_int_equal(m.type, PROTO_FAILED);
	assert_int_equal(m.channel, PROTO_CHANNELS_MAX + 1);
	for (uint32_t i = 1; i <= PROTO_CHANNELS_MAX; i++)
		rig_send(&rig, PROTO_STDIN, i, "", 0);
	while (exited < PROTO_CHANNELS_MAX) {
		rig_next(&rig, &m);
		exited += m.type == PROTO_EXITED;
		failed += m.type == PROTO_FAILED;
	}
	assert_int_equal(failed, 0);
	rig_down(&rig);
}

/* The daemon keeps the pipes; the command does not wait for it, and the daemon
 * does not die of a pipe that nobody reads. */
static void a_background_process_outlives_its_command(void **state)
{
	char dir[] = "/tmp/agent-test-XXXXXX", script[512], path[64];
	struct outcome o;
	struct rig rig;
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/done", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(script, sizeof(script),
		 "(read go <%s; echo noise; echo noise; echo alive >%s) & echo started", path,
		 path);
	rig_up(&rig);
	rig_run(&rig, script, "", &o);
	assert_string_equal(o.out, "started\n");
	outcome_free(&o);
	snprintf(script, sizeof(script), "echo go >%s; cat %s", path, path);
	rig_run(&rig, script, "", &o);
	assert_string_equal(o.out, "alive\n");
	outcome_free(&o);
	rig_down(&rig);
	unlink(path);
	rmdir(dir);
}

static void signals_reach_the_command(void **state)
{
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig_exec(&rig, 1, "trap 'echo caught; exit 5' USR1; echo set; while :; do read x; done",
		 "");
	rig_await_output(&rig, 1, "set");
	rig_text(&rig, PROTO_SIGNAL, 1, "{\"signal\":10}");
	rig_collect(&rig, 1, &o);
	assert_string_equal(o.out, "caught\n");
	assert_int_equal(o.exit, 5);
	outcome_free(&o);
	rig_down(&rig);
}

static void close_hangs_up_the_whole_session(void **state)
{
	struct proto_message m;
	pid_t pids[3] = { 0 };
	char *at, line[128] = "";
	struct outcome o;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	/* A child in the same group, one in its own group (job control), and a leader
	 * that does not want to go. */
	rig_exec(&rig, 9,
		 "trap '' HUP; sleep 1000 & a=$!; set -m; sleep 1000 & echo $$ $a $! .;"
		 "while :; do wait; done",
		 "");
	while (!strchr(line, '.')) {
		rig_next(&rig, &m);
		if (m.type == PROTO_STDOUT)
			snprintf(line, sizeof(line), "%.*s", (int)m.size,
				 (const char *)m.payload);
	}
	at = line;
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = (pid_t)strtol(at, &at, 10);
	rig_send(&rig, PROTO_CLOSE, 9, "{}", 2);
	rig_collect(&rig, 9, &o);
	assert_int_equal(o.signal, SIGKILL);
	outcome_free(&o);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_true(pids[i] > 1);
		rig_await_gone(pids[i]);
	}
	/* The channel is free again. */
	rig_exec(&rig, 9, "exit 1", "");
	rig_collect(&rig, 9, &o);
	assert_int_equal(o.exit, 1);
	outcome_free(&o);
	rig_down(&rig);
}

static void close_reaches_a_stopped_command_and_one_that_floods(void **state)
{
	struct outcome o;
	json_t *started;
	struct rig rig;
	(void)state;

	rig_up(&rig);
	rig_exec(&rig, 1, "kill -STOP $$", "");
	started = rig_expect(&rig, PROTO_STARTED, 1);
	rig_await_state((pid_t)json_integer_value(json_object_get(started, "pid")), 'T');
	json_decref(started);
	rig_send(&rig, PROTO_CLOSE, 1, "", 0);
	rig_collect(&rig, 1, &o);
	assert_int_equal(o.signal, SIGHUP);
	outcome_free(&o);
	rig.credit = false;
	rig_exec(&rig, 2, "cat /dev/zero", "");
	rig_await_output(&rig, 2, "");
	rig_send(&rig, PROTO_CLOSE, 2, "", 0);
	rig_collect(&rig, 2, &o);
	assert_true(o.signal == SIGHUP || o.signal == SIGPIPE);
	outcome_free(&o);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_error_output_and_status_come_apart),
		cmocka_unit_test(a_death_by_signal_is_told_as_one),
		cmocka_unit_test(what_cannot_be_run_fails_as_in_a_shell),
		cmocka_unit_test(the_environment_is_the_defaults_the_plan_and_the_request),
		cmocka_unit_test(a_script_is_found_in_its_path_and_needs_no_first_line),
		cmocka_unit_test(input_arrives_and_ends),
		cmocka_unit_test(a_command_starts_clean),
		cmocka_unit_test(a_thousand_quick_commands_leave_nothing),
		cmocka_unit_test(commands_run_side_by_side_up_to_a_limit),
		cmocka_unit_test(a_background_process_outlives_its_command),
		cmocka_unit_test(signals_reach_the_command),
		cmocka_unit_test(close_hangs_up_the_whole_session),
		cmocka_unit_test(close_reaches_a_stopped_command_and_one_that_floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
