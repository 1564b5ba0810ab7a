/* SPDX-License-Identifier: MIT */
/* The client's end of the control socket, with the test as the lab. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/client.h"
#include "cli/remote.h"

struct rig {
	struct client *client;
	int lab; /* the test's end */
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(client_open(&rig->client, ends[0], NULL), 0);
	rig->lab = ends[1];
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	client_free(rig->client);
	if (rig->lab >= 0)
		close(rig->lab);
	free(rig);
	return 0;
}

static void lab_says(struct rig *rig, const char *text)
{
	assert_int_equal(fdio_write(rig->lab, text, strlen(text)), 0);
}

static void lab_hears(struct rig *rig, const char *expected)
{
	char text[4096];
	ssize_t n = recv(rig->lab, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = 0;
	assert_string_equal(text, expected);
}

static int turn(struct rig *rig, struct why *why)
{
	return client_turn(rig->client, 0, NULL, why);
}

struct heard {
	int events, answers;
	char last[64];
};

static void hear(void *ctx, const json_t *line, bool last)
{
	struct heard *heard = ctx;
	const char *what = json_string_value(json_object_get(line, "what"));

	heard->events += !last;
	heard->answers += last;
	snprintf(heard->last, sizeof(heard->last), "%s", what ? what : "");
}

static void each_request_hears_its_own_lines_until_its_answer(void **state)
{
	struct rig *rig = *state;
	struct heard a = { 0 }, b = { 0 };

	assert_int_equal(client_request(rig->client, "ps", NULL, hear, &a, NULL), 1);
	assert_int_equal(client_request(rig->client, "events", NULL, hear, &b, NULL), 2);
	lab_hears(rig, "{\"id\":1,\"do\":\"ps\"}\n{\"id\":2,\"do\":\"events\"}\n");
	lab_says(rig,
		 "{\"id\":2,\"event\":\"x\",\"what\":\"one\"}\n{\"id\":1,\"ok\":true}\n"
		 "{\"id\":9,\"ok\":true}\n{\"id\":2,\"event\":\"x\",\"wh");
	assert_int_equal(turn(rig, NULL), 0);
	assert_int_equal(a.answers, 1);
	assert_int_equal(b.events, 1);
	lab_says(rig, "at\":\"two\"}\n{\"id\":1,\"event\":\"late\"}\n");
	assert_int_equal(turn(rig, NULL), 0);
	assert_int_equal(a.events, 0);
	assert_int_equal(b.events, 2);
	assert_string_equal(b.last, "two");
	client_forget(rig->client, 2);
	lab_says(rig, "{\"id\":2,\"ok\":true}\n");
	assert_int_equal(turn(rig, NULL), 0);
	assert_int_equal(b.answers, 0);
}

static void a_refusal_is_the_labs_words(void **state)
{
	struct rig *rig = *state;
	struct why why;
	json_t *answer = NULL;

	lab_says(rig, "{\"id\":1,\"ok\":false,\"error\":\"no link x\"}\n");
	assert_int_equal(client_call(rig->client, "fault-set", NULL, 1000, &answer, &why),
			 -EREMOTEIO);
	assert_string_equal(why.text, "no link x");
	assert_null(answer);
}

static void silence_is_waited_for_so_long(void **state)
{
	struct rig *rig = *state;
	struct why why;

	assert_int_equal(client_call(rig->client, "ps", NULL, 10, NULL, &why),
			 -ETIMEDOUT);
}

static void a_lab_that_goes_is_told_from_one_that_talks_rubbish(void **state)
{
	struct rig *rig = *state;
	struct why why;

	lab_says(rig, "[1]\n");
	assert_int_equal(turn(rig, &why), -EPROTO);
	/* And stays dead. */
	assert_int_equal(turn(rig, &why), 0);
	assert_int_equal(client_request(rig->client, "ps", NULL, NULL, NULL, &why),
			 -ENOTCONN);
}

static void the_end_of_the_connection_is_an_error(void **state)
{
	struct rig *rig = *state;
	struct why why;

	close(steal_fd(&rig->lab));
	assert_int_equal(turn(rig, &why), -ENOTCONN);
	assert_non_null(strstr(why.text, "netlab ps"));
}

static void a_descriptor_goes_with_its_own_request(void **state)
{
	struct rig *rig = *state;
	cleanup_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	size_t count = FDIO_FDS_MAX;
	int fds[FDIO_FDS_MAX];
	char text[256];
	ssize_t n;

	client_request(rig->client, "ps", NULL, NULL, NULL, NULL);
	assert_int_equal(
		client_request_fd(rig->client, "capture", NULL, null, NULL, NULL, NULL),
		2);
	n = fdio_recv(rig->lab, text, sizeof(text), fds, &count);
	assert_true(n > 0);
	assert_memory_equal(text, "{\"id\":1", 7);
	if (!count) {
		count = FDIO_FDS_MAX;
		n = fdio_recv(rig->lab, text, sizeof(text), fds, &count);
		assert_memory_equal(text, "{\"id\":2", 7);
	}
	assert_int_equal(count, 1);
	close(fds[0]);
}

static void requests_that_belong_together_go_as_one(void **state)
{
	struct rig *rig = *state;
	struct why why;

	client_together(rig->client);
	client_request(rig->client, "heal", NULL, NULL, NULL, NULL);
	client_request(rig->client, "ps", NULL, NULL, NULL, NULL);
	lab_hears(rig, "");
	assert_int_equal(client_pollfd(rig->client).events & POLLOUT, 0);
	assert_int_equal(client_together_end(rig->client, NULL), 0);
	lab_hears(rig, "{\"id\":1,\"do\":\"together\",\"bytes\":        40}\n"
		       "{\"id\":2,\"do\":\"heal\"}\n{\"id\":3,\"do\":\"ps\"}\n");
	client_together(rig->client);
	assert_int_equal(client_together_end(rig->client, NULL), 0);
	lab_hears(rig, "{\"id\":4,\"do\":\"together\",\"bytes\":         0}\n");
	client_together(rig->client);
	for (size_t bytes = 0; bytes <= CLIENT_TOGETHER_BYTES_MAX; bytes += 1 << 19) {
		char *text = malloc((1 << 19) + 1);

		memset(text, 'x', 1 << 19);
		text[1 << 19] = 0;
		client_request(rig->client, "heal", json_pack("{s:s}", "x", text), NULL,
			       NULL, NULL);
		free(text);
	}
	assert_int_equal(client_together_end(rig->client, &why), -E2BIG);
	assert_non_null(strstr(why.text, "16 MiB"));
	lab_hears(rig, "");
}

static void a_request_that_no_lab_takes_is_refused_before_it_is_sent(void **state)
{
	struct rig *rig = *state;
	struct why why;
	char *text = malloc(CLIENT_REQUEST_BYTES_MAX);

	memset(text, 'x', CLIENT_REQUEST_BYTES_MAX);
	text[CLIENT_REQUEST_BYTES_MAX - 1] = 0;
	assert_int_equal(client_request(rig->client, "exec", json_pack("{s:s}", "x", text),
					NULL, NULL, &why),
			 -E2BIG);
	assert_non_null(strstr(why.text, "exec: this takes 10486"));
	free(text);
	/* And the connection is as good as before. */
	lab_hears(rig, "");
	assert_true(client_request(rig->client, "ps", NULL, NULL, NULL, &why) > 0);
	lab_hears(rig, "{\"id\":2,\"do\":\"ps\"}\n");
}

/* ---- remote commands ------------------------------------------------------------------
 */

static void stdin_waits_for_the_start_and_for_credit(void **state)
{
	static const uint8_t piece[REMOTE_CHUNK_BYTES];
	struct rig *rig = *state;
	struct remote remote = { 0 };
	size_t sent = 0;
	char sink[65536];

	assert_int_equal(remote_start(&remote, rig->client, "n1", json_object(), NULL),
			 0);
	assert_int_equal(remote_room(&remote), 0);
	lab_says(rig, "{\"id\":1,\"event\":\"started\"}\n");
	assert_int_equal(turn(rig, NULL), 0);
	while (remote_room(&remote)) {
		size_t room = remote_room(&remote);

		assert_int_equal(remote_write(&remote, piece, room, NULL), 0);
		sent += room;
		while (recv(rig->lab, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
		assert_int_equal(client_turn(rig->client, 0, NULL, NULL), 0);
	}
	assert_int_equal(sent, REMOTE_WINDOW_BYTES);
	lab_says(rig, "{\"id\":1,\"event\":\"credit\",\"bytes\":1000}\n");
	assert_int_equal(client_turn(rig->client, 100, NULL, NULL), 0);
	assert_int_equal(client_turn(rig->client, 0, NULL, NULL), 0);
	assert_int_equal(remote_room(&remote), 1000);
	/* More than was taken is no gift. */
	lab_says(rig, "{\"id\":1,\"event\":\"credit\",\"bytes\":100000000}\n");
	assert_int_equal(client_turn(rig->client, 100, NULL, NULL), 0);
	assert_int_equal(remote_room(&remote), REMOTE_CHUNK_BYTES);
	remote_close(&remote);
}

static void in_lockstep_each_output_that_was_read_is_told(void **state)
{
	struct rig *rig = *state;
	struct remote remote = { .lockstep = true };

	remote_start(&remote, rig->client, "n1", json_object(), NULL);
	lab_hears(rig, "{\"node\":\"n1\",\"lockstep\":true,\"id\":1,\"do\":\"exec\"}\n");
	assert_int_equal(remote_go_on(&remote, NULL), 0);
	lab_hears(rig, "");
	lab_says(rig, "{\"id\":1,\"event\":\"started\"}\n"
		      "{\"id\":1,\"event\":\"stdout\",\"data\":\"YQ==\"}\n"
		      "{\"id\":1,\"event\":\"stderr\",\"data\":\"YQ==\"}\n");
	assert_int_equal(turn(rig, NULL), 0);
	assert_int_equal(remote_go_on(&remote, NULL), 0);
	lab_hears(rig, "{\"events\":2,\"to\":1,\"id\":2,\"do\":\"go-on\"}\n");
	assert_int_equal(remote_go_on(&remote, NULL), 0);
	lab_hears(rig, "");
	remote_close(&remote);
}

static void ended(const char *answer, int status, const char *error)
{
	void *state;
	struct rig *rig;
	struct remote remote = { 0 };

	setup(&state);
	rig = state;
	assert_int_equal(remote_start(&remote, rig->client, "n1", json_object(), NULL),
			 0);
	lab_says(rig, answer);
	assert_int_equal(turn(rig, NULL), 0);
	assert_true(remote.ended);
	assert_int_equal(remote_status(&remote), status);
	assert_string_equal(remote.error.text, error);
	remote_close(&remote);
	teardown(&state);
}

static void an_end_is_a_status_as_of_a_shell(void **state)
{
	(void)state;
	ended("{\"id\":1,\"ok\":true,\"exit\":0}\n", 0, "");
	ended("{\"id\":1,\"ok\":true,\"exit\":7}\n", 7, "");
	ended("{\"id\":1,\"ok\":true,\"signal\":9}\n", 137, "");
	ended("{\"id\":1,\"ok\":false,\"error\":\"x: not found\",\"exit\":127}\n", 127,
	      "x: not found");
	ended("{\"id\":1,\"ok\":false,\"error\":\"n1 is stopped\"}\n", 1,
	      "n1 is stopped");
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_RIG(each_request_hears_its_own_lines_until_its_answer),
		WITH_RIG(a_refusal_is_the_labs_words),
		WITH_RIG(silence_is_waited_for_so_long),
		WITH_RIG(a_lab_that_goes_is_told_from_one_that_talks_rubbish),
		WITH_RIG(the_end_of_the_connection_is_an_error),
		WITH_RIG(a_descriptor_goes_with_its_own_request),
		WITH_RIG(requests_that_belong_together_go_as_one),
		WITH_RIG(a_request_that_no_lab_takes_is_refused_before_it_is_sent),
		WITH_RIG(stdin_waits_for_the_start_and_for_credit),
		WITH_RIG(in_lockstep_each_output_that_was_read_is_told),
		cmocka_unit_test(an_end_is_a_status_as_of_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
