# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: QoS 1 and 2, reason codes in their exchanges, sending again: sections 4.3 to 4.6."""

import pytest

import mqtt
from client import case
from mqtt import PUBACK, PUBCOMP, PUBREC, PUBREL, ack
from reason import ID_IN_USE, ID_NOT_FOUND, NO_SUBSCRIBERS, SUCCESS

LEVEL = 5
ERRORS = (0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)     # that PUBACK and PUBREC can have


def publish(topic, payload, qos, id, **args):
    return mqtt.publish(topic, payload, qos, id, level=5, **args)


# ------------------------------------------------- the broker as receiver

@pytest.mark.mqtt5("MQTT-4.3.2-5", "MQTT-4.3.2-4", "MQTT-2.2.1-5", "MQTT-3.3.1-3")
def test_qos_1_identifier_can_be_used_again(pub, sub, topic):
    sub.subscribe(topic, qos=1)
    for dup in (False, False, True):
        pub.publish(topic, b"x", 1, id=5, dup=dup)
        sub.receive(topic, b"x", 1, dup=False)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-10", "MQTT-4.3.3-8", "MQTT-4.3.3-11", "MQTT-2.2.1-5")
@pytest.mark.parametrize("dup", [True, False])
def test_qos_2_packet_twice_is_one_message(pub, sub, topic, dup):
    sub.subscribe(topic, qos=2)
    pub.send(publish(topic, b"x", 2, 5))
    pub.expect(mqtt.Pubrec(5))
    for _ in range(2):
        pub.send(publish(topic, b"x", 2, 5, dup=dup))
        got = pub.expect(mqtt.Pubrec)
        assert got.id == 5 and got.code < 0x80, got
    pub.send(ack(PUBREL, 5))
    pub.expect(mqtt.Pubcomp(5))
    sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-12")
