dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_TALLOC], [
	PKG_CHECK_MODULES([TALLOC], [talloc >= 2.3],,
		[AC_MSG_ERROR([talloc is missing: install libtalloc-dev])])
])
