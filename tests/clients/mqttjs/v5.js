// SPDX-License-Identifier: GPL-2.0
//
// What only MQTT 5 has: scenarios for scenarios.js.
'use strict';

const assert = require('node:assert/strict');
const { execFile, execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const { promisify } = require('node:util');
const { Peer } = require('./peer');

// A scenario throws this if it can't be played here.
class Skip extends Error {}

async function kmqttctl(...args) {
	const ctl = process.env.KMQTT_CTL || 'kmqttctl';

	return (await promisify(execFile)(ctl, args)).stdout;
}

// Resolves to the broker's settings, or to null if kmqttctl reaches none.
function settingsOfBroker() {
	return kmqttctl('-j', 'broker').then(JSON.parse, () => null);
}

// What is behind this only kmqtt can do, or need do.
async function onlyKmqtt(reason = 'kmqttctl reaches no broker') {
	const settings = await settingsOfBroker();

	if (!settings)
		throw new Skip(reason);
	return settings;
}

// Play with other settings of the broker, and put them back.
async function withSettings(settings, scenario) {
	const old = await onlyKmqtt();
	const words = { true: 'on', false: 'off', undefined: '' };
	const set = async (values) => {
		for (const [name, value] of Object.entries(values))
			await kmqttctl('broker', 'set', name,
				words[value] ?? `${value}`);
	};

	try {
		await set(settings);
		await scenario();
	} finally {
		await set(Object.fromEntries(Object.keys(settings).map((name) =>
			[name, old[name.replaceAll('-', '_')]])));
	}
}

async function disconnectAll(...peers) {
	await Promise.all(peers.map((peer) => peer.disconnect()));
}

// Publish a message without anything to it, so that whatever the broker has
// sent before must have come before it.
async function marker(pub, sub, topic) {
	await pub.publish(topic, 'marker', 1);
	await sub.expect(topic, 'marker', 1);
}

async function sessionExpiry(stage) {
	const watch = await stage.connect('watch');
	const expiry = (seconds) => ({
		clean: false,
		properties: { sessionExpiryInterval: seconds },
	});
	const again = async (present, seconds) => {
		const peer = await stage.connect('sub', expiry(seconds));

		assert.equal(peer.sessionPresent, present);
		return peer;
	};
	let peer = await stage.connect('sub', { ...expiry(3600), clean: true });

	assert.equal(peer.sessionPresent, false);
	peer.cut();
	await peer.lost();
	peer = await again(true, 0);
	await peer.disconnect();
	peer = await again(false, 3600);

	// Changed by DISCONNECT: now, and later.
	await peer.disconnect({ properties: { sessionExpiryInterval: 0 } });
	peer = await again(false, 1);
	await peer.disconnect({ properties: { sessionExpiryInterval: 3600 } });
	peer = await again(true, 3600);

	// Soon: a will that is due later comes when the session ends.
	await peer.disconnect({ properties: { sessionExpiryInterval: 0 } });
	await watch.subscribe(stage.topic('will'), 1);
	peer = await stage.connect('sub', {
		...expiry(3600),
		will: {
			topic: stage.topic('will'), payload: 'ended', qos: 1,
			properties: { willDelayInterval: 3600 },
		},
	});
	await peer.disconnect({
		reasonCode: 4, properties: { sessionExpiryInterval: 1 },
	});
	await watch.expect(stage.topic('will'), 'ended', 1);
	peer = await again(false, 3600);

	// Clean start.
	await peer.disconnect();
	await stage.forget('sub');
	await watch.disconnect();
}

// Without an interval in CONNECT there may be none in DISCONNECT.
async function sessionExpiryFromNothing(stage) {
	const peer = await stage.connect('sub', { clean: false });

	peer.client.stream.setNoDelay();
	peer.client._sendPacket({
		cmd: 'disconnect',
		properties: { sessionExpiryInterval: 10 },
	});
	await peer.lost();
	assert.equal(peer.last.disconnect.reasonCode, 130);
	const again = await stage.connect('sub', { clean: false });

	assert.equal(again.sessionPresent, false);
	await again.disconnect();
}

async function messageExpiry(stage) {
	const pub = await stage.connect('pub');
	const topic = stage.topic('t');
	const short = stage.topic('short');
	const patience = stage.target.timeout / 1000;
	const expiring = (seconds) => ({ messageExpiryInterval: seconds });
	let sub = await stage.resume('sub');
	let rest;

	await sub.subscribe(topic, 1);
	await pub.publish(topic, 'at once', 1, false, expiring(1000));
	rest = (await sub.expect(topic, 'at once', 1)).properties
		.messageExpiryInterval;
	assert.ok(rest <= 1000 && rest >= 1000 - patience, `${rest}`);

	await sub.disconnect();
	const start = Date.now();

	await pub.publish(topic, 'gone', 1, false, expiring(1));
	await pub.publish(topic, 'old', 1, false, expiring(1000));
	await pub.publish(topic, 'ageless', 1);

	// When this retained message is gone, 'gone' is gone for long.
	await pub.publish(short, 'gone later', 1, true, expiring(2));
	await pub.subscribe(stage.topic('end'), 1);
	for (let kept = true; kept;) {
		await pub.subscribe(short, 1);
		await pub.publish(stage.topic('end'), '', 1);
		kept = (await pub.next()).topic === short;
		if (kept)
			await pub.expect(stage.topic('end'), '', 1);
		assert.ok(Date.now() - start < stage.target.timeout,
			'the retained message does not expire');
	}

	sub = await stage.resume('sub');
	rest = (await sub.expect(topic, 'old', 1)).properties
		.messageExpiryInterval;
	const age = Math.ceil((Date.now() - start) / 1000);

	assert.ok(rest <= 999 && rest >= 1000 - age - 1,
		`${rest} s are left after ${age} s`);
	const ageless = await sub.expect(topic, 'ageless', 1);

	assert.equal(ageless.properties?.messageExpiryInterval, undefined);
	await disconnectAll(pub, sub);
	await stage.forget('sub');
}

async function willDelay(stage) {
	const { delay } = stage;
	const topic = stage.topic('will');
	const watch = await stage.connect('watch');
	const dying = (name, payload, properties) => stage.resume(name, {
		will: {
			topic, payload, qos: 1,
			properties: { willDelayInterval: delay, ...properties },
		},
	});

	await watch.subscribe(topic, 1);

	// Who comes back in time isn't dead, even when a later one is.
	(await dying('back', 'not gone')).cut();
	const back = await stage.resume('back');

	assert.equal(back.sessionPresent, true);

	const start = Date.now();
	const peer = await dying('dying', 'gone', {
		contentType: 'text/plain',
		payloadFormatIndicator: true,
		responseTopic: 'answer',
		correlationData: Buffer.from([0, 255]),
		userProperties: { why: 'test' },
		messageExpiryInterval: 1000,
	});
	peer.cut();
	const will = await watch.expect(topic, 'gone', 1);

	assert.ok(Date.now() - start >= delay * 1000 - 500, 'too early');
	assert.equal(will.properties.contentType, 'text/plain');
	assert.equal(will.properties.payloadFormatIndicator, true);
	assert.equal(will.properties.responseTopic, 'answer');
	assert.deepEqual(will.properties.correlationData,
		Buffer.from([0, 255]));
	assert.deepEqual({ ...will.properties.userProperties },
		{ why: 'test' });
	assert.ok(will.properties.messageExpiryInterval <= 1000);
	assert.equal(will.properties.willDelayInterval, undefined);
	await disconnectAll(watch, back);
	await stage.forget('back');
	await stage.forget('dying');
}

// The session's end is the delay's end.
async function willAtSessionEnd(stage) {
	const topic = stage.topic('will');
	const watch = await stage.connect('watch');
	const dying = (properties) => stage.connect('dying', {
		properties,
		will: {
			topic, payload: 'gone', qos: 1,
			properties: { willDelayInterval: 3600 },
		},
	});

	await watch.subscribe(topic, 1);
	(await dying({ sessionExpiryInterval: 1 })).cut();
	await watch.expect(topic, 'gone', 1);

	const peer = await stage.connect('leaving', {
		will: { topic, payload: 'left', qos: 1 },
	});

	await peer.disconnect({ reasonCode: 4 });
	await watch.expect(topic, 'left', 1);

	await onlyKmqtt('mosquitto 2.0 sends no other of these wills');
	(await dying()).cut();
	await watch.expect(topic, 'gone', 1);

	(await dying({ sessionExpiryInterval: 3600 })).cut();
	const fresh = await stage.connect('dying');

	await watch.expect(topic, 'gone', 1);
	await disconnectAll(fresh, watch);
}

async function requestResponse(stage) {
	const asking = await stage.connect('asking');
	const answering = await stage.connect('answering');
	const request = stage.topic('request');
	const response = stage.topic('response/ä/1');
	const ids = [Buffer.from([0]), Buffer.alloc(4000, 0xfe)];

	await answering.subscribe(request, 1);
	await asking.subscribe(response, 1);
	for (const correlationData of ids)
		await asking.publish(request, 'question', 1, false,
			{ responseTopic: response, correlationData });
	for (const id of ids) {
		const { properties } = await answering.expect(request,
			'question', 1);

		assert.equal(properties.responseTopic, response);
		await answering.publish(properties.responseTopic, 'answer', 1,
			false, { correlationData: properties.correlationData });
		const answer = await asking.expect(response, 'answer', 1);

		assert.ok(id.equals(answer.properties.correlationData));
	}
	await disconnectAll(asking, answering);
}

async function properties(stage) {
	const pub = await stage.connect('pub');
	const live = await stage.connect('live');
	const topic = stage.topic('t');
	const sent = {
		contentType: 'application/ünï; x=1',
		payloadFormatIndicator: true,
		userProperties: {
			z: ['3', '1', '2', '1'], a: '', '': 'nameless', ö: '♥',
		},
	};
	const check = (packet) => {
		const got = packet.properties;

		assert.equal(got.contentType, sent.contentType);
		assert.equal(got.payloadFormatIndicator, true);
		assert.deepEqual({ ...got.userProperties },
			sent.userProperties);
		assert.deepEqual(Object.keys(got.userProperties),
			Object.keys(sent.userProperties));
	};

	await live.subscribe(topic, 2);
	for (const qos of [0, 1, 2]) {
		await pub.publish(topic, 'text', qos, true, sent);
		check(await live.expect(topic, 'text', qos));
	}
	const late = await stage.connect('late');

	await late.subscribe(topic, 1);
	check(await late.expect(topic, 'text', 1, true));

	await pub.publish(topic, 'bare', 1);
	const bare = await live.expect(topic, 'bare', 1);

	assert.deepEqual({ ...bare.properties }, {});
	await disconnectAll(live, late);
	await pub.publish(topic, '', 1, true);
	await pub.disconnect();
}

async function aliasFromClient(stage) {
	const pub = await stage.connect('pub', { autoAssignTopicAlias: true });
	const sub = await stage.connect('sub');
	const most = pub.connack.topicAliasMaximum;
	const sent = [];

	assert.ok(most > 1, `topic alias maximum is ${most}`);
	pub.client.on('packetsend', (packet) => {
		if (packet.cmd === 'publish')
			sent.push([packet.topic, packet.properties.topicAlias]);
	});
	await sub.subscribe(stage.topic('#'), 1);
	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < most; i++) {
			await pub.publish(stage.topic(`${i}`), 'x', 1);
			const got = await sub.expect(stage.topic(`${i}`), 'x', 1);

			assert.equal(got.properties?.topicAlias, undefined);
		}
	}
	assert.equal(sent.filter(([topic]) => topic !== '').length, most);
	assert.equal(new Set(sent.map(([, alias]) => alias)).size, most);

	// More topics than aliases: they are used anew.
	for (let round = 0; round < 2; round++) {
		for (let i = 0; i < 2 * most; i++) {
			await pub.publish(stage.topic(`${i}`), 'y', 1);
			await sub.expect(stage.topic(`${i}`), 'y', 1);
		}
	}
	await disconnectAll(pub, sub);
}

