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
    CTL, PATIENCE, PORT, TOP, Loop, Peer, check, client, ctl, ctl_json, finish, netns, note, point,
    run, same, wait_for,
)

with open(f"{TOP}/Documentation/netlink/specs/kmqtt.yaml", encoding="utf-8") as file:
    SPEC = yaml.safe_load(file)
OPERATIONS = {found["name"]: found for found in SPEC["operations"]["list"]}
SETS = {found["name"]: {attr["name"]: attr for attr in found["attributes"]}
        for found in SPEC["attribute-sets"]}
ENUMS = {found["name"]: [entry if isinstance(entry, str) else entry["name"]
                         for entry in found["entries"]]
         for found in SPEC["definitions"] if found["type"] in ("enum", "flags")}
FLAGS = {found["name"] for found in SPEC["definitions"] if found["type"] == "flags"}
BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "uint": 64}


# ----------------------------------------------------------------- schemas

def value_schema(attr):
    kind = attr["type"]
    if kind == "flag":
        return {"const": True}
    if attr.get("enum") in FLAGS:
        # By the numbers of their levels: v5 is 5.
        some = "|".join(name[1:] for name in ENUMS[attr["enum"]])
        return {"type": "string", "pattern": f"^({some})(,({some}))*$"}
    if kind in BITS and "enum" in attr:
        return {"enum": ENUMS[attr["enum"]]}
    if kind in BITS and (attr.get("checks", {}).get("max") == 1 or attr["doc"].startswith("1 if")):
        return {"type": "boolean"}
    if kind in BITS:
        return {"type": "integer", "minimum": 0, "maximum": 2 ** BITS[kind] - 1}
    return {"type": "string"}


def attributes(name, direction="reply"):
    """The names that the specification gives an answer, a request or an event."""
    found = OPERATIONS[name]
    if "event" in found:
        return found["event"]["attributes"]
    return found["do" if direction in found.get("do", {}) else "dump"][direction]["attributes"]


def row_schema(operation, must=(), also=None, direction="reply"):
    """An object with what an operation tells, `must` among it."""
    properties = {}
    for name in attributes(operation, direction):
        attr = SETS[OPERATIONS[operation]["attribute-set"]][name]
        key = name.replace("-", "_")
        if name in ("addr4", "addr6", "ifindex"):
            properties["address"] = {"type": "string", "pattern": r"^[0-9a-f.:*%a-z/]+$"}
        elif name == "reason" and attr["type"] != "string":
            properties["reason"] = {"type": "string"}
            properties["reason_code"] = value_schema(attr)
        elif name == "tls-version":
            properties[key] = {"enum": ["1.2", "1.3"]}
        elif name == "payload":
            properties["payload"] = {"type": "string"}
            properties["payload_hex"] = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
        # Keys and the like are never shown, and packets have a schema of their own.
        elif attr["type"] not in ("binary", "nest"):
            properties[key] = value_schema(attr)
    return object_schema(properties | (also or {}), must)


def rows_schema(operation, *must):
    return array_schema(row_schema(operation, must))


def always(operation):
    """What is in every answer: texts are missing if there is none."""
    return [name for name in attributes(operation) if SETS["broker"][name]["type"] != "string"]


def object_schema(properties, must=None):
    """Of these properties and no others; all are there, or those of `must`."""
    must = properties if must is None else must
    return {"type": "object", "properties": properties, "additionalProperties": False,
            "required": [name.replace("-", "_") for name in must]}


def array_schema(items, least=1):
    return {"type": "array", "minItems": least, "items": items}


def valid(what, got, schema):
    try:
        jsonschema.Draft202012Validator(schema).validate(got)
    except jsonschema.ValidationError as error:
        raise AssertionError(f"{what}: {error.message} in {error.instance}") from None


# ---------------------------------------------------------------- commands

