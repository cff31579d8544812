# SPDX-License-Identifier: GPL-2.0
"""MQTT.js in a page of Chromium, which nobody looks at."""

import contextlib
import functools
import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from pathlib import Path

from selftest import PATIENCE, TOP, check, run, same

LIBRARY = f"{TOP}/build/clients/node_modules/mqtt/dist/mqtt.min.js"
# Pages are of this origin.
PORT = 8000
ORIGIN = f"http://127.0.0.1:{PORT}"
# It is a big program: an interpreted guest takes a minute to begin with it.
START = 10 * PATIENCE
PAGE = """<!doctype html>
<meta charset=utf-8>
<script src=mqtt.js></script>
<script>
const big = new Uint8Array(300000).map((_, i) => i * i >> 7);
const mqttOptions = {reconnectPeriod: 0, connectTimeout: 300e3, keepalive: 300};

function say(text) {
	return fetch('said', {method: 'POST', body: text});
}

function same(a, b) {
	return a.length == b.length && a.every((byte, i) => byte == b[i]);
}

/* What comes back of a text, and of much. */
function play(url, version) {
	return new Promise((resolve) => {
		const client = mqtt.connect(url, {...mqttOptions, protocolVersion: version});
		const heard = [];
		const text = `${url} Ω`;

		client.on('error', (err) => heard.push(`error: ${err.message}`));
		client.on('close', () => resolve(heard.sort().join(', ') || 'refused'));
		client.on('message', (topic, message, packet) => {
			const what = same(message, big) ? 'all' : message.toString();

			heard.push(`${what == text ? 'text' : what} ${packet.qos}`);
			if (heard.length == 4)
				client.end();
		});
		client.subscribe('page/#', {qos: 2}, () => {
			client.publish('page/1', text, {qos: 1});
			client.publish('page/2', text, {qos: 2});
			client.publish('page/1', big, {qos: 1});
			client.publish('page/2', big, {qos: 2});
		});
	});
}

async function main(urls) {
	await say('begins');
	for (const url of urls)
		for (const version of [4, 5])
			await say(`${url} ${version}: ${await play(url, version)}`);
}

main(@);
</script>
"""
GOOD = "all 1, all 2, text 1, text 2"


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, files, said, *args):
        self.files, self.said = files, said
        super().__init__(*args)

    def do_GET(self):
        kind, data = self.files.get(self.path, (None, b""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self.said.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Browser:
    """Chromium that believes one certificate authority, and what its page says."""

    def __init__(self, directory, ca, urls):
        program = shutil.which("chromium-headless-shell")
        check(program, "there is no Chromium: tests/clients/setup installs it")
        self.said = queue.Queue()
        files = {
            "/": ("text/html", PAGE.replace("@", json.dumps(urls)).encode()),
            "/mqtt.js": ("text/javascript", Path(LIBRARY).read_bytes()),
        }
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", PORT), functools.partial(Handler, files, self.said))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        home = directory / "browser"
        database = home / ".pki/nssdb"
        database.mkdir(parents=True)
        run("certutil", "-N", "--empty-password", "-d", f"sql:{database}")
        run("certutil", "-A", "-d", f"sql:{database}", "-n", "ca", "-t", "C,,", "-i", str(ca))
        self.path = directory / "browser.log"
        self.process = subprocess.Popen(
            [program, "--no-sandbox", "--disable-gpu", "--in-process-gpu",
             # In a process of its own it is taken for crashed, where all is slow.
             "--enable-features=NetworkServiceInProcess2", "--js-flags=--jitless",
             "--disable-background-networking", "--disable-component-update",
             "--disable-dev-shm-usage", "--disable-extensions", "--disable-quic",
             "--disable-sync", "--no-first-run", f"--user-data-dir={home}/data", f"{ORIGIN}/"],
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self.path.open("w"), stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.server.shutdown()
        self.server.server_close()

    def says(self, what, patience=5 * PATIENCE):
        try:
            same(self.said.get(timeout=patience), what, "what the page says")
        except queue.Empty:
            raise TimeoutError(f"the page does not say {what!r}: "
                               f"{self.path.read_text()[-2000:]}") from None


def visit(directory, ca, urls):
    """A page that is at each of {url: is it let in?}, in MQTT 3.1.1 and 5.0."""
    with Browser(directory, ca, list(urls)) as browser:
        browser.says("begins", START)
        for url, good in urls.items():
            for version in 4, 5:
                browser.says(f"{url} {version}: {GOOD if good else 'refused'}")
