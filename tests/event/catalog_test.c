/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/event/manifest.h"

#include <stdlib.h>
#include <time.h>

static everr_t add(struct event_catalog *catalog, const char *xml,
		   const char **ret_name)
{
	struct event_manifest *manifest = man_read(catalog, xml);
	everr_t err = event_catalog_add(catalog, manifest, ret_name);

	if (err != EVERR_OK) {
		talloc_free(manifest);
	}
	return err;
}

static void test_a_new_catalog_has_the_services_own_publisher(void **state)
{
	struct event_catalog *catalog = event_catalog_create(*state);
	const struct event_publisher *own = NULL;
	uint32_t id;

	assert_non_null(catalog);
	assert_int_equal(event_catalog_count(catalog), 1);
	own = event_catalog_find(catalog, "evenlog");
	assert_non_null(own);
	assert_string_equal(own->channels[0].name, "Evenlog/Operational");
	/* Each has a text. */
	assert_true(own->num_events > 0);
	for (id = 0; id < own->num_events; id++) {
		const char *text = event_publisher_message(
			own, own->events[id].message_id, 0, false);

		assert_non_null(text);
	}
	talloc_free(catalog);
}

static void test_publishers_are_found_by_name_and_guid(void **state)
{
	struct event_catalog *catalog = event_catalog_create(*state);
	const struct event_publisher *p = NULL;
	const char *name = NULL;

	assert_int_equal(add(catalog, MAN_SAMPLE, &name), EVERR_OK);
	assert_int_equal(event_catalog_count(catalog), 2);
	p = event_catalog_find(catalog, "CONTOSO-backup");
	assert_non_null(p);
	assert_ptr_equal(event_catalog_at(catalog, 0), p);
	assert_string_equal(event_catalog_at(catalog, 1)->name, "Evenlog");
	assert_ptr_equal(
		event_catalog_find(catalog,
				   "{1DB28F2E-8F80-4027-8C5A-A11F7F10F62D}"),
		p);
	assert_string_equal(event_catalog_file(catalog, p), "test.man");
	assert_string_equal(
		event_catalog_file(catalog, event_catalog_at(catalog, 1)),
		"evenlog.man");
	assert_string_equal(
		event_catalog_file(catalog, event_catalog_default(catalog)),
		"");
	assert_null(event_catalog_find(catalog, ""));
	assert_null(event_catalog_find(catalog, "{nothing}"));
	assert_null(event_catalog_find(
		catalog, "{1DB28F2E-8F80-4027-8C5A-A11F7F10F62E}"));
	talloc_free(catalog);
}

static void test_a_name_or_guid_is_taken_once(void **state)
{
	static const char other_name[] =
		MAN_HEAD "<provider name='Other' guid='{1db28f2e-8f80-4027-"
			 "8c5a-a11f7f10f62d}'/>" MAN_LOCAL MAN_TAIL;
	static const char other_guid[] =
		MAN_HEAD "<provider name='contoso-BACKUP' guid='{1db28f2e-8f80"
			 "-4027-8c5a-a11f7f10f62e}'/>" MAN_LOCAL MAN_TAIL;
	static const char itself[] =
		MAN_HEAD "<provider name='A' guid='{1db28f2e-8f80-4027-8c5a-"
			 "a11f7f10f62c}'/><provider name='B' guid='{1db28f2e-"
			 "8f80-4027-8c5a-a11f7f10f62c}'/>" MAN_LOCAL MAN_TAIL;
	struct event_catalog *catalog = event_catalog_create(*state);
	const char *name = NULL;

	assert_int_equal(add(catalog, MAN_SAMPLE, &name), EVERR_OK);
	assert_int_equal(add(catalog, other_name, &name), EVERR_EXISTS);
	assert_string_equal(name, "Contoso-Backup");
	name = NULL;
	assert_int_equal(add(catalog, other_guid, &name), EVERR_EXISTS);
	assert_string_equal(name, "Contoso-Backup");
	assert_int_equal(add(catalog, itself, &name), EVERR_EXISTS);
	assert_int_equal(event_catalog_count(catalog), 2);
	/* Of what was refused nothing stayed. */
	assert_null(event_catalog_find(catalog, "Other"));
	assert_null(event_catalog_find(catalog, "A"));
	assert_null(event_catalog_find(
		catalog, "{1DB28F2E-8F80-4027-8C5A-A11F7F10F62C}"));
	assert_non_null(event_catalog_find(
		catalog, "{1DB28F2E-8F80-4027-8C5A-A11F7F10F62D}"));
	talloc_free(catalog);
}

/* A manifest of one publisher, as if it had been read. */
static struct event_manifest *make(TALLOC_CTX *mem_ctx, uint32_t number)
{
	struct event_manifest *manifest =
		talloc_zero(mem_ctx, struct event_manifest);

	manifest->file = "made";
	manifest->num_publishers = 1;
	manifest->publishers = talloc_zero(manifest, struct event_publisher);
	manifest->publishers->name =
		talloc_asprintf(manifest, "P-%05u", number);
	/* In another order than the names. */
	manifest->publishers->guid.b[0] = (uint8_t)number;
	manifest->publishers->guid.b[1] = (uint8_t)(number >> 8);
	manifest->publishers->guid.b[15] = 1;
	return manifest;
}

