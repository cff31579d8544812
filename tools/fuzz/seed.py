#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""seed.py DIRECTORY: what the fuzzers begin with, from the conformance tests' packets and the
options of kmqttctl load.

DIRECTORY/TARGET is the corpus of a target, DIRECTORY/large/TARGET has inputs
that are too large to be changed again and again: those are run once.
"""

import base64
import hashlib
import os
import re
import struct
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(TOP, "tests/conformance"))

import mqtt         # noqa: E402
import prop         # noqa: E402
import samples      # noqa: E402
from mqtt import (AUTH, CONNACK, CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH,     # noqa: E402
                  PUBREC, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE)

# Longer inputs are not for the fuzzers to change.
SMALL = 2048

LEVELS = (3, 4, 5)
ACKS = (PUBACK, PUBREC, PUBREL, PUBCOMP)
TEXTS = [text.encode() for text in samples.WELL_FORMED] + \
    list(samples.ILL_FORMED.values()) + list(samples.NUL.values())
TOPICS = [b"a", b"sport/tennis/player1", b"/", b"$SYS/x"] + TEXTS
FILTERS = [f.format("t").encode() for f in samples.BAD_FILTERS] + \
    [b"#", b"+/a", b"a/+/#", b"$share/g/a/+", b"$share//a", b"$share/+/a"] + TOPICS
REASONS = (0, 1, 4, 0x10, 0x11, 0x18, 0x19, 0x80, 0x81, 0x82, 0x83, 0x87, 0x8e, 0x90, 0x91,
           0x92, 0x93, 0x94, 0x95, 0x97, 0x98, 0x99, 0xa2, 0xff)
PACKET_TYPES = (prop.WILL, CONNECT, CONNACK, PUBLISH, *ACKS, SUBSCRIBE, SUBACK, UNSUBSCRIBE,
                UNSUBACK, DISCONNECT, AUTH)


class Corpus:
    """Writes each input into a file of its own."""

    def __init__(self, directory):
        self.directory = directory

    def add(self, target, data):
        where = (self.directory, target) if len(data) <= SMALL else \
            (self.directory, "large", target)
        path = os.path.join(*where)
        os.makedirs(path, exist_ok=True)
        name = hashlib.sha1(data).hexdigest()
        with open(os.path.join(path, name), "wb") as file:
            file.write(data)

    def packet(self, level, data, part=63):
        """A packet of which so many 64ths have come."""
        self.add("packet", bytes([level - 3 + 3 * part]) + data)

    def property(self, kind, props):
        self.add("property", bytes([kind]) + mqtt.properties(5, props))

    def utf8(self, cut, text):
        self.add("utf8", bytes([cut]) + text)

    def websocket(self, *frames):
        """A stream of frames: as a whole and in pieces, answered at once and in the end."""
        for cut, when in (255, 0x00), (0, 0x00), (2, 0x0f), (6, 0x45):
            self.add("websocket", bytes([cut, when]) + b"".join(frames))

    def conf(self, main, users="", rules=""):
        """A configuration: the names of its files end in 0, 1 and 2."""
        self.add("conf", b"\1".join(text.encode() for text in (main, users, rules)))


def allowed(kind):
    """A property of each sort that a packet may have, with some value."""
    return [prop.sample(name) for name, (_, _, packets) in prop.TABLE.items() if kind in packets]


def property_sets(kind):
    """Properties for a packet: none, one, all, one twice, and those it can't have."""
    each = allowed(kind)
    yield b""
    yield b"".join(each)
    yield b"".join(reversed(each))
    for one in each:
        yield one
        yield one + one
        yield one[:-1]


def more_properties():
    """Values at the ends of what there can be."""
    for name, (number, kind, _) in prop.TABLE.items():
        if kind == "bool":
            yield from (prop.one(name, value) for value in (0, 1, 2, 255))
        elif kind == "u16":
            yield from (prop.one(name, value) for value in (0, 1, 0xffff))
        elif kind == "u32":
            yield from (prop.one(name, value) for value in (0, 1, 0xffffffff))
        elif kind == "varint":
            yield from (prop.one(name, value)
                        for value in (0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455))
            yield bytes([number]) + b"\x81\x00"
            yield bytes([number]) + b"\xff\xff\xff\xff\x01"
        elif kind in ("text", "binary"):
            yield from (prop.one(name, value) for value in [b""] + TEXTS)
        else:
            yield from (prop.one(name, (a, b)) for a, b in zip(TEXTS, reversed(TEXTS)))
    yield from (bytes([number, 0]) for number in range(48))


