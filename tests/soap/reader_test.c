/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "soap/envelope.h"
#include "soap/reader.h"
#include "soap/tree.h"

#include <string.h>
#include <time.h>

#define TREE_MAX ((size_t)8 * 1024 * 1024)

/* --------------------------------------------------------- what was read */

/* All of it as one line: name{ns}[attribute=value,](text|children). */
static void flatten(struct buf *out, const struct soap_node *node)
{
	const struct soap_attribute *a = NULL;

	for (; node != NULL; node = node->next) {
		assert_int_equal(strlen(node->text), node->text_len);
		buf_puts(out, node->name);
		if (node->ns[0] != '\0') {
			buf_printf(out, "{%s}", node->ns);
		}
		for (a = node->attributes; a != NULL; a = a->next) {
			buf_printf(out, "[%s=%s]", a->name, a->value);
		}
		buf_printf(out, "(%s|", node->text);
		flatten(out, node->children);
		buf_puts(out, ")");
	}
}

static everr_t tree_start(void *private_data,
			  const struct soap_reader_element *element)
{
	return soap_tree_open(private_data, element);
}

static everr_t tree_end(void *private_data)
{
	soap_tree_close(private_data);
	return EVERR_OK;
}

static everr_t tree_text(void *private_data, const char *text, size_t len)
{
	return soap_tree_text(private_data, text, len);
}

static const struct soap_reader_handler tree_handler = {
	.start = tree_start, .end = tree_end, .text = tree_text};

static struct soap_tree *new_tree(TALLOC_CTX *mem_ctx, size_t max)
{
	struct soap_share *share = soap_share_create(mem_ctx, NULL);
	struct soap_tree *tree = soap_tree_create(mem_ctx, max, share);

	assert_non_null(share);
	assert_non_null(tree);
	return tree;
}

/* NULL: not read, and why. */
static char *read_tree(TALLOC_CTX *mem_ctx, const void *data, size_t len,
		       everr_t *ret_err, char **ret_problem)
{
	struct soap_tree *tree = new_tree(mem_ctx, TREE_MAX);
	struct soap_reader *reader = NULL;
	struct buf out;

	assert_int_equal(soap_reader_create(tree, &tree_handler, tree, &reader),
			 EVERR_OK);
	*ret_err = soap_reader_feed(reader, data, len);
	if (*ret_err == EVERR_OK) {
		*ret_err = soap_reader_end(reader);
	}
	*ret_problem = talloc_strdup(mem_ctx, soap_reader_problem(reader));
	buf_init(&out, mem_ctx, 64 * TREE_MAX);
	if (*ret_err == EVERR_OK) {
		flatten(&out, soap_tree_root(tree));
		buf_put_u8(&out, 0);
		assert_int_equal(buf_error(&out), EVERR_OK);
	}
	talloc_free(tree);
	return (char *)out.data;
}

static void reads(void **state, const void *data, size_t len, const char *want)
{
	char *problem = NULL;
	everr_t err;
	char *tree = read_tree(*state, data, len, &err, &problem);

	if (err != EVERR_OK) {
		fail_msg("%s: %s", want, problem);
	}
	assert_string_equal(tree, want);
	talloc_free(tree);
	talloc_free(problem);
}

static void reads_text(void **state, const char *text, const char *want)
{
	reads(state, text, strlen(text), want);
}

static void refuses(void **state, const void *data, size_t len,
		    everr_t want_err, const char *words)
{
	char *problem = NULL;
	everr_t err;
	char *tree = read_tree(*state, data, len, &err, &problem);

	assert_null(tree);
	assert_int_equal(err, want_err);
	if (strstr(problem, words) == NULL) {
		fail_msg("%s: %s", words, problem);
	}
	talloc_free(problem);
}

static void refuses_text(void **state, const char *text, const char *words)
{
	refuses(state, text, strlen(text), EVERR_TEXT, words);
}

/* ----------------------------------------------------------------- trees */

static void test_names_attributes_and_text_are_in_the_tree(void **state)
{
	reads_text(state,
		   "<a xmlns='urn:a' xmlns:b='urn:b' x='1' b:y=' 2 '>"
		   "<b:c>text</b:c><d xmlns=''/><d>&lt;&#x41;&amp;</d></a>",
		   "a{urn:a}[x=1][y= 2 ](|c{urn:b}(text|)d(|)d{urn:a}(<A&|))");
}

