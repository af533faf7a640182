/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/ccm_header.h"

#include "base/guid.h"
#include "base/text.h"
#include "base/wintime.h"
#include "event/xml.h"
#include "soap/ccm_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Numbers of ranges are cut to this: past every payload, and two of them can
   be added. */
#define RANGE_MAX (1ULL << 62)

/* "yyyyMMddHHmmss.ffffff+UUU", a CIM datetime. */
#define CIM_LEN 25

/* Elements whose text is a value. */
enum field {
	FIELD_ID,
	FIELD_CORRELATION_ID,
	FIELD_SOURCE_ID,
	FIELD_SOURCE_HOST,
	FIELD_TARGET_ADDRESS,
	FIELD_TARGET_ENDPOINT,
	FIELD_TARGET_HOST,
	FIELD_REPLY_TO,
	FIELD_REPLY_MODE,
	FIELD_SENT_TIME,
	FIELD_NUM
};

static const char *const field_names[FIELD_NUM] = {
	[FIELD_ID] = "ID",
	[FIELD_CORRELATION_ID] = "CorrelationID",
	[FIELD_SOURCE_ID] = "SourceID",
	[FIELD_SOURCE_HOST] = "SourceHost",
	[FIELD_TARGET_ADDRESS] = "TargetAddress",
	[FIELD_TARGET_ENDPOINT] = "TargetEndpoint",
	[FIELD_TARGET_HOST] = "TargetHost",
	[FIELD_REPLY_TO] = "ReplyTo",
	[FIELD_REPLY_MODE] = "ReplyMode",
	[FIELD_SENT_TIME] = "SentTime",
};

/* Depths of the elements: Msg, its fields, hooks, their properties. */
enum {
	DEPTH_MSG = 1,
	DEPTH_FIELD,
	DEPTH_HOOK,
	DEPTH_PROPERTY
};

struct reader {
	TALLOC_CTX *mem_ctx;	   /* of the reason */
	const char *reason;	   /* set where an error has one */
	struct ccm_header *header; /* owns all that is kept */
	const char *fields[FIELD_NUM];
	unsigned int depth;
	bool in_hooks;
	bool in_authentication;
	/* Where the text of the element at text_depth goes; 0: nowhere. */
	const char **target;
	unsigned int text_depth;
	struct buf text;
};

/* -------------------------------------------------------------- attributes */

/* *ret_text is left alone when there is none, or it is empty. */
static everr_t attribute_text(const struct reader *reader,
			      const struct event_xml_start *start,
			      const char *name, const char **ret_text)
{
	const struct event_xml_attribute *attribute = event_xml_attribute(
		start->attributes, start->num_attributes, name);
	const char *text = NULL;
	size_t len;

	if (attribute == NULL) {
		return EVERR_OK;
	}
	text = attribute->value;
	len = attribute->value_len;
	event_xml_trim(&text, &len);
	if (len == 0) {
		return EVERR_OK;
	}
	text = talloc_strndup(reader->header, text, len);
	if (text == NULL) {
		return EVERR_NOMEM;
	}
	*ret_text = text;
	return EVERR_OK;
}

static bool attribute_is(const struct event_xml_start *start, const char *name,
			 const char *value)
{
	const struct event_xml_attribute *attribute = event_xml_attribute(
		start->attributes, start->num_attributes, name);

	return attribute != NULL && attribute->value_len == strlen(value) &&
	       strncasecmp(attribute->value, value, strlen(value)) == 0;
}

/* Decimal digits; more than RANGE_MAX is RANGE_MAX. */
static bool parse_number(const char *text, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9') {
			return false;
		}
		number = number * 10 + (uint64_t)(*text - '0');
		number = number < RANGE_MAX ? number : RANGE_MAX;
	}
	*ret_number = number;
	return true;
}

static everr_t attribute_number(struct reader *reader,
				const struct event_xml_start *start,
				const char *name, uint64_t *ret_number)
{
	const char *text = "0";
	everr_t err = attribute_text(reader, start, name, &text);

	if (err != EVERR_OK) {
		return err;
	}
	if (!parse_number(text, ret_number)) {
		return ccm_refuse(
			reader->mem_ctx, &reader->reason, EVERR_TEXT,
			"an offset or length in the message's header is "
			"not a number: %.40s",
			text);
	}
	return EVERR_OK;
}

