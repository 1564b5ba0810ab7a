/* SPDX-License-Identifier: MIT */
#include "run/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

static struct plan_node nodes[2] = { { .service_count = 1 }, { .service_count = 2 } };
static const struct plan plan = { .nodes = nodes, .node_count = 2 };

static struct digest *fresh(void)
{
	struct digest *digest = NULL;

	assert_int_equal(digest_create(&digest, &plan, NULL), 0);
	return digest;
}

static uint64_t end(struct digest *digest)
{
	uint64_t all = digest_value(digest).all;

	digest_destroy(digest);
	return all;
}

static const uint8_t bytes[] = "twenty bytes of frame";

static uint64_t of_frame(enum digest_way way, uint32_t port, uint64_t ns, size_t size,
			 uint8_t last)
{
	struct digest *digest = fresh();
	uint8_t frame[sizeof(bytes)];

	memcpy(frame, bytes, sizeof(bytes));
	frame[size - 1] = last;
	digest_frame(digest, way, port, ns, frame, size);
	return end(digest);
}

static void test_each_part_of_a_frame_counts(void **state)
{
	uint64_t one = of_frame(DIGEST_SENT, 1, 1000, 20, 'x');

	(void)state;
	assert_true(one == of_frame(DIGEST_SENT, 1, 1000, 20, 'x'));
	assert_true(one != of_frame(DIGEST_RECEIVED, 1, 1000, 20, 'x'));
	assert_true(one != of_frame(DIGEST_SENT, 2, 1000, 20, 'x'));
	assert_true(one != of_frame(DIGEST_SENT, 1, 1001, 20, 'x'));
	assert_true(one != of_frame(DIGEST_SENT, 1, 1000, 19, 'x'));
	assert_true(one != of_frame(DIGEST_SENT, 1, 1000, 20, 'y'));
}

static void test_the_order_of_frames_counts(void **state)
{
	struct digest *a = fresh(), *b = fresh();

	(void)state;
	digest_frame(a, DIGEST_SENT, 0, 5, bytes, 9);
	digest_frame(a, DIGEST_SENT, 1, 5, bytes, 9);
	digest_frame(b, DIGEST_SENT, 1, 5, bytes, 9);
	digest_frame(b, DIGEST_SENT, 0, 5, bytes, 9);
	assert_true(end(a) != end(b));
}

static void test_streams_count_however_they_are_cut(void **state)
{
	struct digest *a = fresh(), *b = fresh(), *c = fresh();

	(void)state;
	digest_console(a, 1, bytes, 20);
	digest_log(a, 1, 1, bytes, 20);
	for (int i = 0; i < 20; i++) {
		digest_log(b, 1, 1, bytes + i, 1);
		digest_console(b, 1, bytes + i, 1);
	}
	digest_console(c, 1, bytes, 20);
	digest_log(c, 1, 0, bytes, 20); /* of another service */
	assert_true(digest_value(a).all == digest_value(b).all);
	assert_true(digest_value(a).all != digest_value(c).all);
	assert_int_equal(digest_value(a).log_bytes, 20);
	end(a);
	end(b);
	end(c);
}

static void test_nothing_counts_after_the_seal(void **state)
{
	struct digest *digest = fresh();
	uint64_t before;

	(void)state;
	digest_entry(digest, "entry", 5);
	before = digest_value(digest).all;
	digest_seal(digest);
	digest_entry(digest, "entry", 5);
	digest_frame(digest, DIGEST_SENT, 0, 5, bytes, 9);
	digest_console(digest, 0, bytes, 5);
	digest_log(digest, 0, 0, bytes, 5);
	assert_true(digest_value(digest).sealed);
	assert_true(end(digest) == before);
}

static void test_looking_on_does_not_count(void **state)
{
	(void)state;
	assert_null(digest_line("{\"n\":0,\"t\":0,\"event\":\"lab-start\"}"));
	assert_null(digest_line("{\"n\":4,\"t\":1,\"event\":\"capture\"}"));
	assert_null(digest_line("{\"n\":5,\"t\":1,\"event\":\"capture-end\"}"));
	assert_null(digest_line("{\"n\":6,\"t\":1,\"event\":\"clock\",\"paused\":true}"));
	assert_null(digest_line("{\"n\":6,\"t\":1,\"event\":\"left-out\"}"));
	assert_null(digest_line("{\"n\":6,\"t\":1,\"event\":\"record-lost\"}"));
	assert_string_equal(digest_line("{\"n\":7,\"t\":1,\"event\":\"fault\"}"),
			    "\"t\":1,\"event\":\"fault\"}");
	/* What a command is told says nothing of the entry. */
	assert_non_null(digest_line("{\"n\":8,\"t\":1,\"event\":\"input\",\"env\":"
				    "{\"event\":\"capture\"}}"));
}

static void test_a_lab_in_real_time_has_none(void **state)
{
	(void)state;
	digest_entry(NULL, "entry", 5);
	digest_frame(NULL, DIGEST_SENT, 0, 5, bytes, 9);
	digest_console(NULL, 0, bytes, 5);
	digest_log(NULL, 0, 0, bytes, 5);
	digest_seal(NULL);
	digest_destroy(NULL);
}

/* Files are read, not mapped: one that is cut short under our eyes would be the end. */
static void the_hash_of_a_file_is_that_of_its_bytes_however_long_it_is(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 9, 65535, 65536, 65537, 131072, 200001 };
	static uint8_t content[200001];
	int fd = memfd_create("file", MFD_CLOEXEC);
	uint64_t hash = 0;

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(write(fd, content, sizeof(content)), sizeof(content));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(digest_hash_file(fd, sizes[i], &hash), 0);
		assert_true(hash == digest_hash(content, sizes[i]));
	}
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(digest_hash_file(fd, sizeof(content) + 1, &hash), -ESTALE);
	assert_int_equal(ftruncate(fd, 65536), 0);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(digest_hash_file(fd, sizeof(content), &hash), -ESTALE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_of_a_file_is_that_of_its_bytes_however_long_it_is),
		cmocka_unit_test(test_each_part_of_a_frame_counts),
		cmocka_unit_test(test_the_order_of_frames_counts),
		cmocka_unit_test(test_streams_count_however_they_are_cut),
		cmocka_unit_test(test_nothing_counts_after_the_seal),
		cmocka_unit_test(test_looking_on_does_not_count),
		cmocka_unit_test(test_a_lab_in_real_time_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
