# SPDX-License-Identifier: GPL-2.0
"""Options of configuration files, as clients see them."""

import os
import re
import tempfile

from selftest import check, ctl, ctl_json, finish, mqtt, run_tests, same, stats

from client import Client

LISTENER = "listener 1883 127.0.0.1\n"


def load(main, **kw):
    """What is said against it, with a status."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "main")
        with open(path, "w", encoding="utf-8") as file:
            file.write(main)
        return ctl("load", path, **kw)


def saved():
    return ctl("save").splitlines()


def connack(level, client_id="", port=1883, **args):
    """The CONNACK, after which the connection ends, maybe by the broker."""
    client = Client("127.0.0.1", port, level=level)
    client.send_connect(client_id, **args)
    got = client.expect(mqtt.Connack)
    if got.code:
        client.expect_close()
    else:
        client.disconnect()
    return got


def online(level, client_id="", port=1883, **args):
    client = Client("127.0.0.1", port, level=level)
    client.send_connect(client_id, **args)
    same(client.expect(mqtt.Connack).code, 0, "CONNACK")
    return client


# ------------------------------------------------- identifiers of the broker's

def codes(port=1883):
    """Of those who come without an identifier, in both versions."""
    return [connack(level, port=port).code for level in (4, 5)]


def test_without_id():
    load(LISTENER)
    same(codes(), [0, 0], "CONNACK if nothing is set")
    load("allow_zero_length_clientid false\n" + LISTENER)
    same(codes(), [2, 0x85], "CONNACK if it isn't allowed")
    same([connack(level, "me").code for level in (4, 5)], [0, 0], "CONNACK with an identifier")
    check("allow_zero_length_clientid false" in saved(), saved())
    # A session that lasts has to have a name before 5.0, whatever is set.
    load("allow_zero_length_clientid true\n" + LISTENER)
    same([connack(4, clean=False).code, connack(5, clean=False).code], [2, 0],
         "CONNACK for a session that lasts")
    load("per_listener_settings true\n" + LISTENER + "listener 1884 127.0.0.1\n"
         "allow_zero_length_clientid false\nlistener 1885 127.0.0.1\n"
         "allow_zero_length_clientid true\n")
    same([codes(port) for port in (1883, 1884, 1885)], [[0, 0], [2, 0x85], [0, 0]],
         "CONNACK of three listeners")
    before = saved()
    load("\n".join(before))
    same(saved(), before, "what is saved after what was saved was loaded")
    same([codes(port) for port in (1883, 1884, 1885)], [[0, 0], [2, 0x85], [0, 0]],
         "CONNACK after that")
    load(LISTENER)
    same(codes(), [0, 0], "CONNACK if it isn't set any more")


def assigned(port=1883):
    """What 5.0 is told, and what 3.1.1 isn't but has, too."""
    names = [connack(5, port=port).props["assigned_id"]]
    client = online(4, port=port)
    names += [row["client_id"] for row in ctl_json("client")]
    client.disconnect()
    same(len(names), 2, "clients")
    return names


def test_prefix():
    longest = "é" * 25
    for lines, prefix in (("", "kmqtt-"), ("auto_id_prefix auto-\n", "auto-"),
                          ("auto_id_prefix a # b\n", "a # b"), ("auto_id_prefix x\n", "x"),
                          (f"auto_id_prefix {longest}\n", longest)):
        load(lines + LISTENER)
        for name in assigned():
            check(re.fullmatch(re.escape(prefix) + "[0-9a-f]{16}", name), name)
        check(f"listener_auto_id_prefix {prefix}" in saved(), saved())
    load("auto_id_prefix all-\n" + LISTENER + "listener 1884 127.0.0.1\n"
         "listener_auto_id_prefix own-\n")
    same([name[:4] for port in (1883, 1884) for name in assigned(port)],
         ["all-", "all-", "own-", "own-"], "identifiers by two listeners")
    load("per_listener_settings true\n" + LISTENER + "listener 1884 127.0.0.1\n"
         "auto_id_prefix own-\n")
    same([name[:4] for port in (1883, 1884) for name in assigned(port)],
         ["kmqt", "kmqt", "own-", "own-"], "identifiers of two listeners")
    names = {connack(5, port=1884).props["assigned_id"] for _ in range(100)}
    same(len(names), 100, "different identifiers")


