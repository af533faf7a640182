/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SAMBA_AUTH_H
#define EVENLOG_RPC_SAMBA_AUTH_H

/*
 * How Samba's security mechanisms ask who a client is: two structures of
 * auth/common_auth.h, which is not installed, as they are in Samba 4.17.
 * Another Samba is refused when this is built, below, and when it runs: the
 * symbols of the private libraries carry the release in their version, so the
 * loader finds none in another one.  rpc/logon.c compares the size of the
 * second with what Samba allocated as well before it touches it.
 */

#include "rpc/samba.h"

#include <samba/version.h>
#include <sys/time.h>

#if SAMBA_VERSION_MAJOR != 4 || SAMBA_VERSION_MINOR != 17
#error "rpc/samba_auth.h has the structures of Samba 4.17, as in Debian 12"
#endif

struct auth4_context;
struct auth_method_context;
struct imessaging_context;
struct ldb_context;
struct samr_Password;
struct smb_krb5_context;
struct tsocket_address;

struct auth_usersupplied_info {
	const char *workstation_name;
	const struct tsocket_address *remote_host;
	const struct tsocket_address *local_host;
	uint32_t logon_parameters;
	bool cracknames_called;
	bool was_mapped;
	uint64_t logon_id;
	struct {
		const char *account_name;
		const char *domain_name;
	} client, mapped, orig_client;
	int password_state;
	struct {
		struct {
			DATA_BLOB lanman;
			DATA_BLOB nt;
		} response;
		/* and what a password in other forms would be */
	} password;
	/* more follows */
};

typedef struct tevent_req *(*samba_check_send_fn)(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct auth4_context *auth,
	const struct auth_usersupplied_info *user_info);
typedef NTSTATUS (*samba_check_recv_fn)(struct tevent_req *req,
					TALLOC_CTX *mem_ctx,
					uint8_t *ret_authoritative,
					void **ret_user,
					DATA_BLOB *ret_nt_session_key,
					DATA_BLOB *ret_lm_session_key);
typedef NTSTATUS (*samba_session_fn)(struct auth4_context *auth,
				     TALLOC_CTX *mem_ctx, void *user,
				     const char *original_user_name,
				     uint32_t flags,
				     struct auth_session_info **ret_session);
typedef NTSTATUS (*samba_session_pac_fn)(
	struct auth4_context *auth, TALLOC_CTX *mem_ctx,
	struct smb_krb5_context *krb5, DATA_BLOB *pac, const char *principal,
	const struct tsocket_address *remote_address, uint32_t flags,
	struct auth_session_info **ret_session);

struct auth4_context {
	struct {
		const char *set_by;
		DATA_BLOB data;
	} challenge;
	struct auth_method_context *methods;
	struct tevent_context *event_ctx;
	struct imessaging_context *msg_ctx;
	struct loadparm_context *lp_ctx;
	struct ldb_context *sam_ctx;
	struct timeval start_time;
	void *private_data;
	struct smb_krb5_context *smb_krb5_context;
	samba_check_send_fn check_ntlm_password_send;
	samba_check_recv_fn check_ntlm_password_recv;
	NTSTATUS(*get_ntlm_challenge)
	(struct auth4_context *auth, uint8_t challenge[8]);
	NTSTATUS(*set_ntlm_challenge)
	(struct auth4_context *auth, const uint8_t challenge[8],
	 const char *set_by);
	samba_session_fn generate_session_info;
	samba_session_pac_fn generate_session_info_pac;
};

#endif
