/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The WSUS server as a whole: what it keeps, and how long a cookie is good. */

#include "tests/soap/wsus_fixture.h"
#include "tests/soap/wsus_source.h"

#include "base/wintime.h"
#include "soap/wsus_cookie.h"

#include <nettle/base64.h>

static const char *call(struct wsus_fixture *w, struct soap_service *service,
			const char *operation, const char *body)
{
	struct http_exchange *exchange =
		fake_exchange(w, &soap_handler, service);
	char *text = talloc_asprintf(
		w,
		"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/"
		"envelope/'><s:Body><%s xmlns='%s'>%s</%s></s:Body>"
		"</s:Envelope>",
		operation, service->ns, body, operation);

	exchange->ev = w->f->ev;
	fake_header(exchange, "Content-Type", "text/xml; charset=utf-8");
	fake_begin(exchange);
	fake_body(exchange, text, strlen(text));
	fake_end(exchange);
	talloc_free(text);
	return wsus_answer(w, exchange);
}

static void assert_has(const char *answer, const char *want)
{
	if (strstr(answer, want) == NULL) {
		fail_msg("\"%s\" is not in %s", want, answer);
	}
}

static void assert_fault(const char *answer, const char *code)
{
	char want[100];

	snprintf(want, sizeof(want), "<ErrorCode>%s</ErrorCode>", code);
	assert_has(answer, want);
}

/* The text of an element; child of w. */
static char *element(struct wsus_fixture *w, const char *answer,
		     const char *name)
{
	char *tag = talloc_asprintf(w, "<%s>", name);
	const char *at = strstr(answer, tag);

	if (at == NULL) {
		fail_msg("no %s in %s", name, answer);
	}
	at += strlen(tag);
	return talloc_strndup(w, at, strcspn(at, "<"));
}

static const char *get_cookie(struct wsus_fixture *w, const char *data)
{
	char *body = talloc_asprintf(
		w,
		"<authCookies><AuthorizationCookie><CookieData>%s"
		"</CookieData></AuthorizationCookie></authCookies>"
		"<protocolVersion>1.20</protocolVersion>",
		data);

	return call(w, &w->wsus->sync, "GetCookie", body);
}

static const char *get_config(struct wsus_fixture *w, const char *data)
{
	char *body = talloc_asprintf(w,
				     "<cookie><Expiration>9999-12-31T23:59:59Z"
				     "</Expiration><EncryptedData>%s"
				     "</EncryptedData></cookie>",
				     data);

	return call(w, &w->wsus->sync, "GetConfigData", body);
}

/* A cookie of this server's own making. */
static char *sealed(struct wsus_fixture *w, enum wsus_cookie_kind kind,
		    uint64_t expires, const struct ev_guid *uss)
{
	struct wsus_cookie cookie = {.kind = kind,
				     .uss = *uss,
				     .expires = expires,
				     .version = "1.8"};
	struct buf data;
	char *text = NULL;

	buf_init(&data, w, WSUS_COOKIE_MAX);
	assert_int_equal(wsus_cookie_seal(w->wsus->cookies, &cookie, &data),
			 EVERR_OK);
	text = talloc_zero_size(w, BASE64_ENCODE_RAW_LENGTH(data.len) + 1);
	base64_encode_raw(text, data.len, data.data);
	return text;
}

static char *authorization(struct wsus_fixture *w)
{
	return sealed(w, WSUS_COOKIE_AUTHORIZATION,
		      wintime_now() + 60 * WINTIME_SECOND, &w->wsus->server_id);
}

static char *session(struct wsus_fixture *w)
{
	return element(w, get_cookie(w, authorization(w)), "EncryptedData");
}

static void test_an_expired_cookie_is_invalid(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const struct ev_guid *uss = &w->wsus->server_id;
	uint64_t past = wintime_now() - WINTIME_SECOND;
	uint64_t future = wintime_now() + 60 * WINTIME_SECOND;

	/* What the client says of Expiration is not looked at. */
	assert_fault(get_config(w, sealed(w, WSUS_COOKIE_SESSION, past, uss)),
		     "InvalidCookie");
	assert_has(get_config(w, sealed(w, WSUS_COOKIE_SESSION, future, uss)),
		   "<GetConfigDataResult>");
	assert_fault(
		get_cookie(w, sealed(w, WSUS_COOKIE_AUTHORIZATION, past, uss)),
		"InvalidAuthorizationCookie");
	/* Its event is on disk, and so are those before it. */
	assert_has(get_cookie(w, sealed(w, WSUS_COOKIE_AUTHORIZATION, future,
					uss)),
		   "<GetCookieResult>");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COOKIE_REFUSED), 2);
	wsus_last_event_has(w, BRIDGE_WSUS_COOKIE_REFUSED, "Reason",
			    "it has expired; the downstream server gets a new "
			    "one by itself");
}

