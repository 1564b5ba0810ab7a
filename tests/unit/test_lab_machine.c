/* SPDX-License-Identifier: MIT */
/* A machine's life, with the test in the place of process and agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "fabric/reach.h"
#include "lib/fake_lab.h"
#include "lib/fake_machine.h"

static const char pair[] =
	"{\"name\":\"t\",\"nodes\":{\"n1\":{},\"n2\":{}},"
	"\"links\":[{\"name\":\"wire\",\"endpoints\":[\"n1\",\"n2\"]}]}";
static const char chain[] =
	"{\"name\":\"t\",\"nodes\":{"
	"\"db\":{\"run\":[{\"name\":\"db\",\"cmd\":\"db\",\"ready\":{\"tcp\":1},"
	"\"timeout\":\"30s\"}]},"
	"\"app\":{\"depends\":[\"db\"]}}}";
static const char many[] = "{\"name\":\"t\",\"nodes\":{\"n[1-5]\":{}}}";

static struct fake_lab fake;

static void open_lab(const char *topology)
{
	fake_lab_open(&fake, topology);
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
}

static enum machine_state state_of(int node)
{
	return machine_state(fake.lab.machines[node]);
}

static const char *reason_of(int node)
{
	return machine_reason(fake.lab.machines[node]);
}

/* The next message to the agent must be of that type; its payload is dropped. */
static void assert_hears(const char *node, enum proto_type type)
{
	struct fake_message message;

	assert_true(fake_agent_hear(node, &message));
	assert_int_equal(message.type, type);
	free(message.payload);
}

static void a_machine_goes_through_its_states_to_ready(void **state)
{
	(void)state;
	open_lab(pair);
	assert_int_equal(state_of(0), MACHINE_BOOTING);
	fake_agent_say_text("n1", PROTO_HELLO, 0, "{\"version\":1,\"kernel\":\"6.1\"}");
	assert_int_equal(state_of(0), MACHINE_CONFIGURING);
	assert_hears("n1", PROTO_CONFIG);
	fake_agent_say_text("n1", PROTO_CONFIGURED, 0, "{}");
	fake_lab_settle(&fake);
	assert_hears("n1", PROTO_SERVICES_START);
	assert_int_equal(state_of(0), MACHINE_READY);
	assert_int_equal(fake.lab.phase, LAB_BOOTING);
	fake_agent_greet(&fake, "n2");
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	/* waiting→booting→configuring→configured→starting→ready, twice */
	assert_int_equal(fake_lab_journalled(&fake, "node"), 10);
	fake_lab_close(&fake);
}

static void services_wait_for_the_machines_they_depend_on(void **state)
{
	(void)state;
	open_lab(chain);
	fake_agent_greet(&fake, "app");
	assert_int_equal(state_of(1), MACHINE_CONFIGURED);
	fake_agent_greet(&fake, "db");
	assert_int_equal(state_of(0), MACHINE_STARTING);
	fake_agent_say_text("db", PROTO_SERVICE, 0,
			    "{\"name\":\"db\",\"state\":\"starting\"}");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(1), MACHINE_CONFIGURED);
	fake_agent_say_text("db", PROTO_SERVICE, 0,
			    "{\"name\":\"db\",\"state\":\"ready\"}");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_READY);
	assert_int_equal(state_of(1), MACHINE_READY);
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	fake_lab_close(&fake);
}

static void only_so_many_machines_boot_at_once(void **state)
{
	(void)state;
	open_lab(many); /* two at once: see fake_lab_open() */
	assert_true(fake_machine_runs("n1") && fake_machine_runs("n2"));
	assert_false(fake_machine_runs("n3"));
	fake_agent_say_text("n2", PROTO_HELLO, 0, "{\"version\":1}");
	fake_lab_settle(&fake);
	assert_true(fake_machine_runs("n3"));
	assert_false(fake_machine_runs("n4"));
	fake_lab_close(&fake);
}

