# SPDX-License-Identifier: GPL-2.0
"""Packets of a client as netlink sees them: through kmqttctl, and through sockets.

What comes and what goes are two sides: only packets of the same one have an order.
"""

import contextlib
import errno
import re
import sys
import time

from selftest import (
    Loop, check, clean_up, client, ctl, finish, mqtt, run_tests, same, scaled, settings, wait_for,
)
from tap import V5, Ctl, code_of, refused, tap

SUCCESS, BANNED, TAKEN_OVER = 0, 0x8a, 0x8e
MISSING = "not there"


def of_side(seen, sent, connection=None):
    """(type, identifier, QoS, reason) of what was sent, or received; None for what isn't told."""
    return [(p["type"], p.get("id"), p.get("qos"), p.get("reason")) for p in seen.read()
            if ("sent" in p) == sent and connection in (None, p["connection"])]


def expect(loop, seen, sent, want, connection=None):
    """Packets are shown after they were handled, or sent."""
    what = f"{len(want)} packets {'sent' if sent else 'received'}"
    with contextlib.suppress(TimeoutError):
        loop.until(lambda: len(of_side(seen, sent, connection)) >= len(want), what)
    same(of_side(seen, sent, connection), want, what)


def v5(loop, client_id, **args):
    return V5(loop).wait_connect(client_id, level=5, **args)


# ------------------------------------------------------------------ points

def test_packets():
    """Of a client of MQTT 5, with all QoS both ways; and of no other one."""
    loop = Loop()
    other = client(loop, "other", "t/#", qos=2)
    with tap(client_id="one") as seen:
        one = v5(loop, "one")
        one.send(mqtt.subscribe(1, ("u/#", 2), level=5))
        loop.until(lambda: one.subacks, "SUBACK")
        for qos, number in ((0, None), (1, 11), (2, 12)):
            one.send(mqtt.publish("t/x", b"12345", qos, number, level=5))
        loop.until(lambda: one.acked == {11, 12}, "its acknowledgments")
        for qos in range(3):
            other.wait_publish("u/x", b"x", qos)
        loop.until(lambda: len(one.messages) == 3, "its messages")
        loop.until(lambda: (mqtt.PUBCOMP, 2) in [p[:2] for p in of_side(seen, False)], "PUBCOMP")
        one.wait_ping()
        one.disconnect()
        loop.until(lambda: one.closed, "its end")
        expect(loop, seen, False, [
            (mqtt.CONNECT, None, None, None), (mqtt.SUBSCRIBE, 1, None, None),
            (mqtt.PUBLISH, None, 0, None), (mqtt.PUBLISH, 11, 1, None),
            (mqtt.PUBLISH, 12, 2, None), (mqtt.PUBREL, 12, None, SUCCESS),
            (mqtt.PUBACK, 1, None, SUCCESS), (mqtt.PUBREC, 2, None, SUCCESS),
            (mqtt.PUBCOMP, 2, None, SUCCESS), (mqtt.PINGREQ, None, None, None),
            (mqtt.DISCONNECT, None, None, SUCCESS)])
        expect(loop, seen, True, [
            (mqtt.CONNACK, None, None, SUCCESS), (mqtt.SUBACK, 1, None, None),
            (mqtt.PUBACK, 11, None, SUCCESS), (mqtt.PUBREC, 12, None, SUCCESS),
            (mqtt.PUBCOMP, 12, None, SUCCESS), (mqtt.PUBLISH, None, 0, None),
            (mqtt.PUBLISH, 1, 1, None), (mqtt.PUBLISH, 2, 2, None),
            (mqtt.PUBREL, 2, None, SUCCESS), (mqtt.PINGRESP, None, None, None)])
        same({p["client_id"] for p in seen.messages}, {b"one"}, "whose they are")
        same(len({p["connection"] for p in seen.messages}), 1, "connections")
        check(all(abs(p["time"] / 1e9 - time.time()) < 3600 for p in seen.messages), "times")
        check(all("lost" not in p for p in seen.messages), "losses")
        got = [p["size"] for p in seen.messages if p["type"] == mqtt.PUBLISH and "sent" not in p]
        same(got, [13, 15, 15], "sizes of what it published")
        got = [p["size"] for p in seen.messages if p["type"] == mqtt.PINGRESP]
        same(got, [2], "size of a PINGRESP")
        same(seen.delete(), 0, "losses at the end")
    loop.close()


