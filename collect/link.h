/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_LINK_H
#define EVENLOG_COLLECT_LINK_H

/*
 * A connection to one host that is kept up for ever: ticket, name, connect,
 * logon; when it breaks, again after a back-off.  Nothing of it blocks the
 * loop: names are asked for in a thread, tickets by a helper program into a
 * credential cache of their own, so that Samba's Kerberos has no need of the
 * network (Debian's Samba would run a nested loop for it).
 *
 * Passwords are read for each attempt and kept no longer than it lasts.
 */

#include "base/everr.h"
#include "collect/config.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* First wait after a failure, milliseconds; grows to config->backoff_max. */
#define COLLECT_BACKOFF_MIN 1000
/*
 * A connection that did not last so long counts as one more failed attempt,
 * milliseconds: who accepts and hangs up is not asked without end.
 */
#define COLLECT_LINK_STABLE 10000

/*
 * What all links of a process share: Samba's parameters (which are large), the
 * number of attempts at a time, the tickets.
 */
struct collect_links;

/*
 * Freed after the last link.  config is copied as far as it is needed; without
 * ticket_helper or ticket_directory there is no Kerberos.  The directory is
 * made, and must be ours alone, when a ticket is asked for: where it cannot be
 * used, attempts with Kerberos fail and say so.
 */
everr_t collect_links_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     const struct collector_config *config,
			     struct collect_links **ret_links) EVERR_MUST_CHECK;

enum collect_link_state {
	COLLECT_LINK_WAITING,	 /* for the next attempt, or its turn */
	COLLECT_LINK_TICKET,	 /* asking for a ticket */
	COLLECT_LINK_CONNECTING, /* name, mapper, connect, logon */
	COLLECT_LINK_UP
};

struct collect_link;

/* Called in turns of the loop of their own, never out of a function here. */
struct collect_link_hooks {
	/* The connection may be used until down is called. */
	void (*up)(struct collect_connection *connection, void *private_data);
	/*
	 * It is gone, and is freed when this returns; also called for an
	 * attempt that failed, with no up before it.
	 */
	void (*down)(const struct collect_failure *why, void *private_data);
};

/*
 * Begin at once.  config, links and hooks outlive the link.  Freeing it closes
 * the connection without calling a hook; its users let go of it before.
 */
struct collect_link *collect_link_create(TALLOC_CTX *mem_ctx,
					 struct collect_links *links,
					 const struct collect_config *config,
					 const struct collect_link_hooks *hooks,
					 void *private_data);

/*
 * A user of the connection found it unusable (EVERR_CONNECT, EVERR_TIMEOUT,
 * EVERR_AUTH, a malformed answer): it is taken down, with this as the reason,
 * and tried again.  Nothing when it is down already.
 */
void collect_link_broken(struct collect_link *link,
			 const struct collect_failure *why);

/* An answer came: the liveness bound counts from now. */
void collect_link_alive(struct collect_link *link);

struct collect_link_info {
	enum collect_link_state state;
	uint64_t since;	       /* FILETIME of the last change of state */
	uint64_t next_attempt; /* FILETIME; 0 unless waiting */
	uint64_t attempts;     /* since created */
	uint64_t connects;     /* of them successful */
	/* The latest one; err EVERR_OK: there was none. */
	struct collect_failure failure;
	uint64_t failure_time; /* FILETIME */
};
void collect_link_info(const struct collect_link *link,
		       struct collect_link_info *ret_info);

#endif
