/* SPDX-License-Identifier: MIT */
/* Captures into pipes: slow readers, readers that go away. */
#include "unit/capture_lib.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/outbox.h"

static void make_pipe(int *reader, int *writer)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	*reader = ends[0];
	*writer = ends[1];
}

enum { STREAM_BYTES_MAX = 2 * CAPTURE_BUFFER_BYTES };

/* All that is in the pipe now, behind what was read before. */
static size_t read_now(int fd, uint8_t **bytes, size_t have)
{
	ssize_t n;

	if (!*bytes)
		*bytes = malloc(STREAM_BYTES_MAX);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	do {
		assert_true(have < STREAM_BYTES_MAX);
		n = read(fd, *bytes + have, STREAM_BYTES_MAX - have);
		have += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return have;
}

static void a_slow_reader_loses_whole_frames_only_and_is_told_so(void **state)
{
	enum { FRAMES = 8000, MORE = 50, SIZE = 1400 };
	char error[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *header;
	const uint8_t *packet;
	uint64_t written, missed;
	uint32_t next = 0, gap_at = 0, gap = 0, frames = 0;
	struct rig rig;
	uint8_t *bytes = NULL;
	size_t have = 0;
	int reader, writer, more;
	pcap_t *pcap;
	FILE *file;

	(void)state;
	make_pipe(&reader, &writer);
	rig_create(&rig, writer, NULL, 0);
	for (uint32_t i = 0; i < FRAMES; i++)
		rig_frame(&rig, 0, true, i, 53, SIZE, NULL);
	missed = capture_stats(rig.capture)->missed;
	assert_true(missed > 1000);
	/* The reader wakes up. */
	have = read_now(reader, &bytes, have);
	while (loop_turn(rig.loop, 0) > 0)
		have = read_now(reader, &bytes, have);
	for (uint32_t i = FRAMES; i < FRAMES + MORE; i++) {
		rig_frame(&rig, 0, true, i, 53, SIZE, NULL);
		loop_turn(rig.loop, 0);
		have = read_now(reader, &bytes, have);
	}
	written = capture_stats(rig.capture)->written;
	assert_int_equal(capture_stats(rig.capture)->missed, missed);
	assert_int_equal(written + missed, FRAMES + MORE);
	capture_finish(rig.capture);
	rig_turn_until_ended(&rig);
	assert_string_equal(rig.ended_why, "(none)");
	have = read_now(reader, &bytes, have);

	file = fmemopen(bytes, have, "rb");
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO,
							error);
	assert_non_null(pcap);
	while ((more = pcap_next_ex(pcap, &header, &packet)) == 1) {
		uint32_t number = udp_frame_number(packet);

		assert_int_equal(header->caplen, SIZE);
		assert_memory_equal(packet, udp_frame(number, 53, SIZE), SIZE);
		if (number != next) {
			assert_int_equal(gap, 0); /* there is one */
			gap = number - next;
			gap_at = frames;
		}
		next = number + 1;
		frames++;
	}
	assert_int_equal(more, PCAP_ERROR_BREAK);
	pcap_close(pcap);
	assert_int_equal(frames, written);
	assert_int_equal(gap, missed);
	assert_int_equal(frames - gap_at, MORE); /* the gap is before the first of them */
	free(bytes);
	rig_destroy(&rig);
	close(reader);
}

static void the_gap_and_the_sum_are_in_the_stream_where_tshark_finds_them(void **state)
{
	uint8_t *bytes = NULL;
	char expected[64];
	const char *path, *output;
	struct rig rig;
	size_t have = 0;
	int reader, writer, fd, status;
	uint64_t missed;

	(void)state;
	make_pipe(&reader, &writer);
	rig_create(&rig, writer, NULL, 0);
	for (uint32_t i = 0; i < 4000; i++)
		rig_frame(&rig, 1, true, i, 53, 1400, NULL);
	missed = capture_stats(rig.capture)->missed;
	have = read_now(reader, &bytes, have);
	while (loop_turn(rig.loop, 0) > 0)
		have = read_now(reader, &bytes, have);
	rig_frame(&rig, 1, true, 4000, 53, 60, NULL);
	rig_frame(&rig, 1, true, 4001, 53, 61, NULL); /* nothing is missing here */
	capture_finish(rig.capture);
	rig_turn_until_ended(&rig);
	have = read_now(reader, &bytes, have);
	path = scratch_file(&fd);
	assert_int_equal(write(fd, bytes, have), have);
	close(fd);
	output = run_program(&status,
			     (const char *const[]){ "tshark", "-n", "-r", path, "-Y",
						    "frame.drop_count", "-T", "fields", "-e",
						    "udp.length", "-e", "frame.drop_count",
						    NULL });
	free(bytes);
	close(reader);
	rig_destroy(&rig);
	scratch_remove();
	if (!output) {
		print_message("tshark is not installed: apt-get install tshark\n");
		skip();
	}
	assert_int_equal(status, 0);
	/* One line about being root may come first. */
	if (!strncmp(output, "Running as user", 15))
		output = strchr(output, '\n') + 1;
	snprintf(expected, sizeof(expected), "26\t%llu\n", (unsigned long long)missed);
	assert_string_equal(output, expected);
}

static void a_reader_that_leaves_ends_the_capture_though_nothing_happens(void **state)
{
	struct rig rig;
	int reader, writer;

	(void)state;
	make_pipe(&reader, &writer);
	rig_create(&rig, writer, NULL, 0);
	assert_int_equal(loop_turn(rig.loop, 0), 0);
	close(reader);
	rig_turn_until_ended(&rig);
	assert_string_equal(rig.ended_why, "the reader has gone");
	rig_frame(&rig, 0, true, 1, 53, 64, NULL); /* is ignored */
	loop_turn(rig.loop, 0);
	assert_int_equal(rig.ended, 1);
	rig_destroy(&rig);
}

static void a_reader_that_leaves_amid_frames_ends_it_without_a_signal(void **state)
{
	struct rig rig;
	int reader, writer;

	(void)state;
	make_pipe(&reader, &writer);
	rig_create(&rig, writer, NULL, 0);
	rig.destroy_in_ended = true;
	close(reader);
	for (uint32_t i = 0; i < 200; i++) /* enough to be written at once */
		rig_frame(&rig, 0, true, i, 53, 1400, NULL);
	assert_int_equal(rig.ended, 0); /* not from within our own call */
	rig_turn_until_ended(&rig);
	assert_string_equal(rig.ended_why, "the reader has gone");
	assert_null(rig.capture);
	assert_int_equal(fcntl(writer, F_GETFD), -1); /* closed */
	rig_destroy(&rig);
}

static void a_reader_that_leaves_while_the_pipe_is_full_ends_it(void **state)
{
	struct rig rig;
	int reader, writer;

	(void)state;
	make_pipe(&reader, &writer);
	rig_create(&rig, writer, NULL, 0);
	for (uint32_t i = 0; i < 4000; i++)
		rig_frame(&rig, 0, true, i, 53, 1400, NULL);
	assert_int_equal(loop_turn(rig.loop, 0), 0); /* no turning in circles */
	close(reader);
	rig_turn_until_ended(&rig);
	assert_int_equal(rig.ended, 1);
	rig_destroy(&rig);
}

static void the_other_end_of_a_socket_may_leave_too(void **state)
{
	struct rig rig;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	rig_create(&rig, ends[1], NULL, 0);
	close(ends[0]);
	rig_turn_until_ended(&rig);
	assert_string_equal(rig.ended_why, "the reader has gone");
	rig_destroy(&rig);
}

static void finishing_waits_for_the_reader(void **state)
{
	struct rig rig;
	uint8_t *bytes = NULL;
	size_t have = 0;
	int reader, writer;

	(void)state;
	make_pipe(&reader, &writer);
	rig_create(&rig, writer, NULL, 0);
	for (uint32_t i = 0; i < 1000; i++)
		rig_frame(&rig, 0, true, i, 53, 1400, NULL);
	capture_finish(rig.capture);
	for (int i = 0; i < 10; i++)
		loop_turn(rig.loop, 0);
	assert_int_equal(rig.ended, 0);
	while (!rig.ended) {
		have = read_now(reader, &bytes, have);
		assert_true(loop_turn(rig.loop, 5000) >= 0);
	}
	have = read_now(reader, &bytes, have);
	assert_true(have > 1000 * 1400);
	assert_string_equal(rig.ended_why, "(none)");
	free(bytes);
	rig_destroy(&rig);
	close(reader);
}

/* The descriptor is often shared with the shell that started the client, or with another
 * capture: whatever they do to it, nobody waits here. */
static void a_shared_descriptor_is_left_alone_and_cannot_make_us_wait(void **state)
{
	struct rig rig;
	int reader, writer, shared;

	(void)state;
	make_pipe(&reader, &writer);
	shared = dup(writer);
	rig_create(&rig, writer, NULL, 0);
	assert_false(fcntl(shared, F_GETFL) & O_NONBLOCK);
	alarm(20);
	for (uint32_t i = 0; i < 1000; i++) /* more than a pipe takes */
		rig_frame(&rig, 0, true, i, 53, 1400, NULL);
	for (int i = 0; i < 10; i++)
		loop_turn(rig.loop, 0);
	rig_destroy(&rig);
	alarm(0);
	close(shared);
	close(reader);
}

static void a_shared_socket_cannot_make_us_wait(void **state)
{
	struct rig rig;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	rig_create(&rig, fds[1], NULL, 0);
	alarm(20);
	for (uint32_t i = 0; i < 1000; i++)
		rig_frame(&rig, 0, true, i, 53, 1400, NULL);
	for (int i = 0; i < 10; i++)
		loop_turn(rig.loop, 0);
	rig_destroy(&rig);
	alarm(0);
	close(fds[0]);
}

/* A file that may grow to so many bytes only, as on a full disk. */
static void a_file_that_takes_no_more_ends_with_a_whole_block(void **state)
{
	const struct rlimit small = { 100000, RLIM_INFINITY };
	struct rlimit before;
	struct rig rig;
	uint32_t type, size;
	off_t at = 0, end;
	int fd = memfd_create("capture", MFD_CLOEXEC), look = dup(fd);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	rig_create(&rig, fd, NULL, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint32_t i = 0; i < 200; i++)
		rig_frame(&rig, 0, true, i, 53, 1400, NULL);
	rig_turn_until_ended(&rig);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_string_not_equal(rig.ended_why, "(none)");
	end = lseek(look, 0, SEEK_END);
	assert_true(end > 90000 && end <= 100000);
	while (at < end) {
		assert_int_equal(pread(look, &type, 4, at), 4);
		assert_int_equal(pread(look, &size, 4, at + 4), 4);
		at += size;
	}
	assert_int_equal(at, end);
	rig_destroy(&rig);
	close(look);
}

static void a_sigpipe_that_somebody_else_waits_for_is_left_alone(void **state)
{
	sigset_t pipe_only, pending;
	struct rig rig;
	int reader, writer;

	(void)state;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
	raise(SIGPIPE);
	make_pipe(&reader, &writer);
	rig_create(&rig, writer, NULL, 0);
	close(reader);
	for (uint32_t i = 0; i < 200; i++) /* enough to be written at once */
		rig_frame(&rig, 0, true, i, 53, 1400, NULL);
	rig_turn_until_ended(&rig);
	rig_destroy(&rig);
	sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGPIPE), 1);
	assert_int_equal(sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0 }), SIGPIPE);
	pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

