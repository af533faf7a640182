/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Which target paths a client may name, and where they lead.  The rules for
 * names are those of Microsoft's "Naming Files, Paths, and Namespaces".
 */

#include "tests/leak.h"

#include "rpc/export_path.h"

#include <stdbool.h>
#include <string.h>

static void assert_maps(TALLOC_CTX *mem_ctx, const char *text,
			const char *expected)
{
	struct rpc_export_path *path = NULL;

	if (rpc_export_path_parse(mem_ctx, text, &path) != EVERR_OK) {
		fail_msg("refused: %s", text);
	}
	assert_string_equal(path->text, expected);
	TALLOC_FREE(path);
}

static void assert_refused(TALLOC_CTX *mem_ctx, const char *text)
{
	struct rpc_export_path *path = NULL;

	if (rpc_export_path_parse(mem_ctx, text, &path) != EVERR_INVALID) {
		fail_msg("not refused: %s", text);
	}
}

static void test_drives_become_directories(void **state)
{
	assert_maps(*state, "C:\\Backups\\app.evtx", "C/Backups/app.evtx");
	assert_maps(*state, "C:\\app.evtx", "C/app.evtx");
	assert_maps(*state, "c:\\app.evtx", "C/app.evtx");
	assert_maps(*state, "z:/a/b\\c.evtx", "Z/a/b/c.evtx");
	assert_maps(*state, "D:\\Two Words\\x y.evtx", "D/Two Words/x y.evtx");
	assert_maps(*state,
		    "C:\\Gr\xC3\xB6\xC3\x9F"
		    "e.evtx",
		    "C/Gr\xC3\xB6\xC3\x9F"
		    "e.evtx");
	assert_maps(*state, "C:\\no extension", "C/no extension");
}

static void test_unix_paths_keep_theirs(void **state)
{
	assert_maps(*state, "/x/y.evtx", "x/y.evtx");
	assert_maps(*state, "/y.evtx", "y.evtx");
	assert_maps(*state, "/C/y.evtx", "C/y.evtx");
	assert_maps(*state, "/a.b/c..d/e.evtx", "a.b/c..d/e.evtx");
}

static void test_the_components_are_told_apart(void **state)
{
	struct rpc_export_path *path = NULL;

	assert_int_equal(rpc_export_path_parse(*state, "C:\\a\\b.evtx", &path),
			 EVERR_OK);
	assert_int_equal(path->num_names, 3);
	assert_string_equal(path->names[0], "C");
	assert_string_equal(path->names[1], "a");
	assert_string_equal(path->names[2], "b.evtx");
	TALLOC_FREE(path);
}

static void test_paths_without_a_root_are_refused(void **state)
{
	static const char *const paths[] = {
		"",
		"a.evtx",
		"a\\b.evtx",
		"C:a.evtx",
		"\\a.evtx",
		"C:",
		"C:\\",
		"/",
		"./a.evtx",
		"../a.evtx",
		"\xC3\x84:\\a.evtx",
		"1:\\a.evtx",
		"CC:\\a.evtx",
		":\\a.evtx",
		"file:///a",
		"~/a.evtx",
	};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_refused(*state, paths[i]);
	}
}

static void test_other_hosts_and_devices_of_the_kernel_are_refused(void **state)
{
	assert_refused(*state, "\\\\server\\share\\a.evtx");
	assert_refused(*state, "//server/share/a.evtx");
	assert_refused(*state, "\\\\?\\C:\\a.evtx");
	assert_refused(*state, "\\\\.\\PhysicalDrive0");
	assert_refused(*state, "\\\\?\\UNC\\server\\share\\a.evtx");
	assert_refused(*state, "\\??\\C:\\a.evtx");
}

static void test_nothing_leads_upwards(void **state)
{
	assert_refused(*state, "/../etc/passwd");
	assert_refused(*state, "/x/../../etc/passwd");
	assert_refused(*state, "/x/..");
	assert_refused(*state, "/..");
	assert_refused(*state, "/.");
	assert_refused(*state, "/x/./y.evtx");
	assert_refused(*state, "C:\\..\\a.evtx");
	assert_refused(*state, "C:\\x\\..\\..\\a.evtx");
	assert_refused(*state, "C:/x/..\\..\\a.evtx");
	assert_refused(*state, "/x/..\\..\\a.evtx");
	assert_refused(*state, "C:\\.. \\a.evtx");
	assert_refused(*state, "C:\\...\\a.evtx");
	assert_refused(*state, "/x/.hidden");
	assert_refused(*state, "/.evenlog-0123456789abcdef.tmp");
}

static void test_empty_components_are_refused(void **state)
{
	assert_refused(*state, "/x//y.evtx");
	assert_refused(*state, "/x/y.evtx/");
	assert_refused(*state, "//y.evtx");
	assert_refused(*state, "C:\\\\y.evtx");
	assert_refused(*state, "C:\\x\\");
	assert_refused(*state, "C:\\x\\/y.evtx");
}

