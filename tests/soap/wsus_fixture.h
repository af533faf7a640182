/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_SOAP_WSUS_FIXTURE_H
#define EVENLOG_TESTS_SOAP_WSUS_FIXTURE_H

/*
 * The WSUS server on a real store, called through the real SOAP service by a
 * test that is the HTTP peer.
 */

#include "tests/soap/fake_http.h"
#include "tests/store/fixture.h"

#include "soap/wsus_report.h"

#include <stdarg.h>

struct wsus_fixture {
	struct fixture *f;
	struct wsus_config config;
	struct wsus *wsus;
	struct store_channel *channel;
};

/* Calls that are under way at a test's end go before it, as from a server. */
static inline void wsus_fixture_serve(struct wsus_fixture *w)
{
	char *message = NULL;

	assert_int_equal(wsus_start(w, w->f->ev, &w->config, "host.example",
				    w->f->store, NULL, &w->wsus, &message),
			 EVERR_OK);
	assert_int_equal(store_channel_find(w->f->store, BRIDGE_WSUS_CHANNEL,
					    &w->channel),
			 EVERR_OK);
}

static inline struct wsus_fixture *wsus_fixture_new(void **state)
{
	struct fixture *f = fixture_start(state);
	struct wsus_fixture *w = talloc_zero(f, struct wsus_fixture);

	w->f = f;
	wsus_config_default(&w->config);
	w->config.catalogue = "/nonexistent/evenlog-catalogue";
	w->config.correct_clocks = false;
	wsus_fixture_serve(w);
	return w;
}

/* As after a restart of the service. */
static inline void wsus_fixture_restart(struct wsus_fixture *w)
{
	TALLOC_FREE(w->wsus);
	fixture_reopen(w->f);
	wsus_fixture_serve(w);
}

/* ------------------------------------------------------------------ calls */

static inline struct http_exchange *wsus_begin(struct wsus_fixture *w)
{
	struct http_exchange *exchange =
		fake_exchange(w, &soap_handler, &w->wsus->reporting);

	exchange->ev = w->f->ev;
	fake_header(exchange, "Content-Type", "text/xml; charset=utf-8");
	fake_begin(exchange);
	return exchange;
}

/* A call of which the answer is not waited for. */
static inline struct http_exchange *wsus_send(struct wsus_fixture *w,
					      const char *operation,
					      const char *body)
{
	struct http_exchange *exchange = wsus_begin(w);
	char *text = talloc_asprintf(
		w,
		"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/"
		"envelope/'><s:Body><%s xmlns='%s'>%s</%s></s:Body>"
		"</s:Envelope>",
		operation, WSUS_NS, body, operation);

	fake_body(exchange, text, strlen(text));
	fake_end(exchange);
	talloc_free(text);
	return exchange;
}

static inline const char *wsus_answer(struct wsus_fixture *w,
				      struct http_exchange *exchange)
{
	fixture_until(w->f, exchange->answer->given);
	/* It has been sent: nothing of it is left when the service goes. */
	talloc_free_children(exchange);
	return exchange->answer->body;
}

/* The answer's text; any status. */
static inline const char *wsus_call(struct wsus_fixture *w,
				    const char *operation, const char *body)
{
	return wsus_answer(w, wsus_send(w, operation, body));
}

/* format is the content; the result is the call's element of the answer. */
static inline void wsus_expect(struct wsus_fixture *w, const char *operation,
			       const char *body, const char *want)
{
	const char *answer = wsus_call(w, operation, body);

	if (strstr(answer, want) == NULL) {
		fail_msg("%s: \"%s\" is not in %s", operation, want, answer);
	}
}

static inline void wsus_expect_fault(struct wsus_fixture *w,
				     const char *operation, const char *body,
				     const char *code, const char *message)
{
	char *want = talloc_asprintf(w,
				     "<ErrorCode>%s</ErrorCode><Message>%s"
				     "</Message>",
				     code, message);

	wsus_expect(w, operation, body, want);
	talloc_free(want);
}

/* ----------------------------------------------------------------- events */

/* How many there are of this id; 0: of any. */
static inline size_t wsus_events(struct wsus_fixture *w, uint16_t id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t at = 1;
	size_t num = 0;

	assert_int_equal(store_snapshot_begin(w->f->store, &snapshot),
			 EVERR_OK);
	while (store_read(snapshot, w->channel, at, false, &record) ==
	       EVERR_OK) {
		num += id == 0 || record.header.event_id == id;
		at = record.id + 1;
	}
	store_snapshot_end(snapshot);
	return num;
}

/* The last event of this id as XML; child of w. */
static inline const char *wsus_last_event(struct wsus_fixture *w, uint16_t id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t at = UINT64_MAX;
	struct buf text;

	buf_init(&text, w, 1 << 20);
	assert_int_equal(store_snapshot_begin(w->f->store, &snapshot),
			 EVERR_OK);
	do {
		assert_int_equal(
			store_read(snapshot, w->channel, at, true, &record),
			EVERR_OK);
		at = record.id - 1;
	} while (record.header.event_id != id);
	assert_int_equal(event_render_xml(&text, store_dict(w->f->store),
					  record.data, record.len, NULL),
			 EVERR_OK);
	store_snapshot_end(snapshot);
	buf_put_u8(&text, 0);
	return (const char *)text.data;
}

static inline void wsus_last_event_has(struct wsus_fixture *w, uint16_t id,
				       const char *name, const char *value)
{
	const char *text = wsus_last_event(w, id);
	char *want =
		talloc_asprintf(w, "<Data Name='%s'>%s</Data>", name, value);

	if (strstr(text, want) == NULL) {
		fail_msg("\"%s\" is not in %s", want, text);
	}
	talloc_free(want);
}

#endif
