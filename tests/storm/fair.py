# SPDX-License-Identifier: GPL-2.0
"""A publisher and a subscriber that keep to all rules, whatever is going on.

Messages are numbered, each QoS by itself, and have contents that follow from
their number. Who is steady stays connected; the others come and go, and their
sessions stay. Each message has to arrive once and in order, but one of QoS 1 may
be repeated if it was not acknowledged when a connection ended.
"""

import asyncio
import random
import time

import mqtt
from stream import ENDED, PATIENCE, Stream, end_session

WINDOW = 10         # messages that the publisher has not heard of yet
BEHIND = 60         # messages by which the subscriber may lag behind
PAUSE = 0.02        # seconds between messages
SILENCE = 0.3       # seconds without acknowledgments before a subscriber leaves


class Broken(Exception):
    """The broker has not kept its promise."""


def content(qos, number):
    """Most are short; some are large enough to travel in pages."""
    size = 40000 if number % 97 == 0 else number * 37 % 700
    return b"%d %d " % (qos, number) + bytes([number % 251]) * size


def must(good, text):
    if not good:
        raise Broken(text)


class Party:
    """What both have in common: a session that outlives connections."""

    def __init__(self, pair, what, level, steady):
        self.pair, self.level, self.steady = pair, level, steady
        self.client_id = f"fair-{pair.name}-{what}"
        self.stream = None
        self.random = random.Random(f"{pair.seed}/{self.client_id}")
        self.connections = 0

    async def connect(self):
        """With the session there was, but for the first time."""
        first = not self.connections
        self.stream = await Stream.open(self.pair.where)
        props = {"session_expiry": 3600, "topic_alias_max": 5, "receive_max": 20}
        await self.stream.send(mqtt.connect(self.client_id, level=self.level, clean=False,
                                            props=props if self.level == 5 else b""))
        got = await self.receive()
        must(isinstance(got, mqtt.Connack) and got.code == 0, f"{got} for CONNECT")
        must(self.level == 3 or got.session_present == (not first),
             f"{got} at connection {self.connections}")
        self.connections += 1

    async def receive(self):
        async with asyncio.timeout(PATIENCE):
            first, body, _ = await self.stream.receive()
        return mqtt.decode(first, body, self.level)

    def leave(self):
        """End the connection in one of the ways there are."""
        how = self.random.randrange(3)
        if how == 0:
            self.stream.reset()
            return
        if how == 1:
            self.stream.writer.write(mqtt.disconnect())
        self.stream.writer.close()

    def next_leave(self):
        if self.steady:
            return float("inf")
        return time.monotonic() + 1 + self.random.random() * 4

    async def run(self):
        """Connections, one after the other, until nothing is left to do."""
        while not self.done():
            await self.connect()
            task = asyncio.create_task(self.serve(self.next_leave()))
            try:
                await task
            except ENDED as err:
                raise Broken(f"{self.client_id} lost its connection: {err!r}") from err
            finally:
                self.leave()
            await asyncio.sleep(self.random.random() / 4)

    def done(self):
        raise NotImplementedError

    async def serve(self, until):
        raise NotImplementedError


