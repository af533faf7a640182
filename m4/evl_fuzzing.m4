dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl Fuzz targets are always built, with a main that replays files; with
dnl --enable-fuzzing (clang) they are linked to libFuzzer instead.
AC_DEFUN([EVL_FUZZING], [
	AC_ARG_ENABLE([fuzzing],
		[AS_HELP_STRING([--enable-fuzzing], [link fuzz targets with libFuzzer (clang)])],,
		[enable_fuzzing=no])
	AS_IF([test "$enable_fuzzing" = yes],
		[FUZZ_CFLAGS=-fsanitize=fuzzer-no-link FUZZ_LDFLAGS=-fsanitize=fuzzer],
		[FUZZ_CFLAGS= FUZZ_LDFLAGS=])
	AC_SUBST([FUZZ_CFLAGS])
	AC_SUBST([FUZZ_LDFLAGS])
	AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
])
