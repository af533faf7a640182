/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The client of opnums 22 to 27, 9 and 10 against services that answer what
 * they should not, and the cache of publishers' handles.
 */

#include "tests/leak.h"

#include "base/buf.h"
#include "collect/messages.h"
#include "collect/publisher.h"
#include "collect/render.h"
#include "tests/collect/fake_service.h"

#include <string.h>

#define NO_SUCH W_ERROR(2)
#define NO_MESSAGE_ID W_ERROR(0x3AB4)
#define TOO_SMALL W_ERROR(0x7A)
#define NO_DATA W_ERROR(0xE8)

struct fixture {
	struct tevent_context *ev;
	struct fake_service *service;
	struct collect_connection *connection;
	struct collect_publisher publisher;
	struct collect_failure failure;
};

static struct fixture *fixture_create(void **state, fake_answer_fn answer,
				      void *private_data)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->ev = tevent_context_init(f);
	f->service =
		fake_service_create(f, answer, private_data, &f->connection);
	f->publisher.connection = f->connection;
	f->publisher.handle.uuid.time_low = 1;
	return f;
}

static void wait_for(struct fixture *f, struct tevent_req *req)
{
	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
}

/* --------------------------------------------------------------- lists */

/* What a test does to a reply that was right. */
typedef void (*spoil_fn)(struct even6_EvtRpcVariantList *list);

static void put_strings(struct even6_EvtRpcVariantList *list, uint32_t index,
			uint32_t num)
{
	struct even6_EvtRpcVariant *v = &list->props[index];
	const char **ptr = talloc_array(list->props, const char *, num);
	uint32_t i;

	for (i = 0; i < num; i++) {
		ptr[i] = "name";
	}
	v->type = EvtRpcVarTypeStringArray;
	v->var.stringArray =
		(struct even6_StringArray){.count = num, .ptr = ptr};
}

static void put_numbers(struct even6_EvtRpcVariantList *list, uint32_t index,
			uint32_t num)
{
	struct even6_EvtRpcVariant *v = &list->props[index];
	uint32_t *ptr = talloc_array(list->props, uint32_t, num);
	uint32_t i;

	for (i = 0; i < num; i++) {
		ptr[i] = 0x000B0007 + i;
	}
	v->type = EvtRpcVarTypeUInt32Array;
	v->var.uint32Array =
		(struct even6_UInt32Array){.count = num, .ptr = ptr};
}

static struct even6_EvtRpcVariantList right_list(TALLOC_CTX *mem_ctx)
{
	struct even6_EvtRpcVariantList list = {.count = 29};
	uint32_t i;

	list.props = talloc_zero_array(mem_ctx, struct even6_EvtRpcVariant,
				       list.count);
	put_strings(&list, 7, 2);
	for (i = 8; i < 12; i++) {
		put_numbers(&list, i, 2);
	}
	list.props[1].type = EvtRpcVarTypeString;
	list.props[1].var.stringVal = "C:\\x.dll";
	/* Opnum 25's; each of its calls gets all of them. */
	put_strings(&list, 13, 2);
	put_numbers(&list, 14, 2);
	put_numbers(&list, 15, 2);
	put_strings(&list, 22, 2);
	put_numbers(&list, 23, 2);
	put_numbers(&list, 24, 2);
	return list;
}

static NTSTATUS answer_list(struct fake_service *service, uint32_t opnum,
			    void *r)
{
	struct even6_EvtRpcVariantList list = right_list(r);
	spoil_fn *spoil = service->private_data;
	struct even6_EvtRpcGetPublisherMetadata *open = r;
	struct even6_EvtRpcGetPublisherResourceMetadata *get = r;

	(*spoil)(&list);
	if (opnum == 24) {
		*open->out.pubMetadataProps = list;
		open->out.pubMetadata->uuid.time_low = 7;
	} else {
		*get->out.pubMetadataProps = list;
	}
	return NT_STATUS_OK;
}

