/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/config_collect.h"

#include "base/file.h"
#include "base/text.h"
#include "daemon/config_hosts.h"
#include "event/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The keys that are looked at together, in the order of their rows below. */
enum collect_key {
	KEY_HOST = 0x1,
	KEY_HOSTS = 0x2,
	KEY_HOSTS_FILE = 0x4,
	KEY_AUTHENTICATION = 0x8,
	KEY_USER = 0x10,
	KEY_DOMAIN = 0x20,
	KEY_PASSWORD_FILE = 0x40,
	KEY_KEYTAB = 0x80,
	KEY_PRINCIPAL = 0x100,
	KEY_CCACHE = 0x200,
	KEY_CHANNELS = 0x400,
	KEY_QUERY = 0x800
};

#define KEYS_HOSTS (KEY_HOST | KEY_HOSTS | KEY_HOSTS_FILE)
#define KEYS_NTLM (KEY_USER | KEY_DOMAIN | KEY_PASSWORD_FILE)
#define KEYS_KERBEROS (KEY_KEYTAB | KEY_PRINCIPAL | KEY_CCACHE)

/* "query CHANNEL = ..." */
struct channel_query {
	const char *channel;
	const char *query;
	uint32_t line;
	bool inherited; /* from [collect] */
};

struct section {
	struct collect_config all; /* what its hosts have in common */
	const char *host;
	const char *const *hosts;
	const char *hosts_file;
	const char *const *channels;
	const char *query;
	struct channel_query *queries;
	size_t num_queries;
	uint32_t keys; /* enum collect_key: of itself and of [collect] */
};

struct named_place {
	const char *name;
	struct config_place place;
};

struct load_collect {
	struct section defaults;
	struct collect_config *hosts; /* the configuration's */
	struct config_place *places;  /* where each of them stands */
	size_t num_hosts;
	struct named_place *sections;
	size_t num_sections;
	bool full; /* too many hosts: told once */
};

#define AT(member) offsetof(struct section, member)

static const char *const authentications[] = {"kerberos", "ntlm", NULL};
static const char *const deliveries[] = {"push", "pull", NULL};

static const struct schema_key collect_schema[] = {
	{"collect", "host", SCHEMA_STRING, AT(host)},
	{"collect", "hosts", SCHEMA_LIST, AT(hosts)},
	{"collect", "hosts_file", SCHEMA_PATH, AT(hosts_file)},
	{"collect", "authentication", SCHEMA_CHOICE, AT(all.auth),
	 .choices = authentications},
	{"collect", "user", SCHEMA_STRING, AT(all.user)},
	{"collect", "domain", SCHEMA_STRING, AT(all.domain)},
	{"collect", "password_file", SCHEMA_PATH, AT(all.password_file)},
	{"collect", "keytab", SCHEMA_PATH, AT(all.keytab)},
	{"collect", "principal", SCHEMA_STRING, AT(all.principal)},
	{"collect", "ccache", SCHEMA_STRING, AT(all.ccache)},
	{"collect", "channels", SCHEMA_LIST, AT(channels),
	 .initial = "Security, System, Application"},
	{"collect", "query", SCHEMA_STRING, AT(query)},
	{"collect", "port", SCHEMA_UINT16, AT(all.port), 0, 65535,
	 .initial = "0"},
	{"collect", "mapper_port", SCHEMA_UINT16, AT(all.mapper_port), 1, 65535,
	 .initial = "135"},
	{"collect", "delivery", SCHEMA_CHOICE, AT(all.delivery),
	 .choices = deliveries, .initial = "push"},
	{"collect", "batch", SCHEMA_UINT32, AT(all.batch), 1, 1024,
	 .initial = "512", .unit = "records"},
	{"collect", "read_existing", SCHEMA_BOOL, AT(all.read_existing),
	 .initial = "yes"},
	{"collect", "target", SCHEMA_STRING, AT(all.target),
	 .initial = "ForwardedEvents"},
	{"collect", "backoff_max", SCHEMA_DURATION, AT(all.backoff_max), 1,
	 86400, .initial = "5m"},
	{"collect", "liveness", SCHEMA_DURATION, AT(all.liveness), 1, 86400,
	 .initial = "5m"},
	{"collect", "silent_after", SCHEMA_DURATION, AT(all.silent_after), 0,
	 366 * 86400, .initial = "1d"},
	{NULL},
};

