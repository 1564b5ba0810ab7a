/* SPDX-License-Identifier: MIT */
/* Being the lab process: from the fork to the last line of the journal. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/proc.h"
#include "base/json_memory.h"
#include "lab/lab_process.h"
#include "lab/trouble.h"
#include "node/cgroup.h"

enum {
	LAST_WORDS_MS = 1000, /* for clients to read their answers */
	LAST_TURNS = 16,
	FOLDER_LOOK_S = 2,

	/* Open files, as counted in running labs: 18 a machine, 6 more a card; and some
	 * for a machine that is being started, clients, captures. */
	FDS_LAB = 128,
	FDS_MACHINE = 20,
	FDS_CARD = 6,
	FDS_ADVISED = 65536,
};

struct signals {
	struct lab *lab;
	int fd;
	struct watch *watch;
};

/* ---- apart from the starter -----------------------------------------------------------
 */

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The starter may hold anything open, such as the pipe that somebody waits on. */
static void close_others(int *keep, size_t count)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(keep, count, sizeof(*keep), by_number);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < (int)from)
			continue;
		if ((unsigned)keep[i] > from)
			syscall(SYS_close_range, from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

/* stdin from nowhere, complaints to lab.log; also if those three were closed. */
static int redirect(const struct rundir *run, struct why *why)
{
	cleanup_close int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cleanup_close int log_fd = rundir_append(run, "lab.log", why);

	if (log_fd < 0)
		return log_fd;
	if (null_fd < 0)
		return why_errno(why, -errno, "/dev/null");
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
	    dup2(log_fd, STDERR_FILENO) < 0)
		return why_errno(why, -errno, "standard streams");
	setvbuf(stderr, NULL, _IOLBF, 0);
	return 0;
}

/* As many as the host allows this user; 0, or -EMFILE if the lab needs more. */
static int raise_descriptors(const struct plan *plan, struct why *why)
{
	uint64_t need = FDS_LAB + (uint64_t)FDS_MACHINE * plan->node_count;
	struct rlimit limit;

	for (size_t i = 0; i < plan->node_count; i++)
		need += (uint64_t)FDS_CARD * plan->nodes[i].interface_count;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return why_errno(why, -errno, "limit of open files");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return why_errno(why, -errno, "limit of open files");
	if (need <= limit.rlim_cur)
		return 0;
	return why_set(
		why, -EMFILE,
		"%zu machines with their cards take up to %" PRIu64
		" open files, and the limit here is %" PRIu64
		"; raise it (as root, in /etc/security/limits.conf: '* hard nofile "
		"%d', then log in anew), or take fewer machines",
		plan->node_count, need, (uint64_t)limit.rlim_cur, FDS_ADVISED);
}

static int check_room(const struct plan *plan, struct why *why)
{
	struct cgroup_room room;

	cgroup_look(&room, CGROUP_OURS, CGROUP_MOUNT);
	return cgroup_check(&room, plan->node_count, why);
}

static int leave_starter(struct lab_process *process, struct why *why)
{
	int keep[3 + STATE_FDS];
	int err;

	setsid();
	prctl(PR_SET_NAME, "netlab-lab");
	umask(022);
	err = raise_descriptors(process->lab.plan, why);
	if (!err)
		err = check_room(process->lab.plan, why);
	if (!err)
		err = rundir_enter(&process->lab.run, why);
	if (!err)
		err = state_enter(process->lab.state, why);
	if (!err)
		err = redirect(&process->lab.run, why);
	if (err)
		return err;
	keep[0] = process->report_fd;
	keep[1] = process->client_fd;
	keep[2] = process->lab.run.fd;
	state_fds(process->lab.state, keep + 3);
	close_others(keep, ARRAY_SIZE(keep));
	/* Sockets of machines have short names below this folder: the whole path
	 * may be longer than a socket's address. */
	if (chdir(process->nodes_dir) < 0)
		return why_errno(why, -errno, "%s", process->nodes_dir);
	return 0;
}

/* ---- signals ----------------------------------------------------------- */

