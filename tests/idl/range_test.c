/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every range() of the interfaces at its bounds and one beyond, and requests
 * whose counts lie.
 */

#include "tests/leak.h"
#include "tests/idl/cases.h"

#include "idl/ndr_control.h"
#include "idl/ndr_even6.h"

#include <stdlib.h>
#include <string.h>

/* A string that is n units long with its NUL. */
static const char *letters(TALLOC_CTX *mem_ctx, uint32_t n)
{
	char *s = talloc_array(mem_ctx, char, n);

	assert_non_null(s);
	memset(s, 'a', n - 1);
	s[n - 1] = '\0';
	return s;
}

static uint32_t *number(TALLOC_CTX *mem_ctx, uint32_t v)
{
	uint32_t *p = talloc(mem_ctx, uint32_t);

	assert_non_null(p);
	*p = v;
	return p;
}

/* n zeroed elements behind a pointer to a pointer, an [out] array. */
static void *elements(TALLOC_CTX *mem_ctx, size_t size, uint32_t n)
{
	void **p = talloc(mem_ctx, void *);

	assert_non_null(p);
	*p = talloc_zero_size(mem_ctx, size * n + 1);
	assert_non_null(*p);
	return p;
}

/* Each sets the ranged value of a call to n, or to n elements. */

#define STRING(call, field)                                                  \
	static void call##_##field(TALLOC_CTX *mem_ctx, void *p, uint32_t n) \
	{                                                                    \
		struct even6_EvtRpc##call *r = p;                            \
                                                                             \
		r->in.field = letters(mem_ctx, n);                           \
	}

STRING(RegisterRemoteSubscription, channelPath)
STRING(RegisterRemoteSubscription, query)
STRING(RegisterRemoteSubscription, bookmarkXml)
STRING(RegisterLogQuery, path)
STRING(RegisterLogQuery, query)
STRING(ClearLog, channelPath)
STRING(ClearLog, backupPath)
STRING(ExportLog, channelPath)
STRING(ExportLog, query)
STRING(ExportLog, backupPath)
STRING(LocalizeExportLog, logFilePath)
STRING(QuerySeek, bookmarkXml)
STRING(AssertConfig, path)
STRING(RetractConfig, path)
STRING(OpenLogHandle, channel)
STRING(GetChannelConfig, channelPath)
STRING(PutChannelConfig, channelPath)
STRING(GetPublisherMetadata, publisherId)
STRING(GetPublisherMetadata, logFilePath)
STRING(GetEventMetadataEnum, reservedForFilter)
STRING(GetClassicLogDisplayName, logName)

#define RESULTS(call, count, field)                                          \
	static void call##_##field(TALLOC_CTX *mem_ctx, void *p, uint32_t n) \
	{                                                                    \
		struct even6_EvtRpc##call *r = p;                            \
                                                                             \
		r->out.count = number(mem_ctx, n);                           \
		r->out.field = elements(mem_ctx, sizeof(**r->out.field), n); \
	}

RESULTS(RegisterRemoteSubscription, queryChannelInfoSize, queryChannelInfo)
RESULTS(RegisterLogQuery, queryChannelInfoSize, queryChannelInfo)
RESULTS(MessageRender, actualSizeString, string)
RESULTS(MessageRenderDefault, actualSizeString, string)
RESULTS(GetChannelList, numChannelPaths, channelPaths)
RESULTS(GetPublisherList, numPublisherIds, publisherIds)
RESULTS(GetPublisherListForChannel, numPublisherIds, publisherIds)
RESULTS(GetNextEventMetadata, numReturned, eventMetadataInstances)
RESULTS(RemoteSubscriptionNextAsync, resultBufferSize, resultBuffer)
RESULTS(RemoteSubscriptionNext, resultBufferSize, resultBuffer)
RESULTS(QueryNext, resultBufferSize, resultBuffer)

/* Indices and sizes have one count; the other array is NULL. */
#define RECORDS(call, field, other)                                          \
	static void call##_##field(TALLOC_CTX *mem_ctx, void *p, uint32_t n) \
	{                                                                    \
		struct even6_EvtRpc##call *r = p;                            \
                                                                             \
		r->out.numActualRecords = number(mem_ctx, n);                \
		r->out.field = elements(mem_ctx, sizeof(uint32_t), n);       \
		*r->out.other = NULL;                                        \
	}

