/* SPDX-License-Identifier: MIT */
#include "agentproto/params.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A string that is being written, and whether it still fits. */
struct line {
	char *at;
	size_t left;
};

static bool put_char(struct line *line, char c)
{
	if (line->left < 2)
		return false;
	*line->at++ = c;
	*line->at = 0;
	line->left--;
	return true;
}

static bool put_text(struct line *line, const char *text)
{
	bool fits = true;

	while (*text && fits)
		fits = put_char(line, *text++);
	return fits;
}

static bool put_path(struct line *line, const char *path)
{
	static const char digits[] = "0123456789abcdef";
	bool fits = true;

	for (; *path && fits; path++) {
		unsigned char c = (unsigned char)*path;

		if (c > ' ' && c != '"' && c != '%' && c != 0x7f)
			fits = put_char(line, (char)c);
		else
			fits = put_char(line, '%') && put_char(line, digits[c >> 4]) &&
			       put_char(line, digits[c & 15]);
	}
	return fits;
}

int params_format(const struct params *params, char *out, size_t out_bytes,
		  struct why *why)
{
	struct line line = { .at = out, .left = out_bytes };
	bool fits = put_text(&line, "netlab.image=");

	if (params->image_kind == IMAGE_HOST)
		fits = fits && put_text(&line, "host");
	else if (params->image_kind == IMAGE_FILE)
		fits = fits && put_text(&line, "file");
	else
		fits = fits && put_text(&line, "dir:") && put_path(&line, params->image);
	if (params->modules[0])
		fits = fits && put_text(&line, " netlab.modules=") &&
		       put_path(&line, params->modules);
	if (params->lab[0])
		fits = fits && put_text(&line, " netlab.lab=") && put_path(&line, params->lab);
	if (!fits)
		return why_set(why, -ENAMETOOLONG,
			       "the kernel's command line would be too long: use shorter paths");
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The path of `size` characters at text, %XX resolved. */
static int read_path(const char *text, size_t size, char out[PARAMS_PATH_BYTES_MAX],
		     struct why *why)
{
	const char *end = text + size;
	size_t n = 0;

	for (const char *at = text; at < end; at++) {
		char c = *at;

		if (c == '%') {
			int high = end - at > 2 ? hex_digit(at[1]) : -1;
			int low = end - at > 2 ? hex_digit(at[2]) : -1;

			if (high < 0 || low < 0 || !(high | low))
				return why_set(why, -EINVAL, "bad %%XX in %.*s", (int)size, text);
			c = (char)(high << 4 | low);
			at += 2;
		}
		if (n + 1 >= PARAMS_PATH_BYTES_MAX)
			return why_set(why, -ENAMETOOLONG, "path of more than %d bytes",
				       PARAMS_PATH_BYTES_MAX - 1);
		out[n++] = c;
	}
	out[n] = 0;
	if (out[0] != '/')
		return why_set(why, -EINVAL, "%.*s is not an absolute path", (int)size, text);
	return 0;
}

static int read_image(const char *value, size_t size, struct params *out, struct why *why)
{
	if (size == 4 && !memcmp(value, "host", 4)) {
		out->image_kind = IMAGE_HOST;
		return 0;
	}
	if (size == 4 && !memcmp(value, "file", 4)) {
		out->image_kind = IMAGE_FILE;
		return 0;
	}
	if (size > 4 && !memcmp(value, "dir:", 4)) {
		out->image_kind = IMAGE_DIR;
		return read_path(value + 4, size - 4, out->image, why);
	}
	return why_set(why, -EINVAL, "%.*s is none of host, dir:PATH, file", (int)size, value);
}

/* One word "KEY=VALUE", the "netlab." already taken off. */
static int read_word(const char *word, size_t size, struct params *out, struct why *why)
{
	const char *equals = memchr(word, '=', size);
	size_t key = equals ? (size_t)(equals - word) : size;
	const char *value = equals ? equals + 1 : word + size;
	size_t value_size = size - (size_t)(value - word);

	if (key == 5 && !memcmp(word, "image", 5))
		return read_image(value, value_size, out, why);
	if (key == 7 && !memcmp(word, "modules", 7))
		return read_path(value, value_size, out->modules, why);
	if (key == 3 && !memcmp(word, "lab", 3))
		return read_path(value, value_size, out->lab, why);
	return why_set(why, -EINVAL, "not known; there are image, modules, lab");
}

int params_parse(const char *cmdline, struct params *out, struct why *why)
{
	static const char prefix[] = "netlab.";
	const size_t prefix_size = sizeof(prefix) - 1;

	*out = (struct params){ .image_kind = IMAGE_HOST };
	while (*cmdline) {
		size_t size = strcspn(cmdline, " \t\n");
		int err = 0;

		if (size > prefix_size && !memcmp(cmdline, prefix, prefix_size))
			err = read_word(cmdline + prefix_size, size - prefix_size, out, why);
		if (err)
			return why_wrap(why, err, "kernel parameter %.*s",
					(int)strcspn(cmdline, " \t\n="), cmdline);
		cmdline += size;
		cmdline += strspn(cmdline, " \t\n");
	}
	return 0;
}
