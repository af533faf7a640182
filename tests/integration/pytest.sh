#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The integration tests as TAP; arguments: some of the files.  Debian's modules
# belong to /usr/bin/python3.  A test that hangs is ended after two minutes
# with a stack trace; with sanitizers, which make some work many times as long,
# after five.
cd "$top_srcdir/tests/integration" || exit 1
[ $# -gt 0 ] || set -- test_*.py
export PYTHONDONTWRITEBYTECODE=1
case ${SANITIZERS-no} in
no) ;;
*) export EVENLOG_TEST_SECONDS="${EVENLOG_TEST_SECONDS:-300}" ;;
esac
# shellcheck disable=SC2086
exec /usr/bin/python3 -X faulthandler -m pytest -p no:terminal \
	-p no:cacheprovider -p tap_report ${PYTEST_ARGS-} "$@"
