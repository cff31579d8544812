# SPDX-License-Identifier: GPL-2.0
"""Clients that go beyond what the operator allows."""

import os
import time

import selftest
from selftest import (
    Peer, check, client, ctl, finish, meminfo, mqtt, note, run_with_loops, same, scaled,
    settings, stats, wait_for,
)

MIB = 1 << 20


def delta(before, name):
    return stats()[name] - before[name]


def refused(loop, **args):
    """A connection that is closed before anything is said."""
    peer = Peer(loop, **args)
    peer.connect("refused")
    peer.wait_closed()
    same(peer.connack, None, "answer to a connection that is refused")


def test_connections(loop):
    before = stats()
    with settings(max_connections=5):
        peers = [client(loop, f"c{i}") for i in range(5)]
        refused(loop)
        refused(loop, address=("::1", 1883))
        same(delta(before, "connections_refused"), 2, "refused connections")
        peers[0].disconnect()
        peers[0].wait_closed()
        wait_for(lambda: stats()["connections"] == 4, "the connection to be gone")
        client(loop, "c5")
        for peer in peers[1:]:
            peer.wait_ping()


def test_source(loop):
    with settings(max_connections_per_source=3):
        for i in range(3):
            client(loop, f"c{i}")
        refused(loop)
        # Others have their own, IPv6 as well as IPv4.
        client(loop, "other", peer_args={"source": "127.0.0.9"})
        six = {"address": ("::1", 1883)}
        for i in range(3):
            client(loop, f"six{i}", peer_args=six)
        refused(loop, **six)


def test_connect_timeout(loop):
    with settings(connect_timeout=2):
        start = time.monotonic()
        silent, slow = Peer(loop), Peer(loop)
        good = client(loop, "good", keepalive=0)
        packet = mqtt.connect("slow", will=mqtt.Will("t", bytes(5000)))
        sent = 0
        while not (silent.closed and slow.closed):
            # Byte after byte is no excuse.
            slow.send(packet[sent:sent + 1])
            sent += 1
            check(time.monotonic() - start < selftest.PATIENCE, "both should be closed by now")
            loop.turn(0.05)
        took = time.monotonic() - start
        check(took > 1.9, f"closed after {took:.1f} s already")
        note(f"closed after {took:.1f} s, {sent} bytes of a CONNECT")
        same(slow.connack, None, "answer to half a CONNECT")
        good.wait_ping()


def test_size_before(loop):
    good = client(loop, "good", will=mqtt.Will("t", bytes(15000)))
    good.disconnect()
    for size in (17000, 70000, 1 << 20, (1 << 28) - 1):
        peer = Peer(loop)
        peer.send(bytes([mqtt.CONNECT << 4]) + mqtt.varint(size))
        peer.wait_closed()
        same(peer.connack, None, f"answer to a CONNECT of {size} bytes")


def test_size_after(loop):
    with settings(max_packet_size=100000):
        watcher = client(loop, "watcher", "size/#")
        head = len(mqtt.publish("size/good", b"")) + 2
        good = client(loop, "good")
        good.wait_publish("size/good", bytes(100000 - head - 2), 1)
        loop.until(lambda: watcher.messages, "the message")
        for size in (100001, MIB, (1 << 28) - 1):
            bad = client(loop, "bad")
            bad.send(bytes([mqtt.PUBLISH << 4]) + mqtt.varint(size) + mqtt.binary("size/bad"))
            bad.wait_closed()
        good.wait_ping()
        watcher.wait_ping()
        same([m[0] for m in watcher.messages], ["size/good"], "topics of messages")


class Holder(Peer):
    """Doesn't acknowledge by itself."""
    auto_ack = False


