#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that wait in loops, in virtual time: they get to the end of their wait, the same
in each run, and whoever makes time slow is named.

RUNS in the environment is how often each scene is run (2).
Needs netlab's own kernel (see harness.own_kernel()) with um_cost_rise=.
"""
import os
import pathlib
import re
import sys

import harness
from harness import check, equal

RUNS = int(os.environ.get("RUNS", "2"))
KERNEL = harness.own_kernel()
PAIR = {"name": "pair", "seed": 7, "nodes": {"n1": {"memory": "256M"}, "n2": {}},
        "links": [{"endpoints": ["n1", "n2"], "delay": "1ms"}]}
SMALL = {"name": "small", "seed": 7, "nodes": {"n1": {}}}
COROSYNC = """totem {
 version: 2
 cluster_name: x
 transport: udpu
 crypto_cipher: none
 crypto_hash: none
}
nodelist {
 node {
  ring0_addr: c1
  name: c1
  nodeid: 1
 }
 node {
  ring0_addr: c2
  name: c2
  nodeid: 2
 }
}
quorum {
 provider: corosync_votequorum
 two_node: 1
}
logging {
 to_stderr: yes
 to_syslog: no
}
"""
CLUSTER = {
    "name": "cluster", "seed": 7, "defaults": {"memory": "192M"},
    "nodes": {"c[1-2]": {
        "files": {"/tmp/corosync.conf": {"content": COROSYNC}},
        "run": [{"name": "corosync",
                 "cmd": "mkdir -p /var/lib/corosync /run/corosync; "
                        "exec corosync -f -c /tmp/corosync.conf"}]}},
    "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["c[1-2]"],
                         "delay": "1ms"}},
}


def speaker(number):
    config = f"""router bgp 6500{number}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.{3 - number} remote-as 6500{3 - number}
 network 192.0.2.{16 * number}/28
