/* SPDX-License-Identifier: MIT */
/* node/node.h with a real machine: it boots, finds the host read-only, and how it
 * ended is told.  As root, each is held twice: for root and for an ordinary user. */
#include "node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/loop.h"
#include "base/proc.h"
#include "clock/clock.h"
#include "kernel/choice.h"
#include "unit/sandbox_scene.h"

enum { BOOT_TIMEOUT_MS = 30000 };

static struct kernel kernel;
static char copy[PATH_MAX];

struct machine {
	struct node *node;
	int master;
	char text[32768];
	size_t used;
	char how[128];
};

static struct clock *stopwatch(void)
{
	static struct loop *loop;
	static struct clock *clock;

	if (!clock && (loop_create(&loop, NULL) || clock_real_create(&clock, loop, NULL)))
		abort();
	return clock;
}

static int copy_file(const char *from, const char *to, struct why *why)
{
	cleanup_free char *bytes = NULL;
	size_t size;
	int err = fdio_read_file(AT_FDCWD, from, 64 << 20, &bytes, &size, why);

	return err ? err : fdio_write_file(AT_FDCWD, to, bytes, size, 0755, why);
}

static int start(struct machine *m, const struct scene *scene, const char *args,
		 const char *lab_dir, struct why *why)
{
	char work[PATH_MAX + 8], initramfs[PATH_MAX + 16], preload[PATH_MAX + 16];
	struct plan_node plan = { .name = "guest",
				  .kind = (char *)"uml",
				  .memory_bytes = 64 << 20 };
	struct node_start spec = { .plan = &plan,
				   .lab_dir = lab_dir,
				   .work_dir = work,
				   .kernel = &kernel,
				   .initramfs = initramfs,
				   .preload = kernel.dynamic ? preload : NULL,
				   .extra_args = args };
	int slave, err;

	snprintf(work, sizeof(work), "%s/work", scene->private_dir);
	snprintf(initramfs, sizeof(initramfs), "%s/initramfs", scene->writable);
	snprintf(preload, sizeof(preload), "%s/preload.so", scene->writable);
	if (mkdir(work, 0700) && errno != EEXIST)
		return why_errno(why, -errno, "%s", work);
	err = copy_file(GUEST_INITRAMFS, initramfs, why);
	if (!err)
		err = copy_file(PRELOAD_LIBRARY, preload, why);
	if (err)
		return err;
	if (openpty(&m->master, &slave, NULL, NULL, NULL))
		return why_errno(why, -errno, "openpty");
	spec.console_fd = slave;
	err = node_start(&m->node, &spec, why);
	close(slave);
	return err;
}

/* Read the console until a text is in it, or the machine has ended (until NULL). */
static int await(struct machine *m, const char *until, struct why *why)
{
	struct pollfd fds[] = { { .fd = m->master, .events = POLLIN },
				{ .fd = node_pidfd(m->node), .events = POLLIN } };

	while (!until || !strstr(m->text, until)) {
		ssize_t got = -1;

		HOLD(poll(fds, 2, BOOT_TIMEOUT_MS) > 0, "nothing happens:\n%s", m->text);
		if (fds[0].revents)
			got = read(m->master, m->text + m->used, sizeof(m->text) - 1 - m->used);
		if (got > 0)
			m->used += (size_t)got;
		else if (fds[1].revents)
			break;
	}
	HOLD(!until || strstr(m->text, until), "no '%s' in:\n%s", until, m->text);
	return 0;
}

static int finish(struct machine *m, const char *how, struct why *why)
{
	int err = await(m, NULL, why);

	if (err)
		return err;
	node_reap(m->node, m->how, sizeof(m->how));
	node_free(m->node);
	close(m->master);
	HOLD(!strcmp(m->how, how), "it %s:\n%s", m->how, m->text);
	return 0;
}

static long seen(const struct machine *m, const char *name)
{
	char key[64];
	const char *found;

	snprintf(key, sizeof(key), "guest: %s ", name);
	found = strstr(m->text, key);
	return found ? strtol(found + strlen(key), NULL, 10) : -999;
}

static int boots(const struct scene *scene, struct why *why)
{
	static const struct {
		const char *name;
		long value;
	} list[] = { { "hostfs", 0 },	 { "passwd-owner", 0 }, { "write-etc", 0 },
		     { "write-usr", 0 }, { "write-lab", 0 },	{ "home", 0 },
		     { "tmp", 0 },	 { "lab", 1 },		{ "true", 0 } };
	struct machine *m = calloc(1, sizeof(*m));
	uint64_t began = clock_now_ns(stopwatch()), up;
	int err = start(m, scene, "guest=off", scene->closed, why);

	if (err)
		return err;
	HOLD(node_pid(m->node) > 1, "%d", (int)node_pid(m->node));
	err = await(m, "guest: hostfs", why);
	up = clock_now_ns(stopwatch());
	if (!err)
		err = finish(m, "powered off", why);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		HOLD(seen(m, list[i].name) == list[i].value, "%s is %ld:\n%s", list[i].name,
		     seen(m, list[i].name), m->text);
	printf("kernel %s: from node_start() to /init %llu ms, as user %u\n", kernel.release,
	       (unsigned long long)((up - began) / NS_PER_MS), scene->uid);
	fflush(stdout);
	free(m);
	return 0;
}

