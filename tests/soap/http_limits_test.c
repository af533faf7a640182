/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/soap/http_fixture.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IDLE_CROWD 1000

static const char now_request[] = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n";

/* All times one second. */
static struct http_fixture *impatient(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);

	f->config.limits.head_seconds = 1;
	f->config.limits.idle_seconds = 1;
	f->config.limits.body_seconds = 1;
	f->config.limits.body_rate = 1000;
	return f;
}

static uint64_t clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Another client is served, at once. */
static void assert_served(struct http_fixture *f)
{
	struct http_client *client = http_client_open(f, NULL);
	uint64_t start = clock_ms(CLOCK_MONOTONIC);

	http_client_send(client, now_request);
	http_client_wait_text(client, "now\n");
	assert_true(clock_ms(CLOCK_MONOTONIC) - start < 1000);
	talloc_free(client);
}

/* The loop does next to nothing. */
static void assert_at_rest(struct http_fixture *f)
{
	uint64_t start = clock_ms(CLOCK_PROCESS_CPUTIME_ID);

	http_fixture_run(f, 1000);
	assert_true(clock_ms(CLOCK_PROCESS_CPUTIME_ID) - start < 300);
}

/* ----------------------------------------------------------- allow-list */

static void test_an_address_that_is_not_allowed_is_closed(void **state)
{
	static const char *const first[] = {"127.0.0.1/32", NULL};
	static const char *const second[] = {"127.0.0.2", NULL};
	static const char *const wrong[] = {"127.0.0.2", "nonsense", NULL};
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *open = NULL;
	struct http_client *client = NULL;
	char *message = NULL;
	everr_t err;

	f->config.allow = first;
	http_fixture_start(f);
	client = http_client_open(f, "127.0.0.2");
	http_client_send(client, now_request);
	http_client_wait_closed(client);
	assert_int_equal(client->len, 0);
	assert_int_equal(http_fixture_stats(f).refused, 1);
	assert_int_equal(http_fixture_stats(f).accepted, 0);
	assert_served(f);

	/* A list that is wrong changes nothing. */
	open = http_client_open(f, NULL);
	http_client_send(open, now_request);
	http_client_wait_text(open, "now\n");
	err = http_listener_allow(f->listener, wrong, &message);
	assert_int_equal(err, EVERR_CONFIG);
	assert_non_null(strstr(message, "test: \"nonsense\""));
	assert_served(f);

	/* A new one is for new connections. */
	err = http_listener_allow(f->listener, second, &message);
	assert_int_equal(err, EVERR_OK);
	http_client_forget(open);
	http_client_send(open, now_request);
	http_client_wait_text(open, "now\n");
	client = http_client_open(f, NULL);
	http_client_wait_closed(client);
	client = http_client_open(f, "127.0.0.2");
	http_client_send(client, now_request);
	http_client_wait_text(client, "now\n");
	talloc_free(f);
}

static void test_listeners_say_what_is_wrong(void **state)
{
	static const char *const bad_allow[] = {"10.0.0.0/99", NULL};
	struct http_fixture *f = http_fixture_create(*state);
	struct http_listener_config config = f->config;
	struct http_listener *listener = NULL;
	char *message = NULL;
	everr_t err;

	config.allow = bad_allow;
	err = http_listen(f->server, &config, NULL, 0, &listener, &message);
	assert_int_equal(err, EVERR_CONFIG);
	assert_non_null(strstr(message, "10.0.0.0/99"));

	config = f->config;
	config.address = "localhost";
	err = http_listen(f->server, &config, NULL, 0, &listener, &message);
	assert_int_equal(err, EVERR_CONFIG);
	assert_non_null(strstr(message, "\"localhost\""));

	config = f->config;
	config.certificate = "/nonexistent/certificate.pem";
	config.key = "/nonexistent/key.pem";
	err = http_listen(f->server, &config, NULL, 0, &listener, &message);
	assert_int_equal(err, EVERR_CONFIG);
	assert_non_null(strstr(message, "/nonexistent/certificate.pem"));

	/* The port of one that is open. */
	http_fixture_start(f);
	config = f->config;
	config.port = f->port;
	err = http_listen(f->server, &config, NULL, 0, &listener, &message);
	assert_int_equal(err, EVERR_IO);
	assert_non_null(strstr(message, "in use"));
	assert_null(listener);
	assert_int_equal(http_listener_count(f->server), 1);
	assert_served(f);
	talloc_free(f);
}

