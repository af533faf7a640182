/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Publishers and messages without a network: opnums 9, 10 and 22 to 28 over a
 * manifest that has something of everything (tests/event/manifest.h).  Lists
 * by facts 12.3 and 12.5, texts by facts 12.6.
 */

#include "tests/leak.h"

#include "base/text.h"
#include "idl/even6_server.h"
#include "rpc/publisher.h"
#include "rpc/variant.h"
#include "tests/event/manifest.h"
#include "tests/rpc/fake_host.h"
#include "tests/rpc/fake_store.h"

#include <gen_ndr/ndr_misc.h>
#include <ndr.h>
#include <string.h>

#define OPERATIONAL "Contoso-Backup/Operational"
#define GERMAN 0x407
#define AUSTRIAN 0xC07
#define FRENCH 0x40C
#define MANY 200000 /* bytes of an insert */

struct fixture {
	struct tevent_context *ev;
	struct store *store;
	struct store_channel *application;
	struct store_channel *operational;
	struct rpc_service *service;
};

static int fixture_destructor(struct fixture *f)
{
	fake_host_rundown(f->service);
	return 0;
}

static void catalog_take(struct event_catalog *catalog, const char *xml)
{
	struct event_manifest *manifest = man_read(catalog, xml);
	const char *name = NULL;

	assert_int_equal(event_catalog_add(catalog, manifest, &name), EVERR_OK);
}

static struct fixture *fixture_with(void **state, const char *xml)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->ev = tevent_context_init(f);
	f->store = fake_store_create(f);
	f->application = fake_channel(f->store, "Application");
	f->operational = fake_channel(f->store, OPERATIONAL);
	f->service = fake_host_create(f, f->ev, f->store);
	f->service->catalog = event_catalog_create(f->service);
	assert_non_null(f->service->catalog);
	catalog_take(f->service->catalog, xml);
	talloc_set_destructor(f, fixture_destructor);
	return f;
}

static struct fixture *fixture_create(void **state)
{
	return fixture_with(state, MAN_SAMPLE);
}

static struct dcesrv_call_state *call_new(struct fixture *f)
{
	return fake_call_state(fake_call_new(f->service));
}

/* ----------------------------------------------------------- publishers */

struct opened {
	struct even6_EvtRpcVariantList list;
	struct policy_handle handle;
};

static uint32_t open_publisher(struct fixture *f, const char *name,
			       uint32_t lcid, struct opened *opened)
{
	struct even6_EvtRpcGetPublisherMetadata r = {
		.in.publisherId = name,
		.in.locale = lcid,
		.out.pubMetadataProps = &opened->list,
		.out.pubMetadata = &opened->handle,
	};

	*opened = (struct opened){};
	return W_ERROR_V(
		dcesrv_even6_EvtRpcGetPublisherMetadata(call_new(f), f, &r));
}

static struct opened contoso(struct fixture *f, uint32_t lcid)
{
	struct opened opened;

	assert_int_equal(open_publisher(f, "Contoso-Backup", lcid, &opened), 0);
	assert_int_equal(opened.list.count, 29);
	return opened;
}

static uint32_t group_of(struct fixture *f, struct policy_handle *handle,
			 uint32_t group, struct even6_EvtRpcVariantList *list)
{
	struct even6_EvtRpcGetPublisherResourceMetadata r = {
		.in.handle = handle,
		.in.propertyId = group,
		.out.pubMetadataProps = list,
	};

	*list = (struct even6_EvtRpcVariantList){};
	return W_ERROR_V(dcesrv_even6_EvtRpcGetPublisherResourceMetadata(
		call_new(f), f, &r));
}

/* An entry for a person: "a b", "1 2"; hexadecimal. */
static const char *show(TALLOC_CTX *mem_ctx,
			const struct even6_EvtRpcVariantList *list,
			uint32_t index)
{
	const struct even6_EvtRpcVariant *v = &list->props[index];
	char *text = talloc_strdup(mem_ctx, "");
	uint32_t i;

	switch (v->type) {
	case EvtRpcVarTypeNull:
		return "null";
	case EvtRpcVarTypeUInt32:
		return talloc_asprintf(mem_ctx, "%x", v->var.uint32Val);
	case EvtRpcVarTypeUInt64:
		return talloc_asprintf(mem_ctx, "%llx",
				       (unsigned long long)v->var.uint64Val);
	case EvtRpcVarTypeString:
		return v->var.stringVal;
	case EvtRpcVarTypeStringArray:
		assert_non_null(v->var.stringArray.ptr);
		for (i = 0; i < v->var.stringArray.count; i++) {
			text = talloc_asprintf_append(
				text, "%s%s", i > 0 ? " " : "",
				v->var.stringArray.ptr[i]);
		}
		return text;
	case EvtRpcVarTypeUInt32Array:
		assert_non_null(v->var.uint32Array.ptr);
		for (i = 0; i < v->var.uint32Array.count; i++) {
			text = talloc_asprintf_append(
				text, "%s%x", i > 0 ? " " : "",
				v->var.uint32Array.ptr[i]);
		}
		return text;
	case EvtRpcVarTypeUInt64Array:
		assert_non_null(v->var.uint64Array.ptr);
		for (i = 0; i < v->var.uint64Array.count; i++) {
			text = talloc_asprintf_append(
				text, "%s%llx", i > 0 ? " " : "",
				(unsigned long long)v->var.uint64Array.ptr[i]);
		}
		return text;
	default:
		return "another type";
	}
}

