/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/filter.h"
#include "event/xpath.h"

#include <string.h>

/* [MS-ERREF] 2.2. */
#define NOTELTSET 0x3AA7
#define INVARG 0x3AA8
#define INVTEST 0x3AA9
#define INVTYPE 0x3AAA
#define PARSEERR 0x3AAB
#define UNSUPPORTEDOP 0x3AAC
#define UNEXPECTEDTOKEN 0x3AAD
#define TOO_COMPLEX 0x3AB2

static everr_t compile(TALLOC_CTX *mem_ctx, const char *text, size_t len,
		       struct event_filter_error *error)
{
	struct event_filter *filter = NULL;
	everr_t err = event_filter_compile(mem_ctx, text, len, &filter, error);

	assert_true((err == EVERR_OK) == (filter != NULL));
	return err;
}

static void accepts(void **state, const char *text)
{
	struct event_filter_error error = {};

	if (compile(*state, text, strlen(text), &error) != EVERR_OK) {
		fail_msg("%s: at %u: %s", text, error.offset, error.message);
	}
}

static void refuses(void **state, const char *text, uint32_t code,
		    uint32_t offset)
{
	struct event_filter_error error = {};

	assert_int_equal(compile(*state, text, strlen(text), &error),
			 EVERR_QUERY_SYNTAX);
	if (error.error != code || error.offset != offset) {
		fail_msg("%s: 0x%x at %u: %s", text, error.error, error.offset,
			 error.message);
	}
	assert_non_null(error.message);
}

static struct xpath *parse(void **state, const char *text)
{
	struct event_filter_error error = {};
	struct xpath *xpath = NULL;

	if (xpath_parse(*state, text, strlen(text), &xpath, &error) !=
	    EVERR_OK) {
		fail_msg("%s: at %u: %s", text, error.offset, error.message);
	}
	return xpath;
}

/* Facts 7.1, each production at least once. */
static void test_the_grammar_is_that_of_the_protocol(void **state)
{
	static const char *const filters[] = {
		"*",
		"Event",
		" * ",
		"*[System]",
		"*\n[\tSystem\r\n[ Level = 1 ] ]",
		"*[System/Provider/@Name]",
		"*[System/Provider/@*]",
		"child::Event[child::System/attribute::x='1']",
		"child::*[attribute::*]",
		"*[EventData/Data/text()='a']",
		"*[EventData/Data/child::text()]",
		"*[EventData[Data[@Name='a'][position()=1]='b']]",
		"*[((System))]",
		"*[(System[(Level=1 or (Level=2))]) and (EventData or *)]",
		"*[System[1=Level and '2'!=EventID]]",
		"*[a=1 and b!=1 and c<1 and d<=1 and e>1 and f>=1]",
		"*[a=\"it's\" and b='say \"x\"']",
		"*[a=.5 and b=1. and c=-1 and d=+1 and e=1e3 and f=1.5D-3]",
		"*[band(a,1) or band('0xff',b) or band(a,1)='true']",
		"*[timediff(a)<1 and timediff(a,b)>=-1.5]",
		"*[timediff('2020-01-01T00:00:00Z', a)=0]",
		"*[(band(a,1) or b)='false']",
		"*[position()=1]",
		"Event/System/EventID=4624",
		"(*[a]) or (Event/b and */c=1)",
		"*[and[or=1] or or[and=2]]",
		"*[position/band[timediff=1]]",
		"*[text]",
		"*[text[child=1]/attribute]",
		"*[_a-b.c=1]",
		"*[\xC3\xA4='\xC3\xA4']",
	};
	size_t i;

	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		accepts(state, filters[i]);
	}
}

static void test_what_is_wrong_is_told_with_its_place(void **state)
{
	refuses(state, "System", INVTEST, 0);
	refuses(state, "Events[System]", INVTEST, 0);
	refuses(state, "*[a] or System[b]", INVTEST, 8);
	refuses(state, "@*", INVTEST, 0);
	refuses(state, "text()", INVTEST, 0);
	refuses(state, "'x'", INVTEST, 0);
	refuses(state, "*[", PARSEERR, 2);
	refuses(state, "*[System", PARSEERR, 8);
	refuses(state, "*[(System]", UNEXPECTEDTOKEN, 9);
	refuses(state, "*]", UNEXPECTEDTOKEN, 1);
	refuses(state, "**", UNEXPECTEDTOKEN, 1);
	refuses(state, "*[]", UNEXPECTEDTOKEN, 2);
	refuses(state, "*['x]", PARSEERR, 2);
	refuses(state, "*[a='x]", PARSEERR, 4);
	refuses(state, "*[a=]", UNEXPECTEDTOKEN, 4);
	refuses(state, "*[a==1]", UNEXPECTEDTOKEN, 4);
	refuses(state, "*[a=1=1]", UNEXPECTEDTOKEN, 5);
	refuses(state, "*[a and]", UNEXPECTEDTOKEN, 7);
	refuses(state, "*[a b]", UNEXPECTEDTOKEN, 4);
	refuses(state, "*[a=0x10]", UNEXPECTEDTOKEN, 4);
	refuses(state, "*[a=10x]", UNEXPECTEDTOKEN, 4);
	refuses(state, "*[a!b]", PARSEERR, 3);
	refuses(state, "*[a#b]", PARSEERR, 3);
	refuses(state, "*/", PARSEERR, 2);
	refuses(state, "*/[a]", UNEXPECTEDTOKEN, 2);
	refuses(state, "*[a[b]", PARSEERR, 6);
}

