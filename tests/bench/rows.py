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

    def command(self, scale):
        count = max(int(self.count * scale), 20)
        return [*self.args.split(), "-c", str(count), "--warmup", str(max(count // 10, 20))]


ROWS = [
    Row("pair-1", "one pair, one in flight, round trip p50", "pair -n 1 -w 1", 2000, "p50"),
    Row("pair-sparse", "one pair, 500 messages/s, p50", "pair -n 1 --rate 500", 1000, "p50"),
    Row("pair-burst", "one pair, bursts of 100, QoS 0", "pair -n 1 -w 100 -b 100", 20000),
    Row("fanout-1", "1 to 20, one in flight", "fanout -n 20 -w 1", 8000),
    Row("fanout-burst", "1 to 20, bursts of 100", "fanout -n 20 -w 100 -b 100", 40000),
    Row("fanin-burst", "20 to 1, bursts of 100", "fanin -n 20 -w 100 -b 100", 20000),
    Row("pairs-burst", "4 pairs, bursts of 100, QoS 0", "pair -n 4 -w 100 -b 100", 20000),
    Row("pairs-qos1", "4 pairs, bursts of 100, QoS 1", "pair -n 4 -w 100 -b 100 -q 1", 10000,
        relay=False),
    Row("pairs-qos2", "4 pairs, bursts of 100, QoS 2", "pair -n 4 -w 100 -b 100 -q 2", 10000,
        relay=False),
    Row("topics", "1000 topics of 3 levels, a wildcard for each level",
        "topics --topics 1000 --depth 3 -w 100 -b 100", 20000, relay=False),
    Row("shared", "4 publishers to a group of 4, bursts of 100",
        "shared -n 4 -m 4 -w 100 -b 100", 20000, relay=False),
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

    def command(self, count):
        return self.args.format(n=count).split()


HOLDINGS = [
    Holding("idle", "idle connection, its sockets on both ends included", "idle -n {n}", 2000,
            leaves=False, relay=True),
    Holding("session", "stored session without a connection",
            "connect --session --keep -n {n} -c {n}", 2000),
    Holding("subscription", "subscription to a topic of its own",
            "subscribe --keep --filter exact --batch 50 -n 20 -c {n}", 20000, leaves=False),
    Holding("retained", "retained message of 64 bytes", "retained --keep --topics {n} -c {n}",
            20000),
]
