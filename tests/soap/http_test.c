/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/soap/http_fixture.h"

#include <string.h>
#include <sys/socket.h>

static struct http_fixture *started(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);

	http_fixture_start(f);
	return f;
}

/* -------------------------------------------------------------- requests */

static void test_a_body_comes_back(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "POST /echo HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 5\r\n\r\nhello");
	http_client_wait_text(client, "\r\n\r\nhello");
	assert_true(http_client_has(client, "HTTP/1.1 200 OK\r\n"));
	assert_true(http_client_has(client, "\r\nServer: Evenlog\r\n"));
	assert_true(http_client_has(client, "\r\nDate: "));
	assert_true(http_client_has(client, "\r\nContent-Length: 5\r\n"));
	assert_true(http_client_has(
		client, "\r\nContent-Type: application/octet-stream\r\n"));
	assert_false(client->closed);
	talloc_free(f);
}

static void test_requests_follow_each_other_on_one_connection(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	int i;

	for (i = 0; i < 5; i++) {
		http_client_forget(client);
		http_client_send(client,
				 "GET /now HTTP/1.1\r\nHost: a\r\n\r\n");
		http_client_wait_text(client, "\r\n\r\nnow\n");
		http_client_forget(client);
		http_client_send(client, "POST /echo HTTP/1.1\r\nHost: a\r\n"
					 "Content-Length: 2\r\n\r\nhi");
		http_client_wait_text(client, "\r\n\r\nhi");
	}
	assert_int_equal(http_fixture_stats(f).accepted, 1);
	assert_int_equal(http_fixture_stats(f).requests, 10);
	assert_int_equal(http_fixture_stats(f).answers[2], 10);
	assert_int_equal(http_fixture_stats(f).received, 10);
	assert_int_equal(http_fixture_stats(f).sent, 5 * (4 + 2));
	talloc_free(f);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client,
			 "POST /echo HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 5\r\n\r\nfirst"
			 "POST /later HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 3\r\n\r\nabc"
			 "POST /echo HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 5\r\nConnection: close\r\n\r\nthird");
	http_wait(f, f->waiting != NULL);
	http_answer_text(f->waiting, 200, "second");
	http_client_wait_closed(client);
	assert_int_equal(http_client_count(client, "HTTP/1.1 200 OK"), 3);
	assert_true(strstr(client->in, "first") < strstr(client->in, "second"));
	assert_true(strstr(client->in, "second") < strstr(client->in, "third"));
	assert_false(client->reset);
	talloc_free(f);
}

static void test_a_chunked_body_is_put_together(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	const char *const pieces[] = {
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ",
		"chunked\r\n\r\n5\r\nhel",
		"lo\r\n1;name=value\r\n,\r\n6\r\n world\r\n0",
		"\r\nTrailer: x\r\n\r\n",
	};
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		http_client_send(client, pieces[i]);
		http_fixture_run(f, 5);
	}
	http_client_wait_text(client, "\r\n\r\nhello, world");
	http_client_forget(client);
	http_client_send(client, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n");
	http_client_wait_text(client, "now\n");
	talloc_free(f);
}

static void test_a_head_may_come_byte_by_byte(void **state)
{
	static const char request[] = "POST /echo HTTP/1.1\r\nHost: a\r\n"
				      "Content-Length: 3\r\n\r\nabc";
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	size_t i;

	for (i = 0; i < sizeof(request) - 1; i++) {
		http_client_send_bytes(client, &request[i], 1);
		http_fixture_run(f, 1);
	}
	http_client_wait_text(client, "\r\n\r\nabc");
	talloc_free(f);
}

static void test_unknown_methods_pass(void **state)
{
	static const char *const methods[] = {"CCM_POST", "BITS_POST", "FROB"};
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	char *request = NULL;
	size_t i;

	for (i = 0; i < 3; i++) {
		http_client_forget(client);
		request = talloc_asprintf(f,
					  "%s /text HTTP/1.1\r\nHost: a\r\n"
					  "Content-Length: 4\r\n\r\nbody",
					  methods[i]);
		http_client_send(client, request);
		http_client_wait_text(client, "length 4\n");
		request = talloc_asprintf(f, "\r\n\r\nmethod %s\n", methods[i]);
		assert_true(http_client_has(client, request));
	}
	/* The body of such a method was not taken for another request. */
	assert_int_equal(http_fixture_stats(f).requests, 3);
	talloc_free(f);
}