def test_prefix_wrong():
    ctl("listener", "add", "127.0.0.1:1886", "client-id-prefix", "tab\t", "assign-client-id", "on")
    same({row["client_id_prefix"] for row in ctl_json("listener") if row["port"] == 1886},
         {"tab\t"}, "the prefix")
    check("white space" in ctl("save", status=3), "what no file can say")
    for prefix in (b"\xff", b"\xed\xa0\x80", b"x" * 51):
        says = ctl("listener", "add", "127.0.0.1:1887", "client-id-prefix",
                   os.fsdecode(prefix), status=1)
        check("client-id-prefix" in says, says)
    ctl("listener", "add", "127.0.0.1:1887", "client-id-prefix", "", status=2)
    same({row["port"] for row in ctl_json("listener")}, {1883, 1884, 1886}, "ports")
    load(LISTENER)


# -------------------------------------------------------- clientid_prefixes

def test_required_prefix():
    def said(*names, port=1883):
        return [connack(level, name, port=port).code for name in names for level in (4, 5)]

    load(LISTENER)
    stays = online(5, "other")
    load("clientid_prefixes dev- é\n" + LISTENER)
    same(said("dev- é", "dev- é1"), [0, 0, 0, 0], "CONNACK with it")
    same(said("dev- ", "dev-", "xdev- é", "dev- e", ""), [5, 0x87] * 5, "CONNACK without it")
    stays.ping()
    stays.disconnect()
    check("clientid_prefixes dev- é" in saved(), saved())
    # What the broker makes up has to begin so, too, and so has a name that takes its place.
    load("clientid_prefixes dev-\nauto_id_prefix dev-auto-\n" + LISTENER +
         "listener 1884 127.0.0.1\nuse_username_as_clientid true\n")
    same(said(""), [0, 0], "CONNACK with an identifier that was made up")
    same([connack(level, "dev-", port=1884, username=name).code
          for name in ("dev-user", "user") for level in (4, 5)], [0, 0, 5, 0x87],
         "CONNACK by user name")
    load(LISTENER)
    same(said("other"), [0, 0], "CONNACK if it isn't set any more")


def test_required_prefix_wrong():
    before = ctl_json("broker")
    for text in (b"\xff", b"\xed\xa0\x80"):
        says = ctl("broker", "set", "required-client-id-prefix", os.fsdecode(text), status=1)
        check("required-client-id-prefix" in says, says)
    says = ctl("broker", "set", "required-client-id-prefix", "x" * 1025, status=1)
    check("up to 1024 bytes" in says, says)
    same(ctl_json("broker"), before, "settings")
    # All texts at their longest can be told.
    longest = {name: "é" * 512 for name in ("response-information", "server-reference",
                                            "required-client-id-prefix")}
    ctl("broker", "set", *(word for pair in longest.items() for word in pair))
    now = ctl_json("broker")
    same({name: now[name.replace("-", "_")] for name in longest}, longest, "texts")
    load(LISTENER)


# ------------------------------------------------- accept_protocol_versions

def test_versions():
    for named in ("3", "4", "5", "3, 4", "3,5", "4\t5", "5 4 3"):
        load(LISTENER + f"accept_protocol_versions {named}\n")
        same([connack(level, "v").code for level in (3, 4, 5)],
             [0 if str(level) in named else refused for level, refused in ((3, 1), (4, 1),
                                                                          (5, 0x84))],
             f"CONNACK with {named}")
    load(LISTENER + "listener 1884 127.0.0.1\naccept_protocol_versions 5\n")
    same([connack(level, "v", port=port).code for port in (1883, 1884) for level in (3, 4, 5)],
         [0, 0, 0, 1, 1, 0], "CONNACK of two listeners")
    before = saved()
    check("accept_protocol_versions 5" in before, before)
    # Who is connected stays.
    client = online(4, "stays")
    load(LISTENER + "accept_protocol_versions 5\n")
    client.ping()
    client.disconnect()
    load("\n".join(before))
    same(saved(), before, "what is saved after what was saved was loaded")
    load(LISTENER)


# --------------------------------------------------- max_topic_alias_broker

def test_alias_broker():
    """The highest alias in what a client gets that offers as many."""
    def highest(offered):
        sub = online(5, "sub", props={"topic_alias_max": offered})
        sub.subscribe("alias/#")
        pub = online(5, "pub")
        for number in range(300):
            flow_to(pub, f"alias/{number // 3}")
        flow_to(pub, "alias/end", b"end")
        most = 0
        while (got := sub.recv()).payload != b"end":
            most = max(most, got.alias or 0)
        sub.disconnect()
        pub.disconnect()
        return most

    for lines, want in (("max_topic_alias_broker 0\n", [0, 0]), ("max_topic_alias_broker 2\n", [2, 2]),
                        ("max_topic_alias_broker 65535\n", [5, 64]), ("", [5, 64])):
        load(LISTENER + lines)
        same([highest(offered) for offered in (5, 65535)], want, f"aliases with '{lines.strip()}'")


