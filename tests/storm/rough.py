# SPDX-License-Identifier: GPL-2.0
"""A client of the storm: one connection after the other, good ones and bad ones.

Half of its connections are honest. Those send nothing that isn't allowed, so
all that comes back has to make sense; of the others only the form is checked.
"""

import asyncio
import contextlib
import random
import time
import traceback
from collections import Counter

import mqtt
from packets import FILTERS, TOPICS, Maker, unbroken
from stream import ENDED, PATIENCE, Stream

# Identifiers that many clients want to have, and how often.
SHARED_IDS = ["storm-shared-1", "storm-shared-2", "storm-\u4e2d"]
SHARED = 15

# A good-bye that says that an honest client has made a mistake.
ACCUSATIONS = {0x81, 0x82, 0x83, 0x8d, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x99}


def matches(text, topic):
    """Does this filter, maybe a shared one, match?"""
    levels = text.split("/")
    if levels[0] == "$share":
        levels = levels[2:]
    names = topic.split("/")
    if names[0].startswith("$") and levels[0] in ("+", "#"):
        return False
    for number, level in enumerate(levels):
        if level == "#":
            return True
        if number >= len(names) or level not in ("+", names[number]):
            return False
    return len(levels) == len(names)


class Tally:
    """What was done and what was found, of many clients."""

    def __init__(self):
        self.counts = Counter()
        self.faults = []

    def fault(self, text):
        self.counts["faults"] += 1
        if len(self.faults) < 20:
            self.faults.append(text)


class Inbox:
    """What comes in is looked at here; what has to be answered is answered."""

    def __init__(self, life):
        self.life = life
        self.level = life.maker.level
        self.connack = None
        self.filters = set()            # all there have been
        self.sub_sizes = {}             # filters of a packet, by its identifier
        self.waiting = {mqtt.PUBACK: set(), mqtt.PUBREC: set(), mqtt.PUBCOMP: set()}
        self.inflight = set()
        self.aliases = {}
        self.pings = 0

    def check(self, good, text):
        if self.life.honest and self.life.client.strict and not good:
            raise mqtt.ProtocolError(text)

    def packet(self, first, body, size):
        kind = first >> 4
        if kind == mqtt.CONNACK and not self.connack and body[1:2] == b"\1" and len(body) == 2:
            # Who is refused for its version is told so in the oldest.
            got = mqtt.decode(first, body, 3)
        else:
            got = mqtt.decode(first, body, self.level)
        self.check(size <= self.life.limit("max_packet_size", 1 << 28),
                   f"{size} bytes are more than the client takes")
        self.check(self.connack or kind == mqtt.CONNACK or self.life.tiny(),
                   f"{got} before CONNACK")
        if self.life.limit("request_problem", 1) == 0 and \
                kind not in (mqtt.PUBLISH, mqtt.CONNACK, mqtt.DISCONNECT, mqtt.PINGRESP):
            self.check(not got.props, f"{got} with {got.props}")
        self.life.tally.counts[f"got {type(got).__name__}"] += 1
        getattr(self, f"on_{type(got).__name__.lower()}")(got)

    def on_connack(self, got):
        self.check(not self.connack, "CONNACK twice")
        self.check(not got.session_present or not (self.life.clean or got.code),
                   f"a session without being asked for one: {got}")
        self.connack = got

    def on_publish(self, got):
        topic = self.topic_of(got)
        self.check(unbroken(topic, got.payload), f"{got} of {topic!r}: {got.payload[:80]}")
        # 3.1 isn't told whether there was a session.
        if self.connack and not self.connack.session_present and \
                (self.level > 3 or self.life.clean):
            self.check(any(matches(f, topic) for f in self.filters),
                       f"{got} of {topic!r} without a subscription")
        if not got.qos:
            return
        self.check(got.id not in self.inflight, f"{got} while its identifier is in use")
        self.inflight.add(got.id)
        self.check(len(self.inflight) <= self.life.limit("receive_max", 65535),
                   f"{len(self.inflight)} messages are more than the client takes at a time")
        self.life.answer(got)

    def topic_of(self, got):
        alias = got.alias
        if alias is None:
            return got.topic
        self.check(alias <= self.life.limit("topic_alias_max", 0), f"alias {alias} is too large")
        if got.topic:
            self.aliases[alias] = got.topic
        self.check(alias in self.aliases, f"alias {alias} stands for nothing")
        return self.aliases.get(alias, "")

    def on_pubrel(self, got):
        self.life.send_ack(mqtt.PUBCOMP, got.id)
        self.inflight.discard(got.id)

    def on_puback(self, got):
        self.answered(mqtt.PUBACK, got)

    def on_pubrec(self, got):
        self.answered(mqtt.PUBREC, got)
        if got.code >= 0x80:
            self.life.unfinished -= 1
        elif self.life.honest:
            self.waiting[mqtt.PUBCOMP].add(got.id)
            self.life.send_ack(mqtt.PUBREL, got.id)

    def on_pubcomp(self, got):
        self.answered(mqtt.PUBCOMP, got)
        self.life.unfinished -= 1

    def answered(self, kind, got):
        self.check(got.id in self.waiting[kind], f"{got} that nobody waits for")
        self.waiting[kind].discard(got.id)

    def on_suback(self, got):
        size = self.sub_sizes.pop(got.id, None)
        self.check(size == len(got.codes), f"{got}, not {size} codes")

    def on_unsuback(self, got):
        size = self.sub_sizes.pop(got.id, None)
        self.check(size is not None and (self.level < 5 or size == len(got.codes)),
                   f"{got}, not {size} codes")

    def on_pingresp(self, _got):
        self.pings -= 1
        self.check(self.pings >= 0, "PINGRESP that nobody waits for")

    def on_disconnect(self, got):
        self.life.tally.counts[f"told {got.code:#x}"] += 1
        # A session has more on its way than this connection knows of.
        self.check(got.code not in ACCUSATIONS or
                   got.code == 0x93 and self.connack.session_present,
                   f"an honest client was told {got}")

    def on_auth(self, got):
        self.check(False, f"{got} that nobody asked for")


