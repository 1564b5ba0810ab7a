/* SPDX-License-Identifier: MIT */
#include "lib/word_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "faultwords/fault_profiles.h"
#include "faultwords/fault_word_table.h"

enum { ROWS_MAX = 160 };

/* What people wrote: forms that an example does not show, and values between which a
 * change is to be seen. */
static const struct {
	const char *key, *link, *base;
	const char *values[ROW_VALUES_MAX];
} written[] = {
	{ "loss",
	  "",
	  "",
	  { "'30%'", "'30% 60%'", "'50% 60%'", "'gemodel 10% 20% 80% 5%'",
	    "'gemodel 30% 40%'", "'state 10% 40% 5% 80% 2%'", "'every 3'", "'every 7'",
	    "'list 3,7,9-12'", "'list 0-1,100'", "'burst 20% 3'" } },
	{ "drop-first", "", "", { "3", "30", "200" } },
	{ "delay", "", "", { "'5ms'", "'40ms'", "'300ms'" } },
	{ "jitter", "", "'delay':'20ms',", { "'5ms'", "'15ms'", "'1ms'" } },
	{ "correlation", "", "'delay':'20ms','jitter':'9ms',", { "'30%'", "'80%'" } },
	{ "distribution",
	  "",
	  "'delay':'20ms','jitter':'4ms',",
	  { "'normal'", "'pareto'", "'paretonormal'", "'exponential'",
	    "'table table'" } },
	{ "distribution",
	  "",
	  "'delay':'20ms',",
	  { "'samples samples'", "'trace samples'", "'trace other'" } },
	{ "order", "", "'delay':'20ms','jitter':'15ms',", { "'keep'", "'free'" } },
	{ "reorder", "", "'delay':'20ms',", { "'30%'", "'60%'", "'30% 70%'" } },
	{ "gap", "", "'delay':'20ms','reorder':'70%',", { "5", "13", "2" } },
	{ "rate", "", "", { "'300kbit'", "'1Mbit'", "'7Mbit'", "'40kbit'" } },
	{ "overhead", "", "'rate':'1Mbit',", { "'24B'", "'-4B'", "'500B'" } },
	{ "cell", "", "'rate':'1Mbit',", { "'48B 5B'", "'100B'" } },
	{ "capacity", "", "", { "'fast'", "'slow'", "'uneven'" } },
	{ "limit", "", "'rate':'300kbit',", { "'3frames'", "'20frames'", "'3kB'" } },
	{ "queue",
	  "",
	  "'rate':'300kbit','limit':'15frames',",
	  { "'random'", "'red 1kB 9kB 20%'", "'red 2kB 15kB 90%'", "'codel 1ms 5ms'",
	    "'codel 5ms 20ms'", "'tail'" } },
	{ "ecn", "", "'loss':'30%',", { "true", "false" } },
	{ "slot", "", "", { "'3ms'", "'1h'", "'5ms 3frames'", "'4ms 6kB'" } },
	/* What these drew for frames that waited, they do not draw for those that come.
	 */
	{ "slot",
	  "",
	  "",
	  { "'3ms'", "'2ms 9ms'", "'normal 5ms 2ms 4frames 6kB'", "'pareto 5ms 1ms'" } },
	{ "clog",
	  "",
	  "",
	  { "'open 5ms closed 9ms'", "'open 20ms closed 90ms random'",
	    "'open 7ms closed 12h'", "'open 5ms closed 9ms phase 3ms'" } },
	{ "hold", "", "", { "true", "false" } },
	{ "duplicate", "", "", { "'30%'", "'60%'", "'30% 80%'" } },
	{ "duplicate-count", "", "'duplicate':'50% 50%',", { "2", "7" } },
	{ "replay", "", "", { "'30% 5ms'", "'30% 80ms'", "'70% 5ms'" } },
	{ "corrupt", "", "", { "'30%'", "'30% 80%'", "'60%'" } },
	{ "corrupt-bits", "", "'corrupt':'50%',", { "1", "2", "5" } },
	{ "corrupt-at", "", "'corrupt':'50%',", { "'0-3'", "'470'", "'470,811'" } },
	{ "corrupt-mode", "", "'corrupt':'50%',", { "'flip'", "'repair'", "'fcs'" } },
	{ "mtu-drop", "", "", { "100", "1400", "1500" } },
	{ "flap",
	  "",
	  "",
	  { "'up 5ms down 9ms'", "'up 20ms down 30ms random'",
	    "'up 5ms down 9ms phase 3ms'", "'up 30ms down 24h'" } },
	{ "carrier", "", "'flap':'up 5ms down 9ms',", { "true", "false" } },
	{ "states",
	  "",
	  "'faults':[{'name':'b','in':'bad','loss':'60%'}],",
	  { "'good 20ms, bad 30ms'", "'good 90ms, bad 10ms'",
	    "'bad 5ms fair, fair 20ms good 40% bad 60%, good 5ms'" } },
	{ "down", "", "", { "true", "false" } },
	{ "match", "", "'loss':'every 3',", { "'greater 100'", "'less 100'" } },
	{ "after", "", "'loss':'60%',", { "5", "140", "0" } },
	{ "first", "", "'loss':'60%',", { "5", "200" } },
	{ "apply", "", "'loss':'60%',", { "'30%'", "'80%'" } },
	{ "when",
	  "",
	  "'loss':'60%',",
	  { "'on 5ms off 9ms'", "'on 20ms off 30ms random'" } },
	{ "in",
	  "'states':'good 20ms, bad 30ms',",
	  "'loss':'60%',",
	  { "'good'", "'bad'" } },
	{ "until", "", "'loss':'60%',", { "'4100ms'", "'9s'" } },
	{ "for", "", "'loss':'60%',", { "'100ms'", "'2100ms'", "'9s'" } },
};

