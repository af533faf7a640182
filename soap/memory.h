/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_MEMORY_H
#define EVENLOG_SOAP_MEMORY_H

/*
 * Memory that many requests take together: each has a limit of its own, but
 * thousands of them at their limit would be more than a machine has.  A little
 * is each one's own and not counted, so that small requests are served however
 * much the large ones take.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Bytes that each share has beside what is counted. */
#define SOAP_MEMORY_OWN (64 * 1024)

/* Stays as long as there are shares of it. */
struct soap_memory {
	size_t max;  /* bytes of all shares together */
	size_t used; /* now */
};

struct soap_share;

/*
 * What one of them takes; nothing at first.  Freeing it gives all back.
 * memory NULL: there is no limit.  NULL: no memory.
 */
struct soap_share *soap_share_create(TALLOC_CTX *mem_ctx,
				     struct soap_memory *memory);

/* So many bytes more.  False, and nothing changes: others have them. */
bool soap_share_take(struct soap_share *share, size_t bytes);

#endif
