/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Channels' properties from outside: opnums 20 and 21 ([MS-EVEN6] 3.1.4.21,
 * 3.1.4.22), and 15 and 16 that put changes in force and take channels away
 * (3.1.4.33, 3.1.4.34); facts 4.6, 12.1, 12.2.
 *
 * Who may do what.  The specification asks for write access and leaves open
 * which right that is; on Windows the registry decides, where administrators
 * may do everything.  Here:
 *
 *	read properties		the channel's right to read
 *	change properties	its right to write, or an administrator; who may
 *				write can push a channel's events out anyway
 *	change who has access	the standard right WRITE_DAC beside it, or an
 *				administrator; also to put such a change in
 *				force that somebody else has made
 *	raise MaxSize		an administrator: the disk is everybody's
 *	remove			the standard right DELETE, or an administrator
 *	create, start afresh	an administrator
 */

#include "idl/even6_server.h"
#include "rpc/internal.h"
#include "rpc/report.h"
#include "rpc/settings.h"
#include "rpc/target.h"

/* [MS-EVEN6] 3.1.4.22, flags. */
enum put_mode {
	PUT_OPEN_OR_CREATE = 0,
	PUT_OPEN = 1,
	PUT_CREATE_ANEW = 2,
	PUT_CREATE = 3
};

/* -------------------------------------------------------------- rights */

static void report_refused(struct dcesrv_call_state *call, const char *name,
			   const char *operation)
{
	rpc_report_refused(rpc_call_service(call), rpc_call_user(call),
			   rpc_call_peer(call), name, operation);
}

static everr_t check_administrator(struct dcesrv_call_state *call,
				   const char *name, const char *operation)
{
	if (rpc_call_is_administrator(call)) {
		return EVERR_OK;
	}
	report_refused(call, name, operation);
	return EVERR_ACCESS;
}

static everr_t check_right(struct dcesrv_call_state *call,
			   struct store_channel *channel, uint32_t right,
			   const char *operation)
{
	everr_t err;

	if (rpc_call_is_administrator(call)) {
		return EVERR_OK;
	}
	err = rpc_access_probe(call, channel, right);
	if (err == EVERR_ACCESS) {
		report_refused(call, store_channel_name(channel), operation);
	}
	return err;
}

/* NULL in *ret_channel: there is none yet. */
static everr_t find_channel(struct rpc_service *service, const char *name,
			    struct store_channel **ret_channel)
{
	everr_t err;

	if (!store_channel_name_valid(name)) {
		return EVERR_CHANNEL_NAME;
	}
	err = store_channel_find(service->store, name, ret_channel);
	return err == EVERR_CHANNEL_NOT_FOUND ? EVERR_OK : err;
}

/* ----------------------------------------------------------- opnum 20 */

static everr_t get_properties(struct dcesrv_call_state *call,
			      TALLOC_CTX *mem_ctx, const char *name,
			      struct even6_EvtRpcVariantList *ret_list)
{
	struct rpc_service *service = rpc_call_service(call);
	struct rpc_properties *properties = NULL;
	struct store_channel *channel = NULL;
	struct store_channel_info info;
	everr_t err;

	err = store_channel_find(service->store, name, &channel);
	if (err == EVERR_OK) {
		err = rpc_access_check(call, channel, RPC_ACCESS_READ);
	}
	if (err == EVERR_OK) {
		err = rpc_settings_get(mem_ctx, service->settings, channel,
				       &properties);
	}
	if (err != EVERR_OK) {
		return err;
	}
	/* What decides, also where nobody has set it. */
	store_channel_info(channel, &info);
	err = rpc_properties_set_text(properties, RPC_PROPERTY_ACCESS,
				      rpc_access_sddl(&info));
	if (err != EVERR_OK) {
		return err;
	}
	return rpc_properties_write(mem_ctx, properties, ret_list);
}

WERROR dcesrv_even6_EvtRpcGetChannelConfig(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcGetChannelConfig *r)
{
	return rpc_werror(
		get_properties(call, mem_ctx, r->in.channelPath, r->out.props));
}

