/* SPDX-License-Identifier: MIT */
/* mkinitramfs AGENT OUTPUT - the archive that a machine's kernel unpacks as its
 * first root: the agent as /init, and what it needs to say that it is there.
 *
 * The format is cpio's "newc": a header of 110 ASCII characters, the name, the
 * content, each padded to four bytes.  Device nodes are entries like any other:
 * no privilege is needed to write one down.
 *
 * The archive depends on the agent's bytes alone: no times, no inode numbers of
 * the build machine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct entry {
	const char *name;
	unsigned mode; /* with the file's type */
	unsigned major, minor;
};

static const struct entry entries[] = {
	{ "dev", S_IFDIR | 0755, 0, 0 },
	{ "dev/console", S_IFCHR | 0600, 5, 1 },
	{ "dev/null", S_IFCHR | 0666, 1, 3 },
	{ "proc", S_IFDIR | 0755, 0, 0 },
	{ "sys", S_IFDIR | 0755, 0, 0 },
};

enum { ENTRIES = sizeof(entries) / sizeof(entries[0]), ALIGN = 4 };

static size_t written; /* all bytes so far, for the padding */

static int put(FILE *out, const void *bytes, size_t size)
{
	static const char zeros[ALIGN];
	size_t pad = (ALIGN - (written + size) % ALIGN) % ALIGN;

	if (fwrite(bytes, 1, size, out) != size || fwrite(zeros, 1, pad, out) != pad)
		return -errno;
	written += size + pad;
	return 0;
}

static int put_entry(FILE *out, unsigned inode, const struct entry *entry,
		     const void *bytes, size_t size)
{
	char head[512];
	int n = snprintf(head, sizeof(head),
			 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", inode,
			 entry->mode, 0, 0, 1, 0, (unsigned)size, 0, 0, entry->major,
			 entry->minor, (unsigned)strlen(entry->name) + 1, 0, entry->name);
	int err = put(out, head, (size_t)n + 1);

	return err || !size ? err : put(out, bytes, size);
}

static int put_archive(FILE *out, const void *agent, size_t size)
{
	static const struct entry init = { "init", S_IFREG | 0755, 0, 0 };
	static const struct entry trailer = { "TRAILER!!!", 0, 0, 0 };
	int err = 0;

	for (unsigned i = 0; i < ENTRIES && !err; i++)
		err = put_entry(out, i + 1, &entries[i], NULL, 0);
	err = err ? err : put_entry(out, ENTRIES + 1, &init, agent, size);
	return err ? err : put_entry(out, 0, &trailer, NULL, 0);
}

/* All of a file; its size goes to *size.  NULL with errno. */
static void *read_file(const char *path, size_t *size)
{
	FILE *in = fopen(path, "rb");
	struct stat st;
	char *bytes = NULL;

	if (!in)
		return NULL;
	if (fstat(fileno(in), &st) == 0 && st.st_size > 0)
		bytes = malloc((size_t)st.st_size);
	*size = bytes ? fread(bytes, 1, (size_t)st.st_size, in) : 0;
	if (bytes && *size != (size_t)st.st_size) {
		free(bytes);
		bytes = NULL;
		errno = EIO;
	}
	fclose(in);
	return bytes;
}

int main(int argc, char **argv)
{
	size_t size;
	void *agent;
	FILE *out;
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: mkinitramfs AGENT OUTPUT\n");
		return 2;
	}
	agent = read_file(argv[1], &size);
	if (!agent) {
		fprintf(stderr, "mkinitramfs: read %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	out = fopen(argv[2], "wb");
	err = out ? put_archive(out, agent, size) : -errno;
	if (out && fclose(out) && !err)
		err = -errno;
	free(agent);
	if (err) {
		fprintf(stderr, "mkinitramfs: write %s: %s\n", argv[2], strerror(-err));
		remove(argv[2]);
		return 1;
	}
	return 0;
}
