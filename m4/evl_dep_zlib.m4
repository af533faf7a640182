dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_ZLIB], [
	PKG_CHECK_MODULES([ZLIB], [zlib >= 1.2.11],,
		[AC_MSG_ERROR([zlib is missing: install zlib1g-dev])])
])
