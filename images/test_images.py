#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The card images are what they claim to be.

 1. The same inputs give the same bytes, at another time and in another zone.
 2. fsck.fat finds nothing to say about the card, and it is FAT32 by its count of clusters.
 3. Every file of the manifest reads back through mtools with its bytes; times and attributes hold.
 4. The kernel is on the card when one is given, and a missing one is an error.
 5. The size is a power of two and the partition lies within the card, at 1 MiB.
 6. The family of bad cards is deterministic, its names are unique, and each card that it calls
    good reads by mtools, while none but those it calls refused or doubtful is unreadable.
"""
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ENV = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC",
       "MTOOLSRC": "/dev/null"}


def run(*words, env=None, **more):
    return subprocess.run([str(word) for word in words], env={**ENV, **(env or {})}, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)


def digest(path):
    """The SHA-256 of a file's length and of its blocks that are not zero, holes skipped."""
    found = hashlib.sha256(b"%d" % path.stat().st_size)
    with open(path, "rb") as file:
        at, end = 0, path.stat().st_size
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA) // 4096 * 4096
            except OSError:                         # a hole up to the end
                break
            data = os.pread(file.fileno(), 4096, at)
            if data.strip(b"\0"):
                found.update(b"%d:" % at + data)
            at += 4096
    return found.hexdigest()