static void assert_shown(TALLOC_CTX *mem_ctx,
			 const struct even6_EvtRpcVariantList *list,
			 uint32_t index, const char *expected)
{
	assert_string_equal(show(mem_ctx, list, index), expected);
}

static void test_what_a_manifest_says_of_its_publisher(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct even6_EvtRpcVariantList *list = &opened.list;
	static const uint8_t guid[16] = {0x2E, 0x8F, 0xB2, 0x1D, 0x80, 0x8F,
					 0x27, 0x40, 0x8C, 0x5A, 0xA1, 0x1F,
					 0x7F, 0x10, 0xF6, 0x2D};
	DATA_BLOB blob = data_blob_null;
	uint32_t i;

	assert_int_equal(list->props[0].type, EvtRpcVarTypeGuid);
	assert_int_equal(
		ndr_push_struct_blob(&blob, f, list->props[0].var.guidVal,
				     (ndr_push_flags_fn_t)ndr_push_GUID),
		NDR_ERR_SUCCESS);
	assert_int_equal(blob.length, 16);
	assert_memory_equal(blob.data, guid, 16);
	assert_shown(f, list, 1, "C:\\b.dll");
	assert_shown(f, list, 2, "C:\\p.dll");
	assert_shown(f, list, 3, "C:\\m.dll");
	assert_shown(f, list, 7,
		     "Application " OPERATIONAL " Contoso-Backup/Debug");
	assert_shown(f, list, 8, "0 1 2");
	/* The first one is the event log's own, with the number it has. */
	assert_int_equal(list->props[9].var.uint32Array.count, 3);
	assert_shown(f, list, 10, "1 0 0");
	assert_int_equal(list->props[11].var.uint32Array.ptr[2], 0xFFFFFFFF);
	assert_int_not_equal(list->props[11].var.uint32Array.ptr[1],
			     0xFFFFFFFF);
	for (i = 12; i < 29; i++) {
		assert_shown(f, list, i, "null");
	}
	for (i = 4; i < 7; i++) {
		assert_shown(f, list, i, "null");
	}
}

static void test_groups_of_a_manifest(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct even6_EvtRpcVariantList list;
	const struct GUID *guids = NULL;

	assert_int_equal(group_of(f, &opened.handle, 4, &list), 0);
	assert_shown(f, &list, 4, "http://h/");
	assert_int_equal(group_of(f, &opened.handle, 5, &list), 0);
	assert_int_equal(list.props[5].type, EvtRpcVarTypeUInt32);
	assert_int_not_equal(list.props[5].var.uint32Val, 0xFFFFFFFF);

	assert_int_equal(group_of(f, &opened.handle, 0x10, &list), 0);
	assert_shown(f, &list, 17, "Job Quiet");
	assert_shown(f, &list, 19, "7 8");
	assert_int_equal(list.props[20].var.uint32Array.ptr[0], 0x70000007);
	assert_int_equal(list.props[20].var.uint32Array.ptr[1], 0xFFFFFFFF);
	assert_int_equal(list.props[18].type, EvtRpcVarTypeGuidArray);
	guids = list.props[18].var.guidArray.ptr;
	assert_int_equal(guids[0].time_low, 1);
	assert_int_equal(guids[0].time_mid, 2);
	assert_int_equal(guids[0].node[5], 0x0B);
	assert_int_equal(guids[1].time_low, 0);
	talloc_free(list.props);
}

