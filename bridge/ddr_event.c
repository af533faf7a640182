/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events of discovery data record files.
 */

#include "bridge/configmgr_event.h"
#include "bridge/ddr_file.h"
#include "bridge/decode.h"
#include "bridge/document.h"
#include "bridge/record.h"

#include <string.h>

static const char *const attributes[] = {"Class", "Name", "Flags", "Type",
					 "Width"};

static const struct bridge_record file_record = {
	.element = "DiscoveryFileRecord",
	.attributes = attributes,
	.num_attributes = 5,
};

static const struct bridge_kind discovery_file = {
	.id = BRIDGE_CONFIGMGR_DISCOVERY_FILE,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = CONFIGMGR_TASK_DISCOVERY,
	.keywords = CONFIGMGR_KEYWORD_DISCOVERY | CONFIGMGR_KEYWORD_FILE,
};

/* Properties that heartbeats have, and the fields they are told in. */
enum known {
	KNOWN_CLIENT_ID,
	KNOWN_NETBIOS_NAME,
	KNOWN_NAMES,
	KNOWN_DOMAIN,
	KNOWN_AD_SITE,
	KNOWN_SYSTEM,
	KNOWN_ADDRESSES,
	KNOWN_SUBNETS,
	KNOWN_MACS,
	KNOWN_CLIENT_VERSION,
	NUM_KNOWN
};

static const struct {
	const char *property;
	const char *field;
} known_names[NUM_KNOWN] = {
	[KNOWN_CLIENT_ID] = {"SMS Unique Identifier", "ClientId"},
	[KNOWN_NETBIOS_NAME] = {"NetBIOS Name", "NetBIOSName"},
	[KNOWN_NAMES] = {"Resource Names", "ResourceNames"},
	[KNOWN_DOMAIN] = {"Resource Domain OR Workgroup", "Domain"},
	[KNOWN_AD_SITE] = {"AD Site Name", "ADSite"},
	[KNOWN_SYSTEM] = {"Operating System Name and Version",
			  "OperatingSystem"},
	[KNOWN_ADDRESSES] = {"IP Addresses", "IPAddresses"},
	[KNOWN_SUBNETS] = {"IP Subnets", "IPSubnets"},
	[KNOWN_MACS] = {"MAC Addresses", "MACAddresses"},
	[KNOWN_CLIENT_VERSION] = {"Client Version", "ClientVersion"},
};

struct known_texts {
	struct buf joined[NUM_KNOWN];
	const char *texts[NUM_KNOWN]; /* NULL: not in the record */
	const char *fqdn;	      /* the first name with a dot, or NULL */
};

static everr_t collect_value(TALLOC_CTX *mem_ctx, struct known_texts *known,
			     size_t index, const struct ddr_text *value)
{
	struct buf *joined = &known->joined[index];

	if (joined->len > 0) {
		buf_puts(joined, ", ");
	}
	buf_put(joined, value->text, value->len);
	if (index == KNOWN_NAMES && known->fqdn == NULL &&
	    memchr(value->text, '.', value->len) != NULL) {
		known->fqdn = talloc_strndup(mem_ctx, value->text, value->len);
		return known->fqdn == NULL ? EVERR_NOMEM : EVERR_OK;
	}
	return buf_error(joined);
}

static everr_t collect(TALLOC_CTX *mem_ctx, const struct ddr_record *record,
		       struct known_texts *known)
{
	everr_t err = EVERR_OK;
	size_t i, j;

	*known = (struct known_texts){.fqdn = NULL};
	for (i = 0; i < NUM_KNOWN; i++) {
		buf_init(&known->joined[i], mem_ctx, 4 * BRIDGE_REPORT_MAX);
	}
	for (i = 0; i < record->num_values && err == EVERR_OK; i++) {
		const struct ddr_value *value = &record->values[i];
		const char *name = record->properties[value->property].name;

		for (j = 0; j < NUM_KNOWN && err == EVERR_OK; j++) {
			if (strcasecmp(known_names[j].property, name) == 0) {
				err = collect_value(mem_ctx, known, j,
						    &value->value);
			}
		}
	}
	for (i = 0; i < NUM_KNOWN && err == EVERR_OK; i++) {
		struct buf *joined = &known->joined[i];

		if (joined->len > 0) {
			buf_put_u8(joined, 0);
			known->texts[i] = (const char *)joined->data;
		}
		err = buf_error(joined);
	}
	return err;
}

static void get_property(void *private_data, size_t index,
			 struct bridge_property *ret_property)
{
	const struct ddr_record *record = private_data;
	const struct ddr_value *value = &record->values[index];
	const struct ddr_property *property =
		&record->properties[value->property];

