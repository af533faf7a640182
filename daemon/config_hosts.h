/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_CONFIG_HOSTS_H
#define EVENLOG_DAEMON_CONFIG_HOSTS_H

/*
 * Inside the configuration: names of remote hosts as an administrator writes
 * them, one by one, in a list, or in a file with one in each line.
 */

#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* "must be ..." of a host that is none, for messages. */
#define CONFIG_HOST_ALLOWED                                                   \
	"must be a name or an address, with or without a port: dc1.example, " \
	"dc1.example:5000, 192.0.2.1, [2001:db8::1]:5000"

/*
 * NAME, ADDRESS, NAME:PORT, IPV4:PORT or [IPV6]:PORT, blanks around it aside.
 * A final dot of a name is taken off.  *ret_port stays as it is when text has
 * none.
 *
 * EVERR_INVALID  none of these; EVERR_NOMEM
 */
everr_t config_host_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			  const char **ret_host,
			  uint16_t *ret_port) EVERR_MUST_CHECK;

struct config_host {
	const char *host; /* NULL: the line is no host */
	uint16_t port;	  /* 0: not said */
	uint32_t line;
};

/*
 * A list of hosts: one in each line, # begins a comment, a UTF-8 byte order mark
 * is passed over.  The names are talloc children of *ret_hosts.
 *
 * EVERR_LIMIT  more than max
 * EVERR_NOMEM
 */
everr_t config_hosts_parse(TALLOC_CTX *mem_ctx, const char *text, size_t max,
			   struct config_host **ret_hosts,
			   size_t *ret_num) EVERR_MUST_CHECK;

#endif
