# SPDX-License-Identifier: GPL-2.0
"""CONNECT and CONNACK: sections 3.1 and 3.2."""

import pytest

import mqtt
from client import Closed, case
from mqtt import CLEAN, PASSWORD, USERNAME, WILL, WILL_QOS1, WILL_QOS2, WILL_RETAIN, Will
from samples import BAD_FILTERS, ILL_FORMED, NUL

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


# ------------------------------------------------------- what comes first

NOT_CONNECT = {
    "reserved type 0": mqtt.packet(0, flags=0),
    "CONNACK": b"\x20\x02\x00\x00",
    "PUBLISH": mqtt.publish("a", b"x"),
    "PUBACK": mqtt.ack(mqtt.PUBACK, 1),
    "PUBREC": mqtt.ack(mqtt.PUBREC, 1),
    "PUBREL": mqtt.ack(mqtt.PUBREL, 1),
    "PUBCOMP": mqtt.ack(mqtt.PUBCOMP, 1),
    "SUBSCRIBE": mqtt.subscribe(1, ("a", 0)),
    "UNSUBSCRIBE": mqtt.unsubscribe(1, "a"),
    "PINGREQ": mqtt.pingreq(),
    "DISCONNECT": mqtt.disconnect(),
    "AUTH": mqtt.packet(mqtt.AUTH),
}


@pytest.mark.mqtt("MQTT-3.1.0-1")
@pytest.mark.parametrize("first", NOT_CONNECT)
def test_first_packet_must_be_connect(broker, first):
    broker.refuses(NOT_CONNECT[first])


@pytest.mark.mqtt("MQTT-3.1.0-1")
def test_other_protocols_are_refused(broker):
    broker.refuses(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")


@pytest.mark.mqtt("MQTT-3.1.0-1")
def test_publish_before_connect_is_not_delivered(broker, sub, topic):
    sub.subscribe(topic)
    broker.refuses(mqtt.publish(topic, b"early"), mqtt.connect(broker.new_id()))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.0-2")
def test_second_connect_closes(broker):
    one = broker.client()
    one.send(mqtt.connect(one.id))
    one.expect_close()


@pytest.mark.mqtt("MQTT-3.1.0-2")
def test_second_connect_in_the_same_segment_closes(broker):
    one = broker.raw()
    packet = mqtt.connect(broker.new_id())
    one.send(packet, packet)
    one.expect(mqtt.Connack())
    one.expect_close()


@pytest.mark.mqtt("MQTT-3.1.0-2", "MQTT-3.1.4-2")
def test_second_connect_takes_nothing_over(broker):
    other = broker.client()
    one = broker.client()
    one.send(mqtt.connect(other.id))
    one.expect_close()
    other.ping()


@pytest.mark.mqtt("MQTT-3.2.0-1", "MQTT-3.1.4-4", "MQTT-2.2.2-1")
def test_connack_is_the_first_packet_and_exact(broker):
    one = broker.raw()
    one.send(mqtt.connect(broker.new_id()), mqtt.pingreq())
    one.expect_bytes(b"\x20\x02\x00\x00")
    one.expect(mqtt.Pingresp())


@pytest.mark.mqtt("MQTT-3.2.0-1")
def test_connack_comes_before_queued_messages(broker, pub, topic):
    one = broker.client(clean=False).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"queued", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic, b"queued", 1)


@pytest.mark.mqtt("MQTT-3.2.0-1")
def test_connack_comes_before_answers_to_what_was_sent_early(broker, topic):
    one = broker.raw()
    one.send(mqtt.connect(broker.new_id()), mqtt.subscribe(1, (topic, 1)),
             mqtt.publish(topic, b"early", 1, 2), mqtt.pingreq())
    one.expect(mqtt.Connack())
    one.wait(mqtt.Pingresp())
    assert mqtt.Suback(1, [1]) in one.inbox
    assert mqtt.Puback(2) in one.inbox
    assert one.messages(1) == [b"early"]


# ------------------------------------------------- protocol name and level

