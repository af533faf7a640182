/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/logon.h"

#include "rpc/samba_auth.h"
#include "rpc/samba_start.h"
#include "rpc/session.h"
#include "rpc/winbind.h"

#include <gen_ndr/auth.h>
#include <gen_ndr/krb5pac.h>
#include <gen_ndr/ndr_krb5pac.h>
#include <gen_ndr/security.h>
#include <ndr.h>
#include <string.h>
#include <strings.h>
#include <util/tevent_ntstatus.h>
#include <wbclient.h>

/* SIDs of one user; Windows allows a token 1,024. */
#define USER_SIDS_MAX 4096

/* What Samba would do; the same for each of its contexts. */
static struct {
	samba_check_send_fn check_send;
	samba_check_recv_fn check_recv;
	samba_session_fn session;
	samba_session_pac_fn session_pac;
} samba;

static NTSTATUS status_from(everr_t err)
{
	if (err == EVERR_ACCESS) {
		return NT_STATUS_INVALID_TOKEN;
	}
	return err == EVERR_OK ? NT_STATUS_OK : NT_STATUS_NO_MEMORY;
}

/* ---------------------------------------------------------------- NTLM */

struct check_state {
	void *user; /* rpc_winbind_user, or what Samba makes */
	uint8_t authoritative;
	DATA_BLOB nt_key;
	DATA_BLOB lm_key;
};

/* Anonymous, or of this host's own database. */
static bool check_is_local(const struct auth_usersupplied_info *user_info)
{
	const char *account = user_info->client.account_name;
	const char *domain = user_info->client.domain_name;

	if (account == NULL || account[0] == '\0') {
		return true;
	}
	return domain != NULL && strcasecmp(domain, lp_netbios_name()) == 0;
}

static void check_local_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct check_state *state = tevent_req_data(req, struct check_state);
	NTSTATUS status;

	status = samba.check_recv(subreq, state, &state->authoritative,
				  &state->user, &state->nt_key, &state->lm_key);
	TALLOC_FREE(subreq);
	if (tevent_req_nterror(req, status)) {
		return;
	}
	tevent_req_done(req);
}

/* The base of what seals the connection, [MS-NLMP] 3.4.5.1. */
static bool check_keys(struct check_state *state,
		       const struct wbcAuthUserInfo *info)
{
	state->nt_key = data_blob_talloc(state, info->user_session_key,
					 sizeof(info->user_session_key));
	state->lm_key = data_blob_talloc(state, info->lm_session_key,
					 sizeof(info->lm_session_key));
	return state->nt_key.data != NULL && state->lm_key.data != NULL;
}

static void check_domain_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct check_state *state = tevent_req_data(req, struct check_state);
	struct rpc_winbind_user *user = NULL;
	NTSTATUS status;

	status = rpc_winbind_logon_recv(subreq, state, &user);
	TALLOC_FREE(subreq);
	if (tevent_req_nterror(req, status)) {
		return;
	}
	/* map to guest = never: a guest's logon is none. */
	if ((user->info->user_flags & WBC_AUTH_USER_INFO_GUEST) != 0) {
		tevent_req_nterror(req, NT_STATUS_LOGON_FAILURE);
		return;
	}
	if (!check_keys(state, user->info)) {
		tevent_req_nterror(req, NT_STATUS_NO_MEMORY);
		return;
	}
	state->user = user;
	tevent_req_done(req);
}

static struct tevent_req *check_domain_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct auth4_context *auth,
	const struct auth_usersupplied_info *user_info)
{
	/*
	 * The domain as the client sent it, even when it is none: it is part
	 * of what the response is computed from.
	 */
	struct rpc_winbind_logon logon = {
		.account = user_info->client.account_name,
		.domain = user_info->client.domain_name,
		.workstation = user_info->workstation_name,
		.parameters = user_info->logon_parameters,
		.nt = user_info->password.response.nt,
		.lm = user_info->password.response.lanman,
	};
	NTSTATUS status;

	status = auth->get_ntlm_challenge(auth, logon.challenge);
	if (!NT_STATUS_IS_OK(status)) {
		return NULL;
	}
	return rpc_winbind_logon_send(mem_ctx, ev, &logon);
}

static struct tevent_req *logon_check_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct auth4_context *auth,
	const struct auth_usersupplied_info *user_info)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct check_state *state = NULL;

	req = tevent_req_create(mem_ctx, &state, struct check_state);
	if (req == NULL) {
		return NULL;
	}
	state->authoritative = 1;
	if (check_is_local(user_info)) {
		subreq = samba.check_send(state, ev, auth, user_info);
		if (tevent_req_nomem(subreq, req)) {
			return tevent_req_post(req, ev);
		}
		tevent_req_set_callback(subreq, check_local_done, req);
		return req;
	}
	subreq = check_domain_send(state, ev, auth, user_info);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, check_domain_done, req);
	return req;
}

