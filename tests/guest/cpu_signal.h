/* SPDX-License-Identifier: MIT */
/* cpu_signal.h - signals for cpu_frames.c, which cannot include <signal.h>: it knows the
 * kernel's own layout of a frame, and the C library's has the same names.
 *
 * Handlers run on a stack of their own.  They get the frame's floating-point state, or
 * NULL.
 */
#ifndef CPU_SIGNAL_H
#define CPU_SIGNAL_H

#include <stdbool.h>

typedef void cpu_handler(void *floating_point);

/* SIGALRM and SIGUSR1 go to on_signal, SIGSEGV to on_fault; 0 or -1. */
int cpu_signal_setup(cpu_handler *on_signal, cpu_handler *on_fault);
/* SIGUSR1 to this thread. */
void cpu_signal_raise(void);
bool cpu_signal_is_blocked(void);

#endif
