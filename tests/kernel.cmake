# Kernels: the parts; the commands are tried in cli/test_kernel.py.
unit_test(test_kernel_parts SOURCES unit/test_kernel_parts.c LIBS nl_kernel)
