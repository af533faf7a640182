/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events of state messages (facts, section 5.3): one each.
 */

#include "bridge/configmgr_event.h"
#include "bridge/decode.h"
#include "bridge/report.h"
#include "bridge/state_names.h"

#include <stdio.h>
#include <string.h>

/* The messages' Property FileType; relayed are other things as well. */
#define FILE_TYPE_STATE "SMX"

/* "topic type 4294967295" */
#define NAME_SIZE 32

static const struct bridge_kind state_kind = {
	.id = BRIDGE_CONFIGMGR_STATE,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = CONFIGMGR_TASK_STATE,
	.keywords = CONFIGMGR_KEYWORD_STATE,
};

/* What all state messages of a report share. */
struct context {
	const struct bridge_message *message;
	const struct report *report;
	const char *client_id;
	const char *host;
	bool mismatch;
	uint64_t date;
};

/* Numbers with a name, or told as numbers. */
struct meaning {
	char topic_text[NAME_SIZE];
	char state_text[NAME_SIZE];
	const char *topic;
	const char *state;
	const char *id_type;
	uint32_t criticality;
};

static bool read_number(const struct report *report, report_text_t text,
			uint32_t *ret_number)
{
	const char *digits = report_text(report, text);

	return digits != NULL && bridge_parse_number(digits, ret_number);
}

static void find_meaning(const struct report *report,
			 const struct report_state *state,
			 struct meaning *meaning)
{
	uint32_t topic = 0, id = 0, type = 0;

	*meaning = (struct meaning){.topic = NULL};
	if (read_number(report, state->topic_type, &topic)) {
		meaning->topic = configmgr_topic_name(topic);
		snprintf(meaning->topic_text, NAME_SIZE, "topic type %u",
			 topic);
	}
	if (read_number(report, state->state_id, &id)) {
		meaning->state = configmgr_state_name(topic, id);
		snprintf(meaning->state_text, NAME_SIZE, "state %u", id);
	}
	if (meaning->topic == NULL) {
		meaning->topic = meaning->topic_text;
	}
	if (meaning->state == NULL) {
		meaning->state = meaning->state_text;
	}
	if (read_number(report, state->topic_id_type, &type)) {
		meaning->id_type = configmgr_topic_id_type_name(type);
	}
	if (!read_number(report, state->criticality, &meaning->criticality)) {
		meaning->criticality = 0;
	}
}

/* Inferred: 0 is what most messages have, and higher is worse. */
static uint8_t criticality_level(uint32_t criticality)
{
	switch (criticality) {
	case 0:
		return BRIDGE_LEVEL_INFORMATION;
	case 1:
		return BRIDGE_LEVEL_WARNING;
	default:
		return BRIDGE_LEVEL_ERROR;
	}
}

static void put_state(struct bridge_event *event, const struct report *report,
		      const struct report_state *state,
		      const struct meaning *meaning, uint64_t time)
{
	bridge_put_text(event, "ComputerName", event->computer);
	bridge_put_text(event, "Topic", meaning->topic);
	bridge_put_digits(event, "TopicType",
			  report_text(report, state->topic_type));
	bridge_put_text(event, "TopicId", report_text(report, state->topic_id));
	bridge_put_text(event, "TopicIdType", meaning->id_type);
	bridge_put_digits(event, "TopicIdTypeValue",
			  report_text(report, state->topic_id_type));
	bridge_put_text(event, "State", meaning->state);
	bridge_put_digits(event, "StateId",
			  report_text(report, state->state_id));
	bridge_put_text(event, "StateDetails",
			report_text(report, state->details));
	bridge_put_digits(event, "Criticality",
			  report_text(report, state->criticality));
	bridge_put_time(event, "MessageTime", time);
	bridge_put_digits(event, "SerialNumber",
			  report_text(report, state->serial_number));
	bridge_put_text(event, "User", report_text(report, state->user));
	bridge_put_text(event, "UserSid", report_text(report, state->user_sid));
	bridge_put_text(event, "Parameters",
			report_text(report, state->parameters));
}