// When a topic gets an alias is up to the broker, but it should at the latest
// when it comes again and again.
async function aliasFromBroker(stage) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub',
		{ properties: { topicAliasMaximum: 2 } });
	const wire = sub.wire();
	const topics = [0, 1, 2].map((i) =>
		stage.topic(`a topic that is worth an alias/${i}`));
	let short = 0;

	await sub.subscribe(stage.topic('#'), 1);
	for (let round = 0; round < 4; round++) {
		for (const i of [0, 0, 0, 1, 1, 1, 2, 2, 2]) {
			await pub.publish(topics[i], 'x', 1);
			await sub.expect(topics[i], 'x', 1);
		}
	}
	for (const packet of wire) {
		if (packet.cmd !== 'publish')
			continue;
		const alias = packet.properties?.topicAlias;

		assert.ok(alias === undefined || alias === 1 || alias === 2);
		short += packet.topic === '';
	}
	await disconnectAll(pub, sub);
	if (short === 0) {
		await onlyKmqtt('the broker uses no topic aliases');
		assert.fail('the broker uses no topic aliases');
	}
}

// The library acknowledges one message after the other; while the first isn't
// acknowledged, only as many as were asked for may come.
async function receiveMaximum(stage) {
	const most = 3;
	const pub = await stage.connect('pub');
	let release;
	const held = new Promise((resolve) => {
		release = resolve;
	});
	const sub = await stage.connect('sub', {
		properties: { receiveMaximum: most },
		customHandleAcks: (topic, payload, packet, done) =>
			held.then(() => done(0)),
	});
	const wire = sub.wire();
	const count = (cmd) =>
		wire.filter((packet) => packet.cmd === cmd).length;
	// Mosquitto 2.0 has one count for each QoS.
	const both = await settingsOfBroker() !== null;

	await sub.subscribe(stage.topic('t'), 2);
	for (let i = 0; i < 20; i++)
		await pub.publish(stage.topic('t'), `${i}`,
			both ? 1 + i % 2 : 1);
	sub.client.subscribe(stage.topic('other'));
	await sub.until('SUBACK', () => count('suback') === 2);
	assert.equal(count('publish'), most);
	release();
	const next = { 1: 0, 2: 1 };

	for (let i = 0; i < 20; i++) {
		const { payload, qos } = await sub.next();

		assert.equal(payload.toString(), `${next[qos]}`);
		next[qos] += both ? 2 : 1;
	}
	assert.equal(count('publish'), 20);
	await disconnectAll(pub, sub);
}

