/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/select.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/wintime.h"
#include "cli/evtx.h"
#include "cli/terminal.h"
#include "event/query.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* FILETIME units in one; Event Viewer's queries have no finer times. */
#define MILLISECOND (WINTIME_SECOND / 1000)

static const char byte_order_mark[] = "\xEF\xBB\xBF";

static everr_t read_file(const char *path, struct buf *out)
{
	int fd = STDIN_FILENO;
	ssize_t ret;

	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd == -1) {
			return EVERR_IO;
		}
	}
	do {
		uint8_t chunk[16384];

		ret = read(fd, chunk, sizeof(chunk));
		if (ret > 0) {
			buf_put(out, chunk, (size_t)ret);
		}
	} while ((ret > 0 && buf_error(out) == EVERR_OK) ||
		 (ret < 0 && errno == EINTR));
	if (fd != STDIN_FILENO) {
		close(fd);
	}
	return ret < 0 ? EVERR_IO : buf_error(out);
}

static int read_query(struct cli *cli, const char *path, const char **ret_query)
{
	const char *text = NULL;
	struct buf content;
	everr_t err;

	buf_init(&content, cli, EVENT_QUERY_LENGTH_MAX);
	err = read_file(path, &content);
	if (err == EVERR_IO) {
		cli_error("cannot read %s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	buf_put_u8(&content, 0);
	err = buf_error(&content);
	if (err != EVERR_OK) {
		cli_error("%s: the query is too long", path);
		return CLI_FAILED;
	}
	text = (const char *)content.data;
	if (strlen(text) + 1 != content.len ||
	    !text_utf8_valid(text, content.len - 1)) {
		cli_error("%s: the query is not UTF-8", path);
		return CLI_FAILED;
	}
	if (strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0) {
		text += strlen(byte_order_mark);
	}
	text += strspn(text, " \t\r\n");
	if (text[0] != '<') {
		cli_error("%s: this is no structured query, which begins with"
			  " <QueryList>",
			  path);
		return CLI_FAILED;
	}
	*ret_query = text;
	return -1;
}

/* ------------------------------------------------------------ arguments */

/*
 * Whether an argument is an XPath and no channel: it begins as the protocol
 * wants it, or has what no name of a channel has.
 */
static bool is_xpath(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0' || text[0] == '*' ||
	       text[0] == '(' || strcmp(text, "Event") == 0 ||
	       strncmp(text, "Event/", 6) == 0 ||
	       strpbrk(text, "[]=<>'\"") != NULL;
}

/* Whether it can be put into a request. */
static bool is_query_text(const char *text)
{
	const char *c = NULL;

	for (c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 && strchr("\t\r\n", *c) == NULL) {
			return false;
		}
	}
	return text_utf8_valid(text, strlen(text));
}

/* What Windows makes of many comparisons (facts 7.3). */
static void warn_of_length(const struct cli *cli, size_t terms)
{
	if (terms > CLI_FILTER_WINDOWS_TERMS && cli->options.remote != NULL) {
		cli_note("evenlog: these options make %zu comparisons; a"
			 " Windows host refuses more than about %d, an Evenlog"
			 " host does not",
			 terms, CLI_FILTER_WINDOWS_TERMS);
	}
}

/* The XPath of the options and of the argument, which may be NULL. */
static int make_xpath(struct cli *cli, const struct cli_filter *filter,
		      const char *argument, const char **ret_xpath)
{
	const char *message = NULL;
	size_t terms = 0;
	everr_t err;

	if (argument != NULL && !is_query_text(argument)) {
		return cli_usage(cli, "the XPATH is not UTF-8 text");
	}
	if (argument != NULL && argument[strspn(argument, " \t\r\n")] == '\0') {
		argument = NULL;
	}
	err = cli_filter_xpath(cli, filter, argument,
			       wintime_now() / MILLISECOND * MILLISECOND,
			       cli->options.utc != 0, ret_xpath, &terms,
			       &message);
	if (err == EVERR_TEXT) {
		return cli_usage(cli, "%s", message);
	}
	if (err != EVERR_OK) {
		cli_error("%s", everr_text(err));
		return CLI_FAILED;
	}
	warn_of_length(cli, terms);
	return -1;
}

static int select_channels(struct cli *cli, const char **args,
			   const struct cli_filter *filter,
			   struct cli_selection *ret_selection)
{
	struct cli_selection selection = {.label = args[0]};
	const char *argument = NULL;
	size_t num = 0;
	everr_t err;
	int ret;

	while (args[num] != NULL) {
		num++;
	}
	if (num > 1 && is_xpath(args[num - 1])) {
		num--;
		argument = args[num];
	}
	if (num > EVENT_QUERY_PATHS_MAX) {
		return cli_usage(cli, "more than %d channels",
				 EVENT_QUERY_PATHS_MAX);
	}
	ret = make_xpath(cli, filter, argument, &selection.query);
	if (ret >= 0) {
		return ret;
	}
	selection.everything = strcmp(selection.query, "*") == 0;
	if (num == 1) {
		selection.channel = args[0];
		*ret_selection = selection;
		return -1;
	}
	err = cli_filter_query_list(cli, args, num, selection.query,
				    &selection.query);
	if (err == EVERR_TEXT) {
		return cli_usage(cli, "a CHANNEL is not UTF-8 text of one"
				      " line");
	}
	if (err != EVERR_OK) {
		cli_error("%s", everr_text(err));
		return CLI_FAILED;
	}
	*ret_selection = selection;
	return -1;
}

static int select_structured(struct cli *cli, const char *structured,
			     const struct cli_filter *filter,
			     struct cli_selection *ret_selection)
{
	struct cli_selection selection = {.label = structured};
	int ret;

	if (cli_filter_given(filter)) {
		return cli_usage(cli,
				 "a structured query has its filters"
				 " inside; leave --since, --level and so on"
				 " away");
	}
	ret = read_query(cli, structured, &selection.query);
	if (ret >= 0) {
		return ret;
	}
	*ret_selection = selection;
	return -1;
}

/* The query on stdout, ready to be typed or pasted elsewhere. */
static void explain(const struct cli_selection *selection)
{
	const char *text = selection->query;
	struct buf out;

	buf_init(&out, NULL, 4 * EVENT_QUERY_LENGTH_MAX);
	for (; *text != '\0'; text++) {
		size_t len = strcspn(text, "\n");

		terminal_put_text(&out, text, len, 0);
		buf_put_u8(&out, '\n');
		text += len;
		if (*text == '\0') {
			break;
		}
	}
	if (buf_error(&out) == EVERR_OK) {
		fwrite(out.data, 1, out.len, stdout);
	}
	buf_free(&out);
}

bool cli_selects_files(const char **args)
{
	size_t i;

	for (i = 0; args[i] != NULL; i++) {
		if (cli_is_evtx(args[i])) {
			return true;
		}
	}
	return false;
}

int cli_select(struct cli *cli, const char **args, const char *structured,
	       const struct cli_filter *filter,
	       struct cli_selection *ret_selection)
{
	struct cli_selection selection = {.channel = NULL};
	int ret;

	if (structured == NULL && args[0] == NULL) {
		return cli_usage(cli, "%s needs a CHANNEL or --structured FILE",
				 cli->verb->name);
	}
	if (args[0] != NULL && cli_is_evtx(args[0])) {
		return cli_usage(cli,
				 "%s is about channels; files are read by"
				 " query and import",
				 cli->verb->name);
	}
	if (structured != NULL && args[0] != NULL) {
		return cli_usage(cli, "a structured query names its channels"
				      " itself; leave CHANNEL away");
	}
	if (structured != NULL) {
		ret = select_structured(cli, structured, filter, &selection);
	} else {
		ret = select_channels(cli, args, filter, &selection);
	}
	if (ret >= 0) {
		return ret;
	}
	if (filter->explain != 0) {
		explain(&selection);
		return CLI_OK;
	}
	*ret_selection = selection;
	return -1;
}

/* ---------------------------------------------------------------- files */

static size_t count_strings(const char *const *strings)
{
	size_t num = 0;

	while (strings != NULL && strings[num] != NULL) {
		num++;
	}
	return num;
}

/* The arguments are files, but for an XPATH at the end. */
static int take_paths(struct cli *cli, const char **args, const char **paths,
		      size_t num, const char **ret_xpath)
{
	const char *xpath = NULL;
	size_t i;

	for (i = 0; args[i] != NULL; i++) {
		if (cli_is_evtx(args[i])) {
			paths[num++] = args[i];
		} else if (args[i + 1] == NULL && is_xpath(args[i])) {
			xpath = args[i];
		} else {
			return cli_usage(cli,
					 "%s is no .evtx file; channels and"
					 " files do not go together",
					 args[i]);
		}
	}
	*ret_xpath = xpath;
	return -1;
}

int cli_select_files(struct cli *cli, char **files, const char **args,
		     const struct cli_filter *filter,
		     const char *const **ret_paths, const char **ret_xpath)
{
	size_t num_files = count_strings((const char *const *)files);
	struct cli_selection selection = {.channel = NULL};
	const char *argument = NULL;
	const char **paths = NULL;
	size_t i;
	int ret;

	paths = talloc_zero_array(cli, const char *,
				  num_files + count_strings(args) + 1);
	if (paths == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	for (i = 0; i < num_files; i++) {
		paths[i] = files[i];
	}
	ret = take_paths(cli, args, paths, num_files, &argument);
	if (ret < 0) {
		ret = make_xpath(cli, filter, argument, &selection.query);
	}
	if (ret >= 0) {
		return ret;
	}
	if (filter->explain != 0) {
		explain(&selection);
		return CLI_OK;
	}
	*ret_paths = paths;
	*ret_xpath = selection.query;
	return -1;
}
