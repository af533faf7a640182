/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_HASH_H
#define EVENLOG_SOAP_WSUS_HASH_H

/*
 * A hash table of structures that carry their own links.  Its keys come from
 * the network, so the hash has a secret (SipHash-1-3) and nobody can choose
 * keys that meet in one bucket.
 */

#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct wsus_link {
	struct wsus_link *next;
	uint64_t hash;
};

struct wsus_hash {
	struct wsus_link **buckets; /* a power of two */
	size_t num_buckets;
	size_t num;
	uint64_t secret[2];
};

/* EVERR_NOMEM; EVERR_IO: no random bytes. */
everr_t wsus_hash_init(TALLOC_CTX *mem_ctx,
		       struct wsus_hash *ret_table) EVERR_MUST_CHECK;

uint64_t wsus_hash_of(const struct wsus_hash *table, const void *key,
		      size_t len);

/* The link's hash is set.  Grows as it can; without memory it gets slower. */
void wsus_hash_add(struct wsus_hash *table, struct wsus_link *link);
void wsus_hash_remove(struct wsus_hash *table, struct wsus_link *link);

/* The links that have this hash: the first, and the next after one. */
struct wsus_link *wsus_hash_first(const struct wsus_hash *table, uint64_t hash);
struct wsus_link *wsus_hash_next(const struct wsus_link *link);

#endif
