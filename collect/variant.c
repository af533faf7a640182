/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/variant.h"

#include "base/buf.h"

#include <string.h>

/* The entry, if it is of that type. */
static const union even6_EvtRpcVariantUnion *variant_at(
	const struct even6_EvtRpcVariantList *list, uint32_t index,
	enum even6_EvtRpcVariantType type)
{
	if (list->props == NULL || index >= list->count ||
	    list->props[index].type != type) {
		return NULL;
	}
	return &list->props[index].var;
}

void collect_variant_uint32(const struct even6_EvtRpcVariantList *list,
			    uint32_t index, uint32_t *ret_value)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeUInt32);

	if (var != NULL) {
		*ret_value = var->uint32Val;
	}
}

void collect_variant_uint64(const struct even6_EvtRpcVariantList *list,
			    uint32_t index, uint64_t *ret_value)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeUInt64);

	if (var != NULL) {
		*ret_value = var->uint64Val;
	}
}

struct ev_guid collect_guid(const struct GUID *guid)
{
	struct ev_guid out;

	le32_set(out.b, guid->time_low);
	le16_set(out.b + 4, guid->time_mid);
	le16_set(out.b + 6, guid->time_hi_and_version);
	memcpy(out.b + 8, guid->clock_seq, sizeof(guid->clock_seq));
	memcpy(out.b + 10, guid->node, sizeof(guid->node));
	return out;
}

void collect_variant_guid(const struct even6_EvtRpcVariantList *list,
			  uint32_t index, struct ev_guid *ret_value)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeGuid);

	if (var != NULL && var->guidVal != NULL) {
		*ret_value = collect_guid(var->guidVal);
	}
}

everr_t collect_variant_string(const struct even6_EvtRpcVariantList *list,
			       uint32_t index, TALLOC_CTX *mem_ctx,
			       const char **ret_text)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeString);
	const char *text = NULL;

	if (var == NULL || var->stringVal == NULL) {
		return EVERR_OK;
	}
	text = talloc_strdup(mem_ctx, var->stringVal);
	if (text == NULL) {
		return EVERR_NOMEM;
	}
	*ret_text = text;
	return EVERR_OK;
}

const struct even6_StringArray *collect_variant_strings(
	const struct even6_EvtRpcVariantList *list, uint32_t index)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeStringArray);

	if (var == NULL ||
	    (var->stringArray.ptr == NULL && var->stringArray.count > 0)) {
		return NULL;
	}
	return &var->stringArray;
}

const struct even6_UInt32Array *collect_variant_uint32s(
	const struct even6_EvtRpcVariantList *list, uint32_t index)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeUInt32Array);

	if (var == NULL ||
	    (var->uint32Array.ptr == NULL && var->uint32Array.count > 0)) {
		return NULL;
	}
	return &var->uint32Array;
}

const struct even6_UInt64Array *collect_variant_uint64s(
	const struct even6_EvtRpcVariantList *list, uint32_t index)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeUInt64Array);

	if (var == NULL ||
	    (var->uint64Array.ptr == NULL && var->uint64Array.count > 0)) {
		return NULL;
	}
	return &var->uint64Array;
}

const struct even6_GuidArray *collect_variant_guids(
	const struct even6_EvtRpcVariantList *list, uint32_t index)
{
	const union even6_EvtRpcVariantUnion *var =
		variant_at(list, index, EvtRpcVarTypeGuidArray);

	if (var == NULL ||
	    (var->guidArray.ptr == NULL && var->guidArray.count > 0)) {
		return NULL;
	}
	return &var->guidArray;
}

const char *collect_text_copy(TALLOC_CTX *mem_ctx, const char *text)
{
	return talloc_strdup(mem_ctx, text != NULL ? text : "");
}

everr_t collect_strings_copy(TALLOC_CTX *mem_ctx, const char **texts,
			     uint32_t num, const char ***ret_texts)
{
	const char **copy = NULL;
	uint32_t i;

	copy = talloc_zero_array(mem_ctx, const char *, (size_t)num + 1);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		copy[i] = collect_text_copy(copy, texts[i]);
		if (copy[i] == NULL) {
			TALLOC_FREE(copy);
			return EVERR_NOMEM;
		}
	}
	*ret_texts = copy;
	return EVERR_OK;
}
