# SPDX-License-Identifier: GPL-2.0
"""MQTT 3.1 (protocol name MQIsdp, level 3), beside 3.1.1 on the same broker.

Only what differs is tried here.
"""

import pytest

import mqtt
from mqtt import Will


@pytest.fixture
def old(broker):
    """A client that speaks MQTT 3.1."""
    return broker.client(level=3)


def test_connect_packet_is_as_3_1_has_it():
    assert mqtt.connect("a", level=3) == b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x00\x00\x01a"


def test_connack_is_exact(broker):
    one = broker.raw(level=3)
    one.send(mqtt.connect(broker.new_id(), level=3))
    one.expect_bytes(b"\x20\x02\x00\x00")


@pytest.mark.parametrize("length", [1, 2, 22, 23])
def test_client_id_of_1_to_23(broker, length):
    broker.client("abcdefghijklmnopqrstuvwxyz"[:length], level=3).ping()


@pytest.mark.parametrize("clean", [True, False])
def test_empty_client_id_is_refused_with_2(broker, clean):
    one = broker.raw(level=3)
    one.send(mqtt.connect("", level=3, clean=clean))
    one.expect_bytes(b"\x20\x02\x00\x02")
    one.expect_close()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_exchange_with_3_1_1_both_ways(broker, old, topic, qos):
    new = broker.client().subscribe(topic + "/new", qos=qos)
    old.subscribe(topic + "/old", qos=qos)
    old.publish(topic + "/new", b"up", qos)
    new.receive(topic + "/new", b"up", qos)
    new.publish(topic + "/old", b"down", qos)
    old.receive(topic + "/old", b"down", qos)


def test_session_lasts_and_byte_1_of_connack_stays_0(broker, pub, topic):
    one = broker.client(level=3, clean=False).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"kept", 1)
    again = broker.raw(level=3)
    again.send_connect(one.id, clean=False)
    again.expect_bytes(b"\x20\x02\x00\x00")
    again.receive(topic, b"kept", 1)


def test_session_goes_on_in_the_other_version(broker, pub, topic):
    one = broker.client(level=3, clean=False).subscribe(topic, qos=1)
    new = broker.client(one.id, clean=False, session_present=True)
    one.expect_close()
    pub.publish(topic, b"carried", 1)
    new.receive(topic, b"carried", 1)


def test_will(broker, sub, topic):
    sub.subscribe(topic, qos=2)
    one = broker.client(level=3, will=Will(topic, b"will", 2))
    one.reset()
    sub.receive(topic, b"will", 2)


def test_retained_and_unsubscribe(old, topic):
    old.publish(topic, b"kept", 1, retain=True)
    old.subscribe(topic, qos=1)
    old.receive(topic, b"kept", 1, retain=True)
    old.unsubscribe(topic)
    old.publish(topic, b"unheard", 1)
    old.expect_nothing()


def test_user_name_and_password(broker):
    broker.client(level=3, username="name", password=b"secret").ping()


def test_dup_flag_of_resent_requests_is_accepted(old, topic):
    """In 3.1 SUBSCRIBE, UNSUBSCRIBE and PUBREL have QoS 1 and may be sent again."""
    old.send(mqtt.subscribe(1, (topic, 1), flags=0xA))
    old.expect(mqtt.Suback(1, [1]))
    old.send(mqtt.publish(topic, b"two", 2, 2))
    old.wait(mqtt.Pubrec(2))
    old.send(mqtt.ack(mqtt.PUBREL, 2, flags=0xA))
    old.wait(mqtt.Pubcomp(2))
    old.ping()
    old.receive(topic, b"two", 1)
    old.send(mqtt.unsubscribe(3, topic, flags=0xA))
    old.expect(mqtt.Unsuback(3))


def test_keep_alive_of_zero_and_ping(broker):
    broker.client(level=3, keepalive=0).ping()
