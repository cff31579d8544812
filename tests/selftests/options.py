# SPDX-License-Identifier: GPL-2.0
"""Options of configuration files, as clients see them."""

import os
import re
import tempfile

from selftest import check, ctl, ctl_json, finish, mqtt, point, same

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


def main():
    tests = (
        ("clients without an identifier", test_without_id),
        ("what identifiers of the broker's begin with", test_prefix),
        ("prefixes that can't be", test_prefix_wrong),
    )
    only = os.environ.get("KMQTT_ONLY", "")
    for text, test in tests:
        if only in text:
            with point(text):
                test()
    finish()


main()