NAMES = [b"", b"M", b"MQT", b"mqtt", b"MQTt", b"MQTTT", b"MQTT\0", b"XQTT", b"MQIsd",
         b"mqisdp", b"MQISDP", b"MQIsdpp", b"HTTP", b"MQTT" * 1000]


@pytest.mark.mqtt("MQTT-3.1.2-1")
@pytest.mark.parametrize("name", NAMES, ids=lambda n: f"{len(n)}-{n[:8].decode().strip(chr(0))}")
def test_wrong_protocol_name_is_not_served(broker, name):
    one = broker.raw()
    one.send(mqtt.raw_connect(CLEAN, broker.new_id(), name=name))
    try:
        got = one.recv()
        assert isinstance(got, mqtt.Connack) and got.code, f"served: {got}"
    except Closed:
        return
    one.expect_close()


@pytest.mark.mqtt("MQTT-3.1.2-2", "MQTT-3.2.2-4", "MQTT-3.2.2-5")
@pytest.mark.parametrize("name, level", [
    (b"MQTT", 0), (b"MQTT", 1), (b"MQTT", 2), (b"MQTT", 3), (b"MQTT", 6), (b"MQTT", 7),
    (b"MQTT", 127), (b"MQTT", 255), (b"MQIsdp", 2), (b"MQIsdp", 4)],
    ids=lambda v: v if isinstance(v, int) else v.decode())
def test_unknown_level_is_refused_with_1(broker, name, level):
    one = broker.raw()
    one.send(mqtt.raw_connect(CLEAN, broker.new_id(), name=name, level=level))
    one.expect_bytes(b"\x20\x02\x00\x01")
    one.expect_close()


@pytest.mark.mqtt("MQTT-3.1.2-2")
def test_unknown_level_is_refused_whatever_follows_it(broker):
    one = broker.raw()
    one.send(mqtt.packet(mqtt.CONNECT, mqtt.binary("MQTT") + b"\x09\xff\xff\xff\xff\xff"))
    one.expect_bytes(b"\x20\x02\x00\x01")
    one.expect_close()


# ----------------------------------------------------------- connect flags

@pytest.mark.mqtt("MQTT-3.1.2-3", "MQTT-3.1.4-1")
def test_reserved_connect_flag_closes(broker):
    broker.refuses(mqtt.raw_connect(CLEAN | 1, broker.new_id()))


@pytest.mark.mqtt("MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.2-15", "MQTT-3.1.4-1")
@pytest.mark.parametrize("flags", [WILL_QOS1, WILL_QOS2, WILL_QOS1 | WILL_QOS2, WILL_RETAIN,
                                   WILL_RETAIN | WILL_QOS1])
def test_will_flags_without_a_will_close(broker, flags):
    broker.refuses(mqtt.raw_connect(CLEAN | flags, broker.new_id()))


@pytest.mark.mqtt("MQTT-3.1.2-14", "MQTT-3.1.4-1")
def test_will_qos_3_closes(broker, topic):
    broker.refuses(mqtt.raw_connect(CLEAN | WILL | WILL_QOS1 | WILL_QOS2, broker.new_id(),
                                    topic, b"will"))


@pytest.mark.mqtt("MQTT-3.1.2-22", "MQTT-3.1.4-1")
def test_password_without_user_name_closes(broker):
    broker.refuses(mqtt.raw_connect(CLEAN | PASSWORD, broker.new_id(), "secret"))


# The flags, and how many of the fields that they announce are there.
TOO_FEW = {
    "no client id": (CLEAN, 0),
    "no will topic": (CLEAN | WILL, 1),
    "no will message": (CLEAN | WILL, 2),
    "no user name": (CLEAN | USERNAME, 1),
    "no password": (CLEAN | USERNAME | PASSWORD, 2),
    "no user name after a will": (CLEAN | WILL | USERNAME, 3),
    "no password after a will": (CLEAN | WILL | USERNAME | PASSWORD, 4),
}


