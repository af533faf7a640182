/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "event/bookmark.h"

#include <string.h>

static struct event_bookmark_list *parse(TALLOC_CTX *mem_ctx, const char *xml)
{
	struct event_bookmark_list *list = NULL;

	assert_int_equal(event_bookmark_parse(mem_ctx, xml, strlen(xml), &list),
			 EVERR_OK);
	assert_non_null(list);
	return list;
}

static void assert_refused(TALLOC_CTX *mem_ctx, const char *xml, everr_t want)
{
	struct event_bookmark_list *list = NULL;
	everr_t err = event_bookmark_parse(mem_ctx, xml, strlen(xml), &list);

	if (err != want) {
		fail_msg("%s: %s", everr_name(err), xml);
	}
	assert_null(list);
}

/* What EvtRender(EvtRenderBookmark) writes. */
static void test_the_form_windows_writes(void **state)
{
	struct event_bookmark_list *list = parse(
		*state, "<BookmarkList>\r\n  <Bookmark Channel='Application' "
			"RecordId='123' IsCurrent='true'/>\r\n</BookmarkList>");

	assert_int_equal(list->num_bookmarks, 1);
	assert_string_equal(list->bookmarks[0].channel, "Application");
	assert_int_equal(list->bookmarks[0].record_id, 123);
	assert_true(list->bookmarks[0].is_current);
	assert_false(list->backward);
}

static void test_empty_and_blank_text_mean_no_bookmark(void **state)
{
	assert_int_equal(parse(*state, "")->num_bookmarks, 0);
	assert_int_equal(parse(*state, " \r\n\t")->num_bookmarks, 0);
	assert_null(event_bookmark_current(parse(*state, "")));
}

static void test_one_entry_for_each_channel_found_without_case(void **state)
{
	struct event_bookmark_list *list = parse(
		*state,
		"<BookmarkList Direction=\"backward\" Future='1'>"
		"<Bookmark RecordId=\"7\" Channel=\" Application\" x='y'/>"
		"<Bookmark Channel='c:/dir/file.evtx' RecordId=' 18446744073709"
		"551615 ' IsCurrent='True'></Bookmark>"
		"<Bookmark Channel='A&amp;B' RecordId='0' IsCurrent='1'/>"
		"</BookmarkList>");

	assert_true(list->backward);
	assert_int_equal(list->num_bookmarks, 3);
	assert_int_equal(event_bookmark_find(list, "APPLICATION")->record_id,
			 7);
	assert_true(event_bookmark_find(list, "c:/dir/file.evtx")->record_id ==
		    UINT64_MAX);
	assert_int_equal(event_bookmark_find(list, "a&b")->record_id, 0);
	assert_null(event_bookmark_find(list, "System"));
	/* Two claim to be current: the first counts, and only it. */
	assert_ptr_equal(event_bookmark_current(list), &list->bookmarks[1]);
	assert_false(list->bookmarks[2].is_current);
}

static void test_without_a_current_entry_the_first_counts(void **state)
{
	struct event_bookmark_list *list =
		parse(*state, "<BookmarkList><Bookmark Channel='A' "
			      "RecordId='1' IsCurrent='false'/>"
			      "<Bookmark Channel='B' RecordId='2'/>"
			      "</BookmarkList>");

	assert_ptr_equal(event_bookmark_current(list), &list->bookmarks[0]);
	assert_true(list->bookmarks[0].is_current);
}

static void test_any_encoding_label_is_ignored(void **state)
{
	static const char *const labels[] = {"UTF-8", "utf-16", "UTF-16LE",
					     "ISO-8859-1", "no-such-thing"};
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		struct event_bookmark_list *list = NULL;
		char *xml = talloc_asprintf(
			*state,
			"\xEF\xBB\xBF \r\n<?xml version='1.0' encoding='%s'?>"
			"<BookmarkList><Bookmark Channel='Überwachung/試' "
			"RecordId='5'/></BookmarkList>",
			labels[i]);

		list = parse(*state, xml);
		assert_string_equal(list->bookmarks[0].channel,
				    "Überwachung/試");
	}
}

static void test_what_is_no_bookmark_list_is_a_syntax_error(void **state)
{
	static const char *const cases[] = {
		"garbage",
		"<BookmarkList>",
		"<BookmarkList/>",
		"<BookmarkList></BookmarkList><x/>",
		"<Bookmark Channel='A' RecordId='1'/>",
		"<x><Bookmark Channel='A' RecordId='1'/></x>",
		"<BookmarkList><x><Bookmark Channel='A' RecordId='1'/></x>"
		"</BookmarkList>",
		"<BookmarkList><Bookmark RecordId='1'/></BookmarkList>",
		"<BookmarkList><Bookmark Channel='' RecordId='1'/>"
		"</BookmarkList>",
		"<BookmarkList><Bookmark Channel='A'/></BookmarkList>",
		"<BookmarkList><Bookmark channel='A' RecordId='1'/>"
		"</BookmarkList>",
		"<BookmarkList><Bookmark Channel='A' RecordId=''/>"
		"</BookmarkList>",
		"<BookmarkList><Bookmark Channel='A' RecordId='-1'/>"
		"</BookmarkList>",
		"<BookmarkList><Bookmark Channel='A' RecordId='0x10'/>"
		"</BookmarkList>",
		"<BookmarkList><Bookmark Channel='A' "
		"RecordId='18446744073709551616'/></BookmarkList>",
		"<BookmarkList><Bookmark Channel='A' Channel='B' "
		"RecordId='1'/></BookmarkList>",
		"<BookmarkList><Bookmark Channel='&e;' RecordId='1'/>"
		"</BookmarkList>",
		"<BookmarkList><Bookmark Channel='\xFF' RecordId='1'/>"
		"</BookmarkList>",
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_refused(*state, cases[i], EVERR_BOOKMARK_SYNTAX);
	}
}

