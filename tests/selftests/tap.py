# SPDX-License-Identifier: GPL-2.0
"""Messages that netlink publishes, and those that it sees: through kmqttctl as
people have it, and through sockets that do what it wouldn't.
"""

import contextlib
import errno
import json
import os
import select
import socket
import struct
import subprocess
import sys

from selftest import (
    CTL, TOP, Generic, Loop, Peer, broker_set, check, clean_up, client, ctl, ctl_json, finish,
    mqtt, run, run_tests, same, scaled, settings, wait_for,
)

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")
SHOWN = 16384
LARGEST = 65531


class Tap(Generic):
    """A tap, and all that has come through it: messages, or packets of a client."""

    GROUPS, GROUP_NAME, GROUP_ID = 7, 1, 2
    SOL_NETLINK, ADD_MEMBERSHIP, NO_ENOBUFS, CAP_ACK, EXT_ACK = 270, 1, 5, 10, 11
    RCVBUFFORCE = 33
    NUMBERS = ("qos", "retain", "size", "time", "lost", "type", "connection", "id", "reason")

    def __init__(self, topic_filter=None, payload_max=SHOWN, join=True, rcvbuf=None,
                 client_id=None):
        super().__init__()
        self.messages = []
        self.attrs = {self.names[f"KMQTT_CMD_{command}_NTF"]:
                      {number: name.removeprefix(f"KMQTT_A_{noun}_").lower()
                       for name, number in self.names.items() if f"_A_{noun}_" in name}
                      for command, noun in (("MESSAGE", "MESSAGE"), ("PACKET", "TAPPED"))}
        for option in (self.CAP_ACK, self.EXT_ACK):
            self.sock.setsockopt(self.SOL_NETLINK, option, 1)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, self.RCVBUFFORCE, rcvbuf)
        if join:
            self.join()
        if topic_filter is not None:
            self.add(topic_filter, payload_max)
        if client_id is not None:
            self.request("tap_add", client_id=client_id.encode())

    def join(self):
        reply = self.ask(self.CTRL, self.GETFAMILY,
                         struct.pack("=HH6sxx", 10, self.FAMILY_NAME, b"kmqtt\0"))
        groups = {}
        for group in self.parse(reply[self.GROUPS]).values():
            group = self.parse(group)
            groups[group[self.GROUP_NAME]] = int.from_bytes(group[self.GROUP_ID], sys.byteorder)
        self.sock.setsockopt(self.SOL_NETLINK, self.ADD_MEMBERSHIP, groups[b"taps\0"])
        self.sock.setsockopt(self.SOL_NETLINK, self.NO_ENOBUFS, 1)

    @staticmethod
    def parse(data):
        pos, found = 0, {}
        while pos < len(data):
            size, attr = struct.unpack_from("=HH", data, pos)
            found[attr & 0x3fff] = data[pos + 4:pos + size]
            pos += size + 3 & ~3
        return found

    def request(self, command, **attributes):
        """The answer; messages may come before it."""
        data = b""
        for name, value in attributes.items():
            if isinstance(value, int):
                value = value.to_bytes(4, sys.byteorder)
            number = self.names[f"KMQTT_A_MESSAGE_{name}".upper()]
            data += struct.pack("=HH", 4 + len(value), number) + value + bytes(-len(value) % 4)
        self.sock.send(struct.pack("=IHHIIBBH", 20 + len(data), self.family, 1 | self.ACK, 7, 0,
                                   self.names[f"KMQTT_CMD_{command}".upper()], 1, 0) + data)
        reply = {}
        while True:
            data = self.sock.recv(1 << 17)
            kind, _, seq = struct.unpack_from("=HHI", data, 4)
            if seq != 7:
                self.message(data)
            elif kind == 2:
                code = -struct.unpack_from("=i", data, 16)[0]
                if code:
                    error = OSError(code, os.strerror(code))
                    # Text, place and number of an attribute, as NLMSGERR_ATTR_ has them.
                    error.told = self.parse(data[36:])
                    raise error
                return reply
            else:
                reply = self.parse(data[20:])

    def add(self, topic_filter, payload_max=SHOWN):
        self.request("tap_add", filter=topic_filter.encode(), payload_max=payload_max)

    def delete(self):
        """How many it has lost and was not told of."""
        reply = self.request("tap_del")
        return int.from_bytes(reply[self.names["KMQTT_A_MESSAGE_LOST"]], sys.byteorder)

    def message(self, data):
        attrs = self.attrs[data[16]]
        got = {attrs[attr]: value for attr, value in self.parse(data[20:]).items()}
        for name in self.NUMBERS:
            if name in got:
                got[name] = int.from_bytes(got[name], sys.byteorder)
        self.messages.append(got)

    def read(self):
        """All that has come so far."""
        while select.select([self.sock], [], [], 0)[0]:
            self.message(self.sock.recv(1 << 17))
        return self.messages

    def topics(self):
        return [m["topic"].decode() for m in self.read()]

    def close(self):
        self.sock.close()


