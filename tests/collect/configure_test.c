/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The client of opnums 20, 21, 15 and 16 against services that answer what
 * they should not, and what its failures say.
 */

#include "tests/leak.h"

#include "collect/configure.h"
#include "idl/even6.h"
#include "tests/collect/fake_service.h"

#include <string.h>

/* What the service answers with, and what it was asked. */
struct script {
	struct even6_EvtRpcVariantList list;
	struct even6_RpcInfo info;
	WERROR result;
	uint32_t opnum;
	uint32_t flags;
	char path[64];
	struct even6_EvtRpcVariantList asked;
};

struct fixture {
	struct tevent_context *ev;
	struct collect_connection *connection;
	struct collect_failure failure;
	struct script script;
};

static void note_path(struct script *script, const char *path)
{
	(void)snprintf(script->path, sizeof(script->path), "%s", path);
}

static NTSTATUS answer(struct fake_service *service, uint32_t opnum, void *r)
{
	struct script *script = service->private_data;
	struct even6_EvtRpcGetChannelConfig *get = r;
	struct even6_EvtRpcPutChannelConfig *put = r;
	struct even6_EvtRpcAssertConfig *change = r;
	struct even6_EvtRpcRetractConfig *retract = r;

	script->opnum = opnum;
	switch (opnum) {
	case 20:
		note_path(script, get->in.channelPath);
		*get->out.props = script->list;
		get->out.result = script->result;
		break;
	case 21:
		note_path(script, put->in.channelPath);
		script->flags = put->in.flags;
		script->asked = *put->in.props;
		*put->out.error = script->info;
		put->out.result = script->result;
		break;
	case 15:
		note_path(script, change->in.path);
		change->out.result = script->result;
		break;
	default:
		note_path(script, retract->in.path);
		retract->out.result = script->result;
		break;
	}
	return NT_STATUS_OK;
}

static struct fixture *fixture_create(void **state)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->ev = tevent_context_init(f);
	(void)fake_service_create(f, answer, &f->script, &f->connection);
	return f;
}

static void list_new(struct fixture *f, uint32_t count)
{
	f->script.list.count = count;
	f->script.list.props =
		talloc_zero_array(f, struct even6_EvtRpcVariant, count);
}

static struct even6_EvtRpcVariant *entry(struct fixture *f, uint32_t index,
					 enum even6_EvtRpcVariantType type)
{
	f->script.list.props[index].type = type;
	return &f->script.list.props[index];
}

static everr_t get(struct fixture *f, struct collect_channel_config **config)
{
	struct tevent_req *req =
		collect_config_get_send(f, f->ev, f->connection, "Some/Log");
	everr_t err;

	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	err = collect_config_get_recv(req, f, config, &f->failure);
	TALLOC_FREE(req);
	assert_int_equal(f->script.opnum, 20);
	assert_string_equal(f->script.path, "Some/Log");
	return err;
}

static void test_a_list_that_is_right(void **state)
{
	struct fixture *f = fixture_create(state);
	const char *names[] = {"One", "Two"};
	struct collect_channel_config *config = NULL;

	list_new(f, 21);
	entry(f, COLLECT_ENABLED, EvtRpcVarTypeBoolean)->var.booleanVal = 9;
	entry(f, COLLECT_TYPE, EvtRpcVarTypeUInt32)->var.uint32Val = 3;
	entry(f, COLLECT_ACCESS, EvtRpcVarTypeString)->var.stringVal = "D:";
	entry(f, COLLECT_MAX_SIZE, EvtRpcVarTypeUInt64)->var.uint64Val =
		UINT64_C(5) << 40;
	/* The SDK's type for it, not the specification's (facts 12.1). */
	entry(f, COLLECT_BUFFER_SIZE, EvtRpcVarTypeUInt32)->var.uint32Val = 64;
	entry(f, COLLECT_PUBLISHER_LIST, EvtRpcVarTypeStringArray)
		->var.stringArray = (struct even6_StringArray){2, names};
	assert_int_equal(get(f, &config), EVERR_OK);
	assert_int_equal(config->values[COLLECT_ENABLED].number, 1);
	assert_int_equal(config->values[COLLECT_TYPE].number, 3);
	assert_string_equal(config->values[COLLECT_ACCESS].text, "D:");
	assert_true(config->values[COLLECT_MAX_SIZE].number == UINT64_C(5)
								       << 40);
	assert_int_equal(config->values[COLLECT_BUFFER_SIZE].number, 64);
	assert_int_equal(config->values[COLLECT_PUBLISHER_LIST].num_list, 2);
	assert_string_equal(config->values[COLLECT_PUBLISHER_LIST].list[1],
			    "Two");
	assert_false(config->values[COLLECT_OWNING_PUBLISHER].present);
	assert_false(config->values[COLLECT_LEVEL].present);
}