RATE = {"type": "number", "minimum": 0}
COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
TIME_PATTERN = r"[0-9-]{10}T[0-9:]{8}\.[0-9]{6}[+-][0-9]{4}"
TIME = {"type": "string", "pattern": f"^{TIME_PATTERN}$"}
PACKET = object_schema({
    "type": {"enum": ["CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
                      "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP",
                      "DISCONNECT", "AUTH"]},
    "size": {"type": "integer", "minimum": 2},
    "age": RATE,
    "direction": {"enum": ["sent", "received"]},
})
# What kmqttctl top shows each time.
TURN = object_schema({
    "time": COUNT,
    "interval": RATE,
    "connections": COUNT,
    "clients": array_schema(row_schema(
        "client-get", ["client-id", "connection", "received-rate", "sent-rate",
                       "bytes-received-rate", "bytes-sent-rate", "dropped-rate"],
        dict.fromkeys(["received_rate", "sent_rate", "bytes_received_rate", "bytes_sent_rate",
                       "dropped_rate"], RATE))),
})
OPTION = object_schema({
    "name": {"type": "string", "pattern": r"^[a-z0-9_.]+\*?$"},
    "value": {"enum": ["any", "bool", "number", "size", "time", "word", "text", "file",
                       "directory"]},
    "scope": {"enum": ["broker", "listener", "broker or listener", "bridge"]},
    "fate": {"enum": ["honoured", "void", "refused"]},
    "unless": TEXT,
    "setting": {"enum": list(SETS["broker"])},
    "text": {"type": "string", "minLength": 1},
}, ["name", "value", "scope", "fate", "text"])
# What a configuration file says.
CONFIGURATION = object_schema({
    "settings": row_schema("broker-set", direction="request"),
    "listeners": array_schema(row_schema("listener-add", ["transport", "address", "port", "realm"],
                                         direction="request")),
    "realms": array_schema(object_schema({
        "number": COUNT,
        "authenticate": {"type": "boolean"},
        "restrict": {"type": "boolean"},
        "users": array_schema(object_schema({
            "name": TEXT,
            "method": {"enum": ENUMS["password-method"] + ENUMS["auth-method"]},
            "iterations": COUNT,
        }, ["name", "method"])),
        "rules": array_schema(row_schema("acl-add", ["kind", "access", "topic"],
                                         direction="request")),
    })),
})

# What shows something and changes nothing: arguments; schema of JSON, if there is any; what is
# in the table.
SHOWS = {
    ("broker",): (row_schema("broker-get", always("broker-get")), "max-connections "),
    ("listener",): (rows_schema("listener-get", "id", "port", "connections", "connections-total",
                                "anonymous"), r"^ *ID +ADDRESS +CONNECTIONS"),
    ("client",): (rows_schema("client-get", "connection", "listener", "connected"),
                  r"^CLIENT-ID +ADDRESS"),
    ("client", "get", "here"): (
        row_schema("client-get", ["client-id", "connection", "level", "messages-received",
                                  "send-queue"]), "here"),
    ("client", "show", "here"): (
        object_schema({
            "client": row_schema("client-get", ["connection"]),
            "session": row_schema("session-get", ["client-id"]),
            "subscriptions": rows_schema("subscription-get", "filter", "qos"),
            "packets": array_schema(PACKET),
        }), "(?s)CONNECTION.*SUBSCRIPTIONS.*a/#.*LAST PACKETS.*PUBLISH"),
    ("session",): (rows_schema("session-get", "client-id", "connected", "clean", "subscriptions"),
                   "^CLIENT-ID"),
    ("session", "get", "kept"): (row_schema("session-get", ["client-id", "queued-messages",
                                                            "subscriptions"]), "kept"),
    ("subscription",): (rows_schema("subscription-get", "client-id", "filter", "qos"),
                        "^CLIENT-ID"),
    ("subscription", "get", "kept"): (
        rows_schema("subscription-get", "client-id", "filter", "qos"), "k/#"),
    ("retained",): (rows_schema("retained-get", "topic", "qos", "size"), "QOS +SIZE +TOPIC"),
    ("retained", "get", "r/#", "payload-max", "9"): (
        rows_schema("retained-get", "topic", "qos", "size", "payload"), "r/1.*text"),
    ("user",): (rows_schema("user-get", "name"), "^NAME|^USER"),
    ("realm",): (rows_schema("realm-get", "number", "authenticate", "restrict", "users", "rules"),
                 "^REALM +AUTHENTICATE"),
    ("acl",): (rows_schema("acl-get", "kind", "access", "topic"), "^REALM"),
    ("ban",): (rows_schema("ban-get", "origin"), "^ADDRESS"),
    ("ban", "list"): (rows_schema("ban-get", "origin"), "203.0.113.0/24.*someone else"),
    ("stats",): (row_schema("stats-get", attributes("stats-get")),
                 "(?m)^connections-total +[0-9]"),
    ("stats", "--prometheus"): (None, r'(?m)^kmqtt_clients(\{netns="other"\})? 1$'),
    ("top", "batch", "1", "interval", "1"): (TURN, r"(?m)CLIENT-ID$(?s:.*)here$"),
    ("load", "--options"): (array_schema(OPTION), "^OPTION"),
    ("load", "--check", "@conf"): (CONFIGURATION, "^$"),
    ("save",): (None, "(?m)^listener 1883"),
}


