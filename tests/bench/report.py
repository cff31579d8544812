#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py: make Documentation/performance.rst of what `run full` has measured."""

import collections
import json
import re
import subprocess
import sys
from pathlib import Path

from rows import GROWTH, HOLDINGS, ROWS, RULED, SCALING, TLS

TOP = Path(__file__).resolve().parent.parent.parent
BENCH = TOP / "build/bench"
DOC = TOP / "Documentation"
PLOT = "performance-instructions.svg"

# Not a broker: parses nothing, and so is no rival.
FLOOR = "relay"
OURS = "kmqtt"
# Half of what it takes is the goal with TLS.
RIVAL = "mosquitto"

# Instructions below which a function is not worth a line.
PROFILE_LEAST = 30

HEAD = """\
.. SPDX-License-Identifier: GPL-2.0
.. Made by tests/bench/report.py of what ``make bench`` has measured.

===========
Performance
===========

``make bench`` measures kmqtt and other brokers in the same virtual machine, one
after the other, with ``kmqtt-bench`` (see kmqtt-bench(1)) in the same machine:
what the load generator and TCP cost is part of every figure. Messages have 64
bytes if nothing else is said, clients speak MQTT 3.1.1, TCP_NODELAY is on
everywhere, queues have no limits. ``make bench-quick`` takes the first table for
two brokers only.

``{floor}`` is no broker: a process that reads, and writes the same bytes to each
subscriber, and parses nothing. It is the floor of what a process can do.

Brokers: {versions}.

Instructions
============

On one CPU whose clock counts instructions, one for each nanosecond: the figures
are thousands of instructions, don't depend on the machine that runs the test,
and repeat within some percent. They say nothing of caches or of waiting. An
instruction that repeats itself counts as often as it does. The goals were set
where the relay took 38 for the first row and 18 for the fourth.

{instructions}

.. image:: {plot}

What kmqtt's figures consist of, in instructions for each message, by sampling
a longer run of the same; small helpers of the kernel, such as memcpy() and
kmalloc(), count for who calls them. {least} and more in one of the rows are told.

{profile}

Growth
======

What one thing costs while there are more and more of others, in thousand
instructions, load generator included. The first four columns are for so many
others, or levels; the last one says how much more the largest costs than the
smallest.

{growth}

Time
====

Two virtual CPUs, interpreted: microseconds here are many times those of a real
machine; what can be compared are the columns with each other. Of each process
the better figure of two runs counts, one of them with the broker on a CPU of its
own.

{wall}

CPU time of the broker for each message, in microseconds: of its processes, or
for kmqtt of its kernel threads. What kmqtt does in softirq is done in the time
of whoever sends, and is part of the figures above.

{cpu}

TLS
===

TLS 1.3 with AES-128-GCM on both ends: the load generator's kernel does it for its
ends, whatever the broker does for its own. In thousand instructions for each
message, as in the first table; the goal is half of {rival}'s, or less:

{tls}

Of these, the broker's own CPU time: of its processes, and for kmqtt of its kernel
threads, which do here what softirq does without TLS. ``kmqttd`` is one of the
processes.

{tls_cpu}

In microseconds on two virtual CPUs, as under Time, with the same goal, and the CPU
time of the broker:

{tls_wall}

{tls_wall_cpu}

What TLS adds to the round trip of one pair, p50:

{tls_added}

Access rules
============

Thousand instructions for each message, measured as in the first table, without rules
and with an ``acl_file`` of 100, the last of which is the one that allows it.

{rules}

A second CPU
============

Microseconds for each delivered message with one and with two CPUs, which the
load generator shares with the broker, and how many times as fast that is.

{scaling}

Latency beside hogs
===================

The round trip of one pair, in microseconds, with two processes that compute
without end on both CPUs. The load generator, which stands for clients elsewhere,
runs with real-time priority. Where it waits for a time instead of an answer, it
is the emulated timer that wakes it up, itself beside two busy CPUs: how late it
was to send is in the last columns and is part of the others.

{hogs}

Memory
======

Bytes for each, of the kernel's slab caches and of what processes have for
themselves; the load generator's own are left out, its ends of the connections
are not.

{memory}
"""


# The guests that a section is made of. Where one of them has measured nothing, the
# section stays as it was.
GUESTS = {
    "Performance": ("instructions",),
    "Instructions": ("instructions", "profile"),
    "Growth": ("growth",),
    "Time": ("wall", "pinned"),
    "TLS": ("instructions", "wall", "tls", "tls-wall"),
    "Access rules": ("instructions", "rules"),
    "A second CPU": ("scaling1", "scaling2"),
    "Latency beside hogs": ("hogs",),
    "Memory": ("memory",),
}


