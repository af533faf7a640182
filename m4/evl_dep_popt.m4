dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_POPT], [
	PKG_CHECK_MODULES([POPT], [popt],,
		[AC_MSG_ERROR([popt is missing: install libpopt-dev])])
])