static void test_head_has_the_fields_and_no_body(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "HEAD /now HTTP/1.1\r\nHost: a\r\n\r\n"
				 "GET /now HTTP/1.1\r\nHost: a\r\n"
				 "Connection: close\r\n\r\n");
	http_client_wait_closed(client);
	assert_int_equal(http_client_count(client, "HTTP/1.1 200 OK\r\n"), 2);
	assert_int_equal(http_client_count(client, "Content-Length: 4\r\n"), 2);
	assert_int_equal(http_client_count(client, "now\n"), 1);
	talloc_free(f);
}

static void test_what_a_handler_is_told_of_a_request(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	char *url =
		talloc_asprintf(f, "url http://127.0.0.1:%u/TEXT\n", f->port);

	http_client_send(client, "GET ///text?a=%20b&c=+ HTTP/1.1\r\n"
				 "Host: mp.example:81\r\n"
				 "X-Thing:  one \r\nX-Thing: two\r\n\r\n");
	http_client_wait_text(client, "length 0\n");
	assert_true(http_client_has(client, "method GET\n"));
	assert_true(http_client_has(client, "path /text\n"));
	assert_true(http_client_has(client, "query a=%20b&c=+\n"));
	assert_true(http_client_has(client, "header one\n"));
	assert_true(http_client_has(client, "url http://mp.example:81/text\n"));
	assert_true(http_client_has(client, "peer 127.0.0.1\n"));
	assert_true(http_client_has(client, "tls 0\nsubject (none)\n"));

	/* Without case; a host that could break out of a URL is not used. */
	http_client_forget(client);
	http_client_send(client, "GET /TEXT HTTP/1.1\r\n"
				 "Host: \"><evil>/\r\n\r\n");
	http_client_wait_text(client, "length 0\n");
	assert_true(http_client_has(client, "path /TEXT\nquery (none)\n"
					    "header (none)\n"));
	assert_true(http_client_has(client, url));

	http_client_forget(client);
	http_client_send(client, "GET http://proxy.example/text?x HTTP/1.1\r\n"
				 "Host: a\r\n\r\n");
	http_client_wait_text(client, "length 0\n");
	assert_true(http_client_has(client, "path /text\nquery x\n"));
	talloc_free(f);
}

static void test_the_longest_route_wins_and_no_route_is_404(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "GET /count/deep/er HTTP/1.1\r\nHost: a\r\n"
				 "\r\n");
	http_client_wait_text(client, "took 0\n");
	http_client_forget(client);
	http_client_send(client, "GET /counted/exactly HTTP/1.1\r\nHost: a\r\n"
				 "\r\n");
	http_client_wait_text(client, "now\n");
	http_client_forget(client);
	http_client_send(client, "GET /ech HTTP/1.1\r\nHost: a\r\n\r\n");
	http_client_wait_text(client, "nothing at this URL");
	assert_true(http_client_has(client, "HTTP/1.1 404 Not Found\r\n"));
	/* Without a body to read there is no reason to close. */
	http_client_forget(client);
	http_client_send(client, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n");
	http_client_wait_text(client, "now\n");
	talloc_free(f);
}

static void test_a_head_that_is_not_http_is_refused(void **state)
{
	static const char *const heads[] = {
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"GET /now HTTP/1.1\r\n no colon\r\n\r\n",
		"GET /now HTTP/9.9\r\nHost: a\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 99999999999999999999999\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		"Content-Length: 2\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nHost: a\r\n"
		"Transfer-Encoding: chunked\r\ntransfer-encoding: gzip\r\n"
		"\r\n3\r\nabc\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: a\r\n"
		"Transfer-Encoding: gzip\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\nHost: a\r\n"
		"Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
	};
	struct http_fixture *f = http_fixture_create(*state);
	size_t i;

	/* The first is a line that does not end. */
	f->config.limits.head_seconds = 1;
	http_fixture_start(f);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct http_client *client = http_client_open(f, NULL);

		http_client_send(client, heads[i]);
		http_client_wait_closed(client);
		assert_false(http_client_has(client, " 200 "));
		talloc_free(client);
	}
	assert_int_equal(f->ended, 0);
	assert_int_equal(f->begun, f->gone);
	talloc_free(f);
}

static void test_the_longest_path_and_query_arrive_whole(void **state)
{
	enum {
		LENGTH = 15000
	};
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	char *path = talloc_array(f, char, LENGTH + 1);
	char *text = NULL;

	memset(path, 'p', LENGTH);
	path[LENGTH] = '\0';
	memcpy(path, "/count/", 7);
	text = talloc_asprintf(f, "GET %s?%s HTTP/1.1\r\nHost: a\r\n\r\n", path,
			       path);
	http_client_send(client, text);
	http_client_wait_text(client, "took 0\n");
	http_client_forget(client);
	text = talloc_asprintf(f, "GET /text?%s HTTP/1.1\r\nHost: a\r\n\r\n",
			       path);
	http_client_send(client, text);
	http_client_wait_text(client, "length 0\n");
	text = talloc_asprintf(f, "\nquery %s\n", path);
	assert_true(http_client_has(client, text));
	talloc_free(f);
}

