/* SPDX-License-Identifier: MIT */
/* The table.  Texts are in the present tense, briefs imperative without a full stop;
 * "more" is what the man page prints, too. */
#include "cli/command.h"

#include "base/cleanup.h"

/* clang-format off */
const struct option_spec options_of_all[] = {
	{'l', "lab", "LAB", "in this lab (default: $NETLAB_LAB, else the one that runs)",
	 COMPLETE_LAB, false},
	{0, "json", NULL, "print JSON", 0, false},
	{'h', "help", NULL, "say how the command is used", 0, false},
	{'V', "version", NULL, "print the version", 0, false},
	{0},
};

#define COMPILE_OPTIONS                                                                  \
	{'n', "name", "NAME", "the lab's name, instead of the file's", 0, false},        \
	{'s', "seed", "SEED", "the seed, instead of the file's", 0, false},              \
	{'S', "set", "KEY=VALUE", "put a value into the topology: defaults.memory=128M", \
	 0, true}

static const struct option_spec up_options[] = {
	COMPILE_OPTIONS,
	{'o', "out", "DIR", "where the run directory goes (default: netlab-runs beside FILE)",
	 COMPLETE_FOLDER, false},
	{'k', "kernel", "NAME|PATH", "the kernel of all machines, whatever the file says",
	 COMPLETE_KERNEL, false},
	{'t', "timeout", "TIME", "how long a machine may take to boot (default: 60s)", 0, false},
	{'C', "capture", "TARGET", "record a link, or all, from the first frame on: see capture",
	 COMPLETE_NOTHING, false},
	{0, "clock", "CLOCK", "real, or virtual: machines run in time that the lab gives them",
	 COMPLETE_CLOCK, false},
	{0, "pace", "PACE", "speed of virtual time: max, or a multiple of real time (default: 1 at "
	 "a terminal, else max)", COMPLETE_PACE, false},
	{0, "serial", NULL, "in virtual time: one machine at a time, with the same result", 0,
	 false},
	{0, "epoch", "DATE", "what day it is where virtual time begins, or now (default: "
	 "2026-01-01)", COMPLETE_NOTHING, false},
	{0, "guard", "TIME", "give up a machine that keeps virtual time from passing for so long, "
	 "by the host's clock (default: 30s)", 0, false},
	{0, "cost", "COST", "virtual time that work takes: syscall=300ns,switch=2us (default: "
	 "what rises by itself)", COMPLETE_NOTHING, false},
	{0},
};

static const struct option_spec down_options[] = {
	{'a', "all", NULL, "every lab of this user", 0, false},
	{'g', "graceful", NULL, "let services end and machines power off first", 0, false},
	{0},
};

static const struct option_spec exec_options[] = {
	{'e', "env", "NAME=VALUE", "set a variable (NAME alone: as it is here)", 0, true},
	{'w', "workdir", "DIR", "run in this folder of the machine (default: /)", 0, false},
	{'t', "tty", NULL, "give the command a terminal (one machine)", 0, false},
	{'i', "interactive", NULL, "read stdin, which is done anyway: -it is -t", 0, false},
	{'n', "no-stdin", NULL, "do not read stdin", 0, false},
	{0},
};

static const struct option_spec logs_options[] = {
	{'f', "follow", NULL, "go on as the log grows", 0, false},
	{0},
};

static const struct option_spec events_options[] = {
	{'f', "follow", NULL, "go on as things happen", 0, false},
	{0, "since", "N|TIME", "begin with event number N, or so long ago: 10s", 0, false},
	{0},
};

static const struct option_spec fault_set_options[] = {
	{0, "replace", NULL, "remove the link's other faults; without it they are kept", 0, false},
	{0},
};

static const struct option_spec fault_clear_options[] = {
	{'a', "all", NULL, "every fault of the lab", 0, false},
	{0},
};

static const struct option_spec partition_options[] = {
	{0, "name", "NAME", "what it is called (default: p1, p2, ...)", 0, false},
	{0, "one-way", NULL, "cut only from the first side to the second", 0, false},
	{0, "for", "TIME", "heal it after this time: 30s", 0, false},
	{0, "among", "NODES", "only these machines take part (default: all)", COMPLETE_NODES,
	 false},
	{0, "every", "TIME", "random: draw it anew so often, on average", 0, false},
	{0, "min-stable", "TIME", "random: but leave it alone for so long (default: 0s)", 0,
	 false},
	{0},
};

