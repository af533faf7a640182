/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/target.h"

#include "rpc/settings.h"

#include <string.h>
#include <strings.h>

/* What Windows puts where it has no detail, [MS-EVEN6] 2.2.1 note. */
#define INFO_NONE 0xFFFFFFFFU

void rpc_info_set(struct even6_RpcInfo *info, WERROR error)
{
	*info = (struct even6_RpcInfo){.m_error = W_ERROR_V(error)};
	if (!W_ERROR_IS_OK(error)) {
		info->m_subErr = INFO_NONE;
		info->m_subErrParam = INFO_NONE;
	}
}

/* file://... in a structured query, facts 8. */
static bool path_is_file(const char *path)
{
	return strncasecmp(path, "file:", 5) == 0;
}

bool rpc_target_is_file(struct dcesrv_call_state *call, const char *path,
			bool is_channel, bool is_file)
{
	struct rpc_service *service = rpc_call_service(call);
	struct store_channel *channel = NULL;

	if (path == NULL || path[0] == '\0' || is_channel) {
		return false;
	}
	if (is_file) {
		return true;
	}
	return store_channel_find(service->store, path, &channel) != EVERR_OK;
}

static everr_t target_find(struct rpc_service *service, const char *path,
			   struct store_channel **ret_channel)
{
	if (path_is_file(path)) {
		return EVERR_NOT_SUPPORTED;
	}
	if (!store_channel_name_valid(path)) {
		return EVERR_CHANNEL_NAME;
	}
	return store_channel_find(service->store, path, ret_channel);
}

/* One path; a tolerated refusal is no incident and not reported. */
static everr_t target_open(struct dcesrv_call_state *call, const char *path,
			   bool tolerate, everr_t direct,
			   struct store_channel **ret_channel)
{
	struct rpc_service *service = rpc_call_service(call);
	struct store_channel *channel = NULL;
	everr_t err;

	err = target_find(service, path, &channel);
	if (err != EVERR_OK) {
		return err;
	}
	if (tolerate) {
		err = rpc_access_probe(call, channel, RPC_ACCESS_READ);
	} else {
		err = rpc_access_check(call, channel, RPC_ACCESS_READ);
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (direct != EVERR_OK &&
	    rpc_settings_direct(service->settings, channel)) {
		return direct;
	}
	*ret_channel = channel;
	return EVERR_OK;
}

/*
 * The code for a path that cannot be read: inside a structured query Windows
 * calls a channel that does not exist an invalid path (facts 4.2).
 */
static WERROR target_error(const struct rpc_target *target, everr_t err)
{
	if (err == EVERR_CHANNEL_NOT_FOUND && target->query->structured) {
		err = EVERR_CHANNEL_NAME;
	}
	return rpc_werror(err);
}

static WERROR target_open_all(struct dcesrv_call_state *call,
			      struct rpc_target *target, bool tolerate,
			      everr_t direct)
{
	const struct event_query *query = target->query;
	bool denied = false;
	size_t i;

	/* There is nothing to tolerate about the one channel of a call. */
	tolerate = tolerate && query->structured;
	for (i = 0; i < query->num_paths; i++) {
		everr_t err = target_open(call, query->paths[i], tolerate,
					  direct, &target->channels[i]);

		if (err == EVERR_NOMEM || (err != EVERR_OK && !tolerate)) {
			return target_error(target, err);
		}
		denied |= err == EVERR_ACCESS;
		target->num_usable += err == EVERR_OK;
		/* The channel is valid; what was asked of it is not. */
		if (err == EVERR_OK && query->path_errors[i] != EVERR_OK) {
			err = query->path_errors[i];
			target->channels[i] = NULL;
		}
		target->status[i] = everr_win32(err);
	}
	/* Tolerating errors gives nobody a query on what he may not see. */
	if (denied && target->num_usable == 0) {
		return rpc_werror(EVERR_ACCESS);
	}
	return WERR_OK;
}

static WERROR target_parse(TALLOC_CTX *mem_ctx, const char *path,
			   const char *query, bool tolerate,
			   struct event_query **ret_query,
			   struct even6_RpcInfo *info)
{
	struct event_query_error error = {};
	everr_t err;

	err = event_query_parse(mem_ctx, path, query, strlen(query), tolerate,
				ret_query, &error);
	if (err == EVERR_OK) {
		return WERR_OK;
	}
	rpc_info_set(info, rpc_werror(err));
	if (error.error != 0) {
		info->m_subErr = error.sub_error;
		info->m_subErrParam = error.sub_param;
	}
	if (err == EVERR_QUERY_SYNTAX || err == EVERR_QUERY_COMPLEX) {
		info->m_error = error.error;
	}
	return rpc_werror(err);
}

WERROR rpc_target_resolve(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			  const char *path, const char *query, bool tolerate,
			  everr_t direct, struct rpc_target **ret_target,
			  struct even6_RpcInfo *info)
{
	struct rpc_target *target = talloc_zero(mem_ctx, struct rpc_target);
	size_t num_paths;
	WERROR werr;

	if (target == NULL) {
		return WERR_NOT_ENOUGH_MEMORY;
	}
	werr = target_parse(target, path, query, tolerate, &target->query,
			    info);
	if (!W_ERROR_IS_OK(werr)) {
		TALLOC_FREE(target);
		return werr;
	}
	num_paths = target->query->num_paths;
	target->channels =
		talloc_zero_array(target, struct store_channel *, num_paths);
	target->status = talloc_zero_array(target, uint32_t, num_paths);
	if (target->channels == NULL || target->status == NULL) {
		TALLOC_FREE(target);
		return WERR_NOT_ENOUGH_MEMORY;
	}

	werr = target_open_all(call, target, tolerate, direct);
	if (!W_ERROR_IS_OK(werr)) {
		rpc_info_set(info, werr);
		TALLOC_FREE(target);
		return werr;
	}
	*ret_target = target;
	return WERR_OK;
}

everr_t rpc_target_list(TALLOC_CTX *mem_ctx, const struct rpc_target *target,
			uint32_t *ret_size,
			struct even6_EvtRpcQueryChannelInfo **ret_list)
{
	size_t num_paths = target->query->num_paths;
	struct even6_EvtRpcQueryChannelInfo *list = NULL;
	size_t i;

	list = talloc_zero_array(mem_ctx, struct even6_EvtRpcQueryChannelInfo,
				 num_paths);
	if (list == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num_paths; i++) {
		list[i].status = target->status[i];
		list[i].name = talloc_strdup(list, target->query->paths[i]);
		if (list[i].name == NULL) {
			TALLOC_FREE(list);
			return EVERR_NOMEM;
		}
	}

	*ret_size = (uint32_t)num_paths;
	*ret_list = list;
	return EVERR_OK;
}
