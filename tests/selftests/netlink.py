# SPDX-License-Identifier: GPL-2.0
"""Each noun and verb of kmqttctl, and who may not use it."""

import codecs
import contextlib
import errno
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from selftest import (
    CTL, PATIENCE, Child, Generic, Loop, Peer, check, clean_up, client, ctl, ctl_json, finish, forget,
    mqtt, note, run, run_tests, same, scaled, settings, stats, wait_for, wait_idle,
)


def refused(*args, status=1, says=(), **kw):
    """The tool fails, with one line that has these words in it."""
    text = ctl(*args, status=status, **kw)
    check(text.count("\n") == 1 or status == 2, f"more than a line: {text!r}")
    for word in says:
        check(word in text, f"no {word!r} in {text!r}")


def test_listener():
    got = ctl("listener", "add", "127.0.0.1:1883")
    check("127.0.0.1:1883" in got, got)
    added = ctl_json("listener", "add", "[::1]:1883")
    check(added["id"] > 1, f"{added}")
    free = ctl_json("listener", "add", "address", "127.0.0.1:0")
    port = free.get("port") or int(free["address"].rsplit(":", 1)[1])
    check(port > 0, f"{free}")
    loop = Loop()
    client(loop, "there", peer_args={"address": ("127.0.0.1", port)})
    client(loop, "six", peer_args={"address": ("::1", 1883)})
    listeners = {entry["id"]: entry for entry in ctl_json("listener")}
    same(len(listeners), 3, "listeners")
    same(listeners[free["id"]]["connections"], 1, "connections of a listener")
    same(listeners[free["id"]]["connections_total"], 1, "connections-total of a listener")
    same(stats()["listeners"], 3, "listeners in stats")
    check(ctl("listener", "get").count("\n") == 4, "a table of three with a title")

    # Connections live on unless they are kicked.
    ctl("listener", "del", "id", str(free["id"]))
    there = next(iter(loop.peers.values()))
    there.wait_ping()
    late = Peer(loop, ("127.0.0.1", port))
    late.connect("late")
    late.wait_closed()
    again = ctl_json("listener", "add", f"127.0.0.1:{port}")
    check(again["id"] > free["id"], "numbers of listeners are not used again")
    two = client(loop, "two", peer_args={"address": ("127.0.0.1", port)})
    ctl("listener", "del", f"127.0.0.1:{port}", "kick")
    two.wait_closed()
    there.wait_ping()
    loop.close()
    ctl("listener", "del", "[::1]:1883")
    same(len(ctl_json("listener")), 1, "listeners")


def test_listener_wrong():
    refused("listener", "add", "127.0.0.1:1883", says=["listener add", "in use"])
    refused("listener", "add", "192.0.2.77:1883", says=["listener add", "address"])
    refused("listener", "add", "[fe80::1%nowhere]:1883", status=2, says=["nowhere"])
    refused("listener", "add", "127.0.0.1", status=2)
    refused("listener", "add", "127.0.0.1:99999", status=2)
    refused("listener", "add", status=2)
    refused("listener", "del", "id", "999", says=["listener del", "id"])
    refused("listener", "del", "127.0.0.1:9", says=["listener del", "no such listener"])
    same(len(ctl_json("listener")), 1, "listeners after all that")


