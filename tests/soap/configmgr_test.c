/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Messages to the management point, on a real store. */

#include "tests/soap/configmgr_fixture.h"

#include "soap/configmgr_aside.h"
#include "soap/configmgr_reading.h"
#include "tests/soap/http_fixture.h"

#include <sys/wait.h>

/* ------------------------------------------------------------ acceptance */

static void assert_no_reply(const struct configmgr_answer *answer)
{
	/* Facts, section 7: a single part; FF FE and "NoReply". */
	static const char head[] = "--" BOUNDARY "\r\n";
	static const char text[] = "\xff\xfeN\0o\0R\0e\0p\0l\0y\0";

	assert_int_equal(answer->status, 200);
	assert_string_equal(answer->content_type, CONTENT_TYPE);
	assert_true(answer->len > sizeof(head));
	assert_memory_equal(answer->body, head, sizeof(head) - 1);
	assert_non_null(
		memmem(answer->body, answer->len, text, sizeof(text) - 1));
}

static void test_the_answer_comes_when_the_event_is_on_disk(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct configmgr_answer answer;

	answer = mp_take(m, &body);
	assert_no_reply(&answer);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	mp_reopen(m);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	assert_int_equal(mp_kept(m), 0);
	fixture_verify(m->f);
}

static void test_a_message_that_comes_again_makes_no_second_event(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct buf next = mp_discovery(m, ID_2, 0);
	struct configmgr_answer answer;

	(void)mp_take(m, &body);
	answer = mp_take(m, &body);
	assert_no_reply(&answer);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	assert_int_equal(m->configmgr->counters.replays, 1);

	/* Also after a restart; one with another id is another one. */
	mp_reopen(m);
	answer = mp_take(m, &body);
	assert_no_reply(&answer);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	(void)mp_take(m, &next);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 2);
}

static void test_a_crash_behind_the_answer_makes_no_second_event(void **state)
{
	struct mp_fixture *m = mp_new(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	int status = -1;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		mp_open(m);
		(void)mp_take(m, &body);
		/* Without closing anything. */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	mp_open(m);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	(void)mp_take(m, &body);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	assert_int_equal(m->configmgr->counters.replays, 1);
}

static void test_the_same_message_twice_at_a_time_is_stored_once(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct tevent_req *first = mp_send(m, &body);
	struct tevent_req *second = mp_send(m, &body);
	struct configmgr_answer answer;

	assert_true(tevent_req_is_in_progress(first));
	assert_true(tevent_req_is_in_progress(second));
	answer = mp_recv(m, second);
	assert_no_reply(&answer);
	answer = mp_recv(m, first);
	assert_no_reply(&answer);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
}

static void test_a_sender_that_goes_finds_its_message_stored(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct tevent_req *req = mp_send(m, &body);
	struct configmgr_answer answer;

	talloc_free(req);
	answer = mp_take(m, &body);
	assert_no_reply(&answer);
	mp_settle(m);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
}

static void test_an_id_with_another_content_is_refused_aloud(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf one = mp_discovery(m, ID_1, 1);
	struct buf two = mp_discovery(m, ID_1, 2);
	struct tevent_req *first = mp_send(m, &one);

	/* While the first is on its way, and afterwards. */
	assert_true(tevent_req_is_in_progress(first));
	assert_int_equal(mp_take(m, &two).status, 400);
	assert_int_equal(mp_recv(m, first).status, 200);
	assert_int_equal(mp_take(m, &two).status, 400);
	mp_settle(m);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_REJECTED), 2);
	assert_int_equal(mp_kept(m), 2);
}

static void test_what_has_no_usable_id_is_known_by_its_content(void **state)
{
	static const char zero[] = "{00000000-0000-0000-0000-000000000000}";
	struct mp_fixture *m = mp_start(state);
	struct buf one = mp_discovery(m, zero, 1);
	struct buf two = mp_discovery(m, zero, 2);

	(void)mp_take(m, &one);
	(void)mp_take(m, &two);
	(void)mp_take(m, &one);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 2);
}

static void test_a_full_store_is_never_answered_200(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct configmgr_answer answer;

	fixture_disk_set(m->f, 1);
	answer = mp_take(m, &body);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.retry_after, CONFIGMGR_RETRY_SECONDS);
	assert_int_equal(answer.err, EVERR_STORE_FULL);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 0);
	assert_int_equal(mp_kept(m), 0);

	/* It is no replay when it comes again. */
	fixture_disk_set(m->f, UINT64_C(1) << 40);
	fixture_until(m->f, mp_take(m, &body).status == 200);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
}

