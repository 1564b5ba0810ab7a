/* SPDX-License-Identifier: MIT */
#include "linkfault/fault_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "linkfault/rule_name.h"
#include "linkfault/word.h"

enum { DATA_NAME_BYTES_MAX = 1 << 20, KEY_BYTES_MAX = 32 };

void fault_book_free(struct fault_book *book)
{
	for (uint32_t i = 0; i < book->spec_count; i++)
		fault_spec_free(book->specs[i]);
	for (uint32_t i = 0; i < book->data_count; i++)
		fault_data_free(book->data[i]);
	free(book->specs);
	free(book->data);
	*book = (struct fault_book){ 0 };
}

/* One more in the list; false: out of memory. */
static bool append(void ***list, uint32_t *count, void *item)
{
	/* Powers of two only, so most calls do nothing. */
	if (!(*count & (*count - 1))) {
		void **grown = realloc(*list, (*count ? 2 * (size_t)*count : 1) *
						      sizeof(void *));

		if (!grown)
			return false;
		*list = grown;
	}
	(*list)[(*count)++] = item;
	return true;
}

/* Which one it is: 0: none, up to count: one that was seen, count + 1: a new one. */
static uint32_t which(void **list, uint32_t count, const void *item,
		      struct record *record)
{
	uint32_t n = count;

	if (!item)
		n = 0;
	else
		while (n && list[n - 1] != item)
			n--;
	if (item && !n)
		n = count + 1;
	record_below(record, &n, count + 2, "reference");
	return n;
}

/* ---- rows of numbers --------------------------------------------------- */

static void load_data(struct fault_data **data, struct record *record)
{
	uint32_t kind = 0;
	uint64_t count = 0;
	char *name = NULL;

	record_below(record, &kind, DATA_CAPACITY + 1, "kind of data");
	record_string(record, &name, DATA_NAME_BYTES_MAX);
	record_count(record, &count, sizeof(int64_t));
	*data = record_ok(record)
			? calloc(1, sizeof(**data) + (size_t)count * sizeof(int64_t))
			: NULL;
	if (!*data) {
		free(name);
		if (record_ok(record))
			record_no_memory(record);
		return;
	}
	**data = (struct fault_data){ .refs = 1,
				      .kind = (enum fault_data_kind)kind,
				      .name = name,
				      .count = (size_t)count };
	for (size_t i = 0; i < count; i++)
		record_i64(record, &(*data)->value[i]);
	if (!record_ok(record) || fault_data_check(*data)) {
		record_refuse(record, "%s: there are no such numbers", name);
		fault_data_free(*data);
		*data = NULL;
	}
}

static void save_data(struct fault_data *data, struct record *record)
{
	uint32_t kind = data->kind;
	uint64_t count = data->count;

	record_u32(record, &kind);
	record_string(record, &data->name, DATA_NAME_BYTES_MAX);
	record_u64(record, &count);
	for (size_t i = 0; i < data->count; i++)
		record_i64(record, &data->value[i]);
}

static void data_record(struct fault_data **data, struct fault_book *book,
			struct record *record)
{
	uint32_t n = which(book->data, book->data_count, *data, record);

	if (!record_ok(record) || !n)
		return;
	if (n <= book->data_count) {
		if (record->loading)
			*data = fault_data_ref(book->data[n - 1]);
		return;
	}
	if (record->loading)
		load_data(data, record);
	else
		save_data(*data, record);
	if (*data && record_ok(record)) {
		if (append(&book->data, &book->data_count, *data))
			fault_data_ref(*data);
		else
			record_no_memory(record);
	}
}

/* ---- rules ------------------------------------------------------------- */

