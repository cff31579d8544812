# SPDX-License-Identifier: GPL-2.0
"""Access rules: one table, and some stories, for Mosquitto and for kmqtt.

Both read the same configuration file, with the same password_file and acl_file,
and every point has to hold for both. `acl.py [mosquitto] [kmqtt]`.
"""

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selftest import check, ctl, finish, mqtt, point, run, same, stats, wait_for

from client import Client

USERS = ("alice", "bob", "carol", "a+b", "a#b", "x/y", "$dollar", "observer", "writer", "probe")
DENIED, NOBODY = 0x87, 0x10

# Two who may do what the tests need, whatever the rules of a test say, and one
# who may publish to a topic that tells which rules these are.
OTHERS = """
user observer
topic read #
topic read $SYS/#
topic read $share/#
topic read $other/#
topic read $dollar/#
user writer
topic write #
topic write $other/#
topic write $dollar/#
user probe
topic write rules/{}
"""


class Broker:
    """What both have in common: a directory with the files they read."""

    name = None
    port = None

    def __init__(self, directory):
        self.dir = Path(directory)
        self.dir.chmod(0o755)
        self.rules = 0
        self.passwords = self.dir / "passwords"
        self.acl = self.dir / "rules"
        self.conf = self.dir / "conf"
        self.passwords.touch()
        for user in USERS:
            run("mosquitto_passwd", "-b", str(self.passwords), user, f"of {user}")
        self.passwords.chmod(0o644)
        self.acl.touch(0o644)

    def write(self, rules):
        """The files; no acl_file if there are no rules."""
        self.rules += 1
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true",
                 f"password_file {self.passwords}", "user root", "check_retain_source true"]
        if rules is not None:
            self.acl.write_text(rules + OTHERS.format(self.rules))
            lines.append(f"acl_file {self.acl}")
        self.conf.write_text("\n".join(lines) + "\n")

    def client(self, user, client_id, level=5, **args):
        if user:
            args.update(username=user, password=f"of {user}")
        client = Client("127.0.0.1", self.port, level=level)
        client.send_connect(client_id, **args)
        same(client.expect(mqtt.Connack).code, 0, f"CONNACK for {user}")
        return client


class Mosquitto(Broker):
    name = "mosquitto"
    port = 1884
    process = None

    def start(self, rules):
        self.stop()
        self.write(rules)
        self.process = subprocess.Popen(["mosquitto", "-c", str(self.conf)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, "Mosquitto to listen")

    def listens(self):
        check(self.process.poll() is None, "Mosquitto has ended")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            return True
        return False

    def change(self, rules):
        """Other rules. It reads them when it gets to that."""
        self.write(rules)
        self.process.send_signal(signal.SIGHUP)
        probe = self.client("probe", "probe")
        wait_for(lambda: write(probe, f"rules/{self.rules}") != DENIED, "Mosquitto to have read")
        probe.disconnect()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)


class Kmqtt(Broker):
    name = "kmqtt"
    port = 1883

    def start(self, rules):
        self.change(rules)

    def change(self, rules):
        """Other rules, which are in force when the tool comes back."""
        self.write(rules)
        ctl("load", str(self.conf))

    def stop(self):
        pass


# ------------------------------------------------------------- small steps

def write(client, topic, payload=b"x", **args):
    """Publish with QoS 1; the reason code of PUBACK."""
    id = client.next_id()
    client.send(mqtt.publish(topic, payload, 1, id, level=client.level, **args))
    got = client.wait(mqtt.Puback)
    same(got.id, id, "acknowledged identifier")
    return got.code


def messages(client):
    """All messages that the broker has for the client, acknowledged."""
    every = []
    while True:
        # What was queued before the first PINGREQ leaves with its answer at the latest.
        client.ping()
        client.ping()
        got = [p for p in client.inbox if isinstance(p, mqtt.Publish)]
        client.inbox.clear()
        if not got:
            return every
        # Others may wait until these are acknowledged.
        for message in got:
            client.acknowledge(message)
        every += got


def got(client):
    return [(m.topic, m.payload) for m in messages(client)]


