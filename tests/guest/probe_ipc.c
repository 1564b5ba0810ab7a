/* SPDX-License-Identifier: MIT */
/* What programs talk, wait and notify with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest/probe.h"

enum { ANSWER_MS = 5000, RING_ENTRIES = 8 };

static int run_sysv(char **args)
{
	struct {
		long type;
		char text[8];
	} sent = { 7, "sysv" }, got = { 0 };
	struct sembuf take = { .sem_num = 0, .sem_op = -1 };
	int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	int set = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	char *memory;
	int pid;

	(void)args;
	NEED(queue >= 0 && set >= 0 && segment >= 0, "make queue, semaphore, segment");
	memory = shmat(segment, NULL, 0);
	NEED(memory != (void *)-1, "attach");
	pid = fork();
	if (!pid) {
		struct sembuf give = { .sem_num = 0, .sem_op = 1 };

		snprintf(memory, 4096, "%s", "from a child");
		_exit(semop(set, &give, 1) || msgsnd(queue, &sent, sizeof(sent.text), 0));
	}
	NEED(!semop(set, &take, 1), "semaphore");
	NEED(!strcmp(memory, "from a child"), "shared memory says '%.20s'", memory);
	NEED(msgrcv(queue, &got, sizeof(got.text), 7, 0) == sizeof(got.text) &&
		     !strcmp(got.text, "sysv"),
	     "message");
	probe_child_ok(pid, "the child");
	NEED(!msgctl(queue, IPC_RMID, NULL) && !semctl(set, 0, IPC_RMID) &&
		     !shmctl(segment, IPC_RMID, NULL),
	     "remove");
	return 0;
}

static int run_mqueue(char **args)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	mqd_t queue = mq_open("/lab_probe", O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
	unsigned priority = 0;
	char text[64] = "";

	(void)args;
	NEED(queue >= 0, "mq_open");
	NEED(!mq_send(queue, "low", 4, 1) && !mq_send(queue, "high", 5, 9), "send");
	NEED(mq_receive(queue, text, sizeof(text), &priority) == 5 && priority == 9 &&
		     !strcmp(text, "high"),
	     "received '%s', priority %u", text, priority);
	NEED(!mq_unlink("/lab_probe"), "unlink");
	return 0;
}

static int run_inotify(char **args)
{
	char events[4096] __attribute__((aligned(8)));
	const struct inotify_event *event = (struct inotify_event *)events;
	int fd = inotify_init1(IN_CLOEXEC), file;

	(void)args;
	NEED(fd >= 0 && inotify_add_watch(fd, "/tmp", IN_CREATE) >= 0, "watch /tmp");
	file = open("/tmp/inotify-probe", O_CREAT | O_WRONLY, 0600);
	NEED(file >= 0 && !unlink("/tmp/inotify-probe"), "make a file");
	NEED(probe_wait(fd, ANSWER_MS) && read(fd, events, sizeof(events)) > 0,
	     "no event");
	NEED(event->mask & IN_CREATE && !strcmp(event->name, "inotify-probe"),
	     "event 0x%x %s", event->mask, event->name);
	return 0;
}

static int run_fanotify(char **args)
{
	struct fanotify_event_metadata event;
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY), file;

	(void)args;
	NEED(fd >= 0, "fanotify_init");
	NEED(!fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE_WRITE, AT_FDCWD,
			    "/tmp"),
	     "mark /tmp");
	file = open("/tmp/fanotify-probe", O_CREAT | O_WRONLY, 0600);
	NEED(file >= 0 && !close(file) && !unlink("/tmp/fanotify-probe"), "make a file");
	NEED(probe_wait(fd, ANSWER_MS) && read(fd, &event, sizeof(event)) > 0,
	     "no event");
	NEED(event.mask & FAN_CLOSE_WRITE, "event 0x%llx",
	     (unsigned long long)event.mask);
	return 0;
}

/* One epoll set that hears of an event, a timer and a signal. */
static int run_epoll(char **args)
{
	struct itimerspec soon = { .it_value = { .tv_nsec = 1000000 } };
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(0), fds[3], seen = 0;
	sigset_t signals;

	(void)args;
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	NEED(!sigprocmask(SIG_BLOCK, &signals, NULL), "sigprocmask");
	fds[0] = eventfd(1, 0);
	fds[1] = timerfd_create(CLOCK_MONOTONIC, 0);
	fds[2] = signalfd(-1, &signals, 0);
	NEED(!timerfd_settime(fds[1], 0, &soon, NULL) && !kill(getpid(), SIGUSR1),
	     "start");
	for (int i = 0; i < 3; i++) {
		event.data.u32 = 1U << i;
		NEED(fds[i] >= 0 && !epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event),
		     "add %d", i);
	}
	while (seen != 7) {
		NEED(epoll_wait(set, &event, 1, ANSWER_MS) == 1, "only 0x%x came", seen);
		seen |= (int)event.data.u32;
		NEED(!epoll_ctl(set, EPOLL_CTL_DEL, fds[__builtin_ctz(event.data.u32)],
				NULL),
		     "remove");
	}
	return 0;
}