static void test_a_session_ends_with_its_authorization(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	uint64_t soon = wintime_now() + 60 * WINTIME_SECOND;
	uint64_t expires = 0;
	char *text = NULL;

	text = element(w,
		       get_cookie(w, sealed(w, WSUS_COOKIE_AUTHORIZATION, soon,
					    &w->wsus->server_id)),
		       "Expiration");
	assert_int_equal(soap_get_time(text, &expires), EVERR_OK);
	assert_int_equal(expires, soon);
}

static void test_another_servers_cookie_is_told_so(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	uint64_t future = wintime_now() + 60 * WINTIME_SECOND;
	struct ev_guid other = {{1}};

	assert_fault(
		get_config(w, sealed(w, WSUS_COOKIE_SESSION, future, &other)),
		"ServerChanged");
	assert_fault(get_cookie(w, sealed(w, WSUS_COOKIE_AUTHORIZATION, future,
					  &other)),
		     "ServerChanged");
	/* The fault does not wait for its event. */
	fixture_until(w->f, wsus_events(w, BRIDGE_WSUS_COOKIE_REFUSED) == 2);
}

static void test_identity_and_cookies_outlive_a_restart(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct ev_guid server = w->wsus->server_id;
	struct ev_guid reset = w->wsus->rollup_reset_id;
	char *data = session(w);

	assert_false(ev_guid_is_zero(&server));
	assert_false(ev_guid_is_zero(&reset));
	assert_false(ev_guid_equal(&server, &reset));
	wsus_fixture_restart(w);
	assert_true(ev_guid_equal(&server, &w->wsus->server_id));
	assert_true(ev_guid_equal(&reset, &w->wsus->rollup_reset_id));
	assert_has(get_config(w, data), "<GetConfigDataResult>");
}

static void put_state(struct wsus_fixture *w, const char *name,
		      const void *data, size_t len)
{
	struct store_state row = {.name = name, .data = data, .len = len};
	struct tevent_req *req = wsus_commit_send(w, w->wsus, NULL, &row, 1);

	assert_true(tevent_req_poll(req, w->f->ev));
	assert_int_equal(wsus_commit_recv(req), EVERR_OK);
	talloc_free(req);
}

static void test_a_new_key_makes_cookies_invalid(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	char *data = session(w);

	put_state(w, "wsus/key", NULL, 0);
	wsus_fixture_restart(w);
	assert_fault(get_config(w, data), "InvalidCookie");
}

static void test_a_new_identity_is_told_to_who_knew_the_old_one(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	char *data = session(w);

	put_state(w, "wsus/server-id", NULL, 0);
	wsus_fixture_restart(w);
	assert_fault(get_config(w, data), "ServerChanged");
}

static void test_a_damaged_key_keeps_it_from_starting(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct wsus *wsus = NULL;
	char *message = NULL;

	put_state(w, "wsus/key", "x", 1);
	TALLOC_FREE(w->wsus);
	assert_int_equal(wsus_start(w->f, w->f->ev, &w->config, "host.example",
				    w->f->store, NULL, &wsus, &message),
			 EVERR_STORE_CORRUPT);
	assert_non_null(strstr(message, "wsus/key"));
}

static void test_strict_accounts_are_as_the_specification_says(void **state)
{
	static const char swapped[] =
		"<accountName>adb2fe48-0b2e-451e-8fc8-44b29845b0c6"
		"</accountName><accountGuid>dss.example</accountGuid>";
	static const char nobody[] =
		"<accountName>dss.example</accountName><accountGuid>"
		"00000000-0000-0000-0000-000000000000</accountGuid>";
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct soap_service *auth = &w->wsus->auth;

	w->wsus->config.strict_accounts = true;
	assert_fault(call(w, auth, "GetAuthorizationCookie", swapped),
		     "InvalidParameters");
	assert_fault(call(w, auth, "GetAuthorizationCookie", nobody),
		     "InvalidParameters");
}

static void test_a_reload_takes_a_catalogue_or_keeps_what_was(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct source *source = source_create(w);
	struct wsus_config config = w->config;
	char *message = NULL;
	char *index = NULL;
	int fd;

	source_put_update(source, "adb2fe48-0b2e-451e-8fc8-44b29845b0c6", 1,
			  "Software", "");
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	config.catalogue = source->catalogue;
	assert_int_equal(wsus_reload(w->wsus, &config, &message), EVERR_OK);
	assert_int_equal(w->wsus->catalogue->num_updates, 1);
	index = talloc_asprintf(source, "%s/" WSUS_INDEX_FILE,
				source->catalogue);
	fd = open(index, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "{", 1), 1);
	close(fd);
	assert_int_equal(wsus_reload(w->wsus, &config, &message), EVERR_CONFIG);
	assert_non_null(strstr(message, index));
	assert_int_equal(w->wsus->catalogue->num_updates, 1);
	talloc_free(message);
}

