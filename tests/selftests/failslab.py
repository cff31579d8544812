# SPDX-License-Identifier: GPL-2.0
"""Allocations of the module fail, by chance or one after the other.

The filter by back trace restricts it to what runs in the module, in any
context: nobody else's allocations fail.
"""

import asyncio
import contextlib
import errno
import functools
import os
import random
import subprocess
import sys
import time

from selftest import (
    CTL, HOST, KO, PATIENCE, PORT, TOP, Generic, Loop, Peer, check, clean_up, client, ctl,
    ctl_json, finish, load, loaded, mqtt, note, point, run, run_tests, same, scaled, stats, unload,
    wait_for,
)

sys.path.insert(0, f"{TOP}/tests/storm")

import rough    # noqa: E402
from transports import (    # noqa: E402
    TLS_1_3, UNIX, Agent, Secret, Web, agent_listener, listen, start_tls,
)

DEBUGFS = "/sys/kernel/debug"
WAYS = [way for way in ("failslab", "fail_page_alloc") if os.path.exists(f"{DEBUGFS}/{way}")]
WORKERS = 12
SECONDS = 20            # of load at each probability
PATH = "/tmp/failslab.sock"


def put(way, name, value):
    path = f"{DEBUGFS}/{way}/{name}"
    if os.path.exists(path):
        with open(path, "w") as file:
            file.write(str(value))


def restrict(start, end):
    """To what has an address in that range in its back trace."""
    for way in WAYS:
        put(way, "probability", 0)
        put(way, "require-start", hex(start))
        put(way, "require-end", hex(end))
        put(way, "stacktrace-depth", 32)
        put(way, "task-filter", "N")
        put(way, "ignore-gfp-wait", "N")
        put(way, "ignore-gfp-highmem", "N")
        put(way, "min-order", 0)
        put(way, "interval", 1)
        put(way, "space", 0)
        put(way, "times", -1)
        # A back trace for each failure would be all that there is in the log.
        put(way, "verbose", 0)


def module_range():
    sections = "/sys/module/kmqtt/sections"
    starts = []
    for name in os.listdir(sections):
        if name.startswith(".text"):
            with open(f"{sections}/{name}") as file:
                starts.append(int(file.read(), 16))
    with open("/sys/module/kmqtt/coresize") as file:
        return min(starts), min(starts) + int(file.read())


def function_range(name):
    addresses, found = [], None
    with open("/proc/kallsyms") as file:
        for line in file:
            address, kind, symbol = line.split()[:3]
            if kind in "tT" and "[" not in line:
                addresses.append(int(address, 16))
                if symbol == name:
                    found = addresses[-1]
    check(found, f"no {name} in kallsyms")
    return found, min(a for a in addresses if a > found)


class failing:
    """with failing(5): so many percent of the module's allocations."""

    def __init__(self, percent):
        self.percent = percent

    def __enter__(self):
        for way in WAYS:
            put(way, "probability", self.percent)

    def __exit__(self, *_):
        for way in WAYS:
            put(way, "probability", 0)


def fail_nth(number):
    """The number-th allocation of this thread within the range; 0: none. What was left of the
    number before."""
    path = "/proc/thread-self/fail-nth"
    with open(path) as file:
        left = int(file.read())
    with open(path, "w") as file:
        file.write(str(number))
    return left


def with_fault(number, *args):
    """Run a program whose number-th allocation fails."""
    # pylint: disable=subprocess-popen-preexec-fn
    return subprocess.run(args, capture_output=True, text=True, check=False, timeout=120,
                          preexec_fn=functools.partial(fail_nth, number))


# ------------------------------------------------------------------- load

class Witness(Peer):
    """Has to see what is acknowledged while it is connected."""

    def __init__(self, loop, load_, **where):
        super().__init__(loop, **where)
        self.load = load_
        self.first = None
        self.seen = set()
        load_.names += 1
        self.connect(f"witness{load_.names}")
        self.subscribe("acked/#", qos=1)

    def on_suback(self, id, codes):
        # Refused for want of memory: then it has nothing to say.
        if codes == [1]:
            self.first = self.load.number

    def on_message(self, topic, payload, qos, flags):
        number = int(topic.split("/")[1])
        if payload != self.load.payload(number):
            self.load.wrong.append(topic)
        self.seen.add(number)


