# SPDX-License-Identifier: GPL-2.0
"""SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK: sections 3.8 to 3.11."""

import pytest

import mqtt
from client import case
from samples import BAD_FILTERS, ILL_FORMED, NUL


# ---------------------------------------------------------------- SUBSCRIBE

@pytest.mark.mqtt("MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-2.3.1-7", "MQTT-3.8.4-5")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_suback(sub, topic, qos):
    for id in (1, 256, 65535):
        sub.send(mqtt.subscribe(id, (topic, qos)))
        sub.expect(mqtt.Suback(id, [qos]))


@pytest.mark.mqtt("MQTT-3.9.3-1", "MQTT-3.9.3-2", "MQTT-3.8.4-4", "MQTT-3.8.4-5")
def test_suback_has_the_order_of_the_filters(sub, topic):
    wanted = [(f"{topic}/{i}", (i * i + i // 3) % 3) for i in range(100)]
    sub.send(mqtt.subscribe(7, *wanted))
    sub.expect(mqtt.Suback(7, [qos for _, qos in wanted]))


@pytest.mark.mqtt("MQTT-3.8.4-4")
def test_several_filters_are_several_subscriptions(pub, sub, topic):
    sub.subscribe((topic + "/a", 0), (topic + "/b", 1), (topic + "/c", 2))
    for name in "cab":
        pub.publish(f"{topic}/{name}", name.encode(), 2)
    sub.receive(topic + "/c", b"c", 2)
    sub.receive(topic + "/a", b"a", 0)
    sub.receive(topic + "/b", b"b", 1)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.8.4-4", "MQTT-3.8.4-3")
def test_filter_twice_in_a_packet_is_replaced_by_the_second(pub, sub, topic):
    sub.send(mqtt.subscribe(1, (topic, 2), (topic, 0)))
    sub.expect(mqtt.Suback(1, [2, 0]))
    pub.publish(topic, b"x", 2)
    sub.receive(topic, b"x", 0)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.8.4-6")
def test_delivered_at_the_lower_qos(pub, sub, topic):
    sub.subscribe(*((f"{topic}/{granted}", granted) for granted in range(3)))
    for granted in range(3):
        for sent in range(3):
            with case(f"published {sent}, granted {granted}"):
                pub.publish(f"{topic}/{granted}", b"%d" % sent, sent)
                sub.receive(f"{topic}/{granted}", b"%d" % sent, min(sent, granted))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.8.4-3")
@pytest.mark.parametrize("before, after", [(0, 2), (2, 0), (1, 1)])
def test_same_filter_again_replaces(pub, sub, topic, before, after):
    sub.subscribe((topic, before))
    sub.subscribe((topic, after))
    pub.publish(topic, b"once", 2)
    sub.receive(topic, b"once", after)
    sub.expect_nothing()
    sub.unsubscribe(topic)
    pub.publish(topic, b"unheard", 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.8.4-3")
def test_same_filter_again_sends_retained_again(pub, sub, topic):
    pub.publish(topic, b"kept", 1, retain=True)
    for qos in (0, 1, 1):
        sub.subscribe((topic, qos))
        sub.receive(topic, b"kept", qos, retain=True)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.8.4-3", "MQTT-4.6.0-6")
def test_same_filter_again_doesnt_interrupt(pub, sub, topic):
    sub.subscribe(topic, qos=1)
    for i in range(50):
        pub.send(mqtt.publish(topic, b"%d" % i, 1, i + 1))
        if i % 10 == 5:
            sub.send(mqtt.subscribe(i, (topic, 1)))
    pub.ping()
    got = []
    while len(got) < 50:
        one = sub.recv()
        if isinstance(one, mqtt.Publish):
            sub.acknowledge(one)
            got.append(one.payload)
    assert got == [b"%d" % i for i in range(50)]
    left = [p for p in sub.barrier() if not isinstance(p, mqtt.Suback)]
    assert not left, left


@pytest.mark.mqtt("MQTT-3.3.5-1")
def test_overlap_is_delivered_at_the_highest_qos(pub, sub, topic):
    sub.subscribe((topic + "/#", 0), (topic + "/+", 2), (topic + "/a", 1))
    for sent in (2, 1, 0):
        with case(f"published {sent}"):
            pub.publish(topic + "/a", b"%d" % sent, sent)
            got = [sub.receive(topic + "/a", b"%d" % sent)]
            for one in sub.barrier():
                sub.acknowledge(one)
                got.append(one)
            assert max(one.qos for one in got) == sent, got


@pytest.mark.mqtt("MQTT-3.3.5-1")
def test_overlap_is_delivered_once(pub, sub, topic):
    sub.subscribe((topic + "/#", 0), (topic + "/+", 2), (topic + "/a", 1))
    pub.publish(topic + "/a", b"x", 2)
    sub.receive(topic + "/a", b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.3.5-1", "MQTT-3.10.4-1")
def test_overlap_after_unsubscribe_has_the_qos_that_is_left(pub, sub, topic):
    sub.subscribe((topic + "/#", 0), (topic + "/a", 2))
    sub.unsubscribe(topic + "/a")
    pub.publish(topic + "/a", b"x", 2)
    sub.receive(topic + "/a", b"x", 0)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.8.3-2")
def test_wildcards_are_supported(pub, sub, topic):
    sub.subscribe((topic + "/+/x", 1), (topic + "/y/#", 1))
    for name in ("a/x", "y", "y/b/c"):
        pub.publish(f"{topic}/{name}", b"x", 1)
        sub.receive(f"{topic}/{name}", b"x", 1)


@pytest.mark.mqtt("MQTT-3.8.3-1", "MQTT-1.5.3-1")
def test_ill_formed_filter_closes(broker, topic):
    for name, bad in ILL_FORMED.items():
        with case(name):
            broker.closes(mqtt.subscribe(1, (topic.encode() + b"/" + bad, 0)))


@pytest.mark.mqtt("MQTT-3.8.3-1", "MQTT-1.5.3-2", "MQTT-4.7.3-2")
def test_nul_in_filter_closes(broker):
    for name, bad in NUL.items():
        with case(name):
            broker.closes(mqtt.subscribe(1, (bad, 0)))


@pytest.mark.mqtt("MQTT-4.7.3-1")
def test_empty_filter_closes(broker, topic):
    broker.closes(mqtt.subscribe(1, ("", 0)))
    broker.closes(mqtt.subscribe(1, (topic, 0), ("", 0)))


@pytest.mark.mqtt("MQTT-3.8.3-3", "MQTT-4.8.0-1")
def test_subscribe_without_filter_closes(broker):
    broker.closes(mqtt.subscribe(1))


@pytest.mark.mqtt("MQTT-3.8.3-4")
def test_reserved_bits_beside_the_qos_close(broker, topic):
    for options in [3, 4, 5, 8, 16, 32, 64, 128, 0x82, 255]:
        with case(options):
            broker.closes(mqtt.subscribe(1, (topic, options)))


@pytest.mark.mqtt("MQTT-3.8.3-4", "MQTT-4.8.0-1")
def test_bad_packet_subscribes_to_nothing(broker, pub, topic):
    """The first filter of the packet is good; the session shows whether it was taken."""
    one = broker.client(clean=False)
    one.send(mqtt.subscribe(1, (topic, 1), (topic + "/b", 3)))
    one.expect_close()
    pub.publish(topic, b"x", 1)
    broker.client(one.id, clean=False, session_present=True).expect_nothing()


@pytest.mark.mqtt("MQTT-2.3.1-1")
def test_packet_identifier_0_closes(broker, topic):
    broker.closes(mqtt.subscribe(0, (topic, 0)))
    broker.closes(mqtt.unsubscribe(0, topic))


@pytest.mark.mqtt("MQTT-3.8.1-1")
def test_subscribe_with_other_flags_closes(broker, topic):
    for flags in set(range(16)) - {2}:
        with case(flags):
            broker.closes(mqtt.subscribe(1, (topic, 0), flags=flags))


@pytest.mark.mqtt("MQTT-3.8.3-1", "MQTT-4.8.0-1")
def test_subscribe_cut_anywhere_closes(broker, topic):
    whole = mqtt.subscribe(1, (topic, 1))[2:]
    for length in range(len(whole)):
        with case(f"{length} of {len(whole)} bytes"):
            broker.closes(mqtt.packet(mqtt.SUBSCRIBE, whole[:length]))
    with case("one byte more"):
        broker.closes(mqtt.packet(mqtt.SUBSCRIBE, whole + b"\0"))


# -------------------------------------------------------------- UNSUBSCRIBE

@pytest.mark.mqtt("MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4", "MQTT-2.3.1-7")
@pytest.mark.parametrize("form", ["{}/a", "{}/+", "{}/#", "+/{}"],
                         ids=["plain", "one-level", "all-levels", "first-level"])
def test_unsubscribe(pub, sub, topic, form):
    name = "a/" + topic if form == "+/{}" else topic + "/a"
    sub.subscribe(form.format(topic), qos=1)
    pub.publish(name, b"heard", 1)
    sub.receive(name, b"heard", 1)
    for id in (65535, 1):
        sub.send(mqtt.unsubscribe(id, form.format(topic)))
        sub.expect(mqtt.Unsuback(id))
    pub.publish(name, b"unheard", 1)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.10.4-5")
def test_unsubscribe_from_nothing_is_answered(sub, topic):
    sub.send(mqtt.unsubscribe(3, topic, topic + "/#"))
    sub.expect(mqtt.Unsuback(3))
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.10.4-1")
def test_unsubscribe_compares_characters(pub, sub, topic):
    """Filters that match the same, or nearly the same, aren't the same filter."""
    sub.subscribe(topic + "/a", qos=1)
    for other in ("{}/+", "{}/#", "{}/a/", "{}/A", "/{}/a", "{}//a", "{}/a/#", "{}", "#"):
        sub.unsubscribe(other.format(topic))
    pub.publish(topic + "/a", b"heard", 1)
    sub.receive(topic + "/a", b"heard", 1)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.10.4-6")
def test_unsubscribe_from_several(pub, sub, topic):
    sub.subscribe(topic + "/a", topic + "/b", topic + "/c", topic + "/d/#")
    sub.unsubscribe(topic + "/a", topic + "/none", topic + "/d/#", topic + "/a", topic + "/c")
    for name in ("a", "c", "d", "d/e", "b"):
        pub.publish(f"{topic}/{name}", name.encode())
    sub.receive(topic + "/b", b"b")
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.10.4-2")
def test_unsubscribe_leaves_other_clients_alone(broker, pub, sub, topic):
    other = broker.client().subscribe(topic)
    sub.subscribe(topic)
    sub.unsubscribe(topic)
    pub.publish(topic, b"x")
    other.receive(topic, b"x")
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.10.4-3")
def test_unsubscribe_completes_what_has_begun(pub, sub, topic):
    sub.subscribe(topic, qos=2)
    pub.publish(topic, b"one", 1)
    pub.publish(topic, b"two", 2)
    one = sub.receive(topic, b"one", 1, ack=False)
    two = sub.receive(topic, b"two", 2, ack=False)
    sub.unsubscribe(topic)
    sub.acknowledge(one)
    sub.acknowledge(two)
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.10.4-3", "MQTT-4.4.0-1")
def test_unsubscribe_doesnt_forget_unacknowledged_messages(broker, pub, topic):
    sub = broker.client(clean=False).subscribe(topic, qos=2)
    pub.publish(topic, b"one", 1)
    pub.publish(topic, b"two", 2)
    one = sub.receive(topic, b"one", 1, ack=False)
    two = sub.receive(topic, b"two", 2, ack=False)
    sub.unsubscribe(topic)
    sub.reset()
    again = broker.client(sub.id, clean=False, session_present=True)
    for before in (one, two):
        after = again.receive(topic, before.payload, before.qos, dup=True)
        assert after.id == before.id
    again.expect_nothing()


@pytest.mark.mqtt("MQTT-3.10.1-1")
def test_unsubscribe_with_other_flags_closes(broker, topic):
    for flags in set(range(16)) - {2}:
        with case(flags):
            broker.closes(mqtt.unsubscribe(1, topic, flags=flags))


@pytest.mark.mqtt("MQTT-3.10.3-1", "MQTT-1.5.3-1", "MQTT-1.5.3-2")
def test_ill_formed_filter_of_unsubscribe_closes(broker, topic):
    for name, bad in {**ILL_FORMED, **NUL}.items():
        with case(name):
            broker.closes(mqtt.unsubscribe(1, topic.encode() + b"/" + bad))


@pytest.mark.mqtt("MQTT-3.10.3-2", "MQTT-4.8.0-1")
def test_unsubscribe_without_filter_closes(broker):
    broker.closes(mqtt.unsubscribe(1))


@pytest.mark.mqtt("MQTT-4.7.3-1", "MQTT-4.7.1-2", "MQTT-4.7.1-3")
def test_unsubscribe_from_what_isnt_a_filter_closes(broker, topic):
    for bad in [""] + BAD_FILTERS:
        with case(bad):
            broker.closes(mqtt.unsubscribe(1, bad.format(topic)))


@pytest.mark.mqtt("MQTT-3.10.3-1", "MQTT-4.8.0-1")
def test_unsubscribe_cut_anywhere_closes(broker, topic):
    whole = mqtt.unsubscribe(1, topic)[2:]
    for length in range(len(whole)):
        with case(f"{length} of {len(whole)} bytes"):
            broker.closes(mqtt.packet(mqtt.UNSUBSCRIBE, whole[:length]))
    with case("one byte more"):
        broker.closes(mqtt.packet(mqtt.UNSUBSCRIBE, whole + b"\0"))