/* NULL: no memory. */
static struct load_collect *state_of(struct load *load)
{
	struct load_collect *collect = load->collect;

	if (collect != NULL) {
		return collect;
	}
	collect = talloc_zero(load->errors, struct load_collect);
	if (collect != NULL) {
		schema_set_defaults(load->config, collect_schema,
				    &collect->defaults);
	}
	load->collect = collect;
	return collect;
}

/* ------------------------------------------------------------- queries */

/* A structured query may name its channel, and no other. */
static const char *foreign_path(const struct event_query *query,
				const char *channel)
{
	size_t i;

	for (i = 0; i < query->num_paths; i++) {
		if (!text_name_equal(query->paths[i], channel)) {
			return query->paths[i];
		}
	}
	return NULL;
}

static bool check_query(struct load *load, uint32_t line, const char *channel,
			const char *text)
{
	struct event_query_error error = {};
	struct event_query *query = NULL;
	const char *foreign = NULL;
	everr_t err;

	if (*text == '\0') {
		config_complain(load, line,
				"the query of %s is empty; * is "
				"everything",
				channel);
		return false;
	}
	err = event_query_parse(load->errors, channel, text, strlen(text),
				false, &query, &error);
	if (err != EVERR_OK) {
		config_complain(load, line, "the query of %s: %s", channel,
				error.message[0] != '\0' ? error.message
							 : everr_text(err));
		return false;
	}
	foreign = foreign_path(query, channel);
	if (foreign != NULL) {
		config_complain(load, line,
				"the query of %s selects from %s; a query is "
				"of one channel, and a list for several is "
				"written as 'query CHANNEL = ...' for each",
				channel, foreign);
	}
	talloc_free(query);
	return foreign == NULL;
}

/* "query" and a blank or a dot; NULL: another key. */
static const char *query_channel(const char *key)
{
	const size_t len = strlen("query");

	if (strncasecmp(key, "query", len) != 0 ||
	    strchr(" \t.", key[len]) == NULL || key[len] == '\0') {
		return NULL;
	}
	return key + len + strspn(key + len, " \t.");
}

static struct channel_query *find_query(const struct section *section,
					const char *channel)
{
	size_t i;

	for (i = 0; i < section->num_queries; i++) {
		if (text_name_equal(section->queries[i].channel, channel)) {
			return &section->queries[i];
		}
	}
	return NULL;
}

static void add_query(struct load *load, struct section *section,
		      const struct channel_query *query)
{
	struct channel_query *queries = NULL;

	queries =
		talloc_realloc(load->config, section->queries,
			       struct channel_query, section->num_queries + 1);
	if (queries != NULL) {
		section->queries = queries;
		queries[section->num_queries++] = *query;
	}
}

static bool take_query(struct load *load, const char *key, const char *value,
		       uint32_t line, void *target)
{
	struct section *section = target;
	const char *channel = query_channel(key);
	struct channel_query *found = NULL;
	struct channel_query query = {.line = line};
	bool good;

	if (channel == NULL) {
		return false;
	}
	good = check_query(load, line, channel, value);
	if (!good) {
		return true;
	}
	found = find_query(section, channel);
	if (found != NULL && !found->inherited) {
		config_complain(load, line,
				"the query of %s is given twice in this "
				"section",
				channel);
		return true;
	}

	query.channel = talloc_strdup(load->config, channel);
	query.query = talloc_strdup(load->config, value);
	if (query.channel == NULL || query.query == NULL) {
		return true;
	}
	if (found != NULL) {
		*found = query;
	} else {
		add_query(load, section, &query);
	}
	return true;
}

