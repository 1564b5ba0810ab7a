/* SPDX-License-Identifier: MIT */
#include "agent/life.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/console.h"
#include "agent/initctl.h"
#include "agentproto/proto.h"
#include "init/init.h"
#include "init/modprobe.h"
#include "init/modules.h"
#include "init/net.h"
#include "init/setup.h"
#include "init/timekeep.h"
#include "base/cleanup.h"
#include "base/fdio.h"

#define PORT_NAME "netlab.agent"

enum {
	CMDLINE_BYTES_MAX = 64 << 10,
	FILES_SOFT = 1024, /* more, and programs that use select() break */
	FILES_HARD = 524288,
};

struct machine {
	struct loop *loop;
	struct clock *clock;
	struct agent *agent;
	struct console *console;
	struct initctl *initctl;
	bool reboot; /* rather than power off */
	struct params params;
	struct modules modules;
	int port;
	bool prepared;
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	dprintf(STDERR_FILENO, "netlab-agent: ");
	vdprintf(STDERR_FILENO, fmt, args);
	dprintf(STDERR_FILENO, "\n");
	va_end(args);
}

static _Noreturn void be_over(int how)
{
	kill(-1, SIGKILL);
	sync();
	reboot(how);
	say("fatal: this kernel cannot power off or reboot");
	for (;;)
		pause();
}

static _Noreturn void fatal(const struct why *why)
{
	say("fatal: %s", why->text);
	be_over(RB_POWER_OFF);
}

static int read_params(struct params *out, struct why *why)
{
	cleanup_free char *text = NULL;
	size_t size;
	int err = fdio_read_file(AT_FDCWD, "/proc/cmdline", CMDLINE_BYTES_MAX, &text, &size,
				 why);

	return err ? err : params_parse(text, out, why);
}

/* The kernel's modules, as hostfs shows them. */
static int open_modules(struct machine *machine, struct why *why)
{
	char path[sizeof(INIT_HOST) + PARAMS_PATH_BYTES_MAX] = "";

	if (*machine->params.modules)
		snprintf(path, sizeof(path), INIT_HOST "%s", machine->params.modules);
	return modules_open(&machine->modules, path, why);
}

/* A program for each of the kernel's announcements: nobody here wants to know. */
static void silence_hotplug(void)
{
	setup_sysctl("/proc/sys", "kernel.hotplug", "", NULL);
}

static int first_steps(struct machine *machine, struct why *why)
{
	int err = loop_create(&machine->loop, why);
	int listen_fd;

	err = err ? err : clock_real_create(&machine->clock, machine->loop, why);
	err = err ? err : init_mounts_early(why);
	err = err ? err : read_params(&machine->params, why);
	if (err)
		return err;
	silence_hotplug();
	err = open_modules(machine, why);
	listen_fd = init_port_listen();
	err = err ? err : modules_load(&machine->modules, "virtio_console", why);
	if (!err) {
		machine->port = init_port_open(PORT_NAME, listen_fd, why);
		err = machine->port < 0 ? machine->port : 0;
	}
	if (listen_fd >= 0)
		close(listen_fd);
	return err;
}

/* The kernel's own requests, by us.  A kernel without modules has no such setting. */
static void serve_modules(const struct machine *machine)
{
	if (machine->modules.dep)
		setup_sysctl("/proc/sys", "kernel.modprobe", PROTO_AGENT_PATH, NULL);
}

/* As where systemd starts programs: 1024 files, and as many as a server asks for.  The
 * kernel's own hard limit is 4096. */
static void allow_files(void)
{
	const struct rlimit files = { .rlim_cur = FILES_SOFT, .rlim_max = FILES_HARD };

	setrlimit(RLIMIT_NOFILE, &files);
}

/* While the lab reads HELLO: what needs no configuration. */
static int prepare(struct machine *machine, struct why *why)
{
	const struct params *params = &machine->params;
	cleanup_close int space_fd = -1;
	int err;

	if (machine->prepared)
		return 0;
	machine->prepared = true;
	err = modules_load(&machine->modules, "virtio_net", why);
	if (!err && params->image_kind == IMAGE_FILE) {
		err = modules_load(&machine->modules, "squashfs", why);
		err = err ? err : modules_load(&machine->modules, "ext4", why);
	}
	err = err ? err : modules_load(&machine->modules, "overlay", why);
	err = err ? err : init_root(params, &space_fd, why);
	err = err ? err : init_mounts_late(params, space_fd, why);
	err = err ? err : modules_make_nodes(&machine->modules, "/dev", why);
	serve_modules(machine);
	allow_files();
	if (err)
		say("%s", why->text);
	return err;
}

/* Programs that open an IPv6 socket make the kernel load the module; then let it
 * come without addresses, for those would be announced to the network. */
static int tame_ipv6(struct why *why)
{
	static const char conf[] = "options ipv6 disable_ipv6=1 autoconf=0\n";
	int err = fdio_make_dirs("/run/modprobe.d", 0755, why);

	return err ? err : fdio_write_file(AT_FDCWD, MODPROBE_OPTIONS, conf,
					   sizeof(conf) - 1, 0644, why);
}