static void on_signal(void *ctx, uint32_t events)
{
	struct signals *signals = ctx;
	struct signalfd_siginfo info;
	char reason[64];

	(void)events;
	if (read(signals->fd, &info, sizeof(info)) != sizeof(info))
		return;
	snprintf(reason, sizeof(reason), "signal %s",
		 info.ssi_signo == SIGTERM ? "TERM" : "INT");
	signals->lab->failure_told = true;
	lab_stop(signals->lab, false, reason);
	loop_defer(signals->lab->loop, &signals->lab->advance);
}

static int watch_signals(struct signals *signals, struct lab *lab, struct why *why)
{
	sigset_t mask;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* A file that may not grow (ulimit -f) is like a disk that is full. */
	signal(SIGXFSZ, SIG_IGN);
	/* Some caller may have ignored it; machines' ends could not be waited for. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signals->lab = lab;
	signals->fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0)
		return why_errno(why, -errno, "signalfd");
	return loop_watch(lab->loop, signals->fd, EPOLLIN, on_signal, signals,
			  &signals->watch, why);
}

/* ---- its folder -------------------------------------------------------- */

/* Where somebody removes the runtime folder (the last logout does), no command finds the lab
 * any more, so nobody could ever end it. */
struct folder_watch {
	struct lab *lab;
	struct timer due;
};

static void on_look_at_folder(void *ctx, uint64_t now_ns)
{
	struct folder_watch *watch = ctx;
	struct lab *lab = watch->lab;
	char reason[PATH_MAX + 128];

	if (state_is_there(lab->state)) {
		timer_set(lab->host, &watch->due, now_ns + FOLDER_LOOK_S * NS_PER_S);
		return;
	}
	snprintf(reason, sizeof(reason),
		 "%s was removed, so no command can find this lab any more: it ends",
		 state_dir(lab->state));
	fprintf(stderr, "%s\n", reason);
	lab->failure_told = true;
	lab_stop(lab, false, reason);
	loop_defer(lab->loop, &lab->advance);
}

static void watch_folder(struct folder_watch *watch, struct lab *lab)
{
	*watch = (struct folder_watch){ .lab = lab };
	watch->due = (struct timer){ .fire = on_look_at_folder, .ctx = watch };
	timer_set(lab->host, &watch->due,
		  clock_now_ns(lab->host) + FOLDER_LOOK_S * NS_PER_S);
}

/* ---- the life ---------------------------------------------------------- */

static void capture_path(const struct lab *lab, char *path, size_t room)
{
	snprintf(path, room, "captures/%s.pcapng", lab->capture_target);
	/* n1:eth0: a colon is no sign for names of files, least of all for copying. */
	for (char *colon = path; (colon = strchr(colon, ':'));)
		*colon = '.';
}

static void on_capture_ended(void *ctx, const struct capture_stats *stats,
			     const char *why)
{
	struct lab *lab = ctx;
	char path[NAME_MAX];

	journal_write(lab->journal, "capture-end",
		      json_pack("{s:I, s:I, s:I, s:s}", "frames",
				(json_int_t)stats->written, "missed",
				(json_int_t)stats->missed, "filtered",
				(json_int_t)stats->filtered, "why", why ? why : ""));
	if (why && strcmp(why, LAB_TAKEN_DOWN) != 0) {
		capture_path(lab, path, sizeof(path));
		lab_trouble_with(lab, path, why);
	}
}

/* `up --capture`: from the first frame, into the run directory. */
static int begin_capture(struct lab *lab, struct why *why)
{
	struct recording_config config = { .target = lab->capture_target };
	struct recording *recording;
	char path[NAME_MAX];
	int err;

	if (!lab->capture_target)
		return 0;
	capture_path(lab, path, sizeof(path));
	config.fd = rundir_append(&lab->run, path, why);
	if (config.fd < 0)
		return config.fd;
	err = captures_start(&recording, lab->fabric.captures, &config, on_capture_ended, lab,
			     why);
	if (err)
		close(config.fd);
	return err;
}

static int build(struct lab_process *process, struct signals *signals, struct why *why)
{
	struct lab *lab = &process->lab;
	int err = leave_starter(process, why);

	if (!err)
		err = loop_create(&lab->loop, why);
	if (!err)
		err = turns_create(&lab->turns, lab->loop, why);
	if (!err)
		err = lab_vtime_create(lab, why);
	if (!err)
		err = watch_signals(signals, lab, why);
	/* Virtual time has no lateness. */
	if (!err && !lab->vtime)
		clock_real_punctual(lab->clock);
	if (!err && !lab->vtime)
		err = balance_create(&lab->env.balance, lab->loop, lab->clock,
				     lab->plan->node_count, why);
	if (!err)
		err = proc_identify(&lab->info.process, 0, why);
	if (err)
		return err;
	lab->journal_fd = rundir_append(&lab->run, "journal.jsonl", why);
	if (lab->journal_fd < 0)
		return lab->journal_fd;
	lab->info.started_at =
		(int64_t)(clock_wall_ns(lab->host, clock_now_ns(lab->host)) / NS_PER_S);
	lab->env.nodes_dir = process->nodes_dir;
	lab->env.initramfs = process->parts.initramfs;
	lab->env.preload = process->parts.preload;
	lab->env.keeps_time = !lab->vtime;
	lab->kernels = process->kernel_of;
	err = lab_build(lab, why);
	if (!err)
		err = control_listen(lab->control, state_dir_fd(lab->state), "control",
				     why);
	if (!err)
		err = control_adopt(lab->control, process->client_fd, why);
	if (!err)
		err = begin_capture(lab, why);
	return err;
}

static void report(struct lab_process *process, const char *text)
{
	/* If the starter is gone, nobody needs to know. */
	(void)fdio_write(process->report_fd, text, strlen(text) + 1);
	close(process->report_fd);
}

static void journal_start(struct lab *lab)
{
	const struct rerun_config *rerun = lab->rerun_config;

	journal_write(lab->journal, "lab-start",
		      json_pack("{s:s, s:s, s:I, s:b, s:s, s:i, s:I, s:s*}", "lab",
				lab->name, "netlab", NETLAB_VERSION, "seed",
				(json_int_t)lab->seed, "seed_drawn", lab->seed_drawn,
				"topology", lab->plan->file, "nodes",
				(int)lab->plan->node_count, "floor_ns",
				(json_int_t)wire_floor_ns(lab->fabric.wire), "replays",
				rerun ? rerun->recorded->path : NULL));
}

static void live(struct lab *lab)
{
	char path[NAME_MAX];
	int err;

	journal_start(lab);
	if (lab->capture_target) {
		capture_path(lab, path, sizeof(path));
		journal_write(lab->journal, "capture",
			      json_pack("{s:s, s:s, s:b, s:s}", "target",
					lab->capture_target, "filter", "", "delivered", 0,
					"file", path));
	}
	lab_boot(lab);
	err = loop_run(lab->loop);
	if (err)
		fprintf(stderr, "the event loop ended: %s\n", strerror(-err));
	/* Answers to `down` and the like are made and sent. */
	for (int i = 0; i < LAST_TURNS && loop_turn(lab->loop, 0) >= 0; i++)
		;
}

_Noreturn void lab_main(struct lab_process *process)
{
	struct lab *lab = &process->lab;
	struct signals signals = { .fd = -1 };
	struct folder_watch folder;
	struct why why = { "" };

	json_memory_watch();
	if (build(process, &signals, &why)) {
		report(process, why.text);
		/* The starter, which is still there, removes the state. */
		_exit(1);
	}
	report(process, "");
	watch_folder(&folder, lab);
	live(lab);
	timer_cancel(lab->host, &folder.due);
	control_finish(lab->control, LAST_WORDS_MS);
	state_vacate(lab->state);
	watch_close(signals.watch);
	lab_unbuild(lab);
	balance_destroy(lab->env.balance);
	if (lab->vtime)
		vtime_destroy(lab->vtime);
	clock_destroy(lab->host);
	turns_destroy(lab->turns);
	loop_destroy(lab->loop);
	rundir_close(&lab->run);
	state_close(lab->state);
	exit(0);
}
