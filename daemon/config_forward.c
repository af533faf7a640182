/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/config_forward.h"

#include "base/resolve.h"
#include "base/text.h"
#include "event/query.h"
#include "forward/format.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KIB 1024ULL
#define MIB (1024 * KIB)

/* Channels that an output names; their names are compared with one another. */
#define CHANNELS_MAX 1000

/* The longest path of a Unix socket, with its NUL: unix(7). */
#define UNIX_PATH_MAX 108

/*
 * max_message where it is not given.  A datagram is what a receiver takes
 * without being told: rsyslog's maxMessageSize.  In a stream parameters end
 * where rsyslog has no more of them: it counts structured data in 16 bits.
 */
#define MESSAGE_DATAGRAM (8 * KIB)
#define MESSAGE_PARAMETERS (64 * KIB)
#define MESSAGE_JSON (256 * KIB)

/* The keys that are looked at together, in the order of their rows below. */
enum forward_key {
	KEY_HOST = 0x1,
	KEY_PORT = 0x2,
	KEY_PATH = 0x4,
	KEY_FRAMING = 0x8,
	KEY_CA = 0x10,
	KEY_CERTIFICATE = 0x20,
	KEY_KEY = 0x40,
	KEY_SERVER_NAME = 0x80,
	KEY_CHANNELS = 0x100,
	KEY_QUERY = 0x200,
	KEY_TRANSPORT = 0x400,
	KEY_MAX_MESSAGE = 0x800
};

#define KEYS_TLS (KEY_CA | KEY_CERTIFICATE | KEY_KEY | KEY_SERVER_NAME)

struct section {
	struct forward_config output;
	const char *const *channels;
	const char *facility;
};

#define AT(member) offsetof(struct section, member)

/* In the orders of forward/config.h. */
static const char *const formats[] = {"rfc5424", "rfc5424-json", "rfc3164",
				      "json", NULL};
static const char *const transports[] = {"udp",	 "tcp",	 "tls",
					 "relp", "unix", NULL};
static const char *const framings[] = {"octet-counting", "newline", NULL};
static const char *const starts[] = {"now", "oldest", NULL};

/* RFC 5424 6.2.1, by the names of syslog.conf(5). */
static const char *const facilities[] = {
	"kern",	  "user",   "mail",   "daemon", "auth",	    "syslog",
	"lpr",	  "news",   "uucp",   "cron",	"authpriv", "ftp",
	"ntp",	  "audit",  "alert",  "clock",	"local0",   "local1",
	"local2", "local3", "local4", "local5", "local6",   "local7",
};

#define NUM_FACILITIES (sizeof(facilities) / sizeof(facilities[0]))

static const struct schema_key forward_schema[] = {
	{"forward", "host", SCHEMA_STRING, AT(output.host)},
	{"forward", "port", SCHEMA_UINT16, AT(output.port), 1, 65535},
	{"forward", "path", SCHEMA_PATH, AT(output.path)},
	{"forward", "framing", SCHEMA_CHOICE, AT(output.framing),
	 .choices = framings, .initial = "octet-counting"},
	{"forward", "ca", SCHEMA_PATH, AT(output.ca)},
	{"forward", "certificate", SCHEMA_PATH, AT(output.certificate)},
	{"forward", "key", SCHEMA_PATH, AT(output.key)},
	{"forward", "server_name", SCHEMA_STRING, AT(output.server_name)},
	{"forward", "channels", SCHEMA_LIST, AT(channels), .initial = "*"},
	{"forward", "query", SCHEMA_STRING, AT(output.query)},
	{"forward", "transport", SCHEMA_CHOICE, AT(output.transport),
	 .choices = transports},
	{"forward", "max_message", SCHEMA_SIZE, AT(output.max_message),
	 FORWARD_MESSAGE_MIN, 8 * MIB},
	{"forward", "start", SCHEMA_CHOICE, AT(output.start), .choices = starts,
	 .initial = "oldest"},
	{"forward", "format", SCHEMA_CHOICE, AT(output.format),
	 .choices = formats, .initial = "rfc5424"},
	{"forward", "facility", SCHEMA_STRING, AT(facility), .initial = "user"},
	{"forward", "sd_id", SCHEMA_STRING, AT(output.sd_id),
	 .initial = "evenlog@32473"},
	{"forward", "window", SCHEMA_UINT32, AT(output.window), 1, 32768,
	 .unit = "messages"},
	{"forward", "backoff_max", SCHEMA_DURATION, AT(output.backoff_max), 1,
	 86400, .initial = "1m"},
	{"forward", "idle_timeout", SCHEMA_DURATION, AT(output.idle_timeout), 1,
	 86400, .initial = "1m"},
	{NULL},
};

