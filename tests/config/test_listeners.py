# SPDX-License-Identifier: GPL-2.0
"""Listeners: where they are, what they have for themselves, and who may come in."""

import json
import subprocess

import pytest

from conftest import CTL
from test_options import LOCAL


def listeners(conf, main, notes=(), **files):
    """[(address, port), ...] and the first one's attributes."""
    got = conf.good(main, notes, **files)["listeners"]
    return [(one["address"], one["port"]) for one in got], got[0] if got else None


@pytest.mark.parametrize("main, want", [
    ("listener 1884\n", [("*", 1884)]),
    ("listener 1884 # all\n", [("*", 1884)]),
    ("listener 1884 127.0.0.1\n", [("127.0.0.1", 1884)]),
    ("listener 1884 127.0.0.1 # here\n", [("127.0.0.1", 1884)]),
    ("listener 1884 0.0.0.0\n", [("0.0.0.0", 1884)]),
    ("listener 1884 ::\n", [("::", 1884)]),
    ("listener 1884 ::1\n", [("::1", 1884)]),
    ("listener 1884 fe80::1%lo\n", [("fe80::1%lo", 1884)]),
    ("listener 1884\nsocket_domain ipv4\n", [("0.0.0.0", 1884)]),
    ("listener 1884\nsocket_domain ipv6\n", [("::", 1884)]),
    ("listener 1884 10.0.0.1\nsocket_domain ipv4\n", [("10.0.0.1", 1884)]),
    ("listener 1884\nlistener 1885\n", [("*", 1884), ("*", 1885)]),
    ("listener 65535\n", [("*", 65535)]),
    ("listener 0x10\n", [("*", 16)]),
    ("port 1884\n", [("*", 1884)]),
    ("bind_address 10.0.0.1\n", [("10.0.0.1", 1883)]),
    ("bind_address 10.0.0.1\nport 1884\n", [("10.0.0.1", 1884)]),
    ("port 1884\nsocket_domain ipv6\n", [("::", 1884)]),
    ("socket_domain ipv6\nport 1884\n", [("::", 1884)]),
    ("listener 1885 10.0.0.1\nport 1884\n", [("10.0.0.1", 1885), ("*", 1884)]),
    ("socket_domain ipv4\n", [("127.0.0.1", 1883)]),
    ("socket_domain ipv6\n", [("::1", 1883)]),
    ("kmqtt_local_listeners true\n", [("127.0.0.1", 1883), ("::1", 1883)]),
    ("kmqtt_local_listeners false\n", []),
    ("kmqtt_local_listeners false\nlistener 1884\n", [("*", 1884)]),
])
def test_addresses(conf, main, want):
    assert listeners(conf, main)[0] == want


def test_name(conf):
    got, _ = listeners(conf, "listener 1884 localhost\n")
    assert ("127.0.0.1", 1884) in got
    assert set(got) <= {("127.0.0.1", 1884), ("::1", 1884)}
    got, _ = listeners(conf, "listener 1884 localhost\nsocket_domain ipv4\n")
    assert got == [("127.0.0.1", 1884)]


@pytest.mark.parametrize("main, errors", [
    ("listener 0\n", ["1: port 0 is for a Unix socket, and needs its path"]),
    ("listener 0 # nowhere\n", ["1: port 0 is for a Unix socket, and needs its path"]),
    ("listener 65536\n", ["1: a port is a number from 1 to 65535"]),
    ("listener -1 ::1\n", ["1: a port is a number from 1 to 65535"]),
    ("listener http\n", ["1: listener is a number, not 'http'"]),
    ("listener 1884 ::1 more\n", ["1: 'more' is one word too many"]),
    ("port 0\n", ["1: a port is a number from 1 to 65535"]),
    ("listener 1884\nsocket_domain ipx\n", ["2: socket_domain is ipv4 or ipv6, not 'ipx'"]),
    ("listener 1884\nlistener 1884\n", ["2: line 1 of main.conf listens there already"]),
    ("listener 1884 ::1\nport 1884\nbind_address ::1\n",
     ["3: line 1 of main.conf listens there already"]),
    ("max_qos 1\n\nlistener 1884\n",
     ["1: this is about a listener, but does not stand behind the line of one"]),
])
def test_wrong(conf, main, errors):
    conf.bad(main, *(f"main.conf:{error}" for error in errors))