/* ------------------------------------------------------------ channels */

/* The query of all that have none of their own, as each of them takes it. */
static void check_common_query(struct load *load, const char *ini_section,
			       const struct section *section)
{
	uint32_t line = config_line(load, ini_section, "query");
	bool good = true;
	size_t i;

	if (line == 0) {
		line = config_line(load, ini_section, NULL);
	}
	for (i = 0;
	     good && section->query != NULL && i < section->all.num_channels;
	     i++) {
		const char *channel = section->all.channels[i].name;

		if (find_query(section, channel) == NULL) {
			good = check_query(load, line, channel, section->query);
		}
	}
}

static void check_own_queries(struct load *load, const struct section *section)
{
	const struct channel_query *query = NULL;
	size_t i, j;

	for (i = 0; i < section->num_queries; i++) {
		query = &section->queries[i];
		for (j = 0; j < section->all.num_channels &&
			    !text_name_equal(section->all.channels[j].name,
					     query->channel);
		     j++) {
		}
		if (j == section->all.num_channels && !query->inherited) {
			config_complain(load, query->line,
					"a query of %s, which is not among "
					"this section's channels",
					query->channel);
		}
	}
}

static const char *effective_query(const struct section *section,
				   const char *channel)
{
	const struct channel_query *own = find_query(section, channel);
	const char *text = own != NULL ? own->query : section->query;

	/* A gap's size is exact where everything is asked for. */
	return text != NULL && strcmp(text, "*") == 0 ? NULL : text;
}

static bool add_channel(struct load *load, uint32_t line,
			struct section *section,
			struct collect_channel_config *channels,
			const char *name)
{
	size_t i;

	if (!store_channel_name_valid(name)) {
		config_complain(load, line, "'%s' is not a channel's name",
				name);
		return false;
	}
	for (i = 0; i < section->all.num_channels; i++) {
		if (text_name_equal(channels[i].name, name)) {
			config_complain(load, line, "channel %s is given twice",
					name);
			return false;
		}
	}
	channels[section->all.num_channels++] = (struct collect_channel_config){
		.name = name,
		.query = effective_query(section, name),
	};
	return true;
}

static bool build_channels(struct load *load, const char *ini_section,
			   struct section *section)
{
	uint32_t line = config_line(load, ini_section, "channels");
	struct collect_channel_config *channels = NULL;
	bool good = true;
	size_t num = 0;
	size_t i;

	while (section->channels[num] != NULL) {
		num++;
	}
	if (num == 0 || num > COLLECT_CHANNELS_MAX) {
		config_complain(load, line,
				"a host has 1 to %d channels in a list with "
				"commas",
				COLLECT_CHANNELS_MAX);
		return false;
	}
	channels =
		talloc_array(load->config, struct collect_channel_config, num);
	if (channels == NULL) {
		return false;
	}
	section->all.num_channels = 0;
	for (i = 0; i < num && good; i++) {
		good = add_channel(load, line, section, channels,
				   section->channels[i]);
	}
	section->all.channels = channels;
	return good;
}

/* --------------------------------------------------------- credentials */

static bool complain_key(struct load *load, const char *ini_section,
			 const char *key, const char *what)
{
	uint32_t line = config_line(load, ini_section, key);

	if (line == 0) {
		line = config_line(load, ini_section, NULL);
	}
	config_complain(load, line, "[%s]: %s", ini_section, what);
	return false;
}

/* By what is given, unless it is said. */
static bool choose_authentication(struct load *load, const char *ini_section,
				  struct section *section)
{
	bool kerberos = (section->keys & (KEY_KEYTAB | KEY_CCACHE)) != 0;
	bool ntlm = (section->keys & KEY_USER) != 0;

