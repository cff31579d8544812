# SPDX-License-Identifier: GPL-2.0
"""Brokers of several network namespaces; netns.sh has made left and right."""

import os
import time

from selftest import (
    PATIENCE, Child, Loop, Peer, check, client, ctl, ctl_json, finish, load, loaded, netns, note,
    point, run, same, scaled, stats, unload, wait_for, wait_idle,
)

LEFT4, LEFT6 = ("10.77.0.1", 1883), ("fd77::1", 1883)


def within(name, address=("127.0.0.1", 1883)):
    """A class of peers whose sockets are in that namespace."""
    class Within(Peer):
        def __init__(self, loop, **args):
            with netns(name):
                super().__init__(loop, address, **args)
    return Within


def listen():
    for name in ("left", "right"):
        ctl("listener", "add", "*:1883", "anonymous", "on", netns=name)


def test_isolation():
    loop = Loop()
    left = client(loop, "same", "#", cls=within("left"), clean=False)
    right = client(loop, "same", "#", cls=within("right"), clean=False)
    check(not left.closed, "the same client in another namespace is another one")
    publisher = client(loop, "publisher", cls=within("left"))
    publisher.wait_publish("to/left", b"1", retain=True)
    loop.until(lambda: left.messages, "the message on the left")
    right.wait_ping()
    same(right.messages, [], "messages on the right")
    late = client(loop, "late", "#", cls=within("right"))
    late.wait_ping()
    same(late.messages, [], "retained messages on the right")
    same(stats("left")["sessions"], 2, "sessions on the left")
    same(stats("left")["retained"], 1, "retained messages on the left")
    same(stats("right")["sessions"], 2, "sessions on the right")
    same(stats("right")["retained"], 0, "retained messages on the right")
    same(stats("before")["connections_total"], 0, "connections elsewhere")
    same([c["client_id"] for c in ctl_json("client", netns="right")], ["same", "late"],
         "clients on the right")
    loop.close()
    for name in ("left", "right"):
        ctl("session", "del", "same", netns=name)
        wait_idle(name)
    ctl("retained", "del", "all", netns="left")


def test_veth(address):
    loop = Loop()
    here = client(loop, "here", "x/#", qos=2, cls=within("left", address))
    there = client(loop, "there", "x/#", qos=2, cls=within("right", address))
    payload = os.urandom(300000)
    there.wait_publish("x/large", payload, 2)
    here.wait_publish("x/small", b"small", 1)
    for peer in (here, there):
        loop.until(lambda p=peer: len(p.messages) == 2, "both messages")
        same({t: p for t, p, *_ in peer.messages}, {"x/large": payload, "x/small": b"small"},
             "messages")
    hosts = {c["client_id"]: c["address"] for c in ctl_json("client", netns="left")}
    check("77" in hosts["there"] and "2" in hosts["there"], f"address of the peer: {hosts}")
    loop.close()
    wait_idle("left")


def chatter(cls, ready, number):
    """Publish and subscribe for as long as there is a broker."""
    loop = Loop()
    peers = [cls(loop).connect(f"chatter{number}-{i}", keepalive=0)
             for i in range(scaled(20, 8))]
    loop.until(lambda: all(p.connack or p.closed for p in peers), "CONNACKs")
    for i, peer in enumerate(peers):
        peer.subscribe(f"c/{i % 4}/#", qos=i % 3)
    while not all(p.closed for p in peers):
        for i, peer in enumerate(peers):
            if not peer.closed and peer.unsent < 100000:
                peer.publish(f"c/{i % 4}/{i}", bytes(i * 100), i % 3)
            peer.messages.clear()
        loop.turn(scaled(0, 0.02))
        if all(p.subacks or p.closed for p in peers):
            ready()


def loaded_children(cls, count):
    """Processes with connections that talk, once they do."""
    children, pipes = [], []
    for number in range(count):
        read, write = os.pipe()
        done = []

        def ready(fd=write, done=done):
            if not done:
                os.write(fd, b"x")
                done.append(True)

        children.append(Child(chatter, cls, ready, number))
        os.close(write)
        pipes.append(read)
    for pipe in pipes:
        same(os.read(pipe, 1), b"x", "what a busy child says")
        os.close(pipe)
    return children


def make(name, near, far, net):
    """A namespace with a broker, and a cable from it to here."""
    run("ip", "netns", "add", name)
    run("ip", "link", "add", near, "netns", name, "type", "veth", "peer", "name", far)
    run("ip", "-n", name, "link", "set", "lo", "up")
    run("ip", "-n", name, "link", "set", near, "up")
    run("ip", "link", "set", far, "up")
    run("ip", "-n", name, "addr", "add", f"{net}.1/24", "dev", near)
    run("ip", "addr", "add", f"{net}.2/24", "dev", far)
    ctl("listener", "add", "0.0.0.0:1883", "anonymous", "on", netns=name)


def wait_gone(device):
    # The other end of the cable goes after the namespace's broker has gone.
    wait_for(lambda: not os.path.exists(f"/sys/class/net/{device}"), "the namespace to be gone",
             2 * PATIENCE)


def test_delete_from_outside(rounds):
    """The clients are elsewhere, so that nothing but its name keeps the namespace."""
    for number in range(rounds):
        make("doomed", "near", "far", "10.78.0")
        children = loaded_children(type("Far", (Peer,), {
            "__init__": lambda self, loop: Peer.__init__(self, loop, ("10.78.0.1", 1883))}), 2)
        start = time.monotonic()
        run("ip", "netns", "del", "doomed")
        wait_gone("far")
        note(f"round {number}: gone after {time.monotonic() - start:.1f} s")
        # Nobody tells clients whose cable is gone.
        for child in children:
            child.kill()


def test_delete_from_inside(rounds):
    """The clients' sockets keep it, so that they end together."""
    for _ in range(rounds):
        make("doomed", "near", "far", "10.78.0")
        children = loaded_children(within("doomed"), 2)
        run("ip", "netns", "del", "doomed")
        for child in children:
            check(not child.done(), "clients go on until their namespace is gone")
            child.kill()
        wait_gone("far")


def test_unload_under_load():
    children = loaded_children(within("left"), 1) + loaded_children(within("right", LEFT6), 1)
    make("doomed", "near", "far", "10.78.0")
    children += loaded_children(within("doomed"), 1)
    run("ip", "netns", "del", "doomed")
    os.kill(children[-1].pid, 9)
    unload()
    check(not loaded(), "the module is gone")
    for child in children[:-1]:
        same(child.wait(), 0, "status of a child whose connections were closed")
    wait_gone("far")
    load()
    same(stats("left")["sessions"], 0, "sessions on the left")


def main():
    with point("listeners on all addresses in two namespaces"):
        listen()
    with point("clients, sessions and retained messages are those of their namespace"):
        test_isolation()
    with point("clients in both namespaces, by IPv4 over a cable"):
        test_veth(LEFT4)
    with point("clients in both namespaces, by IPv6 over a cable"):
        test_veth(LEFT6)
    with point("a namespace goes while clients outside of it talk to its broker"):
        test_delete_from_outside(scaled(4, 2))
    with point("a namespace goes while clients inside of it talk to its broker"):
        test_delete_from_inside(scaled(4, 2))
    with point("the module goes while three namespaces are busy, one of them dying"):
        test_unload_under_load()
    finish()


main()
