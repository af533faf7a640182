/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soap/wsus_source.h"

#include "soap/wsus_index.h"
#include "store/crc32c.h"

#define UPDATE_1 "0287014e-6772-4b4d-81f7-42063ac26e8a"
#define UPDATE_2 "36b1c48e-c741-4047-9b09-d38698ed34b3"
#define PRODUCT "6407468e-edc7-4ecd-8c32-521f64cee65e"
#define FAMILY "6964aab4-c5b5-43bd-a17d-ffb4346a8e1d"
#define DEPLOYMENT_1 "c2f2ca62-5413-419a-bdee-275a23087758"
#define DEPLOYMENT_2 "10a2030d-0ac1-434a-9c37-732fc36f9838"
#define GROUP "6d3f0b2c-6a9c-4c57-9c62-2d0a5e1b7a11"
#define MINUTE UINT64_C(600000000)

/* SHA-1 of "abc" and of the empty text, FIPS 180-2 and RFC 3174 */
#define DIGEST_ABC "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="
#define DIGEST_NONE "2jmj7l5rSw0yVb/vlWAYkK/YBwk="

#define DEPLOYMENT(id)                                                       \
	"{\"id\":\"" id "\",\"update\":\"" UPDATE_1                          \
	"\",\"revision\":101,\"action\":\"block\",\"admin\":\"A\\u00e4\",\"" \
	"deadline\":\"2026-05-24T15:37:08Z\",\"assigned\":false,\"priority"  \
	"\":3,\"group\":\"" GROUP "\"}"

#define SETTINGS(deployments)                                                 \
	"{\"catalogOnlySync\":true,\"lazySync\":false,\"groups\":[{\"id\":"   \
	"\"" GROUP "\",\"name\":\"Servers\"}],\"deployments\":[" deployments  \
	"],\"compress\":[\"" UPDATE_2 "\"],\"declined\":[\"" UPDATE_2         \
	"\"],\"acceptedEulas\":[\"" PRODUCT "\"],\"fileUrls\":{\"" DIGEST_ABC \
	"\":\"http://download.example/a\"}}"

static struct ev_guid guid(const char *text)
{
	struct ev_guid id;

	assert_int_equal(ev_guid_parse(text, &id), EVERR_OK);
	return id;
}

/* A catalogue with something in every section. */
static struct source *full_catalogue(TALLOC_CTX *mem_ctx)
{
	static const char *const family[] = {FAMILY, NULL};
	static const char *const product[] = {PRODUCT, NULL};
	struct source *source = source_create(mem_ctx);
	char *inside = NULL;

	source_put_update(source, FAMILY, 1, "Category", "");
	source_put_update(source, PRODUCT, 1, "Category",
			  source_in(source, family));
	inside = talloc_asprintf(
		source,
		"<upd:LocalizedPropertiesCollection><upd:LocalizedProperties>"
		"<upd:Language>en</upd:Language><upd:Title>One</upd:Title>"
		"</upd:LocalizedProperties>"
		"</upd:LocalizedPropertiesCollection>%s<upd:Files>"
		"<upd:File Digest=\"" DIGEST_NONE
		"\"/><upd:File Digest=\"" DIGEST_ABC "\"/></upd:Files>",
		source_in(source, product));
	source_put_update(source, UPDATE_1, 100, "Software", inside);
	source_put_update(source, UPDATE_1, 101, "Software", inside);
	source_put_update(source, UPDATE_2, 7, "Software", "");
	source_put_text(source, "catalogue.json",
			SETTINGS(DEPLOYMENT(DEPLOYMENT_1) "," DEPLOYMENT(
				DEPLOYMENT_2)));
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	source_put_text(source, "catalogue.json",
			SETTINGS(DEPLOYMENT(DEPLOYMENT_1)));
	assert_int_equal(source_import(source, SOURCE_TIME + MINUTE), EVERR_OK);
	return source;
}