static NTSTATUS logon_check_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				 uint8_t *ret_authoritative, void **ret_user,
				 DATA_BLOB *ret_nt_session_key,
				 DATA_BLOB *ret_lm_session_key)
{
	struct check_state *state = tevent_req_data(req, struct check_state);
	NTSTATUS status;

	if (ret_authoritative != NULL) {
		*ret_authoritative = state->authoritative;
	}
	if (tevent_req_is_nterror(req, &status)) {
		return status;
	}
	if (ret_user != NULL) {
		*ret_user = talloc_move(mem_ctx, &state->user);
	}
	if (ret_nt_session_key != NULL) {
		*ret_nt_session_key = state->nt_key;
		talloc_steal(mem_ctx, state->nt_key.data);
	}
	if (ret_lm_session_key != NULL) {
		*ret_lm_session_key = state->lm_key;
		talloc_steal(mem_ctx, state->lm_key.data);
	}
	return NT_STATUS_OK;
}

static NTSTATUS logon_session(struct auth4_context *auth, TALLOC_CTX *mem_ctx,
			      void *user, const char *original_user_name,
			      uint32_t flags,
			      struct auth_session_info **ret_session)
{
	const struct rpc_winbind_user *known =
		talloc_get_type(user, struct rpc_winbind_user);
	const struct wbcAuthUserInfo *info = NULL;
	struct dom_sid *sids = NULL;
	everr_t err;
	uint32_t i;

	if (known == NULL) {
		return samba.session(auth, mem_ctx, user, original_user_name,
				     flags, ret_session);
	}
	info = known->info;
	if (info->num_sids == 0 || info->num_sids > USER_SIDS_MAX) {
		return NT_STATUS_INVALID_TOKEN;
	}
	sids = talloc_array(mem_ctx, struct dom_sid, info->num_sids);
	if (sids == NULL) {
		return NT_STATUS_NO_MEMORY;
	}
	for (i = 0; i < info->num_sids; i++) {
		sids[i] = rpc_winbind_sid(&info->sids[i].sid);
	}
	err = rpc_session_for_domain(mem_ctx, info->domain_name,
				     info->account_name, sids, info->num_sids,
				     ret_session);
	TALLOC_FREE(sids);
	return status_from(err);
}

/* ------------------------------------------------------------ Kerberos */

struct sid_list {
	struct dom_sid *sids;
	uint32_t num;
};

static bool list_add(struct sid_list *list, const struct dom_sid *sid)
{
	if (list->num >= USER_SIDS_MAX) {
		return false;
	}
	list->sids[list->num++] = *sid;
	return true;
}

/* [MS-DTYP] 2.4.2: a SID of the domain. */
static bool list_add_rid(struct sid_list *list, const struct dom_sid *domain,
			 uint32_t rid)
{
	struct dom_sid sid = *domain;

	if (sid.num_auths < 0 || sid.num_auths >= 15) {
		return false;
	}
	sid.sub_auths[sid.num_auths++] = rid;
	return list_add(list, &sid);
}

static bool list_add_groups(struct sid_list *list, const struct dom_sid *domain,
			    const struct samr_RidWithAttributeArray *groups)
{
	uint32_t i;

	if (domain == NULL) {
		return groups->count == 0;
	}
	for (i = 0; i < groups->count; i++) {
		if (!list_add_rid(list, domain, groups->rids[i].rid)) {
			return false;
		}
	}
	return true;
}

/*
 * [MS-PAC] 4.1.2.2: the user, its primary group, its groups, what is of other
 * domains or is no group of a domain, and groups of this service's domain.
 */
static bool list_from_pac(struct sid_list *list,
			  const struct PAC_LOGON_INFO *logon)
{
	const struct netr_SamBaseInfo *base = &logon->info3.base;
	uint32_t i;
	bool ok;

	if (base->domain_sid == NULL) {
		return false;
	}
	ok = list_add_rid(list, base->domain_sid, base->rid) &&
	     list_add_rid(list, base->domain_sid, base->primary_gid) &&
	     list_add_groups(list, base->domain_sid, &base->groups);
	for (i = 0; ok && i < logon->info3.sidcount; i++) {
		ok = logon->info3.sids[i].sid != NULL &&
		     list_add(list, logon->info3.sids[i].sid);
	}
	return ok && list_add_groups(list, logon->resource_groups.domain_sid,
				     &logon->resource_groups.groups);
}

static NTSTATUS pac_logon_info(TALLOC_CTX *mem_ctx, const DATA_BLOB *blob,
			       const struct PAC_LOGON_INFO **ret_logon)
{
	struct PAC_DATA *pac = talloc_zero(mem_ctx, struct PAC_DATA);
	enum ndr_err_code ndr_err;
	uint32_t i;

	if (pac == NULL) {
		return NT_STATUS_NO_MEMORY;
	}
	ndr_err = ndr_pull_struct_blob(blob, pac, pac,
				       (ndr_pull_flags_fn_t)ndr_pull_PAC_DATA);
	if (!NDR_ERR_CODE_IS_SUCCESS(ndr_err)) {
		return NT_STATUS_INVALID_TOKEN;
	}
	for (i = 0; i < pac->num_buffers; i++) {
		const struct PAC_BUFFER *buffer = &pac->buffers[i];

		if (buffer->type == PAC_TYPE_LOGON_INFO &&
		    buffer->info != NULL &&
		    buffer->info->logon_info.info != NULL) {
			*ret_logon = buffer->info->logon_info.info;
			return NT_STATUS_OK;
		}
	}
	return NT_STATUS_INVALID_TOKEN;
}

