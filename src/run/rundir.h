/* SPDX-License-Identifier: MIT */
/* rundir.h - what a run leaves behind to be read: the run directory
 *
 *	PARENT/LAB-20260131-142501[-2]/
 *	    plan.json		the topology, expanded
 *	    seed		decimal, one line
 *	    journal.jsonl	run/journal.h
 *	    stdin.bin		virtual time: run/inputs.h
 *	    frames.bin		virtual time: run/frame_recorder.h
 *	    origin.json, topology.json	virtual time: run/origin.h
 *	    digest.json		virtual time, at the end: run/digest.h
 *	    consoles/NODE.log	what the machine's kernel printed
 *	    logs/NODE.SERVICE.log
 *	    captures/		for whoever wants to keep some here
 *	    lab.log		what the lab process itself complained about
 *	PARENT/LAB-latest	a link to the newest one
 *
 * PARENT is netlab-runs beside the topology, or where --out says.  netlab never
 * removes a run directory.
 *
 * A logfile is one of the files that a machine fills: it takes a limited number of
 * bytes, says so in its last line, and counts the rest.
 *
 * Errors:    0 or -errno with *why.  A logfile that cannot be written is given up, with
 *            its `error`: a full disk must not end the lab.
 * Ownership: rundir_close() closes the descriptor and removes nothing.
 */
#ifndef NL_RUN_RUNDIR_H
#define NL_RUN_RUNDIR_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum { LOGFILE_BYTES_MAX = 64 << 20 };

struct rundir {
	char path[PATH_MAX];
	int fd; /* -1: none */
};

/* Make netlab-runs beside a topology, with a .gitignore in it.  One that is there stays as
 * it is; a link is followed only if it is the caller's own. */
int rundir_make_default(const char *parent, struct why *why);
int rundir_create(struct rundir *out, const char *parent, const char *lab,
		  struct why *why);
/* name: "seed", "consoles/n1.log"; bytes are written as a whole. */
int rundir_write(const struct rundir *run, const char *name, const void *bytes,
		 size_t size, struct why *why);
/* Open for appending: a descriptor or -errno. */
int rundir_append(const struct rundir *run, const char *name, struct why *why);
/* In the sandbox: by its path anew, so that nothing else can be reached from it. */
int rundir_enter(struct rundir *run, struct why *why);
void rundir_close(struct rundir *run);

struct logfile {
	int fd; /* -1: closed or given up */
	uint64_t written;
	uint64_t lost; /* bytes */
	int error;     /* 0, or -errno: why it was given up */
};

int logfile_open(struct logfile *log, const struct rundir *run, const char *name,
		 struct why *why);
void logfile_write(struct logfile *log, const void *bytes, size_t size);
void logfile_close(struct logfile *log);

#endif
