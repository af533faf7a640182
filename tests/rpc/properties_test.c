/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The 21 properties: facts 12.1 row by row, what opnum 21 may ask for, and the
 * bytes in the store.
 */

#include "tests/leak.h"

#include "idl/even6.h"
#include "rpc/properties.h"

#include <string.h>
#include <unistd.h>

/* [MS-EVEN6] 2.2.7 */
enum {
	NONE = 0,
	BOOLEAN = 1,
	UINT32 = 2,
	UINT64 = 3,
	STRING = 4,
	GUID = 5,
	STRINGS = 9
};

/* facts 12.1: type, default (where it is one number), settable by opnum 21. */
static const struct {
	uint32_t type;
	uint64_t number;
	bool settable;
} rows[21] = {
	{BOOLEAN, 1, true},	    /* Enabled */
	{UINT32, 0, true},	    /* Isolation */
	{UINT32, 0, true},	    /* Type */
	{STRING, 0, true},	    /* OwningPublisher */
	{BOOLEAN, 0, true},	    /* ClassicEventlog */
	{STRING, 0, true},	    /* Access */
	{BOOLEAN, 0, true},	    /* Retention */
	{BOOLEAN, 0, true},	    /* AutoBackup */
	{UINT64, 20971520, true},   /* MaxSize */
	{STRING, 0, true},	    /* LogFilePath */
	{UINT32, 0, true},	    /* Level */
	{UINT64, UINT64_MAX, true}, /* Keywords */
	{GUID, 0, true},	    /* ControlGuid: ignored */
	{UINT64, 64, false},	    /* BufferSize */
	{UINT32, 0, false},	    /* MinBuffers */
	{UINT32, 0, false},	    /* MaxBuffers */
	{UINT32, 1, false},	    /* Latency */
	{UINT32, 0, false},	    /* ClockType */
	{UINT32, 1, false},	    /* SidType */
	{STRINGS, 0, true},	    /* PublisherList */
	{UINT32, 0, true},	    /* FileMax */
};

static struct even6_EvtRpcVariantList defaults(TALLOC_CTX *mem_ctx,
					       const char *channel)
{
	struct rpc_properties *properties = rpc_properties_create(mem_ctx);
	struct even6_EvtRpcVariantList list = {};
	everr_t err;

	assert_non_null(properties);
	err = rpc_properties_defaults(properties, channel);
	assert_int_equal(err, EVERR_OK);
	err = rpc_properties_write(mem_ctx, properties, &list);
	assert_int_equal(err, EVERR_OK);
	return list;
}

static uint64_t number_of(const struct even6_EvtRpcVariant *variant)
{
	switch ((uint32_t)variant->type) {
	case BOOLEAN:
		return variant->var.booleanVal;
	case UINT32:
		return variant->var.uint32Val;
	case UINT64:
		return variant->var.uint64Val;
	default:
		return 0;
	}
}

static void test_defaults_are_those_of_the_table(void **state)
{
	struct even6_EvtRpcVariantList list = defaults(*state, "Some/Channel");
	uint64_t buffers = 2 * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	const struct GUID zero = {};
	uint32_t i;

	assert_int_equal(list.count, 21);
	for (i = 0; i < 21; i++) {
		assert_int_equal(list.props[i].flags, 0);
		if (rows[i].type == STRINGS || i == 3 || i == 5) {
			assert_int_equal(list.props[i].type, NONE);
			continue;
		}
		assert_int_equal(list.props[i].type, rows[i].type);
		if (i != 14 && i != 15) {
			assert_int_equal(number_of(&list.props[i]),
					 rows[i].number);
		}
	}
	assert_string_equal(
		list.props[9].var.stringVal,
		"%SystemRoot%\\System32\\Winevt\\Logs\\Some%4Channel.evtx");
	assert_memory_equal(list.props[12].var.guidVal, &zero, sizeof(zero));
	assert_int_equal(list.props[14].var.uint32Val, buffers);
	assert_int_equal(list.props[15].var.uint32Val, buffers + 22);
}

/* ------------------------------------------------------------- opnum 21 */

static struct even6_EvtRpcVariantList *changes_new(TALLOC_CTX *mem_ctx,
						   uint32_t count)
{
	struct even6_EvtRpcVariantList *list =
		talloc_zero(mem_ctx, struct even6_EvtRpcVariantList);

	list->count = count;
	list->props =
		talloc_zero_array(list, struct even6_EvtRpcVariant, count);
	return list;
}

