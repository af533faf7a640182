/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_SAMBA_H
#define EVENLOG_COLLECT_SAMBA_H

/*
 * What this room uses of Samba 4.17 beyond its installed headers:
 * composite_continue() of the private libsamba-sockets, which
 * m4/evl_dep_samba.m4 looks for.
 */

struct composite_context;

/*
 * Call fn when request is done.  ctx is where Samba reports a request that is
 * NULL; ours never is.  The structure is private, so fn finds its state as
 * the request's talloc parent.
 */
void composite_continue(struct composite_context *ctx,
			struct composite_context *request,
			void (*fn)(struct composite_context *),
			void *private_data);

#endif