static void a_machine_that_says_nothing_has_failed_after_its_time(void **state)
{
	(void)state;
	open_lab(pair);
	fake_lab_advance(&fake, 59 * NS_PER_S);
	assert_int_equal(state_of(0), MACHINE_BOOTING);
	fake_lab_advance(&fake, 2 * NS_PER_S);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	assert_non_null(strstr(reason_of(0), "within 60 s"));
	assert_int_equal(fake.lab.phase, LAB_GONE);
	fake_lab_close(&fake);
}

static void an_agent_that_hangs_while_services_start_is_given_up(void **state)
{
	(void)state;
	open_lab(chain);
	fake_agent_greet(&fake, "db");
	fake_agent_greet(&fake, "app");
	fake_lab_advance(&fake, 85 * NS_PER_S); /* 30 s for the service, 60 s on top */
	assert_int_equal(state_of(0), MACHINE_STARTING);
	fake_lab_advance(&fake, 10 * NS_PER_S);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	fake_lab_close(&fake);
}

static void one_that_cannot_be_started_fails_the_boot_with_the_reason(void **state)
{
	(void)state;
	fake_lab_open(&fake, pair);
	fake_machine_refuse("no such kernel");
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	fake_machine_refuse(NULL);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	assert_string_equal(reason_of(0), "no such kernel");
	assert_int_equal(fake.lab.phase, LAB_GONE);
	assert_ptr_equal(fake.lab.failed, fake.lab.machines[0]);
	fake_lab_close(&fake);
}

static void the_lab_goes_on_while_a_machine_is_being_set_up(void **state)
{
	(void)state;
	fake_lab_open(&fake, pair);
	fake_machine_slow(true);
	lab_boot(&fake.lab);
	fake_lab_settle(&fake); /* it would wait here for ever */
	assert_int_equal(state_of(0), MACHINE_BOOTING);
	fake_machine_started("n1", NULL);
	fake_machine_started("n2", NULL);
	fake_agent_greet(&fake, "n1");
	fake_agent_greet(&fake, "n2");
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	fake_lab_close(&fake);
}

static void one_that_is_set_up_while_others_are_wakes_nobody_any_more(void **state)
{
	int copy;

	(void)state;
	fake_lab_open(&fake, pair);
	fake_machine_slow(true);
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	copy = fake_machine_start_copy("n1");
	fake_machine_started("n1", NULL);
	/* It would not come to rest, or touch what is gone. */
	for (int turn = 0; turn < 3; turn++)
		loop_turn(fake.lab.loop, 0);
	assert_int_equal(loop_turn(fake.lab.loop, 0), 0);
	close(copy);
	fake_machine_started("n2", NULL);
	fake_lab_settle(&fake);
	fake_lab_close(&fake);
}

static void one_whose_setting_up_fails_fails_the_boot_with_the_reason(void **state)
{
	(void)state;
	fake_lab_open(&fake, pair);
	fake_machine_slow(true);
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	fake_machine_started("n1", "execute /netlab/kernel: Exec format error");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	assert_string_equal(reason_of(0), "execute /netlab/kernel: Exec format error");
	assert_int_equal(fake.lab.phase, LAB_GONE);
	assert_ptr_equal(fake.lab.failed, fake.lab.machines[0]);
	fake_lab_close(&fake);
}

static void one_that_is_taken_down_while_it_is_set_up_has_stopped(void **state)
{
	(void)state;
	fake_lab_open(&fake, pair);
	fake_machine_slow(true);
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	lab_stop(&fake.lab, true, "enough");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_STOPPED);
	assert_int_equal(fake.lab.phase, LAB_GONE);
	fake_lab_close(&fake);
}

