#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every patch of guest/ applies to a kernel's source with no fuzz and no offset left
unsaid, and the configuration asks for nothing that the source does not know.

The source: NETLAB_KERNEL_SOURCE (a folder or tarball), else what `netlab kernel build`
fetched, else an installed linux-source package; with none of them the test is skipped
(exit status 77)."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

import patches

SKIPPED = 77


def find_source():
    given = os.environ.get("NETLAB_KERNEL_SOURCE")
    if given:
        return pathlib.Path(given)
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    places = [cache / "netlab" / "source", pathlib.Path("/usr/src")]
    for place in places:
        for found in sorted(place.glob("linux-source-*.tar.*"), reverse=True):
            return found
    return None


def wanted(name, files):
    return name in files or name == "Makefile" or name.rsplit("/", 1)[-1].startswith("Kconfig")


def take(source, files, folder):
    """The patched files, the Makefile and all Kconfig files of the source."""
    if source.is_dir():
        for path in source.rglob("*"):
            name = str(path.relative_to(source))
            if path.is_file() and wanted(name, files):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        return
    with tarfile.open(source) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if member.isfile() and wanted(name, files):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.extractfile(member).read())


def apply(path, folder):
    done = subprocess.run(["patch", "-p1", "--fuzz=0", "--forward", "--batch", "-i", str(path)],
                          cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def known_options(folder):
    found = set()
    for path in folder.rglob("Kconfig*"):
        found.update(re.findall(r"^\s*(?:menu)?config\s+(\w+)", path.read_text(), re.M))
    return found


def main():
    source = find_source()
    if not source:
        print("no kernel source: give one with NETLAB_KERNEL_SOURCE, or have "
              "`netlab kernel build` fetch it")
        return SKIPPED
    series = patches.paths()
    files = {file.old.partition("/")[2] for path in series for file in patches.read(path).files
             if file.old != "/dev/null"}
    bad = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        take(source, files, folder)
        for path in series:
            said = apply(path, folder)
            if said:
                bad.append(f"{path.name} does not fit {source}:\n{said}")
        options, _ = patches.options((patches.GUEST / "kernel.config").read_text())
        unknown = sorted(set(options) - known_options(folder))
        if unknown:
            bad.append(f"{source} knows no option {', '.join(unknown)}")
    print("\n".join(bad) or f"{len(series)} patches and {len(options)} options fit {source}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
