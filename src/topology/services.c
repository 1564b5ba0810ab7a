/* SPDX-License-Identifier: MIT */
/* services.c - "run": what is started in a machine, and when it counts as ready */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "topology/fields.h"
#include "topology/props.h"

enum { SERVICE_NAME_BYTES_MAX = 64 };

#define READY_TIMEOUT_NS_DEFAULT UINT64_C(60000000000)
#define READY_TIMEOUT_NS_MIN	 UINT64_C(1000000)
#define READY_TIMEOUT_NS_MAX	 UINT64_C(3600000000000)

static const char *const run_keys[] = { "name", "cmd", "ready", "timeout", "restart", NULL };
static const char *const ready_keys[] = { "tcp", "file", "cmd", NULL };

/* It becomes the name of a log file. */
static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (!first && (c == '-' || c == '_' || c == '.'));
}

static bool is_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!is_name_char(*c, c == name))
			return false;
	return *name && strlen(name) < SERVICE_NAME_BYTES_MAX;
}

/* From "A=1 /usr/bin/redis-server --port 6379": redis-server. */
static void derive_name(const char *cmd, char name[SERVICE_NAME_BYTES_MAX])
{
	static const char blanks[] = " \t\n";
	const char *word = cmd + strspn(cmd, blanks);
	size_t size = strcspn(word, blanks), used = 0;

	while (size && memchr(word, '=', size)) {
		word += size;
		word += strspn(word, blanks);
		size = strcspn(word, blanks);
	}
	for (size_t i = size; i > 0; i--) {
		if (word[i - 1] == '/') {
			word += i;
			size -= i;
			break;
		}
	}
	for (size_t i = 0; i < size && used < SERVICE_NAME_BYTES_MAX - 8; i++)
		if (is_name_char(word[i], used == 0))
			name[used++] = word[i];
	name[used] = 0;
	if (!used)
		memcpy(name, "service", sizeof("service"));
}

static bool name_is_taken(const struct props *props, const char *name)
{
	for (size_t i = 0; i < props->service_count; i++)
		if (props->services[i].name && !strcmp(props->services[i].name, name))
			return true;
	return false;
}

static bool read_ready(struct build *b, const struct tree *value,
		       struct plan_ready *ready)
{
	const struct tree *object = field_object(b->diags, value);
	const struct tree *test = NULL;
	size_t tests = 0;
	int64_t port;

	if (!object)
		return false;
	field_keys(b->diags, object, ready_keys, false);
	for (size_t i = 0; ready_keys[i]; i++) {
		const struct tree *member = tree_get(object, ready_keys[i]);

		tests += member != NULL;
		test = member ? member : test;
	}
	if (tests != 1) {
		complain(b->diags, object,
			 "expected one of \"tcp\" (a port), \"file\" (a path) and "
			 "\"cmd\" (a command)");
		return false;
	}
	if (!strcmp(test->key, "tcp")) {
		if (!field_integer(b->diags, test, 1, 65535, &port))
			return false;
		ready->kind = READY_TCP;
		ready->tcp_port = (uint16_t)port;
		return true;
	}
	ready->text = (char *)field_text(b->diags, test);
	if (!ready->text)
		return false;
	ready->kind = !strcmp(test->key, "file") ? READY_FILE : READY_CMD;
	if (ready->kind == READY_FILE && *ready->text != '/')
		complain(b->diags, test,
			 "\"%.60s\" is not an absolute path of the machine", ready->text);
	return true;
}

static void read_one(struct build *b, const struct tree *object, struct props *out)
{
	struct plan_service *service = &out->services[out->service_count];
	const struct tree *timeout, *restart, *name;

	if (!field_object(b->diags, object))
		return;
	field_keys(b->diags, object, run_keys, false);
	if (!tree_get(object, "cmd"))
		complain(b->diags, object, "\"cmd\" is missing: the command to run");
	service->cmd = (char *)field_text(b->diags, tree_get(object, "cmd"));
	timeout = tree_get(object, "timeout");
	if (read_ready(b, tree_get(object, "ready"), &service->ready))
		service->ready.timeout_ns = READY_TIMEOUT_NS_DEFAULT;
	else if (timeout && !tree_get(object, "ready"))
		complain(b->diags, timeout,
			 "without \"ready\" there is nothing to wait for: add it, or "
			 "take this out");
	field_quantity(b->diags, timeout, units_parse_ns, "30s", READY_TIMEOUT_NS_MIN,
		       READY_TIMEOUT_NS_MAX, "1ms and 1h", &service->ready.timeout_ns);
	restart = tree_get(object, "restart");
	if (field_text(b->diags, restart) &&
	    restart_find(restart->text, &service->restart))
		complain(b->diags, restart,
			 "\"%.40s\": expected \"no\", \"on-failure\" or \"always\"",
			 restart->text);
	name = tree_get(object, "name");
	if (field_text(b->diags, name)) {
		service->name = (char *)name->text;
		if (!is_name(name->text))
			complain(b->diags, name,
				 "\"%.60s\" is not a name of a service: write up to %d "
				 "letters, digits and - _ . (not first)",
				 name->text, SERVICE_NAME_BYTES_MAX - 1);
		else if (name_is_taken(out, name->text))
			complain(b->diags, name, "a second service \"%s\"", name->text);
	}
	if (service->cmd)
		out->service_count++;
}

static void name_the_rest(struct build *b, struct props *props)
{
	char base[SERVICE_NAME_BYTES_MAX], name[SERVICE_NAME_BYTES_MAX + 16];

	for (size_t i = 0; i < props->service_count; i++) {
		if (props->services[i].name)
			continue;
		derive_name(props->services[i].cmd, base);
		snprintf(name, sizeof(name), "%s", base);
		for (unsigned n = 2; name_is_taken(props, name); n++)
			snprintf(name, sizeof(name), "%s-%u", base, n);
		props->services[i].name = arena_strndup(&b->arena, name, strlen(name));
	}
}

void services_read(struct build *b, const struct tree *run, struct props *out)
{
	const struct tree *array = field_array(b->diags, run);

	if (!array)
		return;
	if (array->count > PROPS_SERVICES_MAX) {
		complain(b->diags, array, "more than %d services", PROPS_SERVICES_MAX);
		return;
	}
	out->has_run = true;
	out->services = arena_alloc(&b->arena, array->count * sizeof(*out->services));
	tree_each(item, array)
		read_one(b, item, out);
	/* Given names first: they must not depend on the order. */
	name_the_rest(b, out);
}
