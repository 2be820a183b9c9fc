# SPDX-License-Identifier: MIT
"""What the lint tools share: which files the tree has, how C text is read, how findings are told.

Reading C here means: comments and the insides of literals become blanks, so that what is left can
be searched and its braces counted, with every line where it was. There is no preprocessing: the
code that is judged is the code that people read.
"""
import os
import pathlib
import re
import subprocess
import sys

SKIPPED = ("subprojects", ".git")


class Findings:
    """Collects 'file:line: message' and ends the program: status 1 when there are any."""

    def __init__(self, tool):
        self.tool, self.lines = tool, []

    def add(self, path, line, message):
        self.lines.append("%s:%d: %s" % (path, line, message))

    def finish(self, checked, what):
        for line in self.lines:
            print(line)
        print("%s: %d %s checked, %d wrong" % (self.tool, checked, what, len(self.lines)))
        if not checked:
            print("%s: nothing to check: is this the right directory?" % self.tool)
        sys.exit(1 if self.lines or not checked else 0)


def tree_files(root):
    """All files of the tree as paths relative to its root, sorted: those that git knows or would
    take, or all files when it is no checkout (a release archive, a tree made for a test)."""
    root = pathlib.Path(root)
    if (root / ".git").exists():
        done = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
                               "--exclude-standard"], stdout=subprocess.PIPE, check=False)
        if done.returncode == 0:
            names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
            return sorted(n for n in set(names) if n and not n.startswith(SKIPPED)
                          and (root / n).is_file())
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED and not f.startswith("build")]
        found += [str((pathlib.Path(folder) / n).relative_to(root)) for n in names]
    return sorted(found)


def c_files(root, suffixes=(".c", ".h")):
    return [name for name in tree_files(root) if name.endswith(suffixes)]


def read(root, name):
    return (pathlib.Path(root) / name).read_text(encoding="utf-8", errors="replace")


_TOKENS = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z))"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.DOTALL)


def blank(text):
    """Keeps the line ends of a piece of text and turns all else into spaces."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(source, literals=False):
    """The source with its comments blanked, and unless `literals`, the insides of its literals."""
    def replace(match):
        piece = match.group(0)
        if match.lastgroup == "comment":
            return blank(piece)
        return piece if literals else piece[0] + blank(piece[1:-1]) + piece[-1]
    return _TOKENS.sub(replace, source)


_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)


def code_only(source):
    """The source without comments, insides of literals and preprocessor lines."""
    return _DIRECTIVE.sub(lambda match: blank(match.group(0)), without_comments(source))


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def includes(source):
    """(line, '<' or '"', name) for each #include of a source."""
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]',
                             without_comments(source, literals=True), re.MULTILINE):
        yield line_of(source, match.start(1)), match.group(1), match.group(2)


class Function:
    """A function definition: its name, the line of its signature, and how many lines it takes."""

    def __init__(self, name, line, lines):
        self.name, self.line, self.lines = name, line, lines


def _function_name(head):
    """The name of the function that this text before a '{' declares, or None."""
    text = re.sub(r"\b__(?:attribute|asm|extension)__\b\s*(?:\(\([^()]*(?:\([^()]*\)[^()]*)*\)\))?",
                  " ", head)
    if "(" not in text or re.match(r"\s*typedef\b", text):
        return None
    depth = 0
    for char in text:                               # an '=' outside parentheses: an initialiser
        depth += (char == "(") - (char == ")")
        if char == "=" and depth == 0:
            return None
    for match in re.finditer(r"([A-Za-z_]\w*)\s*\(", text):
        name = match.group(1)
        if name in ("_Alignas", "alignas", "_Static_assert", "static_assert"):
            continue
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", name):  # a macro: START_TEST(name), HAL_FORMAT(1, 2)
            inner = re.match(r"\s*([A-Za-z_]\w*)", text[match.end():])
            if re.search(r"[A-Za-z_]\w*\s*\(", text[match.end():]) or not inner:
                continue
            return inner.group(1)
        return name
    return None


def functions(source):
    """The functions of a C source, and whether its braces balance: (list, bool)."""
    text = code_only(source)
    found, depth, head_at, opened = [], 0, 0, None
    for match in re.finditer(r"[{};]", text):
        char, at = match.group(0), match.start()
        if char == "{":
            if depth == 0:
                head = text[head_at:at]
                lead = len(head) - len(head.lstrip())
                # A macro call such as END_TEST may stand alone on the lines before.
                skip = re.match(r"(?:\s*(?:END_TEST|[A-Z_]+\([^()]*\)(?=\s*\n\s*\n)))*\s*", head)
                opened = (_function_name(head[skip.end():]),
                          line_of(text, head_at + max(lead, skip.end())))
            depth += 1
        elif char == "}":
            depth -= 1
            if depth < 0:
                return found, False
            if depth == 0:
                name, line = opened
                if name:
                    found.append(Function(name, line, line_of(text, at) - line + 1))
                    head_at = at + 1
        elif depth == 0:
            head_at = at + 1
    return found, depth == 0


def count_code_lines(source):
    """Lines that hold something other than comment and blank."""
    return sum(1 for line in without_comments(source).splitlines() if line.strip())