def without(word):
    return rf"(?s)\A(?!.*\b{word}\b)"


# What changes something, and its opposite: arguments; schema of what it tells, if it does; a
# noun, and what its table has afterwards.
CHANGES = (
    (("broker", "set", "max-sessions", "77"), None, "broker", "max-sessions +77"),
    (("listener", "add", "127.0.0.1:2000"), row_schema("listener-add", ["id", "address", "port"]),
     "listener", "127.0.0.1:2000"),
    (("listener", "set", "127.0.0.1:2000", "message-rate", "7"), None, "listener",
     "127.0.0.1:2000 .* message 7"),
    (("listener", "del", "127.0.0.1:2000"), None, "listener", without("2000")),
    (("client", "kick", "here"), None, "client", without("here")),
    (("client", "move", "here"), None, "client", without("here")),
    (("session", "del", "kept"), None, "session", without("kept")),
    (("retained", "del", "r/1"), row_schema("retained-del", ["count"]), "retained",
     without("r/1")),
    (("user", "set", "someone", "password"), None, "user", "someone"),
    (("user", "del", "someone"), None, "user", without("someone")),
    (("ban", "add", "client", "unwanted", "expiry", "1h"), None, "ban", "unwanted"),
    (("ban", "del", "client", "unwanted"), None, "ban", without("unwanted")),
    (("pub", "a/b", "text", "qos", "1", "retain"), row_schema("message-publish", ["subscriptions"]),
     "retained", "a/b"),
    (("load", "@conf"), row_schema("config-commit", attributes("config-commit")), "broker",
     "max-sessions +100000"),
)

# Events, and what is always told of them.
EVENTS = {
    "connect": ["connection", "client-id", "address", "listener", "level", "clean",
                "session-present"],
    "disconnect": ["connection", "client-id", "address", "reason"],
    "refused": ["connection", "address", "listener", "reason", "count"],
    "dropped": ["client-id", "drop", "count"],
    "ban": ["connection", "client-id", "address"],
    "config": [],
}
MESSAGE = row_schema("message-ntf", ["topic", "qos", "size"], {"time": TIME})

# What goes on until it is ended: arguments; schema of each line of JSON; values that have to come
# in these lines; a line for people.
STREAMS = {
    ("monitor",): (
        {"oneOf": [row_schema(f"{name}-ntf", ["event", *must], {"event": {"const": name}})
                   for name, must in EVENTS.items()]},
        {"event": set(EVENTS)}, "^connect client-id flapping connection [0-9]+ listener [0-9]+ "),
    ("top",): (TURN, {}, r"RECV/s +SENT/s .* CLIENT-ID$"),
    ("sub", "#"): (MESSAGE, {"topic": {"r/1", "news/x"}}, "^news/x text$"),
    ("trace", "topic", "#"): (MESSAGE, {"topic": {"news/x"}},
                              f"^{TIME_PATTERN} client-id here qos 1 .*topic news/x$"),
    ("trace", "client", "here"): (
        row_schema("packet-ntf", ["time", "type", "direction", "size", "client-id", "connection"],
                   {"time": TIME, "type": PACKET["properties"]["type"],
                    "direction": PACKET["properties"]["direction"]}),
        {"type": {"PUBLISH", "PUBACK", "PINGREQ", "PINGRESP"}, "direction": {"sent", "received"}},
        f"^{TIME_PATTERN} < PUBLISH id [0-9]+ qos 1 size [0-9]+ connection [0-9]+$"),
}


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


# ----------------------------------------------------------------- brokers