static everr_t read_range(struct reader *reader,
			  const struct event_xml_start *start,
			  struct ccm_range *range)
{
	everr_t err = attribute_text(reader, start, "Name", &range->name);

	if (err == EVERR_OK) {
		err = attribute_number(reader, start, "Offset", &range->offset);
	}
	if (err == EVERR_OK) {
		err = attribute_number(reader, start, "Length", &range->length);
	}
	return err;
}

/* ---------------------------------------------------------------- elements */

static everr_t start_msg(struct reader *reader,
			 const struct event_xml_start *start)
{
	if (strcmp(start->name, "Msg") != 0) {
		return ccm_refuse(reader->mem_ctx, &reader->reason, EVERR_TEXT,
				  "the message's header is not a <Msg> but a "
				  "<%.40s>",
				  start->name);
	}
	reader->header->reply_zlib =
		attribute_is(start, "ReplyCompression", "zlib");
	return EVERR_OK;
}

static everr_t start_attachment(struct reader *reader,
				const struct event_xml_start *start)
{
	struct ccm_header *header = reader->header;
	struct ccm_range *attachments = NULL;
	struct ccm_range range = {.name = NULL};
	everr_t err;

	if (header->num_attachments == CCM_ATTACHMENTS_MAX) {
		return ccm_refuse(
			reader->mem_ctx, &reader->reason, EVERR_LIMIT,
			"the message's header has too many attachments");
	}
	err = read_range(reader, start, &range);
	if (err != EVERR_OK) {
		return err;
	}
	attachments =
		talloc_realloc(header, header->attachments, struct ccm_range,
			       header->num_attachments + 1);
	if (attachments == NULL) {
		return EVERR_NOMEM;
	}
	attachments[header->num_attachments++] = range;
	header->attachments = attachments;
	return EVERR_OK;
}

static void collect_text(struct reader *reader, const char **target)
{
	reader->target = target;
	reader->text_depth = reader->depth;
	buf_reset(&reader->text);
}

static everr_t start_field(struct reader *reader,
			   const struct event_xml_start *start)
{
	struct ccm_header *header = reader->header;
	size_t i;

	reader->in_hooks = strcmp(start->name, "Hooks") == 0;
	if (strcmp(start->name, "Body") == 0) {
		header->has_body = true;
		header->body = (struct ccm_range){.name = NULL};
		return read_range(reader, start, &header->body);
	}
	if (strcmp(start->name, "Attachment") == 0) {
		return start_attachment(reader, start);
	}
	if (strcmp(start->name, "Property") == 0 &&
	    attribute_is(start, "Name", "FileType")) {
		return attribute_text(reader, start, "Value",
				      &header->file_type);
	}
	for (i = 0; i < FIELD_NUM; i++) {
		if (strcmp(start->name, field_names[i]) == 0) {
			collect_text(reader, &reader->fields[i]);
		}
	}
	return EVERR_OK;
}

/* Hook, Hook2 or Hook3; what it is called counts. */
static void start_hook(struct reader *reader,
		       const struct event_xml_start *start)
{
	struct ccm_header *header = reader->header;

	reader->in_authentication = attribute_is(start, "Name", "clientauth");
	if (reader->in_authentication) {
		return;
	}
	if (attribute_is(start, "Name", "zlib-compress")) {
		header->compressed = true;
		return;
	}
	/* It may have changed the payload in a way that isn't known here. */
	header->encrypted = true;
}

/* Its text is the value. */
static void start_hook_property(struct reader *reader,
				const struct event_xml_start *start)
{
	struct ccm_authentication *to = &reader->header->authentication;
	const struct {
		const char *name;
		const char **target;
	} properties[] = {
		{"PublicKey", &to->public_key},
		{"ClientIDSignature", &to->client_id_signature},
		{"PayloadSignature", &to->payload_signature},
		{"HashAlgorithm", &to->hash_algorithm},
		{"AuthSenderMachine", &to->sender_machine},
	};
	size_t i;

	for (i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		if (attribute_is(start, "Name", properties[i].name)) {
			collect_text(reader, properties[i].target);
			return;
		}
	}
	if (attribute_is(start, "Name", "Token") ||
	    attribute_is(start, "Name", "ClientToken")) {
		to->token = true;
	}
}

