/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/connection.h"

#include "rpc/host.h"
#include "rpc/park.h"
#include "rpc/report.h"
#include "rpc/samba.h"
#include "rpc/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <tsocket.h>
#include <unistd.h>

/* A peer that is gone without a word is noticed after two minutes. */
#define KEEPALIVE_IDLE 60
#define KEEPALIVE_INTERVAL 15
#define KEEPALIVE_COUNT 4
/* One that acknowledges nothing, or takes nothing, after one. */
#define USER_TIMEOUT_MS 60000

/* What an unread answer takes beside its own bytes: the call it belongs to. */
#define CALL_COST 8192
/* Fragments of one write; below IOV_MAX. */
#define OUTPUT_VECTORS 512
/*
 * Look-ups that the endpoint mapper keeps open for an association group.
 * Nobody logs on there, and each is a handle of Samba's that we do not count.
 */
#define MAPPER_HANDLES_MAX 64

struct rpc_connection *rpc_call_connection(struct dcesrv_call_state *call)
{
	return talloc_get_type_abort(call->conn->transport.private_data,
				     struct rpc_connection);
}

struct rpc_service *rpc_call_service(struct dcesrv_call_state *call)
{
	return rpc_call_connection(call)->service;
}

const char *rpc_call_peer(struct dcesrv_call_state *call)
{
	return rpc_call_connection(call)->peer;
}

char *rpc_address_text(TALLOC_CTX *mem_ctx,
		       const struct sockaddr_storage *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	const void *src = NULL;

	switch (address->ss_family) {
	case AF_INET:
		src = &((const struct sockaddr_in *)address)->sin_addr;
		break;
	case AF_INET6:
		src = &((const struct sockaddr_in6 *)address)->sin6_addr;
		break;
	default:
		return talloc_strdup(mem_ctx, "local");
	}
	inet_ntop(address->ss_family, src, text, sizeof(text));
	return talloc_strdup(mem_ctx, text);
}

/* -------------------------------------------------------------- output */

struct output_state {
	struct rpc_connection *connection;
	struct dcesrv_call_state *call; /* freed when this is sent */
	size_t bytes;
	struct iovec vector[OUTPUT_VECTORS];
};

static void connection_gate(struct rpc_connection *connection)
{
	bool congested = connection->unsent >
			 connection->service->config.limits.unsent_bytes;

	rpc_stream_hold(connection->stream, congested || connection->abandons);
}

static int output_state_destructor(struct output_state *state)
{
	state->connection->unsent -= state->bytes;
	return 0;
}

/*
 * Raw NTLM's third leg has no answer.  A client that sends its first call
 * right behind it is held by Nagle's algorithm until we acknowledge the leg,
 * which the kernel would put off for 40 ms.
 */
static void output_hurry_logon(struct rpc_connection *connection)
{
	const int one = 1;

	if (!connection->logged_on && connection->door != RPC_DOOR_LOCAL) {
		(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_QUICKACK,
				 &one, sizeof(one));
	}
}

static void output_done(struct tevent_req *subreq)
{
	struct output_state *state =
		tevent_req_callback_data(subreq, struct output_state);
	struct rpc_connection *connection = state->connection;
	struct dcesrv_call_state *call = state->call;
	int sys_errno = 0;
	int ret;

	ret = tstream_writev_queue_recv(subreq, &sys_errno);
	TALLOC_FREE(subreq);
	TALLOC_FREE(state);
	if (ret == -1) {
		rpc_connection_end(connection, "cannot send");
		return;
	}
	TALLOC_FREE(call);
	output_hurry_logon(connection);
	connection_gate(connection);
}

/* Send up to OUTPUT_VECTORS fragments as one write. */
static bool output_send(struct rpc_connection *connection,
			struct dcesrv_call_state *call)
{
	struct dcesrv_connection *dce = connection->dce;
	struct output_state *state = NULL;
	struct tevent_req *subreq = NULL;
	size_t count = 0;

	state = talloc(call, struct output_state);
	if (state == NULL) {
		return false;
	}
	state->connection = connection;
	state->call = NULL;
	state->bytes = CALL_COST;

