#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What fetches packages and what builds the root of them do what they say; no network is used.

 1. A package is fetched once, by an apt whose lists, caches and status are the cache's own, and
    unpacked; another build that shares the cache finds it.
 2. What it depends on comes along by its name, if that is asked for.
 3. What cannot be fetched is told, once on standard error and in the list, with status 0; the next
    attempt waits, unless it is asked for.
 4. A list that says the same is not written again, so nothing is made again.
 5. The archive has each program of BusyBox's table as a link, whatever the umask, and is the same
    to the byte; without BusyBox it is made, too.
 6. The programs for the machine compile without a warning, where there is a compiler for them.
"""
import importlib.util
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "tool"

# An apt that counts its calls, and whose archive is one package.
APT = """#!/bin/sh
echo "$*" >> "{folder}/calls"
[ -e "{folder}/down" ] && echo "E: there is no network" && exit 100
case "$*" in
    *source*) mkdir -p "{folder}/s/{package}-2.0/src"
        echo 'int main(void) {{ return 0; }}' > "{folder}/s/{package}-2.0/src/main.c"
        tar -C "{folder}/s" -czf "$PWD/{package}_2.0.orig.tar.gz" {package}-2.0
        touch "$PWD/{package}_2.0-1.dsc" ;;
    *download*) mkdir -p "{folder}/p/DEBIAN" "{folder}/p/bin"
        printf 'Package: {package}\\nVersion: 1:2.0-3\\nArchitecture: all\\nMaintainer: me\\n' \\
            > "{folder}/p/DEBIAN/control"
        case "$*" in
            *tool-1.7*) name=tool-1.7 ;;
            *) name={package}; echo 'Depends: tool-1.7 (= 3) | other, more' >> \
                "{folder}/p/DEBIAN/control" ;;
        esac
        printf 'Description: a tool\\n' >> "{folder}/p/DEBIAN/control"
        echo content > "{folder}/p/bin/tool"
        dpkg-deb -b "{folder}/p" "$PWD/${{name}}_1%3a2.0-3_all.deb" ;;
esac
"""


def members(data):
    """{name: (mode, owner, content)} of an archive, read by the format's description alone."""
    found, at = {}, 0
    while True:
        field = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        assert data[at:at + 6] == b"070701"
        name = data[at + 110:at + 110 + field[11] - 1].decode()
        start = (at + 110 + field[11] + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (field[1], (field[2], field[3]), data[start:start + field[6]])
        at = (start + field[6] + 3) // 4 * 4


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="system.")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_tool(self, name, *words, path=None, **more):
        env = {**os.environ, **({"PATH": path} if path else {})}
        return subprocess.run([sys.executable, str(HERE / name), *[str(word) for word in words]],
                              env=env, check=False, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, **more)