/* The opcode's number above, its task's below: facts 12.3, 23. */
static void test_values_of_opcodes_and_keywords(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct even6_EvtRpcVariantList list;
	uint32_t i;
	bool found = false;

	assert_int_equal(group_of(f, &opened.handle, 0x15, &list), 0);
	for (i = 0; i < list.props[22].var.stringArray.count; i++) {
		const char *name = list.props[22].var.stringArray.ptr[i];
		uint32_t value = list.props[23].var.uint32Array.ptr[i];

		if (strcmp(name, "Verify") == 0) {
			assert_int_equal(value, 12 << 16 | 7);
			found = true;
		} else if (strcmp(name, "Copy") == 0) {
			assert_true(value == 11 << 16 ||
				    value == (13 << 16 | 7));
		}
	}
	assert_true(found);
	assert_int_equal(group_of(f, &opened.handle, 0x19, &list), 0);
	assert_int_equal(list.props[27].type, EvtRpcVarTypeUInt64Array);
	assert_true(strstr(show(f, &list, 26), "Disk") != NULL);
	assert_true(strstr(show(f, &list, 27), "800000000000") != NULL);
}

static void test_channels_one_may_not_read_are_left_out(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened;

	fake_deny(f->operational);
	opened = contoso(f, 0);
	assert_shown(f, &opened.list, 7, "Application Contoso-Backup/Debug");
	assert_shown(f, &opened.list, 8, "0 2");
	assert_int_equal(opened.list.props[9].var.uint32Array.count, 2);
	assert_shown(f, &opened.list, 10, "1 0");
	assert_int_equal(opened.list.props[11].var.uint32Array.count, 2);
	/* To ask what is there is no incident. */
	assert_int_equal(fake_num_refusals, 0);
}

static uint32_t list_for(struct fixture *f, const char *channel,
			 const char **ret_names)
{
	const char **names = NULL;
	uint32_t num = 0;
	struct even6_EvtRpcGetPublisherListForChannel r = {
		.in.channelName = channel,
		.out.numPublisherIds = &num,
		.out.publisherIds = &names,
	};
	WERROR werr;
	uint32_t i;
	char *text = talloc_strdup(f, "");

	werr = dcesrv_even6_EvtRpcGetPublisherListForChannel(call_new(f), f,
							     &r);
	for (i = 0; i < num; i++) {
		text = talloc_asprintf_append(text, "%s;", names[i]);
	}
	*ret_names = text;
	return W_ERROR_V(werr);
}

static void test_publishers_of_a_channel(void **state)
{
	struct fixture *f = fixture_create(state);
	const char *names = NULL;

	assert_int_equal(list_for(f, "APPLICATION", &names), 0);
	assert_string_equal(names, "Contoso-Backup;");
	assert_int_equal(list_for(f, OPERATIONAL, &names), 0);
	assert_string_equal(names, "Contoso-Backup;");
	/* Of a manifest, but no channel that is there. */
	assert_int_equal(list_for(f, "Contoso-Backup/Debug", &names), 0x57);
	assert_int_equal(fake_num_refusals, 0);
	fake_deny(f->operational);
	assert_int_equal(list_for(f, OPERATIONAL, &names), 0x57);
	assert_string_equal(names, "");
	/* To ask for one by its name and be refused is. */
	assert_int_equal(fake_num_refusals, 1);
}

static void test_a_handle_keeps_the_catalog_it_was_opened_on(void **state)
{
	struct fixture *f = fixture_create(state);
	struct event_catalog *old = f->service->catalog;
	struct opened opened = contoso(f, 0);
	struct even6_EvtRpcVariantList list;
	struct opened again;

	f->service->catalog = event_catalog_create(f->service);
	assert_int_equal(talloc_unlink(f->service, old), 0);
	assert_int_equal(open_publisher(f, "Contoso-Backup", 0, &again), 2);
	assert_int_equal(group_of(f, &opened.handle, 4, &list), 0);
	assert_shown(f, &list, 4, "http://h/");
}

static void test_no_handle_is_left_behind(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened;

	assert_int_equal(open_publisher(f, "Absent", 0, &opened), 2);
	fake_max_handles = 0;
	assert_int_equal(open_publisher(f, "Contoso-Backup", 0, &opened),
			 everr_win32(EVERR_LIMIT));
	assert_null(opened.list.props);
	assert_true(ndr_policy_handle_empty(&opened.handle));
	assert_int_equal(fake_num_handles(), 0);
}

/* --------------------------------------------------------------- events */

