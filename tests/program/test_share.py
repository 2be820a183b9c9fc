# SPDX-License-Identifier: MIT
"""`tayberry --share DIR`: the folder is on the card, and nothing else has changed.

1. Every file and folder is there with its bytes and time, with and without --card; mtools reads
   them, fsck.fat and the kernel's own judge find nothing to say. TAYBERRY_RUNS trees are made by
   chance.
2. What FAT cannot have is left out with a line that names it; all the rest is there.
3. The card of --card and the folder stay as they were, whatever the guest writes.
4. A card that is full, broken, in use, not switched off or that has such a folder is refused, and
   so is what is no folder.
"""
import hashlib
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

TAYBERRY = os.environ["TAYBERRY"]
CARD = os.environ["TAYBERRY_CARD"]
RUNS = int(os.environ.get("TAYBERRY_RUNS", "3"))
PATIENCE = 60
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
ENVIRONMENT.update(LC_ALL="C.UTF-8", TZ="UTC", MTOOLSRC="/dev/null", MTOOLS_SKIP_CHECK="1",
                   PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
MIB = 1 << 20


def run(*words, **how):
    return subprocess.run([str(word) for word in words], env=ENVIRONMENT, timeout=PATIENCE,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def copy(source, target):
    """A file with its holes."""
    done = run("cp", "--sparse=always", source, target)
    assert done.returncode == 0, done.stderr
    return target


def tree(folder):
    """{path: content, or None for a folder} of what FAT can have, links to files followed."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            found[name] = None
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="tayberry-share-")
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.folder = self.top / "a folder"
        self.folder.mkdir()

    def start(self, *options, text="poweroff 7\n"):
        return run(TAYBERRY, "--headless", "--share", self.folder, *options, input=text.encode())

    def card(self, *options):
        """The card that the machine has, as a file, while it stands at its prompt; and what was
        said of the folder."""
        process = subprocess.Popen([TAYBERRY, "--headless", "--read-only", "--share",
                                    str(self.folder), *options], env=ENVIRONMENT,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        said = b""
        while not said.endswith(b"/ > "):
            byte = os.read(process.stdout.fileno(), 1)
            self.assertTrue(byte, process.stderr.read() if not byte else "")
            said += byte
        fds = pathlib.Path("/proc/%d/fd" % process.pid)
        shared = next(fd for fd in fds.iterdir() if "tayberry-card-" in os.readlink(fd))
        image = copy(shared, self.top / "image")
        _, errors = process.communicate(b"poweroff 7\n", timeout=PATIENCE)
        self.assertEqual(process.returncode, 7, errors)
        return image, errors.decode(errors="replace")

    def volume(self, image):
        """(the file system as a file of its own, where it is in the image)"""
        with open(image, "rb") as file:
            start = struct.unpack_from("<I", file.read(512), 454)[0] * 512
        if start != MIB:
            return image, 0
        part = self.top / "part"
        done = run("dd", "if=%s" % image, "of=%s" % part, "bs=1M", "skip=1", "conv=sparse")
        self.assertEqual(done.returncode, 0, done.stderr)
        return part, start

    def check_same(self, *options):
        image, errors = self.card(*options)
        part, start = self.volume(image)
        done = run("fsck.fat", "-n", part)
        self.assertEqual(done.returncode, 0, done.stdout)
        out = self.top / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        done = run("mcopy", "-s", "-m", "-n", "-i", "%s@@%d" % (image, start), "::/share", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        return tree(out / "share"), errors


class Content(Case):
    def make(self, random_one):
        """A tree by chance, with sizes around those of sectors, clusters and blocks."""
        parts = ["a", "READ.ME", "Mixed.Case", "a rather long name for a file", "Grüße", "日本語",
                 "many.dots.here", "plus+and,more", "x" * 200, "tail~1", "TAIL~1"]
        sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537, 200001]
        folders = [self.folder]
        for number in range(random_one.randint(5, 60)):
            where = random_one.choice(folders)
            path = where / ("%s %d" % (random_one.choice(parts), number)
                            if random_one.random() < 0.8 else random_one.choice(parts)[:20])
            if any(path.name.lower() == other.name.lower() for other in where.iterdir()):
                continue
            if random_one.random() < 0.25 and len(path.relative_to(self.folder).parts) < 8:
                path.mkdir()
                folders.append(path)
            else:
                path.write_bytes(random_one.randbytes(random_one.choice(sizes)))

    def test_trees_by_chance_are_the_same_on_the_card(self):
        files = 0
        for seed in range(RUNS):
            shutil.rmtree(self.folder)
            self.folder.mkdir()
            self.make(random.Random(seed))
            options = [] if seed else ["--card", CARD]
            found, errors = self.check_same(*options)
            self.assertEqual((found, errors), (tree(self.folder), ""), "seed %d" % seed)
            files += len(found)
        print("# %d trees, %d files and folders" % (RUNS, files))

    def test_a_folder_of_many_long_names_and_an_empty_one(self):
        for number in range(700):
            (self.folder / ("an entry with a long name, number %d.txt" % number)).write_bytes(
                b"%d" % number)
        (self.folder / "empty").mkdir()
        self.assertEqual(self.check_same()[0], tree(self.folder))

    def test_nothing_in_it_is_a_folder_all_the_same(self):
        self.assertEqual(self.check_same("--card", CARD), ({}, ""))

    def test_the_guest_sees_it_with_its_time_and_finds_no_damage(self):
        (self.folder / "hello.txt").write_bytes(b"from the host\n")
        os.utime(self.folder / "hello.txt", (1582979696, 1582979696))
        done = self.start("--card", CARD, text="cat /share/hello.txt\nstat /share/hello.txt\n"
                          "fsck mmcblk0p1\ncat /README.TXT\npoweroff 7\n")
        said = done.stdout.decode()
        self.assertEqual(done.returncode, 7, said)
        self.assertIn("from the host", said)
        self.assertIn("2020-02-29 12:34:56", said)
        self.assertRegex(said, r"mmcblk0p1: \d+ files, \d+ directories, .* clean")
        self.assertIn("Welcome to Tayberry", said)


class LeftOut(Case):
    def test_what_fat_cannot_have_is_named_and_the_rest_is_there(self):
        (self.folder / "good").write_bytes(b"good")
        (self.folder / "link").symlink_to("good")
        reasons = {}
        for name, reason in (("a:b", "controls"), ("end.", "dot"), ("dangling", "nowhere"),
                             ("link to a folder", "links"), ("pipe", "neither"),
                             ("GOOD", "case"), ("huge", "4 GiB"), ("x" * 255, None)):
            reasons[name] = reason
        (self.folder / "a:b").touch()
        (self.folder / "end.").touch()
        (self.folder / "dangling").symlink_to("nowhere")
        (self.folder / "link to a folder").symlink_to("/")
        os.mkfifo(self.folder / "pipe")
        (self.folder / "GOOD").write_bytes(b"first in the order")
        (self.folder / ("x" * 255)).touch()
        with open(self.folder / "huge", "wb") as file:
            file.truncate(1 << 32)
        found, errors = self.check_same()
        self.assertEqual(found, {"GOOD": b"first in the order", "link": b"good", "x" * 255: b""})
        reasons["good"] = reasons.pop("GOOD")
        for name, reason in reasons.items():
            told = [line for line in errors.splitlines() if "'%s'" % name in line]
            self.assertEqual(len(told), 1 if reason else 0, errors)
            self.assertTrue(not reason or reason in told[0], told)

    def test_names_that_are_no_text_are_left_out(self):
        with open(os.fsencode(self.folder) + b"/\xff\xfe", "wb"):
            pass
        (self.folder / "control\x07").touch()
        found, errors = self.check_same()
        self.assertEqual(found, {})
        self.assertEqual(errors.count("leaves out"), 2)
        self.assertNotIn("\x07", errors)

    def test_of_many_only_some_are_named(self):
        for number in range(20):
            (self.folder / ("a:%d" % number)).touch()
        errors = self.check_same()[1].splitlines()
        self.assertEqual(len(errors), 9)
        self.assertIn("12 more", errors[-1])


class Untouched(Case):
    def test_nothing_of_the_users_is_written_to(self):
        mine = copy(CARD, self.top / "card.img")
        (self.folder / "file").write_bytes(b"as it was\n")
        before = hashlib.sha256(mine.read_bytes()).digest()
        done = self.start("--card", mine, text="write /share/file changed\nwrite /new text\nsync\n"
                          "cat /share/file\npoweroff 7\n")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn(b"changed\r\n/ >", done.stdout)
        self.assertEqual(hashlib.sha256(mine.read_bytes()).digest(), before)
        self.assertEqual(tree(self.folder), {"file": b"as it was\n"})

    def test_no_copy_is_left_behind(self):
        temporary = self.top / "temporary"
        temporary.mkdir()
        done = subprocess.run([TAYBERRY, "--headless", "--share", str(self.folder)], check=False,
                              env={**ENVIRONMENT, "TMPDIR": str(temporary)}, timeout=PATIENCE,
                              input=b"poweroff 7\n", stdout=subprocess.DEVNULL)
        self.assertEqual((done.returncode, list(temporary.iterdir())), (7, []))

    def test_a_search_runs_with_it_and_says_how(self):
        done = run(TAYBERRY, "--headless", "--cpus", "2", "--append", "ktest=broken.lost_update",
                   "--seeds", "1..1000", "--share", self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--share '%s'" % self.folder, done.stdout.decode())


class Refused(Case):
    def check_refused(self, done, *words):
        message = done.stderr.decode()
        self.assertEqual(done.returncode, 125, message)
        self.assertEqual(len(message.splitlines()), 1, message)
        for word in words:
            self.assertIn(word, message)

    def test_what_is_no_folder(self):
        (self.top / "file").touch()
        for name, reason in (("file", "Not a directory"), ("missing", "No such file")):
            done = run(TAYBERRY, "--headless", "--share", self.top / name)
            self.check_refused(done, "--share", name, reason)

    def test_a_card_that_is_not_there_or_no_card(self):
        self.check_refused(self.start("--card", self.top / "missing"), "missing", "No such file")
        (self.top / "zeros").write_bytes(bytes(MIB))
        self.check_refused(self.start("--card", self.top / "zeros"), "--share: the card:")

    def test_a_card_that_has_such_a_folder(self):
        mine = copy(CARD, self.top / "card.img")
        self.assertEqual(run("mmd", "-i", "%s@@1M" % mine, "::/Share").returncode, 0)
        self.check_refused(self.start("--card", mine), "there is a 'share' on it")

    def test_a_card_that_is_full(self):
        with open(self.folder / "large", "wb") as file:
            file.truncate(200 * MIB)
        self.check_refused(self.start("--card", CARD), "the card: it is full")

    def test_a_card_that_was_not_switched_off(self):
        mine = copy(CARD, self.top / "card.img")
        done = run(TAYBERRY, "--headless", "--card", mine, "--expect-text", "written",
                   input=b"write /new text\necho written\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_refused(self.start("--card", mine), "not switched off")

    def test_a_card_that_another_machine_uses(self):
        mine = copy(CARD, self.top / "card.img")
        process = subprocess.Popen([TAYBERRY, "--headless", "--card", str(mine)], env=ENVIRONMENT,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        said = b""
        while not said.endswith(b"/ > "):
            said += os.read(process.stdout.fileno(), 1)
        self.check_refused(self.start("--card", mine), "another simulator uses")
        process.communicate(b"poweroff\n", timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()
