/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/ccm_message.h"

#include "soap/ccm_internal.h"
#include "soap/ccm_multipart.h"

#include <string.h>
#include <strings.h>

static void message_from_header(struct ccm_message *message,
				const struct ccm_header *header)
{
	message->message = (struct bridge_message){
		.id = header->id,
		.source_id = header->source_id,
		.source_host = header->source_host,
		.endpoint = header->endpoint,
		.file_type = header->file_type,
		.sent = header->sent,
	};
	message->reply_mode = header->reply_mode;
	message->reply_zlib = header->reply_zlib;
	message->reply_to = header->reply_to;
	message->target_host = header->target_host;
	message->compressed = header->compressed;
	message->encrypted = header->encrypted;
	message->authentication = header->authentication;
}

/* Parts are bytes as they are; nobody was seen to encode them. */
static everr_t check_encoding(TALLOC_CTX *mem_ctx,
			      const struct ccm_parts *parts,
			      const char **ret_reason)
{
	static const char *const plain[] = {"binary", "8bit", "7bit"};
	const char *value = NULL;
	size_t len = 0;
	size_t i, j;

	for (i = 0; i < parts->num; i++) {
		if (!ccm_part_field(&parts->part[i],
				    "Content-Transfer-Encoding", &value,
				    &len)) {
			continue;
		}
		for (j = 0; j < 3; j++) {
			if (len == strlen(plain[j]) &&
			    strncasecmp(value, plain[j], len) == 0) {
				break;
			}
		}
		if (j == 3) {
			return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
					  "part %zu of the multipart body has "
					  "a transfer encoding that is not "
					  "known here",
					  i + 1);
		}
	}
	return EVERR_OK;
}

/* The two parts of a message: its header, and its payload if it has one. */
static everr_t read_parts(TALLOC_CTX *mem_ctx, const char *boundary,
			  const uint8_t *body, size_t len,
			  struct ccm_parts *parts, const char **ret_reason)
{
	everr_t err = ccm_multipart_parse(mem_ctx, boundary, body, len, parts,
					  ret_reason);

	if (err != EVERR_OK) {
		return err;
	}
	if (parts->num > 2) {
		return ccm_refuse(mem_ctx, ret_reason, EVERR_TEXT,
				  "the multipart body has %zu parts instead "
				  "of a header and a payload",
				  parts->num);
	}
	return check_encoding(mem_ctx, parts, ret_reason);
}

static everr_t read_payload(struct ccm_message *message, uint64_t payload_max,
			    const char **ret_reason)
{
	const uint8_t *data = message->transmitted;
	size_t len = message->transmitted_len;
	char count[CCM_COUNT_SIZE];

	if (len > 0 &&
	    (message->compressed || ccm_payload_is_zlib(data, len))) {
		message->compressed = true;
		return ccm_payload_inflate(message, data, len, payload_max,
					   &message->payload,
					   &message->payload_len, ret_reason);
	}
	if (len > payload_max) {
		return ccm_refuse(message, ret_reason, EVERR_LIMIT,
				  "the payload has more than %s bytes",
				  ccm_count(count, payload_max));
	}
	message->payload = data;
	message->payload_len = len;
	return EVERR_OK;
}

/* With its header known: the rest. */
static everr_t message_fill(struct ccm_message *message,
			    const struct ccm_header *header,
			    const struct ccm_parts *parts, uint64_t payload_max,
			    const char **ret_reason)
{
	struct bridge_message *to = &message->message;
	everr_t err;

	if (parts->num > 1) {
		message->transmitted = parts->part[1].data;
		message->transmitted_len = parts->part[1].len;
	}
	if (message->encrypted) {
		return ccm_refuse(message, ret_reason, EVERR_NOT_SUPPORTED,
				  "the message has been encrypted or changed "
				  "by a hook that is not known here");
	}
	err = read_payload(message, payload_max, ret_reason);
	if (err != EVERR_OK) {
		return err;
	}
	return ccm_payload_parts(message, header, message->payload,
				 message->payload_len, &to->parts,
				 &to->num_parts, ret_reason);
}

/* *ret_header: the header could be read, whatever came after it. */
static everr_t message_read(struct ccm_message *message,
			    const char *content_type, const uint8_t *body,
			    size_t len, uint64_t payload_max, bool *ret_header,
			    const char **ret_reason)
{
	struct ccm_parts parts = {.num = 0};
	struct ccm_header *header = NULL;
	everr_t err;

	err = ccm_multipart_boundary(message, content_type, &message->boundary,
				     ret_reason);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_parts(message, message->boundary, body, len, &parts,
			 ret_reason);
	if (err != EVERR_OK) {
		return err;
	}
	err = ccm_header_parse(message, parts.part[0].data, parts.part[0].len,
			       &header, ret_reason);
	if (err != EVERR_OK) {
		return err;
	}
	message_from_header(message, header);
	*ret_header = true;
	return message_fill(message, header, &parts, payload_max, ret_reason);
}

everr_t ccm_message_parse(TALLOC_CTX *mem_ctx, const char *content_type,
			  const uint8_t *body, size_t len, uint64_t payload_max,
			  struct ccm_message **ret_message,
			  const char **ret_reason)
{
	struct ccm_message *message = NULL;
	const char *reason = NULL;
	bool has_header = false;
	everr_t err;

	*ret_message = NULL;
	*ret_reason = NULL;
	message = talloc_zero(mem_ctx, struct ccm_message);
	if (message == NULL) {
		return EVERR_NOMEM;
	}
	err = message_read(message, content_type, body, len, payload_max,
			   &has_header, &reason);
	if (reason != NULL) {
		*ret_reason = talloc_steal(mem_ctx, reason);
	}
	if (err != EVERR_OK && !has_header) {
		talloc_free(message);
		return err;
	}
	*ret_message = message;
	return err;
}
