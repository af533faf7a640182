/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_internal.h"

#include "bridge/events.h"
#include "event/xml.h"
#include "soap/ccm_signature.h"
#include "soap/writer.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

/* Bytes of a request as UTF-8, of its answer, and of one text in it. */
#define REQUEST_MAX (256 * 1024)
#define REPLY_MAX 4096
#define TEXT_MAX 255
#define DEPTH_MAX 8

/* ClientRegistrationResponse/@Status, facts 5.4. */
enum registration_status {
	STATUS_OK = 0,
	STATUS_FAILED = 2,
	STATUS_REJECTED = 3
};

/* What a ClientRegistrationRequest says (facts, 5.4). */
struct request {
	bool is_one; /* the root's name */
	size_t depth;
	struct buf *text; /* where the element's text goes; NULL: nowhere */
	char smsid[TEXT_MAX + 1];
	char hash_algorithm[TEXT_MAX + 1];
	char agent[TEXT_MAX + 1];
	char agent_version[TEXT_MAX + 1];
	char host[TEXT_MAX + 1];
	char fqdn[TEXT_MAX + 1];
	struct buf signing;   /* the certificate, hexadecimal */
	struct buf signature; /* SignatureValue */
};

/* ---------------------------------------------------------------- reading */

/* Cut where it is too long, between characters. */
static void copy_text(char out[TEXT_MAX + 1], const char *text, size_t len)
{
	if (len > TEXT_MAX) {
		len = TEXT_MAX;
		while (len > 0 && ((uint8_t)text[len] & 0xC0) == 0x80) {
			len--;
		}
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

static void copy_attribute(char out[TEXT_MAX + 1],
			   const struct event_xml_attribute *attributes,
			   size_t num, const char *name)
{
	const struct event_xml_attribute *attribute =
		event_xml_attribute(attributes, num, name);

	if (attribute != NULL) {
		copy_text(out, attribute->value, attribute->value_len);
	}
}

static void read_property(struct request *request,
			  const struct event_xml_attribute *attributes,
			  size_t num)
{
	char name[TEXT_MAX + 1] = "";

	copy_attribute(name, attributes, num, "Name");
	if (strcasecmp(name, "Netbios Name") == 0) {
		copy_attribute(request->host, attributes, num, "Value");
	} else if (strcasecmp(name, "FQ Name") == 0) {
		copy_attribute(request->fqdn, attributes, num, "Value");
	}
}

static everr_t request_start(void *private_data, const char *name,
			     const struct event_xml_attribute *attributes,
			     size_t num)
{
	struct request *request = private_data;

	request->text = NULL;
	if (++request->depth > DEPTH_MAX) {
		return EVERR_LIMIT;
	}
	if (request->depth == 1) {
		request->is_one =
			strcmp(name, "ClientRegistrationRequest") == 0;
	} else if (strcmp(name, "Data") == 0) {
		copy_attribute(request->smsid, attributes, num, "SMSID");
		copy_attribute(request->hash_algorithm, attributes, num,
			       "HashAlgorithm");
	} else if (strcmp(name, "AgentInformation") == 0) {
		copy_attribute(request->agent, attributes, num,
			       "AgentIdentity");
		copy_attribute(request->agent_version, attributes, num,
			       "AgentVersion");
	} else if (strcmp(name, "Property") == 0) {
		read_property(request, attributes, num);
	} else if (strcmp(name, "Signing") == 0) {
		request->text = &request->signing;
	} else if (strcmp(name, "SignatureValue") == 0) {
		request->text = &request->signature;
	}
	return EVERR_OK;
}

static everr_t request_end(void *private_data, const char *name)
{
	struct request *request = private_data;

	request->depth--;
	request->text = NULL;
	return EVERR_OK;
}

static everr_t request_text(void *private_data, const char *text, size_t len)
{
	struct request *request = private_data;

	if (request->text == NULL) {
		return EVERR_OK;
	}
	buf_put(request->text, text, len);
	return buf_error(request->text);
}

static void trim_end(struct buf *text)
{
	const char *start = (const char *)text->data;
	size_t len = text->len;

	if (len > 0) {
		event_xml_trim(&start, &len);
		memmove(text->data, start, len);
		buf_truncate(text, len);
	}
	buf_put_u8(text, 0);
}

static everr_t request_parse(TALLOC_CTX *mem_ctx,
			     const struct bridge_part *part,
			     struct request *request)
{
	static const struct event_xml_handler handler = {
		.start = request_start,
		.end = request_end,
		.text = request_text,
	};
	struct event_xml_position position = {};
	struct buf text;
	everr_t err;

	buf_init(&text, mem_ctx, REQUEST_MAX);
	buf_init(&request->signing, mem_ctx, 2 * CCM_CERTIFICATE_MAX + 64);
	buf_init(&request->signature, mem_ctx, CCM_KEY_BITS_MAX / 4 + 64);
	err = ccm_text(&text, part->data, part->len);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_xml_parse((const char *)text.data, text.len, &handler,
			      request, &position);
	buf_free(&text);
	if (err != EVERR_OK) {
		return err;
	}
	trim_end(&request->signing);
	trim_end(&request->signature);
	err = buf_error(&request->signing);
	return err != EVERR_OK ? err : buf_error(&request->signature);
}

/* ------------------------------------------------------------- the client */

everr_t configmgr_smsid_parse(const char *text, struct ev_guid *ret_guid)
{
	if (strncasecmp(text, "GUID:", 5) != 0 || text[5] == '{') {
		return EVERR_TEXT;
	}
	return ev_guid_parse(text + 5, ret_guid);
}

char *configmgr_smsid_format(TALLOC_CTX *mem_ctx, const struct ev_guid *guid)
{
	char text[EV_GUID_TEXT_SIZE];

	ev_guid_format(guid, text);
	return talloc_asprintf(mem_ctx, "GUID:%.36s", text + 1);
}

/*
 * The id of a client that has none.  A key has the one under which it
 * registered before, else one that is made from it: a client that asks again
 * gets the same one even if the answer, or our table, was lost.
 */
static void client_mint(const struct configmgr *configmgr,
			const uint8_t key[CONFIGMGR_KEY_SIZE],
			struct ev_guid *id)
{
	const struct configmgr_client *known =
		configmgr_clients_find_key(configmgr->clients, key);

	if (known != NULL) {
		*id = known->id;
		return;
	}
	ev_guid_from_bytes(key, CONFIGMGR_KEY_SIZE, id);
	if (configmgr_clients_find(configmgr->clients, id) != NULL) {
		/* Another client has been given it on its word. */
		(void)gnutls_rnd(GNUTLS_RND_NONCE, id->b, sizeof(id->b));
		id->b[7] = (id->b[7] & 0x0F) | 0x40;
		id->b[8] = (id->b[8] & 0x3F) | 0x80;
	}
}

/* What a registration is known by: the same again makes no second event. */
static void request_identify(const struct request *request,
			     const struct configmgr_client *client,
			     struct ev_guid *id)
{
	uint8_t all[sizeof(client->id) + CONFIGMGR_KEY_SIZE + 4 * 8];
	uint8_t *p = all;

	memcpy(p, &client->id, sizeof(client->id));
	p += sizeof(client->id);
	memcpy(p, client->key, CONFIGMGR_KEY_SIZE);
	p += CONFIGMGR_KEY_SIZE;
	le64_set(p, configmgr_digest((const uint8_t *)request->host,
				     strlen(request->host)));
	le64_set(p + 8, configmgr_digest((const uint8_t *)request->fqdn,
					 strlen(request->fqdn)));
	le64_set(p + 16, configmgr_digest((const uint8_t *)request->agent,
					  strlen(request->agent)));
	le64_set(p + 24,
		 configmgr_digest((const uint8_t *)request->agent_version,
				  strlen(request->agent_version)));
	ev_guid_from_bytes(all, sizeof(all), id);
}

/* ------------------------------------------------------------ the request */

struct register_state {
	struct configmgr *configmgr;
	struct bridge_origin origin;
	const struct ccm_message *message;
	struct request request;
	struct configmgr_client client;
	char *smsid;			 /* of the client */
	enum bridge_signature signature; /* of the request's Data */
	bool again, key_changed;
	const char *xml;
	const char *reason;
};

/* What the commit's outcome is told to, whoever still waits. */
struct configmgr_registered {
	struct configmgr_registered *prev, *next; /* of those on their way */
	struct configmgr *configmgr;
	struct configmgr_client client;
	bool again, key_changed;
};

static void registered_stored(struct configmgr *configmgr, void *private_data)
{
	const struct configmgr_registered *registered = private_data;
	struct configmgr_counters *counters = &configmgr->counters;

	configmgr_clients_put(configmgr->clients, &registered->client);
	counters->registered += !registered->again;
	counters->registered_again += registered->again;
	counters->key_changes += registered->key_changed;
}

static int registered_destructor(struct configmgr_registered *registered)
{
	struct configmgr *configmgr = registered->configmgr;

	if (registered->prev != NULL) {
		registered->prev->next = registered->next;
	} else {
		configmgr->registrations = registered->next;
	}
	if (registered->next != NULL) {
		registered->next->prev = registered->prev;
	}
	configmgr->registering--;
	return 0;
}

/* With it goes the certainty that the table has room for it. */
static everr_t registered_create(struct register_state *state,
				 struct configmgr_registered **ret_registered)
{
	struct configmgr *configmgr = state->configmgr;
	struct configmgr_registered *registered = NULL;
	everr_t err;

	err = configmgr_clients_reserve(configmgr->clients,
					configmgr->registering + 1);
	if (err != EVERR_OK) {
		return err;
	}
	registered = talloc_zero(state, struct configmgr_registered);
	if (registered == NULL) {
		return EVERR_NOMEM;
	}
	registered->configmgr = configmgr;
	registered->client = state->client;
	registered->client.host = NULL;
	registered->again = state->again;
	registered->key_changed = state->key_changed;
	registered->next = configmgr->registrations;
	if (registered->next != NULL) {
		registered->next->prev = registered;
	}
	configmgr->registrations = registered;
	configmgr->registering++;
	talloc_set_destructor(registered, registered_destructor);
	*ret_registered = registered;
	return EVERR_OK;
}

static void reply(struct tevent_req *req, enum registration_status status)
{
	struct register_state *state =
		tevent_req_data(req, struct register_state);
	struct soap_writer writer;
	struct buf out;
	everr_t err;

	buf_init(&out, state, REPLY_MAX);
	soap_writer_init(&writer, &out);
	soap_open(&writer, "ClientRegistrationResponse");
	soap_attribute(&writer, "SchemaVersion", "1.00");
	if (status == STATUS_OK) {
		soap_attribute(&writer, "SMSID", state->smsid);
	}
	soap_attribute_int(&writer, "Status", status);
	soap_close(&writer);
	err = soap_writer_end(&writer);
	buf_put_u8(&out, 0);
	if (err == EVERR_OK) {
		err = buf_error(&out);
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	state->xml = (const char *)out.data;
	tevent_req_done(req);
}

static void refuse(struct tevent_req *req, enum registration_status status,
		   const char *reason)
{
	struct register_state *state =
		tevent_req_data(req, struct register_state);

	state->reason = reason;
	reply(req, status);
}

static void malformed(struct tevent_req *req, everr_t err, const char *reason)
{
	struct register_state *state =
		tevent_req_data(req, struct register_state);

	state->reason = reason;
	tevent_req_error(req, err);
}

static void register_stored(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	everr_t err;

	err = configmgr_store_recv(subreq);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	reply(req, STATUS_OK);
}

/* What the event says of the signature. */
static enum bridge_signature signature_of(const struct register_state *state)
{
	if (state->signature != BRIDGE_SIGNATURE_SELF_ASSERTED ||
	    !state->again) {
		return state->signature;
	}
	return state->key_changed ? BRIDGE_SIGNATURE_OTHER_KEY
				  : BRIDGE_SIGNATURE_VALID;
}

static everr_t registered_event(struct register_state *state,
				struct configmgr_change *change)
{
	char key[2 * CONFIGMGR_KEY_SIZE + 1];
	const struct bridge_registration made = {
		.client_id = state->smsid,
		.host = state->request.host,
		.fqdn = state->request.fqdn,
		.agent = state->request.agent,
		.agent_version = state->request.agent_version,
		.key_sha256 = key,
		.again = state->again,
		.key_changed = state->key_changed,
	};
	struct bridge_message message = state->message->message;
	size_t i;

	message.signature = signature_of(state);
	for (i = 0; i < CONFIGMGR_KEY_SIZE; i++) {
		static const char digits[] = "0123456789ABCDEF";

		key[2 * i] = digits[state->client.key[i] >> 4];
		key[2 * i + 1] = digits[state->client.key[i] & 15];
	}
	key[2 * i] = '\0';
	change->events = bridge_events_create(state);
	if (change->events == NULL) {
		return EVERR_NOMEM;
	}
	return bridge_configmgr_registered(change->events, &state->origin,
					   &message, &made);
}

static void register_commit(struct tevent_req *req, const struct ev_guid *id)
{
	struct register_state *state =
		tevent_req_data(req, struct register_state);
	struct configmgr *configmgr = state->configmgr;
	struct store_state client_state;
	struct configmgr_change change = {
		.id = id,
		.states = &client_state,
		.num_states = 1,
		.now = state->origin.received,
		.stored = registered_stored,
	};
	struct configmgr_registered *registered = NULL;
	struct tevent_req *subreq = NULL;
	everr_t err;

	err = configmgr_clients_state(state, &state->client, &client_state);
	if (err == EVERR_OK) {
		err = registered_event(state, &change);
	}
	if (err == EVERR_OK) {
		err = registered_create(state, &registered);
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	change.private_data = registered;
	subreq = configmgr_store_send(state, configmgr->ev, configmgr, &change);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, register_stored, req);
}

/* -------------------------------------------------------------- decisions */

/* NULL: the registration may go on; else why it is refused. */
static const char *signature_refusal(const struct configmgr *configmgr,
				     enum bridge_signature signature)
{
	if (configmgr->config->signatures == CONFIGMGR_SIGNATURES_OFF ||
	    signature == BRIDGE_SIGNATURE_SELF_ASSERTED) {
		return NULL;
	}
	if (signature == BRIDGE_SIGNATURE_INVALID) {
		return "the registration's signature is not by the key that it "
		       "registers";
	}
	if (configmgr->config->signatures == CONFIGMGR_SIGNATURES_REQUIRED) {
		return "the registration is not signed, and signatures are "
		       "required";
	}
	return NULL;
}

/* By the certificate in it: what proves that the sender has its key. */
static everr_t register_verify(struct register_state *state,
			       const struct bridge_part *part,
			       enum bridge_signature *ret_signature)
{
	const struct request *request = &state->request;
	const uint8_t *data = NULL;
	size_t data_len = 0;
	struct buf der;
	everr_t err;

	buf_init(&der, state, CCM_CERTIFICATE_MAX);
	err = ccm_hex_decode(&der, (const char *)request->signing.data);
	if (err == EVERR_OK) {
		err = ccm_certificate_key(der.data, der.len, state->client.key);
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (request->signature.len <= 1) {
		*ret_signature = BRIDGE_SIGNATURE_NONE;
	} else if (!ccm_element(part->data, part->len, "Data", &data,
				&data_len)) {
		*ret_signature = BRIDGE_SIGNATURE_INVALID;
	} else {
		*ret_signature = ccm_signature_verify_text(
			der.data, der.len,
			request->hash_algorithm[0] != '\0'
				? request->hash_algorithm
				: NULL,
			(const char *)request->signature.data, data, data_len);
	}
	buf_free(&der);
	return EVERR_OK;
}

/*
 * Whether another key for this client is on its way to disk.  What becomes of
 * it decides about this one.
 */
static bool other_key_coming(const struct configmgr *configmgr,
			     const struct configmgr_client *client)
{
	const struct configmgr_registered *coming = NULL;

	for (coming = configmgr->registrations; coming != NULL;
	     coming = coming->next) {
		if (ev_guid_equal(&coming->client.id, &client->id) &&
		    memcmp(coming->client.key, client->key,
			   sizeof(client->key)) != 0) {
			return true;
		}
	}
	return false;
}

/* Which client it is, and what of it is known. */
static void register_client(struct tevent_req *req)
{
	struct register_state *state =
		tevent_req_data(req, struct register_state);
	struct configmgr *configmgr = state->configmgr;
	const struct configmgr_config *config = configmgr->config;
	struct configmgr_client *client = &state->client;
	const struct configmgr_client *known = NULL;
	struct tevent_req *subreq = NULL;
	struct ev_guid content;
	bool differs = false;
	uint64_t digest = 0;

	known = configmgr_clients_find(configmgr->clients, &client->id);
	state->again = known != NULL;
	state->key_changed = known != NULL && memcmp(known->key, client->key,
						     sizeof(client->key)) != 0;
	if (state->key_changed &&
	    config->signatures == CONFIGMGR_SIGNATURES_REQUIRED) {
		refuse(req, STATUS_REJECTED,
		       "the client is registered with another key, and "
		       "signatures are required; let it take a new id, or "
		       "register while they are not required");
		return;
	}
	if (known == NULL && configmgr_clients_count(configmgr->clients) +
					     configmgr->registering >=
				     config->clients_max) {
		refuse(req, STATUS_FAILED,
		       "as many clients as clients_max allows are registered");
		return;
	}
	if (other_key_coming(configmgr, client)) {
		/* It is told to come again. */
		tevent_req_error(req, EVERR_EXISTS);
		return;
	}
	client->last = state->origin.received;
	client->first = known != NULL ? known->first : client->last;
	client->host = state->request.host;

	request_identify(&state->request, client, &content);
	if (known != NULL && !state->key_changed &&
	    configmgr_replay_find(configmgr->seen, &content, client->last,
				  &digest)) {
		configmgr->counters.replays++;
		reply(req, STATUS_OK);
		return;
	}
	subreq = configmgr_store_join_send(state, configmgr, &content, 0,
					   &differs);
	if (subreq != NULL) {
		configmgr->counters.replays++;
		tevent_req_set_callback(subreq, register_stored, req);
		return;
	}
	register_commit(req, &content);
}

/*
 * Without a signature nobody has proved to have the key: its client would be
 * given this id when it asks for its own.
 */
static bool key_is_anothers(const struct register_state *state)
{
	const struct configmgr_client *known = NULL;

	if (state->signature == BRIDGE_SIGNATURE_SELF_ASSERTED) {
		return false;
	}
	known = configmgr_clients_find_key(state->configmgr->clients,
					   state->client.key);
	return known != NULL && !ev_guid_equal(&known->id, &state->client.id);
}

static void register_request(struct tevent_req *req)
{
	struct register_state *state =
		tevent_req_data(req, struct register_state);
	struct configmgr *configmgr = state->configmgr;
	const struct bridge_message *message = &state->message->message;
	struct request *request = &state->request;
	const char *refusal = NULL;
	everr_t err = EVERR_TEXT;

	if (message->num_parts > 0) {
		err = request_parse(state, &message->parts[0], request);
	}
	if (err == EVERR_NOMEM) {
		tevent_req_error(req, err);
		return;
	}
	if (err != EVERR_OK) {
		malformed(req, err, "the registration is not well-formed");
		return;
	}
	if (!request->is_one) {
		malformed(req, EVERR_TEXT,
			  "a message to MP_ClientRegistration is no "
			  "ClientRegistrationRequest");
		return;
	}
	err = register_verify(state, &message->parts[0], &state->signature);
	if (err == EVERR_NOMEM) {
		tevent_req_error(req, err);
		return;
	}
	if (err != EVERR_OK) {
		malformed(req, err,
			  "the registration's signing certificate is missing, "
			  "or can't be used");
		return;
	}
	refusal = signature_refusal(configmgr, state->signature);
	if (refusal != NULL) {
		refuse(req, STATUS_REJECTED, refusal);
		return;
	}
	if (request->smsid[0] == '\0') {
		client_mint(configmgr, state->client.key, &state->client.id);
	} else if (configmgr_smsid_parse(request->smsid, &state->client.id) !=
		   EVERR_OK) {
		malformed(req, EVERR_TEXT,
			  "the registration's SMSID is not GUID: and a GUID");
		return;
	}
	if (key_is_anothers(state)) {
		refuse(req, STATUS_REJECTED,
		       "the registration is not signed, and its key is that of "
		       "another client");
		return;
	}
	state->smsid = configmgr_smsid_format(state, &state->client.id);
	if (tevent_req_nomem(state->smsid, req)) {
		return;
	}
	register_client(req);
}

struct tevent_req *configmgr_register_send(TALLOC_CTX *mem_ctx,
					   struct tevent_context *ev,
					   struct configmgr *configmgr,
					   const struct bridge_origin *origin,
					   const struct ccm_message *message)
{
	struct register_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct register_state);
	if (req == NULL) {
		return NULL;
	}
	state->configmgr = configmgr;
	state->origin = *origin;
	state->message = message;
	register_request(req);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

everr_t configmgr_register_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				const char **ret_xml, const char **ret_reason)
{
	struct register_state *state =
		tevent_req_data(req, struct register_state);
	everr_t err = configmgr_store_recv(req);

	/* Reasons are literals. */
	*ret_reason = state->reason;
	if (err == EVERR_OK) {
		*ret_xml = talloc_steal(mem_ctx, state->xml);
	}
	tevent_req_received(req);
	return err;
}
