# SPDX-License-Identifier: GPL-2.0
"""What is measured: the rows of the tables in Documentation/performance.rst."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A run of the generator, and which of its figures counts."""
    name: str
    text: str
    args: str
    count: int                  # delivered messages that are measured
    figure: str = "message"     # "message": time for each of them; "p50": latency
    relay: bool = True          # a relay can do it
    profile: bool = False       # what it consists of is told
    tls: bool = False           # is measured with TLS, too
    goal: float = None          # thousand instructions that it is to reach

    def command(self, scale):
        count = max(int(self.count * scale), 20)
        return [*self.args.split(), "-c", str(count), "--warmup", str(max(count // 10, 20))]


ROWS = [
    Row("pair-1", "one pair, one in flight, round trip p50", "pair -n 1 -w 1", 2000, "p50",
        profile=True, tls=True, goal=30),
    Row("pair-sparse", "one pair, 500 messages/s, p50", "pair -n 1 --rate 500", 1000, "p50",
        goal=37),
    Row("pair-burst", "one pair, bursts of 100, QoS 0", "pair -n 1 -w 100 -b 100", 20000,
        profile=True, tls=True, goal=2.2),
    Row("fanout-1", "1 to 20, one in flight", "fanout -n 20 -w 1", 8000, profile=True, goal=15),
    Row("fanout-burst", "1 to 20, bursts of 100", "fanout -n 20 -w 100 -b 100", 40000,
        profile=True, tls=True, goal=0.8),
    Row("fanout-large", "1 to 20, payloads of 16 KiB, bursts of 10",
        "fanout -n 20 -w 10 -b 10 -s 16384", 2000, tls=True),
    Row("fanin-burst", "20 to 1, bursts of 100", "fanin -n 20 -w 100 -b 100", 20000,
        profile=True, goal=2.0),
    Row("pairs-burst", "4 pairs, bursts of 100, QoS 0", "pair -n 4 -w 100 -b 100", 20000),
    Row("pairs-qos1", "4 pairs, bursts of 100, QoS 1", "pair -n 4 -w 100 -b 100 -q 1", 10000,
        relay=False, profile=True, tls=True, goal=3.2),
    Row("pairs-qos2", "4 pairs, bursts of 100, QoS 2", "pair -n 4 -w 100 -b 100 -q 2", 10000,
        relay=False),
    Row("topics", "1000 topics of 3 levels, a wildcard for each level",
        "topics --topics 1000 --depth 3 -w 100 -b 100", 20000, relay=False),
    Row("shared", "4 publishers to a group of 4, bursts of 100",
        "shared -n 4 -m 4 -w 100 -b 100", 20000, relay=False),
]


# With TLS, too.
TLS = [row for row in ROWS if row.tls]


# With access rules, too.
RULED = [row for row in ROWS if row.profile]


# With a second CPU there should be twice as much; the generator uses it, too.
SCALING = [
    Row("scaling-qos0", "4 pairs, bursts of 100, QoS 0", "pair -n 4 -t 2 -w 100 -b 100", 200000),
    Row("scaling-qos1", "4 pairs, bursts of 100, QoS 1", "pair -n 4 -t 2 -w 100 -b 100 -q 1",
        100000, relay=False),
    Row("scaling-1", "4 pairs, one in flight", "pair -n 4 -t 2 -w 1", 20000),
]


@dataclass(frozen=True)
class Holding:
    """Something that takes memory for as long as it is there."""
    name: str
    text: str
    args: str
    count: int
    leaves: bool = True         # it stays when the generator ends
    relay: bool = False
    brokers: tuple = ()         # all if empty

    def command(self, count):
        return self.args.format(n=count).split()


HOLDINGS = [
    Holding("idle", "idle connection, its sockets on both ends included", "idle -n {n}", 2000,
            leaves=False, relay=True),
    Holding("idle-100000", "the same, of 100,000 in a machine of 4 GiB",
            "idle -n {n} --sources 10", 100000, leaves=False, brokers=("kmqtt", "mosquitto")),
    Holding("session", "stored session without a connection",
            "connect --session --keep -n {n} -c {n}", 2000),
    Holding("subscription", "subscription to a topic of its own",
            "subscribe --keep --filter exact --batch 50 -n 20 -c {n}", 20000, leaves=False),
    Holding("retained", "retained message of 64 bytes", "retained --keep --topics {n} -c {n}",
            20000),
]


@dataclass(frozen=True)
class Growth:
    """What one thing costs while there are more and more of others."""
    name: str
    text: str
    args: str
    sizes: tuple
    count: int                  # things that are measured; 0: as many as there are
    holder: str = ""            # runs beside it, to hold the others
    single: bool = False        # one after the other: the median counts

    def figure(self, got):
        """In µs, or None."""
        if got.get("error"):
            return None
        if self.single:
            return got["latency_us"]["p50"]
        return next(v for k, v in got.items() if k.startswith("ns_per_")) / 1000

    def command(self, size):
        return [*self.args.format(n=size).split(), "-c", str(self.count or size)]

    def holder_command(self, size):
        return self.holder.format(n=size, batch=min(size, 50)).split()


SIZES = (10, 1000, 100000, 1000000)
SUBSCRIPTIONS = "subscribe --keep --filter exact --batch {batch} -n 1 -c {n} --prefix grown"

GROWTH = [
    Growth("publish", "publish, each time to another of N subscribed topics",
           "topics --filter exact -n 1 --depth 2 --topics {n} -w 100 -b 100", SIZES, 20000),
    Growth("depth", "publish to topics of N levels, with a wildcard for each level",
           "topics --filter plus -n 1 --depth {n} --topics 1000 -w 100 -b 100", (2, 4, 8), 20000),
    Growth("subscribe", "SUBSCRIBE, with N subscriptions of another client",
           "subscribe --filter exact -n 1 --prefix grown", SIZES, 5000, SUBSCRIPTIONS, True),
    Growth("connect", "connect and disconnect, with N subscriptions of another client",
           "connect", SIZES, 2000, SUBSCRIPTIONS),
    Growth("sessions", "connect and disconnect, with N stored sessions",
           "connect", (10, 1000, 100000), 2000, "connect --session --keep -n {n} -c {n}"),
    Growth("retained", "a wildcard's retained message, of N in the store",
           "retained --topics {n} -n 1", (1000, 100000, 1000000), 0),
]
