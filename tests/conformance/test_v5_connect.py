# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: CONNECT, and how it is refused: section 3.1."""

import pytest

import mqtt
from client import Closed, case
from mqtt import CLEAN, PASSWORD, USERNAME, WILL, WILL_QOS1, WILL_QOS2, WILL_RETAIN, Raw, Will
from reason import BAD_CLIENT_ID, EITHER, MALFORMED, PROTOCOL_ERROR, TAKEN_OVER, TOO_LARGE, TOPIC
from samples import BAD_FILTERS, ILL_FORMED, NUL

LEVEL = 5
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NONE = Raw(b"\0")       # no will properties


def connect(client_id, **args):
    return mqtt.connect(client_id, level=5, **args)


def raw_connect(flags, *fields, **args):
    return mqtt.raw_connect(flags, *fields, level=5, **args)


# ------------------------------------------------------- what comes first

NOT_CONNECT = {
    "CONNACK": b"\x20\x03\x00\x00\x00",
    "PUBLISH": mqtt.publish("a", b"x", level=5),
    "PUBREL": mqtt.ack(mqtt.PUBREL, 1),
    "SUBSCRIBE": mqtt.subscribe(1, ("a", 0), level=5),
    "UNSUBSCRIBE": mqtt.unsubscribe(1, "a", level=5),
    "PINGREQ": mqtt.pingreq(),
    "DISCONNECT": mqtt.disconnect(),
    "DISCONNECT with a reason": mqtt.disconnect(0x04, {"session_expiry": 1}),
    "AUTH": mqtt.auth(0x18, {"auth_method": "SCRAM-SHA-256", "auth_data": b"n,,n=u,r=x"}),
}


@pytest.mark.mqtt5("MQTT-3.1.0-1", "MQTT-3.14.0-1", "MQTT-3.2.0-1")
@pytest.mark.parametrize("first", NOT_CONNECT)
def test_first_packet_must_be_connect(broker, first):
    """There can be no DISCONNECT, and no other packet, before CONNACK."""
    broker.refuses(NOT_CONNECT[first])


@pytest.mark.mqtt5("MQTT-3.1.0-2")
def test_second_connect_is_a_protocol_error(broker):
    one = broker.client()
    one.send(connect(one.id))
    one.expect_disconnect(PROTOCOL_ERROR)


@pytest.mark.mqtt5("MQTT-3.1.0-2", "MQTT-3.2.0-2")
def test_second_connect_in_the_same_segment(broker):
    one = broker.raw()
    packet = connect(broker.new_id())
    one.send(packet, packet)
    one.expect(mqtt.Connack())
    one.expect_disconnect(PROTOCOL_ERROR)


@pytest.mark.mqtt5("MQTT-3.1.0-2", "MQTT-3.1.4-3")
def test_second_connect_takes_nothing_over(broker):
    other = broker.client()
    broker.closes(connect(other.id), codes=[PROTOCOL_ERROR])
    broker.closes(mqtt.connect(other.id, level=4), codes=EITHER)
    other.ping()


@pytest.mark.mqtt5("MQTT-3.2.0-1", "MQTT-3.1.4-5", "MQTT-3.2.0-2")
def test_connack_comes_before_answers_to_what_was_sent_early(broker, topic):
    one = broker.raw()
    one.send(connect(broker.new_id()), mqtt.subscribe(1, (topic, 1), level=5),
             mqtt.publish(topic, b"early", 1, 2, level=5), mqtt.pingreq())
    one.expect(mqtt.Connack())
    one.wait(mqtt.Pingresp())
    assert mqtt.Suback(1, [1]) in one.inbox
    assert mqtt.Puback(2) in one.inbox
    assert one.messages(1) == [b"early"]


# ------------------------------------------------- protocol name and level

# A refusal of a version that the broker doesn't know, in the form of each that it does.
UNKNOWN = (b"\x20\x02\0\x01", b"\x20\x03\0\x84\0")


def expect_unknown_version(one):
    """The connection is closed, and before that it may be told why."""
    try:
        got = one.recv_bytes(4)
        got += one.recv_bytes(got[1] - 2)
    except Closed:
        return
    assert got in UNKNOWN, got
    one.expect_close()


@pytest.mark.mqtt5("MQTT-3.1.2-1")
@pytest.mark.parametrize("name", [b"", b"M", b"MQT", b"mqtt", b"MQTTT", b"MQTT\0", b"MQIsdp",
                                  b"HTTP"], ids=lambda n: f"{len(n)}-{n.decode().strip(chr(0))}")
