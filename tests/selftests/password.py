# SPDX-License-Identifier: GPL-2.0
"""Users with passwords: who gets in, what waits meanwhile, and that those who
guess neither get far nor keep others out.
"""

import base64
import contextlib
import glob
import hashlib
import itertools
import os
import re
import socket
import statistics
import struct
import sys
import tempfile
import time

from selftest import (
    PATIENCE, TOP, Generic, Loop, Peer, check, client, ctl, ctl_json, finish, load, loaded, mqtt,
    netns, note, receive, run, run_tests, same, scaled, stats, unload, wait_for, wait_idle,
)
from scram import Scram

LISTEN = "listen=127.0.0.1:1883"
BAD = {3: 4, 4: 4, 5: 0x86}
UNAUTHORIZED = {3: 5, 4: 5, 5: 0x87}
BUSY = {3: 3, 4: 3, 5: 0x89}
# Takes minutes wherever this runs, so it is being checked for as long as it has to be.
SLOW = 10000000
# Each wrong password from elsewhere, so that none has to wait for those before.
_sources = (f"127.{a}.{b}.{c}" for a, b, c in itertools.product(range(2, 255), range(255),
                                                                range(1, 255)))


def pbkdf2(password, iterations=100, salt=bytes(range(12))):
    """As mosquitto_passwd writes it."""
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)
    return f"$7${iterations}${encode(salt)}${encode(key)}"


def sha512(password, salt=bytes(range(12))):
    return f"$6${encode(salt)}${encode(hashlib.sha512(password.encode() + salt).digest())}"


def encode(data):
    return base64.b64encode(data).decode()


def slow(seed=0):
    """A hash that nobody has a password for, and that takes very long to be sure of."""
    return f"$7${SLOW}${encode(bytes(12))}${encode(bytes([seed]) * 64)}"


def add(name, text):
    ctl("user", "set", name, "password", "hash", text)


def users():
    return {user["name"]: (user.get("password_method"), user.get("password_iterations"))
            for user in ctl_json("user")}


def connack(level=4, source=None, **args):
    """The code of CONNACK, after which the connection ends."""
    loop = Loop()
    peer = Peer(loop, source=source or next(_sources))
    peer.level = level
    peer.connect(args.pop("client_id", "one"), level=level, **args)
    loop.until(lambda: peer.connack or peer.closed, "CONNACK")
    check(peer.connack, f"no CONNACK: {peer.closed}")
    if peer.connack.code:
        peer.wait_closed()
    else:
        peer.disconnect()
    loop.close()
    return peer.connack.code


def waiting(count, *loops, where=None):
    """Until so many passwords wait or are being checked; clients of the loops go on."""
    def arrived():
        for loop in loops:
            loop.turn(0)
        return stats(where)["passwords_waiting"] == count
    # After wrong ones they wait for seconds each.
    wait_for(arrived, f"{count} passwords to wait", 4 * PATIENCE)


class anonymous_off:
    """A port, number 1884, for those who prove who they are."""

    def __enter__(self):
        ctl("listener", "add", "127.0.0.1:1884", "anonymous", "off")

    def __exit__(self, *_):
        ctl("listener", "del", "127.0.0.1:1884")


def connack_1884(level, **args):
    loop = Loop()
    peer = Peer(loop, ("127.0.0.1", 1884), source=next(_sources))
    peer.level = level
    peer.connect("one", level=level, **args)
    loop.until(lambda: peer.connack or peer.closed, "CONNACK")
    loop.close()
    return peer.connack.code


# ------------------------------------------------------------------- the tool