static void test_a_disabled_channel_is_answered_503(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct store_channel_config config =
		fixture_info(m->configmgr->channel).config;
	struct store_channel *channel = NULL;
	struct configmgr_answer answer;

	config.enabled = false;
	assert_int_equal(store_channel_define(m->f->store,
					      BRIDGE_CONFIGMGR_CHANNEL, &config,
					      &channel),
			 EVERR_OK);
	answer = mp_take(m, &body);
	assert_int_equal(answer.status, 503);
	assert_int_equal(answer.err, EVERR_CHANNEL_DISABLED);
	assert_int_equal(m->configmgr->counters.deferred, 1);

	config.enabled = true;
	assert_int_equal(store_channel_define(m->f->store,
					      BRIDGE_CONFIGMGR_CHANNEL, &config,
					      &channel),
			 EVERR_OK);
	assert_int_equal(mp_take(m, &body).status, 200);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
}

static void test_a_removed_channel_is_made_again(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf one = mp_discovery(m, ID_1, 0);
	struct buf two = mp_discovery(m, ID_2, 0);
	struct tevent_req *coming = mp_send(m, &one);
	struct configmgr_answer answer;

	/* What is on its way is stored, or is to be sent again. */
	assert_int_equal(store_channel_remove(m->configmgr->channel), EVERR_OK);
	answer = mp_recv(m, coming);
	assert_true(answer.status == 200 || answer.status == 503);
	assert_int_equal(mp_take(m, &two).status, 200);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	if (answer.status == 503) {
		assert_int_equal(mp_take(m, &one).status, 200);
		assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 2);
	}
	mp_reopen(m);
	assert_int_equal(mp_take(m, &two).status, 200);
	assert_int_equal(m->configmgr->counters.replays, 1);
	fixture_verify(m->f);
}

/* ---------------------------------------------------------- large ones */

static void test_a_large_message_does_not_hold_the_loop(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf large = mp_large(m, ID_1, 5000);
	struct buf small = mp_discovery(m, ID_2, 0);
	struct tevent_req *first = mp_send(m, &large);
	struct configmgr_answer answer;

	assert_true(large.len > CONFIGMGR_READ_INLINE);
	answer = mp_take(m, &small);
	assert_no_reply(&answer);
	assert_true(tevent_req_is_in_progress(first));
	answer = mp_recv(m, first);
	assert_no_reply(&answer);
	assert_true(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY) >= 2);
	fixture_verify(m->f);
}

static void test_large_messages_wait_for_a_place(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct tevent_req *reqs[3 * CONFIGMGR_PLACES_MAX];
	struct configmgr_answer answer;
	struct buf bodies[3 * CONFIGMGR_PLACES_MAX];
	size_t i;

	for (i = 0; i < 3 * CONFIGMGR_PLACES_MAX; i++) {
		char id[EV_GUID_TEXT_SIZE] = ID_1;

		id[1] = (char)('A' + i);
		bodies[i] = mp_large(m, id, 2000);
		reqs[i] = mp_send(m, &bodies[i]);
	}
	/* One of those that are read goes, and one of those that wait. */
	talloc_free(reqs[0]);
	talloc_free(reqs[5]);
	for (i = 1; i < 5; i++) {
		answer = mp_recv(m, reqs[i]);
		assert_no_reply(&answer);
	}
	/* The places are free again. */
	reqs[0] = mp_send(m, &bodies[0]);
	reqs[5] = mp_send(m, &bodies[5]);
	answer = mp_recv(m, reqs[5]);
	assert_no_reply(&answer);
	answer = mp_recv(m, reqs[0]);
	assert_no_reply(&answer);
}

static void test_a_stop_waits_for_what_is_being_read(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf large = mp_large(m, ID_1, 20000);
	struct tevent_req *req = mp_send(m, &large);
	struct tevent_req *other = mp_send(m, &large);
	struct tevent_req *third = mp_send(m, &large);

	fixture_until(m->f, configmgr_places_busy(m->configmgr->places) > 0);
	TALLOC_FREE(m->configmgr);
	talloc_free(req);
	talloc_free(other);
	talloc_free(third);
}