	*ret_property = (struct bridge_property){
		.attributes = {record->architecture, property->name,
			       property->flags_text, property->type_text,
			       property->width_text},
		.value = value->value.text,
		.len = value->value.len,
	};
}

/* Which record of which file an event is of. */
struct place {
	const char *file;
	uint32_t number; /* from 1 */
};

static void put_record(struct bridge_event *event, const struct place *place,
		       const struct ddr_record *record,
		       const struct known_texts *known)
{
	uint64_t agent_time = event->time;
	size_t i;

	bridge_put_text(event, "ComputerName", event->computer);
	bridge_put_text(event, "File", place->file);
	bridge_put_uint32(event, "Record", place->number);
	bridge_put_uint32(event, "RecordId", record->id);
	bridge_put_uint32(event, "Build", record->build);
	bridge_put_text(event, "Architecture", record->architecture);
	bridge_put_text(event, "AgentName", record->agent);
	bridge_put_text(event, "SiteCode", record->site);
	bridge_put_time(event, "AgentTime", agent_time);
	for (i = 0; i < NUM_KNOWN; i++) {
		bridge_put_text(event, known_names[i].field, known->texts[i]);
	}
	bridge_put_uint32(event, "PropertyCount",
			  (uint32_t)record->num_properties);
	bridge_put_parts(event);
	bridge_put_peer(event);
}

static everr_t record_event(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			    const struct bridge_origin *origin,
			    const struct place *place,
			    struct ddr_record *record)
{
	const struct bridge_properties properties = {
		.get = get_property,
		.private_data = record,
		.num = record->num_values,
	};
	struct known_texts known;
	struct bridge_event event;
	everr_t err;

	err = collect(mem_ctx, record, &known);
	if (err != EVERR_OK) {
		return err;
	}
	bridge_event_begin(&event, &bridge_configmgr_provider, &discovery_file,
			   origin);
	event.computer = configmgr_first(known.fqdn,
					 known.texts[KNOWN_NETBIOS_NAME], NULL);
	/* Whether it is in UTC is not verified. */
	if (record->time == NULL ||
	    bridge_parse_us_time(record->time, &event.time) != EVERR_OK) {
		event.time = 0;
	}
	put_record(&event, place, record, &known);
	return bridge_record_end(out, &event, &file_record, &properties);
}

static everr_t read_records(struct bridge_events *out, TALLOC_CTX *tmp_ctx,
			    const struct bridge_origin *origin,
			    const char *file, const uint8_t *data, size_t len,
			    const char **ret_reason)
{
	struct place place = {.file = file};
	size_t before = out->num_documents;
	size_t offset = 0;
	everr_t err = EVERR_OK;

	if (len > BRIDGE_REPORT_MAX) {
		return bridge_refuse(tmp_ctx, EVERR_LIMIT, ret_reason,
				     "the file has %zu bytes; %u are the most",
				     len, BRIDGE_REPORT_MAX);
	}
	do {
		struct ddr_record *record = NULL;
		TALLOC_CTX *record_ctx = talloc_new(tmp_ctx);

		if (record_ctx == NULL) {
			return EVERR_NOMEM;
		}
		place.number++;
		err = ddr_file_next(tmp_ctx, data, len, &offset, &record,
				    ret_reason);
		if (err == EVERR_OK) {
			err = record_event(out, record_ctx, origin, &place,
					   record);
		}
		talloc_free(record);
		talloc_free(record_ctx);
		if (err == EVERR_OK &&
		    out->num_documents - before > BRIDGE_FILE_EVENTS_MAX) {
			err = bridge_refuse(tmp_ctx, EVERR_LIMIT, ret_reason,
					    "record %u: with it the file would "
					    "be more than %d events",
					    place.number,
					    BRIDGE_FILE_EVENTS_MAX);
		}
	} while (err == EVERR_OK && offset < len);
	return err;
}

everr_t bridge_configmgr_ddr_file(struct bridge_events *out,
				  const struct bridge_origin *origin,
				  const char *file, const uint8_t *data,
				  size_t len, const char **ret_reason)
{
	size_t before = out->num_documents;
	const char *reason = NULL;
	TALLOC_CTX *tmp_ctx = NULL;
	everr_t err;

	tmp_ctx = talloc_new(out);
	if (tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	err = read_records(out, tmp_ctx, origin, file, data, len, &reason);
	if (err != EVERR_OK) {
		bridge_events_truncate(out, before);
	}
	if (err == EVERR_TEXT || err == EVERR_LIMIT) {
		err = bridge_refuse(out, err, ret_reason, "%s",
				    reason != NULL ? reason
						   : BRIDGE_REASON_LIMIT);
	}
	talloc_free(tmp_ctx);
	return err;
}
