dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers=LIST],
			[build with sanitizers: address,undefined or thread])],,
		[enable_sanitizers=no])
	SANITIZER_FLAGS=
	AS_IF([test "$enable_sanitizers" = yes], [enable_sanitizers=address,undefined])
	AS_IF([test "$enable_sanitizers" != no],
		[SANITIZER_FLAGS="-fsanitize=$enable_sanitizers -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"])
	AC_SUBST([SANITIZER_FLAGS])
	AC_SUBST([SANITIZERS], [$enable_sanitizers])
])
