/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/idl/cases.h"

#include "idl/ndr_control.h"
#include "idl/ndr_even6.h"
#include "tests/idl/ndr_sample.h"

#include <stdlib.h>
#include <string.h>

/* What the longest of what the tests push takes. */
#define PUSH_ROOM ((size_t)16 << 20)

static const struct policy_handle handle_a = {
	.handle_type = 0,
	.uuid = {0x01020304,
		 0x0506,
		 0x0708,
		 {0x09, 0x0a},
		 {0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10}},
};
static const struct policy_handle handle_b = {
	.handle_type = 0,
	.uuid = {0x11121314,
		 0x1516,
		 0x1718,
		 {0x19, 0x1a},
		 {0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20}},
};

/* Copies into the case's memory; without memory the test program ends. */
static void *copy(TALLOC_CTX *mem_ctx, const void *data, size_t size)
{
	void *p = talloc_memdup(mem_ctx, data, size);

	if (p == NULL) {
		abort();
	}
	return p;
}

static uint32_t *number(TALLOC_CTX *mem_ctx, uint32_t v)
{
	return copy(mem_ctx, &v, sizeof(v));
}

static struct policy_handle *handle(TALLOC_CTX *mem_ctx,
				    const struct policy_handle *h)
{
	return copy(mem_ctx, h, sizeof(*h));
}

/* even6 */

static struct even6_RpcInfo *info(TALLOC_CTX *mem_ctx, uint32_t v)
{
	struct even6_RpcInfo i = {v, v == 0 ? 0 : 2, v == 0 ? 0 : 3};

	return copy(mem_ctx, &i, sizeof(i));
}

static struct even6_EvtRpcQueryChannelInfo **channels(TALLOC_CTX *mem_ctx)
{
	struct even6_EvtRpcQueryChannelInfo c[] = {
		{"Application", 0},
		{"Microsoft-Windows-Backup/Operational", 0},
	};
	void *p = copy(mem_ctx, c, sizeof(c));

	return copy(mem_ctx, &p, sizeof(p));
}

/* One of each type, in the order of their numbers. */
static struct even6_EvtRpcVariantList *variants(TALLOC_CTX *mem_ctx)
{
	uint8_t booleans[] = {1, 0, 1};
	uint32_t numbers[] = {7, 8};
	uint64_t larges[] = {0x1122334455667788, 9};
	const char *strings[] = {"a", "bc", NULL};
	struct even6_EvtRpcVariant v[12] = {};
	struct even6_EvtRpcVariantList l = {12, NULL};

	v[0].type = EvtRpcVarTypeNull;
	v[1].type = EvtRpcVarTypeBoolean;
	v[1].var.booleanVal = 1;
	v[2].type = EvtRpcVarTypeUInt32;
	v[2].flags = EVEN6_VAR_FLAGS_MODIFIED;
	v[2].var.uint32Val = 0xdeadbeef;
	v[3].type = EvtRpcVarTypeUInt64;
	v[3].var.uint64Val = 0x0102030405060708;
	v[4].type = EvtRpcVarTypeString;
	v[4].var.stringVal = "x\xc3\xa4";
	v[5].type = EvtRpcVarTypeGuid;
	v[5].var.guidVal = copy(mem_ctx, &handle_a.uuid, sizeof(handle_a.uuid));
	v[6].type = EvtRpcVarTypeBooleanArray;
	v[6].var.booleanArray.count = 3;
	v[6].var.booleanArray.ptr = copy(mem_ctx, booleans, sizeof(booleans));
	v[7].type = EvtRpcVarTypeUInt32Array;
	v[7].var.uint32Array.count = 2;
	v[7].var.uint32Array.ptr = copy(mem_ctx, numbers, sizeof(numbers));
	v[8].type = EvtRpcVarTypeUInt64Array;
	v[8].var.uint64Array.count = 2;
	v[8].var.uint64Array.ptr = copy(mem_ctx, larges, sizeof(larges));
	v[9].type = EvtRpcVarTypeStringArray;
	v[9].var.stringArray.count = 3;
	v[9].var.stringArray.ptr = copy(mem_ctx, strings, sizeof(strings));
	v[10].type = EvtRpcVarTypeGuidArray;
	v[10].var.guidArray.count = 1;
	v[10].var.guidArray.ptr =
		copy(mem_ctx, &handle_b.uuid, sizeof(handle_b.uuid));
	/* Without elements, but there. */
	v[11].type = EvtRpcVarTypeUInt32Array;
	v[11].var.uint32Array.ptr = talloc_array(mem_ctx, uint32_t, 0);

	l.props = copy(mem_ctx, v, sizeof(v));
	return copy(mem_ctx, &l, sizeof(l));
}

static struct even6_EvtRpcVariantList *no_variants(TALLOC_CTX *mem_ctx)
{
	struct even6_EvtRpcVariantList l = {0, NULL};

