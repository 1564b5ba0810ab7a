/* SPDX-License-Identifier: MIT */
#include "guest/cpu_signal.h"

#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

enum { STACK_BYTES = 1 << 17 };

static cpu_handler *signal_handler, *fault_handler;

static void handle(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)info;
	(number == SIGSEGV ? fault_handler : signal_handler)(at->uc_mcontext.fpregs);
}

int cpu_signal_setup(cpu_handler *on_signal, cpu_handler *on_fault)
{
	static char memory[STACK_BYTES];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
	struct sigaction action = { .sa_sigaction = handle,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	signal_handler = on_signal;
	fault_handler = on_fault;
	if (sigaltstack(&stack, NULL) || sigaction(SIGALRM, &action, NULL) ||
	    sigaction(SIGUSR1, &action, NULL) || sigaction(SIGSEGV, &action, NULL))
		return -1;
	return 0;
}

void cpu_signal_raise(void)
{
	raise(SIGUSR1);
}

bool cpu_signal_is_blocked(void)
{
	sigset_t set;

	return sigprocmask(SIG_BLOCK, NULL, &set) || sigismember(&set, SIGUSR1);
}
