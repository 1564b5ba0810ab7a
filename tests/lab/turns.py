#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing keeps the lab's one thread from its frames: whatever a client, a file or a machine
does, no turn of its loop takes long.  The harness looks at that at the end of each test."""
import json
import os
import re
import socket
import sys
import threading

import harness
from harness import check, equal, wait_for

LAN = {"name": "lan", "seed": 3, "defaults": {"memory": "64M"}, "nodes": {"n": {"count": 12}},
       "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["n"]}}}


class Client:
    """Says lines of the control protocol, well or badly."""

    def __init__(self, home, lab):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(home.runtime / "netlab" / lab.name / "control"))
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rb")
        self.id = 0

    def say(self, **request):
        self.id += 1
        self.socket.sendall(json.dumps({"id": self.id, **request}).encode() + b"\n")
        return self.id

    def hear(self, number):
        """The answer to that request."""
        while True:
            line = json.loads(self.file.readline())
            if line["id"] == number and "ok" in line:
                return line

    def ask(self, **request):
        return self.hear(self.say(**request))

    def close(self):
        self.file.close()
        self.socket.close()


def frames_flow(lab):
    """Pings, whatever else is done; stop() says that they have come back."""
    pings = lab.home.start("-l", lab.name, "exec", "n1", "--", "sh", "-c",
                           "ping -q -i0.01 -w300 n2 & echo $! >/tmp/pings; wait")

    def stop():
        def ended():
            # It may not have begun to listen.
            lab.exec("n1", "kill -INT $(cat /tmp/pings) || true")
            return pings.poll() is not None
        wait_for(ended, "the end of the pings")
        said = pings.communicate(timeout=30)[0].decode()
        sent, came = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", said).groups())
        # The last one may be on its way when the pings end.
        check(sent - came <= 1, said)
        print(said.splitlines()[-1].strip())
    return stop


def longest_ms(lab):
    # Whatever else is in it is no matter here.
    return json.loads(lab.netlab("fidelity", "--json", want=None).stdout)["loop"]["longest_ns"] / 1e6


def test_rude_clients(home):
    lab = home.up(LAN)
    stop = frames_flow(lab)
    client = Client(home, lab)
    # What is no request, as long as one may be, in every way in which it can be none.
    most = (1 << 20) - 2
    for text in (b"[" * most, b'{"a":' * (most // 5), b'"' + b"\\u0041" * (most // 12) + b'"',
                 b"[" + b"1," * (most // 2 - 2) + b"1]", b"9" * most, b"\xff" * most,
                 b'{"id":1,"do":"exec","node":"n1","argv":[' + b'"a",' * (most // 4 - 20) + b'"a"]}',
                 b'{"id":2,"do":"' + b"x" * (most - 40) + b'"}',
                 b'{"id":3,"do":"fault-set","target":"' + b"n1," * (most // 3 - 40) +
                 b'n1","fault":{"loss":"1%"}}'):
        client.socket.sendall(text + b"\n")
        check(not json.loads(client.file.readline())["ok"], text[:20])
    # Many at once, of which nobody reads the answers.
    deaf = Client(home, lab)
    deaf.socket.setblocking(False)
    try:
        while True:
            deaf.say(do="inspect")
    except BlockingIOError:
        pass
    numbers = [client.say(do=verb) for verb in ("ps", "inspect", "matrix", "fidelity") * 50]
    for number in numbers:
        check(client.hear(number)["ok"], number)
    # A hundred commands, and the end of all of them at once.
    for i in range(100):
        client.say(do="exec", node=f"n{i % 12 + 1}", argv=["sleep", "1000"])
    check(client.ask(do="ps")["ok"])
    client.close()
    deaf.close()
    idle = [Client(home, lab) for _ in range(300)]
    equal(lab.exec("n3", "echo alive"), "alive\n")
    for one in idle:
        one.close()
    stop()
    print(f"longest turn {longest_ms(lab):.1f} ms")


def test_filters_that_take_long(home):
    lab = home.up(LAN)
    stop = frames_flow(lab)
    clients = [Client(home, lab) for _ in range(4)]
    asked = []
    for i, client in enumerate(clients):
        ports = " or ".join(f"port {n}" for n in range(1 + 300 * i, 201 + 300 * i))
        asked.append(client.say(do="fault-set", target="n3->lan",
                                fault={"faults": [{"match": ports, "loss": "1%"}]}))
    for client, number in zip(clients, asked):
        check("longer than" in client.hear(number)["error"])
        client.close()
    stop()
    print(f"longest turn {longest_ms(lab):.1f} ms")


def test_files_of_faults(home):
    big, steady = home.topologies / "big", home.topologies / "steady"
    big.write_text("".join(f"{1 + i % 7}ms\n" for i in range(400_000)))
    steady.write_text("".join(f"{i}\n" for i in range(1, 400_001)))
    os.mkfifo(home.topologies / "pipe")
    lab = home.up(LAN)
    stop = frames_flow(lab)
    for word in (f"distribution=samples {big}", f"distribution=trace {big}", f"capacity={steady}"):
        lab.netlab("fault", "set", "lan.n4", "delay=5ms", "jitter=1ms", word, want=None)
        client = Client(home, lab)
        numbers = [client.say(do="fault-set", target=f"n{i}->lan", fault=dict([word.split("=")]))
                   for i in range(3, 9)]
        print(word, [client.hear(number).get("error") for number in numbers])
        client.close()
    said = Client(home, lab).ask(do="fault-set", target="lan",
                                 fault={"capacity": f"{home.topologies}/pipe"})
    check("pipe is not a regular file" in said["error"], said)
    lab.netlab("fault", "set", "lan", f"capacity={steady}")
    equal(len([d for d in lab.json("fault", "ls") if "steady" in str(d)]) > 11, True)
    lab.netlab("fault", "clear", "--all")
    stop()
    print(f"longest turn {longest_ms(lab):.1f} ms")


def test_thousands_of_timed_pairs(home):
    lab = home.up({**LAN, "nodes": {"n": {"count": 60}}}, "--timeout", "2min", timeout=150)
    stop = frames_flow(lab)
    client = Client(home, lab)

    def everywhere(**what):
        for a in range(3, 61):
            numbers = [client.say(target=f"n{a}->n{b}", **what)
                       for b in range(3, 61) if a != b]
            for number in numbers:
                said = client.hear(number)
                check(said["ok"], said)
    everywhere(do="fault-set", fault={"loss": "1%"}, **{"for": "10min"})
    check(len(lab.json("fault", "ls")) >= 58 * 57, "pairs")
    everywhere(do="fault-set", fault={"delay": "1ms"}, **{"for": "10min"})
    everywhere(do="fault-clear", keys=["loss"])
    everywhere(do="fault-set", fault={"loss": "1%"}, **{"for": "2s"})
    lab.netlab("fidelity", want=None)
    lab.netlab("fault", "clear", "--all")
    stop()
    print(f"longest turn {longest_ms(lab):.1f} ms")


def test_one_pipe_for_two_captures_and_one_that_nobody_reads(home):
    lab = home.up(LAN)
    stop = frames_flow(lab)
    reader, writer = os.pipe()
    for target in ("n1:eth0", "n2:eth0", "all"):
        client = Client(home, lab)
        request = json.dumps({"id": 1, "do": "capture", "target": target, "filter": "",
                              "snap": 65535, "delivered": False}).encode() + b"\n"
        socket.send_fds(client.socket, [request], [writer])
    lab.exec("n3", "ping -q -f -c 20000 n4 >/dev/null; true")
    stop()
    print(f"longest turn {longest_ms(lab):.1f} ms")
    os.close(reader)
    os.close(writer)


def test_machines_that_talk_to_everybody(home):
    lab = home.up({**LAN, "nodes": {"n": {"count": 40}}}, "--timeout", "2min", timeout=150)
    floods = [threading.Thread(target=lab.exec, args=(
        f"n{i}", "timeout 5 ping -q -f -b -s 1000 10.0.0.255 >/dev/null 2>&1; true"))
        for i in (5, 6, 7)]
    for flood in floods:
        flood.start()
    lab.exec("n1", "timeout 5 ping -q -i0.01 n2 >/dev/null; true")
    for flood in floods:
        flood.join()
    print(f"longest turn {longest_ms(lab):.1f} ms")


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
