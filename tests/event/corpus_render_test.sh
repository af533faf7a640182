#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Real events, taken out of .evtx files by a program of its own, are rendered;
# python-evtx must read the same in the files.  EVENLOG_SHARED is where the
# files are; they are not part of this source tree, so the test skips without
# them, or without python3-evtx.

files=${EVENLOG_SHARED:-$top_srcdir/../shared}/data/evtx
python=/usr/bin/python3

echo 1..1
if ! ls "$files"/*.evtx >/dev/null 2>&1; then
	echo "ok 1 # SKIP no .evtx files in $files"
	exit 0
fi
if ! $python -c 'import Evtx' 2>/dev/null; then
	echo "ok 1 # SKIP python3-evtx is not installed"
	exit 0
fi
PYTHONDONTWRITEBYTECODE=1 $python "$srcdir/tests/event/corpus_render.py" \
	"$top_builddir/tests/event/corpus_render" "$files"/*.evtx
