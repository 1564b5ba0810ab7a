/* SPDX-License-Identifier: MIT */
#include "run/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdio.h"

static char home[64];

static int make_home(void **state)
{
	(void)state;
	snprintf(home, sizeof(home), "/tmp/test-lab-state.XXXXXX");
	if (!mkdtemp(home))
		return -1;
	return setenv("XDG_RUNTIME_DIR", home, 1);
}

static int remove_home(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);

	(void)state;
	fdio_remove_tree(tmp, home + strlen("/tmp/"), NULL);
	close(tmp);
	return 0;
}

static struct state_info about(enum state_kind kind, struct proc_id process)
{
	return (struct state_info){ .kind = kind,
				    .process = process,
				    .topology = "/t/triangle.json",
				    .run_dir = "/t/netlab-runs/triangle-1",
				    .started_at = 1234 };
}

/* A process that holds a lab's state as a lab does, and says when it has it. */
static pid_t start_holder(const char *name, enum state_kind kind)
{
	int ends[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct state *state;
		struct proc_id own;
		struct state_info info;

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* if the test fails, too */
		if (state_create(&state, name, NULL, NULL) ||
		    proc_identify(&own, 0, NULL))
			_exit(1);
		info = about(kind, own);
		if (state_write(state, &info, NULL) || write(ends[1], "g", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void end_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_lab_that_runs_is_found_with_what_it_said_of_itself(void **state)
{
	pid_t pid = start_holder("triangle", STATE_RUNNING);
	struct state_info info;

	(void)state;
	assert_int_equal(state_look(&info, "triangle", NULL), 0);
	assert_int_equal(info.kind, STATE_RUNNING);
	assert_int_equal(info.process.pid, pid);
	assert_string_equal(info.topology, "/t/triangle.json");
	assert_string_equal(info.run_dir, "/t/netlab-runs/triangle-1");
	assert_int_equal(info.started_at, 1234);
	end_holder(pid);
	assert_int_equal(state_clear("triangle", NULL), 0);
}

static void no_second_lab_gets_the_name_of_one_that_runs(void **state)
{
	pid_t pid = start_holder("triangle", STATE_BOOTING);
	struct state *second = NULL;
	struct why why;

	(void)state;
	assert_int_equal(state_create(&second, "triangle", NULL, &why), -EBUSY);
	assert_non_null(strstr(why.text, "netlab down triangle"));
	assert_int_equal(state_clear("triangle", &why), -EBUSY);
	end_holder(pid);
	assert_int_equal(state_clear("triangle", NULL), 0);
}

static void a_killed_lab_is_dead_until_it_is_cleared(void **state)
{
	pid_t pid = start_holder("triangle", STATE_RUNNING);
	struct state_info info;
	int fd;

	(void)state;
	end_holder(pid);
	assert_int_equal(state_look(&info, "triangle", NULL), 0);
	assert_int_equal(info.kind, STATE_DEAD);
	assert_int_equal(info.process.pid, pid);
	assert_int_equal(state_connect("triangle", &fd, NULL), -ECONNREFUSED);
	assert_int_equal(state_clear("triangle", NULL), 0);
	assert_int_equal(state_look(&info, "triangle", NULL), -ENOENT);
	assert_int_equal(state_clear("triangle", NULL), -ENOENT);
}

static void a_number_that_is_used_again_is_not_taken_for_the_lab(void **state)
{
	pid_t bystander = fork();
	struct proc_id other;
	struct state *mine;
	struct state_info info;

	(void)state;
	if (bystander == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	assert_int_equal(proc_identify(&other, bystander, NULL), 0);
	other.start_ticks -= 1; /* the lab that had this number began earlier */
	assert_int_equal(state_create(&mine, "triangle", NULL, NULL), 0);
	info = about(STATE_RUNNING, other);
	assert_int_equal(state_write(mine, &info, NULL), 0);
	/* While the lock is held it is alive, but that process is not it. */
	assert_int_equal(state_look(&info, "triangle", NULL), 0);
	assert_int_equal(info.kind, STATE_RUNNING);
	assert_int_equal(info.process.pid, 0);
	assert_int_equal(state_kill("triangle", 100, NULL), -ESRCH);
	state_close(mine);
	assert_int_equal(state_look(&info, "triangle", NULL), 0);
	assert_int_equal(info.kind, STATE_DEAD);
	assert_int_equal(state_kill("triangle", 1000, NULL), 0);
	assert_int_equal(kill(bystander, 0), 0);
	end_holder(bystander);
}

static void killing_a_lab_ends_it_and_clears_it(void **state)
{
	pid_t pid = start_holder("triangle", STATE_RUNNING);
	struct state_info info;

	(void)state;
	assert_int_equal(state_kill("triangle", 5000, NULL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(state_look(&info, "triangle", NULL), -ENOENT);
}

static void the_next_of_a_dead_labs_name_clears_what_it_left(void **state)
{
	pid_t pid = start_holder("triangle", STATE_RUNNING);
	struct state *next;
	bool cleared = false;

	(void)state;
	end_holder(pid);
	assert_int_equal(state_create(&next, "triangle", &cleared, NULL), 0);
	assert_true(cleared);
	assert_int_equal(faccessat(state_dir_fd(next), "lab.json", F_OK, 0), -1);
	assert_int_equal(state_remove(next, NULL), 0);
	state_close(next);
	assert_int_equal(state_create(&next, "triangle", &cleared, NULL), 0);
	assert_false(cleared);
	assert_int_equal(state_remove(next, NULL), 0);
	state_close(next);
}

static void one_that_died_before_its_first_word_is_dead_too(void **state)
{
	struct state_info info;
	struct state *mine;

	(void)state;
	assert_int_equal(state_create(&mine, "triangle", NULL, NULL), 0);
	assert_int_equal(state_look(&info, "triangle", NULL), 0);
	assert_int_equal(info.kind, STATE_BOOTING);
	state_close(mine);
	assert_int_equal(state_look(&info, "triangle", NULL), 0);
	assert_int_equal(info.kind, STATE_DEAD);
	assert_int_equal(info.process.pid, 0);
	assert_int_equal(state_clear("triangle", NULL), 0);
}

static void rubbish_in_lab_json_is_not_believed(void **state)
{
	static const char *const rubbish[] = {
		"",
		"{",
		"[1,2]",
		"{\"pid\":-1,\"state\":\"dead\"}",
		"{\"pid\":\"12\",\"state\":\"running\",\"topology\":7}",
		"\xff\xfe",
	};
	struct state_info info;
	struct state *mine;

	(void)state;
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		assert_int_equal(state_create(&mine, "triangle", NULL, NULL), 0);
		assert_int_equal(fdio_write_file(state_dir_fd(mine), "lab.json",
						 rubbish[i], strlen(rubbish[i]), 0600,
						 NULL),
				 0);
		assert_int_equal(state_look(&info, "triangle", NULL), 0);
		assert_int_not_equal(info.kind, STATE_DEAD);
		assert_int_equal(info.process.pid, 0);
		assert_int_equal(state_remove(mine, NULL), 0);
		state_close(mine);
	}
}

static void labs_are_listed_by_name_with_dead_and_living(void **state)
{
	pid_t b = start_holder("b", STATE_RUNNING), a = start_holder("a", STATE_BOOTING);
	struct state_info *labs;
	size_t count;

	(void)state;
	end_holder(b);
	assert_int_equal(state_list(&labs, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(labs[0].name, "a");
	assert_int_equal(labs[0].kind, STATE_BOOTING);
	assert_string_equal(labs[1].name, "b");
	assert_int_equal(labs[1].kind, STATE_DEAD);
	free(labs);
	end_holder(a);
	assert_int_equal(state_clear("a", NULL), 0);
	assert_int_equal(state_clear("b", NULL), 0);
	assert_int_equal(state_list(&labs, &count, NULL), 0);
	assert_int_equal(count, 0);
	free(labs);
}

static void names_that_would_leave_the_folder_are_refused(void **state)
{
	static const char *const bad[] = {
		"",   ".",   "..", "a/b", "../a",
		".a", "a b", "\n", "ä",	  "0123456789012345678901234567890123"
	};
	struct state_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(state_name_check(bad[i], NULL), -EINVAL);
		assert_int_equal(state_look(&info, bad[i], NULL), -EINVAL);
		assert_int_equal(state_clear(bad[i], NULL), -EINVAL);
	}
	assert_int_equal(state_name_check("two-sites_2.1", NULL), 0);
}

static void a_folder_that_others_can_enter_is_refused(void **state)
{
	char path[128];
	struct state *mine = NULL;
	struct why why;

	(void)state;
	snprintf(path, sizeof(path), "%s/netlab", home);
	mkdir(path, 0700);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(state_create(&mine, "triangle", NULL, &why), -EPERM);
	assert_non_null(strstr(why.text, "chmod 700"));
	assert_int_equal(chmod(path, 0700), 0);
}

static void a_link_in_place_of_the_folder_is_refused(void **state)
{
	char path[128], target[128];
	struct state *mine = NULL;

	(void)state;
	snprintf(path, sizeof(path), "%s/netlab", home);
	snprintf(target, sizeof(target), "%s/elsewhere", home);
	rmdir(path);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_true(state_create(&mine, "triangle", NULL, NULL) < 0);
	unlink(path);
	rmdir(target);
}

/* As another user, who has no runtime folder of his own choice. */
/* Nobody's id, and another in each run: one that was killed has left its folders. */
static uid_t somebody;

static void be_somebody(void)
{
	if (setgid(somebody) || setuid(somebody) || unsetenv("XDG_RUNTIME_DIR"))
		_exit(100);
}

/* What cron began before the first login, looked for by who has logged in: root, on the
 * other end, makes the login's folder meanwhile. */
static int finds_both(int end)
{
	struct state *early, *late = NULL;
	struct state_info info, *labs;
	size_t count = 0;
	char byte = 0;
	int bad = 0;

	if (state_create(&early, "early", NULL, NULL))
		return 1;
	if (write(end, "g", 1) != 1 || read(end, &byte, 1) != 1 ||
	    state_create(&late, "late", NULL, NULL))
		return 2;
	bad |= state_list(&labs, &count, NULL) || count != 2 ? 4 : 0;
	bad |= state_look(&info, "early", NULL) || strncmp(info.dir, "/tmp/", 5) != 0 ? 8 : 0;
	bad |= state_create(&late, "early", NULL, NULL) != -EBUSY ? 16 : 0;
	/* Whoever has chosen a place of his own is alone there. */
	setenv("XDG_RUNTIME_DIR", home, 1);
	bad |= state_look(&info, "early", NULL) != -ENOENT ? 32 : 0;
	unsetenv("XDG_RUNTIME_DIR");
	state_remove(early, NULL);
	state_remove(late, NULL);
	return bad;
}

static void labs_of_before_the_login_are_found_after_it(void **state)
{
	char login[80], labs[96], early[64], byte = 0;
	int ends[2], status;
	bool made;
	pid_t pid;

	(void)state;
	snprintf(login, sizeof(login), "/run/user/%u", somebody);
	snprintf(labs, sizeof(labs), "%s/netlab", login);
	snprintf(early, sizeof(early), "/tmp/netlab-%u", somebody);
	made = geteuid() == 0 && !mkdir("/run/user", 0755);
	if (geteuid() != 0 || (!made && errno != EEXIST))
		skip();
	assert_int_equal(chmod(home, 0755), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		be_somebody();
		_exit(finds_both(ends[1]));
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 1 && !mkdir(login, 0700) &&
	    !chown(login, somebody, somebody))
		assert_int_equal(write(ends[0], "g", 1), 1);
	close(ends[0]);
	waitpid(pid, &status, 0);
	rmdir(early);
	rmdir(labs);
	rmdir(login);
	if (made)
		rmdir("/run/user");
	assert_int_equal(status, 0);
}

static void root_leaves_nothing_in_another_users_runtime_folder(void **state)
{
	struct state *mine = NULL;
	struct why why = { "" };
	char path[128];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(home, somebody, somebody), 0);
	assert_int_equal(state_create(&mine, "triangle", NULL, &why), -EPERM);
	assert_non_null(strstr(why.text, "unset XDG_RUNTIME_DIR"));
	snprintf(path, sizeof(path), "%s/netlab", home);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(chown(home, 0, 0), 0);
}

static void a_lab_sees_that_its_folder_was_removed(void **state)
{
	struct state *mine;
	int control;

	(void)state;
	assert_int_equal(state_create(&mine, "triangle", NULL, NULL), 0);
	control = openat(state_dir_fd(mine), "control", O_CREAT | O_WRONLY, 0600);
	assert_true(control >= 0);
	close(control);
	assert_true(state_is_there(mine));
	assert_int_equal(state_remove(mine, NULL), 0);
	assert_false(state_is_there(mine));
	state_close(mine);
}

static void what_a_lab_could_not_remove_itself_goes_when_somebody_looks(void **state)
{
	struct state_info info;
	struct state *mine;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/netlab/triangle", home);
	assert_int_equal(state_create(&mine, "triangle", NULL, NULL), 0);
	assert_int_equal(mkdirat(state_dir_fd(mine), "nodes", 0700), 0);
	info = about(STATE_RUNNING, (struct proc_id){ 0 });
	assert_int_equal(state_enter(mine, NULL), 0);
	assert_int_equal(state_write(mine, &info, NULL), 0);
	state_vacate(mine);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(state_look(&info, "triangle", NULL), -ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	state_close(mine);
	assert_int_equal(state_create(&mine, "triangle", NULL, NULL), 0);
	assert_int_equal(state_remove(mine, NULL), 0);
	state_close(mine);
}

static void one_on_its_way_down_is_waited_for(void **state)
{
	pid_t pid = start_holder("triangle", STATE_STOPPING), killer;
	struct state *next;

	(void)state;
	killer = fork();
	if (killer == 0) {
		/* As long as the other looks, then it goes. */
		struct state_info info;

		for (int i = 0; i < 10; i++)
			state_look(&info, "triangle", NULL);
		kill(pid, SIGKILL);
		_exit(0);
	}
	assert_int_equal(state_create(&next, "triangle", NULL, NULL), 0);
	assert_int_equal(state_remove(next, NULL), 0);
	state_close(next);
	waitpid(killer, NULL, 0);
	waitpid(pid, NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, remove_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lab_that_runs_is_found_with_what_it_said_of_itself),
		TEST(no_second_lab_gets_the_name_of_one_that_runs),
		TEST(a_killed_lab_is_dead_until_it_is_cleared),
		TEST(a_number_that_is_used_again_is_not_taken_for_the_lab),
		TEST(killing_a_lab_ends_it_and_clears_it),
		TEST(the_next_of_a_dead_labs_name_clears_what_it_left),
		TEST(one_that_died_before_its_first_word_is_dead_too),
		TEST(rubbish_in_lab_json_is_not_believed),
		TEST(labs_are_listed_by_name_with_dead_and_living),
		TEST(names_that_would_leave_the_folder_are_refused),
		TEST(a_folder_that_others_can_enter_is_refused),
		TEST(a_link_in_place_of_the_folder_is_refused),
		TEST(labs_of_before_the_login_are_found_after_it),
		TEST(root_leaves_nothing_in_another_users_runtime_folder),
		TEST(a_lab_sees_that_its_folder_was_removed),
		TEST(what_a_lab_could_not_remove_itself_goes_when_somebody_looks),
		TEST(one_on_its_way_down_is_waited_for),
	};

	somebody = 200000 + (uid_t)getpid() % 100000;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
