/* SPDX-License-Identifier: MIT */
/* port.h - where frames enter and leave: delivery, backlog, taps */
#ifndef NL_SWITCH_PORT_H
#define NL_SWITCH_PORT_H

#include "switch/core.h"

/* A frame has come from the guest. */
void port_enter(struct sw *sw, struct port *port, struct frame frame);
/* A frame has come to the port: to the guest, or into the backlog. */
void port_deliver(struct sw *sw, struct port *port, struct transit *transit);
/* Deliver the backlog as far as the guest takes it. */
void port_drain(struct sw *sw, struct port *port);
void port_set_up(struct sw *sw, struct port *port, bool up);

/* Show the frame to the tap of the port where it entered: not dropped at once;
 * dropped. */
void port_tap_enter(struct sw *sw, struct transit *transit);
void port_tap_drop(struct sw *sw, struct transit *transit, enum sw_fate fate);

#endif
