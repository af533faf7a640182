dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl Needed by the unit tests only.
AC_DEFUN([EVL_DEP_CMOCKA], [
	PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5], [evl_have_cmocka=yes],
		[evl_have_cmocka=no
		 AC_MSG_WARN([cmocka is missing, no unit tests: install libcmocka-dev])])
	AM_CONDITIONAL([HAVE_CMOCKA], [test "$evl_have_cmocka" = yes])
])
