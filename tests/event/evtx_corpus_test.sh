#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Files that Windows wrote are read, written and read again.  EVENLOG_SHARED is
# where the files are; they are not part of this source tree, so the test skips
# without them.

files=${EVENLOG_SHARED:-$top_srcdir/../shared}/data/evtx
if ! ls "$files"/*.evtx >/dev/null 2>&1; then
	echo "1..0 # SKIP no .evtx files in $files"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/evenlog-evtx.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$srcdir/tests/integration" \
	"${PYTHON:-python3}" "$srcdir/tests/event/evtx_corpus.py" \
	"$top_builddir/tests/event" "$dir" "$files"/*.evtx