	if ((section->keys & KEY_AUTHENTICATION) != 0) {
		return true;
	}
	if (kerberos && ntlm) {
		return complain_key(load, ini_section, "user",
				    "there are keys for Kerberos and for "
				    "NTLM: say 'authentication = kerberos' or "
				    "'authentication = ntlm'");
	}
	if (!kerberos && !ntlm) {
		return complain_key(
			load, ini_section, NULL,
			"how to log on is missing: write 'keytab' (and "
			"'principal') or 'ccache' for Kerberos, or 'user' and "
			"'password_file' for NTLM");
	}
	section->all.auth =
		kerberos ? COLLECT_AUTH_KERBEROS : COLLECT_AUTH_NTLM;
	return true;
}

static bool check_kerberos(struct load *load, const char *ini_section,
			   struct section *section, uint32_t own)
{
	if ((own & KEYS_NTLM) != 0) {
		return complain_key(load, ini_section, "authentication",
				    "user, domain and password_file are not "
				    "for Kerberos, which takes 'keytab' (and "
				    "'principal') or 'ccache'");
	}
	/* One of a section comes before the other of [collect]. */
	if ((own & KEY_KEYTAB) != 0 && (own & KEY_CCACHE) == 0) {
		section->all.ccache = NULL;
	}
	if ((own & KEY_CCACHE) != 0 && (own & KEY_KEYTAB) == 0) {
		section->all.keytab = NULL;
	}
	if ((section->all.keytab != NULL) == (section->all.ccache != NULL)) {
		return complain_key(load, ini_section, "ccache",
				    "Kerberos takes either 'keytab' or "
				    "'ccache'");
	}
	if (section->all.keytab == NULL && (own & KEY_PRINCIPAL) != 0) {
		return complain_key(load, ini_section, "principal",
				    "'principal' says whose key of a keytab "
				    "to use; with 'ccache' it has no meaning");
	}
	if (section->all.keytab == NULL) {
		section->all.principal = NULL;
	}
	section->all.user = NULL;
	section->all.domain = NULL;
	section->all.password_file = NULL;
	return true;
}

/*
 * DOMAIN\user is taken apart.  user@domain stays whole, as Windows takes it:
 * the part behind the @ need not be the domain's name.
 */
static bool split_user(struct load *load, const char *ini_section,
		       struct section *section, uint32_t own)
{
	struct collect_config *all = &section->all;
	const char *backslash = strchr(all->user, '\\');
	const char *at = strchr(all->user, '@');

	if (backslash == NULL && at == NULL) {
		return true;
	}
	if ((own & (KEY_USER | KEY_DOMAIN)) == (KEY_USER | KEY_DOMAIN)) {
		return complain_key(load, ini_section, "domain",
				    "'user' names the domain already");
	}
	if (backslash == NULL) {
		all->domain = "";
		return true;
	}
	all->domain = talloc_strndup(load->config, all->user,
				     (size_t)(backslash - all->user));
	all->user = backslash + 1;
	if (all->domain == NULL || *all->domain == '\0' || *all->user == '\0') {
		return complain_key(load, ini_section, "user",
				    "'user' is NAME, DOMAIN\\NAME or "
				    "NAME@DOMAIN");
	}
	return true;
}

static bool check_ntlm(struct load *load, const char *ini_section,
		       struct section *section, uint32_t own)
{
	struct collect_config *all = &section->all;

	if ((own & KEYS_KERBEROS) != 0) {
		return complain_key(load, ini_section, "authentication",
				    "keytab, principal and ccache are not for "
				    "NTLM, which takes 'user' and "
				    "'password_file'");
	}
	if (all->user == NULL || all->password_file == NULL) {
		return complain_key(load, ini_section, "user",
				    "NTLM takes 'user' and 'password_file', a "
				    "file with the password in its first "
				    "line");
	}
	all->keytab = NULL;
	all->principal = NULL;
	all->ccache = NULL;
	return split_user(load, ini_section, section, own);
}

static bool check_credentials(struct load *load, const char *ini_section,
			      struct section *section, uint32_t own)
{
	bool chosen = choose_authentication(load, ini_section, section);

