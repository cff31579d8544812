#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest.py NAME [OPTION...]: inside a guest, measure one broker after the other.

Figures go to NAME.json in $KMQTT_OUT, after each of them, so that what is there
when something goes wrong stays.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import brokers
from rows import ROWS

GENERATOR = str(brokers.BENCH)


def note(text):
    print(f"bench: {text}", flush=True)


class Results:
    """A list of figures in a file."""

    def __init__(self, path):
        self.path, self.figures = path, []

    def add(self, **figure):
        self.figures.append(figure)
        with open(self.path + ".new", "w") as file:
            json.dump(self.figures, file, indent=1)
        os.replace(self.path + ".new", self.path)


def generate(broker, row, scale, extra):
    command = [GENERATOR, *row.command(scale), "-h", brokers.HOST, "-p", str(brokers.PORT),
               "-j", "-V", "4", "--timeout", "300", *broker.cpu_options(), *extra]
    got = subprocess.run(command, capture_output=True, text=True, check=False)
    if got.returncode:
        return {"error": got.stderr.strip()[-300:] or f"status {got.returncode}"}
    return json.loads(got.stdout)


def figure(row, got):
    """In µs."""
    if got.get("error"):
        return got["error"]
    value = got["latency_us"]["p50"] if row.figure == "p50" else got["ns_per_message"] / 1000
    return f"{value:.2f} us"


def measure_rows(options, results):
    for kind in brokers.ALL:
        if options.broker and kind.name not in options.broker:
            continue
        with tempfile.TemporaryDirectory() as work:
            broker = kind(work)
            try:
                broker.start(options.cpu)
            except brokers.Missing:
                continue
            version = broker.version()
            for row in ROWS:
                if options.row and row.name not in options.row or \
                        kind is brokers.Relay and not row.relay:
                    continue
                begin = time.monotonic()
                got = generate(broker, row, options.scale, options.extra)
                results.add(clock=options.clock, broker=kind.name, version=version, row=row.name,
                            cpu=options.cpu, hogs=options.hogs, got=got)
                note(f"{kind.name:10} {row.name:14} {figure(row, got)}  "
                     f"({time.monotonic() - begin:.1f} s)")
            broker.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--clock", choices=("instructions", "wall"), default="wall")
    parser.add_argument("--broker", action="append", default=[])
    parser.add_argument("--row", action="append", default=[])
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--cpu", type=int, help="pin the broker")
    parser.add_argument("--hogs", type=int, default=0, help="stress-ng hogs beside it")
    parser.add_argument("extra", nargs="*", help="more options of the generator")
    options = parser.parse_args()
    results = Results(f"{os.environ['KMQTT_OUT']}/{options.name}.json")
    hogs = options.hogs and subprocess.Popen(
        ["stress-ng", "--cpu", str(options.hogs), "--quiet"], stdin=subprocess.DEVNULL)
    try:
        measure_rows(options, results)
    finally:
        if hogs:
            hogs.terminate()
            hogs.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
