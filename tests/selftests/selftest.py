# SPDX-License-Identifier: GPL-2.0
"""What the selftests in Python share: points, conditions to wait for, and
clients in any number that one loop looks after.

A point is a line of KTAP; `run` numbers them. What explains a failed point
stands in front of it.
"""

import contextlib
import ctypes
import errno
import functools
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time
import traceback

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(TOP, "tests/conformance"))

import mqtt     # noqa: E402

KERNEL = os.environ.get("KMQTT_KERNEL", "stock")
DEBUG = KERNEL == "debug"
KO = os.environ.get("KMQTT_KO") or f"{TOP}/build/{KERNEL}/kmqtt/kmqtt.ko"
CTL = os.environ.get("KMQTT_CTL") or f"{TOP}/build/tools/kmqttctl"
HOST, PORT = "127.0.0.1", 1883
# How long a condition may take. Only a test that fails takes so long.
PATIENCE = 120 if DEBUG else 60


def scaled(stock, debug):
    """The number for this kernel."""
    return debug if DEBUG else stock


# ---------------------------------------------------------------- points

_failed = 0


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def skip(text, why):
    print(f"ok - {text} # SKIP {why}", flush=True)


class Skip(Exception):
    """A point can't be tested here."""


class point:
    """with point("text"): passes if nothing is raised within."""

    def __init__(self, text):
        self.text = text

    def __enter__(self):
        self.start = time.monotonic()
        return self

    def __exit__(self, kind, err, trace):
        global _failed
        took = time.monotonic() - self.start
        if kind is None:
            if took >= 3:
                note(f"took {took:.0f} s")
            print(f"ok - {self.text}", flush=True)
        elif issubclass(kind, Skip):
            skip(self.text, err)
        elif issubclass(kind, Exception):
            note("".join(traceback.format_exception(kind, err, trace)))
            note(f"after {took:.1f} s")
            print(f"not ok - {self.text}", flush=True)
            _failed += 1
        else:
            return False
        return True


def finish():
    sys.exit(1 if _failed else 0)


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, should be {want!r}")


def wait_for(condition, what, patience=None):
    """Until condition() is true; its value."""
    end = time.monotonic() + (patience or PATIENCE)
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.02)
    return value


# -------------------------------------------------- the module and its tool

def run(*args, check_status=True, **kw):
    got = subprocess.run(args, capture_output=True, text=True, check=False, **kw)
    if check_status and got.returncode:
        raise AssertionError(f"{' '.join(args)}: status {got.returncode}: "
                             f"{got.stderr.strip()}")
    return got


def load(*params):
    """A broker that tells nothing by itself: what is counted is the test's."""
    run("insmod", KO, "sys_interval=0", *params)


def loaded():
    return os.path.exists("/sys/module/kmqtt")


def unload(patience=None):
    """rmmod, which may hang for good if something is wrong."""
    child = subprocess.Popen(["rmmod", "kmqtt"], stderr=subprocess.PIPE)
    try:
        wait_for(lambda: child.poll() is not None, "rmmod to come back",
                 patience or 2 * PATIENCE)
    except TimeoutError:
        with contextlib.suppress(OSError), open("/proc/sysrq-trigger", "w") as trigger:
            trigger.write("w")
        raise
    same(child.returncode, 0, f"status of rmmod ({child.stderr.read()})")


def ctl(*args, netns=None, status=0, **kw):
    """What kmqttctl prints."""
    where = ["-n", netns] if netns else []
    got = run(CTL, *where, *args, check_status=False, **kw)
    if got.returncode != status:
        raise AssertionError(f"kmqttctl {' '.join(args)}: status "
                             f"{got.returncode}: {got.stderr.strip()}")
    return got.stdout if not status else got.stderr


def ctl_json(*args, **kw):
    return json.loads(ctl("-j", *args, **kw))


