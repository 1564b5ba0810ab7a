# SPDX-License-Identifier: MIT
set(fake_guest lib/fake_guest.c lib/fake_ring.c)
set(vnet_rig lib/vnet_rig.c ${fake_guest})

unit_test(test_vnet SOURCES unit/test_vnet.c ${vnet_rig} LIBS nl_virtio)
unit_test(test_vrubbish_message SOURCES unit/test_vrubbish_message.c lib/rubbish.c
	${vnet_rig} LIBS nl_virtio)
unit_test(test_vrubbish_ring SOURCES unit/test_vrubbish_ring.c lib/rubbish.c ${vnet_rig}
	LIBS nl_virtio)
unit_test(test_vmemory SOURCES unit/test_vmemory.c LIBS nl_virtio)
unit_test(test_vconsole SOURCES unit/test_vconsole.c ${vnet_rig} LIBS nl_virtio)
unit_test(test_vinband SOURCES unit/test_vinband.c lib/inband_rig.c ${vnet_rig}
	LIBS nl_virtio)
unit_test(test_vrng SOURCES unit/test_vrng.c lib/inband_rig.c ${vnet_rig}
	LIBS nl_virtio)
unit_test(test_vrubbish_inband SOURCES unit/test_vrubbish_inband.c lib/inband_rig.c
	${vnet_rig} LIBS nl_virtio)
unit_test(test_vprocess SOURCES unit/test_vprocess.c ${vnet_rig} LIBS nl_virtio)

fuzz_target(fuzz_vring SOURCES fuzz/fuzz_vring.c LIBS nl_virtio)
fuzz_target(fuzz_vhost_message SOURCES fuzz/fuzz_vhost_message.c LIBS nl_virtio)
