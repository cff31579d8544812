# SPDX-License-Identifier: GPL-2.0
"""Topic names, topic filters and how they match: section 4.7."""

import pytest

import mqtt
from client import case
from samples import BAD_FILTERS, WELL_FORMED

# filter: (names that match, names that don't). T is a level of the test's own.
MATCHES = {
    "T": (["T"], ["/T", "T/", "T/a", "a/T"]),
    "T/a/b": (["T/a/b"], ["T/a", "T/a/b/c", "T/a/", "T/a/B", "T//a/b", "T/b/a"]),
    "T/#": (["T", "T/", "T/a", "T/a/b/c", "T//", "T/$a"], ["/T", "a/T", "a/T/b", "Tt"]),
    "T/a/#": (["T/a", "T/a/", "T/a/b", "T/a/b/c"], ["T", "T/", "T/b", "T/aa", "T/b/a"]),
    "T/+": (["T/", "T/a", "T/bb"], ["T", "T/a/", "T/a/b", "T//", "/T"]),
    "T/+/c": (["T/a/c", "T//c"], ["T/c", "T/a/b/c", "T/a/c/", "T/a/C", "T/a"]),
    "T/+/+": (["T/a/b", "T//", "T/a/"], ["T", "T/a", "T/a/b/c"]),
    "T/+/#": (["T/a", "T/", "T/a/b", "T//b", "T/a/b/c"], ["T", "/T/a"]),
    "T/+/b/#": (["T/a/b", "T/a/b/c", "T//b/"], ["T/a", "T/b", "T/a/c/b"]),
    "T/a/+/c/+/e": (["T/a/b/c/d/e", "T/a//c//e"], ["T/a/b/c/d", "T/a/b/c/d/e/f", "T/a/b/b/d/e"]),
    "T/": (["T/"], ["T", "T//", "T/a"]),
    "T//": (["T//"], ["T", "T/", "T///"]),
    "T//#": (["T/", "T//", "T//a"], ["T", "T/a"]),
    "/T": (["/T"], ["T", "//T", "/T/"]),
    "/T/#": (["/T", "/T/", "/T/a"], ["T", "T/a", "//T"]),
    "/+/T": (["/a/T", "//T"], ["a/T", "/T"]),
    "+/T": (["a/T", "/T"], ["T", "a/b/T", "$a/T", "a/T/"]),
    "+/+/T": (["a/b/T", "//T", "/$b/T"], ["a/T", "$a/b/T"]),
    "+/T/#": (["a/T", "/T/b", "a/T/b/c"], ["T", "$a/T", "$a/T/b", "T/a"]),
    "#": (["T", "/T", "T/", "a/T/b"], ["$T", "$a/T", "$T/a"]),
    "+": (["T"], ["/T", "T/", "T/a", "$T"]),
    "/#": (["/T", "//T", "/$a/T"], ["T", "$a/T"]),
    "$T/#": (["$T", "$T/a", "$T/a/b"], ["T", "T/a", "$a/T"]),
    "$T/+": (["$T/a"], ["$T", "$T/a/b", "T/a"]),
    "$T/a": (["$T/a"], ["T/a", "$T/b"]),
    "T/A b": (["T/A b"], ["T/a b", "T/Ab", "T/A%20b", "T/A  b", "T/A b "]),
    "T/x.y*z?": (["T/x.y*z?"], ["T/xzyyzz", "T/x.yAz?"]),
    "T/..": (["T/.."], ["T", "", "T/.", "T/../T"]),
}


@pytest.mark.mqtt("MQTT-4.7.2-1", "MQTT-4.7.3-4", "MQTT-3.3.2-3", "MQTT-4.5.0-1",
                  "MQTT-4.7.1-2", "MQTT-4.7.1-3")
@pytest.mark.parametrize("filter", MATCHES, ids=lambda f: f.replace("#", "N"))
def test_matching(pub, sub, topic, filter):
    yes, no = ([name.replace("T", topic) for name in names if name] for names in MATCHES[filter])
    sub.subscribe(filter.replace("T", topic))
    names = [name for pair in zip(no, yes) for name in pair] + no[len(yes):] + yes[len(no):]
    pub.send(*(mqtt.publish(name, name.encode()) for name in names))
    pub.ping()
    got = [p.topic for p in sub.barrier() if topic in p.topic]
    assert sorted(got) == sorted(yes)


