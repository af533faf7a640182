/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A request without a connection: soap/http.h, http_replay_send(). */

#include "tests/leak.h"

#include "soap/http.h"

#include <string.h>

#define BODY_LEN (200 * 1024 + 1)

/* What a handler has seen, and how it behaves. */
struct seen {
	struct http_exchange *exchange;
	uint64_t body_max;
	bool answer_in_begin;
	bool answer_in_end;
	bool pause_in_body;
	unsigned int begins, bodies, ends, gones;
	uint64_t received;
	uint32_t sum;
};

static void on_begin(struct http_exchange *exchange, void *private_data)
{
	struct seen *seen = private_data;

	seen->begins++;
	seen->exchange = exchange;
	assert_string_equal(http_method(exchange), "POST");
	assert_string_equal(http_path(exchange), "/a");
	assert_null(http_query(exchange));
	assert_string_equal(http_header(exchange, "content-TYPE"), "text/xml");
	assert_null(http_header(exchange, "Host"));
	assert_string_equal(http_peer(exchange)->address, "192.0.2.7");
	assert_false(http_peer(exchange)->tls);
	assert_int_equal(http_content_length(exchange), BODY_LEN);
	http_set_body_max(exchange, seen->body_max);
	http_set_state(exchange, seen);
	assert_non_null(talloc_zero(exchange, unsigned int));
	if (seen->answer_in_begin) {
		http_answer_text(exchange, 403, "no");
	}
}

static void on_body(struct http_exchange *exchange, void *private_data,
		    const uint8_t *data, size_t len)
{
	struct seen *seen = private_data;
	size_t i;

	assert_ptr_equal(http_state(exchange), seen);
	assert_int_equal(seen->ends, 0);
	seen->bodies++;
	seen->received += len;
	for (i = 0; i < len; i++) {
		seen->sum = seen->sum * 31 + data[i];
	}
	if (seen->pause_in_body) {
		http_pause(exchange);
	}
}

static void on_end(struct http_exchange *exchange, void *private_data)
{
	struct seen *seen = private_data;

	seen->ends++;
	if (seen->answer_in_end) {
		http_answer(exchange, 200, "text/plain", NULL, 0,
			    (uint8_t *)talloc_strdup(exchange, "ok"), 2);
	}
}

static void on_gone(struct http_exchange *exchange, void *private_data)
{
	struct seen *seen = private_data;

	(void)exchange;
	seen->gones++;
}

static const struct http_handler handler = {
	.begin = on_begin,
	.body = on_body,
	.end = on_end,
	.gone = on_gone,
};

static struct tevent_req *replay(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 struct seen *seen)
{
	struct http_field *field = talloc(mem_ctx, struct http_field);
	uint8_t *body = talloc_zero_size(mem_ctx, BODY_LEN);
	struct http_replay request = {
		.method = "POST",
		.path = "/a",
		.fields = field,
		.num_fields = 1,
		.peer = "192.0.2.7",
		.body = body,
		.len = BODY_LEN,
	};
	size_t i;

	*field = (struct http_field){"Content-Type", "text/xml"};
	for (i = 0; i < BODY_LEN; i++) {
		body[i] = (uint8_t)(i * 7);
	}
	return http_replay_send(mem_ctx, ev, &handler, seen, &request);
}

static unsigned int status_of(struct tevent_req *req, struct tevent_context *ev)
{
	unsigned int status = 0;

	assert_true(tevent_req_poll(req, ev));
	assert_int_equal(http_replay_recv(req, &status), EVERR_OK);
	TALLOC_FREE(req);
	return status;
}

static void test_a_handler_gets_all_of_it_and_its_answer_counts(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {.body_max = BODY_LEN, .answer_in_end = true};
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < BODY_LEN; i++) {
		sum = sum * 31 + (uint8_t)(i * 7);
	}
	assert_int_equal(status_of(replay(*state, ev, &seen), ev), 200);
	assert_int_equal(seen.begins, 1);
	assert_int_equal(seen.ends, 1);
	assert_int_equal(seen.gones, 0);
	assert_int_equal(seen.received, BODY_LEN);
	assert_int_equal(seen.sum, sum);
	assert_true(seen.bodies > 1);
}

static void test_an_answer_at_once_ends_it(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {.body_max = BODY_LEN, .answer_in_begin = true};

	assert_int_equal(status_of(replay(*state, ev, &seen), ev), 403);
	assert_int_equal(seen.bodies, 0);
	assert_int_equal(seen.ends, 0);
}

static void test_a_body_over_the_handlers_limit_is_refused(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {.body_max = BODY_LEN - 1};

	assert_int_equal(status_of(replay(*state, ev, &seen), ev), 413);
	assert_int_equal(seen.bodies, 0);
	assert_int_equal(seen.gones, 1);
}

static void on_turn(struct tevent_context *ev, struct tevent_immediate *im,
		    void *private_data)
{
}

/* More turns than it would take. */
static void run(struct tevent_context *ev)
{
	struct tevent_immediate *im = NULL;
	int i;

	for (i = 0; i < 20; i++) {
		im = tevent_create_immediate(ev);
		tevent_schedule_immediate(im, ev, on_turn, NULL);
		tevent_loop_once(ev);
		talloc_free(im);
	}
}

static void test_a_pause_holds_the_rest_back(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {.body_max = BODY_LEN,
			    .answer_in_end = true,
			    .pause_in_body = true};
	struct tevent_req *req = replay(*state, ev, &seen);
	unsigned int bodies;

	while (seen.bodies == 0) {
		tevent_loop_once(ev);
	}
	run(ev);
	assert_int_equal(seen.bodies, 1);
	for (bodies = 1; seen.received < BODY_LEN; bodies++) {
		http_resume(seen.exchange);
		while (seen.bodies == bodies) {
			tevent_loop_once(ev);
		}
	}
	run(ev);
	assert_int_equal(seen.ends, 0);
	http_resume(seen.exchange);
	assert_int_equal(status_of(req, ev), 200);
}

static void test_an_answer_may_come_later(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {.body_max = BODY_LEN};
	struct tevent_req *req = replay(*state, ev, &seen);

	while (seen.ends == 0) {
		tevent_loop_once(ev);
	}
	run(ev);
	assert_true(tevent_req_is_in_progress(req));
	http_answer_text(seen.exchange, 500, "late");
	assert_int_equal(status_of(req, ev), 500);
}

static void test_giving_up_tells_the_handler(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct seen seen = {.body_max = BODY_LEN};
	struct tevent_req *req = NULL;

	/* Before its begin there is nothing to tell. */
	req = replay(*state, ev, &seen);
	TALLOC_FREE(req);
	assert_int_equal(seen.gones, 0);

	req = replay(*state, ev, &seen);
	while (seen.ends == 0) {
		tevent_loop_once(ev);
	}
	TALLOC_FREE(req);
	assert_int_equal(seen.gones, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_handler_gets_all_of_it_and_its_answer_counts),
		leak_test(test_an_answer_at_once_ends_it),
		leak_test(test_a_body_over_the_handlers_limit_is_refused),
		leak_test(test_a_pause_holds_the_rest_back),
		leak_test(test_an_answer_may_come_later),
		leak_test(test_giving_up_tells_the_handler),
	};

	/* What the library keeps from its first use on is no leak of a test. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