static everr_t on_element(void *private_data,
			  const struct event_xml_start *start)
{
	struct reader *reader = private_data;

	switch (++reader->depth) {
	case DEPTH_MSG:
		return start_msg(reader, start);
	case DEPTH_FIELD:
		return start_field(reader, start);
	case DEPTH_HOOK:
		reader->in_authentication = false;
		if (reader->in_hooks) {
			start_hook(reader, start);
		}
		return EVERR_OK;
	case DEPTH_PROPERTY:
		if (reader->in_authentication) {
			start_hook_property(reader, start);
		}
		return EVERR_OK;
	}
	if (reader->depth > CCM_HEADER_DEPTH_MAX) {
		return ccm_refuse(
			reader->mem_ctx, &reader->reason, EVERR_LIMIT,
			"elements are nested too deeply in the message's "
			"header");
	}
	return EVERR_OK;
}

static everr_t on_text(void *private_data, const char *text, size_t len)
{
	struct reader *reader = private_data;

	if (reader->depth != reader->text_depth) {
		return EVERR_OK;
	}
	buf_put(&reader->text, text, len);
	return buf_error(&reader->text);
}

static everr_t on_end(void *private_data, const char *name)
{
	struct reader *reader = private_data;
	const char *text = (const char *)reader->text.data;
	size_t len = reader->text.len;

	if (reader->depth-- != reader->text_depth) {
		return EVERR_OK;
	}
	reader->text_depth = 0;
	*reader->target = NULL;
	if (text != NULL) {
		event_xml_trim(&text, &len);
	}
	if (len == 0) {
		return EVERR_OK;
	}
	text = talloc_strndup(reader->header, text, len);
	if (text == NULL) {
		return EVERR_NOMEM;
	}
	*reader->target = text;
	return EVERR_OK;
}

/* ------------------------------------------------------------------ values */

static bool all_digits(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return false;
		}
	}
	return true;
}

/* A CIM datetime with all its digits; 0: it is none. */
static uint64_t parse_cim(const char *t)
{
	char iso[WINTIME_TEXT_MAX];
	uint64_t time = 0;
	uint64_t zone;

	if (strlen(t) != CIM_LEN || !all_digits(t, 14) || t[14] != '.' ||
	    !all_digits(t + 15, 6) || (t[21] != '+' && t[21] != '-') ||
	    !all_digits(t + 22, 3)) {
		return 0;
	}
	snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.%.6sZ", t,
		 t + 4, t + 6, t + 8, t + 10, t + 12, t + 15);
	if (wintime_parse(iso, &time) != EVERR_OK) {
		return 0;
	}
	/* Minutes that this time is ahead of UTC. */
	zone = (uint64_t)((t[22] - '0') * 100 + (t[23] - '0') * 10 +
			  (t[24] - '0')) *
	       60 * WINTIME_SECOND;
	if (t[21] == '-') {
		return time + zone;
	}
	return time > zone ? time - zone : 0;
}

/* Senders write either form; anything else is as if it weren't there. */
static uint64_t parse_sent(const char *text)
{
	uint64_t time = 0;

	if (text == NULL) {
		return 0;
	}
	if (wintime_parse(text, &time) == EVERR_OK) {
		return time;
	}
	return parse_cim(text);
}

/* "mp:[http]MP_DdrEndpoint" without what is in front; NULL when it's empty. */
static const char *endpoint_name(const char *address)
{
	const char *end = NULL;

	if (address == NULL) {
		return NULL;
	}
	if (strncasecmp(address, "mp:", 3) == 0) {
		address += 3;
	}
	if (address[0] == '[') {
		end = strchr(address, ']');
		address = end != NULL ? end + 1 : address;
	}
	return address[0] != '\0' ? address : NULL;
}

