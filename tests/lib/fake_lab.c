/* SPDX-License-Identifier: MIT */
#include "lib/fake_lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/fdio.h"
#include "lib/fake_machine.h"
#include "topology/compile.h"

static void compile(struct fake_lab *fake, const char *topology)
{
	struct topology_options options = { 0 };
	static struct diagnostics diags;
	int err;

	diags = (struct diagnostics){ 0 };
	err = topology_compile_text(topology, strlen(topology), "test.json", fake->dir,
				    &options, &fake->plan, &diags);
	if (err)
		diagnostics_print(&diags, stderr);
	ASSERT(!err);
	diagnostics_free(&diags);
}

static void make_folders(struct fake_lab *fake)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(fake->dir, sizeof(fake->dir), "%s/fake-lab.XXXXXX", tmp ? tmp : "/tmp");
	ASSERT(mkdtemp(fake->dir));
	ASSERT(rundir_create(&fake->lab.run, fake->dir, "test", NULL) == 0);
}

void fake_lab_prepare(struct fake_lab *fake, const char *topology)
{
	struct lab *lab = &fake->lab;

	*fake = (struct fake_lab){ 0 };
	fake_machines_forget();
	make_folders(fake);
	compile(fake, topology);
	snprintf(lab->name, sizeof(lab->name), "%s", fake->plan->name);
	lab->plan = fake->plan;
	lab->seed = 7;
	lab->boots_at_once = 2;
	lab->journal_fd = -1;
	lab->env.nodes_dir = fake->dir;
	lab->env.initramfs = lab->env.preload = "";
	lab->env.boot_timeout_ns = 60 * NS_PER_S;
	snprintf(fake->kernel.path, sizeof(fake->kernel.path), "/no/kernel");
	snprintf(fake->kernel.release, sizeof(fake->kernel.release), "7.3.4");
	for (size_t i = 0; i < fake->plan->node_count; i++)
		fake->kernels[i] = &fake->kernel;
	lab->kernels = fake->kernels;
	ASSERT(loop_create(&lab->loop, NULL) == 0 &&
	       clock_fake_create(&lab->clock, NULL) == 0);
}

void fake_lab_open(struct fake_lab *fake, const char *topology)
{
	struct lab *lab = &fake->lab;
	struct why why = { "" };
	int err;

	fake_lab_prepare(fake, topology);
	err = lab_build(lab, &why);
	if (err)
		fprintf(stderr, "lab_build: %s\n", why.text);
	ASSERT(!err);
}

void fake_lab_close(struct fake_lab *fake)
{
	struct lab *lab = &fake->lab;
	char *slash = strrchr(fake->dir, '/');
	int parent;

	lab_unbuild(lab);
	clock_destroy(lab->clock);
	loop_destroy(lab->loop);
	rundir_close(&lab->run);
	plan_free(fake->plan);
	*slash = 0;
	parent = open(fake->dir, O_RDONLY | O_DIRECTORY);
	ASSERT(fdio_remove_tree(parent, slash + 1, NULL) == 0);
	close(parent);
	fake_machines_forget();
}

void fake_lab_settle(struct fake_lab *fake)
{
	/* What is deferred runs in the turn after, and may defer again. */
	for (int idle = 0; idle < 4;)
		idle = loop_turn(fake->lab.loop, 0) > 0 ? 0 : idle + 1;
}

void fake_lab_print(struct fake_lab *fake, uint32_t node, const char *text)
{
	const struct ring *ring = machine_console(fake->lab.machines[node]);
	uint64_t end = ring->end + strlen(text);

	ASSERT(write(fake_machine_console_fd(fake->plan->nodes[node].name), text,
		     strlen(text)) == (ssize_t)strlen(text));
	while (ring->end < end)
		loop_turn(fake->lab.loop, -1);
	fake_lab_settle(fake);
}

void fake_lab_advance(struct fake_lab *fake, uint64_t ns)
{
	clock_fake_advance(fake->lab.clock, clock_now_ns(fake->lab.clock) + ns);
	fake_lab_settle(fake);
}

