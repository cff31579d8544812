// SPDX-License-Identifier: GPL-2.0
//
// Scenarios with MQTT.js.
//
//	node scenarios.js HOST PORT
//
// Prints a line "ok - ..." or "not ok - ..." for each scenario; ../run numbers
// them. KMQTT_TIMEOUT_SCALE, KMQTT_CLIENTS_BIG, KMQTT_CLIENTS_TAG,
// KMQTT_CLIENTS_VERSIONS and KMQTT_CTL are those of ../run.
'use strict';

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { Peer } = require('./peer');
const { Skip, SCENARIOS_5 } = require('./v5');

const MIB = 1024 * 1024;
const BURST = 1000;
const OFFLINE = 200;

// What a scenario is given: names of its own, and clients.
class Stage {
	constructor(target, base, idBase) {
		this.target = target;
		this.base = base;
		this.idBase = idBase;
	}

	get version() {
		return this.target.version;
	}

	// For intervals that the broker measures, in seconds: short, but a
	// client has to get some work done in it.
	get delay() {
		return this.target.scale < 4 ? 2 : 4;
	}

	topic(name) {
		return `${this.base}/${name}`;
	}

	connect(name, options) {
		return Peer.connect(this.target, `${this.idBase}-${name}`,
			options);
	}

	// Go on with the client's session, and keep it.
	resume(name, options = {}) {
		const properties = this.version === '5.0' ?
			{ sessionExpiryInterval: 3600, ...options.properties } :
			undefined;

		return this.connect(name,
			{ clean: false, ...options, properties });
	}

	// End the session that this client may have.
	async forget(name) {
		const peer = await this.connect(name);

		assert.equal(peer.sessionPresent, false);
		await peer.disconnect();
	}
}

async function disconnectAll(...peers) {
	await Promise.all(peers.map((peer) => peer.disconnect()));
}

async function everyQos(stage) {
	const a = await stage.connect('a');
	const b = await stage.connect('b');

	for (const qos of [0, 1, 2]) {
		assert.equal(await a.subscribe(stage.topic(`to-a/${qos}`), qos),
			qos);
		assert.equal(await b.subscribe(stage.topic(`to-b/${qos}`), qos),
			qos);
	}
	for (const pub of [0, 1, 2]) {
		for (const sub of [0, 1, 2]) {
			const text = `published ${pub} subscribed ${sub}`;
			const toA = stage.topic(`to-a/${sub}`);
			const toB = stage.topic(`to-b/${sub}`);

			await a.publish(toB, text, pub);
			await b.expect(toB, text, Math.min(pub, sub));
			await b.publish(toA, text, pub);
			await a.expect(toA, text, Math.min(pub, sub));
		}
	}
	await a.publish(stage.topic('to-b/2'), '', 2);
	await b.expect(stage.topic('to-b/2'), '', 2);
	await disconnectAll(a, b);
}

async function retained(stage) {
	const pub = await stage.connect('pub');
	const live = await stage.connect('live');
	const one = stage.topic('one');
	let late;

	await live.subscribe(stage.topic('#'), 1);
	await pub.publish(one, 'first', 1, true);
	await live.expect(one, 'first', 1, false);
	await pub.publish(one, 'second', 1, true);
	await live.expect(one, 'second', 1, false);

	late = await stage.connect('late');
	await late.subscribe(stage.topic('+'), 1);
	await late.expect(one, 'second', 1, true);
	await late.disconnect();

	await pub.publish(one, '', 1, true);
	await live.expect(one, '', 1, false);
	late = await stage.connect('late');
	await late.subscribe(stage.topic('+'), 1);
	await pub.publish(stage.topic('two'), 'marker', 1);
	await late.expect(stage.topic('two'), 'marker', 1, false);
	await disconnectAll(late, live, pub);
}

async function will(stage) {
	const watch = await stage.connect('watch');
	const kept = stage.topic('will/kept');
	const withWill = (name, topic, qos, retain) => stage.connect(name,
		{ will: { topic, payload: 'gone', qos, retain } });

	await watch.subscribe(stage.topic('will/#'), 2);
	const polite = await withWill('polite', stage.topic('will/none'), 1,
		false);

	await polite.disconnect();

	for (const qos of [0, 1, 2]) {
		for (const reset of [false, true]) {
			const topic = stage.topic(`will/${qos}/${reset}`);
			const peer = await withWill('dying', topic, qos, false);

			peer.cut({ reset });
			await watch.expect(topic, 'gone', qos, false);
		}
	}

	(await withWill('dying', kept, 1, true)).cut();
	await watch.expect(kept, 'gone', 1, false);
	const late = await stage.connect('late');

	await late.subscribe(kept, 1);
	await late.expect(kept, 'gone', 1, true);
	await late.publish(kept, '', 0, true);
	await watch.expect(kept, '', 0, false);
	await disconnectAll(watch, late);
}