static void test_text_goes_on_behind_what_is_not_text(void **state)
{
	/* The seed's base64 has comments inside. */
	reads_text(state,
		   "<a>4VEG<!--.... -->gCd<?pi x?>h/<![CDATA[<&>]]>c</a>",
		   "a(4VEGgCdh/<&>c|)");
	/* All its own text; other text has come between. */
	reads_text(state, "<a>1<b>x</b>2<b>y<c/>z</b>3</a>",
		   "a(123|b(x|)b(yz|c(|)))");
	reads_text(state, "<a>x\r\ny\rz&#13;</a>", "a(x\ny\nz\r|)");
}

static void test_nil_is_a_boolean_of_its_namespace(void **state)
{
#define XSI "http://www.w3.org/2001/XMLSchema-instance"
	static const struct {
		struct soap_reader_attribute attribute;
		bool nil;
	} table[] = {
		{{"nil", XSI, "true", 4}, true},
		{{"nil", XSI, "1", 1}, true},
		{{"nil", XSI, "trueish", 4}, true},
		{{"nil", XSI, "false", 5}, false},
		{{"nil", XSI, "", 0}, false},
		{{"nil", "", "true", 4}, false},
		{{"type", XSI, "true", 4}, false},
	};
#undef XSI
	struct soap_reader_element element = {.name = "a", .ns = ""};
	size_t i;

	assert_false(soap_reader_is_nil(&element));
	element.num_attributes = 1;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		element.attributes = &table[i].attribute;
		assert_int_equal(soap_reader_is_nil(&element), table[i].nil);
	}
}

static void test_what_stands_in_front_of_the_document(void **state)
{
	reads_text(state, "\xEF\xBB\xBF<?xml version='1.0'?><a/>", "a(|)");
	reads_text(state, " \r\n\t<?xml version='1.0'?><!-- --><a/>\n<!-- -->",
		   "a(|)");
	reads_text(state, "<?xml version='1.0' encoding='UTF-8'?><a/>", "a(|)");
	reads_text(state, "<?xml version='1.0' encoding = \"us-ascii\" ?><a/>",
		   "a(|)");
	/* Only a declaration names an encoding. */
	reads_text(state, "<?xmlx encoding='koi8-r'?><a/>", "a(|)");
	refuses_text(state, "<?xml version='1.0' encoding='koi8-r'?><a/>",
		     "encoding");
	refuses_text(state, "<?xml version='1.0' encoding='utf-7'?><a/>",
		     "encoding");
	refuses_text(state, "x<abc/>", "not XML");
	refuses_text(state, "L\xA7\x94\x93", "not XML");
	refuses_text(state, "<!-- --><?xml version='1.0'?><a/>", "line 1");
}

static void test_what_is_not_well_formed_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"<",
		"<abc",
		"<abc>",
		"<abc></abcd>",
		"<abc></abc",
		"<abc/><abc/>",
		"<abc/>text",
		"<abc a='1' a='2'/>",
		"<abc a=1/>",
		"<abc a='<'/>",
		"<abc>&unknown;</abc>",
		"<abc>&#0;</abc>",
		"<abc>&#xD800;</abc>",
		"<abc>&amp</abc>",
		"<abc>\x01</abc>",
		"<abc>]]></abc>",
		"<abc><!-- -- --></abc>",
		"<abc><![CDATA[</abc>",
		"<x:abc/>",
		"<abc x:a='1'/>",
		"<abc xmlns:x='urn:x' xmlns:y='urn:x' x:a='' y:a=''/>",
		"<abc>\xC3</abc>",
		"<abc>\xE2\x82</abc>",
		"<abc>\xC0\xAF</abc>",
		"<abc>\xED\xA0\x80</abc>",
		"<abc>\xF4\x90\x80\x80</abc>",
		"<abc>\xFF</abc>",
		"<abc a='\x80'/>",
		"<abc>x\x80",
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		refuses_text(state, wrong[i], "line");
	}
	refuses_text(state, "<abc/>\xE2\x82", "inside a character");
	refuses(state, "<abc>\0</abc>", 12, EVERR_TEXT, "NUL");
	refuses(state, "<abc/>\0", 7, EVERR_TEXT, "NUL");
}

/* ------------------------------------------------------------- encodings */

