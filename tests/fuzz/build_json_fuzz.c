/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as an event in JSON.  What is accepted packs and renders, and the
 * JSON it renders as is accepted again and renders as itself.
 */

#include "event/build.h"
#include "event/event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct event_system defaults = {
	.provider = "P", .channel = "C", .computer = "K"};

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static everr_t round_trip(TALLOC_CTX *mem_ctx, const char *json, size_t len,
			  struct buf *ret_json)
{
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed;
	char *message = NULL;
	struct buf doc;
	everr_t err;

	buf_init(&doc, mem_ctx, EVENT_WIRE_MAX);
	err = event_build_json(mem_ctx, &doc, json, len, &defaults, &message);
	if (err != EVERR_OK) {
		must(message != NULL && message[0] != '\0');
		return err;
	}
	must(event_pack(packer, doc.data, doc.len, &packed) == EVERR_OK);
	buf_init(ret_json, mem_ctx, 8 * EVENT_WIRE_MAX);
	return event_render_json(ret_json, dict, packed.data, packed.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct buf once, twice;

	if (round_trip(mem_ctx, (const char *)data, size, &once) == EVERR_OK &&
	    round_trip(mem_ctx, (const char *)once.data, once.len, &twice) ==
		    EVERR_OK) {
		must(once.len == twice.len);
		must(memcmp(once.data, twice.data, once.len) == 0);
	}
	talloc_free(mem_ctx);
	return 0;
}
