/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events of status messages (facts, section 5.2).
 */

#include "bridge/configmgr_event.h"
#include "bridge/decode.h"
#include "bridge/record.h"
#include "bridge/report.h"

#include <string.h>

#define INSERTION_STRINGS 10

/* Of struct report_property's instance. */
#define IS_PROPERTY 0
#define IS_QUALIFIER 1

static const char *const attributes[] = {"Class", "Name"};

static const struct bridge_record status_record = {
	.element = "StatusRecord",
	.attributes = attributes,
	.num_attributes = 2,
};

static const struct bridge_kind status = {
	.id = BRIDGE_CONFIGMGR_STATUS,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = CONFIGMGR_TASK_STATUS,
	.keywords = CONFIGMGR_KEYWORD_STATUS,
};

/* What has a field of its own; InsertionString1 to 10 follow. */
enum known {
	KNOWN_MACHINE,
	KNOWN_SITE,
	KNOWN_TOP_SITE,
	KNOWN_CLIENT_ID,
	KNOWN_SEVERITY,
	KNOWN_TIME,
	KNOWN_PROCESS,
	KNOWN_THREAD,
	KNOWN_ERROR,
	KNOWN_COMPONENT,
	KNOWN_MESSAGE_ID,
	KNOWN_MODULE,
	KNOWN_INSERTION,
	NUM_KNOWN = KNOWN_INSERTION + INSERTION_STRINGS
};

static const struct {
	uint32_t kind;
	const char *name;
} known_names[NUM_KNOWN] = {
	[KNOWN_MACHINE] = {IS_PROPERTY, "MachineName"},
	[KNOWN_SITE] = {IS_PROPERTY, "SiteCode"},
	[KNOWN_TOP_SITE] = {IS_PROPERTY, "TopLevelSiteCode"},
	[KNOWN_CLIENT_ID] = {IS_PROPERTY, "ClientID"},
	[KNOWN_SEVERITY] = {IS_PROPERTY, "Severity"},
	[KNOWN_TIME] = {IS_PROPERTY, "DateTime"},
	[KNOWN_PROCESS] = {IS_PROPERTY, "ProcessId"},
	[KNOWN_THREAD] = {IS_PROPERTY, "ThreadId"},
	[KNOWN_ERROR] = {IS_PROPERTY, "Win32ErrorCode"},
	[KNOWN_COMPONENT] = {IS_QUALIFIER, "SMS_Component"},
	[KNOWN_MESSAGE_ID] = {IS_QUALIFIER, "SMS_MessageID"},
	[KNOWN_MODULE] = {IS_QUALIFIER, "SMS_ModuleName"},
	[KNOWN_INSERTION] = {IS_PROPERTY, "InsertionString1"},
	{IS_PROPERTY, "InsertionString2"},
	{IS_PROPERTY, "InsertionString3"},
	{IS_PROPERTY, "InsertionString4"},
	{IS_PROPERTY, "InsertionString5"},
	{IS_PROPERTY, "InsertionString6"},
	{IS_PROPERTY, "InsertionString7"},
	{IS_PROPERTY, "InsertionString8"},
	{IS_PROPERTY, "InsertionString9"},
	{IS_PROPERTY, "InsertionString10"},
};

/* The message sorted: what is known, and the others. */
struct sorted {
	const struct report *report;
	const char *texts[NUM_KNOWN]; /* NULL: not there */
	uint32_t *others;	      /* numbers of properties */
	size_t num_others;
};

static size_t find_known(uint32_t kind, const char *name)
{
	size_t i;

	for (i = 0; i < NUM_KNOWN; i++) {
		if (known_names[i].kind == kind &&
		    strcasecmp(known_names[i].name, name) == 0) {
			break;
		}
	}
	return i;
}

static everr_t sort(TALLOC_CTX *mem_ctx, const struct report *report,
		    struct sorted *sorted)
{
	size_t i;

	*sorted = (struct sorted){.report = report};
	sorted->others =
		talloc_array(mem_ctx, uint32_t, report->num_properties + 1);
	if (sorted->others == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < report->num_properties; i++) {
		const struct report_property *p = &report->properties[i];
		const char *name = report_text(report, p->name);
		size_t known = NUM_KNOWN;

		if (name != NULL) {
			known = find_known(p->instance, name);
		}
		if (known < NUM_KNOWN && sorted->texts[known] == NULL) {
			sorted->texts[known] = report_text(report, p->value);
		} else {
			sorted->others[sorted->num_others++] = (uint32_t)i;
		}
	}
	return EVERR_OK;
}

static void get_other(void *private_data, size_t index,
		      struct bridge_property *ret_property)
{
	const struct sorted *sorted = private_data;
	const struct report *report = sorted->report;
	const struct report_property *p =
		&report->properties[sorted->others[index]];

