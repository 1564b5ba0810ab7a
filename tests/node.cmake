# Processes and files of the host; the walls around a lab and around a machine.
unit_test(test_node_proc SOURCES unit/test_node_proc.c LIBS nl_base)
unit_test(test_node_fdio SOURCES unit/test_node_fdio.c LIBS nl_base)
unit_test(test_node_args SOURCES unit/test_node_args.c LIBS nl_node)
unit_test(test_cgroup SOURCES unit/test_cgroup.c LIBS nl_node)
unit_test(test_preload SOURCES unit/test_preload.c LIBS dl)
target_compile_definitions(test_preload PRIVATE
	PRELOAD_LIBRARY="$<TARGET_FILE:netlab-preload>")
add_dependencies(test_preload netlab-preload)
unit_test(test_sandbox SOURCES unit/test_sandbox.c unit/sandbox_scene.c
	LIBS nl_node nl_clock util)
set_tests_properties(test_sandbox PROPERTIES SKIP_RETURN_CODE 77)
# Put in the place of a machine's kernel, where no sanitizer could live.
add_executable(sandbox_probe unit/sandbox_probe.c)
target_compile_options(sandbox_probe PRIVATE -fno-sanitize=all)
target_link_options(sandbox_probe PRIVATE -fno-sanitize=all -static)
unit_test(test_sandbox_jail SOURCES unit/test_sandbox_jail.c unit/sandbox_scene.c
	LIBS nl_node nl_clock)
target_compile_definitions(test_sandbox_jail PRIVATE
	SANDBOX_PROBE="$<TARGET_FILE:sandbox_probe>")
add_dependencies(test_sandbox_jail sandbox_probe)
set_tests_properties(test_sandbox_jail PROPERTIES SKIP_RETURN_CODE 77)
# A machine of its own, with an /init that looks around.
add_executable(test_node_guest unit/test_node_guest.c)
target_compile_options(test_node_guest PRIVATE -fno-sanitize=all)
target_link_options(test_node_guest PRIVATE -fno-sanitize=all -static)
set(guest_initramfs ${CMAKE_CURRENT_BINARY_DIR}/test_node_guest.cpio)
add_custom_command(OUTPUT ${guest_initramfs}
	COMMAND mkinitramfs $<TARGET_FILE:test_node_guest> ${guest_initramfs}
	DEPENDS mkinitramfs test_node_guest VERBATIM)
add_custom_target(test_node_guest_initramfs ALL DEPENDS ${guest_initramfs})
unit_test(test_node_boot LABEL lab
	SOURCES unit/test_node_boot.c unit/sandbox_scene.c LIBS nl_node nl_clock util)
target_compile_definitions(test_node_boot PRIVATE GUEST_INITRAMFS="${guest_initramfs}"
	PRELOAD_LIBRARY="$<TARGET_FILE:netlab-preload>")
add_dependencies(test_node_boot test_node_guest_initramfs netlab-preload)
set_tests_properties(test_node_boot PROPERTIES SKIP_RETURN_CODE 77)
unit_test(test_herd SOURCES unit/test_herd.c LIBS nl_node)
