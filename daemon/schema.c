/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/config.h"
#include "daemon/schema.h"

#include "rpc/sddl.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

static const char *const log_levels[] = {"error", "warning", "info", "debug",
					 NULL};
static const char *const samba_modes[] = {"auto", "private", "member", "system",
					  NULL};

static const char *const signature_policies[] = {"off", "present", "required",
						 NULL};
/* In the order of the bits of enum soap_role. */
static const char *const roles[] = {"wsus", "configmgr", "metrics", NULL};
/* As enum http_client_certificate. */
static const char *const client_certificates[] = {"none", "optional",
						  "required", NULL};

#define AT(member) offsetof(struct daemon_config, member)

const struct schema_key daemon_schema[] = {
	{"evenlog", "computer", SCHEMA_STRING, AT(computer)},
	{"evenlog", "log_level", SCHEMA_CHOICE, AT(log_level),
	 .choices = log_levels, .initial = "info"},
	{"evenlog", "manifests", SCHEMA_PATH, AT(manifests),
	 .initial = EVENLOG_CONFDIR "/manifests"},

	{"store", "path", SCHEMA_PATH, AT(store.path),
	 .initial = EVENLOG_STATEDIR "/store"},
	{"store", "map_size", SCHEMA_SIZE, AT(store.limits.map_size), 64 * MIB,
	 64 * TIB},
	{"store", "disk_reserve", SCHEMA_SIZE, AT(store.limits.disk_reserve),
	 MIB, TIB},
	{"store", "batch_records", SCHEMA_UINT32,
	 AT(store.limits.batch_records), 1, 1000000, .unit = "records"},
	{"store", "batch_bytes", SCHEMA_SIZE, AT(store.limits.batch_bytes),
	 64 * KIB, GIB},
	{"store", "batch_ms", SCHEMA_UINT32, AT(store.limits.batch_ms), 0,
	 10000, .unit = "milliseconds"},
	{"store", "queue_bytes", SCHEMA_SIZE, AT(store.limits.queue_bytes),
	 2 * MIB, 16 * GIB},
	{"store", "synchronous", SCHEMA_BOOL, AT(synchronous),
	 .initial = "yes"},

	{"rpc", "listen", SCHEMA_LIST, AT(rpc.listen),
	 .initial = "0.0.0.0, ::"},
	{"rpc", "port", SCHEMA_UINT16, AT(rpc_port), 0, 65535, .initial = "0"},
	{"rpc", "endpoint_mapper", SCHEMA_BOOL, AT(rpc.endpoint_mapper),
	 .initial = "yes"},
	{"rpc", "endpoint_mapper_port", SCHEMA_UINT16, AT(mapper_port), 0,
	 65535, .initial = "135"},
	{"rpc", "control_socket", SCHEMA_PATH, AT(rpc.control_socket),
	 .initial = EVENLOG_RUNDIR "/control"},
	{"rpc", "connections", SCHEMA_UINT32, AT(rpc.limits.connections), 1,
	 1000000, .initial = "4096"},
	{"rpc", "connections_per_peer", SCHEMA_UINT32,
	 AT(rpc.limits.connections_per_peer), 1, 1000000, .initial = "1024"},
	{"rpc", "handles_per_connection", SCHEMA_UINT32,
	 AT(rpc.limits.handles_per_connection), 2, 100000, .initial = "256"},
	{"rpc", "subscriptions", SCHEMA_UINT32, AT(rpc.limits.subscriptions), 1,
	 1000000, .initial = "4096"},
	{"rpc", "handle_bytes_per_connection", SCHEMA_SIZE32,
	 AT(rpc.limits.handle_bytes_per_connection), MIB, GIB,
	 .initial = "16M"},
	{"rpc", "handle_bytes", SCHEMA_SIZE32, AT(rpc.limits.handle_bytes), MIB,
	 GIB, .initial = "512M"},
	{"rpc", "calls_in_flight", SCHEMA_UINT32,
	 AT(rpc.limits.calls_in_flight), 2, 10000, .initial = "64"},
	{"rpc", "logon_seconds", SCHEMA_UINT32, AT(rpc.limits.logon_seconds), 1,
	 3600, .initial = "30", .unit = "seconds"},
	{"rpc", "unsent_bytes", SCHEMA_SIZE32, AT(rpc.limits.unsent_bytes),
	 4 * MIB, GIB, .initial = "8M"},
	{"rpc", "export_directory", SCHEMA_PATH, AT(rpc.export_directory),
	 .initial = EVENLOG_STATEDIR "/export"},
	{"rpc", "export_max_size", SCHEMA_SIZE, AT(rpc.export_max_bytes), MIB,
	 4 * GIB, .initial = "4G"},
	{"rpc", "export_reserve", SCHEMA_SIZE, AT(rpc.export_reserve), 0, TIB,
	 .initial = "1G"},

	{"access", "event_log_readers", SCHEMA_LIST, AT(rpc.readers),
	 .initial = ""},
	{"access", "administrators", SCHEMA_LIST, AT(rpc.administrators),
	 .initial = ""},

	{"authentication", "samba_configuration", SCHEMA_CHOICE, AT(samba_mode),
	 .choices = samba_modes, .initial = "auto"},
	{"authentication", "samba_state", SCHEMA_PATH, AT(samba_state),
	 .initial = EVENLOG_STATEDIR "/samba"},
	{"authentication", "realm", SCHEMA_STRING, AT(realm)},
	{"authentication", "keytab", SCHEMA_PATH, AT(keytab)},

	{"wsus", "enabled", SCHEMA_BOOL, AT(soap.wsus.enabled),
	 .initial = "yes"},
	{"wsus", "catalogue", SCHEMA_PATH, AT(soap.wsus.catalogue),
	 .initial = EVENLOG_STATEDIR "/wsus"},
	{"wsus", "detailed_rollup", SCHEMA_BOOL, AT(soap.wsus.detailed_rollup),
	 .initial = "yes"},
	{"wsus", "correct_clocks", SCHEMA_BOOL, AT(soap.wsus.correct_clocks),
	 .initial = "yes"},
	{"wsus", "strict_accounts", SCHEMA_BOOL, AT(soap.wsus.strict_accounts),
	 .initial = "no"},
	{"wsus", "compress", SCHEMA_BOOL, AT(soap.wsus.compress),
	 .initial = "no"},
	{"wsus", "max_body", SCHEMA_SIZE, AT(soap.wsus.body_max), MIB, 16 * GIB,
	 .initial = "512M"},
	{"wsus", "cookie_lifetime", SCHEMA_DURATION,
	 AT(soap.wsus.cookie_seconds), 60, 30 * 86400, .initial = "4h"},
	{"wsus", "servers_max", SCHEMA_UINT32, AT(soap.wsus.servers_max), 1,
	 100000, .initial = "1000", .unit = "servers"},
	{"wsus", "computers_max", SCHEMA_UINT32, AT(soap.wsus.computers_max), 1,
	 10000000, .initial = "200000", .unit = "computers"},
	{"wsus", "statuses_max", SCHEMA_UINT32, AT(soap.wsus.statuses_max), 1,
	 40000, .initial = "40000", .unit = "updates"},

	{"configmgr", "enabled", SCHEMA_BOOL, AT(soap.configmgr.enabled),
	 .initial = "yes"},
	{"configmgr", "site_code", SCHEMA_SITE, AT(soap.configmgr.site_code),
	 .initial = "EVL"},
	{"configmgr", "host", SCHEMA_STRING, AT(soap.configmgr.host)},
	{"configmgr", "signatures", SCHEMA_CHOICE,
	 AT(soap.configmgr.signatures), .choices = signature_policies,
	 .initial = "present"},
	{"configmgr", "max_body", SCHEMA_SIZE, AT(soap.configmgr.body_max),
	 64 * KIB, 256 * MIB, .initial = "8M"},
	{"configmgr", "max_payload", SCHEMA_SIZE,
	 AT(soap.configmgr.payload_max), 64 * KIB, GIB, .initial = "64M"},
	{"configmgr", "replay_window", SCHEMA_DURATION,
	 AT(soap.configmgr.replay_seconds), 60, 366 * 86400, .initial = "7d"},
	{"configmgr", "replay_max", SCHEMA_UINT32,
	 AT(soap.configmgr.replay_max), 1, 10000000, .initial = "1000000",
	 .unit = "messages"},
	{"configmgr", "clients_max", SCHEMA_UINT32,
	 AT(soap.configmgr.clients_max), 1, 10000000, .initial = "200000",
	 .unit = "clients"},
	{"configmgr", "inbox", SCHEMA_PATH, AT(soap.configmgr.inbox)},

	{"quarantine", "directory", SCHEMA_PATH, AT(soap.quarantine),
	 .initial = EVENLOG_STATEDIR "/quarantine"},
	{"quarantine", "max_size", SCHEMA_SIZE,
	 AT(soap.quarantine_limits.bytes), MIB, TIB, .initial = "256M"},
	{"quarantine", "max_entries", SCHEMA_UINT32,
	 AT(soap.quarantine_limits.entries), 1, 100000, .initial = "1000",
	 .unit = "entries"},
	{"quarantine", "max_entry_size", SCHEMA_SIZE,
	 AT(soap.quarantine_limits.entry_bytes), 4 * KIB, 64 * MIB,
	 .initial = "8M"},

	{"collector", "directory", SCHEMA_PATH, AT(collect_directory),
	 .initial = EVENLOG_CONFDIR "/collect.d"},
	{"collector", "ticket_helper", SCHEMA_PATH, AT(collect.ticket_helper),
	 .initial = EVENLOG_LIBEXECDIR "/evenlog-ticket"},
	{"collector", "ticket_directory", SCHEMA_PATH,
	 AT(collect.ticket_directory), .initial = EVENLOG_RUNDIR "/tickets"},
	{"collector", "connects", SCHEMA_UINT32, AT(collect.connects), 1, 1000,
	 .initial = "32", .unit = "attempts"},
	{NULL},
};

