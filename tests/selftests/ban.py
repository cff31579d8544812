# SPDX-License-Identifier: GPL-2.0
"""Bans, by hand and for flapping: who is not let in, who has to go, for how long."""

import contextlib
import json
import os
import select
import subprocess
import tempfile
import time

from selftest import (
    CTL, Child, Generic, Loop, Peer, broker_set, check, client, ctl, ctl_json, finish, mqtt,
    note, run, run_tests, same, scaled, settings, stats, wait_for, wait_idle,
)

BANNED = {3: 5, 4: 5, 5: 0x8a}
BAD = {3: 4, 4: 4, 5: 0x86}
ADMINISTRATIVE = 0x98
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


class Told(Peer):
    """Remembers the DISCONNECT that it got."""
    goodbye = None

    def __init__(self, loop, *args, level=4, **kw):
        super().__init__(loop, *args, **kw)
        self.level = level

    def _packet(self, first, body):
        if first >> 4 == mqtt.DISCONNECT:
            self.goodbye = mqtt.decode(first, body, self.level)
        super()._packet(first, body)


def told(loop, client_id, level=5, peer_args=None, **args):
    """A client that is online."""
    return client(loop, client_id, cls=Told, level=level,
                  peer_args={"level": level} | (peer_args or {}), **args)


def code_of(client_id="one", level=4, peer_args=None, **args):
    """The code of CONNACK, or None if there was none."""
    loop = Loop()
    try:
        peer = Told(loop, level=level, **(peer_args or {}))
        peer.connect(client_id, level=level, **args)
        loop.until(lambda: peer.connack or peer.closed, "CONNACK")
        if peer.connack and peer.connack.code:
            peer.wait_closed()
        return peer.connack.code if peer.connack else None
    finally:
        loop.close()


def gone(peer):
    """It was disconnected by the operator's will, and told so if it can be."""
    peer.wait_closed()
    if peer.level == 5:
        same(peer.goodbye.code, ADMINISTRATIVE, "reason of DISCONNECT")
    else:
        same(peer.goodbye, None, "DISCONNECT")


def counted(before, number):
    """So many were refused, all of them because of a ban."""
    for name in ("connections_banned", "connections_refused"):
        wait_for(lambda n=name: stats()[n] - before[n] == number, f"{number} {name}")


def ban(*who):
    ctl("ban", "add", *map(str, who))


def unban(*who):
    ctl("ban", "del", *map(str, who))


def clear():
    if not stats()["bans"]:
        return
    raw = Generic()
    for entry in ctl_json("ban"):
        if "address" in entry:
            unban("address", entry["address"])
        else:
            raw.command("ban", "del", raw.ACK, **{
                name: entry[name].encode() for name in ("client_id", "user") if name in entry})
    raw.sock.close()
    same(stats()["bans"], 0, "bans")


def refused(*args, status=1, says=()):
    """The tool fails, with one line that has these words in it."""
    text = ctl("ban", *args, status=status)
    check(text.count("\n") == 1 or status == 2, f"more than a line: {text!r}")
    for word in says:
        check(word in text, f"no {word!r} in {text!r}")


def test_client():
    before = stats()
    for level in (3, 4, 5):
        same(code_of("pump", level), 0, f"code before, at level {level}")
    ban("client", "pump")
    for level in (3, 4, 5):
        same(code_of("pump", level), BANNED[level], f"code at level {level}")
        same(code_of("pump1", level), 0, f"code of another at level {level}")
        same(code_of("pum", level), 0, f"code of another at level {level}")
    same(stats()["bans"], 1, "bans in the statistics")
    counted(before, 3)
    unban("client", "pump")
    same(stats()["bans"], 0, "bans in the statistics")
    same(code_of("pump"), 0, "code after")


def test_client_online():
    loop = Loop()
    watcher = client(loop, "watcher", "will/#")
    peers = [told(loop, f"c{level}", level, will=mqtt.Will(f"will/{level}", b"gone"))
             for level in (3, 4, 5)]
    for peer in peers:
        ban("client", f"c{peer.level}")
        gone(peer)
    loop.until(lambda: len(watcher.messages) == 3, "wills")
    watcher.wait_ping()
    # What the client has stays for when it may come back.
    kept = told(loop, "kept", clean=False, props={"session_expiry": 1000})
    kept.send(mqtt.subscribe(1, ("a/#", 1), level=5))
    wait_for(lambda: loop.turn(0) or ctl_json("session", "get", "kept")["subscriptions"] == 1,
             "the subscription")
    ban("client", "kept")
    gone(kept)
    watcher.wait_publish("a/b", b"x", 1)
    same(ctl_json("session", "get", "kept")["queued_messages"], 1, "messages that wait")
    clear()
    kept = told(loop, "kept", clean=False, props={"session_expiry": 0})
    loop.until(lambda: kept.connack.session_present, "the session")
    loop.close()


