/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_WINBIND_H
#define EVENLOG_RPC_WINBIND_H

/*
 * What the host's winbindd is asked: whether an NTLM logon is right, and who
 * a name stands for.  winbindd asks a domain controller, and libwbclient waits
 * for it, a minute and more when the controller hangs; so each question is
 * asked aside from the loop (rpc/aside.h).
 */

#include "base/everr.h"
#include "rpc/samba.h"

#include <sys/types.h>

struct wbcAuthUserInfo;
struct wbcDomainSid;

/* What the client sent, [MS-NLMP] 2.2.1.3. */
struct rpc_winbind_logon {
	const char *account;
	const char *domain;
	const char *workstation;
	uint32_t parameters; /* MSV1_0_..., as NETLOGON takes them */
	uint8_t challenge[8];
	DATA_BLOB nt;
	DATA_BLOB lm;
};

/* Who it is; the talloc child of its owner keeps what info points to. */
struct rpc_winbind_user {
	struct wbcAuthUserInfo *info;
};

/*
 * The logon is copied.  Freeing the request forgets the question; its thread
 * ends when winbindd has answered.
 */
struct tevent_req *rpc_winbind_logon_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	const struct rpc_winbind_logon *logon);

/*
 * NT_STATUS_NO_LOGON_SERVERS  no winbindd, or too many questions
 * or what the domain controller says of the logon.
 */
NTSTATUS rpc_winbind_logon_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct rpc_winbind_user **ret_user);

/* Who a name stands for; found is the answer, the rest is of a found one. */
struct rpc_winbind_name {
	bool found;
	struct dom_sid *sid;
	bool has_uid, has_gid; /* what it is on this host, one or none */
	uid_t uid;
	gid_t gid;
};

struct rpc_winbind_question;

/*
 * Ask who name is in domain.  done is called once, from the loop or from
 * rpc_winbind_name_wait(); freeing the question before forgets it.
 * EVERR_LIMIT, EVERR_NOMEM.
 */
everr_t rpc_winbind_name_ask(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *domain,
	const char *name,
	void (*done)(const struct rpc_winbind_name *answer, void *private_data),
	void *private_data,
	struct rpc_winbind_question **ret_question) EVERR_MUST_CHECK;

/* Block for the answer; it is freed when it came, which is returned. */
bool rpc_winbind_name_wait(struct rpc_winbind_question *question,
			   int milliseconds);

/* Samba's form of a SID. */
struct dom_sid rpc_winbind_sid(const struct wbcDomainSid *from);

#endif
