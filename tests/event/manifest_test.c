/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/event/manifest.h"

#include "base/text.h"

static const struct event_publisher *sample(TALLOC_CTX *mem_ctx)
{
	struct event_manifest *manifest = man_read(mem_ctx, MAN_SAMPLE);

	assert_int_equal(manifest->num_publishers, 1);
	assert_string_equal(manifest->file, "test.man");
	return &manifest->publishers[0];
}

static void test_a_provider_has_its_attributes(void **state)
{
	const struct event_publisher *p = sample(*state);
	char guid[EV_GUID_TEXT_SIZE];

	ev_guid_format(&p->guid, guid);
	assert_string_equal(p->name, "Contoso-Backup");
	assert_string_equal(guid, "{1DB28F2E-8F80-4027-8C5A-A11F7F10F62D}");
	assert_string_equal(p->symbol, "BACKUP");
	assert_string_equal(p->resource_file, "C:\\b.dll");
	assert_string_equal(p->message_file, "C:\\m.dll");
	assert_string_equal(p->parameter_file, "C:\\p.dll");
	assert_string_equal(p->help_link, "http://h/");
	assert_false(p->classic);
	assert_string_equal(event_publisher_message(p, p->message_id, 0, false),
			    "Contoso Backup");
}

/*
 * Windows' own channels have their numbers, others get them from 16 on, as
 * Microsoft's compiler does it.
 */
static void test_channels_have_numbers_and_configuration(void **state)
{
	const struct event_publisher *p = sample(*state);
	const struct event_manifest_channel *c = p->channels;

	assert_int_equal(p->num_channels, 3);
	assert_string_equal(c[0].name, "Application");
	assert_true(c[0].imported);
	assert_int_equal(c[0].id, 9);
	assert_int_equal(c[0].message_id, EVENT_MESSAGE_NONE);

	assert_string_equal(c[1].name, "Contoso-Backup/Operational");
	assert_false(c[1].imported);
	assert_int_equal(c[1].id, 16);
	assert_int_equal(c[1].index, 1);
	assert_int_equal(c[1].type, 1);
	assert_int_equal(c[1].isolation, 2);
	assert_true(c[1].enabled);
	assert_string_equal(c[1].access, "O:BAG:SYD:(A;;0x1;;;WD)");
	assert_int_equal(c[1].max_size, 2097152);
	assert_true(c[1].retention);
	assert_false(c[1].auto_backup);
	assert_string_equal(
		event_publisher_message(p, c[1].message_id, 0, false),
		"Backup jobs");

	assert_int_equal(c[2].id, 17);
	assert_int_equal(c[2].type, 3);
	assert_false(c[2].enabled);
	assert_int_equal(c[2].max_size, 0);
}

static void test_names_have_values_and_compiler_message_ids(void **state)
{
	const struct event_publisher *p = sample(*state);

	assert_int_equal(p->num_levels, 1);
	assert_int_equal(p->levels[0].value, 16);
	assert_int_equal(p->levels[0].message_id, 0x50000010);

	assert_int_equal(p->num_tasks, 2);
	assert_int_equal(p->tasks[0].value, 7);
	assert_string_equal(p->tasks[0].symbol, "JOB");
	assert_int_equal(p->tasks[0].guid.b[0], 1);
	assert_int_equal(p->tasks[0].guid.b[15], 0x0b);
	assert_int_equal(p->tasks[0].message_id, 0x70000007);
	assert_int_equal(p->tasks[1].message_id, EVENT_MESSAGE_NONE);

	assert_int_equal(p->num_opcodes, 3);
	assert_int_equal(p->opcodes[0].task, 0);
	assert_int_equal(p->opcodes[0].message_id, 0x3000000B);
	assert_int_equal(p->opcodes[1].task, 7);
	assert_int_equal(p->opcodes[1].value, 12);
	assert_int_equal(p->opcodes[1].message_id, 0x3007000C);

	assert_int_equal(p->num_keywords, 2);
	assert_int_equal(p->keywords[0].value, 1);
	assert_int_equal(p->keywords[0].message_id, 0x10000001);
	assert_true(p->keywords[1].value == 0x800000000000);
}