static void test_events_of_a_manifest(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct policy_handle handle = {};
	struct even6_EvtRpcGetEventMetadataEnum open = {
		.in.pubMetadata = &opened.handle,
		.out.eventMetaDataEnum = &handle,
	};
	struct even6_EvtRpcVariantList *lists = NULL;
	uint32_t num = 0;
	struct even6_EvtRpcGetNextEventMetadata next = {
		.in.eventMetaDataEnum = &handle,
		.in.numRequested = 3,
		.out.numReturned = &num,
		.out.eventMetadataInstances = &lists,
	};

	assert_true(W_ERROR_IS_OK(dcesrv_even6_EvtRpcGetEventMetadataEnum(
		call_new(f), f, &open)));
	assert_true(W_ERROR_IS_OK(dcesrv_even6_EvtRpcGetNextEventMetadata(
		call_new(f), f, &next)));
	assert_int_equal(num, 3);
	/* Event 3 has no version, no channel and no template. */
	assert_int_equal(lists[0].count, 9);
	assert_shown(f, &lists[0], 0, "3");
	assert_shown(f, &lists[0], 2, "0");
	assert_shown(f, &lists[0], 3, "4");
	assert_shown(f, &lists[0], 4, "b");
	assert_shown(f, &lists[0], 7, "2001");
	assert_int_equal(lists[0].props[8].type, EvtRpcVarTypeString);
	assert_shown(f, &lists[0], 8, "");
	/* Event 5, version 2. */
	assert_shown(f, &lists[2], 0, "5");
	assert_shown(f, &lists[2], 1, "2");
	assert_shown(f, &lists[2], 3, "2");
	assert_shown(f, &lists[2], 4, "c");
	assert_shown(f, &lists[2], 5, "7");
	assert_int_equal(lists[2].props[6].type, EvtRpcVarTypeUInt64);
	assert_int_equal(lists[2].props[6].var.uint64Val & 0x20000000000001,
			 0x20000000000001);
	assert_int_equal(lists[2].props[7].type, EvtRpcVarTypeUInt32);
	assert_shown(f, &lists[2], 7, "b0020005");

	assert_true(W_ERROR_IS_OK(dcesrv_even6_EvtRpcGetNextEventMetadata(
		call_new(f), f, &next)));
	assert_int_equal(num, 1);
	assert_shown(f, &lists[0], 0, "10");
	assert_shown(f, &lists[0], 7, "ffffffff");
	lists = NULL;
	num = 0;
	assert_int_equal(W_ERROR_V(dcesrv_even6_EvtRpcGetNextEventMetadata(
				 call_new(f), f, &next)),
			 0xE8);
	assert_int_equal(num, 0);
	assert_null(lists);
}

#define MANY_TASKS 4097 /* one more than MAX_RPC_STRING_ARRAY_COUNT */

static void test_more_names_than_a_list_takes(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(*state);
	char *xml = talloc_strdup(
		mem_ctx, MAN_HEAD
		"<provider name='Contoso-Tasks' symbol='T'"
		" guid='{3db28f2e-8f80-4027-8c5a-a11f7f10f62d}'><tasks>");
	struct even6_EvtRpcVariantList list;
	struct fixture *f = NULL;
	struct opened opened;
	int i;

	for (i = 1; i <= MANY_TASKS; i++) {
		xml = talloc_asprintf_append_buffer(
			xml, "<task name='T%d' value='%d'/>", i, i);
	}
	xml = talloc_asprintf_append_buffer(
		xml, "</tasks></provider>" MAN_LOCAL MAN_TAIL);
	f = fixture_with(state, xml);
	assert_int_equal(open_publisher(f, "Contoso-Tasks", 0, &opened), 0);
	assert_int_equal(group_of(f, &opened.handle, 0x10, &list), 0x718);
	assert_null(list.props);
	assert_int_equal(group_of(f, &opened.handle, 0xC, &list), 0);
	talloc_free(mem_ctx);
}

#define LONG_EVENTS 20
#define LONG_FIELDS 1000

/* A publisher whose events share a template of some 200 KB. */
static char *long_manifest(TALLOC_CTX *mem_ctx)
{
	char *xml =
		talloc_strdup(mem_ctx, MAN_HEAD
			      "<provider name='Contoso-Long' symbol='L'"
			      " guid='{4db28f2e-8f80-4027-8c5a-a11f7f10f62d}'>"
			      "<templates><template tid='T'>");
	int i;

	for (i = 0; i < LONG_FIELDS; i++) {
		xml = talloc_asprintf_append_buffer(
			xml,
			"<data name='a_field_with_a_name_that_is_%0100d'"
			" inType='win:UnicodeString'/>",
			i);
	}
	xml = talloc_asprintf_append_buffer(xml,
					    "</template></templates><events>");
	for (i = 0; i < LONG_EVENTS; i++) {
		xml = talloc_asprintf_append_buffer(
			xml, "<event value='%d' template='T'/>", i);
	}
	return talloc_asprintf_append_buffer(
		xml, "</events></provider>" MAN_LOCAL MAN_TAIL);
}