def connects(level):
    yield mqtt.connect(b"id", level=level)
    yield mqtt.connect(b"", level=level, clean=False)
    yield mqtt.connect(b"id", level=level, username=b"user", password=b"secret", keepalive=60)
    yield mqtt.connect(b"id", level=level, password=b"secret")
    for text in TEXTS:
        yield mqtt.connect(text, level=level, username=text, password=text,
                           will=mqtt.Will(text, text, 2, True))
    for qos in range(4):
        yield mqtt.connect(b"id", level=level, will=mqtt.Will(b"w", b"bye", qos, qos == 1))
    for flags in (0, 1, 0x04, 0x18, 0x20, 0x40, 0x80, 0xc0, 0xff):
        yield mqtt.raw_connect(flags, b"id", name=mqtt.NAMES[level], level=level)
        yield mqtt.raw_connect(flags, b"id", b"w", b"p", b"user", b"secret",
                               name=mqtt.NAMES[level], level=level)
    for name, number in ((b"MQTT", 3), (b"MQIsdp", 4), (b"MQTT", 6), (b"mqtt", 4), (b"", 4)):
        yield mqtt.raw_connect(2, b"id", name=name, level=number)


def messages(level):
    for topic in TOPICS:
        yield mqtt.publish(topic, b"payload", level=level)
    for qos in range(1, 4):
        yield mqtt.publish(b"a/b", b"", qos, 0, level=level)
        yield mqtt.publish(b"a/b", b"payload", qos, 0x1234, retain=True, dup=True, level=level)
    yield mqtt.publish(b"a", b"", dup=True, level=level)
    yield mqtt.publish(b"", b"payload", level=level, props=prop.sample("topic_alias"))


def acks(level):
    for kind in ACKS:
        yield mqtt.ack(kind, 1)
        yield mqtt.ack(kind, 0)
        yield mqtt.ack(kind, 1, flags=0xa)
        for reason in REASONS if level == 5 else ():
            yield mqtt.packet(kind, b"\0\1" + bytes([reason]))
            yield mqtt.packet(kind, b"\0\1" + bytes([reason, 0]))


def subscribes(level):
    for text in FILTERS:
        yield mqtt.subscribe(1, (text, 1), level=level)
        yield mqtt.unsubscribe(1, text, level=level)
    for option in (0, 1, 2, 3, 4, 8, 0x10, 0x20, 0x2d, 0x30, 0x40, 0xff):
        yield mqtt.subscribe(7, (b"a", option), (b"b/#", 0), level=level)
    yield mqtt.subscribe(0, (b"a", 0), level=level)
    yield mqtt.subscribe(1, level=level)
    yield mqtt.unsubscribe(1, level=level)
    yield mqtt.unsubscribe(1, b"a", b"b/+", b"c", level=level)


def others(level):
    yield mqtt.pingreq()
    yield mqtt.packet(DISCONNECT)
    for reason in REASONS:
        yield mqtt.packet(CONNACK, bytes([reason & 1, reason, 0]))
        if level == 5:
            yield mqtt.packet(DISCONNECT, bytes([reason]))
            yield mqtt.packet(AUTH, bytes([reason]) +
                              mqtt.properties(5, b"".join(allowed(AUTH))))
    for number in (0, 1, 127, 128, 16384, 2097152, 268435452):
        yield mqtt.packet(SUBACK, b"\0\1" + mqtt.varint(number))
        yield mqtt.packet(UNSUBACK, b"\0\1" + mqtt.varint(number))


def with_properties():
    """A packet of each type that has properties, with each set of them."""
    for props in property_sets(CONNECT):
        yield mqtt.connect(b"id", level=5, props=props)
    for props in property_sets(prop.WILL):
        yield mqtt.connect(b"id", level=5, will=mqtt.Will(b"w", b"bye", props=props))
    for props in property_sets(PUBLISH):
        yield mqtt.publish(b"a/b", b"payload", 1, 1, level=5, props=props)
    for props in property_sets(SUBSCRIBE):
        yield mqtt.subscribe(1, (b"a/#", 0x1d), level=5, props=props)
    for props in property_sets(UNSUBSCRIBE):
        yield mqtt.unsubscribe(1, b"a/#", level=5, props=props)
    for kind in ACKS:
        for props in property_sets(kind):
            yield mqtt.packet(kind, b"\0\1\0" + mqtt.properties(5, props))
    for props in property_sets(CONNACK):
        yield mqtt.packet(CONNACK, b"\1\0" + mqtt.properties(5, props))
    for kind, reason in ((DISCONNECT, 4), (AUTH, 0x18)):
        for props in property_sets(kind):
            yield mqtt.packet(kind, bytes([reason]) + mqtt.properties(5, props))


