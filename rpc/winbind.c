/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/winbind.h"

#include "rpc/aside.h"

#include <gen_ndr/security.h>
#include <string.h>
#include <util/tevent_ntstatus.h>
#include <wbclient.h>

static char *copy_text(TALLOC_CTX *mem_ctx, const char *text)
{
	return talloc_strdup(mem_ctx, text != NULL ? text : "");
}

/* -------------------------------------------------------------- logons */

struct logon_job {
	struct wbcAuthUserParams params;
	wbcErr result;
	struct wbcAuthUserInfo *info;
	uint32_t nt_status; /* with WBC_ERR_AUTH_ERROR */
};

struct logon_state {
	struct rpc_aside *aside;
	struct rpc_winbind_user *user;
};

static void logon_ask(void *private_data)
{
	struct logon_job *job = private_data;
	struct wbcContext *ctx = wbcCtxCreate();
	struct wbcAuthErrorInfo *error = NULL;

	job->result = WBC_ERR_NO_MEMORY;
	if (ctx != NULL) {
		job->result = wbcCtxAuthenticateUserEx(ctx, &job->params,
						       &job->info, &error);
	}
	if (job->result == WBC_ERR_AUTH_ERROR && error != NULL) {
		job->nt_status = error->nt_status;
	}
	wbcFreeMemory(error);
	wbcCtxFree(ctx);
}

static int logon_job_destructor(struct logon_job *job)
{
	wbcFreeMemory(job->info);
	return 0;
}

static NTSTATUS logon_status(const struct logon_job *job)
{
	switch (job->result) {
	case WBC_ERR_SUCCESS:
		return NT_STATUS_OK;
	case WBC_ERR_NO_MEMORY:
		return NT_STATUS_NO_MEMORY;
	case WBC_ERR_WINBIND_NOT_AVAILABLE:
		return NT_STATUS_NO_LOGON_SERVERS;
	case WBC_ERR_AUTH_ERROR:
		return job->nt_status != 0 ? NT_STATUS(job->nt_status)
					   : NT_STATUS_LOGON_FAILURE;
	default:
		return NT_STATUS_LOGON_FAILURE;
	}
}

static int user_destructor(struct rpc_winbind_user *user)
{
	wbcFreeMemory(user->info);
	return 0;
}

static void logon_done(void *private_job, void *private_data)
{
	struct logon_job *job =
		talloc_get_type_abort(private_job, struct logon_job);
	struct tevent_req *req =
		talloc_get_type_abort(private_data, struct tevent_req);
	struct logon_state *state = tevent_req_data(req, struct logon_state);
	NTSTATUS status = logon_status(job);

	talloc_set_destructor(state, NULL);
	if (tevent_req_nterror(req, status)) {
		return;
	}
	state->user->info = job->info;
	job->info = NULL;
	tevent_req_done(req);
}

static bool copy_blob(TALLOC_CTX *mem_ctx, const DATA_BLOB *blob,
		      uint8_t **ret_data, uint32_t *ret_length)
{
	if (blob->length == 0) {
		return true;
	}
	*ret_data = talloc_memdup(mem_ctx, blob->data, blob->length);
	*ret_length = (uint32_t)blob->length;
	return *ret_data != NULL;
}

static struct logon_job *logon_job_create(const struct rpc_winbind_logon *logon)
{
	struct logon_job *job = talloc_zero(NULL, struct logon_job);
	struct wbcAuthUserParams *params = NULL;
	bool ok;

	if (job == NULL) {
		return NULL;
	}
	talloc_set_destructor(job, logon_job_destructor);
	params = &job->params;
	params->level = WBC_AUTH_USER_LEVEL_RESPONSE;
	params->parameter_control = logon->parameters;
	params->account_name = copy_text(job, logon->account);
	params->domain_name = copy_text(job, logon->domain);
	params->workstation_name = copy_text(job, logon->workstation);
	memcpy(params->password.response.challenge, logon->challenge,
	       sizeof(logon->challenge));
	ok = copy_blob(job, &logon->nt, &params->password.response.nt_data,
		       &params->password.response.nt_length);
	ok = ok &&
	     copy_blob(job, &logon->lm, &params->password.response.lm_data,
		       &params->password.response.lm_length);
	if (!ok || params->account_name == NULL ||
	    params->domain_name == NULL || params->workstation_name == NULL) {
		TALLOC_FREE(job);
	}
	return job;
}

static NTSTATUS logon_start(struct tevent_context *ev, struct tevent_req *req,
			    const struct rpc_winbind_logon *logon,
			    struct rpc_aside **ret_aside)
{
	struct logon_job *job = logon_job_create(logon);
	everr_t err;

	if (job == NULL) {
		return NT_STATUS_NO_MEMORY;
	}
	err = rpc_aside_start(ev, job, logon_ask, logon_done, req, ret_aside);
	if (err == EVERR_LIMIT) {
		return NT_STATUS_NO_LOGON_SERVERS;
	}
	return err == EVERR_OK ? NT_STATUS_OK : NT_STATUS_NO_MEMORY;
}

static int logon_state_destructor(struct logon_state *state)
{
	rpc_aside_forget(state->aside);
	return 0;
}

struct tevent_req *rpc_winbind_logon_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const struct rpc_winbind_logon *logon)
{
	struct tevent_req *req = NULL;
	struct logon_state *state = NULL;
	NTSTATUS status;

