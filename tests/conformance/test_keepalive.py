# SPDX-License-Identifier: GPL-2.0
"""Keep alive: section 3.1.2.10. The only tests that take time, all in one go."""

import time

import pytest

import client
import mqtt
from mqtt import Will


def is_closed(one, wait):
    """Whether the broker has closed; looks for `wait` seconds. Nothing else may come."""
    one.sock.settimeout(wait)
    try:
        data = one.sock.recv(100)
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    assert not data, f"a silent client got {data!r}"
    return True


@pytest.mark.mqtt("MQTT-3.1.2-24", "MQTT-3.1.2-8")
def test_silent_client_is_disconnected_as_if_the_network_had_failed(broker, sub, topic):
    """A keep alive of 2 s ends after 3 s; of 0, never; and bytes aren't a packet."""
    sub.subscribe(topic + "/+")
    never = broker.client(keepalive=0, will=Will(topic + "/never"))
    long = broker.client(keepalive=65535, will=Will(topic + "/long"))
    busy = broker.client(keepalive=2, will=Will(topic + "/busy"))
    start = time.monotonic()
    silent = broker.client(keepalive=2, will=Will(topic + "/silent", b"will"))
    partial = broker.client(keepalive=2, will=Will(topic + "/partial", b"will"))

    # A PUBLISH that grows by a byte each time and never is a packet. It is a short
    # one: a broker may be patient with a long one as long as something comes.
    partial.send(b"\x30\x7f\0\5never")
    dots = [b"."] * 100
    waiting = {"silent": silent, "partial": partial}
    while waiting:
        busy.ping()
        partial.send(dots.pop() if dots else b"")
        for name, one in list(waiting.items()):
            took = time.monotonic() - start
            if is_closed(one, 0.1):
                assert took > 2.8, f"{name} client was disconnected after {took:.1f} s"
                del waiting[name]
            else:
                assert took < 3 + 3 * client.SCALE, f"{name} client is there after {took:.1f} s"

    got = sorted(sub.receive(payload=b"will").topic for _ in range(2))
    assert got == [topic + "/partial", topic + "/silent"]
    for one in (never, long, busy):
        one.ping()
    sub.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.2-24")
def test_any_packet_keeps_alive(broker, topic):
    """Each packet comes in time, all together take longer, and none is a PINGREQ."""
    one = broker.client(keepalive=2)
    packets = [(mqtt.subscribe(1, (topic, 1)), mqtt.Suback(1, [1])),
               (mqtt.unsubscribe(2, topic), mqtt.Unsuback(2)),
               (mqtt.publish(topic, b"x", 1, 3), mqtt.Puback(3)),
               (mqtt.publish(topic, b"x", 2, 4), mqtt.Pubrec(4)),
               (mqtt.ack(mqtt.PUBREL, 4), mqtt.Pubcomp(4))]
    for packet, answer in packets:
        assert not is_closed(one, 0.7), f"before {packet!r}"
        one.send(packet)
        one.expect(answer)
