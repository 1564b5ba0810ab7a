/* SPDX-License-Identifier: MIT */
/* Starting a lab: everything that can be checked is checked here, where somebody
 * reads the error; then the fork. */
#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/choice.h"
#include "run/origin.h"
#include "lab/lab_process.h"
#include "lab/seed.h"
#include "base/text.h"
#include "node/closed.h"
#include "node/sandbox.h"
#include "plan/epoch.h"
#include "plan/plan_json.h"

#define WORK_BYTES_MAX (UINT64_C(256) << 20) /* sockets and such, of all machines */

static int choose_seed(struct lab *lab, const struct lab_options *options,
		       struct why *why)
{
	lab->seed = options->seed_given ? options->seed : lab->plan->seed;
	if (options->seed_given || lab->plan->seed_given)
		return 0;
	lab->seed_drawn = true;
	return seed_draw(&lab->seed, why);
}

/* ---- kernels ------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *kernel_wanted(const struct lab_process *process, size_t node,
				 const struct lab_options *options)
{
	const char *of_node = process->lab.plan->nodes[node].kernel;

	return options->kernel ? options->kernel : of_node;
}

/* Each kernel is looked at once, however many machines run it. */
static int find_kernels(struct lab_process *process, const struct lab_options *options,
			struct why *why)
{
	size_t count = process->lab.plan->node_count;
	const char **wanted = calloc(count + 1, sizeof(*wanted));
	int err = 0;

	process->kernel_store = calloc(count + 1, sizeof(*process->kernel_store));
	process->kernel_of = calloc(count + 1, sizeof(*process->kernel_of));
	if (!wanted || !process->kernel_store || !process->kernel_of)
		err = why_set(why, -ENOMEM, "kernels: out of memory");
	for (size_t n = 0; !err && n < count; n++) {
		size_t k = 0;

		while (k < process->kernel_count &&
		       !same_text(wanted[k], kernel_wanted(process, n, options)))
			k++;
		if (k == process->kernel_count) {
			wanted[k] = kernel_wanted(process, n, options);
			err = choice_find(&process->kernel_store[k], wanted[k], why);
			process->kernel_count += !err;
		}
		process->kernel_of[n] = &process->kernel_store[k];
	}
	free(wanted);
	return err;
}

static int check_cost(const struct lab_process *process, struct why *why)
{
	const struct plan *plan = process->lab.plan;

	for (size_t n = 0; n < plan->node_count; n++) {
		const struct plan_cost *cost = &plan->nodes[n].cost;

		if (!cost->syscall_given && !cost->switch_ns)
			continue;
		if (!process->lab.virtual_time)
			return why_set(
				why, -EINVAL,
				"node %s: \"cost\" is for virtual time: give --clock "
				"virtual, or take it out of the file",
				plan->nodes[n].name);
		if (!(process->kernel_of[n]->can & KERNEL_COST))
			return why_set(
				why, -ENOTSUP,
				"node %s: \"cost\" (or --cost): kernel %s has no "
				"um_cost_syscall=; netlab's own has it (netlab kernel "
				"build), or give one with --kernel",
				plan->nodes[n].name, process->kernel_of[n]->path);
	}
	return 0;
}

static int check_virtual(const struct lab_process *process, struct why *why)
{
	for (size_t k = 0; process->lab.virtual_time && k < process->kernel_count; k++)
		if (!(process->kernel_store[k].can & KERNEL_TIME_TRAVEL))
			return why_set(
				why, -ENOTSUP,
				"--clock virtual: kernel %s was built without "
				"CONFIG_UML_TIME_TRAVEL_SUPPORT; netlab's own has it "
				"(netlab kernel build), or give one with --kernel",
				process->kernel_store[k].path);
	return 0;
}

/* ---- folders -------------------------------------------------------------------------
 */

static int write_run_files(struct lab *lab, struct why *why)
{
	json_t *plan = plan_to_json(lab->plan);
	cleanup_free char *text = NULL;
	char seed[32];
	int err;

	json_object_set_new(plan, "name", json_string(lab->name));
	json_object_set_new(plan, "seed", json_integer((json_int_t)lab->seed));
	text = json_dumps(plan, JSON_INDENT(2));
	json_decref(plan);
	if (!text)
		return why_set(why, -ENOMEM, "plan.json: out of memory");
	err = rundir_write(&lab->run, "plan.json", text, strlen(text), why);
	if (err)
		return err;
	snprintf(seed, sizeof(seed), "%" PRIu64 "\n", lab->seed);
	return rundir_write(&lab->run, "seed", seed, strlen(seed), why);
}