def tap(*args, **kw):
    return contextlib.closing(Tap(*args, **kw))


class Ctl:
    """kmqttctl that goes on, and the lines that it prints."""

    def __init__(self, *args):
        self.child = subprocess.Popen([CTL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.set_blocking(self.child.stdout.fileno(), False)
        self.text = b""

    def lines(self):
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.child.stdout.fileno(), 1 << 16):
                self.text += data
        return self.text.decode().splitlines()

    def objects(self):
        return [json.loads(line) for line in self.lines()]

    def ready(self):
        """Until it sees messages; without them from then on."""
        wait_for(lambda: ctl("pub", "probe", "x") and self.lines(), "the first message")
        ctl("pub", "ready", "x")
        wait_for(lambda: "ready" in self.lines()[-1], "the last of them")
        self.text = b""

    def wait(self, number):
        return wait_for(lambda: len(self.lines()) >= number and self.lines(), f"{number} lines")

    def end(self, status=0):
        wait_for(lambda: self.child.poll() is not None, "the end of kmqttctl")
        same(self.child.returncode, status, "status")

    def close(self):
        self.child.kill()
        self.child.communicate()


def refused(*args, status=1, says=()):
    text = ctl(*args, status=status)
    for word in says:
        check(word in text, f"no {word!r} in {text!r}")


# ---------------------------------------------------------------- pub

def test_pub():
    loop = Loop()
    sub = client(loop, "sub", "p/#", qos=2)
    other = client(loop, "other", "p/+", qos=1)
    for qos in range(3):
        got = ctl_json("pub", "p/x", f"text {qos}", "qos", str(qos))
        same(got, {"subscriptions": 2}, "what pub tells")
    same(ctl("pub", "topic", "p/y", "payload", "file"), "subscriptions 2\n", "its line")
    same(ctl_json("pub", "nobody", "x"), {"subscriptions": 0}, "what it tells of nobody")
    loop.until(lambda: len(sub.messages) == 4 and len(other.messages) == 4, "all messages")
    want = [("p/x", b"text %d" % qos, qos, qos << 1) for qos in range(3)]
    got = [(topic, payload, qos, flags & 6) for topic, payload, qos, flags in sub.messages[:3]]
    same(got, want, "messages of QoS 2")
    same([m[2] for m in other.messages], [0, 1, 1, 0], "QoS of who has asked for 1")
    same(sub.messages[3][:2], ("p/y", b"file"), "a payload that is a keyword")
    loop.close()


def test_pub_retain():
    loop = Loop()
    ctl("pub", "r/1", "kept", "qos", "1", "retain")
    ctl("pub", "r/2", "not kept")
    got = ctl_json("retained", "get", "payload-max", "10")
    same(got, [{"topic": "r/1", "payload": "kept", "qos": 1, "size": 4}], "retained messages")
    sub = client(loop, "sub", "r/#")
    loop.until(lambda: sub.messages, "the retained message")
    same(sub.messages[0][3] & 1, 1, "its flag")
    ctl("pub", "r/1", "null", "retain")
    same(ctl_json("retained"), [], "retained messages afterwards")
    loop.until(lambda: len(sub.messages) == 2, "the empty message")
    same(sub.messages[1][:2], ("r/1", b""), "the empty message")
    loop.close()


class V5(Peer):
    level = 5


def test_pub_properties():
    loop = Loop()
    old = client(loop, "old", "v")
    new = V5(loop).wait_connect("new", level=5)
    new.send(mqtt.subscribe(1, ("v", 0), level=5))
    loop.until(lambda: new.subacks, "SUBACK")
    ctl("pub", "v", "text", "expiry", "1m", "content-type", "text/plain")
    loop.until(lambda: old.messages and new.messages, "the message")
    same(old.messages[0][1], b"text", "what who speaks 3.1.1 gets")
    props = new.messages[0][1]
    same((len(props), props[0], props[-4:]), (23, 18, b"text"), "properties, and payload")
    check(b"\3\0\x0atext/plain" in props, f"no content type in {props}")
    check(b"\2\0\0\0\x3c" in props or b"\2\0\0\0\x3b" in props, f"no expiry in {props}")
    # What has expired is not kept for anybody.
    ctl("pub", "v", "text", "retain", "expiry", "0")
    late = client(loop, "late", "v")
    late.wait_ping()
    same(late.messages, [], "messages that have expired")
    loop.close()


def test_pub_large():
    loop = Loop()
    sub = client(loop, "sub", "large")
    payload = os.urandom(LARGEST)
    for size in (4096, 4097, LARGEST):
        with subprocess.Popen([CTL, "pub", "large", "file", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as child:
            child.communicate(payload[:size])
        same(child.returncode, 0, f"status with {size} bytes")
        loop.until(lambda: sub.messages, "the message")
        check(sub.messages.pop()[1] == payload[:size], f"another payload of {size} bytes")
    path = f"{os.environ.get('KMQTT_TMP', '/tmp')}/payload"
    with open(path, "wb") as file:
        file.write(payload + b"x")
    refused("pub", "large", "file", path, status=2, says=["65531"])
    refused("pub", "large", "file", f"{path}.none", status=3, says=["payload.none"])
    loop.close()


def test_pub_wrong():
    loop = Loop()
    sub = client(loop, "sub", "#", "$SYS/#", "$share/g/#")
    for topic in ("a/+", "#", "a#", "$SYS/broker/version", "$share/g/a", "$SYS", "/".join(300 * "x")):
        refused("pub", topic, "x", says=["pub", "topic"])
    refused("pub", "a", "x", "qos", "3", says=["qos"])
    with settings(max_qos=1, retain_available=False):
        refused("pub", "a", "x", "qos", "2", says=["qos"])
        refused("pub", "a", "x", "retain", says=["retain"])
    for args in ([], ["a"], ["a", "file"], ["a", "x", "qos"], ["a", "x", "nonsense"], ["", "x"]):
        refused("pub", *args, status=2, says=["pub"])
    with tap() as raw:
        for topic in (b"a\0b", b"\xff", b"\xed\xa0\x80", b""):
            with contextlib.suppress(OSError):
                raw.request("message_publish", topic=topic)
                raise AssertionError(f"topic {topic} was taken")
        with contextlib.suppress(OSError):
            raw.request("message_publish", topic=b"a", content_type=b"\xff")
            raise AssertionError("a content type was taken that isn't UTF-8")
    sub.wait_ping()
    same(sub.messages, [], "messages of all that")
    loop.close()


# ---------------------------------------------------------------- taps

def test_sub():
    loop = Loop()
    pub = client(loop, "publisher")
    with contextlib.closing(Ctl("-j", "sub", "#")) as sub:
        sub.ready()
        for qos in range(3):
            pub.wait_publish("s/x", b"text %d" % qos, qos)
        pub.wait_publish("s/kept", b"\xff\0", 1, retain=True)
        pub.wait_publish("s/empty", b"", 0)
        ctl("pub", "s/own", "x")
        sub.wait(6)
        got = sub.objects()
    same(got[:3], [{"topic": "s/x", "client_id": "publisher", "qos": qos, "retain": False,
                    "size": 6, "payload": f"text {qos}"} for qos in range(3)], "messages")
    same((got[3]["retain"], got[3]["payload_hex"]), (True, "ff00"), "a retained one")
    same(got[4].get("payload", ""), "", "an empty one")
    same("client_id" in got[5], False, "a publisher that is no client")
    loop.close()


def test_sub_text():
    loop = Loop()
    pub = client(loop, "publisher")
    pub.wait_publish("t/kept", b"before", 1, retain=True)
    pub.wait_publish("u/kept", b"not this", 1, retain=True)
    with contextlib.closing(Ctl("sub", "t/#", "count", "4")) as sub:
        # What is retained is printed when messages can come.
        same(sub.wait(1), ["t/kept before"], "what was retained")
        pub.wait_publish("t/a b", b"two words", 1)
        pub.wait_publish("t", b"\x80", 1)
        pub.wait_publish("t/c", b"\x1b[31m", 1)
        sub.end()
        same(sub.lines()[1:], ["t/a b two words", "t 0x80", "t/c \\x1b[31m"], "lines")
    with contextlib.closing(Ctl("-t", "sub", "filter", "t/+", "count", "2", "for", "60")) as sub:
        sub.wait(1)
        pub.wait_publish("t/large", b"x" * 20000, 1)
        sub.end()
        line = sub.lines()[1]
        check(line[:2] == "20" and line.endswith(" t/large " + "x" * SHOWN + "..."), line[:80])
    refused("sub", "t/+", "count", "2", "for", "1", status=4)
    ctl("sub", "no/such", "for", "1")
    refused("sub", "a/#/b", says=["sub", "filter"])
    refused("sub", "$share/g/a", says=["sub", "filter"])
    for args in ([], ["a", "count"], ["a", "count", "0"], ["a", "for", "x"], ["a", "b"]):
        refused("sub", *args, status=2, says=["sub"])
    loop.close()


def test_trace():
    loop = Loop()
    pub = client(loop, "publisher")
    with contextlib.closing(Ctl("trace", "topic", "#")) as trace:
        trace.ready()
        pub.wait_publish("a/b", b"12345", 1)
        pub.wait_publish("large", bytes(100000), 2, retain=True)
        lines = trace.wait(2)
    check(lines[0].endswith(" client-id publisher qos 1 retain off size 5 topic a/b"), lines[0])
    check(lines[1].endswith(" client-id publisher qos 2 retain on size 100000 topic large"), lines[1])
    with contextlib.closing(Ctl("-j", "trace", "topic", "#", "count", "1")) as trace:
        wait_for(lambda: ctl("pub", "x", "text") and trace.child.poll() is not None, "the end")
        got = trace.objects()
    same(len(got), 1, "messages that were asked for")
    check("time" in got[0] and "payload" not in got[0], f"{got}")
    refused("trace", "topic", "a/#/b", says=["trace topic", "filter"])
    refused("trace", "nonsense", "a", status=2)
    loop.close()


def test_filters():
    filters = ("#", "+/x", "a/#", "a/+/x", "a", "$SYS/#", "+", "$data/+")
    topics = ("a", "a/x", "b/x", "a/b/x", "a/b/y", "/x", "$data/x", "$datas/x")
    want = {"#": ["a", "a/x", "b/x", "a/b/x", "a/b/y", "/x"], "+/x": ["a/x", "b/x", "/x"],
            "a/#": ["a", "a/x", "a/b/x", "a/b/y"], "a/+/x": ["a/b/x"], "a": ["a"], "$SYS/#": [],
            "+": ["a"], "$data/+": ["$data/x"]}
    loop = Loop()
    pub = client(loop, "publisher")
    with contextlib.ExitStack() as stack:
        taps = {f: stack.enter_context(tap(f)) for f in filters}
        bystander = stack.enter_context(tap())
        for topic in topics:
            pub.wait_publish(topic, b"x", 1)
        for f in filters:
            same(taps[f].topics(), want[f], f"what {f} stands for")
        same(bystander.read(), [], "what a member of the group sees without a tap")
        broker_set("sys-interval", 1)
        wait_for(lambda: "$SYS/broker/uptime" in taps["$SYS/#"].topics(), "$SYS")
        broker_set("sys-interval", 0)
        same(len(taps["#"].topics()), len(want["#"]), "messages that # stands for")
        check(all("client_id" not in m for m in taps["$SYS/#"].messages), "no client tells $SYS")
    loop.close()


def test_bursts():
    """Runs, with and without subscribers, and what the thread does."""
    count = scaled(2000, 400)
    loop = Loop()
    pub = client(loop, "publisher")
    sub = client(loop, "sub", "burst")
    for bh, qos in ((True, 0), (True, 1), (False, 0), (False, 1)):
        # A message takes about a KiB there, however short it is.
        with settings(bh_path=bh), tap("burst", rcvbuf=count << 11) as seen:
            pub.send(b"".join(mqtt.publish("burst", b"%d" % i, qos, i % 60000 + 1 if qos else None)
                              for i in range(count)))
            pub.wait_ping()
            loop.until(lambda: len(sub.messages) == count, "all messages")
            got = [m["payload"] for m in seen.read()]
            lost = seen.delete() + sum(m.get("lost", 0) for m in seen.messages)
            same(len(got) + lost, count, "messages seen and lost")
            same(got, sorted(got, key=int), "their order")
            same(lost, 0, "losses, with so much room")
            same([m[1] for m in sub.messages], [b"%d" % i for i in range(count)],
                 "what the subscriber got")
            sub.messages.clear()
    loop.close()


def test_large():
    loop = Loop()
    pub = client(loop, "publisher")
    payload = os.urandom(1 << 20)
    with tap("#") as whole, tap("#", payload_max=10) as short, tap("#", payload_max=0) as none:
        for size in (1, 10, 4096, 4097, SHOWN, SHOWN + 1, 1 << 20):
            pub.wait_publish("large", payload[:size], 1)
        sizes = [1, 10, 4096, 4097, SHOWN, SHOWN + 1, 1 << 20]
        for one, most in ((whole, SHOWN), (short, 10), (none, 0)):
            got = [(m["size"], m.get("payload", b"")) for m in one.read()]
            check(got == [(size, payload[:min(size, most)]) for size in sizes],
                  f"sizes {[(size, len(p)) for size, p in got]} of {most} at most")
        topic = "t" * 3000
        pub.wait_publish(topic, b"x", 1)
        got = whole.read()[-1]
        check(got["topic"] == b"t" * 2048 and "truncated" in got, f"{got}")
    loop.close()


def test_will():
    loop = Loop()
    with tap("will") as seen:
        client(loop, "who", will=mqtt.Will("will", b"gone", 1)).close(reset=True)
        wait_for(seen.read, "the will")
        got = seen.messages[0]
        same((got["client_id"], got["payload"], got["qos"]), (b"who", b"gone", 1), "the will")
    loop.close()


def test_lost():
    """Nobody waits for who doesn't read, and what he has lost is told."""
    loop = Loop()
    pub = client(loop, "publisher")
    sub = client(loop, "sub", "l")
    total = 500
    with tap("l", rcvbuf=4096) as slow, tap("l", rcvbuf=1 << 20) as absent:
        for i in range(total):
            pub.publish("l", b"%d" % i, 0)
        pub.wait_ping()
        loop.until(lambda: len(sub.messages) == total, "all messages")
        got = len(slow.read())
        check(0 < got < total, f"{got} of {total} messages were seen")
        same(sum(m.get("lost", 0) for m in slow.messages), 0, "losses so far")
        pub.wait_publish("l", b"last", 1)
        same(slow.read()[-1].get("lost"), total - got, "losses, with the next one")
        same(slow.delete(), 0, "losses at the end")
        del absent
    with tap("l", join=False) as outside:
        for _ in range(3):
            pub.wait_publish("l", b"x", 1)
        same(outside.delete(), 3, "losses of one who isn't in the group")
        same(outside.read(), [], "messages of it")
    loop.close()


def code_of(function, *args):
    try:
        function(*args)
    except OSError as err:
        return err.errno
    return 0


def test_ends():
    loop = Loop()
    pub = client(loop, "publisher")
    with contextlib.ExitStack() as stack:
        taps = [stack.enter_context(tap("#")) for _ in range(16)]
        same(code_of(taps[0].add, "b"), errno.EEXIST, "a second tap of a socket")
        late = stack.enter_context(tap())
        same(code_of(late.add, "b"), errno.ENOSPC, "a tap too many")
        same(code_of(late.delete), errno.ENOENT, "the end of none")
        taps[0].delete()
        late.add("b")
        pub.wait_publish("b", b"x", 1)
        same([len(one.read()) for one in (*taps, late)], [0] + 16 * [1], "messages")
    # They have gone with their sockets.
    with contextlib.ExitStack() as stack:
        taps = [stack.enter_context(tap("#")) for _ in range(16)]
        pub.wait_publish("b", b"x", 1)
        same([len(one.read()) for one in taps], 16 * [1], "messages of new ones")
    # So they do if it happens while messages come.
    for _ in range(scaled(50, 20)):
        pub.send(b"".join(mqtt.publish("b", b"x") for _ in range(100)))
        with tap("#"), tap("b"):
            loop.turn(0)
    pub.wait_ping()
    loop.close()


def test_unprivileged():
    for args in (["pub", "a", "x"], ["sub", "a", "for", "1"], ["trace", "topic", "a", "for", "1"],
                 ["trace", "client", "a", "for", "1"]):
        got = run(*NOBODY, CTL, *args, check_status=False)
        same(got.returncode, 1, f"status of {args[0]}")
        check("ermitted" in got.stderr, got.stderr)
    # Nor without joining the group first.
    script = ("import sys; sys.argv[1:] or sys.exit(9)\n"
              "from tap import Tap, code_of\n"
              "one = Tap(join=False)\n"
              "print(code_of(one.add, 'a'), code_of(one.request, 'tap_del'), code_of(one.join),\n"
              "      code_of(lambda: one.request('tap_add', client_id=b'a')),\n"
              "      code_of(lambda: one.request('message_publish', topic=b'a')))\n")
    got = run(*NOBODY, sys.executable, "-s", "-c", script, "x", cwd=f"{TOP}/tests/selftests")
    same(got.stdout.split(), 5 * [str(errno.EPERM)], "errors")


TESTS = (
    ("pub reaches subscribers, with each QoS", test_pub),
    ("pub retains, and deletes what is retained", test_pub_retain),
    ("pub with properties", test_pub_properties),
    ("pub with large payloads", test_pub_large),
    ("pub: what is wrong is refused", test_pub_wrong),
    ("sub sees what clients publish", test_sub),
    ("sub prints what is retained, then messages, and ends", test_sub_text),
    ("trace topic", test_trace),
    ("a tap sees what its filter stands for", test_filters),
    ("a tap sees bursts, in softirq and in threads", test_bursts),
    ("a tap sees large payloads, or how large they are", test_large),
    ("a tap sees wills", test_will),
    ("what a tap has no room for is counted", test_lost),
    ("a tap ends with its socket", test_ends),
    ("others than root are refused", test_unprivileged),
)


def main():
    run_tests(TESTS, clean_up)
    finish()


if __name__ == "__main__":
    main()
