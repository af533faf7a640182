/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unmarshalling of any call, as the server does it with requests and clients
 * with replies.  What can be read must print, and marshal to bytes that read
 * back the same.
 *
 * Input: interface, opnum, flags (1 reply, 2 NDR64, 4 without REF_ALLOC), stub.
 */

#include "idl/ndr_control.h"
#include "idl/ndr_even6.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 3
#define FLAG_OUT 1
#define FLAG_NDR64 2
#define FLAG_BARE 4

struct stub {
	const struct ndr_interface_call *call;
	int direction;
	uint32_t flags; /* LIBNDR_FLAG_* */
};

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

static const struct ndr_interface_table *choose_table(uint8_t choice)
{
	return choice % 2 == 0 ? &ndr_table_even6 : &ndr_table_control;
}

/* A client's request stands in the structure when its reply is read. */
static void *prepare(TALLOC_CTX *mem_ctx, const struct stub *s)
{
	void *r = talloc_zero_size(mem_ctx, s->call->struct_size);

	must(r != NULL);
	if (s->call == &ndr_table_even6.calls[NDR_EVEN6_EVTRPCGETLOGFILEINFO]) {
		struct even6_EvtRpcGetLogFileInfo *info = r;

		info->in.propertyValueBufferSize = EVEN6_LOG_PROPERTY_SIZE;
	}
	return r;
}

static bool pull(TALLOC_CTX *mem_ctx, const struct stub *s,
		 const DATA_BLOB *blob, void *r)
{
	struct ndr_pull *ndr = ndr_pull_init_blob(blob, mem_ctx);

	must(ndr != NULL);
	ndr->flags |= s->flags;
	return s->call->ndr_pull(ndr, s->direction, r) == NDR_ERR_SUCCESS;
}

static DATA_BLOB push(TALLOC_CTX *mem_ctx, const struct stub *s, const void *r)
{
	struct ndr_push *ndr = ndr_push_init_ctx(mem_ctx);

	must(ndr != NULL);
	ndr->flags |= s->flags & LIBNDR_FLAG_NDR64;
	must(s->call->ndr_push(ndr, s->direction, r) == NDR_ERR_SUCCESS);
	return ndr_push_blob(ndr);
}

static void check(TALLOC_CTX *mem_ctx, const struct stub *s, void *r)
{
	DATA_BLOB first = {};
	DATA_BLOB second = {};
	void *again = NULL;

	must(ndr_print_function_string(mem_ctx, s->call->ndr_print, "fuzz",
				       s->direction, r) != NULL);
	first = push(mem_ctx, s, r);
	again = prepare(mem_ctx, s);
	must(pull(mem_ctx, s, &first, again));
	second = push(mem_ctx, s, again);
	must(data_blob_cmp(&first, &second) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ndr_interface_table *table = NULL;
	TALLOC_CTX *mem_ctx = NULL;
	struct stub s = {};
	DATA_BLOB blob = {};
	void *r = NULL;

	if (size < HEADER) {
		return 0;
	}
	mem_ctx = talloc_new(NULL);
	must(mem_ctx != NULL);
	table = choose_table(data[0]);
	s.call = &table->calls[data[1] % table->num_calls];
	s.direction = data[2] & FLAG_OUT ? NDR_OUT : NDR_IN;
	s.flags = data[2] & FLAG_NDR64 ? LIBNDR_FLAG_NDR64 : 0;
	s.flags |= data[2] & FLAG_BARE ? 0 : LIBNDR_FLAG_REF_ALLOC;
	blob = data_blob_const(data + HEADER, size - HEADER);

	r = prepare(mem_ctx, &s);
	if (pull(mem_ctx, &s, &blob, r)) {
		check(mem_ctx, &s, r);
	}
	talloc_free(mem_ctx);
	return 0;
}
