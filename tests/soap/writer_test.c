/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/writer.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

struct output {
	struct buf buf;
	struct soap_writer writer;
};

static void begin(void **state, struct output *out)
{
	buf_init(&out->buf, *state, 100000);
	soap_writer_init(&out->writer, &out->buf);
}

static void written(struct output *out, const char *want)
{
	assert_int_equal(soap_writer_end(&out->writer), EVERR_OK);
	assert_int_equal(out->buf.len, strlen(want));
	assert_memory_equal(out->buf.data, want, out->buf.len);
	buf_free(&out->buf);
}

static void test_elements_close_in_order_and_empty_ones_at_once(void **state)
{
	struct output out;
	struct soap_writer *w = &out.writer;

	begin(state, &out);
	soap_open(w, "a");
	soap_attribute(w, "xmlns", "urn:x");
	soap_attribute_int(w, "n", INT64_MIN);
	soap_open(w, "b");
	soap_close(w);
	soap_put_empty(w, "c");
	soap_put(w, "d", "");
	soap_put(w, "e", NULL);
	soap_put(w, "f", "text");
	soap_close(w);
	written(&out, "<a xmlns=\"urn:x\" n=\"-9223372036854775808\"><b />"
		      "<c /><d /><f>text</f></a>");
}

static void test_scalars_are_written_as_windows_writes_them(void **state)
{
	static const struct ev_guid guid = {{0x48, 0xFE, 0xB2, 0xAD, 0x2E, 0x0B,
					     0x1E, 0x45, 0x8F, 0xC8, 0x44, 0xB2,
					     0x98, 0x45, 0xB0, 0xC6}};
	struct output out;
	struct soap_writer *w = &out.writer;

	begin(state, &out);
	soap_open(w, "r");
	soap_put_int(w, "i", -5);
	soap_put_bool(w, "t", true);
	soap_put_bool(w, "f", false);
	soap_put_guid(w, "g", &guid);
	soap_put_time(w, "a", 127942687437190987);
	soap_put_time(w, "b", 127929586288870000);
	soap_put_time(w, "c", 128176252820000000);
	soap_put_time(w, "d", 0);
	soap_put_time(w, "e", 2650467743999999999);
	soap_put_time(w, "h", UINT64_MAX);
	soap_put_base64(w, "j", "foobar!", 7);
	soap_put_base64(w, "k", "", 0);
	soap_close(w);
	written(&out, "<r><i>-5</i><t>true</t><f>false</f>"
		      "<g>adb2fe48-0b2e-451e-8fc8-44b29845b0c6</g>"
		      "<a>2006-06-08T19:32:23.7190987Z</a>"
		      "<b>2006-05-24T15:37:08.887Z</b>"
		      "<c>2007-03-06T03:28:02Z</c>"
		      "<d>0001-01-01T00:00:00</d>"
		      "<e>9999-12-31T23:59:59.9999999</e>"
		      "<h>9999-12-31T23:59:59.9999999</h>"
		      "<j>Zm9vYmFyIQ==</j><k /></r>");
}

static void test_long_base64_has_no_seams(void **state)
{
	struct output out;
	uint8_t data[10000];

	memset(data, 0, sizeof(data));
	begin(state, &out);
	soap_put_base64(&out.writer, "b", data, sizeof(data));
	assert_int_equal(soap_writer_end(&out.writer), EVERR_OK);
	/* 3333 groups of three and one byte: "AA==". */
	assert_int_equal(out.buf.len, 3 + 13336 + 4);
	assert_int_equal(strspn((char *)out.buf.data + 3, "A"), 13334);
	assert_memory_equal(out.buf.data + 3 + 13334, "==</b>", 6);
	buf_free(&out.buf);
}

/* What libxml2 reads from what was written. */
static void reads_back(void **state, const char *text, size_t len,
		       const char *want)
{
	struct output out;
	xmlDoc *doc = NULL;
	xmlChar *value = NULL;
	char *copy = talloc_strndup(*state, text, len);

	begin(state, &out);
	soap_open(&out.writer, "r");
	soap_attribute(&out.writer, "a", copy);
	soap_data(&out.writer, text, len);
	soap_close(&out.writer);
	assert_int_equal(soap_writer_end(&out.writer), EVERR_OK);

	doc = xmlReadMemory((char *)out.buf.data, (int)out.buf.len, NULL,
			    "utf-8", XML_PARSE_NONET | XML_PARSE_NOERROR);
	assert_non_null(doc);
	value = xmlNodeGetContent(xmlDocGetRootElement(doc));
	assert_string_equal((char *)value, want);
	xmlFree(value);
	/* An attribute's text ends at a NUL. */
	if (strlen(copy) == len) {
		value = xmlGetProp(xmlDocGetRootElement(doc),
				   (const xmlChar *)"a");
		assert_string_equal((char *)value, want);
		xmlFree(value);
	}
	xmlFreeDoc(doc);
	buf_free(&out.buf);
	talloc_free(copy);
}