static everr_t open_one(struct fixture *f, struct collect_publisher **ret)
{
	struct tevent_req *req =
		collect_publisher_open_send(f, f->ev, f->connection, "P", 0);
	everr_t err;

	wait_for(f, req);
	err = collect_publisher_open_recv(req, f, ret, &f->failure);
	talloc_free(req);
	return err;
}

static everr_t details_of(struct fixture *f,
			  struct collect_publisher_details **ret)
{
	struct tevent_req *req =
		collect_publisher_details_send(f, f->ev, &f->publisher);
	everr_t err;

	wait_for(f, req);
	err = collect_publisher_details_recv(req, f, ret, &f->failure);
	talloc_free(req);
	return err;
}

static void spoil_nothing(struct even6_EvtRpcVariantList *list)
{
	(void)list;
}

static void test_what_a_service_says_is_taken(void **state)
{
	spoil_fn spoil = spoil_nothing;
	struct fixture *f = fixture_create(state, answer_list, &spoil);
	struct collect_publisher_details *details = NULL;
	struct collect_publisher *publisher = NULL;

	assert_int_equal(open_one(f, &publisher), EVERR_OK);
	assert_int_equal(publisher->handle.uuid.time_low, 7);
	assert_string_equal(publisher->resource_file, "C:\\x.dll");
	assert_null(publisher->message_file);
	assert_int_equal(publisher->num_channels, 2);
	assert_string_equal(publisher->channels[1].path, "name");
	assert_int_equal(publisher->channels[1].id, 0x000B0008);

	assert_int_equal(details_of(f, &details), EVERR_OK);
	assert_int_equal(f->service->calls[25], 6);
	assert_int_equal(details->message_id, COLLECT_MESSAGE_NONE);
	assert_int_equal(details->levels.num, 2);
	assert_int_equal(details->tasks.num, 0);
	/* The opcode is the high word, its task the low one. */
	assert_int_equal(details->opcodes.names[0].value, 0x0B);
	assert_int_equal(details->opcodes.names[0].task, 7);
}

static void spoil_count(struct even6_EvtRpcVariantList *list)
{
	put_numbers(list, 9, 1);
	put_numbers(list, 14, 3);
}

static void spoil_type(struct even6_EvtRpcVariantList *list)
{
	put_strings(list, 11, 2);
	list->props[15].type = EvtRpcVarTypeNull;
}

static void spoil_null(struct even6_EvtRpcVariantList *list)
{
	list->props[10].var.uint32Array = (struct even6_UInt32Array){0};
	list->props[24].var.uint32Array = (struct even6_UInt32Array){0};
}

static void test_parallel_arrays_that_are_not(void **state)
{
	static const spoil_fn spoils[] = {spoil_count, spoil_type, spoil_null};
	size_t i;

	for (i = 0; i < 3; i++) {
		spoil_fn spoil = spoils[i];
		struct fixture *f = fixture_create(state, answer_list, &spoil);
		struct collect_publisher_details *details = NULL;
		struct collect_publisher *publisher = NULL;

		assert_int_equal(open_one(f, &publisher), EVERR_PROTOCOL);
		assert_null(publisher);
		assert_int_equal(details_of(f, &details), EVERR_PROTOCOL);
		assert_null(details);
		assert_non_null(strstr(f->failure.text, "malformed"));
	}
}

static void spoil_short(struct even6_EvtRpcVariantList *list)
{
	list->count = 7;
}

static void spoil_all(struct even6_EvtRpcVariantList *list)
{
	list->count = 0;
	list->props = NULL;
}

static void spoil_paths(struct even6_EvtRpcVariantList *list)
{
	list->props[7].type = EvtRpcVarTypeUInt64;
	list->props[13].type = EvtRpcVarTypeBoolean;
	list->props[22].var.stringArray = (struct even6_StringArray){0};
	list->props[23].var.uint32Array = (struct even6_UInt32Array){0};
	list->props[24].var.uint32Array = (struct even6_UInt32Array){0};
}

