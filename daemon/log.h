/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_LOG_H
#define EVENLOG_DAEMON_LOG_H

/*
 * The daemon's log: lines on stderr, which systemd takes to the journal.
 * Where stderr is the journal each line carries its priority as "<N>"
 * (sd-daemon(3)), else the level in words.
 */

#include "daemon/config.h"

struct daemon_log {
	enum daemon_log_level level; /* what is less urgent is dropped */
	bool journal;
};

/* Finds out whether stderr is the journal. */
void daemon_log_init(struct daemon_log *log, enum daemon_log_level level);

/* One line; control characters in it are replaced, so that it stays one. */
void daemon_log(const struct daemon_log *log, enum daemon_log_level level,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
