# SPDX-License-Identifier: MIT
"""What ThreadSanitizer has reported, picked out of all that a machine says."""
import re

_REPORT = re.compile(r"^=+\nWARNING: ThreadSanitizer.*?^=+$", re.MULTILINE | re.DOTALL)


def are_in(text):
    """True if there is one, whole or not. A case of Check that ended with one has only its status.
    """
    return "ThreadSanitizer" in text or "return value 66" in text


def first(text):
    """The reports, and behind them the rest: who sees only the beginning sees what matters."""
    found = _REPORT.findall(text)
    if not found:
        return text
    return "\n".join(found + ["---- what else was said ----", _REPORT.sub("", text)])