/* Answer one TIME: the machine's clock is so far from the lab's. */
static void answer_time(const char *node, int64_t off_ns)
{
	uint8_t answer[PROTO_TIME_ANSWER_BYTES];
	struct fake_message message;

	assert_true(fake_agent_hear(node, &message));
	assert_int_equal(message.type, PROTO_TIME);
	assert_int_equal(message.size, PROTO_TIME_ASK_BYTES);
	memcpy(answer, message.payload, PROTO_TIME_ASK_BYTES);
	free(message.payload);
	fake_lab_advance(&fake, 15 * NS_PER_US); /* there */
	proto_put_u64(answer + PROTO_TIME_ASK_BYTES,
		      clock_wall_ns(fake.lab.clock, clock_now_ns(fake.lab.clock)) +
			      (uint64_t)off_ns);
	fake_lab_advance(&fake, 15 * NS_PER_US); /* and back */
	fake_agent_say(node, PROTO_TIME, 0, answer, sizeof(answer));
	fake_lab_settle(&fake);
}

static json_t *hear_json(const char *node, enum proto_type type)
{
	struct fake_message message;
	json_t *body;

	assert_true(fake_agent_hear(node, &message));
	assert_int_equal(message.type, type);
	body = json_loads((const char *)message.payload, 0, NULL);
	free(message.payload);
	return body;
}

/* Up to where it has its CONFIG, with clocks that are set. */
static void open_timed(int64_t off_ns)
{
	json_t *step;

	fake_lab_open(&fake, pair);
	fake.lab.env.keeps_time = true;
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	fake_agent_say_text("n1", PROTO_HELLO, 0, "{\"version\":1}");
	for (int i = 0; i < 4; i++)
		answer_time("n1", off_ns);
	step = hear_json("n1", PROTO_CLOCK);
	assert_int_equal(json_integer_value(json_object_get(step, "step_ns")), -off_ns);
	json_decref(step);
	assert_hears("n1", PROTO_CONFIG);
	fake_agent_say_text("n1", PROTO_CONFIGURED, 0, "{}");
	fake_lab_settle(&fake);
	assert_hears("n1", PROTO_SERVICES_START);
}

static void a_machines_clock_is_set_right_before_it_is_configured(void **state)
{
	struct machine_off off;

	(void)state;
	open_timed(-4600000);
	assert_true(machine_off(fake.lab.machines[0], &off));
	assert_int_equal(off.off_ns, 0);
	assert_int_equal(off.error_ns, 15000);
	assert_false(machine_off(fake.lab.machines[1], &off)); /* it was not asked yet */
	fake_lab_close(&fake);
}

static void a_clock_is_looked_at_again_and_left_alone(void **state)
{
	struct fake_message message;
	struct machine_off off;

	(void)state;
	open_timed(4600000);
	fake_lab_advance(&fake, 10 * NS_PER_S);
	for (int i = 0; i < 4; i++)
		answer_time("n1", 123000); /* somebody in there has set it */
	assert_true(machine_off(fake.lab.machines[0], &off));
	assert_int_equal(off.off_ns, 123000);
	assert_false(fake_agent_hear("n1", &message));
	fake_lab_close(&fake);
}

static void a_clock_that_is_to_be_off_is_where_it_should_be(void **state)
{
	struct clock_change change = { .has_offset = true, .offset_ns = 5000000,
				       .has_drift = true, .drift_ppb = 100000 };
	struct machine_off off;
	struct why why;

	(void)state;
	open_timed(4600000);
	assert_int_equal(machine_clock_change(fake.lab.machines[0], &change, &why), 0);
	json_decref(hear_json("n1", PROTO_CLOCK));
	fake_lab_advance(&fake, 10 * NS_PER_S); /* at 100 ppm: 1 ms */
	for (int i = 0; i < 4; i++)
		answer_time("n1", 6000000);
	assert_true(machine_off(fake.lab.machines[0], &off));
	assert_in_range(off.off_ns + 1000, 0, 2000);
	fake_lab_close(&fake);
}

