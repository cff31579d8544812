# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: topic aliases in both directions: section 3.3.2.3.4.

What the broker sends is checked by the client, whatever the test: no alias above
the maximum that it has offered, and none that hasn't been set.
"""

import pytest

import mqtt
from client import case
from reason import BAD_ALIAS, PROTOCOL_ERROR

LEVEL = 5


@pytest.fixture
def most(broker):
    """The greatest alias that the broker accepts."""
    most = broker.client().connack.props.get("topic_alias_max", 0)
    if most < 2:
        pytest.skip("the broker accepts no topic aliases")
    return most


def by_alias(alias, payload, qos=0, id=None, topic=""):
    return mqtt.publish(topic, payload, qos, id, level=5, props={"topic_alias": alias})


# ------------------------------------------------------------- to the broker

@pytest.mark.mqtt5("MQTT-3.3.2-8")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_alias_0(broker, topic, qos):
    id = 1 if qos else None
    broker.closes(by_alias(0, b"x", qos, id, topic), codes=[BAD_ALIAS])
    broker.closes(by_alias(0, b"x", qos, id), codes=[BAD_ALIAS])


@pytest.mark.mqtt5("MQTT-3.3.2-9", "MQTT-3.2.2-17")
def test_alias_above_the_maximum(broker, topic):
    most = broker.client().connack.props.get("topic_alias_max", 0)
    for alias in {most + 1, 65535} - {65536, most}:
        with case(alias):
            broker.closes(by_alias(alias, b"x", topic=topic), codes=[BAD_ALIAS])


@pytest.mark.mqtt5("MQTT-3.3.2-12", "MQTT-3.3.2-9")
def test_all_aliases_up_to_the_maximum(pub, sub, topic, most):
    sub.subscribe(topic + "/+")
    some = sorted({1, 2, most // 2, most - 1, most} - {0})
    for alias in some:
        pub.publish(f"{topic}/{alias}", b"set", props={"topic_alias": alias})
        sub.receive(f"{topic}/{alias}", b"set")
    for alias in some:
        pub.send(by_alias(alias, b"used"))
        sub.receive(f"{topic}/{alias}", b"used")
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.4-1", "MQTT-3.3.2-12")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_alias_with_any_qos(pub, sub, topic, most, qos):
    assert most
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"set", qos, props={"topic_alias": 1})
    pub.publish("", b"used", qos, props={"topic_alias": 1, "content_type": "t"})
    sub.receive(topic, b"set", qos)
    sub.receive(topic, b"used", qos, props={"content_type": "t"})


def test_alias_for_a_retained_message(broker, pub, topic, most):
    assert most
    pub.publish(topic, b"set", props={"topic_alias": 1})
    broker.retained.add(topic)
    pub.send(mqtt.publish("", b"kept", level=5, retain=True, props={"topic_alias": 1}))
    pub.ping()
    broker.client().subscribe(topic).receive(topic, b"kept", retain=True)


@pytest.mark.mqtt5("MQTT-3.3.2-12")
def test_alias_can_be_set_anew(pub, sub, topic, most):
    assert most
    sub.subscribe(topic + "/+")
    for name in "aba":
        pub.publish(f"{topic}/{name}", b"set", props={"topic_alias": 2})
        pub.send(by_alias(2, b"used"), by_alias(2, b"again"))
        for payload in (b"set", b"used", b"again"):
            sub.receive(f"{topic}/{name}", payload)
    sub.expect_nothing()


def test_two_aliases_for_a_topic(pub, sub, topic, most):
    assert most
    sub.subscribe(topic)
    for alias in (1, 2):
        pub.publish(topic, b"set", props={"topic_alias": alias})
    pub.send(by_alias(1, b"1"), by_alias(2, b"2"))
    for payload in (b"set", b"set", b"1", b"2"):
        sub.receive(topic, payload)


@pytest.mark.mqtt5("MQTT-4.13.1-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_alias_that_isnt_set(broker, most, topic, qos):
    one = broker.client()
    one.publish(topic, b"x", props={"topic_alias": most})
    one.send(by_alias(1, b"x", qos, 1 if qos else None))
    one.expect_disconnect(PROTOCOL_ERROR, ping=True)


@pytest.mark.mqtt5("MQTT-3.3.2-7")
def test_alias_ends_with_its_connection(broker, topic, most):
    assert most
    one = broker.client(expiry=100)
    one.publish(topic, b"x", props={"topic_alias": 1})
    one.disconnect()
    again = broker.client(one.id, clean=False, expiry=100, session_present=True)
    again.send(by_alias(1, b"x"))
    again.expect_disconnect(PROTOCOL_ERROR, ping=True)


@pytest.mark.mqtt5("MQTT-3.3.2-7")
def test_alias_ends_with_its_connection_when_taken_over(broker, topic, most):
    assert most
    one = broker.client(expiry=100)
    one.publish(topic, b"x", props={"topic_alias": 1})
    two = broker.client(one.id, clean=False, expiry=100, session_present=True)
    two.send(by_alias(1, b"x"))
    two.expect_disconnect(PROTOCOL_ERROR, ping=True)


def test_aliases_of_two_clients_have_nothing_to_do_with_each_other(broker, sub, topic, most):
    assert most
    sub.subscribe(topic + "/+")
    one, two = broker.client(), broker.client()
    one.publish(topic + "/one", b"set", props={"topic_alias": 1})
    two.publish(topic + "/two", b"set", props={"topic_alias": 1})
    one.publish("", b"1", props={"topic_alias": 1})
    two.publish("", b"2", props={"topic_alias": 1})
    got = [(p.topic, p.payload) for p in sub.barrier()]
    assert got == [(topic + "/one", b"set"), (topic + "/two", b"set"),
                   (topic + "/one", b"1"), (topic + "/two", b"2")]


# ------------------------------------------------------------- to the client

@pytest.mark.mqtt5("MQTT-3.1.2-26", "MQTT-3.1.2-27", "MQTT-3.3.2-11")
@pytest.mark.parametrize("offer", [None, 0, 1, 3, 65535])
@pytest.mark.parametrize("qos", [0, 1])
def test_aliases_within_what_the_client_offers(broker, pub, topic, offer, qos):
    """More topics than aliases, in turn and in bursts; every topic name is right."""
    sub = broker.client(props={} if offer is None else {"topic_alias_max": offer})
    sub.subscribe(topic + "/#", qos=qos)
    names = [f"{topic}/{n}" for n in (0, 1, 2, 3, 4, 5, 0, 1, 0, 0, 0, 5, 5, 4, 0, 1, 2, 3, 4, 5)]
    for i, name in enumerate(names):
        pub.publish(name, b"%d" % i, qos)
    for i, name in enumerate(names):
        sub.receive(name, b"%d" % i, qos)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.2-7", "MQTT-3.1.2-26", "MQTT-3.1.2-27")
def test_aliases_of_the_broker_end_with_their_connection(broker, pub, topic):
    """What is sent again, too, and what has waited in a queue: the client has forgotten all."""
    sub = broker.client(expiry=100, props={"topic_alias_max": 2}).subscribe(topic + "/#", qos=1)
    names = [f"{topic}/{n}" for n in (0, 1, 2, 0)]
    for name in names:
        pub.publish(name, b"x", 1)
    for name in names:
        sub.receive(name, b"x", 1, ack=False)
    sub.reset()
    for offer in (2, 0):
        for name in names:
            pub.publish(name, b"y", 1)
        sub = broker.client(sub.id, clean=False, expiry=100, session_present=True,
                            props={"topic_alias_max": offer})
        for name in names:
            sub.receive(name, b"x", 1, dup=True, ack=False)
        for name in names * (2 if offer == 0 else 1):
            sub.receive(name, b"y", 1, dup=None, ack=False)
        sub.reset()


def test_aliases_of_client_and_broker_are_independent(broker, topic, most):
    assert most
    one = broker.client(props={"topic_alias_max": 2})
    one.subscribe(topic + "/+")
    for name in "abcab":
        one.send(by_alias(1, name.encode(), topic=f"{topic}/{name}"))
        one.send(by_alias(1, b"again"))
    for name in "abcab":
        one.receive(f"{topic}/{name}", name.encode())
        one.receive(f"{topic}/{name}", b"again")
