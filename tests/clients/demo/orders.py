#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The Python service of the demo: orders.

    orders.py HOST PORT

It takes orders, and has the stock service, which is a Node program, reserve
what is ordered; when that asks for prices, it answers. All of it goes through
the broker, over MQTT 3.1. A Flask service would make one Bus beside its app,
start it, and call bus.request() in a view:

    @app.post("/orders")
    def order():
        return bus.request("stock", "reserve", flask.request.json)
"""

import concurrent.futures
import itertools
import json
import os
import sys
import threading

import paho.mqtt.client as mqtt

ROOT = os.environ.get("KMQTT_DEMO_ROOT") or "demo"
TIMEOUT = 20 * int(os.environ.get("KMQTT_TIMEOUT_SCALE") or 1)


class Bus:
    """Other services, as seen through the broker."""

    def __init__(self, service):
        self.service = service
        self.handlers = {}      # by topic
        self.waiting = {}       # futures, by the number of a request
        self.numbers = itertools.count(1)
        self.connected = threading.Event()
        self.client = mqtt.Client(f"{service}-{os.getpid()}",
                                  protocol=mqtt.MQTTv31)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self.connected.set()
        self.client.will_set(f"{ROOT}/status/{service}", '"offline"', 1, True)
        self.handler(f"{service}/answer")(self._take_answer)

    def start(self, host, port):
        self.client.connect(host, port)
        self.client.loop_start()
        if not self.connected.wait(TIMEOUT):
            raise TimeoutError("no answer from the broker")

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic, body, retain=False):
        payload = "" if body is None else json.dumps(body)
        return self.client.publish(f"{ROOT}/{topic}", payload, 1, retain)

    def handler(self, topic):
        """Decorator: call the function with every body sent to the topic."""
        def add(function):
            self.handlers[f"{ROOT}/{topic}"] = function
            return function
        return add

    def answers(self, method):
        """Decorator: the function answers the requests for a method."""
        def add(function):
            @self.handler(f"{self.service}/request/{method}")
            def _answer(request, _retained):
                self.publish(f"{request['from']}/answer",
                             {"number": request["number"],
                              "body": function(request["body"])})
            return function
        return add

    def request(self, service, method, body):
        """Ask another service, and wait for its answer. Not in a handler:
        those run in the thread that would receive the answer."""
        number = next(self.numbers)
        answer = self.waiting[number] = concurrent.futures.Future()
        self.publish(f"{service}/request/{method}",
                     {"from": self.service, "number": number, "body": body})
        try:
            return answer.result(TIMEOUT)
        finally:
            del self.waiting[number]

    def _take_answer(self, answer, _retained):
        self.waiting[answer["number"]].set_result(answer["body"])

    # Subscriptions are made here, so that they are made again when the
    # library has to connect again.
    def _on_connect(self, client, _data, _flags, code):
        if code == 0:
            client.subscribe([(topic, 1) for topic in self.handlers])

    def _on_message(self, _client, _data, message):
        if message.payload:
            self.handlers[message.topic](json.loads(message.payload),
                                         message.retain)


class Peer:
    """What the status topic of the other service says."""

    def __init__(self, bus, service):
        self.name = service
        self.state = None
        self.changed = threading.Condition()
        bus.handler(f"status/{service}")(self._take_state)

    def _take_state(self, state, retained):
        if state == "offline" and retained:
            return              # left by an earlier one
        with self.changed:
            self.state = state
            self.changed.notify_all()

    def wait(self, *states):
        with self.changed:
            self.changed.wait_for(
                lambda: self.state in states + ("offline",), TIMEOUT)
            if self.state not in states:
                raise TimeoutError(f"{self.name} is {self.state}")


def say(text):
    sys.stdout.write(f"orders (Python): {text}\n")
    sys.stdout.flush()


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    prices = {"apple": 30, "pear": 45, "plum": 20}
    changes = []
    bus = Bus("orders")
    stock = Peer(bus, "stock")

    @bus.answers("price")
    def price(item):
        say(f"stock asks for the price of {item}: {prices[item]}")
        return prices[item]

    @bus.handler("stock/changed")
    def stock_changed(change, _retained):
        say(f"heard that {change['left']} {change['item']} are left")
        changes.append(change)

    bus.start(host, port)
    bus.publish("status/orders", "online", retain=True)
    stock.wait("online", "finished")

    expected = [("apple", 4, True), ("pear", 5, False), ("apple", 6, True),
                ("plum", 1, True), ("apple", 1, False)]
    for item, quantity, possible in expected:
        say(f"asks stock to reserve {quantity} {item}")
        answer = bus.request("stock", "reserve",
                             {"item": item, "quantity": quantity})
        say(f"stock answers: {answer}")
        assert answer["reserved"] is possible, answer

    bus.publish("status/orders", "finished", retain=True)
    stock.wait("finished")
    assert len(changes) == 3, changes
    bus.publish("status/orders", None, retain=True).wait_for_publish(TIMEOUT)
    bus.stop()
    say("every request was answered")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"orders (Python): {error}")