static void an_answer_that_nobody_asked_for_is_no_answer(void **state)
{
	static const uint8_t answer[PROTO_TIME_ANSWER_BYTES] = { 99 };

	(void)state;
	open_timed(1000000);
	fake_agent_say("n1", PROTO_TIME, 0, answer, sizeof(answer));
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_LOST);
	fake_lab_close(&fake);
}

static void how_a_machine_ended_says_more_than_that_its_agent_hung_up(void **state)
{
	(void)state;
	open_lab(pair);
	fake_agent_close("n1");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_BOOTING);
	fake_machine_end("n1", "kernel panic (aborted)");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	assert_string_equal(reason_of(0), "kernel panic (aborted)");
	fake_lab_close(&fake);
}

static void a_machine_whose_agent_ended_alone_is_lost(void **state)
{
	(void)state;
	open_lab(pair);
	fake_agent_greet(&fake, "n1");
	fake_agent_greet(&fake, "n2");
	fake_agent_close("n1");
	fake_lab_advance(&fake, 3 * NS_PER_S);
	assert_int_equal(state_of(0), MACHINE_LOST);
	assert_int_equal(state_of(1), MACHINE_READY);
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	fake_lab_close(&fake);
}

static void a_machine_that_dies_later_leaves_the_others_alone(void **state)
{
	(void)state;
	open_lab(pair);
	fake_card_up("n1:eth0");
	fake_agent_greet(&fake, "n1");
	fake_agent_greet(&fake, "n2");
	fake_machine_end("n1", "killed by signal 9");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	assert_int_equal(wire_port_state(fake.lab.fabric.wire, 0), PORT_ABSENT);
	assert_int_equal(state_of(1), MACHINE_READY);
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	assert_int_equal(fake_lab_journalled(&fake, "node-gone"), 1);
	fake_lab_close(&fake);
}

static void a_machine_that_powers_off_is_stopped_not_failed(void **state)
{
	(void)state;
	open_lab(pair);
	fake_agent_greet(&fake, "n1");
	fake_agent_greet(&fake, "n2");
	fake_machine_end("n1", "powered off");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_STOPPED);
	fake_lab_close(&fake);
}

static void an_agent_that_breaks_the_rules_is_lost_and_nobody_else(void **state)
{
	static const struct {
		enum proto_type type;
		uint32_t channel;
		const char *text;
	} rubbish[] = {
		{ PROTO_HELLO, 0, "{\"version\":1}" },	  /* twice */
		{ PROTO_CONFIGURED, 0, "{}" },		  /* twice */
		{ PROTO_SERVICE, 0, "{\"name\":\"x\"}" }, /* no such service */
		{ PROTO_SERVICE, 0, "[]" },
		{ PROTO_SERVICE, 0, "{\"name\"" },
		{ PROTO_LOG, 7, "\1text" },
		{ PROTO_STDOUT, 9, "text" }, /* no such command */
		{ PROTO_EXITED, 9, "{\"exit\":0}" },
		{ PROTO_CONFIG, 0, "{}" }, /* not the agent's to say */
		{ PROTO_EXEC, 1, "{}" },
		{ PROTO_FAILED, 0, "{\"error\":\"late\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		open_lab(pair);
		fake_agent_greet(&fake, "n1");
		fake_agent_greet(&fake, "n2");
		fake_agent_say_text("n1", rubbish[i].type, rubbish[i].channel,
				    rubbish[i].text);
		fake_lab_settle(&fake);
		assert_int_equal(state_of(0), MACHINE_LOST);
		assert_int_equal(state_of(1), MACHINE_READY);
		assert_true(fake_machine_runs("n1"));
		fake_lab_close(&fake);
	}
}

static void a_stream_that_is_no_protocol_is_lost(void **state)
{
	(void)state;
	open_lab(pair);
	fake_agent_say_raw("n1", "login: root\r\nPassword:", 22);
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_LOST);
	fake_lab_close(&fake);
}