/* So that it can be run again. */
static int write_origin(const struct lab_process *process,
			const struct lab_options *options, struct why *why)
{
	const struct lab *lab = &process->lab;
	struct origin_config config = {
		.plan = lab->plan,
		.name = lab->known_as ? lab->known_as : lab->name,
		/* Which one is the best that is installed may change. */
		.kernel = process->kernel_count == 1 ? process->kernel_store[0].path
						     : options->kernel,
		.seed = lab->seed,
		.boot_timeout_s = options->boot_timeout_s,
		.guard_s = options->guard_s,
		.epoch_s = lab->epoch_s,
		.sets = options->sets,
		.set_count = options->set_count,
		.cost = options->cost,
		.topology = options->topology ? options->topology : lab->plan->file,
	};
	const char **parts =
		calloc(process->kernel_count + lab->plan->node_count + 2, sizeof(*parts));
	int err;

	if (!parts)
		return why_set(why, -ENOMEM, "origin.json: out of memory");
	parts[config.part_count++] = process->parts.initramfs;
	if (*process->parts.preload)
		parts[config.part_count++] = process->parts.preload;
	for (size_t k = 0; k < process->kernel_count; k++)
		parts[config.part_count++] = process->kernel_store[k].path;
	for (size_t n = 0; n < lab->plan->node_count; n++)
		if (lab->plan->nodes[n].image_kind == IMAGE_FILE)
			parts[config.part_count++] = lab->plan->nodes[n].image;
	config.parts = parts;
	err = origin_write(&lab->run, &config, why);
	free(parts);
	return err;
}

/* What is written down of this run. */
static int check_paths(const struct lab_process *process, struct why *why)
{
	int err = text_check_path(process->lab.plan->file,
				  "rename it, or the folder that it lies in", why);

	for (size_t k = 0; !err && k < process->kernel_count; k++)
		err = text_check_path(process->kernel_store[k].path,
				      "put the kernel elsewhere", why);
	return err;
}

static int make_folders(struct lab_process *process, const struct lab_options *options,
			struct why *why)
{
	struct lab *lab = &process->lab;
	char parent[PATH_MAX];
	int err = check_paths(process, why);

	if (!err)
		err = state_create(&lab->state, lab->name, NULL, why);
	if (err)
		return err;
	snprintf(lab->info.topology, sizeof(lab->info.topology), "%s", lab->plan->file);
	if (snprintf(process->nodes_dir, sizeof(process->nodes_dir), "%s/nodes",
		     state_dir(lab->state)) >= (int)sizeof(process->nodes_dir) ||
	    snprintf(parent, sizeof(parent), "%s%s",
		     options->out_dir ? options->out_dir : lab->plan->dir,
		     options->out_dir ? "" : "/netlab-runs") >= (int)sizeof(parent))
		return why_set(why, -ENAMETOOLONG, "lab %s: a path is too long",
			       lab->name);
	if (mkdirat(state_dir_fd(lab->state), "nodes", 0700) < 0)
		return why_errno(why, -errno, "%s", process->nodes_dir);
	if (!options->out_dir)
		err = rundir_make_default(parent, why);
	if (!err)
		err = rundir_create(&lab->run, parent, lab->name, why);
	if (err)
		return err;
	snprintf(lab->info.run_dir, sizeof(lab->info.run_dir), "%s", lab->run.path);
	err = write_run_files(lab, why);
	return err || !lab->virtual_time ? err : write_origin(process, options, why);
}

/* ---- the fork -------------------------------------------------------------------------
 */

/* What the lab process has to be able to open in its sandbox. */
static const char **reach_list(const struct lab_process *process, size_t *count)
{
	const struct plan *plan = process->lab.plan;
	const char **list =
		calloc(3 + plan->node_count + 2 * process->kernel_count, sizeof(*list));

	*count = 0;
	if (!list)
		return NULL;
	list[(*count)++] = plan->dir;
	list[(*count)++] = process->parts.initramfs;
	if (*process->parts.preload)
		list[(*count)++] = process->parts.preload;
	for (size_t k = 0; k < process->kernel_count; k++) {
		list[(*count)++] = process->kernel_store[k].path;
		if (*process->kernel_store[k].modules)
			list[(*count)++] = process->kernel_store[k].modules;
	}
	for (size_t n = 0; n < plan->node_count; n++)
		if (plan->nodes[n].image)
			list[(*count)++] = plan->nodes[n].image;
	return list;
}

