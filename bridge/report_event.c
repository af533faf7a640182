/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events of discovery and inventory reports (facts, sections 5.1 and 9).
 */

#include "base/text.h"
#include "bridge/configmgr_event.h"
#include "bridge/decode.h"
#include "bridge/record.h"
#include "bridge/report.h"

#include <string.h>

/* The site of a client, in SMS_Authority.Name: "SMS:ABC". */
#define SITE_PREFIX "SMS:"

static const char *const attributes[] = {"Class",   "Name",	 "Instance",
					 "Content", "Namespace", "ParentClass"};

static const struct bridge_record discovery_record = {
	.element = "DiscoveryRecord",
	.attributes = attributes,
	.num_attributes = 6,
};
static const struct bridge_record inventory_record = {
	.element = "InventoryRecord",
	.attributes = attributes,
	.num_attributes = 6,
};

static const struct bridge_kind discovery = {
	.id = BRIDGE_CONFIGMGR_DISCOVERY,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = CONFIGMGR_TASK_DISCOVERY,
	.keywords = CONFIGMGR_KEYWORD_DISCOVERY,
};
static const struct bridge_kind hardware = {
	.id = BRIDGE_CONFIGMGR_HARDWARE_INVENTORY,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = CONFIGMGR_TASK_INVENTORY,
	.keywords = CONFIGMGR_KEYWORD_INVENTORY,
};
static const struct bridge_kind software = {
	.id = BRIDGE_CONFIGMGR_SOFTWARE_INVENTORY,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = CONFIGMGR_TASK_INVENTORY,
	.keywords = CONFIGMGR_KEYWORD_INVENTORY,
};

/* What of the properties has a field of its own. */
enum known {
	KNOWN_FQDN,
	KNOWN_DOMAIN,
	KNOWN_SITE,
	KNOWN_AD_SITE,
	KNOWN_SYSTEM,
	KNOWN_ADDRESSES,
	KNOWN_SUBNETS,
	KNOWN_MACS,
	NUM_KNOWN
};

static const struct {
	const char *class;
	const char *name;
} known_properties[NUM_KNOWN] = {
	[KNOWN_FQDN] = {"CCM_ExtNetworkAdapterConfiguration", "FQDN"},
	[KNOWN_DOMAIN] = {"CCM_ComputerSystem", "Domain"},
	[KNOWN_SITE] = {"SMS_Authority", "Name"},
	[KNOWN_AD_SITE] = {"CCM_ADSiteInfo", "ADSiteName"},
	[KNOWN_SYSTEM] = {"CCM_DiscoveryData", "PlatformID"},
	[KNOWN_ADDRESSES] = {"Win32_NetworkAdapterConfiguration", "IPAddress"},
	[KNOWN_SUBNETS] = {"CCM_NetworkAdapterConfiguration", "IPSubnet"},
	[KNOWN_MACS] = {"Win32_NetworkAdapterConfiguration", "MACAddress"},
};

struct known_texts {
	struct buf joined[NUM_KNOWN];
	const char *texts[NUM_KNOWN]; /* NULL: not in the report */
};

/* ---------------------------------------------------- what is in a report */

static void collect(struct known_texts *known, const struct report *report,
		    const struct report_property *property)
{
	const struct report_instance *instance =
		&report->instances[property->instance];
	const char *class = report_text(report, instance->class);
	const char *name = report_text(report, property->name);
	size_t i;

	if (class == NULL || name == NULL || property->len == 0) {
		return;
	}
	for (i = 0; i < NUM_KNOWN; i++) {
		struct buf *joined = &known->joined[i];

		if (text_name_equal(class, known_properties[i].class) &&
		    text_name_equal(name, known_properties[i].name)) {
			if (joined->len > 0) {
				buf_puts(joined, ", ");
			}
			buf_put(joined, report_text(report, property->value),
				property->len);
		}
	}
}

static everr_t collect_known(TALLOC_CTX *mem_ctx, const struct report *report,
			     struct known_texts *known)
{
	size_t i;

	for (i = 0; i < NUM_KNOWN; i++) {
		buf_init(&known->joined[i], mem_ctx, 2 * BRIDGE_REPORT_MAX);
		known->texts[i] = NULL;
	}
	for (i = 0; i < report->num_properties; i++) {
		collect(known, report, &report->properties[i]);
	}
	for (i = 0; i < NUM_KNOWN; i++) {
		struct buf *joined = &known->joined[i];

		if (joined->len > 0) {
			buf_put_u8(joined, 0);
			known->texts[i] = (const char *)joined->data;
		}
		if (buf_error(joined) != EVERR_OK) {
			return buf_error(joined);
		}
	}
	return EVERR_OK;
}

