# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: messages that expire: section 3.3.2.3.3."""

import time

import pytest

import mqtt
from mqtt import PUBCOMP, PUBREC, PUBREL, Will

LEVEL = 5
LONG = 1000


def left(got, sent, before):
    """The interval has become shorter by the time in the broker, in whole seconds."""
    took = time.monotonic() - before
    interval = got.props["message_expiry"]
    assert sent - took - 1.5 <= interval <= sent, f"{interval} of {sent} after {took:.1f} s"


@pytest.mark.mqtt5("MQTT-3.3.2-6")
@pytest.mark.parametrize("expiry", [10, 0xffffffff])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_interval_is_forwarded(pub, sub, topic, qos, expiry):
    sub.subscribe(topic, qos=2)
    before = time.monotonic()
    pub.publish(topic, b"x", qos, props={"message_expiry": expiry, "content_type": "t"})
    got = sub.receive(topic, b"x", qos, props=...)
    left(got, expiry, before)
    assert got.props["content_type"] == "t"


@pytest.mark.mqtt5("MQTT-3.3.2-6")
def test_message_without_interval_has_none(pub, sub, topic):
    sub.subscribe(topic)
    pub.publish(topic, b"x")
    sub.receive(topic, b"x", props={})


@pytest.mark.mqtt5("MQTT-3.3.2-5", "MQTT-3.3.2-6")
def test_expiry_in_queues_and_of_retained_messages(broker, sub, pub, topic):
    """One second passes, or more: everything that expires by then is gone, the rest is shorter."""
    sub.subscribe(topic + "/clock", qos=1)
    away = broker.client(expiry=LONG).subscribe(topic + "/q/#", qos=2)
    shared = broker.client(expiry=LONG).subscribe(f"$share/g/{topic}/q/#", qos=2)
    away.disconnect()
    shared.disconnect()
    before = time.monotonic()
    for qos in (1, 2):
        pub.publish(topic + "/q/gone", b"gone", qos, props={"message_expiry": 1})
        pub.publish(topic + "/q/long", b"%d" % qos, qos, props={"message_expiry": LONG})
        pub.publish(topic + "/q/ever", b"ever", qos)
    for name, props in (("gone", {"message_expiry": 1}), ("long", {"message_expiry": LONG}),
                        ("ever", {})):
        pub.publish(f"{topic}/r/{name}", b"kept", 1, retain=True, props=props)
    # A clock that ticks when two seconds have passed in the broker.
    broker.client(expiry=LONG, will=Will(topic + "/clock", props={"will_delay": 2})).reset()
    sub.receive(topic + "/clock")

    for one in (away, shared):
        again = broker.client(one.id, clean=False, session_present=True)
        for qos in (1, 2):
            got = again.receive(topic + "/q/long", b"%d" % qos, qos, props=...)
            left(got, LONG, before)
            assert got.props["message_expiry"] <= LONG - 1
            again.receive(topic + "/q/ever", b"ever", qos, props={})
        again.expect_nothing()
    for qos in (0, 1):
        got = {p.topic: p for p in broker.client().subscribe(topic + "/r/#", qos=qos).barrier()}
        assert set(got) == {topic + "/r/long", topic + "/r/ever"}
        left(got[topic + "/r/long"], LONG, before)
        assert got[topic + "/r/long"].props["message_expiry"] <= LONG - 1
        assert not got[topic + "/r/ever"].props


@pytest.mark.mqtt5("MQTT-3.3.2-5", "MQTT-4.3.3-7", "MQTT-4.3.3-13", "MQTT-4.4.0-1")
def test_what_has_been_sent_doesnt_expire(broker, sub, pub, topic):
    """The exchange goes on, also on a new connection; what waits behind the window expires."""
    sub.subscribe(topic + "/clock", qos=1)
    one = broker.client(expiry=LONG, props={"receive_max": 3}).subscribe(topic, qos=2)
    for qos, payload in ((2, b"sent"), (2, b"released"), (1, b"one"), (2, b"behind"),
                         (1, b"behind")):
        pub.publish(topic, payload, qos, props={"message_expiry": 1})
    pub.send(mqtt.publish(topic + "/up", b"up", 2, 1, level=5, props={"message_expiry": 1}))
    pub.expect(mqtt.Pubrec)
    sent, released, first = (one.receive(topic, ack=False, props=...) for _ in range(3))
    assert [p.payload for p in (sent, released, first)] == [b"sent", b"released", b"one"]
    one.send(mqtt.ack(PUBREC, released.id))
    one.expect(mqtt.Pubrel(released.id))
    broker.client(expiry=LONG, will=Will(topic + "/clock", props={"will_delay": 2})).reset()
    sub.receive(topic + "/clock")

    pub.send(mqtt.ack(PUBREL, 1))
    pub.expect(mqtt.Pubcomp(1))
    one.reset()
    again = broker.client(one.id, clean=False, session_present=True)
    got = [again.recv() for _ in range(3)]
    assert mqtt.Pubrel(released.id) in got
    twice = [p for p in got if isinstance(p, mqtt.Publish)]
    assert sorted((p.id, p.payload, p.dup) for p in twice) == \
        sorted((p.id, p.payload, True) for p in (sent, first))
    again.send(mqtt.ack(PUBCOMP, released.id))
    for message in twice:
        again.acknowledge(message)
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.2-5")
def test_interval_0(broker, pub, topic):
    """It can be delivered at once, or never; it doesn't wait."""
    away = broker.client(expiry=LONG).subscribe(topic, qos=1)
    away.disconnect()
    pub.publish(topic, b"x", 1, props={"message_expiry": 0})
    pub.publish(topic, b"y", 1)
    again = broker.client(away.id, clean=False, session_present=True)
    got = [p.payload for p in again.barrier()]
    assert got in ([b"y"], [b"x", b"y"])
