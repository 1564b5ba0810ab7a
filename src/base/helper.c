/* SPDX-License-Identifier: MIT */
#include "base/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

/* Shared with the process, which writes it once. */
struct outcome {
	bool done;
	int err;
	struct why why;
	size_t size;
	uint8_t bytes[];
};

struct helper {
	pid_t pid;
	int fd;
	bool over;
	unsigned limit_ms;
	size_t room;
	struct outcome *outcome;
};

static size_t mapped_bytes(const struct helper *helper)
{
	return sizeof(struct outcome) + helper->room;
}

/* An alarm ends us: it works when we wait as well as when we compute. */
static void limit_time(unsigned limit_ms)
{
	const struct itimerval due = { .it_value = {
					       .tv_sec = limit_ms / 1000,
					       .tv_usec = limit_ms % 1000 * 1000,
				       } };
	sigset_t none;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setitimer(ITIMER_REAL, &due, NULL);
}

static _Noreturn void be_helper(const struct helper *helper, helper_fn *work, void *ctx)
{
	struct outcome *outcome = helper->outcome;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A client that hangs up is to see its connection closed. */
	syscall(SYS_close_range, 3u, ~0u, 0u);
	limit_time(helper->limit_ms);
	outcome->err = work(ctx, outcome->bytes, helper->room, &outcome->size,
			    &outcome->why);
	__atomic_store_n(&outcome->done, true, __ATOMIC_RELEASE);
	_exit(0);
}

int helper_start(struct helper **out, helper_fn *work, void *ctx, size_t room,
		 unsigned limit_ms, struct why *why)
{
	struct helper *helper = calloc(1, sizeof(*helper));

	if (!helper)
		return why_set(why, -ENOMEM, "a helper process: out of memory");
	helper->room = room;
	helper->limit_ms = limit_ms;
	helper->outcome = mmap(NULL, mapped_bytes(helper), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (helper->outcome == MAP_FAILED) {
		free(helper);
		return why_errno(why, -ENOMEM, "a helper process");
	}
	helper->fd = -1;
	helper->pid = fork();
	if (helper->pid == 0)
		be_helper(helper, work, ctx);
	if (helper->pid > 0)
		helper->fd = (int)syscall(SYS_pidfd_open, helper->pid, 0);
	if (helper->fd < 0) {
		int err = -errno;

		helper_free(helper);
		return why_errno(why, err, "a helper process");
	}
	*out = helper;
	return 0;
}

int helper_fd(const struct helper *helper)
{
	return helper->fd;
}

static void reap(struct helper *helper)
{
	while (!helper->over && waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	helper->over = true;
}

int helper_wait(struct helper *helper, const uint8_t **bytes, size_t *size,
		struct why *why)
{
	const struct outcome *outcome = helper->outcome;

	reap(helper);
	if (!__atomic_load_n(&outcome->done, __ATOMIC_ACQUIRE))
		return why_set(why, -ETIMEDOUT, "it takes longer than %u ms",
			       helper->limit_ms);
	if (outcome->err)
		return why_set(why, outcome->err, "%s", outcome->why.text);
	ASSERT(outcome->size <= helper->room);
	*bytes = outcome->bytes;
	*size = outcome->size;
	return 0;
}

void helper_free(struct helper *helper)
{
	if (!helper)
		return;
	if (helper->pid > 0 && !helper->over) {
		kill(helper->pid, SIGKILL);
		reap(helper);
	}
	if (helper->fd >= 0)
		close(helper->fd);
	munmap(helper->outcome, mapped_bytes(helper));
	free(helper);
}
