/* SPDX-License-Identifier: MIT */
/* eBPF: maps, programs, and what they are attached to.  Instructions are written out;
 * their encoding is that of Documentation/bpf/standardization/instruction-set.rst. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest/probe.h"

enum { COUNTED = 5, ANSWER_MS = 2000 };

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int make_map(unsigned type, unsigned key_bytes, unsigned value_bytes,
		    unsigned entries)
{
	union bpf_attr attr = { .map_type = type,
				.key_size = key_bytes,
				.value_size = value_bytes,
				.max_entries = entries };
	int fd = bpf(BPF_MAP_CREATE, &attr);

	NEED(fd >= 0, "create a map of type %u", type);
	return fd;
}

static void map_set(int map, uint32_t key, uint64_t value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map,
				.key = (uintptr_t)&key,
				.value = (uintptr_t)&value };

	NEED(!bpf(BPF_MAP_UPDATE_ELEM, &attr), "update");
}

static uint64_t map_get(int map, uint32_t key)
{
	uint64_t value = 0;
	union bpf_attr attr = { .map_fd = (uint32_t)map,
				.key = (uintptr_t)&key,
				.value = (uintptr_t)&value };

	NEED(!bpf(BPF_MAP_LOOKUP_ELEM, &attr), "look up");
	return value;
}

static int load(unsigned type, unsigned attach, const struct bpf_insn *code, size_t count)
{
	static char said[65536];
	union bpf_attr attr = { .prog_type = type,
				.expected_attach_type = attach,
				.insns = (uintptr_t)code,
				.insn_cnt = (uint32_t)count,
				.license = (uintptr_t) "GPL",
				.log_buf = (uintptr_t)said,
				.log_size = sizeof(said),
				.log_level = 1 };
	int fd = bpf(BPF_PROG_LOAD, &attr);

	NEED(fd >= 0, "load a program of type %u: %.500s", type, said);
	return fd;
}

/* Adds one to value 0 of the map, and returns `result`. */
static int load_counter(unsigned type, unsigned attach, int map, int result)
{
	const struct bpf_insn code[] = {
		/* key at r10-4: 0; r1 = map, r2 = &key */
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = 0 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
		  .dst_reg = 0,
		  .src_reg = 1,
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = result },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return load(type, attach, code, sizeof(code) / sizeof(code[0]));
}

static int run_maps(char **args)
{
	static const unsigned types[] = { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY,
					  BPF_MAP_TYPE_LRU_HASH };

	(void)args;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int map = make_map(types[i], 4, 8, 16);

		map_set(map, 3, 77 + i);
		NEED(map_get(map, 3) == 77 + i, "the map of type %u forgot", types[i]);
		close(map);
	}
	return 0;
}

static int run_program(char **args)
{
	uint8_t packet[64] = { 0 };
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	int program = load_counter(BPF_PROG_TYPE_SOCKET_FILTER, 0, map, 42);
	union bpf_attr attr = { .test = { .prog_fd = (uint32_t)program,
					  .data_in = (uintptr_t)packet,
					  .data_size_in = sizeof(packet),
					  .repeat = COUNTED } };

	(void)args;
	NEED(!bpf(BPF_PROG_TEST_RUN, &attr), "run the program");
	NEED(attr.test.retval == 42, "it returned %u", attr.test.retval);
	NEED(map_get(map, 0) == COUNTED, "it counted %llu",
	     (unsigned long long)map_get(map, 0));
	return 0;
}

/* A datagram over loopback to ourselves; did it come? */
static int datagram_passes(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), came;
	socklen_t size = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	NEED(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) &&
		     !getsockname(fd, (struct sockaddr *)&at, &size),
	     "socket");
	/* A filter may refuse it. */
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&at, sizeof(at)) != 1)
		NEED(errno == EPERM, "send");
	came = probe_wait(fd, ANSWER_MS / 4);
	close(fd);
	return came;
}

/* A program at the lowest place of an interface drops what comes in. */
static int run_xdp(char **args)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	int program = load_counter(BPF_PROG_TYPE_XDP, BPF_XDP, map, XDP_DROP);
	union bpf_attr attr = { .link_create = {
					.prog_fd = (uint32_t)program,
					.target_ifindex = if_nametoindex("lo"),
					.attach_type = BPF_XDP,
					.flags = 1U << 1 /* XDP_FLAGS_SKB_MODE */ } };
	int link;

	(void)args;
	NEED(datagram_passes(), "loopback is down");
	link = bpf(BPF_LINK_CREATE, &attr);
	NEED(link >= 0, "attach to lo");
	NEED(!datagram_passes(), "XDP_DROP dropped nothing");
	NEED(map_get(map, 0) >= 1, "the program did not run");
	close(link);
	NEED(datagram_passes(), "it drops although it is gone");
	return 0;
}

/* cgroup FOLDER: a program refuses what a control group sends.  We are put there. */
static int run_cgroup(char **args)
{
	const char *folder = probe_arg(args, 0, "control group");
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	int program =
		load_counter(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, map, 0);
	int group = open(folder, O_RDONLY | O_DIRECTORY), procs;
	union bpf_attr attr = { .target_fd = (uint32_t)group,
				.attach_bpf_fd = (uint32_t)program,
				.attach_type = BPF_CGROUP_INET_EGRESS };

	NEED(group >= 0, "open %s", folder);
	procs = openat(group, "cgroup.procs", O_WRONLY);
	NEED(procs >= 0 && write(procs, "0", 1) == 1, "enter %s", folder);
	NEED(datagram_passes(), "loopback is down");
	NEED(!bpf(BPF_PROG_ATTACH, &attr), "attach to %s", folder);
	NEED(!datagram_passes() && map_get(map, 0) >= 1, "the program refused nothing");
	return 0;
}

const struct probe probe_bpf[] = {
	{ "bpf_maps", run_maps }, { "bpf_program", run_program },
	{ "bpf_xdp", run_xdp },	  { "bpf_cgroup", run_cgroup },
	{ NULL, NULL },
};
