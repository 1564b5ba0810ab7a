#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Machines that are stopped, killed and started again while their lab runs."""
import json
import re
import sys

import harness
from harness import check, equal, wait_for

# A service that says when it begins and when it is asked to end.
SAYS = ("trap 'echo asked to end; exit 0' TERM; echo begins; "
        "while :; do sleep 0.1 & wait $!; done")
LAB = {
    "name": "life", "seed": 7, "defaults": {"memory": "64M"},
    "nodes": {"n1": {"run": [{"name": "says", "cmd": SAYS}]}, "n2": {}, "n3": {}},
    "links": [{"endpoints": ["n1", "n2"]}],
    "networks": {"lan": {"subnet": "10.1.0.0/24", "members": ["n1", "n2", "n3"]}},
}


def state(lab, node):
    return next(n for n in lab.json("ps")[0]["nodes"] if n["name"] == node)


def carrier(lab, node, interface="eth0"):
    return lab.exec(node, "cat", f"/sys/class/net/{interface}/carrier").strip()


def identity(lab, node):
    return lab.exec(node, "ip -o link show | sed 's/@.*//; s/state.*link/link/'; "
                          "ip -o addr show | grep -v fe80 | cut -c1-60; hostname")


def ticks_used(lab, node):
    """Of the host's processors, by all of a machine's processes."""
    stats = [harness.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
             for pid in harness.descendants(state(lab, node)["pid"])]
    check(len(stats) > 2, "its processes:", stats)
    return sum(int(stat[11]) + int(stat[12]) for stat in stats)


def longest_pause(ticks):
    return max(int(b) - int(a) for a, b in zip(ticks, ticks[1:]))


def said(lab):
    return lab.netlab("logs", "n1", "says").stdout.split("\n")


def test_a_killed_machine_is_off_and_the_same_one_starts_again(home):
    lab = home.up(LAB)
    before = identity(lab, "n1")
    lab.netlab("fault", "set", "n1->lan", "delay=20ms")
    lab.netlab("partition", "n1|n3", "--name", "p")
    capture = home.start("-l", lab.name, "capture", "n1:eth0", "-w", "-", stdin=None)
    wait_for(lambda: lab.json("inspect")["captures"], "the capture")
    equal((carrier(lab, "n2"), carrier(lab, "n2", "eth1")), ("1", "1"), "n2's carriers before")
    lab.netlab("node", "kill", "n1")
    equal((state(lab, "n1")["state"], state(lab, "n1")["why"]), ("stopped", "its power was cut"))
    # Its own cable is dark; the network's other ends have nothing to do with it.
    equal((carrier(lab, "n2"), carrier(lab, "n2", "eth1")), ("1", "0"), "n2's carriers")
    equal(lab.json("matrix")["reach"][0][1], "off", "the matrix")
    equal(lab.reaches("n2", ["n3"]), {"n3"}, "n2 sees")
    lab.netlab("exec", "n1", "--", "true", want=1)
    equal(said(lab).count("asked to end"), 0, "who is killed is not asked")
    lab.netlab("node", "start", "n1")
    equal(identity(lab, "n1"), before, "its name and addresses")
    equal(carrier(lab, "n2", "eth1"), "1", "n2's carrier after")
    equal(said(lab).count("begins"), 2, "its service began", *said(lab))
    equal(lab.reaches("n1", ["n2", "n3"], wait=1), {"n2"}, "the partition holds")
    rtt = lab.exec("n2", "ping -q -c3 10.1.0.1 | tail -1")
    check(float(rtt.split("=")[1].split("/")[0]) >= 20, "the fault holds", rtt)
    check(lab.json("inspect")["captures"], "the capture goes on")
    capture.terminate()
    capture.communicate(timeout=30)


def test_a_stopped_machine_asks_its_services_and_a_restart_is_both(home):
    lab = home.up(LAB)
    lab.exec("n1", "touch /root/here")
    lab.netlab("node", "restart", "n1")
    equal((said(lab).count("asked to end"), said(lab).count("begins")), (1, 2), *said(lab))
    lab.exec("n1", "test ! -e /root/here")
    lab.netlab("node", "stop", "n1,n3")
    equal([state(lab, n)["state"] for n in ("n1", "n2", "n3")], ["stopped", "ready", "stopped"])
    equal(state(lab, "n3")["why"], "powered off")
    lab.netlab("node", "start", "n1,n3")
    equal(lab.reaches("n1", ["n2", "n3"]), {"n2", "n3"}, "n1 sees")


def test_one_that_ended_by_itself_starts_again_and_what_does_not_fit_is_told(home):
    lab = home.up(LAB)
    lab.netlab("exec", "n2", "--", "sh", "-c", "echo c >/proc/sysrq-trigger", want=None)
    wait_for(lambda: state(lab, "n2")["state"] == "failed", "the end of n2")
    check("panic" in state(lab, "n2")["why"], state(lab, "n2"))
    check("it does not run" in lab.netlab("node", "kill", "n2", want=1).stderr)
    check("it runs already" in lab.netlab("node", "start", "n1", want=1).stderr)
    both = json.loads(lab.netlab("node", "start", "n1,n2", "--json", want=1).stdout)
    equal([(one["node"], one["ok"], one["state"]) for one in both],
          [("n1", False, None), ("n2", True, "ready")])
    check("does not run" not in lab.netlab("node", "reset", "n1,n2").stderr)
    said = home.netlab("-l", lab.name, "restart", "n1", want=2).stderr
    check("netlab node restart NODE" in said, said)


