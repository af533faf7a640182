/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

/* How often the connections are looked at. */
#define TICK_MS 250
/* A head that has been coming for so long makes room when nothing is idle. */
#define HEAD_PATIENCE_MS 1000
/* How many that may make room are looked at more closely, each time. */
#define SPARES_TRIED 16
/*
 * A peer that has sent all and then closed its side may still wait for the
 * answer (nc -N), or be gone: a closed socket looks the same.  After so long
 * it counts as gone.
 */
#define HALF_CLOSED_MS 2000

static uint64_t seconds(uint32_t s)
{
	return (uint64_t)s * 1000;
}

/* then may be later than a now that was taken before. */
static uint64_t elapsed(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

static void clock_expired(struct http_connection *connection)
{
	connection->listener->stats.timed_out++;
	http_connection_cut(connection);
}

/*
 * The library does not say when a head begins, but the socket knows how many
 * bytes came.
 */
static void look_for_head(struct http_connection *connection)
{
	if (http_socket_received(connection->fd) != connection->seen) {
		http_connection_phase(connection, HTTP_PHASE_HEAD);
	}
}

/* The body, or the answer on its way: bytes must move, and not too slowly. */
static bool is_too_slow(const struct http_connection *connection, uint64_t now)
{
	const struct http_limits *limits = &connection->listener->limits;
	uint64_t patience = seconds(limits->body_seconds);
	uint64_t whole = elapsed(connection->since, now);

	if (elapsed(connection->moved, now) > patience) {
		return true;
	}
	return whole > patience &&
	       connection->bytes < whole / 1000 * limits->body_rate;
}

static void look_at_sending(struct http_connection *connection, uint64_t now)
{
	uint64_t taken = http_socket_acknowledged(connection->fd);

	if (taken != connection->seen) {
		connection->bytes += taken - connection->seen;
		connection->seen = taken;
		connection->moved = now;
	}
}

/* For how long the peer has been known to send no more. */
static uint64_t since_half_closed(struct http_connection *connection,
				  uint64_t now)
{
	if (connection->half_closed == 0) {
		connection->half_closed = now;
	}
	return elapsed(connection->half_closed, now);
}

/*
 * Paused in a body that will not become whole: what the library holds and
 * what is in the socket is all that there will ever be.  Of chunks and of
 * TLS that cannot be known without reading.
 */
static bool will_stay_short(const struct http_connection *connection)
{
	const struct http_exchange *exchange = connection->exchange;

	if (connection->peer.tls || !exchange->reading ||
	    exchange->content_length == UINT64_MAX ||
	    !http_socket_half_closed(connection->fd)) {
		return false;
	}
	return exchange->received + exchange->held +
		       http_socket_unread(connection->fd) <
	       exchange->content_length;
}

/* The library does not look at a suspended connection's socket. */
static void look_for_peer(struct http_connection *connection, uint64_t now)
{
	if (!connection->exchange->ended) {
		if (will_stay_short(connection)) {
			http_connection_cut(connection);
		}
		return;
	}
	if (http_socket_half_closed(connection->fd) &&
	    since_half_closed(connection, now) >= HALF_CLOSED_MS) {
		http_connection_cut(connection);
	}
}

/*
 * The library waits for the edge of an event (epoll(7)) even where the bytes
 * that it has read came together with the peer's end; then it would wait for
 * good.  Nothing has come to be read since the last look, and nothing will.
 */
static void look_for_end(struct http_connection *connection, uint64_t now)
{
	if (http_socket_ended(connection->fd) &&
	    since_half_closed(connection, now) >= TICK_MS) {
		http_connection_cut(connection);
	}
}

static void look_at(struct http_connection *connection, uint64_t now)
{
	const struct http_limits *limits = &connection->listener->limits;
	const struct http_exchange *exchange = connection->exchange;
	uint64_t waited = elapsed(connection->since, now);

	if (exchange != NULL && exchange->suspended) {
		if (http_socket_broken(connection->fd)) {
			http_connection_cut(connection);
			return;
		}
		if (exchange->early == NULL) {
			look_for_peer(connection, now);
			return;
		}
	}
	switch (connection->phase) {
	case HTTP_PHASE_IDLE:
		look_for_head(connection);
		if (waited > seconds(limits->idle_seconds)) {
			clock_expired(connection);
		}
		look_for_end(connection, now);
		break;
	case HTTP_PHASE_HEAD:
		if (waited > seconds(limits->head_seconds)) {
			clock_expired(connection);
		}
		look_for_end(connection, now);
		break;
	case HTTP_PHASE_SEND:
		look_at_sending(connection, now);
		if (is_too_slow(connection, now)) {
			clock_expired(connection);
		}
		break;
	case HTTP_PHASE_BODY:
		if (exchange->pauses == 0 && is_too_slow(connection, now)) {
			clock_expired(connection);
		}
		look_for_end(connection, now);
		break;
	case HTTP_PHASE_WORK:
		break;
	}
}

static void clock_tick(struct tevent_context *ev, struct tevent_timer *te,
		       struct timeval current, void *private_data)
{
	struct http_listener *listener =
		talloc_get_type_abort(private_data, struct http_listener);
	struct http_connection *connection = NULL;
	uint64_t now = http_now_ms();

	(void)ev;
	(void)te;
	(void)current;

	listener->tick = NULL;
	LIST_FOREACH(connection, &listener->connections, link)
	{
		if (!connection->cut) {
			look_at(connection, now);
		}
	}
	if (!LIST_EMPTY(&listener->connections)) {
		http_clock_start(listener);
	}
}

void http_clock_start(struct http_listener *listener)
{
	struct timeval when = tevent_timeval_current_ofs(0, TICK_MS * 1000);

	if (listener->tick != NULL) {
		return;
	}
	/* Without memory: when the next connection comes. */
	listener->tick = tevent_add_timer(listener->server->ev, listener, when,
					  clock_tick, listener);
}

/* ----------------------------------------------------------- more room */

static bool is_spare(const struct http_connection *connection, uint64_t now)
{
	if (connection->cut) {
		return false;
	}
	if (connection->phase == HTTP_PHASE_HEAD) {
		return elapsed(connection->since, now) > HEAD_PATIENCE_MS;
	}
	return connection->phase == HTTP_PHASE_IDLE;
}

/* Idle ones first, then heads that do not come to an end; longest first. */
static bool is_better_spare(const struct http_connection *connection,
			    const struct http_connection *than)
{
	if (than == NULL || connection->phase != than->phase) {
		return than == NULL || connection->phase == HTTP_PHASE_IDLE;
	}
	/* The list has the newest first. */
	return connection->since <= than->since;
}

static struct http_connection *find_spare(struct http_listener *listener,
					  const struct http_address *address)
{
	struct http_connection *connection = NULL;
	struct http_connection *spare = NULL;
	uint64_t now = http_now_ms();

	LIST_FOREACH(connection, &listener->connections, link)
	{
		if (address != NULL &&
		    !http_address_equal(&connection->address, address)) {
			continue;
		}
		if (is_spare(connection, now) &&
		    is_better_spare(connection, spare)) {
			spare = connection;
		}
	}
	return spare;
}

bool http_clock_make_room(struct http_listener *listener,
			  const struct http_address *address)
{
	struct http_connection *spare = NULL;
	int i;

	for (i = 0; i < SPARES_TRIED; i++) {
		spare = find_spare(listener, address);
		if (spare == NULL) {
			return false;
		}
		/* A request that the library has yet to read is no rest. */
		if (spare->phase == HTTP_PHASE_IDLE) {
			look_for_head(spare);
		}
		if (is_spare(spare, http_now_ms())) {
			http_connection_cut(spare);
			return true;
		}
	}
	return false;
}
