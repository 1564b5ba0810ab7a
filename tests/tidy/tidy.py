#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tidy.py [--only RULE]... [ROOT] - hold the sources to the rules of docs/STYLE.md

Prints one line per violation, FILE:LINE: RULE: what is wrong, and exits 1 if
there is one.  Each rule is a function below; test_tidy.py shows that each one
catches what it is for.
"""
import argparse
import pathlib
import re
import subprocess
import sys

# From the ground up.  A folder includes itself and what stands on lower floors,
# never a neighbour on its own.
FLOORS = [
    ["base"],
    ["clock", "linkfault", "kernel", "partition"],
    ["faultwords", "switch", "vhost", "capture"],
    ["plan", "device"],
    ["topology", "agentproto"],
    ["init"],
    ["agent", "node"],
    ["run"],
    ["fabric"],
    ["machine"],
    ["replay", "ops", "control"],
    ["lab"],
    ["cli"],
]
# Which room a change belongs to is to be seen from the names in it.
ROOM_PAIRS_MAX = 30
COMMANDS = ["cli"]  # one file each: as many as there are commands
FLOOR_OF = {folder: n for n, floor in enumerate(FLOORS) for folder in floor}

LINE_COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 80
FILE_LINES_MAX = 600
TEST_FILE_LINES_MAX = 800  # a list of cases is one concept
TAB_COLUMNS = 8

# name -> (folders where it is allowed, what to do instead)
TIME = "the time comes from clock/clock.h"
CHANCE = "chance comes from base/draw.h"
UNBOUNDED = "use snprintf or memcpy with the size that is there"
WAITING = "wait for the event itself"
BANNED_CALLS = {
    "rand": ([], CHANCE), "srand": ([], CHANCE), "rand_r": ([], CHANCE),
    "random": ([], CHANCE), "srandom": ([], CHANCE), "drand48": ([], CHANCE),
    "arc4random": ([], CHANCE), "getentropy": ([], CHANCE),
    # A machine's own is what is tried.
    "getrandom": (["src/node/preload", "src/lab/seed", "tests/guest/"], CHANCE),
    "gettimeofday": ([], TIME), "clock": ([], TIME),
    # The name of a run directory is for people.
    "time": (["src/run/rundir.c"], TIME),
    # How long to wait for something of the host's (a process, a client that does
    # not read, a person) is host time.  The benchmarks and the tests of real
    # traffic measure with the host's clock; what runs in a machine has only its own.
    "clock_gettime": (["src/clock/", "src/base/proc.c", "src/control/control.c",
                       "src/cli/host_clock.c", "bench/", "tests/lab/",
                       "tests/guest/"], TIME),
    "strcpy": ([], UNBOUNDED), "strcat": ([], UNBOUNDED), "stpcpy": ([], UNBOUNDED),
    "sprintf": ([], UNBOUNDED), "vsprintf": ([], UNBOUNDED), "gets": ([], UNBOUNDED),
    "strncpy": ([], "it may leave no zero at the end; use snprintf"),
    "alloca": ([], "it cannot fail politely; use an array or malloc"),
    "atoi": ([], "it cannot fail; use strtol and check"),
    "atol": ([], "it cannot fail; use strtol and check"),
    "atof": ([], "it cannot fail; use strtod and check"),
    "strtok": ([], "it keeps state; use strtok_r or strsep"),
    "system": ([], "run programs by argument vector"),
    "popen": ([], "run programs by argument vector"),
    "tmpnam": ([], "it races; use mkstemp"), "mktemp": ([], "it races; use mkstemp"),
    "signal": ([], "its meaning differs between systems; use sigaction"),
    "sleep": ([], WAITING), "usleep": ([], WAITING), 
    # A file lock cannot be awaited with a time limit.
    "nanosleep": (["src/run/state_find.c"], WAITING),
    "clock_nanosleep": (["bench/", "tests/lab/"], WAITING),
}
# `return time(` is a call and `int time(` is not.
KEYWORDS = {"return", "else", "case", "do", "goto", "sizeof"}

SOURCE_FOLDERS = ["src", "tests", "bench", "guest", "labs"]


class Tree:
    """The project's files, read once."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.texts = {}
        for folder in SOURCE_FOLDERS:
            for path in sorted(self.root.glob(f"{folder}/**/*")):
                if path.suffix in (".c", ".h") and path.is_file():
                    name = path.relative_to(self.root).as_posix()
                    self.texts[name] = path.read_text(encoding="utf-8")

    def lines(self):
        for name, text in self.texts.items():
            for number, line in enumerate(text.split("\n"), 1):
                yield name, number, line


