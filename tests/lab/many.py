#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hundred and three hundred machines on one LAN, under netlab's own kernel: all come
up, each answers, and nothing is left.  bench/boot measures how fast and how large."""
import re
import sys

import harness
from harness import check, equal

# A machine in use, and what the host keeps for itself.
MEMORY_MB_EACH, MEMORY_MB_FREE = 16, 1024
# All at once ask the whole LAN for the same address: with more machines than that, two
# processors need longer for it than a ping waits.
PING_AT_ONCE = 50


def memory_mb():
    return int(re.search(r"MemAvailable:\s+(\d+)", harness.read("/proc/meminfo"))
               .group(1)) // 1024


def all_come_up_and_answer(home, count):
    # The host takes its time to fork while so many boot on few processors.
    home.turn_limit_ms = 20 + count // 4
    lab = home.up({
        "name": "many", "nodes": {"n": {"count": count, "memory": "64M"}},
        "networks": {"lan": {"subnet": "10.0.0.0/22", "members": ["n"]}}},
        *harness.own_kernel_args(), "--timeout", "4min", timeout=260)
    print(f"{count} machines up in {lab.seconds:.1f} s")
    names = {f"n{i}" for i in range(1, count + 1)}
    ready = {n["name"] for n in lab.json("inspect")["nodes"] if n["state"] == "ready"}
    equal(lab.netlab("ps").stderr, "", "what ps has to say of the record")
    equal(ready, names, "machines that are ready")
    for first in range(1, count + 1, PING_AT_ONCE):
        last = min(first + PING_AT_ONCE - 1, count)
        # Each the next one, and the last one of all; again where a busy host took longer
        # for the address than the machine asks for it.
        done = lab.netlab("exec", f"n[{first}-{last}]", "--json", "--", "sh", "-c",
                          'n=$(hostname); n=${n#n}; for to in $((n % $1 + 1)) $1; do '
                          'i=0; until ping -n -q -c1 -W5 n$to; do '
                          'i=$((i + 1)); [ $i -lt 10 ] || exit 1; done; done',
                          "-", str(count), timeout=240, want=None)
        check(done.returncode == 0, f"pings of n{first} to n{last}: {done.stdout[-3000:]}")
    lab.down()
    home.check_nothing_left()


def test_a_hundred_machines(home):
    all_come_up_and_answer(home, 100)


def test_three_hundred_machines(home):
    need = 300 * MEMORY_MB_EACH + MEMORY_MB_FREE
    if memory_mb() < need:
        print(f"not tried: 300 machines may take {need} MB of memory, "
              f"and {memory_mb()} MB are free here")
        return
    all_come_up_and_answer(home, 300)


def test_too_few_open_files_are_told_before_anything_starts(home):
    path = home.write("many.json", {"name": "many", "nodes": {"n": {"count": 300}}})
    said = home.sh('ulimit -n 1000 && exec "$0" up "$1" --out "$2"', harness.NETLAB, path,
                   home.out)
    equal(said.returncode, 1, "exit status")
    check(re.search(r"300 machines .* open files, .* limit here is 1000; raise it",
                    said.stderr), said.stderr)


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