@pytest.mark.parametrize("main", [
    "listener 1884 ::1\nsocket_domain ipv4\n", "listener 1884 127.0.0.1\nsocket_domain ipv6\n",
    "listener 1884 256.0.0.1\n", "listener 1884 fe80::1%nothing\n",
    f"listener 1884 {'x' * 300}\n",
])
def test_no_address(conf, main):
    conf.write("main.conf", main)
    got = conf.check()
    assert got.returncode == 2
    assert got.stderr.startswith(b"main.conf:1: " + main.split()[2].encode()[:80] + b": ")


# ------------------------------------------------------- bind_interface

ALONE = ("unshare", "--user", "--map-root-user", "--net")
# Without 127.0.0.1 and ::1, which it has once it is up.
FOUR = "ip addr add 10.0.0.1/8 dev lo; ip addr add 10.0.0.2/8 dev lo"
UP = "ip link set lo up"
SIX = f"{UP}; ip addr add 10.0.0.1/8 dev lo; ip addr add fd00::1/64 dev lo"
LINK = f"{UP}; ip addr del ::1/128 dev lo; ip addr add fe80::1/64 dev lo"


def alone(conf, setup, main):
    """What is read where there is one interface, lo, as the shell has set it up."""
    if subprocess.run((*ALONE, "true"), check=False, capture_output=True).returncode:
        pytest.skip("network namespaces are not for us")
    conf.write("main.conf", main)
    return subprocess.run((*ALONE, "sh", "-ec", f'{setup}\nexec "$0" -j load --check main.conf',
                           CTL), cwd=conf.path, check=False, capture_output=True, timeout=60)


@pytest.mark.parametrize("setup, main, want", [
    (FOUR, "listener 1\nbind_interface lo\n", [("10.0.0.1", 1)]),
    (FOUR, "listener 1\nbind_interface LO\n", [("10.0.0.1", 1)]),
    (FOUR, "listener 1\nbind_interface none\nbind_interface lo\n", [("10.0.0.1", 1)]),
    (FOUR, "listener 1\nbind_interface lo\nsocket_domain ipv4\n", [("10.0.0.1", 1)]),
    (FOUR, "listener 1 10.0.0.1\nbind_interface lo\n", [("10.0.0.1", 1)]),
    (FOUR, "bind_interface lo\n", [("10.0.0.1", 1883)]),
    (FOUR, "bind_interface lo\nport 1\n", [("10.0.0.1", 1)]),
    (FOUR, "bind_interface lo\nlistener 1\n", [("10.0.0.1", 1883), ("*", 1)]),
    (FOUR, "bind_address 10.0.0.1\nbind_interface lo\n", [("10.0.0.1", 1883)]),
    (FOUR, "listener 1\nlistener 2\nbind_interface lo\nport 3\n",
     [("*", 1), ("10.0.0.1", 2), ("*", 3)]),
    (FOUR, "listener 1\nbind_interface lo\nkmqtt_mptcp true\n", [("10.0.0.1", 1)]),
    (SIX, "listener 1\nbind_interface lo\n", [("127.0.0.1", 1), ("FIRST", 1)]),
    (SIX, "listener 1\nsocket_domain ipv6\nbind_interface lo\n", [("FIRST", 1)]),
    (SIX, "listener 1\nbind_interface lo\nsocket_domain ipv4\n", [("127.0.0.1", 1)]),
    (SIX, "listener 1 127.0.0.1\nbind_interface lo\n", [("127.0.0.1", 1)]),
    (LINK, "listener 1\nbind_interface lo\n", [("127.0.0.1", 1), ("fe80::1%lo", 1)]),
    (LINK, "listener 1 fe80::1\nbind_interface lo\n", [("fe80::1%lo", 1)]),
    (LINK, "listener 1 fe80::1%lo\nbind_interface lo\n", [("fe80::1%lo", 1)]),
])
def test_interface(conf, setup, main, want):
    got = alone(conf, f"{setup}; ip -j -6 addr show lo >six", main)
    assert (got.returncode, got.stderr) == (0, b"")
    # Which one is the kernel's first is the kernel's affair.
    six = [info["local"] for one in json.loads((conf.path / "six").read_text())
           for info in one.get("addr_info", ())]
    assert [(one["address"], one["port"]) for one in json.loads(got.stdout)["listeners"]] == \
        [(six[0] if address == "FIRST" else address, port) for address, port in want]