/* A list that changes one property, to a value of that type. */
static struct even6_EvtRpcVariant *change(TALLOC_CTX *mem_ctx, uint32_t index,
					  uint32_t type,
					  struct even6_EvtRpcVariantList **list)
{
	*list = changes_new(mem_ctx, 21);
	(*list)->props[index].flags = 1;
	(*list)->props[index].type = (enum even6_EvtRpcVariantType)type;
	return &(*list)->props[index];
}

static everr_t take(TALLOC_CTX *mem_ctx,
		    const struct even6_EvtRpcVariantList *list,
		    struct rpc_property_changes **changes)
{
	uint32_t property = 99;
	everr_t err;

	err = rpc_properties_read(mem_ctx, list, changes, &property);
	if (err != EVERR_OK) {
		assert_int_not_equal(property, 99);
		assert_int_equal(list->props[property].flags, 1);
	}
	return err;
}

/* Change a number; what it has become. */
static everr_t change_number(TALLOC_CTX *mem_ctx, uint32_t index,
			     uint64_t number, uint64_t *ret_number)
{
	struct even6_EvtRpcVariantList *list = NULL;
	struct rpc_property_changes *changes = NULL;
	struct even6_EvtRpcVariant *variant =
		change(mem_ctx, index, rows[index].type, &list);
	everr_t err;

	switch (rows[index].type) {
	case BOOLEAN:
		variant->var.booleanVal = (uint8_t)number;
		break;
	case UINT32:
		variant->var.uint32Val = (uint32_t)number;
		break;
	default:
		variant->var.uint64Val = number;
		break;
	}
	err = take(mem_ctx, list, &changes);
	if (err == EVERR_OK) {
		assert_int_equal(changes->to->set, 1U << index);
		assert_int_equal(changes->reset, 0);
		*ret_number = changes->to->values[index].number;
	}
	return err;
}

static everr_t change_text(TALLOC_CTX *mem_ctx, uint32_t index,
			   const char *text)
{
	struct even6_EvtRpcVariantList *list = NULL;
	struct rpc_property_changes *changes = NULL;
	everr_t err;

	change(mem_ctx, index, STRING, &list)->var.stringVal = text;
	err = take(mem_ctx, list, &changes);
	if (err == EVERR_OK && changes->to->set != 0) {
		assert_string_equal(changes->to->values[index].text, text);
	}
	return err;
}

static void test_only_entries_marked_as_changed_count(void **state)
{
	struct even6_EvtRpcVariantList *list = changes_new(*state, 21);
	struct rpc_property_changes *changes = NULL;
	uint32_t i;

	/* Nothing of this would be right. */
	for (i = 0; i < 21; i++) {
		list->props[i].type = EvtRpcVarTypeUInt64Array;
		list->props[i].flags = i % 2 == 0 ? 0 : 2;
	}
	assert_int_equal(take(*state, list, &changes), EVERR_OK);
	assert_int_equal(changes->to->set, 0);
	assert_int_equal(changes->reset, 0);
	list->props[4].type = EvtRpcVarTypeBoolean;
	list->props[4].flags = 1;
	list->props[4].var.booleanVal = 7;
	assert_int_equal(take(*state, list, &changes), EVERR_OK);
	assert_int_equal(changes->to->set, 1 << 4);
	assert_int_equal(changes->to->values[4].number, 1);
}

static void test_what_nobody_can_set(void **state)
{
	struct even6_EvtRpcVariantList *list = NULL;
	struct rpc_property_changes *changes = NULL;
	uint32_t i, type;

	for (i = 0; i < 21; i++) {
		for (type = NONE; type <= 10; type++) {
			everr_t want = EVERR_INVALID;

			if (type != NONE && type == rows[i].type) {
				continue; /* it would need a value */
			}
			(void)change(*state, i, type, &list);
			if (!rows[i].settable) {
				want = EVERR_NOT_CHANGEABLE;
			} else if (type == NONE) {
				want = EVERR_OK;
			}
			assert_int_equal(take(*state, list, &changes), want);
			if (want == EVERR_OK) {
				assert_int_equal(changes->reset, 1U << i);
				assert_int_equal(changes->to->set, 0);
			}
		}
	}
	for (i = 13; i <= 18; i++) {
		uint64_t got = 0;

		assert_int_equal(change_number(*state, i, rows[i].number, &got),
				 EVERR_NOT_CHANGEABLE);
	}
}

