# SPDX-License-Identifier: GPL-2.0
"""What only MQTT 5 has: scenarios for scenarios.py."""

import contextlib
import json
import os
import subprocess
import time

from peer import Peer


class Skip(Exception):
    """The scenario can't be played here."""


def kmqttctl(*arguments):
    return subprocess.run([os.environ.get("KMQTT_CTL") or "kmqttctl",
                           *arguments], stdout=subprocess.PIPE,
                          check=True).stdout


def settings_of_broker():
    """None if kmqttctl reaches no broker."""
    try:
        return json.loads(kmqttctl("-j", "broker"))
    except (OSError, subprocess.CalledProcessError):
        return None


@contextlib.contextmanager
def setting(name, value):
    """Play with another setting of the broker."""
    settings = settings_of_broker()
    if settings is None:
        raise Skip("kmqttctl reaches no broker")
    kmqttctl("broker", "set", name, str(value))
    try:
        yield
    finally:
        kmqttctl("broker", "set", name,
                 str(settings[name.replace("-", "_")]))


def disconnect_all(*peers):
    for peer in peers:
        peer.disconnect()


def nothing_but(pub, sub, topic):
    """What the broker has for sub by now must have come before this."""
    pub.publish(topic, "marker", 1)
    sub.expect(topic, "marker", 1)


def session_expiry(stage):
    topic = stage.topic("t")
    pub = stage.connect("pub")

    def session(seconds, **options):
        return stage.connect("sub", clean=False, **options,
                             properties={"SessionExpiryInterval": seconds})

    # Kept after DISCONNECT, and after a lost connection.
    stage.connect("sub").disconnect()
    sub = session(3600)
    assert not sub.session_present
    sub.subscribe(topic, 1)
    sub.disconnect()
    sub = session(3600)
    assert sub.session_present
    sub.cut()
    sub.lost()
    pub.publish(topic, "while away", 1)
    sub = session(3600)
    assert sub.session_present
    sub.expect(topic, "while away", 1)

    # Clean start ends it.
    sub.disconnect()
    sub = stage.connect("sub", properties={"SessionExpiryInterval": 3600})
    assert not sub.session_present
    sub.subscribe(stage.topic("own"), 1)
    pub.publish(topic, "to nobody", 1)
    nothing_but(pub, sub, stage.topic("own"))
    sub.disconnect()

    # Changed at DISCONNECT, to less and to more.
    sub = session(3600)
    assert sub.session_present
    sub.disconnect({"SessionExpiryInterval": 0})
    sub = session(1)
    assert not sub.session_present
    sub.disconnect({"SessionExpiryInterval": 3600})
    sub = session(0)
    assert sub.session_present
    sub.disconnect()

    # The will that comes with the end of the session tells when that is.
    watch = stage.connect("watch")
    watch.subscribe(stage.topic("will"), 1)
    sub = session(1, will=(stage.topic("will"), "ended", 1, False),
                  will_properties={"WillDelayInterval": 3600})
    assert not sub.session_present
    sub.cut()
    watch.expect(stage.topic("will"), "ended", 1)
    sub = session(0)
    assert not sub.session_present
    disconnect_all(sub, watch, pub)


def message_expiry(stage):
    queue, short = stage.topic("queue"), stage.topic("short")
    pub, sub = stage.connect("pub"), stage.resume("sub")
    sub.subscribe(queue, 1)

    pub.publish(queue, "at once", 1, properties={
        "MessageExpiryInterval": 1000})
    left = sub.expect(queue, "at once", 1)["MessageExpiryInterval"]
    assert 1000 - stage.target.timeout <= left <= 1000, left
    sub.disconnect()

    for text, seconds in ("long", 1000), ("short", 1):
        pub.publish(queue, text, 1, properties={
            "MessageExpiryInterval": seconds})
    pub.publish(queue, "timeless", 1)

    # A retained message that lives longer tells when the short one is gone.
    pub.publish(short, "short", 1, retain=True,
                properties={"MessageExpiryInterval": 2})
    pub.subscribe(stage.topic("marker"), 1)
    end = time.monotonic() + stage.target.timeout
    got = None
    while got != "marker":
        assert time.monotonic() < end, "the message doesn't expire"
        pub.subscribe(short, 1)
        pub.publish(stage.topic("marker"), "", 1)
        got = pub.next().topic.rsplit("/", 1)[1]
        if got == "short":
            pub.expect(stage.topic("marker"), "", 1)

    sub = stage.resume("sub")
    left = sub.expect(queue, "long", 1)["MessageExpiryInterval"]
    assert 1000 - stage.target.timeout <= left < 1000, left
    assert "MessageExpiryInterval" not in sub.expect(queue, "timeless", 1)
    sub.disconnect({"SessionExpiryInterval": 0})
    pub.disconnect()