/* ASCII and one character beyond U+FFFF, as UTF-16. */
static size_t utf16(uint8_t *to, const char *text, bool big, bool mark)
{
	size_t n = 0;
	size_t i;

	if (mark) {
		to[n + big] = 0xFF;
		to[n + !big] = 0xFE;
		n += 2;
	}
	for (i = 0; text[i] != '\0'; i++) {
		uint16_t units[2] = {(uint8_t)text[i], 0};
		size_t num = 1;
		size_t u;

		if (text[i] == '@') {
			units[0] = 0xD83D;
			units[1] = 0xDE00;
			num = 2;
		}
		for (u = 0; u < num; u++) {
			to[n + big] = (uint8_t)units[u];
			to[n + !big] = (uint8_t)(units[u] >> 8);
			n += 2;
		}
	}
	return n;
}

static void test_utf_16_is_read_in_either_order(void **state)
{
	static const char text[] =
		"<?xml version='1.0' encoding='utf-16'?>\n<a b='@'>x@y</a>";
	uint8_t data[400];
	size_t len;
	int i;

	for (i = 0; i < 4; i++) {
		len = utf16(data, text, (i & 1) != 0, (i & 2) != 0);
		reads(state, data, len,
		      "a[b=\xF0\x9F\x98\x80](x\xF0\x9F\x98\x80y|)");
		refuses(state, data, len - 1, EVERR_TEXT, "inside a character");
		/* A high surrogate without its other, in the middle. */
		data[len - 12 + !(i & 1)] = 0x41;
		refuses(state, data, len, EVERR_TEXT, "not UTF-16");
	}
	len = utf16(data, "<abc>", false, false);
	data[len++] = 0x00;
	data[len++] = 0xDC;
	refuses(state, data, len, EVERR_TEXT, "not UTF-16");
	len = utf16(data, "<abc>", false, false);
	data[len++] = 0x00;
	data[len++] = 0xD8;
	refuses(state, data, len, EVERR_TEXT, "inside a character");
	/* A NUL unit. */
	len = utf16(data, "<abc>|</abc>", true, true);
	data[2 + 2 * 5 + 1] = 0;
	refuses(state, data, len, EVERR_TEXT, "NUL");
}

/* --------------------------------------------------------------- pieces */

/* In pieces of size bytes after a first one of at bytes. */
static void reads_in_pieces(void **state, const uint8_t *data, size_t len,
			    size_t at, size_t size, const char *want)
{
	struct soap_tree *tree = new_tree(*state, TREE_MAX);
	struct soap_reader *reader = NULL;
	struct buf out;

	assert_int_equal(soap_reader_create(tree, &tree_handler, tree, &reader),
			 EVERR_OK);
	assert_int_equal(soap_reader_feed(reader, data, at), EVERR_OK);
	while (at < len) {
		size_t n = len - at < size ? len - at : size;

		assert_int_equal(soap_reader_feed(reader, data + at, n),
				 EVERR_OK);
		at += n;
	}
	assert_int_equal(soap_reader_end(reader), EVERR_OK);
	assert_string_equal(soap_reader_problem(reader), "");
	buf_init(&out, *state, 64 * TREE_MAX);
	flatten(&out, soap_tree_root(tree));
	buf_put_u8(&out, 0);
	assert_string_equal((char *)out.data, want);
	buf_free(&out);
	talloc_free(tree);
}

static void test_it_does_not_matter_where_a_document_is_cut(void **state)
{
	static const char text[] =
		"<?xml version='1.0'?><!-- \xE2\x82\xAC --><a b='\xC3\xBC'>\r\n"
		"\xF0\x9F\x98\x80&amp;<![CDATA[]]]]><c/><!-- - -->&#x20AC;"
		"\r</a>\n";
	static const char want[] = "a[b=\xC3\xBC](\n\xF0\x9F\x98\x80&]]"
				   "\xE2\x82\xAC\n|c(|))";
	uint8_t data[1000];
	size_t len, at;

	for (at = 0; at <= strlen(text); at++) {
		reads_in_pieces(state, (const uint8_t *)text, strlen(text), at,
				sizeof(text), want);
	}
	reads_in_pieces(state, (const uint8_t *)text, strlen(text), 0, 1, want);

	len = utf16(data, "<a b='@'>@x</a>", true, false);
	for (at = 0; at <= len; at++) {
		reads_in_pieces(state, data, len, at, len,
				"a[b=\xF0\x9F\x98\x80](\xF0\x9F\x98\x80x|)");
	}
}

