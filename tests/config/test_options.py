# SPDX-License-Identifier: GPL-2.0
"""The main file: lines, values, and what becomes of each option."""

import json
import pathlib
import subprocess

import pytest
import yaml

from conftest import CTL

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = pathlib.Path("/usr/share/doc/mosquitto/examples/mosquitto.conf")

LOCAL = [{"transport": "tcp", "address": address, "port": 1883, "realm": 0, "anonymous": True}
         for address in ("127.0.0.1", "::1")]
OPEN = [{"number": 0, "authenticate": False, "restrict": False, "users": [], "rules": []}]


def options():
    return json.loads(subprocess.check_output([CTL, "-j", "load", "--options"]))


OPTIONS = options()
MOSQUITTO = [option for option in OPTIONS if not option["name"].startswith("kmqtt_")]


def with_star(option):
    return option["name"].replace("*", "something")


# ----------------------------------------------------------------- lines

@pytest.mark.parametrize("text", [
    "", "\n", "\n\n", "# only a comment", "#\r\n\r\n", "   \n\t\n", "\f",
], ids=repr)
def test_nothing(conf, text):
    assert conf.good(text) == {"settings": {}, "listeners": LOCAL, "realms": OPEN}


@pytest.mark.parametrize("text", [
    "max_keepalive 60", "max_keepalive 60\n", "max_keepalive 60\r\n", "max_keepalive 60\r\r\n",
    "  max_keepalive   60  \n", "max_keepalive 60 # seconds\n", "max_keepalive 60 #\n",
    "#\nmax_keepalive 60", "max_keepalive 1\nmax_keepalive 60\n", "max_keepalive 0x3c\n",
    "max_keepalive 074\n",
], ids=repr)
def test_line(conf, text):
    assert conf.good(text)["settings"] == {"max_keepalive": 60}


@pytest.mark.parametrize("line, says", [
    ("nonsense 1", "there is no option 'nonsense'"),
    ("nonsense", "there is no option 'nonsense'"),
    ("MAX_QOS 1", "there is no option 'MAX_QOS'"),
    ("max_keepalive", "max_keepalive needs a value"),
    ("max_keepalive   ", "max_keepalive needs a value"),
    ("max_keepalive\t60", "there is no option 'max_keepalive\\x0960' (tabs don't separate words)"),
    ("max_keepalive 60 70", "'70' is one word too many"),
    ("max_keepalive 60s", "max_keepalive is a number, not '60s'"),
    ("max_keepalive 6e1", "max_keepalive is a number, not '6e1'"),
    ("max_keepalive 99999999999999999999",
     "max_keepalive is a number, not '99999999999999999999'"),
    ("max_keepalive 65536", "max_keepalive does not fit in 16 bits"),
    ("max_keepalive -1", "max_keepalive is out of range: 0 to 2147483647"),
    ("retain_available yes", "retain_available is true or false, not 'yes'"),
    ("retain_available TRUE", "retain_available is true or false, not 'TRUE'"),
    ("retain_available true false", "'false' is one word too many"),
    (" # comment", "there is no option '#'"),
    (b"max_keepalive 6\x000", "there is a null byte"),
    (b"# a comment with \x00", "there is a null byte"),
    (b"\x00", "there is a null byte"),
    (b"max_keepalive \xff", "this is not UTF-8"),
    ("\x1b[2J 1", "there is no option '\\x1b[2J'"),
], ids=repr)
def test_wrong_line(conf, line, says):
    line = line if isinstance(line, bytes) else line.encode()
    conf.bad(b"# one\n\n" + line + b"\nmax_inflight_messages 10\n", f"main.conf:3: {says}")


def test_all_errors(conf):
    conf.bad("a\nmax_qos 7\nlistener\nb\nlistener 1884\nmax_qos 7\n",
             "main.conf:1: there is no option 'a'",
             "main.conf:2: max_qos is out of range: 0 to 2",
             "main.conf:3: listener needs a value",
             "main.conf:4: there is no option 'b'",
             "main.conf:6: max_qos is out of range: 0 to 2")


