/* SPDX-License-Identifier: MIT */
#include "kernel/apt_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static const char *const releases[] = { "bullseye", "bookworm", "trixie", "forky",
					"duke",	    "sid",	NULL };
static const char *const aliases[] = { "oldoldstable", "oldstable", "stable", "testing",
				       "unstable" };

/* An entry, whichever form it had.  Each is a list of words. */
struct entry {
	const char *types, *uris, *suites, *components, *signed_by;
	bool off;
};

const char *const *apt_releases_from(const char *codename)
{
	size_t i = 0;

	while (releases[i + 1] && strcmp(releases[i], codename))
		i++;
	return &releases[i];
}

static const char *next_word(const char *at, size_t *length)
{
	at += strspn(at, " \t\n");
	*length = strcspn(at, " \t\n");
	return *length ? at : NULL;
}

static bool has_word(const char *words, const char *wanted)
{
	size_t length;

	while (words && (words = next_word(words, &length))) {
		if (length == strlen(wanted) && !memcmp(words, wanted, length))
			return true;
		words += length;
	}
	return false;
}

/* A release, its updates or its backports. */
static bool is_suite_of_debian(const char *word, size_t length)
{
	static const char *const more[] = { "-updates", "-backports" };

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		size_t end = strlen(more[i]);

		if (length > end && !memcmp(word + length - end, more[i], end))
			length -= end;
	}
	for (size_t i = 0; releases[i]; i++)
		if (length == strlen(releases[i]) && !memcmp(word, releases[i], length))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (length == strlen(aliases[i]) && !memcmp(word, aliases[i], length))
			return true;
	return false;
}

static bool has_suite_of_debian(const char *words)
{
	size_t length;

	while (words && (words = next_word(words, &length))) {
		if (is_suite_of_debian(words, length))
			return true;
		words += length;
	}
	return false;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text);

	while (length && text[length - 1] == '/')
		length--;
	return length >= strlen(end) &&
	       !memcmp(text + length - strlen(end), end, strlen(end));
}

/* Somebody else's archive may end in /debian, too, and then brings a key of its own. */
static int how_sure(const char *uri, const char *signed_by)
{
	if (!strstr(uri, "://") || !strncmp(uri, "cdrom:", 6) || strstr(uri, "security"))
		return 0;
	if (strstr(signed_by, "/debian-archive-"))
		return 3;
	if (!ends_in(uri, "/debian"))
		return 0;
	return *signed_by ? 1 : 2;
}

static void consider(const struct entry *e, struct apt_archive *best)
{
	struct apt_archive one = { .sure = 0 };
	const char *word = e->uris, *key;
	size_t length, key_length = 0;

	if (e->off || !has_word(e->types, "deb") || !has_word(e->components, "main") ||
	    !has_suite_of_debian(e->suites) || !word ||
	    !(word = next_word(word, &length)))
		return;
	/* A key can also stand there itself; then the system's keyring has to do. */
	key = e->signed_by ? next_word(e->signed_by, &key_length) : NULL;
	if (length >= sizeof(one.uri) || key_length >= sizeof(one.signed_by))
		return;
	memcpy(one.uri, word, length);
	if (key && *key == '/')
		memcpy(one.signed_by, key, key_length);
	one.sure = how_sure(one.uri, one.signed_by);
	if (one.sure > best->sure)
		*best = one;
}

/* ---- one line an entry --------------------------------------------------------------
 */

/* "[arch=amd64 signed-by=/x]": the value of signed-by, ended by a zero; and what
 * stands behind the bracket. */
static char *take_options(char *at, const char **signed_by)
{
	char *end, *option;

	at += strspn(at, " \t");
	if (*at != '[')
		return at;
	end = strchr(at, ']');
	if (!end)
		return at;
	*end = 0;
	option = strcasestr(at, "signed-by=");
	if (option) {
		option += strlen("signed-by=");
		option[strcspn(option, " \t,")] = 0;
		*signed_by = option;
	}
	return end + 1;
}

static void read_line(char *line, struct apt_archive *best)
{
	struct entry e = { .types = "deb" };
	char *word;

	line[strcspn(line, "#")] = 0;
	line += strspn(line, " \t");
	if (strncmp(line, "deb", 3) || !strchr(" \t", line[3]) || !line[3])
		return;
	line = take_options(line + 3, &e.signed_by);
	line += strspn(line, " \t");
	word = strsep(&line, " \t");
	e.uris = word;
	if (!line)
		return;
	line += strspn(line, " \t");
	e.suites = strsep(&line, " \t");
	e.components = line;
	consider(&e, best);
}

/* ---- paragraphs of fields -------------------------------------------------------------
 */

static void set_field(struct entry *e, const char *name, const char *value)
{
	if (!strcasecmp(name, "Types"))
		e->types = value;
	else if (!strcasecmp(name, "URIs"))
		e->uris = value;
	else if (!strcasecmp(name, "Suites"))
		e->suites = value;
	else if (!strcasecmp(name, "Components"))
		e->components = value;
	else if (!strcasecmp(name, "Signed-By"))
		e->signed_by = value;
	else if (!strcasecmp(name, "Enabled"))
		e->off = has_word(value, "no") || has_word(value, "false") ||
			 has_word(value, "0");
}

/* In place: a line that goes on is joined to the one before by a blank. */
static void join_lines(char *text)
{
	char *to = text;

	for (char *from = text; *from;) {
		char *end = from + strcspn(from, "\n");
		size_t length = (size_t)(end - from) + (*end == '\n');

		if (*from == '#') { /* also amid a field */
			from += length;
			continue;
		}
		if ((*from == ' ' || *from == '\t') && to > text &&
		    from[strspn(from, " \t")] != '\n')
			to[-1] = ' ';
		memmove(to, from, length);
		to += length;
		from += length;
	}
	*to = 0;
}

static void read_paragraphs(char *text, struct apt_archive *best)
{
	struct entry e = { 0 };
	char *line, *value;

	join_lines(text);
	while ((line = strsep(&text, "\n"))) {
		if (!line[strspn(line, " \t")]) {
			consider(&e, best);
			e = (struct entry){ 0 };
			continue;
		}
		value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = 0;
		set_field(&e, line, value);
	}
	consider(&e, best);
}

void apt_sources_read(const char *text, bool deb822, struct apt_archive *best)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy, *line;

	if (!copy)
		return;
	if (deb822)
		read_paragraphs(copy, best);
	while (!deb822 && (line = strsep(&rest, "\n")))
		read_line(line, best);
}
