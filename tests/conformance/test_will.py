# SPDX-License-Identifier: GPL-2.0
"""Wills: section 3.1.2.5 to 3.1.2.7, and DISCONNECT, section 3.14."""

import pytest

import mqtt
from mqtt import Will

ENDS = {
    "reset": lambda broker, one: one.reset(),
    "close": lambda broker, one: one.close(),
    "half a packet": lambda broker, one: (one.send(b"\x30\x10\0\5"), one.close()),
    "protocol violation": lambda broker, one: one.send(mqtt.publish("#")),
    "malformed packet": lambda broker, one: one.send(b"\xf0\0"),
    "second CONNECT": lambda broker, one: one.send(mqtt.connect(one.id)),
    "take-over": lambda broker, one: broker.client(one.id),
}


@pytest.mark.mqtt("MQTT-3.1.2-8", "MQTT-3.1.2-9")
@pytest.mark.parametrize("end", ENDS)
def test_will_is_published(broker, sub, topic, end):
    sub.subscribe(topic, qos=1)
    one = broker.client(will=Will(topic, b"will", 1))
    ENDS[end](broker, one)
    sub.receive(topic, b"will", 1, retain=False)
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-8")
def test_will_is_published_by_a_lasting_session(broker, sub, topic):
    """When the connection ends, not when the session does."""
    sub.subscribe(topic)
    one = broker.client(clean=False, will=Will(topic, b"will"))
    one.reset()
    sub.receive(topic, b"will")
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-10", "MQTT-3.14.4-3", "MQTT-3.1.2-8")
@pytest.mark.parametrize("clean", [True, False])
def test_disconnect_removes_the_will(broker, sub, topic, clean):
    sub.subscribe(topic, qos=2)
    one = broker.client(clean=clean, will=Will(topic, b"will", 2))
    one.disconnect()
    broker.client(one.id, clean=clean, session_present=not clean).reset()
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.14.4-3")
def test_disconnect_removes_the_will_when_all_comes_at_once(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.raw()
    one.send(mqtt.connect(broker.new_id(), will=Will(topic, b"will")),
             mqtt.publish(topic, b"message"), mqtt.disconnect())
    one.close()
    sub.receive(topic, b"message")
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.14.4-3")
def test_nothing_behind_disconnect_is_handled(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"will"))
    one.send(mqtt.disconnect(), mqtt.publish(topic, b"late"), b"\xf0\0")
    one.expect_close()
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.14.1-1", "MQTT-2.2.2-2", "MQTT-3.1.2-8")
@pytest.mark.parametrize("flags", [1, 2, 4, 8, 15])
def test_disconnect_with_reserved_bits_is_none(broker, sub, topic, flags):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"will"))
    one.send(mqtt.packet(mqtt.DISCONNECT, flags=flags))
    one.expect_close()
    sub.receive(topic, b"will")


@pytest.mark.mqtt("MQTT-3.1.2-10")
def test_will_is_published_once(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(clean=False, will=Will(topic, b"will"))
    one.reset()
    sub.receive(topic, b"will")
    one = broker.client(one.id, clean=False, session_present=True)
    one.reset()
    broker.forget(one.id)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-12")
def test_no_will_is_published_without_one(broker, sub, topic):
    """The connection before had one, the connection after has another."""
    sub.subscribe(topic)
    one = broker.client(clean=False, will=Will(topic, b"first"))
    one.disconnect()
    broker.client(one.id, clean=False, session_present=True).reset()
    broker.client(one.id, clean=False, session_present=True, will=Will(topic, b"last")).reset()
    sub.receive(topic, b"last")
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-8")
def test_take_over_has_its_own_will(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"first"))
    two = broker.client(one.id, will=Will(topic, b"second"))
    sub.receive(topic, b"first")
    sub.expect_nothing()
    two.reset()
    sub.receive(topic, b"second")


