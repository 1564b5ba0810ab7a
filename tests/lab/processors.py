#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In real time each machine belongs to one processor at a time, all of it."""
import contextlib
import os

import harness
from harness import check, equal, read, wait_for

MACHINES = {"name": "cpus", "nodes": {"n[1-4]": {"memory": "64M"}},
            "networks": {"lan": {"members": ["n[1-4]"]}}}


def family(pid):
    """A process and all below it, as far as they live."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{one}/task"):
                found += map(int, read(f"/proc/{one}/task/{thread}/children").split())
    return found


def allowed(pid):
    """Of every thread of it; none if it has ended meanwhile."""
    try:
        return {cpu for thread in os.listdir(f"/proc/{pid}/task")
                for cpu in os.sched_getaffinity(int(thread))}
    except OSError:
        return set()


def where(lab):
    """{machine: (its processor as inspect says, those of all its processes)}"""
    return {n["name"]: (n["cpu"], set().union(*map(allowed, family(n["pid"]))))
            for n in lab.json("inspect")["nodes"]}


def together(lab, cpus):
    """Is all of each machine on the one processor that inspect names, of these?"""
    return all(own == {cpu} and cpu in cpus for cpu, own in where(lab).values())


def busy(lab, seconds):
    """All machines start processes all the time; ends by itself."""
    return lab.home.start("-l", lab.name, "exec", "all", "--", "sh", "-c",
                          f"timeout {seconds} sh -c 'while :; do /bin/true; done'; :")


def test_all_of_a_machine_is_on_one_processor_and_machines_are_spread(home):
    cpus = os.sched_getaffinity(0)
    lab = home.up(MACHINES)
    check(together(lab, cpus), where(lab))
    used = {cpu for cpu, _ in where(lab).values()}
    equal(len(used), min(4, len(cpus)), "processors in use")


def test_machines_follow_when_the_lab_may_use_other_processors(home):
    cpus = sorted(os.sched_getaffinity(0))
    lab = home.up(MACHINES)
    pid = lab.json("inspect")["pid"]
    work = busy(lab, 6)
    for only in ({cpus[0]}, {cpus[-1]}):
        os.sched_setaffinity(pid, only)
        wait_for(lambda: together(lab, only), f"all machines to be on {only}: {where(lab)}",
                 timeout=60)
    work.wait(60)
    # And whoever starts something later starts it there.
    lab.netlab("exec", "all", "--", "true")
    check(together(lab, {cpus[-1]}), where(lab))


def test_busy_machines_spread_over_processors_that_are_given_back(home):
    cpus = sorted(os.sched_getaffinity(0))
    lab = home.up(MACHINES)
    pid = lab.json("inspect")["pid"]
    os.sched_setaffinity(pid, {cpus[0]})
    wait_for(lambda: together(lab, {cpus[0]}), "all machines to be on one", timeout=60)
    work = busy(lab, 60)
    os.sched_setaffinity(pid, set(cpus))
    wait_for(lambda: len({cpu for cpu, _ in where(lab).values()}) == min(4, len(cpus)),
             "machines on all processors", timeout=50)
    wait_for(lambda: together(lab, set(cpus)), "all of each to be there", timeout=20)
    work.terminate()
    work.wait(60)


def test_a_lab_that_is_given_one_processor_uses_no_other(home):
    cpus = os.sched_getaffinity(0)
    only = {max(cpus)}
    os.sched_setaffinity(0, only)
    try:
        lab = home.up(MACHINES)
    finally:
        os.sched_setaffinity(0, cpus)
    check(together(lab, only), where(lab))


if __name__ == "__main__":
    raise SystemExit(harness.main(globals()))
