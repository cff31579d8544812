# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: what a broker can be told to restrict, and what it tells its clients of that.

These tests change settings of the broker with kmqttctl.
"""

import time

import pytest

import client
import mqtt
from client import case
from mqtt import Will, options
from reason import (ADMINISTRATIVE, BAD_ALIAS, BAD_PAYLOAD, KEEP_ALIVE, MOVED, NO_QOS, NO_RETAIN,
                    NO_SHARED, NO_SUBSCRIPTION_IDS, NO_WILDCARDS, RECEIVE_MAX, SUCCESS,
                    TOO_LARGE, USE_ANOTHER)

LEVEL = 5
NEVER = 0xffffffff


def connect(broker, **args):
    return mqtt.connect(broker.new_id(), level=5, **args)


# ----------------------------------------------------------- what isn't there

@pytest.mark.mqtt5("MQTT-3.2.2-9", "MQTT-3.2.2-10", "MQTT-3.2.2-11", "MQTT-3.2.2-12")
@pytest.mark.parametrize("most", [0, 1])
def test_maximum_qos(broker, broker_set, topic, most):
    broker_set(max_qos=most)
    one = broker.client()
    assert one.connack.props["max_qos"] == most
    for qos in range(3):
        one.send(mqtt.subscribe(qos + 1, (topic, qos), level=5))
        assert one.expect(mqtt.Suback).codes[0] <= qos
    one.publish(topic, b"x", most)
    assert one.receive(topic, b"x").qos <= most
    for qos in range(most + 1, 3):
        with case(f"QoS {qos}"):
            broker.closes(mqtt.publish(topic, b"x", qos, 1, level=5), codes=[NO_QOS])
            broker.refuses(connect(broker, will=Will(topic, b"x", qos)), codes=[NO_QOS])
    broker.client(will=Will(topic, b"x", most)).ping()


@pytest.mark.mqtt5("MQTT-3.2.2-13", "MQTT-3.2.2-14")
def test_retain_isnt_available(broker, broker_set, pub, topic):
    pub.publish(topic + "/old", b"kept", 1, retain=True)
    broker_set(retain_available=False)
    one = broker.client()
    assert one.connack.props["retain_available"] == 0
    for qos in range(3):
        broker.closes(mqtt.publish(topic, b"x", qos, 1 if qos else None, level=5, retain=True),
                      codes=[NO_RETAIN])
    broker.refuses(connect(broker, will=Will(topic, b"x", retain=True)), codes=[NO_RETAIN])
    broker.client(will=Will(topic, b"x")).ping()
    for handling in range(3):
        one.subscribe((topic + "/#", options(1, as_published=True, handling=handling)))
    one.publish(topic, b"x", 1)
    one.receive(topic, b"x", 1, retain=False)
    one.expect_nothing()


@pytest.mark.parametrize("name, code, good, bad, props", [
    ("wildcard_available", NO_WILDCARDS, "{}", ["{}/#", "+/{}", "$share/g/{}/+"], {}),
    ("shared_available", NO_SHARED, "{}/#", ["$share/g/{}"], {}),
    ("subscription_ids_available", NO_SUBSCRIPTION_IDS, "{}", ["{}"], {"subscription_id": 1})],
    ids=lambda v: v if isinstance(v, str) and "_" in v else "")
def test_subscriptions_of_a_kind_arent_available(broker, broker_set, topic, name, code, good, bad,
                                                 props):
    broker_set(**{name: False})
    one = broker.client()
    assert one.connack.props[name] == 0
    one.subscribe(good.format(topic), qos=1)
    for form in bad:
        with case(form):
            broker.closes(mqtt.subscribe(1, (form.format(topic), 0), level=5, props=props),
                          codes=[code])
            broker.closes(mqtt.subscribe(1, (topic, 0), (form.format(topic), 0), level=5,
                                         props=props), codes=[code])
    one.ping()


# ------------------------------------------------------------------- limits

@pytest.mark.mqtt5("MQTT-3.2.2-17", "MQTT-3.2.2-18", "MQTT-3.3.2-9", "MQTT-3.3.2-12")
@pytest.mark.parametrize("most", [0, 1, 3, 65535])
def test_topic_alias_maximum(broker, broker_set, sub, topic, most):
    broker_set(topic_alias_max=most)
    sub.subscribe(topic)
    one = broker.client()
    assert one.connack.props.get("topic_alias_max", 0) == most
    for alias in {1, most} if most else ():
        one.publish(topic, b"set", props={"topic_alias": alias})
        one.publish("", b"used", props={"topic_alias": alias})
        sub.receive(topic, b"set")
        sub.receive(topic, b"used")
    if most < 65535:
        one.send(mqtt.publish(topic, b"x", level=5, props={"topic_alias": most + 1}))
        one.expect_disconnect(BAD_ALIAS)


@pytest.mark.mqtt5("MQTT-3.3.4-7", "MQTT-4.9.0-2")
def test_receive_maximum(broker, broker_set, topic):
    """QoS 2 counts until PUBCOMP. The same message again isn't another one."""
    broker_set(receive_max=3)
    one = broker.client()
    assert one.connack.props["receive_max"] == 3
    for i in (1, 2, 3, 3, 2):
        one.send(mqtt.publish(topic, b"x", 2, i, level=5))
        assert one.expect(mqtt.Pubrec).id == i
    one.publish(topic, b"x", 0)
    one.send(mqtt.ack(mqtt.PUBREL, 2))
    one.expect(mqtt.Pubcomp(2))
    one.send(mqtt.publish(topic, b"x", 2, 4, level=5))
    assert one.expect(mqtt.Pubrec).id == 4
    one.send(mqtt.publish(topic, b"x", 2, 5, level=5))
    one.expect_disconnect(RECEIVE_MAX)


