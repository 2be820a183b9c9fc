# SPDX-License-Identifier: MIT
"""Trees that the driver writes are read by mtools byte for byte, and the reverse.

    test_foreign.py --foreign PROGRAM --mkfs PROGRAM --fsck PROGRAM

Every volume is judged by fsck.fat and by tayberry-fsck. mtools takes a volume for FAT32 only if it
has at least 65,525 clusters; smaller ones, and those with larger sectors, are written and read by
the driver alone. TAYBERRY_FOREIGN: how many random trees (release: 1,000 of each kind, and
fsck.fat's opinion of the fullest directory).
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import zlib

ILLEGAL = set('"*/:<>?\\|')
MTOOLS_ENV = dict(os.environ, LC_ALL="C.UTF-8", MTOOLS_SKIP_CHECK="0")
FSCK_USUAL = ("fsck.fat ", "Warning: Filesystem is FAT32 according to", "  but has only ",
              "  This may lead to problems")


class Wrong(Exception):
    pass


def run(*command, env=None, check=True):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, check=False)
    if check and done.returncode:
        raise Wrong("%s: status %d\n%s" % (" ".join(str(c) for c in command), done.returncode,
                                           done.stdout.decode("utf-8", "replace")[-2000:]))
    return done.stdout.decode("utf-8", "surrogateescape")


# ---- names and trees ----

def is_good(code):
    """True if a name may have the character. Surrogates come in pairs, from beyond 0xFFFF; the
    driver refuses control characters."""
    return (0x20 <= code <= 0x10FFFF and not 0xD800 <= code < 0xE000 and code != 0xFFFF
            and not 0x7F <= code < 0xA0 and chr(code) not in ILLEGAL)


def mtools_alias():
    """Characters of which mtools makes short names with letters or signs that these may not have,
    because that is what the C library writes for them in the card's code page; and one of which it
    makes the same name twice."""
    codes = [code for code in range(0xA1, 0x10000) if is_good(code)]
    upper = [text.upper() if len(text.upper()) == 1 else text for text in map(chr, codes)]
    lines = subprocess.run(["iconv", "-f", "UTF-8", "-t", "CP850//TRANSLIT"], check=False,
                           input="\n".join(upper).encode(), stdout=subprocess.PIPE).stdout
    found = {code for code, line in zip(codes, lines.decode("cp850").split("\n"))
             if any("a" <= letter <= "z" or letter in " .\"*/:<>\\|+,;=[]" for letter in line)}
    return found | {0x7E}


def random_code(rng, last):
    ranges = ((0x21, 0x7E), (0xA1, 0x24F), (0x370, 0x52F), (0x3040, 0x9FFF), (0xAC00, 0xD7A3),
              (0xE000, 0xFFFD), (0x20, 0xFFFF), (0x1F300, 0x1F6FF), (0x10000, 0x10FFFF))
    while True:
        code = rng.randint(*ranges[rng.randrange(len(ranges))])
        if code <= last and is_good(code) and code not in MTOOLS_ALIAS:
            return code


MTOOLS_ALIAS = mtools_alias()


def random_name(rng, number, last, longest):
    """A name that no other of its directory is like, whatever the letters' case: by its number."""
    kind = rng.randrange(6)
    if kind == 0:
        return "F%d.TXT" % number
    if kind == 1:
        return "lower%d.c" % (number % 1000)
    if kind == 2:
        return "N%d and a name that is long.text" % number
    if kind == 3:
        return ("L%d " % number + "0123456789 " * 25)[
            :min(longest, rng.choice((194, 195, 196, 234, 247, 254)))] + "~"
    length = rng.choice((1, 5, 13, 26, 60, 115))
    text = "".join(chr(random_code(rng, last)) for _ in range(length))
    while len(text.encode()) > 240:  # the host's limit is 255
        text = text[:-1]
    return "x%d %s_" % (number, text)


def random_size(rng, cluster):
    return rng.choice((0, 1, cluster - 1, cluster, cluster + 1, rng.randrange(3000),
                       rng.randrange(40000)))


