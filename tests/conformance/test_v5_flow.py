# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: receive maximum and maximum packet size of the client: sections 3.1.2.11 and 4.9.

That each packet keeps to the maximum packet size is checked by the client, in all tests.
"""

import pytest

import mqtt
from client import Closed, case
from mqtt import PUBACK, PUBCOMP, PUBREC, ack

LEVEL = 5


def no_more(sub):
    """There is no message, though the broker answers: it must have all it had to send by now."""
    sub.ping()
    assert not sub.inbox, sub.inbox


# ---------------------------------------------------------- receive maximum

@pytest.mark.mqtt5("MQTT-3.3.4-9", "MQTT-4.9.0-1", "MQTT-4.9.0-2")
@pytest.mark.parametrize("most", [1, 2, 7])
def test_broker_keeps_to_the_receive_maximum(broker, pub, topic, most):
    """Each acknowledgement makes room for one, and all come in their order."""
    sub = broker.client(props={"receive_max": most}).subscribe(topic, qos=2)
    for i in range(20):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    window = []
    for i in range(20):
        window.append(sub.receive(topic, b"%d" % i, 1 + i % 2, ack=False))
        if len(window) == most:
            no_more(sub)
            sub.acknowledge(window.pop(0))
    for one in window:
        sub.acknowledge(one)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.4-9", "MQTT-4.9.0-2")
def test_what_makes_room(broker, pub, topic):
    """PUBACK and PUBCOMP, with an error or not, and PUBREC with an error; not a good PUBREC."""
    sub = broker.client(props={"receive_max": 1}).subscribe(topic, qos=2)
    steps = [(1, [(PUBACK, 0)]), (1, [(PUBACK, 0x80)]), (2, [(PUBREC, 0x80)]),
             (2, [(PUBREC, 0), (PUBCOMP, 0)]), (2, [(PUBREC, 0), (PUBCOMP, 0x92)]), (1, [])]
    for i, (qos, _) in enumerate(steps):
        pub.publish(topic, b"%d" % i, qos)
    for i, (qos, answers) in enumerate(steps):
        with case(i):
            id = sub.receive(topic, b"%d" % i, qos, ack=False).id
            for kind, code in answers:
                no_more(sub)
                sub.send(ack(kind, id, code))
                if kind == PUBREC and not code:
                    sub.expect(mqtt.Pubrel(id))


@pytest.mark.mqtt5("MQTT-4.9.0-1", "MQTT-4.9.0-2", "MQTT-3.3.4-9")
def test_stray_acknowledgements_make_no_room(broker, pub, topic):
    """Nor does one that comes twice."""
    sub = broker.client(props={"receive_max": 2}).subscribe(topic, qos=2)
    for _ in range(3):
        for kind in (PUBACK, PUBCOMP):
            sub.send(ack(kind, 54321))
    for i in range(6):
        pub.publish(topic, b"%d" % i, 1)
    first = sub.receive(topic, b"0", 1, ack=False)
    sub.receive(topic, b"1", 1, ack=False)
    no_more(sub)
    for _ in range(3):
        sub.send(ack(PUBACK, first.id))
    third = sub.receive(topic, b"2", 1, ack=False)
    if third.id != first.id:
        no_more(sub)


@pytest.mark.mqtt5("MQTT-4.9.0-3", "MQTT-3.3.4-10")
def test_all_else_goes_on_without_quota(broker, pub, topic):
    """Requests are answered, and what the client publishes is taken."""
    other = broker.client().subscribe(topic + "/up", qos=2)
    sub = broker.client(props={"receive_max": 1}).subscribe(topic, qos=2)
    for i in range(3):
        pub.publish(topic, b"%d" % i, 2)
    got = sub.receive(topic, b"0", 2, ack=False)
    sub.ping()
    sub.subscribe(topic + "/b", qos=2)
    sub.unsubscribe(topic + "/b")
    for qos in range(3):
        sub.publish(topic + "/up", b"up", qos)
        other.receive(topic + "/up", b"up", qos)
    sub.acknowledge(got)
    sub.receive(topic, b"1", 2)
    sub.receive(topic, b"2", 2)


@pytest.mark.mqtt5("MQTT-3.3.4-9", "MQTT-4.4.0-1", "MQTT-3.1.2-5")
def test_receive_maximum_of_a_new_connection(broker, pub, topic):
    """It is that of the connection, also for what is sent again and for PUBREL."""
    sub = broker.client(expiry=100, props={"receive_max": 6}).subscribe(topic, qos=2)
    for i in range(8):
        pub.publish(topic, b"%d" % i, 2)
    ids = [sub.receive(topic, b"%d" % i, 2, ack=False).id for i in range(6)]
    sub.reset()
    again = broker.client(sub.id, clean=False, expiry=100, session_present=True,
                          props={"receive_max": 2})
    for i in range(8):
        if i < 6:
            assert again.receive(topic, b"%d" % i, 2, dup=True, ack=False).id == ids[i]
            id = ids[i]
        else:
            id = again.receive(topic, b"%d" % i, 2, dup=False, ack=False).id
        if i:
            no_more(again)
            again.send(ack(PUBREC, before))
            again.expect(mqtt.Pubrel(before))
            again.send(ack(PUBCOMP, before))
        before = id
    again.send(ack(PUBREC, before))
    again.expect(mqtt.Pubrel(before))
    again.send(ack(PUBCOMP, before))
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.4-9", "MQTT-3.3.1-9")
def test_receive_maximum_and_retained_messages(broker, pub, topic):
    names = [f"{topic}/{i}" for i in range(10)]
    for name in names:
        pub.publish(name, b"kept", 1, retain=True)
    sub = broker.client(props={"receive_max": 3}).subscribe(topic + "/+", qos=1)
    first = [sub.receive(retain=True, ack=False) for _ in range(3)]
    no_more(sub)
    for one in first:
        sub.acknowledge(one)
    rest = [sub.receive(retain=True) for _ in range(7)]
    assert sorted(p.topic for p in first + rest) == sorted(names)


@pytest.mark.mqtt5("MQTT-4.9.0-1", "MQTT-3.3.4-9")
@pytest.mark.parametrize("most", [None, 65535])
def test_default_receive_maximum(broker, pub, topic, most):
    """A window there is, of whatever size, and more than it holds comes in the end."""
    sub = broker.client(props={"receive_max": most} if most else {}).subscribe(topic, qos=1)
    pub.send(*(mqtt.publish(topic, b"%d" % i, 1, i + 1, level=5) for i in range(100)))
    for i in range(100):
        sub.receive(topic, b"%d" % i, 1)
    sub.expect_nothing()


# ------------------------------------------------------ maximum packet size

def size(topic, payload, qos, props=b""):
    return len(mqtt.publish(topic, payload, qos, 1 if qos else None, level=5, props=props))


@pytest.mark.mqtt5("MQTT-3.1.2-24", "MQTT-3.1.2-25")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_message_that_is_too_large_is_dropped(broker, pub, topic, qos):
    """By a byte; the next one comes, and another client gets them all."""
    for most in (100, 300, 20000):
        with case(most):
            sub = broker.client(props={"max_packet_size": most}).subscribe(topic, qos=qos)
            other = broker.client().subscribe(topic, qos=qos)
            fits = b"x" * (most - size(topic, b"", qos))
            fits = fits[:len(fits) - (size(topic, fits, qos) - most)]
            assert size(topic, fits, qos) == most
            for payload in (b"before", fits, fits + b"x", fits + b"x" * 100000, b"after"):
                pub.publish(topic, payload, qos)
                other.receive(topic, payload, qos)
            for payload in (b"before", fits, b"after"):
                sub.receive(topic, payload, qos)
            sub.expect_nothing()
            sub.unsubscribe(topic)


@pytest.mark.mqtt5("MQTT-3.1.2-24", "MQTT-3.1.2-25", "MQTT-3.3.2-17")
def test_properties_count(broker, pub, topic):
    """And aren't left out to make a message fit; nor is it a subscription identifier."""
    sub = broker.client(props={"max_packet_size": 200})
    sub.subscribe(topic, qos=1, props={"subscription_id": 1})
    pub.publish(topic, b"x", 1, props={"user": [("name", "v" * 200)]})
    pub.publish(topic, b"x" * (200 - size(topic, b"", 1) - 1), 1)
    pub.publish(topic, b"x", 1, props={"user": [("name", "v" * 20)]})
    sub.receive(topic, b"x", 1, props={"user": [("name", "v" * 20)], "subscription_id": [1]})
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-25", "MQTT-3.3.4-9")
def test_message_that_is_too_large_takes_no_room(broker, pub, topic):
    sub = broker.client(props={"max_packet_size": 100, "receive_max": 1}).subscribe(topic, qos=2)
    for qos in (1, 2, 1, 2):
        pub.publish(topic, b"x" * 200, qos)
    for qos in (1, 2):
        pub.publish(topic, b"y", qos)
        sub.receive(topic, b"y", qos)
    no_more(sub)