"""
    return {"files": {"/etc/lab/frr.conf": {"content": config}},
            "run": [{"name": "zebra",
                     "cmd": "install -d -o frr -g frr /run/frr; "
                            "exec /usr/lib/frr/zebra -A 127.0.0.1 -f /etc/lab/frr.conf",
                     "ready": {"cmd": "test -S /run/frr/zserv.api"}},
                    {"name": "bgpd",
                     "cmd": "exec /usr/lib/frr/bgpd -A 127.0.0.1 -f /etc/lab/frr.conf"}]}


SPEAKERS = {
    "name": "speakers", "seed": 7, "defaults": {"memory": "192M"},
    "nodes": {"r1": speaker(1), "r2": speaker(2)},
    "links": [{"endpoints": ["r1", "r2"], "delay": "1ms", "subnet": "10.0.0.0/24"}],
}


def up(home, topology, *args):
    return home.up(topology, "--clock", "virtual", "--pace", "max", "--kernel", KERNEL,
                   *args, timeout=300)


def same(home, topology, scene):
    """What the scene says: the same in each run, of which the digests are equal."""
    found = []
    for _ in range(RUNS):
        lab = up(home, topology)
        said = scene(lab)
        found.append((said, lab.json("clock")["digest"]["all"]))
        lab.down()
    for other in found[1:]:
        equal(other, found[0], "another run")
    return found[0][0]


def now_ns(lab):
    return lab.json("clock")["now_ns"]


def test_ping_at_short_intervals_takes_its_time_and_sees_exact_round_trips(home):
    def scene(lab):
        began = now_ns(lab)
        said = lab.exec("n1", "ping", "-i", "0.01", "-c", "100", "-q", "n2", timeout=120)
        return said, now_ns(lab) - began

    said, took_ns = same(home, PAIR, scene)
    check("100 received" in said, said)
    check(990e6 < took_ns < 1100e6, took_ns)
    shortest, mean = map(float, re.search(r"= ([0-9.]+)/([0-9.]+)/", said).groups())
    # Who polls sees a frame when it comes; the first asks for the address.
    check(1.99 < shortest < 2.02 and mean < 2.06, said)


def test_who_waits_in_a_loop_of_calls_ends(home):
    lab = up(home, SMALL)
    for script, least_ns, most_ns in (
            ("timeout 0.2 yes >/dev/null", 2e8, 3e8),
            ("bash -c 'ulimit -t 1; while :; do umask >/dev/null; done'", 1e9, 3e9),
            ("python3 -c 'import time; e = time.time() + 0.05\n"
             "while time.time() < e: pass'", 5e7, 5e8),
            ("bash -c 'e=$((SECONDS + 1)); while [ $SECONDS -lt $e ]; do :; done'",
             0, 3e9)):
        began = now_ns(lab)
        lab.exec("n1", script, want=None, timeout=200)
        check(least_ns <= now_ns(lab) - began < most_ns, script, now_ns(lab) - began)
    lab.down()


def test_memory_is_given_back(home):
    """Walking files fills a small machine with what waits for a tick to be freed."""
    lab = up(home, SMALL)
    said = lab.exec("n1", "find /usr -xdev 2>/dev/null | wc -l", timeout=400)
    check(int(said) > 10000, said)
    equal(lab.exec("n1", "echo alive"), "alive\n")
    lab.down()


def test_mariadb_starts(home):
    lab = up(home, {**SMALL, "defaults": {"memory": "256M"}})
    said = lab.exec("n1", "mariadbd --no-defaults --help 2>/dev/null | head -1",
                    timeout=120)
    check("Ver" in said, said)
    lab.down()


def test_erlang_sleeps_a_second_in_about_one(home):
    def scene(lab):
        began = now_ns(lab)
        lab.exec("n1", "erl", "-noshell", "-eval", "timer:sleep(1000), init:stop().",
                 timeout=200)
        return now_ns(lab) - began

    # It takes a second to stop, too.
    took_ns = same(home, {**SMALL, "defaults": {"memory": "256M"}}, scene)
    check(1e9 < took_ns < 3e9, took_ns)


def test_corosync_finds_its_peers(home):
    def scene(lab):
        lab.netlab("clock", "step", "6s", timeout=300)
        return lab.exec("c1", "corosync-quorumtool -s | grep -E 'Quorate|Total'")

    said = same(home, CLUSTER, scene)
    check(re.search(r"Quorate: +Yes", said) and "2" in said, said)


def test_bgp_speakers_learn_of_one_another(home):
    def scene(lab):
        lab.netlab("clock", "step", "15s", timeout=300)
        return lab.exec("r1", "vtysh -c 'show bgp ipv4 unicast'")

    said = same(home, SPEAKERS, scene)
    check("192.0.2.32/28" in said, said)


def test_who_makes_time_slow_is_named_while_it_does(home):
    """A program that computes lets no time pass; that this is told changes no digest."""
    digests = []
    for watch in True, False:
        lab = up(home, SMALL, "--guard", "120s")
        done = lab.netlab("exec", "n1", "--", "sh", "-c",
                          "i=0; while [ $i -lt %d ]; do i=$((i + 1)); done" %
                          (15000000 if watch else 1), timeout=280)
        if watch:
            check("n1 makes virtual time slow" in done.stderr, done.stderr)
            check("process 'sh'" in done.stderr, done.stderr)
            slow = [e for e in lab.journal() if e["event"] == "slow"]
            equal([e["node"] for e in slow][:1], ["n1"], slow)
            check(slow[0]["lab_ns"] < slow[0]["host_ns"] / 10, slow)
        digests.append(lab.json("clock")["digest"]["consoles"])
        lab.down()
    equal(digests[0], digests[1], "what was asked is not what the console says")


if __name__ == "__main__":
    if KERNEL and b"um_cost_rise=" not in pathlib.Path(KERNEL).read_bytes():
        print("SKIP: the own kernel has no um_cost_rise= (netlab kernel build)")
        sys.exit(77)
    sys.exit(harness.main(globals(), needs_own_kernel=True))