def will_delay(stage):
    topic = stage.topic("will")
    watch = stage.connect("watch")
    watch.subscribe(topic, 1)

    def dying(name, **properties):
        return stage.resume(name, will=(topic, name, 1, False),
                            will_properties={
                                "WillDelayInterval": stage.delay,
                                **properties})

    # One comes back in time, and isn't dead.
    dying("back").cut()
    back = stage.resume("back")
    assert back.session_present

    sent = {
        "ContentType": "text/plain",
        "PayloadFormatIndicator": 1,
        "ResponseTopic": "answer",
        "CorrelationData": b"\0\xff",
        "UserProperty": [("b", "1"), ("a", "2"), ("b", "0")],
    }
    start = time.monotonic()
    dying("gone", **sent).cut()
    got = watch.expect(topic, "gone", 1)
    assert time.monotonic() - start > stage.delay - 0.5, "too early"
    assert got == sent, got

    watch.disconnect()
    back.disconnect({"SessionExpiryInterval": 0})
    stage.connect("gone").disconnect()


def request_response(stage):
    asking, service = stage.connect("asking"), stage.connect("service")
    asking.subscribe(stage.topic("answers/+"), 1)
    service.subscribe(stage.topic("requests"), 1)
    numbers = [b"\0", bytes(range(256)), b"\xff" * 4000]
    for i, number in enumerate(numbers):
        asking.publish(stage.topic("requests"), f"question {i}", 1,
                       properties={
                           "ResponseTopic": stage.topic(f"answers/{i}"),
                           "CorrelationData": number})
    for i in range(len(numbers)):
        request = service.expect(stage.topic("requests"), f"question {i}", 1)
        service.publish(request["ResponseTopic"], f"answer {i}", 1,
                        properties={
                            "CorrelationData": request["CorrelationData"]})
    for i, number in enumerate(numbers):
        answer = asking.expect(stage.topic(f"answers/{i}"), f"answer {i}", 1)
        assert answer == {"CorrelationData": number}, answer
    disconnect_all(asking, service)


def unaltered_properties(stage):
    pub, live = stage.connect("pub"), stage.connect("live")
    topic = stage.topic("t")
    sent = {
        "ContentType": "text/plain; x=ä",
        "PayloadFormatIndicator": 1,
        "UserProperty": [("z", "3"), ("a", "1"), ("z", "2"), ("", "♥"),
                         ("a", "1"), ("ö", ""), ("long", "x" * 60000)],
    }
    live.subscribe(topic, 2)
    for qos in range(3):
        pub.publish(topic, "text", qos, retain=True, properties=sent)
        got = live.expect(topic, "text", qos)
        assert got == sent, got
    late = stage.connect("late")
    late.subscribe(topic, 1)
    got = late.expect(topic, "text", 1, retain=True)
    assert got == sent, got
    pub.publish(topic, "\0 is binary", 1, properties={
        "PayloadFormatIndicator": 0})
    live.expect(topic, "\0 is binary", 1)
    pub.publish(topic, "", 1, retain=True)
    got = live.expect(topic, "", 1)
    assert not got, got
    disconnect_all(pub, live, late)