/*
 * What libxml2 is given at a time is larger than those cuts: the same text
 * is moved over the seam byte by byte.
 */
static void test_it_does_not_matter_where_a_seam_lies(void **state)
{
	static const char text[] =
		"<!-- \xE2\x82\xAC --><a b='\xC3\xBC'>\r\n\xF0\x9F\x98\x80&amp;"
		"<![CDATA[]]]]><c/><!-- - -->&#x20AC;\r</a></pad>";
	static const char want[] = "pad(|a[b=\xC3\xBC](\n\xF0\x9F\x98\x80&]]"
				   "\xE2\x82\xAC\n|c(|)))";
	size_t seam = 8 * 1024;
	uint8_t *data = talloc_size(*state, 2 * seam);
	size_t before;

	for (before = seam - strlen(text); before <= seam; before++) {
		memset(data, '-', before);
		memcpy(data, "<pad><?p ", 9);
		memcpy(data + before - 2, "?>", 2);
		memcpy(data + before, text, strlen(text));
		reads_in_pieces(state, data, before + strlen(text), 0, 2 * seam,
				want);
	}
	talloc_free(data);
}

/* ---------------------------------------------------------------- limits */

/* before, middle as often as wanted, after. */
static char *repeated(void **state, const char *before, const char *middle,
		      size_t times, const char *after)
{
	size_t len = strlen(middle);
	char *text = talloc_size(*state, strlen(before) + len * times +
						 strlen(after) + 1);
	char *p = text;

	p = stpcpy(p, before);
	for (; times > 0; times--) {
		p = stpcpy(p, middle);
	}
	strcpy(p, after);
	return text;
}

static everr_t read_repeated(void **state, const char *before,
			     const char *middle, size_t times,
			     const char *after)
{
	char *text = repeated(state, before, middle, times, after);
	char *problem = NULL;
	everr_t err;
	char *tree = read_tree(*state, text, strlen(text), &err, &problem);

	talloc_free(tree);
	talloc_free(problem);
	talloc_free(text);
	return err;
}

static void test_depth_has_a_limit(void **state)
{
	char *open = repeated(state, "", "<a>", SOAP_READER_DEPTH_MAX, "");

	assert_int_equal(
		read_repeated(state, open, "</a>", SOAP_READER_DEPTH_MAX, ""),
		EVERR_OK);
	assert_int_equal(
		read_repeated(state, "", "<a>", SOAP_READER_DEPTH_MAX + 1, ""),
		EVERR_LIMIT);
	assert_int_equal(read_repeated(state, "", "<a>", 1000000, ""),
			 EVERR_LIMIT);
	talloc_free(open);
}

/* Attributes of different names. */
static everr_t read_attributes(void **state, const char *form, size_t num)
{
	char *problem = NULL;
	char *tree = NULL;
	struct buf text;
	everr_t err;
	size_t i;

	buf_init(&text, *state, 1 << 24);
	buf_puts(&text, "<a");
	for (i = 0; i < num; i++) {
		buf_printf(&text, " %s%zu=''", form, i);
	}
	buf_puts(&text, "/>");
	assert_int_equal(buf_error(&text), EVERR_OK);
	tree = read_tree(*state, (const char *)text.data, text.len, &err,
			 &problem);
	talloc_free(tree);
	talloc_free(problem);
	buf_free(&text);
	return err;
}

static void test_attributes_and_namespaces_have_limits(void **state)
{
	char *open = NULL;
	size_t i;

	assert_int_equal(
		read_attributes(state, "a", SOAP_READER_ATTRIBUTES_MAX),
		EVERR_OK);
	assert_int_equal(
		read_attributes(state, "a", SOAP_READER_ATTRIBUTES_MAX + 1),
		EVERR_LIMIT);
	assert_int_equal(read_attributes(state, "a", 100000), EVERR_LIMIT);

	/* Those in force count, wherever they were declared. */
	open = talloc_strdup(*state, "");
	for (i = 0; i < SOAP_READER_NAMESPACES_MAX / 2; i++) {
		open = talloc_asprintf_append(
			open, "<a xmlns:a%zu='u' xmlns:b%zu='u'>", i, i);
	}
	assert_int_equal(read_repeated(state, open, "</a>",
				       SOAP_READER_NAMESPACES_MAX / 2, ""),
			 EVERR_OK);
	open = talloc_asprintf_append(open, "<a xmlns='u'/>");
	assert_int_equal(read_repeated(state, open, "</a>",
				       SOAP_READER_NAMESPACES_MAX / 2, ""),
			 EVERR_LIMIT);
	talloc_free(open);
	/* One after the other they do not add up. */
	assert_int_equal(
		read_repeated(state, "<a>", "<b xmlns:c='u'/>", 1000, "</a>"),
		EVERR_OK);
}

