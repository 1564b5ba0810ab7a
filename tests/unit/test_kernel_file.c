/* SPDX-License-Identifier: MIT */
/* What is read of a kernel's file, which may be anybody's and hold anything; and that the
 * file is not executed. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/kernel.h"
#include "kernel/run.h"

static char place[] = "/tmp/netlab-kernel-file.XXXXXX";

static const char *in_place(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return path;
}

/* A file with a head, one part, and these texts in it, of which each ends with a zero. */
struct file {
	Elf64_Ehdr head;
	Elf64_Phdr part;
	char texts[1024];
};

static struct file file_with(const char *texts, size_t size)
{
	struct file f = {
		.head = { .e_type = ET_EXEC,
			  .e_machine = EM_X86_64,
			  .e_phoff = offsetof(struct file, part),
			  .e_phnum = 1,
			  .e_phentsize = sizeof(Elf64_Phdr) },
		.part = { .p_type = PT_LOAD,
			  .p_offset = offsetof(struct file, texts),
			  .p_filesz = sizeof(f.texts) },
	};

	memcpy(f.head.e_ident, ELFMAG, SELFMAG);
	f.head.e_ident[EI_CLASS] = ELFCLASS64;
	assert_true(size <= sizeof(f.texts) - 1);
	memcpy(f.texts + 1, texts, size);
	return f;
}

#define FILE_WITH(texts) file_with(texts, sizeof(texts))

static int look_at(struct kernel *out, const struct file *f, struct why *why)
{
	const char *path = in_place("linux");

	assert_int_equal(fdio_write_file(AT_FDCWD, path, f, sizeof(*f), 0755, NULL), 0);
	return kernel_look(out, path, why);
}

static void release_and_abilities_are_read_in_its_texts(void **state)
{
	struct file f = FILE_WITH("Linux version 9.8.7-x (me) \n\0CONFIG_UML=y\n\n\0"
				  "CONFIG_MODULES=y\n\0seccomp=<on/off>\n  text\n"
				  "um_seed=N\n\0CONFIG_HOSTFS=y\0xum_tsc=1");
	struct kernel kernel;
	struct why why = { "" };

	(void)state;
	assert_int_equal(look_at(&kernel, &f, &why), 0);
	assert_string_equal(kernel.release, "9.8.7-x");
	assert_int_equal(kernel.can, KERNEL_SECCOMP | KERNEL_SEED | KERNEL_MODULES);
	assert_false(kernel.dynamic);
	f = FILE_WITH("CONFIG_UML=y\0CONFIG_HOSTFS=y\0CONFIG_OVERLAY_FS=y\0"
		      "CONFIG_VIRTIO_NET=y\0CONFIG_VIRTIO_CONSOLE=y\0Linux version 1.2 ");
	assert_int_equal(look_at(&kernel, &f, &why), 0);
	assert_int_equal(kernel.can, KERNEL_BUILTIN);
}

static void refused(const struct file *f, int wanted, const char *word)
{
	struct kernel kernel;
	struct why why = { "" };

	assert_int_equal(look_at(&kernel, f, &why), wanted);
	if (!strstr(why.text, word))
		fail_msg("'%s' is not in: %s", word, why.text);
}

static void what_is_no_kernel_is_refused(void **state)
{
	struct file f = FILE_WITH("Linux version 9.8 (me)\0CONFIG_X86=y");

	(void)state;
	refused(&f, -ENOEXEC, "ARCH=um"); /* that of a computer */
	f = FILE_WITH("CONFIG_UML=y");
	refused(&f, -ENOEXEC, "ARCH=um");
	f = FILE_WITH("CONFIG_UML=y\0Linux version 9.8\033[2J ");
	refused(&f, -ENOEXEC, "ARCH=um"); /* would go to the terminal */
	f = FILE_WITH("CONFIG_UML=y\0Linux version 9.8/../../x ");
	refused(&f, -ENOEXEC, "ARCH=um"); /* would go into a path */
	f = FILE_WITH("CONFIG_UML=y\0Linux version 9.8 ");
	f.head.e_machine = EM_AARCH64;
	refused(&f, -ENOEXEC, "ARCH=um");
}

static void a_head_that_lies_reads_nothing_beyond(void **state)
{
	const struct file good = FILE_WITH("CONFIG_UML=y\0Linux version 9.8 ");
	struct file f = good;

	(void)state;
	f.part.p_filesz = UINT64_MAX;
	refused(&f, -EFBIG, "MB");
	f = good;
	f.part.p_filesz = 1 << 20;
	refused(&f, -ENOEXEC, "cut short");
	f = good;
	f.part.p_offset = UINT64_MAX;
	refused(&f, -EINVAL, "linux");
	f = good;
	f.head.e_phoff = UINT64_MAX - 3;
	refused(&f, -ENOEXEC, "cut short");
	f = good;
	f.head.e_phnum = UINT16_MAX;
	refused(&f, -ENOEXEC, "cut short");
	f.head.e_phentsize = 0; /* one part, 65535 times */
	refused(&f, -ENOEXEC, "ARCH=um");
	f = good; /* no end of a text */
	memset(f.texts, 'C', sizeof(f.texts));
	refused(&f, -ENOEXEC, "ARCH=um");
}

static void a_fifo_does_not_hold_it_up(void **state)
{
	const char *path = in_place("fifo");
	struct kernel kernel;
	struct why why = { "" };

	(void)state;
	assert_int_equal(mkfifo(path, 0755), 0);
	assert_int_equal(kernel_look(&kernel, path, &why), -ENOEXEC);
	assert_int_equal(kernel_look(&kernel, place, &why), -ENOEXEC);
}

static void run_with_a_word(const char *program)
{
	const char *const argv[] = { program, "--version", NULL };
	struct run run = { .argv = argv };

	assert_int_equal(run_program(&run, NULL), 0);
}

/* This very program, which leaves a mark when it is executed with a word. */
static void it_is_not_executed(void **state)
{
	cleanup_free char *bytes = NULL;
	struct kernel kernel;
	struct why why = { "" };
	char mark[PATH_MAX];
	size_t size;

	(void)state;
	assert_int_equal(
		fdio_read_file(AT_FDCWD, "/proc/self/exe", 64 << 20, &bytes, &size, NULL), 0);
	snprintf(mark, sizeof(mark), "%s", in_place("program.ran"));
	assert_int_equal(
		fdio_write_file(AT_FDCWD, in_place("program"), bytes, size, 0755, NULL), 0);
	/* The texts of a kernel are in it, those above. */
	assert_int_equal(kernel_look(&kernel, in_place("program"), &why), 0);
	assert_int_not_equal(access(mark, F_OK), 0);
	run_with_a_word(in_place("program")); /* it would have been seen */
	assert_int_equal(access(mark, F_OK), 0);
}

static int leave_mark(const char *program)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.ran", program);
	return fdio_write_file(AT_FDCWD, path, "", 0, 0644, NULL) ? 1 : 0;
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(place) ? 0 : -1;
}

static int end(void **state)
{
	cleanup_close int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	return fdio_remove_tree(tmp, strrchr(place, '/') + 1, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(release_and_abilities_are_read_in_its_texts),
		cmocka_unit_test(what_is_no_kernel_is_refused),
		cmocka_unit_test(a_head_that_lies_reads_nothing_beyond),
		cmocka_unit_test(a_fifo_does_not_hold_it_up),
		cmocka_unit_test(it_is_not_executed),
	};

	if (argc > 1)
		return leave_mark(argv[0]);
	return cmocka_run_group_tests(tests, begin, end);
}