static void test_as_many_files_as_publishers_are_taken_in_seconds(void **state)
{
	struct event_catalog *catalog = event_catalog_create(*state);
	struct event_manifest *manifest = NULL;
	const clock_t start = clock();
	const char *name = NULL;
	uint32_t i;

	/* 4001 is prime to their number, so that each comes once. */
	for (i = 0; i < EVENT_CATALOG_PUBLISHERS_MAX - 1; i++) {
		manifest = make(*state,
				i * 4001 % (EVENT_CATALOG_PUBLISHERS_MAX - 1));
		assert_int_equal(event_catalog_add(catalog, manifest, &name),
				 EVERR_OK);
	}
	manifest = make(*state, 60000);
	assert_int_equal(event_catalog_add(catalog, manifest, &name),
			 EVERR_LIMIT);
	talloc_free(manifest);
	/* "Evenlog" comes before "P-00000". */
	for (i = 1; i < EVENT_CATALOG_PUBLISHERS_MAX; i++) {
		const struct event_publisher *p = event_catalog_at(catalog, i);
		char guid[EV_GUID_TEXT_SIZE];

		assert_int_equal(strtoul(p->name + 2, NULL, 10), i - 1);
		ev_guid_format(&p->guid, guid);
		assert_ptr_equal(event_catalog_find(catalog, guid), p);
	}
	/* Sorted anew for each of them it would be minutes. */
	assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
	talloc_free(catalog);
}

/* Facts 12.3, 12.6. */
static void test_the_default_publisher_names_the_standard(void **state)
{
	struct event_catalog *catalog = event_catalog_create(*state);
	const struct event_publisher *p = event_catalog_default(catalog);
	uint8_t level;

	for (level = 0; level < 16; level++) {
		assert_non_null(event_catalog_level(catalog, NULL, level, 0));
	}
	assert_null(event_catalog_level(catalog, NULL, 16, 0));
	assert_string_equal(event_catalog_level(catalog, NULL, 2, 0x407),
			    "Error");
	assert_string_equal(event_catalog_level(catalog, NULL, 0, 0),
			    "Information");
	assert_string_equal(event_catalog_task(catalog, NULL, 0, 0), "None");
	assert_null(event_catalog_task(catalog, NULL, 1, 0));
	assert_string_equal(event_catalog_opcode(catalog, NULL, 3, 9, 0),
			    "Send");
	assert_string_equal(event_catalog_opcode(catalog, NULL, 0, 240, 0),
			    "Receive");
	assert_null(event_catalog_opcode(catalog, NULL, 0, 10, 0));
	assert_string_equal(
		event_catalog_keyword(catalog, NULL, 0x20000000000000, 0),
		"Audit Success");
	assert_string_equal(
		event_catalog_keyword(catalog, NULL, 0x80000000000000, 0),
		"Classic");
	assert_null(event_catalog_keyword(catalog, NULL, 1, 0));
	assert_string_equal(event_publisher_message(p, 256, 0, false),
			    "Application");
	assert_string_equal(event_publisher_message(p, 257, 0, false),
			    "Security");
	assert_string_equal(event_publisher_message(p, 258, 0, false),
			    "System");
	talloc_free(catalog);
}

static void test_a_publishers_names_come_before_the_standard(void **state)
{
	struct event_catalog *catalog = event_catalog_create(*state);
	const struct event_publisher *p = NULL;
	const char *name = NULL;

	assert_int_equal(add(catalog, MAN_SAMPLE, &name), EVERR_OK);
	p = event_catalog_find(catalog, "Contoso-Backup");
	assert_string_equal(event_catalog_level(catalog, p, 16, 0x407),
			    "Sehr laut");
	assert_string_equal(event_catalog_level(catalog, p, 3, 0), "Warning");
	assert_string_equal(event_catalog_task(catalog, p, 7, 0), "A job");
	/* Without a text it is called what it is called. */
	assert_string_equal(event_catalog_task(catalog, p, 8, 0), "Quiet");
	assert_null(event_catalog_task(catalog, p, 9, 0));
	/* Of its task, of any task, of none. */
	assert_string_equal(event_catalog_opcode(catalog, p, 7, 12, 0),
			    "Verifying");
	assert_null(event_catalog_opcode(catalog, p, 8, 12, 0));
	assert_string_equal(event_catalog_opcode(catalog, p, 7, 11, 0),
			    "Copying");
	assert_string_equal(event_catalog_opcode(catalog, p, 7, 1, 0), "Start");
	assert_string_equal(event_catalog_keyword(catalog, p, 1, 0), "disk");
	talloc_free(catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_new_catalog_has_the_services_own_publisher),
		leak_test(test_publishers_are_found_by_name_and_guid),
		leak_test(test_a_name_or_guid_is_taken_once),
		leak_test(
			test_as_many_files_as_publishers_are_taken_in_seconds),
		leak_test(test_the_default_publisher_names_the_standard),
		leak_test(test_a_publishers_names_come_before_the_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