static void assert_update(const struct wsus_catalogue *catalogue)
{
	struct ev_guid id = guid(UPDATE_1);
	const struct wsus_update *update =
		wsus_catalogue_find(catalogue, &id, 101);
	struct ev_guid family = guid(FAMILY);
	uint32_t number;

	assert_non_null(update);
	assert_string_equal(update->title, "One");
	assert_int_equal(update->languages, 1);
	assert_false(update->compress);
	assert_true(update->newest);
	assert_int_equal(update->num_categories, 1);
	assert_int_equal(update->num_member_of, 2);
	assert_int_equal(wsus_catalogue_category(catalogue, &family, &number),
			 EVERR_OK);
	assert_true(update->member_of[0] == number ||
		    update->member_of[1] == number);
	assert_int_equal(update->num_files, 2);
	assert_null(update->files[0].url);
	assert_string_equal(update->files[1].url, "http://download.example/a");
	assert_true(
		wsus_catalogue_has_file(catalogue, update->files[0].digest));
	assert_true(
		wsus_catalogue_has_file(catalogue, update->files[1].digest));
	assert_false(wsus_catalogue_find(catalogue, &id, 100)->newest);
	assert_ptr_equal(wsus_catalogue_newest(catalogue, &id), update);
}

static void test_what_was_imported_is_what_is_loaded(void **state)
{
	struct source *source = full_catalogue(*state);
	const struct wsus_catalogue *catalogue = source_load(source);
	const struct wsus_deployment *deployment = NULL;
	struct ev_guid dead = guid(DEPLOYMENT_2);
	struct ev_guid group = guid(GROUP);
	struct ev_guid update = guid(UPDATE_2);

	assert_update(catalogue);
	assert_int_equal(catalogue->num_updates, 5);
	assert_true(wsus_catalogue_find(catalogue, &update, 7)->compress);
	assert_string_equal(wsus_catalogue_find(catalogue, &update, 7)->title,
			    "");
	assert_true(catalogue->catalog_only);
	assert_false(catalogue->lazy);
	assert_int_equal(catalogue->num_groups, 3);
	assert_true(ev_guid_equal(&catalogue->groups[2].id, &group));
	assert_string_equal(catalogue->groups[2].name, "Servers");
	assert_int_equal(catalogue->num_deployments, 1);
	deployment = &catalogue->deployments[0];
	assert_string_equal(deployment->admin, "A\xC3\xA4");
	assert_int_equal(deployment->action, WSUS_BLOCK);
	assert_int_equal(deployment->revision, 101);
	assert_int_equal(deployment->priority, 3);
	assert_false(deployment->assigned);
	assert_true(ev_guid_equal(&deployment->group, &group));
	assert_int_equal(catalogue->num_dead, 1);
	assert_true(ev_guid_equal(&catalogue->dead[0].id, &dead));
	assert_int_equal(catalogue->dead[0].changed.time, SOURCE_TIME + MINUTE);
	assert_int_equal(catalogue->num_declined, 1);
	assert_int_equal(catalogue->num_eulas, 1);
	assert_int_equal(catalogue->languages[38].id, 66577);
	assert_string_equal(catalogue->languages[38].long_name, "Japanese NEC");
}

/* ------------------------------------------------------------------- damage */

struct index {
	char *path;
	uint8_t *data;
	size_t len;
};

static struct index read_index(struct source *source)
{
	struct index index = {};
	struct stat st;
	int fd;

	index.path = talloc_asprintf(source, "%s/" WSUS_INDEX_FILE,
				     source->catalogue);
	fd = open(index.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	index.len = (size_t)st.st_size;
	index.data = talloc_array(source, uint8_t, index.len);
	assert_int_equal(read(fd, index.data, index.len), index.len);
	close(fd);
	return index;
}

static void write_index(const struct index *index, size_t len)
{
	int fd = open(index->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, index->data, len), len);
	close(fd);
}

static void assert_refused(struct source *source, const char *path)
{
	struct wsus_catalogue *catalogue = NULL;
	char *message = NULL;

	assert_int_equal(wsus_catalogue_load(source, source->catalogue,
					     &catalogue, &message),
			 EVERR_CONFIG);
	assert_null(catalogue);
	assert_non_null(strstr(message, path));
	assert_non_null(strstr(message, "import again"));
	talloc_free(message);
}

static void test_each_damaged_byte_is_noticed(void **state)
{
	struct source *source = full_catalogue(*state);
	struct index index = read_index(source);
	size_t i;

	for (i = 0; i < index.len; i++) {
		index.data[i] ^= 0x10;
		write_index(&index, index.len);
		assert_refused(source, index.path);
		index.data[i] ^= 0x10;
	}
	write_index(&index, index.len);
	assert_update(source_load(source));
}

