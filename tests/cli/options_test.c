/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "cli/options.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int verb_run(struct cli *cli)
{
	return CLI_OK;
}

static const struct cli_verb show = {
	.name = "show",
	.aliases = "sc show-channel",
	.arguments = "CHANNEL",
	.summary = "Show a channel",
	.description = "Says more.\n",
	.run = verb_run,
};

static const struct cli_verb hide = {
	.name = "hide",
	.arguments = "",
	.summary = "Hide",
	.description = "",
	.run = verb_run,
};

const struct cli_verb *const cli_verbs[] = {&hide, &show, NULL};

/* What stderr and stdout said meanwhile. */
static char said[16384];

static int captured(int (*fn)(struct cli *cli, int argc, const char **argv),
		    struct cli *cli, int argc, const char **argv)
{
	FILE *file = tmpfile();
	int out = dup(STDOUT_FILENO);
	int err = dup(STDERR_FILENO);
	size_t len;
	int ret;

	assert_non_null(file);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	ret = fn(cli, argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(file);
	len = fread(said, 1, sizeof(said) - 1, file);
	said[len] = '\0';
	fclose(file);
	return ret;
}

static struct cli *global(void **state, int *ret_status, int argc,
			  const char **argv)
{
	struct cli *cli = talloc_zero(*state, struct cli);

	assert_non_null(cli);
	*ret_status = captured(cli_parse_global, cli, argc, argv);
	return cli;
}

#define GLOBAL(state, ret_status, ...)                                         \
	global(state, ret_status,                                              \
	       (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)) - \
		       1,                                                      \
	       (const char *[]){__VA_ARGS__})

static void test_options_before_the_verb_are_kept(void **state)
{
	struct cli *cli = NULL;
	int status;

	cli = GLOBAL(state, &status, "evenlog", "--remote", "dc1", "show", "A",
		     "--utc", NULL);
	assert_int_equal(status, -1);
	assert_string_equal(cli->verb->name, "show");
	assert_string_equal(cli->options.remote, "dc1");
	/* What follows the verb is the verb's. */
	assert_int_equal(cli->options.utc, 0);
	assert_string_equal(cli->argv[0], "A");
	assert_string_equal(cli->argv[1], "--utc");
	assert_null(cli->argv[2]);
}

static void test_no_verb_and_unknown_verbs_are_usage_errors(void **state)
{
	int status;

	GLOBAL(state, &status, "evenlog", NULL);
	assert_int_equal(status, CLI_USAGE);
	assert_non_null(strstr(said, "no command"));
	GLOBAL(state, &status, "evenlog", "sho", NULL);
	assert_int_equal(status, CLI_USAGE);
	assert_non_null(strstr(said, "\"sho\""));
	GLOBAL(state, &status, "evenlog", "--bogus", "show", NULL);
	assert_int_equal(status, CLI_USAGE);
	assert_non_null(strstr(said, "--bogus"));
}

static void test_aliases_name_their_verb(void **state)
{
	static const char *const wrong[] = {
		"s", "sc ", "c", "show-", "", " ", "SC", "sc show-channel"};
	struct cli *cli = NULL;
	int status;
	size_t i;

	cli = GLOBAL(state, &status, "evenlog", "sc", "A", NULL);
	assert_int_equal(status, -1);
	assert_string_equal(cli->verb->name, "show");
	assert_string_equal(cli->argv[0], "A");
	cli = GLOBAL(state, &status, "evenlog", "show-channel", NULL);
	assert_int_equal(status, -1);
	assert_string_equal(cli->verb->name, "show");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		GLOBAL(state, &status, "evenlog", wrong[i], NULL);
		assert_int_equal(status, CLI_USAGE);
	}
}

static void test_help_names_every_verb(void **state)
{
	int status;

	GLOBAL(state, &status, "evenlog", "--help", NULL);
	assert_int_equal(status, CLI_OK);
	assert_non_null(strstr(said, "show"));
	assert_non_null(strstr(said, "show (sc)  Show a channel\n"));
	assert_non_null(strstr(said, "hide       Hide\n"));
}

static void test_version_is_told(void **state)
{
	int status;

	GLOBAL(state, &status, "evenlog", "--version", NULL);
	assert_int_equal(status, CLI_OK);
	assert_ptr_equal(strstr(said, "evenlog "), said);
}

/* The verb's side: global options, then the verb's own. */
static char *name_option;
static const char **positional;