static const struct {
	const char *name, *text;
} files[] = {
	{ "fast", "1\n2\n3\n4\n" },
	{ "slow", "1000000\n" },
	{ "uneven", "1\n1\n5\n20\n" },
	{ "table", "-8192 0 8192 4000 -4000\n" },
	{ "samples", "1ms 5ms 9ms 2ms 30ms\n" },
	{ "other", "7ms 3ms\n" },
	/* What examples name. */
	{ "lte.trace", "3\n3\n9\n" },
};

static const char *path_of(char path[256], const char *folder, size_t file)
{
	assert_true(snprintf(path, 256, "%s/%s", folder, files[file].name) < 256);
	return path;
}

void word_rows_write_files(const char *folder)
{
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *file = fopen(path_of(path, folder, i), "w");

		assert_non_null(file);
		assert_true(fputs(files[i].text, file) >= 0);
		assert_int_equal(fclose(file), 0);
	}
}

void word_rows_remove_files(const char *folder)
{
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_int_equal(unlink(path_of(path, folder, i)), 0);
}

const char *word_row_text(char text[ROW_TEXT_BYTES], const struct word_row *row,
			  const char *value)
{
	char members[ROW_TEXT_BYTES];
	size_t bytes;

	/* Rules that go by states cannot be without any. */
	if (!value && !strcmp(row->key, "states"))
		return "{}";
	snprintf(members, sizeof(members), "%s", row->base);
	if (value)
		snprintf(members, sizeof(members), "%s'%s':%s,", row->base, row->key,
			 value);
	bytes = strlen(members);
	members[bytes ? bytes - 1 : 0] = 0;
	bytes = (size_t)snprintf(text, ROW_TEXT_BYTES,
				 row->match ? "{%s'faults':[{'name':'r',%s}]}" : "{%s%s}",
				 row->link, members);
	assert_true(bytes < ROW_TEXT_BYTES);
	return text;
}

/* ---- rows that nobody wrote ---------------------------------------------- */

/* It is other words. */
static bool is_profile(const struct fault_word *word)
{
	return !strcmp(word->key, "profile");
}

/* Is the word something that this fault has, and the fault one that does something? */
static bool stands(const struct word_row *row, const char *value, const char *folder)
{
	struct fault_context context = { .dir = folder };
	char text[ROW_TEXT_BYTES], shown[FAULT_WORD_BYTES_MAX];
	const struct fault_word *word = fault_word_find(row->key);
	struct fault_spec *spec = NULL;
	bool good;
	json_t *json;

	word_row_text(text, row, value);
	for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	good = fault_words_from_json(&spec, &context, json, NULL) == 0 && spec &&
	       !fault_spec_is_perfect(spec);
	/* "profile" and "for" are shown as what they stand for. */
	if (good && fault_word_show(word, &spec->rule[row->match], shown))
		good = *shown || word->type != WORD_TEXT;
	json_decref(json);
	fault_spec_free(spec);
	return good;
}

static void quoted(char value[ROW_VALUE_BYTES], const struct fault_word *word,
		   const char *text)
{
	snprintf(value, ROW_VALUE_BYTES, word->type == WORD_TEXT ? "'%s'" : "%s", text);
}