static void show_carriers(void *ctx)
{
	struct machine *machine = ctx;

	agent_say_links(machine->agent);
}

/* Programs take an uptime below one second for none at all (ping then sends without a
 * pause), and a machine is ready long before that.  All that is started from here on sees
 * monotonic clocks and an uptime that are a second ahead.  In virtual time it is later
 * already; a kernel without time namespaces takes longer than a second to boot. */
static void begin_later(void)
{
	static const char offsets[] = "monotonic 1 0\nboottime 1 0\n";
	cleanup_free char *uptime = NULL;
	cleanup_close int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	size_t size;

	if (fd < 0 || fdio_read_file(AT_FDCWD, "/proc/uptime", 256, &uptime, &size, NULL) ||
	    strncmp(uptime, "0.", 2))
		return;
	if (unshare(CLONE_NEWTIME) < 0 || fdio_write(fd, offsets, sizeof(offsets) - 1))
		say("programs see an uptime below one second: %s", strerror(errno));
}

static int configure_steps(struct machine *machine, const struct settings *settings,
			   struct why *why)
{
	int err = prepare(machine, why);

	begin_later();
	if (!err)
		err = settings->ipv6 ? modules_load(&machine->modules, "ipv6", why)
				     : tame_ipv6(why);
	err = err ? err : setup_clock(settings, why);
	err = err ? err : setup_hostname(settings, why);
	err = err ? err : setup_names(settings, "", why);
	err = err ? err : setup_files(settings, "", INIT_LAB_DIR, why);
	err = err ? err : net_apply(settings, why);
	return err ? err : net_await_carriers(settings, show_carriers, machine, why);
}

static int machine_configure(void *ctx, const struct settings *settings, struct why *why)
{
	struct machine *machine = ctx;
	int err;

	err = configure_steps(machine, settings, why);
	modules_close(&machine->modules);
	if (err)
		say("%s", why->text);
	return err;
}

/* Somebody in here has typed it. */
static void on_end_wanted(void *ctx, bool reboot)
{
	struct machine *machine = ctx;

	machine->reboot = reboot;
	agent_shut_down(machine->agent, reboot ? "this machine was told to reboot"
					       : "this machine was told to power off");
}

static void machine_configured(void *ctx, const struct settings *settings,
			       char *const *envp)
{
	struct machine *machine = ctx;
	struct why why;

	say("%s is up; press Enter for a shell", settings->name);
	if (console_create(&machine->console, machine->loop, agent_reaper(machine->agent), envp,
			   &why))
		say("%s", why.text);
	if (initctl_create(&machine->initctl, machine->loop, INITCTL_PATH, on_end_wanted,
			   machine, &why))
		say("reboot and poweroff need -f here: %s", why.text);
}

static void machine_clock(void *ctx, const struct agent_clock *clock)
{
	struct why why;

	(void)ctx;
	if (clock->step_ns && timekeep_step(clock->step_ns, &why))
		say("the clock could not be stepped: %s", why.text);
	if (clock->has_drift && timekeep_drift(clock->drift_ppb, &why))
		say("the clock could not be made to drift: %s", why.text);
}

/* By the key that is there for it; a kernel without it panics when process 1 ends.  What a
 * panic prints has old words of the kernel's stack in it, which differ from run to run; a
 * console of level 0 prints none of it (console_verbose() in the kernel). */
static void machine_panic(void *ctx, bool silent)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	(void)ctx;
	say("the lab has this machine panic");
	if (silent)
		setup_sysctl("/proc/sys", "kernel.printk", "0 4 0 7", NULL);
	if (fd >= 0)
		(void)!write(fd, "c", 1);
	_exit(1);
}

static void machine_over(void *ctx, enum agent_end end, const char *why)
{
	struct machine *machine = ctx;

	say("%s", why);
	/* The machine goes on for who looks at its console. */
	if (end == AGENT_MALFORMED) {
		say("the lab's words made no sense; the connection is closed");
		close(machine->port);
		return;
	}
	be_over(machine->reboot ? RB_AUTOBOOT : RB_POWER_OFF);
}

/* The kernel gives process 1 the console as 0, 1 and 2, if the archive has it. */
static void ensure_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* As Debian's init has them: the kernel's own 4096 are too few for servers. */
static void raise_limits(void)
{
	const struct rlimit files = { .rlim_cur = 1024, .rlim_max = 524288 };

	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		say("open files stay limited: %s", strerror(errno));
}

_Noreturn void life_run(void)
{
	static const struct agent_ops ops = { machine_configure, machine_configured,
					      machine_clock, machine_panic, machine_over };
	static struct machine machine = { .port = -1 };
	struct why why = { "" };
	int err;

	umask(022);
	raise_limits();
	ensure_streams();
	err = first_steps(&machine, &why);
	err = err ? err : agent_create(&machine.agent, machine.loop, machine.clock,
				       machine.port, &ops, &machine, &why);
	if (err)
		fatal(&why);
	/* One turn, and HELLO is on its way. */
	loop_turn(machine.loop, 0);
	if (prepare(&machine, &why))
		agent_refuse(machine.agent, why.text);
	err = loop_run(machine.loop);
	why_errno(&why, err, "event loop");
	fatal(&why);
}
