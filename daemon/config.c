/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/config_collect.h"
#include "daemon/config_forward.h"

#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <ini_valueobj.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SYSTEM_SMB_CONF "/etc/samba/smb.conf"
/* scripts/systemd/evenlog-keytab.service keeps it. */
#define MEMBER_KEYTAB EVENLOG_CONFDIR "/evenlog.keytab"

const char *daemon_config_default_file(void)
{
	return EVENLOG_CONFDIR "/evenlog.conf";
}

/* A value that goes on and on; never cut within a character. */
static void shorten(char *text)
{
	size_t len = DAEMON_CONFIG_MESSAGE_MAX;

	if (text == NULL || strlen(text) <= len + 3) {
		return;
	}
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
		len--;
	}
	memcpy(text + len, "...", 4);
}

/* text becomes part of the message and is freed. */
static void add_message(struct daemon_config_errors *errors,
			const struct config_place *place, char *text)
{
	char *message = NULL;

	shorten(text);
	if (place->line > 0) {
		message = talloc_asprintf(errors, "%s:%" PRIu32 ": %s",
					  place->file, place->line, text);
	} else {
		message = talloc_asprintf(errors, "%s: %s", place->file, text);
	}
	TALLOC_FREE(text);

	errors->messages = talloc_realloc(errors, errors->messages, char *,
					  errors->num_messages + 1);
	if (errors->messages == NULL) {
		errors->num_messages = 0;
		return;
	}
	errors->messages[errors->num_messages++] = message;
}

/* Nothing more would be told: each key takes time. */
static bool errors_full(const struct load *load)
{
	return load->errors->num_messages >= DAEMON_CONFIG_ERRORS_MAX;
}

static void complain_va(struct load *load, const struct config_place *place,
			const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void complain_va(struct load *load, const struct config_place *place,
			const char *fmt, va_list ap)
{
	if (!errors_full(load)) {
		add_message(load->errors, place,
			    talloc_vasprintf(load->errors, fmt, ap));
	}
}

void config_complain(struct load *load, uint32_t line, const char *fmt, ...)
{
	const struct config_place place = {.file = load->file, .line = line};
	va_list ap;

	va_start(ap, fmt);
	complain_va(load, &place, fmt, ap);
	va_end(ap);
}

void config_complain_at(struct load *load, const struct config_place *place,
			const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_va(load, place, fmt, ap);
	va_end(ap);
}

static everr_t set_defaults(struct daemon_config *config)
{
	static const char *const builtin[] = {"Application", "System",
					      "Security", "ForwardedEvents",
					      OPERATIONAL_CHANNEL};
	char host[256] = "localhost";
	size_t i;

	gethostname(host, sizeof(host) - 1);
	config->computer = talloc_strdup(config, host);
	store_limits_default(&config->store.limits);
	schema_set_defaults(config, daemon_schema, config);

	config->num_channels = sizeof(builtin) / sizeof(builtin[0]);
	config->channels = talloc_zero_array(config, struct daemon_channel,
					     config->num_channels);
	if (config->computer == NULL || config->channels == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < config->num_channels; i++) {
		config->channels[i].name = builtin[i];
		config->channels[i].built_in = true;
		schema_set_defaults(config->channels, channel_schema,
				    &config->channels[i].config);
	}
	return EVERR_OK;
}

/* The parser would say neither where nor what. */
static everr_t check_text(struct load *load, const char *text, size_t len)
{
	const char *end = text + len;
	uint32_t line = 1;

	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		size_t part = (size_t)((next != NULL ? next : end) - text);

		if (memchr(text, '\0', part) != NULL ||
		    !text_utf8_valid(text, part)) {
			config_complain(load, line,
					"is not UTF-8 text: write the file "
					"anew in that encoding");
			return EVERR_CONFIG;
		}
		text += part + 1;
		line++;
	}
	return EVERR_OK;
}

