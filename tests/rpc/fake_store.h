/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_RPC_FAKE_STORE_H
#define EVENLOG_TESTS_RPC_FAKE_STORE_H

/*
 * What rpc/ uses of store/store.h, on records in memory, so that a test can
 * have any loss it likes at any place.  Snapshots are not isolated: tests
 * change the store between turns only.
 */

#include "store/operational.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct store *fake_store_create(TALLOC_CTX *mem_ctx);
struct store_channel *fake_channel(struct store *store, const char *name);

/* Append an event of at least len bytes with this time; its id. */
uint64_t fake_append(struct store_channel *channel, uint64_t time, size_t len);
/* The same, n times, times from time upward. */
void fake_append_many(struct store_channel *channel, size_t n, uint64_t time);

/* Bytes of the record's wire form. */
size_t fake_wire_len(struct store_channel *channel, uint64_t id);

void fake_trim(struct store_channel *channel, uint64_t below_id);
void fake_damage(struct store_channel *channel, uint64_t id);
/* A readable record that stands for a template nobody knows. */
void fake_orphan(struct store_channel *channel, uint64_t id);
/* The next n ids get no record, for this cause. */
void fake_skip(struct store_channel *channel, uint64_t n,
	       enum store_gap_cause cause);
/* Remove a record in the middle, recorded as damaged. */
void fake_lose(struct store_channel *channel, uint64_t id);

/* Take the channel out of the store; what reads it finds nothing. */
void fake_remove_channel(struct store_channel *channel);

/* Call the watches of a channel, as a commit to it does. */
void fake_wake(struct store_channel *channel);
size_t fake_num_watches(struct store_channel *channel);

/* What was reported to Evenlog/Operational, the newest last. */
struct fake_report {
	enum operational_id id;
	char text[200]; /* "Channel=A First=1 Last=9 Cause=trimmed" */
};
extern struct fake_report fake_reports[64];
extern size_t fake_num_reports;
extern bool fake_ignore_reports;

/* Snapshots open now, and taken ever. */
extern size_t fake_open_snapshots;
extern size_t fake_num_snapshots;
/* Not EVERR_OK: what the next ones fail with. */
extern everr_t fake_snapshot_error;

#endif