	while (call->replies != NULL && count < OUTPUT_VECTORS) {
		struct data_blob_list_item *item = call->replies;

		call->replies = item->next;
		state->vector[count].iov_base = item->blob.data;
		state->vector[count].iov_len = item->blob.length;
		state->bytes += item->blob.length;
		count++;
	}
	if (call->replies == NULL) {
		state->call = call;
	}

	subreq = tstream_writev_queue_send(state, dce->event_ctx, dce->stream,
					   dce->send_queue, state->vector,
					   count);
	if (subreq == NULL) {
		return false;
	}
	connection->unsent += state->bytes;
	talloc_set_destructor(state, output_state_destructor);
	tevent_req_set_callback(subreq, output_done, state);
	return true;
}

/* Look-ups that are begun and not ended, beyond what any client needs. */
static bool mapper_is_hoarded(const struct rpc_connection *connection)
{
	const struct dcesrv_assoc_group *group = connection->dce->assoc_group;
	const struct dcesrv_handle *handle = NULL;
	size_t count = 0;

	if (connection->door != RPC_DOOR_MAPPER || group == NULL) {
		return false;
	}
	for (handle = group->handles; handle != NULL; handle = handle->next) {
		count++;
		if (count > MAPPER_HANDLES_MAX) {
			return true;
		}
	}
	return false;
}

/* Take the finished call off Samba's list: its head, DLIST style. */
static void output_remove_head(struct dcesrv_connection *dce,
			       struct dcesrv_call_state *call)
{
	dce->call_list = call->next;
	if (call->next != NULL) {
		call->next->prev = call->prev;
	}
	call->next = NULL;
	call->prev = NULL;
	call->list = DCESRV_LIST_NONE;
}

/*
 * transport.report_output_data: a call has its reply.  Samba's own function
 * writes each fragment by itself; a reply of 2 MiB has hundreds of them, so
 * they go out as one vector.  A call that ends its connection is left to it.
 */
static void connection_output(struct dcesrv_connection *dce)
{
	struct rpc_connection *connection = talloc_get_type_abort(
		dce->transport.private_data, struct rpc_connection);
	struct dcesrv_call_state *call = dce->call_list;

	if (call == NULL || call->replies == NULL) {
		return;
	}
	if (call->terminate_reason != NULL) {
		dcesrv_sock_report_output_data(dce);
		return;
	}

	output_remove_head(dce, call);
	while (call->replies != NULL) {
		if (!output_send(connection, call)) {
			rpc_connection_end(connection, "no memory");
			return;
		}
	}
	if (mapper_is_hoarded(connection)) {
		rpc_report_limit(connection->service,
				 "look-ups in the endpoint mapper",
				 connection->peer);
		rpc_connection_end(connection, "too many look-ups");
	}
	connection_gate(connection);
}

/* ----------------------------------------------------------------- end */

void rpc_connection_lose_calls(struct rpc_connection *connection)
{
	while (!LIST_EMPTY(&connection->parked)) {
		rpc_parked_lose(LIST_FIRST(&connection->parked));
	}
}

/* A logon that was begun and has not succeeded. */
static bool connection_logon_failed(const struct dcesrv_connection *dce)
{
	const struct dcesrv_auth *auth = NULL;

	for (auth = dce->auth_states; auth != NULL; auth = auth->next) {
		if (auth->gensec_security != NULL && !auth->auth_finished) {
			return true;
		}
	}
	auth = dce->default_auth_state;
	return auth->gensec_security != NULL && !auth->auth_finished;
}

/* transport.terminate_connection: the core has done with it. */
static void connection_terminate(struct dcesrv_connection *dce,
				 const char *reason)
{
	struct rpc_connection *connection = talloc_get_type_abort(
		dce->transport.private_data, struct rpc_connection);

	if (connection_logon_failed(dce)) {
		connection->service->stats.logon_failures++;
		rpc_report_logon_failed(connection->service, connection->peer,
					"refused, or not finished");
	}
	TALLOC_FREE(connection);
}

static int connection_destructor(struct rpc_connection *connection)
{
	connection->ending = true;
	rpc_connection_lose_calls(connection);
	LIST_REMOVE(connection, link);
	connection->service->stats.connections--;
	connection->service->num_ended++;
	return 0;
}