def without_comments_and_strings(text):
    """The same lines, with comments and the insides of literals blanked."""
    def blank(match):
        s = match.group(0)
        if s[0] in "\"'":
            return s[0] + s[0]
        return re.sub(r"[^\n]", " ", s)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S)


def rule_include_order(tree):
    """Nothing is included from a floor above or from a neighbour."""
    for name, number, line in tree.lines():
        if not name.startswith("src/"):
            continue
        parts = name.split("/")
        if len(parts) < 3 or parts[1] not in FLOOR_OF:
            if number == 1:
                yield name, 1, f"lies in no folder of the floors {' '.join(FLOOR_OF)}"
            continue
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        mine, target = parts[1], match.group(1)
        other = target.split("/")[0]
        if "/" not in target or ".." in target or other not in FLOOR_OF:
            yield name, number, f'"{target}" is not written as "folder/file.h"'
        elif f"src/{target}" not in tree.texts:
            yield name, number, f'"{target}" does not exist'
        elif other != mine and FLOOR_OF[other] >= FLOOR_OF[mine]:
            where = "above" if FLOOR_OF[other] > FLOOR_OF[mine] else "beside"
            yield name, number, f"{other} stands {where} {mine}"


def stem(name):
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def rule_room_size(tree):
    """A folder that has too many files has more than one idea."""
    rooms = {}
    for name in tree.texts:
        if name.startswith("src/"):
            rooms.setdefault(name.split("/")[1], set()).add(stem(name))
    for room, stems in sorted(rooms.items()):
        if len(stems) > ROOM_PAIRS_MAX and room not in COMMANDS:
            yield f"src/{room}", 1, f"{len(stems)} pairs of files; at most {ROOM_PAIRS_MAX}"


def rule_one_name(tree):
    """Two files, or two structs or enums of headers, of one name: whoever reads it takes
    one for the other."""
    files, tags = {}, {}
    for name, text in sorted(tree.texts.items()):
        if not name.startswith("src/"):
            continue
        pair = name.rsplit(".", 1)[0]
        other = files.setdefault(stem(name), pair)
        if other != pair:
            yield name, 1, f"{other} has this name, too"
        if not name.endswith(".h"):
            continue
        code = without_comments_and_strings(text)
        for match in re.finditer(r"^((?:struct|enum|union) \w+) \{", code, re.M):
            other = tags.setdefault(match[1], name)
            if other != name:
                yield name, code.count("\n", 0, match.start()) + 1, \
                    f"{match[1]} is defined in {other}, too"


def rule_link_order(tree):
    """A folder's library links only libraries of lower floors."""
    for path in sorted(tree.root.glob("src/*/CMakeLists.txt")):
        mine = path.parent.name
        name = path.relative_to(tree.root).as_posix()
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for other in re.findall(r"\bnl_([a-z]+)\b", line):
                if other != mine and other in FLOOR_OF and mine in FLOOR_OF and \
                   FLOOR_OF[other] >= FLOOR_OF[mine]:
                    yield name, number, f"nl_{other} does not stand below nl_{mine}"


def rule_banned_call(tree):
    """Calls that a rule forbids, outside the folders that need them."""
    call = re.compile(r"(?:(\w+|[*&.>])\s*)?(?<![\w.>])(" +
                      "|".join(BANNED_CALLS) + r")\s*\(")
    for name, text in tree.texts.items():
        code = without_comments_and_strings(text)
        for number, line in enumerate(code.split("\n"), 1):
            for match in call.finditer(line):
                before, what = match.groups()
                if what == "signal" and re.search(r",\s*SIG_(IGN|DFL)\s*\)",
                                                 line[match.end():]):
                    continue  # means the same everywhere
                if before and (before in "*.>" or
                               (before.isidentifier() and before not in KEYWORDS)):
                    continue  # a declaration or a member, not a call
                allowed, instead = BANNED_CALLS[what]
                if not any(name.startswith(prefix) for prefix in allowed):
                    yield name, number, f"{what}(): {instead}"


def rule_line_length(tree):
    for name, number, line in tree.lines():
        columns = len(line.expandtabs(TAB_COLUMNS))
        if columns > LINE_COLUMNS_MAX:
            yield name, number, f"{columns} columns; at most {LINE_COLUMNS_MAX}"