static void put_context(struct bridge_event *event,
			const struct context *context)
{
	const struct report *report = context->report;

	bridge_put_text(event, "ClientId", context->client_id);
	bridge_put_bool(event, "IdentityMismatch", context->mismatch);
	bridge_put_text(event, "NetBIOSName",
			report_field(report, REPORT_NETBIOS_NAME));
	bridge_put_text(event, "ClientVersion",
			report_field(report, REPORT_CLIENT_VERSION));
	bridge_put_text(event, "ReportType", report_field(report, REPORT_TYPE));
	bridge_put_text(event, "ReportVersion",
			report_field(report, REPORT_VERSION));
	bridge_put_time(event, "ReportDate", context->date);
	bridge_put_digits(event, "Priority",
			  report_field(report, REPORT_PRIORITY));
	configmgr_put_message(event, context->message);
	bridge_put_text(event, "FileType", context->message->file_type);
	bridge_put_peer(event);
}

static uint64_t cim_time(const char *text)
{
	uint64_t filetime = 0;

	if (text == NULL ||
	    bridge_parse_cim_time(text, &filetime) != EVERR_OK) {
		return 0;
	}
	return filetime;
}

static everr_t state_event(struct bridge_events *out,
			   const struct bridge_origin *origin,
			   const struct context *context,
			   const struct report_state *state)
{
	const struct report *report = context->report;
	uint64_t time = cim_time(report_text(report, state->message_time));
	struct bridge_event event;
	struct meaning meaning;

	find_meaning(report, state, &meaning);
	bridge_event_begin(&event, &bridge_configmgr_provider, &state_kind,
			   origin);
	event.computer = context->host;
	event.time = time != 0		  ? time
		     : context->date != 0 ? context->date
					  : context->message->sent;
	event.level = criticality_level(meaning.criticality);
	if (event.level > BRIDGE_LEVEL_WARNING &&
	    (context->mismatch || configmgr_is_suspect(context->message))) {
		event.level = BRIDGE_LEVEL_WARNING;
	}
	put_state(&event, report, state, &meaning, time);
	put_context(&event, context);
	return bridge_event_end(out, &event);
}

static everr_t check(TALLOC_CTX *mem_ctx, const struct report *report,
		     const char **ret_reason)
{
	const char *client_id = report_field(report, REPORT_CLIENT_ID);

	if (report->num_states == 0) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "the report has no StateMessage");
	}
	if (client_id != NULL && client_id[0] != '\0' &&
	    !configmgr_client_id_valid(client_id)) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "its ClientID is \"%.80s\", not GUID: and "
				     "a GUID",
				     client_id);
	}
	return EVERR_OK;
}

everr_t configmgr_state(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			const struct bridge_origin *origin,
			const struct bridge_message *message,
			const char **ret_reason)
{
	struct context context = {.message = message};
	struct report *report = NULL;
	everr_t err;
	size_t i;

	if (message->file_type != NULL &&
	    strcasecmp(message->file_type, FILE_TYPE_STATE) != 0) {
		return EVERR_NOT_SUPPORTED;
	}
	err = report_read(mem_ctx, "Report", message, &report, ret_reason);
	if (err == EVERR_OK) {
		err = check(mem_ctx, report, ret_reason);
	}
	if (err != EVERR_OK) {
		return err;
	}
	context.report = report;
	context.client_id =
		configmgr_first(report_field(report, REPORT_CLIENT_ID),
				message->source_id, NULL);
	context.mismatch = configmgr_is_mismatch(message, context.client_id);
	context.host =
		configmgr_first(report_field(report, REPORT_NETBIOS_NAME),
				message->source_host, context.client_id);
	context.date = cim_time(report_field(report, REPORT_DATE));
	for (i = 0; i < report->num_states && err == EVERR_OK; i++) {
		err = state_event(out, origin, &context, &report->states[i]);
	}
	return err;
}
