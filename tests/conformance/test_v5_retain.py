# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: retained messages, retain handling and retain as published: section 3.3.1.3."""

import pytest

import mqtt
from client import case
from mqtt import options

LEVEL = 5


@pytest.mark.mqtt5("MQTT-3.3.1-5", "MQTT-3.3.1-9", "MQTT-3.8.4-8")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_new_subscription_gets_it(broker, pub, topic, qos):
    pub.publish(topic, b"kept", qos, retain=True)
    for granted in range(3):
        with case(f"granted {granted}"):
            sub = broker.client().subscribe(topic, qos=granted)
            sub.receive(topic, b"kept", min(qos, granted), retain=True)
            sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.1-5")
@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_last_one_replaces(broker, pub, topic, first, second):
    """With its properties: those of the first are gone, too."""
    pub.publish(topic, b"first", first, retain=True,
                props={"content_type": "first", "user": [("a", "b")], "message_expiry": 1000})
    pub.publish(topic, b"second", second, retain=True, props={"response_topic": "second"})
    sub = broker.client().subscribe(topic, qos=2)
    sub.receive(topic, b"second", second, retain=True, props={"response_topic": "second"})
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.1-6", "MQTT-3.3.1-7")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_empty_one_removes_and_is_delivered(broker, pub, sub, topic, qos):
    pub.publish(topic, b"kept", 1, retain=True)
    pub.publish(topic + "/other", b"stays", 1, retain=True)
    sub.subscribe((topic, options(2, as_published=True, handling=2)))
    pub.publish(topic, b"", qos, retain=True, props={"user": [("why", "because")]})
    sub.receive(topic, b"", qos, retain=True, props={"user": [("why", "because")]})
    later = broker.client().subscribe(topic + "/#", qos=1)
    later.receive(topic + "/other", b"stays", 1, retain=True)
    later.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.1-7")
def test_empty_one_where_nothing_was_is_not_kept(broker, pub, topic):
    pub.publish(topic, b"", 1, retain=True, props={"content_type": "nothing"})
    broker.client().subscribe(topic, topic + "/#", qos=1).expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.1-8")
@pytest.mark.parametrize("payload", [b"passing", b""], ids=["text", "empty"])
def test_message_without_the_flag_changes_nothing(broker, pub, topic, payload):
    pub.publish(topic, b"kept", 1, retain=True)
    for qos in range(3):
        pub.publish(topic, payload, qos)
        pub.publish(topic + "/none", payload, qos)
    sub = broker.client().subscribe(topic + "/#", qos=1)
    sub.receive(topic, b"kept", 1, retain=True)
    sub.expect_nothing()


# ----------------------------------------------------------- retain handling

@pytest.mark.mqtt5("MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.8.4-4",
                   "MQTT-3.8.4-3")
@pytest.mark.parametrize("handling", [0, 1, 2])
@pytest.mark.parametrize("wild", [False, True])
def test_retain_handling(broker, pub, topic, handling, wild):
    """When new, when it is there, when it is there with other options, and when new again."""
    pub.publish(topic, b"kept", 1, retain=True)
    name = topic + "/#" if wild else topic
    sub = broker.client()
    steps = [(1, handling < 2), (1, handling == 0), (2, handling == 0), (0, handling == 0)]
    for turn in range(2):
        for qos, wanted in steps:
            with case(f"QoS {qos} in turn {turn}"):
                sub.subscribe((name, options(qos, handling=handling)))
                if wanted:
                    sub.receive(topic, b"kept", min(qos, 1), retain=True)
                sub.expect_nothing()
        sub.unsubscribe(name)


@pytest.mark.mqtt5("MQTT-3.3.1-10")
def test_retain_handling_1_and_subscriptions_that_overlap(broker, pub, topic):
    """Another filter that matches the same topic is another subscription."""
    pub.publish(topic, b"kept", 1, retain=True)
    sub = broker.client()
    for name in (topic, topic + "/#", "+"):
        if name == "+":
            continue
        sub.subscribe((name, options(1, handling=1)))
        sub.receive(topic, b"kept", 1, retain=True)
        sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.1-10", "MQTT-3.1.2-5")
def test_retain_handling_1_in_a_resumed_session(broker, pub, topic):
    """The subscription is there, whichever connection has made it."""
    one = broker.client(expiry=100).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"kept", retain=True)
    again = broker.client(one.id, clean=False, expiry=100, session_present=True)
    again.barrier()                     # a QoS 0 message may have waited
    again.subscribe((topic, options(1, handling=1)))
    again.expect_nothing()
    again.subscribe((topic, options(1, handling=0)))
    again.receive(topic, b"kept", 0, retain=True)