static void test_the_rest_of_xpath_is_not_supported(void **state)
{
	refuses(state, "/Event", UNSUPPORTEDOP, 0);
	refuses(state, "//Event", UNSUPPORTEDOP, 0);
	refuses(state, "*//a", UNSUPPORTEDOP, 1);
	refuses(state, "*[..]", UNSUPPORTEDOP, 2);
	refuses(state, "*[a[.='x']]", UNSUPPORTEDOP, 4);
	refuses(state, "*[a|b]", UNSUPPORTEDOP, 3);
	refuses(state, "*[a+1=2]", UNEXPECTEDTOKEN, 3);
	refuses(state, "*[a + b=2]", UNSUPPORTEDOP, 4);
	refuses(state, "*[$a=2]", UNSUPPORTEDOP, 2);
	refuses(state, "*[n:a=2]", UNSUPPORTEDOP, 3);
	refuses(state, "*[not(a)]", UNSUPPORTEDOP, 2);
	refuses(state, "*[contains(a,'b')]", UNSUPPORTEDOP, 2);
	refuses(state, "*[a/last()]", UNSUPPORTEDOP, 4);
	refuses(state, "*[parent::a]", UNSUPPORTEDOP, 2);
	refuses(state, "*[descendant::a]", UNSUPPORTEDOP, 2);
}

static void test_operands_are_of_their_kinds(void **state)
{
	refuses(state, "*[1]", INVTEST, 1);
	refuses(state, "*['a']", INVTEST, 1);
	refuses(state, "*[a[2]='b']", INVTEST, 3);
	refuses(state, "*[timediff(a)]", INVTEST, 1);
	refuses(state, "*[position()]", INVTEST, 1);
	refuses(state, "*[a and 1]", INVTEST, 4);
	refuses(state, "position()=1", INVTEST, 0);
	refuses(state, "1=1", INVARG, 1);
	refuses(state, "*[a=b]", INVARG, 3);
	refuses(state, "*[timediff(a)=timediff(b)]", INVARG, 13);
	refuses(state, "*[band(a,b)]", INVARG, 2);
	refuses(state, "*[band(1,2)]", INVARG, 2);
	refuses(state, "*[band((a or b),2)]", INVARG, 7);
	refuses(state, "*[band(a)]", UNEXPECTEDTOKEN, 8);
	refuses(state, "*[timediff('2020-01-01T00:00:00Z')=1]", INVARG, 2);
	refuses(state, "*[timediff(a,b,c)=1]", UNEXPECTEDTOKEN, 14);
	refuses(state, "*[position(a)=1]", UNEXPECTEDTOKEN, 11);
	refuses(state, "*[band(a,'x')]", INVTYPE, 2);
	refuses(state, "*[band(a,1.5)]", INVTYPE, 2);
	refuses(state, "*[timediff(a,'noon')=1]", INVTYPE, 2);
	refuses(state, "*[timediff(a)='noon']", INVTYPE, 13);
	refuses(state, "*[position()='x']", INVTYPE, 12);
	refuses(state, "*[(a or b)='x']", INVTYPE, 10);
	refuses(state, "*[@a[b]]", UNEXPECTEDTOKEN, 4);
	refuses(state, "*[@a/b]", NOTELTSET, 4);
	refuses(state, "*[text()/b]", NOTELTSET, 8);
	refuses(state, "*[(a)/b]", NOTELTSET, 5);
	refuses(state, "*[(a)[b]]", NOTELTSET, 5);
}

static void test_text_that_is_no_utf8_is_refused(void **state)
{
	struct event_filter_error error = {};

	assert_int_equal(compile(*state, "*[\xFF]", 4, &error),
			 EVERR_QUERY_SYNTAX);
	assert_int_equal(error.error, PARSEERR);
	assert_int_equal(compile(*state, "*[a='\0']", 8, &error), EVERR_OK);
	assert_int_equal(compile(*state, "*\0", 2, &error), EVERR_QUERY_SYNTAX);
	assert_int_equal(error.offset, 1);
}

