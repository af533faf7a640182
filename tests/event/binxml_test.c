/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/event/vectors.h"
#include "tests/event/wire.h"

#include "event/binxml.h"

/* Read to the end or to an error; EVERR_OK when EOF came. */
static everr_t read_all(enum event_reader_mode mode, const uint8_t *data,
			size_t len, unsigned int depth, size_t *pos)
{
	struct event_reader reader;
	struct event_token token;
	everr_t err;

	event_reader_init(&reader, mode, data, len, depth);
	do {
		err = event_reader_next(&reader, &token);
	} while (err == EVERR_OK && token.kind != EVENT_TOKEN_EOF);
	if (pos != NULL) {
		*pos = reader.pos;
	}
	return err;
}

static everr_t read_doc(const struct wire *w)
{
	return read_all(EVENT_READ_DOCUMENT, w->b.data, w->b.len, 0, NULL);
}

static everr_t read_def(const struct wire *w)
{
	return read_all(EVENT_READ_DEFINITION, w->b.data, w->b.len, 0, NULL);
}

static void assert_units(const struct event_token *token, const char *text)
{
	size_t i;

	assert_int_equal(token->num_units, strlen(text));
	for (i = 0; i < token->num_units; i++) {
		assert_int_equal(le16_get(token->units + 2 * i), text[i]);
	}
}

/* The tokens of [MS-EVEN6] 4.4 as facts 9.8 takes them apart. */
static void test_the_specifications_sample_yields_its_tokens(void **state)
{
	static const struct {
		uint8_t token;
		size_t offset;
		const char *text;
	} want[] = {
		{0x0F, 0x00, NULL},	  {0x01, 0x04, "Event"},
		{0x02, 0x19, NULL},	  {0x01, 0x1A, "Element1"},
		{0x02, 0x35, NULL},	  {0x05, 0x36, "abc"},
		{0x04, 0x40, NULL},	  {0x01, 0x41, "Element2"},
		{0x02, 0x5C, NULL},	  {0x45, 0x5D, " def "},
		{0x49, 0x6B, "amp"},	  {0x48, 0x78, NULL},
		{0x05, 0x7B, " ghi "},	  {0x04, 0x89, NULL},
		{0x41, 0x8A, "Element3"}, {0x46, 0xA9, "AttrA"},
		{0x05, 0xBA, "abc"},	  {0x06, 0xC4, "AttrB"},
		{0x45, 0xD5, "def"},	  {0x49, 0xDF, "amp"},
		{0x48, 0xEC, NULL},	  {0x05, 0xEF, "ghi"},
		{0x03, 0xF9, NULL},	  {0x04, 0xFA, NULL},
		{0x00, 0xFB, NULL},
	};
	struct event_reader reader;
	struct event_token token;
	struct buf doc;
	size_t i;

	buf_init(&doc, *state, 65536);
	vector_load(&doc, "spec-4.4");
	event_reader_init(&reader, EVENT_READ_DOCUMENT, doc.data, doc.len, 0);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(event_reader_next(&reader, &token), EVERR_OK);
		assert_int_equal(token.kind | (token.more ? 0x40 : 0),
				 want[i].token);
		assert_int_equal(token.offset, want[i].offset);
		if (want[i].text != NULL) {
			assert_units(&token, want[i].text);
		}
		if (token.kind == EVENT_TOKEN_CHAR_REF) {
			assert_int_equal(token.ch, '<');
		}
		if (token.kind == EVENT_TOKEN_OPEN) {
			assert_int_equal(token.dependency, 0xFFFF);
		}
	}
	assert_int_equal(reader.pos, doc.len);
	assert_int_equal(event_reader_next(&reader, &token), EVERR_END);
	buf_free(&doc);
}

