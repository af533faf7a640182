/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Many clients and a handler that do as chance says, from seeds that are
 * written here: pauses, early and late answers, keep-alive, pipelining, peers
 * that go, connections that make room.  Whatever the order was, each request
 * has ended in one way only, nothing stays behind, and a client that keeps to
 * the rules has all its answers.
 */

#include "tests/leak.h"
#include "tests/soap/http_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define HONEST 8
#define WILD 16
#define STEPS 6000
#define BODY_MAX 3000

struct request {
	LIST_ENTRY(request) link;
	struct http_exchange *exchange;
	unsigned int pauses;
	bool ended;
	bool answered;
};

struct world {
	struct http_fixture *f;
	unsigned int seed;
	LIST_HEAD(requests, request) requests; /* without an answer */
	uint64_t begun;
	uint64_t answered;
	uint64_t gone;
	unsigned int next_id;
	unsigned int dropped; /* behind an answer that closed */
	unsigned int served;  /* answers that honest clients have */
};

static unsigned int chance(struct world *world, unsigned int n)
{
	return (unsigned int)rand_r(&world->seed) % n;
}

/* ------------------------------------------------------------ the handler */

static int request_destructor(struct request *request)
{
	if (!request->answered) {
		LIST_REMOVE(request, link);
	}
	return 0;
}

static void request_answer(struct world *world, struct request *request)
{
	struct http_exchange *exchange = request->exchange;
	const char *id = http_query(exchange);
	char text[64];

	assert_false(request->answered);
	request->answered = true;
	LIST_REMOVE(request, link);
	world->answered++;
	snprintf(text, sizeof(text), "%s done", id != NULL ? id : "wild");
	http_answer_text(exchange, 200, text);
}

static void request_pause(struct request *request)
{
	request->pauses++;
	http_pause(request->exchange);
}

static void request_resume(struct request *request)
{
	request->pauses--;
	http_resume(request->exchange);
}

static void random_begin(struct http_exchange *exchange, void *private_data)
{
	struct world *world = private_data;
	struct request *request = talloc_zero(exchange, struct request);

	assert_non_null(request);
	request->exchange = exchange;
	LIST_INSERT_HEAD(&world->requests, request, link);
	talloc_set_destructor(request, request_destructor);
	http_set_state(exchange, request);
	http_set_body_max(exchange, BODY_MAX);
	world->begun++;
	switch (chance(world, 8)) {
	case 0:
		request_answer(world, request);
		break;
	case 1:
		request_pause(request);
		break;
	}
}

static void random_body(struct http_exchange *exchange, void *private_data,
			const uint8_t *data, size_t len)
{
	struct world *world = private_data;
	struct request *request = http_state(exchange);

	(void)data;
	(void)len;
	assert_false(request->ended);
	assert_false(request->answered);
	assert_int_equal(request->pauses, 0);
	switch (chance(world, 12)) {
	case 0:
		request_answer(world, request);
		break;
	case 1:
		request_pause(request);
		request_answer(world, request);
		break;
	case 2:
	case 3:
		request_pause(request);
		break;
	}
}

static void random_end(struct http_exchange *exchange, void *private_data)
{
	struct world *world = private_data;
	struct request *request = http_state(exchange);

	assert_false(request->ended);
	assert_false(request->answered);
	assert_int_equal(request->pauses, 0);
	request->ended = true;
	if (chance(world, 2) == 0) {
		request_answer(world, request);
	}
}

static void random_gone(struct http_exchange *exchange, void *private_data)
{
	struct world *world = private_data;
	struct request *request = http_state(exchange);

	assert_false(request->answered);
	world->gone++;
	/* What handlers may still do by mistake. */
	if (request->pauses > 0 && chance(world, 2) == 0) {
		request_resume(request);
	}
	if (chance(world, 4) == 0) {
		http_answer_text(exchange, 500, "too late");
	}
}

static const struct http_handler random_handler = {random_begin, random_body,
						   random_end, random_gone};

/* In a turn of its own: one of those that wait. */
static void random_turn(struct world *world)
{
	struct request *request = NULL;
	unsigned int skip = chance(world, 4);

	LIST_FOREACH(request, &world->requests, link)
	{
		if (skip-- == 0) {
			break;
		}
	}
	if (request == NULL) {
		return;
	}
	if (request->pauses > 0 && chance(world, 3) != 0) {
		request_resume(request);
		/* Again at once: the library has not gone on yet. */
		if (chance(world, 4) == 0) {
			request_pause(request);
		}
	} else if (request->ended || chance(world, 3) == 0) {
		request_answer(world, request);
	} else if (chance(world, 8) == 0) {
		request_pause(request);
	}
}

