/* SPDX-License-Identifier: MIT */
/* compile_file.c - the part of the compiler that touches files */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "topology/compile.h"
#include "topology/read_json.h"

static enum path_kind probe_host(void *ctx, const char *path)
{
	struct stat st;

	(void)ctx;
	if (stat(path, &st))
		return PATH_MISSING;
	return S_ISDIR(st.st_mode)   ? PATH_DIR
	       : S_ISREG(st.st_mode) ? PATH_FILE
				     : PATH_OTHER;
}

static int refuse(struct diagnostics *diags, int err, const char *what)
{
	complain_place(diags, (struct tree_place){ 0 }, NULL, "%s", what);
	return err;
}

/* The whole file; a device or pipe has no end and is refused. */
static int read_whole(const char *path, char **text, size_t *size,
		      struct diagnostics *diags)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t got;

	if (fd < 0 && errno == ENOENT && !strcmp(path, "-"))
		return refuse(diags, -ENOENT,
			      "stdin is not read; a topology is a file that stays, for its "
			      "run names it: write it to one first");
	if (fd < 0 || fstat(fd, &st))
		return refuse(diags, -errno, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return refuse(diags, -EISDIR, "is a folder; name the file in it");
	if (!S_ISREG(st.st_mode))
		return refuse(diags, -EINVAL,
			      "is a pipe or a device; a topology is a file that stays, for "
			      "its run names it: write it to one first");
	/* A file that is too large is not read, only measured: one byte more than
	 * allowed makes the reader say so, in its words. */
	*size = 0;
	*text = malloc(READ_JSON_BYTES_MAX + 1);
	if (!*text)
		return refuse(diags, -ENOMEM, strerror(ENOMEM));
	if (st.st_size > READ_JSON_BYTES_MAX) {
		*size = READ_JSON_BYTES_MAX + 1;
		return 0;
	}
	while (*size <= READ_JSON_BYTES_MAX) {
		got = read(fd, *text + *size, READ_JSON_BYTES_MAX + 1 - *size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(diags, -errno, strerror(errno));
		if (!got)
			break;
		*size += (size_t)got;
	}
	return 0;
}

/* original: what the file at path is to be taken for; NULL: itself. */
static int compile(const char *path, const char *original,
		   const struct topology_options *options, struct plan **out,
		   struct diagnostics *diags)
{
	struct topology_options with_probe = { 0 };
	cleanup_free char *whole = NULL, *folder = NULL, *text = NULL;
	size_t size = 0;
	int err;

	*out = NULL;
	diags->file = path;
	err = read_whole(path, &text, &size, diags);
	if (!err) {
		whole = original ? strdup(original) : realpath(path, NULL);
		folder = whole ? strdup(whole) : NULL;
		if (!folder)
			err = refuse(diags, -errno, strerror(errno));
	}
	if (err) {
		diags->file = NULL;
		return err;
	}
	if (options)
		with_probe = *options;
	if (!with_probe.probe)
		with_probe.probe = probe_host;
	err = topology_compile_text(text, size, path, dirname(folder), &with_probe, out,
				    diags);
	if (!err) {
		/* Messages name the file as it was typed; the plan, for good. */
		free((*out)->file);
		(*out)->file = steal_ptr(&whole);
	}
	return err;
}

int topology_compile_file(const char *path, const struct topology_options *options,
			  struct plan **out, struct diagnostics *diags)
{
	return compile(path, NULL, options, out, diags);
}

int topology_compile_copy(const char *path, const char *original,
			  const struct topology_options *options, struct plan **out,
			  struct diagnostics *diags)
{
	return compile(path, original, options, out, diags);
}
