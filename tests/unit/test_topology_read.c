/* SPDX-License-Identifier: MIT */
/* How a topology is read: places, limits, overrides, files; and what comes out
 * as JSON. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "topology/read_json.h"
#include "unit/test_topology_help.h"

static void every_value_knows_its_line_and_column(void **state)
{
	const char *text =
		"{\n\t\"a\": [1,\n  {\"\u00e9\u00e9\": \"\u20ac\", \"b\": null}],\n"
		"\"\\u0063\":\ttrue}";
	struct diagnostics diags = { .count = 0 };
	struct arena arena = { 0 };
	struct tree *root = read_json(&arena, text, strlen(text), 0, &diags);
	struct tree *a = tree_get(root, "a"), *second = a->first->next;
	struct tree *b = tree_get(second, "b"), *c = tree_get(root, "c");
	char path[TREE_PATH_BYTES_MAX];

	(void)state;
	assert_int_equal(a->key_at.line, 2);
	assert_int_equal(a->key_at.column, 2);
	assert_int_equal(a->at.column, 7);
	assert_int_equal(second->at.line, 3);
	assert_int_equal(second->at.column, 3);
	/* Columns are characters, however many bytes they take. */
	assert_int_equal(b->key_at.column, 15);
	assert_int_equal(b->at.column, 20);
	assert_int_equal(c->at.line, 4);
	assert_int_equal(c->at.column, 11);
	assert_int_equal(c->type, TREE_BOOL);
	assert_string_equal(tree_path(b, path), "a[1].b");
	assert_string_equal(tree_path(root, path), "");
	assert_int_equal(diags.total, 0);
	arena_free(&arena);
}

static void escapes_stand_for_their_characters(void **state)
{
	const char *text =
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"";
	struct diagnostics diags = { .count = 0 };
	struct arena arena = { 0 };
	struct tree *root = read_json(&arena, text, strlen(text), 0, &diags);

	(void)state;
	assert_string_equal(root->text, "\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001f600");
	arena_free(&arena);
}

