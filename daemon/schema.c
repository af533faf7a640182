/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/config.h"
#include "daemon/schema.h"

#include "rpc/sddl.h"

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

static everr_t set_string(TALLOC_CTX *mem_ctx, const struct schema_key *key,
			  const char *text, const char **ret_value)
{
	char *copy = NULL;

	if (text[0] == '\0' || (key->type == SCHEMA_PATH && text[0] != '/') ||
	    (key->type == SCHEMA_SDDL && !rpc_sddl_valid(text))) {
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
	case SCHEMA_STRING:
	case SCHEMA_PATH:
	case SCHEMA_SDDL:
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

char *schema_allowed(TALLOC_CTX *mem_ctx, const struct schema_key *key)
{
	const char *unit = key->unit != NULL ? key->unit : "";
	const char *blank = key->unit != NULL ? " " : "";
	char *text = NULL;
	size_t i;

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
	case SCHEMA_DURATION:
		return talloc_asprintf(mem_ctx,
				       "must be a time up to %" PRIu64
				       " seconds, such as 90, 12h or 30d",
				       key->max);
	case SCHEMA_CHOICE:
		text = talloc_strdup(mem_ctx, "must be one of");
		for (i = 0; text != NULL && key->choices[i] != NULL; i++) {
			text = talloc_asprintf_append(text, "%s %s",
						      i > 0 ? "," : "",
						      key->choices[i]);
		}
		return text;
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