static void test_what_is_missing_is_empty(void **state)
{
	static const spoil_fn spoils[] = {spoil_short, spoil_all, spoil_paths};
	size_t i;

	for (i = 0; i < 3; i++) {
		spoil_fn spoil = spoils[i];
		struct fixture *f = fixture_create(state, answer_list, &spoil);
		struct collect_publisher_details *details = NULL;
		struct collect_publisher *publisher = NULL;

		assert_int_equal(open_one(f, &publisher), EVERR_OK);
		assert_int_equal(publisher->num_channels, 0);
		assert_int_equal(details_of(f, &details), EVERR_OK);
		assert_int_equal(details->levels.num, 0);
		assert_int_equal(details->opcodes.num, 0);
	}
}

static void spoil_names(struct even6_EvtRpcVariantList *list)
{
	list->props[7].var.stringArray.ptr[0] = NULL;
	list->props[13].var.stringArray.ptr[1] = NULL;
}

static void test_names_that_are_null(void **state)
{
	spoil_fn spoil = spoil_names;
	struct fixture *f = fixture_create(state, answer_list, &spoil);
	struct collect_publisher_details *details = NULL;
	struct collect_publisher *publisher = NULL;

	assert_int_equal(open_one(f, &publisher), EVERR_OK);
	assert_string_equal(publisher->channels[0].path, "");
	assert_int_equal(details_of(f, &details), EVERR_OK);
	assert_string_equal(details->levels.names[1].name, "");
}

static NTSTATUS answer_code(struct fake_service *service, uint32_t opnum,
			    void *r)
{
	uint32_t *code = service->private_data;
	struct even6_EvtRpcGetPublisherMetadata *open = r;

	assert_int_equal(opnum, 24);
	open->out.result = W_ERROR(*code);
	return NT_STATUS_OK;
}

static void test_codes_for_an_unknown_publisher(void **state)
{
	static const uint32_t codes[] = {2, 0x57, 0x3A9A};
	struct collect_publisher *publisher = NULL;
	uint32_t code;
	struct fixture *f = fixture_create(state, answer_code, &code);
	size_t i;

	for (i = 0; i < 3; i++) {
		code = codes[i];
		assert_int_equal(open_one(f, &publisher), EVERR_PUBLISHER);
		assert_int_equal(f->failure.win32, code);
	}
	code = 5;
	assert_int_equal(open_one(f, &publisher), EVERR_ACCESS);
}

/* -------------------------------------------------------------- events */

enum events_mode {
	EVENTS_ENDLESS,
	EVENTS_LONG,
	EVENTS_NULL,
	EVENTS_EMPTY,
	EVENTS_ODD
};

/* One event: an id and, if there is one, a template. */
static struct even6_EvtRpcVariantList event_list(TALLOC_CTX *mem_ctx,
						 const char *xml)
{
	struct even6_EvtRpcVariantList list = {.count = 9};

	list.props = talloc_zero_array(mem_ctx, struct even6_EvtRpcVariant, 9);
	list.props[0].type = EvtRpcVarTypeUInt32;
	list.props[0].var.uint32Val = 42;
	/* In the other's place, as the specification has it. */
	list.props[6].type = EvtRpcVarTypeUInt32;
	list.props[7].type = EvtRpcVarTypeUInt64;
	if (xml != NULL) {
		list.props[8].type = EvtRpcVarTypeString;
		list.props[8].var.stringVal = xml;
	}
	return list;
}

static void answer_next(enum events_mode mode, uint32_t nth,
			struct even6_EvtRpcGetNextEventMetadata *r)
{
	struct even6_EvtRpcVariantList *lists = NULL;
	uint32_t num = mode == EVENTS_ENDLESS ? 256 : 2;
	char *xml = NULL;
	uint32_t i;

