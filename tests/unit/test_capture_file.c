/* SPDX-License-Identifier: MIT */
/* Captures in files: what Wireshark's and tcpdump's own readers find there. */
#include "unit/capture_lib.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The given fields of each frame, or a skipped test. */
static const char *tshark(const char *path, const char *const fields[])
{
	const char *argv[28] = { "tshark", "-n", "-r", path, "-T", "fields" };
	const char *output;
	int n = 6, status;

	while (*fields) {
		argv[n++] = "-e";
		argv[n++] = *fields++;
	}
	output = run_program(&status, argv);
	if (!output) {
		print_message("tshark is not installed: apt-get install tshark\n");
		skip();
	}
	if (status)
		fail_msg("tshark: %s", output);
	/* One line about being root may come first. */
	if (!strncmp(output, "Running as user", 15))
		output = strchr(output, '\n') + 1;
	return output;
}

static void tshark_sees_names_times_sizes_directions_and_reasons(void **state)
{
	static const char *const fields[] = { "frame.interface_name",
					      "frame.time_epoch",
					      "frame.len",
					      "frame.packet_flags_direction",
					      "udp.dstport",
					      "frame.comment",
					      "frame.packet_id",
					      "frame.verdict.hw",
					      "frame.packet_flags_reception_type",
					      NULL };
	struct rig rig;
	const char *path;
	int fd;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, NULL, 0);
	rig_frame(&rig, 0, true, 1, 53, 64, NULL);
	rig_frame(&rig, 1, false, 123456789, 53, 65, NULL);
	rig_frame(&rig, 0, true, 999999999, 53, 1514,
		  "backup n1->n2 #17: lost: gemodel bad state");
	rig_destroy(&rig);
	assert_string_equal(
		tshark(path, fields),
		"n1:eth0\t1700000000.000000001\t64\t0x00000002\t53\t\t\t\t"
		"1\n"
		"n2:eth0\t1700000000.123456789\t65\t0x00000001\t53\t\t\t\t"
		"1\n"
		"n1:eth0\t1700000000.999999999\t1514\t0x00000002\t53\t"
		"backup n1->n2 #17: lost: gemodel bad state\t999999999\t03\t"
		"1\n");
	scratch_remove();
}

static void capinfos_sees_the_lab_the_interfaces_and_their_statistics(void **state)
{
	struct rig rig;
	const char *path, *output;
	int fd, status;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, "udp port 53", 0);
	rig_frame(&rig, 0, true, 1, 53, 64, NULL);
	rig_frame(&rig, 0, true, 2, 54, 64, NULL);
	rig_frame(&rig, 1, true, 3, 53, 64, NULL);
	rig_destroy(&rig);
	output = run_program(&status, (const char *const[]){ "capinfos", path, NULL });
	if (!output) {
		print_message("capinfos is not installed: apt-get install tshark\n");
		scratch_remove();
		skip();
	}
	assert_int_equal(status, 0);
	assert_non_null(strstr(output, "pcapng"));
	assert_non_null(strstr(output, "File timestamp precision:  nanoseconds (9)"));
	assert_non_null(strstr(output, "Number of packets:   2"));
	assert_non_null(strstr(output, "netlab lab triangle"));
	assert_non_null(strstr(output, "Name = n1:eth0"));
	assert_non_null(strstr(output, "Name = n2:eth0"));
	assert_non_null(strstr(output, "Filter string = udp port 53"));
	assert_non_null(strstr(output, "Number of stat entries = 1"));
	scratch_remove();
}

static void tcpdump_reads_it_with_its_nanoseconds(void **state)
{
	struct rig rig;
	const char *path, *output;
	int fd, status;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, NULL, 0);
	rig_frame(&rig, 0, true, 1, 4000, 60, NULL);
	rig_frame(&rig, 1, false, 123456789, 4000, 60, "a comment");
	rig_destroy(&rig);
	output = run_program(&status,
			     (const char *const[]){ "tcpdump", "-nn", "-tt", "--nano", "-q",
						    "-r", path, NULL });
	if (!output) {
		print_message("tcpdump is not installed: apt-get install tcpdump\n");
		scratch_remove();
		skip();
	}
	assert_int_equal(status, 0);
	assert_non_null(strstr(
		output, "1700000000.000000001 IP 10.0.0.1.1000 > 10.0.0.2.4000: UDP"));
	assert_non_null(strstr(
		output, "1700000000.123456789 IP 10.0.0.1.1000 > 10.0.0.2.4000: UDP"));
	scratch_remove();
}

/* The frames of a file, counted, each compared with what went in. */
static unsigned read_back(const char *path, uint32_t snap_bytes)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
		path, PCAP_TSTAMP_PRECISION_NANO, error);
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	unsigned frames = 0;
	int more;

	if (!pcap)
		fail_msg("%s", error);
	while ((more = pcap_next_ex(pcap, &header, &bytes)) == 1) {
		uint32_t number = udp_frame_number(bytes);

		assert_int_equal(header->caplen,
				 header->len < snap_bytes ? header->len : snap_bytes);
		assert_int_equal(header->ts.tv_sec, 1700000000);
		assert_int_equal(header->ts.tv_usec, number);
		assert_memory_equal(bytes, udp_frame(number, 53, header->len),
				    header->caplen);
		frames++;
	}
	assert_int_equal(more, PCAP_ERROR_BREAK); /* the end, not an error */
	pcap_close(pcap);
	return frames;
}

