/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_CATALOG_H
#define EVENLOG_EVENT_CATALOG_H

/*
 * All publishers of a service, from its manifests, and the server's default
 * publisher: the standard names and texts of levels, tasks, opcodes, keywords
 * and channels ([MS-EVEN6] 3.1.4.31, 3.1.4.32; facts 12.3, 12.6).
 *
 * A catalog is filled, then only read.  A new configuration makes a new one;
 * whoever holds on to an old one keeps a talloc_reference().
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/manifest.h"

/* Publishers of a catalog; MAX_RPC_PUBLISHER_COUNT. */
#define EVENT_CATALOG_PUBLISHERS_MAX 8192

struct event_catalog;

/* With Evenlog's own publisher (event ids of store/operational.h) in it. */
struct event_catalog *event_catalog_create(TALLOC_CTX *mem_ctx);

/*
 * Take the publishers of a manifest, which becomes the catalog's child.
 * EVERR_EXISTS  a publisher of that name or GUID is there; *ret_name is it,
 *               and nothing was taken
 * EVERR_LIMIT, EVERR_NOMEM
 */
everr_t event_catalog_add(struct event_catalog *catalog,
			  struct event_manifest *manifest,
			  const char **ret_name) EVERR_MUST_CHECK;

size_t event_catalog_count(const struct event_catalog *catalog);
/* In order of their names without case. */
const struct event_publisher *event_catalog_at(
	const struct event_catalog *catalog, size_t index);
/* By name without case, or by "{guid}"; NULL: none. */
const struct event_publisher *event_catalog_find(
	const struct event_catalog *catalog, const char *name);
/* The file of the manifest that a publisher of the catalog is from. */
const char *event_catalog_file(const struct event_catalog *catalog,
			       const struct event_publisher *publisher);
/* The server's default publisher; never NULL. */
const struct event_publisher *event_catalog_default(
	const struct event_catalog *catalog);

/* ------------------------------------------------------------- messages */

/* Inserts of one message (%1 to %99) and bytes of a result. */
#define EVENT_MESSAGE_INSERTS_MAX 99
#define EVENT_MESSAGE_MAX 2097152

/*
 * The text of a message id.  lcid 0: the first culture that has it, English
 * before others.  A concrete lcid: that culture, then one of the same
 * language, then, unless exact, the publisher's first.  NULL: there is none.
 */
const char *event_publisher_message(const struct event_publisher *publisher,
				    uint32_t id, uint32_t lcid, bool exact);

/*
 * Put inserts into a message as FormatMessage does (facts 12.6): %1..%99 with
 * an optional !format!, %%n from the publisher's parameter texts (NULL: none),
 * %n %r %t %b %. %! %% %0.  %n and the line ends of the text itself become
 * \r\n.  A missing insert or parameter stays as it is written.  Parameters are
 * put into inserts, too.  Appends UTF-8.
 *
 * EVERR_LIMIT  longer than EVENT_MESSAGE_MAX, or out is full
 * EVERR_NOMEM
 */
everr_t event_message_format(struct buf *out,
			     const struct event_publisher *publisher,
			     uint32_t lcid, const char *message,
			     const char *const *inserts,
			     size_t num_inserts) EVERR_MUST_CHECK;

/*
 * Names for a person, from the publisher (NULL: not known here), else from
 * the default one; NULL: nobody has one.
 */
const char *event_catalog_level(const struct event_catalog *catalog,
				const struct event_publisher *publisher,
				uint8_t level, uint32_t lcid);
const char *event_catalog_task(const struct event_catalog *catalog,
			       const struct event_publisher *publisher,
			       uint32_t task, uint32_t lcid);
const char *event_catalog_opcode(const struct event_catalog *catalog,
				 const struct event_publisher *publisher,
				 uint32_t task, uint8_t opcode, uint32_t lcid);
/* The keyword of one bit. */
const char *event_catalog_keyword(const struct event_catalog *catalog,
				  const struct event_publisher *publisher,
				  uint64_t bit, uint32_t lcid);

#endif
