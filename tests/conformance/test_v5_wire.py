# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: the form of packets and of the stream, and errors in it. Chapter 2, 4.2 and 4.13."""

import pytest

import mqtt
from client import case
from mqtt import AUTH, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, Will
from reason import BAD_ALIAS, EITHER, MALFORMED, PROTOCOL_ERROR

LEVEL = 5

ACKS = {"PUBACK": PUBACK, "PUBREC": PUBREC, "PUBREL": PUBREL, "PUBCOMP": PUBCOMP}

PACKETS = {
    **{name: mqtt.ack(kind, 1) for name, kind in ACKS.items()},
    "SUBSCRIBE": mqtt.subscribe(1, ("a", 0), level=5),
    "UNSUBSCRIBE": mqtt.unsubscribe(1, "a", level=5),
    "PINGREQ": mqtt.pingreq(),
    "DISCONNECT": mqtt.disconnect(),
    "AUTH": mqtt.auth(0x19, {"auth_method": "x"}),
}


# ------------------------------------------------------------- fixed header

@pytest.mark.mqtt5("MQTT-2.1.3-1", "MQTT-3.1.4-1", "MQTT-3.2.2-7")
def test_connect_with_flags_is_malformed(broker):
    for flags in (1, 2, 4, 8, 15):
        with case(flags):
            packet = mqtt.connect(broker.new_id(), level=5)
            broker.refuses(bytes([packet[0] | flags]) + packet[1:], codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-2.1.3-1", "MQTT-3.6.1-1", "MQTT-3.8.1-1", "MQTT-3.10.1-1",
                   "MQTT-3.14.1-1", "MQTT-3.15.1-1", "MQTT-4.13.1-1", "MQTT-4.13.2-1",
                   "MQTT-3.14.4-1", "MQTT-3.14.4-2")
@pytest.mark.parametrize("name", PACKETS)
def test_reserved_flags_are_malformed(broker, name):
    packet = PACKETS[name]
    for flip in (1, 2, 4, 8):
        with case(f"first byte {packet[0] ^ flip:#x}"):
            # An AUTH that nobody has asked for is an error in itself.
            broker.closes(bytes([packet[0] ^ flip]) + packet[1:],
                          codes=EITHER if name == "AUTH" else [MALFORMED])


@pytest.mark.mqtt5("MQTT-3.6.1-1")
def test_pubrel_of_a_message_with_other_flags_is_malformed(broker, topic):
    for flags in (0, 1, 3, 10):
        with case(flags):
            one = broker.client()
            one.send(mqtt.publish(topic, b"x", 2, 1, level=5))
            one.expect(mqtt.Pubrec)
            one.send(mqtt.ack(PUBREL, 1, flags=flags))
            one.expect_disconnect(MALFORMED)


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.14.4-2")
@pytest.mark.parametrize("first, codes", [
    (0x00, EITHER), (0x20, EITHER), (0x90, EITHER), (0xb0, EITHER), (0xd0, EITHER)],
    ids=["type-0", "CONNACK", "SUBACK", "UNSUBACK", "PINGRESP"])
def test_packet_that_a_client_cant_send(broker, first, codes):
    for body in (b"", b"\0\1\0\0"):
        broker.closes(bytes([first]) + mqtt.varint(len(body)) + body, codes=codes)


@pytest.mark.mqtt5("MQTT-1.5.5-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff\x01", b"\x80\x80\x80\x80\x00"],
                         ids=lambda v: v.hex())
def test_remaining_length_of_more_than_four_bytes_is_malformed(broker, length):
    broker.closes(b"\x30" + length, codes=[MALFORMED], ping=False)
    broker.closes(b"\xc0" + length, codes=[MALFORMED], ping=False)
    one = broker.raw()
    one.send(b"\x10" + length)
    try:
        # Nobody knows yet which version this is: a CONNACK is possible, no more.
        assert one.recv().code == MALFORMED
    except AssertionError:
        return
    one.expect_close()


