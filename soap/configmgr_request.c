/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_internal.h"

#include "base/wintime.h"
#include "soap/configmgr_aside.h"
#include "soap/configmgr_reading.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>
#include <sys/param.h>

/* The fallback status point's path; all others take CCM messages. */
#define FALLBACK_PATH "/SMS_FSP/.sms_fsp"

#define ANSWER_MAX (1024 * 1024)

struct message_state {
	struct tevent_context *ev;
	struct configmgr *configmgr;
	struct configmgr_input input;
	struct configmgr_reading *reading;
	struct configmgr_place *place; /* NULL: it is read in the loop */
	bool stored;		       /* its events are on disk */
	struct configmgr_answer answer;
};

bool configmgr_path_takes(const char *path)
{
	return strcasecmp(path, "/ccm_system/request") == 0 ||
	       strcasecmp(path, "/ccm_system_windowsauth/request") == 0 ||
	       strcasecmp(path, "/ccm_system_altauth/request") == 0 ||
	       strcasecmp(path, FALLBACK_PATH) == 0;
}

/* --------------------------------------------------------------- answers */

static void answer_text(struct tevent_req *req, unsigned int status,
			everr_t err, const char *text)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);

	state->answer.status = status;
	state->answer.err = err;
	state->answer.text = talloc_strdup(state, text);
	state->answer.content_type = "text/plain; charset=utf-8";
	state->answer.body = (uint8_t *)talloc_asprintf(state, "%s\n", text);
	if (state->answer.text == NULL || state->answer.body == NULL) {
		tevent_req_error(req, EVERR_NOMEM);
		return;
	}
	state->answer.len = strlen((const char *)state->answer.body);
	tevent_req_done(req);
}

static void answer_rejected(struct tevent_req *req, enum configmgr_cause cause,
			    everr_t err, const char *reason)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	unsigned int status = 400;

	if (cause == CONFIGMGR_CAUSE_CONTENT_TYPE) {
		status = 415;
	} else if (cause == CONFIGMGR_CAUSE_SIGNATURE) {
		status = 403;
	}
	configmgr_reject(state->configmgr, &state->input,
			 &state->reading->origin,
			 state->reading->message.endpoint != NULL
				 ? &state->reading->message
				 : NULL,
			 cause, reason);
	answer_text(req, status, err, reason);
}

/* Never 200 for what is not on disk. */
static void answer_later(struct tevent_req *req, everr_t err)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	char *text = talloc_asprintf(
		state, "the message can't be stored now: %s", everr_text(err));

	state->configmgr->counters.deferred++;
	state->answer.retry_after = CONFIGMGR_RETRY_SECONDS;
	if (tevent_req_nomem(text, req)) {
		return;
	}
	answer_text(req, 503, err, text);
}

static void random_guid(char text[EV_GUID_TEXT_SIZE])
{
	struct ev_guid guid = {};

	/* Version 4 of RFC 4122; the id of an answer guards nothing. */
	(void)gnutls_rnd(GNUTLS_RND_NONCE, guid.b, sizeof(guid.b));
	guid.b[7] = (guid.b[7] & 0x0F) | 0x40;
	guid.b[8] = (guid.b[8] & 0x3F) | 0x80;
	ev_guid_format(&guid, text);
}

static everr_t reply_put(struct message_state *state, const char *xml,
			 struct buf *out)
{
	const struct ccm_message *ccm = state->reading->ccm;
	char id[EV_GUID_TEXT_SIZE];

	if (ccm == NULL) {
		return EVERR_OK;
	}
	state->answer.content_type =
		ccm_reply_content_type(state, ccm->boundary);
	if (state->answer.content_type == NULL) {
		return EVERR_NOMEM;
	}
	if (xml == NULL) {
		return ccm_reply_none(out, ccm->boundary);
	}
	random_guid(id);
	return ccm_reply_xml(out, ccm, state->configmgr->config->host, id,
			     state->reading->origin.received, xml);
}

/* 200: xml NULL is the answer "NoReply". */
static void answer_ok(struct tevent_req *req, const char *xml)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct buf out;
	everr_t err;

	buf_init(&out, state, ANSWER_MAX);
	err = reply_put(state, xml, &out);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	state->answer.status = 200;
	state->answer.body = out.data;
	state->answer.len = out.len;
	tevent_req_done(req);
}

