# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: session state, clean start and session expiry: sections 3.1.2.4 and 4.1."""

import time

import pytest

import client
import mqtt
from client import case
from mqtt import Will
from reason import TAKEN_OVER, WITH_WILL

LEVEL = 5
LONG = 1000     # an expiry interval that doesn't pass during a test
NEVER = 0xffffffff


@pytest.mark.mqtt5("MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-3.2.2-3", "MQTT-4.1.0-1")
@pytest.mark.parametrize("expiry", [LONG, NEVER - 1, NEVER])
@pytest.mark.parametrize("end", ["disconnect", "close", "reset"])
def test_session_is_stored(broker, pub, topic, end, expiry):
    one = broker.client(expiry=expiry).subscribe(topic, qos=1)
    getattr(one, end)()
    again = broker.client(one.id, clean=False, expiry=expiry, session_present=True)
    pub.publish(topic, b"x", 1)
    again.receive(topic, b"x", 1)
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-6", "MQTT-3.2.2-3")
def test_session_is_made(broker, pub, topic):
    one = broker.client(clean=False, expiry=LONG, session_present=False).subscribe(topic, qos=1)
    pub.publish(topic, b"x", 1)
    one.receive(topic, b"x", 1)


@pytest.mark.mqtt5("MQTT-4.1.0-2", "MQTT-3.1.2-23", "MQTT-3.2.2-3")
@pytest.mark.parametrize("expiry", [None, 0])
@pytest.mark.parametrize("end", ["disconnect", "reset"])
def test_session_without_expiry_ends_with_its_connection(broker, pub, topic, end, expiry):
    one = broker.client(expiry=expiry).subscribe(topic, qos=1)
    pub.publish(topic, b"during", 1)
    one.receive(topic, b"during", 1, ack=False)
    getattr(one, end)()
    again = broker.client(one.id, clean=False, expiry=LONG, session_present=False)
    pub.publish(topic, b"after", 1)
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-4", "MQTT-3.2.2-2")
def test_clean_start_discards_what_was_stored(broker, pub, topic):
    one = broker.client(expiry=LONG).subscribe(topic, qos=1)
    pub.publish(topic, b"unacknowledged", 1)
    one.receive(topic, b"unacknowledged", 1, ack=False)
    one.disconnect()
    pub.publish(topic, b"waiting", 1)
    again = broker.client(one.id, clean=True, expiry=LONG, session_present=False)
    pub.publish(topic, b"later", 1)
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-4", "MQTT-3.1.2-23")
def test_clean_start_makes_a_session_that_lasts(broker, pub, topic):
    """Clean start and expiry have nothing to do with each other."""
    one = broker.client(clean=True, expiry=LONG).subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"waits", 1)
    again = broker.client(one.id, clean=False, expiry=0, session_present=True)
    again.receive(topic, b"waits", 1)


@pytest.mark.mqtt5("MQTT-3.1.2-5", "MQTT-4.5.0-1", "MQTT-4.6.0-6", "MQTT-4.6.0-5")
@pytest.mark.parametrize("end", ["disconnect", "reset"])
def test_messages_wait_for_the_client(broker, pub, topic, end):
    one = broker.client(expiry=LONG).subscribe(topic, qos=2)
    getattr(one, end)()
    for i in range(40):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    again = broker.client(one.id, clean=False, session_present=True)
    for i in range(40):
        again.receive(topic, b"%d" % i, 1 + i % 2, dup=None, retain=False)
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-5", "MQTT-3.3.4-4")
def test_subscription_options_and_identifiers_are_stored(broker, pub, topic):
    one = broker.client(expiry=LONG)
    one.subscribe((topic + "/kept", mqtt.options(1, as_published=True)),
                  props={"subscription_id": 7})
    one.subscribe((topic + "/own", mqtt.options(1, no_local=True)),
                  props={"subscription_id": 300000})
    one.disconnect()
    pub.publish(topic + "/kept", b"x", 1, retain=True)
    again = broker.client(one.id, clean=False, expiry=LONG, session_present=True)
    again.receive(topic + "/kept", b"x", 1, retain=True, props={"subscription_id": [7]})
    again.publish(topic + "/own", b"mine", 1)
    pub.publish(topic + "/own", b"others", 1)
    again.receive(topic + "/own", b"others", 1, props={"subscription_id": [300000]})
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-5", "MQTT-4.1.0-1")
def test_session_survives_a_change_of_version(broker, pub, topic):
    one = broker.client(level=4, clean=False).subscribe(topic, qos=1)
    for level in (5, 4, 5):
        one.disconnect()
        pub.publish(topic, b"to %d" % level, 1)
        one = broker.client(one.id, level=level, clean=False, session_present=True,
                            expiry=LONG if level == 5 else None)
        one.receive(topic, b"to %d" % level, 1)


# ------------------------------------------------------------------ expiry

