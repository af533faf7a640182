/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_IMAGE_H
#define EVENLOG_STORE_IMAGE_H

/*
 * LMDB's data file, read without LMDB.
 *
 * LMDB trusts its pages: a flipped bit in one can make it crash or lead a
 * search astray without a word.  The checker therefore walks the pages by
 * itself, with every number checked before it is used and every page read by
 * a call that can fail, not from a map.  The layout it relies on is LMDB's
 * data version 1 on 64-bit little-endian machines; doc/store-format.md, "The
 * file underneath", has all of it.
 *
 * What is wrong is told to a store_verify_fn; a walk goes on past it where
 * that can be done.  LMDB itself is used for one thing: to hold a snapshot,
 * so that a store in use can be read.
 */

#include "base/everr.h"
#include "store/verify.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct store_image;

/* Flags of a table and of an item that a walk hands out. */
#define STORE_IMAGE_INTEGER_KEY 0x08
#define STORE_IMAGE_SUBTREE 0x02

/* A B+tree: a table, as its descriptor says it is. */
struct store_image_tree {
	const char *name; /* for reports; the caller's */
	uint16_t flags;
	uint16_t depth;
	uint64_t branch_pages;
	uint64_t leaf_pages;
	uint64_t overflow_pages;
	uint64_t entries;
	uint64_t root;
};

/*
 * Open the store directory's data file and take a snapshot.  Not for a
 * process that has the same store open: closing would give up its lock.
 *
 * EVERR_NOT_FOUND      no data file
 * EVERR_STORE_VERSION  another version of LMDB's format
 * EVERR_STORE_CORRUPT  no usable meta page; told to fn
 * EVERR_IO, EVERR_NOMEM
 */
everr_t store_image_open(TALLOC_CTX *mem_ctx, const char *path,
			 store_verify_fn fn, void *private_data,
			 struct store_image **ret_image) EVERR_MUST_CHECK;

/*
 * Whether LMDB can be let near the file: it believes what the meta pages say,
 * and a page that the file does not have is a SIGBUS to it.  (Pages at the end
 * may be missing when they are free: LMDB gave them back before it wrote
 * them.)  alone: nobody else has the store open.
 *
 * EVERR_STORE_CORRUPT  it cannot
 * EVERR_NOT_FOUND, EVERR_STORE_VERSION, EVERR_IO, EVERR_NOMEM
 */
everr_t store_image_check(const char *path, bool alone) EVERR_MUST_CHECK;

/* The table of tables. */
const struct store_image_tree *store_image_main(
	const struct store_image *image);

/*
 * Read the descriptor that an item with STORE_IMAGE_SUBTREE holds.
 * EVERR_STORE_CORRUPT  it is none
 */
everr_t store_image_subtree(const char *name, const uint8_t *data, size_t len,
			    struct store_image_tree *ret_tree) EVERR_MUST_CHECK;

/* An item of a table, in the order of its keys; valid during the call. */
typedef void (*store_image_item_fn)(const uint8_t *key, size_t key_len,
				    const uint8_t *data, size_t len,
				    unsigned int flags, void *private_data);

/*
 * Check the table's pages and hand out its items.  Damage is told, not
 * returned: EVERR_NOMEM is the only error.
 */
everr_t store_image_walk(struct store_image *image,
			 const struct store_image_tree *tree,
			 store_image_item_fn fn,
			 void *private_data) EVERR_MUST_CHECK;

/*
 * After all tables were walked: check the list of free pages and that every
 * page is either used once or free.
 */
everr_t store_image_finish(struct store_image *image) EVERR_MUST_CHECK;

/* Pages seen so far and pages there are; bytes of the latter. */
uint64_t store_image_pages_done(const struct store_image *image);
uint64_t store_image_pages(const struct store_image *image);
uint64_t store_image_bytes(const struct store_image *image);

#endif