/* ------------------------------------------------------ expect, pause */

static void test_continue_is_sent_after_the_head_was_accepted(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "POST /echo HTTP/1.1\r\nHost: a\r\n"
				 "Expect: 100-continue\r\n"
				 "Content-Length: 4\r\n\r\n");
	http_client_wait_text(client, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(f->begun, 1);
	http_client_send(client, "abcd");
	http_client_wait_text(client, "\r\n\r\nabcd");
	talloc_free(f);
}

static void test_no_continue_for_what_is_refused(void **state)
{
	static const char *const targets[] = {"/echo", "/now", "/nothing"};
	static const char *const answers[] = {" 413 ", " 200 ", " 404 "};
	struct http_fixture *f = started(state);
	size_t i;

	for (i = 0; i < 3; i++) {
		struct http_client *client = http_client_open(f, NULL);
		char *request =
			talloc_asprintf(f,
					"POST %s HTTP/1.1\r\nHost: a\r\n"
					"Expect: 100-continue\r\n"
					"Content-Length: 200000\r\n\r\n",
					targets[i]);

		http_client_send(client, request);
		http_client_wait_closed(client);
		assert_true(http_client_has(client, answers[i]));
		assert_false(http_client_has(client, "100 Continue"));
		talloc_free(client);
	}
	talloc_free(f);
}