def test_listener_set():
    """Terms change in place; only who would not be let in any more goes."""
    there = next(entry for entry in ctl_json("listener") if entry["port"] == 1883)
    loop = Loop()
    anonymous = client(loop, "anonymous")
    ctl("listener", "set", "127.0.0.1:1883", "client-byte-rate", "64K", "connect-rate", "500",
        "max-qos", "1")
    ctl("listener", "set", "id", str(there["id"]), "max-qos", "0", "client-id-prefix", "set-",
        "topic-alias-max-out", "9", "protocol-versions", "5,4")
    now = next(entry for entry in ctl_json("listener") if entry["id"] == there["id"])
    changed = {"client_byte_rate": 65536, "connect_rate": 500, "max_qos": 0,
               "client_id_prefix": "set-", "topic_alias_max_out": 9, "protocol_versions": "4,5"}
    same(now, {**there, **changed, "connections": 1, "connections_total":
               there["connections_total"] + 1}, "the listener after that")
    check("connect 500, client-byte 64K" in ctl("listener"), "rates in the table")
    anonymous.wait_ping()

    # Names of users are checked, or clients are kept out.
    ctl("listener", "set", "127.0.0.1:1883", "anonymous", "off")
    anonymous.wait_closed()
    Peer(loop).wait_connect("late", code=5)
    wait_for(lambda: stats()["connections"] == 0, "both to be gone")
    ctl("listener", "set", "127.0.0.1:1883", "anonymous", "on", "client-byte-rate", "0",
        "connect-rate", "0", "max-qos", "2", "client-id-prefix", there["client_id_prefix"],
        "topic-alias-max-out", "65535", "protocol-versions", "3,4,5")
    again = client(loop, "again")
    again.wait_ping()

    # Those that are connected are held to it, and are shown to be.
    check("paced" not in ctl_json("client", "get", "again"), "held back without a rate")
    ctl("listener", "set", "127.0.0.1:1883", "client-message-rate", "1")
    for _ in range(300):
        again.publish("nobody/there")
    wait_for(lambda: loop.turn(0) or "paced" in ctl_json("client", "get", "again"),
             "the client to be held back")
    # Not for what it has sent at the rate before, which would take minutes.
    ctl("listener", "set", "127.0.0.1:1883", "client-message-rate", "1000")
    again.wait_ping()
    ctl("listener", "set", "127.0.0.1:1883", "client-message-rate", "0")
    now = next(entry for entry in ctl_json("listener") if entry["id"] == there["id"])
    same({name: now[name] for name in changed}, {name: there[name] for name in changed},
         "terms as they were")
    loop.close()

    before = ctl_json("listener")
    for args, status, says in (
            (["id", "999", "max-qos", "1"], 1, ["id"]),
            (["127.0.0.1:9", "max-qos", "1"], 1, ["no such listener"]),
            (["127.0.0.1:1883", "max-qos", "3"], 1, ["max-qos"]),
            (["127.0.0.1:1883", "protocol-versions", ""], 2, ["3,4,5"]),
            (["127.0.0.1:1883", "protocol-versions", "3,6"], 2, ["3,6"]),
            (["127.0.0.1:1883", "protocol-versions", "3,"], 2, ["3,4,5"]),
            (["127.0.0.1:1883", "topic-alias-max-out", "65536"], 2, ["65536"]),
            (["127.0.0.1:1883", "agent", "/dev/null"], 2, ["agent"]),
            (["127.0.0.1:1883", "max-qos", "1", "anonymous"], 2, ["anonymous"]),
            (["127.0.0.1:1883"], 2, ["setting"]), ([], 2, [])):
        refused("listener", "set", *args, status=status, says=says)
    # Which kmqttctl has no words for.
    netlink = Generic()
    for versions in (0, 8, 255):
        try:
            netlink.command("listener", "set", netlink.ACK, id=there["id"],
                            protocol_versions=(versions, 1))
            raise AssertionError(f"versions {versions} are taken")
        except OSError as error:
            same(error.errno, errno.EINVAL, f"versions {versions}")
    netlink.sock.close()
    same(ctl_json("listener"), before, "what was refused")


def test_broker():
    before = ctl_json("broker")
    values = {"max_connections": 77, "max_connections_per_source": 66, "connect_timeout": 33,
              "max_packet_size": 123456, "max_inflight": 55, "max_queued_messages": 44,
              "max_queued_bytes": 5 << 20, "max_memory": 99 << 20, "max_sessions": 88,
              "max_retained": 22, "max_subscriptions": 11, "bh_path": False,
              "sys_interval": 65535}
    settings.put(values)
    now = ctl_json("broker", "get")
    same({name: now[name] for name in values}, values, "settings")
    same(set(before), set(now), "names of settings")
    check(ctl("broker").count("\n") >= len(values), "a line for each setting")
    ctl("broker", "set", "max-memory", "1G", "connect-timeout", "1m")
    now = ctl_json("broker")
    same((now["max_memory"], now["connect_timeout"]), (1 << 30, 60), "values with units")
    before.pop("backpressure")
    settings.put(before)


def test_broker_wrong():
    before = ctl_json("broker")
    refused("broker", "set", "connect-timeout", "0", says=["broker set", "connect-timeout"])
    refused("broker", "set", "max-inflight", "70000", says=["max-inflight"])
    refused("broker", "set", "max-packet-size", "300M", says=["max-packet-size"])
    refused("broker", "set", "sys-interval", "65536", says=["sys-interval"])
    # All or nothing
    refused("broker", "set", "max-sessions", "7", "backpressure", "hold", says=["backpressure"])
    refused("broker", "set", "max-sessions", "7", "connect-timeout", "2d", says=["connect-timeout"])
    refused("broker", "set", "max-sessions", "-1", status=2)
    refused("broker", "set", "max-sessions", "5000000000", status=2)
    refused("broker", "set", "no-such-thing", "7", status=2, says=["no-such-thing"])
    refused("broker", "set", "max-sessions", status=2)
    refused("broker", "set", status=2)
    same(ctl_json("broker"), before, "settings after all that")


