# SPDX-License-Identifier: GPL-2.0-or-later
"""The root file system of a test host, as a folder: 200 MB, no maintainer script run."""
import os
import shutil

from . import cache
from .apt import Apt
from .output import Failure, say
from .paths import OUT, TREE, VM, words
from .proc import need, run

RECIPE = [VM / name for name in ("packages", "packages-aside", "masked-units", "make-tree",
                                 "guest", "harness/tree.py")]
SUITES = ["bookworm", "bookworm-updates", "bookworm-security"]


def key():
    return cache.key(*RECIPE)


def _build():
    need("apt-get", "dpkg-deb", "tar", "xargs", "unshare", "chroot")
    if os.geteuid() != 0:
        raise Failure("making the root file system takes root: its files belong to many users")
    say("tree: asking apt for packages")
    apt = Apt(SUITES)
    debs = apt.install_set(words(VM / "packages"))
    aside = {name: apt.single([name]) for name in words(VM / "packages-aside")}
    say(f"tree: unpacking {len(debs)} packages")
    new = OUT / "tree.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    run(VM / "make-tree", new, stdin="\n".join(map(str, debs)))
    for name, files in aside.items():
        place = new / "opt/variants" / name
        place.mkdir(parents=True)
        run("dpkg-deb", "--extract", files[0], place)
        shutil.rmtree(place / "usr/share/doc")
        shutil.rmtree(place / "usr/share/man", ignore_errors=True)
    (OUT / "tree.packages").write_text("".join(f"{deb.name}\n" for deb in debs))
    shutil.rmtree(TREE, ignore_errors=True)
    new.rename(TREE)
    say("tree: done")


def ensure():
    cache.ensure("tree", key(), _build)
