# SPDX-License-Identifier: MIT
"""Reads guest/: the patches and the configuration of netlab's own kernel."""
import collections
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUEST = ROOT / "guest"

LICENCE = "GPL-2.0-only"
LINE_CHARS_MAX = 75  # of a message: git log indents it
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
OPTION = re.compile(r'CONFIG_([A-Za-z0-9_]+)=(y|m|-?\d+|0x[0-9a-f]+|"[^"]*")')
NOT_SET = re.compile(r"# CONFIG_([A-Za-z0-9_]+) is not set")
PARAMETER = re.compile(r'^\+__uml_setup\("([a-z_]+=)"', re.M)

Patch = collections.namedtuple("Patch", "name headers message files parameters")
File = collections.namedtuple("File", "old new hunks added")


class Malformed(Exception):
    pass


def _split(text, name):
    head, blank, rest = text.partition("\n\n")
    message, rule, diff = rest.partition("\n---\n")
    if not blank or not rule:
        raise Malformed(f"{name}: not header, message, '---', changes")
    headers = {}
    for line in re.sub(r"\n[ \t]+", " ", head).split("\n")[1:]:
        key, colon, value = line.partition(": ")
        if not colon:
            raise Malformed(f"{name}: header line '{line}'")
        headers[key] = value
    return headers, message, diff


def _hunk(lines, at, name):
    """The number of the line behind a hunk, and the lines that it adds."""
    found = HUNK.match(lines[at])
    if not found:
        raise Malformed(f"{name}: '{lines[at]}' begins no hunk")
    old, new = (int(n) if n is not None else 1 for n in found.group(2, 4))
    added = []
    at += 1
    while old or new:
        if at == len(lines):
            raise Malformed(f"{name}: the last hunk is cut short")
        kind = lines[at][:1]
        if kind == "\\":
            raise Malformed(f"{name}: a file without a newline at its end")
        if kind not in ("+", "-", " "):
            raise Malformed(f"{name}: line '{lines[at]}' in a hunk")
        old -= kind != "+"
        new -= kind != "-"
        if kind == "+":
            added.append(lines[at][1:])
        if old < 0 or new < 0:
            raise Malformed(f"{name}: a hunk is longer than it says")
        at += 1
    return at, added


def _files(diff, name):
    lines = diff.split("\n")
    files, at = [], 0
    while at < len(lines):
        if not lines[at].startswith("--- "):
            if lines[at].startswith("@@ "):
                raise Malformed(f"{name}: a hunk of no file")
            # Before the first file are the lines of the summary.
            if files and lines[at][:1] in ("+", "-", " "):
                raise Malformed(f"{name}: a hunk is longer than it says")
            at += 1
            continue
        old, new = lines[at][4:], lines[at + 1][4:]
        at, hunks, added = at + 2, 0, []
        while at < len(lines) and lines[at].startswith("@@ "):
            at, more = _hunk(lines, at, name)
            hunks += 1
            added += more
        if not hunks:
            raise Malformed(f"{name}: {new} has no hunk")
        files.append(File(old, new, hunks, added))
    return files


def read(path):
    text = pathlib.Path(path).read_text()
    headers, message, diff = _split(text, pathlib.Path(path).name)
    files = _files(diff, pathlib.Path(path).name)
    return Patch(pathlib.Path(path).name, headers, message, files,
                 PARAMETER.findall(text))


def paths(guest=GUEST):
    return sorted((guest / "patches").glob("*.patch"))


def complaints(guest=GUEST):
    """What is wrong with the series: ["NAME: what", ...]"""
    said = []
    for number, path in enumerate(paths(guest), 1):
        try:
            patch = read(path)
        except Malformed as why:
            said.append(str(why))
            continue
        said += [f"{path.name}: {what}" for what in _complaints(patch, number)]
    return said


def _complaints(patch, number):
    if not re.fullmatch(f"{number:04d}-[a-zA-Z0-9-]+\\.patch", patch.name):
        yield f"is number {number} of the series, and named otherwise"
    for key in "From", "Date", "Subject":
        if not patch.headers.get(key):
            yield f"no {key}:"
    if not re.match(r"\[PATCH\] [a-z0-9-]+: \S", patch.headers.get("Subject", "")):
        yield "Subject: is not '[PATCH] AREA: what is now true'"
    if len(patch.message.split()) < 30:
        yield "the message does not say what and why"
    if max(map(len, patch.message.split("\n"))) > LINE_CHARS_MAX:
        yield f"a line of the message has more than {LINE_CHARS_MAX} characters"
    if not patch.files:
        yield "changes nothing"
    for file in patch.files:
        if file.old == "/dev/null" and f"SPDX-License-Identifier: {LICENCE}" not in file.added[0]:
            yield f"{file.new} does not begin with SPDX-License-Identifier: {LICENCE}"
        for line in file.added:
            if line != line.rstrip():
                yield f"{file.new}: white space at the end of '{line.strip()}'"


def options(text):
    """Of a fragment: {name: value or None}, and what is wrong with it."""
    found, said = {}, []
    for number, line in enumerate(text.split("\n"), 1):
        given, unset = OPTION.fullmatch(line), NOT_SET.fullmatch(line)
        if given or unset:
            name = (given or unset).group(1)
            if name in found:
                said.append(f"line {number}: CONFIG_{name} again")
            found[name] = given.group(2) if given else None
        elif line and not line.startswith("#"):
            said.append(f"line {number}: '{line}' is no option")
    return found, said


def groups_without_reason(text):
    """Groups are separated by blank lines; each begins with what it is."""
    return [group.split("\n")[0] for group in text.strip().split("\n\n")
            if not group.startswith("# ")]
