# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: PUBLISH and its properties: section 3.3.2."""

import pytest

import mqtt
from client import case
from reason import BAD_PAYLOAD, EITHER, MALFORMED, NO_SUBSCRIBERS, PROTOCOL_ERROR, SUCCESS, TOPIC
from samples import BAD_FILTERS, ILL_FORMED, NUL, WELL_FORMED

LEVEL = 5

ALL = {
    "payload_format": 1,
    "content_type": "text/plain; charset=utf-8",
    "response_topic": "answers/here",
    "correlation_data": bytes(range(256)),
    "user": [("b", "1"), ("a", "2"), ("b", "1"), ("", ""), ("\u4e2d", "\U0001f600"), ("a", "3")],
}


# ------------------------------------------------------------------- header

@pytest.mark.mqtt5("MQTT-3.3.1-4", "MQTT-4.13.1-1")
def test_qos_3_is_malformed(broker, topic):
    for flags in (0x36, 0x37, 0x3e):
        packet = mqtt.publish(topic, b"x", 0, 1, level=5)
        broker.closes(bytes([flags]) + packet[1:], codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.3.1-2")
def test_dup_with_qos_0(broker, topic):
    broker.closes(mqtt.publish(topic, b"x", dup=True, level=5), codes=EITHER)


@pytest.mark.mqtt5("MQTT-2.2.1-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_packet_identifier_0(broker, topic, qos):
    broker.closes(mqtt.publish(topic, b"x", qos, 0, level=5), codes=EITHER)


@pytest.mark.mqtt5("MQTT-2.2.1-2")
def test_qos_0_has_no_packet_identifier(pub, sub, topic):
    """What would be one is a property length."""
    sub.subscribe(topic)
    pub.send(mqtt.packet(mqtt.PUBLISH, mqtt.binary(topic) + b"\0\0\1", 0))
    sub.receive(topic, b"\0\1", 0)


@pytest.mark.mqtt5("MQTT-3.3.4-1", "MQTT-2.2.1-5", "MQTT-3.4.2-1", "MQTT-3.5.2-1",
                   "MQTT-3.7.2-1", "MQTT-4.3.2-4", "MQTT-4.3.3-8", "MQTT-4.3.3-11")
def test_answers_by_qos(pub, sub, topic):
    sub.subscribe(topic)
    pub.send(mqtt.publish(topic, b"0", level=5), mqtt.publish(topic, b"1", 1, 7, level=5),
             mqtt.publish(topic, b"2", 2, 8, level=5), mqtt.pingreq())
    pub.expect(mqtt.Puback(7, SUCCESS), mqtt.Pubrec(8, SUCCESS), mqtt.Pingresp())
    pub.send(mqtt.ack(mqtt.PUBREL, 8))
    pub.expect(mqtt.Pubcomp(8, SUCCESS))
    for payload in (b"0", b"1", b"2"):
        sub.receive(topic, payload, 0)


@pytest.mark.mqtt5("MQTT-3.4.2-1", "MQTT-3.5.2-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_no_matching_subscribers(broker, pub, topic, qos):
    """The publisher is told. A retained message is kept all the same."""
    assert pub.publish(topic, b"x", qos).code == NO_SUBSCRIBERS
    assert pub.publish(topic, b"x", qos, retain=True).code == NO_SUBSCRIBERS
    sub = broker.client().subscribe(topic, qos=qos)
    sub.receive(topic, b"x", qos, retain=True)
    assert pub.publish(topic, b"y", qos).code == SUCCESS
    sub.receive(topic, b"y", qos)
    sub.unsubscribe(topic)
    assert pub.publish(topic, b"z", qos).code == NO_SUBSCRIBERS


@pytest.mark.mqtt5("MQTT-3.4.2-1")
def test_subscriber_that_is_away_is_one(broker, pub, topic):
    one = broker.client(expiry=100).subscribe("$share/g/" + topic, qos=1)
    one.disconnect()
    assert pub.publish(topic, b"x", 1).code == SUCCESS


# -------------------------------------------------------------------- topic

@pytest.mark.mqtt5("MQTT-3.3.2-1", "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-4.7.3-2")
def test_topic_that_is_no_string_is_malformed(broker):
    for name, bad in {**ILL_FORMED, **NUL}.items():
        with case(name):
            broker.closes(mqtt.publish(b"t/" + bad, b"x", level=5), codes=[MALFORMED])


@pytest.mark.mqtt5("MQTT-3.3.2-2", "MQTT-4.7.0-1")
def test_wildcard_in_topic(broker, topic):
    for bad in ["#", "+", "{}/#", "{}/+", "{}/+/a"] + BAD_FILTERS:
        with case(bad):
            broker.closes(mqtt.publish(bad.format(topic), b"x", level=5), codes=TOPIC)


@pytest.mark.mqtt5("MQTT-4.7.3-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_empty_topic_without_alias_is_a_protocol_error(broker, qos):
    broker.closes(mqtt.publish("", b"x", qos, 1 if qos else None, level=5),
                  codes=[PROTOCOL_ERROR])


# --------------------------------------------------------------- properties

def all_ways(broker, pub, topic, qos, props):
    """The message by each way: live, from a queue, retained, shared."""
    live = broker.client().subscribe(topic, qos=qos)
    shared = broker.client().subscribe("$share/g/" + topic, qos=qos)
    away = broker.client(expiry=100).subscribe(topic, qos=1)
    away.disconnect()
    pub.publish(topic, b"text", qos, retain=True, props=props)
    yield "live", live.receive(topic, b"text", qos, props=...)
    yield "shared", shared.receive(topic, b"text", qos, props=...)
    later = broker.client().subscribe(topic, qos=qos)
    yield "retained", later.receive(topic, b"text", qos, retain=True, props=...)
    if qos:
        again = broker.client(away.id, clean=False, session_present=True)
        yield "queue", again.receive(topic, b"text", 1, props=...)


@pytest.mark.mqtt5("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17",
                   "MQTT-3.3.2-18", "MQTT-3.3.2-20")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_properties_are_forwarded(broker, pub, topic, qos):
    for way, got in all_ways(broker, pub, topic, qos, ALL):
        with case(way):
            assert got.props == ALL


@pytest.mark.mqtt5("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17",
                   "MQTT-3.3.2-20", "MQTT-2.2.2-1")
def test_each_property_is_forwarded_alone(pub, sub, topic):
    """At the ends of its range, too; and what isn't there isn't made up."""
    sub.subscribe(topic)
    for props in ({}, {"payload_format": 1}, {"content_type": ""}, {"content_type": "x" * 65535},
                  {"response_topic": "r"}, {"response_topic": "r" * 1000},
                  {"correlation_data": b""}, {"correlation_data": b"\0" * 65535},
                  {"user": [("", "")]}, {"user": [("n" * 30000, "v" * 40000)]},
                  {"user": [("%d" % (i % 7), "%d" % i) for i in range(200)]}):
        with case(str(props)[:60]):
            pub.publish(topic, b"x", props=props)
            sub.receive(topic, b"x", props=props)


@pytest.mark.mqtt5("MQTT-3.3.2-4")
def test_payload_format_0_is_the_same_as_none(pub, sub, topic):
    sub.subscribe(topic)
    pub.publish(topic, b"x", props={"payload_format": 0})
    got = sub.receive(topic, b"x", props=...)
    assert got.props in ({}, {"payload_format": 0})


@pytest.mark.mqtt5("MQTT-3.3.2-4")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_payload_that_isnt_what_it_says(broker, sub, topic, qos):
    """Forwarded as it is, or refused with the reason for that."""
    sub.subscribe(topic, qos=2)
    one = broker.client()
    one.send(mqtt.publish(topic, b"\xff", qos, 1 if qos else None, level=5,
                          props={"payload_format": 1}))
    if qos == 2:
        one.send(mqtt.ack(mqtt.PUBREL, 1))
    one.send(mqtt.pingreq())
    code = getattr(one.recv(), "code", SUCCESS)
    assert code in (SUCCESS, BAD_PAYLOAD)
    if code:
        sub.expect_nothing()
    else:
        sub.receive(topic, b"\xff", qos, props={"payload_format": 1})


@pytest.mark.mqtt5("MQTT-3.3.2-13", "MQTT-3.3.2-19", "MQTT-1.5.4-3")
def test_strings_are_forwarded_byte_by_byte(pub, sub, topic):
    sub.subscribe(topic)
    for text in WELL_FORMED + ["\ufeffmark", "a\ufeff"]:
        with case(ascii(text)):
            props = {"content_type": text, "response_topic": text, "user": [(text, text)]}
            pub.publish(topic, b"x", props=props)
            sub.receive(topic, b"x", props=props)


@pytest.mark.mqtt5("MQTT-3.3.2-14")
def test_wildcard_in_response_topic(broker, topic):
    for bad in ("#", "+", topic + "/#", topic + "/+/a", "a#", "+a"):
        with case(bad):
            broker.closes(mqtt.publish(topic, b"x", level=5, props={"response_topic": bad}),
                          codes=TOPIC)
            broker.refuses(mqtt.connect(broker.new_id(), level=5, will=mqtt.Will(
                topic, props={"response_topic": bad})), codes=TOPIC)


def test_request_and_response(broker, topic):
    """As section 4.10 tells it."""
    asker = broker.client().subscribe(topic + "/answers", qos=1)
    helper = broker.client().subscribe(topic + "/questions", qos=1)
    asker.publish(topic + "/questions", b"?", 1, props={
        "response_topic": topic + "/answers", "correlation_data": b"\x01\x02"})
    got = helper.receive(topic + "/questions", b"?", 1, props=...)
    helper.publish(got.props["response_topic"], b"!", 1, props={
        "correlation_data": got.props["correlation_data"]})
    asker.receive(topic + "/answers", b"!", 1, props={"correlation_data": b"\x01\x02"})
