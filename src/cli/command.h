/* SPDX-License-Identifier: MIT */
/* command.h - the table of commands, and one call of one of them
 *
 * Everything that a user can type is a row of commands[].  The parser (args.h),
 * usage and help (help.h), completion (complete.h) and the COMMANDS section of
 * netlab(1) read the same rows, so they cannot disagree.
 *
 * Life of a call: args_parse() fills it from argv; main finds and connects the lab
 * if the command needs one; run() does the work and prints; call_free().
 *
 * Errors:    run() prints its own and returns an enum status; `exec` and `shell`
 *            return the status of the command in the machine.
 * Ownership: argv and option values are borrowed from main's argv.
 * Threads:   one.
 */
#ifndef NL_CLI_COMMAND_H
#define NL_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct client;

/* The exit status of netlab. */
enum status { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/* What a word on the command line can be completed to. */
enum complete {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_FOLDER,
	COMPLETE_LAB,
	COMPLETE_NODE,
	COMPLETE_NODES,	    /* n1,n2 or all */
	COMPLETE_TARGET,    /* of a fault: link, A--B */
	COMPLETE_CAPTURE,   /* link, NODE:IF, all */
	COMPLETE_PATH,	    /* file here or NODE: */
	COMPLETE_FAULT,	    /* delay=, loss=, ... */
	COMPLETE_FAULT_KEY, /* delay, loss, ... */
	COMPLETE_SERVICE,   /* of the node before it */
	COMPLETE_COMMAND,
	COMPLETE_SHELL, /* bash, zsh, fish */
	COMPLETE_PARTITION,  /* a kind, or sides */
	COMPLETE_PARTITIONS, /* the names of those in force */
	COMPLETE_KERNEL, /* a name that `kernel ls` prints, or a file */
	COMPLETE_CLOCK, /* real, virtual */
	COMPLETE_PACE,	/* max, 1 */
	COMPLETE_NODE_CLOCK, /* offset=, step=, drift= */
};

struct option_spec {
	char letter;	   /* 0: none */
	const char *name;  /* NULL ends a list */
	const char *value; /* NULL: the option takes none */
	const char *brief;
	enum complete complete;
	bool many; /* may be given more than once */
};

enum {
	NEED_LAB = 1 << 0,   /* a running lab, found and connected before run() */
	TAKES_LAB = 1 << 1,  /* -l is allowed, though run() finds the lab itself */
	TAKES_JSON = 1 << 2, /* prints data, so it also prints it as JSON */
	HIDDEN = 1 << 3,     /* in no list */
};

struct command_call;

struct command {
	const char *name;  /* "fault set": two words are one command of a family */
	const char *args;  /* synopsis of what follows the options */
	const char *brief; /* one line, imperative, no full stop */
	const char *more;  /* paragraphs, separated by empty lines; NULL: none */
	const struct option_spec *options; /* NULL: none of its own */
	int args_min, args_max;		   /* args_max -1: any number */
	int raw_after; /* words after this many are a command of the user's; 0: none */
	unsigned flags;
	enum complete complete[2]; /* of the first word; of the others */
	int (*run)(struct command_call *call);
};

extern const struct command commands[];
extern const size_t command_count;
extern const struct option_spec options_of_all[]; /* -l, --json, --help, ... */

/* The row for one or two words; *used says how many were taken.  NULL: none. */
const struct command *command_find(int argc, char *const *argv, int *used);
/* Is there any command whose first word this is? */
bool command_family(const char *word);
/* May this command be called with this option of options_of_all? */
bool command_takes(const struct command *command, const struct option_spec *option);

struct given {
	const struct option_spec *spec;
	const char *value; /* NULL if it takes none */
};

struct command_call {
	const struct command *command;
	struct given *given;
	size_t given_count;
	int argc;
	char **argv; /* the words; NULL at the end */
	int raw;     /* argv[raw..] is the user's command; argc if there is none */
	bool json, help, version;
	const char *lab_wanted; /* -l or NETLAB_LAB; NULL: the only one */

	char lab[64];	       /* NEED_LAB: its name */
	struct client *client; /* NEED_LAB: connected */
};

/* Value of an option, NULL if it was not given ("" if it takes no value).
 * The last one counts where it can be given once only. */
const char *call_option(const struct command_call *call, const char *name);
/* All values of an option in order: start with *cursor 0; NULL at the end. */
const char *call_option_next(const struct command_call *call, const char *name, size_t *cursor);
void call_free(struct command_call *call);

/* One per cmd_*.c. */
int cmd_up(struct command_call *call);
int cmd_down(struct command_call *call);
int cmd_ps(struct command_call *call);
int cmd_inspect(struct command_call *call);
int cmd_exec(struct command_call *call);
int cmd_shell(struct command_call *call);
int cmd_console(struct command_call *call);
int cmd_cp(struct command_call *call);
int cmd_logs(struct command_call *call);
int cmd_events(struct command_call *call);
int cmd_fault_set(struct command_call *call);
int cmd_fault_clear(struct command_call *call);
int cmd_fault_ls(struct command_call *call);
int cmd_partition(struct command_call *call);
int cmd_partition_ls(struct command_call *call);
int cmd_heal(struct command_call *call);
int cmd_fidelity(struct command_call *call);
int cmd_matrix(struct command_call *call);
int cmd_clock(struct command_call *call);
int cmd_clock_pace(struct command_call *call);
int cmd_clock_pause(struct command_call *call);
int cmd_clock_resume(struct command_call *call);
int cmd_clock_step(struct command_call *call);
int cmd_clock_set(struct command_call *call);
int cmd_proc_kill(struct command_call *call);
int cmd_proc_stop(struct command_call *call);
int cmd_proc_cont(struct command_call *call);
int cmd_node_stop(struct command_call *call);
int cmd_node_kill(struct command_call *call);
int cmd_node_panic(struct command_call *call);
int cmd_node_start(struct command_call *call);
int cmd_node_restart(struct command_call *call);
int cmd_node_reset(struct command_call *call);
int cmd_node_pause(struct command_call *call);
int cmd_node_resume(struct command_call *call);
int cmd_clock_freeze(struct command_call *call);
int cmd_clock_thaw(struct command_call *call);
int cmd_capture(struct command_call *call);
int cmd_explain(struct command_call *call);
int cmd_replay_link(struct command_call *call);
int cmd_rerun(struct command_call *call);
int cmd_check(struct command_call *call);
int cmd_graph(struct command_call *call);
int cmd_doctor(struct command_call *call);
int cmd_kernel_build(struct command_call *call);
int cmd_kernel_ls(struct command_call *call);
int cmd_kernel_use(struct command_call *call);
int cmd_kernel_rm(struct command_call *call);
int cmd_completion(struct command_call *call);
int cmd_complete(struct command_call *call);
int cmd_help(struct command_call *call);
int cmd_man(struct command_call *call);
int cmd_version(struct command_call *call);

#endif
