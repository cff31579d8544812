# SPDX-License-Identifier: GPL-2.0
"""Where instructions go, function by function: perf on the instruction clock.

A sample belongs to the first thing on its call chain, from the innermost
function outwards, that is known here. TCP/IP runs inside of a send, in softirq,
and calls the module's callbacks there, so that the innermost one counts.
"""

import collections
import subprocess

# Instructions between samples. A prime, lest it goes along with what repeats.
PERIOD = 131101

STACK = "TCP/IP"
QUEUE = "workqueue"
CLIENT = "load generator and its system calls"
# Functions of the kernel by which one tells whose time it is.
KNOWN = {
    "tcp_sendmsg_locked": STACK, "tcp_read_sock": STACK, "__tcp_read_sock": STACK,
    "net_rx_action": STACK, "tcp_cleanup_rbuf": STACK,
    "bh_worker": QUEUE, "queue_work_on": QUEUE, "tasklet_hi_action": QUEUE,
    "worker_thread": QUEUE,
}


def module_functions():
    with open("/proc/kallsyms") as file:
        lines = [line.split() for line in file]
    return {line[2] for line in lines if line[-1] == "[kmqtt]"}


def samples(path):
    """For each sample its command and functions, innermost first."""
    with subprocess.Popen(["perf", "script", "-i", path, "-F", "comm,ip,sym"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as script:
        command, chain = "", []
        for line in script.stdout:
            if not line.strip():
                if chain:
                    yield command, chain
                chain = []
            elif line[0].isspace():
                chain.append(line.split(None, 1)[1].split("+")[0].strip())
            else:
                command = line.strip()
        if chain:
            yield command, chain


def account(path, ours):
    """How many samples belong to what: the module's functions by their names."""
    counts = collections.Counter()
    for command, chain in samples(path):
        if command.startswith("perf"):
            continue
        for function in chain:
            if function in ours:
                # The small helpers of the kernel count for who calls them.
                counts[function] += 1
                break
            if function in KNOWN:
                counts[KNOWN[function]] += 1
                break
        else:
            counts[CLIENT] += 1
    return counts


def shares(command, path):
    """Run @command; the share of each function, and what it printed."""
    done = subprocess.run(["perf", "record", "-q", "-g", "-a", "-e", "cpu-clock", "-c",
                           str(PERIOD), "-o", path, "--", *command],
                          stdout=subprocess.PIPE, text=True, check=True)
    counts = account(path, module_functions())
    total = sum(counts.values())
    return {name: n / total for name, n in counts.most_common()}, total, done.stdout
