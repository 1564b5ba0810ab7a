/* SPDX-License-Identifier: MIT */
/* Guest memory: both ends of a range are checked, and a file that is cut short
 * under us costs nothing but that guest. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "vhost/guest_memory.h"

enum { PAGE = 4096, SIZE = 16 * PAGE };

static const uint64_t physical = 0x100000, virtual = 0x7000000;

static struct guest_memory memory;
static int fd = -1;

static int begin(void **state)
{
	struct why why = { .text = "" };

	(void)state;
	fd = memfd_create("guest", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 2 * SIZE), 0);
	assert_int_equal(guest_memory_add(&memory, physical, virtual, SIZE, fd, 0, &why), 0);
	assert_int_equal(guest_memory_add(&memory, 0x80000000, 0x90000000, SIZE, fd,
					  SIZE - PAGE, &why),
			 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	guest_memory_clear(&memory);
	close(fd);
	return 0;
}

static void a_range_is_found_only_if_both_ends_are_inside(void **state)
{
	(void)state;
	assert_non_null(guest_memory_physical(&memory, physical, 1));
	assert_non_null(guest_memory_physical(&memory, physical, SIZE));
	assert_non_null(guest_memory_physical(&memory, physical + SIZE - 1, 1));
	assert_null(guest_memory_physical(&memory, physical, SIZE + 1));
	assert_null(guest_memory_physical(&memory, physical - 1, 2));
	assert_null(guest_memory_physical(&memory, physical + SIZE, 1));
	assert_null(guest_memory_physical(&memory, physical + SIZE - 1, 2));
	assert_null(guest_memory_physical(&memory, physical + 10, UINT64_MAX));
	assert_null(guest_memory_physical(&memory, UINT64_MAX, 2));
	assert_null(guest_memory_physical(&memory, virtual, 1));

	assert_non_null(guest_memory_virtual(&memory, virtual, SIZE));
	assert_null(guest_memory_virtual(&memory, virtual, SIZE + 1));
	assert_null(guest_memory_virtual(&memory, virtual + 10, UINT64_MAX));
	assert_null(guest_memory_virtual(&memory, physical, 1));
}

static void both_spaces_lead_to_the_same_bytes(void **state)
{
	(void)state;
	memcpy(guest_memory_physical(&memory, physical + SIZE - PAGE + 5, 6), "marker", 6);
	assert_memory_equal(guest_memory_virtual(&memory, virtual + SIZE - PAGE + 5, 6),
			    "marker", 6);
	/* The second region is mapped from the file's offset on. */
	assert_memory_equal(guest_memory_physical(&memory, 0x80000005, 6), "marker", 6);
}

static void a_range_that_leaves_its_region_is_cut(void **state)
{
	uint8_t *bytes = NULL;

	(void)state;
	assert_int_equal(guest_memory_prefix(&memory, physical + SIZE - 3, 10, &bytes), 3);
	assert_ptr_equal(bytes, guest_memory_physical(&memory, physical + SIZE - 3, 3));
	assert_int_equal(guest_memory_prefix(&memory, physical + SIZE, 10, &bytes), 0);
}

static void the_hidden_part_is_what_lies_below_all_regions(void **state)
{
	(void)state;
	assert_true(guest_memory_hidden(&memory, 0, 1));
	assert_true(guest_memory_hidden(&memory, physical - 10, 10));
	assert_false(guest_memory_hidden(&memory, physical - 10, 11));
	assert_false(guest_memory_hidden(&memory, physical + SIZE, 1));
	assert_false(guest_memory_hidden(&(struct guest_memory){ .count = 0 }, 0, 1));
}

static void an_offset_inside_a_page_is_honoured(void **state)
{
	struct guest_memory odd = { .count = 0 };
	struct why why = { .text = "" };

	(void)state;
	memcpy(guest_memory_physical(&memory, physical + 100, 5), "hello", 5);
	assert_int_equal(guest_memory_add(&odd, 0, 0, 10, fd, 100, &why), 0);
	assert_memory_equal(guest_memory_physical(&odd, 0, 10), "hello", 5);
	assert_null(guest_memory_physical(&odd, 0, 11));
	guest_memory_clear(&odd);
}

static void a_file_cut_short_reads_as_zeros_and_is_reported(void **state)
{
	volatile uint8_t *bytes;

	/* Map again: the test's runner has put in a handler of its own since. */
	end(state);
	begin(state);
	bytes = guest_memory_physical(&memory, physical, SIZE);
	bytes[0] = 1;
	bytes[SIZE - 1] = 2;
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(bytes[0], 1); /* that page is still there */
	assert_false(guest_memory_lost(&memory));
	assert_int_equal(bytes[SIZE - 1], 0);
	assert_true(guest_memory_lost(&memory));
	bytes[SIZE - 1] = 3; /* goes nowhere, harms nobody */
	bytes[PAGE] = 4;
}

static void only_the_guest_that_cut_its_file_is_lost(void **state)
{
	struct guest_memory other = { .count = 0 };
	struct why why = { .text = "" };
	int other_fd = memfd_create("other", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(other_fd, SIZE), 0);
	assert_int_equal(guest_memory_add(&other, 0, 0, SIZE, other_fd, 0, &why), 0);
	assert_int_equal(ftruncate(other_fd, 0), 0);
	*(volatile uint8_t *)guest_memory_physical(&other, 0, 1) = 1;
	assert_true(guest_memory_lost(&other));
	assert_false(guest_memory_lost(&memory));
	guest_memory_clear(&other);
	close(other_fd);
	*(volatile uint8_t *)guest_memory_physical(&memory, physical, 1) = 1;
	assert_false(guest_memory_lost(&memory));
}

/* In a child: a fault in memory that is no guest's must still end the process. */
static void another_bus_error_is_still_fatal(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	guest_memory_clear(&memory); /* the child would not have it mapped */
	pid = fork();
	if (pid == 0) {
		int own = memfd_create("own", MFD_CLOEXEC);
		struct guest_memory child = { .count = 0 };
		struct why why;
		volatile uint8_t *bytes;

		signal(SIGBUS, SIG_DFL);
		if (guest_memory_add(&child, 0, 0, SIZE, fd, 0, &why))
			_exit(1);
		bytes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
		bytes[0] = 1; /* the file is empty */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static void a_child_process_does_not_have_the_guests_memory(void **state)
{
	volatile uint8_t *bytes = guest_memory_physical(&memory, physical, 1);
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		bytes[0] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_range_is_found_only_if_both_ends_are_inside),
		T(both_spaces_lead_to_the_same_bytes),
		T(a_range_that_leaves_its_region_is_cut),
		T(the_hidden_part_is_what_lies_below_all_regions),
		T(an_offset_inside_a_page_is_honoured),
		T(a_file_cut_short_reads_as_zeros_and_is_reported),
		T(only_the_guest_that_cut_its_file_is_lost),
		T(another_bus_error_is_still_fatal),
		T(a_child_process_does_not_have_the_guests_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