/* --------------------------------------------------------------- numbers */

static struct http_client *idle_client(struct http_fixture *f)
{
	struct http_client *client = http_client_open(f, NULL);

	http_client_send(client, now_request);
	http_client_wait_text(client, "now\n");
	http_client_forget(client);
	return client;
}

static void test_a_crowd_of_idle_connections_locks_nobody_out(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *first = NULL;
	struct http_client *last = NULL;
	int i;

	f->config.limits.connections = IDLE_CROWD;
	f->config.limits.connections_per_address = IDLE_CROWD;
	http_fixture_start(f);
	first = idle_client(f);
	for (i = 1; i < IDLE_CROWD; i++) {
		last = idle_client(f);
	}
	assert_int_equal(http_fixture_stats(f).connections, IDLE_CROWD);
	assert_false(first->closed);
	for (i = 0; i < 50; i++) {
		assert_served(f);
	}
	/* The longest idle made room; the last of them is still there. */
	http_client_wait_closed(first);
	http_client_send(last, now_request);
	http_client_wait_text(last, "now\n");
	assert_int_equal(http_fixture_stats(f).limited, 0);
	assert_at_rest(f);
	talloc_free(f);
}

static void test_silent_connections_make_room_too(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *silent = NULL;
	int i;

	f->config.limits.connections = 20;
	http_fixture_start(f);
	for (i = 0; i < 20; i++) {
		silent = http_client_open(f, NULL);
		http_client_send(silent, "GET /now HT");
	}
	http_fixture_run(f, 1100);
	assert_served(f);
	talloc_free(f);
}

/* Its bytes are in the socket: the library has not read them yet. */
static void test_a_request_that_has_just_come_makes_no_room(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *client = NULL;
	struct http_client *other = NULL;

	f->config.limits.connections = 1;
	http_fixture_start(f);
	client = idle_client(f);
	/* The loop sees the new connection first. */
	other = http_client_open(f, NULL);
	http_client_send(client, now_request);
	http_client_wait_text(client, "now\n");
	http_client_wait_closed(other);
	assert_int_equal(http_fixture_stats(f).limited, 1);
	assert_served(f);
	talloc_free(f);
}

static void test_requests_in_flight_make_no_room(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *busy[2] = {};
	struct http_client *client = NULL;
	int i;

	f->config.limits.connections = 2;
	http_fixture_start(f);
	for (i = 0; i < 2; i++) {
		busy[i] = http_client_open(f, NULL);
		http_client_send(busy[i], "GET /later HTTP/1.1\r\n"
					  "Host: a\r\n\r\n");
		http_wait(f, f->ended == (unsigned int)i + 1);
	}
	client = http_client_open(f, NULL);
	http_client_wait_closed(client);
	assert_int_equal(http_fixture_stats(f).limited, 1);

	http_answer_text(f->waiting, 200, "done");
	http_client_wait_text(busy[1], "done\n");
	assert_served(f);
	assert_false(busy[0]->closed);
	talloc_free(f);
}

