#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event of each kind of the bridges, read by others.

Every document keeps to the profile that the pickiest readers of BinXml accept;
written into an .evtx file, libevtx and python-evtx say the same of it as the
strict reader of the integration tests says of the document.

usage: export.py DIRECTORY
The test programs are those of the build in $top_builddir.
"""

import os
import re
import subprocess
import sys

import binxml
import emission
import evtx_judge

BUILD = os.environ.get("top_builddir", ".")
KINDS = {100, 101, 102, 103, 104, 200, 201, 210, 211, 300, 301,
         1000, 1010, 1020, 1030, 1040, 1100, 1900, 1901}

# How the tools write what has a type, by the fields' names.
TYPES = {
    evtx_judge.moment: """LastSyncTime LastRollupTime LastReportedRebootTime
        LastReportedStatusTime LastInventoryTime BiosReleaseDate LastChangeTime
        EffectiveLastDetectionTime ReportDate ActionLastUpdateTime SentTime
        DateTime MessageTime AgentTime""",
    str.upper: "ServerId ParentServerId UpdateId",
    str.lower: """IsReplica HasCounters HasDetails IdentityMismatch Again
        KeyChanged""",
    evtx_judge.number: "SuiteMask SystemMetrics",
}
CONVERSIONS = {name: how for how, names in TYPES.items()
               for name in names.split()}
# libevtx 20181227 takes negative numbers for sign and magnitude.
SIGNED = {"OldStateValue": evtx_judge.complement(31)}


def events(documents):
    """What the strict reader says; the ids of all of them."""
    trees = [binxml.decode(document) for document in documents]
    ids = {int(tree.find(".//{*}EventID").text) for tree in trees}
    assert ids == KINDS, "kinds of events: %s" % sorted(ids ^ KINDS)
    return trees


def compare(wanted, name, path):
    """None, or what is different first; empty elements count for nothing."""
    read, both, theirs = evtx_judge.READERS[name]
    signed = SIGNED if name == "libevtx" else {}
    return evtx_judge.compare(name, path, wanted, read,
                              {**both, **CONVERSIONS, **signed}, theirs)


def emitted(documents):
    for document in documents:
        emission.event_fields(document)
    return None


def templates(documents):
    """Machines and numbers are no reason for another template."""
    found = set()
    for document in documents:
        found |= {guid for guid, _ in emission.definitions(document)}
    # System, 14 of EventData, 4 of UserData and one of them for 128, too.
    return None if len(found) <= 20 else "%d templates" % len(found)


def main():
    made = subprocess.run([BUILD + "/tests/bridge/bridge_make"], check=True,
                          stdout=subprocess.PIPE).stdout
    documents = list(evtx_judge.framed(made))
    path = sys.argv[1] + "/bridge.evtx"
    written = subprocess.run([BUILD + "/tests/event/evtx_make", path],
                             check=True, input=made,
                             stdout=subprocess.PIPE).stdout.split()
    wanted = events(documents)
    tests = [
        ("all are written", lambda: None if written == [b"ok"] * len(wanted)
         else str(written)),
        ("they keep to the profile", lambda: emitted(documents)),
        ("they share templates", lambda: templates(documents))]
    tests += [("%s reads the same" % name,
               lambda name=name: compare(wanted, name, path))
              for name in evtx_judge.READERS]
    print("1..%d" % len(tests))
    for i, (name, test) in enumerate(tests):
        fault = test()
        if fault:
            print("# " + re.sub("\n", "\n# ", fault))
        print("%sok %d - %s" % ("not " if fault else "", i + 1, name))


if __name__ == "__main__":
    main()