class Publisher(Party):
    """Keeps what isn't acknowledged, and sends it again."""

    def __init__(self, pair, level, steady):
        super().__init__(pair, "publisher", level, steady)
        self.sent = {1: 0, 2: 0}
        self.unfinished = {}        # identifier: PUBLISH, or PUBREL
        self.next_id = 0
        self.last = 0

    def done(self):
        return self.pair.ending() and not self.unfinished

    def new_message(self):
        qos = 1 + (self.sent[1] > self.sent[2])
        self.next_id = self.next_id % 65535 + 1
        payload = content(qos, self.sent[qos])
        args = {"level": self.level}
        if self.level == 5:
            args["props"] = {"user": [("number", str(self.sent[qos])), ("a", "b")],
                             "content_type": "storm"}
        self.sent[qos] += 1
        self.unfinished[self.next_id] = (qos, payload, args)
        return mqtt.publish(self.pair.topic, payload, qos, self.next_id, **args)

    def again(self):
        """What has to be sent again, in its order."""
        for id, what in self.unfinished.items():
            if what is None:
                yield mqtt.ack(mqtt.PUBREL, id)
            else:
                qos, payload, args = what
                yield mqtt.publish(self.pair.topic, payload, qos, id, dup=True, **args)

    def may_send(self):
        return not self.pair.ending() and len(self.unfinished) < WINDOW and \
            sum(self.sent.values()) - sum(self.pair.subscriber.got.values()) < BEHIND

    async def serve(self, until):
        for data in self.again():
            await self.stream.send(data)
        heard = asyncio.create_task(self.listen())
        try:
            while not self.done() and time.monotonic() < until:
                if heard.done():
                    break
                if self.may_send():
                    self.last = time.monotonic()
                    await self.stream.send(self.new_message())
                elif self.unfinished:
                    must(time.monotonic() < self.last + PATIENCE,
                         f"{len(self.unfinished)} messages are not acknowledged")
                await asyncio.sleep(PAUSE)
        finally:
            if not heard.done():
                heard.cancel()
            got = (await asyncio.gather(heard, return_exceptions=True))[0]
        if isinstance(got, Exception):
            raise got

    async def listen(self):
        while True:
            self.heard(await self.receive_or_wait())

    async def receive_or_wait(self):
        first, body, _ = await self.stream.receive()
        return mqtt.decode(first, body, self.level)

    def heard(self, got):
        what = self.unfinished.get(getattr(got, "id", None), ())
        if isinstance(got, mqtt.Pubcomp):
            must(what is None, f"{got} that nobody waits for")
            del self.unfinished[got.id]
            return
        must(isinstance(got, (mqtt.Puback, mqtt.Pubrec)), f"{got} for a publisher")
        must(what, f"{got} that nobody waits for")
        must(got.code == 0, f"{got}")
        must(what[0] == (1 if isinstance(got, mqtt.Puback) else 2), f"{got} for QoS {what[0]}")
        if isinstance(got, mqtt.Puback):
            del self.unfinished[got.id]
        else:
            self.unfinished[got.id] = None
            self.stream.writer.write(mqtt.ack(mqtt.PUBREL, got.id))