def test_inflight(loop):
    with settings(max_inflight=5):
        sub = client(loop, "holder", "in/#", qos=1, cls=Holder)
        pub = client(loop, "publisher")
        for i in range(20):
            pub.wait_publish(f"in/{i}", qos=1)
        sub.wait_ping()
        same([m[0] for m in sub.messages], [f"in/{i}" for i in range(5)], "messages in flight")
        shown = [c for c in selftest.ctl_json("client") if c["client_id"] == "holder"][0]
        same(shown["inflight"], 5, "inflight")
        same(shown["queued_messages"], 15, "queued-messages")
        for i in range(1, 16):
            sub.send(mqtt.ack(mqtt.PUBACK, i))
            loop.until(lambda n=5 + i: len(sub.messages) >= n, "the next message")
            sub.wait_ping()
            same(len(sub.messages), 5 + i, "messages sent")
        for i in range(16, 21):
            sub.send(mqtt.ack(mqtt.PUBACK, i))
        sub.wait_ping()
        same([m[0] for m in sub.messages], [f"in/{i}" for i in range(20)], "all messages")


def queue_for(loop, name, count, payload, **limits):
    """Messages for somebody who isn't there; those that he gets, and the loss."""
    before = stats()
    with settings(**limits):
        sub = client(loop, name, f"{name}/#", qos=1, clean=False)
        sub.close()
        wait_for(lambda: stats()["connections"] == 0, "the connection to be gone")
        pub = client(loop, "publisher")
        for i in range(count):
            pub.wait_publish(f"{name}/{i}", payload, 1)
        lost = delta(before, "dropped_queue_full")
        memory = stats()["memory"] - before["memory"]
        sub = Peer(loop).wait_connect(name, clean=False)
        loop.until(lambda: len(sub.messages) >= count - lost, "what was queued")
        sub.wait_ping()
        pub.disconnect()
        sub.disconnect()
        loop.until(lambda: sub.closed and pub.closed, "the connections to end")
    same(delta(before, "dropped_queue_full"), lost, "loss when there is room")
    ctl("session", "del", name)
    topics = [m[0] for m in sub.messages]
    same(topics, [f"{name}/{i}" for i in range(count - lost)], "messages that were kept")
    return len(topics), lost, memory


def test_queued_messages(loop):
    kept, lost, _ = queue_for(loop, "queue", 30, b"", max_queued_messages=10)
    same((kept, lost), (10, 20), "messages kept and lost")


def test_queued_bytes(loop):
    kept, lost, _ = queue_for(loop, "bytes", 30, bytes(1000), max_queued_bytes=10240)
    same((kept, lost), (10, 20), "messages kept and lost")


def test_memory(loop):
    other = client(loop, "other", "fine/#", qos=1)
    before = stats()
    limit = before["memory"] + 4 * MIB
    # It is counted for each CPU, and added up now and then.
    most = limit + os.cpu_count() * 128 * 1024
    with settings(max_memory=limit):
        stored = 0
        for i in range(100):
            try:
                pub = client(loop, "greedy")
                pub.wait_publish(f"hog/{i}", os.urandom(100000), 1, retain=True)
                pub.disconnect()
                pub.wait_closed()
            except ConnectionError:
                break
            stored += 1
            check(stats()["memory"] <= most, "more memory than allowed")
        check(30 <= stored <= 42, f"{stored} messages of 100,000 bytes in 4 MiB")
        same(stats()["retained"], stored, "retained messages")
        # Where there is no room, others still live from what they have.
        other.wait_ping()
        # Many at once, more than there is room to answer, and the last one in pieces.
        want = other.pongs + 301
        other.send(mqtt.pingreq() * 300 + mqtt.pingreq()[:1])
        loop.until(lambda: other.pongs == want - 1 or other.closed, "PINGRESPs")
        other.send(mqtt.pingreq()[1:])
        loop.until(lambda: other.pongs == want or other.closed, "PINGRESP")
        check(not other.closed, "closed where others had no room")
        peer = Peer(loop)
        peer.send(mqtt.connect("starving", will=mqtt.Will("w", bytes(15000))))
        for i in range(300):
            peer.publish(f"starving/{i}", os.urandom(10000), 1, retain=True)
            if peer.closed:
                break
        peer.wait_closed()
        check(stats()["memory"] <= most, "more memory than allowed")
        ctl("retained", "del", "all")
        wait_for(lambda: stats()["memory"] < before["memory"] + MIB, "memory to be free again")
        pub = client(loop, "modest")
        pub.wait_publish("fine/again", b"x" * 1000, 1, retain=True)
        loop.until(lambda: other.messages, "the message")
    ctl("retained", "del", "all")