def topics(client):
    return [m.topic for m in messages(client)]


@contextlib.contextmanager
def clients(broker, *who, **args):
    """One client for each pair of user and identifier."""
    all_of_them = [broker.client(user, client_id, **args) for user, client_id in who]
    try:
        yield all_of_them if len(all_of_them) > 1 else all_of_them[0]
    finally:
        for client in all_of_them:
            if not client.closed:
                client.disconnect()


@contextlib.contextmanager
def watch(broker, *filters):
    """Somebody who sees all that gets published."""
    with clients(broker, ("observer", "observer")) as observer:
        yield observer.subscribe(*filters, qos=1)


def forget_retained(broker, *names):
    with clients(broker, ("writer", "writer")) as writer:
        for name in names:
            writer.publish(name, b"", 1, retain=True)


# ------------------------------------------------------------------- table

# Rules; then user, client identifier, topic, and what is allowed: "r", "w",
# "rw" or "".
TABLE = {
    "no rule for anybody": ("", [
        (None, "c", "a", ""),
        ("alice", "c", "a", ""),
    ]),
    "clients without a user name": ("topic a\ntopic read b\ntopic write c\n", [
        (None, "c", "a", "rw"),
        (None, "c", "b", "r"),
        (None, "c", "c", "w"),
        (None, "c", "d", ""),
        (None, "c", "a/b", ""),
        ("alice", "c", "a", ""),
    ]),
    "users": ("""
user alice
topic read a/+
topic write a/b/#
user bob
topic readwrite a/b
user alice
topic c
""", [
        ("alice", "c", "a/b", "rw"),
        ("alice", "c", "a/c", "r"),
        ("alice", "c", "a/b/c", "w"),
        ("alice", "c", "a", ""),
        ("alice", "c", "c", "rw"),
        ("bob", "c", "a/b", "rw"),
        ("bob", "c", "a/c", ""),
        ("bob", "c", "c", ""),
        ("carol", "c", "a/b", ""),
        (None, "c", "a/b", ""),
    ]),
    "levels": ("topic read a/#\ntopic read +/x\ntopic read /+\ntopic read e/+/f\n", [
        (None, "c", "a", "r"),
        (None, "c", "a/", "r"),
        (None, "c", "a/b/c", "r"),
        (None, "c", "ab", ""),
        (None, "c", "b/x", "r"),
        (None, "c", "/x", "r"),
        (None, "c", "/", "r"),
        (None, "c", "//", ""),
        (None, "c", "b/x/", ""),
        (None, "c", "e//f", "r"),
        (None, "c", "e/f", ""),
    ]),
    "what is denied counts first": ("""
user alice
topic #
topic deny a/b
topic read a/b
user bob
topic deny a/#
topic a/b
user carol
topic deny a
""", [
        ("alice", "c", "a/b", ""),
        ("alice", "c", "a", "rw"),
        ("bob", "c", "a/b", ""),
        ("bob", "c", "a", ""),
        ("carol", "c", "a", ""),
        ("carol", "c", "b", ""),
    ]),
    "patterns": ("""
pattern read u/%u
pattern write c/%c
pattern both/%u/%c/#
pattern in-%u-and-%c-a-level
pattern read plain
pattern 100%/%%u/%
""", [
        ("alice", "one", "u/alice", "r"),
        ("alice", "one", "u/bob", ""),
        ("alice", "one", "c/one", "w"),
        ("alice", "one", "c/alice", ""),
        ("alice", "one", "both/alice/one", "rw"),
        ("alice", "one", "both/alice/one/more", "rw"),
        ("alice", "one", "both/one/alice", ""),
        ("alice", "one", "in-alice-and-one-a-level", "rw"),
        ("alice", "one", "plain", "r"),
        ("alice", "one", "100%/%alice/%", "rw"),
        (None, "one", "u/", ""),
        (None, "one", "c/one", "w"),
        (None, "one", "both//one", ""),
        (None, "one", "plain", "r"),
        ("x/y", "one", "u/x/y", "r"),
        ("x/y", "p/q", "both/x/y/p/q/z", "rw"),
    ]),
    "a user's rules count before patterns": ("""
pattern deny both/%u
pattern all/%u
user alice
topic read both/alice
topic deny all/alice
""", [
        ("alice", "c", "both/alice", "r"),
        ("alice", "c", "all/alice", ""),
        ("bob", "c", "both/bob", ""),
        ("bob", "c", "all/bob", "rw"),
    ]),
    "a pattern goes on where rules say nothing": ("""
pattern write a
user alice
topic read a
""", [
        ("alice", "c", "a", "rw"),
        ("bob", "c", "a", "w"),
    ]),
    "denied by a pattern": ("pattern #\npattern deny %u/%c\n", [
        ("alice", "c", "alice/c", ""),
        ("alice", "c", "alice/d", "rw"),
        (None, "c", "/c", "rw"),
    ]),
    "%u and %c where there is no pattern": ("user alice\ntopic %u/%c\n", [
        ("alice", "c", "alice/c", ""),
        ("alice", "c", "%u/%c", "rw"),
    ]),
    "+ and # in names, with patterns": ("""
pattern #
user a+b
topic read own
user x/y
topic read nothing
""", [
        ("a+b", "c", "any", ""),
        ("a+b", "c", "own", "r"),
        ("a#b", "c", "any", ""),
        ("alice", "c+", "any", ""),
        ("alice", "#", "any", ""),
        (None, "+", "any", ""),
        ("alice", "c", "any", "rw"),
        ("x/y", "c/+", "nothing", "r"),
    ]),
    "+ and # in names, without patterns": ("user a+b\ntopic a\nuser a#b\ntopic a\ntopic b\n", [
        ("a+b", "c", "a", "rw"),
        ("a#b", "+/#", "b", "rw"),
    ]),
    "$ and rules": ("""
topic #
topic +/a
user alice
topic $other/#
user bob
topic #
topic deny #
topic $other/a
""", [
        (None, "c", "$other/a", ""),
        (None, "c", "a/a", "rw"),
        ("alice", "c", "$other/a", "rw"),
        ("alice", "c", "other/a", ""),
        ("bob", "c", "$other/a", "rw"),
        ("bob", "c", "a", ""),
    ]),
    "$ and patterns": ("pattern #\npattern $other/%u/#\npattern read %u/x\n", [
        ("alice", "c", "$other/alice/a", "rw"),
        ("alice", "c", "$other/bob/a", ""),
        ("$dollar", "c", "$dollar/x", "r"),
        ("$dollar", "c", "dollar/x", "rw"),
    ]),
    "what belongs to brokers": ("topic $SYS/#\ntopic write $share/#\ntopic $SYSTEM\ntopic $shared\n", [
        (None, "c", "$SYS/test", "-"),
        (None, "c", "$SYS/broker/connection/test/state", "w"),
        (None, "c", "$SYS/broker/connection/test/states", "-"),
        (None, "c", "$SYSTEM", "-"),
        (None, "c", "$shared", "-"),
        (None, "c", "$share/g/a", "-"),
    ]),
}