static void test_maps_have_items_in_order(void **state)
{
	const struct event_publisher *p = sample(*state);

	assert_int_equal(p->num_maps, 2);
	assert_false(p->maps[0].bits);
	assert_int_equal(p->maps[0].num_items, 2);
	assert_int_equal(p->maps[0].items[1].value, 2);
	assert_int_equal(p->maps[0].items[1].message_id, 0xD0000002);
	assert_true(p->maps[1].bits);
	assert_int_equal(p->maps[1].items[1].value, 4);
	assert_int_equal(p->maps[1].items[0].message_id, 0xF0000001);
	assert_string_equal(event_publisher_message(p, 0xF0000002, 0, false),
			    "tape");
}

static void test_a_template_has_fields_and_xml(void **state)
{
	const struct event_publisher *p = sample(*state);
	const struct event_manifest_template *t = &p->templates[0];

	assert_int_equal(p->num_templates, 2);
	assert_int_equal(t->num_fields, 5);
	assert_int_equal(t->fields[0].type, EVENT_TYPE_STRING);
	assert_string_equal(t->fields[0].out_type, "xs:string");
	assert_int_equal(t->fields[1].type, EVENT_TYPE_UINT64);
	assert_string_equal(t->fields[1].out_type, "win:HexInt64");
	assert_string_equal(t->fields[2].map, "Kind");
	assert_null(t->fields[0].map);
	assert_int_equal(t->fields[4].type,
			 EVENT_TYPE_UINT16 | EVENT_TYPE_ARRAY);
	assert_string_equal(t->fields[4].count, "3");
	assert_null(t->user_data);
	assert_non_null(strstr(
		t->xml,
		"<template xmlns=\"http://schemas.microsoft.com/win/2004/08/"
		"events\">"));
	assert_non_null(strstr(t->xml,
			       "<data name=\"Kind\" inType=\"win:UInt32\" "
			       "outType=\"xs:unsignedInt\" map=\"Kind\"/>"));
}

static void test_user_data_keeps_its_element_and_namespace(void **state)
{
	const struct event_publisher *p = sample(*state);

	assert_string_equal(p->templates[1].user_data,
			    "<Done xmlns=\"urn:contoso\" Who=\"%1\">"
			    "<Count>%2</Count><Note>a &amp; b</Note></Done>");
}

/* The channel's keyword bit: 63 for the first, 62 for the second. */
static void test_events_are_resolved_and_sorted(void **state)
{
	const struct event_publisher *p = sample(*state);
	const struct event_manifest_event *e = p->events;

	assert_int_equal(p->num_events, 4);
	assert_int_equal(e[0].id, 3);
	assert_int_equal(e[0].opcode, 11);
	assert_null(e[0].channel);
	assert_null(e[0].tmpl);
	assert_int_equal(e[0].message_id, 0x2001);

	assert_int_equal(e[1].id, 5);
	assert_int_equal(e[1].version, 0);
	assert_int_equal(e[1].level, 16);
	assert_int_equal(e[1].opcode, 13);
	assert_true(e[1].keywords == 0x8000000000000000);

	assert_int_equal(e[2].version, 2);
	assert_int_equal(e[2].level, 2);
	assert_int_equal(e[2].task, 7);
	assert_int_equal(e[2].opcode, 12);
	assert_true(e[2].keywords == 0x4020000000000001);
	assert_ptr_equal(e[2].channel, &p->channels[1]);
	assert_ptr_equal(e[2].tmpl, &p->templates[0]);
	assert_string_equal(e[2].symbol, "E5");
	assert_int_equal(e[2].message_id, 0xB0020005);

	assert_int_equal(e[3].id, 16);
	assert_int_equal(e[3].opcode, 1);
	assert_int_equal(e[3].message_id, EVENT_MESSAGE_NONE);
	assert_true(e[3].keywords == 0x2000000000000000);
}

static void test_an_event_is_found_by_id_and_version(void **state)
{
	const struct event_publisher *p = sample(*state);

	assert_ptr_equal(event_publisher_event(p, 5, 0), &p->events[1]);
	assert_ptr_equal(event_publisher_event(p, 5, 1), &p->events[1]);
	assert_ptr_equal(event_publisher_event(p, 5, 2), &p->events[2]);
	assert_ptr_equal(event_publisher_event(p, 5, 255), &p->events[2]);
	assert_null(event_publisher_event(p, 4, 0));
	assert_null(event_publisher_event(p, 2, 9));
	assert_null(event_publisher_event(p, 17, 0));
}

