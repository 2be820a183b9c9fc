#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Starts the kernel in each way that it has to stand, under QEMU.

    test_boots.py KERNEL8.IMG KERNEL8.ELF

 1. As the firmware does it: at 0x80000 in EL2, with ATAGs; the console works both ways.
 2. The mini UART carries the console when the command line asks for it.
 3. At 0x200000, where a firmware that knows no header puts it: the image moves itself.
 4. In EL3, with all four CPUs at once and no boot tags, as from an ELF file.
 5. With a device tree in place of ATAGs: its bytes are left alone, its words are found, and
    core reads memory, reserved ranges and the command line from it.
 6. Input that was typed before the start is not lost, not a byte of 4 KiB.
 7. Cards of 64 MiB (by bytes) and 4 GiB (by blocks) are found, and no card is no harm.
 8. A reboot comes back, and power-off's status is QEMU's.
 9. The idle prompt leaves the host alone.
10. A pin that blinks is seen to blink, at its register.
11. Two loops that contain no call share the CPU with the shell.
12. RAM that holds garbage at power-on, as real RAM does, is no harm.
"""

import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BANNER = "Tayberry"
KERNEL = ELF = None
QEMU = ["qemu-system-aarch64", "-M", "raspi3b,memory-backend=ram",
        "-object", "memory-backend-memfd,id=ram,size=1G", "-display", "none", "-monitor", "none",
        "-serial", "stdio", "-accel", "tcg,thread=single"]
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def run(script, *options, extra=(), kernel=None, timeout=60):
    """Runs a conversation; returns (status, output, complaints)."""
    with tempfile.NamedTemporaryFile("w", suffix=".script") as file:
        file.write(script)
        file.flush()
        command = [sys.executable, HERE / "run_qemu.py", "--kernel", kernel or KERNEL,
                   "--timeout", str(timeout), "--script", file.name, *options]
        done = subprocess.run([*command, *(["--", *extra] if extra else [])], timeout=timeout + 30,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode()


def tree_with(bootargs, reserved=(0, 0)):
    """A small device tree: /chosen with a command line, and the memory that QEMU fills in."""
    strings = b"bootargs\0#address-cells\0#size-cells\0device_type\0reg\0"

    def property_(name, value):
        padded = value + b"\0" * (-len(value) % 4)
        return struct.pack(">III", 3, len(value), strings.index(name)) + padded

    def node(name, *content):
        name += b"\0"
        return struct.pack(">I", 1) + name + b"\0" * (-len(name) % 4) + b"".join(content) + \
            struct.pack(">I", 2)

    cells = property_(b"#address-cells\0", struct.pack(">I", 1)) + \
        property_(b"#size-cells\0", struct.pack(">I", 1))
    memory = property_(b"device_type\0", b"memory\0") + \
        property_(b"reg\0", struct.pack(">II", 0, 0x3c000000))
    body = node(b"", cells, node(b"memory@0", memory),
                node(b"chosen", property_(b"bootargs\0", bootargs.encode() + b"\0"))) + \
        struct.pack(">I", 9)
    reserve = struct.pack(">QQ", *reserved) + bytes(16)
    at_body = 40 + len(reserve)
    at_strings = at_body + len(body)
    header = struct.pack(">10I", 0xd00dfeed, at_strings + len(strings), at_body, at_strings, 40, 17,
                         16, 0, len(strings), len(body))
    return header + reserve + body + strings


class Boots(unittest.TestCase):
    """Each test is a start."""

    def expect(self, result, status=7):
        self.assertEqual(result[0], status, result[1] + result[2])
        self.assertEqual(result[2], "")

    def test_as_the_firmware_does_it(self):
        self.expect(run("< Tayberry\n< >\n> echo 4 + 4\n< 4 + 4\n> poweroff 7\n"))

    def test_console_on_the_mini_uart(self):
        for word in ("console=serial1", "console=miniuart"):
            with self.subTest(word):
                self.expect(run("< Tayberry\n< >\n> echo here\n< here\n> poweroff 7\n",
                                "--append", word))

    def test_the_image_moves_itself(self):
        # The loader knows nothing of the header, and of boot tags; the guest cannot say its status.
        loader = f"loader,file={KERNEL},addr=0x200000,force-raw=on,cpu-num=0"
        done = subprocess.run([*QEMU, "-device", loader], input=b"poweroff\n",
                              capture_output=True, timeout=60, check=False)
        self.assertIn(BANNER, done.stdout.decode(errors="replace"))
        self.assertEqual(done.returncode, 0)

    def test_elf_in_el3_with_all_cpus(self):
        result = run("< Tayberry\n< >\n> poweroff\n", kernel=ELF)
        self.expect(result, status=0)

    def test_ram_full_of_garbage(self):
        # From the end of the image: what the kernel must zero, and 64 MiB that it may not believe.
        start = (0x80000 + os.path.getsize(KERNEL) + 4095) & ~4095
        with tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(1 << 20) * 64)
            file.flush()
            loader = f"loader,file={file.name},addr={start:#x},force-raw=on"
            self.expect(run("< Tayberry\n< >\n> echo 4 + 4\n< 4 + 4\n> poweroff 7\n",
                            extra=["-device", loader]))

    def test_device_tree(self):
        with tempfile.NamedTemporaryFile(suffix=".dtb") as file:
            file.write(tree_with("replaced by QEMU"))
            file.flush()
            result = run("< Tayberry\n< >\n> poweroff 7\n", extra=["-dtb", file.name])
        self.expect(result)

    def test_core_reads_the_device_tree(self):
        with tempfile.NamedTemporaryFile(suffix=".dtb") as file:
            file.write(tree_with("replaced by QEMU", reserved=(0x2000000, 0x200000)))
            file.flush()
            result = run("< Tayberry\n< >\n> dmesg\n< command line: semihosting hello=world\n"
                         "< memory: \n> tags\n< reserved: 0x200000 bytes at 0x2000000\n"
                         "< reg = <0x0 0x3c000000>\n< bootargs = \"semihosting hello=world\"\n"
                         "> mem 0x2000000 16\n< error: 02000000: reserved\n> poweroff 7\n",
                         "--append", "hello=world", extra=["-dtb", file.name])
        self.expect(result)

    def test_early_input_is_not_lost(self):
        lines = "".join(f"echo {i:04} {'abcdefghijklmnopqrstuvwxyz' * 2}\n" for i in range(64))
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(lines + "poweroff 7\n")
            file.flush()
            done = subprocess.run([sys.executable, HERE / "run_qemu.py", "--kernel", KERNEL,
                                   "--input", file.name, "--timeout", "60"], capture_output=True,
                                  check=False, timeout=90)
        self.assertEqual(done.returncode, 7, done.stderr)
        said = done.stdout.decode(errors="replace").replace("\r", "").splitlines()
        for i in range(64):
            self.assertIn(f"{i:04} {'abcdefghijklmnopqrstuvwxyz' * 2}", said)

    def card(self, folder, size):
        path = pathlib.Path(folder) / "card.img"
        with open(path, "wb") as file:
            file.truncate(size)
        return str(path)

    def test_cards_by_bytes_and_by_blocks(self):
        for size, kind in ((64 << 20, "SDSC"), (4 << 30, "SDHC")):
            with self.subTest(kind), tempfile.TemporaryDirectory() as folder:
                result = run(f"< >\n> dmesg\n< ({kind}), {size // 512} sectors\n> poweroff 7\n",
                             "--card", self.card(folder, size))
                self.expect(result)

    def test_no_card_is_no_harm(self):
        self.expect(run("< >\n> pwd\n< /\n> poweroff 7\n"))

    def test_loops_without_a_call_share_the_cpu_with_the_shell(self):
        status, said, complaints = run("< >\n> spawn 2 600s --pure\n< >\n> sleep 500ms\n< >\n"
                                       "> echo 4 + 4\n< 4 + 4\n> ps\n< busy-2\n> poweroff 7\n")
        self.assertEqual((status, complaints), (7, ""), said)
        times = [float(seconds) for seconds in re.findall(r"(\d+\.\d+) .*busy-", said)]
        self.assertEqual(len(times), 2, said)
        self.assertGreater(min(times), 0.05, said)

    def test_reboot_comes_back(self):
        self.expect(run("< Tayberry\n< >\n> reboot\n< Tayberry\n< >\n> poweroff 7\n"))

    def test_status_arrives(self):
        for status in (0, 1, 255):
            self.expect(run(f"< >\n> poweroff {status}\n"), status=status)

    def await_prompt(self, process):
        said = b""
        while not said.rstrip().endswith(b">"):
            more = os.read(process.stdout.fileno(), 4096)
            self.assertTrue(more, said)
            said += more

    def test_idle_leaves_the_host_alone(self):
        process = subprocess.Popen([*QEMU, "-kernel", KERNEL],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.await_prompt(process)
            shares = []
            while len(shares) < 6 and min(shares, default=1) >= 0.05:
                before = self.cpu_seconds(process.pid)
                time.sleep(2)
                shares.append((self.cpu_seconds(process.pid) - before) / 2)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self.assertLess(min(shares), 0.05, shares)

    def test_blinking_is_seen_at_the_pin(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "monitor")
            command = [*QEMU, "-kernel", KERNEL]
            command[command.index("-monitor") + 1] = f"unix:{path},server=on,wait=off"
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                self.await_prompt(process)
                process.stdin.write(b"blink GPIO17 100ms &\n")
                process.stdin.flush()
                levels = self.watch_pin(path, 17, seconds=2.5)
            finally:
                process.kill()
                process.wait()
                process.stdin.close()
                process.stdout.close()
        changes = sum(a != b for a, b in zip(levels, levels[1:]))
        self.assertGreaterEqual(changes, 6, levels)
        self.assertLessEqual(changes, 27, levels)

    @staticmethod
    def watch_pin(monitor, pin, seconds):
        """Reads GPLEV0 through QEMU's monitor, again and again."""
        with socket.socket(socket.AF_UNIX) as connection:
            end = time.monotonic() + 20
            while True:
                try:
                    connection.connect(monitor)
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.05)
            connection.settimeout(5)
            levels, said, end = [], "", time.monotonic() + seconds
            while time.monotonic() < end:
                connection.sendall(b"xp /1wx 0x3f200034\n")
                time.sleep(0.02)
                said += connection.recv(65536).decode(errors="replace")
                *values, said = re.split(r"3f200034: 0x([0-9a-f]{8})", said)
                levels += [int(value, 16) >> pin & 1 for value in values[1::2]]
            return levels

    @staticmethod
    def cpu_seconds(pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def main():
    global KERNEL, ELF
    KERNEL, ELF = sys.argv[1:3]
    names = unittest.defaultTestLoader.getTestCaseNames(Boots)
    print(f"1..{len(names)}", flush=True)
    failed = 0
    for number, name in enumerate(names, 1):
        result = unittest.TestResult()
        Boots(name).run(result)
        good = result.wasSuccessful()
        failed += not good
        for _, text in result.failures + result.errors:
            print("".join("# " + line + "\n" for line in text.splitlines()), end="")
        claim = name.removeprefix("test_").replace("_", " ")
        print(f"{'ok' if good else 'not ok'} {number} - {claim}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