static void numbers_are_whole_if_they_look_so_and_fit(void **state)
{
	static const struct {
		const char *text;
		enum tree_type type;
		int64_t value;
	} cases[] = {
		{ "0", TREE_INTEGER, 0 },
		{ "-0", TREE_INTEGER, 0 },
		{ "-17", TREE_INTEGER, -17 },
		{ "9223372036854775807", TREE_INTEGER, INT64_MAX },
		{ "9223372036854775808", TREE_NUMBER, 0 },
		{ "1.0", TREE_NUMBER, 0 },
		{ "1e2", TREE_NUMBER, 0 },
		{ "1E-2", TREE_NUMBER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diagnostics diags = { .count = 0 };
		struct arena arena = { 0 };
		struct tree *root = read_json(&arena, cases[i].text,
					      strlen(cases[i].text), 0, &diags);

		assert_int_equal(root->type, cases[i].type);
		if (root->type == TREE_INTEGER)
			assert_int_equal(root->integer, cases[i].value);
		arena_free(&arena);
	}
}

/* Every prefix of a good text, and every text with one byte changed, is either
 * read or refused with a place inside it. */
static void a_damaged_text_is_refused_at_some_place_in_it(void **state)
{
	const char *good =
		"{\"nodes\":{\"n\":{\"count\":3,\"env\":{\"A\":\"\\u00e9\u20ac\"}}},"
		"\"seed\":-1.5e3,\"x-a\":[true,false,null,\"\\n\"]}";
	size_t size = strlen(good), refused = 0;
	char *text = malloc(size);

	(void)state;
	for (size_t at = 0; at < size; at++) {
		for (unsigned c = 0; c < 256; c++) {
			struct diagnostics diags = { .count = 0, .file = "t" };
			struct arena arena = { 0 };
			struct tree *root;
			/* 0: cut the text here instead. */
			size_t cut = c ? size : at;

			memcpy(text, good, size);
			text[at] = (char)c;
			root = read_json(&arena, text, cut, 0, &diags);
			if (!root) {
				assert_int_equal(diags.items[0].at.line == 1 ||
							 diags.items[0].at.line == 2,
						 true);
				assert_in_range(diags.items[0].at.column, 1, size + 1);
				refused++;
			}
			arena_free(&arena);
			diagnostics_free(&diags);
		}
	}
	free(text);
	assert_true(refused > size * 20);
}

static char *text_of(size_t count, const char *unit, const char *end)
{
	size_t size = strlen(unit);
	char *text = malloc(count * size + strlen(end) + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * size, unit, size);
	memcpy(text + count * size, end, strlen(end) + 1);
	return text;
}

static void limits_are_refused_by_name(void **state)
{
	cleanup_free char *deep = text_of(100000, "[", "");
	cleanup_free char *many = text_of((1 << 20) + 2, "0,", "0]");
	cleanup_free char *large = text_of((16 << 20) + 1, " ", "");
	char *words;

	(void)state;
	words = refuse(deep);
	assert_non_null(strstr(words, "t.json:1:65: error: "));
	assert_non_null(strstr(words, "nested more than 64 levels deep"));
	free(words);
	many[0] = '['; /* instead of the first 0, which is not missed */
	many[1] = ' ';
	words = refuse(many);
	assert_non_null(strstr(words, "more than 1048576 values"));
	free(words);
	words = refuse(large);
	assert_string_equal(words, "t.json:1:1: error: larger than 16 MiB\n");
	free(words);
}

static void a_file_of_nothing_but_errors_costs_little(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"nodes\":{\"n\":{\"count\":1024}},\"networks\":{\"l\":{\"members\":"
		  "[",
		  "\"n\"," },
		{ "{\"nodes\":{\"n\":{\"count\":1024}},\"partitions\":[{\"sides\":[[",
		  "\"n1\"],[" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *many = text_of(100000, cases[i][1], "\"n1\"]");
		cleanup_free char *text = NULL, *words = NULL;
		struct rusage before, after;

		assert_true(asprintf(&text, "%s%s%s}", cases[i][0], many,
				     i ? "]}]" : "}}") > 0);
		getrusage(RUSAGE_SELF, &before);
		words = refuse(text);
		getrusage(RUSAGE_SELF, &after);
		/* Found so far: enough. */
		assert_non_null(strstr(words, "and 950 more errors\n"));
		assert_true(after.ru_utime.tv_sec - before.ru_utime.tv_sec < 5);
		assert_true(after.ru_maxrss - before.ru_maxrss < 200 << 10);
	}
}

static void all_errors_come_in_one_pass_and_in_order(void **state)
{
	cleanup_free char *words =
		refuse("{\n\"links\":[{\"endpoints\":[\"a\",\"zz\"],\"delay\":5}],\n"
		       "\"nodes\":{\"a\":{\"memroy\":\"64M\"}},\n\"seed\":-1\n}");

	(void)state;
	assert_string_equal(
		words,
		"t.json:2:28: error: links[0].endpoints[1]: there is no node \"zz\"\n"
		"t.json:2:42: error: links[0].delay: a bare number has no unit: write a "
		"string "
		"such as \"50ms\"\n"
		"t.json:3:15: error: nodes.a.memroy: unknown key; did you mean "
		"\"memory\"?\n"
		"t.json:4:8: error: seed: -1 is not a whole number between 0 and "
		"9223372036854775807\n");
}

