#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an operating system costs a program: the same static program on several, in one run.

    run.py ROWS PACKAGES.JSON UML.JSON FOLDER TAYBERRY...       TAYBERRY --card IMAGE runs a machine

ROWS (rows.c) and BusyBox run on the host, pinned to one processor; on Tayberry in the simulator,
with the real clock; and inside User-Mode Linux, if Debian's package of it could be had. The last
two start from one archive, in which ROWS is the first program. Prints each row with its ratio to
the host's, and how often Tayberry is faster than User-Mode Linux. FOLDER is where files are put.

    run.py --pi ROWS PACKAGES.JSON LINUX.JSON FOLDER TAYBERRY...

The same for the Pi's kernel on QEMU's raspi3b, against Debian's kernel for it on the same machine.

In the simulator it also prints how long the whole process takes from its start to its end: a boot
to the shell's prompt, and one program by --exec; the best and the middle one of BOOTS runs, and the
processor time of the best.

TAYBERRY_ROWS, names with spaces between, measures those rows only; TAYBERRY_BENCH_TIMES repeats
each system and takes each row's best (1). Other load on the host makes all of it slower, and not
all rows by as much: what is printed is one run, with the load of the host beside it.
"""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "images"))
import mkcpio                                                               # noqa: E402

BOOT = "init=/init checks=0 lockchecks=0"   # what a debug build looks after is no Linux's work
LIMIT = 240                     # seconds that one system may take
BOOTS = 20
ROWS = os.environ.get("TAYBERRY_ROWS", "").split()
TIMES = int(os.environ.get("TAYBERRY_BENCH_TIMES", "1"))
problems = []                   # of all systems; the rows before one are printed all the same


def folder_of(path, name):
    """Where a package is unpacked, or None."""
    index = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    entry = index["packages"].get(name)
    return pathlib.Path(entry["folder"]) if entry else None


def archive(rows, busybox):
    """An initramfs in which the benchmark is the first program."""
    packed = mkcpio.Archive()
    packed.add(".", stat.S_IFDIR | 0o755, links=2)
    for name in ("bin", "dev", "proc", "tmp"):
        packed.add(name, stat.S_IFDIR | 0o755, links=2)
    packed.add("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes())
    packed.add("bin/true", stat.S_IFLNK | 0o777, b"busybox")
    packed.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    if ROWS:
        packed.add("rows", stat.S_IFREG | 0o644, "".join(row + "\n" for row in ROWS).encode())
    packed.add("init", stat.S_IFREG | 0o755, rows.read_bytes())
    return packed.bytes()


def rows_of(words, **more):
    """What a system prints, {row: value}, up to its end or the benchmark's."""
    found = {}
    for _ in range(TIMES):
        for name, value in once(words, **more).items():
            better = max if name.endswith("MiB") else min
            found[name] = better(found.get(name, value), value)
    return found


def complain(problem):
    problems.append(problem)
    print(problem, file=sys.stderr)


