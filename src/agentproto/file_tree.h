/* SPDX-License-Identifier: MIT */
/* file_tree.h - a file or a folder as a stream of bytes, for `netlab cp`
 *
 *	stream  = "NLTREE1\n" entry 'E'
 *	entry   = 'F' name block... end	a file
 *		| 'D' name entry... 'U'		a folder, and back up from it
 *		| 'L' name block		a link, and where it points
 *	block   = size bytes			1 to TREE_BLOCK_BYTES_MAX of them
 *		| TREE_ZEROS			TREE_BLOCK_BYTES_MAX zeros, which a file may
 *						not even take room for
 *	end     = 0				the file is whole
 *		| TREE_BROKEN			it could not be read to its end
 *
 * Names are single components, but for the first entry's, which is empty: what it
 * is to be called is the receiver's affair.  There is no owner, no device, no bit
 * above 0777, and no way to name what is above.
 *
 * Errors:    0, or -EPROTO for bytes that are no record.
 * Ownership: nothing is allocated.
 * Threads:   pure.
 */
#ifndef NL_AGENTPROTO_FILE_TREE_H
#define NL_AGENTPROTO_FILE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define TREE_MAGIC "NLTREE1\n"

/* What unpack makes in, and pack does not look at. */
#define TREE_STAGE_PREFIX ".netlab-cp."

enum {
	TREE_MAGIC_BYTES = 8,
	TREE_HEAD_BYTES = 20, /* of a record, before its name */
	TREE_SIZE_BYTES = 4,  /* of a block, before its bytes */
	TREE_BLOCK_BYTES_MAX = 64 << 10,
	TREE_NAME_BYTES_MAX = 255,
	TREE_DEPTH_MAX = 100,
};

#define TREE_BROKEN UINT32_MAX
#define TREE_ZEROS  (UINT32_MAX - 1)

/* How both programs end; whoever runs them prints the first line of stderr. */
enum {
	TREE_STATUS_DONE = 0,
	TREE_STATUS_PARTS = 1, /* all but what the line names */
	TREE_STATUS_FAILED = 3,
};

struct tree_record {
	char kind;
	uint16_t mode; /* at most 0777 */
	int64_t mtime_s;
	uint32_t mtime_ns; /* below a second */
	uint16_t name_bytes;
};

void file_tree_record_put(uint8_t out[TREE_HEAD_BYTES], const struct tree_record *record);
int file_tree_record_get(const uint8_t in[TREE_HEAD_BYTES], struct tree_record *record);

void file_tree_size_put(uint8_t out[TREE_SIZE_BYTES], uint32_t size);
uint32_t file_tree_size_get(const uint8_t in[TREE_SIZE_BYTES]);

/* Are these bytes, at least one, all zeros? */
bool file_tree_is_zeros(const uint8_t *bytes, size_t size);

/* What could not go along: the first of it, and how many. */
struct tree_left_out {
	char first[512]; /* "PATH: why" */
	uint64_t count;
};

void file_tree_leave_out(struct tree_left_out *left, const char *path, const char *why);
/* For a person: a line on stderr, if there is something to say.  Returns the
 * status that goes with it. */
int file_tree_tell_left_out(const struct tree_left_out *left);

/* A path that grows and shrinks with the walk, for messages only: cut, not
 * refused, when it gets too long. */
struct tree_path {
	char text[4096];
	size_t size;
};

size_t file_tree_path_push(struct tree_path *path, const char *name); /* to pop to */
void file_tree_path_pop(struct tree_path *path, size_t to);

#endif
