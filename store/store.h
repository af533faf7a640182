/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_STORE_H
#define EVENLOG_STORE_STORE_H

/*
 * Channels on disk: append, read, wait, retention, small durable state.
 *
 * The store is an LMDB environment with one writer thread.  Every function
 * here is called in the thread that runs the event loop; none blocks on the
 * disk but store_open() and reads of pages that are not cached.
 *
 * The promise (design, "Durability"): when an append's request is done
 * without error its events are on disk, and in every snapshot that begins
 * from then on.  Record ids of a channel are strictly
 * increasing, without holes but for recorded gaps, and never used twice.
 *
 * The format is documented in doc/store-format.md; `evenlog verify`
 * (store/verify.h) checks it independently.
 */

#include "base/everr.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* A channel name, [MS-EVEN6] 2.2.1 and facts 2.1: characters, not bytes. */
#define STORE_CHANNEL_NAME_MAX 255
/* Channels of one store; MAX_RPC_CHANNEL_COUNT. */
#define STORE_CHANNELS_MAX 8192
/* Removals until the store is opened again: each leaves a small struct. */
#define STORE_REMOVALS_MAX 65536
/* Records of one block summary. */
#define STORE_BLOCK_RECORDS 1024
/* Events of one append call. */
#define STORE_APPEND_MAX 65536

struct store;
struct store_channel;
struct store_snapshot;
struct store_watch;

struct store_limits {
	uint64_t map_size;	/* sparse; 0: 1 TiB */
	uint64_t disk_reserve;	/* bytes kept free on the file system */
	uint32_t batch_records; /* a commit's bounds */
	uint64_t batch_bytes;
	uint32_t batch_ms;    /* longest wait of a queued append while busy */
	uint64_t queue_bytes; /* appends waiting; beyond: EVERR_LIMIT */
};

/* The values used when a program sets none. */
void store_limits_default(struct store_limits *ret_limits);

struct store_options {
	const char *path; /* directory; created (0700) when missing */
	struct store_limits limits;
	/*
	 * synchronous = off: an append is acknowledged when readers can see
	 * it, and one wait for the disk of the two that a commit takes is left
	 * to the next one.  A power failure may undo the last commit; the file
	 * stays whole, and ids jump past what was acknowledged.
	 */
	bool asynchronous;
	bool read_only; /* no writer thread; the command line's way in */
};

/*
 * Open or create.  ev is the loop whose thread owns the store.
 *
 * EVERR_NOT_FOUND      read_only, and there is no store
 * EVERR_STORE_LOCKED   another process has it open for writing
 * EVERR_STORE_VERSION  a newer format, or none of ours
 * EVERR_STORE_CORRUPT  what is there cannot be read; evenlog verify tells
 * EVERR_STORE_FULL, EVERR_IO, EVERR_NOMEM
 *
 * Freeing the store (talloc) finishes queued appends, stops the writer and
 * closes the files; ev must still be there.  Requests that are still open end
 * in the next turn of the loop, with what became of them.
 *
 * A process opens a store once at a time (LMDB's rule).  A child that it forks
 * must not use it, and may free it.
 */
everr_t store_open(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		   const struct store_options *options,
		   struct store **ret_store) EVERR_MUST_CHECK;

/*
 * The dictionary of the templates; for rendering and the wire form.  Retention
 * removes templates in turns of the loop in which no snapshot is active: what
 * is kept for longer is a template's number, not its address.
 */
struct event_dict *store_dict(struct store *store);

/* ------------------------------------------------------------- origins */

/* Hosts that events came from; a number is 16 bits. */
#define STORE_ORIGINS_MAX 65535

/*
 * The number of a host, without case; a new one gets the next number (durable
 * before it returns: for start-up and configuration changes), in the named
 * state "origin/NNNNN".  EVERR_LIMIT: STORE_ORIGINS_MAX; EVERR_INVALID: empty,
 * longer than 300 bytes or not UTF-8; others as store_channel_define().
 */
everr_t store_origin_number(struct store *store, const char *host,
			    uint16_t *ret_number) EVERR_MUST_CHECK;

/* A transaction of so many new ones is a few milliseconds. */
#define STORE_ORIGINS_AT_ONCE 256

