/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * publish: events from options or from lines of JSON into a channel.
 */

#include "base/wintime.h"
#include "cli/cli.h"
#include "cli/described.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/sender.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "idl/ndr_control.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set on most events of Windows' manifest channels (facts 10.3). */
#define DEFAULT_KEYWORDS 0x8000000000000000ULL
#define DEFAULT_LEVEL 4
/* Lines reported one by one; the rest is counted. */
#define REPORTS_MAX 100

struct publisher {
	struct cli *cli;
	struct cli_sender sender;
	struct event_system defaults;
	/* Of a single event that a manifest describes, else NULL. */
	const struct event_publisher *described;
	const struct event_manifest_event *event;
	uint64_t refused;
};

/* --------------------------------------------------------------- reports */

/* place is a line's number, or 0 for the one event of the options. */
static void report_line(void *private_data, uint64_t place, const char *message)
{
	struct publisher *p = private_data;

	p->refused++;
	if (p->refused > REPORTS_MAX) {
		return;
	}
	terminal_progress_clear(&p->sender.progress);
	if (place == 0) {
		cli_error("%s", message);
	} else {
		cli_error("line %" PRIu64 ": %s", place, message);
	}
	if (p->refused == REPORTS_MAX) {
		cli_error("more lines that are wrong are only counted");
	}
}

/* ----------------------------------------------------------------- lines */

static bool is_blank(const struct input_line *line)
{
	size_t i;

	for (i = 0; i < line->len; i++) {
		if (!isspace((unsigned char)line->text[i])) {
			return false;
		}
	}
	return true;
}

static void publish_line(struct publisher *p, const struct input_line *line)
{
	struct buf *bytes = cli_sender_bytes(&p->sender);
	size_t start = bytes->len;
	char *message = NULL;
	everr_t err;

	if (line->too_long) {
		report_line(p, line->number, "the line is longer than 4 MiB");
		return;
	}
	if (is_blank(line)) {
		return;
	}
	p->defaults.time_created = wintime_now();
	err = event_build_json(p->cli, bytes, line->text, line->len,
			       &p->defaults, &message);
	if (err == EVERR_OK) {
		err = buf_error(bytes);
	}
	if (err != EVERR_OK) {
		bytes->err = EVERR_OK;
		buf_truncate(bytes, start);
		report_line(p, line->number,
			    message != NULL ? message : everr_text(err));
		TALLOC_FREE(message);
		return;
	}
	cli_sender_added(&p->sender, line->number);
}

/* Whether a read would wait. */
static bool input_is_idle(void)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&fd, 1, 0) == 0;
}

static int publish_lines(struct publisher *p)
{
	struct input_lines lines;
	struct input_line line;
	bool ended = false;

	input_lines_init(&lines, p->cli);
	while (!ended && !p->sender.broken) {
		static char chunk[64 * 1024];
		ssize_t ret;
		everr_t err;

		/* Nobody waits for an event that lies in a batch here. */
		if (input_is_idle()) {
			cli_sender_flush(&p->sender);
			cli_sender_finish(&p->sender);
		}
		ret = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (ret < 0 && errno == EINTR) {
			continue;
		}
		if (ret < 0) {
			cli_error("cannot read standard input: %s",
				  strerror(errno));
			return CLI_FAILED;
		}
		ended = ret == 0;
		err = input_lines_add(&lines, chunk, (size_t)ret);
		if (err != EVERR_OK) {
			cli_error("%s", everr_text(err));
			return CLI_FAILED;
		}
		while (!p->sender.broken && input_lines_next(&lines, &line)) {
			publish_line(p, &line);
		}
	}
	cli_sender_flush(&p->sender);
	cli_sender_finish(&p->sender);
	return p->sender.broken || p->refused > 0 ? CLI_FAILED : CLI_OK;
}

/* ------------------------------------------------------------- one event */

static size_t count_strings(char **strings)
{
	size_t num = 0;

	while (strings != NULL && strings[num] != NULL) {
		num++;
	}
	return num;
}