def test_address():
    before = stats()
    here, there = {"source": "127.0.0.9"}, {"source": "127.0.1.9"}
    loop = Loop()
    peers = [told(loop, f"v{level}", level, peer_args=here) for level in (4, 5)]
    silent = Told(loop, **here)
    other = told(loop, "other", 4, peer_args=there)
    wait_for(lambda: stats()["connections"] == 4, "all connections")
    ban("address", "127.0.0.9")
    for peer in peers:
        gone(peer)
    silent.wait_closed()
    other.wait_ping()
    same(code_of("late", peer_args=here), None, "code from that address")
    same(code_of("late", 5, peer_args=here), None, "code from that address")
    same(code_of("late", peer_args=there), 0, "code from another")
    # One of them had not sent a CONNECT before the ban.
    counted(before, 3)
    unban("address", "127.0.0.9")
    same(code_of("late", peer_args=here), 0, "code after")

    ban("address", "127.0.1.0/24")
    other.wait_closed()
    same(code_of("late", peer_args=there), None, "code from the network")
    same(code_of("late", peer_args={"source": "127.0.1.255"}), None, "code from its end")
    same(code_of("late", peer_args={"source": "127.0.2.0"}), 0, "code from behind it")
    same(code_of("late", peer_args=here), 0, "code from elsewhere")
    # A network of all of IPv6 has no IPv4 in it.
    six = {"address": ("::1", 1883)}
    same(code_of("six", peer_args=six), 0, "code by IPv6")
    ban("address", "::/0")
    same(code_of("six", peer_args=six), None, "code by IPv6")
    same(code_of("late", peer_args=here), 0, "code by IPv4")
    unban("address", "::/0")
    ban("address", "::1")
    same(code_of("six", peer_args=six), None, "code by IPv6")
    clear()
    same(code_of("six", peer_args=six), 0, "code by IPv6")
    loop.close()


def test_both_families():
    """Clients of IPv4 that come to a socket of both have the same address."""
    number = ctl_json("listener", "add", "*:1884", "anonymous", "on")["id"]
    where = {"address": ("127.0.0.1", 1884), "source": "127.0.0.9"}
    same(code_of("mapped", peer_args=where), 0, "code")
    ban("address", "127.0.0.8/30")
    same(code_of("mapped", peer_args=where), None, "code")
    clear()
    ctl("listener", "del", "id", str(number), "kick")


def test_user():
    """A user is who has proven it; nobody else learns of the ban or is hit by it."""
    for name in ("anna", "otto"):
        ctl("user", "set", name, "password", "iterations", "1", input="secret\n")
    loop = Loop()
    online = [told(loop, f"{name}{level}", level, username=name, password="secret")
              for name in ("anna", "otto") for level in (4, 5)]
    ban("user", "anna")
    for peer in online[:2]:
        gone(peer)
    for peer in online[2:]:
        check(not peer.closed, "another user was disconnected")
    for level in (3, 4, 5):
        args = {"username": "anna", "level": level}
        same(code_of(password="secret", **args), BANNED[level], f"code at level {level}")
        same(code_of(password="wrong", **args), BAD[level], f"code of another at level {level}")
    same(code_of(username="otto", password="secret"), 0, "code of another user")
    same(code_of("anna"), 0, "code of a client that is called so")
    unban("user", "anna")
    same(code_of(username="anna", password="secret"), 0, "code after")
    loop.close()
    ctl("user", "del", "all")
    # Where nobody has to prove it, the name that is given counts.
    ban("user", "anna")
    same(code_of(username="anna"), BANNED[4], "code without proof")
    same(code_of(username="anno"), 0, "code of another")
    clear()