class Worker(Peer):
    """Does a little of everything, as far as it gets."""

    def __init__(self, loop, load_, **where):
        super().__init__(loop, **where)
        self.load, self.random = load_, load_.random
        self.pending = {}
        self.left = self.random.randrange(5, 40)
        load_.names += 1
        load_.connections += 1
        rnd = self.random
        self.connect(f"worker{load_.names if rnd.random() < 0.5 else rnd.randrange(20)}",
                     clean=rnd.random() < 0.6, username="user" * rnd.randrange(2) or None,
                     will=mqtt.Will(f"will/{rnd.randrange(20)}", bytes(rnd.choice((0, 10, 5000))),
                                    rnd.randrange(3), rnd.random() < 0.3))

    def on_connack(self, code, present):
        if code == 0:
            self.load.accepted += 1
            self.step()

    def step(self):
        rnd = self.random
        self.left -= 1
        if self.left <= 0:
            if rnd.random() < 0.5:
                self.disconnect()
            self.close(reset=rnd.random() < 0.3)
            return
        what = rnd.randrange(8)
        if what == 0:
            self.subscribe(f"any/{rnd.randrange(10)}", f"{rnd.randrange(10)}/+/x", "will/#",
                           qos=rnd.randrange(3))
        elif what == 1:
            self.send(mqtt.unsubscribe(self.id(), f"any/{rnd.randrange(10)}", "will/#"))
        elif what == 2:
            self.publish(f"kept/{rnd.randrange(30)}", bytes(rnd.choice((0, 50, 5000, 20000))),
                         rnd.randrange(3), retain=True)
        elif what == 3:
            self.subscribe("kept/#")
        elif what in (4, 5):
            self.publish(f"any/{rnd.randrange(10)}", bytes(rnd.choice((0, 10, 4096, 9000, 60000))),
                         rnd.randrange(3))
        else:
            number = self.load.number
            self.load.number += 1
            id = self.publish(f"acked/{number}", self.load.payload(number), 1)
            self.pending[id] = number
        self.ping()

    def on_ack(self, kind, id):
        if id in self.pending:
            self.load.acked.add(self.pending.pop(id))

    def readable(self):
        had = self.pongs
        super().readable()
        if self.pongs > had and not self.closed:
            self.step()


class SecretWitness(Witness, Secret):
    pass


class SecretWorker(Worker, Secret):
    pass


class WebWitness(Witness, Web):
    pass


class WebWorker(Worker, Web):
    pass


