#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What filters select, compared with lxml's XPath on the rendered XML: random
# events, and real ones where EVENLOG_SHARED has .evtx files.

files=${EVENLOG_SHARED:-$top_srcdir/../shared}/data/evtx
python=/usr/bin/python3
dir=$(mktemp -d "${TMPDIR:-/tmp}/evenlog-filter.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
export PYTHONDONTWRITEBYTECODE=1

if ! $python -c 'import lxml' 2>/dev/null; then
	echo 1..1
	echo "ok 1 # SKIP python3-lxml is not installed"
	exit 0
fi
if ls "$files"/*.evtx >/dev/null 2>&1; then
	$python "$srcdir/tests/event/evtx_to_wire.py" "$dir/corpus" \
		"$files"/*.evtx 2>/dev/null || exit 1
	set -- "$dir/corpus"
fi
$python "$srcdir/tests/event/filter_oracle.py" \
	"$top_builddir/tests/event/filter_check" "$@"
