# SPDX-License-Identifier: GPL-2.0
"""PUBLISH, section 3.3, and packet identifiers, section 2.3.1.

What RETAIN does is in test_retain.py, the exchanges of QoS 1 and 2 in test_qos.py.
"""

import pytest

import mqtt
from client import Closed, case
from samples import BAD_FILTERS, ILL_FORMED, NUL


@pytest.mark.mqtt("MQTT-3.3.4-1", "MQTT-2.3.1-6", "MQTT-7.0.0-2", "MQTT-4.5.0-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_answer_and_delivery(pub, sub, topic, qos):
    sub.subscribe(topic, qos=2)
    pub.send(mqtt.publish(topic, b"message", qos, 77 if qos else None))
    if qos == 0:
        pub.expect_nothing()
    elif qos == 1:
        pub.expect(mqtt.Puback(77))
    else:
        pub.expect(mqtt.Pubrec(77))
        pub.send(mqtt.ack(mqtt.PUBREL, 77))
        pub.expect(mqtt.Pubcomp(77))
    sub.receive(topic, b"message", qos, retain=False)
    pub.expect_nothing()
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.5.0-1")
def test_every_subscriber_gets_it_once(broker, pub, topic):
    subs = [broker.client().subscribe(topic, qos=i % 3) for i in range(20)]
    other = broker.client().subscribe(topic + "/other")
    pub.publish(topic, b"all", 2)
    for i, one in enumerate(subs):
        with case(f"subscriber {i}"):
            one.receive(topic, b"all", i % 3)
            one.expect_nothing()
    other.expect_nothing()
    pub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.5.0-1")
def test_publisher_that_subscribes_gets_its_own(pub, topic):
    pub.subscribe(topic, qos=1)
    pub.publish(topic, b"echo", 1)
    pub.receive(topic, b"echo", 1)
    pub.expect_nothing()


@pytest.mark.mqtt("MQTT-2.3.1-5")
def test_qos_0_has_no_packet_identifier(pub, sub, topic):
    """What looks like one is payload, and comes out as it went in."""
    sub.subscribe(topic, qos=2)
    for payload in (b"", b"\0\1", b"\0\0", b"\0"):
        with case(payload):
            pub.publish(topic, payload)
            sub.receive(topic, payload, 0)


@pytest.mark.mqtt("MQTT-2.3.1-1", "MQTT-4.8.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_packet_identifier_0_closes(broker, sub, topic, qos):
    sub.subscribe(topic, qos=2)
    broker.closes(mqtt.publish(topic, b"zero", qos, 0))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-2.3.1-1")
@pytest.mark.parametrize("id", [1, 255, 256, 32768, 65535])
def test_any_other_packet_identifier_is_good(pub, sub, topic, id):
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"1", 1, id=id)
    pub.publish(topic, b"2", 2, id=id)
    sub.receive(topic, b"1", 1)
    sub.receive(topic, b"2", 2)


@pytest.mark.mqtt("MQTT-2.3.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1")
def test_unacknowledged_messages_have_different_identifiers(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    for i in range(10):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    ids = [sub.receive(topic, b"%d" % i, 1 + i % 2, ack=False).id for i in range(10)]
    assert len(set(ids)) == 10, ids


@pytest.mark.mqtt("MQTT-2.3.1-4")
def test_identifiers_of_both_directions_are_independent(pub, sub, topic):
    sub.subscribe(topic, qos=1)
    pub.publish(topic, b"down", 1)
    down = sub.receive(topic, b"down", 1, ack=False)
    sub.publish(topic + "/up", b"up", 1, id=down.id)
    sub.publish(topic + "/up", b"up", 2, id=down.id)
    sub.acknowledge(down)
    pub.publish(topic, b"next", 1)
    sub.receive(topic, b"next", 1)


# -------------------------------------------------------------------- flags

@pytest.mark.mqtt("MQTT-3.3.1-2")
def test_dup_with_qos_0_closes(broker, sub, topic):
    sub.subscribe(topic)
    broker.closes(mqtt.publish(topic, b"dup", dup=True))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-2", "MQTT-4.3.1-1", "MQTT-3.3.1-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_dup_is_not_passed_on(pub, sub, topic, qos):
    sub.subscribe((topic, qos), (topic + "/0", 0))
    pub.publish(topic, b"again", qos, dup=True)
    sub.receive(topic, b"again", qos, dup=False)
    pub.publish(topic + "/0", b"again", qos, dup=True)
    sub.receive(topic + "/0", b"again", 0, dup=False)


@pytest.mark.mqtt("MQTT-3.3.1-4", "MQTT-4.8.0-1")
def test_qos_3_closes(broker, sub, topic):
    sub.subscribe(topic, qos=2)
    for dup in (False, True):
        for retain in (False, True):
            with case(f"dup {dup}, retain {retain}"):
                broker.retained.add(topic)
                broker.closes(mqtt.publish(topic, b"three", 3, 1, dup=dup, retain=retain))
    sub.expect_nothing()
    broker.client().subscribe(topic).expect_nothing()


# --------------------------------------------------------------- topic name

@pytest.mark.mqtt("MQTT-3.3.2-1", "MQTT-4.8.0-1")
@pytest.mark.parametrize("body", [b"", b"\0", b"\0\1", b"\0\5abcd", b"\xff\xffabcd"],
                         ids=["none", "half-a-length", "no-text", "text-cut", "far-too-long"])
def test_topic_that_isnt_there_closes(broker, body):
    broker.closes(mqtt.packet(mqtt.PUBLISH, body, 0))
    broker.closes(mqtt.packet(mqtt.PUBLISH, body, 2))


@pytest.mark.mqtt("MQTT-2.3.1-1", "MQTT-4.8.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_identifier_that_isnt_there_closes(broker, topic, qos):
    for rest in (b"", b"\1"):
        broker.closes(mqtt.packet(mqtt.PUBLISH, mqtt.binary(topic) + rest, qos << 1))


@pytest.mark.mqtt("MQTT-3.3.2-1", "MQTT-1.5.3-1")
def test_ill_formed_topic_closes(broker, sub, topic):
    sub.subscribe(topic + "/#")
    for name, bad in ILL_FORMED.items():
        with case(name):
            broker.closes(mqtt.publish(topic.encode() + b"/" + bad, b"x"))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.2-1", "MQTT-1.5.3-2", "MQTT-4.7.3-2")
def test_nul_in_topic_closes(broker, sub, topic):
    sub.subscribe(topic + "/#")
    for name, bad in NUL.items():
        with case(name):
            broker.closes(mqtt.publish(topic.encode() + b"/" + bad, b"x"))
            broker.closes(mqtt.publish(bad, b"x", 1, 1))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.7.3-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_empty_topic_closes(broker, qos):
    broker.closes(mqtt.publish("", b"x", qos, 1 if qos else None))


@pytest.mark.mqtt("MQTT-3.3.2-2", "MQTT-4.7.1-1")
def test_wildcard_in_topic_closes(broker, sub, topic):
    sub.subscribe(topic + "/#", topic)
    for bad in ["#", "+", "{}/#", "{}/+", "{}/+/a"] + BAD_FILTERS:
        with case(bad):
            broker.closes(mqtt.publish(bad.format(topic), b"x"))
            broker.closes(mqtt.publish(bad.format(topic), b"x", 1, 1))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.2-3")
def test_topic_that_is_delivered_is_the_published_one(pub, sub, topic):
    sub.subscribe(topic + "/+/c/#")
    for name in ("a/c", "b/c/d", "/c//", "\u00e4/c/ /\u4e2d"):
        with case(name):
            pub.publish(f"{topic}/{name}", b"x")
            sub.receive(f"{topic}/{name}", b"x")


@pytest.mark.mqtt("MQTT-3.3.5-2")
def test_publish_to_sys_is_answered_or_closes(broker, topic):
    """Whether it is allowed is the broker's business: there is no third way."""
    one = broker.client()
    one.send(mqtt.publish(f"$SYS/{topic}", b"x", 1, 9), mqtt.pingreq())
    try:
        one.expect(mqtt.Puback(9), mqtt.Pingresp())
    except Closed:
        pass


# ------------------------------------------------------------------ payload

# The remaining lengths at which its encoding grows, and the ones around pages.
LENGTHS = [3, 127, 128, 4095, 4096, 4097, 16383, 16384, 65535, 65536, 2097151, 2097152]


@pytest.mark.mqtt("MQTT-3.3.4-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_payloads_of_all_sizes(pub, sub, topic, qos):
    sub.subscribe(topic, qos=qos)
    pattern = bytes(i * 7 & 0xff for i in range(2039))
    for length in LENGTHS if qos == 1 else LENGTHS[:-2]:
        size = max(0, length - 2 - len(topic) - (2 if qos else 0))
        with case(f"remaining length {length}"):
            payload = (pattern * (size // len(pattern) + 1))[:size]
            pub.publish(topic, payload, qos)
            got = sub.receive(topic, qos=qos)
            assert got.payload == payload, f"{len(got.payload)} of {size} bytes, or others"


@pytest.mark.mqtt("MQTT-3.3.4-1")
def test_payload_is_not_text(pub, sub, topic):
    sub.subscribe(topic, qos=1)
    for payload in (bytes(range(256)), b"\0" * 10, b"\xed\xa0\x80", b"{}"):
        with case(payload[:10]):
            pub.publish(topic, payload, 1)
            sub.receive(topic, payload, 1)
