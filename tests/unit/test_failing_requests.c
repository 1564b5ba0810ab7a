/* SPDX-License-Identifier: MIT */
/* What clients ask of a lab, when memory, descriptors, mappings or the disk run out on
 * the way: for each request each of its calls fails once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/json_memory.h"
#include "lib/failing.h"
#include "lib/fake_machine.h"
#include "lib/talk.h"
#include "lib/word_rows.h"

enum { ROUNDS_MAX = 5000, FRAME_BYTES = 200, BYTES_MAX = 1 << 16 };

/* What a request has with it. */
enum with { WITH_NOTHING, WITH_FILE, WITH_PIPE };

/* `before`: what is asked first, so that there is something to change.  `lines`: in which
 * # is a filter that is long to compile.  Each of `answers` requests is answered. */
struct asked {
	const char *before, *lines;
	enum with with;
	unsigned answers;
	bool journalled, maps;
};

static const struct asked requests[] = {
	{ .lines = "{\"id\":1,\"do\":\"ps\"}\n" },
	{ .lines = "{\"id\":1,\"do\":\"inspect\"}\n" },
	{ .lines = "{\"id\":1,\"do\":\"events\"}\n" },
	{ .lines = "{\"id\":1,\"do\":\"matrix\"}\n" },
	{ .lines = "{\"id\":1,\"do\":\"fidelity\"}\n" },
	{ .lines = "{\"id\":1,\"do\":\"fault-ls\"}\n" },
	{ .lines = "{\"id\":1,\"do\":\"partition-ls\"}\n" },
	{ NULL,
	  "{\"id\":1,\"do\":\"fault-set\",\"target\":\"lan\",\"fault\":"
	  "{\"delay\":\"3ms\",\"loss\":\"1%\",\"rate\":\"1Mbit\"}}\n",
	  .journalled = true },
	{ NULL,
	  "{\"id\":1,\"do\":\"fault-set\",\"target\":\"lan\",\"for\":\"5s\","
	  "\"fault\":{\"profile\":\"lte\"}}\n",
	  .journalled = true },
	{ NULL,
	  "{\"id\":1,\"do\":\"fault-set\",\"target\":\"backup\",\"fault\":"
	  "{\"faults\":[{\"name\":\"r\",\"match\":\"icmp\",\"loss\":\"50%\"}]}}\n",
	  .journalled = true },
	/* A helper process: files, and long filters. */
	{ NULL,
	  "{\"id\":1,\"do\":\"fault-set\",\"target\":\"backup n1->n2\",\"fault\":"
	  "{\"capacity\":\"lte.trace\"}}\n",
	  .journalled = true, .maps = true },
	{ NULL,
	  "{\"id\":1,\"do\":\"fault-set\",\"target\":\"lan\",\"fault\":"
	  "{\"delay\":\"9ms\",\"distribution\":\"samples samples\"}}\n",
	  .journalled = true, .maps = true },
	{ NULL,
	  "{\"id\":1,\"do\":\"fault-set\",\"target\":\"backup\",\"fault\":"
	  "{\"faults\":[{\"name\":\"r\",\"match\":\"#\",\"loss\":\"50%\"}]}}\n",
	  .journalled = true, .maps = true },
	{ "{\"id\":1,\"do\":\"fault-set\",\"target\":\"lan\",\"for\":\"5s\",\"fault\":"
	  "{\"profile\":\"lte\"}}\n",
	  "{\"id\":1,\"do\":\"fault-clear\",\"target\":\"lan\"}\n", .journalled = true },
	{ NULL,
	  "{\"id\":1,\"do\":\"partition\",\"sides\":[[\"n1\"],[\"n2\",\"n3\"]],"
	  "\"name\":\"p\",\"for\":\"4s\"}\n",
	  .journalled = true },
	{ NULL, "{\"id\":1,\"do\":\"partition\",\"kind\":\"random\",\"every\":\"1s\"}\n",
	  .journalled = true },
	{ "{\"id\":1,\"do\":\"partition\",\"kind\":\"halves\",\"name\":\"p\"}\n",
	  "{\"id\":1,\"do\":\"heal\"}\n", .journalled = true },
	{ NULL, "{\"id\":1,\"do\":\"node-clock\",\"node\":\"n1\",\"step_ns\":5000000}\n",
	  .journalled = true },
	/* A command, a copy into a machine, and a probe by all of them at once. */
	{ NULL,
	  "{\"id\":1,\"do\":\"exec\",\"node\":\"n1\",\"argv\":[\"true\"],"
	  "\"stdin\":false}\n",
	  .journalled = true },
	{ NULL,
	  "{\"id\":1,\"do\":\"exec\",\"node\":\"n2\",\"argv\":[\"/proc/1/exe\","
	  "\"unpack\",\"/tmp/x\",\"x\"]}\n"
	  "{\"id\":2,\"do\":\"stdin\",\"to\":1,\"data\":\"TkxUUkVFMQo=\"}\n"
	  "{\"id\":3,\"do\":\"stdin\",\"to\":1,\"data\":\"\"}\n",
	  .journalled = true },
	{ NULL,
	  "{\"id\":9,\"do\":\"together\",\"bytes\":219}\n"
	  "{\"id\":1,\"do\":\"exec\",\"node\":\"n1\",\"argv\":[\"/proc/1/"
	  "exe\",\"probe\"],"
	  "\"lockstep\":true}\n"
	  "{\"id\":2,\"do\":\"exec\",\"node\":\"n2\",\"argv\":[\"/proc/1/"
	  "exe\",\"probe\"],"
	  "\"lockstep\":true}\n"
	  "{\"id\":3,\"do\":\"exec\",\"node\":\"n3\",\"argv\":[\"/proc/1/"
	  "exe\",\"probe\"],"
	  "\"lockstep\":true}\n"
	  "{\"id\":4,\"do\":\"stdin\",\"to\":1,\"data\":\"\"}\n"
	  "{\"id\":5,\"do\":\"stdin\",\"to\":2,\"data\":\"\"}\n"
	  "{\"id\":6,\"do\":\"stdin\",\"to\":3,\"data\":\"\"}\n",
	  .answers = 3, .journalled = true },
	/* Captures. */
	{ NULL, "{\"id\":1,\"do\":\"capture\",\"target\":\"all\"}\n", WITH_FILE,
	  .journalled = true },
	{ NULL,
	  "{\"id\":1,\"do\":\"capture\",\"target\":\"lan\",\"delivered\":true,"
	  "\"filter\":\"icmp or arp or greater 5\"}\n",
	  WITH_FILE, .journalled = true },
	{ NULL, "{\"id\":1,\"do\":\"capture\",\"target\":\"n1\",\"filter\":\"#\"}\n",
	  WITH_PIPE, .journalled = true, .maps = true },
};