/* Vista has 20 properties; a later Windows may have more. */
static void test_lists_of_any_length(void **state)
{
	static const uint32_t counts[] = {0, 1, 20, 22, 256};
	struct fixture *f = fixture_create(state);
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct collect_channel_config *config = NULL;

		list_new(f, counts[i]);
		assert_int_equal(get(f, &config), EVERR_OK);
		assert_false(config->values[COLLECT_FILE_MAX].present);
	}
}

static void test_values_of_another_type_are_none(void **state)
{
	struct fixture *f = fixture_create(state);
	uint32_t type, i;

	for (type = 0; type <= EvtRpcVarTypeGuidArray; type++) {
		struct collect_channel_config *config = NULL;

		list_new(f, 21);
		for (i = 0; i < 21; i++) {
			/* Every arm is NULL or 0. */
			entry(f, i, (enum even6_EvtRpcVariantType)type);
		}
		assert_int_equal(get(f, &config), EVERR_OK);
		assert_int_equal(config->values[COLLECT_ENABLED].present,
				 type == EvtRpcVarTypeBoolean);
		assert_int_equal(config->values[COLLECT_LEVEL].present,
				 type == EvtRpcVarTypeUInt32);
		assert_int_equal(config->values[COLLECT_KEYWORDS].present,
				 type == EvtRpcVarTypeUInt64);
		assert_false(config->values[COLLECT_ACCESS].present);
		assert_false(config->values[COLLECT_CONTROL_GUID].present);
	}
}

static void test_pointers_that_lead_nowhere(void **state)
{
	struct fixture *f = fixture_create(state);
	const char *names[] = {NULL, "Two"};
	struct collect_channel_config *config = NULL;

	list_new(f, 21);
	entry(f, COLLECT_PUBLISHER_LIST, EvtRpcVarTypeStringArray)
		->var.stringArray = (struct even6_StringArray){2, NULL};
	assert_int_equal(get(f, &config), EVERR_PROTOCOL);
	entry(f, COLLECT_PUBLISHER_LIST, EvtRpcVarTypeStringArray)
		->var.stringArray = (struct even6_StringArray){2, names};
	assert_int_equal(get(f, &config), EVERR_OK);
	assert_string_equal(config->values[COLLECT_PUBLISHER_LIST].list[0], "");

	f->script.list.props = NULL;
	assert_int_equal(get(f, &config), EVERR_PROTOCOL);
}

static void test_a_channel_that_is_none(void **state)
{
	struct fixture *f = fixture_create(state);
	struct collect_channel_config *config = NULL;

	f->script.result = W_ERROR(0x3A9F);
	assert_int_equal(get(f, &config), EVERR_CHANNEL_NOT_FOUND);
	assert_null(config);
	assert_non_null(strstr(f->failure.text, "Some/Log"));
}

/* ------------------------------------------------------------- changes */

static everr_t put(struct fixture *f, enum collect_config_mode mode)
{
	struct collect_channel_config config = {};
	struct tevent_req *req = NULL;
	everr_t err;

	config.values[COLLECT_ENABLED].present = true;
	config.values[COLLECT_MAX_SIZE] =
		(struct collect_value){.present = true, .number = 1 << 20};
	config.values[COLLECT_ACCESS] =
		(struct collect_value){.present = true, .text = "D:"};
	req = collect_config_put_send(f, f->ev, f->connection, "Some/Log", mode,
				      &config);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	err = collect_config_put_recv(req, &f->failure);
	if (err == EVERR_OK) {
		assert_int_equal(f->script.opnum, 21);
		assert_int_equal(f->script.flags, mode);
		assert_string_equal(f->script.path, "Some/Log");
	}
	TALLOC_FREE(req);
	return err;
}

static NTSTATUS answer_put(struct fake_service *service, uint32_t opnum,
			   void *r)
{
	const struct even6_EvtRpcPutChannelConfig *asked = r;
	const struct even6_EvtRpcVariant *props = asked->in.props->props;
	uint32_t i;

	assert_int_equal(asked->in.props->count, 21);
	for (i = 0; i < 21; i++) {
		bool changed = i == COLLECT_ENABLED || i == COLLECT_ACCESS ||
			       i == COLLECT_MAX_SIZE;

		assert_int_equal(props[i].flags, changed);
		assert_int_equal(props[i].type != EvtRpcVarTypeNull, changed);
	}
	assert_int_equal(props[0].type, EvtRpcVarTypeBoolean);
	assert_int_equal(props[0].var.booleanVal, 0);
	assert_int_equal(props[5].type, EvtRpcVarTypeString);
	assert_string_equal(props[5].var.stringVal, "D:");
	assert_int_equal(props[8].type, EvtRpcVarTypeUInt64);
	assert_int_equal(props[8].var.uint64Val, 1 << 20);
	return answer(service, opnum, r);
}

