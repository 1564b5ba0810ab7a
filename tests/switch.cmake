# SPDX-License-Identifier: MIT
unit_test(test_draw SOURCES unit/test_draw.c LIBS nl_base)
unit_test(test_filter SOURCES unit/test_filter.c LIBS nl_linkfault)
unit_test(test_note SOURCES unit/test_note.c LIBS nl_linkfault)
add_library(test_fault_rig STATIC lib/fault_rig.c)
target_include_directories(test_fault_rig PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(test_fault_rig PUBLIC nl_topology PkgConfig::CMOCKA m)
unit_test(test_fault SOURCES unit/test_fault.c LIBS test_fault_rig)
unit_test(test_fault_line SOURCES unit/test_fault_line.c LIBS test_fault_rig)
unit_test(test_fault_edit SOURCES unit/test_fault_edit.c LIBS nl_linkfault)
unit_test(test_fault_stats SOURCES unit/test_fault_stats.c LIBS test_fault_rig)
add_library(test_sim STATIC sim/sim.c)
target_include_directories(test_sim PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(test_sim PUBLIC nl_switch nl_clock PkgConfig::CMOCKA)
unit_test(test_switch SOURCES sim/test_switch.c LABEL sim LIBS test_sim)
unit_test(test_switch_faults SOURCES sim/test_switch_faults.c LABEL sim LIBS nl_switch)
unit_test(test_switch_floor SOURCES sim/test_switch_floor.c LABEL sim LIBS nl_switch)
unit_test(test_switch_trail SOURCES sim/test_switch_trail.c LABEL sim LIBS test_sim)
unit_test(test_switch_port SOURCES sim/test_switch_port.c LABEL sim LIBS test_sim)
unit_test(test_switch_segment SOURCES sim/test_switch_segment.c LABEL sim LIBS test_sim)
unit_test(test_switch_properties SOURCES sim/test_switch_properties.c LABEL sim
	LIBS test_sim)
# All words of a fault, and a wire to try them on.
add_library(test_word_rows STATIC lib/word_rows.c lib/one_wire.c)
target_include_directories(test_word_rows PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(test_word_rows PUBLIC nl_switch nl_faultwords PkgConfig::CMOCKA)
unit_test(test_switch_renewal SOURCES sim/test_switch_renewal.c LABEL sim LIBS test_word_rows)
unit_test(test_fault_extremes SOURCES unit/test_fault_extremes.c
	LIBS test_fault_rig test_word_rows)
unit_test(test_switch_words SOURCES sim/test_switch_words.c LABEL sim LIBS test_word_rows)
unit_test(test_switch_saved SOURCES sim/test_switch_saved.c LABEL sim
	LIBS nl_switch nl_topology test_damaged)
unit_test(test_switch_parts SOURCES sim/test_switch_parts.c LABEL sim LIBS nl_switch)
unit_test(test_cut_draw SOURCES sim/test_cut_draw.c LABEL sim LIBS nl_switch nl_topology)

# Captures are read back with the programs that people read them with.
add_library(test_capture_lib STATIC unit/capture_lib.c)
target_include_directories(test_capture_lib PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(test_capture_lib PUBLIC nl_capture PkgConfig::PCAP PkgConfig::CMOCKA)
unit_test(test_capture_file SOURCES unit/test_capture_file.c LIBS test_capture_lib)
unit_test(test_capture_pipe SOURCES unit/test_capture_pipe.c LIBS test_capture_lib)

fuzz_target(fuzz_frame SOURCES fuzz/fuzz_frame.c LIBS nl_switch)

# The table of fault words, held against all the places where people and tests look for them.
add_executable(word_table words/word_table.c)
target_link_libraries(word_table PRIVATE nl_linkfault)
if(TARGET netlab)
	add_test(NAME fault_words COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/words/fault_words.py $<TARGET_FILE:word_table>
		$<TARGET_FILE:netlab>)
	set_tests_properties(fault_words PROPERTIES LABELS unit TIMEOUT 60)
endif()