def long_length(data):
    """The same packet with its length in more bytes than it needs."""
    if data[1] > 0x7f:
        return data
    return data[:1] + bytes([data[1] | 0x80, 0]) + data[2:]


def packets(corpus):
    for level in LEVELS:
        for make in connects, messages, acks, subscribes, others:
            for data in make(level):
                corpus.packet(level, data)
                corpus.packet(level, data[:-1], 30)
        corpus.packet(level, long_length(mqtt.publish(b"a", b"b", level=level)))
        corpus.packet(level, b"\x30\xff\xff\xff\xff\x01")
    for data in with_properties():
        corpus.packet(5, data)
        if data[0] >> 4 == PUBLISH:
            corpus.packet(5, data, 20)


def properties(corpus):
    for kind in PACKET_TYPES:
        for props in property_sets(kind):
            corpus.property(kind, props)
        for props in more_properties():
            corpus.property(kind, props)
        corpus.add("property", bytes([kind]) + b"\x80\x00")
        corpus.add("property", bytes([kind]) + b"\xff\xff\xff\x7f")


def texts(corpus):
    for cut in 0, 1, 2, 3, 7, 15:
        for text in TEXTS:
            corpus.utf8(cut, text)
            corpus.utf8(cut, b"sixteen letters " + text + b" and more of them")
    corpus.utf8(5, b"".join(text.encode() for text in samples.WELL_FORMED) * 4)


def frame(first, payload=b"", form=None):
    """A client's frame, its length in the shortest form, or in so many bytes."""
    size = len(payload)
    if form is None:
        form = 0 if size < 126 else 2 if size < 65536 else 8
    mask = b"\x37\xfa\x21\x3d"
    second = {0: size, 2: 126, 8: 127}[form]
    head = bytes([first, 0x80 | second]) + (size.to_bytes(form, "big") if form else b"")
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def websockets(corpus):
    for size in 0, 1, 7, 8, 9, 125, 126, 127, 128, 1000:
        corpus.websocket(frame(0x82, bytes(size)))
        corpus.websocket(frame(0x02, bytes(size)), frame(0x89, b"ping"), frame(0x80, bytes(size)))
    for first in range(256):
        corpus.websocket(frame(0x82, b"one"), frame(first), frame(0x82, b"two"))
    for first in 0x80, 0x00, 0x82, 0x81, 0x88, 0x89:
        corpus.websocket(frame(0x02, b"one"), frame(first, b"\x03\xe8"), frame(0x80, b"two"))
    for code in (0, 999, 1000, 1003, 1004, 1005, 1006, 1007, 1011, 1014, 1015, 1016, 2999, 3000,
                 4999, 5000, 65535):
        corpus.websocket(frame(0x89, b"a"), frame(0x88, code.to_bytes(2, "big") + b"bye"))
    for size in 0, 1, 124, 125:
        corpus.websocket(frame(0x8a, bytes(size)), frame(0x89, bytes(size)),
                         frame(0x89, bytes(size)), frame(0x88, (b"\x0f\xa0" + bytes(size))[:size]))
    for form in 2, 8:
        corpus.websocket(frame(0x82, bytes(125), form))
        corpus.websocket(frame(0x89, bytes(125), form))
    corpus.websocket(b"\x82\x05abcde")
    for size in 65535, 65536, 2**63 - 1, 2**63:
        corpus.websocket(b"\x82\xff" + size.to_bytes(8, "big") + b"maskpayload")
    # Twice the length that we write a header for.
    for size in 0, 125, 126, 65535, 65536:
        corpus.websocket((2 * size).to_bytes(8, "big"))


def handshakes(corpus):
    """What comes ahead of MQTT; the first byte says how it comes in."""
    request = (
        b"GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Protocol: mqtt\r\nOrigin: https://a.example\r\n\r\n"
    )
    corpus.add("handshake", b"\0" + request)
    corpus.add("handshake", b"\0GET / HTTP/1.0\r\n\r\n")
    for line in (
        b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 1883",
        b"PROXY TCP6 2001:db8::1 ::1 4711 1883",
        b"PROXY UNKNOWN",
    ):
        corpus.add("handshake", b"\xfd" + line + b"\r\nMORE")
        corpus.add("handshake", b"\x01" + line + b"\r\nMORE")
    # With and without a TLV that tells of TLS, behind another one.
    for head, size in ((b"\x21\x11", 12), (b"\x21\x21", 40), (b"\x20\0", 0), (b"\x21\x31", 216)):
        for tlvs in (b"", b"\4\0\1\0\x20\0\5\1\0\0\0\0"):
            header = b"\r\n\r\n\0\r\nQUIT\n" + head + \
                struct.pack("!H", size + len(tlvs)) + bytes(range(size)) + tlvs
            corpus.add("handshake", b"\xfe" + header + b"MORE")
            corpus.add("handshake", b"\x02" + header + b"MORE")