def test_a_service_that_dies_is_started_again(home):
    # The third time it works.
    cmd = "echo x >>/root/n; [ $(wc -l </root/n) -ge 3 ] || exit 4; exec sleep 100000"
    lab = home.up({**LAB, "nodes": {**LAB["nodes"], "n1": {"run": [
        {"name": "web", "cmd": cmd, "ready": {"cmd": "[ $(wc -l </root/n) -ge 3 ]"},
         "restart": "on-failure"},
        {"name": "after", "cmd": "exec sleep 100000"}]}}})
    web, after = state(lab, "n1")["services"]
    equal((web["state"], web["restarts"], after["state"]), ("ready", 2, "ready"))
    check("web ready (restarted 2x), after ready" in lab.netlab("ps").stdout, "ps says it")
    lab.exec("n1", "kill -9 $(pgrep -f 'sleep 100000' | head -1)")
    wait_for(lambda: state(lab, "n1")["services"][0].get("restarts") == 3 and
             state(lab, "n1")["services"][0]["state"] == "ready", "its fourth start")
    ends = [e["service"] for e in lab.journal()
            if e["event"] == "service" and e["service"]["state"] == "restarting"]
    equal([(e["name"], e.get("exit"), e["again_ms"]) for e in ends],
          [("web", 4, 100), ("web", 4, 200), ("web", None, 400)], ends)
    lab.down("-g")


def test_a_services_processes_stand_still_go_on_and_are_killed(home):
    lab = home.up({**LAB, "nodes": {**LAB["nodes"], "n1": {"run": [
        {"name": "web", "cmd": "sleep 100001 & exec sleep 100002", "restart": "always"},
        {"name": "other", "cmd": "exec sleep 100003"}]}}})

    def of_all():
        return lab.exec("n1", "ps -o args=,stat= ax | sed -n 's/^sleep 10000\\(.\\) *\\(.\\).*/\\1\\2/p'"
                        " | sort").split()
    equal(of_all(), ["1S", "2S", "3S"], "processes")
    lab.netlab("proc", "stop", "n1", "web")
    equal(of_all(), ["1T", "2T", "3S"], "processes")
    lab.netlab("proc", "cont", "n1", "web")
    equal(of_all(), ["1S", "2S", "3S"], "processes")
    lab.netlab("proc", "kill", "n1", "web")
    wait_for(lambda: [(s["state"], s.get("restarts")) for s in state(lab, "n1")["services"]] ==
             [("ready", 1), ("ready", None)], "its second start")
    equal(of_all(), ["1S", "2S", "3S"], "processes")
    pid = lab.exec("n1", "pgrep -f 'sleep 10000[3]'").strip()
    lab.netlab("proc", "kill", "n1", pid)
    wait_for(lambda: state(lab, "n1")["services"][1]["state"] == "exited", "its end")
    for target, why in (("other", "service other has no process"), ("1", "node kill"),
                        (pid, f"process {pid}: No such process"),
                        ("../..", "there are other web|there are web other")):
        said = lab.netlab("proc", "kill", "n1", target, want=1)
        check(re.search(why, said.stdout + said.stderr), said)
    lab.down()


def test_a_machine_that_panics_has_failed_and_starts_again(home):
    lab = home.up(LAB)
    lab.netlab("node", "pause", "n3")
    check("node resume n3" in lab.netlab("node", "panic", "n3", want=1).stderr)
    lab.netlab("node", "panic", "n1")
    one = state(lab, "n1")
    check(one["state"] == "failed" and "panic" in one["why"], one)
    check("Kernel panic - not syncing" in harness.read(lab.run_dir / "consoles/n1.log"))
    equal(carrier(lab, "n2", "eth1"), "0", "the far end's carrier")
    lab.netlab("node", "start", "n1")
    equal(lab.reaches("n2", ["n1"]), {"n1"}, "n2 sees")
    lab.down()


def test_a_new_life_does_not_see_what_the_old_one_set(home):
    lab = home.up(LAB)
    lab.exec("n2", "ip link set eth0 mtu 1400; ip link set eth1 down; date -s 2001-01-01")
    lab.netlab("node", "reset", "n2")
    check("mtu 1500" in lab.exec("n2", "ip link show eth0"), "mtu")
    equal(lab.reaches("n2", ["n1", "n3"]), {"n1", "n3"}, "n2 sees")
    check(int(lab.exec("n2", "date +%Y")) > 2001, "its clock")


def test_a_paused_machine_stands_still_and_goes_on(home):
    lab = home.up(LAB)
    lab.exec("n1", "nohup sh -c 'while :; do date +%s%N; sleep 0.01; done' >/root/ticks &"
             "nohup sh -c 'while :; do :; done' >/dev/null 2>&1 &")
    wait_for(lambda: int(lab.exec("n1", "wc -l </root/ticks")) > 2, "ticks")
    lab.netlab("node", "pause", "n1")
    check(state(lab, "n1").get("paused") and "paused" in lab.netlab("ps").stdout, "ps says it")
    used = ticks_used(lab, "n1")
    equal(lab.reaches("n2", ["n1", "n3"], wait=1), {"n3"}, "n2 sees")
    equal(ticks_used(lab, "n1"), used, "time of a processor that it used")
    check("paused already" in lab.netlab("node", "pause", "n1", want=1).stderr)
    equal(carrier(lab, "n2", "eth1"), "1", "it has its power")
    lab.netlab("node", "resume", "n1")
    equal(lab.reaches("n2", ["n1"]), {"n1"}, "n2 sees")
    wait_for(lambda: longest_pause(lab.exec("n1", "cat /root/ticks").split()) > 900_000_000,
             "a tick after as long as it stood")
    # Nobody waits for one that stands still.
    lab.netlab("node", "pause", "n1,n2")
    lab.netlab("node", "restart", "n1")
    lab.netlab("node", "kill", "n2")
    lab.netlab("node", "pause", "n3")
    lab.down("-g")


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
