/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CONTENT_TYPE_H
#define EVENLOG_SOAP_CONTENT_TYPE_H

/* The Content-Type field.  RFC 9110 8.3. */

#include <stdbool.h>
#include <talloc.h>

/* Whether value's media type is this one, whatever its parameters. */
bool content_type_is(const char *value, const char *type);

/*
 * A parameter's value, unquoted; child of mem_ctx.  NULL: there is none, or
 * it is not well-formed, or no memory.
 */
char *content_type_parameter(TALLOC_CTX *mem_ctx, const char *value,
			     const char *name);

#endif