/* What the message asks for: who waits for an answer gets one. */
static void answer_accepted(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	const struct ccm_message *ccm = state->reading->ccm;
	struct buf xml;
	everr_t err;

	if (ccm == NULL || ccm->reply_mode == CCM_REPLY_ASYNC) {
		answer_ok(req, NULL);
		return;
	}
	if (state->stored) {
		/* Whatever it is, it is on disk: nothing may fail any more. */
		answer_ok(req, "<Reply SchemaVersion=\"1.00\"/>");
		return;
	}
	buf_init(&xml, state, ANSWER_MAX);
	err = configmgr_location_reply(state->configmgr,
				       &state->reading->message, &xml);
	buf_put_u8(&xml, 0);
	if (err == EVERR_OK) {
		err = buf_error(&xml);
	}
	if (err == EVERR_TEXT) {
		answer_rejected(req, CONFIGMGR_CAUSE_CONTENT, err,
				"the message's body is not well-formed XML");
		return;
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	answer_ok(req, (const char *)xml.data);
}

/* ----------------------------------------------------- events, on to disk */

static void message_stored(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	everr_t err;

	err = configmgr_store_recv(subreq);
	TALLOC_FREE(subreq);
	switch (err) {
	case EVERR_OK:
		state->stored = true;
		answer_accepted(req);
		return;
	case EVERR_EVENT_TOO_LARGE:
		answer_rejected(req, CONFIGMGR_CAUSE_CONTENT, err,
				"the events of the message are too large");
		return;
	default:
		answer_later(req, err);
	}
}

static void message_store(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct configmgr_reading *reading = state->reading;
	const struct configmgr_change change = {
		.events = reading->events,
		.id = &reading->id,
		.digest = reading->digest,
		.now = reading->origin.received,
	};
	struct tevent_req *subreq = NULL;

	subreq = configmgr_store_send(state, state->ev, state->configmgr,
				      &change);
	TALLOC_FREE(reading->events);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, message_stored, req);
}

/* The second step has been done. */
static void message_events_made(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	const struct configmgr_reading *reading = state->reading;
	everr_t err = reading->err;

	switch (err) {
	case EVERR_OK:
		message_store(req);
		return;
	case EVERR_NOT_SUPPORTED:
		answer_accepted(req);
		return;
	case EVERR_TEXT:
	case EVERR_LIMIT:
		answer_rejected(req,
				err == EVERR_TEXT ? CONFIGMGR_CAUSE_CONTENT
						  : CONFIGMGR_CAUSE_LIMIT,
				err,
				reading->reason != NULL ? reading->reason
							: everr_text(err));
		return;
	default:
		tevent_req_error(req, err);
	}
}

static void message_events_aside(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	everr_t err = configmgr_aside_recv(subreq);

	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	message_events_made(req);
}

static void message_events(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct tevent_req *subreq = NULL;

	if (state->place == NULL) {
		configmgr_read_events(state->reading);
		message_events_made(req);
		return;
	}
	subreq = configmgr_aside_send(state, state->ev, state->place,
				      configmgr_read_events, state->reading);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, message_events_aside, req);
}

/* ------------------------------------------------------------- same again */

static void answer_id_twice(struct tevent_req *req)
{
	answer_rejected(req, CONFIGMGR_CAUSE_ID_TWICE, EVERR_TEXT,
			"another message came under this message's id; nothing "
			"of this one was stored");
}

/* Whether it was or will be answered as one that came before. */
static bool message_again(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	const struct configmgr_reading *reading = state->reading;
	struct configmgr *configmgr = state->configmgr;
	struct tevent_req *subreq = NULL;
	bool differs = false;
	uint64_t digest = 0;

	if (configmgr_replay_find(configmgr->seen, &reading->id,
				  reading->origin.received, &digest)) {
		if (digest != reading->digest) {
			answer_id_twice(req);
			return true;
		}
		configmgr->counters.replays++;
		state->stored = true;
		answer_accepted(req);
		return true;
	}
	subreq = configmgr_store_join_send(state, configmgr, &reading->id,
					   reading->digest, &differs);
	if (differs) {
		answer_id_twice(req);
		return true;
	}
	if (subreq == NULL) {
		return false;
	}
	configmgr->counters.replays++;
	tevent_req_set_callback(subreq, message_stored, req);
	return true;
}

/* ----------------------------------------------------------- registration */

static void message_registered(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	const char *reason = NULL;
	const char *xml = NULL;
	everr_t err;

	err = configmgr_register_recv(subreq, state, &xml, &reason);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK && reason != NULL) {
		answer_rejected(req, CONFIGMGR_CAUSE_REGISTRATION, err, reason);
		return;
	}
	if (err != EVERR_OK) {
		answer_later(req, err);
		return;
	}
	if (reason != NULL) {
		/* By HTTP it is answered; the answer says no. */
		state->answer.err = EVERR_ACCESS;
		state->answer.text = reason;
		configmgr_reject(state->configmgr, &state->input,
				 &state->reading->origin,
				 &state->reading->message,
				 CONFIGMGR_CAUSE_REGISTRATION, reason);
	}
	answer_ok(req, xml);
}