async function maximumPacketSize(stage) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub',
		{ properties: { maximumPacketSize: 1000 } });
	const topic = stage.topic('t');
	// Mosquitto 2.0 doesn't count the fixed header.
	const over = await settingsOfBroker() ? 1 : 4;

	await sub.subscribe(topic, 2);
	for (const qos of [0, 1, 2]) {
		// The variable header and its properties count, too.
		const room = 1000 - 3 - 2 - topic.length - (qos ? 2 : 0) - 1;

		await pub.publish(topic, 'x'.repeat(room + over), qos);
		await pub.publish(topic, 'y'.repeat(room), qos);
		await sub.expect(topic, 'y'.repeat(room), qos);
		await pub.publish(topic, 'z'.repeat(100000), qos);
		await pub.publish(topic, 'next', qos);
		await sub.expect(topic, 'next', qos);
	}
	await disconnectAll(pub, sub);
}

async function assignedClientId(stage) {
	const connect = () => Peer.connect(stage.target, '');
	const [a, b] = [await connect(), await connect()];

	assert.ok(a.connack.assignedClientIdentifier.length > 0);
	assert.ok(b.connack.assignedClientIdentifier.length > 0);
	assert.notEqual(a.connack.assignedClientIdentifier,
		b.connack.assignedClientIdentifier);

	// It is a client id like any other.
	const again = await Peer.connect(stage.target,
		a.connack.assignedClientIdentifier);

	await a.lost();
	assert.equal(again.connack.assignedClientIdentifier, undefined);
	await disconnectAll(again, b);
}

