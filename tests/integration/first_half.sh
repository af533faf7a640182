#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A half of the integration tests; the halves run side by side.
cd "$top_srcdir/tests/integration" || exit 1
exec sh ./pytest.sh test_[a-e]*.py