/* At the key's line, or the section's when it is not given. */
static void complain_key(struct load *load, const char *section,
			 const char *key, const char *what)
{
	uint32_t line = config_line(load, section, key);

	if (line == 0) {
		line = config_line(load, section, NULL);
	}
	config_complain(load, line, "[%s]: %s", section, what);
}

/* ------------------------------------------------------------- receiver */

static void check_host(struct load *load, const char *section,
		       const struct forward_config *output, uint32_t keys)
{
	if ((keys & KEY_PATH) != 0) {
		complain_key(load, section, "path",
			     "'path' is for transport = unix; the others take "
			     "'host'");
	}
	if (output->host == NULL) {
		complain_key(load, section, "transport",
			     "'host' is missing: the receiver's name or "
			     "address");
	} else if (strlen(output->host) >= RESOLVE_HOST_MAX ||
		   strpbrk(output->host, " \t[]/") != NULL) {
		complain_key(load, section, "host",
			     "'host' is a name or an address, IPv6 without "
			     "brackets, and the port has a key of its own");
	}
}

static void check_unix(struct load *load, const char *section,
		       const struct forward_config *output, uint32_t keys)
{
	if ((keys & (KEY_HOST | KEY_PORT)) != 0) {
		complain_key(load, section, "host",
			     "host and port are not for transport = unix, "
			     "which takes 'path'");
	}
	if (output->path == NULL) {
		complain_key(load, section, "transport",
			     "'path' is missing: the receiver's socket, as "
			     "/dev/log");
	} else if (strlen(output->path) >= UNIX_PATH_MAX) {
		complain_key(load, section, "path",
			     "'path' is longer than a socket's may be");
	}
}

static void check_receiver(struct load *load, const char *section,
			   const struct forward_config *output, uint32_t keys)
{
	if ((keys & KEY_TRANSPORT) == 0) {
		complain_key(load, section, NULL,
			     "'transport' is missing; it takes udp, tcp, tls, "
			     "relp or unix");
		return;
	}
	if (output->transport == FORWARD_UNIX) {
		check_unix(load, section, output, keys);
	} else {
		check_host(load, section, output, keys);
	}
	if (output->transport != FORWARD_TLS && (keys & KEYS_TLS) != 0) {
		complain_key(load, section, "transport",
			     "ca, certificate, key and server_name are for "
			     "transport = tls");
	}
	if ((output->certificate == NULL) != (output->key == NULL)) {
		complain_key(load, section, "certificate",
			     "certificate and key go together");
	}
	if ((keys & KEY_FRAMING) != 0 && output->transport != FORWARD_TCP &&
	    output->transport != FORWARD_UNIX) {
		complain_key(load, section, "framing",
			     "'framing' is for transport = tcp or unix; the "
			     "others have one of their own");
	}
}

/* --------------------------------------------------------------- format */

static bool find_facility(const char *text, uint32_t *ret_facility)
{
	char *end = NULL;
	unsigned long number;
	size_t i;

	for (i = 0; i < NUM_FACILITIES; i++) {
		if (strcasecmp(text, facilities[i]) == 0) {
			*ret_facility = (uint32_t)i;
			return true;
		}
	}
	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	number = strtoul(text, &end, 10);
	if (*end != '\0' || number >= NUM_FACILITIES) {
		return false;
	}
	*ret_facility = (uint32_t)number;
	return true;
}

static uint64_t default_max_message(const struct forward_config *output)
{
	if (output->transport == FORWARD_UDP ||
	    output->transport == FORWARD_UNIX) {
		return MESSAGE_DATAGRAM;
	}
	return output->format == FORWARD_JSON ||
			       output->format == FORWARD_RFC5424_JSON
		       ? MESSAGE_JSON
		       : MESSAGE_PARAMETERS;
}

static void set_format(struct load *load, const char *section,
		       struct section *values, uint32_t keys)
{
	struct forward_config *output = &values->output;

	if (!find_facility(values->facility, &output->facility)) {
		complain_key(load, section, "facility",
			     "'facility' is a number from 0 to 23 or a name: "
			     "kern, user, mail, daemon, auth, syslog, lpr, "
			     "news, uucp, cron, authpriv, ftp, ntp, audit, "
			     "alert, clock, local0 to local7");
	}
	if (!forward_sd_id_valid(output->sd_id)) {
		complain_key(load, section, "sd_id",
			     "'sd_id' is NAME@NUMBER, of at most 27 "
			     "characters, where NUMBER is a private enterprise "
			     "number (RFC 5424 6.3.2)");
	}
	if ((keys & KEY_MAX_MESSAGE) == 0) {
		output->max_message = default_max_message(output);
	}
	/* What fits into a datagram over IPv4. */
	if (output->transport == FORWARD_UDP && output->max_message > 65507) {
		complain_key(load, section, "max_message",
			     "a datagram has at most 65507 bytes; longer "
			     "messages want transport = tcp, tls or relp");
	}
}

