#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the files of --trace as trace viewers do. Prints TAP.

    traces.py SIMULATOR CARD

1. ftrace text: the head by which viewers know it, every line in the shape that they take apart
   (task-pid, CPU, flags, time, event, fields cut at spaces), times in order, each CPU's switches a
   chain, and the number of entries in the head true.
2. Chrome's JSON: one object with traceEvents; what each phase needs; slices of a track that nest;
   names for all tracks; threads that run on one CPU at a time.
3. Both tell the same run: the times in which threads ran are equal to the nanosecond.
4. So with both clocks, and with a panic at the end, which is marked.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from tap import Tap

# What Perfetto's importer of text looks for, as its source has it.
LINE = re.compile(r"^\s*(.*)-(\d+)\s+\(?\s*(?:\d+|-+)?\)?\s?\[(\d+)\]\s*"
                  r"[a-zA-Z0-9.]{0,4}\s+(\d+)\.(\d{9}):\s+(\S+):\s?(.*)$")
FIELDS = {
    "sched_switch": {"prev_comm", "prev_pid", "prev_prio", "prev_state", "next_comm", "next_pid",
                     "next_prio"},
    "sched_waking": {"comm", "pid", "prio"},
    "sched_wakeup": {"comm", "pid", "prio", "target_cpu"},
    "sched_wakeup_new": {"comm", "pid", "prio", "target_cpu"},
    "sched_migrate_task": {"comm", "pid", "prio", "orig_cpu", "dest_cpu"},
    "sched_process_fork": {"comm", "pid", "child_comm", "child_pid"},
    "sched_process_exit": {"comm", "pid", "prio"},
    "irq_handler_entry": {"irq", "name"},
    "irq_handler_exit": {"irq", "ret"},
    "contention_begin": {"lock", "class", "flags"},
    "contention_end": {"lock", "class", "flags"},
    "block_rq_issue": set(), "block_rq_complete": set(), "tracing_mark_write": set(),
}
WORK = "spawn 5 20ms &\rcat /README.TXT\rktest condition\rsleep 30ms\r"


class Text:
    """An ftrace text, taken apart; `problems` says what is not as it should be."""

    def __init__(self, path):
        self.problems, self.events, self.runs = [], [], collections.defaultdict(list)
        text = path.read_text(encoding="ascii")
        lines = text.splitlines()
        if not text.startswith("# tracer: nop\n") or not text.endswith("\n"):
            self.problems.append("not a whole file: " + text[:20])
        for line in lines:
            if not line.startswith("#"):
                self.take(line)
        told = re.search(r"^# entries-in-buffer/entries-written: (\d+)/(\d+)\s+#P:\d$", text, re.M)
        if not told or int(told.group(1)) != len(self.events):
            self.problems.append("the head tells of another number of entries")
        self.follow()

    def take(self, line):
        match = LINE.match(line)
        if not match or match.group(6) not in FIELDS:
            self.problems.append("a line that nobody reads: " + line)
            return
        fields = dict(word.split("=") for word in match.group(7).split(" ") if "=" in word and
                      word != "==>")
        if FIELDS[match.group(6)] - set(fields):
            self.problems.append("fields are missing: " + line)
        time = int(match.group(4)) * 10**9 + int(match.group(5))
        if self.events and time < self.events[-1][0]:
            self.problems.append("the time goes back: " + line)
        self.events.append((time, int(match.group(3)), match.group(6), fields, match.group(2)))

    def follow(self):
        """Each CPU's switches, as the times in which threads ran."""
        running = {}
        for time, cpu, name, fields, pid in self.events:
            if name != "sched_switch":
                continue
            since, who = running.get(cpu, (None, fields["prev_pid"]))
            if who != fields["prev_pid"] or who != pid:
                self.problems.append("CPU %d: %s leaves, but %s ran" % (cpu, fields, who))
            if since is not None and who != "0":
                self.runs[cpu].append((since, time, int(who)))
            running[cpu] = (time, fields["next_pid"])

    def count(self, name):
        return sum(1 for event in self.events if event[2] == name)


def ns(us):
    return round(us * 1000)


