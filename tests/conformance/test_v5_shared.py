# SPDX-License-Identifier: GPL-2.0
"""MQTT 5: shared subscriptions: section 4.8.2."""

import collections

import pytest

import mqtt
from client import Timeout, case
from mqtt import PUBACK, PUBCOMP, PUBREC, ack, options
from reason import FILTER, NO_SUBSCRIPTION

LEVEL = 5


@pytest.fixture
def shared(topic):
    """A shared filter for the topic."""
    return "$share/group/" + topic


def members(broker, shared, count, qos=1, **args):
    return [broker.client(**args).subscribe(shared, qos=qos) for _ in range(count)]


# ------------------------------------------------------------------- filter

@pytest.mark.mqtt5("MQTT-4.8.2-1", "MQTT-4.8.2-2")
def test_filter_that_isnt_one(broker, topic):
    for bad in ("$share/", "$share/g", "$share/g/", "$share//{}", "$share/+/{}",
                "$share/#/{}", "$share/g+/{}", "$share/#g/{}", "$share/+", "$share/#",
                "$share/g/{}#", "$share/g/#/{}", "$share/g/{}+"):
        with case(bad):
            broker.closes(mqtt.subscribe(1, (bad.format(topic), 0), level=5), codes=FILTER)


@pytest.mark.mqtt5("MQTT-4.8.2-1", "MQTT-4.8.2-2")
def test_filter_that_is_one(broker, pub, topic):
    for form, name in (("$share/g/{}", "{}"), ("$share/a b/{}", "{}"), ("$share/g//{}", "/{}"),
                       ("$share/\u4e2d/{}", "{}"), ("$share/$share/{}", "{}"),
                       ("$share/g/$share/{}", "$share/{}"), ("$share/g/{}/#", "{}/a"),
                       ("$share/" + "g" * 1000 + "/{}", "{}")):
        with case(form[:30]):
            sub = broker.client().subscribe(form.format(topic), qos=1)
            # A topic that begins with $share is nothing special, but may not be allowed.
            if not name.startswith("$"):
                pub.publish(name.format(topic), b"x", 1)
                sub.receive(name.format(topic), b"x", 1)
            sub.disconnect()


def test_filter_that_isnt_a_shared_one(broker, pub, topic):
    """Another case, another word: these are filters like any other."""
    for form in ("$SHARE/g/{}", "$shared/g/{}", "share/g/{}", "/$share/g/{}"):
        with case(form):
            sub = broker.client().subscribe(form.format(topic))
            pub.publish(topic, b"x")
            sub.expect_nothing()


# ------------------------------------------------------------- distribution

@pytest.mark.parametrize("qos", [0, 1, 2])
def test_one_member_gets_each_message(broker, pub, topic, shared, qos):
    subs = members(broker, shared, 3, qos)
    for i in range(10):
        pub.publish(topic, b"%d" % i, qos)
    got = sorted(p.payload for one in subs for p in one.barrier())
    assert got == sorted(b"%d" % i for i in range(10))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_all_members_get_their_share(broker, pub, topic, shared, count):
    """At least half of what would be fair."""
    subs = members(broker, shared, count, 0)
    pub.send(*(mqtt.publish(topic, b"x", level=5) for _ in range(count * 20)))
    pub.ping()
    shares = [len(one.barrier()) for one in subs]
    assert sum(shares) == count * 20
    assert min(shares) >= 10, shares


def test_member_alone_gets_all_in_order(broker, pub, topic, shared):
    sub = broker.client().subscribe(shared, qos=2)
    for i in range(30):
        pub.publish(topic, b"%d" % i, 2)
    for i in range(30):
        sub.receive(topic, b"%d" % i, 2)
    sub.expect_nothing()


