/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_FOLD_H
#define EVENLOG_EVENT_FILTER_FOLD_H

/*
 * What is known of predicates before there is an event: Data[@Name='X'] asks
 * a template for an attribute whose text stands in it, so that of thirty Data
 * elements one is left.
 */

#include "event/filter_level.h"

#include <stdbool.h>
#include <stdint.h>

/* Fewer items than this are looked at one by one. */
#define FILTER_FOLD_MIN 3

/* Whether it is worth asking for a step. */
bool filter_fold_is_useful(const struct xpath *xpath, uint32_t step);

/*
 * The items of a range for which the step's predicates may be true, from now
 * on kept with the plan, which is one of the reader's cache; NULL: an error,
 * which the reader has.
 */
const struct filter_kept *filter_fold(struct filter_reader *reader,
				      const struct filter_literal *literals,
				      struct filter_level *level, uint32_t step,
				      uint32_t range);

#endif
