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

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_body_comes_back),
		leak_test(test_requests_follow_each_other_on_one_connection),
		leak_test(test_pipelined_requests_are_answered_in_order),
	};

	/* Its list of backends stays. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