	if (mode == EVENTS_NULL) {
		*r->out.numReturned = 2;
		return;
	}
	if (mode == EVENTS_LONG) {
		xml = talloc_zero_array(r, char, 8 * 1024 * 1024);
		memset(xml, 'x', 8 * 1024 * 1024 - 1);
	}
	if (nth > 1 && (mode == EVENTS_ODD || mode == EVENTS_EMPTY)) {
		r->out.result = mode == EVENTS_ODD ? NO_DATA : WERR_OK;
		return;
	}
	lists = talloc_zero_array(r, struct even6_EvtRpcVariantList, num);
	for (i = 0; i < num; i++) {
		lists[i] = event_list(lists, xml);
	}
	if (mode == EVENTS_ODD) {
		lists[1].count = 0;
		lists[1].props = NULL;
	}
	*r->out.numReturned = num;
	*r->out.eventMetadataInstances = lists;
}

static NTSTATUS answer_events(struct fake_service *service, uint32_t opnum,
			      void *r)
{
	enum events_mode *mode = service->private_data;

	if (opnum == 27) {
		answer_next(*mode, service->calls[27], r);
	}
	return NT_STATUS_OK;
}

static everr_t events_of(struct fixture *f,
			 struct collect_publisher_events **ret)
{
	struct tevent_req *req =
		collect_publisher_events_send(f, f->ev, &f->publisher);
	everr_t err;

	wait_for(f, req);
	err = collect_publisher_events_recv(req, f, ret, &f->failure);
	talloc_free(req);
	return err;
}

static void test_events_without_end(void **state)
{
	enum events_mode mode = EVENTS_ENDLESS;
	struct fixture *f = fixture_create(state, answer_events, &mode);
	struct collect_publisher_events *events = NULL;

	assert_int_equal(events_of(f, &events), EVERR_LIMIT);
	assert_null(events);
	assert_int_equal(f->service->calls[27],
			 COLLECT_PUBLISHER_EVENTS_MAX / 256 + 1);
}

static void test_templates_without_end(void **state)
{
	enum events_mode mode = EVENTS_LONG;
	struct fixture *f = fixture_create(state, answer_events, &mode);
	struct collect_publisher_events *events = NULL;

	assert_int_equal(events_of(f, &events), EVERR_LIMIT);
	assert_true(f->service->calls[27] <= 5);
}

static void test_events_that_are_not_there(void **state)
{
	enum events_mode mode = EVENTS_NULL;
	struct fixture *f = fixture_create(state, answer_events, &mode);
	struct collect_publisher_events *events = NULL;

	assert_int_equal(events_of(f, &events), EVERR_PROTOCOL);
}

static void test_both_ends_of_an_enumeration(void **state)
{
	enum events_mode mode = EVENTS_EMPTY;
	struct fixture *f = fixture_create(state, answer_events, &mode);
	struct collect_publisher_events *events = NULL;

	assert_int_equal(events_of(f, &events), EVERR_OK);
	assert_int_equal(events->num, 2);
	assert_int_equal(f->service->calls[13], 1);

	mode = EVENTS_ODD;
	f = fixture_create(state, answer_events, &mode);
	assert_int_equal(events_of(f, &events), EVERR_OK);
	assert_int_equal(events->num, 2);
	assert_int_equal(events->events[0].id, 42);
	assert_int_equal(events->events[0].message_id, COLLECT_MESSAGE_NONE);
	assert_int_equal(events->events[1].id, 0);
	assert_string_equal(events->events[1].template_xml, "");
}

/* --------------------------------------------------------------- texts */

struct texts {
	uint32_t actual;
	uint32_t needed;
	uint8_t *string;
	WERROR result;
	uint32_t grows; /* what is needed, at each call */
	uint32_t max_asked;
};

static NTSTATUS answer_text(struct fake_service *service, uint32_t opnum,
			    void *r)
{
	struct texts *texts = service->private_data;
	struct even6_EvtRpcMessageRender *render = r;

	assert_int_equal(opnum, 9);
	texts->needed += texts->grows;
	texts->max_asked = render->in.maxSizeString;
	*render->out.actualSizeString = texts->actual;
	*render->out.neededSizeString = texts->needed;
	*render->out.string = texts->string;
	render->out.result = texts->result;
	return NT_STATUS_OK;
}

