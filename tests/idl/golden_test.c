/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stubs whose bytes were derived by hand from the layout rules of NDR
 * ([C706] 14, [MS-RPCE] 2.2.4 and 2.2.5), and of captures of real ones: above
 * all the calls for which Samba's own code is no reference.  "|" separates
 * parameters, "." is padding (zero).
 */

#include "tests/leak.h"
#include "tests/idl/cases.h"

#include "idl/ndr_even6.h"

#include <string.h>

/* Handle A: attributes 0, then 01020304-0506-0708-090a-0b0c0d0e0f10. */
#define HANDLE_A "00000000 04030201 0605 0807 090a 0b0c0d0e0f10"
#define HANDLE_B "00000000 14131211 1615 1817 191a 1b1c1d1e1f20"
#define NO_HANDLE "00000000 00000000 00000000 00000000 00000000"

static struct policy_handle handle_a = {
	.uuid = {0x01020304,
		 0x0506,
		 0x0708,
		 {0x09, 0x0a},
		 {0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10}},
};
static struct policy_handle handle_b = {
	.uuid = {0x11121314,
		 0x1516,
		 0x1718,
		 {0x19, 0x1a},
		 {0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20}},
};
static struct policy_handle no_handle;
static struct even6_RpcInfo no_info;
static uint32_t zero;
static uint32_t one = 1;
static uint32_t two = 2;
static uint32_t six = 6;
static uint32_t eight = 8;
static uint32_t sixteen = 16;

/* A bare string and its counters: maximum, offset, actual, units and NUL. */
#define APPLICATION                  \
	"0c000000 00000000 0c000000" \
	"4100 7000 7000 6c00 6900 6300 6100 7400 6900 6f00 6e00 0000"
#define STAR "02000000 00000000 02000000 2a00 0000"

static void fill_subscribe(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r = p;

	r->in.query = "*";
	r->in.flags = 1;
}

static struct even6_EvtRpcQueryChannelInfo two_channels[] = {
	{"Application", 0},
	{"Microsoft-Windows-Backup/Operational", 0},
};
static struct even6_EvtRpcQueryChannelInfo *p_two_channels = two_channels;
static struct even6_EvtRpcQueryChannelInfo *p_no_channels;

static void fill_subscribed(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r = p;

	r->out.handle = &handle_a;
	r->out.control = &handle_b;
	r->out.queryChannelInfoSize = &two;
	r->out.queryChannelInfo = &p_two_channels;
	r->out.error = &no_info;
}

static void fill_not_subscribed(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r = p;

	r->out.handle = &no_handle;
	r->out.control = &no_handle;
	r->out.queryChannelInfoSize = &zero;
	r->out.queryChannelInfo = &p_no_channels;
	r->out.error = &no_info;
	r->out.result = W_ERROR(0x3a9f);
}

static void fill_query(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRegisterLogQuery *r = p;

	r->in.path = "Application";
	r->in.query = "*";
	r->in.flags = 0x101;
}

static void fill_next_async(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = p;

	r->in.handle = &handle_a;
	r->in.numRequestedRecords = 5;
}

static void fill_one_event(TALLOC_CTX *mem_ctx, void *p)
{
	static uint32_t index[] = {0};
	static uint32_t size[] = {8};
	static uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
	static uint32_t *p_index = index;
	static uint32_t *p_size = size;
	static uint8_t *p_bytes = bytes;
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = p;

	r->out.numActualRecords = &one;
	r->out.eventDataIndices = &p_index;
	r->out.eventDataSizes = &p_size;
	r->out.resultBufferSize = &eight;
	r->out.resultBuffer = &p_bytes;
}

static void fill_no_event(TALLOC_CTX *mem_ctx, void *p)
{
	static uint32_t *p_none;
	static uint8_t *p_no_bytes;
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r = p;

	r->out.numActualRecords = &zero;
	r->out.eventDataIndices = &p_none;
	r->out.eventDataSizes = &p_none;
	r->out.resultBufferSize = &zero;
	r->out.resultBuffer = &p_no_bytes;
	r->out.result = W_ERROR(0x57);
}

