/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soap/wsus_source.h"

#include "base/text.h"
#include "base/wintime.h"

#define UPDATE_1 "0287014e-6772-4b4d-81f7-42063ac26e8a"
#define UPDATE_2 "36b1c48e-c741-4047-9b09-d38698ed34b3"
#define PRODUCT "6407468e-edc7-4ecd-8c32-521f64cee65e"
#define DEPLOYMENT_1 "c2f2ca62-5413-419a-bdee-275a23087758"
#define DEPLOYMENT_2 "10a2030d-0ac1-434a-9c37-732fc36f9838"
#define UNASSIGNED "b73ca6ed-5727-47f3-84de-015e03f6a88a"
#define MINUTE (60 * WINTIME_SECOND)

/* SHA-1 of "abc", FIPS 180-2 appendix A.1 */
#define DIGEST "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="

#define DEPLOYMENT(id, update)                                               \
	"{\"id\":\"" id "\",\"update\":\"" update                            \
	"\",\"revision\":100,\"action\":\"install\",\"group\":\"" UNASSIGNED \
	"\"}"

static struct ev_guid guid(const char *text)
{
	struct ev_guid id;

	assert_int_equal(ev_guid_parse(text, &id), EVERR_OK);
	return id;
}

static const struct wsus_update *update_of(
	const struct wsus_catalogue *catalogue, const char *text,
	int32_t revision)
{
	struct ev_guid id = guid(text);

	return wsus_catalogue_find(catalogue, &id, revision);
}

static void test_no_catalogue_is_an_empty_one(void **state)
{
	struct source *source = source_create(*state);
	struct wsus_catalogue *catalogue = source_load(source);

	assert_int_equal(catalogue->num_updates, 0);
	assert_int_equal(catalogue->num_languages, 39);
	assert_int_equal(catalogue->num_groups, 2);
	assert_string_equal(catalogue->groups[0].name, "All Computers");
	assert_int_equal(catalogue->changed.number, 1);
	assert_null(update_of(catalogue, UPDATE_1, 100));
}

static void test_a_file_in_the_catalogues_place_is_an_error(void **state)
{
	struct source *source = source_create(*state);
	struct wsus_catalogue *catalogue = NULL;
	char *message = NULL;

	source_put_text(source, "a.xml", "<x/>");
	assert_int_equal(wsus_catalogue_load(source,
					     talloc_asprintf(source, "%s/a.xml",
							     source->dir),
					     &catalogue, &message),
			 EVERR_IO);
	assert_non_null(strstr(message, "a.xml"));
}

static void test_an_empty_directory_is_imported(void **state)
{
	struct source *source = source_create(*state);

	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	assert_int_equal(source_load(source)->num_updates, 0);
}

static void test_what_a_server_needs_is_read_from_the_metadata(void **state)
{
	struct source *source = source_create(*state);
	const struct wsus_update *update = NULL;
	struct ev_guid product = guid(PRODUCT);

	source_put_update(
		source, UPDATE_1, 100, "Software",
		"<upd:LocalizedPropertiesCollection>"
		"<upd:LocalizedProperties><upd:Language>de</upd:Language>"
		"<upd:Title>Ein Titel</upd:Title></upd:LocalizedProperties>"
		"<upd:LocalizedProperties><upd:Language>en</upd:Language>"
		"<upd:Title>A &amp; B</upd:Title></upd:LocalizedProperties>"
		"</upd:LocalizedPropertiesCollection>"
		"<upd:Relationships><upd:Prerequisites>"
		"<upd:UpdateIdentity UpdateID=\"" UPDATE_2 "\"/>"
		"<upd:AtLeastOne IsCategory=\"true\">"
		"<upd:UpdateIdentity UpdateID=\"" PRODUCT "\"/>"
		"</upd:AtLeastOne>"
		"<upd:AtLeastOne><upd:UpdateIdentity UpdateID=\"" UPDATE_2
		"\"/></upd:AtLeastOne>"
		"</upd:Prerequisites></upd:Relationships>"
		"<upd:Files><upd:File Digest=\"" DIGEST
		"\" FileName=\"a.cab\"/></upd:Files>");
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	update = update_of(source_load(source), UPDATE_1, 100);
	assert_non_null(update);
	assert_int_equal(update->kind, WSUS_UPDATE);
	assert_string_equal(update->title, "A & B");
	assert_int_equal(update->languages, 2);
	assert_int_equal(update->num_categories, 1);
	assert_true(ev_guid_equal(&update->categories[0], &product));
	assert_int_equal(update->num_files, 1);
	assert_int_equal(update->files[0].digest[0], 0xa9);
	assert_int_equal(update->files[0].digest[19], 0x9d);
}

