/* SPDX-License-Identifier: MIT */
/* The control socket: lines, backpressure, faults, streams, the lab's life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fdio.h"
#include "control/control_internal.h"
#include "lib/fake_machine.h"
#include "lib/talk.h"

/* ---- lines ------------------------------------------------------------- */

static void rubbish_is_answered_and_the_connection_goes_on(void **state)
{
	static const char *const rubbish[] = {
		"",
		"hello",
		"[]",
		"{}",
		"{\"id\":\"1\",\"do\":\"ps\"}",
		"{\"do\":\"ps\"}",
		"{\"id\":1.5,\"do\":\"ps\"}",
		"{\"id\":1,\"id\":2,\"do\":\"ps\"}",
		"\xff\xfe",
		"{\"id\":1",
		"{\"id\":99999999999999999999,\"do\":\"ps\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		json_t *line;

		fake_client_send(&client, rubbish[i]);
		line = fake_client_line(&client);
		assert_true(json_is_null(json_object_get(line, "id")));
		assert_true(json_is_false(json_object_get(line, "ok")));
		json_decref(line);
	}
	json_decref(assert_done("hello", ""));
}

static void unknown_verbs_and_members_are_errors(void **state)
{
	(void)state;
	assert_refused("pss", "", "unknown verb \"pss\"");
	assert_refused("ps", "\"verbose\":true", "unknown key \"verbose\"");
	fake_client_send(&client, "{\"id\":77}");
	assert_next_is("{\"id\":77,\"ok\":false,\"error\":"
		       "\"\\\"do\\\" is missing: what is to be done?\"}");
}

static void a_line_may_come_in_pieces_and_several_at_once(void **state)
{
	json_t *line;

	(void)state;
	assert_int_equal(send(client.fd, "{\"id\":1,\"d", 9, 0), 9);
	fake_lab_settle(&fake);
	assert_null(fake_client_line(&client));
	fake_client_send(&client, "o\":\"hello\"}\n{\"id\":2,\"do\":\"ps\"}");
	line = fake_client_line(&client);
	assert_int_equal(number(line, "id"), 1);
	json_decref(line);
	line = fake_client_line(&client);
	assert_int_equal(number(line, "id"), 2);
	json_decref(line);
}