@pytest.mark.mqtt5("MQTT-3.1.2-25", "MQTT-3.1.2-5")
def test_message_that_is_too_large_for_a_new_connection(broker, pub, topic):
    """What waits, what is to be sent again, and what is retained."""
    one = broker.client(expiry=100).subscribe(topic, qos=2)
    pub.publish(topic, b"sent" * 100, 1)
    pub.publish(topic, b"small", 1)
    one.receive(topic, b"sent" * 100, 1, ack=False)
    one.receive(topic, b"small", 1, ack=False)
    one.disconnect()
    pub.publish(topic, b"wait" * 100, 1)
    pub.publish(topic + "/r", b"kept" * 100, 1, retain=True)
    pub.publish(topic + "/s", b"kept", 1, retain=True)
    pub.publish(topic, b"last", 2)
    again = broker.client(one.id, clean=False, expiry=100, session_present=True,
                          props={"max_packet_size": 100, "receive_max": 5})
    again.receive(topic, b"small", 1, dup=True)
    again.receive(topic, b"last", 2)
    again.subscribe(topic + "/+", qos=1)
    again.receive(topic + "/s", b"kept", 1, retain=True)
    again.expect_nothing()
    again.disconnect()
    broker.client(one.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-24", "MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2",
                   "MQTT-3.5.2-3", "MQTT-3.6.2-2", "MQTT-3.6.2-3", "MQTT-3.7.2-2",
                   "MQTT-3.7.2-3", "MQTT-3.9.2-1", "MQTT-3.9.2-2", "MQTT-3.11.2-1",
                   "MQTT-3.11.2-2", "MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.14.2-3",
                   "MQTT-3.14.2-4")