def test_groups_and_filters_have_nothing_to_do_with_each_other(broker, pub, topic):
    """Each group has its copy, and so has each filter of the same group's name."""
    filters = [f"$share/a/{topic}", f"$share/b/{topic}", f"$share/a/{topic}/#", f"$share/A/{topic}"]
    teams = [members(broker, name, 2) for name in filters]
    plain = broker.client().subscribe(topic, qos=1)
    for i in range(4):
        pub.publish(topic, b"%d" % i, 1)
        plain.receive(topic, b"%d" % i, 1)
    for team in teams:
        got = sorted(p.payload for one in team for p in one.barrier())
        assert got == [b"%d" % i for i in range(4)]


def test_shared_and_plain_subscription_of_one_client(pub, sub, topic, shared):
    """A copy for each."""
    sub.subscribe(topic, qos=1, props={"subscription_id": 1})
    sub.subscribe(shared, qos=2, props={"subscription_id": 2})
    pub.publish(topic, b"x", 2)
    got = sorted((p.payload, p.qos, p.props["subscription_id"]) for p in sub.barrier())
    assert got == [(b"x", 1, [1]), (b"x", 2, [2])]


@pytest.mark.mqtt5("MQTT-4.8.2-3")
def test_granted_qos_is_the_members_own(broker, pub, topic, shared):
    subs = [broker.client().subscribe((shared, qos)) for qos in range(3)]
    for i in range(12):
        pub.publish(topic, b"%d" % i, 2)
    for qos, one in enumerate(subs):
        assert {p.qos for p in one.barrier()} <= {qos}


@pytest.mark.mqtt5("MQTT-3.3.4-3")
def test_identifier_and_options_are_the_members_own(broker, pub, topic, shared):
    subs = [broker.client() for _ in range(3)]
    for i, one in enumerate(subs):
        one.subscribe((shared, options(1, as_published=i == 1)),
                      props={"subscription_id": i + 1} if i else {})
    seen = collections.Counter()
    for i in range(30):
        pub.publish(topic, b"%d" % i, retain=True)
    for i, one in enumerate(subs):
        for got in one.barrier():
            assert got.props == ({"subscription_id": [i + 1]} if i else {})
            assert got.retain == (i == 1)
            seen[i] += 1
    assert sum(seen.values()) == 30


@pytest.mark.parametrize("handling", [0, 1, 2])
def test_no_retained_messages(broker, pub, topic, shared, handling):
    """Not for the first member, not for the next, not when it subscribes again."""
    pub.publish(topic, b"kept", 1, retain=True)
    for _ in range(2):
        sub = broker.client()
        for _ in range(2):
            sub.subscribe((shared, options(1, handling=handling)))
            sub.expect_nothing()
    pub.publish(topic, b"new", 1)


# --------------------------------------------------------- coming and going

def test_subscribing_again_is_the_same_membership(broker, pub, topic, shared):
    """With other options; one UNSUBSCRIBE ends it."""
    sub = broker.client()
    for qos in (0, 2, 1):
        sub.subscribe(shared, qos=qos)
        pub.publish(topic, b"x", 2)
        sub.receive(topic, b"x", qos)
    sub.expect_nothing()
    sub.unsubscribe(shared)
    pub.publish(topic, b"x", 2)
    sub.expect_nothing()


@pytest.mark.mqtt5("MQTT-3.10.4-1", "MQTT-3.11.3-2")
def test_unsubscribing(broker, pub, topic, shared):
    """By the whole filter; the others of the group stay."""
    subs = members(broker, shared, 2)
    for name in (topic, "$share/other/" + topic, shared + "/"):
        subs[0].send(mqtt.unsubscribe(9, name, level=5))
        subs[0].expect(mqtt.Unsuback(9, [NO_SUBSCRIPTION]))
    subs[0].unsubscribe(shared)
    for i in range(6):
        pub.publish(topic, b"%d" % i, 1)
        subs[1].receive(topic, b"%d" % i, 1)
    subs[0].expect_nothing()
    subs[1].unsubscribe(shared)
    pub.publish(topic, b"x", 1)
    for one in subs:
        one.expect_nothing()


