/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_COLLECT_FAKE_SERVICE_H
#define EVENLOG_TESTS_COLLECT_FAKE_SERVICE_H

/*
 * A service of [MS-EVEN6] without a network, for what no real one answers:
 * the test fills in the reply of each call, which is marshalled as it is.
 */

#include "collect/connect.h"
#include "idl/ndr_even6.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <talloc.h>
#include <tevent.h>

struct fake_service;

/*
 * r is the call's structure, its requests filled in, its results zeroed and
 * allocated; memory for them hangs on r.  A status that is not OK is the
 * transport's; with NT_STATUS_PENDING the call parks, and is asked for again by
 * fake_service_wake().
 */
typedef NTSTATUS (*fake_answer_fn)(struct fake_service *service, uint32_t opnum,
				   void *r);

struct fake_service {
	fake_answer_fn answer;
	void *private_data;
	uint32_t calls[64]; /* by opnum */
	uint32_t in_flight;
	uint32_t max_in_flight;
	uint32_t cut_opnum; /* whose replies lack their last bytes */
	uint32_t cut;	    /* so many; 0: none */
	bool dead;	    /* the connection is gone by the time of a reply */
	TAILQ_HEAD(, fake_call) parked;
};

/* Answer what is parked, as far as it can be answered now. */
void fake_service_wake(struct fake_service *service);

/* A connection to it, its talloc child. */
struct fake_service *fake_service_create(
	TALLOC_CTX *mem_ctx, fake_answer_fn answer, void *private_data,
	struct collect_connection **ret_connection);

#endif
