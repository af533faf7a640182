/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_WHEN_H
#define EVENLOG_CLI_WHEN_H

/* Points in time as a person types them.  Pure but for the time zone. */

#include "base/everr.h"

#include <stdbool.h>
#include <stdint.h>

/* For a message: what cli_when_parse() takes. */
#define CLI_WHEN_FORMS                                            \
	"an age such as 30m, 2h or 7d, a date such as 2026-11-21" \
	" or \"2026-11-21 14:00\", an ISO time, or now, today or" \
	" yesterday"

struct cli_when {
	uint64_t now; /* FILETIME */
	bool utc;     /* times without a zone are UTC, not local */
	bool end;     /* a day stands for its end, not for its beginning */
};

/*
 * A FILETIME from one of
 *
 *   90s 30m 2h 7d 2w 1h30m        so long before now
 *   2026-11-21                    that day's beginning or end
 *   2026-11-21 14:00[:05[.123]]   also with T between; local time, or with Z
 *                                 or an offset (+02:00, +0200, +02) behind it
 *   14:00[:05[.123]]              today
 *   now, today, yesterday
 *
 * The end of a day is its last 100 ns.
 *
 * EVERR_TEXT  none of these, or a time that does not exist
 */
everr_t cli_when_parse(const struct cli_when *when, const char *text,
		       uint64_t *ret_filetime) EVERR_MUST_CHECK;

#endif