static void test_one_address_takes_its_share_only(void **state)
{
	static const char *const allow[] = {"127.0.0.0/8", NULL};
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *client = NULL;
	int i;

	f->config.allow = allow;
	f->config.limits.connections_per_address = 3;
	http_fixture_start(f);
	for (i = 0; i < 3; i++) {
		client = http_client_open(f, "127.0.0.2");
		http_client_send(client, "GET /later HTTP/1.1\r\n"
					 "Host: a\r\n\r\n");
		http_wait(f, f->ended == (unsigned int)i + 1);
	}
	client = http_client_open(f, "127.0.0.2");
	http_client_wait_closed(client);
	assert_int_equal(http_fixture_stats(f).limited, 1);
	assert_served(f);
	talloc_free(f);
}

/* ---------------------------------------------------------------- clocks */

static void test_a_head_that_does_not_end_is_cut(void **state)
{
	static const char *const heads[] = {"", "G", "GET /now HTTP/1.1\r\n",
					    "GET /now HTTP/1.1\r\nHost: a\r\n"};
	struct http_fixture *f = impatient(state);
	struct http_client *clients[4] = {};
	int i;

	http_fixture_start(f);
	for (i = 0; i < 4; i++) {
		clients[i] = http_client_open(f, NULL);
		http_client_send(clients[i], heads[i]);
	}
	/* A byte now and then buys no time. */
	for (i = 0; i < 25 && !clients[3]->closed; i++) {
		http_client_send(clients[3], "x");
		http_fixture_run(f, 100);
	}
	for (i = 0; i < 4; i++) {
		http_client_wait_closed(clients[i]);
	}
	assert_int_equal(http_fixture_stats(f).timed_out, 4);
	assert_int_equal(http_fixture_stats(f).connections, 0);
	assert_int_equal(f->gone, 0);
	assert_served(f);
	talloc_free(f);
}

static void test_an_idle_connection_is_cut(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *client = NULL;
	uint64_t start;

	http_fixture_start(f);
	client = idle_client(f);
	start = clock_ms(CLOCK_MONOTONIC);
	http_client_wait_closed(client);
	assert_in_range(clock_ms(CLOCK_MONOTONIC) - start, 900, 10000);
	assert_int_equal(http_fixture_stats(f).timed_out, 1);
	talloc_free(f);
}

static void test_a_second_head_or_a_body_that_stops_is_cut(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *head = NULL;
	struct http_client *body = NULL;

	f->config.limits.idle_seconds = 3600;
	http_fixture_start(f);
	head = idle_client(f);
	http_client_send(head, "GET /no");
	body = http_client_open(f, NULL);
	http_client_send(body, "POST /count HTTP/1.1\r\nHost: a\r\n"
			       "Content-Length: 10\r\n\r\nabc");
	http_client_wait_closed(head);
	http_client_wait_closed(body);
	http_wait(f, f->gone == 1);
	assert_int_equal(f->ended, 0);
	assert_int_equal(http_fixture_stats(f).timed_out, 2);
	talloc_free(f);
}

static void test_a_body_that_drips_is_cut(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *client = NULL;
	int i;

	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_send(client, "POST /count HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 1000\r\n\r\n");
	for (i = 0; i < 100 && !client->closed; i++) {
		http_client_send(client, "0123456789");
		http_fixture_run(f, 100);
	}
	assert_true(i < 90);
	http_wait(f, f->gone == 1);
	assert_int_equal(http_fixture_stats(f).timed_out, 1);
	talloc_free(f);
}

static void test_a_steady_body_may_take_long(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *client = NULL;
	uint8_t *piece = talloc_zero_array(f, uint8_t, 500);
	int i;

	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_send(client, "POST /count HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 10000\r\n\r\n");
	for (i = 0; i < 20; i++) {
		http_client_send_bytes(client, piece, 500);
		http_fixture_run(f, 100);
	}
	http_client_wait_text(client, "took 10000\n");
	talloc_free(f);
}

