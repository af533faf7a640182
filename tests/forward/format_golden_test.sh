#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# 200 hostile events in all formats, read by another program and compared with
# what is in them, and with the messages that were found right before.
here=$top_srcdir/tests/forward
name='200 hostile events are read as they were in every format'

echo 1..1
if PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$here/check_syslog.py" \
	"$top_builddir/tests/forward/format_cases" "$here/golden" >&2; then
	echo "ok 1 - $name"
else
	echo "not ok 1 - $name"
fi