static void chain_record(struct fault_chain **chain, struct record *record)
{
	struct fault_chain *c;
	bool there = *chain;

	record_bool(record, &there);
	if (!there)
		return;
	if (record->loading) {
		*chain = fault_chain_create();
		if (!*chain) {
			record_no_memory(record);
			return;
		}
	}
	c = *chain;
	record_below(record, &c->count, FAULT_STATES_MAX + 1, "number of states");
	for (uint32_t i = 0; i < c->count; i++) {
		record_text(record, c->node[i].name, sizeof(c->node[i].name));
		record_u64(record, &c->node[i].mean_ns);
		for (uint32_t k = 0; k < FAULT_STATES_MAX; k++)
			record_u32(record, &c->node[i].to_ppb[k]);
	}
	if (record_ok(record) && fault_chain_check(c, NULL))
		record_refuse(record, "there are no such states");
}

static void filter_record(struct filter **filter, struct record *record)
{
	char text[FILTER_TEXT_BYTES_MAX + 1] = "";
	int err;

	if (!record->loading)
		memcpy(text, filter_text(*filter), strlen(filter_text(*filter)) + 1);
	record_text(record, text, sizeof(text));
	if (!record->loading || !record_ok(record))
		return;
	err = filter_compile(filter, text, NULL);
	if (err == -ENOMEM)
		record_no_memory(record);
	else if (err)
		record_refuse(record, "there is no such match");
}

/* Numbers by their size: all of one byte are truths, and texts are those of names. */
static void plain_record(void *at, uint16_t bytes, struct record *record)
{
	switch (bytes) {
	case 1:
		record_bool(record, at);
		return;
	case 4:
		record_u32(record, at);
		return;
	case 8:
		record_u64(record, at);
		return;
	case FAULT_NAME_BYTES:
		record_text(record, at, FAULT_NAME_BYTES);
		return;
	default: /* several numbers */
		ASSERT(bytes % 4 == 0);
		for (uint16_t i = 0; i < bytes / 4; i++)
			record_u32(record, (uint32_t *)at + i);
	}
}

static void word_record(const struct fault_word *word, struct fault_rule *rule,
			struct fault_book *book, struct record *record)
{
	for (size_t i = 0; i < WORD_FIELDS_MAX && word->fields[i].bytes; i++) {
		void *at = (char *)rule + word->fields[i].at;

		switch (word->fields[i].kind) {
		case FIELD_DATA:
			data_record(at, book, record);
			break;
		case FIELD_CHAIN:
			chain_record(at, record);
			break;
		case FIELD_FILTER:
			filter_record(at, record);
			break;
		case FIELD_PLAIN:
			plain_record(at, word->fields[i].bytes, record);
			break;
		}
	}
}

static bool is_kind(const struct fault_data *data, enum fault_data_kind kind)
{
	return !data || data->kind == kind;
}

/* What a table of that distribution is. */
static bool is_table(const struct fault_data *data, enum fault_distribution distribution)
{
	return is_kind(data, distribution == DIST_TRACE	    ? DATA_TRACE
			     : distribution == DIST_SAMPLES ? DATA_SAMPLES
							    : DATA_TABLE);
}

/* Before anybody reads it as what it is not. */
static void check_kinds(const struct fault_rule *rule, struct record *record)
{
	if (rule->loss_model > LOSS_EVERY || rule->corrupt_mode > CORRUPT_FCS ||
	    rule->queue > QUEUE_CODEL || rule->distribution > DIST_TRACE ||
	    rule->slot_distribution > DIST_TRACE)
		record_refuse(record, "there is no such model");
	else if (!is_kind(rule->loss_list, DATA_NUMBERS) ||
		 !is_kind(rule->corrupt_at, DATA_NUMBERS) ||
		 !is_kind(rule->capacity, DATA_CAPACITY) ||
		 !is_table(rule->table, rule->distribution) ||
		 !is_table(rule->slot_table, rule->slot_distribution))
		record_refuse(record, "its numbers are of another kind");
}

static bool is_given(const struct fault_word *word, const struct fault_rule *rule)
{
	static const struct fault_rule none;

	return !fault_word_same(word, rule, &none);
}

