/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a whole ConfigMgr message of the boundary "B": parts lie in the
 * payload and don't multiply it, signatures are checked, texts read, and the
 * answers are messages themselves.
 */

#include "soap/ccm_message.h"
#include "soap/ccm_signature.h"

#include <stdlib.h>
#include <string.h>

#define TYPE "multipart/mixed; boundary=B"
#define PAYLOAD_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_parts(TALLOC_CTX *mem_ctx, const struct ccm_message *message)
{
	const struct bridge_message *bridge = &message->message;
	const uint8_t *end = message->payload + message->payload_len;
	struct buf text;
	size_t covered = 0;
	everr_t err;
	size_t i;

	must(message->payload_len <= PAYLOAD_MAX);
	for (i = 0; i < bridge->num_parts; i++) {
		const struct bridge_part *part = &bridge->parts[i];

		must(part->len > 0 && part->data >= message->payload);
		must(part->data + part->len <= end);
		covered += part->len;
		buf_init(&text, mem_ctx, 4 * PAYLOAD_MAX);
		err = ccm_text(&text, part->data, part->len);
		must(err == EVERR_OK || (err == EVERR_TEXT && text.len == 0));
		buf_free(&text);
	}
	must(covered <= 4 * message->payload_len);
}

static void check_signature(const struct ccm_message *message)
{
	const uint8_t *element = NULL;
	uint8_t key[32];
	size_t len = 0;

	must(ccm_message_verify(message, key) != BRIDGE_SIGNATURE_VALID);
	if (ccm_element(message->payload, message->payload_len, "Data",
			&element, &len)) {
		must(element >= message->payload && len % 2 == 0);
		must(element + len <= message->payload + message->payload_len);
	}
	if (message->payload_len > 0) {
		must(ccm_signature_verify_text(
			     message->payload, message->payload_len, NULL, "00",
			     message->payload,
			     message->payload_len) == BRIDGE_SIGNATURE_INVALID);
	}
}

static void check_answer(TALLOC_CTX *mem_ctx, const struct ccm_message *message)
{
	static const char id[] = "{01234567-89AB-CDEF-0123-456789ABCDEF}";
	struct ccm_message *answer = NULL;
	const char *reason = NULL;
	struct buf out;

	buf_init(&out, mem_ctx, 8 * PAYLOAD_MAX);
	must(ccm_reply_xml(&out, message, "h", id, 1, "<a/>") == EVERR_OK);
	if (message->reply_to == NULL ||
	    strncmp(message->reply_to, "direct:", 7) != 0) {
		return; /* an answer to nobody */
	}
	must(ccm_message_parse(mem_ctx, TYPE, out.data, out.len, PAYLOAD_MAX,
			       &answer, &reason) == EVERR_OK);
	must(answer->message.num_parts == 1 && answer->payload_len == 12);
	must(answer->compressed == message->reply_zlib);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct ccm_message *message = NULL;
	const char *reason = NULL;
	everr_t err;

	err = ccm_message_parse(mem_ctx, TYPE, data, size, PAYLOAD_MAX,
				&message, &reason);
	if (err == EVERR_OK) {
		check_parts(mem_ctx, message);
		check_signature(message);
		check_answer(mem_ctx, message);
	} else {
		must(err == EVERR_TEXT || err == EVERR_LIMIT ||
		     err == EVERR_NOT_SUPPORTED);
		must(reason != NULL);
		must(message == NULL || message->message.num_parts == 0);
	}
	talloc_free(mem_ctx);
	return 0;
}
