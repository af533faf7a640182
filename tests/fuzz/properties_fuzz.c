/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What clients have set of a channel, as its bytes come back from the store:
 * what is accepted is packed to bytes that mean the same.
 */

#include "rpc/properties.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check(TALLOC_CTX *mem_ctx, const struct rpc_properties *one)
{
	struct rpc_properties *other = NULL;
	struct buf packed;
	uint32_t i;

	buf_init(&packed, mem_ctx, RPC_PROPERTIES_PACKED_MAX);
	must(rpc_properties_pack(&packed, one) == EVERR_OK);
	must(rpc_properties_unpack(mem_ctx, packed.data, packed.len, &other) ==
	     EVERR_OK);
	for (i = 0; i < RPC_PROPERTIES; i++) {
		must(rpc_properties_same(one, other, i));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_properties *properties = NULL;
	TALLOC_CTX *ctx = talloc_new(NULL);

	if (rpc_properties_unpack(ctx, data, size, &properties) == EVERR_OK) {
		check(ctx, properties);
	}
	talloc_free(ctx);
	return 0;
}