static void connection_end_now(struct tevent_context *ev,
			       struct tevent_immediate *im, void *private_data)
{
	struct rpc_connection *connection =
		talloc_get_type_abort(private_data, struct rpc_connection);

	connection->ending = true;
	rpc_connection_lose_calls(connection);
	dcesrv_terminate_connection(connection->dce, connection->end_reason);
}

void rpc_connection_end(struct rpc_connection *connection, const char *reason)
{
	if (connection->end_reason != NULL) {
		return;
	}
	connection->end_reason = reason;
	tevent_schedule_immediate(connection->end, connection->service->ev,
				  connection_end_now, connection);
}

/* The peer has gone; the core hears of it in this very turn. */
static void connection_stream_ended(void *private_data)
{
	struct rpc_connection *connection =
		talloc_get_type_abort(private_data, struct rpc_connection);

	rpc_connection_end(connection, "the peer has gone");
}

static void connection_abandon_now(struct tevent_context *ev,
				   struct tevent_immediate *im,
				   void *private_data)
{
	struct rpc_connection *connection =
		talloc_get_type_abort(private_data, struct rpc_connection);

	connection->abandons = false;
	rpc_parked_abandon(connection, connection->abandoned_call,
			   connection->abandoned_type == RPC_PACKET_ORPHANED);
	connection_gate(connection);
}

/*
 * The loop acts on it, not the read that this is called in.  Nothing more is
 * read before: the client's next call finds this one gone.
 *
 * A verifier is not looked at, neither by the core: a man in the middle can
 * end a call of this very connection, which he could also cut or keep silent.
 * No event is lost by it, as the reader's place does not move.
 */
static void connection_call_abandoned(uint8_t type, uint32_t call_id,
				      void *private_data)
{
	struct rpc_connection *connection =
		talloc_get_type_abort(private_data, struct rpc_connection);

	connection->abandoned_type = type;
	connection->abandoned_call = call_id;
	connection->abandons = true;
	connection_gate(connection);
	tevent_schedule_immediate(connection->abandon, connection->service->ev,
				  connection_abandon_now, connection);
}

static bool auth_has_user(const struct dcesrv_auth *auth)
{
	enum security_user_level level;

	if (!auth->auth_finished || auth->auth_invalid ||
	    auth->session_info == NULL) {
		return false;
	}
	/* NTLM lets the anonymous user log on, too. */
	level = security_session_user_level(auth->session_info, NULL);
	return level >= SECURITY_USER;
}

static bool connection_has_user(const struct dcesrv_connection *dce)
{
	const struct dcesrv_auth *auth = NULL;

	for (auth = dce->auth_states; auth != NULL; auth = auth->next) {
		if (auth_has_user(auth)) {
			return true;
		}
	}
	return auth_has_user(dce->default_auth_state);
}

/*
 * Time to log on is over.  A session that has been authenticated may stay
 * idle for ever; one without may not, and a visit to the endpoint mapper
 * needs no longer than this.
 */
static void connection_logon_expired(struct tevent_context *ev,
				     struct tevent_timer *te,
				     struct timeval now, void *private_data)
{
	struct rpc_connection *connection =
		talloc_get_type_abort(private_data, struct rpc_connection);
	const struct dcesrv_connection *dce = connection->dce;
	bool stays = false;

	connection->logon_timer = NULL;
	switch (connection->door) {
	case RPC_DOOR_EVEN6:
		stays = connection_has_user(dce);
		break;
	case RPC_DOOR_LOCAL:
		stays = dce->contexts != NULL;
		break;
	case RPC_DOOR_MAPPER:
		break;
	}
	if (!stays) {
		rpc_connection_end(connection, "no logon in time");
	}
}

/* --------------------------------------------------------------- start */

static void connection_set_options(int fd)
{
	const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
		{IPPROTO_TCP, TCP_NODELAY, 1},
	};
	size_t i;

	/* None of them is needed for the service to be right. */
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		(void)setsockopt(fd, options[i].level, options[i].name,
				 &options[i].value, sizeof(int));
	}
}

