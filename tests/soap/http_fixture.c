/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soap/http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TURN_SECONDS 60

/* ------------------------------------------------------------- handlers */

static void any_begin(struct http_exchange *exchange, void *private_data)
{
	struct http_fixture *f = private_data;

	f->begun++;
	http_set_body_max(exchange, UINT64_MAX);
}

static void any_gone(struct http_exchange *exchange, void *private_data)
{
	struct http_fixture *f = private_data;

	f->gone++;
	if (f->waiting == exchange) {
		f->waiting = NULL;
	}
}

static void echo_begin(struct http_exchange *exchange, void *private_data)
{
	struct http_fixture *f = private_data;

	f->begun++;
	http_set_body_max(exchange, ECHO_MAX);
	http_set_state(exchange, talloc_array(exchange, uint8_t, 0));
}

static void echo_body(struct http_exchange *exchange, void *private_data,
		      const uint8_t *data, size_t len)
{
	uint8_t *all = http_state(exchange);
	size_t old = talloc_get_size(all);

	(void)private_data;
	all = talloc_realloc(exchange, all, uint8_t, old + len);
	assert_non_null(all);
	memcpy(all + old, data, len);
	http_set_state(exchange, all);
}

static void echo_end(struct http_exchange *exchange, void *private_data)
{
	struct http_fixture *f = private_data;
	uint8_t *all = http_state(exchange);

	f->ended++;
	http_answer(exchange, 200, "application/octet-stream", NULL, 0, all,
		    talloc_get_size(all));
}

static void now_begin(struct http_exchange *exchange, void *private_data)
{
	any_begin(exchange, private_data);
	http_answer_text(exchange, 200, "now");
}

static void early_body(struct http_exchange *exchange, void *private_data,
		       const uint8_t *data, size_t len)
{
	const struct http_field fields[] = {{"X-Reason", "early"}};
	char *text = talloc_strdup(exchange, "not like this\n");

	(void)private_data;
	(void)data;
	(void)len;
	http_answer(exchange, 400, "text/plain", fields, 1, (uint8_t *)text,
		    strlen(text));
}

static void later_end(struct http_exchange *exchange, void *private_data)
{
	struct http_fixture *f = private_data;

	f->ended++;
	f->waiting = exchange;
}

static void paused_body(struct http_exchange *exchange, void *private_data,
			const uint8_t *data, size_t len)
{
	struct http_fixture *f = private_data;

	(void)data;
	if (f->taken == 0) {
		f->waiting = exchange;
		http_pause(exchange);
	}
	f->taken += len;
}

static void count_body(struct http_exchange *exchange, void *private_data,
		       const uint8_t *data, size_t len)
{
	struct http_fixture *f = private_data;

	(void)exchange;
	(void)data;
	f->taken += len;
}

static void count_end(struct http_exchange *exchange, void *private_data)
{
	struct http_fixture *f = private_data;
	char text[64];

	f->ended++;
	snprintf(text, sizeof(text), "took %llu", (unsigned long long)f->taken);
	http_answer_text(exchange, 200, text);
}

static void large_end(struct http_exchange *exchange, void *private_data)
{
	struct http_fixture *f = private_data;
	uint8_t *all = talloc_array(exchange, uint8_t, f->large);

	f->ended++;
	memset(all, 'x', f->large);
	http_answer(exchange, 200, "text/plain", NULL, 0, all, f->large);
}

static const char *or_none(const char *text)
{
	return text != NULL ? text : "(none)";
}

static void text_end(struct http_exchange *exchange, void *private_data)
{
	const struct http_peer *peer = http_peer(exchange);
	char *text = NULL;

	(void)private_data;
	text = talloc_asprintf(
		exchange,
		"method %s\npath %s\nquery %s\nheader %s\nurl %s\npeer %s\n"
		"tls %d\nsubject %s\nlength %llu",
		http_method(exchange), http_path(exchange),
		or_none(http_query(exchange)),
		or_none(http_header(exchange, "x-THING")),
		http_url(exchange, exchange), peer->address, peer->tls,
		or_none(peer->certificate),
		(unsigned long long)http_content_length(exchange));
	http_answer_text(exchange, 200, text);
}

