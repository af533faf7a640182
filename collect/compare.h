/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_COMPARE_H
#define EVENLOG_COLLECT_COMPARE_H

/*
 * Ask a log for what collect_resume() decides by: its creation time (opnum
 * 18), the record that the position names, and unless that is the one that was
 * stored, the oldest and the newest record.
 */

#include "collect/resume.h"

/* position NULL: the newest record only, for the first sight of a log. */
struct tevent_req *collect_compare_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel,
	const struct collect_position *position);

/*
 * What the host could not tell is left out of *ret_facts.  It fails when the
 * connection does, or for a channel that cannot be read at all: EVERR_ACCESS,
 * EVERR_CHANNEL_*.
 */
everr_t collect_compare_recv(
	struct tevent_req *req, struct collect_facts *ret_facts,
	struct collect_failure *ret_failure) EVERR_MUST_CHECK;

#endif