@pytest.mark.mqtt5("MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.8.4-5")
def test_retain_handling_is_that_of_each_filter(broker, pub, topic):
    for name in "abc":
        pub.publish(f"{topic}/{name}", b"kept", 1, retain=True)
    sub = broker.client().subscribe(topic + "/b", qos=1)
    sub.receive(topic + "/b", b"kept", 1, retain=True)
    sub.subscribe((topic + "/a", options(1)), (topic + "/b", options(1, handling=1)),
                  (topic + "/c", options(1, handling=2)))
    sub.receive(topic + "/a", b"kept", 1, retain=True)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.8.4-4")
def test_nothing_is_lost_when_a_subscription_is_replaced(broker, topic):
    """A stream of messages, and the subscription is remade all the time."""
    sub, one = broker.client(), broker.client()
    sub.subscribe(topic, qos=1)
    for i in range(20):
        one.send(*(mqtt.publish(topic, b"%d" % n, 1, n + 1, level=5)
                   for n in range(i * 5, i * 5 + 5)))
        sub.send(mqtt.subscribe(i + 1, (topic, options(1, no_local=i % 2, handling=i % 3)),
                                level=5, props={"subscription_id": i + 1}))
    one.ping()
    seen = set()
    while len(seen) < 100:
        got = sub.recv()
        if isinstance(got, mqtt.Publish):
            seen.add(int(got.payload))
            sub.acknowledge(got)
    assert seen == set(range(100))


@pytest.mark.mqtt5("MQTT-3.3.1-9", "MQTT-3.3.4-3")
def test_retained_message_has_the_identifier_of_the_subscription(broker, pub, topic):
    pub.publish(topic, b"kept", 1, retain=True, props={"content_type": "t"})
    sub = broker.client().subscribe(topic, qos=1, props={"subscription_id": 5})
    sub.receive(topic, b"kept", 1, retain=True,
                props={"content_type": "t", "subscription_id": [5]})
    sub.subscribe(topic + "/#", qos=1, props={"subscription_id": 6})
    got = sub.receive(topic, b"kept", 1, retain=True, props=...)
    assert 6 in got.props["subscription_id"]
    assert got.props["subscription_id"] in ([6], [5, 6])
    sub.expect_nothing()


# ------------------------------------------------------- retain as published

@pytest.mark.mqtt5("MQTT-3.3.1-12", "MQTT-3.3.1-13")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_retain_as_published(broker, pub, topic, qos):
    plain = broker.client().subscribe((topic, options(2)))
    kept = broker.client().subscribe((topic, options(2, as_published=True)))
    for retain in (True, False, True):
        pub.publish(topic, b"x", qos, retain=retain)
        plain.receive(topic, b"x", qos, retain=False)
        kept.receive(topic, b"x", qos, retain=retain)


@pytest.mark.mqtt5("MQTT-3.3.1-12", "MQTT-3.3.1-13", "MQTT-3.3.1-9")
def test_retained_message_has_retain_whatever_the_option(broker, pub, topic):
    pub.publish(topic, b"kept", retain=True)
    for option in (options(), options(as_published=True)):
        broker.client().subscribe((topic, option)).receive(topic, b"kept", retain=True)


@pytest.mark.mqtt5("MQTT-3.3.1-13", "MQTT-3.1.2-5")
def test_retain_as_published_from_a_queue(broker, pub, topic):
    one = broker.client(expiry=100)
    one.subscribe((topic + "/kept", options(1, as_published=True)), (topic + "/plain", options(1)))
    one.disconnect()
    for name in ("kept", "plain"):
        pub.publish(f"{topic}/{name}", b"x", 1, retain=True)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic + "/kept", b"x", 1, retain=True)
    again.receive(topic + "/plain", b"x", 1, retain=False)


@pytest.mark.mqtt5("MQTT-3.3.1-13", "MQTT-3.8.4-3")
def test_retain_as_published_can_be_changed(pub, sub, topic):
    for wanted in (True, False, True):
        sub.subscribe((topic, options(1, as_published=wanted, handling=2)))
        pub.publish(topic, b"x", 1, retain=True)
        sub.receive(topic, b"x", 1, retain=wanted)