def test_too_many_errors(conf):
    conf.write("main.conf", "wrong\n" * 250 + "pid_file x\n" * 130)
    lines = conf.check().stderr.decode().splitlines()
    assert lines[0] == "main.conf:1: there is no option 'wrong'"
    assert lines[99] == "main.conf:100: there is no option 'wrong'"
    assert lines[-2:] == ["and 150 more errors", "and 30 more notes"]
    assert len(lines) == 202


def test_long_lines(conf):
    text = "x" * 1024
    got = conf.good(f"#{'y' * 1000000}\nkmqtt_response_information {text}\n")
    assert got["settings"] == {"response_information": text}
    conf.bad(f"kmqtt_response_information {text}x\n",
             "main.conf:1: kmqtt_response_information has more than 1024 bytes")
    conf.bad("a" * 1000000, f"main.conf:1: there is no option '{'a' * 80}'")
    conf.bad(f"max_keepalive {'1' * 1000000}\n",
             f"main.conf:1: max_keepalive is a number, not '{'1' * 80}'")


def test_huge_file(conf):
    conf.bad(b"#" * (65 << 20), "main.conf: larger than 64 MiB")
    conf.write("main.conf", b"#" * 99 + b"\n" + b"max_keepalive 60\n" * 200000)
    assert json.loads(conf.check().stdout)["settings"] == {"max_keepalive": 60}


def test_unreadable(conf):
    assert conf.check("none").stderr == b"none: No such file or directory\n"
    assert conf.check("/").stderr == b"/: this is a directory\n"
    assert conf.check("/").returncode == 2
    got = conf.check("/dev/zero")
    assert (got.returncode, got.stderr) == (2, b"/dev/zero: larger than 64 MiB\n")
    assert conf.check("/dev/null").returncode == 0


def test_pipe(conf):
    got = conf.check("/dev/stdin", input=b"max_keepalive 60\nwrong\n")
    assert got.stderr == b"/dev/stdin:2: there is no option 'wrong'\n"


def test_arguments(conf):
    for command in (["load"], ["load", "--check"], ["load", "a", "b"], ["load", "--options", "a"]):
        got = subprocess.run([CTL, *command], cwd=conf.path, check=False, capture_output=True)
        assert (got.returncode, got.stdout) == (2, b"")
        assert b"Try 'kmqttctl load --help'." in got.stderr


def test_example_of_debian(conf):
    assert EXAMPLE.exists(), "the package mosquitto is not there"
    got = conf.check(str(EXAMPLE))
    assert (got.returncode, got.stderr) == (0, b"")
    assert json.loads(got.stdout)["listeners"] == LOCAL


# --------------------------------------------------------------- options

def test_table():
    names = [option["name"] for option in MOSQUITTO]
    assert len(names) == len(set(names)) > 140
    assert names == sorted(names)
    for option in OPTIONS:
        assert option["text"], option["name"]


@pytest.mark.parametrize("option", [
    option for option in MOSQUITTO if option["fate"] == "refused" and "unless" not in option
], ids=lambda option: option["name"])
def test_refused(conf, option):
    name = with_star(option)
    for value in ("", " 1", " something else"):
        conf.bad(f"{name}{value}\n", f"main.conf:1: {name}: {option['text']}")


BOOL = {"true": ["true", "1"], "false": ["false", "0"]}


@pytest.mark.parametrize("option", [
    option for option in MOSQUITTO if "unless" in option
], ids=lambda option: option["name"])
def test_refused_unless(conf, option):
    name, fine = option["name"], option["unless"]
    for value in BOOL.get(fine, [fine]):
        assert conf.good(f"{name} {value}\n")["settings"] == {}
    if option["value"] == "bool":
        others = BOOL["false" if fine == "true" else "true"]
    else:
        others = ["1" if option["value"] == "number" else "other"]
    for value in others:
        conf.bad(f"{name} {value}\n",
                 f"main.conf:1: {name} can only be {fine}: {option['text']}")
    conf.bad(f"{name}\n", f"main.conf:1: {name} needs a value")


@pytest.mark.parametrize("option", [
    option for option in MOSQUITTO if option["fate"] == "void"
], ids=lambda option: option["name"])
def test_void(conf, option):
    value = {"bool": "true", "word": "none"}.get(option["value"], "1")
    got = conf.good(f"{option['name']} {value}\n",
                    [f"main.conf:1: note: {option['name']}: {option['text']}"])
    assert got == {"settings": {}, "listeners": LOCAL, "realms": OPEN}


