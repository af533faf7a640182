dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl The IDL compiler runs at build time.  Debian's modules belong to Debian's
dnl interpreter, so another python3 that comes first in PATH does not do.
AC_DEFUN([EVL_DEP_PYTHON_MODULES], [
	AC_ARG_VAR([IDL_PYTHON], [Python with lark and jinja2, for idl/])
	AC_MSG_CHECKING([for a Python with lark and jinja2])
	evl_found=no
	for evl_python in "$IDL_PYTHON" /usr/bin/python3 "$PYTHON"; do
		test -n "$evl_python" || continue
		if "$evl_python" -c 'import lark, jinja2' 2>/dev/null; then
			IDL_PYTHON=$evl_python
			evl_found=yes
			break
		fi
	done
	AC_MSG_RESULT([$evl_found])
	AS_IF([test $evl_found = no],
		[AC_MSG_ERROR([no lark or jinja2 for Python: install python3-lark python3-jinja2])])
	AC_SUBST([IDL_PYTHON])
])