static NTSTATUS session_from_pac(TALLOC_CTX *tmp_ctx, TALLOC_CTX *mem_ctx,
				 const DATA_BLOB *pac,
				 struct auth_session_info **ret_session)
{
	const struct PAC_LOGON_INFO *logon = NULL;
	const struct netr_SamBaseInfo *base = NULL;
	struct sid_list list = {};
	NTSTATUS status;

	status = pac_logon_info(tmp_ctx, pac, &logon);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	list.sids = talloc_array(tmp_ctx, struct dom_sid, USER_SIDS_MAX);
	if (list.sids == NULL) {
		return NT_STATUS_NO_MEMORY;
	}
	if (!list_from_pac(&list, logon)) {
		return NT_STATUS_INVALID_TOKEN;
	}
	base = &logon->info3.base;
	return status_from(rpc_session_for_domain(
		mem_ctx, base->logon_domain.string, base->account_name.string,
		list.sids, list.num, ret_session));
}

/*
 * The mechanism has opened the ticket with this host's key and has checked
 * the PAC's signature with it, [MS-PAC] 2.8.1.  In Samba 4.17 with its own
 * Heimdal: gse.c's gss_accept_sec_context() comes to krb5_rd_req_ctx(), which
 * fails the logon unless krb5_pac_verify() accepts, with the key that opened
 * the ticket, the server's checksum and the client's name.  The PAC here is
 * what krb5_ticket_get_authorization_data_type() finds in the same ticket, as
 * it did there, so what a client adds to a ticket by itself either was checked
 * or does not get here.  winbindd, which Samba asks as well, would add nothing:
 * winbindd_pam_auth_pac_verify() takes a PAC that it cannot verify.  (check_pac
 * in krb5.conf is on by default.)  tests/integration/test_domain.py forges PACs.
 *
 * A ticket without a PAC is refused by gensec_generate_session_info_pac().
 */
static NTSTATUS logon_session_pac(struct auth4_context *auth,
				  TALLOC_CTX *mem_ctx,
				  struct smb_krb5_context *krb5, DATA_BLOB *pac,
				  const char *principal,
				  const struct tsocket_address *remote_address,
				  uint32_t flags,
				  struct auth_session_info **ret_session)
{
	TALLOC_CTX *tmp_ctx = NULL;
	NTSTATUS status;

	if (pac == NULL) {
		return samba.session_pac(auth, mem_ctx, krb5, pac, principal,
					 remote_address, flags, ret_session);
	}
	tmp_ctx = talloc_new(mem_ctx);
	if (tmp_ctx == NULL) {
		return NT_STATUS_NO_MEMORY;
	}
	status = session_from_pac(tmp_ctx, mem_ctx, pac, ret_session);
	TALLOC_FREE(tmp_ctx);
	return status;
}

/* --------------------------------------------------------------- hooks */

/* Samba's context is a child of the mechanism's, whose layout is private. */
static void find_auth(const void *ptr, int depth, int max_depth, int is_ref,
		      void *private_data)
{
	struct auth4_context **found = private_data;

	if (depth == 1 &&
	    strcmp(talloc_get_name(ptr), "struct auth4_context") == 0 &&
	    talloc_get_size(ptr) == sizeof(struct auth4_context)) {
		*found = discard_const_p(struct auth4_context, ptr);
	}
}

static void take_over(struct auth4_context *auth)
{
	samba.check_send = auth->check_ntlm_password_send;
	samba.check_recv = auth->check_ntlm_password_recv;
	samba.session = auth->generate_session_info;
	samba.session_pac = auth->generate_session_info_pac;

	auth->check_ntlm_password_send = logon_check_send;
	auth->check_ntlm_password_recv = logon_check_recv;
	auth->generate_session_info = logon_session;
	auth->generate_session_info_pac = logon_session_pac;
}

NTSTATUS rpc_logon_prepare(TALLOC_CTX *mem_ctx, struct dcesrv_call_state *call,
			   struct gensec_security **ret_gensec,
			   void *private_data)
{
	struct gensec_security *gensec = NULL;
	struct auth4_context *auth = NULL;
	NTSTATUS status;

	status = dcesrv_auth_gensec_prepare(mem_ctx, call, &gensec, NULL);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	if (lp_server_role() == SAMBA_ROLE_DOMAIN_MEMBER) {
		talloc_report_depth_cb(gensec, 0, 1, find_auth, &auth);
		if (auth == NULL) {
			/* Another Samba than this was built for. */
			TALLOC_FREE(gensec);
			return NT_STATUS_REVISION_MISMATCH;
		}
		take_over(auth);
	}
	*ret_gensec = gensec;
	return NT_STATUS_OK;
}
