/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as the <Msg> header of a ConfigMgr message.  What is accepted has
 * an ID and an endpoint, its texts are valid, its ranges can be added; what is
 * refused has a reason that can be shown.
 */

#include "base/guid.h"
#include "base/text.h"
#include "soap/ccm_header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_text(const char *text)
{
	must(text == NULL ||
	     (*text != '\0' && text_utf8_valid(text, strlen(text))));
}

static void check_range(const struct ccm_range *range)
{
	check_text(range->name);
	must(range->offset <= INT64_MAX && range->length <= INT64_MAX);
}

static void check_header(const struct ccm_header *header)
{
	struct ev_guid id;
	size_t i;

	must(header->id != NULL && header->endpoint != NULL);
	must(ev_guid_parse(header->id, &id) == EVERR_OK);
	check_text(header->endpoint);
	check_text(header->correlation_id);
	check_text(header->source_id);
	check_text(header->source_host);
	check_text(header->target_host);
	check_text(header->reply_to);
	check_text(header->file_type);
	check_text(header->authentication.public_key);
	check_text(header->authentication.payload_signature);
	must(header->num_attachments <= CCM_ATTACHMENTS_MAX);
	check_range(&header->body);
	for (i = 0; i < header->num_attachments; i++) {
		check_range(&header->attachments[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct ccm_header *header = NULL;
	const char *reason = NULL;
	everr_t err;

	err = ccm_header_parse(mem_ctx, data, size, &header, &reason);
	if (err == EVERR_OK) {
		check_header(header);
	} else {
		must(err == EVERR_TEXT || err == EVERR_LIMIT);
		must(header == NULL && reason != NULL);
		check_text(reason);
	}
	talloc_free(mem_ctx);
	return 0;
}
