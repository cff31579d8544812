# SPDX-License-Identifier: GPL-2.0
"""Retained messages: section 3.3.1.3."""

import pytest

import mqtt
from client import case


@pytest.mark.mqtt("MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-8", "MQTT-3.8.4-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_new_subscription_gets_it(broker, pub, topic, qos):
    pub.publish(topic, b"kept", qos, retain=True)
    for granted in range(3):
        with case(f"granted {granted}"):
            sub = broker.client().subscribe(topic, qos=granted)
            sub.receive(topic, b"kept", min(qos, granted), retain=True)
            sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-9")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_established_subscription_gets_it_without_the_flag(pub, sub, topic, qos):
    sub.subscribe(topic, qos=qos)
    pub.publish(topic, b"kept", qos, retain=True)
    sub.receive(topic, b"kept", qos, retain=False)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-9", "MQTT-3.1.2-5")
def test_subscription_of_an_absent_client_is_established(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"kept", 1, retain=True)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic, b"kept", 1, retain=False)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-8", "MQTT-4.4.0-1")
def test_retain_flag_stays_when_sent_again(broker, pub, topic):
    pub.publish(topic, b"kept", 1, retain=True)
    one = broker.client(clean=False).subscribe(topic, qos=1)
    before = one.receive(topic, b"kept", 1, retain=True, ack=False)
    one.reset()
    again = broker.client(one.id, clean=False, session_present=True)
    after = again.receive(topic, b"kept", 1, retain=True, dup=True)
    assert after.id == before.id


@pytest.mark.mqtt("MQTT-3.3.1-6")
def test_resumed_session_is_no_new_subscription(broker, pub, topic):
    pub.publish(topic, b"kept", 1, retain=True)
    one = broker.client(clean=False).subscribe(topic, qos=1)
    one.receive(topic, b"kept", 1, retain=True)
    one.disconnect()
    broker.client(one.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-7")
@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_last_one_replaces(broker, pub, topic, first, second):
    pub.publish(topic, b"first", first, retain=True)
    pub.publish(topic, b"second", second, retain=True)
    sub = broker.client().subscribe(topic, qos=2)
    sub.receive(topic, b"second", second, retain=True)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-6")
def test_wildcard_subscription_gets_all_that_match(broker, pub, topic):
    names = ["a", "a/b", "a/c", "b", "a/b/c", "", "a/"]
    for name in names:
        pub.publish(f"{topic}/{name}", name.encode() + b".", 1, retain=True)
    pub.publish(topic, b".", 1, retain=True)
    for form, want in (("{}/#", names + [None]), ("{}/+", ["a", "b", ""]),
                       ("{}/+/b", ["a/b"]), ("{}/a/#", ["a", "a/b", "a/c", "a/b/c", "a/"]),
                       ("{}/a/+", ["a/b", "a/c", "a/"]), ("{}/x", []), ("{}/x/#", []),
                       ("{}/b/#", ["b"]), ("+/a/b", ["a/b"]), ("{}", [None])):
        with case(form):
            sub = broker.client().subscribe(form.format(topic), qos=1)
            got = [p for p in sub.barrier() if p.topic.startswith(topic)]
            assert sorted(p.topic for p in got) == \
                sorted(topic if name is None else f"{topic}/{name}" for name in want)
            assert all(p.retain and p.qos == 1 for p in got), got


@pytest.mark.mqtt("MQTT-3.3.1-6", "MQTT-3.8.4-4")
def test_each_filter_of_a_packet_gets_it(pub, sub, topic):
    pub.publish(topic + "/a", b"kept", 1, retain=True)
    sub.subscribe((topic + "/a", 1), (topic + "/+", 0))
    got = sub.barrier()
    assert sorted((p.topic, p.qos, p.retain) for p in got) == \
        [(topic + "/a", 0, True), (topic + "/a", 1, True)]


@pytest.mark.mqtt("MQTT-3.3.1-6")
def test_more_retained_messages_than_the_window_holds(pub, sub, topic):
    names = [f"{topic}/{i}" for i in range(60)]
    for name in names:
        pub.publish(name, name.encode(), 1, retain=True)
    sub.subscribe(topic + "/+", qos=1)
    got = [sub.receive(qos=1, retain=True).topic for _ in names]
    assert sorted(got) == sorted(names)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-10", "MQTT-3.3.1-11")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_empty_one_clears(pub, sub, topic, qos):
    pub.publish(topic, b"kept", 1, retain=True)
    pub.publish(topic + "/other", b"stays", 1, retain=True)
    pub.publish(topic, b"", qos, retain=True)
    sub.subscribe(topic + "/#", qos=1)
    sub.receive(topic + "/other", b"stays", 1, retain=True)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-10", "MQTT-3.3.1-9")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_empty_one_is_delivered_as_any_other(pub, sub, topic, qos):
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"", qos, retain=True)
    sub.receive(topic, b"", qos, retain=False)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-11")
def test_empty_one_where_nothing_was_is_not_kept(broker, pub, topic):
    pub.publish(topic, b"", 1, retain=True)
    sub = broker.client().subscribe(topic, topic + "/#", qos=1)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-10")
def test_topic_can_be_set_again_after_clearing(broker, pub, topic):
    pub.publish(topic, b"first", 1, retain=True)
    pub.publish(topic, b"", 0, retain=True)
    pub.publish(topic, b"again", 2, retain=True)
    broker.client().subscribe(topic, qos=2).receive(topic, b"again", 2, retain=True)


@pytest.mark.mqtt("MQTT-3.3.1-12")
@pytest.mark.parametrize("payload", [b"passing", b""], ids=["text", "empty"])
def test_message_without_the_flag_changes_nothing(broker, pub, topic, payload):
    pub.publish(topic, b"kept", 1, retain=True)
    for qos in range(3):
        pub.publish(topic, payload, qos)
        pub.publish(topic + "/none", payload, qos)
    sub = broker.client().subscribe(topic + "/#", qos=1)
    sub.receive(topic, b"kept", 1, retain=True)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.1-5", "MQTT-4.3.3-2")
def test_unreleased_qos_2_is_kept_at_the_latest_when_released(broker, pub, sub, topic):
    broker.retained.add(topic)
    pub.send(mqtt.publish(topic, b"kept", 2, 1, retain=True))
    pub.expect(mqtt.Pubrec(1))
    pub.send(mqtt.ack(mqtt.PUBREL, 1))
    pub.expect(mqtt.Pubcomp(1))
    sub.subscribe(topic, qos=2)
    sub.receive(topic, b"kept", 2, retain=True)


@pytest.mark.mqtt("MQTT-3.3.1-8", "MQTT-3.3.1-9")
def test_retained_and_live_message_are_told_apart(pub, sub, topic):
    pub.publish(topic, b"old", retain=True)
    sub.subscribe(topic)
    pub.publish(topic, b"new", retain=True)
    sub.receive(topic, b"old", retain=True)
    sub.receive(topic, b"new", retain=False)
    sub.expect_nothing()