static int parse_verb(struct cli *cli, int argc, const char **argv)
{
	struct poptOption table[] = {
		{"name", 'N', POPT_ARG_STRING, &name_option, 0, "A name",
		 "NAME"},
		POPT_TABLEEND,
	};
	int ret;

	ret = cli_parse_global(cli, argc, argv);
	if (ret >= 0) {
		return ret;
	}
	return cli_parse(cli, table, 1, 2, &positional);
}

static struct cli *verb(void **state, int *ret_status, int argc,
			const char **argv)
{
	struct cli *cli = talloc_zero(*state, struct cli);

	name_option = NULL;
	positional = NULL;
	assert_non_null(cli);
	*ret_status = captured(parse_verb, cli, argc, argv);
	return cli;
}

#define VERB(state, ret_status, ...)                                         \
	verb(state, ret_status,                                              \
	     (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)) - \
		     1,                                                      \
	     (const char *[]){__VA_ARGS__})

static void test_verb_takes_own_and_common_options_anywhere(void **state)
{
	struct cli *cli = NULL;
	int status;

	cli = VERB(state, &status, "evenlog", "show", "--name=x", "App",
		   "--format", "json", "--color=always", "--", "-dash", NULL);
	assert_int_equal(status, -1);
	assert_string_equal(name_option, "x");
	assert_int_equal(cli->options.format, CLI_FORMAT_JSON);
	assert_int_equal(cli->options.color, CLI_COLOR_ALWAYS);
	assert_string_equal(positional[0], "App");
	assert_string_equal(positional[1], "-dash");
	assert_null(positional[2]);
}

static void test_an_option_after_the_verb_replaces_one_before(void **state)
{
	struct cli *cli = NULL;
	int status;

	cli = VERB(state, &status, "evenlog", "-f", "xml", "show", "App", "-f",
		   "json", NULL);
	assert_int_equal(status, -1);
	assert_int_equal(cli->options.format, CLI_FORMAT_JSON);
	cli = VERB(state, &status, "evenlog", "-f", "xml", "show", "App", NULL);
	assert_int_equal(status, -1);
	assert_int_equal(cli->options.format, CLI_FORMAT_XML);
}

/* Without losing the memory of the first, as popt would. */
static void test_of_an_option_given_twice_the_last_counts(void **state)
{
	struct cli *cli = NULL;
	int status;

	cli = VERB(state, &status, "evenlog", "-f", "json", "--format=xml",
		   "show", "--name=x", "App", "--name=y", NULL);
	assert_int_equal(status, -1);
	assert_int_equal(cli->options.format, CLI_FORMAT_XML);
	assert_string_equal(name_option, "y");
	cli = VERB(state, &status, "evenlog", "show", "--format=json", "App",
		   "--format=text", NULL);
	assert_int_equal(status, -1);
	assert_int_equal(cli->options.format, CLI_FORMAT_TEXT);
}

static void test_wrong_numbers_of_arguments_are_usage_errors(void **state)
{
	int status;

	VERB(state, &status, "evenlog", "show", NULL);
	assert_int_equal(status, CLI_USAGE);
	VERB(state, &status, "evenlog", "show", "a", "b", "c", NULL);
	assert_int_equal(status, CLI_USAGE);
}

static void test_wrong_values_say_what_is_allowed(void **state)
{
	int status;

	VERB(state, &status, "evenlog", "show", "a", "-f", "yaml", NULL);
	assert_int_equal(status, CLI_USAGE);
	assert_non_null(strstr(said, "text, xml or json"));
	VERB(state, &status, "evenlog", "show", "a", "--color", "red", NULL);
	assert_int_equal(status, CLI_USAGE);
	assert_non_null(strstr(said, "auto, never or always"));
	VERB(state, &status, "evenlog", "show", "a", "--mapper-port", "70000",
	     NULL);
	assert_int_equal(status, CLI_USAGE);
	VERB(state, &status, "evenlog", "show", "a", "--mapper-port", "x",
	     NULL);
	assert_int_equal(status, CLI_USAGE);
}

static void test_options_that_exclude_each_other_are_refused(void **state)
{
	int status;

	VERB(state, &status, "evenlog", "show", "a", "--user", "u", NULL);
	assert_int_equal(status, CLI_USAGE);
	VERB(state, &status, "evenlog", "show", "a", "--kerberos", NULL);
	assert_int_equal(status, CLI_USAGE);
	VERB(state, &status, "evenlog", "show", "a", "--remote=h", "--kerberos",
	     "--user=u", NULL);
	assert_int_equal(status, CLI_USAGE);
	VERB(state, &status, "evenlog", "show", "a", "--remote=h",
	     "--control-socket=/s", NULL);
	assert_int_equal(status, CLI_USAGE);
}