/*
 * Numbers for those of hosts that have none yet, in their order and with one
 * wait for the disk: all of them or none.  Errors as above; EVERR_INVALID also:
 * num is above STORE_ORIGINS_AT_ONCE.
 */
everr_t store_origin_add(struct store *store, const char *const *hosts,
			 size_t num) EVERR_MUST_CHECK;

/* Its host; NULL: no such number.  It belongs to the store. */
const char *store_origin_name(struct store *store, uint16_t number);

/* ------------------------------------------------------------ channels */

/*
 * What a channel's owner sets; the subset of [MS-EVEN6] 2.2.19's channel
 * properties that the store itself obeys.  The rest lies beside it as
 * named state of the room that needs it.
 */
struct store_channel_config {
	bool enabled;
	uint64_t max_bytes; /* retention by size; 0: no limit */
	uint64_t max_age;   /* by age of ReceivedTime, seconds; 0: none */
	/*
	 * At max_bytes appends are refused rather than the oldest records
	 * removed; max_age goes on all the same.
	 */
	bool retain;
	const char *sddl; /* access; NULL: the default of the rpc/ room */
};

struct store_channel_info {
	const char *name; /* as created; compared without case */
	uint32_t id;	  /* stable number inside this store */
	struct store_channel_config config;
	uint64_t creation_time; /* FILETIME */
	uint64_t last_write_time;
	uint64_t oldest_id; /* 0 when the channel is empty */
	uint64_t next_id;   /* id of the next record; from 1 */
	uint64_t num_records;
	uint64_t bytes;	      /* of records, as retention counts them */
	uint64_t num_missing; /* ids lost to recorded gaps, ever */
	/*
	 * At max_bytes with nothing left to trim; with retain, since an append
	 * was refused for it.
	 */
	bool full;
};

/*
 * Find the channel or create it with config (durable before it returns; for
 * start-up and configuration changes, not for the hot path).  An existing
 * channel takes over config.
 *
 * EVERR_NOT_SUPPORTED read_only
 * EVERR_CHANNEL_NAME  empty, too long, a leading '\\', a control character or
 *                     one of < > | \ " : ' * ?
 * EVERR_LIMIT         STORE_CHANNELS_MAX, or a longer SDDL than 65,535 bytes
 * EVERR_STORE_FULL, EVERR_STORE_SYNC, EVERR_NOMEM
 */
everr_t store_channel_define(struct store *store, const char *name,
			     const struct store_channel_config *config,
			     struct store_channel **ret_channel)
	EVERR_MUST_CHECK;

/* Whether a channel can have this name; the rule of EVERR_CHANNEL_NAME. */
bool store_channel_name_valid(const char *name);

/* Without case.  EVERR_CHANNEL_NOT_FOUND. */
everr_t store_channel_find(struct store *store, const char *name,
			   struct store_channel **ret_channel) EVERR_MUST_CHECK;

size_t store_channel_count(struct store *store);
/* index from 0, in the order of their ids; NULL past the end. */
struct store_channel *store_channel_at(struct store *store, size_t index);
const char *store_channel_name(const struct store_channel *channel);

/* As of now; strings belong to the channel. */
void store_channel_info(struct store_channel *channel,
			struct store_channel_info *ret_info);

/*
 * Remove every record of the channel up to and including up_to_id (a backup's
 * last one; UINT64_MAX: all there are when it is carried out), as one durable
 * step in the order of the appends: they are there or gone, never half.  Ids
 * go on from where they were; the gap is recorded with STORE_GAP_CLEARED.  A
 * full disk does not prevent it; the room comes back some time later.
 *
 * EVERR_CHANNEL_NOT_FOUND  it was removed
 * EVERR_STORE_FULL, EVERR_STORE_SYNC, EVERR_STORE_CORRUPT, EVERR_NOT_SUPPORTED,
 * EVERR_NOMEM
 */
struct tevent_req *store_clear_send(TALLOC_CTX *mem_ctx,
				    struct tevent_context *ev,
				    struct store_channel *channel,
				    uint64_t up_to_id);
everr_t store_clear_recv(struct tevent_req *req,
			 uint64_t *ret_num_removed) EVERR_MUST_CHECK;