/* --------------------------------------------------------------- source */

static void check_channels(struct load *load, const char *section,
			   const char *const *channels)
{
	uint32_t line = config_line(load, section, "channels");
	size_t num = 0;
	size_t i, j;

	while (channels[num] != NULL) {
		num++;
	}
	if (num == 0 || num > CHANNELS_MAX) {
		config_complain(load, line,
				"'channels' is a list with commas of up to %d, "
				"or * for all but Evenlog's own",
				CHANNELS_MAX);
		return;
	}
	for (i = 0; channels[i] != NULL; i++) {
		if (strcmp(channels[i], "*") != 0 &&
		    !store_channel_name_valid(channels[i])) {
			config_complain(load, line,
					"'%s' is not a channel's name",
					channels[i]);
		}
		for (j = 0; j < i; j++) {
			if (text_name_equal(channels[i], channels[j])) {
				config_complain(load, line,
						"channel %s is given twice",
						channels[i]);
			}
		}
	}
}

static bool is_structured(const char *query)
{
	return query != NULL && query[strspn(query, " \t\r\n")] == '<';
}

static void check_paths(struct load *load, uint32_t line,
			const struct event_query *query)
{
	size_t i;

	for (i = 0; query->structured && i < query->num_paths; i++) {
		if (!store_channel_name_valid(query->paths[i])) {
			config_complain(load, line,
					"the query selects from '%s', which "
					"is not a channel's name",
					query->paths[i]);
		}
	}
}

static void set_source(struct load *load, const char *section,
		       struct section *values, uint32_t keys)
{
	struct forward_config *output = &values->output;
	uint32_t line = config_line(load, section, "query");
	struct event_query_error error = {};
	struct event_query *query = NULL;
	everr_t err;

	if (!is_structured(output->query)) {
		output->channels = values->channels;
		check_channels(load, section, values->channels);
	} else if ((keys & KEY_CHANNELS) != 0) {
		config_complain(load, line,
				"a structured query names its channels "
				"itself: leave 'channels' out");
	}
	if (output->query == NULL) {
		return;
	}
	err = event_query_parse(
		load->errors, output->channels != NULL ? "*" : NULL,
		output->query, strlen(output->query), false, &query, &error);
	if (err != EVERR_OK) {
		config_complain(load, line, "query: %s",
				error.message[0] != '\0' ? error.message
							 : everr_text(err));
		return;
	}
	check_paths(load, line, query);
	talloc_free(query);
	if (strcmp(output->query, "*") == 0) {
		output->query = NULL;
	}
}

/* -------------------------------------------------------------- section */

static bool check_name(struct load *load, const char *section, const char *name)
{
	const struct daemon_config *config = load->config;
	size_t i;

	if (!config_name_valid(name)) {
		complain_key(load, section, NULL,
			     "an output's name has 1 to 64 letters, digits "
			     "and . _ -");
		return false;
	}
	for (i = 0; i < config->num_outputs; i++) {
		if (text_name_equal(config->outputs[i].name, name)) {
			complain_key(load, section, NULL,
				     "there is an output of that name already");
			return false;
		}
	}
	if (config->num_outputs == FORWARD_OUTPUTS_MAX) {
		complain_key(load, section, NULL, "more than 64 outputs");
		return false;
	}
	return true;
}

static void add_output(struct load *load, const struct forward_config *output)
{
	struct daemon_config *config = load->config;
	struct forward_config *outputs = NULL;

	outputs = talloc_realloc(config, config->outputs, struct forward_config,
				 config->num_outputs + 1);
	if (outputs != NULL) {
		config->outputs = outputs;
		outputs[config->num_outputs++] = *output;
	}
}

void config_forward_apply(struct load *load, const char *section,
			  const char *name)
{
	size_t errors = load->errors->num_messages;
	struct section values = {};
	uint32_t keys;

	if (!check_name(load, section, name)) {
		return;
	}
	schema_set_defaults(load->config, forward_schema, &values);
	keys = config_apply_section(load, forward_schema, "forward", section,
				    &values);
	/* A key with a mistake was reported and is not missing. */
	if (load->errors->num_messages > errors) {
		return;
	}
	values.output.name = talloc_strdup(load->config, name);
	set_source(load, section, &values, keys);
	set_format(load, section, &values, keys);
	check_receiver(load, section, &values.output, keys);
	if (values.output.name != NULL) {
		add_output(load, &values.output);
	}
}
