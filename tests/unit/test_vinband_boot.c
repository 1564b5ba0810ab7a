/* SPDX-License-Identifier: MIT */
/* A real kernel in external time travel: netlab's calendar, and a console and a network
 * card that are spoken with in-band.  It is booted until its agent says HELLO, and a
 * virtual second longer.
 *
 * NETLAB_KERNEL names the kernel; without one that can, the test is skipped. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agentproto/proto.h"
#include "base/cleanup.h"
#include "clock/vtime.h"
#include "device/vconsole.h"
#include "device/vnet.h"

enum { SKIPPED = 77, PATIENCE_MS = 60000, TURN_MS = 1000 };

static const char *kernel;

struct boot {
	char dir[64];
	struct loop *loop;
	struct clock *host;
	struct vtime *vtime;
	struct vconsole *console;
	struct vnet *vnet;
	pid_t pid;
	int log_fd;
	struct proto_reader reader;
	char hello[512];
	uint64_t hello_ns;
	unsigned ups;
	char trouble[1024]; /* "": none */
};
static struct boot *b;

/* ---- what the calendar and the devices say ---- */

static void on_broken(void *ctx, uint32_t guest, const char *why)
{
	(void)ctx;
	(void)guest;
	snprintf(b->trouble, sizeof(b->trouble), "its clock: %s", why);
}

static void on_paced(void *ctx)
{
	(void)ctx;
}

static const struct vtime_ops vtime_ops = { on_broken, on_broken, on_paced, NULL,
					    NULL };

static void on_dead(void *ctx, bool broken, const char *why)
{
	(void)ctx;
	(void)broken;
	snprintf(b->trouble, sizeof(b->trouble), "%s", why);
}

static void on_open(void *ctx, bool open)
{
	(void)ctx;
	(void)open;
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t size)
{
	struct proto_message message;
	struct why why = { .text = "" };
	int ready = 0;

	(void)ctx;
	if (proto_reader_feed(&b->reader, bytes, size, &message, &ready, &why) < 0)
		on_dead(NULL, true, why.text);
	if (ready && message.type == PROTO_HELLO && !b->hello[0]) {
		snprintf(b->hello, sizeof(b->hello), "%.*s", (int)message.size,
			 (const char *)message.payload);
		b->hello_ns = clock_now_ns(vtime_clock(b->vtime));
	}
	return size;
}

static void on_nothing(void *ctx)
{
	(void)ctx;
}

static const struct vconsole_ops console_ops = { on_open, on_bytes, on_nothing, on_dead };

static void on_up(void *ctx)
{
	(void)ctx;
	b->ups++;
}

static unsigned on_frame(void *ctx, const uint8_t *bytes, uint32_t size)
{
	(void)ctx;
	(void)bytes;
	(void)size;
	return 0;
}

static const struct vnet_ops vnet_ops = {
	.up = on_up,
	.frame = on_frame,
	.batch_end = on_nothing,
	.writable = on_nothing,
	.dead = on_dead,
};

/* ---- the machine ---- */

_Noreturn static void exec_kernel(const char *dir, int log_fd)
{
	char initrd[sizeof("initrd=") + sizeof(AGENT_INITRAMFS)];

	snprintf(initrd, sizeof(initrd), "initrd=%s", AGENT_INITRAMFS);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (chdir(dir) || dup2(open("/dev/null", O_RDONLY), 0) < 0 ||
	    dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0)
		_exit(127);
	setenv("TMPDIR", ".", 1);
	execl(kernel, "linux", "mem=64M", initrd, "time-travel=ext:0:clock",
	      "con0=null,fd:1", "con=null", "ssl=null", "console=tty0", "quiet",
	      "panic=-1", "lpj=10000000", "uml_dir=control", "umid=uml",
	      "virtio_uml.device=agent:3", "virtio_uml.device=net0:1", (char *)NULL);
	_exit(127);
}

static void make_devices(void)
{
	char path[96];
	struct why why = { .text = "" };
	struct vtime_guest *guest = vtime_guest(b->vtime, 0);
	struct vconsole_config console = { .name = "n1:agent", path, guest };
	struct vnet_config net = { .name = "n1:eth0",
				   .path = path,
				   .mac = { 2, 0, 0, 0, 0, 1 },
				   .mtu_bytes = 1500,
				   .guest = guest };

	snprintf(path, sizeof(path), "%s/clock", b->dir);
	assert_int_equal(vtime_guest_open(b->vtime, 0, path, &why), 0);
	snprintf(path, sizeof(path), "%s/agent", b->dir);
	assert_int_equal(
		vconsole_create(&b->console, b->loop, &console, &console_ops, NULL, &why),
		0);
	snprintf(path, sizeof(path), "%s/net0", b->dir);
	assert_int_equal(vnet_create(&b->vnet, b->loop, &net, &vnet_ops, NULL, &why), 0);
}

