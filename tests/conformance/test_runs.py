# SPDX-License-Identifier: GPL-2.0
"""Messages in a row, in one piece: a broker may handle many of them together, unnoticed."""

import random

import pytest

import mqtt
from client import case
from mqtt import PUBACK, PUBCOMP, PUBREC, PUBREL, ack
from pieces import binary
from reason import ID_IN_USE, NO_SUBSCRIBERS, QUOTA

LEVELS = pytest.mark.parametrize("level", [4, 5])


def row(topic, level, payloads, qos=0, first_id=1, **args):
    """Packets that differ in payload and identifier only."""
    return [mqtt.publish(topic, payload, qos, first_id + i if qos else None, level=level, **args)
            for i, payload in enumerate(payloads)]


def collect(sub, count):
    """So many messages, while the exchanges of several are under way."""
    got, open_ = [], 0
    while len(got) < count or open_:
        packet = sub.recv()
        if isinstance(packet, mqtt.Publish):
            got.append(packet)
            open_ += packet.qos == 2
            if packet.qos:
                sub.send(ack(PUBACK if packet.qos == 1 else PUBREC, packet.id))
        elif isinstance(packet, mqtt.Pubrel):
            sub.send(ack(PUBCOMP, packet.id))
            open_ -= 1
        else:
            raise AssertionError(f"expected a message, got {packet}")
    return got


def numbers(count):
    return [b"%d" % i for i in range(count)]


@LEVELS
@pytest.mark.mqtt("MQTT-4.6.0-6")
@pytest.mark.mqtt5("MQTT-4.6.0-5")
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("size", [0, 1, 120, 5000])
def test_row(broker, topic, level, qos, size):
    """Of more messages than are handled together, and of various sizes."""
    pub = broker.client(level=level)
    subs = [broker.client(level=4).subscribe(topic, qos=2),
            broker.client(level=5).subscribe(topic, qos=0),
            broker.client(level=5, props={"max_packet_size": 2000}).subscribe(topic, qos=1)]
    payloads = [one + b"." * size for one in numbers(150 if size < 1000 and qos < 2 else 20)]
    pub.send(*row(topic, level, payloads, qos))
    for payload in payloads:
        subs[0].receive(topic, payload, qos)
        subs[1].receive(topic, payload, 0)
        if size < 1000:
            subs[2].receive(topic, payload, min(qos, 1))
    if qos:
        kind = mqtt.Puback if qos == 1 else mqtt.Pubrec
        pub.expect(*(kind(i + 1) for i in range(len(payloads))))
    for sub in subs:
        sub.expect_nothing()


@LEVELS
@pytest.mark.mqtt("MQTT-4.6.0-2", "MQTT-4.6.0-3")
@pytest.mark.mqtt5("MQTT-4.6.0-5")
@pytest.mark.parametrize("seed", range(6))
def test_anything_in_a_row(broker, topic, level, seed):
    """Whatever stands between the messages, nobody gets less, more, or another order."""
    rand = random.Random(seed)
    pub = broker.client(level=level)
    topics = [topic + "/a", topic + "/b"]
    subs = [(broker.client(level=4).subscribe(topic + "/#", qos=0), 0),
            (broker.client(level=5).subscribe(topic + "/#", qos=2), 2),
            (broker.client(level=5).subscribe(topic + "/+", topics[0], qos=1), 1)]
    group = [broker.client(level=5).subscribe(f"$share/g/{topic}/#", qos=1) for _ in range(2)]
    packets, sent, acks = [], [], {mqtt.Puback: [], mqtt.Pubrec: []}
    for i in range(300):
        what = rand.choice(["same"] * 12 + ["topic", "qos", "props", "retain", "ping", "filter"])
        if i == 0 or what in ("topic", "qos"):
            name, qos = rand.choice(topics), rand.randrange(3)
        if what == "ping":
            packets.append(mqtt.pingreq())
            continue
        if what == "filter":
            packets.append(mqtt.unsubscribe(1000 + i, topic + "/none", level=level))
            continue
        payload = b"%d" % i + b"." * rand.choice([0, 1, 100, 1000])
        props = {"content_type": "x"} if what == "props" and level == 5 else {}
        packets.append(mqtt.publish(name, payload, qos, i + 1 if qos else None, level=level,
                                    retain=what == "retain", props=props))
        sent.append((name, payload, qos))
        if qos:
            acks[mqtt.Puback if qos == 1 else mqtt.Pubrec].append(i + 1)
        if qos == 2:
            packets.append(ack(PUBREL, i + 1))
    pub.retained.update(topics)
    pub.send(b"".join(packets))
    for _ in range(packets.count(mqtt.pingreq())):
        pub.wait(mqtt.Pingresp)
    pub.ping()
    for kind, ids in acks.items():
        assert [p.id for p in pub.inbox if type(p) is kind] == ids    # [MQTT-4.6.0-2]
    for sub, most in subs:
        got = collect(sub, len(sent))
        for qos in range(most + 1):
            assert [(p.topic, p.payload) for p in got if p.qos == qos] == \
                [(name, payload) for name, payload, q in sent if min(q, most) == qos]
        sub.expect_nothing()
    got = []
    for one in group:
        while more := [p for p in one.barrier() if isinstance(p, mqtt.Publish)]:
            for message in more:
                one.acknowledge(message)
            got += [p.payload for p in more]
    assert sorted(got) == sorted(payload for _, payload, _ in sent)