@pytest.mark.mqtt("MQTT-3.1.2-14", "MQTT-3.1.2-9", "MQTT-3.8.4-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_will_qos(broker, topic, qos):
    subs = [broker.client().subscribe(topic, qos=granted) for granted in range(3)]
    broker.client(will=Will(topic, b"will", qos)).reset()
    for granted, one in enumerate(subs):
        one.receive(topic, b"will", min(qos, granted))


@pytest.mark.mqtt("MQTT-3.1.2-16", "MQTT-3.3.1-12")
def test_will_without_retain(broker, sub, topic):
    sub.subscribe(topic)
    broker.client(will=Will(topic, b"will")).reset()
    sub.receive(topic, b"will", retain=False)
    broker.client().subscribe(topic).expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-17", "MQTT-3.3.1-5", "MQTT-3.3.1-9")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_will_with_retain(broker, sub, topic, qos):
    sub.subscribe(topic, qos=2)
    broker.client(will=Will(topic, b"will", qos, retain=True)).reset()
    sub.receive(topic, b"will", qos, retain=False)
    broker.client().subscribe(topic, qos=2).receive(topic, b"will", qos, retain=True)


@pytest.mark.mqtt("MQTT-3.1.2-17", "MQTT-3.3.1-10")
def test_empty_will_with_retain_clears(broker, pub, sub, topic):
    pub.publish(topic, b"kept", 1, retain=True)
    sub.subscribe(topic)
    sub.receive(topic, b"kept", retain=True)
    broker.client(will=Will(topic, b"", retain=True)).reset()
    sub.receive(topic, b"", retain=False)
    broker.client().subscribe(topic).expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-9")
@pytest.mark.parametrize("payload", [b"", bytes(range(256)), b"x" * 5000],
                         ids=["empty", "binary", "long"])
def test_will_message_is_any_bytes(broker, sub, topic, payload):
    sub.subscribe(topic, qos=1)
    broker.client(will=Will(topic, payload, 1)).reset()
    sub.receive(topic, payload, 1)


@pytest.mark.mqtt("MQTT-3.1.2-5", "MQTT-3.1.2-8")
def test_will_waits_for_clients_that_are_away(broker, topic):
    away = broker.client(clean=False).subscribe(topic, qos=1)
    away.disconnect()
    one = broker.client(will=Will(topic, b"will", 1))
    one.reset()
    broker.forget(one.id)
    broker.client(away.id, clean=False, session_present=True).receive(topic, b"will", 1)


@pytest.mark.mqtt("MQTT-3.1.2-8", "MQTT-3.1.2-5")
def test_will_waits_for_its_own_client(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(clean=False, will=Will(topic, b"will", 1)).subscribe(topic, qos=1)
    one.reset()
    sub.receive(topic, b"will")
    again = broker.client(one.id, clean=False, session_present=True)
    again.receive(topic, b"will", 1)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-8", "MQTT-3.1.4-5")
def test_will_of_a_refused_connect_is_not_published(broker, sub, topic):
    sub.subscribe(topic)
    flags = mqtt.WILL
    one = broker.raw()
    one.send(mqtt.raw_connect(flags, "", topic, b"refused"))
    one.expect(mqtt.Connack(2))
    one.expect_close()
    broker.refuses(mqtt.raw_connect(flags | 1, broker.new_id(), topic, b"malformed"))
    sub.expect_nothing()


def test_disconnect_closes_the_connection(broker):
    one = broker.client()
    one.send(mqtt.disconnect())
    one.expect_close()


@pytest.mark.mqtt("MQTT-4.8.0-1", "MQTT-3.1.2-8")
def test_disconnect_with_a_body_is_none(broker, sub, topic):
    sub.subscribe(topic)
    one = broker.client(will=Will(topic, b"will"))
    one.send(mqtt.packet(mqtt.DISCONNECT, b"\0"))
    one.expect_close()
    sub.receive(topic, b"will")