static void test_the_kinds_follow_type_and_category(void **state)
{
	static const struct {
		const char *type;
		const char *category;
		enum wsus_kind kind;
	} rows[] = {
		{"Software", "", WSUS_UPDATE},
		{"Driver", "", WSUS_UPDATE},
		{"Detectoid", "", WSUS_DETECTOID},
		{"Category", "UpdateClassification", WSUS_CLASSIFICATION},
		{"Category", "Company", WSUS_CATEGORY},
		{"Category", "ProductFamily", WSUS_CATEGORY},
		{"Category", "Product", WSUS_CATEGORY},
	};
	struct source *source = source_create(*state);
	struct wsus_catalogue *catalogue = NULL;
	char id[] = "00000000-0000-0000-0000-000000000000";
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *inside = talloc_asprintf(
			*state,
			"<upd:HandlerSpecificData><cat:CategoryInformation "
			"xmlns:cat=\"c\" CategoryType=\"%s\"/>"
			"</upd:HandlerSpecificData>",
			rows[i].category);

		id[0] = (char)('0' + i);
		source_put_update(source, id, 1, rows[i].type, inside);
	}
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	catalogue = source_load(source);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		id[0] = (char)('0' + i);
		assert_int_equal(update_of(catalogue, id, 1)->kind,
				 rows[i].kind);
	}
}

static void assert_blob(struct source *source, const char *expected)
{
	const struct wsus_catalogue *catalogue = source_load(source);
	const struct wsus_update *update = update_of(catalogue, UPDATE_1, 100);
	struct buf blob;

	buf_init(&blob, source, WSUS_BLOB_MAX);
	assert_int_equal(wsus_catalogue_read(catalogue, update, &blob),
			 EVERR_OK);
	assert_int_equal(blob.len, strlen(expected));
	assert_memory_equal(blob.data, expected, blob.len);
	buf_free(&blob);
}

#define BARE                                                            \
	SOURCE_UPDATE_BEGIN "<upd:UpdateIdentity UpdateID=\"" UPDATE_1  \
			    "\" RevisionNumber=\"100\"/>"               \
			    "<upd:Properties UpdateType=\"Software\"/>" \
			    "<x>\xC3\xA4\xF0\x9F\x98\x80</x></upd:Update>"

static void test_the_blob_has_neither_bom_nor_declaration(void **state)
{
	struct source *source = source_create(*state);

	source_put_text(source, "a.xml",
			"\xEF\xBB\xBF<?xml version=\"1.0\" "
			"encoding=\"utf-8\"?>\r\n" BARE "\r\n");
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	assert_blob(source, BARE);
	assert_int_equal(update_of(source_load(source), UPDATE_1, 100)->units,
			 strlen(BARE) - 3);
}

static void test_utf16_becomes_utf8(void **state)
{
	static const char text[] =
		"\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-16\"?>" BARE;
	struct source *source = source_create(*state);
	struct buf utf16;

	buf_init(&utf16, source, WSUS_BLOB_MAX);
	assert_int_equal(text_utf8_to_utf16(&utf16, text, sizeof(text) - 1),
			 EVERR_OK);
	source_put(source, "a.xml", (const char *)utf16.data, utf16.len);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	assert_blob(source, BARE);
	buf_free(&utf16);
}

