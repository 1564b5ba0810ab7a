#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a machine is: what its users expect of a Debian, in little memory."""
import sys

import harness
from harness import check, equal, wait_for

KERNELS = [k for k in (harness.own_kernel(), "packaged") if k]


def topology(name, **node):
    return {"name": name, "nodes": {"n": {"count": 2, **node}},
            "links": [{"endpoints": ["n1", "n2"]}]}


def up_with_each_kernel(home, document):
    for n, kernel in enumerate(KERNELS):
        lab = home.up({**document, "name": f"{document['name']}{n}"}, "--kernel", kernel)
        yield lab
        if lab.state():
            lab.down()


def service_of(lab, node="n1", index=0):
    nodes = {n["name"]: n for n in lab.json("ps")[0]["nodes"]}
    return nodes[node]["services"][index]


def test_full_file_systems_say_so_and_the_machine_lives(home):
    for lab in up_with_each_kernel(home, topology("full", memory="64M")):
        said = lab.exec("n1", "for d in /tmp /var/tmp /dev/shm /run /dev; do "
                        "dd if=/dev/zero of=$d/x bs=1M 2>&1 | grep -c 'No space left'; done")
        equal(said.split(), ["1"] * 5, "ENOSPC")
        equal(lab.exec("n1", "echo alive"), "alive\n")
        lab.exec("n1", "rm /tmp/x /var/tmp/x; echo text >/tmp/y && cat /tmp/y")


def test_who_was_killed_for_want_of_memory_is_said(home):
    eats = "python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'"
    document = topology("hungry", memory="64M",
                        run=[{"name": "alone", "cmd": "sleep 1; exec " + eats},
                             {"name": "below", "cmd": "sleep 4; " + eats + "; exit $?"}])
    for lab in up_with_each_kernel(home, document):
        for index, words in ((0, "it was killed for want of memory"),
                             (1, "(python3) was killed for want of memory")):
            wait_for(lambda: service_of(lab, index=index)["state"] == "exited",
                     "the kernel to kill", timeout=60, every=0.3)
            said = service_of(lab, index=index)
            check(words in said.get("why", ""), said)
        check("want of memory" in lab.netlab("ps").stdout, "ps says it")
        equal(lab.exec("n1", "echo alive"), "alive\n")


def test_daemons_are_services(home):
    """Their output, their readiness, their end."""
    document = topology("daemons", memory="128M", run=[
        {"name": "redis", "cmd": "redis-server --daemonize yes --save '' --dir /tmp "
                                 "--logfile /dev/stdout", "ready": {"tcp": 6379}},
        {"name": "job", "cmd": "sh -c 'trap \"echo asked; exit\" TERM; echo begun; "
                               "while :; do sleep 0.1; done' &"}])
    for lab in up_with_each_kernel(home, document):
        equal([s["state"] for s in lab.json("ps")[0]["nodes"][0]["services"]],
              ["ready", "ready"])
        equal(lab.exec("n1", "redis-cli ping"), "PONG\n")
        equal(lab.netlab("logs", "n1", "job").stdout, "begun\n")
        lab.exec("n1", "redis-cli shutdown nosave", want=None)
        wait_for(lambda: service_of(lab)["state"] == "exited", "the daemon's end")
        log = lab.run_dir / "logs" / "n1.job.log"
        lab.down("--graceful")
        check(harness.read(log).endswith("asked\n"), harness.read(log))


def test_a_service_that_dies_at_once_fails_up(home):
    done = home.netlab("up", home.write("dies.json", topology(
        "dies", run=[{"name": "web", "cmd": "/no/such/server"}])), "--out", home.out,
        want=1, timeout=120)
    check("web" in done.stderr and "127" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
