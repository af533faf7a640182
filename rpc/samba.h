/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SAMBA_H
#define EVENLOG_RPC_SAMBA_H

/*
 * Symbols of Samba 4.17 that its installed headers do not declare, all in one
 * place.  The public libraries (smbconf, samba-hostconfig, samba-util,
 * dcerpc-server) keep them under a stable version; the others are private to
 * one upstream release, and configure probes each of them by a link test.
 */

#include <stdbool.h>
#include <stdint.h>
/* Samba's headers expect the two above. */
#include <core/ntstatus.h>
#include <core/werror.h>
#include <talloc.h>
#include <tevent.h>
/* Samba's other headers expect these to be there already. */
#include <util/data_blob.h>
#include <util/time.h>

struct auth_session_info;
struct dcesrv_call_state;
struct dom_sid;
struct gensec_security;
struct loadparm_context;
struct loadparm_s3_helpers;
struct memcache;
struct messaging_context;
struct security_descriptor;
struct security_token;

/* --- RPC-SERVER-LOOP: what smbd's own RPC servers hang into the core */

/* A GENSEC context with Samba's source3 authentication behind it. */
NTSTATUS dcesrv_auth_gensec_prepare(TALLOC_CTX *mem_ctx,
				    struct dcesrv_call_state *call,
				    struct gensec_security **out,
				    void *private_data);
/* The association group that a bind names, or a new one. */
NTSTATUS dcesrv_assoc_group_find(struct dcesrv_call_state *call,
				 void *private_data);

/* --- auth: sessions that exist before anybody has logged on */

/* Guest and anonymous; the latter is copied out by the third function. */
bool init_guest_session_info(TALLOC_CTX *mem_ctx);
NTSTATUS init_system_session_info(TALLOC_CTX *mem_ctx);
NTSTATUS make_session_info_anonymous(TALLOC_CTX *mem_ctx,
				     struct auth_session_info **session_info);

/* --- secrets3: the machine's own SIDs, in secrets.tdb */

bool secrets_init(void);
bool secrets_fetch_domain_sid(const char *domain, struct dom_sid *sid);
bool secrets_store_domain_sid(const char *domain, const struct dom_sid *sid);

/* --- smbd-shim: no-ops outside smbd; the core calls them unconditionally */

void become_root(void);
void unbecome_root(void);

/* --- smbconf, samba-hostconfig, samba-util: configuration and the loop */

/*
 * After a logon Samba reads the file of get_dyn_CONFIGFILE() again, so this
 * has to name ours or the host's own smb.conf would take over.
 */
const char *set_dyn_CONFIGFILE(const char *file);
bool lp_load_global(const char *file);
const char *lp_netbios_name(void);
const char *lp_workgroup(void);
int lp_server_role(void);
struct loadparm_context *loadparm_init_s3(
	TALLOC_CTX *mem_ctx, const struct loadparm_s3_helpers *helpers);
const struct loadparm_s3_helpers *loadparm_s3_helpers(void);
/* Messaging lives on this loop and cannot be given another. */
struct tevent_context *global_event_context(void);
struct messaging_context *global_messaging_context(void);
/*
 * Samba copies each account it looks up into a global cache, and forgets to
 * free the copy where there is no such cache.
 */
struct memcache *memcache_init(TALLOC_CTX *mem_ctx, size_t max_size);
void memcache_set_global(struct memcache *cache);
/* cache NULL: the global one; number: SAMBA_SINGLETON_CACHE.  Copies both. */
void memcache_add(struct memcache *cache, int number, DATA_BLOB key,
		  DATA_BLOB value);
/* Samba takes temporary memory from the innermost frame. */
TALLOC_CTX *_talloc_stackframe(const char *location);

/* The cache of facts of which there is one, lib/util/memcache.h. */
#define SAMBA_SINGLETON_CACHE 7

/* lp_server_role(). */
#define SAMBA_ROLE_DOMAIN_MEMBER 1

/* --- samba-security: SIDs, security descriptors and the check of access */

bool dom_sid_parse(const char *text, struct dom_sid *ret);
bool dom_sid_equal(const struct dom_sid *a, const struct dom_sid *b);
NTSTATUS add_sid_to_array_unique(TALLOC_CTX *mem_ctx, const struct dom_sid *sid,
				 struct dom_sid **sids, uint32_t *num_sids);
struct security_descriptor *sddl_decode(TALLOC_CTX *mem_ctx, const char *sddl,
					const struct dom_sid *domain_sid);
NTSTATUS se_access_check(const struct security_descriptor *sd,
			 const struct security_token *token,
			 uint32_t access_desired, uint32_t *access_granted);

/* Who a session stands for; the values between are of no use here. */
enum security_user_level {
	SECURITY_ANONYMOUS = 0,
	SECURITY_USER = 10,
	SECURITY_SYSTEM = 50
};
enum security_user_level security_session_user_level(
	struct auth_session_info *session, const struct dom_sid *domain_sid);

/* --- dcerpc-server: Samba's endpoint mapper, over the context's endpoints */

NTSTATUS dcerpc_server_epmapper_init(TALLOC_CTX *mem_ctx);

/* --- gensec: mechanisms */

/* A client has to call it once, or it knows none. */
NTSTATUS gensec_init(void);
/* The mechanism in the end, also of SPNEGO: "krb5" or "NTLMSSP". */
const char *gensec_final_auth_type(struct gensec_security *gensec);

#endif