def test_client():
    loop = Loop()
    one = client(loop, "one", "a/#", "b", qos=1, username="user", keepalive=50)
    client(loop, "two", clean=False, level=3)
    silent = Peer(loop)
    one.wait_publish("a/x", b"12345", 1)
    loop.until(lambda: one.messages, "the message")
    wait_for(lambda: stats()["connections"] == 3, "three connections")
    clients = ctl_json("client")
    same(len(clients), 3, "clients")
    by_id = {entry.get("client_id"): entry for entry in clients}
    same(set(by_id), {"one", "two", None}, "client identifiers")
    got = ctl_json("client", "get", "one")
    for name, value in {"client_id": "one", "user": "user", "keepalive": 50, "clean": True,
                        "messages_received": 1, "messages_sent": 1, "queued_messages": 0,
                        "dropped": 0}.items():
        same(got[name], value, name)
    check("127.0.0.1" in got["address"], f"{got}")
    check(got["bytes_received"] > 20 and got["bytes_sent"] > 10, f"{got}")
    same(by_id["two"]["clean"], False, "clean of the other")
    check("one" in ctl("client"), "a table with it")
    check("one" in ctl("client", "get", "client-id", "one"), "what is known of one")

    ctl("client", "kick", "one")
    one.wait_closed()
    number = by_id[None]["connection"]
    refused("client", "kick", "connection", str(number), "client-id", "one", says=["client kick"])
    ctl("client", "kick", "connection", str(number))
    silent.wait_closed()
    wait_for(lambda: stats()["connections"] == 1, "one to be left")
    refused("client", "kick", "one", says=["client kick", "client-id"])
    refused("client", "kick", "connection", "999999", says=["connection"])
    refused("client", "kick", "two", "reason", "5", says=["reason"])
    refused("client", "kick", "two", "reason", "nonsense", status=2, says=["nonsense"])
    refused("client", "get", "nobody", says=["client get", "client-id"])
    ctl("client", "kick", "two", "reason", "quota-exceeded")
    wait_for(lambda: stats()["connections"] == 0, "none to be left")
    same(stats()["sessions"], 1, "sessions: kicking is not forgetting")
    loop.close()
    ctl("session", "del", "two")


class Silent(Peer):
    """Doesn't acknowledge by itself."""
    auto_ack = False


def test_client_show():
    loop = Loop()
    kept = client(loop, "kept", "a/#", "$share/group/b", qos=1, clean=False, username="user")
    kept.wait_publish("a/x", b"12345", 1)
    loop.until(lambda: kept.messages, "the message")
    kept.wait_ping()
    got = ctl_json("client", "show", "kept")
    same(set(got), {"client", "session", "subscriptions", "packets"}, "parts")
    same(got["client"]["client_id"], "kept", "client-id")
    same(got["client"]["user"], "user", "user")
    check("send_queue" in got["client"], f"{got['client']}")
    same((got["session"]["connected"], got["session"]["clean"]), (True, False), "of the session")
    same({(s["filter"], s.get("group"), s["qos"]) for s in got["subscriptions"]},
         {("a/#", None, 1), ("b", "group", 1)}, "subscriptions")
    packets = [(p["direction"], p["type"], p["size"]) for p in got["packets"]]
    same(packets[:5], [("received", "PINGREQ", 2), ("received", "PUBACK", 4),
                       ("received", "PUBLISH", 14), ("received", "SUBSCRIBE", 27),
                       ("received", "CONNECT", 24)], "packets from the client")
    same(packets[5], ("sent", "PINGRESP", 2), "the last packet to the client")
    same(sorted(packets[6:]), [("sent", "CONNACK", 4), ("sent", "PUBACK", 4),
                               ("sent", "PUBLISH", 14), ("sent", "SUBACK", 6)],
         "packets to the client")
    check(all(0 <= p["age"] < PATIENCE for p in got["packets"]), f"{got['packets']}")
    # No more than seven, the last ones, each way; and all of a long packet counts.
    kept.wait_publish("t", bytes(200), 0)
    for _ in range(6):
        kept.wait_ping()
    packets = [(p["direction"], p["type"], p["size"])
               for p in ctl_json("client", "show", "client-id", "kept")["packets"]]
    same(packets, [("received", "PINGREQ", 2)] * 7 + [("sent", "PINGRESP", 2)] * 7,
         "the last seven")
    kept.publish("t", bytes(200), 0)
    kept.wait_ping()
    packet = ctl_json("client", "show", "kept")["packets"][1]
    same((packet["type"], packet["size"]), ("PUBLISH", 206), "a packet with a longer length")
    kept.publish("t", bytes(300000), 0)
    kept.wait_ping()
    packet = ctl_json("client", "show", "kept")["packets"][1]
    same((packet["type"], packet["size"]), ("PUBLISH", 300007), "a large packet")
    text = ctl("client", "show", "kept")
    for word in ("CONNECTION", "SESSION", "SUBSCRIPTIONS", "LAST PACKETS", "a/#", "PINGRESP"):
        check(word in text, f"no {word} in {text}")

    kept.close()
    wait_for(lambda: stats()["connections"] == 0, "the connection to be gone")
    got = ctl_json("client", "show", "kept")
    check("client" not in got, "no connection is told of")
    same((got["session"]["connected"], len(got["subscriptions"]), got["packets"]),
         (False, 2, []), "what is left")
    check("CONNECTION" not in ctl("client", "show", "kept"), "no connection is told of")
    refused("client", "show", "nobody", says=["client show", "client-id"])
    refused("client", "show", status=2)
    refused("client", "show", "kept", "kept", status=2)
    loop.close()
    ctl("session", "del", "kept")