	*ret_property = (struct bridge_property){
		.attributes = {p->instance == IS_QUALIFIER ? "Qualifier"
							   : "Property",
			       report_text(report, p->name)},
		.value = report_text(report, p->value),
		.len = p->len,
	};
}

/* Severity in XML: facts, section 5.2. */
static const char *severity_name(uint32_t severity)
{
	static const char *const names[] = {"informational", "warning",
					    "error"};

	return severity < 3 ? names[severity] : "not defined";
}

static uint8_t severity_level(uint32_t severity)
{
	switch (severity) {
	case 1:
		return BRIDGE_LEVEL_WARNING;
	case 2:
		return BRIDGE_LEVEL_ERROR;
	default:
		return BRIDGE_LEVEL_INFORMATION;
	}
}

static void put_severity(struct bridge_event *event, const char *text)
{
	uint32_t severity = 0;

	if (text == NULL || !bridge_parse_number(text, &severity)) {
		bridge_put_text(event, "Severity", NULL);
		bridge_put_digits(event, "SeverityValue", NULL);
		return;
	}
	if (severity_level(severity) < event->level) {
		event->level = severity_level(severity);
	}
	bridge_put_text(event, "Severity", severity_name(severity));
	bridge_put_uint32(event, "SeverityValue", severity);
}

static void put_insertions(struct bridge_event *event,
			   const struct sorted *sorted)
{
	size_t i;

	for (i = KNOWN_INSERTION; i < NUM_KNOWN; i++) {
		bridge_put_text(event, known_names[i].name, sorted->texts[i]);
	}
}

static void put_known(struct bridge_event *event, const struct sorted *sorted,
		      bool mismatch)
{
	const char *const *texts = sorted->texts;
	uint64_t time = event->time;

	bridge_put_text(event, "ComputerName", event->computer);
	bridge_put_digits(event, "StatusId", texts[KNOWN_MESSAGE_ID]);
	bridge_put_text(event, "Component", texts[KNOWN_COMPONENT]);
	bridge_put_text(event, "Module", texts[KNOWN_MODULE]);
	bridge_put_text(event, "StatusType",
			report_field(sorted->report, REPORT_STATUS_TYPE));
	bridge_put_text(event, "SiteCode", texts[KNOWN_SITE]);
	bridge_put_text(event, "TopLevelSiteCode", texts[KNOWN_TOP_SITE]);
	bridge_put_text(event, "ClientId", texts[KNOWN_CLIENT_ID]);
	bridge_put_bool(event, "IdentityMismatch", mismatch);
	put_severity(event, texts[KNOWN_SEVERITY]);
	bridge_put_time(event, "DateTime", time);
	bridge_put_digits(event, "ProcessId", texts[KNOWN_PROCESS]);
	bridge_put_digits(event, "ThreadId", texts[KNOWN_THREAD]);
	bridge_put_text(event, "Win32ErrorCode", texts[KNOWN_ERROR]);
	put_insertions(event, sorted);
}

static everr_t put_status(struct bridge_events *out,
			  const struct bridge_origin *origin,
			  const struct bridge_message *message,
			  struct sorted *sorted)
{
	const struct bridge_properties properties = {
		.get = get_other,
		.private_data = sorted,
		.num = sorted->num_others,
	};
	bool mismatch =
		configmgr_is_mismatch(message, sorted->texts[KNOWN_CLIENT_ID]);
	const char *time = sorted->texts[KNOWN_TIME];
	struct bridge_event event;

	bridge_event_begin(&event, &bridge_configmgr_provider, &status, origin);
	event.computer = configmgr_first(sorted->texts[KNOWN_MACHINE],
					 message->source_host, NULL);
	if (mismatch || configmgr_is_suspect(message)) {
		event.level = BRIDGE_LEVEL_WARNING;
	}
	if (time == NULL ||
	    bridge_parse_cim_time(time, &event.time) != EVERR_OK) {
		event.time = 0;
	}
	put_known(&event, sorted, mismatch);
	if (event.time == 0) {
		event.time = message->sent;
	}
	bridge_put_parts(&event);
	configmgr_put_message(&event, message);
	bridge_put_peer(&event);
	return bridge_record_end(out, &event, &status_record, &properties);
}

everr_t configmgr_status(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			 const struct bridge_origin *origin,
			 const struct bridge_message *message,
			 const char **ret_reason)
{
	struct report *report = NULL;
	struct sorted sorted;
	everr_t err;

	err = report_read(mem_ctx, "Status", message, &report, ret_reason);
	if (err != EVERR_OK) {
		return err;
	}
	if (report->num_properties == 0) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "the status message has no properties");
	}
	err = sort(mem_ctx, report, &sorted);
	if (err != EVERR_OK) {
		return err;
	}
	return put_status(out, origin, message, &sorted);
}