@pytest.mark.mqtt5("MQTT-1.5.5-1")
@pytest.mark.parametrize("what", ["PINGREQ", "PUBLISH"])
def test_remaining_length_is_as_short_as_possible(broker, topic, what):
    if what == "PINGREQ":
        packets = [b"\xc0\x80\x00", b"\xc0\x80\x80\x80\x00"]
    else:
        body = mqtt.publish(topic, b"x", level=5)[2:]
        packets = [bytes([0x30, len(body) | 0x80, 0]) + body]
    for packet in packets:
        broker.closes(packet, codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.12.4-1")
def test_ping_is_answered(broker):
    one = broker.client()
    one.send(b"\xc0\x00" * 3)
    one.expect_bytes(b"\xd0\x00" * 3)


def test_pingreq_with_a_body(broker):
    broker.closes(mqtt.packet(mqtt.PINGREQ, b"\0"), codes=EITHER)


# --------------------------------------------------------- acknowledgements

@pytest.mark.mqtt5("MQTT-2.2.1-3", "MQTT-4.13.1-1")
@pytest.mark.parametrize("kind", ACKS)
def test_acknowledgement_of_identifier_0(broker, kind):
    broker.closes(mqtt.ack(ACKS[kind], 0), codes=EITHER)


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-2.2.1-5")
@pytest.mark.parametrize("kind", ACKS)
def test_acknowledgement_of_wrong_length_is_malformed(broker, kind):
    """Too short for its identifier, or bytes behind its properties."""
    for body in (b"", b"\1", b"\0\1\0\0\0", b"\0\1\0\1", b"\0\1\0\x80"):
        with case(body.hex(" ")):
            broker.closes(mqtt.packet(ACKS[kind], body), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-3.6.2-1",
                   "MQTT-3.7.2-1")
@pytest.mark.parametrize("kind", ACKS)
def test_acknowledgement_with_a_code_of_another_packet(broker, pub, topic, kind):
    """0x92 isn't for PUBACK and PUBREC, 0x80 isn't for PUBREL and PUBCOMP."""
    for code in (0x92, 0x01, 0xff) if kind in ("PUBACK", "PUBREC") else (0x80, 0x01, 0x10):
        with case(hex(code)):
            sub = broker.client().subscribe(topic, qos=2)
            pub.publish(topic, b"x", 1 if kind == "PUBACK" else 2)
            id = sub.receive(topic, b"x", ack=False).id
            if kind == "PUBCOMP":
                sub.send(mqtt.ack(PUBREC, id))
                sub.expect(mqtt.Pubrel(id))
            if kind == "PUBREL":
                sub.send(mqtt.publish(topic + "/up", b"x", 2, id, level=5))
                sub.expect(mqtt.Pubrec)
            sub.send(mqtt.ack(ACKS[kind], id, code))
            sub.expect_disconnect(*EITHER, ping=True)


@pytest.mark.mqtt5("MQTT-2.2.1-5", "MQTT-4.3.3-11", "MQTT-4.3.3-4")
def test_acknowledgements_in_all_their_lengths(pub, sub, topic):
    """With and without reason code, with and without properties."""
    forms = [{}, {"code": 0}, {"code": 0, "props": b""},
             {"code": 0, "props": {"reason_string": "fine"}},
             {"code": 0, "props": {"user": [("a", "b"), ("a", "c")]}}]
    sub.subscribe(topic, qos=2)
    for form in forms:
        with case(form):
            id = pub.next_id()
            pub.send(mqtt.publish(topic, b"x", 2, id, level=5))
            pub.expect(mqtt.Pubrec(id))
            pub.send(mqtt.ack(PUBREL, id, **form))
            pub.expect(mqtt.Pubcomp(id))
            got = sub.receive(topic, b"x", 2, ack=False)
            sub.send(mqtt.ack(PUBREC, got.id, **form))
            sub.expect(mqtt.Pubrel(got.id))
            sub.send(mqtt.ack(PUBCOMP, got.id, **form))
            pub.publish(topic, b"y", 1)
            got = sub.receive(topic, b"y", 1, ack=False)
            sub.send(mqtt.ack(PUBACK, got.id, **form))
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.14.2-1")
def test_disconnect_and_auth_of_wrong_form(broker):
    """Bytes behind the properties, or a reason code that is none."""
    for body in (b"\0\0\0", b"\0\1", b"\0\x80"):
        with case(body.hex(" ")):
            broker.closes(mqtt.packet(DISCONNECT, body), codes=[MALFORMED])
    for code in (0x01, 0x10, 0xff):
        with case(f"DISCONNECT {code:#x}"):
            broker.closes(mqtt.disconnect(code), codes=EITHER)
    for body in (b"\x19\0\0", b"\x19\1", b"\x01\0"):
        with case(f"AUTH {body.hex(' ')}"):
            broker.closes(mqtt.packet(AUTH, body), codes=EITHER)


# -------------------------------------------------------------- cut packets

CUT = {
    "PUBLISH": mqtt.publish("cut", b"", 1, 1, level=5, props={"message_expiry": 5, "user": [
        ("name", "value")], "content_type": "t", "correlation_data": b"12"})[2:],
    "SUBSCRIBE": mqtt.subscribe(1, ("cut", 0), level=5, props={"subscription_id": 300})[2:],
    "UNSUBSCRIBE": mqtt.unsubscribe(1, "cut", level=5, props={"user": [("a", "b")]})[2:],
}
FIRST = {"PUBLISH": PUBLISH << 4 | 2, "SUBSCRIBE": 0x82, "UNSUBSCRIBE": 0xa2}


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-2.2.2-1")
@pytest.mark.parametrize("name", CUT)
def test_packet_cut_anywhere(broker, name):
    """A packet without its last field is malformed; SUBSCRIBE without filters is an error, too."""
    whole = CUT[name]
    for length in range(len(whole)):
        with case(f"{length} of {len(whole)} bytes"):
            empty = name != "PUBLISH" and length == 3 + whole[2]
            broker.closes(bytes([FIRST[name], length]) + whole[:length],
                          codes=[PROTOCOL_ERROR] if empty else [MALFORMED])


@pytest.mark.mqtt5("MQTT-3.1.4-1", "MQTT-3.1.3-3", "MQTT-3.2.2-6", "MQTT-3.2.2-7")
def test_connect_cut_anywhere(broker, topic):
    whole = mqtt.connect("cut", level=5, props={"session_expiry": 5, "user": [("a", "b")]},
                         will=Will(topic, b"w", props={"will_delay": 5}),
                         username="u", password="p")[2:]
    for length in range(len(whole)):
        with case(f"{length} of {len(whole)} bytes"):
            packet = mqtt.packet(mqtt.CONNECT, whole[:length])
            if length < 7:
                broker.refuses(packet)          # not known to be MQTT 5 yet
            else:
                broker.refuses(packet, codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.1.4-1", "MQTT-3.1.2-16", "MQTT-3.1.2-18")
def test_bytes_after_the_last_field_of_connect(broker):
    whole = mqtt.connect(broker.new_id(), level=5)
    broker.refuses(mqtt.packet(mqtt.CONNECT, whole[2:] + b"\0"), codes=[MALFORMED])


# ------------------------------------------------------------------- stream

@pytest.mark.mqtt5("MQTT-4.2.0-1")
def test_byte_by_byte(broker, topic):
    one = broker.raw()
    for byte in (mqtt.connect(broker.new_id(), level=5, props={"session_expiry": 0}) +
                 mqtt.subscribe(1, (topic, 1), level=5, props={"subscription_id": 200}) +
                 mqtt.publish(topic, b"slow", 1, 2, level=5, props={"content_type": "t"}) +
                 mqtt.pingreq()):
        one.send(bytes([byte]))
    one.expect(mqtt.Connack(), mqtt.Suback(1, [1]))
    one.wait(mqtt.Pingresp())
    assert mqtt.Puback(2) in one.inbox
    assert one.messages(1) == [b"slow"]


@pytest.mark.mqtt5("MQTT-4.2.0-1", "MQTT-3.2.0-1", "MQTT-3.2.0-2", "MQTT-3.1.4-5")
def test_whole_life_in_a_segment(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.raw()
    one.send(mqtt.connect(broker.new_id(), level=5),
             *(mqtt.publish(topic, b"%d" % i, level=5) for i in range(20)), mqtt.disconnect())
    one.expect(mqtt.Connack())
    one.expect_close()
    for i in range(20):
        sub.receive(topic, b"%d" % i)


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-3.14.4-1")
def test_what_came_before_a_violation_counts_and_what_came_after_doesnt(pub, sub, topic):
    sub.subscribe(topic)
    pub.send(mqtt.publish(topic, b"before", level=5), b"\x36\x06\0\1a\0\1\0",
             mqtt.publish(topic, b"after", level=5))
    pub.expect_disconnect(MALFORMED)
    sub.receive(topic, b"before")
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.13.1-1", "MQTT-4.13.2-1")
def test_violation_of_one_client_is_nothing_to_the_others(broker, pub, sub, topic):
    sub.subscribe(topic, qos=1)
    for bad in (b"\xf0\0", b"\x36\x06\0\1a\0\1\0", mqtt.publish("", b"x", level=5),
                mqtt.publish("a", b"x", level=5, props={"topic_alias": 0})):
        one = broker.client()
        one.send(bad)
        one.expect_disconnect(*EITHER, BAD_ALIAS)
        pub.publish(topic, b"x", 1)
        sub.receive(topic, b"x", 1)
