/* SPDX-License-Identifier: MIT */
#include "topology/read_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/strmap.h"
#include "base/utf8.h"

struct reader {
	struct arena *arena;
	struct diagnostics *diags;
	const char *text;
	size_t size, at;
	struct tree_place place; /* of text[at] */
	struct tree *inside;	 /* the array or object being read, for paths */
	const char *key;	 /* of the member being read */
	size_t values;
	unsigned depth;
};

static struct tree *read_value(struct reader *r);

static int peek(const struct reader *r)
{
	return r->at < r->size ? (unsigned char)r->text[r->at] : EOF;
}

static void skip(struct reader *r)
{
	unsigned char c = (unsigned char)r->text[r->at++];

	if (c == '\n') {
		r->place.line++;
		r->place.column = 1;
	} else if ((c & 0xc0) != 0x80) {
		r->place.column++;
	}
}

static void skip_blanks(struct reader *r)
{
	int c;

	while ((c = peek(r)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		skip(r);
}

/* What stands here, for "expected ..., found ...". */
static const char *found(const struct reader *r, char text[32])
{
	int c = peek(r);

	if (c == EOF)
		snprintf(text, 32, "the end of the file");
	else if (c > ' ' && c < 127)
		snprintf(text, 32, "'%c'", c);
	else
		snprintf(text, 32, "byte 0x%02x", (unsigned)c);
	return text;
}

static struct tree *refuse(struct reader *r, const char *expected)
{
	char text[32];

	if (peek(r) == '/')
		complain_place(r->diags, r->place, r->inside,
			       "expected %s; JSON has no comments (a key that begins "
			       "with x- may hold a note)",
			       expected);
	else
		complain_place(r->diags, r->place, r->inside, "expected %s, found %s",
			       expected, found(r, text));
	return NULL;
}

/* Four hexadecimal digits behind \u. */
static int read_hex4(struct reader *r, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++) {
		int c = peek(r);
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0) {
			refuse(r, "four hexadecimal digits after \\u");
			return -EINVAL;
		}
		*code = 16 * *code + (uint32_t)digit;
		skip(r);
	}
	return 0;
}