/* ------------------------------------------------------- honest clients */

static const char last_answer[] = "Connection: close\r\n";

struct honest {
	struct http_client *client;
	char *out; /* what is to be sent */
	size_t len;
	size_t sent;
	unsigned int first; /* the ids that wait for an answer */
	unsigned int end;
};

static void honest_add(struct world *world, struct honest *honest)
{
	static const char body[BODY_MAX + 1] = {};
	unsigned int id = world->next_id++;
	unsigned int len = chance(world, BODY_MAX);

	switch (chance(world, 3)) {
	case 0:
		talloc_asprintf_addbuf(&honest->out,
				       "GET /do?q%u. HTTP/1.1\r\nHost: a\r\n"
				       "\r\n",
				       id);
		break;
	case 1:
		talloc_asprintf_addbuf(&honest->out,
				       "POST /do?q%u. HTTP/1.1\r\nHost: a\r\n"
				       "Content-Length: %u\r\n\r\n%*s",
				       id, len, (int)len, body);
		break;
	default:
		talloc_asprintf_addbuf(&honest->out,
				       "POST /do?q%u. HTTP/1.1\r\nHost: a\r\n"
				       "Transfer-Encoding: chunked\r\n\r\n"
				       "%x\r\n%*s\r\n0\r\n\r\n",
				       id, len + 1, (int)len + 1, body);
		break;
	}
	assert_non_null(honest->out);
	honest->len = strlen(honest->out);
	honest->end = id + 1;
}

/* One to three requests, on a new connection where the last one ended. */
static void honest_begin(struct world *world, struct honest *honest)
{
	unsigned int count = 1 + chance(world, 3);

	if (honest->client != NULL &&
	    http_client_has(honest->client, last_answer)) {
		TALLOC_FREE(honest->client);
	}
	if (honest->client == NULL) {
		honest->client = http_client_open(world->f, NULL);
	}
	http_client_forget(honest->client);
	TALLOC_FREE(honest->out);
	honest->out = talloc_strdup(world->f, "");
	honest->sent = 0;
	honest->first = world->next_id;
	while (count-- > 0) {
		honest_add(world, honest);
	}
}

static void honest_send(struct world *world, struct honest *honest)
{
	size_t len = honest->len - honest->sent;
	size_t piece = 1 + chance(world, chance(world, 2) == 0 ? 60 : 6000);
	ssize_t n;

	if (len == 0) {
		return;
	}
	n = send(honest->client->fd, honest->out + honest->sent,
		 piece < len ? piece : len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		honest->sent += (size_t)n;
	}
}

static void honest_receive(struct world *world, struct honest *honest)
{
	struct http_client *client = honest->client;
	char text[32];

	while (honest->first < honest->end) {
		snprintf(text, sizeof(text), "q%u. done\n", honest->first);
		if (!http_client_has(client, text)) {
			break;
		}
		honest->first++;
		world->served++;
	}
	if (!client->closed) {
		return;
	}
	/* It was said, with an answer, that nothing follows. */
	if (!http_client_has(client, last_answer)) {
		fail_msg("q%u is lost: %s", honest->first, client->in);
	}
	world->dropped += honest->end - honest->first;
	honest->first = honest->end;
	TALLOC_FREE(honest->client);
}

static void honest_step(struct world *world, struct honest *honest)
{
	if (honest->first == honest->end) {
		honest_begin(world, honest);
	}
	honest_send(world, honest);
	honest_receive(world, honest);
}

static bool honest_end(struct world *world, struct honest *honest)
{
	if (honest->first != honest->end) {
		honest_send(world, honest);
		honest_receive(world, honest);
	}
	return honest->first == honest->end;
}

/* -------------------------------------------------------------- the others */