@pytest.mark.parametrize("end", ["disconnect", "reset", "unsubscribe"])
def test_members_that_leave_get_nothing_more(broker, pub, topic, shared, end):
    subs = members(broker, shared, 3, 0)
    for left in (2, 1):
        if end == "unsubscribe":
            subs.pop().unsubscribe(shared)
        else:
            one = subs.pop()
            getattr(one, end)()
            broker.forget(one.id)
        for i in range(6):
            pub.publish(topic, b"%d" % i)
        assert sum(len(one.barrier()) for one in subs) == 6, f"{left} are left"


def test_online_members_are_preferred(broker, pub, topic, shared):
    """Nothing waits for a client that is away as long as another can take it."""
    away = broker.client(expiry=100).subscribe(shared, qos=1)
    away.reset()
    broker.client(away.id, clean=False, expiry=100, session_present=True).disconnect()
    sub = broker.client().subscribe(shared, qos=1)
    for i in range(8):
        pub.publish(topic, b"%d" % i, 1)
        sub.receive(topic, b"%d" % i, 1)
    broker.client(away.id, clean=False, session_present=True).expect_nothing()


def test_messages_wait_if_all_members_are_away(broker, pub, topic, shared):
    """Each once, for whoever comes."""
    subs = members(broker, shared, 2, expiry=100)
    for one in subs:
        one.disconnect()
    for i in range(10):
        pub.publish(topic, b"%d" % i, 1)
    got = []
    for one in subs:
        again = broker.client(one.id, clean=False, session_present=True)
        got += [p.payload for p in again.barrier()]
    assert sorted(got) == [b"%d" % i for i in range(10)]


# --------------------------------------------------- members that are lost

@pytest.mark.parametrize("end", ["disconnect", "reset", "clean start"])
def test_qos_1_goes_to_another_when_the_session_ends(broker, pub, topic, shared, end):
    """Whatever the member hadn't acknowledged."""
    first = broker.client(expiry=0).subscribe(shared, qos=1)
    for i in range(4):
        pub.publish(topic, b"%d" % i, 1, props={"content_type": "t"})
    got = [first.receive(topic, b"%d" % i, 1, ack=False, props=...) for i in range(4)]
    first.acknowledge(got[1])
    first.ping()
    second = broker.client().subscribe(shared, qos=1)
    if end == "clean start":
        broker.client(first.id, clean=True)
    else:
        getattr(first, end)()
    for i in (0, 2, 3):
        second.receive(topic, b"%d" % i, 1, dup=None, props={"content_type": "t"})
    second.expect_nothing()


def test_what_waits_goes_to_another_when_the_session_ends(broker, pub, topic, shared):
    """Of both QoS: QoS 2 that hasn't been sent yet is nobody's."""
    first = broker.client(expiry=100).subscribe(shared, qos=2)
    first.disconnect()
    for i in range(4):
        pub.publish(topic, b"%d" % i, 1 + i % 2)
    second = broker.client().subscribe(shared, qos=2)
    broker.forget(first.id)
    got = {second.receive(topic, dup=False).payload for _ in range(4)}
    assert got == {b"%d" % i for i in range(4)}
    second.expect_nothing()


def test_nothing_is_lost_behind_the_window(broker, pub, topic, shared):
    """A member that acknowledges nothing takes what it can, and leaves; all comes to the other."""
    first = broker.client(props={"receive_max": 2}).subscribe(shared, qos=1)
    for i in range(8):
        pub.publish(topic, b"%d" % i, 1)
    for i in range(2):
        first.receive(topic, b"%d" % i, 1, ack=False)
    second = broker.client().subscribe(shared, qos=1)
    first.reset()
    got = {second.receive(topic, qos=1, dup=None).payload for _ in range(8)}
    assert got == {b"%d" % i for i in range(8)}
    second.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.8.2-4", "MQTT-4.8.2-5")