def test_answers_keep_to_the_maximum_packet_size(broker, topic):
    """Good and bad ones, with so little room that there is none for words; the client checks it."""
    one = broker.client(props={"max_packet_size": 40})
    one.send(mqtt.publish(topic, b"", 1, 1, level=5), mqtt.publish(topic, b"", 2, 2, level=5),
             ack(mqtt.PUBREL, 3), ack(mqtt.PUBREC, 4), mqtt.subscribe(5, (topic, 0), level=5),
             mqtt.unsubscribe(6, topic, "none", level=5))
    for kind in (mqtt.Puback, mqtt.Pubrec, mqtt.Pubcomp, mqtt.Pubrel, mqtt.Suback, mqtt.Unsuback):
        one.wait(kind)
    one.send(mqtt.publish("", b"", level=5))
    one.expect_disconnect(0x82)
    one = broker.raw()
    one.send_connect(broker.new_id(), props={"max_packet_size": 5, "auth_method": "none"})
    one.expect_refusal(0x8c, 0x87)


@pytest.mark.mqtt5("MQTT-3.1.2-24")
@pytest.mark.parametrize("most", [1, 2, 4, 5, 20])
def test_maximum_that_hardly_anything_fits_in(broker, most):
    """A client can't expect an answer then, but the broker has to live with it."""
    one = broker.raw()
    one.send_connect(broker.new_id(), props={"max_packet_size": most})
    one.send(mqtt.pingreq(), mqtt.disconnect())
    try:
        while True:
            one.recv()                  # whatever it is, the client checks its size
    except Closed:
        pass
    broker.client().ping()


@pytest.mark.mqtt5("MQTT-3.1.2-29")
def test_no_problem_information(broker, pub, topic):
    """The client checks it. In PUBLISH, user properties are part of the message."""
    one = broker.client(props={"request_problem": 0}).subscribe(topic, qos=2)
    for packet, answer in ((mqtt.publish(topic + "/none", b"", 1, 1, level=5), mqtt.Puback),
                           (mqtt.publish(topic + "/none", b"", 2, 2, level=5), mqtt.Pubrec),
                           (ack(mqtt.PUBREL, 77), mqtt.Pubcomp), (ack(PUBREC, 88), mqtt.Pubrel),
                           (mqtt.publish(topic + "/none", b"", 1, 2, level=5), mqtt.Puback),
                           (mqtt.subscribe(2, ("$share/g/" + topic, 0), level=5), mqtt.Suback),
                           (mqtt.unsubscribe(5, "none", level=5), mqtt.Unsuback)):
        one.send(packet)
        one.expect(answer)
    pub.publish(topic, b"x", 1, props={"user": [("a", "b")]})
    one.receive(topic, b"x", 1, props={"user": [("a", "b")]})