static void a_line_without_an_end_ends_the_connection(void **state)
{
	char *text = malloc(CONTROL_LINE_BYTES_MAX + 1);
	json_t *line;
	char byte;

	(void)state;
	memset(text, 'x', CONTROL_LINE_BYTES_MAX);
	text[CONTROL_LINE_BYTES_MAX] = 0;
	for (size_t sent = 0; sent < CONTROL_LINE_BYTES_MAX;) {
		ssize_t n = send(client.fd, text + sent, CONTROL_LINE_BYTES_MAX - sent,
				 MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		fake_lab_settle(&fake);
	}
	free(text);
	line = fake_client_line(&client);
	assert_non_null(strstr(text_of(line, "error"), "1 MiB"));
	json_decref(line);
	assert_int_equal(recv(client.fd, &byte, 1, 0), 0);
	fake_client_close(&client);
	fake_client_open(&client, &fake);
	json_decref(assert_done("hello", ""));
}

/* By the socket in a folder, as clients that are not the lab's starter. */
static void knock(struct fake_client *knocking)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	*knocking = (struct fake_client){ .lab = &fake };
	knocking->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control", fake.dir) <
		    (int)sizeof(addr.sun_path));
	assert_int_equal(connect(knocking->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	fdio_nonblock(knocking->fd, true);
	fake_lab_settle(&fake);
}

/* Each has asked for something; who looks, or ends the lab, is served all the same. */
static void a_crowd_keeps_nobody_from_looking_and_from_down(void **state)
{
	static struct fake_client crowd[CONTROL_CONNECTIONS_MAX];
	struct fake_client other;
	int dir = open(fake.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *line;

	(void)state;
	assert_int_equal(control_listen(fake.lab.control, dir, "control", NULL), 0);
	for (int i = 1; i < CONTROL_CONNECTIONS_MAX; i++) {
		knock(&crowd[i]);
		fake_client_send(&crowd[i], "{\"id\":1,\"do\":\"events\",\"follow\":true}");
	}
	fake_client_send(&client, "{\"id\":70,\"do\":\"events\",\"follow\":true}");
	for (int i = 0; i < 2 * CONTROL_CONNECTIONS_KEPT; i++) {
		knock(&other);
		line = fake_client_call(&other, "exec", "\"node\":\"n1\",\"argv\":[\"true\"]");
		assert_non_null(strstr(text_of(line, "error"), "only room to look"));
		json_decref(line);
		line = fake_client_call(&other, "ps", "");
		assert_true(json_is_true(json_object_get(line, "ok")));
		json_decref(line);
		fake_client_close(&other);
		fake_lab_settle(&fake);
	}
	knock(&other);
	fake_client_send(&other, "{\"id\":1,\"do\":\"down\"}");
	assert_true(fake.lab.phase >= LAB_STOPPING);
	fake_client_close(&other);
	for (int i = 1; i < CONTROL_CONNECTIONS_MAX; i++)
		fake_client_close(&crowd[i]);
	assert_int_equal(unlinkat(dir, "control", 0), 0);
	close(dir);
}

static void a_number_that_is_under_way_cannot_be_used_again(void **state)
{
	json_t *line;

	(void)state;
	fake_client_send(&client,
			 "{\"id\":5,\"do\":\"events\",\"follow\":true,\"since\":1000}");
	fake_client_send(&client, "{\"id\":5,\"do\":\"ps\"}");
	line = fake_client_line(&client);
	assert_true(json_is_null(json_object_get(line, "id")));
	assert_non_null(strstr(text_of(line, "error"), "under way"));
	json_decref(line);
	fake_client_send(&client, "{\"id\":6,\"do\":\"close\",\"to\":5}");
	assert_next_is("{\"id\":5,\"ok\":true}");
	fake_client_send(&client, "{\"id\":5,\"do\":\"hello\"}");
	line = fake_client_line(&client);
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
}

static void who_ends_only_his_sending_side_still_gets_his_answers(void **state)
{
	json_t *line;
	char byte;

	(void)state;
	assert_int_equal(send(client.fd, "{\"id\":1,\"do\":\"ps\"}\n", 19, 0), 19);
	shutdown(client.fd, SHUT_WR);
	fake_lab_settle(&fake);
	line = fake_client_line(&client);
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
	assert_int_equal(recv(client.fd, &byte, 1, 0), 0);
}

static void who_does_not_read_is_not_served_and_nobody_else_notices(void **state)
{
	static const char ask[] = "{\"id\":1,\"do\":\"inspect\"}\n";
	enum { BURST = 200 };
	static char burst[BURST * (sizeof(ask) - 1)];
	struct fake_client other;
	json_t *line;
	int asked = 0, answered = 0;
	int small = 16384;

	(void)state;
	/* Each question that the socket holds will have to be answered in the end. */
	assert_int_equal(
		setsockopt(client.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < BURST; i++)
		memcpy(burst + i * (sizeof(ask) - 1), ask, sizeof(ask) - 1);
	/* Until neither the socket nor the lab takes any more. */
	for (int stuck = 0; stuck < 3; fake_lab_settle(&fake)) {
		if (send(client.fd, burst, sizeof(burst), MSG_NOSIGNAL) ==
		    (ssize_t)sizeof(burst)) {
			asked += BURST;
			stuck = 0;
		} else {
			stuck++;
		}
		assert_in_range(asked, 0, 1000000);
	}
	/* What has room, and the one answer that took the last of it. */
	assert_in_range(outbuf_size(&fake.lab.control->first->out), 0,
			CONTROL_ROOM_BYTES + 65536);
	fake_client_open(&other, &fake);
	line = fake_client_call(&other, "hello", "");
	assert_non_null(line);
	json_decref(line);
	fake_client_close(&other);
	/* When it reads again, everything it asked for comes. */
	while ((line = fake_client_line(&client))) {
		answered += json_is_true(json_object_get(line, "ok"));
		json_decref(line);
	}
	assert_int_equal(answered, asked);
}

/* ---- faults and partitions -----------------------------------------------------------
 */

/* The direction's own rule. */
static struct fault_rule rule_of(const char *name)
{
	struct fault_target target;
	const struct fault_spec *spec;

	assert_int_equal(fault_target_resolve(&target, fake.plan, name, NULL), 0);
	assert_int_equal(target.count, 1);
	spec = wire_fault_get(fake.lab.fabric.wire, &target.at[0]);
	fault_target_free(&target);
	return spec ? spec->rule[0] : (struct fault_rule){ 0 };
}

static void a_fault_changes_the_keys_it_names_and_leaves_the_others(void **state)
{
	json_t *line;

	(void)state;
	line = assert_done("fault-set",
			   "\"target\":\"backup n1->n2\",\"fault\":{\"loss\":\"10%\"}");
	assert_int_equal(json_array_size(json_object_get(line, "directions")), 1);
	json_decref(line);
	assert_int_equal(rule_of("backup n1->n2").loss.p_ppb, 100000 * FAULT_PPM);
	assert_int_equal(rule_of("backup n1->n2").delay_ns, 20 * NS_PER_MS);
	assert_int_equal(rule_of("backup n2->n1").loss.p_ppb, 0);
	json_decref(assert_done(
		"fault-set",
		"\"target\":\"backup\",\"fault\":{\"loss\":\"1%\"},\"replace\":true"));
	assert_int_equal(rule_of("backup n1->n2").loss.p_ppb, 10000 * FAULT_PPM);
	assert_int_equal(rule_of("backup n1->n2").delay_ns, 0);
	assert_int_equal(fake_lab_journalled(&fake, "fault"), 3);
}

static void a_fault_is_set_everywhere_or_nowhere(void **state)
{
	(void)state;
	/* The network's directions have a delay of 1 ms; those back have none. */
	assert_refused("fault-set",
		       "\"target\":\"n1--lan\",\"fault\":{\"jitter\":\"1ms\"}",
		       "lan.n1 lan->n1: ");
	assert_int_equal(rule_of("n1->lan").jitter_ns, 0);
	/* n1 and n3 are on the network only. */
	assert_refused("fault-set",
		       "\"target\":\"n1->n3\",\"fault\":"
		       "{\"flap\":\"up 5s down 1s\",\"carrier\":true}",
		       "carrier: two members of a network have no cable");
	assert_int_equal(fake_lab_journalled(&fake, "fault"), 0);
}

static void clear_makes_it_what_the_topology_says(void **state)
{
	json_t *line;
	size_t pairs;

	(void)state;
	json_decref(assert_done("fault-set",
				"\"target\":\"n1->n3\",\"fault\":{\"loss\":\"5%\"}"));
	json_decref(assert_done(
		"fault-set",
		"\"target\":\"backup\",\"fault\":{\"down\":true},\"replace\":true"));
	wire_pairs(fake.lab.fabric.wire, &pairs);
	assert_int_equal(pairs, 1);
	line = assert_done("fault-clear", "");
	/* Two directions of four links; the pair is gone. */
	assert_int_equal(json_array_size(json_object_get(line, "directions")), 8);
	json_decref(line);
	wire_pairs(fake.lab.fabric.wire, &pairs);
	assert_int_equal(pairs, 0);
	assert_int_equal(rule_of("backup n1->n2").delay_ns, 20 * NS_PER_MS);
	assert_false(rule_of("backup n1->n2").down);
}

/* Little by little, and what was asked for next comes next. */
static void what_is_set_after_a_clear_of_everything_stays(void **state)
{
	(void)state;
	fake_client_send(&client, "{\"id\":1,\"do\":\"fault-clear\"}\n"
				  "{\"id\":2,\"do\":\"fault-set\",\"target\":\"n1->lan\","
				  "\"fault\":{\"rate\":\"3Mbit\"}}");
	for (int id = 1; id <= 2; id++) {
		json_t *line = fake_client_line(&client);

		assert_int_equal(number(line, "id"), id);
		assert_true(json_is_true(json_object_get(line, "ok")));
		json_decref(line);
	}
	assert_int_equal(rule_of("n1->lan").rate_bps, 3000000);
}

static void a_network_that_is_down_is_down_both_ways_until_it_is_cleared(void **state)
{
	(void)state;
	json_decref(
		assert_done("fault-set", "\"target\":\"lan\",\"fault\":{\"down\":true}"));
	assert_true(rule_of("n2->lan").down);
	assert_true(rule_of("lan->n2").down);
	assert_false(rule_of("backup n1->n2").down);
	json_decref(assert_done("fault-clear", "\"target\":\"lan\""));
	assert_false(rule_of("n2->lan").down);
	assert_false(rule_of("lan->n2").down);
	assert_int_equal(rule_of("n2->lan").delay_ns, NS_PER_MS);
}

static void wrong_faults_are_refused_with_the_reason(void **state)
{
	(void)state;
	assert_refused("fault-set", "\"target\":\"backup\"", "an object such as");
	assert_refused("fault-set", "\"target\":\"backup\",\"fault\":{}",
		       "nothing is to be set");
	assert_refused("fault-set", "\"target\":\"backup\",\"fault\":{\"los\":\"1%\"}",
		       "loss");
	assert_refused("fault-set", "\"target\":\"backup\",\"fault\":{\"loss\":1}",
		       "unit");
	assert_refused("fault-set", "\"target\":\"x\",\"fault\":{\"loss\":\"1%\"}",
		       "no link x");
	assert_refused("fault-set", "\"target\":7,\"fault\":{\"loss\":\"1%\"}", "string");
	assert_refused("fault-set",
		       "\"target\":\"backup\",\"fault\":{\"loss\":\"1%\"},\"replace\":1",
		       "true or false");
}

static void partitions_add_up_until_heal(void **state)
{
	json_t *line;

	(void)state;
	line = assert_done("partition", "\"sides\":[[\"n1\"],[\"n2\"]]");
	assert_int_equal(number(line, "cut_count"), 2);
	json_decref(line);
	line = assert_done("partition", "\"sides\":[[\"n1\"],[\"n3\"]],\"one_way\":true");
	/* It says what it cuts itself; the list says what is cut in all. */
	assert_int_equal(number(line, "cut_count"), 1);
	assert_string_equal(text_of(line, "name"), "p2");
	json_decref(line);
	line = assert_done("partition-ls", "");
	assert_int_equal(number(line, "cut_count"), 3);
	json_decref(line);
	assert_true(wire_is_cut(fake.lab.fabric.wire, 0, 2));
	assert_false(wire_is_cut(fake.lab.fabric.wire, 2, 0));
	line = assert_done("heal", "");
	assert_int_equal(number(line, "cut_count"), 3);
	json_decref(line);
	assert_false(wire_is_cut(fake.lab.fabric.wire, 0, 1));
	assert_refused("partition", "", "sides");
	assert_refused("partition", "\"sides\":[[\"n1\"],[\"n9\"]]", "n9");
}

static void assert_cut(const char *from, const char *to, bool cut)
{
	assert_int_equal(wire_is_cut(fake.lab.fabric.wire,
				     (uint32_t)plan_find_node(fake.plan, from),
				     (uint32_t)plan_find_node(fake.plan, to)),
			 cut);
}

static void a_way_is_open_when_no_partition_cuts_it_any_more(void **state)
{
	json_t *line;

	(void)state;
	json_decref(
		assert_done("partition", "\"sides\":[[\"n1\"],[\"n2\"]],\"name\":\"a\""));
	line = assert_done("partition", "\"kind\":\"isolate\",\"nodes\":[\"n1\"]");
	assert_string_equal(text_of(line, "name"), "p1");
	json_decref(line);
	assert_cut("n1", "n3", true);
	assert_string_equal(cuts_who(fake.lab.fabric.cuts, 0, 1), "a");
	assert_refused("partition", "\"sides\":[[\"n1\"],[\"n2\"]],\"name\":\"a\"",
		       "is in force already");
	assert_refused("heal", "\"names\":[\"p1\",\"x\"]", "no partition is named x");
	assert_refused("heal", "\"names\":[]", "array");
	assert_cut("n1", "n3", true);
	line = assert_done("heal", "\"names\":[\"p1\"]");
	assert_int_equal(number(line, "cut_count"), 2);
	assert_int_equal(number(line, "still_cut"), 2);
	json_decref(line);
	assert_cut("n1", "n3", false);
	assert_cut("n1", "n2", true);
	assert_cut("n2", "n1", true);
	line = assert_done("partition-ls", "");
	assert_int_equal(json_array_size(json_object_get(line, "partitions")), 1);
	json_decref(line);
	json_decref(assert_done("heal", ""));
	assert_cut("n1", "n2", false);
	assert_null(cuts_who(fake.lab.fabric.cuts, 0, 1));
}

static void a_partition_ends_when_its_time_is_over(void **state)
{
	(void)state;
	json_decref(assert_done(
		"partition", "\"kind\":\"isolate\",\"nodes\":[\"n1\"],\"for\":\"2s\""));
	fake_lab_advance(&fake, 2 * NS_PER_S - 1);
	assert_cut("n1", "n2", true);
	fake_lab_advance(&fake, 1);
	assert_cut("n1", "n2", false);
	assert_cut("n2", "n1", false);
	assert_refused("heal", "\"names\":[\"p1\"]", "no partition is named p1");
}

/* The cuts of `rounds` rounds, as text; the lab is at the beginning of a round. */
static void watch_rounds(char *text, size_t room, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		size_t count, used = strlen(text);
		json_t *cuts = cuts_json(fake.lab.fabric.cuts, &count);
		char *dump = json_dumps(cuts, JSON_COMPACT);

		snprintf(text + used, room - used, "%s;", dump);
		free(dump);
		json_decref(cuts);
		fake_lab_advance(&fake, NS_PER_S);
	}
}

static void a_random_partition_is_drawn_anew_and_journalled_and_repeats(void **state)
{
	static const char random[] = "\"kind\":\"random\",\"every\":\"1s\","
				     "\"min_stable\":\"1s\",\"name\":\"r\"";
	static char first[8192], again[8192];
	int before = fake_lab_journalled(&fake, "partition");

	(void)state;
	json_decref(assert_done("partition", random));
	watch_rounds(first, sizeof(first), 20);
	assert_int_equal(fake_lab_journalled(&fake, "partition") - before, 21);
	json_decref(assert_done("heal", "\"names\":[\"r\"]"));
	assert_cut("n1", "n2", false);
	fake_lab_advance(&fake, 5 * NS_PER_S);
	assert_int_equal(fake_lab_journalled(&fake, "partition") - before, 21);
	json_decref(assert_done("partition", random));
	watch_rounds(again, sizeof(again), 20);
	assert_string_equal(first, again);
	assert_non_null(strstr(first, "[[\""));
	assert_non_null(strstr(first, ";[];"));
	json_decref(assert_done("heal", ""));
}

static const char *reach_of(const json_t *answer, size_t from, size_t to)
{
	return json_string_value(json_array_get(
		json_array_get(json_object_get(answer, "reach"), from), to));
}

static void the_matrix_names_what_is_in_the_way(void **state)
{
	json_t *line;

	(void)state;
	/* The fake machines' cards are never connected. */
	line = assert_done("matrix", "");
	assert_string_equal(reach_of(line, 0, 1), "off");
	assert_string_equal(reach_of(line, 0, 0), "yes");
	json_decref(line);
}

/* ---- streams ----------------------------------------------------------- */

static void the_console_is_read_from_its_past_and_typed_into(void **state)
{
	char typed[8] = "";

	(void)state;
	fake_lab_print(&fake, 0, "login: ");
	fake_client_ask(&client, "console", "\"node\":\"n1\",\"tail\":3");
	assert_next_is("{\"id\":1,\"event\":\"console\",\"data\":\"bjog\"}");
	fake_client_ask(&client, "input", "\"to\":1,\"data\":\"cm9vdA==\"");
	assert_int_equal(read(fake_machine_console_fd("n1"), typed, 4), 4);
	assert_string_equal(typed, "root");
	fake_client_ask(&client, "close", "\"to\":1");
	assert_next_is("{\"id\":1,\"ok\":true}");
}

static void events_are_told_from_a_number_on_and_followed(void **state)
{
	uint64_t next = journal_next(fake.lab.journal);
	char text[64];
	json_t *line;

	(void)state;
	snprintf(text, sizeof(text), "\"follow\":true,\"since\":%d", (int)next - 1);
	fake_client_ask(&client, "events", text);
	line = fake_client_line(&client);
	assert_int_equal(number(json_object_get(line, "entry"), "n"), next - 1);
	json_decref(line);
	assert_null(fake_client_line(&client));
	journal_write(fake.lab.journal, "tick", NULL);
	fake_lab_settle(&fake);
	line = fake_client_line(&client);
	assert_string_equal(text_of(json_object_get(line, "entry"), "event"), "tick");
	json_decref(line);
}

static void a_slow_follower_is_told_how_much_it_missed(void **state)
{
	int skipped = 0, entries = 0;
	json_t *line;

	(void)state;
	fake_client_ask(&client, "events", "\"follow\":true");
	for (int i = 0; i < 4 * JOURNAL_TAIL_ENTRIES; i++)
		journal_write(fake.lab.journal, "tick", NULL);
	while ((line = fake_client_line(&client))) {
		skipped += (int)number(line, "entries");
		entries += json_object_get(line, "entry") != NULL;
		json_decref(line);
	}
	assert_true(skipped > 0);
	assert_int_equal(skipped + entries, journal_next(fake.lab.journal));
}

static void send_with_fd(const char *text, int fd)
{
	assert_int_equal(fdio_send(client.fd, text, strlen(text), &fd, 1), strlen(text));
	fake_lab_settle(&fake);
}

static void a_capture_writes_to_the_clients_descriptor_until_it_is_closed(void **state)
{
	static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	char path[96], *text;
	size_t size;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/x.pcapng", fake.dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	send_with_fd("{\"id\":40,\"do\":\"capture\",\"target\":\"backup\"}\n", fd);
	close(fd);
	assert_next_is("{\"id\":40,\"event\":\"capturing\",\"interfaces\":[\"n1:eth1\","
		       "\"n2:eth1\"]}");
	fake_card_up("n1:eth1");
	fake_card_send("n1:eth1", frame, sizeof(frame));
	fake_client_ask(&client, "close", "\"to\":40");
	assert_next_is(
		"{\"id\":40,\"ok\":true,\"frames\":1,\"missed\":0,\"filtered\":0}");
	assert_int_equal(fdio_read_file(AT_FDCWD, path, 65536, &text, &size, NULL), 0);
	assert_memory_equal(text, "\x0a\x0d\x0d\x0a", 4);
	free(text);
}

static void captures_that_cannot_be_are_refused(void **state)
{
	(void)state;
	assert_refused("capture", "\"target\":\"backup\"", "SCM_RIGHTS");
	send_with_fd("{\"id\":50,\"do\":\"capture\",\"target\":\"nothing\"}\n",
		     STDERR_FILENO);
	assert_next_is("{\"id\":50,\"ok\":false,\"error\":\"nothing to capture is named "
		       "nothing: "
		       "give a link, a network, a node, NODE:INTERFACE or all\"}");
	send_with_fd(
		"{\"id\":51,\"do\":\"capture\",\"target\":\"all\",\"filter\":\"(((\"}\n",
		STDERR_FILENO);
	json_decref(fake_client_line(&client));
	json_decref(assert_done("ps", ""));
}

/* ---- life -------------------------------------------------------------- */

static void ps_and_inspect_say_what_there_is(void **state)
{
	json_t *line = assert_done("ps", ""), *node;

	(void)state;
	assert_string_equal(text_of(line, "state"), "running");
	node = json_array_get(json_object_get(line, "nodes"), 0);
	assert_string_equal(text_of(node, "name"), "n1");
	assert_string_equal(text_of(node, "state"), "ready");
	assert_int_equal(number(node, "pid"), 4242);
	json_decref(line);
	line = assert_done("inspect", "");
	assert_int_equal(number(line, "seed"), 7);
	assert_int_equal(json_array_size(json_object_get(line, "directions")), 8);
	assert_true(json_is_object(json_object_get(line, "plan")));
	json_decref(line);
}

static void down_answers_when_every_machine_is_gone(void **state)
{
	json_t *line;
	int progress = 0;

	(void)state;
	fake_client_ask(&client, "down", "");
	while ((line = fake_client_line(&client)) && !json_object_get(line, "ok")) {
		progress++;
		json_decref(line);
	}
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
	assert_true(progress > 0);
	assert_false(fake_machine_runs("n1"));
	assert_int_equal(fake.lab.phase, LAB_GONE);
}

static void wait_is_answered_at_once_when_all_is_ready(void **state)
{
	json_t *line = assert_done("wait", "\"until\":\"ready\"");

	(void)state;
	assert_int_equal(number(line, "nodes"), 3);
	json_decref(line);
	assert_refused("wait", "\"until\":\"doomsday\"", "ready");
}

/* Who started the lab hears why it failed, even if he asks late. */
static void a_boot_that_fails_waits_until_its_starter_has_been_told(void **state)
{
	json_t *line;

	(void)state;
	fake_client_close(&client);
	fake_lab_close(&fake);
	fake_lab_open(&fake, talk_topology);
	fake_client_open(&client, &fake);
	fake_machine_refuse("no memory");
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	fake_machine_refuse(NULL);
	assert_int_equal(fake.lab.phase, LAB_STOPPING);
	line = fake_client_call(&client, "wait", "");
	assert_string_equal(text_of(line, "error"), "n1: no memory");
	assert_string_equal(text_of(line, "node"), "n1");
	json_decref(line);
	fake_lab_settle(&fake);
	assert_int_equal(fake.lab.phase, LAB_GONE);
}

static void a_boot_that_fails_without_its_starter_just_goes(void **state)
{
	(void)state;
	fake_client_close(&client);
	fake_lab_close(&fake);
	fake_lab_open(&fake, talk_topology);
	fake_client_open(&client, &fake);
	fake_machine_refuse("no memory");
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	fake_machine_refuse(NULL);
	assert_int_equal(fake.lab.phase, LAB_STOPPING);
	fake_client_close(&client);
	assert_int_equal(fake.lab.phase, LAB_GONE);
	fake_client_open(&client, &fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rubbish_is_answered_and_the_connection_goes_on),
		TEST(unknown_verbs_and_members_are_errors),
		TEST(a_line_may_come_in_pieces_and_several_at_once),
		TEST(a_line_without_an_end_ends_the_connection),
		TEST(a_crowd_keeps_nobody_from_looking_and_from_down),
		TEST(a_number_that_is_under_way_cannot_be_used_again),
		TEST(who_ends_only_his_sending_side_still_gets_his_answers),
		TEST(who_does_not_read_is_not_served_and_nobody_else_notices),
		TEST(a_fault_changes_the_keys_it_names_and_leaves_the_others),
		TEST(a_fault_is_set_everywhere_or_nowhere),
		TEST(clear_makes_it_what_the_topology_says),
		TEST(what_is_set_after_a_clear_of_everything_stays),
		TEST(a_network_that_is_down_is_down_both_ways_until_it_is_cleared),
		TEST(wrong_faults_are_refused_with_the_reason),
		TEST(partitions_add_up_until_heal),
		TEST(a_way_is_open_when_no_partition_cuts_it_any_more),
		TEST(a_partition_ends_when_its_time_is_over),
		TEST(a_random_partition_is_drawn_anew_and_journalled_and_repeats),
		TEST(the_matrix_names_what_is_in_the_way),
		TEST(the_console_is_read_from_its_past_and_typed_into),
		TEST(events_are_told_from_a_number_on_and_followed),
		TEST(a_slow_follower_is_told_how_much_it_missed),
		TEST(a_capture_writes_to_the_clients_descriptor_until_it_is_closed),
		TEST(captures_that_cannot_be_are_refused),
		TEST(ps_and_inspect_say_what_there_is),
		TEST(down_answers_when_every_machine_is_gone),
		TEST(wait_is_answered_at_once_when_all_is_ready),
		TEST(a_boot_that_fails_waits_until_its_starter_has_been_told),
		TEST(a_boot_that_fails_without_its_starter_just_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
