# SPDX-License-Identifier: GPL-2.0
"""Users with passwords, in both versions: sections 3.1.3.4 and 3.1.3.5 of 3.1.1,
3.1.3.5 and 3.1.3.6 of 5.0.
"""

import pytest

import mqtt
from client import case
from mqtt import Will
from reason import BAD_PASSWORD

PASSWORD = "pencil and paper"
LEVELS = pytest.mark.parametrize("level", [3, 4, 5])
# Each wrong password makes the next one wait, so there are few of them.
FEW_LEVELS = pytest.mark.parametrize("level", [4, 5])


@pytest.fixture
def user(broker, kmqttctl):
    """The name of a user with that password. While there is one, user names are checked."""
    name = broker.new_id()
    kmqttctl("user", "set", name, "password", "iterations", "10", password=PASSWORD)
    yield name
    kmqttctl("user", "del", name)


def wrong(user):
    """What isn't the user's password, or the user."""
    return {
        "another": (user, "pencil"), "longer": (user, PASSWORD + " "), "empty": (user, ""),
        "none": (user, None), "another user": (user + "x", PASSWORD), "nobody": ("", PASSWORD),
        "nobody without one": ("", None),
    }.items()


def refuse(broker, level, client_id, username, password, **args):
    one = broker.raw(level=level)
    one.send(mqtt.connect(client_id, level=level, username=username, password=password, **args))
    if level == 5:
        one.expect_refusal(BAD_PASSWORD)
        return
    # Session present is 0 in it, and the connection ends.
    one.expect(mqtt.Connack(4))
    one.expect_close()


@pytest.mark.mqtt("MQTT-3.1.2-19", "MQTT-3.1.2-21", "MQTT-3.1.3-11", "MQTT-3.1.4-4")
@pytest.mark.mqtt5("MQTT-3.1.2-17", "MQTT-3.1.2-19", "MQTT-3.1.3-12", "MQTT-3.1.4-5")
@LEVELS
def test_who_knows_the_password_gets_in(broker, user, level):
    broker.client(level=level, username=user, password=PASSWORD).ping()
    # Whoever doesn't say who they are is nobody in particular.
    broker.client(level=level).ping()


@pytest.mark.mqtt("MQTT-3.2.2-4", "MQTT-3.2.2-5")
@pytest.mark.mqtt5("MQTT-3.1.4-2", "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-3.2.2-8")
@FEW_LEVELS
def test_who_does_not_is_refused(broker, user, level):
    for what, (name, password) in wrong(user):
        with case(what):
            refuse(broker, level, broker.new_id(), name, password)


@pytest.mark.mqtt("MQTT-3.2.2-4")
@pytest.mark.mqtt5("MQTT-3.2.2-6", "MQTT-3.1.4-2")
@FEW_LEVELS
def test_who_is_refused_takes_nothing_over_and_has_no_will(broker, user, topic, level):
    """Not even the session is there that the client identifier has."""
    watcher = broker.client(level=level).subscribe(topic)
    one = broker.client(level=level, clean=False, username=user, password=PASSWORD,
                        **({"props": {"session_expiry": 1000}} if level == 5 else {}))
    for clean in (False, True):
        refuse(broker, level, one.id, user, "wrong", clean=clean, will=Will(topic, b"will"))
    one.ping()
    watcher.expect_nothing()


@pytest.mark.mqtt("MQTT-3.1.4-5", "MQTT-3.1.4-4")
@pytest.mark.mqtt5("MQTT-3.1.4-6", "MQTT-3.1.4-5")
@FEW_LEVELS
def test_what_comes_with_connect_waits_for_the_password(broker, user, topic, level):
    """What is sent before CONNACK is handled if it says so, and not at all if not."""
    watcher = broker.client(level=level).subscribe(topic)
    early = [mqtt.publish(topic, b"early", 1, 1, level=level), mqtt.pingreq()]
    one = broker.raw(level=level)
    one.send(mqtt.connect(broker.new_id(), level=level, username=user, password="wrong"), *early)
    if level == 5:
        one.expect_refusal(BAD_PASSWORD)
    else:
        one.expect(mqtt.Connack(4))
        one.expect_close()
    watcher.expect_nothing()
    one = broker.raw(level=level)
    one.send(mqtt.connect(broker.new_id(), level=level, username=user, password=PASSWORD), *early)
    assert one.expect(mqtt.Connack).code == 0
    one.expect(mqtt.Puback)
    watcher.receive(topic, b"early")
