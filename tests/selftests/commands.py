# SPDX-License-Identifier: GPL-2.0
"""Every command of kmqttctl: as a table and as JSON, by root, by somebody without rights, for
another network namespace, and by who owns a user namespace and its network namespace.

What JSON may have is taken from the netlink specification: the names and types of attributes.
"""

import contextlib
import json
import os
import re
import select
import subprocess
import tempfile

import jsonschema
import yaml

from selftest import (
    CTL, PATIENCE, PORT, TOP, Loop, check, client, ctl, ctl_json, finish, point, run, same, wait_for,
)

with open(f"{TOP}/Documentation/netlink/specs/kmqtt.yaml", encoding="utf-8") as file:
    SPEC = yaml.safe_load(file)
SETS = {found["name"]: {attr["name"]: attr for attr in found["attributes"]}
        for found in SPEC["attribute-sets"]}
ENUMS = {found["name"]: [entry if isinstance(entry, str) else entry["name"]
                         for entry in found["entries"]]
         for found in SPEC["definitions"] if found["type"] in ("enum", "flags")}
BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "uint": 64}


# ----------------------------------------------------------------- schemas

def value_schema(attr):
    kind = attr["type"]
    if kind == "flag":
        return {"const": True}
    if kind in BITS and "enum" in attr:
        return {"enum": ENUMS[attr["enum"]]}
    if kind in BITS and (attr.get("checks", {}).get("max") == 1 or attr["doc"].startswith("1 if")):
        return {"type": "boolean"}
    if kind in BITS:
        return {"type": "integer", "minimum": 0, "maximum": 2 ** BITS[kind] - 1}
    return {"type": "string"}


def row_schema(set_name, must=(), also=None):
    """An object with attributes of a set, those of `must` among them."""
    properties = {}
    for name, attr in SETS[set_name].items():
        key = name.replace("-", "_")
        if name in ("addr4", "addr6", "ifindex"):
            properties["address"] = {"type": "string", "pattern": r"^[0-9a-f.:*%a-z/]+$"}
        elif name == "reason":
            properties["reason"] = {"type": "string"}
            properties["reason_code"] = value_schema(attr)
        elif name == "tls-version":
            properties[key] = {"enum": ["1.2", "1.3"]}
        elif name == "payload":
            properties["payload"] = {"type": "string"}
            properties["payload_hex"] = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
        else:
            properties[key] = value_schema(attr)
    return {"type": "object", "properties": properties | (also or {}),
            "required": [name.replace("-", "_") for name in must],
            "additionalProperties": False}


def rows_schema(set_name, *must):
    return {"type": "array", "minItems": 1, "items": row_schema(set_name, must)}


def attributes(operation, direction="reply"):
    """The names that the specification gives an answer."""
    for found in SPEC["operations"]["list"]:
        if found["name"] == operation:
            for kind in ("do", "dump"):
                with contextlib.suppress(KeyError):
                    return found[kind][direction]["attributes"]
    raise AssertionError(f"the specification has no {operation}")


def always(operation):
    """Those that are in every answer: texts are missing if there is none."""
    return [name for name in attributes(operation) if SETS["broker"][name]["type"] != "string"]


def object_schema(**properties):
    return {"type": "object", "properties": properties, "required": list(properties),
            "additionalProperties": False}


# ---------------------------------------------------------------- commands

