dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_INIH], [
	PKG_CHECK_MODULES([INIH], [inih],,
		[AC_MSG_ERROR([inih is missing: install libinih-dev])])
])