	return copy(mem_ctx, &l, sizeof(l));
}

static void fill_0_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r = p;

	r->in.channelPath = "Application";
	r->in.query = "*[System/EventID=1]";
	r->in.bookmarkXml = "<BookmarkList/>";
	r->in.flags = EVEN6_SUBSCRIBE_START_AFTER_BOOKMARK;
}

static void fill_0_in_null(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r = p;

	r->in.query = "*";
	r->in.flags = EVEN6_SUBSCRIBE_TO_FUTURE_EVENTS;
}

static void fill_0_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r = p;

	r->out.handle = handle(mem_ctx, &handle_a);
	r->out.control = handle(mem_ctx, &handle_b);
	r->out.queryChannelInfoSize = number(mem_ctx, 2);
	r->out.queryChannelInfo = channels(mem_ctx);
	r->out.error = info(mem_ctx, 0);
}

static void fill_0_out_failed(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r = p;
	void *none = NULL;

	r->out.handle = talloc_zero(mem_ctx, struct policy_handle);
	r->out.control = talloc_zero(mem_ctx, struct policy_handle);
	r->out.queryChannelInfoSize = number(mem_ctx, 0);
	r->out.queryChannelInfo = copy(mem_ctx, &none, sizeof(none));
	r->out.error = info(mem_ctx, 0x3a99);
	r->out.result = W_ERROR(0x3a99);
}

/* Opnums 1, 2 and 11 answer alike. */
static void fill_batch(TALLOC_CTX *mem_ctx, uint32_t **ret_count,
		       uint32_t ***ret_indices, uint32_t ***ret_sizes,
		       uint32_t **ret_size, uint8_t ***ret_buffer)
{
	uint32_t indices[] = {0, 4, 6};
	uint32_t sizes[] = {3, 2, 3};
	uint8_t *p = NULL;
	uint32_t *q = NULL;

	*ret_count = number(mem_ctx, 3);
	q = copy(mem_ctx, indices, sizeof(indices));
	*ret_indices = copy(mem_ctx, &q, sizeof(q));
	q = copy(mem_ctx, sizes, sizeof(sizes));
	*ret_sizes = copy(mem_ctx, &q, sizeof(q));
	*ret_size = number(mem_ctx, 9);
	p = copy(mem_ctx, "\1\2\3\0\5\6\7\10\11", 9);
	*ret_buffer = copy(mem_ctx, &p, sizeof(p));
}

static void fill_1_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = p;

	r->in.handle = handle(mem_ctx, &handle_a);
	r->in.numRequestedRecords = 5;
}

static void fill_1_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = p;

	fill_batch(mem_ctx, &r->out.numActualRecords, &r->out.eventDataIndices,
		   &r->out.eventDataSizes, &r->out.resultBufferSize,
		   &r->out.resultBuffer);
}

/* Success without records: arrays of no elements, not NULL. */
static void fill_1_out_empty(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = p;
	uint32_t *numbers = talloc_array(mem_ctx, uint32_t, 0);
	uint8_t *bytes = talloc_array(mem_ctx, uint8_t, 0);

	r->out.numActualRecords = number(mem_ctx, 0);
	r->out.eventDataIndices = copy(mem_ctx, &numbers, sizeof(numbers));
	r->out.eventDataSizes = copy(mem_ctx, &numbers, sizeof(numbers));
	r->out.resultBufferSize = number(mem_ctx, 0);
	r->out.resultBuffer = copy(mem_ctx, &bytes, sizeof(bytes));
}

static void fill_1_out_failed(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = p;

	r->out.numActualRecords = number(mem_ctx, 0);
	r->out.eventDataIndices = talloc_zero(mem_ctx, uint32_t *);
	r->out.eventDataSizes = talloc_zero(mem_ctx, uint32_t *);
	r->out.resultBufferSize = number(mem_ctx, 0);
	r->out.resultBuffer = talloc_zero(mem_ctx, uint8_t *);
	r->out.result = WERR_INVALID_PARAMETER;
}

static void fill_2_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionNext *r = p;

	r->in.handle = handle(mem_ctx, &handle_a);
	r->in.numRequestedRecords = 1024;
	r->in.timeOut = 0xffffffff;
	r->in.flags = 1;
}

static void fill_2_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionNext *r = p;

	fill_batch(mem_ctx, &r->out.numActualRecords, &r->out.eventDataIndices,
		   &r->out.eventDataSizes, &r->out.resultBufferSize,
		   &r->out.resultBuffer);
}

static void fill_3_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionWaitAsync *r = p;

	r->in.handle = handle(mem_ctx, &handle_a);
}

static void fill_3_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionWaitAsync *r = p;

	r->out.result = W_ERROR(0x10dd);
}

static void fill_4_in(TALLOC_CTX *mem_ctx, void *p)
{
}