def test_connections():
    """Those after the tap; one that ends another; one that is refused; and of 3.1.1."""
    loop = Loop()
    with tap(client_id="one") as seen:
        first = v5(loop, "one")
        second = v5(loop, "one")
        loop.until(lambda: first.closed, "the end of the first one")
        expect(loop, seen, False, 2 * [(mqtt.CONNECT, None, None, None)])
        loop.until(lambda: mqtt.DISCONNECT in [p[0] for p in of_side(seen, True)], "DISCONNECT")
        connections = [p["connection"] for p in seen.messages if p["type"] == mqtt.CONNECT]
        check(connections[0] < connections[1], f"connections {connections}")
        expect(loop, seen, True, [(mqtt.CONNACK, None, None, SUCCESS),
                                  (mqtt.DISCONNECT, None, None, TAKEN_OVER)], connections[0])
        expect(loop, seen, True, [(mqtt.CONNACK, None, None, SUCCESS)], connections[1])
        second.disconnect()
        loop.until(lambda: second.closed, "the end of the second one")
        expect(loop, seen, False, [(mqtt.CONNECT, None, None, None),
                                   (mqtt.DISCONNECT, None, None, SUCCESS)], connections[1])
        seen.messages.clear()
        ctl("ban", "add", "client", "one")
        try:
            third = V5(loop).connect("one", level=5)
            loop.until(lambda: third.closed, "the refusal")
        finally:
            ctl("ban", "del", "client", "one")
        same(third.connack.code, BANNED, "its reason")
        # It never was who it said.
        expect(loop, seen, False, [(mqtt.CONNECT, None, None, None)])
        same(of_side(seen, True), [], "packets to who was refused")
        seen.messages.clear()
        fourth = client(loop, "one", "a")
        fourth.wait_publish("none", b"x", 1)
        expect(loop, seen, False, [(mqtt.CONNECT, None, None, None),
                                   (mqtt.SUBSCRIBE, 1, None, None), (mqtt.PUBLISH, 2, 1, None)])
        expect(loop, seen, True, [(mqtt.CONNACK, None, None, None),
                                  (mqtt.SUBACK, 1, None, None), (mqtt.PUBACK, 2, None, None)])
    loop.close()


def test_bursts():
    """Each packet of a run is shown, in softirq and in threads; and large ones once."""
    count = scaled(1000, 300)
    loop = Loop()
    pub = v5(loop, "publisher")
    sub = client(loop, "sub", "burst")
    ids = [i % 60000 + 1 for i in range(count)]
    for bh in (True, False):
        with settings(bh_path=bh), tap(client_id="publisher", rcvbuf=1 << 23) as came, \
                tap(client_id="sub", rcvbuf=1 << 23) as went:
            pub.send(b"".join(mqtt.publish("burst", b"x", 1, i, level=5) for i in ids))
            loop.until(lambda: len(sub.messages) == count, "all messages")
            sub.messages.clear()
            expect(loop, came, False, [(mqtt.PUBLISH, i, 1, None) for i in ids])
            expect(loop, came, True, [(mqtt.PUBACK, i, None, SUCCESS) for i in ids])
            expect(loop, went, True, count * [(mqtt.PUBLISH, None, 0, None)])
            same(of_side(went, False), [], "what the subscriber has sent")
            same(came.delete() + went.delete(), 0, "losses")
    with tap(client_id="publisher") as came, tap(client_id="sub") as went:
        pub.send(mqtt.publish("burst", bytes(1 << 20), 1, 777, level=5))
        expect(loop, came, False, [(mqtt.PUBLISH, 777, 1, None)])
        expect(loop, went, True, [(mqtt.PUBLISH, None, 0, None)])
        size = 1 + 3 + 2 + 5 + (1 << 20)
        same([p["size"] for p in came.messages if "sent" not in p], [size + 2 + 1], "its size")
        same([p["size"] for p in went.messages], [size], "size for 3.1.1, with QoS 0")
    loop.close()


def test_lost():
    loop = Loop()
    one = v5(loop, "one")
    pings = 500
    with tap(client_id="one", rcvbuf=4096) as slow, tap(client_id="one", join=False) as outside:
        one.send(mqtt.pingreq() * pings)
        loop.until(lambda: one.pongs == pings, "all answers")
        got = len(slow.read())
        check(0 < got < 2 * pings, f"{got} of {2 * pings} packets were seen")

        # Those that are shown from now on tell of those that weren't.
        def told():
            return len(slow.read()) + sum(p.get("lost", 0) for p in slow.messages)

        def all_told():
            nonlocal pings
            one.wait_ping()
            pings += 1
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: told() == 2 * pings, "the rest", 1)
            return told() == 2 * pings

        wait_for(all_told, "packets seen and lost")
        same(slow.delete(), 0, "losses at the end")
        same(outside.delete(), 2 * pings, "losses of one who isn't in the group")
        same(outside.read(), [], "packets of it")
    loop.close()


