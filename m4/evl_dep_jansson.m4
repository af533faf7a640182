dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_JANSSON], [
	PKG_CHECK_MODULES([JANSSON], [jansson >= 2.14],,
		[AC_MSG_ERROR([Jansson is missing: install libjansson-dev])])
])