/* A reply ends before it is too long; none is lost by that. */
static void test_long_templates_take_several_calls(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(*state);
	struct fixture *f = fixture_with(state, long_manifest(mem_ctx));
	struct policy_handle handle = {};
	struct even6_EvtRpcVariantList *lists = NULL;
	uint32_t num = 0;
	struct opened opened;
	struct even6_EvtRpcGetEventMetadataEnum open = {
		.in.pubMetadata = &opened.handle,
		.out.eventMetaDataEnum = &handle,
	};
	struct even6_EvtRpcGetNextEventMetadata next = {
		.in.eventMetaDataEnum = &handle,
		.in.numRequested = 256,
		.out.numReturned = &num,
		.out.eventMetadataInstances = &lists,
	};
	uint32_t seen = 0;
	uint32_t calls = 0;
	uint32_t i;
	WERROR werr;

	talloc_free(mem_ctx);
	assert_int_equal(open_publisher(f, "Contoso-Long", 0, &opened), 0);
	assert_true(W_ERROR_IS_OK(dcesrv_even6_EvtRpcGetEventMetadataEnum(
		call_new(f), f, &open)));
	for (;;) {
		size_t bytes = 0;

		num = 0;
		werr = dcesrv_even6_EvtRpcGetNextEventMetadata(call_new(f), f,
							       &next);
		if (!W_ERROR_IS_OK(werr)) {
			break;
		}
		assert_true(num > 0);
		for (i = 0; i < num; i++) {
			const struct even6_EvtRpcVariant *props =
				lists[i].props;

			assert_int_equal(props[0].var.uint32Val, seen + i);
			bytes += 2 * strlen(props[8].var.stringVal);
		}
		assert_true(bytes <= 2 * 1024 * 1024);
		seen += num;
		calls++;
	}
	assert_int_equal(W_ERROR_V(werr), 0xE8);
	assert_int_equal(seen, LONG_EVENTS);
	assert_true(calls > 1);
}

/* ------------------------------------------------------------- messages */

struct message {
	uint32_t code;
	uint32_t actual;
	uint32_t needed;
	uint8_t *string;
	const char *text; /* NULs between as '|' */
};

struct question {
	struct policy_handle *handle; /* NULL: opnum 10 */
	uint32_t flags;
	uint8_t descriptor[16];
	uint32_t descriptor_size; /* 0: 16 */
	uint32_t message_id;
	struct even6_EvtRpcVariantList values;
	uint32_t max; /* 0: all there may be */
};

static const char *message_text(TALLOC_CTX *mem_ctx, const uint8_t *utf16,
				uint32_t size)
{
	struct buf out;
	size_t i;

	assert_true(size >= 2 && size % 2 == 0);
	assert_int_equal(le16_get(utf16 + size - 2), 0);
	buf_init(&out, mem_ctx, 16 * 1024 * 1024);
	text_utf16_to_utf8(&out, utf16, size / 2 - 1);
	for (i = 0; i < out.len; i++) {
		if (out.data[i] == 0) {
			out.data[i] = '|';
		}
	}
	buf_put_u8(&out, 0);
	assert_int_equal(buf_error(&out), EVERR_OK);
	return (const char *)out.data;
}

static struct message ask(struct fixture *f, const struct question *q)
{
	struct message m = {};
	struct even6_RpcInfo info = {};
	struct question own = *q;
	uint32_t size = q->descriptor_size != 0 ? q->descriptor_size : 16;
	uint32_t max = q->max != 0 ? q->max : 0x200000;
	struct even6_EvtRpcMessageRender r = {
		.in = {q->handle, size, own.descriptor, q->message_id,
		       &own.values, q->flags, max},
		.out = {&m.actual, &m.needed, &m.string, &info, WERR_OK},
	};
	struct even6_EvtRpcMessageRenderDefault d = {
		.in = {size, own.descriptor, q->message_id, &own.values,
		       q->flags, max},
		.out = {&m.actual, &m.needed, &m.string, &info, WERR_OK},
	};

	if (q->handle != NULL) {
		m.code = W_ERROR_V(
			dcesrv_even6_EvtRpcMessageRender(call_new(f), f, &r));
	} else {
		m.code = W_ERROR_V(dcesrv_even6_EvtRpcMessageRenderDefault(
			call_new(f), f, &d));
	}
	assert_int_equal(info.m_error, m.code);
	if (m.code != 0) {
		assert_int_equal(m.actual, 0);
		assert_null(m.string);
		return m;
	}
	assert_int_equal(m.actual, m.needed);
	m.text = message_text(f, m.string, m.actual);
	return m;
}

static void assert_text(struct fixture *f, const struct question *q,
			const char *expected)
{
	struct message m = ask(f, q);

	assert_int_equal(m.code, 0);
	assert_string_equal(m.text, expected);
}

static void assert_code(struct fixture *f, const struct question *q,
			uint32_t code)
{
	struct message m = ask(f, q);

	assert_int_equal(m.code, code);
	assert_int_equal(m.needed, 0);
}