def test_qos_2_identifier_can_be_used_again_after_pubcomp(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    for dup in (False, False, True):
        pub.publish(topic, b"x", 2, id=5, dup=dup)
        sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-11", "MQTT-3.7.2-1")
def test_pubrel_for_an_unknown_identifier(pub, sub, topic):
    """It is answered, and the broker says that it doesn't know it; also for one that's done."""
    sub.subscribe(topic, qos=2)
    pub.send(ack(PUBREL, 4321))
    pub.expect(mqtt.Pubcomp(4321, ID_NOT_FOUND))
    pub.publish(topic, b"x", 2, id=5)
    pub.send(ack(PUBREL, 5))
    pub.expect(mqtt.Pubcomp(5, ID_NOT_FOUND))
    sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-11", "MQTT-4.3.3-12")
def test_pubrel_with_an_error_ends_the_exchange(pub, sub, topic):
    """The client no longer knows the message, which the broker has."""
    sub.subscribe(topic, qos=2)
    pub.send(publish(topic, b"x", 2, 5))
    pub.expect(mqtt.Pubrec(5))
    pub.send(ack(PUBREL, 5, ID_NOT_FOUND))
    assert pub.expect(mqtt.Pubcomp).id == 5
    sub.receive(topic, b"x", 2)
    pub.publish(topic, b"new", 2, id=5)
    sub.receive(topic, b"new", 2)


@pytest.mark.mqtt5("MQTT-4.3.3-10", "MQTT-3.1.2-5", "MQTT-4.4.0-1")
def test_qos_2_packet_again_on_a_new_connection_is_one_message(broker, sub, topic):
    sub.subscribe(topic, qos=2)
    one = broker.client(expiry=100)
    one.send(publish(topic, b"x", 2, 5))
    one.expect(mqtt.Pubrec(5))
    one.reset()
    again = broker.client(one.id, clean=False, expiry=100, session_present=True)
    again.send(publish(topic, b"x", 2, 5, dup=True))
    got = again.expect(mqtt.Pubrec)
    assert got.id == 5 and got.code in (SUCCESS, NO_SUBSCRIBERS)
    again.send(ack(PUBREL, 5))
    again.expect(mqtt.Pubcomp(5, SUCCESS))
    sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-4", "MQTT-4.1.0-2")
def test_qos_2_state_ends_with_its_session(broker, sub, topic):
    """The identifier is free in the new session: this is another message."""
    sub.subscribe(topic, qos=2)
    one = broker.client(expiry=100)
    one.send(publish(topic, b"old", 2, 5))
    one.expect(mqtt.Pubrec(5))
    one.reset()
    again = broker.client(one.id, clean=True)
    again.send(ack(PUBREL, 5))
    again.expect(mqtt.Pubcomp(5, ID_NOT_FOUND))
    again.publish(topic, b"new", 2, id=5)
    got = [sub.receive(topic, qos=2)] + sub.barrier()
    assert got[-1].payload == b"new", got


@pytest.mark.mqtt5("MQTT-2.2.1-3", "MQTT-3.4.2-1", "MQTT-3.9.3-2", "MQTT-3.11.3-2",
                   "MQTT-4.3.3-10")
def test_identifier_that_is_in_use(pub, sub, topic):
    """Of a QoS 2 message that isn't released. Nothing is done with it, and that one goes on."""
    sub.subscribe(topic, qos=2)
    pub.send(publish(topic, b"x", 2, 5))
    pub.expect(mqtt.Pubrec(5))
    pub.send(publish(topic, b"y", 1, 5))
    pub.expect(mqtt.Puback(5, ID_IN_USE))
    pub.send(mqtt.subscribe(5, (topic, 0), (topic + "/b", 1), level=5))
    pub.expect(mqtt.Suback(5, [ID_IN_USE] * 2))
    pub.send(mqtt.unsubscribe(5, topic, topic, topic, level=5))
    pub.expect(mqtt.Unsuback(5, [ID_IN_USE] * 3))
    pub.send(ack(PUBREL, 5))
    pub.expect(mqtt.Pubcomp(5))
    sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-8", "MQTT-4.3.3-11")
def test_qos_2_exchanges_can_overlap(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.send(*(publish(topic, b"%d" % id, 2, id) for id in range(1, 9)))
    pub.expect(*(mqtt.Pubrec(id) for id in range(1, 9)))
    for id in (3, 1, 8, 2, 7, 4, 5, 6):
        pub.send(ack(PUBREL, id))
        pub.expect(mqtt.Pubcomp(id))
    got = {sub.receive(topic, qos=2).payload for _ in range(8)}
    assert got == {b"%d" % id for id in range(1, 9)}
    sub.expect_nothing()


# --------------------------------------------------- the broker as sender

@pytest.mark.mqtt5("MQTT-4.3.1-1", "MQTT-3.3.1-2", "MQTT-3.3.1-3")
def test_qos_0_is_sent_with_dup_0(pub, sub, topic):
    sub.subscribe(topic)
    for qos in range(3):
        pub.publish(topic, b"x", qos, dup=qos > 0)
        sub.receive(topic, b"x", 0, dup=False)


@pytest.mark.mqtt5("MQTT-4.3.2-2", "MQTT-4.3.2-1", "MQTT-2.2.1-4", "MQTT-4.4.0-1")
def test_qos_1_is_sent_once_with_dup_0(pub, sub, topic):
    """Without PUBACK nothing is sent again on the same connection, and nothing stops."""
    sub.subscribe(topic, qos=1)
    pub.publish(topic, b"first", 1)
    first = sub.receive(topic, b"first", 1, dup=False, ack=False)
    sub.expect_nothing()
    pub.publish(topic, b"second", 1)
    assert sub.receive(topic, b"second", 1, dup=False).id != first.id
    sub.acknowledge(first)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-2", "MQTT-4.3.3-4", "MQTT-3.6.2-1", "MQTT-2.1.3-1",
                   "MQTT-2.2.1-5")
def test_qos_2_goes_step_by_step(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, dup=False, ack=False)
    sub.expect_nothing()
    sub.send(ack(PUBREC, one.id))
    sub.expect(mqtt.Pubrel(one.id))
    sub.expect_nothing()
    sub.send(ack(PUBCOMP, one.id))
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-4")
def test_pubrec_with_a_good_reason_goes_on(pub, sub, topic):
    """0x10 is one, though only a server has a use for it."""
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, ack=False)
    sub.send(ack(PUBREC, one.id, NO_SUBSCRIBERS))
    sub.expect(mqtt.Pubrel(one.id))
    sub.send(ack(PUBCOMP, one.id))
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.4.0-2", "MQTT-4.3.3-4", "MQTT-4.3.3-3", "MQTT-4.3.2-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_error_from_the_subscriber_ends_the_exchange(broker, pub, topic, qos):
    """No PUBREL, nothing is sent again, and the identifier is free."""
    sub = broker.client(expiry=100).subscribe(topic, qos=qos)
    for code in ERRORS:
        with case(hex(code)):
            pub.publish(topic, b"x", qos)
            got = sub.receive(topic, b"x", qos, ack=False)
            sub.send(ack(PUBACK if qos == 1 else PUBREC, got.id, code, {
                "reason_string": "no", "user": [("why", "because")]}))
            sub.expect_nothing()
    sub.reset()
    again = broker.client(sub.id, clean=False, expiry=100, session_present=True)
    again.expect_nothing()
    pub.publish(topic, b"y", qos)
    again.receive(topic, b"y", qos)