static const char *site_code(const struct known_texts *known)
{
	const char *site = known->texts[KNOWN_SITE];

	if (site != NULL &&
	    strncasecmp(site, SITE_PREFIX, strlen(SITE_PREFIX)) == 0) {
		site += strlen(SITE_PREFIX);
	}
	return site;
}

/* Required: facts, section 9. */
static everr_t check_header(TALLOC_CTX *mem_ctx, const struct report *report,
			    uint64_t *ret_date, const char **ret_reason)
{
	const char *client_id = report_field(report, REPORT_CLIENT_ID);
	const char *action = report_field(report, REPORT_ACTION_ID);
	const char *date = report_field(report, REPORT_DATE);
	struct ev_guid guid;

	if (client_id == NULL || !configmgr_client_id_valid(client_id)) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "its ClientID is \"%.80s\", not GUID: and "
				     "a GUID",
				     client_id == NULL ? "" : client_id);
	}
	if (action == NULL || ev_guid_parse(action, &guid) != EVERR_OK) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "its InventoryActionID is \"%.80s\", not "
				     "a GUID",
				     action == NULL ? "" : action);
	}
	if (date == NULL || bridge_parse_cim_time(date, ret_date) != EVERR_OK) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "its Date is \"%.80s\", not a time like "
				     "20261121191320.348000+000",
				     date == NULL ? "" : date);
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------ the fields */

static void put_field(struct bridge_event *event, const char *name,
		      const struct report *report, enum report_field field)
{
	bridge_put_text(event, name, report_field(report, field));
}

static void put_number(struct bridge_event *event, const char *name,
		       const struct report *report, enum report_field field)
{
	bridge_put_digits(event, name, report_field(report, field));
}

static void put_cim_time(struct bridge_event *event, const char *name,
			 const struct report *report, enum report_field field)
{
	const char *text = report_field(report, field);
	uint64_t filetime = 0;

	if (text == NULL ||
	    bridge_parse_cim_time(text, &filetime) != EVERR_OK) {
		filetime = 0;
	}
	bridge_put_time(event, name, filetime);
}

/* ComputerName to Priority. */
static void put_header(struct bridge_event *event, const struct report *report,
		       const struct known_texts *known, bool mismatch)
{
	bridge_put_text(event, "ComputerName", event->computer);
	put_field(event, "ClientId", report, REPORT_CLIENT_ID);
	bridge_put_bool(event, "IdentityMismatch", mismatch);
	put_field(event, "NetBIOSName", report, REPORT_NETBIOS_NAME);
	bridge_put_text(event, "FQDN", known->texts[KNOWN_FQDN]);
	bridge_put_text(event, "SiteCode", site_code(known));
	put_field(event, "ReportType", report, REPORT_TYPE);
	put_field(event, "ReportVersion", report, REPORT_VERSION);
	bridge_put_time(event, "ReportDate", event->time);
	put_field(event, "ReportContent", report, REPORT_CONTENT);
	put_field(event, "ReportFormat", report, REPORT_FORMAT);
	put_field(event, "ActionId", report, REPORT_ACTION_ID);
	put_field(event, "ActionType", report, REPORT_ACTION_TYPE);
	put_field(event, "ActionDescription", report,
		  REPORT_ACTION_DESCRIPTION);
	put_cim_time(event, "ActionLastUpdateTime", report,
		     REPORT_ACTION_LAST_UPDATE);
	put_number(event, "ClientInstalled", report, REPORT_CLIENT_INSTALLED);
	put_number(event, "ClientType", report, REPORT_CLIENT_TYPE);
	put_field(event, "ClientVersion", report, REPORT_CLIENT_VERSION);
	put_number(event, "CodePage", report, REPORT_CODE_PAGE);
	put_number(event, "SystemDefaultLCID", report, REPORT_LCID);
	put_number(event, "Priority", report, REPORT_PRIORITY);
}

