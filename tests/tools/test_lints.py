#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The lint tools see what they are there to see.

For each tool: it passes on a small good tree, and fails, at the right file and line and with the
rule in its message, on a tree with one thing wrong.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SPDX = "/* SPDX-License-Identifier: MIT */\n"

GOOD = {
    "hal/include/hal/cpu.h": SPDX + "#pragma once\n#include <stdint.h>\nuint32_t hal_cpu(void);\n",
    "hal-sim/include/machine/hal/machine.h": SPDX + "#pragma once\n#define HAL_PAGE 4096\n",
    "hal-pi3/include/machine/hal/machine.h": SPDX + "#pragma once\n#define HAL_PAGE 4096\n",
    "hal-sim/include/tayberry.h": SPDX + "#pragma once\n#include <stddef.h>\nsize_t t(void);\n",
    "core/fs/vfs.h": SPDX + "#pragma once\n#include <hal/cpu.h>\nint vfs_open(uint32_t n);\n",
    "core/fs/vfs.c": SPDX + '#include "fs/vfs.h"\n\n#include <hal/machine.h>\n\n'
                     "int vfs_open(uint32_t n)\n{\n    return (int)n;\n}\n",
    "hal-pi3/gpio.c": SPDX + "#include <hal/cpu.h>\n",
    "hal-sim/machine.c": SPDX + "#include <string.h>\n#include <hal/cpu.h>\n",
    "hal-sim/host/tty.c": SPDX + "#include <termios.h>\n#include <hal/cpu.h>\n",
    "hal-sim/program/main.c": SPDX + "#include <unistd.h>\n#include <tayberry.h>\n",
    "sim-gui/window.c": SPDX + "#include <SDL.h>\n#include <tayberry.h>\n",
    "tests/unit/test_vfs.c": SPDX + '#include "fs/vfs.h"\n#include <check.h>\n',
}