static void message_register(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct tevent_req *subreq = NULL;

	subreq = configmgr_register_send(state, state->ev, state->configmgr,
					 &state->reading->origin,
					 state->reading->ccm);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, message_registered, req);
}

/* -------------------------------------------------------------- signature */

static enum bridge_signature signature_compare(
	const struct configmgr *configmgr, const char *source_id,
	const uint8_t key[CONFIGMGR_KEY_SIZE])
{
	const struct configmgr_client *client = NULL;
	struct ev_guid id;

	if (source_id == NULL ||
	    configmgr_smsid_parse(source_id, &id) != EVERR_OK) {
		return BRIDGE_SIGNATURE_SELF_ASSERTED;
	}
	client = configmgr_clients_find(configmgr->clients, &id);
	if (client == NULL) {
		return BRIDGE_SIGNATURE_SELF_ASSERTED;
	}
	return memcmp(client->key, key, sizeof(client->key)) == 0
		       ? BRIDGE_SIGNATURE_VALID
		       : BRIDGE_SIGNATURE_OTHER_KEY;
}

static enum bridge_signature signature_state(const struct configmgr *configmgr,
					     struct configmgr_reading *reading)
{
	const struct ccm_message *ccm = reading->ccm;

	if (configmgr->config->signatures == CONFIGMGR_SIGNATURES_OFF) {
		return ccm->authentication.payload_signature != NULL ||
				       ccm->authentication
						       .client_id_signature !=
					       NULL
			       ? BRIDGE_SIGNATURE_NOT_CHECKED
			       : BRIDGE_SIGNATURE_NONE;
	}
	configmgr_read_signature(reading);
	if (reading->signature != BRIDGE_SIGNATURE_SELF_ASSERTED) {
		return reading->signature;
	}
	return signature_compare(configmgr, ccm->message.source_id,
				 reading->key);
}

/* NULL: the policy lets it in; else why not. */
static const char *signature_refusal(const struct configmgr *configmgr,
				     enum bridge_signature signature)
{
	uint32_t policy = configmgr->config->signatures;

	if (policy == CONFIGMGR_SIGNATURES_OFF) {
		return NULL;
	}
	if (signature == BRIDGE_SIGNATURE_INVALID) {
		return "the message's signature is wrong";
	}
	if (policy != CONFIGMGR_SIGNATURES_REQUIRED) {
		return NULL;
	}
	switch (signature) {
	case BRIDGE_SIGNATURE_VALID:
		return NULL;
	case BRIDGE_SIGNATURE_NONE:
		return "the message has no signature, and signatures are "
		       "required";
	case BRIDGE_SIGNATURE_OTHER_KEY:
		return "the message is not signed by the key that its sender "
		       "registered";
	case BRIDGE_SIGNATURE_NOT_CHECKED:
		return "the message's signature is of a kind that is not known "
		       "here";
	default:
		return "the message's sender has not registered its key";
	}
}

/* --------------------------------------------------------------- dispatch */

/*
 * What clients need before they have registered: a registration has a
 * signature of its own, and who asks the way learns nothing secret.
 */
static bool before_registration(const char *endpoint)
{
	return strcasecmp(endpoint, "MP_ClientRegistration") == 0 ||
	       strcasecmp(endpoint, "MP_LocationManager") == 0;
}

static void message_dispatch(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct configmgr *configmgr = state->configmgr;
	const struct bridge_message *message = &state->reading->message;
	const char *endpoint = message->endpoint;
	const char *refusal = NULL;

	configmgr_count(configmgr, endpoint);
	if (!before_registration(endpoint)) {
		refusal = signature_refusal(configmgr, message->signature);
	}
	if (refusal != NULL) {
		answer_rejected(req, CONFIGMGR_CAUSE_SIGNATURE, EVERR_ACCESS,
				refusal);
		return;
	}
	if (strcasecmp(endpoint, "MP_ClientRegistration") == 0) {
		message_register(req);
		return;
	}
	if (message_again(req)) {
		return;
	}
	message_events(req);
}

/* ---------------------------------------------------------------- reading */

static bool is_multipart(const char *content_type)
{
	return content_type != NULL &&
	       strncasecmp(content_type, "multipart/", 10) == 0;
}

