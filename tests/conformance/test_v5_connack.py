# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: CONNACK, and what the broker says there about itself: section 3.2."""

import pytest

import mqtt
from client import case
from reason import BAD_ALIAS, RECEIVE_MAX, TOO_LARGE

LEVEL = 5


@pytest.mark.mqtt5("MQTT-3.2.2-1", "MQTT-3.2.0-1", "MQTT-3.1.4-5", "MQTT-2.1.3-1",
                   "MQTT-2.2.2-1")
def test_connack_is_the_first_packet(broker):
    one = broker.raw()
    one.send(mqtt.connect(broker.new_id(), level=5), mqtt.pingreq())
    assert one.recv_bytes(4)[::2] == b"\x20\0", "not a good CONNACK"
    one = broker.client()
    assert one.connack.code == 0
    one.ping()


@pytest.mark.mqtt5("MQTT-3.2.0-1")
def test_connack_comes_before_queued_messages(broker, pub, topic):
    one = broker.client(expiry=100).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"queued", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic, b"queued", 1)


@pytest.mark.mqtt5("MQTT-3.2.2-2", "MQTT-3.2.2-3", "MQTT-3.1.4-4")
def test_session_present(broker):
    name = broker.new_id()
    for clean, expiry, present in ((True, 100, False), (False, 100, True), (True, 100, False),
                                   (False, 0, True), (False, 100, False), (False, 100, True),
                                   (True, 0, False), (True, 0, False), (False, 0, False)):
        with case(f"clean start {clean}, session present {present}"):
            broker.client(name, clean=clean, expiry=expiry, session_present=present).disconnect()


@pytest.mark.mqtt5("MQTT-3.2.2-8", "MQTT-3.2.2-9", "MQTT-3.2.2-22")
def test_what_isnt_limited_isnt_mentioned(broker):
    """Absent properties have the most generous meaning; a broker may say it, too."""
    props = broker.client(props={"session_expiry": 100}).connack.props
    assert props.get("max_qos", 2) == 2
    for name in ("retain_available", "wildcard_available", "subscription_ids_available",
                 "shared_available"):
        assert props.get(name, 1) == 1, props
    assert props.get("session_expiry", 100) == 100, props
    for name in ("assigned_id", "auth_method", "auth_data", "response_info", "server_reference",
                 "reason_string"):
        assert name not in props, props


@pytest.mark.mqtt5("MQTT-3.1.2-28")
def test_response_information(broker):
    """Only if it is asked for, and then it is a string or nothing."""
    for props in ({}, {"request_response": 0}):
        assert "response_info" not in broker.client(props=props).connack.props
    got = broker.client(props={"request_response": 1}).connack.props
    assert isinstance(got.get("response_info", ""), str)


@pytest.mark.mqtt5("MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.1.2-24")
def test_connack_keeps_to_the_maximum_packet_size(broker):
    """The client checks it. What says more than the bare packet is left out."""
    one = broker.client(props={"max_packet_size": 100})
    one.ping()


@pytest.mark.mqtt5("MQTT-4.12.0-6")
def test_no_authentication_method_without_one(broker):
    one = broker.client(username="user", password="password")
    assert not {"auth_method", "auth_data"} & set(one.connack.props)
    one.ping()
    assert not one.inbox


# ---------------------------------------------- limits that CONNACK announces

@pytest.mark.mqtt5("MQTT-3.2.2-17", "MQTT-3.2.2-18", "MQTT-3.3.2-9", "MQTT-3.3.2-12")
def test_topic_alias_maximum_means_what_it_says(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client()
    most = one.connack.props.get("topic_alias_max", 0)
    if most:
        one.publish(topic, b"the last", props={"topic_alias": most})
        sub.receive(topic, b"the last")
    if most < 65535:
        one.send(mqtt.publish(topic, b"too many", level=5, props={"topic_alias": most + 1}))
        one.expect_disconnect(BAD_ALIAS, ping=True)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.4-7")
def test_receive_maximum_means_what_it_says(broker, topic):
    one = broker.client()
    most = one.connack.props.get("receive_max", 65535)
    if most > 2000:
        pytest.skip(f"a receive maximum of {most}")
    one.send(*(mqtt.publish(topic, b"x", 2, i, level=5) for i in range(1, most + 1)))
    for i in range(1, most + 1):
        assert one.expect(mqtt.Pubrec).id == i
    one.ping()
    one.send(mqtt.publish(topic, b"x", 2, most + 1, level=5))
    one.expect_disconnect(RECEIVE_MAX, ping=True)


@pytest.mark.mqtt5("MQTT-3.2.2-15")
def test_maximum_packet_size_means_what_it_says(broker, topic):
    """The fixed header is enough to know; nobody has to send such a packet."""
    most = broker.client().connack.props.get("max_packet_size", 0x10000004)
    if most >= 0x10000004:
        pytest.skip("no maximum packet size")
    length = most - 1 - len(mqtt.varint(most - 5))
    broker.closes(b"\x30" + mqtt.varint(length + 1), codes=[TOO_LARGE], ping=False)
    if length > 1 << 20:
        return
    one = broker.client()
    body = mqtt.binary(topic) + b"\0"
    one.send(mqtt.packet(mqtt.PUBLISH, body + b"x" * (length - len(body)), 0))
    one.ping()