def make_tree(rng, folder, cluster, count, last=0xFFFF, longest=255):
    """Directories and files below `folder`: paths, with size and sum; the files are there. mtools
    knows characters up to 0xFFFF."""
    directories, tree = [""], {}
    for number in range(count):
        parent = rng.choice(directories)
        path = parent + "/" + random_name(rng, number, last, longest)
        if rng.randrange(4) == 0 and path.count("/") < 8 and len(path) < 500:
            directories.append(path)
            tree[path] = None
            os.mkdir(str(folder) + path)
        else:
            size = random_size(rng, cluster)
            data = rng.randbytes(size)
            pathlib.Path(str(folder) + path).write_bytes(data)
            tree[path] = (size, zlib.crc32(data))
    return tree


def read_host(folder):
    tree = {}
    for where, directories, names in os.walk(str(folder)):
        base = where[len(str(folder)):]
        for name in directories:
            tree[base + "/" + name] = None
        for name in names:
            data = pathlib.Path(where, name).read_bytes()
            tree[base + "/" + name] = (len(data), zlib.crc32(data))
    return tree


def read_driver(tools, image):
    tree = {}
    for line in run(tools.foreign, image, "get").split("\n"):
        fields = line.split("\t")
        if fields[0] == "d":
            tree[fields[1]] = None
        elif fields[0] == "f":
            tree[fields[1]] = (int(fields[2]), int(fields[3], 16))
    return tree


def compare(is_so, should, who):
    missing = sorted(set(should) - set(is_so))
    extra = sorted(set(is_so) - set(should))
    differ = sorted(p for p in should if p in is_so and should[p] != is_so[p])
    if missing or extra or differ:
        raise Wrong("%s: missing %r, more %r, different %r" % (
            who, missing[:3], extra[:3], [(p, should[p], is_so[p]) for p in differ[:3]]))


def read_names(image):
    """The long names of the root, by nothing but the specification."""
    with open(image, "rb") as file:
        boot = file.read(512)
        number = lambda at, n: int.from_bytes(boot[at:at + n], "little")
        sector, cluster = number(11, 2), number(11, 2) * boot[13]
        fat = number(14, 2) * sector
        data = fat + boot[16] * number(36, 4) * sector
        names, parts, at = set(), [], number(44, 4)
        while at < 0x0FFFFFF8:
            file.seek(data + (at - 2) * cluster)
            slots = file.read(cluster)
            for i in range(0, cluster, 32):
                slot = slots[i:i + 32]
                if slot[0] in (0, 0xE5):
                    parts = []
                elif slot[11] & 0x3F == 0x0F:
                    parts.insert(0, slot[1:11] + slot[14:26] + slot[28:32])
                else:
                    text = b"".join(parts).decode("utf-16-le")
                    names.add(text.split("\0")[0])
                    parts = []
            file.seek(fat + at * 4)
            at = int.from_bytes(file.read(4), "little") & 0x0FFFFFFF
    return names - {""}


# ---- judges ----

def judge(tools, image, ask=True):
    text = run(tools.fsck, image, check=False)
    if "clean" not in text:
        raise Wrong("tayberry-fsck: " + text)
    if not ask:
        return
    env = dict(os.environ, LC_ALL="C.UTF-8")
    lines = run(tools.fsck_fat, "-n", image, env=env, check=False).splitlines()
    bad = [line for line in lines
           if not line.startswith(FSCK_USUAL) and not line.startswith(str(image) + ": ")]
    if bad:
        raise Wrong("fsck.fat: " + "\n".join(bad[:8]))


def list_tree(tree, folder, path):
    with open(path, "w", encoding="utf-8") as out:
        for name in sorted(tree):
            if tree[name] is None:
                out.write("d\t%s\n" % name)
            else:
                out.write("f\t%s\t%s%s\n" % (name, folder, name))