RECORDS(RemoteSubscriptionNextAsync, eventDataIndices, eventDataSizes)
RECORDS(RemoteSubscriptionNextAsync, eventDataSizes, eventDataIndices)
RECORDS(RemoteSubscriptionNext, eventDataIndices, eventDataSizes)
RECORDS(RemoteSubscriptionNext, eventDataSizes, eventDataIndices)
RECORDS(QueryNext, eventDataIndices, eventDataSizes)
RECORDS(QueryNext, eventDataSizes, eventDataIndices)

static void MessageRender_sizeEventId(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct even6_EvtRpcMessageRender *r = p;

	r->in.sizeEventId = n;
	r->in.eventId = talloc_zero_array(mem_ctx, uint8_t, n);
}

static void MessageRenderDefault_sizeEventId(TALLOC_CTX *mem_ctx, void *p,
					     uint32_t n)
{
	struct even6_EvtRpcMessageRenderDefault *r = p;

	r->in.sizeEventId = n;
	r->in.eventId = talloc_zero_array(mem_ctx, uint8_t, n);
}

static void GetLogFileInfo_size(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct even6_EvtRpcGetLogFileInfo *r = p;

	r->in.propertyValueBufferSize = n;
}

static void PutChannelConfig_props(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct even6_EvtRpcPutChannelConfig *r = p;

	r->in.props->count = n;
	r->in.props->props =
		talloc_zero_array(mem_ctx, struct even6_EvtRpcVariant, n);
}

/* One property that is an array of n. */
static void one_array(TALLOC_CTX *mem_ctx, void *p, uint32_t n,
		      enum even6_EvtRpcVariantType type, size_t size)
{
	struct even6_EvtRpcVariant *v =
		talloc_zero(mem_ctx, struct even6_EvtRpcVariant);
	struct even6_EvtRpcPutChannelConfig *r = p;

	assert_non_null(v);
	v->type = type;
	/* The array structures are alike: a count and a pointer. */
	v->var.uint32Array.count = n;
	v->var.uint32Array.ptr = talloc_zero_size(mem_ctx, size * n + 1);
	r->in.props->count = 1;
	r->in.props->props = v;
}

static void props_booleans(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	one_array(mem_ctx, p, n, EvtRpcVarTypeBooleanArray, 1);
}

static void props_uint32s(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	one_array(mem_ctx, p, n, EvtRpcVarTypeUInt32Array, 4);
}

static void props_uint64s(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	one_array(mem_ctx, p, n, EvtRpcVarTypeUInt64Array, 8);
}

static void props_strings(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	one_array(mem_ctx, p, n, EvtRpcVarTypeStringArray, sizeof(char *));
}

static void props_guids(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	one_array(mem_ctx, p, n, EvtRpcVarTypeGuidArray, sizeof(struct GUID));
}

static void Publish_channel(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_Publish *r = p;

	r->in.channel = letters(mem_ctx, n);
}

static void Publish_count(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_Publish *r = p;

	r->in.count = n;
	r->in.events = talloc_zero_array(mem_ctx, struct control_Event, n);
}

static void Publish_length(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_Publish *r = p;

	r->in.count = 1;
	r->in.events[0].length = n;
	r->in.events[0].data = talloc_zero_size(mem_ctx, n + 1);
}

static void Status_json(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_Status *r = p;

	*r->out.json = letters(mem_ctx, n);
}

static void QuarantineList_after(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_QuarantineList *r = p;

	r->in.after = letters(mem_ctx, n);
}

static void QuarantineList_json(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_QuarantineList *r = p;

	*r->out.json = letters(mem_ctx, n);
}

static void QuarantineRead_max(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_QuarantineRead *r = p;

	r->in.max = n;
}

static void QuarantineRead_data(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_QuarantineRead *r = p;

	*r->out.length = n;
	*r->out.data = talloc_zero_size(mem_ctx, n + 1);
}

static void QuarantineRetry_name(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_QuarantineRetry *r = p;

	r->in.name = letters(mem_ctx, n);
}

static void QuarantineRetry_message(TALLOC_CTX *mem_ctx, void *p, uint32_t n)
{
	struct control_QuarantineRetry *r = p;

	*r->out.message = letters(mem_ctx, n);
}

struct range {
	const struct ndr_interface_table *table;
	uint32_t opnum;
	int flags;
	const char *name;
	uint32_t low;
	uint32_t high;
	void (*set)(TALLOC_CTX *mem_ctx, void *r, uint32_t n);
};

#define MIB (1024 * 1024)
#define IN(op, low, high, set)                                     \
	{                                                          \
		&ndr_table_even6, op, NDR_IN, #set, low, high, set \
	}
#define OUT(op, low, high, set)                                     \
	{                                                           \
		&ndr_table_even6, op, NDR_OUT, #set, low, high, set \
	}