static void test_a_changed_blob_is_noticed_when_it_is_read(void **state)
{
	struct source *source = source_create(*state);
	const struct wsus_catalogue *catalogue = NULL;
	char *path = NULL;
	struct buf blob;
	int fd;

	source_put_text(source, "a.xml", BARE);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	catalogue = source_load(source);
	path = talloc_asprintf(source, "%s/" WSUS_DATA_NAME, source->catalogue,
			       catalogue->data_number);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, 40), 1);
	close(fd);
	buf_init(&blob, source, WSUS_BLOB_MAX);
	assert_int_equal(
		wsus_catalogue_read(catalogue,
				    update_of(catalogue, UPDATE_1, 100), &blob),
		EVERR_STORE_CORRUPT);
	buf_free(&blob);
}

/* ----------------------------------------------------------------- mistakes */

static void test_each_mistake_in_metadata_is_named_with_its_file(void **state)
{
	static const struct {
		const char *text;
		const char *problem;
	} rows[] = {
		{"<a", "a.xml:1: "},
		{"", "a.xml:"},
		{"<a/>", "no Update/UpdateIdentity"},
		{"<u:Update><UpdateIdentity UpdateID='" UPDATE_1
		 "' RevisionNumber='1'/><Properties UpdateType='Software'/>"
		 "</u:Update>",
		 "a.xml:1: Namespace prefix u"},
		{"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "DOCTYPE"},
		{"\xFF\x00", "neither UTF-8 nor UTF-16"},
		{"<?xml version='1.0' encoding='latin1'?><a/>",
		 "neither UTF-8 nor UTF-16"},
		{"<Update>\n<UpdateIdentity UpdateID='x' RevisionNumber='1'/>"
		 "</Update>",
		 "a.xml:2: UpdateID is not a guid"},
		{"<Update><UpdateIdentity UpdateID='" UPDATE_1
		 "' RevisionNumber='-1'/></Update>",
		 "RevisionNumber is not a number"},
		{"<Update><UpdateIdentity UpdateID='" UPDATE_1
		 "' RevisionNumber='1'/></Update>",
		 "no Update/Properties"},
		{"<Update><UpdateIdentity UpdateID='" UPDATE_1
		 "' RevisionNumber='1'/><Properties/></Update>",
		 "no UpdateType"},
		{"<Update><UpdateIdentity UpdateID='" UPDATE_1
		 "' RevisionNumber='1'/><Properties UpdateType='Software'/>"
		 "<Files><File Digest='AAAA'/></Files></Update>",
		 "SHA-1"},
	};
	struct source *source = source_create(*state);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		source_put_text(source, "a.xml", rows[i].text);
		assert_int_equal(source_import(source, SOURCE_TIME),
				 EVERR_CONFIG);
		source_assert_problem(source, rows[i].problem);
		source_assert_problem(source, "a.xml");
	}
	/* Nothing was made. */
	assert_int_equal(access(source->catalogue, F_OK), -1);
}

