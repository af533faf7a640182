/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Positional arguments of one command line. */
#define ARGS_MAX 4096

#define COMMON_TABLE_SIZE 24

static const char *const format_names[] = {"text", "xml", "json", NULL};
static const char *const color_names[] = {"auto", "never", "always", NULL};

/* ------------------------------------------------------------- values */

everr_t cli_parse_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	unsigned long long number;
	char *end = NULL;
	int base = 10;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	/* strtoull() takes blanks and signs; a number here has none. */
	if (!isxdigit((unsigned char)text[0])) {
		return EVERR_TEXT;
	}
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno != 0 || *end != '\0' || number > max) {
		return EVERR_TEXT;
	}
	*ret_number = number;
	return EVERR_OK;
}

everr_t cli_parse_remote(TALLOC_CTX *mem_ctx, const char *text,
			 const char **ret_host, uint16_t *ret_port)
{
	const char *start = text;
	const char *end = NULL; /* of the host */
	const char *port_text = NULL;
	const char *host = NULL;
	uint64_t port = 0;
	everr_t err;

	if (text[0] == '[') {
		start = text + 1;
		end = strchr(start, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
			return EVERR_TEXT;
		}
		port_text = end[1] == ':' ? end + 2 : NULL;
	} else {
		end = strchr(text, ':');
		if (end != NULL && strchr(end + 1, ':') != NULL) {
			end = NULL; /* an IPv6 address without a port */
		}
		port_text = end != NULL ? end + 1 : NULL;
		end = end != NULL ? end : text + strlen(text);
	}
	if (end == start) {
		return EVERR_TEXT;
	}
	if (port_text != NULL) {
		err = cli_parse_number(port_text, UINT16_MAX, &port);
		if (err != EVERR_OK || port == 0) {
			return EVERR_TEXT;
		}
	}

	host = talloc_strndup(mem_ctx, start, (size_t)(end - start));
	if (host == NULL) {
		return EVERR_NOMEM;
	}
	*ret_host = host;
	*ret_port = (uint16_t)port;
	return EVERR_OK;
}

everr_t cli_parse_user(TALLOC_CTX *mem_ctx, const char *text,
		       const char **ret_domain, const char **ret_user)
{
	const char *backslash = strchr(text, '\\');
	const char *domain = NULL;
	const char *user = NULL;

	if (backslash != NULL) {
		domain = talloc_strndup(mem_ctx, text,
					(size_t)(backslash - text));
		if (domain == NULL) {
			return EVERR_NOMEM;
		}
		text = backslash + 1;
	}
	if (text[0] == '\0') {
		return EVERR_TEXT;
	}
	user = talloc_strdup(mem_ctx, text);
	if (user == NULL) {
		return EVERR_NOMEM;
	}
	*ret_domain = domain;
	*ret_user = user;
	return EVERR_OK;
}