def test_answers_seen():
    """Each answer of many that leave together is one, whole or cut off by the socket."""
    loop = Loop()
    many = client(loop, "many", peer_args={"rcvbuf": 4096})
    many.pause()
    # Long ones and short ones in turn, while nobody reads.
    for i in range(200):
        many.subscribe(*(f"f/{j}" for j in range(150 if i % 2 else 1)))
        many.ping()
    wait_for(lambda: ctl_json("client", "show", "many")["packets"][0]["type"] == "PINGREQ",
             "the broker to have read something")
    many.pause(False)
    many.wait_ping()
    loop.until(lambda: len(many.subacks) == 200 and many.pongs == 201, "all answers")
    sent = [p for p in ctl_json("client", "show", "many")["packets"] if p["direction"] == "sent"]
    same([(p["type"], p["size"]) for p in sent],
         [("PINGRESP", 2), ("PINGRESP", 2), ("SUBACK", 155), ("PINGRESP", 2), ("SUBACK", 5),
          ("PINGRESP", 2), ("SUBACK", 155)], "the last answers")
    loop.close()


def test_top():
    loop = Loop()
    slow = client(loop, "slow", "a/#", cls=Silent, peer_args={"rcvbuf": 4096})
    busy = client(loop, "busy")
    slow.pause()
    child = subprocess.Popen([CTL, "-j", "top", "interval", "1", "batch", "3"],
                             stdout=subprocess.PIPE, text=True)
    while child.poll() is None:
        busy.wait_publish("a/x", bytes(2000), 1)
    turns = [json.loads(line) for line in child.stdout.read().splitlines()]
    same((child.returncode, len(turns)), (0, 3), "status, and objects")
    for turn in turns:
        same(turn["connections"], 2, "connections")
        check(turn["interval"] >= 0.9, f"{turn['interval']} s")
        clients = {entry["client_id"]: entry for entry in turn["clients"]}
        same(set(clients), {"slow", "busy"}, "clients")
        check(clients["busy"]["received_rate"] > 0, f"{turn}")
        check(clients["busy"]["bytes_received_rate"] > 2000 * clients["busy"]["received_rate"],
              f"{turn}")
        same(clients["slow"]["received_rate"], 0, "messages from the slow one")
    # Who is stuck is in front when it is about that.
    wait_for(lambda: ctl_json("client", "get", "slow")["send_queue"] > 1000, "bytes that are stuck")
    got = json.loads(ctl("-j", "top", "sort", "send-queue", "rows", "1", "-b", "1"))
    same([entry["client_id"] for entry in got["clients"]], ["slow"], "the slowest")
    same(got["connections"], 2, "connections, shown or not")
    text = ctl("top", "batch", "2", "sort", "sent")
    same(text.count("CLIENT-ID"), 2, "tables")
    check("\x1b" not in text, "nothing for terminals where there is none")
    check("127.0.0.1:" in text and "busy" in text, text)
    for args in (["sort", "nonsense"], ["sort"], ["rows", "0"], ["interval", "0"], ["interval"],
                 ["batch", "0"], ["nonsense"]):
        refused("top", *args, status=2, says=["top"])
    loop.close()
    wait_idle()


