/* SPDX-License-Identifier: MIT */
#include "lib/damaged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SUM_AT = RECORD_HEADER_BYTES - 8 };

/* Of bytes that end where they end: reading beyond is seen. */
static int load_of(const uint8_t *bytes, size_t size, damaged_load *load, void *ctx)
{
	uint8_t *exact = malloc(size + !size);
	struct why why = { "" };
	struct record record;
	int err;

	assert_non_null(exact);
	memcpy(exact, bytes, size);
	record_load(&record, exact, size);
	err = load(ctx, &record, &why);
	if (err && !*why.text)
		fail_msg("error %d without a reason", err);
	free(exact);
	return err;
}

static void seal(uint8_t *bytes, size_t size)
{
	uint64_t sum = record_sum(bytes, bytes + RECORD_HEADER_BYTES,
				  size - RECORD_HEADER_BYTES);

	for (unsigned i = 0; i < 8; i++)
		bytes[SUM_AT + i] = (uint8_t)(sum >> 8 * i);
}

unsigned damaged_is_refused(const uint8_t *bytes, size_t size, damaged_load *load,
			    void *ctx)
{
	static const uint8_t masks[] = { 0x01, 0x80, 0xff };
	uint8_t *copy = malloc(size);
	unsigned refused = 0;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	assert_int_equal(load_of(copy, size, load, ctx), 0);
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(load_of(bytes, i, load, ctx), -EBADMSG);
		for (unsigned m = 0; m < sizeof(masks); m++) {
			int err;

			copy[i] ^= masks[m];
			if (load_of(copy, size, load, ctx) != -EBADMSG)
				fail_msg("byte %zu changed: loaded", i);
			seal(copy, size);
			err = load_of(copy, size, load, ctx);
			if (err != 0 && err != -EBADMSG)
				fail_msg("byte %zu changed: error %d", i, err);
			refused += err != 0;
			memcpy(copy, bytes, size);
		}
	}
	free(copy);
	return refused;
}
