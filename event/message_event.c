/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/message_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Names of bits beyond it are left out; their number is not. */
#define BITS_TEXT_MAX 65535

const struct event_publisher *event_message_publisher(
	const struct event_catalog *catalog,
	const struct event_message_source *source)
{
	const struct event_publisher *publisher = NULL;

	publisher = event_catalog_find(catalog, source->provider);
	if (publisher == NULL && source->provider_guid[0] == '{') {
		publisher = event_catalog_find(catalog, source->provider_guid);
	}
	return publisher;
}

uint32_t event_message_id(const struct event_publisher *publisher,
			  const struct event_message_source *source)
{
	const struct event_manifest_event *event = NULL;

	if (!publisher->classic) {
		event = event_publisher_event(publisher, source->event_id,
					      source->version);
	}
	if (event != NULL) {
		return event->message_id;
	}
	if (publisher->classic || source->has_qualifiers) {
		return (uint32_t)source->qualifiers << 16 | source->event_id;
	}
	return EVENT_MESSAGE_NONE;
}

/* ------------------------------------------------------------- inserts */

static const struct event_manifest_map *find_map(
	const struct event_publisher *publisher, const char *name)
{
	size_t i;

	for (i = 0; i < publisher->num_maps; i++) {
		if (strcmp(publisher->maps[i].name, name) == 0) {
			return &publisher->maps[i];
		}
	}
	return NULL;
}

static const char *item_text(const struct event_publisher *publisher,
			     const struct event_manifest_map_item *item,
			     uint32_t lcid)
{
	return event_publisher_message(publisher, item->message_id, lcid,
				       false);
}

static const char *map_value(const struct event_publisher *publisher,
			     const struct event_manifest_map *map,
			     uint64_t number, uint32_t lcid)
{
	size_t i;

	for (i = 0; i < map->num_items; i++) {
		if (map->items[i].value == number) {
			return item_text(publisher, &map->items[i], lcid);
		}
	}
	return NULL;
}

/*
 * The names of the bits that are set; what has no name is a number at the
 * end.  NULL: no bit has one.
 */
static const char *map_bits(TALLOC_CTX *mem_ctx,
			    const struct event_publisher *publisher,
			    const struct event_manifest_map *map,
			    uint64_t number, uint32_t lcid)
{
	char *text = NULL;
	size_t len = 0;
	size_t i;

	for (i = 0; i < map->num_items; i++) {
		uint32_t bits = map->items[i].value;
		const char *name = NULL;

		if (bits == 0 || (number & bits) != bits) {
			continue;
		}
		name = item_text(publisher, &map->items[i], lcid);
		if (name == NULL ||
		    (text != NULL && len + strlen(name) > BITS_TEXT_MAX)) {
			continue;
		}
		number &= ~(uint64_t)bits;
		text = text == NULL ? talloc_strdup(mem_ctx, name)
				    : talloc_asprintf_append_buffer(
					      text, ", %s", name);
		if (text == NULL) {
			return NULL;
		}
		len = strlen(text);
	}
	if (text != NULL && number != 0) {
		text = talloc_asprintf_append_buffer(text, ", 0x%" PRIx64,
						     number);
	}
	return text;
}

/* outTypes that show a number in hexadecimal. */
static bool is_hexadecimal(const char *out_type)
{
	/* win:Win32Error is not: those are known by their decimal numbers. */
	static const char *const types[] = {"win:HexInt8",   "win:HexInt16",
					    "win:HexInt32",  "win:HexInt64",
					    "win:ErrorCode", "win:NTSTATUS",
					    "win:HResult",   "win:CodePointer"};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i], out_type) == 0) {
			return true;
		}
	}
	return false;
}

/* NULL: as it is. */
static const char *in_out_type(TALLOC_CTX *mem_ctx, const char *out_type,
			       uint64_t number)
{
	if (is_hexadecimal(out_type)) {
		return talloc_asprintf(mem_ctx, "0x%" PRIx64, number);
	}
	/* In network order, as it stands in memory. */
	if (strcmp(out_type, "win:IPv4") == 0) {
		return talloc_asprintf(mem_ctx, "%u.%u.%u.%u",
				       (unsigned int)(number & 255),
				       (unsigned int)(number >> 8 & 255),
				       (unsigned int)(number >> 16 & 255),
				       (unsigned int)(number >> 24 & 255));
	}
	return NULL;
}

