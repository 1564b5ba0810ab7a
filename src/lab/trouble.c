/* SPDX-License-Identifier: MIT */
#include "lab/trouble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/lab_internal.h"
#include "base/text.h"

/* Where there is still room for it: in the journal, and in lab.log. */
static const char *keep(struct lab *lab, const char *name, const char *what)
{
	snprintf(lab->trouble, sizeof(lab->trouble), "%s%s%s", name, *what ? ": " : "",
		 what);
	fprintf(stderr, "the record of this run is incomplete: %s\n", lab->trouble);
	journal_write(lab->journal, "record-lost",
		      json_pack("{s:o}", "incomplete", text_json_z(lab->trouble)));
	return lab->trouble;
}

static const char *say(struct lab *lab, const char *name, int err)
{
	return keep(lab, name, strerror(-err));
}

void lab_trouble_with(struct lab *lab, const char *name, const char *what)
{
	if (!*lab->trouble)
		keep(lab, name, what);
}

static bool is_removed(const struct rundir *run)
{
	struct stat st;

	return run->fd >= 0 && (fstat(run->fd, &st) || st.st_nlink == 0);
}

/* Files that are open may still take what comes; but digest.json is made at the end. */
static const char *find_locked(struct lab *lab)
{
	if (lab->run.fd < 0 || !faccessat(lab->run.fd, ".", W_OK, AT_EACCESS))
		return NULL;
	snprintf(lab->locked, sizeof(lab->locked),
		 "the run directory cannot be written to: %s", strerror(errno));
	return lab->locked;
}

const char *lab_trouble(struct lab *lab)
{
	const char *name;
	int err;

	/* What was missing once stays missing. */
	if (*lab->trouble)
		return lab->trouble;
	if (is_removed(&lab->run))
		return keep(lab, "the run directory was removed", "");
	err = journal_error(lab->journal);
	if (err)
		return say(lab, "journal.jsonl", err);
	err = inputs_error(lab->inputs);
	if (err)
		return say(lab, "stdin.bin", err);
	err = frame_recorder_error(lab->frames);
	if (err)
		return say(lab, "frames.bin", err);
	if (lab->digest_error)
		return say(lab, "digest.json", lab->digest_error);
	for (size_t i = 0; lab->machines && i < lab->plan->node_count; i++) {
		err = machine_log_error(lab->machines[i], &name);
		if (err)
			return say(lab, name, err);
	}
	return find_locked(lab);
}
