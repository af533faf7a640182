/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/event.h"
#include "tests/event/make.h"
#include "tests/event/vectors.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#define OUT_MAX (1 << 20)

struct fixture {
	TALLOC_CTX *mem_ctx;
	struct event_dict *dict;
	struct event_packer *packer;
	struct buf out;
};

/* full: the dictionary takes nothing, so that all become documents. */
static void start(struct fixture *f, TALLOC_CTX *mem_ctx, bool full)
{
	const struct event_dict_limits none = {0};

	f->mem_ctx = mem_ctx;
	f->dict = event_dict_create(mem_ctx, full ? &none : NULL);
	f->packer = event_packer_create(mem_ctx, f->dict);
	buf_init(&f->out, mem_ctx, OUT_MAX);
}

static everr_t try_render(struct fixture *f, const struct buf *doc,
			  const struct event_render_options *options)
{
	struct event_packed packed;

	assert_int_equal(event_pack(f->packer, doc->data, doc->len, &packed),
			 EVERR_OK);
	buf_reset(&f->out);
	return event_render_xml(&f->out, f->dict, packed.data, packed.len,
				options);
}

static xmlDoc *parse(const char *xml)
{
	return xmlReadMemory(xml, (int)strlen(xml), NULL, "UTF-8",
			     XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
				     XML_PARSE_NONET);
}

/* Rendered, and read by libxml2. */
static const char *render(struct fixture *f, const struct buf *doc)
{
	xmlDoc *tree = NULL;

	assert_int_equal(try_render(f, doc, NULL), EVERR_OK);
	buf_put_u8(&f->out, '\0');
	tree = parse((const char *)f->out.data);
	if (tree == NULL) {
		fail_msg("not well-formed: %s", (const char *)f->out.data);
	}
	xmlFreeDoc(tree);
	return (const char *)f->out.data;
}

/* As a template and as a document, which must give the same. */
static void assert_renders(TALLOC_CTX *mem_ctx, const struct buf *doc,
			   const char *want)
{
	struct fixture f;

	start(&f, mem_ctx, false);
	assert_string_equal(render(&f, doc), want);
	assert_string_equal(render(&f, doc), want);
	start(&f, mem_ctx, true);
	assert_string_equal(render(&f, doc), want);
}

static void assert_made(struct maker *m, const char *want)
{
	struct buf doc;

	make_document(m, &doc);
	assert_renders(m->mem_ctx, &doc, want);
}

static void assert_vector(TALLOC_CTX *mem_ctx, const char *name,
			  const char *want)
{
	struct buf doc;

	buf_init(&doc, mem_ctx, OUT_MAX);
	vector_load(&doc, name);
	assert_renders(mem_ctx, &doc, want);
}

#define EVENT_XMLNS "http://schemas.microsoft.com/win/2004/08/events/event"

/* [MS-EVEN6] 4.4; "</Name>" and "&#60;" as [MS-EVEN6]'s errata, facts 9.5. */
static void test_the_sample_of_the_specification_4_4(void **state)
{
	assert_vector(*state, "spec-4.4",
		      "<Event><Element1>abc</Element1><Element2> def &amp;"
		      "&#60; ghi </Element2><Element3 AttrA='abc' "
		      "AttrB='def&amp;&#60;ghi'/></Event>");
}

/* [MS-EVEN6] 4.8 prints it; the bytes hold another time and id, facts 9.9. */
static void test_the_sample_of_the_specification_4_8(void **state)
{
	assert_vector(
		*state, "spec-4.8",
		"<Event xmlns='" EVENT_XMLNS "'><System><Provider "
		"Name='Microsoft-Windows-Wevttest' "
		"Guid='{03f41308-fa7b-4fb3-98b8-c2ed0a40d1ef}'/>"
		"<EventID>100</EventID><Version>0</Version><Level>1</Level>"
		"<Task>100</Task><Opcode>1</Opcode>"
		"<Keywords>0x4000000000e00000</Keywords>"
		"<TimeCreated SystemTime='2006-06-14T21:40:54.6258076Z'/>"
		"<EventRecordID>6</EventRecordID><Correlation/>"
		"<Execution ProcessID='2088' ThreadID='2464'/>"
		"<Channel>Microsoft-Windows-Wevttest/Operational/Wevttest"
		"</Channel><Computer>michaelm4-lh.ntdev.corp.microsoft.com"
		"</Computer><Security "
		"UserID='S-1-5-21-397955417-626881126-188441444-2967838'/>"
		"</System><UserData><MyEvent xmlns:auto-ns2='http://schemas."
		"microsoft.com/win/2004/08/events' xmlns='myNs'>"
		"<Property>1</Property><Property2>2</Property2></MyEvent>"
		"</UserData></Event>");
}

