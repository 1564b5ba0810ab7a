/* SPDX-License-Identifier: MIT */
#include "init/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/json_fields.h"
#include "agentproto/proto.h"

enum { PATH_BYTES_MAX = 64 };

/* Reads one element of an array into its struct. */
typedef int element_fn(const json_t *json, const char *path, void *out, struct why *why);

static int read_array(const json_t *array, const char *path, size_t element_bytes,
		      element_fn *read, void *out_array, size_t *count, struct why *why)
{
	size_t n = json_array_size(array);
	char *elements;

	if (!n)
		return 0;
	elements = calloc(n, element_bytes);
	if (!elements)
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	*(void **)out_array = elements;
	*count = n;
	for (size_t i = 0; i < n; i++) {
		char at[PATH_BYTES_MAX];
		int err;

		snprintf(at, sizeof(at), "%.40s/%zu", path, i);
		err = read(json_array_get(array, i), at, elements + i * element_bytes, why);
		if (err)
			return err;
	}
	return 0;
}

/* "10.0.0.1" or, with a prefix, "10.0.0.0/24". */
static int read_addr(const char *text, bool with_prefix, struct plan_addr *out)
{
	char ip[INET6_ADDRSTRLEN];
	size_t size = strcspn(text, "/");
	unsigned long prefix = 0;
	char *end = NULL;

	if (size >= sizeof(ip) || (text[size] == '/') != with_prefix)
		return -EINVAL;
	memcpy(ip, text, size);
	ip[size] = 0;
	out->family = strchr(ip, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(out->family, ip, &out->ip) != 1)
		return -EINVAL;
	if (with_prefix) {
		const char *digits = text + size + 1;

		if (*digits < '0' || *digits > '9')
			return -EINVAL;
		prefix = strtoul(digits, &end, 10);
		if (*end || prefix > (out->family == AF_INET ? 32 : 128))
			return -EINVAL;
	}
	out->prefix = (uint8_t)prefix;
	return 0;
}

static int read_interface_addr(const json_t *json, const char *path, void *out,
			       struct why *why)
{
	const char *text = json_string_value(json);

	if (!text || read_addr(text, true, out))
		return why_set(why, -EINVAL, "%s: expected an address with its prefix", path);
	return 0;
}

static bool read_mac(const char *text, uint8_t mac[6])
{
	char tail;

	return strlen(text) == 17 &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5], &tail) == 6;
}

void settings_mac_text(const uint8_t mac[6], char out[18])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

/* What the kernel takes as a name. */
static bool ifname_fits(const char *name)
{
	return *name && strlen(name) < PLAN_IFNAME_BYTES_MAX && strcmp(name, ".") &&
	       strcmp(name, "..") && !strpbrk(name, "/: \t\n");
}

static int read_interface(const json_t *json, const char *path, void *out, struct why *why)
{
	struct settings_interface *iface = out;
	struct raw {
		const char *name, *mac;
		uint64_t mtu;
		json_t *addrs;
	} raw = { .addrs = NULL };
	static const struct field table[] = {
		{ "name", FIELD_STRING, true, offsetof(struct raw, name), 0, 0 },
		{ "mac", FIELD_STRING, true, offsetof(struct raw, mac), 0, 0 },
		{ "mtu", FIELD_U64, true, offsetof(struct raw, mtu), 68, 65535 },
		{ "addrs", FIELD_ARRAY, false, offsetof(struct raw, addrs), 0, 0 },
		{ 0 },
	};
	int err = json_fields_read(json, path, table, &raw, why);
	char addrs[PATH_BYTES_MAX];

	if (err)
		return err;
	if (!ifname_fits(raw.name))
		return why_set(why, -EINVAL, "%s/name: no name for an interface", path);
	if (!read_mac(raw.mac, iface->mac))
		return why_set(why, -EINVAL, "%s/mac: expected 02:00:00:00:00:01", path);
	snprintf(iface->name, sizeof(iface->name), "%s", raw.name);
	iface->mtu_bytes = (uint32_t)raw.mtu;
	snprintf(addrs, sizeof(addrs), "%.50s/addrs", path);
	return read_array(raw.addrs, addrs, sizeof(*iface->addrs), read_interface_addr,
			  &iface->addrs, &iface->addr_count, why);
}

