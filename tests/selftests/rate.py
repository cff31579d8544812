# SPDX-License-Identifier: GPL-2.0
"""Rates of listeners. What takes too short a time is wrong; too long is not told
from a slow machine, but ends somewhen.
"""

import socket
import tempfile
import time

from selftest import (
    Loop, Peer, check, client, ctl, ctl_json, finish, mqtt, point, same, stats, wait_for, wait_idle,
)

PORT = 1900


class listener:
    """with listener("message-rate", 5): on PORT."""

    def __init__(self, *terms):
        self.terms = terms

    def __enter__(self):
        ctl("listener", "add", f"127.0.0.1:{PORT}", *map(str, self.terms))
        self.loop = Loop()
        return self

    def __exit__(self, *_):
        self.loop.close()
        ctl("listener", "del", f"127.0.0.1:{PORT}", "kick")
        wait_idle()

    def client(self, name, *filters, **args):
        return client(self.loop, name, *filters,
                      peer_args={"address": ("127.0.0.1", PORT)}, **args)

    def other(self, name, *filters, **args):
        """One of a listener without limits."""
        return client(self.loop, name, *filters, **args)


def count_up(where, pub, sub, number, size=0):
    """Publish so many at once; seconds until all have come, in order."""
    start = time.monotonic()
    for i in range(number):
        pub.publish("count", b"%d" % i + bytes(size), 1)
    where.loop.until(lambda: len(sub.messages) == number, "all messages")
    same([int(m[1].rstrip(b"\0")) for m in sub.messages], list(range(number)), "messages")
    return time.monotonic() - start


def test_client_messages():
    with listener("client-message-rate", 20) as where:
        sub = where.other("sub", "count", qos=1)
        before = stats()["paced"]
        # A second's worth may come at once: 40 of 60 have to wait.
        seconds = count_up(where, where.client("pub"), sub, 60)
        check(seconds >= 1.9, f"60 messages at 20/s took {seconds:.2f} s")
        check(stats()["paced"] > before, "nobody was held back")
        # Another client has a rate of its own.
        sub.messages.clear()
        other = where.client("other")
        count_up(where, other, sub, 15)


def test_client_bytes():
    with listener("client-byte-rate", "64K") as where:
        sub = where.other("sub", "count", qos=1)
        seconds = count_up(where, where.client("pub"), sub, 20, 10000)
        check(seconds >= 1.9, f"200 KB at 64 KiB/s took {seconds:.2f} s")


def test_large():
    """A payload that is received into its own pages."""
    with listener("client-byte-rate", "256K") as where:
        sub = where.other("sub", "count", qos=1)
        seconds = count_up(where, where.client("pub"), sub, 1, 1000000)
        check(seconds >= 2.5, f"1 MB at 256 KiB/s took {seconds:.2f} s")


def test_large_begun():
    """A rate that comes when a payload is on its way is for the rest of it."""
    with listener() as where:
        sub = where.other("sub", "count", qos=1)
        pub = where.client("pub")
        packet = mqtt.publish("count", bytes(1000000), 1, pub.id())
        pub.send(packet[:300000])
        wait_for(lambda: where.loop.turn(0) or
                 ctl_json("client", "get", "pub")["bytes_received"] > 299000, "the beginning")
        ctl("listener", "set", f"127.0.0.1:{PORT}", "client-byte-rate", "256K")
        before, start = stats()["paced"], time.monotonic()
        pub.send(packet[300000:])
        where.loop.until(lambda: sub.messages, "all of it")
        seconds = time.monotonic() - start
        check(seconds >= 1.5, f"700 KB at 256 KiB/s took {seconds:.2f} s")
        check(stats()["paced"] > before, "nobody was held back")
        same(len(sub.messages[0][1]), 1000000, "bytes of the payload")


def count_up_together(where, number, size=0):
    """Publish so many at once by each of three; seconds until all have come, in order."""
    sub = where.other("sub", "count/#", qos=1)
    pubs = [where.client(f"pub{i}") for i in range(3)]
    start = time.monotonic()
    for i in range(number):
        for n, pub in enumerate(pubs):
            pub.publish(f"count/{n}", b"%d" % i + bytes(size), 1)
    where.loop.until(lambda: len(sub.messages) == 3 * number, "all messages")
    seconds = time.monotonic() - start
    for n in range(3):
        same([int(m[1].rstrip(b"\0")) for m in sub.messages if m[0] == f"count/{n}"],
             list(range(number)), f"messages of {n}")
    return seconds


def test_all():
    """The rate of a listener is that of all its clients together."""
    with listener("message-rate", 20) as where:
        seconds = count_up_together(where, 20)
        check(seconds >= 1.9, f"60 messages at 20/s took {seconds:.2f} s")