	if (!chosen) {
		return false;
	}
	return section->all.auth == COLLECT_AUTH_KERBEROS
		       ? check_kerberos(load, ini_section, section, own)
		       : check_ntlm(load, ini_section, section, own);
}

/* --------------------------------------------------------------- hosts */

static void *grow(TALLOC_CTX *mem_ctx, void *array, size_t size, size_t num,
		  const char *name)
{
	size_t room = array != NULL ? talloc_get_size(array) / size : 0;

	if (num < room) {
		return array;
	}
	return _talloc_realloc_array(mem_ctx, array, size,
				     (unsigned int)(num < 32 ? 64 : num * 2),
				     name);
}

static void add_host(struct load *load, const struct section *section,
		     const char *host, uint16_t port,
		     const struct config_place *place)
{
	struct load_collect *collect = load->collect;
	struct collect_config *hosts = NULL;
	struct config_place *places = NULL;

	if (collect->num_hosts == COLLECT_HOSTS_MAX) {
		if (!collect->full) {
			config_complain_at(load, place,
					   "more than %d hosts to collect from",
					   COLLECT_HOSTS_MAX);
		}
		collect->full = true;
		return;
	}
	hosts = grow(load->config, collect->hosts, sizeof(*hosts),
		     collect->num_hosts, "struct collect_config");
	places = grow(collect, collect->places, sizeof(*places),
		      collect->num_hosts, "struct config_place");
	if (hosts != NULL) {
		collect->hosts = hosts;
	}
	if (places != NULL) {
		collect->places = places;
	}
	if (hosts == NULL || places == NULL) {
		return;
	}
	hosts[collect->num_hosts] = section->all;
	hosts[collect->num_hosts].host = host;
	if (port != 0) {
		hosts[collect->num_hosts].port = port;
	}
	places[collect->num_hosts++] = *place;
}

static void add_written_host(struct load *load, const struct section *section,
			     const char *text, uint32_t line)
{
	const struct config_place place = {.file = load->file, .line = line};
	const char *host = NULL;
	uint16_t port = 0;
	everr_t err;

	err = config_host_parse(load->config, text, strlen(text), &host, &port);
	if (err != EVERR_OK) {
		config_complain(load, line, "host '%s' %s", text,
				CONFIG_HOST_ALLOWED);
		return;
	}
	add_host(load, section, host, port, &place);
}

static void complain_hosts_file(struct load *load, uint32_t at, everr_t err,
				const char *path)
{
	switch (err) {
	case EVERR_IO:
		config_complain(load, at, "hosts_file %s: %s", path,
				strerror(errno));
		break;
	case EVERR_NOT_SUPPORTED:
		config_complain(load, at, "hosts_file %s is not a regular file",
				path);
		break;
	case EVERR_LIMIT:
		config_complain(load, at,
				"hosts_file %s is larger than %d bytes or "
				"has more than %d hosts",
				path, COLLECT_HOSTS_FILE_MAX,
				COLLECT_HOSTS_MAX);
		break;
	default:
		config_complain(load, at, "hosts_file %s: %s", path,
				everr_text(err));
		break;
	}
}

static void add_hosts_file(struct load *load, const struct section *section,
			   uint32_t at)
{
	struct config_place place = {.file = section->hosts_file};
	struct config_host *hosts = NULL;
	char *text = NULL;
	size_t len = 0;
	size_t num = 0;
	size_t i;
	everr_t err;

	err = file_read_all(load->errors, section->hosts_file,
			    COLLECT_HOSTS_FILE_MAX, &text, &len);
	/* What is behind a NUL would be passed over in silence. */
	if (err == EVERR_OK && strlen(text) != len) {
		err = EVERR_TEXT;
	}
	if (err == EVERR_OK) {
		err = config_hosts_parse(load->config, text, COLLECT_HOSTS_MAX,
					 &hosts, &num);
	}
	if (err != EVERR_OK) {
		complain_hosts_file(load, at, err, section->hosts_file);
	} else if (num == 0) {
		config_complain(load, at, "hosts_file %s names no host",
				section->hosts_file);
	}
	for (i = 0; i < num; i++) {
		place.line = hosts[i].line;
		if (hosts[i].host == NULL) {
			config_complain_at(load, &place, "a host %s",
					   CONFIG_HOST_ALLOWED);
			continue;
		}
		add_host(load, section, hosts[i].host, hosts[i].port, &place);
	}
	talloc_free(text);
}