def blamed(**attributes):
    """The error, and the attribute that it is about."""
    with tap() as one:
        try:
            one.request("tap_add", **attributes)
        except OSError as err:
            names = one.attrs[one.names["KMQTT_CMD_MESSAGE_NTF"]]
            place, missing = err.told.get(2), err.told.get(5)
            if missing:
                return err.errno, MISSING, names[int.from_bytes(missing, sys.byteorder)]
            at = int.from_bytes(place, sys.byteorder) - 20
            for name, value in attributes.items():
                if not at:
                    return err.errno, name
                at -= 4 + (len(value) + 3 & ~3 if isinstance(value, bytes) else 4)
    return 0


def test_wrong():
    same(blamed(), (errno.EINVAL, MISSING, "filter"), "neither filter nor identifier")
    same(blamed(payload_max=1), (errno.EINVAL, MISSING, "filter"), "nothing but a size")
    same(blamed(client_id=b"a", filter=b"b"), (errno.EINVAL, "filter"), "both")
    same(blamed(filter=b"b", client_id=b"a"), (errno.EINVAL, "filter"), "both, the other way round")
    same(blamed(client_id=b"a", payload_max=1), (errno.EINVAL, "payload_max"), "payload of packets")
    for name in (b"\0", b"\xff"):
        same(blamed(client_id=name), (errno.EINVAL, "client_id"), f"identifier {name}")
    for name in (b"", b"x" * 1025):
        same(blamed(client_id=name), (errno.ERANGE, "client_id"), f"{len(name)} bytes")
    same(blamed(client_id=b"x" * 1024), 0, "the longest one")
    with tap(client_id="a") as one:
        same(code_of(one.add, "a"), errno.EEXIST, "a second tap of a socket")


def test_trace():
    loop = Loop()
    one = v5(loop, "one")
    other = client(loop, "other")
    with contextlib.closing(Ctl("trace", "client", "one")) as trace:
        wait_for(lambda: one.wait_ping() or trace.lines(), "the first packet")
        other.wait_publish("none", b"12345", 1)
        one.send(mqtt.publish("none", b"12345", 1, 77, level=5))
        wait_for(lambda: sum(" PUB" in line for line in trace.lines()) == 2, "its packets")
        lines = trace.lines()
    check(re.fullmatch(r"20\S+T\S+ (< PINGREQ|> PINGRESP) size 2 connection [0-9]+", lines[0]),
          lines[0])
    got = [line.split(" ", 1)[1].rsplit(" ", 2)[0] for line in lines if " PUB" in line]
    same(sorted(got), ["< PUBLISH id 77 qos 1 size 16",
                       "> PUBACK id 77 size 5 reason no-matching-subscribers"], "lines")
    args = ("-j", "trace", "client", "client-id", "one", "count", "2")
    with contextlib.closing(Ctl(*args)) as trace:
        wait_for(lambda: one.wait_ping() or trace.child.poll() is not None, "the end")
        trace.end()
        got = trace.objects()
    same(len(got), 2, "packets that were asked for")
    for row in got:
        check("time" in row and row.pop("connection") > 0 and row.pop("time"), f"{row}")
        type_of = {"received": "PINGREQ", "sent": "PINGRESP"}[row["direction"]]
        same(row, {"client_id": "one", "type": type_of, "size": 2,
                   "direction": row["direction"]}, "a packet")
    refused("trace", "client", "none", "count", "1", "for", "1", status=4)
    ctl("trace", "client", "none", "for", "1")
    for args in ([], [""], ["a", "count"], ["a", "count", "0"], ["a", "for", "x"], ["a", "b"]):
        refused("trace", "client", *args, status=2, says=["trace client"])
    refused("trace", "client", "x" * 1025, says=["trace client", "client-id"])
    loop.close()


TESTS = (
    ("packets of a client that publishes and subscribes", test_packets),
    ("a client that connects later, again, or in vain", test_connections),
    ("packets in bursts, and large ones", test_bursts),
    ("packets that there is no room for are counted", test_lost),
    ("a tap of packets: what is wrong is refused", test_wrong),
    ("trace client", test_trace),
)


def main():
    run_tests(TESTS, clean_up)
    finish()


if __name__ == "__main__":
    main()