@pytest.mark.mqtt("MQTT-3.1.3-3", "MQTT-3.1.2-9", "MQTT-3.1.2-19", "MQTT-3.1.2-21",
                  "MQTT-3.1.4-1", "MQTT-3.2.2-6")
@pytest.mark.parametrize("what", TOO_FEW)
def test_missing_field_closes(broker, topic, what):
    flags, count = TOO_FEW[what]
    fields = [broker.new_id(), topic, "four", "five"][:count]
    broker.refuses(mqtt.raw_connect(flags, *fields))


@pytest.mark.mqtt("MQTT-3.1.2-18", "MQTT-3.1.4-1")
def test_user_name_without_its_flag_closes(broker):
    broker.refuses(mqtt.raw_connect(CLEAN, broker.new_id(), "user"))


@pytest.mark.mqtt("MQTT-3.1.2-20", "MQTT-3.1.4-1")
def test_password_without_its_flag_closes(broker):
    broker.refuses(mqtt.raw_connect(CLEAN | USERNAME, broker.new_id(), "user", "secret"))


@pytest.mark.mqtt("MQTT-3.1.2-11", "MQTT-3.1.4-1")
def test_will_without_its_flag_closes(broker, topic):
    broker.refuses(mqtt.raw_connect(CLEAN, broker.new_id(), topic, b"will"))


@pytest.mark.mqtt("MQTT-3.1.4-1", "MQTT-3.2.2-6")
def test_bytes_after_the_last_field_close(broker):
    whole = mqtt.connect(broker.new_id())
    broker.refuses(mqtt.packet(mqtt.CONNECT, whole[2:] + b"\0"))


@pytest.mark.mqtt("MQTT-3.1.4-1", "MQTT-3.2.2-6", "MQTT-3.1.3-3")
def test_connect_cut_anywhere_closes(broker, topic):
    whole = mqtt.connect("cut", will=Will(topic, b"w"), username="u", password="p")[2:]
    for length in range(len(whole)):
        with case(f"{length} of {len(whole)} bytes"):
            broker.refuses(mqtt.packet(mqtt.CONNECT, whole[:length]))


@pytest.mark.mqtt("MQTT-3.1.3-1", "MQTT-3.1.2-9", "MQTT-3.1.2-19", "MQTT-3.1.2-21")
def test_all_fields_in_their_order(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"last words"), username="name", password=b"secret")
    one.reset()
    sub.receive(topic, b"last words", 0)


@pytest.mark.mqtt("MQTT-3.1.2-18", "MQTT-3.1.2-20", "MQTT-3.1.2-22")
@pytest.mark.parametrize("username, password", [
    (None, None), ("user", None), ("user", b"secret"), ("", b""), ("user", b""),
    ("\u00fcser", bytes(range(256))), ("u" * 1000, b"\xff\0" * 500)],
    ids=["neither", "name", "both", "empty", "empty-password", "binary-password", "long"])
def test_user_name_and_password_are_optional(broker, username, password):
    broker.client(username=username, password=password).ping()


# -------------------------------------------------------- client identifier

@pytest.mark.mqtt("MQTT-3.1.3-5")
def test_client_ids_that_must_be_allowed(broker):
    for i in range(0, len(LETTERS), 23):
        with case(LETTERS[i:i + 23]):
            broker.client(LETTERS[i:i + 23]).ping()
    broker.client(LETTERS[-23:]).ping()
    for one in ("0", "z", "Z"):
        with case(one):
            broker.client(one).ping()


def test_client_ids_that_may_be_allowed(broker):
    for kind in ("-_./:@ +#$", "\u00e4\u4e2d\U0001f600", "x" * 100, "x" * 1000):
        with case(kind[:20]):
            broker.client(broker.new_id() + kind).ping()


@pytest.mark.mqtt("MQTT-3.1.3-2")
def test_client_id_is_the_key_of_the_session(broker):
    name = broker.new_id()
    ids = [name + "a", name + "A", name, name + "aa"]
    for client_id in ids:
        broker.client(client_id, clean=False).disconnect()
    broker.forget(ids[0])
    for client_id in ids[1:]:
        with case(client_id):
            broker.client(client_id, clean=False, session_present=True).disconnect()
    broker.client(ids[0], clean=False, session_present=False)