def test_expiry():
    # Long enough for a slow machine to see it.
    ban("client", "soon", "expiry", scaled(8, 20))
    same(code_of("soon"), 5, "code")
    ban("address", "127.0.0.9", "expiry", "2s")
    ban("client", "later", "expiry", "1h")
    wait_for(lambda: stats()["bans"] == 1, "bans to be over")
    same(code_of("soon"), 0, "code after")
    same(code_of("there", peer_args={"source": "127.0.0.9"}), 0, "code after")
    same(code_of("later"), 5, "code of the one that stays")
    # A ban of the same takes the place of the one before.
    ban("client", "later", "expiry", "30m")
    same(len(ctl_json("ban")), 1, "bans")
    ban("client", "later", "expiry", 1)
    wait_for(lambda: code_of("later") == 0, "the ban to be over")
    ban("client", "later", "expiry", 1)
    ban("client", "later", "expiry", 0)
    time.sleep(1.5)
    same(code_of("later"), 5, "code under a ban for good")
    clear()


def test_list():
    same(ctl_json("ban"), [], "bans")
    ban("client", "one", "reason", "too \"loud\"", "expiry", "1h")
    ban("user", "two", "expiry", 0)
    ban("address", "192.0.2.7")
    ban("address", "2001:db8::/32", "reason", "x" * 256)
    ban("address", "0.0.0.0/0", "expiry", 4294967295)
    unban("address", "0.0.0.0/0")
    for words in (["ban"], ["ban", "get"], ["ban", "list"]):
        bans = ctl_json(*words)
        check(3500 <= bans[0].pop("expires_in") <= 3600, "expires-in")
        same(bans, [
            {"client_id": "one", "origin": "operator", "reason": "too \"loud\""},
            {"user": "two", "origin": "operator"},
            {"address": "192.0.2.7", "origin": "operator"},
            {"address": "2001:db8::/32", "origin": "operator", "reason": "x" * 256},
        ], "bans")
    lines = ctl("ban", "list").splitlines()
    same(lines[0].split(), ["ADDRESS", "CLIENT-ID", "USER", "EXPIRES-IN", "BY", "REASON"], "title")
    same(len(lines), 5, "lines of the table")
    check("192.0.2.7" in lines[3] and "2001:db8::/32" in lines[4], f"{lines}")
    # More than fit into a message, in their order.
    clear()
    raw = Generic()
    for i in range(200):
        raw.command("ban", "add", raw.ACK, client_id=b"c%04d" % i, reason=b"r" * 200)
    raw.sock.close()
    names = [entry["client_id"] for entry in ctl_json("ban")]
    same(names, [f"c{i:04}" for i in range(200)], "bans")
    clear()
    wait_idle()
    same(stats()["memory"], 0, "memory without bans")


def test_refused():
    refused("add", "client", "x" * 1025, says=["ban add", "client-id", "1024 bytes"])
    refused("add", "user", "x" * 257, says=["ban add", "user", "256 bytes"])
    refused("add", "client", b"\xff", says=["ban add", "client-id", "UTF-8"])
    refused("add", "client", "x", "reason", "y" * 257, says=["reason", "256 bytes"])
    refused("add", "client", "x", "reason", b"\xff", says=["reason", "UTF-8"])
    refused("add", "address", "10.0.0.1/8", says=["ban add", "address", "prefix"])
    refused("add", "address", "2001:db8::1/64", says=["ban add", "address", "prefix"])
    refused("del", "address", "10.0.0.0/8", says=["ban del", "no such ban"])
    refused("del", "client", "nobody", says=["ban del", "no such ban"])
    for args in (["add"], ["add", "client"], ["add", "nonsense", "x"], ["add", "client", ""],
                 ["add", "address", "10.0.0.0/33"], ["add", "address", "::/129"],
                 ["add", "address", "localhost"], ["add", "address", "10.0.0.1:1883"],
                 ["add", "address", "10.0.0.0/"], ["add", "client", "x", "expiry"],
                 ["add", "client", "x", "expiry", "-1"],
                 ["add", "client", "x", "expiry", "5000000000"],
                 ["add", "client", "x", "expiry", "1", "expiry", "1"],
                 ["add", "client", "x", "nonsense"], ["del"], ["del", "client", "x", "y"],
                 ["list", "x"], ["nonsense"]):
        refused(*args, status=2, says=["ban"])
    same(ctl_json("ban"), [], "bans after all that")
    # Whom it is about has to be told once.
    raw = Generic()
    for what in ({}, {"client_id": b"x", "user": b"y"}, {"client_id": b"x", "prefix": (1, 1)},
                 {"addr4": bytes(4), "prefix": (33, 1)}, {"addr4": bytes(4), "addr6": bytes(16)},
                 {"addr6": bytes(15)}, {"client_id": b"\0"}, {"prefix": (0, 1)}):
        for verb in ("add", "del"):
            try:
                raw.command("ban", verb, raw.ACK, **what)
                raise AssertionError(f"{verb} takes {what}")
            except OSError:
                pass
    # Not while this socket is telling a configuration.
    raw.command("config", "begin", raw.ACK)
    try:
        raw.command("ban", "add", raw.ACK, client_id=b"x")
        raise AssertionError("a configuration takes a ban")
    except OSError:
        pass
    raw.sock.close()
    same(ctl_json("ban"), [], "bans after all that")