static void fill_4_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterControllableOperation *r = p;

	r->out.handle = handle(mem_ctx, &handle_a);
}

static void fill_5_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterLogQuery *r = p;

	r->in.path = "Application";
	r->in.query = "*";
	r->in.flags = EVEN6_QUERY_CHANNEL_PATH | EVEN6_QUERY_FORWARD_DIRECTION;
}

static void fill_5_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterLogQuery *r = p;

	r->out.handle = handle(mem_ctx, &handle_a);
	r->out.opControl = handle(mem_ctx, &handle_b);
	r->out.queryChannelInfoSize = number(mem_ctx, 2);
	r->out.queryChannelInfo = channels(mem_ctx);
	r->out.error = info(mem_ctx, 1);
}

static void fill_6_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcClearLog *r = p;

	r->in.control = handle(mem_ctx, &handle_b);
	r->in.channelPath = "Application";
	r->in.backupPath = "/var/backups/a.evtx";
}

static void fill_6_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcClearLog *r = p;

	r->out.error = info(mem_ctx, 5);
	r->out.result = WERR_ACCESS_DENIED;
}

static void fill_7_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcExportLog *r = p;

	r->in.control = handle(mem_ctx, &handle_b);
	r->in.channelPath = "System";
	r->in.query = "*";
	r->in.backupPath = "c:\\a.evtx";
	r->in.flags = EVEN6_EXPORT_CHANNEL_PATH;
}

static void fill_7_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcExportLog *r = p;

	r->out.error = info(mem_ctx, 0);
}

static void fill_8_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcLocalizeExportLog *r = p;

	r->in.control = handle(mem_ctx, &handle_b);
	r->in.logFilePath = "c:\\a.evtx";
	r->in.locale = 0x409;
}

static void fill_8_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcLocalizeExportLog *r = p;

	r->out.error = info(mem_ctx, 0);
}

static void fill_9_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcMessageRender *r = p;

	r->in.pubCfgObj = handle(mem_ctx, &handle_a);
	r->in.sizeEventId = 13;
	r->in.eventId = copy(mem_ctx, "0123456789abc", 13);
	r->in.messageId = 0x01020304;
	r->in.values = variants(mem_ctx);
	r->in.flags = EVEN6_FORMAT_MESSAGE_EVENT;
	r->in.maxSizeString = 4096;
}

static void fill_9_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcMessageRender *r = p;
	uint8_t *text = copy(mem_ctx, "H\0i\0\0\0", 6);

	r->out.actualSizeString = number(mem_ctx, 6);
	r->out.neededSizeString = number(mem_ctx, 6);
	r->out.string = copy(mem_ctx, &text, sizeof(text));
	r->out.error = info(mem_ctx, 0);
}

static void fill_10_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcMessageRenderDefault *r = p;

	r->in.sizeEventId = 16;
	r->in.eventId = copy(mem_ctx, "0123456789abcdef", 16);
	r->in.values = no_variants(mem_ctx);
	r->in.flags = EVEN6_FORMAT_MESSAGE_LEVEL;
	r->in.maxSizeString = 2;
}

static void fill_10_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcMessageRenderDefault *r = p;

	r->out.actualSizeString = number(mem_ctx, 0);
	r->out.neededSizeString = number(mem_ctx, 64);
	r->out.string = talloc_zero(mem_ctx, uint8_t *);
	r->out.error = info(mem_ctx, 0x7a);
	r->out.result = W_ERROR(0x7a);
}

static void fill_11_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcQueryNext *r = p;

	r->in.logQuery = handle(mem_ctx, &handle_a);
	r->in.numRequestedRecords = 5;
	r->in.timeOutEnd = 3000;
}

static void fill_11_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcQueryNext *r = p;

	fill_batch(mem_ctx, &r->out.numActualRecords, &r->out.eventDataIndices,
		   &r->out.eventDataSizes, &r->out.resultBufferSize,
		   &r->out.resultBuffer);
}

static void fill_12_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcQuerySeek *r = p;

	r->in.logQuery = handle(mem_ctx, &handle_a);
	r->in.pos = -1;
	r->in.flags = EVEN6_SEEK_RELATIVE_TO_LAST;
}

static void fill_12_in_bookmark(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcQuerySeek *r = p;

	r->in.logQuery = handle(mem_ctx, &handle_a);
	r->in.pos = 1;
	r->in.bookmarkXml = "<BookmarkList>\r\n</BookmarkList>";
	r->in.flags = EVEN6_SEEK_RELATIVE_TO_BOOKMARK | EVEN6_SEEK_STRICT;
}

static void fill_12_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcQuerySeek *r = p;

	r->out.error = info(mem_ctx, 0);
}

static void fill_13_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcClose *r = p;

	r->in.handle = handle(mem_ctx, &handle_a);
}

static void fill_13_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcClose *r = p;

	r->out.handle = talloc_zero(mem_ctx, struct policy_handle);
}

