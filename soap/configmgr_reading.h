/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CONFIGMGR_READING_H
#define EVENLOG_SOAP_CONFIGMGR_READING_H

/*
 * What is made of a request's bytes, in two steps: the message and what it is
 * known by, then its events.  Pure functions of what stands here, so that a
 * large one can be read aside from the loop.
 */

#include "base/guid.h"
#include "bridge/events.h"
#include "soap/ccm_message.h"

/*
 * Bytes of a request, and of its payload, that are read in the loop.  The
 * worst is a report of nothing but empty state messages: 31 ms were measured.
 */
#define CONFIGMGR_READ_INLINE (24 * 1024)

struct configmgr_reading {
	TALLOC_CTX *memory; /* what all of this hangs on */
	/* Given. */
	const char *content_type;
	const uint8_t *body;
	size_t len;
	uint64_t payload_max;
	bool fallback; /* a state message with nothing around it */
	bool verify;   /* look at signatures in the first step */
	struct bridge_origin origin;
	/* Of either step. */
	everr_t err;
	const char *reason;
	/* Of the first one; message as far as it could be read. */
	struct ccm_message *ccm; /* NULL: fallback */
	struct bridge_message message;
	struct bridge_part part;
	struct ev_guid id;
	char id_text[EV_GUID_TEXT_SIZE];
	uint64_t digest;
	/* By ccm_message_verify(); the key is all zero without one. */
	bool verified;
	enum bridge_signature signature;
	uint8_t key[32];
	/* Of the second one. */
	struct bridge_events *events;
};

/* A copy of strings and body, for a step that may outlive the request. */
everr_t configmgr_reading_copy(
	TALLOC_CTX *memory, const struct configmgr_reading *reading,
	struct configmgr_reading **ret_copy) EVERR_MUST_CHECK;

/* Look at the message's signatures, unless the first step has. */
void configmgr_read_signature(struct configmgr_reading *reading);

/* The steps; the argument is a struct configmgr_reading. */
void configmgr_read_message(void *data);
void configmgr_read_events(void *data);

#endif
