/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/memory.h"

struct soap_share {
	struct soap_memory *memory;
	size_t taken;
};

/* The part of bytes that is not a share's own. */
static size_t counted(size_t bytes)
{
	return bytes > SOAP_MEMORY_OWN ? bytes - SOAP_MEMORY_OWN : 0;
}

static int share_destructor(struct soap_share *share)
{
	if (share->memory != NULL) {
		share->memory->used -= counted(share->taken);
	}
	return 0;
}

struct soap_share *soap_share_create(TALLOC_CTX *mem_ctx,
				     struct soap_memory *memory)
{
	struct soap_share *share = talloc_zero(mem_ctx, struct soap_share);

	if (share != NULL) {
		share->memory = memory;
		talloc_set_destructor(share, share_destructor);
	}
	return share;
}

bool soap_share_take(struct soap_share *share, size_t bytes)
{
	struct soap_memory *memory = share->memory;
	size_t more;

	if (bytes > SIZE_MAX - share->taken) {
		return false;
	}
	more = counted(share->taken + bytes) - counted(share->taken);
	if (memory != NULL) {
		if (more > memory->max - memory->used) {
			return false;
		}
		memory->used += more;
	}
	share->taken += bytes;
	return true;
}