/* ----------------------------------------------------------- opnum 21 */

/* Whether the mode fits to what is there; facts 4.6. */
static everr_t put_check_mode(uint32_t mode, bool exists)
{
	switch (mode) {
	case PUT_OPEN_OR_CREATE:
	case PUT_CREATE_ANEW:
		return EVERR_OK;
	case PUT_OPEN:
		return exists ? EVERR_OK : EVERR_NOT_FOUND;
	case PUT_CREATE:
		return exists ? EVERR_EXISTS : EVERR_OK;
	default:
		return EVERR_INVALID;
	}
}

/* Whether the channel could keep more than now. */
static bool put_enlarges(struct store_channel *channel,
			 const struct rpc_property_changes *changes)
{
	const struct rpc_properties *to = changes->to;
	struct store_channel_info info;

	store_channel_info(channel, &info);
	return (to->set & RPC_PROPERTY_BIT(RPC_PROPERTY_MAX_SIZE)) &&
	       info.config.max_bytes != 0 &&
	       to->values[RPC_PROPERTY_MAX_SIZE].number > info.config.max_bytes;
}

static everr_t put_check_rights(struct dcesrv_call_state *call,
				const struct even6_EvtRpcPutChannelConfig *r,
				struct store_channel *channel,
				const struct rpc_property_changes *changes)
{
	const uint32_t access = RPC_PROPERTY_BIT(RPC_PROPERTY_ACCESS);
	everr_t err;

	if (channel == NULL) {
		return check_administrator(call, r->in.channelPath, "create");
	}
	if (r->in.flags == PUT_CREATE_ANEW) {
		return check_administrator(call, r->in.channelPath,
					   "start afresh");
	}
	err = check_right(call, channel, RPC_ACCESS_WRITE, "configure");
	if (err == EVERR_OK && put_enlarges(channel, changes)) {
		err = check_administrator(call, r->in.channelPath, "enlarge");
	}
	if (err == EVERR_OK && ((changes->to->set | changes->reset) & access)) {
		err = check_right(call, channel, RPC_ACCESS_WRITE_DAC,
				  "change access");
	}
	return err;
}

/* An administrator of the host has decided otherwise: he should hear of it. */
static void put_report(struct dcesrv_call_state *call, const char *name,
		       everr_t err, uint32_t property)
{
	struct rpc_service *service = rpc_call_service(call);
	const char *fields[] = {
		"Channel",	     name,   "Property",	  "", "User",
		rpc_call_user(call), "Peer", rpc_call_peer(call),
	};

	if (err == EVERR_LIMIT) {
		rpc_report_limit(service, "changes of channels that wait",
				 rpc_call_peer(call));
	}
	if (err == EVERR_NOT_CHANGEABLE && property < RPC_PROPERTIES) {
		fields[3] = rpc_property_name(property);
		operational_report(service->operational,
				   OPERATIONAL_CHANGE_REFUSED, name, fields, 4);
	}
}

static everr_t put_properties(struct dcesrv_call_state *call,
			      TALLOC_CTX *mem_ctx,
			      const struct even6_EvtRpcPutChannelConfig *r,
			      uint32_t *ret_property)
{
	struct rpc_service *service = rpc_call_service(call);
	struct rpc_property_changes *changes = NULL;
	const char *name = r->in.channelPath;
	struct store_channel *channel = NULL;
	everr_t err;

	err = find_channel(service, name, &channel);
	if (err == EVERR_OK) {
		err = put_check_mode(
			r->in.flags,
			channel != NULL ||
				rpc_settings_pending(service->settings, name));
	}
	if (err == EVERR_OK) {
		err = rpc_properties_read(mem_ctx, r->in.props, &changes,
					  ret_property);
	}
	if (err != EVERR_OK) {
		return err;
	}
	err = put_check_rights(call, r, channel, changes);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_settings_change(service->settings, name,
				  r->in.flags == PUT_CREATE_ANEW, changes,
				  ret_property);
	put_report(call, name, err, *ret_property);
	return err;
}

