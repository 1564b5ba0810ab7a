# Tests on real machines.  Each is a program of tests/lab; it skips (77) only where
# `netlab doctor` says that machines cannot run.
if(TARGET netlab)
	add_executable(lab_blast lab/blast.c)
	# Static, so that it runs in any machine, and then without sanitizers.
	target_compile_options(lab_blast PRIVATE -fno-sanitize=all)
	target_link_options(lab_blast PRIVATE -static -fno-sanitize=all)

	# What runs in machines to try their kernels.
	add_executable(lab_probe guest/probe.c guest/probe_block.c guest/probe_bpf.c
		guest/probe_fuse.c guest/probe_ipc.c guest/probe_net.c guest/probe_sys.c)
	add_executable(lab_cpu guest/cpu.c guest/cpu_forks.c guest/cpu_frames.c
		guest/cpu_signal.c guest/cpu_state.c guest/cpu_switches.c guest/cpu_threads.c)
	add_executable(lab_patches guest/patches.c)
	foreach(program lab_probe lab_cpu lab_patches)
		target_include_directories(${program} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
		target_compile_options(${program} PRIVATE -fno-sanitize=all)
		target_link_options(${program} PRIVATE -static -fno-sanitize=all)
	endforeach()
	# Where its code lies is known, so that one can say if an address is in it.
	add_executable(lab_spin lab/spin.c)
	target_compile_options(lab_spin PRIVATE -fno-sanitize=all -fno-pie)
	target_link_options(lab_spin PRIVATE -static -fno-sanitize=all)
	add_executable(lab_chatter lab/chatter.c)
	target_compile_options(lab_chatter PRIVATE -fno-sanitize=all)
	target_link_options(lab_chatter PRIVATE -static -fno-sanitize=all)

	# Booted by itself, in place of the agent.
	set(lab_patches ${CMAKE_CURRENT_BINARY_DIR}/lab_patches.cpio)
	add_custom_command(OUTPUT ${lab_patches}
		COMMAND mkinitramfs $<TARGET_FILE:lab_patches> ${lab_patches}
		DEPENDS mkinitramfs lab_patches VERBATIM)
	add_custom_target(lab_patches_cpio ALL DEPENDS ${lab_patches})

	# lab_test(NAME SECONDS [SERIAL]): tests/lab/NAME.py.  SERIAL: it measures
	# time, or kills at moments, so nothing else may run beside it.
	function(lab_test name seconds)
		add_test(NAME lab_${name} COMMAND Python3::Interpreter -u
			${CMAKE_CURRENT_SOURCE_DIR}/lab/${name}.py)
		set_tests_properties(lab_${name} PROPERTIES LABELS lab
			TIMEOUT ${seconds} SKIP_RETURN_CODE 77
			ENVIRONMENT "NETLAB=$<TARGET_FILE:netlab>;NETLAB_BLAST=$<TARGET_FILE:lab_blast>;NETLAB_CHATTER=$<TARGET_FILE:lab_chatter>;NETLAB_SPIN=$<TARGET_FILE:lab_spin>;NETLAB_PROBE=$<TARGET_FILE:lab_probe>;NETLAB_CPU=$<TARGET_FILE:lab_cpu>;NETLAB_PATCHES=${lab_patches};PYTHONDONTWRITEBYTECODE=1")
		if("SERIAL" IN_LIST ARGN)
			set_tests_properties(lab_${name} PROPERTIES RUN_SERIAL TRUE)
		endif()
	endfunction()

	lab_test(triangle 180 SERIAL)
	lab_test(topologies 600)
	lab_test(exec 240)
	lab_test(shell 180)
	lab_test(cp 120)
	lab_test(machine 400)
	lab_test(events 180)
	lab_test(json_shapes 240)
	lab_test(record 400)
	lab_test(two_labs 180)
	lab_test(processors 180)
	lab_test(benchmarks 300)
	lab_test(images 180)
	lab_test(failing 240)
	lab_test(confinement 240)
	lab_test(redis 240)
	lab_test(worked_labs 240)
	lab_test(partitions 240)
	lab_test(captures 240)
	lab_test(kernel_features 600)
	lab_test(kernel_cpu 400)
	lab_test(kernel_patches 400)
	lab_test(software 900)
	lab_test(ordinary 300)
	lab_test(turns 400)
	lab_test(many 600)
	lab_test(fault_models 240)
	lab_test(replay 240)
	lab_test(replay_run 300)
	lab_test(fidelity 240 SERIAL)
	lab_test(virtual 600)
	lab_test(virtual_same 300)
	lab_test(waiting 600)
	lab_test(virtual_captures 300)
	lab_test(node_clocks 240)
	lab_test(life 240)
	lab_test(virtual_life 240)
	lab_test(virtual_record 240)
	lab_test(faults 600 SERIAL)
	lab_test(kill 600 SERIAL)
endif()
