/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_NOTIFY_H
#define EVENLOG_DAEMON_NOTIFY_H

/*
 * Telling systemd how the service is: one datagram to $NOTIFY_SOCKET, the
 * protocol of sd_notify(3).  Without the variable nothing happens.
 */

#include <stdint.h>

/* "READY=1\nSTATUS=...", without the final newline. */
void daemon_notify(const char *state);

/* How often WATCHDOG=1 has to be sent, in microseconds; 0: not wanted. */
uint64_t daemon_notify_watchdog_usec(void);

#endif