#define CONTROL(op, flags, low, high, set)                          \
	{                                                           \
		&ndr_table_control, op, flags, #set, low, high, set \
	}

/* The bounds are those of [MS-EVEN6] 2.2 and appendix A, as numbers. */
static const struct range ranges[] = {
	IN(0, 0, 512, RegisterRemoteSubscription_channelPath),
	IN(0, 1, MIB, RegisterRemoteSubscription_query),
	IN(0, 0, MIB, RegisterRemoteSubscription_bookmarkXml),
	OUT(0, 0, 512, RegisterRemoteSubscription_queryChannelInfo),
	OUT(1, 0, 1024, RemoteSubscriptionNextAsync_eventDataIndices),
	OUT(1, 0, 1024, RemoteSubscriptionNextAsync_eventDataSizes),
	/* 2 MiB, but a client takes more: see even6.idl on tolerate. */
	OUT(1, 0, 16 * MIB, RemoteSubscriptionNextAsync_resultBuffer),
	OUT(2, 0, 1024, RemoteSubscriptionNext_eventDataIndices),
	OUT(2, 0, 1024, RemoteSubscriptionNext_eventDataSizes),
	OUT(2, 0, 16 * MIB, RemoteSubscriptionNext_resultBuffer),
	IN(5, 0, 32768, RegisterLogQuery_path),
	IN(5, 1, MIB, RegisterLogQuery_query),
	OUT(5, 0, 512, RegisterLogQuery_queryChannelInfo),
	IN(6, 0, 512, ClearLog_channelPath),
	IN(6, 0, 32768, ClearLog_backupPath),
	IN(7, 0, 512, ExportLog_channelPath),
	IN(7, 1, MIB, ExportLog_query),
	IN(7, 1, 32768, ExportLog_backupPath),
	IN(8, 1, 32768, LocalizeExportLog_logFilePath),
	IN(9, 1, 256, MessageRender_sizeEventId),
	OUT(9, 0, 2 * MIB, MessageRender_string),
	IN(10, 1, 256, MessageRenderDefault_sizeEventId),
	OUT(10, 0, 2 * MIB, MessageRenderDefault_string),
	OUT(11, 0, 1024, QueryNext_eventDataIndices),
	OUT(11, 0, 1024, QueryNext_eventDataSizes),
	OUT(11, 0, 16 * MIB, QueryNext_resultBuffer),
	IN(12, 0, MIB, QuerySeek_bookmarkXml),
	IN(15, 1, 512, AssertConfig_path),
	IN(16, 1, 512, RetractConfig_path),
	IN(17, 1, 512, OpenLogHandle_channel),
	IN(18, 0, 2 * MIB, GetLogFileInfo_size),
	OUT(19, 0, 8192, GetChannelList_channelPaths),
	IN(20, 1, 512, GetChannelConfig_channelPath),
	IN(21, 1, 512, PutChannelConfig_channelPath),
	IN(21, 0, 256, PutChannelConfig_props),
	IN(21, 0, 524288, props_booleans),
	IN(21, 0, 524288, props_uint32s),
	IN(21, 0, 262144, props_uint64s),
	IN(21, 0, 4096, props_strings),
	IN(21, 0, 131072, props_guids),
	OUT(22, 0, 8192, GetPublisherList_publisherIds),
	OUT(23, 0, 8192, GetPublisherListForChannel_publisherIds),
	IN(24, 0, 2048, GetPublisherMetadata_publisherId),
	IN(24, 0, 32768, GetPublisherMetadata_logFilePath),
	IN(26, 0, MIB, GetEventMetadataEnum_reservedForFilter),
	OUT(27, 0, 256, GetNextEventMetadata_eventMetadataInstances),
	IN(28, 1, 512, GetClassicLogDisplayName_logName),
	CONTROL(0, NDR_IN, 1, 512, Publish_channel),
	CONTROL(0, NDR_IN, 0, 1024, Publish_count),
	CONTROL(0, NDR_IN, 0, MIB, Publish_length),
	CONTROL(1, NDR_OUT, 1, 4194304, Status_json),
	CONTROL(4, NDR_IN, 1, 64, QuarantineList_after),
	CONTROL(4, NDR_OUT, 1, 4194304, QuarantineList_json),
	CONTROL(5, NDR_IN, 0, MIB, QuarantineRead_max),
	CONTROL(5, NDR_OUT, 0, MIB, QuarantineRead_data),
	CONTROL(6, NDR_IN, 1, 64, QuarantineRetry_name),
	CONTROL(6, NDR_OUT, 1, 4096, QuarantineRetry_message),
};

