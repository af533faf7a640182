#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A part of the integration tests.  They mostly wait, so the parts run side by
# side; together they are all of them, and take about as long.
cd "$top_srcdir/tests/integration" || exit 1
exec sh ./pytest.sh test_[g-l]*.py