static void test_each_mistake_in_the_settings_is_named(void **state)
{
	static const struct {
		const char *text;
		const char *problem;
	} rows[] = {
		{"{", "catalogue.json:1: "},
		{"[]", "it is not an object"},
		{"{\"lazySnyc\":true}", "'lazySnyc' is not known here"},
		{"{\"lazySync\":1}", "'lazySync' is true or false"},
		{"{\"groups\":{}}", "'groups' is a list"},
		{"{\"groups\":[1]}", "groups[0]: it is not an object"},
		{"{\"groups\":[{\"id\":\"x\",\"name\":\"A\"}]}",
		 "groups[0]: 'id' is a guid"},
		{"{\"groups\":[{\"id\":\"" UNASSIGNED "\",\"name\":\"A\"}]}",
		 "already"},
		{"{\"groups\":[{\"id\":\"" PRODUCT
		 "\",\"name\":\"A\",\"parent\":\"" UPDATE_1 "\"}]}",
		 "its parent"},
		{"{\"groups\":[{\"id\":\"" PRODUCT "\",\"name\":\"\"}]}",
		 "'name' is a text"},
		{"{\"deployments\":[" DEPLOYMENT(DEPLOYMENT_1, UPDATE_2) "]}",
		 "deployments[0]: there is no metadata"},
		{"{\"deployments\":[" DEPLOYMENT(
			 DEPLOYMENT_1, UPDATE_1) "," DEPLOYMENT(DEPLOYMENT_1,
								UPDATE_1) "]}",
		 "its 'id' is that of [0]"},
		{"{\"deployments\":[{\"action\":\"destroy\"}]}",
		 "'action' is install"},
		{"{\"deployments\":[{\"deadline\":\"soon\"}]}",
		 "'deadline' is a time"},
		{"{\"deployments\":[{\"priority\":4}]}", "from 1 to 3"},
		{"{\"declined\":[\"" UPDATE_1 "\",\"x\"]}",
		 "declined[1]: 'x' is not a guid"},
		{"{\"compress\":[\"" UPDATE_2 "\"]}", "compress[0]: "},
		{"{\"fileUrls\":{\"AAAA\":\"http://a/\"}}", "SHA-1"},
		{"{\"fileUrls\":{\"" DIGEST "\":\"http://a/\"}}",
		 "no update has the file"},
		{"{\"fileUrls\":{\"" DIGEST "\":\"file:///etc\"}}",
		 "http or https"},
	};
	struct source *source = source_create(*state);
	size_t i;

	source_put_text(source, "a.xml", BARE);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		source_put_text(source, "catalogue.json", rows[i].text);
		assert_int_equal(source_import(source, SOURCE_TIME),
				 EVERR_CONFIG);
		source_assert_problem(source, rows[i].problem);
		source_assert_problem(source, "catalogue.json");
	}
	assert_int_equal(access(source->catalogue, F_OK), -1);
}

static void test_the_same_revision_twice_is_refused(void **state)
{
	struct source *source = source_create(*state);

	source_put_text(source, "a.xml", BARE);
	source_put_text(source, "b.xml", BARE);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_CONFIG);
	source_assert_problem(source, "/b.xml: it is the same update and "
				      "revision as ");
}

static void test_a_wrong_import_leaves_what_was_there(void **state)
{
	struct source *source = source_create(*state);

	source_put_text(source, "a.xml", BARE);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	source_put_text(source, "b.xml", "<a");
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE),
			 EVERR_CONFIG);
	assert_blob(source, BARE);
	assert_int_equal(source_load(source)->changed.number, 2);
}

static void test_a_missing_source_is_an_error(void **state)
{
	struct source *source = source_create(*state);
	struct wsus_import result;

	assert_int_equal(wsus_import(source, "/nonexistent/x",
				     source->catalogue, false, SOURCE_TIME,
				     &result, &source->problems),
			 EVERR_IO);
	source_assert_problem(source, "/nonexistent/x: No such file");
}

static void test_a_damaged_catalogue_is_not_imported_over(void **state)
{
	struct source *source = source_create(*state);
	char *path = NULL;

	source_put_text(source, "a.xml", BARE);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	path = talloc_asprintf(source, "%s/" WSUS_INDEX_FILE,
			       source->catalogue);
	assert_int_equal(truncate(path, 50), 0);
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE),
			 EVERR_CONFIG);
	source_assert_problem(source, path);
	/* As it advises. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE), EVERR_OK);
	assert_blob(source, BARE);
}

static void test_what_is_no_file_is_no_metadata(void **state)
{
	struct source *source = source_create(*state);
	char *path = talloc_asprintf(source, "%s/pipe.xml", source->dir);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_CONFIG);
	source_assert_problem(source, "pipe.xml: it is not a file");
}

static bool source_has(const struct source *source, const char *name)
{
	char *path = talloc_asprintf(NULL, "%s/%s", source->catalogue, name);
	bool has = access(path, F_OK) == 0;

	talloc_free(path);
	return has;
}

static void put_in_catalogue(const struct source *source, const char *name)
{
	char *path = talloc_asprintf(NULL, "%s/%s", source->catalogue, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	talloc_free(path);
}

static void test_what_a_killed_import_left_goes_with_the_next(void **state)
{
	struct source *source = source_create(*state);

	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	put_in_catalogue(source, ".updates.x1y2z3");
	put_in_catalogue(source, ".index.x1y2z3");
	put_in_catalogue(source, "updates-17.dat");
	put_in_catalogue(source, "updates-of-mine.dat");
	put_in_catalogue(source, "updates-1.xml");
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE), EVERR_OK);
	assert_false(source_has(source, ".updates.x1y2z3"));
	assert_false(source_has(source, ".index.x1y2z3"));
	assert_false(source_has(source, "updates-17.dat"));
	/* What is not ours stays. */
	assert_true(source_has(source, "updates-of-mine.dat"));
	assert_true(source_has(source, "updates-1.xml"));
}