def mtools_get(image, folder):
    folder.mkdir()
    run("mcopy", "-s", "-n", "-Q", "-i", image, "::*", str(folder) + "/", env=MTOOLS_ENV)
    return read_host(folder)


# ---- cases ----

class Place:
    """A directory of its own for a case."""

    def __init__(self, tools):
        self.tools = tools

    def __enter__(self):
        shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="tayberry-foreign-", dir=shm))
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path)


def ours_to_mtools(tools, place, seed):
    rng = random.Random(seed)
    image, source = place / "card.img", place / "source"
    source.mkdir()
    cluster = rng.choice((512, 512, 1024, 4096))
    run(tools.mkfs, "--cluster", cluster, "--id", seed + 1, image,
        "%dK" % (66500 * cluster // 1024 + 2048))
    tree = make_tree(rng, source, cluster, rng.randrange(1, 60))
    list_tree(tree, source, place / "list")
    run(tools.foreign, image, "put", place / "list")
    judge(tools, image)
    compare(mtools_get(image, place / "got"), tree, "mtools reads what we wrote")
    compare(read_driver(tools, image), tree, "we read what we wrote")


def mtools_to_ours(tools, place, seed):
    rng = random.Random(seed)
    image, source = place / "card.img", place / "source"
    source.mkdir()
    cluster = rng.choice((512, 1024, 4096))
    size = "%dK" % (66500 * cluster // 1024 + 2048)
    if rng.randrange(2):
        run(tools.mkfs, "--cluster", cluster, "--id", seed + 1, image, size)
    else:
        run(tools.mkfs_fat, "-F", 32, "-s", cluster // 512, "-C", image, size[:-1])
    # Of names of more slots, mtools cannot put all into directories of such clusters.
    tree = make_tree(rng, source, cluster, rng.randrange(1, 60), longest=180)
    top = [os.path.join(str(source), name) for name in sorted(os.listdir(str(source)))]
    run("mcopy", "-s", "-Q", "-i", image, *top, "::", env=MTOOLS_ENV)
    compare(read_driver(tools, image), tree, "we read what mtools wrote")
    judge(tools, image)


def geometries(tools, place, seed):
    rng = random.Random(seed)
    image, source = place / "card.img", place / "source"
    source.mkdir()
    sector = rng.choice((512, 1024, 2048, 4096))
    cluster = sector * 2 ** rng.randrange(0, 5)
    kib = rng.choice((512, 1024, 5000, 40000, 300000, 8 << 20, 64 << 20))
    if kib * 1024 // cluster > 4 << 20:
        cluster = 32768
    reserved = rng.choice((9, 32, 40)) if kib * 1024 > 60 * sector else 9
    run(tools.mkfs, "--cluster", cluster, "--sector", sector, "--fats", rng.choice((1, 2)),
        "--reserved", reserved, "--id", seed + 1, image, "%dK" % kib)
    judge(tools, image)
    many = kib > 1000 and kib * 1024 // cluster > 60
    tree = make_tree(rng, source, min(cluster, 4096), rng.randrange(1, 20 if many else 4),
                     last=0x10FFFF)
    list_tree(tree, source, place / "list")
    run(tools.foreign, image, "put", place / "list")
    judge(tools, image)
    compare(read_driver(tools, image), tree, "we read what we wrote")


def all_characters(tools, place):
    """Every character that a name may have, 50 in each name."""
    image, source = place / "card.img", place / "source"
    source.mkdir()
    run(tools.mkfs, "--cluster", 512, image, "36M")
    codes = [c for c in range(0x21, 0x110000) if is_good(c)
             and (c < 0x10000 or c % 977 == 0 or 0x1F300 <= c < 0x1F650)]
    tree = {}
    for number, at in enumerate(range(0, len(codes), 50)):
        path = "/n%d %s_" % (number, "".join(chr(c) for c in codes[at:at + 50]))
        pathlib.Path(str(source) + path).write_bytes(b"%d" % number)
        tree[path] = (len(b"%d" % number), zlib.crc32(b"%d" % number))
    list_tree(tree, source, place / "list")
    run(tools.foreign, image, "put", place / "list")
    judge(tools, image)
    compare(read_driver(tools, image), tree, "we read what we wrote")
    if read_names(image) != {path[1:] for path in tree}:
        raise Wrong("the names on the volume are others")
    within = {path: tree[path] for path in tree if max(map(ord, path)) < 0x10000}
    read = mtools_get(image, place / "got")
    compare({path: read[path] for path in read if path in within}, within, "mtools reads them")


def largest_file(tools, place, size):
    image = place / "card.img"
    run(tools.mkfs, "--cluster", 32768, image, "%dM" % (max(size, 2100 << 20) // (1 << 20) + 64))
    (place / "list").write_text("z\t/large.bin\t%d\nz\t/small.bin\t1\n" % size)
    run(tools.foreign, image, "put", place / "list")
    # fsck.fat 4.2 counts the bytes of a chain in 32 bits.
    judge(tools, image, ask=size <= (1 << 32) - 32768)
    listed = run("mdir", "-b", "-a", "-i", image, "::", env=MTOOLS_ENV)
    long = run("mdir", "-a", "-i", image, "::", env=MTOOLS_ENV).replace(" ", "").replace("\xa0", "")
    if "large.bin" not in listed or str(size) not in long:
        raise Wrong("mdir: " + long)


def fullest_directory(tools, place, ask):
    image = place / "card.img"
    run(tools.mkfs, "--cluster", 512, image, "40M")
    (place / "list").write_text("d\t/full\n")
    run(tools.foreign, image, "put", place / "list")
    made = int(run(tools.foreign, image, "fill", "/full"))
    if made != 65534:
        raise Wrong("%d files fit in a directory" % made)
    judge(tools, image, ask)
    listed = run("mdir", "-b", "-i", image, "::/full", env=MTOOLS_ENV).split()
    if len([name for name in listed if "/F" in name]) != made:
        raise Wrong("mdir lists %d" % len(listed))


# ---- all ----

def find(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


class Tap:
    def __init__(self, tools):
        self.tools, self.count, self.bad = tools, 0, 0

    def case(self, name, function, *arguments):
        wrong = None
        with Place(self.tools) as place:
            try:
                function(self.tools, place, *arguments)
            except Wrong as error:
                wrong = error
        self.count += 1
        self.bad += wrong is not None
        print("%sok %d - %s" % ("not " if wrong else "", self.count, name))
        for line in str(wrong).splitlines() if wrong else []:
            print("# " + line)
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    for name in ("foreign", "mkfs", "fsck"):
        parser.add_argument("--" + name, required=True)
    tools = parser.parse_args()
    tools.fsck_fat, tools.mkfs_fat = find("fsck.fat"), find("mkfs.fat")
    if not tools.fsck_fat or not find("mcopy"):
        print("1..0 # SKIP fsck.fat and mtools are not installed")
        return 0
    size = os.environ.get("TAYBERRY_FOREIGN", "40")
    release = size == "release"
    kinds = (ours_to_mtools, mtools_to_ours, geometries)
    trees = 1000 * len(kinds) if release else int(size)
    seed = int(os.environ.get("TAYBERRY_SEED", "1"))
    tap = Tap(tools)
    for number in range(seed, seed + trees):
        function = kinds[number % len(kinds)]
        tap.case("%s, seed %d" % (function.__name__.replace("_", " "), number), function, number)
    tap.case("all characters", all_characters)
    tap.case("a large file", largest_file, 70 << 20)
    tap.case("the largest file", largest_file, (1 << 32) - 1)
    # fsck.fat takes longer for so many names than all the others.
    tap.case("65,536 slots", fullest_directory, release)
    if release:
        tap.case("the largest that fsck.fat can count", largest_file, (1 << 32) - 32768)
    print("# %d random trees" % trees)
    print("1..%d" % tap.count)
    return 1 if tap.bad else 0


if __name__ == "__main__":
    sys.exit(main())
