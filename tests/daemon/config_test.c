/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "daemon/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static everr_t load(TALLOC_CTX *mem_ctx, const char *text,
		    struct daemon_config **config,
		    struct daemon_config_errors **errors)
{
	char path[] = "/tmp/evenlog-config-XXXXXX";
	int fd = mkstemp(path);
	everr_t err;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err = daemon_config_load(mem_ctx, path, config, errors);
	unlink(path);
	return err;
}

static struct daemon_config *good(TALLOC_CTX *mem_ctx, const char *text)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(mem_ctx, text, &config, &errors);

	if (err != EVERR_OK) {
		print_error("%s\n", errors->messages[0]);
	}
	assert_int_equal(err, EVERR_OK);
	return config;
}

/* The only complaint about text; what it holds after "FILE:" is checked. */
static void bad(TALLOC_CTX *mem_ctx, const char *text, const char *want)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(mem_ctx, text, &config, &errors);

	assert_int_equal(err, EVERR_CONFIG);
	assert_null(config);
	assert_int_equal(errors->num_messages, 1);
	if (strstr(errors->messages[0], want) == NULL) {
		print_error("got: %s\n", errors->messages[0]);
		fail();
	}
}

static const struct daemon_channel *channel(const struct daemon_config *config,
					    const char *name)
{
	size_t i;

	for (i = 0; i < config->num_channels; i++) {
		if (strcmp(config->channels[i].name, name) == 0) {
			return &config->channels[i];
		}
	}
	return NULL;
}

static void test_an_empty_file_gives_the_defaults(void **state)
{
	struct daemon_config *config = good(*state, "");

	assert_true(config->rpc.endpoint_mapper);
	assert_int_equal(config->rpc.endpoint_mapper_port, 135);
	assert_string_equal(config->rpc.listen[0], "0.0.0.0");
	assert_string_equal(config->rpc.listen[1], "::");
	assert_null(config->rpc.listen[2]);
	assert_false(config->store.asynchronous);
	assert_int_equal(config->num_channels, 5);
	assert_non_null(strstr(config->manifests, "/evenlog/manifests"));
	assert_non_null(channel(config, "Security"));
	assert_true(channel(config, "Evenlog/Operational")->config.enabled);
}

static void test_values_reach_their_places(void **state)
{
	struct daemon_config *config = good(
		*state,
		"[evenlog]\ncomputer = log1.example\nlog_level = debug\n"
		"manifests = /srv/man\n"
		"[store]\npath = /srv/log\nmap_size = 2T\nsynchronous = no\n"
		"[rpc]\nlisten = 127.0.0.1 , ::1\nport = 5000\n"
		"[access]\nevent_log_readers = alice, DOM\\Event Readers\n"
		"[channel System]\nmax_size = 64M\nmax_age = 30d\n"
		"[channel Foo/Bar]\nenabled = no\n"
		"access = O:BAG:SYD:(A;;0x1;;;BA)\n");

	assert_string_equal(config->computer, "log1.example");
	assert_string_equal(config->manifests, "/srv/man");
	assert_int_equal(config->log_level, DAEMON_LOG_DEBUG);
	assert_string_equal(config->store.path, "/srv/log");
	assert_int_equal(config->store.limits.map_size, 2ULL << 40);
	assert_true(config->store.asynchronous);
	assert_string_equal(config->rpc.listen[1], "::1");
	assert_int_equal(config->rpc.port, 5000);
	assert_string_equal(config->rpc.readers[1], "DOM\\Event Readers");
	assert_int_equal(channel(config, "System")->config.max_bytes, 64 << 20);
	assert_int_equal(channel(config, "System")->config.max_age, 30 * 86400);
	assert_false(channel(config, "Foo/Bar")->config.enabled);
	assert_string_equal(channel(config, "Foo/Bar")->config.sddl,
			    "O:BAG:SYD:(A;;0x1;;;BA)");
	assert_int_equal(config->num_channels, 6);

	/* What the file says itself is told from defaults. */
	assert_int_equal(channel(config, "System")->keys,
			 DAEMON_CHANNEL_MAX_SIZE | DAEMON_CHANNEL_MAX_AGE);
	assert_int_equal(channel(config, "Foo/Bar")->keys,
			 DAEMON_CHANNEL_ENABLED | DAEMON_CHANNEL_ACCESS);
	assert_int_equal(channel(config, "Security")->keys, 0);
	assert_true(channel(config, "System")->built_in);
	assert_false(channel(config, "Foo/Bar")->built_in);
}

static void test_long_channel_names_are_kept_whole(void **state)
{
	struct daemon_config *config =
		good(*state, "[channel Microsoft-Windows-TerminalServices-"
			     "LocalSessionManager/Operational]\n");

	assert_non_null(channel(config, "Microsoft-Windows-TerminalServices-"
					"LocalSessionManager/Operational"));
}

