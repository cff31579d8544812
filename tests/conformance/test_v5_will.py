# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: wills and their delay, sections 3.1.2.5 and 3.1.3.2, and DISCONNECT, section 3.14."""

import time

import pytest

import client
import mqtt
from mqtt import Will
from reason import EITHER, MALFORMED, TAKEN_OVER, WITH_WILL

LEVEL = 5
LONG = 1000

ENDS = {
    "reset": lambda broker, one: one.reset(),
    "close": lambda broker, one: one.close(),
    "DISCONNECT with will": lambda broker, one: one.send(mqtt.disconnect(WITH_WILL)),
    "DISCONNECT with an error": lambda broker, one: one.send(mqtt.disconnect(0x80)),
    "DISCONNECT after an error": lambda broker, one: one.send(mqtt.disconnect(0x82, {
        "reason_string": "I don't understand"})),
    "protocol error": lambda broker, one: one.send(mqtt.publish("", level=5)),
    "malformed packet": lambda broker, one: one.send(b"\x36\x06\0\1a\0\1\0"),
    "second CONNECT": lambda broker, one: one.send(mqtt.connect(one.id, level=5)),
    "take-over": lambda broker, one: broker.client(one.id),
    "take-over by 3.1.1": lambda broker, one: broker.client(one.id, level=4),
}


@pytest.mark.mqtt5("MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.1.2-9")
@pytest.mark.parametrize("end", ENDS)
def test_will_is_published(broker, sub, topic, end):
    sub.subscribe(topic, qos=1)
    one = broker.client(will=Will(topic, b"will", 1))
    ENDS[end](broker, one)
    sub.receive(topic, b"will", 1, retain=False)
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-10", "MQTT-3.14.4-3", "MQTT-3.1.2-8")
@pytest.mark.parametrize("packet", [mqtt.disconnect(), mqtt.disconnect(0), mqtt.disconnect(0, {}),
                                    mqtt.disconnect(0, {"reason_string": "bye"}),
                                    mqtt.disconnect(0, {"session_expiry": 0})],
                         ids=["short", "code", "no-properties", "reason", "expiry"])
def test_disconnect_removes_the_will(broker, sub, topic, packet):
    sub.subscribe(topic, qos=2)
    for delay in (0, LONG):
        one = broker.client(expiry=LONG, will=Will(topic, b"will", 2, props={
            "will_delay": delay}))
        one.send(packet)
        one.expect_close()
        broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.14.4-3", "MQTT-3.14.4-1")
def test_nothing_behind_disconnect_is_handled(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"will"))
    one.send(mqtt.disconnect(), mqtt.publish(topic, b"late", level=5), b"\x36\0")
    one.expect_close()
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.14.1-1", "MQTT-3.1.2-8")
def test_malformed_disconnect_is_none(broker, sub, topic):
    """The broker answers, and the will is published."""
    sub.subscribe(topic)
    for packet in (b"\xe1\0", b"\xe2\1\0", b"\xe0\3\0\0\0"):
        one = broker.client(will=Will(topic, b"will"))
        one.send(packet)
        one.expect_disconnect(MALFORMED)
        sub.receive(topic, b"will")


@pytest.mark.mqtt5("MQTT-4.13.1-1")
def test_disconnect_with_a_server_reference_is_none(broker, sub, topic):
    """Only a server has one to give; the table of properties doesn't know that, though."""
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"will"))
    one.send(mqtt.disconnect(0, {"server_reference": "elsewhere"}))
    got = None
    try:
        got = one.recv()
    except client.Closed:
        pass
    assert got is None or got.code in EITHER


@pytest.mark.mqtt5("MQTT-3.1.2-10")
def test_will_is_published_once(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(expiry=LONG, will=Will(topic, b"will"))
    one.reset()
    sub.receive(topic, b"will")
    one = broker.client(one.id, clean=False, expiry=LONG, session_present=True)
    one.reset()
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-8")
def test_take_over_has_its_own_will(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"first"))
    two = broker.client(one.id, will=Will(topic, b"second"))
    sub.receive(topic, b"first")
    sub.expect_nothing()
    two.reset()
    sub.receive(topic, b"second")


