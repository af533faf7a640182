/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "cli/rendering.h"

#include <string.h>

#define SYSTEM "{\"System\":{\"Channel\":\"Application\"}"

static const struct cli_said said = {
	.message = "a < b & c > d\r\n\tnext\x01\xef\xbf\xbf.",
	.level = "Error",
	.provider = "The provider",
	.keywords = "Audit Success\0Classic",
	.keywords_len = sizeof("Audit Success\0Classic"),
};

static void check(void **state, const char *json, const char *event, bool xml,
		  const struct cli_said *texts, const char *expected)
{
	struct cli_view *view = NULL;
	struct buf out;

	assert_int_equal(cli_view_create(*state, json, strlen(json), &view),
			 EVERR_OK);
	buf_init(&out, *state, 65536);
	if (xml) {
		rendering_put_xml(&out, event, strlen(event), view, texts);
	} else {
		rendering_put_json(&out, event, strlen(event), view, texts);
	}
	buf_put_u8(&out, 0);
	assert_string_equal((const char *)out.data, expected);
	buf_free(&out);
	TALLOC_FREE(view);
}

static void test_xml_gets_an_element_at_its_end(void **state)
{
	check(state, SYSTEM "}", "<Event><System/></Event>", true, &said,
	      "<Event><System/><RenderingInfo Culture=''>"
	      "<Message>a &lt; b &amp; c &gt; d&#13;\n\tnext\xef\xbf\xbd"
	      "\xef\xbf\xbd.</Message>"
	      "<Level>Error</Level><Task></Task><Opcode></Opcode>"
	      "<Channel>Application</Channel>"
	      "<Provider>The provider</Provider>"
	      "<Keywords><Keyword>Audit Success</Keyword>"
	      "<Keyword>Classic</Keyword></Keywords>"
	      "</RenderingInfo></Event>");
}

static void test_json_gets_a_member_at_its_end(void **state)
{
	static const struct cli_said some = {
		.message = "a \"b\"\n",
		.keywords = "K",
		.keywords_len = sizeof("K"),
	};

	check(state, SYSTEM "}", SYSTEM "}", false, &some,
	      SYSTEM ",\"RenderingInfo\":{\"Message\":\"a \\\"b\\\"\\n\","
		     "\"Level\":null,\"Task\":null,\"Opcode\":null,"
		     "\"Channel\":\"Application\",\"Provider\":null,"
		     "\"Keywords\":[\"K\"]}}");
}

static void test_what_a_forwarded_event_brings_along_stays(void **state)
{
	static const char json[] =
		SYSTEM ",\"RenderingInfo\":{\"Message\":\"mine\"}}";
	static const char xml[] = "<Event><RenderingInfo/></Event>";

	check(state, json, json, false, &said, json);
	check(state, json, xml, true, &said, xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_xml_gets_an_element_at_its_end),
		leak_test(test_json_gets_a_member_at_its_end),
		leak_test(test_what_a_forwarded_event_brings_along_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
