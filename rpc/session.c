/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/session.h"

#include "rpc/samba.h"

#include <core/ntstatus.h>
#include <errno.h>
#include <gen_ndr/auth.h>
#include <gen_ndr/security.h>
#include <machine_sid.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Groups of one peer; the kernel's own limit. */
#define PEER_GROUPS_MAX 65536
/* Room for one line of the user database. */
#define PASSWD_MAX 4096
/* [MS-DTYP] 2.4.2.4 */
#define RID_DOMAIN_ADMINS 512
#define RID_DOMAIN_USERS 513

/* S-1-22-1-uid (Unix users) and S-1-22-2-gid (Unix groups). */
static struct dom_sid session_unix_sid(uint32_t kind, uint32_t number)
{
	return (struct dom_sid){
		.sid_rev_num = 1,
		.num_auths = 2,
		.id_auth = {0, 0, 0, 0, 0, 22},
		.sub_auths = {kind, number},
	};
}

static everr_t token_add(struct security_token *token,
			 const struct dom_sid *sid)
{
	NTSTATUS status;

	status = add_sid_to_array_unique(token, sid, &token->sids,
					 &token->num_sids);
	return NT_STATUS_IS_OK(status) ? EVERR_OK : EVERR_NOMEM;
}

static everr_t token_add_text(struct security_token *token,
			      const char *const *sids)
{
	struct dom_sid sid;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; sids[i] != NULL && err == EVERR_OK; i++) {
		if (!dom_sid_parse(sids[i], &sid)) {
			return EVERR_INTERNAL;
		}
		err = token_add(token, &sid);
	}
	return err;
}

static everr_t token_add_unix(struct security_token *token, uid_t uid,
			      gid_t gid, const gid_t *groups, size_t num_groups)
{
	struct dom_sid sid = session_unix_sid(1, uid);
	everr_t err;
	size_t i;

	err = token_add(token, &sid);
	if (err != EVERR_OK) {
		return err;
	}
	sid = session_unix_sid(2, gid);
	err = token_add(token, &sid);
	for (i = 0; i < num_groups && err == EVERR_OK; i++) {
		sid = session_unix_sid(2, groups[i]);
		err = token_add(token, &sid);
	}
	return err;
}

static everr_t session_set_token(struct auth_session_info *session, uid_t uid,
				 gid_t gid, const gid_t *groups,
				 size_t num_groups)
{
	/* The first two stand for the user and its primary group. */
	static const char *const system_sids[] = {"S-1-5-18", "S-1-5-32-544",
						  "S-1-1-0",  "S-1-5-4",
						  "S-1-5-11", NULL};
	static const char *const user_sids[] = {"S-1-1-0", "S-1-5-4",
						"S-1-5-11", NULL};
	everr_t err;

	session->security_token = talloc_zero(session, struct security_token);
	if (session->security_token == NULL) {
		return EVERR_NOMEM;
	}
	if (uid == 0 || uid == geteuid()) {
		return token_add_text(session->security_token, system_sids);
	}
	err = token_add_unix(session->security_token, uid, gid, groups,
			     num_groups);
	if (err == EVERR_OK) {
		err = token_add_text(session->security_token, user_sids);
	}
	return err;
}

/* A name for people: events about a refusal show it. */
static char *session_name(TALLOC_CTX *mem_ctx, uid_t uid)
{
	struct passwd *found = NULL;
	struct passwd pw;
	char buf[PASSWD_MAX];
	int ret;

	ret = getpwuid_r(uid, &pw, buf, sizeof(buf), &found);
	if (ret != 0 || found == NULL) {
		return talloc_asprintf(mem_ctx, "uid %u", (unsigned int)uid);
	}
	return talloc_strdup(mem_ctx, found->pw_name);
}

/* account becomes the session's; NULL: there was no memory for it. */
static everr_t session_set_names(struct auth_session_info *session, uid_t uid,
				 gid_t gid, const char *domain, char *account)
{
	session->info = talloc_zero(session, struct auth_user_info);
	session->unix_info = talloc_zero(session, struct auth_user_info_unix);
	session->unix_token = talloc_zero(session, struct security_unix_token);
	if (session->info == NULL || session->unix_info == NULL ||
	    session->unix_token == NULL || account == NULL) {
		return EVERR_NOMEM;
	}
	session->unix_token->uid = uid;
	session->unix_token->gid = gid;
	session->info->authenticated = true;
	session->info->domain_name = talloc_strdup(session->info, domain);
	session->info->account_name = talloc_steal(session->info, account);
	session->unix_info->unix_name = session->info->account_name;
	session->unix_info->sanitized_username = session->info->account_name;
	return session->info->domain_name != NULL ? EVERR_OK : EVERR_NOMEM;
}

everr_t rpc_session_for(TALLOC_CTX *mem_ctx, uid_t uid, gid_t gid,
			const gid_t *groups, size_t num_groups,
			struct auth_session_info **ret_session)
{
	struct auth_session_info *session = NULL;
	everr_t err;

	session = talloc_zero(mem_ctx, struct auth_session_info);
	if (session == NULL) {
		return EVERR_NOMEM;
	}
	err = session_set_token(session, uid, gid, groups, num_groups);
	if (err == EVERR_OK) {
		err = session_set_names(session, uid, gid, "Unix User",
					session_name(session, uid));
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(session);
		return err;
	}
	*ret_session = session;
	return EVERR_OK;
}

/* --------------------------------------------------------- the domain's */

