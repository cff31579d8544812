// SPDX-License-Identifier: GPL-2.0
//
// An MQTT.js client as a scenario wants it: every call is a promise, and one
// that the broker doesn't keep in time fails the scenario.
'use strict';

const assert = require('node:assert/strict');
const mqtt = require('mqtt');
const mqttPacket = require('mqtt-packet');

const PROTOCOLS = {
	'3.1': { protocolId: 'MQIsdp', protocolVersion: 3 },
	'3.1.1': { protocolId: 'MQTT', protocolVersion: 4 },
	'5.0': { protocolId: 'MQTT', protocolVersion: 5 },
};

const open = new Set();

class Peer {
	// target: { host, port, version, timeout (ms), keepalive (s) }
	constructor(target, options) {
		this.id = options.clientId;
		this.timeout = target.timeout;
		this.messages = [];
		this.connects = 0;
		this.losses = 0;
		this.unacknowledged = 0;
		this.last = {};		// the last packet of each type
		this.waiting = new Set();
		this.client = mqtt.connect({
			host: target.host,
			port: target.port,
			keepalive: target.keepalive,
			connectTimeout: target.timeout,
			reconnectPeriod: 0,
			...PROTOCOLS[target.version],
			...options,
		});
		this.client.on('packetreceive', (packet) => {
			this.last[packet.cmd] = packet;
			this.look();
		});
		this.client.on('connect', (connack) => {
			this.connects++;
			this.connack = connack.properties || {};
			this.sessionPresent = connack.sessionPresent;
			this.look();
		});
		this.client.on('close', () => {
			this.losses++;
			this.look();
		});
		this.client.on('error', (error) => {
			this.error = error;
			this.look();
		});
		this.client.on('message', (topic, payload, packet) => {
			this.messages.push({
				topic, payload,
				qos: packet.qos, retain: packet.retain,
				packet,
			});
			this.look();
		});
		open.add(this);
	}

	static start(target, clientId, options = {}) {
		return new Peer(target, { clientId, ...options });
	}

	static async connect(target, clientId, options = {}) {
		const peer = Peer.start(target, clientId, options);

		await peer.until('CONNACK', () => peer.connects > 0);
		return peer;
	}

	// Watch what comes from the broker, whether or not the library has
	// looked at it: returns an array that grows.
	wire() {
		const packets = [];
		const parser = mqttPacket.parser(this.client.options);

		parser.on('packet', (packet) => packets.push(packet));
		this.client.stream.on('data', (data) => {
			parser.parse(data);
			this.look();
		});
		return packets;
	}

	look() {
		for (const check of this.waiting)
			check();
	}

	// Resolves once condition() holds, which is looked at on every event.
	until(what, condition) {
		return new Promise((resolve, reject) => {
			const end = (settle, value) => {
				clearTimeout(timer);
				this.waiting.delete(check);
				settle(value);
			};
			const check = () => {
				if (condition())
					end(resolve);
				else if (this.error)
					end(reject, this.error);
			};
			const timer = setTimeout(() => end(reject, new Error(
				`${this.id}: no ${what} in ${this.timeout} ms`)),
				this.timeout);

			this.waiting.add(check);
			check();
		});
	}

	// Like until(), for a call of the library that takes a callback.
	async done(what, start) {
		let over = false;
		let failure = null;
		let result;

		start((error, value) => {
			over = true;
			failure = error;
			result = value;
			this.look();
		});
		await this.until(what, () => over);
		if (failure)
			throw failure;
		return result;
	}

	// Resolves to the QoS that was granted. options: nl, rap, rh, and
	// properties of the packet.
	async subscribe(filter, qos, options = {}) {
		const granted = await this.done('SUBACK', (callback) =>
			this.client.subscribe(filter, { qos, ...options },
				callback));

		return granted[0].qos;
	}

	unsubscribe(filter) {
		return this.done('UNSUBACK', (callback) =>
			this.client.unsubscribe(filter, callback));
	}

	// Resolves when the broker has acknowledged it (QoS 0: when sent). The
	// library doesn't heed the broker's receive maximum.
	async publish(topic, payload, qos, retain = false, properties = {}) {
		const most = this.connack.receiveMaximum || 65535;
		const turn = () => this.unacknowledged < most &&
			++this.unacknowledged;

		if (qos > 0)
			await this.until('turn', turn);
		await this.done('acknowledgement', (callback) =>
			this.client.publish(topic, payload,
				{ qos, retain, properties }, callback));
		if (qos > 0)
			this.unacknowledged--;
		this.look();
	}

	async next() {
		await this.until('message', () => this.messages.length > 0);
		return this.messages.shift();
	}

	// Fails unless the next message is exactly this one. Resolves to its
	// packet.
	async expect(topic, text, qos, retain = false) {
		const { packet, ...got } = await this.next();

		assert.deepEqual({ ...got, payload: got.payload.toString() },
			{ topic, payload: text, qos, retain });
		return packet;
	}

	lost() {
		return this.until('loss of the connection',
			() => this.losses > 0);
	}

	// End the connection with a DISCONNECT packet; options: reasonCode,
	// properties.
	async disconnect(options = {}) {
		await this.done('disconnection', (callback) =>
			this.client.end(false, options, callback));
		open.delete(this);
	}

	// End the connection without one: by FIN, or by RST.
	cut({ reset = false } = {}) {
		if (reset)
			this.client.stream.resetAndDestroy();
		else
			this.client.stream.destroy();
	}

	// Drop every client that a scenario has left.
	static dropAll() {
		for (const peer of open) {
			peer.client.on('error', () => {});
			peer.client.end(true);
		}
		open.clear();
	}
}

module.exports = { Peer };