static void test_there_are_21_properties(void **state)
{
	struct even6_EvtRpcVariantList *list = changes_new(*state, 256);
	struct rpc_property_changes *changes = NULL;
	uint32_t property = 0;

	assert_int_equal(take(*state, list, &changes), EVERR_OK);
	list->props[21].flags = 1;
	assert_int_equal(rpc_properties_read(*state, list, &changes, &property),
			 EVERR_INVALID);
	assert_int_equal(property, 21);
	/* Vista knows 20 and sends as many; NULL is a list without entries. */
	list->count = 20;
	assert_int_equal(take(*state, list, &changes), EVERR_OK);
	list->props = NULL;
	assert_int_equal(take(*state, list, &changes), EVERR_OK);
}

static void test_ranges(void **state)
{
	static const struct {
		uint32_t index;
		uint64_t number;
		everr_t err;
	} cases[] = {
		{0, 0, EVERR_OK},
		{0, 1, EVERR_OK},
		{1, 2, EVERR_OK},
		{1, 3, EVERR_INVALID},
		{1, UINT32_MAX, EVERR_INVALID},
		{2, 3, EVERR_OK},
		{2, 4, EVERR_INVALID},
		{4, 1, EVERR_OK},
		{6, 0, EVERR_OK},
		{6, 1, EVERR_OK},
		{7, 0, EVERR_OK},
		{7, 1, EVERR_NOT_CHANGEABLE},
		{8, UINT64_C(64) << 40, EVERR_OK},
		{8, (UINT64_C(64) << 40) + 1, EVERR_INVALID},
		{8, UINT64_MAX, EVERR_INVALID},
		{10, 0xFFFF, EVERR_OK}, /* spec 4.13 */
		{10, UINT32_MAX, EVERR_OK},
		{11, 0, EVERR_OK},
		{11, UINT64_MAX, EVERR_OK},
		{20, 16, EVERR_OK}, /* spec 4.13 */
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = 0;
		everr_t err = change_number(*state, cases[i].index,
					    cases[i].number, &got);

		assert_int_equal(err, cases[i].err);
		if (err == EVERR_OK) {
			assert_int_equal(got, cases[i].number);
		}
	}
}

/* Multiples of 64 KiB, at least 1 MiB: the SDK, facts 12.1. */
static void test_max_size_is_rounded_up(void **state)
{
	static const uint64_t cases[][2] = {
		{0, 1048576},
		{1, 1048576},
		{1048576, 1048576},
		{1048577, 1048576 + 65536},
		{1048576 + 65536, 1048576 + 65536},
		{0x01400000, 0x01400000}, /* spec 4.13 */
		{20971521, 20971520 + 65536},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = 0;

		assert_int_equal(change_number(*state, 8, cases[i][0], &got),
				 EVERR_OK);
		assert_int_equal(got, cases[i][1]);
	}
}

static void test_texts(void **state)
{
	char long_name[257];
	char *long_path = talloc_zero_size(*state, RPC_PROPERTY_PATH_MAX + 2);

	memset(long_name, 'p', 256);
	long_name[256] = '\0';
	memset(long_path, 'p', RPC_PROPERTY_PATH_MAX + 1);

	assert_int_equal(change_text(*state, 3, "Some-Publisher"), EVERR_OK);
	assert_int_equal(change_text(*state, 3, long_name), EVERR_INVALID);
	long_name[255] = '\0';
	assert_int_equal(change_text(*state, 3, long_name), EVERR_OK);
	assert_int_equal(change_text(*state, 3, "\\leading"), EVERR_INVALID);
	assert_int_equal(change_text(*state, 3, "line\nfeed"), EVERR_INVALID);
	assert_int_equal(change_text(*state, 3, NULL), EVERR_INVALID);

	assert_int_equal(change_text(*state, 5, "O:BAG:SYD:(A;;0x1;;;BA)"),
			 EVERR_OK);
	assert_int_equal(change_text(*state, 5, "nonsense"), EVERR_TEXT);
	assert_int_equal(change_text(*state, 5, ""), EVERR_TEXT);
	/* No list of rights would mean all rights for everybody. */
	assert_int_equal(change_text(*state, 5, "O:BAG:SY"), EVERR_TEXT);

	assert_int_equal(change_text(*state, 9,
				     "%SystemRoot%\\system32\\winevt\\logs\\"
				     "forwardedevents.evtx"),
			 EVERR_OK);
	assert_int_equal(change_text(*state, 9, long_path), EVERR_INVALID);
	long_path[RPC_PROPERTY_PATH_MAX] = '\0';
	assert_int_equal(change_text(*state, 9, long_path), EVERR_OK);
	assert_int_equal(change_text(*state, 9, "tab\there"), EVERR_INVALID);
}

