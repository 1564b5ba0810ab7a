# The ground floor: errors, event loop, clock; and what keeps the sources tidy.
unit_test(test_why SOURCES unit/test_why.c LIBS nl_base)
unit_test(test_histogram SOURCES unit/test_histogram.c LIBS nl_base)
add_library(test_damaged STATIC lib/damaged.c)
target_include_directories(test_damaged PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(test_damaged PUBLIC nl_base PkgConfig::CMOCKA)
unit_test(test_record SOURCES unit/test_record.c LIBS test_damaged)
unit_test(test_loop SOURCES unit/test_loop.c LIBS nl_base)
unit_test(test_timer_heap SOURCES unit/test_timer_heap.c LIBS nl_clock)
unit_test(test_exchange SOURCES unit/test_exchange.c LIBS nl_clock)
unit_test(test_clock SOURCES unit/test_clock.c LIBS nl_clock)
unit_test(test_turns SOURCES unit/test_turns.c LIBS nl_clock)
unit_test(test_guest_clock SOURCES unit/test_guest_clock.c LIBS nl_clock)
unit_test(test_calendar SOURCES unit/test_calendar.c LIBS nl_clock)
unit_test(test_calendar_saved SOURCES unit/test_calendar_saved.c
	LIBS nl_clock test_damaged)
unit_test(test_vtime SOURCES unit/test_vtime.c LIBS nl_clock)
unit_test(test_vtime_slow SOURCES unit/test_vtime_slow.c LIBS nl_clock)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME tidy COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/tidy/tidy.py)
add_test(NAME test_tidy
	COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/tidy/test_tidy.py)
# Of one build: they all have the same sources.
if(CMAKE_C_COMPILER_ID STREQUAL Clang AND NOT NETLAB_SANITIZE AND NOT NETLAB_FUZZ)
	add_test(NAME clang_tidy
		COMMAND ${CMAKE_SOURCE_DIR}/tests/tidy/clang_tidy ${CMAKE_BINARY_DIR})
	set_tests_properties(clang_tidy PROPERTIES LABELS tidy TIMEOUT 300
		SKIP_RETURN_CODE 77)
endif()
set_tests_properties(tidy test_tidy PROPERTIES LABELS tidy TIMEOUT 60
	ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
