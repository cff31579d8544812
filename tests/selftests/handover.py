# SPDX-License-Identifier: GPL-2.0
"""Work goes from softirq to threads and back, and nothing is lost on the way.

A message's payload follows from its topic, which names its publisher, its QoS
and its number: whatever arrives can be checked without asking its sender.
"""

import contextlib
import os
import pathlib
import random
import select
import time

from selftest import (
    PATIENCE, Child, Loop, Peer, broker_set, check, client, ctl_json, finish, mqtt, note, point, same,
    scaled, settings, stats, wait_idle,
)

EVERY = "/sys/module/kmqtt/parameters/handover_every"
SIZES = (0, 1, 20, 20, 20, 100, 100, 500, 1400, 4096, 5000, 16384, 20480, 30000, 65536, 81920,
         100000, 300000)
PUBLISHERS = 3
COUNT = scaled(120, 60)         # messages of each publisher
WINDOW = 20                     # unacknowledged messages of a publisher
NOISE = random.Random(1).randbytes(400000)


def payload(publisher, number):
    rnd = random.Random(publisher << 32 | number)
    size = rnd.choice(SIZES)
    start = rnd.randrange(len(NOISE) - size)
    return NOISE[start:start + size]


def qos_of(number):
    return number % 3


class Sender(Peer):
    """Sends its messages with as few waits as it may, cut at any place."""

    def start(self, publisher):
        self.publisher, self.number = publisher, 0
        self.waiting = set()
        self.random = random.Random(publisher)
        self.loop.lazy.add(self)

    @property
    def done(self):
        return self.number == COUNT and not self.waiting and not self.unsent

    def work(self):
        if self.closed:
            raise ConnectionError(f"publisher {self.publisher}: {self.closed}")
        batch = bytearray()
        while self.number < COUNT and len(self.waiting) < WINDOW and self.unsent < 400000 \
                and len(batch) < 400000:
            qos = qos_of(self.number)
            id = self.id() if qos else None
            if qos:
                self.waiting.add(id)
            batch += mqtt.publish(f"t/{self.publisher}/{qos}/{self.number}",
                                  payload(self.publisher, self.number), qos, id)
            # Small packets between the large ones, on the same connection
            batch += mqtt.pingreq() * self.random.randrange(3)
            self.number += 1
        while batch:
            cut = self.random.choice((1, 7, 100, 3000, 50000, len(batch)))
            self.send(bytes(batch[:cut]))
            del batch[:cut]
        if self.number == COUNT:
            self.loop.lazy.discard(self)

    def on_ack(self, kind, id):
        self.waiting.discard(id)


class Receiver(Peer):
    """Checks what comes at once, and keeps only which messages came."""

    def __init__(self, loop, **args):
        super().__init__(loop, **args)
        self.last = {}
        self.seen = set()

    def on_message(self, topic, got, qos, flags):
        _, publisher, sent_qos, number = topic.split("/")
        publisher, number = int(publisher), int(number)
        if got != payload(publisher, number):
            raise AssertionError(f"{topic}: {len(got)} bytes, other than were sent")
        same(int(sent_qos), qos_of(number), f"QoS in {topic}")
        same(qos, min(int(sent_qos), self.qos), f"QoS of {topic}")
        check(not flags & 8, f"{topic} came again")
        stream = (publisher, sent_qos)
        check(number > self.last.get(stream, -1), f"{topic} came after {self.last.get(stream)}")
        self.last[stream] = number
        self.seen.add((publisher, number))


class SlowReceiver(Receiver):
    """Reads little at a time, so that the broker's sends are cut."""

    def __init__(self, loop, **args):
        super().__init__(loop, rcvbuf=8192, **args)
        self.chunk = 3000


def receiver(loop, name, qos, filters=("t/#",), cls=Receiver):
    peer = cls(loop).wait_connect(name)
    peer.qos = qos
    same(peer.wait_subscribe(*filters, qos=qos), [qos] * len(filters), "SUBACK")
    return peer


def publish_all():
    loop = Loop()
    senders = [client(loop, f"sender{i}", cls=Sender) for i in range(PUBLISHERS)]
    for number, sender in enumerate(senders):
        sender.start(number)
    loop.until(lambda: all(s.done for s in senders), "the publishers to be through", 6 * PATIENCE)
    for sender in senders:
        sender.wait_ping()
    loop.close()


