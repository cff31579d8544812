# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: keep alive: sections 3.1.2.10 and 3.2.2.3.14."""

import time

import pytest

import client
import mqtt
from mqtt import Will
from reason import KEEP_ALIVE

LEVEL = 5


@pytest.mark.mqtt5("MQTT-3.1.2-22", "MQTT-3.2.2-22", "MQTT-3.1.2-8", "MQTT-4.13.2-1")
def test_silent_client_is_disconnected_with_0x8d(broker, sub, topic):
    """A keep alive of 1 s ends after 1.5 s; of 0, never. The broker's own replaces it, if any."""
    sub.subscribe(topic + "/+")
    never = broker.client(keepalive=0, will=Will(topic + "/never"))
    start = time.monotonic()
    silent = broker.client(keepalive=1, will=Will(topic + "/silent"))
    limit = 1.5 * silent.connack.props.get("server_keep_alive", 1)
    silent.expect_disconnect(KEEP_ALIVE)
    took = time.monotonic() - start
    assert limit - 0.2 < took < limit + 6 + 3 * client.SCALE, f"after {took:.1f} s"
    sub.receive(topic + "/silent")
    never.ping()
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.2-22", "MQTT-3.2.2-22")
def test_any_packet_keeps_alive(broker, topic):
    """Each packet comes in time, all together take longer, and none is a PINGREQ."""
    one = broker.client(keepalive=1)
    for packet, answer in ((mqtt.subscribe(1, (topic, 1), level=5), mqtt.Suback),
                           (mqtt.unsubscribe(2, topic, level=5), mqtt.Unsuback),
                           (mqtt.publish(topic, b"x", 2, 4, level=5), mqtt.Pubrec),
                           (mqtt.ack(mqtt.PUBREL, 4), mqtt.Pubcomp),
                           (mqtt.ack(mqtt.PUBCOMP, 4), None),
                           (mqtt.pingreq(), mqtt.Pingresp)):
        time.sleep(0.4)
        one.send(packet)
        if answer:
            one.expect(answer)