static void diagnostics_are_also_json(void **state)
{
	struct diagnostics diags = { .count = 0 };
	const char *text =
		"{\"nodes\":{\"a\":{\"memroy\":\"\"}},\"\x1b[2J\xe2\x82\xac\":1}";
	struct plan *plan;
	json_t *json, *first;

	(void)state;
	topology_compile_text(text, strlen(text), "t.json", "/", NULL, &plan, &diags);
	/* Control characters of the file never reach a terminal. */
	text = "{\"nodes\":{\"a\":{\"memroy\":\"\"}},\"\\u001b[2J\":1}";
	topology_compile_text(text, strlen(text), "t.json", "/", NULL, &plan, &diags);
	json = diagnostics_to_json(&diags);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "total")), diags.total);
	for (size_t i = 0; i < diags.count; i++)
		assert_null(strchr(diags.items[i].path, 0x1b));
	first = json_array_get(json_object_get(json, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "file")), "t.json");
	assert_int_equal(json_integer_value(json_object_get(first, "line")), 1);
	json_decref(json);
	diagnostics_free(&diags);
}

static void overrides_are_put_into_the_tree(void **state)
{
	const char *const sets[] = { "nodes.n.count=4",
				     "defaults.memory=128M",
				     "links[0].delay=5ms",
				     "links[0][\"n1->n2\"].loss=1%",
				     "nodes.n.env={\"A\":\"7\"}",
				     "nodes.n.env.B=1",
				     "nodes.x={}",
				     "nodes.n.sysctl[\"a.b\"]=7",
				     "seed=12" };
	struct topology_options options = { .sets = sets, .set_count = ARRAY_SIZE(sets) };
	struct plan *plan = compile_with("{\"nodes\":{\"n\":{\"count\":2}},\"links\":[{"
					 "\"endpoints\":[\"n1\",\"n2\"]}]}",
					 &options);

	(void)state;
	assert_int_equal(plan->node_count, 5);
	assert_string_equal(plan->nodes[0].env[1].value, "1");
	assert_int_equal(plan->nodes[3].memory_bytes, UINT64_C(128) << 20);
	assert_int_equal(plan->links[0].fault[DIR_BA]->rule[0].delay_ns, 5000000);
	assert_int_equal(plan->links[0].fault[DIR_AB]->rule[0].loss.p_ppb,
			 10000 * FAULT_PPM);
	assert_string_equal(plan->nodes[0].env[0].value, "7");
	assert_string_equal(plan->nodes[0].sysctls[0].key, "a.b");
	assert_int_equal(plan->seed, 12);
	plan_free(plan);
}

