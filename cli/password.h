/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_PASSWORD_H
#define EVENLOG_CLI_PASSWORD_H

/*
 * A password from a file, the environment or a person; never from the command
 * line, which everyone on the host can read.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <talloc.h>

/* Bytes; a longer one is refused, never cut. */
#define CLI_PASSWORD_MAX 1024

/*
 * The first line of file, if one is named ("-": stdin); else the variable
 * EVENLOG_PASSWORD; else what is typed at the terminal without echo.  The text
 * is wiped when it is freed.  What goes wrong has been said.
 */
everr_t cli_password(TALLOC_CTX *mem_ctx, const char *file, const char *prompt,
		     char **ret_password) EVERR_MUST_CHECK;

/* Whether cli_password() would ask a person. */
bool cli_password_is_typed(const char *file);

#endif
