/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/variant.h"

#include "base/buf.h"

#include <string.h>

everr_t rpc_variants_create(TALLOC_CTX *mem_ctx, uint32_t num,
			    struct even6_EvtRpcVariantList *ret_list)
{
	struct even6_EvtRpcVariant *props = NULL;

	/* Zero is Null: [MS-EVEN6] 2.2.7. */
	props = talloc_zero_array(mem_ctx, struct even6_EvtRpcVariant, num);
	if (props == NULL) {
		return EVERR_NOMEM;
	}
	*ret_list =
		(struct even6_EvtRpcVariantList){.count = num, .props = props};
	return EVERR_OK;
}

static union even6_EvtRpcVariantUnion *variant_begin(
	struct even6_EvtRpcVariantList *list, uint32_t index,
	enum even6_EvtRpcVariantType type)
{
	list->props[index].type = type;
	return &list->props[index].var;
}

void rpc_variant_boolean(struct even6_EvtRpcVariantList *list, uint32_t index,
			 bool value)
{
	variant_begin(list, index, EvtRpcVarTypeBoolean)->booleanVal = value;
}

void rpc_variant_uint32(struct even6_EvtRpcVariantList *list, uint32_t index,
			uint32_t value)
{
	variant_begin(list, index, EvtRpcVarTypeUInt32)->uint32Val = value;
}

void rpc_variant_uint64(struct even6_EvtRpcVariantList *list, uint32_t index,
			uint64_t value)
{
	variant_begin(list, index, EvtRpcVarTypeUInt64)->uint64Val = value;
}

void rpc_variant_string(struct even6_EvtRpcVariantList *list, uint32_t index,
			const char *text)
{
	if (text == NULL) {
		return;
	}
	variant_begin(list, index, EvtRpcVarTypeString)->stringVal = text;
}

struct GUID rpc_guid(const struct ev_guid *guid)
{
	struct GUID out = {
		.time_low = le32_get(guid->b),
		.time_mid = le16_get(guid->b + 4),
		.time_hi_and_version = le16_get(guid->b + 6),
	};

	memcpy(out.clock_seq, guid->b + 8, sizeof(out.clock_seq));
	memcpy(out.node, guid->b + 10, sizeof(out.node));
	return out;
}

everr_t rpc_variant_guid(struct even6_EvtRpcVariantList *list, uint32_t index,
			 const struct ev_guid *guid)
{
	struct GUID *value = talloc(list->props, struct GUID);

	if (value == NULL) {
		return EVERR_NOMEM;
	}
	*value = rpc_guid(guid);
	variant_begin(list, index, EvtRpcVarTypeGuid)->guidVal = value;
	return EVERR_OK;
}

const char **rpc_variant_strings(struct even6_EvtRpcVariantList *list,
				 uint32_t index, uint32_t num)
{
	const char **ptr = talloc_zero_array(list->props, const char *, num);

	variant_begin(list, index, EvtRpcVarTypeStringArray)->stringArray =
		(struct even6_StringArray){.count = num, .ptr = ptr};
	return ptr;
}

uint32_t *rpc_variant_uint32s(struct even6_EvtRpcVariantList *list,
			      uint32_t index, uint32_t num)
{
	uint32_t *ptr = talloc_zero_array(list->props, uint32_t, num);

	variant_begin(list, index, EvtRpcVarTypeUInt32Array)->uint32Array =
		(struct even6_UInt32Array){.count = num, .ptr = ptr};
	return ptr;
}

uint64_t *rpc_variant_uint64s(struct even6_EvtRpcVariantList *list,
			      uint32_t index, uint32_t num)
{
	uint64_t *ptr = talloc_zero_array(list->props, uint64_t, num);

	variant_begin(list, index, EvtRpcVarTypeUInt64Array)->uint64Array =
		(struct even6_UInt64Array){.count = num, .ptr = ptr};
	return ptr;
}

struct GUID *rpc_variant_guids(struct even6_EvtRpcVariantList *list,
			       uint32_t index, uint32_t num)
{
	struct GUID *ptr = talloc_zero_array(list->props, struct GUID, num);

	variant_begin(list, index, EvtRpcVarTypeGuidArray)->guidArray =
		(struct even6_GuidArray){.count = num, .ptr = ptr};
	return ptr;
}