static void add_hosts(struct load *load, const char *ini_section,
		      const struct section *section)
{
	uint32_t line = 0;
	size_t i;

	if (section->host != NULL) {
		line = config_line(load, ini_section, "host");
		add_written_host(load, section, section->host, line);
	}
	line = config_line(load, ini_section, "hosts");
	for (i = 0; section->hosts != NULL && section->hosts[i] != NULL; i++) {
		add_written_host(load, section, section->hosts[i], line);
	}
	if (section->hosts_file != NULL) {
		add_hosts_file(load, section,
			       config_line(load, ini_section, "hosts_file"));
	}
}

/* ------------------------------------------------------------ sections */

void config_collect_defaults(struct load *load, const char *section)
{
	struct load_collect *collect = state_of(load);
	struct section *defaults = NULL;
	size_t i;

	if (collect == NULL) {
		return;
	}
	defaults = &collect->defaults;
	defaults->keys = config_apply_section_other(
		load, collect_schema, "collect", section, defaults, take_query);
	if ((defaults->keys & KEYS_HOSTS) != 0) {
		config_complain(load, config_line(load, section, NULL),
				"[collect] has what all [collect NAME] have in "
				"common; hosts belong to one with a NAME");
		defaults->host = NULL;
		defaults->hosts = NULL;
		defaults->hosts_file = NULL;
		defaults->keys &= ~(uint32_t)KEYS_HOSTS;
	}
	for (i = 0; i < defaults->num_queries; i++) {
		defaults->queries[i].inherited = true;
	}
}

static void note_section(struct load *load, const char *name, uint32_t line)
{
	struct load_collect *collect = load->collect;
	struct named_place *sections = NULL;

	sections = grow(collect, collect->sections, sizeof(*sections),
			collect->num_sections, "struct named_place");
	if (sections == NULL) {
		return;
	}
	collect->sections = sections;
	sections[collect->num_sections++] = (struct named_place){
		.name = name,
		.place = {.file = load->file, .line = line},
	};
}

/* A section with what [collect] says; its queries are a copy. */
static bool begin_section(struct load *load, const char *name,
			  struct section *ret_section)
{
	struct load_collect *collect = state_of(load);
	struct section section = {};

	if (collect == NULL) {
		return false;
	}
	section = collect->defaults;
	section.all.section = talloc_strdup(load->config, name);
	section.queries = NULL;
	if (section.num_queries > 0) {
		section.queries = talloc_memdup(
			load->config, collect->defaults.queries,
			section.num_queries * sizeof(*section.queries));
	}
	if (section.all.section == NULL ||
	    (section.num_queries > 0 && section.queries == NULL)) {
		return false;
	}
	*ret_section = section;
	return true;
}

/* A section's own query for all comes before those of [collect] for one. */
static void drop_inherited(struct section *section)
{
	size_t num = 0;
	size_t i;

	for (i = 0; i < section->num_queries; i++) {
		if (!section->queries[i].inherited) {
			section->queries[num++] = section->queries[i];
		}
	}
	section->num_queries = num;
}

/*
 * What the keys say together.  Where one of them has a mistake (good false) it
 * was reported and is not missing; what does not hang on it is looked at.
 */
static void finish_section(struct load *load, const char *ini_section,
			   struct section *section, uint32_t own, bool good)
{
	bool channels;

