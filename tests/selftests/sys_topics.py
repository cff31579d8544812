# SPDX-License-Identifier: GPL-2.0
"""Topics below $SYS: their names, their values, and when there are any."""

import contextlib
import re
import shutil
import subprocess
import tempfile
import time

from selftest import (
    PORT, TOP, Loop, Peer, broker_set, check, clean_up, client, ctl, ctl_json, finish, mqtt,
    note, point, run, run_with_loops, same, scaled, settings, stats, wait_for,
)

SYS = "$SYS/broker/"
THEIR_PORT = 1884
# What the one has that the other has not: there is no such topic.
ONLY_THEIRS = set()
ONLY_OURS = set()
FORMS = (
    ("version", r"(kmqtt|mosquitto) version \d+(\.\d+)+"),
    ("uptime", r"\d+ seconds"),
    ("load/.*", r"\d+\.\d\d"),
    (".*", r"\d+"),
)
# Values that say the same of the same scenario, whatever a broker is made of.
AGREED = (
    "bytes/received", "bytes/sent", "clients/active", "clients/connected", "clients/disconnected",
    "clients/expired", "clients/inactive", "clients/maximum", "clients/total",
    "messages/received", "messages/sent", "messages/stored", "publish/bytes/received",
    "publish/bytes/sent", "publish/messages/dropped", "publish/messages/sent",
    "retained messages/count", "shared_subscriptions/count", "store/messages/count",
    "subscriptions/count",
)


class Reader(Peer):
    """Keeps what $SYS topics have, and what was told since."""

    def __init__(self, loop, port=PORT, name="reader"):
        super().__init__(loop, ("127.0.0.1", port))
        self.kept, self.told = {}, []
        # In one piece, so that nothing happens between the two.
        self.send(mqtt.connect(name) + mqtt.subscribe(self.id(), (f"{SYS}#", 0)))

    def on_message(self, topic, payload, qos, flags):
        topic = topic.removeprefix(SYS)
        if flags & 1:
            self.kept[topic] = payload.decode()
        else:
            self.told.append((topic, payload.decode()))

    def value(self, name):
        """The newest one."""
        return dict([*self.kept.items(), *self.told]).get(name)


def read_all(loop, port=PORT):
    """What a new client is told, if there is no update just now."""
    # Ours answers PINGREQ before it has sent all that is retained.
    count = len(values()) if port == PORT else 0
    reader = Reader(loop, port)
    reader.wait_ping()
    loop.until(lambda: len(reader.kept) >= count, f"{count} topics")
    kept = dict(reader.kept)
    reader.disconnect()
    reader.wait_closed()
    return kept


def values(netns=None):
    """What the topics have, as an operator sees it."""
    return {each["topic"].removeprefix(SYS): each["payload"] for each in
            ctl_json("retained", "get", f"{SYS}#", "payload-max", "1K", netns=netns)}


def update_now():
    """Until the topics have what is so now; then they keep it."""
    broker_set("sys-interval", 3600)


@contextlib.contextmanager
def mosquitto(*lines):
    """Debian's, next to us."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
    check(program, "mosquitto is not installed: run tests/vm/deps")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write("\n".join([f"listener {THEIR_PORT} 127.0.0.1", "allow_anonymous true",
                              "user root", "sys_interval 1", *lines, ""]))
        conf.flush()
        with subprocess.Popen([program, "-c", conf.name], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as child:
            try:
                yield child
            finally:
                child.kill()


def reaches(port):
    loop = Loop()
    peer = Peer(loop, ("127.0.0.1", port))
    loop.turn()
    closed = peer.closed
    loop.close()
    return not closed


def their_topics(loop):
    """All that Mosquitto has told, which takes it some seconds to begin with."""
    reader = Reader(loop, THEIR_PORT)
    loop.until(lambda: len(reader.told) > 40 and reader.value("bytes/sent"), "topics of Mosquitto")
    # It is not there before there was a value to be more than.
    loop.until(lambda: reader.value("heap/maximum"), "the last of them")
    return {**reader.kept, **dict(reader.told)}


def test_names(loop):
    """The topics are Mosquitto's, and their values look alike."""
    broker_set("sys-interval", 1)
    with mosquitto():
        wait_for(lambda: reaches(THEIR_PORT), "Mosquitto to begin")
        theirs = their_topics(loop)
    update_now()
    ours = read_all(loop)
    same(set(theirs) - set(ours), ONLY_THEIRS, "topics of Mosquitto's alone")
    same(set(ours) - set(theirs), ONLY_OURS, "topics of ours alone")
    for topics in (theirs, ours):
        for name, value in topics.items():
            form = next(form for names, form in FORMS if re.fullmatch(names, name))
            check(re.fullmatch(form, value), f"{name} is {value!r}")
    note(f"{len(ours)} topics")


