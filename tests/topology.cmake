# The topology compiler: units, files of samples, and a fuzzer.
unit_test(test_units SOURCES unit/test_units.c LIBS nl_base)

add_executable(topology_verdict samples/verdict.c)
target_link_libraries(topology_verdict PRIVATE nl_topology)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME topology_samples
	COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/samples/check.py
		$<TARGET_FILE:topology_verdict> ${CMAKE_SOURCE_DIR})
set_tests_properties(topology_samples PROPERTIES LABELS unit TIMEOUT 60)
foreach(area "" _read _routes _faults)
	unit_test(test_topology${area} SOURCES unit/test_topology${area}.c LIBS nl_topology)
endforeach()
fuzz_target(fuzz_topology SOURCES fuzz/fuzz_topology.c LIBS nl_topology)