static void fill_14_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcCancel *r = p;

	r->in.handle = handle(mem_ctx, &handle_b);
}

static void fill_14_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcCancel *r = p;

	r->out.result = W_ERROR(0x4c7);
}

static void fill_15_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcAssertConfig *r = p;

	r->in.path = "Application";
	r->in.flags = EVEN6_CONFIG_PUBLISHER_NAME;
}

static void fill_15_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcAssertConfig *r = p;

	r->out.result = W_ERROR(0x57);
}

static void fill_16_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRetractConfig *r = p;

	r->in.path = "Ap";
}

static void fill_16_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRetractConfig *r = p;

	r->out.result = W_ERROR(5);
}

static void fill_17_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcOpenLogHandle *r = p;

	r->in.channel = "Application";
	r->in.flags = EVEN6_OPEN_CHANNEL_PATH;
}

static void fill_17_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcOpenLogHandle *r = p;

	r->out.handle = handle(mem_ctx, &handle_a);
	r->out.error = info(mem_ctx, 0);
}

static void fill_18_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetLogFileInfo *r = p;

	r->in.logHandle = handle(mem_ctx, &handle_a);
	r->in.propertyId = EVEN6_LOG_NUMBER_OF_LOG_RECORDS;
	r->in.propertyValueBufferSize = EVEN6_LOG_PROPERTY_SIZE;
}

static void fill_18_out(TALLOC_CTX *mem_ctx, void *p)
{
	static const uint8_t value[] = {
		0x20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x0a, 0, 0, 0,
	};
	struct even6_EvtRpcGetLogFileInfo *r = p;

	r->in.propertyValueBufferSize = sizeof(value);
	r->out.propertyValueBuffer = copy(mem_ctx, value, sizeof(value));
	r->out.propertyValueBufferLength = number(mem_ctx, sizeof(value));
}

static void fill_flags_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetChannelList *r = p;

	r->in.flags = 0x80000001;
}

static void fill_names(TALLOC_CTX *mem_ctx, uint32_t **ret_count,
		       const char ****ret_names)
{
	const char *names[] = {"Application", "System", "x"};
	const char **p = copy(mem_ctx, names, sizeof(names));

	*ret_count = number(mem_ctx, 3);
	*ret_names = copy(mem_ctx, &p, sizeof(p));
}

static void fill_19_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetChannelList *r = p;

	fill_names(mem_ctx, &r->out.numChannelPaths, &r->out.channelPaths);
}

static void fill_20_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetChannelConfig *r = p;

	r->in.channelPath = "Application";
}

static void fill_20_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetChannelConfig *r = p;

	r->out.props = variants(mem_ctx);
}

static void fill_21_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcPutChannelConfig *r = p;

	r->in.channelPath = "App";
	r->in.flags = 1;
	r->in.props = variants(mem_ctx);
}

static void fill_21_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcPutChannelConfig *r = p;

	r->out.error = info(mem_ctx, 0x57);
	r->out.result = W_ERROR(0x57);
}

static void fill_22_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherList *r = p;

	fill_names(mem_ctx, &r->out.numPublisherIds, &r->out.publisherIds);
}

static void fill_23_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherListForChannel *r = p;

	r->in.channelName = "System";
}

static void fill_23_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherListForChannel *r = p;

	fill_names(mem_ctx, &r->out.numPublisherIds, &r->out.publisherIds);
}

static void fill_24_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherMetadata *r = p;

	r->in.publisherId = "P";
	r->in.locale = 0x409;
}

static void fill_24_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherMetadata *r = p;

	r->out.pubMetadataProps = variants(mem_ctx);
	r->out.pubMetadata = handle(mem_ctx, &handle_a);
}

static void fill_25_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherResourceMetadata *r = p;

	r->in.handle = handle(mem_ctx, &handle_a);
	r->in.propertyId = 0x15;
}

static void fill_25_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherResourceMetadata *r = p;

	r->out.pubMetadataProps = variants(mem_ctx);
}

static void fill_26_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetEventMetadataEnum *r = p;

	r->in.pubMetadata = handle(mem_ctx, &handle_a);
	r->in.reservedForFilter = "f";
}

static void fill_26_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetEventMetadataEnum *r = p;

	r->out.eventMetaDataEnum = handle(mem_ctx, &handle_b);
}

static void fill_27_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetNextEventMetadata *r = p;

	r->in.eventMetaDataEnum = handle(mem_ctx, &handle_b);
	r->in.numRequested = 256;
}

static void fill_27_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetNextEventMetadata *r = p;
	struct even6_EvtRpcVariantList lists[3] = {};
	void *q = NULL;

	lists[0] = *variants(mem_ctx);
	lists[2] = *variants(mem_ctx);
	q = copy(mem_ctx, lists, sizeof(lists));
	r->out.numReturned = number(mem_ctx, 3);
	r->out.eventMetadataInstances = copy(mem_ctx, &q, sizeof(q));
}