/* 40 ports: more words than are compiled in the loop. */
static void write_lines(char *text, size_t room, const char *lines)
{
	size_t used = 0;

	for (; *lines; lines++)
		if (*lines != '#')
			text[used++] = *lines;
		else
			for (int port = 1; port <= 40; port++)
				used += (size_t)snprintf(text + used, room - used,
							 "%sport %d",
							 port > 1 ? " or " : "", port);
	text[used] = 0;
}

/* ---- what the others see -------------------------------------------------- */

/* What was told to be missing of the record; "": nothing.  Lent until the next call. */
static const char *record_lost(void)
{
	static char text[WHY_BYTES_MAX];
	struct fake_client other;
	json_t *answer;

	fake_client_open(&other, &fake);
	answer = fake_client_call(&other, "ps", "");
	snprintf(text, sizeof(text), "%s", text_of(answer, "record_lost"));
	json_decref(answer);
	fake_client_close(&other);
	return text;
}

/* All that a request could have changed, as another client sees it: frames that were
 * counted meanwhile are no change. */
static char *state_of_lab(void)
{
	static const char *const asked[] = { "ps", "fault-ls", "partition-ls", "matrix" };
	json_t *all = json_array();
	struct fake_client other;
	char *text;

	fake_client_open(&other, &fake);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		json_t *answer = fake_client_call(&other, asked[i], ""), *one;
		size_t k;

		json_object_del(answer, "record_lost");
		json_array_foreach(json_object_get(answer, "directions"), k, one)
		{
			json_object_del(one, "counters");
			json_object_del(one, "now");
		}
		json_array_append_new(all, answer);
	}
	fake_client_close(&other);
	text = json_dumps(all, JSON_SORT_KEYS);
	assert_non_null(text);
	json_decref(all);
	return text;
}