static void test_tokens_and_names_have_limits(void **state)
{
	assert_int_equal(read_repeated(state, "<a b='", "x",
				       SOAP_READER_TAG_MAX - 10, "'/>"),
			 EVERR_OK);
	assert_int_equal(read_repeated(state, "<a b='", "x",
				       2 * SOAP_READER_TAG_MAX, "'/>"),
			 EVERR_LIMIT);
	assert_int_equal(read_repeated(state, "<a b='", "x", 20000000, "'/>"),
			 EVERR_LIMIT);
	assert_int_equal(read_repeated(state, "<a><!--", "x",
				       2 * SOAP_READER_TAG_MAX, "--></a>"),
			 EVERR_LIMIT);
	assert_int_equal(read_repeated(state, "<a><?b ", "x",
				       2 * SOAP_READER_TAG_MAX, "?></a>"),
			 EVERR_LIMIT);
	assert_int_equal(read_repeated(state, "<a><![CDATA[", "x",
				       SOAP_READER_CDATA_MAX - 100, "]]></a>"),
			 EVERR_OK);
	assert_int_equal(read_repeated(state, "<a><![CDATA[", "x",
				       2 * SOAP_READER_CDATA_MAX, "]]></a>"),
			 EVERR_LIMIT);
	assert_int_equal(
		read_repeated(state, "<", "a", SOAP_READER_NAME_MAX, "/>"),
		EVERR_OK);
	assert_int_equal(
		read_repeated(state, "<", "a", SOAP_READER_NAME_MAX + 1, "/>"),
		EVERR_LIMIT);
}

/* A document of nothing but different names is kept nowhere. */
static void test_different_names_have_a_limit(void **state)
{
	struct soap_tree *tree = new_tree(*state, 100 * TREE_MAX);
	struct soap_reader *reader = NULL;
	everr_t err = EVERR_OK;
	size_t fed = 0;
	char text[200];
	int i;

	assert_int_equal(soap_reader_create(tree, &tree_handler, tree, &reader),
			 EVERR_OK);
	assert_int_equal(soap_reader_feed(reader, (const uint8_t *)"<a>", 3),
			 EVERR_OK);
	for (i = 0; err == EVERR_OK && i < 100000; i++) {
		snprintf(text, sizeof(text), "<a%0150d/>", i);
		err = soap_reader_feed(reader, (const uint8_t *)text,
				       strlen(text));
		fed += strlen(text);
	}
	assert_int_equal(err, EVERR_LIMIT);
	assert_in_range(fed, SOAP_READER_NAMES_MAX / 8,
			2 * SOAP_READER_NAMES_MAX);
	talloc_free(tree);
}

static void test_a_tree_has_a_limit(void **state)
{
	assert_int_equal(read_repeated(state, "<a>", "<b/>",
				       TREE_MAX / sizeof(struct soap_node) / 2,
				       "</a>"),
			 EVERR_OK);
	assert_int_equal(read_repeated(state, "<a>", "<b/>",
				       TREE_MAX / sizeof(struct soap_node) + 1,
				       "</a>"),
			 EVERR_LIMIT);
	assert_int_equal(read_repeated(state, "<a>", "x", TREE_MAX / 4, "</a>"),
			 EVERR_OK);
	assert_int_equal(read_repeated(state, "<a>", "x", TREE_MAX, "</a>"),
			 EVERR_LIMIT);
	/* Text that moves each time uses memory up, not time. */
	assert_int_equal(read_repeated(state, "<a>", "x<b/>", 5000, "</a>"),
			 EVERR_OK);
	assert_int_equal(read_repeated(state, "<a>", "x<b/>", 1000000, "</a>"),
			 EVERR_LIMIT);
}

/* ------------------------------------------------------------------ DTDs */

