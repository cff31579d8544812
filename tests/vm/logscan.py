# SPDX-License-Identifier: GPL-2.0
"""What no kernel log of a good run holds.

Any such line fails a run, whatever the tests said.
"""

import re

# Back traces alone are no fault: fault injection prints them on request.
FAULTS = re.compile(
    "|".join(
        (
            r"\bWARNING: ",
            r"\bBUG: ",
            r"\bkernel BUG at ",
            r"\bOops\b",
            r"\bKernel panic\b",
            r"\bgeneral protection fault\b",
            r"\bdouble fault\b",
            r"\bKASAN\b.*\bin\b",
            r"\bUBSAN\b",
            r"\bKFENCE: ",
            r"\bODEBUG: ",
            r"\brefcount_t: ",
            r"\bref_tracker: ",
            r"\bunreferenced object\b",
            r"\bsuspected memory leaks\b",
            r"\bINFO: (task|rcu|lockdep|possible|suspicious|trying to register)",
            r"\b(possible (recursive|circular) locking|inconsistent lock state)\b",
            r"\bsuspicious RCU usage\b",
            r"\bInvalid wait context\b",
            r"\b(soft lockup|hard LOCKUP|lockup - pool)\b",
            r"\brcu: .*\b(stall|kthread starved)",
            r"\bscheduling while atomic\b",
            r"\bsleeping function called from\b",
            r"\b(list_add|list_del|hlist_add) corruption\b",
            r"\bunregister_netdevice: waiting for\b",
            r"\bObjects remaining (in|on)\b",
            r"\bUse struct sk_user_data\b",
            r"\bTrying to vfree\(\)",
            r"\bmemcpy: detected field-spanning write\b",
            r"\busercopy: Kernel memory\b",
            r"\bpercpu ref .* <= 0\b",
            r"\bworkqueue: .* (hogged CPU|is hung)\b",
            r"\bUnable to handle kernel\b",
        )
    )
)


def faults(path):
    """The lines of the log at path that tell of a fault."""
    if not path.exists():
        return []
    with open(path, errors="replace") as log:
        return [line.rstrip() for line in log if FAULTS.search(line)]