class Load:
    """Clients for a while; what became of their messages. `ways` are those of both kinds to come,
    each with its arguments.
    """

    def __init__(self, seed, ways=((Witness, Worker, {}),)):
        self.random = random.Random(seed)
        self.ways = ways
        self.refused = 0
        self.loop = Loop()
        self.names = self.number = self.connections = self.accepted = 0
        self.acked = set()
        self.wrong = []
        self.workers, self.witnesses = [], []
        self.noise = self.random.randbytes(20000)

    def payload(self, number):
        return self.noise[number % 1000:number % 1000 + (0, 30, 4096, 7000, 12000)[number % 5]]

    def run(self, seconds):
        """Longer if hardly anything has happened by then."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end or \
                self.accepted < 4 * WORKERS and now < end + PATIENCE:
            self.workers = [w for w in self.workers if not w.closed]
            self.witnesses = [w for w in self.witnesses if not w.closed]
            while len(self.workers) < WORKERS:
                self.workers += self.another(1)
            while len(self.witnesses) < 3:
                self.witnesses += self.another(0)
            self.loop.turn(0.05)

    def another(self, kind):
        *kinds, where = self.random.choice(self.ways)
        try:
            return [kinds[kind](self.loop, self, **where)]
        except OSError as err:
            # An agent is told so.
            if err.errno != errno.ENOMEM:
                raise
            self.refused += 1
            return []

    def check(self):
        """With nothing failing any more."""
        judged = 0
        for witness in self.witnesses:
            if witness.closed or witness.first is None:
                continue
            # What is acknowledged is in its queue, so it comes before this.
            want = {n for n in self.acked if n >= witness.first}

            def complete(witness=witness, want=want):
                return witness.closed or want <= witness.seen
            try:
                self.loop.until(complete, "what was acknowledged")
            except TimeoutError:
                missing = sorted(want - witness.seen)
                raise AssertionError(f"{len(missing)} of {len(want)} acknowledged messages never "
                                     f"arrived: {missing[:10]}") from None
            judged += len(want) if not witness.closed else 0
        same(self.wrong, [], "messages with a wrong payload")
        note(f"{self.connections} connections, {self.refused} more refused, {self.accepted} "
             f"accepted, {len(self.acked)} of {self.number} messages acknowledged, {judged} of "
             f"them looked for at a subscriber")
        self.loop.close()


def works():
    """Everything does what it should."""
    loop = Loop()
    sub = client(loop, "sub", "works/#", qos=2)
    pub = client(loop, "pub", will=mqtt.Will("works/will", b"w"))
    want = []
    for qos in range(3):
        for size in (0, 10, 5000, 200000):
            want.append((f"works/{qos}/{size}", os.urandom(size), qos))
            pub.wait_publish(*want[-1])
    pub.close()
    loop.until(lambda: len(sub.messages) == len(want) + 1, "all messages and the will")
    same([m[:3] for m in sub.messages[:-1]], want, "messages")
    loop.close()


def test_load(percent, *ways):
    load_ = Load(percent, *ways)
    before = stats()
    with failing(percent):
        load_.run(SECONDS)
    load_.check()
    check(load_.accepted >= WORKERS, "hardly anything has happened")
    wait_for(lambda: stats()["connections"] == 0, "connections to end")
    now = stats()
    note(f"handed over for want of memory {now['handover_no_memory'] - before['handover_no_memory']}"
         f", dropped {now['dropped_no_memory'] - before['dropped_no_memory']}")
    works()
    clean_up()
    same(stats()["memory"], 0, "memory in the end")


def test_streams(percent):
    """The same by unix sockets, with TLS, and in WebSocket's frames."""
    netlink = Generic()
    id = listen(netlink, transport=(UNIX, 1), path=PATH.encode(), anonymous=(1, 1))
    ids = [id] + [agent_listener(anonymous=(1, 1)) for _ in range(2)]
    agents = [Agent(ids[1], version=TLS_1_3), Agent(ids[2], websocket=b""),
              Agent(ids[2], version=TLS_1_3, websocket=b"")]
    test_load(percent, [(Witness, Worker, {"address": PATH}),
                        (SecretWitness, SecretWorker, {"agent": agents[0]}),
                        *((WebWitness, WebWorker, {"agent": agent}) for agent in agents[1:])])
    for agent in agents:
        agent.close()
    for number in ids:
        netlink.command("listener", "del", netlink.ACK, id=number)
    netlink.sock.close()
    os.unlink(PATH)


def test_stuck():
    """TLS takes a message that TCP has no memory for, and nothing else is on its way, nor follows:
    it comes when there is memory again.
    """
    loop, id = Loop(), agent_listener(anonymous=(1, 1))
    agent = Agent(id, version=TLS_1_3)
    sub, pub = Secret(loop, agent).wait_connect("sub"), client(loop, "pub")
    sub.subscribe("stuck", qos=1)
    sub.wait_ping()
    time.sleep(0.5)     # for the last acknowledgment of TCP
    restrict(*function_range("tls_push_sg"))
    with failing(100):
        pub.wait_publish("stuck", b"x", 1)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            loop.turn()
        same(sub.messages, [], "messages without memory")
    loop.until(lambda: sub.messages, "the message")
    restrict(*module_range())
    loop.close()
    agent.netlink.command("listener", "del", agent.netlink.ACK, id=id)
    agent.close()
    clean_up()