static const struct ndr_case *find_case(const struct ndr_interface_table *table,
					uint32_t opnum, int flags)
{
	size_t i;

	for (i = 0; i < ndr_num_cases; i++) {
		const struct ndr_case *c = &ndr_cases[i];

		if (c->table == table && c->opnum == opnum &&
		    c->flags == flags) {
			return c;
		}
	}
	fail_msg("no case for opnum %u", opnum);
	return NULL;
}

static enum ndr_err_code try_value(TALLOC_CTX *mem_ctx,
				   const struct range *range, uint32_t n)
{
	const struct ndr_case *c =
		find_case(range->table, range->opnum, range->flags);
	TALLOC_CTX *tmp = talloc_new(mem_ctx);
	void *r = ndr_case_make(tmp, c);
	void *back = NULL;
	DATA_BLOB blob = {};
	enum ndr_err_code err;

	range->set(r, r, n);
	assert_int_equal(ndr_case_push(tmp, c, 0, r, &blob), 0);
	err = ndr_case_pull(tmp, c, 0, &blob,
			    range->flags == NDR_OUT ? r : NULL, &back);
	talloc_free(tmp);
	return err;
}

static void test_ranges_hold_at_both_ends(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];

		print_message("# opnum %u %s\n", r->opnum, r->name);
		assert_int_equal(try_value(*state, r, r->low > 0 ? r->low : 1),
				 NDR_ERR_SUCCESS);
		assert_int_equal(try_value(*state, r, r->high),
				 NDR_ERR_SUCCESS);
		assert_int_equal(try_value(*state, r, r->high + 1),
				 NDR_ERR_RANGE);
	}
}

static void test_an_event_id_of_no_bytes_is_out_of_range(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (strstr(ranges[i].name, "sizeEventId") != NULL) {
			assert_int_equal(try_value(*state, &ranges[i], 0),
					 NDR_ERR_RANGE);
		}
	}
}

/* Stubs by hand: what our own push would not make. */

static enum ndr_err_code pull_hex(TALLOC_CTX *mem_ctx, uint32_t opnum,
				  int flags, uint32_t extra, const char *text,
				  void **ret_r)
{
	struct ndr_case c = {"by hand", &ndr_table_even6, opnum, flags, NULL};
	DATA_BLOB blob = data_blob_talloc(mem_ctx, NULL, strlen(text) / 2);
	void *r = NULL;
	size_t len = 0;
	const char *s = NULL;

	for (s = text; *s != '\0'; s++) {
		char digits[3] = {s[0], s[0] == ' ' ? '\0' : s[1], '\0'};

		if (*s == ' ') {
			continue;
		}
		blob.data[len++] = (uint8_t)strtoul(digits, NULL, 16);
		s++;
	}
	blob.length = len;
	return ndr_case_pull(mem_ctx, &c, extra, &blob, NULL,
			     ret_r != NULL ? ret_r : &r);
}

static void test_a_string_s_counts_must_agree(void **state)
{
	/* AssertConfig: maximum, offset, actual, units, flags. */
	assert_int_equal(
		pull_hex(*state, 15, NDR_IN, 0,
			 "02000000 00000000 02000000 61000000 00000000", NULL),
		NDR_ERR_SUCCESS);
	/* The maximum alone is out of range. */
	assert_int_equal(
		pull_hex(*state, 15, NDR_IN, 0,
			 "01020000 00000000 02000000 61000000 00000000", NULL),
		NDR_ERR_RANGE);
	/* More units than the maximum. */
	assert_int_equal(
		pull_hex(*state, 15, NDR_IN, 0,
			 "01000000 00000000 02000000 61000000 00000000", NULL),
		NDR_ERR_ARRAY_SIZE);
	/* An offset. */
	assert_int_equal(
		pull_hex(*state, 15, NDR_IN, 0,
			 "02000000 01000000 02000000 61000000 00000000", NULL),
		NDR_ERR_ARRAY_SIZE);
	/* No NUL at the end. */
	assert_int_equal(
		pull_hex(*state, 15, NDR_IN, 0,
			 "02000000 00000000 02000000 61006200 00000000", NULL),
		NDR_ERR_ARRAY_SIZE);
	/* No units where one is the least. */
	assert_int_equal(pull_hex(*state, 15, NDR_IN, 0,
				  "01000000 00000000 00000000 00000000", NULL),
			 NDR_ERR_RANGE);
}