def test_max():
    with settings(max_bans=3):
        for name in "abc":
            ban("client", name)
        refused("add", "client", "d", says=["max-bans"])
        ban("client", "c", "expiry", 1)
        wait_for(lambda: stats()["bans"] == 2, "a ban to be over")
        ban("client", "d")
        broker_set("max-bans", 0)
        refused("add", "client", "e", says=["max-bans"])
        same(code_of("d"), 5, "code under a ban that was there before")
    ctl("broker", "set", "max-bans", "1048577", status=1)
    clear()


class BanMonitor:
    """kmqttctl -j monitor ban, once it listens."""

    def __init__(self):
        self.child = subprocess.Popen([CTL, "-j", "monitor", "ban", "connect"],
                                      stdout=subprocess.PIPE, bufsize=0)
        end = time.monotonic() + 30
        while not select.select([self.child.stdout], [], [], 0.2)[0]:
            code_of("probe")
            check(time.monotonic() < end, "monitor says nothing")

    def wait(self, **want):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([self.child.stdout], [], [], 0.2)[0]:
                event = json.loads(self.child.stdout.readline())
                if want.items() <= event.items():
                    return event
        raise AssertionError(f"no event {want}")

    def close(self):
        self.child.kill()
        self.child.wait()


def test_flapping():
    defaults = ctl_json("broker")
    same([defaults[name] for name in ("flapping_max", "flapping_window", "flapping_ban")],
         [0, 60, 300], "settings at first")
    for _ in range(20):
        same(code_of("often"), 0, "code while nothing is counted")
    seconds = scaled(15, 30)
    loop = Loop()
    with contextlib.closing(BanMonitor()) as monitor, \
            settings(flapping_max=3, flapping_window=3600, flapping_ban=seconds):
        for _ in range(3):
            told(loop, "often").close()
        gone(told(loop, "often"))
        event = monitor.wait(event="ban")
        same((event["client_id"], event["address"]), ("often", "127.0.0.1"), "event")
        for level in (3, 4, 5):
            same(code_of("often", level), BANNED[level], f"code at level {level}")
        same(code_of("other"), 0, "code of another")
        check("flapping" in ctl("ban"), "table with it")
        entry = ctl_json("ban")[0]
        check(1 <= entry.pop("expires_in") <= seconds, "expires-in")
        same(entry, {"client_id": "often", "origin": "flapping",
                     "reason": "connected too often"}, "the ban")
        wait_for(lambda: not stats()["bans"], "the ban to be over")
        same(code_of("often"), 0, "code after")
    loop.close()


def test_take_over():
    """Two that are called the same throw each other out, but not for ever."""
    with settings(flapping_max=10, flapping_window=3600, flapping_ban=3600):
        loop = Loop()
        peers = []
        while not (peers and peers[-1].connack and peers[-1].connack.code):
            check(len(peers) < 20, "it goes on and on")
            peers.append(Told(loop, level=5).connect("twin", level=5))
            loop.until(lambda: peers[-1].connack or peers[-1].closed, "CONNACK")
        same(len(peers), 12, "the one that is refused")
        same(peers[-1].connack.code, 0x8a, "code")
        for peer in peers:
            peer.wait_closed()
        # 0x8e: taken over
        same([peer.goodbye.code for peer in peers[:11]], [0x8e] * 10 + [ADMINISTRATIVE],
             "reasons of DISCONNECT")
        wait_for(lambda: not stats()["connections"], "connections to end")
        loop.close()
    clear()


def test_not_counted():
    """Who is refused has not connected; and what was long ago doesn't count."""
    ctl("user", "set", "anna", "password", "iterations", "1", input="secret\n")
    with settings(flapping_max=3, flapping_window=1):
        for i in range(5):
            peer_args = {"source": f"127.1.{i}.1"}
            same(code_of("guess", username="anna", password="wrong", peer_args=peer_args), 4,
                 "code of a wrong password")
        for _ in range(6):
            same(code_of("slow", username="anna", password="secret"), 0, "code")
            time.sleep(0.6)
        same(ctl_json("ban"), [], "bans")
    ctl("user", "del", "all")
    with settings(flapping_max=1, max_bans=0):
        for _ in range(5):
            same(code_of("often"), 0, "code where there is no room for a ban")
    for args in (["flapping-window", "0"], ["flapping-window", "2d"], ["flapping-ban", "0"]):
        check(args[0] in ctl("broker", "set", *args, status=1), "which setting is wrong")


