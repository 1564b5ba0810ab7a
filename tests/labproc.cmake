# The lab process: its parts, its machines (played by the test), its control socket.
set(fake_lab lib/fake_lab.c lib/fake_machine.c)

unit_test(test_lab_state SOURCES unit/test_lab_state.c LIBS nl_lab)
unit_test(test_lab_parts SOURCES unit/test_lab_parts.c LIBS nl_lab)
unit_test(test_lab_targets SOURCES unit/test_lab_targets.c LIBS nl_lab)
unit_test(test_lab_machine SOURCES unit/test_lab_machine.c ${fake_lab} LIBS nl_lab)
unit_test(test_lab_record SOURCES unit/test_lab_record.c ${fake_lab} LIBS nl_lab)
unit_test(test_lab_patience SOURCES unit/test_lab_patience.c lib/talk.c ${fake_lab}
	LIBS nl_lab)
unit_test(test_lab_control SOURCES unit/test_lab_control.c lib/talk.c ${fake_lab}
	LIBS nl_lab)
unit_test(test_lab_look SOURCES unit/test_lab_look.c lib/talk.c ${fake_lab}
	LIBS nl_lab)
unit_test(test_lab_faults SOURCES unit/test_lab_faults.c lib/talk.c ${fake_lab}
	LIBS nl_lab test_word_rows)
unit_test(test_lab_extremes SOURCES unit/test_lab_extremes.c lib/talk.c ${fake_lab}
	LIBS nl_lab)
unit_test(test_lab_commands SOURCES unit/test_lab_commands.c lib/talk.c ${fake_lab}
	LIBS nl_lab)
unit_test(test_lab_gate SOURCES unit/test_lab_gate.c lib/talk.c ${fake_lab}
	LIBS nl_cli nl_lab)
unit_test(test_lab_inputs SOURCES unit/test_lab_inputs.c LIBS nl_lab)
unit_test(test_lab_recorded SOURCES unit/test_lab_recorded.c LIBS nl_lab)
unit_test(test_lab_digest SOURCES unit/test_lab_digest.c LIBS nl_lab)
fuzz_target(fuzz_control SOURCES fuzz/fuzz_control.c ${fake_lab} LIBS nl_lab)
unit_test(test_fidelity SOURCES unit/test_fidelity.c LIBS nl_lab test_fault_rig)
unit_test(test_explain SOURCES sim/test_explain.c LABEL sim LIBS nl_cli nl_lab)
unit_test(test_replay SOURCES sim/test_replay.c LABEL sim LIBS nl_lab)
target_compile_definitions(test_replay PRIVATE
	EVERY_WORD_JSON="${CMAKE_CURRENT_SOURCE_DIR}/words/every_word.json")
fuzz_target(fuzz_pcapng SOURCES fuzz/fuzz_pcapng.c LIBS nl_capture)

failing_test(test_failing_requests SOURCES unit/test_failing_requests.c lib/talk.c
	${fake_lab} LIBS nl_lab test_word_rows)
unit_test(test_placement SOURCES unit/test_placement.c LIBS nl_lab)
