/* SPDX-License-Identifier: MIT */
/* files.c - "files", "image" and "kernel": paths of the host and of the machine */
#include <stdlib.h>
#include <string.h>

#include "topology/fields.h"
#include "topology/props.h"

static const char *const file_keys[] = { "content", "source", "mode", NULL };

enum { FILE_MODE_DEFAULT = 0644, HOST_PATH_BYTES_MAX = 4096 };

/* Is one of the path's parts ".."? */
static bool climbs(const char *path)
{
	for (const char *at = path; *at;) {
		size_t size = strcspn(at, "/");

		if (size == 2 && at[0] == '.' && at[1] == '.')
			return true;
		at += size + (at[size] == '/');
	}
	return false;
}

/* From the topology's folder, unless it is absolute. */
static const char *host_path(struct build *b, const struct tree *value, const char *path)
{
	const char *dir = b->plan->dir;

	if (strlen(dir) + strlen(path) + 2 > HOST_PATH_BYTES_MAX) {
		complain(b->diags, value, "this path is too long");
		return NULL;
	}
	if (*path == '/')
		return arena_printf(&b->arena, "%s", path);
	while (path[0] == '.' && path[1] == '/')
		path += 1 + strspn(path + 1, "/");
	return arena_printf(&b->arena, "%s/%s", strcmp(dir, "/") ? dir : "", path);
}

static enum path_kind probe(struct build *b, const char *path, enum path_kind unknown)
{
	if (!b->options->probe)
		return unknown;
	return b->options->probe(b->options->probe_ctx, path);
}

void image_read(struct build *b, const struct tree *image, struct props *out)
{
	const char *text = field_text(b->diags, image);
	const char *path;
	bool slash;

	if (!text)
		return;
	if (!strcmp(text, "host")) {
		out->has_image = true;
		out->image_kind = IMAGE_HOST;
		return;
	}
	path = host_path(b, image, text);
	if (!path)
		return;
	slash = text[strlen(text) - 1] == '/';
	switch (probe(b, path, slash ? PATH_DIR : PATH_FILE)) {
	case PATH_DIR:
		out->image_kind = IMAGE_DIR;
		break;
	case PATH_FILE:
		out->image_kind = IMAGE_FILE;
		break;
	case PATH_OTHER:
		complain(b->diags, image, "%s is neither a folder nor a regular file",
			 path);
		return;
	default:
		complain(b->diags, image,
			 "there is no %s; write \"host\", or the path of a folder or "
			 "image file, from the topology's folder",
			 path);
		return;
	}
	out->has_image = true;
	out->image = path;
}

void kernel_read(struct build *b, const struct tree *kernel, struct props *out)
{
	const char *text = field_text(b->diags, kernel);
	const char *path = text ? host_path(b, kernel, text) : NULL;

	if (!path)
		return;
	switch (probe(b, path, PATH_FILE)) {
	case PATH_FILE:
		out->kernel = path;
		return;
	case PATH_MISSING:
		complain(b->diags, kernel, "there is no %s", path);
		return;
	default:
		complain(b->diags, kernel, "%s is not a regular file", path);
	}
}

static void read_mode(struct build *b, const struct tree *value, struct plan_file *file)
{
	const char *text = field_string(b->diags, value);
	unsigned long mode;
	char *end;

	if (!text)
		return;
	mode = strtoul(text, &end, 8);
	if (text[0] != '0' || strlen(text) < 4 || strlen(text) > 5 || *end ||
	    mode > 07777)
		complain(b->diags, value,
			 "\"%.40s\" is not a file mode: write octal digits with a 0 in "
			 "front, such as \"0755\"",
			 text);
	else
		file->mode = (uint32_t)mode;
}

/* "source": a regular file in the topology's folder. */
static void read_source(struct build *b, const struct tree *value, struct plan_file *file)
{
	const char *text = field_text(b->diags, value);
	const char *path;

	if (!text)
		return;
	if (*text == '/' || climbs(text)) {
		complain(b->diags, value,
			 "\"%.60s\" is not inside the topology's folder, which is all of "
			 "the host that a machine may see",
			 text);
		return;
	}
	path = host_path(b, value, text);
	if (!path)
		return;
	if (probe(b, path, PATH_FILE) == PATH_FILE)
		file->source = (char *)text;
	else
		complain(b->diags, value, "there is no regular file %s", path);
}

/* Returns whether there is a file to be written. */
static bool read_file(struct build *b, const struct tree *member, struct plan_file *file)
{
	const struct tree *content, *source;

	*file = (struct plan_file){ .path = (char *)member->key,
				    .mode = FILE_MODE_DEFAULT };
	if (member->key[0] != '/' || climbs(member->key) || strstr(member->key, "//") ||
	    member->key[strlen(member->key) - 1] == '/')
		complain_key(b->diags, member, NULL,
			     "not a path of a file in the machine: write it from / on, "
			     "such as /etc/motd");
	if (member->type == TREE_STRING) {
		file->content = (char *)member->text;
		return true;
	}
	if (member->type != TREE_OBJECT) {
		complain(b->diags, member,
			 "expected the file's content, or an object with \"content\" or "
			 "\"source\", found %s",
			 tree_type_name(member->type));
		return false;
	}
	field_keys(b->diags, member, file_keys, false);
	content = tree_get(member, "content");
	source = tree_get(member, "source");
	read_mode(b, tree_get(member, "mode"), file);
	if (!content == !source) {
		complain(b->diags, member, "expected either \"content\" or \"source\"");
		return false;
	}
	if (content)
		file->content = (char *)field_string(b->diags, content);
	else
		read_source(b, source, file);
	return file->content || file->source;
}

void files_read(struct build *b, const struct tree *files, struct props *out)
{
	const struct tree *object = field_object(b->diags, files);

	if (!object)
		return;
	if (object->count > PROPS_ITEMS_MAX) {
		complain(b->diags, object, "more than %d files", PROPS_ITEMS_MAX);
		return;
	}
	out->files = arena_alloc(&b->arena, object->count * sizeof(*out->files));
	tree_each(member, object)
		out->file_count += read_file(b, member, &out->files[out->file_count]);
}
