# SPDX-License-Identifier: MIT
"""The Test Anything Protocol, as the tests of this folder speak it."""


class Tap:
    """Prints a case a line, with what explains a failure below it."""

    def __init__(self):
        self.count, self.bad = 0, 0

    def case(self, good, name, detail=""):
        self.count += 1
        self.bad += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, name))
        for line in str(detail).splitlines() if not good else []:
            print("# " + line)

    def skip(self, name, tool):
        self.count += 1
        print("ok %d - %s # SKIP %s is not installed" % (self.count, name, tool))

    def end(self):
        print("1..%d" % self.count)
        return 1 if self.bad else 0