@pytest.mark.mqtt5("MQTT-3.1.2-12", "MQTT-3.1.2-9", "MQTT-3.8.4-8")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_will_qos(broker, topic, qos):
    subs = [broker.client().subscribe(topic, qos=granted) for granted in range(3)]
    broker.client(will=Will(topic, b"will", qos)).reset()
    for granted, one in enumerate(subs):
        one.receive(topic, b"will", min(qos, granted))


@pytest.mark.mqtt5("MQTT-3.1.2-14", "MQTT-3.3.1-8")
def test_will_without_retain(broker, sub, topic):
    sub.subscribe((topic, mqtt.options(as_published=True)))
    broker.client(will=Will(topic, b"will")).reset()
    sub.receive(topic, b"will", retain=False)
    broker.client().subscribe(topic).expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-15", "MQTT-3.3.1-5", "MQTT-3.3.1-12", "MQTT-3.3.1-13")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_will_with_retain(broker, sub, topic, qos):
    sub.subscribe(topic, qos=2)
    kept = broker.client().subscribe((topic, mqtt.options(2, as_published=True)))
    broker.client(will=Will(topic, b"will", qos, retain=True)).reset()
    sub.receive(topic, b"will", qos, retain=False)
    kept.receive(topic, b"will", qos, retain=True)
    broker.client().subscribe(topic, qos=2).receive(topic, b"will", qos, retain=True)


@pytest.mark.mqtt5("MQTT-3.1.2-15", "MQTT-3.3.1-6")
def test_empty_will_with_retain_clears(broker, pub, sub, topic):
    pub.publish(topic, b"kept", 1, retain=True)
    sub.subscribe(topic)
    sub.receive(topic, b"kept", retain=True)
    broker.client(will=Will(topic, b"", retain=True)).reset()
    sub.receive(topic, b"", retain=False)
    broker.client().subscribe(topic).expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.3-10", "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16",
                   "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20")
@pytest.mark.parametrize("retain", [False, True])
def test_will_properties_are_published(broker, sub, topic, retain):
    """All but the delay, also from the retained message and from a queue."""
    sent = {"payload_format": 1, "content_type": "text/plain", "response_topic": topic + "/r",
            "correlation_data": bytes(range(256)),
            "user": [("b", "1"), ("a", "2"), ("b", "1"), ("", "\u4e2d")]}
    sub.subscribe(topic, qos=1)
    away = broker.client(expiry=LONG).subscribe(topic, qos=1)
    away.disconnect()
    broker.client(will=Will(topic, b"will", 1, retain=retain, props={"will_delay": 0, **sent})
                  ).reset()
    sub.receive(topic, b"will", 1, props=sent)
    broker.client(away.id, clean=False, session_present=True).receive(topic, b"will", 1, props=sent)
    if retain:
        broker.client().subscribe(topic).receive(topic, b"will", retain=True, props=sent)


@pytest.mark.mqtt5("MQTT-3.1.2-8", "MQTT-3.1.4-6")
def test_will_of_a_refused_connect_is_not_published(broker, sub, topic):
    sub.subscribe(topic)
    broker.refuses(mqtt.connect(broker.new_id(), level=5, will=Will(topic, b"refused"),
                                props={"receive_max": 0}), codes=EITHER)
    sub.expect_nothing()


# ------------------------------------------------------------------- delay

def delayed(topic, payload=b"will", seconds=LONG, **more):
    return Will(topic, payload, 1, props={"will_delay": seconds, **more})