/*
 * Take the channel out of the store, with its records and config (durable
 * before it returns).  Its struct stays until the store is closed: who still
 * holds it finds it empty, appends get EVERR_CHANNEL_NOT_FOUND, also those
 * that wait, and its watches are called once, in a later turn of the loop.  A
 * channel defined later under the name is another one, which may have the same
 * id, and whose record ids do not repeat.
 *
 * EVERR_NOT_SUPPORTED  read_only
 * EVERR_LIMIT          STORE_REMOVALS_MAX
 * EVERR_STORE_FULL, EVERR_STORE_SYNC, EVERR_STORE_CORRUPT, EVERR_NOMEM
 */
everr_t store_channel_remove(struct store_channel *channel) EVERR_MUST_CHECK;

/* Whether that was done to it. */
bool store_channel_removed(const struct store_channel *channel);

/* -------------------------------------------------------------- append */

struct store_input {
	const uint8_t *doc; /* RPC-form BinXML */
	size_t len;
	/*
	 * Born here: the record id becomes System/EventRecordID.  Collected
	 * and imported events keep their own.
	 */
	bool born_here;
	/*
	 * Where it was collected, store_origin_number(); 0: nowhere, and then
	 * there is no mark.  mark is enum store_origin_mark.
	 */
	uint16_t origin;
	uint8_t origin_mark;
};

/* How sure it is that the host an event came from is the one it names. */
enum store_origin_mark {
	STORE_ORIGIN_NONE,
	STORE_ORIGIN_VERIFIED, /* proved by Kerberos, and Computer agrees */
	STORE_ORIGIN_CLAIMED,  /* NTLM proves no host to us */
	STORE_ORIGIN_MISMATCH  /* Computer is another one */
};

/* Named small state; see below. */
struct store_state {
	const char *name; /* "collect/dc1/Security"; up to 400 bytes */
	const void *data; /* NULL: delete */
	size_t len;	  /* up to 1 MiB */
};

/*
 * Append events, in order, with state that commits in the same transaction.
 * Inputs are copied before the call returns.  All or none of them is stored;
 * the ids are consecutive.  num_inputs may be 0 when there is state; such a
 * call is written even when the disk is full, from the reserve.
 *
 * What is appended to one channel is written in the order of the calls; the
 * channels take turns.  A call may fail and one behind it succeed, so whoever
 * writes state that speaks of events waits for their answer, or sends it in
 * their call.
 *
 * Errors of recv:
 * EVERR_BINXML_*, EVERR_EVENT_TOO_LARGE, EVERR_LIMIT: *ret_bad is the index
 *                     of the first input that is not acceptable
 * EVERR_LIMIT         with *ret_bad == num_inputs: too much is queued, or
 *                     there are too many states
 * EVERR_INVALID       a state's name or size; with *ret_bad < num_inputs: an
 *                     origin that no host has
 * EVERR_CHANNEL_DISABLED
 * EVERR_CHANNEL_NOT_FOUND  it was removed
 * EVERR_CHANNEL_FULL  it retains, and the events would make it too large
 * EVERR_STORE_FULL    no room; may be tried again later
 * EVERR_STORE_SYNC    the disk failed; nothing of it is acknowledged
 * EVERR_STORE_CORRUPT the channel is damaged where it would be written
 * EVERR_NOT_SUPPORTED read_only
 * EVERR_NOMEM
 */
struct tevent_req *store_append_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct store_channel *channel, const struct store_input *inputs,
	size_t num_inputs, const struct store_state *states, size_t num_states);
everr_t store_append_recv(struct tevent_req *req, uint64_t *ret_first_id,
			  size_t *ret_bad) EVERR_MUST_CHECK;

/*
 * Why ids have no record.  All but the first are recorded durably, in the
 * transaction that skips or loses the ids.
 */
enum store_gap_cause {
	STORE_GAP_TRIMMED = 1, /* retention; computed, never stored */
	STORE_GAP_RESTORED,    /* ids skipped after a restore or crash */
	STORE_GAP_DAMAGED,     /* records lost to damage on disk */
	STORE_GAP_CLEARED      /* the channel was cleared */
};

/* --------------------------------------------------------------- read */

struct store_record {
	uint64_t id;
	uint64_t received; /* FILETIME, never decreasing in a channel */
	struct event_header header;
	const uint8_t *data; /* packed event, in the map */
	size_t len;
	uint32_t wire_len; /* bytes of its RPC form */
	uint16_t origin;   /* as in store_input */
	uint8_t origin_mark;
};