# ------------------------------------------------------- message_size_limit

def flow(client, payload, qos, retain=False):
    """Publish, and follow the acknowledgments; the first one's reason code."""
    id = client.next_id() if qos else None
    client.send(mqtt.publish("size", payload, qos, id, retain=retain, level=client.level))
    if not qos:
        client.ping()
        return None
    got = client.wait(mqtt.Puback if qos == 1 else mqtt.Pubrec)
    same(got.id, id, "acknowledged identifier")
    if qos == 2 and got.code < 0x80:
        client.send(mqtt.ack(mqtt.PUBREL, id))
        client.wait(mqtt.Pubcomp(id))
    return got.code


def flow_to(client, topic, payload=b"x", qos=0):
    """The same to any topic, with QoS 0 or 1."""
    id = client.next_id() if qos else None
    client.send(mqtt.publish(topic, payload, qos, id, level=client.level))
    client.ping()
    if qos:
        same([p.id for p in client.inbox], [id], "acknowledged identifier")
        client.inbox.clear()


def seen(client, last):
    """The sizes of all payloads up to that one, which somebody else publishes."""
    sizes = []
    while (got := client.recv()).payload != last:
        sizes.append(len(got.payload))
    return sizes


def test_message_size():
    load("message_size_limit 100\n" + LISTENER)
    sub, end = online(5, "sub"), online(4, "end")
    sub.subscribe("#", qos=2)
    before = stats()["dropped_too_large"]
    for level in (4, 5):
        client = online(level, "pub")
        for qos in range(3):
            code = None if not qos else 0x83 if level == 5 else 0
            for size in (101, 300000):
                same(flow(client, bytes(size), qos, retain=True), code, f"{size} bytes, QoS {qos}")
            same(flow(client, bytes(100), qos), None if not qos else 0, f"100 bytes, QoS {qos}")
        # One within a burst; the connection is as before after all that.
        ids = [client.next_id() for _ in range(5)]
        client.send(*(mqtt.publish("size", bytes(size), 1, id, level=level)
                      for size, id in zip((1, 2, 101, 3, 0), ids)))
        got = [client.wait(mqtt.Puback) for _ in ids]
        same([ack.id for ack in got], ids, "acknowledged identifiers")
        same([ack.code for ack in got], [0, 0, 0x83 if level == 5 else 0, 0, 0], "reason codes")
        client.disconnect()
    flow(end, b"end", 1)
    same(seen(sub, b"end"), [100, 100, 100, 1, 2, 3, 0] * 2, "sizes")
    same(stats()["dropped_too_large"] - before, 14, "dropped messages")
    same(ctl_json("retained"), [], "retained messages")
    for level, code in ((4, 3), (5, 0x95)):
        same(connack(level, "will", will=mqtt.Will("w", bytes(101))).code, code, "CONNACK")
        same(connack(level, "will", will=mqtt.Will("w", bytes(100))).code, 0, "CONNACK")
    load(LISTENER)
    same(flow(end, bytes(101), 1), 0, "101 bytes without a limit")
    flow(end, b"end", 1)
    same(seen(sub, b"end"), [101], "sizes without a limit")
    sub.disconnect()
    end.disconnect()


# ------------------------------------------------------ queue_qos0_messages

def test_queue_qos0():
    def back():
        return online(4, "away", clean=False)

    load("queue_qos0_messages true\nmax_queued_messages 5\n" + LISTENER)
    pub = online(4, "pub")
    client = back()
    client.subscribe("a/#", qos=1)
    client.disconnect()
    # Both kinds in their order, and no more than the limit.
    before = stats()["dropped_queue_full"]
    for number in range(7):
        flow_to(pub, f"a/{number}", qos=number % 2)
    client = back()
    got = [client.wait(mqtt.Publish) for _ in range(5)]
    same([(p.topic, p.qos) for p in got], [(f"a/{n}", n % 2) for n in range(5)], "messages")
    same(stats()["dropped_queue_full"] - before, 2, "dropped messages")
    for packet in got:
        if packet.qos:
            client.send(mqtt.ack(mqtt.PUBACK, packet.id))
    client.ping()
    same(client.inbox, [], "more")
    # What QoS 0 a connection had is not for the next, nor what comes when it is off again.
    client.disconnect()
    load(LISTENER)
    flow_to(pub, "a/lost")
    client = back()
    flow_to(pub, "a/now")
    same(client.wait(mqtt.Publish).topic, "a/now", "topic")
    same(client.inbox, [], "more")
    client.disconnect()
    ctl("session", "del", "client-id", "away")
    pub.disconnect()


