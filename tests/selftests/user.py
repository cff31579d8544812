# SPDX-License-Identifier: GPL-2.0
"""Users: kmqttctl user, what the kernel says to requests that the tool wouldn't
make, lists that change, and exchanges that end well or not.
"""

import base64
import hashlib
import hmac
import os
import re
import socket
import struct
import sys

from selftest import (
    CTL, TOP, Child, Generic, Loop, Peer, check, ctl, ctl_json, finish, mqtt, note, receive,
    run, run_tests, same, scaled, stats, wait_for, wait_idle,
)
from scram import Scram

HASHES = {"scram-sha-256": "sha256", "scram-sha-512": "sha512"}
METHODS = list(HASHES)


def derive(method, password, iterations, salt):
    """Salt, StoredKey and ServerKey of RFC 5802."""
    name = HASHES[method]
    salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", name)
    return salt, hashlib.new(name, client).digest(), hmac.digest(salted, b"Server Key", name)


def keys(method, password="pencil", iterations=4096, salt=bytes(range(16)), form="{}:{}:{}:{}"):
    """As `user set NAME METHOD keys` takes them."""
    parts = [base64.b64encode(part).decode() for part in derive(method, password, iterations, salt)]
    return form.format(iterations, *parts)


def add(name, method="scram-sha-256", **more):
    ctl("user", "set", name, method, "keys", keys(method, **more))


def users():
    """{name: {method: iterations}}"""
    return {user["name"]: {method: user[key] for method in METHODS
                           if (key := method.replace("-", "_")) in user}
            for user in ctl_json("user")}


def refused(*args, status=1, says=(), **kw):
    """The tool fails, with one line that has these words in it."""
    text = ctl("user", *args, status=status, **kw)
    check(text.count("\n") == 1 or status == 2, f"more than a line: {text!r}")
    for word in says:
        check(word in text, f"no {word!r} in {text!r}")


def log_in(name, method="scram-sha-256", password="pencil"):
    """The reason code of CONNACK after an exchange; the broker's proof is checked, too."""
    scram = Scram(method.upper(), name, password)
    with socket.create_connection(("127.0.0.1", 1883), 30) as sock:
        props = {"auth_method": scram.method, "auth_data": scram.first()}
        sock.sendall(mqtt.connect(f"by {name}", level=5, props=props))
        got = receive(sock)
        if isinstance(got, mqtt.Auth):
            props["auth_data"] = scram.final(got.props["auth_data"])
            sock.sendall(mqtt.auth(0x18, props))
            got = receive(sock)
        if not got.code:
            scram.verify(got.props["auth_data"])
            sock.sendall(mqtt.disconnect())
        return got.code


# ----------------------------------------------------------------- the tool

def test_set():
    for method in METHODS:
        ctl("user", "set", "one", method, input="pencil\n")
    ctl("user", "set", "name", "all", "scram-sha-256", "iterations", "5000", input="pencil")
    same(users(), {"one": dict.fromkeys(METHODS, 210000), "all": {"scram-sha-256": 5000}}, "users")
    # Deriving so often takes an interpreted guest longer than the broker waits for a client.
    for method in METHODS:
        ctl("user", "set", "one", method, "iterations", "4097", input="pencil\n")
    for method in METHODS:
        same(log_in("one", method), 0, f"with {method}")
        same(log_in("one", method, "Pencil"), 0x87, f"with {method} and a wrong password")
    same(log_in("all"), 0, "with 5000 iterations")
    same(log_in("all", "scram-sha-512"), 0x87, "by a method that there are no keys for")
    # One method's keys are replaced, the other's stay.
    ctl("user", "set", "one", "scram-sha-512", "iterations", "4096", input="other\nlines\n")
    same(users()["one"], {"scram-sha-256": 4097, "scram-sha-512": 4096}, "methods of one")
    same(log_in("one", "scram-sha-512", "other"), 0, "with the new password")
    same(log_in("one", "scram-sha-512"), 0x87, "with the old password")
    same(log_in("one"), 0, "by the other method")
    table = ctl("user").splitlines()
    same(table[0].split(), ["NAME", "SCRAM-SHA-256", "SCRAM-SHA-512", "PASSWORD", "ITERATIONS"],
         "titles")
    same(len(table), 3, "lines")
    ctl("user", "del", "name", "all")
    same(list(users()), ["one"], "users after one was deleted")
    ctl("user", "del", "all")
    same(users(), {}, "users in the end")
    same(log_in("one"), 0x87, "when there is nobody")
    wait_idle()
    same(stats()["memory"], 0, "memory without users")