/* The fields that facts 19 lists for it. */
static void test_a_real_logoff_event(void **state)
{
	assert_vector(
		*state, "windows-4634",
		"<Event xmlns='" EVENT_XMLNS "'><System><Provider "
		"Name='Microsoft-Windows-Security-Auditing' "
		"Guid='{54849625-5478-4994-A5BA-3E3B0328C30D}'/>"
		"<EventID>4634</EventID><Version>0</Version><Level>0</Level>"
		"<Task>12545</Task><Opcode>0</Opcode>"
		"<Keywords>0x8020000000000000</Keywords>"
		"<TimeCreated SystemTime='2020-07-23T03:02:31.2952353Z'/>"
		"<EventRecordID>28493</EventRecordID><Correlation/>"
		"<Execution ProcessID='468' ThreadID='1140'/>"
		"<Channel>Security</Channel><Computer>ADSERVER.idfw.local"
		"</Computer><Security/></System><EventData>"
		"<Data Name='TargetUserSid'>S-1-5-18</Data>"
		"<Data Name='TargetUserName'>ADSERVER$</Data>"
		"<Data Name='TargetDomainName'>IDFW</Data>"
		"<Data Name='TargetLogonId'>0x10ac2b1</Data>"
		"<Data Name='LogonType'>3</Data></EventData></Event>");
}

static void test_a_manifest_style_event(void **state)
{
	assert_vector(
		*state, "manifest-style",
		"<Event xmlns='" EVENT_XMLNS "'><System><Provider "
		"Name='Example-Provider' "
		"Guid='{11111111-2222-3333-4444-555555555555}'/>"
		"<EventID>1000</EventID><Version>0</Version><Level>4</Level>"
		"<Task>0</Task><Opcode>0</Opcode>"
		"<Keywords>0x8000000000000000</Keywords>"
		"<TimeCreated SystemTime='2023-11-14T22:13:20.0000000Z'/>"
		"<EventRecordID>1</EventRecordID><Correlation/>"
		"<Execution ProcessID='1234' ThreadID='5678'/>"
		"<Channel>Application</Channel><Computer>srv.example"
		"</Computer><Security UserID='S-1-5-18'/></System><EventData>"
		"<Data Name='User'>bob</Data><Data Name='Port'>445</Data>"
		"</EventData></Event>");
}

static void test_indented_with_two_blanks(void **state)
{
	const struct event_render_options indent = {.indent = true};
	struct fixture f;
	struct buf doc;

	start(&f, *state, false);
	buf_init(&doc, *state, OUT_MAX);
	vector_load(&doc, "spec-4.4");
	assert_int_equal(try_render(&f, &doc, &indent), EVERR_OK);
	buf_put_u8(&f.out, '\0');
	assert_string_equal((char *)f.out.data,
			    "<Event>\n  <Element1>abc</Element1>\n"
			    "  <Element2> def &amp;&#60; ghi </Element2>\n"
			    "  <Element3 AttrA='abc' "
			    "AttrB='def&amp;&#60;ghi'/>\n</Event>");
}

