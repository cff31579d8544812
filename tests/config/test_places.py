# SPDX-License-Identifier: GPL-2.0
"""Listeners that are no address of TCP: Unix sockets, vsock, MPTCP."""

import os

import pytest


def unix(path, **more):
    return {"transport": "unix", "path": path, "realm": 0, "anonymous": True, **more}


def vsock(port, **more):
    return {"transport": "vsock", "vsock_port": port, "realm": 0, "anonymous": False, **more}


def tcp(transport, address, port, **more):
    return {"transport": transport, "address": address, "port": port, "realm": 0,
            "anonymous": address in ("127.0.0.1", "::1"), **more}


@pytest.mark.parametrize("main, want", [
    ("listener 0 /run/kmqtt.sock\n", [unix("/run/kmqtt.sock")]),
    ("listener 0 /run/kmqtt.sock # here\n", [unix("/run/kmqtt.sock")]),
    ("listener 0x0 /run/ä\nmax_qos 1\n", [unix("/run/ä", max_qos=1)]),
    (f"listener 0 /{'x' * 106}\n", [unix("/" + "x" * 106)]),
    ("listener 0 /a\nlistener 0 /b\n", [unix("/a"), unix("/b")]),
    ("listener 0 /a\nallow_anonymous false\n", [unix("/a", anonymous=False)]),
    ("kmqtt_vsock_listener 1883\n", [vsock(1883)]),
    ("kmqtt_vsock_listener 1 # all\n", [vsock(1)]),
    ("kmqtt_vsock_listener 4294967294 2\nallow_anonymous true\n",
     [vsock(4294967294, cid=2, anonymous=True)]),
    ("kmqtt_vsock_listener 1883 0 # here\nmax_connections 5\n",
     [vsock(1883, cid=0, max_connections=5)]),
    ("kmqtt_vsock_listener 1883\nkmqtt_vsock_listener 1883 4294967294\n",
     [vsock(1883), vsock(1883, cid=4294967294)]),
    ("listener 1884\nkmqtt_mptcp true\nmax_qos 1\n", [tcp("mptcp", "*", 1884, max_qos=1)]),
    ("listener 1884 ::1\nkmqtt_mptcp true\n", [tcp("mptcp", "::1", 1884)]),
    ("listener 1884\nkmqtt_mptcp true\nkmqtt_mptcp false\n", [tcp("tcp", "*", 1884)]),
    ("port 1884\nkmqtt_mptcp 1\nsocket_domain ipv4\n", [tcp("mptcp", "0.0.0.0", 1884)]),
    ("kmqtt_mptcp true\n", [tcp("mptcp", "127.0.0.1", 1883), tcp("mptcp", "::1", 1883)]),
    ("listener 1884\nkmqtt_vsock_listener 1884\nlistener 0 /1884\n",
     [tcp("tcp", "*", 1884), vsock(1884), unix("/1884")]),
])
def test_place(conf, main, want):
    assert conf.good(main)["listeners"] == want


def test_relative_path(conf):
    """It is that of where kmqttctl runs, and the kernel gets all of it."""
    got = conf.good("listener 0 a.sock\nlistener 0 d/../b\n")["listeners"]
    assert [one["path"] for one in got] == [f"{conf.path}/a.sock", f"{conf.path}/d/../b"]
    for name in ("a\nb", b"\xff"):
        here = os.path.join(os.fsencode(conf.path), os.fsencode(name))
        os.mkdir(here)
        got = conf.check("../main.conf", preexec_fn=lambda here=here: os.chdir(here))
        assert got.returncode == 2
        assert got.stderr.startswith(
            b"../main.conf:1: a.sock: no file can have the name of this directory\n")


@pytest.mark.parametrize("main, errors", [
    (f"listener 0 /{'x' * 107}\n", ["1: the path of a Unix socket has up to 107 bytes"]),
    ("listener 0 /a b\n", ["1: 'b' is one word too many"]),
    ("listener 0 /a\nlistener 1\nlistener 0 /a\n",
     ["3: line 1 of main.conf listens there already"]),
    ("listener 0 /a\nsocket_domain ipv4\n", ["2: socket_domain: only for listeners of TCP"]),
    ("listener 0 /a\nkmqtt_mptcp true\n", ["2: kmqtt_mptcp: only for listeners of TCP"]),
    ("kmqtt_vsock_listener 1\nkmqtt_mptcp true\nsocket_domain ipv6\n",
     ["2: kmqtt_mptcp: only for listeners of TCP", "3: socket_domain: only for listeners of TCP"]),
    ("listener 1\nkmqtt_mptcp maybe\n", ["2: kmqtt_mptcp is true or false, not 'maybe'"]),
    ("listener 1\nlistener 1\nkmqtt_mptcp true\n",
     ["2: line 1 of main.conf listens there already"]),
    ("kmqtt_vsock_listener\n", ["1: kmqtt_vsock_listener needs a value"]),
    ("kmqtt_vsock_listener 0\n", ["1: kmqtt_vsock_listener is out of range: 1 to 4294967294"]),
    ("kmqtt_vsock_listener 4294967295\n",
     ["1: kmqtt_vsock_listener is out of range: 1 to 4294967294"]),
    ("kmqtt_vsock_listener any\n", ["1: kmqtt_vsock_listener is a number, not 'any'"]),
    ("kmqtt_vsock_listener 1 any\n",
     ["1: a context identifier is a number from 0 to 4294967294, not 'any'"]),
    ("kmqtt_vsock_listener 1 4294967295\n",
     ["1: a context identifier is a number from 0 to 4294967294, not '4294967295'"]),
    ("kmqtt_vsock_listener 1 2 3\n", ["1: '3' is one word too many"]),
    ("kmqtt_vsock_listener 1 2\nkmqtt_vsock_listener 1 2\n",
     ["2: line 1 of main.conf listens there already"]),
    ("kmqtt_mptcp true\n\nlistener 1\n",
     ["1: this is about a listener, but does not stand behind the line of one"]),
])
def test_wrong_place(conf, main, errors):
    conf.bad(main, *(f"main.conf:{error}" for error in errors))


def test_anonymous(conf):
    """Who may open a Unix socket is told by its file, but anybody may have a virtual machine."""
    conf.good("password_file users\nlistener 0 /a\nkmqtt_vsock_listener 1\n",
              ["main.conf:2: note: who gives no user name may come in at this Unix socket, "
               "since allow_anonymous is not set"], users="")
