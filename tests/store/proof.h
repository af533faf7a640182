/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_STORE_PROOF_H
#define EVENLOG_TESTS_STORE_PROOF_H

/*
 * What the crash and fault proofs share: events that carry a number, the
 * account of what a writer was told, and its comparison with what a store
 * holds.
 */

#include "base/buf.h"
#include "store/store.h"
#include "store/verify.h"

#include <talloc.h>

/*
 * "Kept" keeps all; "Trimmed" keeps PROOF_TRIM_BYTES; "Erased" is cleared and
 * removed now and then.
 */
enum {
	PROOF_KEPT,
	PROOF_TRIMMED,
	PROOF_ERASED,
	PROOF_CHANNELS
};
extern const char *const proof_channels[PROOF_CHANNELS];
#define PROOF_TRIM_BYTES 60000

/* Append an event with the number; kind chooses one of many templates. */
everr_t proof_event(struct buf *out, const char *channel, uint64_t seq,
		    unsigned int kind, size_t pad);

/* The number in a record; false: it is not one of ours. */
bool proof_seq(const struct store_record *record, uint64_t *ret_seq);

/* Ids first_id.. got the events first_seq.., as an append was answered. */
struct proof_range {
	uint64_t first_id;
	uint64_t first_seq;
	uint64_t count;
};

struct proof_ranges {
	struct proof_range *ranges;
	size_t num;
};

struct proof_account {
	struct proof_ranges acked[PROOF_CHANNELS];
	struct proof_ranges failed[PROOF_CHANNELS]; /* first_id is 0 */
	/* Ids up to which "Erased" was to be emptied, in their order. */
	uint64_t *erasures;
	size_t num_erasures;
	uint64_t erased; /* the last of them that was answered */
};

/*
 * Take over one line of a writer: "A channel first_id first_seq count" or
 * "F channel error first_seq count"; "B channel last_id 0 0" before it erases
 * something, and "C channel last_id 0 0" after.  False: it is none.
 */
bool proof_account_line(TALLOC_CTX *mem_ctx, struct proof_account *account,
			const char *line);
uint64_t proof_account_count(const struct proof_ranges *ranges);

/* What a store holds, held against an account. */
struct proof_outcome {
	everr_t err; /* of opening it for reading */
	uint64_t records;
	uint64_t lost;	   /* acknowledged, not there, not trimmed */
	uint64_t changed;  /* acknowledged, but another event is there */
	uint64_t repeated; /* an event that is there twice */
	uint64_t failed;   /* refused, but there */
	uint64_t torn;	   /* state that did not commit with its events */
	uint64_t undead;   /* an erasure that was answered and is not done */
};

void proof_compare(TALLOC_CTX *mem_ctx, const char *dir,
		   const struct proof_account *account,
		   struct proof_outcome *ret_outcome);

/* Errors of store_verify(), the first of them in text; its own in *ret_err. */
uint64_t proof_verify(TALLOC_CTX *mem_ctx, const char *dir, char text[256],
		      everr_t *ret_err);

/* Limits for small stores. */
void proof_options(const char *dir, struct store_options *ret_options);

/* A fresh directory under $TMPDIR or /tmp, and its removal with its files. */
char *proof_dir(TALLOC_CTX *mem_ctx);
void proof_dir_remove(const char *dir);
/* LMDB's and the writer's lock files, which a crash image has not. */
void proof_locks_remove(const char *dir);

/* Where the build put a test's helper, such as "tests/store/iotrace.so". */
char *proof_built(TALLOC_CTX *mem_ctx, const char *path);

#endif
