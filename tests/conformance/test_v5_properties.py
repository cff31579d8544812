# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: properties that aren't right, in every packet that a client can send: section 2.2.2."""

import pytest

import mqtt
import prop
from client import case
from mqtt import (AUTH, CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBSCRIBE,
                  UNSUBSCRIBE, Raw)
from pieces import binary, varint
from prop import WILL
from reason import EITHER, MALFORMED, PROTOCOL_ERROR
from samples import ILL_FORMED, NUL

LEVEL = 5


def block(props):
    """Properties with their length."""
    return varint(len(props)) + props


# A packet of each kind with this property block, right or wrong.
MAKERS = {
    CONNECT: lambda b: mqtt.packet(CONNECT, b"\0\4MQTT\5\2\0\0" + b + b"\0\5props"),
    WILL: lambda b: mqtt.raw_connect(mqtt.CLEAN | mqtt.WILL, "props", Raw(b), "t/props", b"w",
                                     level=5),
    PUBLISH: lambda b: mqtt.packet(PUBLISH, b"\0\7t/props" + b + b"payload", 0),
    PUBACK: lambda b: mqtt.packet(PUBACK, b"\0\1\0" + b),
    PUBREC: lambda b: mqtt.packet(PUBREC, b"\0\1\0" + b),
    PUBREL: lambda b: mqtt.packet(PUBREL, b"\0\1\0" + b),
    PUBCOMP: lambda b: mqtt.packet(PUBCOMP, b"\0\1\0" + b),
    SUBSCRIBE: lambda b: mqtt.packet(SUBSCRIBE, b"\0\1" + b + b"\0\7t/props\0"),
    UNSUBSCRIBE: lambda b: mqtt.packet(UNSUBSCRIBE, b"\0\1" + b + b"\0\7t/props"),
    DISCONNECT: lambda b: mqtt.packet(DISCONNECT, b"\0" + b),
    AUTH: lambda b: mqtt.packet(AUTH, b"\x19" + b),
}
LABELS = {CONNECT: "CONNECT", WILL: "will", PUBLISH: "PUBLISH", PUBACK: "PUBACK",
          PUBREC: "PUBREC", PUBREL: "PUBREL", PUBCOMP: "PUBCOMP", SUBSCRIBE: "SUBSCRIBE",
          UNSUBSCRIBE: "UNSUBSCRIBE", DISCONNECT: "DISCONNECT", AUTH: "AUTH"}
EACH = pytest.mark.parametrize("kind", LABELS, ids=LABELS.get)

# Where one property stands for all of its type, these are in most packets.
STRINGS = {CONNECT: "auth_method", WILL: "content_type", PUBLISH: "response_topic",
           SUBSCRIBE: None, UNSUBSCRIBE: None}


def refused(broker, kind, props, *codes):
    """The broker refuses the packet with this block: as CONNACK or DISCONNECT."""
    if kind == AUTH:
        codes = EITHER      # it is an error in itself, without a method in CONNECT
    packet = MAKERS[kind](props)
    if kind in (CONNECT, WILL):
        broker.refuses(packet, codes=codes)
    else:
        broker.closes(packet, codes=codes)