/*
 * A consistent view of all channels.  Cheap to take (a renewed LMDB reader)
 * and to be given back within the same turn of the loop: a snapshot that
 * stays open keeps the disk space of everything written since.
 */
everr_t store_snapshot_begin(struct store *store,
			     struct store_snapshot **ret_snapshot)
	EVERR_MUST_CHECK;
void store_snapshot_end(struct store_snapshot *snapshot);

/*
 * The first record with id >= from_id, or with reverse the last one with
 * id <= from_id.  Consecutive reads in one direction cost one step each.
 * Pointers are valid until the snapshot ends.
 *
 * EVERR_END            none
 * EVERR_STORE_CORRUPT  the record's checksum is wrong; *ret_record has its id
 *                      only, and reading may go on past it
 */
everr_t store_read(struct store_snapshot *snapshot,
		   struct store_channel *channel, uint64_t from_id,
		   bool reverse,
		   struct store_record *ret_record) EVERR_MUST_CHECK;

/*
 * Bounds of the channel in this snapshot: oldest id (0 when empty) and the
 * next id to be given.
 */
void store_bounds(struct store_snapshot *snapshot,
		  struct store_channel *channel, uint64_t *ret_oldest_id,
		  uint64_t *ret_next_id);

/*
 * Why ids in [first, last] have no record: the number of them that are
 * missing and the cause of the most of them.  0 missing: all are there.
 */
everr_t store_gap(struct store_snapshot *snapshot,
		  struct store_channel *channel, uint64_t first, uint64_t last,
		  uint64_t *ret_missing,
		  enum store_gap_cause *ret_cause) EVERR_MUST_CHECK;

/*
 * Summary of the block that id lies in (ids first..last inclusive, whose
 * records have TimeCreated between min_time and max_time), so that a time
 * query skips it whole.  EVERR_END: no summary there, read it.
 */
struct store_block {
	uint64_t first_id;
	uint64_t last_id;
	uint64_t min_time;
	uint64_t max_time;
};
everr_t store_block(struct store_snapshot *snapshot,
		    struct store_channel *channel, uint64_t id,
		    struct store_block *ret_block) EVERR_MUST_CHECK;

/* --------------------------------------------------------------- wait */

/*
 * fn is called in the loop after a commit that appended to the channel, once
 * for all of it.  A wake-up is never lost if the caller arms the watch, then
 * looks, then waits.  Freeing the watch disarms it.
 */
typedef void (*store_watch_fn)(struct store_channel *channel,
			       void *private_data);
struct store_watch *store_watch_add(TALLOC_CTX *mem_ctx,
				    struct store_channel *channel,
				    store_watch_fn fn, void *private_data);

/* -------------------------------------------------------------- state */

/*
 * Read named state as last committed; *ret_data is a talloc child of mem_ctx.
 * It is written with store_append_send().  EVERR_NOT_FOUND.
 */
everr_t store_state_get(TALLOC_CTX *mem_ctx, struct store *store,
			const char *name, uint8_t **ret_data,
			size_t *ret_len) EVERR_MUST_CHECK;

/*
 * The first name after `after` ("": from the start) that begins with prefix,
 * in the order of bytes; *ret_name and *ret_data are talloc children of
 * mem_ctx.  Each call has a snapshot of its own, so a long walk may take
 * turns.  EVERR_END: no more.  EVERR_STORE_CORRUPT: that value is damaged; its
 * name is set all the same, so that a walk can go on.
 */
everr_t store_state_next(TALLOC_CTX *mem_ctx, struct store *store,
			 const char *prefix, const char *after, char **ret_name,
			 uint8_t **ret_data, size_t *ret_len) EVERR_MUST_CHECK;

/* ---------------------------------------------------------- statistics */

struct store_stats {
	uint64_t commits;
	uint64_t records; /* appended since opened */
	uint64_t record_bytes;
	uint64_t trimmed; /* removed by retention since opened */
	uint64_t failed_batches;
	uint64_t queued_bytes;
	uint64_t disk_free; /* at the last look */
	uint64_t disk_used; /* by the store's file */
	bool full;	    /* appends are refused for want of room */
};
void store_stats(struct store *store, struct store_stats *ret_stats);

#endif
