/* SPDX-License-Identifier: MIT */
/* The entropy device: the same bytes for the same key, no more than it should, and a
 * guest that asks wrongly harms itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "lib/inband_rig.h"
#include "virtio/vhost_user.h"
#include "virtio/vrng.h"

enum { STREAM = 600000 };

static struct rig rig;
static struct loop *loop;
static struct vrng *vrng;
static struct fake_guest *g;
static char path[96];
static unsigned deaths;
static bool broken;
static char reason[1024];
static uint8_t stream[STREAM]; /* what key 7 gives */

static void on_dead(void *ctx, bool was_broken, const char *why)
{
	(void)ctx;
	deaths++;
	broken = was_broken;
	snprintf(reason, sizeof(reason), "%s", why);
}

static const struct vrng_ops ops = { .dead = on_dead };

static void pump(void *ctx)
{
	(void)ctx;
	loop_turn(loop, 0);
}

static void turns(unsigned n)
{
	while (n--)
		loop_turn(loop, 0);
}

static void connect_device(struct vrng_config config, struct fake_options options)
{
	struct why why = { .text = "" };

	config.name = "n1:entropy";
	config.path = path;
	options.rings = 1;
	if (!options.pump)
		options.pump = pump;
	deaths = 0;
	assert_int_equal(vrng_create(&vrng, loop, &config, &ops, NULL, &why), 0);
	assert_int_equal(fake_guest_open(&g, path, &options), 0);
	g->options.pump_ctx = g;
	assert_int_equal(fake_handshake(g, FAKE_UML), 0);
	turns(2);
}

static void disconnect_device(void)
{
	vrng_destroy(steal_ptr(&vrng));
	fake_guest_close(g);
	g = NULL;
}

static int begin(void **state)
{
	(void)state;
	rig_begin(&rig);
	loop = rig.loop;
	snprintf(path, sizeof(path), "%s/rng", rig.dir);
	for (size_t i = 0; i < STREAM; i++)
		stream[i] = (uint8_t)(draw_bits(7, i / 8, LANE_ENTROPY) >> 8 * (i % 8));
	connect_device((struct vrng_config){ .key = 7 },
		       (struct fake_options){ .slot_bytes = 16384 });
	return 0;
}

static int end(void **state)
{
	(void)state;
	disconnect_device();
	rig_end(&rig);
	return 0;
}

static void request(unsigned parts, uint32_t part_bytes)
{
	assert_true(fake_post(g, 0, parts, part_bytes) >= 0);
}

static void kick(void)
{
	fake_kick_if_wanted(g, 0);
	turns(4);
}

static uint8_t got[16384];

static uint32_t next(void)
{
	uint32_t n = 0;

	assert_true(fake_get(g, 0, got, sizeof(got), &n) >= 0);
	return n;
}

static void bytes_are_draws_of_the_key_in_order(void **state)
{
	static const uint32_t sizes[] = { 64, 1, 7, 64, 13, 4096, 3, 64 };
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		request(1, sizes[i]);
		kick();
		assert_int_equal(next(), sizes[i]);
		assert_memory_equal(got, stream + at, sizes[i]);
		at += sizes[i];
	}
	assert_int_equal(vrng_bytes(vrng), at);
	assert_true(fake_signals(g, 0) > 0);
}

static void a_request_in_pieces_has_the_same_bytes(void **state)
{
	(void)state;
	request(5, 13);
	kick();
	assert_int_equal(next(), 65);
	assert_memory_equal(got, stream, 65);
}

static void another_key_is_another_stream(void **state)
{
	(void)state;
	disconnect_device();
	connect_device((struct vrng_config){ .key = 8 }, (struct fake_options){ 0 });
	request(1, 64);
	kick();
	assert_int_equal(next(), 64);
	assert_memory_not_equal(got, stream, 64);
}

static void a_request_is_given_no_more_than_its_share(void **state)
{
	(void)state;
	request(1, 10000);
	kick();
	assert_int_equal(next(), VRNG_REQUEST_BYTES_MAX);
	assert_memory_equal(got, stream, VRNG_REQUEST_BYTES_MAX);
	for (size_t i = VRNG_REQUEST_BYTES_MAX; i < 10000; i++)
		assert_int_equal(got[i], 0);
}