#undef AT
#define AT(member) offsetof(struct store_channel_config, member)

const struct schema_key channel_schema[] = {
	{"channel", "enabled", SCHEMA_BOOL, AT(enabled), .initial = "yes"},
	{"channel", "max_size", SCHEMA_SIZE, AT(max_bytes), MIB, 64 * TIB,
	 .initial = "1G"},
	{"channel", "max_age", SCHEMA_DURATION, AT(max_age), 0,
	 100ULL * 366 * 86400, .initial = "0"},
	{"channel", "access", SCHEMA_SDDL, AT(sddl)},
	{NULL},
};

#undef AT
#define AT(member) offsetof(struct soap_listener_config, member)

const struct schema_key listener_schema[] = {
	{"listener", "serve", SCHEMA_SET, AT(roles), .choices = roles},
	{"listener", "port", SCHEMA_UINT16, AT(http.port), 0, 65535},
	{"listener", "address", SCHEMA_ADDRESS, AT(http.address),
	 .initial = "127.0.0.1"},
	{"listener", "allow", SCHEMA_NETWORKS, AT(http.allow), 0,
	 HTTP_ALLOW_MAX, .initial = "127.0.0.0/8, ::1"},
	{"listener", "certificate", SCHEMA_PATH, AT(http.certificate)},
	{"listener", "key", SCHEMA_PATH, AT(http.key)},
	{"listener", "client_ca", SCHEMA_PATH, AT(http.client_ca)},
	{"listener", "client_certificate", SCHEMA_CHOICE,
	 AT(http.client_certificate), .choices = client_certificates,
	 .initial = "none"},
	{"listener", "connections", SCHEMA_UINT32, AT(http.limits.connections),
	 1, 100000, .initial = "2048"},
	{"listener", "connections_per_address", SCHEMA_UINT32,
	 AT(http.limits.connections_per_address), 1, 100000, .initial = "256"},
	{"listener", "header_size", SCHEMA_SIZE32, AT(http.limits.header_bytes),
	 4 * KIB, MIB, .initial = "32K"},
	{"listener", "idle_timeout", SCHEMA_DURATION32,
	 AT(http.limits.idle_seconds), 1, 86400, .initial = "60"},
	{"listener", "head_timeout", SCHEMA_DURATION32,
	 AT(http.limits.head_seconds), 1, 3600, .initial = "30"},
	{"listener", "body_timeout", SCHEMA_DURATION32,
	 AT(http.limits.body_seconds), 1, 3600, .initial = "60"},
	{"listener", "body_rate", SCHEMA_SIZE32, AT(http.limits.body_rate), 0,
	 GIB, .initial = "1K"},
	{NULL},
};

