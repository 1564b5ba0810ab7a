/* SPDX-License-Identifier: MIT */
#include "cli/ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { UI_TEXT_BYTES_MAX = 4096 };

static bool colour[3]; /* by descriptor; 0 unused */
static int output_error; /* of stdout, as far as it was seen */
static struct {
	bool wanted, printed;
	char error[UI_TEXT_BYTES_MAX]; /* the first */
} json_mode;

void ui_setup(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	bool wanted = !(no && *no) && term && strcmp(term, "dumb");

	colour[STDOUT_FILENO] = wanted && isatty(STDOUT_FILENO);
	colour[STDERR_FILENO] = wanted && isatty(STDERR_FILENO);
}

const char *ui_paint(FILE *out, enum paint paint)
{
	static const char *const codes[] = {
		[PAINT_OFF] = "\033[0m",    [PAINT_BOLD] = "\033[1m",
		[PAINT_DIM] = "\033[2m",    [PAINT_RED] = "\033[31m",
		[PAINT_GREEN] = "\033[32m", [PAINT_YELLOW] = "\033[33m",
	};
	int fd = fileno(out);

	if (fd < 0 || fd > STDERR_FILENO || !colour[fd])
		return "";
	return codes[paint];
}

static void say(const char *word, enum paint paint, const char *fmt, va_list ap)
{
	char text[UI_TEXT_BYTES_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	ui_flush(stdout);
	if (word)
		fprintf(stderr, "%s%s%s", ui_paint(stderr, paint), word,
			ui_paint(stderr, PAINT_OFF));
	ui_safe(stderr, text, true);
	fputc('\n', stderr);
}

void ui_error(const char *fmt, ...)
{
	va_list ap;

	if (!*json_mode.error) {
		va_start(ap, fmt);
		vsnprintf(json_mode.error, sizeof(json_mode.error), fmt, ap);
		va_end(ap);
	}
	va_start(ap, fmt);
	say("netlab: ", PAINT_RED, fmt, ap);
	va_end(ap);
}

void ui_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("netlab: warning: ", PAINT_YELLOW, fmt, ap);
	va_end(ap);
}

void ui_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, PAINT_OFF, fmt, ap);
	va_end(ap);
}

void ui_safe(FILE *out, const char *text, bool lines)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (lines && (c == '\n' || c == '\t'))
			fputc(c, out);
		else if (lines && c == '\r' && text[1] == '\n')
			continue;
		else if (c < 0x20 || c == 0x7f)
			fputc('?', out);
		else if (c == 0xc2 && (unsigned char)text[1] >= 0x80 &&
			 (unsigned char)text[1] < 0xa0)
			fputc('?', out), text++; /* the same controls, in UTF-8 */
		else
			fputc(c, out);
	}
}

void *ui_need(void *p)
{
	if (p)
		return p;
	ui_error("out of memory");
	exit(EXIT_FAILURE);
}

void ui_tail(const char *text, int lines)
{
	const char *start = text + strlen(text);

	while (start > text && (start[-1] != '\n' || lines-- > 0))
		start--;
	fputs(ui_paint(stderr, PAINT_DIM), stderr);
	while (*start) {
		size_t n = strcspn(start, "\n");
		cleanup_free char *one = ui_need(strndup(start, n));

		fputs("  | ", stderr);
		ui_safe(stderr, one, false);
		fputc('\n', stderr);
		start += n + (start[n] == '\n');
	}
	fputs(ui_paint(stderr, PAINT_OFF), stderr);
}

void ui_json(const json_t *json)
{
	json_mode.printed = true;
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

void ui_json_line(const json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
}

void ui_json_wanted(void)
{
	json_mode.wanted = true;
}

void ui_json_end(int status)
{
	char fallback[64];
	json_t *failed;

	if (!json_mode.wanted || !status || json_mode.printed)
		return;
	snprintf(fallback, sizeof(fallback), "it ended with status %d", status);
	failed = json_pack("{s:b, s:o}", "ok", 0, "error",
			   text_json_z(*json_mode.error ? json_mode.error : fallback));
	ui_json_line(failed);
	json_decref(failed);
}

/* What is said about a stream after the first failure explains nothing. */
bool ui_flush(FILE *out)
{
	if (fflush(out) && out == stdout && !output_error)
		output_error = -errno;
	return out != stdout || !ui_is_broken();
}

bool ui_is_broken(void)
{
	return output_error || ferror(stdout);
}

int ui_output_error(void)
{
	/* A buffer that was full had to be written in between: its error is not known. */
	if (!ui_flush(stdout) && !output_error)
		output_error = -EIO;
	return output_error;
}

const char *ui_duration(char *text, size_t bytes, uint64_t ns)
{
	uint64_t ms = ns / 1000000, s = ms / 1000;

	if (ms < 1000)
		snprintf(text, bytes, "%u ms", (unsigned)ms);
	else if (s < 60)
		snprintf(text, bytes, "%u.%u s", (unsigned)s,
			 (unsigned)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(text, bytes, "%u min %u s", (unsigned)(s / 60),
			 (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(text, bytes, "%u h %u min", (unsigned)(s / 3600),
			 (unsigned)(s / 60 % 60));
	else
		snprintf(text, bytes, "%llu d %u h", (unsigned long long)(s / 86400),
			 (unsigned)(s / 3600 % 24));
	return text;
}

void ui_slow(const char *why)
{
	static char said[1024];

	if (!why || !strncmp(said, why, sizeof(said) - 1))
		return;
	snprintf(said, sizeof(said), "%s", why);
	ui_warning("%s", why);
}