def alias_of_client(stage):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    most = pub.connack.get("TopicAliasMaximum", 0)
    assert most > 0, "the broker takes no topic aliases"
    sub.subscribe(stage.topic("#"), 1)
    # The number, the topic if it is told, and the topic that is meant.
    for alias, told, meant in ((1, "one", "one"), (1, "", "one"),
                               (most, "two", "two"), (most, "", "two"),
                               (1, "three", "three"), (1, "", "three")):
        for qos in range(3):
            pub.publish(told and stage.topic(told), "text", qos,
                        properties={"TopicAlias": alias})
            got = sub.expect(stage.topic(meant), "text", min(qos, 1))
            assert "TopicAlias" not in got, got
    disconnect_all(pub, sub)


def alias_of_broker(stage):
    """The library leaves them to the application."""
    pub = stage.connect("pub")
    sub = stage.connect("sub", properties={"TopicAliasMaximum": 2})
    sub.subscribe(stage.topic("#"), 1)
    aliases = {}
    used = 0
    # Each often enough in a row for the broker to think that it's worth it.
    for i in (1, 1, 1, 2, 2, 2, 3, 3, 3, 1, 2, 3, 1, 2, 3, 1, 1, 1):
        pub.publish(stage.topic(f"{i}"), f"{i}", i % 2)
        got = sub.next()
        alias = got.properties.get("TopicAlias")
        assert alias in (None, 1, 2), got
        if got.topic:
            aliases[alias] = got.topic
        else:
            used += 1
        topic = got.topic or aliases[alias]
        assert topic == stage.topic(got.payload.decode()), (got, aliases)
    disconnect_all(pub, sub)
    # A broker may do without.
    if used == 0 and settings_of_broker() is None:
        raise Skip("the broker uses no topic aliases")
    assert used, "the broker uses no topic aliases"


def receive_maximum(stage):
    with contextlib.ExitStack() as stack:
        if settings_of_broker():
            stack.enter_context(setting("receive-max", 3))
        pub = stage.connect("pub")
        sub = stage.resume("sub", properties={"ReceiveMaximum": 2})
        sub.subscribe(stage.topic("queue"), 2)
        sub.disconnect()
        pub.drain([pub.send(stage.topic("queue"), f"{i}", 2)
                   for i in range(50)])
        sub = stage.resume("sub", properties={"ReceiveMaximum": 2})
        for i in range(50):
            sub.expect(stage.topic("queue"), f"{i}", 2)
        sub.disconnect({"SessionExpiryInterval": 0})
        pub.disconnect()


def packet_size(stage):
    pub = stage.connect("pub")
    sub = stage.connect("sub", properties={"MaximumPacketSize": 300})
    topic = stage.topic("t")
    sub.subscribe(topic, 2)
    for qos in range(3):
        # What is in front of the payload counts, too.
        room = 300 - 3 - 2 - len(topic) - (2 if qos else 0) - 1
        pub.publish(topic, "x" * 300, qos)
        pub.publish(topic, "y" * room, qos)
        sub.expect(topic, "y" * room, qos)
        pub.publish(topic, "text", qos, properties={
            "UserProperty": [("x", "x" * 300)]})
        pub.publish(topic, "next", qos)
        sub.expect(topic, "next", qos)
    disconnect_all(pub, sub)


def packet_size_of_broker(stage):
    """The library doesn't heed it."""
    with setting("max-packet-size", 2000):
        pub = stage.connect("pub")
        assert pub.connack["MaximumPacketSize"] == 2000, pub.connack
        pub.publish(stage.topic("t"), "x" * 1000, 1)
        pub.send(stage.topic("t"), "x" * 2000, 1)
        pub.lost()


def server_keep_alive(stage):
    with setting("max-keepalive", 50):
        for asked, told in (100, 50), (0, 50), (20, None):
            peer = stage.connect("peer", keepalive=asked)
            got = peer.connack.get("ServerKeepAlive")
            assert got == told, f"{asked}: got {got}, expected {told}"
            peer.disconnect()


