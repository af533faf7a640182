/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/configmgr.h"

#include "bridge/configmgr_event.h"

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
