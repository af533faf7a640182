#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Random events are written into .evtx files; libevtx and python-evtx read
# them and find in them what was written.  Skips where these are missing.

python=/usr/bin/python3
if ! $python -c 'import Evtx' 2>/dev/null ||
	! command -v evtxexport >/dev/null; then
	echo "1..0 # SKIP python3-evtx or libevtx-utils is not installed"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/evenlog-evtx.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$srcdir/tests/integration" \
	$python "$srcdir/tests/event/evtx_judge.py" "$dir"
