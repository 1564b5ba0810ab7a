# SPDX-License-Identifier: MIT
set(fake_guest lib/fake_guest.c lib/fake_ring.c)
set(vnet_rig lib/vnet_rig.c ${fake_guest})

unit_test(test_vnet SOURCES unit/test_vnet.c ${vnet_rig} LIBS nl_device)
unit_test(test_vremind SOURCES unit/test_vremind.c ${vnet_rig} LIBS nl_device)
unit_test(test_vrubbish_message SOURCES unit/test_vrubbish_message.c lib/rubbish.c
	${vnet_rig} LIBS nl_device)
unit_test(test_vrubbish_ring SOURCES unit/test_vrubbish_ring.c lib/rubbish.c ${vnet_rig}
	LIBS nl_device)
unit_test(test_guest_signal SOURCES unit/test_guest_signal.c LIBS nl_device)
unit_test(test_vmemory SOURCES unit/test_vmemory.c LIBS nl_device)
unit_test(test_vconsole SOURCES unit/test_vconsole.c ${vnet_rig} LIBS nl_device)
unit_test(test_vinband SOURCES unit/test_vinband.c lib/inband_rig.c ${vnet_rig}
	LIBS nl_device)
unit_test(test_vrubbish_inband SOURCES unit/test_vrubbish_inband.c lib/inband_rig.c
	${vnet_rig} LIBS nl_device)
unit_test(test_vprocess SOURCES unit/test_vprocess.c ${vnet_rig} LIBS nl_device)

failing_test(test_failing_card SOURCES unit/test_failing_card.c ${vnet_rig}
	LIBS nl_device PkgConfig::JANSSON)

fuzz_target(fuzz_vring SOURCES fuzz/fuzz_vring.c LIBS nl_device)
fuzz_target(fuzz_vhost_message SOURCES fuzz/fuzz_vhost_message.c LIBS nl_device)

# A real kernel with the real agent, in virtual time.
set(agent_initramfs ${CMAKE_CURRENT_BINARY_DIR}/test_vinband_boot.cpio)
add_custom_command(OUTPUT ${agent_initramfs}
	COMMAND mkinitramfs $<TARGET_FILE:netlab-agent> ${agent_initramfs}
	DEPENDS mkinitramfs netlab-agent VERBATIM)
add_custom_target(test_vinband_boot_initramfs ALL DEPENDS ${agent_initramfs})
unit_test(test_vinband_boot LABEL lab SOURCES unit/test_vinband_boot.c
	LIBS nl_device nl_agentproto)
target_compile_definitions(test_vinband_boot PRIVATE AGENT_INITRAMFS="${agent_initramfs}")
add_dependencies(test_vinband_boot test_vinband_boot_initramfs)
set_tests_properties(test_vinband_boot PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 180)
