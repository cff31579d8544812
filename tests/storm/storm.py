#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""storm.py HOST PORT SECONDS [SEED]: clients of all versions do what comes to
their minds, while others expect the broker to keep its promises.

The same seed makes each client decide the same; what comes of it depends on
what the broker answers, and when.
"""

import asyncio
import faulthandler
import json
import multiprocessing
import os
import random
import signal
import sys
import time
import traceback

import fair
import rough
from stream import PATIENCE, end_session

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
CTL = os.environ.get("KMQTT_CTL") or f"{TOP}/build/tools/kmqttctl"
CLIENTS = 50
WORKERS = 2

# Small enough for the queues to be full now and then, and for a small machine. The
# broker tells about itself meanwhile.
LIMITS = {"max-queued-messages": 300, "max-queued-bytes": 1 << 20, "max-retained": 500,
          "max-subscriptions": 200, "sys-interval": 1}

# What an operator may look at, or do to others than the fair ones.
LOOKS = ["broker", "listener", "client", "session", "subscription", "retained", "stats"]
SWITCHES = ["bh-path", "validate-payload", "retain-available", "wildcard-available",
            "shared-available", "check-retain-source"]

FAIR = {
    "steady": (True, True),
    "with a subscriber that comes and goes": (True, False),
    "with a publisher that comes and goes": (False, True),
    "where both come and go": (False, False),
}


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


class Points:
    """Lines of KTAP."""

    def __init__(self):
        self.number = self.failed = 0

    def point(self, text, faults=()):
        self.number += 1
        for each in faults:
            note(each)
        if faults:
            self.failed += 1
        print(f"{'not ' if faults else ''}ok {self.number} - {text}", flush=True)

    def finish(self):
        print(f"1..{self.number}", flush=True)
        return 1 if self.failed else 0


class CtlError(Exception):
    """kmqttctl wasn't able to do it."""


async def ctl(*args):
    """What kmqttctl has to say."""
    child = await asyncio.create_subprocess_exec(
        CTL, "-j", *map(str, args), stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE):
        out, err = await child.communicate()
    # A list that changes while it is read may not be complete.
    if child.returncode not in (0, 4):
        raise CtlError(f"kmqttctl {args}: status {child.returncode}: {err.decode().strip()}")
    return json.loads(out) if out.strip() else None


async def put(settings):
    for name, value in settings.items():
        if isinstance(value, bool):
            value = "on" if value else "off"
        await ctl("broker", "set", name, value)


# --------------------------------------------------------------- the storm

def work(where, seed, indexes, seconds, pipe, start):
    """A process with some of the clients."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tally = rough.Tally()
    start.wait()
    try:
        tally = asyncio.run(rough.storm(where, seed, indexes, time.monotonic() + seconds))
    except BaseException:       # pylint: disable=broad-except
        tally.fault(traceback.format_exc())
    pipe.send(tally)


class Workers:
    """Processes with all of the clients."""

    def __init__(self, where, seed, seconds):
        self.children = []
        self.seconds = seconds
        self.start = multiprocessing.Event()
        for number in range(WORKERS):
            ours, theirs = multiprocessing.Pipe(duplex=False)
            child = multiprocessing.Process(
                target=work, daemon=True,
                args=(where, seed, range(number, CLIENTS, WORKERS), seconds, theirs, self.start))
            child.start()
            theirs.close()
            self.children.append((child, ours))

    async def wait(self):
        """What all of them have to tell."""
        self.start.set()
        total = rough.Tally()
        end = time.monotonic() + self.seconds + 3 * PATIENCE
        for child, pipe in self.children:
            while not pipe.poll() and child.is_alive() and time.monotonic() < end:
                await asyncio.sleep(0.1)
            if not pipe.poll():
                total.fault("clients of the storm don't come to an end")
                child.kill()
                continue
            tally = pipe.recv()
            child.join(PATIENCE)
            total.counts += tally.counts
            total.faults += tally.faults
        return total


async def operate(seed, until):
    """An operator who looks, switches and throws clients out. Returns what went wrong."""
    r, faults, count = random.Random(f"{seed}/operator"), [], 0
    while time.monotonic() < until:
        await asyncio.sleep(r.random() * 3)
        chance = r.randrange(100)
        try:
            if chance < 60:
                await ctl(r.choice(LOOKS))
            elif chance < 85:
                await put({r.choice(SWITCHES): bool(r.randrange(2))})
            else:
                await throw_out(r)
            count += 1
        except (CtlError, TimeoutError, ValueError) as err:
            faults.append(f"{err!r}")
    note(f"the operator did {count} things")
    return faults


async def throw_out(r):
    """One client, or its session; it may be gone by then."""
    name = f"storm-{r.randrange(CLIENTS)}"
    try:
        await ctl(*r.choice([("client", "kick"), ("session", "del")]), name)
    except CtlError as err:
        if "status 1:" not in str(err):
            raise


# ------------------------------------------------------------------ the end

async def until_same(want, what):
    """Until the statistics have these values. Returns what hasn't."""
    end = time.monotonic() + PATIENCE
    while True:
        now = await ctl("stats")
        wrong = [f"{name} is {now[name]}, not {want[name]}" for name in what
                 if now[name] != want[name]]
        if not wrong or time.monotonic() > end:
            return wrong
        await asyncio.sleep(0.2)