class Subscriber(Party):
    """Knows what has to come."""

    def __init__(self, pair, level, steady):
        super().__init__(pair, "subscriber", level, steady)
        self.got = {1: 0, 2: 0}     # how many, and the next number
        self.unreleased = {}        # QoS 2: identifier: number
        self.before = {}            # the last number of this connection
        self.aliases = {}
        self.subscribed = False
        self.last = 0
        self.until = 0

    def done(self):
        return self.pair.ending() and self.pair.publisher.done() and not self.unreleased and \
            self.got == self.pair.publisher.sent

    async def subscribe(self):
        props = {"subscription_id": 7} if self.level == 5 else b""
        await self.stream.send(mqtt.subscribe(1, (self.pair.topic, 2), level=self.level,
                                              props=props))
        got = await self.receive()
        must(isinstance(got, mqtt.Suback) and got.codes == [2], f"{got} for SUBSCRIBE")
        self.subscribed = True

    async def serve(self, until):
        self.before, self.aliases, self.until = {}, {}, until
        if not self.subscribed:
            await self.subscribe()
        heard = asyncio.create_task(self.listen())
        self.last = time.monotonic()
        try:
            while not self.done() and time.monotonic() < until and not heard.done():
                must(time.monotonic() < self.last + PATIENCE,
                     f"nothing came for {PATIENCE} s; sent {self.pair.publisher.sent}, "
                     f"arrived {self.got}, unreleased {len(self.unreleased)}")
                if self.got == self.pair.publisher.sent and not self.unreleased:
                    self.last = time.monotonic()
                await asyncio.sleep(PAUSE)
        finally:
            if not heard.done():
                heard.cancel()
            got = (await asyncio.gather(heard, return_exceptions=True))[0]
        if isinstance(got, Exception):
            raise got

    async def listen(self):
        while True:
            first, body, _ = await self.stream.receive()
            self.last = time.monotonic()
            got = mqtt.decode(first, body, self.level)
            if isinstance(got, mqtt.Pubrel):
                # It may come for what was released in a connection that is gone.
                must(got.id in self.unreleased or not self.steady, f"{got} for nothing")
                self.unreleased.pop(got.id, None)
                await self.stream.send(mqtt.ack(mqtt.PUBCOMP, got.id))
            else:
                must(isinstance(got, mqtt.Publish), f"{got} for a subscriber")
                self.message(got)
                # What isn't acknowledged before the connection ends comes again.
                if time.monotonic() < self.until - SILENCE:
                    kind = mqtt.PUBACK if got.qos == 1 else mqtt.PUBREC
                    await self.stream.send(mqtt.ack(kind, got.id))

    def message(self, got):
        must(got.qos, f"{got} with QoS 0")
        must(self.topic_of(got) == self.pair.topic, f"{got}: topic")
        head = got.payload.split(b" ", 2)
        must(len(head) == 3 and head[0].isdigit() and head[1].isdigit(), f"{got}: payload")
        qos, number = int(head[0]), int(head[1])
        must(qos == got.qos and got.payload == content(qos, number), f"{got}: payload")
        must(not got.retain, f"{got} is retained")
        if self.level == 5:
            must(got.props.get("subscription_id") == [7], f"{got}: {got.props}")
        if self.level == 5 and self.pair.publisher.level == 5:
            must(got.props.get("user") == [("number", str(number)), ("a", "b")] and
                 got.props.get("content_type") == "storm", f"{got}: {got.props}")
        self.in_order(got, qos, number)

    def topic_of(self, got):
        if got.alias and got.topic:
            self.aliases[got.alias] = got.topic
        return got.topic or self.aliases.get(got.alias)

    def in_order(self, got, qos, number):
        want = self.got[qos]
        what = f"QoS {qos}, number {number} instead of {want}, dup={got.dup}"
        if qos == 2 and got.id in self.unreleased:
            must(got.dup and self.unreleased[got.id] == number, f"{what}, not released")
            return
        before, self.before[qos] = self.before.get(qos), number
        if number == want:
            must(not got.dup or not self.steady, what)
            self.got[qos] += 1
            if qos == 2:
                self.unreleased[got.id] = number
            return
        # Only what is not acknowledged comes again, and then from there on.
        must(qos == 1 and want - WINDOW - BEHIND <= number < want, what)
        if self.pair.publisher.steady:
            must(got.dup and not self.steady and before in (None, number - 1), what)
        else:
            must(not got.dup or not self.steady, what)


class Pair:
    """Both of them."""

    def __init__(self, where, seed, name, steady, until):
        self.where, self.seed, self.name = where, seed, name
        self.topic = f"fair/{name}/with/a/name/that/is/worth/an/alias"
        self.until = until
        levels = random.Random(f"{seed}/{name}").choices((3, 4, 5, 5), k=2)
        self.publisher = Publisher(self, levels[0], steady[0])
        self.subscriber = Subscriber(self, levels[1], steady[1])

    def ending(self):
        return time.monotonic() > self.until

    async def publish(self):
        while not self.subscriber.subscribed:
            await asyncio.sleep(PAUSE)
        await self.publisher.run()

    async def run(self):
        """Returns what went wrong, or None."""
        tasks = [asyncio.create_task(self.subscriber.run()), asyncio.create_task(self.publish())]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for party in self.publisher, self.subscriber:
            await end_session(self.where, party.client_id)
        for task in done:
            if task.exception():
                return task.exception()
        return None