@pytest.mark.parametrize("setup, main, error", [
    ("", "listener 1\n\nbind_interface lo\n", "3: bind_interface lo: it has no address"),
    (FOUR, "listener 1\nbind_interface eth9\n",
     "2: bind_interface eth9: there is no such interface"),
    (FOUR, f"listener 1\nbind_interface {'x' * 100}\n",
     f"2: bind_interface {'x' * 80}: there is no such interface"),
    (FOUR, "listener 1\nbind_interface lo\nsocket_domain ipv6\n",
     "2: bind_interface lo: it has no address of this kind"),
    (FOUR, "listener 1 fd00::1\nbind_interface lo\n",
     "2: bind_interface lo: it has no address of this kind"),
    (FOUR, "listener 1 10.0.0.2\nbind_interface lo\n",
     "2: bind_interface: the first such address of lo is 10.0.0.1, not 10.0.0.2"),
    (FOUR, "bind_interface lo\nbind_address 0.0.0.0\n",
     "1: bind_interface: the first such address of lo is 10.0.0.1, not 0.0.0.0"),
    (LINK, "listener 1 fe80::2\nbind_interface lo\n",
     "2: bind_interface: the first such address of lo is fe80::1%lo, not fe80::2"),
    (LINK, "listener 1 fe80::1%9\nbind_interface lo\n",
     "2: bind_interface: the first such address of lo is fe80::1%lo, not fe80::1%9"),
    ("", "listener 0 /run/x\nbind_interface lo\n",
     "2: bind_interface: only for listeners of TCP"),
    ("", "kmqtt_vsock_listener 1\nbind_interface lo\n",
     "2: bind_interface: only for listeners of TCP"),
    ("", "bind_interface\n", "1: bind_interface needs a value"),
])
def test_interface_wrong(conf, setup, main, error):
    got = alone(conf, setup, main)
    assert got.stderr.decode().splitlines() == [f"main.conf:{error}"]
    assert got.returncode == 2


# ------------------------------------------------- what they have, and who

@pytest.mark.parametrize("line, name, value", [
    ("max_connections 10", "max_connections", 10),
    ("max_connections -1", "max_connections", None),
    ("max_connections 0", "max_connections", None),
    ("max_connections 5\nmax_connections -1", "max_connections", None),
    ("max_qos 1", "max_qos", 1),
    ("maximum_qos 0", "max_qos", 0),
    ("max_topic_alias 65535", "topic_alias_max", 65535),
    ("max_topic_alias_broker 0", "topic_alias_max_out", 0),
    ("max_topic_alias_broker 65535", "topic_alias_max_out", 65535),
    ("accept_protocol_versions 3, 4,5", "protocol_versions", 7),
    ("accept_protocol_versions 5\t4", "protocol_versions", 6),
    ("accept_protocol_versions 3,3", "protocol_versions", 1),
    ("accept_protocol_versions 3\naccept_protocol_versions 3 4 5", "protocol_versions", 7),
    ("use_username_as_clientid true", "username_as_client_id", True),
    ("use_username_as_clientid 0", "username_as_client_id", False),
    ("listener_allow_anonymous true", "anonymous", True),
    ("listener_allow_anonymous false", "anonymous", False),
    ("allow_anonymous true", "anonymous", True),
    ("kmqtt_connect_rate 5", "connect_rate", 5),
    ("kmqtt_connect_rate 0", "connect_rate", None),
    ("kmqtt_message_rate 0x10", "message_rate", 16),
    ("kmqtt_message_rate 5\nkmqtt_message_rate 0", "message_rate", None),
    ("kmqtt_byte_rate 64K", "byte_rate", 65536),
    ("kmqtt_byte_rate 4294967295", "byte_rate", 2**32 - 1),
    ("kmqtt_client_message_rate 4294967295", "client_message_rate", 2**32 - 1),
    ("kmqtt_client_byte_rate 1M # each", "client_byte_rate", 1 << 20),
    ("listener_auto_id_prefix own-", "client_id_prefix", "own-"),
    ("listener_auto_id_prefix  a b # c ", "client_id_prefix", "a b # c"),
    (f"listener_auto_id_prefix {'é' * 25}", "client_id_prefix", "é" * 25),
])
def test_attribute(conf, line, name, value):
    got = conf.good(f"listener 1884\n{line}\nlistener 1885\n")["listeners"]
    assert got[0].get(name) == value
    assert got[1].get(name) == (True if line == "allow_anonymous true" else
                                False if name == "anonymous" else None)
    for main in (f"port 1884\n{line}\n", f"{line}\nport 1884\n", f"{line}\n"):
        for one in conf.good(main)["listeners"]:
            assert one.get(name) == value