async function noLocal(stage) {
	const a = await stage.connect('a');
	const b = await stage.connect('b');

	for (const peer of [a, b]) {
		await peer.subscribe(stage.topic('quiet'), 1, { nl: true });
		await peer.subscribe(stage.topic('loud'), 1);
	}
	await a.publish(stage.topic('quiet'), 'from a', 1);
	await a.publish(stage.topic('loud'), 'from a', 1);
	await a.expect(stage.topic('loud'), 'from a', 1);
	await b.expect(stage.topic('quiet'), 'from a', 1);
	await b.expect(stage.topic('loud'), 'from a', 1);
	await disconnectAll(a, b);
}

async function retainAsPublished(stage) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub');
	const topic = stage.topic('t');

	await sub.subscribe(topic, 1, { rap: true });
	await pub.publish(topic, 'kept', 1, true);
	await sub.expect(topic, 'kept', 1, true);
	await pub.publish(topic, 'not kept', 1, false);
	await sub.expect(topic, 'not kept', 1, false);
	await pub.publish(topic, '', 1, true);
	await sub.expect(topic, '', 1, true);
	await disconnectAll(pub, sub);
}

async function retainHandling(stage) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub');
	const end = stage.topic('end');
	const [always, fresh, never] = [0, 1, 2].map((rh) => {
		const topic = stage.topic(`${rh}`);

		return { topic, subscribe: () => sub.subscribe(topic, 1, { rh }) };
	});

	await sub.subscribe(end, 1);
	for (const { topic } of [always, fresh, never])
		await pub.publish(topic, 'kept', 1, true);

	for (let i = 0; i < 2; i++) {
		await always.subscribe();
		await sub.expect(always.topic, 'kept', 1, true);
		await never.subscribe();
	}
	await fresh.subscribe();
	await sub.expect(fresh.topic, 'kept', 1, true);
	await fresh.subscribe();
	await marker(pub, sub, end);
	await sub.unsubscribe(fresh.topic);
	await fresh.subscribe();
	await sub.expect(fresh.topic, 'kept', 1, true);
	await marker(pub, sub, end);
	await sub.disconnect();
	for (const { topic } of [always, fresh, never])
		await pub.publish(topic, '', 1, true);
	await pub.disconnect();
}