static void a_wrong_override_is_named_as_it_was_typed(void **state)
{
	static const struct {
		const char *set, *says;
	} cases[] = {
		{ "nodes.a.memory=64",
		  "--set nodes.a.memory=64: error: nodes.a.memory: a bare" },
		{ "nodes.a.memroy=64M", "did you mean \"memory\"" },
		{ "nodes.a", "expected KEY=VALUE" },
		{ "=1", "expected KEY=VALUE" },
		{ "nodes..a=1", "expected KEY=VALUE" },
		{ "nodes.a.=1", "expected KEY=VALUE" },
		{ "links[0].delay=1ms", "there is no item 0 here" },
		{ "seed.x=1", "not an object, so there is no \"x\"" },
		{ "nodes.n[1-2].x=1", "there is no \"n[1-2]\" in the file" },
		{ "nodes.b.memory=64M", "there is no \"b\" in the file" },
		{ "nodes.sever.memory=64M", "did you mean \"server\"?" },
		{ "nodes.r3.memory=64M", "the file has \"r[1-2]\": name it so, --set "
					 "'nodes.r[1-2].KEY=VALUE'" },
		{ "nodes.c1.memory=64M", "the file has \"c\": name it so" },
		{ "nodes.a.volumes=x", "unknown key; \"files\" puts files into a machine" },
		{ "nodes.a.command=x", "unknown key; commands stand in \"run\"" },
		{ "nodes={\"a\":{},\"a\":{}}", "expected an object, found a string" },
		{ "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
		  "expected KEY=VALUE" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct topology_options options = { .sets = &cases[i].set,
						    .set_count = 1 };
		cleanup_free char *words =
			refuse_with("{\"nodes\":{\"a\":{},\"r[1-2]\":{},\"c\":{\"count\":1},"
				    "\"server\":{}},"
				    "\"links\":[],"
				    "\"seed\":1}",
				    &options);

		if (!strstr(words, cases[i].says))
			fail_msg("%s: %s", cases[i].set, words);
	}
}

static void the_plans_json_is_the_same_each_time(void **state)
{
	const char *text =
		"{\"seed\":4,\"nodes\":{\"n\":{\"count\":20,\"run\":[{\"cmd\":\"x\"}],"
		"\"env\":{\"A\":\"b\"}}},\"patterns\":[{\"pattern\":\"random\","
		"\"nodes\":[\"n\"],\"edges\":30,\"loss\":\"1%\",\"pool6\":\"auto\"}],"
		"\"partitions\":[{\"sides\":[[\"n1\"],[\"n2\"]]}]}";
	char *said[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct plan *plan = compile(text);
		json_t *json = plan_to_json(plan);

		assert_non_null(json);
		said[i] = json_dumps(json, 0);
		json_decref(json);
		plan_free(plan);
	}
	assert_string_equal(said[0], said[1]);
	assert_non_null(strstr(said[0],
			       "\"partitions\": [{\"sides\": [[\"n1\"], [\"n2\"]], "
			       "\"one-way\": false}]"));
	free(said[0]);
	free(said[1]);
}

static void files_are_read_and_found_from_their_own_folder(void **state)
{
	char dir[] = "/tmp/netlab-test-XXXXXX";
	struct diagnostics diags = { .count = 0 };
	cleanup_free char *words = NULL;
	struct plan *plan;
	char path[64];
	FILE *to;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/root", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/t.json", dir);
	to = fopen(path, "w");
	fputs("{\"nodes\":{\"a\":{\"image\":\"root\"}}}", to);
	fclose(to);
	assert_int_equal(topology_compile_file(path, NULL, &plan, &diags), 0);
	assert_string_equal(plan->dir, dir);
	assert_string_equal(plan->file, path);
	assert_string_equal(plan->name, "t");
	assert_int_equal(plan->nodes[0].image_kind, IMAGE_DIR);
	plan_free(plan);
	assert_int_equal(truncate(path, (off_t)100 << 20), 0); /* a 100 MB file */
	assert_int_equal(topology_compile_file(path, NULL, &plan, &diags), -EINVAL);
	assert_int_equal(topology_compile_file(dir, NULL, &plan, &diags), -EISDIR);
	assert_int_equal(topology_compile_file("/dev/zero", NULL, &plan, &diags),
			 -EINVAL);
	unlink(path);
	assert_int_equal(topology_compile_file(path, NULL, &plan, &diags), -ENOENT);
	words = words_of(&diags);
	assert_non_null(strstr(words, "t.json:1:1: error: larger than 16 MiB\n"));
	assert_non_null(strstr(words, ": error: is a folder; name the file in it\n"));
	assert_non_null(strstr(words, "/dev/zero: error: is a pipe or a device; a topology is a "
				      "file that stays, for its run names it: write it to one "
				      "first\n"));
	assert_non_null(strstr(words, "t.json: error: No such file or directory\n"));
	diagnostics_free(&diags);
	snprintf(path, sizeof(path), "%s/root", dir);
	rmdir(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_knows_its_line_and_column),
		cmocka_unit_test(escapes_stand_for_their_characters),
		cmocka_unit_test(numbers_are_whole_if_they_look_so_and_fit),
		cmocka_unit_test(a_damaged_text_is_refused_at_some_place_in_it),
		cmocka_unit_test(limits_are_refused_by_name),
		cmocka_unit_test(a_file_of_nothing_but_errors_costs_little),
		cmocka_unit_test(all_errors_come_in_one_pass_and_in_order),
		cmocka_unit_test(diagnostics_are_also_json),
		cmocka_unit_test(overrides_are_put_into_the_tree),
		cmocka_unit_test(a_wrong_override_is_named_as_it_was_typed),
		cmocka_unit_test(the_plans_json_is_the_same_each_time),
		cmocka_unit_test(files_are_read_and_found_from_their_own_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
