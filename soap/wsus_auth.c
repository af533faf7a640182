/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The authorization phase, [MS-WSUSSS] 3.1.4.1 to 3.1.4.3. */

#include "base/wintime.h"
#include "soap/wsus_sync.h"
#include "soap/wsus_tables.h"

#include <string.h>

#define PLUG_IN "DssTargeting"
/* RFC 1035 2.3.4 */
#define LABEL_MAX 63

static struct wsus *call_wsus(const struct soap_call *call)
{
	return call->private_data;
}

/* ------------------------------------------------------------ GetAuthConfig */

static void get_auth_config(struct soap_call *call)
{
	struct soap_writer *writer = soap_answer_begin(call, 0);

	soap_open(writer, "GetAuthConfigResult");
	/* Nobody looks at it. */
	soap_put_time(writer, "LastChange", wintime_now());
	soap_open(writer, "AuthInfo");
	soap_open(writer, "AuthPlugInInfo");
	soap_put(writer, "PlugInID", PLUG_IN);
	soap_put(writer, "ServiceUrl",
		 "DssAuthWebService/DssAuthWebService.asmx");
	soap_put_empty(writer, "Parameter");
	soap_close(writer);
	soap_close(writer);
	soap_close(writer);
	call_wsus(call)->calls++;
	soap_answer(call);
}

const struct soap_operation wsus_get_auth_config = {
	.name = "GetAuthConfig",
	.finish = get_auth_config,
};

/* --------------------------------------------------- GetAuthorizationCookie */

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A host's name; Windows' may have an underscore, and need no domain. */
static bool name_valid(const char *name)
{
	size_t label = 0;
	size_t i;

	if (name == NULL || *name == '\0' ||
	    strlen(name) > WSUS_COOKIE_NAME_MAX) {
		return false;
	}
	for (i = 0; name[i] != '\0'; i++) {
		if (name[i] == '.') {
			if (label == 0) {
				return false;
			}
			label = 0;
			continue;
		}
		if (!is_label_char(name[i]) || ++label > LABEL_MAX) {
			return false;
		}
	}
	return true;
}

struct authorization {
	const char *name;
	struct ev_guid id;
};

/*
 * [MS-WSUSSS] 3.1.4.2.  Some clients put the guid where the name belongs and
 * the other way round, or have no guid of their own yet.
 */
static bool read_account(struct soap_call *call,
			 struct authorization *authorization)
{
	bool strict = call_wsus(call)->config.strict_accounts;
	const char *name = soap_text(call->request, "accountName");
	const char *guid = soap_text(call->request, "accountGuid");
	everr_t err;

	err = soap_get_guid(guid, &authorization->id);
	if (err != EVERR_OK && !strict && guid != NULL) {
		err = soap_get_guid(name, &authorization->id);
		if (err == EVERR_OK) {
			name = guid;
		}
	}
	if (!name_valid(name)) {
		wsus_fault_parameter(call, "accountName");
		return false;
	}
	if (err != EVERR_OK ||
	    (strict && ev_guid_is_zero(&authorization->id))) {
		wsus_fault_parameter(call, "accountGuid");
		return false;
	}
	authorization->name = name;
	return true;
}

/* *ret_sealed is a child of the call, whatever comes of it. */
static everr_t seal_cookie(struct soap_call *call,
			   const struct wsus_cookie *cookie,
			   struct buf *ret_sealed)
{
	buf_init(ret_sealed, call, WSUS_COOKIE_MAX);
	return wsus_cookie_seal(call_wsus(call)->cookies, cookie, ret_sealed);
}

static uint64_t cookie_expiry(const struct wsus *wsus)
{
	return wintime_now() + wsus->config.cookie_seconds * WINTIME_SECOND;
}

static void answer_authorization(struct soap_call *call)
{
	const struct authorization *authorization = call->state;
	struct wsus *wsus = call_wsus(call);
	struct wsus_cookie cookie = {.kind = WSUS_COOKIE_AUTHORIZATION};
	struct soap_writer *writer = NULL;
	struct buf sealed;
	everr_t err;

	cookie.dss = authorization->id;
	cookie.uss = wsus->server_id;
	cookie.expires = cookie_expiry(wsus);
	memcpy(cookie.name, authorization->name,
	       strlen(authorization->name) + 1);
	err = seal_cookie(call, &cookie, &sealed);
	if (err != EVERR_OK) {
		wsus_fault_failed(call, err);
		return;
	}
	writer = soap_answer_begin(call, 0);
	soap_open(writer, "GetAuthorizationCookieResult");
	soap_put(writer, "PlugInId", PLUG_IN);
	soap_put_base64(writer, "CookieData", sealed.data, sealed.len);
	soap_close(writer);
	wsus->calls++;
	soap_answer(call);
}

static void contact_done(struct tevent_req *req)
{
	struct soap_call *call = tevent_req_callback_data_void(req);
	bool is_new = false;
	everr_t err;

	err = wsus_tables_contact_recv(req, &is_new);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		wsus_fault_failed(call, err);
		return;
	}
	answer_authorization(call);
}