static void test_what_inflates_to_too_much_is_read_aside(void **state)
{
	struct mp_fixture *m = mp_new(state);
	struct buf large;

	m->config.payload_max = 1024 * 1024;
	mp_open(m);
	large = mp_large(m, ID_1, 5000);
	assert_int_equal(mp_take(m, &large).status, 400);
	assert_int_equal(m->configmgr->counters.rejected[CONFIGMGR_CAUSE_LIMIT],
			 1);
	mp_settle(m);
}

/* ------------------------------------------------------------- rejection */

static void test_a_rejected_message_is_kept_and_reported(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct configmgr_answer answer;
	struct quarantine_entry *entries = NULL;
	size_t num = 0;

	/* Cut in the middle of its payload. */
	body.len -= 300;
	answer = mp_take(m, &body);
	mp_settle(m);
	assert_int_equal(answer.status, 400);
	assert_string_equal(answer.content_type, "text/plain; charset=utf-8");
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_REJECTED), 1);
	assert_int_equal(quarantine_list(m, m->quarantine, &entries, &num),
			 EVERR_OK);
	assert_int_equal(num, 1);
	assert_string_equal(entries[0].source, CONFIGMGR_QUARANTINE);
	assert_string_equal(entries[0].peer, "192.0.2.7");
	assert_string_equal(entries[0].path, "/ccm_system/request");
	assert_string_equal(entries[0].reason, answer.text);
	assert_int_equal(entries[0].len, body.len);
}

static void test_rejected_messages_of_a_peer_are_bounded(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	unsigned int i;

	body.len -= 300;
	for (i = 0; i < 3 * CONFIGMGR_REJECTS_PER_MINUTE; i++) {
		assert_int_equal(mp_take(m, &body).status, 400);
	}
	mp_settle(m);
	/* The minute may have ended once in between. */
	assert_in_range(mp_events(m, BRIDGE_CONFIGMGR_REJECTED),
			CONFIGMGR_REJECTS_PER_MINUTE,
			2 * CONFIGMGR_REJECTS_PER_MINUTE);
	assert_in_range(mp_kept(m), CONFIGMGR_REJECTS_PER_MINUTE,
			2 * CONFIGMGR_REJECTS_PER_MINUTE);
	assert_int_equal(
		m->configmgr->counters.rejected[CONFIGMGR_CAUSE_MALFORMED],
		3 * CONFIGMGR_REJECTS_PER_MINUTE);
}

static void test_a_report_that_is_not_stored_is_counted(void **state)
{
	struct mp_fixture *m = mp_start(state);
	const struct configmgr_counters *counters = &m->configmgr->counters;
	struct buf body = mp_discovery(m, ID_1, 0);

	body.len -= 300;
	fixture_disk_set(m->f, 1);
	assert_int_equal(mp_take(m, &body).status, 400);
	mp_settle(m);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_REJECTED), 0);
	assert_int_equal(counters->rejected[CONFIGMGR_CAUSE_MALFORMED], 1);
	assert_int_equal(counters->rejected_silently, 1);
}

static void test_another_content_type_is_415(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct configmgr_input input = {
		.method = "POST",
		.path = "/ccm_system/request",
		.content_type = "text/xml",
		.peer = "192.0.2.7",
		.body = (const uint8_t *)"<a/>",
		.len = 4,
	};
	struct tevent_req *req = NULL;

	req = configmgr_message_send(m, m->f->ev, m->configmgr, &input);
	assert_int_equal(mp_recv(m, req).status, 415);
	input.content_type = NULL;
	req = configmgr_message_send(m, m->f->ev, m->configmgr, &input);
	assert_int_equal(mp_recv(m, req).status, 415);
	mp_settle(m);
	assert_int_equal(mp_kept(m), 2);
}

static void test_unsigned_messages_are_403_where_signatures_are_required(
	void **state)
{
	struct mp_fixture *m = mp_new(state);
	struct buf body;

	m->config.signatures = CONFIGMGR_SIGNATURES_REQUIRED;
	mp_open(m);
	body = mp_discovery(m, ID_1, 0);
	assert_int_equal(mp_take(m, &body).status, 403);
	mp_settle(m);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 0);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_REJECTED), 1);

	/* What was refused may come again when the policy is another one. */
	m->config.signatures = CONFIGMGR_SIGNATURES_PRESENT;
	mp_reopen(m);
	assert_int_equal(mp_take(m, &body).status, 200);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
}

/* ----------------------------------------------------- without events */

static struct configmgr_answer take_text(struct mp_fixture *m,
					 const char *endpoint, const char *mode,
					 const char *text)
{
	const struct mp_message message = {
		.endpoint = endpoint,
		.mode = mode,
		.text = text,
	};
	struct buf body = mp_body(m, &message);

	return mp_take(m, &body);
}