static void another_version_of_the_agent_is_refused_with_both_numbers(void **state)
{
	(void)state;
	open_lab(pair);
	fake_agent_say_text("n1", PROTO_HELLO, 0, "{\"version\":2}");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_LOST);
	assert_non_null(strstr(reason_of(0), "version 2"));
	fake_lab_close(&fake);
}

static void what_the_agent_could_not_set_up_is_the_reason(void **state)
{
	(void)state;
	open_lab(pair);
	fake_agent_say_text("n1", PROTO_HELLO, 0, "{\"version\":1}");
	fake_agent_say_text("n1", PROTO_FAILED, 0,
			    "{\"error\":\"eth0: no such device\"}");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	assert_string_equal(reason_of(0), "eth0: no such device");
	fake_lab_close(&fake);
}

static void a_service_that_fails_fails_the_boot_and_its_log_explains(void **state)
{
	char words[64];
	size_t size;

	(void)state;
	open_lab(chain);
	fake_agent_greet(&fake, "db");
	fake_agent_say("db", PROTO_LOG, 0, "\2bad option\n", 12);
	fake_agent_say_text("db", PROTO_SERVICE, 0,
			    "{\"name\":\"db\",\"state\":\"exited\",\"exit\":3}");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_FAILED);
	assert_non_null(strstr(reason_of(0), "service db ended with status 3"));
	size = machine_last_words(fake.lab.machines[0], words, sizeof(words));
	assert_int_equal(size, 11);
	assert_memory_equal(words, "bad option\n", 11);
	fake_lab_close(&fake);
}

static void a_service_that_ends_after_it_was_ready_is_only_told(void **state)
{
	(void)state;
	open_lab(chain);
	fake_agent_greet(&fake, "db");
	fake_agent_greet(&fake, "app");
	fake_agent_say_text("db", PROTO_SERVICE, 0,
			    "{\"name\":\"db\",\"state\":\"ready\"}");
	fake_lab_settle(&fake);
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	fake_agent_say_text("db", PROTO_SERVICE, 0,
			    "{\"name\":\"db\",\"state\":\"exited\",\"exit\":1}");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_READY);
	assert_int_equal(machine_service(fake.lab.machines[0], 0)->state, SERVICE_EXITED);
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	fake_lab_close(&fake);
}

/* Its boot goes on, also if it has not been ready yet. */
static void a_service_that_is_restarted_is_told_and_counted(void **state)
{
	static const char restarting[] =
		"{\"name\":\"db\",\"state\":\"restarting\",\"exit\":1,\"again_ms\":100}";
	const struct service *db;

	(void)state;
	open_lab(chain);
	fake_agent_greet(&fake, "db");
	fake_agent_greet(&fake, "app");
	db = machine_service(fake.lab.machines[0], 0);
	fake_agent_say_text("db", PROTO_SERVICE, 0, restarting);
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_STARTING);
	assert_int_equal(db->state, SERVICE_RESTARTING);
	fake_agent_say_text("db", PROTO_SERVICE, 0, "{\"name\":\"db\",\"state\":\"starting\"}");
	fake_agent_say_text("db", PROTO_SERVICE, 0, "{\"name\":\"db\",\"state\":\"ready\"}");
	fake_lab_settle(&fake);
	assert_int_equal(fake.lab.phase, LAB_RUNNING);
	fake_agent_say_text("db", PROTO_SERVICE, 0, restarting);
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_READY);
	assert_int_equal(db->restarts, 2);
	assert_true(db->was_ready);
	fake_lab_close(&fake);
}

