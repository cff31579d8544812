# SPDX-License-Identifier: GPL-2.0
"""The form of packets and of the stream: chapter 2, 3.12, 4.2 and 4.8."""

import pytest

import mqtt
from client import Closed, case
from mqtt import PUBACK, PUBCOMP, PUBREC, PUBREL

PACKETS = {
    "PUBACK": mqtt.ack(PUBACK, 1),
    "PUBREC": mqtt.ack(PUBREC, 1),
    "PUBREL": mqtt.ack(PUBREL, 1),
    "PUBCOMP": mqtt.ack(PUBCOMP, 1),
    "SUBSCRIBE": mqtt.subscribe(1, ("a", 0)),
    "UNSUBSCRIBE": mqtt.unsubscribe(1, "a"),
    "PINGREQ": mqtt.pingreq(),
    "DISCONNECT": mqtt.disconnect(),
}


# ------------------------------------------------------------- fixed header

@pytest.mark.mqtt("MQTT-2.2.2-2", "MQTT-3.1.4-1")
def test_connect_with_flags_closes(broker):
    for flags in (1, 2, 4, 8, 15):
        with case(flags):
            packet = mqtt.connect(broker.new_id())
            broker.refuses(bytes([packet[0] | flags]) + packet[1:])


@pytest.mark.mqtt("MQTT-2.2.2-2", "MQTT-2.2.2-1", "MQTT-3.6.1-1", "MQTT-4.8.0-1")
@pytest.mark.parametrize("name", PACKETS)
def test_reserved_flags_close(broker, name):
    packet = PACKETS[name]
    for flip in (1, 2, 4, 8, 15):
        with case(f"first byte {packet[0] ^ flip:#x}"):
            broker.closes(bytes([packet[0] ^ flip]) + packet[1:])


@pytest.mark.mqtt("MQTT-3.6.1-1")
def test_pubrel_with_other_flags_closes(broker, topic):
    for flags in set(range(16)) - {2}:
        with case(flags):
            one = broker.client()
            one.send(mqtt.publish(topic, b"x", 2, 1))
            one.expect(mqtt.Pubrec(1))
            one.send(mqtt.ack(PUBREL, 1, flags=flags))
            one.expect_close()


@pytest.mark.mqtt("MQTT-4.8.0-1")
@pytest.mark.parametrize("first", [0x00, 0x20, 0x90, 0xb0, 0xd0, 0xf0],
                         ids=["type-0", "CONNACK", "SUBACK", "UNSUBACK", "PINGRESP", "type-15"])
def test_packet_that_a_client_cant_send_closes(broker, first):
    for body in (b"", b"\0\1", b"\0\1\0"):
        broker.closes(bytes([first]) + mqtt.varint(len(body)) + body)


@pytest.mark.mqtt("MQTT-4.8.0-1", "MQTT-2.3.1-6")
@pytest.mark.parametrize("kind", [PUBACK, PUBREC, PUBREL, PUBCOMP],
                         ids=["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"])
def test_acknowledgement_of_wrong_length_closes(broker, kind):
    for body in (b"", b"\1", b"\0\1\0", b"\0\1\0\0"):
        with case(f"{len(body)} bytes"):
            broker.closes(mqtt.packet(kind, body))


@pytest.mark.mqtt("MQTT-4.8.0-1", "MQTT-2.3.1-6")
@pytest.mark.parametrize("kind", [PUBACK, PUBREC, PUBREL, PUBCOMP],
                         ids=["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"])
def test_acknowledgement_of_identifier_0_closes(broker, kind):
    broker.closes(mqtt.ack(kind, 0))


@pytest.mark.mqtt("MQTT-4.8.0-1")
def test_pingreq_with_a_body_closes(broker):
    broker.closes(mqtt.packet(mqtt.PINGREQ, b"\0"))


@pytest.mark.mqtt("MQTT-4.8.0-1")
@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff\x01", b"\x80\x80\x80\x80\x00",
                                    b"\xff\xff\xff\xff\xff"], ids=lambda v: v.hex())
def test_remaining_length_of_more_than_four_bytes_closes(broker, length):
    broker.closes(b"\x30" + length, ping=False)
    broker.closes(b"\xc0" + length, ping=False)
    broker.refuses(b"\x10" + length)


@pytest.mark.mqtt("MQTT-4.8.0-1")
@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", b"\x80\x80\x80\x80"],
                         ids=lambda v: v.hex())
def test_remaining_length_closes_at_its_fourth_byte(broker, length):
    """It says that there is a fifth, which isn't worth waiting for."""
    broker.closes(b"\x30" + length, ping=False)
    broker.refuses(b"\x10" + length)


def test_remaining_length_may_be_longer_than_needed(broker):
    """3.1.1 doesn't forbid it: it means the same, or it closes."""
    for packet in (b"\xc0\x80\x00", b"\xc0\x80\x80\x80\x00"):
        one = broker.client()
        one.send(packet)
        try:
            one.expect(mqtt.Pingresp())
        except Closed:
            pass


@pytest.mark.mqtt("MQTT-3.12.4-1", "MQTT-2.2.2-1")
def test_ping_is_answered(broker):
    one = broker.client()
    one.send(b"\xc0\x00" * 3)
    one.expect_bytes(b"\xd0\x00" * 3)


# ------------------------------------------------------------------- stream