static void test_an_element_is_left_out_when_its_dependency_is_null(
	void **state)
{
	struct maker m;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "A", 0, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_leaf(&m, "Inner", 1);
	make_kind(&m, EVENT_TOKEN_END);
	make_open(&m, "B", 1, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	/* No such value: as good as Null. */
	make_open(&m, "C", 2, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_leaf(&m, "D", 2);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	make_string(&m, "");
	assert_made(&m, "<Event><B/><D></D></Event>");
}

static void test_an_attribute_without_text_is_left_out(void **state)
{
	struct maker m;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "Null");
	make_subst(&m, 0);
	make_attribute(&m, "Empty");
	make_subst(&m, 1);
	make_attribute(&m, "StartsWithNul");
	make_subst(&m, 2);
	make_attribute(&m, "None");
	make_attribute(&m, "EmptyText");
	make_text(&m, "");
	make_attribute(&m, "Both");
	make_subst(&m, 0);
	make_subst(&m, 3);
	make_attribute(&m, "Neither");
	make_subst(&m, 0);
	make_subst(&m, 1);
	make_attribute(&m, "TextAndNull");
	make_text(&m, "x=");
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_value(&m, EVENT_TYPE_NULL, "junk", 4);
	make_string(&m, "");
	make_value(&m, EVENT_TYPE_STRING, "\0\0a", 4);
	make_string(&m, "\"it's\"");
	assert_made(&m, "<Event Both='&quot;it&apos;s&quot;' "
			"TextAndNull='x='/>");
}

/* Facts 9.5: the whole element once for each item. */
static void test_an_array_repeats_its_element(void **state)
{
	static const uint8_t numbers[] = {1, 0, 2, 0, 255, 255};
	struct maker m;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "EventData", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_leaf(&m, "Data", 0);
	make_open(&m, "N", 1, true);
	make_attribute(&m, "Kind");
	make_text(&m, "k");
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 1);
	make_leaf(&m, "Inner", 1);
	make_kind(&m, EVENT_TOKEN_END);
	make_leaf(&m, "Empty", 2);
	make_open(&m, "A", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "v");
	make_subst(&m, 1);
	make_kind(&m, EVENT_TOKEN_CLOSE_EMPTY);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_STRING,
		   "o\0n\0e\0\0\0\0\0<\0\0\0l\0a\0s\0t\0", 22);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT16, numbers, 6);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_STRING, "", 0);
	assert_made(&m, "<EventData><Data>one</Data><Data></Data>"
			"<Data>&lt;</Data><Data>last</Data>"
			"<N Kind='k'>1<Inner>1</Inner></N>"
			"<N Kind='k'>2<Inner>2</Inner></N>"
			"<N Kind='k'>65535<Inner>65535</Inner></N>"
			"<Empty></Empty><A v='1'/><A v='2'/><A v='65535'/>"
			"</EventData>");
}

/* Windows' own Event depends on its body; facts 10.2. */
static void test_the_root_is_neither_left_out_nor_repeated(void **state)
{
	struct maker m;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", 0, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_NULL, NULL, 0);
	assert_made(&m, "<Event></Event>");

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_leaf(&m, "Event", 0);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, "\x01\x02", 2);
	assert_made(&m, "<Event>1 2</Event>");
}

/* Only one array repeats; another is written with blanks between items. */
static void test_two_arrays_in_one_element(void **state)
{
	struct maker m;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "E", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "F", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "a");
	make_subst(&m, 1);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, "\x07\x08", 2);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, "\x01\x02", 2);
	assert_made(&m, "<E><F a='1 2'>7</F><F a='1 2'>8</F></E>");
}

/* A BinXml value of an event: a document of its own, made by m. */
static void make_nested(struct maker *outer, struct maker *inner)
{
	struct buf doc;

	make_document(inner, &doc);
	make_value(outer, EVENT_TYPE_BINXML, doc.data, doc.len);
}