async function offlineQueue(stage) {
	const pub = await stage.connect('pub');
	const next = { 1: 0, 2: 0 };
	const sent = [];
	let sub;

	await stage.forget('sub');
	sub = await stage.resume('sub');
	assert.equal(sub.sessionPresent, false);
	await sub.subscribe(stage.topic('queue/1'), 1);
	await sub.subscribe(stage.topic('queue/2'), 2);
	sub.cut();
	await sub.lost();

	for (let i = 0; i < OFFLINE; i++) {
		sent.push(pub.publish(stage.topic('queue/1'), `${i}`, 1));
		sent.push(pub.publish(stage.topic('queue/2'), `${i}`, 2));
	}
	await Promise.all(sent);

	sub = await stage.resume('sub');
	assert.equal(sub.sessionPresent, stage.version !== '3.1');
	for (let i = 0; i < 2 * OFFLINE; i++) {
		const got = await sub.next();

		assert.equal(got.topic, stage.topic(`queue/${got.qos}`));
		assert.equal(got.payload.toString(), `${next[got.qos]++}`);
	}
	await pub.publish(stage.topic('queue/2'), 'end', 2);
	await sub.expect(stage.topic('queue/2'), 'end', 2);
	await disconnectAll(sub, pub);
	await stage.forget('sub');
}

async function takeOver(stage) {
	const pub = await stage.connect('pub');
	const old = await stage.connect('same');

	await old.subscribe(stage.topic('#'), 1);
	await pub.publish(stage.topic('to'), 'old', 1);
	await old.expect(stage.topic('to'), 'old', 1);

	const fresh = await stage.connect('same');

	await old.lost();
	await fresh.subscribe(stage.topic('#'), 1);
	await pub.publish(stage.topic('to'), 'new', 1);
	await fresh.expect(stage.topic('to'), 'new', 1);
	assert.equal(old.messages.length, 0);
	await disconnectAll(fresh, pub);
}

async function payloadOf(stage, size, qos) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub');
	const payload = randomBytes(size);

	await sub.subscribe(stage.topic('payload'), qos);
	const [got] = await Promise.all([
		sub.next(),
		pub.publish(stage.topic('payload'), payload, qos),
	]);

	assert.equal(got.payload.length, size);
	assert.ok(payload.equals(got.payload), 'payload has changed');
	await disconnectAll(sub, pub);
}

async function oneMib(stage) {
	for (const qos of [0, 1, 2])
		await payloadOf(stage, MIB, qos);
}

async function hundredMib(stage) {
	await payloadOf(stage, 100 * MIB, stage.version === '3.1' ? 1 : 0);
}

// The plain reading of the specification.
function matches(filter, topic) {
	const levels = topic.split('/');

	for (const [i, level] of filter.split('/').entries()) {
		if (level === '#')
			return i <= levels.length;
		if (i >= levels.length)
			return false;
		if (level !== '+' && level !== levels[i])
			return false;
	}
	return filter.split('/').length === levels.length;
}

async function wildcards(stage) {
	const filters = ['#', 'red/#', '+/3/+', '+/+/state', 'green/7/set', '+',
		'blue/+/', '+/+/+', 'red/+', '+/12/#'];
	const end = stage.topic('end/of/all/topics');
	const pub = await stage.connect('pub');
	const topics = ['red'];

	for (const colour of ['red', 'green', 'blue'])
		for (let i = 0; i < 20; i++)
			for (const leaf of ['/state', '/set', '/', ''])
				topics.push(`${colour}/${i}${leaf}`);

	const subs = await Promise.all(filters.map((filter, i) =>
		stage.connect(`sub${i}`)));

	await Promise.all(subs.map(async (sub, i) => {
		await sub.subscribe(stage.topic(filters[i]), 1);
		await sub.subscribe(end, 1);
	}));
	await Promise.all(topics.map((topic) =>
		pub.publish(stage.topic(topic), topic, 1)));
	await pub.publish(end, 'end', 1);

	for (const [i, sub] of subs.entries()) {
		for (const topic of topics)
			if (matches(filters[i], topic))
				await sub.expect(stage.topic(topic), topic, 1);
		await sub.expect(end, 'end', 1);
	}
	await disconnectAll(pub, ...subs);
}

async function burst(stage, qos) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub');
	const topic = stage.topic('burst');
	const sent = [];

	await sub.subscribe(topic, qos);
	for (let i = 0; i < BURST; i++)
		sent.push(pub.publish(topic, `${i}`, qos));
	await Promise.all(sent);
	await pub.publish(topic, 'end', qos);
	for (let i = 0; i < BURST; i++)
		await sub.expect(topic, `${i}`, qos);
	await sub.expect(topic, 'end', qos);
	await disconnectAll(pub, sub);
}