def traffic():
    """Several publishers, in a process of their own, and subscribers here."""
    before = stats()
    loop = Loop()
    # The window of a subscriber holds its queue within the limits.
    all_of_them = [receiver(loop, f"receiver{qos}", qos) for qos in (0, 1, 2)]
    slow = receiver(loop, "slow", 2, ("t/0/#",), SlowReceiver)
    child = Child(publish_all)
    end = time.monotonic() + 6 * PATIENCE
    while not child.done():
        check(time.monotonic() < end, "the publishers should be through by now")
        loop.turn(0.05)
    same(child.status, 0, "status of the publishers")

    want = {(p, n) for p in range(PUBLISHERS) for n in range(COUNT)}
    dropped = stats()["dropped_queue_full"] - before["dropped_queue_full"]
    same(stats()["dropped_no_memory"], before["dropped_no_memory"], "messages without memory")
    for peer in all_of_them + [slow]:
        wanted = {(p, n) for p, n in want if peer is not slow or p == 0}
        loop.until(lambda peer=peer, wanted=wanted: peer.closed or len(peer.seen) >= len(wanted)
                   - dropped, "all messages", 6 * PATIENCE)
        peer.wait_ping()
        missing = sorted(wanted - peer.seen)
        check(len(missing) <= dropped, f"{len(missing)} messages are missing: {missing[:10]}")
        lost = [(p, n) for p, n in missing if qos_of(n)]
        same(lost[:10], [], "messages of QoS 1 and 2 that are missing")
    same(dropped, 0, "messages that were dropped")
    loop.close()
    wait_idle()
    now = stats()
    same(now["memory"], 0, "memory in the end")
    return {name: now[name] - before[name] for name in now
            if name.startswith("handover_") or name.endswith("_runs")}


def force(every):
    with open(EVERY, "w") as parameter:
        parameter.write(str(every))


def tell(counts):
    note(", ".join(f"{name.removeprefix('handover_')} {n}" for name, n in counts.items() if n))


def test_every(every):
    force(every)
    try:
        counts = traffic()
    finally:
        force(0)
    tell(counts)
    if every:
        check(counts["handover_setting"] > 0, "nothing was handed over")
    else:
        same(counts["handover_setting"], 0, "passes handed over")
    check(counts["bh_runs"] > 0, "softirq did nothing")
    if every != 1:
        check(counts["handover_large"] > 0, "no large payload was left to a thread")


def test_off():
    with settings(bh_path=False):
        counts = traffic()
    tell(counts)
    check(counts["thread_runs"] > 0 and counts["handover_setting"] > 0, "threads did nothing")


def change(going, ours):
    """What works for whom changes all the time, until nobody has @ours open."""
    os.close(ours)
    rnd = random.Random(2)
    while not select.select([going], [], [], 0)[0]:
        broker_set("bh-path", rnd.choice(("on", "off")))
        for _ in range(20):
            force(rnd.choice((0, 0, 1, 2, 3, 7)))
            # Leave some of the machine to the others.
            time.sleep(0.005)


def test_change():
    going, ours = os.pipe()
    child = Child(change, going, ours)
    os.close(going)
    try:
        tell(traffic())
        check(not child.done(), "it was changed all the time")
    finally:
        # Not killed: what it has just begun to change would be changed after that.
        os.close(ours)
        child.wait()
        broker_set("bh-path", "on")
        force(0)


class Collector(Peer):
    def on_message(self, topic, got, qos, flags):
        self.messages.append((topic, len(got), got == NOISE[:len(got)]))


def test_interleaved():
    """One connection that publishes and receives large and small at once."""
    loop = Loop()
    both = client(loop, "both", "mine/#", qos=2, cls=Collector)
    both.chunk = 20000
    want = []
    for number in range(scaled(60, 30)):
        size = 300000 if number % 4 == 0 else number * 3
        topic = f"mine/{number}"
        both.publish(topic, NOISE[:size], number % 3)
        both.send(mqtt.pingreq())
        both.send(mqtt.subscribe(60000, ("none", 0)))
        want.append((topic, size, True))
        # What can't be sent now is not piled up here.
        loop.until(lambda: both.unsent < 1 << 20, "the broker to read")
    loop.until(lambda: len(both.messages) >= len(want), "all messages", 3 * PATIENCE)
    same([m for m in both.messages if m not in want][:3], [], "messages other than were sent")
    for qos in range(3):
        numbers = [int(t.split("/")[1]) for t, *_ in both.messages]
        numbers = [n for n in numbers if n % 3 == qos]
        same(numbers, sorted(numbers), f"order of messages with QoS {qos}")
    same(len(both.messages), len(want), "messages")
    both.wait_ping()
    loop.close()
    wait_idle()