static everr_t header_finish(struct reader *reader)
{
	struct ccm_header *header = reader->header;
	const char **fields = reader->fields;
	struct ev_guid id;

	header->id = fields[FIELD_ID];
	header->correlation_id = fields[FIELD_CORRELATION_ID];
	header->source_id = fields[FIELD_SOURCE_ID];
	header->source_host = fields[FIELD_SOURCE_HOST];
	header->target_host = fields[FIELD_TARGET_HOST];
	header->reply_to = fields[FIELD_REPLY_TO];
	header->sent = parse_sent(fields[FIELD_SENT_TIME]);
	if (fields[FIELD_REPLY_MODE] != NULL &&
	    strcasecmp(fields[FIELD_REPLY_MODE], "Sync") == 0) {
		header->reply_mode = CCM_REPLY_SYNC;
	}
	header->endpoint = endpoint_name(fields[FIELD_TARGET_ENDPOINT]);
	if (header->endpoint == NULL) {
		header->endpoint = endpoint_name(fields[FIELD_TARGET_ADDRESS]);
	}

	if (header->id == NULL) {
		return ccm_refuse(reader->mem_ctx, &reader->reason, EVERR_TEXT,
				  "the message's header has no ID");
	}
	if (ev_guid_parse(header->id, &id) != EVERR_OK) {
		return ccm_refuse(reader->mem_ctx, &reader->reason, EVERR_TEXT,
				  "the message's ID is not a GUID: %.40s",
				  header->id);
	}
	if (header->endpoint == NULL) {
		return ccm_refuse(
			reader->mem_ctx, &reader->reason, EVERR_TEXT,
			"the message's header names no endpoint that it "
			"is for");
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------------ header */

static everr_t header_run(struct reader *reader, const struct buf *utf8)
{
	static const struct event_xml_handler handler = {
		.element = on_element,
		.end = on_end,
		.text = on_text,
	};
	struct event_xml_position position = {.line = 0};
	everr_t err;

	err = event_xml_parse((const char *)utf8->data, utf8->len, &handler,
			      reader, &position);
	if (err == EVERR_OK) {
		return header_finish(reader);
	}
	if (err == EVERR_NOMEM || reader->reason != NULL) {
		return err;
	}
	if (position.line == 0) {
		return ccm_refuse(reader->mem_ctx, &reader->reason, err, "%s",
				  err == EVERR_LIMIT
					  ? "the message's header has too many "
					    "attributes or namespaces"
					  : "the message's header is not XML");
	}
	return ccm_refuse(reader->mem_ctx, &reader->reason, err,
			  "the message's header is not well-formed XML, line "
			  "%u column %u: %s",
			  position.line, position.column, position.message);
}

/* The part's bytes as UTF-8. */
static everr_t header_text(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			   struct buf *text, const char **ret_reason)
{
	everr_t err;

	if (len > CCM_HEADER_MAX) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_LIMIT,
				  "the message's header has more than %u bytes",
				  CCM_HEADER_MAX);
	}
	err = ccm_text(text, data, len);
	if (err == EVERR_TEXT) {
		return ccm_refuse(mem_ctx, ret_reason, err,
				  "the message's header is neither valid "
				  "UTF-16 nor valid UTF-8");
	}
	return err;
}

everr_t ccm_header_parse(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			 struct ccm_header **ret_header,
			 const char **ret_reason)
{
	struct reader reader = {.mem_ctx = mem_ctx};
	TALLOC_CTX *frame = talloc_new(mem_ctx);
	struct buf utf8;
	everr_t err;

	reader.header = talloc_zero(mem_ctx, struct ccm_header);
	if (frame == NULL || reader.header == NULL) {
		talloc_free(frame);
		talloc_free(reader.header);
		return EVERR_NOMEM;
	}
	/* Three bytes of UTF-8 for two of UTF-16 at worst. */
	buf_init(&utf8, frame, 2 * CCM_HEADER_MAX);
	buf_init(&reader.text, frame, 2 * CCM_HEADER_MAX);

	err = header_text(mem_ctx, data, len, &utf8, ret_reason);
	if (err == EVERR_OK) {
		err = header_run(&reader, &utf8);
	}
	talloc_free(frame);
	if (reader.reason != NULL) {
		*ret_reason = reader.reason;
	}
	if (err != EVERR_OK) {
		talloc_free(reader.header);
		return err;
	}
	*ret_header = reader.header;
	return EVERR_OK;
}