/* The answer's payload, which is not compressed here, as UTF-8. */
static char *answer_payload(struct mp_fixture *m,
			    const struct configmgr_answer *answer)
{
	static const char mark[] = "octet-stream\r\n\r\n";
	const uint8_t *start =
		memmem(answer->body, answer->len, mark, sizeof(mark) - 1);
	size_t len = 0;
	struct buf text;

	assert_non_null(start);
	start += sizeof(mark) - 1;
	len = text_utf16_nlen(
		start, (answer->len - (size_t)(start - answer->body)) / 2);
	buf_init(&text, m, 65536);
	text_utf16_to_utf8(&text, start, len);
	buf_put_u8(&text, 0);
	return (char *)text.data;
}

static void test_a_location_request_is_answered_with_this_host(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct configmgr_answer answer;
	char *xml = NULL;

	answer = take_text(m, "MP_LocationManager", "Sync",
			   "<LocalMPLocationRequest SchemaVersion=\"1.00\"/>");
	assert_int_equal(answer.status, 200);
	xml = answer_payload(m, &answer);
	assert_non_null(strstr(xml, "FQDN=\"mp.example\""));
	assert_non_null(strstr(xml, "SiteCode=\"EVL\""));
}

static void test_other_endpoints_are_counted_and_answered(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct configmgr_answer answer;
	struct buf text;

	answer = take_text(m, "MP_DriverManager", "Async", "<X/>");
	assert_no_reply(&answer);
	answer = take_text(m, "Own_Endpoint", "Async", "not even XML");
	assert_no_reply(&answer);
	answer = take_text(m, "MP_DriverManager", "Sync",
			   "<DriverCatalogRequest a='1'/>");
	assert_non_null(
		strstr(answer_payload(m, &answer), "<DriverCatalogReply "));
	answer = take_text(m, "MP_PolicyManager", "Sync",
			   "<RequestAssignments SchemaVersion=\"1.00\"/>");
	assert_non_null(
		strstr(answer_payload(m, &answer), "<ReplyAssignments "));
	answer = take_text(m, "MP_PolicyManager", "Sync", "<unclosed>");
	assert_int_equal(answer.status, 400);

	buf_init(&text, m, 65536);
	configmgr_metrics(m->configmgr, &text);
	buf_put_u8(&text, 0);
	assert_non_null(strstr((char *)text.data,
			       "{endpoint=\"MP_DriverManager\"} 2\n"));
	assert_non_null(
		strstr((char *)text.data, "{endpoint=\"Own_Endpoint\"} 1\n"));
	mp_settle(m);
}

static void test_endpoint_names_of_senders_are_bounded(void **state)
{
	struct mp_fixture *m = mp_start(state);
	char name[32];
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "Endpoint%u", i);
		configmgr_count(m->configmgr, name);
	}
	configmgr_count(m->configmgr, "a\"} 1\nb");
	configmgr_count(m->configmgr, "");
	assert_int_equal(m->configmgr->counters.num_endpoints,
			 CONFIGMGR_ENDPOINTS_MAX);
	assert_true(m->configmgr->counters.other_endpoints > 900);
}

/* --------------------------------------------------------------- retries */

static everr_t inject(struct mp_fixture *m, const char *path,
		      const struct buf *body, char **ret_message)
{
	const struct quarantine_entry entry = {
		.source = CONFIGMGR_QUARANTINE,
		.method = "CCM_POST",
		.path = path,
		.content_type = CONTENT_TYPE,
		.peer = "192.0.2.7",
	};
	struct tevent_req *req = NULL;
	everr_t err;

	req = configmgr_inject_send(m, m->f->ev, m->configmgr, &entry,
				    body->data, body->len);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, m->f->ev));
	err = configmgr_inject_recv(req, m, ret_message);
	talloc_free(req);
	return err;
}

static void test_a_kept_message_is_tried_again_quietly(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct buf body = mp_discovery(m, ID_1, 0);
	char *message = NULL;

	assert_int_equal(inject(m, "/ccm_system/request", &body, &message),
			 EVERR_OK);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 1);
	assert_int_equal(inject(m, "/elsewhere", &body, &message),
			 EVERR_NOT_SUPPORTED);
	body.len -= 300;
	assert_int_equal(inject(m, "/ccm_system/request", &body, &message),
			 EVERR_TEXT);
	assert_true(strlen(message) > 0);
	mp_settle(m);
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_REJECTED), 0);
	assert_int_equal(mp_kept(m), 0);
}

