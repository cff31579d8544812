# SPDX-License-Identifier: GPL-2.0
"""Thousands of connections at once, and their memory afterwards."""

import hashlib
import os
import resource
import time

from selftest import (
    PATIENCE, Child, Loop, Peer, broker_set, check, client, ctl_json, finish, meminfo, note, point,
    same, scaled, stats, wait_for, wait_idle,
)

COUNT = scaled(5000, 1000)
# What TCP's, the allocator's and KASAN's own caches may keep, in KiB.
SLACK = scaled(24 << 10, 160 << 10)


class Subscriber(Peer):
    def __init__(self, loop, number, seen):
        super().__init__(loop, source=f"127.0.0.{2 + number % 4}")
        self.seen = seen
        self.connect(f"many{number}")
        self.subscribe("fan/out", f"own/{number}", qos=number % 3)

    def on_message(self, topic, payload, qos, flags):
        self.seen.append((topic, hashlib.sha256(payload).digest(), qos))


def connect_all(loop, seen):
    peers = []
    for number in range(COUNT):
        peers.append(Subscriber(loop, number, seen))
        loop.turn(0)
        # Not more at a time than the listener's backlog.
        if number % 200 == 199:
            loop.until(lambda: all(p.subacks or p.closed for p in peers[-200:]), "SUBACKs")
    loop.until(lambda: all(p.subacks or p.closed for p in peers), "SUBACKs")
    same([p.closed for p in peers if p.closed], [], "connections that were closed")
    return peers


def fan_out(loop, seen, publisher, payload):
    seen.clear()
    start = time.monotonic()
    publisher.publish("fan/out", payload, 2)
    loop.until(lambda: len(seen) >= COUNT, f"all to receive it, not {len(seen)}", 2 * PATIENCE)
    note(f"{len(payload)} bytes to all of them in {time.monotonic() - start:.2f} s")
    digest = hashlib.sha256(payload).digest()
    want = sorted(("fan/out", digest, n % 3) for n in range(COUNT))
    same(sorted(seen) == want, True, "all of them received it, with their QoS")


def storm(number):
    """A process with many connections that gets killed."""
    loop, seen = Loop(), []
    peers = connect_all(loop, seen)
    print(f"# process {number}: {len(peers)} connections", flush=True)
    os.kill(os.getpid(), 9)


def test(first):
    loop, seen = Loop(), []
    before = meminfo()
    start = time.monotonic()
    with point(f"{COUNT} connections at once, each subscribed"):
        connect_all(loop, seen)
        note(f"connected in {time.monotonic() - start:.1f} s")
        now = stats()
        same(now["connections"], COUNT, "connections")
        same(now["subscriptions"], 2 * COUNT, "subscriptions")
        same(len(ctl_json("client")), COUNT, "clients in the dump")
        used = before["MemAvailable"] - meminfo()["MemAvailable"]
        note(f"{used / COUNT:.1f} KiB for each, its client's socket and own memory included; "
             f"{now['memory'] / COUNT:.0f} bytes accounted by the broker")
    publisher = client(loop, "publisher")
    for payload in (b"to all", os.urandom(3000), os.urandom(scaled(20000, 20000))):
        with point(f"a message of {len(payload)} bytes reaches them all"):
            fan_out(loop, seen, publisher, payload)
    with point("closing them all"):
        start = time.monotonic()
        loop.close()
        wait_idle()
        note(f"closed in {time.monotonic() - start:.1f} s")
        now = stats()
        for name in ("subscriptions", "memory", "dropped_queue_full", "dropped_no_memory"):
            same(now[name], 0, name)
    del loop, publisher
    with point("memory comes back"):
        def back():
            return before["MemAvailable"] - meminfo()["MemAvailable"] < SLACK
        # The first time, caches are filled that stay.
        wait_for(lambda: back() or first, "memory to come back")
        note(f"{before['MemAvailable'] - meminfo()['MemAvailable']} KiB less than before")


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
    broker_set("connect-timeout", "5m", "max-connections", 2 * COUNT, "max-connections-per-source", COUNT)
    child = Child(storm, 0)
    with point("a process with as many connections is killed"):
        same(child.wait(3 * PATIENCE), -9, "how the process ends")
        wait_idle()
    # Memory is measured in a process of its own, which gives back its own.
    Child(test, False).wait(10 * PATIENCE)
    with point("and again they are all gone"):
        same(stats()["connections"], 0, "connections")
    finish()


main()
