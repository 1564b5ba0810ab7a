/* SPDX-License-Identifier: MIT */
/* netlab_guest.h - guests for the netlab side: drivers with nothing above them
 *
 * Rings of 256, as User-Mode Linux has; mergeable buffers, event indices.  Station 0
 * receives, station 1 sends, the rest are silent but ready to receive.
 */
#ifndef BENCH_NETLAB_GUEST_H
#define BENCH_NETLAB_GUEST_H

#include <stddef.h>

#include "bench_run.h"

void netlab_guest_path(const struct run *run, unsigned station, char *path, size_t size);
void netlab_guest_send(struct run *run);
/* BENCH_PACE frames a second, whatever comes of them. */
enum { BENCH_PACE = 50000 };
void netlab_guest_send_paced(struct run *run);
void netlab_guest_receive(struct run *run);
void netlab_guest_silent(struct run *run);
void netlab_guest_many_files(void); /* as many as are allowed */

#endif
