/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Directories of manifests that somebody filled badly: nothing of it keeps
 * the service from starting, or the good files from being read.
 */

#include "tests/leak.h"

#include "bridge/events.h"
#include "daemon/manifests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024 * 1024)

static const char good[] =
	"<instrumentationManifest xmlns='http://schemas.microsoft.com/win/2004/"
	"08/events'><instrumentation><events>"
	"<provider name='Contoso' guid='{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}'"
	"/></events></instrumentation></instrumentationManifest>";

/* A directory of its own, and the files that are made in it. */
struct directory {
	char path[40];
	char **files;
	size_t num_files;
};

static const char *in_directory(struct directory *directory, const char *name)
{
	size_t n = directory->num_files++;

	directory->files = talloc_realloc(directory, directory->files, char *,
					  directory->num_files);
	directory->files[n] = talloc_asprintf(directory->files, "%s/%s",
					      directory->path, name);
	return directory->files[n];
}

static int remove_directory(struct directory *directory)
{
	size_t i;

	for (i = 0; i < directory->num_files; i++) {
		remove(directory->files[i]);
	}
	rmdir(directory->path);
	return 0;
}

static struct directory *new_directory(TALLOC_CTX *mem_ctx)
{
	struct directory *directory = talloc_zero(mem_ctx, struct directory);

	memcpy(directory->path, "/tmp/evenlog-manifests-XXXXXX", 30);
	assert_non_null(mkdtemp(directory->path));
	talloc_set_destructor(directory, remove_directory);
	return directory;
}

