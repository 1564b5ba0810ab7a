# The agent: its protocol, and all of it that can run without a machine.
set(agent_rig unit/agent_rig.c)
# Under sanitizers the agent that is talked to has them too; else it is the very
# program that goes into machines.
if(NETLAB_SANITIZE)
	set(agent_target netlab-agent-serve)
else()
	set(agent_target netlab-agent)
endif()
function(agent_test name)
	unit_test(${name} SOURCES unit/${name}.c ${agent_rig} LIBS nl_agentproto)
	target_compile_definitions(${name} PRIVATE
		AGENT_PATH="$<TARGET_FILE:${agent_target}>")
	add_dependencies(${name} ${agent_target})
endfunction()

agent_test(test_agent_exec)
agent_test(test_agent_tty)
agent_test(test_agent_flow)
agent_test(test_agent_service)