/* Wait for the lab process to say that it serves, or why not. */
static int await(int report_fd, pid_t pid, struct why *why)
{
	char text[WHY_BYTES_MAX] = "";
	ssize_t size = fdio_read(report_fd, text, sizeof(text) - 1);
	int status;

	if (size > 0 && !*text)
		return 0;
	waitpid(pid, &status, 0);
	if (size > 0)
		return why_set(why, -ECANCELED, "%s", text);
	return why_set(why, -ECHILD, "the lab process ended without a word (status %#x)",
		       status);
}

static int fork_lab(struct lab_process *process, struct lab_handle *out, struct why *why)
{
	const char *const writable[] = { state_dir(process->lab.state),
					 process->lab.run.path };
	struct sandbox_lab sandbox = {
		.writable = writable,
		.writable_count = ARRAY_SIZE(writable),
		.private_dir = process->nodes_dir,
		.private_bytes = WORK_BYTES_MAX,
	};
	cleanup_close int ours = -1, theirs = -1, report_in = -1, report_out = -1;
	const char **reach = reach_list(process, &sandbox.reach_count);
	int ends[2], err;
	uid_t uid;
	gid_t gid;
	pid_t pid;

	sandbox.reach = reach;
	if (!reach)
		return why_set(why, -ENOMEM, "lab: out of memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		free(reach);
		return why_errno(why, -errno, "lab: socketpair");
	}
	ours = ends[0];
	theirs = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		free(reach);
		return why_errno(why, -errno, "lab: pipe");
	}
	report_in = ends[0];
	report_out = ends[1];
	err = sandbox_guest_ids(&uid, &gid, why);
	if (!err) {
		closed_look(uid, gid);
		err = sandbox_fork_lab(&sandbox, &pid, NULL, why);
	}
	if (!err && pid == 0) {
		process->report_fd = steal_fd(&report_out);
		process->client_fd = steal_fd(&theirs);
		lab_main(process);
	}
	free(reach);
	close(steal_fd(&report_out));
	close(steal_fd(&theirs));
	if (!err)
		err = await(report_in, pid, why);
	if (err)
		return err;
	out->pid = pid;
	out->control_fd = steal_fd(&ours);
	return 0;
}

static void free_process(struct lab_process *process)
{
	rundir_close(&process->lab.run);
	state_close(process->lab.state);
	free(process->kernel_store);
	free(process->kernel_of);
	free(process);
}

static int prepare(struct lab_process *process, const struct lab_options *options,
		   struct why *why)
{
	struct lab *lab = &process->lab;
	const char *name = options->name ? options->name : lab->plan->name;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t timeout_s = options->boot_timeout_s ? options->boot_timeout_s
						     : LAB_BOOT_TIMEOUT_S_DEFAULT;
	int err = state_name_check(name, why);

	if (err)
		return err;
	snprintf(lab->name, sizeof(lab->name), "%s", name);
	lab->boots_at_once = options->boots_at_once;
	if (!lab->boots_at_once)
		lab->boots_at_once = processors > 0 ? 2 * (uint32_t)processors : 2;
	lab->known_as = options->known_as;
	lab->rerun_config = options->rerun;
	lab->env.boot_timeout_ns = timeout_s * NS_PER_S;
	lab->env.kernel_args = options->kernel_args;
	lab->capture_target = options->capture;
	lab->virtual_time = options->virtual_time;
	lab->serial = options->serial;
	lab->pace_ppm = options->pace_ppm;
	lab->epoch_s = options->epoch_s ? options->epoch_s : EPOCH_DEFAULT_S;
	lab->guard_s = options->guard_s;
	err = choose_seed(lab, options, why);
	if (!err)
		err = parts_find(&process->parts, why);
	if (!err)
		err = find_kernels(process, options, why);
	if (!err)
		err = check_virtual(process, why);
	return err ? err : check_cost(process, why);
}

int lab_start(const struct plan *plan, const struct lab_options *options,
	      struct lab_handle *out, struct why *why)
{
	struct lab_process *process = calloc(1, sizeof(*process));
	int err;

	if (!process)
		return why_set(why, -ENOMEM, "lab: out of memory");
	process->lab.plan = plan;
	process->lab.run.fd = -1;
	process->lab.journal_fd = -1;
	err = prepare(process, options, why);
	if (!err)
		err = make_folders(process, options, why);
	if (!err)
		err = fork_lab(process, out, why);
	if (err && process->lab.state)
		state_remove(process->lab.state, NULL);
	if (!err) {
		snprintf(out->name, sizeof(out->name), "%s", process->lab.name);
		snprintf(out->run_dir, sizeof(out->run_dir), "%s", process->lab.run.path);
		out->seed = process->lab.seed;
		out->seed_drawn = process->lab.seed_drawn;
	}
	free_process(process);
	return err;
}
