/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_IDL_CASES_H
#define EVENLOG_TESTS_IDL_CASES_H

/*
 * One filled request and reply for every call of every interface, and some
 * more for the shapes a call can take (NULL, empty).
 */

#include <ndr.h>
#include <stdbool.h>
#include <talloc.h>

struct ndr_case {
	const char *name;
	const struct ndr_interface_table *table;
	uint32_t opnum;
	int flags; /* NDR_IN or NDR_OUT */
	void (*fill)(TALLOC_CTX *mem_ctx, void *r);
};

extern const struct ndr_case ndr_cases[];
extern const size_t ndr_num_cases;

/*
 * For a group's setup: let Samba's libraries make their character conversions
 * and debug classes, which they keep for ever and the leak check would count.
 */
int ndr_case_setup(void **state);

/* The call's structure, zeroed and filled; fails the test without memory. */
void *ndr_case_make(TALLOC_CTX *mem_ctx, const struct ndr_case *c);

/* Bytes of a structure; extra is 0 or LIBNDR_FLAG_NDR64. */
enum ndr_err_code ndr_case_push(TALLOC_CTX *mem_ctx, const struct ndr_case *c,
				uint32_t extra, const void *r,
				DATA_BLOB *ret_blob);

/*
 * The structure of some bytes, allocated as a server or client would.  in is
 * the request that an NDR_OUT pull belongs to, else NULL.
 */
enum ndr_err_code ndr_case_pull(TALLOC_CTX *mem_ctx, const struct ndr_case *c,
				uint32_t extra, const DATA_BLOB *blob,
				const void *in, void **ret_r);

/* What libndr prints of a structure. */
char *ndr_case_print(TALLOC_CTX *mem_ctx, const struct ndr_case *c, void *r);

/* Bytes as hex, without blanks, for messages and comparison. */
char *hex(TALLOC_CTX *mem_ctx, const DATA_BLOB *blob);

#endif
