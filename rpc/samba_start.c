/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/samba_start.h"

#include "rpc/samba.h"
#include "rpc/samba_log.h"
#include "rpc/winbind.h"

#include <gen_ndr/security.h>
#include <machine_sid.h>
#include <nss.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <util/debug.h>
#include <wbclient.h>

/* Bytes of accounts that Samba keeps at hand. */
#define CACHE_SIZE (256 * 1024)

TALLOC_CTX *rpc_samba_frame(void)
{
	return _talloc_stackframe(__FILE__);
}

static DATA_BLOB text_blob(char *text)
{
	return (DATA_BLOB){.data = (uint8_t *)text, .length = strlen(text) + 1};
}

/*
 * At each NTLM logon Samba asks the resolver for this host's full name, until
 * it has had an answer once; a host whose name does not resolve would hold up
 * the loop for seconds each time.  The name only adorns the challenge, so what
 * the kernel calls us will do.
 */
static void start_host_name(void)
{
	char key[] = "get_mydnsfullname";
	char name[HOST_NAME_MAX + 1] = "";

	if (gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0') {
		memcache_add(NULL, SAMBA_SINGLETON_CACHE, text_blob(key),
			     text_blob(name));
	}
}

/*
 * Samba asks the name service in many places, and the name service may ask
 * winbindd, which may wait for a domain controller.  On a member it knows
 * this host's own users only; the domain's are asked for aside from the loop.
 */
static void start_name_service(void)
{
	if (lp_server_role() != SAMBA_ROLE_DOMAIN_MEMBER) {
		return;
	}
	(void)__nss_configure_lookup("passwd", "files");
	(void)__nss_configure_lookup("group", "files");
}

/* What winbindd says is the SID of a domain; this host is one, too. */
static bool winbind_domain_sid(const char *domain, struct dom_sid *ret_sid)
{
	struct wbcDomainInfo *info = NULL;
	wbcErr ret;

	ret = wbcDomainInfo(domain, &info);
	if (!WBC_ERROR_IS_OK(ret)) {
		return false;
	}
	*ret_sid = rpc_winbind_sid(&info->sid);
	wbcFreeMemory(info);
	return true;
}

/*
 * Joining left the SIDs in the host's secrets.tdb, which is root's.  The host
 * may have joined another domain since the last start, so winbindd is asked
 * each time; while it does not run yet, the last answer holds.
 */
static everr_t start_member(TALLOC_CTX *mem_ctx, char **ret_message)
{
	struct dom_sid sid;
	bool ok = true;

	if (!secrets_fetch_domain_sid(lp_netbios_name(), &sid) &&
	    winbind_domain_sid(lp_netbios_name(), &sid)) {
		ok = secrets_store_domain_sid(lp_netbios_name(), &sid);
	}
	if (winbind_domain_sid(lp_workgroup(), &sid)) {
		ok = ok && secrets_store_domain_sid(lp_workgroup(), &sid);
	} else if (!secrets_fetch_domain_sid(lp_workgroup(), &sid)) {
		*ret_message = talloc_asprintf(
			mem_ctx,
			"winbindd does not tell the SID of the domain %s: does "
			"it run, and has this host joined (wbinfo -D %s)?",
			lp_workgroup(), lp_workgroup());
		return EVERR_CONFIG;
	}
	if (!ok) {
		*ret_message = talloc_strdup(
			mem_ctx, "cannot write Samba's secrets.tdb");
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

/*
 * secrets.tdb of a first start is empty.  get_global_sam_sid() makes up the
 * machine's SID, but nothing makes the domain's, without which Samba builds
 * neither the guest's nor the anonymous session and every accept fails.  In a
 * standalone server they are the same.
 */
static everr_t start_identity(TALLOC_CTX *mem_ctx, char **ret_message)
{
	struct dom_sid domain_sid;

	if (!secrets_init()) {
		*ret_message = talloc_strdup(
			mem_ctx, "cannot open Samba's secrets.tdb: is the "
				 "private dir of the Samba configuration "
				 "there and ours?");
		return EVERR_CONFIG;
	}
	if (lp_server_role() == SAMBA_ROLE_DOMAIN_MEMBER) {
		return start_member(mem_ctx, ret_message);
	}
	if (secrets_fetch_domain_sid(lp_workgroup(), &domain_sid)) {
		return EVERR_OK;
	}
	if (!secrets_store_domain_sid(lp_workgroup(), get_global_sam_sid())) {
		*ret_message = talloc_strdup(
			mem_ctx, "cannot write Samba's secrets.tdb");
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

everr_t rpc_samba_start(TALLOC_CTX *mem_ctx, const char *program,
			const char *smb_conf, char **ret_message)
{
	TALLOC_CTX *frame = rpc_samba_frame();
	everr_t err;

	/* Samba only says whether it could; say at least which file. */
	if (access(smb_conf, R_OK) == -1) {
		*ret_message = talloc_asprintf(
			mem_ctx, "cannot read the Samba configuration %s",
			smb_conf);
		TALLOC_FREE(frame);
		return EVERR_CONFIG;
	}

	memcache_set_global(memcache_init(NULL, CACHE_SIZE));
	start_host_name();
	setup_logging(program, DEBUG_DEFAULT_STDERR);
	rpc_samba_log_start(program);
	set_dyn_CONFIGFILE(smb_conf);
	if (!lp_load_global(smb_conf)) {
		*ret_message = talloc_asprintf(
			mem_ctx,
			"Samba does not accept its configuration %s: "
			"see testparm -s %s",
			smb_conf, smb_conf);
		TALLOC_FREE(frame);
		return EVERR_CONFIG;
	}
	start_name_service();
	err = start_identity(mem_ctx, ret_message);
	TALLOC_FREE(frame);
	return err;
}
