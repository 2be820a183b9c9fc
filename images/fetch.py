#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fetches Debian packages for the card, for whatever architecture, past the machine's own dpkg.

    fetch.py --architecture arm64 --cache FOLDER [--retry] OUT.json PACKAGE...

apt does it, with a state of its own: lists, caches and the file that says what is installed lie in
FOLDER, and nothing is installed. The machine's own sources, keys, proxies and preferences count, so
a package is what apt has verified by the signed lists of the distribution. dpkg-deb unpacks it.

    FOLDER/ARCHITECTURE/state      apt's
    FOLDER/ARCHITECTURE/archives   the packages as they came
    FOLDER/ARCHITECTURE/tree/NAME  each one unpacked

With --follow REGEX, what a package depends on is fetched as well where its name matches, the first
of alternatives: Debian's linux-image-arm64 holds no kernel, but depends on today's.

With --architecture source it is the upstream sources of Debian's source packages that are fetched
and unpacked, without Debian's changes to them; that the machine's list names binary packages only
is no matter.

OUT.json tells where they are:
{"architecture", "problem", "packages": {NAME: {"version", "sha256", "folder", "depends"}}}.
Several builds may share FOLDER; what is there is not fetched again, and then there is no network.
Where a package cannot be had, "problem" says why, and so does a line on standard error;
the status is 0 all the same, since whoever builds a card goes on without. After a failure the next
attempt is made ten minutes later, or at once with --retry.
"""
import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

PATIENCE = 600              # seconds after a failure in which it is not tried again
SOURCE = "source"           # in the place of an architecture
LIMIT = 300                 # seconds that apt may take

# The hooks of the machine's apt (clearing caches, telling others) are about its own state, which
# this is not.
CONFIG = """\
#clear APT::Update;
#clear DPkg;
#clear APT::Architectures;
APT::Architecture "%(architecture)s";
APT::Architectures { "%(architecture)s"; };
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
Acquire::Retries "1";
Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
Dir::State "%(state)s";
Dir::State::lists "%(state)s/lists";
Dir::State::status "%(state)s/status";
Dir::Cache "%(state)s/cache";
Dir::Log "%(state)s/log";
"""


# Instead of the architecture, for sources.
SOURCES = """\
Dir::Etc::sourcelist "%(state)s/sources.list";
Dir::Etc::sourceparts "%(state)s/sources.list.d";
"""


class Problem(Exception):
    """Why there are no packages, in a sentence."""


def run(words, cwd):
    """Runs a program in a plain locale; a Problem with the end of what it said if it fails."""
    env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run([str(word) for word in words], cwd=cwd, env=env, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LIMIT)
    except FileNotFoundError as error:
        raise Problem("there is no %s here" % words[0]) from error
    except subprocess.TimeoutExpired as error:
        raise Problem("%s takes longer than %d seconds" % (words[0], LIMIT)) from error
    if done.returncode != 0:
        said = [line for line in done.stdout.splitlines() if line.startswith(("E:", "dpkg"))]
        raise Problem("%s failed: %s" % (words[0], (said or done.stdout.splitlines() or ["?"])[-1]))
    return done.stdout


class Store:
    """What there is for one architecture."""

    def __init__(self, cache, architecture):
        self.architecture, self.folder = architecture, cache.resolve() / architecture
        self.state, self.archives = self.folder / "state", self.folder / "archives"
        self.trees, self.failed = self.folder / "tree", self.folder / "failed"
        self.index = self.folder / "packages.json"

    @contextlib.contextmanager
    def locked(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def known(self):
        """{name: what is known} of the packages that are there."""
        if not self.index.exists():
            return {}
        known = json.loads(self.index.read_text(encoding="utf-8"))
        return {name: entry for name, entry in known.items() if (self.trees / name).is_dir()}

    def apt(self, *words, cwd=None):
        return run(["apt-get", "-q", "-c", self.state / "apt.conf", *words], cwd or self.state)

    def prepare(self):
        for name in ("lists/partial", "cache/archives/partial", "log"):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        (self.state / "status").touch()
        config = CONFIG
        if self.architecture == SOURCE:
            config = "".join(line for line in CONFIG.splitlines(True) if "rchitecture" not in line)
            config += SOURCES
            self.list_sources()
        config %= {"architecture": self.architecture, "state": self.state}
        (self.state / "apt.conf").write_text(config, encoding="utf-8")
        self.archives.mkdir(exist_ok=True)
        self.trees.mkdir(exist_ok=True)

    def list_sources(self, etc=pathlib.Path("/etc/apt")):
        """The machine's sources, with source packages in the place of binary ones."""
        parts = self.state / "sources.list.d"
        parts.mkdir(exist_ok=True)
        for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.*"))]:
            if path.suffix not in (".list", ".sources") or not path.exists():
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            text = re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.MULTILINE)
            text = re.sub(r"^deb(?=\s)", "deb-src", text, flags=re.MULTILINE)
            (parts / path.name).write_text(text, encoding="utf-8")
        (self.state / "sources.list").touch()

    def fetch(self, names, follow=None):
        """Brings those that are missing, and returns what is known of all that there are."""
        known = self.bring(names)
        more = followed(known, names, follow)
        return self.bring(more) if more else known

    def bring(self, names):
        known = self.known()
        missing = [name for name in names if name not in known]
        if not missing:
            return known
        self.prepare()
        said = self.apt("update")
        for name in missing:
            for old in self.archives.glob(name + "_*"):
                old.unlink()
        words = ["source", "--download-only"] if self.architecture == SOURCE else ["download"]
        try:
            self.apt(*words, *missing, cwd=self.archives)
        except Problem as error:
            # Without a network the update is said to have gone well, and its lists are empty.
            lost = [line[3:] for line in said.splitlines() if line.startswith("W: Failed")]
            raise Problem(lost[0]) if lost else error
        for name in missing:
            known[name] = self.unpack(name)
        write_if_new(self.index, known)
        return known

    def unpack(self, name):
        source = self.architecture == SOURCE
        found = list(self.archives.glob(name + ("_*.orig.tar.*[!c]" if source else "_*.deb")))
        if len(found) != 1:
            raise Problem("apt-get left %d packages called %s" % (len(found), name))
        partial, folder = self.trees / (name + ".partial"), self.trees / name
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        if source:
            partial.mkdir()
            run(["tar", "-xf", found[0], "--strip-components=1", "-C", partial], self.archives)
            version = found[0].name.split("_")[1].partition(".orig.")[0]
        else:
            run(["dpkg-deb", "-x", found[0], partial], self.archives)
            version = run(["dpkg-deb", "-f", found[0], "Version"], self.archives).strip()
        partial.rename(folder)
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        entry = {"version": version, "sha256": digest, "folder": str(folder)}
        if not source:
            depends = run(["dpkg-deb", "-f", found[0], "Depends"], self.archives)
            entry["depends"] = first_names(depends)
        return entry

    def failed_lately(self):
        try:
            fresh = time.time() - self.failed.stat().st_mtime < PATIENCE
            return self.failed.read_text(encoding="utf-8") if fresh else None
        except OSError:
            return None


