# Kernels: the parts; the commands are tried in cli/test_kernel.py.
unit_test(test_kernel_parts SOURCES unit/test_kernel_parts.c LIBS nl_kernel)
unit_test(test_kernel_file SOURCES unit/test_kernel_file.c LIBS nl_kernel)

# netlab's own kernel: what can be said of guest/ without booting it.

add_test(NAME kernel_series COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/kernel/test_series.py)
set_tests_properties(kernel_series PROPERTIES LABELS tidy TIMEOUT 60)
# Skipped where no kernel source is at hand.
add_test(NAME kernel_patches_apply
	COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/kernel/test_apply.py)
set_tests_properties(kernel_patches_apply PROPERTIES LABELS tidy SKIP_RETURN_CODE 77
	TIMEOUT 300)
