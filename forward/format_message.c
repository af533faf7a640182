/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

#include "base/text.h"
#include "event/message_event.h"
#include "event/value.h"

/*
 * The GUID of the event's provider as it stands there, its 16 bytes or its
 * text: what no publisher was found for is not looked for again.  NULL: none.
 */
static everr_t read_guid(const struct format_run *run, const uint8_t **ret_guid,
			 size_t *ret_len)
{
	const struct buf *scratch = &run->format->scratch;
	const struct event_value *value = NULL;
	uint32_t first = EVENT_PLAN_NONE;
	everr_t err;

	*ret_guid = NULL;
	value = format_field(run, FORMAT_PROVIDER_GUID, &first);
	if (value != NULL && value->type == EVENT_TYPE_GUID &&
	    value->len == sizeof(struct ev_guid)) {
		*ret_guid = value->data;
		*ret_len = value->len;
		return EVERR_OK;
	}
	err = format_read_parts(run, run->scope, first);
	if (err == EVERR_OK && scratch->len == FORMAT_GUID_TEXT_MAX &&
	    scratch->data[0] == '{') {
		*ret_guid = scratch->data;
		*ret_len = scratch->len;
	}
	return err;
}

static void find_by_guid(const struct format_run *run,
			 struct format_known *known, const uint8_t *guid,
			 size_t len)
{
	char text[FORMAT_GUID_TEXT_MAX + 1] = "";
	struct ev_guid binary;

	memcpy(known->guid, guid, len);
	known->guid_len = len;
	if (len == sizeof(binary)) {
		memcpy(&binary, guid, len);
		ev_guid_format(&binary, text);
	} else {
		memcpy(text, guid, len);
	}
	known->guid_publisher = event_catalog_find(run->format->catalog, text);
}

/*
 * By name, else by GUID, as event_message_publisher().  One name may come with
 * different GUIDs: the last one of a name is remembered.
 */
static everr_t find_publisher(const struct format_run *run,
			      const struct event_publisher **ret_publisher)
{
	const struct event_catalog *catalog = run->format->catalog;
	struct format_known *known = run->provider;
	const uint8_t *guid = NULL;
	size_t len = 0;
	everr_t err;

	*ret_publisher = NULL;
	if (known == NULL || catalog == NULL) {
		return EVERR_OK;
	}
	if (!known->searched) {
		known->publisher = event_catalog_find(catalog, known->text);
		known->searched = true;
	}
	*ret_publisher = known->publisher;
	if (known->publisher != NULL) {
		return EVERR_OK;
	}
	err = read_guid(run, &guid, &len);
	if (err != EVERR_OK || guid == NULL) {
		return err;
	}
	if (len != known->guid_len || memcmp(guid, known->guid, len) != 0) {
		find_by_guid(run, known, guid, len);
	}
	*ret_publisher = known->guid_publisher;
	return EVERR_OK;
}

/* What the event's header has, and what it has not. */
static everr_t start_source(const struct format_run *run,
			    struct event_message_source *source)
{
	const struct event_header *header = run->event->header;
	struct buf *scratch = &run->format->scratch;
	const struct event_value *value = NULL;
	uint32_t first = EVENT_PLAN_NONE;
	everr_t err;

	source->event_id = header->event_id;
	source->version = header->version;
	event_message_set_qualifiers(source, "");
	value = format_field(run, FORMAT_QUALIFIERS, &first);
	if (value != NULL && event_value_is_empty(value)) {
		return EVERR_OK;
	}
	err = format_read_parts(run, run->scope, first);
	buf_put_u8(scratch, 0);
	if (err == EVERR_OK) {
		err = buf_error(scratch);
	}
	if (err == EVERR_OK) {
		event_message_set_qualifiers(source,
					     (const char *)scratch->data);
	}
	return err;
}

static everr_t put_message(struct format_run *run,
			   const struct event_publisher *publisher)
{
	struct forward_format *format = run->format;
	struct event_message_source *source = NULL;
	everr_t err;

	source = talloc(format->pool, struct event_message_source);
	if (source == NULL) {
		return EVERR_NOMEM;
	}
	err = start_source(run, source);
	if (err == EVERR_OK) {
		buf_reset(&format->scratch);
		err = event_message_put_open(&format->scratch, publisher,
					     source, run->scope, &format->cut,
					     0);
	}
	talloc_free(source);
	return err;
}

everr_t format_read_message(struct format_run *run, bool *ret_found)
{
	const struct event_publisher *publisher = NULL;
	everr_t err;

	*ret_found = false;
	if (run->scope == NULL) {
		return EVERR_OK;
	}
	err = find_publisher(run, &publisher);
	if (err == EVERR_OK && publisher != NULL) {
		err = put_message(run, publisher);
		*ret_found = err == EVERR_OK && run->format->scratch.len > 0;
	}
	/* Too long, or no text: what the event says of itself is sent. */
	return err == EVERR_NOMEM ? err : EVERR_OK;
}
