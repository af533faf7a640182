/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_sync.h"

#include "base/wintime.h"

#include <string.h>

const struct soap_operation *const wsus_sync_operations[] = {
	&wsus_get_auth_config,
	&wsus_get_cookie,
	&wsus_get_config_data,
	&wsus_get_revision_id_list,
	&wsus_get_update_data,
	&wsus_get_update_decryption_data,
	&wsus_get_driver_id_list,
	&wsus_get_driver_set_data,
	&wsus_get_deployments,
	&wsus_download_files,
	&wsus_get_related_revisions,
	&soap_ping,
	NULL,
};

void wsus_fault_parameter(struct soap_call *call, const char *parameter)
{
	soap_fault(call, "InvalidParameters", parameter);
}

void wsus_fault_failed(struct soap_call *call, everr_t err)
{
	/* Too much is queued, or there are too many servers. */
	bool busy = err == EVERR_LIMIT;

	soap_fault(call, busy ? "ServerBusy" : "InternalServerError",
		   everr_text(err));
}

void wsus_fault_cookie(struct soap_call *call, const char *error_code,
		       everr_t err)
{
	const char *reason =
		"it can't be read: it was damaged on its way, or another "
		"server, or this one before it was set up anew, has made it";

	if (err == EVERR_TIMEOUT) {
		reason = "it has expired; the downstream server gets a new "
			 "one by itself";
	} else if (err == EVERR_NOT_FOUND) {
		reason = "the request has none";
	}
	soap_fault_reason(call, error_code, NULL, reason);
}

/* Digits up to end; false: none, or too many. */
static bool version_part(const char *text, const char *end, uint32_t *ret_part)
{
	uint32_t part = 0;

	if (text == end || end - text > 5) {
		return false;
	}
	for (; text < end; text++) {
		if (*text < '0' || *text > '9') {
			return false;
		}
		part = part * 10 + (uint32_t)(*text - '0');
	}
	*ret_part = part;
	return true;
}

bool wsus_version_check(struct soap_call *call, const char *version,
			uint32_t *ret_minor)
{
	const char *dot = version != NULL ? strchr(version, '.') : NULL;
	uint32_t major, minor;

	if (dot == NULL || !version_part(version, dot, &major) ||
	    !version_part(dot + 1, dot + strlen(dot), &minor)) {
		wsus_fault_parameter(call, "protocolVersion");
		return false;
	}
	if (major != 1) {
		soap_fault(call, "IncompatibleProtocolVersion", NULL);
		return false;
	}
	*ret_minor = minor;
	return true;
}

/* Expiration beside it is the client's word and not looked at. */
static everr_t open_cookie(struct soap_call *call, struct wsus_cookie *cookie)
{
	const struct wsus *wsus = call->private_data;
	const struct soap_node *node = soap_child(call->request, "cookie");
	struct buf sealed;
	everr_t err;

	buf_init(&sealed, call, WSUS_COOKIE_ROOM);
	err = soap_get_base64(soap_text(node, "EncryptedData"), &sealed);
	if (err == EVERR_OK) {
		err = wsus_cookie_open(wsus->cookies, WSUS_COOKIE_SESSION,
				       sealed.data, sealed.len, cookie);
	}
	buf_free(&sealed);
	if (err == EVERR_OK && cookie->expires <= wintime_now()) {
		err = EVERR_TIMEOUT;
	}
	return err;
}

bool wsus_session_check(struct soap_call *call,
			struct wsus_session *ret_session)
{
	const struct wsus *wsus = call->private_data;
	struct wsus_session session;
	everr_t err;

	err = open_cookie(call, &session.cookie);
	if (err != EVERR_OK) {
		wsus_fault_cookie(call, "InvalidCookie", err);
		return false;
	}
	if (!ev_guid_equal(&session.cookie.uss, &wsus->server_id)) {
		soap_fault(call, "ServerChanged", NULL);
		return false;
	}
	if (!wsus_version_check(call, session.cookie.version, &session.minor)) {
		return false;
	}
	*ret_session = session;
	return true;
}

everr_t wsus_sync_anchor(const struct wsus_catalogue *catalogue,
			 const struct soap_node *node, const char *name,
			 struct wsus_anchor *ret_anchor)
{
	struct wsus_anchor anchor, now;
	everr_t err;

	err = wsus_anchor_parse(soap_text(node, name), &anchor);
	if (err != EVERR_OK) {
		return err;
	}
	now = wsus_anchor_at(catalogue->changed.number, wintime_now());
	if (anchor.time > now.time) {
		anchor.time = now.time;
		anchor.number =
			anchor.number < now.number ? anchor.number : now.number;
	}
	*ret_anchor = anchor;
	return EVERR_OK;
}

void wsus_put_anchor(struct soap_writer *writer, const char *name,
		     const struct wsus *wsus)
{
	struct wsus_anchor anchor =
		wsus_anchor_at(wsus->catalogue->changed.number, wintime_now());
	char text[WSUS_ANCHOR_TEXT_MAX];

	wsus_anchor_format(&anchor, text);
	soap_put(writer, name, text);
}

everr_t wsus_get_identity(const struct soap_node *node, struct ev_guid *ret_id,
			  int32_t *ret_revision)
{
	int64_t revision = 0;
	struct ev_guid id;
	everr_t err;

	err = soap_get_guid(soap_text(node, "UpdateID"), &id);
	if (err == EVERR_OK) {
		err = soap_get_int(soap_text(node, "RevisionNumber"), INT32_MIN,
				   INT32_MAX, &revision);
		err = err == EVERR_NOT_FOUND ? EVERR_OK : err;
	}
	if (err != EVERR_OK) {
		return EVERR_TEXT;
	}
	*ret_id = id;
	*ret_revision = (int32_t)revision;
	return EVERR_OK;
}

void wsus_put_identity(struct soap_writer *writer, const char *name,
		       const struct ev_guid *id, int32_t revision)
{
	soap_open(writer, name);
	soap_put_guid(writer, "UpdateID", id);
	soap_put_int(writer, "RevisionNumber", revision);
	soap_close(writer);
}

size_t wsus_count(const struct soap_node *array, const char *name)
{
	const struct soap_node *item = soap_child(array, name);
	size_t num = 0;

	for (; item != NULL; item = soap_next(item)) {
		num++;
	}
	return num;
}