/* A file of that name may be masked by a link to it: it is empty. */
static bool is_null_device(const char *path)
{
	struct stat st;
	int ret;

	ret = stat(path, &st);
	return ret == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* The file's bytes with a newline at the end, which the parser wants. */
static everr_t read_file(struct load *load, char **ret_text, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	everr_t err;

	err = file_read_all(load->config, load->file, DAEMON_CONFIG_MAX, &text,
			    &len);
	if (err == EVERR_NOT_SUPPORTED && is_null_device(load->file)) {
		text = talloc_strdup(load->config, "");
		err = text != NULL ? EVERR_OK : EVERR_NOMEM;
	}
	if (err == EVERR_IO && errno != ENOENT) {
		config_complain(load, 0, "cannot be read: %s", strerror(errno));
	} else if (err == EVERR_NOT_SUPPORTED) {
		config_complain(load, 0, "is not a regular file");
	} else if (err == EVERR_LIMIT) {
		config_complain(load, 0,
				"cannot be read: it is larger than 1 MiB");
	}
	if (err == EVERR_OK) {
		err = check_text(load, text, len);
	}
	if (err != EVERR_OK) {
		talloc_free(text);
		return err;
	}

	/* In place of the NUL that file_read_all() puts there. */
	text[len++] = '\n';
	*ret_text = text;
	*ret_len = len;
	return EVERR_OK;
}

/* The parser's own messages name the line; ours put it in front. */
static void report_syntax(struct load *load)
{
	char **messages = NULL;
	size_t i;

	if (ini_config_get_errors(load->ini, &messages) != 0) {
		config_complain(load, 0, "is not an INI file");
		return;
	}
	for (i = 0; messages[i] != NULL; i++) {
		const char *at = strstr(messages[i], "on line ");
		const char *what = NULL;
		uint32_t line = 0;

		if (at != NULL) {
			line = (uint32_t)strtoul(at + 8, NULL, 10);
			what = strstr(at, ": ");
		}
		config_complain(load, line, "%s",
				what != NULL ? what + 2 : messages[i]);
	}
	ini_config_free_errors(messages);
}

/* A line of no section: a setting, or none of those that begin one. */
static bool is_setting(const char *line)
{
	return strchr(" \t\r\n#;", *line) == NULL;
}

/*
 * The parser's time grows with the square of both, and it holds the loop:
 * counted before it begins.
 */
static everr_t check_size(struct load *load, const char *text, size_t len)
{
	const char *end = text + len;
	size_t sections = 0;
	size_t keys = 0;
	uint32_t line = 1;

	for (; text < end; line++) {
		if (*text == '[') {
			sections++;
			keys = 0;
		} else if (is_setting(text)) {
			keys++;
		}
		if (sections > CONFIG_SECTIONS_MAX) {
			config_complain(load, line,
					"has more than %d sections; hosts that "
					"have all in common go into one, with "
					"'hosts_file'",
					CONFIG_SECTIONS_MAX);
			return EVERR_CONFIG;
		}
		if (keys > CONFIG_KEYS_MAX) {
			config_complain(load, line,
					"this section has more than %d keys",
					CONFIG_KEYS_MAX);
			return EVERR_CONFIG;
		}
		text = memchr(text, '\n', (size_t)(end - text));
		text = text != NULL ? text + 1 : end;
	}
	return EVERR_OK;
}

static everr_t parse_ini(struct load *load, char *text, size_t len)
{
	struct ini_cfgfile *file = NULL;
	everr_t err;
	int ret;

	err = check_size(load, text, len);
	if (err != EVERR_OK) {
		return err;
	}
	ret = ini_config_create(&load->ini);
	if (ret != 0) {
		return EVERR_NOMEM;
	}
	ret = ini_config_file_from_mem(text, (uint32_t)len, &file);
	if (ret != 0) {
		config_complain(load, 0, "cannot be read: %s", strerror(ret));
		return EVERR_CONFIG;
	}

	ret = ini_config_parse(file, INI_STOP_ON_NONE,
			       INI_MV1S_ALLOW | INI_MV2S_ALLOW | INI_MS_MERGE,
			       INI_PARSE_NO_C_COMMENTS, load->ini);
	ini_config_file_destroy(file);
	if (ret != 0) {
		report_syntax(load);
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

static void close_ini(struct load *load)
{
	if (load->ini != NULL) {
		ini_config_destroy(load->ini);
	}
	load->ini = NULL;
}

/* The key's row in the schema as a bit; 0: it was not taken. */
static uint32_t apply_value(struct load *load, const struct schema_key *schema,
			    const char *section, const char *key,
			    const char *value, uint32_t line, void *target,
			    config_other_key other)
{
	const struct schema_key *found = schema_find(schema, section, key);
	char *allowed = NULL;
	bool taken = false;
	everr_t err;

	if (found == NULL && other != NULL) {
		taken = other(load, key, value, line, target);
	}
	if (taken) {
		return 0;
	}
	if (found == NULL) {
		allowed = schema_keys(load->errors, schema, section);
		config_complain(load, line,
				"unknown key '%s'; this section takes %s", key,
				allowed);
		TALLOC_FREE(allowed);
		return 0;
	}

	err = schema_set(load->config, found, value, target);
	if (err != EVERR_OK) {
		allowed = schema_allowed(load->errors, found);
		config_complain(load, line, "%s = %s: %s", key, value, allowed);
		TALLOC_FREE(allowed);
		return 0;
	}
	return found - schema < 32 ? 1U << (found - schema) : 0;
}

static uint32_t apply_key(struct load *load, const struct schema_key *schema,
			  const char *section, const char *ini_section,
			  const char *key, void *target, config_other_key other)
{
	struct value_obj *value = NULL;
	const char *text = NULL;
	uint32_t line = 0;
	uint32_t bit;
	int ret;

	ret = ini_get_config_valueobj(ini_section, key, load->ini,
				      INI_GET_FIRST_VALUE, &value);
	if (ret != 0 || value == NULL) {
		return 0;
	}
	value_get_line(value, &line);
	value_get_concatenated(value, &text);
	bit = apply_value(load, schema, section, key, text, line, target,
			  other);

	value = NULL;
	ret = ini_get_config_valueobj(ini_section, key, load->ini,
				      INI_GET_NEXT_VALUE, &value);
	if (ret == 0 && value != NULL) {
		value_get_line(value, &line);
		config_complain(load, line,
				"'%s' is given twice in this section", key);
	}
	return bit;
}

uint32_t config_apply_section_other(struct load *load,
				    const struct schema_key *schema,
				    const char *section,
				    const char *ini_section, void *target,
				    config_other_key other)
{
	char **keys = NULL;
	uint32_t bits = 0;
	int num_keys = 0;
	int i, j;

	keys = ini_get_attribute_list(load->ini, ini_section, &num_keys, NULL);
	for (i = 0; i < num_keys && !errors_full(load); i++) {
		/* A key that is given twice is listed twice. */
		for (j = 0; j < i && strcasecmp(keys[i], keys[j]) != 0; j++) {
		}
		if (j == i) {
			bits |= apply_key(load, schema, section, ini_section,
					  keys[i], target, other);
		}
	}
	ini_free_attribute_list(keys);
	return bits;
}

uint32_t config_apply_section(struct load *load,
			      const struct schema_key *schema,
			      const char *section, const char *ini_section,
			      void *target)
{
	return config_apply_section_other(load, schema, section, ini_section,
					  target, NULL);
}

static uint32_t key_line(struct load *load, const char *ini_section,
			 const char *key)
{
	struct value_obj *value = NULL;
	uint32_t line = 0;
	int ret;

	ret = ini_get_config_valueobj(ini_section, key, load->ini,
				      INI_GET_FIRST_VALUE, &value);
	if (ret == 0 && value != NULL) {
		value_get_line(value, &line);
	}
	return line;
}

uint32_t config_line(struct load *load, const char *ini_section,
		     const char *key)
{
	char **keys = NULL;
	uint32_t line = 0;
	int num_keys = 0;

	if (key != NULL) {
		return key_line(load, ini_section, key);
	}
	keys = ini_get_attribute_list(load->ini, ini_section, &num_keys, NULL);
	if (num_keys > 0) {
		line = key_line(load, ini_section, keys[0]);
	}
	ini_free_attribute_list(keys);
	return line;
}

const char *config_section_name(const char *section, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncasecmp(section, prefix, len) != 0) {
		return NULL;
	}
	return section + len + strspn(section + len, " ");
}

bool config_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return len > 0 && len <= CONFIG_NAME_MAX && name[len] == '\0';
}

bool config_has_channel(const struct daemon_config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->num_channels; i++) {
		if (text_name_equal(config->channels[i].name, name)) {
			return true;
		}
	}
	return false;
}

