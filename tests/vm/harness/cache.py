# SPDX-License-Identifier: GPL-2.0-or-later
"""Things that are slow to make are made once for each content key.

A thing is current when build/vm/NAME.key holds the key it was made for. The key file goes before
the work starts and comes back after it ended, so an interrupted build is simply done again.
"""
import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

from .output import say
from .paths import OUT


def key(*parts):
    """Digest of strings and of files and folders with names, modes and content."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(part.rglob("*")) if part.is_dir() else [part]
            for file in files:
                total.update(f"{file.relative_to(part.parent)} {file.lstat().st_mode}\0".encode())
                if file.is_symlink():
                    total.update(str(file.readlink()).encode())
                elif file.is_file():
                    total.update(hashlib.sha256(file.read_bytes()).digest())
        else:
            total.update(part.encode() + b"\0")
    return total.hexdigest()


@contextlib.contextmanager
def _lock(name):
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / f"{name}.lock", "w", encoding="ascii") as file:
        # Inherited by what proc.run starts: if we are killed, the next build waits for it.
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{name}: waiting for another build of it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure(name, wanted, build):
    """Calls `build` unless `name` was made for the key `wanted` before. True if it did."""
    stamp = OUT / f"{name}.key"
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    with _lock(name):
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        stamp.unlink(missing_ok=True)
        build()
        stamp.write_text(wanted)
    return True