def assigned_id(stage):
    first, second = Peer(stage.target, ""), Peer(stage.target, "")
    name = first.connack["AssignedClientIdentifier"]
    assert name and name != second.connack["AssignedClientIdentifier"]
    # It is an id like any other.
    again = Peer(stage.target, name)
    first.lost()
    assert "AssignedClientIdentifier" not in again.connack, again.connack
    disconnect_all(second, again)


def no_local(stage):
    a, b = stage.connect("a"), stage.connect("b")
    for peer in a, b:
        peer.subscribe(stage.topic("quiet"), 1, noLocal=True)
        peer.subscribe(stage.topic("loud"), 1)
    for name in "quiet", "loud":
        a.publish(stage.topic(name), "from a", 1)
        b.expect(stage.topic(name), "from a", 1)
    a.expect(stage.topic("loud"), "from a", 1)
    disconnect_all(a, b)


def retain_as_published(stage):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    sub.subscribe(stage.topic("with"), 1, retainAsPublished=True)
    sub.subscribe(stage.topic("without"), 1)
    for text, retain in ("kept", True), ("not kept", False), ("", True):
        for name in "with", "without":
            pub.publish(stage.topic(name), text, 1, retain)
            sub.expect(stage.topic(name), text, 1,
                       retain and name == "with")
    disconnect_all(pub, sub)


def retain_handling(stage):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    always, new, never = (stage.topic(f"{i}") for i in range(3))
    sub.subscribe(stage.topic("marker"), 1)
    for topic in always, new, never:
        pub.publish(topic, "kept", 1, retain=True)

    def subscribe(*answered):
        for handling, topic in enumerate((always, new, never)):
            sub.subscribe(topic, 1, retainHandling=handling)
        for topic in answered:
            sub.expect(topic, "kept", 1, retain=True)
        nothing_but(pub, sub, stage.topic("marker"))

    subscribe(always, new)
    subscribe(always)
    sub.unsubscribe(new)
    subscribe(always, new)
    sub.disconnect()
    for topic in always, new, never:
        pub.publish(topic, "", 1, retain=True)
    pub.disconnect()


def subscription_ids(stage):
    pub, sub = stage.connect("pub"), stage.connect("sub")

    def subscribe(name, number=None):
        sub.subscribe(stage.topic(name), 1,
                      number and {"SubscriptionIdentifier": number})

    def ids_of(name, copies=1):
        pub.publish(stage.topic(name), name, 1)
        ids = []
        for _ in range(copies):
            got = sub.expect(stage.topic(name), name, 1)
            ids += got.get("SubscriptionIdentifier", [])
            # Overlapping subscriptions may have one copy, or one each.
            if len(ids) == copies:
                break
        return sorted(ids)

    subscribe("a/#", 1)
    subscribe("a/+", 268435455)
    subscribe("b")
    assert ids_of("a/b/c") == [1]
    assert ids_of("a/b", 2) == [1, 268435455]
    assert ids_of("b") == []
    subscribe("a/#", 128)
    assert ids_of("a/b/c") == [128]
    subscribe("a/#")
    assert ids_of("a/b/c") == []

    pub.publish(stage.topic("kept"), "kept", 1, retain=True)
    subscribe("kept", 7)
    got = sub.expect(stage.topic("kept"), "kept", 1, retain=True)
    assert got["SubscriptionIdentifier"] == [7], got
    pub.publish(stage.topic("kept"), "", 1, retain=True)
    disconnect_all(pub, sub)


def shared_subscription(stage):
    pub = stage.connect("pub")
    work, end = stage.topic("work"), stage.topic("end")
    one, two, other = (stage.connect(name) for name in ("1", "2", "other"))
    whole = stage.connect("whole")
    for peer, group in (one, "group"), (two, "group"), (other, "other"):
        peer.subscribe(f"$share/{group}/{work}", 1)
        peer.subscribe(end, 1)
    whole.subscribe(work, 0)
    whole.subscribe(end, 1)

    def results(*peers, count):
        pub.drain([pub.send(work, f"{i}", 2) for i in range(count)])
        pub.publish(end, "end", 1)
        texts = []
        for peer in peers:
            while (got := peer.next()).topic != end:
                assert got.topic == work, got
                texts.append(got.payload)
        return sorted(texts, key=int)

    sent = [f"{i}".encode() for i in range(60)]
    got = results(one, two, count=60)
    assert got == sent, got
    for peer in other, whole:
        for i in range(60):
            peer.expect(work, f"{i}", 1 if peer is other else 0)
        peer.expect(end, "end", 1)

    # Who is left gets all.
    assert one.unsubscribe(f"$share/group/{work}") == 0
    got = results(two, count=20)
    assert got == sent[:20], got
    disconnect_all(pub, one, two, other, whole)