static everr_t render(struct fixture *f, enum collect_render what,
		      struct collect_text *ret_text)
{
	const struct collect_render_request request = {.what = what};
	struct tevent_req *req = collect_render_send(f, f->ev, f->connection,
						     &f->publisher, &request);
	everr_t err;

	wait_for(f, req);
	err = collect_render_recv(req, f, ret_text, &f->failure);
	talloc_free(req);
	return err;
}

static void test_texts_that_are_malformed(void **state)
{
	uint8_t no_end[] = {'a', 0, 'b', 0, 'c'};
	uint8_t early[] = {'a', 0, 0, 0, 'b', 0, 0, 0};
	uint8_t lone[] = {'a', 0, 0x3D, 0xD8};
	struct texts texts = {.actual = 5, .string = no_end};
	struct fixture *f = fixture_create(state, answer_text, &texts);
	struct collect_text text = {.text = NULL};

	/* Half a unit and no NUL. */
	assert_int_equal(render(f, COLLECT_RENDER_EVENT, &text), EVERR_OK);
	assert_string_equal(text.text, "ab");
	assert_int_equal(text.len, 2);
	texts.string = early;
	texts.actual = sizeof(early);
	assert_int_equal(render(f, COLLECT_RENDER_EVENT, &text), EVERR_OK);
	assert_string_equal(text.text, "a");
	assert_int_equal(text.len, 1);
	assert_int_equal(render(f, COLLECT_RENDER_KEYWORDS, &text), EVERR_OK);
	assert_int_equal(text.len, 3);
	assert_memory_equal(text.text, "a\0b\0", 4);
	texts.string = lone;
	texts.actual = sizeof(lone);
	assert_int_equal(render(f, COLLECT_RENDER_EVENT, &text), EVERR_OK);
	assert_string_equal(text.text, "a\xEF\xBF\xBD");
	texts.actual = 0;
	assert_int_equal(render(f, COLLECT_RENDER_KEYWORDS, &text), EVERR_OK);
	assert_int_equal(text.len, 0);
	texts.string = NULL;
	assert_int_equal(render(f, COLLECT_RENDER_EVENT, &text),
			 EVERR_PROTOCOL);
}

static void test_a_text_is_asked_for_again_once(void **state)
{
	struct texts texts = {.result = TOO_SMALL, .grows = 30000};
	struct fixture *f = fixture_create(state, answer_text, &texts);
	struct collect_text text = {.text = NULL};

	/* It grows whenever it is asked for. */
	assert_int_equal(render(f, COLLECT_RENDER_EVENT, &text), EVERR_LIMIT);
	assert_int_equal(f->service->calls[9], 2);
	assert_int_equal(texts.max_asked, 30000);
	/* More than the protocol has. */
	texts.grows = 3 * 1024 * 1024;
	assert_int_equal(render(f, COLLECT_RENDER_EVENT, &text), EVERR_LIMIT);
	assert_int_equal(f->service->calls[9], 3);
	assert_null(text.text);
}

/* ------------------------------------------------------------ messages */

struct cache {
	NTSTATUS open_status;
	bool classic; /* texts by number only */
	uint32_t last_id;
	uint32_t last_flags;
};

/* Publishers whose name begins with "No" there are not. */
static NTSTATUS answer_cache(struct fake_service *service, uint32_t opnum,
			     void *r)
{
	struct cache *cache = service->private_data;
	struct even6_EvtRpcGetPublisherMetadata *open = r;
	struct even6_EvtRpcMessageRender *render = r;
	static uint8_t ok[] = {'o', 0, 'k', 0, 0, 0};

	switch (opnum) {
	case 24:
		if (strncmp(open->in.publisherId, "No", 2) == 0) {
			open->out.result = NO_SUCH;
		}
		open->out.pubMetadata->uuid.time_low = service->calls[24];
		return cache->open_status;
	case 9:
		cache->last_id = render->in.messageId;
		cache->last_flags = render->in.flags;
		if (cache->classic && render->in.flags != COLLECT_RENDER_ID) {
			render->out.result = NO_MESSAGE_ID;
			return NT_STATUS_OK;
		}
		*render->out.actualSizeString = sizeof(ok);
		*render->out.neededSizeString = sizeof(ok);
		*render->out.string = ok;
		return NT_STATUS_OK;
	default:
		return NT_STATUS_OK;
	}
}