def load(name):
    path = BENCH / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else []


def table(header, lines):
    """A simple table of reStructuredText."""
    lines = [[str(cell) for cell in line] for line in lines]
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    rule = "  ".join("=" * width for width in widths)

    def row(cells):
        return "  ".join([cells[0].ljust(widths[0]),
                          *(c.rjust(w) for c, w in zip(cells[1:], widths[1:]))]).rstrip()
    return "\n".join([rule, row(header), rule, *map(row, lines), rule])


def value_of(row, got):
    """In µs, or None."""
    if got.get("error"):
        return None
    return got["latency_us"]["p50"] if row.figure == "p50" else got["ns_per_message"] / 1000


def time_of(_row, got):
    """In µs, or None."""
    return None if got.get("error") else got["ns_per_message"] / 1000


def show(value):
    if value is None:
        return "-"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def brokers_of(figures):
    return list(dict.fromkeys(f["broker"] for f in figures))


def best(figures, row, broker, value):
    """The least of all runs, or None."""
    values = [value(row, f["got"]) for f in figures
              if f["broker"] == broker and f["row"] == row.name]
    values = [v for v in values if v is not None]
    return min(values) if values else None


def goal_of(row, _got):
    return show(row.goal)


def half_of_rival(_row, got):
    if not got.get(OURS) or not got.get(RIVAL):
        return "-"
    return "met" if got[OURS] <= got[RIVAL] / 2 else "missed"


def compare(figures, value=value_of, rows=ROWS, goal=None):
    """A line for each row, a column for each broker, and who is how much faster."""
    names = brokers_of(figures)
    peers = [n for n in names if n not in (FLOOR, OURS)]
    lines = []
    for row in rows:
        got = {name: best(figures, row, name, value) for name in names}
        if not any(got.values()):
            continue
        rival = min((got[p] for p in peers if got[p]), default=None)
        ratio = f"{rival / got[OURS]:.1f}" if rival and got.get(OURS) else "-"
        lines.append([row.text, *(show(got[n]) for n in names),
                      *([goal(row, got)] if goal else []), ratio])
    return table(["", *names, *(["goal"] if goal else []), "best peer / kmqtt"], lines)


def cpu_of(_row, got):
    """µs of CPU time for each message; of a process with its children."""
    if got.get("error") or not got.get("delivered"):
        return None
    cpu = got["cpu_seconds"]
    spent = sum(p["user"] + p["system"] for p in cpu["processes"])
    spent += cpu.get("kworkers", 0)
    return 1e6 * spent / got["delivered"]


def added(what, *comparisons):
    """A line for each (text, row, figures without, figures with) and broker: what is added."""
    lines = []
    for text, row, plain, more in comparisons:
        for name in brokers_of(more):
            before, after = (best(figures, row, name, value_of) for figures in (plain, more))
            if before and after:
                lines.append([text, name, show(before), show(after), f"{after - before:.2f}"])
    return table(["", "broker", "without", f"with {what}", "added"], lines)


def percentiles(figures):
    lines = []
    for row in ROWS:
        for f in figures:
            if f["row"] == row.name and not f["got"].get("error"):
                latency, late = f["got"]["latency_us"], f["got"].get("late_us")
                lines.append([row.text, f["broker"],
                              *(show(latency[p]) for p in ("p50", "p99", "p99.9", "max")),
                              *(show(late[p]) if late else "" for p in ("p50", "p99.9"))])
    return table(["", "broker", "p50", "p99", "p99.9", "max", "late p50", "late p99.9"], lines)


def profile(figures, instructions):
    """A line for each function, a column for each row that was sampled."""
    columns = {}
    for f in figures:
        row = next(r for r in ROWS if r.name == f["row"])
        whole = best(instructions, row, OURS, value_of)
        if whole:
            columns[f["row"]] = {n: 1000 * whole * share for n, share in f["share"].items()}
    if not columns:
        return "Not measured."
    most = collections.Counter()
    for got in columns.values():
        for name, value in got.items():
            most[name] = max(most[name], value)
    lines = [[name, *(f"{got.get(name, 0):.0f}" for got in columns.values())]
             for name, value in most.most_common() if value >= PROFILE_LEAST]
    lines.append(["all", *(f"{sum(got.values()):.0f}" for got in columns.values())])
    return table(["", *columns], lines)