static void message_malformed(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	const struct configmgr_reading *reading = state->reading;
	enum configmgr_cause cause = CONFIGMGR_CAUSE_MALFORMED;

	if (reading->err == EVERR_NOMEM) {
		tevent_req_error(req, reading->err);
		return;
	}
	if (reading->err == EVERR_LIMIT) {
		cause = CONFIGMGR_CAUSE_LIMIT;
	} else if (reading->err == EVERR_NOT_SUPPORTED) {
		cause = CONFIGMGR_CAUSE_ENCRYPTED;
	}
	answer_rejected(req, cause, reading->err,
			reading->reason != NULL ? reading->reason
						: everr_text(reading->err));
}

/* The first step has been done. */
static void message_read(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct configmgr_reading *reading = state->reading;

	if (reading->err != EVERR_OK) {
		message_malformed(req);
		return;
	}
	if (reading->ccm != NULL) {
		reading->message.signature =
			signature_state(state->configmgr, reading);
		reading->ccm->message = reading->message;
	}
	message_dispatch(req);
}

static void message_read_aside(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	everr_t err = configmgr_aside_recv(subreq);

	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	message_read(req);
}

static void message_placed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct configmgr_reading *small = state->reading;
	everr_t err;

	err = configmgr_place_recv(subreq, state, &state->place);
	TALLOC_FREE(subreq);
	if (err == EVERR_OK) {
		err = configmgr_reading_copy(
			configmgr_place_memory(state->place), small,
			&state->reading);
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	talloc_free(small);
	subreq = configmgr_aside_send(state, state->ev, state->place,
				      configmgr_read_message, state->reading);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, message_read_aside, req);
}

/* Small ones in the loop; the others in a thread of their own. */
static void message_begin(struct tevent_req *req)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	const uint64_t payload_max = state->configmgr->config->payload_max;
	struct configmgr_reading *reading = state->reading;
	struct tevent_req *subreq = NULL;

	if (!reading->fallback && !is_multipart(reading->content_type)) {
		answer_rejected(req, CONFIGMGR_CAUSE_CONTENT_TYPE, EVERR_TEXT,
				"a message is multipart/mixed; this "
				"Content-Type is another one");
		return;
	}
	if (reading->len <= CONFIGMGR_READ_INLINE) {
		reading->payload_max = MIN(payload_max, CONFIGMGR_READ_INLINE);
		configmgr_read_message(reading);
		if (reading->err != EVERR_LIMIT ||
		    reading->payload_max == payload_max) {
			message_read(req);
			return;
		}
		/* It may be no more than larger than that. */
		TALLOC_FREE(reading->ccm);
		reading->verified = false;
		reading->message = (struct bridge_message){};
	}
	reading->payload_max = payload_max;
	subreq = configmgr_place_send(state, state->ev,
				      state->configmgr->places);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, message_placed, req);
}

struct tevent_req *configmgr_message_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  struct configmgr *configmgr,
					  const struct configmgr_input *input)
{
	struct message_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct message_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->configmgr = configmgr;
	state->input = *input;
	state->reading = talloc_zero(state, struct configmgr_reading);
	if (tevent_req_nomem(state->reading, req)) {
		return tevent_req_post(req, ev);
	}
	*state->reading = (struct configmgr_reading){
		.memory = state->reading,
		.content_type = input->content_type,
		.body = input->body,
		.len = input->len,
		.fallback = strcasecmp(input->path, FALLBACK_PATH) == 0,
		.verify = configmgr->config->signatures !=
			  CONFIGMGR_SIGNATURES_OFF,
		.origin =
			{
				.computer = configmgr->computer,
				.peer = input->peer != NULL ? input->peer : "",
				.certificate = input->certificate,
				.received = wintime_now(),
			},
	};
	message_begin(req);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

everr_t configmgr_message_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			       struct configmgr_answer *ret_answer)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct configmgr_answer answer = state->answer;
	everr_t err = configmgr_store_recv(req);

	/* Literals and copies alike: the copies hang on the state. */
	answer.content_type = talloc_strdup(mem_ctx, answer.content_type);
	answer.text = talloc_strdup(mem_ctx, answer.text);
	if (err == EVERR_OK &&
	    ((answer.content_type == NULL) !=
		     (state->answer.content_type == NULL) ||
	     (answer.text == NULL) != (state->answer.text == NULL))) {
		err = EVERR_NOMEM;
	}
	if (err == EVERR_OK) {
		talloc_steal(mem_ctx, answer.body);
		*ret_answer = answer;
	}
	tevent_req_received(req);
	return err;
}
