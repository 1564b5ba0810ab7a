#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The agent's probe, as processes of this host: who hears whom, over loopback."""
import errno
import os
import socket
import subprocess
import sys
import unittest

AGENT = os.environ["NETLAB_AGENT"]


class Probe:
    def __init__(self, test, index):
        self.index = index
        self.process = subprocess.Popen([AGENT, "probe"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        test.addCleanup(self.end)
        word, v4, v6 = self.process.stdout.readline().split()
        assert word == "ports"
        self.ports = int(v4), int(v6)

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def armed(self):
        assert self.process.stdout.readline() == "armed\n"

    def go(self):
        self.armed()
        self.say("warm")
        assert self.process.stdout.readline() == "warm\n"
        self.say("go")

    def hear(self):
        """What it says once it is done, as {(word, index): numbers}."""
        said = {}
        assert self.process.stdout.readline() == "done\n"
        self.say("say")
        while (line := self.process.stdout.readline()) not in ("said\n", ""):
            word, index, *numbers = line.split()
            said[word, int(index)] = [int(n) for n in numbers]
        return said

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


class ProbeTest(unittest.TestCase):
    def probes(self, count):
        return [Probe(self, i) for i in range(count)]

    def test_each_says_whom_it_heard_and_who_answered(self):
        probes = self.probes(3)
        for p in probes:
            p.say(f"self {p.index}", *(f"to {o.index} 127.0.0.1 {o.ports[0]}"
                                      for o in probes if o is not p),
                  "arm 20 1000000 300000000 64 7")
        for p in probes:
            p.armed()
            p.say("warm")
        for p in probes:
            self.assertEqual(p.process.stdout.readline(), "warm\n")
        for p in probes:
            p.say("go")
        for p in probes:
            said = p.hear()
            others = {o.index for o in probes if o is not p}
            self.assertEqual({i for w, i in said if w == "heard"}, others)
            for i in others:
                self.assertEqual(said["heard", i], [20])
                sent, answered, least, p50, p99, most = said["answered", i]
                self.assertEqual(sent, 20)
                self.assertEqual(answered, 20)
                self.assertTrue(0 < least <= p50 <= p99 <= most < 300_000_000, said)

    def test_silence_and_strangers_count_for_nothing(self):
        mine, = self.probes(1)
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        mine.say("self 0", f"to 1 127.0.0.1 {silent.getsockname()[1]}",
                 "arm 3 1000000 50000000 64 7")
        mine.go()
        silent.recvfrom(2000)  # the one that warms up
        datagram, at = silent.recvfrom(2000)
        for rubbish in (b"", b"x", datagram[:31], b"\0" * 64, datagram[:8] + b"\x01" * 56,
                        datagram[:4] + b"\0\0\xff\xff" + datagram[8:],
                        datagram[:16] + b"\xff\xff\xff\xff" + datagram[20:]):
            silent.sendto(rubbish, at)
        said = mine.hear()
        self.assertEqual(said, {("answered", 1): [3, 0, 0, 0, 0, 0]})

    def test_a_number_counts_once_however_often_it_comes(self):
        mine, = self.probes(1)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(other.close)
        other.bind(("127.0.0.1", 0))
        mine.say("self 0", f"to 1 127.0.0.1 {other.getsockname()[1]}",
                 "arm 1 1000000 300000000 64 7")
        mine.go()
        other.recvfrom(2000)
        ask, at = other.recvfrom(2000)
        answer = ask[:4] + b"\x01\0\x01\0" + ask[8:]
        theirs = ask[:6] + b"\x01\0" + ask[8:]
        for datagram in (answer, answer, theirs, theirs):
            other.sendto(datagram, at)
        said = mine.hear()
        self.assertEqual(said["heard", 1], [1])
        self.assertEqual(said["answered", 1][:2], [1, 1])

    def test_nothing_that_warms_up_counts_and_all_is_warm_before_the_first_that_does(self):
        mine, = self.probes(1)
        socks = []
        for _ in range(40):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(20)
            self.addCleanup(s.close)
            s.bind(("127.0.0.1", 0))
            socks.append(s)
        mine.say("self 0", *(f"to {i + 1} 127.0.0.1 {s.getsockname()[1]}"
                             for i, s in enumerate(socks)),
                 "arm 2 100000000 20000000000 64 7")
        mine.armed()
        mine.say("warm")
        for i, s in enumerate(socks):
            datagram, at = s.recvfrom(2000)
            self.assertEqual(datagram[4], 2, "it is one that warms up")
            # Back from whom it was for, as an answer to it.
            s.sendto(datagram[:4] + b"\x03\0" + bytes([i + 1, 0]) + datagram[8:], at)
        self.assertEqual(mine.process.stdout.readline(), "warm\n")
        for s in socks:
            s.setblocking(False)
            self.assertRaises(BlockingIOError, s.recvfrom, 2000)
            s.setblocking(True)
        mine.say("go")
        numbers = {i: [socks[i].recvfrom(2000)[0][16] for _ in range(2)] for i in range(40)}
        self.assertEqual(set(map(tuple, numbers.values())), {(0, 1)})

    def test_what_comes_late_from_others_counts_until_all_are_done(self):
        mine, = self.probes(1)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(other.close)
        other.bind(("127.0.0.1", 0))
        mine.say("self 0", f"to 1 127.0.0.1 {other.getsockname()[1]}",
                 "arm 1 1000000 1000000 64 7")
        mine.go()
        other.recvfrom(2000)
        ask, at = other.recvfrom(2000)
        self.assertEqual(mine.process.stdout.readline(), "done\n")
        other.sendto(ask[:6] + b"\x01\0" + ask[8:], at)
        other.recvfrom(2000)  # its answer: it has been heard
        mine.say("say")
        self.assertEqual(mine.process.stdout.readline(), "heard 1 1\n")

    def test_what_cannot_be_sent_is_not_said_to_be_lost(self):
        mine, = self.probes(1)
        mine.say("self 0", "to 1 255.255.255.255 9", "arm 3 1000000 10000000 64 7")
        mine.go()
        said = mine.hear()
        self.assertEqual(said["unsent", 1], [3, errno.EACCES])
        self.assertEqual(said["answered", 1][:2], [0, 0])

    def test_what_it_does_not_understand_ends_it(self):
        for line in ("hello", "to 1 nowhere 7", "to 9999 127.0.0.1 7", "arm 0 1 1 64 7",
                     "arm 1 1 1 9000 7", "self 5000", "go", "warm"):
            p, = self.probes(1)
            p.say(line)
            self.assertEqual(p.process.wait(10), 2, line)


if __name__ == "__main__":
    unittest.main()