/* Facts 9.9: where the outer instance of 4.8 has what. */
static void test_a_template_instance_is_one_token(void **state)
{
	struct event_reader reader;
	struct event_token token;
	struct buf doc;

	buf_init(&doc, *state, 65536);
	vector_load(&doc, "spec-4.8");
	event_reader_init(&reader, EVENT_READ_DOCUMENT, doc.data, doc.len, 0);
	assert_int_equal(event_reader_next(&reader, &token), EVERR_OK);
	assert_int_equal(token.kind, EVENT_TOKEN_FRAGMENT);
	assert_int_equal(event_reader_next(&reader, &token), EVERR_OK);
	assert_int_equal(token.kind, EVENT_TOKEN_TEMPLATE);
	assert_ptr_equal(token.instance.guid, doc.data + 0x006);
	assert_ptr_equal(token.instance.def, doc.data + 0x01A);
	assert_int_equal(token.instance.def_len, 0x4EF);
	assert_int_equal(token.instance.num_values, 20);
	assert_ptr_equal(token.instance.specs, doc.data + 0x50D);
	assert_ptr_equal(token.instance.values, doc.data + 0x55D);
	assert_int_equal(token.instance.values_len, 0x1C6);
	assert_int_equal(event_reader_next(&reader, &token), EVERR_OK);
	assert_int_equal(token.kind, EVENT_TOKEN_EOF);
	assert_int_equal(token.offset, 0x723);
	buf_free(&doc);
}

/* The inner definition of 4.8 ends at 6C5, before 72 bytes of waste. */
static void test_a_definition_ends_before_its_waste(void **state)
{
	struct event_definition_needs needs = {0};
	struct buf doc, out;
	size_t pos = 0;

	buf_init(&doc, *state, 65536);
	buf_init(&out, *state, 65536);
	vector_load(&doc, "spec-4.8");
	assert_int_equal(read_all(EVENT_READ_DEFINITION, doc.data + 0x5BA,
				  0x154, 0, &pos),
			 EVERR_OK);
	assert_int_equal(0x5BA + pos, 0x6C6);

	/* Normalised: the missing header first, the waste gone. */
	assert_int_equal(event_definition_normalise(&out, doc.data + 0x5BA,
						    0x154, &needs),
			 EVERR_OK);
	assert_int_equal(out.len, 4 + pos);
	assert_memory_equal(out.data, "\x0F\x01\x01\x00", 4);
	assert_memory_equal(out.data + 4, doc.data + 0x5BA, pos);
	assert_int_equal(needs.num_values, 2);
	assert_int_equal(needs.depth, 2);
	buf_free(&doc);
	buf_free(&out);
}

static void test_what_is_read_is_written_again(void **state)
{
	struct event_reader reader;
	struct event_writer writer;
	struct event_token token;
	struct buf doc, out;

	buf_init(&doc, *state, 65536);
	buf_init(&out, *state, 65536);
	vector_load(&doc, "spec-4.4");
	event_reader_init(&reader, EVENT_READ_DOCUMENT, doc.data, doc.len, 0);
	event_writer_init(&writer, EVENT_READ_DOCUMENT, &out);
	do {
		assert_int_equal(event_reader_next(&reader, &token), EVERR_OK);
		event_writer_put(&writer, &token);
	} while (token.kind != EVENT_TOKEN_EOF);
	assert_int_equal(out.len, doc.len);
	assert_memory_equal(out.data, doc.data, doc.len);
	buf_free(&doc);
	buf_free(&out);
}

/* Real and generated definitions are normal already. */
static void test_windows_definitions_are_normal(void **state)
{
	static const char *const names[] = {"windows-4634", "manifest-style"};
	struct event_definition_needs needs = {0};
	struct buf doc, out;
	uint32_t len;
	size_t i;

	buf_init(&doc, *state, 65536);
	buf_init(&out, *state, 65536);
	for (i = 0; i < 2; i++) {
		buf_reset(&doc);
		buf_reset(&out);
		vector_load(&doc, names[i]);
		len = le32_get(doc.data + 22);
		assert_int_equal(event_definition_normalise(&out, doc.data + 26,
							    len, &needs),
				 EVERR_OK);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, doc.data + 26, len);
		assert_int_equal(needs.num_values, 18);
		assert_int_equal(needs.depth, 3);
	}
	buf_free(&doc);
	buf_free(&out);
}

