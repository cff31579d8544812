#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Scenarios with Paho MQTT for Python.

    scenarios.py HOST PORT

Prints a line "ok - ..." or "not ok - ..." for each scenario; ../run numbers
them. KMQTT_TIMEOUT_SCALE, KMQTT_CLIENTS_BIG, KMQTT_CLIENTS_TAG,
KMQTT_CLIENTS_VERSIONS and KMQTT_CTL are those of ../run.
"""

import os
import sys
import traceback

import scenarios5
from peer import Peer, Target

MIB = 1024 * 1024
BURST = 1000
OFFLINE = 200


class Stage:
    """What a scenario is given: names of its own, and clients."""

    def __init__(self, target, base, id_base, scale):
        self.target = target
        self.base = base
        self.id_base = id_base
        # Does the broker tell whether it has a session?
        self.tells_session = target.version != "3.1"
        # For intervals that the broker measures, in seconds: short, but a
        # client has to get some work done in it.
        self.delay = 2 if scale < 4 else 4

    def topic(self, name):
        return f"{self.base}/{name}"

    def connect(self, name, version=None, **options):
        target = self.target
        if version:
            target = target._replace(version=version)
        return Peer(target, f"{self.id_base}-{name}", **options)

    def resume(self, name, **options):
        """Connect with the session that there may be, and keep it."""
        if self.target.version == "5.0":
            options["properties"] = {"SessionExpiryInterval": 3600,
                                     **options.get("properties", {})}
        return self.connect(name, clean=False, **options)

    def forget(self, name):
        """End the session that this client may have."""
        peer = self.connect(name)
        assert not peer.session_present
        peer.disconnect()


def disconnect_all(*peers):
    for peer in peers:
        peer.disconnect()


def every_qos(stage):
    a, b = stage.connect("a"), stage.connect("b")
    for qos in range(3):
        assert a.subscribe(stage.topic(f"to-a/{qos}"), qos) == qos
        assert b.subscribe(stage.topic(f"to-b/{qos}"), qos) == qos
    for pub in range(3):
        for sub in range(3):
            text = f"published {pub} subscribed {sub}"
            a.publish(stage.topic(f"to-b/{sub}"), text, pub)
            b.expect(stage.topic(f"to-b/{sub}"), text, min(pub, sub))
            b.publish(stage.topic(f"to-a/{sub}"), text, pub)
            a.expect(stage.topic(f"to-a/{sub}"), text, min(pub, sub))
    a.publish(stage.topic("to-b/2"), "", 2)
    b.expect(stage.topic("to-b/2"), "", 2)
    disconnect_all(a, b)


def retained(stage):
    pub, live = stage.connect("pub"), stage.connect("live")
    one = stage.topic("one")
    live.subscribe(stage.topic("#"), 1)
    pub.publish(one, "first", 1, retain=True)
    live.expect(one, "first", 1, retain=False)
    pub.publish(one, "second", 1, retain=True)
    live.expect(one, "second", 1, retain=False)

    late = stage.connect("late")
    late.subscribe(stage.topic("+"), 1)
    late.expect(one, "second", 1, retain=True)
    late.disconnect()

    pub.publish(one, "", 1, retain=True)
    live.expect(one, "", 1, retain=False)
    late = stage.connect("late")
    late.subscribe(stage.topic("+"), 1)
    pub.publish(stage.topic("two"), "marker", 1)
    late.expect(stage.topic("two"), "marker", 1, retain=False)
    disconnect_all(late, live, pub)


def will(stage):
    watch = stage.connect("watch")
    watch.subscribe(stage.topic("will/#"), 2)
    never = (stage.topic("will/none"), "must not be sent", 1, False)
    stage.connect("polite", will=never).disconnect()
    for qos in range(3):
        for reset in False, True:
            topic = stage.topic(f"will/{qos}/{reset}")
            peer = stage.connect("dying", will=(topic, "gone", qos, False))
            peer.cut(reset)
            watch.expect(topic, "gone", qos, retain=False)

    kept = stage.topic("will/kept")
    stage.connect("dying", will=(kept, "gone for good", 1, True)).cut()
    watch.expect(kept, "gone for good", 1, retain=False)
    late = stage.connect("late")
    late.subscribe(kept, 1)
    late.expect(kept, "gone for good", 1, retain=True)
    late.publish(kept, "", 0, retain=True)
    watch.expect(kept, "", 0, retain=False)
    disconnect_all(watch, late)


def offline_queue(stage):
    pub = stage.connect("pub")
    stage.forget("sub")
    sub = stage.resume("sub")
    assert not sub.session_present
    sub.subscribe(stage.topic("queue/1"), 1)
    sub.subscribe(stage.topic("queue/2"), 2)
    sub.disconnect()

    pub.drain([pub.send(stage.topic(f"queue/{qos}"), f"{i}", qos)
               for i in range(OFFLINE) for qos in (1, 2)])

    sub = stage.resume("sub")
    assert sub.session_present == stage.tells_session
    count = {1: 0, 2: 0}
    for _ in range(2 * OFFLINE):
        got = sub.next()
        assert got.topic == stage.topic(f"queue/{got.qos}"), got
        assert got.payload == b"%d" % count[got.qos], (got, count)
        count[got.qos] += 1
    pub.publish(stage.topic("queue/2"), "end", 2)
    sub.expect(stage.topic("queue/2"), "end", 2)
    disconnect_all(sub, pub)
    stage.forget("sub")


def take_over(stage):
    pub, old = stage.connect("pub"), stage.connect("same")
    old.subscribe(stage.topic("#"), 1)
    pub.publish(stage.topic("to"), "old", 1)
    old.expect(stage.topic("to"), "old", 1)

    new = stage.connect("same")
    old.lost()
    new.subscribe(stage.topic("#"), 1)
    pub.publish(stage.topic("to"), "new", 1)
    new.expect(stage.topic("to"), "new", 1)
    assert not old.messages
    disconnect_all(new, pub)


def payload_of(stage, size, qos):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    payload = os.urandom(size)
    sub.subscribe(stage.topic("payload"), qos)
    sent = pub.send(stage.topic("payload"), payload, qos)
    got = sub.next().payload
    assert len(got) == size
    # Not in the assert: its report would print both.
    same = got == payload
    assert same, "payload has changed"
    pub.drain([sent])
    disconnect_all(sub, pub)


def one_mib(stage):
    for qos in range(3):
        payload_of(stage, MIB, qos)


def hundred_mib(stage):
    payload_of(stage, 100 * MIB, 0 if stage.tells_session else 1)


def matches(topic_filter, topic):
    """The plain reading of the specification."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for i, level in enumerate(wanted):
        if level == "#":
            return i <= len(levels)
        if i >= len(levels) or level not in ("+", levels[i]):
            return False
    return len(wanted) == len(levels)


