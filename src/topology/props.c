/* SPDX-License-Identifier: MIT */
#include "topology/props.h"

#include <string.h>

#include "base/units.h"
#include "topology/cost.h"
#include "topology/fields.h"
#include "topology/node_clock.h"

#define COMMON_KEYS                                                                      \
	"image", "kernel", "memory", "env", "files", "sysctl", "run", "forward", \
		"cost", "clock"

static const char *const keys_of[][16] = {
	[PROPS_DEFAULTS] = { "kind", COMMON_KEYS, NULL },
	[PROPS_KIND] = { COMMON_KEYS, NULL },
	[PROPS_GROUP] = { "kind", "depends", COMMON_KEYS, NULL },
	[PROPS_NODE] = { "kind", "depends", "group", "count", COMMON_KEYS, NULL },
};

static bool is_env_key(const char *key)
{
	for (const char *c = key; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && *c != '_' &&
		    !(*c >= '0' && *c <= '9' && c > key))
			return false;
	return *key != 0;
}

/* net.ipv4.conf.eth0.rp_filter: at least two words, dots between. */
static bool is_sysctl_key(const char *key)
{
	size_t word = 0, words = 0;

	for (const char *c = key; *c; c++) {
		if (*c == '.') {
			if (!word)
				return false;
			word = 0;
			continue;
		}
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && *c != '_' && *c != '-')
			return false;
		words += !word++;
	}
	return word && words >= 2;
}

/* "env" and "sysctl". */
static void read_pairs(struct build *b, const struct tree *value, bool is_sysctl,
		       struct props_pairs *out)
{
	const struct tree *object = field_object(b->diags, value);

	if (!object)
		return;
	if (object->count > PROPS_ITEMS_MAX) {
		complain(b->diags, object, "more than %d members", PROPS_ITEMS_MAX);
		return;
	}
	out->items = arena_alloc(&b->arena, object->count * sizeof(*out->items));
	tree_each(member, object) {
		struct plan_pair *pair = &out->items[out->count];

		if (is_sysctl && !is_sysctl_key(member->key))
			complain_key(b->diags, member, NULL,
				     "not a kernel setting: write its words with dots "
				     "between, such as net.core.somaxconn");
		if (!is_sysctl && !is_env_key(member->key))
			complain_key(b->diags, member, NULL,
				     "not a name of a variable: write letters, digits "
				     "and _, no digit first");
		if (is_sysctl && member->type == TREE_INTEGER)
			pair->value = (char *)member->text;
		else if (is_sysctl && member->type != TREE_STRING)
			complain(b->diags, member,
				 "expected a string or a whole number, found %s",
				 tree_type_name(member->type));
		else
			pair->value = (char *)field_string(b->diags, member);
		pair->key = (char *)member->key;
		out->count += pair->value != NULL;
	}
}

static void read_kind(struct build *b, const struct tree *value, struct props *out)
{
	const char *kind = field_text(b->diags, value);

	if (kind && strcmp(kind, "uml"))
		complain(b->diags, value, "no kind \"%.40s\"; there is \"uml\"", kind);
	else if (kind)
		out->kind = kind;
}

static void read_forward(struct build *b, const struct tree *value, struct props *out)
{
	bool forward;

	if (field_bool(b->diags, value, &forward))
		out->forward = forward;
}

void props_read(struct build *b, const struct tree *object, enum props_level level,
		struct props *out)
{
	*out = (struct props){ .forward = -1 };
	if (!field_object(b->diags, object))
		return;
	field_keys(b->diags, object, keys_of[level], false);
	if (level != PROPS_KIND)
		read_kind(b, tree_get(object, "kind"), out);
	if (level == PROPS_NODE)
		out->groups = tree_get(object, "group");
	if (level >= PROPS_GROUP)
		out->depends = field_array(b->diags, tree_get(object, "depends"));
	image_read(b, tree_get(object, "image"), out);
	kernel_read(b, tree_get(object, "kernel"), out);
	field_quantity(b->diags, tree_get(object, "memory"), units_parse_memory, "64M",
		       PROPS_MEMORY_MIN, PROPS_MEMORY_MAX, "32M and 64G",
		       &out->memory_bytes);
	read_forward(b, tree_get(object, "forward"), out);
	out->has_clock = node_clock_read(b->diags, tree_get(object, "clock"), &out->clock);
	out->has_cost = cost_read(b->diags, tree_get(object, "cost"), &out->cost);
	read_pairs(b, tree_get(object, "env"), false, &out->env);
	read_pairs(b, tree_get(object, "sysctl"), true, &out->sysctls);
	files_read(b, tree_get(object, "files"), out);
	services_read(b, tree_get(object, "run"), out);
}