async function subscriptionIds(stage) {
	const pub = await stage.connect('pub');
	const sub = await stage.connect('sub');
	const subscribe = (filter, subscriptionIdentifier) =>
		sub.subscribe(stage.topic(filter), 1,
			{ properties: { subscriptionIdentifier } });
	// Overlapping subscriptions may have one copy, or one each.
	const got = async (topic, least = 1) => {
		const ids = [];

		await pub.publish(stage.topic(topic), topic, 1);
		do {
			const { properties } = await sub.expect(
				stage.topic(topic), topic, 1);

			ids.push(properties?.subscriptionIdentifier ?? []);
		} while (ids.flat().length < least);
		return ids.flat().sort((a, b) => a - b);
	};

	await subscribe('a/#', 1);
	await subscribe('a/+', 268435455);
	await sub.subscribe(stage.topic('b'), 1);
	assert.deepEqual(await got('a/b/c'), [1]);
	assert.deepEqual(await got('a/b', 2), [1, 268435455]);
	assert.deepEqual(await got('b', 0), []);
	await subscribe('a/#', 128);
	assert.deepEqual(await got('a/b/c'), [128]);

	// Also with retained messages, and after the session is resumed.
	await pub.publish(stage.topic('kept'), 'kept', 1, true);
	await subscribe('kept', 7);
	const kept = await sub.expect(stage.topic('kept'), 'kept', 1, true);

	assert.equal(kept.properties.subscriptionIdentifier, 7);
	await sub.disconnect();
	await pub.publish(stage.topic('kept'), '', 1, true);
	await pub.disconnect();
}