static void test_a_lone_surrogate_is_no_string(void **state)
{
	assert_int_equal(
		pull_hex(*state, 15, NDR_IN, 0,
			 "02000000 00000000 02000000 00d80000 00000000", NULL),
		NDR_ERR_CHARCNV);
}

/* Some clients send an empty string without its NUL. */
static void test_a_string_of_no_units_is_empty(void **state)
{
	struct even6_EvtRpcGetPublisherListForChannel *r = NULL;

	assert_int_equal(pull_hex(*state, 23, NDR_IN, 0,
				  "00000000 00000000 00000000 07000000",
				  (void **)&r),
			 NDR_ERR_SUCCESS);
	assert_string_equal(r->in.channelName, "");
	assert_int_equal(r->in.flags, 7);
}

/* PutChannelConfig of "A" with flags 0, then the list. */
#define PUT "02000000 00000000 02000000 41000000 00000000 "

static void test_a_huge_count_allocates_nothing(void **state)
{
	/* A count that the range allows, an array that claims 2^32-1. */
	assert_int_equal(pull_hex(*state, 21, NDR_IN, 0,
				  PUT "01000000 00000200 ffffffff", NULL),
			 NDR_ERR_BUFSIZE);
	/* As many as the range allows, none of them there. */
	assert_int_equal(pull_hex(*state, 21, NDR_IN, 0,
				  PUT "00010000 00000200 00010000", NULL),
			 NDR_ERR_BUFSIZE);
}

static void test_an_array_has_as_many_elements_as_its_size(void **state)
{
	assert_int_equal(pull_hex(*state, 21, NDR_IN, 0,
				  PUT "02000000 00000200 01000000 00000000 "
				      "00000000 00000000 00000000 00000000",
				  NULL),
			 NDR_ERR_ARRAY_SIZE);
	/* NULL has none. */
	assert_int_equal(
		pull_hex(*state, 21, NDR_IN, 0, PUT "01000000 00000000", NULL),
		NDR_ERR_ARRAY_SIZE);
	assert_int_equal(
		pull_hex(*state, 21, NDR_IN, 0, PUT "00000000 00000000", NULL),
		NDR_ERR_SUCCESS);
}

static void test_a_failed_reply_may_count_what_it_does_not_send(void **state)
{
	/* QueryNext: 3 records, NULL arrays, an error. */
	assert_int_equal(pull_hex(*state, 11, NDR_OUT, 0,
				  "03000000 00000000 00000000 05000000 "
				  "00000000 57000000",
				  NULL),
			 NDR_ERR_SUCCESS);
}

static void test_a_variant_s_type_must_be_known_and_said_twice(void **state)
{
	/* One property at offset 32: type, flags, discriminant, arm. */
	assert_int_equal(pull_hex(*state, 21, NDR_IN, 0,
				  PUT "01000000 00000200 01000000 "
				      "02000000 00000000 02000000 05000000",
				  NULL),
			 NDR_ERR_SUCCESS);
	assert_int_equal(pull_hex(*state, 21, NDR_IN, 0,
				  PUT "01000000 00000200 01000000 "
				      "02000000 00000000 03000000 05000000",
				  NULL),
			 NDR_ERR_BAD_SWITCH);
	assert_int_equal(pull_hex(*state, 21, NDR_IN, 0,
				  PUT "01000000 00000200 01000000 "
				      "0b000000 00000000 0b000000 05000000",
				  NULL),
			 NDR_ERR_BAD_SWITCH);
}

static void test_a_count_above_32_bits_is_refused_in_ndr64(void **state)
{
	assert_int_equal(pull_hex(*state, 15, NDR_IN, LIBNDR_FLAG_NDR64,
				  "02000000 01000000 00000000 00000000 "
				  "02000000 00000000 61000000 00000000",
				  NULL),
			 NDR_ERR_NDR64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_ranges_hold_at_both_ends),
		leak_test(test_an_event_id_of_no_bytes_is_out_of_range),
		leak_test(test_a_string_s_counts_must_agree),
		leak_test(test_a_lone_surrogate_is_no_string),
		leak_test(test_a_string_of_no_units_is_empty),
		leak_test(test_a_huge_count_allocates_nothing),
		leak_test(test_an_array_has_as_many_elements_as_its_size),
		leak_test(test_a_failed_reply_may_count_what_it_does_not_send),
		leak_test(test_a_variant_s_type_must_be_known_and_said_twice),
		leak_test(test_a_count_above_32_bits_is_refused_in_ndr64),
	};

	return cmocka_run_group_tests_name("idl/range", tests, ndr_case_setup,
					   NULL);
}