static void test_truncation_at_every_length_is_an_error(void **state)
{
	static const char *const names[] = {"spec-4.4", "spec-4.8",
					    "windows-4634", "manifest-style"};
	struct buf doc;
	uint8_t *copy = NULL;
	size_t i, len;

	buf_init(&doc, *state, 65536);
	for (i = 0; i < 4; i++) {
		buf_reset(&doc);
		vector_load(&doc, names[i]);
		for (len = 0; len < doc.len; len++) {
			/* An allocation of its own, for AddressSanitizer. */
			copy = talloc_memdup(*state, doc.data, len);
			assert_int_equal(read_all(EVENT_READ_DOCUMENT, copy,
						  len, 0, NULL),
					 EVERR_BINXML_TRUNCATED);
			TALLOC_FREE(copy);
		}
	}
	buf_free(&doc);
}

/* Facts 9.3's list of hashes that Windows wrote. */
static void test_name_hashes_are_windows_own(void **state)
{
	static const struct {
		const char *name;
		uint16_t hash;
	} want[] = {
		{"Event", 0x0CBA},	 {"System", 0x546F},
		{"Provider", 0x7BF1},	 {"Guid", 0x1529},
		{"Qualifiers", 0xDA29},	 {"EventRecordID", 0x0346},
		{"Correlation", 0xF2A2}, {"RelatedActivityID", 0xC535},
		{"ThreadID", 0x3985},	 {"UserData", 0x4435},
		{"xmlns", 0x0FBC},	 {"Binary", 0xB821},
	};
	struct wire w;
	size_t i;

	wire_init(&w, *state);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		buf_reset(&w.b);
		wire_units(&w, want[i].name);
		assert_int_equal(event_binxml_name_hash(w.b.data, w.b.len / 2),
				 want[i].hash);
	}
	buf_free(&w.b);
}

static void test_names_are_xml_names(void **state)
{
	static const struct {
		uint16_t units[4];
		size_t num_units;
		bool legal;
	} cases[] = {
		{{'a', 'b'}, 2, true},	     {{'_', '1', '-', '.'}, 4, true},
		{{'a', ':', 'b'}, 3, true},  {{0xE9}, 1, true},
		{{0x4E2D, 0x6587}, 2, true}, {{'a', 0xB7}, 2, true},
		{{'a', 0x0301}, 2, true},    {{0xD800, 0xDC00}, 2, true},
		{{0xDB7F, 0xDFFF}, 2, true}, {{0}, 0, false},
		{{'1'}, 1, false},	     {{'-', 'a'}, 2, false},
		{{'a', ' '}, 2, false},	     {{'a', 0}, 2, false},
		{{'a', '>'}, 2, false},	     {{'a', '='}, 2, false},
		{{'a', '\''}, 2, false},     {{0xB7}, 1, false},
		{{0x0301}, 1, false},	     {{0xD7}, 1, false},
		{{0xD800}, 1, false},	     {{0xDC00}, 1, false},
		{{0xD800, 'a'}, 2, false},   {{0xDB80, 0xDC00}, 2, false},
		{{'a', 0xFFFE}, 2, false},   {{0x2028}, 1, false},
		{{':', 'a'}, 2, false},	     {{'a', ':'}, 2, false},
		{{'a', ':', '2'}, 3, false}, {{'a', ':', ':', 'b'}, 4, false},
	};
	uint8_t bytes[8];
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (j = 0; j < cases[i].num_units; j++) {
			le16_set(bytes + 2 * j, cases[i].units[j]);
		}
		assert_int_equal(
			event_binxml_name_legal(bytes, cases[i].num_units),
			cases[i].legal);
	}
}

/* An element and an attribute list end where their lengths say. */
static void test_lengths_must_fit_their_content(void **state)
{
	static const size_t offsets[] = {0x05, 0x1B, 0x42, 0x8B, 0xA5};
	static const int changes[] = {-1, 1, 0x40000000};
	struct buf doc;
	uint32_t right;
	size_t i, j;
	everr_t err;

	buf_init(&doc, *state, 65536);
	vector_load(&doc, "spec-4.4");
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		right = le32_get(doc.data + offsets[i]);
		for (j = 0; j < 3; j++) {
			le32_set(doc.data + offsets[i],
				 right + (uint32_t)changes[j]);
			err = read_all(EVENT_READ_DOCUMENT, doc.data, doc.len,
				       0, NULL);
			assert_int_equal(err, j == 2 ? EVERR_BINXML_TRUNCATED
						     : EVERR_BINXML_LENGTH);
		}
		le32_set(doc.data + offsets[i], right);
	}
	buf_free(&doc);
}

