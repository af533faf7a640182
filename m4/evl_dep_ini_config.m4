dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_INI_CONFIG], [
	PKG_CHECK_MODULES([INI_CONFIG], [ini_config >= 1.3],,
		[AC_MSG_ERROR([libini_config is missing: install libini-config-dev])])
])