static const struct option_spec matrix_options[] = {
	{'p', "probe", NULL, "also measure: machines send one another datagrams", 0, false},
	{0},
};

static const struct option_spec fidelity_options[] = {
	{'p', "probe", NULL, "have the machines probe one another first, for three seconds", 0,
	 false},
	{0},
};

static const struct option_spec capture_options[] = {
	{'w', "write", "FILE", "where to: a file, or - for stdout", COMPLETE_FILE, false},
	{'f', "filter", "FILTER", "only these frames, in libpcap's language: \"tcp port 6379\"",
	 0, false},
	{'s', "snap", "BYTES", "only so much of each frame", 0, false},
	{'d', "delivered", NULL,
	 "each frame that arrived, once: for TCP analysis; without what was done to it", 0,
	 false},
	{'c', "count", "N", "end after N frames", 0, false},
	{0, "for", "TIME", "end after this time: 10s", 0, false},
	{0, "overwrite", NULL, "a file that is there already", 0, false},
	{0},
};

static const struct option_spec explain_options[] = {
	{'r', "read", "FILE", "a capture of the run: FRAME is a frame's number in it",
	 COMPLETE_FILE, false},
	{0, "run", "DIR", "the run directory (default: of the lab)", COMPLETE_FOLDER, false},
	{0},
};

static const struct option_spec replay_options[] = {
	{'r', "read", "FILE", "the capture, of that run", COMPLETE_FILE, false},
	{'w', "write", "FILE", "write what is seen in the replay, as a capture", COMPLETE_FILE,
	 false},
	{0},
};

static const struct option_spec rerun_options[] = {
	{0, "until", "TIME", "stop at just this virtual time, with the lab alive: 12.5s, or "
	 "nanoseconds, as the journal has them", 0, false},
	{0, "as", "NAME", "name of the new lab (default: the old one and -replay)", 0, false},
	{0, "capture", "TARGET", "record a link, NODE:IF or all into the new run directory, from "
	 "the first frame on", COMPLETE_CAPTURE, false},
	{0, "anyway", NULL, "even if files have changed since", 0, false},
	{0},
};

static const struct option_spec check_options[] = {
	COMPILE_OPTIONS,
	{'x', "expand", NULL, "print the whole plan as JSON, nothing left to guess", 0, false},
	{0},
};

static const struct option_spec clock_options[] = {
	{0, "stats", NULL, "also: how many scheduling rounds, and where the host's time went", 0,
	 false},
	{0},
};

static const struct option_spec graph_options[] = {
	COMPILE_OPTIONS,
	{0},
};

static const struct option_spec kernel_build_options[] = {
	{'S', "source", "PATH", "this kernel source: a folder or a tarball", COMPLETE_FILE, false},
	{'a', "again", NULL, "also if it is there, and look for a newer source", 0, false},
	{'j', "jobs", "N", "compile so much at once (default: one a processor)", 0, false},
	{0},
};

static const struct option_spec doctor_options[] = {
	{'k', "kernel", "NAME|PATH", "look at this kernel, not at the one that is used",
	 COMPLETE_KERNEL, false},
	{0},
};

/* clang-format on */

#define TARGETS                                                                          \
	"TARGET is a link or a network (both directions), A--B (everything between the " \
	"two), A->B (one direction; quote the >), or a name that `netlab fault ls` "     \
	"prints."