/* Id, version, channel, level, opcode, task, keywords. */
#define EVENT_5                                                    \
	{                                                          \
		5, 0, 2, 0, 2, 12, 7, 0, 1, 0, 0, 0, 0, 0, 0x20, 0 \
	}

static struct even6_EvtRpcVariantList values_of(TALLOC_CTX *mem_ctx,
						const char *const *texts,
						uint32_t num)
{
	struct even6_EvtRpcVariantList list;
	uint32_t i;

	assert_int_equal(rpc_variants_create(mem_ctx, num, &list), EVERR_OK);
	for (i = 0; i < num; i++) {
		rpc_variant_string(&list, i, texts[i]);
	}
	return list;
}

static void test_the_text_of_each_part_of_an_event(void **state)
{
	static const char *const texts[] = {"C:", "0x200", "full", "disk"};
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct question q = {
		.handle = &opened.handle,
		.descriptor = EVENT_5,
		.values = values_of(f, texts, 4),
	};

	q.flags = 1;
	assert_text(f, &q, "C: has 0x200 bytes, full on disk.");
	q.flags = 2;
	assert_text(f, &q, "Error");
	q.flags = 3;
	assert_text(f, &q, "A job");
	q.flags = 4;
	assert_text(f, &q, "Verifying");
	/* One of the manifest's and one of the standard ones. */
	q.flags = 5;
	assert_text(f, &q, "disk|Audit Success|");
	q.descriptor[3] = (uint8_t)opened.list.props[9].var.uint32Array.ptr[1];
	q.flags = 6;
	assert_text(f, &q, "Backup jobs");
	q.flags = 7;
	assert_text(f, &q, "Contoso Backup");
	q.flags = 8;
	q.message_id = 0x2001;
	assert_text(f, &q, "the third");
}

/* The manifest's valueMap and bitMap; the form of an outType is not theirs. */
static void test_numbers_are_shown_in_the_words_of_a_map(void **state)
{
	static const struct {
		const char *texts[4];
		const char *expected;
	} cases[] = {
		{{"C:", "512", "1", "5"},
		 "C: has 512 bytes, full on disk, tape."},
		{{"C:", "1", "0x2", "0x1"}, "C: has 1 bytes, partial on disk."},
		{{"1", "1", "3", "8"}, "1 has 1 bytes, 3 on 8."},
		{{"", "", "", "-1x"}, " has  bytes,  on -1x."},
		{{"", "", "1 ", "0x"}, " has  bytes, 1  on 0x."},
	};
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct question q = {
			.handle = &opened.handle,
			.descriptor = EVENT_5,
			.values = values_of(f, cases[i].texts, 4),
			.flags = 1,
		};

		assert_text(f, &q, cases[i].expected);
	}
}

static void test_flags_of_a_message(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct question q = {.handle = &opened.handle, .descriptor = EVENT_5};
	static const uint32_t wrong[] = {0, 9, 16, 0x100, 0xFFFFFFFF};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		q.handle = &opened.handle;
		q.flags = wrong[i];
		assert_code(f, &q, 0x57);
		q.handle = NULL;
		assert_code(f, &q, 0x57);
	}
	/* The default table has neither channels nor a provider. */
	q.flags = 6;
	assert_code(f, &q, 0x57);
	q.flags = 7;
	assert_code(f, &q, 0x57);
}

static void test_standard_texts_need_no_publisher(void **state)
{
	struct fixture *f = fixture_create(state);
	struct question q = {.descriptor = EVENT_5};

	q.flags = 2;
	assert_text(f, &q, "Error");
	q.flags = 5;
	assert_text(f, &q, "Audit Success|");
	q.descriptor[8] = 0;
	q.descriptor[14] = 0xF0;
	assert_text(f, &q,
		    "Audit Failure|Audit Success|Correlation Hint|Classic|");
	q.descriptor[6] = 0;
	q.flags = 3;
	assert_text(f, &q, "None");
	q.descriptor[5] = 1;
	q.flags = 4;
	assert_text(f, &q, "Start");
	/* Ids by which .NET asks for the names of channels. */
	q.flags = 8;
	q.message_id = 256;
	assert_text(f, &q, "Application");
	q.message_id = 257;
	assert_text(f, &q, "Security");
	q.message_id = 258;
	assert_text(f, &q, "System");
	/* What only a publisher knows. */
	q.flags = 1;
	assert_code(f, &q, 0x3AB4);
	q.descriptor[6] = 7;
	q.flags = 3;
	assert_code(f, &q, 0x3AB4);
	q.descriptor[4] = 16;
	q.flags = 2;
	assert_code(f, &q, 0x3AB4);
}

