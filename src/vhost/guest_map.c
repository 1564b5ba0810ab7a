/* SPDX-License-Identifier: MIT */
#include "vhost/guest_map.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/check.h"

/* The handler walks this list.  It runs in the thread that touched the memory,
 * and nothing below touches guest memory while it changes the list. */
static struct guest_map *maps;
static struct sigaction handler_before;

/* Not one of ours: what would have happened without us happens. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
	if ((handler_before.sa_flags & SA_SIGINFO) && handler_before.sa_sigaction) {
		handler_before.sa_sigaction(sig, info, context);
		return;
	}
	if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN) {
		handler_before.sa_handler(sig);
		return;
	}
	signal(sig, SIG_DFL); /* the access is tried again, and ends the process */
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	const uint8_t *at = info->si_addr;
	int saved = errno;

	for (struct guest_map *map = maps; map; map = map->next) {
		if (info->si_code <= 0 || at < map->pages ||
		    at >= map->pages + map->pages_size)
			continue;
		if (mmap(map->pages, map->pages_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
			 0) == MAP_FAILED)
			break;
		map->lost = 1;
		errno = saved;
		return;
	}
	errno = saved;
	pass_on(sig, info, context);
}

/* With every map, in case somebody else has put in theirs since. */
static void install_handler(void)
{
	struct sigaction now, action = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};

	ASSERT(sigaction(SIGBUS, NULL, &now) == 0);
	if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_sigbus)
		return;
	handler_before = now;
	sigemptyset(&action.sa_mask);
	ASSERT(sigaction(SIGBUS, &action, NULL) == 0);
}

/* Maps of a hugetlbfs file begin and end at its large pages. */
static uint64_t page_size_of(int fd)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC &&
	    (uint64_t)fs.f_bsize > page)
		page = (uint64_t)fs.f_bsize;
	return page;
}

int guest_map_create(struct guest_map **out, int fd, uint64_t offset, uint64_t size,
		     struct why *why)
{
	struct guest_map *map;
	struct stat st;
	uint64_t page, before;

	if (fstat(fd, &st) < 0)
		return why_errno(why, -errno, "memory file: fstat");
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EINVAL, "its memory is not a regular file");
	if (size == 0 || offset + size < size || offset + size > (uint64_t)st.st_size)
		return why_set(why, -EINVAL,
			       "its memory file has %llu bytes, too few for a region of "
			       "%llu bytes at offset %llu",
			       (unsigned long long)st.st_size, (unsigned long long)size,
			       (unsigned long long)offset);
	page = page_size_of(fd);
	before = offset & (page - 1);
	if (size + before + page < size)
		return why_set(why, -EINVAL, "its memory region is too large");

	map = calloc(1, sizeof(*map));
	if (!map)
		return why_set(why, -ENOMEM, "out of memory");
	map->size = size;
	map->pages_size = (size + before + page - 1) & ~(page - 1);
	map->pages = mmap(NULL, map->pages_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_NORESERVE, fd, (off_t)(offset - before));
	if (map->pages == MAP_FAILED) {
		int err = -errno;

		free(map);
		return why_errno(why, err, "mapping %llu bytes of its memory file",
				 (unsigned long long)size);
	}
	/* A child process (the next guest) must not see this guest. */
	madvise(map->pages, map->pages_size, MADV_DONTFORK);
	madvise(map->pages, map->pages_size, MADV_DONTDUMP);
	map->bytes = map->pages + before;
	install_handler();
	map->next = maps;
	maps = map;
	*out = map;
	return 0;
}

void guest_map_destroy(struct guest_map *map)
{
	struct guest_map **at = &maps;

	if (!map)
		return;
	while (*at != map)
		at = &(*at)->next;
	*at = map->next;
	munmap(map->pages, map->pages_size);
	free(map);
}
