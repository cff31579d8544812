// SPDX-License-Identifier: GPL-2.0
// aedes.js HOST PORT: an Aedes that does nothing but be a broker.
'use strict';

const net = require('net');
const aedes = require('aedes');

const [host, port] = process.argv.slice(2);
const broker = aedes({ concurrency: 1000 });

net.createServer({ noDelay: true }, broker.handle).listen(Number(port), host);