static void fill_query_next(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcQueryNext *r = p;

	r->in.logQuery = &handle_a;
	r->in.numRequestedRecords = 5;
	r->in.timeOutEnd = 3000;
}

static void fill_seek(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcQuerySeek *r = p;

	r->in.logQuery = &handle_a;
	r->in.pos = -1;
	r->in.flags = 2;
}

static void fill_export(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcExportLog *r = p;

	r->in.control = &handle_b;
	r->in.channelPath = "Application";
	r->in.query = "*";
	r->in.backupPath = "a";
	r->in.flags = 1;
}

static void fill_render(TALLOC_CTX *mem_ctx, void *p)
{
	static struct even6_EvtRpcVariantList none;
	static uint8_t descriptor[] = "0123456789abcdef";
	struct even6_EvtRpcMessageRender *r = p;

	r->in.pubCfgObj = &handle_a;
	r->in.sizeEventId = 16;
	r->in.eventId = descriptor;
	r->in.messageId = 0x01020304;
	r->in.values = &none;
	r->in.flags = 1;
	r->in.maxSizeString = 4096;
}

static uint8_t hi[] = "H\0i\0\0";
static uint8_t *p_hi = hi;

static void fill_rendered(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcMessageRender *r = p;

	r->out.actualSizeString = &six;
	r->out.neededSizeString = &six;
	r->out.string = &p_hi;
	r->out.error = &no_info;
}

static void fill_render_default(TALLOC_CTX *mem_ctx, void *p)
{
	static struct even6_EvtRpcVariant value = {
		.type = EvtRpcVarTypeBoolean,
		.var.booleanVal = 1,
	};
	static struct even6_EvtRpcVariantList list = {1, &value};
	static uint8_t descriptor[] = {0xaa};
	struct even6_EvtRpcMessageRenderDefault *r = p;

	r->in.sizeEventId = 1;
	r->in.eventId = descriptor;
	r->in.messageId = 7;
	r->in.values = &list;
	r->in.flags = 2;
	r->in.maxSizeString = 64;
}

static void fill_rendered_default(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcMessageRenderDefault *r = p;

	r->out.actualSizeString = &six;
	r->out.neededSizeString = &six;
	r->out.string = &p_hi;
	r->out.error = &no_info;
}

static void fill_close(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcClose *r = p;

	r->in.handle = &handle_a;
}

static void fill_closed(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcClose *r = p;

	r->out.handle = &no_handle;
}

static void fill_log_info(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetLogFileInfo *r = p;

	r->in.logHandle = &handle_a;
	r->in.propertyId = 5;
	r->in.propertyValueBufferSize = 16;
}

static void fill_log_info_out(TALLOC_CTX *mem_ctx, void *p)
{
	/* 32 records: UInt64 value, count 1, type 0x0a. */
	static uint8_t value[] = {0x20, 0, 0, 0, 0,    0, 0, 0,
				  1,	0, 0, 0, 0x0a, 0, 0, 0};
	struct even6_EvtRpcGetLogFileInfo *r = p;

	r->in.propertyValueBufferSize = sizeof(value);
	r->out.propertyValueBuffer = value;
	r->out.propertyValueBufferLength = &sixteen;
}

static void fill_get_config(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetChannelConfig *r = p;

	r->in.channelPath = "App";
}

static void fill_config(TALLOC_CTX *mem_ctx, void *p)
{
	static uint8_t booleans[] = {1, 0, 1};
	static struct even6_EvtRpcVariant v[3] = {
		{.type = EvtRpcVarTypeUInt32, .var.uint32Val = 5},
		{.type = EvtRpcVarTypeString, .var.stringVal = "ab"},
		{.type = EvtRpcVarTypeBooleanArray,
		 .var.booleanArray = {3, booleans}},
	};
	static struct even6_EvtRpcVariantList list = {3, v};
	struct even6_EvtRpcGetChannelConfig *r = p;

	r->out.props = &list;
}

