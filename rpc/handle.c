/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Typed context handles and the association groups they live in.
 *
 * The core keeps handles per association group and checks the user behind
 * them; it knows no kinds, because its handle_type would stand in the
 * attributes word on the wire, which clients expect to be 0.
 */

#include "rpc/connection.h"
#include "rpc/host.h"
#include "rpc/report.h"

#include <ndr.h>

/* What talloc and malloc add to each block. */
#define BLOCK_COST 112

struct rpc_group {
	LIST_ENTRY(rpc_group) link;
	struct rpc_service *service;
	const struct dcesrv_assoc_group *assoc; /* talloc parent */
	LIST_HEAD(, rpc_handle) handles;
	uint32_t num_handles;
	size_t bytes; /* kept behind its handles */
};

struct rpc_handle {
	LIST_ENTRY(rpc_handle) link;
	struct rpc_service *service;
	struct rpc_group *group; /* NULL: freed before */
	enum rpc_handle_kind kind;
	void *object; /* talloc child */
	size_t bytes; /* of the object when the handle was made */
};

/* -------------------------------------------------------------- groups */

static int group_destructor(struct rpc_group *group)
{
	struct rpc_handle *handle = NULL;

	LIST_FOREACH(handle, &group->handles, link)
	{
		handle->group = NULL;
	}
	LIST_REMOVE(group, link);
	return 0;
}

static struct rpc_group *group_of(struct rpc_service *service,
				  struct dcesrv_assoc_group *assoc)
{
	struct rpc_group *group = NULL;

	LIST_FOREACH(group, &service->groups, link)
	{
		if (group->assoc == assoc) {
			return group;
		}
	}

	group = talloc_zero(assoc, struct rpc_group);
	if (group == NULL) {
		return NULL;
	}
	group->service = service;
	group->assoc = assoc;
	LIST_INIT(&group->handles);
	LIST_INSERT_HEAD(&service->groups, group, link);
	talloc_set_destructor(group, group_destructor);
	return group;
}

NTSTATUS rpc_group_find(struct dcesrv_call_state *call, void *private_data)
{
	struct rpc_connection *connection = rpc_call_connection(call);
	NTSTATUS status;

	status = rpc_host_group_find(call);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	connection->group =
		group_of(connection->service, call->conn->assoc_group);
	return connection->group != NULL ? NT_STATUS_OK : NT_STATUS_NO_MEMORY;
}

/* ------------------------------------------------------------- handles */

static uint32_t *handle_counter(struct rpc_service *service,
				enum rpc_handle_kind kind)
{
	switch (kind) {
	case RPC_HANDLE_SUBSCRIPTION:
		return &service->stats.subscriptions;
	case RPC_HANDLE_QUERY:
		return &service->stats.queries;
	default:
		return NULL;
	}
}

static int handle_destructor(struct rpc_handle *handle)
{
	uint32_t *counter = handle_counter(handle->service, handle->kind);

	if (counter != NULL) {
		(*counter)--;
	}
	handle->service->stats.handles--;
	handle->service->handle_bytes -= handle->bytes;
	if (handle->group != NULL) {
		LIST_REMOVE(handle, link);
		handle->group->num_handles--;
		handle->group->bytes -= handle->bytes;
	}
	return 0;
}

static size_t object_bytes(const void *object)
{
	return talloc_total_size(object) +
	       BLOCK_COST * talloc_total_blocks(object);
}

/*
 * Whether one more fits; says so where it does not.  A query may name hundreds
 * of channels, so the number of handles alone bounds no memory.
 */
static bool handle_fits(struct rpc_connection *connection,
			enum rpc_handle_kind kind, size_t bytes)
{
	const struct rpc_group *group = connection->group;
	struct rpc_service *service = connection->service;
	const struct rpc_limits *limits = &service->config.limits;