/* Three bytes in, two bytes out: the bytes wander through the memory. */
static void an_outbox_keeps_its_bytes_in_order_wherever_they_lie(void **state)
{
	enum { LIMIT = 100 };
	struct outbox outbox;
	uint8_t in = 0, out = 0, got[64];
	int reader, writer;

	(void)state;
	make_pipe(&reader, &writer);
	assert_int_equal(outbox_init(&outbox, LIMIT), 0);
	for (int round = 0; round < 10000; round++) {
		while (outbox_waiting(&outbox) + 37 <= LIMIT) {
			uint8_t *at = outbox_add(&outbox, 37);

			for (int i = 0; i < 37; i++)
				at[i] = in++;
			outbox_added(&outbox, at + 37);
		}
		/* As if the descriptor had taken a part. */
		for (int i = 0; i < 11; i++)
			assert_int_equal(outbox.bytes[outbox.first++], out++);
	}
	assert_int_equal(outbox_send(&outbox, writer, QUIET_PIPE), 0);
	assert_int_equal(outbox_waiting(&outbox), 0);
	while (out != in) {
		ssize_t n = read(reader, got, sizeof(got));

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(got[i], out++);
	}
	outbox_free(&outbox);
	close(reader);
	close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_reader_loses_whole_frames_only_and_is_told_so),
		cmocka_unit_test(the_gap_and_the_sum_are_in_the_stream_where_tshark_finds_them),
		cmocka_unit_test(a_reader_that_leaves_ends_the_capture_though_nothing_happens),
		cmocka_unit_test(a_reader_that_leaves_amid_frames_ends_it_without_a_signal),
		cmocka_unit_test(a_reader_that_leaves_while_the_pipe_is_full_ends_it),
		cmocka_unit_test(the_other_end_of_a_socket_may_leave_too),
		cmocka_unit_test(finishing_waits_for_the_reader),
		cmocka_unit_test(a_shared_descriptor_is_left_alone_and_cannot_make_us_wait),
		cmocka_unit_test(a_shared_socket_cannot_make_us_wait),
		cmocka_unit_test(a_file_that_takes_no_more_ends_with_a_whole_block),
		cmocka_unit_test(a_sigpipe_that_somebody_else_waits_for_is_left_alone),
		cmocka_unit_test(an_outbox_keeps_its_bytes_in_order_wherever_they_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
