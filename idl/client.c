/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "idl/client.h"

#include <core/ntstatus.h>
#include <ndr.h>
#include <util/tevent_ntstatus.h>

struct idl_client_state {
	TALLOC_CTX *out; /* parent of all that the reply holds */
};

static void idl_client_done(struct tevent_req *subreq);

struct tevent_req *idl_client_send(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev,
				   struct dcerpc_binding_handle *h,
				   const struct ndr_interface_table *table,
				   uint32_t opnum, void *r)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct idl_client_state *state = NULL;

	req = tevent_req_create(mem_ctx, &state, struct idl_client_state);
	if (req == NULL) {
		return NULL;
	}

	state->out = talloc_new(state);
	if (tevent_req_nomem(state->out, req)) {
		return tevent_req_post(req, ev);
	}

	subreq = dcerpc_binding_handle_call_send(state, ev, h, NULL, table,
						 opnum, state->out, r);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, idl_client_done, req);
	return req;
}

static void idl_client_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	NTSTATUS status;

	status = dcerpc_binding_handle_call_recv(subreq);
	TALLOC_FREE(subreq);
	if (tevent_req_nterror(req, status)) {
		return;
	}
	tevent_req_done(req);
}

NTSTATUS idl_client_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx)
{
	struct idl_client_state *state =
		tevent_req_data(req, struct idl_client_state);
	NTSTATUS status;

	if (tevent_req_is_nterror(req, &status)) {
		tevent_req_received(req);
		return status;
	}

	talloc_steal(mem_ctx, state->out);
	tevent_req_received(req);
	return NT_STATUS_OK;
}
