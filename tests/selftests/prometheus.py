# SPDX-License-Identifier: GPL-2.0
"""What kmqttctl prints for Prometheus, and the dashboard that shows it."""

import json
import os
import re
import tempfile

from selftest import (
    PORT, TOP, Loop, check, clean_up, client, ctl, finish, note, point, run, same, stats, wait_for,
)

PROMTOOL = f"{TOP}/build/selftests/promtool"
DASHBOARD = f"{TOP}/tools/grafana/kmqtt.json"
SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\d+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


def samples(text):
    """{name: {labels: value}}; every line is a comment or a sample."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        match = SAMPLE.fullmatch(line)
        check(match, f"no sample: {line!r}")
        labels = tuple((n, unescape(v)) for n, v in LABEL.findall(match[2] or ""))
        check(labels not in found.setdefault(match[1], {}), f"told twice: {line!r}")
        found[match[1]][labels] = int(match[3])
    return found


def promtool(*args, **kw):
    check(os.access(PROMTOOL, os.X_OK), "there is no promtool: run tests/selftests/setup")
    return run(PROMTOOL, *args, **kw)


def test_check():
    """promtool has no complaint, not even about style."""
    text = ctl("stats", "--prometheus")
    got = promtool("check", "metrics", input=text)
    same(got.stdout + got.stderr, "", "what promtool says")
    # It does complain if there is something to complain about.
    bad = run(PROMTOOL, "check", "metrics", input=text.replace("_total", "_sum"),
              check_status=False)
    check(bad.returncode, "promtool lets everything pass")


def test_help():
    """Each metric has its help and its type, once and in front of it."""
    seen = []
    for line in ctl("stats", "get", "--prometheus").splitlines():
        words = line.split(" ", 3)
        if words[:2] == ["#", "HELP"]:
            check(words[2] not in seen, f"{line!r} again")
            check(words[3].endswith("."), f"{line!r} is no sentence")
            seen.append(words[2])
        elif words[:2] == ["#", "TYPE"]:
            same(words[2], seen[-1], "the metric of a type")
            same(words[3], "counter" if words[2].endswith("_total") else "gauge", line)
        else:
            same(re.match(r"\w+", line)[0], seen[-1], "the metric of a sample")


def test_values(loop):
    """All numbers of the statistics are there, as they are."""
    sub = client(loop, "sub", "t/#", qos=2)
    for qos in (0, 1, 1, 2, 2, 2):
        sub.wait_publish("t/x", b"12345", qos)
    loop.until(lambda: len(sub.messages) == 6, "messages")
    sub.wait_ping()
    # The last acknowledgment has been handled when nothing happens any more.
    before = wait_for(lambda: (a := stats()) == stats() and a, "a quiet moment")
    found = samples(ctl("stats", "--prometheus"))
    told = sorted(v for name, values in found.items() for v in values.values()
                  if not name.startswith(("kmqtt_listener_", "kmqtt_uptime")))
    before.pop("uptime")
    same(told, sorted(before.values()), "numbers")
    same(found["kmqtt_messages_received_total"],
         {(("qos", str(qos)),): qos + 1 for qos in (0, 1, 2)}, "messages by QoS")
    same(found["kmqtt_clients"], {(): 1}, "clients")
    same(found["kmqtt_payload_received_bytes_total"], {(): 30}, "payload")
    same({labels[0][1] for labels in found["kmqtt_messages_dropped_total"]},
         {name.removeprefix("dropped_") for name in before if name.startswith("dropped_")},
         "reasons")


def test_listeners(loop):
    """Each listener has its connections, whatever its address looks like."""
    run("ip", "link", "add", 'a"b\\c', "type", "dummy")
    run("ip", "link", "set", 'a"b\\c', "address", "02:00:00:00:00:01", "up")
    local = "fe80::ff:fe00:1"
    run("ip", "addr", "replace", f"{local}/64", "dev", 'a"b\\c', "nodad")
    ctl("listener", "add", f'[{local}%a"b\\c]:1884')
    for number in range(3):
        client(loop, f"six {number}", peer_args={"address": ("::1", PORT)})
    before = stats()["connections"]
    client(loop, "four").close()
    wait_for(lambda: stats()["connections"] == before, "one to be gone")
    text = ctl("stats", "--prometheus")
    found = samples(text)
    now = {dict(labels)["address"]: value
           for labels, value in found["kmqtt_listener_connections"].items()}
    same(now, {"127.0.0.1:1883": before - 3, "[::1]:1883": 3, f'[{local}%a"b\\c]:1884': 0},
         "connections of listeners")
    total = found["kmqtt_listener_connections_accepted_total"]
    check(total[(("listener", "1"), ("address", "127.0.0.1:1883"))] >= 1, f"{total}")
    promtool("check", "metrics", input=text)
    ctl("listener", "del", "id", "3")


def test_netns():
    """Another broker's numbers can be told from ours."""
    run("ip", "netns", "add", "other")
    text = ctl("stats", "--prometheus", netns="other")
    promtool("check", "metrics", input=text)
    for name, values in samples(text).items():
        for labels in values:
            same(labels[0], ("netns", "other"), name)
    run("ip", "netns", "del", "other")


