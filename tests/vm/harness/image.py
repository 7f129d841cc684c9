# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks without loop devices or mounts: mke2fs fills a file system from a folder."""
import os
import shutil
from pathlib import Path

from . import cache, kernel, tree
from .output import say
from .paths import OUT, TREE, VM, image
from .paths import kernel as kernel_dir
from .proc import need, run

RECIPE = [VM / "harness/image.py"]

# virtio_blk is a module in Debian's kernels, and the only disk that QEMU can put in a snapshot.
DISK_MODULES = ("virtio_pci", "virtio_blk")

INIT = """#!/bin/sh
busybox mount -t devtmpfs dev /dev
for module in {modules}; do busybox insmod /modules/$module; done
tries=0
until [ -b /dev/vda ]; do
  tries=$((tries + 1)); [ $tries -lt 250 ] || busybox poweroff -f
  busybox usleep 20000
done
busybox mount -t ext4 /dev/vda /root || busybox poweroff -f
exec busybox switch_root /root /sbin/init
"""


def make_disk(folder, file, size):
    """An ext4 file system of `size` with the content of `folder`, sparse."""
    file.unlink(missing_ok=True)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", folder, "-m", "0", "-O",
        "^has_journal,^metadata_csum", "-E", "lazy_itable_init=1", file, size)


def copy(source, target):
    """Copies a file or folder by hard links where the disk allows it."""
    def link(a, b, **_):
        try:
            os.link(a, b, follow_symlinks=False)
        except OSError:
            shutil.copy2(a, b, follow_symlinks=False)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=link, symlinks=True)
    else:
        link(source, target)


def key(name):
    return cache.key(kernel.key(name), tree.key(), *RECIPE)


def _make_initramfs(name, work):
    base = kernel_dir(name)
    version = kernel.modules(base).name
    for folder in ("bin", "dev", "root", "modules"):
        (work / folder).mkdir(parents=True)
    shutil.copy2(TREE / "usr/bin/busybox", work / "bin/busybox")
    (work / "bin/sh").symlink_to("busybox")
    order = []
    for module in DISK_MODULES:
        # Lines are "insmod PATH" and "builtin NAME".
        steps = run("modprobe", "-d", base, "-S", version, "--show-depends", module).split("\n")
        files = [Path(step.split()[1]) for step in steps if step.startswith("insmod ")]
        order += [file for file in files if file not in order]
    for file in order:
        shutil.copy2(file, work / "modules")
    (work / "init").write_text(INIT.format(modules=" ".join(file.name for file in order)))
    (work / "init").chmod(0o755)
    run("sh", "-c", 'find . | cpio --quiet -o -H newc | gzip -1 > "$0"', base / "initrd.gz",
        cwd=work)


def _build(name):
    need("mke2fs", "modprobe", "cpio", "gzip", "cp")
    say(f"image {name}: making the disk")
    stage = OUT / f"stage-{name}"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    _make_initramfs(name, stage / "initramfs")
    run("cp", "-al", TREE, stage / "root")
    run("cp", "-al", kernel_dir(name) / "lib/modules", stage / "root/usr/lib/modules")
    make_disk(stage / "root", stage / "root.ext4", "1G")
    (stage / "root.ext4").rename(image(name))
    shutil.rmtree(stage)


def ensure(name):
    tree.ensure()
    kernel.ensure(name)
    cache.ensure(f"root-{name}", key(name), lambda: _build(name))