@pytest.mark.mqtt("MQTT-7.1.1-1")
def test_byte_by_byte(broker, topic):
    one = broker.raw()
    for byte in (mqtt.connect(broker.new_id()) + mqtt.subscribe(1, (topic, 1)) +
                 mqtt.publish(topic, b"slow", 1, 2) + mqtt.pingreq()):
        one.send(bytes([byte]))
    one.expect(mqtt.Connack(), mqtt.Suback(1, [1]))
    one.wait(mqtt.Pingresp())
    assert mqtt.Puback(2) in one.inbox
    assert one.messages(1) == [b"slow"]


@pytest.mark.mqtt("MQTT-7.1.1-1")
def test_packet_in_two_parts_wherever_it_is_cut(broker, pub, sub, topic):
    """A ping on another connection gives the broker a chance to see the first part alone."""
    sub.subscribe(topic, qos=1)
    packet = mqtt.publish(topic, b"x" * 130, 1, 1)
    tick = broker.client()
    for cut in [*range(1, 8 + len(topic)), len(packet) - 1]:
        with case(f"after byte {cut}"):
            pub.send(packet[:cut])
            tick.ping()
            pub.send(packet[cut:])
            pub.expect(mqtt.Puback(1))
            sub.receive(topic, b"x" * 130, 1)


@pytest.mark.mqtt("MQTT-7.1.1-1")
def test_two_packets_and_a_half_in_a_segment(pub, sub, topic):
    sub.subscribe(topic)
    packets = [mqtt.publish(topic, b"%d" % i) for i in range(3)]
    pub.send(packets[0], packets[1], packets[2][:5])
    sub.receive(topic, b"0")
    sub.receive(topic, b"1")
    sub.expect_nothing()
    pub.send(packets[2][5:])
    sub.receive(topic, b"2")


@pytest.mark.mqtt("MQTT-7.1.1-1", "MQTT-4.6.0-6")
def test_many_packets_in_a_segment(pub, sub, topic):
    sub.subscribe(topic, qos=1)
    pub.send(*(mqtt.publish(topic, b"%d" % i, i % 2, i + 1 if i % 2 else None)
               for i in range(400)), mqtt.pingreq())
    for i in range(1, 400, 2):
        pub.expect(mqtt.Puback(i + 1))
    pub.expect(mqtt.Pingresp())
    zeros, ones = [], []
    for _ in range(400):
        got = sub.receive(topic)
        (ones if got.qos else zeros).append(int(got.payload))
    assert zeros == [*range(0, 400, 2)]
    assert ones == [*range(1, 400, 2)]


@pytest.mark.mqtt("MQTT-7.1.1-1")
def test_whole_life_in_a_segment(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.raw()
    one.send(mqtt.connect(broker.new_id()),
             *(mqtt.publish(topic, b"%d" % i) for i in range(20)), mqtt.disconnect())
    one.expect(mqtt.Connack())
    one.expect_close()
    for i in range(20):
        sub.receive(topic, b"%d" % i)


@pytest.mark.mqtt("MQTT-4.8.0-1")
def test_what_came_before_a_violation_counts_and_what_came_after_doesnt(pub, sub, topic):
    sub.subscribe(topic)
    pub.send(mqtt.publish(topic, b"before"), mqtt.publish("#", b"bad"),
             mqtt.publish(topic, b"after"))
    pub.expect_close()
    sub.receive(topic, b"before")
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.8.0-1")
def test_violation_of_one_client_is_nothing_to_the_others(broker, pub, sub, topic):
    sub.subscribe(topic, qos=1)
    for bad in (b"\xf0\0", b"\0", b"\x36\x05\0\1a\0\1", b"\x82\0", b"\xff" * 100):
        broker.closes(bad + b"\0" * 8)
        pub.publish(topic, b"x", 1)
        sub.receive(topic, b"x", 1)


def test_packet_that_ends_with_the_connection_is_dropped(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client()
    one.send(mqtt.publish(topic, b"whole"), mqtt.publish(topic, b"cut off")[:-1])
    one.close()
    sub.receive(topic, b"whole")
    broker.forget(one.id)
    sub.expect_nothing()


# ----------------------------------------------------------------- fairness

def test_flood_of_one_client_doesnt_stop_another(pub, sub, topic):
    """All that is sent at once is handled, and others are served meanwhile."""
    sub.subscribe(topic)
    burst = b"".join(mqtt.publish(f"{topic}/none", b"%04d" % i) for i in range(1000))
    pub.send(burst * 3)
    sub.ping()
    sub.publish(topic, b"between")
    sub.receive(topic, b"between")
    pub.ping()


def test_subscriber_that_doesnt_read_stops_nobody(broker, pub, sub, topic):
    """QoS 0 to it may be lost, but never cut or out of order."""
    lazy = broker.client(rcvbuf=4096).subscribe(topic)
    sub.subscribe(topic + "/done", qos=1)
    chunk = b"." * 16000
    for i in range(200):
        pub.send(mqtt.publish(topic, b"%06d" % i + chunk))
    pub.publish(topic + "/done", b"x", 1)
    sub.receive(topic + "/done", b"x", 1)
    try:
        lazy.ping()
    except Closed:
        pass
    got = [p.payload for p in lazy.inbox]
    assert all(len(p) == 16006 and p.endswith(chunk) for p in got)
    numbers = [int(p[:6]) for p in got]
    assert numbers == sorted(set(numbers))


def test_many_clients_at_once(broker, topic):
    clients = [broker.client().subscribe(f"{topic}/{i}") for i in range(50)]
    for i, one in enumerate(clients):
        one.send(mqtt.publish(f"{topic}/{(i + 1) % 50}", b"%d" % i))
    for i, one in enumerate(clients):
        one.receive(f"{topic}/{i}", b"%d" % ((i - 1) % 50))