static everr_t connection_addresses(struct rpc_connection *connection, int fd,
				    const struct sockaddr_storage *remote,
				    socklen_t remote_len)
{
	struct dcesrv_connection *dce = connection->dce;
	struct tsocket_address *address = NULL;
	struct sockaddr_storage local = {};
	socklen_t local_len = sizeof(local);
	int ret;

	if (connection->door == RPC_DOOR_LOCAL) {
		const char *path = connection->service->config.control_socket;

		ret = tsocket_address_unix_from_path(dce, path, &address);
		dce->local_address = address;
		if (ret == 0) {
			ret = tsocket_address_unix_from_path(dce, "", &address);
			dce->remote_address = address;
		}
		return ret == 0 ? EVERR_OK : EVERR_NOMEM;
	}

	ret = getsockname(fd, (struct sockaddr *)&local, &local_len);
	if (ret == -1) {
		return EVERR_IO;
	}
	ret = tsocket_address_bsd_from_sockaddr(dce, (struct sockaddr *)&local,
						local_len, &address);
	dce->local_address = address;
	if (ret == 0) {
		ret = tsocket_address_bsd_from_sockaddr(
			dce, (const struct sockaddr *)remote, remote_len,
			&address);
		dce->remote_address = address;
	}
	return ret == 0 ? EVERR_OK : EVERR_NOMEM;
}

/* Samba's half of the connection; the socket stays the caller's on failure. */
static everr_t connection_connect(struct rpc_connection *connection, int fd,
				  const struct sockaddr_storage *address,
				  socklen_t address_len)
{
	struct rpc_service *service = connection->service;
	struct dcesrv_connection *dce = NULL;
	everr_t err;

	err = rpc_host_connect(service->host, connection, connection->door, fd,
			       &connection->dce);
	if (err != EVERR_OK) {
		return err;
	}
	dce = connection->dce;
	dce->transport.private_data = connection;
	dce->transport.report_output_data = connection_output;
	dce->transport.terminate_connection = connection_terminate;

	err = connection_addresses(connection, fd, address, address_len);
	if (err != EVERR_OK) {
		return err;
	}
	dce->send_queue = tevent_queue_create(dce, "evenlog rpc send");
	if (dce->send_queue == NULL) {
		return EVERR_NOMEM;
	}
	return rpc_stream_create(dce, fd, connection_stream_ended,
				 connection_call_abandoned, connection,
				 &dce->stream, &connection->stream);
}

static everr_t connection_prepare(struct rpc_connection *connection,
				  const struct sockaddr_storage *address)
{
	struct rpc_service *service = connection->service;
	struct timeval expiry;

	connection->peer = connection->door == RPC_DOOR_LOCAL
				   ? talloc_strdup(connection, "local")
				   : rpc_address_text(connection, address);
	connection->end = tevent_create_immediate(connection);
	connection->abandon = tevent_create_immediate(connection);
	expiry = tevent_timeval_current_ofs(
		service->config.limits.logon_seconds, 0);
	connection->logon_timer =
		tevent_add_timer(service->ev, connection, expiry,
				 connection_logon_expired, connection);
	if (connection->peer == NULL || connection->end == NULL ||
	    connection->abandon == NULL || connection->logon_timer == NULL) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

everr_t rpc_connection_create(struct rpc_service *service, enum rpc_door door,
			      int fd, const struct sockaddr_storage *address,
			      socklen_t address_len)
{
	struct rpc_connection *connection = NULL;
	NTSTATUS status;
	everr_t err;

	connection = talloc_zero(service, struct rpc_connection);
	if (connection == NULL) {
		close(fd);
		return EVERR_NOMEM;
	}
	connection->service = service;
	connection->door = door;
	connection->fd = fd;
	LIST_INIT(&connection->parked);
	LIST_INSERT_HEAD(&service->connections, connection, link);
	service->stats.connections++;
	talloc_set_destructor(connection, connection_destructor);

	err = connection_prepare(connection, address);
	if (err == EVERR_OK) {
		if (door != RPC_DOOR_LOCAL) {
			connection_set_options(fd);
		}
		err = connection_connect(connection, fd, address, address_len);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(connection);
		close(fd);
		return err;
	}

	/* From here on the stream owns the socket. */
	status = dcesrv_connection_loop_start(connection->dce);
	if (!NT_STATUS_IS_OK(status)) {
		TALLOC_FREE(connection);
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}