static void test_mistakes_name_line_and_what_is_allowed(void **state)
{
	bad(*state, "[rpc]\nprot = 1\n",
	    ":2: unknown key 'prot'; this "
	    "section takes listen, port,");
	bad(*state, "[rpc]\n\nport = 65536\n",
	    ":3: port = 65536: must be a number from 0 to 65535");
	bad(*state, "[rpc]\nport = 1x\n", ":2: port = 1x: must be");
	bad(*state, "[rpc]\nport = -1\n", ":2: port = -1: must be");
	bad(*state, "[store]\nsynchronous = maybe\n", "must be yes or no");
	bad(*state, "[store]\npath = store\n", "must be an absolute path");
	bad(*state, "[store]\nmap_size = 99999999999999999999T\n",
	    "must be a size from");
	bad(*state, "[channel A]\nmax_age = 5 days\n", "must be a time");
	bad(*state, "[evenlog]\nlog_level = loud\n",
	    "must be one of error, warning, info, debug");
	bad(*state, "[evenlog]\ncomputer =\n", "must not be empty");
	bad(*state, "[evnlog]\ncomputer = a\n", "unknown section [evnlog]");
	bad(*state, "[channel a?b]\nenabled = no\n", "a channel's name has");
	bad(*state, "[authentication]\nrealm = A\n", "go together");
}

/* One that cannot be read would close the channel to everybody. */
static void test_an_access_string_must_be_one(void **state)
{
	static const char *const wrong[] = {
		"nonsense",
		"alice",
		"0x1",
		"O:BAG:SY",
		"O:BAG:SYS:(A;;0x1;;;WD)",
		"O:BAG:SYD:(A;;0x1;;;alice)",
		"O:BAG:SYD:(A;;0x1;;;AU",
		"O:BAG:SYD:(A;;0x1;;AU)",
		"O:BAG:SYD:(X;;0x1;;;AU)",
		"O:BAG:SYD:(A;;0x1;;;AU)(",
	};
	static const char *const right[] = {
		"O:BAG:SYD:",
		"D:(A;;0x1;;;AU)",
		"O:BAG:SYD:(D;;0xf0007;;;BG)(A;;0x5;;;S-1-5-21-1-2-3-1104)",
		"O:DAG:DAD:(A;;0x7;;;DA)S:(AU;SAFA;0x7;;;WD)",
	};
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "[channel A]\naccess = %s\n",
			 wrong[i]);
		bad(*state, text, "must be an access string (SDDL) such as");
	}
	for (i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(text, sizeof(text), "[channel A]\naccess = %s\n",
			 right[i]);
		assert_string_equal(
			channel(good(*state, text), "A")->config.sddl,
			right[i]);
	}
}

static void test_a_key_given_twice_is_refused(void **state)
{
	bad(*state, "[rpc]\nport = 1\nport = 2\n", ":3: 'port' is given twice");
}

static void test_a_section_may_be_taken_up_again(void **state)
{
	struct daemon_config *config =
		good(*state, "[rpc]\nport = 1\n[store]\npath = /a\n"
			     "[rpc]\nsubscriptions = 7\n");

	assert_int_equal(config->rpc.port, 1);
	assert_int_equal(config->rpc.limits.subscriptions, 7);
	bad(*state, "[rpc]\nport = 1\n[store]\npath = /a\n[rpc]\nport = 2\n",
	    ":6: 'port' is given twice");
}

static void test_a_line_that_is_no_setting_is_refused(void **state)
{
	bad(*state, "[rpc]\nport = 1\nnonsense\n", ":3: ");
}

static void test_all_mistakes_are_told_at_once(void **state)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(*state, "[rpc]\nport = x\nfoo = 1\n[bar]\na = b\n",
			   &config, &errors);

	assert_int_equal(err, EVERR_CONFIG);
	assert_int_equal(errors->num_messages, 3);
}

static void test_a_missing_file_that_was_asked_for_is_an_error(void **state)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = daemon_config_load(*state, "/nonexistent/evenlog.conf",
					 &config, &errors);

	assert_int_equal(err, EVERR_IO);
	assert_string_equal(errors->messages[0],
			    "/nonexistent/evenlog.conf: there is no such file");
}

static void test_a_member_has_files_of_its_own_and_a_keytab(void **state)
{
	struct daemon_config *config = NULL;
	struct rpc_smb_conf options = {};
	const char *path = NULL;

	config = good(*state, "[authentication]\nsamba_state = /s\n"
			      "samba_configuration = member\n");
	path = daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(path, "/s/smb.conf");
	assert_string_equal(options.dir, "/s");
	assert_string_equal(options.member, "/etc/samba/smb.conf");
	assert_string_equal(options.keytab, EVENLOG_CONFDIR "/evenlog.keytab");

	config = good(*state, "[authentication]\nkeytab = /k\n"
			      "samba_configuration = member\n");
	(void)daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(options.keytab, "/k");

	config = good(*state, "[authentication]\nsamba_state = /s\n"
			      "samba_configuration = private\n");
	path = daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(path, "/s/smb.conf");
	assert_null(options.member);
	assert_null(options.keytab);

	config = good(*state, "[authentication]\n"
			      "samba_configuration = system\n");
	path = daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(path, "/etc/samba/smb.conf");
	assert_null(options.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_an_empty_file_gives_the_defaults),
		leak_test(test_values_reach_their_places),
		leak_test(test_long_channel_names_are_kept_whole),
		leak_test(test_mistakes_name_line_and_what_is_allowed),
		leak_test(test_an_access_string_must_be_one),
		leak_test(test_a_key_given_twice_is_refused),
		leak_test(test_a_section_may_be_taken_up_again),
		leak_test(test_a_line_that_is_no_setting_is_refused),
		leak_test(test_all_mistakes_are_told_at_once),
		leak_test(test_a_missing_file_that_was_asked_for_is_an_error),
		leak_test(test_a_member_has_files_of_its_own_and_a_keytab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