def rule_white_space(tree):
    for name, number, line in tree.lines():
        if line != line.rstrip():
            yield name, number, "white space at the end of the line"
        if re.match(r" {8}", line):
            yield name, number, "indented with spaces; use tabs"
    for name, text in tree.texts.items():
        if text and not text.endswith("\n"):
            yield name, text.count("\n") + 1, "no newline at the end of the file"


def rule_function_length(tree):
    """A function's body stands between two braces in the first column."""
    for name, text in tree.texts.items():
        start = None
        for number, line in enumerate(text.split("\n"), 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                length = number - start - 1
                if length > FUNCTION_LINES_MAX:
                    yield name, start, \
                        f"function of {length} lines; at most {FUNCTION_LINES_MAX}"
                start = None


def rule_file_length(tree):
    for name, text in tree.texts.items():
        length = text.count("\n")
        limit = TEST_FILE_LINES_MAX if name.startswith("tests/") else FILE_LINES_MAX
        if length > limit:
            yield name, length, f"{length} lines; at most {limit}: two concepts?"


def rule_header_comment(tree):
    """Each file names its licence; each header says what it is and is guarded."""
    for name, text in tree.texts.items():
        if not text.startswith("/* SPDX-License-Identifier: "):
            yield name, 1, "does not begin with its licence (SPDX-License-Identifier)"
        if not name.endswith(".h"):
            continue
        lines = text.split("\n")
        own = name.rsplit("/", 1)[-1]
        if len(lines) < 2 or not lines[1].startswith(f"/* {own} - "):
            yield name, 2, f'does not begin with "/* {own} - what it is"'
        if not re.search(r"^#ifndef (\w+)\n#define \1$", text, re.M) and \
           "#pragma once" not in text:
            yield name, 2, "has no include guard"


def rule_in_cmake(tree):
    """Every .c is named by a CMake file, relative to where that file lies."""
    named = set()
    for path in list(tree.root.glob("**/CMakeLists.txt")) + \
            list(tree.root.glob("tests/*.cmake")):
        text = re.sub(r"#.*", "", path.read_text())
        for word in re.findall(r"[\w./${}-]+\.c\b", text):
            word = re.sub(r"\$\{(CMAKE_SOURCE_DIR|PROJECT_SOURCE_DIR)\}", "/", word)
            word = re.sub(r"\$\{CMAKE_CURRENT_(SOURCE|LIST)_DIR\}/", "", word)
            base = tree.root if word.startswith("/") else path.parent
            named.add((base / word.lstrip("/")).resolve())
    for name in tree.texts:
        if name.endswith(".c") and (tree.root / name).resolve() not in named:
            yield name, 1, "is in no CMake list, so nothing builds it"


def rule_script_syntax(tree):
    """Shell scripts parse."""
    for path in sorted(tree.root.glob("**/*")):
        name = path.relative_to(tree.root).as_posix()
        if name.startswith((".git/", "build")) or not path.is_file() or \
           path.suffix not in ("", ".sh") or "/corpus/" in name:
            continue
        with open(path, "rb") as f:
            shebang = re.match(rb"#!\s*(?:/usr/bin/env\s+|/bin/)(sh|bash)\b", f.readline())
        if not shebang:
            continue
        run = subprocess.run([shebang.group(1).decode(), "-n", str(path)],
                             capture_output=True, text=True)
        if run.returncode:
            yield name, 1, run.stderr.strip().split("\n")[0]


def rule_run_bit(tree):
    """What begins with #! can be called by its name, and nothing else can."""
    for path in sorted(tree.root.glob("tests/**/*.py")) + sorted(tree.root.glob("scripts/*")):
        name = path.relative_to(tree.root).as_posix()
        if not path.is_file():
            continue
        with open(path, "rb") as f:
            wants = f.read(2) == b"#!"
        if wants != bool(path.stat().st_mode & 0o100):
            yield name, 1, "begins with #!: chmod +x" if wants else \
                "has a run bit, but does not begin with #!"


RULES = {name[len("rule_"):]: function for name, function in list(globals().items())
         if name.startswith("rule_")}


def check(root, only=None):
    """All violations, as (file, line, rule, what)."""
    tree = Tree(root)
    return [(name, number, rule, what) for rule in only or RULES
            for name, number, what in RULES[rule](tree)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", nargs="?",
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--only", action="append", choices=sorted(RULES))
    args = parser.parse_args()
    found = check(args.root, args.only)
    for name, number, rule, what in found:
        print(f"{name}:{number}: {rule}: {what}")
    if not Tree(args.root).texts:
        print(f"{args.root}: no sources here")
        return 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