static void test_nested_values_of_either_kind(void **state)
{
	struct maker m, t, d;

	make_start(&t, *state, EVENT_READ_DEFINITION);
	make_leaf(&t, "T", 0);
	make_string(&t, "in template");
	make_start(&d, *state, EVENT_READ_DOCUMENT);
	make_open(&d, "D", EVENT_NO_DEPENDENCY, false);
	make_kind(&d, EVENT_TOKEN_CLOSE_START);
	make_text(&d, "in document");
	make_kind(&d, EVENT_TOKEN_END);
	make_open(&d, "D2", EVENT_NO_DEPENDENCY, false);
	make_kind(&d, EVENT_TOKEN_CLOSE_EMPTY);

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "Event", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "cannot");
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_text(&m, "-");
	make_subst(&m, 1);
	make_subst(&m, 2);
	make_kind(&m, EVENT_TOKEN_END);
	make_nested(&m, &t);
	make_nested(&m, &d);
	make_value(&m, EVENT_TYPE_BINXML, "", 0);
	assert_made(&m, "<Event><T>in template</T>-<D>in document</D><D2/>"
			"</Event>");
}

static void test_what_could_break_out_of_its_place_cannot(void **state)
{
	struct maker m;

	make_start(&m, *state, EVENT_READ_DOCUMENT);
	make_open(&m, "E", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "a");
	make_text(&m, "' b='<&>\"\n");
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_named(&m, (struct event_token){.kind = EVENT_TOKEN_PI_TARGET},
		   "XmL");
	make_named(&m, (struct event_token){.kind = EVENT_TOKEN_PI_DATA},
		   "version='1.0'");
	make_text(&m, "</E>]]><!-- &amp; -->\x01\r");
	make_named(&m, (struct event_token){.kind = EVENT_TOKEN_CDATA},
		   "<a>]]>]]>\r\x02&");
	make_named(&m, (struct event_token){.kind = EVENT_TOKEN_PI_TARGET},
		   "pi");
	make_named(&m, (struct event_token){.kind = EVENT_TOKEN_PI_DATA},
		   "a?>b\x03?");
	make_named(&m, (struct event_token){.kind = EVENT_TOKEN_ENTITY_REF},
		   "quot");
	make_named(&m, (struct event_token){.kind = EVENT_TOKEN_ENTITY_REF},
		   "bomb");
	make_put(&m, (struct event_token){.kind = EVENT_TOKEN_CHAR_REF,
					  .ch = 0xD800});
	make_put(&m,
		 (struct event_token){.kind = EVENT_TOKEN_CHAR_REF, .ch = 0});
	make_put(&m, (struct event_token){.kind = EVENT_TOKEN_CHAR_REF,
					  .ch = 0x20AC});
	make_kind(&m, EVENT_TOKEN_END);
	assert_made(&m, "<E a='&apos; b=&apos;&lt;&amp;&gt;&quot;&#10;'>"
			"&lt;/E&gt;]]&gt;&lt;!-- &amp;amp; --&gt;\uFFFD&#13;"
			"<![CDATA[<a>]]]]><![CDATA[>]]]]><![CDATA[>]]>&#13;"
			"<![CDATA[\uFFFD&]]><?pi a? >b\uFFFD?"
			"?>"
			"&quot;&amp;bomb;\uFFFD\uFFFD&#8364;</E>");
}

/* A parser hands back the string, but for what XML cannot carry. */
static void test_hostile_strings_come_back_from_a_parser(void **state)
{
	static const uint8_t hostile[] = {
		'<',  0,    '&',  0,	']',  0,    ']',  0,	'>',  0,
		'\'', 0,    '"',  0,	'\r', 0,    '\n', 0,	'\t', 0,
		0x1F, 0,    0x00, 0xD8, 'x',  0,    0xFE, 0xFF, 0xFF, 0xFF,
		0x3D, 0xD8, 0x00, 0xDE, 0x00, 0xDC, ' ',  0};
	struct fixture f;
	struct buf doc;
	struct maker m;
	xmlDoc *tree = NULL;
	xmlChar *text = NULL, *attribute = NULL;
	const char *full = "<&]]>'\"\r\n\t\uFFFD\uFFFDx\uFFFD\uFFFD"
			   "\xF0\x9F\x98\x80\uFFFD ";

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "E", EVENT_NO_DEPENDENCY, true);
	make_attribute(&m, "a");
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_STRING, hostile, sizeof(hostile));
	make_document(&m, &doc);

	start(&f, *state, false);
	tree = parse(render(&f, &doc));
	text = xmlNodeGetContent(xmlDocGetRootElement(tree));
	attribute = xmlGetProp(xmlDocGetRootElement(tree), BAD_CAST "a");
	assert_string_equal((char *)text, full);
	assert_string_equal((char *)attribute, full);
	xmlFree(text);
	xmlFree(attribute);
	xmlFreeDoc(tree);
}