/* With text in it, and then zeros up to size. */
static void put_file(struct directory *directory, const char *name,
		     const char *text, off_t size)
{
	FILE *file = fopen(in_directory(directory, name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fflush(file), 0);
	if (size > 0) {
		assert_int_equal(ftruncate(fileno(file), size), 0);
	}
	assert_int_equal(fclose(file), 0);
}

static struct daemon_manifests *load(TALLOC_CTX *mem_ctx,
				     const struct directory *directory)
{
	struct daemon_manifests *manifests = NULL;

	assert_int_equal(daemon_manifests_load(mem_ctx, directory->path, NULL,
					       &manifests),
			 EVERR_OK);
	return manifests;
}

/* "DIR/" stands in front of each. */
static void assert_problems(const struct daemon_manifests *manifests,
			    const struct directory *directory,
			    const char *const *want, size_t num)
{
	size_t i;

	for (i = 0; i < num && i < manifests->num_problems; i++) {
		const char *problem = manifests->problems[i];

		assert_memory_equal(problem, directory->path,
				    strlen(directory->path));
		assert_string_equal(problem + strlen(directory->path) + 1,
				    want[i]);
	}
	assert_int_equal(manifests->num_problems, num);
}

static void test_what_is_no_manifest_is_passed_over(void **state)
{
	static const char *const want[] = {
		"a-loop.man cannot be read: Too many levels of symbolic links",
		"b-nowhere.man cannot be read: No such file or directory",
		"c-fifo.man cannot be read: it is not a file",
		"d-directory.man cannot be read: it is not a file",
		"e-endless.man cannot be read: it is not a file",
		"f-large.man: larger than 16 MiB",
		"g-empty.man: not an XML document",
		"i-again.man: the publisher Contoso, or another one with its "
		"GUID, is already described",
	};
	struct directory *directory = new_directory(*state);
	struct daemon_manifests *manifests = NULL;

	assert_int_equal(
		symlink("a-loop.man", in_directory(directory, "a-loop.man")),
		0);
	assert_int_equal(
		symlink("nowhere", in_directory(directory, "b-nowhere.man")),
		0);
	assert_int_equal(mkfifo(in_directory(directory, "c-fifo.man"), 0600),
			 0);
	assert_int_equal(
		mkdir(in_directory(directory, "d-directory.man"), 0700), 0);
	assert_int_equal(
		symlink("/dev/zero", in_directory(directory, "e-endless.man")),
		0);
	put_file(directory, "f-large.man", good, 16 * MIB + 1);
	put_file(directory, "g-empty.man", "", 0);
	put_file(directory, "h-good.man", good, 0);
	put_file(directory, "i-again.man", good, 0);
	put_file(directory, ".hidden.man", "", 0);
	put_file(directory, "other.xml", "", 0);

	manifests = load(*state, directory);
	assert_problems(manifests, directory, want,
			sizeof(want) / sizeof(want[0]));
	assert_non_null(event_catalog_find(manifests->catalog, "Contoso"));
	talloc_free(manifests);
	talloc_free(directory);
}

static void test_a_directory_has_room_for_so_many_bytes(void **state)
{
	static const char *const want[] = {
		"a.man: not an XML document",
		"b.man: not an XML document",
		"c.man: not an XML document",
		"d.man: not an XML document",
		"e.man: with it the manifests are larger than 64 MiB together",
	};
	struct directory *directory = new_directory(*state);
	struct daemon_manifests *manifests = NULL;
	uint8_t *data = NULL;
	char *message = NULL;
	char name[] = "a.man";
	size_t len = 0;

	for (; name[0] <= 'd'; name[0]++) {
		put_file(directory, name, "", 16 * MIB - 200);
	}
	put_file(directory, "e.man", "", MIB);
	put_file(directory, "f.man", good, 0);

	manifests = load(*state, directory);
	assert_problems(manifests, directory, want,
			sizeof(want) / sizeof(want[0]));
	/* A small one goes in. */
	assert_non_null(event_catalog_find(manifests->catalog, "Contoso"));
	assert_int_equal(manifests->num_bytes, 64 * MIB - 800 + strlen(good));

	/* One that is to be installed has no more room than they leave. */
	assert_int_equal(daemon_manifest_read(manifests, manifests,
					      directory->files[4], &data, &len,
					      &message),
			 EVERR_LIMIT);
	assert_non_null(strstr(message, "larger than 64 MiB together"));
	talloc_free(manifests);
	talloc_free(directory);
}

static void test_a_directory_has_so_many_files(void **state)
{
	struct directory *directory = new_directory(*state);
	struct daemon_manifests *manifests = NULL;
	char name[16];
	unsigned int i;

	for (i = 0; i < DAEMON_MANIFESTS_MAX; i++) {
		snprintf(name, sizeof(name), "%05u.man", i);
		put_file(directory, name, i == 0 ? good : "", 0);
	}
	put_file(directory, "x.man", "", 0);
	put_file(directory, "y.man", "", 0);

	manifests = load(*state, directory);
	assert_non_null(event_catalog_find(manifests->catalog, "Contoso"));
	assert_int_equal(manifests->num_problems, DAEMON_MANIFESTS_MAX);
	assert_non_null(strstr(manifests->problems[0],
			       " has more than 4096 manifests: x.man and those "
			       "after it are passed over"));
	talloc_free(manifests);
	talloc_free(directory);
}

static void test_no_directory_has_no_manifests(void **state)
{
	struct daemon_manifests *manifests = NULL;

	assert_int_equal(daemon_manifests_load(*state, "/nonexistent/m", NULL,
					       &manifests),
			 EVERR_OK);
	assert_int_equal(manifests->num_problems, 0);
	/* Evenlog's own and those of the bridges. */
	assert_int_equal(event_catalog_count(manifests->catalog), 3);
	talloc_free(manifests);

	/* One that cannot be read is said to be so. */
	assert_int_equal(
		daemon_manifests_load(*state, "/dev/null", NULL, &manifests),
		EVERR_OK);
	assert_int_equal(manifests->num_problems, 1);
	assert_string_equal(manifests->problems[0],
			    "/dev/null cannot be read: Not a directory");
	talloc_free(manifests);
}

static void test_no_file_describes_what_is_built_in(void **state)
{
	static const char *const want[] = {
		"wsus.man: the publisher Evenlog-WSUS, or its GUID, is one of "
		"Evenlog's own, which no file describes",
	};
	struct directory *directory = new_directory(*state);
	struct daemon_manifests *manifests = NULL;

	put_file(directory, "wsus.man", bridge_wsus_manifest, 0);
	manifests = load(*state, directory);
	assert_problems(manifests, directory, want, 1);
	assert_string_equal(
		event_catalog_file(manifests->catalog,
				   event_catalog_find(manifests->catalog,
						      BRIDGE_WSUS_PROVIDER)),
		"evenlog-wsus.man");
	assert_non_null(event_catalog_find(manifests->catalog,
					   BRIDGE_CONFIGMGR_PROVIDER));
	talloc_free(manifests);
	talloc_free(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_what_is_no_manifest_is_passed_over),
		leak_test(test_a_directory_has_room_for_so_many_bytes),
		leak_test(test_a_directory_has_so_many_files),
		leak_test(test_no_directory_has_no_manifests),
		leak_test(test_no_file_describes_what_is_built_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
