/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_VARIANT_H
#define EVENLOG_COLLECT_VARIANT_H

/*
 * Properties out of a service's lists, [MS-EVEN6] 2.2.8 and 2.2.9.  The list
 * may be shorter than it should be, and an entry of any type.
 */

#include "base/everr.h"
#include "base/guid.h"
#include "idl/even6.h"

#include <stdint.h>
#include <talloc.h>

/* Set *ret_value where there is such a value; else leave it. */
void collect_variant_uint32(const struct even6_EvtRpcVariantList *list,
			    uint32_t index, uint32_t *ret_value);
void collect_variant_uint64(const struct even6_EvtRpcVariantList *list,
			    uint32_t index, uint64_t *ret_value);
void collect_variant_guid(const struct even6_EvtRpcVariantList *list,
			  uint32_t index, struct ev_guid *ret_value);
/* A copy, child of mem_ctx.  EVERR_NOMEM */
everr_t collect_variant_string(const struct even6_EvtRpcVariantList *list,
			       uint32_t index, TALLOC_CTX *mem_ctx,
			       const char **ret_text) EVERR_MUST_CHECK;

/* NULL: not there, of another type, or a count without elements. */
const struct even6_StringArray *collect_variant_strings(
	const struct even6_EvtRpcVariantList *list, uint32_t index);
const struct even6_UInt32Array *collect_variant_uint32s(
	const struct even6_EvtRpcVariantList *list, uint32_t index);
const struct even6_UInt64Array *collect_variant_uint64s(
	const struct even6_EvtRpcVariantList *list, uint32_t index);
const struct even6_GuidArray *collect_variant_guids(
	const struct even6_EvtRpcVariantList *list, uint32_t index);

struct ev_guid collect_guid(const struct GUID *guid);

/* A copy; NULL becomes an empty text. */
const char *collect_text_copy(TALLOC_CTX *mem_ctx, const char *text);

/* The same of many, the list ended by NULL.  EVERR_NOMEM */
everr_t collect_strings_copy(TALLOC_CTX *mem_ctx, const char **texts,
			     uint32_t num,
			     const char ***ret_texts) EVERR_MUST_CHECK;

#endif