const struct schema_key *schema_find(const struct schema_key *schema,
				     const char *section, const char *name)
{
	for (; schema->section != NULL; schema++) {
		if (strcasecmp(schema->section, section) == 0 &&
		    strcasecmp(schema->name, name) == 0) {
			return schema;
		}
	}
	return NULL;
}

bool schema_has_section(const struct schema_key *schema, const char *section)
{
	for (; schema->section != NULL; schema++) {
		if (strcasecmp(schema->section, section) == 0) {
			return true;
		}
	}
	return false;
}

/* A number with one of the given suffix letters; factors in their order. */
static everr_t number_parse(const char *text, const char *suffixes,
			    const uint64_t *factors, uint64_t *ret_number)
{
	uint64_t number, factor = 1;
	const char *suffix = NULL;
	char *end = NULL;

	if (!isdigit((unsigned char)text[0])) {
		return EVERR_CONFIG;
	}
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0) {
		return EVERR_CONFIG;
	}
	if (*end != '\0') {
		suffix = strchr(suffixes, tolower((unsigned char)*end));
		if (suffix == NULL || end[1] != '\0') {
			return EVERR_CONFIG;
		}
		factor = factors[suffix - suffixes];
	}
	if (number > UINT64_MAX / factor) {
		return EVERR_CONFIG;
	}
	*ret_number = number * factor;
	return EVERR_OK;
}

