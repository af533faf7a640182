/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/digest.h"

#include "event/event.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

/* An event's XML: a value's characters may take six bytes, "&quot;". */
#define TEXT_MAX ((size_t)8 * EVENT_WIRE_MAX)

static everr_t hash_of(const uint8_t *data, size_t len,
		       struct collect_digest *digest)
{
	uint8_t hash[32];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, hash) != 0) {
		return EVERR_NOMEM;
	}
	memcpy(digest->hash, hash, sizeof(digest->hash));
	return EVERR_OK;
}

/* A dictionary of its own: nothing of it stays. */
static everr_t digest_text(TALLOC_CTX *frame, const uint8_t *doc, size_t len,
			   struct collect_digest *digest)
{
	struct event_dict *dict = event_dict_create(frame, NULL);
	struct event_packer *packer = NULL;
	struct event_packed packed;
	struct buf text;
	everr_t err;

	if (dict == NULL) {
		return EVERR_NOMEM;
	}
	packer = event_packer_create(frame, dict);
	if (packer == NULL) {
		return EVERR_NOMEM;
	}
	err = event_pack(packer, doc, len, &packed);
	if (err != EVERR_OK) {
		return err;
	}
	if ((packed.header.has & EVENT_HAS_TIME) != 0) {
		digest->time_created = packed.header.time_created;
	}
	buf_init(&text, frame, TEXT_MAX);
	err = event_render_xml(&text, dict, packed.data, packed.len, NULL);
	if (err != EVERR_OK) {
		return err;
	}
	return hash_of(text.data, text.len, digest);
}

everr_t collect_digest(TALLOC_CTX *mem_ctx, const uint8_t *doc, size_t len,
		       struct collect_digest *ret_digest)
{
	struct collect_digest digest = {.time_created = 0};
	TALLOC_CTX *frame = talloc_new(mem_ctx);
	everr_t err;

	if (frame == NULL) {
		return EVERR_NOMEM;
	}
	err = digest_text(frame, doc, len, &digest);
	talloc_free(frame);
	if (err != EVERR_OK && err != EVERR_NOMEM) {
		err = hash_of(doc, len, &digest);
	}
	if (err == EVERR_OK) {
		*ret_digest = digest;
	}
	return err;
}
