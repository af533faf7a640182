/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_FILTER_ORDER_H
#define EVENLOG_EVENT_FILTER_ORDER_H

/*
 * What of a filter is looked at first: conditions that the event's header
 * answers, then the rest of System, then the event's data.  The result is the
 * same in any order.
 */

#include "event/xpath.h"

#include <stdint.h>

/*
 * Put the operands of every "and" and "or" in that order; otherwise they stay
 * as they are written.  fields as in struct filter_eval.  EVERR_NOMEM
 */
everr_t filter_order(struct xpath *xpath,
		     const uint8_t *fields) EVERR_MUST_CHECK;

#endif