# What shows and changes nothing: arguments; schema of JSON; what is in the table.
SHOWS = {
    ("broker",): (row_schema("broker", always("broker-get")), "max-connections "),
    ("listener",): (rows_schema("listener", "id", "port", "connections", "connections-total",
                                "anonymous"), r"^ *ID +ADDRESS +CONNECTIONS"),
    ("client",): (rows_schema("client", "connection", "listener", "connected"),
                  r"^CLIENT-ID +ADDRESS"),
    ("client", "get", "here"): (row_schema("client", ["client-id", "connection", "level",
                                                      "messages-received", "send-queue"]),
                                "here"),
    ("client", "show", "here"): (
        object_schema(client=row_schema("client", ["connection"]),
                      session=row_schema("session", ["client-id"]),
                      subscriptions={"type": "array", "minItems": 1,
                                     "items": row_schema("subscription", ["filter", "qos"])},
                      packets={"type": "array", "minItems": 1, "items": {"type": "object"}}),
        "(?s)CONNECTION.*SUBSCRIPTIONS.*a/#.*LAST PACKETS.*PUBLISH"),
    ("session",): (rows_schema("session", "client-id", "connected", "clean", "subscriptions"),
                   "^CLIENT-ID"),
    ("session", "get", "kept"): (row_schema("session", ["client-id", "queued-messages",
                                                        "subscriptions"]), "kept"),
    ("subscription",): (rows_schema("subscription", "client-id", "filter", "qos"), "^CLIENT-ID"),
    ("subscription", "get", "kept"): (rows_schema("subscription", "client-id", "filter", "qos"),
                                      "k/#"),
    ("retained",): (rows_schema("retained", "topic", "qos", "size"), "QOS +SIZE +TOPIC"),
    ("retained", "get", "r/#", "payload-max", "9"): (
        rows_schema("retained", "topic", "qos", "size", "payload"), "r/1.*text"),
    ("user",): (rows_schema("user", "name"), "^NAME|^USER"),
    ("realm",): (rows_schema("realm", "number", "authenticate", "restrict", "users", "rules"),
                 "^REALM +AUTHENTICATE"),
    ("acl",): (rows_schema("acl", "kind", "access", "topic"), "^REALM"),
    ("ban",): (rows_schema("ban", "origin"), "^ADDRESS"),
    ("ban", "list"): (rows_schema("ban", "origin"), "203.0.113.0/24.*someone else"),
    ("stats",): (row_schema("stats", attributes("stats-get")), "(?m)^connections-total +[0-9]"),
    ("top", "batch", "1", "interval", "1"): (None, "CLIENT-ID"),
    ("load", "--options"): (None, "^OPTION"),
    ("load", "--check", "@conf"): (None, ""),
    ("save",): (None, "(?m)^listener 1883"),
}

# What changes something, and its opposite.
CHANGES = (
    (("broker", "set", "max-sessions", "77"), None),
    (("listener", "add", "127.0.0.1:2000"), row_schema("listener", ["id", "port"])),
    (("listener", "del", "127.0.0.1:2000"), None),
    (("client", "kick", "here"), None),
    (("client", "move", "here"), None),
    (("session", "del", "kept"), None),
    (("retained", "del", "r/1"), row_schema("retained", ["count"])),
    (("user", "set", "someone", "password"), None),
    (("user", "del", "someone"), None),
    (("ban", "add", "client", "unwanted", "expiry", "1h"), None),
    (("ban", "del", "client", "unwanted"), None),
    (("pub", "a/b", "text", "qos", "1", "retain"), row_schema("message", ["subscriptions"])),
    (("load", "@conf"), row_schema("config", attributes("config-commit"))),
)

# What goes on until it is ended.
STREAMS = (("monitor",), ("top",), ("sub", "#"), ("trace", "topic", "#"),
           ("trace", "client", "here"))


def expand(args, directory):
    return [str(arg).replace("@", f"{directory}/") for arg in args]


def write_files(directory):
    os.chmod(directory, 0o755)
    files = {
        "conf": f"listener {PORT} 127.0.0.1\nallow_anonymous true\n"
                f"password_file {directory}/users\nacl_file {directory}/rules\n",
        "users": "",
        "rules": "topic #\nuser one\ntopic read a/#\npattern write %c/#\n",
    }
    for name, text in files.items():
        with open(f"{directory}/{name}", "w", encoding="utf-8") as out:
            out.write(text)
    run("mosquitto_passwd", "-b", f"{directory}/users", "one", "secret")
    os.chmod(f"{directory}/users", 0o644)


def populate(loop):
    """Something of every kind, for all commands to show."""
    kept = client(loop, "kept", "k/#", qos=1, clean=False)
    kept.disconnect()
    here = client(loop, "here", "a/#", clean=False)
    here.wait_publish("r/1", b"text", 1, retain=True)
    here.wait_publish("r/2", b"text", 1, retain=True)
    here.wait_publish("k/x", b"queued", 1)
    ctl("ban", "add", "address", "203.0.113.0/24", "reason", "someone else")
    return here


def parse(text):
    """What -j prints: one document."""
    return json.loads(text) if text else None


# ------------------------------------------------------------------ points