def wildcards(stage):
    filters = ["#", "red/#", "+/3/+", "+/+/state", "green/7/set", "+",
               "blue/+/", "+/+/+", "red/+", "+/12/#"]
    topics = ["red"] + [f"{colour}/{i}{leaf}"
                        for colour in ("red", "green", "blue")
                        for i in range(20)
                        for leaf in ("/state", "/set", "/", "")]
    end = stage.topic("end/of/all/topics")
    pub = stage.connect("pub")
    subs = []
    for i, topic_filter in enumerate(filters):
        sub = stage.connect(f"sub{i}")
        sub.subscribe(stage.topic(topic_filter), 1)
        sub.subscribe(end, 1)
        subs.append(sub)

    pub.drain([pub.send(stage.topic(topic), topic, 1) for topic in topics])
    pub.publish(end, "end", 1)

    for topic_filter, sub in zip(filters, subs):
        for topic in topics:
            if matches(topic_filter, topic):
                sub.expect(stage.topic(topic), topic, 1)
        sub.expect(end, "end", 1)
    disconnect_all(pub, *subs)


def burst(stage, qos):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    topic = stage.topic("burst")
    sub.subscribe(topic, qos)
    pub.drain([pub.send(topic, f"{i}", qos) for i in range(BURST)])
    pub.publish(topic, "end", qos)
    for i in range(BURST):
        sub.expect(topic, f"{i}", qos)
    sub.expect(topic, "end", qos)
    disconnect_all(pub, sub)


def burst_0(stage):
    burst(stage, 0)


def burst_1(stage):
    burst(stage, 1)