def test_keys():
    for method in METHODS:
        for form in ("{}:{}:{}:{}", "{}:{}${}:{}", method.upper() + "${}:{}${}:{}"):
            ctl("user", "set", "one", method, "keys", keys(method, form=form))
            same(log_in("one", method), 0, f"{method} with keys as {form}")
            ctl("user", "del", "one")
        for salt in (b"1", bytes(64)):
            add("one", method, salt=salt, iterations=4097)
            same(users()["one"], {method: 4097}, "methods")
            if len(salt) > 8:
                same(log_in("one", method), 0, f"{method} with a salt of {len(salt)} bytes")
    names = ["a b", "a,b=c", "ä", "x" * 256, "-j", "name", "\x01"]
    for name in names:
        ctl("user", "set", "name", name, "scram-sha-256", "keys", keys("scram-sha-256"))
    same(set(users()), {"one", *names}, "names")
    for name in names[:4]:
        same(log_in(name), 0, f"as {name[:20]!r}")
    for name in names:
        ctl("user", "del", "name", name)
    same(list(users()), ["one"], "users")
    ctl("user", "del", "all")
    ctl("user", "del", "all")


def test_wrong():
    add("one")
    good = keys("scram-sha-256")
    refused("set", "", "scram-sha-256", "keys", good, status=2, says=["string"])
    for name in ("x" * 257, "\udcff"):
        refused("set", name, "scram-sha-256", "keys", good, says=["user set", "name"])
    refused("set", status=2)
    refused("set", "two", status=2)
    refused("set", "two", "plain", status=2, says=["plain"])
    refused("set", "two", "scram-sha-256", status=2, input="")
    refused("set", "two", "scram-sha-256", status=2, input="\n")
    refused("set", "two", "scram-sha-256", status=2, input="a\0b\n")
    for number in ("4095", "10000001", "x", "-1"):
        refused("set", "two", "scram-sha-256", "iterations", number, status=2, input="pencil\n")
    refused("set", "two", "scram-sha-256", "iterations", "5000", "more", status=2, input="p\n")
    for number in (1, 4095, 10000001):
        refused("set", "two", "scram-sha-256", "keys", good.replace("4096", str(number)),
                says=["user set", "iterations", "4096", "10000000"])
    for wrong in ("", good[:-1], good + ":", good + "=", " " + good, good.replace(":", "", 1),
                  good.replace("4096:", "4096: "), good.replace("=", "", 1), "x" + good[1:],
                  keys("scram-sha-512"), keys("scram-sha-256", salt=bytes(65)),
                  "SCRAM-SHA-512$" + good, keys("scram-sha-256", salt=b"")):
        refused("set", "two", "scram-sha-256", "keys", wrong, status=2)
    refused("set", "two", "password", "hash", "$argon2id$v=19$m=47104,t=1,p=1$c2FsdA$aGFzaA",
            status=2, says=["argon2id", "sha512-pbkdf2"])
    refused("del", status=2)
    refused("del", "two", says=["user del", "name", "no such user"])
    refused("del", "one", "two", status=2)
    refused("get", "one", status=2)
    same(users(), {"one": {"scram-sha-256": 4096}}, "users after all that")
    ctl("user", "del", "all")


# ------------------------------------------------------------------ netlink

