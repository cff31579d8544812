# SPDX-License-Identifier: GPL-2.0
"""QoS 1 and 2, sending again, and order: sections 4.3 to 4.6."""

import pytest

import mqtt
from client import case
from mqtt import PUBACK, PUBCOMP, PUBREC, PUBREL, ack


# ------------------------------------------------- the broker as receiver

@pytest.mark.mqtt("MQTT-4.3.2-2", "MQTT-2.3.1-6")
def test_qos_1_identifier_can_be_used_again(pub, sub, topic):
    """After PUBACK the same packet is a new message, with DUP or without."""
    sub.subscribe(topic, qos=1)
    for dup in (False, False, True):
        pub.publish(topic, b"x", 1, id=5, dup=dup)
        sub.receive(topic, b"x", 1)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-2", "MQTT-2.3.1-6")
def test_qos_2_packet_twice_is_one_message(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.send(mqtt.publish(topic, b"x", 2, 5))
    pub.expect(mqtt.Pubrec(5))
    pub.send(mqtt.publish(topic, b"x", 2, 5, dup=True))
    pub.expect(mqtt.Pubrec(5))
    pub.send(ack(PUBREL, 5))
    pub.expect(mqtt.Pubcomp(5))
    sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-2")
def test_qos_2_identifier_can_be_used_again_after_pubcomp(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    for dup in (False, False, True):
        pub.publish(topic, b"x", 2, id=5, dup=dup)
        sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-2")
def test_pubrel_twice_gets_pubcomp_twice(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2, id=5)
    pub.send(ack(PUBREL, 5))
    pub.expect(mqtt.Pubcomp(5))
    sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-2")
def test_pubrel_for_an_unknown_identifier_gets_pubcomp(pub):
    """Or a client whose session was lost could never end its exchange."""
    pub.send(ack(PUBREL, 4321))
    pub.expect(mqtt.Pubcomp(4321))


@pytest.mark.mqtt("MQTT-4.3.3-2")
def test_qos_2_exchanges_can_overlap(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.send(*(mqtt.publish(topic, b"%d" % id, 2, id) for id in range(1, 9)))
    pub.expect(*(mqtt.Pubrec(id) for id in range(1, 9)))
    for id in (3, 1, 8, 2, 7, 4, 5, 6):
        pub.send(ack(PUBREL, id))
        pub.expect(mqtt.Pubcomp(id))
    got = {sub.receive(topic, qos=2).payload for _ in range(8)}
    assert got == {b"%d" % id for id in range(1, 9)}
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-2", "MQTT-3.1.2-4", "MQTT-4.4.0-1")
def test_qos_2_packet_again_on_a_new_connection_is_one_message(broker, sub, topic):
    sub.subscribe(topic, qos=2)
    one = broker.client(clean=False)
    one.send(mqtt.publish(topic, b"x", 2, 5))
    one.expect(mqtt.Pubrec(5))
    one.reset()
    again = broker.client(one.id, clean=False, session_present=True)
    again.send(mqtt.publish(topic, b"x", 2, 5, dup=True))
    again.expect(mqtt.Pubrec(5))
    again.send(ack(PUBREL, 5))
    again.expect(mqtt.Pubcomp(5))
    sub.receive(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-2", "MQTT-3.1.2-4")
def test_pubrel_on_a_new_connection_ends_the_exchange(broker, sub, topic):
    sub.subscribe(topic, qos=2)
    one = broker.client(clean=False)
    one.send(mqtt.publish(topic, b"x", 2, 5))
    one.expect(mqtt.Pubrec(5))
    one.reset()
    again = broker.client(one.id, clean=False, session_present=True)
    again.send(ack(PUBREL, 5))
    again.expect(mqtt.Pubcomp(5))
    sub.receive(topic, b"x", 2)
    again.publish(topic, b"new", 2, id=5)
    sub.receive(topic, b"new", 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-6", "MQTT-4.3.3-2")
def test_qos_2_state_ends_with_a_clean_session(broker, sub, topic):
    """The identifier is free in the new session: this is another message."""
    sub.subscribe(topic, qos=2)
    one = broker.client()
    one.send(mqtt.publish(topic, b"old", 2, 5))
    one.expect(mqtt.Pubrec(5))
    one.reset()
    broker.client(one.id).publish(topic, b"new", 2, id=5)
    got = [sub.receive(topic, qos=2)] + sub.barrier()
    assert got[-1].payload == b"new", got


# --------------------------------------------------- the broker as sender

@pytest.mark.mqtt("MQTT-4.3.1-1", "MQTT-3.3.1-2")
def test_qos_0_is_sent_with_dup_0(pub, sub, topic):
    sub.subscribe(topic)
    for qos in range(3):
        pub.publish(topic, b"x", qos)
        sub.receive(topic, b"x", 0, dup=False)


@pytest.mark.mqtt("MQTT-4.3.2-1")
def test_qos_1_is_sent_once_with_dup_0(pub, sub, topic):
    """Without PUBACK nothing is sent again on the same connection, and nothing stops."""
    sub.subscribe(topic, qos=1)
    pub.publish(topic, b"first", 1)
    first = sub.receive(topic, b"first", 1, dup=False, ack=False)
    sub.expect_nothing()
    pub.publish(topic, b"second", 1)
    sub.receive(topic, b"second", 1, dup=False)
    sub.acknowledge(first)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-1", "MQTT-2.3.1-6")
def test_qos_2_goes_step_by_step(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, dup=False, ack=False)
    sub.expect_nothing()
    sub.send(ack(PUBREC, one.id))
    sub.expect_bytes(b"\x62\x02" + mqtt.u16(one.id))
    sub.expect_nothing()
    sub.send(ack(PUBCOMP, one.id))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-1")
def test_pubrec_twice_gets_pubrel_twice(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, ack=False)
    for _ in range(2):
        sub.send(ack(PUBREC, one.id))
        sub.expect(mqtt.Pubrel(one.id))
    sub.send(ack(PUBCOMP, one.id))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.2-1", "MQTT-4.3.3-1", "MQTT-2.3.1-4")
def test_identifiers_come_back_after_the_exchange(pub, sub, topic):
    """More messages than any window, each acknowledged before the next."""
    sub.subscribe(topic, qos=2)
    for i in range(60):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
        sub.receive(topic, b"%d" % i, 1 + i % 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.2-1", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [1, 2])
def test_more_messages_than_the_window_holds(pub, sub, topic, qos):
    """The subscriber acknowledges late; everything comes, once, in order."""
    sub.subscribe(topic, qos=qos)
    for i in range(70):
        pub.publish(topic, b"%d" % i, qos)
    for i in range(70):
        sub.receive(topic, b"%d" % i, qos)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.2-1")
def test_acknowledgements_in_any_order(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    for i in range(8):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    got = [sub.receive(topic, b"%d" % i, ack=False) for i in range(8)]
    for i in (5, 0, 7, 2, 1, 6, 3, 4):
        sub.acknowledge(got[i])
    sub.expect_nothing()
    pub.publish(topic, b"next", 2)
    sub.receive(topic, b"next", 2)


@pytest.mark.parametrize("kind", [PUBACK, PUBREC, PUBCOMP], ids=["PUBACK", "PUBREC", "PUBCOMP"])
def test_stray_acknowledgement_disturbs_nothing(pub, sub, topic, kind):
    """It may be left over from a session that the broker no longer has."""
    sub.subscribe(topic, qos=1)
    sub.send(ack(kind, 54321))
    sub.ping()
    if kind == PUBREC and sub.inbox:
        sub.expect(mqtt.Pubrel(54321))
    pub.publish(topic, b"x", 1)
    sub.receive(topic, b"x", 1)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.3.3-1")
@pytest.mark.parametrize("kind", [PUBACK, PUBCOMP], ids=["PUBACK", "PUBCOMP"])
def test_wrong_acknowledgement_doesnt_end_qos_2(broker, pub, topic, kind):
    """The broker may close or not, but the message is still to be acknowledged."""
    sub = broker.client(clean=False).subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, ack=False)
    sub.send(ack(kind, one.id))
    again = broker.client(sub.id, clean=False, session_present=True)
    after = again.receive(topic, b"x", 2, dup=True)
    assert after.id == one.id
    again.expect_nothing()


# --------------------------------------------------------- sending again

@pytest.mark.mqtt("MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-3.3.1-3", "MQTT-4.6.0-1",
                  "MQTT-4.3.2-1", "MQTT-3.1.2-4")
@pytest.mark.parametrize("end", ["reset", "close", "disconnect", "take-over"])
def test_unacknowledged_publish_is_sent_again(broker, pub, topic, end):
    sub = broker.client(clean=False).subscribe(topic, qos=2)
    for i in range(6):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    before = [sub.receive(topic, b"%d" % i, 1 + i % 2, ack=False) for i in range(6)]
    if end != "take-over":
        getattr(sub, end)()
    again = broker.client(sub.id, clean=False, session_present=True)
    for one in before:
        with case(one):
            after = again.receive(topic, one.payload, one.qos, dup=True, ack=False)
            assert after.id == one.id, f"as {after}"
    for one in before:
        again.acknowledge(one)
    again.expect_nothing()
    again.disconnect()
    broker.client(sub.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt("MQTT-4.4.0-1", "MQTT-4.3.3-1")
def test_unacknowledged_pubrel_is_sent_again(broker, pub, topic):
    """And the PUBLISH isn't."""
    sub = broker.client(clean=False).subscribe(topic, qos=2)
    pub.publish(topic, b"x", 2)
    one = sub.receive(topic, b"x", 2, ack=False)
    sub.send(ack(PUBREC, one.id))
    sub.expect(mqtt.Pubrel(one.id))
    for _ in range(2):
        sub.reset()
        sub = broker.client(sub.id, clean=False, session_present=True)
        sub.expect(mqtt.Pubrel(one.id))
        sub.expect_nothing()
    sub.send(ack(PUBCOMP, one.id))
    sub.ping()
    sub.reset()
    broker.client(sub.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt("MQTT-4.4.0-1", "MQTT-4.3.2-1")
def test_acknowledged_messages_are_not_sent_again(broker, pub, topic):
    sub = broker.client(clean=False).subscribe(topic, qos=2)
    for i in range(6):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    got = [sub.receive(topic, b"%d" % i, ack=False) for i in range(6)]
    for one in got[:2] + got[4:]:
        sub.acknowledge(one)
    sub.ping()
    sub.reset()
    again = broker.client(sub.id, clean=False, session_present=True)
    for one in got[2:4]:
        again.receive(topic, one.payload, one.qos, dup=True)
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-4.4.0-1", "MQTT-3.3.1-1")
def test_dup_again_and_again(broker, pub, topic):
    sub = broker.client(clean=False).subscribe(topic, qos=1)
    pub.publish(topic, b"x", 1)
    one = sub.receive(topic, b"x", 1, ack=False)
    for _ in range(3):
        sub.reset()
        sub = broker.client(sub.id, clean=False, session_present=True)
        assert sub.receive(topic, b"x", 1, dup=True, ack=False).id == one.id
    sub.acknowledge(one)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-2.3.1-4", "MQTT-4.4.0-1")
def test_new_messages_keep_away_from_unacknowledged_identifiers(broker, pub, topic):
    sub = broker.client(clean=False).subscribe(topic, qos=1)
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

@pytest.mark.mqtt("MQTT-4.6.0-2", "MQTT-4.6.0-3")
@pytest.mark.parametrize("qos, answer", [(1, mqtt.Puback), (2, mqtt.Pubrec)], ids=["1", "2"])
def test_acknowledgements_have_the_order_of_the_messages(pub, topic, qos, answer):
    ids = [7, 3, 65535, 1, 500, 2, 12, 4]
    pub.send(*(mqtt.publish(topic, b"x", qos, id) for id in ids))
    pub.expect(*(answer(id) for id in ids))


@pytest.mark.mqtt("MQTT-4.6.0-4")
def test_pubrel_has_the_order_of_pubrec(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    for i in range(8):
        pub.publish(topic, b"%d" % i, 2)
    got = [sub.receive(topic, b"%d" % i, 2, ack=False) for i in range(8)]
    order = [got[i].id for i in (3, 1, 7, 0, 2, 6, 5, 4)]
    sub.send(*(ack(PUBREC, id) for id in order))
    sub.expect(*(mqtt.Pubrel(id) for id in order))


@pytest.mark.mqtt("MQTT-4.6.0-1", "MQTT-4.6.0-6")
def test_sent_again_before_what_is_new(broker, pub, topic):
    sub = broker.client(clean=False).subscribe(topic, qos=1)
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


@pytest.mark.mqtt("MQTT-4.6.0-5", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_have_the_order_of_their_publisher(broker, sub, topic, qos):
    """Two publishers at once, and the subscriber sees each one's order."""
    sub.subscribe(topic, qos=qos)
    pubs = [broker.client(), broker.client()]
    for i in range(0, 40, 4):
        for name, one in zip(b"ab", pubs):
            one.send(*(mqtt.publish(topic, b"%c%d" % (name, n), qos, n + 1 if qos else None)
                       for n in range(i, i + 4)))
            if qos == 2:
                for n in range(i, i + 4):
                    one.wait(mqtt.Pubrec(n + 1))
                    one.send(ack(PUBREL, n + 1))
    for one in pubs:
        one.ping()
    got = [sub.receive(topic, qos=qos).payload for _ in range(80)]
    for name in b"ab":
        mine = [p for p in got if p[0] == name]
        assert mine == [b"%c%d" % (name, n) for n in range(40)]
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-4.6.0-6")
def test_same_order_for_every_subscriber(broker, pub, topic):
    subs = [broker.client().subscribe(topic, qos=1) for _ in range(5)]
    pub.send(*(mqtt.publish(topic, b"%d" % i, 1, i + 1) for i in range(30)))
    for one in subs:
        for i in range(30):
            one.receive(topic, b"%d" % i, 1)
        one.expect_nothing()
