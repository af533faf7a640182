/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_PROPERTIES_H
#define EVENLOG_RPC_PROPERTIES_H

/*
 * The 21 properties of a channel, [MS-EVEN6] 3.1.4.21 and facts 12.1: what
 * each one is, which values it takes, and its forms in memory, on the wire
 * and in the store.  Pure: no channel, no disk.
 */

#include "base/buf.h"
#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct even6_EvtRpcVariant;
struct even6_EvtRpcVariantList;

/* The position in opnum 20's list. */
enum rpc_property {
	RPC_PROPERTY_ENABLED,	       /* boolean */
	RPC_PROPERTY_ISOLATION,	       /* enum rpc_isolation */
	RPC_PROPERTY_TYPE,	       /* enum rpc_channel_type */
	RPC_PROPERTY_OWNING_PUBLISHER, /* text */
	RPC_PROPERTY_CLASSIC,	       /* boolean */
	RPC_PROPERTY_ACCESS,	       /* SDDL */
	RPC_PROPERTY_RETENTION,	       /* boolean */
	RPC_PROPERTY_AUTO_BACKUP,      /* boolean */
	RPC_PROPERTY_MAX_SIZE,	       /* bytes */
	RPC_PROPERTY_LOG_FILE_PATH,    /* text */
	RPC_PROPERTY_LEVEL,	       /* number */
	RPC_PROPERTY_KEYWORDS,	       /* bits */
	RPC_PROPERTY_CONTROL_GUID,     /* zero, always */
	RPC_PROPERTY_BUFFER_SIZE,      /* KiB */
	RPC_PROPERTY_MIN_BUFFERS,
	RPC_PROPERTY_MAX_BUFFERS,
	RPC_PROPERTY_LATENCY,
	RPC_PROPERTY_CLOCK_TYPE,
	RPC_PROPERTY_SID_TYPE,
	RPC_PROPERTY_PUBLISHER_LIST, /* names */
	RPC_PROPERTY_FILE_MAX,	     /* number */
	RPC_PROPERTIES
};

#define RPC_PROPERTY_BIT(property) (1U << (property))

enum rpc_isolation {
	RPC_ISOLATION_APPLICATION,
	RPC_ISOLATION_SYSTEM,
	RPC_ISOLATION_CUSTOM
};

enum rpc_channel_type {
	RPC_CHANNEL_ADMIN,
	RPC_CHANNEL_OPERATIONAL,
	RPC_CHANNEL_ANALYTIC, /* this one and the next are "direct" */
	RPC_CHANNEL_DEBUG
};

/* UTF-8 bytes of a path; names of PublisherList. */
#define RPC_PROPERTY_PATH_MAX 4096
#define RPC_PROPERTY_PUBLISHERS_MAX 1024
/* UTF-16 units of a publisher's name, facts 2.1. */
#define RPC_PROPERTY_PUBLISHER_MAX 255
/* Bytes of rpc_properties_pack(). */
#define RPC_PROPERTIES_PACKED_MAX (512 * 1024)
/* MaxSize: multiples of this, and at least and at most so much. */
#define RPC_MAX_SIZE_STEP (64 * UINT64_C(1024))
#define RPC_MAX_SIZE_LEAST (UINT64_C(1024) * 1024)
#define RPC_MAX_SIZE_MOST (UINT64_C(64) << 40)

/* A value; which member counts is the property's matter. */
struct rpc_value {
	uint64_t number;
	const char *text; /* or the list's memory */
	const char *const *list;
	size_t num_list;
};

/* Some of a channel's properties.  Text and lists are talloc children. */
struct rpc_properties {
	uint32_t set; /* bits of those that have a value here */
	struct rpc_value values[RPC_PROPERTIES];
};

/* None set; NULL: no memory. */
struct rpc_properties *rpc_properties_create(TALLOC_CTX *mem_ctx);

/* "MaxSize", as [MS-EVEN6] and wevtutil's manual name it. */
const char *rpc_property_name(enum rpc_property property);

/* For a value of our own; unchecked. */
void rpc_properties_set_number(struct rpc_properties *properties,
			       enum rpc_property property, uint64_t number);
/* EVERR_NOMEM */
everr_t rpc_properties_set_text(struct rpc_properties *properties,
				enum rpc_property property,
				const char *text) EVERR_MUST_CHECK;

/* Whether both have the property with the same value, or neither has it. */
bool rpc_properties_same(const struct rpc_properties *a,
			 const struct rpc_properties *b,
			 enum rpc_property property);

/* Take over every property that over has.  EVERR_NOMEM */
everr_t rpc_properties_overlay(struct rpc_properties *properties,
			       const struct rpc_properties *over)
	EVERR_MUST_CHECK;

void rpc_properties_unset(struct rpc_properties *properties,
			  enum rpc_property property);

/*
 * What opnum 20 shows of a channel that says nothing else (facts 12.1).
 * OwningPublisher, Access and PublisherList have no value then.
 * EVERR_NOMEM
 */
everr_t rpc_properties_defaults(struct rpc_properties *properties,
				const char *channel) EVERR_MUST_CHECK;

/* ------------------------------------------------------------ the wire */

/* A change as opnum 21 asks for it. */
struct rpc_property_changes {
	struct rpc_properties *to;
	uint32_t reset; /* properties that lose their value: a Null */
};

/*
 * Read the entries that the client has marked as changed (facts 4.6); the
 * others say nothing.  MaxSize comes out rounded up.  On failure *ret_property
 * is the index of the entry that is wrong.
 *
 * EVERR_INVALID          0x57: no such property, another type than the
 *                        property's, or out of its range
 * EVERR_TEXT             0xD: the access string cannot be read
 * EVERR_NOT_CHANGEABLE   0x10DD: nobody can set it here
 * EVERR_NOMEM
 */
everr_t rpc_properties_read(TALLOC_CTX *mem_ctx,
			    const struct even6_EvtRpcVariantList *list,
			    struct rpc_property_changes **ret_changes,
			    uint32_t *ret_property) EVERR_MUST_CHECK;

/* All 21, those without a value as Null; flags are 0.  EVERR_NOMEM */
everr_t rpc_properties_write(
	TALLOC_CTX *mem_ctx, const struct rpc_properties *properties,
	struct even6_EvtRpcVariantList *ret_list) EVERR_MUST_CHECK;

/* ----------------------------------------------------------- the store */

/*
 * As bytes, doc/store-format.md "state of rpc/".  Reading checks every value
 * as opnum 21 does.
 *
 * EVERR_LIMIT          more than RPC_PROPERTIES_PACKED_MAX bytes
 * EVERR_STORE_CORRUPT  they are not ours, or a value cannot be
 * EVERR_STORE_VERSION  of a later version
 * EVERR_NOMEM
 */
everr_t rpc_properties_pack(struct buf *out,
			    const struct rpc_properties *properties)
	EVERR_MUST_CHECK;
everr_t rpc_properties_unpack(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
	struct rpc_properties **ret_properties) EVERR_MUST_CHECK;

#endif