def can_write(broker, user, client_id, topic):
    with watch(broker, "#", "$SYS/test/#", "$other/#", "$dollar/#") as observer, \
            clients(broker, (user, client_id)) as client:
        code = write(client, topic, b"written")
        seen = (topic, b"written") in got(observer)
        if not topic.startswith(("$SYS", "$share")):
            same(seen, code != DENIED, f"{topic} was seen, and acknowledged with {code:#x}")
        # Who speaks 3.1.1 isn't told, but it is the same.
        client.disconnect()
        with clients(broker, (user, client_id), level=4) as old:
            write(old, topic, b"old")
            same((topic, b"old") in got(observer), seen, f"{topic} was seen, from 3.1.1")
        return code != DENIED


def can_read(broker, user, client_id, topic):
    with clients(broker, ("writer", "writer"), (user, client_id)) as (writer, client):
        # Every subscription is granted.
        client.subscribe(topic)
        # There is somebody, whether it may read or not.
        same(write(writer, topic, b"read"), 0, "PUBACK")
        return got(client) == [(topic, b"read")]


def table(broker):
    for name, (rules, rows) in TABLE.items():
        with point(f"{broker.name}: {name}"):
            broker.change(rules)
            for user, client_id, topic, want in rows:
                is_own = want in ("w", "-") and topic[0] == "$"
                can = "" if is_own or not can_read(broker, user, client_id, topic) else "r"
                can += "w" if can_write(broker, user, client_id, topic) else ""
                same(can, want.strip("-"), f"{user} as {client_id} with {topic}")


