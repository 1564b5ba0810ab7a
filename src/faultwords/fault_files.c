/* SPDX-License-Identifier: MIT */
#include "faultwords/fault_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/fdio.h"

/* Before the name, without its end, and the values. */
struct packed {
	uint64_t kind, name_bytes, count;
};

static int read_file(enum fault_data_kind kind, const char *path,
		     struct fault_data **data, struct why *why)
{
	cleanup_free char *text = NULL;
	size_t size;
	int err = fdio_read_file(AT_FDCWD, path, FAULT_DATA_BYTES_MAX, &text, &size, why);

	return err ? err : fault_data_parse(data, kind, path, text, why);
}

static int keep(struct fault_files *files, struct fault_data *data, struct why *why)
{
	struct fault_data **all =
		realloc(files->data, (files->count + 1) * sizeof(struct fault_data *));

	if (!all)
		return why_set(why, -ENOMEM, "%s: out of memory", data->name);
	files->data = all;
	files->data[files->count++] = fault_data_ref(data);
	return 0;
}

int fault_files_get(struct fault_files *files, enum fault_data_kind kind,
		    const char *path, struct fault_data **data, struct why *why)
{
	int err;

	for (size_t i = 0; files && i < files->count; i++)
		if (files->data[i]->kind == kind && !strcmp(files->data[i]->name, path)) {
			*data = fault_data_ref(files->data[i]);
			return 0;
		}
	err = read_file(kind, path, data, why);
	if (!err && files)
		err = keep(files, *data, why);
	if (err)
		fault_data_free(steal_ptr(data));
	if (err && files)
		files->failed = true;
	return err;
}

void fault_files_drop(struct fault_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		fault_data_free(files->data[i]);
	free(files->data);
	*files = (struct fault_files){ 0 };
}

int fault_files_pack(const struct fault_files *files, uint8_t *bytes, size_t room,
		     size_t *size, struct why *why)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < files->count; i++) {
		const struct fault_data *data = files->data[i];
		const struct packed head = { data->kind, strlen(data->name), data->count };
		size_t value_bytes = data->count * sizeof(data->value[0]);

		if (sizeof(head) + head.name_bytes + value_bytes >
		    room - (size_t)(at - bytes))
			return why_set(why, -EFBIG,
				       "%s: it and the other files of this request are too "
				       "large to be read at one time; set them one by one",
				       data->name);
		at = mempcpy(at, &head, sizeof(head));
		at = mempcpy(at, data->name, head.name_bytes);
		at = mempcpy(at, data->value, value_bytes);
	}
	*size = (size_t)(at - bytes);
	return 0;
}

int fault_files_unpack(struct fault_files *files, const uint8_t *bytes, size_t size,
		       struct why *why)
{
	const uint8_t *end = bytes + size;
	int err = 0;

	while (!err && bytes < end) {
		struct fault_data *data;
		struct packed head;

		memcpy(&head, bytes, sizeof(head));
		bytes += sizeof(head);
		err = fault_data_make(&data, (enum fault_data_kind)head.kind,
				      (const char *)bytes, head.name_bytes,
				      bytes + head.name_bytes, head.count, why);
		if (err)
			return err;
		bytes += head.name_bytes + head.count * sizeof(data->value[0]);
		err = keep(files, data, why);
		fault_data_free(data);
	}
	ASSERT(err || bytes == end);
	return err;
}
