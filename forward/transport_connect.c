/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/resolve.h"
#include "forward/transport_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct connect_state {
	struct tevent_context *ev;
	const char *host;
	uint16_t port;
	int type;
	uint32_t first;
	char **addresses;
	size_t num;
	size_t tried; /* from first on */
	int fd;
	struct tevent_fd *fde;
	struct tevent_timer *timer;
	char *reason;
};

static int connect_state_destructor(struct connect_state *state)
{
	TALLOC_FREE(state->fde);
	if (state->fd != -1) {
		close(state->fd);
		state->fd = -1;
	}
	return 0;
}

static void set_option(int fd, int level, int name, int value)
{
	/* Without an option a dead peer is only noticed later. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/*
 * No TCP_USER_TIMEOUT: it also ends a connection whose receiver answers, but
 * reads nothing for so long.  Whether data is taken transport.c looks itself.
 */
static void set_stream_options(int fd)
{
	/* What is written has come together before. */
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, TRANSPORT_KEEPALIVE_IDLE);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL,
		   TRANSPORT_KEEPALIVE_INTERVAL);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, TRANSPORT_KEEPALIVE_COUNT);
}

static void connect_resolved(struct tevent_req *subreq);
static void connect_next(struct tevent_req *req);

struct tevent_req *transport_connect_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const char *host, uint16_t port,
					  int type, uint32_t first)
{
	struct connect_state *state = NULL;
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;

	req = tevent_req_create(mem_ctx, &state, struct connect_state);
	if (req == NULL) {
		return NULL;
	}
	*state = (struct connect_state){
		.ev = ev,
		.host = host,
		.port = port,
		.type = type,
		.first = first,
		.fd = -1,
	};
	talloc_set_destructor(state, connect_state_destructor);

	subreq = resolve_send(state, ev, host);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, connect_resolved, req);
	return req;
}

static void connect_resolved(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	const char *why = NULL;
	everr_t err;

	err = resolve_recv(subreq, state, &state->addresses, &state->num, &why);
	TALLOC_FREE(subreq);
	if (err == EVERR_NOT_FOUND) {
		state->reason = talloc_asprintf(
			state, "the name %s cannot be resolved: %s",
			state->host, why != NULL ? why : everr_text(err));
	} else if (err != EVERR_OK) {
		state->reason = talloc_asprintf(
			state, "the name %s cannot be resolved: %s",
			state->host, everr_text(err));
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, EVERR_CONNECT);
		return;
	}
	connect_next(req);
}

/* The one that is tried at present, or was last. */
static const char *connect_present(const struct connect_state *state)
{
	return state->addresses[(state->first + state->tried - 1) % state->num];
}

/*
 * Why the present address is none.  Each is named: of a host with IPv4 and
 * IPv6 the last one alone would often say no more than that the network has no
 * IPv6.
 */
static void connect_failed(struct connect_state *state, int error)
{
	const char *address = connect_present(state);
	const char *text = error == ETIMEDOUT ? "no answer" : strerror(error);

	TALLOC_FREE(state->fde);
	TALLOC_FREE(state->timer);
	if (state->fd != -1) {
		close(state->fd);
		state->fd = -1;
	}
	if (state->reason != NULL) {
		state->reason = talloc_asprintf_append(
			state->reason, "; %s: %s", address, text);
	} else if (strcmp(address, state->host) == 0) {
		state->reason = talloc_asprintf(state, "%s port %u: %s",
						address, state->port, text);
	} else {
		state->reason = talloc_asprintf(state, "%s port %u: %s: %s",
						state->host, state->port,
						address, text);
	}
}