static int read_route(const json_t *json, const char *path, void *out, struct why *why)
{
	struct plan_route *route = out;
	struct raw {
		const char *to, *via;
	} raw;
	static const struct field table[] = {
		{ "to", FIELD_STRING, true, offsetof(struct raw, to), 0, 0 },
		{ "via", FIELD_STRING, true, offsetof(struct raw, via), 0, 0 },
		{ 0 },
	};
	int err = json_fields_read(json, path, table, &raw, why);

	if (err)
		return err;
	if (read_addr(raw.to, true, &route->to))
		return why_set(why, -EINVAL, "%s/to: expected a network with its prefix", path);
	if (read_addr(raw.via, false, &route->via) || route->via.family != route->to.family)
		return why_set(why, -EINVAL, "%s/via: expected an address of the same kind",
			       path);
	return 0;
}

static int read_host(const json_t *json, const char *path, void *out, struct why *why)
{
	static const struct field table[] = {
		{ "addr", FIELD_STRING, true, offsetof(struct settings_host, addr), 0, 0 },
		{ "names", FIELD_STRING, true, offsetof(struct settings_host, names), 0, 0 },
		{ 0 },
	};

	return json_fields_read(json, path, table, out, why);
}

static int read_file(const json_t *json, const char *path, void *out, struct why *why)
{
	struct plan_file *file = out;
	struct raw {
		char *path, *content, *source;
		uint64_t mode;
	} raw = { .content = NULL, .source = NULL };
	static const struct field table[] = {
		{ "path", FIELD_STRING, true, offsetof(struct raw, path), 0, 0 },
		{ "mode", FIELD_U64, true, offsetof(struct raw, mode), 0, 07777 },
		{ "content", FIELD_STRING, false, offsetof(struct raw, content), 0, 0 },
		{ "source", FIELD_STRING, false, offsetof(struct raw, source), 0, 0 },
		{ 0 },
	};
	int err = json_fields_read(json, path, table, &raw, why);

	if (err)
		return err;
	if (raw.path[0] != '/')
		return why_set(why, -EINVAL, "%s/path: not absolute", path);
	if (!raw.content == !raw.source)
		return why_set(why, -EINVAL, "%s: needs either content or source", path);
	file->path = raw.path;
	file->content = raw.content;
	file->source = raw.source;
	file->mode = (uint32_t)raw.mode;
	return 0;
}

static int read_ready(const json_t *json, const char *path, struct plan_ready *ready,
		      struct why *why)
{
	struct raw {
		uint64_t tcp, timeout_ns;
		char *file, *cmd;
	} raw = { .tcp = 0, .file = NULL, .cmd = NULL };
	static const struct field table[] = {
		{ "tcp", FIELD_U64, false, offsetof(struct raw, tcp), 1, 65535 },
		{ "file", FIELD_STRING, false, offsetof(struct raw, file), 0, 0 },
		{ "cmd", FIELD_STRING, false, offsetof(struct raw, cmd), 0, 0 },
		{ "timeout_ns", FIELD_U64, true, offsetof(struct raw, timeout_ns), 0, INT64_MAX },
		{ 0 },
	};
	int err = json_fields_read(json, path, table, &raw, why);

	if (err)
		return err;
	if (!!raw.tcp + !!raw.file + !!raw.cmd != 1)
		return why_set(why, -EINVAL, "%s: needs one of tcp, file, cmd", path);
	ready->kind = raw.tcp ? READY_TCP : raw.file ? READY_FILE : READY_CMD;
	ready->tcp_port = (uint16_t)raw.tcp;
	ready->text = raw.file ? raw.file : raw.cmd;
	ready->timeout_ns = raw.timeout_ns;
	return 0;
}

static int read_service(const json_t *json, const char *path, void *out, struct why *why)
{
	struct plan_service *service = out;
	struct raw {
		char *name, *cmd, *restart;
		json_t *ready;
	} raw = { .ready = NULL };
	static const struct field table[] = {
		{ "name", FIELD_STRING, true, offsetof(struct raw, name), 0, 0 },
		{ "cmd", FIELD_STRING, true, offsetof(struct raw, cmd), 0, 0 },
		{ "ready", FIELD_OBJECT, false, offsetof(struct raw, ready), 0, 0 },
		{ "restart", FIELD_STRING, false, offsetof(struct raw, restart), 0, 0 },
		{ 0 },
	};
	char ready[PATH_BYTES_MAX];
	int err = json_fields_read(json, path, table, &raw, why);

	if (err)
		return err;
	service->name = raw.name;
	service->cmd = raw.cmd;
	if (raw.restart && restart_find(raw.restart, &service->restart))
		return why_set(why, -EINVAL, "%s/restart: \"%.40s\" is not known", path,
			       raw.restart);
	if (!raw.ready)
		return 0;
	snprintf(ready, sizeof(ready), "%.50s/ready", path);
	return read_ready(raw.ready, ready, &service->ready, why);
}

