/* SPDX-License-Identifier: MIT */
/* Files and block devices. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/probe.h"

enum { BLOCK_BYTES = 4096 };

static int open_direct(char **args, int flags)
{
	const char *path = probe_arg(args, 0, "device");
	int fd = open(path, flags | O_DIRECT | O_CLOEXEC);

	NEED(fd >= 0, "open %s", path);
	return fd;
}

/* write_block DEVICE NUMBER BYTE: one block past every cache */
static int run_write_block(char **args)
{
	static char block[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
	int fd = open_direct(args, O_RDWR);
	long number = probe_number(args, 1, "block");

	memset(block, (int)probe_number(args, 2, "byte"), sizeof(block));
	NEED(pwrite(fd, block, sizeof(block), number * BLOCK_BYTES) == sizeof(block),
	     "write block %ld", number);
	NEED(!fsync(fd), "flush");
	return 0;
}

/* read_block DEVICE NUMBER: prints its first byte */
static int run_read_block(char **args)
{
	static char block[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
	int fd = open_direct(args, O_RDONLY);
	long number = probe_number(args, 1, "block");

	NEED(pread(fd, block, sizeof(block), number * BLOCK_BYTES) == sizeof(block),
	     "read block %ld", number);
	for (size_t i = 1; i < sizeof(block); i++)
		NEED(block[i] == block[0], "byte %zu differs", i);
	printf("%d\n", (unsigned char)block[0]);
	return 0;
}

const struct probe probe_block[] = {
	{ "write_block", run_write_block },
	{ "read_block", run_read_block },
	{ NULL, NULL },
};