static struct daemon_channel *channel_for(struct load *load, const char *name)
{
	struct daemon_config *config = load->config;
	struct daemon_channel *channel = NULL;
	size_t i;

	for (i = 0; i < config->num_channels; i++) {
		if (text_name_equal(config->channels[i].name, name)) {
			return &config->channels[i];
		}
	}

	config->channels =
		talloc_realloc(config, config->channels, struct daemon_channel,
			       config->num_channels + 1);
	if (config->channels == NULL) {
		return NULL;
	}
	channel = &config->channels[config->num_channels++];
	*channel = (struct daemon_channel){
		.name = talloc_strdup(config, name),
	};
	schema_set_defaults(config, channel_schema, &channel->config);
	return channel;
}

static void apply_channel(struct load *load, const char *section,
			  const char *name)
{
	struct daemon_channel *channel = NULL;

	if (!store_channel_name_valid(name)) {
		config_complain(
			load, 0,
			"[%s]: a channel's name has 1 to 255 characters, "
			"none of < > | \\ \" : ' * ? and no control character",
			section);
		return;
	}
	channel = channel_for(load, name);
	if (channel != NULL) {
		channel->keys |=
			config_apply_section(load, channel_schema, "channel",
					     section, &channel->config);
	}
}

static struct soap_listener_config *add_listener(struct daemon_config *config,
						 const char *name)
{
	struct soap_listener_config *listener = NULL;
	size_t num = config->soap.num_listeners;

	config->listeners =
		talloc_realloc(config, config->listeners,
			       struct soap_listener_config, num + 1);
	if (config->listeners == NULL) {
		config->soap.num_listeners = 0;
		return NULL;
	}
	config->soap.num_listeners = num + 1;
	listener = &config->listeners[num];
	*listener = (struct soap_listener_config){
		.http.name = talloc_strdup(config, name),
	};
	schema_set_defaults(config, listener_schema, listener);
	return listener;
}