/* Markup grows most: "<a/>" becomes "&lt;a/&gt;". */
static void test_update_data_stays_below_its_bound(void **state)
{
	static const char *const ids[] = {
		"adb2fe48-0b2e-451e-8fc8-44b29845b0c6",
		"17e993cd-cf5a-4276-9944-6af62ff7139c",
		"36b1c48e-c741-4047-9b09-d38698ed34b3"};
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct source *source = source_create(w);
	struct wsus_config config = w->config;
	char *markup = talloc_zero_size(w, 350001);
	char *list = talloc_strdup(w, "");
	const char *answer = NULL;
	char *message = NULL;
	size_t i;

	for (i = 0; i < 350000; i++) {
		markup[i] = "<a/>"[i % 4];
	}
	for (i = 0; i < 3; i++) {
		source_put_update(source, ids[i], 1, "Software", markup);
		list = talloc_asprintf_append(
			list,
			"<UpdateIdentity><UpdateID>%s</UpdateID>"
			"<RevisionNumber>1</RevisionNumber></UpdateIdentity>",
			ids[i]);
	}
	assert_int_equal(source_import(source, SOURCE_TIME), EVERR_OK);
	config.catalogue = source->catalogue;
	assert_int_equal(wsus_reload(w->wsus, &config, &message), EVERR_OK);
	list = talloc_asprintf(
		w,
		"<cookie><EncryptedData>%s</EncryptedData></cookie>"
		"<updateIds>%s</updateIds>",
		sealed(w, WSUS_COOKIE_SESSION, UINT64_MAX, &w->wsus->server_id),
		list);
	answer = call(w, &w->wsus->sync, "GetUpdateData", list);
	assert_has(answer, ids[0]);
	assert_has(answer, ids[1]);
	assert_null(strstr(answer, ids[2]));
	assert_true(strlen(answer) < 2000000);
}

#define DEPLOYMENT                                                         \
	"{\"deployments\":[{\"id\":\"c2f2ca62-5413-419a-bdee-275a23087758" \
	"\",\"update\":\"adb2fe48-0b2e-451e-8fc8-44b29845b0c6\","          \
	"\"revision\":1,\"action\":\"install\",\"group\":"                 \
	"\"b73ca6ed-5727-47f3-84de-015e03f6a88a\"}]}"

static const char *get_deployments(struct wsus_fixture *w, const char *from,
				   const char *to)
{
	char *body = talloc_asprintf(
		w,
		"<cookie><EncryptedData>%s</EncryptedData></cookie>"
		"<deploymentAnchor>%s</deploymentAnchor>"
		"<syncAnchor>%s</syncAnchor>",
		sealed(w, WSUS_COOKIE_SESSION, UINT64_MAX, &w->wsus->server_id),
		from, to);

	return call(w, &w->wsus->sync, "GetDeployments", body);
}

/* The answer's anchor is the next call's first: it must not hide anything. */
static void test_an_anchor_of_the_future_hides_no_deployment(void **state)
{
	static const char future[] = "2000000000,2999-01-01 00:00:00.000";
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct source *source = source_create(w);
	struct wsus_config config = w->config;
	char *message = NULL;
	char *anchor = NULL;

	anchor = element(w, get_deployments(w, "", future), "Anchor");
	source_put_update(source, "adb2fe48-0b2e-451e-8fc8-44b29845b0c6", 1,
			  "Software", "");
	source_put_text(source, "catalogue.json", DEPLOYMENT);
	assert_int_equal(source_import(source, wintime_now()), EVERR_OK);
	config.catalogue = source->catalogue;
	assert_int_equal(wsus_reload(w->wsus, &config, &message), EVERR_OK);
	assert_has(get_deployments(w, anchor, future),
		   "c2f2ca62-5413-419a-bdee-275a23087758");
}

static void test_a_full_disk_is_no_success(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	/* The event that a session begins with cannot be stored. */
	w->f->options.limits.disk_reserve = 1 << 20;
	wsus_fixture_restart(w);
	fixture_disk_set(w->f, 1);
	assert_fault(get_cookie(w, authorization(w)), "InternalServerError");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_STARTED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_an_expired_cookie_is_invalid),
		leak_test(test_a_session_ends_with_its_authorization),
		leak_test(test_another_servers_cookie_is_told_so),
		leak_test(test_identity_and_cookies_outlive_a_restart),
		leak_test(test_a_new_key_makes_cookies_invalid),
		leak_test(test_a_new_identity_is_told_to_who_knew_the_old_one),
		leak_test(test_a_damaged_key_keeps_it_from_starting),
		leak_test(test_strict_accounts_are_as_the_specification_says),
		leak_test(test_a_reload_takes_a_catalogue_or_keeps_what_was),
		leak_test(test_update_data_stays_below_its_bound),
		leak_test(test_an_anchor_of_the_future_hides_no_deployment),
		leak_test(test_a_full_disk_is_no_success),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
