#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three machines come up, talk, and leave nothing."""
import json
import re
import sys

import harness
from harness import check, equal

NODES = {"n1", "n2", "n3"}


def test_up_ping_down(home):
    lab = home.up("triangle.json")
    print(f"up in {lab.seconds:.2f} s")
    answer = lab.exec("n1", "ping", "-c3", "n2")
    check("3 received" in answer, answer)
    for node in NODES:
        equal(lab.reaches(node, NODES), NODES, f"whom {node} reaches")
    lab.down()
    home.check_nothing_left()


def test_up_and_down_again_and_again(home):
    seconds = []
    for _ in range(5):
        lab = home.up("triangle.json")
        seconds.append(lab.seconds)
        lab.down()
        home.check_nothing_left()
    print("up in " + ", ".join(f"{s:.2f}" for s in seconds) + " s")


def test_ps_and_inspect_tell_what_runs(home):
    equal(home.netlab("ps").returncode, 0)
    lab = home.up("triangle.json", "--seed", "77")
    plain = home.netlab("ps").stdout
    check(lab.name in plain and "running" in plain, plain)
    seen = lab.json("inspect")
    equal(seen["seed"], 77, "seed")
    equal({n["name"] for n in seen["nodes"]}, NODES, "nodes")
    live = set(home.alive())
    for node in seen["nodes"]:
        equal(node["state"], "ready", node["name"])
        check(node["pid"] in live, node["name"], "is not process", node["pid"])
    lab.down()
    check(lab.name not in home.netlab("ps").stdout, "ps after down")


def test_a_name_is_used_once(home):
    lab = home.up("triangle.json")
    again = home.netlab("up", harness.TOPOLOGIES / "triangle.json", "--name", lab.name,
                        "--out", home.out, want=1)
    check(lab.name in again.stderr and "running" in again.stderr, again.stderr)
    equal(lab.reaches("n1", ["n2"]), {"n2"}, "the first lab still works")


def test_the_machines_are_what_the_file_says(home):
    lab = home.up({
        "name": "said", "seed": 3, "defaults": {"memory": "80M"},
        "nodes": {
            "a": {"env": {"COLOUR": "green"}, "sysctl": {"net.ipv4.ip_forward": "1"},
                  "files": {"/etc/motd.lab": {"content": "hello\n", "mode": "0600"}}},
            "b": {}},
        "links": [{"endpoints": ["a:eth0", "b:eth0"], "mtu": 1400}],
    })
    equal(lab.exec("a", "hostname").strip(), "a", "hostname")
    equal(lab.exec("a", "echo $COLOUR").strip(), "green", "env")
    equal(lab.exec("b", "echo $COLOUR").strip(), "", "env of another")
    equal(lab.exec("a", "cat /proc/sys/net/ipv4/ip_forward").strip(), "1", "sysctl")
    equal(lab.exec("a", "cat /etc/motd.lab"), "hello\n", "file")
    equal(lab.exec("a", "stat -c %a /etc/motd.lab").strip(), "600", "mode")
    check("said.json" in lab.exec("a", "ls /lab"), "the topology's folder at /lab")
    memory = int(re.search(r"MemTotal:\s+(\d+)",
                           lab.exec("a", "cat /proc/meminfo")).group(1))
    check(50 << 10 < memory <= 80 << 10, "memory", memory, "KiB")
    link = json.loads(lab.exec("a", "ip -j link show eth0"))[0]
    equal(link["mtu"], 1400, "mtu")
    check("b" in lab.exec("a", "cat /etc/hosts").split(), "/etc/hosts")


def test_services_start_in_order_and_have_logs(home):
    lab = home.up({
        "name": "services",
        "nodes": {
            "server": {"run": [{"name": "web", "ready": {"file": "/tmp/up"},
                                "cmd": "echo serving; touch /tmp/up; exec sleep 1000"}]},
            "client": {"depends": ["server"], "run": [
                {"name": "ask", "ready": {"file": "/tmp/asked"},
                 "cmd": "ping -c1 -W5 server >&2 && touch /tmp/asked; exec sleep 1000"}]}},
        "networks": {"lan": {"subnet": "10.1.0.0/24", "members": ["server", "client"]}},
    })
    log = harness.read(lab.run_dir / "logs/server.web.log")
    check("serving" in log, "log:", log)
    check("1 received" in harness.read(lab.run_dir / "logs/client.ask.log"), "stderr log")
    said = [(e["node"], e["service"]["name"], e["service"]["state"])
            for e in lab.journal() if e["event"] == "service"]
    check(said.index(("server", "web", "ready")) < said.index(("client", "ask", "starting")),
          "depends:", said)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