class Generic:
    """Just enough generic netlink to ask for the statistics often, and for what
    the tool wouldn't ask."""

    GETFAMILY, CTRL, FAMILY_ID, FAMILY_NAME = 3, 16, 1, 2
    SOL_NETLINK, CAP_ACK, EXT_ACK, ACK_TEXT = 270, 10, 11, 1

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.settimeout(PATIENCE)
        self.sock.bind((0, 0))
        for option in (self.CAP_ACK, self.EXT_ACK):
            self.sock.setsockopt(self.SOL_NETLINK, option, 1)
        reply = self.ask(self.CTRL, self.GETFAMILY,
                         struct.pack("=HH6sxx", 10, self.FAMILY_NAME, b"kmqtt\0"))
        self.family = int.from_bytes(reply[self.FAMILY_ID], sys.byteorder)
        with open(f"{TOP}/include/uapi/linux/kmqtt.h") as header:
            names = re.findall(r"^\t(KMQTT_(?:A|CMD)_\w+)( = 1)?,", header.read(), re.M)
        self.names, number = {}, 0
        for name, first in names:
            number = 1 if first else number + 1
            self.names[name] = number
        self.stats = {number: name.removeprefix("KMQTT_A_STATS_").lower()
                      for name, number in self.names.items() if "_A_STATS_" in name}

    ACK = 4

    def ask(self, kind, command, attributes=b"", flags=0):
        """The attributes of the answer; with ACK there are none."""
        self.sock.send(struct.pack("=IHHIIBBH", 20 + len(attributes), kind, 1 | flags, 1, 0,
                                   command, 1, 0) + attributes)
        data = self.sock.recv(1 << 16)
        if int.from_bytes(data[4:6], sys.byteorder) == 2:
            code = -int.from_bytes(data[16:20], sys.byteorder, signed=True)
            if not code:
                return {}
            # Behind the head of the error stands that of what was asked.
            text = self.attributes(data, 36).get(self.ACK_TEXT, b"").decode().rstrip("\0")
            raise OSError(code, text or os.strerror(code))
        return self.attributes(data, 20)

    @staticmethod
    def attributes(data, pos):
        found = {}
        while pos < len(data):
            size, attr = struct.unpack_from("=HH", data, pos)
            found[attr] = data[pos + 4:pos + size]
            pos += size + 3 & ~3
        return found

    def command(self, noun, verb, flags=0, of=None, **attributes):
        """command("user", "set", name=b"x", realm=1); numbers are of 4 bytes, or (value, bytes).
        Attributes are those of another noun if there is `of`."""
        of = of or noun
        data = b""
        for name, value in attributes.items():
            if isinstance(value, int):
                value = (value, 4)
            if isinstance(value, tuple):
                value = value[0].to_bytes(value[1], sys.byteorder)
            number = self.names[f"KMQTT_A_{of}_{name}".upper()]
            data += struct.pack("=HH", 4 + len(value), number) + value + bytes(-len(value) % 4)
        reply = self.ask(self.family, self.names[f"KMQTT_CMD_{noun}_{verb}".upper()], data, flags)
        names = {number: name for name, number in self.names.items()
                 if name.startswith(f"KMQTT_A_{of}_".upper())}
        start = len(f"KMQTT_A_{of}_")
        return {names[attr][start:].lower(): int.from_bytes(value, sys.byteorder)
                for attr, value in reply.items()}

    def read(self):
        reply = self.ask(self.family, self.names["KMQTT_CMD_STATS_GET"])
        return {self.stats[attr]: int.from_bytes(value, sys.byteorder)
                for attr, value in reply.items() if attr in self.stats}


def stats(where=None):
    """As kmqttctl -j stats has them, but without a process."""
    if where:
        with netns(where):
            generic = Generic()
    else:
        generic = Generic()
    with generic.sock:
        return generic.read()


def broker_set(*args, netns=None):
    ctl("broker", "set", *map(str, args), netns=netns)


class settings:
    """with settings(max_sessions=3): for a while."""

    def __init__(self, **values):
        self.new = values
        self.old = {}

    def __enter__(self):
        before = ctl_json("broker")
        self.old = {name: before[name] for name in self.new}
        self.put(self.new)

    def __exit__(self, *_):
        self.put(self.old)

    @staticmethod
    def put(values):
        args = []
        for name, value in values.items():
            if isinstance(value, bool):
                value = "on" if value else "off"
            args += [name.replace("_", "-"), str(value)]
        broker_set(*args)


def forget(ids):
    """End sessions, which a clean session of the same client does."""
    loop = Loop()
    for first in range(0, len(ids), 100):
        peers = [Peer(loop).connect(id) for id in ids[first:first + 100]]
        for peer in peers:
            peer.disconnect()
        loop.until(lambda p=peers: all(peer.closed for peer in p), "sessions to be cleaned")
    loop.close()


