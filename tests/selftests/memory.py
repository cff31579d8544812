# SPDX-License-Identifier: GPL-2.0
"""What each kind of traffic leaves behind."""

import os
import socket
import zlib

from selftest import (
    HOST, PATIENCE, PORT, Loop, Peer, check, clean_up, client, ctl, finish, meminfo, mqtt, note,
    point, same, scaled, stats, wait_for, wait_idle,
)

MANY = scaled(200, 50)
LARGE = scaled(8 << 20, 2 << 20)
UNKNOWN_VERSION = mqtt.connect("x").replace(b"MQTT\x04", b"MQTT\x06")


class Deaf(Peer):
    auto_ack = False


def cut_after(data, *lengths):
    """The packet is never finished."""
    def test(loop):
        for length in lengths:
            peer = client(loop, f"cut{length}")
            peer.send(data[:length])
        client(loop, "other").wait_ping()
    return test


def connect_only(loop):
    for i in range(MANY):
        Peer(loop).connect(f"c{i}", clean=i % 2 == 0, username=f"u{i}", password="p",
                           will=mqtt.Will(f"w/{i}", bytes(i * 10)))
    peers = list(loop.peers.values())
    loop.until(lambda: all(p.connack for p in peers), "CONNACKs")


def refused_connects(loop):
    peers = [Peer(loop) for _ in range(MANY)]
    for i, peer in enumerate(peers):
        peer.send((mqtt.connect("", clean=False), UNKNOWN_VERSION,
                   b"GET / HTTP/1.0\r\n\r\n", mqtt.connect("x")[:-1] + b"\xff", b"\x10")[i % 5])
    loop.until(lambda: all(p.closed for i, p in enumerate(peers) if i % 5 < 4), "refusals")


def subscriptions(loop):
    peers = [Peer(loop).connect(f"c{i}", clean=i % 2 == 0) for i in range(MANY)]
    for i, peer in enumerate(peers):
        peer.subscribe(*(f"a/{i}/{j}/+/#" for j in range(20)), "#", "+/+", "a/b", "a/b")
        peer.send(mqtt.unsubscribe(500, f"a/{i}/3/+/#", "#", "never/had"))
    for peer in peers:
        peer.wait_ping()


def messages(qos, size, count):
    def test(loop):
        sub = client(loop, "sub", "m/#", qos=qos)
        pub = client(loop, "pub")
        for i in range(count):
            pub.wait_publish(f"m/{i}", os.urandom(size), qos)
        loop.until(lambda: len(sub.messages) == count, "all messages")
    return test


def unacknowledged(loop):
    """Messages in every state, on either side."""
    sub = client(loop, "deaf", "m/#", qos=2, cls=Deaf, clean=False)
    gone = client(loop, "gone", "m/#", qos=1, clean=False)
    gone.close()
    pub = client(loop, "pub", clean=False)
    for i in range(scaled(300, 100)):
        pub.wait_publish(f"m/{i}", bytes(i * 20), i % 3)
    for id in range(1, 30):
        sub.send(mqtt.ack(mqtt.PUBREC, id))
    # Received and never released
    silent = client(loop, "silent", cls=Deaf, clean=False)
    for id in range(1, 50):
        silent.send(mqtt.publish("m/unreleased", b"x", 2, 1000 + id))
    silent.wait_ping()
    sub.wait_ping()


def retained(loop):
    pub = client(loop, "pub")
    for i in range(MANY):
        pub.wait_publish(f"kept/{i % 7}/{i}", bytes(i * 50), i % 2, retain=True)
    late = client(loop, "late", "#", "kept/+/3", "kept/3/#")
    loop.until(lambda: len(late.messages) > MANY, "retained messages")
    # One that goes in the middle of them
    client(loop, "leaver", "#", cls=Deaf).close()
    for i in range(0, MANY, 2):
        pub.wait_publish(f"kept/{i % 7}/{i}", b"", 1, retain=True)


def replaced(loop):
    pub = client(loop, "pub")
    for i in range(MANY):
        pub.wait_publish("one", bytes(i * 100), 1, retain=True)


def takeovers(loop):
    for i in range(MANY):
        Peer(loop).connect("same", clean=i % 3 == 0, will=mqtt.Will("w", bytes(100), retain=True))
    peers = list(loop.peers.values())
    loop.until(lambda: sum(not p.closed for p in peers) == 1, "one to be left")


def slow_reader(loop):
    sub = client(loop, "slow", "m/#", qos=1, cls=Deaf, peer_args={"rcvbuf": 4096})
    sub.pause()
    pub = client(loop, "pub")
    for i in range(scaled(100, 40)):
        pub.wait_publish("m/large", os.urandom(100000), i % 2)


def all_gone():
    """The counts of what there is."""
    clean_up()

    def empty():
        now = stats()
        return not any(now[name] for name in ("subscriptions", "retained", "retained_bytes",
                                              "memory"))
    try:
        wait_for(empty, "memory to be given back", 10)
    except TimeoutError:
        now = stats()
        raise AssertionError({n: now[n] for n in ("subscriptions", "retained", "retained_bytes",
                                                  "memory")}) from None


def once(test):
    loop = Loop()
    try:
        test(loop)
        note_used = stats()["memory"]
    finally:
        loop.close()
        all_gone()
    return note_used