/* clang-format off */
const struct command commands[] = {
	{"up", "FILE", "start a lab from a topology file",
	 "Compiles FILE, starts the machines and waits until every service is ready. If one "
	 "fails, its last words are shown and the lab is taken down again.\n\n"
	 "Ctrl-C while it boots takes the lab down; a second one does not wait for it.",
	 up_options, 1, 1, 0, TAKES_JSON, {COMPLETE_FILE, 0}, cmd_up},

	{"down", "[LAB]", "end a lab and leave nothing of it but its run directory",
	 "A lab that does not answer is killed. What a dead lab left behind is cleared.",
	 down_options, 0, 1, 0, TAKES_LAB, {COMPLETE_LAB, 0}, cmd_down},

	{"ps", "[LAB]", "list labs and their machines",
	 "All labs of this user, or one. A lab whose process was killed is shown as dead.",
	 NULL, 0, 1, 0, TAKES_LAB | TAKES_JSON, {COMPLETE_LAB, 0}, cmd_ps},

	{"inspect", "[LAB]", "show what is known about a lab",
	 "Its seed, run directory, machines with their addresses, links with their faults "
	 "and counters, partitions and captures. With --json, everything.",
	 NULL, 0, 1, 0, TAKES_LAB | TAKES_JSON, {COMPLETE_LAB, 0}, cmd_inspect},

	{"exec", "NODE[,NODE...] [--] COMMAND [ARG...]", "run a command in machines",
	 "NODE is a name, several with commas, a range n[1-3], or all.\n\n"
	 "In one machine, stdin, stdout, stderr and the exit status are those of the "
	 "command (128 + N if signal N killed it); Ctrl-C interrupts it. In several, it "
	 "runs in all at once, stdin is empty, each line has its machine's name in front, and the "
	 "exit status is 0 only if it is 0 everywhere. With --json the output is an array of "
	 "{node, exit, stdout, stderr}; output that is no UTF-8 is under stdout_base64. "
	 "The exit status is then 0 only if it is 0 everywhere. Of a stream of more than 16 MiB "
	 "it has the beginning, truncated, and the exit status is 1.",
	 exec_options, 1, -1, 1, NEED_LAB | TAKES_JSON, {COMPLETE_NODES, 0}, cmd_exec},

	{"shell", "NODE", "open a shell in a machine",
	 "With a terminal of its own. Enter ~ . leaves it even if the machine hangs.",
	 NULL, 1, 1, 0, NEED_LAB, {COMPLETE_NODE, 0}, cmd_shell},

	{"console", "NODE", "show a machine's console, live",
	 "Begins with the last of what was printed. Keys go to whoever reads there. Ctrl-] "
	 "leaves. Without a terminal it prints until it is ended; the whole console is in "
	 "`netlab logs NODE console`.",
	 NULL, 1, 1, 0, NEED_LAB, {COMPLETE_NODE, 0}, cmd_console},

	{"cp", "SRC DST", "copy files and folders into and out of machines",
	 "Either side may be NODE:PATH; a PATH that does not begin with / is below the "
	 "machine's root folder. Write ./a:b for a file here whose name has a colon.\n\n"
	 "If DST is a folder, SRC goes into it. If DST is a file, it is replaced, but only by "
	 "a file. If DST does not exist, it becomes a copy of SRC; its parent folder must "
	 "exist, and if DST ends with / it must be a folder itself. SRC ending with /. means "
	 "the content of the folder: it is put into DST. What is copied appears when all of it "
	 "has come, or not at all.\n\n"
	 "What crosses is bytes, times and plain modes (rwx): owners, set-user-id bits and "
	 "capabilities do not; what is copied belongs to the user on that side, who can always "
	 "enter its folders. A symbolic link below SRC stays a link; one that could lead out of "
	 "what is copied does not come out of a machine. Such links, devices, FIFOs, sockets and "
	 "what cannot be read are left out, and told with exit status 1. Files of /proc and /sys "
	 "are copied as cat shows them. Nothing is needed in the machine.",
	 NULL, 2, 2, 0, NEED_LAB, {COMPLETE_PATH, COMPLETE_PATH}, cmd_cp},

	{"logs", "NODE[,NODE...] [SERVICE]", "print what services said",
	 "Of all services of the machines, or of one; with several, each line has its machine and "
	 "service in front. \"console\" is the machine's own. Works "
	 "for a dead lab, too.",
	 logs_options, 1, 2, 0, TAKES_LAB, {COMPLETE_NODES, COMPLETE_SERVICE}, cmd_logs},

	{"events", "", "print what happened in the lab",
	 "The journal: states, commands, faults. With --json, one object a line. Works for a "
	 "dead lab, too.",
	 events_options, 0, 0, 0, TAKES_LAB | TAKES_JSON, {0, 0}, cmd_events},

	{"fault set", "TARGET KEY=VALUE...", "change what a link does to frames, now",
	 TARGETS " KEYs are those of the topology file: loss, delay, jitter, rate, limit, "
	 "duplicate, corrupt, reorder, queue, down and more; netlab-topology(5) has them all. "
	 "Values need units: delay=20ms loss=1% rate=10Mbit. profile=lte sets several at once. "
	 "What is not named stays as it is.\n\n"
	 "With match=EXPRESSION (libpcap's language), first=N, after=N, apply=SHARE or "
	 "when=CYCLE, the words become a rule for those frames only, beside the link's own; "
	 "name=NAME tells several rules apart. With for=TIME, what is set goes back after that "
	 "time.",
	 fault_set_options, 2, -1, 0, NEED_LAB | TAKES_JSON,
	 {COMPLETE_TARGET, COMPLETE_FAULT}, cmd_fault_set},

	{"fault clear", "[TARGET [KEY|rule=NAME]...]",
	 "put links back to what the topology file says",
	 TARGETS " With KEYs, only those; \"faults\" is all rules for certain frames, rule=NAME "
	 "one of them. For a perfect wire: fault set --replace TARGET down=false. Partitions "
	 "stay: see heal.",
	 fault_clear_options, 0, -1, 0, NEED_LAB | TAKES_JSON,
	 {COMPLETE_TARGET, COMPLETE_FAULT_KEY},
	 cmd_fault_clear},

	{"fault ls", "", "list links, their faults and what they dropped", NULL,
	 NULL, 0, 0, 0, NEED_LAB | TAKES_JSON, {0, 0}, cmd_fault_ls},

	{"partition ls", "", "list the partitions that are in force", NULL,
	 NULL, 0, 0, 0, NEED_LAB | TAKES_JSON, {0, 0}, cmd_partition_ls},

	{"partition", "SIDE|SIDE...|KIND [NODES]", "cut machines off from one another",
	 "Sides are quoted: netlab partition 'n1,n2|n3'. A machine on no side still reaches "
	 "all; the side * is everybody who is on no other side.\n\n"
	 "A KIND draws the sides: isolate (NODES, or one that is drawn, alone), bridge (NODES, "
	 "or one, reach everybody, the others are two halves), halves, minority, majority (as "
	 "minority, but --one-way it is the majority that is not heard), majorities-ring (each "
	 "sees a majority, no two the same one), random (one of these or nothing, drawn anew "
	 "--every TIME). What is drawn depends on the lab's seed and the partition's name.\n\n"
	 "Partitions add up: a way is open when no partition cuts it any more. They last until "
	 "heal, or --for a time. A cut is between neighbours: a router between two machines "
	 "still passes their packets on, of which it warns: put the router on a side, too.",
	 partition_options, 1, 2, 0, NEED_LAB | TAKES_JSON, {COMPLETE_PARTITION, COMPLETE_NODES},
	 cmd_partition},

	{"heal", "[NAME...]", "end partitions: those named, or all", NULL,
	 NULL, 0, -1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_PARTITIONS, COMPLETE_PARTITIONS},
	 cmd_heal},

	{"matrix", "", "print who can reach whom",
	 "A row for who sends, a column for who would get it: yes, flap (a link is down, or loses "
	 "all, at times), loss (a link loses every frame), cut (by a partition), down (a link is), "
	 "off (a machine does not run), none (nothing joins them). It is computed from links, "
	 "partitions and machines that forward packets, without sending anything; routing tables, "
	 "firewalls and losses below 100% are not considered.\n\n"
	 "With --probe each machine sends datagrams to each other one (to an address in a subnet "
	 "that both are in, else to the first), and the table is what was heard: yes, lost (not "
	 "one arrived), part (some did), unsent (the machine could not even send), off. Where "
	 "this is not what the links permit, it says so. The exit status is then 1.",
	 matrix_options, 0, 0, 0, NEED_LAB | TAKES_JSON, {0, 0}, cmd_matrix},

	{"fidelity", "[TARGET...]", "compare what was asked of links with what was measured",
	 "For each direction, since its fault was last set: loss, copies and damage with their "
	 "99.9 % confidence intervals, the mean time that frames spent in it, how late they "
	 "came, and the rate at which queued frames left. A ! marks what does not fit. Below "
	 "that is the whole run: it is suspect if one frame in a hundred, and at least "
	 "ten, came more than a millisecond late, for then the host was too busy. "
	 "In real time the wall clocks of machines are set at their boot to the lab's, and "
	 "watched; they are told, too, and last the longest time in which the lab itself was "
	 "busy with one thing and served nothing else.\n\n"
	 "With --probe the machines send one another numbered datagrams; their losses one way "
	 "and round trips are shown beside that. The exit status is 1 if anything is marked or "
	 "the run is suspect.",
	 fidelity_options, 0, -1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_TARGET, COMPLETE_TARGET},
	 cmd_fidelity},

	{"capture", "LINK|NETWORK|NODE:IF|NODE|all", "record frames to a pcapng file",
	 "Until Ctrl-C, --for or --count. To watch live: netlab capture all -w - | wireshark -k "
	 "-i -. Each frame is there where it enters the switch and where it leaves it, and says "
	 "as a comment what was done to it; those that were lost, too.",
	 capture_options, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_CAPTURE, 0}, cmd_capture},

	{"explain", "LINK FRAME", "show each decision on a frame's way",
	 "With -r, FRAME is the number of a frame in that capture, as Wireshark shows it, and LINK "
	 "a link or network of which all ends are in it, or all. The frames up to it are judged "
	 "anew, as by replay-link, and what was drawn, what was set and what came of it is shown, "
	 "direction by direction.\n\n"
	 "Without a capture, LINK is a direction, as fault ls prints it (\"wire a->b\"), and FRAME "
	 "the frame's number in it, from 0. Shown is what was set for it and what is drawn for it, "
	 "by the run's journal; queues and partitions depend on the time, which only a capture "
	 "has.",
	 explain_options, 2, 2, 0, TAKES_LAB | TAKES_JSON, {COMPLETE_TARGET, 0}, cmd_explain},

	{"replay", "RUN", "run a recorded run in virtual time again, and compare",
	 "RUN is a run directory, or a lab. A new lab begins as that run did, from the topology "
	 "file as it was; what was done to its machines is done again at its virtual times, by "
	 "the journal, and frames, journal entries, consoles and service logs are compared as "
	 "they come. At the first difference the replay ends, with exit status 1, and says when "
	 "and where it was, and what was there instead. The new lab is taken down; both run "
	 "directories stay.\n\n"
	 "With --until the lab stands at that time, to the nanosecond: log in a moment before a "
	 "failure, and go on with `clock step`. From there on nothing is compared.\n\n"
	 "With --capture the frames of a run that was not recorded can be seen all the same.\n\n"
	 "Files that machines can see and that are not what they were are named, and the replay "
	 "refuses to begin; --anyway runs it all the same, and finds the first difference.\n\n"
	 "A run that lacks something (the disk was full) is compared as far as it is kept; the "
	 "exit status is then 1, too.",
	 rerun_options, 1, 1, 0, TAKES_JSON, {COMPLETE_FOLDER, 0}, cmd_rerun},

	{"replay-link", "RUN LINK", "recompute the fate of a recorded link's frames",
	 "RUN is a run directory, or a lab. LINK is a link or network of which all ends are in "
	 "the capture, or all. The frames that entered the switch are given to it once more, with "
	 "the faults and partitions of the run's journal at their times; what it decides is "
	 "compared with what the capture says. The exit status is 1 if anything differs, and the "
	 "first difference is shown; and if the capture or the journal breaks off.\n\n"
	 "A queue or a loss model with a memory depends on the frames before: only a capture from "
	 "the first frame on (up --capture) has them all.",
	 replay_options, 2, 2, 0, TAKES_JSON, {COMPLETE_FOLDER, COMPLETE_TARGET},
	 cmd_replay_link},
	{"clock pace", "PACE", "say how fast virtual time passes",
	 "max: as fast as the machines allow, but only while a command is under way, the lab boots "
	 "or `clock step` is; an idle lab stands still. A number: so many times as fast as the "
	 "host's time, at most, from 0.001 to 1000.",
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_PACE, 0}, cmd_clock_pace},

	{"clock pause", "", "stop virtual time, whatever is under way", NULL,
	 NULL, 0, 0, 0, NEED_LAB | TAKES_JSON, {0, 0}, cmd_clock_pause},

	{"clock resume", "", "continue virtual time at its pace", NULL,
	 NULL, 0, 0, 0, NEED_LAB | TAKES_JSON, {0, 0}, cmd_clock_resume},

	{"clock step", "DURATION", "let this much virtual time pass, as fast as it can",
	 "Also while it is paused. Returns when it has passed.",
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {0, 0}, cmd_clock_step},

	{"node stop", "NODE[,NODE...]", "have machines power off",
	 "Services get their SIGTERM, in the reverse of their order. The far ends of its cables "
	 "lose their carrier, and what the machine had written is gone: its disk is memory.",
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_stop},

	{"node kill", "NODE[,NODE...]", "cut machines' power, at one instant",
	 NULL, NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_kill},

	{"node panic", "NODE[,NODE...]", "have machines' kernels panic",
	 "As of a fault of their own: what was not sent is lost, nobody is asked. Their state is "
	 "failed then, with the reason.",
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_panic},

	{"node start", "NODE[,NODE...]", "start machines that have ended",
	 "However they ended. Names, addresses, faults, partitions and captures hold as before; "
	 "services start in their order. Returns when all are ready.",
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_start},

	{"node restart", "NODE[,NODE...]", "stop machines and start them again",
	 NULL, NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_restart},

	{"node reset", "NODE[,NODE...]", "cut machines' power and start them again",
	 NULL, NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_reset},

	{"node pause", "NODE[,NODE...]", "have machines stand still, at one instant",
	 "The kernel and all processes. In virtual time its clocks stand, too, as those of a "
	 "virtual machine that is paused (the same as clock freeze); in real time they are the "
	 "host's and go on, as in a long stall. What is sent to it waits, or is lost when its "
	 "card is full.",
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_pause},

	{"node resume", "NODE[,NODE...]", "continue machines that were paused", NULL,
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_node_resume},

	{"proc kill", "NODE[,NODE...] SERVICE|PID", "kill a service's processes, or one",
	 "With SIGKILL, all at once that came of the service's command. A service that is to be "
	 "restarted is.",
	 NULL, 2, 2, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODES, COMPLETE_SERVICE}, cmd_proc_kill},

	{"proc stop", "NODE[,NODE...] SERVICE|PID",
	 "have a service's processes, or one, stand still",
	 "As kill -STOP does: the machine and its connections go on.",
	 NULL, 2, 2, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODES, COMPLETE_SERVICE}, cmd_proc_stop},

	{"proc cont", "NODE[,NODE...] SERVICE|PID", "continue what was stopped", NULL,
	 NULL, 2, 2, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODES, COMPLETE_SERVICE}, cmd_proc_cont},

	{"clock set", "NODE KEY=VALUE...", "set a machine's clock beside the lab's",
	 "offset=TIME: its wall time is off by so much; step=TIME: by so much more than it was. "
	 "CLOCK_MONOTONIC does not see either. drift=PART: all its clocks run fast (or, "
	 "negative, slow) by so much, at most 10%: drift=200ppm. The file has \"clock\" for what "
	 "holds from the beginning.",
	 NULL, 2, -1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, COMPLETE_NODE_CLOCK},
	 cmd_clock_set},

	{"clock freeze", "NODE", "stop a machine and its clocks, in virtual time",
	 "It does nothing and hears nothing until `clock thaw`; then its time goes on where it "
	 "stood.",
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_clock_freeze},

	{"clock thaw", "NODE", "continue a frozen machine", NULL,
	 NULL, 1, 1, 0, NEED_LAB | TAKES_JSON, {COMPLETE_NODE, 0}, cmd_clock_thaw},

	{"clock", "", "show the lab's time, and in virtual time its pace and digest",
	 "The digest is a hash of all frames, journal entries, consoles and service logs so far: "
	 "two runs of the same file with the same seed and the same commands have the same.",
	 clock_options, 0, 0, 0, NEED_LAB | TAKES_JSON, {0, 0}, cmd_clock},

	{"check", "FILE...", "compile topology files and report every error", NULL,
	 check_options, 1, -1, 0, TAKES_JSON, {COMPLETE_FILE, COMPLETE_FILE}, cmd_check},

	{"graph", "[FILE]", "draw a topology or a running lab, in the language of Graphviz",
	 "Try: netlab graph FILE | dot -Tsvg > lab.svg. Without a file: the lab that runs, with "
	 "the state of its machines, the faults in force now, links that are down (dotted) and "
	 "who is cut off from whom (red).",
	 graph_options, 0, 1, 0, TAKES_LAB, {COMPLETE_FILE, 0}, cmd_graph},

	{"kernel build", "", "build netlab's own kernel, once",
	 "Machines with it boot in a fraction of the time, their system calls cost half, and "
	 "virtual time needs it. Takes some minutes, at low priority, and 1.5 GB meanwhile; "
	 "nothing is installed outside of the user's cache. If it is there already, that is said "
	 "at once.\n\n"
	 "The source is Linux 6.16 or newer: an installed linux-source package, one that was "
	 "fetched before, one that apt offers, or one of a newer release of Debian, fetched from "
	 "the system's own mirror and verified with its keys. Nothing of the system's apt is "
	 "changed.\n\n"
	 "Ctrl-C leaves what is done; the next call goes on from there.",
	 kernel_build_options, 0, 0, 0, TAKES_JSON, {0, 0}, cmd_kernel_build},

	{"kernel ls", "", "list kernels, what each can do, and which one is used and why",
	 "Used is the first of: what --kernel names, what the topology file names for a machine, "
	 "what NETLAB_KERNEL names, what `netlab kernel use` has set, the latest of netlab's own "
	 "kernels that is made with this version's configuration and patches, the latest of its "
	 "others, the packaged "
	 "one.",
	 NULL, 0, 0, 0, TAKES_JSON, {0, 0}, cmd_kernel_ls},

	{"kernel use", "NAME|PATH|auto", "set the kernel of the labs to come",
	 "NAME is one that `netlab kernel ls` prints, \"packaged\" among them; auto goes back to "
	 "the best there is. Labs that run keep theirs.",
	 NULL, 1, 1, 0, 0, {COMPLETE_KERNEL, 0}, cmd_kernel_use},

	{"kernel rm", "NAME...", "remove kernels that were built",
	 "Labs that run with one go on.",
	 NULL, 1, -1, 0, 0, {COMPLETE_KERNEL, COMPLETE_KERNEL}, cmd_kernel_rm},

	{"doctor", "", "say what this host can and cannot do, and how to fix it",
	 "The exit status is 0 if labs can run here.",
	 doctor_options, 0, 0, 0, TAKES_JSON, {0, 0}, cmd_doctor},

	{"completion", "bash|zsh|fish", "print a script that completes netlab's words",
	 "For bash: source <(netlab completion bash), in ~/.bashrc. For zsh: the same line in "
	 "~/.zshrc, with zsh, after compinit. For fish: netlab completion fish | source.",
	 NULL, 1, 1, 0, 0, {COMPLETE_SHELL, 0}, cmd_completion},

	{"help", "[COMMAND]", "say how a command is used", NULL,
	 NULL, 0, 2, 0, 0, {COMPLETE_COMMAND, 0}, cmd_help},

	{"version", "", "print the version", NULL,
	 NULL, 0, 0, 0, TAKES_JSON, {0, 0}, cmd_version},

	{"__man", "", "print the COMMANDS section of the man page", NULL,
	 NULL, 0, 0, 0, HIDDEN, {0, 0}, cmd_man},

	{"__complete", "SHELL BREAKS LINE", "complete a line; for the scripts", NULL,
	 NULL, 3, 3, 0, HIDDEN, {0, 0}, cmd_complete},
};
/* clang-format on */

const size_t command_count = ARRAY_SIZE(commands);
