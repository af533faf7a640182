dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl SHA-1 for name-based GUIDs: Nettle's cannot fail, GnuTLS's can.
AC_DEFUN([EVL_DEP_NETTLE], [
	PKG_CHECK_MODULES([NETTLE], [nettle >= 3.6],,
		[AC_MSG_ERROR([Nettle is missing: install nettle-dev])])
])
