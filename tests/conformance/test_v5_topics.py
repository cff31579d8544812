# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: topic names, filters and how they match: section 4.7."""

import pytest

import mqtt
from client import case
from samples import WELL_FORMED

LEVEL = 5

MATCHES = [
    ("{}/#", ["", "/a", "/a/b", "/"], []),
    ("{}/+", ["/a", "/"], ["", "/a/b", "/a/"]),
    ("{}/+/b", ["/a/b", "//b"], ["/b", "/a/a", "/a/b/c", "/a"]),
    ("{}/+/#", ["/a", "/a/b", "/", "//"], [""]),
    ("{}/a/#", ["/a", "/a/", "/a/b/c"], ["/b", "/ab", ""]),
    ("{}/+/+", ["/a/b", "//"], ["/a", "/a/b/c"]),
    ("{}", [""], ["/", "/a"]),
    ("{}/", ["/"], ["", "//"]),
    ("{}//a", ["//a"], ["/a", "/b/a"]),
]


@pytest.mark.mqtt5("MQTT-3.3.2-3", "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.5.0-1")
@pytest.mark.parametrize("shared", [False, True])
def test_matching(broker, pub, topic, shared):
    """Shared subscriptions match by what follows their name."""
    prefix = "$share/g/" if shared else ""
    for form, good, bad in MATCHES:
        with case(form):
            sub = broker.client().subscribe(prefix + form.format(topic))
            for name in good + bad:
                pub.publish(topic + name, b"x")
            assert [p.topic for p in sub.barrier()] == [topic + name for name in good]
            sub.disconnect()


@pytest.mark.mqtt5("MQTT-4.7.2-1")
@pytest.mark.parametrize("prefix", ["", "$share/g/"])
def test_wildcards_dont_match_a_leading_dollar(broker, pub, topic, prefix):
    for form, name in (("+/{}", "$x/{}"), ("+/{}/#", "$x/{}/a"), ("#", "$x/{}"), ("+/+", "$x/{}"),
                       ("{}/+", "{}/$x")):
        with case(form):
            sub = broker.client().subscribe(prefix + form.format(topic))
            pub.publish(name.format(topic), b"x")
            got = [p.topic for p in sub.barrier() if topic in p.topic]
            assert got == ([f"{topic}/$x"] if name == "{}/$x" else [])
            sub.disconnect()


@pytest.mark.mqtt5("MQTT-4.7.1-1", "MQTT-4.7.1-2")
def test_wildcard_in_the_right_place_is_granted(sub, topic):
    for form in ("#", "+", "+/+", "/#", "/+", "{}/#", "{}/+", "+/{}/#", "{}/+/+/#", "+/#"):
        for prefix in ("", "$share/g/"):
            with case(prefix + form):
                sub.subscribe(prefix + form.format(topic))
                sub.unsubscribe(prefix + form.format(topic))


@pytest.mark.mqtt5("MQTT-4.7.3-1")
@pytest.mark.parametrize("name", ["a", "/", " "])
def test_one_character_is_enough(pub, sub, name):
    sub.subscribe(name)
    pub.publish(name, b"x")
    sub.receive(name, b"x")


@pytest.mark.mqtt5("MQTT-4.7.3-3", "MQTT-3.3.2-1")
def test_topics_of_65535_bytes(pub, sub, topic):
    name = topic + "/" + "x" * (65534 - len(topic))
    sub.subscribe(name)
    pub.publish(name, b"long")
    sub.receive(name, b"long")


@pytest.mark.mqtt5("MQTT-4.7.3-4", "MQTT-1.5.4-1")
def test_any_character_is_kept(pub, sub, topic):
    for text in WELL_FORMED:
        with case(ascii(text)):
            name = f"{topic}/{text}/{text}x"
            sub.subscribe(name)
            pub.publish(name, b"x")
            sub.receive(name, b"x")


@pytest.mark.mqtt5("MQTT-4.7.3-4")
def test_no_normalization(pub, sub, topic):
    for one, other in (("\u00e9", "e\u0301"), ("a", "A"), ("a/./b", "a/b"), ("a//b", "a/b"),
                       ("%61", "a"), ("a", "a "), ("$share/g/a", "a")):
        with case(f"{ascii(one)} and {ascii(other)}"):
            sub.subscribe(f"{topic}/{one}")
            pub.publish(f"{topic}/{other}", b"other")
            pub.publish(f"{topic}/{one}", b"one")
            sub.receive(f"{topic}/{one}", b"one")
            sub.unsubscribe(f"{topic}/{one}")
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-1.5.4-3")
def test_byte_order_mark_is_a_character(broker, pub, topic):
    mark = "\ufeff"
    plain = broker.client().subscribe(topic)
    marked = broker.client().subscribe(mark + topic)
    pub.publish(mark + topic, b"marked")
    marked.receive(mark + topic, b"marked")
    plain.expect_nothing()
    pub.publish(topic, b"plain")
    plain.receive(topic, b"plain")
    marked.expect_nothing()
    one = broker.client()
    broker.client(mark + one.id).ping()
    one.ping()


def test_control_characters_in_a_topic(broker, topic):
    """They shouldn't be used. The message passes as it is, or the connection is closed."""
    for text in ("\x01", "\x1f", "\x7f", "\x9f", "\ufdd0", "\uffff", "\U0010ffff"):
        with case(ascii(text)):
            sub, one = broker.client().subscribe(topic + "/#"), broker.client()
            one.send(mqtt.publish(topic + "/" + text, b"x", 1, 1, level=5))
            got = one.recv()
            if isinstance(got, mqtt.Puback) and got.code < 0x80:
                sub.receive(topic + "/" + text, b"x")
            else:
                sub.expect_nothing()