def test_adopt():
    """Each allocation on the way of a connection from an agent fails once: then it is as it was,
    and the agent's."""
    loop, failed = Loop(), 0
    agent = Agent(agent_listener(anonymous=(1, 1)), version=TLS_1_3, websocket=b"")
    said = {"user": b"one", "subject": b"CN=one", "cipher": b"TLS_X"}

    class Victim(Web):
        def prepare(self, address):
            nonlocal failed
            self.sock.connect(address)
            start_tls(self.sock, TLS_1_3, server=False)
            with agent.accept() as sock:
                fail_nth(number)
                try:
                    agent.adopt(sock, **said)
                    return
                except OSError as err:
                    same(err.errno, errno.ENOMEM, err.strerror)
                finally:
                    self.left = fail_nth(0)
                failed += 1
                for one, other in ((sock, self.sock), (self.sock, sock)):
                    one.sendall(b"hello")
                    same(other.recv(100), b"hello", "what the other one gets")
                agent.adopt(sock, **said)

    number = 0
    while True:
        number += 1
        victim = Victim(loop, agent).wait_connect("victim")
        victim.wait_ping()
        # No allocation is left that could have failed.
        if victim.left:
            break
        victim.close()
    note(f"{number - 1} allocations, {failed} of them failed")
    check(failed >= 3, "hardly any has failed")
    agent.close()
    loop.close()
    clean_up()
    same(stats()["memory"], 0, "memory in the end")


def test_storm(percent):
    """Clients of all versions, good ones and bad ones."""
    with failing(percent):
        tally = asyncio.run(rough.storm((HOST, PORT), f"failslab {percent}", range(WORKERS),
                                        time.monotonic() + SECONDS, strict=False))
    note(", ".join(f"{name} {count}" for name, count in sorted(tally.counts.items())))
    same(tally.faults, [], "faults")
    check(tally.counts["got Publish"] > 0, "hardly anything has happened")
    works()
    clean_up()
    # What has expired the broker forgets by itself, within a minute.
    wait_for(lambda: stats()["memory"] == 0, "memory to be given back", 2 * PATIENCE)


COMMANDS = (["stats"], ["broker", "set", "max-sessions", "5000"], ["listener"],
            ["listener", "add", "127.0.0.1:1884"], ["client"], ["session", "get", "one"],
            ["session"], ["subscription"], ["retained", "get", "kept/#", "payload-max", "1K"],
            ["retained", "del", "filter", "kept/0/#"], ["client", "kick", "one"],
            ["session", "del", "one"],
            ["user", "set", "one", "password", "hash", "$7$1$c2FsdA==$" + "A" * 86 + "=="],
            ["user"], ["ban", "add", "client", "two", "reason", "none"], ["ban"],
            ["broker", "set", "flapping-max", "1000"])


