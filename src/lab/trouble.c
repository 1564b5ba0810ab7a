/* SPDX-License-Identifier: MIT */
#include "lab/trouble.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lab/lab_internal.h"

static const char *say(struct lab *lab, const char *name, int err)
{
	snprintf(lab->trouble, sizeof(lab->trouble), "%s: %s", name, strerror(-err));
	/* Once in lab.log, in case that can still be written. */
	fprintf(stderr, "the record of this run is incomplete: %s\n", lab->trouble);
	return lab->trouble;
}

static bool is_removed(const struct rundir *run)
{
	struct stat st;

	return run->fd >= 0 && (fstat(run->fd, &st) || st.st_nlink == 0);
}

const char *lab_trouble(struct lab *lab)
{
	const char *name;
	int err;

	/* What was missing once stays missing. */
	if (*lab->trouble)
		return lab->trouble;
	if (is_removed(&lab->run)) {
		snprintf(lab->trouble, sizeof(lab->trouble),
			 "the run directory was removed");
		return lab->trouble;
	}
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
	return NULL;
}