class Broker:
    """That of a network namespace: its clients, and how somebody calls kmqttctl for it."""

    def __init__(self, *command, name=None):
        self.command = command
        self.name = name
        self.loop = Loop()
        self.here = None

    def inside(self):
        """Where sockets are those of its clients."""
        return netns(self.name) if self.name else contextlib.nullcontext()

    def ctl(self, *args):
        return run(*self.command, *args, input="secret\n").stdout

    def json(self, *args):
        """What -j prints: one document."""
        return json.loads(self.ctl("-j", *args))

    def connect(self, client_id):
        """A client that is let in, or not."""
        with self.inside():
            peer = Peer(self.loop).connect(client_id)
        self.loop.until(lambda: peer.connack or peer.closed, "CONNACK")
        return peer

    def populate(self):
        """Something of every kind, for all commands to show."""
        with self.inside():
            client(self.loop, "kept", "k/#", qos=1, clean=False).disconnect()
            self.here = client(self.loop, "here", "a/#", clean=False)
        self.here.wait_publish("r/1", b"text", 1, retain=True)
        self.here.wait_publish("r/2", b"text", 1, retain=True)
        self.here.wait_publish("k/x", b"queued", 1)
        self.ctl("ban", "add", "address", "203.0.113.0/24", "reason", "someone else")

    def publish(self):
        self.here.wait_publish("news/x", b"text", 1)
        self.here.wait_ping()

    def disturb(self):
        """Something for each event to tell of."""
        # The first is let in, the third is banned, and the fourth is refused.
        for _ in range(4):
            self.connect("flapping").disconnect()
        self.here.wait_publish("k/x", b"dropped", 1)
        self.ctl("listener", "add", "127.0.0.1:2000")
        self.ctl("listener", "del", "127.0.0.1:2000")


HERE = Broker(CTL)
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
OWNER = (*NOBODY, "unshare", "--user", "--map-root-user")


@contextlib.contextmanager
def another_broker():
    """That of another network namespace, which root asks from here."""
    run("ip", "netns", "add", "other")
    broker = Broker(CTL, "-n", "other", name="other")
    try:
        run("ip", "-n", "other", "link", "set", "lo", "up")
        yield broker
    finally:
        broker.loop.close()
        run("ip", "netns", "del", "other")


@contextlib.contextmanager
def owned_broker():
    """That of a network namespace in a user namespace, which the owner of both asks there."""
    script = "ip link set lo up && echo ready && exec sleep inf"
    with subprocess.Popen([*OWNER, "--net", "sh", "-c", script],
                          stdout=subprocess.PIPE) as holder:
        broker = Broker(*NOBODY, "nsenter", "--preserve-credentials", "--user", "--net",
                        "--target", str(holder.pid), CTL, name="owned")
        try:
            same(holder.stdout.readline(), b"ready\n", "what the owner says")
            run("ip", "netns", "attach", "owned", str(holder.pid))
            yield broker
        finally:
            broker.loop.close()
            run("ip", "netns", "del", "owned", check_status=False)
            holder.kill()


def state():
    """What doesn't change here unless somebody changes it."""
    rows = {noun: ctl_json(noun) for noun in ("broker", "realm", "acl", "user", "retained",
                                              "subscription", "ban")}
    for noun, key in (("listener", "id"), ("client", "connection"), ("session", "client_id")):
        rows[noun] = [row[key] for row in ctl_json(noun)]
    return rows


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
    tried = {args[:2] for args in [*SHOWS, *STREAMS, *(args for args, *_ in CHANGES)]}
    tried_nouns = {args[0] for args in tried}
    for noun, verbs in nouns().items():
        check(noun in tried_nouns, f"{noun} isn't tried")
        # Some have no verb, but something else.
        if noun in ("top", "monitor", "pub", "sub"):
            continue
        for verb in verbs - {"get"}:
            check((noun, verb) in tried, f"{noun} {verb} isn't tried")


def show(broker, words, schema, table):
    text = broker.ctl(*words)
    check(re.search(table, text), f"{words} prints {text[:500]!r}, not {table!r}")
    if not schema:
        return
    valid(words, broker.json(*words), schema)
    if broker is HERE:
        text = broker.ctl("-p", *words)
        check(text.count("\n") > 1, f"{words} with -p prints {text!r}")
        valid(words, json.loads(text), schema)


def test_shows(broker, directory):
    broker.populate()
    wrong = []
    for args, (schema, table) in SHOWS.items():
        try:
            show(broker, expand(args, directory), schema, table)
        except AssertionError as error:
            wrong.append(str(error))
    check(not wrong, "\n".join(wrong))


def change(broker, words, schema, noun, table, options):
    if words[0] in ("client", "session", "retained"):
        broker.populate()
    text = broker.ctl(*options, *words)
    if not schema:
        same(text, "", f"what {options} {words} prints")
    elif options:
        valid(words, json.loads(text), schema)
    else:
        check(re.search("^[a-z-]+ [0-9]+.*\n$", text), f"{words} prints {text!r}")
    wait_for(lambda: re.search(table, broker.ctl(noun)), f"{table!r} in {noun} after {words}")


