# Tests on real machines.  Each is a program of tests/lab; it skips (77) only where
# `netlab doctor` says that machines cannot run.
if(TARGET netlab)
	add_executable(lab_blast lab/blast.c)
	# Static, so that it runs in any machine, and then without sanitizers.
	target_compile_options(lab_blast PRIVATE -fno-sanitize=all)
	target_link_options(lab_blast PRIVATE -static -fno-sanitize=all)

	# lab_test(NAME SECONDS [SERIAL]): tests/lab/NAME.py.  SERIAL: it measures
	# time, or kills at moments, so nothing else may run beside it.
	function(lab_test name seconds)
		add_test(NAME lab_${name} COMMAND Python3::Interpreter -u
			${CMAKE_CURRENT_SOURCE_DIR}/lab/${name}.py)
		set_tests_properties(lab_${name} PROPERTIES LABELS lab
			TIMEOUT ${seconds} SKIP_RETURN_CODE 77
			ENVIRONMENT "NETLAB=$<TARGET_FILE:netlab>;NETLAB_BLAST=$<TARGET_FILE:lab_blast>;PYTHONDONTWRITEBYTECODE=1")
		if("SERIAL" IN_LIST ARGN)
			set_tests_properties(lab_${name} PROPERTIES RUN_SERIAL TRUE)
		endif()
	endfunction()

	lab_test(triangle 180 SERIAL)
	lab_test(topologies 300)
	lab_test(exec 240)
	lab_test(shell 180)
	lab_test(cp 120)
	lab_test(events 180)
	lab_test(two_labs 180)
	lab_test(images 180)
	lab_test(failing 240)
	lab_test(confinement 240)
	lab_test(redis 240)
	lab_test(worked_labs 240)
	lab_test(partitions 240)
	lab_test(captures 240)
	lab_test(faults 600 SERIAL)
	lab_test(kill 600 SERIAL)
endif()