static struct tevent_req *message_send(struct fixture *f,
				       struct collect_messages *messages,
				       const char *provider)
{
	static const uint8_t event[COLLECT_DESCRIPTOR_SIZE] = {0x34, 0x12};

	return collect_messages_send(f, f->ev, messages, COLLECT_RENDER_EVENT,
				     provider, event, 0xC000, NULL, 0);
}

static everr_t message_recv(struct fixture *f, struct tevent_req *req)
{
	struct collect_text text = {.text = NULL};
	everr_t err;

	wait_for(f, req);
	err = collect_messages_recv(req, f, &text, &f->failure);
	talloc_free(req);
	if (err == EVERR_OK) {
		assert_string_equal(text.text, "ok");
		talloc_free(text.text);
	}
	return err;
}

static void test_a_publisher_is_opened_once(void **state)
{
	struct cache cache = {.classic = false};
	struct fixture *f = fixture_create(state, answer_cache, &cache);
	struct collect_messages *messages =
		collect_messages_create(f, f->connection, 0);
	struct tevent_req *reqs[200];
	size_t i;

	for (i = 0; i < 200; i++) {
		reqs[i] = message_send(f, messages, i % 2 ? "P" : "p");
	}
	for (i = 0; i < 200; i++) {
		assert_int_equal(message_recv(f, reqs[i]), EVERR_OK);
	}
	assert_int_equal(f->service->calls[24], 1);
	assert_int_equal(f->service->calls[9], 200);
	assert_true(f->service->max_in_flight <= COLLECT_MESSAGES_CALLS);
	assert_int_equal(f->service->calls[13], 0);
	talloc_free(messages);
}

static void test_handles_of_the_past_are_closed(void **state)
{
	struct cache cache = {.classic = false};
	struct fixture *f = fixture_create(state, answer_cache, &cache);
	struct collect_messages *messages =
		collect_messages_create(f, f->connection, 0);
	char name[16];
	int i;

	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "P%d", i);
		assert_int_equal(
			message_recv(f, message_send(f, messages, name)),
			EVERR_OK);
		/* Used all the time, so never the oldest. */
		assert_int_equal(
			message_recv(f, message_send(f, messages, "P0")),
			EVERR_OK);
	}
	assert_int_equal(f->service->calls[24], 100);
	assert_int_equal(f->service->calls[13], 100 - COLLECT_MESSAGES_HANDLES);
	talloc_free(messages);
}

static void test_who_has_no_messages_is_remembered(void **state)
{
	struct cache cache = {.classic = false};
	struct fixture *f = fixture_create(state, answer_cache, &cache);
	struct collect_messages *messages =
		collect_messages_create(f, f->connection, 0);
	int i;

	assert_false(collect_messages_none(messages, "None"));
	for (i = 0; i < 50; i++) {
		assert_int_equal(
			message_recv(f, message_send(f, messages, "None")),
			EVERR_MESSAGE);
		assert_non_null(strstr(f->failure.text, "None"));
	}
	assert_true(collect_messages_none(messages, "NONE"));
	assert_int_equal(f->service->calls[24], 1);
	assert_int_equal(f->service->calls[9], 0);
	talloc_free(messages);
}

static void test_missing_publishers_are_forgotten_in_the_end(void **state)
{
	struct cache cache = {.classic = false};
	struct fixture *f = fixture_create(state, answer_cache, &cache);
	struct collect_messages *messages =
		collect_messages_create(f, f->connection, 0);
	char name[16];
	int i;

	for (i = 0; i <= COLLECT_MESSAGES_MISSING; i++) {
		snprintf(name, sizeof(name), "No%d", i);
		assert_int_equal(
			message_recv(f, message_send(f, messages, name)),
			EVERR_MESSAGE);
	}
	assert_false(collect_messages_none(messages, "No0"));
	assert_true(collect_messages_none(messages, "No1"));
	talloc_free(messages);
}

