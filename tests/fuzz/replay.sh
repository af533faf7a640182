#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Replay the seeds of every fuzz target: one TAP line a target.
n=0
set -- $FUZZERS
echo "1..$#"
for f in "$@"; do
	n=$((n + 1))
	name=${f##*/}
	if "$top_builddir/$f" "$top_srcdir/tests/fuzz/corpus/$name" >/dev/null; then
		echo "ok $n - $name replays its seeds"
	else
		echo "not ok $n - $name replays its seeds"
	fi
done