@pytest.mark.mqtt5("MQTT-3.3.4-7")
def test_receive_maximum_of_a_new_connection(broker, broker_set, topic):
    """What isn't released counts there, too, or it doesn't; but it can be sent again."""
    broker_set(receive_max=2)
    one = broker.client(expiry=100)
    for i in (1, 2):
        one.send(mqtt.publish(topic, b"x", 2, i, level=5))
        assert one.expect(mqtt.Pubrec).id == i
    one.reset()
    again = broker.client(one.id, clean=False, expiry=100, session_present=True)
    for i in (1, 2):
        again.send(mqtt.publish(topic, b"x", 2, i, level=5, dup=True))
        assert again.expect(mqtt.Pubrec).id == i
    for i in (1, 2):
        again.send(mqtt.ack(mqtt.PUBREL, i))
        again.expect(mqtt.Pubcomp(i, SUCCESS))
    again.publish(topic, b"x", 2)


@pytest.mark.mqtt5("MQTT-3.2.2-15")
def test_maximum_packet_size(broker, broker_set, sub, topic):
    broker_set(max_packet_size=2000)
    sub.subscribe(topic, qos=1)
    one = broker.client()
    assert one.connack.props["max_packet_size"] == 2000
    empty = len(mqtt.publish(topic, b"x" * 200, 1, 1, level=5)) - 200
    fits = b"x" * (2000 - empty)
    one.publish(topic, fits, 1)
    sub.receive(topic, fits, 1)
    one.send(mqtt.publish(topic, fits + b"x", 1, 1, level=5))
    one.expect_disconnect(TOO_LARGE)
    broker.closes(mqtt.subscribe(1, (topic + "x" * 2000, 0), level=5), codes=[TOO_LARGE])
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.2.2-21", "MQTT-3.1.2-22", "MQTT-3.2.2-22")
def test_server_keep_alive(broker, broker_set):
    """It is sent if it is another than the client's, and it is what counts."""
    broker_set(max_keepalive=30)
    for asked in (0, 31, 65535):
        assert broker.client(keepalive=asked).connack.props["server_keep_alive"] == 30
    for asked in (1, 29, 30):
        props = broker.client(keepalive=asked).connack.props
        assert props.get("server_keep_alive", asked) == asked
    broker_set(max_keepalive=1)
    start = time.monotonic()
    silent = broker.client(keepalive=0)
    silent.expect_disconnect(KEEP_ALIVE)
    assert 1.3 < time.monotonic() - start < 4 + 3 * client.SCALE


@pytest.mark.mqtt5("MQTT-4.1.0-2", "MQTT-3.1.2-23")
def test_maximum_session_expiry(broker, broker_set, sub, topic):
    """It is sent if it is another than the client's, and it is what counts."""
    broker_set(max_session_expiry=50)
    for asked in (51, 1000, NEVER):
        assert broker.client(expiry=asked).connack.props["session_expiry"] == 50
    for asked in (0, 1, 50):
        assert broker.client(expiry=asked).connack.props.get("session_expiry", asked) == asked
    broker_set(max_session_expiry=1)
    sub.subscribe(topic)
    for end in (b"", mqtt.disconnect(0x04, {"session_expiry": NEVER})):
        one = broker.client(expiry=1000, will=Will(topic, b"gone", props={"will_delay": 1000}))
        one.send(end)
        one.close()
        sub.receive(topic, b"gone")
        broker.client(one.id, clean=False, expiry=0, session_present=False).disconnect()


# -------------------------------------------------------------- information