static void overlay_pairs(struct build *b, struct props_pairs *base,
			  const struct props_pairs *over)
{
	struct props_pairs sum = { 0 };

	if (!over->count)
		return;
	sum.items =
		arena_alloc(&b->arena, (base->count + over->count) * sizeof(*sum.items));
	for (size_t i = 0; i < base->count; i++)
		sum.items[sum.count++] = base->items[i];
	for (size_t i = 0; i < over->count; i++) {
		size_t j = 0;

		while (j < base->count && strcmp(sum.items[j].key, over->items[i].key))
			j++;
		if (j < base->count)
			sum.items[j] = over->items[i];
		else
			sum.items[sum.count++] = over->items[i];
	}
	*base = sum;
}

static void overlay_files(struct build *b, struct props *base, const struct props *over)
{
	size_t before = base->file_count, count = before;
	struct plan_file *sum;

	if (!over->file_count)
		return;
	sum = arena_alloc(&b->arena, (before + over->file_count) * sizeof(*sum));
	for (size_t i = 0; i < before; i++)
		sum[i] = base->files[i];
	for (size_t i = 0; i < over->file_count; i++) {
		size_t j = 0;

		while (j < before && strcmp(sum[j].path, over->files[i].path))
			j++;
		sum[j < before ? j : count++] = over->files[i];
	}
	base->files = sum;
	base->file_count = count;
}

void props_overlay(struct build *b, struct props *base, const struct props *over)
{
	if (over->kind)
		base->kind = over->kind;
	if (over->has_image) {
		base->has_image = true;
		base->image_kind = over->image_kind;
		base->image = over->image;
	}
	if (over->kernel)
		base->kernel = over->kernel;
	if (over->memory_bytes)
		base->memory_bytes = over->memory_bytes;
	if (over->has_clock) {
		base->has_clock = true;
		base->clock = over->clock;
	}
	if (over->has_cost) {
		base->has_cost = true;
		base->cost = over->cost;
	}
	if (over->forward >= 0)
		base->forward = over->forward;
	if (over->has_run) {
		base->has_run = true;
		base->services = over->services;
		base->service_count = over->service_count;
	}
	if (over->depends)
		base->depends = over->depends;
	overlay_pairs(b, &base->env, &over->env);
	overlay_pairs(b, &base->sysctls, &over->sysctls);
	overlay_files(b, base, over);
}

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t pairs_bytes(const struct props_pairs *pairs)
{
	size_t bytes = 0;

	for (size_t i = 0; i < pairs->count; i++)
		bytes += text_bytes(pairs->items[i].key) +
			 text_bytes(pairs->items[i].value);
	return bytes;
}

size_t props_text_bytes(const struct props *props)
{
	size_t bytes = pairs_bytes(&props->env) + pairs_bytes(&props->sysctls);

	for (size_t i = 0; i < props->file_count; i++)
		bytes += text_bytes(props->files[i].path) +
			 text_bytes(props->files[i].content) +
			 text_bytes(props->files[i].source);
	for (size_t i = 0; i < props->service_count; i++)
		bytes += text_bytes(props->services[i].name) +
			 text_bytes(props->services[i].cmd) +
			 text_bytes(props->services[i].ready.text);
	return bytes;
}

static char *copy(const char *text)
{
	return text ? heap_strdup(text) : NULL;
}

static void copy_pairs(const struct props_pairs *from, struct plan_pair **to,
		       size_t *count)
{
	*to = heap_zeroed(from->count, sizeof(**to));
	for (size_t i = 0; i < from->count; i++) {
		(*to)[i].key = copy(from->items[i].key);
		(*to)[i].value = copy(from->items[i].value);
	}
	*count = from->count;
}

void props_to_node(const struct props *props, struct plan_node *node)
{
	node->kind = copy(props->kind ? props->kind : "uml");
	node->image_kind = props->has_image ? props->image_kind : IMAGE_HOST;
	node->image = copy(props->image);
	node->kernel = copy(props->kernel);
	node->memory_bytes =
		props->memory_bytes ? props->memory_bytes : PROPS_MEMORY_DEFAULT;
	node->cost = props->cost;
	node->clock = props->clock;
	copy_pairs(&props->env, &node->env, &node->env_count);
	copy_pairs(&props->sysctls, &node->sysctls, &node->sysctl_count);
	node->files = heap_zeroed(props->file_count, sizeof(*node->files));
	for (size_t i = 0; i < props->file_count; i++) {
		node->files[i] = props->files[i];
		node->files[i].path = copy(props->files[i].path);
		node->files[i].content = copy(props->files[i].content);
		node->files[i].source = copy(props->files[i].source);
	}
	node->file_count = props->file_count;
	node->services = heap_zeroed(props->service_count, sizeof(*node->services));
	for (size_t i = 0; i < props->service_count; i++) {
		node->services[i] = props->services[i];
		node->services[i].name = copy(props->services[i].name);
		node->services[i].cmd = copy(props->services[i].cmd);
		node->services[i].ready.text = copy(props->services[i].ready.text);
	}
	node->service_count = props->service_count;
}