static void load_words(struct fault_rule *rule, struct fault_book *book,
		       struct record *record)
{
	for (;;) {
		char key[KEY_BYTES_MAX];
		const struct fault_word *word;

		record_text(record, key, sizeof(key));
		if (!record_ok(record) || !*key)
			return;
		word = fault_word_find(key);
		if (!word || is_given(word, rule))
			record_refuse(record, "%s: unknown, or given twice", key);
		else
			word_record(word, rule, book, record);
	}
}

static void save_words(struct fault_rule *rule, struct fault_book *book,
		       struct record *record)
{
	const struct fault_word *word;
	char key[KEY_BYTES_MAX];

	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++) {
		/* Another one has said it: `for` is `until`. */
		bool said = n && !memcmp(word->fields, fault_word_at(n - 1)->fields,
					 sizeof(word->fields));

		if (said || !is_given(word, rule))
			continue;
		ASSERT(strlen(word->key) < sizeof(key));
		memcpy(key, word->key, strlen(word->key) + 1);
		record_text(record, key, sizeof(key));
		word_record(word, rule, book, record);
	}
	*key = '\0';
	record_text(record, key, sizeof(key));
}

static void rule_record(struct fault_rule *rule, struct fault_book *book,
			struct record *record)
{
	record_text(record, rule->name, sizeof(rule->name));
	if (!record->loading) {
		save_words(rule, book, record);
		return;
	}
	load_words(rule, book, record);
	check_kinds(rule, record);
	if (record_ok(record))
		rule->name_number = rule_name_number(rule->name);
}

static void load_spec(struct fault_spec **out, struct fault_book *book,
		      struct record *record)
{
	uint32_t count = 1;
	struct fault_spec *spec;

	record_below(record, &count, FAULT_RULES_MAX + 1, "number of rules");
	if (record_ok(record) && !count)
		record_refuse(record, "no rule");
	spec = record_ok(record) ? fault_spec_create() : NULL;
	for (uint32_t i = 0; spec && i < count && record_ok(record); i++) {
		struct fault_rule *rule = &spec->rule[0];

		if (i && fault_spec_add(&spec, "", &rule, NULL))
			record_no_memory(record);
		else
			rule_record(rule, book, record);
		/* Rule 0 alone has no name, and no two have the same. */
		if (record_ok(record) && (*rule->name != 0) != (i > 0))
			record_refuse(record, "rule %u has the name '%s'", i, rule->name);
		else if (record_ok(record) && fault_spec_rule(spec, rule->name) != rule)
			record_refuse(record, "two rules of the name %s", rule->name);
	}
	if (record_ok(record) && !spec)
		record_no_memory(record);
	if (record_ok(record) && fault_spec_check(spec, NULL))
		record_refuse(record, "there is no such fault");
	if (!record_ok(record)) {
		fault_spec_free(spec);
		spec = NULL;
	}
	*out = spec;
}

static void save_spec(struct fault_spec *spec, struct fault_book *book,
		      struct record *record)
{
	record_u32(record, &spec->count);
	for (uint32_t i = 0; i < spec->count; i++)
		rule_record(&spec->rule[i], book, record);
}

void fault_spec_record(struct fault_spec **spec, struct fault_book *book,
		       struct record *record)
{
	uint32_t n;

	if (record->loading)
		*spec = NULL;
	n = which(book->specs, book->spec_count, *spec, record);
	if (!record_ok(record) || !n)
		return;
	if (n <= book->spec_count) {
		if (record->loading)
			*spec = fault_spec_ref(book->specs[n - 1]);
		return;
	}
	if (record->loading)
		load_spec(spec, book, record);
	else
		save_spec(*spec, book, record);
	if (*spec && record_ok(record)) {
		if (append(&book->specs, &book->spec_count, *spec))
			fault_spec_ref(*spec);
		else
			record_no_memory(record);
	}
}

/* ---- states ------------------------------------------------------------ */