def nouns():
    """{noun: its verbs} as the tool's help has them."""
    found = {}
    text = ctl("--help")
    for noun in re.findall(r"(?m)^  ([a-z]+) {2,}", text[text.index("Nouns:"):text.index("Options:")]):
        usage = ctl(noun, "--help").split("\n\n")[0]
        found[noun] = set(re.findall(rf"kmqttctl {noun} \[?([a-z]+)", usage))
    return found


def test_complete():
    """No command is left out here."""
    tried = {args[:2] for args in [*SHOWS, *STREAMS, *(args for args, _ in CHANGES)]}
    tried_nouns = {args[0] for args in tried}
    for noun, verbs in nouns().items():
        check(noun in tried_nouns, f"{noun} isn't tried")
        # Some have no verb, but something else.
        if noun in ("top", "monitor", "pub", "sub"):
            continue
        for verb in verbs - {"get"}:
            check((noun, verb) in tried, f"{noun} {verb} isn't tried")


def show(words, schema, table):
    text = ctl(*words)
    check(re.search(table, text), f"{words} prints {text[:500]!r}, not {table!r}")
    if words[0] == "save":
        return
    got = parse(ctl("-j", *words))
    check(got is not None, f"{words} prints no JSON")
    if schema:
        try:
            jsonschema.validate(got, schema)
        except jsonschema.ValidationError as error:
            raise AssertionError(f"{words}: {error.message} in {error.instance}") from None
    same(type(parse(ctl("-j", "-p", *words))), type(got), f"{words} over several lines")


def test_shows(directory):
    wrong = []
    for args, (schema, table) in SHOWS.items():
        try:
            show(expand(args, directory), schema, table)
        except AssertionError as error:
            wrong.append(str(error))
    check(not wrong, "\n".join(wrong))


def test_changes(directory, loop):
    for args, schema in CHANGES:
        if args[0] in ("client", "session"):
            populate(loop)
        for options in ([], ["-j"]):
            if args[:2] in (("client", "kick"), ("client", "move"), ("session", "del"),
                            ("retained", "del")) and options:
                populate(loop)
            if args[:2] in (("listener", "del"), ("user", "del"), ("ban", "del")) and options:
                undo = next(other for other, _ in CHANGES if other[0] == args[0])
                ctl(*undo, input="secret\n")
            if args[:2] == ("listener", "add") and options:
                ctl("listener", "del", "127.0.0.1:2000")
            text = ctl(*options, *expand(args, directory), input="secret\n")
            if schema and options:
                jsonschema.validate(parse(text), schema)
            elif options:
                check(text == "" or parse(text) is not None, f"{args} prints {text!r}")


NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def everything(directory):
    for args in SHOWS:
        # These ask nobody.
        if args[:2] not in (("load", "--options"), ("load", "--check")):
            yield expand(args, directory)
    for args, _ in CHANGES:
        yield expand(args, directory)
    yield from STREAMS


def state():
    return [ctl_json(noun) for noun in ("broker", "realm", "acl", "user", "retained")], \
        [row["id"] for row in ctl_json("listener")]


def test_nobody(directory):
    """Who may not is told so; nothing has changed, and nothing was told."""
    before = state()
    for args in everything(directory):
        got = run("timeout", str(PATIENCE), *NOBODY, CTL, *args, check_status=False,
                  input="secret\n")
        same(got.returncode, 1, f"status of {args} ({got.stderr.strip()})")
        check("not permitted without CAP_NET_ADMIN" in got.stderr, f"{args}: {got.stderr!r}")
        same(got.stdout, "", f"what {args} prints")
    same(state(), before, "state after all that")


def test_netns(directory):
    """The broker of another namespace has what is its own, and nothing else."""
    run("ip", "netns", "add", "other")
    try:
        run("ip", "-n", "other", "link", "set", "lo", "up")
        before = state()
        same(ctl_json("listener", netns="other"), [], "listeners there")
        got = ctl_json("load", f"{directory}/conf", netns="other")
        same(got["listeners_opened"], 1, "listeners opened there")
        for noun in ("client", "session", "subscription", "retained"):
            same(ctl_json(noun, netns="other"), [], noun)
        same([row["name"] for row in ctl_json("user", netns="other")], ["one"], "users there")
        ctl("broker", "set", "max-sessions", "3", netns="other")
        same(ctl_json("broker", netns="other")["max_sessions"], 3, "setting there")
        ctl("user", "del", "all", netns="other")
        ctl("session", "del", "kept", netns="other", status=1)
        same(state(), before, "state here")
    finally:
        run("ip", "netns", "del", "other")


