/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_TIME_H
#define EVENLOG_EVENT_FILTER_TIME_H

/*
 * What a filter says about TimeCreated: bounds outside of which it can be
 * true of no event, so that blocks of events are passed unread.
 */

#include "event/filter_compare.h"
#include "event/xpath.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether it says anything; fields as in struct filter_eval. */
bool filter_says_time(const struct xpath *xpath, const uint8_t *fields);

/* The bounds, both included; min > max: it is never true. */
void filter_time_range(const struct xpath *xpath,
		       const struct filter_literal *literals,
		       const uint8_t *fields, uint64_t now, uint64_t *ret_min,
		       uint64_t *ret_max);

#endif
