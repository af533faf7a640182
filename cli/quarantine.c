/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * quarantine: what the SOAP bridge could not use.  Strangers have sent it:
 * nothing of it reaches the terminal as it is, unless --raw asks for the
 * bytes.
 */

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "collect/quarantine.h"
#include "idl/ndr_control.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Bytes that show prints; all of them are for --raw. */
#define SHOW_TEXT_MAX (64 * 1024)
#define SHOW_DUMP_MAX (4 * 1024)
#define DUMP_LINE 16

struct quarantine_verb {
	struct cli *cli;
	struct collect_connection *connection;
	int all;
	int raw;
};

/* -1 to go on, else the exit status; what failed was said. */
static int call_service(struct quarantine_verb *verb,
			enum collect_quarantine_call call, const char *name,
			uint64_t offset,
			struct collect_quarantine_result *ret_result)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	req = collect_quarantine_send(verb->cli, verb->cli->ev,
				      verb->connection, call, name, offset);
	if (!cli_wait(verb->cli, req)) {
		return CLI_FAILED;
	}
	err = collect_quarantine_recv(req, verb->cli, ret_result, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		if (name[0] != '\0') {
			cli_error("%s: %s", name, failure.text);
		} else {
			cli_error("%s", failure.text);
		}
		return CLI_FAILED;
	}
	return -1;
}

/* ---------------------------------------------------------------- list */

static const char *text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text != NULL ? text : "-";
}

/* 2026-11-22T03:14:56.1234560Z without the fraction. */
static void print_time(const json_t *entry)
{
	const char *text = text_of(entry, "received");

	printf("%.*s", (int)strcspn(text, "."), text);
}

static void print_entry(struct quarantine_verb *verb, json_t *entry)
{
	if (verb->cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json(json_incref(entry));
		return;
	}
	terminal_print(text_of(entry, "name"));
	printf("  ");
	print_time(entry);
	printf("  %-9s  ", text_of(entry, "source"));
	terminal_print(text_of(entry, "peer"));
	printf("  %" PRIu64 "  ",
	       (uint64_t)json_integer_value(json_object_get(entry, "length")));
	terminal_print(text_of(entry, "reason"));
	printf("\n");
}

typedef int (*entry_fn)(struct quarantine_verb *verb, json_t *entry);

/*
 * For each entry of a list; *ret_last is the name to go on after, NULL at the
 * end.  fn may take the entry out of the quarantine.
 */
static int each_of_list(struct quarantine_verb *verb, const char *json,
			entry_fn fn, const char **ret_last)
{
	json_t *list = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *name = NULL;
	int worst = CLI_OK;
	size_t i;
	int ret;

	if (!json_is_array(list)) {
		json_decref(list);
		cli_error("the service's list is malformed");
		*ret_last = NULL;
		return CLI_FAILED;
	}
	for (i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);

		name = text_of(entry, "name");
		ret = fn(verb, entry);
		worst = ret > worst ? ret : worst;
	}
	*ret_last = name != NULL ? talloc_strdup(verb->cli, name) : NULL;
	json_decref(list);
	return worst;
}

static int each_entry(struct quarantine_verb *verb, entry_fn fn)
{
	struct collect_quarantine_result result = {.json = NULL};
	const char *after = "";
	int worst = CLI_OK;
	int ret;

	while (after != NULL) {
		ret = call_service(verb, COLLECT_QUARANTINE_LIST, after, 0,
				   &result);
		if (ret >= 0) {
			return ret;
		}
		ret = each_of_list(verb, result.json, fn, &after);
		worst = ret > worst ? ret : worst;
	}
	return worst;
}

static int list_one(struct quarantine_verb *verb, json_t *entry)
{
	print_entry(verb, entry);
	return CLI_OK;
}

/* ---------------------------------------------------------------- show */

