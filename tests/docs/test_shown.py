#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the documents show can be typed, and what they link to is there.

Each command in README.md, docs/*.md, the man pages and the help texts is run as it stands
where no lab runs and no file lies: it fails for want of those (exit status 1) or is done,
but it must never be called wrongly (2).  NETLAB is the program; NETLAB_BUILD the folder
that `cmake --install` installs from.
"""
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETLAB = os.path.abspath(os.environ["NETLAB"])
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MANUALS = sorted((ROOT / "docs").glob("*.[1-8]"))

# Not run, and why.
NOT_RUN = {
    "kernel build": "takes minutes and fetches a source",
    "__": "for scripts, not for people",
}
# Words that stand for something else: each is right for whoever reads, not for a shell.
STANDS_FOR = [
    (r"…|\.\.\.", ""),                      # and so on
    (r"\[[A-Z|a-z ,.=-]+\]\s*", ""),        # optional
    (r"\bPACE\b", "max"), (r"\bDURATION\b", "1s"), (r"\bbash\|zsh\|fish\b", "bash"),
    (r"\bKEY=VALUE\b", "delay=1ms"),
]


def of_markdown(text):
    """Commands of code spans and of code blocks (a prompt may stand before them)."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S):
        yield from re.findall(r"^(?:\$ )?(netlab .*)", block, re.M)
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    yield from re.findall(r"^    (?:\$ )?(netlab .*)", text, re.M)
    for span in re.findall(r"`([^`]+)`", text.replace("\n", " ")):
        if re.match(r"netlab [a-z]", span):
            yield span


def of_manual(text):
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S):
        yield from re.findall(r"^(netlab .*)", block.replace("\\e", "\\").replace("\\-", "-"),
                              re.M)


def of_help():
    usage = subprocess.run([NETLAB, "help"], capture_output=True, text=True).stdout
    for name in re.findall(r"^  ([a-z-]+(?: (?:set|clear|ls|use|rm|build|pace|step))?)", usage,
                           re.M):
        text = subprocess.run([NETLAB, "help", *name.split()], capture_output=True,
                              text=True).stdout
        for span in re.findall(r"`([^`]+)`", text.replace("\n", " ")):
            if span.startswith("netlab "):
                yield span


def words_of(command):
    """What netlab is given: up to what the shell takes for itself.  None: no command."""
    for pattern, instead in STANDS_FOR:
        command = re.sub(pattern, instead, command)
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words = []
    try:
        for word in lexer:
            if word and set(word) <= set("|&;<>()"):
                break
            words.append(word)
    except ValueError:
        return None  # quotes that go on in the next line
    return words[1:] or None


class ShownTest(unittest.TestCase):
    maxDiff = None

    def shown(self):
        for page in PAGES:
            for command in of_markdown(page.read_text()):
                yield page.name, command
        for page in MANUALS:
            for command in of_manual(page.read_text()):
                yield page.name, command
        for command in of_help():
            yield "help", command

    def test_every_command_that_is_shown_can_be_typed(self):
        tried, wrong = set(), []
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o700)
            env = {"PATH": "/nowhere", "HOME": folder, "XDG_RUNTIME_DIR": folder, "LANG": "C"}
            for page, command in self.shown():
                words = words_of(command)
                if not words or tuple(words) in tried or \
                   any(" ".join(words).startswith(name) for name in NOT_RUN):
                    continue
                tried.add(tuple(words))
                done = subprocess.run([NETLAB, *words], env=env, cwd=folder,
                                      stdin=subprocess.DEVNULL, capture_output=True,
                                      text=True, timeout=60)
                # `netlab up` alone is the command's name in a sentence.
                if done.returncode not in (0, 1) and \
                   not (re.search(r"needs arguments|what\? try", done.stderr) and
                        re.fullmatch(r"netlab( [a-z-]+)+", command)):
                    wrong.append(f"{page}: {command}: {done.stderr.strip()}")
        self.assertEqual(wrong, [])
        self.assertGreater(len(tried), 60)

    def links(self, page):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                yield target

    def test_every_link_leads_somewhere(self):
        for page in PAGES:
            for target in self.links(page):
                self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_what_is_installed_has_all_that_its_readme_links_to(self):
        with tempfile.TemporaryDirectory() as prefix:
            subprocess.run(["cmake", "--install", os.environ["NETLAB_BUILD"], "--prefix", prefix],
                           check=True, capture_output=True)
            [page] = pathlib.Path(prefix).glob("share/doc/*/README.md")
            for target in self.links(page):
                self.assertTrue((page.parent / target).exists(), target)
            for name in ("bash-completion/completions/netlab",
                         "fish/vendor_completions.d/netlab.fish"):
                self.assertIn("netlab", (pathlib.Path(prefix) / "share" / name).read_text())


if __name__ == "__main__":
    unittest.main()
