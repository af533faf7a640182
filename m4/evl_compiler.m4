dnl SPDX-License-Identifier: GPL-3.0-or-later
AC_DEFUN([EVL_COMPILER], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [make warnings errors (CI does)])],,
		[enable_werror=no])
	EVL_CFLAGS="-std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes"
	EVL_CFLAGS="$EVL_CFLAGS -Wmissing-prototypes -Wpointer-arith -Wvla"
	EVL_CFLAGS="$EVL_CFLAGS -Wno-unused-parameter -Wno-missing-field-initializers"
	AS_IF([test "$enable_werror" = yes], [EVL_CFLAGS="$EVL_CFLAGS -Werror"])
	AC_SUBST([EVL_CFLAGS])
])