static void every_size_comes_back_byte_for_byte(void **state)
{
	struct rig rig;
	const char *path;
	int fd;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, NULL, 0);
	for (uint32_t size = 46; size < 9300; size += size < 200 ? 1 : 97)
		rig_frame(&rig, size % 2, size % 3, size, 53, size,
			  size % 5 ? NULL : "text");
	assert_int_equal(capture_stats(rig.capture)->missed, 0);
	assert_int_equal(capture_stats(rig.capture)->filtered, 0);
	rig_destroy(&rig);
	assert_int_equal(read_back(path, UINT32_MAX), 154 + 94);
	scratch_remove();
}

static void a_snapped_frame_keeps_its_length_and_loses_its_tail(void **state)
{
	struct rig rig;
	const char *path;
	int fd;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, NULL, 77);
	for (uint32_t size = 60; size < 100; size++)
		rig_frame(&rig, 0, true, size, 53, size, NULL);
	rig_destroy(&rig);
	assert_int_equal(read_back(path, 77), 40);
	scratch_remove();
}

static void a_filter_looks_at_the_whole_frame_and_counts_what_it_refuses(void **state)
{
	struct rig rig;
	const char *path;
	int fd;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, "udp dst port 53 and greater 100", 64);
	for (uint32_t i = 0; i < 40; i++)
		rig_frame(&rig, 0, true, i, i % 2 ? 53 : 54, 80 + i, NULL);
	/* Sizes 101 .. 119 that are odd. */
	assert_int_equal(capture_stats(rig.capture)->written, 10);
	assert_int_equal(capture_stats(rig.capture)->filtered, 30);
	rig_destroy(&rig);
	assert_int_equal(read_back(path, 64), 10);
	scratch_remove();
}

static void frames_are_in_the_file_when_the_turn_ends(void **state)
{
	struct rig rig;
	const char *path;
	int fd;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, NULL, 0);
	for (uint32_t i = 0; i < 3; i++) {
		rig_frame(&rig, 0, true, i, 53, 64, NULL);
		assert_true(loop_turn(rig.loop, 0) >= 0);
		assert_int_equal(read_back(path, UINT32_MAX), i + 1);
	}
	rig_destroy(&rig);
	scratch_remove();
}

static void a_file_takes_more_than_the_buffer_without_missing_a_frame(void **state)
{
	enum { FRAMES = 3 * CAPTURE_BUFFER_BYTES / 1500 };
	struct rig rig;
	const char *path;
	int fd;

	(void)state;
	path = scratch_file(&fd);
	rig_create(&rig, fd, NULL, 0);
	for (uint32_t i = 0; i < FRAMES; i++)
		rig_frame(&rig, 0, true, i, 53, 1500, NULL);
	assert_int_equal(capture_stats(rig.capture)->missed, 0);
	rig_destroy(&rig);
	assert_int_equal(read_back(path, UINT32_MAX), FRAMES);
	scratch_remove();
}

static void filters_that_make_no_sense_are_refused_with_libpcap_s_reason(void **state)
{
	struct why why = { "" };
	static char longest[CAPTURE_FILTER_BYTES_MAX + 2];

	(void)state;
	assert_int_equal(capture_filter_check(NULL, &why), 0);
	assert_int_equal(capture_filter_check("", &why), 0);
	assert_int_equal(capture_filter_check("tcp port 6379 or arp", &why), 0);
	assert_string_equal(why.text, "");
	assert_int_equal(capture_filter_check("tcp port and 6379", &why), -EINVAL);
	assert_non_null(strstr(why.text, "filter \"tcp port and 6379\": "));
	assert_non_null(strstr(why.text, "syntax error"));
	memset(longest, ' ', CAPTURE_FILTER_BYTES_MAX + 1);
	assert_int_equal(capture_filter_check(longest, &why), -EINVAL);
	assert_string_equal(why.text, "filter: longer than 8192 bytes");
}

static void a_host_name_in_a_filter_is_refused_with_advice(void **state)
{
	struct why why = { "" };

	(void)state;
	assert_int_equal(capture_filter_check("host n1.invalid", &why), -EINVAL);
	assert_non_null(strstr(why.text, "\"n1.invalid\" is no word of filters and no address"));
	assert_non_null(strstr(why.text, "write the address"));
}

static void what_cannot_be_written_is_refused_when_the_capture_begins(void **state)
{
	struct capture_config config = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	struct capture *capture;
	struct why why = { "" };
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_create(&loop, NULL), 0);
	assert_int_equal(capture_create(&capture, loop, &config, NULL, NULL, &why), -EBADF);
	assert_string_equal(why.text, "capture: the descriptor is not open for writing");
	close(config.fd);
	config.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(capture_create(&capture, loop, &config, NULL, NULL, &why), -ENOSPC);
	assert_string_equal(why.text, "capture: write: No space left on device");
	/* It is still ours. */
	assert_int_equal(close(config.fd), 0);
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tshark_sees_names_times_sizes_directions_and_reasons),
		cmocka_unit_test(capinfos_sees_the_lab_the_interfaces_and_their_statistics),
		cmocka_unit_test(tcpdump_reads_it_with_its_nanoseconds),
		cmocka_unit_test(every_size_comes_back_byte_for_byte),
		cmocka_unit_test(a_snapped_frame_keeps_its_length_and_loses_its_tail),
		cmocka_unit_test(a_filter_looks_at_the_whole_frame_and_counts_what_it_refuses),
		cmocka_unit_test(frames_are_in_the_file_when_the_turn_ends),
		cmocka_unit_test(a_file_takes_more_than_the_buffer_without_missing_a_frame),
		cmocka_unit_test(filters_that_make_no_sense_are_refused_with_libpcap_s_reason),
		cmocka_unit_test(a_host_name_in_a_filter_is_refused_with_advice),
		cmocka_unit_test(what_cannot_be_written_is_refused_when_the_capture_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