async function shared(stage, qos) {
	const pub = await stage.connect('pub');
	const topic = stage.topic('work');
	const end = stage.topic('end');
	const members = await Promise.all([0, 1, 2].map((i) =>
		stage.connect(`member${i}`)));
	const other = await stage.connect('other');
	const whole = await stage.connect('whole');
	const each = [];

	for (const member of [...members, other]) {
		const group = member === other ? 'other' : 'group';

		await member.subscribe(`$share/${group}/${topic}`, qos);
		await member.subscribe(end, 1);
	}
	await whole.subscribe(topic, qos);
	for (let i = 0; i < 300; i++)
		await pub.publish(topic, `${i}`, qos);
	await pub.publish(end, 'end', 1);

	const all = Array.from({ length: 300 }, (_, i) => i);

	for (const i of all) {
		await whole.expect(topic, `${i}`, qos);
	}
	for (const member of [...members, other]) {
		const got = [];
		let ended = false;

		// Of different QoS, nothing is promised about the order.
		while (!ended || member === other && got.length < 300) {
			const message = await member.next();

			assert.equal(message.retain, false);
			if (message.topic === end)
				ended = true;
			else
				got.push(Number(message.payload));
		}
		each.push(got);
	}
	assert.deepEqual(each.pop(), all);
	for (let left = 300 - each.flat().length; left > 0; left--) {
		const i = await Promise.race(members.map((member, m) =>
			member.until('message', () => member.messages.length)
				.then(() => m)));

		each[i].push(Number(members[i].messages.shift().payload));
	}
	for (const got of each) {
		assert.ok(got.length >= 30, `one member has ${got.length}`);
		assert.deepEqual(got, [...got].sort((a, b) => a - b));
	}
	assert.deepEqual(each.flat().sort((a, b) => a - b), all);
	await disconnectAll(pub, other, whole, ...members);
}

async function sharedLeaving(stage) {
	const pub = await stage.connect('pub');
	const topic = stage.topic('work');
	const filter = `$share/group/${topic}`;
	const stays = await stage.connect('stays');
	const goes = await stage.connect('goes');

	await stays.subscribe(filter, 1);
	await goes.subscribe(filter, 1);
	await goes.unsubscribe(filter);
	for (let i = 0; i < 10; i++) {
		await pub.publish(topic, `${i}`, 1);
		await stays.expect(topic, `${i}`, 1);
	}
	assert.equal(goes.messages.length, 0);

	// Retained messages aren't for shared subscriptions.
	await pub.publish(topic, 'kept', 1, true);
	await stays.expect(topic, 'kept', 1);
	await goes.subscribe(filter, 1);
	await goes.subscribe(stage.topic('end'), 1);
	await pub.publish(topic, '', 0, true);
	await onlyKmqtt('mosquitto 2.0 sends them nevertheless');
	await marker(pub, goes, stage.topic('end'));
	await disconnectAll(stays, goes, pub);
}

async function reasonCodes(stage) {
	const peer = await stage.connect('peer');
	const topic = stage.topic('t');

	await peer.publish(topic, 'nobody', 1);
	assert.equal(peer.last.puback.reasonCode, 16);
	await peer.subscribe(topic, 2);
	await peer.publish(topic, 'one', 1);
	assert.equal(peer.last.puback.reasonCode ?? 0, 0);
	await peer.publish(topic, 'one', 2);
	assert.equal(peer.last.pubrec.reasonCode ?? 0, 0);
	await peer.unsubscribe(topic);
	assert.deepEqual([...peer.last.unsuback.granted], [0]);
	await peer.unsubscribe(topic);
	assert.deepEqual([...peer.last.unsuback.granted], [17]);
	await peer.publish(topic, 'nobody', 2);
	assert.equal(peer.last.pubcomp.reasonCode ?? 0, 0);
	await onlyKmqtt('mosquitto 2.0 has no reason codes in PUBREC');
	assert.equal(peer.last.pubrec.reasonCode, 16);
	await peer.disconnect();
}