static void test_a_dtd_is_refused_before_its_entities_count(void **state)
{
	assert_refused(*state,
		       "<!DOCTYPE BookmarkList [<!ENTITY a 'x'>]>"
		       "<BookmarkList><Bookmark Channel='&a;' RecordId='1'/>"
		       "</BookmarkList>",
		       EVERR_BOOKMARK_SYNTAX);
	assert_refused(*state,
		       "<!DOCTYPE BookmarkList SYSTEM 'file:///etc/passwd'>"
		       "<BookmarkList><Bookmark Channel='A' RecordId='1'/>"
		       "</BookmarkList>",
		       EVERR_BOOKMARK_SYNTAX);
}

static void test_a_nul_does_not_hide_what_follows(void **state)
{
	static const char xml[] =
		"<BookmarkList><Bookmark Channel='A' RecordId='1'/>"
		"</BookmarkList>\0<x>";
	struct event_bookmark_list *list = NULL;

	assert_int_equal(
		event_bookmark_parse(*state, xml, sizeof(xml) - 1, &list),
		EVERR_BOOKMARK_SYNTAX);
}

static char *many(TALLOC_CTX *mem_ctx, int n)
{
	char *xml = talloc_strdup(mem_ctx, "<BookmarkList>");
	int i;

	for (i = 0; i < n; i++) {
		xml = talloc_asprintf_append(
			xml, "<Bookmark Channel='c%d' RecordId='%d'/>", i, i);
	}
	return talloc_strdup_append(xml, "</BookmarkList>");
}

static void test_the_number_of_entries_is_limited(void **state)
{
	struct event_bookmark_list *list =
		parse(*state, many(*state, EVENT_BOOKMARK_MAX));

	assert_int_equal(list->num_bookmarks, EVENT_BOOKMARK_MAX);
	assert_int_equal(event_bookmark_find(list, "C511")->record_id, 511);
	assert_refused(*state, many(*state, EVENT_BOOKMARK_MAX + 1),
		       EVERR_LIMIT);
}

static void test_the_length_and_the_attributes_are_limited(void **state)
{
	size_t len = EVENT_BOOKMARK_LENGTH_MAX + 1;
	struct event_bookmark_list *list = NULL;
	char *text = talloc_array(*state, char, len);
	char *xml = talloc_strdup(*state, "<BookmarkList ");
	int i;

	memset(text, ' ', len);
	assert_int_equal(event_bookmark_parse(*state, text, len, &list),
			 EVERR_LIMIT);
	for (i = 0; i < 5000; i++) {
		xml = talloc_asprintf_append_buffer(xml, "a%d='' ", i);
	}
	xml = talloc_strdup_append_buffer(xml, "/>");
	assert_refused(*state, xml, EVERR_LIMIT);
}

static void test_writing_gives_what_windows_writes(void **state)
{
	struct event_bookmark bookmarks[] = {
		{.channel = "A'<&>\"", .record_id = UINT64_MAX},
		{.channel = "System", .record_id = 2, .is_current = true},
	};
	struct event_bookmark_list list = {bookmarks, 2, true};
	struct event_bookmark_list *back = NULL;
	struct buf out;

	buf_init(&out, *state, 1000);
	event_bookmark_write(&out, &list);
	buf_put_u8(&out, '\0');
	assert_int_equal(buf_error(&out), EVERR_OK);
	assert_string_equal(
		(char *)out.data,
		"<BookmarkList Direction='backward'>\r\n"
		"  <Bookmark Channel='A&apos;&lt;&amp;&gt;&quot;' "
		"RecordId='18446744073709551615'/>\r\n"
		"  <Bookmark Channel='System' RecordId='2' IsCurrent='true'/>"
		"\r\n</BookmarkList>");

	back = parse(*state, (char *)out.data);
	assert_int_equal(back->num_bookmarks, 2);
	assert_string_equal(back->bookmarks[0].channel, "A'<&>\"");
	assert_ptr_equal(event_bookmark_current(back), &back->bookmarks[1]);
	assert_true(back->backward);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_form_windows_writes),
		leak_test(test_empty_and_blank_text_mean_no_bookmark),
		leak_test(test_one_entry_for_each_channel_found_without_case),
		leak_test(test_without_a_current_entry_the_first_counts),
		leak_test(test_any_encoding_label_is_ignored),
		leak_test(test_what_is_no_bookmark_list_is_a_syntax_error),
		leak_test(test_a_dtd_is_refused_before_its_entities_count),
		leak_test(test_a_nul_does_not_hide_what_follows),
		leak_test(test_the_number_of_entries_is_limited),
		leak_test(test_the_length_and_the_attributes_are_limited),
		leak_test(test_writing_gives_what_windows_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
