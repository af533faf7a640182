/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/host.h"

#include "rpc/interface.h"
#include "rpc/logon.h"
#include "rpc/samba.h"
#include "rpc/samba_start.h"
#include "rpc/session.h"

#include <dcerpc.h>
#include <gen_ndr/auth.h>
#include <malloc.h>
#include <ndr.h>
#include <param.h>
#include <stdio.h>

/*
 * A request before authentication, and all there is to ask the endpoint
 * mapper, is small; what a client may make us keep is bounded by it.
 */
#define ANONYMOUS_REQUEST_MAX 65536

/* Connections the core calls broken are looked after this often, seconds. */
#define SWEEP_SECONDS 1
/* So many connections gone between two looks: give their memory back. */
#define TRIM_CONNECTIONS 64

struct tevent_context *rpc_event_context(void)
{
	return global_event_context();
}

int rpc_event_loop_once(struct tevent_context *ev)
{
	TALLOC_CTX *frame = rpc_samba_frame();
	int ret;

	ret = tevent_loop_once(ev);
	TALLOC_FREE(frame);
	return ret;
}

/* --------------------------------------------------------- connections */

static struct dcesrv_endpoint *host_endpoint(struct rpc_host *host,
					     enum rpc_door door)
{
	switch (door) {
	case RPC_DOOR_EVEN6:
		return host->even6;
	case RPC_DOOR_MAPPER:
		return host->mapper;
	case RPC_DOOR_LOCAL:
		return host->local;
	}
	return NULL;
}

