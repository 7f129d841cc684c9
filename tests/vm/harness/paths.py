# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are: everything the harness makes is under build/vm of the tree it belongs to."""
from pathlib import Path

VM = Path(__file__).resolve().parent.parent  # tests/vm
REPO = VM.parent.parent
TESTS = VM / "tests"
OUT = REPO / "build" / "vm"

DEBS = OUT / "debs"  # downloaded packages
TREE = OUT / "tree"  # root file system of every host we make, without kernel modules
RUN = OUT / "run"  # work folders of machines that run now
RESULTS = OUT / "out"  # what failed tests left


def kernel(name):
    return OUT / f"kernel-{name}"


def image(name):
    return OUT / f"root-{name}.ext4"


def snapshot(name):
    return OUT / f"snapshot-{name}"


def words(path):
    """The words of a text file, without its comments."""
    lines = path.read_text().splitlines()
    return [word for line in lines for word in line.partition("#")[0].split()]