static void last_record(struct fault_last *last, struct record *record)
{
	record_u64(record, &last->bits);
	record_bool(record, &last->drawn);
}

static void cycle_record(struct fault_cycle_state *cycle, struct record *record)
{
	record_u64(record, &cycle->n);
	record_u64(record, &cycle->end_ns);
	record_bool(record, &cycle->begun);
}

static void line_record(struct fault_line *line, struct record *record)
{
	record_u64(record, &line->free_ns);
	record_u64(record, &line->free_rest);
	record_u64(record, &line->rate_bps);
	record_u64(record, &line->bytes);
	record_u32(record, &line->frames);
	record_u32(record, &line->front_bytes);
	record_u64(record, &line->average);
	record_u64(record, &line->idle_ns);
	record_u32(record, &line->since_drop);
	record_bool(record, &line->dropping);
	record_below(record, &line->drops, UINT32_MAX, "drops"); /* one more is counted */
	record_u32(record, &line->drops_before);
	record_u64(record, &line->above_ns);
	record_u64(record, &line->drop_next_ns);
	record_u64(record, &line->slot_ns);
	record_u64(record, &line->slot_next_ns);
	record_u64(record, &line->slot_no);
	record_u32(record, &line->slot_frames);
	record_u32(record, &line->slot_bytes);
	record_u64(record, &line->opportunity);
	record_u32(record, &line->left_bytes);
	record_u64(record, &line->left_ns);
	record_bool(record, &line->by_trace);
	record_bool(record, &line->restart);
	record_bool(record, &line->held);
	record_u64(record, &line->opened_ns);
}

/* Who adds a field names it here, too, and raises the version of what is saved. */
#if UINTPTR_MAX > UINT32_MAX
_Static_assert(sizeof(struct fault_rule_state) == 408, "all of its fields are below");
#endif

static void rule_state_record(struct fault_rule_state *state,
			      const struct fault_rule *rule, struct record *record)
{
	uint32_t nodes = rule->states ? rule->states->count : FAULT_STATES_MAX;
	uint32_t at = state->states.at, chain = state->chain;

	record_u64(record, &state->seen);
	record_u64(record, &state->loss_from);
	record_u64(record, &state->trace_from);
	record_u64(record, &state->drop_from);
	cycle_record(&state->when, record);
	cycle_record(&state->flap, record);
	cycle_record(&state->clog, record);
	record_u64(record, &state->states.n);
	record_u64(record, &state->states.end_ns);
	record_below(record, &at, nodes, "state");
	state->states.at = (uint8_t)at;
	record_bool(record, &state->states.begun);
	record_below(record, &chain, 5, "state");
	state->chain = (uint8_t)chain;
	last_record(&state->loss, record);
	last_record(&state->duplicate, record);
	last_record(&state->corrupt, record);
	last_record(&state->reorder, record);
	last_record(&state->jitter, record);
	record_u32(record, &state->since_reorder);
	record_u64(record, &state->last_due_ns);
	line_record(&state->line, record);
}

void fault_state_record(struct fault_state *state, const struct fault_spec *spec,
			struct record *record)
{
	ASSERT(state->count == spec->count);
	for (uint32_t i = 0; i < state->count; i++)
		rule_state_record(&state->rule[i], &spec->rule[i], record);
}

void fault_note_record(struct fault_note *note, struct record *record)
{
	char name[FAULT_NAME_BYTES] = "";
	uint32_t kind = note->kind;

	if (!record->loading)
		memcpy(name, rule_name_text(note->rule),
		       strlen(rule_name_text(note->rule)) + 1);
	record_below(record, &kind, NOTE_KINDS, "note");
	note->kind = (uint8_t)kind;
	record_u8(record, &note->step);
	record_text(record, name, sizeof(name));
	record_u32(record, &note->a);
	record_u32(record, &note->b);
	if (record->loading)
		note->rule = record_ok(record) ? rule_name_number(name) : 0;
}