WERROR dcesrv_even6_EvtRpcPutChannelConfig(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcPutChannelConfig *r)
{
	uint32_t property = UINT32_MAX;
	WERROR werr;

	werr = rpc_werror(put_properties(call, mem_ctx, r, &property));
	rpc_info_set(r->out.error, werr);
	/* Which one it was; all ones where it was none of them. */
	if (!W_ERROR_IS_OK(werr)) {
		r->out.error->m_subErrParam = property;
	}
	return werr;
}

/* ----------------------------------------------------- opnums 15 and 16 */

/*
 * A change on its way to disk.  It is carried out to its end, also when the
 * client goes away meanwhile: what is on disk and what is in force agree.
 */
struct change_task {
	struct rpc_service *service; /* talloc parent */
	struct rpc_parked *parked;   /* NULL: nobody waits any more */
	WERROR *result;
	const char *name;
	const char *user;
	const char *peer;
};

static void change_lost(void *private_data)
{
	struct change_task *task =
		talloc_get_type_abort(private_data, struct change_task);

	task->parked = NULL;
}

static void change_report(const struct change_task *task,
			  enum operational_id id, const char *properties)
{
	const char *const fields[] = {
		"Channel", task->name, "User",	     task->user,
		"Peer",	   task->peer, "Properties", properties,
	};

	operational_report(task->service->operational, id, NULL, fields,
			   properties != NULL ? 4 : 3);
}

static void change_end(struct change_task *task, everr_t err)
{
	if (task->parked != NULL) {
		*task->result = rpc_werror(err);
		rpc_unpark_reply(task->parked);
	}
	TALLOC_FREE(task);
}

static struct change_task *change_create(struct dcesrv_call_state *call,
					 const char *name, WERROR *result)
{
	struct rpc_service *service = rpc_call_service(call);
	struct change_task *task = talloc_zero(service, struct change_task);

	if (task == NULL) {
		return NULL;
	}
	task->service = service;
	task->result = result;
	task->name = talloc_strdup(task, name);
	task->user = talloc_strdup(task, rpc_call_user(call));
	task->peer = talloc_strdup(task, rpc_call_peer(call));
	if (task->name == NULL || task->user == NULL || task->peer == NULL) {
		TALLOC_FREE(task);
	}
	return task;
}

/* Park the call until req, which is the task's child, is done. */
static everr_t change_park(struct dcesrv_call_state *call,
			   struct change_task *task, struct tevent_req *req,
			   tevent_req_fn done)
{
	everr_t err;

	err = req != NULL ? rpc_park(call, change_lost, task, &task->parked)
			  : EVERR_NOMEM;
	if (err != EVERR_OK) {
		TALLOC_FREE(task);
		return err;
	}
	tevent_req_set_callback(req, done, task);
	return EVERR_OK;
}

static void assert_done(struct tevent_req *req)
{
	struct change_task *task =
		tevent_req_callback_data(req, struct change_task);
	bool created = false;
	char *text = NULL;
	everr_t err;

	err = rpc_settings_assert_recv(req, task, &created, &text);
	TALLOC_FREE(req);
	if (err == EVERR_OK && text != NULL) {
		change_report(task,
			      created ? OPERATIONAL_CHANNEL_CREATED
				      : OPERATIONAL_CHANNEL_CHANGED,
			      text);
	}
	change_end(task, err);
}

static everr_t assert_channel(struct dcesrv_call_state *call,
			      struct even6_EvtRpcAssertConfig *r)
{
	struct rpc_service *service = rpc_call_service(call);
	const char *name = r->in.path;
	struct store_channel *channel = NULL;
	struct change_task *task = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	err = find_channel(service, name, &channel);
	if (err != EVERR_OK) {
		/* [MS-EVEN6] 3.1.4.33 has one code for every wrong path. */
		return err == EVERR_CHANNEL_NAME ? EVERR_INVALID : err;
	}
	err = channel != NULL ? check_right(call, channel, RPC_ACCESS_WRITE,
					    "configure")
			      : check_administrator(call, name, "create");
	if (err != EVERR_OK) {
		return err;
	}
	if (channel != NULL &&
	    rpc_settings_pending_access(service->settings, name)) {
		err = check_right(call, channel, RPC_ACCESS_WRITE_DAC,
				  "change access");
	}
	if (err != EVERR_OK) {
		return err;
	}
	if (!rpc_settings_pending(service->settings, name)) {
		return channel != NULL ? EVERR_OK : EVERR_INVALID;
	}
	task = change_create(call, name, &r->out.result);
	if (task == NULL) {
		return EVERR_NOMEM;
	}
	req = rpc_settings_assert_send(task, service->ev, service->settings,
				       name);
	return change_park(call, task, req, assert_done);
}