static int write_raw(const struct collect_quarantine_result *part)
{
	if (fwrite(part->data, 1, part->len, stdout) != part->len) {
		cli_error("cannot write the output: %s", strerror(errno));
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* All of the input, part by part. */
static int show_raw(struct quarantine_verb *verb, const char *name)
{
	struct collect_quarantine_result part = {.total = 1};
	uint64_t offset = 0;
	int ret;

	do {
		ret = call_service(verb, COLLECT_QUARANTINE_READ, name, offset,
				   &part);
		if (ret >= 0) {
			return ret;
		}
		ret = write_raw(&part);
		offset += part.len;
		talloc_free((void *)part.data);
	} while (ret == CLI_OK && part.len > 0 && offset < part.total);
	return ret;
}

/* Text as a person writes it: UTF-8 without controls but white space. */
static bool is_text(const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((data[i] < 0x20 && data[i] != '\t' && data[i] != '\n' &&
		     data[i] != '\r') ||
		    data[i] == 0x7F) {
			return false;
		}
	}
	/* A part may end inside a character. */
	for (i = 0; i < 4 && i <= len; i++) {
		if (text_utf8_valid((const char *)data, len - i)) {
			return true;
		}
	}
	return false;
}

static void print_text(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct buf out;

	buf_init(&out, NULL, 16 * SHOW_TEXT_MAX);
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end != NULL ? (size_t)(end - text) : len;
		size_t shown = line;

		if (shown > 0 && text[shown - 1] == '\r') {
			shown--;
		}
		terminal_put_text(&out, text, shown, 0);
		buf_put_u8(&out, '\n');
		line += end != NULL ? 1 : 0;
		text += line;
		len -= line;
	}
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

static void print_dump_line(const uint8_t *data, size_t offset, size_t len)
{
	size_t i;

	printf("%08zx ", offset);
	for (i = 0; i < DUMP_LINE; i++) {
		if (i < len) {
			printf(" %02x", data[offset + i]);
		} else {
			printf("   ");
		}
	}
	printf("  ");
	for (i = 0; i < len; i++) {
		uint8_t c = data[offset + i];

		putchar(c >= 0x20 && c < 0x7F ? c : '.');
	}
	printf("\n");
}

static void print_dump(const uint8_t *data, size_t len)
{
	size_t offset;

	for (offset = 0; offset < len; offset += DUMP_LINE) {
		size_t rest = len - offset;

		print_dump_line(data, offset,
				rest < DUMP_LINE ? rest : DUMP_LINE);
	}
}

static void print_input(const struct collect_quarantine_result *part)
{
	size_t len = part->len < SHOW_TEXT_MAX ? part->len : SHOW_TEXT_MAX;

	if (is_text(part->data, len)) {
		print_text(part->data, len);
	} else {
		len = len < SHOW_DUMP_MAX ? len : SHOW_DUMP_MAX;
		print_dump(part->data, len);
	}
	if (len < part->total) {
		cli_note("%" PRIu64 " bytes more; --raw writes all of them",
			 part->total - len);
	}
}

static void print_known(const json_t *entry)
{
	static const struct {
		const char *key;
		const char *label;
	} rows[] = {
		{"name", "Name"},	  {"received", "Received"},
		{"source", "Source"},	  {"peer", "Peer"},
		{"method", "Method"},	  {"path", "Path"},
		{"content_type", "Type"}, {"soap_action", "SOAPAction"},
		{"reason", "Reason"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const json_t *value = json_object_get(entry, rows[i].key);

		if (json_is_string(value)) {
			printf("%s: ", rows[i].label);
			terminal_print(json_string_value(value));
			printf("\n");
		}
	}
	printf("Length: %" PRIu64 "%s\n\n",
	       (uint64_t)json_integer_value(json_object_get(entry, "length")),
	       json_is_true(json_object_get(entry, "complete"))
		       ? ""
		       : ", not kept whole: it cannot be tried again");
}

static int show(struct quarantine_verb *verb, const char *name)
{
	struct collect_quarantine_result part = {.json = NULL};
	json_t *entry = NULL;
	int ret;

	if (verb->raw) {
		return show_raw(verb, name);
	}
	ret = call_service(verb, COLLECT_QUARANTINE_READ, name, 0, &part);
	if (ret >= 0) {
		return ret;
	}
	if (verb->cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json_text(part.json);
		return CLI_OK;
	}
	entry = json_loads(part.json, JSON_REJECT_DUPLICATES, NULL);
	print_known(entry);
	json_decref(entry);
	print_input(&part);
	return CLI_OK;
}

/* ----------------------------------------------------- retry and remove */

static int retry(struct quarantine_verb *verb, const char *name)
{
	struct collect_quarantine_result result;
	int ret;

	ret = call_service(verb, COLLECT_QUARANTINE_RETRY, name, 0, &result);
	if (ret >= 0) {
		return ret;
	}
	cli_note("%s: taken, and no longer in the quarantine", name);
	return CLI_OK;
}

static int retry_one(struct quarantine_verb *verb, json_t *entry)
{
	return retry(verb, text_of(entry, "name"));
}

static int remove_entry(struct quarantine_verb *verb, const char *name)
{
	struct collect_quarantine_result result;
	int ret;

	ret = call_service(verb, COLLECT_QUARANTINE_REMOVE, name, 0, &result);
	return ret < 0 ? CLI_OK : ret;
}

static int remove_one(struct quarantine_verb *verb, json_t *entry)
{
	return remove_entry(verb, text_of(entry, "name"));
}

/* --------------------------------------------------------------- verbs */

struct quarantine_word {
	const char *word;
	bool takes_name;
	bool takes_all;
	bool takes_raw;
	int (*one)(struct quarantine_verb *verb, const char *name);
	entry_fn each;
};

static const struct quarantine_word words[] = {
	{"list", false, false, false, NULL, list_one},
	{"show", true, false, true, show, NULL},
	{"retry", true, true, false, retry, retry_one},
	{"remove", true, true, false, remove_entry, remove_one},
};

static const struct quarantine_word *find_word(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, text) == 0) {
			return &words[i];
		}
	}
	return NULL;
}