static everr_t number_for(const struct schema_key *key, const char *text,
			  uint64_t *ret_number)
{
	static const uint64_t sizes[] = {KIB, MIB, GIB, TIB};
	static const uint64_t spans[] = {1, 60, 3600, 86400};
	uint64_t number = 0;
	everr_t err;

	switch (key->type) {
	case SCHEMA_SIZE:
	case SCHEMA_SIZE32:
		err = number_parse(text, "kmgt", sizes, &number);
		break;
	case SCHEMA_DURATION:
	case SCHEMA_DURATION32:
		err = number_parse(text, "smhd", spans, &number);
		break;
	default:
		err = number_parse(text, "", NULL, &number);
		break;
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (number < key->min || (key->max != 0 && number > key->max)) {
		return EVERR_CONFIG;
	}
	*ret_number = number;
	return EVERR_OK;
}

static everr_t set_bool(const char *text, bool *ret_value)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(text, yes[i]) == 0) {
			*ret_value = true;
			return EVERR_OK;
		}
		if (strcasecmp(text, no[i]) == 0) {
			*ret_value = false;
			return EVERR_OK;
		}
	}
	return EVERR_CONFIG;
}

static everr_t set_choice(const struct schema_key *key, const char *text,
			  uint32_t *ret_value)
{
	uint32_t i;

	for (i = 0; key->choices[i] != NULL; i++) {
		if (strcasecmp(text, key->choices[i]) == 0) {
			*ret_value = i;
			return EVERR_OK;
		}
	}
	return EVERR_CONFIG;
}

/* Comma-separated; blanks around an item do not belong to it. */
static everr_t set_list(TALLOC_CTX *mem_ctx, const char *text,
			const char *const **ret_value)
{
	const char **list = talloc_zero_array(mem_ctx, const char *, 1);
	size_t num = 0;

	while (list != NULL && *text != '\0') {
		size_t len = strcspn(text, ",");
		const char *start = text + strspn(text, " \t");
		const char *end = text + len;

		while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
			end--;
		}
		if (end > start) {
			list = talloc_realloc(mem_ctx, list, const char *,
					      num + 2);
			if (list == NULL) {
				return EVERR_NOMEM;
			}
			list[num++] = talloc_strndup(list, start,
						     (size_t)(end - start));
			list[num] = NULL;
		}
		text += len + (text[len] == ',' ? 1 : 0);
	}
	if (list == NULL) {
		return EVERR_NOMEM;
	}
	*ret_value = list;
	return EVERR_OK;
}

static bool address_valid(const char *text, int *ret_bits)
{
	uint8_t address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, text, address) == 1) {
		*ret_bits = 32;
		return true;
	}
	*ret_bits = 128;
	return inet_pton(AF_INET6, text, address) == 1;
}

