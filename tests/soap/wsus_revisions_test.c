/* SPDX-License-Identifier: GPL-3.0-or-later */

/* GetRevisionIdList's filter, case by case of [MS-WSUSSS] 3.1.4.5. */

#include "tests/soap/wsus_source.h"

#include "soap/wsus_revisions.h"

/* Old: there before the anchor.  New: after it. */
#define FAMILY "00000000-0000-0000-0000-0000000000f0"
#define PRODUCT_A "00000000-0000-0000-0000-0000000000a0"
#define PRODUCT_B "00000000-0000-0000-0000-0000000000b0"
#define CRITICAL "00000000-0000-0000-0000-0000000000c0"
#define FEATURE "00000000-0000-0000-0000-0000000000d0"
#define DETECTOID "00000000-0000-0000-0000-0000000000e0"
#define OLD_A "10000000-0000-0000-0000-000000000001"
#define OLD_B "10000000-0000-0000-0000-000000000002"
#define NEW_A "20000000-0000-0000-0000-000000000001"
#define MANY "10000000-0000-0000-0000-000000000003"
#define NOWHERE "30000000-0000-0000-0000-000000000000"

#define MINUTE UINT64_C(600000000)

struct fixture {
	struct source *source;
	struct wsus_catalogue *catalogue;
	const char *anchor; /* between the old ones and the new one */
};

static void put_category(struct source *source, const char *id,
			 const char *type, const char *in)
{
	const char *const ids[] = {in, NULL};
	char *relations = source_in(source, ids);
	char *inside =
		talloc_asprintf(source,
				"%s<upd:HandlerSpecificData>"
				"<CategoryInformation CategoryType=\"%s\"/>"
				"</upd:HandlerSpecificData>",
				relations, type);

	source_put_update(source, id, 1, "Category", inside);
	talloc_free(inside);
	talloc_free(relations);
}

static void put_update(struct source *source, const char *id, int revision,
		       const char *product, const char *classification)
{
	const char *const ids[] = {product, classification, NULL};
	char *relations = source_in(source, ids);

	source_put_update(source, id, revision, "Software", relations);
	talloc_free(relations);
}

/* Texts in 64 languages, one more than version 1.1 can take. */
static void put_many(struct source *source)
{
	char *text = talloc_strdup(source, "<LocalizedPropertiesCollection>");
	int i;

	for (i = 0; i < 64; i++) {
		text = talloc_asprintf_append(
			text,
			"<LocalizedProperties><Language>l%d</Language>"
			"<Title>t</Title></LocalizedProperties>",
			i);
	}
	text = talloc_strdup_append(text, "</LocalizedPropertiesCollection>");
	source_put_update(source, MANY, 1, "Software", text);
	talloc_free(text);
}

static struct fixture *fixture_create(TALLOC_CTX *mem_ctx)
{
	struct fixture *f = talloc_zero(mem_ctx, struct fixture);

	f->source = source_create(f);
	put_category(f->source, FAMILY, "ProductFamily", NULL);
	put_category(f->source, PRODUCT_A, "Product", FAMILY);
	put_category(f->source, PRODUCT_B, "Product", FAMILY);
	put_category(f->source, CRITICAL, "UpdateClassification", NULL);
	source_put_update(f->source, DETECTOID, 1, "Detectoid", "");
	put_update(f->source, OLD_A, 1, PRODUCT_A, CRITICAL);
	put_update(f->source, OLD_A, 7, PRODUCT_A, CRITICAL);
	put_update(f->source, OLD_B, 1, PRODUCT_B, CRITICAL);
	put_many(f->source);
	assert_int_equal(source_import(f->source, SOURCE_TIME), EVERR_OK);
	put_update(f->source, NEW_A, 1, PRODUCT_A, CRITICAL);
	put_category(f->source, FEATURE, "UpdateClassification", NULL);
	assert_int_equal(source_import(f->source, SOURCE_TIME + 2 * MINUTE),
			 EVERR_OK);
	f->catalogue = source_load(f->source);
	f->anchor = "2,2023-11-14 22:14:20.000";
	return f;
}