class LintTest(unittest.TestCase):
    """Makes the good tree, changed by each test, and runs a tool on it."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="lints.")
        self.root = pathlib.Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)
        for name, text in GOOD.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_tool(self, tool, *words):
        done = subprocess.run([sys.executable, HERE / tool] + [str(word) for word in words],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode()

    def passes(self, tool, *words):
        status, output = self.run_tool(tool, *words)
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"[1-9]\d* [a-z ]+ checked, 0 wrong")

    def fails(self, message, tool, *words):
        status, output = self.run_tool(tool, *words)
        self.assertEqual(status, 1, output)
        self.assertIn(message, output)

    def compiled(self, source, name="module_part.o"):
        (self.root / "objects").mkdir(exist_ok=True)
        subprocess.run(["cc", "-w", "-fPIC", "-fno-common", "-c", "-x", "c", "-o",
                        self.root / "objects" / name, "-"], input=source.encode(), check=True)
        archive = self.root / "libcore.a"
        archive.unlink(missing_ok=True)
        subprocess.run(["ar", "csrDT", archive, "objects/" + name], cwd=self.root, check=True)
        return archive


class Includes(LintTest):
    def check(self, path, include, message):
        self.write(path, SPDX + include + "\n")
        self.fails("%s:2: %s" % (path, message), "lint_includes.py", "--root", self.root)

    def test_includes_pass_on_a_good_tree(self):
        self.passes("lint_includes.py", "--root", self.root)

    def test_includes_fail_when_core_includes_libc(self):
        self.check("core/fs/bad.c", "#include <string.h>", "<string.h>: core/ sees itself")

    def test_includes_fail_when_core_reaches_into_a_backend(self):
        self.check("core/fs/bad.c", '#include "../../hal-sim/include/tayberry.h"',
                   '"../../hal-sim/include/tayberry.h" is hal-sim/include/tayberry.h')

    def test_includes_fail_when_core_includes_the_public_header(self):
        self.check("core/fs/bad.c", "#include <tayberry.h>", '"tayberry.h" is hal-sim/include')

    def test_includes_fail_when_a_backend_includes_core(self):
        for path in ("hal-pi3/bad.c", "hal-sim/bad.c", "hal-sim/host/bad.c"):
            self.check(path, '#include "fs/vfs.h"', '"fs/vfs.h" is core/fs/vfs.h')
            (self.root / path).unlink()

    def test_includes_fail_when_hal_includes_anything_of_a_host(self):
        self.check("hal/include/hal/bad.h", "#include <stdio.h>", "<stdio.h>: hal/ sees itself")

    def test_includes_fail_on_posix_outside_host(self):
        self.check("hal-sim/bad.c", "#include <unistd.h>", "<unistd.h>: hal-sim/ outside host/")

    def test_includes_fail_on_sdl_outside_the_window(self):
        for path in ("hal-sim/host/bad.c", "hal-sim/program/bad.c", "tests/os/bad.c"):
            self.check(path, "#include <SDL2/SDL.h>", "<SDL2/SDL.h> belongs to sim-gui/")
            (self.root / path).unlink()

    def test_includes_fail_when_the_window_sees_the_hal_or_core(self):
        self.check("sim-gui/bad.c", "#include <hal/cpu.h>", '"hal/cpu.h" is hal/include/hal/cpu.h')
        (self.root / "sim-gui/bad.c").unlink()
        self.check("sim-gui/bad.c", '#include "fs/vfs.h"', '"fs/vfs.h" is core/fs/vfs.h')

    def test_includes_fail_when_whole_system_tests_look_inside(self):
        for path in ("tests/os/bad.c", "tests/sim/bad.c"):
            self.check(path, '#include "fs/vfs.h"', '"fs/vfs.h" is core/fs/vfs.h')
            (self.root / path).unlink()

    def test_includes_ignore_comments(self):
        self.write("core/fs/good.c", SPDX + "/*\n#include <stdio.h>\n*/\n// #include <stdio.h>\n")
        self.passes("lint_includes.py", "--root", self.root)


class Budgets(LintTest):
    def run_budgets(self, message, exceptions=""):
        self.write("exceptions.txt", exceptions)
        words = ("lint_budgets.py", "--root", self.root, "--exceptions",
                 self.root / "exceptions.txt")
        if message is None:
            self.passes(*words)
        else:
            self.fails(message, *words)

    @staticmethod
    def function(name, lines):
        return "int %s(void)\n{\n%s    return 0;\n}\n" % (name, "    f();\n" * (lines - 4))

    def test_budgets_pass_on_a_good_tree(self):
        self.run_budgets(None)

    def test_budgets_fail_on_a_function_of_81_lines_and_not_of_80(self):
        self.write("hal-sim/long.c", SPDX + self.function("fits", 80))
        self.run_budgets(None)
        self.write("hal-sim/long.c", SPDX + "\n" + self.function("breaks", 81))
        self.run_budgets("hal-sim/long.c:3: breaks has 81 lines")

    def test_budgets_are_not_fooled_by_braces_in_text(self):
        body = 'int f(void)\n{\n    g("}", \'{\', "\\"}"); /* } */ // }\n%s    return 0;\n}\n'
        self.write("hal-sim/long.c", SPDX + body % ("    f();\n" * 90))
        self.run_budgets("hal-sim/long.c:2: f has 95 lines")

    def test_budgets_count_no_tables_and_structs_as_functions(self):
        rows = "    { 1, (2) },\n" * 100
        self.write("hal-sim/table.c", SPDX + "static const struct p t[] = {\n%s};\n" % rows
                   + "struct q {\n%s};\nenum e {\n%s};\n" % ("    int (*a)(int);\n" * 90,
                                                            "    A(1),\n" * 90))
        self.run_budgets(None)

    def test_budgets_see_attributes_macros_and_check_tests(self):
        lines = "    f();\n" * 90
        for head, name in (("HAL_FORMAT(1, 2) void klog(const char *f, ...)", "klog"),
                           ("__attribute__((noreturn)) static void stop(int (*f)(void))", "stop"),
                           ("START_TEST(adds_up)", "adds_up"),
                           ("static struct thread *\nthread_next(struct thread *t)",
                            "thread_next")):
            self.write("hal-sim/long.c", SPDX + "%s\n{\n%s}\n" % (head, lines))
            self.run_budgets("hal-sim/long.c:2: %s has " % name)

    def test_budgets_fail_on_a_file_of_701_lines_and_a_header_of_251(self):
        self.write("hal-sim/long.c", SPDX + "int a;\n" * 700)
        self.run_budgets("hal-sim/long.c:701: 701 lines, 700 at most")
        self.write("hal-sim/long.c", SPDX)
        self.write("hal-sim/long.h", SPDX + "\n" * 250)
        self.run_budgets("hal-sim/long.h:251: 251 lines, 250 at most")

    def test_budgets_fail_on_a_line_of_101_columns_counted_in_characters(self):
        self.write("hal-sim/wide.c", SPDX + "// " + "ä" * 97 + "\n")
        self.run_budgets(None)
        self.write("hal-sim/wide.c", SPDX + "// " + "x" * 98 + "\n")
        self.run_budgets("hal-sim/wide.c:2: 101 columns")

    def test_budgets_fail_on_conditional_compilation_in_core_and_hal_only(self):
        self.write("hal-sim/if.c", SPDX + "#ifdef X\n#endif\n")
        self.run_budgets(None)
        for path in ("core/fs/if.c", "hal/include/hal/if.h"):
            self.write(path, SPDX + "/*\n#if 1 */\n  #  ifndef X\n#endif\n")
            self.run_budgets("%s:4: #ifndef" % path)
            (self.root / path).unlink()

    def test_budgets_fail_when_half_of_the_functions_are_long(self):
        names = ["f%d" % number for number in range(20)]
        self.write("hal-sim/mix.c", SPDX + "".join(self.function(n, 10) for n in names[:11])
                   + "".join(self.function(n, 30) for n in names[11:]))
        self.run_budgets(None)
        self.write("hal-sim/mix.c", SPDX + "".join(self.function(n, 10) for n in names[:9])
                   + "".join(self.function(n, 30) for n in names[9:]))
        self.run_budgets("hal-sim:1: half of its functions pass")

    def test_budgets_fail_when_a_tenth_of_the_functions_is_too_long(self):
        names = ["f%d" % number for number in range(20)]
        self.write("hal-sim/mix.c", SPDX + "".join(self.function(n, 10) for n in names[:17])
                   + "".join(self.function(n, 50) for n in names[17:]))
        self.run_budgets("hal-sim:1: a tenth of its functions pass")

    def test_budgets_fail_on_a_subsystem_of_ten_files_or_too_many_lines(self):
        for number in range(8):
            self.write("core/fs/part%d.h" % number, SPDX + "#pragma once\n")
        self.run_budgets("core/fs:1: 10 files, 9 at most")
        for number in range(8):
            (self.root / ("core/fs/part%d.h" % number)).unlink()
        for number in range(3):
            self.write("core/fs/part%d.c" % number, SPDX + "extern int a;\n" * 600)
        self.run_budgets("core/fs:1: 1809 lines of code")

    def test_budgets_accept_a_named_exception_and_refuse_one_without_need(self):
        self.write("hal-sim/long.c", SPDX + self.function("table", 90))
        self.run_budgets(None, "function hal-sim/long.c:table one case a line\n")
        self.write("hal-sim/long.c", SPDX + self.function("table", 9))
        self.run_budgets("is not needed any more",
                         "function hal-sim/long.c:table one case a line\n")
        self.run_budgets("needs a rule, a path and a reason", "function hal-sim/long.c:table\n")

    def test_budgets_fail_on_an_empty_tree(self):
        with tempfile.TemporaryDirectory() as empty:
            self.fails("nothing to check", "lint_budgets.py", "--root", empty)


class Text(LintTest):
    def check(self, path, text, message):
        self.write(path, text)
        self.fails("%s:%s" % (path, message), "lint_text.py", "--root", self.root)

    def test_text_passes_on_a_good_tree(self):
        self.passes("lint_text.py", "--root", self.root)

    def test_text_fails_on_marks_of_unfinished_work(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" + "XX", "for " + "now", "place" + "holder"):
            self.check("core/fs/bad.c", SPDX + "\n// a %s here\n" % word, "3: '%s'" % word)

    def test_text_fails_without_a_licence_line(self):
        self.check("core/fs/bad.c", "int a;\n", "1: the first line is not")
        (self.root / "core/fs/bad.c").unlink()
        self.check("tests/bad.py", "#!/usr/bin/env python3\nimport sys\n", "2: this line is not")

    def test_text_fails_on_blanks_tabs_and_a_missing_newline(self):
        self.check("core/fs/bad.c", SPDX + "int a; \n", "2: blanks at the end")
        self.check("core/fs/bad.c", SPDX + "\tint a;\n", "2: a tab")
        self.check("core/fs/bad.c", SPDX + "int a;", "2: no newline")


class Headers(LintTest):
    def test_headers_pass_on_a_good_tree(self):
        self.passes("lint_headers.py", "--root", self.root)

    def test_headers_fail_when_one_needs_another_first(self):
        self.write("core/fs/bad.h", SPDX + "#pragma once\nvoid f(uint32_t n);\n")
        self.fails("core/fs/bad.h:1: does not compile alone", "lint_headers.py",
                   "--root", self.root)

    def test_headers_fail_when_one_may_not_be_included_twice(self):
        self.write("hal-sim/bad.h", SPDX + "struct x {\n    int a;\n};\n")
        self.fails("hal-sim/bad.h:1: does not compile alone", "lint_headers.py",
                   "--root", self.root)

    def test_headers_fail_when_one_needs_what_its_layer_may_not_see(self):
        self.write("hal/include/hal/bad.h", SPDX + '#pragma once\n#include "fs/vfs.h"\n')
        self.fails("hal/include/hal/bad.h:1: does not compile alone", "lint_headers.py",
                   "--root", self.root)


class Objects(LintTest):
    KSTATE = '__attribute__((section("kstate")))'

    def test_writable_passes_when_all_state_is_kstate(self):
        self.passes("lint_writable.py", self.compiled(
            "static int %s a; int *f(void) { return &a; }\n"
            'const char *const names[] = { "x", "y" }; static const int n[] = { 1 };\n'
            "const int *g(void) { return n; }\n" % self.KSTATE))

    def test_writable_fails_on_data_bss_and_thread_locals(self):
        for source, section in (("int lost = 3;", ".data"), ("int lost;", ".bss"),
                                ("static int lost; int *f(void) { return &lost; }", ".bss"),
                                ("_Thread_local int lost;", ".tbss"),
                                ('const char *lost = "x";', ".data.rel.local")):
            self.fails("module_part.o:0: ", "lint_writable.py", self.compiled(source))
            self.fails(" bytes in %s: lost" % section, "lint_writable.py", self.compiled(source))

    def test_clashes_pass_on_names_of_our_own(self):
        self.passes("lint_clashes.py", self.compiled("int thread_yield(void) { return 0; }\n"
                                                     "static int log_private;\n"
                                                     "int *f(void) { return &log_private; }"))

    def test_clashes_fail_on_a_name_of_libc(self):
        self.fails("module_part.o:0: sched_yield ", "lint_clashes.py",
                   self.compiled("int sched_yield(void) { return 0; }"))
        self.fails("module_part.o:0: strlen is also a name of libc.so.6", "lint_clashes.py",
                   self.compiled("int strlen(void) { return 0; }"))

    def test_clashes_fail_on_a_reserved_prefix(self):
        for name in ("sched_thing", "sem_thing", "log_thing", "timer_thing", "clock_thing"):
            self.fails("%s begins with a host library's prefix" % name, "lint_clashes.py",
                       self.compiled("int %s;" % name))

    def test_clashes_allow_what_is_named(self):
        archive = self.compiled("void *memcpy(void) { return 0; }")
        self.fails("memcpy is also a name of", "lint_clashes.py", archive)
        self.passes("lint_clashes.py", "--allow", "memcpy", archive)


@unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
class Format(LintTest):
    def setUp(self):
        super().setUp()
        shutil.copy(HERE.parent.parent / ".clang-format", self.root)

    def test_format_passes_on_a_good_tree(self):
        self.passes("lint_format.py", "--root", self.root)

    def test_format_fails_on_a_brace_out_of_place_and_mends_it(self):
        self.write("core/fs/bad.c", SPDX + "int f(void) {\n  return 0;\n}\n")
        self.fails("core/fs/bad.c:2:", "lint_format.py", "--root", self.root)
        self.run_tool("lint_format.py", "--root", self.root, "--fix")
        self.passes("lint_format.py", "--root", self.root)


class Tap(LintTest):
    def test_tap_counts_each_test_and_tells_failures(self):
        self.write("claims.py", "import unittest\nclass T(unittest.TestCase):\n"
                                "    def test_good_things(self): pass\n"
                                "    def test_bad_things(self): self.fail('so it is')\n"
                                "    @unittest.skip('no tool')\n"
                                "    def test_absent_things(self): pass\n")
        status, output = self.run_tool("tap_unittest.py", self.root / "claims.py")
        self.assertEqual(status, 1)
        lines = [line for line in output.splitlines() if not line.startswith("#")]
        self.assertEqual(lines, ["ok 1 - absent things # SKIP no tool", "not ok 2 - bad things",
                                 "ok 3 - good things", "1..3"])
        self.assertIn("# AssertionError: so it is", output)

    def test_tap_fails_when_there_is_nothing_to_run(self):
        self.write("claims.py", "")
        self.assertEqual(self.run_tool("tap_unittest.py", self.root / "claims.py")[0], 1)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    unittest.main()
