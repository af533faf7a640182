/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_TICKET_H
#define EVENLOG_COLLECT_TICKET_H

/*
 * Kerberos tickets without blocking the loop: a helper program
 * (evenlog-ticket, on MIT's libkrb5) takes a keytab, or a credential cache,
 * and writes the ticket for host/NAME into a FILE cache of its own.  It is
 * started without fork() of this process's memory (threads, LMDB), and killed
 * when it takes too long; a KDC that is dead keeps one helper waiting, and
 * nobody else.
 *
 * Helper, for tests and by hand:
 *   evenlog-ticket --host NAME --out FILE
 *                  (--keytab FILE [--principal NAME] | --ccache NAME)
 * Exit status 0, and one line on stdout: when the ticket ends (seconds since
 * 1970, by this host's clock) and the principal it is for.  Else one line on
 * stderr that says what failed and what to do; status 1: refused, 2: no KDC
 * answers, 3: a fault on this side, such as a file that cannot be written.
 */

#include "base/everr.h"
#include "collect/failure.h"

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Seconds for the KDC's answers, all of them together. */
#define COLLECT_TICKET_TIMEOUT 30

struct collect_ticket_request {
	const char *helper; /* path of the program */
	const char *host;   /* ticket for host/HOST */
	const char *keytab; /* NULL: from ccache */
	const char *principal;
	const char *ccache;
	const char *out; /* path of the cache to write, replaced whole */
};

/* Strings are copied.  Freeing the request kills the helper. */
struct tevent_req *collect_ticket_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	const struct collect_ticket_request *request);

struct collect_ticket {
	uint64_t end;	       /* FILETIME */
	const char *principal; /* "host/NAME@REALM" */
};

/*
 * EVERR_AUTH     the KDC refused, there is no key, no such host
 * EVERR_TIMEOUT  no KDC answers
 * EVERR_IO       the helper cannot be run, or cannot write the cache
 */
everr_t collect_ticket_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    struct collect_ticket **ret_ticket,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

#endif