/* What is asked of the same place is asked once. */
static void test_steps_share_tests(void **state)
{
	struct xpath *xpath = parse(
		state, "*[System[Level=1 or Level=2 or @Level or *[Level]]]");

	/* The root, *, System, Level, @Level, *, and Level below that. */
	assert_int_equal(xpath->num_tests, 7);
	assert_int_equal(xpath->num_steps, 7);
	/* One path for each: *, System, Level, Level, @Level, *, Level. */
	assert_int_equal(xpath->num_terms, 7);
	assert_int_equal(xpath->tests[0].num_children, 1);
	assert_int_equal(xpath->tests[2].num_children, 3);
}

static void test_a_constant_becomes_the_right_side(void **state)
{
	static const struct {
		const char *text;
		enum xpath_op op;
	} cases[] = {
		{"*[1=a]", XPATH_EQ},  {"*[1!=a]", XPATH_NE},
		{"*[1<a]", XPATH_GT},  {"*[1<=a]", XPATH_GE},
		{"*[1>a]", XPATH_LT},  {"*[1>=a]", XPATH_LE},
		{"*[a<=1]", XPATH_LE}, {"*[a>1]", XPATH_GT},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xpath *xpath = parse(state, cases[i].text);
		uint32_t expr = xpath->predicates[0].expr;

		assert_int_equal(xpath->exprs[expr].kind, XPATH_COMPARE);
		assert_int_equal(xpath->exprs[expr].op, cases[i].op);
	}
}

/* A filter of n repetitions of part, between head and tail. */
static char *repeat(TALLOC_CTX *mem_ctx, const char *head, const char *part,
		    size_t n, const char *tail)
{
	char *text = talloc_strdup(mem_ctx, head);

	while (n-- > 0) {
		text = talloc_strdup_append_buffer(text, part);
	}
	return talloc_strdup_append_buffer(text, tail);
}

static void check_limit(void **state, const char *fits, const char * not )
{
	struct event_filter_error error = {};

	accepts(state, fits);
	assert_int_equal(compile(*state, not, strlen(not ), &error),
			 EVERR_QUERY_COMPLEX);
	assert_int_equal(error.error, TOO_COMPLEX);
	assert_non_null(error.message);
}

static void test_terms_are_limited(void **state)
{
	/* The path of * is one, the last a another. */
	size_t n = EVENT_FILTER_TERMS_MAX - 2;

	check_limit(state, repeat(*state, "*[", "a=1 or ", n, "a]"),
		    repeat(*state, "*[", "a=1 or ", n + 1, "a]"));
}

static void test_steps_are_limited(void **state)
{
	size_t n = EVENT_FILTER_STEPS_MAX - 1;

	check_limit(state, repeat(*state, "*", "/a", n, ""),
		    repeat(*state, "*", "/a", n + 1, ""));
}

static void test_nesting_is_limited(void **state)
{
	size_t n = EVENT_FILTER_NESTING_MAX - 1;
	char *tail = repeat(*state, "a", ")", n, "]");

	check_limit(state, repeat(*state, "*[", "(", n, tail),
		    repeat(*state, "*[", "(", n + 1,
			   talloc_asprintf(*state, "%s)", tail)));
	tail = repeat(*state, "", "]", n + 1, "");
	check_limit(state, repeat(*state, "*", "[a", n + 1, tail),
		    repeat(*state, "*", "[a", n + 2,
			   talloc_asprintf(*state, "%s]", tail)));
}

/* The longest text there can be, of one name. */
static void test_a_long_name_is_a_name(void **state)
{
	char *text = talloc_array(*state, char, 1 << 20);

	memset(text, 'a', 1 << 20);
	memcpy(text, "*[", 2);
	text[(1 << 20) - 2] = ']';
	text[(1 << 20) - 1] = '\0';
	accepts(state, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_grammar_is_that_of_the_protocol),
		leak_test(test_what_is_wrong_is_told_with_its_place),
		leak_test(test_the_rest_of_xpath_is_not_supported),
		leak_test(test_operands_are_of_their_kinds),
		leak_test(test_text_that_is_no_utf8_is_refused),
		leak_test(test_steps_share_tests),
		leak_test(test_a_constant_becomes_the_right_side),
		leak_test(test_terms_are_limited),
		leak_test(test_steps_are_limited),
		leak_test(test_nesting_is_limited),
		leak_test(test_a_long_name_is_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