/* What the keys of a listener say together. */
static void check_listener(struct load *load, const char *section,
			   const struct soap_listener_config *listener,
			   uint32_t keys)
{
	const struct http_listener_config *http = &listener->http;

	if ((keys & DAEMON_LISTENER_SERVE) == 0) {
		config_complain(
			load, 0,
			"[%s]: 'serve' is missing; it takes wsus, configmgr "
			"and metrics",
			section);
	}
	if ((keys & DAEMON_LISTENER_PORT) == 0) {
		config_complain(
			load, 0,
			"[%s]: 'port' is missing; downstream servers expect "
			"8530, or 8531 with TLS, ConfigMgr clients 80 or 443",
			section);
	}
	if ((http->certificate == NULL) != (http->key == NULL)) {
		config_complain(load, 0,
				"[%s]: certificate and key go together",
				section);
	}
	if (http->client_certificate != HTTP_CLIENT_CERTIFICATE_NONE &&
	    (http->certificate == NULL || http->client_ca == NULL)) {
		config_complain(
			load, 0,
			"[%s]: client_certificate wants certificate, key and "
			"client_ca",
			section);
	}
	/* Nobody would be asked for a certificate, and all be let in. */
	if (http->client_certificate == HTTP_CLIENT_CERTIFICATE_NONE &&
	    http->client_ca != NULL) {
		config_complain(
			load, 0,
			"[%s]: client_ca wants client_certificate = optional "
			"or required",
			section);
	}
}