def once(words, **more):
    found, ended = {}, False
    process = subprocess.Popen(["timeout", str(LIMIT)] + [str(word) for word in words],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", **more)
    for line in process.stdout:
        row = re.search(r"\brow (\S+) ([0-9.]+)\s*$", line)
        if row:
            found[row[1]] = float(row[2])
        if re.match(r"(names|rows): ", line):
            complain(line.strip())
        if "rows end" in line:
            ended = True
            break
    process.terminate()
    process.communicate()
    if not ended:
        complain("%s: stopped after %d rows" % (words[0], len(found)))
    return found


def on_host(rows, busybox):
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        true = pathlib.Path(folder) / "true"
        true.symlink_to(busybox)
        processor = str(min(os.sched_getaffinity(0)))
        return rows_of(["taskset", "-c", processor, rows, folder, busybox, true] + ROWS)


def card_with(image, data, folder):
    """A copy of the card from which the archive is booted."""
    card, initramfs = folder / "bench.img", folder / "initramfs.cpio"
    shutil.copyfile(image, card)
    initramfs.write_bytes(data)
    subprocess.run(["mcopy", "-o", "-i", "%s@@1M" % card, initramfs, "::/initramfs.cpio"],
                   check=True)
    return card


def on_uml(uml, data, folder):
    initramfs = folder / "initramfs.cpio"
    initramfs.write_bytes(data)
    return rows_of([uml, "mem=256M", "initrd=%s" % initramfs, "con0=fd:0,fd:1", "con=null",
                    "quiet"], env={**os.environ, "TMPDIR": str(folder)})


def text(value, name):
    return "-" if value is None else "%.0f" % value if name.endswith("MiB") else "%.2f" % value


def print_table(systems, names):
    """`systems`: (title, rows) in order; the first is what the others are compared with."""
    print("%-17s" % "" + "".join("%22s" % title for title, _ in systems))
    for name in names:
        line = "%-17s" % name
        base = systems[0][1].get(name)
        for number, (_, found) in enumerate(systems):
            value = found.get(name)
            ratio = ""
            if number and value and base:
                worse = base / value if name.endswith("MiB") else value / base
                ratio = " (%.1f)" % worse
            line += "%22s" % (text(value, name) + ratio)
        print(line)


def print_faster(first, second, names, what):
    print("\n%s takes so many times as long, or moves so much less:" % what)
    for name in names:
        one, other = first.get(name), second.get(name)
        if one and other:
            print("    %-17s %5.1f" % (name, one / other if name.endswith("MiB") else other / one))


def ordered(*all_rows):
    names = []
    for found in all_rows:
        names += [name for name in found if name not in names]
    return names


def whole_process(words):
    """How long it takes: [(seconds, of these on the processor)], the best first; [] if it fails."""
    times = []
    for _ in range(BOOTS):
        start = time.monotonic()
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        times.append((time.monotonic() - start, usage.ru_utime + usage.ru_stime))
        if process.returncode:
            return []
    return sorted(times)


def print_whole(machine, busybox):
    """`machine` has the system's card, with BusyBox's init and shell."""
    program = machine[:machine.index("--card")]
    print("\nthe whole process, ms                  best   middle   processor")
    for title, words in (("boot to the prompt", machine + ["--expect-text", "/# "]),
                         ("--exec busybox true", program + ["--exec", busybox, "true"])):
        times = whole_process(words)
        if times:
            print("    %-28s %9.1f %8.1f %11.1f" % (title, times[0][0] * 1e3,
                                                    times[len(times) // 2][0] * 1e3,
                                                    times[0][1] * 1e3))
        else:
            print("    %-28s failed" % title)


def in_simulator(rows, packages, uml, folder, machine):
    busybox = folder_of(packages, "busybox-static")
    if busybox is None or not rows.stat().st_size:
        print("skipped: there is no BusyBox; the packages could not be had")
        return 77
    busybox /= "bin/busybox"
    data = archive(rows, busybox)
    image = machine[machine.index("--card") + 1]
    card = card_with(image, data, folder)
    command = [card if word == image else word for word in machine] + ["--append", BOOT]
    systems = [("host", on_host(rows, busybox)), ("Tayberry", rows_of(command))]
    package = folder_of(uml, "user-mode-linux")
    if package:
        systems.append(("User-Mode Linux", on_uml(package / "usr/bin/linux.uml", data, folder)))
    else:
        print("User-Mode Linux: skipped, the package could not be had")
    print("us an operation, or MiB/s; in brackets how many times the host's; load %.1f on %d\n"
          % (os.getloadavg()[0], os.cpu_count()))
    names = ordered(*(found for _, found in systems))
    print_table(systems, names)
    if package:
        print_faster(systems[1][1], systems[2][1], names, "User-Mode Linux")
    print_whole(machine, busybox)
    return 1 if problems else 0


def debian_kernel(path):
    """Debian's kernel and its board's device tree, of the package that has them; or None."""
    index = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["packages"]
    for name in sorted(index):
        package = pathlib.Path(index[name]["folder"])
        kernels = sorted(package.glob("boot/vmlinuz-*"))
        trees = sorted(package.glob("usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb"))
        if kernels and trees:
            return kernels[0], trees[0]
    return None


def on_debian(kernel, tree, data, folder):
    """One processor, as a benchmark of one thread at a time has it best; the console is what the
    device tree calls serial1, the mini UART."""
    initramfs = folder / "initramfs.cpio"
    initramfs.write_bytes(data)
    return rows_of(["qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg,thread=single",
                    "-kernel", kernel, "-dtb", tree, "-initrd", initramfs, "-append",
                    "console=ttyS1,115200 quiet panic=-1 rdinit=/init maxcpus=1",
                    "-display", "none", "-serial", "null", "-serial", "stdio", "-no-reboot"])


def on_pi(rows, packages, linux, folder, machine):
    busybox = folder_of(packages, "busybox-static")
    if busybox is None or not rows.stat().st_size:
        print("skipped: the packages could not be had")
        return 77
    data = archive(rows, busybox / "bin/busybox")
    image = machine[machine.index("--card") + 1]
    card = card_with(image, data, folder)
    command = [card if word == image else word for word in machine] + ["--append", BOOT + " cpus=1"]
    found = debian_kernel(linux)
    systems = []
    if found:
        systems.append(("Debian's Linux", on_debian(*found, data, folder)))
    else:
        print("Debian's kernel: skipped, its package could not be had")
    systems.append(("Tayberry", rows_of(command)))
    print("us an operation, or MiB/s, on QEMU's raspi3b; load %.1f on %d\n"
          % (os.getloadavg()[0], os.cpu_count()))
    names = ordered(*(rows for _, rows in systems))
    print_table(systems, names)
    if found:
        print_faster(systems[1][1], systems[0][1], names, "Debian's Linux")
    return 1 if problems else 0


def main():
    words = sys.argv[1:]
    pi = words[0] == "--pi"
    rows, packages, other, place, *machine = words[pi:]
    place = pathlib.Path(place).resolve()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        run = on_pi if pi else in_simulator
        return run(pathlib.Path(rows).resolve(), packages, other, pathlib.Path(folder), machine)


if __name__ == "__main__":
    sys.exit(main())