/*
 * Publishers come from manifests on the service's host, and are in force as
 * soon as these are installed: nothing waits for a call.
 */
static everr_t assert_publisher(struct dcesrv_call_state *call,
				const char *name)
{
	return check_administrator(call, name, "configure publisher");
}

WERROR dcesrv_even6_EvtRpcAssertConfig(struct dcesrv_call_state *call,
				       TALLOC_CTX *mem_ctx,
				       struct even6_EvtRpcAssertConfig *r)
{
	(void)mem_ctx;
	switch (r->in.flags) {
	case EVEN6_CONFIG_CHANNEL_PATH:
		return rpc_werror(assert_channel(call, r));
	case EVEN6_CONFIG_PUBLISHER_NAME:
		return rpc_werror(assert_publisher(call, r->in.path));
	default:
		return WERR_INVALID_PARAMETER;
	}
}

static void retract_done(struct tevent_req *req)
{
	struct change_task *task =
		tevent_req_callback_data(req, struct change_task);
	bool removed = false;
	everr_t err;

	err = rpc_settings_remove_recv(req, &removed);
	TALLOC_FREE(req);
	if (err == EVERR_OK && removed) {
		change_report(task, OPERATIONAL_CHANNEL_REMOVED, NULL);
	}
	change_end(task, err);
}

static everr_t retract_channel(struct dcesrv_call_state *call,
			       struct even6_EvtRpcRetractConfig *r)
{
	struct rpc_service *service = rpc_call_service(call);
	const char *name = r->in.path;
	struct store_channel *channel = NULL;
	struct change_task *task = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	err = find_channel(service, name, &channel);
	if (err != EVERR_OK) {
		return err;
	}
	/* A name that nobody has is no error on Windows (facts 4.6). */
	if (channel == NULL && !rpc_settings_pending(service->settings, name)) {
		return EVERR_OK;
	}
	err = channel != NULL
		      ? check_right(call, channel, RPC_ACCESS_DELETE, "remove")
		      : check_administrator(call, name, "remove");
	if (err != EVERR_OK) {
		return err;
	}
	task = change_create(call, name, &r->out.result);
	if (task == NULL) {
		return EVERR_NOMEM;
	}
	req = rpc_settings_remove_send(task, service->ev, service->settings,
				       name);
	return change_park(call, task, req, retract_done);
}

/* What a manifest has brought goes with the manifest. */
static everr_t retract_publisher(struct dcesrv_call_state *call,
				 const char *name)
{
	const struct event_catalog *catalog = rpc_call_service(call)->catalog;
	everr_t err;

	err = check_administrator(call, name, "remove publisher");
	if (err == EVERR_OK && catalog != NULL &&
	    event_catalog_find(catalog, name) != NULL) {
		return EVERR_NOT_CHANGEABLE;
	}
	return err;
}

WERROR dcesrv_even6_EvtRpcRetractConfig(struct dcesrv_call_state *call,
					TALLOC_CTX *mem_ctx,
					struct even6_EvtRpcRetractConfig *r)
{
	(void)mem_ctx;
	switch (r->in.flags) {
	case EVEN6_CONFIG_CHANNEL_PATH:
		return rpc_werror(retract_channel(call, r));
	case EVEN6_CONFIG_PUBLISHER_NAME:
		return rpc_werror(retract_publisher(call, r->in.path));
	default:
		return WERR_INVALID_PARAMETER;
	}
}
