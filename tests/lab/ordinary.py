#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the users of real machines take for granted, with each kernel."""
import os
import sys

import harness
from harness import check, equal

TOPOLOGY = {"name": "ordinary", "nodes": {"n1": {"memory": "128M"}}}
FILES_MAX = 1024
WALK = "find /usr/share -xdev -type d | wc -l"


def tools_that_look_at_the_machine_work(home, kernel):
    lab = home.up(TOPOLOGY, "--kernel", kernel)
    said = lab.exec("n1", "sh", "-c", "ps aux && ps -ef && vmstat && top -b -n1")
    for word in "PID %CPU", "PPID", "swpd", "load average":
        check(word in said, word, said)
    equal(lab.exec("n1", "sh", "-c", "grep -c ^processor /proc/cpuinfo").strip(), "1")


def a_server_may_open_as_many_files_as_elsewhere(home, kernel):
    lab = home.up(TOPOLOGY, "--kernel", kernel)
    said = lab.exec("n1", "bash", "-c", "ulimit -Sn; ulimit -Hn; ulimit -n 524288; "
                                        "ulimit -n; exec 400000</dev/null; echo open")
    equal(said.split(), ["1024", "524288", "524288", "open"])


def a_walk_over_the_hosts_folders_leaves_room_for_programs(home, kernel):
    """With the limit of open files that a careful administrator sets."""
    path = home.write("ordinary.json", TOPOLOGY)
    done = home.sh('ulimit -n "$0" && exec "$1" up "$2" --out "$3" --kernel "$4"',
                   FILES_MAX, harness.NETLAB, path, home.out, kernel)
    equal(done.returncode, 0, done.stderr)
    lab = harness.Lab(home, "ordinary", 0, done.stderr)
    folders = int(lab.exec("n1", "sh", "-c", WALK))
    if folders < FILES_MAX:
        print(f"this host has {folders} folders only")
    equal(lab.exec("n1", "sh", "-c", "ls / >/dev/null && echo works").strip(), "works")


ORDINARY = [tools_that_look_at_the_machine_work, a_server_may_open_as_many_files_as_elsewhere,
            a_walk_over_the_hosts_folders_leaves_room_for_programs]


def tests():
    for which, kernel in (("own", harness.own_kernel()),
                          ("packaged", harness.PACKAGED_KERNEL)):
        if not kernel or not os.path.exists(kernel):
            print(f"not tried: the {which} kernel, which is not there")
            continue
        for what in ORDINARY:
            yield f"test_{what.__name__}_{which}", \
                lambda home, what=what, kernel=kernel: what(home, kernel)


if __name__ == "__main__":
    sys.exit(harness.main(dict(tests())))
