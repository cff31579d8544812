# SPDX-License-Identifier: GPL-2.0
"""Session state: sections 3.1.2.4 and 4.1."""

import pytest

import mqtt


@pytest.mark.mqtt("MQTT-3.1.2-4", "MQTT-4.1.0-1", "MQTT-3.2.2-2")
@pytest.mark.parametrize("end", ["disconnect", "close", "reset"])
def test_session_is_stored(broker, pub, topic, end):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    getattr(one, end)()
    again = broker.client(one.id, clean=False, session_present=True)
    pub.publish(topic, b"x", 1)
    again.receive(topic, b"x", 1)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-4", "MQTT-4.1.0-1")
def test_session_without_anything_in_it_is_stored(broker):
    one = broker.client(clean=False, session_present=False)
    one.disconnect()
    for _ in range(3):
        one = broker.client(one.id, clean=False, session_present=True)
        one.disconnect()


@pytest.mark.mqtt("MQTT-3.1.2-4")
def test_stored_subscriptions_are_all_there(broker, pub, topic):
    filters = [(topic + "/a", 0), (topic + "/+/b", 1), (topic + "/c/#", 2)]
    one = broker.client(clean=False).subscribe(*filters)
    one.disconnect()
    again = broker.client(one.id, clean=False, session_present=True)
    for name, qos in (("a", 0), ("x/b", 1), ("c/d/e", 2)):
        pub.publish(f"{topic}/{name}", b"x", 2)
        again.receive(f"{topic}/{name}", b"x", qos)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-4", "MQTT-3.10.4-2")
def test_unsubscribe_lasts(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, topic + "/b", qos=1)
    one.unsubscribe(topic)
    one.disconnect()
    pub.publish(topic, b"x", 1)
    pub.publish(topic + "/b", b"x", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic + "/b", b"x", 1)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-5", "MQTT-4.5.0-1", "MQTT-4.6.0-6")
@pytest.mark.parametrize("end", ["disconnect", "reset"])
def test_messages_wait_for_the_client(broker, pub, topic, end):
    one = broker.client(clean=False).subscribe(topic, qos=2)
    getattr(one, end)()
    for i in range(60):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    again = broker.client(one.id, clean=False, session_present=True)
    for i in range(60):
        again.receive(topic, b"%d" % i, 1 + i % 2, dup=None, retain=False)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-5", "MQTT-3.3.1-3")
def test_waiting_messages_are_sent_for_the_first_time(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"x", 1, dup=True)
    broker.client(one.id, clean=False, session_present=True).receive(topic, b"x", 1, dup=False)


@pytest.mark.mqtt("MQTT-3.1.2-5", "MQTT-3.8.4-6")
def test_messages_wait_at_the_qos_of_the_subscription(broker, pub, topic):
    one = broker.client(clean=False).subscribe((topic + "/1", 1), (topic + "/2", 2))
    one.disconnect()
    pub.publish(topic + "/1", b"x", 2)
    pub.publish(topic + "/2", b"x", 2)
    pub.publish(topic + "/2", b"y", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic + "/1", b"x", 1)
    again.receive(topic + "/2", b"x", 2)
    again.receive(topic + "/2", b"y", 1)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-5")
def test_qos_0_may_wait_or_not(broker, pub, topic):
    """Whichever it is, it comes at most once, and QoS 1 isn't lost beside it."""
    one = broker.client(clean=False).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"zero")
    pub.publish(topic, b"one", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    got = sorted((p.payload, p.qos) for p in again.barrier())
    assert got in ([(b"one", 1)], [(b"one", 1), (b"zero", 0)])


@pytest.mark.mqtt("MQTT-3.1.2-5")
def test_messages_wait_over_several_connections(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    for i in range(3):
        one.disconnect()
        pub.publish(topic, b"%d" % i, 1)
        one = broker.client(one.id, clean=False, session_present=True)
        for old in range(i):
            one.receive(topic, b"%d" % old, 1, dup=True, ack=False)
        one.receive(topic, b"%d" % i, 1, dup=False, ack=False)


@pytest.mark.mqtt("MQTT-3.1.2-6", "MQTT-3.2.2-1")
def test_clean_session_discards_what_was_stored(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    pub.publish(topic, b"unacknowledged", 1)
    one.receive(topic, b"unacknowledged", 1, ack=False)
    one.disconnect()
    pub.publish(topic, b"waiting", 1)
    again = broker.client(one.id, clean=True, session_present=False)
    pub.publish(topic, b"later", 1)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-6", "MQTT-3.2.2-3", "MQTT-4.1.0-2")
@pytest.mark.parametrize("end", ["disconnect", "reset", "take-over"])
def test_clean_session_ends_with_its_connection(broker, pub, topic, end):
    one = broker.client(clean=True).subscribe(topic, qos=1)
    pub.publish(topic, b"during", 1)
    one.receive(topic, b"during", 1, ack=False)
    if end != "take-over":
        getattr(one, end)()
    again = broker.client(one.id, clean=False, session_present=False)
    pub.publish(topic, b"after", 1)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-6")
def test_session_after_a_clean_one_is_new(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    one.disconnect()
    broker.client(one.id, clean=True).disconnect()
    pub.publish(topic, b"x", 1)
    broker.client(one.id, clean=False, session_present=False).expect_nothing()


@pytest.mark.mqtt("MQTT-4.1.0-2", "MQTT-4.1.0-1")
def test_session_lives_as_long_as_its_connection(broker, pub, topic):
    """Whatever other sessions do."""
    one = broker.client().subscribe(topic, qos=1)
    for _ in range(5):
        other = broker.client(clean=False).subscribe(topic, qos=1)
        other.disconnect()
        broker.forget(other.id)
    pub.publish(topic, b"x", 1)
    one.receive(topic, b"x", 1)


@pytest.mark.mqtt("MQTT-3.1.2-4")
def test_session_keeps_its_queue_from_other_clients(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    other = broker.client(clean=False).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"x", 1)
    other.receive(topic, b"x", 1)
    other.expect_nothing()
    broker.client(one.id, clean=False, session_present=True).receive(topic, b"x", 1)


@pytest.mark.mqtt("MQTT-3.1.2-7")
@pytest.mark.parametrize("clean", [True, False])
def test_retained_messages_outlive_the_session(broker, topic, clean):
    one = broker.client(clean=clean)
    one.publish(topic, b"kept", 1, retain=True)
    one.disconnect()
    broker.forget(one.id)
    broker.client().subscribe(topic, qos=1).receive(topic, b"kept", 1, retain=True)


@pytest.mark.mqtt("MQTT-3.1.2-4", "MQTT-4.8.0-1")
def test_session_outlives_a_protocol_violation(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    pub.publish(topic, b"first", 1)
    first = one.receive(topic, b"first", 1, ack=False)
    one.send(mqtt.publish("#", b"x"))
    one.expect_close()
    pub.publish(topic, b"second", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    assert again.receive(topic, b"first", 1, dup=True).id == first.id
    again.receive(topic, b"second", 1)
    again.expect_nothing()
