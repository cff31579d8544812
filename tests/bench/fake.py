# SPDX-License-Identifier: GPL-2.0
"""A broker with one fault: kmqtt-bench has to find it. It knows MQTT 5 and QoS 0
only, and takes all subscribers for those of the one publisher."""

import contextlib
import socket
import struct
import threading

CONNACK = bytes((0x20, 3, 0, 0, 0))
REFUSED = bytes((0x20, 3, 0, 0x87, 0))
PUBLISH = 3
# The message that something happens to.
NUMBER = 50


class Fake:
    """A fault is one of lose, repeat, swap, close, disconnect, stall, refuse, deny
    and none."""

    def __init__(self, fault):
        self.fault = fault
        self.count = 0
        self.held = b""
        self.subscribers = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def close(self):
        self.listener.close()

    def serve(self, peer):
        stream = peer.makefile("rb")
        try:
            while (first := stream.read(1)):
                size, shift, head = 0, 0, first
                while True:
                    byte = stream.read(1)
                    head += byte
                    size |= (byte[0] & 0x7F) << shift
                    shift += 7
                    if byte[0] < 0x80:
                        break
                self.packet(peer, head, stream.read(size))
        except (OSError, IndexError):
            pass
        peer.close()

    def packet(self, peer, head, body):
        kind = head[0] >> 4
        if kind == 1:
            peer.sendall(REFUSED if self.fault == "refuse" else CONNACK)
        elif kind == 8:
            code = 0x87 if self.fault == "deny" else 0
            self.subscribers.append(peer)
            peer.sendall(bytes((0x90, 4)) + body[:2] + bytes((0, code)))
        elif kind == PUBLISH:
            for packet in self.faulty(head + body):
                for subscriber in self.subscribers:
                    with contextlib.suppress(OSError):
                        subscriber.sendall(packet)

    def faulty(self, packet):
        """What becomes of a packet."""
        self.count += 1
        held, self.held = self.held, b""
        if self.count == NUMBER:
            if self.fault == "lose":
                return []
            if self.fault == "repeat":
                return [packet, packet]
            if self.fault == "swap":
                self.held = packet
                return []
            if self.fault == "close":
                self.subscribers[0].shutdown(socket.SHUT_RDWR)
            if self.fault == "disconnect":
                return [struct.pack("BBBB", 0xE0, 2, 0x8B, 0)]
        if self.count >= NUMBER and self.fault == "stall":
            return []
        return [packet, held] if held else [packet]
