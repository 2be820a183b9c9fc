#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what a user feels: the start, the memory, and the idle machine.

    start.py SIMULATOR CARD

prints medians, and ratios against QEMU running this project's own kernel8.img in the same run, if
TAYBERRY_KERNEL8 names one.
"""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

PROMPT = b"> "
TICK = os.sysconf("SC_CLK_TCK")


def until_prompt(process):
    """Reads what the process prints up to the prompt."""
    text = b""
    while PROMPT not in text.rsplit(b"\n", 1)[-1]:
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            raise SystemExit("no prompt in: %r" % text)
        text += piece


def start(words):
    return subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def time_to_prompt(words, runs):
    times = []
    for _ in range(runs):
        began = time.monotonic()
        process = start(words)
        until_prompt(process)
        times.append(time.monotonic() - began)
        process.kill()
        process.wait()
    return statistics.median(times)


def time_whole_process(words, runs):
    """From fork to the end, with the machine stopped at its prompt."""
    times = []
    for _ in range(runs):
        began = time.monotonic()
        subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def memory(pid):
    """Resident MiB: all, and without what is shared with other programs (files)."""
    fields = dict(line.split(":", 1) for line in
                  pathlib.Path("/proc/%d/status" % pid).read_text().splitlines())
    kib = {name: int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon", "RssShmem")}
    return kib["VmRSS"] / 1024, (kib["RssAnon"] + kib["RssShmem"]) / 1024


def cpu_seconds(pid):
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def at_the_prompt(words, seconds):
    """Memory, and the share of one host processor while nothing happens."""
    process = start(words)
    until_prompt(process)
    time.sleep(0.2)
    before = cpu_seconds(process.pid)
    time.sleep(seconds)
    share = (cpu_seconds(process.pid) - before) / seconds
    sizes = memory(process.pid)
    process.kill()
    process.wait()
    return sizes, share


def main():
    simulator, card = sys.argv[1:3]
    words = [simulator, "--headless", "--read-only", "--card", card]
    kernel = os.environ.get("TAYBERRY_KERNEL8")
    prompt = time_to_prompt(words, 30)
    whole = time_whole_process(words + ["--expect-text", PROMPT.decode()], 30)
    sizes, share = at_the_prompt(words + ["--memory", "64M"], 5)
    print("simulator: fork to prompt %.2f ms; whole process to its end %.2f ms (aim: under 10)"
          % (prompt * 1e3, whole * 1e3))
    print("simulator at the prompt, 64 MiB of RAM: resident %.1f MiB, of it not from files %.1f MiB"
          " (aim: under 16)" % sizes)
    print("simulator at the prompt: %.2f %% of a host processor (aim: under 2)" % (share * 100))
    if kernel and os.path.exists(kernel):
        qemu = ["qemu-system-aarch64", "-M", "raspi3b,memory-backend=ram",
                # By small pages: huge ones would make a touched page count as 2 MiB.
                "-object", "memory-backend-memfd,id=ram,size=1G", "-kernel", kernel,
                "-serial", "stdio",
                "-display", "none", "-accel", "tcg,thread=single", "-snapshot",
                "-drive", "file=%s,if=sd,format=raw" % card]
        qemu_prompt = time_to_prompt(qemu, 5)
        qemu_sizes, qemu_share = at_the_prompt(qemu, 5)
        print("QEMU raspi3b: fork to prompt %.0f ms: %.0f times the simulator's"
              % (qemu_prompt * 1e3, qemu_prompt / prompt))
        print("QEMU raspi3b at the prompt: resident %.0f MiB (%.1f times), %.1f %% of a processor"
              % (qemu_sizes[0], qemu_sizes[0] / sizes[0], qemu_share * 100))
    else:
        print("QEMU raspi3b: set TAYBERRY_KERNEL8 to a kernel8.img to compare with it")
    print("# %d runs; user time of all children %.1f s"
          % (60, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime))


if __name__ == "__main__":
    main()
