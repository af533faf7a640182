/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_KEEPALIVE_H
#define EVENLOG_COLLECT_KEEPALIVE_H

/*
 * A call that parks for hours on a connection whose peer has vanished without
 * a word would park for ever.  libdcerpc sets no keepalive and hands out no
 * descriptor, so the socket is found by whom it is connected to.
 */

#include <stddef.h>
#include <stdint.h>

/* Seconds until a peer that does not answer counts as gone, at most. */
#define COLLECT_KEEPALIVE_IDLE 60
#define COLLECT_KEEPALIVE_INTERVAL 10
#define COLLECT_KEEPALIVE_COUNT 6

/*
 * Set keepalive on the socket of a stream of Samba's (struct tstream_context),
 * which is connected to address (text, as getnameinfo() writes it) and port.
 * Where it does not show its descriptor, on every TCP connection of this
 * process to them, for which all descriptors are looked at: 3 microseconds
 * each.  Returns how many there were.
 */
size_t collect_keepalive(const void *stream, const char *address,
			 uint16_t port);

#endif
