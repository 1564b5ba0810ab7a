# SPDX-License-Identifier: MIT
unit_test(test_draw SOURCES unit/test_draw.c LIBS nl_base)
unit_test(test_fault SOURCES unit/test_fault.c LIBS nl_linkfault)
add_library(test_sim STATIC sim/sim.c)
target_include_directories(test_sim PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(test_sim PUBLIC nl_switch nl_clock PkgConfig::CMOCKA)
unit_test(test_switch SOURCES sim/test_switch.c LABEL sim LIBS test_sim)