def test_qos_2_stays_with_its_member(broker, pub, topic, shared):
    """Until it is back; and if it is never back, nobody gets it."""
    first = broker.client(expiry=100).subscribe(shared, qos=2)
    pub.publish(topic, b"begun", 2)
    pub.publish(topic, b"released", 2)
    one, two = (first.receive(topic, qos=2, ack=False) for _ in range(2))
    first.send(ack(PUBREC, two.id))
    first.expect(mqtt.Pubrel(two.id))
    second = broker.client().subscribe(shared, qos=2)
    first.reset()
    second.expect_nothing()
    again = broker.client(first.id, clean=False, expiry=100, session_present=True)
    got = [again.recv() for _ in range(2)]
    assert mqtt.Pubrel(two.id) in got
    message = next(p for p in got if isinstance(p, mqtt.Publish))
    assert (message.id, message.payload, message.dup) == (one.id, b"begun", True)
    again.send(ack(PUBCOMP, two.id))
    again.reset()
    broker.forget(first.id)
    second.expect_nothing()


@pytest.mark.mqtt5("MQTT-4.8.2-6", "MQTT-4.4.0-2")
@pytest.mark.parametrize("qos, kind", [(1, PUBACK), (2, PUBREC)], ids=["PUBACK", "PUBREC"])
def test_message_that_is_answered_with_an_error_goes_to_nobody_else(broker, pub, topic, shared,
                                                                    qos, kind):
    first = broker.client(expiry=100).subscribe(shared, qos=qos)
    for code in (0x80, 0x83, 0x87, 0x97):
        pub.publish(topic, b"x", qos)
        first.send(ack(kind, first.receive(topic, b"x", qos, ack=False).id, code))
    first.ping()
    second = broker.client().subscribe(shared, qos=qos)
    second.expect_nothing()
    first.reset()
    broker.forget(first.id)
    second.expect_nothing()


def test_acknowledged_message_goes_to_nobody_else(broker, pub, topic, shared):
    first = broker.client(expiry=0).subscribe(shared, qos=2)
    for qos in (1, 2):
        pub.publish(topic, b"x", qos)
        first.receive(topic, b"x", qos)
    second = broker.client().subscribe(shared, qos=2)
    first.ping()
    first.reset()
    broker.forget(first.id)
    second.expect_nothing()


def test_unsubscribed_member_keeps_what_it_has_begun(broker, pub, topic, shared):
    """It has left the group, but its session is there: it has to acknowledge."""
    first, = members(broker, shared, 1, expiry=100)
    pub.publish(topic, b"x", 1)
    got = first.receive(topic, b"x", 1, ack=False)
    first.unsubscribe(shared)
    second = broker.client().subscribe(shared, qos=1)
    first.reset()
    again = broker.client(first.id, clean=False, expiry=100, session_present=True)
    assert again.receive(topic, b"x", 1, dup=True).id == got.id
    second.expect_nothing()


def test_members_of_any_version(broker, pub, topic, shared):
    """To 3.1.1 it may be shared, too, or a filter like any other, or refused."""
    old = broker.client(level=4)
    old.send(mqtt.subscribe(1, (shared, 1)))
    try:
        got = old.recv()
    except AssertionError as err:
        assert not isinstance(err, Timeout), err
        return
    new = broker.client().subscribe(shared, qos=1)
    for i in range(10):
        pub.publish(topic, b"%d" % i, 1)
    mine = len(new.barrier())
    theirs = len([p for p in old.barrier() if p.topic == topic])
    assert mine + theirs == 10, (got, mine, theirs)


@pytest.mark.mqtt5("MQTT-3.1.2-25")
def test_member_that_cant_take_a_large_message(broker, pub, topic, shared):
    """The broker may drop it, or give it to another; to that one it never goes."""
    small = broker.client(props={"max_packet_size": 100}).subscribe(shared, qos=1)
    large = broker.client().subscribe(shared, qos=1)
    for _ in range(6):
        pub.publish(topic, b"x" * 200, 1)
    pub.publish(topic, b"small", 1)
    got = [p.payload for one in (small, large) for p in one.barrier()]
    assert got.count(b"small") == 1
    assert len(got) >= 3
