/* SPDX-License-Identifier: MIT */
#include "clock/vtime_share.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	VERSION = 2,
	HEADER_BYTES = 4096,
	CLIENT_BYTES = 128,
	CLIENTS = 2,
	SHARE_BYTES = 2 * HEADER_BYTES, /* whole pages */

	CAN_SHARE_TIME = 1, /* a client's capability */
	HAS_REQUEST = 1,    /* a client's flag */
};

struct client {
	uint32_t capabilities;
	uint32_t flags;
	uint64_t request_ns;
	uint64_t name;
	uint8_t reserved[CLIENT_BYTES - 24];
};
_Static_assert(sizeof(struct client) == CLIENT_BYTES, "as the kernel has it");

struct vtime_share_page {
	uint32_t version;
	uint32_t size;
	uint64_t free_until_ns;
	uint64_t time_ns;
	uint16_t running_id;
	uint16_t client_count;
	uint8_t reserved[HEADER_BYTES - 28];
	struct client clients[CLIENTS];
};
_Static_assert(offsetof(struct vtime_share_page, clients) == HEADER_BYTES,
	       "as the kernel has it");

/* The guest writes at the same time; messages over the socket order what matters. */
#define get(field)	  __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define set(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELEASE)

int vtime_share_open(struct vtime_share *share, struct why *why)
{
	cleanup_close int fd =
		memfd_create("netlab-clock", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *page;

	/* Sealed, so that nothing the guest does to it can end in a SIGBUS here. */
	if (fd < 0 || ftruncate(fd, SHARE_BYTES) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return why_errno(why, -errno, "calendar: shared page");
	page = mmap(NULL, SHARE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return why_errno(why, -errno, "calendar: shared page");
	share->page = page;
	share->fd = steal_fd(&fd);
	share->page->version = VERSION;
	share->page->size = SHARE_BYTES;
	share->page->client_count = CLIENTS;
	share->page->running_id = VTIME_SHARE_ID;
	return 0;
}

void vtime_share_close(struct vtime_share *share)
{
	if (!share->page)
		return;
	munmap(share->page, SHARE_BYTES);
	close(share->fd);
	*share = (struct vtime_share){ 0 };
}

bool vtime_share_used(const struct vtime_share *share)
{
	return share->page &&
	       (get(share->page->clients[VTIME_SHARE_ID].capabilities) & CAN_SHARE_TIME);
}

uint64_t vtime_share_time(const struct vtime_share *share)
{
	return get(share->page->time_ns);
}

bool vtime_share_request(const struct vtime_share *share, uint64_t *guest_ns)
{
	const struct client *client = &share->page->clients[VTIME_SHARE_ID];

	*guest_ns = get(client->request_ns);
	return get(client->flags) & HAS_REQUEST;
}

void vtime_share_set_time(struct vtime_share *share, uint64_t guest_ns)
{
	set(share->page->time_ns, guest_ns);
}

void vtime_share_set_free_until(struct vtime_share *share, uint64_t guest_ns)
{
	set(share->page->free_until_ns, guest_ns);
}
