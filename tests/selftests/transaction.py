# SPDX-License-Identifier: GPL-2.0
"""A new configuration over netlink: all of it or nothing, and nobody is cut off."""

import errno
import os
import select
import socket

from selftest import (
    PATIENCE, Child, Generic, Loop, Peer, broker_set, check, client, ctl, ctl_json, finish, load,
    note, point, same, scaled, unload, wait_for, wait_idle,
)

LOOPBACK = socket.inet_aton("127.0.0.1")
ALL = bytes(4)


class Config(Generic):
    """A socket that tells a configuration."""

    def __enter__(self):
        self.act("config", "begin")
        return self

    def __exit__(self, *_):
        self.sock.close()

    def act(self, noun, verb, **attributes):
        self.command(noun, verb, self.ACK, **attributes)

    def listen(self, port, address=LOOPBACK, **terms):
        self.act("listener", "add", addr4=address, port=(port, 2), **terms)

    def commit(self):
        return self.command("config", "commit")


class Lasting(Peer):
    """Must not be disconnected."""

    def on_close(self, why):
        raise AssertionError(f"a client was disconnected: {why}")


class Publisher(Lasting):
    """Counts messages of QoS 1, and what acknowledges them."""

    sent = confirmed = 0

    def next(self):
        self.publish(self.topic, b"%d" % self.sent, 1)
        self.sent += 1

    def on_ack(self, kind, id):
        self.confirmed += 1


class Subscriber(Lasting):
    """Has to get the messages of each publisher once and in order."""

    def __init__(self, *args, **kw):
        self.counts = {}
        super().__init__(*args, **kw)

    def count(self, topic):
        return self.counts.get(topic, 0)

    def on_message(self, topic, payload, qos, flags):
        same((int(payload), qos), (self.count(topic), 1), f"number and QoS of a message to {topic}")
        self.counts[topic] = int(payload) + 1


class Traffic:
    """with Traffic(): clients of a process of their own send each other messages of QoS 1 all the
    time. None of them is disconnected by what happens meanwhile, and no message is lost.
    """

    PUBLISHERS, SUBSCRIBERS = 4, 3
    # Messages that a publisher is ahead of the slowest subscriber: no queue gets full.
    AHEAD = 20

    def __init__(self, **args):
        self.args = args
        self.connections = None

    def __enter__(self):
        # It goes on for as long as one end is held.
        self.end, self.hold = os.pipe()
        self.child = Child(self.run)
        os.close(self.end)
        wait_for(lambda: len(connected()) == self.PUBLISHERS + self.SUBSCRIBERS or
                 self.child.done(), "all clients of the load")
        self.connections = connected()
        return self

    def __exit__(self, kind, *_):
        try:
            if not kind:
                same(connected(), self.connections, "connections after the load")
                os.close(self.hold)
                # It loses its own patience first, and tells with what.
                same(self.child.wait(2 * PATIENCE), 0, "status of the load")
                wait_for(lambda: not connected(), "the clients of the load to go")
        finally:
            self.child.kill()

    def run(self):
        os.close(self.hold)
        loop = Loop()
        subs = [client(loop, f"sub{i}", "load/#", qos=1, cls=Subscriber, **self.args)
                for i in range(self.SUBSCRIBERS)]
        pubs = [client(loop, f"pub{i}", cls=Publisher, **self.args)
                for i in range(self.PUBLISHERS)]
        for i, pub in enumerate(pubs):
            pub.topic = f"load/{i}"
        while not select.select([self.end], [], [], 0)[0]:
            for pub in pubs:
                if pub.sent < min(sub.count(pub.topic) for sub in subs) + self.AHEAD:
                    pub.next()
            loop.turn()
        loop.until(lambda: all(pub.confirmed >= pub.sent for pub in pubs) and
                   all(sub.count(pub.topic) >= pub.sent for sub in subs for pub in pubs),
                   "all messages, and that they are acknowledged")
        # As many and no more.
        for pub in pubs:
            pub.wait_ping()
            same([pub.confirmed, *(sub.count(pub.topic) for sub in subs)],
                 [pub.sent] * (1 + len(subs)), f"acknowledged and received of {pub.topic}")
        note(f"{sum(pub.sent for pub in pubs)} messages meanwhile")
        loop.close()


