/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/configmgr.h"

#include "bridge/configmgr_event.h"
#include "bridge/decode.h"
#include "bridge/document.h"

#include <string.h>

#define CLIENT_ID_PREFIX "GUID:"

const struct bridge_provider bridge_configmgr_provider = {
	.name = BRIDGE_CONFIGMGR_PROVIDER,
	.guid = {{0x49, 0xD4, 0x06, 0x7D, 0x7B, 0x68, 0x83, 0x4C, 0x98, 0x9F,
		  0xA0, 0xB0, 0x9D, 0x84, 0x20, 0x30}},
	.channel = BRIDGE_CONFIGMGR_CHANNEL,
};

static const struct bridge_kind registered = {
	.id = BRIDGE_CONFIGMGR_REGISTERED,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = CONFIGMGR_TASK_REGISTRATION,
	.keywords = CONFIGMGR_KEYWORD_REGISTRATION,
};
static const struct bridge_kind rejected = {
	.id = BRIDGE_CONFIGMGR_REJECTED,
	.level = BRIDGE_LEVEL_WARNING,
	.task = CONFIGMGR_TASK_SECURITY,
	.keywords = CONFIGMGR_KEYWORD_REJECTED,
};
static const struct bridge_kind file_rejected = {
	.id = BRIDGE_CONFIGMGR_FILE_REJECTED,
	.level = BRIDGE_LEVEL_WARNING,
	.task = CONFIGMGR_TASK_SECURITY,
	.keywords = CONFIGMGR_KEYWORD_FILE | CONFIGMGR_KEYWORD_REJECTED,
};

const char *configmgr_first(const char *a, const char *b, const char *c)
{
	if (a != NULL && a[0] != '\0') {
		return a;
	}
	if (b != NULL && b[0] != '\0') {
		return b;
	}
	return c != NULL && c[0] != '\0' ? c : NULL;
}

static const char *signature_name(enum bridge_signature signature)
{
	switch (signature) {
	case BRIDGE_SIGNATURE_NONE:
		return "none";
	case BRIDGE_SIGNATURE_INVALID:
		return "invalid";
	case BRIDGE_SIGNATURE_SELF_ASSERTED:
		return "self-asserted";
	case BRIDGE_SIGNATURE_VALID:
		return "valid";
	case BRIDGE_SIGNATURE_OTHER_KEY:
		return "other key";
	case BRIDGE_SIGNATURE_NOT_CHECKED:
		return "not checked";
	}
	return NULL;
}

bool configmgr_is_suspect(const struct bridge_message *message)
{
	return message->signature == BRIDGE_SIGNATURE_INVALID ||
	       message->signature == BRIDGE_SIGNATURE_OTHER_KEY;
}

bool configmgr_is_mismatch(const struct bridge_message *message,
			   const char *client_id)
{
	return message->source_id != NULL && client_id != NULL &&
	       strcasecmp(message->source_id, client_id) != 0;
}

bool configmgr_client_id_valid(const char *text)
{
	struct ev_guid guid;

	if (strncasecmp(text, CLIENT_ID_PREFIX, strlen(CLIENT_ID_PREFIX)) !=
	    0) {
		return false;
	}
	text += strlen(CLIENT_ID_PREFIX);
	return text[0] != '{' && ev_guid_parse(text, &guid) == EVERR_OK;
}

void configmgr_put_message(struct bridge_event *event,
			   const struct bridge_message *message)
{
	static const struct bridge_message none = {};
	const char *signature = NULL;

	if (message == NULL) {
		message = &none;
	} else {
		signature = signature_name(message->signature);
	}
	bridge_put_text(event, "MessageId", message->id);
	bridge_put_text(event, "SourceId", message->source_id);
	bridge_put_text(event, "SourceHost", message->source_host);
	bridge_put_text(event, "Endpoint", message->endpoint);
	bridge_put_time(event, "SentTime", message->sent);
	bridge_put_text(event, "SignatureState", signature);
}

/* What the endpoints' messages become; facts, section 5. */
static const struct {
	const char *endpoint;
	configmgr_message_fn fn;
} endpoints[] = {
	{"MP_DdrEndpoint", configmgr_discovery},
	{"MP_HinvEndpoint", configmgr_hardware_inventory},
	{"MP_SinvEndpoint", configmgr_software_inventory},
	{"MP_RelayEndpoint", configmgr_state},
	{"StatusReceiver", configmgr_status},
	{"MP_StatusReceiver", configmgr_status},
};

static configmgr_message_fn find_endpoint(const char *endpoint)
{
	size_t i;

	for (i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
		if (strcasecmp(endpoint, endpoints[i].endpoint) == 0) {
			return endpoints[i].fn;
		}
	}
	return NULL;
}

everr_t bridge_configmgr_message(struct bridge_events *out,
				 const struct bridge_origin *origin,
				 const struct bridge_message *message,
				 const char **ret_reason)
{
	size_t before = out->num_documents;
	configmgr_message_fn fn = NULL;
	const char *reason = NULL;
	TALLOC_CTX *tmp_ctx = NULL;
	everr_t err;

	fn = message->endpoint == NULL ? NULL
				       : find_endpoint(message->endpoint);
	if (fn == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	tmp_ctx = talloc_new(out);
	if (tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	err = fn(out, tmp_ctx, origin, message, &reason);
	if (err != EVERR_OK) {
		bridge_events_truncate(out, before);
	}
	if (err == EVERR_TEXT || err == EVERR_LIMIT) {
		err = bridge_refuse(out, err, ret_reason, "%s",
				    reason != NULL ? reason
						   : BRIDGE_REASON_LIMIT);
	}
	talloc_free(tmp_ctx);
	return err;
}

everr_t bridge_configmgr_registered(struct bridge_events *out,
				    const struct bridge_origin *origin,
				    const struct bridge_message *message,
				    const struct bridge_registration *made)
{
	struct bridge_event event;

	bridge_event_begin(&event, &bridge_configmgr_provider, &registered,
			   origin);
	event.time = message->sent;
	event.computer =
		configmgr_first(made->fqdn, made->host, message->source_host);
	if (made->key_changed) {
		event.level = BRIDGE_LEVEL_WARNING;
	}
	bridge_put_text(&event, "ComputerName", event.computer);
	bridge_put_text(&event, "ClientId", made->client_id);
	bridge_put_text(&event, "NetBIOSName", made->host);
	bridge_put_text(&event, "FQDN", made->fqdn);
	bridge_put_text(&event, "Agent", made->agent);
	bridge_put_text(&event, "AgentVersion", made->agent_version);
	bridge_put_text(&event, "KeySha256", made->key_sha256);
	bridge_put_bool(&event, "Again", made->again);
	bridge_put_bool(&event, "KeyChanged", made->key_changed);
	configmgr_put_message(&event, message);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_configmgr_rejected(struct bridge_events *out,
				  const struct bridge_origin *origin,
				  const struct bridge_message *message,
				  const char *reason, const char *quarantine)
{
	struct bridge_event event;

	bridge_event_begin(&event, &bridge_configmgr_provider, &rejected,
			   origin);
	configmgr_put_message(&event, message);
	bridge_put_text(&event, "Reason", reason);
	bridge_put_text(&event, "Quarantine", quarantine);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_configmgr_file_rejected(struct bridge_events *out,
				       const struct bridge_origin *origin,
				       const char *file, const char *reason)
{
	struct bridge_event event;

	bridge_event_begin(&event, &bridge_configmgr_provider, &file_rejected,
			   origin);
	bridge_put_text(&event, "File", file);
	bridge_put_text(&event, "Reason", reason);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}
