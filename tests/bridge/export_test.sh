#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# An event of each kind of the bridges is written into an .evtx file; libevtx
# and python-evtx read it.  Skips where these are missing.

python=/usr/bin/python3
if ! $python -c 'import Evtx' 2>/dev/null ||
	! command -v evtxexport >/dev/null; then
	echo "1..0 # SKIP python3-evtx or libevtx-utils is not installed"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/evenlog-bridge.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH="$srcdir/tests/integration:$srcdir/tests/event" \
	$python "$srcdir/tests/bridge/export.py" "$dir"
