# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: enhanced authentication, sections 3.15 and 4.12, with SCRAM.

Tests with users need kmqttctl to make them: `user set NAME METHOD`, password on stdin.
"""

import pytest

import mqtt
from client import case
from mqtt import Will
from reason import (BAD_METHOD, BAD_PASSWORD, CONTINUE, EITHER, IMPLEMENTATION, MALFORMED,
                    NOT_AUTHORIZED, PROTOCOL_ERROR, REAUTHENTICATE, SUCCESS, TAKEN_OVER,
                    UNSPECIFIED)
from scram import HASHES, Failure, Scram, b64

LEVEL = 5
PASSWORD = "pencil and paper"

# How a broker refuses who isn't who they say, and a message that isn't SCRAM.
DENIED = (BAD_PASSWORD, NOT_AUTHORIZED)
BAD_MESSAGE = (UNSPECIFIED, PROTOCOL_ERROR, IMPLEMENTATION, BAD_PASSWORD, NOT_AUTHORIZED)
METHODS = pytest.mark.parametrize("method", HASHES)
OTHER_METHOD = (PROTOCOL_ERROR, BAD_METHOD)


# ------------------------------------------------------------ without users

def test_this_client_by_the_example_of_rfc_7677():
    one = Scram("SCRAM-SHA-256", "user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    assert one.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert one.final(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                     b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096") == \
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," \
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    one.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    with pytest.raises(Failure):
        one.verify(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.mqtt5("MQTT-4.12.0-1", "MQTT-3.1.4-2", "MQTT-3.2.2-7", "MQTT-3.2.2-6")
@pytest.mark.parametrize("method", ["", "none", "PLAIN", "scram-sha-256", "SCRAM-SHA-256-PLUS",
                                    "x" * 10000], ids=lambda m: m[:20] or "empty")
def test_unknown_method_is_refused(broker, method):
    for props in ({"auth_method": method}, {"auth_method": method, "auth_data": b"n,,n=u,r=abc"}):
        broker.refuses(mqtt.connect(broker.new_id(), level=5, props=props),
                       codes=[BAD_METHOD, NOT_AUTHORIZED])


@pytest.mark.mqtt5("MQTT-4.12.0-1", "MQTT-3.1.4-3")
def test_unknown_method_takes_nothing_over(broker):
    one = broker.client()
    broker.refuses(mqtt.connect(one.id, level=5, props={"auth_method": "none"}),
                   codes=[BAD_METHOD, NOT_AUTHORIZED])
    one.ping()


@pytest.mark.mqtt5("MQTT-4.12.0-7", "MQTT-4.13.1-1", "MQTT-4.12.0-6")
@pytest.mark.parametrize("code", [CONTINUE, REAUTHENTICATE])
def test_auth_without_a_method_in_connect(broker, code):
    for props in ({"auth_method": "SCRAM-SHA-256"}, {"auth_method": "none", "auth_data": b"x"}):
        broker.closes(mqtt.auth(code, props), codes=[PROTOCOL_ERROR])


@pytest.mark.mqtt5("MQTT-4.12.0-7", "MQTT-4.13.1-1")
def test_auth_that_is_wrong_in_itself(broker):
    """The short form means success, which only a server can say; and there has to be a method."""
    for packet in (mqtt.auth(), mqtt.auth(SUCCESS), mqtt.auth(CONTINUE), mqtt.auth(CONTINUE, {}),
                   mqtt.auth(REAUTHENTICATE, {"auth_data": b"x"})):
        with case(packet.hex(" ")):
            broker.closes(packet, codes=EITHER)


# ----------------------------------------------------------------- exchange

@pytest.fixture
def user(broker, kmqttctl):
    """user(method) makes a user with that password and returns its name."""
    made = []

    def make(method, name=None):
        name = name or broker.new_id()
        # So few that a client has its keys before connect-timeout, however slow it is.
        kmqttctl("user", "set", name, method.lower(), "iterations", "4096", password=PASSWORD)
        made.append(name)
        return name

    yield make
    for name in made:
        kmqttctl("user", "del", name)


def send_connect(broker, scram, client_id=None, props=None, **args):
    """CONNECT with the first message of the exchange."""
    one = broker.raw()
    one.send_connect(client_id or broker.new_id(), props={
        "auth_method": scram.method, "auth_data": scram.first(), **(props or {})}, **args)
    return one


def challenge(one):
    """What the broker wants to know next."""
    got = one.expect(mqtt.Auth)
    assert got.code == CONTINUE, got
    return got.props["auth_data"]


def auth(one, data, code=CONTINUE, method=None):
    one.send(mqtt.auth(code, {"auth_method": method or one.asked["auth_method"],
                              "auth_data": data}))


def log_in(broker, scram, *args, **more):
    """The whole exchange, which must succeed."""
    one = send_connect(broker, scram, *args, **more)
    auth(one, scram.final(challenge(one)))
    one.connack = one.expect(mqtt.Connack)
    assert one.connack.code == SUCCESS, one.connack
    scram.verify(one.connack.props["auth_data"])
    return one


@pytest.mark.mqtt5("MQTT-4.12.0-2", "MQTT-4.12.0-5", "MQTT-3.15.2-1", "MQTT-3.2.0-1",
                   "MQTT-3.1.4-2")
@METHODS
def test_exchange(broker, user, method, topic):
    one = log_in(broker, Scram(method, user(method), PASSWORD))
    one.subscribe(topic, qos=1)
    one.publish(topic, b"x", 1)
    one.receive(topic, b"x", 1)


@pytest.mark.mqtt5("MQTT-4.12.0-2", "MQTT-4.12.0-5")
@METHODS
def test_user_name_with_commas_and_equals_signs(broker, user, method):
    log_in(broker, Scram(method, user(method, broker.new_id() + "a,b=c"), PASSWORD)).ping()


@pytest.mark.mqtt5("MQTT-4.12.0-4", "MQTT-3.1.4-2", "MQTT-3.2.2-7", "MQTT-3.2.2-6")
@METHODS
def test_wrong_password(broker, user, method):
    for wrong in ("", "pencil", PASSWORD + " "):
        scram = Scram(method, user(method), wrong)
        one = send_connect(broker, scram)
        auth(one, scram.final(challenge(one)))
        one.expect_refusal(*DENIED)


@pytest.mark.mqtt5("MQTT-4.12.0-4", "MQTT-3.1.4-2")
@METHODS
def test_unknown_user(broker, user, method):
    """It takes as many steps as a wrong password, so that nobody learns who there is."""
    user(method)
    scram = Scram(method, broker.new_id(), PASSWORD)
    one = send_connect(broker, scram)
    auth(one, scram.final(challenge(one)))
    one.expect_refusal(*DENIED)


@pytest.mark.mqtt5("MQTT-4.12.0-4", "MQTT-4.12.0-1")
def test_user_of_another_method(broker, user):
    names = {method: user(method) for method in HASHES}
    for method, other in zip(HASHES, reversed(HASHES)):
        scram = Scram(method, names[other], PASSWORD)
        one = send_connect(broker, scram)
        got = one.recv()
        if isinstance(got, mqtt.Auth):
            auth(one, scram.final(got.props["auth_data"]))
            one.expect_refusal(*DENIED, BAD_METHOD)
        else:
            assert isinstance(got, mqtt.Connack) and got.code in (*DENIED, BAD_METHOD), got


@pytest.mark.mqtt5("MQTT-4.12.0-4")
@pytest.mark.parametrize("first", [
    b"", b"x", b"n,,", b"n,,n=user", b"n,,r=abc", b"n,,n=,r=abc", b"n,,n=user,r=",
    b"p=tls-unique,,n=user,r=abc", b"n,,m=ext,n=user,r=abc", b"n,,n=us=2Xer,r=abc",
    b"n,,n=user,r=a\0c", b"n,,n=\xff,r=abc", b"\0" * 1000, b"n,,n=user,r=" + b"a" * 10000],
    ids=lambda v: str(len(v)))
def test_first_message_that_isnt_one(broker, user, first):
    user("SCRAM-SHA-256")
    broker.refuses(mqtt.connect(broker.new_id(), level=5, props={
        "auth_method": "SCRAM-SHA-256", "auth_data": first}), codes=BAD_MESSAGE)


@pytest.mark.mqtt5("MQTT-4.12.0-4")
@pytest.mark.parametrize("lies", [
    {"r": "another"}, {"r": None}, {"c": None}, {"c": b64(b"y,,")}, {"c": "!"}, {"p": None},
    {"p": "!"}, {"p": ""}, {"p": b64(b"\0" * 32)}, {"p": b64(b"\0" * 31)}, {"m": "ext"}],
    ids=str)
def test_final_message_that_isnt_one(broker, user, lies):
    scram = Scram("SCRAM-SHA-256", user("SCRAM-SHA-256"), PASSWORD)
    one = send_connect(broker, scram)
    auth(one, scram.final(challenge(one), **lies))
    one.expect_refusal(*BAD_MESSAGE)


@pytest.mark.mqtt5("MQTT-4.12.0-4")
def test_exchange_cant_be_replayed(broker, user):
    scram = Scram("SCRAM-SHA-256", user("SCRAM-SHA-256"), PASSWORD)
    one = send_connect(broker, scram)
    data = scram.final(challenge(one))
    auth(one, data)
    one.expect(mqtt.Connack(SUCCESS))
    again = send_connect(broker, scram)
    challenge(again)
    auth(again, data)
    again.expect_refusal(*BAD_MESSAGE)


@pytest.mark.mqtt5("MQTT-4.12.0-4", "MQTT-4.12.0-1")
def test_method_without_data(broker, user):
    """The client has to begin: the broker asks it to, or refuses."""
    scram = Scram("SCRAM-SHA-256", user("SCRAM-SHA-256"), PASSWORD)
    one = broker.raw()
    one.send_connect(broker.new_id(), props={"auth_method": scram.method})
    got = one.recv()
    if isinstance(got, mqtt.Auth):
        assert got.code == CONTINUE and not got.props.get("auth_data"), got
        auth(one, scram.first())
        auth(one, scram.final(challenge(one)))
        one.expect(mqtt.Connack(SUCCESS))
    else:
        assert isinstance(got, mqtt.Connack) and got.code in BAD_MESSAGE, got
        one.expect_close()


WRONG_AUTH = {
    "another method": (mqtt.auth(CONTINUE, {"auth_method": "SCRAM-SHA-512", "auth_data": b"c"}),
                       OTHER_METHOD),
    "no method": (mqtt.auth(CONTINUE, {"auth_data": b"c=biws"}), [PROTOCOL_ERROR]),
    "success": (mqtt.auth(SUCCESS, {"auth_method": "SCRAM-SHA-256"}), EITHER),
    "again": (mqtt.auth(REAUTHENTICATE, {"auth_method": "SCRAM-SHA-256",
                                         "auth_data": b"n,,n=a,r=b"}), [PROTOCOL_ERROR]),
    "short": (mqtt.auth(), EITHER),
    "unknown code": (mqtt.auth(0x17, {"auth_method": "SCRAM-SHA-256"}), EITHER),
    "flags": (b"\xf2\0", [MALFORMED]),
    "PUBLISH": (mqtt.publish("early", b"x", level=5), [PROTOCOL_ERROR]),
    "SUBSCRIBE": (mqtt.subscribe(1, ("early", 0), level=5), [PROTOCOL_ERROR]),
    "PINGREQ": (mqtt.pingreq(), [PROTOCOL_ERROR]),
    "CONNECT": (mqtt.connect("second", level=5), [PROTOCOL_ERROR]),
}


@pytest.mark.mqtt5("MQTT-4.12.0-3", "MQTT-4.12.0-4", "MQTT-3.14.0-1", "MQTT-3.15.2-1",
                   "MQTT-3.15.1-1")
@pytest.mark.parametrize("what", WRONG_AUTH)
def test_packet_that_isnt_part_of_the_exchange(broker, user, what):
    """There is no DISCONNECT before CONNACK; so that is what tells."""
    packet, codes = WRONG_AUTH[what]
    one = send_connect(broker, Scram("SCRAM-SHA-256", user("SCRAM-SHA-256"), PASSWORD))
    challenge(one)
    one.send(packet)
    one.expect_refusal(*codes)


@pytest.mark.mqtt5("MQTT-3.14.0-1", "MQTT-3.1.2-8")
def test_client_that_gives_up(broker, user, sub, topic):
    """Its will isn't anyone's yet."""
    sub.subscribe(topic)
    scram = Scram("SCRAM-SHA-256", user("SCRAM-SHA-256"), PASSWORD)
    for end in (lambda one: one.send(mqtt.disconnect(0x04)), lambda one: one.reset()):
        one = send_connect(broker, scram, will=Will(topic, b"will"))
        challenge(one)
        end(one)
        if not one.closed:
            one.expect_close()
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.1.4-3", "MQTT-3.1.4-6", "MQTT-4.12.0-4")
def test_nobody_is_taken_over_before_the_exchange_is_done(broker, user):
    name = user("SCRAM-SHA-256")
    first = broker.client()
    bad = Scram("SCRAM-SHA-256", name, "wrong")
    one = send_connect(broker, bad, first.id)
    data = challenge(one)
    first.ping()
    auth(one, bad.final(data))
    one.expect_refusal(*DENIED)
    first.ping()
    log_in(broker, Scram("SCRAM-SHA-256", name, PASSWORD), first.id).ping()
    first.expect_disconnect(TAKEN_OVER)


@pytest.mark.mqtt5("MQTT-3.1.2-5", "MQTT-3.2.2-3")
def test_session_is_resumed_after_the_exchange(broker, user, pub, topic):
    name = user("SCRAM-SHA-256")
    one = log_in(broker, Scram("SCRAM-SHA-256", name, PASSWORD), expiry=100)
    one.subscribe(topic, qos=1)
    one.disconnect()
    pub.publish(topic, b"x", 1)
    again = log_in(broker, Scram("SCRAM-SHA-256", name, PASSWORD), one.id, clean=False)
    assert again.connack.session_present
    again.receive(topic, b"x", 1)


@pytest.mark.mqtt5("MQTT-3.15.2-2", "MQTT-3.15.2-3", "MQTT-3.1.2-29", "MQTT-3.1.2-24")
def test_exchange_without_room_for_words(broker, user):
    """The client checks it."""
    name = user("SCRAM-SHA-256")
    log_in(broker, Scram("SCRAM-SHA-256", name, PASSWORD),
           props={"max_packet_size": 250, "request_problem": 0}).ping()


# -------------------------------------------------------------------- again

@pytest.mark.mqtt5("MQTT-4.12.0-2", "MQTT-4.12.0-5", "MQTT-3.15.2-1", "MQTT-4.12.1-1")
@METHODS
def test_authentication_again(broker, user, pub, topic, method):
    """Twice, and all else goes on meanwhile."""
    name = user(method)
    one = log_in(broker, Scram(method, name, PASSWORD)).subscribe(topic, qos=1)
    for _ in range(2):
        scram = Scram(method, name, PASSWORD)
        auth(one, scram.first(), REAUTHENTICATE)
        data = challenge(one)
        pub.publish(topic, b"meanwhile", 1)
        one.receive(topic, b"meanwhile", 1)
        one.publish(topic + "/up", b"x", 1)
        one.ping()
        auth(one, scram.final(data))
        got = one.expect(mqtt.Auth)
        assert got.code == SUCCESS, got
        scram.verify(got.props["auth_data"])
        one.ping()


@pytest.mark.mqtt5("MQTT-4.12.1-2", "MQTT-4.13.2-1", "MQTT-3.1.2-8")
@METHODS
def test_authentication_again_with_a_wrong_password(broker, user, sub, topic, method):
    sub.subscribe(topic)
    name = user(method)
    one = log_in(broker, Scram(method, name, PASSWORD), will=Will(topic, b"will"))
    scram = Scram(method, name, "wrong")
    auth(one, scram.first(), REAUTHENTICATE)
    auth(one, scram.final(challenge(one)))
    one.expect_disconnect(NOT_AUTHORIZED)
    sub.receive(topic, b"will")


@pytest.mark.mqtt5("MQTT-4.12.1-1", "MQTT-4.12.1-2")
def test_authentication_again_with_another_method(broker, user):
    name = user("SCRAM-SHA-256")
    for code in (REAUTHENTICATE, CONTINUE):
        scram = Scram("SCRAM-SHA-256", name, PASSWORD)
        one = log_in(broker, scram)
        if code == CONTINUE:
            auth(one, Scram("SCRAM-SHA-256", name, PASSWORD).first(), REAUTHENTICATE)
            challenge(one)
        auth(one, scram.first(), code, "SCRAM-SHA-512")
        one.expect_disconnect(*OTHER_METHOD)


@pytest.mark.mqtt5("MQTT-4.12.1-2")
def test_authentication_again_with_messages_that_arent_any(broker, user):
    name = user("SCRAM-SHA-256")
    one = log_in(broker, Scram("SCRAM-SHA-256", name, PASSWORD))
    auth(one, b"x", REAUTHENTICATE)
    one.expect_disconnect(UNSPECIFIED, PROTOCOL_ERROR, IMPLEMENTATION, NOT_AUTHORIZED)
    one = log_in(broker, Scram("SCRAM-SHA-256", name, PASSWORD))
    auth(one, Scram("SCRAM-SHA-256", name, PASSWORD).first(), REAUTHENTICATE)
    challenge(one)
    auth(one, b"x")
    one.expect_disconnect(UNSPECIFIED, PROTOCOL_ERROR, IMPLEMENTATION, NOT_AUTHORIZED)


@pytest.mark.mqtt5("MQTT-4.12.0-3", "MQTT-4.13.1-1")
def test_auth_that_nobody_has_asked_for(broker, user):
    name = user("SCRAM-SHA-256")
    for code in (CONTINUE, SUCCESS):
        one = log_in(broker, Scram("SCRAM-SHA-256", name, PASSWORD))
        auth(one, b"x", code)
        one.expect_disconnect(*EITHER)