static void test_a_clock_that_went_back_takes_no_file_in_use(void **state)
{
	struct source *source = source_create(*state);
	uint64_t number;

	source_put_text(source, "a.xml", BARE);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	number = source_load(source)->data_number;
	assert_int_equal(source_import(source, SOURCE_TIME - MINUTE), EVERR_OK);
	assert_true(source_load(source)->data_number > number);
	assert_blob(source, BARE);
}

/* ------------------------------------------------------------------- changes */

static void test_rows_keep_their_number_until_they_change(void **state)
{
	struct source *source = source_create(*state);
	struct wsus_catalogue *catalogue = NULL;

	source_put_update(source, UPDATE_1, 100, "Software", "");
	source_put_update(source, UPDATE_2, 101, "Software", "");
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	assert_int_equal(source->result.added, 2);
	source_put_update(source, UPDATE_2, 101, "Software", "<x/>");
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE), EVERR_OK);
	assert_int_equal(source->result.changed, 1);
	catalogue = source_load(source);
	assert_int_equal(update_of(catalogue, UPDATE_1, 100)->changed.number,
			 2);
	assert_int_equal(update_of(catalogue, UPDATE_1, 100)->changed.time,
			 SOURCE_TIME);
	assert_int_equal(update_of(catalogue, UPDATE_2, 101)->changed.number,
			 3);
	assert_int_equal(update_of(catalogue, UPDATE_2, 101)->changed.time,
			 SOURCE_TIME + MINUTE);
	assert_int_equal(catalogue->changed.number, 3);

	source_remove(source, UPDATE_2 "-101.xml");
	assert_int_equal(source_import(source, SOURCE_TIME + 2 * MINUTE),
			 EVERR_OK);
	assert_int_equal(source->result.removed, 1);
	catalogue = source_load(source);
	assert_int_equal(catalogue->num_updates, 1);
	assert_int_equal(catalogue->changed.number, 3);
}

static void test_each_deployment_moves_the_number(void **state)
{
	struct source *source = source_create(*state);
	struct wsus_catalogue *catalogue = NULL;
	struct ev_guid dead = guid(DEPLOYMENT_1);

	source_put_text(source, "a.xml", BARE);
	source_put_text(
		source, "catalogue.json",
		"{\"deployments\":[" DEPLOYMENT(
			DEPLOYMENT_1, UPDATE_1) "," DEPLOYMENT(DEPLOYMENT_2,
							       UPDATE_1) "]}");
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	assert_int_equal(source->result.created, 2);
	/* 1, the update 2, the deployments 3 and 4 */
	assert_int_equal(source_load(source)->changed.number, 4);

	/* goLive was not said: it stays when it was first seen. */
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE), EVERR_OK);
	assert_int_equal(source->result.created, 0);
	catalogue = source_load(source);
	assert_int_equal(catalogue->changed.number, 4);
	assert_int_equal(catalogue->deployments[0].go_live, SOURCE_TIME);

	source_put_text(
		source, "catalogue.json",
		"{\"deployments\":[" DEPLOYMENT(DEPLOYMENT_2, UPDATE_1) "]}");
	assert_int_equal(source_import(source, SOURCE_TIME + 2 * MINUTE),
			 EVERR_OK);
	assert_int_equal(source->result.deleted, 1);
	catalogue = source_load(source);
	assert_int_equal(catalogue->changed.number, 5);
	assert_int_equal(catalogue->num_deployments, 1);
	assert_int_equal(catalogue->num_dead, 1);
	assert_true(ev_guid_equal(&catalogue->dead[0].id, &dead));
	assert_int_equal(catalogue->dead[0].changed.number, 5);

	/* And it lives again. */
	source_put_text(
		source, "catalogue.json",
		"{\"deployments\":[" DEPLOYMENT(DEPLOYMENT_1, UPDATE_1) "]}");
	assert_int_equal(source_import(source, SOURCE_TIME + 3 * MINUTE),
			 EVERR_OK);
	catalogue = source_load(source);
	assert_int_equal(catalogue->num_dead, 1);
	assert_false(ev_guid_equal(&catalogue->dead[0].id, &dead));
}