static void test_an_empty_name_is_none(void **state)
{
	static const uint32_t texts[] = {3, 9};
	struct rpc_property_changes *changes = NULL;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct even6_EvtRpcVariantList *list = NULL;

		change(*state, texts[i], STRING, &list)->var.stringVal = "";
		assert_int_equal(take(*state, list, &changes), EVERR_OK);
		assert_int_equal(changes->reset, 1U << texts[i]);
		assert_int_equal(changes->to->set, 0);
	}
}

static everr_t change_list(TALLOC_CTX *mem_ctx, const char **names,
			   uint32_t num)
{
	struct even6_EvtRpcVariantList *list = NULL;
	struct rpc_property_changes *changes = NULL;
	struct even6_EvtRpcVariant *variant =
		change(mem_ctx, 19, STRINGS, &list);
	everr_t err;

	variant->var.stringArray.count = num;
	variant->var.stringArray.ptr = names;
	err = take(mem_ctx, list, &changes);
	if (err == EVERR_OK) {
		assert_int_equal(changes->to->values[19].num_list, num);
	}
	return err;
}

static void test_lists_of_publishers(void **state)
{
	const char *good[] = {"One", "Two"};
	const char *empty[] = {"One", ""};
	const char *missing[] = {"One", NULL};
	const char **many = talloc_array(*state, const char *, 1025);
	size_t i;

	for (i = 0; i < 1025; i++) {
		many[i] = "P";
	}
	assert_int_equal(change_list(*state, good, 2), EVERR_OK);
	assert_int_equal(change_list(*state, NULL, 0), EVERR_OK);
	assert_int_equal(change_list(*state, NULL, 2), EVERR_INVALID);
	assert_int_equal(change_list(*state, empty, 2), EVERR_INVALID);
	assert_int_equal(change_list(*state, missing, 2), EVERR_INVALID);
	assert_int_equal(change_list(*state, many, 1024), EVERR_OK);
	assert_int_equal(change_list(*state, many, 1025), EVERR_INVALID);
}

static void test_control_guid_is_taken_and_forgotten(void **state)
{
	struct even6_EvtRpcVariantList *list = NULL;
	struct rpc_property_changes *changes = NULL;
	struct GUID guid = {.time_low = 1};

	change(*state, 12, GUID, &list)->var.guidVal = &guid;
	assert_int_equal(take(*state, list, &changes), EVERR_OK);
	assert_int_equal(changes->to->set, 0);
	assert_int_equal(changes->reset, 0);
}

/* ------------------------------------------------------------ the store */

static struct rpc_properties *sample(TALLOC_CTX *mem_ctx)
{
	const char *names[] = {"One", "Two"};
	struct even6_EvtRpcVariantList *list = changes_new(mem_ctx, 21);
	struct rpc_property_changes *changes = NULL;
	struct even6_EvtRpcVariant *props = list->props;

	props[0] = (struct even6_EvtRpcVariant){EvtRpcVarTypeBoolean, 1};
	props[2] = (struct even6_EvtRpcVariant){EvtRpcVarTypeUInt32, 1};
	props[2].var.uint32Val = 3;
	props[5] = (struct even6_EvtRpcVariant){EvtRpcVarTypeString, 1};
	props[5].var.stringVal = "O:BAG:SYD:(A;;0x1;;;BA)";
	props[8] = (struct even6_EvtRpcVariant){EvtRpcVarTypeUInt64, 1};
	props[8].var.uint64Val = 0x01400000;
	props[19] = (struct even6_EvtRpcVariant){EvtRpcVarTypeStringArray, 1};
	props[19].var.stringArray = (struct even6_StringArray){2, names};
	assert_int_equal(take(mem_ctx, list, &changes), EVERR_OK);
	return changes->to;
}

static struct buf pack(TALLOC_CTX *mem_ctx,
		       const struct rpc_properties *properties)
{
	struct buf out;

	buf_init(&out, mem_ctx, RPC_PROPERTIES_PACKED_MAX);
	assert_int_equal(rpc_properties_pack(&out, properties), EVERR_OK);
	return out;
}

/* doc/store-format.md, written out by hand. */
static void test_bytes_are_as_documented(void **state)
{
	static const uint8_t want[] = {
		'E', 'V', 'C', 'P', 1, 0, 0, 0, 0x09, 0x00, 0x08, 0x00,
		/* Enabled, 0; OwningPublisher "P"; PublisherList {"ab"} */
		0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'P', 1, 0, 0, 0, 2, 0, 0, 0,
		'a', 'b'};
	const char *names[] = {"ab"};
	struct even6_EvtRpcVariantList *list = changes_new(*state, 21);
	struct rpc_property_changes *changes = NULL;
	struct even6_EvtRpcVariant *props = list->props;
	struct buf out;

	props[0] = (struct even6_EvtRpcVariant){EvtRpcVarTypeBoolean, 1};
	props[3] = (struct even6_EvtRpcVariant){EvtRpcVarTypeString, 1};
	props[3].var.stringVal = "P";
	props[19] = (struct even6_EvtRpcVariant){EvtRpcVarTypeStringArray, 1};
	props[19].var.stringArray = (struct even6_StringArray){1, names};
	assert_int_equal(take(*state, list, &changes), EVERR_OK);
	out = pack(*state, changes->to);
	assert_int_equal(out.len, sizeof(want));
	assert_memory_equal(out.data, want, sizeof(want));
}

