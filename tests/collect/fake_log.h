/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_COLLECT_FAKE_LOG_H
#define EVENLOG_TESTS_COLLECT_FAKE_LOG_H

/*
 * One log behind a fake service: opnums 0 to 3, 5, 11 to 14, 17 and 18 as a
 * well-behaved host answers them, on records that the test adds and takes away,
 * and the ways in which hosts behave otherwise.
 */

#include "tests/collect/fake_service.h"

#include <stdbool.h>
#include <stdint.h>

#define FAKE_LOG_NAME "Application"

struct fake_record {
	uint64_t id;
	const uint8_t *doc; /* RPC form; belongs to the test */
	size_t len;
	bool selected;	/* by whatever filter is asked for */
	bool too_large; /* no answer can hold it: 1734 */
	bool malformed; /* its result record */
};

struct fake_log {
	struct fake_service *service;
	struct collect_connection *connection;
	struct fake_record *records;
	size_t num;
	uint64_t created; /* property 0; 0: refused */

	/* Misbehaviour. */
	uint32_t bound;		 /* more records than this give 1734; 0: none */
	uint32_t open_error;	 /* opnum 0 */
	uint32_t bookmark_error; /* opnum 0 with a bookmark */
	uint32_t next_error;	 /* opnums 1 and 2, once */
	uint32_t seek_error;	 /* opnum 12 */
	uint32_t query_error;	 /* opnum 5 */
	uint32_t info_error;	 /* opnum 17 */
	bool ignore_bookmark;	 /* subscriptions begin at the oldest */
	uint64_t lie_id;	 /* opnum 1 gives all records this id */
	bool wait_lies;		 /* opnum 3 never parks */
	bool next_lies;		 /* opnum 1 never parks */
	NTSTATUS next_status;	 /* transport's, of opnums 1 and 2, once */
	uint32_t torn;		 /* records reach past the answer's end */
	uint64_t at_once;	 /* records of an answer at most; 0: no limit */

	/* What was seen. */
	uint32_t subscriptions;
	uint32_t last_flags;	/* of opnum 0 */
	uint64_t last_bookmark; /* 0: none */
	uint32_t last_asked;	/* records, of opnums 1 and 2 */
	struct fake_cursor *cursors;
	uint32_t num_handles;
};

struct fake_log *fake_log_create(TALLOC_CTX *mem_ctx);

/* Append a record; fake_log_wake() tells those who wait. */
void fake_log_add(struct fake_log *log, uint64_t id, const uint8_t *doc,
		  size_t len);
struct fake_record *fake_log_find(struct fake_log *log, uint64_t id);
/* Remove records with ids below. */
void fake_log_trim(struct fake_log *log, uint64_t below);
/* Remove one, leaving a hole. */
void fake_log_lose(struct fake_log *log, uint64_t id);
/* Open subscriptions begin at the oldest record again. */
void fake_log_rewind(struct fake_log *log);
void fake_log_wake(struct fake_log *log);

#endif