@pytest.mark.mqtt5("MQTT-4.3.3-4", "MQTT-3.6.2-1")
def test_pubrec_for_an_unknown_identifier(pub, sub, topic):
    """It is answered, so that the exchange can end. With an error there is nothing to answer."""
    sub.subscribe(topic, qos=2)
    sub.send(ack(PUBREC, 4321))
    sub.expect(mqtt.Pubrel(4321, ID_NOT_FOUND))
    sub.send(ack(PUBCOMP, 4321, ID_NOT_FOUND))
    sub.send(ack(PUBREC, 4321, 0x80))
    sub.expect_nothing()
    pub.publish(topic, b"x", 2)
    sub.receive(topic, b"x", 2)


@pytest.mark.mqtt5("MQTT-4.3.2-3", "MQTT-4.3.3-5")
@pytest.mark.parametrize("kind, code", [(PUBACK, 0), (PUBACK, 0x80), (PUBCOMP, 0),
                                        (PUBCOMP, ID_NOT_FOUND)])
def test_stray_acknowledgement_disturbs_nothing(pub, sub, topic, kind, code):
    sub.subscribe(topic, qos=1)
    sub.send(ack(kind, 54321, code))
    sub.ping()
    pub.publish(topic, b"x", 1)
    sub.receive(topic, b"x", 1)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.3-5")
