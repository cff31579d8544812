// SPDX-License-Identifier: GPL-2.0
//
// MQTT.js's part in ./run: a client of each version.
//
//	node member.js HOST PORT BASE
'use strict';

const assert = require('node:assert/strict');
const { Peer } = require('../mqttjs/peer');

const LIBRARIES = ['mosquitto', 'mqttjs', 'paho-c', 'paho-python'];
const VERSIONS = ['3.1', '3.1.1', '5.0'];

// What a client is to hear, by topic; the properties as the library has them.
function hellos(base, version) {
	const all = new Map();

	for (const library of LIBRARIES)
		for (const other of VERSIONS)
			all.set(`${base}/all/${library}/${other}`,
				version === '5.0' && other === '5.0' ?
					['hello', 'text/plain', library] :
					['hello', undefined, undefined]);
	return all;
}

async function listen(peer, base, version, messages) {
	const missing = hellos(base, version);

	while (missing.size > 0) {
		const { topic, payload, packet } =
			messages.shift() ?? await peer.next();

		assert.deepEqual([
			payload.toString(), packet.properties?.contentType,
			packet.properties?.userProperties?.from,
		], missing.get(topic), `${version}: ${topic}`);
		missing.delete(topic);
	}
}

async function main(host, port, base) {
	const scale = Number(process.env.KMQTT_TIMEOUT_SCALE || 1);
	const tag = process.env.KMQTT_CLIENTS_TAG || process.pid;
	const early = [];
	const peers = await Promise.all(VERSIONS.map((version) => Peer.connect({
		host, port, version, scale,
		timeout: 30000 * scale,
		keepalive: Math.min(60 * scale, 65535),
	}, `${tag}-mixjs${version}`)));

	await Promise.all(peers.map((peer) =>
		peer.subscribe(`${base}/all/#`, 1)));
	await peers[0].subscribe(`${base}/go`, 1);
	await peers[0].publish(`${base}/ready/mqttjs`, 'ready', 1, true);
	for (;;) {
		const message = await peers[0].next();

		if (message.topic === `${base}/go`)
			break;
		early.push(message);
	}
	await Promise.all(peers.map((peer, i) => peer.publish(
		`${base}/all/mqttjs/${VERSIONS[i]}`, 'hello', 1, false,
		VERSIONS[i] !== '5.0' ? undefined : {
			contentType: 'text/plain',
			userProperties: { from: 'mqttjs' },
		})));
	await Promise.all(peers.map((peer, i) =>
		listen(peer, base, VERSIONS[i], i === 0 ? early : [])));
	await Promise.all(peers.map((peer) => peer.disconnect()));
}

main(process.argv[2], Number(process.argv[3]), process.argv[4]).catch(
	(error) => {
		console.log(`mqttjs: ${error.stack}`);
		process.exit(1);
	});