/* ---------------------------------------------------------- configuration */

static void test_a_wrong_configuration_leaves_what_was_in_force(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct configmgr_config other = m->config;
	char *message = NULL;

	other.site_code = "ABCD";
	assert_int_equal(configmgr_reload(m->configmgr, &other, &message),
			 EVERR_CONFIG);
	assert_non_null(message);
	assert_string_equal(m->configmgr->config->site_code, "EVL");
	other.site_code = "X01";
	assert_int_equal(configmgr_reload(m->configmgr, &other, &message),
			 EVERR_OK);
	assert_string_equal(m->configmgr->config->site_code, "X01");
}

/* ------------------------------------------------------------------ HTTP */

/* The management point behind a listener of its own. */
static struct http_fixture *listen_on(struct mp_fixture *m)
{
	static const char *const allow[] = {"127.0.0.0/8", NULL};
	struct http_fixture *h = talloc_zero(m, struct http_fixture);
	struct http_listener_config config = {
		.name = "mp",
		.address = "127.0.0.1",
		.allow = allow,
	};
	const struct http_route *routes = NULL;
	struct http_listener *listener = NULL;
	char *message = NULL;
	size_t num = 0;

	http_limits_default(&config.limits);
	h->ev = m->f->ev;
	assert_int_equal(http_server_create(h, h->ev, NULL, &h->server),
			 EVERR_OK);
	routes = configmgr_routes(m->configmgr, &num);
	assert_int_equal(http_listen(h->server, &config, routes, num, &listener,
				     &message),
			 EVERR_OK);
	h->port = http_listener_port(listener);
	return h;
}

static void assert_answered(struct http_fixture *h, const char *head,
			    const struct buf *body, const char *answer)
{
	struct http_client *client = http_client_open(h, NULL);
	char *text = NULL;

	text = talloc_asprintf(h,
			       "%s HTTP/1.1\r\nHost: mp.example\r\n"
			       "Content-Type: " CONTENT_TYPE "\r\n"
			       "Content-Length: %zu\r\n\r\n",
			       head, body != NULL ? body->len : 0);
	http_client_send(client, text);
	if (body != NULL) {
		http_client_send_bytes(client, body->data, body->len);
	}
	http_client_wait_text(client, answer);
	talloc_free(client);
	talloc_free(text);
}

static void test_messages_come_by_http(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct http_fixture *h = listen_on(m);
	struct buf one = mp_discovery(m, ID_1, 1);
	struct buf two = mp_discovery(m, ID_2, 2);

	assert_answered(h, "CCM_POST /ccm_system/request", &one,
			"HTTP/1.1 200");
	assert_answered(h, "POST /CCM_System_WindowsAuth/Request", &two,
			"HTTP/1.1 200");
	assert_int_equal(mp_events(m, BRIDGE_CONFIGMGR_DISCOVERY), 2);
	assert_int_equal(m->configmgr->bodies.used, 0);
	talloc_free(h);
}

static void test_other_methods_and_paths_are_refused(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct http_fixture *h = listen_on(m);

	assert_answered(h, "GET /ccm_system/request", NULL, "HTTP/1.1 405");
	assert_answered(h, "GET /ccm_system/request", NULL,
			"Allow: CCM_POST, POST");
	assert_answered(h, "POST /sms_mp/.sms_aut?MPLIST", NULL,
			"HTTP/1.1 405");
	assert_answered(h, "GET /sms_mp/.sms_aut?MPCERT", NULL, "HTTP/1.1 404");
	assert_answered(h, "GET /sms_mp/.sms_aut", NULL, "HTTP/1.1 404");
	assert_answered(h, "GET /sms_mp/.sms_aut?", NULL, "HTTP/1.1 404");
	assert_answered(h, "GET /sms_mp/.sms_pol?x", NULL, "HTTP/1.1 404");
	assert_answered(h, "GET /elsewhere", NULL, "HTTP/1.1 404");
	talloc_free(h);
}

static void test_the_list_of_management_points_is_this_one(void **state)
{
	static const char list[] =
		"<MPList><MP Name=\"mp.example\" FQDN=\"mp.example\" "
		"SiteCode=\"EVL\"><Version>8325</Version>"
		"<Capabilities SchemaVersion=\"1.0\"";
	struct mp_fixture *m = mp_start(state);
	struct http_fixture *h = listen_on(m);

	assert_answered(h, "GET /sms_mp/.sms_aut?MPLIST", NULL, list);
	assert_answered(h, "GET /SMS_MP/.sms_aut?MPLIST1", NULL, list);
	assert_answered(h, "GET /SMS_MP/.SMS_AUT?mplist2&EVL", NULL, list);
	talloc_free(h);
}