static void test_cultures_have_their_own_messages(void **state)
{
	const struct event_publisher *p = sample(*state);

	assert_int_equal(p->num_strings, 2);
	assert_string_equal(p->strings[0].culture, "en-US");
	assert_int_equal(p->strings[0].lcid, 0x409);
	assert_int_equal(p->strings[0].num_parameters, 2);
	assert_string_equal(p->strings[1].culture, "de-DE");
	assert_int_equal(p->strings[1].lcid, 0x407);
	/* Both versions of event 5, and the level. */
	assert_int_equal(p->strings[1].num_messages, 3);
}

static void test_utf16_is_read_with_and_without_its_mark(void **state)
{
	struct event_manifest_error error;
	struct event_manifest *manifest = NULL;
	struct buf utf16;
	size_t i;
	everr_t err;

	buf_init(&utf16, *state, 1 << 20);
	buf_put_u16(&utf16, 0xFEFF);
	err = text_utf8_to_utf16(&utf16, MAN_SAMPLE, strlen(MAN_SAMPLE));
	assert_int_equal(err, EVERR_OK);

	err = event_manifest_parse(*state, "a", utf16.data, utf16.len,
				   &manifest, &error);
	assert_int_equal(err, EVERR_OK);
	assert_string_equal(manifest->publishers[0].name, "Contoso-Backup");
	err = event_manifest_parse(*state, "a", utf16.data + 2, utf16.len - 2,
				   &manifest, &error);
	assert_int_equal(err, EVERR_OK);
	for (i = 0; i < utf16.len; i += 2) {
		uint8_t low = utf16.data[i];

		utf16.data[i] = utf16.data[i + 1];
		utf16.data[i + 1] = low;
	}
	err = event_manifest_parse(*state, "a", utf16.data, utf16.len,
				   &manifest, &error);
	assert_int_equal(err, EVERR_OK);
}

static void test_elements_that_are_not_known_are_passed_over(void **state)
{
	struct event_manifest *manifest =
		man_read(*state, MAN_HEAD
			 "<provider name='A' guid='{1db28f2e-8f80-4027-8c5a-"
			 "a11f7f10f62d}'><filters><filter name='f'/></filters>"
			 "<namedQueries/><events><event value='1'><x/></event>"
			 "</events></provider>" MAN_LOCAL MAN_TAIL);

	assert_int_equal(manifest->publishers[0].num_events, 1);
}

static void test_what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *xml;
		int line;
		const char *message;
	} cases[] = {
		{"", 0, "not an XML document"},
		{"<a", 1, NULL},
		{"<!DOCTYPE a []><a/>", 1,
		 "a document type declaration is not allowed"},
		{"<events/>", 1,
		 "<events> is not an <instrumentationManifest>"},
		{"<instrumentationManifest/>", 1,
		 "there is no <events> in <instrumentation>"},
		{MAN_HEAD MAN_LOCAL MAN_TAIL, 3, "there is no <provider>"},
		{MAN_HEAD "<provider name='A'/>" MAN_LOCAL MAN_TAIL, 4,
		 "<provider> without the attribute guid"},
		{MAN_HEAD "<provider name='A' guid='7'/>" MAN_LOCAL MAN_TAIL, 4,
		 "guid=\"7\" is not a GUID"},
		{MAN_HEAD MAN_PROVIDER "</provider>" MAN_LOCAL MAN_TAIL, 4,
		 "no string Provider in any <stringTable>"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event_manifest_error error = {.line = -1};
		struct event_manifest *manifest = NULL;
		everr_t err = man_try(*state, cases[i].xml, &manifest, &error);

		assert_int_equal(err, EVERR_MANIFEST);
		assert_null(manifest);
		assert_int_equal(error.line, cases[i].line);
		if (cases[i].message != NULL) {
			assert_string_equal(error.message, cases[i].message);
		}
	}
}

