# SPDX-License-Identifier: GPL-2.0
"""Packets by chance: good ones of all kinds, and what becomes of them by mistake."""

import zlib

import mqtt
import prop
import samples

TOPICS = ["storm", "storm/a", "storm/b", "storm/a/b", "storm/a/c", "storm/b/c/d", "storm//",
          "storm/temperature/of/the/living/room/in/the/house/by/the/sea", "/", "storm/\u4e2d",
          "storm/\U0001f600/x", "$storm/a"] + [f"storm/{i}/{i % 3}" for i in range(12)]
FILTERS = TOPICS + ["storm/#", "storm/+", "storm/+/+", "storm/a/#", "+/a", "storm/+/1", "+//+",
                    "storm/5/+", "$storm/+"]
WIDE = ["#", "+/#", "storm/#"]
GROUPS = ["$share/one/", "$share/two/", "$share/\u4e2d/"]
ODD_FILTERS = [f.format("storm") for f in samples.BAD_FILTERS] + \
    ["", "$share", "$share/", "$share/one", "$share//a", "$share/+/a", "$share/one/"]
ODD_TEXTS = list(samples.ILL_FORMED.values()) + list(samples.NUL.values())

# What nobody else's payload begins with.
SEAL = b"sealed "

REASONS = (0, 1, 2, 4, 0x10, 0x11, 0x18, 0x19, 0x80, 0x81, 0x82, 0x83, 0x87, 0x8b, 0x8e, 0x90,
           0x91, 0x93, 0x97, 0x98, 0x99, 0xff)
ACKS = (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP)

# So often, of a hundred packets with properties, has one this one.
SHARES = {"auth_method": 1, "auth_data": 0, "response_topic": 20, "max_packet_size": 10,
          "topic_alias": 0, "subscription_id": 30, "session_expiry": 60, "will_delay": 50}


def unbroken(topic, payload):
    """Is this a payload without a seal, or with one that is right?"""
    if not payload.startswith(SEAL):
        return True
    head, _, rest = payload.removeprefix(SEAL).removeprefix(topic.encode()).partition(b" ")
    crc, _, rest = rest.partition(b" ")
    return not head and crc == b"%08x" % zlib.crc32(rest)


