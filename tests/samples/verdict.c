/* SPDX-License-Identifier: MIT */
/* verdict.c - what the compiler says about each file named: "ok", or its
 * errors.  For check.py. */
#include <stdio.h>

#include "topology/compile.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct diagnostics diags = { .count = 0 };
		struct plan *plan;

		printf("== %s\n", argv[i]);
		if (topology_compile_file(argv[i], NULL, &plan, &diags))
			diagnostics_print(&diags, stdout);
		else
			puts("ok");
		plan_free(plan);
		diagnostics_free(&diags);
	}
	return 0;
}
