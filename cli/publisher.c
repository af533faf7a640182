/* SPDX-License-Identifier: GPL-3.0-or-later */

/* publishers and publisher: who writes events, and what they mean by them. */

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/terminal.h"
#include "collect/publisher.h"
#include "collect/render.h"
#include "event/winmeta.h"
#include "idl/ndr_even6.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------- publishers */

static int compare_names(const void *a, const void *b)
{
	return text_name_cmp(*(const char *const *)a, *(const char *const *)b);
}

static int print_publishers_xml(const char **names, size_t num)
{
	json_t *list = json_array();
	everr_t err;
	size_t i;

	for (i = 0; i < num; i++) {
		json_array_append_new(list, json_string(names[i]));
	}
	err = cli_show_xml("publishers", list);
	json_decref(list);
	return err == EVERR_OK ? CLI_OK : CLI_FAILED;
}

static int print_publishers(const struct cli *cli, const char **names,
			    size_t num)
{
	size_t i;

	if (cli->options.format == CLI_FORMAT_XML) {
		return print_publishers_xml(names, num);
	}
	for (i = 0; i < num; i++) {
		if (cli->options.format == CLI_FORMAT_JSON) {
			cli_print_json(
				json_pack("{s:s}", "Publisher", names[i]));
		} else {
			terminal_print(names[i]);
			printf("\n");
		}
	}
	return CLI_OK;
}

static int cli_publishers(struct cli *cli)
{
	char *channel = NULL;
	struct poptOption table[] = {
		{"channel", 0, POPT_ARG_STRING, &channel, 0,
		 "Only those that write to this channel", "CHANNEL"},
		POPT_TABLEEND};
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	const char **names = NULL;
	const char **args = NULL;
	size_t num = 0;
	everr_t err;
	int ret;

	ret = cli_parse(cli, table, 0, 0, &args);
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_even6, &connection);
	}
	if (ret >= 0) {
		return ret;
	}
	req = collect_publishers_send(cli, cli->ev, connection, channel);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	err = collect_publishers_recv(req, cli, &names, &num, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	qsort(names, num, sizeof(names[0]), compare_names);
	return print_publishers(cli, names, num);
}

static const char publishers_description[] =
	"One publisher a line, or with --format=json one object a line.\n";

const struct cli_verb cli_verb_publishers = {
	.name = "publishers",
	.aliases = "ep enum-publishers",
	.arguments = "",
	.summary = "Show the publishers that a host knows",
	.description = publishers_description,
	.run = cli_publishers,
};

/* ------------------------------------------------------------- messages */

/* Calls in flight. */
#define TEXTS_CALLS 32

/* A message that becomes the member "message" of an object. */
struct text {
	json_t *object;
	uint32_t id;
};

struct texts {
	struct cli *cli;
	struct collect_publisher *publisher;
	bool wanted;
	struct text *list;
	size_t num;
	size_t next;
	size_t in_flight;
	struct collect_failure failure;
};

static void texts_add(struct texts *texts, json_t *object, uint32_t id)
{
	struct text *grown = NULL;

	if (!texts->wanted) {
		return;
	}
	/* Each row of a table has it. */
	json_object_set_new(object, "message", json_null());
	if (id == COLLECT_MESSAGE_NONE || texts->failure.err != EVERR_OK) {
		return;
	}
	/* A power of two is when it is full. */
	if ((texts->num & (texts->num - 1)) == 0) {
		grown = talloc_realloc(texts->cli, texts->list, struct text,
				       texts->num > 0 ? 2 * texts->num : 1);
		if (grown == NULL) {
			collect_failure_set(&texts->failure, EVERR_NOMEM,
					    "out of memory");
			return;
		}
		texts->list = grown;
	}
	texts->list[texts->num++] = (struct text){.object = object, .id = id};
}

struct text_job {
	struct texts *texts;
	struct text text;
};

static void texts_send(struct texts *texts);
static void texts_done(struct tevent_req *req);

static void texts_send(struct texts *texts)
{
	while (texts->in_flight < TEXTS_CALLS && texts->next < texts->num &&
	       texts->failure.err == EVERR_OK) {
		struct collect_render_request request = {
			.what = COLLECT_RENDER_ID,
			.message_id = texts->list[texts->next].id,
		};
		struct text_job *job = talloc(texts->cli, struct text_job);
		struct tevent_req *req = NULL;

		if (job != NULL) {
			job->texts = texts;
			job->text = texts->list[texts->next];
			req = collect_render_send(job, texts->cli->ev,
						  texts->publisher->connection,
						  texts->publisher, &request);
		}
		if (req == NULL) {
			collect_failure_set(&texts->failure, EVERR_NOMEM,
					    "out of memory");
			return;
		}
		texts->next++;
		texts->in_flight++;
		tevent_req_set_callback(req, texts_done, job);
	}
}