/* ---- one request ----------------------------------------------------------- */

enum outcome { DONE, REFUSED, HUNG_UP, UNTOLD };

/* One call of a kind is to fail, and only of the lab's own. */
struct trial {
	enum failing_kind kind;
	unsigned left; /* calls until then */
	bool failed;
};

static void begin_trial(const struct trial *trial)
{
	failing_arm(trial->kind, trial->left);
}

static void end_trial(struct trial *trial)
{
	if (failing_disarm())
		trial->failed = true;
	trial->left = failing_left();
}

static void turn(struct trial *trial)
{
	begin_trial(trial);
	fake_lab_settle(&fake);
	end_trial(trial);
}

/* What the machine's agent says, without memory of its own. */
static void say(struct trial *trial, const char *node, enum proto_type type,
		uint32_t channel, const char *text)
{
	uint8_t bytes[PROTO_HEADER_BYTES + 64];
	size_t size = strlen(text);

	proto_header(bytes, type, channel, (uint32_t)size);
	memcpy(bytes + PROTO_HEADER_BYTES, text, size);
	begin_trial(trial);
	fake_agent_say_raw(node, bytes, PROTO_HEADER_BYTES + size);
	end_trial(trial);
	turn(trial);
}

/* A command begins; it ends with its input, or at once if the lab hung up. */
static void play_machine(struct trial *trial, const char *node, bool has_input)
{
	struct fake_message message;

	while (fake_agent_hear(node, &message)) {
		bool over = message.type == PROTO_STDIN ? message.size == 0
							: message.type == PROTO_CLOSE;

		if (message.type == PROTO_EXEC) {
			say(trial, node, PROTO_STARTED, message.channel, "{\"pid\":7}");
			over = !has_input;
		}
		if (over)
			say(trial, node, PROTO_EXITED, message.channel, "{\"exit\":0}");
		free(message.payload);
	}
}

static void play_machines(struct trial *trial, bool has_input)
{
	static const char *const nodes[] = { "n1", "n2", "n3" };

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		play_machine(trial, nodes[i], has_input);
}

static void send_frames(struct trial *trial)
{
	uint8_t frame[FRAME_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				       2,    0,	   0,	 0,    0,    1 };

	for (int i = 0; i < 3; i++) {
		begin_trial(trial);
		fake_card_send("n1:eth0", frame, sizeof(frame));
		end_trial(trial);
		turn(trial);
	}
}

/* What was captured ends with a whole block. */
static void assert_whole_blocks(int fd)
{
	static uint8_t bytes[BYTES_MAX];
	ssize_t size = pread(fd, bytes, sizeof(bytes), 0);

	assert_in_range(size, 0, sizeof(bytes) - 1);
	for (ssize_t at = 0; at < size;) {
		uint32_t block;

		assert_true(size - at >= 12);
		memcpy(&block, bytes + at + 4, sizeof(block));
		assert_in_range(block, 12, size - at);
		at += block;
	}
}

struct ends {
	int ours, theirs;
};

static struct ends open_ends(enum with with)
{
	struct ends ends = { -1, -1 };
	int fds[2];

	if (with == WITH_FILE) {
		ends.theirs = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		ends.ours = fcntl(ends.theirs, F_DUPFD_CLOEXEC, 3);
	} else if (with == WITH_PIPE) {
		assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
		ends.ours = fds[0];
		ends.theirs = fds[1];
	}
	assert_true(with == WITH_NOTHING || (ends.ours >= 0 && ends.theirs >= 0));
	return ends;
}

