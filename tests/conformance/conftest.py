# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the conformance tests.

The broker under test is at KMQTT_HOST (127.0.0.1) and KMQTT_PORT (1883), with
its default limits, anonymous access and nobody else on it. On slow machines
KMQTT_TIMEOUT_SCALE multiplies all time-outs.

A test carries the statements that it checks: @pytest.mark.mqtt("MQTT-1.5.3-1") is one
of MQTT 3.1.1, and statements-3.1.1.txt lists them all; mqtt5 and statements-5.0.txt are
the same for MQTT 5. A file of tests that says LEVEL = 5 gets clients of MQTT 5.

Settings of the broker are changed with kmqttctl: $KMQTT_CTL, or the one in build/tools.
Tests that need it are skipped if the broker under test isn't kmqtt, unless KMQTT_CTL is
set. To try the tests on other brokers, KMQTT_LAX=1 lets those pass that disconnect
without telling why, where the specification allows that.
"""

import itertools
import json
import os
import pathlib
import subprocess

import pytest

import client
import mqtt

HOST = os.environ.get("KMQTT_HOST") or "127.0.0.1"
PORT = int(os.environ.get("KMQTT_PORT") or 1883)
CTL = os.environ.get("KMQTT_CTL") or \
    str(pathlib.Path(__file__).parents[2] / "build/tools/kmqttctl")
TOO_MANY_TIMEOUTS = 20      # tests, after which waiting for more tells nothing new

_run = os.urandom(3).hex()
_serial = itertools.count(1)
_timeouts = 0


def pytest_configure(config):
    config.addinivalue_line("markers", "mqtt(number, ...): the statements that a test checks")
    config.addinivalue_line("markers", "mqtt5(number, ...): the same, of MQTT 5")


def pytest_runtest_logreport(report):
    global _timeouts
    _timeouts += report.failed and "Timeout" in report.longreprtext


class Broker:
    """Makes clients, and removes from the broker what they left there."""

    def __init__(self, level=4):
        self.level = level          # of clients that don't say
        self.clients = []
        self.retained = set()
        self.sessions = set()

    def raw(self, *, level=None, **args):
        """A network connection without MQTT on it yet."""
        new = client.Client(HOST, PORT, level=level or self.level, **args)
        new.retained, new.sessions = self.retained, self.sessions
        self.clients.append(new)
        return new

    def new_id(self):
        """A client id that nobody uses, of less than 23 letters and digits."""
        return f"k{_run}n{next(_serial)}"

    def client(self, client_id=None, *, level=None, rcvbuf=None, **args):
        """A connected client, with a clean session and an id of its own by default."""
        return self.raw(level=level, rcvbuf=rcvbuf).connect(client_id or self.new_id(), **args)

    def closes(self, *data, codes=(), ping=True):
        """The broker closes the connection of a connected client that sends this.

        At level 5 it says why in a DISCONNECT, with one of these reason codes.
        """
        one = self.client()
        one.send(*data)
        if codes:
            one.expect_disconnect(*codes, ping=ping)
        else:
            one.expect_close(ping=ping)

    def refuses(self, *data, codes=()):
        """The broker closes a new connection that sends this.

        At level 5 it says why in a CONNACK, if there are reason codes; else without.
        """
        one = self.raw()
        one.send(*data)
        if codes:
            one.expect_refusal(*codes)
        else:
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
def broker(bystanders, request):
    """The broker under test. Whatever a test does to it, a bystander mustn't notice."""
    if _timeouts >= TOO_MANY_TIMEOUTS:
        pytest.exit(f"{_timeouts} tests ran into time-outs", 1)
    it = Broker(getattr(request.module, "LEVEL", 4))
    if not bystanders:
        try:
            bystanders.append(it.client(level=4))
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


def ctl(*args, password=None):
    """Run kmqttctl; there is none if there is no broker for it."""
    try:
        return subprocess.run([CTL, *args], input=password, text=True, check=False,
                              capture_output=True, timeout=client.TIMEOUT)
    except FileNotFoundError:
        return None


@pytest.fixture(scope="session")
def is_kmqtt():
    """Whether kmqttctl rules the broker under test."""
    got = ctl("-j", "listener")
    if got is None or got.returncode:
        return False
    return any(str(PORT) in str(one) for one in json.loads(got.stdout))


def ctl_or_fail(*args, **more):
    got = ctl(*args, **more)
    assert got.returncode == 0, f"kmqttctl {' '.join(args)}: {got.stderr}"
    return got.stdout


def setting(value, before):
    """As kmqttctl wants to have it: switches are on or off, numbers may be 0 or 1."""
    if isinstance(before, bool):
        return "on" if value else "off"
    return str(int(value) if isinstance(value, bool) else value)


@pytest.fixture
def kmqttctl(is_kmqtt):
    """Runs kmqttctl, and skips the test if the broker isn't kmqtt."""
    if not is_kmqtt and os.environ.get("KMQTT_CTL"):
        pytest.fail(f"{CTL} doesn't rule the broker under test")
    if not is_kmqtt:
        pytest.skip("needs kmqttctl, and the broker under test isn't kmqtt")
    return ctl_or_fail


@pytest.fixture
def broker_set(broker, kmqttctl):
    """broker_set(max_qos=1) changes settings of the broker until the test has ended.

    It needs the broker to be the last that is cleaned up: it connects to do so.
    """
    assert broker
    before = json.loads(kmqttctl("-j", "broker"))
    changed = {}

    def change(**settings):
        for name, value in settings.items():
            # What isn't set at all, a string, is left out.
            old = changed.setdefault(name, before.get(name, ""))
            kmqttctl("broker", "set", name.replace("_", "-"), setting(value, old))

    yield change
    for name, old in changed.items():
        kmqttctl("broker", "set", name.replace("_", "-"), setting(old, old))
