# SPDX-License-Identifier: MIT
add_executable(bench_switch_core EXCLUDE_FROM_ALL
	${CMAKE_CURRENT_LIST_DIR}/bench_switch_core.c)
target_link_libraries(bench_switch_core PRIVATE nl_switch)
