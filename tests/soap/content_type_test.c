/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/content_type.h"

/* RFC 9110 8.3.1 and 5.6.6. */
static void test_the_type_is_compared_without_case_and_parameters(void **state)
{
	assert_true(content_type_is("text/xml", "text/xml"));
	assert_true(content_type_is("  TEXT/Xml ; charset=utf-8", "text/xml"));
	assert_true(content_type_is("text/xml;", "text/xml"));
	assert_false(content_type_is("text/xmlx", "text/xml"));
	assert_false(content_type_is("text/xm", "text/xml"));
	assert_false(content_type_is("text/xml, text/plain", "text/xml"));
	assert_false(content_type_is("", "text/xml"));
	assert_false(content_type_is(";text/xml", "text/xml"));
}

static void test_a_parameter_is_found_and_unquoted(void **state)
{
	static const struct {
		const char *value;
		const char *name;
		const char *want;
	} table[] = {
		{"text/xml; charset=utf-8", "charset", "utf-8"},
		{"text/xml;CharSet=\"UTF-8\"", "charset", "UTF-8"},
		{"text/xml ; charset=utf-8 ; action=a", "charset", "utf-8"},
		{"text/xml; charset=utf-8", "char", NULL},
		{"text/xml; xcharset=utf-8", "charset", NULL},
		{"text/xml", "charset", NULL},
		{"text/xml;", "charset", NULL},
		{"text/xml;;; charset=x", "charset", "x"},
		{"text/xml; charset", "charset", NULL},
		{"text/xml; charset; action=a", "action", "a"},
		{"text/xml; charset=", "charset", ""},
		{"text/xml; charset=\"\"", "charset", ""},
		{"a/b; x=\"; charset=no\"; charset=yes", "charset", "yes"},
		{"a/b; x=\"\\\"; charset=no\"; charset=yes", "charset", "yes"},
		{"a/b; action=\"a\\\\b\\\"c;d\"", "action", "a\\b\"c;d"},
		{"a/b; action=\"urn:a/b\" ;start=x", "action", "urn:a/b"},
		/* Not well-formed. */
		{"a/b; action=\"", "action", NULL},
		{"a/b; action=\"x", "action", NULL},
		{"a/b; action=\"x\\", "action", NULL},
		{"a/b; action=\"x\"y", "action", NULL},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *value = content_type_parameter(*state, table[i].value,
						     table[i].name);

		if (table[i].want == NULL) {
			assert_null(value);
		} else {
			assert_non_null(value);
			assert_string_equal(value, table[i].want);
		}
		talloc_free(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(
			test_the_type_is_compared_without_case_and_parameters),
		leak_test(test_a_parameter_is_found_and_unquoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