def test_wrong_protocol_name_closes(broker, name):
    one = broker.raw()
    one.send(raw_connect(CLEAN, broker.new_id(), name=name))
    expect_unknown_version(one)


@pytest.mark.mqtt5("MQTT-3.1.2-2", "MQTT-3.2.2-7", "MQTT-3.2.2-8")
@pytest.mark.parametrize("level", [0, 1, 2, 6, 7, 127, 255])
def test_unknown_level_is_refused(broker, level):
    """Before 5 that was return code 1, now it is 0x84: nobody knows what the client reads."""
    one = broker.raw()
    one.send(mqtt.raw_connect(CLEAN, broker.new_id(), level=level))
    expect_unknown_version(one)


# ----------------------------------------------------------- connect flags

@pytest.mark.mqtt5("MQTT-3.1.2-3", "MQTT-3.1.4-1", "MQTT-3.2.2-6", "MQTT-3.2.2-7",
                   "MQTT-3.14.0-1")
def test_reserved_connect_flag_is_malformed(broker):
    broker.refuses(raw_connect(CLEAN | 1, broker.new_id()), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.4-1")
@pytest.mark.parametrize("flags", [WILL_QOS1, WILL_QOS2, WILL_QOS1 | WILL_QOS2, WILL_RETAIN,
                                   WILL_RETAIN | WILL_QOS1])
def test_will_flags_without_a_will(broker, flags):
    broker.refuses(raw_connect(CLEAN | flags, broker.new_id()), codes=EITHER)


@pytest.mark.mqtt5("MQTT-3.1.2-12", "MQTT-3.1.4-1")
def test_will_qos_3_is_malformed(broker, topic):
    broker.refuses(raw_connect(CLEAN | WILL | WILL_QOS1 | WILL_QOS2, broker.new_id(),
                               NONE, topic, b"will"), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.1.2-18", "MQTT-3.1.2-19")
def test_password_without_user_name(broker):
    """Unlike 3.1.1, this is allowed."""
    for password in (b"", b"secret", bytes(range(256)) * 4):
        broker.client(password=password).ping()


# The flags, and how many of the fields that they announce are there.
TOO_FEW = {
    "no client id": (CLEAN, 0),
    "no will properties": (CLEAN | WILL, 1),
    "no will topic": (CLEAN | WILL, 2),
    "no will message": (CLEAN | WILL, 3),
    "no user name": (CLEAN | USERNAME, 1),
    "no password": (CLEAN | PASSWORD, 1),
    "no password after a user name": (CLEAN | USERNAME | PASSWORD, 2),
    "no user name after a will": (CLEAN | WILL | USERNAME, 4),
    "no password after a will": (CLEAN | WILL | PASSWORD, 4),
}


@pytest.mark.mqtt5("MQTT-3.1.3-3", "MQTT-3.1.2-9", "MQTT-3.1.2-17", "MQTT-3.1.2-19",
                   "MQTT-3.1.4-1")
@pytest.mark.parametrize("what", TOO_FEW)
def test_missing_field_is_malformed(broker, topic, what):
    flags, count = TOO_FEW[what]
    will = flags & WILL
    fields = [broker.new_id(), NONE if will else "two", topic, "four", "five"][:count]
    broker.refuses(raw_connect(flags, *fields), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.1.2-16", "MQTT-3.1.2-18", "MQTT-3.1.4-1")
@pytest.mark.parametrize("what", ["user name", "password", "will"])
def test_field_without_its_flag_is_malformed(broker, topic, what):
    flags, more = {"user name": (CLEAN, ["user"]),
                   "password": (CLEAN | USERNAME, ["user", "secret"]),
                   "will": (CLEAN, [NONE, topic, b"will"])}[what]
    broker.refuses(raw_connect(flags, broker.new_id(), *more), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.1.3-1", "MQTT-3.1.2-9", "MQTT-3.1.2-17", "MQTT-3.1.2-19")
def test_all_fields_in_their_order(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"last words", props={"content_type": "text"}),
                        username="name", password=b"secret", props={"session_expiry": 0})
    one.reset()
    sub.receive(topic, b"last words", 0, props={"content_type": "text"})


@pytest.mark.mqtt5("MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.1.2-18", "MQTT-3.1.2-19")
@pytest.mark.parametrize("username, password", [
    (None, None), ("user", None), ("user", b"secret"), ("", b""), ("u" * 1000, b"\xff\0" * 500)],
    ids=["neither", "name", "both", "empty", "long"])
def test_user_name_and_password_are_optional(broker, username, password):
    broker.client(username=username, password=password).ping()


# -------------------------------------------------------- client identifier

@pytest.mark.mqtt5("MQTT-3.1.3-5")
def test_client_ids_that_must_be_allowed(broker):
    for name in (LETTERS[:23], LETTERS[23:46], LETTERS[-23:], "0", "z", "Z"):
        with case(name):
            broker.client(name).ping()


@pytest.mark.mqtt5("MQTT-3.1.3-2")
def test_client_id_is_the_key_of_the_session(broker):
    name = broker.new_id()
    ids = [name + "a", name + "A", name, name + "aa"]
    for client_id in ids:
        broker.client(client_id, expiry=100).disconnect()
    broker.forget(ids[0])
    for client_id in ids[1:]:
        with case(client_id):
            broker.client(client_id, clean=False, expiry=100, session_present=True).disconnect()
    broker.client(ids[0], clean=False, session_present=False)


@pytest.mark.mqtt5("MQTT-3.1.3-4", "MQTT-1.5.4-1", "MQTT-1.5.4-2")
def test_client_id_that_is_no_string_is_malformed(broker):
    for name, bad in {**ILL_FORMED, **NUL}.items():
        with case(name):
            broker.refuses(connect(b"id" + bad), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")
@pytest.mark.parametrize("clean", [True, False])
def test_empty_client_id_is_replaced(broker, pub, topic, clean):
    """Unlike 3.1.1, with a session that lasts, too: the client learns its name."""
    names = set()
    clients = []
    for _ in range(3):
        one = broker.raw()
        one.send_connect("", clean=clean, expiry=100)
        got = one.expect(mqtt.Connack())
        names.add(got.props["assigned_id"])
        broker.sessions.add(got.props["assigned_id"])
        clients.append(one.subscribe(topic, qos=1))
    assert len(names) == 3 and "" not in names
    pub.publish(topic, b"all", 1)
    for one in clients:
        one.receive(topic, b"all", 1)


@pytest.mark.mqtt5("MQTT-3.1.3-7", "MQTT-3.1.3-2")
def test_assigned_client_id_can_be_used(broker, pub, topic):
    one = broker.raw()
    one.send_connect("", expiry=100)
    name = one.expect(mqtt.Connack()).props["assigned_id"]
    one.subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"waits", 1)
    again = broker.client(name, clean=False, expiry=100, session_present=True)
    assert "assigned_id" not in again.connack.props
    again.receive(topic, b"waits", 1)
    taker = broker.client(name, clean=False, expiry=0, session_present=True)
    again.expect_disconnect(TAKEN_OVER)
    taker.ping()


@pytest.mark.mqtt5("MQTT-3.2.2-16", "MQTT-3.1.3-7")
def test_client_id_that_isnt_empty_is_kept(broker):
    assert "assigned_id" not in broker.client().connack.props


@pytest.mark.mqtt5("MQTT-3.1.3-8", "MQTT-3.2.2-6", "MQTT-3.2.2-7")
def test_client_id_that_isnt_allowed_closes(broker):
    """The longest there is: accepted, or refused with the reason for that."""
    one = broker.raw()
    one.send_connect(broker.new_id() + "x" * 10000)
    got = one.expect(mqtt.Connack)
    assert got.code in (0, BAD_CLIENT_ID), got
    if got.code:
        one.expect_close()
    else:
        one.ping()


def test_connect_beyond_the_limit(broker):
    """The length alone closes, with the reason for that if the version is known by then."""
    for length in (b"\x80\x80\x10", b"\xff\xff\xff\x7f"):
        one = broker.raw()
        one.send(b"\x10" + length + mqtt.binary("MQTT") + b"\x05\x02\0\0")
        try:
            assert one.expect(mqtt.Connack).code == TOO_LARGE
        except Closed:
            continue
        one.expect_close()


# ----------------------------------------------------- will topic, user name

@pytest.mark.mqtt5("MQTT-3.1.3-11", "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-4.7.3-2")
def test_will_topic_that_is_no_string_is_malformed(broker):
    for name, bad in {**ILL_FORMED, **NUL}.items():
        with case(name):
            broker.refuses(connect(broker.new_id(), will=Will(b"t/" + bad)), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-4.7.3-1", "MQTT-4.7.0-1")
def test_will_topic_that_is_no_topic_name(broker, topic):
    for bad in ["", "#", "+", "{}/#", "{}/+", "{}/+/a"] + BAD_FILTERS:
        with case(bad):
            broker.refuses(connect(broker.new_id(), will=Will(bad.format(topic))), codes=TOPIC)


@pytest.mark.mqtt5("MQTT-3.1.3-12", "MQTT-1.5.4-1", "MQTT-1.5.4-2")
def test_user_name_that_is_no_string_is_malformed(broker):
    for name, bad in {**ILL_FORMED, **NUL}.items():
        with case(name):
            broker.refuses(connect(broker.new_id(), username=b"u" + bad), codes=[MALFORMED])


# ------------------------------------------------------------------ answers

@pytest.mark.mqtt5("MQTT-3.1.4-3", "MQTT-3.14.2-1", "MQTT-3.14.4-2", "MQTT-4.13.2-1",
                   "MQTT-3.14.4-1")
def test_take_over_disconnects_the_first(broker):
    first = broker.client()
    second = broker.client(first.id)
    first.expect_disconnect(TAKEN_OVER)
    second.ping()


@pytest.mark.mqtt5("MQTT-3.1.4-3")
def test_many_take_overs_leave_the_last(broker):
    name = broker.new_id()
    clients = [broker.client(name) for _ in range(6)]
    for one in clients[:-1]:
        one.expect_disconnect(TAKEN_OVER)
    clients[-1].ping()


@pytest.mark.mqtt5("MQTT-3.1.4-3")
@pytest.mark.parametrize("old, new", [(3, 5), (4, 5), (5, 4), (5, 3)])
def test_take_over_by_another_version(broker, old, new):
    """A client that can't be told is just disconnected."""
    first = broker.client(level=old)
    second = broker.client(first.id, level=new)
    if old == 5:
        first.expect_disconnect(TAKEN_OVER)
    else:
        first.expect_close()
    second.ping()


@pytest.mark.mqtt5("MQTT-3.1.4-3", "MQTT-3.1.4-4", "MQTT-3.1.2-5", "MQTT-4.1.0-1")
def test_take_over_keeps_a_session(broker, pub, topic):
    first = broker.client(expiry=100).subscribe(topic, qos=1)
    second = broker.client(first.id, clean=False, expiry=100, session_present=True)
    first.expect_disconnect(TAKEN_OVER)
    pub.publish(topic, b"on", 1)
    second.receive(topic, b"on", 1)


@pytest.mark.mqtt5("MQTT-3.1.4-3", "MQTT-3.1.4-4", "MQTT-3.1.2-4", "MQTT-3.2.2-2")
def test_take_over_with_clean_start_discards(broker, pub, topic):
    first = broker.client(expiry=100).subscribe(topic, qos=1)
    second = broker.client(first.id, clean=True, expiry=100, session_present=False)
    first.expect_disconnect(TAKEN_OVER)
    pub.publish(topic, b"gone", 1)
    second.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.4-1", "MQTT-3.1.4-3")
def test_malformed_connect_takes_nothing_over(broker, topic):
    one = broker.client()
    broker.refuses(raw_connect(CLEAN | 1, one.id), codes=[MALFORMED])
    broker.refuses(connect(one.id, props={"receive_max": 0}), codes=[PROTOCOL_ERROR])
    broker.refuses(connect(one.id, will=Will(topic + "/#")), codes=TOPIC)
    one.ping()


REFUSED = {
    "malformed": (raw_connect(CLEAN | 1, "id"), [MALFORMED]),
    "protocol error": (connect("id", props={"receive_max": 0}), [PROTOCOL_ERROR]),
    "level": (mqtt.raw_connect(CLEAN, "id", level=9), None),
}


@pytest.mark.mqtt5("MQTT-3.1.4-6", "MQTT-3.2.2-7", "MQTT-3.14.0-1", "MQTT-3.1.4-1")
@pytest.mark.parametrize("why", REFUSED)
def test_nothing_behind_a_refused_connect_is_handled(broker, sub, topic, why):
    sub.subscribe(topic)
    packet, codes = REFUSED[why]
    broker.retained.add(topic)
    one = broker.raw()
    one.send(packet, mqtt.publish(topic, b"never", retain=True, level=5),
             connect(broker.new_id()), mqtt.publish(topic, b"never", level=5))
    if codes:
        one.expect_refusal(*codes)
    else:
        expect_unknown_version(one)
    sub.expect_nothing()
    broker.client().subscribe(topic).expect_nothing()