def test_all_bytes():
    with listener("byte-rate", "64K") as where:
        before = stats()["paced"]
        seconds = count_up_together(where, 7, 10000)
        check(seconds >= 1.9, f"210 KB at 64 KiB/s took {seconds:.2f} s")
        check(stats()["paced"] > before, "nobody was held back")


def test_changed():
    """A rate that is loaded is that of clients that are there, too."""
    def load(*lines):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write("\n".join(["listener 1883 127.0.0.1", f"listener {PORT} 127.0.0.1", *lines]))
            file.flush()
            same(ctl_json("load", file.name)["listeners_kept"], 2, "listeners that stay")

    def count(number, size=0):
        """Seconds for so many messages, and how often their publisher was held back."""
        sub.messages.clear()
        before = stats()["paced"]
        return count_up(where, pub, sub, number, size), stats()["paced"] - before

    with listener() as where:
        sub = where.other("sub", "count", qos=1)
        pub = where.client("pub")
        same(count(60)[1], 0, "times that a client was held back without a rate")
        for line, number, size in (("kmqtt_client_message_rate 20", 60, 0),
                                   ("kmqtt_message_rate 20", 60, 0),
                                   ("kmqtt_client_byte_rate 64K", 20, 10000),
                                   ("kmqtt_byte_rate 64K", 20, 10000)):
            load(line)
            seconds, paced = count(number, size)
            check(seconds >= 1.9, f"{number} messages with {line} took {seconds:.2f} s")
            check(paced, f"nobody was held back with {line}")
        load()
        same(count(60, 1000)[1], 0, "times that a client was held back without a rate any more")
        # This would take minutes, if the new rate were for what comes later only.
        load("kmqtt_client_message_rate 1")
        sub.messages.clear()
        before = stats()["paced"]
        for i in range(300):
            pub.publish("count", b"%d" % i, 1)
        wait_for(lambda: where.loop.turn(0) or stats()["paced"] > before,
                 "the client to be held back")
        load()
        where.loop.until(lambda: len(sub.messages) == 300, "what was held back")
        check(not pub.closed, f"closed: {pub.closed}")


def test_keepalive():
    """Who is held back is not taken for dead."""
    with listener("client-message-rate", 2) as where:
        sub = where.other("sub", "count", qos=1)
        pub = where.client("pub", keepalive=1)
        seconds = count_up(where, pub, sub, 10)
        check(seconds >= 3.4, f"10 messages at 2/s took {seconds:.2f} s")
        check(not pub.closed, f"closed: {pub.closed}")


def test_gone():
    """What a client sent before it went comes, too; one that is reset goes at once."""
    with listener("client-message-rate", 10) as where:
        sub = where.other("sub", "count", qos=1)
        pub = where.client("pub")
        for i in range(25):
            pub.publish("count", b"%d" % i, 1)
        where.loop.until(lambda: not pub._out, "everything to be sent")
        pub.sock.shutdown(socket.SHUT_WR)
        where.loop.until(lambda: len(sub.messages) == 25, "all messages")
        pub = where.client("reset")
        for i in range(100):
            pub.publish("count", b"%d" % i, 1)
        where.loop.turn(0)
        pub.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        pub.close()
        wait_for(lambda: all(c["client_id"] != "reset" for c in ctl_json("client")),
                 "the client to be gone")


def test_kick():
    """Whoever is held back can be thrown out."""
    with listener("client-message-rate", 1) as where:
        pub = where.client("pub")
        for i in range(50):
            pub.publish("count", b"%d" % i, 1)
        wait_for(lambda: where.loop.turn(0) or stats()["paced"], "the client to be held back")
        ctl("client", "kick", "pub")
        pub.wait_closed()


def test_connects():
    with listener("connect-rate", 10) as where:
        start = time.monotonic()
        peers = [Peer(where.loop, ("127.0.0.1", PORT)) for _ in range(30)]
        for i, peer in enumerate(peers):
            peer.connect(f"c{i}")
        where.loop.until(lambda: all(peer.connack for peer in peers), "all CONNACKs")
        seconds = time.monotonic() - start
        check(seconds >= 1.9, f"30 connections at 10/s took {seconds:.2f} s")


def main():
    ctl("listener", "add", "127.0.0.1:1883")
    for text, test in (
            ("messages of each client", test_client_messages),
            ("bytes of each client", test_client_bytes),
            ("bytes of a large payload", test_large),
            ("bytes of one that has begun", test_large_begun),
            ("messages of all clients", test_all),
            ("bytes of all clients", test_all_bytes),
            ("rates that change", test_changed),
            ("who is held back is alive", test_keepalive),
            ("what was sent before the end is not lost", test_gone),
            ("who is held back can be thrown out", test_kick),
            ("connections", test_connects)):
        with point(text):
            test()
    finish()


main()