def test_user_namespace(directory):
    """Who owns a user namespace may do everything to the brokers of its namespaces."""
    script = f"""
        set -e
        ip link set lo up
        {CTL} load {directory}/conf
        mosquitto_pub -i pub -t r/1 -m text -r -q 1
        mosquitto_sub -i kept -c -q 1 -t k/# -E
    """
    for args in everything(directory):
        # What has come, and what goes, are tried by the others.
        if args[0] == "client" or tuple(args) in STREAMS:
            continue
        words = " ".join(f"'{word}'" for word in args)
        if args[:2] == ["listener", "del"]:
            script += f"{CTL} listener add 127.0.0.1:2000 >/dev/null 2>&1 || true\n"
        if args[:2] in (["session", "get"], ["session", "del"], ["subscription", "get"]):
            script += "mosquitto_sub -i kept -c -q 1 -t k/# -E\n"
        if args[0] == "retained":
            script += "mosquitto_pub -i pub -t r/1 -m text -r -q 1\n"
        if args[:2] == ["ban", "del"]:
            script += f"{CTL} ban add client unwanted\n"
        if args[0] == "ban":
            script += f"{CTL} ban add address 203.0.113.0/24 reason 'someone else'\n"
        if args[:2] == ["user", "del"]:
            script += f"echo secret | {CTL} user set someone password\n"
        script += f"echo secret | {CTL} {words} >/dev/null\n"
    script += f"{CTL} -j broker\n"
    before = state()
    got = run(*NOBODY, "unshare", "--user", "--map-root-user", "--net", "bash", "-c", script,
              check_status=False)
    same(got.returncode, 0, f"status ({got.stderr})")
    # The last command was a load.
    check(json.loads(got.stdout.splitlines()[-1])["max_sessions"], "settings there")
    same(state(), before, "state here")
    # But not to that of the network namespace that it came from.
    for args in everything(directory):
        got = run("timeout", str(PATIENCE), *NOBODY, "unshare", "--user", "--map-root-user", CTL,
                  *args, check_status=False, input="secret\n")
        same(got.returncode, 1, f"status of {args}")
        check("not permitted without CAP_NET_ADMIN" in got.stderr, f"{args}: {got.stderr!r}")
    same(state(), before, "state here after all that")


def told(args, schema, happen):
    """What a stream tells first when something happens, again and again until it listens."""
    with subprocess.Popen([CTL, "-j", *args], stdout=subprocess.PIPE, text=True) as child:
        try:
            def heard():
                happen()
                return select.select([child.stdout], [], [], 0.2)[0]
            wait_for(heard, f"{args} to tell of something")
            jsonschema.validate(json.loads(child.stdout.readline()), schema)
        finally:
            child.kill()


def test_streams(loop):
    """What comes while it runs is told, an object for each."""
    here = client(loop, "publisher")
    told(["monitor"], row_schema("event", ["client-id"], {"event": {"type": "string"}}),
         lambda: client(loop, "noticed").disconnect())
    for args in (["sub", "news/#"], ["trace", "topic", "news/#"]):
        told(args, row_schema("message", ["topic", "qos", "size"], {"time": {"type": "string"}}),
             lambda: here.wait_publish("news/x", b"text", 1))
    told(["trace", "client", "publisher"],
         row_schema("tapped", ["type", "size", "client-id", "connection"],
                    {"time": {"type": "string"}, "type": {"type": "string"},
                     "direction": {"enum": ["sent", "received"]}}),
         here.wait_ping)
    here.disconnect()


def main():
    with tempfile.TemporaryDirectory() as directory:
        write_files(directory)
        with point("all commands that the help has are tried"):
            test_complete()
        loop = Loop()
        ctl("load", f"{directory}/conf")
        populate(loop)
        with point("what shows something: tables and JSON"):
            test_shows(directory)
        with point("what tells of events: JSON"):
            test_streams(loop)
        with point("others than root are refused, by every command"):
            test_nobody(directory)
        with point("the broker of another network namespace"):
            test_netns(directory)
        with point("who owns a user namespace controls its brokers, by every command"):
            test_user_namespace(directory)
        with point("what changes something: messages and JSON"):
            test_changes(directory, loop)
        loop.close()
    finish()


main()
