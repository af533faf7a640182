/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/winbind.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <util/tevent_ntstatus.h>
#include <wbclient.h>

/* libwbclient keeps a few kilobytes of request and answer on the stack. */
#define STACK_BYTES (256 * 1024)

/*
 * One question.  While its thread runs it belongs to that thread, but for
 * req, which is the loop's; then the eventfd tells the loop.
 */
struct question {
	struct tevent_req *req; /* NULL: nobody waits any more */
	struct tevent_fd *fde;
	int fd;
	struct wbcAuthUserParams params;

	wbcErr result;
	struct wbcAuthUserInfo *info;
	uint32_t nt_status; /* with WBC_ERR_AUTH_ERROR */
};

struct logon_state {
	struct question *question;
	struct rpc_winbind_user *user;
};

/* Of the process, as is its right to use winbindd. */
static unsigned int num_questions;

static void *question_ask(void *private_data)
{
	struct question *question = private_data;
	struct wbcContext *ctx = wbcCtxCreate();
	struct wbcAuthErrorInfo *error = NULL;
	const uint64_t one = 1;
	ssize_t written;

	question->result = WBC_ERR_NO_MEMORY;
	if (ctx != NULL) {
		question->result = wbcCtxAuthenticateUserEx(
			ctx, &question->params, &question->info, &error);
	}
	if (question->result == WBC_ERR_AUTH_ERROR && error != NULL) {
		question->nt_status = error->nt_status;
	}
	wbcFreeMemory(error);
	wbcCtxFree(ctx);

	/* From here on the question may be gone. */
	written = write(question->fd, &one, sizeof(one));
	(void)written;
	return NULL;
}

static int question_destructor(struct question *question)
{
	num_questions--;
	wbcFreeMemory(question->info);
	TALLOC_FREE(question->fde);
	if (question->fd != -1) {
		close(question->fd);
	}
	return 0;
}

static NTSTATUS question_status(const struct question *question)
{
	switch (question->result) {
	case WBC_ERR_SUCCESS:
		return NT_STATUS_OK;
	case WBC_ERR_NO_MEMORY:
		return NT_STATUS_NO_MEMORY;
	case WBC_ERR_WINBIND_NOT_AVAILABLE:
		return NT_STATUS_NO_LOGON_SERVERS;
	case WBC_ERR_AUTH_ERROR:
		return question->nt_status != 0 ? NT_STATUS(question->nt_status)
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

static void question_done(struct tevent_context *ev, struct tevent_fd *fde,
			  uint16_t flags, void *private_data)
{
	struct question *question =
		talloc_get_type_abort(private_data, struct question);
	struct tevent_req *req = question->req;
	struct logon_state *state = NULL;
	NTSTATUS status;

	if (req == NULL) {
		TALLOC_FREE(question);
		return;
	}
	state = tevent_req_data(req, struct logon_state);
	status = question_status(question);
	if (NT_STATUS_IS_OK(status)) {
		state->user->info = question->info;
		question->info = NULL;
	}
	talloc_set_destructor(state, NULL);
	TALLOC_FREE(question);
	if (tevent_req_nterror(req, status)) {
		return;
	}
	tevent_req_done(req);
}

/* ------------------------------------------------------------- sending */

static char *copy_text(TALLOC_CTX *mem_ctx, const char *text)
{
	return talloc_strdup(mem_ctx, text != NULL ? text : "");
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

static bool question_fill(struct question *question,
			  const struct rpc_winbind_logon *logon)
{
	struct wbcAuthUserParams *params = &question->params;
	bool ok;

	params->level = WBC_AUTH_USER_LEVEL_RESPONSE;
	params->parameter_control = logon->parameters;
	params->account_name = copy_text(question, logon->account);
	params->domain_name = copy_text(question, logon->domain);
	params->workstation_name = copy_text(question, logon->workstation);
	memcpy(params->password.response.challenge, logon->challenge,
	       sizeof(logon->challenge));
	ok = copy_blob(question, &logon->nt, &params->password.response.nt_data,
		       &params->password.response.nt_length);
	ok = ok &&
	     copy_blob(question, &logon->lm, &params->password.response.lm_data,
		       &params->password.response.lm_length);
	return ok && params->account_name != NULL &&
	       params->domain_name != NULL && params->workstation_name != NULL;
}

/* The loop's signals stay the loop's. */
static bool question_start(struct question *question)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int rc;

	rc = pthread_attr_init(&attr);
	if (rc != 0) {
		return false;
	}
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attr, question_ask, question);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc == 0;
}

static NTSTATUS question_create(struct tevent_context *ev,
				const struct rpc_winbind_logon *logon,
				struct question **ret_question)
{
	struct question *question = NULL;

	if (num_questions >= RPC_WINBIND_QUESTIONS_MAX) {
		return NT_STATUS_NO_LOGON_SERVERS;
	}
	/* Nobody's child: its thread cannot be stopped, not even at exit. */
	question = talloc_zero(NULL, struct question);
	if (question == NULL) {
		return NT_STATUS_NO_MEMORY;
	}
	num_questions++;
	question->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	talloc_set_destructor(question, question_destructor);
	if (question->fd == -1 || !question_fill(question, logon)) {
		TALLOC_FREE(question);
		return NT_STATUS_NO_MEMORY;
	}
	question->fde = tevent_add_fd(ev, question, question->fd,
				      TEVENT_FD_READ, question_done, question);
	if (question->fde == NULL || !question_start(question)) {
		TALLOC_FREE(question);
		return NT_STATUS_NO_MEMORY;
	}
	*ret_question = question;
	return NT_STATUS_OK;
}

/* The thread goes on by itself; what it finds out is dropped. */
static int logon_state_destructor(struct logon_state *state)
{
	state->question->req = NULL;
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
	status = question_create(ev, logon, &state->question);
	if (tevent_req_nterror(req, status)) {
		return tevent_req_post(req, ev);
	}
	state->question->req = req;
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