static void get_authorization_cookie(struct soap_call *call)
{
	struct authorization *authorization = call->state;
	struct wsus *wsus = call_wsus(call);
	struct bridge_origin origin;
	struct tevent_req *req = NULL;

	if (!read_account(call, authorization)) {
		return;
	}
	wsus_origin(wsus, call->exchange, &origin);
	req = wsus_tables_contact_send(call, wsus, &origin, &authorization->id,
				       authorization->name);
	if (req == NULL) {
		wsus_fault_failed(call, EVERR_NOMEM);
		return;
	}
	tevent_req_set_callback(req, contact_done, call);
}

static const struct soap_operation get_authorization_cookie_operation = {
	.name = "GetAuthorizationCookie",
	.state_size = sizeof(struct authorization),
	.finish = get_authorization_cookie,
};

const struct soap_operation *const wsus_auth_operations[] = {
	&get_authorization_cookie_operation,
	&soap_ping,
	NULL,
};

/* ---------------------------------------------------------------- GetCookie */

/* The one authorization cookie, opened.  False: a fault was given. */
static bool open_authorization(struct soap_call *call,
			       struct wsus_cookie *cookie)
{
	const struct soap_node *cookies =
		soap_child(call->request, "authCookies");
	const struct soap_node *first =
		soap_child(cookies, "AuthorizationCookie");
	struct wsus *wsus = call_wsus(call);
	struct buf sealed;
	everr_t err;

	if (wsus_count(cookies, "AuthorizationCookie") != 1) {
		wsus_fault_parameter(call, "authCookies");
		return false;
	}
	buf_init(&sealed, call, WSUS_COOKIE_ROOM);
	err = soap_get_base64(soap_text(first, "CookieData"), &sealed);
	if (err == EVERR_OK) {
		err = wsus_cookie_open(wsus->cookies, WSUS_COOKIE_AUTHORIZATION,
				       sealed.data, sealed.len, cookie);
	}
	buf_free(&sealed);
	if (err == EVERR_OK && cookie->expires <= wintime_now()) {
		err = EVERR_TIMEOUT;
	}
	if (err != EVERR_OK) {
		wsus_fault_cookie(call, "InvalidAuthorizationCookie", err);
		return false;
	}
	if (!ev_guid_equal(&cookie->uss, &wsus->server_id)) {
		soap_fault(call, "ServerChanged", NULL);
		return false;
	}
	return true;
}

/* The session's cookie takes over what the authorization's said. */
static bool make_session(struct soap_call *call, struct wsus_cookie *cookie)
{
	const char *version = soap_text(call->request, "protocolVersion");
	uint64_t expires = cookie_expiry(call_wsus(call));
	uint32_t minor;

	if (!wsus_version_check(call, version, &minor)) {
		return false;
	}
	cookie->kind = WSUS_COOKIE_SESSION;
	memcpy(cookie->version, version, strlen(version) + 1);
	if (cookie->expires > expires) {
		cookie->expires = expires;
	}
	return true;
}

static void answer_cookie(struct soap_call *call)
{
	const struct wsus_cookie *cookie = call->state;
	struct soap_writer *writer = NULL;
	struct buf sealed;
	everr_t err;

	err = seal_cookie(call, cookie, &sealed);
	if (err != EVERR_OK) {
		wsus_fault_failed(call, err);
		return;
	}
	writer = soap_answer_begin(call, 0);
	soap_open(writer, "GetCookieResult");
	soap_put_time(writer, "Expiration", cookie->expires);
	soap_put_base64(writer, "EncryptedData", sealed.data, sealed.len);
	soap_close(writer);
	call_wsus(call)->calls++;
	soap_answer(call);
}

static void sync_started_done(struct tevent_req *req)
{
	struct soap_call *call = tevent_req_callback_data_void(req);
	everr_t err;

	err = wsus_commit_recv(req);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		wsus_fault_failed(call, err);
		return;
	}
	answer_cookie(call);
}

/* The event is on disk before the cookie goes out. */
static everr_t report_sync_started(struct soap_call *call)
{
	const struct wsus_cookie *cookie = call->state;
	struct bridge_wsus_server server = {.id = cookie->dss,
					    .name = cookie->name};
	struct bridge_events *events = bridge_events_create(call);
	struct tevent_req *req = NULL;
	struct bridge_origin origin;
	everr_t err;

	if (events == NULL) {
		return EVERR_NOMEM;
	}
	wsus_origin(call_wsus(call), call->exchange, &origin);
	err = bridge_wsus_sync_started(events, &origin, &server,
				       cookie->version);
	if (err != EVERR_OK) {
		return err;
	}
	req = wsus_commit_send(call, call_wsus(call), events, NULL, 0);
	talloc_free(events);
	if (req == NULL) {
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(req, sync_started_done, call);
	return EVERR_OK;
}

/* oldCookie may be anything: [MS-WSUSSS] 3.1.4.3 makes nothing of it. */
static void get_cookie(struct soap_call *call)
{
	struct wsus_cookie *cookie = call->state;
	everr_t err;

	if (!open_authorization(call, cookie) || !make_session(call, cookie)) {
		return;
	}
	err = report_sync_started(call);
	if (err != EVERR_OK) {
		wsus_fault_failed(call, err);
	}
}

const struct soap_operation wsus_get_cookie = {
	.name = "GetCookie",
	.state_size = sizeof(struct wsus_cookie),
	.finish = get_cookie,
};
