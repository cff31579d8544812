#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest.py NAME [OPTION...]: inside a guest, measure one broker after the other.

Figures go to NAME.json in $KMQTT_OUT, after each of them, so that what is there
when something goes wrong stays.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time

import brokers
import sampling
from rows import GROWTH, HOLDINGS, ROWS, RULED, SCALING, TLS

GENERATOR = str(brokers.BENCH)
FILES = 1 << 18     # that a process may have open


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


def generate(broker, row, options):
    scale, extra = options.scale, options.extra
    # Beside hogs it is the broker that is to be measured: clients are elsewhere.
    command = ["chrt", "-f", "50"] if options.hogs else []
    command += [GENERATOR, *row.command(scale), *broker.generator_options(),
                "-j", "-V", "4", "--timeout", "100", *broker.cpu_options(), *extra]
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


def load_ciphers():
    """The modules that are for this CPU: elsewhere udev does that, here is none."""
    with open("/sys/devices/system/cpu/modalias") as file:
        subprocess.run(["modprobe", "-q", file.read().strip()], check=False)


def measure_rows(options, results):
    if options.tls:
        load_ciphers()
    rows = (SCALING if options.scaling else TLS if options.tls else
            RULED if options.rules else ROWS)
    for kind in brokers.WITH_OPTIONS if options.tls or options.rules else brokers.ALL:
        if options.broker and kind.name not in options.broker:
            continue
        with tempfile.TemporaryDirectory() as work:
            broker = kind(work, brokers.Certificate(work) if options.tls else None,
                          brokers.Rules(work, options.rules) if options.rules else None)
            try:
                broker.start(options.cpu)
            except brokers.Missing:
                continue
            version = broker.version()
            for row in rows:
                if options.row and row.name not in options.row or \
                        kind is brokers.Relay and not row.relay:
                    continue
                begin = time.monotonic()
                got = generate(broker, row, options)
                results.add(clock=options.clock, broker=kind.name, version=version, row=row.name,
                            cpu=options.cpu, hogs=options.hogs, got=got)
                note(f"{kind.name:10} {row.name:14} {figure(row, got)}  "
                     f"({time.monotonic() - begin:.1f} s)")
            broker.stop()


def measure_profile(options, results):
    with tempfile.TemporaryDirectory() as work:
        broker = brokers.Kmqtt(work)
        broker.start()
        for row in ROWS:
            if row.profile and (not options.row or row.name in options.row):
                share, samples, _ = sampling.shares(
                    generator([*row.command(options.scale), "-j"]), f"{work}/perf.data")
                results.add(row=row.name, samples=samples, share=share)
                note(f"{row.name:14} {samples} samples")
        broker.stop()


# ------------------------------------------------------------------ memory

def slabs():
    """Bytes of all objects of the kernel's caches, and of what vmalloc() has."""
    with open("/proc/slabinfo") as file:
        lines = [line.split() for line in file][2:]
    with open("/proc/meminfo") as file:
        kib = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return sum(int(line[1]) * int(line[3]) for line in lines) + 1024 * kib["VmallocUsed"]


