#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Real events, taken out of .evtx files by a program of its own, go through
# the codec.  EVENLOG_SHARED is where the files are; they are not part of this
# source tree, so the test skips without them.

files=${EVENLOG_SHARED:-$top_srcdir/../shared}/data/evtx
dir=$(mktemp -d "${TMPDIR:-/tmp}/evenlog-corpus.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

echo 1..1
if ! ls "$files"/*.evtx >/dev/null 2>&1; then
	echo "ok 1 # SKIP no .evtx files in $files"
	exit 0
fi
"${PYTHON:-python3}" "$srcdir/tests/event/evtx_to_wire.py" "$dir/corpus" \
	"$files"/*.evtx || exit 1
"$top_builddir/tests/event/corpus_check" "$dir/corpus"