static void what_a_machine_prints_is_in_its_log_and_in_its_ring(void **state)
{
	uint8_t tail[16];
	char *text;
	size_t size;

	(void)state;
	open_lab(pair);
	fake_lab_print(&fake, 0, "Linux\n");
	assert_int_equal(ring_tail(machine_console(fake.lab.machines[0]), tail, 16), 6);
	assert_memory_equal(tail, "Linux\n", 6);
	/* Printed as the last thing: nothing of it may be missing. */
	assert_int_equal(write(fake_machine_console_fd("n1"), "panic\n", 6), 6);
	fake_machine_end("n1", "kernel panic (aborted)");
	fake_lab_settle(&fake);
	assert_int_equal(fdio_read_file(fake.lab.run.fd, "consoles/n1.log", 100, &text,
					&size, NULL),
			 0);
	assert_string_equal(text, "Linux\npanic\n");
	free(text);
	fake_lab_close(&fake);
}

static void a_graceful_end_asks_and_then_insists(void **state)
{
	(void)state;
	open_lab(pair);
	fake_agent_greet(&fake, "n1");
	fake_agent_greet(&fake, "n2");
	lab_stop(&fake.lab, true, "down");
	fake_lab_settle(&fake);
	assert_hears("n1", PROTO_SHUTDOWN);
	assert_hears("n2", PROTO_SHUTDOWN);
	fake_machine_end("n1", "powered off");
	fake_lab_settle(&fake);
	assert_int_equal(state_of(0), MACHINE_STOPPED);
	assert_true(fake_machine_runs("n2"));
	fake_lab_advance(&fake, 16 * NS_PER_S);
	assert_int_equal(state_of(1), MACHINE_STOPPED);
	assert_int_equal(fake.lab.phase, LAB_GONE);
	fake_lab_close(&fake);
}

/* It tells its programs late of one that was there before the interface was up. */
static void an_old_kernel_sees_a_carrier_when_its_interfaces_are_up(void **state)
{
	(void)state;
	fake_lab_open(&fake, pair);
	snprintf(fake.kernel.release, sizeof(fake.kernel.release), "6.1.176");
	lab_boot(&fake.lab);
	fake_lab_settle(&fake);
	fake_card_up("n1:eth0");
	assert_false(fake_card_carrier("n1:eth0"));
	fake_agent_say_text("n1", PROTO_HELLO, 0, "{\"version\":1}");
	fake_agent_say_text("n1", PROTO_LINKS, 0, "{}");
	fake_lab_settle(&fake);
	assert_true(fake_card_carrier("n1:eth0"));
	assert_false(fake_card_carrier("n2:eth0"));
	fake_lab_close(&fake);
}

static void frames_go_from_card_to_card_and_one_batch_is_one_notification(void **state)
{
	static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	open_lab(pair);
	fake_card_up("n1:eth0");
	fake_card_up("n2:eth0");
	assert_true(fake_card_carrier("n2:eth0"));
	fake_card_send("n1:eth0", frame, sizeof(frame));
	assert_int_equal(fake_card_got("n2:eth0"), 1);
	assert_int_equal(fake_card_flushed("n2:eth0"), 1);
	assert_int_equal(fake_card_got("n1:eth0"), 0);
	fake_card_break("n2:eth0", "descriptor outside of memory");
	fake_lab_settle(&fake);
	assert_int_equal(wire_port_state(fake.lab.fabric.wire, 1), PORT_DEAD);
	fake_card_send("n1:eth0", frame, sizeof(frame));
	assert_int_equal(wire_port_state(fake.lab.fabric.wire, 0), PORT_UP);
	fake_lab_close(&fake);
}

static void a_delayed_frame_comes_at_its_time_and_not_before(void **state)
{
	static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct fault_at at = { .link = 0, .dir = DIR_AB };
	struct fault_rule delay = { .delay_ns = 50 * NS_PER_MS };
	struct fault_spec *spec = fault_spec_of(&delay);

	(void)state;
	open_lab(pair);
	fake_card_up("n1:eth0");
	fake_card_up("n2:eth0");
	assert_int_equal(wire_fault_set(fake.lab.fabric.wire, &at, spec, NULL), 0);
	fake_card_send("n1:eth0", frame, sizeof(frame));
	fake_lab_advance(&fake, 50 * NS_PER_MS - 1);
	assert_int_equal(fake_card_got("n2:eth0"), 0);
	fake_lab_advance(&fake, 1);
	assert_int_equal(fake_card_got("n2:eth0"), 1);
	assert_int_equal(fake_card_flushed("n2:eth0"), 1);
	fake_lab_close(&fake);
	fault_spec_free(spec);
}

