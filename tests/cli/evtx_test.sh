#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# evenlog query on .evtx files.
PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH="$srcdir/tests/integration:$srcdir/tests/event" \
	exec "${PYTHON:-python3}" "$srcdir/tests/cli/evtx_judge.py" \
	"$top_builddir"
