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
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

PROTOCOLS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}

# What a scenario compares messages by, except for the properties, a dictionary
# by the library's names; payload is bytes.
Message = collections.namedtuple("Message",
                                 "topic payload qos retain properties")

# Where the broker is, what is spoken, and how long it may take, in seconds.
Target = collections.namedtuple("Target",
                                "host port version timeout keepalive")


def properties_of(packet, values):
    """The library's properties from a dictionary, or None."""
    if not values:
        return None
    properties = Properties(packet)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def values_of(properties):
    """A dictionary from the library's properties, or from None."""
    if properties is None:
        return {}
    names = (name.replace(" ", "") for name in properties.names)
    return {name: getattr(properties, name) for name in names
            if hasattr(properties, name)}


def number_of(code):
    """MQTT 5 has objects for its reason codes."""
    return getattr(code, "value", code)


class Peer:
    """One client with a network thread of the library's own."""

    _open = set()

    # The properties of CONNECT and of the will are dictionaries; the will is
    # the arguments of will_set().
    def __init__(self, target, client_id, clean=True, will=None,
                 reconnect=False, properties=None, will_properties=None,
                 keepalive=None):
        self.client_id = client_id
        self.target = target
        self.reconnect = reconnect
        self.messages = collections.deque()
        self.connects = 0
        self.losses = 0
        self.session_present = None
        self.connack = {}       # its properties
        self.refused = None
        self.reason = None      # why the connection was lost
        self.granted = {}       # by the packet id of SUBSCRIBE
        self.unsubscribed = {}  # by the packet id of UNSUBSCRIBE
        self.published = set()  # packet ids
        self.changed = threading.Condition()

        v5 = target.version == "5.0"
        self.client = mqtt.Client(client_id, None if v5 else clean,
                                  protocol=PROTOCOLS[target.version])
        self.client.max_inflight_messages_set(0)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe
        self.client.on_unsubscribe = self._on_unsubscribe
        self.client.on_publish = self._on_publish
        if will:
            self.client.will_set(*will, properties=properties_of(
                PacketTypes.WILLMESSAGE, will_properties))
        Peer._open.add(self)

        options = {"clean_start": clean, "properties": properties_of(
            PacketTypes.CONNECT, properties)} if v5 else {}
        if keepalive is None:
            keepalive = target.keepalive
        self.client.connect(target.host, target.port, keepalive, **options)
        self.client.loop_start()
        self._until("CONNACK", lambda: self.connects)

    # MQTT 5 adds properties to the arguments of the callbacks.
    def _on_connect(self, client, _data, flags, code, properties=None):
        with self.changed:
            self.session_present = bool(flags["session present"])
            self.connack = values_of(properties)
            # The library doesn't heed it by itself; 0 is no limit.
            client.max_inflight_messages_set(
                self.connack.get("ReceiveMaximum", 0))
            if number_of(code):
                self.refused = code if properties else \
                    mqtt.connack_string(number_of(code))
                client.disconnect()
            else:
                self.connects += 1
            self.changed.notify_all()

    def _on_disconnect(self, client, _data, code, _properties=None):
        if number_of(code) and not self.reconnect:
            client.disconnect()     # else the library connects again
        with self.changed:
            self.losses += 1
            self.reason = number_of(code)
            self.changed.notify_all()

    def _on_message(self, _client, _data, message):
        with self.changed:
            self.messages.append(Message(
                message.topic, message.payload, message.qos,
                bool(message.retain),
                values_of(getattr(message, "properties", None))))
            self.changed.notify_all()

    def _on_subscribe(self, _client, _data, mid, granted, _properties=None):
        with self.changed:
            self.granted[mid] = [number_of(code) for code in granted]
            self.changed.notify_all()

    def _on_unsubscribe(self, _client, _data, mid, _properties=None,
                        code=None):
        with self.changed:
            self.unsubscribed[mid] = number_of(code)
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

    def subscribe(self, topic, qos, properties=None, **options):
        """Returns the QoS that was granted. MQTT 5 has options: noLocal,
        retainAsPublished, retainHandling."""
        if self.target.version == "5.0":
            code, mid = self.client.subscribe(
                topic, options=SubscribeOptions(qos, **options),
                properties=properties_of(PacketTypes.SUBSCRIBE, properties))
        else:
            code, mid = self.client.subscribe(topic, qos)
        assert code == mqtt.MQTT_ERR_SUCCESS, mqtt.error_string(code)
        self._until("SUBACK", lambda: mid in self.granted)
        return self.granted[mid][0]

    def unsubscribe(self, topic):
        """Returns the reason code, which only MQTT 5 has."""
        code, mid = self.client.unsubscribe(topic)
        assert code == mqtt.MQTT_ERR_SUCCESS, mqtt.error_string(code)
        self._until("UNSUBACK", lambda: mid in self.unsubscribed)
        return self.unsubscribed[mid]

    def send(self, topic, payload, qos, retain=False, properties=None):
        """Publish without waiting; drain() takes what this returns."""
        info = self.client.publish(topic, payload, qos, retain, properties_of(
            PacketTypes.PUBLISH, properties))
        assert info.rc == mqtt.MQTT_ERR_SUCCESS, mqtt.error_string(info.rc)
        return info.mid

    def drain(self, mids):
        mids = set(mids)
        self._until("acknowledgement", lambda: mids <= self.published)

    def publish(self, topic, payload, qos, retain=False, properties=None):
        """Publish, and wait until it is acknowledged (QoS 0: sent)."""
        self.drain([self.send(topic, payload, qos, retain, properties)])

    def next(self):
        self._until("message", lambda: self.messages)
        return self.messages.popleft()

    def expect(self, topic, text, qos, retain=False):
        """Fail unless the next message is exactly this one; returns its
        properties."""
        got = self.next()
        wanted = (topic, text.encode(), qos, retain)
        assert got[:4] == wanted, f"got {got}, expected {wanted}"
        return got.properties

    def lost(self):
        self._until("loss of the connection", lambda: self.losses)

    def disconnect(self, properties=None, reason=None):
        """End the connection with a DISCONNECT packet."""
        before = self.losses
        self.client.disconnect(
            reason and ReasonCodes(PacketTypes.DISCONNECT, reason),
            properties_of(PacketTypes.DISCONNECT, properties))
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
