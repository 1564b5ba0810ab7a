/* SPDX-License-Identifier: MIT */
/* Each decision on a frame's way. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/fault_text.h"
#include "cli/run_ref.h"
#include "cli/ui.h"

static void print_time(json_int_t ns)
{
	printf("%lld.%09lld s", (long long)(ns / 1000000000),
	       (long long)(ns % 1000000000));
}

static void print_draw(const json_t *draw)
{
	json_int_t copy = json_integer_value(json_object_get(draw, "copy"));

	printf("  draw  %-10s %11.7f %%", fault_word(json_object_get(draw, "what")),
	       json_real_value(json_object_get(draw, "percent")));
	if (json_object_get(draw, "rule"))
		printf("  rule %s", fault_word(json_object_get(draw, "rule")));
	if (copy)
		printf("  copy %" JSON_INTEGER_FORMAT, copy);
	putchar('\n');
}

static void print_step(const json_t *step, bool of_capture)
{
	const json_t *draw, *note;
	char fault[FAULT_TEXT_BYTES];
	size_t i;

	printf("\n%s", ui_paint(stdout, PAINT_BOLD));
	ui_safe(stdout, fault_word(json_object_get(step, "direction")), false);
	printf(" #%" JSON_INTEGER_FORMAT "%s\n",
	       json_integer_value(json_object_get(step, "number")),
	       ui_paint(stdout, PAINT_OFF));
	printf("  set   %s, since ",
	       fault_text_whole(fault, sizeof(fault), json_object_get(step, "fault")));
	print_time(json_integer_value(json_object_get(step, "since_ns")));
	printf("\n  key   %s\n", fault_word(json_object_get(step, "key")));
	json_array_foreach(json_object_get(step, "draws"), i, draw) print_draw(draw);
	json_array_foreach(json_object_get(step, "notes"), i, note)
		printf("  so    %s\n", fault_word(note));
	if (!json_array_size(json_object_get(step, "notes")))
		printf("  so    %s\n", of_capture
					     ? "nothing was done to it here"
					     : "the link's own words do nothing to it");
}

static void print_sight(const json_t *sight)
{
	printf("  ");
	print_time(json_integer_value(json_object_get(sight, "t")));
	printf("  %s at ", fault_word(json_object_get(sight, "what")));
	ui_safe(stdout, fault_word(json_object_get(sight, "port")), false);
	if (strcmp(fault_word(json_object_get(sight, "verdict")), "pass"))
		printf(" (%s)", fault_word(json_object_get(sight, "verdict")));
	if (json_string_length(json_object_get(sight, "comment"))) {
		printf(": ");
		ui_safe(stdout, fault_word(json_object_get(sight, "comment")), false);
	}
	putchar('\n');
}

static void print_all(const json_t *what, bool of_capture)
{
	const json_t *frame = json_object_get(what, "frame"), *one;
	size_t i;

	if (of_capture) {
		printf("frame %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
		       " bytes, entered at ",
		       json_integer_value(json_object_get(frame, "number")),
		       json_integer_value(json_object_get(frame, "bytes")));
		print_time(json_integer_value(json_object_get(frame, "t")));
		putchar('\n');
	}
	json_array_foreach(json_object_get(what, "steps"), i, one)
		print_step(one, of_capture);
	if (of_capture)
		printf("\nseen\n");
	json_array_foreach(json_object_get(what, "sights"), i, one) print_sight(one);
	if (!of_capture)
		ui_note("That is what the link's own words for loss, delay and copies make "
			"of its number. What queues, partitions, states and rules for "
			"certain frames did depends on when it came and what it is: -r "
			"CAPTURE shows it.");
}

int cmd_explain(struct command_call *call)
{
	const char *file = call_option(call, "read"), *wanted = call_option(call, "run");
	struct history history = { 0 };
	json_t *what = NULL;
	char path[PATH_MAX];
	uint64_t number;
	struct why why;
	int rc;

	if (units_parse_count(call->argv[1], &number, NULL)) {
		ui_error("explain: FRAME is a number, not \"%s\"", call->argv[1]);
		return STATUS_USAGE;
	}
	rc = run_ref_find(path, wanted ? wanted : call->lab_wanted, &why);
	if (!rc)
		rc = history_read(&history, path, &why);
	if (!rc && !whole_is(&history.whole))
		ui_warning("the record is incomplete: %s", history.whole.why.text);
	if (!rc && file)
		rc = explain_frame(&what, &history, call->argv[0], file, number, &why);
	else if (!rc)
		rc = explain_number(&what, &history, call->argv[0], number, &why);
	if (rc)
		ui_error("%s", why.text);
	else if (call->json)
		ui_json(what);
	else
		print_all(what, file != NULL);
	json_decref(what);
	history_free(&history);
	return rc ? STATUS_FAILED : STATUS_DONE;
}