/* Wrong hash, no closing NUL, "more" bits the wrong way round. */
static void test_meaningless_mistakes_are_read_and_put_right(void **state)
{
	struct event_definition_needs needs = {0};
	struct wire w, want;
	struct buf out;
	size_t attribute;

	wire_init(&w, *state);
	wire_header(&w);
	wire_open(&w, "Event", WIRE_NONE, true);
	wire_attribute(&w, "a", true);
	wire_text(&w, "1");
	wire_attribute(&w, "b", false);
	wire_close_empty(&w);
	wire_u8(&w, 0);
	wire_init(&want, *state);
	buf_put(&want.b, w.b.data, w.b.len);

	w.b.data[11] ^= 0xFF;	     /* hash of Event */
	w.b.data[11 + 4 + 10] = 'x'; /* the NUL behind it */
	attribute = 11 + 4 + 12 + 4;
	assert_int_equal(w.b.data[attribute], 0x46);
	w.b.data[attribute] = 0x06;
	attribute += 1 + 4 + 2 + 2 + 4 + 2;
	assert_int_equal(w.b.data[attribute], 0x06);
	w.b.data[attribute] = 0x46;

	buf_init(&out, *state, 4096);
	assert_int_equal(
		event_definition_normalise(&out, w.b.data, w.b.len, &needs),
		EVERR_OK);
	assert_int_equal(out.len, want.b.len);
	assert_memory_equal(out.data, want.b.data, out.len);
	buf_free(&w.b);
	buf_free(&want.b);
	buf_free(&out);
}

/* Every token that the grammar has, in a document and in a definition. */
static void test_every_token_has_its_place(void **state)
{
	struct wire w;

	wire_init(&w, *state);
	wire_u8(&w, 0x0A); /* <?t d?> before the header: the prolog */
	wire_name(&w, "t");
	wire_u8(&w, 0x0B);
	buf_put_u16(&w.b, 1);
	wire_units(&w, "d");
	wire_header(&w);
	wire_header(&w);
	wire_open(&w, "Event", WIRE_PLAIN, false);
	wire_close_start(&w);
	wire_u8(&w, 0x07); /* CDATA */
	buf_put_u16(&w.b, 2);
	wire_units(&w, "<>");
	wire_u8(&w, 0x09);
	wire_name(&w, "lt");
	wire_u8(&w, 0x08);
	buf_put_u16(&w.b, 0x3C);
	wire_u8(&w, 0x0A);
	wire_name(&w, "t");
	wire_u8(&w, 0x0B);
	buf_put_u16(&w.b, 0);
	wire_end(&w);
	wire_header(&w);
	wire_open(&w, "Second", WIRE_PLAIN, false);
	wire_close_empty(&w);
	wire_u8(&w, 0);
	assert_int_equal(read_doc(&w), EVERR_OK);
	buf_free(&w.b);
}

/* Build <Event> with one token as content, or bare when root is false. */
static void one_token(struct wire *w, bool root, bool definition,
		      const void *token, size_t len)
{
	int dependency = definition ? WIRE_NONE : WIRE_PLAIN;

	buf_reset(&w->b);
	w->depth = 0;
	if (root) {
		wire_open(w, "Event", dependency, false);
		wire_close_start(w);
	}
	buf_put(&w->b, token, len);
	if (root) {
		wire_end(w);
	}
	wire_u8(w, 0);
}

