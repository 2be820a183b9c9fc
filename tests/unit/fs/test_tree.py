#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What core reads from the card image is what was put there.

1. Every file of the manifest is found, with its size, time and attributes, and no other.
2. Its content has the manifest's SHA-256.
3. mtools, which shares no code with core, reads the same bytes.

    test_tree.py EXTRACT CARD.img CARD.json
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile


def check(number, claim, problems):
    print("%s %d - %s" % ("not ok" if problems else "ok", number, claim))
    for problem in problems[:10]:
        print("# " + problem)
    return not problems


def read_listing(text):
    listing = {}
    for line in text.splitlines():
        size, time, letters, path = line.split("\t")
        listing[path] = (int(size), int(time), "" if letters == "-" else letters)
    return listing


def compare_listing(listing, files):
    problems = ["missing: " + path for path in files if path not in listing]
    problems += ["unexpected: " + path for path in listing if path not in files]
    for path in set(files) & set(listing):
        want = (files[path]["size"], files[path]["mtime"], "".join(sorted(files[path]["attrs"])))
        if listing[path] != want:
            problems.append("%s: %s instead of %s" % (path, listing[path], want))
    return problems


def compare_content(folder, files):
    problems = []
    for path, about in files.items():
        try:
            data = (folder / path.lstrip("/")).read_bytes()
        except OSError as error:
            problems.append("%s: %s" % (path, error.strerror))
            continue
        if hashlib.sha256(data).hexdigest() != about["sha256"]:
            problems.append(path + ": other bytes")
    return problems


def compare_mtools(ours, card, offset, folder):
    env = {"MTOOLSRC": "/dev/null", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    drive = "%s@@%d" % (card, offset)
    done = subprocess.run(["mcopy", "-s", "-n", "-i", drive, "::/", str(folder)], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        return ["mcopy failed: " + done.stderr.decode(errors="replace")]
    theirs = {p.relative_to(folder): p for p in folder.rglob("*") if p.is_file()}
    mine = {p.relative_to(ours): p for p in ours.rglob("*") if p.is_file()}
    problems = ["only one has " + str(path) for path in set(theirs) ^ set(mine)]
    problems += ["%s differs" % path for path in set(theirs) & set(mine)
                 if theirs[path].read_bytes() != mine[path].read_bytes()]
    return problems if theirs else ["mcopy copied nothing"]


def main():
    extract, card, manifest = sys.argv[1:4]
    about = json.loads(pathlib.Path(manifest).read_text(encoding="utf-8"))
    files = {entry["path"]: entry for entry in about["files"]}
    print("1..3")
    with tempfile.TemporaryDirectory(prefix="fs-tree.") as name:
        ours, theirs = pathlib.Path(name, "ours"), pathlib.Path(name, "theirs")
        theirs.mkdir()
        done = subprocess.run([extract, card, str(ours)], capture_output=True, text=True,
                              encoding="utf-8", check=False)
        problems = [done.stderr] if done.returncode else []
        good = check(1, "every file is listed with its size, time and attributes",
                     problems + compare_listing(read_listing(done.stdout), files))
        good &= check(2, "every file has the bytes that were written",
                      compare_content(ours, files))
        good &= check(3, "mtools reads the same",
                      compare_mtools(ours, card, about["offset"], theirs))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
