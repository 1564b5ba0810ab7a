/* SPDX-License-Identifier: MIT */
#include "unit/capture_lib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ETHERNET = 14, IPV4 = 20, UDP = 8, NUMBER_AT = ETHERNET + IPV4 + UDP };

static const char *const interfaces[] = { "n1:eth0", "n2:eth0" };

static void on_ended(void *ctx, const char *why)
{
	struct rig *rig = ctx;

	rig->ended++;
	snprintf(rig->ended_why, sizeof(rig->ended_why), "%s", why ? why : "(none)");
	if (rig->destroy_in_ended) {
		capture_destroy(rig->capture);
		rig->capture = NULL;
	}
}

void rig_create(struct rig *rig, int fd, const char *filter, uint32_t snap_bytes)
{
	const struct capture_config config = { .fd = fd,
					       .filter = filter,
					       .snap_bytes = snap_bytes,
					       .interfaces = interfaces,
					       .interface_count = 2,
					       .lab = "triangle" };
	struct why why = { "" };

	*rig = (struct rig){ 0 };
	assert_int_equal(loop_create(&rig->loop, NULL), 0);
	if (capture_create(&rig->capture, rig->loop, &config, on_ended, rig, &why) < 0)
		fail_msg("%s", why.text);
}

void rig_destroy(struct rig *rig)
{
	capture_destroy(rig->capture);
	loop_destroy(rig->loop);
}

void rig_turn_until_ended(struct rig *rig)
{
	for (int turns = 0; !rig->ended; turns++) {
		assert_true(turns < 1000);
		assert_true(loop_turn(rig->loop, 5000) >= 0);
	}
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

const uint8_t *udp_frame(uint32_t number, uint16_t port, uint32_t size)
{
	static uint8_t bytes[10000];
	uint8_t *ip = bytes + ETHERNET, *udp = ip + IPV4;

	assert_true(size >= NUMBER_AT + sizeof(number) && size <= sizeof(bytes));
	memset(bytes, (int)(number * 7), size);
	memcpy(bytes, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", ETHERNET);
	memcpy(ip, "\x45\0\0\0\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02", IPV4);
	put16(ip + 2, size - ETHERNET);
	put16(udp, 1000);
	put16(udp + 2, port);
	put16(udp + 4, size - ETHERNET - IPV4);
	put16(udp + 6, 0);
	memcpy(bytes + NUMBER_AT, &number, sizeof(number));
	return bytes;
}

uint32_t udp_frame_number(const uint8_t *bytes)
{
	uint32_t number;

	memcpy(&number, bytes + NUMBER_AT, sizeof(number));
	return number;
}

void rig_frame(struct rig *rig, uint32_t interface, bool inbound, uint32_t number,
	       uint16_t port, uint32_t size, const char *comment)
{
	const struct capture_frame frame = {
		.interface = interface,
		.inbound = inbound,
		.comment = comment,
		.id = comment ? number : CAPTURE_NO_ID,
		.verdict = comment ? 3 : CAPTURE_NO_VERDICT,
		.wall_ns = UINT64_C(1700000000000000000) + number,
		.bytes = udp_frame(number, port, size),
		.size = size,
	};

	capture_frame(rig->capture, &frame);
}

static char scratch_folder[64], scratch_path[96];

const char *scratch_file(int *fd)
{
	snprintf(scratch_folder, sizeof(scratch_folder), "/tmp/netlab-capture-XXXXXX");
	assert_non_null(mkdtemp(scratch_folder));
	snprintf(scratch_path, sizeof(scratch_path), "%s/out.pcapng", scratch_folder);
	*fd = open(scratch_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(*fd >= 0);
	return scratch_path;
}

void scratch_remove(void)
{
	unlink(scratch_path);
	rmdir(scratch_folder);
}

static _Noreturn void become(const char *const argv[], int out)
{
	char *copy[32];
	int n = 0;

	while (argv[n] && n < 31) {
		copy[n] = strdup(argv[n]);
		n++;
	}
	copy[n] = NULL;
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	/* tshark complains about root, and looks for settings at home. */
	setenv("HOME", "/nonexistent", 1);
	setenv("TZ", "UTC", 1);
	execvp(copy[0], copy);
	_exit(errno == ENOENT ? 127 : 126);
}

const char *run_program(int *status, const char *const argv[])
{
	static char output[OUTPUT_BYTES_MAX + 1];
	size_t have = 0;
	int ends[2], end;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		become(argv, ends[1]);
	close(ends[1]);
	while ((n = read(ends[0], output + have, OUTPUT_BYTES_MAX - have)) > 0)
		have += (size_t)n;
	close(ends[0]);
	output[have] = '\0';
	assert_int_equal(waitpid(pid, &end, 0), pid);
	assert_true(WIFEXITED(end));
	*status = WEXITSTATUS(end);
	return *status == 127 ? NULL : output;
}