static void test_an_answer_that_is_not_taken_is_cut(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *client = NULL;

	f->large = 30000000;
	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_deaf(client);
	http_client_send(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
	http_wait(f, http_fixture_stats(f).timed_out == 1);
	http_client_hear(client);
	http_client_wait_closed(client);
	assert_true(client->len < f->large);
	/* It had been given. */
	assert_int_equal(f->gone, 0);
	talloc_free(f);
}

static void test_the_clock_stands_still_while_the_handler_works(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *client = NULL;

	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_send(client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	http_wait(f, f->waiting != NULL);
	http_fixture_run(f, 1600);
	http_answer_text(f->waiting, 200, "at last");
	http_client_wait_text(client, "at last\n");
	assert_int_equal(http_fixture_stats(f).timed_out, 0);
	talloc_free(f);
}

static void test_the_clock_stands_still_while_paused(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *client = NULL;

	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_send(client, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 6\r\n\r\nabc");
	http_wait(f, f->waiting != NULL);
	http_client_send(client, "de");
	http_fixture_run(f, 600);
	assert_at_rest(f);
	http_resume(f->waiting);
	http_fixture_run(f, 300);
	http_client_send(client, "f");
	http_client_wait_text(client, "took 6\n");
	assert_int_equal(http_fixture_stats(f).timed_out, 0);
	talloc_free(f);
}

static void test_many_slow_senders_hold_up_nobody(void **state)
{
	struct http_fixture *f = impatient(state);
	struct http_client *clients[200] = {};
	int i;

	http_fixture_start(f);
	for (i = 0; i < 200; i++) {
		clients[i] = http_client_open(f, NULL);
		http_client_send(clients[i],
				 i % 2 == 0 ? "GET /n"
					    : "POST /count HTTP/1.1\r\n"
					      "Host: a\r\n"
					      "Content-Length: 10\r\n\r\nabc");
	}
	for (i = 0; i < 10; i++) {
		assert_served(f);
	}
	for (i = 0; i < 200; i++) {
		http_client_wait_closed(clients[i]);
	}
	http_wait(f, f->gone == 100);
	assert_int_equal(http_fixture_stats(f).timed_out, 200);
	talloc_free(f);
}

/* ------------------------------------------------------ peers that leave */

/*
 * What it sent and its end come with one event; the library reads the first
 * and waits for another event.  The clock's limits are far away.
 */
static void test_an_end_that_came_with_the_last_bytes_is_seen(void **state)
{
	static const char *const last[] = {
		"POST /paused HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 10\r\n\r\nabc",
		"POST /count HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 10\r\n\r\nabc",
		"GET /now HTTP/1.1\r\nHo",
		now_request,
	};
	struct http_fixture *f = http_fixture_create(*state);
	uint64_t start = clock_ms(CLOCK_MONOTONIC);
	struct http_client *clients[4] = {};
	size_t i;

	http_fixture_start(f);
	for (i = 0; i < 4; i++) {
		clients[i] = http_client_open(f, NULL);
		http_client_send(clients[i], last[i]);
		assert_int_equal(shutdown(clients[i]->fd, SHUT_WR), 0);
		/* The first one to bring bytes is paused. */
		http_wait(f, f->waiting != NULL);
	}
	for (i = 0; i < 4; i++) {
		http_client_wait_closed(clients[i]);
	}
	assert_true(http_client_has(clients[3], "now\n"));
	http_wait(f, f->gone == 2);
	assert_true(clock_ms(CLOCK_MONOTONIC) - start < 5000);
	assert_int_equal(http_fixture_stats(f).timed_out, 0);
	talloc_free(f);
}

/* Bytes that nobody has read are before the peer's end. */
static void test_a_paused_body_that_stays_short_is_over(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *client = NULL;
	struct http_client *whole = NULL;
	uint64_t start = clock_ms(CLOCK_MONOTONIC);

	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_send(client, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 10\r\n\r\nabc");
	http_wait(f, f->waiting != NULL);
	http_client_send(client, "de");
	http_fixture_run(f, 20);
	http_client_send(client, "fghi");
	assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
	http_wait(f, f->gone == 1);
	assert_true(clock_ms(CLOCK_MONOTONIC) - start < 5000);
	assert_int_equal(f->taken, 3);

	/* One that is all there waits for its turn. */
	f->taken = 0;
	whole = http_client_open(f, NULL);
	http_client_send(whole, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				"Content-Length: 10\r\n\r\nabc");
	http_wait(f, f->waiting != NULL);
	http_client_send(whole, "de");
	http_fixture_run(f, 20);
	http_client_send(whole, "fghij");
	assert_int_equal(shutdown(whole->fd, SHUT_WR), 0);
	http_fixture_run(f, 600);
	assert_int_equal(f->gone, 1);
	http_resume(f->waiting);
	http_client_wait_text(whole, "took 10\n");
	talloc_free(f);
}

/* A reset before the answer could be written. */
static void test_a_peer_that_resets_gets_no_early_answer(void **state)
{
	const struct linger linger = {.l_onoff = 1};
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *client = NULL;
	uint64_t start;

	http_fixture_start(f);
	client = http_client_open(f, NULL);
	http_client_send(client, "POST /paused HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 10\r\n\r\nabc");
	http_wait(f, f->waiting != NULL);
	http_client_send(client, "de");
	http_fixture_run(f, 20);
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	talloc_free(client);
	http_answer_text(f->waiting, 400, "enough");
	start = clock_ms(CLOCK_MONOTONIC);
	http_wait(f, http_fixture_stats(f).connections == 0);
	assert_true(clock_ms(CLOCK_MONOTONIC) - start < 5000);
	assert_int_equal(http_fixture_stats(f).timed_out, 0);
	talloc_free(f);
}

/* ---------------------------------------------------------- descriptors */

static void test_without_descriptors_the_loop_rests_and_goes_on(void **state)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct http_client *clients[10] = {};
	struct rlimit limit = {};
	struct rlimit small = {};
	uint64_t start;
	int i;

	http_fixture_start(f);
	for (i = 0; i < 10; i++) {
		clients[i] = http_client_open(f, NULL);
		http_client_send(clients[i], now_request);
	}
	/* The descriptors that are open are below it. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	small = limit;
	small.rlim_cur = (rlim_t)clients[9]->fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	start = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
	http_fixture_run(f, 1000);
	start = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

	assert_true(start < 300);
	assert_int_equal(http_fixture_stats(f).accepted, 0);
	assert_in_range(http_fixture_stats(f).limited, 1, 30);
	for (i = 0; i < 10; i++) {
		http_client_wait_text(clients[i], "now\n");
	}
	talloc_free(f);
}

static void raise_descriptors(void)
{
	struct rlimit limit = {};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_an_address_that_is_not_allowed_is_closed),
		leak_test(test_listeners_say_what_is_wrong),
		leak_test(test_a_crowd_of_idle_connections_locks_nobody_out),
		leak_test(test_silent_connections_make_room_too),
		leak_test(test_a_request_that_has_just_come_makes_no_room),
		leak_test(test_requests_in_flight_make_no_room),
		leak_test(test_one_address_takes_its_share_only),
		leak_test(test_a_head_that_does_not_end_is_cut),
		leak_test(test_an_idle_connection_is_cut),
		leak_test(test_a_second_head_or_a_body_that_stops_is_cut),
		leak_test(test_a_body_that_drips_is_cut),
		leak_test(test_a_steady_body_may_take_long),
		leak_test(test_an_answer_that_is_not_taken_is_cut),
		leak_test(test_the_clock_stands_still_while_the_handler_works),
		leak_test(test_the_clock_stands_still_while_paused),
		leak_test(test_many_slow_senders_hold_up_nobody),
		leak_test(test_an_end_that_came_with_the_last_bytes_is_seen),
		leak_test(test_a_paused_body_that_stays_short_is_over),
		leak_test(test_a_peer_that_resets_gets_no_early_answer),
		leak_test(test_without_descriptors_the_loop_rests_and_goes_on),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	raise_descriptors();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