class Terminal:
    """kmqttctl in a terminal of its own."""

    def __init__(self, *args, rows=10, columns=60):
        self.ours, self.its = pty.openpty()
        fcntl.ioctl(self.its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.its)
        self.child = subprocess.Popen([CTL, *args], stdin=self.its, stdout=self.its,
                                      stderr=self.its, start_new_session=True)
        self.text = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")()     # a read may end anywhere

    def read(self):
        while select.select([self.ours], [], [], 0.05)[0]:
            self.text += self.decoder.decode(os.read(self.ours, 1 << 16))
        return self.text

    def wait(self, condition, what):
        try:
            wait_for(lambda: condition(self.read()), what)
        except TimeoutError:
            raise AssertionError(f"no {what} in {self.text[-2000:]!r}") from None

    def resize(self, rows, columns):
        fcntl.ioctl(self.its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.child.send_signal(signal.SIGWINCH)

    def check_end(self, status=0):
        """The terminal is as it was."""
        wait_for(lambda: self.read() and self.child.poll() is not None, "the end of top")
        same(self.child.returncode, status, f"status ({self.read()[-500:]!r})")
        check(self.text.endswith("\x1b[?25h\x1b[?1049l"), f"{self.text[-200:]!r}")
        same(termios.tcgetattr(self.its), self.before, "the terminal's settings")

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.ours)
        os.close(self.its)


def test_top_screen():
    loop = Loop()
    for i in range(20):
        client(loop, f"number{i}" + "\u4e2d" * 30)
    with contextlib.closing(Terminal("top", "interval", "1")) as terminal:
        terminal.wait(lambda text: text.count("\x1b[J") >= 2, "second page")
        check(terminal.text.startswith("\x1b[?1049h\x1b[?25l"), "another page is taken")
        page = terminal.text.split("\x1b[H")[1]
        # All lines but one are in use, and none is wider than the terminal.
        same(page.count("\n"), 9, "lines of a page")
        check(all(len(line.split("\x1b")[0]) <= 60 for line in page.splitlines()), page)
        terminal.text = ""
        terminal.resize(30, 160)
        terminal.wait(lambda text: "number19" in text and text.count("\u4e2d") > 100, "page with all of them")
        same(terminal.read().rsplit("\x1b[H", 1)[-1].count("\n"), 23, "lines of a larger page")
        os.write(terminal.ours, b"q")
        terminal.check_end()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.closing(Terminal("top")) as terminal:
            terminal.wait(lambda text: "RECV/s" in text, "page")
            terminal.child.send_signal(number)
            terminal.check_end()
    with contextlib.closing(Terminal("top", "batch", "1")) as terminal:
        terminal.wait(lambda text: "number19" in text, "table")
        check("\x1b" not in terminal.read(), "no page is taken in batch mode")
    loop.close()
    wait_idle()


def test_session():
    loop = Loop()
    kept = client(loop, "kept", "s/#", qos=1, cls=Silent, clean=False)
    kept.send(mqtt.publish("t", b"", 2, 77))
    kept.wait_ping()
    kept.close()
    wait_for(lambda: stats()["connections"] == 0, "the connection to be gone")
    pub = client(loop, "pub")
    for i in range(3):
        pub.wait_publish("s/x", bytes(100), 1)
    got = ctl_json("session", "get", "kept")
    for name, value in {"client_id": "kept", "clean": False, "connected": False,
                        "queued_messages": 3, "subscriptions": 1, "unreleased": 1}.items():
        if name in got:
            same(got[name], value, name)
    check({"queued_messages", "unreleased"} <= set(got), f"{got}")
    same({entry["client_id"] for entry in ctl_json("session")}, {"kept", "pub"}, "sessions")
    # Whoever is connected goes with his session, and leaves a will.
    watcher = client(loop, "watcher", "will/#")
    victim = client(loop, "victim", clean=False, will=mqtt.Will("will/victim", b"gone"))
    ctl("session", "del", "victim")
    victim.wait_closed()
    loop.until(lambda: watcher.messages, "the will")
    ctl("session", "del", "client-id", "kept")
    refused("session", "del", "kept", says=["session del", "client-id"])
    refused("session", "get", "kept", says=["session get", "client-id"])
    loop.close()
    wait_idle()
    same(stats()["memory"], 0, "memory without sessions")