def wait_idle(where=None, sessions=0, patience=None):
    """Until all connections, and all sessions but so many, are gone."""
    def idle():
        now = stats(where)
        return now if now["connections"] == 0 and now["sessions"] == sessions else None
    return wait_for(idle, "connections and sessions to end", patience)


def run_tests(tests, after=lambda: None):
    """A point for each (text, function), but for texts without KMQTT_ONLY in them; then after(),
    even if the function has failed."""
    only = os.environ.get("KMQTT_ONLY", "")
    for text, test in tests:
        if only in text:
            with point(text):
                try:
                    test()
                finally:
                    after()


def run_with_loops(tests, after=None):
    """The same with functions of a loop. They leave nothing behind."""
    def play(test):
        loop = Loop()
        try:
            test(loop)
        finally:
            loop.close()
            (after or clean_up)()
        same(stats()["memory"], 0, "memory in the end")

    run_tests([(text, functools.partial(play, test)) for text, test in tests])


def clean_up():
    """Nothing of one test, even if it has failed, is there for the next."""
    wait_for(lambda: stats()["connections"] == 0, "connections to end")
    if stats()["sessions"]:
        forget([s["client_id"] for s in ctl_json("session")])
    wait_idle()
    # Not before: the end of a session may publish a will that is retained.
    if stats()["retained"]:
        ctl("retained", "del", "all")


def meminfo():
    """In KiB."""
    with open("/proc/meminfo") as file:
        return {line.split(":")[0]: int(line.split()[1]) for line in file}


# ------------------------------------------------------------- namespaces

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class netns:
    """with netns("name"): sockets made within are of that namespace."""

    def __init__(self, name):
        self.path = f"/run/netns/{name}"

    def __enter__(self):
        self.old = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.enter(os.open(self.path, os.O_RDONLY))

    def __exit__(self, *_):
        self.enter(self.old)

    @staticmethod
    def enter(fd):
        try:
            if _libc.setns(fd, CLONE_NEWNET):
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
        finally:
            os.close(fd)


# ---------------------------------------------------------------- clients

class Loop:
    """Looks after peers until something has happened."""

    def __init__(self):
        self.epoll = select.epoll()
        self.peers = {}
        self.lazy = set()       # with something left to do though no event comes

    def turn(self, timeout=0.1):
        for peer in list(self.lazy):
            peer.work()
        for fd, events in self.epoll.poll(0 if self.lazy else timeout):
            peer = self.peers.get(fd)
            if peer is None:
                continue
            if events & select.EPOLLOUT:
                peer.writable()
            if events & ~select.EPOLLOUT and not peer.closed:
                peer.readable()

    def until(self, condition, what, patience=None):
        end = time.monotonic() + (patience or PATIENCE)
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"waited in vain for {what}")
            self.turn()
        return value

    def close(self):
        for peer in list(self.peers.values()):
            peer.close()
        self.epoll.close()


def family_of(address):
    if isinstance(address, str):
        return socket.AF_UNIX
    if isinstance(address[0], int):
        return socket.AF_VSOCK
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


