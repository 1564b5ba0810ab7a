/* SPDX-License-Identifier: MIT */
#include "topology/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/stages.h"
#include "topology/fault_fields.h"
#include "topology/fields.h"
#include "plan/names.h"
#include "topology/read_json.h"
#include "topology/sets.h"

enum { FORMAT_VERSION = 1 };

static const char *const top_keys[] = { "$schema",    "name",  "version",  "seed",
					"defaults",   "kinds", "groups",   "nodes",
					"networks",   "links", "patterns", "routing",
					"partitions", "clock", "epoch", "profiles", NULL };

/* From "/x/two sites.json": two-sites. */
static void derive_name(const char *file, char name[PLAN_NAME_BYTES_MAX])
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');
	const char *end = dot && dot > base ? dot : base + strlen(base);
	char text[3 * PLAN_NAME_BYTES_MAX] = "lab-";
	char *from = text + 4;
	size_t used = 4;

	for (; base < end && used < sizeof(text) - 1; base++) {
		bool word = (*base >= 'a' && *base <= 'z') ||
			    (*base >= 'A' && *base <= 'Z') ||
			    (*base >= '0' && *base <= '9');

		if (word || text[used - 1] != '-')
			text[used++] = word ? *base : '-';
	}
	text[used] = 0;
	/* What begins with a digit keeps the "lab-" in front. */
	if (*from >= '0' && *from <= '9')
		from = text;
	memcpy(name, from, PLAN_NAME_BYTES_MAX - 1);
	name[PLAN_NAME_BYTES_MAX - 1] = 0;
	for (used = strlen(name); used && name[used - 1] == '-'; used--)
		name[used - 1] = 0;
	if (name_check(name, NULL))
		memcpy(name, "lab", sizeof("lab"));
}

static void read_name(struct build *b)
{
	const struct tree *value = tree_get(b->root, "name");
	const char *name = field_string(b->diags, value);
	struct why why;

	if (name && name_check(name, &why))
		complain(b->diags, value, "%s", why.text);
	else if (name)
		snprintf(b->plan->name, sizeof(b->plan->name), "%s", name);
	if (b->options->name && name_check(b->options->name, &why))
		complain_place(b->diags, (struct tree_place){ 0 }, NULL, "--name: %s",
			       why.text);
	else if (b->options->name)
		snprintf(b->plan->name, sizeof(b->plan->name), "%s", b->options->name);
	if (!*b->plan->name)
		derive_name(b->plan->file, b->plan->name);
}

static void read_seed(struct build *b)
{
	int64_t seed;

	if (field_integer(b->diags, tree_get(b->root, "seed"), 0, INT64_MAX, &seed)) {
		b->plan->seed = (uint64_t)seed;
		b->plan->seed_given = true;
	}
	if (b->options->seed_given) {
		b->plan->seed = b->options->seed;
		b->plan->seed_given = true;
	}
}

static void read_top(struct build *b)
{
	const struct tree *routing = tree_get(b->root, "routing");
	const struct tree *clock = tree_get(b->root, "clock");
	const char *text = field_string(b->diags, routing);
	const char *time = field_string(b->diags, clock);
	int64_t version;

	field_keys(b->diags, b->root, top_keys, false);
	field_integer(b->diags, tree_get(b->root, "version"), FORMAT_VERSION,
		      FORMAT_VERSION, &version);
	field_string(b->diags, tree_get(b->root, "$schema"));
	read_name(b);
	read_seed(b);
	b->plan->epoch_s = field_epoch(b->diags, tree_get(b->root, "epoch"));
	b->plan->virtual_time = time && !strcmp(time, "virtual");
	if (time && strcmp(time, "real") && strcmp(time, "virtual"))
		complain(b->diags, clock, "\"%.40s\": write \"real\" or \"virtual\"", time);
	b->routing = !text || !strcmp(text, "auto");
	if (text && strcmp(text, "auto") && strcmp(text, "none"))
		complain(b->diags, routing, "\"%.40s\": write \"auto\" or \"none\"",
			 text);
}

static void build_all(struct build *b)
{
	read_top(b);
	build_profiles(b);
	build_nodes(b);
	build_wiring(b);
	build_patterns(b);
	build_interfaces(b);
	build_addresses(b);
	build_partitions(b);
	if (b->diags->total)
		return;
	build_finish(b);
	if (b->routing)
		build_routes(b);
}

static void build_free(struct build *b)
{
	strmap_free(&b->template_by_key);
	strmap_free(&b->node_by_name);
	strmap_free(&b->link_names);
	free(b->domains);
	free(b->ends);
	build_faults_free(b);
	arena_free(&b->arena);
}

int topology_compile_text(const char *text, size_t size, const char *file,
			  const char *dir, const struct topology_options *options,
			  struct plan **out, struct diagnostics *diags)
{
	static const struct topology_options none;
	struct build b = { .diags = diags, .options = options ? options : &none };
	struct tree *root;

	*out = NULL;
	diags->file = file;
	diags->sets = b.options->sets;
	root = read_json(&b.arena, text, size, 0, diags);
	if (root && root->type != TREE_OBJECT)
		complain(diags, root, "expected an object, found %s",
			 tree_type_name(root->type));
	if (root && root->type == TREE_OBJECT) {
		for (size_t i = 0; i < b.options->set_count; i++)
			sets_apply(&b.arena, root, i, diags);
		b.root = root;
		b.plan = heap_zeroed(1, sizeof(*b.plan));
		b.plan->file = heap_strdup(file);
		b.plan->dir = heap_strdup(dir);
		build_all(&b);
	}
	build_free(&b);
	diagnostics_sort(diags);
	diags->file = NULL;
	diags->sets = NULL;
	if (diags->total) {
		plan_free(b.plan);
		return -EINVAL;
	}
	*out = b.plan;
	return 0;
}