static void fill_put_config(TALLOC_CTX *mem_ctx, void *p)
{
	static struct even6_EvtRpcVariant v = {
		.type = EvtRpcVarTypeUInt64,
		.flags = 1,
		.var.uint64Val = 0x0102030405060708,
	};
	static struct even6_EvtRpcVariantList list = {1, &v};
	struct even6_EvtRpcPutChannelConfig *r = p;

	r->in.channelPath = "App";
	r->in.flags = 1;
	r->in.props = &list;
}

static void fill_put_config_out(TALLOC_CTX *mem_ctx, void *p)
{
	static struct even6_RpcInfo info = {0x57, 2, 0xffffffff};
	struct even6_EvtRpcPutChannelConfig *r = p;

	r->out.error = &info;
	r->out.result = W_ERROR(0x57);
}

static void fill_publishers_for(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherListForChannel *r = p;

	r->in.channelName = "System";
}

static const char *names[] = {"a", "bc"};
static const char **p_names = names;

static void fill_publishers_for_out(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherListForChannel *r = p;

	r->out.numPublisherIds = &two;
	r->out.publisherIds = &p_names;
}

static void fill_publisher(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherMetadata *r = p;

	r->in.publisherId = "P";
	r->in.locale = 0x409;
}

static void fill_publisher_out(TALLOC_CTX *mem_ctx, void *p)
{
	static struct even6_EvtRpcVariant v = {.type = EvtRpcVarTypeNull};
	static struct even6_EvtRpcVariantList list = {1, &v};
	struct even6_EvtRpcGetPublisherMetadata *r = p;

	r->out.pubMetadataProps = &list;
	r->out.pubMetadata = &handle_a;
}

static void fill_resource(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetPublisherResourceMetadata *r = p;

	r->in.handle = &handle_a;
	r->in.propertyId = 0x15;
}

static void fill_resource_out(TALLOC_CTX *mem_ctx, void *p)
{
	static const char *strings[] = {"z", NULL};
	static struct even6_EvtRpcVariant v[3] = {
		{.type = EvtRpcVarTypeGuid, .var.guidVal = &handle_a.uuid},
		{.type = EvtRpcVarTypeUInt64,
		 .var.uint64Val = 0x0102030405060708},
		{.type = EvtRpcVarTypeStringArray,
		 .var.stringArray = {2, strings}},
	};
	static struct even6_EvtRpcVariantList list = {3, v};
	struct even6_EvtRpcGetPublisherResourceMetadata *r = p;

	r->out.pubMetadataProps = &list;
}

static void fill_events(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetNextEventMetadata *r = p;

	r->in.eventMetaDataEnum = &handle_b;
	r->in.numRequested = 256;
}

static void fill_events_out(TALLOC_CTX *mem_ctx, void *p)
{
	static struct even6_EvtRpcVariant first = {
		.type = EvtRpcVarTypeUInt32,
		.var.uint32Val = 9,
	};
	static struct even6_EvtRpcVariant second = {
		.type = EvtRpcVarTypeString,
		.var.stringVal = "q",
	};
	static struct even6_EvtRpcVariantList lists[] = {
		{1, &first},
		{1, &second},
	};
	static struct even6_EvtRpcVariantList *p_lists = lists;
	struct even6_EvtRpcGetNextEventMetadata *r = p;

	r->out.numReturned = &two;
	r->out.eventMetadataInstances = &p_lists;
}

static void fill_display_name(TALLOC_CTX *mem_ctx, void *p)
{
	struct even6_EvtRpcGetClassicLogDisplayName *r = p;

	r->in.logName = "Application";
	r->in.locale = 0x409;
	r->in.flags = 0x100;
}

static void fill_display_name_out(TALLOC_CTX *mem_ctx, void *p)
{
	static const char *name = "X";
	struct even6_EvtRpcGetClassicLogDisplayName *r = p;

	r->out.displayName = &name;
}

struct golden {
	const char *name;
	uint32_t opnum;
	int flags;
	uint32_t extra;
	void (*fill)(TALLOC_CTX *mem_ctx, void *r);
	const char *bytes;
};