static void texts_done(struct tevent_req *req)
{
	struct text_job *job = tevent_req_callback_data(req, struct text_job);
	struct texts *texts = job->texts;
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_text text = {.text = NULL};
	everr_t err;

	err = collect_render_recv(req, job, &text, &failure);
	texts->in_flight--;
	if (err == EVERR_OK) {
		json_object_set_new(job->text.object, "message",
				    json_stringn(text.text, text.len));
	} else if (err != EVERR_MESSAGE) {
		/* Without the text it says is there: no reason to stop. */
		texts->failure = failure;
	}
	talloc_free(job);
	texts_send(texts);
}

/* Ask for all of them; false: failed, which was said. */
static bool texts_fetch(struct texts *texts)
{
	texts_send(texts);
	while (texts->in_flight > 0) {
		if (tevent_loop_once(texts->cli->ev) != 0) {
			cli_error("the event loop failed");
			return false;
		}
	}
	if (texts->failure.err != EVERR_OK) {
		cli_error("%s", texts->failure.text);
		return false;
	}
	return true;
}

/* ------------------------------------------------------------ publisher */

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text != NULL) {
		json_object_set_new(object, name, json_string(text));
	}
}

static void set_guid(json_t *object, const char *name,
		     const struct ev_guid *guid)
{
	char text[EV_GUID_TEXT_SIZE];

	ev_guid_format(guid, text);
	json_object_set_new(object, name, json_string(text));
}

static void set_hex(json_t *object, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_object_set_new(object, name, json_string(text));
}

static json_t *append_object(json_t *array)
{
	json_t *object = json_object();

	json_array_append_new(array, object);
	return object;
}

static json_t *channels_object(const struct collect_publisher *publisher,
			       struct texts *texts)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < publisher->num_channels; i++) {
		const struct collect_publisher_channel *channel =
			&publisher->channels[i];
		json_t *object = append_object(array);

		json_object_set_new(object, "id", json_integer(channel->id));
		set_text(object, "path", channel->path);
		json_object_set_new(object, "imported",
				    json_boolean(channel->imported));
		texts_add(texts, object, channel->message_id);
	}
	return array;
}

enum names_kind {
	NAMES_LEVELS,
	NAMES_TASKS,
	NAMES_OPCODES,
	NAMES_KEYWORDS
};

static json_t *names_object(const struct collect_publisher_names *names,
			    enum names_kind kind, struct texts *texts)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < names->num; i++) {
		const struct collect_publisher_name *name = &names->names[i];
		json_t *object = append_object(array);

		if (kind == NAMES_KEYWORDS) {
			set_hex(object, "value", name->value);
		} else {
			json_object_set_new(
				object, "value",
				json_integer((json_int_t)name->value));
		}
		set_text(object, "name", name->name);
		if (kind == NAMES_OPCODES) {
			json_object_set_new(object, "task",
					    json_integer(name->task));
		}
		if (kind == NAMES_TASKS && !ev_guid_is_zero(&name->guid)) {
			set_guid(object, "guid", &name->guid);
		}
		texts_add(texts, object, name->message_id);
	}
	return array;
}

static json_t *events_object(const struct cli *cli,
			     const struct collect_publisher_events *events,
			     struct texts *texts)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < events->num; i++) {
		const struct collect_publisher_event *event =
			&events->events[i];
		json_t *object = append_object(array);

		json_object_set_new(object, "id", json_integer(event->id));
		json_object_set_new(object, "version",
				    json_integer(event->version));
		json_object_set_new(object, "channel",
				    json_integer(event->channel));
		json_object_set_new(object, "level",
				    json_integer(event->level));
		json_object_set_new(object, "task", json_integer(event->task));
		json_object_set_new(object, "opcode",
				    json_integer(event->opcode));
		set_hex(object, "keywords", event->keywords);
		/* XML that fits no line of a table. */
		if (cli->options.format != CLI_FORMAT_TEXT &&
		    event->template_xml[0] != '\0') {
			set_text(object, "template", event->template_xml);
		}
		texts_add(texts, object, event->message_id);
	}
	return array;
}

struct shown {
	struct collect_publisher *publisher;
	struct collect_publisher_details *details;
	struct collect_publisher_events *events; /* may be NULL */
};

static json_t *publisher_object(const struct cli *cli,
				const struct shown *shown, struct texts *texts)
{
	const struct collect_publisher *publisher = shown->publisher;
	const struct collect_publisher_details *details = shown->details;
	json_t *object = json_object();

	json_object_set_new(object, "name",
			    publisher->name != NULL
				    ? json_string(publisher->name)
				    : json_null());
	set_guid(object, "guid", &publisher->guid);
	set_text(object, "help_link", details->help_link);
	set_text(object, "resource_file", publisher->resource_file);
	set_text(object, "parameter_file", publisher->parameter_file);
	set_text(object, "message_file", publisher->message_file);
	texts_add(texts, object, details->message_id);
	json_object_set_new(object, "channels",
			    channels_object(publisher, texts));
	json_object_set_new(
		object, "levels",
		names_object(&details->levels, NAMES_LEVELS, texts));
	json_object_set_new(object, "tasks",
			    names_object(&details->tasks, NAMES_TASKS, texts));
	json_object_set_new(
		object, "opcodes",
		names_object(&details->opcodes, NAMES_OPCODES, texts));
	json_object_set_new(
		object, "keywords",
		names_object(&details->keywords, NAMES_KEYWORDS, texts));
	if (shown->events != NULL) {
		json_object_set_new(object, "events",
				    events_object(cli, shown->events, texts));
	}
	return object;
}