static void a_direction_that_is_down_takes_the_carrier_at_its_far_end(void **state)
{
	struct fault_at at = { .link = 0, .dir = DIR_AB };
	struct fault_rule rule = { .down = true };
	struct fault_spec *down = fault_spec_of(&rule);

	(void)state;
	open_lab(pair);
	fake_card_up("n1:eth0");
	fake_card_up("n2:eth0");
	wire_fault_set(fake.lab.fabric.wire, &at, down, NULL);
	assert_false(fake_card_carrier("n2:eth0"));
	assert_true(fake_card_carrier("n1:eth0"));
	wire_fault_set(fake.lab.fabric.wire, &at, NULL, NULL);
	assert_true(fake_card_carrier("n2:eth0"));
	fault_spec_free(down);
	fake_lab_close(&fake);
}

#define MS UINT64_C(1000000)

static void a_link_that_flaps_takes_the_carrier_only_if_it_says_so(void **state)
{
	struct fault_at at = { .link = 0, .dir = DIR_AB };
	struct fault_rule rule = { .flap = { .on_ns = 10 * MS, .off_ns = 5 * MS },
				   .carrier = true };
	struct fault_spec *flap = fault_spec_of(&rule), *silent;

	(void)state;
	open_lab(pair);
	fake_card_up("n1:eth0");
	fake_card_up("n2:eth0");
	wire_fault_set(fake.lab.fabric.wire, &at, flap, NULL);
	for (unsigned ms = 1; ms < 100; ms++) {
		fake_lab_advance(&fake, MS);
		assert_int_equal(fake_card_carrier("n2:eth0"), ms % 15 < 10);
		assert_true(fake_card_carrier("n1:eth0"));
	}
	/* A machine that comes while the link is down sees that. */
	fake_lab_advance(&fake, 4 * MS);
	fake_card_up("n2:eth0");
	assert_false(fake_card_carrier("n2:eth0"));
	rule.carrier = false;
	silent = fault_spec_of(&rule);
	wire_fault_set(fake.lab.fabric.wire, &at, silent, NULL);
	for (unsigned ms = 104; ms < 140; ms++) {
		fake_lab_advance(&fake, MS);
		assert_true(fake_card_carrier("n2:eth0"));
	}
	fault_spec_free(flap);
	fault_spec_free(silent);
	fake_lab_close(&fake);
}

static const char *reached(void)
{
	cleanup_free uint8_t *matrix = NULL;

	assert_int_equal(reach_matrix(&matrix, fake.lab.plan, fake.lab.fabric.wire, 0, NULL), 0);
	return reach_name(matrix[1]); /* from n1 to n2 */
}