#define NDR64 LIBNDR_FLAG_NDR64

static const struct golden goldens[] = {
	{"0 request", 0, NDR_IN, 0, fill_subscribe,
	 /* A NULL referent; a [ref] string has none. */
	 "00000000 |" STAR "| 00000000 | 01000000"},
	{"0 reply", 0, NDR_OUT, 0, fill_subscribed,
	 HANDLE_A
	 "|" HANDLE_B "| 02000000 |"
	 /* Array referent and count; name referent and status of each... */
	 "00000200 02000000 04000200 00000000 08000200 00000000"
	 /* ...then the names, a [string] each. */
	 APPLICATION
	 "25000000 00000000 25000000 4d0069006300720 06f0073006f00660074002d00"
	 "570069006e0064006f00770073002d00 4200610063006b00750070002f00"
	 "4f007000650072006100740069006f006e0061006c000000 .... |"
	 "00000000 00000000 00000000 | 00000000"},
	{"0 reply of a failure", 0, NDR_OUT, 0, fill_not_subscribed,
	 NO_HANDLE "|" NO_HANDLE "| 00000000 | 00000000 |"
		   "00000000 00000000 00000000 | 9f3a0000"},
	{"1 request", 1, NDR_IN, 0, fill_next_async,
	 HANDLE_A "| 05000000 | 00000000"},
	{"1 reply", 1, NDR_OUT, 0, fill_one_event,
	 "01000000 | 00000200 01000000 00000000 |"
	 "04000200 01000000 08000000 | 08000000 |"
	 "08000200 08000000 0102030405060708 | 00000000"},
	{"1 reply of a failure", 1, NDR_OUT, 0, fill_no_event,
	 "00000000 | 00000000 | 00000000 | 00000000 | 00000000 | 57000000"},
	{"5 request", 5, NDR_IN, 0, fill_query,
	 "00000200" APPLICATION "|" STAR "| 01010000"},
	{"7 request", 7, NDR_IN, 0, fill_export,
	 HANDLE_B "| 00000200" APPLICATION "|" STAR "|"
		  "02000000 00000000 02000000 6100 0000 | 01000000"},
	{"9 request", 9, NDR_IN, 0, fill_render,
	 HANDLE_A "| 10000000 |"
		  /* A [ref] array: no referent, its size, its bytes. */
		  "10000000 30313233343536373839616263646566 | 04030201 |"
		  /* The list: count, NULL referent. */
		  "00000000 00000000 | 01000000 | 00100000"},
	{"9 request, NDR64", 9, NDR_IN, NDR64, fill_render,
	 /* Counts and referents have 8 bytes; the list aligns to 8. */
	 HANDLE_A
	 "| 10000000 |"
	 "10000000 00000000 30313233343536373839616263646566 | 04030201"
	 "........ | 00000000 ........ 00000000 00000000 |"
	 "01000000 | 00100000"},
	{"9 reply", 9, NDR_OUT, 0, fill_rendered,
	 "06000000 | 06000000 | 00000200 06000000 480069000000 .... |"
	 "00000000 00000000 00000000 | 00000000"},
	{"9 reply, NDR64", 9, NDR_OUT, NDR64, fill_rendered,
	 "06000000 | 06000000 | 00000200 00000000 06000000 00000000"
	 "480069000000 .... | 00000000 00000000 00000000 | 00000000"},
	{"10 request", 10, NDR_IN, 0, fill_render_default,
	 /* messageId aligns to 4 behind the single byte. */
	 "01000000 | 01000000 aa ...... | 07000000 |"
	 /* At 16: count, referent; at 24: the array's size, pad to 32. */
	 "01000000 00000200 01000000 ........"
	 /* type, flags, discriminant, one byte; the struct's end is not
	    padded in NDR32, flags aligns to 4. */
	 "01000000 00000000 01000000 01 ...... | 02000000 | 40000000"},
	{"10 reply", 10, NDR_OUT, 0, fill_rendered_default,
	 "06000000 | 06000000 | 00000200 06000000 480069000000 .... |"
	 "00000000 00000000 00000000 | 00000000"},
	{"11 request", 11, NDR_IN, 0, fill_query_next,
	 HANDLE_A "| 05000000 | b80b0000 | 00000000"},
	{"12 request", 12, NDR_IN, 0, fill_seek,
	 /* hyper aligns to 8 behind the 20 bytes of the handle. */
	 HANDLE_A "........ | ffffffffffffffff | 00000000 | 00000000 |"
		  "02000000"},
	{"13 request", 13, NDR_IN, 0, fill_close, HANDLE_A},
	{"13 reply", 13, NDR_OUT, 0, fill_closed, NO_HANDLE "| 00000000"},
	{"13 request, NDR64", 13, NDR_IN, NDR64, fill_close, HANDLE_A},
	{"18 request", 18, NDR_IN, 0, fill_log_info,
	 HANDLE_A "| 05000000 | 10000000"},
	{"18 reply", 18, NDR_OUT, 0, fill_log_info_out,
	 "10000000 2000000000000000 01000000 0a000000 | 10000000 |"
	 "00000000"},
	{"20 request", 20, NDR_IN, 0, fill_get_config,
	 "04000000 00000000 04000000 4100 7000 7000 0000 | 00000000"},
	{"20 reply", 20, NDR_OUT, 0, fill_config,
	 /* count, referent, size; the elements align to 8. */
	 "03000000 00000200 03000000 ........"
	 "02000000 00000000 02000000 05000000"
	 "04000000 00000000 04000000 04000200"
	 "06000000 00000000 06000000 03000000 08000200"
	 /* The pointees in the elements' order: string, array. */
	 "03000000 00000000 03000000 6100 6200 0000 ...."
	 "03000000 01 00 01 .. | 00000000"},
	{"20 reply, NDR64", 20, NDR_OUT, NDR64, fill_config,
	 "03000000 ........ 00000200 00000000 03000000 00000000"
	 /* Discriminant and arm align to 8, elements end on 8. */
	 "02000000 00000000 02000000 ........ 05000000 ........"
	 "04000000 00000000 04000000 ........ 04000200 00000000"
	 "06000000 00000000 06000000 ........"
	 "03000000 ........ 08000200 00000000"
	 "03000000 00000000 00000000 00000000 03000000 00000000"
	 "6100 6200 0000 .... 03000000 00000000 01 00 01 .. | 00000000"},
	{"21 request", 21, NDR_IN, 0, fill_put_config,
	 "04000000 00000000 04000000 4100 7000 7000 0000 | 01000000 |"
	 "01000000 00000200 01000000 ........"
	 /* The 8-byte arm aligns behind the discriminant. */
	 "03000000 01000000 03000000 ........ 0807060504030201"},
	{"21 request, NDR64", 21, NDR_IN, NDR64, fill_put_config,
	 "04000000 00000000 00000000 00000000 04000000 00000000"
	 "4100 7000 7000 0000 | 01000000 ........ |"
	 "01000000 ........ 00000200 00000000 01000000 00000000"
	 "03000000 01000000 03000000 ........ 0807060504030201"},
	{"21 reply", 21, NDR_OUT, 0, fill_put_config_out,
	 "57000000 02000000 ffffffff | 57000000"},
	{"23 request", 23, NDR_IN, 0, fill_publishers_for,
	 "07000000 00000000 07000000"
	 "5300 7900 7300 7400 6500 6d00 0000 .... | 00000000"},
	{"23 reply", 23, NDR_OUT, 0, fill_publishers_for_out,
	 /* All referents first, then the strings. */
	 "02000000 | 00000200 02000000 04000200 08000200"
	 "02000000 00000000 02000000 6100 0000"
	 "03000000 00000000 03000000 6200 6300 0000 .... | 00000000"},
	{"24 request", 24, NDR_IN, 0, fill_publisher,
	 "00000200 02000000 00000000 02000000 5000 0000 | 00000000 |"
	 "09040000 | 00000000"},
	{"24 reply", 24, NDR_OUT, 0, fill_publisher_out,
	 "01000000 00000200 01000000 ........"
	 "00000000 00000000 00000000 00000000 |" HANDLE_A "| 00000000"},
	{"25 request", 25, NDR_IN, 0, fill_resource,
	 HANDLE_A "| 15000000 | 00000000"},
	{"25 reply", 25, NDR_OUT, 0, fill_resource_out,
	 "03000000 00000200 03000000 ........"
	 "05000000 00000000 05000000 04000200"
	 "03000000 00000000 03000000 ........ 0807060504030201"
	 "09000000 00000000 09000000 02000000 08000200"
	 /* The GUID; the array with one name and one NULL. */
	 "04030201 0605 0807 090a 0b0c0d0e0f10"
	 "02000000 0c000200 00000000"
	 "02000000 00000000 02000000 7a00 0000 | 00000000"},
	{"27 request", 27, NDR_IN, 0, fill_events,
	 HANDLE_B "| 00000000 | 00010000"},
	{"27 reply", 27, NDR_OUT, 0, fill_events_out,
	 "02000000 | 00000200 02000000"
	 /* count and referent of each list, then depth first. */
	 "01000000 04000200 01000000 08000200"
	 "01000000 02000000 00000000 02000000 09000000"
	 "01000000 ........ 04000000 00000000 04000000 0c000200"
	 "02000000 00000000 02000000 7100 0000 | 00000000"},
	{"28 request", 28, NDR_IN, 0, fill_display_name,
	 APPLICATION "| 09040000 | 00010000"},
	{"28 reply", 28, NDR_OUT, 0, fill_display_name_out,
	 "00000200 02000000 00000000 02000000 5800 0000 | 00000000"},
};

