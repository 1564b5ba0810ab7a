# The ground floor: errors, event loop, clock; and what keeps the sources tidy.
unit_test(test_why SOURCES unit/test_why.c LIBS nl_base)
unit_test(test_loop SOURCES unit/test_loop.c LIBS nl_base)
unit_test(test_timer_heap SOURCES unit/test_timer_heap.c LIBS nl_clock)
unit_test(test_clock SOURCES unit/test_clock.c LIBS nl_clock)