def reason_codes(stage):
    """The library tells only those of SUBACK and UNSUBACK."""
    peer = stage.connect("peer")
    for qos in range(3):
        assert peer.subscribe(stage.topic("t"), qos) == qos
    assert peer.unsubscribe(stage.topic("t")) == 0
    assert peer.unsubscribe(stage.topic("t")) == 17
    for qos in range(3):
        peer.publish(stage.topic("t"), "to nobody", qos)
    peer.disconnect()


def will_at_disconnect(stage):
    """DISCONNECT may ask for the will."""
    watch, topic = stage.connect("watch"), stage.topic("will")
    watch.subscribe(topic, 1)
    leaving = stage.connect("leaving", will=(topic, "left", 1, False))
    leaving.disconnect(reason="Disconnect with will message")
    watch.expect(topic, "left", 1)
    watch.disconnect()


def take_over(stage):
    """The library knows of the reason code only if properties follow it."""
    old = stage.resume("same")
    new = stage.resume("same")
    old.lost()
    assert old.reason in (7, 142), old.reason
    assert new.session_present
    new.disconnect({"SessionExpiryInterval": 0})


def session_of_versions(stage):
    """A session goes from version to version, with all that waits in it."""
    topic = stage.topic("t")
    kind = {"ContentType": "text/plain"}
    pub = stage.connect("pub")
    sub = stage.connect("sub", version="3.1.1", clean=False)
    sub.subscribe(topic, 1)
    sub.disconnect()
    pub.publish(topic, "one", 1, properties=kind)
    sub = stage.resume("sub")
    assert sub.session_present
    got = sub.expect(topic, "one", 1)
    assert got == kind, got
    sub.disconnect()
    pub.publish(topic, "two", 1, properties=kind)
    sub = stage.connect("sub", version="3.1", clean=False)
    got = sub.expect(topic, "two", 1)
    assert got == {}, got
    disconnect_all(sub, pub)
    stage.connect("sub").disconnect()


def authentication_refused(stage):
    try:
        stage.connect("peer", properties={
            "AuthenticationMethod": "unheard-of",
            "AuthenticationData": b"\0\xff"})
    except ConnectionError as error:
        assert "Bad authentication method" in str(error), error
    else:
        raise AssertionError("an unknown method was accepted")


SCENARIOS = [
    ("session expiry, changed at disconnect; clean start", session_expiry),
    ("message expiry: the time that is left is told", message_expiry),
    ("will delay: sent after it, not after coming back", will_delay),
    ("will: sent after DISCONNECT that asks for it", will_at_disconnect),
    ("request and response: topic, correlation data", request_response),
    ("content type, payload format, user properties in order",
     unaltered_properties),
    ("topic alias of the client", alias_of_client),
    ("topic alias of the broker", alias_of_broker),
    ("receive maximum of client and broker", receive_maximum),
    ("maximum packet size of the client", packet_size),
    ("maximum packet size of the broker", packet_size_of_broker),
    ("server keep alive", server_keep_alive),
    ("assigned client identifier", assigned_id),
    ("no local", no_local),
    ("retain as published", retain_as_published),
    ("retain handling", retain_handling),
    ("subscription identifiers", subscription_ids),
    ("shared subscription: each message to one", shared_subscription),
    ("reason codes: no subscription existed", reason_codes),
    ("session taken over", take_over),
    ("a session that changes its version", session_of_versions),
    ("unknown authentication method is refused", authentication_refused),
]