static void test_verb_help_has_options_and_description(void **state)
{
	int status;

	VERB(state, &status, "evenlog", "show", "--help", NULL);
	assert_int_equal(status, CLI_OK);
	assert_non_null(strstr(said, "--name"));
	assert_non_null(strstr(said, "--remote"));
	assert_non_null(strstr(said, "CHANNEL"));
	assert_non_null(strstr(said, "Says more."));
	assert_non_null(strstr(said, "Other names: sc show-channel\n"));
	/* Before the verb it means the same. */
	VERB(state, &status, "evenlog", "--help", "show", NULL);
	assert_int_equal(status, CLI_OK);
	assert_non_null(strstr(said, "--name"));
}

static void test_numbers(void **state)
{
	static const char *const wrong[] = {"",	    "-1",
					    "+1",   " 1",
					    "1 ",   "1x",
					    "0x",   "0xg",
					    "256",  "0x100",
					    "x1",   "1e2",
					    "0x-1", "99999999999999999999"};
	uint64_t number = 0;
	size_t i;

	assert_int_equal(cli_parse_number("0", 255, &number), EVERR_OK);
	assert_int_equal(number, 0);
	assert_int_equal(cli_parse_number("255", 255, &number), EVERR_OK);
	assert_int_equal(number, 255);
	assert_int_equal(cli_parse_number("0xfF", 255, &number), EVERR_OK);
	assert_int_equal(number, 255);
	/* Not octal. */
	assert_int_equal(cli_parse_number("010", 255, &number), EVERR_OK);
	assert_int_equal(number, 10);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(cli_parse_number(wrong[i], 255, &number),
				 EVERR_TEXT);
	}
	assert_int_equal(number, 10);
	assert_int_equal(
		cli_parse_number("0x8000000000000000", UINT64_MAX, &number),
		EVERR_OK);
	assert_true(number == 0x8000000000000000ULL);
}

static void check_remote(void **state, const char *text, const char *host,
			 uint16_t port)
{
	const char *got = NULL;
	uint16_t got_port = 1;

	assert_int_equal(cli_parse_remote(*state, text, &got, &got_port),
			 EVERR_OK);
	assert_string_equal(got, host);
	assert_int_equal(got_port, port);
}

static void test_remote_forms(void **state)
{
	static const char *const wrong[] = {"",	       ":5",	"h:",	"h:0",
					    "h:65536", "h:x",	"[::1", "[]",
					    "[::1]x",  "[::1]:"};
	size_t i;

	check_remote(state, "dc1", "dc1", 0);
	check_remote(state, "dc1.example.org:5985", "dc1.example.org", 5985);
	check_remote(state, "192.0.2.1:65535", "192.0.2.1", 65535);
	check_remote(state, "2001:db8::1", "2001:db8::1", 0);
	check_remote(state, "[2001:db8::1]", "2001:db8::1", 0);
	check_remote(state, "[2001:db8::1]:49152", "2001:db8::1", 49152);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *host = NULL;
		uint16_t port = 0;

		assert_int_equal(
			cli_parse_remote(*state, wrong[i], &host, &port),
			EVERR_TEXT);
		assert_null(host);
	}
}

static void test_user_forms(void **state)
{
	const char *domain = NULL;
	const char *user = NULL;

	assert_int_equal(cli_parse_user(*state, "bob", &domain, &user),
			 EVERR_OK);
	assert_null(domain);
	assert_string_equal(user, "bob");
	assert_int_equal(cli_parse_user(*state, "EX\\bob", &domain, &user),
			 EVERR_OK);
	assert_string_equal(domain, "EX");
	assert_string_equal(user, "bob");
	assert_int_equal(cli_parse_user(*state, "EX\\", &domain, &user),
			 EVERR_TEXT);
	assert_int_equal(cli_parse_user(*state, "", &domain, &user),
			 EVERR_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_options_before_the_verb_are_kept),
		leak_test(test_no_verb_and_unknown_verbs_are_usage_errors),
		leak_test(test_aliases_name_their_verb),
		leak_test(test_help_names_every_verb),
		leak_test(test_version_is_told),
		leak_test(test_verb_takes_own_and_common_options_anywhere),
		leak_test(test_an_option_after_the_verb_replaces_one_before),
		leak_test(test_of_an_option_given_twice_the_last_counts),
		leak_test(test_wrong_numbers_of_arguments_are_usage_errors),
		leak_test(test_wrong_values_say_what_is_allowed),
		leak_test(test_options_that_exclude_each_other_are_refused),
		leak_test(test_verb_help_has_options_and_description),
		leak_test(test_numbers),
		leak_test(test_remote_forms),
		leak_test(test_user_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