LARGE_PUBLISH = mqtt.publish("m/large", bytes(100000), 1, 7)
TESTS = (
    ("connections with wills", connect_only),
    ("refused connections", refused_connects),
    ("subscriptions", subscriptions),
    ("QoS 0 messages", messages(0, 100, MANY)),
    ("QoS 1 messages", messages(1, 5000, MANY)),
    ("QoS 2 messages", messages(2, 30000, MANY // 2)),
    ("large messages", messages(1, LARGE, 2)),
    ("messages in every state of acknowledgement", unacknowledged),
    ("packets cut short", cut_after(LARGE_PUBLISH, 1, 2, 3, 5, 8, 12, 15, 50, 5000, 20001, 90000)),
    ("subscriptions cut short", cut_after(mqtt.subscribe(1, ("a/b", 0), ("c", 1)), 1, 4, 7, 12)),
    ("retained messages", retained),
    ("replaced retained messages", replaced),
    ("take-overs", takeovers),
    ("readers that read nothing", slow_reader),
)


def kernel_memory():
    """What can't be given back, in KiB."""
    now = meminfo()
    return now["SUnreclaim"] + now["VmallocUsed"] + now["Percpu"]


def test_growth():
    # All of it has run once already: what is kept for good is there.
    before = kernel_memory()
    available = meminfo()["MemAvailable"]
    for _, test in TESTS:
        once(test)
    limit = scaled(4 << 10, 48 << 10)
    wait_for(lambda: kernel_memory() - before < limit, "kernel memory to come back")
    note(f"{kernel_memory() - before} KiB more in use by the kernel, "
         f"{available - meminfo()['MemAvailable']} KiB less available")


class Drain:
    """A subscriber that keeps a checksum of what it gets, and nothing else."""

    buffer = bytearray(1 << 20)

    def __init__(self, name):
        self.sock = socket.create_connection((HOST, PORT), PATIENCE)
        self.sock.sendall(mqtt.connect(name) + mqtt.subscribe(1, ("huge", 0)))
        self.got = self.sum = 0
        self.sock.recv(4 + 5, socket.MSG_WAITALL)

    def read(self):
        count = self.sock.recv_into(self.buffer)
        self.got += count
        self.sum = zlib.crc32(memoryview(self.buffer)[:count], self.sum)
        return count


def test_one_copy(size, subscribers=4):
    """A payload goes to all its subscribers from where it was received to."""
    piece = os.urandom(1 << 20)
    head = mqtt.publish("huge")[1:]
    packet = b"\x30" + mqtt.varint(len(head) - 1 + size) + head[1:]
    total = len(packet) + size
    available = meminfo()["MemAvailable"]
    subs = [Drain(f"huge{i}") for i in range(subscribers)]
    want = zlib.crc32(packet)
    with socket.create_connection((HOST, PORT), PATIENCE) as pub:
        pub.sendall(mqtt.connect("huge"))
        pub.recv(4, socket.MSG_WAITALL)
        pub.sendall(packet)
        for left in range(size, 0, -len(piece)):
            pub.sendall(piece[:left])
            want = zlib.crc32(piece[:left], want)
    most = least = 0
    # The last one waits until the others have all of it.
    for group in (subs[:-1], subs[-1:]):
        while any(sub.got < total for sub in group):
            for sub in group:
                if sub.got < total:
                    check(sub.read(), f"closed after {sub.got} bytes")
            most = max(most, stats()["memory"])
            least = max(least, available - meminfo()["MemAvailable"])
    for sub in subs:
        same((sub.got, sub.sum), (total, want), "bytes and their checksum")
        sub.sock.close()
    note(f"{most >> 20} MiB accounted for at most, {least >> 10} MiB less available")
    check(size <= most < size + (2 << 20), f"{most} bytes for a payload of {size}")
    check(least << 10 < 1.5 * size + (64 << 20), f"{least} KiB less available")
    wait_idle()
    same(stats()["memory"], 0, "memory afterwards")


def main():
    with point("nothing is used at first"):
        same(stats()["memory"], 0, "memory")
    for text, test in TESTS:
        with point(f"{text} leave nothing behind"):
            used = once(test)
            check(used > 0 or "refused" in text or "take" in text, "no memory was accounted at all")
    # Packets of 3.1.1 can't be larger.
    size = scaled((256 << 20) - 64, 24 << 20)
    with point(f"{size >> 20} MiB for four subscribers are in memory once"):
        ctl("broker", "set", "max-memory", "300M", "max-packet-size", "256M",
            "max-queued-bytes", "300M")
        test_one_copy(size)
    with point("messages that stay retained are all that stays"):
        loop = Loop()
        pub = client(loop, "pub")
        for i in range(10):
            pub.wait_publish(f"kept/{i}", bytes(1000), 1, retain=True)
        loop.close()
        wait_idle()
        now = stats()
        same((now["retained"], now["retained_bytes"] >= 10000), (10, True), "retained messages")
        check(10000 < now["memory"] < 20000, f"{now['memory']} bytes in use")
        ctl("retained", "del", "all")
        same(stats()["memory"], 0, "memory without them")
    with point("the kernel's own memory doesn't grow"):
        test_growth()
    finish()


main()
