#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shell's commands for files, word by word, on a card and on a ramfs. Prints TAP.

    commands.py CARD COMMAND...      COMMAND --card IMAGE runs a machine

 1. Each does what its name does elsewhere, and says what is wrong in one line.
 2. They do the same on FAT32 and on a ramfs, but for what FAT32 cannot have.
 3. After poweroff fsck.fat has nothing to say about the card, and mtools finds the same files.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

from tap import Tap

STATUS = 5
NONE = "no such file or directory"

# What is typed in a new, empty directory, and all that is said to it.
LINES = [
    ("mkdir a; mkdir a/b; mkdir -p c/d/e; mkdir -p c/d", ""),
    ("mkdir a; mkdir x/y", "error: a: there is one already\nerror: x/y: %s\n" % NONE),
    ("write f one two; cat f", "one two\n"),
    ("write -a f three; cat f", "one two\nthree\n"),
    ("write f 'new   text'; cat f", "new   text\n"),
    ("ls; ls a", "a/\nc/\nf\nb/\n"),
    ("cp f g; cp f a; cp f a/h; ls a; cat a/f g", "b/\nf\nh\nnew   text\nnew   text\n"),
    ("cp a z", "error: a: a directory: cp -r copies it\n"),
    ("cp f f", "error: f: the same file as f\n"),
    ("cp x y", "error: x: %s\n" % NONE),
    ("cp f g x", "error: x: not a directory\n"),
    ("cp -r a c; ls c; cat c/a/h", "a/\nd/\nnew   text\n"),
    ("cp -r a a/b", "error: a: a directory cannot be copied into itself, to a/b/a\n"),
    ("tree c", "c\n├── a/\n│   ├── b/\n│   ├── f\n│   └── h\n└── d/\n    └── e/\n"
               "4 directories, 2 files\n"),
    ("mv g k; mv f k a; ls; ls a", "a/\nc/\nb/\nf\nh\nk\n"),
    ("mv a/f f; mv -n f a/h; mv f a/h; ls . a", ".:\na/\nc/\na:\nb/\nh\nk\n"),
    ("mv c/a c/d/e; mv c/d .; ls; ls d/e", "a/\nc/\nd/\na/\n"),
    ("mv d d/e/a", "error: d: a directory cannot be moved into itself, to d/e/a/d\n"),
    ("mv x y; mv a/h a/k d", "error: x: %s\n" % NONE),
    ("find d -type f", "d/e/a/f\nd/e/a/h\nd/h\nd/k\n"),
    ("find . -name '?' -type d", ".\n./a\n./a/b\n./c\n./d\n./d/e\n./d/e/a\n./d/e/a/b\n"),
    ("rmdir a; rm a; rmdir d/h; rm d/x; rm -f d/x",
     "error: a: not empty\nerror: a: a directory\nerror: d/h: not a directory\n"
     "error: d/x: %s\n" % NONE),
    ("rmdir c a/b; rm d/h; rm -r d/e; ls d", "k\n"),
    ("rm -r . ..; rm", "error: .: cannot be removed\nerror: ..: cannot be removed\n"
                       "error: rm needs a path\nusage: rm [-r] [-f] PATH...\n"),
    ("truncate -s 5 d/k; hexdump d/k",
     "00000000  6e 65 77 20 20                                    |new  |\n00000005\n"),
    ("truncate -s 2K d/t; truncate -s 1x d/t",
     "error: 1x is not a size (say 512, 4K, 1M)\nusage: truncate -s SIZE PATH...\n"),
    ("touch -c n; touch m; ls", "a/\nd/\nm\n"),
    ("echo d/* */k '*' \\? ? x*", "d/k d/t d/k * ? a d m x*\n"),
    ("write d/.h x; write 'd/a b' y; echo d/* d/.*; cat d/a*; rm d/.h d/a?b; ls d",
     "d/a b d/k d/t d/.h\ny\nk\nt\n"),
    ("echo ./d/../d//? d/*/x m/* * d*/; time echo ?", None),
    ("mkdir b; cd b; touch " + " ".join("f%d" % i for i in range(40)), ""),
    ("touch %s; cd ..; rm b/*; ls b; rmdir b" % " ".join("g%d" % i for i in range(40)), ""),
    ("cd d; pwd; ls ..; cd ../a/..; pwd", None),
    ("ls -x; cat d; cd m", "error: ls has no option -x\nusage: ls [-a] [-l] [PATH...]\n"
                           "error: d: a directory\nerror: m: not a directory\n"),
]

