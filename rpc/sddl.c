/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/sddl.h"

#include "base/text.h"
#include "rpc/samba.h"

#include <gen_ndr/security.h>

everr_t rpc_sddl_parse(TALLOC_CTX *mem_ctx, const char *sddl,
		       const struct dom_sid *domain,
		       struct security_descriptor **ret_sd)
{
	struct security_descriptor *sd = NULL;

	sd = sddl_decode(mem_ctx, sddl, domain);
	if (sd == NULL) {
		return EVERR_CONFIG;
	}
	if (sd->dacl == NULL) {
		TALLOC_FREE(sd);
		return EVERR_CONFIG;
	}
	*ret_sd = sd;
	return EVERR_OK;
}

bool rpc_sddl_valid(const char *sddl)
{
	struct security_descriptor *sd = NULL;
	struct dom_sid domain;
	everr_t err;

	if (strlen(sddl) > RPC_SDDL_MAX) {
		return false;
	}
	if (!dom_sid_parse("S-1-5-21-1-2-3", &domain)) {
		return false;
	}
	err = rpc_sddl_parse(NULL, sddl, &domain, &sd);
	TALLOC_FREE(sd);
	return err == EVERR_OK;
}

/* facts 12.2: what Windows gives its own logs, and everything else. */
static const struct {
	const char *channel;
	const char *sddl;
} default_sddl[] = {
	{"Application",
	 "O:BAG:SYD:(A;;0xf0007;;;SY)(A;;0x7;;;BA)(A;;0x7;;;SO)(A;;0x3;;;IU)"
	 "(A;;0x3;;;SU)(A;;0x3;;;S-1-5-3)(A;;0x3;;;S-1-5-33)"
	 "(A;;0x1;;;S-1-5-32-573)"},
	{"System",
	 "O:BAG:SYD:(A;;0xf0007;;;SY)(A;;0x7;;;BA)(A;;0x3;;;BO)(A;;0x5;;;SO)"
	 "(A;;0x1;;;IU)(A;;0x3;;;SU)(A;;0x1;;;S-1-5-3)(A;;0x2;;;S-1-5-33)"
	 "(A;;0x1;;;S-1-5-32-573)"},
};
static const char fallback_sddl[] =
	"O:BAG:SYD:(A;;0xf0005;;;SY)(A;;0x5;;;BA)(A;;0x1;;;S-1-5-32-573)";

const char *rpc_sddl_default(const char *channel)
{
	size_t i;

	for (i = 0; i < sizeof(default_sddl) / sizeof(default_sddl[0]); i++) {
		if (text_name_equal(channel, default_sddl[i].channel)) {
			return default_sddl[i].sddl;
		}
	}
	return fallback_sddl;
}