static void test_what_was_packed_comes_back(void **state)
{
	struct rpc_properties *properties = sample(*state);
	struct buf out = pack(*state, properties);
	struct rpc_properties *again = NULL;
	uint32_t i;

	assert_int_equal(
		rpc_properties_unpack(*state, out.data, out.len, &again),
		EVERR_OK);
	assert_int_equal(again->set, properties->set);
	for (i = 0; i < RPC_PROPERTIES; i++) {
		assert_true(rpc_properties_same(again, properties, i));
	}
}

static void test_damage_is_noticed(void **state)
{
	struct buf out = pack(*state, sample(*state));
	struct rpc_properties *again = NULL;
	size_t len;

	for (len = 0; len < out.len; len++) {
		assert_int_equal(
			rpc_properties_unpack(*state, out.data, len, &again),
			EVERR_STORE_CORRUPT);
	}
	buf_put_u8(&out, 0);
	assert_int_equal(
		rpc_properties_unpack(*state, out.data, out.len, &again),
		EVERR_STORE_CORRUPT);
	buf_truncate(&out, out.len - 1);
	/* A later version; a property that does not exist; a type 4. */
	buf_set_u32(&out, 4, 2);
	assert_int_equal(
		rpc_properties_unpack(*state, out.data, out.len, &again),
		EVERR_STORE_VERSION);
	buf_set_u32(&out, 4, 1);
	buf_set_u32(&out, 8, le32_get(out.data + 8) | 1U << 21);
	assert_int_equal(
		rpc_properties_unpack(*state, out.data, out.len, &again),
		EVERR_STORE_CORRUPT);
	buf_set_u32(&out, 8, le32_get(out.data + 8) & ~(1U << 21));
	buf_set_u64(&out, 20, 4);
	assert_int_equal(
		rpc_properties_unpack(*state, out.data, out.len, &again),
		EVERR_STORE_CORRUPT);
	assert_null(again);
}

static void test_layers(void **state)
{
	struct rpc_properties *below = rpc_properties_create(*state);
	struct rpc_properties *over = sample(*state);

	assert_int_equal(rpc_properties_defaults(below, "X"), EVERR_OK);
	assert_int_equal(rpc_properties_set_text(below, RPC_PROPERTY_ACCESS,
						 "D:(A;;0x1;;;BA)"),
			 EVERR_OK);
	assert_false(rpc_properties_same(below, over, RPC_PROPERTY_ACCESS));
	assert_int_equal(rpc_properties_overlay(below, over), EVERR_OK);
	assert_true(rpc_properties_same(below, over, RPC_PROPERTY_ACCESS));
	assert_true(
		rpc_properties_same(below, over, RPC_PROPERTY_PUBLISHER_LIST));
	assert_int_equal(below->values[RPC_PROPERTY_LEVEL].number, 0);
	assert_false(rpc_properties_same(below, over, RPC_PROPERTY_LEVEL));
	rpc_properties_unset(below, RPC_PROPERTY_PUBLISHER_LIST);
	rpc_properties_unset(over, RPC_PROPERTY_PUBLISHER_LIST);
	assert_true(
		rpc_properties_same(below, over, RPC_PROPERTY_PUBLISHER_LIST));
	assert_string_equal(rpc_property_name(RPC_PROPERTY_SID_TYPE),
			    "SidType");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_defaults_are_those_of_the_table),
		leak_test(test_only_entries_marked_as_changed_count),
		leak_test(test_what_nobody_can_set),
		leak_test(test_there_are_21_properties),
		leak_test(test_ranges),
		leak_test(test_max_size_is_rounded_up),
		leak_test(test_texts),
		leak_test(test_an_empty_name_is_none),
		leak_test(test_lists_of_publishers),
		leak_test(test_control_guid_is_taken_and_forgotten),
		leak_test(test_bytes_are_as_documented),
		leak_test(test_what_was_packed_comes_back),
		leak_test(test_damage_is_noticed),
		leak_test(test_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