LINKS = [
    ("ln -s d/k s; cat s; ls -l s", r"new  l---          3  [-0-9]+ [:0-9]+  s -> d/k\n"),
    ("ln d/k hard; write -a hard .; cat s", "new  \\.\n"),
    ("rm s hard; ln -s l l; cat l; rm l", "error: l: too many symbolic links.*\n"),
]

FAT_LINKS = [("ln -s x y; ln m n", "error: y: not allowed\nerror: n: not allowed\n")]


def run(command, card, lines):
    """What the shell said to each line."""
    typed = "\n".join(lines + ["poweroff %d" % STATUS]) + "\n"
    done = subprocess.run(command + ["--card", str(card)], input=typed.encode(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    said = done.stdout.decode("utf-8", "replace").replace("\r", "")
    answers = re.split(r"^(?:/|\.\.\.)[^\n]*> ", said, flags=re.MULTILINE)[1:]
    if done.returncode != STATUS or len(answers) != len(lines) + 1:
        return [said] * len(lines)
    return [answer.split("\n", 1)[1] for answer in answers[:-1]]


def test_lines(tap, command, card, first, where):
    cases = [(line, None if answer is None else re.escape(answer)) for line, answer in LINES]
    cases += FAT_LINKS if where == "fat" else LINKS
    answers = run(command, card, first + [line for line, _ in cases])[len(first):]
    for (line, want), answer in zip(cases, answers):
        if want is None and line.startswith("echo"):
            want = re.escape("./d/../d//k ./d/../d//t d/*/x m/* a d m d/\na d m\n") + r"[.0-9]+ s\n"
        elif want is None:
            root = first[-1].split()[-1]
            want = re.escape("%s/d\na/\nd/\nm\n%s\n" % (root, root))
        tap.case(re.fullmatch(want, answer, flags=re.DOTALL), "%s: %s" % (where, line), answer)


def test_mounts(tap, command, card):
    lines = ["mkdir /m", "mount -t ramfs none /m; mount", "write /m/x hi; umount /m; ls /m",
             "mount -t ramfs none /m; cd /m", "umount /m; rmdir /m", "cd /; umount /m",
             "umount /m; mount -t none x /m",
             "mount mmcblk9 /m; mount mmcblk0p1 /m; mount mmcblk0 /m", "df; sync"]
    said = run(command, card, lines)
    tap.case("ramfs on /m type ramfs (rw)\n" in said[1], "mount shows it", said[1])
    tap.case(said[2] == "", "what was in it is gone", said[2])
    tap.case(said[4] == "error: /m: in use\n" * 2, "it cannot go while in use", said[4])
    tap.case(said[5] == "", "and then it can", said[5])
    tap.case(said[6] == "error: /m: nothing is mounted there\n"
             "error: there is no file system called none\n", "what is not is said", said[6])
    tap.case(said[7] == "error: mmcblk9: no such device\n" + "error: /m: in use\n" * 2,
             "a device is mounted once", said[7])
    tap.case(re.search(r"^mmcblk0p1 +\d+M +[.\d]+[KM] +\d+M +\d+%  /$", said[8], re.MULTILINE),
             "df shows the card", said[8])


def test_moves(tap, command, card):
    """From one file system to another: nothing is lost on the way."""
    start = ["mkdir /m /f; mount -t ramfs none /m; write /m/a new; write /b old",
             "mv -n /m/a /b; cat /m/a /b", "mv /m/a /b; ls /m; cat /b",
             "disks ram 1M; disks fault ram0",
             "find /dev -name ram0; find /dev -name fault0; disks seek ram0; disks remove seek0",
             "find /dev -name seek0"]
    reads = ["mkfs -c @ fault0; mount fault0 /f; mkdir /f/d; mkdir /f/d/e; write /f/d/e/kept x",
             "umount /f; mount fault0 /f; ls /f/d", "disks rule fault0 fail read skip=%d count=%d",
             "mv /f/d /m", "disks rule fault0 none; cat /f/d/e/kept; cat /m/d/e/kept",
             "umount /f; rm -r -f /m/d"]
    cuts = ["disks remove fault0; disks fault ram0; mkfs fault0; mount fault0 /f; mkdir /f/d",
            "write /f/a x; sync; disks rule fault0 drop write skip=%d", "mv /f/a /f/d/b; sync",
            "umount /f; disks remove fault0; fsck -q -y ram0", "mount ram0 /f; cat /f/a /f/d/b",
            "umount /f; disks fault ram0"]
    writes = ["mkfs fault0; mount fault0 /f; write /m/g x", "disks rule fault0 fail write skip=%d",
              "mv /m/g /f", "umount /f; disks rule fault0 none; mount fault0 /f; cat /f/g /m/g",
              "umount /f; rm -f /m/g"]
    cases = [([line.replace("@", size) for line in reads], (skip, count))
             for size in ("512", "4K") for skip in range(3) for count in range(1, 4)]
    cases += [(case, (skip,)) for case in (writes, cuts) for skip in range(12)]
    lines = list(start)
    for case, numbers in cases:
        lines += [line % numbers if "%" in line else line for line in case]
    said = run(command + ["--append", "loglevel=0"], card, lines)
    tap.case(said[1] == "new\nold\n", "mv -n replaces nothing on another file system", said[1])
    tap.case(said[2] == "new\n", "and mv does", said[2])
    tap.case(said[4:6] == ["/dev/ram0\n/dev/fault0\nseek0\n", ""],
             "new disks are in /dev, and gone ones are not", said[4:6])
    at, bad = len(start), []
    for case, numbers in cases:
        kept = said[at + len(case) - 2].split("\n")
        if "x" not in kept or any(line not in ("", "x") and not line.startswith("error: ")
                                     for line in kept):
            bad.append((case[0], numbers, said[at:at + len(case)]))
        at += len(case)
    failed = sum("the card cannot be" in answer for answer in said)
    tap.case(not bad and failed > 0,
             "%d moves with I/O errors or a cut, %d that failed: nothing is lost"
             % (len(cases), failed), bad)


def test_card(tap, card, part):
    subprocess.run(["dd", "if=%s" % card, "of=%s" % part, "bs=1M", "skip=1", "conv=sparse"],
                   check=True, stderr=subprocess.DEVNULL)
    done = subprocess.run(["fsck.fat", "-n", str(part)], stdout=subprocess.PIPE, check=False)
    said = done.stdout.decode()
    tap.case(done.returncode == 0 and len(said.splitlines()) == 2, "fsck.fat is content", said)
    done = subprocess.run(["mdir", "-b", "-i", str(part), "-/", "::/new"],
                          stdout=subprocess.PIPE, check=False)
    names = sorted(done.stdout.decode().split())
    tap.case(names == ["::/new/a/", "::/new/d/", "::/new/d/k", "::/new/d/t", "::/new/m"],
             "mtools finds the same", names)


def main():
    card, command = sys.argv[1], sys.argv[2:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copy = folder / "card.img"
        subprocess.run(["cp", "--sparse=always", card, copy], check=True)
        test_lines(tap, command, copy, ["mkdir /new", "cd /new"], "fat")
        test_card(tap, copy, folder / "part.img")
        test_lines(tap, command, copy, ["mkdir /r", "mount -t ramfs none /r", "cd /r"], "ramfs")
        test_mounts(tap, command, copy)
        test_moves(tap, command, copy)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
