# The topology compiler: units, files of samples, and a fuzzer.
unit_test(test_units SOURCES unit/test_units.c LIBS nl_base)

add_executable(topology_verdict samples/verdict.c)
target_link_libraries(topology_verdict PRIVATE nl_topology)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME topology_samples
	COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/samples/check.py
		$<TARGET_FILE:topology_verdict> ${CMAKE_SOURCE_DIR})
set_tests_properties(topology_samples PROPERTIES LABELS unit TIMEOUT 60)
unit_test(test_topology SOURCES unit/test_topology.c LIBS nl_topology)
unit_test(test_topology_time SOURCES unit/test_topology_time.c LIBS nl_topology)
unit_test(test_topology_read SOURCES unit/test_topology_read.c LIBS nl_topology)
unit_test(test_topology_routes SOURCES unit/test_topology_routes.c LIBS nl_topology)
unit_test(test_topology_faults SOURCES unit/test_topology_faults.c LIBS nl_topology)
fuzz_target(fuzz_topology SOURCES fuzz/fuzz_topology.c LIBS nl_topology)