static void test_tokens_out_of_place_are_refused(void **state)
{
	static const struct {
		const char *token;
		size_t len;
		bool root;
		bool definition;
	} cases[] = {
		/* text, references, CDATA and ends outside of elements */
		{"\x05\x01\x00\x00", 4, false, false},
		{"\x08\x41\x00", 3, false, false},
		{"\x07\x00\x00", 3, false, false},
		{"\x04", 1, false, false},
		{"\x02", 1, false, false},
		{"\x0B\x00\x00", 3, false, false},
		/* substitutions in documents */
		{"\x0D\x00\x00\x01", 4, true, false},
		{"\x0E\x00\x00\x01", 4, true, false},
		/* headers, EOF and attributes in content */
		{"\x0F\x01\x01\x00", 4, true, false},
		{"\x00", 1, true, false},
		{"\x06\x61\x00\x01\x00\x61\x00\x00\x00", 9, true, false},
		{"\x02", 1, true, false},
		/* text that is not a string, unknown tokens, "more" misplaced */
		{"\x05\x02\x00\x00", 4, true, false},
		{"\x10", 1, true, false},
		{"\x85\x01\x00\x00", 4, true, false},
		{"\x44", 1, true, false},
		{"\x4D\x00\x00\x01", 4, true, true},
		/* a processing instruction without data, in a definition */
		{"\x0A\x61\x00\x01\x00\x61\x00\x00\x00", 9, true, false},
		{"\x0A\x61\x00\x01\x00\x61\x00\x00\x00\x0B\x00\x00", 12, false,
		 true},
		/* an unknown version; a definition of nothing */
		{"\x0F\x02\x01\x00", 4, false, false},
		{"", 0, false, true},
	};
	struct wire w;
	size_t i;
	everr_t err;

	wire_init(&w, *state);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		one_token(&w, cases[i].root, cases[i].definition,
			  cases[i].token, cases[i].len);
		err = cases[i].definition ? read_def(&w) : read_doc(&w);
		if (err != EVERR_BINXML_TOKEN) {
			fail_msg("case %zu: %s", i, everr_name(err));
		}
	}
	buf_free(&w.b);
}

static void test_definitions_hold_one_element_and_no_template(void **state)
{
	struct wire w;
	size_t len;

	wire_init(&w, *state);
	wire_header(&w);
	wire_open(&w, "a", WIRE_NONE, false);
	wire_close_empty(&w);
	len = w.b.len;
	wire_open(&w, "b", WIRE_NONE, false);
	wire_close_empty(&w);
	wire_u8(&w, 0);
	assert_int_equal(read_def(&w), EVERR_BINXML_TOKEN);

	buf_truncate(&w.b, len);
	wire_small_template(&w, 1, "Event", 0);
	wire_u8(&w, 0);
	assert_int_equal(read_def(&w), EVERR_BINXML_TOKEN);
	buf_free(&w.b);
}

static void test_an_attribute_twice_is_refused(void **state)
{
	struct wire w;
	int i;

	wire_init(&w, *state);
	for (i = 0; i < 2; i++) {
		buf_reset(&w.b);
		wire_open(&w, "Event", WIRE_PLAIN, true);
		wire_attribute(&w, "ab", true);
		wire_text(&w, "x");
		wire_attribute(&w, i == 0 ? "ac" : "ab", false);
		wire_close_empty(&w);
		wire_u8(&w, 0);
		assert_int_equal(read_doc(&w),
				 i == 0 ? EVERR_OK : EVERR_BINXML_NAME);
	}
	buf_free(&w.b);
}

static void attributes(struct wire *w, unsigned int num)
{
	char name[16];
	unsigned int i;

	buf_reset(&w->b);
	w->depth = 0;
	wire_open(w, "Event", WIRE_PLAIN, true);
	for (i = 0; i < num; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		wire_attribute(w, name, i + 1 < num);
	}
	wire_close_empty(w);
	wire_u8(w, 0);
}

static void test_attributes_are_limited(void **state)
{
	struct wire w;

	wire_init(&w, *state);
	attributes(&w, EVENT_ATTRIBUTES_MAX);
	assert_int_equal(read_doc(&w), EVERR_OK);
	attributes(&w, EVENT_ATTRIBUTES_MAX + 1);
	assert_int_equal(read_doc(&w), EVERR_LIMIT);
	/* A list must hold something. */
	attributes(&w, 0);
	assert_int_equal(read_doc(&w), EVERR_BINXML_TOKEN);
	buf_free(&w.b);
}