everr_t rpc_host_connect(struct rpc_host *host,
			 struct rpc_connection *connection, enum rpc_door door,
			 int fd, struct dcesrv_connection **ret_dce)
{
	struct auth_session_info *session = host->anonymous;
	struct dcesrv_connection *dce = NULL;
	NTSTATUS status;
	everr_t err;

	if (door == RPC_DOOR_LOCAL) {
		err = rpc_session_from_peer(connection, fd, &session);
		if (err != EVERR_OK) {
			return err;
		}
	}

	status = dcesrv_endpoint_connect(
		host->dce_ctx, connection, host_endpoint(host, door), session,
		connection->service->ev,
		DCESRV_CALL_STATE_FLAG_MAY_ASYNC |
			DCESRV_CALL_STATE_FLAG_PROCESS_PENDING_CALL,
		&dce);
	if (!NT_STATUS_IS_OK(status)) {
		return EVERR_NOMEM;
	}
	/*
	 * One security context a connection, and one only: a second one would
	 * let a client that logs on send large requests as nobody.
	 */
	dce->max_auth_states = 0;
	if (door == RPC_DOOR_MAPPER) {
		dce->max_total_request_size = ANONYMOUS_REQUEST_MAX;
	}
	*ret_dce = dce;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- bind */

static bool context_proposes(const struct dcerpc_ctx_list *context,
			     const struct ndr_syntax_id *syntax)
{
	size_t i;

	for (i = 0; i < context->num_transfer_syntaxes; i++) {
		if (ndr_syntax_id_equal(&context->transfer_syntaxes[i],
					syntax)) {
			return true;
		}
	}
	return false;
}

/*
 * NDR64 for the client that proposes nothing else.  The core picks the
 * preferred syntax wherever it is proposed, and Windows proposes both.
 */
static void group_choose_syntax(struct dcesrv_call_state *call)
{
	const struct dcerpc_bind *bind = &call->pkt.u.bind;
	bool ndr64 = false;
	size_t i;

	for (i = 0; i < bind->num_contexts; i++) {
		if (context_proposes(&bind->ctx_list[i],
				     &ndr_transfer_syntax_ndr)) {
			return;
		}
		ndr64 |= context_proposes(&bind->ctx_list[i],
					  &ndr_transfer_syntax_ndr64);
	}
	if (ndr64) {
		call->conn->preferred_transfer = &ndr_transfer_syntax_ndr64;
	}
}

NTSTATUS rpc_host_group_find(struct dcesrv_call_state *call)
{
	const struct rpc_connection *connection = rpc_call_connection(call);

	if (connection->door != RPC_DOOR_MAPPER) {
		group_choose_syntax(call);
	}
	if (connection->door == RPC_DOOR_EVEN6 && call->pkt.auth_length == 0) {
		call->conn->max_total_request_size = ANONYMOUS_REQUEST_MAX;
	}
	return dcesrv_assoc_group_find(call, NULL);
}

/* ------------------------------------------------------------ sessions */

static everr_t host_start_sessions(struct rpc_host *host, TALLOC_CTX *mem_ctx,
				   char **ret_message)
{
	NTSTATUS status;

	if (global_messaging_context() == NULL) {
		*ret_message = talloc_strdup(
			mem_ctx, "Samba's messaging does not start: are the "
				 "lock, private and pid directories of the "
				 "Samba configuration there and ours?");
		return EVERR_AUTH;
	}
	/* The guest's session is made from a Unix user, nobody as a rule. */
	if (!init_guest_session_info(NULL)) {
		*ret_message = talloc_strdup(
			mem_ctx, "Samba cannot make the anonymous session: is "
				 "the guest account of its configuration a "
				 "user here, and is the state directory ours?");
		return EVERR_AUTH;
	}
	status = init_system_session_info(NULL);
	if (NT_STATUS_IS_OK(status)) {
		status = make_session_info_anonymous(host, &host->anonymous);
	}
	if (!NT_STATUS_IS_OK(status)) {
		*ret_message = talloc_asprintf(
			mem_ctx, "Samba cannot make its own sessions: %s",
			nt_errstr(status));
		return EVERR_AUTH;
	}
	return EVERR_OK;
}

/* ---------------------------------------------------------- interfaces */

static struct dcesrv_endpoint *host_find_endpoint(
	struct dcesrv_context *dce_ctx, const char *interface,
	enum dcerpc_transport_t transport)
{
	struct dcesrv_endpoint *e = NULL;
	struct dcesrv_if_list *i = NULL;

	for (e = dce_ctx->endpoint_list; e != NULL; e = e->next) {
		if (dcerpc_binding_get_transport(e->ep_description) !=
		    transport) {
			continue;
		}
		for (i = e->interface_list; i != NULL; i = i->next) {
			if (strcmp(i->iface->name, interface) == 0) {
				return e;
			}
		}
	}
	return NULL;
}

static NTSTATUS host_register(struct rpc_host *host, const char *binding_text,
			      const struct dcesrv_interface *iface)
{
	struct dcerpc_binding *binding = NULL;
	NTSTATUS status;

	status = dcerpc_parse_binding(host, binding_text, &binding);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	status = dcesrv_interface_register_b(host->dce_ctx, binding, NULL,
					     iface, NULL);
	TALLOC_FREE(binding);
	return status;
}

/*
 * The interface is registered with a port of 0 at first, and gets the real
 * one when it is bound.
 */
static NTSTATUS host_register_even6(struct rpc_host *host)
{
	struct dcesrv_interface iface = rpc_interface_even6();
	NTSTATUS status;

	status = host_register(host, "ncacn_ip_tcp:[0]", &iface);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	host->even6 =
		host_find_endpoint(host->dce_ctx, iface.name, NCACN_IP_TCP);
	return NT_STATUS_OK;
}

static NTSTATUS host_register_local(struct rpc_host *host)
{
	struct dcesrv_interface even6 = rpc_interface_even6();
	struct dcesrv_interface control = rpc_interface_control();
	NTSTATUS status;

	status = host_register(host, "ncalrpc:[evenlog]", &even6);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	status = host_register(host, "ncalrpc:[evenlog]", &control);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	host->local = host_find_endpoint(host->dce_ctx, control.name, NCALRPC);
	return NT_STATUS_OK;
}

/* Take an endpoint off the context's list, Samba's DLIST style. */
static void host_remove_endpoint(struct dcesrv_context *dce_ctx,
				 struct dcesrv_endpoint *e)
{
	struct dcesrv_endpoint *tail = dce_ctx->endpoint_list->prev;

	if (e == dce_ctx->endpoint_list) {
		dce_ctx->endpoint_list = e->next;
		if (e->next != NULL) {
			e->next->prev = tail;
		}
	} else if (e == tail) {
		e->prev->next = NULL;
		dce_ctx->endpoint_list->prev = e->prev;
	} else {
		e->prev->next = e->next;
		e->next->prev = e->prev;
	}
	TALLOC_FREE(e);
}

/*
 * Samba's mapper answers what the context's list of endpoints holds.  It
 * declares itself on SMB pipes, ncalrpc and HTTP too, where we do not serve.
 */
static NTSTATUS host_register_mapper(struct rpc_host *host)
{
	static const enum dcerpc_transport_t unserved[] = {NCACN_NP, NCALRPC,
							   NCACN_HTTP};
	struct dcesrv_endpoint *e = NULL;
	NTSTATUS status;
	size_t i;

	status = dcerpc_server_epmapper_init(host);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	status = dcesrv_init_ep_server(host->dce_ctx, "epmapper");
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	for (i = 0; i < sizeof(unserved) / sizeof(unserved[0]); i++) {
		e = host_find_endpoint(host->dce_ctx, "epmapper", unserved[i]);
		if (e != NULL) {
			host_remove_endpoint(host->dce_ctx, e);
		}
	}
	host->mapper =
		host_find_endpoint(host->dce_ctx, "epmapper", NCACN_IP_TCP);
	return NT_STATUS_OK;
}

static everr_t host_register_all(struct rpc_service *service,
				 struct rpc_host *host, TALLOC_CTX *mem_ctx,
				 char **ret_message)
{
	NTSTATUS status;

	/* The mapper first: its endpoints are told from ours by that. */
	status = NT_STATUS_OK;
	if (service->config.endpoint_mapper) {
		status = host_register_mapper(host);
	}
	if (NT_STATUS_IS_OK(status)) {
		status = host_register_even6(host);
	}
	if (NT_STATUS_IS_OK(status)) {
		status = host_register_local(host);
	}
	if (!NT_STATUS_IS_OK(status)) {
		*ret_message = talloc_asprintf(
			mem_ctx, "Samba does not take our interfaces: %s",
			nt_errstr(status));
		return EVERR_INTERNAL;
	}
	return EVERR_OK;
}

static everr_t host_set_port(struct dcesrv_endpoint *endpoint, uint16_t port)
{
	char text[8];
	NTSTATUS status;

	(void)snprintf(text, sizeof(text), "%u", (unsigned int)port);
	status = dcerpc_binding_set_string_option(endpoint->ep_description,
						  "endpoint", text);
	return NT_STATUS_IS_OK(status) ? EVERR_OK : EVERR_NOMEM;
}

everr_t rpc_host_set_ports(struct rpc_host *host, uint16_t even6,
			   uint16_t mapper)
{
	everr_t err;

	err = host_set_port(host->even6, even6);
	if (err == EVERR_OK && host->mapper != NULL) {
		err = host_set_port(host->mapper, mapper);
	}
	return err;
}

/* --------------------------------------------------------------- start */

/*
 * The stream tells of peers that have gone.  A connection that the core itself
 * gives up after a protocol error, with calls parked, it tells nobody.
 */
static void host_sweep(struct tevent_context *ev, struct tevent_timer *te,
		       struct timeval now, void *private_data)
{
	struct rpc_service *service =
		talloc_get_type_abort(private_data, struct rpc_service);
	struct rpc_host *host = service->host;

	if (host->dce_ctx->broken_connections != NULL) {
		dcesrv_cleanup_broken_connections(host->dce_ctx);
	}
	/* The heap keeps what a crowd that has left used, scattered. */
	if (service->num_ended >= TRIM_CONNECTIONS) {
		(void)malloc_trim(0);
	}
	service->num_ended = 0;
	host->sweep = tevent_add_timer(
		ev, host, tevent_timeval_add(&now, SWEEP_SECONDS, 0),
		host_sweep, service);
}

static everr_t host_start_core(struct rpc_service *service,
			       struct rpc_host *host)
{
	struct loadparm_context *lp_ctx = NULL;
	NTSTATUS status;

	lp_ctx = loadparm_init_s3(host, loadparm_s3_helpers());
	if (lp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	host->callbacks = (struct dcesrv_context_callbacks){
		.auth.gensec_prepare = rpc_logon_prepare,
		.auth.become_root = become_root,
		.auth.unbecome_root = unbecome_root,
		.assoc_group.find = rpc_group_find,
	};
	status = dcesrv_init_context(host, lp_ctx, &host->callbacks,
				     &host->dce_ctx);
	if (!NT_STATUS_IS_OK(status)) {
		return EVERR_NOMEM;
	}
	host->sweep = tevent_add_timer(
		service->ev, host, tevent_timeval_current_ofs(SWEEP_SECONDS, 0),
		host_sweep, service);
	return host->sweep != NULL ? EVERR_OK : EVERR_NOMEM;
}

everr_t rpc_host_start(struct rpc_service *service, TALLOC_CTX *mem_ctx,
		       struct rpc_host **ret_host, char **ret_message)
{
	TALLOC_CTX *frame = NULL;
	struct rpc_host *host = NULL;
	everr_t err;

	err = rpc_samba_start(mem_ctx, "evenlogd", service->config.smb_conf,
			      ret_message);
	if (err != EVERR_OK) {
		return err;
	}

	frame = rpc_samba_frame();
	host = talloc_zero(service, struct rpc_host);
	if (host == NULL) {
		TALLOC_FREE(frame);
		return EVERR_NOMEM;
	}
	err = host_start_sessions(host, mem_ctx, ret_message);
	if (err == EVERR_OK) {
		err = host_start_core(service, host);
	}
	if (err == EVERR_OK) {
		err = host_register_all(service, host, mem_ctx, ret_message);
	}
	TALLOC_FREE(frame);
	if (err != EVERR_OK) {
		TALLOC_FREE(host);
		return err;
	}
	*ret_host = host;
	return EVERR_OK;
}
