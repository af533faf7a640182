dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_TEVENT], [
	PKG_CHECK_MODULES([TEVENT], [tevent >= 0.11],,
		[AC_MSG_ERROR([tevent is missing: install libtevent-dev])])
])
