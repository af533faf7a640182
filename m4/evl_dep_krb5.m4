dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl For evenlog-ticket only, a program of its own: Samba brings Heimdal, whose
dnl symbols have the same names.
AC_DEFUN([EVL_DEP_KRB5], [
	PKG_CHECK_MODULES([KRB5], [mit-krb5 >= 1.18],,
		[AC_MSG_ERROR([MIT Kerberos is missing: install libkrb5-dev])])
])