/* -1 to go on, else the exit status. */
static int publisher_fetch(struct cli *cli,
			   struct collect_connection *connection,
			   const char *name, uint32_t lcid, bool events,
			   struct shown *shown)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	req = collect_publisher_open_send(cli, cli->ev, connection, name, lcid);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	err = collect_publisher_open_recv(req, cli, &shown->publisher,
					  &failure);
	TALLOC_FREE(req);
	if (err == EVERR_OK) {
		req = collect_publisher_details_send(cli, cli->ev,
						     shown->publisher);
		if (!cli_wait(cli, req)) {
			return CLI_FAILED;
		}
		err = collect_publisher_details_recv(req, cli, &shown->details,
						     &failure);
		TALLOC_FREE(req);
	}
	if (err == EVERR_OK && events) {
		req = collect_publisher_events_send(cli, cli->ev,
						    shown->publisher);
		if (!cli_wait(cli, req)) {
			return CLI_FAILED;
		}
		err = collect_publisher_events_recv(req, cli, &shown->events,
						    &failure);
		TALLOC_FREE(req);
	}
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	return -1;
}

static int publisher_show(struct cli *cli, const struct shown *shown,
			  bool messages)
{
	struct texts texts = {
		.cli = cli,
		.publisher = shown->publisher,
		.wanted = messages,
	};
	json_t *object = publisher_object(cli, shown, &texts);
	everr_t err = EVERR_OK;

	if (!texts_fetch(&texts)) {
		json_decref(object);
		return CLI_FAILED;
	}
	switch (cli->options.format) {
	case CLI_FORMAT_TEXT:
		cli_show(object);
		break;
	case CLI_FORMAT_XML:
		err = cli_show_xml("publisher", object);
		break;
	case CLI_FORMAT_JSON:
		err = cli_show_json(object);
		break;
	}
	json_decref(object);
	return err == EVERR_OK ? CLI_OK : CLI_FAILED;
}

/* "de-DE" or a number.  -1 to go on, else the exit status. */
static int parse_language(const struct cli *cli, const char *text,
			  uint32_t *ret_lcid)
{
	uint64_t number = 0;
	everr_t err;

	if (text == NULL) {
		return -1;
	}
	*ret_lcid = winmeta_lcid(text);
	if (*ret_lcid != 0) {
		return -1;
	}
	err = cli_parse_number(text, UINT32_MAX, &number);
	if (err != EVERR_OK) {
		return cli_usage(cli,
				 "--language is a culture such as de-DE or a "
				 "Windows language number, not \"%s\"",
				 text);
	}
	*ret_lcid = (uint32_t)number;
	return -1;
}

static int cli_publisher(struct cli *cli)
{
	int events = 0;
	int messages = 0;
	char *language = NULL;
	struct poptOption table[] = {
		{"events", 0, POPT_ARG_NONE, &events, 0,
		 "Show the events it declares, too", NULL},
		{"messages", 0, POPT_ARG_NONE, &messages, 0, "Show the texts",
		 NULL},
		{"language", 0, POPT_ARG_STRING, &language, 0,
		 "Of the texts: de-DE or 0x407; else the host picks",
		 "LANGUAGE"},
		POPT_TABLEEND};
	struct collect_connection *connection = NULL;
	struct shown shown = {.publisher = NULL};
	const char **args = NULL;
	uint32_t lcid = 0;
	int ret;

	ret = cli_parse(cli, table, 0, 1, &args);
	if (ret < 0) {
		ret = parse_language(cli, language, &lcid);
	}
	if (ret < 0) {
		ret = cli_connect(cli, &ndr_table_even6, &connection);
	}
	if (ret < 0) {
		ret = publisher_fetch(cli, connection, args[0], lcid,
				      events != 0, &shown);
	}
	if (ret >= 0) {
		return ret;
	}
	return publisher_show(cli, &shown, messages != 0);
}

static const char publisher_description[] =
	"Shows the channels, levels, tasks, opcodes and keywords of a\n"
	"publisher; without a name, the standard ones of the host. A name is\n"
	"that of System/Provider in events, or a {GUID}.\n";

const struct cli_verb cli_verb_publisher = {
	.name = "publisher",
	.aliases = "gp get-publisher",
	.arguments = "[NAME]",
	.summary = "Show what a publisher's events mean",
	.description = publisher_description,
	.run = cli_publisher,
};