static void put_network(struct bridge_event *event,
			const struct known_texts *known)
{
	bridge_put_text(event, "Domain", known->texts[KNOWN_DOMAIN]);
	bridge_put_text(event, "ADSite", known->texts[KNOWN_AD_SITE]);
	bridge_put_text(event, "OperatingSystem", known->texts[KNOWN_SYSTEM]);
	bridge_put_text(event, "IPAddresses", known->texts[KNOWN_ADDRESSES]);
	bridge_put_text(event, "IPSubnets", known->texts[KNOWN_SUBNETS]);
	bridge_put_text(event, "MACAddresses", known->texts[KNOWN_MACS]);
}

static void get_property(void *private_data, size_t index,
			 struct bridge_property *ret_property)
{
	const struct report *report = private_data;
	const struct report_property *property = &report->properties[index];
	const struct report_instance *instance =
		&report->instances[property->instance];

	*ret_property = (struct bridge_property){
		.attributes = {report_text(report, instance->class),
			       report_text(report, property->name),
			       instance->number,
			       report_text(report, instance->content),
			       report_text(report, instance->namespace),
			       report_text(report, instance->parent_class)},
		.value = report_text(report, property->value),
		.len = property->len,
	};
}

/* Without those that stand for an instance that has none. */
static uint32_t count_properties(const struct report *report)
{
	uint32_t num = 0;
	size_t i;

	for (i = 0; i < report->num_properties; i++) {
		num += report->properties[i].name != 0;
	}
	return num;
}

/* ---------------------------------------------------------------- events */

/* What a report becomes. */
struct shape {
	const struct bridge_kind *kind;
	const struct bridge_record *record;
	bool network;
};

static everr_t put_report(struct bridge_events *out, const struct shape *shape,
			  const struct bridge_origin *origin,
			  const struct bridge_message *message,
			  struct report *report, uint64_t date,
			  const struct known_texts *known)
{
	const struct bridge_properties properties = {
		.get = get_property,
		.private_data = report,
		.num = report->num_properties,
	};
	bool mismatch = configmgr_is_mismatch(
		message, report_field(report, REPORT_CLIENT_ID));
	struct bridge_event event;

	bridge_event_begin(&event, &bridge_configmgr_provider, shape->kind,
			   origin);
	event.time = date;
	event.computer =
		configmgr_first(known->texts[KNOWN_FQDN],
				report_field(report, REPORT_NETBIOS_NAME),
				message->source_host);
	if (mismatch || configmgr_is_suspect(message)) {
		event.level = BRIDGE_LEVEL_WARNING;
	}
	put_header(&event, report, known, mismatch);
	if (shape->network) {
		put_network(&event, known);
	}
	bridge_put_uint32(&event, "Instances", (uint32_t)report->num_instances);
	bridge_put_uint32(&event, "PropertyCount", count_properties(report));
	bridge_put_parts(&event);
	configmgr_put_message(&event, message);
	bridge_put_peer(&event);
	return bridge_record_end(out, &event, shape->record, &properties);
}

static everr_t report_event(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			    const struct shape *shape,
			    const struct bridge_origin *origin,
			    const struct bridge_message *message,
			    const char **ret_reason)
{
	struct report *report = NULL;
	struct known_texts known;
	uint64_t date = 0;
	everr_t err;

	err = report_read(mem_ctx, "Report", message, &report, ret_reason);
	if (err == EVERR_OK) {
		err = check_header(mem_ctx, report, &date, ret_reason);
	}
	if (err == EVERR_OK) {
		err = collect_known(mem_ctx, report, &known);
	}
	if (err != EVERR_OK) {
		return err;
	}
	return put_report(out, shape, origin, message, report, date, &known);
}

everr_t configmgr_discovery(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			    const struct bridge_origin *origin,
			    const struct bridge_message *message,
			    const char **ret_reason)
{
	static const struct shape shape = {&discovery, &discovery_record, true};

	return report_event(out, mem_ctx, &shape, origin, message, ret_reason);
}

everr_t configmgr_hardware_inventory(struct bridge_events *out,
				     TALLOC_CTX *mem_ctx,
				     const struct bridge_origin *origin,
				     const struct bridge_message *message,
				     const char **ret_reason)
{
	static const struct shape shape = {&hardware, &inventory_record, false};

	return report_event(out, mem_ctx, &shape, origin, message, ret_reason);
}

everr_t configmgr_software_inventory(struct bridge_events *out,
				     TALLOC_CTX *mem_ctx,
				     const struct bridge_origin *origin,
				     const struct bridge_message *message,
				     const char **ret_reason)
{
	static const struct shape shape = {&software, &inventory_record, false};

	return report_event(out, mem_ctx, &shape, origin, message, ret_reason);
}
