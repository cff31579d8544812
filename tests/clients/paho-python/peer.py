# SPDX-License-Identifier: GPL-2.0
"""A Paho client as a scenario wants it: every call waits for the broker's
answer, and one that isn't given in time fails the scenario."""

import collections
import socket
import struct
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PROTOCOLS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}

# What a scenario compares messages by; payload is bytes.
Message = collections.namedtuple("Message", "topic payload qos retain")

# Where the broker is, what is spoken, and how long it may take, in seconds.
Target = collections.namedtuple("Target",
                                "host port version timeout keepalive")


def properties(packet, **values):
    """Properties of that type of packet; None if there are none."""
    if not values:
        return None
    made = Properties(getattr(PacketTypes, packet))
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Peer:
    """One client with a network thread of the library's own."""

    _open = set()

    def __init__(self, target, client_id, clean=True, will=None,
                 reconnect=False, **connect):
        self.client_id = client_id
        self.target = target
        self.reconnect = reconnect
        self.is_5 = target.version == "5.0"
        self.messages = collections.deque()
        self.properties = collections.deque()   # of each of those messages
        self.connack = None
        self.goodbye = None     # why the connection has ended
        self.connects = 0
        self.losses = 0
        self.session_present = None
        self.refused = None
        self.last_properties = None
        self.granted = {}       # by the packet id of SUBSCRIBE
        self.unsubscribed = set()
        self.published = set()  # packet ids
        self.changed = threading.Condition()

        self.client = mqtt.Client(client_id, None if self.is_5 else clean,
                                  protocol=PROTOCOLS[target.version])
        # The library doesn't heed the broker's receive maximum.
        self.client.max_inflight_messages_set(20 if self.is_5 else 0)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe
        self.client.on_unsubscribe = self._on_unsubscribe
        self.client.on_publish = self._on_publish
        if will:
            self.client.will_set(*will)
        Peer._open.add(self)

        if self.is_5:
            self.client.connect(target.host, target.port, target.keepalive,
                                clean_start=clean,
                                properties=properties("CONNECT", **connect))
        else:
            self.client.connect(target.host, target.port, target.keepalive)
        self.client.loop_start()
        self._until("CONNACK", lambda: self.connects)

    # With MQTT 5 codes are objects, and properties come after them.

    def _on_connect(self, _client, _data, flags, code, connack=None):
        with self.changed:
            self.session_present = bool(flags["session present"])
            self.connack = connack
            if code != 0:
                self.refused = f"refused: {code}"
            else:
                self.connects += 1
            self.changed.notify_all()

    def _on_disconnect(self, client, _data, code, *_):
        if code != 0 and not self.reconnect:
            client.disconnect()     # else the library connects again
        with self.changed:
            self.goodbye = self.goodbye or code
            self.losses += 1
            self.changed.notify_all()

    def _on_message(self, _client, _data, message):
        with self.changed:
            self.messages.append(Message(message.topic, message.payload,
                                         message.qos, bool(message.retain)))
            self.properties.append(getattr(message, "properties", None))
            self.changed.notify_all()

    def _on_subscribe(self, _client, _data, mid, granted, *_):
        with self.changed:
            self.granted[mid] = granted
            self.changed.notify_all()

    def _on_unsubscribe(self, _client, _data, mid, *_):
        with self.changed:
            self.unsubscribed.add(mid)
            self.changed.notify_all()

    def _on_publish(self, _client, _data, mid):
        with self.changed:
            self.published.add(mid)
            self.changed.notify_all()

    def _until(self, what, condition):
        with self.changed:
            if not self.changed.wait_for(lambda: condition() or self.refused,
                                         self.target.timeout):
                raise TimeoutError(f"{self.client_id}: no {what} in "
                                   f"{self.target.timeout} s")
            if not condition():
                raise ConnectionError(f"{self.client_id}: {self.refused}")

    def subscribe(self, topic, qos, options=None, **values):
        """Returns the QoS that was granted. With options, those of MQTT 5
        that have the QoS in them."""
        if self.is_5:
            code, mid = self.client.subscribe(
                topic, 0 if options else qos, options,
                properties("SUBSCRIBE", **values))
        else:
            code, mid = self.client.subscribe(topic, qos)
        assert code == mqtt.MQTT_ERR_SUCCESS, mqtt.error_string(code)
        self._until("SUBACK", lambda: mid in self.granted)
        return self.granted[mid][0]

    def unsubscribe(self, topic):
        code, mid = self.client.unsubscribe(topic)
        assert code == mqtt.MQTT_ERR_SUCCESS, mqtt.error_string(code)
        self._until("UNSUBACK", lambda: mid in self.unsubscribed)

    def send(self, topic, payload, qos, retain=False, **values):
        """Publish without waiting; drain() takes what this returns."""
        info = self.client.publish(topic, payload, qos, retain,
                                   properties("PUBLISH", **values))
        assert info.rc == mqtt.MQTT_ERR_SUCCESS, mqtt.error_string(info.rc)
        return info.mid

    def drain(self, mids):
        mids = set(mids)
        self._until("acknowledgement", lambda: mids <= self.published)

    def publish(self, topic, payload, qos, retain=False, **values):
        """Publish, and wait until it is acknowledged (QoS 0: sent)."""
        self.drain([self.send(topic, payload, qos, retain, **values)])

    def next(self):
        self._until("message", lambda: self.messages)
        self.last_properties = self.properties.popleft()
        return self.messages.popleft()

    def expect(self, topic, text, qos, retain=False):
        """Fail unless the next message is exactly this one. Returns its
        properties."""
        got = self.next()
        wanted = Message(topic, text.encode(), qos, retain)
        assert got == wanted, f"got {got}, expected {wanted}"
        return self.last_properties

    def lost(self):
        self._until("loss of the connection", lambda: self.losses)

    def disconnect(self, reason=None, **values):
        """End the connection with a DISCONNECT packet."""
        before = self.losses
        self.client.disconnect(reason, properties("DISCONNECT", **values))
        self._until("disconnection", lambda: self.losses > before)
        self.client.loop_stop()
        Peer._open.discard(self)

    def cut(self, reset=False):
        """End the connection without one: by FIN, or by RST."""
        sock = self.client.socket()
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            sock.shutdown(socket.SHUT_RD)
        else:
            sock.shutdown(socket.SHUT_RDWR)

    @classmethod
    def drop_all(cls):
        """Drop every client that a scenario has left."""
        for peer in list(cls._open):
            peer.reconnect = False
            peer.client.disconnect()
        for peer in list(cls._open):
            peer.client.loop_stop()
        cls._open.clear()