def configurations(corpus):
    """Each option with some values, and files that are all right."""
    with open(f"{TOP}/tools/kmqttctl/conf/option.c", encoding="utf-8") as file:
        names = re.findall(r'\("([a-z_.0-9]+)"', file.read())
    for name in sorted(set(names)):
        corpus.conf(f"listener 1883\n{name} 1\n{name} false\n{name} true x\n{name}\n")
    salt, hash_, short = (base64.b64encode(bytes(size)).decode() for size in (12, 64, 32))
    users = "".join(f"{user}:${keys}\n" for user, keys in (
        ("one", f"7$101${salt}${hash_}"), ("two", f"6${salt}${hash_}"),
        ("two", f"scram-sha-256$4096${salt}${short}${short}"),
        ("two", f"scram-sha-512$4096${salt}${hash_}${hash_}")))
    rules = "topic a/#\nuser one\ntopic read a b/+\n\n# none\npattern deny %u/%c\n"
    secure = "password_file 1\nacl_file 2\n"
    corpus.conf(secure + "listener 1883 ::1\nmax_qos 1\nallow_anonymous true\n", users, rules)
    corpus.conf("per_listener_settings true\nlistener 1883 10.0.0.1\n" + secure +
                "listener 1884\nlistener 1885 127.0.0.1\npassword_file 1\n"
                "kmqtt_max_memory 64M\nkmqtt_response_information a b\n", users, rules)
    corpus.conf("include_dir d\nport 1884\nsocket_domain ipv6\nmax_topic_alias 3\n"
                "persistent_client_expiration 2w\nmax_queued_bytes 0\nretain_available false\n")
    corpus.conf("listener 8883\ncertfile c\nkeyfile k\ncafile a\nrequire_certificate true\n"
                "use_identity_as_username true\ntls_version tlsv1.3\nciphers A:B\n"
                "listener 9001 ::1\nprotocol websockets\nwebsockets_origin http://a\n"
                "websockets_origin b\nenable_proxy_protocol 2\nkmqtt_max_handshakes 5\n")
    corpus.conf("psk_file p\nlistener 1\npsk_hint h\nuse_identity_as_username true\n"
                "listener 2\npsk_file q\nlistener 3\nkmqtt_mptcp true\n"
                "listener 0 /run/sock\nlistener 0 sock\nkmqtt_vsock_listener 1\n"
                "kmqtt_vsock_listener 1 2\nallow_anonymous true\n")
    many = range(2000)
    corpus.conf(secure, "".join(f"{n}:$6${salt}${hash_}\n" for n in many),
                "".join(f"user {n}\ntopic write {n}/#\n" for n in many))


def large(corpus):
    """Strings, properties and packets of the largest sizes there are."""
    longest = b"x" * 65535
    for level in LEVELS:
        corpus.packet(level, mqtt.publish(longest, longest, 1, 1, level=level))
        corpus.packet(level, mqtt.publish(longest, longest, 1, 1, level=level), 32)
        corpus.packet(level, mqtt.subscribe(1, (longest, 1), (longest, 2), level=level))
        corpus.packet(level, mqtt.connect(longest, level=level, username=longest,
                                          password=longest, will=mqtt.Will(longest, longest, 2)))
        corpus.packet(level, mqtt.publish(b"t", bytes(2097152), level=level))
    pair = prop.one("user", (longest, longest))
    for size in 127, 128, 16383, 16384, 65535:
        text = b"x" * size
        for kind, name in ((PUBLISH, "content_type"), (prop.WILL, "response_topic"),
                           (CONNECT, "auth_method"), (PUBACK, "reason_string")):
            corpus.property(kind, prop.one(name, text))
            corpus.property(kind, prop.one(name, text) + pair * 16)
    for text in "x", "\u00e9", "\u4e2d", "\U0001f600":
        corpus.utf8(3, (text * 65535).encode()[:65532])
        corpus.utf8(3, (text * 65535).encode()[:65533])
    for size in 65535, 65536, 300000:
        corpus.websocket(frame(0x02, bytes(size)), frame(0x89, b"ping"), frame(0x80, bytes(size)),
                         frame(0x88))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("\n", maxsplit=1)[0])
    corpus = Corpus(sys.argv[1])
    for make in packets, properties, texts, websockets, configurations, handshakes, large:
        make(corpus)


if __name__ == "__main__":
    main()