def test_subscription():
    loop = Loop()
    client(loop, "one", "a/+/c", "#", qos=1)
    client(loop, "two", "b", qos=2)
    got = {(s["client_id"], s["filter"], s["qos"]) for s in ctl_json("subscription")}
    same(got, {("one", "a/+/c", 1), ("one", "#", 1), ("two", "b", 2)}, "subscriptions")
    same(len(ctl_json("subscription", "get", "one")), 2, "subscriptions of one")
    refused("subscription", "get", "three", says=["subscription get", "client-id"])
    loop.close()
    wait_idle()


def test_retained():
    loop = Loop()
    pub = client(loop, "pub")
    for i in range(20):
        pub.wait_publish(f"r/{i % 2}/{i}", b"text %d" % i, i % 2, retain=True)
    pub.wait_publish("binary", bytes(range(128, 160)), 1, retain=True)
    pub.wait_publish("$hidden", b"x", 1, retain=True)
    loop.close()
    same(len(ctl_json("retained")), 22, "retained messages")
    same(len(ctl_json("retained", "get", "#")), 21, "those that # matches")
    ones = ctl_json("retained", "get", "r/1/+", "payload-max", "6")
    same(len(ones), 10, "those that match")
    same({r["payload"] for r in ones}, {"text 1", "text 3", "text 5", "text 7", "text 9"},
         "payloads, cut")
    binary = ctl_json("retained", "get", "binary", "payload-max", "4")
    same(binary[0]["payload_hex"], "80818283", "a payload that isn't text")
    same(binary[0]["size"], 32, "its size")
    refused("retained", "get", "a/#/b", says=["retained get", "filter"])
    refused("retained", "del", "r/+/1", says=["retained del", "topic"])
    refused("retained", "del", "no/such", says=["topic"])
    refused("retained", "del", status=2)
    same(ctl_json("retained", "del", "r/0/0")["count"], 1, "deleted by topic")
    same(ctl_json("retained", "del", "filter", "r/1/#")["count"], 10, "deleted by filter")
    same(ctl_json("retained", "del", "all")["count"], 11, "all that is left")
    wait_idle()
    same(stats()["memory"], 0, "memory without retained messages")


def test_stats():
    shown = ctl_json("stats")
    direct = stats()
    same(set(shown), set(direct), "names of counters")
    lines = ctl("stats").splitlines()
    same(len(lines), len(direct), "lines")
    for name in ("connections_total", "handover_large", "dropped_queue_full", "memory"):
        check(name in shown, name)


def test_usage():
    for args in (["no-noun"], ["broker", "no-verb"], ["client", "get", "a", "b"], ["-x"], []):
        refused(*args, status=2)
    for noun in ("broker", "listener", "client", "session", "subscription", "retained", "user",
                 "ban", "stats", "monitor", "top"):
        check(noun in ctl(noun, "--help"), f"help for {noun}")
    refused("-n", "no-such-netns", "stats", status=3, says=["no-such-netns"])
    check(ctl("--version").strip(), "a version")


class Monitor:
    """kmqttctl -j monitor, once it listens."""

    def __init__(self, *kinds):
        self.child = subprocess.Popen([CTL, "-j", "monitor", *kinds], stdout=subprocess.PIPE)
        self.data = b""
        self.events = []
        # It is known to listen when it tells of somebody who comes to be told of.
        self.loop = Loop()
        end = time.monotonic() + PATIENCE
        while not self.events:
            client(self.loop, "probe").disconnect()
            self.read(0.2)
            check(time.monotonic() < end, "monitor says nothing")
        wait_for(lambda: stats()["connections"] == 0, "the probes to be gone")

    def read(self, timeout=0.0):
        while select.select([self.child.stdout], [], [], timeout)[0]:
            got = os.read(self.child.stdout.fileno(), 1 << 16)
            if not got:
                raise AssertionError(f"monitor has ended: {self.child.wait()}")
            self.data += got
            *lines, self.data = self.data.split(b"\n")
            self.events += map(json.loads, lines)

    def wait(self, **want):
        def there():
            self.loop.turn(0)
            self.read()
            for event in self.events:
                if want.items() <= event.items():
                    return event
            return None
        try:
            return wait_for(there, f"an event {want}", 10)
        except TimeoutError:
            raise AssertionError(f"no {want} in {self.events[-20:]}") from None

    def close(self):
        self.child.kill()
        self.child.wait()
        self.loop.close()