/* Inside one provider; the offending element stands on line 5. */
static void test_references_that_lead_nowhere_are_refused(void **state)
{
	static const struct {
		const char *body;
		const char *message;
	} cases[] = {
		{"<events><event value='1' template='X'/></events>",
		 "no template X is in <templates>"},
		{"<events><event value='1' channel='X'/></events>",
		 "no channel X is in <channels>"},
		{"<events><event value='1' level='X'/></events>",
		 "no level X is defined"},
		{"<events><event value='1' task='X'/></events>",
		 "no task X is defined"},
		{"<events><event value='1' opcode='X'/></events>",
		 "no opcode X is defined"},
		{"<events><event value='1' keywords='win:SQM X'/></events>",
		 "no keyword X is defined"},
		{"<events><event value='1' message='$(string.X)'/></events>",
		 "no string X in any <stringTable>"},
		{"<events><event value='1' message='$(mc.X)'/></events>",
		 "no <message> X in <messageTable>"},
		{"<events><event value='1' message='text'/></events>",
		 "message=\"text\" of <event> is not of the form $(string.ID)"},
		{"<events><event value='65536'/></events>",
		 "value=\"65536\" of <event> is not a number from 0 to 65535"},
		{"<events><event value='1'/><event value='0x1'/></events>",
		 "the event 1, version 0, is there twice"},
		{"<events><event/></events>",
		 "<event> without the attribute value"},
		{"<events/><events/>", "<events> is there twice"},
		{"<channels><channel name='A'/></channels>",
		 "<channel> without the attribute type"},
		{"<channels><channel name='A' type='Odd'/></channels>",
		 "type=\"Odd\" of <channel> is not known"},
		{"<channels><channel name='A' type='Admin' enabled='maybe'/>"
		 "</channels>",
		 "enabled is neither true nor false"},
		{"<channels><channel name='A' type='Admin'/>"
		 "<channel name='A' type='Admin'/></channels>",
		 "<channels> has A twice"},
		{"<keywords><keyword name='A' mask='3'/></keywords>",
		 "the mask of the keyword A has not exactly one bit"},
		{"<levels><level name='A' value='256'/></levels>",
		 "value=\"256\" of <level> is not a number from 0 to 255"},
		{"<templates><template tid='A'><data name='B' inType='C'/>"
		 "</template></templates>",
		 "inType=\"C\" of B is not known"},
		{"<templates><template tid='A'><struct name='B'/></template>"
		 "</templates>",
		 "<struct> in a template is not supported"},
		{"<templates><template tid='A'><data name='B' "
		 "inType='win:UInt8' map='C'/></template></templates>",
		 "no map C in <maps>"},
		{"<templates><template tid='A'><UserData><B>%1</B></UserData>"
		 "</template></templates>",
		 "<B> refers to a <data> that its template does not have"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event_manifest_error error = {.line = -1};
		struct event_manifest *manifest = NULL;
		char *xml = talloc_asprintf(
			*state,
			"%s%s%s</provider>%s<string id='Provider' value='P'/>"
			"%s",
			MAN_HEAD, MAN_PROVIDER, cases[i].body, MAN_LOCAL,
			MAN_TAIL);
		everr_t err = man_try(*state, xml, &manifest, &error);

		assert_int_equal(err, EVERR_MANIFEST);
		assert_string_equal(error.message, cases[i].message);
		assert_int_equal(error.line, 5);
	}
}

static void test_limits_of_depth_elements_and_size(void **state)
{
	struct event_manifest_error error = {0};
	struct event_manifest *manifest = NULL;
	char *xml = talloc_strdup(*state, "<instrumentationManifest>");
	uint8_t *huge = NULL;
	size_t i;
	everr_t err;

	for (i = 0; i < EVENT_MANIFEST_DEPTH_MAX; i++) {
		xml = talloc_strdup_append(xml, "<a>");
	}
	assert_int_equal(man_try(*state, xml, &manifest, &error), EVERR_LIMIT);
	assert_string_equal(error.message, "elements are nested too deeply");

	huge = talloc_zero_size(*state, EVENT_MANIFEST_MAX + 1);
	err = event_manifest_parse(*state, "a", huge, EVENT_MANIFEST_MAX + 1,
				   &manifest, &error);
	assert_int_equal(err, EVERR_LIMIT);
	for (i = 0; i < EVENT_MANIFEST_ELEMENTS_MAX; i++) {
		memcpy(huge + 3 + 4 * i, "<a/>", 4);
	}
	memcpy(huge, "<a>", 3);
	err = event_manifest_parse(*state, "a", huge,
				   3 + 4 * EVENT_MANIFEST_ELEMENTS_MAX,
				   &manifest, &error);
	assert_int_equal(err, EVERR_LIMIT);
	assert_string_equal(error.message, "too many elements");
	assert_null(manifest);
}

/* Providers times cultures: a small file must not become a large thing. */
static void test_limits_of_providers_and_cultures(void **state)
{
	struct event_manifest_error error = {0};
	struct event_manifest *manifest = NULL;
	char *providers = talloc_strdup(*state, "");
	char *cultures = talloc_strdup(*state, "");
	char *xml = NULL;
	size_t i;

	for (i = 0; i <= 8192; i++) {
		providers = talloc_asprintf_append_buffer(
			providers,
			"<provider name='P%zu' guid='{%08zx-0000-0000-0000-"
			"000000000000}'/>",
			i, i);
		if (i == 4000) {
			xml = talloc_asprintf(*state, "%s%s" MAN_LOCAL,
					      MAN_HEAD, providers);
		}
	}
	for (i = 0; i < 128; i++) {
		cultures = talloc_asprintf_append_buffer(
			cultures,
			"</stringTable></resources>"
			"<resources culture='c%zu'><stringTable>",
			i);
	}
	/* 127 more than the one that is there already. */
	cultures[strlen(cultures) -
		 strlen("</stringTable></resources>"
			"<resources culture='c127'><stringTable>")] = '\0';
	xml = talloc_asprintf_append_buffer(xml, "%s%s", cultures, MAN_TAIL);
	assert_int_equal(man_try(*state, xml, &manifest, &error),
			 EVERR_MANIFEST);
	assert_string_equal(error.message,
			    "too many messages, providers or cultures");

	xml = talloc_asprintf(*state, "%s%s" MAN_LOCAL MAN_TAIL, MAN_HEAD,
			      providers);
	assert_int_equal(man_try(*state, xml, &manifest, &error),
			 EVERR_MANIFEST);
	assert_string_equal(error.message, "more than 8192 providers");
}

static void test_limits_of_an_attribute(void **state)
{
	struct event_manifest_error error = {0};
	struct event_manifest *manifest = NULL;
	char *text = talloc_array(*state, char, 65537);
	char *xml = NULL;

	memset(text, 'x', 65536);
	text[65536] = '\0';
	xml = talloc_asprintf(*state,
			      "%s%s</provider>%s<string id='Provider' "
			      "value='%s'/>%s",
			      MAN_HEAD, MAN_PROVIDER, MAN_LOCAL, text,
			      MAN_TAIL);
	assert_int_equal(man_try(*state, xml, &manifest, &error), EVERR_LIMIT);
	assert_string_equal(error.message,
			    "an attribute has more than 65,535 bytes");
	assert_int_equal(error.line, 7);

	text[65535] = '\0';
	xml = talloc_asprintf(*state,
			      "%s%s</provider>%s<string id='Provider' "
			      "value='%s'/>%s",
			      MAN_HEAD, MAN_PROVIDER, MAN_LOCAL, text,
			      MAN_TAIL);
	assert_int_equal(man_try(*state, xml, &manifest, &error), EVERR_OK);
	talloc_free(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_provider_has_its_attributes),
		leak_test(test_channels_have_numbers_and_configuration),
		leak_test(test_names_have_values_and_compiler_message_ids),
		leak_test(test_maps_have_items_in_order),
		leak_test(test_a_template_has_fields_and_xml),
		leak_test(test_user_data_keeps_its_element_and_namespace),
		leak_test(test_events_are_resolved_and_sorted),
		leak_test(test_an_event_is_found_by_id_and_version),
		leak_test(test_cultures_have_their_own_messages),
		leak_test(test_utf16_is_read_with_and_without_its_mark),
		leak_test(test_elements_that_are_not_known_are_passed_over),
		leak_test(test_what_is_wrong_is_said_with_its_line),
		leak_test(test_references_that_lead_nowhere_are_refused),
		leak_test(test_limits_of_depth_elements_and_size),
		leak_test(test_limits_of_providers_and_cultures),
		leak_test(test_limits_of_an_attribute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