def documented():
    """Names in the table of Documentation/monitoring.rst."""
    with open(f"{TOP}/Documentation/monitoring.rst") as file:
        text = file.read().partition("Topics below $SYS")[2].partition("\nPrometheus\n")[0]
    names = set()
    for name in re.findall(r"^``([a-z_ /+]+)``", text, re.M):
        names |= {name.replace("+", f"{n}min") for n in (1, 5, 15)} if "+" in name else {name}
    return names


def test_documented(loop):
    update_now()
    same(set(read_all(loop)) ^ documented(), set(), "topics told and topics documented")


def scenario(loop, port):
    """Some clients do a bit of everything. Those that are left stay connected."""
    where = {"peer_args": {"address": ("127.0.0.1", port)}}
    sub = client(loop, "sub", "a/#", "b/+", qos=1, **where)
    shared = client(loop, "shared", qos=1, **where)
    same(shared.wait_subscribe("$share/group/s/#"), [0], "return codes of a shared subscription")
    away = client(loop, "away", "b/#", qos=1, clean=False, **where)
    away.disconnect()
    away.wait_closed()
    gone = client(loop, "gone", "c", **where)
    gone.disconnect()
    gone.wait_closed()
    pub = client(loop, "pub", **where)
    for qos, count in ((0, 5), (1, 3), (2, 2)):
        for number in range(count):
            pub.wait_publish(f"a/{qos}", b"x" * (number + 1), qos)
    pub.wait_publish("kept/1", b"12345", 1, retain=True)
    pub.wait_publish("kept/2", b"123", 0, retain=True)
    # One after the other, so that who is online gets each of them at once.
    for number in range(8):
        pub.wait_publish("b/queued", b"queued", 1)
        loop.until(lambda n=number: len(sub.messages) > 10 + n, "a message")
    sub.wait_ping()
    same(len(sub.messages), 18, "messages")
    return sub, shared, pub


def test_agreed(loop):
    """The same scenario leaves the same values, of brokers that have done nothing before."""
    with settings(max_queued_messages=5), mosquitto("max_queued_messages 5"):
        wait_for(lambda: reaches(THEIR_PORT), "Mosquitto to begin")
        scenario(loop, THEIR_PORT)
        scenario(loop, PORT)
        # Twice: the topics themselves count from the second time on.
        broker_set("sys-interval", 3601)
        update_now()
        # Theirs comes every other second, but whoever looks is counted.
        time.sleep(scaled(6, 10))
        ours, theirs = read_all(loop), read_all(loop, THEIR_PORT)
    same({name: ours[name] for name in AGREED}, {name: theirs[name] for name in AGREED},
         "values of the same scenario")
    # Mosquitto 2.0 doesn't look for messages with QoS 2, and for those to be retained.
    name = "publish/messages/received"
    same((int(ours[name]), int(theirs[name])), (20, 20 - 2 - 2), name)


def test_wildcards(loop):
    """$SYS is none of the first levels that wildcards stand for."""
    broker_set("sys-interval", 1)
    late = client(loop, "late", "#", "+/broker/#", qos=2)
    reader = Reader(loop)
    loop.until(lambda: reader.value("uptime") and reader.told, "an update")
    late.wait_ping()
    same(late.messages, [], "messages for wildcards")