class Chrome:
    """The same of Chrome's JSON."""

    def __init__(self, path):
        self.problems, self.tracks = [], collections.defaultdict(list)
        self.runs, self.instants, self.requests = collections.defaultdict(list), [], []
        self.names, self.open = set(), collections.Counter()
        text = path.read_text(encoding="ascii")
        if not text.startswith('{"traceEvents":['):
            self.problems.append("viewers look for traceEvents at the start")
        self.file = json.loads(text)
        for event in self.file["traceEvents"]:
            self.take(event)
        for track in self.tracks:
            self.check_nesting(track)
            if track not in self.names:
                self.problems.append("a track without a name: %s" % (track,))
        if sum(self.open.values()):
            self.problems.append("requests that do not end: %s" % self.open)

    def take(self, event):
        track = (event["pid"], event["tid"])
        phase = event["ph"]
        if not event["name"] or (phase != "M" and event["ts"] < 0):
            self.problems.append("no name or time: %s" % event)
        if phase == "X":
            start = ns(event["ts"])
            self.tracks[track].append((start, -ns(event["dur"]), event["name"]))
            if "thread" in event.get("args", {}):
                self.runs[track[1] - 1].append(
                    (start, start + ns(event["dur"]), event["args"]["thread"]))
        elif phase == "i":
            self.instants.append(event["name"])
            if event["s"] not in "gpt":
                self.problems.append("scope of %s" % event)
        elif phase == "M":
            if event["name"] == "thread_name":
                self.names.add(track)
        elif phase in "be":
            self.open[event["cat"], event["id"]] += 1 if phase == "b" else -1
            self.requests.append(event["name"])
        else:
            self.problems.append("phase of %s" % event)

    def check_nesting(self, track):
        ends = []
        for start, minus, name in sorted(self.tracks[track]):
            while ends and ends[-1] <= start:
                ends.pop()
            if ends and start - minus > ends[-1]:
                self.problems.append("%s of track %s sticks out of what it is in at %d ns" %
                                     (name, track, start))
                return
            ends.append(start - minus)

    def count_overlaps(self):
        """Times in which a thread runs on two CPUs."""
        by_thread = collections.defaultdict(list)
        for runs in self.runs.values():
            for start, end, thread in runs:
                by_thread[thread].append((start, end))
        return sum(1 for runs in by_thread.values()
                   for (_, end), (start, _) in zip(sorted(runs), sorted(runs)[1:]) if start < end)


def record(words, name, typed, folder):
    path = folder / name
    subprocess.run([str(word) for word in words] + ["--trace", str(path)], input=typed.encode(),
                   check=False, stdout=subprocess.DEVNULL, timeout=100)
    return path


def check_pair(tap, words, folder, kind, panics=False):
    typed = WORK + ("panic\r" if panics else "poweroff\r")
    text = Text(record(words, kind + ".txt", typed, folder))
    chrome = Chrome(record(words, kind + ".json", typed, folder))
    tap.case(not text.problems, "%s: the text is ftrace's" % kind, text.problems[:5])
    tap.case(not chrome.problems, "%s: the JSON is Chrome's" % kind, chrome.problems[:5])
    tap.case(text.count("sched_switch") > 100 and text.count("irq_handler_entry") > 20 and
             text.count("block_rq_issue") == text.count("block_rq_complete") > 0 and
             text.count("sched_waking") <= text.count("sched_wakeup"),
             "%s: the text has what happened" % kind,
             collections.Counter(event[2] for event in text.events))
    tap.case(chrome.count_overlaps() == 0 and chrome.requests and "woken" in chrome.instants,
             "%s: the JSON has what happened" % kind, chrome.count_overlaps())
    tap.case(chrome.file["otherData"]["lost"] == "0", "%s: nothing was lost" % kind)
    if panics:
        tap.case(chrome.instants.count("panic") == 1 and
                 any(event[2] == "tracing_mark_write" for event in text.events[-20:]),
                 "%s: the panic is marked" % kind, chrome.instants[-5:])
    return text, chrome


def main():
    program, card = sys.argv[1:]
    words = [program, "--headless", "--read-only", "--card", card, "--timeout", "60", "--cpus", "4"]
    tap = Tap()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        virtual = words + ["--clock", "virtual", "--seed", "7"]
        text, chrome = check_pair(tap, virtual, folder, "virtual")
        # The last slices are those that the end of the run cut off.
        missing = [run for cpu in text.runs for run in text.runs[cpu] if run not in
                   chrome.runs[cpu]]
        more = sum(len(runs) for runs in chrome.runs.values()) - sum(
            len(runs) for runs in text.runs.values())
        tap.case(not missing and 0 <= more <= 4, "both tell the same run", (missing[:5], more))
        check_pair(tap, virtual, folder, "panic", panics=True)
        check_pair(tap, words + ["--clock", "real"], folder, "real")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
