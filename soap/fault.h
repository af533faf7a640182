/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_FAULT_H
#define EVENLOG_SOAP_FAULT_H

/*
 * Faults as the WSUS services write them.  [MS-WSUSSS] 2.2.2.4, SOAP 1.1 4.4
 * and SOAP 1.2 part 1, 5.4.  Pure: no I/O, no clock.
 */

#include "soap/service.h"

enum soap_fault_code {
	SOAP_FAULT_CLIENT, /* 1.2: Sender */
	SOAP_FAULT_SERVER, /* 1.2: Receiver */
	SOAP_FAULT_VERSION_MISMATCH,
	SOAP_FAULT_MUST_UNDERSTAND
};

/* All but text may be NULL, and is then not written. */
struct soap_fault_values {
	enum soap_fault_code code;
	const char *text;	/* faultstring; Reason */
	const char *actor;	/* absolute URL of the service */
	const char *error_code; /* NULL: no detail at all */
	const char *message;
	const char *id;
	const char *method; /* the operation's action; is quoted */
};

/*
 * What happened, in a clause for an administrator; a child of mem_ctx, or one
 * of the values, or constant.
 */
const char *soap_fault_describe(TALLOC_CTX *mem_ctx,
				const struct soap_fault_values *values);

/* Append the whole document; the buffer's error tells of failure. */
void soap_fault_write(struct buf *out, enum soap_version version,
		      const struct soap_fault_values *values);

#endif
