dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_LIBXML2], [
	PKG_CHECK_MODULES([LIBXML2], [libxml-2.0 >= 2.9],,
		[AC_MSG_ERROR([libxml2 is missing: install libxml2-dev])])
])
