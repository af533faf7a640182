dnl SPDX-License-Identifier: GPL-3.0-or-later
dnl Where units go.  systemd itself is not needed: its notification is one
dnl datagram, which daemon/ sends.
AC_DEFUN([EVL_SYSTEMD], [
	AC_ARG_WITH([systemdsystemunitdir],
		[AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
			[directory for the systemd unit, or no])],,
		[with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
	AM_CONDITIONAL([HAVE_SYSTEMD], [test "$with_systemdsystemunitdir" != no])
	AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
	AS_IF([test "$with_systemdsystemunitdir" != no && test "$localstatedir" != /var],
		[AC_MSG_NOTICE([the unit lets evenlogd write below /var only: for a service, --localstatedir=/var])])
])