/* "10.1.0.0/16"; without bits: that address. */
static bool network_valid(const char *text)
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	uint64_t bits = 0;
	int bits_max = 0;
	everr_t err = EVERR_OK;

	if (len >= sizeof(address)) {
		return false;
	}
	memcpy(address, text, len);
	if (slash != NULL) {
		err = number_parse(slash + 1, "", NULL, &bits);
	}
	return err == EVERR_OK && address_valid(address, &bits_max) &&
	       bits <= (uint64_t)bits_max;
}

static everr_t set_networks(TALLOC_CTX *mem_ctx, const struct schema_key *key,
			    const char *text, const char *const **ret_value)
{
	const char *const *list = NULL;
	everr_t err;
	size_t i;

	err = set_list(mem_ctx, text, &list);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; list[i] != NULL; i++) {
		if (i == key->max || !network_valid(list[i])) {
			return EVERR_CONFIG;
		}
	}
	*ret_value = list;
	return EVERR_OK;
}

/* At least one word. */
static everr_t set_set(TALLOC_CTX *mem_ctx, const struct schema_key *key,
		       const char *text, uint32_t *ret_value)
{
	const char *const *list = NULL;
	uint32_t set = 0;
	uint32_t bit = 0;
	everr_t err;
	size_t i;

	err = set_list(mem_ctx, text, &list);
	for (i = 0; err == EVERR_OK && list[i] != NULL; i++) {
		err = set_choice(key, list[i], &bit);
		set |= 1U << bit;
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (set == 0) {
		return EVERR_CONFIG;
	}
	*ret_value = set;
	return EVERR_OK;
}

static bool site_valid(const char *text)
{
	return strlen(text) == 3 && isalnum((unsigned char)text[0]) &&
	       isalnum((unsigned char)text[1]) &&
	       isalnum((unsigned char)text[2]);
}

static bool string_valid(const struct schema_key *key, const char *text)
{
	int bits = 0;

	switch (key->type) {
	case SCHEMA_PATH:
		return text[0] == '/';
	case SCHEMA_SDDL:
		return text[0] != '\0' && rpc_sddl_valid(text);
	case SCHEMA_ADDRESS:
		return address_valid(text, &bits);
	case SCHEMA_SITE:
		return site_valid(text);
	default:
		return text[0] != '\0';
	}
}

static everr_t set_string(TALLOC_CTX *mem_ctx, const struct schema_key *key,
			  const char *text, const char **ret_value)
{
	char *copy = NULL;

	if (!string_valid(key, text)) {
		return EVERR_CONFIG;
	}
	copy = talloc_strdup(mem_ctx, text);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	*ret_value = copy;
	return EVERR_OK;
}

static everr_t set_number(const struct schema_key *key, const char *text,
			  void *p)
{
	uint64_t number = 0;
	everr_t err;

	err = number_for(key, text, &number);
	if (err != EVERR_OK) {
		return err;
	}
	switch (key->type) {
	case SCHEMA_UINT16:
		*(uint16_t *)p = (uint16_t)number;
		break;
	case SCHEMA_UINT32:
	case SCHEMA_SIZE32:
	case SCHEMA_DURATION32:
		*(uint32_t *)p = (uint32_t)number;
		break;
	default:
		*(uint64_t *)p = number;
		break;
	}
	return EVERR_OK;
}

everr_t schema_set(TALLOC_CTX *mem_ctx, const struct schema_key *key,
		   const char *text, void *target)
{
	void *p = (char *)target + key->offset;

	switch (key->type) {
	case SCHEMA_BOOL:
		return set_bool(text, p);
	case SCHEMA_CHOICE:
		return set_choice(key, text, p);
	case SCHEMA_LIST:
		return set_list(mem_ctx, text, p);
	case SCHEMA_NETWORKS:
		return set_networks(mem_ctx, key, text, p);
	case SCHEMA_SET:
		return set_set(mem_ctx, key, text, p);
	case SCHEMA_STRING:
	case SCHEMA_PATH:
	case SCHEMA_SDDL:
	case SCHEMA_ADDRESS:
	case SCHEMA_SITE:
		return set_string(mem_ctx, key, text, p);
	default:
		return set_number(key, text, p);
	}
}

void schema_set_defaults(TALLOC_CTX *mem_ctx, const struct schema_key *schema,
			 void *target)
{
	everr_t err;

	for (; schema->section != NULL; schema++) {
		if (schema->initial == NULL) {
			continue;
		}
		err = schema_set(mem_ctx, schema, schema->initial, target);
		if (err != EVERR_OK) {
			abort(); /* the table contradicts itself */
		}
	}
}

static char *choices_allowed(TALLOC_CTX *mem_ctx, const struct schema_key *key,
			     const char *start)
{
	char *text = talloc_strdup(mem_ctx, start);
	size_t i;

	for (i = 0; text != NULL && key->choices[i] != NULL; i++) {
		text = talloc_asprintf_append(text, "%s %s", i > 0 ? "," : "",
					      key->choices[i]);
	}
	return text;
}

static char *duration_allowed(TALLOC_CTX *mem_ctx, const struct schema_key *key)
{
	if (key->min == 0) {
		return talloc_asprintf(mem_ctx,
				       "must be a time up to %" PRIu64
				       " seconds, such as 90, 12h or 30d",
				       key->max);
	}
	return talloc_asprintf(mem_ctx,
			       "must be a time from %" PRIu64 " to %" PRIu64
			       " seconds, such as 90, 12h or 30d",
			       key->min, key->max);
}

char *schema_allowed(TALLOC_CTX *mem_ctx, const struct schema_key *key)
{
	const char *unit = key->unit != NULL ? key->unit : "";
	const char *blank = key->unit != NULL ? " " : "";

	switch (key->type) {
	case SCHEMA_BOOL:
		return talloc_strdup(mem_ctx, "must be yes or no");
	case SCHEMA_PATH:
		return talloc_strdup(mem_ctx, "must be an absolute path");
	case SCHEMA_STRING:
		return talloc_strdup(mem_ctx, "must not be empty");
	case SCHEMA_SDDL:
		return talloc_strdup(mem_ctx,
				     "must be an access string (SDDL) such as "
				     "O:BAG:SYD:(A;;0x1;;;S-1-5-32-573)");
	case SCHEMA_LIST:
		return talloc_strdup(mem_ctx, "must be a list with commas");
	case SCHEMA_SIZE:
	case SCHEMA_SIZE32:
		return talloc_asprintf(mem_ctx,
				       "must be a size from %" PRIu64
				       " to %" PRIu64
				       " bytes, such as 64M or 2G",
				       key->min, key->max);
	case SCHEMA_ADDRESS:
		return talloc_strdup(mem_ctx, "must be an IPv4 or IPv6 address "
					      "in numbers, such as 0.0.0.0");
	case SCHEMA_SITE:
		return talloc_strdup(mem_ctx,
				     "must be three letters or digits");
	case SCHEMA_NETWORKS:
		return talloc_asprintf(mem_ctx,
				       "must be up to %" PRIu64
				       " addresses or networks with commas, "
				       "such as 10.1.0.0/16, 2001:db8::/32",
				       key->max);
	case SCHEMA_DURATION:
	case SCHEMA_DURATION32:
		return duration_allowed(mem_ctx, key);
	case SCHEMA_CHOICE:
		return choices_allowed(mem_ctx, key, "must be one of");
	case SCHEMA_SET:
		return choices_allowed(mem_ctx, key,
				       "must be one or more, with commas, of");
	default:
		return talloc_asprintf(
			mem_ctx,
			"must be a number%s%s from %" PRIu64 " to %" PRIu64,
			*blank != '\0' ? " of " : "", unit, key->min, key->max);
	}
}

char *schema_keys(TALLOC_CTX *mem_ctx, const struct schema_key *schema,
		  const char *section)
{
	char *text = talloc_strdup(mem_ctx, "");
	const char *separator = "";

	for (; text != NULL && schema->section != NULL; schema++) {
		if (strcasecmp(schema->section, section) == 0) {
			text = talloc_asprintf_append(text, "%s%s", separator,
						      schema->name);
			separator = ", ";
		}
	}
	return text;
}

void schema_squeeze(const char *text, char *out, size_t size)
{
	size_t len = 0;

	for (; *text != '\0' && len + 1 < size; text++) {
		if (!isspace((unsigned char)*text)) {
			out[len++] = (char)tolower((unsigned char)*text);
		}
	}
	out[len] = '\0';
}