async function takenOver(stage) {
	const old = await stage.resume('same');
	const fresh = await stage.resume('same');

	await old.lost();
	assert.equal(fresh.sessionPresent, true);
	await fresh.disconnect();
	await stage.forget('same');
	await onlyKmqtt('mosquitto 2.0 does not tell the reason');
	assert.equal(old.last.disconnect.reasonCode, 142);
}

async function serverKeepAlive(stage) {
	await withSettings({ 'max-keepalive': 20 }, async () => {
		const long = await stage.connect('long', { keepalive: 50 });
		const short = await stage.connect('short', { keepalive: 10 });
		const none = await stage.connect('none', { keepalive: 0 });

		assert.equal(long.connack.serverKeepAlive, 20);
		assert.equal(short.connack.serverKeepAlive, undefined);
		assert.equal(none.connack.serverKeepAlive, 20);
		await disconnectAll(long, short, none);
	});
	const peer = await stage.connect('free', { keepalive: 50 });

	assert.equal(peer.connack.serverKeepAlive, undefined);
	await peer.disconnect();
}

async function moved(stage) {
	await onlyKmqtt();
	for (const [extra, reason] of [[[], 156], [['permanent'], 157]]) {
		const peer = await stage.connect('moved');

		await kmqttctl('client', 'move', peer.id, ...extra,
			'other.example');
		await peer.lost();
		assert.equal(peer.last.disconnect.reasonCode, reason);
		assert.equal(peer.last.disconnect.properties.serverReference,
			'other.example');
	}
}

async function redirected(stage) {
	const settings = {
		'server-reference': 'other.example:1884', redirect: 'temporary',
	};

	await withSettings(settings, () => assert.rejects(
		stage.connect('redirected'), { code: 156 }));
	await (await stage.connect('redirected')).disconnect();
}

async function limitsTold(stage) {
	const settings = {
		'max-qos': 1, 'retain-available': 'off',
		'wildcard-available': 'off', 'shared-available': 'off',
		'subscription-ids-available': 'off', 'receive-max': 7,
		'topic-alias-max': 3, 'max-packet-size': 10000,
	};
	const usual = await stage.connect('usual');

	assert.equal(usual.connack.maximumQoS, undefined);
	assert.notEqual(usual.connack.retainAvailable, false);
	await usual.disconnect();
	await withSettings(settings, async () => {
		const { connack, ...peer } = await stage.connect('limited');

		assert.equal(connack.maximumQoS, 1);
		assert.equal(connack.retainAvailable, false);
		assert.equal(connack.wildcardSubscriptionAvailable, false);
		assert.equal(connack.sharedSubscriptionAvailable, false);
		assert.equal(connack.subscriptionIdentifiersAvailable, false);
		assert.equal(connack.receiveMaximum, 7);
		assert.equal(connack.topicAliasMaximum, 3);
		assert.equal(connack.maximumPacketSize, 10000);
		peer.client.end(true);
	});
}

// The client's side of SCRAM (RFC 5802) for SHA-256.
class Scram {
	constructor(name, password) {
		this.password = password;
		this.nonce = crypto.randomBytes(18).toString('base64');
		this.first = `n=${name},r=${this.nonce}`;
	}

	get properties() {
		return {
			authenticationMethod: 'SCRAM-SHA-256',
			authenticationData: Buffer.from(`n,,${this.first}`),
		};
	}

	// The broker's first message to the client's last one.
	answer(first) {
		const hmac = (key, text) =>
			crypto.createHmac('sha256', key).update(text).digest();
		const [nonce, salt, iterations] = first.split(',')
			.map((field) => field.slice(2));
		const final = `c=biws,r=${nonce}`;
		const all = `${this.first},${first},${final}`;

		assert.ok(nonce.startsWith(this.nonce));
		assert.ok(nonce.length > this.nonce.length);
		const salted = crypto.pbkdf2Sync(this.password,
			Buffer.from(salt, 'base64'), Number(iterations), 32,
			'sha256');
		const key = hmac(salted, 'Client Key');
		const stored = crypto.createHash('sha256').update(key).digest();
		const signature = hmac(stored, all);
		const proof = key.map((byte, i) => byte ^ signature[i]);

		this.verifier = hmac(hmac(salted, 'Server Key'), all)
			.toString('base64');
		return `${final},p=${proof.toString('base64')}`;
	}

