/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_reading.h"

#include "bridge/configmgr.h"
#include "soap/configmgr_replay.h"

static const char *copy_text(TALLOC_CTX *memory, const char *text, bool *failed)
{
	char *copy = talloc_strdup(memory, text);

	*failed = *failed || (text != NULL && copy == NULL);
	return copy;
}

everr_t configmgr_reading_copy(TALLOC_CTX *memory,
			       const struct configmgr_reading *reading,
			       struct configmgr_reading **ret_copy)
{
	struct configmgr_reading *copy = NULL;
	bool failed = false;

	copy = talloc_memdup(memory, reading, sizeof(*reading));
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	copy->memory = memory;
	copy->content_type = copy_text(copy, reading->content_type, &failed);
	copy->origin.computer =
		copy_text(copy, reading->origin.computer, &failed);
	copy->origin.peer = copy_text(copy, reading->origin.peer, &failed);
	copy->origin.certificate =
		copy_text(copy, reading->origin.certificate, &failed);
	copy->body = talloc_memdup(copy, reading->body, reading->len);
	if (failed || (copy->body == NULL && reading->len > 0)) {
		talloc_free(copy);
		return EVERR_NOMEM;
	}
	*ret_copy = copy;
	return EVERR_OK;
}

/*
 * The id that a message is known by.  One that is not a GUID, or all zero,
 * says nothing: what came tells then whether it is the same.
 */
static void identify(struct configmgr_reading *reading)
{
	const struct ccm_message *ccm = reading->ccm;
	const uint8_t *data = ccm != NULL ? ccm->payload : reading->body;
	size_t len = ccm != NULL ? ccm->payload_len : reading->len;
	everr_t err = EVERR_TEXT;

	reading->digest = configmgr_digest(data, len);
	if (reading->message.id != NULL) {
		err = ev_guid_parse(reading->message.id, &reading->id);
	}
	if (err != EVERR_OK || ev_guid_is_zero(&reading->id)) {
		ev_guid_from_bytes(data, len, &reading->id);
	}
	if (reading->message.id == NULL) {
		ev_guid_format(&reading->id, reading->id_text);
		reading->message.id = reading->id_text;
	}
}

/* A state message that came as it is: as if it had been relayed. */
static void read_fallback(struct configmgr_reading *reading)
{
	reading->part = (struct bridge_part){
		.data = reading->body,
		.len = reading->len,
	};
	reading->message = (struct bridge_message){
		.endpoint = "MP_RelayEndpoint",
		.file_type = "SMX",
		.parts = &reading->part,
		.num_parts = 1,
	};
}

void configmgr_read_signature(struct configmgr_reading *reading)
{
	if (!reading->verified) {
		reading->signature =
			ccm_message_verify(reading->ccm, reading->key);
		reading->verified = true;
	}
}

void configmgr_read_message(void *data)
{
	struct configmgr_reading *reading = data;

	reading->err = EVERR_OK;
	reading->reason = NULL;
	if (reading->fallback) {
		read_fallback(reading);
		identify(reading);
		return;
	}
	reading->err = ccm_message_parse(reading->memory, reading->content_type,
					 reading->body, reading->len,
					 reading->payload_max, &reading->ccm,
					 &reading->reason);
	if (reading->ccm != NULL) {
		reading->message = reading->ccm->message;
	}
	if (reading->err != EVERR_OK) {
		return;
	}
	if (reading->message.endpoint == NULL) {
		reading->message.endpoint = "";
	}
	identify(reading);
	if (reading->verify) {
		configmgr_read_signature(reading);
	}
}

void configmgr_read_events(void *data)
{
	struct configmgr_reading *reading = data;

	reading->events = bridge_events_create(reading->memory);
	if (reading->events == NULL) {
		reading->err = EVERR_NOMEM;
		return;
	}
	reading->reason = NULL;
	reading->err =
		bridge_configmgr_message(reading->events, &reading->origin,
					 &reading->message, &reading->reason);
}