@pytest.mark.mqtt("MQTT-3.1.3-4", "MQTT-1.5.3-1")
def test_ill_formed_client_id_closes(broker):
    for name, bad in ILL_FORMED.items():
        with case(name):
            broker.refuses(mqtt.connect(b"id" + bad))


@pytest.mark.mqtt("MQTT-3.1.3-4", "MQTT-1.5.3-2")
def test_nul_in_client_id_closes(broker):
    for name, bad in NUL.items():
        with case(name):
            broker.refuses(mqtt.connect(bad))


@pytest.mark.mqtt("MQTT-3.1.3-6", "MQTT-7.0.0-2")
def test_empty_client_id_gets_one_of_its_own(broker, pub, topic):
    first = broker.raw().connect("").subscribe(topic)
    second = broker.raw().connect("").subscribe(topic)
    pub.publish(topic, b"both")
    first.receive(topic, b"both")
    second.receive(topic, b"both")


@pytest.mark.mqtt("MQTT-3.1.3-8", "MQTT-3.1.3-9", "MQTT-3.2.2-4", "MQTT-3.2.2-5")
def test_empty_client_id_with_a_lasting_session_is_refused_with_2(broker):
    one = broker.raw()
    one.send(mqtt.connect("", clean=False))
    one.expect_bytes(b"\x20\x02\x00\x02")
    one.expect_close()


# ----------------------------------------------------- will topic, user name

@pytest.mark.mqtt("MQTT-3.1.3-10", "MQTT-1.5.3-1", "MQTT-3.1.4-1")
def test_ill_formed_will_topic_closes(broker):
    for name, bad in ILL_FORMED.items():
        with case(name):
            broker.refuses(mqtt.connect(broker.new_id(), will=Will(b"t/" + bad)))


@pytest.mark.mqtt("MQTT-3.1.3-10", "MQTT-1.5.3-2", "MQTT-4.7.3-2", "MQTT-3.1.4-1")
def test_nul_in_will_topic_closes(broker):
    for name, bad in NUL.items():
        with case(name):
            broker.refuses(mqtt.connect(broker.new_id(), will=Will(bad)))


@pytest.mark.mqtt("MQTT-4.7.3-1")
def test_empty_will_topic_closes(broker):
    broker.refuses(mqtt.connect(broker.new_id(), will=Will("")))


@pytest.mark.mqtt("MQTT-4.7.1-1")
def test_wildcard_in_will_topic_closes(broker, topic):
    for bad in ["#", "+", "{}/#", "{}/+", "{}/+/a"] + BAD_FILTERS:
        with case(bad):
            broker.refuses(mqtt.connect(broker.new_id(), will=Will(bad.format(topic))))


@pytest.mark.mqtt("MQTT-3.1.3-11", "MQTT-1.5.3-1", "MQTT-3.1.4-1")
def test_ill_formed_user_name_closes(broker):
    for name, bad in ILL_FORMED.items():
        with case(name):
            broker.refuses(mqtt.connect(broker.new_id(), username=b"u" + bad))


@pytest.mark.mqtt("MQTT-3.1.3-11", "MQTT-1.5.3-2", "MQTT-3.1.4-1")
def test_nul_in_user_name_closes(broker):
    for name, bad in NUL.items():
        with case(name):
            broker.refuses(mqtt.connect(broker.new_id(), username=bad))


# ------------------------------------------------------------------ answers

@pytest.mark.mqtt("MQTT-3.1.4-2")
def test_take_over_disconnects_the_first(broker):
    first = broker.client()
    second = broker.client(first.id)
    first.expect_close()
    second.ping()


@pytest.mark.mqtt("MQTT-3.1.4-2")
def test_many_take_overs_leave_the_last(broker):
    name = broker.new_id()
    clients = [broker.client(name) for _ in range(10)]
    for one in clients[:-1]:
        one.expect_close()
    clients[-1].ping()