static void test_any_text_is_read_back_by_a_parser(void **state)
{
#define R "\xEF\xBF\xBD"
	static const struct {
		const char *text;
		const char *want;
	} table[] = {
		{"a<b>&\"'c", "a<b>&\"'c"},
		{"]]>", "]]>"},
		{"<!--&amp;-->", "<!--&amp;-->"},
		{" \t\n\r\r\n ", " \t\n\r\r\n "},
		{"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80",
		 "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"},
		{"\x01\x08\x0B\x0C\x0E\x1F\x7F", R R R R R R "\x7F"},
		/* Not UTF-8: alone, cut, overlong, a surrogate, too large. */
		{"a\x80z", "a" R "z"},
		{"a\xC3", "a" R},
		{"\xC3(", R "("},
		{"\xE2\x82", R R},
		{"\xC0\xAF", R R},
		{"\xE0\x80\xAF", R R R},
		{"\xED\xA0\x80", R R R},
		{"\xF0\x80\x80\xAF", R R R R},
		{"\xF4\x90\x80\x80", R R R R},
		{"\xF5\x80\x80\x80", R R R R},
		/* U+FFFE and U+FFFF are no characters; U+FFFD is one. */
		{"\xEF\xBF\xBE|\xEF\xBF\xBF|\xEF\xBF\xBD",
		 R R R "|" R R R "|" R},
		{"\xEE\x80\x80\xEF\xBB\xBF", "\xEE\x80\x80\xEF\xBB\xBF"},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		reads_back(state, table[i].text, strlen(table[i].text),
			   table[i].want);
	}
	reads_back(state, "a\0b", 3, "a" R "b");
#undef R
}

static void test_misuse_is_reported_at_the_end(void **state)
{
	struct output out;
	size_t i;

	begin(state, &out);
	soap_open(&out.writer, "a");
	assert_int_equal(soap_writer_end(&out.writer), EVERR_INVALID);
	buf_free(&out.buf);

	begin(state, &out);
	soap_close(&out.writer);
	assert_int_equal(soap_writer_end(&out.writer), EVERR_INVALID);
	buf_free(&out.buf);

	begin(state, &out);
	soap_open(&out.writer, "a");
	soap_data(&out.writer, "x", 1);
	soap_attribute(&out.writer, "late", "");
	soap_close(&out.writer);
	assert_int_equal(soap_writer_end(&out.writer), EVERR_INVALID);
	buf_free(&out.buf);

	begin(state, &out);
	for (i = 0; i <= SOAP_WRITER_DEPTH; i++) {
		soap_open(&out.writer, "a");
	}
	for (i = 0; i < SOAP_WRITER_DEPTH; i++) {
		soap_close(&out.writer);
	}
	assert_int_equal(soap_writer_end(&out.writer), EVERR_LIMIT);
	buf_free(&out.buf);
}

static void test_a_full_buffer_sticks(void **state)
{
	struct output out;
	size_t i;

	buf_init(&out.buf, *state, 50);
	soap_writer_init(&out.writer, &out.buf);
	soap_open(&out.writer, "a");
	for (i = 0; i < 100; i++) {
		soap_put_base64(&out.writer, "b", "foo", 3);
	}
	soap_close(&out.writer);
	assert_int_equal(soap_writer_end(&out.writer), EVERR_LIMIT);
	assert_true(out.buf.len <= 50);
	buf_free(&out.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_elements_close_in_order_and_empty_ones_at_once),
		leak_test(test_scalars_are_written_as_windows_writes_them),
		leak_test(test_long_base64_has_no_seams),
		leak_test(test_any_text_is_read_back_by_a_parser),
		leak_test(test_misuse_is_reported_at_the_end),
		leak_test(test_a_full_buffer_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