	req = tevent_req_create(mem_ctx, &state, struct logon_state);
	if (req == NULL) {
		return NULL;
	}
	state->user = talloc_zero(state, struct rpc_winbind_user);
	if (tevent_req_nomem(state->user, req)) {
		return tevent_req_post(req, ev);
	}
	talloc_set_destructor(state->user, user_destructor);
	status = logon_start(ev, req, logon, &state->aside);
	if (tevent_req_nterror(req, status)) {
		return tevent_req_post(req, ev);
	}
	talloc_set_destructor(state, logon_state_destructor);
	return req;
}

NTSTATUS rpc_winbind_logon_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct rpc_winbind_user **ret_user)
{
	struct logon_state *state = tevent_req_data(req, struct logon_state);
	NTSTATUS status;

	if (tevent_req_is_nterror(req, &status)) {
		tevent_req_received(req);
		return status;
	}
	*ret_user = talloc_move(mem_ctx, &state->user);
	tevent_req_received(req);
	return NT_STATUS_OK;
}

/* --------------------------------------------------------------- names */

struct name_job {
	const char *domain;
	const char *name;
	wbcErr result;
	struct wbcDomainSid sid;
	enum wbcSidType type;
	bool has_id;
	uid_t uid;
	gid_t gid;
};

struct rpc_winbind_question {
	struct rpc_aside *aside;
	void (*done)(const struct rpc_winbind_name *answer, void *private_data);
	void *private_data;
};

static bool name_is_user(const struct name_job *job)
{
	return job->type == WBC_SID_NAME_USER ||
	       job->type == WBC_SID_NAME_COMPUTER;
}

static void name_ask(void *private_data)
{
	struct name_job *job = private_data;
	struct wbcContext *ctx = wbcCtxCreate();
	wbcErr ret = WBC_ERR_NO_MEMORY;

	job->result = WBC_ERR_NO_MEMORY;
	if (ctx != NULL) {
		job->result = wbcCtxLookupName(ctx, job->domain, job->name,
					       &job->sid, &job->type);
	}
	if (WBC_ERROR_IS_OK(job->result)) {
		ret = name_is_user(job)
			      ? wbcCtxSidToUid(ctx, &job->sid, &job->uid)
			      : wbcCtxSidToGid(ctx, &job->sid, &job->gid);
	}
	job->has_id = WBC_ERROR_IS_OK(ret);
	wbcCtxFree(ctx);
}

static void name_done(void *private_job, void *private_data)
{
	const struct name_job *job =
		talloc_get_type_abort(private_job, struct name_job);
	struct rpc_winbind_question *question = talloc_get_type_abort(
		private_data, struct rpc_winbind_question);
	struct dom_sid sid = rpc_winbind_sid(&job->sid);
	const struct rpc_winbind_name answer = {
		.found = WBC_ERROR_IS_OK(job->result),
		.sid = &sid,
		.has_uid = job->has_id && name_is_user(job),
		.has_gid = job->has_id && !name_is_user(job),
		.uid = job->uid,
		.gid = job->gid,
	};

	talloc_set_destructor(question, NULL);
	question->done(&answer, question->private_data);
	TALLOC_FREE(question);
}

static int question_destructor(struct rpc_winbind_question *question)
{
	rpc_aside_forget(question->aside);
	return 0;
}

static struct name_job *name_job_create(const char *domain, const char *name)
{
	struct name_job *job = talloc_zero(NULL, struct name_job);

	if (job == NULL) {
		return NULL;
	}
	job->domain = copy_text(job, domain);
	job->name = copy_text(job, name);
	if (job->domain == NULL || job->name == NULL) {
		TALLOC_FREE(job);
	}
	return job;
}

everr_t rpc_winbind_name_ask(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     const char *domain, const char *name,
			     void (*done)(const struct rpc_winbind_name *answer,
					  void *private_data),
			     void *private_data,
			     struct rpc_winbind_question **ret_question)
{
	struct rpc_winbind_question *question = NULL;
	struct name_job *job = NULL;
	everr_t err;

	question = talloc_zero(mem_ctx, struct rpc_winbind_question);
	job = name_job_create(domain, name);
	if (question == NULL || job == NULL) {
		TALLOC_FREE(question);
		TALLOC_FREE(job);
		return EVERR_NOMEM;
	}
	question->done = done;
	question->private_data = private_data;
	err = rpc_aside_start(ev, job, name_ask, name_done, question,
			      &question->aside);
	if (err != EVERR_OK) {
		TALLOC_FREE(question);
		return err;
	}
	talloc_set_destructor(question, question_destructor);
	*ret_question = question;
	return EVERR_OK;
}

bool rpc_winbind_name_wait(struct rpc_winbind_question *question,
			   int milliseconds)
{
	return rpc_aside_wait(question->aside, milliseconds);
}

struct dom_sid rpc_winbind_sid(const struct wbcDomainSid *from)
{
	struct dom_sid sid = {
		.sid_rev_num = from->sid_rev_num,
		.num_auths = (int8_t)from->num_auths,
	};

	memcpy(sid.id_auth, from->id_auth, sizeof(sid.id_auth));
	memcpy(sid.sub_auths, from->sub_auths, sizeof(sid.sub_auths));
	return sid;
}
