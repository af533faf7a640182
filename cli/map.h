/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_MAP_H
#define EVENLOG_CLI_MAP_H

/*
 * A file in memory, for reading.  What somebody cuts off it meanwhile reads as
 * zeros, where others would be ended by SIGBUS.  One file at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct cli_map {
	const uint8_t *data;
	size_t size;
};

/*
 * Map a regular file; it is unmapped with its talloc parent.  NULL: errno says
 * why; EINVAL, if it is no regular file.
 */
struct cli_map *cli_map_file(TALLOC_CTX *mem_ctx, const char *path);

/* Whether something was read that was no longer there. */
bool cli_map_was_cut(void);

#endif