def test_pubcomp_with_an_error_ends_the_exchange(broker, pub, topic):
    sub = broker.client(expiry=100).subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, ack=False)
    sub.send(ack(PUBREC, one.id))
    sub.expect(mqtt.Pubrel(one.id))
    sub.send(ack(PUBCOMP, one.id, ID_NOT_FOUND))
    sub.ping()
    sub.reset()
    broker.client(sub.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt5("MQTT-4.3.2-1", "MQTT-4.3.3-1", "MQTT-2.2.1-4")
def test_identifiers_come_back_after_the_exchange(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    for i in range(60):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
        sub.receive(topic, b"%d" % i, 1 + i % 2)
    sub.expect_nothing()


# --------------------------------------------------------- sending again

@pytest.mark.mqtt5("MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-3.3.1-3", "MQTT-4.3.2-3",
                   "MQTT-4.3.3-3", "MQTT-3.1.2-5", "MQTT-3.1.2-23")
@pytest.mark.parametrize("end", ["reset", "close", "disconnect", "take-over"])
def test_unacknowledged_publish_is_sent_again(broker, pub, topic, end):
    """As it was, properties and all."""
    props = {"content_type": "t", "user": [("a", "b")], "correlation_data": b"\0"}
    sub = broker.client(expiry=100).subscribe(topic, qos=2)
    for i in range(6):
        pub.publish(topic, b"%d" % i, 1 + i % 2, props=props)
    before = [sub.receive(topic, b"%d" % i, 1 + i % 2, ack=False, props=props) for i in range(6)]
    if end != "take-over":
        getattr(sub, end)()
    again = broker.client(sub.id, clean=False, expiry=100, session_present=True)
    for one in before:
        with case(one):
            after = again.receive(topic, one.payload, one.qos, dup=True, ack=False, props=props)
            assert after.id == one.id, f"as {after}"
    for one in before:
        again.acknowledge(one)
    again.expect_nothing()
    again.disconnect()
    broker.client(sub.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt5("MQTT-4.4.0-1", "MQTT-4.3.3-5", "MQTT-4.3.3-6")
def test_unacknowledged_pubrel_is_sent_again(broker, pub, topic):
    """And the PUBLISH isn't."""
    sub = broker.client(expiry=100).subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, ack=False)
    sub.send(ack(PUBREC, one.id))
    sub.expect(mqtt.Pubrel(one.id))
    for _ in range(2):
        sub.reset()
        sub = broker.client(sub.id, clean=False, expiry=100, session_present=True)
        sub.expect(mqtt.Pubrel(one.id))
        sub.expect_nothing()
    sub.send(ack(PUBCOMP, one.id))
    sub.ping()
    sub.reset()
    broker.client(sub.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt5("MQTT-2.2.1-4", "MQTT-4.4.0-1", "MQTT-4.3.2-1")
def test_new_messages_keep_away_from_unacknowledged_identifiers(broker, pub, topic):
    sub = broker.client(expiry=100).subscribe(topic, qos=1)
    for _ in range(3):
        pub.publish(topic, b"old", 1)
    old = {sub.receive(topic, b"old", 1, ack=False).id for _ in range(3)}
    sub.reset()
    again = broker.client(sub.id, clean=False, session_present=True)
    assert {again.receive(topic, b"old", 1, dup=True, ack=False).id for _ in range(3)} == old
    for _ in range(5):
        pub.publish(topic, b"new", 1)
    new = {again.receive(topic, b"new", 1, ack=False).id for _ in range(5)}
    assert len(new | old) == 8, (old, new)


# ------------------------------------------------------------------- order

@pytest.mark.mqtt5("MQTT-4.6.0-5", "MQTT-4.6.0-6", "MQTT-4.5.0-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_have_the_order_of_their_publisher(broker, topic, qos):
    """Two publishers at once, and each subscriber sees each one's order."""
    subs = [broker.client().subscribe(topic, qos=qos) for _ in range(2)]
    pubs = [broker.client(), broker.client()]
    for i in range(0, 20, 4):
        for name, one in zip(b"ab", pubs):
            one.send(*(publish(topic, b"%c%d" % (name, n), qos, n + 1 if qos else None)
                       for n in range(i, i + 4)))
            if qos == 2:
                for n in range(i, i + 4):
                    one.wait(mqtt.Pubrec(n + 1))
                    one.send(ack(PUBREL, n + 1))
    for one in pubs:
        one.ping()
    for sub in subs:
        got = [sub.receive(topic, qos=qos).payload for _ in range(40)]
        for name in b"ab":
            mine = [p for p in got if p[0] == name]
            assert mine == [b"%c%d" % (name, n) for n in range(20)]
        sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.6.0-5", "MQTT-4.4.0-1")
def test_sent_again_before_what_is_new(broker, pub, topic):
    sub = broker.client(expiry=100).subscribe(topic, qos=1)
    for i in range(3):
        pub.publish(topic, b"%d" % i, 1)
    for i in range(3):
        sub.receive(topic, b"%d" % i, 1, ack=False)
    sub.disconnect()
    for i in range(3, 6):
        pub.publish(topic, b"%d" % i, 1)
    again = broker.client(sub.id, clean=False, session_present=True)
    for i in range(6):
        again.receive(topic, b"%d" % i, 1, dup=i < 3)
    again.expect_nothing()