static void test_a_dtd_is_refused_where_it_begins(void **state)
{
	static const char *const dtds[] = {
		"<!DOCTYPE a><a/>",
		"<!DOCTYPE a [",
		"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
		"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
		"<!DOCTYPE a PUBLIC 'x' 'http://192.0.2.1/x'><a/>",
		"<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'>%p;"
		"]><a/>",
		"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
		"<a>&x;</a>",
		"<?xml version='1.0'?><!-- --><!DOCTYPE a [<!ATTLIST a b "
		"CDATA 'c'>]><a/>",
	};
	size_t i;

	for (i = 0; i < sizeof(dtds) / sizeof(dtds[0]); i++) {
		refuses_text(state, dtds[i], "document type");
	}
}

static void test_a_billion_laughs_are_not_laughed(void **state)
{
	char *text = talloc_strdup(*state, "<!DOCTYPE a [<!ENTITY l0 'lol'>");
	int i, n;

	for (i = 1; i < 10; i++) {
		text = talloc_asprintf_append(text, "<!ENTITY l%d '", i);
		for (n = 0; n < 10; n++) {
			text = talloc_asprintf_append(text, "&l%d;", i - 1);
		}
		text = talloc_asprintf_append(text, "'>");
	}
	text = talloc_asprintf_append(text, "]><a>&l9;</a>");
	refuses_text(state, text, "document type");
	talloc_free(text);
}

/* ------------------------------------------------------------------ items */

static everr_t count_operation(void *private_data, const struct soap_node *node,
			       const char **ret_items)
{
	*ret_items = "list/item";
	return EVERR_OK;
}

static everr_t count_item(void *private_data, const struct soap_node *item)
{
	size_t *count = private_data;

	assert_string_equal(soap_text(item, "id"), "5");
	(*count)++;
	return EVERR_OK;
}

static void test_memory_is_bounded_by_an_item_not_by_the_request(void **state)
{
	static const struct soap_envelope_handler handler = {
		.operation = count_operation, .item = count_item};
	static const char begin[] =
		"<e:Envelope "
		"xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'"
		"><e:Body><op><list>";
	static const char item[] =
		"\n    <item>\n<id>5</id><name x='y'>z</name></item>";
	static const char end[] = "</list></op></e:Body></e:Envelope>";
	struct soap_envelope *envelope = NULL;
	size_t count = 0;
	size_t before, i;

	assert_int_equal(
		soap_envelope_create(*state, &handler, &count, NULL, &envelope),
		EVERR_OK);
	assert_int_equal(soap_envelope_feed(envelope, (const uint8_t *)begin,
					    strlen(begin)),
			 EVERR_OK);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(soap_envelope_feed(envelope,
						    (const uint8_t *)item,
						    strlen(item)),
				 EVERR_OK);
	}
	before = talloc_total_size(envelope);
	for (i = 0; i < 100000; i++) {
		assert_int_equal(soap_envelope_feed(envelope,
						    (const uint8_t *)item,
						    strlen(item)),
				 EVERR_OK);
	}
	assert_int_equal(talloc_total_size(envelope), before);
	assert_int_equal(
		soap_envelope_feed(envelope, (const uint8_t *)end, strlen(end)),
		EVERR_OK);
	assert_int_equal(soap_envelope_end(envelope), EVERR_OK);
	assert_int_equal(count, 101000);
	talloc_free(envelope);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_names_attributes_and_text_are_in_the_tree),
		leak_test(test_text_goes_on_behind_what_is_not_text),
		leak_test(test_nil_is_a_boolean_of_its_namespace),
		leak_test(test_what_stands_in_front_of_the_document),
		leak_test(test_what_is_not_well_formed_is_refused),
		leak_test(test_utf_16_is_read_in_either_order),
		leak_test(test_it_does_not_matter_where_a_document_is_cut),
		leak_test(test_it_does_not_matter_where_a_seam_lies),
		leak_test(test_depth_has_a_limit),
		leak_test(test_attributes_and_namespaces_have_limits),
		leak_test(test_tokens_and_names_have_limits),
		leak_test(test_different_names_have_a_limit),
		leak_test(test_a_tree_has_a_limit),
		leak_test(test_a_dtd_is_refused_where_it_begins),
		leak_test(test_a_billion_laughs_are_not_laughed),
		leak_test(test_memory_is_bounded_by_an_item_not_by_the_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