static void test_what_has_no_text(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct question q = {.handle = &opened.handle, .flags = 1};

	/* No such event; one without a message; no text of that number. */
	q.descriptor[0] = 99;
	assert_code(f, &q, 0x3AB4);
	q.descriptor[0] = 0x10;
	assert_code(f, &q, 0x3AB4);
	q.flags = 8;
	q.message_id = 0x7777;
	assert_code(f, &q, 0x3AB3);
	q.message_id = 0xFFFFFFFF;
	assert_code(f, &q, 0x3AB4);
	/* No keyword that anybody knows. */
	q.flags = 5;
	q.descriptor[9] = 0x40;
	assert_code(f, &q, 0x3AB4);
	/* A channel without a display name; no channel of that number. */
	q.flags = 6;
	q.descriptor[3] = (uint8_t)opened.list.props[9].var.uint32Array.ptr[2];
	assert_code(f, &q, 0x3AB4);
	q.descriptor[3] = 0xEE;
	assert_code(f, &q, 0x3AB4);
}

static void test_the_version_of_an_event(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct question q = {.handle = &opened.handle, .flags = 1};

	/* There are 0 and 2; 3 is newer than what the manifest knows. */
	q.descriptor[0] = 5;
	q.descriptor[2] = 3;
	assert_text(f, &q, "%1 has %2 bytes, %3 on %4.");
}

/* The handle's: opnum 24.  Facts 12.3, last lines. */
static void test_the_language_of_a_message(void **state)
{
	static const char *const texts[] = {"C:", "7", "voll", "Platte"};
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, GERMAN);
	struct question q = {
		.handle = &opened.handle,
		.descriptor = EVENT_5,
		.flags = 1,
		.values = values_of(f, texts, 4),
	};

	assert_text(f, &q, "C: hat 7 Bytes, voll auf Platte.");
	/* The same language, elsewhere. */
	opened = contoso(f, AUSTRIAN);
	assert_text(f, &q, "C: hat 7 Bytes, voll auf Platte.");
	q.flags = 2;
	q.descriptor[4] = 16;
	assert_text(f, &q, "Sehr laut");
	/* A text that German has not, with a language that is concrete. */
	q.flags = 7;
	assert_code(f, &q, 0x3AB3);
	/* A language that nobody has. */
	opened = contoso(f, FRENCH);
	q.flags = 1;
	assert_code(f, &q, 0x3AB3);
	/* But names for levels there are. */
	q.flags = 2;
	assert_text(f, &q, "Very loud");
}

static void test_a_probe_for_the_size(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct question q = {
		.handle = &opened.handle,
		.flags = 8,
		.message_id = 0x2001,
	};
	struct message m;

	/* "the third" and its NUL. */
	q.max = 19;
	m = ask(f, &q);
	assert_int_equal(m.code, 0x7A);
	assert_int_equal(m.needed, 20);
	q.max = 20;
	assert_text(f, &q, "the third");
	/* Each of several has a NUL, and all have one. */
	q.handle = NULL;
	q.flags = 5;
	q.descriptor[14] = 0x30;
	q.max = 1;
	m = ask(f, &q);
	assert_int_equal(m.code, 0x7A);
	assert_int_equal(m.needed, 2 * (strlen("Audit Failure") + 1 +
					strlen("Audit Success") + 1 + 1));
}

/* impacket's has 12 bytes: what does not come is zero (facts 16.1). */
static void test_a_descriptor_of_another_size(void **state)
{
	struct fixture *f = fixture_create(state);
	struct question q = {.flags = 5};

	memset(q.descriptor, 0xFF, sizeof(q.descriptor));
	q.descriptor_size = 12;
	q.flags = 5;
	assert_code(f, &q, 0x3AB4);
	q.descriptor_size = 1;
	q.flags = 2;
	assert_text(f, &q, "Information");
}

static void test_values_of_other_types(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct question q = {
		.handle = &opened.handle,
		.descriptor = EVENT_5,
		.flags = 1,
	};
	struct ev_guid guid = {{0x2E, 0x8F, 0xB2, 0x1D, 0x80, 0x8F, 0x27, 0x40,
				0x8C, 0x5A, 0xA1, 0x1F, 0x7F, 0x10, 0xF6,
				0x2D}};
	uint32_t *numbers = NULL;

	assert_int_equal(rpc_variants_create(f, 4, &q.values), EVERR_OK);
	rpc_variant_boolean(&q.values, 0, true);
	rpc_variant_uint64(&q.values, 1, UINT64_MAX);
	assert_int_equal(rpc_variant_guid(&q.values, 2, &guid), EVERR_OK);
	numbers = rpc_variant_uint32s(&q.values, 3, 3);
	numbers[1] = 7;
	numbers[2] = UINT32_MAX;
	assert_text(f, &q,
		    "true has 18446744073709551615 bytes,"
		    " {1DB28F2E-8F80-4027-8C5A-A11F7F10F62D} on"
		    " 0, 7, 4294967295.");

	/* Nothing at all, and arrays and strings that are NULL. */
	assert_int_equal(rpc_variants_create(f, 3, &q.values), EVERR_OK);
	q.values.props[1].type = EvtRpcVarTypeString;
	q.values.props[2].type = EvtRpcVarTypeStringArray;
	q.values.props[2].var.stringArray.count = 3;
	assert_text(f, &q, " has  bytes,  on %4.");
	q.values.props = NULL;
	q.values.count = 200;
	assert_text(f, &q, "%1 has %2 bytes, %3 on %4.");
}