def allowed(kind):
    return [name for name, entry in prop.TABLE.items() if kind in entry[2]]


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.1.4-1")
@EACH
def test_property_twice(broker, kind):
    """Whatever its value: once is the limit, but for user properties."""
    for name in allowed(kind):
        if name == "user" or kind == PUBLISH and name == "subscription_id":
            continue
        with case(name):
            refused(broker, kind, block(prop.sample(name) * 2), PROTOCOL_ERROR)


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.1.4-1")
@EACH
def test_property_of_another_packet(broker, kind):
    for name in prop.TABLE:
        if name not in allowed(kind):
            with case(name):
                refused(broker, kind, block(prop.sample(name)), MALFORMED)


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.1.4-1")
@EACH
def test_unknown_property(broker, kind):
    for number in (0x00, 0x04, 0x2b, 0x7f, 0x80, 0x111, 0xfffffff):
        with case(hex(number)):
            refused(broker, kind, block(varint(number) + b"\1"), MALFORMED)


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.1.4-1")
@EACH
def test_property_that_is_cut(broker, kind):
    """The block ends within the property, wherever that is; what follows isn't part of it."""
    for name in allowed(kind):
        whole = prop.sample(name)
        for length in {1, len(whole) // 2, len(whole) - 1} - {0}:
            with case(f"{length} bytes of {name}"):
                refused(broker, kind, block(whole[:length]), MALFORMED)


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-2.2.2-1", "MQTT-1.5.5-1")
@EACH
def test_property_length_that_is_wrong(broker, kind):
    """Beyond the packet, of five bytes, and longer than needed."""
    user = prop.one("user", ("a", "b"))
    for length in (varint(200), varint(0xfffffff), b"\xff\xff\xff\xff\x01", b"\x80\x80\x80\x80\0",
                   bytes([len(user) | 0x80, 0])):
        with case(length.hex(" ")):
            refused(broker, kind, length + user, MALFORMED)
    with case("0 in two bytes"):
        refused(broker, kind, b"\x80\0", MALFORMED)


@pytest.mark.mqtt5("MQTT-1.5.5-1")
@pytest.mark.parametrize("kind", [CONNECT, PUBLISH, SUBSCRIBE], ids=LABELS.get)
def test_property_identifier_longer_than_needed(broker, kind):
    user = prop.one("user", ("a", "b"))
    refused(broker, kind, block(bytes([user[0] | 0x80, 0]) + user[1:]), MALFORMED)


@pytest.mark.mqtt5("MQTT-1.5.7-1", "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-4.13.1-1")
@EACH
def test_user_property_that_is_no_pair_of_strings(broker, kind):
    number = bytes([prop.TABLE["user"][0]])
    bad = {"ill-formed name": binary(b"\xed\xa0\x80") + binary("v"),
           "ill-formed value": binary("n") + binary(b"\xff"),
           "U+0000 in the name": binary(b"n\0") + binary("v"),
           "U+0000 in the value": binary("n") + binary(b"\0"),
           "no value": binary("n"),
           "value beyond the block": binary("n") + b"\0\4v",
           "name beyond the block": b"\0\4n"}
    for name, value in bad.items():
        with case(name):
            refused(broker, kind, block(number + value), MALFORMED)


@pytest.mark.mqtt5("MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-3.3.2-13", "MQTT-3.3.2-19",
                   "MQTT-4.13.1-1")
@pytest.mark.parametrize("kind, name", [
    (CONNECT, "auth_method"), (WILL, "content_type"), (WILL, "response_topic"),
    (PUBLISH, "content_type"), (PUBLISH, "response_topic"), (DISCONNECT, "reason_string"),
    (PUBACK, "reason_string")],
    ids=lambda v: v if isinstance(v, str) else LABELS[v])
def test_ill_formed_string(broker, kind, name):
    several = [*ILL_FORMED.values()] if kind == PUBLISH else [b"\xed\xa0\x80", b"\xc0\x80", b"\xff"]
    for bad in [*several, *NUL.values()]:
        with case(bad):
            refused(broker, kind, block(prop.one(name, bad)), MALFORMED)


# ---------------------------------------------------------- values of a kind

@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.1.4-1")
@pytest.mark.parametrize("kind, name, values", [
    (CONNECT, "receive_max", [0]),
    (CONNECT, "max_packet_size", [0]),
    (CONNECT, "request_problem", [2, 255]),
    (CONNECT, "request_response", [2, 255]),
    (CONNECT, "auth_data", [b"without a method"]),
    (SUBSCRIBE, "subscription_id", [0])],
    ids=lambda v: v if isinstance(v, str) else LABELS.get(v) if isinstance(v, int) else "")
def test_value_that_is_a_protocol_error(broker, kind, name, values):
    for value in values:
        with case(value):
            refused(broker, kind, block(prop.one(name, value)), PROTOCOL_ERROR)


@pytest.mark.mqtt5("MQTT-4.13.1-1")
@pytest.mark.parametrize("kind", [WILL, PUBLISH], ids=LABELS.get)
def test_payload_format_that_isnt_defined(broker, kind):
    for value in (2, 255):
        refused(broker, kind, block(prop.one("payload_format", value)), *EITHER)


@pytest.mark.mqtt5("MQTT-3.3.4-6")
def test_subscription_identifier_from_a_client(broker):
    for value in (1, 300, 268435455):
        with case(value):
            refused(broker, PUBLISH, block(prop.one("subscription_id", value)), PROTOCOL_ERROR)


@pytest.mark.mqtt5("MQTT-1.5.5-1", "MQTT-4.13.1-1")
def test_subscription_identifier_that_is_no_number(broker):
    for value in (b"\x81\0", b"\x80\x80\x01\0", b"\xff\xff\xff\xff\x01", b"\x80\x80\x80\x80\0"):
        with case(value.hex(" ")):
            refused(broker, SUBSCRIBE, block(b"\x0b" + value), MALFORMED)


@pytest.mark.mqtt5("MQTT-4.13.1-1")
def test_session_expiry_that_begins_with_disconnect(broker, sub, topic):
    """A session that was to end with its connection can't be kept; the will is published."""
    sub.subscribe(topic)
    for expiry in (None, 0):
        one = broker.client(expiry=expiry, will=mqtt.Will(topic, b"will"))
        one.send(mqtt.disconnect(0, {"session_expiry": 10}))
        one.expect_disconnect(PROTOCOL_ERROR)
        sub.receive(topic, b"will")


# -------------------------------------------------------- all that is right

@pytest.mark.mqtt5("MQTT-2.2.2-1", "MQTT-3.1.4-5")
def test_all_properties_of_connect_at_once(broker, sub, topic):
    """In any order, with the extremes of their values."""
    sub.subscribe(topic)
    props = {"session_expiry": 0, "receive_max": 65535, "max_packet_size": 0xffffffff,
             "topic_alias_max": 65535, "request_response": 1, "request_problem": 1,
             "user": [("", ""), ("a", "b"), ("a", "c")]}
    will = {"will_delay": 0, "payload_format": 0, "message_expiry": 0xffffffff,
            "content_type": "", "response_topic": "a", "correlation_data": b"",
            "user": [("", ""), ("a", "b")]}
    for turn in (list, lambda items: list(items)[::-1]):
        one = broker.client(props=dict(turn(props.items())),
                            will=mqtt.Will(topic, b"w", props=dict(turn(will.items()))))
        one.ping()
        one.reset()
        sub.receive(topic, b"w", props=...)


@pytest.mark.mqtt5("MQTT-2.2.2-1")
def test_user_properties_are_welcome_everywhere(broker, pub, topic):
    user = {"user": [("key", "value"), ("key", "value"), ("", "\u4e2d"), ("k" * 300, "v" * 300)]}
    one = broker.client(props=user, will=mqtt.Will(topic, props=user))
    one.subscribe(topic, qos=2, props=user)
    for qos in (1, 2):
        one.publish(topic + "/else", b"x", qos, props=user)
    pub.publish(topic, b"x", 2)
    got = one.receive(topic, b"x", 2, ack=False)
    one.send(mqtt.ack(PUBREC, got.id, 0, user))
    one.expect(mqtt.Pubrel(got.id))
    one.send(mqtt.ack(PUBCOMP, got.id, 0, user))
    one.unsubscribe(topic, props=user)
    one.send(mqtt.disconnect(0, user))
    one.expect_close()
