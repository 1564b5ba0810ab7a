# The command line.  Its whole is tried against a fake lab; the pure parts have tests
# of their own.  Against real machines: tests/lab.
if(TARGET netlab)
	unit_test(test_cli_words SOURCES unit/test_cli_words.c LIBS nl_cli)
	unit_test(test_cli_streams SOURCES unit/test_cli_streams.c LIBS nl_cli)
	unit_test(test_cli_client SOURCES unit/test_cli_client.c LIBS nl_cli)

	add_test(NAME cli COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/cli/test_cli.py)
	# Whole processes and terminals, so seconds: not among the unit tests.
	set_tests_properties(cli PROPERTIES LABELS cli TIMEOUT 180
		ENVIRONMENT "NETLAB=$<TARGET_FILE:netlab>;NETLAB_AGENT=$<TARGET_FILE:netlab-agent>;PYTHONDONTWRITEBYTECODE=1")

	foreach(part streams measures)
		add_test(NAME cli_${part} COMMAND Python3::Interpreter
			${CMAKE_CURRENT_SOURCE_DIR}/cli/test_${part}.py)
		set_tests_properties(cli_${part} PROPERTIES LABELS cli TIMEOUT 400
			ENVIRONMENT "NETLAB=$<TARGET_FILE:netlab>;NETLAB_AGENT=$<TARGET_FILE:netlab-agent>;PYTHONDONTWRITEBYTECODE=1")
	endforeach()

	# The program, of which a call fails that is named in its environment.
	add_executable(netlab_failing ${CMAKE_SOURCE_DIR}/src/cli/netlab.c
		lib/failing_program.c)
	target_include_directories(netlab_failing PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(netlab_failing PRIVATE nl_cli)
	make_failing(netlab_failing)
	add_executable(agent_failing ${CMAKE_SOURCE_DIR}/src/agent/main.c
		lib/failing_program.c)
	target_include_directories(agent_failing PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(agent_failing PRIVATE nl_agent)
	make_failing(agent_failing)
	add_test(NAME cli_failing COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/cli/test_failing.py)
	set_tests_properties(cli_failing PROPERTIES LABELS cli TIMEOUT 300
		ENVIRONMENT "NETLAB=$<TARGET_FILE:netlab_failing>;NETLAB_AGENT=$<TARGET_FILE:netlab-agent>;NETLAB_AGENT_FAILING=$<TARGET_FILE:agent_failing>;PYTHONDONTWRITEBYTECODE=1")

	add_test(NAME documents COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/docs/test_shown.py)
	set_tests_properties(documents PROPERTIES LABELS cli TIMEOUT 120
		ENVIRONMENT "NETLAB=$<TARGET_FILE:netlab>;NETLAB_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")

	add_test(NAME cli_kernel COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/cli/test_kernel.py)
	set_tests_properties(cli_kernel PROPERTIES LABELS cli TIMEOUT 300
		ENVIRONMENT "NETLAB=$<TARGET_FILE:netlab>;PYTHONDONTWRITEBYTECODE=1")
endif()