class Life:
    """One connection of a client, from CONNECT to its end."""

    def __init__(self, client):
        self.client, self.random, self.tally = client, client.random, client.tally
        self.maker = Maker(client.random, self.random.choice([3, 4, 5, 5]))
        self.honest = self.random.randrange(2) == 0
        self.clean = self.random.randrange(2) == 0
        self.props = self.maker.props(mqtt.CONNECT)
        if self.honest:
            self.props.pop("auth_method", None)
        self.stream = None
        self.inbox = Inbox(self)
        self.reading = asyncio.Event()
        self.reading.set()
        self.next_id = 0
        self.unfinished = 0         # QoS 2 messages of ours
        self.our_aliases = {}
        self.over = False

    def limit(self, name, default):
        return self.props.get(name, default) if self.maker.level == 5 else default

    def tiny(self):
        """So little that not even a CONNACK fits."""
        return self.limit("max_packet_size", 1 << 28) < 200

    def client_id(self):
        chance = self.random.randrange(100)
        if chance < SHARED:
            return self.random.choice(SHARED_IDS)
        if chance < SHARED + 5 and (self.maker.level == 5 or self.maker.level == 4 and self.clean):
            return ""
        return self.client.client_id

    # ----------------------------------------------------------------- out

    def write(self, data):
        """Without waiting: answers must not wait for each other."""
        if not self.over and not self.stream.writer.is_closing():
            self.tally.counts["packets"] += 1
            self.stream.writer.write(data)

    def send(self, data):
        if not self.honest:
            chance = self.random.randrange(100)
            if chance < 10:
                data = self.maker.mutate(data)
                self.tally.counts["mutated"] += 1
            elif chance < 16:
                data = self.maker.odd()
                self.tally.counts["odd"] += 1
            elif chance < 17:
                data = data[:self.random.randrange(len(data))]
                self.tally.counts["cut"] += 1
        self.write(data)

    def send_ack(self, kind, id):
        if self.honest or self.random.randrange(100) < 85:
            self.send(self.maker.ack(kind, id))
        elif self.random.randrange(2):
            self.send(self.maker.ack(self.random.choice([mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL,
                                                         mqtt.PUBCOMP]),
                                     max(1, id + self.random.randrange(-1, 2) & 0xffff)))

    def answer(self, got):
        """To a message with QoS 1 or 2. An honest client counts it as done with."""
        if got.qos == 1:
            self.inbox.inflight.discard(got.id)
            self.send_ack(mqtt.PUBACK, got.id)
        elif self.maker.level == 5 and self.random.randrange(20) == 0:
            self.inbox.inflight.discard(got.id)
            self.send(self.maker.ack(mqtt.PUBREC, got.id, 0x83))
        else:
            self.send_ack(mqtt.PUBREC, got.id)

    def id(self):
        self.next_id = self.next_id % 65535 + 1
        return self.next_id

    # -------------------------------------------------------------- actions

    def publish(self):
        maker, r = self.maker, self.random
        topic, qos, id = r.choice(TOPICS), r.randrange(3), None
        props = maker.props(mqtt.PUBLISH, "subscription_id")
        # More is not allowed to be on its way; 100 is what the broker tells.
        if qos == 2 and self.unfinished >= 50:
            qos = 1
        if qos:
            id = self.id()
            self.inbox.waiting[mqtt.PUBACK if qos == 1 else mqtt.PUBREC].add(id)
            self.unfinished += qos == 2
        name, alias = self.alias(topic)
        if alias:
            topic = self.our_aliases[alias]
            props["topic_alias"] = alias
        payload = maker.sealed(topic) if self.honest else maker.payload()
        self.send(mqtt.publish(name, payload, qos, id, retain=maker.chance(15),
                               level=maker.level, props=props))

    def alias(self, topic):
        """A name to send, maybe none, and an alias, maybe none, for a topic, or another one."""
        most = self.inbox.connack and self.maker.level == 5 and \
            self.inbox.connack.props.get("topic_alias_max", 0)
        if not most or self.random.randrange(3):
            return topic, None
        alias = self.random.randrange(1, most + 1)
        if alias in self.our_aliases and self.random.randrange(2):
            return "", alias
        self.our_aliases[alias] = topic
        return topic, alias

    def subscribe(self):
        id = self.id()
        filters, data = self.maker.subscribe(id)
        self.inbox.filters.update(f for f, _ in filters)
        self.inbox.sub_sizes[id] = len(filters)
        self.send(data)

    def unsubscribe(self):
        id = self.id()
        filters, data = self.maker.unsubscribe(id)
        self.inbox.sub_sizes[id] = len(filters)
        self.send(data)

    def ping(self):
        self.inbox.pings += 1
        self.send(mqtt.pingreq())

    async def deaf(self):
        """Read nothing for a while."""
        self.reading.clear()
        await asyncio.sleep(self.random.random() * 2)
        self.reading.set()

    async def act(self):
        chance = self.random.randrange(100)
        if chance < 55:
            self.publish()
        elif chance < 75:
            self.subscribe()
        elif chance < 83:
            self.unsubscribe()
        elif chance < 90:
            self.ping()
        elif chance < 92:
            await self.deaf()
        elif chance < 97:
            await asyncio.sleep(self.random.random() / 5)
        elif not self.honest:
            self.write(self.maker.odd())
            self.tally.counts["odd"] += 1

    # ------------------------------------------------------------------ in

    async def read(self):
        """Until the connection ends."""
        try:
            while True:
                await self.reading.wait()
                first, body, size = await self.stream.receive()
                self.inbox.packet(first, body, size)
        except mqtt.ProtocolError as err:
            kind = "honest" if self.honest else "dishonest"
            self.tally.fault(f"{self.client.name}, {kind}, level {self.maker.level}: {err}")
        except ENDED:
            pass
        except Exception:       # pylint: disable=broad-except
            self.tally.fault(f"{self.client.name}: {traceback.format_exc()}")
        finally:
            self.over = True

    # ------------------------------------------------------------- the whole

    async def begin(self):
        """Returns False if the connection isn't meant to become one."""
        client_id = self.client_id()
        data = self.maker.connect(client_id, self.clean, self.props)
        if not self.honest:
            chance = self.random.randrange(100)
            if chance < 20:
                # The broker may see another version in it, or other terms.
                self.stream.writer.write(self.maker.mutate(data))
                self.tally.counts["mutated"] += 1
                return False
            if chance < 24:
                self.stream.writer.write(data[:self.random.randrange(len(data))])
                self.tally.counts["cut"] += 1
                return False
            if chance < 28:
                self.stream.writer.write(self.maker.odd())
                return False
        self.write(data)
        return True

    async def wait_connack(self):
        end = time.monotonic() + (0.5 if self.tiny() else PATIENCE)
        while not self.inbox.connack and not self.over:
            if time.monotonic() > end:
                if not self.tiny():
                    self.tally.fault(f"{self.client.name}: no CONNACK")
                return
            await asyncio.sleep(0.02)

    async def finish(self):
        chance = self.random.randrange(100)
        if chance < 50 and not self.over:
            with contextlib.suppress(*ENDED):
                await self.stream.send(self.maker.disconnect(self.random.randrange(2)))
        elif chance < 60 and not self.honest and not self.over:
            self.write(mqtt.publish("storm/half", bytes(5000))[:self.random.randrange(1, 5000)])
        if chance % 3:
            await self.stream.close()
        else:
            self.stream.reset()

    async def run(self, until):
        self.tally.counts["connections"] += 1
        self.stream = await Stream.open(self.client.where)
        if not await self.begin():
            await asyncio.sleep(self.random.random() / 2)
            self.stream.reset()
            return
        reader = asyncio.create_task(self.read())
        try:
            # Some don't wait for the answer, which is allowed.
            if self.honest or self.random.randrange(3):
                await self.wait_connack()
            for _ in range(min(300, int(self.random.expovariate(1 / 20)) + 1)):
                if self.over or time.monotonic() > until:
                    break
                await self.act()
                async with asyncio.timeout(PATIENCE):
                    await self.stream.writer.drain()
                await asyncio.sleep(0)
            await self.finish()
        except ENDED as err:
            if isinstance(err, TimeoutError):
                self.tally.fault(f"{self.client.name}: the broker doesn't read")
            self.stream.reset()
        finally:
            self.over = True
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


class Rough:
    """A client that goes on until the storm is over."""

    def __init__(self, where, seed, index, tally, strict):
        self.where, self.tally, self.strict = where, tally, strict
        self.name = f"client {index}"
        self.client_id = f"storm-{index}"
        self.random = random.Random(f"{seed}/{index}")

    async def run(self, until):
        while time.monotonic() < until:
            try:
                await Life(self).run(until)
            except ENDED:
                self.tally.counts["not let in"] += 1
                await asyncio.sleep(0.1)
            await asyncio.sleep(self.random.random() / 3)


async def storm(where, seed, indexes, until, strict=True):
    """What is strict is false of a broker that something is wrong with: then only
    the form of what it sends counts, and that it answers or ends the connection.
    """
    tally = Tally()
    await asyncio.gather(*(Rough(where, seed, index, tally, strict).run(until)
                           for index in indexes))
    return tally


assert all(matches(f, f) for f in FILTERS if "+" not in f and "#" not in f)