static void apply_listener(struct load *load, const char *section,
			   const char *name)
{
	struct soap_listener_config *listener = NULL;
	size_t errors = load->errors->num_messages;
	uint32_t keys;

	if (!config_name_valid(name)) {
		config_complain(
			load, 0,
			"[%s]: a listener's name has 1 to %d letters, digits "
			"and . _ -",
			section, CONFIG_NAME_MAX);
		return;
	}
	listener = add_listener(load->config, name);
	if (listener == NULL) {
		return;
	}
	keys = config_apply_section(load, listener_schema, "listener", section,
				    listener);
	/* A key with a mistake was reported and is not missing. */
	if (load->errors->num_messages == errors) {
		check_listener(load, section, listener, keys);
	}
}

/* Sections with a name of the user's. */
struct named_section {
	const char *prefix;
	void (*apply)(struct load *load, const char *section, const char *name);
	bool in_directory; /* the files of [collector] directory have it, too */
};

static const struct named_section named_sections[] = {
	{"channel ", apply_channel},
	{"listener ", apply_listener},
	{"collect ", config_collect_apply, .in_directory = true},
	{"forward ", config_forward_apply, .in_directory = true},
};

static bool apply_named(struct load *load, const char *section,
			bool in_directory)
{
	const struct named_section *named = NULL;
	const char *name = NULL;
	size_t i;

	for (i = 0; i < sizeof(named_sections) / sizeof(named_sections[0]);
	     i++) {
		named = &named_sections[i];
		name = config_section_name(section, named->prefix);
		if (name == NULL || (in_directory && !named->in_directory)) {
			continue;
		}
		if (!load->basic || !named->in_directory) {
			named->apply(load, section, name);
		}
		return true;
	}
	return false;
}

static void apply_one(struct load *load, const char *section)
{
	bool taken = apply_named(load, section, false);

	/* [collect] was read before all others. */
	if (taken || strcasecmp(section, "collect") == 0) {
		return;
	}
	if (schema_has_section(daemon_schema, section)) {
		config_apply_section(load, daemon_schema, section, section,
				     load->config);
		return;
	}
	config_complain(load, 0,
			"unknown section [%s]; there are [evenlog], [store], "
			"[rpc], [access], [authentication], [wsus], "
			"[configmgr], [quarantine], [collector], [collect], "
			"[channel NAME], [listener NAME], [collect NAME] and "
			"[forward NAME]",
			section);
}

static void apply_sections(struct load *load)
{
	char **sections = NULL;
	int num_sections = 0;
	int i;

	sections = ini_get_section_list(load->ini, &num_sections, NULL);
	for (i = 0; i < num_sections; i++) {
		if (!load->basic && strcasecmp(sections[i], "collect") == 0) {
			config_collect_defaults(load, sections[i]);
		}
	}
	for (i = 0; i < num_sections && !errors_full(load); i++) {
		apply_one(load, sections[i]);
	}
	ini_free_section_list(sections);
}

/* -------------------------------------------------------- the directory */