def test_wrong():
    for args in (["-j", "stats", "--prometheus"], ["stats", "--prometheus", "x"],
                 ["stats", "prometheus"], ["listener", "--prometheus"]):
        check("help" in ctl(*args, status=2), f"{args}")


def test_documented():
    """The metrics in Documentation/monitoring.rst are those that are printed."""
    with open(f"{TOP}/Documentation/monitoring.rst") as file:
        rows = [line for line in file if line.startswith("``kmqtt_")]
    same(set(re.findall(r"``(kmqtt_\w+)``", "".join(rows))),
         set(samples(ctl("stats", "--prometheus"))), "metrics documented and printed")


def test_dashboard():
    """The dashboard asks for what there is, in words that Prometheus understands."""
    with open(DASHBOARD) as file:
        dashboard = json.load(file)
    known = samples(ctl("stats", "--prometheus"))
    exprs = []
    for panel in dashboard["panels"]:
        check(panel["title"] and panel["targets"], f"{panel}")
        exprs += [target["expr"] for target in panel["targets"]]
    for variable in dashboard["templating"]["list"]:
        query = variable["query"]
        if isinstance(query, dict):
            same(set(re.findall(r"kmqtt_\w+", query["query"])) - set(known), set(), "metrics")
    used = set()
    for expr in exprs:
        names = set(re.findall(r"\bkmqtt_\w+", expr))
        same((len(names), names - set(known)), (1, set()), f"metrics in {expr}")
        name = names.pop()
        used.add(name)
        for label in re.findall(r"by \((\w+)\)", expr):
            labels = {"instance"} | {n for ls in known[name] for n, _ in ls}
            check(label in labels, f"no label {label} in {name}")
        same("rate(" in expr, name.endswith("_total"), f"a rate of a counter in {expr}")
    note(f"{len(exprs)} expressions, {len(used)} of {len(known)} metrics")
    rules = {"groups": [{"name": "dashboard", "rules": [
        {"record": f"expr:{number}", "expr": expr.replace("$__rate_interval", "1m")}
        for number, expr in enumerate(exprs)]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(rules, file)      # which is YAML, too
        file.flush()
        promtool("check", "rules", file.name)


def main():
    loop = Loop()
    with point("promtool has nothing to complain about"):
        test_check()
    with point("each metric has help and type"):
        test_help()
    with point("all numbers of the statistics are there"):
        test_values(loop)
    with point("listeners have labels"):
        test_listeners(loop)
    with point("brokers of namespaces have a label"):
        test_netns()
    with point("what makes no sense is refused"):
        test_wrong()
    with point("the metrics are documented"):
        test_documented()
    with point("the dashboard shows what there is"):
        test_dashboard()
    loop.close()
    clean_up()
    with point("without a broker nothing is printed"):
        run("rmmod", "kmqtt")
        got = run(f"{TOP}/build/tools/kmqttctl", "stats", "--prometheus", check_status=False)
        check(got.returncode and not got.stdout, f"{got}")
    finish()


main()
