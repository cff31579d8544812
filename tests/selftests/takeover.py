# SPDX-License-Identifier: GPL-2.0
"""Many clients that want to be the same one.

Each connection has a will of its own, so that what was published tells which
connections the broker took for lost, and how often.
"""

import collections
import os
import random
import time

from selftest import (
    Child, Loop, Peer, broker_set, check, client, ctl, ctl_json, finish, mqtt, note, point, same,
    scaled, stats, wait_for, wait_idle,
)

ID = "contested"
FIGHTERS = scaled(30, 12)
CONNECTIONS = scaled(500, 150)


class Fighter(Peer):
    """One connection; its name is the topic of its will."""

    def __init__(self, loop, number, clean, rnd):
        super().__init__(loop)
        self.name = f"will/{number}"
        self.goodbye = False
        self.random = rnd
        self.connect(ID, clean=clean, will=mqtt.Will(self.name, b"lost", number % 3))
        # What is sent before the answer is in is handled after it.
        if number % 4 == 0:
            self.subscribe("state/#", qos=1)
        if number % 5 == 0:
            self.publish(f"other/{number % 50}", bytes(number % 3000), number % 3)

    def on_connack(self, code, present):
        if code:
            return
        if self.random.random() < 0.1:
            self.goodbye = True
            self.disconnect()
        elif self.random.random() < 0.1:
            self.close(reset=self.random.random() < 0.5)


def fight(loop, clean, seed):
    """All connections that there were, of which at most one is still there."""
    rnd = random.Random(seed)
    every, now = [], []
    while len(every) < CONNECTIONS or now:
        now = [p for p in now if not p.closed]
        while len(now) < FIGHTERS and len(every) < CONNECTIONS:
            fighter = Fighter(loop, len(every),
                              clean if clean is not None else rnd.random() < 0.5, rnd)
            every.append(fighter)
            now.append(fighter)
        loop.turn()
        # In the end one is left, as nobody takes it over.
        if len(every) == CONNECTIONS and len(now) == 1 and now[0].connack:
            break
    return every


def test_fight(clean):
    loop = Loop()
    observer = client(loop, "observer", "will/#", "other/#", qos=2)
    every = fight(loop, clean, repr(clean))
    left = [p for p in every if not p.closed]
    check(len(left) <= 1, f"{len(left)} connections with one id")
    # Whoever is still there goes, too, and leaves its will.
    for peer in left:
        peer.close()
    wait_for(lambda: stats()["connections"] == 1, "the connections to end")
    # All that has been queued for the observer is in front of the answer.
    loop.until(lambda: quiet(observer), "the observer to have it all")
    now = stats()
    for name in ("dropped_queue_full", "dropped_no_memory"):
        same(now[name], 0, name)

    wills = collections.Counter(m[0] for m in observer.messages if m[0].startswith("will/"))
    accepted = lost = refused = 0
    for peer in every:
        count = wills[peer.name]
        check(count <= 1, f"{peer.name} was published {count} times")
        if peer.connack and peer.connack.code:
            refused += 1
            same((peer.connack.code, count), (3, 0), f"refusal and will of {peer.name}")
            continue
        if peer.connack:
            accepted += 1
        # With DISCONNECT on its way it may be taken over before it arrives.
        if peer.connack and not peer.goodbye:
            same(count, 1, f"times that {peer.name} was published")
            lost += 1
    note(f"{len(every)} connections, {accepted} heard that they were accepted, "
         f"{refused} that not, {sum(wills.values())} wills")
    check(lost > CONNECTIONS // 20, f"only {lost} connections were lost")
    loop.close()
    for session in ctl_json("session"):
        same(session["client_id"] in (ID, "observer"), True, f"a session of {session}")
        if session["client_id"] == ID:
            ctl("session", "del", ID)
    wait_idle()
    same(stats()["memory"], 0, "memory in the end")


def quiet(observer):
    # An answer may overtake messages that wait, but not those that are sent.
    if observer_queue():
        observer.loop.turn()
        return False
    observer.wait_ping()
    return True


def observer_queue():
    shown = [c for c in ctl_json("client") if c["client_id"] == "observer"][0]
    return shown["queued_messages"] + shown["inflight"]


class Heir(Peer):
    """A connection of the persistent session, which gets its messages."""

    def __init__(self, loop, got):
        super().__init__(loop)
        self.got = got
        self.connect(ID, clean=False)

    def on_message(self, topic, payload, qos, flags):
        self.got.append((int.from_bytes(payload, "big"), qos, bool(flags & 8)))


def test_session(rounds):
    """Messages for a session whose connection changes all the time."""
    loop, got = Loop(), []
    first = client(loop, ID, "state/#", qos=1, clean=False)
    first.subscribe("state/two", qos=2)
    first.wait_ping()
    first.close()
    pub = client(loop, "publisher")
    heirs, sent = [], 0
    for _ in range(rounds):
        heirs += [Heir(loop, got) for _ in range(3)]
        ids = set()
        for _ in range(10):
            ids.add(pub.publish("state/two" if sent % 2 else "state/one",
                                sent.to_bytes(4, "big"), 2))
            sent += 1
        loop.until(lambda want=ids: want <= pub.acked, "the publisher's acknowledgements")
        pub.acked.clear()
    same([h for h in heirs if h.connack and not h.connack.session_present], [],
         "connections whose session was not there")
    # One must not overtake the last.
    loop.until(lambda: all(h.connack or h.closed for h in heirs), "CONNACKs")
    heirs.append(Heir(loop, got))
    last = heirs[-1]
    loop.until(lambda: len({number for number, *_ in got}) >= sent, "all messages")
    last.wait_ping()
    check(not last.closed, f"the last connection stays: {last.closed}")
    loop.until(lambda: [h for h in heirs if not h.closed] == [last], "the others to be closed")
    # Connections are read in any order, so a repetition may be seen first.
    firsts = collections.Counter(number for number, _, dup in got if not dup)
    same([n for n, count in firsts.items() if count > 1], [], "messages repeated without DUP")
    for number, qos, _ in got:
        same(qos, 2 if number % 2 else 1, f"QoS of message {number}")
    note(f"{sent} messages over {len(heirs)} connections, {len(got)} deliveries")
    same(stats()["sessions"], 2, "sessions")
    # The subscriptions of the session have stayed.
    same(len(ctl_json("subscription", "get", ID)), 2, "subscriptions")
    loop.close()
    ctl("session", "del", ID)
    wait_idle()
    same(stats()["memory"], 0, "memory in the end")


def flip(stop):
    """Move the work between softirq and threads, again and again."""
    state = False
    while os.getppid() == stop:
        broker_set("bh-path", "on" if state else "off")
        state = not state
        # Leave some of the machine to the others.
        time.sleep(0.02)


def main():
    for clean, text in ((True, "clean sessions"), (False, "persistent sessions"),
                        (None, "clean and persistent sessions")):
        with point(f"{FIGHTERS} at a time fight for an id, {text}: wills come once"):
            test_fight(clean)
    flipper = Child(flip, os.getpid())
    with point("and again while work moves between softirq and threads"):
        test_fight(None)
    with point("a session keeps its messages while its connection changes"):
        test_session(scaled(40, 15))
    flipper.kill()
    broker_set("bh-path", "on")
    with point("a session keeps its messages, in softirq"):
        test_session(scaled(40, 15))
    finish()


main()