def test_updates(loop):
    """An update has what has changed, not retained, and with QoS 2."""
    broker_set("sys-interval", 1)
    reader = client(loop, "two", f"{SYS}#", qos=2)
    loop.until(lambda: [m for m in reader.messages if m[0] == f"{SYS}uptime"][3:],
               "four values of uptime")
    kept = [m for m in reader.messages if m[3] & 1]
    told = [m for m in reader.messages if not m[3] & 1]
    same(len({m[0] for m in kept}), len(kept), "topics kept, each of which was told once")
    same({m[2] for m in reader.messages}, {2}, "their QoS")
    names = [topic for topic, *_ in told]
    for name in ("version", "clients/total", "subscriptions/count", "publish/messages/dropped"):
        check(names.count(SYS + name) <= 1, f"{name} is told again though it is the same")
    newest = {}
    for topic, payload, *_ in reader.messages:
        check(newest.get(topic) != payload, f"{topic} is told again though it is {payload}")
        newest[topic] = payload
    ups = [int(m[1].split()[0]) for m in told if m[0] == f"{SYS}uptime"]
    check(ups == sorted(ups) and ups[-1] > ups[0], f"uptime: {ups}")
    late = client(loop, "three", f"{SYS}uptime", qos=1)
    loop.until(lambda: late.messages, "a value with less QoS")
    same(late.messages[0][2], 1, "its QoS")


def test_interval(loop):
    """Each change of the interval has its effect when the tool comes back."""
    broker_set("sys-interval", 0)
    same(stats()["retained"], 0, "retained messages without $SYS")
    same(stats()["memory"], 0, "memory without it")
    broker_set("sys-interval", 60000)
    retained = [each["topic"] for each in ctl_json("retained")]
    same({t.removeprefix(SYS) for t in retained}, documented(), "topics retained")
    peer = client(loop, "one")
    same(read_all(loop)["clients/connected"], "0", "clients of some time ago")
    broker_set("sys-interval", 65535)
    same(read_all(loop)["clients/connected"], "1", "clients of just now")
    peer.disconnect()
    peer.wait_closed()
    broker_set("sys-interval", 0)
    same(read_all(loop), {}, "topics without an interval")
    # What else is retained stays.
    peer = client(loop, "two")
    peer.wait_publish("kept", b"x", 1, retain=True)
    broker_set("sys-interval", 5)
    check(stats()["retained"] > 40, "topics again")
    broker_set("sys-interval", 0)
    same([each["topic"] for each in ctl_json("retained")], ["kept"], "retained messages")


def test_stats(loop):
    """The topics and kmqttctl stats say the same."""
    sub = client(loop, "sub", "t/#", qos=1)
    client(loop, "away", "x", "$share/g/x", clean=False).close()
    for number in range(20):
        sub.wait_publish(f"t/{number}", b"abc", 1)
    wait_for(lambda: stats()["clients"] == 1, "the one to be gone")
    update_now()
    now = stats()
    told = values()
    for name, value in {
            "clients/connected": now["clients"], "clients/disconnected": 1,
            "clients/total": now["sessions"], "bytes/received": now["bytes_received"],
            "bytes/sent": now["bytes_sent"], "messages/received": now["packets_received"],
            "messages/sent": now["packets_sent"],
            "publish/messages/received": sum(now[f"messages_received_qos{q}"] for q in (0, 1, 2)),
            "publish/messages/sent": sum(now[f"messages_sent_qos{q}"] for q in (0, 1, 2)),
            "publish/bytes/received": now["payload_received"],
            "publish/bytes/sent": now["payload_sent"],
            "subscriptions/count": now["subscriptions"] - 1, "shared_subscriptions/count": 1,
    }.items():
        same(told[name], str(value), name)
    # Of what the topics themselves take there was less when it was told.
    for name, value in {"retained messages/count": now["retained"],
                        "store/messages/count": now["messages"],
                        "store/messages/bytes": now["messages_bytes"],
                        "heap/current": now["memory"]}.items():
        check(int(told[name]) <= value, f"{name} is {told[name]}, more than {value}")
    check(int(told["heap/maximum"]) >= int(told["heap/current"]), "the most is less than now")


