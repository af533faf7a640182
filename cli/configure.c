/* SPDX-License-Identifier: GPL-3.0-or-later */

/* get-log and set-log: what a channel is set to. */

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/terminal.h"
#include "collect/configure.h"
#include "daemon/schema.h"
#include "idl/ndr_even6.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* What a person calls the values of Isolation and Type, facts 12.1. */
static const char *const isolations[] = {"application", "system", "custom",
					 NULL};
static const char *const types[] = {"admin", "operational", "analytic", "debug",
				    NULL};

/* -------------------------------------------------------------- get-log */

static json_t *choice_json(const char *const *choices, uint64_t number)
{
	uint64_t i;

	for (i = 0; choices[i] != NULL; i++) {
		if (i == number) {
			return json_string(choices[i]);
		}
	}
	return json_integer((json_int_t)number);
}

static json_t *list_json(const struct collect_value *value)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < value->num_list; i++) {
		json_array_append_new(list, json_string(value->list[i]));
	}
	return list;
}

static json_t *value_json(uint32_t property, const struct collect_value *value)
{
	char text[20];

	if (!value->present) {
		return json_null();
	}
	switch (property) {
	case COLLECT_ENABLED:
	case COLLECT_CLASSIC:
	case COLLECT_RETENTION:
	case COLLECT_AUTO_BACKUP:
		return json_boolean(value->number != 0);
	case COLLECT_ISOLATION:
		return choice_json(isolations, value->number);
	case COLLECT_TYPE:
		return choice_json(types, value->number);
	case COLLECT_KEYWORDS:
		snprintf(text, sizeof(text), "0x%" PRIx64, value->number);
		return json_string(text);
	case COLLECT_PUBLISHER_LIST:
		return list_json(value);
	default:
		return value->text != NULL
			       ? json_string(value->text)
			       : json_integer((json_int_t)value->number);
	}
}

static json_t *config_json(const char *channel,
			   const struct collect_channel_config *config)
{
	json_t *object = json_pack("{s:s}", "Channel", channel);
	uint32_t i;

	for (i = 0; i < COLLECT_PROPERTIES; i++) {
		/* Always zero: no value of the channel's own. */
		if (i != COLLECT_CONTROL_GUID) {
			json_object_set_new(object, collect_property_name(i),
					    value_json(i, &config->values[i]));
		}
	}
	return object;
}

static void print_names(const json_t *names)
{
	size_t i;

	for (i = 0; i < json_array_size(names); i++) {
		printf("%s", i > 0 ? ", " : "");
		terminal_print(json_string_value(json_array_get(names, i)));
	}
}

/* One property a line; a long access string is shown whole. */
static void print_config_text(const json_t *object)
{
	void *iter = json_object_iter((json_t *)object);

	while (iter != NULL) {
		const json_t *value = json_object_iter_value(iter);

		printf("%-16s ", json_object_iter_key(iter));
		switch (json_typeof(value)) {
		case JSON_STRING:
			terminal_print(json_string_value(value));
			break;
		case JSON_INTEGER:
			printf("%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
			break;
		case JSON_ARRAY:
			print_names(value);
			break;
		case JSON_NULL:
			printf("-");
			break;
		default:
			printf("%s", json_is_true(value) ? "yes" : "no");
			break;
		}
		printf("\n");
		iter = json_object_iter_next((json_t *)object, iter);
	}
}

static bool print_config(const struct cli *cli, const char *channel,
			 const struct collect_channel_config *config)
{
	json_t *object = config_json(channel, config);
	everr_t err = EVERR_OK;

	switch (cli->options.format) {
	case CLI_FORMAT_TEXT:
		print_config_text(object);
		break;
	case CLI_FORMAT_XML:
		err = cli_show_xml("channel", object);
		break;
	case CLI_FORMAT_JSON:
		err = cli_show_json(object);
		break;
	}
	json_decref(object);
	return err == EVERR_OK;
}

static bool get_log_one(struct cli *cli, struct collect_connection *connection,
			const char *channel)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_channel_config *config = NULL;
	struct tevent_req *req = NULL;
	everr_t err;
	bool ok;

	req = collect_config_get_send(cli, cli->ev, connection, channel);
	if (!cli_wait(cli, req)) {
		return false;
	}
	err = collect_config_get_recv(req, cli, &config, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return false;
	}
	ok = print_config(cli, channel, config);
	TALLOC_FREE(config);
	return ok;
}

static int cli_get_log(struct cli *cli)
{
	struct poptOption table[] = {POPT_TABLEEND};
	struct collect_connection *connection = NULL;
	const char **args = NULL;
	bool all = true;
	size_t i;
	int ret;

	ret = cli_parse(cli, table, 1, -1, &args);
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_even6, &connection);
	}
	if (ret >= 0) {
		return ret;
	}
	for (i = 0; args[i] != NULL; i++) {
		if (i > 0 && cli->options.format == CLI_FORMAT_TEXT) {
			printf("\n");
		}
		all &= get_log_one(cli, connection, args[i]);
	}
	return all ? CLI_OK : CLI_FAILED;
}

