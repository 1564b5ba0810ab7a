#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two labs at once, with the same names and addresses, do not disturb one another."""
import json
import sys

import harness
from harness import check, equal


def test_two_labs(home):
    one = home.up("triangle.json", name="one")
    two = home.up("triangle.json", name="two")
    said = home.netlab("ps").stdout
    check("one" in said and "two" in said, said)
    # Which is meant has to be said now.
    done = home.netlab("exec", "n1", "--", "true", want=1)
    check("one" in done.stderr and "two" in done.stderr and "-l" in done.stderr,
          done.stderr)
    equal(home.netlab("exec", "n1", "--", "hostname",
                      env={"NETLAB_LAB": "two"}).stdout, "n1\n", "NETLAB_LAB")

    one.exec("n1", "echo one >/tmp/which")
    equal(two.netlab("exec", "n1", "--", "cat", "/tmp/which", want=None).returncode, 1,
          "a file of the other lab")
    # A fault in one, while traffic runs in the other.
    ping = home.start("-l", "two", "exec", "n1", "--", "ping", "-n", "-i", "0.05", "-c",
                      "60", "n2", text=True)
    one.netlab("partition", "n1|n2,n3")
    equal(one.reaches("n1", ["n2"], wait=1), set(), "in one")
    equal(two.reaches("n1", ["n2", "n3"]), {"n2", "n3"}, "in two")
    one.down()
    out, err = ping.communicate(timeout=60)
    check(" 0% packet loss" in out, out[-300:], err)
    equal(two.reaches("n3", ["n1", "n2"]), {"n1", "n2"}, "after the other went down")
    # By name: the folder of the topology may be called anything.
    equal([lab["lab"] for lab in json.loads(home.netlab("ps", "--json").stdout)], ["two"],
          "labs after one went down")
    two.down()
    home.check_nothing_left()


def test_down_all(home):
    home.up("triangle.json", name="one")
    home.up("triangle.json", name="two")
    home.netlab("down", "--all")
    home.check_nothing_left()


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
