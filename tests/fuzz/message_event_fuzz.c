/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as an event, in RPC form and as a packed node from a damaged disk,
 * that is shown with the texts of a manifest.  Inserts are texts, at most as
 * many as a message can have.
 */

#include "event/message_event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The provider and events of the seeds. */
static const char xml[] =
	"<instrumentationManifest><instrumentation><events>"
	"<provider name='P' guid='{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}'>"
	"<maps><bitMap name='B'><map value='1' message='$(string.S)'/></bitMap>"
	"<valueMap name='V'><map value='445' message='$(string.S)'/></valueMap>"
	"</maps><templates><template tid='T'>"
	"<data name='A' inType='win:UInt32' map='V'/>"
	"<data name='B' inType='win:UInt32' map='B'/>"
	"<data name='C' inType='win:UInt32' outType='win:HexInt32'/>"
	"<data name='D' inType='win:UInt32' outType='win:IPv4'/>"
	"</template></templates><events>"
	"<event value='0' template='T' message='$(string.S)'/>"
	"<event value='1' template='T' message='$(string.S)'/></events>"
	"</provider></events></instrumentation><localization>"
	"<resources culture='en-US'><stringTable>"
	"<string id='S' value='%1 %2!5x! %3 %4 %5%n%99'/>"
	"</stringTable></resources></localization></instrumentationManifest>";

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static struct event_catalog *catalog_new(TALLOC_CTX *mem_ctx)
{
	struct event_catalog *catalog = event_catalog_create(mem_ctx);
	struct event_manifest_error error;
	struct event_manifest *manifest = NULL;
	const char *name = NULL;

	must(catalog != NULL);
	must(event_manifest_parse(catalog, "fuzz", (const uint8_t *)xml,
				  sizeof(xml) - 1, &manifest,
				  &error) == EVERR_OK);
	must(event_catalog_add(catalog, manifest, &name) == EVERR_OK);
	return catalog;
}

/* The inserts that the message names only: the same text comes of it. */
static void check_open(TALLOC_CTX *mem_ctx, const struct event_catalog *catalog,
		       struct event_dict *dict, const uint8_t *data,
		       size_t size, const struct event_message_source *read,
		       const struct buf *want)
{
	const struct event_publisher *publisher = NULL;
	struct event_message_source *source = NULL;
	struct event_render render = {.dict = dict};
	struct event_scope scope;
	struct buf out, scratch;
	everr_t err;

	publisher = event_message_publisher(catalog, read);
	source = talloc(mem_ctx, struct event_message_source);
	must(publisher != NULL && source != NULL);
	source->event_id = read->event_id;
	source->version = read->version;
	source->qualifiers = read->qualifiers;
	source->has_qualifiers = read->has_qualifiers;
	buf_init(&out, mem_ctx, EVENT_MESSAGE_MAX);
	buf_init(&scratch, mem_ctx, 4 * EVENT_WIRE_MAX);
	render.out = &scratch;
	must(event_scope_open(&scope, &render, data, size) == EVERR_OK);
	err = event_message_put_open(&out, publisher, source, &scope, &scratch,
				     0);
	event_scope_close(&scope);
	must(err == EVERR_OK);
	must(out.len == want->len);
	must(out.len == 0 || memcmp(out.data, want->data, out.len) == 0);
}

static void check(TALLOC_CTX *mem_ctx, const struct event_catalog *catalog,
		  struct event_dict *dict, const uint8_t *data, size_t size)
{
	struct event_message_source *source = NULL;
	struct buf out;
	everr_t err;
	size_t i;

	err = event_message_read(mem_ctx, dict, data, size, &source);
	if (err != EVERR_OK) {
		must(source == NULL);
		return;
	}
	must(source->num_inserts <= EVENT_MESSAGE_INSERTS_MAX);
	for (i = 0; i < source->num_inserts; i++) {
		must(source->inserts[i].text != NULL);
	}
	/* Whatever it calls itself. */
	source->provider = "P";
	buf_init(&out, mem_ctx, EVENT_MESSAGE_MAX);
	err = event_message_put(&out, catalog, source, 0);
	must(err == EVERR_OK || err == EVERR_MESSAGE || err == EVERR_LIMIT);
	must(err == EVERR_OK || out.len == 0);
	if (err == EVERR_OK) {
		check_open(mem_ctx, catalog, dict, data, size, source, &out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_catalog *catalog = catalog_new(mem_ctx);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed;

	if (event_pack(packer, data, size, &packed) == EVERR_OK) {
		check(mem_ctx, catalog, dict, packed.data, packed.len);
	}
	check(mem_ctx, catalog, dict, data, size);
	talloc_free(mem_ctx);
	return 0;
}
