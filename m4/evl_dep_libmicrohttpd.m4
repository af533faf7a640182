dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_LIBMICROHTTPD], [
	PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.75],,
		[AC_MSG_ERROR([libmicrohttpd is missing: install libmicrohttpd-dev])])
])
