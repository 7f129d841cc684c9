# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages of any suite, from the mirrors in this machine's apt sources.

Each set of suites has package lists and a status file of its own, so apt neither reads nor
changes what is installed here. Signatures are checked as the machine's sources say.
"""
import re
from dataclasses import dataclass
from pathlib import Path

from .output import Failure, say
from .paths import DEBS, OUT
from .proc import run

ETC = Path("/etc/apt")


@dataclass(frozen=True)
class Mirror:
    uris: str
    signed_by: str
    security: bool  # the archive of NAME-security suites is another one


def _stanzas():
    """(uris, suites, components, signed-by) of every source, both formats apt knows."""
    for file in sorted((ETC / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            text = re.sub(r"^#.*\n?", "", stanza, flags=re.M)
            text = re.sub(r"\n[ \t]+", " ", text)
            field = {k.lower(): v.strip() for k, v in re.findall(r"^([\w-]+):(.*)$", text, re.M)}
            if "deb" in field.get("types", "").split() and field.get("enabled", "yes") != "no":
                yield (field.get("uris", ""), field.get("suites", "").split(),
                       field.get("components", "").split(), field.get("signed-by", ""))
    for file in [ETC / "sources.list", *sorted((ETC / "sources.list.d").glob("*.list"))]:
        for line in file.read_text().splitlines() if file.exists() else []:
            found = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)", line)
            if found:
                signed = re.search(r"signed-by=(\S+)", found[1] or "")
                yield (found[2], [found[3]], found[4].split(), signed[1] if signed else "")


def mirrors():
    """Debian's own archives among the sources; a vendor's brings its own key."""
    found = []
    for uris, suites, components, signed_by in _stanzas():
        if "main" not in components or (signed_by and "debian-archive" not in signed_by):
            continue
        mirror = Mirror(uris, signed_by, any("security" in suite for suite in suites))
        if mirror not in found:
            found.append(mirror)
    return found


def _sources(suites):
    known = mirrors()
    text = ""
    for suite in suites:
        fit = [m for m in known if m.security == suite.endswith("-security")]
        if not fit:
            raise Failure(f"this machine's apt sources have no archive for {suite}")
        for mirror in fit:
            text += f"Types: deb\nURIs: {mirror.uris}\nSuites: {suite}\nComponents: main\n"
            text += f"Signed-By: {mirror.signed_by}\n\n" if mirror.signed_by else "\n"
    return text


class Apt:
    """apt-get for `suites` (the first is looked at, the others serve its dependencies)."""

    def __init__(self, suites):
        self.suites = suites
        self.dir = OUT / "apt" / suites[0]
        for sub in ("lists/partial", "cache"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (DEBS / "partial").mkdir(parents=True, exist_ok=True)
        (self.dir / "status").touch()
        sources = _sources(suites)
        file = self.dir / "apt.sources"
        self.fresh = file.exists() and file.read_text() == sources
        file.write_text(sources)
        (self.dir / "apt.conf").write_text(f'''
Dir::Etc::sourcelist "{file}"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::State "{self.dir}"; Dir::State::lists "{self.dir}/lists/";
Dir::State::status "{self.dir}/status"; Dir::State::extended_states "{self.dir}/extended";
Dir::Cache "{self.dir}/cache"; Dir::Cache::archives "{DEBS}/";
Dir::Cache::pkgcache "packages.bin"; Dir::Cache::srcpkgcache "";
APT::Install-Recommends "false"; APT::Sandbox::User "root"; Acquire::Languages "none";
Debug::NoLocking "true";
#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Pre-Invoke; #clear DPkg::Post-Invoke; #clear DPkg::Pre-Install-Pkgs;
''')

    def _run(self, tool, *args, cwd=None):
        return run(tool, "-q", "-c", self.dir / "apt.conf", *args, cwd=cwd)

    def _with_lists(self, ask):
        """`ask()`, with newer package lists if the ones we have do not answer."""
        if self.fresh and any((self.dir / "lists").glob("*_Packages*")):
            try:
                return ask()
            except Failure as why:
                say(f"{self.suites[0]}: {why}; with new package lists again")
        self._run("apt-get", "update", "-o", "APT::Update::Error-Mode=any")
        self.fresh = True
        return ask()

    def install_set(self, packages):
        """Downloads `packages` and all they depend on; the files, in apt's order."""
        def ask():
            self._run("apt-get", "-y", "--download-only", "install", *packages)
            plan = self._run("apt-get", "--simulate", "install", *packages)
            chosen = re.findall(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", plan, re.M)
            return [self._file(*package) for package in chosen]
        return self._with_lists(ask)

    def single(self, packages):
        """Downloads exactly `packages`, nothing they depend on."""
        def ask():
            self._run("apt-get", "download", *packages, cwd=DEBS)
            shown = self._run("apt-cache", "show", "--no-all-versions", *packages)
            field = {name: re.findall(rf"^{name}: (\S+)$", shown, re.M)
                     for name in ("Package", "Version", "Architecture")}
            return [self._file(*package) for package in zip(*field.values())]
        return self._with_lists(ask)

    def newest(self, pattern):
        """The name of the package that matches `pattern`, of several the one with the highest
        number in it."""
        def ask():
            names = self._run("apt-cache", "pkgnames").split()
            fit = [name for name in names if re.fullmatch(pattern, name)]
            if not fit:
                raise Failure(f"{self.suites[0]} has no package {pattern}")
            return max(fit, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
        return self._with_lists(ask)

    def depends(self, package):
        text = self._run("apt-cache", "depends", package)
        return re.findall(r"^\s*\|?(?:Pre)?Depends: (\S+)$", text, re.M)

    @staticmethod
    def _file(name, version, arch):
        file = DEBS / f"{name}_{version.replace(':', '%3a')}_{arch}.deb"
        if not file.exists():
            raise Failure(f"apt did not leave {file.name}")
        return file
