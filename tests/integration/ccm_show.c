/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What the ConfigMgr message reader makes of a request's body, as JSON for
 * test_ccm.py, where messages are built and answers read independently.
 *
 *	ccm_show CONTENT-TYPE [CERTIFICATE SIGNATURE] < body
 *
 * CERTIFICATE (hexadecimal) and SIGNATURE are a registration's.
 */

#include "soap/ccm_message.h"
#include "soap/ccm_signature.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define BODY_MAX (32 * 1024 * 1024)
#define PAYLOAD_MAX (64 * 1024 * 1024)
/* 2026-11-21T19:22:19.5Z */
#define NOW 134397625395000000ULL

static json_t *hex(const void *data, size_t len)
{
	const uint8_t *p = data;
	char *text = talloc_array(NULL, char, 2 * len + 1);
	json_t *json = NULL;
	size_t i;

	for (i = 0; i < len; i++) {
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	}
	json = json_stringn(text, 2 * len);
	talloc_free(text);
	return json;
}

static void set_text(json_t *to, const char *name, const char *text)
{
	json_object_set_new(to, name,
			    text != NULL ? json_string(text) : json_null());
}

static void show_parts(json_t *to, const struct bridge_message *message)
{
	json_t *parts = json_array();
	size_t i;

	for (i = 0; i < message->num_parts; i++) {
		json_array_append_new(parts, hex(message->parts[i].data,
						 message->parts[i].len));
	}
	json_object_set_new(to, "parts", parts);
}

static void show_message(json_t *to, const struct ccm_message *message)
{
	uint8_t key[32];

	set_text(to, "id", message->message.id);
	set_text(to, "source_id", message->message.source_id);
	set_text(to, "source_host", message->message.source_host);
	set_text(to, "endpoint", message->message.endpoint);
	set_text(to, "file_type", message->message.file_type);
	set_text(to, "reply_to", message->reply_to);
	set_text(to, "boundary", message->boundary);
	json_object_set_new(to, "sent",
			    json_integer((json_int_t)message->message.sent));
	json_object_set_new(
		to, "sync",
		json_boolean(message->reply_mode == CCM_REPLY_SYNC));
	json_object_set_new(to, "compressed",
			    json_boolean(message->compressed));
	json_object_set_new(to, "signature",
			    json_integer(ccm_message_verify(message, key)));
	json_object_set_new(to, "key", hex(key, sizeof(key)));
	show_parts(to, &message->message);
}

static void show_replies(TALLOC_CTX *mem_ctx, json_t *to,
			 const struct ccm_message *message)
{
	struct buf out;

	set_text(to, "reply_type",
		 ccm_reply_content_type(mem_ctx, message->boundary));
	buf_init(&out, mem_ctx, BODY_MAX);
	if (ccm_reply_none(&out, message->boundary) == EVERR_OK) {
		json_object_set_new(to, "reply_none", hex(out.data, out.len));
	}
	buf_reset(&out);
	if (ccm_reply_xml(&out, message, "mp.example.com",
			  "{01234567-89AB-CDEF-0123-456789ABCDEF}", NOW,
			  "<Reply SMSID=\"\xC3\xA4\"/>") == EVERR_OK) {
		json_object_set_new(to, "reply_xml", hex(out.data, out.len));
	}
}

static void show_registration(TALLOC_CTX *mem_ctx, json_t *to,
			      const struct ccm_message *message,
			      const char *certificate, const char *signature)
{
	enum bridge_signature right = BRIDGE_SIGNATURE_NONE;
	const uint8_t *data = NULL;
	uint8_t key[32] = {0};
	struct buf der;
	size_t len = 0;

	buf_init(&der, mem_ctx, CCM_CERTIFICATE_MAX);
	if (ccm_hex_decode(&der, certificate) == EVERR_OK &&
	    ccm_element(message->payload, message->payload_len, "Data", &data,
			&len) &&
	    ccm_certificate_key(der.data, der.len, key) == EVERR_OK) {
		right = ccm_signature_verify_text(der.data, der.len, NULL,
						  signature, data, len);
	}
	json_object_set_new(to, "registration", json_integer(right));
	json_object_set_new(to, "certificate_key", hex(key, sizeof(key)));
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	uint8_t *body = talloc_array(mem_ctx, uint8_t, BODY_MAX);
	struct ccm_message *message = NULL;
	const char *reason = NULL;
	json_t *shown = json_object();
	everr_t err;
	size_t len;

	if (argc != 2 && argc != 4) {
		return 2;
	}
	len = fread(body, 1, BODY_MAX, stdin);
	err = ccm_message_parse(mem_ctx, argv[1], body, len, PAYLOAD_MAX,
				&message, &reason);
	set_text(shown, "error", err != EVERR_OK ? everr_name(err) : NULL);
	set_text(shown, "reason", reason);
	if (message != NULL) {
		show_message(shown, message);
		show_replies(mem_ctx, shown, message);
	}
	if (message != NULL && argc == 4) {
		show_registration(mem_ctx, shown, message, argv[2], argv[3]);
	}
	json_dumpf(shown, stdout, JSON_INDENT(1));
	json_decref(shown);
	talloc_free(mem_ctx);
	return 0;
}