# ----------------------------------------------------- upgrade_outgoing_qos

def test_upgrade_qos():
    for option, want in (("true", (0, 1, 2)), ("false", (0, 0, 0))):
        load(f"upgrade_outgoing_qos {option}\n" + LISTENER)
        pub = online(4, "pub")
        pub.send(mqtt.publish("up", b"kept", retain=True))
        pub.ping()
        subs = [online(4, f"sub{qos}") for qos in range(3)]
        shared = online(5, "shared")
        for qos, sub in enumerate(subs):
            sub.subscribe("up", qos=qos)
            same(sub.wait(mqtt.Publish).qos, want[qos], f"QoS of a retained message, {option}")
        shared.subscribe("$share/g/up", qos=1)
        # One alone, and some that go together.
        pub.send(*(mqtt.publish("up", bytes([number])) for number in range(3)))
        for qos, sub in enumerate([*subs, shared]):
            got = [sub.wait(mqtt.Publish) for _ in range(3)]
            same([p.payload for p in got], [b"\0", b"\1", b"\2"], "payloads")
            same({p.qos for p in got}, {want[qos] if sub is not shared else want[1]},
                 f"QoS with option {option}")
            same([bool(p.id) for p in got], [bool(got[0].qos)] * 3, "packet identifiers")
            if got[0].qos == 1:
                sub.send(*(mqtt.ack(mqtt.PUBACK, p.id) for p in got))
            sub.disconnect()
        pub.send(mqtt.publish("up", b"", retain=True))
        pub.disconnect()
    load(LISTENER)


# ------------------------------------------------------- max_inflight_bytes

def test_inflight_bytes():
    load("max_inflight_bytes 300\n" + LISTENER)
    pub, sub = online(4, "pub"), online(4, "sub")
    sub.subscribe("b/#", qos=2)

    def get(count):
        """So many messages of QoS 1 and 2, and no more."""
        got = [sub.wait(mqtt.Publish) for _ in range(count)]
        sub.ping()
        same(sub.inbox, [], "more")
        return got

    # 103 bytes each: the third one reaches the limit. QoS 0 isn't held up.
    for number in range(5):
        flow_to(pub, f"b/{number}", bytes(100), 1)
    first = get(3)
    flow_to(pub, "b/0", b"quick")
    same(get(1)[0].payload, b"quick", "a message of QoS 0")
    sub.send(mqtt.ack(mqtt.PUBACK, first[1].id))
    fourth = get(1)
    same(fourth[0].topic, "b/3", "topic")
    sub.send(*(mqtt.ack(mqtt.PUBACK, p.id) for p in (first[0], first[2], *fourth)))
    last = get(1)
    sub.send(mqtt.ack(mqtt.PUBACK, last[0].id))
    # One alone may be larger; one of QoS 2 is over with PUBREC.
    for number in range(2):
        id = pub.next_id()
        pub.send(mqtt.publish(f"b/{number}", bytes(1000), 2, id), mqtt.ack(mqtt.PUBREL, id))
        pub.wait(mqtt.Pubcomp(id))
        pub.inbox.clear()
    large = get(1)
    sub.send(mqtt.ack(mqtt.PUBREC, large[0].id))
    sub.wait(mqtt.Pubrel)
    second = get(1)
    same([p.topic for p in large + second], ["b/0", "b/1"], "topics")
    # A limit that goes lets the others go.
    flow_to(pub, "b/2", b"", 1)
    get(0)
    load(LISTENER)
    flow_to(pub, "b/3", b"", 1)
    same([p.topic for p in get(2)], ["b/2", "b/3"], "topics without a limit")
    sub.disconnect()
    pub.disconnect()


def main():
    tests = (
        ("clients without an identifier", test_without_id),
        ("what identifiers of the broker's begin with", test_prefix),
        ("prefixes that can't be", test_prefix_wrong),
        ("clientid_prefixes", test_required_prefix),
        ("clientid_prefixes that can't be", test_required_prefix_wrong),
        ("accept_protocol_versions", test_versions),
        ("max_topic_alias_broker", test_alias_broker),
        ("message_size_limit, and what is told of it", test_message_size),
        ("queue_qos0_messages", test_queue_qos0),
        ("upgrade_outgoing_qos", test_upgrade_qos),
        ("max_inflight_bytes", test_inflight_bytes),
    )
    run_tests(tests)
    finish()


main()