static const char *field_text(TALLOC_CTX *mem_ctx,
			      const struct event_publisher *publisher,
			      const struct event_manifest_field *field,
			      const struct event_message_insert *insert,
			      uint32_t lcid)
{
	const struct event_manifest_map *map = NULL;

	if (!insert->is_integer) {
		return NULL;
	}
	if (field->map != NULL) {
		map = find_map(publisher, field->map);
	}
	if (map != NULL && map->bits) {
		return map_bits(mem_ctx, publisher, map, insert->number, lcid);
	}
	if (map != NULL) {
		return map_value(publisher, map, insert->number, lcid);
	}
	return field->out_type == NULL
		       ? NULL
		       : in_out_type(mem_ctx, field->out_type, insert->number);
}

void event_message_texts(TALLOC_CTX *mem_ctx,
			 const struct event_publisher *publisher,
			 const struct event_message_source *source,
			 uint32_t lcid, const char **ret_texts)
{
	const struct event_manifest_event *event = NULL;
	const struct event_manifest_template *tmpl = NULL;
	size_t i;

	event = event_publisher_event(publisher, source->event_id,
				      source->version);
	if (event != NULL) {
		tmpl = event->tmpl;
	}
	for (i = 0; i < source->num_inserts; i++) {
		const char *text = NULL;

		if (tmpl != NULL && i < tmpl->num_fields) {
			text = field_text(mem_ctx, publisher, &tmpl->fields[i],
					  &source->inserts[i], lcid);
		}
		ret_texts[i] = text != NULL ? text : source->inserts[i].text;
	}
}

/* ------------------------------------------------------------- messages */

everr_t event_message_put(struct buf *out, const struct event_catalog *catalog,
			  const struct event_message_source *source,
			  uint32_t lcid)
{
	const struct event_publisher *publisher = NULL;
	const char *texts[EVENT_MESSAGE_INSERTS_MAX];
	const char *message = NULL;
	TALLOC_CTX *tmp_ctx = NULL;
	uint32_t id;
	everr_t err;

	publisher = event_message_publisher(catalog, source);
	if (publisher == NULL) {
		return EVERR_PUBLISHER;
	}
	id = event_message_id(publisher, source);
	message = event_publisher_message(publisher, id, lcid, false);
	if (message == NULL) {
		return EVERR_MESSAGE;
	}
	tmp_ctx = talloc_new(source);
	if (tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	event_message_texts(tmp_ctx, publisher, source, lcid, texts);
	err = event_message_format(out, publisher, lcid, message, texts,
				   source->num_inserts);
	talloc_free(tmp_ctx);
	return err;
}

/* A '*' in "%n!*.*s!" takes the inserts behind n, too. */
static void find_wanted(const char *message,
			struct event_message_wanted *ret_wanted)
{
	const char *p = message;

	*ret_wanted = (struct event_message_wanted){};
	while ((p = strchr(p, '%')) != NULL) {
		size_t first, last;

		p++;
		if (*p < '1' || *p > '9') {
			p += *p != '\0';
			continue;
		}
		first = (size_t)(*p++ - '0');
		if (*p >= '0' && *p <= '9') {
			first = 10 * first + (size_t)(*p++ - '0');
		}
		last = *p == '!' ? first + 2 : first;
		for (; first <= last && first <= EVENT_MESSAGE_INSERTS_MAX;
		     first++) {
			ret_wanted->bits[(first - 1) / 64] |=
				1ULL << (first - 1) % 64;
		}
	}
}

everr_t event_message_put_open(struct buf *out,
			       const struct event_publisher *publisher,
			       struct event_message_source *source,
			       struct event_scope *scope, struct buf *scratch,
			       uint32_t lcid)
{
	const char *texts[EVENT_MESSAGE_INSERTS_MAX];
	struct event_message_wanted wanted;
	const char *message = NULL;
	everr_t err;

	message = event_publisher_message(
		publisher, event_message_id(publisher, source), lcid, false);
	if (message == NULL) {
		return EVERR_MESSAGE;
	}
	find_wanted(message, &wanted);
	err = event_message_read_inserts(source, scope, &wanted, scratch);
	if (err != EVERR_OK) {
		return err;
	}
	event_message_texts(source, publisher, source, lcid, texts);
	return event_message_format(out, publisher, lcid, message, texts,
				    source->num_inserts);
}

everr_t event_message_render(struct buf *out,
			     const struct event_catalog *catalog,
			     struct event_dict *dict, const uint8_t *data,
			     size_t len, uint32_t lcid)
{
	struct event_message_source *source = NULL;
	everr_t err;

	err = event_message_read(NULL, dict, data, len, &source);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_message_put(out, catalog, source, lcid);
	talloc_free(source);
	return err;
}
