/* SPDX-License-Identifier: MIT */
#include "agentproto/file_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agentproto/proto.h"

static void put_u16(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
}

static uint16_t get_u16(const uint8_t *in)
{
	return (uint16_t)(in[0] | in[1] << 8);
}

void file_tree_record_put(uint8_t out[TREE_HEAD_BYTES], const struct tree_record *record)
{
	memset(out, 0, TREE_HEAD_BYTES);
	out[0] = (uint8_t)record->kind;
	put_u16(out + 2, record->mode);
	put_u16(out + 4, record->name_bytes);
	proto_put_u32(out + 8, (uint32_t)(uint64_t)record->mtime_s);
	proto_put_u32(out + 12, (uint32_t)((uint64_t)record->mtime_s >> 32));
	proto_put_u32(out + 16, record->mtime_ns);
}

int file_tree_record_get(const uint8_t in[TREE_HEAD_BYTES], struct tree_record *record)
{
	*record = (struct tree_record){
		.kind = (char)in[0],
		.mode = get_u16(in + 2),
		.name_bytes = get_u16(in + 4),
		.mtime_s = (int64_t)(proto_get_u32(in + 8) |
				     (uint64_t)proto_get_u32(in + 12) << 32),
		.mtime_ns = proto_get_u32(in + 16),
	};
	if (in[1] || in[6] || in[7] || !record->kind || !strchr("FDLUE", record->kind) ||
	    record->mode > 0777 || record->mtime_ns >= 1000000000 ||
	    record->name_bytes > TREE_NAME_BYTES_MAX)
		return -EPROTO;
	return 0;
}

void file_tree_size_put(uint8_t out[TREE_SIZE_BYTES], uint32_t size)
{
	proto_put_u32(out, size);
}

uint32_t file_tree_size_get(const uint8_t in[TREE_SIZE_BYTES])
{
	return proto_get_u32(in);
}

bool file_tree_is_zeros(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && !memcmp(bytes, bytes + 1, size - 1);
}

void file_tree_leave_out(struct tree_left_out *left, const char *path, const char *why)
{
	if (!left->count++)
		snprintf(left->first, sizeof(left->first), "%.380s: %.100s", path, why);
}

int file_tree_tell_left_out(const struct tree_left_out *left)
{
	if (!left->count)
		return TREE_STATUS_DONE;
	if (left->count == 1)
		fprintf(stderr, "all but one was copied: %s\n", left->first);
	else
		fprintf(stderr, "all but %" PRIu64 " were copied; the first: %s\n",
			left->count, left->first);
	return TREE_STATUS_PARTS;
}

size_t file_tree_path_push(struct tree_path *path, const char *name)
{
	size_t before = path->size;
	int n = snprintf(path->text + before, sizeof(path->text) - before, "%s%s",
			 before && path->text[before - 1] != '/' ? "/" : "", name);

	path->size += n < 0 ? 0 : (size_t)n;
	if (path->size >= sizeof(path->text))
		path->size = sizeof(path->text) - 1;
	return before;
}

void file_tree_path_pop(struct tree_path *path, size_t to)
{
	path->size = to;
	path->text[to] = 0;
}