	if (group->num_handles >= limits->handles_per_connection) {
		rpc_report_limit(service, "handles", connection->peer);
		return false;
	}
	if (kind == RPC_HANDLE_SUBSCRIPTION &&
	    service->stats.subscriptions >= limits->subscriptions) {
		rpc_report_limit(service, "subscriptions", connection->peer);
		return false;
	}
	if (bytes > limits->handle_bytes_per_connection ||
	    group->bytes > limits->handle_bytes_per_connection - bytes) {
		rpc_report_limit(service, "memory of a client's handles",
				 connection->peer);
		return false;
	}
	if (bytes > limits->handle_bytes ||
	    service->handle_bytes > limits->handle_bytes - bytes) {
		rpc_report_limit(service, "memory of all handles",
				 connection->peer);
		return false;
	}
	return true;
}

everr_t rpc_handle_create(struct dcesrv_call_state *call,
			  enum rpc_handle_kind kind, void *object,
			  struct policy_handle *ret_wire)
{
	struct rpc_connection *connection = rpc_call_connection(call);
	struct rpc_service *service = connection->service;
	uint32_t *counter = handle_counter(service, kind);
	size_t bytes = object_bytes(object);
	struct dcesrv_handle *dce = NULL;
	struct rpc_handle *handle = NULL;

	if (!handle_fits(connection, kind, bytes)) {
		return EVERR_LIMIT;
	}

	dce = dcesrv_handle_create(call, 0);
	if (dce == NULL) {
		return EVERR_NOMEM;
	}
	handle = talloc_zero(dce, struct rpc_handle);
	if (handle == NULL) {
		TALLOC_FREE(dce);
		return EVERR_NOMEM;
	}
	handle->service = service;
	handle->group = connection->group;
	handle->kind = kind;
	handle->object = talloc_steal(handle, object);
	handle->bytes = bytes;
	dce->data = handle;

	LIST_INSERT_HEAD(&connection->group->handles, handle, link);
	connection->group->num_handles++;
	connection->group->bytes += bytes;
	service->stats.handles++;
	service->handle_bytes += bytes;
	if (counter != NULL) {
		(*counter)++;
	}
	talloc_set_destructor(handle, handle_destructor);

	*ret_wire = dce->wire_handle;
	return EVERR_OK;
}

static struct dcesrv_handle *handle_find(struct dcesrv_call_state *call,
					 const struct policy_handle *wire)
{
	/* The core would make a new handle for an empty one. */
	if (ndr_policy_handle_empty(wire)) {
		return NULL;
	}
	return dcesrv_handle_lookup(call, wire, DCESRV_HANDLE_ANY);
}

static everr_t handle_mismatch(struct dcesrv_call_state *call)
{
	call->fault_code = RPC_FAULT_CONTEXT_MISMATCH;
	return EVERR_NOT_FOUND;
}

everr_t rpc_handle_lookup(struct dcesrv_call_state *call,
			  const struct policy_handle *wire,
			  enum rpc_handle_kind kind, void **ret_object)
{
	struct dcesrv_handle *dce = handle_find(call, wire);
	struct rpc_handle *handle = NULL;

	if (dce == NULL) {
		return handle_mismatch(call);
	}
	handle = talloc_get_type_abort(dce->data, struct rpc_handle);
	if (kind != RPC_HANDLE_ANY && handle->kind != kind) {
		return EVERR_INVALID;
	}
	*ret_object = handle->object;
	return EVERR_OK;
}

enum rpc_handle_kind rpc_handle_kind(struct dcesrv_call_state *call,
				     const struct policy_handle *wire)
{
	struct dcesrv_handle *dce = handle_find(call, wire);
	struct rpc_handle *handle = NULL;

	if (dce == NULL) {
		return RPC_HANDLE_ANY;
	}
	handle = talloc_get_type_abort(dce->data, struct rpc_handle);
	return handle->kind;
}

everr_t rpc_handle_close(struct dcesrv_call_state *call,
			 struct policy_handle *wire)
{
	struct dcesrv_handle *dce = handle_find(call, wire);

	if (dce == NULL) {
		return handle_mismatch(call);
	}
	TALLOC_FREE(dce);
	*wire = (struct policy_handle){};
	return EVERR_OK;
}