def test_tool():
    ctl("user", "set", "one", "password", input="secret\n")
    ctl("user", "set", "name", "two", "password", "iterations", "7", input="secret")
    add("three", pbkdf2("secret", 1))
    add("four", sha512("secret"))
    same(users(), {"one": ("pbkdf2-sha512", 1000), "two": ("pbkdf2-sha512", 7),
                   "three": ("pbkdf2-sha512", 1), "four": ("sha512", None)}, "users")
    for name in ("one", "two", "three", "four"):
        same(connack(username=name, password="secret"), 0, name)
        same(connack(username=name, password="Secret"), BAD[4], name)
    titles = ctl("user").splitlines()[0].split()
    check({"PASSWORD", "ITERATIONS"} < set(titles), f"titles: {titles}")
    good = pbkdf2("secret")
    for wrong in ("", "secret", good[1:], good[:-1], good + "$", good.replace("$7$", "$5$"),
                  good.replace("$100$", "$0$"), good.replace("$100$", "$10000001$"),
                  good.replace("$100$", "$x$"), good.replace("$100$", "$"),
                  good.replace("$7$", "$6$"), sha512("x").replace("$6$", "$7$"),
                  pbkdf2("x", salt=bytes(65)), pbkdf2("x", salt=b""), good[:-4]):
        ctl("user", "set", "one", "password", "hash", wrong, status=2)
    for number in ("0", "10000001", "x", "-1"):
        ctl("user", "set", "one", "password", "iterations", number, status=2, input="secret\n")
    for rest in ([], ["hash"], ["iterations"], ["more"], ["hash", good, "more"]):
        ctl("user", "set", "one", "password", *rest, status=2, input="")
    same(users()["one"], ("pbkdf2-sha512", 1000), "one after all that")
    # Either credential of a user leaves the other alone.
    ctl("user", "set", "one", "scram-sha-256", "iterations", "4096", input="other\n")
    same(connack(username="one", password="secret"), 0, "the password beside SCRAM")
    same(connack(username="one", password="other"), BAD[4], "the password of SCRAM")
    add("one", pbkdf2("third"))
    same(connack(username="one", password="third"), 0, "the new password")
    same(connack(username="one", password="secret"), BAD[4], "the old password")
    same(ctl_json("user")[0].keys() & {"password_salt", "password_hash"}, set(), "secrets told")
    ctl("user", "del", "all")
    wait_idle()
    same(stats()["memory"], 0, "memory without users")


