# SPDX-License-Identifier: GPL-2.0
"""Unloading the module in the middle of everything."""

import mmap
import os
import random
import time

from selftest import (
    Child, Loop, Peer, check, client, finish, load, loaded, note, point, same, scaled, stats,
    unload, wait_for,
)

LISTEN = "listen=127.0.0.1:1883,[::1]:1883,127.0.0.1:1884"
PROCESSES = 4


def test_addresses():
    loop = Loop()
    for address in (("127.0.0.1", 1883), ("::1", 1883), ("127.0.0.1", 1884)):
        client(loop, f"at{address}", peer_args={"address": address})
    loop.close()


class Churner(Peer):
    """Connects, subscribes, publishes a little and goes in some way."""

    def __init__(self, loop, random, done):
        super().__init__(loop, random.choice((("127.0.0.1", 1883), ("::1", 1883))))
        self.random, self.done = random, done
        self.left = random.randrange(1, 6)
        self.ended = False
        if self.closed:
            self.end()
            return
        # Some ids are fought for.
        self.connect(f"churn{random.randrange(300)}", clean=random.random() < 0.5)

    def on_connack(self, code, present):
        self.subscribe("churn/#", f"own/{self.random.randrange(50)}", qos=self.random.randrange(3))

    def on_suback(self, id, codes):
        self.go_on()

    def on_message(self, topic, payload, qos, flags):
        self.go_on()

    def go_on(self):
        self.left -= 1
        if self.left > 0:
            size = self.random.choice((0, 10, 1000, 30000))
            self.publish(f"churn/{self.random.randrange(50)}", bytes(size),
                         self.random.randrange(3), retain=self.random.random() < 0.1)
            return
        self.done()
        if self.random.random() < 0.3:
            self.disconnect()
        self.close(reset=self.random.random() < 0.5)
        self.end()

    def on_close(self, why):
        self.end()

    def end(self):
        self.ended = True


def churn(count, seed, cell):
    """So many connections at once, for ever."""
    loop, rnd = Loop(), random.Random(seed)
    peers = []

    def done():
        cell[0] = cell[0] + 1

    while True:
        peers = [p for p in peers if not p.ended]
        while len(peers) < count:
            peer = Churner(loop, rnd, done)
            if peer.ended:
                break       # nobody listens just now
            peers.append(peer)
        loop.turn(0.01)


def test_churn(connections, rounds):
    shared = mmap.mmap(-1, 8 * PROCESSES)
    cells = memoryview(shared).cast("Q")
    children = [Child(churn, connections // PROCESSES, seed, cells[seed:seed + 1])
                for seed in range(PROCESSES)]
    try:
        for number in range(rounds):
            load(LISTEN)
            before = sum(cells)
            # Not only in the first moments, but in those as well.
            more = (number % 4) * connections
            wait_for(lambda b=before, m=more: sum(cells) >= b + m, f"{more} connections to be through")
            start = time.monotonic()
            unload()
            check(not loaded(), "the module is gone")
            note(f"round {number}: {sum(cells) - before} connections, unloaded in "
                 f"{time.monotonic() - start:.2f} s")
            for child in children:
                check(not child.done(), "clients cope with a broker that goes")
    finally:
        for child in children:
            child.kill()
    check(sum(cells) > connections, f"only {sum(cells)} connections in all")


def test_stored(sessions, topics):
    load(LISTEN)
    loop = Loop()
    publisher = client(loop, "publisher")
    # In flights of a hundred, which neither side has to wait for one by one.
    for first in range(0, sessions, 100):
        peers = [Peer(loop).connect(f"s{i}", clean=False) for i in range(first, first + 100)]
        loop.until(lambda: all(p.connack for p in peers), "CONNACKs")
        for i, peer in enumerate(peers):
            peer.subscribe(f"one/{first + i}", "all/#", "+/some/+", f"deep/{i}/a/b/c/#", qos=1)
        loop.until(lambda: all(p.subacks for p in peers), "SUBACKs")
        for peer in peers:
            peer.disconnect()
        loop.until(lambda: all(p.closed for p in peers), "the connections to end")
    for first in range(0, topics, 100):
        ids = {publisher.publish(f"kept/{i % 50}/{i}", b"x" * (i % 2000), 1, retain=True)
               for i in range(first, first + 100)}
        loop.until(lambda: ids <= publisher.acked, "PUBACKs")
    for i in range(3):
        publisher.wait_publish(f"all/{i}", b"for everybody" * 100, 1)
    now = stats()
    same(now["sessions"], sessions + 1, "sessions")
    same(now["subscriptions"], 4 * sessions, "subscriptions")
    check(now["retained"] > topics * 0.99, f"{now['retained']} retained messages")
    note(f"{now['memory']} bytes")
    start = time.monotonic()
    unload()
    note(f"unloaded in {time.monotonic() - start:.2f} s")
    loop.close()


def test_again():
    load(LISTEN)
    now = stats()
    for name in ("sessions", "subscriptions", "retained", "connections", "memory"):
        same(now[name], 0, name)
    test_addresses()


def main():
    with point("clients are served at each of the addresses"):
        test_addresses()
    unload()
    count, rounds = scaled(200, 40), scaled(6, 4)
    with point(f"unloaded and loaded {rounds} times while {count} connections come and go"):
        test_churn(count, rounds)
    if loaded():
        unload()
    sessions, topics = scaled(2000, 500), scaled(2000, 500)
    with point(f"unloaded with {sessions} sessions and {topics} retained messages"):
        test_stored(sessions, topics)
    if loaded():
        unload()
    with point("loaded again it is empty and works"):
        test_again()
    finish()


main()
