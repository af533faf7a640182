/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as an event.  What is accepted is sent, accepted again, and the
 * second packed form is the first; with no room in the dictionary the same
 * event becomes a document of the same length with the same header.  Either
 * is rendered: libxml2 and Jansson must be able to read it.  The bytes are
 * also taken for a packed event, as from a damaged disk.
 */

#include "event/event.h"

#include <jansson.h>
#include <libxml/parser.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_packed packed;
	struct buf wire;
	struct buf text;
};

static struct target *target_new(TALLOC_CTX *mem_ctx,
				 const struct event_dict_limits *limits)
{
	struct target *target = talloc_zero(mem_ctx, struct target);

	target->dict = event_dict_create(target, limits);
	target->packer = event_packer_create(target, target->dict);
	buf_init(&target->wire, target, EVENT_WIRE_MAX);
	buf_init(&target->text, target, 4 * EVENT_WIRE_MAX);
	return target;
}

static everr_t pack(struct target *target, const uint8_t *data, size_t size)
{
	return event_pack(target->packer, data, size, &target->packed);
}

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* What was packed must be sendable, and what is sent must pack the same. */
static void check_stable(struct target *target)
{
	size_t len = target->packed.len;
	uint8_t *first = talloc_memdup(target, target->packed.data, len);

	buf_reset(&target->wire);
	must(event_packed_to_wire(&target->wire, target->dict,
				  target->packed.data,
				  target->packed.len) == EVERR_OK);
	must(target->wire.len == target->packed.wire_len);
	must(pack(target, target->wire.data, target->wire.len) == EVERR_OK);
	must(target->packed.len == len);
	must(memcmp(target->packed.data, first, len) == 0);
	talloc_free(first);
}

/*
 * A nested document is a few bytes longer than its wire form, so one that
 * nearly fills a value may be refused where it cannot be a template.
 */
static void check_without_room(struct target *full, const uint8_t *data,
			       size_t size, const struct target *target)
{
	everr_t err = pack(full, data, size);

	if (err == EVERR_BINXML_VALUE) {
		return;
	}
	must(err == EVERR_OK);
	must(full->packed.num_templates == 0);
	must(full->packed.wire_len == target->packed.wire_len);
	must(memcmp(&full->packed.header, &target->packed.header,
		    offsetof(struct event_header, has) + 1) == 0);
	check_stable(full);
}

/* A prefix that nobody declares is an error of another specification. */
static void check_xml(const struct buf *text)
{
	xmlDoc *doc = xmlReadMemory((const char *)text->data, (int)text->len,
				    NULL, "UTF-8",
				    XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					    XML_PARSE_NONET | XML_PARSE_HUGE);

	must(doc != NULL);
	xmlFreeDoc(doc);
}

static void check_json(const struct buf *text)
{
	json_t *json = json_loadb((const char *)text->data, text->len, 0, NULL);

	must(json != NULL);
	json_decref(json);
}

/* Repeated elements may become too much; nothing else may go wrong. */
static void check_text(struct target *target)
{
	const struct event_render_options indent = {.indent = true};
	const uint8_t *data = target->packed.data;
	size_t len = target->packed.len;
	everr_t err;

	buf_reset(&target->text);
	err = event_render_xml(&target->text, target->dict, data, len, NULL);
	must(err == EVERR_OK || err == EVERR_LIMIT);
	if (err == EVERR_OK) {
		check_xml(&target->text);
	}
	buf_reset(&target->text);
	err = event_render_xml(&target->text, target->dict, data, len, &indent);
	if (err == EVERR_OK) {
		check_xml(&target->text);
	}
	buf_reset(&target->text);
	err = event_render_json(&target->text, target->dict, data, len);
	must(err == EVERR_OK || err == EVERR_LIMIT);
	if (err == EVERR_OK) {
		check_json(&target->text);
	}
}

static void ignore_template(uint32_t no, void *private_data)
{
}

static void check_as_packed(struct target *target, const uint8_t *data,
			    size_t size)
{
	buf_reset(&target->wire);
	(void)!event_packed_to_wire(&target->wire, target->dict, data, size);
	(void)!event_packed_templates(data, size, ignore_template, NULL);
	buf_reset(&target->text);
	(void)!event_render_xml(&target->text, target->dict, data, size, NULL);
	(void)!event_render_json(&target->text, target->dict, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct event_dict_limits none = {0, 0};
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct target *target = target_new(mem_ctx, NULL);
	struct target *full = target_new(mem_ctx, &none);

	if (pack(target, data, size) == EVERR_OK) {
		check_stable(target);
		check_text(target);
		check_without_room(full, data, size, target);
		if (full->packed.len > 0) {
			check_text(full);
		}
	} else {
		must(event_dict_count(target->dict) == 0);
	}
	check_as_packed(target, data, size);
	talloc_free(mem_ctx);
	return 0;
}