static const struct http_handler echo = {echo_begin, echo_body, echo_end,
					 any_gone};
static const struct http_handler now = {now_begin, count_body, count_end,
					any_gone};
static const struct http_handler early = {any_begin, early_body, count_end,
					  any_gone};
static const struct http_handler later = {any_begin, count_body, later_end,
					  any_gone};
static const struct http_handler paused = {any_begin, paused_body, count_end,
					   any_gone};
static const struct http_handler count = {any_begin, count_body, count_end,
					  any_gone};
static const struct http_handler large = {any_begin, NULL, large_end, any_gone};
static const struct http_handler text_of = {any_begin, NULL, text_end, NULL};

/* -------------------------------------------------------------- server */

struct http_fixture *http_fixture_create(TALLOC_CTX *mem_ctx)
{
	static const char *const loopback[] = {"127.0.0.1", "::1", NULL};
	struct http_fixture *f = talloc_zero(mem_ctx, struct http_fixture);
	everr_t err;

	assert_non_null(f);
	f->ev = tevent_context_init(f);
	assert_non_null(f->ev);
	err = http_server_create(f, f->ev, NULL, &f->server);
	assert_int_equal(err, EVERR_OK);
	f->config = (struct http_listener_config){
		.name = "test",
		.address = "127.0.0.1",
		.allow = loopback,
	};
	http_limits_default(&f->config.limits);
	return f;
}

void http_fixture_start(struct http_fixture *f)
{
	const struct http_route routes[] = {
		{"/echo", &echo, f},	       {"/now", &now, f},
		{"/early", &early, f},	       {"/later", &later, f},
		{"/paused", &paused, f},       {"/count*", &count, f},
		{"/large", &large, f},	       {"/text", &text_of, f},
		{"/counted/exactly", &now, f},
	};
	char *message = NULL;
	everr_t err;

	err = http_listen(f->server, &f->config, routes,
			  sizeof(routes) / sizeof(routes[0]), &f->listener,
			  &message);
	if (err != EVERR_OK) {
		fail_msg("%s: %s", everr_name(err), message);
	}
	f->port = http_listener_port(f->listener);
	assert_int_not_equal(f->port, 0);
}

static void turn_expired(struct tevent_context *ev, struct tevent_timer *te,
			 struct timeval current, void *private_data)
{
	bool *expired = private_data;

	(void)ev;
	(void)te;
	(void)current;
	*expired = true;
}

void http_fixture_turn(struct http_fixture *f)
{
	struct timeval when = tevent_timeval_current_ofs(TURN_SECONDS, 0);
	struct tevent_timer *te = NULL;

	te = tevent_add_timer(f->ev, f, when, turn_expired, &f->expired);
	assert_non_null(te);
	assert_int_equal(tevent_loop_once(f->ev), 0);
	assert_false(f->expired);
	TALLOC_FREE(te);
}

static void poll_over(struct tevent_context *ev, struct tevent_fd *fde,
		      uint16_t flags, void *private_data)
{
	int *turns = private_data;

	(void)ev;
	(void)fde;
	(void)flags;
	(*turns)++;
}

/* A descriptor that is always readable has its turn among the others. */
void http_fixture_poll(struct http_fixture *f)
{
	struct tevent_fd *fde = NULL;
	int turns = 0;
	int fd;

	fd = eventfd(1, EFD_CLOEXEC);
	assert_int_not_equal(fd, -1);
	fde = tevent_add_fd(f->ev, f, fd, TEVENT_FD_READ, poll_over, &turns);
	assert_non_null(fde);
	http_wait(f, turns == 2);
	TALLOC_FREE(fde);
	close(fd);
}