static void nested(struct wire *w, unsigned int depth)
{
	unsigned int i;

	buf_reset(&w->b);
	w->depth = 0;
	for (i = 0; i < depth; i++) {
		wire_open(w, "a", WIRE_PLAIN, false);
		wire_close_start(w);
	}
	for (i = 0; i < depth; i++) {
		wire_end(w);
	}
	wire_u8(w, 0);
}

static void test_depth_is_limited(void **state)
{
	struct wire w;

	wire_init(&w, *state);
	nested(&w, EVENT_DEPTH_MAX);
	assert_int_equal(read_doc(&w), EVERR_OK);
	nested(&w, EVENT_DEPTH_MAX + 1);
	assert_int_equal(read_doc(&w), EVERR_BINXML_DEPTH);
	/* What the data is nested in counts. */
	nested(&w, 3);
	assert_int_equal(read_all(EVENT_READ_DOCUMENT, w.b.data, w.b.len,
				  EVENT_DEPTH_MAX - 3, NULL),
			 EVERR_OK);
	assert_int_equal(read_all(EVENT_READ_DOCUMENT, w.b.data, w.b.len,
				  EVENT_DEPTH_MAX - 2, NULL),
			 EVERR_BINXML_DEPTH);
	buf_free(&w.b);
}

static void test_values_of_an_instance_are_limited(void **state)
{
	struct wire w;

	wire_init(&w, *state);
	wire_small_template(&w, 1, "Event", EVENT_VALUES_MAX);
	wire_u8(&w, 0);
	assert_int_equal(read_doc(&w), EVERR_OK);
	buf_reset(&w.b);
	w.depth = 0;
	wire_small_template(&w, 1, "Event", EVENT_VALUES_MAX + 1);
	wire_u8(&w, 0);
	assert_int_equal(read_doc(&w), EVERR_LIMIT);

	/* Ids that no instance can have. */
	buf_reset(&w.b);
	w.depth = 0;
	wire_open(&w, "Event", WIRE_NONE, false);
	wire_close_start(&w);
	wire_subst(&w, false, EVENT_VALUES_MAX, 1);
	wire_end(&w);
	wire_u8(&w, 0);
	assert_int_equal(read_def(&w), EVERR_LIMIT);
	buf_reset(&w.b);
	wire_open(&w, "Event", EVENT_VALUES_MAX, false);
	wire_close_empty(&w);
	wire_u8(&w, 0);
	assert_int_equal(read_def(&w), EVERR_LIMIT);
	buf_free(&w.b);
}

/* 0C 01 is the file form, whose offsets mean nothing here. */
static void test_a_file_form_instance_is_refused(void **state)
{
	struct wire w;

	wire_init(&w, *state);
	wire_small_template(&w, 1, "Event", 0);
	wire_u8(&w, 0);
	w.b.data[1] = 0x01;
	assert_int_equal(read_doc(&w), EVERR_BINXML_TOKEN);
	buf_free(&w.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_specifications_sample_yields_its_tokens),
		leak_test(test_a_template_instance_is_one_token),
		leak_test(test_a_definition_ends_before_its_waste),
		leak_test(test_what_is_read_is_written_again),
		leak_test(test_windows_definitions_are_normal),
		leak_test(test_truncation_at_every_length_is_an_error),
		leak_test(test_name_hashes_are_windows_own),
		leak_test(test_names_are_xml_names),
		leak_test(test_lengths_must_fit_their_content),
		leak_test(test_meaningless_mistakes_are_read_and_put_right),
		leak_test(test_every_token_has_its_place),
		leak_test(test_tokens_out_of_place_are_refused),
		leak_test(test_definitions_hold_one_element_and_no_template),
		leak_test(test_an_attribute_twice_is_refused),
		leak_test(test_attributes_are_limited),
		leak_test(test_depth_is_limited),
		leak_test(test_values_of_an_instance_are_limited),
		leak_test(test_a_file_form_instance_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
