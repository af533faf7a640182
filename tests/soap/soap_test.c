/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The bridge's front as a whole: soap/soap.h. */

#include "tests/leak.h"

#include "soap/soap.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	struct tevent_context *ev;
	struct store *store;
	struct soap_config config;
	struct soap_listener_config listener;
	struct soap *soap;
};

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int fixture_destructor(struct fixture *f)
{
	TALLOC_FREE(f->soap);
	TALLOC_FREE(f->store);
	nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static const char *path(struct fixture *f, const char *name)
{
	return talloc_asprintf(f, "%s/%s", f->dir, name);
}

static struct fixture *fixture(void **state)
{
	static const char *const loopback[] = {"127.0.0.1", NULL};
	struct fixture *f = talloc_zero(*state, struct fixture);
	struct store_options options = {.path = NULL};

	snprintf(f->dir, sizeof(f->dir), "/tmp/evenlog-soap-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->ev = tevent_context_init(f);
	store_limits_default(&options.limits);
	options.limits.map_size = 1ULL << 30;
	options.path = path(f, "store");
	assert_int_equal(store_open(f, f->ev, &options, &f->store), EVERR_OK);
	talloc_set_destructor(f, fixture_destructor);

	wsus_config_default(&f->config.wsus);
	configmgr_config_default(&f->config.configmgr);
	f->config.wsus.enabled = true;
	f->config.wsus.catalogue = path(f, "wsus");
	f->config.configmgr.enabled = true;
	f->config.configmgr.site_code = "EVL";
	f->config.configmgr.host = "mp.example";
	f->config.computer = "srv.example";
	f->config.quarantine = path(f, "quarantine");
	quarantine_limits_default(&f->config.quarantine_limits);
	f->listener = (struct soap_listener_config){
		.http.name = "test",
		.http.address = "127.0.0.1",
		.http.allow = loopback,
		.roles = SOAP_ROLE_WSUS | SOAP_ROLE_CONFIGMGR,
	};
	http_limits_default(&f->listener.http.limits);
	f->config.listeners = &f->listener;
	f->config.num_listeners = 1;
	return f;
}

static everr_t start(struct fixture *f, char **message)
{
	return soap_start(f, f->ev, &f->config, f->store, NULL, NULL, &f->soap,
			  message);
}

static struct fixture *started(void **state)
{
	struct fixture *f = fixture(state);
	char *message = NULL;
	everr_t err = start(f, &message);

	if (err != EVERR_OK) {
		print_error("%s\n", message);
	}
	assert_int_equal(err, EVERR_OK);
	return f;
}

static const char *keep(struct fixture *f, const char *source, const char *url,
			const char *text)
{
	const struct quarantine_entry entry = {
		.source = source,
		.reason = "a test",
		.peer = "192.0.2.7",
		.method = "POST",
		.path = url,
		.content_type = "text/xml",
		.complete = true,
	};
	char *name = NULL;

	assert_int_equal(quarantine_keep(soap_quarantine(f->soap), f, &entry,
					 (const uint8_t *)text, strlen(text),
					 &name),
			 EVERR_OK);
	return name;
}

#define REPORTING "/ReportingWebService/ReportingWebService.asmx"

static void test_it_is_wanted_for_listeners_and_an_inbox(void **state)
{
	struct fixture *f = fixture(state);

	assert_true(soap_wanted(&f->config));
	f->config.num_listeners = 0;
	assert_false(soap_wanted(&f->config));
	f->config.configmgr.inbox = "/in";
	assert_true(soap_wanted(&f->config));
	f->config.configmgr.enabled = false;
	assert_false(soap_wanted(&f->config));
}

static void test_a_role_that_is_switched_off_does_not_run(void **state)
{
	struct fixture *f = fixture(state);
	char *message = NULL;

	f->config.wsus.enabled = false;
	assert_int_equal(start(f, &message), EVERR_OK);
	assert_null(soap_wsus(f->soap));
	assert_non_null(soap_configmgr(f->soap));
	TALLOC_FREE(f->soap);

	f->config.wsus.enabled = true;
	f->listener.roles = SOAP_ROLE_WSUS;
	assert_int_equal(start(f, &message), EVERR_OK);
	assert_non_null(soap_wsus(f->soap));
	assert_null(soap_configmgr(f->soap));
}

static void test_a_start_that_fails_says_where_and_leaves_nothing(void **state)
{
	struct fixture *f = fixture(state);
	char *message = NULL;

	f->listener.http.certificate = "/nonexistent/cert.pem";
	f->listener.http.key = "/nonexistent/key.pem";
	assert_int_not_equal(start(f, &message), EVERR_OK);
	assert_null(f->soap);
	assert_non_null(strstr(message, "/nonexistent/"));
}

/* A reload's configuration is freed with the next one. */
static void test_a_configuration_may_go_once_it_was_taken(void **state)
{
	struct fixture *f = fixture(state);
	struct soap_listener_info info;
	struct soap_config config;
	char *message = NULL;
	char *name = talloc_strdup(f, "gone");
	uint16_t port;
	int i;

	f->listener.http.name = name;
	assert_int_equal(start(f, &message), EVERR_OK);
	soap_listener_info(f->soap, 0, &info);
	port = info.port;
	assert_int_not_equal(port, 0);
	memset(name, 'x', 4);
	for (i = 0; i < 3; i++) {
		char *catalogue = talloc_strdup(f, f->config.wsus.catalogue);

		config = f->config;
		config.wsus.catalogue = catalogue;
		assert_int_equal(soap_reload(f->soap, &config, f, &message),
				 EVERR_OK);
		memset(catalogue, 'x', strlen(catalogue));
		talloc_free(catalogue);
	}
	soap_listener_info(f->soap, 0, &info);
	assert_string_equal(info.name, "gone");
	assert_int_equal(info.port, port);
}

static everr_t retry(struct fixture *f, const char *name, char **message)
{
	struct tevent_req *req = soap_retry_send(f, f->ev, f->soap, name);
	everr_t err;

	assert_true(tevent_req_poll(req, f->ev));
	err = soap_retry_recv(req, f, message);
	TALLOC_FREE(req);
	return err;
}

static void test_a_retry_that_fails_keeps_the_entry(void **state)
{
	struct fixture *f = started(state);
	struct quarantine_stats stats;
	char *message = NULL;

	assert_int_equal(retry(f, keep(f, "wsus", REPORTING, "<a>"), &message),
			 EVERR_TEXT);
	assert_non_null(message);
	assert_int_not_equal(
		retry(f, keep(f, "configmgr", "/ccm_system/request", "x"),
		      &message),
		EVERR_OK);
	assert_non_null(message);
	quarantine_stats(soap_quarantine(f->soap), &stats);
	assert_int_equal(stats.entries, 2);
	assert_int_equal(stats.kept, 2);
}

static void test_a_retry_of_nothing_says_so(void **state)
{
	struct fixture *f = started(state);
	char *message = NULL;

	assert_int_equal(retry(f, "../x", &message), EVERR_NOT_FOUND);
	assert_string_equal(message, "there is no such entry");
	TALLOC_FREE(f->soap);
	assert_int_equal(retry(f, "x", &message), EVERR_NOT_SUPPORTED);
}

/* The service stops while somebody waits for his retry. */
static void test_a_retry_may_outlive_the_bridge(void **state)
{
	struct fixture *f = started(state);
	struct tevent_req *wsus = NULL, *configmgr = NULL;

	wsus = soap_retry_send(f, f->ev, f->soap,
			       keep(f, "wsus", REPORTING, "<a/>"));
	configmgr = soap_retry_send(
		f, f->ev, f->soap,
		keep(f, "configmgr", "/ccm_system/request", "x"));
	tevent_loop_once(f->ev);
	TALLOC_FREE(f->soap);
	TALLOC_FREE(wsus);
	TALLOC_FREE(configmgr);

	/* And the other way round. */
	f = started(state);
	wsus = soap_retry_send(f, f->ev, f->soap,
			       keep(f, "wsus", REPORTING, "<a/>"));
	tevent_loop_once(f->ev);
	TALLOC_FREE(wsus);
	TALLOC_FREE(f->soap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_it_is_wanted_for_listeners_and_an_inbox),
		leak_test(test_a_role_that_is_switched_off_does_not_run),
		leak_test(
			test_a_start_that_fails_says_where_and_leaves_nothing),
		leak_test(test_a_configuration_may_go_once_it_was_taken),
		leak_test(test_a_retry_that_fails_keeps_the_entry),
		leak_test(test_a_retry_of_nothing_says_so),
		leak_test(test_a_retry_may_outlive_the_bridge),
	};

	/* What the library keeps from its first use on is no leak of a test. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