def write_if_new(path, value):
    """Writes JSON, unless that is what the file has: who depends on it is not made again."""
    text = json.dumps(value, indent=1, sort_keys=True) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def first_names(field):
    """The names in a field such as Depends, of alternatives the first."""
    names = [re.match(r"\s*([a-z0-9][a-z0-9+.-]*)", part) for part in field.split(",")]
    return [name[1] for name in names if name]


def followed(known, names, follow):
    """What those names depend on, as far as it matches the regular expression."""
    if follow is None:
        return []
    return [more for name in names for more in known.get(name, {}).get("depends", [])
            if re.fullmatch(follow, more)]


def gather(store, names, retry, follow=None):
    """(what there is, why not all)"""
    known = store.known()
    problem = None if retry else store.failed_lately()
    wanted = names + followed(known, names, follow)
    if problem is not None and any(name not in known for name in wanted):
        return known, problem
    try:
        known, problem = store.fetch(names, follow), None
        store.failed.unlink(missing_ok=True)
    except (Problem, OSError) as error:
        known, problem = store.known(), str(error)
        store.failed.write_text(problem, encoding="utf-8")
    return known, problem


def main():
    parser = argparse.ArgumentParser(description="Fetch Debian packages for the card.")
    parser.add_argument("--architecture", required=True,
                        help="Debian's name: amd64, arm64; or source")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where they are kept")
    parser.add_argument("--retry", action="store_true", help="try now, whatever failed before")
    parser.add_argument("--follow", metavar="REGEX", help="also what they depend on, if it matches")
    parser.add_argument("out", type=pathlib.Path, help="what there is, as JSON")
    parser.add_argument("package", nargs="+")
    args = parser.parse_args()

    store = Store(args.cache, args.architecture)
    with store.locked():
        known, problem = gather(store, args.package, args.retry, args.follow)
    wanted = args.package + followed(known, args.package, args.follow)
    packages = {name: known[name] for name in wanted if name in known}
    write_if_new(args.out, {"architecture": args.architecture, "problem": problem,
                            "packages": packages})
    missing = [name for name in wanted if name not in known]
    if missing:
        print("images: no %s for %s: %s" % (" ".join(missing), args.architecture, problem),
              file=sys.stderr)


if __name__ == "__main__":
    main()