def connected():
    """{client identifier: number of its connection}"""
    return {row["client_id"]: row["connection"] for row in ctl_json("client")
            if "client_id" in row}


def refused(code, fn, *args, **kw):
    try:
        fn(*args, **kw)
    except OSError as error:
        same(error.errno, code, f"errno of {fn.__name__} {args} {kw}")
    else:
        check(False, f"{fn.__name__} {args} {kw} was not refused")


def listeners():
    """{address: id}"""
    return {row["address"] + ":" + str(row["port"]) if "port" in row else row["address"]: row["id"]
            for row in ctl_json("listener")}


def user_keys(name, **more):
    return dict(name=name, method=0, iterations=4096, salt=b"salt", stored_key=bytes(32),
                server_key=bytes(32), **more)


def users():
    return [row["name"] for row in ctl_json("user") if not row.get("realm")]


def test_replace():
    """What is told is there afterwards, and nothing else."""
    ctl("listener", "add", "127.0.0.1:1999")
    broker_set("max-sessions", 77)
    broker_set("response-information", "old")
    with Config() as config:
        config.listen(1883)
        config.act("broker", "set", max_retained=55)
        config.act("user", "set", **user_keys(b"one"))
        same(config.commit(), {"listeners_opened": 1, "listeners_closed": 1, "listeners_kept": 0,
                               "clients_closed": 0}, "result")
    same(list(listeners()), ["127.0.0.1:1883"], "listeners")
    same(users(), ["one"], "users")
    broker = ctl_json("broker")
    same(broker["max_retained"], 55, "a setting that was told")
    same(broker["max_sessions"], 100000, "a setting that was not")
    check("response_information" not in broker, "a text that was not told")


def test_keep():
    """A listener that stays keeps its socket, its number and its clients."""
    with Config() as config:
        config.listen(1883)
        config.commit()
    before = listeners()
    loop = Loop()
    client(loop, "stays", "a/b")
    with Config() as config:
        config.listen(1883, anonymous=(1, 1), max_qos=(1, 1))
        config.listen(1884)
        got = config.commit()
    same((got["listeners_kept"], got["listeners_opened"], got["clients_closed"]), (1, 1, 0),
         "kept, opened, clients closed")
    now = listeners()
    same(now["127.0.0.1:1883"], before["127.0.0.1:1883"], "number of the listener")
    row = next(r for r in ctl_json("listener") if r["id"] == now["127.0.0.1:1883"])
    same((row["max_qos"], row["connections"]), (1, 1), "terms and connections")
    # Its clients stay even when it goes, as long as they have no realm of their own.
    with Config() as config:
        config.listen(1884)
        same(config.commit()["clients_closed"], 0, "clients closed")
    same([c["client_id"] for c in ctl_json("client")], ["stays"], "clients")
    loop.close()


def test_overlap():
    """All addresses instead of one, and back, without a moment without a listener."""
    for address in (LOOPBACK, ALL, LOOPBACK):
        with Config() as config:
            config.listen(1883, address, anonymous=(1, 1))
            same(config.commit()["listeners_opened"], 1, "opened")
        same(len(listeners()), 1, "listeners")
        loop = Loop()
        client(loop, "comes")
        loop.close()


def test_atomic():
    """What can't be put in force changes nothing."""
    with Config() as config:
        config.listen(1883)
        config.act("user", "set", **user_keys(b"one"))
        config.commit()
    before = ctl_json("broker"), listeners(), users()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 1990))
        taken.listen()
        with Config() as config:
            config.listen(1884)
            config.act("broker", "set", max_sessions=5)
            config.act("user", "set", **user_keys(b"two"))
            config.listen(1990)
            refused(errno.EADDRINUSE, config.commit)
            # It is gone: there is nothing to commit any more.
            refused(errno.ENOENT, config.commit)
    same((ctl_json("broker"), listeners(), users()), before, "what is in force")
    # A listener that goes makes room for its own successor, not for others.
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", 1883))
        taken.listen()
        with Config() as config:
            config.listen(1883, socket.inet_aton("127.0.0.2"))
            refused(errno.EADDRINUSE, config.commit)
    same(listeners(), before[1], "listeners")
    refused(errno.ECONNREFUSED, socket.create_connection, ("127.0.0.1", 1884), 5)


