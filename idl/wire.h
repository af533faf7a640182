/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_IDL_WIRE_H
#define EVENLOG_IDL_WIRE_H

/*
 * What generated marshalling code needs beyond libndr.  Network input is
 * hostile: nothing here allocates more than the received bytes can justify.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ndr.h>

/* A UTF-8 string as a conformant varying array of UTF-16, with its NUL. */
enum ndr_err_code idl_push_string(struct ndr_push *ndr, const char *s);

/*
 * The reverse.  *ret_s is a talloc child of the current memory context.
 *
 * NDR_ERR_RANGE       the maximum or actual count (NUL included) lies outside
 *                     low..high
 * NDR_ERR_ARRAY_SIZE  the counts contradict each other, or no NUL at the end
 * NDR_ERR_CHARCNV     not valid UTF-16
 * NDR_ERR_BUFSIZE, NDR_ERR_ALLOC
 */
enum ndr_err_code idl_pull_string(struct ndr_pull *ndr, uint32_t low,
				  uint32_t high, const char **ret_s);

/*
 * The maximum count of a conformant array whose elements take at least
 * element_size bytes.  NDR_ERR_BUFSIZE: the input cannot hold that many.
 */
enum ndr_err_code idl_pull_count(struct ndr_pull *ndr, uint32_t element_size,
				 uint32_t *ret_count);

/* NDR_ERR_RANGE unless low <= value <= high. */
static inline enum ndr_err_code idl_check_range(uint32_t value, uint32_t low,
						uint32_t high)
{
	return value < low || value > high ? NDR_ERR_RANGE : NDR_ERR_SUCCESS;
}

/* NDR_ERR_ARRAY_SIZE unless an array has as many elements as size_is says. */
static inline enum ndr_err_code idl_check_count(uint32_t count, uint32_t size)
{
	return count != size ? NDR_ERR_ARRAY_SIZE : NDR_ERR_SUCCESS;
}

/* NDR_ERR_INVALID_POINTER: a [ref] pointer that our side left NULL. */
static inline enum ndr_err_code idl_check_ref(const void *p)
{
	return p == NULL ? NDR_ERR_INVALID_POINTER : NDR_ERR_SUCCESS;
}

/*
 * Whether the pull allocates what a [ref] pointer points to: the server wants
 * that always, a client that left the pointer NULL wants it too.
 */
static inline bool idl_needs_memory(const struct ndr_pull *ndr, const void *p)
{
	return p == NULL || (ndr->flags & LIBNDR_FLAG_REF_ALLOC) != 0;
}

#endif