static void test_a_body_beyond_the_limit_is_413(void **state)
{
	struct mp_fixture *m = mp_new(state);
	struct http_fixture *h = NULL;
	struct buf body;

	m->config.body_max = 1000;
	mp_open(m);
	h = listen_on(m);
	body = mp_discovery(m, ID_1, 0);
	assert_true(body.len > 1000);
	assert_answered(h, "CCM_POST /ccm_system/request", &body,
			"HTTP/1.1 413");
	assert_int_equal(m->configmgr->bodies.used, 0);
	talloc_free(h);
}

static void test_a_peer_that_goes_in_the_middle_leaves_nothing(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct http_fixture *h = listen_on(m);
	struct buf body = mp_discovery(m, ID_1, 0);
	struct http_client *client = http_client_open(h, NULL);
	static const uint8_t part[SOAP_MEMORY_OWN + 1000];

	http_client_send(client, "CCM_POST /ccm_system/request HTTP/1.1\r\n"
				 "Host: mp\r\nContent-Length: 100000\r\n\r\n");
	http_client_send_bytes(client, part, sizeof(part));
	http_wait(h, m->configmgr->bodies.used == 1000);
	talloc_free(client);
	http_wait(h, m->configmgr->bodies.used == 0);
	assert_answered(h, "CCM_POST /ccm_system/request", &body,
			"HTTP/1.1 200");
	talloc_free(h);
}

static void test_small_messages_go_through_beside_large_ones(void **state)
{
	struct mp_fixture *m = mp_start(state);
	struct http_fixture *h = listen_on(m);
	struct buf small = mp_discovery(m, ID_1, 0);
	struct buf large;

	buf_init(&large, m, SOAP_MEMORY_OWN + 1);
	buf_put_zero(&large, SOAP_MEMORY_OWN + 1);
	m->configmgr->bodies.max = 0;
	assert_answered(h, "CCM_POST /ccm_system/request", &large,
			"HTTP/1.1 503");
	assert_answered(h, "CCM_POST /ccm_system/request", &small,
			"HTTP/1.1 200");
	talloc_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_answer_comes_when_the_event_is_on_disk),
		leak_test(
			test_a_message_that_comes_again_makes_no_second_event),
		leak_test(test_a_crash_behind_the_answer_makes_no_second_event),
		leak_test(test_the_same_message_twice_at_a_time_is_stored_once),
		leak_test(test_a_sender_that_goes_finds_its_message_stored),
		leak_test(test_an_id_with_another_content_is_refused_aloud),
		leak_test(test_what_has_no_usable_id_is_known_by_its_content),
		leak_test(test_a_full_store_is_never_answered_200),
		leak_test(test_a_disabled_channel_is_answered_503),
		leak_test(test_a_removed_channel_is_made_again),
		leak_test(test_a_large_message_does_not_hold_the_loop),
		leak_test(test_large_messages_wait_for_a_place),
		leak_test(test_a_stop_waits_for_what_is_being_read),
		leak_test(test_what_inflates_to_too_much_is_read_aside),
		leak_test(test_a_rejected_message_is_kept_and_reported),
		leak_test(test_rejected_messages_of_a_peer_are_bounded),
		leak_test(test_a_report_that_is_not_stored_is_counted),
		leak_test(test_another_content_type_is_415),
		leak_test(
			test_unsigned_messages_are_403_where_signatures_are_required),
		leak_test(test_a_location_request_is_answered_with_this_host),
		leak_test(test_other_endpoints_are_counted_and_answered),
		leak_test(test_endpoint_names_of_senders_are_bounded),
		leak_test(test_a_kept_message_is_tried_again_quietly),
		leak_test(test_a_wrong_configuration_leaves_what_was_in_force),
		leak_test(test_messages_come_by_http),
		leak_test(test_other_methods_and_paths_are_refused),
		leak_test(test_the_list_of_management_points_is_this_one),
		leak_test(test_a_body_beyond_the_limit_is_413),
		leak_test(test_a_peer_that_goes_in_the_middle_leaves_nothing),
		leak_test(test_small_messages_go_through_beside_large_ones),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