def ends_after(sub, start, topic, seconds):
    """The will of a session that ends: when it comes, and not too soon."""
    got = sub.receive(topic)
    took = time.monotonic() - start
    assert took > seconds - 0.2, f"the session ended after {took:.1f} s"
    return got


@pytest.mark.mqtt5("MQTT-4.1.0-2", "MQTT-3.1.2-23", "MQTT-3.1.2-8", "MQTT-3.2.2-3",
                   "MQTT-3.1.2-6")
def test_sessions_expire(broker, sub, topic):
    """Each in its own way, and all at once. A will that would wait longer tells of the end."""
    sub.subscribe(topic + "/+", qos=1)
    will = {"will_delay": LONG}
    names = ["connect", "disconnect", "again", "later"]
    a, b, c, d = (
        broker.client(expiry=expiry, will=Will(f"{topic}/{name}", b"will", 1, props=will))
        for name, expiry in zip(names, (1, LONG, LONG, 1)))
    lasting = broker.client(expiry=LONG).subscribe(topic + "/lasting", qos=1)

    start = time.monotonic()
    a.reset()                                                   # as CONNECT has said
    b.send(mqtt.disconnect(WITH_WILL, {"session_expiry": 1}))   # as DISCONNECT has said
    b.expect_close()
    c.disconnect(WITH_WILL)                                     # as the next CONNECT says
    broker.client(c.id, clean=False, expiry=2, session_present=True, will=Will(
        f"{topic}/{names[2]}", b"will", 1, props=will)).reset()
    d.send(mqtt.disconnect(WITH_WILL, {"session_expiry": LONG}))
    d.expect_close()
    lasting.reset()

    early = sorted(ends_after(sub, start, None, 1).topic for _ in range(2))
    assert early == [f"{topic}/connect", f"{topic}/disconnect"]
    ends_after(sub, start, f"{topic}/again", 2)
    assert time.monotonic() - start < 8 + 3 * client.SCALE
    sub.expect_nothing()
    for one, present in ((a, False), (b, False), (c, False), (d, True), (lasting, True)):
        with case(one.id):
            broker.client(one.id, clean=False, expiry=0, session_present=present).disconnect()


@pytest.mark.mqtt5("MQTT-4.1.0-1", "MQTT-4.1.0-2")
def test_session_doesnt_expire_while_it_is_connected(broker, sub, pub, topic):
    """Nor does the interval of an earlier connection count."""
    sub.subscribe(topic + "/gone", qos=1)
    one = broker.client(expiry=2).subscribe(topic, qos=1)
    one.reset()
    one = broker.client(one.id, clean=False, expiry=1, session_present=True)
    other = broker.client(expiry=2, will=Will(topic + "/gone", props={"will_delay": LONG}))
    other.reset()
    sub.receive(topic + "/gone")        # two seconds have passed
    pub.publish(topic, b"x", 1)
    one.receive(topic, b"x", 1)
    broker.client(one.id, clean=False, expiry=0, session_present=True).ping()
    one.expect_disconnect(TAKEN_OVER)


@pytest.mark.mqtt5("MQTT-4.1.0-2")
def test_disconnect_can_shorten_the_session_to_nothing(broker):
    one = broker.client(expiry=LONG)
    one.send(mqtt.disconnect(0, {"session_expiry": 0}))
    one.expect_close()
    broker.client(one.id, clean=False, expiry=LONG, session_present=False).disconnect()


@pytest.mark.mqtt5("MQTT-4.1.0-2")
def test_interval_of_the_last_connection_counts(broker):
    one = broker.client(expiry=LONG)
    one.disconnect()
    broker.client(one.id, clean=False, expiry=None, session_present=True).disconnect()
    broker.client(one.id, clean=False, expiry=LONG, session_present=False).disconnect()


@pytest.mark.mqtt5("MQTT-4.1.0-2", "MQTT-4.5.0-1")
def test_expired_session_leaves_nothing(broker, sub, pub, topic):
    """Its subscriptions, shared ones included, are gone with it."""
    sub.subscribe(topic + "/gone", "$share/g/" + topic, qos=1)
    one = broker.client(expiry=1, will=Will(topic + "/gone", props={"will_delay": LONG}))
    one.subscribe("$share/g/" + topic, topic, qos=1)
    one.reset()
    sub.receive(topic + "/gone")
    for i in range(6):
        pub.publish(topic, b"%d" % i, 1)
        sub.receive(topic, b"%d" % i, 1)
    broker.client(one.id, clean=False, session_present=False).expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.1-5", "MQTT-4.1.0-2")
def test_retained_messages_outlive_the_session(broker, topic):
    one = broker.client(expiry=0)
    one.publish(topic, b"kept", 1, retain=True)
    one.disconnect()
    broker.client().subscribe(topic, qos=1).receive(topic, b"kept", 1, retain=True)