/* ------------------------------------------------------- a filter's element */

static struct soap_node *add(struct soap_node *parent, const char *name,
			     const char *text)
{
	struct soap_node *node = talloc_zero(parent, struct soap_node);
	struct soap_node **last = &parent->children;

	node->name = name;
	node->ns = "";
	node->text = text;
	node->text_len = strlen(text);
	while (*last != NULL) {
		last = &(*last)->next;
	}
	*last = node;
	return node;
}

static struct soap_node *new_filter(struct fixture *f, const char *get_config,
				    const char *anchor)
{
	struct soap_node *node = talloc_zero(f, struct soap_node);

	node->name = "filter";
	node->ns = "";
	node->text = "";
	if (anchor != NULL) {
		add(node, "Anchor", anchor);
	}
	if (get_config != NULL) {
		add(node, "GetConfig", get_config);
	}
	return node;
}

static void add_id(struct soap_node *filter, const char *array, const char *id,
		   const char *delta)
{
	struct soap_node *list = (struct soap_node *)soap_child(filter, array);
	struct soap_node *item = NULL;

	if (list == NULL) {
		list = add(filter, array, "");
	}
	item = add(list, "IdAndDelta", "");
	add(item, "Id", id);
	add(item, "Delta", delta);
}

/* The ids, in order, that a filter lets through, each with its revision. */
static void assert_revisions(struct fixture *f, struct soap_node *node,
			     uint32_t minor, const char *expected)
{
	struct wsus_filter *filter = NULL;
	char *found = talloc_strdup(f, "");
	size_t i;

	assert_int_equal(
		wsus_filter_read(f, f->catalogue, node, minor, &filter),
		EVERR_OK);
	for (i = 0; i < f->catalogue->num_updates; i++) {
		const struct wsus_update *update = &f->catalogue->updates[i];
		char text[EV_GUID_TEXT_SIZE];

		if (wsus_filter_matches(filter, update)) {
			ev_guid_format(&update->id, text);
			/* Told apart by their ends. */
			found = talloc_asprintf_append(found, "%.1s%.2s/%d ",
						       text + 1, text + 35,
						       update->revision);
		}
	}
	assert_string_equal(found, expected);
}

static void test_config_is_categories_classifications_detectoids(void **state)
{
	struct fixture *f = fixture_create(*state);

	assert_revisions(f, new_filter(f, "true", NULL), 20,
			 "0A0/1 0B0/1 0C0/1 0D0/1 0E0/1 0F0/1 ");
}

static void test_config_after_an_anchor_is_what_is_newer(void **state)
{
	struct fixture *f = fixture_create(*state);

	assert_revisions(f, new_filter(f, "1", f->anchor), 20, "0D0/1 ");
}

static void test_config_ignores_the_filters_of_categories(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "true", f->anchor);

	add_id(node, "Categories", PRODUCT_B, "false");
	assert_revisions(f, node, 20, "0D0/1 ");
}

static void test_updates_have_their_highest_revision_only(void **state)
{
	struct fixture *f = fixture_create(*state);

	assert_revisions(f, new_filter(f, "false", NULL), 20,
			 "101/7 102/1 103/1 201/1 ");
	/* Absent is false, and an empty anchor is none. */
	assert_revisions(f, new_filter(f, NULL, ""), 20,
			 "101/7 102/1 103/1 201/1 ");
}

static void test_updates_after_an_anchor(void **state)
{
	struct fixture *f = fixture_create(*state);

	assert_revisions(f, new_filter(f, "false", f->anchor), 20, "201/1 ");
	/* One of the future is now. */
	assert_revisions(f,
			 new_filter(f, "false", "999,2040-01-01 00:00:00.000"),
			 20, "");
}