def test_range(conf):
    conf.bad("listener 1\nmax_qos 3\nmax_topic_alias 65536\nmax_connections many\n",
             "main.conf:2: max_qos is out of range: 0 to 2",
             "main.conf:3: max_topic_alias is out of range: 0 to 65535",
             "main.conf:4: max_connections is a number, not 'many'")
    conf.bad("listener 1\nkmqtt_connect_rate -1\nkmqtt_message_rate 4294967296\n"
             "kmqtt_byte_rate 4G\nkmqtt_client_message_rate 5K\nkmqtt_client_byte_rate -5\n"
             "kmqtt_client_byte_rate 64K 5\nkmqtt_byte_rate\n",
             "main.conf:2: kmqtt_connect_rate is out of range: 0 to 4294967295",
             "main.conf:3: kmqtt_message_rate is out of range: 0 to 4294967295",
             "main.conf:4: kmqtt_byte_rate is out of range: 0 to 4294967295",
             "main.conf:5: kmqtt_client_message_rate is a number, not '5K'",
             "main.conf:6: kmqtt_client_byte_rate is a size as 1000000 or 64M, not '-5'",
             "main.conf:7: '5' is one word too many",
             "main.conf:8: kmqtt_byte_rate needs a value")
    conf.bad("kmqtt_byte_rate 1\n\nlistener 1884\n",
             "main.conf:1: this is about a listener, but does not stand behind the line of one")


def test_client_ids(conf):
    """Of all listeners, or of each; what a listener says by itself goes before that."""
    def read(main):
        return [(one.get("assign_client_id"), one.get("client_id_prefix"))
                for one in conf.good(main)["listeners"]]

    of_two = "listener 1884\n{}listener 1885\nlistener_auto_id_prefix own\n"
    lines = "allow_zero_length_clientid false\nauto_id_prefix all\n"
    assert read(of_two.format("")) == [(None, None), (None, "own")]
    assert read(of_two.format(lines)) == [(False, "all"), (False, "own")]
    assert read(lines + of_two.format("")) == [(False, "all"), (False, "own")]
    assert read("per_listener_settings true\n" + of_two.format(lines)) == \
        [(False, "all"), (None, "own")]
    assert read("per_listener_settings true\n" + of_two.format(lines) + "auto_id_prefix x\n"
                "allow_zero_length_clientid true\n") == [(False, "all"), (True, "own")]
    assert read(lines) == [(False, "all"), (False, "all")]
    conf.bad(f"listener_auto_id_prefix {'x' * 51}\nauto_id_prefix {'é' * 26}\nauto_id_prefix \n"
             "allow_zero_length_clientid no\n",
             "main.conf:1: listener_auto_id_prefix has more than 50 bytes",
             "main.conf:2: auto_id_prefix has more than 50 bytes",
             "main.conf:3: auto_id_prefix needs a value",
             "main.conf:4: allow_zero_length_clientid is true or false, not 'no'")


@pytest.mark.parametrize("address, loopback", [
    ("", False), ("0.0.0.0", False), ("::", False), ("127.0.0.1", True), ("127.9.9.9", True),
    ("128.0.0.1", False), ("::1", True), ("::2", False), ("10.0.0.1", False),
])
def test_anonymous(conf, address, loopback):
    """Who gives no name: as it is set, or else from this machine only."""
    main = f"listener 1884 {address}\n"
    assert listeners(conf, main)[1]["anonymous"] is loopback
    for value in (False, True):
        text = str(value).lower()
        for more in (f"allow_anonymous {text}\n", f"listener_allow_anonymous {text}\n",
                     f"allow_anonymous {str(not value).lower()}\nlistener_allow_anonymous {text}\n"):
            assert listeners(conf, main + more)[1]["anonymous"] is value
    note = "main.conf:1: note: who gives no user name may come in at this loopback address, " \
        "since allow_anonymous is not set"
    listeners(conf, main + "password_file users\n", [note] if loopback else [], users="")
    listeners(conf, main + "password_file users\nallow_anonymous true\n")


# ---------------------------------------------------------------- realms

def test_realm_of_all(conf):
    got = conf.good("password_file users\nacl_file rules\nlistener 1884\nlistener 1885\n",
                    users="", rules="")
    assert [one["realm"] for one in got["listeners"]] == [0, 0]
    assert got["realms"] == [{"number": 0, "authenticate": True, "restrict": True,
                              "users": [], "rules": []}]