@pytest.mark.mqtt5("MQTT-3.1.2-28")
def test_response_information(broker, broker_set):
    broker_set(response_information="answers/here")
    got = broker.client(props={"request_response": 1}).connack.props
    assert got["response_info"].startswith("answers/here")
    for props in ({}, {"request_response": 0}):
        assert "response_info" not in broker.client(props=props).connack.props


@pytest.mark.mqtt5("MQTT-3.2.2-7", "MQTT-3.2.2-6", "MQTT-3.1.4-6")
@pytest.mark.parametrize("how, code", [("temporary", USE_ANOTHER), ("permanent", MOVED)])
@pytest.mark.parametrize("reference", ["other.example:1883 [fe80::1]:1883", None])
def test_redirection(broker, broker_set, how, code, reference):
    """Who is connected stays; who comes is sent away, older clients without a word."""
    one = broker.client()
    if reference:
        broker_set(server_reference=reference)
    broker_set(redirect=how)
    other = broker.raw()
    other.send(connect(broker))
    got = other.expect_refusal(code)
    assert got.props.get("server_reference") == reference
    old = broker.raw(level=4)
    old.send(mqtt.connect(broker.new_id()))
    old.expect(mqtt.Connack(3))
    old.expect_close()
    one.ping()


@pytest.mark.mqtt5("MQTT-3.3.2-4", "MQTT-4.3.3-9", "MQTT-3.4.2-1", "MQTT-3.5.2-1")
def test_payload_format_is_validated(broker, broker_set, sub, topic):
    """A message that isn't accepted leaves no trace: its identifier is free."""
    broker_set(validate_payload=True)
    sub.subscribe(topic, qos=2)
    text = {"payload_format": 1}
    for bad in (b"\xff", b"\xed\xa0\x80", b"\xc3"):
        broker.closes(mqtt.publish(topic, bad, level=5, props=text), codes=[BAD_PAYLOAD])
        broker.refuses(connect(broker, will=Will(topic, bad, props=text)), codes=[BAD_PAYLOAD])
        one = broker.client()
        one.send(mqtt.publish(topic, bad, 1, 7, level=5, props=text))
        one.expect(mqtt.Puback(7, BAD_PAYLOAD))
        for _ in range(2):
            one.send(mqtt.publish(topic, bad, 2, 7, level=5, props=text))
            one.expect(mqtt.Pubrec(7, BAD_PAYLOAD))
        sub.expect_nothing()
        one.publish(topic, b"new", 2, id=7)
        sub.receive(topic, b"new", 2)
    for qos in range(3):
        one.publish(topic, "\u4e2d".encode(), qos, props=text)
        sub.receive(topic, "\u4e2d".encode(), qos, props=text)
        one.publish(topic, b"\xff", qos)
        sub.receive(topic, b"\xff", qos)
        one.publish(topic, b"\xff", qos, props={"payload_format": 0})
        sub.receive(topic, b"\xff", qos, props=...)


# ----------------------------------------------------------------- the boss

@pytest.mark.mqtt5("MQTT-3.14.4-1", "MQTT-3.14.4-2", "MQTT-3.14.2-1", "MQTT-3.1.2-8",
                   "MQTT-4.13.2-1")
def test_client_is_kicked(broker, kmqttctl, sub, topic):
    """It is told, and its will is published: it hasn't said goodbye."""
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"will"))
    kmqttctl("client", "kick", one.id)
    one.expect_disconnect(ADMINISTRATIVE)
    sub.receive(topic, b"will")
    old = broker.client(level=4)
    kmqttctl("client", "kick", old.id)
    old.expect_close()


@pytest.mark.mqtt5("MQTT-3.14.4-2", "MQTT-3.14.2-1", "MQTT-3.14.2-2", "MQTT-4.13.2-1")
@pytest.mark.parametrize("reference", ["other.example:1883", None])
def test_client_is_moved(broker, kmqttctl, pub, topic, reference):
    """Its session stays, in case it comes back."""
    one = broker.client(expiry=100).subscribe(topic, qos=1)
    kmqttctl("client", "move", one.id, *([reference] if reference else []))
    got = one.expect_disconnect(USE_ANOTHER, MOVED)
    assert got.props.get("server_reference") == reference
    pub.publish(topic, b"x", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic, b"x", 1)


@pytest.mark.mqtt5("MQTT-3.14.2-3", "MQTT-3.14.2-4", "MQTT-3.1.2-24")
def test_disconnect_without_room_for_a_reference(broker, kmqttctl):
    """The client checks its size."""
    one = broker.client(props={"max_packet_size": 30})
    kmqttctl("client", "move", one.id, "a-long-name.of-a-server.example:1883")
    try:
        got = one.recv()
        assert isinstance(got, mqtt.Disconnect), got
    except client.Closed:
        return
    one.expect_close()