static const char get_log_description[] =
	"Shows what each channel is set to: the properties of the protocol.\n"
	"An Evenlog host keeps most of them for its clients only; evenlog(1)\n"
	"says which ones it obeys.\n";

const struct cli_verb cli_verb_get_log = {
	.name = "get-log",
	.aliases = "gl",
	.arguments = "CHANNEL...",
	.summary = "Show what channels are set to",
	.description = get_log_description,
	.run = cli_get_log,
};

/* -------------------------------------------------------------- set-log */

/* The options' texts, and what they come to. */
struct set_log {
	char *texts[COLLECT_PROPERTIES]; /* NULL: not given */
	int create;
	int reset;
	int remove;
	struct collect_channel_config config;
	size_t num_changes;
};

/* How a property's text is read; the type says the rest. */
static const struct {
	uint32_t property;
	const char *option;
	struct schema_key key;
	const char *allowed;
} settable[] = {
	{COLLECT_ENABLED, "enabled", {.type = SCHEMA_BOOL}, "yes or no"},
	{COLLECT_MAX_SIZE,
	 "max-size",
	 {.type = SCHEMA_SIZE},
	 "a size such as 64M or 2G"},
	{COLLECT_RETENTION, "retention", {.type = SCHEMA_BOOL}, "yes or no"},
	{COLLECT_AUTO_BACKUP,
	 "auto-backup",
	 {.type = SCHEMA_BOOL},
	 "yes or no"},
	{COLLECT_ACCESS, "access", {.type = SCHEMA_STRING}, "an access string"},
	{COLLECT_TYPE,
	 "type",
	 {.type = SCHEMA_CHOICE, .choices = types},
	 "admin, operational, analytic or debug"},
	{COLLECT_ISOLATION,
	 "isolation",
	 {.type = SCHEMA_CHOICE, .choices = isolations},
	 "application, system or custom"},
	{COLLECT_LEVEL,
	 "level",
	 {.type = SCHEMA_UINT32, .max = UINT32_MAX},
	 "a number"},
	{COLLECT_KEYWORDS,
	 "keywords",
	 {.type = SCHEMA_STRING},
	 "a mask such as 0x8000000000000000"},
	{COLLECT_OWNING_PUBLISHER,
	 "owning-publisher",
	 {.type = SCHEMA_STRING},
	 "a publisher's name"},
	{COLLECT_LOG_FILE_PATH, "log-file", {.type = SCHEMA_STRING}, "a path"},
	{COLLECT_FILE_MAX,
	 "file-max",
	 {.type = SCHEMA_UINT32, .max = UINT32_MAX},
	 "a number"},
};

static everr_t set_value(struct cli *cli, size_t row, const char *text,
			 struct collect_value *value)
{
	bool flag = false;
	uint32_t number = 0;
	everr_t err;

	if (settable[row].property == COLLECT_KEYWORDS) {
		return cli_parse_number(text, UINT64_MAX, &value->number);
	}
	switch (settable[row].key.type) {
	case SCHEMA_BOOL:
		err = schema_set(cli, &settable[row].key, text, &flag);
		value->number = flag;
		return err;
	case SCHEMA_UINT32:
	case SCHEMA_CHOICE:
		err = schema_set(cli, &settable[row].key, text, &number);
		value->number = number;
		return err;
	case SCHEMA_SIZE:
		return schema_set(cli, &settable[row].key, text,
				  &value->number);
	default:
		return schema_set(cli, &settable[row].key, text, &value->text);
	}
}

/* -1 to go on, else the exit status. */
static int set_log_read(struct cli *cli, struct set_log *set)
{
	everr_t err;
	size_t i;

	for (i = 0; i < sizeof(settable) / sizeof(settable[0]); i++) {
		uint32_t property = settable[i].property;
		const char *text = set->texts[property];

		if (text == NULL) {
			continue;
		}
		err = set_value(cli, i, text, &set->config.values[property]);
		if (err != EVERR_OK) {
			return cli_usage(cli, "--%s=%s: %s is needed",
					 settable[i].option, text,
					 settable[i].allowed);
		}
		set->config.values[property].present = true;
		set->num_changes++;
	}
	if (set->create + set->reset + set->remove > 1 ||
	    (set->remove != 0 && set->num_changes > 0)) {
		return cli_usage(cli, "--create, --reset and --delete exclude "
				      "each other, and --delete all else");
	}
	if (set->create + set->reset + set->remove == 0 &&
	    set->num_changes == 0) {
		return cli_usage(cli, "there is nothing to change: give the "
				      "properties, such as --max-size=64M");
	}
	return -1;
}

static bool set_log_end(everr_t err, const struct collect_failure *failure)
{
	if (err != EVERR_OK) {
		cli_error("%s", failure->text);
	}
	return err == EVERR_OK;
}