class Raw(Generic):
    """Requests attribute by attribute, and what the kernel says of each."""

    def __init__(self):
        super().__init__()
        for option in (10, 11):     # NETLINK_CAP_ACK, NETLINK_EXT_ACK
            self.sock.setsockopt(270, option, 1)
        with open(f"{TOP}/include/uapi/linux/kmqtt.h") as header:
            found = re.findall(r"^\tKMQTT_A_USER_(\w+)", header.read(), re.M)
        self.attrs = {name: number for number, name in enumerate(found, 1)}

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

    def request(self, command, **attrs):
        """(errno, attribute to blame, text); (0, None, "") if all is well."""
        body = self.send(command, 5, attrs)
        data = self.sock.recv(1 << 16)
        code = -int.from_bytes(data[16:20], sys.byteorder, signed=True)
        blame, text = None, ""
        numbers = {number: name for name, number in self.attrs.items()}
        for kind, value in self.parse(data, 36 if code else len(data)):
            if kind == 1:
                text = value.rstrip(b"\0").decode()
            elif kind == 2:
                at = int.from_bytes(value, sys.byteorder) - 20
                blame = numbers[struct.unpack_from("=H", body, at + 2)[0]]
            elif kind == 5:
                blame = numbers[int.from_bytes(value, sys.byteorder)]
        return code, blame, text

    @staticmethod
    def parse(data, pos):
        while pos < len(data):
            size, kind = struct.unpack_from("=HH", data, pos)
            yield kind & 0x3fff, data[pos + 4:pos + size]
            pos += size + 3 & ~3

    def dump(self):
        """Attributes of each user."""
        self.send("GET", 0x301, {})
        while True:
            data, pos = self.sock.recv(1 << 16), 0
            while pos < len(data):
                size, kind = struct.unpack_from("=IH", data, pos)
                if kind == 3:
                    return
                yield dict(self.parse(data[:pos + size], pos + 20))
                pos += size + 3 & ~3


def test_requests():
    raw = Raw()
    salt, stored, server = derive("scram-sha-256", "pencil", 4096, b"salt" * 4)
    good = {"NAME": b"one", "METHOD": 0, "ITERATIONS": 4096, "SALT": salt,
            "STORED_KEY": stored, "SERVER_KEY": server}
    for name in good:
        rest = {key: value for key, value in good.items() if key != name}
        same(raw.request("SET", **rest)[:2], (22, name), f"without {name}")
    for name, value in (
            ("NAME", b""), ("NAME", b"\0"), ("NAME", b"\xff"), ("NAME", b"a\0b"),
            ("NAME", b"x" * 257), ("METHOD", 2), ("METHOD", 0xffffffff), ("ITERATIONS", 0),
            ("ITERATIONS", 4095), ("ITERATIONS", 10000001), ("SALT", b""), ("SALT", bytes(65)),
            ("STORED_KEY", b""), ("STORED_KEY", bytes(31)), ("STORED_KEY", bytes(64)),
            ("SERVER_KEY", bytes(33)), ("SERVER_KEY", bytes(65))):
        code, blame, _ = raw.request("SET", **{**good, name: value})
        same((code in (22, 34), blame), (True, name), f"errno {code} with {name} {value!r:.40}")
    same(raw.request("SET", **{**good, "METHOD": 1})[:2], (22, "STORED_KEY"), "a key too short")
    same(raw.request("SET", **good, SCRAM_SHA_256=1)[0], 22, "what only replies have")
    same(users(), {}, "users after all that")
    # A null byte behind a name is none of it.
    same(raw.request("SET", **good), (0, None, ""), "a request with everything")
    same(raw.request("SET", **{**good, "NAME": b"one\0", "ITERATIONS": 5000})[0], 0, "once more")
    same(users(), {"one": {"scram-sha-256": 5000}}, "users")
    same(list(raw.dump()), [{1: b"one", 7: struct.pack("=I", 5000)}], "what is told of a user")
    same(raw.request("DEL", NAME=b"one", ALL=b"")[:2], (22, "ALL"), "both ways to delete")
    same(raw.request("DEL")[:2], (22, "NAME"), "neither way")
    same(raw.request("DEL", NAME=b"two")[:2], (2, "NAME"), "nobody")
    same(raw.request("DEL", NAME=b"\xff")[:2], (22, "NAME"), "a name that is none")
    same(len(users()), 1, "users after all that")
    same(raw.request("DEL", ALL=b"")[0], 0, "all")
    same(users(), {}, "users in the end")
    raw.sock.close()


# --------------------------------------------------------------------- many

def set_many(raw, first, last, iterations=4096):
    for i in range(first, last):
        got = raw.request("SET", NAME=b"user%d" % i, METHOD=i % 2, ITERATIONS=iterations,
                          SALT=b"salt" * 2,
                          STORED_KEY=bytes(32 << i % 2), SERVER_KEY=bytes(32 << i % 2))
        same(got[0], 0, f"errno of user{i}")


def change_users(parent, total):
    """Some come and go, and those who stay get other keys."""
    raw, number = Raw(), 0
    while os.getppid() == parent:
        set_many(raw, total, total + 200)
        set_many(raw, number % total, min(number % total + 50, total), 5000 + number)
        for i in range(total, total + 200):
            raw.request("DEL", NAME=b"user%d" % i)
        number += 50


