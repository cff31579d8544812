# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: SUBSCRIBE, its options, and UNSUBSCRIBE: sections 3.8 to 3.11."""

import pytest

import mqtt
from client import case
from mqtt import options
from reason import EITHER, FILTER, MALFORMED, NO_SUBSCRIPTION, PROTOCOL_ERROR
from samples import BAD_FILTERS, ILL_FORMED, NUL

LEVEL = 5
MOST = 268435455        # the greatest subscription identifier


def subscribe(id, *filters, **args):
    return mqtt.subscribe(id, *filters, level=5, **args)


def unsubscribe(id, *filters, **args):
    return mqtt.unsubscribe(id, *filters, level=5, **args)


# ---------------------------------------------------------------- SUBSCRIBE

@pytest.mark.mqtt5("MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-2.2.1-6", "MQTT-3.8.4-6",
                   "MQTT-3.8.4-7", "MQTT-3.9.3-2")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_suback(sub, topic, qos):
    for id in (1, 256, 65535):
        sub.send(subscribe(id, (topic, qos)))
        sub.expect(mqtt.Suback(id, [qos]))


@pytest.mark.mqtt5("MQTT-3.9.3-1", "MQTT-3.8.4-5", "MQTT-3.8.4-6")
def test_suback_has_the_order_of_the_filters(sub, topic):
    wanted = [(f"{topic}/{i}", (i * i + i // 3) % 3) for i in range(100)]
    sub.send(subscribe(7, *wanted))
    sub.expect(mqtt.Suback(7, [qos for _, qos in wanted]))


@pytest.mark.mqtt5("MQTT-3.8.4-5", "MQTT-3.8.4-3")
def test_filter_twice_in_a_packet_is_replaced_by_the_second(pub, sub, topic):
    sub.send(subscribe(1, (topic, 2), (topic, 0)))
    sub.expect(mqtt.Suback(1, [2, 0]))
    pub.publish(topic, b"x", 2)
    sub.receive(topic, b"x", 0)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.8.4-8")
def test_delivered_at_the_lower_qos(pub, sub, topic):
    sub.subscribe(*((f"{topic}/{granted}", granted) for granted in range(3)))
    for granted in range(3):
        for sent in range(3):
            with case(f"published {sent}, granted {granted}"):
                pub.publish(f"{topic}/{granted}", b"%d" % sent, sent)
                sub.receive(f"{topic}/{granted}", b"%d" % sent, min(sent, granted))
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.8.3-1", "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-4.7.3-2",
                   "MQTT-3.10.3-1")
def test_filter_that_is_no_string_is_malformed(broker):
    for name, bad in {**ILL_FORMED, **NUL}.items():
        with case(name):
            broker.closes(subscribe(1, (b"t/" + bad, 0)), codes=[MALFORMED])
            broker.closes(unsubscribe(1, b"t/" + bad), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.8.3-2", "MQTT-3.10.3-2", "MQTT-4.13.1-1")
def test_no_filter_is_a_protocol_error(broker):
    broker.closes(subscribe(1), codes=[PROTOCOL_ERROR])
    broker.closes(subscribe(1, props={"subscription_id": 1}), codes=[PROTOCOL_ERROR])
    broker.closes(unsubscribe(1), codes=[PROTOCOL_ERROR])
    broker.closes(unsubscribe(1, props={"user": [("a", "b")]}), codes=[PROTOCOL_ERROR])


@pytest.mark.mqtt5("MQTT-4.7.3-1", "MQTT-4.7.1-1", "MQTT-4.7.1-2")
def test_filter_that_isnt_one(broker, topic):
    for bad in [""] + BAD_FILTERS:
        with case(bad):
            broker.closes(subscribe(1, (bad.format(topic), 0)), codes=FILTER)


@pytest.mark.mqtt5("MQTT-2.2.1-3")
def test_packet_identifier_0(broker, topic):
    broker.closes(subscribe(0, (topic, 0)), codes=EITHER)
    broker.closes(unsubscribe(0, topic), codes=EITHER)


@pytest.mark.mqtt5("MQTT-3.8.3-5", "MQTT-4.13.1-1")
def test_options_that_are_reserved(broker, topic):
    for value in (0x40, 0x80, 0xc0, 0x41):
        with case(hex(value)):
            broker.closes(subscribe(1, (topic, value)), codes=[MALFORMED])
    for value in (0x03, 0x30, 0x33):
        with case(hex(value)):
            broker.closes(subscribe(1, (topic, value)), codes=[PROTOCOL_ERROR])
    broker.closes(subscribe(1, (topic, 0), (topic + "/b", 0x03)), codes=[PROTOCOL_ERROR])


@pytest.mark.mqtt5("MQTT-3.8.3-5", "MQTT-3.1.2-5")
def test_bad_packet_subscribes_to_nothing(broker, pub, topic):
    one = broker.client(expiry=100)
    one.send(subscribe(1, (topic, 1), (topic + "/b", 0x43)))
    one.expect_disconnect(*EITHER)
    pub.publish(topic, b"x", 1)
    again = broker.client(one.id, clean=False, session_present=True)
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.8.4-3")
def test_every_option_can_be_changed(pub, sub, topic):
    pub.publish(topic, b"x", 2, retain=True)
    for value in (2, options(2, no_local=True, handling=2), options(1, as_published=True), 0,
                  options(2, as_published=True, no_local=True, handling=1)):
        with case(hex(value)):
            sub.subscribe((topic, value))
            if not value & 0x30:
                sub.receive(topic, b"x", value & 3, retain=True)
            pub.publish(topic, b"x", 2, retain=True)
            sub.receive(topic, b"x", value & 3, retain=bool(value & 8))
    sub.expect_nothing()


# ----------------------------------------------------------------- no local

@pytest.mark.mqtt5("MQTT-3.8.3-3")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_no_local(broker, pub, topic, qos):
    one = broker.client().subscribe((topic, options(2, no_local=True)))
    two = broker.client().subscribe((topic, options(2)))
    one.publish(topic, b"mine", qos)
    pub.publish(topic, b"others", qos)
    one.receive(topic, b"others", qos)
    one.expect_nothing()
    two.receive(topic, b"mine", qos)
    two.receive(topic, b"others", qos)
    two.publish(topic, b"own", qos)
    two.receive(topic, b"own", qos)


@pytest.mark.mqtt5("MQTT-3.8.3-3", "MQTT-3.3.4-2")
def test_no_local_beside_a_subscription_without_it(broker, topic):
    """It is a matter of the subscription: the other one still wants the message."""
    one = broker.client()
    one.subscribe((topic + "/#", options(2, no_local=True)), props={"subscription_id": 1})
    one.subscribe((topic, options(1)), props={"subscription_id": 2})
    one.publish(topic, b"mine", 2)
    one.receive(topic, b"mine", 1, props={"subscription_id": [2]})
    one.publish(topic + "/a", b"mine", 2)
    one.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.8.3-3")
def test_no_local_in_a_resumed_session(broker, topic):
    """The client id counts, not the connection; its will is its own, too."""
    one = broker.client(expiry=100).subscribe((topic, options(1, no_local=True)))
    one.reset()
    again = broker.client(one.id, clean=False, expiry=100, session_present=True)
    again.publish(topic, b"mine", 1)
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.8.3-3", "MQTT-3.3.1-9")
def test_no_local_and_ones_own_retained_message(broker, pub, topic):
    """What others have retained comes; what one has retained oneself may come or not."""
    one = broker.client()
    pub.publish(topic + "/a", b"others", 1, retain=True)
    one.publish(topic + "/b", b"mine", 1, retain=True)
    one.subscribe((topic + "/+", options(1, no_local=True)))
    got = sorted(p.payload for p in one.barrier())
    assert got in ([b"others"], [b"mine", b"others"])


@pytest.mark.mqtt5("MQTT-3.8.3-4")
def test_no_local_on_a_shared_subscription_is_a_protocol_error(broker, topic):
    broker.closes(subscribe(1, (f"$share/g/{topic}", options(1, no_local=True))),
                  codes=[PROTOCOL_ERROR])
    broker.closes(subscribe(1, (topic, options(1, no_local=True)),
                            (f"$share/g/{topic}", options(0, no_local=True))),
                  codes=[PROTOCOL_ERROR])


# -------------------------------------------------- subscription identifiers

@pytest.mark.mqtt5("MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.3.4-5", "MQTT-1.5.5-1")
@pytest.mark.parametrize("number", [1, 127, 128, 16383, 16384, 2097151, 2097152, MOST])
def test_subscription_identifier_comes_with_the_message(pub, sub, topic, number):
    sub.subscribe(topic, qos=1, props={"subscription_id": number})
    pub.publish(topic, b"x", 1, props={"user": [("a", "b")]})
    sub.receive(topic, b"x", 1, props={"subscription_id": [number], "user": [("a", "b")]})


@pytest.mark.mqtt5("MQTT-3.3.4-2", "MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.3.4-5")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_subscriptions_that_overlap(pub, sub, topic, qos):
    """One message, with the highest QoS and the identifiers of all that match."""
    sub.subscribe(topic + "/a", qos=0, props={"subscription_id": 300})
    sub.subscribe(topic + "/+", qos=2, props={"subscription_id": 2})
    sub.subscribe(topic + "/#", qos=1)
    sub.subscribe("+/a", qos=1, props={"subscription_id": 2})
    sub.subscribe(topic + "/b", qos=2, props={"subscription_id": 4})
    pub.publish(topic + "/a", b"x", qos)
    sub.receive(topic + "/a", b"x", qos, props={"subscription_id": [2, 2, 300]})
    pub.publish(topic + "/b", b"x", qos)
    sub.receive(topic + "/b", b"x", qos, props={"subscription_id": [2, 4]})
    pub.publish(topic, b"x", qos)
    sub.receive(topic, b"x", min(qos, 1), props={})
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.3.4-4")
def test_many_identifiers_on_a_message(pub, sub, topic):
    levels = "abcdef"
    name = topic + "/" + "/".join(levels)
    for i in range(40):
        form = "/".join("+" if i >> n & 1 else level for n, level in enumerate(levels))
        sub.subscribe(f"{topic}/{form}", qos=1, props={"subscription_id": 1000 + i})
    pub.publish(name, b"x", 1)
    sub.receive(name, b"x", 1, props={"subscription_id": [*range(1000, 1040)]})
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.8.4-3", "MQTT-3.3.4-3", "MQTT-3.8.4-5")
def test_identifier_is_replaced_with_the_subscription(pub, sub, topic):
    for number in (5, 6, None, 7):
        sub.subscribe(topic, topic + "/#", qos=1,
                      props={"subscription_id": number} if number else {})
        pub.publish(topic, b"x", 1)
        sub.receive(topic, b"x", 1, props={"subscription_id": [number] * 2} if number else {})
    sub.unsubscribe(topic)
    pub.publish(topic, b"x", 1)
    sub.receive(topic, b"x", 1, props={"subscription_id": [7]})


@pytest.mark.mqtt5("MQTT-3.3.4-3", "MQTT-3.1.2-5", "MQTT-4.4.0-1")
def test_identifiers_on_what_has_waited_and_what_is_sent_again(broker, pub, topic):
    one = broker.client(expiry=100)
    one.subscribe(topic, qos=1, props={"subscription_id": 8})
    one.subscribe(topic + "/#", qos=1, props={"subscription_id": 9})
    one.disconnect()
    pub.publish(topic, b"x", 1)
    for dup in (False, True):
        one = broker.client(one.id, clean=False, expiry=100, session_present=True)
        one.receive(topic, b"x", 1, dup=dup, ack=False, props={"subscription_id": [8, 9]})
        one.reset()


@pytest.mark.mqtt5("MQTT-3.3.4-6")
def test_identifiers_are_those_of_the_receiver(broker, pub, topic):
    subs = [broker.client().subscribe(topic, qos=1, props={"subscription_id": n + 1} if n else {})
            for n in range(4)]
    pub.publish(topic, b"x", 1)
    for n, one in enumerate(subs):
        one.receive(topic, b"x", 1, props={"subscription_id": [n + 1]} if n else {})


# -------------------------------------------------------------- UNSUBSCRIBE

@pytest.mark.mqtt5("MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-2.2.1-6", "MQTT-3.10.4-6",
                   "MQTT-3.11.3-1", "MQTT-3.11.3-2")
def test_unsuback(sub, topic):
    """A reason code for each filter: 0x11 if there was none."""
    sub.subscribe(topic + "/a", topic + "/+", topic + "/c")
    for id, names, codes in ((1, ["a", "x", "+"], [0, NO_SUBSCRIPTION, 0]),
                             (65535, ["a", "+", "b", "c", "c"],
                              [NO_SUBSCRIPTION] * 3 + [0, NO_SUBSCRIPTION]),
                             (256, ["c"], [NO_SUBSCRIPTION])):
        sub.send(unsubscribe(id, *(f"{topic}/{name}" for name in names)))
        sub.expect(mqtt.Unsuback(id, codes))


@pytest.mark.mqtt5("MQTT-3.10.4-1")
def test_filters_are_compared_character_by_character(pub, sub, topic):
    sub.subscribe(topic + "/+/a", qos=1)
    for name in ("/b/a", "/+/A", "/+/a/", "/#", "/+/+", "", "/+/a "):
        sub.send(unsubscribe(1, topic + name))
        sub.expect(mqtt.Unsuback(1, [NO_SUBSCRIPTION]))
    pub.publish(topic + "/b/a", b"x", 1)
    sub.receive(topic + "/b/a", b"x", 1)


@pytest.mark.mqtt5("MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-6")
def test_no_new_messages_once_unsubscribed(pub, sub, topic):
    sub.subscribe(topic, topic + "/b", topic + "/#", qos=1, props={"subscription_id": 1})
    sub.unsubscribe(topic + "/#", topic)
    pub.publish(topic, b"x", 1)
    pub.publish(topic + "/b", b"y", 1)
    sub.receive(topic + "/b", b"y", 1, props={"subscription_id": [1]})
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.10.4-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_deliveries_that_have_begun_are_completed(broker, pub, topic, qos):
    sub = broker.client(expiry=100).subscribe(topic, qos=qos)
    pub.publish(topic, b"x", qos)
    got = sub.receive(topic, b"x", qos, ack=False)
    sub.unsubscribe(topic)
    sub.reset()
    again = broker.client(sub.id, clean=False, expiry=100, session_present=True)
    assert again.receive(topic, b"x", qos, dup=True).id == got.id
    again.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.10.4-4")
def test_unsubscribe_of_a_filter_that_isnt_one(broker, topic):
    """There can't be a subscription: the broker says so, or that it is no filter."""
    for bad in [""] + BAD_FILTERS[:4]:
        with case(bad):
            one = broker.client()
            one.send(unsubscribe(1, bad.format(topic)))
            got = one.recv()
            if isinstance(got, mqtt.Unsuback):
                assert got.codes[0] in (NO_SUBSCRIPTION, 0x8f), got
            else:
                assert isinstance(got, mqtt.Disconnect) and got.code in FILTER, got