def partition(image, out):
    """The file system of a card as a file of its own, for fsck.fat."""
    with open(image, "rb") as source, open(out, "wb") as target:
        start = struct.unpack_from("<I", source.read(512), 454)[0] * 512
        target.truncate(image.stat().st_size - start)
        source.seek(start)
        for at in range(0, image.stat().st_size - start, 65536):
            data = source.read(65536)
            if data.strip(b"\0"):
                os.pwrite(target.fileno(), data, at)
    return out


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="images.")
        cls.dir = pathlib.Path(cls.temporary.name)
        cls.card, cls.manifest = cls.dir / "card.img", cls.dir / "card.json"
        cls.kernel = cls.dir / "kernel file.img"
        cls.kernel.write_bytes(bytes(range(256)) * 300)
        done = run(sys.executable, HERE / "mkcard.py", cls.card, "--kernel", cls.kernel,
                   "--manifest", cls.manifest)
        assert done.returncode == 0, done.stdout

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_the_card_is_the_same_to_the_byte_in_another_zone(self):
        again = self.dir / "again.img"
        done = run(sys.executable, HERE / "mkcard.py", again, "--kernel", self.kernel,
                   env={"TZ": "Asia/Tokyo", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(digest(self.card), digest(again))

    def test_fsck_has_nothing_to_say(self):
        done = run("fsck.fat", "-n", partition(self.card, self.dir / "part.img"))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout.decode(), r"(?s)^fsck.fat [^\n]*\n[^\n]* files, [^\n]*\n$")
        clusters = int(done.stdout.decode().rpartition("/")[2].split()[0])
        self.assertGreaterEqual(clusters, 65525)

    def test_each_file_reads_back_through_mtools(self):
        files = json.loads(self.manifest.read_text(encoding="utf-8"))["files"]
        self.assertGreater(len(files), 1040)
        out = self.dir / "out"
        out.mkdir()
        done = run("mcopy", "-s", "-m", "-n", "-Q", "-i", "%s@@1048576" % self.card, "::/", out)
        self.assertEqual(done.returncode, 0, done.stdout)
        for entry in files:
            path = out / entry["path"][1:]
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            self.assertEqual(found, entry["sha256"], entry["path"])
            # mtools takes 2100 for a leap year when it reads; the next test looks at that one.
            if entry["mtime"] < 4107542400:
                self.assertEqual(path.stat().st_mtime, entry["mtime"], entry["path"])
        found = sum(1 for path in out.rglob("*") if path.is_file())
        self.assertEqual(found, len(files))

    def test_times_reach_from_1980_to_2107(self):
        done = run("mdir", "-i", "%s@@1048576" % self.card, "::/times")
        self.assertRegex(done.stdout.decode(), r"oldest +txt +33 1980-01-01 +0:00")
        self.assertRegex(done.stdout.decode(), r"youngest +txt +33 2107-12-31 +23:59")

    def test_the_tree_is_as_wide_deep_and_large_as_promised(self):
        files = json.loads(self.manifest.read_text(encoding="utf-8"))["files"]
        paths = [entry["path"] for entry in files]
        self.assertEqual(sum(path.startswith("/many/") for path in paths), 1000)
        self.assertEqual(max(path.count("/") for path in paths), 14)
        self.assertGreater(max(entry["size"] for entry in files), 5 << 20)
        self.assertIn(0, [entry["size"] for entry in files])
        self.assertTrue(any(not path.isascii() for path in paths))
        self.assertGreater(len({entry["mtime"] for entry in files}), 5)
        self.assertIn("/README.TXT", paths)
        self.assertIn("/config.txt", paths)

    def test_hidden_files_have_the_attribute(self):
        done = run("mattrib", "-i", "%s@@1048576" % self.card, "::/HIDDEN.TXT", "::/SYSTEM.TXT")
        lines = done.stdout.decode().splitlines()
        self.assertRegex(lines[0], r"H .*HIDDEN\.TXT")
        self.assertRegex(lines[1], r"SHR .*SYSTEM\.TXT")

    def test_the_kernel_is_on_the_card(self):
        done = run("mtype", "-i", "%s@@1048576" % self.card, "::/kernel8.img")
        self.assertEqual(done.stdout, self.kernel.read_bytes())

    def test_a_missing_kernel_is_an_error_and_leaves_no_card(self):
        done = run(sys.executable, HERE / "mkcard.py", self.dir / "none.img",
                   "--kernel", "/nowhere")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"no kernel at /nowhere", done.stdout)
        self.assertFalse((self.dir / "none.img").exists())

    def test_a_size_that_is_no_power_of_two_is_refused(self):
        for size in ("100M", "63", "4G", "many"):
            done = run(sys.executable, HERE / "mkcard.py", self.dir / "odd.img", "--size", size)
            self.assertNotEqual(done.returncode, 0, size)

    def test_other_sizes_are_fat32_too(self):
        for size in ("64M", "512M"):
            image = self.dir / "sized.img"
            done = run(sys.executable, HERE / "mkcard.py", image, "--size", size)
            self.assertEqual(done.returncode, 0, done.stdout)
            done = run("fsck.fat", "-n", "-v", partition(image, self.dir / "part.img"))
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(b"2 FATs, 32 bit entries", done.stdout)

    def test_the_partition_table_has_one_fat32_partition_at_1_mib(self):
        with open(self.card, "rb") as file:
            table = file.read(512)[446:]
        kind = table[4]
        start, sectors = struct.unpack_from("<II", table, 8)
        size = self.card.stat().st_size
        self.assertEqual((kind, start, table[64:]), (0x0C, 2048, b"\x55\xaa"))
        self.assertEqual(start + sectors, size // 512)
        self.assertEqual(size & (size - 1), 0)
        self.assertEqual(table[16:64], bytes(48))

    def test_the_card_is_sparse(self):
        self.assertLess(self.card.stat().st_blocks * 512, 16 << 20)


class BadCards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="badcards.")
        cls.dir = pathlib.Path(cls.temporary.name)
        card = cls.dir / "card.img"
        for words in (("mkcard.py", card), ("mkbad.py", card, cls.dir / "bad"),
                      ("mkbad.py", card, cls.dir / "again")):
            done = run(sys.executable, HERE / words[0], *words[1:])
            assert done.returncode == 0, done.stdout
        cls.lines = [line.split("\t") for line in done.stdout.decode().splitlines()]

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_every_variant_has_a_name_of_its_own_and_a_verdict(self):
        names = [name for name, _, _ in self.lines]
        self.assertGreater(len(names), 150)
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({verdict for _, verdict, _ in self.lines},
                             {"good", "refuse", "survive"})
        files = {path.stem for path in (self.dir / "bad").glob("*.img")}
        self.assertEqual(files, set(names))

    def test_two_runs_give_the_same_bytes(self):
        for name, _, _ in self.lines:
            self.assertEqual(digest(self.dir / "bad" / (name + ".img")),
                             digest(self.dir / "again" / (name + ".img")), name)

    def test_no_two_variants_are_the_same_card(self):
        seen = {}
        for path in sorted((self.dir / "bad").glob("*.img")):
            twin = seen.setdefault(digest(path), path.stem)
            self.assertEqual(twin, path.stem)

    def test_the_small_card_is_well(self):
        done = run("fsck.fat", "-n", partition(self.dir / "bad/good-small.img",
                                               self.dir / "part.img"))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(b"10 files, 149/126992 clusters", done.stdout)

    def test_mtools_reads_the_cards_called_good(self):
        for name, verdict, _ in self.lines:
            # mtools looks at neither the active FAT nor the flag that names it.
            if verdict != "good" or name == "good-second-fat":
                continue
            offset = 0 if name == "good-superfloppy" else 1 << 20
            done = run("mtype", "-i", "%s@@%d" % (self.dir / "bad" / (name + ".img"), offset),
                       "::/README.TXT", env={"MTOOLS_SKIP_CHECK": "1"})
            self.assertEqual(done.stdout, b"This card is well: you read its README.\n", name)

    def test_a_card_that_is_too_small_is_refused_as_a_base(self):
        small = self.dir / "small.img"
        small.write_bytes(b"x")
        done = run(sys.executable, HERE / "mkbad.py", small, self.dir / "out")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"smaller than 64 MiB", done.stdout)


if __name__ == "__main__":
    unittest.main()