def wait_quiet(loop):
    """Until the broker reads no more."""
    last, quiet = -1, 0
    while quiet < 10:
        loop.turn(0.02)
        now = stats()["bytes_received"]
        quiet = quiet + 1 if now == last else 0
        last = now


@contextlib.contextmanager
def tcp_buffers(**sizes):
    """Sizes of socket buffers, for a while."""
    paths = {name: pathlib.Path(f"/proc/sys/net/ipv4/tcp_{name}") for name in sizes}
    before = {name: path.read_text() for name, path in paths.items()}
    try:
        for name, path in paths.items():
            path.write_text(sizes[name])
        yield
    finally:
        for name, path in paths.items():
            path.write_text(before[name])


def test_hold():
    """A client that reads no answers is not read from; what it has sent is not lost."""
    with tcp_buffers(rmem="4096 131072 131072", wmem="4096 8192 8192"):
        loop = Loop()
        sub = client(loop, "sub", "held/#")
        pub = Peer(loop, rcvbuf=4096).wait_connect("deaf")
        pub.pause()
        pings = 0
        while not pub.unsent:
            pub.send(mqtt.pingreq() * 10000)
            pings += 10000
            wait_quiet(loop)
        count = 1000
        pub.send(b"".join(mqtt.publish(f"held/{n}", b"x" * 1000) for n in range(count)))
        wait_quiet(loop)
        note(f"{pings} PINGREQs, {pub.unsent} bytes not even sent")
        check(len(sub.messages) < count, "nothing was held back")
        pub.pause(False)
        loop.until(lambda: pub.pongs >= pings and len(sub.messages) >= count, "all answers",
                   3 * PATIENCE)
        same([m[0] for m in sub.messages], [f"held/{n}" for n in range(count)], "messages")
        pub.wait_ping()
        loop.close()
        wait_idle()


def test_budget():
    """More at once than softirq does in one go."""
    loop = Loop()
    subs = [client(loop, f"sub{n}", "b/#", qos=n % 2) for n in range(32)]
    pub = client(loop, "pub")
    before = stats()["handover_budget"]
    # Short ones, so that all of a burst come in one segment and so in one gulp.
    burst, bursts = 300, 4
    for first in range(0, burst * bursts, burst):
        pub.send(b"".join(mqtt.publish(f"b/{n}", b"x") for n in range(first, first + burst)))
        loop.until(lambda n=first + burst: all(len(s.messages) >= n for s in subs), "all messages")
        wait_quiet(loop)
    for peer in subs:
        same([m[0] for m in peer.messages], [f"b/{n}" for n in range(burst * bursts)], "messages")
    check(stats()["handover_budget"] > before, "softirq has done it all")
    loop.close()
    wait_idle()


def main():
    for every in (0, 1, 2, 3, 7):
        with point(f"all messages arrive with each {every}. pass handed over" if every else
                   "all messages arrive with nothing handed over without need"):
            test_every(every)
    with point("all messages arrive without the softirq path"):
        test_off()
    with point("all messages arrive while both change all the time"):
        test_change()
    for every in (0, 2):
        force(every)
        with point(f"large and small packets both ways on one connection, handover_every={every}"):
            test_interleaved()
    force(0)
    with point("more at once than softirq takes"):
        test_budget()
    with point("a client that does not read is not read from"):
        test_hold()
    with point("statistics tell why softirq left something to a thread"):
        counts = {name: n for name, n in ctl_json("stats").items() if name.startswith("handover_")}
        tell(counts)
        for name in ("budget", "large", "setting"):
            check(counts[f"handover_{name}"] > 0, f"nothing was handed over for {name}")
    finish()


main()