/* The event as its manifest describes it. */
static int make_described(struct publisher *p, char **data_texts,
			  const char **fields)
{
	int ret;

	if (p->sender.channel == NULL && p->event->channel != NULL) {
		p->sender.channel = p->event->channel->name;
	}
	p->defaults.time_created = wintime_now();
	ret = cli_described_compose(p->cli, cli_sender_bytes(&p->sender),
				    p->described, p->event, &p->defaults,
				    (const char *const *)data_texts, fields);
	if (ret < 0) {
		cli_sender_added(&p->sender, 0);
	}
	return ret;
}

/* Make the event of the options, before anybody is asked for anything. */
static int make_event(struct publisher *p, char **data_texts)
{
	size_t num = count_strings(data_texts);
	struct event_data *data = NULL;
	char *message = NULL;
	everr_t err;
	size_t i;

	data = talloc_zero_array(p->cli, struct event_data, num);
	if (data == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	for (i = 0; i < num; i++) {
		err = input_data(p->cli, data_texts[i], &data[i], &message);
		if (err != EVERR_OK) {
			return cli_usage(p->cli, "--data %s",
					 message != NULL ? message
							 : everr_text(err));
		}
	}
	p->defaults.time_created = wintime_now();
	err = event_build(cli_sender_bytes(&p->sender), &p->defaults, data,
			  num);
	if (err == EVERR_OK) {
		err = buf_error(cli_sender_bytes(&p->sender));
	}
	if (err != EVERR_OK) {
		cli_error("the event cannot be made: %s", everr_text(err));
		return CLI_FAILED;
	}
	cli_sender_added(&p->sender, 0);
	return -1;
}

static int publish_one(struct publisher *p)
{
	cli_sender_flush(&p->sender);
	cli_sender_finish(&p->sender);
	return p->sender.broken || p->refused > 0 ? CLI_FAILED : CLI_OK;
}

/* --------------------------------------------------------------- options */

struct publish_options {
	char *provider;
	char *provider_guid;
	char *id;
	char *event_version;
	char *level;
	char *task;
	char *opcode;
	char *keywords;
	char **data;
	int use_stdin;
	struct ev_guid guid;
};

/* One number of the System fields; -1 or exit status. */
static int number_option(struct cli *cli, const char *name, const char *text,
			 uint64_t max, uint64_t *ret_number)
{
	everr_t err;

	if (text == NULL) {
		return -1;
	}
	err = cli_parse_number(text, max, ret_number);
	if (err != EVERR_OK) {
		return cli_usage(cli,
				 "--%s is a number from 0 to %" PRIu64
				 ", not \"%s\"",
				 name, max, text);
	}
	return -1;
}

static int set_numbers(struct cli *cli, const struct publish_options *o,
		       struct event_system *system)
{
	uint64_t id = 0, version = 0, task = 0, opcode = 0;
	uint64_t keywords = DEFAULT_KEYWORDS;
	int ret;

	ret = number_option(cli, "id", o->id, UINT16_MAX, &id);
	if (ret < 0) {
		ret = number_option(cli, "event-version", o->event_version,
				    UINT8_MAX, &version);
	}
	if (ret < 0) {
		ret = number_option(cli, "task", o->task, UINT16_MAX, &task);
	}
	if (ret < 0) {
		ret = number_option(cli, "opcode", o->opcode, UINT8_MAX,
				    &opcode);
	}
	if (ret < 0) {
		ret = number_option(cli, "keywords", o->keywords, UINT64_MAX,
				    &keywords);
	}
	if (ret >= 0) {
		return ret;
	}
	system->event_id = (uint16_t)id;
	system->version = (uint8_t)version;
	system->task = (uint16_t)task;
	system->opcode = (uint8_t)opcode;
	system->keywords = keywords;
	return -1;
}

static int set_defaults(struct cli *cli, struct publish_options *o,
			struct event_system *system)
{
	everr_t err;
	int ret;

	if (o->use_stdin == 0 && (o->provider == NULL || o->id == NULL)) {
		return cli_usage(cli, "an event needs --provider and --id (or"
				      " --stdin)");
	}
	if (o->use_stdin != 0 && o->data != NULL) {
		return cli_usage(cli, "--data is for a single event; with"
				      " --stdin the lines bring their own");
	}
	system->level = DEFAULT_LEVEL;
	if (o->level != NULL) {
		err = input_level(o->level, &system->level);
		if (err != EVERR_OK) {
			return cli_usage(cli,
					 "--level is critical, error, warning,"
					 " information, verbose or 0 to 255,"
					 " not \"%s\"",
					 o->level);
		}
	}
	if (o->provider_guid != NULL) {
		err = ev_guid_parse(o->provider_guid, &o->guid);
		if (err != EVERR_OK) {
			return cli_usage(cli,
					 "--provider-guid: \"%s\" is no"
					 " GUID",
					 o->provider_guid);
		}
		system->provider_guid = &o->guid;
	}
	ret = set_numbers(cli, o, system);
	if (ret >= 0) {
		return ret;
	}
	system->provider = o->provider;
	system->process_id = (uint32_t)getpid();
	system->thread_id = (uint32_t)getpid();
	return -1;
}

static void print_summary(struct publisher *p, bool single)
{
	terminal_progress_clear(&p->sender.progress);
	if (single && p->sender.stored == 1) {
		if (p->cli->options.format == CLI_FORMAT_JSON) {
			printf("{\"RecordID\":%" PRIu64 "}\n",
			       p->sender.first_id);
		} else {
			printf("record %" PRIu64 "\n", p->sender.first_id);
		}
		return;
	}
	if (single) {
		return;
	}
	cli_note("%" PRIu64 " events published%s", p->sender.stored,
		 p->refused > 0 || p->sender.broken ? "" : ", all of them");
	if (p->refused > 0) {
		cli_note("%" PRIu64 " lines refused", p->refused);
	}
}

static int publish_run(struct publisher *p, const struct publish_options *o,
		       const char **fields)
{
	bool single = o->use_stdin == 0;
	int ret = -1;

	if (p->event != NULL) {
		ret = make_described(p, o->data, fields);
	} else if (single) {
		ret = make_event(p, o->data);
	}
	if (ret < 0) {
		ret = cli_connect(p->cli, &ndr_table_control,
				  &p->sender.connection);
	}
	if (ret >= 0) {
		return ret;
	}
	if (single) {
		ret = publish_one(p);
	} else {
		cli_sender_show_progress(&p->sender);
		ret = publish_lines(p);
	}
	print_summary(p, single);
	return ret;
}

/* What a manifest says is not for options to say. */
static int find_described(struct publisher *p, const struct publish_options *o,
			  const char *dir)
{
	int ret = -1;

	if (o->use_stdin != 0 || dir == NULL) {
		return -1;
	}
	ret = cli_described_publisher(p->cli, dir, o->provider, &p->described);
	if (ret >= 0 || p->described == NULL) {
		return ret;
	}
	if (o->level != NULL || o->task != NULL || o->opcode != NULL ||
	    o->keywords != NULL || o->provider_guid != NULL) {
		return cli_usage(p->cli,
				 "--level, --task, --opcode, --keywords and "
				 "--provider-guid are what the manifest of %s "
				 "says",
				 p->described->name);
	}
	return cli_described_event(p->cli, p->described, p->defaults.event_id,
				   o->event_version, &p->event);
}

/* CHANNEL comes first if it is there; a field has an equals sign. */
static int take_arguments(struct publisher *p, const char **args,
			  const char ***ret_fields)
{
	size_t i;

	if (args[0] != NULL && strchr(args[0], '=') == NULL) {
		p->sender.channel = args[0];
		p->defaults.channel = args[0];
		args++;
	}
	for (i = 0; args[i] != NULL; i++) {
		if (strchr(args[i], '=') == NULL) {
			return cli_usage(p->cli,
					 "%s: data is name=value, and there is "
					 "one channel, in front",
					 args[i]);
		}
	}
	*ret_fields = args;
	return -1;
}

/* Without a manifest nobody knows the channel or what the fields are. */
static int check_undescribed(struct publisher *p,
			     const struct publish_options *o,
			     const char **fields)
{
	if (p->event != NULL) {
		return -1;
	}
	if (fields[0] != NULL && o->use_stdin != 0) {
		return cli_usage(p->cli, "with --stdin the lines bring their"
					 " own data");
	}
	if (fields[0] != NULL) {
		return cli_usage(p->cli,
				 "%s: no installed manifest describes the "
				 "provider %s; without one, data is given with "
				 "--data",
				 fields[0], o->provider);
	}
	if (p->sender.channel == NULL) {
		return cli_usage(p->cli, "which channel?");
	}
	return -1;
}

static int cli_publish(struct cli *cli)
{
	struct publish_options o = {.provider = NULL};
	struct poptOption table[] = {
		{"provider", 'p', POPT_ARG_STRING, &o.provider, 0,
		 "Who writes the event", "NAME"},
		{"provider-guid", 0, POPT_ARG_STRING, &o.provider_guid, 0,
		 "The provider's GUID", "GUID"},
		{"id", 'i', POPT_ARG_STRING, &o.id, 0,
		 "Which of the provider's events it is", "N"},
		{"event-version", 0, POPT_ARG_STRING, &o.event_version, 0,
		 "Version of the event's definition (0, or the newest)", "N"},
		{"level", 'l', POPT_ARG_STRING, &o.level, 0,
		 "critical, error, warning, information, verbose or a number",
		 "LEVEL"},
		{"task", 0, POPT_ARG_STRING, &o.task, 0, "Task (0)", "N"},
		{"opcode", 0, POPT_ARG_STRING, &o.opcode, 0, "Opcode (0)", "N"},
		{"keywords", 0, POPT_ARG_STRING, &o.keywords, 0,
		 "Keywords, a mask (0x8000000000000000)", "N"},
		{"data", 'd', POPT_ARG_ARGV, &o.data, 0,
		 "An item of data, text or of a type", "NAME[:TYPE]=VALUE"},
		{"stdin", 0, POPT_ARG_NONE, &o.use_stdin, 0,
		 "Read events from standard input, a JSON object a line", NULL},
		POPT_TABLEEND,
	};
	struct publisher *p = NULL;
	struct cli_paths paths;
	const char **fields = NULL;
	const char **args = NULL;
	int ret;

	p = talloc_zero(cli, struct publisher);
	if (p == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	p->cli = cli;
	cli_sender_init(&p->sender, cli, report_line, p);
	ret = cli_parse(cli, table, 0, -1, &args);
	if (ret < 0) {
		ret = take_arguments(p, args, &fields);
	}
	if (ret < 0) {
		ret = cli_local_only(cli);
	}
	if (ret < 0) {
		ret = set_defaults(cli, &o, &p->defaults);
	}
	if (ret < 0) {
		ret = cli_paths(cli, &paths);
	}
	if (ret < 0) {
		ret = find_described(p, &o, paths.manifests);
	}
	if (ret < 0) {
		ret = check_undescribed(p, &o, fields);
	}
	if (ret < 0) {
		p->defaults.computer = paths.computer;
		ret = publish_run(p, &o, fields);
	}
	return ret;
}

static const char publish_description[] =
	"Done when the event is on disk. --data takes name=value (text) or\n"
	"name:type=value with a type such as UInt32, Boolean or HexInt64,\n"
	"any number of times. With --stdin each line of standard input is an\n"
	"event as query --format=json writes it; what a line leaves out is\n"
	"taken from the options. Lines that are wrong are reported with\n"
	"their number, the others are written, and the exit status is 1.\n"
	"\n"
	"For a provider that an installed manifest describes, name=value is\n"
	"enough: the manifest knows types, level, task, opcode, keywords and\n"
	"channel, and each of the event's data needs a value.\n"
	"\n"
	"  evenlog publish Application --provider Backup --id 1 \\\n"
	"      --level warning --data Volume=home --data Size:UInt64=512\n"
	"  evenlog publish Application --stdin < events.json\n"
	"  evenlog publish --provider Contoso-Backup --id 5 Volume=home\n";

const struct cli_verb cli_verb_publish = {
	.name = "publish",
	.arguments = "[CHANNEL] --provider NAME --id N [NAME=VALUE...] |"
		     " CHANNEL --stdin",
	.summary = "Write events into a channel of this host",
	.description = publish_description,
	.run = cli_publish,
	.local = true,
};
