/* SPDX-License-Identifier: MIT */
/* Who can reach whom. */
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/fault_text.h"
#include "cli/ui.h"

enum { NAME_COLUMNS_MIN = 4 };

static int width(const json_t *names)
{
	const json_t *name;
	size_t i, widest = NAME_COLUMNS_MIN;

	json_array_foreach((json_t *)names, i,
			   name) if (json_string_length(name) > widest) widest =
		json_string_length(name);
	return (int)widest;
}

static void print_cell(const char *word, int columns, bool last)
{
	enum paint paint = !strcmp(word, "yes") ? PAINT_GREEN
			   : !strcmp(word, "-") ? PAINT_DIM
						: PAINT_RED;

	printf("%s%-*s%s", ui_paint(stdout, paint), last ? 0 : columns + 2, word,
	       ui_paint(stdout, PAINT_OFF));
}

static void print_matrix(const json_t *answer)
{
	const json_t *nodes = json_object_get(answer, "nodes"), *row;
	size_t count = json_array_size(nodes), i, k, reached = 0;
	int columns = width(nodes);

	printf("%*s", columns + 2, "");
	for (i = 0; i < count; i++)
		printf("%-*s", i + 1 == count ? 0 : columns + 2,
		       fault_word(json_array_get(nodes, i)));
	putchar('\n');
	json_array_foreach(json_object_get(answer, "reach"), i, row)
	{
		printf("%-*s", columns + 2, fault_word(json_array_get(nodes, i)));
		for (k = 0; k < count; k++) {
			const char *word =
				i == k ? "-" : fault_word(json_array_get(row, k));

			reached += i != k && !strcmp(word, "yes");
			print_cell(word, columns, k + 1 == count);
		}
		putchar('\n');
	}
	if (count > 1)
		printf("%zu of %zu ways are open\n", reached, count * (count - 1));
}

int cmd_matrix(struct call *call)
{
	json_t *answer = NULL;
	struct why why;

	if (client_call(call->client, "matrix", NULL, CLIENT_CALL_MS, &answer, &why)) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	json_object_del(answer, "id");
	json_object_del(answer, "ok");
	if (call->json)
		ui_json(answer);
	else
		print_matrix(answer);
	json_decref(answer);
	return STATUS_DONE;
}