/* Behind "\u". */
static int read_unicode(struct reader *r, uint32_t *code)
{
	struct tree_place at = r->place;
	uint32_t low = 0;

	if (read_hex4(r, code))
		return -EINVAL;
	if (!*code) {
		complain_place(r->diags, at, r->inside, "\\u0000 cannot be in a string");
		return -EINVAL;
	}
	if (*code < 0xd800 || *code > 0xdfff)
		return 0;
	if (*code < 0xdc00 && peek(r) == '\\') {
		skip(r);
		if (peek(r) == 'u') {
			skip(r);
			if (read_hex4(r, &low))
				return -EINVAL;
		}
	}
	if (low < 0xdc00 || low > 0xdfff) {
		complain_place(r->diags, at, r->inside, "half of a surrogate pair");
		return -EINVAL;
	}
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

/* Behind a backslash; writes what it stands for, and returns how many bytes that
 * is or -EINVAL. */
static int read_escape(struct reader *r, char out[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known;
	uint32_t code;
	int c = peek(r);

	if (c == 'u') {
		skip(r);
		if (read_unicode(r, &code))
			return -EINVAL;
		return (int)utf8_encode(out, code);
	}
	known = c > 0 ? strchr(from, c) : NULL;
	if (!known) {
		refuse(r, "one of \" \\ / b f n r t u after a backslash");
		return -EINVAL;
	}
	*out = to[known - from];
	skip(r);
	return 1;
}

static int refuse_in_string(struct reader *r, struct tree_place start)
{
	int c = peek(r);

	if (c == EOF || c == '\n')
		complain_place(r->diags, start, r->inside, "this string has no end");
	else if (c < ' ')
		complain_place(r->diags, r->place, r->inside,
			       "control character 0x%02x in a string: write \\u%04x",
			       (unsigned)c, (unsigned)c);
	else
		complain_place(r->diags, r->place, r->inside,
			       "byte 0x%02x is not valid UTF-8", (unsigned)c);
	return -EINVAL;
}

/* At the opening quote. */
static int read_string(struct reader *r, const char **out)
{
	struct tree_place start = r->place;
	size_t from = r->at + 1, end = from, used = 0;
	char *text;

	/* No escape makes a string longer than it is written. */
	while (end < r->size && r->text[end] != '"' && r->text[end] != '\n')
		end += r->text[end] == '\\' ? 2 : 1;
	text = arena_alloc(r->arena, (end < r->size ? end : r->size) - from + 1);
	skip(r);
	while (peek(r) != '"') {
		int c = peek(r);
		size_t bytes =
			c == EOF ? 0 : utf8_char_bytes(r->text + r->at, r->size - r->at);

		if (!bytes || c < ' ')
			return refuse_in_string(r, start);
		if (c == '\\') {
			int escaped;

			skip(r);
			escaped = read_escape(r, text + used);
			if (escaped < 0)
				return escaped;
			used += (size_t)escaped;
			continue;
		}
		for (; bytes; bytes--) {
			text[used++] = r->text[r->at];
			skip(r);
		}
	}
	skip(r);
	*out = text;
	return 0;
}

static size_t skip_digits(struct reader *r)
{
	size_t count = 0;

	for (; peek(r) >= '0' && peek(r) <= '9'; count++)
		skip(r);
	return count;
}

static struct tree *read_number(struct reader *r)
{
	struct tree *value = tree_new(r->arena, TREE_INTEGER, r->place);
	size_t from = r->at, digits_from;
	size_t digits;

	if (peek(r) == '-')
		skip(r);
	digits_from = r->at;
	digits = skip_digits(r);
	if (!digits)
		return refuse(r, "a digit");
	if (digits > 1 && r->text[digits_from] == '0') {
		complain_place(r->diags, value->at, r->inside,
			       "a number must not begin with 0");
		return NULL;
	}
	if (peek(r) == '.') {
		value->type = TREE_NUMBER;
		skip(r);
		if (!skip_digits(r))
			return refuse(r, "a digit after the point");
	}
	if (peek(r) == 'e' || peek(r) == 'E') {
		value->type = TREE_NUMBER;
		skip(r);
		if (peek(r) == '+' || peek(r) == '-')
			skip(r);
		if (!skip_digits(r))
			return refuse(r, "a digit of the exponent");
	}
	value->text = arena_strndup(r->arena, r->text + from, r->at - from);
	if (value->type == TREE_INTEGER) {
		errno = 0;
		value->integer = strtoll(value->text, NULL, 10);
		if (errno)
			value->type = TREE_NUMBER;
	}
	return value;
}

static struct tree *read_word(struct reader *r)
{
	static const struct {
		const char *word;
		enum tree_type type;
	} words[] = { { "true", TREE_BOOL },
		      { "false", TREE_BOOL },
		      { "null", TREE_NULL } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t size = strlen(words[i].word);
		struct tree *value;

		if (r->size - r->at < size ||
		    memcmp(r->text + r->at, words[i].word, size))
			continue;
		value = tree_new(r->arena, words[i].type, r->place);
		value->boolean = i == 0;
		while (size--)
			skip(r);
		return value;
	}
	if (peek(r) == '\'')
		return refuse(r, "a value (strings stand in double quotes)");
	return refuse(r, "a value");
}

/* Behind an item or member: 1 another follows, 0 that was the last, or -EINVAL. */
static int read_comma(struct reader *r, char closing)
{
	char expected[64];

	skip_blanks(r);
	if (peek(r) == closing) {
		skip(r);
		return 0;
	}
	if (peek(r) != ',') {
		snprintf(expected, sizeof(expected), "',' or '%c'", closing);
		refuse(r, expected);
		return -EINVAL;
	}
	skip(r);
	skip_blanks(r);
	if (peek(r) == closing) {
		complain_place(r->diags, r->place, r->inside,
			       "a comma before '%c': take it out", closing);
		return -EINVAL;
	}
	return 1;
}

static struct tree *read_array(struct reader *r, struct tree *array)
{
	int more = 1;

	skip(r);
	skip_blanks(r);
	if (peek(r) == ']') {
		skip(r);
		return array;
	}
	while (more > 0) {
		struct tree *item = read_value(r);

		if (!item)
			return NULL;
		tree_append(array, item);
		more = read_comma(r, ']');
	}
	return more < 0 ? NULL : array;
}

/* One "key": value.  A key that is there already is reported and left out. */
static int read_member(struct reader *r, struct tree *object, struct strmap *seen)
{
	struct tree_place at = r->place;
	struct tree *member, *first;
	const char *key;
	long old;

	if (peek(r) != '"') {
		refuse(r, "a key in double quotes");
		return -EINVAL;
	}
	if (read_string(r, &key))
		return -EINVAL;
	skip_blanks(r);
	if (peek(r) != ':') {
		refuse(r, "':' after the key");
		return -EINVAL;
	}
	skip(r);
	r->key = key;
	member = read_value(r);
	if (!member)
		return -EINVAL;
	member->key = key;
	member->key_at = at;
	old = strmap_add(seen, key, (size_t)member);
	if (old == STRMAP_NONE) {
		tree_append(object, member);
		return 0;
	}
	first = (struct tree *)old;
	member->parent = object;
	complain_key(r->diags, member, NULL, "duplicate key; the first one is at %u:%u",
		     first->key_at.line, first->key_at.column);
	return 0;
}

static struct tree *read_object(struct reader *r, struct tree *object)
{
	struct strmap seen = { 0 };
	int more = 1;

	skip(r);
	skip_blanks(r);
	if (peek(r) == '}') {
		skip(r);
		return object;
	}
	while (more > 0) {
		more = read_member(r, object, &seen);
		if (!more)
			more = read_comma(r, '}');
	}
	strmap_free(&seen);
	return more < 0 ? NULL : object;
}

static struct tree *read_inside(struct reader *r, bool is_object)
{
	struct tree *outer = r->inside;
	struct tree *value;

	if (r->depth == READ_JSON_DEPTH_MAX) {
		complain_place(r->diags, r->place, r->inside,
			       "nested more than %d levels deep", READ_JSON_DEPTH_MAX);
		return NULL;
	}
	value = tree_new(r->arena, is_object ? TREE_OBJECT : TREE_ARRAY, r->place);
	/* The path of an error inside needs to know where this is going to be. */
	value->parent = outer;
	if (outer && outer->type == TREE_OBJECT)
		value->key = r->key;
	r->depth++;
	r->inside = value;
	value = is_object ? read_object(r, value) : read_array(r, value);
	r->inside = outer;
	r->depth--;
	return value;
}

static struct tree *read_value(struct reader *r)
{
	struct tree *value;
	int c;

	skip_blanks(r);
	c = peek(r);
	if (++r->values > READ_JSON_VALUES_MAX) {
		complain_place(r->diags, r->place, r->inside, "more than %d values",
			       READ_JSON_VALUES_MAX);
		return NULL;
	}
	if (c == '{' || c == '[')
		return read_inside(r, c == '{');
	if (c == '"') {
		value = tree_new(r->arena, TREE_STRING, r->place);
		return read_string(r, &value->text) ? NULL : value;
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r);
	return read_word(r);
}

struct tree *read_json(struct arena *arena, const char *text, size_t size,
		       uint32_t source, struct diagnostics *diags)
{
	struct reader r = { .arena = arena,
			    .diags = diags,
			    .text = text,
			    .size = size,
			    .place = { source, 1, 1 } };
	struct tree *root;

	if (size > READ_JSON_BYTES_MAX) {
		complain_place(diags, r.place, NULL, "larger than %d MiB",
			       READ_JSON_BYTES_MAX >> 20);
		return NULL;
	}
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		complain_place(diags, r.place, NULL,
			       "begins with a byte-order mark: save the file as UTF-8 "
			       "without one");
		return NULL;
	}
	root = read_value(&r);
	if (!root)
		return NULL;
	skip_blanks(&r);
	if (r.at < r.size)
		return refuse(&r, "nothing after the document");
	return root;
}
