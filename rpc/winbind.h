/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_WINBIND_H
#define EVENLOG_RPC_WINBIND_H

/*
 * Checking an NTLM logon with the host's winbindd.  winbindd asks a domain
 * controller, and libwbclient waits for it, a minute and more when the
 * controller hangs; so each question has a thread of its own, which calls
 * libwbclient and nothing else of ours.
 */

#include "rpc/samba.h"

struct wbcAuthUserInfo;

/* Questions under way; more are refused.  winbindd serves 200 clients. */
#define RPC_WINBIND_QUESTIONS_MAX 64

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

#endif
