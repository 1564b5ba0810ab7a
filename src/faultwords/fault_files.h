/* SPDX-License-Identifier: MIT */
/* fault_files.h - the files that faults name, each read once
 *
 * A file of a million numbers takes a tenth of a second to read, and words that name it are
 * applied to each direction of a network.  Who has to read one gives a place to keep it
 * (struct fault_context), and who must not wait has them read in another process, packs what
 * it has read there and unpacks that here.
 *
 * Errors:    0 or -errno with *why.  -EFBIG: together they are more than FAULT_FILES_BYTES_MAX.
 * Ownership: fault_files_drop(); an all-zero one is empty and valid.  Data is counted.
 * Threads:   one.
 */
#ifndef NL_FAULTWORDS_FAULT_FILES_H
#define NL_FAULTWORDS_FAULT_FILES_H

#include <stdbool.h>

#include "linkfault/data.h"

/* Packed: a file of the largest kind.  Who unpacks it must not be kept for long. */
#define FAULT_FILES_BYTES_MAX (FAULT_DATA_COUNT_MAX * sizeof(int64_t) + 8192)

struct fault_files {
	struct fault_data **data;
	size_t count;
	bool failed; /* one could not be read */
};

/* The caller's to free.  files NULL: it is read and not kept. */
int fault_files_get(struct fault_files *files, enum fault_data_kind kind,
		    const char *path, struct fault_data **data, struct why *why);
void fault_files_drop(struct fault_files *files);

int fault_files_pack(const struct fault_files *files, uint8_t *bytes, size_t room,
		     size_t *size, struct why *why);
/* Adds what fault_files_pack() made. */
int fault_files_unpack(struct fault_files *files, const uint8_t *bytes, size_t size,
		       struct why *why);

#endif
