/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_VARIANT_H
#define EVENLOG_RPC_VARIANT_H

/*
 * Lists of properties as replies have them, [MS-EVEN6] 2.2.8 and 2.2.9: made
 * with every entry Null, then filled in by index.
 *
 * Memory hangs on the list's entries.  Strings are not copied: they live until
 * the reply has been sent, which is before the method's turn ends.
 */

#include "base/everr.h"
#include "base/guid.h"
#include "idl/even6.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

/* EVERR_NOMEM */
everr_t rpc_variants_create(TALLOC_CTX *mem_ctx, uint32_t num,
			    struct even6_EvtRpcVariantList *ret_list)
	EVERR_MUST_CHECK;

void rpc_variant_boolean(struct even6_EvtRpcVariantList *list, uint32_t index,
			 bool value);
void rpc_variant_uint32(struct even6_EvtRpcVariantList *list, uint32_t index,
			uint32_t value);
void rpc_variant_uint64(struct even6_EvtRpcVariantList *list, uint32_t index,
			uint64_t value);
/* text NULL: the entry stays Null. */
void rpc_variant_string(struct even6_EvtRpcVariantList *list, uint32_t index,
			const char *text);
/* EVERR_NOMEM */
everr_t rpc_variant_guid(struct even6_EvtRpcVariantList *list, uint32_t index,
			 const struct ev_guid *guid) EVERR_MUST_CHECK;

/*
 * Arrays of num elements, zeroed, for the caller to fill; NULL: out of memory.
 * An array of none is there all the same and not a NULL pointer.
 */
const char **rpc_variant_strings(struct even6_EvtRpcVariantList *list,
				 uint32_t index, uint32_t num);
uint32_t *rpc_variant_uint32s(struct even6_EvtRpcVariantList *list,
			      uint32_t index, uint32_t num);
uint64_t *rpc_variant_uint64s(struct even6_EvtRpcVariantList *list,
			      uint32_t index, uint32_t num);
struct GUID *rpc_variant_guids(struct even6_EvtRpcVariantList *list,
			       uint32_t index, uint32_t num);

/* A GUID of ours as Samba's structure. */
struct GUID rpc_guid(const struct ev_guid *guid);

#endif
