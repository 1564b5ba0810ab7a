#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What each command prints with --json has the shape that docs/json-output.schema.json says."""
import functools
import json

import harness
from harness import check, equal

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = json.loads((harness.ROOT / "docs/json-output.schema.json").read_text())
TOPOLOGY = {"name": "shapes", "seed": 1,
            "nodes": {"n[1-2]": {"memory": "64M", "run": [{"name": "s", "cmd": "echo hi"}]}},
            "links": [{"name": "w", "endpoints": ["n1", "n2"], "delay": "1ms"}]}


@functools.cache
def validator(shape):
    """Made once: that the schema is one is looked at in each."""
    schema = {**SCHEMA["properties"][shape], "$defs": SCHEMA["$defs"]}
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def hold(home, shape, *args, want=0, lines=False):
    """The command's output is as the schema has it under that name."""
    said = home.netlab(*args, want=want).stdout
    for text in said.splitlines() if lines else [said]:
        validator(shape).validate(json.loads(text))
    seen.add(shape)


seen = set()


def test_every_output_has_its_documented_shape(home):
    check(jsonschema, "python3-jsonschema is not installed: scripts/setup test")
    path = home.write("shapes.json", TOPOLOGY)
    hold(home, "version", "version", "--json")
    hold(home, "failure", "inspect", "nosuch", "--json", want=1)
    hold(home, "failure", "up", home.folder / "nosuch.json", "--json", want=1)
    hold(home, "check", "check", "--json", path)
    hold(home, "check", "check", "--json", "--expand", path)
    hold(home, "check", "check", "--json", "--set", "nodes.x.memroy=1", path, want=1)
    hold(home, "doctor", "doctor", "--json")
    hold(home, "kernel ls", "kernel", "ls", "--json")
    hold(home, "up", "up", "--json", "--out", home.out, path)
    hold(home, "exec", "exec", "--json", "all", "--", "ping", "-c3", "-i0.1", "n2")
    hold(home, "exec", "exec", "--json", "n1", "--", "sh", "-c", "printf '\\377'; exit 3", want=1)
    hold(home, "fault set", "fault", "set", "--json", "w", "loss=1%", "for=60s")
    hold(home, "fault set", "fault", "set", "--json", "w", "match=tcp", "loss=2%")
    hold(home, "fault ls", "fault", "ls", "--json")
    hold(home, "partition ls", "partition", "ls", "--json")
    home.netlab("partition", "n1|n2", "--for", "60s")
    home.netlab("partition", "isolate", "n1", "--name", "i")
    hold(home, "partition ls", "partition", "ls", "--json")
    hold(home, "matrix", "matrix", "--json")
    hold(home, "inspect", "inspect", "--json")
    home.netlab("heal")
    hold(home, "fault clear", "fault", "clear", "--all", "--json")
    hold(home, "matrix", "matrix", "--probe", "--json", want=None)
    hold(home, "fidelity", "fidelity", "--json", want=None)
    hold(home, "capture", "capture", "w", "-w", home.folder / "w.pcapng", "--for", "10ms", "--json")
    hold(home, "clock", "clock", "--json")
    hold(home, "clock set", "clock", "set", "n1", "step=1s", "--json")
    hold(home, "clock", "clock", "--json")
    for order in "stop", "cont", "kill":
        hold(home, f"proc {order}", "proc", order, "n1", "999999", "--json", want=1)
    for order in "kill", "start", "panic", "start", "stop":
        hold(home, f"node {order}", "node", order, "n1", "--json")
    hold(home, "node start", "node", "start", "n1,n2", "--json", want=1)
    for order in "restart", "reset", "pause", "resume":
        hold(home, f"node {order}", "node", order, "n1,n2", "--json")
    hold(home, "events", "events", "--json", lines=True)
    hold(home, "failure", "fault", "set", "nosuch", "loss=1%", "--json", want=1)
    hold(home, "inspect", "inspect", "--json")
    hold(home, "ps", "ps", "--json")
    home.netlab("down")
    hold(home, "ps", "ps", "--json")
    equal(sorted(seen), sorted(SCHEMA["properties"]), "outputs that were tried")


if __name__ == "__main__":
    raise SystemExit(harness.main(globals()))
