/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/sddl.h"

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

	if (!dom_sid_parse("S-1-5-21-1-2-3", &domain)) {
		return false;
	}
	err = rpc_sddl_parse(NULL, sddl, &domain, &sd);
	TALLOC_FREE(sd);
	return err == EVERR_OK;
}