# ----------------------------------------------------------------- stories

ALICE = "user alice\ntopic read r/#\ntopic write w/#\n"
BOTH = "user alice\ntopic a/#\nuser bob\ntopic b/#\n"


def story(text):
    """Make a function a point for each broker."""
    def keep(function):
        STORIES.append((text, function))
        return function
    return keep


STORIES = []


@story("what publishers are told, with each QoS and version")
def answers(broker):
    broker.change(ALICE)
    with watch(broker, "#") as observer:
        for level in (4, 5):
            with clients(broker, ("alice", "c"), level=level) as client:
                code = DENIED if level == 5 else 0
                for qos in (0, 1, 2):
                    client.send(mqtt.publish("no", b"x", qos, 7 if qos else None, level=level))
                    if qos == 1:
                        same(client.wait(mqtt.Puback), mqtt.Puback(7, code), "PUBACK")
                    if qos == 2:
                        same(client.wait(mqtt.Pubrec), mqtt.Pubrec(7, code), "PUBREC")
                    if qos == 2 and level == 4:
                        client.send(mqtt.ack(mqtt.PUBREL, 7))
                        client.wait(mqtt.Pubcomp(7))
                client.ping()
                same(got(observer), [], "seen")
                # The identifiers are free, and the connection is as before.
                for qos in (0, 1, 2):
                    client.publish("w/x", bytes([qos]), qos, id=7 if qos else None)
                same([payload for _, payload in got(observer)], [b"\0", b"\1", b"\2"], "seen")


@story("many in a row")
def burst(broker):
    broker.change(ALICE)
    with watch(broker, "#") as observer, clients(broker, ("alice", "c")) as client:
        for topic, code in (("no", DENIED), ("w/x", 0), ("no", DENIED)):
            for qos in (0, 1):
                client.send(*(mqtt.publish(topic, bytes([i]), qos, i if qos else None, level=5)
                              for i in range(1, 51)))
                if qos:
                    same([client.wait(mqtt.Puback) for _ in range(50)],
                         [mqtt.Puback(i, code) for i in range(1, 51)], "acknowledgments")
                client.ping()
        same(got(observer), 2 * [("w/x", bytes([i])) for i in range(1, 51)], "seen")


@story("topic aliases")
def aliases(broker):
    broker.change(ALICE)
    with watch(broker, "#") as observer, clients(broker, ("alice", "c")) as client:
        for alias, topic, code in ((1, "no", DENIED), (2, "w/x", 0)):
            same(write(client, topic, props={"topic_alias": alias}), code, "with topic")
            same(write(client, "", props={"topic_alias": alias}), code, "with alias alone")
        same(topics(observer), ["w/x", "w/x"], "seen")


@story("subscribers get what they may, whatever they subscribed to")
def filters(broker):
    broker.change("user alice\ntopic read a/#\ntopic deny a/secret\n")
    with clients(broker, ("writer", "writer"), ("alice", "c")) as (writer, client):
        client.subscribe("#", "a/+", "a/secret", qos=2)
        for topic in ("a/b", "a/secret", "b"):
            for qos in (0, 1, 2):
                writer.publish(topic, b"x", qos)
        same(set(topics(client)), {"a/b"}, "received")