/* -1 to go on, else CLI_USAGE. */
static int check_words(struct quarantine_verb *verb,
		       const struct quarantine_word *word, const char **args)
{
	if (word == NULL) {
		return cli_usage(verb->cli,
				 "quarantine is list, show, retry or remove, "
				 "not \"%s\"",
				 args[0]);
	}
	if (verb->all && !word->takes_all) {
		return cli_usage(verb->cli, "quarantine %s takes no --all",
				 word->word);
	}
	if (verb->raw && !word->takes_raw) {
		return cli_usage(verb->cli, "quarantine %s takes no --raw",
				 word->word);
	}
	if (args[1] != NULL && (!word->takes_name || verb->all)) {
		return cli_usage(verb->cli, "quarantine %s%s takes no NAME",
				 word->word, verb->all ? " --all" : "");
	}
	if (args[1] == NULL && word->takes_name && !verb->all) {
		return cli_usage(verb->cli, "quarantine %s needs a NAME%s",
				 word->word,
				 word->takes_all ? " or --all" : "");
	}
	return -1;
}

static int cli_quarantine(struct cli *cli)
{
	struct quarantine_verb verb = {.cli = cli};
	struct poptOption table[] = {
		{"all", 'a', POPT_ARG_NONE, &verb.all, 0,
		 "retry, remove: every entry, oldest first", NULL},
		{"raw", 0, POPT_ARG_NONE, &verb.raw, 0,
		 "show: write the input itself, all of it", NULL},
		POPT_TABLEEND,
	};
	const struct quarantine_word *word = NULL;
	const char **args = NULL;
	int ret;

	ret = cli_parse_local(cli, table, 1, 2, &args);
	if (ret < 0) {
		word = find_word(args[0]);
		ret = check_words(&verb, word, args);
	}
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_control, &verb.connection);
	}
	if (ret >= 0) {
		return ret;
	}
	return args[1] != NULL ? word->one(&verb, args[1])
			       : each_entry(&verb, word->each);
}

static const char quarantine_description[] =
	"What the SOAP bridge could not use is kept for a person: list names\n"
	"the entries, oldest first, with time, source, peer, length and\n"
	"reason; show prints what is known of one, and its input as text or\n"
	"as bytes; retry takes it in as if it had come now, after which it\n"
	"leaves the quarantine; remove drops it. For administrators.\n"
	"\n"
	"  evenlog quarantine list\n"
	"  evenlog quarantine show NAME --raw >message\n"
	"  evenlog quarantine retry --all\n";

const struct cli_verb cli_verb_quarantine = {
	.name = "quarantine",
	.arguments = "list|show|retry|remove [NAME]",
	.summary = "Look at what the SOAP bridge could not use",
	.description = quarantine_description,
	.run = cli_quarantine,
	.local = true,
};
