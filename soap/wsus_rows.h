/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_ROWS_H
#define EVENLOG_SOAP_WSUS_ROWS_H

/*
 * Rows of the durable tables of reporting, as bytes of named state:
 * doc/store-format.md.  Pure: no store, no clock.
 *
 * Decoding makes strings (and arrays) children of mem_ctx.
 * EVERR_STORE_CORRUPT: not such a row; EVERR_STORE_VERSION: a newer one.
 */

#include "base/buf.h"
#include "bridge/wsus.h"

#define WSUS_ROW_SERVER "wsus/server/"
#define WSUS_ROW_COMPUTER "wsus/computer/"
#define WSUS_ROW_STATUS "wsus/status/"
#define WSUS_ROW_ACTIVITY "wsus/activity/"

/* A state's name and NUL; store.h allows 400 bytes. */
#define WSUS_ROW_NAME_SIZE 401
/* Bytes of one row, store.h's limit of a named state. */
#define WSUS_ROW_MAX (1024 * 1024)

/* A ComputerId, bytes. */
#define WSUS_COMPUTER_ID_MAX 256
/* Any other text of a row, and all groups of a computer together. */
#define WSUS_ROW_TEXT_MAX 1024
#define WSUS_ROW_GROUPS_MAX 16384

/* Parts of one rollup of a server that are remembered; the newest. */
#define WSUS_SERVER_PARTS_MAX 8192

struct wsus_server_row {
	struct bridge_wsus_server server;
	uint64_t first_seen;
	uint64_t sent_rollup;  /* last_rollup as sent, without correction */
	bool reporting;	       /* since then; the end was not told yet */
	uint32_t num_systems;  /* rows of WSUS_ROW_ACTIVITY it has */
	struct ev_guid *parts; /* applied of that rollup: digests */
	uint32_t num_parts;
};

struct wsus_computer_row {
	struct bridge_wsus_computer computer;
	uint64_t detection;    /* EffectiveLastDetectionTime */
	int32_t rollup_number; /* LastReceivedRollupNumber */
	bool untold;	       /* no event has spoken of it yet */
};

/* Of one server and operating system, by update in the order of bytes. */
struct wsus_activity_row {
	struct ev_guid update;
	int32_t revision; /* the latest reported */
	uint64_t succeeded, failed;
};

struct wsus_activity_rows {
	struct wsus_activity_row *rows;
	size_t num;
};

/* As many as a row holds. */
#define WSUS_ACTIVITY_ROWS_MAX 29000

void wsus_server_row_name(const struct ev_guid *id,
			  char name[WSUS_ROW_NAME_SIZE]);

/*
 * prefix is WSUS_ROW_COMPUTER or WSUS_ROW_STATUS.  An id of ASCII letters,
 * digits and "-._" stands there as it is, in lower case; any other as '=' and
 * base64url.  EVERR_LIMIT: empty, or longer than WSUS_COMPUTER_ID_MAX.
 */
everr_t wsus_computer_row_name(const char *prefix, const char *id,
			       char name[WSUS_ROW_NAME_SIZE]) EVERR_MUST_CHECK;

void wsus_activity_row_name(const struct ev_guid *server,
			    const struct bridge_wsus_os *os,
			    char name[WSUS_ROW_NAME_SIZE]);

/* Whether all fields are equal; NULL is as "". */
bool wsus_text_equal(const char *a, const char *b);
bool wsus_os_equal(const struct bridge_wsus_os *a,
		   const struct bridge_wsus_os *b);

/* The fields of an operating system; used in digests also. */
void wsus_os_encode(struct buf *out, const struct bridge_wsus_os *os);

void wsus_server_encode(struct buf *out, const struct wsus_server_row *row);
everr_t wsus_server_decode(TALLOC_CTX *mem_ctx, const struct ev_guid *id,
			   const uint8_t *data, size_t len,
			   struct wsus_server_row *ret_row) EVERR_MUST_CHECK;

void wsus_computer_encode(struct buf *out, const struct wsus_computer_row *row);
everr_t wsus_computer_decode(TALLOC_CTX *mem_ctx, const uint8_t *data,
			     size_t len, struct wsus_computer_row *ret_row)
	EVERR_MUST_CHECK;

void wsus_activity_encode(struct buf *out,
			  const struct wsus_activity_rows *rows);
everr_t wsus_activity_decode(TALLOC_CTX *mem_ctx, const uint8_t *data,
			     size_t len, struct wsus_activity_rows *ret_rows)
	EVERR_MUST_CHECK;
/*
 * Add increments.  EVERR_LIMIT: it is a new update and there is no room;
 * EVERR_NOMEM.
 */
everr_t wsus_activity_add(TALLOC_CTX *mem_ctx, struct wsus_activity_rows *rows,
			  const struct bridge_wsus_activity *more)
	EVERR_MUST_CHECK;

#endif