static void test_both_a_category_and_a_classification_are_needed(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "false", NULL);

	add_id(node, "Categories", PRODUCT_A, "false");
	/* One of the arrays alone matches nothing. */
	assert_revisions(f, node, 20, "");
	add_id(node, "Classifications", FEATURE, "false");
	assert_revisions(f, node, 20, "");
	add_id(node, "Classifications", CRITICAL, "false");
	assert_revisions(f, node, 20, "101/7 201/1 ");
	add_id(node, "Categories", PRODUCT_B, "false");
	assert_revisions(f, node, 20, "101/7 102/1 201/1 ");
	add_id(node, "Categories", NOWHERE, "false");
	assert_revisions(f, node, 20, "101/7 102/1 201/1 ");
}

static void test_classifications_alone_match_nothing(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "false", NULL);

	add_id(node, "Classifications", CRITICAL, "false");
	assert_revisions(f, node, 20, "");
}

static void test_a_family_has_the_updates_of_its_products(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "false", NULL);

	add_id(node, "Categories", FAMILY, "false");
	add_id(node, "Classifications", CRITICAL, "false");
	assert_revisions(f, node, 20, "101/7 102/1 201/1 ");
}

static void test_with_delta_only_newer_ones_come(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "false", f->anchor);

	add_id(node, "Categories", PRODUCT_A, "true");
	add_id(node, "Classifications", CRITICAL, "true");
	assert_revisions(f, node, 20, "201/1 ");
}

static void test_a_category_without_delta_comes_in_full(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "false", f->anchor);

	add_id(node, "Categories", PRODUCT_A, "true");
	add_id(node, "Categories", PRODUCT_B, "false");
	add_id(node, "Classifications", CRITICAL, "true");
	assert_revisions(f, node, 20, "102/1 201/1 ");
}

static void test_a_classification_without_delta_comes_in_full(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "false", f->anchor);

	add_id(node, "Categories", PRODUCT_A, "true");
	add_id(node, "Classifications", CRITICAL, "false");
	assert_revisions(f, node, 20, "101/7 201/1 ");
}

static void test_version_1_1_gets_63_languages_at_most(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct soap_node *node = new_filter(f, "false", NULL);

	assert_revisions(f, node, 1, "101/7 102/1 201/1 ");
	assert_revisions(f, node, 2, "101/7 102/1 103/1 201/1 ");
	add(node, "Get63LanguageOnly", "true");
	assert_revisions(f, node, 2, "101/7 102/1 201/1 ");
}

static void test_a_malformed_filter_is_refused(void **state)
{
	struct fixture *f = fixture_create(*state);
	struct wsus_filter *filter = NULL;
	struct soap_node *nodes[4];
	size_t i;

	nodes[0] = NULL;
	nodes[1] = new_filter(f, "false", "soon");
	nodes[2] = new_filter(f, "maybe", NULL);
	nodes[3] = new_filter(f, "false", NULL);
	add_id(nodes[3], "Categories", "no guid", "true");
	for (i = 0; i < 4; i++) {
		assert_int_equal(wsus_filter_read(f, f->catalogue, nodes[i], 20,
						  &filter),
				 EVERR_TEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_config_is_categories_classifications_detectoids),
		leak_test(test_config_after_an_anchor_is_what_is_newer),
		leak_test(test_config_ignores_the_filters_of_categories),
		leak_test(test_updates_have_their_highest_revision_only),
		leak_test(test_updates_after_an_anchor),
		leak_test(test_both_a_category_and_a_classification_are_needed),
		leak_test(test_classifications_alone_match_nothing),
		leak_test(test_a_family_has_the_updates_of_its_products),
		leak_test(test_with_delta_only_newer_ones_come),
		leak_test(test_a_category_without_delta_comes_in_full),
		leak_test(test_a_classification_without_delta_comes_in_full),
		leak_test(test_version_1_1_gets_63_languages_at_most),
		leak_test(test_a_malformed_filter_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