/* Each as what it is; of two, the one that is there for longer. */
static void the_matrix_says_what_is_in_the_way(void **state)
{
	static const struct fault_rule half = { .loss.p_ppb = FAULT_PPB_ALL / 2 },
				       all = { .loss.p_ppb = FAULT_PPB_ALL },
				       flap = { .flap = { MS, MS, 0, false } },
				       both = { .loss.p_ppb = FAULT_PPB_ALL,
						.flap = { MS, MS, 0, false } },
				       down = { .down = true,
						.loss.p_ppb = FAULT_PPB_ALL };
	static const struct {
		const struct fault_rule *rule;
		const char *name;
	} cases[] = { { &half, "yes" },
		      { &all, "loss" },
		      { &flap, "flap" },
		      { &both, "loss" },
		      { &down, "down" } };

	(void)state;
	open_lab(pair);
	assert_string_equal(reached(), "off");
	fake_card_up("n1:eth0");
	fake_card_up("n2:eth0");
	assert_string_equal(reached(), "yes");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_spec *spec = fault_spec_of(cases[i].rule);
		struct fault_at at = { .link = 0, .dir = DIR_AB };

		wire_fault_set(fake.lab.fabric.wire, &at, spec, NULL);
		assert_string_equal(reached(), cases[i].name);
		at.dir = DIR_BA;
		wire_fault_set(fake.lab.fabric.wire, &at, spec, NULL);
		at.dir = DIR_AB;
		wire_fault_set(fake.lab.fabric.wire, &at, NULL, NULL);
		assert_string_equal(reached(), "yes"); /* the other way only */
		fault_spec_free(spec);
	}
	fake_lab_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_goes_through_its_states_to_ready),
		cmocka_unit_test(services_wait_for_the_machines_they_depend_on),
		cmocka_unit_test(only_so_many_machines_boot_at_once),
		cmocka_unit_test(a_machine_that_says_nothing_has_failed_after_its_time),
		cmocka_unit_test(an_agent_that_hangs_while_services_start_is_given_up),
		cmocka_unit_test(
			one_that_cannot_be_started_fails_the_boot_with_the_reason),
		cmocka_unit_test(a_machines_clock_is_set_right_before_it_is_configured),
		cmocka_unit_test(a_clock_is_looked_at_again_and_left_alone),
		cmocka_unit_test(a_clock_that_is_to_be_off_is_where_it_should_be),
		cmocka_unit_test(an_answer_that_nobody_asked_for_is_no_answer),
		cmocka_unit_test(the_lab_goes_on_while_a_machine_is_being_set_up),
		cmocka_unit_test(one_that_is_set_up_while_others_are_wakes_nobody_any_more),
		cmocka_unit_test(one_whose_setting_up_fails_fails_the_boot_with_the_reason),
		cmocka_unit_test(one_that_is_taken_down_while_it_is_set_up_has_stopped),
		cmocka_unit_test(
			how_a_machine_ended_says_more_than_that_its_agent_hung_up),
		cmocka_unit_test(a_machine_whose_agent_ended_alone_is_lost),
		cmocka_unit_test(a_machine_that_dies_later_leaves_the_others_alone),
		cmocka_unit_test(a_machine_that_powers_off_is_stopped_not_failed),
		cmocka_unit_test(an_agent_that_breaks_the_rules_is_lost_and_nobody_else),
		cmocka_unit_test(a_stream_that_is_no_protocol_is_lost),
		cmocka_unit_test(
			another_version_of_the_agent_is_refused_with_both_numbers),
		cmocka_unit_test(what_the_agent_could_not_set_up_is_the_reason),
		cmocka_unit_test(
			a_service_that_fails_fails_the_boot_and_its_log_explains),
		cmocka_unit_test(a_service_that_ends_after_it_was_ready_is_only_told),
		cmocka_unit_test(a_service_that_is_restarted_is_told_and_counted),
		cmocka_unit_test(what_a_machine_prints_is_in_its_log_and_in_its_ring),
		cmocka_unit_test(a_graceful_end_asks_and_then_insists),
		cmocka_unit_test(an_old_kernel_sees_a_carrier_when_its_interfaces_are_up),
		cmocka_unit_test(
			frames_go_from_card_to_card_and_one_batch_is_one_notification),
		cmocka_unit_test(a_delayed_frame_comes_at_its_time_and_not_before),
		cmocka_unit_test(
			a_direction_that_is_down_takes_the_carrier_at_its_far_end),
		cmocka_unit_test(the_matrix_says_what_is_in_the_way),
		cmocka_unit_test(a_link_that_flaps_takes_the_carrier_only_if_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