@pytest.mark.parametrize("option", [
    option for option in OPTIONS if option.get("setting") and option["name"] in
    {o["name"] for o in MOSQUITTO}
], ids=lambda option: option["name"])
def test_setting(conf, option):
    """What isn't tested by itself below ends where it should, too."""
    value, want = {"bool": ("false", False), "time": ("1d", 86400), "text": ("a b", "a b")}.get(
        option["value"], ("70000" if option["name"] in ("max_packet_size", "memory_limit")
                          else "7", None))
    got = conf.good(f"{option['name']} {value}\n")["settings"]
    assert got == {option["setting"].replace("-", "_"): int(value) if want is None else want}


@pytest.mark.parametrize("line, name, value", [
    ("max_inflight_messages 0", "max_inflight", 65535),
    ("max_inflight_messages -3", "max_inflight", 65535),
    ("max_inflight_messages 20", "max_inflight", 20),
    ("max_queued_messages 0", "max_queued_messages", 2**32 - 1),
    ("max_queued_bytes 0", "max_queued_bytes", 2**63 - 1),
    ("memory_limit 0", "max_memory", 2**63 - 1),
    ("message_size_limit 0", "max_payload_size", 2**28 - 1),
    ("message_size_limit 268435455", "max_payload_size", 2**28 - 1),
    ("message_size_limit 1", "max_payload_size", 1),
    ("kmqtt_max_payload_size 0", "max_payload_size", 0),
    ("queue_qos0_messages true", "queue_qos0", True),
    ("kmqtt_queue_qos0 on", "queue_qos0", True),
    ("upgrade_outgoing_qos true", "upgrade_qos", True),
    ("check_retain_source true", "check_retain_source", True),
    ("check_retain_source false", "check_retain_source", False),
    ("max_inflight_bytes 0", "max_inflight_bytes", 2**63 - 1),
    ("max_inflight_bytes 1", "max_inflight_bytes", 1),
    ("kmqtt_max_inflight_bytes 64K", "max_inflight_bytes", 65536),
    ("kmqtt_max_payload_size 1M", "max_payload_size", 1 << 20),
    ("memory_limit 5000000000", "max_memory", 5000000000),
    ("global_max_connections -1", "max_connections", 2**32 - 1),
    ("global_max_clients -1", "max_sessions", 2**32 - 1),
    ("persistent_client_expiration 90s", "max_session_expiry", 90),
    ("persistent_client_expiration 12h", "max_session_expiry", 43200),
    ("persistent_client_expiration 2w", "max_session_expiry", 1209600),
    ("persistent_client_expiration 1m", "max_session_expiry", 2592000),
    ("persistent_client_expiration 1y", "max_session_expiry", 31536000),
    ("kmqtt_max_memory 64M", "max_memory", 64 << 20),
    ("kmqtt_connect_timeout 2m", "connect_timeout", 120),
    ("kmqtt_bh_path off", "bh_path", False),
    ("kmqtt_backpressure hold", "backpressure", "hold"),
    ("kmqtt_response_information  a b ", "response_information", "a b"),
    ("kmqtt_response_information", "response_information", ""),
    ("kmqtt_max_connections_per_source 100", "max_connections_per_source", 100),
    ("clientid_prefixes  a b ", "required_client_id_prefix", "a b"),
    ("kmqtt_required_client_id_prefix é", "required_client_id_prefix", "é"),
    ("kmqtt_required_client_id_prefix", "required_client_id_prefix", ""),
])
def test_value(conf, line, name, value):
    assert conf.good(line)["settings"] == {name: value}


