/* SPDX-License-Identifier: MIT */
#include "base/why.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void set_writes_the_line_and_returns_the_error(void **state)
{
	struct why why = { "old" };

	(void)state;
	assert_int_equal(why_set(&why, -EINVAL, "port %s: size %u", "n1:eth0", 3u),
			 -EINVAL);
	assert_string_equal(why.text, "port n1:eth0: size 3");
}

static void errno_adds_the_words_of_the_system(void **state)
{
	struct why why;

	(void)state;
	assert_int_equal(why_errno(&why, -ENOENT, "open %s", "/x"), -ENOENT);
	assert_string_equal(why.text, "open /x: No such file or directory");
}

static void wrap_puts_the_context_in_front(void **state)
{
	struct why why;

	(void)state;
	why_set(&why, -EIO, "disk");
	assert_int_equal(why_wrap(&why, -EIO, "node %s", "n1"), -EIO);
	assert_int_equal(why_wrap(&why, -ENODEV, "up"), -ENODEV);
	assert_string_equal(why.text, "up: node n1: disk");
}

static void nobody_has_to_want_to_know(void **state)
{
	(void)state;
	assert_int_equal(why_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(why_errno(NULL, -EIO, "x"), -EIO);
	assert_int_equal(why_wrap(NULL, -EIO, "x"), -EIO);
}

/* The storage is framed by bytes that must survive. */
static void too_long_a_line_is_cut_and_ends_in_zero(void **state)
{
	struct {
		struct why why;
		char fence[16];
	} box;
	char big[2 * WHY_BYTES_MAX];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	memset(box.fence, '#', sizeof(box.fence));

	why_set(&box.why, -EIO, "%s", big);
	assert_int_equal(strlen(box.why.text), WHY_BYTES_MAX - 1);
	why_errno(&box.why, -EIO, "%s", big);
	assert_int_equal(strlen(box.why.text), WHY_BYTES_MAX - 1);
	why_wrap(&box.why, -EIO, "%s", "context");
	assert_int_equal(strlen(box.why.text), WHY_BYTES_MAX - 1);
	assert_memory_equal(box.why.text, "context: aaa", 12);
	why_wrap(&box.why, -EIO, "%s", big);
	assert_int_equal(strlen(box.why.text), WHY_BYTES_MAX - 1);
	for (size_t i = 0; i < sizeof(box.fence); i++)
		assert_int_equal(box.fence[i], '#');
}

static void errno_of_its_caller_survives(void **state)
{
	struct why why;

	(void)state;
	errno = EBUSY;
	why_errno(&why, -ENOENT, "x");
	assert_int_equal(errno, EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_writes_the_line_and_returns_the_error),
		cmocka_unit_test(errno_adds_the_words_of_the_system),
		cmocka_unit_test(wrap_puts_the_context_in_front),
		cmocka_unit_test(nobody_has_to_want_to_know),
		cmocka_unit_test(too_long_a_line_is_cut_and_ends_in_zero),
		cmocka_unit_test(errno_of_its_caller_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