static void fill_28_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetClassicLogDisplayName *r = p;

	r->in.logName = "Application";
	r->in.locale = 0x409;
	r->in.flags = 0x100;
}

static void fill_28_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetClassicLogDisplayName *r = p;
	const char *name = "X";

	r->out.displayName = copy(mem_ctx, &name, sizeof(name));
}

/* control */

static void fill_publish_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_Publish *r = p;
	struct control_Event events[2] = {{5, NULL}, {1, NULL}};

	events[0].data = copy(mem_ctx, "\x0f\1\1\0\0", 5);
	events[1].data = copy(mem_ctx, "", 1);
	r->in.channel = "Application";
	r->in.count = 2;
	r->in.events = copy(mem_ctx, events, sizeof(events));
}

static void fill_publish_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_Publish *r = p;
	uint64_t id = 0x0000000100000002;

	r->out.first_id = copy(mem_ctx, &id, sizeof(id));
	r->out.bad_index = number(mem_ctx, CONTROL_PUBLISH_NO_INDEX);
	r->out.error = number(mem_ctx, 0);
}

static void fill_status_in(TALLOC_CTX *mem_ctx, void *p)
{
}

static void fill_status_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_Status *r = p;
	const char *json = "{\"channels\":[]}";

	r->out.json = copy(mem_ctx, &json, sizeof(json));
	r->out.error = number(mem_ctx, 0);
}

static void fill_reload_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_Reload *r = p;

	r->out.error = number(mem_ctx, 0x45560001);
}

static void fill_quarantine_list_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineList *r = p;

	r->in.after = "";
}

static void fill_quarantine_list_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineList *r = p;
	const char *json = "[{\"name\":\"a\"}]";

	r->out.json = copy(mem_ctx, &json, sizeof(json));
	r->out.error = number(mem_ctx, 0);
}

static void fill_quarantine_read_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineRead *r = p;

	r->in.name = "20261122T031456123456-0001-9f3a2b1c";
	r->in.offset = 0x0000000100000002;
	r->in.max = 4096;
}

static void fill_quarantine_read_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineRead *r = p;
	uint8_t *data = copy(mem_ctx, "a\0b", 3);
	const char *json = "{}";
	uint64_t total = 0x0000000300000004;

	r->out.json = copy(mem_ctx, &json, sizeof(json));
	r->out.length = number(mem_ctx, 3);
	r->out.data = copy(mem_ctx, &data, sizeof(data));
	r->out.total = copy(mem_ctx, &total, sizeof(total));
	r->out.error = number(mem_ctx, 0);
}

static void fill_quarantine_retry_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineRetry *r = p;

	r->in.name = "20261122T031456123456-0001-9f3a2b1c";
}

static void fill_quarantine_retry_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineRetry *r = p;
	const char *message = "still \xC3\xA4";

	r->out.message = copy(mem_ctx, &message, sizeof(message));
	r->out.error = number(mem_ctx, 0x45560001);
}

static void fill_quarantine_remove_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineRemove *r = p;

	r->in.name = "x";
}

static void fill_quarantine_remove_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_QuarantineRemove *r = p;

	r->out.error = number(mem_ctx, 0);
}

static void fill_rewind_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_ForwardRewind *r = p;

	(void)mem_ctx;
	r->in.output = "siem";
	r->in.channel = "Microsoft-Windows-\xC3\xA4/Operational";
	r->in.kind = CONTROL_REWIND_RECORD;
	r->in.value = 0x0000000100000002;
	r->in.bookmark = NULL;
}

static void fill_rewind_in_bookmark(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_ForwardRewind *r = p;

	(void)mem_ctx;
	r->in.output = "siem";
	r->in.channel = NULL;
	r->in.kind = CONTROL_REWIND_BOOKMARK;
	r->in.bookmark = "<BookmarkList/>";
}

static void fill_rewind_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_ForwardRewind *r = p;
	const char *message = "System: goes on with record 17";

	r->out.message = copy(mem_ctx, &message, sizeof(message));
	r->out.error = number(mem_ctx, 0);
}

static void fill_forget_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_CollectForget *r = p;

	(void)mem_ctx;
	r->in.host = "dc1.example";
	r->in.channel = NULL;
}

static void fill_forget_in_channel(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_CollectForget *r = p;

	fill_forget_in(mem_ctx, p);
	r->in.channel = "Microsoft-Windows-\xC3\xA4/Operational";
}

static void fill_forget_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct control_CollectForget *r = p;
	const char *message = "System: forgotten; it was behind record 17";

	r->out.message = copy(mem_ctx, &message, sizeof(message));
	r->out.error = number(mem_ctx, 0);
}

/* sample */