@story("retained messages")
def retained(broker):
    broker.change("user alice\ntopic read a/1\ntopic read a/4\ntopic write w\n")
    with clients(broker, ("writer", "writer"), ("alice", "c")) as (writer, client):
        for i in range(5):
            writer.publish(f"a/{i}", b"x", 1, retain=True)
        client.subscribe("a/#", "a/2", qos=1)
        same(sorted(topics(client)), ["a/1", "a/4"], "received")
        # Neither replaced nor deleted by who may not.
        for payload in (b"other", b""):
            same(write(client, "a/1", payload, retain=True), DENIED, "PUBACK")
        with watch(broker, "a/1") as observer:
            same(got(observer), [("a/1", b"x")], "retained")
        same(write(client, "w", retain=True), NOBODY, "PUBACK")
    forget_retained(broker, "w", *(f"a/{i}" for i in range(5)))


AUTHORS = """
topic w/nobody
user alice
topic read #
topic w/alice
topic w/will
user bob
topic read #
pattern write w/%c
"""


def retained_for(broker, user="bob"):
    with clients(broker, (user, "reader")) as client:
        client.subscribe("w/#", qos=1)
        return {topic.removeprefix("w/") for topic in topics(client)}


@story("retained messages of those who may no longer publish them")
def authors(broker):
    every = {"nobody", "alice", "will", "c"}
    broker.change(AUTHORS)
    with clients(broker, (None, "n"), ("alice", "a"), ("bob", "c")) as (nobody, alice, bob):
        for client, topic in ((nobody, "nobody"), (alice, "alice"), (bob, "c")):
            same(write(client, f"w/{topic}", retain=True), NOBODY, f"PUBACK for {topic}")
        broker.client("alice", "d", will=mqtt.Will("w/will", b"x", 1, True)).reset()
        settle()
        same(retained_for(broker), every, "retained")
        # Connected or not.
        for lost, lines in (("nobody", "topic w/nobody"), ("alice", "topic w/alice"),
                            ("will", "topic w/will"), ("c", "pattern write w/%c")):
            broker.change(AUTHORS.replace(lines, ""))
            same(retained_for(broker), every - {lost}, f"retained without {lost}")
            # Its author or not.
            same(retained_for(broker, "alice"), every - {lost}, f"retained for alice, {lost}")
    broker.change(AUTHORS.replace("topic w/alice", "topic read w/alice"))
    same(retained_for(broker), every - {"alice"}, "retained, with connections gone")
    broker.change(AUTHORS)
    same(retained_for(broker), every, "retained in the end")
    # Another one's word for it.
    with clients(broker, ("writer", "writer")) as writer:
        writer.publish("w/alice", b"x", 1, retain=True)
        broker.change(AUTHORS.replace("topic w/alice", ""))
        same(retained_for(broker), every, "retained by another")
    forget_retained(broker, *(f"w/{topic}" for topic in every))


@story("wills")
def wills(broker):
    broker.change(ALICE)
    for level in (4, 5):
        for topic, want in (("w/x", [("w/x", b"will")]), ("no", [])):
            with watch(broker, "#") as observer:
                will = mqtt.Will(topic, b"will", 1, True)
                client = broker.client("alice", "c", level, will=will)
                client.reset()
                settle()
                same(got(observer), want, "seen")
            with watch(broker, "#") as observer:
                same(got(observer), want, "retained")
            forget_retained(broker, topic)


def settle():
    """What follows from a connection that is gone has happened, though nobody can be asked."""
    time.sleep(0.5)


@story("a will is checked when it is published")
def wills_later(broker):
    for rules, want in (("user alice\ntopic read w/x\n", []), (ALICE, [("w/x", b"will")])):
        broker.change(ALICE if not want else "")
        with watch(broker, "w/x") as observer:
            client = broker.client("alice", "c", will=mqtt.Will("w/x", b"will"))
            broker.change(rules)
            client.reset()
            settle()
            same(got(observer), want, "seen")


@story("the will of a client that is taken over is its own")
def wills_of_others(broker):
    broker.change(BOTH)
    for topic, want in (("a/x", ["a/x"]), ("b/x", [])):
        with watch(broker, "#") as observer:
            first = broker.client("alice", "c", will=mqtt.Will(topic, b"will"))
            with clients(broker, ("bob", "c")):
                settle()
                same(topics(observer), want, "seen")
            first.close()