def growth(figures):
    """A line for each kind of thing and broker, a column for each number of others."""
    lines = []
    for kind in GROWTH:
        for name in brokers_of(figures):
            got = {f["size"]: kind.figure(f["got"]) for f in figures
                   if f["growth"] == kind.name and f["broker"] == name}
            if not got:
                continue
            values = [got.get(size) for size in kind.sizes]
            known = [v for v in values if v]
            lines.append([f"{kind.text} ({', '.join(map(str, kind.sizes))})", name,
                          *map(show, values), *[""] * (4 - len(values)),
                          f"{known[-1] / known[0]:.2f}" if known else "-"])
    return table(["", "broker", "1st", "2nd", "3rd", "4th", "ratio"], lines)


def scaling(one, two):
    lines = []
    for row in SCALING:
        for name in brokers_of(one):
            values = [best(figures, row, name, time_of) for figures in (one, two)]
            if all(values):
                lines.append([row.text, name, *map(show, values), f"{values[0] / values[1]:.2f}"])
    return table(["", "broker", "1 CPU", "2 CPUs", "ratio"], lines)


def memory(figures):
    names = brokers_of(figures)
    if not names:
        return "Not measured."
    lines = []
    for holding in HOLDINGS:
        got = {f["broker"]: f["bytes"] for f in figures if f["holding"] == holding.name}
        lines.append([holding.text, *(f"{got[n]:.0f}" if got.get(n) is not None else "-"
                                      for n in names)])
    return table(["", *names], lines)


def plot(figures):
    """Bars for each row and broker."""
    names = brokers_of(figures)
    data = ["row " + " ".join(names)]
    for row in ROWS:
        values = [best(figures, row, name, value_of) for name in names]
        data.append(f'"{row.name}" ' + " ".join(f"{v:.3f}" if v else "?" for v in values))
    (BENCH / "plot.data").write_text("\n".join(data) + "\n")
    columns = ", ".join(f"'{BENCH}/plot.data' using {i + 2}:xtic(1) title '{name}'"
                        for i, name in enumerate(names))
    subprocess.run(["gnuplot"], text=True, check=True, input=f"""
set terminal svg size 1000,480 font 'sans-serif,12' background 'white'
set output '{DOC / PLOT}'
set style data histograms
set style fill solid 0.8 border -1
set datafile missing '?'
set logscale y
set grid ytics
set ylabel 'thousand instructions for each delivered message'
set xtics rotate by -30
set key outside right
plot {columns}
""")


def sections(text):
    """Parts of a document by their titles, which they begin with."""
    parts = re.split(r"^(?=.+\n=+$)", text, flags=re.M)
    return {part.partition("\n")[0]: part for part in parts}


def write(text):
    """The document, with all that is new."""
    path = DOC / "performance.rst"
    old = sections(path.read_text()) if path.exists() else {}
    with path.open("w") as file:
        for title, part in sections(text).items():
            missing = [name for name in GUESTS.get(title, ()) if not load(name)]
            if missing:
                print(f"report: {title} stays as it was, without {', '.join(missing)}")
                part = old.get(title, "")
            file.write(part)


def main():
    instructions = load("instructions")
    if not any(BENCH.glob("*.json")):
        sys.exit("report: nothing in build/bench: `tests/bench/run full` comes first")
    wall = load("wall") + load("pinned")
    tls, tls_wall = load("tls"), load("tls-wall")
    pair = next(row for row in TLS if row.figure == "p50")
    rules = load("rules")
    versions = {f["broker"]: f["version"] for f in instructions if f["version"]}
    write(HEAD.format(
        floor=FLOOR, rival=RIVAL, plot=PLOT,
        instructions=compare(instructions, goal=goal_of), wall=compare(wall),
        cpu=compare(wall, cpu_of), hogs=percentiles(load("hogs")), memory=memory(load("memory")),
        growth=growth(load("growth")), least=PROFILE_LEAST,
        profile=profile(load("profile"), instructions),
        scaling=scaling(load("scaling1"), load("scaling2")),
        tls=compare(tls, goal=half_of_rival), tls_cpu=compare(tls, cpu_of),
        tls_wall=compare(tls_wall, goal=half_of_rival),
        tls_wall_cpu=compare(tls_wall, cpu_of),
        tls_added=added("TLS", ("thousand instructions", pair, instructions, tls),
                        ("microseconds", pair, wall, tls_wall)),
        rules=added("rules", *((row.text, row, instructions, rules) for row in RULED)),
        versions=", ".join(f"{name} {version}" for name, version in versions.items())))
    if instructions:
        plot(instructions)
    print(f"report: {DOC / 'performance.rst'}")


main()