async def calm(where, points, before):
    """End all sessions and look what is left."""
    points.point("all connections end", await until_same(before, ["connections"]))
    sessions = await ctl("session")
    note(f"{len(sessions)} sessions are left")
    codes = [await end_session(where, each["client_id"]) for each in sessions]
    points.point("a clean start ends a session",
                 [f"code {code}" for code in codes if code])
    points.point("no sessions are left, and no subscriptions",
                 await until_same(before, ["connections", "sessions", "subscriptions"]))
    # Not before: the end of a session may publish a will that is retained. What
    # has expired the broker forgets by itself, within a minute.
    await ctl("retained", "del", "all")
    points.point("no messages are retained",
                 await until_same(before, ["retained", "retained_bytes"]))
    points.point("memory is back to where it began", await until_same(before, ["memory"]))


def tell(tally, before, after):
    for name, count in sorted(tally.counts.items()):
        note(f"{name}: {count}")
    for name, value in after.items():
        if value != before[name]:
            note(f"{name}: {value - before[name]}")


async def run(where, seconds, seed, workers):
    points = Points()
    before = await ctl("stats")
    settings = await ctl("broker")
    points.point("the broker has nothing to begin with",
                 [f"{before[name]} {name}" for name in ("connections", "sessions", "subscriptions",
                                                        "retained") if before[name]])
    await put(LIMITS)
    until = time.monotonic() + seconds
    pairs = [fair.Pair(where, seed, f"pair {number}", steady, until)
             for number, steady in enumerate(FAIR.values())]
    *results, faults, tally = await asyncio.gather(
        *(pair.run() for pair in pairs), operate(seed, until), workers.wait())
    await put({name.replace("_", "-"): value for name, value in settings.items()
               if name.replace("_", "-") in [*LIMITS, *SWITCHES]})
    tell(tally, before, await ctl("stats"))

    points.point("what the broker has sent is in form, and honest clients got what they should",
                 tally.faults)
    points.point("an operator can look and act meanwhile", faults)
    for name, pair, result in zip(FAIR, pairs, results):
        sent = sum(pair.publisher.sent.values())
        note(f"{name}: levels {pair.publisher.level} and {pair.subscriber.level}, {sent} messages, "
             f"{pair.publisher.connections} and {pair.subscriber.connections} connections")
        faults = [f"{result!r}"] if result else []
        points.point(f"a pair {name}: all messages arrive as promised",
                     faults or ([] if sent else ["there were none"]))
    points.point("there was a storm",
                 [f"no {name}" for name in ("connections", "got Connack", "got Publish", "mutated")
                  if not tally.counts[name]])
    await calm(where, points, before)
    return points.finish()


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__.split(":", maxsplit=1)[0])
    where, seconds = (sys.argv[1], int(sys.argv[2])), float(sys.argv[3])
    seed = sys.argv[4] if len(sys.argv) == 5 else str(random.randrange(1 << 32))
    faulthandler.dump_traceback_later(seconds + 5 * PATIENCE, exit=True)
    print("KTAP version 1", flush=True)
    note(f"seed {seed}, {seconds:g} seconds")
    # Before there are any threads or tasks.
    workers = Workers(where, seed, seconds)
    sys.exit(asyncio.run(run(where, seconds, seed, workers)))


if __name__ == "__main__":
    main()