@pytest.mark.mqtt5("MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.1.3-9")
def test_will_waits(broker, sub, topic):
    """For its delay, or for the end of the session, whichever is sooner; or for nothing."""
    sub.subscribe(topic + "/+", qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic + "/delay", seconds=1, message_expiry=50))
    two = broker.client(expiry=2, will=delayed(topic + "/session"))
    none = broker.client(expiry=0, will=delayed(topic + "/none"))
    back = broker.client(expiry=LONG, will=delayed(topic + "/back", seconds=2))
    back.reset()
    broker.client(back.id, clean=False, expiry=LONG, session_present=True)
    start = time.monotonic()
    one.reset()
    two.send(mqtt.disconnect(WITH_WILL))
    none.reset()
    sub.receive(topic + "/none", b"will", 1)        # there is no session to wait for
    took = time.monotonic() - start
    got = sub.receive(topic + "/delay", b"will", 1, props=...)
    assert got.props["message_expiry"] in (48, 49, 50), "it expires once it is published"
    sub.receive(topic + "/session", b"will", 1)
    both = time.monotonic() - start
    assert took < 1 + client.SCALE and 1.8 < both < 7 + 3 * client.SCALE
    sub.expect_nothing()
    broker.client(one.id, clean=False, expiry=0, session_present=True).disconnect()
    broker.client(two.id, clean=False, expiry=0, session_present=False).disconnect()
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.3-9", "MQTT-3.1.2-8")
@pytest.mark.parametrize("end", ["reset", "DISCONNECT with will"])
def test_client_that_is_back_in_time_has_no_will(broker, sub, topic, end):
    """And the new connection needn't have one; if it has, that is another."""
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic, b"first"))
    ENDS[end](broker, one)
    two = broker.client(one.id, clean=False, expiry=LONG, session_present=True,
                        will=delayed(topic, b"second"))
    two.reset()
    three = broker.client(one.id, clean=False, expiry=LONG, session_present=True)
    three.reset()
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.3-9", "MQTT-3.1.4-3")
def test_take_over_of_the_session_has_no_delayed_will(broker, sub, topic):
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic))
    two = broker.client(one.id, clean=False, expiry=0, session_present=True)
    one.expect_disconnect(TAKEN_OVER)
    two.disconnect()
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.3-9", "MQTT-3.1.2-8")
def test_client_that_is_back_by_3_1_1_in_time_has_no_will(broker, sub, topic):
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic))
    one.reset()
    broker.client(one.id, level=4, clean=False, session_present=True).disconnect()
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-8", "MQTT-3.1.4-4", "MQTT-3.1.4-3")
@pytest.mark.parametrize("level", [4, 5])
def test_take_over_with_clean_start_publishes_the_will_at_once(broker, sub, topic, level):
    """Whatever its delay: the session ends."""
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic))
    broker.client(one.id, level=level, clean=True)
    sub.receive(topic, b"will", 1)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-10", "MQTT-3.1.4-4")
def test_clean_start_of_a_client_that_was_away_ends_the_wait(broker, sub, topic):
    """The session ends, so there is a will; the client is back in time, so there is none."""
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic))
    one.reset()
    sub.expect_nothing()
    broker.client(one.id, clean=True)
    got = [p.payload for p in sub.barrier()]
    assert got in ([], [b"will"])
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-8", "MQTT-3.1.4-3", "MQTT-4.1.0-2")
def test_take_over_of_a_session_without_expiry_publishes_its_will(broker, sub, topic):
    """The session ends with its connection, though the new one asks for it."""
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=0, will=delayed(topic))
    broker.client(one.id, clean=False, expiry=0, session_present=False)
    sub.receive(topic, b"will", 1)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-8", "MQTT-3.14.4-3")
def test_disconnect_that_ends_the_session_publishes_a_delayed_will_at_once(broker, sub, topic):
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic))
    one.send(mqtt.disconnect(WITH_WILL, {"session_expiry": 0}))
    one.expect_close()
    sub.receive(topic, b"will", 1)


@pytest.mark.mqtt5("MQTT-3.1.2-8", "MQTT-3.1.2-23")
def test_delayed_will_waits_for_clients_that_are_away(broker, sub, topic):
    """Its own client, too, which is back too late."""
    sub.subscribe(topic, qos=1)
    one = broker.client(expiry=LONG, will=delayed(topic, seconds=1)).subscribe(topic, qos=1)
    one.reset()
    sub.receive(topic, b"will", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic, b"will", 1)
    again.expect_nothing()


# -------------------------------------------------------------- DISCONNECT

@pytest.mark.mqtt5("MQTT-3.14.4-2")
@pytest.mark.parametrize("code", [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95,
                                  0x96, 0x97, 0x98, 0x99])
def test_disconnect_closes_the_connection(broker, code):
    """Each reason that a client can have. There is no answer."""
    one = broker.client()
    one.send(mqtt.disconnect(code))
    one.expect_close()