async function unsubscribe(stage) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub');
	const drop = stage.topic('drop/it');
	const keep = stage.topic('keep');

	await sub.subscribe(keep, 1);
	await sub.subscribe(stage.topic('drop/#'), 1);
	await pub.publish(drop, 'before', 1);
	await sub.expect(drop, 'before', 1);
	await sub.unsubscribe(stage.topic('drop/#'));
	await sub.unsubscribe(stage.topic('never/subscribed'));
	await pub.publish(drop, 'after', 1);
	await pub.publish(keep, 'kept', 1);
	await sub.expect(keep, 'kept', 1);
	await disconnectAll(pub, sub);
}

// The library connects again by itself. The connection is cut while messages
// are on their way: none may be lost, and of QoS 2 none may come twice.
async function reconnect(stage) {
	const pub = await stage.connect('pub');
	const topic = (qos) => stage.topic(`news/${qos}`);
	const got = { 1: [], 2: [] };
	const sent = [];

	await stage.forget('sub');
	const sub = await stage.resume('sub', { reconnectPeriod: 10 });

	await sub.subscribe(topic(1), 1);
	await sub.subscribe(topic(2), 2);
	for (let i = 0; i < BURST; i++) {
		sent.push(pub.publish(topic(1), `${i}`, 1));
		sent.push(pub.publish(topic(2), `${i}`, 2));
	}
	while (!got[1].includes(BURST - 1) || !got[2].includes(BURST - 1)) {
		const message = await sub.next();

		got[message.qos].push(Number(message.payload.toString()));
		if (got[1].length + got[2].length === 100)
			sub.cut();
	}
	await Promise.all(sent);
	assert.ok(sub.connects > 1, 'the library has connected again');

	const all = Array.from({ length: BURST }, (_, i) => i);

	assert.deepEqual(got[2], all);
	assert.deepEqual([...new Set(got[1])], all);
	await disconnectAll(sub, pub);
	await stage.forget('sub');
}

const SCENARIOS = [
	['qos 0, 1 and 2 both ways', everyQos],
	['retained: set, get, replace, clear', retained],
	['will: sent after FIN and RST, not after DISCONNECT', will],
	['persistent session: offline queue of qos 1 and 2', offlineQueue],
	['take-over of a client id', takeOver],
	['payload of 1 MiB', oneMib],
	['payload of 100 MiB', hundredMib],
	['wildcards over many topics', wildcards],
	['burst of 1000, qos 0, in order', (stage) => burst(stage, 0)],
	['burst of 1000, qos 1, in order', (stage) => burst(stage, 1)],
	['burst of 1000, qos 2, in order', (stage) => burst(stage, 2)],
	['unsubscribe', unsubscribe],
	['reconnect by itself in a burst, none lost', reconnect],
];

async function play(name, scenario, stage) {
	try {
		await scenario(stage);
		console.log(`ok - ${name}`);
		return true;
	} catch (error) {
		if (error instanceof Skip) {
			console.log(`ok - ${name} # SKIP ${error.message}`);
			return true;
		}
		for (const line of `${error.stack}`.split('\n'))
			console.log(`# ${line}`);
		console.log(`not ok - ${name}`);
		return false;
	} finally {
		Peer.dropAll();
	}
}

async function main(host, port) {
	const scale = Number(process.env.KMQTT_TIMEOUT_SCALE || 1);
	const big = process.env.KMQTT_CLIENTS_BIG !== '0';
	const tag = process.env.KMQTT_CLIENTS_TAG || process.pid;
	const versions = process.env.KMQTT_CLIENTS_VERSIONS || '3.1 3.1.1 5.0';
	let failed = false;

	const plans = [
		['3.1', SCENARIOS],
		['3.1.1', SCENARIOS],
		['5.0', [...SCENARIOS, ...SCENARIOS_5]],
	];

	for (const [v, [version, scenarios]] of plans.entries()) {
		if (!versions.split(' ').includes(version))
			continue;
		for (const [i, [text, scenario]] of scenarios.entries()) {
			const isBig = scenario === hundredMib;
			const target = {
				host, port, version, scale,
				timeout: (isBig ? 120 : 20) * 1000 * scale,
				keepalive: Math.min(60 * scale, 65535),
			};
			const name = `${version}: ${text}`;
			const stage = new Stage(target,
				`${tag}/js/${version}/${i}`,
				`${tag}-j${v}-${i}`);

			if (isBig && !big)
				console.log(`ok - ${name} # SKIP KMQTT_CLIENTS_BIG=0`);
			else if (!await play(name, scenario, stage))
				failed = true;
		}
	}
	// What a failed scenario has left open must not keep us here.
	process.exit(failed ? 1 : 0);
}

// A publication that fails while its scenario waits for something else: the
// scenario fails by itself, and says more.
process.on('unhandledRejection', (error) => console.log(`# ${error}`));

if (process.argv.length !== 4) {
	console.error('usage: scenarios.js HOST PORT');
	process.exit(2);
}
main(process.argv[2], Number(process.argv[3]));