def test_monitor():
    with contextlib.closing(Monitor()) as monitor:
        loop = monitor.loop
        one = client(loop, "one", "d/#", qos=1, clean=False)
        event = monitor.wait(event="connect", client_id="one")
        same((event["clean"], event["session_present"]), (False, False), "of the session")
        one.disconnect()
        monitor.wait(event="disconnect", client_id="one", reason="normal-disconnection")
        one = client(loop, "one", clean=False)
        monitor.wait(event="connect", client_id="one", session_present=True)
        two = client(loop, "one", clean=False)
        monitor.wait(event="disconnect", client_id="one", reason="session-taken-over")
        two.close()
        monitor.wait(event="disconnect", client_id="one", reason="connection-lost")
        bad = client(loop, "bad")
        bad.send(b"\xf0\x00")
        monitor.wait(event="disconnect", client_id="bad")
        bad = client(loop, "kicked")
        ctl("client", "kick", "kicked")
        monitor.wait(event="disconnect", client_id="kicked", reason="administrative-action")
        Peer(loop).send(b"\x10\x02xx")
        monitor.wait(event="refused", reason="malformed-packet")
        with settings(max_connections=0):
            Peer(loop)
            monitor.wait(event="refused", reason="server-busy")
        with settings(max_queued_messages=2):
            pub = client(loop, "pub")
            for _ in range(4):
                pub.wait_publish("d/x", b"", 1)
            monitor.wait(event="dropped", client_id="one", drop="queue-full")
        ctl("session", "del", "one")
    # Only some kinds
    with contextlib.closing(Monitor("disconnect")) as monitor:
        client(monitor.loop, "three").close()
        monitor.wait(event="disconnect", client_id="three")
        same({event["event"] for event in monitor.events}, {"disconnect"}, "kinds of events")
    wait_idle()


def test_flood():
    """One who doesn't read loses events and is told so; nobody waits for him."""
    child = subprocess.Popen([CTL, "-j", "monitor"], stdout=subprocess.PIPE)
    try:
        loop = Loop()
        total = stats()["connections_total"]
        for _ in range(scaled(20, 6)):
            peers = [Peer(loop).connect(f"flood{i}" + "x" * 900) for i in range(50)]
            loop.until(lambda p=peers: all(q.connack for q in p), "CONNACKs")
            for peer in peers:
                peer.close()
        loop.close()
        wait_idle()
        same(stats()["connections_total"] - total, 50 * scaled(20, 6), "connections")
    finally:
        child.kill()
        child.communicate()


def change_entries(parent, total):
    """Sessions, subscriptions, retained messages and connections that come and go."""
    loop = Loop()
    pub = client(loop, "changer")
    number = 0
    while os.getppid() == parent:
        peers = [Peer(loop).connect(f"entry{total + (number + i) % 500}", clean=number % 3 == 0)
                 for i in range(20)]
        for i, peer in enumerate(peers):
            peer.subscribe(f"more/{number + i}", "every/#")
        for i in range(20):
            pub.publish(f"dump/{total + (number + i) % 500}", b"x" if number % 40 else b"", 1,
                        retain=True)
        loop.until(lambda p=peers: all(q.subacks or q.closed for q in p), "SUBACKs")
        for peer in peers:
            peer.close(reset=True)
        number += 20


def dump(noun, key, must):
    """A dump tells all that was there all the time."""
    got = run(CTL, "-j", noun, check_status=False)
    # 4: the table has changed its size meanwhile, some may be missing.
    check(got.returncode in (0, 4), f"status {got.returncode}: {got.stderr}")
    entries = json.loads(got.stdout)
    found = {entry.get(key) for entry in entries}
    if got.returncode == 0:
        missing = must - found
        check(not missing, f"{len(missing)} are missing of {len(entries)}: {sorted(missing)[:5]}")
    return len(entries), got.returncode