def test_expired(loop):
    """Sessions whose time is over are counted."""
    before = stats()["sessions_expired"]
    peer = Peer(loop)
    peer.level = 5
    peer.send(mqtt.connect("short", level=5, clean=False, props=b"\x11\0\0\0\1"))
    loop.until(lambda: peer.connack, "CONNACK")
    peer.close()
    wait_for(lambda: stats()["sessions_expired"] == before + 1, "the session to expire")
    update_now()
    same(read_all(loop)["clients/expired"], str(before + 1), "clients/expired")


def test_load(loop):
    """Moving averages are what their definition says, within what seconds let one know."""
    broker_set("sys-interval", 0)       # begins anew
    update_now()
    begin = time.monotonic()
    pub = client(loop, "pub")
    wait_for(lambda: "load/publish/received/15min" in read_all(loop), "loads to be told")
    same({read_all(loop)[f"load/publish/received/{n}min"] for n in (1, 5, 15)}, {"0.00"},
         "loads to begin with")
    for _ in range(600):
        pub.publish("nobody/there", b"x" * 100)
    pub.wait_ping()
    time.sleep(2)
    update_now()
    took = time.monotonic() - begin
    told = read_all(loop)
    for window in (1, 5, 15):
        value = float(told[f"load/publish/received/{window}min"])
        most, least = (600 * rate(max(seconds, 1), window * 60)
                       for seconds in (took - 1.5, took + 1.5))
        check(least - 0.01 <= value <= most + 0.01,
              f"{window} min: {value}, not {least:.2f} to {most:.2f} after {took:.1f} s")
    check(float(told["load/bytes/received/1min"]) > 100 * 500, "bytes")
    check(0 < float(told["load/connections/1min"]) < 10, "connections")


def rate(seconds, window):
    """What one event is after so many seconds, over a window of so many."""
    return 60 / seconds * (1 - 2.718281828459045 ** (-seconds / window))


def test_unused():
    """Nothing is done for a broker that nobody uses, and it ends like others."""
    run("ip", "netns", "add", "unused")
    run("ip", "-n", "unused", "link", "set", "lo", "up")

    def retained():
        return stats("unused")["retained"]

    def uptime():
        return values("unused")["uptime"]

    broker_set("sys-interval", 1, netns="unused")
    same(retained(), 0, "topics of a broker without a listener")
    ctl("listener", "add", "127.0.0.1:1883", netns="unused")
    wait_for(lambda: retained() > 40, "topics of one with a listener")
    was = uptime()
    wait_for(lambda: uptime() != was, "an update")
    ctl("listener", "del", "127.0.0.1:1883", netns="unused")
    # The one update that is due finds nobody; then there are none.
    time.sleep(1.5)
    was = uptime()
    time.sleep(2.5)
    same(uptime(), was, "uptime when nobody can come")
    ctl("listener", "add", "127.0.0.1:1883", netns="unused")
    wait_for(lambda: uptime() != was, "updates again")
    run("ip", "netns", "del", "unused")


def quiet():
    broker_set("sys-interval", 0)
    clean_up()


def main():
    tests = (
        # The first: it needs a broker that has done nothing before.
        ("values are Mosquitto's after the same scenario", test_agreed),
        ("names are Mosquitto's", test_names),
        ("all topics are documented, and no others", test_documented),
        ("the interval can be changed at any time", test_interval),
        ("an update tells what has changed", test_updates),
        ("wildcards don't stand for $SYS", test_wildcards),
        ("topics and statistics say the same", test_stats),
        ("expired sessions are counted", test_expired),
        ("loads are moving averages", test_load),
    )
    run_with_loops(tests, quiet)
    with point("a broker that is not used tells nothing"):
        test_unused()
    finish()


main()
