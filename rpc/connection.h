/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_CONNECTION_H
#define EVENLOG_RPC_CONNECTION_H

/*
 * One client connection: Samba's dcesrv_connection on our stream, its parked
 * calls and what it has not read yet.
 *
 * A connection ends in one place, its talloc destructor, whoever ends it:
 * the peer, an error, a limit, the service.  Samba's core keeps one whose
 * calls are parked on a list of broken connections; the stream tells us of
 * the end at once, so that they are gone in the next turn of the loop.
 */

#include "rpc/internal.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* What a connection came in by. */
enum rpc_door {
	RPC_DOOR_EVEN6,
	RPC_DOOR_MAPPER,
	RPC_DOOR_LOCAL
};

struct rpc_connection {
	LIST_ENTRY(rpc_connection) link;
	struct rpc_service *service;
	struct dcesrv_connection *dce; /* talloc child */
	struct rpc_stream *stream;
	enum rpc_door door;
	int fd;			 /* the stream's; for socket options */
	char *peer;		 /* address text, or "local" */
	struct rpc_group *group; /* set by the bind */
	struct dcesrv_call_state *dispatching;
	struct tevent_timer *logon_timer;
	struct tevent_immediate *end; /* ends it outside Samba's frames */
	const char *end_reason;
	struct tevent_immediate *abandon; /* the same for one call */
	uint32_t abandoned_call;
	uint8_t abandoned_type; /* of the packet that says so */
	bool abandons;		/* scheduled */
	LIST_HEAD(, rpc_parked) parked;
	uint32_t num_parked;
	size_t unsent; /* bytes handed to the stream, and their calls */
	bool logged_on;
	bool ending;		     /* its parked calls get no answer */
	struct rpc_session *session; /* rpc/access.c: its token */
};

/*
 * Take over an accepted, non-blocking socket.  On failure it is closed.
 * peer_address and peer_len are as accept() returned them.
 */
everr_t rpc_connection_create(struct rpc_service *service, enum rpc_door door,
			      int fd, const struct sockaddr_storage *address,
			      socklen_t address_len) EVERR_MUST_CHECK;

struct rpc_connection *rpc_call_connection(struct dcesrv_call_state *call);

/* End the connection from the loop; safe within any of its callbacks. */
void rpc_connection_end(struct rpc_connection *connection, const char *reason);

/* Tell the owners of all its parked calls that they are lost; free them. */
void rpc_connection_lose_calls(struct rpc_connection *connection);

/* An address's text without port, talloc child of mem_ctx, or NULL. */
char *rpc_address_text(TALLOC_CTX *mem_ctx,
		       const struct sockaddr_storage *address);

/* ------------------------------------------------- association groups */

/* dcesrv_context_callbacks.assoc_group.find: Samba's, then our own state. */
NTSTATUS rpc_group_find(struct dcesrv_call_state *call, void *private_data);

#endif
