/* SPDX-License-Identifier: MIT */
#include "node/uml_args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "node/jail_root.h"

/* Ours unless the user gives the same.
 *
 * lpj: a constant instead of a measurement, also because equal runs need equal
 * kernels; 1e7 is a 2 GHz processor's, and delays of devices that are none are all
 * that hangs on it.
 * raid6_select_algo: without it a btrfs or md RAID 6 cannot be used; who wants
 * one gives initcall_blacklist=none.
 * ubd0_init, mmapper_init: a disk "root_fs" and a mapped file for who names none; each
 * console would say that they are not there.
 * panic=-1: a machine that is lost shall end, not stand.
 * um_console_queue: of netlab's own kernel, 2 MB of a machine's memory less; another
 * kernel hands it to the agent, who does not care. */
static const char *const defaults[] = {
	"con=null",
	"ssl=null",
	"console=tty0",
	"quiet",
	"panic=-1",
	"lpj=10000000",
	"pty.legacy_count=0",
	"initcall_blacklist=raid6_select_algo,ubd0_init,mmapper_init",
	"lsm=",
	"audit=0",
	"um_console_queue=32",
};

/* What netlab needs as it is. */
static const char *const reserved[] = {
	"mem", "initrd", "con0", "uml_dir", "umid", "ubd0", "ubd0r", "virtio_uml.device",
	"time-travel", "time-travel-start",
};

static size_t name_length(const char *word)
{
	return strcspn(word, "= \t\n");
}

static bool same_name(const char *a, const char *b)
{
	size_t length = name_length(a);

	return length == name_length(b) && !strncmp(a, b, length);
}

static const char *next_word(const char *text)
{
	return text + strspn(text, " \t\n");
}

static bool given_by_user(const char *extra, const char *ours)
{
	const char *word = extra ? next_word(extra) : "";

	for (; *word; word = next_word(word + strcspn(word, " \t\n")))
		if (same_name(word, ours))
			return true;
	return false;
}

static int check_extra(const char *extra, struct why *why)
{
	if (extra &&
	    (strstr(extra, " netlab.") || !strncmp(next_word(extra), "netlab.", 7)))
		return why_set(why, -EINVAL,
			       "kernel parameters: netlab.… are netlab's own");
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (given_by_user(extra, reserved[i]))
			return why_set(why, -EINVAL,
				       "kernel parameters: '%s' is netlab's own and not "
				       "to be given",
				       reserved[i]);
	return 0;
}

static int add(struct uml_args *args, size_t length, const char *word, struct why *why)
{
	char **more = realloc(args->argv, (args->count + 2) * sizeof(*more));

	if (!more)
		return why_set(why, -ENOMEM, "kernel parameters: out of memory");
	args->argv = more;
	args->argv[args->count] = strndup(word, length);
	args->argv[args->count + 1] = NULL;
	if (!args->argv[args->count++])
		return why_set(why, -ENOMEM, "kernel parameters: out of memory");
	return 0;
}

__attribute__((format(printf, 3, 4))) static int
addf(struct uml_args *args, struct why *why, const char *fmt, ...)
{
	char word[UML_ARGS_BYTES_MAX];
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(word, sizeof(word), fmt, ap);
	va_end(ap);
	if (length >= (int)sizeof(word))
		return why_set(why, -ENAMETOOLONG,
			       "kernel parameters: '%.32s…' is too long", word);
	return add(args, (size_t)length, word, why);
}

static int add_words(struct uml_args *args, const char *text, struct why *why)
{
	int err = 0;

	for (const char *word = next_word(text); !err && *word;) {
		size_t length = strcspn(word, " \t\n");

		err = add(args, length, word, why);
		word = next_word(word + length);
	}
	return err;
}

static int add_netlab(struct uml_args *args, const struct uml_machine *machine,
		      struct why *why)
{
	char words[UML_ARGS_BYTES_MAX];
	int err = addf(args, why, "mem=%" PRIu64 "K", machine->memory_bytes / 1024);