static void wild_send(struct world *world, struct http_client *client)
{
	static const char *const pieces[] = {
		"POST /do HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
		"POST /do HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n",
		"POST /do HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
		"Content-Length: 9\r\n\r\n",
		"POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
		"POST /do HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n",
		"GET /do HTTP/1.1\r\nHost: a\r\n\r\n",
		"HEAD /do HTTP/1.0\r\n\r\n",
		"GET /d",
		"123456789",
		"123",
		"9\r\n123456789\r\n",
		"0\r\n\r\n",
	};
	size_t which = chance(world, sizeof(pieces) / sizeof(pieces[0]));

	(void)send(client->fd, pieces[which], strlen(pieces[which]),
		   MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void wild_step(struct world *world, struct http_client **client)
{
	const struct linger linger = {.l_onoff = 1};
	unsigned int what = chance(world, 20);

	if (*client == NULL) {
		*client = http_client_open(world->f, NULL);
	} else if (what < 16) {
		wild_send(world, *client);
	} else if (what == 16) {
		shutdown((*client)->fd, SHUT_WR);
	} else if (what < 19) {
		if (what == 18) {
			setsockopt((*client)->fd, SOL_SOCKET, SO_LINGER,
				   &linger, sizeof(linger));
		}
		TALLOC_FREE(*client);
	}
}

/* ------------------------------------------------------------------ tests */

static struct world *world_create(void **state, unsigned int seed,
				  uint32_t connections)
{
	struct world *world = talloc_zero(*state, struct world);
	const struct http_route route = {"/do", &random_handler, world};
	char *message = NULL;
	everr_t err;

	world->seed = seed;
	LIST_INIT(&world->requests);
	world->f = http_fixture_create(world);
	world->f->config.limits.connections = connections;
	err = http_listen(world->f->server, &world->f->config, &route, 1,
			  &world->f->listener, &message);
	assert_int_equal(err, EVERR_OK);
	world->f->port = http_listener_port(world->f->listener);
	return world;
}

static void world_answer_all(struct world *world)
{
	struct request *request = NULL;

	while ((request = LIST_FIRST(&world->requests)) != NULL) {
		request_answer(world, request);
	}
}

/* All clients are gone: so is what the server has of them. */
static void assert_nothing_is_left(struct world *world)
{
	struct http_fixture *f = world->f;

	while (http_fixture_stats(f).connections > 0) {
		world_answer_all(world);
		http_fixture_run(f, 1);
	}
	assert_true(LIST_EMPTY(&world->requests));
	assert_int_equal(world->answered + world->gone, world->begun);
	assert_int_equal(http_fixture_stats(f).answers[2], world->answered);
	assert_int_equal(http_fixture_stats(f).answers[5], 0);
	assert_int_equal(http_fixture_stats(f).timed_out, 0);
}

static void honest_among_others(void **state, unsigned int seed)
{
	struct world *world = world_create(state, seed, 1000);
	struct http_client *wild[WILD] = {};
	struct honest honest[HONEST] = {};
	bool over = false;
	size_t i;

	for (i = 0; i < STEPS; i++) {
		honest_step(world, &honest[chance(world, HONEST)]);
		wild_step(world, &wild[chance(world, WILD)]);
		random_turn(world);
		if (chance(world, 20) == 0) {
			http_fixture_run(world->f, 1);
		} else {
			http_fixture_poll(world->f);
		}
	}
	while (!over) {
		world_answer_all(world);
		http_fixture_run(world->f, 1);
		over = true;
		for (i = 0; i < HONEST; i++) {
			over = honest_end(world, &honest[i]) && over;
		}
	}
	for (i = 0; i < HONEST; i++) {
		TALLOC_FREE(honest[i].client);
	}
	for (i = 0; i < WILD; i++) {
		TALLOC_FREE(wild[i]);
	}
	assert_nothing_is_left(world);
	assert_true(world->served > 100);
	talloc_free(world);
}

static void test_who_keeps_to_the_rules_gets_every_answer(void **state)
{
	honest_among_others(state, 20261122);
	honest_among_others(state, 4);
}

static void test_what_makes_room_leaves_nothing_behind(void **state)
{
	struct world *world = world_create(state, 1848, WILD * 2 / 3);
	struct http_client *wild[WILD] = {};
	size_t i;

	for (i = 0; i < STEPS; i++) {
		wild_step(world, &wild[chance(world, WILD)]);
		random_turn(world);
		http_fixture_poll(world->f);
	}
	for (i = 0; i < WILD; i++) {
		TALLOC_FREE(wild[i]);
	}
	assert_nothing_is_left(world);
	assert_true(http_fixture_stats(world->f).accepted > 100);
	talloc_free(world);
}

static void test_it_may_be_freed_at_any_time(void **state)
{
	unsigned int seed;
	size_t i;

	for (seed = 0; seed < 40; seed++) {
		struct world *world = world_create(state, seed, WILD);
		struct http_client *wild[WILD] = {};

		for (i = 0; i < 20 + 8 * (size_t)seed; i++) {
			wild_step(world, &wild[chance(world, WILD)]);
			random_turn(world);
			http_fixture_poll(world->f);
		}
		TALLOC_FREE(world->f->server);
		assert_true(LIST_EMPTY(&world->requests));
		assert_int_equal(world->answered + world->gone, world->begun);
		talloc_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_who_keeps_to_the_rules_gets_every_answer),
		leak_test(test_what_makes_room_leaves_nothing_behind),
		leak_test(test_it_may_be_freed_at_any_time),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