/* A client as in life: by the socket in a folder. */
static void knock(struct fake_client *asking)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	*asking = (struct fake_client){ .lab = &fake };
	asking->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(asking->fd >= 0);
	assert_true(snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control",
			     fake.lab.run.path) < (int)sizeof(addr.sun_path));
	assert_int_equal(connect(asking->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	fdio_nonblock(asking->fd, true);
}

struct answers {
	unsigned done, refused;
	char error[WHY_BYTES_MAX]; /* of the first refusal */
	char why[WHY_BYTES_MAX];   /* it ended before it was asked to */
};

/* Returns whether there was anything. */
static bool hear(struct fake_client *asking, struct answers *answers)
{
	bool any = false;
	json_t *line;

	while ((line = fake_client_line(asking))) {
		const json_t *ok = json_object_get(line, "ok");
		/* That of "close" is of no interest: what is closed may be over. */
		bool counts = ok && number(line, "id") < 10;

		if (counts && json_is_true(ok)) {
			answers->done++;
			snprintf(answers->why, sizeof(answers->why), "%s",
				 text_of(line, "why"));
		} else if (counts && !answers->refused++) {
			snprintf(answers->error, sizeof(answers->error), "%s",
				 text_of(line, "error"));
		}
		json_decref(line);
		any = true;
	}
	return any;
}

static bool has_hung_up(const struct fake_client *asking)
{
	char byte;

	return recv(asking->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* A helper process ends when it likes. */
static void wait_for_helper(struct trial *trial, struct fake_client *asking,
			    struct answers *answers)
{
	int events = 1;

	while (events > 0 && !hear(asking, answers) && !has_hung_up(asking)) {
		begin_trial(trial);
		events = loop_turn(fake.lab.loop, 10000);
		end_trial(trial);
		turn(trial);
	}
}

static enum outcome ask(const struct asked *asked, struct trial *trial,
			struct answers *answers)
{
	static char lines[BYTES_MAX];
	struct ends ends = open_ends(asked->with);
	struct fake_client asking;
	unsigned wanted = asked->answers ? asked->answers : 1;
	bool hung_up;

	*answers = (struct answers){ 0 };
	write_lines(lines, sizeof(lines), asked->lines);
	knock(&asking);
	assert_int_equal(fdio_send(asking.fd, lines, strlen(lines), &ends.theirs,
				   ends.theirs >= 0),
			 strlen(lines));
	if (ends.theirs >= 0)
		close(ends.theirs);
	turn(trial);
	if (asked->maps)
		wait_for_helper(trial, &asking, answers);
	play_machines(trial, strstr(lines, "\"stdin\",") != NULL);
	if (asked->with != WITH_NOTHING) {
		static const char close_it[] = "{\"id\":10,\"do\":\"close\",\"to\":1}\n";

		send_frames(trial);
		(void)!send(asking.fd, close_it, strlen(close_it), MSG_NOSIGNAL);
		turn(trial);
	}
	hear(&asking, answers);
	fake_lab_settle(&fake);
	hear(&asking, answers);
	hung_up = has_hung_up(&asking);
	fake_client_close(&asking);
	/* A command of one that was hung up ends, too. */
	play_machines(trial, false);
	if (asked->with == WITH_FILE)
		assert_whole_blocks(ends.ours);
	if (ends.ours >= 0)
		close(ends.ours);
	if (answers->refused)
		return REFUSED;
	return answers->done == wanted ? DONE : hung_up ? HUNG_UP : UNTOLD;
}

/* ---- and every one, again and again ---------------------------------------- */

static char *before; /* the lab's state; NULL: there is no lab, or it has changed */

/* With all that one in life has: a socket, a journal, files. */
static void have_lab(const char *first)
{
	if (before)
		return;
	fake_lab_prepare(&fake, talk_topology);
	fake.lab.journal_fd = rundir_append(&fake.lab.run, "journal.jsonl", NULL);
	assert_true(fake.lab.journal_fd >= 0);
	fake.lab.boots_at_once = 8;
	assert_int_equal(lab_build(&fake.lab, NULL), 0);
	assert_int_equal(
		control_listen(fake.lab.control, fake.lab.run.fd, "control", NULL), 0);
	word_rows_write_files(fake.dir);
	fake_lab_boot(&fake);
	fake_card_up("n1:eth0");
	fake_card_up("n2:eth0");
	if (first) {
		const struct asked asked = { .lines = first };
		struct trial nothing = { .kind = FAILING_NOTHING };
		struct answers answers;

		assert_int_equal(ask(&asked, &nothing, &answers), DONE);
	}
	before = state_of_lab();
}

static void drop_lab(void)
{
	if (before)
		fake_lab_close(&fake);
	free(before);
	before = NULL;
}

static void assert_whole_lines(void)
{
	static char bytes[1 << 20];
	cleanup_close int fd =
		openat(fake.lab.run.fd, "journal.jsonl", O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, bytes, sizeof(bytes));

	assert_in_range(size, 1, sizeof(bytes) - 1);
	assert_true(bytes[size - 1] == '\n');
}

static bool is_space(enum failing_kind kind)
{
	return kind == FAILING_SPACE || kind == FAILING_FULL;
}

/* One round.  Returns whether there was an n-th call. */
static bool try_one(const struct asked *asked, enum failing_kind kind, unsigned n)
{
	struct trial trial = { .kind = kind, .left = n };
	struct answers answers;
	enum outcome outcome;
	unsigned files;
	char *after;
	bool lost;

	have_lab(asked->before);
	files = failing_open_files();
	outcome = ask(asked, &trial, &answers);
	lost = *record_lost();
	after = state_of_lab();
#define FAIL(what)                                                                       \
	fail_msg("%s%s %u: %s: outcome %d, error \"%s\", why \"%s\"\n%s\n%s",            \
		 asked->lines, failing_kind_name(kind), n, what, outcome, answers.error, \
		 answers.why, before, after)
	if (outcome == UNTOLD || (!trial.failed && outcome != DONE))
		FAIL("no answer, or not the right one");
	if (outcome == REFUSED && !*answers.error)
		FAIL("no reason");
	if (outcome == REFUSED && strcmp(before, after) != 0)
		FAIL("refused, and yet something has changed");
	/* What fails may be what nobody asked for; but a full disk loses something. */
	if (is_space(kind) && trial.failed && outcome == DONE && !lost &&
	    !*answers.why)
		FAIL("something is lost and nobody is told");
	if (lost && !trial.failed)
		FAIL("something is lost");
	assert_whole_lines();
	/* A journal that the disk does not take any more is closed. */
	if (failing_open_files() != files - (lost && is_space(kind)))
		FAIL("a descriptor is left");
#undef FAIL
	if (strcmp(before, after) != 0 || outcome == HUNG_UP || lost)
		drop_lab();
	free(after);
	return trial.failed;
}

/* Every request, each of its calls of that kind. */
static void sweep(enum failing_kind kind, bool (*reaches)(const struct asked *asked))
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		unsigned n = 1;

		if (!reaches(&requests[i]))
			continue;
		while (try_one(&requests[i], kind, n) && n < ROUNDS_MAX)
			n++;
		/* One that none of its calls could fail would hold nothing. */
		if (n < 2 || n == ROUNDS_MAX)
			fail_msg("%s%s: %u rounds", requests[i].lines,
				 failing_kind_name(kind), n);
		drop_lab();
		if (getenv("FAILING_COUNTS"))
			printf("%s %u %s", failing_kind_name(kind), n, requests[i].lines);
	}
}

static bool all(const struct asked *asked)
{
	(void)asked;
	return true;
}

static bool is_journalled(const struct asked *asked)
{
	return asked->journalled;
}

static bool maps(const struct asked *asked)
{
	return asked->maps;
}

static void a_request_that_finds_no_memory_changes_nothing(void **state)
{
	(void)state;
	sweep(FAILING_MEMORY, all);
}

/* From accept() on. */
static void a_request_without_a_descriptor_changes_nothing(void **state)
{
	(void)state;
	sweep(FAILING_FILES, all);
}

static void a_request_on_a_full_disk_loses_nothing_untold(void **state)
{
	(void)state;
	sweep(FAILING_SPACE, is_journalled);
	/* Also amid a write. */
	sweep(FAILING_FULL, is_journalled);
}

static void a_request_without_a_mapping_changes_nothing(void **state)
{
	(void)state;
	sweep(FAILING_MAPS, maps);
}

/* ---- the journal ------------------------------------------------------------ */

/* An entry that finds no memory is missing by its number, in the file as in the tail. */
static void an_entry_without_memory_is_missing_by_its_number_and_told(void **state)
{
	bool reached = true;
	unsigned n = 0;

	(void)state;
	for (n = 1; reached; n++) {
		int fd = memfd_create("journal", MFD_CLOEXEC);
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		char bytes[4096];
		struct journal *journal;
		struct clock *clock;
		ssize_t size;

		assert_true(fd >= 0 && copy >= 0);
		assert_int_equal(clock_fake_create(&clock, NULL), 0);
		assert_int_equal(journal_create(&journal, clock, fd, NULL), 0);
		journal_write(journal, "first", NULL);
		failing_arm(FAILING_MEMORY, n);
		journal_write(journal, "second", json_pack("{s:s}", "key", "value"));
		reached = failing_disarm();
		journal_write(journal, "third", NULL);
		size = pread(copy, bytes, sizeof(bytes) - 1, 0);
		assert_in_range(size, 1, sizeof(bytes) - 1);
		bytes[size] = 0;
		assert_non_null(strstr(bytes, "{\"n\":0,"));
		assert_non_null(strstr(bytes, "{\"n\":2,"));
		assert_int_equal(journal_next(journal), 3);
		assert_int_equal(journal_error(journal), reached ? -ENOMEM : 0);
		assert_int_equal(strstr(bytes, "{\"n\":1,") != NULL, !reached);
		assert_int_equal(journal_line(journal, 1, NULL) != NULL, !reached);
		journal_destroy(journal);
		clock_destroy(clock);
		close(copy);
	}
	assert_true(n > 2);
}

/* What it takes to build a lab, to the last allocation. */
static void a_lab_that_cannot_be_built_says_why_and_leaves_nothing(void **state)
{
	static const enum failing_kind kinds[] = { FAILING_MEMORY, FAILING_FILES,
						   FAILING_SPACE, FAILING_MAPS };
	unsigned n, files;
	struct why why;
	bool reached;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		n = 0;
		do {
			why = (struct why){ "" };
			fake_lab_prepare(&fake, talk_topology);
			files = failing_open_files();
			failing_arm(kinds[i], ++n);
			err = lab_build(&fake.lab, &why);
			reached = failing_disarm();
			assert_true(err ? reached && *why.text : !*why.text);
			lab_unbuild(&fake.lab);
			assert_int_equal(failing_open_files(), files);
			fake_lab_close(&fake);
		} while (reached && n < ROUNDS_MAX);
		assert_int_equal(err, 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lab_that_cannot_be_built_says_why_and_leaves_nothing),
		cmocka_unit_test(a_request_that_finds_no_memory_changes_nothing),
		cmocka_unit_test(a_request_without_a_descriptor_changes_nothing),
		cmocka_unit_test(a_request_on_a_full_disk_loses_nothing_untold),
		cmocka_unit_test(a_request_without_a_mapping_changes_nothing),
		cmocka_unit_test(
			an_entry_without_memory_is_missing_by_its_number_and_told),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	/* Thousands of labs, each with its files: no disk has to see them. */
	if (access("/dev/shm", W_OK | X_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	json_memory_watch();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
