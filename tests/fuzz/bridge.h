/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_FUZZ_BRIDGE_H
#define EVENLOG_TESTS_FUZZ_BRIDGE_H

/*
 * What must be true of a bridge's answer, whatever it was given: a reason and
 * nothing else, or events that the store takes, that render as XML, and whose
 * messages the manifest has.
 */

#include "bridge/configmgr.h"
#include "event/message_event.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static struct event_catalog *make_catalog(TALLOC_CTX *mem_ctx)
{
	struct event_catalog *catalog = event_catalog_create(mem_ctx);
	struct event_manifest_error error;
	struct event_manifest *manifest = NULL;
	const char *name = NULL;

	must(event_manifest_parse(mem_ctx, "bridge",
				  (const uint8_t *)bridge_configmgr_manifest,
				  strlen(bridge_configmgr_manifest), &manifest,
				  &error) == EVERR_OK);
	must(event_catalog_add(catalog, manifest, &name) == EVERR_OK);
	return catalog;
}

static void check_event(TALLOC_CTX *mem_ctx,
			const struct event_catalog *catalog,
			struct event_dict *dict, struct event_packer *packer,
			const struct bridge_document *document)
{
	struct event_packed packed;
	struct buf out;

	must(event_pack(packer, document->data, document->len, &packed) ==
	     EVERR_OK);
	must(packed.wire_len == document->len);
	buf_init(&out, mem_ctx, 16 << 20);
	must(event_render_xml(&out, dict, packed.data, packed.len, NULL) ==
	     EVERR_OK);
	buf_reset(&out);
	must(event_message_render(&out, catalog, dict, packed.data, packed.len,
				  0) == EVERR_OK);
	buf_free(&out);
}

static void check_answer(TALLOC_CTX *mem_ctx, everr_t err,
			 const struct bridge_events *events, const char *reason)
{
	static struct event_catalog *catalog;
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	size_t i;

	if (catalog == NULL) {
		catalog = make_catalog(NULL);
	}
	if (err != EVERR_OK) {
		must(events->num_documents == 0 && events->num_bytes == 0);
		must(err == EVERR_NOT_SUPPORTED || reason != NULL);
		return;
	}
	must(events->num_documents > 0);
	for (i = 0; i < events->num_documents; i++) {
		check_event(mem_ctx, catalog, dict, packer,
			    &events->documents[i]);
	}
}

#endif