static const struct sample_Numbers numbers_a = {
	.a = -1,
	.b = 0x0203,
	.c = -2,
	.d = -3,
	.e = -4,
	.f = 0xff,
};
static const struct sample_Numbers numbers_b = {
	.a = 1,
	.b = 2,
	.c = 3,
	.d = 4,
	.e = 0x0102030405060708,
	.f = 6,
};

static void fill_nothing(TALLOC_CTX *mem_ctx, void *p)
{
}

static void fill_values_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Values *r = p;

	r->in.a = 1;
	r->in.b = -2;
	r->in.c = 3;
	r->in.d = -4;
	r->in.e = 5;
	r->in.f = -6;
	r->in.g = -7;
	r->in.h = 0x8877665544332211;
	r->in.i = 1;
	r->in.j = handle_a.uuid;
	r->in.k = SAMPLE_SIX;
	r->in.l = numbers_a;
	r->in.m[0] = 0x1111;
	r->in.m[2] = 0x3333;
}

static void fill_values_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Values *r = p;

	r->out.result = 0x01020304;
}

static struct sample_Fixed *fixed(TALLOC_CTX *mem_ctx)
{
	struct sample_Fixed f = {
		.id = handle_b.uuid,
		.kind = SAMPLE_FIVE,
		.bytes = {1, 2, 3, 4, 5, 6, 7, 8},
		.words = {9, 10, 11},
		.numbers = {numbers_a, numbers_b},
		.names = {"one", NULL},
		.status = WERR_ACCESS_DENIED,
	};

	return copy(mem_ctx, &f, sizeof(f));
}

static void fill_swap_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Swap *r = p;

	r->in.fixed = fixed(mem_ctx);
	r->in.maybe = copy(mem_ctx, &numbers_b, sizeof(numbers_b));
	r->in.count = number(mem_ctx, 77);
}

static void fill_swap_in_null(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Swap *r = p;

	r->in.fixed = fixed(mem_ctx);
	r->in.count = number(mem_ctx, 77);
}

static void fill_swap_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Swap *r = p;
	int64_t sum = -5;

	r->out.fixed = fixed(mem_ctx);
	r->out.fixed->names[1] = "two";
	r->out.count = number(mem_ctx, 78);
	r->out.sum = copy(mem_ctx, &sum, sizeof(sum));
}

static struct sample_Chosen *chosen(TALLOC_CTX *mem_ctx, uint16_t level)
{
	struct sample_Chosen c = {.level = level, .kind = SAMPLE_FIVE};

	switch (level) {
	case 1:
	case 3:
		c.choice.number = 0x12345678;
		break;
	case 2:
		c.kind = SAMPLE_ONE;
		c.sized.small = 7;
		return copy(mem_ctx, &c, sizeof(c));
	case SAMPLE_WIDTH:
		c.choice.numbers = copy(mem_ctx, &numbers_a, sizeof(numbers_a));
		break;
	default:
		c.choice.text = "other";
		break;
	}
	c.sized.large = -9;
	return copy(mem_ctx, &c, sizeof(c));
}

static void fill_choose_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Choose *r = p;

	r->in.chosen = chosen(mem_ctx, 3);
}

static void fill_choose_in_default(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Choose *r = p;

	r->in.chosen = chosen(mem_ctx, 100);
}

static void fill_choose_in_empty(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Choose *r = p;

	r->in.chosen = chosen(mem_ctx, 2);
}

static void fill_choose_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Choose *r = p;

	r->out.other = chosen(mem_ctx, SAMPLE_WIDTH);
}

static void fill_late_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Late *r = p;
	uint16_t words[] = {1, 2, 3};

	r->in.words = copy(mem_ctx, words, sizeof(words));
	r->in.bytes = copy(mem_ctx, "abc", 3);
	r->in.count = 3;
}

static void fill_late_in_null(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Late *r = p;

	r->in.words = talloc_array(mem_ctx, uint16_t, 0);
}

static void fill_late_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Late *r = p;
	struct sample_Numbers n[] = {numbers_a, numbers_b};

	r->out.numbers = copy(mem_ctx, n, sizeof(n));
	r->out.total = number(mem_ctx, 2);
}

static struct sample_Pointers *pointers(TALLOC_CTX *mem_ctx)
{
	uint16_t odd[] = {1, 3, 5, 7, 9};
	uint32_t *deepest = number(mem_ctx, 0xabcdef01);
	void *each[2] = {copy(mem_ctx, &numbers_b, sizeof(numbers_b)), NULL};
	struct sample_Pointers s = {
		.pairs = 2,
		.always = copy(mem_ctx, &numbers_a, sizeof(numbers_a)),
		.label = "label",
		.odd = copy(mem_ctx, odd, sizeof(odd)),
		.each = copy(mem_ctx, each, sizeof(each)),
		.deep = copy(mem_ctx, &deepest, sizeof(deepest)),
	};

	return copy(mem_ctx, &s, sizeof(s));
}

static void fill_point_in(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Point *r = p;

	r->in.pointers = pointers(mem_ctx);
}

