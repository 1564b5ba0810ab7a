# SPDX-License-Identifier: MIT
unit_test(test_draw SOURCES unit/test_draw.c LIBS nl_base)
unit_test(test_fault SOURCES unit/test_fault.c LIBS nl_linkfault)