static void apply_directory_sections(struct load *load)
{
	char **sections = NULL;
	int num_sections = 0;
	bool taken;
	int i;

	sections = ini_get_section_list(load->ini, &num_sections, NULL);
	for (i = 0; i < num_sections && !errors_full(load); i++) {
		taken = apply_named(load, sections[i], true);
		if (!taken) {
			config_complain(load,
					config_line(load, sections[i], NULL),
					"section [%s] belongs into %s; this "
					"directory's files have [collect NAME] "
					"and [forward NAME]",
					sections[i], load->config->file);
		}
	}
	ini_free_section_list(sections);
}

static void load_directory_file(struct load *load)
{
	char *text = NULL;
	size_t len = 0;
	everr_t err;

	err = read_file(load, &text, &len);
	if (err == EVERR_IO && errno == ENOENT) {
		config_complain(load, 0, "is a link to nothing");
	}
	if (err != EVERR_OK) {
		return;
	}
	err = parse_ini(load, text, len);
	TALLOC_FREE(text);
	if (err == EVERR_OK) {
		apply_directory_sections(load);
	}
	close_ini(load);
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 &&
	       strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* In order of names, whatever the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_directory(struct load *load)
{
	const char *directory = load->config->collect_directory;
	struct dirent **entries = NULL;
	int num = scandir(directory, &entries, is_conf, compare_names);
	int i;

	load->file = directory;
	load->config->collect_directory_read = num >= 0;
	if (num < 0 && errno != ENOENT) {
		config_complain(load, 0, "cannot be read: %s", strerror(errno));
	}
	if (num > CONFIG_FILES_MAX) {
		config_complain(load, 0, "has more than %d files",
				CONFIG_FILES_MAX);
	}
	for (i = 0; i < num; i++) {
		load->file = talloc_asprintf(load->errors, "%s/%s", directory,
					     entries[i]->d_name);
		free(entries[i]);
		if (load->file != NULL && num <= CONFIG_FILES_MAX) {
			load_directory_file(load);
		}
	}
	free(entries);
}

/* ------------------------------------------------------------ the whole */

/* What one key alone cannot tell. */
static void check_whole(struct load *load)
{
	const struct daemon_config *config = load->config;

	if (config->realm != NULL && config->keytab == NULL) {
		config_complain(
			load, 0,
			"[authentication] realm and keytab go together: "
			"Kerberos needs the service's keys");
	}
	if (config->num_channels > STORE_CHANNELS_MAX) {
		config_complain(load, 0, "more than %d channels",
				STORE_CHANNELS_MAX);
	}
	if (config->soap.num_listeners > HTTP_LISTENERS_MAX) {
		config_complain(load, 0, "more than %d listeners",
				HTTP_LISTENERS_MAX);
	}
	if (config->soap.quarantine_limits.entry_bytes >
	    config->soap.quarantine_limits.bytes) {
		config_complain(
			load, 0,
			"[quarantine] max_entry_size is larger than max_size");
	}
}

static void finish(struct daemon_config *config)
{
	config->store.asynchronous = !config->synchronous;
	config->rpc.port = config->rpc_port;
	config->rpc.endpoint_mapper_port = config->mapper_port;
	config->soap.listeners = config->listeners;
	config->soap.computer = config->computer;
	if (config->soap.configmgr.host == NULL) {
		config->soap.configmgr.host = config->computer;
	}
}

static everr_t load_file(struct load *load, bool required)
{
	char *text = NULL;
	size_t len = 0;
	everr_t err;

	err = read_file(load, &text, &len);
	if (err == EVERR_IO && errno == ENOENT && !required) {
		return EVERR_OK;
	}
	if (err == EVERR_IO && errno == ENOENT) {
		config_complain(load, 0, "there is no such file");
	}
	if (err != EVERR_OK) {
		return err;
	}

	load->config->file = talloc_strdup(load->config, load->file);
	err = parse_ini(load, text, len);
	TALLOC_FREE(text);
	if (err != EVERR_OK) {
		return err;
	}

	apply_sections(load);
	close_ini(load);
	if (!load->basic) {
		load_directory(load);
		load->file = load->config->file;
	}
	config_collect_check(load);
	check_whole(load);
	return load->errors->num_messages > 0 ? EVERR_CONFIG : EVERR_OK;
}

static everr_t load_config(TALLOC_CTX *mem_ctx, const char *file, bool basic,
			   struct daemon_config **ret_config,
			   struct daemon_config_errors **ret_errors)
{
	struct load load = {
		.file = file != NULL ? file : daemon_config_default_file(),
		.basic = basic,
	};
	everr_t err;

	load.config = talloc_zero(mem_ctx, struct daemon_config);
	load.errors = talloc_zero(mem_ctx, struct daemon_config_errors);
	if (load.config == NULL || load.errors == NULL) {
		TALLOC_FREE(load.config);
		TALLOC_FREE(load.errors);
		return EVERR_NOMEM;
	}

	err = set_defaults(load.config);
	if (err == EVERR_OK) {
		err = load_file(&load, file != NULL);
	}
	close_ini(&load);
	if (err != EVERR_OK) {
		TALLOC_FREE(load.config);
		*ret_errors = load.errors;
		return err;
	}

	finish(load.config);
	TALLOC_FREE(load.errors);
	*ret_config = load.config;
	return EVERR_OK;
}

everr_t daemon_config_load(TALLOC_CTX *mem_ctx, const char *file,
			   struct daemon_config **ret_config,
			   struct daemon_config_errors **ret_errors)
{
	return load_config(mem_ctx, file, false, ret_config, ret_errors);
}

everr_t daemon_config_load_basic(TALLOC_CTX *mem_ctx, const char *file,
				 struct daemon_config **ret_config,
				 struct daemon_config_errors **ret_errors)
{
	return load_config(mem_ctx, file, true, ret_config, ret_errors);
}

/* Whether the system's Samba says that this host is in a domain. */
static bool system_is_member(void)
{
	char line[1024];
	bool member = false;
	FILE *f = fopen(SYSTEM_SMB_CONF, "re");

	if (f == NULL) {
		return false;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		char key[64] = "";
		char value[64] = "";
		char *equals = strchr(line, '=');

		if (equals == NULL || line[strspn(line, " \t")] == '#' ||
		    line[strspn(line, " \t")] == ';') {
			continue;
		}
		*equals = '\0';
		schema_squeeze(line, key, sizeof(key));
		schema_squeeze(equals + 1, value, sizeof(value));
		if ((strcmp(key, "security") == 0 &&
		     (strcmp(value, "ads") == 0 ||
		      strcmp(value, "domain") == 0)) ||
		    (strcmp(key, "serverrole") == 0 &&
		     (strcmp(value, "memberserver") == 0 ||
		      strcmp(value, "member") == 0))) {
			member = true;
		}
	}
	fclose(f);
	return member;
}

const char *daemon_config_smb_conf(TALLOC_CTX *mem_ctx,
				   const struct daemon_config *config,
				   struct rpc_smb_conf *ret_options)
{
	uint32_t mode = config->samba_mode;

	if (mode == DAEMON_SAMBA_AUTO) {
		mode = system_is_member() ? DAEMON_SAMBA_MEMBER
					  : DAEMON_SAMBA_PRIVATE;
	}
	*ret_options = (struct rpc_smb_conf){};
	if (mode == DAEMON_SAMBA_SYSTEM) {
		return talloc_strdup(mem_ctx, SYSTEM_SMB_CONF);
	}
	ret_options->dir = config->samba_state;
	ret_options->keytab = config->keytab;
	if (mode == DAEMON_SAMBA_PRIVATE) {
		ret_options->realm = config->realm;
	} else {
		ret_options->member = SYSTEM_SMB_CONF;
		if (config->keytab == NULL) {
			ret_options->keytab = MEMBER_KEYTAB;
		}
	}
	return talloc_asprintf(mem_ctx, "%s/smb.conf", config->samba_state);
}