static void fill_point_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct sample_Point *r = p;

	r->out.back = pointers(mem_ctx);
	r->out.back->deep = NULL;
}

#define EVEN6(op, suffix, dir)                                          \
	{                                                               \
		"even6 op " #op " " #suffix, &ndr_table_even6, op, dir, \
			fill_##op##_##suffix                            \
	}
#define BOTH(op) EVEN6(op, in, NDR_IN), EVEN6(op, out, NDR_OUT)

const struct ndr_case ndr_cases[] = {
	BOTH(0),
	EVEN6(0, in_null, NDR_IN),
	EVEN6(0, out_failed, NDR_OUT),
	BOTH(1),
	EVEN6(1, out_empty, NDR_OUT),
	EVEN6(1, out_failed, NDR_OUT),
	BOTH(2),
	BOTH(3),
	BOTH(4),
	BOTH(5),
	BOTH(6),
	BOTH(7),
	BOTH(8),
	BOTH(9),
	BOTH(10),
	BOTH(11),
	BOTH(12),
	EVEN6(12, in_bookmark, NDR_IN),
	BOTH(13),
	BOTH(14),
	BOTH(15),
	BOTH(16),
	BOTH(17),
	BOTH(18),
	{"even6 op 19 in", &ndr_table_even6, 19, NDR_IN, fill_flags_in},
	EVEN6(19, out, NDR_OUT),
	BOTH(20),
	BOTH(21),
	{"even6 op 22 in", &ndr_table_even6, 22, NDR_IN, fill_flags_in},
	EVEN6(22, out, NDR_OUT),
	BOTH(23),
	BOTH(24),
	BOTH(25),
	BOTH(26),
	BOTH(27),
	BOTH(28),
	{"control Publish in", &ndr_table_control, 0, NDR_IN, fill_publish_in},
	{"control Publish out", &ndr_table_control, 0, NDR_OUT,
	 fill_publish_out},
	{"control Status in", &ndr_table_control, 1, NDR_IN, fill_status_in},
	{"control Status out", &ndr_table_control, 1, NDR_OUT, fill_status_out},
	{"control Reload in", &ndr_table_control, 2, NDR_IN, fill_status_in},
	{"control Reload out", &ndr_table_control, 2, NDR_OUT, fill_reload_out},
	{"control QuarantineList in", &ndr_table_control, 4, NDR_IN,
	 fill_quarantine_list_in},
	{"control QuarantineList out", &ndr_table_control, 4, NDR_OUT,
	 fill_quarantine_list_out},
	{"control QuarantineRead in", &ndr_table_control, 5, NDR_IN,
	 fill_quarantine_read_in},
	{"control QuarantineRead out", &ndr_table_control, 5, NDR_OUT,
	 fill_quarantine_read_out},
	{"control QuarantineRetry in", &ndr_table_control, 6, NDR_IN,
	 fill_quarantine_retry_in},
	{"control QuarantineRetry out", &ndr_table_control, 6, NDR_OUT,
	 fill_quarantine_retry_out},
	{"control QuarantineRemove in", &ndr_table_control, 7, NDR_IN,
	 fill_quarantine_remove_in},
	{"control QuarantineRemove out", &ndr_table_control, 7, NDR_OUT,
	 fill_quarantine_remove_out},
	{"control ForwardRewind in", &ndr_table_control, 8, NDR_IN,
	 fill_rewind_in},
	{"control ForwardRewind in, bookmark", &ndr_table_control, 8, NDR_IN,
	 fill_rewind_in_bookmark},
	{"control ForwardRewind out", &ndr_table_control, 8, NDR_OUT,
	 fill_rewind_out},
	{"control CollectForget in", &ndr_table_control, 9, NDR_IN,
	 fill_forget_in},
	{"control CollectForget in, channel", &ndr_table_control, 9, NDR_IN,
	 fill_forget_in_channel},
	{"control CollectForget out", &ndr_table_control, 9, NDR_OUT,
	 fill_forget_out},
	{"sample Nothing in", &ndr_table_sample, 0, NDR_IN, fill_nothing},
	{"sample Nothing out", &ndr_table_sample, 0, NDR_OUT, fill_nothing},
	{"sample Values in", &ndr_table_sample, 1, NDR_IN, fill_values_in},
	{"sample Values out", &ndr_table_sample, 1, NDR_OUT, fill_values_out},
	{"sample Swap in", &ndr_table_sample, 2, NDR_IN, fill_swap_in},
	{"sample Swap in, NULL", &ndr_table_sample, 2, NDR_IN,
	 fill_swap_in_null},
	{"sample Swap out", &ndr_table_sample, 2, NDR_OUT, fill_swap_out},
	{"sample Choose in", &ndr_table_sample, 3, NDR_IN, fill_choose_in},
	{"sample Choose in, default", &ndr_table_sample, 3, NDR_IN,
	 fill_choose_in_default},
	{"sample Choose in, empty arm", &ndr_table_sample, 3, NDR_IN,
	 fill_choose_in_empty},
	{"sample Choose out", &ndr_table_sample, 3, NDR_OUT, fill_choose_out},
	{"sample Late in", &ndr_table_sample, 4, NDR_IN, fill_late_in},
	{"sample Late in, NULL", &ndr_table_sample, 4, NDR_IN,
	 fill_late_in_null},
	{"sample Late out", &ndr_table_sample, 4, NDR_OUT, fill_late_out},
	{"sample Point in", &ndr_table_sample, 5, NDR_IN, fill_point_in},
	{"sample Point out", &ndr_table_sample, 5, NDR_OUT, fill_point_out},
};