@pytest.mark.parametrize("line, says", [
    ("max_inflight_messages 65536", "max_inflight_messages is out of range: 1 to 65535"),
    ("max_packet_size 100", "max_packet_size is out of range: 1024 to 268435460"),
    ("message_size_limit 268435456",
     "message_size_limit is out of range: -2147483648 to 268435455"),
    ("message_size_limit 1M", "message_size_limit is a number, not '1M'"),
    ("memory_limit 100M", "memory_limit is a number, not '100M'"),
    ("memory_limit 1000", "memory_limit is out of range: 65536 to 9223372036854775807"),
    *((f"persistent_client_expiration {value}",
       f"persistent_client_expiration is a time as 12h, 14d or 2w, not '{value}'")
      for value in ("12", "h", "0d", "-1d", "1.5d", "2weeks", "137y", "99999999999999999999w")),
    ("kmqtt_bh_path maybe", "kmqtt_bh_path: 'maybe' is not on or off"),
    ("kmqtt_bh_path", "kmqtt_bh_path needs a value"),
    ("kmqtt_bh_path on off", "kmqtt_bh_path: 'on off' is not on or off"),
    ("kmqtt_bh-path on", "there is no option 'kmqtt_bh-path'"),
    ("kmqtt_none 1", "there is no option 'kmqtt_none'"),
    ("kmqtt_" + "x" * 500 + " 1", f"there is no option 'kmqtt_{'x' * 74}'"),
    ("log_dest topic", "log_dest topic: the broker keeps no log that it could publish"),
    ("log_dest paper", "log_dest can't be 'paper'"),
    ("accept_protocol_versions ,", "accept_protocol_versions: no client could speak any version"),
    ("accept_protocol_versions", "accept_protocol_versions needs a value"),
    (f"clientid_prefixes {'x' * 1025}", "clientid_prefixes has more than 1024 bytes"),
    ("clientid_prefixes", "clientid_prefixes needs a value"),
    ("accept_protocol_versions 3,4,5,6", "accept_protocol_versions: there is no version '6'"),
    ("retain_expiry_interval -1", "retain_expiry_interval is out of range: 0 to 2147483647"),
    ("retain_expiry_interval 1h", "retain_expiry_interval is a number, not '1h'"),
    ("autosave_interval 30m", "autosave_interval is a number, not '30m'"),
    ("autosave_on_changes 5", "autosave_on_changes is true or false, not '5'"),
])
def test_wrong_value(conf, line, says):
    conf.bad(line, f"main.conf:1: {says}")


@pytest.mark.parametrize("line", [
    *(f"allow_duplicate_messages {value}" for value in ("true", "false")),
    *(f"retain_expiry_interval {value}" for value in (0, 1, 60, 2**31 - 1)),
])
def test_all_the_same(conf, line):
    """What is so anyway is what each value asks for."""
    assert conf.good(f"{line}\n") == {"settings": {}, "listeners": LOCAL, "realms": OPEN}


def test_bridge(conf):
    """The first line tells it once, whatever follows."""
    conf.bad("connection c\naddress h\ntopic # both\nnotifications false\nmax_qos 9\n",
             "main.conf:1: connection: there are no bridges",
             "main.conf:5: max_qos is out of range: 0 to 2")


# ----------------------------------------- ranges, which the kernel has, too

def ranges():
    """(setting, smallest, largest value) of the netlink specification."""
    spec = yaml.safe_load((TOP / "Documentation/netlink/specs/kmqtt.yaml").read_text())
    attributes = next(s for s in spec["attribute-sets"] if s["name"] == "broker")["attributes"]
    limits = {"u8": 2**8 - 1, "u16": 2**16 - 1, "u32": 2**32 - 1, "uint": 2**63 - 1}
    for attribute in attributes:
        if attribute["type"] in limits and "enum" not in attribute:
            checks = attribute.get("checks", {})
            high = checks.get("max", limits[attribute["type"]])
            yield attribute["name"], checks.get("min", 0), \
                limits["uint"] if high == "s64-max" else high


@pytest.mark.parametrize("name, low, high", list(ranges()))
def test_range(conf, name, low, high):
    own = "kmqtt_" + name.replace("-", "_")
    for value in {low, high}:
        got = conf.good(f"{own} {value}\n")["settings"]
        assert got == {name.replace("-", "_"): value}
    for value in (low - 1, high + 1):
        conf.write("main.conf", f"{own} {value}\n")
        got = conf.check()
        assert got.returncode == 2
        assert got.stderr.startswith(b"main.conf:1: " + own.encode())


def test_all_settings():
    """Each setting of the broker has an option."""
    own = {option["setting"] for option in OPTIONS if option["name"].startswith("kmqtt_")
           and "setting" in option}
    assert {name for name, _, _ in ranges()} <= own
