#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every worked lab under labs/ runs to its end and finds what its README says."""
import shutil
import subprocess
import sys

import harness
from harness import check


def runs(home, folder):
    # In a copy: the run directory goes beside the topology.
    copy = home.folder / folder.name
    shutil.copytree(folder, copy)
    done = subprocess.run([copy / "run"], env={**home.env, "NETLAB": harness.NETLAB},
                          capture_output=True, text=True, timeout=200,
                          stdin=subprocess.DEVNULL)
    check(done.returncode == 0, folder.name, done.stdout[-3000:], done.stderr[-3000:])
    home.check_nothing_left()


def tests():
    for folder in sorted((harness.ROOT / "labs").iterdir()):
        if (folder / "run").exists():
            yield "test_" + folder.name.replace("-", "_"), \
                lambda home, folder=folder: runs(home, folder)


if __name__ == "__main__":
    sys.exit(harness.main(dict(tests())))