@pytest.mark.mqtt("MQTT-3.1.4-2", "MQTT-3.1.4-3")
def test_take_over_keeps_a_lasting_session(broker, pub, topic):
    first = broker.client(clean=False).subscribe(topic, qos=1)
    second = broker.client(first.id, clean=False, session_present=True)
    first.expect_close()
    pub.publish(topic, b"on", 1)
    second.receive(topic, b"on", 1)


@pytest.mark.mqtt("MQTT-3.1.4-2", "MQTT-3.1.4-3", "MQTT-3.1.2-6")
def test_take_over_with_clean_session_discards(broker, pub, topic):
    first = broker.client(clean=False).subscribe(topic, qos=1)
    second = broker.client(first.id, clean=True, session_present=False)
    first.expect_close()
    pub.publish(topic, b"gone", 1)
    second.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.4-2", "MQTT-3.1.4-1")
def test_malformed_connect_takes_nothing_over(broker, topic):
    one = broker.client()
    broker.refuses(mqtt.raw_connect(CLEAN | WILL | WILL_QOS1 | WILL_QOS2, one.id, topic, b"w"))
    broker.refuses(mqtt.raw_connect(CLEAN | 1, one.id))
    other = broker.raw()
    other.send(mqtt.raw_connect(CLEAN, one.id, level=9))
    other.expect(mqtt.Connack(1))
    other.expect_close()
    one.ping()


REFUSED = {
    "identifier": (mqtt.raw_connect(0, ""), 2),
    "level": (mqtt.raw_connect(CLEAN, "id", level=9), 1),
    "malformed": (mqtt.raw_connect(CLEAN | 1, "id"), None),
}


@pytest.mark.mqtt("MQTT-3.1.4-5")
@pytest.mark.parametrize("why", REFUSED)
def test_nothing_behind_a_refused_connect_is_handled(broker, sub, topic, why):
    sub.subscribe(topic)
    connect, code = REFUSED[why]
    broker.retained.add(topic)
    one = broker.raw()
    one.send(connect, mqtt.publish(topic, b"never", retain=True),
             mqtt.connect(broker.new_id()), mqtt.publish(topic, b"never"))
    if code:
        one.expect(mqtt.Connack(code))
    one.expect_close()
    sub.expect_nothing()
    broker.client().subscribe(topic).expect_nothing()


@pytest.mark.mqtt("MQTT-3.2.2-1")
def test_session_present_is_0_for_a_clean_session(broker):
    one = broker.client(clean=False)
    one.disconnect()
    broker.client(one.id, clean=True, session_present=False)


@pytest.mark.mqtt("MQTT-3.2.2-2", "MQTT-3.2.2-3")
def test_session_present_tells_of_a_stored_session(broker):
    one = broker.client(clean=False, session_present=False)
    one.disconnect()
    again = broker.client(one.id, clean=False, session_present=True)
    again.disconnect()
    broker.client(one.id, clean=True).disconnect()
    broker.client(one.id, clean=False, session_present=False)


@pytest.mark.mqtt("MQTT-3.2.2-3")
def test_session_present_is_0_after_a_clean_session(broker):
    one = broker.client(clean=True)
    one.disconnect()
    broker.client(one.id, clean=False, session_present=False)


# -------------------------------------------------------------- packet size

def test_connect_of_nearly_16_kib_is_accepted(broker, sub, topic):
    sub.subscribe(topic)
    last = bytes(range(256)) * 63
    one = broker.client(will=Will(topic, last))
    one.reset()
    sub.receive(topic, last, 0)


def test_connect_beyond_the_limit_closes(broker):
    """The length alone closes: the rest of the packet never comes."""
    broker.refuses(b"\x10" + mqtt.varint(256 * 1024) + mqtt.binary("MQTT") + b"\x04\x02\0\0")
    broker.refuses(b"\x10\xff\xff\xff\x7f" + mqtt.binary("MQTT") + b"\x04\x02\0\0")