def test_many(total):
    raw = Raw()
    set_many(raw, 0, total)
    same(len(users()), total, "users")
    child, whole = Child(change_users, os.getpid(), total), 0
    try:
        for _ in range(10):
            got = run(CTL, "-j", "user", check_status=False)
            # 4: the table has changed its size meanwhile, some may be missing.
            check(got.returncode in (0, 4), f"status {got.returncode}: {got.stderr}")
            found = set(re.findall(r'"name":"user(\d+)"', got.stdout))
            missing = {str(i) for i in range(total)} - found
            check(got.returncode or not missing, f"{len(missing)} are missing of {len(found)}")
            whole += not got.returncode
            check(not child.done(), "users change all the time")
    finally:
        child.kill()
    note(f"{whole} lists of 10 were complete")
    check(whole >= 5, f"only {whole} lists were complete")
    # One that stops reading in the middle leaves nothing behind.
    run("bash", "-c", f"{CTL} -j user | head -c 100")
    with Raw().sock as sock:
        sock.send(struct.pack("=IHHIIBBH", 20, raw.family, 0x301, 1, 0,
                              raw.names["KMQTT_CMD_USER_GET"], 1, 0))
    ctl("user", "del", "all")
    same(users(), {}, "users in the end")
    wait_idle()
    same(stats()["memory"], 0, "memory without users")
    raw.sock.close()


def test_exchanges_and_changes(rounds):
    """Who logs in while users change is let in or not, and nothing worse."""
    raw = Raw()
    add("one")
    child = Child(change_users, os.getpid(), 50)
    try:
        for i in range(rounds):
            same(log_in("one"), 0, "CONNACK for one")
            same(log_in(f"user{i % 50}", METHODS[i % 2]), 0x87, "CONNACK for a wrong password")
        # He has more iterations, which take their time here.
        same(log_in("nobody"), 0x87, "CONNACK for nobody")
    finally:
        child.kill()
    # Halfway is where many give up.
    loop = Loop()
    for i in range(rounds):
        scram = Scram("SCRAM-SHA-256", "one", "pencil")
        peer = Peer(loop)
        peer.level = 5
        peer.send(mqtt.connect(f"half{i}", level=5, props={
            "auth_method": scram.method, "auth_data": scram.first()}))
    wait_for(lambda: stats()["connections"] == rounds, "connections")
    ctl("user", "del", "all")
    loop.close()
    wait_idle()
    same(stats()["memory"], 0, "memory after all that")
    raw.sock.close()


def test_namespaces():
    run("ip", "netns", "add", "elsewhere")
    try:
        add("here")
        ctl("user", "set", "there", "scram-sha-256", "keys", keys("scram-sha-256"),
            netns="elsewhere")
        same(list(users()), ["here"], "users here")
        same([u["name"] for u in ctl_json("user", netns="elsewhere")], ["there"], "users there")
        refused("del", "there", says=["no such user"])
        ctl("user", "del", "all")
        same(len(ctl_json("user", netns="elsewhere")), 1, "users there, still")
    finally:
        # With a user in it.
        run("ip", "netns", "del", "elsewhere")
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    for command in (["user"], ["user", "del", "all"],
                    ["user", "set", "x", "scram-sha-256", "keys", keys("scram-sha-256")]):
        got = run(*nobody, CTL, *command, check_status=False)
        same(got.returncode, 1, f"status of {command} for somebody else")
        check("not permitted" in got.stderr, f"{command}: {got.stderr}")


def main():
    total = scaled(3000, 600)
    # Deriving keys takes an interpreted guest a while.
    ctl("broker", "set", "connect-timeout", "100")
    tests = (
        ("user set, get, del, and who gets in", test_set),
        ("keys that were derived elsewhere", test_keys),
        ("what is wrong is refused, and nothing is changed", test_wrong),
        ("the kernel tells which attribute is wrong", test_requests),
        (f"lists of {total} users while they change", lambda: test_many(total)),
        ("exchanges while users change", lambda: test_exchanges_and_changes(scaled(100, 40))),
        ("each namespace has users of its own, for its owner alone", test_namespaces),
    )
    run_tests(tests, lambda: ctl("user", "del", "all"))
    add("last")
    finish()


main()