static void test_a_paused_body_waits_and_goes_on(void **state)
{
	enum {
		LENGTH = 4000000
	};
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	uint8_t *body = talloc_zero_array(f, uint8_t, 100000);
	uint64_t taken;
	size_t sent = 0;

	http_client_send(client, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 4000000\r\n\r\n");
	http_client_send_bytes(client, body, 1000);
	http_wait(f, f->waiting != NULL);
	taken = f->taken;
	/* More arrives; none of it is handed over. */
	http_client_send_bytes(client, body, 100000);
	http_fixture_run(f, 300);
	assert_int_equal(f->taken, taken);

	http_resume(f->waiting);
	for (sent = 101000; sent < LENGTH; sent += 100000) {
		http_client_send_bytes(client, body,
				       LENGTH - sent < 100000 ? LENGTH - sent
							      : 100000);
	}
	http_client_wait_text(client, "took 4000000\n");
	assert_int_equal(f->ended, 1);
	talloc_free(f);
}

static void test_a_pause_over_the_end_of_the_body_holds_the_end(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 3\r\n\r\nabc");
	http_wait(f, f->waiting != NULL);
	http_fixture_run(f, 50);
	assert_int_equal(f->ended, 0);
	http_pause(f->waiting);
	http_resume(f->waiting);
	http_fixture_run(f, 50);
	assert_int_equal(f->ended, 0);
	http_resume(f->waiting);
	http_client_wait_text(client, "took 3\n");
	talloc_free(f);
}

/* ------------------------------------------------------------- answers */

static void test_an_answer_may_come_much_later(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	http_wait(f, f->waiting != NULL);
	http_fixture_run(f, 600);
	assert_int_equal(client->len, 0);
	http_answer_text(f->waiting, 204, NULL);
	http_client_wait_text(client, "HTTP/1.1 204 No Content\r\n");
	f->waiting = NULL;

	http_client_forget(client);
	http_client_send(client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	http_wait(f, f->waiting != NULL);
	http_answer_text(f->waiting, 503, "busy");
	http_client_wait_text(client, "busy\n");
	assert_int_equal(http_fixture_stats(f).answers[5], 1);
	assert_int_equal(f->gone, 0);
	talloc_free(f);
}

static void test_an_answer_before_the_body_reaches_a_sender(void **state)
{
	static const char *const targets[] = {"/now", "/early", "/nothing"};
	static const char *const answers[] = {"now\n", "not like this\n",
					      "nothing at this URL"};
	struct http_fixture *f = started(state);
	uint8_t *body = talloc_zero_array(f, uint8_t, 1000000);
	size_t i;

	for (i = 0; i < 3; i++) {
		struct http_client *client = http_client_open(f, NULL);
		char *head = talloc_asprintf(f,
					     "POST %s HTTP/1.1\r\nHost: a\r\n"
					     "Content-Length: 1000000\r\n\r\n",
					     targets[i]);

		/* It sends all before it reads. */
		http_client_deaf(client);
		http_client_send(client, head);
		http_client_send_bytes(client, body, 1000000);
		http_client_hear(client);
		http_client_wait_closed(client);
		assert_false(client->reset);
		assert_true(http_client_has(client, answers[i]));
		assert_true(http_client_has(client, "Connection: close\r\n"));
		talloc_free(client);
	}
	assert_int_equal(f->taken, 0);
	assert_int_equal(f->ended, 0);
	assert_int_equal(f->gone, 0);
	talloc_free(f);
}

static void test_a_paused_request_may_be_answered(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 4000000\r\n\r\nabc");
	http_wait(f, f->waiting != NULL);
	http_answer_text(f->waiting, 400, "enough");
	http_client_wait_text(client, "\r\n\r\nenough\n");
	http_client_wait_closed(client);
	assert_int_equal(f->gone, 0);
	talloc_free(f);
}

static void test_a_second_answer_is_ignored(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	http_wait(f, f->waiting != NULL);
	http_answer_text(f->waiting, 200, "one");
	http_answer_text(f->waiting, 200, "two");
	http_client_wait_text(client, "one\n");
	http_fixture_run(f, 20);
	assert_false(http_client_has(client, "two"));
	talloc_free(f);
}

static void test_a_large_answer_is_taken_as_the_client_reads(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *client = NULL;

	f->large = 20000000;
	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_deaf(client);
	http_client_send(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
	http_wait(f, f->ended == 1);
	http_fixture_run(f, 300);
	http_client_hear(client);
	http_wait(f, client->len > f->large);
	http_client_forget(client);
	http_client_send(client, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n");
	http_client_wait_text(client, "now\n");
	talloc_free(f);
}

/* ----------------------------------------------------------- body limits */

static void test_a_body_too_long_is_refused_by_its_length(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	uint8_t *body = talloc_zero_array(f, uint8_t, ECHO_MAX + 1);

	http_client_send(client, "POST /echo HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 100001\r\n\r\n");
	http_client_send_bytes(client, body, ECHO_MAX + 1);
	http_client_wait_closed(client);
	assert_true(http_client_has(client, "HTTP/1.1 413 "));
	assert_true(http_client_has(client, "longer than the 100000 bytes"));
	assert_false(client->reset);
	assert_int_equal(f->gone, 1);
	assert_int_equal(f->ended, 0);
	assert_int_equal(http_fixture_stats(f).received, 0);

	/* The longest one is taken. */
	client = http_client_open(f, NULL);
	http_client_send(client, "POST /echo HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 100000\r\n\r\n");
	http_client_send_bytes(client, body, ECHO_MAX);
	http_wait(f, client->len > ECHO_MAX);
	assert_int_equal(f->ended, 1);
	talloc_free(f);
}

static void test_a_chunked_body_too_long_is_refused_when_it_is(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);
	uint8_t *body = talloc_zero_array(f, uint8_t, 10000);
	int i;

	http_client_send(client, "POST /echo HTTP/1.1\r\nHost: a\r\n"
				 "Transfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < 200; i++) {
		http_client_send(client, "2710\r\n");
		http_client_send_bytes(client, body, 10000);
		http_client_send(client, "\r\n");
	}
	http_client_wait_closed(client);
	assert_true(http_client_has(client, "HTTP/1.1 413 "));
	assert_false(client->reset);
	assert_int_equal(f->gone, 1);
	assert_int_equal(f->ended, 0);
	/* One piece of it passed the limit; nothing after it was taken. */
	assert_true(http_fixture_stats(f).received < ECHO_MAX + 100000);
	talloc_free(f);
}

static void test_a_head_too_long_is_431(void **state)
{
	struct http_fixture *f = started(state);
	size_t lengths[] = {30000, 33000, 60000, 1000000};
	size_t i;

	for (i = 0; i < 4; i++) {
		struct http_client *client = http_client_open(f, NULL);
		char *filler = talloc_array(f, char, lengths[i]);

		memset(filler, 'x', lengths[i]);
		http_client_send(client, "GET /now HTTP/1.1\r\nX-Long: ");
		http_client_send_bytes(client, filler, lengths[i]);
		http_client_send(client, "\r\n\r\n");
		if (i == 0) {
			http_client_wait_text(client, "now\n");
		} else {
			http_client_wait_closed(client);
			assert_true(http_client_has(client, "HTTP/1.1 431 "));
			assert_false(client->reset);
		}
		talloc_free(client);
	}
	talloc_free(f);
}

/* ----------------------------------------------------------- who is gone */

static void test_a_peer_gone_in_its_body_is_told(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "POST /count HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 10\r\n\r\nabc");
	http_wait(f, f->taken == 3);
	talloc_free(client);
	http_wait(f, f->gone == 1);
	http_wait(f, http_fixture_stats(f).connections == 0);
	assert_int_equal(f->ended, 0);
	assert_int_equal(http_fixture_stats(f).answers[0], 1);
	talloc_free(f);
}

static void test_a_peer_gone_while_it_waits_is_told(void **state)
{
	struct http_fixture *f = started(state);
	struct linger linger = {.l_onoff = 1};
	int i;

	for (i = 0; i < 2; i++) {
		struct http_client *client = http_client_open(f, NULL);

		http_client_send(client,
				 "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
		http_wait(f, f->waiting != NULL);
		if (i == 1) {
			/* By a reset. */
			setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger,
				   sizeof(linger));
		}
		talloc_free(client);
		http_wait(f, f->gone == (unsigned int)i + 1);
		assert_null(f->waiting);
	}
	http_wait(f, http_fixture_stats(f).connections == 0);
	talloc_free(f);
}

static void test_a_paused_peer_that_resets_is_told(void **state)
{
	struct linger linger = {.l_onoff = 1};
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 10\r\n\r\nabc");
	http_wait(f, f->waiting != NULL);
	/* More than was handed over, so that the library holds bytes. */
	http_client_send(client, "defg");
	http_fixture_run(f, 20);
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	talloc_free(client);
	http_wait(f, f->gone == 1);
	http_wait(f, http_fixture_stats(f).connections == 0);
	talloc_free(f);
}

static void test_a_peer_that_closed_its_side_gets_its_answer(void **state)
{
	struct http_fixture *f = started(state);
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
	http_wait(f, f->waiting != NULL);
	http_fixture_run(f, 600);
	assert_non_null(f->waiting);
	http_answer_text(f->waiting, 200, "here");
	http_client_wait_text(client, "here\n");
	http_client_wait_closed(client);
	talloc_free(f);
}

static void test_the_server_may_be_freed_with_requests_in_flight(void **state)
{
	static const char *const requests[] = {
		"",
		"GET /now HTTP",
		"GET /now HTTP/1.1\r\nHost: a\r\n",
		"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: "
		"9\r\n\r\nab",
		"POST /paused HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
		"ab",
		"GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
		"ab",
		"POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
		"GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	struct http_fixture *f = http_fixture_create(*state);
	size_t i;

	f->large = 20000000;
	http_fixture_start(f);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct http_client *client = http_client_open(f, NULL);

		http_client_deaf(client);
		http_client_send(client, requests[i]);
	}
	http_wait(f, http_fixture_stats(f).requests == 6);
	http_fixture_run(f, 50);
	TALLOC_FREE(f->server);
	/* Each that had begun and had no answer. */
	assert_int_equal(f->gone, 3);
	talloc_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_body_comes_back),
		leak_test(test_requests_follow_each_other_on_one_connection),
		leak_test(test_pipelined_requests_are_answered_in_order),
		leak_test(test_a_chunked_body_is_put_together),
		leak_test(test_a_head_may_come_byte_by_byte),
		leak_test(test_unknown_methods_pass),
		leak_test(test_head_has_the_fields_and_no_body),
		leak_test(test_what_a_handler_is_told_of_a_request),
		leak_test(test_the_longest_route_wins_and_no_route_is_404),
		leak_test(test_a_head_that_is_not_http_is_refused),
		leak_test(test_the_longest_path_and_query_arrive_whole),
		leak_test(test_continue_is_sent_after_the_head_was_accepted),
		leak_test(test_no_continue_for_what_is_refused),
		leak_test(test_a_paused_body_waits_and_goes_on),
		leak_test(test_a_pause_over_the_end_of_the_body_holds_the_end),
		leak_test(test_an_answer_may_come_much_later),
		leak_test(test_an_answer_before_the_body_reaches_a_sender),
		leak_test(test_a_paused_request_may_be_answered),
		leak_test(test_a_second_answer_is_ignored),
		leak_test(test_a_large_answer_is_taken_as_the_client_reads),
		leak_test(test_a_body_too_long_is_refused_by_its_length),
		leak_test(test_a_chunked_body_too_long_is_refused_when_it_is),
		leak_test(test_a_head_too_long_is_431),
		leak_test(test_a_peer_gone_in_its_body_is_told),
		leak_test(test_a_peer_gone_while_it_waits_is_told),
		leak_test(test_a_paused_peer_that_resets_is_told),
		leak_test(test_a_peer_that_closed_its_side_gets_its_answer),
		leak_test(test_the_server_may_be_freed_with_requests_in_flight),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