/* The index of name in names, or -1. */
static int find_name(const char *const *names, const char *name)
{
	int i;

	for (i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

/* ------------------------------------------------------------- tables */

static void common_table(struct cli_options *o, struct poptOption *table)
{
	const struct poptOption source[] = {
		{"config", 'c', POPT_ARG_STRING, &o->config, 0,
		 "Take the paths below from this configuration", "FILE"},
		{"control-socket", 0, POPT_ARG_STRING, &o->control_socket, 0,
		 "Socket of the local service", "PATH"},
		{"store", 0, POPT_ARG_STRING, &o->store, 0,
		 "Directory of the store", "DIR"},
		{"remote", 'r', POPT_ARG_STRING, &o->remote, 0,
		 "Ask the event log service of another host", "HOST[:PORT]"},
		{"user", 'u', POPT_ARG_STRING, &o->user, 0,
		 "Log on there as this user", "[DOMAIN\\]USER"},
		{"domain", 0, POPT_ARG_STRING, &o->domain, 0,
		 "Domain of the user", "DOMAIN"},
		{"password-file", 0, POPT_ARG_STRING, &o->password_file, 0,
		 "Read the password from the first line of a file", "FILE"},
		{"kerberos", 'k', POPT_ARG_NONE, &o->kerberos, 0,
		 "Log on with the Kerberos ticket at hand", NULL},
		{"mapper-port", 0, POPT_ARG_INT, &o->mapper_port, 0,
		 "Port of the endpoint mapper (135)", "PORT"},
		{"format", 'f', POPT_ARG_STRING, &o->format_name, 0,
		 "Form of the output (text)", "text|xml|json"},
		{"color", 0, POPT_ARG_STRING, &o->color_name, 0,
		 "Color the text (auto: on a terminal)", "auto|never|always"},
		{"utc", 0, POPT_ARG_NONE, &o->utc, 0,
		 "Show times in UTC instead of local time", NULL},
		{"debug", 0, POPT_ARG_NONE, &o->debug, 0,
		 "Show what the protocol library has to say", NULL},
		{"help", 'h', POPT_ARG_NONE, &o->help, 0, "Show this text",
		 NULL},
		{"version", 0, POPT_ARG_NONE, &o->version, 0,
		 "Show the version", NULL},
		POPT_TABLEEND,
	};

	_Static_assert(sizeof(source) / sizeof(source[0]) <= COMMON_TABLE_SIZE,
		       "the table has room");
	memcpy(table, source, sizeof(source));
}

/* Whether an option of the common table has no meaning for a verb. */
static bool is_idle(const struct cli_verb *verb, const char *option)
{
	static const char *const logon[] = {"user", "domain", "kerberos",
					    "mapper-port", NULL};

	if (!verb->local) {
		return false;
	}
	if (strcmp(option, "remote") == 0) {
		return true;
	}
	if (strcmp(option, "password-file") == 0) {
		return !verb->logs_on && !verb->takes_password;
	}
	return !verb->logs_on && find_name(logon, option) >= 0;
}

/* They are taken, to be refused with a reason, but the help has them not. */
static void hide_idle(const struct cli_verb *verb, struct poptOption *table)
{
	size_t i;

	for (i = 0; table[i].longName != NULL; i++) {
		if (is_idle(verb, table[i].longName)) {
			table[i].argInfo |= POPT_ARGFLAG_DOC_HIDDEN;
		}
	}
}

/* A list of popt's as a talloc child; popt's own is freed. */
static bool adopt_list(TALLOC_CTX *mem_ctx, char ***list)
{
	char **copy = NULL;
	size_t num = 0;
	bool ok = true;
	size_t i;

	while ((*list)[num] != NULL) {
		num++;
	}
	copy = talloc_zero_array(mem_ctx, char *, num + 1);
	for (i = 0; i < num; i++) {
		if (copy != NULL) {
			copy[i] = talloc_strdup(copy, (*list)[i]);
			ok &= copy[i] != NULL;
		}
		free((*list)[i]);
	}
	free(*list);
	*list = copy;
	return ok && copy != NULL;
}

/* Turn popt's lists of a table, and of the tables inside it, into ours. */
static bool adopt_lists(TALLOC_CTX *mem_ctx, const struct poptOption *table)
{
	bool ok = true;
	size_t i;

	for (i = 0; table[i].longName != NULL || table[i].arg != NULL; i++) {
		unsigned int type = table[i].argInfo & POPT_ARG_MASK;

		if (type == POPT_ARG_INCLUDE_TABLE) {
			ok &= adopt_lists(mem_ctx, table[i].arg);
		} else if (type == POPT_ARG_ARGV) {
			char ***list = table[i].arg;

			ok &= *list == NULL || adopt_list(mem_ctx, list);
		}
	}
	return ok;
}

/* Where the strings of a table go, by the option's val less one. */
struct strings {
	char ***targets;
	size_t num;
};

/*
 * popt stores the last string of an option that is given twice and loses the
 * first; so it stores none and hands over each, see read_options().
 */
static bool take_strings(TALLOC_CTX *mem_ctx, struct poptOption *table,
			 struct strings *strings)
{
	size_t i;

	for (i = 0; table[i].longName != NULL || table[i].arg != NULL; i++) {
		unsigned int type = table[i].argInfo & POPT_ARG_MASK;
		char ***targets = NULL;

		if (type == POPT_ARG_INCLUDE_TABLE &&
		    !take_strings(mem_ctx, table[i].arg, strings)) {
			return false;
		}
		if (type != POPT_ARG_STRING) {
			continue;
		}
		targets = talloc_realloc(mem_ctx, strings->targets, char **,
					 strings->num + 1);
		if (targets == NULL) {
			return false;
		}
		targets[strings->num++] = table[i].arg;
		strings->targets = targets;
		table[i].arg = NULL;
		table[i].val = (int)strings->num;
	}
	return true;
}

/* -1, or the exit status with the reason said. */
static int check_common(struct cli *cli)
{
	struct cli_options *o = &cli->options;

	if (o->format_name != NULL) {
		int index = find_name(format_names, o->format_name);

		if (index < 0) {
			return cli_usage(cli,
					 "--format is text, xml or json, not"
					 " \"%s\"",
					 o->format_name);
		}
		o->format = (enum cli_format)index;
	}
	if (o->color_name != NULL) {
		int index = find_name(color_names, o->color_name);

		if (index < 0) {
			return cli_usage(cli,
					 "--color is auto, never or always,"
					 " not \"%s\"",
					 o->color_name);
		}
		o->color = (enum cli_color)index;
	}
	if (o->mapper_port < 0 || o->mapper_port > UINT16_MAX) {
		return cli_usage(cli, "--mapper-port is 1 to 65535");
	}
	if (o->remote == NULL && !(cli->verb != NULL && cli->verb->logs_on) &&
	    (o->user != NULL || o->kerberos != 0)) {
		return cli_usage(cli, "--user and --kerberos go with --remote");
	}
	if (o->kerberos != 0 && (o->user != NULL || o->domain != NULL)) {
		return cli_usage(cli, "--kerberos logs on as the ticket's"
				      " owner; leave --user and --domain"
				      " away");
	}
	if (o->remote != NULL && o->control_socket != NULL) {
		return cli_usage(cli,
				 "--remote and --control-socket exclude each"
				 " other");
	}
	return -1;
}

/* ------------------------------------------------------------ reading */

static int out_of_memory(void)
{
	cli_error("out of memory");
	return CLI_FAILED;
}

/* Run popt over its context; -1 or the exit status. */
static int read_options(struct cli *cli, poptContext context,
			const struct strings *strings)
{
	int ret;

	while ((ret = poptGetNextOpt(context)) > 0) {
		char *text = poptGetOptArg(context);
		char *copy = talloc_strdup(cli, text);

		free(text);
		if (copy == NULL) {
			return out_of_memory();
		}
		*strings->targets[ret - 1] = copy;
	}
	if (ret < -1) {
		return cli_usage(cli, "%s: %s",
				 poptBadOption(context, POPT_BADOPTION_NOALIAS),
				 poptStrerror(ret));
	}
	return -1;
}

/* Whether name is one of the words of list, which may be NULL. */
static bool has_word(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list != NULL && *list != '\0') {
		size_t word = strcspn(list, " ");

		if (word == len && memcmp(list, name, len) == 0) {
			return true;
		}
		list += word;
		list += strspn(list, " ");
	}
	return false;
}

static const struct cli_verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; cli_verbs[i] != NULL; i++) {
		if (strcmp(cli_verbs[i]->name, name) == 0 ||
		    has_word(cli_verbs[i]->aliases, name)) {
			return cli_verbs[i];
		}
	}
	return NULL;
}

