/* SPDX-License-Identifier: MIT */
/* params.h - what a machine has to know before it can talk to the lab
 *
 * The words "netlab.KEY=VALUE" on the kernel's command line:
 *
 *	netlab.image=host	the root is the host's, through hostfs
 *	netlab.image=dir:PATH	the root is a folder, through hostfs
 *	netlab.image=file	the root is ext4 or squashfs on the first block device
 *	netlab.modules=PATH	the kernel's modules (the folder with modules.dep, or
 *				the one above it); absent: everything is built in
 *	netlab.lab=PATH		the topology's folder, to be seen at /lab
 *
 * PATH is as the kernel process sees it.  A blank, '"', '%' and control
 * characters in it are written %XX.
 *
 * Errors:    0 or -errno with *why.  Words that do not begin with "netlab." are
 *            others'; an unknown netlab word is an error.
 * Ownership: plain values.
 * Threads:   pure.
 */
#ifndef NL_AGENTPROTO_PARAMS_H
#define NL_AGENTPROTO_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/why.h"
#include "plan/plan.h"

enum { PARAMS_PATH_BYTES_MAX = 1024 };

struct params {
	enum image_kind image_kind;
	char image[PARAMS_PATH_BYTES_MAX];   /* IMAGE_DIR only */
	char modules[PARAMS_PATH_BYTES_MAX]; /* "" if none */
	char lab[PARAMS_PATH_BYTES_MAX];     /* "" if none */
};

/* The lab's side: the words, with a blank between.  -ENAMETOOLONG if they do not
 * fit into out. */
int params_format(const struct params *params, char *out, size_t out_bytes,
		  struct why *why);

/* The machine's side: reads a whole command line. */
int params_parse(const char *cmdline, struct params *out, struct why *why);

#endif
