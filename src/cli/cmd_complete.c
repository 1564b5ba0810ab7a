/* SPDX-License-Identifier: MIT */
/* `netlab completion SHELL` prints a script; the script asks `netlab __complete`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/labref.h"
#include "cli/ui.h"

enum { ASK_MS = 500 };

static const char bash_script[] =
	"# netlab completion for bash: source <(netlab completion bash)\n"
	"_netlab()\n"
	"{\n"
	"	local line cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\\n'\n"
	"	COMPREPLY=()\n"
	"	while IFS=$'\\t' read -r line _; do\n"
	"		case $line in\n"
	"		:files) compopt -o filenames; COMPREPLY+=($(compgen -f -- "
	"\"$cur\"));;\n"
	"		:folders) compopt -o filenames; COMPREPLY+=($(compgen -d -- "
	"\"$cur\"));;\n"
	"		*[=:]) compopt -o nospace; COMPREPLY+=(\"$line\");;\n"
	"		*) COMPREPLY+=(\"$line\");;\n"
	"		esac\n"
	"	done < <(\"${COMP_WORDS[0]}\" __complete bash "
	"\"${COMP_WORDBREAKS//[^=:]/}\" \\\n"
	"		\"${COMP_LINE:0:COMP_POINT}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _netlab netlab\n";

static const char zsh_script[] =
	"#compdef netlab\n"
	"# netlab completion for zsh: source <(netlab completion zsh), after compinit\n"
	"_netlab()\n"
	"{\n"
	"	local word brief\n"
	"	local -a plain open_ended plain_brief open_brief\n"
	"	while IFS=$'\\t' read -r word brief; do\n"
	"		case $word in\n"
	"		:files) _files;;\n"
	"		:folders) _files -/;;\n"
	"		*[=:]) open_ended+=(\"$word\"); open_brief+=(\"$word  "
	"$brief\");;\n"
	"		*) plain+=(\"$word\"); plain_brief+=(\"$word  $brief\");;\n"
	"		esac\n"
	"	done < <(\"${words[1]}\" __complete zsh '' \"${LBUFFER}\" 2>/dev/null)\n"
	"	(( $#plain )) && compadd -l -d plain_brief -a plain\n"
	"	(( $#open_ended )) && compadd -S '' -l -d open_brief -a open_ended\n"
	"	return 0\n"
	"}\n"
	"compdef _netlab netlab\n";

static const char fish_script[] =
	"# netlab completion for fish: netlab completion fish | source\n"
	"function __netlab_complete\n"
	"	set -l line (commandline -cp)\n"
	"	for one in (netlab __complete fish '' \"$line\" 2>/dev/null)\n"
	"		switch $one\n"
	"			case ':files*'\n"
	"				__fish_complete_path (commandline -ct)\n"
	"			case ':folders*'\n"
	"				__fish_complete_directories (commandline -ct)\n"
	"			case '*'\n"
	"				printf '%s\\n' $one\n"
	"		end\n"
	"	end\n"
	"end\n"
	"complete -c netlab -f -a '(__netlab_complete)'\n";

int cmd_completion(struct command_call *call)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = { { "bash", bash_script },
			{ "zsh", zsh_script },
			{ "fish", fish_script } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scripts); i++)
		if (!strcmp(call->argv[0], scripts[i].shell)) {
			fputs(scripts[i].script, stdout);
			return STATUS_DONE;
		}
	ui_error("completion: there is one for bash, zsh and fish, not for \"%s\"",
		 call->argv[0]);
	return STATUS_USAGE;
}

static void add_once(struct nodes *list, const char *word)
{
	if (word && node_set_find(list, word, strlen(word)) < 0)
		node_set_add(list, word, NULL);
}

/* Networks are targets, too: the `link` of their members' directions. */
static void facts_of(struct complete_facts *facts, const json_t *inspect,
		     const char *node)
{
	const json_t *one, *part;
	const char *name;
	size_t i, k;

	json_array_foreach(json_object_get(inspect, "nodes"), i, one)
	{
		name = json_string_value(json_object_get(one, "name"));
		add_once(&facts->nodes, name);
		json_array_foreach(json_object_get(one, "ports"), k, part) add_once(
			&facts->ports, json_string_value(json_object_get(part, "name")));
		if (!node || !name || strcmp(node, name))
			continue;
		json_array_foreach(json_object_get(one, "services"), k, part)
			add_once(&facts->services,
				 json_string_value(json_object_get(part, "name")));
		add_once(&facts->services, "console");
	}
	json_array_foreach(json_object_get(inspect, "partitions"), i, one)
		add_once(&facts->partitions,
			 json_string_value(json_object_get(one, "name")));
	json_array_foreach(json_object_get(inspect, "directions"), i, one)
		add_once(&facts->links, json_string_value(json_object_get(one, "link")));
}

static void ask_lab(struct complete_facts *facts, const char *lab, const char *node)
{
	cleanup_free struct state_info *labs = NULL;
	struct client *client = NULL;
	struct state_info one;
	json_t *answer = NULL;
	size_t count = 0, i;

	if (!state_list(&labs, &count, NULL))
		for (i = 0; i < count; i++)
			add_once(&facts->labs, labs[i].name);
	if (!lab)
		lab = getenv("NETLAB_LAB");
	if (lab && !*lab)
		lab = NULL;
	if (labref_find(&one, lab, true, NULL) || labref_connect(one.name, &client, NULL))
		return;
	if (!client_call(client, "inspect", NULL, ASK_MS, &answer, NULL))
		facts_of(facts, answer, node);
	json_decref(answer);
	client_free(client);
}

static void print(void *ctx, const char *word, const char *brief)
{
	(void)ctx;
	ui_safe(stdout, word, false);
	if (*brief)
		printf("\t%s", brief);
	putchar('\n');
}

int cmd_complete(struct command_call *call)
{
	complete_line(call->argv[2], call->argv[1], ask_lab,
		      &(struct complete_sink){ .offer = print });
	return STATUS_DONE;
}