void http_fixture_run(struct http_fixture *f, unsigned int milliseconds)
{
	struct timeval when = tevent_timeval_current_ofs(
		milliseconds / 1000, milliseconds % 1000 * 1000);
	struct tevent_timer *te = NULL;
	bool over = false;

	te = tevent_add_timer(f->ev, f, when, turn_expired, &over);
	assert_non_null(te);
	http_wait(f, over);
}

struct http_stats http_fixture_stats(struct http_fixture *f)
{
	struct http_stats stats;

	http_listener_stats(f->server, 0, &stats);
	return stats;
}

/* ------------------------------------------------------------- clients */

static void client_readable(struct tevent_context *ev, struct tevent_fd *fde,
			    uint16_t flags, void *private_data)
{
	struct http_client *client = private_data;
	char data[65536];
	ssize_t n;

	(void)ev;
	(void)fde;
	(void)flags;
	n = recv(client->fd, data, sizeof(data), MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN) {
		return;
	}
	if (n <= 0) {
		client->closed = true;
		client->reset = n == -1;
		TALLOC_FREE(client->fde);
		return;
	}
	if (talloc_get_size(client->in) < client->len + (size_t)n + 1) {
		client->in = talloc_realloc(client, client->in, char,
					    2 * (client->len + (size_t)n + 1));
	}
	assert_non_null(client->in);
	memcpy(client->in + client->len, data, (size_t)n);
	client->len += (size_t)n;
	client->in[client->len] = '\0';
}

static int client_destructor(struct http_client *client)
{
	TALLOC_FREE(client->fde);
	close(client->fd);
	return 0;
}

struct http_client *http_client_open(struct http_fixture *f, const char *from)
{
	struct http_client *client = talloc_zero(f, struct http_client);
	struct sockaddr_in address = {.sin_family = AF_INET};
	int ret;

	assert_non_null(client);
	client->f = f;
	client->in = talloc_strdup(client, "");
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(client->fd, -1);
	talloc_set_destructor(client, client_destructor);

	if (from != NULL) {
		assert_int_equal(inet_pton(AF_INET, from, &address.sin_addr),
				 1);
		ret = bind(client->fd, (struct sockaddr *)&address,
			   sizeof(address));
		assert_int_equal(ret, 0);
	}
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(f->port);
	/* The backlog takes it while the loop does not run. */
	ret = connect(client->fd, (struct sockaddr *)&address, sizeof(address));
	assert_int_equal(ret, 0);
	assert_int_not_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), -1);
	http_client_hear(client);
	return client;
}

void http_client_deaf(struct http_client *client)
{
	TALLOC_FREE(client->fde);
}

void http_client_hear(struct http_client *client)
{
	client->fde = tevent_add_fd(client->f->ev, client, client->fd,
				    TEVENT_FD_READ, client_readable, client);
	assert_non_null(client->fde);
}

void http_client_send_bytes(struct http_client *client, const void *data,
			    size_t len)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		ssize_t n = send(client->fd, bytes, len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == -1 && errno == EAGAIN) {
			http_fixture_run(client->f, 1);
			continue;
		}
		/* The server may have closed: what it said is looked at. */
		if (n == -1) {
			return;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

void http_client_send(struct http_client *client, const char *text)
{
	http_client_send_bytes(client, text, strlen(text));
}

bool http_client_has(const struct http_client *client, const char *text)
{
	return strstr(client->in, text) != NULL;
}

unsigned int http_client_count(const struct http_client *client,
			       const char *text)
{
	const char *p = client->in;
	unsigned int n = 0;

	while ((p = strstr(p, text)) != NULL) {
		p += strlen(text);
		n++;
	}
	return n;
}

void http_client_forget(struct http_client *client)
{
	client->len = 0;
	client->in[0] = '\0';
}

void http_client_wait_text(struct http_client *client, const char *text)
{
	http_wait(client->f, http_client_has(client, text) || client->closed);
	if (!http_client_has(client, text)) {
		fail_msg("closed without \"%s\": %s", text, client->in);
	}
}

void http_client_wait_closed(struct http_client *client)
{
	http_wait(client->f, client->closed);
}
