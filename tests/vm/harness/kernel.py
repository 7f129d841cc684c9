# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian cloud kernel: vmlinuz and the modules that tests of a network program may need.

The cloud flavour is half the size of the generic one and has ext4 built in.
"""
import re
import shutil
from pathlib import Path

from . import cache
from .apt import Apt
from .output import Failure, say
from .paths import DEBS, OUT, VM, kernel, words
from .proc import need, run

RECIPE = [VM / "harness/kernel.py"]

KEPT = re.compile(r"""kernel/(
    (arch/x86/)?crypto | block | lib | mm | net | virt |
    fs/(autofs|configfs|erofs|fuse|nls|overlayfs|squashfs) |
    drivers/(
      block | char | firmware | pps | ptp | vhost | virtio |
      net/(amt|bareudp|bonding|dummy|geneve|gtp|ifb|ip|macv|macsec|net_failover|netkit|nlmon|
           tap|team|tun|veth|virtio_net|vrf|vxlan|wireguard)
    )
  )[/._a-z0-9]""", re.X)


def names():
    return words(VM / "kernels")[0::2]


def suite(name):
    table = words(VM / "kernels")
    if name not in table[0::2]:
        raise Failure(f"no kernel {name}: choose from {', '.join(table[0::2])}")
    return table[table.index(name) + 1]


def key(name):
    return cache.key(name, suite(name), *RECIPE)


def modules(base):
    """The folder of the one kernel version in `base`; from 7.0 on it is under usr."""
    found = [*base.glob("lib/modules/*"), *base.glob("usr/lib/modules/*")]
    if len(found) != 1:
        raise Failure(f"{base}: expected the modules of one kernel, found {len(found)}")
    return found[0]


def _download(name):
    apt = Apt([suite(name)])
    top = apt.newest(rf"linux-image-{re.escape(name)}\.[.+~0-9a-z]*(-\d+)?-cloud-amd64")
    # From 7.0 on the image package holds nothing and depends on the parts.
    parts = [part for part in apt.depends(top)
             if re.match(r"linux-(binary|modules|base|image)-\d", part)]
    return top.removeprefix("linux-image-"), apt.single([top, *parts])


def _build(name):
    need("apt-get", "dpkg-deb", "depmod", "xz")
    say(f"kernel {name}: asking apt for it")
    version, debs = _download(name)
    say(f"kernel {name}: unpacking {version}")
    raw, new, place = OUT / f"kernel-{name}.raw", OUT / f"kernel-{name}.new", kernel(name)
    for folder in (raw, new):
        shutil.rmtree(folder, ignore_errors=True)
    for deb in debs:
        run("dpkg-deb", "--extract", deb, raw)
    source = modules(raw)
    target = new / "lib/modules" / source.name
    target.mkdir(parents=True)
    for file in source.rglob("*.ko*"):
        path = file.relative_to(source)
        if KEPT.match(str(path)):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            file.rename(target / path)
    for file in source.glob("modules.[bo]*"):
        file.rename(target / file.name)
    packed = "\0".join(map(str, target.rglob("*.ko.xz")))
    if packed:  # from 6.12 on; the initramfs cannot unpack them, and a guest only slowly
        run("xargs", "-0", "-n", "64", "-P", "2", "xz", "--decompress", stdin=packed)
    run("depmod", "-b", new, source.name)
    images = [*raw.glob("boot/vmlinuz-*"), *source.glob("vmlinuz*")]
    if not images:
        raise Failure(f"the packages of kernel {version} hold no vmlinuz")
    images[0].rename(new / "vmlinuz")
    shutil.rmtree(raw)
    for deb in debs:  # 30 MB each, never asked for twice
        Path(DEBS / deb.name).unlink()
    shutil.rmtree(place, ignore_errors=True)
    new.rename(place)


def ensure(name):
    cache.ensure(f"kernel-{name}", key(name), lambda: _build(name))