def burst_2(stage):
    burst(stage, 2)


def unsubscribe(stage):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    drop, keep = stage.topic("drop/it"), stage.topic("keep")
    sub.subscribe(keep, 1)
    sub.subscribe(stage.topic("drop/#"), 1)
    pub.publish(drop, "before", 1)
    sub.expect(drop, "before", 1)
    sub.unsubscribe(stage.topic("drop/#"))
    sub.unsubscribe(stage.topic("never/subscribed"))
    pub.publish(drop, "after", 1)
    pub.publish(keep, "kept", 1)
    sub.expect(keep, "kept", 1)
    disconnect_all(pub, sub)


def reconnect(stage):
    """The library connects again by itself. The connection is cut while
    messages are on their way: none may be lost, and of QoS 2 none may come
    twice."""
    pub = stage.connect("pub")
    stage.forget("sub")
    sub = stage.resume("sub", reconnect=True)
    for qos in 1, 2:
        sub.subscribe(stage.topic(f"news/{qos}"), qos)
    sent = [pub.send(stage.topic(f"news/{qos}"), f"{i}", qos)
            for i in range(BURST) for qos in (1, 2)]

    got = {1: [], 2: []}
    seen = 0
    while any(not got[qos] or max(got[qos]) < BURST - 1 for qos in got):
        message = sub.next()
        got[message.qos].append(int(message.payload))
        seen += 1
        if seen == 100:
            sub.cut()
    pub.drain(sent)
    assert sub.connects > 1, "the library hasn't connected again"
    assert got[2] == list(range(BURST)), got[2]
    assert list(dict.fromkeys(got[1])) == list(range(BURST)), got[1]
    disconnect_all(sub, pub)
    stage.forget("sub")


SCENARIOS = [
    ("qos 0, 1 and 2 both ways", every_qos),
    ("retained: set, get, replace, clear", retained),
    ("will: sent after FIN and RST, not after DISCONNECT", will),
    ("persistent session: offline queue of qos 1 and 2", offline_queue),
    ("take-over of a client id", take_over),
    ("payload of 1 MiB", one_mib),
    ("payload of 100 MiB", hundred_mib),
    ("wildcards over many topics", wildcards),
    ("burst of 1000, qos 0, in order", burst_0),
    ("burst of 1000, qos 1, in order", burst_1),
    ("burst of 1000, qos 2, in order", burst_2),
    ("unsubscribe", unsubscribe),
    ("reconnect by itself in a burst, none lost", reconnect),
]


def play(name, scenario, stage):
    try:
        scenario(stage)
    except scenarios5.Skip as skip:
        print(f"ok - {name} # SKIP {skip}", flush=True)
        return True
    except Exception:
        for line in traceback.format_exc().splitlines():
            print(f"# {line}")
        print(f"not ok - {name}", flush=True)
        return False
    finally:
        Peer.drop_all()
    print(f"ok - {name}", flush=True)
    return True


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: scenarios.py HOST PORT")
    host, port = sys.argv[1], int(sys.argv[2])
    scale = int(os.environ.get("KMQTT_TIMEOUT_SCALE") or 1)
    big = os.environ.get("KMQTT_CLIENTS_BIG") != "0"
    tag = os.environ.get("KMQTT_CLIENTS_TAG") or os.getpid()
    versions = os.environ.get("KMQTT_CLIENTS_VERSIONS") or "3.1 3.1.1 5.0"
    failed = False

    for version in versions.split():
        v = ("3.1", "3.1.1", "5.0").index(version)
        scenarios = SCENARIOS
        if version == "5.0":
            scenarios = SCENARIOS + scenarios5.SCENARIOS
        for i, (text, scenario) in enumerate(scenarios):
            name = f"{version}: {text}"
            is_big = scenario is hundred_mib
            if is_big and not big:
                print(f"ok - {name} # SKIP KMQTT_CLIENTS_BIG=0", flush=True)
                continue
            target = Target(host, port, version,
                            (120 if is_big else 20) * scale,
                            min(60 * scale, 65535))
            stage = Stage(target, f"{tag}/py/{version}/{i}",
                          f"{tag}-p{v}-{i}", scale)
            if not play(name, scenario, stage):
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