static void a_turn_is_given_no_more_than_its_share(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		request(1, 4096);
	fake_kick_if_wanted(g, 0);
	turns(1);
	assert_true(vrng_bytes(vrng) > 0 && vrng_bytes(vrng) <= 128 * 1024);
	turns(10);
	assert_int_equal(vrng_bytes(vrng), 100 * 4096);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(next(), 4096);
		assert_memory_equal(got, stream + i * 4096, 4096);
	}
}

static void a_driver_that_comes_back_goes_on_where_it_was(void **state)
{
	(void)state;
	request(1, 64);
	kick();
	assert_int_equal(next(), 64);
	request(1, 64); /* waits in the ring and is forgotten with it */
	assert_int_equal(fake_stop_rings(g), 0);
	assert_int_equal(fake_start_rings(g), 0);
	request(1, 64);
	kick();
	assert_int_equal(next(), 64);
	assert_memory_equal(got, stream + 64, 64);
}

static void fill_a(void *ctx, uint8_t *bytes, size_t size)
{
	(void)ctx;
	memset(bytes, 'a', size);
}

static void the_owner_may_fill_requests(void **state)
{
	(void)state;
	disconnect_device();
	connect_device((struct vrng_config){ .fill = fill_a },
		       (struct fake_options){ 0 });
	request(2, 30);
	kick();
	assert_int_equal(next(), 60);
	for (int i = 0; i < 60; i++)
		assert_int_equal(got[i], 'a');
}

static void expect_broken(const char *text)
{
	kick();
	assert_int_equal(deaths, 1);
	assert_true(broken);
	if (!strstr(reason, text))
		fail_msg("'%s'; expected '%s'", reason, text);
	assert_true(fake_hung_up(g));
}

static void a_buffer_to_read_is_refused(void **state)
{
	(void)state;
	assert_true(fake_put(g, 0, "entropy for you", 15, 15) >= 0);
	expect_broken(
		"n1:entropy: request ring: the buffer at descriptor 0 is not one to "
		"write to");
}

static void an_empty_buffer_is_refused(void **state)
{
	struct fake_desc d = { fake_physical(g, fake_slot(g, 0, 0)), 0, FAKE_WRITE, 0 };

	(void)state;
	fake_desc_set(g, 0, 0, d);
	fake_avail_push(g, 0, 0);
	expect_broken("is not one to write to");
}

static void a_buffer_outside_its_memory_is_refused(void **state)
{
	struct fake_desc d = { 0x10, 64, FAKE_WRITE, 0 };

	(void)state;
	fake_desc_set(g, 0, 0, d);
	fake_avail_push(g, 0, 0);
	expect_broken("points outside the machine's memory");
}

static void in_virtual_time_a_request_is_answered_within_its_kick(void **state)
{
	(void)state;
	inband_begin(state);
	loop = inband.rig.loop;
	snprintf(path, sizeof(path), "%s/rng", inband.rig.dir);
	machine_boot(0);
	connect_device((struct vrng_config){ .key = 7, .guest = machine_guest(0) },
		       (struct fake_options){
			       .inband = true, .pump = inband_pump, .slot_bytes = 4096 });
	assert_true(fake_is_inband(g));
	for (int i = 0; i < 40; i++)
		request(1, 4096); /* more than a turn's share */
	fake_kick(g, 0);
	for (size_t i = 0; i < 40; i++) {
		assert_int_equal(next(), 4096);
		assert_memory_equal(got, stream + i * 4096, 4096);
	}
	/* And signalled before the reply. */
	assert_non_null(strstr(g->calls, "0 "));
	disconnect_device();
	inband_end(state);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(bytes_are_draws_of_the_key_in_order),
		T(a_request_in_pieces_has_the_same_bytes),
		T(another_key_is_another_stream),
		T(a_request_is_given_no_more_than_its_share),
		T(a_turn_is_given_no_more_than_its_share),
		T(a_driver_that_comes_back_goes_on_where_it_was),
		T(the_owner_may_fill_requests),
		T(a_buffer_to_read_is_refused),
		T(an_empty_buffer_is_refused),
		T(a_buffer_outside_its_memory_is_refused),
		cmocka_unit_test(in_virtual_time_a_request_is_answered_within_its_kick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