static void a_machine_boots_and_finds_the_host_read_only(void **state)
{
	(void)state;
	scene_in_lab(boots);
}

static int end_as(const struct scene *scene, const char *args, const char *how, struct why *why)
{
	struct machine *m = calloc(1, sizeof(*m));
	int err = start(m, scene, args, NULL, why);

	if (!err)
		err = finish(m, how, why);
	free(m);
	return err;
}

static int reboots(const struct scene *scene, struct why *why)
{
	return end_as(scene, "guest=reboot", "rebooted", why);
}

static int panics(const struct scene *scene, struct why *why)
{
	return end_as(scene, "guest=panic", "kernel panic (aborted)", why);
}

static void a_guest_that_reboots_or_panics_ends_and_it_is_told(void **state)
{
	(void)state;
	scene_in_lab(reboots);
	scene_in_lab(panics);
}

static int dies(const struct scene *scene, struct why *why)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct proc_id first;
	int err = start(m, scene, "guest=wait", NULL, why);

	if (!err)
		err = proc_identify(&first, node_pid(m->node), why);
	if (!err)
		err = await(m, "guest: done", why);
	if (err)
		return err;
	HOLD(proc_alive(&first), "dead too early");
	node_kill(m->node);
	err = finish(m, "killed", why);
	HOLD(!proc_alive(&first), "alive");
	/* Nobody is left: not even a zombie. */
	HOLD(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a child is left");
	free(m);
	return err;
}

static void a_killed_machine_is_gone_altogether(void **state)
{
	(void)state;
	scene_in_lab(dies);
}

static int refused(const struct scene *scene, struct why *why)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct why local = { "" };
	int err = start(m, scene, "umid=x", NULL, &local);

	HOLD(err == -EINVAL && strstr(local.text, "node guest: "), "%d %s", err, local.text);
	err = start(m, scene, "", "/", &local);
	HOLD(err == -EINVAL && strstr(local.text, "folder of its own"), "%d %s", err, local.text);
	free(m);
	return 0;
}

static void what_cannot_be_is_refused_with_the_nodes_name(void **state)
{
	(void)state;
	scene_in_lab(refused);
}

static void a_kernel_is_found_and_asked(void **state)
{
	struct kernel found;
	struct why why = { "" };

	(void)state;
	assert_int_equal(choice_find(&found, kernel.path, &why), 0);
	assert_string_equal(found.release, kernel.release);
	assert_int_equal(choice_find(&found, "/nowhere/linux", &why), -ENOENT);
	assert_non_null(strstr(why.text, "apt-get install user-mode-linux"));
	assert_int_equal(choice_find(&found, "/bin/true", &why), -ENOEXEC);
	assert_non_null(strstr(why.text, "User-Mode Linux"));
	assert_int_equal(choice_find(&found, "/etc/passwd", &why), -EACCES);
	assert_int_equal(choice_find(&found, "/bin/sh", &why), -ENOEXEC);
}

/* The kernel may lie where only this user can read it, in a closed home: others run a copy.
 * One that needs modules keeps its path, from which they are found. */
static int for_all(struct why *why)
{
	snprintf(copy, sizeof(copy), "%s/linux", scene_place());
	if (!(kernel.can & KERNEL_BUILTIN))
		return 0;
	return copy_file(kernel.path, copy, why) ?: kernel_look(&kernel, copy, why);
}

static int begin(void **state)
{
	struct why why = { "" };

	if (choice_find(&kernel, getenv("NETLAB_TEST_KERNEL"), &why)) {
		printf("skipped: %s\n", why.text);
		exit(77);
	}
	return scene_begin(state) ?: for_all(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_found_and_asked),
		cmocka_unit_test(a_machine_boots_and_finds_the_host_read_only),
		cmocka_unit_test(a_guest_that_reboots_or_panics_ends_and_it_is_told),
		cmocka_unit_test(a_killed_machine_is_gone_altogether),
		cmocka_unit_test(what_cannot_be_is_refused_with_the_nodes_name),
	};

	return cmocka_run_group_tests(tests, begin, scene_end);
}
