/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CONFIGMGR_REPLAY_H
#define EVENLOG_SOAP_CONFIGMGR_REPLAY_H

/*
 * What has been taken already: ids of messages, or of files, with the time and
 * a digest of what came under the id.  Each is named state of the store,
 * written in the commit that holds the events, so that a crash can neither
 * forget one nor invent one.  doc/store-format.md has the bytes.
 *
 * Ids leave when they are too old or too many, the oldest first.  Their states
 * are deleted in the commits of later ones, a few in each; what is left over
 * by a commit that fails is found again at the next start.
 */

#include "base/guid.h"
#include "store/store.h"

/* States of one commit: the id's own and those that it deletes. */
#define CONFIGMGR_REPLAY_STATES 65

struct configmgr_replay;

struct configmgr_replay_stats {
	uint32_t num;	  /* ids known */
	uint64_t dropped; /* that were not too old yet: there were too many */
};

/* The first eight bytes of SHA-256. */
uint64_t configmgr_digest(const uint8_t *data, size_t len);

/*
 * Read what there is below prefix ("configmgr/seen/"; a literal).  A damaged
 * state is passed over, which may let one message in twice.
 */
everr_t configmgr_replay_load(
	TALLOC_CTX *mem_ctx, struct store *store, const char *prefix,
	uint64_t seconds, uint32_t max,
	struct configmgr_replay **ret_replay) EVERR_MUST_CHECK;

/* Other bounds, for what comes from now on. */
void configmgr_replay_limit(struct configmgr_replay *replay, uint64_t seconds,
			    uint32_t max);

/* Whether the id is known and not too old at now (FILETIME). */
bool configmgr_replay_find(const struct configmgr_replay *replay,
			   const struct ev_guid *id, uint64_t now,
			   uint64_t *ret_digest);

/*
 * An id on its way to disk.  The states are what the commit must have; when it
 * is through, exactly one of note (it is on disk) and free follows.
 */
struct configmgr_replay_entry {
	struct store_state states[CONFIGMGR_REPLAY_STATES];
	size_t num_states;
	struct ev_guid id;
	uint64_t time;
	uint64_t digest;
	uint8_t value[16];
	struct configmgr_replay *replay;
};

/* A child of mem_ctx, which must not outlive the replay. */
everr_t configmgr_replay_prepare(
	TALLOC_CTX *mem_ctx, struct configmgr_replay *replay,
	const struct ev_guid *id, uint64_t digest, uint64_t now,
	struct configmgr_replay_entry **ret_entry) EVERR_MUST_CHECK;

/* It is on disk; frees the entry. */
void configmgr_replay_note(struct configmgr_replay_entry *entry);

void configmgr_replay_stats(const struct configmgr_replay *replay,
			    struct configmgr_replay_stats *ret_stats);

#endif