static void test_elements_nested_to_the_limit(void **state)
{
	struct fixture f;
	struct buf doc;
	struct maker m;
	int i;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	for (i = 0; i < EVENT_DEPTH_MAX; i++) {
		make_open(&m, "e", 0, false);
		make_kind(&m, EVENT_TOKEN_CLOSE_START);
	}
	make_subst(&m, 0);
	for (i = 0; i < EVENT_DEPTH_MAX; i++) {
		make_kind(&m, EVENT_TOKEN_END);
	}
	make_string(&m, "deep");
	make_document(&m, &doc);
	start(&f, *state, false);
	render(&f, &doc);
	assert_int_equal(f.out.len - 1, EVENT_DEPTH_MAX * 7 + 4);
}

/* 65,535 items, each with a long element: the buffer ends it, not memory. */
static void test_a_repetition_stops_at_the_buffer(void **state)
{
	uint8_t *items = talloc_zero_array(*state, uint8_t, 65535);
	char *text = talloc_zero_array(*state, char, 10001);
	struct fixture f;
	struct buf doc;
	struct maker m;

	memset(text, 'x', 10000);
	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "E", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_open(&m, "D", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_text(&m, text);
	make_subst(&m, 0);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 65535);
	make_document(&m, &doc);

	start(&f, *state, false);
	assert_int_equal(try_render(&f, &doc, NULL), EVERR_LIMIT);
	assert_int_equal(f.out.len, 0);
}

/*
 * Each item has a nested value that is work but writes nothing: two arrays
 * inside each other would take minutes.
 */
static void test_work_without_output_is_limited(void **state)
{
	uint8_t *items = talloc_zero_array(*state, uint8_t, 65535);
	struct fixture f;
	struct maker m, t;
	struct buf doc;
	int i;

	make_start(&t, *state, EVENT_READ_DEFINITION);
	make_open(&t, "T", EVENT_NO_DEPENDENCY, false);
	make_kind(&t, EVENT_TOKEN_CLOSE_START);
	for (i = 0; i < 2000; i++) {
		make_open(&t, "x", 0, false);
		make_kind(&t, EVENT_TOKEN_CLOSE_EMPTY);
	}
	make_kind(&t, EVENT_TOKEN_END);
	make_value(&t, EVENT_TYPE_NULL, NULL, 0);

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "E", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	make_open(&m, "F", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 1);
	make_subst(&m, 2);
	make_kind(&m, EVENT_TOKEN_END);
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 65535);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 65535);
	make_nested(&m, &t);
	make_document(&m, &doc);

	start(&f, *state, false);
	f.out.max = SIZE_MAX / 2;
	assert_int_equal(try_render(&f, &doc, NULL), EVERR_LIMIT);
	assert_true(f.out.size < 1U << 30);
}

/*
 * 60 elements in each other, each with an array of one item, around one with
 * num items and num_texts texts that are empty.
 */
static void make_deep_loops(struct maker *m, TALLOC_CTX *mem_ctx,
			    unsigned int depth, size_t num, int num_texts)
{
	uint8_t *items = talloc_zero_array(mem_ctx, uint8_t, num);
	unsigned int i;
	int j;

	make_start(m, mem_ctx, EVENT_READ_DEFINITION);
	for (i = 0; i < depth; i++) {
		make_open(m, "E", EVENT_NO_DEPENDENCY, false);
		make_kind(m, EVENT_TOKEN_CLOSE_START);
		make_subst(m, (uint16_t)i);
		make_value(m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items,
			   i == depth - 1 ? num : 1);
	}
	for (j = 0; j < num_texts; j++) {
		make_subst(m, (uint16_t)depth);
	}
	for (i = 0; i < depth; i++) {
		make_kind(m, EVENT_TOKEN_END);
	}
	make_value(m, EVENT_TYPE_STRING, NULL, 0);
}