def test_mosquitto():
    """Hashes that mosquitto_passwd has made."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/passwd"
        run("mosquitto_passwd", "-c", "-b", path, "joe", "secret word")
        run("mosquitto_passwd", "-b", path, "ann", "\u00e4\u00f6\u00fc")
        run("mosquitto_passwd", "-H", "sha512", "-b", path, "old", "x" * 100)
        with open(path) as file:
            lines = dict(line.strip().split(":", 1) for line in file)
    check(lines["joe"].startswith("$7$") and lines["old"].startswith("$6$"), f"{lines}")
    for name, text in lines.items():
        add(name, text)
    for level in (3, 4, 5):
        same(connack(level, username="joe", password="secret word"), 0, "joe")
        same(connack(level, username="ann", password="\u00e4\u00f6\u00fc"), 0, "ann")
        same(connack(level, username="old", password="x" * 100), 0, "old")
        same(connack(level, username="old", password="x" * 99), BAD[level], "old, one less")
        same(connack(level, username="joe", password="\u00e4\u00f6\u00fc"), BAD[level], "ann's")


# -------------------------------------------------------------------- netlink

class Raw(Generic):
    """Requests attribute by attribute."""

    def __init__(self):
        super().__init__()
        for option in (10, 11):     # NETLINK_CAP_ACK, NETLINK_EXT_ACK
            self.sock.setsockopt(270, option, 1)
        with open(f"{TOP}/include/uapi/linux/kmqtt.h") as header:
            found = re.findall(r"^\tKMQTT_A_USER_(\w+)", header.read(), re.M)
        self.attrs = {name: number for number, name in enumerate(found, 1)}
        self.numbers = {number: name for name, number in self.attrs.items()}

    def send(self, command, flags, attrs):
        body = b""
        for name, value in attrs.items():
            if isinstance(value, int):
                value = struct.pack("=I", value)
            body += struct.pack("=HH", 4 + len(value), self.attrs[name]) + value
            body += bytes(-len(body) % 4)
        self.sock.send(struct.pack("=IHHIIBBH", 20 + len(body), self.family, flags, 1, 0,
                                   self.names[f"KMQTT_CMD_USER_{command}"], 1, 0) + body)
        return body

    def request(self, **attrs):
        """(errno, attribute to blame)"""
        body = self.send("SET", 5, attrs)
        data = self.sock.recv(1 << 16)
        code, blame = -int.from_bytes(data[16:20], sys.byteorder, signed=True), None
        for kind, value in self.parse(data, 36 if code else len(data)):
            if kind == 2:
                at = int.from_bytes(value, sys.byteorder) - 20
                blame = self.numbers[struct.unpack_from("=H", body, at + 2)[0]]
            elif kind == 5:
                blame = self.numbers[int.from_bytes(value, sys.byteorder)]
        return code, blame

    @staticmethod
    def parse(data, pos):
        while pos < len(data):
            size, kind = struct.unpack_from("=HH", data, pos)
            yield kind & 0x3fff, data[pos + 4:pos + size]
            pos += size + 3 & ~3

    def dump(self, **attrs):
        """Attributes of each entry."""
        self.send("GET", 0x301, attrs)
        while True:
            data, pos = self.sock.recv(1 << 16), 0
            while pos < len(data):
                size, kind = struct.unpack_from("=IH", data, pos)
                if kind == 3:
                    return
                yield {self.numbers[attr]: value
                       for attr, value in self.parse(data[:pos + size], pos + 20)}
                pos += size + 3 & ~3


def number(value):
    return struct.pack("=I", value)


def test_requests():
    raw = Raw()
    good = {"NAME": b"one", "PASSWORD_METHOD": 0, "PASSWORD_ITERATIONS": 10,
            "PASSWORD_SALT": b"salt" * 3, "PASSWORD_HASH": bytes(range(64))}
    old = {"NAME": b"one", "PASSWORD_METHOD": 1, "PASSWORD_SALT": b"s", "PASSWORD_HASH": bytes(64)}
    scram = {"NAME": b"one", "METHOD": 0, "ITERATIONS": 4096, "SALT": b"salt" * 4,
             "STORED_KEY": bytes(32), "SERVER_KEY": bytes(32)}
    for name in good:
        rest = {key: value for key, value in good.items() if key != name}
        blame = "METHOD" if name == "PASSWORD_METHOD" else name
        same(raw.request(**rest), (22, blame), f"without {name}")
    for name, value in (
            ("PASSWORD_METHOD", 2), ("PASSWORD_ITERATIONS", 0), ("PASSWORD_ITERATIONS", 10000001),
            ("PASSWORD_SALT", b""), ("PASSWORD_SALT", bytes(65)), ("PASSWORD_HASH", bytes(63)),
            ("PASSWORD_HASH", bytes(65)), ("PASSWORD_HASH", b"")):
        code, blame = raw.request(**{**good, name: value})
        same((code in (22, 34), blame), (True, name), f"errno {code} with {name} {value!r:.40}")
    same(raw.request(**old, PASSWORD_ITERATIONS=1), (22, "PASSWORD_ITERATIONS"), "of SHA-512")
    for name in ("METHOD", "ITERATIONS", "SALT", "STORED_KEY", "SERVER_KEY"):
        same(raw.request(**{**good, name: scram[name]}), (22, name), f"a password with {name}")
    for name in ("PASSWORD_ITERATIONS", "PASSWORD_SALT", "PASSWORD_HASH"):
        same(raw.request(**{**scram, name: good[name]}), (22, name), f"SCRAM with {name}")
    same(users(), {}, "users after all that")
    for request in (good, scram, {**old, "NAME": b"two"}):
        same(raw.request(**request)[0], 0, "errno")
    same({entry["NAME"]: entry for entry in raw.dump()}, {
        b"one": {"NAME": b"one", "SCRAM_SHA_256": number(4096), "PASSWORD_METHOD": number(0),
                 "PASSWORD_ITERATIONS": number(10)},
        b"two": {"NAME": b"two", "PASSWORD_METHOD": number(1)}}, "what is told of users")
    want = [{name: number(value) if isinstance(value, int) else value
             for name, value in request.items()} for request in (good, scram, {**old, "NAME": b"two"})]
    got = list(raw.dump(SECRETS=b""))
    same(len(got), 3, "entries with secrets")
    for entry in want:
        check(entry in got, f"no {entry} in {got}")
    # More than one message has room for, each of them whole.
    for i in range(200):
        raw.request(**{**good, "NAME": b"user%d" % i})
        raw.request(**{**scram, "NAME": b"user%d" % i})
    found = [tuple(sorted(entry.items())) for entry in raw.dump(SECRETS=b"")]
    # Some come twice if the table has just changed its size.
    same(len(set(found)), 403, "entries of many users")
    raw.sock.close()


# -------------------------------------------------------------- who gets in

def test_connect():
    # Without passwords, user names mean nothing.
    for level in (3, 4, 5):
        same(connack(level, username="any", password="thing"), 0, "when there are no passwords")
    ctl("user", "set", "scram", "scram-sha-256", "iterations", "4096", input="secret\n")
    same(connack(username="any", password="thing"), 0, "when there are keys of SCRAM only")
    add("one", pbkdf2("secret"))
    add("none", pbkdf2(""))
    add("old", sha512("secret"))
    add("ä b", pbkdf2("secret"))
    add("x" * 256, pbkdf2("\0" * 300))
    for level in (3, 4, 5):
        for name in ("one", "old", "ä b"):
            same(connack(level, username=name, password="secret"), 0, f"{name}, {level}")
            for wrong in ("", "secre", "secret ", "Secret", "s" * 5000):
                same(connack(level, username=name, password=wrong), BAD[level], f"{name}: {wrong}")
            same(connack(level, username=name), BAD[level], f"{name} without a password")
        same(connack(level, username="x" * 256, password="\0" * 300), 0, "the longest name")
        same(connack(level, username="x" * 257, password="\0" * 300), BAD[level], "a longer one")
        for name in ("", "On", "one ", "nobody", "scram"):
            same(connack(level, username=name, password="secret"), BAD[level], f"as {name!r}")
            same(connack(level, username=name), BAD[level], f"as {name!r} without a password")
        same(connack(level, username="none", password=""), 0, "an empty password")
        same(connack(level, username="none"), BAD[level], "no password is not an empty one")
        same(connack(level), 0, "without a user name")
    # A password without a name is nobody's [5.0 allows it].
    same(connack(5, password="secret"), 0, "a password alone")
    with anonymous_off():
        for level in (3, 4, 5):
            same(connack_1884(level, username="one", password="secret"), 0, "where one has to")
            same(connack_1884(level, username="one", password="x"), BAD[level], "a wrong one there")
            same(connack_1884(level), UNAUTHORIZED[level], "nobody there")
        ctl("user", "del", "all")
        for level in (3, 4, 5):
            same(connack_1884(level, username="one", password="secret"), BAD[level],
                 "there, when there are no users")
    same(connack(username="one", password="wrong"), 0, "when there are no passwords again")


def test_scram():
    """Enhanced authentication is what it was, for who has a password as well."""
    ctl("user", "set", "one", "scram-sha-512", "iterations", "4096", input="pencil\n")
    add("one", pbkdf2("secret"))
    with socket.create_connection(("127.0.0.1", 1883), 30) as sock:
        scram = Scram("SCRAM-SHA-512", "one", "pencil")
        # What CONNECT says of user and password is not looked at then.
        props = {"auth_method": scram.method, "auth_data": scram.first()}
        sock.sendall(mqtt.connect("scram", level=5, props=props, username="x", password="y"))
        got = receive(sock)
        props["auth_data"] = scram.final(got.props["auth_data"])
        sock.sendall(mqtt.auth(0x18, props))
        same(receive(sock).code, 0, "CONNACK")
        same([c["user"] for c in ctl_json("client")], ["one"], "user of the client")
    wait_idle()
    # Who came by password can't go on by another way.
    with socket.create_connection(("127.0.0.1", 1883), 30) as sock:
        sock.sendall(mqtt.connect("pass", level=5, username="one", password="secret"))
        same(receive(sock).code, 0, "CONNACK")
        sock.sendall(mqtt.auth(0x19, {"auth_method": ""}))
        got = receive(sock)
        same((got.__class__.__name__, got.code), ("Disconnect", 0x82), "answer to AUTH")


# ------------------------------------------------------------- while it waits

def workers():
    """Names of the kernel's workers, and seconds of the processor that each has had."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path) as file:
            name, rest = re.match(r"\d+ \((.*)\) . (.*)", file.read()).groups()
            if name.startswith("kworker/"):
                ticks = sum(map(int, rest.split()[10:12]))
                yield name, ticks / os.sysconf("SC_CLK_TCK")


