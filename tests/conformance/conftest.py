# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the conformance tests.

The broker under test is at KMQTT_HOST (127.0.0.1) and KMQTT_PORT (1883), with
its default limits, anonymous access and nobody else on it. On slow machines
KMQTT_TIMEOUT_SCALE multiplies all time-outs.

A test carries the statements that it checks, @pytest.mark.mqtt("MQTT-1.5.3-1");
statements-3.1.1.txt lists them all.
"""

import itertools
import os

import pytest

import client
import mqtt

HOST = os.environ.get("KMQTT_HOST") or "127.0.0.1"
PORT = int(os.environ.get("KMQTT_PORT") or 1883)
TOO_MANY_TIMEOUTS = 20      # tests, after which waiting for more tells nothing new

_run = os.urandom(3).hex()
_serial = itertools.count(1)
_timeouts = 0


def pytest_configure(config):
    config.addinivalue_line("markers", "mqtt(number, ...): the statements that a test checks")


def pytest_runtest_logreport(report):
    global _timeouts
    _timeouts += report.failed and "Timeout" in report.longreprtext


class Broker:
    """Makes clients, and removes from the broker what they left there."""

    def __init__(self):
        self.clients = []
        self.retained = set()
        self.sessions = set()

    def raw(self, **args):
        """A network connection without MQTT on it yet."""
        new = client.Client(HOST, PORT, **args)
        new.retained, new.sessions = self.retained, self.sessions
        self.clients.append(new)
        return new

    def new_id(self):
        """A client id that nobody uses, of less than 23 letters and digits."""
        return f"k{_run}n{next(_serial)}"

    def client(self, client_id=None, *, level=4, rcvbuf=None, **args):
        """A connected client, with a clean session and an id of its own by default."""
        return self.raw(level=level, rcvbuf=rcvbuf).connect(client_id or self.new_id(), **args)

    def closes(self, *data, ping=True):
        """The broker closes the connection of a connected client that sends this."""
        one = self.client()
        one.send(*data)
        one.expect_close(ping=ping)

    def refuses(self, *data):
        """The broker closes a new connection that sends this, without a CONNACK."""
        one = self.raw()
        one.send(*data)
        one.expect_close()

    def forget(self, client_id):
        """End the session of a client id, and any connection that still has it."""
        one = client.Client(HOST, PORT)
        try:
            one.connect(client_id)
            one.disconnect()
        finally:
            one.close()

    def clean_up(self):
        for one in self.clients:
            if not one.closed:
                one.send(mqtt.disconnect())
                one.close()
        for client_id in self.sessions:
            self.forget(client_id)
        if self.retained:
            one = client.Client(HOST, PORT).connect(self.new_id())
            one.send(*(mqtt.publish(topic, retain=True) for topic in self.retained))
            one.disconnect()


@pytest.fixture(scope="session")
def bystanders():
    """A client that has nothing to do with any test."""
    kept = []
    yield kept
    for one in kept:
        one.send(mqtt.disconnect())
        one.close()


@pytest.fixture
def broker(bystanders):
    """The broker under test. Whatever a test does to it, a bystander mustn't notice."""
    if _timeouts >= TOO_MANY_TIMEOUTS:
        pytest.exit(f"{_timeouts} tests ran into time-outs", 1)
    it = Broker()
    if not bystanders:
        try:
            bystanders.append(it.client())
        except AssertionError as err:
            pytest.exit(f"the broker serves no new clients: {err}", 1)
        it.clients.clear()
    yield it
    try:
        it.clean_up()
        bystanders[0].ping()
        assert not bystanders[0].inbox, f"a bystander got {bystanders[0].inbox}"
    except AssertionError:
        bystanders.pop().close()
        raise


@pytest.fixture
def topic():
    """A topic name that nobody else uses; more can be made by appending levels."""
    return f"t{_run}x{next(_serial)}"


@pytest.fixture
def pub(broker):
    """A client to publish with."""
    return broker.client()


@pytest.fixture
def sub(broker):
    """A client to subscribe with."""
    return broker.client()