	// What the library calls for each AUTH packet.
	handle(packet, callback) {
		const { authenticationData } = packet.properties;

		if (packet.reasonCode === 0) {
			this.done = authenticationData.toString();
			callback(null);
			return;
		}
		callback(null, {
			cmd: 'auth',
			reasonCode: 24,
			properties: {
				authenticationMethod: 'SCRAM-SHA-256',
				authenticationData: Buffer.from(this.answer(
					authenticationData.toString())),
			},
		});
	}
}

async function scram(stage) {
	const name = `${stage.idBase}-user`;
	const connect = async (password) => {
		const exchange = new Scram(name, password);
		const peer = Peer.start(stage.target, `${stage.idBase}-auth`,
			{ properties: exchange.properties });

		peer.client.handleAuth = exchange.handle.bind(exchange);
		await peer.until('CONNACK', () => peer.connects > 0);
		return [peer, exchange];
	};

	await onlyKmqtt();
	execFileSync(process.env.KMQTT_CTL,
		['user', 'set', name, 'scram-sha-256'], { input: 'secret\n' });
	try {
		const [peer, exchange] = await connect('secret');

		assert.equal(peer.connack.authenticationMethod,
			'SCRAM-SHA-256');
		assert.equal(peer.connack.authenticationData.toString(),
			`v=${exchange.verifier}`);
		await peer.subscribe(stage.topic('t'), 1);
		await marker(peer, peer, stage.topic('t'));

		// Once more, on the same connection.
		const again = new Scram(name, 'secret');

		peer.client.handleAuth = again.handle.bind(again);
		peer.client._sendPacket({
			cmd: 'auth', reasonCode: 25, properties: again.properties,
		});
		await peer.until('AUTH', () =>
			peer.last.auth.reasonCode === 0);
		assert.equal(again.done, `v=${again.verifier}`);
		await marker(peer, peer, stage.topic('t'));
		await peer.disconnect();

		await assert.rejects(connect('wrong'), { code: 135 });
	} finally {
		await kmqttctl('user', 'del', name);
	}
	await assert.rejects(connect('secret'), { code: 135 });
	await assert.rejects(stage.connect('unknown', { properties: {
		authenticationMethod: 'UNKNOWN',
		authenticationData: Buffer.from('x'),
	} }), { code: 140 });
}

const SCENARIOS_5 = [
	['session expiry, also changed at disconnect', sessionExpiry],
	['session expiry cannot come at disconnect', sessionExpiryFromNothing],
	['message expiry, and what is left of it', messageExpiry],
	['will delay: published after it, not after reconnect', willDelay],
	['will delay ends with the session', willAtSessionEnd],
	['request and response with correlation data', requestResponse],
	['content type, payload format, user properties', properties],
	['topic aliases of the client', aliasFromClient],
	['topic aliases of the broker', aliasFromBroker],
	['receive maximum', receiveMaximum],
	['maximum packet size: too large is dropped', maximumPacketSize],
	['assigned client identifier', assignedClientId],
	['no local', noLocal],
	['retain as published', retainAsPublished],
	['retain handling 0, 1 and 2', retainHandling],
	['subscription identifiers', subscriptionIds],
	['shared subscription, qos 0', (stage) => shared(stage, 0)],
	['shared subscription, qos 1', (stage) => shared(stage, 1)],
	['shared subscription, qos 2', (stage) => shared(stage, 2)],
	['shared subscription: leaving, retained', sharedLeaving],
	['reason codes of acknowledgements', reasonCodes],
	['reason code of a take-over', takenOver],
	['server keep alive', serverKeepAlive],
	['server reference at disconnect', moved],
	['server reference at connect', redirected],
	['limits told at connect', limitsTold],
	['authentication by SCRAM-SHA-256', scram],
];

module.exports = { Skip, SCENARIOS_5 };
