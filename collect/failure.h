/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_FAILURE_H
#define EVENLOG_COLLECT_FAILURE_H

/*
 * Why a call to another event log service failed, kept whole: our error for
 * the program, the peer's numbers for the protocol, a sentence for a person.
 */

#include "base/everr.h"

#include <core/ntstatus.h>
#include <core/werror.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLLECT_FAILURE_TEXT 512

struct collect_failure {
	everr_t err;	 /* EVERR_OK: nothing failed */
	uint32_t win32;	 /* what the method returned, or 0 */
	uint32_t status; /* NTSTATUS of what broke below the method, or 0 */
	/* RpcInfo of the methods that have one, [MS-EVEN6] 2.2.1, else 0. */
	uint32_t sub_error;
	uint32_t sub_param;
	/*
	 * An answer came whole, but what is in it cannot be: it speaks of that
	 * call alone, and the connection is as good as before.
	 */
	bool malformed;
	/* What happened, where, what to do; no full stop, one line, UTF-8. */
	char text[COLLECT_FAILURE_TEXT];
};

/* The error a Win32 code of an event log service stands for. */
everr_t collect_everr_from_win32(uint32_t win32);

/* The error of a call that broke below the method: transport, fault, NDR. */
everr_t collect_everr_from_status(NTSTATUS status);

/* A sentence about a Win32 code; the number stands in it. Never NULL. */
const char *collect_win32_text(uint32_t win32, char *text, size_t size);

/*
 * Fill in *failure.  what names the operation ("subscribe to Application"),
 * where the peer ("dc1.example.org").  Returns failure->err.
 */
everr_t collect_failure_win32(struct collect_failure *failure,
			      const char *where, const char *what,
			      uint32_t win32);
everr_t collect_failure_status(struct collect_failure *failure,
			       const char *where, const char *what,
			       NTSTATUS status);
everr_t collect_failure_set(struct collect_failure *failure, everr_t err,
			    const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* RPC_S_INVALID_BOUND in one of its forms: the answer is too large. */
bool collect_failure_is_bound(const struct collect_failure *failure);

/*
 * Whether a status is one of an answer that cannot be decoded (or a request:
 * the host faults with it then), if the connection is still there.
 */
bool collect_status_is_malformed(NTSTATUS status);

/* Whether the connection is no good any more, rather than the one call. */
bool collect_failure_is_connection(const struct collect_failure *failure);

/*
 * The text without the host that it begins with, for a place that names the
 * host already.  Lives as long as failure.
 */
const char *collect_failure_reason(const struct collect_failure *failure,
				   const char *host);

#endif
