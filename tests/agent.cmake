# The agent: its protocol, and all of it that can run without a machine.
set(agent_rig unit/agent_rig.c)
# Under sanitizers the agent that is talked to has them too; else it is the very
# program that goes into machines.
if(NETLAB_SANITIZE)
	set(agent_target netlab-agent-serve)
else()
	set(agent_target netlab-agent)
endif()
function(agent_test name source)
	unit_test(${name} SOURCES ${source} ${agent_rig} LIBS nl_agentproto)
	target_compile_definitions(${name} PRIVATE
		AGENT_PATH="$<TARGET_FILE:${agent_target}>")
	add_dependencies(${name} ${agent_target})
endfunction()

agent_test(test_agent_exec unit/test_agent_exec.c)
agent_test(test_agent_tty unit/test_agent_tty.c)
agent_test(test_agent_flow unit/test_agent_flow.c)
agent_test(test_agent_service unit/test_agent_service.c)

unit_test(test_proto SOURCES unit/test_proto.c LIBS nl_agentproto)
unit_test(test_closed SOURCES unit/test_closed.c LIBS nl_agent nl_node)
unit_test(test_tree SOURCES unit/test_tree.c LIBS nl_agentproto)
failing_test(test_failing_tree SOURCES unit/test_failing_tree.c LIBS nl_agentproto)
unit_test(test_agent_config SOURCES unit/test_agent_config.c LIBS nl_agent)
unit_test(test_agent_net SOURCES unit/test_agent_net.c LIBS nl_agent)
unit_test(test_agent_parts SOURCES unit/test_agent_parts.c LIBS nl_agent)
target_compile_definitions(test_agent_parts PRIVATE
	MKINITRAMFS_PATH="$<TARGET_FILE:mkinitramfs>")
add_dependencies(test_agent_parts mkinitramfs)

fuzz_target(fuzz_agent_proto SOURCES fuzz/fuzz_agent_proto.c LIBS nl_agent)

add_test(NAME agent_probe COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/agent/test_probe.py)
set_tests_properties(agent_probe PROPERTIES LABELS unit TIMEOUT 60
	ENVIRONMENT "NETLAB_AGENT=$<TARGET_FILE:netlab-agent>;PYTHONDONTWRITEBYTECODE=1")