@LEVELS
def test_row_that_nobody_wants(broker, topic, level):
    pub = broker.client(level=level)
    pub.send(*row(topic, level, numbers(100), 1))
    code = NO_SUBSCRIBERS if level == 5 else 0
    for i in range(100):
        got = pub.expect(mqtt.Puback)
        assert (got.id, got.code) in ((i + 1, code), (i + 1, 0)), got


@LEVELS
def test_row_that_ends_badly(broker, topic, level):
    """What came before the packet that isn't one counts."""
    bad = {"reserved bit": b"\x36\x00", "no identifier": mqtt.publish(topic, b"x", 1, 0, level=level),
           "wildcard": mqtt.publish(topic + "/#", b"x", 1, 9, level=level),
           "DUP with QoS 0": mqtt.publish(topic, b"x", dup=True, level=level),
           "too short": mqtt.packet(mqtt.PUBLISH, binary(topic)[:-1], 0),
           "no payload and no properties": mqtt.packet(mqtt.PUBLISH, binary(topic) + b"\0",
                                                       2)}
    for name, packet in bad.items():
        for qos in (0, 1):
            with case(f"{name}, QoS {qos}"):
                sub = broker.client().subscribe(topic, qos=1)
                pub = broker.client(level=level)
                pub.send(b"".join(row(topic, level, numbers(10), qos)) + packet)
                for payload in numbers(10):
                    sub.receive(topic, payload, qos)
                sub.expect_nothing()
                sub.disconnect()


@pytest.mark.mqtt5("MQTT-2.2.1-3")
def test_row_with_an_identifier_in_use(broker, topic):
    """QoS 1 in the middle of a QoS 2 exchange that has the same identifier."""
    pub = broker.client(level=5)
    sub = broker.client(level=5).subscribe(topic, qos=2)
    pub.send(*row(topic, 5, [b"two"], 2, first_id=3))
    pub.expect(mqtt.Pubrec(3))
    pub.send(b"".join(row(topic, 5, numbers(5), 1)))
    got = [pub.expect(mqtt.Puback) for _ in range(5)]
    assert [one.id for one in got] == [1, 2, 3, 4, 5]
    assert [one.code for one in got] == [0, 0, ID_IN_USE, 0, 0]
    sub.receive(topic, b"two", 2)
    for payload in (b"0", b"1", b"3", b"4"):
        sub.receive(topic, payload, 1)
    sub.expect_nothing()


@LEVELS
def test_row_with_a_full_queue(broker, broker_set, topic, level):
    """What is beyond the limit is dropped, also in the middle of what is handled together."""
    broker_set(max_queued_messages=10)
    pub = broker.client(level=level)
    away = broker.client(clean=False).subscribe(topic, qos=1)
    away.disconnect()
    here = broker.client().subscribe(topic, qos=1)
    pub.send(b"".join(row(topic, level, numbers(50), 1)))
    got = [pub.expect(mqtt.Puback) for _ in range(50)]
    assert [one.id for one in got] == list(range(1, 51))
    assert {one.code for one in got} <= {0, QUOTA}
    there = [int(p.payload) for p in here.barrier() if isinstance(p, mqtt.Publish)]
    assert there == sorted(there) and there[:10] == list(range(10))
    back = broker.client(away.id, clean=False, session_present=True)
    assert [p.payload for p in back.barrier()] == numbers(10)