def test_realm_of_each(conf):
    got = conf.good("per_listener_settings true\n"
                    "listener 1884\npassword_file one\nallow_anonymous false\n"
                    "listener 1885\n"
                    "listener 1886\nacl_file rules\npassword_file one\n"
                    "listener 1887\npassword_file one\nallow_anonymous true\n"
                    "listener 1888\nacl_file rules\n", one="", rules="topic a\n")
    assert [one["realm"] for one in got["listeners"]] == [0, 1, 2, 0, 3]
    assert [one["anonymous"] for one in got["listeners"]] == [False, False, False, True, False]
    assert [(realm["authenticate"], realm["restrict"], len(realm["rules"]))
            for realm in got["realms"]] == \
        [(True, False, 0), (False, False, 0), (True, True, 1), (False, True, 1)]


def test_per_listener_is_late(conf):
    for line in ("allow_anonymous true", "password_file users", "acl_file users",
                 "allow_zero_length_clientid true", "auto_id_prefix x", "psk_file users"):
        conf.bad(f"{line}\nper_listener_settings true\nlistener 1884\n",
                 "main.conf:2: per_listener_settings has to stand in front of what it is about: "
                 "acl_file, allow_anonymous, allow_zero_length_clientid, auto_id_prefix, "
                 "password_file and psk_file", users="")
    conf.good("allow_anonymous true\nper_listener_settings false\nlistener 1884\n")
    conf.good("per_listener_settings true\nper_listener_settings false\nlistener 1884\n"
              "password_file users\n")


def test_files_are_not_there(conf):
    conf.bad("password_file none\nlistener 1884\nacl_file /\n",
             "main.conf:1: none: No such file or directory",
             "main.conf:3: /: this is a directory")


# ----------------------------------------------------------- include_dir

def test_include_order(conf):
    """Without regard to case, then upper case first; *.conf only; where it stands."""
    names = ["a.conf", "B.conf", "00.conf", "b.conf", "A.conf", "01.conf", ".conf", "c.con",
             "c.conf~", ".d.conf"]
    for name in names:
        conf.write(f"d/{name}", f"kmqtt_server_reference {name}\nwrong\n")
    conf.bad("include_dir d\nwrong\n", *(
        f"d/{name}:2: there is no option 'wrong'" for name in
        (".d.conf", "00.conf", "01.conf", "A.conf", "a.conf", "B.conf", "b.conf")),
        "main.conf:2: there is no option 'wrong'")
    for name in names:
        conf.write(f"d/{name}", f"kmqtt_server_reference {name}\n")
    assert conf.good("kmqtt_server_reference x\ninclude_dir d\n")["settings"] == \
        {"server_reference": "b.conf"}
    assert conf.good("include_dir d\nkmqtt_server_reference x\n")["settings"] == \
        {"server_reference": "x"}


def test_include_wrong(conf):
    conf.write("d/a.conf", "include_dir d\n")
    conf.bad("include_dir none\ninclude_dir main.conf\ninclude_dir\ninclude_dir d\n",
             "main.conf:1: include_dir none: No such file or directory",
             "main.conf:2: include_dir main.conf: Not a directory",
             "main.conf:3: include_dir needs a value",
             "d/a.conf:1: include_dir can stand in the main file only")
    (conf.path / "d/a.conf").unlink()
    (conf.path / "d/b.conf").mkdir()
    conf.bad("include_dir d\n", "d/b.conf: this is a directory")
    (conf.path / "d/b.conf").rmdir()
    assert conf.good("include_dir d\n")["listeners"] == LOCAL


def test_include_listener(conf):
    """A file does not go on with the listener of another, but the main one does."""
    conf.write("d/a.conf", "max_qos 1\n")
    conf.bad("listener 1884\ninclude_dir d\n",
             "d/a.conf:1: this is about a listener, but does not stand behind the line of one")
    conf.write("d/a.conf", "listener 1885\nmax_qos 1\n")
    got = conf.good("listener 1884\ninclude_dir d\nmax_qos 2\n")["listeners"]
    assert [(one["port"], one["max_qos"]) for one in got] == [(1884, 2), (1885, 1)]


def test_paths(conf):
    """They start where the tool runs, as Mosquitto's do, also in included files."""
    conf.write("users", "")
    conf.write("d/users", "wrong\n")
    conf.write("d/a.conf", "password_file users\n")
    conf.good("include_dir d\nlistener 1884\n")
    conf.write("d/a.conf", "password_file d/users\n")
    conf.bad("include_dir d\nlistener 1884\n",
             "d/users:1: there is no ':' behind the user name")
