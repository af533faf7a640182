/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Log handles, opnums 17 and 18: [MS-EVEN6] 3.1.4.19 and 3.1.4.22; facts 4.5.
 */

#include "base/buf.h"
#include "event/event.h"
#include "idl/even6_server.h"
#include "rpc/internal.h"
#include "rpc/target.h"

/* FILE_ATTRIBUTE_ARCHIVE, as live logs have it. */
#define LOG_ATTRIBUTE_ARCHIVE 0x20

struct log_handle {
	struct store_channel *channel;
};

static everr_t log_open(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			const char *name, struct policy_handle *wire)
{
	struct rpc_service *service = rpc_call_service(call);
	struct store_channel *channel = NULL;
	struct log_handle *log = NULL;
	everr_t err;

	err = store_channel_find(service->store, name, &channel);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_access_check(call, channel, RPC_ACCESS_READ);
	if (err != EVERR_OK) {
		return err;
	}
	log = talloc_zero(mem_ctx, struct log_handle);
	if (log == NULL) {
		return EVERR_NOMEM;
	}
	log->channel = channel;
	return rpc_handle_create(call, RPC_HANDLE_LOG, log, wire);
}

WERROR dcesrv_even6_EvtRpcOpenLogHandle(struct dcesrv_call_state *call,
					TALLOC_CTX *mem_ctx,
					struct even6_EvtRpcOpenLogHandle *r)
{
	WERROR werr;

	switch (r->in.flags) {
	case EVEN6_OPEN_CHANNEL_PATH:
		werr = rpc_werror(
			log_open(call, mem_ctx, r->in.channel, r->out.handle));
		break;
	case EVEN6_OPEN_FILE_PATH:
		werr = WERR_NOT_SUPPORTED;
		break;
	default:
		werr = WERR_INVALID_PARAMETER;
		break;
	}
	rpc_info_set(r->out.error, werr);
	return werr;
}

/* A BinXmlVariant, [MS-EVEN6] 2.2.18: 8 bytes of value, count, type. */
static void variant_set(uint8_t *out, uint32_t type, uint64_t value)
{
	le64_set(out, value);
	le32_set(out + 8, 1);
	le32_set(out + 12, type);
}

static bool log_property(const struct store_channel_info *info, uint32_t id,
			 uint8_t *out)
{
	switch (id) {
	case EVEN6_LOG_CREATION_TIME:
		variant_set(out, EVENT_TYPE_FILETIME, info->creation_time);
		return true;
	case EVEN6_LOG_LAST_ACCESS_TIME:
	case EVEN6_LOG_LAST_WRITE_TIME:
		variant_set(out, EVENT_TYPE_FILETIME, info->last_write_time);
		return true;
	case EVEN6_LOG_FILE_SIZE:
		variant_set(out, EVENT_TYPE_UINT64, info->bytes);
		return true;
	case EVEN6_LOG_ATTRIBUTES:
		variant_set(out, EVENT_TYPE_UINT32, LOG_ATTRIBUTE_ARCHIVE);
		return true;
	case EVEN6_LOG_NUMBER_OF_LOG_RECORDS:
		variant_set(out, EVENT_TYPE_UINT64, info->num_records);
		return true;
	case EVEN6_LOG_OLDEST_RECORD_NUMBER:
		variant_set(out, EVENT_TYPE_UINT64, info->oldest_id);
		return true;
	case EVEN6_LOG_FULL:
		variant_set(out, EVENT_TYPE_BOOL, info->full);
		return true;
	default:
		return false;
	}
}

WERROR dcesrv_even6_EvtRpcGetLogFileInfo(struct dcesrv_call_state *call,
					 TALLOC_CTX *mem_ctx,
					 struct even6_EvtRpcGetLogFileInfo *r)
{
	uint32_t size = r->in.propertyValueBufferSize;
	uint8_t variant[EVEN6_LOG_PROPERTY_SIZE];
	struct store_channel_info info;
	struct log_handle *log = NULL;
	void *object = NULL;
	everr_t err;

	(void)mem_ctx;
	err = rpc_handle_lookup(call, r->in.logHandle, RPC_HANDLE_LOG, &object);
	if (err != EVERR_OK) {
		return rpc_werror(err);
	}
	log = talloc_get_type_abort(object, struct log_handle);
	store_channel_info(log->channel, &info);
	if (!log_property(&info, r->in.propertyId, variant)) {
		return WERR_INVALID_PARAMETER;
	}

	/* The dispatch made the buffer, of the size that was asked for. */
	*r->out.propertyValueBufferLength = sizeof(variant);
	if (size < sizeof(variant)) {
		return WERR_INSUFFICIENT_BUFFER;
	}
	memcpy(r->out.propertyValueBuffer, variant, sizeof(variant));
	return WERR_OK;
}