/* A call that broke is no word on the publisher. */
static void test_a_broken_call_is_not_remembered(void **state)
{
	struct cache cache = {.open_status = NT_STATUS_CONNECTION_DISCONNECTED};
	struct fixture *f = fixture_create(state, answer_cache, &cache);
	struct collect_messages *messages =
		collect_messages_create(f, f->connection, 0);
	struct tevent_req *first = message_send(f, messages, "P");
	struct tevent_req *second = message_send(f, messages, "P");

	assert_int_equal(message_recv(f, first), EVERR_CONNECT);
	assert_int_equal(message_recv(f, second), EVERR_CONNECT);
	assert_int_equal(f->service->calls[24], 1);
	assert_false(collect_messages_none(messages, "P"));
	cache.open_status = NT_STATUS_OK;
	assert_int_equal(message_recv(f, message_send(f, messages, "P")),
			 EVERR_OK);
	talloc_free(messages);
}

/* A classic publisher's texts are found by number, qualifiers included. */
static void test_classic_publishers(void **state)
{
	struct cache cache = {.classic = true};
	struct fixture *f = fixture_create(state, answer_cache, &cache);
	struct collect_messages *messages =
		collect_messages_create(f, f->connection, 0);

	assert_int_equal(message_recv(f, message_send(f, messages, "P")),
			 EVERR_OK);
	assert_int_equal(cache.last_flags, COLLECT_RENDER_ID);
	assert_int_equal(cache.last_id, 0xC0001234);
	talloc_free(messages);
}

static void test_requests_that_are_given_up(void **state)
{
	struct cache cache = {.classic = false};
	struct fixture *f = fixture_create(state, answer_cache, &cache);
	struct collect_messages *messages =
		collect_messages_create(f, f->connection, 0);
	struct tevent_req *reqs[100];
	size_t i;

	for (i = 0; i < 100; i++) {
		reqs[i] = message_send(f, messages, i % 3 ? "P" : "None");
	}
	for (i = 0; i < 100; i++) {
		if (i % 4 != 0) {
			TALLOC_FREE(reqs[i]);
		}
	}
	for (i = 0; i < 100; i += 4) {
		assert_int_equal(message_recv(f, reqs[i]),
				 i % 3 ? EVERR_OK : EVERR_MESSAGE);
	}
	talloc_free(messages);
}

/* tevent keeps its list of backends for ever, Samba its conversions. */
static void warm_up(void)
{
	spoil_fn spoil = spoil_nothing;
	void *state = talloc_new(NULL);
	struct fixture *f = fixture_create(&state, answer_list, &spoil);
	struct collect_publisher *publisher = NULL;

	(void)!open_one(f, &publisher);
	talloc_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_a_service_says_is_taken),
		leak_test(test_parallel_arrays_that_are_not),
		leak_test(test_what_is_missing_is_empty),
		leak_test(test_names_that_are_null),
		leak_test(test_codes_for_an_unknown_publisher),
		leak_test(test_events_without_end),
		leak_test(test_templates_without_end),
		leak_test(test_events_that_are_not_there),
		leak_test(test_both_ends_of_an_enumeration),
		leak_test(test_texts_that_are_malformed),
		leak_test(test_a_text_is_asked_for_again_once),
		leak_test(test_a_publisher_is_opened_once),
		leak_test(test_handles_of_the_past_are_closed),
		leak_test(test_who_has_no_messages_is_remembered),
		leak_test(test_missing_publishers_are_forgotten_in_the_end),
		leak_test(test_a_broken_call_is_not_remembered),
		leak_test(test_classic_publishers),
		leak_test(test_requests_that_are_given_up),
	};

	warm_up();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