	if ((own & KEY_QUERY) != 0) {
		drop_inherited(section);
	}
	if (good && (own & KEYS_HOSTS) == 0) {
		(void)complain_key(load, ini_section, NULL,
				   "which hosts is missing: write 'host', "
				   "'hosts' or 'hosts_file'");
	}
	channels = build_channels(load, ini_section, section);
	if (channels) {
		check_own_queries(load, section);
		check_common_query(load, ini_section, section);
	}
	if (good) {
		(void)check_credentials(load, ini_section, section, own);
	}
	add_hosts(load, ini_section, section);
}

void config_collect_apply(struct load *load, const char *ini_section,
			  const char *name)
{
	size_t errors = load->errors->num_messages;
	struct section section = {};
	uint32_t line = config_line(load, ini_section, NULL);
	uint32_t own;
	bool begun;

	if (!config_name_valid(name)) {
		config_complain(load, line,
				"[%s]: a collect section's name has 1 to %d "
				"letters, digits and . _ -",
				ini_section, CONFIG_NAME_MAX);
		return;
	}
	begun = begin_section(load, name, &section);
	if (!begun) {
		return;
	}
	note_section(load, section.all.section, line);
	own = config_apply_section_other(load, collect_schema, "collect",
					 ini_section, &section, take_query);
	section.keys |= own;
	finish_section(load, ini_section, &section, own,
		       load->errors->num_messages == errors);
}

/* ------------------------------------------------------- all of it */

static int compare_places(const void *a, const void *b)
{
	const struct named_place *left = a;
	const struct named_place *right = b;

	return strcasecmp(left->name, right->name);
}

/* Sorted, the same names stand side by side. */
static void complain_of_twins(struct load *load, struct named_place *names,
			      size_t num, const char *what)
{
	size_t i;

	if (num == 0) {
		return;
	}
	qsort(names, num, sizeof(*names), compare_places);
	for (i = 1; i < num; i++) {
		if (compare_places(&names[i - 1], &names[i]) == 0) {
			config_complain_at(load, &names[i].place,
					   "%s %s is given twice: also at "
					   "%s:%" PRIu32,
					   what, names[i].name,
					   names[i - 1].place.file,
					   names[i - 1].place.line);
		}
	}
}

static void check_hosts(struct load *load, const struct load_collect *collect)
{
	struct named_place *names = NULL;
	size_t i;

	names = talloc_array(load->errors, struct named_place,
			     collect->num_hosts);
	for (i = 0; names != NULL && i < collect->num_hosts; i++) {
		names[i] = (struct named_place){
			.name = collect->hosts[i].host,
			.place = collect->places[i],
		};
	}
	if (names != NULL) {
		complain_of_twins(load, names, collect->num_hosts, "host");
	}
	talloc_free(names);
}

/* Told once for all hosts of a section, whose target is one string. */
static void check_targets(struct load *load, const struct load_collect *collect)
{
	const char *known = NULL;
	size_t i;

	for (i = 0; i < collect->num_hosts; i++) {
		const char *target = collect->hosts[i].target;

		if (target == known) {
			continue;
		}
		known = target;
		if (text_name_equal(target, OPERATIONAL_CHANNEL)) {
			config_complain_at(load, &collect->places[i],
					   "target = %s: that channel is for "
					   "Evenlog's own events",
					   target);
		} else if (!config_has_channel(load->config, target)) {
			config_complain_at(load, &collect->places[i],
					   "target = %s: there is no such "
					   "channel; add a section [channel "
					   "%s]",
					   target, target);
		}
	}
}

void config_collect_check(struct load *load)
{
	struct load_collect *collect = load->collect;

	if (collect == NULL) {
		return;
	}
	complain_of_twins(load, collect->sections, collect->num_sections,
			  "section collect");
	check_hosts(load, collect);
	check_targets(load, collect);
	load->config->collect.hosts = collect->hosts;
	load->config->collect.num_hosts = collect->num_hosts;
}
