dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_DEP_LMDB], [
	PKG_CHECK_MODULES([LMDB], [lmdb >= 0.9.24],,
		[AC_MSG_ERROR([LMDB is missing: install liblmdb-dev])])
])