/* Copies of what popt has left over, as it goes away with its context. */
static int copy_args(struct cli *cli, poptContext context,
		     const char ***ret_args, size_t *ret_num)
{
	const char **left = poptGetArgs(context);
	const char **args = NULL;
	size_t num = 0;
	size_t i;

	while (left != NULL && left[num] != NULL) {
		num++;
	}
	if (num > ARGS_MAX) {
		return cli_usage(cli, "more than %d arguments", ARGS_MAX);
	}
	args = talloc_zero_array(cli, const char *, num + 1);
	if (args == NULL) {
		return out_of_memory();
	}
	for (i = 0; i < num; i++) {
		args[i] = talloc_strdup(args, left[i]);
		if (args[i] == NULL) {
			return out_of_memory();
		}
	}
	*ret_args = args;
	*ret_num = num;
	return -1;
}

/* "export (epl)": the verb and the shortest of its other names. */
static void put_names(char *text, size_t size, const struct cli_verb *verb)
{
	if (verb->aliases == NULL) {
		snprintf(text, size, "%s", verb->name);
		return;
	}
	snprintf(text, size, "%s (%.*s)", verb->name,
		 (int)strcspn(verb->aliases, " "), verb->aliases);
}

static void print_verbs(void)
{
	char names[64];
	size_t width = 0;
	size_t i;

	for (i = 0; cli_verbs[i] != NULL; i++) {
		put_names(names, sizeof(names), cli_verbs[i]);
		width = strlen(names) > width ? strlen(names) : width;
	}
	for (i = 0; cli_verbs[i] != NULL; i++) {
		put_names(names, sizeof(names), cli_verbs[i]);
		printf("  %-*s  %s\n", (int)width, names,
		       cli_verbs[i]->summary);
	}
}

static void print_help(void)
{
	printf("Usage: evenlog [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n"
	       "\n"
	       "Read and write event logs, of Evenlog on this host or of"
	       " Evenlog and Windows\nhosts over the network.\n"
	       "\n"
	       "Commands:\n");
	print_verbs();
	printf("\n"
	       "In parentheses: the names that Windows' wevtutil has.\n"
	       "evenlog COMMAND --help shows a command's options and"
	       " examples.\n"
	       "Exit status: 0 done, 1 failed, 2 wrong usage.\n");
}