static void start(struct boot *boot)
{
	struct vtime_config config = { .guest_count = 1,
				       .guard_ns = 20 * NS_PER_S,
				       .ops = &vtime_ops };
	struct why why = { .text = "" };
	char path[96];

	b = boot;
	memset(b, 0, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/netlab-boot-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(path, sizeof(path), "%s/log", b->dir);
	b->log_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(b->log_fd >= 0);
	assert_int_equal(loop_create(&b->loop, &why), 0);
	assert_int_equal(clock_real_create(&b->host, b->loop, &why), 0);
	config.loop = b->loop;
	config.host = b->host;
	assert_int_equal(vtime_create(&b->vtime, &config, &why), 0);
	make_devices();
	b->pid = fork();
	if (b->pid == 0)
		exec_kernel(b->dir, b->log_fd);
	setpgid(b->pid, b->pid);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void finish(void)
{
	kill(-b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
	vtime_guest_gone(b->vtime, 0);
	vconsole_destroy(b->console);
	vnet_destroy(b->vnet);
	vtime_destroy(b->vtime);
	clock_destroy(b->host);
	loop_destroy(b->loop);
	proto_reader_free(&b->reader);
	close(b->log_fd);
	nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *kernel_log(void)
{
	static char text[16384];
	ssize_t n = pread(b->log_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	return text;
}

/* Turn the loop until there is what is waited for, or cannot be. */
static void turn_until(bool (*there)(void))
{
	uint64_t end_ns = clock_now_ns(b->host) + PATIENCE_MS * NS_PER_MS;

	while (!there()) {
		assert_true(loop_turn(b->loop, TURN_MS) >= 0);
		if (b->trouble[0] || waitpid(b->pid, NULL, WNOHANG) ||
		    clock_now_ns(b->host) > end_ns)
			fail_msg("%s at %llu ns; the kernel says:\n%s",
				 b->trouble[0] ? b->trouble : "it does not go on",
				 (unsigned long long)clock_now_ns(vtime_clock(b->vtime)),
				 kernel_log());
	}
}

static bool has_said_hello(void)
{
	return b->hello[0];
}

static bool has_stepped(void)
{
	return vtime_state(b->vtime).step_to_ns == 0;
}

static void a_real_kernel_says_hello_in_virtual_time(void **state)
{
	struct boot boot;
	struct vtime_state s;

	(void)state;
	start(&boot);
	vtime_want(b->vtime);
	turn_until(has_said_hello);
	vtime_unwant(b->vtime);
	vtime_step(b->vtime, b->hello_ns + NS_PER_S);
	turn_until(has_stepped);
	s = vtime_state(b->vtime);
	print_message(
		"HELLO at %.6f s, %s\n%.3f virtual s in %.3f s: %llu turns, %llu calls "
		"to it; card came up %u times\n",
		(double)b->hello_ns / 1e9, b->hello, (double)s.now_ns / 1e9,
		(double)s.host_ns / 1e9, (unsigned long long)s.rounds,
		(unsigned long long)s.calls, b->ups);
	assert_int_equal(s.now_ns, b->hello_ns + NS_PER_S);
	assert_non_null(strstr(b->hello, "\"kernel\""));
	assert_int_equal(b->ups, 1);
	finish();
}

/* Does its help speak of external time travel? */
static bool can_travel(void)
{
	static char text[1 << 16];
	size_t used = 0;
	ssize_t n;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return false;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execl(kernel, "linux", "--help", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	while (used < sizeof(text) - 1 &&
	       (n = read(fds[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return strstr(text, "time-travel=ext:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_kernel_says_hello_in_virtual_time),
	};

	kernel = getenv("NETLAB_KERNEL");
	if (!kernel || !can_travel()) {
		printf("skipped: %s\n",
		       kernel ? "the kernel of NETLAB_KERNEL has no external time travel"
			      : "NETLAB_KERNEL names no kernel");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