def test_huge_announced(loop):
    """Memory grows as bytes arrive, never by the length that was announced."""
    before = stats()["memory"]
    available = meminfo()["MemAvailable"]
    peers = [client(loop, f"liar{i}") for i in range(20)]
    for peer in peers:
        peer.send(bytes([mqtt.PUBLISH << 4]) + mqtt.varint((1 << 28) - 1) +
                  mqtt.binary("huge") + bytes(100))
    wait_for(lambda: stats()["bytes_received"] > 0, "bytes to arrive")
    for _ in range(3):
        client(loop, "other").wait_ping()
    check(stats()["memory"] - before < 20 * 256 * 1024, "memory of unsent payload")
    check(available - meminfo()["MemAvailable"] < 40 << 10, "memory of unsent payload")


def test_sessions(loop):
    with settings(max_sessions=3):
        for i in range(3):
            client(loop, f"s{i}", clean=False).disconnect()
        wait_for(lambda: stats()["connections"] == 0, "the connections to end")
        peer = Peer(loop)
        peer.wait_connect("s3", code=3)
        peer.wait_closed()
        # Who has one keeps it, and may exchange it once there is room.
        client(loop, "s1", clean=False, peer_args={}).disconnect()
        ctl("session", "del", "s0")
        wait_for(lambda: stats()["sessions"] == 2, "the session to end")
        client(loop, "s3")
    for i in (1, 2):
        ctl("session", "del", f"s{i}")


def test_retained(loop):
    before = stats()
    with settings(max_retained=5):
        sub = client(loop, "sub", "kept/#")
        pub = client(loop, "pub")
        for i in range(6):
            pub.wait_publish(f"kept/{i}", b"one", 1, retain=True)
        loop.until(lambda: len(sub.messages) == 6, "all messages, retained or not")
        same(delta(before, "dropped_retained_full"), 1, "messages not retained")
        same(stats()["retained"], 5, "retained messages")
        pub.wait_publish("kept/2", b"two", 1, retain=True)
        late = client(loop, "late", "kept/#")
        loop.until(lambda: len(late.messages) == 5, "retained messages")
        same(sorted(m[:2] for m in late.messages),
             [(f"kept/{i}", b"two" if i == 2 else b"one") for i in range(5)], "retained messages")
        pub.wait_publish("kept/0", b"", 1, retain=True)
        pub.wait_publish("kept/5", b"now", 1, retain=True)
        same(delta(before, "dropped_retained_full"), 1, "messages not retained")
    ctl("retained", "del", "all")


def test_subscriptions(loop):
    with settings(max_subscriptions=4):
        sub = client(loop, "sub", *(f"s/{i}" for i in range(4)), qos=1)
        same(sub.wait_subscribe("s/4", qos=1), [0x80], "return code of one too many")
        same(sub.wait_subscribe("s/2", "s/5", qos=2), [2, 0x80], "one that exists, one too many")
        sub.send(mqtt.unsubscribe(99, "s/0"))
        sub.wait_ping()
        same(sub.wait_subscribe("s/6", qos=1), [1], "return code after another has gone")
        client(loop, "other", *(f"s/{i}" for i in range(4)))
        pub = client(loop, "pub")
        for i in range(7):
            pub.wait_publish(f"s/{i}")
        sub.wait_ping()
        same([m[0] for m in sub.messages], ["s/1", "s/2", "s/3", "s/6"], "messages")


class Sequence(Peer):
    """Counts messages that begin with a number, and those missing."""

    def __init__(self, loop, **args):
        super().__init__(loop, **args)
        self.last, self.count, self.missing = -1, 0, 0

    def on_message(self, topic, payload, qos, flags):
        number = int.from_bytes(payload[:8], "big")
        check(number > self.last, f"message {number} after {self.last}")
        self.missing += number - self.last - 1
        self.last = number
        self.count += 1