/*
 * Users and groups of a domain, S-1-5-21-..., and how they were identified,
 * S-1-18-N.  SYSTEM or a BUILTIN group is a host's own to give.
 */
static bool sid_is_a_domain_s(const struct dom_sid *sid)
{
	if (sid->num_auths < 1) {
		return false;
	}
	return sid->id_auth[5] == 18 ||
	       (sid->id_auth[5] == 5 && sid->sub_auths[0] == 21);
}

/* A SID of that domain: its own with a RID behind. */
static bool sid_is_in(const struct dom_sid *sid, const struct dom_sid *domain)
{
	struct dom_sid parent = *sid;

	if (sid->num_auths != 5) {
		return false;
	}
	parent.num_auths = 4;
	parent.sub_auths[4] = 0;
	return dom_sid_equal(&parent, domain);
}

/*
 * Whether a SID is of this host's own users and groups, which no domain may
 * hand out either.  A host that stands alone is its own domain.
 */
static bool sid_is_this_host_s(const struct dom_sid *sid,
			       const struct dom_sid *own_domain)
{
	const struct dom_sid *host = get_global_sam_sid();

	return !dom_sid_equal(host, own_domain) && sid_is_in(sid, host);
}

static everr_t token_add_domain(struct security_token *token,
				const struct dom_sid *sids, size_t num_sids)
{
	static const char *const network[] = {"S-1-1-0", "S-1-5-2", "S-1-5-11",
					      NULL};
	static const char *const users[] = {"S-1-5-32-545", NULL};
	static const char *const administrators[] = {"S-1-5-32-544", NULL};
	struct dom_sid own = {};
	bool is_own = secrets_fetch_domain_sid(lp_workgroup(), &own);
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < num_sids && err == EVERR_OK; i++) {
		if (sid_is_a_domain_s(&sids[i]) &&
		    !sid_is_this_host_s(&sids[i], &own)) {
			err = token_add(token, &sids[i]);
		}
	}
	/* Others go by the first SID as the user's. */
	if (err == EVERR_OK && (token->num_sids == 0 ||
				!dom_sid_equal(&token->sids[0], &sids[0]))) {
		return EVERR_ACCESS;
	}
	if (err == EVERR_OK) {
		err = token_add_text(token, network);
	}
	for (i = 0; i < num_sids && is_own && err == EVERR_OK; i++) {
		if (!sid_is_in(&sids[i], &own)) {
			continue;
		}
		if (sids[i].sub_auths[4] == RID_DOMAIN_USERS) {
			err = token_add_text(token, users);
		} else if (sids[i].sub_auths[4] == RID_DOMAIN_ADMINS) {
			err = token_add_text(token, administrators);
		}
	}
	return err;
}

everr_t rpc_session_for_domain(TALLOC_CTX *mem_ctx, const char *domain,
			       const char *account, const struct dom_sid *sids,
			       size_t num_sids,
			       struct auth_session_info **ret_session)
{
	struct auth_session_info *session = NULL;
	everr_t err;

	session = talloc_zero(mem_ctx, struct auth_session_info);
	if (session == NULL) {
		return EVERR_NOMEM;
	}
	session->security_token = talloc_zero(session, struct security_token);
	err = session->security_token != NULL ? EVERR_OK : EVERR_NOMEM;
	if (err == EVERR_OK) {
		err = token_add_domain(session->security_token, sids, num_sids);
	}
	if (err == EVERR_OK) {
		/* Nobody's files are opened in its name. */
		err = session_set_names(
			session, (uid_t)-1, (gid_t)-1,
			domain != NULL ? domain : "",
			talloc_strdup(session, account != NULL ? account : ""));
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(session);
		return err;
	}
	*ret_session = session;
	return EVERR_OK;
}

/* ------------------------------------------------------ local clients' */

/* SO_PEERGROUPS: the supplementary groups without asking a name service. */
static everr_t peer_groups(TALLOC_CTX *mem_ctx, int fd, gid_t **ret_groups,
			   size_t *ret_num)
{
	socklen_t len = 64 * sizeof(gid_t);
	gid_t *groups = NULL;
	int ret;

	groups = talloc_size(mem_ctx, len);
	if (groups == NULL) {
		return EVERR_NOMEM;
	}
	ret = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	if (ret == -1 && errno == ERANGE &&
	    len <= PEER_GROUPS_MAX * sizeof(gid_t)) {
		groups = talloc_realloc_size(mem_ctx, groups, len);
		if (groups == NULL) {
			return EVERR_NOMEM;
		}
		ret = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	}
	if (ret == -1) {
		TALLOC_FREE(groups);
		return EVERR_IO;
	}
	*ret_groups = groups;
	*ret_num = len / sizeof(gid_t);
	return EVERR_OK;
}

everr_t rpc_session_from_peer(TALLOC_CTX *mem_ctx, int fd,
			      struct auth_session_info **ret_session)
{
	struct ucred cred = {};
	socklen_t len = sizeof(cred);
	gid_t *groups = NULL;
	size_t num_groups = 0;
	everr_t err;
	int ret;

	ret = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	if (ret == -1 || cred.uid == (uid_t)-1) {
		return EVERR_IO;
	}
	err = peer_groups(mem_ctx, fd, &groups, &num_groups);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_session_for(mem_ctx, cred.uid, cred.gid, groups, num_groups,
			      ret_session);
	TALLOC_FREE(groups);
	return err;
}