def worked():
    return sum(seconds for _, seconds in workers())


def checking():
    """Is a password being checked, and doesn't just wait?"""
    return any(name.endswith("+kmqtt_crypt") for name, _ in workers())


def held():
    """A check that holds up all others until its client resets the connection."""
    add("slow", slow())
    loop = Loop()
    peer = Peer(loop).connect("slow", username="slow", password="x")
    # After those before that ended in the same way it waits for seconds.
    loop.until(checking, "the password to be checked")
    return loop, peer


def test_order(level):
    """Nothing is lost, reordered or handled before CONNACK."""
    add("one", pbkdf2("secret"))
    loop = Loop()
    witness = client(loop, "witness", "x/#", qos=1)
    holding, holder = held()

    def pieces(name):
        return [mqtt.connect(name, level=level, username="one", password="secret"),
                mqtt.subscribe(1, (f"x/{name}/1", 1), level=level),
                *(mqtt.publish(f"x/{name}/{i % 3}", b"%d" % i, 1, i + 1, level=level)
                  for i in range(50)),
                mqtt.publish(f"x/{name}/large", b"l" * 70000, 0, level=level), mqtt.pingreq()]

    whole, split = Peer(loop), Peer(loop)
    for peer in (whole, split):
        peer.level = level
    whole.send(b"".join(pieces("whole")))
    waiting(2, loop)
    first, *rest = pieces("split")
    split.send(first)
    waiting(3, loop)
    for piece in rest:
        split.send(piece[:len(piece) // 2])
        loop.turn(0)
        split.send(piece[len(piece) // 2:])
    witness.wait_ping()
    same((whole.connack, split.connack, witness.messages), (None, None, []), "before the check")
    same(stats()["passwords_waiting"], 3, "passwords that wait")
    holder.close(reset=True)
    loop.until(lambda: whole.pongs and split.pongs, "PINGRESP")
    # A Peer leaves properties, of which there are none, with the payload.
    props = b"\0" if level == 5 else b""
    own = [props + b"%d" % i for i in range(50) if i % 3 == 1]
    loop.until(lambda: all(len(peer.messages) == len(own) for peer in (whole, split)),
               "own messages")
    for peer in (whole, split):
        same(peer.connack.code, 0, "CONNACK")
        same(peer.subacks, {1: [1]}, "SUBACK")
        same([payload for _, payload, *_ in peer.messages], own, "own messages")
        same(peer.acked, set(range(1, 51)), "acknowledged")
    loop.until(lambda: len(witness.messages) == 102, "all messages")
    for name in ("whole", "split"):
        got = [(t, p) for t, p, *_ in witness.messages if t.startswith(f"x/{name}/")]
        same(got, [(f"x/{name}/{i % 3}", b"%d" % i) for i in range(50)] +
             [(f"x/{name}/large", b"l" * 70000)], f"messages of {name}")
    loop.close()
    holding.close()
    wait_idle()


def test_fire_and_forget():
    """Who says it all at once and goes has said it."""
    add("one", pbkdf2("secret"))
    loop = Loop()
    witness = client(loop, "witness", "x/#", qos=1)
    holding, holder = held()
    with socket.create_connection(("127.0.0.1", 1883), 30) as sock:
        sock.sendall(mqtt.connect("brief", username="one", password="secret") +
                     mqtt.publish("x/1", b"said", 1, 1) + mqtt.disconnect())
        sock.shutdown(socket.SHUT_WR)
        waiting(2)
        witness.wait_ping()
        same(witness.messages, [], "before the check")
        holder.close(reset=True)
        data = b""
        while more := sock.recv(1000):
            data += more
    same(data, bytes.fromhex("2002000040020001"), "CONNACK, PUBACK and the end")
    loop.until(lambda: witness.messages, "the message")
    loop.close()
    holding.close()
    wait_idle()


def test_closing():
    """Connections that end while a password is being checked, or waits for it."""
    add("slow", slow())
    before = stats()

    def begin(count):
        loop = Loop()
        peers = [Peer(loop).connect(f"c{i}", username="slow", password="x") for i in range(count)]
        waiting(count, loop)
        return loop, peers

    # They reset the connection: the one that is checked, and those that wait.
    loop, peers = begin(20)
    for peer in peers:
        peer.close(reset=True)
    waiting(0)
    wait_idle()
    loop.close()
    # An operator ends it.
    loop, peers = begin(20)
    ids = [c["connection"] for c in ctl_json("client")]
    same(len(ids), 20, "connections")
    ctl("listener", "del", "127.0.0.1:1883", "kick")
    loop.until(lambda: all(peer.closed for peer in peers), "the connections to end")
    ctl("listener", "add", "127.0.0.1:1883")
    waiting(0)
    wait_idle()
    loop.close()
    # The user goes meanwhile. Most users' passwords are fast, and so is nobody's.
    for name in ("fast", "faster", "fastest"):
        add(name, pbkdf2("secret"))
    loop, peers = begin(1)
    late = Peer(loop).connect("late", username="fast", password="secret")
    waiting(2, loop)
    ctl("user", "del", "fast")
    peers[0].close(reset=True)
    loop.until(lambda: late.connack, "CONNACK")
    same(late.connack.code, BAD[4], "of a user who is gone")
    loop.close()
    same(stats()["passwords_checked"] - before["passwords_checked"], 1, "checks that were done")


def test_many(count):
    """More than may wait; who is turned away is told so."""
    before = stats()
    add("one", pbkdf2("secret"))
    holding, holder = held()
    loop = Loop()
    peers = []
    for first in range(0, count, 50):
        peers += [Peer(loop).connect(f"m{i}", username="one", password="secret")
                  for i in range(first, first + 50)]
        wait_for(lambda: stats()["passwords_waiting"] == min(len(peers) + 1, 256) or
                 loop.turn(0), "passwords to wait")
    loop.until(lambda: sum(bool(peer.connack) for peer in peers) == count - 255,
               "those who are too many to be told")
    same({peer.connack.code for peer in peers if peer.connack}, {BUSY[4]}, "what they are told")
    same(stats()["passwords_refused"] - before["passwords_refused"], count - 255, "refused")
    # Others have their own place.
    other = Peer(loop, source="127.0.0.2").connect("other", username="one", password="secret")
    waiting(257, loop)
    holder.close(reset=True)
    loop.until(lambda: all(peer.connack for peer in peers) and other.connack, "all CONNACKs")
    codes = [peer.connack.code for peer in peers]
    same((codes.count(0), codes.count(BUSY[4]), other.connack.code), (255, count - 255, 0), "codes")
    now = stats()
    same(now["passwords_checked"] - before["passwords_checked"], 256, "checked")
    same(now["passwords_waiting"], 0, "waiting")
    loop.close()
    holding.close()
    wait_idle()


class Guesser(Peer):
    """Has a wrong password, over and over."""

    def __init__(self, loop, told):
        super().__init__(loop, source="127.0.0.2")
        self.told = told
        self.connect("guesser", username="one", password="guess")

    def on_connack(self, code, present):
        self.told.append(code)


def log_in(loop, client_id):
    """Seconds that it takes somebody honest, who comes from where nobody guesses."""
    start = time.monotonic()
    peer = Peer(loop, source="127.0.0.3").connect(client_id, username="one", password="secret")
    loop.until(lambda: peer.connack or peer.closed, "CONNACK of who is honest")
    check(peer.connack and not peer.connack.code, f"CONNACK: {peer.connack}")
    peer.disconnect()
    return time.monotonic() - start


def test_brute_force(tries):
    """Who guesses gets neither far nor much of the processor, and others get in as ever."""
    add("one", pbkdf2("secret", 1000))
    loop, told, guessers = Loop(), [], []
    busy = worked()
    quiet = statistics.median(log_in(loop, f"quiet{i}") for i in range(tries))
    cost = (worked() - busy) / tries
    before, start, busy, waited = stats(), time.monotonic(), worked(), []
    for i in range(tries):
        guessers = [peer for peer in guessers if not peer.closed]
        while len(guessers) < 30:
            guessers.append(Guesser(loop, told))
        waited.append(log_in(loop, f"honest{i}"))
        # Clients come between all of twelve guesses; from the seventh on, these wait for 2 s.
        loop.until(lambda n=i: len(told) >= 12 * (n + 1) // tries, "guesses")
    now, took, busy = stats(), time.monotonic() - start, worked() - busy
    checked, wrong = (now[name] - before[name] for name in ("passwords_checked", "passwords_wrong"))
    honest = statistics.median(waited)
    note(f"{wrong} guesses in {took:.1f} s")
    note(f"{tries} clients wait for {honest:.3f} s, and without guesses for {quiet:.3f} s")
    note(f"{checked} checks took {busy:.2f} s, and one without guesses {cost:.3f} s")
    check(wrong <= 8 + took / 2, f"{wrong} guesses in {took:.1f} s")
    check(took >= 11.5, f"twelve guesses in {took:.1f} s")
    same(set(told), {BAD[4]}, "what they were told")
    # A client may have to wait for a guess, but not for as long as the guesser has to.
    check(honest <= 10 * quiet, f"clients wait for {honest:.3f} s, not {quiet:.3f} s")
    check(busy <= 4 * cost * (checked + 1) + 2, f"{checked} checks took {busy:.2f} s")
    for peer in guessers:
        peer.close(reset=True)
    loop.close()
    waiting(0)
    wait_idle()


def test_reset(guesses):
    """Who doesn't wait to be told that a guess was wrong waits before the next one."""
    add("slow", slow())
    add("one", pbkdf2("secret"))
    loop, begun = Loop(), []
    for _ in range(guesses):
        guesser = Peer(loop, source="127.0.0.4").connect("guesser", username="slow", password="x")
        loop.until(checking, "the guess to be checked")
        begun.append(time.monotonic())
        guesser.close(reset=True)
        waiting(0)
    log_in(loop, "honest")
    loop.close()
    pauses = [after - before for before, after in itertools.pairwise(begun)]
    note(f"pauses: {', '.join(f'{pause:.2f}' for pause in pauses)}")
    # 50 ms after the first, twice as long after each that follows, but no more than 2 s.
    for number, pause in enumerate(pauses, 1):
        least = min(0.05 * 2 ** (number - 1), 2)
        check(pause >= 0.95 * least, f"{pause:.2f} s after guess {number}, not {least:.2f} s")
    wait_idle()


# -------------------------------------------------------------------- the end

def test_namespace():
    """One goes that has passwords to check, from several addresses."""
    run("ip", "netns", "add", "gone")
    run("ip", "-n", "gone", "link", "set", "lo", "up")
    ctl("listener", "add", "127.0.0.1:1883", netns="gone")
    ctl("user", "set", "slow", "password", "hash", slow(), netns="gone")
    loop = Loop()
    with netns("gone"):
        for i in range(30):
            Peer(loop, source=f"127.0.0.{2 + i % 5}").connect(f"g{i}", username="slow", password="x")
    waiting(30, loop, where="gone")
    loop.close()
    run("ip", "netns", "del", "gone")
    # Whether it is gone shows in that the workqueue is free again.
    add("one", pbkdf2("secret"))
    same(connack(username="one", password="secret"), 0, "afterwards")


def test_unload():
    """The module goes while passwords are being checked, wait, or will be later."""
    for failures in (0, 3):
        if not loaded():
            load(LISTEN)
        add("slow", slow())
        add("one", pbkdf2("secret"))
        loop = Loop()
        for i in range(failures):
            same(connack(source="127.0.0.9", username="one", password="x"), BAD[4], f"failure {i}")
        peers = [Peer(loop, source=f"127.0.0.{2 + i % 8}") for i in range(64)]
        for i, peer in enumerate(peers):
            peer.connect(f"u{i}", username="slow", password="x")
        waiting(64, loop)
        start = time.monotonic()
        unload()
        note(f"unloaded in {time.monotonic() - start:.2f} s")
        loop.until(lambda p=peers: all(peer.closed for peer in p), "the connections to end")
        loop.close()
    load(LISTEN)


def forget_users():
    with contextlib.suppress(AssertionError):
        ctl("user", "del", "all")


def main():
    tests = (
        ("user set with passwords and hashes", test_tool),
        ("hashes that mosquitto_passwd has made", test_mosquitto),
        ("the kernel tells which attribute is wrong, and secrets to who asks", test_requests),
        ("who gets in, who doesn't, and what they are told", test_connect),
        ("enhanced authentication stays as it is", test_scram),
        ("what comes while a password is checked waits (3.1.1)", lambda: test_order(4)),
        ("what comes while a password is checked waits (5.0)", lambda: test_order(5)),
        ("who says it all and goes is heard", test_fire_and_forget),
        ("connections end while their passwords are checked", test_closing),
        ("more passwords than may wait", lambda: test_many(scaled(400, 300))),
        ("guessing from one address", lambda: test_brute_force(scaled(36, 12))),
        ("guessing without waiting for the answer", lambda: test_reset(10)),
        ("a namespace goes while passwords wait", test_namespace),
        ("the module unloads while passwords wait", test_unload),
    )
    run_tests(tests, forget_users)
    finish()


main()