def flood(loop, qos, count, size, slow_args):
    """Rounds that the fast one takes all of, while the slow one doesn't read."""
    fast = client(loop, "fast", "flood", qos=qos, cls=Sequence)
    slow = client(loop, "slow", "flood", qos=qos, cls=Sequence, peer_args=slow_args)
    slow.pause()
    pub = client(loop, "pub")
    before, most = stats(), 0
    available = meminfo()["MemAvailable"]
    for first in range(0, count, 50):
        for number in range(first, first + 50):
            pub.publish("flood", number.to_bytes(8, "big") + bytes(size), 1)
        loop.until(lambda n=first + 50: fast.count >= n, "the fast one to have them all")
        if first % 500 == 0:
            most = max(most, stats()["memory"])
    now = stats()
    gone = available - meminfo()["MemAvailable"]
    note(f"{count * size >> 20} MiB published, {most - before['memory'] >> 10} KiB accounted, "
         f"{gone} KiB less available, {delta(before, 'dropped_queue_full')} dropped")
    same(fast.missing, 0, "messages that the fast one missed")
    return fast, slow, before, now, most, gone


def test_slow(loop, qos):
    count, size = scaled(3000, 600), 10000
    with settings(max_queued_bytes=MIB):
        fast, slow, before, now, most, gone = flood(loop, qos, count, size, {"rcvbuf": 8192})
        check(most - before["memory"] < 2 * MIB, f"{most - before['memory']} bytes for a queue of 1 MiB")
        # The socket's own buffer is on top, up to 4 MiB of tcp_wmem and as much truesize.
        check(gone < 24 << 10, f"{gone} KiB less memory")
        dropped = now["dropped_queue_full"] - before["dropped_queue_full"]
        check(dropped > count // 4, f"only {dropped} messages dropped")
        shown = [c for c in selftest.ctl_json("client") if c["client_id"] == "slow"][0]
        same(shown["dropped"], dropped, "dropped messages of the slow one")
        same(now["dropped_queue_full"] - before["dropped_queue_full"], dropped, "others' drops")
        # When it reads at last it gets what was kept, in order.
        slow.pause(False)
        loop.until(lambda: slow.count >= count - dropped, "the slow one to catch up",
                   3 * selftest.PATIENCE)
        slow.wait_ping()
        same(slow.count, count - dropped, "messages of the slow one")


def test_unread_acks(loop):
    """Who doesn't read his own acknowledgements is not read from."""
    before = stats()
    pub = Peer(loop, rcvbuf=4096).wait_connect("deaf")
    pub.pause()
    other = client(loop, "other")
    ping = mqtt.pingreq() * 10000
    last, quiet, sent = -1, 0, 0
    while quiet < 20:
        if pub.unsent < len(ping):
            pub.send(ping)
            sent += 10000
        loop.turn(0.02)
        now = stats()["bytes_received"]
        quiet = quiet + 1 if now == last else 0
        last = now
        check(now - before["bytes_received"] < 64 * MIB, "PINGREQs are read without end")
    check(not pub.closed, f"it is held, not closed: {pub.closed}")
    other.wait_ping()
    check(stats()["memory"] - before["memory"] < MIB, "memory for acknowledgements")
    note(f"held after {(last - before['bytes_received']) // 2} of {sent} PINGREQs")
    pub.pause(False)
    try:
        loop.until(lambda: pub.pongs >= sent or pub.closed, "all answers")
    except TimeoutError:
        note(f"{pub.pongs} of {sent} answers came")
        raise
    same((pub.pongs, pub.closed), (sent, None), "answers in the end")


def main():
    tests = (
        ("connections at a time", test_connections),
        ("connections at a time from one address", test_source),
        ("time for a CONNECT, silent or byte by byte", test_connect_timeout),
        ("size of a CONNECT", test_size_before),
        ("size of a packet after CONNECT", test_size_after),
        ("messages in flight", test_inflight),
        ("messages queued for a session", test_queued_messages),
        ("bytes queued for a session", test_queued_bytes),
        ("memory of the broker", test_memory),
        ("announced payload takes no memory", test_huge_announced),
        ("sessions", test_sessions),
        ("retained messages", test_retained),
        ("subscriptions of a session", test_subscriptions),
        ("a subscriber that doesn't read, QoS 0", lambda loop: test_slow(loop, 0)),
        ("a subscriber that doesn't read, QoS 1", lambda loop: test_slow(loop, 1)),
        ("a client that doesn't read answers to its own packets", test_unread_acks),
    )
    run_with_loops(tests)
    finish()


main()
