/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_LISTENER_H
#define EVENLOG_RPC_LISTENER_H

/*
 * Listening sockets: EVEN6 and the endpoint mapper on each configured address,
 * and the control socket.  They are talloc children of the service and stop
 * with it.
 */

#include "rpc/connection.h"

/*
 * Bind everything that service->config asks for.  The port of EVEN6 is the
 * same on every address.  A mapper port that cannot be had is a warning:
 * clients that name the port are served all the same.
 *
 * EVERR_IO      *ret_message says which address and why
 * EVERR_CONFIG  an address that is none
 */
everr_t rpc_listeners_start(struct rpc_service *service, TALLOC_CTX *mem_ctx,
			    uint16_t *ret_port,
			    char **ret_message) EVERR_MUST_CHECK;

#endif