def resident(pids):
    """Bytes of memory of their own."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss_Anon:"))
    return 1024 * total


def used(broker):
    """When RCU and workqueues have freed what they were about to."""
    before = None
    while True:
        now = slabs() + resident(broker.pids())
        if before is not None and abs(now - before) < 32 << 10:
            return now
        before = now
        time.sleep(1)


def hold(broker, holding, count):
    """Bytes that are in use while it is there."""
    with subprocess.Popen(
            [GENERATOR, *holding.command(count), "-h", brokers.HOST, "-p", str(brokers.PORT),
             "-V", "4", "--timeout", "300"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True) as child:
        told = ""
        for line in child.stderr:
            told += line
            if "holding" in line:
                value = used(broker)
                child.communicate()
                return value
    if child.returncode:
        raise RuntimeError(told.strip()[-300:])
    # It has left what it made with the broker.
    return used(broker)


def measure_holding(broker, holding):
    """Bytes for one of them, beyond those that are there for all."""
    few = holding.count // 10
    some = hold(broker, holding, few)
    if not holding.leaves:
        return (hold(broker, holding, holding.count) - some) / (holding.count - few)
    return (hold(broker, holding, holding.count) - some) / holding.count


def measure_memory(options, results):
    for kind in brokers.ALL:
        if options.broker and kind.name not in options.broker:
            continue
        for holding in HOLDINGS:
            if kind is brokers.Relay and not holding.relay or \
                    holding.brokers and kind.name not in holding.brokers:
                continue
            with tempfile.TemporaryDirectory() as work:
                broker = kind(work)
                try:
                    broker.start()
                except brokers.Missing:
                    break
                try:
                    got = measure_holding(broker, holding)
                    note(f"{kind.name:10} {holding.name:14} {got:.0f} bytes")
                except RuntimeError as err:
                    got = None
                    note(f"{kind.name:10} {holding.name:14} {err}")
                broker.stop()
            results.add(broker=kind.name, version=broker.version(), holding=holding.name,
                        count=holding.count, bytes=got)


# ------------------------------------------------------------------ growth

TOO_LONG = 60       # seconds of the guest, or billions of instructions


def generator(args):
    return [GENERATOR, *args, "-h", brokers.HOST, "-p", str(brokers.PORT), "-V", "4",
            "--timeout", "600"]


@contextlib.contextmanager
def held(growth, size):
    """Something is there for as long as this lasts."""
    if not growth.holder:
        yield
        return
    with subprocess.Popen(generator(growth.holder_command(size)), stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        told = ""
        watchdog = threading.Timer(TOO_LONG, child.kill)
        watchdog.start()
        for line in child.stderr:
            told += line
            if "holding" in line:
                break
        watchdog.cancel()
        # Sessions stay without anybody who holds them.
        if "holding" not in told and child.wait():
            raise RuntimeError(told.strip()[-300:] or "takes too long")
        yield
        child.communicate()


def grow(growth, size):
    with held(growth, size):
        try:
            got = subprocess.run(generator([*growth.command(size), "-j"]), capture_output=True,
                                 text=True, check=False, timeout=TOO_LONG)
        except subprocess.TimeoutExpired as err:
            raise RuntimeError("takes too long") from err
    if got.returncode:
        raise RuntimeError(got.stderr.strip()[-300:] or f"status {got.returncode}")
    return json.loads(got.stdout)


def measure_growth(options, results):
    for kind in brokers.ALL:
        if options.broker and kind.name not in options.broker or kind is brokers.Relay:
            continue
        for growth in GROWTH:
            if options.row and growth.name not in options.row:
                continue
            for size in growth.sizes:
                if options.largest and size > options.largest:
                    continue
                with tempfile.TemporaryDirectory() as work:
                    broker = kind(work)
                    try:
                        broker.start()
                    except brokers.Missing:
                        break
                    begin = time.monotonic()
                    try:
                        got = grow(growth, size)
                        text = f"{growth.figure(got):.2f} us"
                    except RuntimeError as err:
                        got = {"error": str(err)}
                        text = str(err)
                    results.add(broker=kind.name, version=broker.version(), growth=growth.name,
                                size=size, got=got)
                    note(f"{kind.name:10} {growth.name:10} {size:8} {text}  "
                         f"({time.monotonic() - begin:.1f} s)")
                    broker.stop()
                if got.get("error"):
                    break       # more of them would take longer still


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--clock", choices=("instructions", "wall"), default="wall")
    parser.add_argument("--broker", action="append", default=[])
    parser.add_argument("--row", action="append", default=[])
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--cpu", type=int, help="pin the broker")
    parser.add_argument("--hogs", type=int, default=0, help="stress-ng hogs beside it")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--scaling", action="store_true",
                        help="the rows that tell what a second CPU is good for")
    parser.add_argument("--tls", action="store_true", help="the rows that are for TLS, with TLS")
    parser.add_argument("--rules", type=int, default=0,
                        help="the rows that are for it, with so many access rules")
    parser.add_argument("--growth", action="store_true",
                        help="measure what things cost while there are more of others")
    parser.add_argument("--profile", action="store_true",
                        help="sample where instructions go, for kmqtt")
    parser.add_argument("--largest", type=int, help="no larger numbers of others")
    parser.add_argument("extra", nargs="*", help="more options of the generator")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    results = Results(f"{os.environ['KMQTT_OUT']}/{options.name}.json")
    if options.memory:
        measure_memory(options, results)
        return 0
    if options.profile:
        measure_profile(options, results)
        return 0
    if options.growth:
        measure_growth(options, results)
        return 0
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