class Maker:
    """Makes packets for a client of this level."""

    def __init__(self, random, level):
        self.random, self.level = random, level

    def chance(self, percent):
        return self.random.randrange(100) < percent

    # ---------------------------------------------------------- properties

    def value(self, name, shape):
        r = self.random
        if name == "session_expiry":
            return r.randrange(5)
        if name in ("will_delay", "message_expiry"):
            return r.randrange(4)
        if name == "receive_max":
            return r.choice([1, 2, 10, 65535])
        if name == "topic_alias_max":
            return r.choice([0, 1, 5, 65535])
        if name == "max_packet_size":
            return r.choice([1, 20, 100, 5000, 1000000])
        if name in ("response_topic", "topic"):
            return r.choice(TOPICS)
        return {
            "bool": lambda: r.randrange(2),
            "u16": lambda: r.randrange(1, 65536),
            "u32": lambda: r.randrange(1, 1 << 32),
            "varint": lambda: r.choice([1, 127, 128, 16384, 268435455]),
            "text": lambda: r.choice(samples.WELL_FORMED) * r.randrange(4),
            "binary": lambda: r.randbytes(r.randrange(20)),
            "pair": lambda: [(r.choice(samples.WELL_FORMED), "x" * r.randrange(30))
                             for _ in range(r.randrange(1, 4))],
        }[shape]()

    def props(self, kind, *without):
        """Some of those that this packet may have."""
        found = {}
        if self.level < 5 or self.chance(40):
            return found
        for name, (_, shape, packets) in prop.TABLE.items():
            if kind in packets and name not in without and \
                    self.chance(SHARES.get(name, 25)):
                found[name] = self.value(name, shape)
        return found

    def odd_props(self, kind):
        """Some that it may not have, or not with this value, or not twice."""
        r = self.random
        name = r.choice(list(prop.TABLE))
        each = prop.sample(name)
        return r.choice([
            prop.encode(self.props(kind)) + each,
            each + each,
            each[:-1],
            each[:1] + bytes(r.randrange(6)),
            r.randbytes(r.randrange(12)),
        ])

    # ------------------------------------------------------------- packets

    def sealed(self, topic):
        """A payload that tells where it has to arrive, and that nothing is missing."""
        payload = self.payload()
        return SEAL + topic.encode() + b" %08x " % zlib.crc32(payload) + payload

    def payload(self):
        r = self.random
        sort = r.randrange(1000)
        if sort < 850:
            return b"x" * r.randrange(200)
        if sort < 970:
            return b"y" * r.randrange(6000)
        if sort < 998:
            return b"z" * r.randrange(100000)
        return bytes(r.randrange(1 << 20))

    def will(self):
        r = self.random
        return mqtt.Will(r.choice(TOPICS), self.payload()[:8000], r.randrange(3), self.chance(40),
                         props=self.props(prop.WILL, "payload_format"))

    def connect(self, client_id, clean, props):
        will = self.will() if self.chance(40) else None
        user = self.random.choice(samples.WELL_FORMED) if self.chance(20) else None
        return mqtt.connect(client_id, level=self.level, clean=clean, will=will, username=user,
                            keepalive=self.random.choice([0, 0, 600, 65535]),
                            password=b"secret" if user else None, props=props)

    def subscribe(self, id):
        r = self.random
        filters = []
        for _ in range(r.choice([1, 1, 1, 2, 3, 20])):
            text = r.choice(WIDE) if self.chance(3) else r.choice(FILTERS)
            options = r.randrange(3)
            shared = self.chance(25)
            if shared:
                text = r.choice(GROUPS) + text
            if self.level == 5:
                options = mqtt.options(options, no_local=not shared and self.chance(20),
                                       as_published=self.chance(30), handling=r.randrange(3))
            filters.append((text, options))
        return filters, mqtt.subscribe(id, *filters, level=self.level,
                                       props=self.props(mqtt.SUBSCRIBE))

    def unsubscribe(self, id):
        r = self.random
        filters = [r.choice(FILTERS) for _ in range(r.choice([1, 1, 2, 10]))]
        filters = [r.choice(GROUPS) + f if self.chance(25) else f for f in filters]
        return filters, mqtt.unsubscribe(id, *filters, level=self.level,
                                         props=self.props(mqtt.UNSUBSCRIBE))

    def ack(self, kind, id, reason=None):
        if self.level < 5 or (reason is None and self.chance(60)):
            return mqtt.ack(kind, id)
        return mqtt.ack(kind, id, reason or 0, self.props(kind) if self.chance(50) else None)

    def disconnect(self, will):
        """A good-bye; to 5.0 one that leaves the session for a while, or not."""
        if self.level < 5 or self.chance(40):
            return mqtt.disconnect()
        return mqtt.disconnect(4 if will else 0,
                               self.props(mqtt.DISCONNECT, "server_reference",
                                          "session_expiry"))

    # ------------------------------------------------------------ mistakes

    def odd(self):
        """A packet that is good in form and wrong in what it says, or out of place."""
        r, level = self.random, self.level
        id = r.randrange(4)
        text = r.choice(ODD_TEXTS)
        return r.choice([
            lambda: mqtt.publish(r.choice(["", "a/+", "#", "storm/#", text]), b"x", level=level),
            lambda: mqtt.publish("storm", b"x", r.choice([1, 2]), 0, level=level),
            lambda: mqtt.publish("storm", b"x", 3, 1, level=level),
            lambda: mqtt.publish("storm", b"x", dup=True, level=level),
            lambda: mqtt.publish(r.choice(["", "storm"]), b"x", level=level,
                                 props={"topic_alias": r.choice([0, 1, 3, 11, 65535])}),
            lambda: mqtt.publish("storm", b"x", level=level, props=self.odd_props(mqtt.PUBLISH)),
            lambda: mqtt.publish("storm", b"\xff", 1, 9, level=level,
                                 props={"payload_format": 1}),
            lambda: mqtt.subscribe(id, (r.choice(ODD_FILTERS), r.randrange(3)), level=level),
            lambda: mqtt.subscribe(id, (text, 0), level=level),
            lambda: mqtt.subscribe(id, ("storm", r.randrange(256)), level=level),
            lambda: mqtt.subscribe(id, level=level),
            lambda: mqtt.subscribe(id, ("storm", 0), level=level,
                                   props=self.odd_props(mqtt.SUBSCRIBE)),
            lambda: mqtt.unsubscribe(id, r.choice(ODD_FILTERS), level=level),
            lambda: mqtt.unsubscribe(id, level=level),
            lambda: mqtt.ack(r.choice(ACKS), id),
            lambda: mqtt.ack(r.choice(ACKS), r.randrange(65536), r.choice(REASONS)),
            lambda: mqtt.ack(r.choice(ACKS), id, 0, self.odd_props(mqtt.PUBACK)),
            lambda: mqtt.disconnect(r.choice(REASONS), self.odd_props(mqtt.DISCONNECT)),
            lambda: mqtt.disconnect(0, {"session_expiry": r.choice([0, 1, 0xffffffff])}),
            lambda: mqtt.auth(r.choice(REASONS), self.props(mqtt.AUTH)),
            lambda: mqtt.auth(0x18, {"auth_method": "SCRAM-SHA-256", "auth_data": b"n,,n=a"}),
            lambda: mqtt.packet(r.choice([mqtt.CONNACK, mqtt.SUBACK, mqtt.UNSUBACK,
                                          mqtt.PINGRESP]), b"\0\1\0"),
            lambda: mqtt.packet(mqtt.PINGREQ, b"x"),
            lambda: mqtt.connect("storm-twice", level=level),
            lambda: bytes([r.randrange(256)]) + b"\xff" * r.randrange(1, 6),
            lambda: r.randbytes(r.randrange(1, 40)),
        ])()

    def mutate(self, data):
        """A packet that something has happened to."""
        r = self.random
        first, body = data[0], self.body(data)
        for _ in range(r.choice([1, 1, 2, 5])):
            at = r.randrange(len(body) + 1)
            before, after = body[:at], body[at:]
            body = r.choice([
                before + r.randbytes(1) + after[1:],
                before + r.randbytes(1) + after,
                before + after[r.randrange(1, 5):],
                before + before + after,
                before,
                body + r.randbytes(r.randrange(1, 9)),
            ])
        if self.chance(15):
            first ^= 1 << r.randrange(8)
        length = len(body)
        if self.chance(15):
            length = max(0, length + r.randrange(-3, 4))
        header = mqtt.varint(length)
        if self.chance(5) and length < 128:
            header = bytes([length | 0x80, 0])
        return bytes([first]) + header + body

    @staticmethod
    def body(data):
        at = 1
        while data[at] & 0x80:
            at += 1
        return data[at + 1:]