/* The deeper the loops, the more it takes to find what a value stands for. */
static void test_loops_in_each_other_cost_more(void **state)
{
	struct fixture f;
	struct maker m;
	struct buf doc;

	start(&f, *state, false);
	make_deep_loops(&m, *state, 2, 3000, 500);
	make_document(&m, &doc);
	assert_int_equal(try_render(&f, &doc, NULL), EVERR_OK);

	make_deep_loops(&m, *state, 60, 3000, 500);
	make_document(&m, &doc);
	assert_int_equal(try_render(&f, &doc, NULL), EVERR_LIMIT);
}

/* Where nothing goes any more: 100,000 arrays of 65,535 items. */
static void test_a_full_buffer_ends_the_work(void **state)
{
	uint8_t *items = talloc_zero_array(*state, uint8_t, 65535);
	struct fixture f;
	struct maker m;
	struct buf doc;
	int i;

	make_start(&m, *state, EVENT_READ_DEFINITION);
	make_open(&m, "E", EVENT_NO_DEPENDENCY, false);
	make_kind(&m, EVENT_TOKEN_CLOSE_START);
	make_subst(&m, 0);
	for (i = 0; i < 100000; i++) {
		make_subst(&m, 1);
	}
	make_kind(&m, EVENT_TOKEN_END);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 1);
	make_value(&m, EVENT_TYPE_ARRAY | EVENT_TYPE_UINT8, items, 65535);
	make_document(&m, &doc);

	start(&f, *state, false);
	assert_int_equal(try_render(&f, &doc, NULL), EVERR_LIMIT);
	assert_int_equal(f.out.len, 0);
}

static void test_damaged_records_are_errors_and_leave_nothing(void **state)
{
	struct event_packed packed;
	struct fixture f;
	uint8_t *copy = NULL;
	struct buf doc;
	size_t len;

	start(&f, *state, false);
	buf_init(&doc, *state, OUT_MAX);
	vector_load(&doc, "windows-4634");
	assert_int_equal(event_pack(f.packer, doc.data, doc.len, &packed),
			 EVERR_OK);
	buf_puts(&f.out, "before");
	for (len = 0; len < packed.len; len++) {
		copy = talloc_memdup(*state, packed.data, len);
		assert_int_not_equal(
			event_render_xml(&f.out, f.dict, copy, len, NULL),
			EVERR_OK);
		assert_int_equal(f.out.len, 6);
		TALLOC_FREE(copy);
	}
	/* A UInt32 of two bytes, and a template that nobody knows. */
	copy = talloc_memdup(*state, packed.data, packed.len);
	copy[8 + 2] = EVENT_TYPE_UINT32;
	assert_int_equal(
		event_render_xml(&f.out, f.dict, copy, packed.len, NULL),
		EVERR_BINXML_VALUE);
	le32_set(copy + 4, 77);
	assert_int_equal(
		event_render_xml(&f.out, f.dict, copy, packed.len, NULL),
		EVERR_TEMPLATE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_sample_of_the_specification_4_4),
		leak_test(test_the_sample_of_the_specification_4_8),
		leak_test(test_a_real_logoff_event),
		leak_test(test_a_manifest_style_event),
		leak_test(test_indented_with_two_blanks),
		leak_test(
			test_an_element_is_left_out_when_its_dependency_is_null),
		leak_test(test_an_attribute_without_text_is_left_out),
		leak_test(test_an_array_repeats_its_element),
		leak_test(test_the_root_is_neither_left_out_nor_repeated),
		leak_test(test_two_arrays_in_one_element),
		leak_test(test_nested_values_of_either_kind),
		leak_test(test_what_could_break_out_of_its_place_cannot),
		leak_test(test_hostile_strings_come_back_from_a_parser),
		leak_test(test_elements_nested_to_the_limit),
		leak_test(test_a_repetition_stops_at_the_buffer),
		leak_test(test_work_without_output_is_limited),
		leak_test(test_loops_in_each_other_cost_more),
		leak_test(test_a_full_buffer_ends_the_work),
		leak_test(test_damaged_records_are_errors_and_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
