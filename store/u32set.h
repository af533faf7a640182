/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_U32SET_H
#define EVENLOG_STORE_U32SET_H

/*
 * A set of numbers that keeps the order in which they came: the templates of
 * a block.  Plain malloc, for the writer thread.
 */

#include <stdbool.h>
#include <stdint.h>

struct u32set {
	uint32_t *items; /* num of them, in order of insertion */
	uint32_t num;
	uint32_t size;	 /* allocated items */
	uint32_t *slots; /* index into items + 1, 0 is free */
	uint32_t mask;	 /* slots - 1; 0 while there are none */
};

/* An all-zero set is empty and valid. */
void u32set_free(struct u32set *set);

/* Make it empty; keeps its memory. */
void u32set_clear(struct u32set *set);

/*
 * Add v; *ret_new tells whether it was missing.  False: out of memory, the
 * set is as before.
 */
bool u32set_add(struct u32set *set, uint32_t v, bool *ret_new)
	__attribute__((warn_unused_result));

#endif