static void test_languages_change_one_by_one(void **state)
{
	struct source *source = source_create(*state);
	struct wsus_catalogue *catalogue = NULL;

	source_put_text(source, "catalogue.json",
			"{\"languages\":[{\"id\":0,\"short\":\"all\","
			"\"long\":\"all\"},{\"id\":1033,\"short\":\"en\","
			"\"long\":\"English\",\"enabled\":false}]}");
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	catalogue = source_load(source);
	assert_int_equal(catalogue->num_languages, 2);
	/* The first is as it always was. */
	assert_int_equal(catalogue->languages[0].changed.number, 1);
	assert_int_equal(catalogue->languages[1].changed.number, 2);
	assert_false(catalogue->languages[1].enabled);
}

static void test_an_open_catalogue_outlives_the_next_import(void **state)
{
	struct source *source = source_create(*state);
	const struct wsus_catalogue *before = NULL;
	struct buf blob;

	source_put_text(source, "a.xml", BARE);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	before = source_load(source);
	source_remove(source, "a.xml");
	source_put_update(source, UPDATE_2, 1, "Software", "");
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE), EVERR_OK);
	buf_init(&blob, source, WSUS_BLOB_MAX);
	assert_int_equal(wsus_catalogue_read(before,
					     update_of(before, UPDATE_1, 100),
					     &blob),
			 EVERR_OK);
	assert_memory_equal(blob.data, BARE, blob.len);
	buf_free(&blob);
}

/* root imports, and the service reads. */
static void test_others_may_read_what_was_imported(void **state)
{
	struct source *source = source_create(*state);
	mode_t before = umask(077);
	struct stat st;

	source_put_text(source, "a.xml", BARE);
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	umask(before);
	assert_int_equal(stat(source->catalogue, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void test_checking_writes_nothing(void **state)
{
	struct source *source = source_create(*state);
	struct wsus_import result;

	source_put_text(source, "a.xml", BARE);
	assert_int_equal(wsus_import(source, source->dir, source->catalogue,
				     true, SOURCE_TIME, &result,
				     &source->problems),
			 EVERR_OK);
	assert_int_equal(result.added, 1);
	assert_int_equal(access(source->catalogue, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_no_catalogue_is_an_empty_one),
		leak_test(test_a_file_in_the_catalogues_place_is_an_error),
		leak_test(test_an_empty_directory_is_imported),
		leak_test(test_others_may_read_what_was_imported),
		leak_test(test_what_a_server_needs_is_read_from_the_metadata),
		leak_test(test_the_kinds_follow_type_and_category),
		leak_test(test_the_blob_has_neither_bom_nor_declaration),
		leak_test(test_utf16_becomes_utf8),
		leak_test(test_a_changed_blob_is_noticed_when_it_is_read),
		leak_test(test_each_mistake_in_metadata_is_named_with_its_file),
		leak_test(test_each_mistake_in_the_settings_is_named),
		leak_test(test_the_same_revision_twice_is_refused),
		leak_test(test_a_wrong_import_leaves_what_was_there),
		leak_test(test_a_missing_source_is_an_error),
		leak_test(test_a_damaged_catalogue_is_not_imported_over),
		leak_test(test_what_is_no_file_is_no_metadata),
		leak_test(test_what_a_killed_import_left_goes_with_the_next),
		leak_test(test_a_clock_that_went_back_takes_no_file_in_use),
		leak_test(test_rows_keep_their_number_until_they_change),
		leak_test(test_each_deployment_moves_the_number),
		leak_test(test_languages_change_one_by_one),
		leak_test(test_an_open_catalogue_outlives_the_next_import),
		leak_test(test_checking_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