static int run_aio(char **args)
{
	aio_context_t context = 0;
	char text[8] = "aio";
	int fd = open("/tmp/aio-probe", O_CREAT | O_RDWR, 0600);
	struct iocb block = { .aio_fildes = (uint32_t)fd,
			      .aio_lio_opcode = IOCB_CMD_PWRITE,
			      .aio_buf = (uintptr_t)text,
			      .aio_nbytes = 3 };
	struct iocb *blocks[] = { &block };
	struct io_event event = { 0 };

	(void)args;
	NEED(fd >= 0 && !syscall(SYS_io_setup, 4, &context), "io_setup");
	NEED(syscall(SYS_io_submit, context, 1, blocks) == 1, "io_submit");
	NEED(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1 &&
		     event.res == 3,
	     "io_getevents: %lld", (long long)event.res);
	NEED(pread(fd, text, sizeof(text), 0) == 3 && !unlink("/tmp/aio-probe"),
	     "read back");
	return 0;
}

/* ---- io_uring, without liburing ---- */

struct ring {
	int fd;
	struct io_uring_params params;
	struct io_uring_sqe *entries;
	char *memory;
};

static void ring_open(struct ring *ring)
{
	size_t bytes;

	*ring = (struct ring){ 0 };
	ring->fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &ring->params);
	NEED(ring->fd >= 0, "io_uring_setup");
	NEED(ring->params.features & IORING_FEAT_SINGLE_MMAP, "two maps: an old kernel");
	bytes = ring->params.cq_off.cqes +
		ring->params.cq_entries * sizeof(struct io_uring_cqe);
	if (bytes <
	    ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t))
		bytes = ring->params.sq_off.array +
			ring->params.sq_entries * sizeof(uint32_t);
	ring->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, ring->params.sq_entries * sizeof(struct io_uring_sqe),
			     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			     IORING_OFF_SQES);
	NEED(ring->memory != MAP_FAILED && ring->entries != MAP_FAILED, "map the rings");
}

static uint32_t *ring_at(struct ring *ring, uint32_t offset)
{
	return (uint32_t *)(ring->memory + offset);
}

/* Submit one, wait for it, return its result. */
static int ring_do(struct ring *ring, struct io_uring_sqe entry)
{
	uint32_t *tail = ring_at(ring, ring->params.sq_off.tail);
	uint32_t *head = ring_at(ring, ring->params.cq_off.head);
	uint32_t slot = *tail & *ring_at(ring, ring->params.sq_off.ring_mask);
	struct io_uring_cqe *done =
		(struct io_uring_cqe *)(ring->memory + ring->params.cq_off.cqes);
	int result;

	entry.user_data = 0xabc;
	ring->entries[slot] = entry;
	ring_at(ring, ring->params.sq_off.array)[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	NEED(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL,
		     0) == 1,
	     "io_uring_enter");
	NEED(__atomic_load_n(ring_at(ring, ring->params.cq_off.tail), __ATOMIC_ACQUIRE) !=
		     *head,
	     "no completion");
	done += *head & *ring_at(ring, ring->params.cq_off.ring_mask);
	NEED(done->user_data == 0xabc, "somebody else's completion");
	result = done->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

static int run_io_uring(char **args)
{
	struct ring ring;
	char text[8] = "";
	int ends[2], result;

	(void)args;
	ring_open(&ring);
	result = ring_do(&ring, (struct io_uring_sqe){ .opcode = IORING_OP_NOP });
	NEED(result == 0, "a nop returned %d", result);
	NEED(!pipe(ends), "pipe");
	result = ring_do(&ring, (struct io_uring_sqe){ .opcode = IORING_OP_WRITE,
						       .fd = ends[1],
						       .addr = (uintptr_t) "ring",
						       .len = 4 });
	NEED(result == 4, "a write returned %d", result);
	result = ring_do(&ring, (struct io_uring_sqe){ .opcode = IORING_OP_READ,
						       .fd = ends[0],
						       .addr = (uintptr_t)text,
						       .len = sizeof(text) });
	NEED(result == 4 && !strcmp(text, "ring"), "a read returned %d: '%s'", result,
	     text);
	return 0;
}

/* ---- page faults that a program answers ---- */

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

static void *answer_fault(void *ctx)
{
	static char page[4096] __attribute__((aligned(4096))) = "filled by a thread";
	int fd = *(int *)ctx;
	struct uffd_msg message;
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = sizeof(page) };

	NEED(probe_wait(fd, ANSWER_MS) && read(fd, &message, sizeof(message)) > 0,
	     "no fault");
	NEED(message.event == UFFD_EVENT_PAGEFAULT, "event %d", message.event);
	copy.dst = message.arg.pagefault.address & ~4095ULL;
	NEED(!ioctl(fd, UFFDIO_COPY, &copy), "UFFDIO_COPY");
	return NULL;
}

static int run_userfaultfd(char **args)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread;
	char *page;

	(void)args;
	NEED(fd >= 0, "userfaultfd");
	NEED(!ioctl(fd, UFFDIO_API, &api), "UFFDIO_API");
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	range.range.start = (uintptr_t)page;
	range.range.len = 4096;
	NEED(page != MAP_FAILED && !ioctl(fd, UFFDIO_REGISTER, &range),
	     "UFFDIO_REGISTER");
	NEED(!pthread_create(&thread, NULL, answer_fault, &fd), "thread");
	NEED(!strcmp(page, "filled by a thread"), "the page says '%.20s'", page);
	NEED(!pthread_join(thread, NULL), "join");
	return 0;
}

const struct probe probe_ipc[] = {
	{ "sysv", run_sysv },
	{ "mqueue", run_mqueue },
	{ "inotify", run_inotify },
	{ "fanotify", run_fanotify },
	{ "epoll", run_epoll },
	{ "aio", run_aio },
	{ "io_uring", run_io_uring },
	{ "userfaultfd", run_userfaultfd },
	{ NULL, NULL },
};