class Fetch(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "bin").mkdir()
        apt = self.folder / "bin" / "apt-get"
        apt.write_text(APT.format(folder=self.folder, package=PACKAGE), encoding="ascii")
        apt.chmod(0o755)

    def fetch(self, out, *words):
        done = self.run_tool("fetch.py", "--architecture", "arm64",
                             "--cache", self.folder / "cache", *words, self.folder / out, PACKAGE,
                             path="%s:%s" % (self.folder / "bin", os.environ["PATH"]))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads((self.folder / out).read_text(encoding="utf-8")), done.stderr

    def calls(self):
        path = self.folder / "calls"
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []

    def test_a_package_is_fetched_once_and_shared(self):
        told, said = self.fetch("one.json")
        entry = told["packages"][PACKAGE]
        self.assertEqual((told["problem"], said, entry["version"]), (None, "", "1:2.0-3"))
        content = (pathlib.Path(entry["folder"]) / "bin/tool").read_text(encoding="ascii")
        self.assertEqual(content, "content\n")
        self.assertEqual(len(self.calls()), 2)
        self.assertEqual(self.fetch("two.json")[0], told)
        self.assertEqual(len(self.calls()), 2)

    def test_what_a_package_depends_on_comes_along_if_it_is_asked_for(self):
        told, said = self.fetch("one.json", "--follow", "tool-[0-9].*")
        self.assertEqual((said, sorted(told["packages"])), ("", [PACKAGE, "tool-1.7"]))
        self.assertEqual(len(self.calls()), 4)
        self.assertEqual(self.fetch("two.json", "--follow", "tool-[0-9].*")[0], told)
        self.assertEqual(sorted(self.fetch("three.json")[0]["packages"]), [PACKAGE])
        self.assertEqual(len(self.calls()), 4)

    def test_apt_has_a_state_of_its_own(self):
        self.fetch("one.json")
        config = self.folder / "cache/arm64/state/apt.conf"
        self.assertTrue(all("-c %s" % config in call for call in self.calls()), self.calls())
        text = config.read_text(encoding="utf-8")
        for name in ("Dir::State ", "Dir::State::lists", "Dir::State::status", "Dir::Cache",
                     "Dir::Log"):
            self.assertIn('%s "%s' % (name.strip(), self.folder / "cache"), text)
        for word in ("#clear APT::Update;", "#clear DPkg;"):
            self.assertIn(word, text)

    def test_a_source_package_is_the_upstream_tree(self):
        done = self.run_tool("fetch.py", "--architecture", "source", "--cache",
                             self.folder / "cache", self.folder / "one.json", PACKAGE,
                             path="%s:%s" % (self.folder / "bin", os.environ["PATH"]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        told = json.loads((self.folder / "one.json").read_text(encoding="utf-8"))
        entry = told["packages"][PACKAGE]
        self.assertEqual(entry["version"], "2.0")
        self.assertTrue((pathlib.Path(entry["folder"]) / "src/main.c").exists())
        config = (self.folder / "cache/source/state/apt.conf").read_text(encoding="utf-8")
        self.assertNotIn("rchitecture", config)
        for path in (self.folder / "cache/source/state/sources.list.d").iterdir():
            self.assertNotRegex(path.read_text(encoding="utf-8"), r"(?m)^(deb|Types: deb)\s")

    def test_what_fails_is_told_and_tried_again_later(self):
        (self.folder / "down").touch()
        told, said = self.fetch("one.json")
        self.assertEqual(told["packages"], {})
        self.assertIn("there is no network", told["problem"])
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertIn("no tool for arm64", said)
        (self.folder / "down").unlink()
        before = len(self.calls())
        self.assertIn("there is no network", self.fetch("one.json")[0]["problem"])
        self.assertEqual(len(self.calls()), before)
        self.assertIsNone(self.fetch("one.json", "--retry")[0]["problem"])

    def test_a_machine_without_apt_is_told(self):
        (self.folder / "bin/apt-get").unlink()
        done = self.run_tool("fetch.py", "--architecture", "arm64", "--cache",
                             self.folder / "cache", self.folder / "one.json", PACKAGE,
                             path=str(self.folder / "bin"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("there is no apt-get here", done.stderr)

    def test_a_list_that_says_the_same_stays_as_it_is(self):
        self.fetch("one.json")
        os.utime(self.folder / "one.json", (1, 1))
        self.fetch("one.json")
        self.assertEqual((self.folder / "one.json").stat().st_mtime, 1)


class System(Case):
    names = ("[", "[[", "ash", "sh", "zcat")

    def packages(self, busybox):
        path = self.folder / "packages.json"
        described = self.folder / "described"
        packages = {}
        if busybox:
            program = self.folder / "bb/bin/busybox"
            program.parent.mkdir(parents=True, exist_ok=True)
            table = b"\0".join(name.encode() for name in self.names)
            program.write_bytes(b"\x7fELF code\0" + table + b"\0\0 more\0")
            packages = {"busybox-static": {"folder": str(self.folder / "bb")}}
        if described.exists():
            packages["ncurses-base"] = {"folder": str(described)}
        path.write_text(json.dumps({"packages": packages}), encoding="utf-8")
        return path

    def build(self, busybox=True, umask=0o022, programs=()):
        words = [self.folder / "out.cpio", "--packages", self.packages(busybox)]
        for program in programs:
            words += ["--program", program]
        done = self.run_tool("mksystem.py", *words, umask=umask)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (self.folder / "out.cpio").read_bytes(), done.stdout

    def test_busybox_has_its_links(self):
        found = members(self.build()[0])
        for name in self.names:
            self.assertEqual(found["bin/" + name][::2], (stat.S_IFLNK | 0o777, b"busybox"))
        self.assertEqual(found["bin/busybox"][0], stat.S_IFREG | 0o755)
        for name, to in (("sbin", b"bin"), ("usr/bin", b"../bin"), ("usr/sbin", b"../bin")):
            self.assertEqual(found[name][::2], (stat.S_IFLNK | 0o777, to))

    def test_modes_and_owners_are_what_programs_expect(self):
        found = members(self.build()[0])
        for name, mode in (("tmp", 0o1777), ("root", 0o700), ("proc", 0o555), ("dev", 0o755)):
            self.assertEqual(found[name][0], stat.S_IFDIR | mode, name)
        self.assertEqual(found["dev/null"][0], stat.S_IFCHR | 0o666)
        self.assertEqual(found["etc/passwd"][0], stat.S_IFREG | 0o644)
        self.assertEqual(found["etc/init.d/rcS"][0], stat.S_IFREG | 0o755)
        self.assertEqual(found["etc/shadow"][0], stat.S_IFREG | 0o600)
        self.assertEqual(found["home/user"][1], (1000, 1000))
        parents = {name.rpartition("/")[0] for name in found} - {""}
        self.assertLessEqual(parents, set(found))

    def test_usual_terminals_are_described(self):
        for name in ("ansi", "dumb", "linux", "screen", "tmux", "vt100", "vt102", "vt220", "xterm",
                     "xterm-256color"):
            path = self.folder / "described/lib/terminfo" / name[0] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("what is known of " + name, encoding="ascii")
        found = members(self.build()[0])
        self.assertEqual(found["usr/share/terminfo/l/linux"][2], b"what is known of linux")
        self.assertIn("usr/share/terminfo/x/xterm-256color", found)
        self.assertLessEqual({name.rpartition("/")[0] for name in found} - {""}, set(found))

    def test_users_are_as_busybox_can_read_them(self):
        """It does not know a user whose password in /etc/passwd is empty."""
        found = members(self.build()[0])
        users = [line.split(":") for line in found["etc/passwd"][2].decode().splitlines()]
        self.assertEqual([user[0] for user in users], ["root", "user", "nobody"])
        secrets = {line.split(":")[0]: len(line.split(":"))
                   for line in found["etc/shadow"][2].decode().splitlines()}
        for user in users:
            self.assertEqual((len(user), user[1], secrets[user[0]]), (7, "x", 9))

    def test_the_archive_is_the_same_to_the_byte_whatever_the_umask(self):
        self.assertEqual(self.build()[0], self.build(umask=0o077)[0])

    def test_without_busybox_there_is_an_archive_all_the_same(self):
        hello, empty = self.folder / "hello", self.folder / "empty"
        hello.write_bytes(b"\x7fELF")
        empty.write_bytes(b"")
        data, said = self.build(busybox=False, programs=(hello, empty))
        found = members(data)
        self.assertIn("without BusyBox", said)
        self.assertEqual([name for name in found if name.startswith("bin/")], ["bin/hello"])

    def test_a_busybox_without_a_table_is_an_error(self):
        self.names = ("nothing",)
        done = self.run_tool("mksystem.py", self.folder / "out.cpio", "--packages",
                             self.packages(True))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no table", done.stderr)

    def test_the_real_busybox_lists_what_its_table_has(self):
        """Where a build has fetched it: what it says of itself is what is read out of it."""
        packages = pathlib.Path(os.environ.get("TAYBERRY_PACKAGES", self.folder))
        program = packages / "amd64/tree/busybox-static/bin/busybox"
        if not program.exists():
            self.skipTest("no busybox-static for amd64")
        spec = importlib.util.spec_from_file_location("mksystem", HERE / "mksystem.py")
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(HERE))
        spec.loader.exec_module(module)
        listed = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(module.applets(program.read_bytes()), listed.stdout.split())


class Programs(Case):
    def check(self, architecture, machine):
        cache = pathlib.Path(os.environ.get("TAYBERRY_PACKAGES", self.folder))
        user, out = HERE / "programs/user", self.folder / "out"
        for sources in (["hello.c"], ["blink.c", "lines.c"], ["buttons.c", "lines.c"],
                        ["lights.c", "lines.c"]):
            done = self.run_tool("programs/user/make.py", "--architecture", architecture, "--cache",
                                 cache, out, *[user / name for name in sources])
            self.assertEqual(done.returncode, 0, done.stderr)
            if not out.stat().st_size:
                self.skipTest(done.stderr.strip())
            self.assertEqual(done.stderr, "")
            head = out.read_bytes()[:20]
            self.assertEqual((head[:5], head[18]), (b"\x7fELF\2", machine))

    def test_for_the_simulator(self):
        self.check("amd64", 62)

    def test_for_the_pi(self):
        self.check("arm64", 183)

    @unittest.skipUnless(os.uname().machine == "x86_64", "the host runs no such program")
    def test_they_say_what_they_want(self):
        user = HERE / "programs/user"
        for name, words, said in (("blink", ("x",), "LINE wants a number from 0 to 53"),
                                  ("blink", ("17", "0"), "MILLISECONDS wants"),
                                  ("buttons", ("99",), "LINE wants"),
                                  ("lights", ("0",), "MILLISECONDS wants"),
                                  ("blink", ("1", "2", "3", "4"), "usage")):
            out = self.folder / name
            if not out.exists():
                self.run_tool("programs/user/make.py", "--architecture", "amd64", "--cache",
                              self.folder, out, user / (name + ".c"), user / "lines.c")
                if not out.stat().st_size:
                    self.skipTest("no musl-gcc")
            done = subprocess.run([out, *words], stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
