/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_BRIDGE_MADE_H
#define EVENLOG_TESTS_BRIDGE_MADE_H

/*
 * Events that a bridge has made: as XML, as a message, and against what the
 * provider's manifest says of them.
 */

#include "tests/leak.h"

#include "base/wintime.h"
#include "bridge/events.h"
#include "event/message_event.h"

#include <string.h>

/* 2026-11-21T19:13:20Z, worked out by GNU date and bc. */
#define MADE_RECEIVED 134397620000000000ULL

struct made {
	TALLOC_CTX *mem_ctx;
	struct event_catalog *catalog;
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_packed packed; /* of made_pack() */
	struct bridge_events *events;
	struct bridge_origin origin;
	struct buf text;
};

static inline void made_add_manifest(struct made *m, const char *xml)
{
	struct event_manifest_error error = {};
	struct event_manifest *manifest = NULL;
	const char *name = NULL;
	everr_t err;

	err = event_manifest_parse(m->catalog, "bridge", (const uint8_t *)xml,
				   strlen(xml), &manifest, &error);
	if (err != EVERR_OK) {
		fail_msg("line %d: %s", error.line, error.message);
	}
	assert_int_equal(event_catalog_add(m->catalog, manifest, &name),
			 EVERR_OK);
}

static inline void made_start(struct made *m, TALLOC_CTX *mem_ctx)
{
	*m = (struct made){.mem_ctx = mem_ctx};
	m->catalog = event_catalog_create(mem_ctx);
	made_add_manifest(m, bridge_configmgr_manifest);
	made_add_manifest(m, bridge_wsus_manifest);
	m->dict = event_dict_create(mem_ctx, NULL);
	m->packer = event_packer_create(mem_ctx, m->dict);
	m->events = bridge_events_create(mem_ctx);
	m->origin = (struct bridge_origin){.computer = "bridge.example.com",
					   .peer = "192.0.2.7",
					   .received = MADE_RECEIVED};
	buf_init(&m->text, mem_ctx, 16 << 20);
}

static inline void made_pack(struct made *m, size_t index)
{
	const struct bridge_document *document = &m->events->documents[index];

	assert_true(index < m->events->num_documents);
	assert_int_equal(event_pack(m->packer, document->data, document->len,
				    &m->packed),
			 EVERR_OK);
}

/* Valid until the next of these calls. */
static inline const char *made_xml(struct made *m, size_t index)
{
	made_pack(m, index);
	buf_reset(&m->text);
	assert_int_equal(event_render_xml(&m->text, m->dict, m->packed.data,
					  m->packed.len, NULL),
			 EVERR_OK);
	buf_put_u8(&m->text, 0);
	assert_int_equal(buf_error(&m->text), EVERR_OK);
	return (const char *)m->text.data;
}

static inline const char *made_message(struct made *m, size_t index)
{
	made_pack(m, index);
	buf_reset(&m->text);
	assert_int_equal(event_message_render(&m->text, m->catalog, m->dict,
					      m->packed.data, m->packed.len, 0),
			 EVERR_OK);
	buf_put_u8(&m->text, 0);
	return (const char *)m->text.data;
}

static inline void made_has(const char *text, const char *want)
{
	if (strstr(text, want) == NULL) {
		fail_msg("\"%s\" is not in %s", want, text);
	}
}

/* One Data after the other: name, value, ..., NULL. */
static inline void made_has_data(struct made *m, size_t index,
				 const char *const *pairs)
{
	const char *xml = made_xml(m, index);
	char *want = talloc_strdup(m->mem_ctx, "");
	size_t i;

	for (i = 0; pairs[i] != NULL; i += 2) {
		want = talloc_asprintf_append(want, "<Data Name='%s'>%s</Data>",
					      pairs[i], pairs[i + 1]);
	}
	made_has(xml, want);
	talloc_free(want);
}

static inline void made_starts(const char *text, const char *want)
{
	if (strncmp(text, want, strlen(want)) != 0) {
		fail_msg("\"%s\" does not start %s", want, text);
	}
}

/* UserData's fields are elements, one after the other. */
static inline void made_check_elements(
	const char *xml, const struct event_manifest_template *tmpl)
{
	char want[80];
	size_t i;

	xml = strstr(xml, "<UserData>");
	assert_non_null(xml);
	for (i = 0; i < tmpl->num_fields; i++) {
		const char *found = NULL;

		snprintf(want, sizeof(want), "<%s>", tmpl->fields[i].name);
		found = strstr(xml, want);
		if (found == NULL) {
			fail_msg("no %s behind %.40s", want, xml);
		}
		xml = found + strlen(want);
	}
}

/* The names of the event's own data are the manifest's. */
static inline void made_check_fields(struct made *m, size_t index,
				     const struct event_message_source *source,
				     const struct event_manifest_template *tmpl)
{
	size_t i;

	if (tmpl->user_data != NULL) {
		/* And there are places for more properties. */
		assert_true(source->num_inserts >= tmpl->num_fields);
		made_check_elements(made_xml(m, index), tmpl);
		return;
	}
	assert_int_equal(source->num_inserts, tmpl->num_fields);
	for (i = 0; i < source->num_inserts; i++) {
		assert_string_equal(source->inserts[i].name,
				    tmpl->fields[i].name);
	}
}

/*
 * The manifest describes the event: System as it says (but the level, which
 * may be another), the same fields, and no insert of the message is missing.
 */
static inline void made_check(struct made *m, size_t index)
{
	struct event_message_source *source = NULL;
	const struct event_publisher *publisher = NULL;
	const struct event_manifest_event *event = NULL;
	const char *message = NULL;

	made_pack(m, index);
	assert_int_equal(event_message_read(m->mem_ctx, m->dict, m->packed.data,
					    m->packed.len, &source),
			 EVERR_OK);
	publisher = event_catalog_find(m->catalog, source->provider_guid);
	assert_non_null(publisher);
	assert_string_equal(publisher->name, source->provider);
	event = event_publisher_event(publisher, source->event_id,
				      source->version);
	assert_non_null(event);
	assert_int_equal(event->id, source->event_id);
	assert_int_equal(event->version, source->version);
	assert_int_equal(event->task, source->task);
	assert_true(event->keywords == source->keywords);
	assert_non_null(event->channel);
	assert_string_equal(event->channel->name, source->channel);
	assert_non_null(event->tmpl);
	made_check_fields(m, index, source, event->tmpl);

	message = made_message(m, index);
	assert_null(strchr(message, '%'));
	talloc_free(source);
}

#endif