/* The bytes as the tests write them. */
static DATA_BLOB from_hex(TALLOC_CTX *mem_ctx, const char *text)
{
	DATA_BLOB blob = data_blob_talloc(mem_ctx, NULL, strlen(text));
	size_t digits = 0;
	const char *s = NULL;

	assert_non_null(blob.data);
	memset(blob.data, 0, blob.length);
	for (s = text; *s != '\0'; s++) {
		uint8_t v = 0;

		if (*s == ' ' || *s == '|') {
			continue;
		}
		if (*s != '.') {
			const char *set = "0123456789abcdef";

			assert_non_null(strchr(set, *s));
			v = (uint8_t)(strchr(set, *s) - set);
		}
		blob.data[digits / 2] |= digits % 2 == 0 ? v << 4 : v;
		digits++;
	}
	assert_int_equal(digits % 2, 0);
	blob.length = digits / 2;
	return blob;
}

static void check(TALLOC_CTX *mem_ctx, const struct golden *g)
{
	struct ndr_case c = {g->name, &ndr_table_even6, g->opnum, g->flags,
			     g->fill};
	void *r = ndr_case_make(mem_ctx, &c);
	DATA_BLOB golden = from_hex(mem_ctx, g->bytes);
	DATA_BLOB pushed = {};
	void *back = NULL;

	assert_int_equal(ndr_case_push(mem_ctx, &c, g->extra, r, &pushed), 0);
	assert_string_equal(hex(mem_ctx, &pushed), hex(mem_ctx, &golden));

	assert_int_equal(ndr_case_pull(mem_ctx, &c, g->extra, &golden,
				       g->flags == NDR_OUT ? r : NULL, &back),
			 0);
	assert_string_equal(ndr_case_print(mem_ctx, &c, back),
			    ndr_case_print(mem_ctx, &c, r));
}

static void test_bytes_are_those_derived_by_hand(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		TALLOC_CTX *tmp = talloc_new(*state);

		print_message("# opnum %s\n", goldens[i].name);
		check(tmp, &goldens[i]);
		talloc_free(tmp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_bytes_are_those_derived_by_hand),
	};

	return cmocka_run_group_tests_name("idl/golden", tests, ndr_case_setup,
					   NULL);
}