def test_dumps(total, rounds):
    ids = [f"entry{i}" for i in range(total)]
    loop = Loop()
    pub = client(loop, "pub")
    for first in range(0, total, 100):
        peers = [Peer(loop).connect(id, clean=False) for id in ids[first:first + 100]]
        for peer, id in zip(peers, ids[first:]):
            peer.subscribe(f"own/{id}", qos=1)
        acks = {pub.publish(f"dump/{first + i}", b"kept", 1, retain=True) for i in range(100)}
        loop.until(lambda p=peers, a=acks: all(q.subacks for q in p) and a <= pub.acked, "entries")
        if first >= 300:
            for peer in peers:
                peer.close()
    child = Child(change_entries, os.getpid(), total)
    try:
        complete = 0
        for _ in range(rounds):
            counts = {
                "client": dump("client", "client_id", set(ids[:300])),
                "session": dump("session", "client_id", set(ids)),
                "subscription": dump("subscription", "filter", {f"own/{id}" for id in ids}),
                "retained": dump("retained", "topic", {f"dump/{i}" for i in range(total)}),
            }
            complete += sum(status == 0 for _, status in counts.values())
            note(", ".join(f"{noun} {n}{' partly' if s else ''}"
                           for noun, (n, s) in counts.items()))
            check(not child.done(), "entries change all the time")
        check(complete >= 2 * rounds, f"only {complete} dumps of {4 * rounds} were complete")
    finally:
        child.kill()
        loop.close()
    wait_for(lambda: stats()["connections"] == 0, "connections to end")
    # One that stops reading in the middle leaves nothing behind.
    for noun in ("session", "subscription", "retained", "client"):
        run("bash", "-c", f"{CTL} -j {noun} | head -c 100")
    forget([s["client_id"] for s in ctl_json("session")])
    ctl("retained", "del", "filter", "dump/#")
    wait_idle()
    same(stats()["memory"], 0, "memory in the end")


NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
COMMANDS = (["broker"], ["broker", "set", "max-sessions", "5"], ["listener"],
            ["listener", "add", "127.0.0.1:2000"],
            ["listener", "set", "127.0.0.1:1883", "max-qos", "1"],
            ["listener", "del", "127.0.0.1:1883"],
            ["client"], ["client", "kick", "x"], ["client", "show", "x"], ["top"],
            ["session"], ["session", "del", "x"], ["subscription"], ["retained"], ["retained", "del", "all"], ["stats"])


def test_unprivileged():
    before = ctl_json("broker"), ctl_json("listener")
    for command in COMMANDS:
        got = run(*NOBODY, CTL, *command, check_status=False)
        same(got.returncode, 1, f"status of {command}")
        check("not permitted" in got.stderr, f"{command}: {got.stderr}")
    got = run("timeout", "20", *NOBODY, CTL, "monitor", check_status=False)
    same(got.returncode, 1, f"status of monitor ({got.stderr})")
    same((ctl_json("broker"), ctl_json("listener")), before, "settings after all that")


def test_user_namespace():
    """Who owns a user namespace controls the brokers of its network namespaces."""
    own = ("unshare", "--user", "--map-root-user", "--net")
    script = f"""
        set -e
        ip link set lo up
        {CTL} listener add 127.0.0.1:1883
        {CTL} broker set max-sessions 5
        {CTL} -j broker
    """
    got = run(*NOBODY, *own, "bash", "-c", script)
    same(json.loads(got.stdout.splitlines()[-1])["max_sessions"], 5, "setting there")
    check(ctl_json("broker")["max_sessions"] != 5, "settings here are others")
    # But not that of the network namespace that it came from.
    got = run(*NOBODY, "unshare", "--user", "--map-root-user", CTL, "broker", check_status=False)
    same(got.returncode, 1, "status without a network namespace of one's own")
    check("not permitted" in got.stderr, got.stderr)


def main():
    total = scaled(3000, 800)
    tests = (
        ("listener get, add, del", test_listener),
        ("listener set", test_listener_set),
        ("listener: what is wrong is refused", test_listener_wrong),
        ("broker get, set", test_broker),
        ("broker: what is wrong is refused, and nothing is changed", test_broker_wrong),
        ("client get, kick", test_client),
        ("client show", test_client_show),
        ("client show knows each answer", test_answers_seen),
        ("top", test_top),
        ("top gives the terminal back", test_top_screen),
        ("session get, del", test_session),
        ("subscription get", test_subscription),
        ("retained get, del", test_retained),
        ("stats get", test_stats),
        ("wrong use is told apart", test_usage),
        ("monitor tells of events", test_monitor),
        ("nobody waits for a monitor that doesn't read", test_flood),
        (f"dumps of {total} entries while they change", lambda: test_dumps(total, 2)),
        ("others than root are refused", test_unprivileged),
        ("a user namespace controls what it owns", test_user_namespace),
    )
    # It is the first test that makes it.
    if os.environ.get("KMQTT_ONLY"):
        ctl("listener", "add", "127.0.0.1:1883")
    run_tests(tests, clean_up)
    finish()


main()