@pytest.mark.mqtt("MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.8.0-1")
@pytest.mark.parametrize("form", BAD_FILTERS, ids=lambda f: f.replace("#", "N"))
def test_wildcard_in_the_wrong_place_closes(broker, topic, form):
    broker.closes(mqtt.subscribe(1, (form.format(topic), 0)))


@pytest.mark.mqtt("MQTT-4.7.1-2", "MQTT-4.7.1-3")
def test_wildcard_in_the_right_place_is_granted(sub, topic):
    for form in ("#", "+", "+/+", "/#", "/+", "{}/#", "{}/+", "+/{}/#", "{}/+/+/#", "+/#"):
        with case(form):
            sub.subscribe(form.format(topic))
            sub.unsubscribe(form.format(topic))


@pytest.mark.mqtt("MQTT-4.7.2-1")
def test_retained_dollar_topics_stay_away_from_wildcards(broker, pub, topic):
    pub.publish(f"$k/{topic}", b"hidden", retain=True)
    pub.publish(f"k/{topic}", b"seen", retain=True)
    sub = broker.client().subscribe("+/" + topic)
    sub.receive(f"k/{topic}", b"seen", retain=True)
    sub.expect_nothing()
    got = broker.client().subscribe("#").barrier()
    assert [p.topic for p in got if topic in p.topic] == [f"k/{topic}"]


@pytest.mark.mqtt("MQTT-4.7.3-1")
@pytest.mark.parametrize("name", ["a", "/", " "])
def test_one_character_is_enough(pub, sub, name):
    sub.subscribe(name)
    pub.publish(name, b"x")
    sub.receive(name, b"x")


@pytest.mark.mqtt("MQTT-4.7.3-3")
def test_topics_of_65535_bytes(pub, sub, topic):
    for name in (topic + "/" + "x" * (65534 - len(topic)),
                 topic + "/" + "\u4e2d" * ((65534 - len(topic)) // 3)):
        sub.subscribe(name)
        pub.publish(name, b"long")
        sub.receive(name, b"long")
        sub.unsubscribe(name)
        near = name[:-1] + "y"
        sub.subscribe(topic + "/+")
        pub.publish(near, b"near")
        sub.receive(near, b"near")
        sub.unsubscribe(topic + "/+")
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.7.3-3")
def test_topic_of_many_levels(pub, sub, topic):
    name = topic + "/a" * 100
    sub.subscribe(name, topic + "/a" * 50 + "/#", qos=1)
    pub.publish(name, b"deep", 1)
    sub.receive(name, b"deep", 1)


@pytest.mark.mqtt("MQTT-4.7.3-4", "MQTT-1.5.3-1")
def test_any_character_is_kept(pub, sub, topic):
    for text in WELL_FORMED:
        with case(ascii(text)):
            name = f"{topic}/{text}/{text}x"
            sub.subscribe(name)
            pub.publish(name, b"x")
            sub.receive(name, b"x")


@pytest.mark.mqtt("MQTT-4.7.3-4")
def test_no_normalization(pub, sub, topic):
    """Names that a file system, a browser or a dictionary would take for the same."""
    pairs = [("\u00e9", "e\u0301"), ("\ufb01", "fi"), ("a", "A"), ("\u00e4", "\u00c4"),
             ("a/./b", "a/b"), ("a//b", "a/b"), ("a/../b", "b"), ("%61", "a"), ("a", "a "),
             ("\\", "\\\\"), ("a", "\uff41")]
    for one, other in pairs:
        with case(f"{ascii(one)} and {ascii(other)}"):
            sub.subscribe(f"{topic}/{one}")
            pub.publish(f"{topic}/{other}", b"other")
            pub.publish(f"{topic}/{one}", b"one")
            sub.receive(f"{topic}/{one}", b"one")
            sub.unsubscribe(f"{topic}/{one}")
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-1.5.3-3")
def test_byte_order_mark_is_a_character(broker, pub, topic):
    mark = b"\xef\xbb\xbf"
    plain = broker.client().subscribe(topic)
    marked = broker.client().subscribe(mark + topic.encode())
    pub.publish(mark + topic.encode(), b"marked")
    marked.receive("\ufeff" + topic, b"marked")
    plain.expect_nothing()
    pub.publish(topic, b"plain")
    plain.receive(topic, b"plain")
    marked.expect_nothing()


@pytest.mark.mqtt("MQTT-1.5.3-3", "MQTT-3.1.3-2")
def test_byte_order_mark_in_a_client_id(broker):
    one = broker.client()
    broker.client("\ufeff" + one.id).ping()
    one.ping()
