# SPDX-License-Identifier: GPL-2.0
"""What only MQTT 5 has, and clients of all versions and of other libraries on
one broker: scenarios for scenarios.py."""

import subprocess
import time

from paho.mqtt.subscribeoptions import SubscribeOptions

from peer import properties


def all_properties(stage):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    topic = stage.topic("t")
    user = [("b", "2"), ("a", "1"), ("b", "1"), ("", ""), ("c", "\u2665")]
    sent = {
        "ContentType": "text/plain; \u00fc",
        "PayloadFormatIndicator": 1,
        "ResponseTopic": stage.topic("answer"),
        "CorrelationData": bytes(range(256)),
        "UserProperty": user,
    }
    sub.subscribe(topic, 2)
    for qos in range(3):
        pub.publish(topic, "text", qos, **sent)
        got = sub.expect(topic, "text", qos)
        for name, value in sent.items():
            assert getattr(got, name) == value, (name, getattr(got, name))
    pub.publish(topic, "bare", 1)
    assert sub.expect(topic, "bare", 1).isEmpty()
    pub.disconnect()
    sub.disconnect()


def subscription_options(stage):
    pub, sub = stage.connect("pub"), stage.connect("sub")
    own, kept, end = (stage.topic(t) for t in ("own", "kept", "end"))
    sub.subscribe(end, 1)
    sub.subscribe(own, 1, SubscribeOptions(qos=1, noLocal=True))
    sub.publish(own, "mine", 1)
    pub.publish(own, "yours", 1)
    sub.expect(own, "yours", 1)

    pub.publish(kept, "kept", 1, retain=True)
    for handling, present in (2, False), (0, True), (1, False):
        sub.subscribe(kept, 1, SubscribeOptions(
            qos=1, retainAsPublished=True, retainHandling=handling),
            SubscriptionIdentifier=handling + 1)
        if present:
            got = sub.expect(kept, "kept", 1, retain=True)
            assert got.SubscriptionIdentifier == [handling + 1]
        pub.publish(end, "end", 1)
        sub.expect(end, "end", 1)
    pub.publish(kept, "new", 1, retain=True)
    got = sub.expect(kept, "new", 1, retain=True)
    assert got.SubscriptionIdentifier == [2]
    sub.disconnect()
    pub.publish(kept, "", 1, retain=True)
    pub.disconnect()


def session_expiry(stage):
    def again(present, **options):
        peer = stage.connect("sub", clean=False, **options)
        assert peer.session_present == present
        return peer

    again(False, SessionExpiryInterval=3600).disconnect()
    again(True, SessionExpiryInterval=1).disconnect()
    time.sleep(2.5)
    again(False).disconnect()
    again(False, SessionExpiryInterval=3600).disconnect(
        SessionExpiryInterval=0)
    again(False, SessionExpiryInterval=1).disconnect(
        SessionExpiryInterval=3600)
    time.sleep(2.5)
    again(True).disconnect()
    again(False).disconnect()


def will_delay(stage):
    delay = 2 + stage.target.timeout // 80
    watch = stage.connect("watch")
    topic = stage.topic("will")
    watch.subscribe(topic, 1)
    will = (topic, "gone", 1, False,
            properties("WILLMESSAGE", WillDelayInterval=delay,
                       ContentType="text/plain", UserProperty=("a", "1")))
    stage.resume("dying", will=will).cut()
    back = stage.resume("dying")
    assert back.session_present
    time.sleep(delay + 2)
    watch.publish(topic, "marker", 1)
    watch.expect(topic, "marker", 1)
    back.disconnect()

    peer = stage.resume("dying", will=will)
    start = time.monotonic()
    peer.cut()
    got = watch.expect(topic, "gone", 1)
    assert time.monotonic() - start >= delay - 1, "too early"
    assert got.ContentType == "text/plain"
    assert got.UserProperty == [("a", "1")]
    watch.disconnect()
    stage.connect("dying").disconnect()


def shared(stage):
    pub = stage.connect("pub")
    topic, end = stage.topic("work"), stage.topic("end")
    members = [stage.connect(f"member{i}") for i in range(3)]
    for member in members:
        member.subscribe(f"$share/group/{topic}", 1)
        member.subscribe(end, 1)
    pub.drain([pub.send(topic, f"{i}", 1) for i in range(300)])
    pub.publish(end, "end", 1)
    everything = []
    for member in members:
        got = []
        while True:
            message = member.next()
            if message.topic == end:
                break
            got.append(int(message.payload))
        assert got == sorted(got)
        assert len(got) >= 30, f"one member has {len(got)}"
        everything += got
        member.disconnect()
    assert sorted(everything) == list(range(300))
    pub.disconnect()


def take_over(stage):
    old = stage.connect("same")
    new = stage.connect("same")
    old.lost()
    assert old.goodbye.value == 142, old.goodbye
    new.disconnect()


def mixed(stage):
    """Every version of this library and of mosquitto_pub publishes to every
    version of this library; properties reach those that know them."""
    versions = "3.1", "3.1.1", "5.0"
    topic = stage.topic("t")
    subs = {version: stage.connect(f"sub{version}", version=version)
            for version in versions}
    for sub in subs.values():
        assert sub.subscribe(topic, 2) == 2

    def expect(text, qos, user):
        for version, sub in subs.items():
            got = sub.expect(topic, text, qos)
            if version == "5.0":
                assert getattr(got, "UserProperty", []) == user

    for version in versions:
        pub = stage.connect(f"pub{version}", version=version)
        values = {"UserProperty": ("a", "1")} if version == "5.0" else {}
        for qos in range(3):
            text = f"Paho {version} {qos}"
            pub.publish(topic, text, qos, **values)
            expect(text, qos, [("a", "1")] if values else [])
        pub.disconnect()
        dialect = version[:1] if values else version.replace(".", "")
        extra = ["-D", "publish", "user-property", "b", "2"] if values else []
        for qos in range(3):
            text = f"mosquitto {version} {qos}"
            subprocess.run(
                ["mosquitto_pub", "-h", stage.target.host,
                 "-p", f"{stage.target.port}", "-V", f"mqttv{dialect}",
                 "-q", f"{qos}", "-t", topic, "-m", text, *extra],
                check=True, timeout=stage.target.timeout)
            expect(text, qos, [("b", "2")] if values else [])
    for sub in subs.values():
        sub.disconnect()


def mixed_session(stage):
    """A session goes from version to version, with all that waits in it."""
    pub = stage.connect("pub")
    topic = stage.topic("t")
    peer = stage.connect("sub", version="3.1.1", clean=False)
    peer.subscribe(topic, 1)
    peer.disconnect()
    pub.publish(topic, "one", 1, ContentType="text/plain")
    peer = stage.resume("sub")
    assert peer.session_present
    assert peer.expect(topic, "one", 1).ContentType == "text/plain"
    peer.disconnect()
    pub.publish(topic, "two", 1, ContentType="text/plain")
    peer = stage.connect("sub", version="3.1", clean=False)
    peer.expect(topic, "two", 1)
    peer.disconnect()
    pub.disconnect()
    stage.connect("sub").disconnect()


SCENARIOS = [
    ("properties of messages, user properties in order", all_properties),
    ("no local, retain options, identifiers", subscription_options),
    ("session expiry, also changed at disconnect", session_expiry),
    ("will delay: published after it, not after reconnect", will_delay),
    ("shared subscription: each message once", shared),
    ("reason code of a take-over", take_over),
    ("clients of 3.1, 3.1.1 and 5.0, and mosquitto_pub", mixed),
    ("a session that changes its version", mixed_session),
]
