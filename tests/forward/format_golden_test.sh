#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# 200 hostile events in all formats, read by another program and compared with
# what is in them, and with the messages that were found right before.
exec /usr/bin/python3 "$srcdir/tests/forward/check_syslog.py" \
	./tests/forward/format_cases "$srcdir/tests/forward/golden"