static void test_more_values_than_a_message_takes(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	const char *texts[256];
	struct question q = {
		.handle = &opened.handle,
		.descriptor = EVENT_5,
		.flags = 1,
	};
	size_t i;

	for (i = 0; i < 256; i++) {
		texts[i] = "x";
	}
	q.values = values_of(f, texts, 256);
	assert_text(f, &q, "x has x bytes, x on x.");
}

#define REPEATED                                                    \
	"%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%" \
	"1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1%1"

/* An answer of 2 MiB is all there may be, whatever it is asked with. */
static void test_a_text_that_grows_over_the_limit(void **state)
{
	static const char manifest[] = MAN_HEAD
		"<provider name='Contoso-Loop' symbol='L'"
		" guid='{2db28f2e-8f80-4027-8c5a-a11f7f10f62d}'>"
		"<events><event value='1' message='$(string.Loop)'/></events>"
		"</provider>" MAN_LOCAL "<string id='Loop' value='" REPEATED
		"'/>" MAN_TAIL;
	struct fixture *f = fixture_with(state, manifest);
	char *text = talloc_zero_array(f, char, MANY + 1);
	const char *texts[1] = {text};
	struct opened opened;
	struct question q = {.descriptor = {1}, .flags = 1};
	struct message m;

	memset(text, 'x', MANY);
	assert_int_equal(open_publisher(f, "Contoso-Loop", 0, &opened), 0);
	q.handle = &opened.handle;
	q.values = values_of(f, texts, 1);
	m = ask(f, &q);
	assert_int_equal(m.code, 0x718);
	assert_int_equal(m.needed, 0);
	/* The connection and the handle go on. */
	text[1] = '\0';
	m = ask(f, &q);
	assert_int_equal(m.code, 0);
	assert_int_equal(strlen(m.text), strlen(REPEATED) / 2);
}

static void test_messages_of_channels_one_may_not_read(void **state)
{
	struct fixture *f = fixture_create(state);
	struct opened opened = contoso(f, 0);
	struct question q = {.handle = &opened.handle};

	q.descriptor[3] = (uint8_t)opened.list.props[9].var.uint32Array.ptr[1];
	q.message_id = opened.list.props[11].var.uint32Array.ptr[1];
	q.flags = 6;
	assert_text(f, &q, "Backup jobs");
	q.flags = 8;
	assert_text(f, &q, "Backup jobs");
	fake_deny(f->operational);
	q.flags = 6;
	assert_code(f, &q, 0x3AB4);
	q.flags = 8;
	assert_code(f, &q, 0x3AB3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_a_manifest_says_of_its_publisher),
		leak_test(test_groups_of_a_manifest),
		leak_test(test_values_of_opcodes_and_keywords),
		leak_test(test_channels_one_may_not_read_are_left_out),
		leak_test(test_publishers_of_a_channel),
		leak_test(test_a_handle_keeps_the_catalog_it_was_opened_on),
		leak_test(test_no_handle_is_left_behind),
		leak_test(test_events_of_a_manifest),
		leak_test(test_more_names_than_a_list_takes),
		leak_test(test_long_templates_take_several_calls),
		leak_test(test_the_text_of_each_part_of_an_event),
		leak_test(test_numbers_are_shown_in_the_words_of_a_map),
		leak_test(test_flags_of_a_message),
		leak_test(test_standard_texts_need_no_publisher),
		leak_test(test_what_has_no_text),
		leak_test(test_the_version_of_an_event),
		leak_test(test_the_language_of_a_message),
		leak_test(test_a_probe_for_the_size),
		leak_test(test_a_descriptor_of_another_size),
		leak_test(test_values_of_other_types),
		leak_test(test_more_values_than_a_message_takes),
		leak_test(test_a_text_that_grows_over_the_limit),
		leak_test(test_messages_of_channels_one_may_not_read),
	};

	/* tevent keeps its list of backends for ever. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