/* Each reserved character, and each control character, anywhere. */
static void test_reserved_characters_are_refused(void **state)
{
	static const char reserved[] = "<>:\"\\|?*\x7F";
	char unix_path[] = "/xay.evtx";
	char windows_path[] = "C:\\xay.evtx";
	unsigned int c;

	for (c = 1; c < 0x80; c++) {
		bool bad = c < 0x20 || strchr(reserved, (int)c) != NULL;

		unix_path[2] = (char)c;
		windows_path[4] = (char)c;
		if (bad) {
			assert_refused(*state, unix_path);
			/* There it is a separator. */
			if (c != '\\') {
				assert_refused(*state, windows_path);
			}
		} else if (c != '/') {
			assert_maps(*state, unix_path, unix_path + 1);
		}
	}
	/* The second row of them, which begins ASCII's sequences anew. */
	assert_refused(*state, "/x\xC2\x80y.evtx");
	assert_refused(*state, "/x\xC2\x9By.evtx");
	assert_refused(*state, "/x\xC2\x9F");
	assert_maps(*state, "/x\xC2\xA0y.evtx", "x\xC2\xA0y.evtx");
	/* An alternate data stream. */
	assert_refused(*state, "C:\\a.evtx:stream");
	assert_refused(*state, "C:\\a.evtx::$DATA");
}

static void test_names_that_windows_would_change_are_refused(void **state)
{
	assert_refused(*state, "C:\\a.evtx.");
	assert_refused(*state, "C:\\a.evtx ");
	assert_refused(*state, "C:\\dir.\\a.evtx");
	assert_refused(*state, "C:\\dir \\a.evtx");
	assert_refused(*state, "/dir /a.evtx");
	assert_maps(*state, "C:\\ a.evtx", "C/ a.evtx");
}

static void test_devices_of_dos_are_refused(void **state)
{
	static const char *const names[] = {
		"CON",	   "con",	  "Prn",	 "AUX",
		"NUL",	   "nul",	  "CONIN$",	 "COM1",
		"com9",	   "LPT1",	  "lpt9",	 "COM0",
		"CONOUT$", "COM\xC2\xB9", "LPT\xC2\xB2", "COM\xC2\xB3",
	};
	static const char *const suffixes[] = {"", ".evtx", ".a.b", " .evtx"};
	char text[64];
	size_t i, j;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (j = 0; j < sizeof(suffixes) / sizeof(suffixes[0]); j++) {
			snprintf(text, sizeof(text), "C:\\%s%s", names[i],
				 suffixes[j]);
			assert_refused(*state, text);
			snprintf(text, sizeof(text), "/x/%s%s/y.evtx", names[i],
				 suffixes[j]);
			assert_refused(*state, text);
		}
	}
	assert_maps(*state, "C:\\CON1.evtx", "C/CON1.evtx");
	assert_maps(*state, "C:\\COM.evtx", "C/COM.evtx");
	assert_maps(*state, "C:\\COM10.evtx", "C/COM10.evtx");
	assert_maps(*state, "C:\\xCON.evtx", "C/xCON.evtx");
	assert_maps(*state, "C:\\LPT\xC3\x84.evtx", "C/LPT\xC3\x84.evtx");
}

static void test_text_that_is_no_utf8_is_refused(void **state)
{
	assert_refused(*state, "/x/\xFF.evtx");
	assert_refused(*state, "/x/\xC0\xAE\xC0\xAE/y.evtx");
	assert_refused(*state, "/x/\xED\xA0\x80.evtx");
	assert_refused(*state, "/x/\xC3");
}

static void test_lengths_are_bounded(void **state)
{
	char text[RPC_EXPORT_PATH_MAX + 3];
	char *p = NULL;
	size_t i;

	/* One name. */
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[1 + RPC_EXPORT_NAME_MAX] = '\0';
	assert_maps(*state, text, text + 1);
	text[1 + RPC_EXPORT_NAME_MAX] = 'a';
	text[2 + RPC_EXPORT_NAME_MAX] = '\0';
	assert_refused(*state, text);

	/* Their number; the drive is one. */
	p = text;
	for (i = 0; i < RPC_EXPORT_DEPTH_MAX; i++) {
		*p++ = '/';
		*p++ = 'a';
	}
	*p = '\0';
	assert_maps(*state, text, text + 1);
	memcpy(p, "/a", 3);
	assert_refused(*state, text);

	/* All of them. */
	for (i = 0; i < sizeof(text); i++) {
		text[i] = i % 200 == 0 ? '/' : 'a';
	}
	text[RPC_EXPORT_PATH_MAX] = '\0';
	assert_maps(*state, text, text + 1);
	text[RPC_EXPORT_PATH_MAX] = 'a';
	text[RPC_EXPORT_PATH_MAX + 1] = '\0';
	assert_refused(*state, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_drives_become_directories),
		leak_test(test_unix_paths_keep_theirs),
		leak_test(test_the_components_are_told_apart),
		leak_test(test_paths_without_a_root_are_refused),
		leak_test(
			test_other_hosts_and_devices_of_the_kernel_are_refused),
		leak_test(test_nothing_leads_upwards),
		leak_test(test_empty_components_are_refused),
		leak_test(test_reserved_characters_are_refused),
		leak_test(test_names_that_windows_would_change_are_refused),
		leak_test(test_devices_of_dos_are_refused),
		leak_test(test_text_that_is_no_utf8_is_refused),
		leak_test(test_lengths_are_bounded),
	};

	return cmocka_run_group_tests_name("export_path", tests, NULL, NULL);
}
