/* SPDX-License-Identifier: MIT */
/* node/uml_args.h: a machine's command line is complete, equal in every run, and
 * the user's where that is harmless. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/uml_args.h"

static struct uml_machine plain(void)
{
	return (struct uml_machine){ .memory_bytes = 64 << 20,
				     .interface_count = 2,
				     .initramfs = true,
				     .params.image_kind = IMAGE_HOST };
}

static int index_of(const struct uml_args *args, const char *word)
{
	for (size_t i = 0; i < args->count; i++)
		if (!strcmp(args->argv[i], word))
			return (int)i;
	return -1;
}

static int count_of(const struct uml_args *args, const char *start)
{
	int count = 0;

	for (size_t i = 0; i < args->count; i++)
		count += !strncmp(args->argv[i], start, strlen(start));
	return count;
}

static void the_agents_port_comes_first_then_the_cards_in_order(void **state)
{
	struct uml_machine machine = plain();
	struct uml_args args;
	struct why why;
	int agent, net0, net1;

	(void)state;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	agent = index_of(&args, "virtio_uml.device=agent:3");
	net0 = index_of(&args, "virtio_uml.device=net0:1");
	net1 = index_of(&args, "virtio_uml.device=net1:1");
	assert_true(agent > 0 && agent < net0 && net0 < net1);
	assert_true(index_of(&args, "virtio_uml.device=net2:1") < 0);
	assert_true(index_of(&args, "mem=65536K") > 0);
	assert_true(index_of(&args, "initrd=/netlab/initramfs") > 0);
	assert_true(index_of(&args, "netlab.image=host") > 0);
	assert_null(args.argv[args.count]);
	uml_args_free(&args);
}

static void an_image_file_is_the_first_block_device(void **state)
{
	struct uml_machine machine = plain();
	struct uml_args args;
	struct why why;

	(void)state;
	machine.params.image_kind = IMAGE_FILE;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "ubd0r=/netlab/image") > 0);
	uml_args_free(&args);
}

static void the_users_parameter_replaces_ours_of_that_name(void **state)
{
	struct uml_machine machine = plain();
	struct uml_args args;
	struct why why;

	(void)state;
	machine.extra_args = "  lpj=5\tfoo  quiet=0 initcall_blacklist=none ";
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "lpj=5") > 0);
	assert_true(index_of(&args, "lpj=10000000") < 0);
	assert_true(index_of(&args, "foo") > 0);
	assert_true(index_of(&args, "quiet") < 0);
	assert_int_equal(count_of(&args, "initcall_blacklist="), 1);
	assert_true(index_of(&args, "initcall_blacklist=none") > 0);
	assert_true(index_of(&args, "lsm=") > 0);
	uml_args_free(&args);
}

static void what_netlab_stands_on_is_refused(void **state)
{
	static const char *const words[] = {
		"mem=1G",    "a=b umid=x",	  "virtio_uml.device=x:1",
		"con0=null", "netlab.image=host", "x netlab.lab=/"
	};
	struct uml_machine machine = plain();
	struct uml_args args;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct why why = { "" };

		machine.extra_args = words[i];
		assert_int_equal(uml_args_build(&args, &machine, &why), -EINVAL);
		assert_non_null(strstr(why.text, "netlab's own"));
	}
}

static void seccomp_is_asked_of_kernels_that_know_it_and_the_user_may_say_no(void **state)
{
	struct uml_machine machine = plain();
	struct uml_args args;
	struct why why;

	(void)state;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "seccomp=on") < 0);
	uml_args_free(&args);
	machine.kernel_can = KERNEL_SECCOMP;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "seccomp=on") > 0);
	uml_args_free(&args);
	machine.extra_args = "seccomp=off";
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "seccomp=on") < 0);
	assert_true(index_of(&args, "seccomp=off") > 0);
	uml_args_free(&args);
}

static void work_has_a_price_in_virtual_time_and_with_a_kernel_that_knows(void **state)
{
	struct uml_machine machine = plain();
	struct uml_args args;
	struct why why;

	(void)state;
	machine.cost = (struct plan_cost){ .syscall_given = true,
					   .syscall_ns = 300,
					   .switch_ns = 2000 };
	machine.kernel_can = KERNEL_TIME_TRAVEL | KERNEL_COST | KERNEL_WHERE;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_cost_syscall=300") < 0);
	assert_true(index_of(&args, "um_where=on") < 0);
	uml_args_free(&args);
	machine.virtual_time = true;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_cost_syscall=300") > 0);
	assert_true(index_of(&args, "um_cost_switch=2000") > 0);
	assert_true(index_of(&args, "um_where=on") > 0);
	uml_args_free(&args);
	machine.cost.switch_ns = 0;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_cost_switch=0") < 0);
	uml_args_free(&args);
	machine.cost.syscall_ns = 0;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_cost_syscall=0") > 0);
	uml_args_free(&args);
	machine.cost.syscall_given = false;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_cost_syscall=0") < 0);
	uml_args_free(&args);
	machine.cost.syscall_given = true;
	machine.kernel_can = KERNEL_TIME_TRAVEL;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_cost_syscall=0") < 0);
	uml_args_free(&args);
}

static void virtual_time_asks_for_all_that_makes_runs_the_same(void **state)
{
	struct uml_machine machine = plain();
	struct uml_args args;
	struct why why;

	(void)state;
	machine.kernel_can = KERNEL_TIME_TRAVEL | KERNEL_SEED | KERNEL_TSC | KERNEL_CPUID;
	machine.index = 3;
	machine.seed = 0x1234;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_tsc=guest") < 0);
	assert_true(index_of(&args, "um_seed=0000000000001234") < 0);
	assert_true(index_of(&args, "con0=fd:0,fd:1") > 0);
	uml_args_free(&args);
	machine.virtual_time = true;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "time-travel=ext:3:clock") > 0);
	assert_true(index_of(&args, "um_tsc=guest") > 0);
	assert_true(index_of(&args, "um_cpuid=fixed") > 0);
	assert_true(index_of(&args, "um_seed=0000000000001234") > 0);
	/* Keys would come when the host decides. */
	assert_true(index_of(&args, "con0=null,fd:1") > 0);
	uml_args_free(&args);
	/* What a kernel does not know is not said to it. */
	machine.kernel_can = KERNEL_TIME_TRAVEL;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	assert_true(index_of(&args, "um_tsc=guest") < 0);
	uml_args_free(&args);
	machine.extra_args = "time-travel=inf-cpu";
	assert_int_equal(uml_args_build(&args, &machine, &why), -EINVAL);
}

static void too_many_interfaces_are_refused_before_the_kernel_does(void **state)
{
	struct uml_machine machine = plain();
	struct uml_args args;
	struct why why = { "" };

	(void)state;
	machine.interface_count = 200;
	assert_int_equal(uml_args_build(&args, &machine, &why), -E2BIG);
	assert_non_null(strstr(why.text, "fewer interfaces"));
	machine.interface_count = 100;
	assert_int_equal(uml_args_build(&args, &machine, &why), 0);
	uml_args_free(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_agents_port_comes_first_then_the_cards_in_order),
		cmocka_unit_test(an_image_file_is_the_first_block_device),
		cmocka_unit_test(the_users_parameter_replaces_ours_of_that_name),
		cmocka_unit_test(what_netlab_stands_on_is_refused),
		cmocka_unit_test(
			seccomp_is_asked_of_kernels_that_know_it_and_the_user_may_say_no),
		cmocka_unit_test(virtual_time_asks_for_all_that_makes_runs_the_same),
		cmocka_unit_test(
			work_has_a_price_in_virtual_time_and_with_a_kernel_that_knows),
		cmocka_unit_test(too_many_interfaces_are_refused_before_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