def test_load():
    """A configuration has settings, but leaves bans alone."""
    ban("client", "one")
    ban("address", "127.0.0.9", "expiry", "1h")
    before = [{**entry, "expires_in": None} for entry in ctl_json("ban")]
    main = ("listener 1883 127.0.0.1\nlistener 1883 ::1\nkmqtt_max_bans 77\n"
            "kmqtt_flapping_max 3\nkmqtt_flapping_window 1m\nkmqtt_flapping_ban 1h\n")
    with tempfile.TemporaryDirectory() as where:
        path, again = f"{where}/main", f"{where}/again"
        for text in (main, "listener 1883 127.0.0.1\nlistener 1883 ::1\n", main):
            with open(path, "w") as file:
                file.write(text)
            ctl("load", path)
            same([{**entry, "expires_in": None} for entry in ctl_json("ban")], before, "bans")
            same(code_of("one"), 5, "code")
            now = ctl_json("broker")
            same([now[name] for name in ("max_bans", "flapping_max", "flapping_window",
                                         "flapping_ban")],
                 [77, 3, 60, 3600] if text is main else [4096, 0, 60, 300], "settings")
        ctl("save", again)
        meant = ctl_json("load", "--check", again)["settings"]
        same((meant["max_bans"], meant["flapping_ban"]), (77, 3600), "settings that were saved")
        # They are in force.
        for _ in range(3):
            same(code_of("often"), 0, "code")
        loop = Loop()
        gone(told(loop, "often"))
        loop.close()
        with open(path, "w") as file:
            file.write("listener 1883 127.0.0.1\nlistener 1883 ::1\n")
        ctl("load", path)
    clear()


def come_and_go(parent):
    """Connections that want to be the one that is banned now and then."""
    loop, peers = Loop(), []
    while os.getppid() == parent:
        peers = [peer for peer in peers if not peer.closed]
        while len(peers) < 4:
            peers.append(Peer(loop).connect("race"))
        loop.turn(0.01)


def racers():
    return [entry for entry in ctl_json("client") if entry.get("client_id") == "race"]


def test_race(rounds):
    """Whoever comes in at the moment of a ban doesn't stay."""
    children = [Child(come_and_go, os.getpid()) for _ in range(2)]
    raw = Generic()
    try:
        for i in range(rounds):
            who = {"client_id": b"race"} if i % 2 else {"addr4": bytes((127, 0, 0, 1))}
            wait_for(racers, "a client to be let in")
            raw.command("ban", "add", raw.ACK, **who)
            # One that is online for as long as it takes to see the ban may be seen.
            for _ in range(3):
                wait_for(lambda: not racers(), "the client to go")
            check(not any(child.done() for child in children), "children are there")
            raw.command("ban", "del", raw.ACK, **who)
        note(f"{stats()['connections_banned']} connections refused")
    finally:
        raw.sock.close()
        for child in children:
            child.kill()
    clear()


def test_unprivileged():
    ban("client", "one")
    for args in (["list"], ["add", "client", "two"], ["del", "client", "one"]):
        got = run(*NOBODY, CTL, "ban", *args, check_status=False)
        same(got.returncode, 1, f"status of {args}")
        check("not permitted" in got.stderr, f"{args}: {got.stderr}")
    same([entry["client_id"] for entry in ctl_json("ban")], ["one"], "bans after all that")
    clear()


def main():
    rounds = scaled(8, 4)
    tests = (
        ("client identifiers", test_client),
        ("clients that are there have to go", test_client_online),
        ("addresses and networks", test_address),
        ("IPv4 by a socket of both families", test_both_families),
        ("users", test_user),
        ("bans end", test_expiry),
        ("list", test_list),
        ("what is wrong is refused", test_refused),
        ("no more than max-bans", test_max),
        ("who connects too often is banned", test_flapping),
        ("take-overs count, too", test_take_over),
        ("what does not count", test_not_counted),
        ("configurations leave bans alone", test_load),
        ("who comes at that moment doesn't stay", lambda: test_race(rounds)),
        ("others than root are refused", test_unprivileged),
    )
    run_tests(tests, clear)
    wait_idle()
    finish()


main()