class Peer:
    """A connection that never blocks. It acknowledges by itself.

    Subclasses override on_connack(code, present), on_message(topic, payload,
    qos, flags), on_suback(id, codes), on_ack(kind, id), on_close(why).
    """

    auto_ack = True
    level = 4
    connected = False       # by prepare()

    def __init__(self, loop, address=(HOST, PORT), *, source=None, rcvbuf=None,
                 sndbuf=None):
        self.loop = loop
        self.closed = None          # why, once it is
        self.connack = None
        self.messages = []
        self.subacks = {}
        self.acked = set()
        self.pongs = 0
        self.next_id = 0
        self.paused = False
        self.chunk = 1 << 18        # bytes of a read
        self._in = bytearray()
        self._out = bytearray()
        family = family_of(address)
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if sndbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
        if family in (socket.AF_INET, socket.AF_INET6):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.prepare(address)
        self.sock.setblocking(False)
        self._events = select.EPOLLIN
        if source:
            self.sock.bind((source, 0))
        code = 0 if self.connected else self.sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            self.sock.close()
            self.closed = os.strerror(code)
            return
        self.fd = self.sock.fileno()
        loop.peers[self.fd] = self
        loop.epoll.register(self.fd, self._events)
        if code:
            self._watch(True)

    # ------------------------------------------------------------ bytes

    def prepare(self, address):
        """What is to be done with the socket before MQTT."""

    def wrap(self, data):
        """What is sent for MQTT's bytes."""
        return data

    def read(self):
        """MQTT's bytes that have come; None if there are none yet, b"" at the end."""
        return self.sock.recv(self.chunk)

    def _watch(self, write=None, read=None):
        events = self._events
        if write is not None:
            events = events | select.EPOLLOUT if write else events & ~select.EPOLLOUT
        if read is not None:
            events = events | select.EPOLLIN if read else events & ~select.EPOLLIN
        if events != self._events:
            self._events = events
            self.loop.epoll.modify(self.fd, events)

    def send(self, data):
        self.send_raw(self.wrap(data))

    def send_raw(self, data):
        if self.closed:
            return
        if not self._out and not self._events & select.EPOLLOUT:
            try:
                data = data[self.sock.send(data):]
            except BlockingIOError:
                pass
            except OSError as err:
                self.lost(err)
                return
        if data:
            self._out += data
            self._watch(True)

    @property
    def unsent(self):
        return len(self._out)

    def writable(self):
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.lost(OSError(code, os.strerror(code)))
            return
        try:
            while self._out:
                # A copy of all of it at each send would be quadratic.
                with memoryview(self._out) as view:
                    sent = self.sock.send(view[:1 << 18])
                del self._out[:sent]
        except BlockingIOError:
            return
        except OSError as err:
            self.lost(err)
            return
        self._watch(False)
        self.on_writable()

    def readable(self):
        if self.paused:
            return
        try:
            data = self.read()
        except BlockingIOError:
            return
        except OSError as err:
            self.lost(err)
            return
        if data is None:
            return
        if not data:
            self.lost("closed by the broker")
            return
        self._in += data
        self._parse()

    def work(self):
        """For those in loop.lazy."""

    def pause(self, paused=True):
        self.paused = paused
        self._watch(read=not paused)

    def _parse(self):
        data, pos = self._in, 0
        while len(data) - pos >= 2:
            if data[pos] == mqtt.PINGRESP << 4:
                pos = self._pings(data, pos)
                continue
            length = shift = 0
            at = pos + 1
            while at < len(data):
                byte = data[at]
                at += 1
                length |= (byte & 0x7f) << shift
                shift += 7
                if byte < 0x80:
                    break
            else:
                break
            if shift > 28:
                raise mqtt.ProtocolError("remaining length of more than four bytes")
            if len(data) - at < length:
                break
            first, body = data[pos], bytes(data[at:at + length])
            pos = at + length
            self._packet(first, body)
            if self.closed:
                return
        if pos:
            del data[:pos]

    def _pings(self, data, pos):
        """There may be millions of PINGRESP in a row."""
        rest = bytes(data[pos:])
        count = max(1, (len(rest) - len(rest.lstrip(b"\xd0\0"))) // 2)
        if not rest.startswith(b"\xd0\0" * count):
            raise mqtt.ProtocolError(f"malformed PINGRESP: {rest[:16]!r}")
        self.pongs += count
        return pos + 2 * count

    def _packet(self, first, body):
        kind = first >> 4
        if kind == mqtt.PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            topic, qos, id = body[2:end].decode(), first >> 1 & 3, None
            if qos:
                id = int.from_bytes(body[end:end + 2], "big")
                end += 2
            self.on_message(topic, body[end:], qos, first)
            if qos and self.auto_ack:
                self.send(mqtt.ack(mqtt.PUBACK if qos == 1 else mqtt.PUBREC, id))
            return
        got = mqtt.decode(first, body, self.level)
        if kind == mqtt.PUBREL:
            if self.auto_ack:
                self.send(mqtt.ack(mqtt.PUBCOMP, got.id))
        elif kind == mqtt.PUBREC:
            if self.auto_ack:
                self.send(mqtt.ack(mqtt.PUBREL, got.id))
        elif kind in (mqtt.PUBACK, mqtt.PUBCOMP):
            self.acked.add(got.id)
            self.on_ack(kind, got.id)
        elif kind == mqtt.SUBACK:
            self.subacks[got.id] = got.codes
            self.on_suback(got.id, got.codes)
        elif kind == mqtt.CONNACK:
            self.connack = got
            self.on_connack(got.code, got.session_present)

    # ----------------------------------------------------------- events

    def on_connack(self, code, present):
        pass

    def on_message(self, topic, payload, qos, flags):
        self.messages.append((topic, payload, qos, flags))

    def on_suback(self, id, codes):
        pass

    def on_ack(self, kind, id):
        pass

    def on_writable(self):
        pass

    def on_close(self, why):
        pass

    # ---------------------------------------------------------- actions

    def lost(self, why):
        self.close()
        self.closed = str(why)
        self.on_close(self.closed)

    def close(self, reset=False):
        """Without DISCONNECT, by FIN or RST."""
        if self.closed:
            return
        self.closed = "by us"
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        self.loop.peers.pop(self.fd, None)
        self.loop.lazy.discard(self)
        self.loop.epoll.unregister(self.fd)
        self.sock.close()

    def id(self):
        self.next_id = self.next_id % 65535 + 1
        return self.next_id

    def connect(self, client_id, **args):
        self.send(mqtt.connect(client_id, **args))
        return self

    def subscribe(self, *filters, qos=0):
        id = self.id()
        self.send(mqtt.subscribe(id, *((f, qos) for f in filters)))
        return id

    def publish(self, topic, payload=b"", qos=0, **args):
        id = self.id() if qos else None
        self.send(mqtt.publish(topic, payload, qos, id, **args))
        return id

    def ping(self):
        self.send(mqtt.pingreq())

    def disconnect(self):
        self.send(mqtt.disconnect())

    # -------------------------------------- and those that wait for the end

    def wait_connect(self, client_id, code=0, **args):
        self.connect(client_id, **args)
        self.loop.until(lambda: self.connack or self.closed, "CONNACK")
        if not self.connack:
            raise ConnectionError(f"no CONNACK: {self.closed}")
        same(self.connack.code, code, "return code of CONNACK")
        return self

    def wait_subscribe(self, *filters, qos=0):
        id = self.subscribe(*filters, qos=qos)
        self.loop.until(lambda: id in self.subacks or self.closed, "SUBACK")
        if id not in self.subacks:
            raise ConnectionError(f"no SUBACK: {self.closed}")
        return self.subacks[id]

    def wait_publish(self, topic, payload=b"", qos=1, **args):
        id = self.publish(topic, payload, qos, **args)
        if not qos:
            self.wait_ping()
            return
        self.loop.until(lambda: id in self.acked or self.closed, "PUBACK")
        if id not in self.acked:
            raise ConnectionError(f"no PUBACK: {self.closed}")
        self.acked.discard(id)

    def wait_ping(self):
        want = self.pongs + 1
        self.ping()
        self.loop.until(lambda: self.pongs >= want or self.closed, "PINGRESP")
        if self.pongs < want:
            raise ConnectionError(f"no PINGRESP: {self.closed}")

    def wait_closed(self, patience=None):
        self.loop.until(lambda: self.closed, "the broker to close the connection",
                        patience)


def receive(sock):
    """A packet from a blocking socket; an error if the connection has ended."""
    def more(count):
        data = b""
        while len(data) < count:
            part = sock.recv(count - len(data))
            check(part, "the broker has closed the connection")
            data += part
        return data

    first, length = more(1)[0], 0
    for shift in range(0, 28, 7):
        byte = more(1)[0]
        length |= (byte & 0x7f) << shift
        if not byte & 0x80:
            break
    return mqtt.decode(first, more(length), 5)


def client(loop, client_id, *filters, qos=0, cls=Peer, peer_args=None, **args):
    """A client that is connected and subscribed."""
    peer = cls(loop, **(peer_args or {})).wait_connect(client_id, **args)
    if filters:
        codes = peer.wait_subscribe(*filters, qos=qos)
        same(codes, [qos] * len(filters), "return codes of SUBACK")
    return peer


# --------------------------------------------------------------- children

class Child:
    """A function in a process of its own."""

    def __init__(self, function, *args):
        sys.stdout.flush()
        self.status = None
        self.pid = os.fork()
        if self.pid:
            return
        code = 1
        try:
            function(*args)
            code = 0
        except BaseException:       # pylint: disable=broad-except
            note(traceback.format_exc())
        finally:
            sys.stdout.flush()
            os._exit(code)

    def done(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self, patience=None):
        wait_for(self.done, "a child to end", patience)
        return self.status

    def kill(self):
        if not self.done():
            os.kill(self.pid, 9)
        return self.wait()