static void test_what_is_asked_for(void **state)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->ev = tevent_context_init(f);
	(void)fake_service_create(f, answer_put, &f->script, &f->connection);
	assert_int_equal(put(f, COLLECT_CONFIG_OPEN), EVERR_OK);
	assert_int_equal(put(f, COLLECT_CONFIG_CREATE), EVERR_OK);
}

static void test_failures_name_the_property(void **state)
{
	static const struct {
		uint32_t result;
		struct even6_RpcInfo info;
		everr_t err;
		const char *text;
	} cases[] = {
		{0x10DD,
		 {0x10DD, UINT32_MAX, 8},
		 EVERR_NOT_CHANGEABLE,
		 "MaxSize: the service or its configuration"},
		{0x57, {0x57, UINT32_MAX, 2}, EVERR_INVALID, "Type: the "},
		{0xD, {0xD, UINT32_MAX, 5}, EVERR_INVALID, "Access: the acc"},
		{0x5,
		 {0x5, UINT32_MAX, UINT32_MAX},
		 EVERR_ACCESS,
		 "Some/Log: access denied"},
		{0x490, {}, EVERR_CHANNEL_NOT_FOUND, "no such channel"},
		{0xB7, {0xB7, UINT32_MAX, UINT32_MAX}, EVERR_EXISTS, "exists"},
		/* Windows: 0, and the RpcInfo says otherwise (facts 12.2). */
		{0, {0x57, UINT32_MAX, 1}, EVERR_INVALID, "Isolation: "},
		/* No property of that number. */
		{0x57, {0x57, 0, 21}, EVERR_INVALID, "Some/Log: the service"},
		{0x57, {0x57, 0, 0x80000000}, EVERR_INVALID, "Some/Log: the"},
	};
	struct fixture *f = fixture_create(state);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->script.result = W_ERROR(cases[i].result);
		f->script.info = cases[i].info;
		assert_int_equal(put(f, COLLECT_CONFIG_OPEN), cases[i].err);
		if (strstr(f->failure.text, cases[i].text) == NULL) {
			print_error("%s\n", f->failure.text);
			fail();
		}
	}
}

static everr_t change(struct fixture *f, bool assert, uint32_t result)
{
	struct tevent_req *req = NULL;
	everr_t err;

	f->script.result = W_ERROR(result);
	req = assert ? collect_config_assert_send(f, f->ev, f->connection, "X")
		     : collect_config_retract_send(f, f->ev, f->connection,
						   "X");
	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	err = assert ? collect_config_assert_recv(req, &f->failure)
		     : collect_config_retract_recv(req, &f->failure);
	TALLOC_FREE(req);
	assert_int_equal(f->script.opnum, assert ? 15 : 16);
	assert_string_equal(f->script.path, "X");
	return err;
}

static void test_assert_and_retract(void **state)
{
	struct fixture *f = fixture_create(state);

	assert_int_equal(change(f, true, 0), EVERR_OK);
	assert_int_equal(change(f, false, 0), EVERR_OK);
	assert_int_equal(change(f, true, 5), EVERR_ACCESS);
	assert_non_null(strstr(f->failure.text, "cannot change X"));
	assert_int_equal(change(f, false, 0x10DD), EVERR_NOT_CHANGEABLE);
	assert_non_null(strstr(f->failure.text, "cannot remove X"));
	assert_int_equal(change(f, true, 0x70), EVERR_STORE_FULL);
}

static void test_names_of_properties(void **state)
{
	(void)state;
	assert_string_equal(collect_property_name(8), "MaxSize");
	assert_string_equal(collect_property_name(20), "FileMax");
	assert_string_equal(collect_property_name(21), "(unknown property)");
	assert_string_equal(collect_property_name(UINT32_MAX),
			    "(unknown property)");
}

/* libndr and tevent keep things for ever: no leak of a test. */
static void warm_up(void)
{
	struct collect_channel_config *config = NULL;
	void *state = talloc_new(NULL);

	(void)!get(fixture_create(&state), &config);
	talloc_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_list_that_is_right),
		leak_test(test_lists_of_any_length),
		leak_test(test_values_of_another_type_are_none),
		leak_test(test_pointers_that_lead_nowhere),
		leak_test(test_a_channel_that_is_none),
		leak_test(test_what_is_asked_for),
		leak_test(test_failures_name_the_property),
		leak_test(test_assert_and_retract),
		leak_test(test_names_of_properties),
	};

	warm_up();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