def test_netlink():
    """Each allocation of each request fails once."""
    failed = 0
    loop = Loop()
    publisher = client(loop, "pub")
    one = None
    for command in COMMANDS:
        for number in range(1, scaled(7, 4)):
            if one is None or one.closed or not stats()["retained"]:
                one = client(loop, "one", "x/#", clean=False)
                publisher.wait_publish("kept/0/1", b"x" * 3000, 1, retain=True)
            got = with_fault(number, CTL, "-j", *command)
            check(0 <= got.returncode < 5, f"{command}: status {got.returncode} {got.stderr}")
            if got.returncode:
                check("memory" in got.stderr, f"{command}: {got.stderr}")
                failed += 1
            if command[:2] == ["listener", "add"]:
                run(CTL, "listener", "del", command[2], check_status=False)
            if command[0] == "user":
                run(CTL, "user", "del", "all")
            if command[0] == "ban":
                run(CTL, "ban", "del", "client", "two", check_status=False)
            loop.turn(0)
    run(CTL, "broker", "set", "flapping-max", "0")
    note(f"{failed} requests have failed")
    check(failed > len(COMMANDS) // 2, "hardly any request has failed")
    loop.close()
    clean_up()
    same(len(ctl_json("listener")), 1, "listeners")
    same(stats()["memory"], 0, "memory in the end")


def decided(peers):
    """Have all been told, or lost their connection? TCP may lack the memory for a FIN, which it
    doesn't send later, either: the broker knows that such a connection has ended.
    """
    if all(peer.connack or peer.closed for peer in peers):
        return True
    with contextlib.suppress(OSError):
        now = stats()
        return now["passwords_waiting"] == 0 and now["connections"] == sum(
            bool(peer.connack and peer.connack.code == 0 and not peer.closed) for peer in peers)
    return False


def test_passwords(percent):
    """Who knows a password gets in or is told that it can't be; who doesn't never does."""
    run(CTL, "user", "set", "one", "password", "iterations", "20", input="secret\n")
    end, loop, codes = time.monotonic() + SECONDS, Loop(), {"secret": {}, "wrong": {}}
    with contextlib.closing(loop), failing(percent):
        while time.monotonic() < end:
            # Who is wrong is made to wait, so that comes from elsewhere.
            peers = [(word, Peer(loop, source=source).connect(f"p{i}", username="one",
                                                              password=word))
                     for i in range(10) for word, source in (("secret", HOST),
                                                             ("wrong", f"127.0.1.{i + 1}"))]
            loop.until(lambda p=peers: decided([peer for _, peer in p]),
                       "CONNACKs or the end of connections")
            for word, peer in peers:
                code = peer.connack.code if peer.connack else None
                codes[word][code] = codes[word].get(code, 0) + 1
                peer.close()
    note(f"codes of CONNACK: {codes}")
    check(codes["secret"].keys() <= {0, 3, None} and codes["secret"].get(0), "with the password")
    check(codes["wrong"].keys() <= {3, 4, None} and codes["wrong"].get(4), "with another one")
    wait_for(lambda: stats()["passwords_waiting"] == 0, "checks to end")
    run(CTL, "user", "del", "all")
    works()
    clean_up()
    same(stats()["memory"], 0, "memory in the end")


def test_monitored():
    """Events that can't be told of are lost, and nobody minds."""
    monitor = subprocess.Popen([CTL, "monitor"], stdout=subprocess.DEVNULL)
    try:
        load_ = Load("events")
        with failing(20):
            load_.run(5)
        load_.check()
    finally:
        monitor.kill()
        monitor.wait()
    clean_up()


def test_namespaces():
    """Each allocation of a new namespace's broker fails once.

    Many of them have another way to get memory; those that don't are the roots
    of the two trees and the registry, wherever they come among the others: some
    of those are pages for slabs, of which there may be enough already.
    """
    failed = []
    for number in range(1, 121):
        if len(failed) >= 3 and number > failed[-1] + 10:
            break
        got = with_fault(number, "unshare", "--net", "true")
        if got.returncode:
            check("memory" in got.stderr, got.stderr)
            failed.append(number)
    note(f"failed at allocations {failed}")
    check(len(failed) >= 3, "making a namespace has hardly ever failed")
    run("unshare", "--net", CTL, "stats")


def test_insert():
    """Allocations of the module's own beginning fail, every third of the first 150.

    Many have another way to get memory, the large buffers above all: a quarter of those that
    fail keep the module from being loaded. Which they are depends on what slabs have free.
    """
    restrict(*function_range("do_one_initcall"))
    failed = []
    for number in range(1, 151, 3):
        got = with_fault(number, "insmod", KO, "listen=127.0.0.1:1883")
        same(loaded(), got.returncode == 0, f"loaded after status {got.returncode}")
        if loaded():
            unload()
        else:
            failed.append(number)
    note(f"failed at allocations {failed}")
    check(len(failed) >= 3, "inserting it has hardly ever failed")


def main():
    restrict(0, 0)
    run_tests([("inserting it fails cleanly, allocation by allocation", test_insert)])
    if loaded():
        unload()
    load("listen=127.0.0.1:1883")
    restrict(*module_range())
    tests = [
        ("new namespaces fail cleanly, allocation by allocation", test_namespaces),
        ("requests over netlink fail cleanly, allocation by allocation", test_netlink),
        ("connections from an agent fail cleanly, allocation by allocation", test_adopt),
        ("what TLS keeps for want of memory comes later", test_stuck),
    ]
    for text, test, stock, debug in (
            ("under load", test_load, (1, 5, 10), (1, 10)),
            ("under load of streams", test_streams, (1, 10), (5,)),
            ("in a storm", test_storm, (1, 5), (5,)),
            ("while passwords are checked", test_passwords, (2, 20), (10,))):
        tests += [(f"{percent} % of allocations fail {text}", functools.partial(test, percent))
                  for percent in scaled(stock, debug)]
    tests.append(("events are told while allocations fail", test_monitored))
    run_tests(tests)
    restrict(0, 0)
    with point("afterwards everything works"):
        works()
        clean_up()
        same(stats()["memory"], 0, "memory in the end")
    with point("and the module unloads"):
        unload()
    finish()


main()
