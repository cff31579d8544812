# SPDX-License-Identifier: GPL-2.0
"""Configurations as a whole: what load makes of files, what save makes of that, and that
nothing happens where anything is wrong.
"""

import base64
import hashlib
import itertools
import json
import os
import re
import socket
import stat
import tempfile
import time

from selftest import (
    CTL, Generic, Loop, Peer, check, client, ctl, ctl_json, finish, note, run, run_tests, same,
    scaled, stats, wait_for,
)
from transaction import Traffic

SALT = bytes(range(12))
DEFAULTS = {}


def b64(data):
    return base64.b64encode(data).decode()


def sha512(name, password="secret"):
    hash_ = hashlib.sha512(password.encode() + SALT).digest()
    return f"{name}:$6${b64(SALT)}${b64(hash_)}\n"


def pbkdf2(name, password="secret", iterations=101):
    hash_ = hashlib.pbkdf2_hmac("sha512", password.encode(), SALT, iterations)
    return f"{name}:$7${iterations}${b64(SALT)}${b64(hash_)}\n"


def scram(name, size=256):
    key = b64(bytes(range(size // 8)))
    return f"{name}:$scram-sha-{size}$4096${b64(SALT)}${key}${key}\n"


class Files:
    """A directory of files, with the main one as the first."""

    def __init__(self, **files):
        self.directory = tempfile.TemporaryDirectory()
        for name, text in files.items():
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text.replace("@", self.directory.name + "/"))

    def path(self, name="main"):
        return os.path.join(self.directory.name, name)

    def read(self, name="main"):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def names(self):
        return sorted(os.listdir(self.directory.name))

    def load(self, **kw):
        """What has changed; or with a status, what is said against it."""
        if kw.get("status"):
            return ctl("load", self.path(), **kw)
        return ctl_json("load", self.path(), **kw)


def load(main, **files):
    return Files(main=main, **files).load()


def saved():
    """All that save writes, by the ends of the files' names."""
    files = Files()
    ctl("save", files.path())
    directory = files.directory.name + "/"
    return {name: files.read(name).replace(directory, "@") for name in files.names()}


def listeners():
    """{"ADDRESS:PORT": row}"""
    return {f"{row['address']}:{row['port']}": row for row in ctl_json("listener")}


def changed(opened=0, closed=0, kept=0, clients=0):
    return {"listeners_opened": opened, "listeners_closed": closed, "listeners_kept": kept,
            "clients_closed": clients}


def code_of(port=1883, host="127.0.0.1", **args):
    """The return code of CONNACK."""
    loop = Loop()
    try:
        peer = Peer(loop, address=(host, port)).connect("somebody", **args)
        loop.until(lambda: peer.connack or peer.closed, "CONNACK")
        check(peer.connack, f"no CONNACK: {peer.closed}")
        return peer.connack.code
    finally:
        loop.close()


# -------------------------------------------------------------------- load

def test_replace():
    """Settings come and go with the file, and so do listeners."""
    got = load("listener 1883 127.0.0.1\nmax_inflight_messages 7\nkmqtt_max_sessions 77\n")
    same(got, changed(kept=1), "changes by the same listener")
    now = ctl_json("broker")
    same((now["max_inflight"], now["max_sessions"]), (7, 77), "settings")
    got = load("listener 1883 127.0.0.1\nmax_qos 1\nlistener 1884 ::1\nmax_connections 3\n"
               "max_topic_alias 5\nuse_username_as_clientid true\nallow_anonymous false\n"
               "kmqtt_client_byte_rate 64K\n")
    same(got, changed(opened=1, kept=1), "changes by one more listener")
    same(ctl_json("broker"), DEFAULTS, "settings that are no longer there")
    rows = listeners()
    same(set(rows), {"127.0.0.1:1883", "::1:1884"}, "listeners")
    row = rows["::1:1884"]
    same([row[name] for name in ("max_connections", "topic_alias_max", "anonymous",
                                 "username_as_client_id")],
         [3, 5, False, True], "what the listener has for itself")
    same(rows["127.0.0.1:1883"]["max_qos"], 1, "max_qos of the other one")
    same([row["client_byte_rate"], rows["127.0.0.1:1883"]["client_byte_rate"]], [65536, 0],
         "rates of both")
    got = load("kmqtt_local_listeners false\n")
    same(got, changed(closed=2), "changes when there is nothing")
    same(listeners(), {}, "listeners")
    same(load(""), changed(opened=2), "changes by an empty file")
    same(set(listeners()), {"127.0.0.1:1883", "::1:1883"}, "listeners of an empty file")


def test_clients_stay():
    main = "listener 1883 127.0.0.1\nmax_inflight_messages {}\n"
    load(main.format(5))
    loop = Loop()
    peer = client(loop, "stays", "a/#")
    for number in range(6, 26):
        same(load(main.format(number)), changed(kept=1), "changes")
        peer.wait_publish(f"a/{number}", b"x", 1)
        loop.until(lambda n=number: len(peer.messages) == n - 5, "the message")
    check(not peer.closed, "the client was closed")
    number = listeners()["127.0.0.1:1883"]["id"]
    load(main.format(5) + "listener 1884 127.0.0.1\n")
    same(listeners()["127.0.0.1:1883"]["id"], number, "number of the listener that was kept")
    peer.wait_ping()
    loop.close()


def test_users():
    main = "listener 1883 127.0.0.1\npassword_file @users\nallow_anonymous {}\n"
    load(main.format("false"), users=sha512("one") + pbkdf2("two") + pbkdf2("three", "x", 1))
    same(code_of(), 5, "without a name")
    for name, password, code in (("one", "secret", 0), ("two", "secret", 0), ("three", "x", 0),
                                 ("one", "Secret", 4), ("two", "", 4), ("four", "secret", 4)):
        got = code_of(username=name, password=password)
        check(got == 0 if code == 0 else got in (4, 5), f"{name} with {password}: {got}")
    load(main.format("true"), users=sha512("four"))
    same(code_of(), 0, "without a name, when that is allowed")
    same(code_of(username="four", password="secret"), 0, "a new user")
    check(code_of(username="one", password="secret") in (4, 5), "an old user is let in")
    load(main.format("true"), users="")
    check(code_of(username="four", password="secret") in (4, 5), "a file without users")
    load("listener 1883 127.0.0.1\n")
    same(code_of(username="four", password="x"), 0, "without a password file")


def test_rates():
    """What a listener allows a second holds for its clients, and not for another's."""
    main = "listener 1883 127.0.0.1\n{}listener 1884 127.0.0.1\n"
    load(main.format("kmqtt_client_message_rate 10\n"))
    loop = Loop()
    slow, fast = (Peer(loop, address=("127.0.0.1", port)).wait_connect(f"at{port}")
                  for port in (1883, 1884))
    start = time.monotonic()
    for peer in slow, fast:
        for number in range(40):
            peer.publish("a", bytes([number]))
        peer.ping()
    loop.until(lambda: fast.pongs, "the end of what isn't limited")
    check(not slow.pongs, "the client of the other listener isn't limited")
    loop.until(lambda: slow.pongs, "the end of what is")
    took = time.monotonic() - start
    # A second's worth may come at once: 30 messages are left for their time.
    check(took >= 2.5, f"40 messages at 10 a second took {took:.1f} s")
    loop.close()
    load(main.format(""))
    same(listeners()["127.0.0.1:1883"]["client_message_rate"], 0, "the rate after that")


def test_realms():
    """Each listener has its users."""
    load("per_listener_settings true\n"
         "listener 1883 127.0.0.1\npassword_file @one\nallow_anonymous false\n"
         "listener 1884 127.0.0.1\npassword_file @two\nallow_anonymous false\n"
         "listener 1885 127.0.0.1\n", one=sha512("one"), two=sha512("two"))
    for port, name, good in ((1883, "one", True), (1883, "two", False), (1884, "one", False),
                             (1884, "two", True), (1885, "one", True), (1885, "two", True)):
        code = code_of(port, username=name, password="secret")
        same(code == 0, good, f"{name} is let in on port {port} ({code})")


def test_wrong():
    """A file with anything wrong in it changes nothing."""
    load("listener 1883 127.0.0.1\npassword_file @users\nacl_file @rules\n"
         "max_inflight_messages 7\n", users=sha512("one"), rules="topic a\nuser one\ntopic b\n")
    before, rows = saved(), listeners()
    for main, status, says in (
            ("listener 1884\nwrong\n", 2, "/main:2: there is no option 'wrong'\n"),
            ("listener 1884\npersistence true\n", 2, "/main:2: persistence can only be false"),
            ("listener 1884\npassword_file @none\n", 2, "none: No such file or directory"),
            ("listener 1884\npassword_file @bad\n", 2, "/bad:1: user 'x': a password in plain"),
            ("listener 1884 127.0.0.1\nlistener 1884 203.0.113.5\n", 1,
             "/main:2: can't bind to this address\n"),
            ("listener 1884\nmax_qos 1\n\nkmqtt_backpressure hold\n", 1, "/main:4: ")):
        text = Files(main=main, bad="x:y\n").load(status=status)
        check(says in text, f"no {says!r} in {text!r}")
        same(saved(), before, "configuration")
        same(listeners(), rows, "listeners")
    with socket.create_server(("127.0.0.1", 1885)):
        text = Files(main="listener 1884\nlistener 1885 127.0.0.1\n").load(status=1)
        check("/main:2: address and port are in use\n" in text, text)
    same(saved(), before, "configuration after a port was in use")
    same(code_of(username="one", password="secret"), 0, "the user")
    run(CTL, "load", "--check", "/dev/null")
    same(saved(), before, "configuration after a check")


def test_transaction():
    """What was sent is forgotten with its socket, and others see nothing of it."""
    load("listener 1883 127.0.0.1\nmax_inflight_messages 7\n")
    before = saved()
    for _ in range(3):
        raw = Generic()
        raw.command("config", "begin", raw.ACK)
        raw.command("broker", "set", raw.ACK, max_inflight=9)
        same(saved(), before, "configuration while another is sent")
        raw.sock.close()
        same(saved(), before, "configuration after the socket was closed")
    same(load("listener 1883 127.0.0.1\n"), changed(kept=1), "the next one")
    same(ctl_json("broker"), DEFAULTS, "settings after that")


# What takes the place of a listener, more users, status, and what is said against it.
BROKEN = (
    ("listener 1886\nmax_inflight_messages many\n", "", 2, "/main:2: "),
    ("listener 1886 127.0.0.1\nlistener 1890 127.0.0.1\n", "", 1,
     "/main:2: address and port are in use\n"),
    ("listener 1886 127.0.0.1\n", "x:y\n", 2, "/users:4: user 'x': a password in plain"),
)


def test_load(count):
    """Two configurations take turns under load, and each tenth time there is something wrong with
    one. Clients whom both let in stay, and nobody loses a message.
    """
    main = "{}password_file @users\nacl_file @rules\nallow_anonymous false\n"
    one = dict(main=main.format("listener 1883 127.0.0.1\nlistener 1884 127.0.0.1\n"
                                "max_inflight_messages 7\n"),
               users=sha512("one") + sha512("two") + pbkdf2("three"),
               rules="topic read a/#\nuser one\ntopic load/#\n")
    other = dict(main=main.format("listener 1885 127.0.0.1\nlistener 1883 127.0.0.1\n"
                                  "kmqtt_max_sessions 77\n"),
                 users=pbkdf2("four") + sha512("one"),
                 rules="user four\ntopic a\npattern load/#\n")
    good = itertools.cycle([Files(**one), Files(**other)])
    broken = itertools.cycle([
        (Files(main=main.format(begin), users=one["users"] + users, rules=one["rules"]), status,
         says) for begin, users, status, says in BROKEN])
    next(good).load()
    with socket.create_server(("127.0.0.1", 1890)), Traffic(username="one", password="secret"):
        for number in range(1, count + 1):
            if number % 10:
                same(next(good).load(), changed(1, 1, 1), f"changes by load {number}")
                continue
            before = saved(), listeners()
            files, status, says = next(broken)
            text = files.load(status=status)
            check(says in text, f"no {says!r} in {text!r}")
            same((saved(), listeners()), before, f"configuration after load {number}")


# -------------------------------------------------------------------- save

CONFIGURATIONS = {
    "nothing": dict(main=""),
    "no listener": dict(main="kmqtt_local_listeners false\npassword_file @u\nacl_file @r\n",
                        u=sha512("one"), r="topic a\n"),
    "settings": dict(main="listener 1883\nmax_inflight_messages 0\nmax_queued_messages 0\n"
                     "max_queued_bytes 0\nmemory_limit 0\nmax_keepalive 60\n"
                     "max_packet_size 2000\npersistent_client_expiration 2w\n"
                     "retain_available false\nkmqtt_max_queued_messages 0\n"
                     "message_size_limit 100000\nqueue_qos0_messages true\n"
                     "upgrade_outgoing_qos true\nmax_inflight_bytes 1000\n"
                     "kmqtt_bh_path off\nkmqtt_backpressure drop\nclientid_prefixes a # \n"
                     "kmqtt_response_information a  b # c\nkmqtt_max_connections 4294967295\n"),
    "limits of 0": dict(main="listener 1883\nmessage_size_limit 0\nmax_keepalive 0\n"
                         "max_inflight_bytes 0\n"),
    "none at all": dict(main="listener 1883\nkmqtt_max_payload_size 0\n"),
    "addresses": dict(main="listener 1883\nmax_connections 7\nlistener 1884 0.0.0.0\nmax_qos 0\n"
                      "listener 1885 ::\nmax_topic_alias 0\nmax_topic_alias_broker 7\n"
                      "listener 1886 ::1\naccept_protocol_versions 3, 5\n"
                      "allow_anonymous true\nlistener 1887 127.0.0.1\n"
                      "use_username_as_clientid true\n"),
    "rates": dict(main="listener 1883\nkmqtt_connect_rate 1000\nkmqtt_message_rate 4294967295\n"
                  "kmqtt_byte_rate 64M\nkmqtt_client_message_rate 1\n"
                  "kmqtt_client_byte_rate 65537\nlistener 1884\nkmqtt_byte_rate 0\n"
                  "kmqtt_client_message_rate 20\nlistener 1885 127.0.0.1\n"),
    "identifiers": dict(main="auto_id_prefix all: \nallow_zero_length_clientid false\n"
                        "listener 1883\nlistener_auto_id_prefix a # b\nlistener 1884\n"),
    "identifiers of each": dict(main="per_listener_settings true\nlistener 1883\n"
                                "allow_zero_length_clientid false\nlistener 1884\n"
                                "auto_id_prefix é\npassword_file @u\nlistener 1885\n"
                                "password_file @u\n", u=sha512("one")),
    "users": dict(main="listener 1883\npassword_file @u\n",
                  u=sha512("a b") + pbkdf2("ä") + scram("one") + scram("one", 512) +
                  pbkdf2("one", iterations=1) + sha512(" #x") + pbkdf2("x" * 256)),
    "rules": dict(main="listener 1883\nacl_file @r\n",
                  r="topic a\ntopic deny b/#\npattern read %u/%c\nuser one\ntopic write a b\n"
                  "topic readwrite +/+/#\nuser a b\ntopic read " + "x" * 8192 + "\n"),
    "empty files": dict(main="listener 1883\npassword_file @u\nacl_file @r\n", u="", r=""),
    "realms": dict(main="per_listener_settings true\n"
                   "listener 1883\nacl_file @r\nlistener 1884\npassword_file @u\nacl_file @r\n"
                   "listener 1885\nlistener 1886\npassword_file @u\nlistener 1887\nacl_file @r\n",
                   u=sha512("one"), r="user one\ntopic read a\n"),
}


def test_round_trip():
    for what, files in CONFIGURATIONS.items():
        first = Files(**files)
        meant = ctl_json("load", "--check", first.path())
        first.load()
        files = Files()
        ctl("save", files.path())
        # What was meant is there, and what isn't said is as it was by default.
        again = ctl_json("load", "--check", files.path())
        same(again["settings"], DEFAULTS | meant["settings"], f"{what}: settings")
        for old, new in zip(meant["listeners"], again["listeners"], strict=True):
            same({name: new.get(name) for name in old}, old, f"{what}: listener")

        def rest(conf):
            return [(realm["authenticate"], realm["restrict"],
                     sorted(map(json.dumps, realm["users"])),
                     sorted(map(json.dumps, realm["rules"]))) for realm in conf["realms"]]

        same(rest(again), rest(meant), f"{what}: users and rules")
        before = saved()
        count = len(again["listeners"])
        same(files.load(), changed(kept=count), f"{what}: changes by what was saved")
        same(saved(), before, f"{what}: what is saved then")


def test_interface():
    """At the first addresses of an interface; where they are now, load tells."""
    def wants(*addresses):
        same(set(listeners()), {"127.0.0.1:1883", *addresses}, "listeners")

    load("listener 1883 127.0.0.1\n")
    run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
    try:
        run("ip", "link", "set", "near", "addrgenmode", "none")
        for end in ("near", "far"):
            run("ip", "link", "set", end, "up")
        for address in ("10.79.0.1/24", "10.80.0.1/24"):
            run("ip", "addr", "add", address, "dev", "near")
        for address in ("fe80::79/64", "fd79::1/64"):
            run("ip", "addr", "add", address, "dev", "near", "nodad")
        files = Files(main="listener 1883 127.0.0.1\nlistener 1884\nbind_interface near\n"
                           "allow_anonymous true\n")
        same(files.load(), changed(opened=2, kept=1), "changes by an interface")
        wants("10.79.0.1:1884", "fd79::1:1884")
        for host in ("10.79.0.1", "fd79::1"):
            same(code_of(1884, host), 0, f"a client at {host}")
        try:
            socket.create_connection(("10.80.0.1", 1884)).close()
            check(False, "there is a listener at the second address")
        except ConnectionRefusedError:
            pass
        main = saved()["main"]
        check("listener 1884 10.79.0.1" in main and "bind_interface" not in main,
              f"what is saved: {main}")
        wait_for(lambda: stats()["connections"] == 0, "connections to end")
        run("ip", "addr", "del", "10.79.0.1/24", "dev", "near")
        run("ip", "addr", "del", "fd79::1/64", "dev", "near")
        wants("10.79.0.1:1884", "fd79::1:1884")
        same(files.load(), changed(opened=2, closed=2, kept=1), "changes by other addresses")
        wants("10.80.0.1:1884", "fe80::79%near:1884")
        same(files.load(), changed(kept=3), "changes by the same addresses")
        again = Files(main=saved()["main"])
        same(again.load(), changed(kept=3), "changes by what was saved")
    finally:
        load("listener 1883 127.0.0.1\n")
        run("ip", "link", "del", "near")


def test_save():
    main = "listener 1883 127.0.0.1\npassword_file @users\nacl_file @rules\n"
    load(main, users=sha512("one"), rules="topic a\n")
    files = Files(main="old", other="mine")
    os.umask(0o22)
    ctl("save", files.path())
    same(files.names(), ["main", "main.acl", "main.passwd", "other"], "files")
    modes = {name: stat.S_IMODE(os.stat(files.path(name)).st_mode) for name in files.names()}
    same(modes["main.passwd"], 0o600, "mode of the file with users")
    same(modes["main.acl"], 0o644, "mode of the file with rules")
    same(files.read("main.passwd"), sha512("one"), "users")
    check(files.path("main.passwd") in files.read(), "no whole path in the main file")
    # Without a name nothing is written, and what is printed can't be loaded by mistake.
    printed = Files(main=ctl("save"))
    check("password_file FILE.passwd" in printed.read(), "what is printed")
    text = printed.load(status=2)
    check("FILE.passwd: No such file" in text, text)
    # No files are left where one can't be written.
    os.mkdir(files.path("main.d"))
    os.mkdir(files.path("main.d.acl"))
    text = ctl("save", files.path("main.d"), status=3)
    check("main.d" in text, text)
    check(not any(re.search(r"\.(?!passwd$)[A-Za-z0-9]{6}$", name) for name in files.names()),
          f"files that are left: {files.names()}")
    check("No such file" in ctl("save", "/nowhere/x", status=3), "a directory that isn't there")
    ctl("save", "a", "b", status=2)
    # A user that a password file can't have.
    keys = f"4096:{b64(SALT)}:{b64(bytes(32))}:{b64(bytes(32))}"
    ctl("user", "set", "name", "a:b", "scram-sha-256", "keys", keys)
    check("'a:b'" in ctl("save", files.path(), status=3), "a name with a colon")
    same(files.read("main.passwd"), sha512("one"), "users, which were not saved")


def test_many(count):
    users = "".join(sha512(f"user{number}") for number in range(count))
    rules = "".join(f"user user{number}\ntopic write user{number}/#\n" for number in range(count))
    main = "listener 1883 127.0.0.1\npassword_file @users\nacl_file @rules\n"
    start = time.monotonic()
    load(main, users=users, rules=rules)
    note(f"{count} users and rules took {time.monotonic() - start:.1f} s")
    files = Files()
    ctl("save", files.path())
    same(sorted(files.read("main.passwd").splitlines()), sorted(users.splitlines()), "users")
    same(code_of(username=f"user{count - 1}", password="secret"), 0, "the last user")
    load("listener 1883 127.0.0.1\n")
    wait_for(lambda: stats()["connections"] == 0, "connections to end")
    wait_for(lambda: not stats()["memory"], "the memory of users and rules to be given back")


def main():
    DEFAULTS.update(ctl_json("broker"))
    count, loads = scaled(10000, 1500), scaled(100, 20)
    tests = (
        ("load replaces settings and listeners", test_replace),
        ("clients stay while configurations come and go", test_clients_stay),
        ("users of a file", test_users),
        ("rates of each listener", test_rates),
        ("users of each listener", test_realms),
        ("what is wrong changes nothing", test_wrong),
        ("what isn't committed changes nothing", test_transaction),
        (f"{loads} loads under load", lambda: test_load(loads)),
        ("what is saved and loaded is the same", test_round_trip),
        ("listeners of an interface", test_interface),
        ("files that save writes", test_save),
        (f"{count} users and rules", lambda: test_many(count)),
    )
    run_tests(tests)
    finish()


main()