/* The same with other numbers: each n becomes n * times + more. */
static void vary(char to[ROW_VALUE_BYTES], const char *from, unsigned long times,
		 unsigned long more)
{
	size_t used = 0;

	while (*from && used + 1 < ROW_VALUE_BYTES)
		if (isdigit((unsigned char)*from)) {
			char *end;
			unsigned long n = strtoul(from, &end, 10);

			used += (size_t)snprintf(to + used, ROW_VALUE_BYTES - used, "%lu",
						 n * times + more);
			from = end;
		} else {
			to[used++] = *from++;
		}
	to[used < ROW_VALUE_BYTES ? used : ROW_VALUE_BYTES - 1] = 0;
}

static void add_value(struct word_row *row, const char *value, const char *folder)
{
	for (size_t i = 0; i < row->count; i++)
		if (!strcmp(row->values[i], value))
			return;
	if (row->count < ROW_VALUES_MAX && stands(row, value, folder))
		snprintf(row->values[row->count++], ROW_VALUE_BYTES, "%s", value);
}

/* "'key':value," of the word's example; "" for what stands for all other words. */
static void add_example(char *base, const struct fault_word *word)
{
	size_t used = strlen(base);
	char value[ROW_VALUE_BYTES];

	if (is_profile(word))
		return;
	quoted(value, word, word->example);
	snprintf(base + used, sizeof(((struct word_row *)NULL)->base) - used, "'%s':%s,",
		 word->key, value);
}

/* One other word beside it, or two, until it stands. */
static bool find_base(struct word_row *row, const char *value, const char *folder)
{
	if (stands(row, value, folder))
		return true;
	for (int pairs = 0; pairs < 2; pairs++)
		for (size_t a = 0; a < fault_word_count; a++)
			for (size_t b = pairs ? 0 : a; b < (pairs ? a : a + 1); b++) {
				*row->base = 0;
				add_example(row->base, &fault_words[a]);
				if (pairs)
					add_example(row->base, &fault_words[b]);
				if (strcmp(fault_words[a].key, row->key) != 0 &&
				    strcmp(fault_words[b].key, row->key) != 0 &&
				    stands(row, value, folder))
					return true;
			}
	return false;
}

static void derive(struct word_row *row, const struct fault_word *word, bool match,
		   const char *folder)
{
	char value[ROW_VALUE_BYTES], other[ROW_VALUE_BYTES];
	static const unsigned long ways[][2] = { { 2, 0 }, { 1, 1 }, { 3, 7 } };

	*row = (struct word_row){ .key = word->key, .match = match, .derived = true };
	quoted(value, word, word->example);
	/* What goes by a state needs some. */
	if (match && !strcmp(word->key, "in"))
		snprintf(row->link, sizeof(row->link), "'states':'good 20ms, bad 30ms',");
	if (!find_base(row, value, folder))
		fail_msg("%s=%s is refused, or does nothing, with any two other words: "
			 "write a row for it (tests/lib/word_rows.c), and its example "
			 "with what it needs",
			 word->key, word->example);
	add_value(row, value, folder);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		vary(other, value, ways[i][0], ways[i][1]);
		add_value(row, other, folder);
	}
	if (word->type == WORD_FLAG)
		snprintf(row->values[row->count++], ROW_VALUE_BYTES, "false");
	if (is_profile(word))
		for (const char *const *name = fault_profile_names; *name; name++) {
			quoted(value, word, *name);
			add_value(row, value, folder);
		}
}

const struct word_row *word_rows(const char *folder, size_t *count)
{
	static struct word_row rows[ROWS_MAX];
	static size_t used;

	for (size_t i = 0; !used && i < ARRAY_SIZE(written); i++) {
		struct word_row *row = &rows[i];

		row->key = written[i].key;
		row->match = fault_match_is_key(written[i].key);
		snprintf(row->link, sizeof(row->link), "%s", written[i].link);
		snprintf(row->base, sizeof(row->base), "%s", written[i].base);
		for (; row->count < ROW_VALUES_MAX && written[i].values[row->count];
		     row->count++)
			snprintf(row->values[row->count], ROW_VALUE_BYTES, "%s",
				 written[i].values[row->count]);
	}
	if (!used) {
		used = ARRAY_SIZE(written);
		assert_true(used + fault_word_count + fault_match_word_count <= ROWS_MAX);
		for (size_t i = 0; i < fault_word_count; i++)
			derive(&rows[used++], &fault_words[i], false, folder);
		for (size_t i = 0; i < fault_match_word_count; i++)
			derive(&rows[used++], &fault_match_words[i], true, folder);
	}
	*count = used;
	return rows;
}