static bool connect_address(const char *address, uint16_t port, int type,
			    struct addrinfo **ret_list)
{
	const struct addrinfo hints = {
		.ai_socktype = type,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	return getaddrinfo(address, service, &hints, ret_list) == 0;
}

/* errno, 0 when it is connected; EINPROGRESS: later. */
static int connect_open(struct connect_state *state, const char *address)
{
	struct addrinfo *list = NULL;
	int ret;

	if (!connect_address(address, state->port, state->type, &list)) {
		return EADDRNOTAVAIL;
	}
	state->fd = socket(list->ai_family,
			   state->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (state->fd == -1) {
		ret = errno;
		freeaddrinfo(list);
		return ret;
	}
	if (state->type == SOCK_STREAM) {
		set_stream_options(state->fd);
	}
	ret = connect(state->fd, list->ai_addr, list->ai_addrlen);
	ret = ret == 0 ? 0 : errno;
	freeaddrinfo(list);
	return ret;
}

static void connect_writable(struct tevent_context *ev, struct tevent_fd *fde,
			     uint16_t flags, void *private_data);
static void connect_late(struct tevent_context *ev, struct tevent_timer *te,
			 struct timeval now, void *private_data);

static void connect_wait(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	/* tevent tells of errors those only who want to read. */
	state->fde = tevent_add_fd(state->ev, state, state->fd,
				   TEVENT_FD_READ | TEVENT_FD_WRITE,
				   connect_writable, req);
	if (tevent_req_nomem(state->fde, req)) {
		return;
	}
	state->timer = tevent_add_timer(
		state->ev, state,
		tevent_timeval_current_ofs(TRANSPORT_CONNECT_MS / 1000, 0),
		connect_late, req);
	(void)tevent_req_nomem(state->timer, req);
}

/*
 * Where nothing listens on a port of this host, the kernel may choose that
 * port for our end and connect the socket with itself; it would acknowledge
 * everything.
 */
static bool connected_to_itself(int fd)
{
	struct sockaddr_storage here = {};
	struct sockaddr_storage there = {};
	socklen_t here_len = sizeof(here);
	socklen_t there_len = sizeof(there);

	return getsockname(fd, (struct sockaddr *)&here, &here_len) == 0 &&
	       getpeername(fd, (struct sockaddr *)&there, &there_len) == 0 &&
	       here_len == there_len && memcmp(&here, &there, here_len) == 0;
}

static int connect_result(const struct connect_state *state)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(state->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
		return errno;
	}
	if (error == 0 && connected_to_itself(state->fd)) {
		return ECONNREFUSED;
	}
	return error;
}

static void connect_next(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	while (state->tried < state->num) {
		int error;

		state->tried++;
		error = connect_open(state, connect_present(state));
		if (error == 0) {
			error = connect_result(state);
		}
		if (error == 0) {
			tevent_req_done(req);
			return;
		}
		if (error == EINPROGRESS) {
			connect_wait(req);
			return;
		}
		connect_failed(state, error);
	}
	tevent_req_error(req, EVERR_CONNECT);
}

static void connect_writable(struct tevent_context *ev, struct tevent_fd *fde,
			     uint16_t flags, void *private_data)
{
	struct tevent_req *req =
		talloc_get_type_abort(private_data, struct tevent_req);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	int error = connect_result(state);

	if (error == 0) {
		TALLOC_FREE(state->fde);
		TALLOC_FREE(state->timer);
		tevent_req_done(req);
		return;
	}
	connect_failed(state, error);
	connect_next(req);
}

static void connect_late(struct tevent_context *ev, struct tevent_timer *te,
			 struct timeval now, void *private_data)
{
	struct tevent_req *req =
		talloc_get_type_abort(private_data, struct tevent_req);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	connect_failed(state, ETIMEDOUT);
	connect_next(req);
}

everr_t transport_connect_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			       int *ret_fd, char **ret_reason)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (tevent_req_is_error(req, &req_state, &error)) {
		*ret_reason = talloc_move(mem_ctx, &state->reason);
		tevent_req_received(req);
		return req_state == TEVENT_REQ_USER_ERROR ? (everr_t)error
							  : EVERR_NOMEM;
	}
	*ret_fd = state->fd;
	state->fd = -1;
	tevent_req_received(req);
	return EVERR_OK;
}