@story("a session without a connection")
def offline(broker):
    broker.change(BOTH)
    client = broker.client("alice", "c", 4, clean=False)
    client.subscribe("#", qos=1)
    client.disconnect()
    with clients(broker, ("writer", "writer")) as writer:
        for topic in ("a/x", "b/x"):
            same(write(writer, topic), 0, "PUBACK")
    client = broker.client("alice", "c", 4, clean=False)
    same(topics(client), ["a/x"], "received")
    client.disconnect()
    # Other rules, and it isn't even there.
    broker.change("user alice\ntopic b/#\n")
    with clients(broker, ("writer", "writer")) as writer:
        for topic in ("a/y", "b/y"):
            write(writer, topic)
    client = broker.client("alice", "c", 4, clean=False)
    same(topics(client), ["b/y"], "received")
    client.disconnect()
    broker.client("alice", "c", 4).disconnect()


@story("what is queued is checked again when a client comes back")
def queued(broker):
    broker.change(BOTH)
    client = broker.client("alice", "c", 4, clean=False)
    client.subscribe("#", qos=1)
    client.disconnect()
    with clients(broker, ("writer", "writer")) as writer:
        for topic in ("a/x", "a/b", "a/y"):
            write(writer, topic)
    broker.change("user alice\ntopic a/b\n")
    client = broker.client("alice", "c", 4, clean=False)
    same(topics(client), ["a/b"], "received")
    client.disconnect()
    broker.client("alice", "c", 4).disconnect()


@story("another user comes with the same client identifier")
def another(broker):
    broker.change(BOTH + "topic read a/both\n")
    client = broker.client("alice", "c", 4, clean=False)
    client.subscribe("#", qos=1)
    client.disconnect()
    with clients(broker, ("writer", "writer")) as writer:
        for topic in ("a/x", "a/both", "b/x"):
            write(writer, topic)
        client = broker.client("bob", "c", 4, clean=False)
        same(topics(client), ["a/both"], "received")
        for topic in ("a/x", "b/x"):
            write(writer, topic)
        same(topics(client), ["b/x"], "received")
        client.disconnect()
        for topic in ("a/y", "b/y"):
            write(writer, topic)
        # Nobody at all.
        client = broker.client(None, "c", 4, clean=False)
        same(topics(client), [], "received")
        write(writer, "b/z")
        same(topics(client), [], "received")
        client.disconnect()
    broker.client("alice", "c", 4).disconnect()


@story("other rules hold at once, for those who are connected")
def at_once(broker):
    broker.change("")
    with clients(broker, ("writer", "writer"), ("alice", "c")) as (writer, client):
        client.subscribe("a/#", "#")
        for rules, can_read_it, can_write_it in (
                ("user alice\ntopic read a/x\n", True, False),
                ("user alice\ntopic write a/x\n", False, True),
                ("user alice\ntopic a/#\ntopic deny a/x\n", False, False),
                ("pattern a/x\n", True, True),
                ("", False, False)):
            broker.change(rules)
            for _ in range(3):
                write(writer, "a/x", b"read")
                same(("a/x", b"read") in got(client), can_read_it, f"read with {rules!r}")
                same(write(client, "a/x") != DENIED, can_write_it, f"written with {rules!r}")
                messages(client)


@story("members of groups")
def shared(broker):
    broker.change("user alice\ntopic read a/#\n")
    with clients(broker, ("writer", "writer"), ("alice", "1"), ("alice", "2"),
                 ("bob", "3")) as (writer, one, two, three):
        one.subscribe("$share/g/#")
        two.subscribe("$share/g/#")
        three.subscribe("$share/h/#")
        for topic in 4 * ["a/x"] + 4 * ["b/x"]:
            same(write(writer, topic), 0, "PUBACK")
        same((len(topics(one)), len(topics(two)), topics(three)), (2, 2, []), "received")


@story("no acl_file")
def without(broker):
    broker.start(None)
    for user in (None, "alice"):
        for topic in ("a", "$other/a"):
            check(can_read(broker, user, "c", topic), f"{user} may not read {topic}")
            check(can_write(broker, user, "c", topic), f"{user} may not write {topic}")
        for topic in ("$SYS/test", "$share/a/b"):
            check(not can_write(broker, user, "c", topic), f"{user} may write {topic}")