def test_changes(broker, directory):
    """All that is said, and that it is done."""
    for options in ([], ["-j"]):
        for args, schema, noun, table in CHANGES:
            change(broker, expand(args, directory), schema, noun, table, options)


def told(broker, args, happen, enough):
    """What a stream prints, while something happens again and again until it is enough."""
    data = b""

    def heard():
        nonlocal data
        happen()
        if select.select([child.stdout], [], [], 0.2)[0]:
            more = os.read(child.stdout.fileno(), 1 << 16)
            check(more, f"{args} has ended after {data!r}")
            data += more
        # Behind the last newline there is a line that isn't whole yet.
        return enough(data[:data.rfind(b"\n") + 1].decode())

    with subprocess.Popen([*broker.command, *args], stdout=subprocess.PIPE) as child:
        try:
            wait_for(heard, f"{args} to tell of everything")
        except TimeoutError:
            note(f"told by then: {data[-2000:].decode()}")
            raise
        finally:
            child.kill()


def test_stream(broker, args, schema, wanted, line):
    happen = broker.disturb if args[0] == "monitor" else broker.publish
    rows = []

    def told_all(text):
        for new in text.splitlines()[len(rows):]:
            rows.append(json.loads(new))
            valid(args, rows[-1], schema)
        return rows and all(values <= {row.get(key) for row in rows}
                            for key, values in wanted.items())

    told(broker, args, happen, lambda text: re.search(f"(?m){line}", text))
    told(broker, ("-j", *args), happen, told_all)


def test_streams(broker, directory):
    """What comes while it runs is told, in a line or an object each."""
    broker.populate()
    broker.ctl("broker", "set", "max-queued-messages", "1", "flapping-max", "2",
               "flapping-ban", "1s")
    try:
        for args, (schema, wanted, line) in STREAMS.items():
            test_stream(broker, args, schema, wanted, line)
    finally:
        broker.ctl("load", f"{directory}/conf")
    for noun in ("ban", "session"):
        wait_for(lambda n=noun: "flapping" not in broker.ctl(n), f"the last {noun} to go")


TESTS = (
    ("what shows something: tables and JSON", test_shows),
    ("what goes on: lines and JSON", test_streams),
    ("what changes something: messages and JSON", test_changes),
)


def everything(directory):
    for args in SHOWS:
        # These ask nobody.
        if args[:2] not in (("load", "--options"), ("load", "--check")):
            yield expand(args, directory)
    for args, *_ in CHANGES:
        yield expand(args, directory)
    yield from STREAMS


def test_refused(directory, *command):
    """Who may not is told so; nothing has changed, and nothing was told."""
    HERE.populate()
    before = state()
    for args in everything(directory):
        got = run("timeout", str(PATIENCE), *command, CTL, *args, check_status=False,
                  input="secret\n")
        same(got.returncode, 1, f"status of {args} ({got.stderr.strip()})")
        check("not permitted without CAP_NET_ADMIN" in got.stderr, f"{args}: {got.stderr!r}")
        same(got.stdout, "", f"what {args} prints")
    same(state(), before, "state after all that")


def test_fresh(broker, directory):
    """It has nothing of what is here, and what is its own when that is loaded."""
    for noun in ("listener", "client", "session", "subscription", "retained", "user", "ban"):
        same(broker.json(noun), [], noun)
    got = broker.json("load", f"{directory}/conf")
    same(got["listeners_opened"], 1, "listeners opened there")
    same([row["name"] for row in broker.json("user")], ["one"], "users there")


def test_elsewhere(make_broker, what, directory):
    """Every command for another broker; the one here notices nothing."""
    HERE.populate()
    before = state()
    with make_broker() as broker:
        for text, test in (("has what is its own", test_fresh), *TESTS):
            with point(f"{what}: {text}"):
                test(broker, directory)
    with point(f"{what}: the one here is as before"):
        same(state(), before, "state here")


def main():
    with tempfile.TemporaryDirectory() as directory:
        write_files(directory)
        with point("all commands that the help has are tried"):
            test_complete()
        HERE.ctl("load", f"{directory}/conf")
        for text, test in TESTS:
            with point(text):
                test(HERE, directory)
        with point("others than root are refused, by every command"):
            test_refused(directory, *NOBODY)
        with point("who owns a user namespace only is refused, by every command"):
            test_refused(directory, *OWNER)
        test_elsewhere(another_broker, "the broker of another network namespace", directory)
        test_elsewhere(owned_broker, "the broker of who owns a user namespace", directory)
        HERE.loop.close()
    finish()


main()