static bool set_log_remove(struct cli *cli,
			   struct collect_connection *connection,
			   const char *channel)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	req = collect_config_retract_send(cli, cli->ev, connection, channel);
	if (!cli_wait(cli, req)) {
		return false;
	}
	err = collect_config_retract_recv(req, &failure);
	TALLOC_FREE(req);
	return set_log_end(err, &failure);
}

static bool set_log_change(struct cli *cli,
			   struct collect_connection *connection,
			   const char *channel, const struct set_log *set)
{
	enum collect_config_mode mode = COLLECT_CONFIG_OPEN;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	if (set->create != 0) {
		mode = COLLECT_CONFIG_CREATE;
	} else if (set->reset != 0) {
		mode = COLLECT_CONFIG_CREATE_ANEW;
	}
	req = collect_config_put_send(cli, cli->ev, connection, channel, mode,
				      &set->config);
	if (!cli_wait(cli, req)) {
		return false;
	}
	err = collect_config_put_recv(req, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		return set_log_end(err, &failure);
	}
	req = collect_config_assert_send(cli, cli->ev, connection, channel);
	if (!cli_wait(cli, req)) {
		return false;
	}
	err = collect_config_assert_recv(req, &failure);
	TALLOC_FREE(req);
	return set_log_end(err, &failure);
}

static int cli_set_log(struct cli *cli)
{
	struct set_log set = {};
	char **texts = set.texts;
	struct poptOption table[] = {
		{"enabled", 0, POPT_ARG_STRING, &texts[COLLECT_ENABLED], 0,
		 "Take new events", "yes|no"},
		{"max-size", 0, POPT_ARG_STRING, &texts[COLLECT_MAX_SIZE], 0,
		 "Size at which the oldest events go", "SIZE"},
		{"retention", 0, POPT_ARG_STRING, &texts[COLLECT_RETENTION], 0,
		 "Keep old events when it is full", "yes|no"},
		{"auto-backup", 0, POPT_ARG_STRING, &texts[COLLECT_AUTO_BACKUP],
		 0, "Save a full log to a file", "yes|no"},
		{"access", 0, POPT_ARG_STRING, &texts[COLLECT_ACCESS], 0,
		 "Who may read, write and clear", "SDDL"},
		{"type", 0, POPT_ARG_STRING, &texts[COLLECT_TYPE], 0,
		 "admin, operational, analytic or debug", "TYPE"},
		{"isolation", 0, POPT_ARG_STRING, &texts[COLLECT_ISOLATION], 0,
		 "application, system or custom", "NAME"},
		{"level", 0, POPT_ARG_STRING, &texts[COLLECT_LEVEL], 0,
		 "Highest level of events", "N"},
		{"keywords", 0, POPT_ARG_STRING, &texts[COLLECT_KEYWORDS], 0,
		 "Keywords of events", "MASK"},
		{"owning-publisher", 0, POPT_ARG_STRING,
		 &texts[COLLECT_OWNING_PUBLISHER], 0, "Whose channel it is",
		 "NAME"},
		{"log-file", 0, POPT_ARG_STRING, &texts[COLLECT_LOG_FILE_PATH],
		 0, "The log's file on Windows", "PATH"},
		{"file-max", 0, POPT_ARG_STRING, &texts[COLLECT_FILE_MAX], 0,
		 "How many files", "N"},
		{"create", 0, POPT_ARG_NONE, &set.create, 0,
		 "Make the channel; it must not be there", NULL},
		{"reset", 0, POPT_ARG_NONE, &set.reset, 0,
		 "Begin with the defaults again; events stay", NULL},
		{"delete", 0, POPT_ARG_NONE, &set.remove, 0,
		 "Remove the channel and its events", NULL},
		POPT_TABLEEND};
	struct collect_connection *connection = NULL;
	const char **args = NULL;
	bool done;
	int ret;

	ret = cli_parse(cli, table, 1, 1, &args);
	if (ret < 0) {
		ret = set_log_read(cli, &set);
	}
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_even6, &connection);
	}
	if (ret >= 0) {
		return ret;
	}
	done = set.remove != 0 ? set_log_remove(cli, connection, args[0])
			       : set_log_change(cli, connection, args[0], &set);
	return done ? CLI_OK : CLI_FAILED;
}

static const char set_log_description[] =
	"Changes a channel's properties, all of them or none. They are in\n"
	"force, and kept, when the command ends. What evenlog.conf sets for a\n"
	"channel cannot be changed this way. Creating a channel needs an\n"
	"administrator; --delete removes its events, too, for good.\n";

const struct cli_verb cli_verb_set_log = {
	.name = "set-log",
	.aliases = "sl",
	.arguments = "CHANNEL",
	.summary = "Change what a channel is set to; create or delete it",
	.description = set_log_description,
	.run = cli_set_log,
};
