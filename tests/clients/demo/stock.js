// SPDX-License-Identifier: GPL-2.0
//
// The Node service of the demo: stock.
//
//	node stock.js HOST PORT
//
// It reserves what the orders service, which is a Python program, asks for,
// tells everybody what is left, and asks the orders service for prices. All of
// it goes through the broker, over MQTT 3.1.
'use strict';

const assert = require('node:assert/strict');
const mqtt = require('mqtt');

const ROOT = process.env.KMQTT_DEMO_ROOT || 'demo';
const TIMEOUT = 20000 * Number(process.env.KMQTT_TIMEOUT_SCALE || 1);

function within(promise, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no ${what}`)),
			TIMEOUT);
	});

	return Promise.race([promise, late])
		.finally(() => clearTimeout(timer));
}

// Other services, as seen through the broker.
class Bus {
	constructor(service) {
		this.service = service;
		this.handlers = new Map();	// by topic
		this.waiting = new Map();	// by the number of a request
		this.number = 0;
		this.handler(`${service}/answer`, (answer) => {
			this.waiting.get(answer.number)(answer.body);
			this.waiting.delete(answer.number);
		});
	}

	async start(host, port) {
		this.client = mqtt.connect({
			host, port,
			protocolId: 'MQIsdp',
			protocolVersion: 3,
			clientId: `${this.service}-${process.pid}`,
			connectTimeout: TIMEOUT,
			will: {
				topic: `${ROOT}/status/${this.service}`,
				payload: '"offline"', qos: 1, retain: true,
			},
		});
		this.client.on('message', (topic, payload, packet) => {
			if (payload.length)
				this.handlers.get(topic)(JSON.parse(payload),
					packet.retain);
		});
		// The library subscribes again when it has to connect again.
		await within(this.client.subscribeAsync(
			[...this.handlers.keys()], { qos: 1 }),
			'answer from the broker');
	}

	stop() {
		return this.client.endAsync();
	}

	publish(topic, body, retain = false) {
		const payload = body === null ? '' : JSON.stringify(body);

		return this.client.publishAsync(`${ROOT}/${topic}`, payload,
			{ qos: 1, retain });
	}

	// Call a function with every body that is sent to a topic.
	handler(topic, handle) {
		this.handlers.set(`${ROOT}/${topic}`, handle);
	}

	// Have a function answer the requests for a method.
	answers(method, answer) {
		this.handler(`${this.service}/request/${method}`,
			async (request) => this.publish(
				`${request.from}/answer`, {
					number: request.number,
					body: await answer(request.body),
				}));
	}

	// Ask another service, and wait for its answer.
	async request(service, method, body) {
		const number = ++this.number;
		const answer = new Promise((resolve) =>
			this.waiting.set(number, resolve));

		await this.publish(`${service}/request/${method}`,
			{ from: this.service, number, body });
		return within(answer, `answer to ${service}.${method}`);
	}
}

// What the status topic of the other service says.
class Peer {
	constructor(bus, service) {
		this.state = null;
		this.changed = () => {};
		bus.handler(`status/${service}`, (state, retained) => {
			if (state === 'offline' && retained)
				return;		// left by an earlier one
			if (state === 'offline')
				throw new Error(`${service} has gone`);
			this.state = state;
			this.changed();
		});
	}

	async wait(...states) {
		while (!states.includes(this.state))
			await within(new Promise((resolve) => {
				this.changed = resolve;
			}), `change to ${states.join(' or ')}`);
	}
}

function say(text) {
	console.log(`stock (Node):    ${text}`);
}

async function main(host, port) {
	const stock = { apple: 10, pear: 3, plum: 1 };
	const bus = new Bus('stock');
	const orders = new Peer(bus, 'orders');

	bus.answers('reserve', async ({ item, quantity }) => {
		const reserved = stock[item] >= quantity;

		if (reserved) {
			stock[item] -= quantity;
			await bus.publish('stock/changed',
				{ item, left: stock[item] });
		}
		say(`${reserved ? 'reserves' : 'has no'} ${quantity} ${item}`);
		return { reserved, left: stock[item] };
	});

	await bus.start(host, port);
	await bus.publish('status/stock', 'online', true);
	await orders.wait('online', 'finished');

	let sum = 0;

	for (const item of Object.keys(stock)) {
		say(`asks orders for the price of ${item}`);
		const price = await bus.request('orders', 'price', item);

		say(`orders answers: ${price}`);
		sum += price;
	}
	assert.equal(sum, 95);

	await bus.publish('status/stock', 'finished', true);
	await orders.wait('finished');
	assert.deepEqual(stock, { apple: 0, pear: 3, plum: 0 });
	await bus.publish('status/stock', null, true);
	await bus.stop();
	say('every request was answered');
}

main(process.argv[2], Number(process.argv[3])).catch((error) => {
	console.error(`stock (Node):    ${error.message}`);
	process.exit(1);
});