	if (!err && machine->initramfs)
		err = addf(args, why, "initrd=" JAIL_DIR "/initramfs");
	if (!err && machine->virtual_time)
		err = addf(args, why, "time-travel=ext:%u:clock", machine->index);
	/* Keys would come at a time that the host decides. */
	if (!err)
		err = addf(args, why,
			   machine->virtual_time ? "con0=null,fd:1" : "con0=fd:0,fd:1");
	/* The control socket is uml/mconsole in there. */
	if (!err)
		err = addf(args, why, "uml_dir=" JAIL_DIR "/control");
	if (!err)
		err = addf(args, why, "umid=uml");
	if (!err && machine->params.image_kind == IMAGE_FILE)
		err = addf(args, why, "ubd0r=" JAIL_DIR "/image");
	if (!err)
		err = addf(args, why, "virtio_uml.device=agent:3");
	for (size_t i = 0; !err && i < machine->interface_count; i++)
		err = addf(args, why, "virtio_uml.device=net%zu:1", i);
	if (!err)
		err = params_format(&machine->params, words, sizeof(words), why);
	return err ? err : add_words(args, words, why);
}

/* What only some kernels know: the others would take it for a program's argument.
 *
 * seccomp=on: system calls and page faults of programs at about half the price of
 * ptrace.  A program could then write its machine's whole memory; that is the
 * machine's own, and the jail around it is another wall.
 *
 * hostfs_owner=root: in the jail, which knows one user, the host root's files look like
 * nobody's; set-uid programs and sshd would not do.
 *
 * The others are for runs that can be repeated, thus in virtual time only: see
 * docs/determinism.md. */
static const struct {
	enum kernel_can can;
	bool virtual_time;
	const char *word;
} for_kernel[] = {
	{ KERNEL_SECCOMP, false, "seccomp=on" },
	{ KERNEL_HOSTFS_OWNER, false, "hostfs_owner=root" },
	{ KERNEL_TSC, true, "um_tsc=guest" },
	{ KERNEL_CPUID, true, "um_cpuid=fixed" },
	{ KERNEL_HOST, true, "um_host=hidden" },
	{ KERNEL_HOSTFS_STABLE, true, "hostfs_stable=on" },
	{ KERNEL_WHERE, true, "um_where=on" },
	{ KERNEL_RISE, true, "um_cost_rise=on" },
};

static int add_for_kernel(struct uml_args *args, const struct uml_machine *machine,
			  struct why *why)
{
	bool cost = machine->virtual_time && (machine->kernel_can & KERNEL_COST);
	int err = 0;

	if (machine->virtual_time && (machine->kernel_can & KERNEL_SEED))
		err = addf(args, why, "um_seed=%016" PRIx64, machine->seed);
	if (!err && cost && machine->cost.syscall_given)
		err = addf(args, why, "um_cost_syscall=%" PRIu32,
			   machine->cost.syscall_ns);
	if (!err && cost && machine->cost.switch_ns)
		err = addf(args, why, "um_cost_switch=%" PRIu32, machine->cost.switch_ns);
	for (size_t i = 0; !err && i < ARRAY_SIZE(for_kernel); i++)
		if ((machine->kernel_can & for_kernel[i].can) &&
		    (machine->virtual_time || !for_kernel[i].virtual_time) &&
		    !given_by_user(machine->extra_args, for_kernel[i].word))
			err = addf(args, why, "%s", for_kernel[i].word);
	return err;
}

static int check_length(const struct uml_args *args, struct why *why)
{
	size_t bytes = 0;

	for (size_t i = 1; i < args->count; i++)
		bytes += strlen(args->argv[i]) + 1;
	if (bytes < UML_ARGS_BYTES_MAX)
		return 0;
	return why_set(
		why, -E2BIG,
		"kernel parameters: %zu bytes, and the kernel takes %d; give the machine "
		"fewer interfaces or fewer parameters",
		bytes, UML_ARGS_BYTES_MAX - 1);
}

int uml_args_build(struct uml_args *out, const struct uml_machine *machine,
		   struct why *why)
{
	struct uml_args args = { 0 };
	int err = check_extra(machine->extra_args, why);

	if (!err)
		err = addf(&args, why, JAIL_DIR "/reboot");
	if (!err)
		err = add_netlab(&args, machine, why);
	for (size_t i = 0; !err && i < ARRAY_SIZE(defaults); i++)
		if (!given_by_user(machine->extra_args, defaults[i]))
			err = addf(&args, why, "%s", defaults[i]);
	if (!err)
		err = add_for_kernel(&args, machine, why);
	if (!err && machine->extra_args)
		err = add_words(&args, machine->extra_args, why);
	if (!err)
		err = check_length(&args, why);
	if (err)
		uml_args_free(&args);
	else
		*out = args;
	return err;
}

void uml_args_free(struct uml_args *args)
{
	for (size_t i = 0; i < args->count; i++)
		free(args->argv[i]);
	free(args->argv);
	*args = (struct uml_args){ 0 };
}