void fake_agent_greet(struct fake_lab *fake, const char *node)
{
	struct fake_message message;

	fake_agent_say_text(node, PROTO_HELLO, 0, "{\"version\":1}");
	fake_agent_say_text(node, PROTO_CONFIGURED, 0, "{}");
	fake_lab_settle(fake);
	while (fake_agent_hear(node, &message))
		free(message.payload);
}

void fake_lab_boot(struct fake_lab *fake)
{
	lab_boot(&fake->lab);
	fake_lab_settle(fake);
	for (size_t done = 0; done < fake->plan->node_count; done++) {
		ASSERT(fake_machine_runs(fake->plan->nodes[done].name));
		fake_agent_greet(fake, fake->plan->nodes[done].name);
	}
}

int fake_lab_journalled(struct fake_lab *fake, const char *event)
{
	const struct journal *journal = fake->lab.journal;
	int count = 0;

	for (uint64_t n = journal_first(journal); n < journal_next(journal); n++) {
		json_t *entry = json_loads(journal_line(journal, n, NULL), 0, NULL);

		ASSERT(entry);
		count += strcmp(text_of(entry, "event"), event) == 0;
		json_decref(entry);
	}
	return count;
}

/* ---- clients ----------------------------------------------------------- */

void fake_client_open(struct fake_client *client, struct fake_lab *fake)
{
	int ends[2];

	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	ASSERT(control_adopt(fake->lab.control, ends[0], NULL) == 0);
	fdio_nonblock(ends[1], true);
	*client = (struct fake_client){ .lab = fake, .fd = ends[1] };
}

void fake_client_close(struct fake_client *client)
{
	close(client->fd);
	free(client->bytes);
	fake_lab_settle(client->lab);
}

void fake_client_send(struct fake_client *client, const char *text)
{
	size_t left = strlen(text), size = left;

	while (left) {
		ssize_t n = send(client->fd, text + size - left, left, MSG_NOSIGNAL);

		if (n > 0)
			left -= (size_t)n;
		else
			fake_lab_settle(client->lab);
	}
	ASSERT(send(client->fd, "\n", 1, MSG_NOSIGNAL) == 1);
	fake_lab_settle(client->lab);
}

json_int_t fake_client_ask(struct fake_client *client, const char *what,
			   const char *fields)
{
	char *text;

	ASSERT(asprintf(&text, "{\"id\":%lld,\"do\":\"%s\"%s%s}", (long long)++client->id,
			what, *fields ? "," : "", fields) > 0);
	fake_client_send(client, text);
	free(text);
	return client->id;
}

static void receive(struct fake_client *client)
{
	for (;;) {
		ssize_t n;

		if (client->room - client->have < 65536) {
			client->room += 1 << 20;
			client->bytes = realloc(client->bytes, client->room);
			ASSERT(client->bytes);
		}
		n = recv(client->fd, client->bytes + client->have,
			 client->room - client->have, 0);
		if (n <= 0)
			return;
		client->have += (size_t)n;
		fake_lab_settle(client->lab);
	}
}

json_t *fake_client_line(struct fake_client *client)
{
	char *newline;
	json_t *line;
	size_t size;

	receive(client);
	newline = client->have ? memchr(client->bytes, '\n', client->have) : NULL;
	if (!newline)
		return NULL;
	size = (size_t)(newline - client->bytes);
	line = json_loadb(client->bytes, size, 0, NULL);
	ASSERT(json_is_object(line));
	memmove(client->bytes, newline + 1, client->have - size - 1);
	client->have -= size + 1;
	return line;
}

/* Some answers wait for a helper process, which ends when it likes. */
static bool has_helper(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

json_t *fake_client_call(struct fake_client *client, const char *what, const char *fields)
{
	json_int_t id = fake_client_ask(client, what, fields);
	json_t *line;

	for (;;) {
		line = fake_client_line(client);
		if (!line && (!has_helper() ||
			      loop_turn(client->lab->lab.loop, 10000) <= 0))
			return NULL;
		if (!line) {
			fake_lab_settle(client->lab);
			continue;
		}
		if (json_integer_value(json_object_get(line, "id")) == id &&
		    json_object_get(line, "ok"))
			return line;
		json_decref(line);
	}
}

const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}