# ---------------------------------------------------- what only kmqtt has

def load_lines(broker, lines):
    broker.conf.write_text("\n".join(lines) + "\n")
    ctl("load", str(broker.conf))


def own(broker):
    with point("kmqtt: members of a group who may not read are passed over"):
        broker.change("user alice\ntopic read a/#\n")
        with clients(broker, ("writer", "writer"), ("alice", "1"), ("bob", "2"),
                     ("bob", "3")) as (writer, one, two, three):
            for client in (one, two, three):
                client.subscribe("$share/g/#", qos=1)
            for _ in range(9):
                write(writer, "a/x")
            same((len(topics(one)), topics(two), topics(three)), (9, [], []), "received")

    with point("kmqtt: what is denied is counted"):
        broker.change("user alice\ntopic read a\ntopic write b\n")
        before = stats()
        with clients(broker, ("writer", "writer"), ("alice", "c")) as (writer, client):
            client.subscribe("#")
            for topic in ("a", "b", "b"):
                write(writer, topic)
            for topic in ("a", "b"):
                write(client, topic)
        after = stats()
        for name, count in (("denied_publishes", 1), ("denied_deliveries", 3)):
            same(after[name] - before[name], count, name)

    with point("kmqtt: retained messages without a look at their authors"):
        broker.change(AUTHORS)
        with clients(broker, ("alice", "a")) as client:
            write(client, "w/alice", b"first", retain=True)
            # From the operator, who may do anything.
            ctl("pub", "w/nobody", "x", "retain")
            broker.change("user bob\ntopic read #\n")
            same(retained_for(broker), {"nobody"}, "retained")
            ctl("broker", "set", "check-retain-source", "off")
            same(retained_for(broker), {"alice", "nobody"}, "retained, nobody asked")
            broker.change(AUTHORS)
            # What is retained meanwhile has its author nevertheless.
            ctl("broker", "set", "check-retain-source", "off")
            write(client, "w/alice", b"second", retain=True)
            broker.change("user bob\ntopic read #\n")
            same(retained_for(broker), {"nobody"}, "retained, asked again")
        forget_retained(broker, "w/alice", "w/nobody")

    with point("kmqtt: retained messages from a listener that is gone with its rules"):
        listeners = ["per_listener_settings true", f"listener {broker.port} 127.0.0.1",
                     "allow_anonymous true", f"password_file {broker.passwords}"]
        others = [f"listener {broker.port + 2} 127.0.0.1", "allow_anonymous true",
                  f"listener {broker.port + 3} 127.0.0.1", "allow_anonymous true",
                  f"acl_file {broker.acl}"]
        broker.acl.write_text("topic w/#\n")
        load_lines(broker, listeners + others)
        for number, name in ((2, "without"), (3, "with")):
            client = Client("127.0.0.1", broker.port + number, level=5)
            client.send_connect(name)
            client.expect(mqtt.Connack)
            write(client, f"w/{name}", retain=True)
            client.disconnect()
        same(retained_for(broker), {"with", "without"}, "retained")
        load_lines(broker, listeners)
        same(retained_for(broker), {"without"}, "retained, listeners gone")
        load_lines(broker, [*listeners[:1], "check_retain_source false", *listeners[1:]])
        same(retained_for(broker), {"with", "without"}, "retained, nobody asked")
        broker.change(None)
        forget_retained(broker, "w/with", "w/without")


def main(names):
    for kind in (Mosquitto, Kmqtt):
        if kind.name not in names:
            continue
        with tempfile.TemporaryDirectory() as directory:
            broker = kind(directory)
            broker.start("")
            try:
                table(broker)
                if kind is Kmqtt:
                    own(broker)
                for text, function in STORIES:
                    with point(f"{broker.name}: {text}"):
                        function(broker)
            finally:
                broker.stop()
    finish()


main(sys.argv[1:] or ("mosquitto", "kmqtt"))
