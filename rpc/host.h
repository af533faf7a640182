/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_HOST_H
#define EVENLOG_RPC_HOST_H

/*
 * Samba in our process: its configuration, its authentication and its server
 * core with our interfaces and the endpoint mapper registered.
 *
 * Samba keeps most of this in globals of its own, so a process hosts one
 * service, once.
 */

#include "rpc/connection.h"

struct rpc_host {
	struct dcesrv_context *dce_ctx;
	struct dcesrv_context_callbacks callbacks;
	struct auth_session_info *anonymous;
	struct dcesrv_endpoint *even6;	/* belong to dce_ctx */
	struct dcesrv_endpoint *mapper; /* NULL: not wanted */
	struct dcesrv_endpoint *local;
	struct tevent_timer *sweep;
};

/*
 * Read the Samba configuration, make the machine's identity where it is
 * missing, start authentication, register the interfaces; service->config is
 * what says how.  ret_message as in rpc_service_start().
 *
 * EVERR_CONFIG, EVERR_AUTH, EVERR_NOMEM
 */
everr_t rpc_host_start(struct rpc_service *service, TALLOC_CTX *mem_ctx,
		       struct rpc_host **ret_host,
		       char **ret_message) EVERR_MUST_CHECK;

/* The ports were bound: what the endpoint mapper shall answer. */
everr_t rpc_host_set_ports(struct rpc_host *host, uint16_t even6,
			   uint16_t mapper) EVERR_MUST_CHECK;

/*
 * A core connection behind that door, child of connection.  A local one gets
 * its session from fd's peer.  EVERR_NOMEM, EVERR_IO, EVERR_AUTH.
 */
everr_t rpc_host_connect(struct rpc_host *host,
			 struct rpc_connection *connection, enum rpc_door door,
			 int fd,
			 struct dcesrv_connection **ret_dce) EVERR_MUST_CHECK;

/* Find or make the association group of a bind, and choose its syntax. */
NTSTATUS rpc_host_group_find(struct dcesrv_call_state *call);

#endif
