#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is each word of a fault where people and tests look for it?

usage: fault_words.py WORD_TABLE NETLAB [--write]

The table (src/linkfault/word.c, printed by WORD_TABLE) is held against the schema, the
documents, completion, the samples, the list of everything at once and the mutations, both
ways: a word that lacks somewhere is named with the place, and so is one that is no word.

--write adds to the schema and to netlab-topology(5) what lacks there: the row's definition,
and the sentence that docs/faults.md has.  Read the difference before you keep it.
"""
import ast
import json
import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "docs/topology.schema.json"
FAULTS = ROOT / "docs/faults.md"
MANUAL = ROOT / "docs/netlab-topology.5"
MUTATE = ROOT / "tests/mutation/mutate.py"
EVERY = ROOT / "tests/words/every_word.json"

# Not in the list of everything at once, and why.
NOT_AT_ONCE = {
    "profile": "it is other words",
    "hold": "no frame would arrive",
    "down": "no frame would arrive",
    "carrier": "machines would wait for theirs",
    "until": "the rule would end", "for": "the rule would end",
}


def table(program):
    return json.loads(subprocess.run([program], check=True, stdout=subprocess.PIPE).stdout)


def keys_in(value):
    """Every key of every object in a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_in(inner)


# ---- where words stand ----------------------------------------------------

def schema_lacks(words):
    """What the schema has of each word, and of nothing else."""
    definitions = json.loads(SCHEMA.read_text())["definitions"]
    link = {w["key"]: w for w in words if w["of"] == "link"}
    match = {w["key"]: w for w in words if w["of"] == "match"}
    places = {"fault-word": definitions["fault-word"]["enum"],
              "fault-words": definitions["fault-words"]["properties"]}
    for place, there in places.items():
        for key in link:
            if key not in there:
                yield f"{key}: lacks in \"{place}\" of {SCHEMA.name}"
        for key in there:
            if key not in link:
                yield f"{key}: stands in \"{place}\" of {SCHEMA.name}, and is no word"
    rules = definitions["rules"]["items"]
    named = next(n["enum"] for n in rules["propertyNames"]["anyOf"] if "enum" in n)
    for place, there in (("rules", rules["properties"]), ("rules\" (its names)\"", named)):
        for key in match:
            if key not in there:
                yield f"{key}: lacks in \"{place}\" of {SCHEMA.name}"
        for key in there:
            if key not in match and key != "name":
                yield f"{key}: stands in \"{place}\" of {SCHEMA.name}, and is no word"
    for key, word in link.items():
        has = definitions["fault-words"]["properties"].get(key)
        if word["schema"] not in definitions:
            yield f"{key}: {SCHEMA.name} has no definition \"{word['schema']}\""
        elif has and has != {"$ref": f"#/definitions/{word['schema']}"}:
            yield f"{key}: is {has} in {SCHEMA.name}, and \"{word['schema']}\" in its row"


def documents_lack(words):
    faults = FAULTS.read_text()
    manual = {key for line in re.findall(r"^\.It Ic (.*)$", MANUAL.read_text(), re.M)
              for key in re.split(r"[ ,]+", line)}
    for word in words:
        key = word["key"]
        if not re.search(rf"`{re.escape(key)}=?`", faults):
            yield f"{key}: lacks in docs/{FAULTS.name}"
        if key not in manual:
            yield f"{key}: lacks in docs/{MANUAL.name}"


def completion_lacks(words, netlab):
    line = "netlab fault set wire "
    done = subprocess.run([netlab, "__complete", "bash", " \t\n", line], check=False,
                          stdout=subprocess.PIPE, text=True)
    for word in words:
        if not re.search(rf"^{re.escape(word['key'])}=", done.stdout, re.M):
            yield f"{word['key']}: is not completed after \"{line}\""


def samples_lack(words):
    there = set()
    for path in sorted((ROOT / "tests/samples/good").glob("*.json")):
        there |= set(keys_in(json.loads(path.read_text())))
    for word in words:
        if word["key"] not in there:
            yield f"{word['key']}: no file of tests/samples/good has it"


def everything_lacks(words):
    there = set(keys_in(json.loads(EVERY.read_text())))
    for word in words:
        key = word["key"]
        if key not in there and key not in NOT_AT_ONCE:
            yield f"{key}: lacks in tests/words/{EVERY.name}"
        if key in there and key in NOT_AT_ONCE:
            yield f"{key}: is in tests/words/{EVERY.name}, against {NOT_AT_ONCE[key]!r}"


def mutations_lack(words):
    """A mistake in what the word does, which a test has to see."""
    values, names = {}, set()
    for node in ast.parse(MUTATE.read_text()).body:
        name = getattr(node.targets[0], "id", "") if isinstance(node, ast.Assign) else ""
        if name == "OF_WORD":
            values = ast.literal_eval(node.value)
        if name == "MUTATIONS":
            names = {mutation.elts[0].value for mutation in node.value.elts}
    for word in words:
        key = word["key"]
        if not values.get(key):
            yield f"{key}: OF_WORD of tests/mutation/mutate.py has no mutation of it"
        for name in [] if isinstance(values.get(key), str) else values.get(key) or []:
            if name not in names:
                yield f"{key}: tests/mutation/mutate.py has no mutation {name}"
    known = {w["key"] for w in words}
    for key in values:
        if key not in known:
            yield f"{key}: stands in OF_WORD of tests/mutation/mutate.py, and is no word"


# ---- what can be written ---------------------------------------------------

def said_of(key):
    """The sentence of a row of docs/faults.md, as plain text."""
    row = re.search(rf"^\| `{re.escape(key)}` \| (.*?) \| (.*) \|$", FAULTS.read_text(), re.M)
    if not row:
        sys.exit(f"{key}: docs/{FAULTS.name} has no row for it yet")
    said = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", lambda m: m.group(1) or "", row.group(2))
    return said[0].upper() + said[1:].rstrip(".") + "."


def write(words):
    link = [w for w in words if w["of"] == "link"]
    text = SCHEMA.read_text()
    names = textwrap.fill(", ".join(f'"{w["key"]}"' for w in link), 110, break_on_hyphens=False,
                          initial_indent=" " * 8, subsequent_indent=" " * 8)
    text = re.sub(r'("fault-word": \{.*?"enum": \[\n).*?(\n      \])',
                  lambda m: m[1] + names + m[2], text, count=1, flags=re.S)
    rows = ",\n".join(f'        "{w["key"]}": {{"$ref": "#/definitions/{w["schema"]}"}}'
                      for w in link)
    text = re.sub(r'("fault-words": \{.*?"properties": \{\n).*?(\n      \})',
                  lambda m: m[1] + rows + m[2], text, count=1, flags=re.S)
    SCHEMA.write_text(text)
    lacking = [m.split(":", 1)[0] for m in documents_lack(link) if m.endswith(MANUAL.name)]
    manual = MANUAL.read_text()
    for key in lacking:
        item = f".It Ic {key}\n" + textwrap.fill(said_of(key), 80) + "\n"
        manual = manual.replace(".It Ic profile\n", item + ".It Ic profile\n", 1)
    MANUAL.write_text(manual)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    words = table(sys.argv[1])
    if "--write" in sys.argv:
        write(words)
    wrong = [*schema_lacks(words), *documents_lack(words), *completion_lacks(words, sys.argv[2]),
             *samples_lack(words), *everything_lacks(words), *mutations_lack(words)]
    print("\n".join(wrong))
    print(f"{len(words)} words, {len(wrong)} wrong")
    return bool(wrong)


sys.exit(main())
