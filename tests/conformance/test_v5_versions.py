# SPDX-License-Identifier: GPL-2.0
"""Clients of MQTT 3.1, 3.1.1 and 5 on one broker: each gets all that its version can express."""

import pytest

import mqtt
from client import case
from mqtt import Will, options

LEVEL = 5
VERSIONS = [3, 4, 5]
ALL = {"payload_format": 1, "content_type": "t", "response_topic": "r", "correlation_data": b"c",
       "user": [("a", "b"), ("a", "c")]}


def props_at(level):
    return ALL if level == 5 else {}


@pytest.mark.mqtt5("MQTT-3.3.2-17", "MQTT-4.5.0-1", "MQTT-3.8.4-8")
@pytest.mark.parametrize("sender", VERSIONS)
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_message_crosses_versions(broker, topic, sender, qos):
    """Live, retained, and from a queue."""
    def session(level, **args):
        return broker.client(level=level, clean=False, **args)

    live = {v: broker.client(level=v).subscribe(topic, qos=qos) for v in VERSIONS}
    away = {v: session(v, expiry=100 if v == 5 else None).subscribe(topic, qos=1)
            for v in VERSIONS}
    for one in away.values():
        one.disconnect()
    pub = broker.client(level=sender)
    pub.publish(topic, b"payload", qos, retain=True, props=props_at(sender))
    for level in VERSIONS:
        with case(f"to level {level}"):
            wanted = ALL if level == sender == 5 else {}
            live[level].receive(topic, b"payload", qos, retain=False, props=wanted)
            later = broker.client(level=level).subscribe(topic, qos=qos)
            later.receive(topic, b"payload", qos, retain=True, props=wanted)
            if qos:
                again = session(level, client_id=away[level].id,
                                session_present=None if level == 3 else True)
                again.receive(topic, b"payload", 1, props=wanted)


@pytest.mark.mqtt5("MQTT-3.3.1-12", "MQTT-3.3.1-13")
@pytest.mark.parametrize("sender", VERSIONS)
def test_options_work_for_messages_of_all_versions(broker, topic, sender):
    sub = broker.client()
    sub.subscribe((topic, options(1, as_published=True, no_local=True)),
                  props={"subscription_id": 3})
    pub = broker.client(level=sender)
    for retain in (False, True):
        pub.publish(topic, b"x", 1, retain=retain)
        sub.receive(topic, b"x", 1, retain=retain, props={"subscription_id": [3]})


@pytest.mark.parametrize("level", [3, 4])
def test_overlap_and_local_messages_of_older_clients(broker, topic, level):
    """As ever: one message, without anything of 5, and one's own, too."""
    one = broker.client(level=level).subscribe((topic, 0), (topic + "/#", 1))
    broker.client().publish(topic, b"x", 2, props=ALL)
    one.receive(topic, b"x", 1, retain=False)
    one.publish(topic, b"own", 1)
    one.receive(topic, b"own", 1)
    one.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.3-10")
@pytest.mark.parametrize("sender", VERSIONS)
@pytest.mark.parametrize("retain", [False, True])
def test_wills_cross_versions(broker, topic, sender, retain):
    subs = {v: broker.client(level=v).subscribe(topic, qos=1) for v in VERSIONS}
    broker.client(level=sender, will=Will(topic, b"will", 1, retain,
                                          props=props_at(sender))).reset()
    for level, one in subs.items():
        with case(f"to level {level}"):
            wanted = ALL if level == sender == 5 else {}
            one.receive(topic, b"will", 1, retain=False, props=wanted)
            if retain:
                later = broker.client(level=level).subscribe(topic, qos=1)
                later.receive(topic, b"will", 1, retain=True, props=wanted)


@pytest.mark.mqtt5("MQTT-3.3.2-7", "MQTT-3.3.2-12")
@pytest.mark.parametrize("level", [3, 4])
def test_aliased_topic_is_a_name_for_older_clients(broker, topic, level):
    pub = broker.client()
    if not pub.connack.props.get("topic_alias_max"):
        pytest.skip("the broker accepts no topic aliases")
    sub = broker.client(level=level).subscribe(topic, qos=2)
    pub.publish(topic, b"set", 1, props={"topic_alias": 1})
    pub.publish("", b"used", 2, props={"topic_alias": 1, "message_expiry": 100})
    sub.receive(topic, b"set", 1)
    sub.receive(topic, b"used", 2)


@pytest.mark.mqtt5("MQTT-3.1.2-5")
def test_unacknowledged_message_survives_a_change_of_version(broker, pub, topic):
    """Its properties, too, for as long as it isn't acknowledged."""
    one = broker.client(expiry=100).subscribe(topic, qos=2)
    pub.publish(topic, b"1", 1, props=ALL)
    pub.publish(topic, b"2", 2, props=ALL)
    before = [one.receive(topic, ack=False, props=ALL) for _ in range(2)]
    for level in (4, 5):
        one.reset()
        one = broker.client(one.id, level=level, clean=False, session_present=True,
                            expiry=100 if level == 5 else None)
        for message in before:
            got = one.receive(topic, message.payload, dup=True, ack=False, props=props_at(level))
            assert got.id == message.id


def test_3_1_1_client_gets_3_1_1_errors(broker, topic):
    """No DISCONNECT, no reason codes: it is as it was."""
    one = broker.client(level=4)
    one.send(mqtt.publish("", b"x"))
    one.expect_close()
    one = broker.client(level=4)
    one.send(mqtt.unsubscribe(1, topic), mqtt.ack(mqtt.PUBREL, 7), mqtt.publish(topic, b"", 1, 8))
    one.expect_bytes(b"\xb0\x02\0\1\x70\x02\0\7\x40\x02\0\x08")