const size_t ndr_num_cases = sizeof(ndr_cases) / sizeof(ndr_cases[0]);

/* A count above 32 bits, which libndr prints as an error. */
static bool print_error(TALLOC_CTX *mem_ctx)
{
	uint8_t bytes[] = {0, 0, 0, 0, 1, 0, 0, 0};
	DATA_BLOB blob = data_blob_const(bytes, sizeof(bytes));
	struct ndr_pull *ndr = ndr_pull_init_blob(&blob, mem_ctx);
	uint32_t v = 0;

	if (ndr == NULL) {
		abort();
	}
	ndr->flags |= LIBNDR_FLAG_NDR64;
	return ndr_pull_uint3264(ndr, NDR_SCALARS, &v) != NDR_ERR_SUCCESS;
}

int ndr_case_setup(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const struct ndr_case *c = &ndr_cases[0];
	DATA_BLOB blob = {};
	void *back = NULL;
	bool ok;

	ok = ndr_case_push(tmp, c, 0, ndr_case_make(tmp, c), &blob) == 0 &&
	     ndr_case_pull(tmp, c, 0, &blob, NULL, &back) == 0 &&
	     print_error(tmp);
	talloc_free(tmp);
	return ok ? 0 : -1;
}

void *ndr_case_make(TALLOC_CTX *mem_ctx, const struct ndr_case *c)
{
	void *r = talloc_zero_size(mem_ctx,
				   c->table->calls[c->opnum].struct_size);

	if (r == NULL) {
		abort();
	}
	c->fill(r, r);
	return r;
}

enum ndr_err_code ndr_case_push(TALLOC_CTX *mem_ctx, const struct ndr_case *c,
				uint32_t extra, const void *r,
				DATA_BLOB *ret_blob)
{
	struct ndr_push *ndr = ndr_push_init_ctx(mem_ctx);
	enum ndr_err_code err;

	if (ndr == NULL) {
		abort();
	}
	/* It grows by a KiB at a time, each of which a sanitizer copies. */
	ndr->data = talloc_realloc(ndr, ndr->data, uint8_t, PUSH_ROOM);
	if (ndr->data == NULL) {
		abort();
	}
	ndr->alloc_size = PUSH_ROOM;
	ndr->flags |= extra;
	err = c->table->calls[c->opnum].ndr_push(ndr, c->flags, r);
	if (err == NDR_ERR_SUCCESS) {
		*ret_blob = ndr_push_blob(ndr);
	}
	return err;
}

enum ndr_err_code ndr_case_pull(TALLOC_CTX *mem_ctx, const struct ndr_case *c,
				uint32_t extra, const DATA_BLOB *blob,
				const void *in, void **ret_r)
{
	size_t size = c->table->calls[c->opnum].struct_size;
	struct ndr_pull *ndr = ndr_pull_init_blob(blob, mem_ctx);
	void *r = talloc_zero_size(mem_ctx, size);
	enum ndr_err_code err;

	if (ndr == NULL || r == NULL) {
		abort();
	}
	if (in != NULL) {
		memcpy(r, in, size);
	}
	ndr->flags |= LIBNDR_FLAG_REF_ALLOC | extra;
	err = c->table->calls[c->opnum].ndr_pull(ndr, c->flags, r);
	if (err == NDR_ERR_SUCCESS) {
		*ret_r = r;
	}
	talloc_free(ndr);
	return err;
}

char *ndr_case_print(TALLOC_CTX *mem_ctx, const struct ndr_case *c, void *r)
{
	const struct ndr_interface_call *call = &c->table->calls[c->opnum];

	return ndr_print_function_string(mem_ctx, call->ndr_print, call->name,
					 c->flags, r);
}

char *hex(TALLOC_CTX *mem_ctx, const DATA_BLOB *blob)
{
	char *text = talloc_zero_array(mem_ctx, char, blob->length * 2 + 1);
	size_t i;

	if (text == NULL) {
		abort();
	}
	for (i = 0; i < blob->length; i++) {
		snprintf(text + 2 * i, 3, "%02x", blob->data[i]);
	}
	return text;
}