def test_wrong():
    """Each command says what is wrong, and the rest of the configuration goes on."""
    with Config() as config:
        refused(errno.EBUSY, config.act, "config", "begin")
        refused(errno.EBUSY, Config().act, "config", "begin")
        refused(errno.ENOENT, Config().act, "config", "commit")
        refused(errno.ENOENT, Config().act, "realm", "set", number=1)
        refused(errno.EINVAL, config.listen, 0)
        refused(errno.ENOENT, config.listen, 1883, realm=7)
        refused(errno.ENOENT, config.act, "user", "set", **user_keys(b"x", realm=7))
        refused(errno.EINVAL, config.act, "user", "set", name=b"\xff")
        config.act("realm", "set", number=7, authenticate=(1, 1))
        config.listen(1883, realm=7)
        refused(errno.EEXIST, config.listen, 1883)
        refused(errno.EEXIST, config.listen, 1883, ALL)
        refused(errno.EOPNOTSUPP, config.act, "user", "del", all=b"")
        refused(errno.EOPNOTSUPP, config.act, "listener", "del", id=1)
        config.act("user", "set", **user_keys(b"x", realm=7))
        config.commit()
    same(list(listeners()), ["127.0.0.1:1883"], "listeners")
    same(users(), [], "users of the default realm")
    refused(errno.EOPNOTSUPP, Config().act, "listener", "add", addr4=LOOPBACK, port=(1999, 2),
            realm=7)
    refused(errno.EOPNOTSUPP, Config().act, "user", "set", **user_keys(b"x", realm=7))


def test_closed():
    """A socket that is closed takes its configuration with it."""
    with Config() as config:
        config.listen(1885)
        refused(errno.EBUSY, Config().act, "config", "begin")
    with Config() as config:
        config.commit()
    same(listeners(), {}, "listeners of an empty configuration")


def test_own_realm():
    """Who had a realm of its own doesn't stay when listener and realm go."""
    loop = Loop()
    with Config() as config:
        config.act("realm", "set", number=3)
        config.listen(1883, realm=3)
        config.commit()
    client(loop, "own")
    with Config() as config:
        config.act("realm", "set", number=3)
        config.listen(1883, realm=3)
        same(config.commit()["clients_closed"], 0, "closed while the listener stays")
    with Config() as config:
        same(config.commit()["clients_closed"], 1, "closed with the listener")
    wait_for(lambda: not ctl_json("client"), "the client to be gone")
    loop.close()


def test_many(rounds):
    """Configurations come and go under load; nobody notices."""
    with Config() as config:
        config.listen(1883)
        config.commit()
    with Traffic():
        for i in range(rounds):
            with Config() as config:
                config.listen(1883)
                config.act("broker", "set", max_inflight=10 + i % 10)
                if i % 2:
                    config.listen(1884)
                    config.act("user", "set", **user_keys(b"x%d" % i))
                got = config.commit()
                same((got["clients_closed"], got["listeners_kept"]), (0, 1), "closed, kept")


def test_unload():
    """The module goes although a socket is telling a configuration."""
    config = Config()
    config.act("config", "begin")
    config.act("user", "set", **user_keys(b"one"))
    config.listen(1883)
    unload()
    config.sock.close()
    load()


def main():
    rounds = scaled(1000, 100)
    for text, test in (
            ("what is told takes the place of what was", test_replace),
            ("listeners that stay keep their sockets and clients", test_keep),
            ("listeners on all addresses and on one replace each other", test_overlap),
            ("all or nothing", test_atomic),
            ("what is wrong is refused", test_wrong),
            ("it ends with its socket", test_closed),
            ("clients go with their listener's own realm", test_own_realm),
            (f"{rounds} configurations under load", lambda: test_many(rounds)),
            ("unloading ends one that is being told", test_unload)):
        with point(text):
            test()
            with Config() as config:
                config.commit()
            wait_idle()
    finish()


if __name__ == "__main__":
    main()
