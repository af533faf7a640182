dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_GNUTLS], [
	PKG_CHECK_MODULES([GNUTLS], [gnutls >= 3.6],,
		[AC_MSG_ERROR([GnuTLS is missing: install libgnutls28-dev])])
])