static int find_the_verb(struct cli *cli, size_t num_args)
{
	if (num_args == 0) {
		return cli_usage(cli, "no command given");
	}
	cli->verb = find_verb(cli->argv[0]);
	if (cli->verb == NULL) {
		return cli_usage(cli, "there is no command \"%s\"",
				 cli->argv[0]);
	}
	cli->argv++;
	return -1;
}

int cli_parse_global(struct cli *cli, int argc, const char **argv)
{
	struct poptOption table[COMMON_TABLE_SIZE];
	struct strings strings = {};
	poptContext context = NULL;
	size_t num_args = 0;
	int ret;

	common_table(&cli->options, table);
	if (!take_strings(cli, table, &strings)) {
		return out_of_memory();
	}
	context = poptGetContext("evenlog", argc, argv, table,
				 POPT_CONTEXT_POSIXMEHARDER);
	ret = read_options(cli, context, &strings);
	if (ret < 0) {
		ret = copy_args(cli, context, &cli->argv, &num_args);
	}
	poptFreeContext(context);
	if (ret >= 0) {
		return ret;
	}

	if (cli->options.version != 0) {
		printf("evenlog %s\n", PACKAGE_VERSION);
		return CLI_OK;
	}
	if (cli->options.help != 0 && num_args == 0) {
		print_help();
		return CLI_OK;
	}
	return find_the_verb(cli, num_args);
}

static void print_verb_help(struct cli *cli, poptContext context)
{
	printf("%s.\n\n", cli->verb->summary);
	fflush(stdout);
	poptSetOtherOptionHelp(context, cli->verb->arguments);
	poptPrintHelp(context, stdout, 0);
	printf("\n%s", cli->verb->description);
	if (cli->verb->aliases != NULL) {
		printf("\nOther names: %s\n", cli->verb->aliases);
	}
}

static int check_count(struct cli *cli, size_t num_args, int min_args,
		       int max_args)
{
	if (num_args < (size_t)min_args) {
		return cli_usage(cli, "%s: something is missing: evenlog %s %s",
				 cli->verb->name, cli->verb->name,
				 cli->verb->arguments);
	}
	if (max_args >= 0 && num_args > (size_t)max_args) {
		return cli_usage(cli, "%s: too many arguments",
				 cli->verb->name);
	}
	return -1;
}

int cli_parse(struct cli *cli, struct poptOption *table, int min_args,
	      int max_args, const char ***ret_args)
{
	struct poptOption common[COMMON_TABLE_SIZE];
	struct poptOption all[] = {
		{NULL, 0, POPT_ARG_INCLUDE_TABLE, table, 0,
		 "Options of this command:", NULL},
		{NULL, 0, POPT_ARG_INCLUDE_TABLE, common, 0,
		 "Common options:", NULL},
		POPT_TABLEEND,
	};
	struct strings strings = {};
	const char **args = NULL;
	const char **argv = NULL;
	poptContext context = NULL;
	size_t num_args = 0;
	size_t argc = 0;
	int ret;

	while (cli->argv[argc] != NULL) {
		argc++;
	}
	argv = talloc_zero_array(cli, const char *, argc + 2);
	if (argv == NULL) {
		return out_of_memory();
	}
	argv[0] = talloc_asprintf(argv, "evenlog %s", cli->verb->name);
	memcpy(argv + 1, cli->argv, argc * sizeof(argv[0]));

	common_table(&cli->options, common);
	hide_idle(cli->verb, common);
	if (!take_strings(cli, all, &strings)) {
		return out_of_memory();
	}
	/* A verb without options of its own has no title for them. */
	context = poptGetContext(
		"evenlog", (int)argc + 1, argv,
		table[0].longName != NULL || table[0].arg != NULL ? all
								  : all + 1,
		0);
	ret = read_options(cli, context, &strings);
	if (!adopt_lists(cli, table)) {
		ret = out_of_memory();
	}
	if (ret < 0 && cli->options.version != 0) {
		printf("evenlog %s\n", PACKAGE_VERSION);
		ret = CLI_OK;
	}
	if (ret < 0 && cli->options.help != 0) {
		print_verb_help(cli, context);
		ret = CLI_OK;
	}
	if (ret < 0) {
		ret = copy_args(cli, context, &args, &num_args);
	}
	poptFreeContext(context);
	if (ret >= 0) {
		return ret;
	}
	ret = check_common(cli);
	if (ret >= 0) {
		return ret;
	}
	ret = check_count(cli, num_args, min_args, max_args);
	if (ret >= 0) {
		return ret;
	}
	*ret_args = args;
	return -1;
}

int cli_no_xml(struct cli *cli)
{
	if (cli->options.format != CLI_FORMAT_XML) {
		return -1;
	}
	return cli_usage(cli,
			 "--format=xml is for events; %s has text and"
			 " json",
			 cli->verb->name);
}