static void test_an_index_cut_anywhere_is_refused(void **state)
{
	struct source *source = full_catalogue(*state);
	struct index index = read_index(source);
	size_t len;

	for (len = 0; len < index.len; len++) {
		write_index(&index, len);
		assert_refused(source, index.path);
	}
}

/* All that anybody would look at. */
static void use(const struct wsus_catalogue *catalogue)
{
	size_t len = 0;
	size_t i, j;

	for (i = 0; i < catalogue->num_updates; i++) {
		const struct wsus_update *update = &catalogue->updates[i];

		assert_ptr_equal(wsus_catalogue_find(catalogue, &update->id,
						     update->revision),
				 update);
		len += strlen(update->title);
		for (j = 0; j < update->num_member_of; j++) {
			assert_true(update->member_of[j] <
				    catalogue->num_categories);
		}
		for (j = 0; j < update->num_files; j++) {
			const struct wsus_file *file = &update->files[j];

			len += file->url != NULL ? strlen(file->url) : 0;
			len += wsus_catalogue_has_file(catalogue, file->digest);
		}
		for (j = 0; j < update->num_categories; j++) {
			len += update->categories[j].b[15];
		}
	}
	for (i = 0; i < catalogue->num_languages; i++) {
		len += strlen(catalogue->languages[i].long_name) +
		       strlen(catalogue->languages[i].short_name);
	}
	for (i = 0; i < catalogue->num_groups; i++) {
		len += strlen(catalogue->groups[i].name);
	}
	for (i = 0; i < catalogue->num_deployments; i++) {
		assert_true(catalogue->deployments[i].action < WSUS_ACTIONS);
		len += strlen(catalogue->deployments[i].admin);
	}
	assert_true(len > 0);
}

/* As one who knows the checksum would make it. */
static void test_nothing_in_a_hostile_index_is_believed(void **state)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7F, 0xFF};
	struct source *source = full_catalogue(*state);
	struct index index = read_index(source);
	size_t refused = 0;
	size_t i, j;

	for (i = WSUS_INDEX_AT_LENGTH; i < index.len; i++) {
		uint8_t before = index.data[i];

		for (j = 0; j < sizeof(values); j++) {
			struct wsus_catalogue *catalogue = NULL;
			char *message = NULL;
			everr_t err;

			index.data[i] = values[j];
			le32_set(index.data + WSUS_INDEX_AT_CHECKSUM,
				 store_crc32c(
					 0, index.data + WSUS_INDEX_AT_LENGTH,
					 index.len - WSUS_INDEX_AT_LENGTH));
			write_index(&index, index.len);
			err = wsus_catalogue_load(source, source->catalogue,
						  &catalogue, &message);
			assert_true(err == EVERR_OK || err == EVERR_CONFIG);
			if (err == EVERR_OK) {
				use(catalogue);
			}
			refused += err != EVERR_OK;
			talloc_free(catalogue);
			talloc_free(message);
		}
		index.data[i] = before;
	}
	assert_true(refused > 100);
}

static void test_an_index_of_another_kind_is_no_index(void **state)
{
	struct source *source = full_catalogue(*state);
	struct index index = read_index(source);

	assert_int_equal(unlink(index.path), 0);
	assert_int_equal(mkfifo(index.path, 0600), 0);
	assert_refused(source, index.path);
}

static void test_missing_metadata_is_an_error(void **state)
{
	struct source *source = full_catalogue(*state);
	const struct wsus_catalogue *catalogue = source_load(source);
	char *path = talloc_asprintf(source, "%s/" WSUS_DATA_NAME,
				     source->catalogue, catalogue->data_number);

	assert_int_equal(truncate(path, 10), 0);
	assert_refused(source, path);
	assert_int_equal(unlink(path), 0);
	assert_refused(source, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_was_imported_is_what_is_loaded),
		leak_test(test_each_damaged_byte_is_noticed),
		leak_test(test_an_index_cut_anywhere_is_refused),
		leak_test(test_nothing_in_a_hostile_index_is_believed),
		leak_test(test_an_index_of_another_kind_is_no_index),
		leak_test(test_missing_metadata_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