static int read_pairs(json_t *object, const char *path, struct plan_pair **out,
		      size_t *count, struct why *why)
{
	struct plan_pair *pairs;
	const char *key;
	json_t *value;

	if (!json_object_size(object))
		return 0;
	pairs = calloc(json_object_size(object), sizeof(*pairs));
	if (!pairs)
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	*out = pairs;
	json_object_foreach(object, key, value) {
		if (!json_is_string(value))
			return why_set(why, -EINVAL, "%s/%.64s: expected a string", path, key);
		pairs[*count].key = (char *)key;
		pairs[(*count)++].value = (char *)json_string_value(value);
	}
	return 0;
}

struct raw_settings {
	const char *lab, *name;
	bool forward, ipv6;
	uint64_t version, wall_ns;
	json_t *interfaces, *routes, *hosts, *files, *services, *sysctls, *env;
};

#define AT(member) offsetof(struct raw_settings, member)
static const struct field settings_table[] = {
	{ "version", FIELD_U64, true, AT(version), PROTO_VERSION, PROTO_VERSION },
	{ "lab", FIELD_STRING, true, AT(lab), 0, 0 },
	{ "name", FIELD_STRING, true, AT(name), 0, 0 },
	{ "forward", FIELD_BOOL, false, AT(forward), 0, 0 },
	{ "ipv6", FIELD_BOOL, false, AT(ipv6), 0, 0 },
	{ "wall_ns", FIELD_U64, false, AT(wall_ns), 1, INT64_MAX },
	{ "interfaces", FIELD_ARRAY, false, AT(interfaces), 0, 0 },
	{ "routes", FIELD_ARRAY, false, AT(routes), 0, 0 },
	{ "hosts", FIELD_ARRAY, false, AT(hosts), 0, 0 },
	{ "files", FIELD_ARRAY, false, AT(files), 0, 0 },
	{ "services", FIELD_ARRAY, false, AT(services), 0, 0 },
	{ "sysctls", FIELD_OBJECT, false, AT(sysctls), 0, 0 },
	{ "env", FIELD_OBJECT, false, AT(env), 0, 0 },
	{ 0 },
};
#undef AT

static int read_settings(const json_t *json, struct settings *out, struct why *why)
{
	struct raw_settings raw = { .lab = NULL };
	int err = json_fields_read(json, "", settings_table, &raw, why);

	if (err)
		return err;
	out->lab = raw.lab;
	out->name = raw.name;
	out->forward = raw.forward;
	out->ipv6 = raw.ipv6;
	out->wall_ns = raw.wall_ns;
#define ARRAY(member, count, read)                                                       \
	read_array(raw.member, "/" #member, sizeof(*out->member), read, &out->member,    \
		   &out->count, why)
	err = ARRAY(interfaces, interface_count, read_interface);
	err = err ? err : ARRAY(routes, route_count, read_route);
	err = err ? err : ARRAY(hosts, host_count, read_host);
	err = err ? err : ARRAY(files, file_count, read_file);
	err = err ? err : ARRAY(services, service_count, read_service);
#undef ARRAY
	err = err ? err : read_pairs(raw.sysctls, "/sysctls", &out->sysctls,
				     &out->sysctl_count, why);
	return err ? err : read_pairs(raw.env, "/env", &out->env, &out->env_count, why);
}

int settings_parse(const uint8_t *text, size_t size, struct settings *out,
		   struct why *why)
{
	json_error_t error;
	int err;

	*out = (struct settings){ 0 };
	out->json = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &error);
	if (!out->json)
		return why_set(why, -EINVAL, "CONFIG is no JSON: %s", error.text);
	err = read_settings(out->json, out, why);
	if (err) {
		settings_free(out);
		return why_wrap(why, err, "CONFIG");
	}
	return 0;
}

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < settings->interface_count; i++)
		free(settings->interfaces[i].addrs);
	free(settings->interfaces);
	free(settings->routes);
	free(settings->hosts);
	free(settings->sysctls);
	free(settings->env);
	free(settings->files);
	free(settings->services);
	json_decref(settings->json);
	*settings = (struct settings){ 0 };
}
