/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BASE_EVERR_H
#define EVENLOG_BASE_EVERR_H

/*
 * The one error type of the project.
 *
 * The values lie in a range of their own, so that an errno, an NTSTATUS or a
 * Win32 code handed over by mistake is never taken for one of ours.  What an
 * error means at a door (a Win32 code on the wire, an HTTP status, a sentence
 * for a person) is looked up in one table, base/everr.c.
 */

#include <stdint.h>

#define EVERR_BASE 0x45560000

typedef enum everr {
	EVERR_OK = 0,

	EVERR_NOMEM = EVERR_BASE + 1, /* memory */
	EVERR_INVALID,		      /* an argument outside its contract */
	EVERR_LIMIT,		      /* a stated limit was reached */
	EVERR_END,		      /* no more items */
	EVERR_NOT_FOUND,	      /* the named thing does not exist */
	EVERR_EXISTS,		      /* the named thing exists already */
	EVERR_ACCESS,		      /* the caller may not do this */
	EVERR_CANCELLED,	      /* ended by the one who asked */
	EVERR_TIMEOUT,		      /* time expired */
	EVERR_IO,	     /* the operating system refused; see errno */
	EVERR_NOT_SUPPORTED, /* known, but not done here */
	EVERR_INTERNAL,	     /* a broken invariant: our bug */

	/* event/ */
	EVERR_BINXML_TRUNCATED, /* the data ends inside a token */
	EVERR_BINXML_TOKEN,	/* a token that is not allowed here */
	EVERR_BINXML_LENGTH,	/* a length that contradicts its content */
	EVERR_BINXML_NAME,	/* an element or attribute name is not legal */
	EVERR_BINXML_VALUE,	/* a value of impossible type or size */
	EVERR_BINXML_DEPTH,	/* nested too deeply */
	EVERR_TEMPLATE_UNKNOWN, /* a template number nobody defined */
	EVERR_EVENT_TOO_LARGE,	/* above EVENT_WIRE_MAX */
	EVERR_EVENT_DATA_SIZE,	/* EventData above EVENT_VALUE_MAX */
	EVERR_BOOKMARK_SYNTAX,	/* a bookmark list is malformed */
	EVERR_QUERY_SYNTAX,	/* a query is malformed */
	EVERR_QUERY_COMPLEX,	/* a query exceeds a stated limit */
	EVERR_TEXT,		/* text that is not valid in its encoding */
	EVERR_RESULT,		/* a result record is malformed */
	EVERR_MANIFEST,		/* an instrumentation manifest is wrong */
	EVERR_EVTX,		/* an .evtx file is damaged, or none */
	EVERR_PUBLISHER,	/* no publisher of that name */
	EVERR_MESSAGE,		/* there is no text for it */

	/* store/ */
	EVERR_CHANNEL_NOT_FOUND, /* no channel of that name */
	EVERR_CHANNEL_NAME,	 /* a name that no channel may have */
	EVERR_CHANNEL_DISABLED,	 /* the channel takes no events */
	EVERR_CHANNEL_FULL,	 /* it is, and keeps the events it has */
	EVERR_CHANNEL_DIRECT,	 /* nobody can subscribe to a direct channel */
	EVERR_NOT_CHANGEABLE,	 /* a setting that others have fixed */
	EVERR_STORE_FULL,	 /* no room on disk now; may be tried again */
	EVERR_STORE_SYNC,	 /* the disk did not confirm a batch */
	EVERR_STORE_CORRUPT,	 /* a checksum or structure is wrong */
	EVERR_STORE_VERSION,	 /* written by another version */
	EVERR_STORE_LOCKED,	 /* another process holds the store */
	EVERR_STORE_CLOSED,	 /* the store is shutting down */
	EVERR_STALE,		 /* the position no longer exists */

	/* configuration, daemon/ and cli/ */
	EVERR_CONFIG,	/* a configuration file is wrong */
	EVERR_AUTH,	/* authentication failed */
	EVERR_CONNECT,	/* a peer could not be reached */
	EVERR_PROTOCOL, /* a peer broke the protocol */

	EVERR_LAST
} everr_t;

#define EVERR_MUST_CHECK __attribute__((warn_unused_result))

/*
 * A sentence for an administrator, without full stop ("the disk is full").
 * Never NULL; an unknown value gives a text that shows its number.
 */
const char *everr_text(everr_t err);

/* The symbol's name, for logs and tests ("EVERR_NOMEM"). */
const char *everr_name(everr_t err);

/*
 * The Win32 code that a Windows event log service returns for this error,
 * [MS-EVEN6] 3.1.4 and [MS-ERREF] 2.2.  EVERR_OK is 0; what has no better
 * counterpart is ERROR_INTERNAL_ERROR (0x54F).
 */
uint32_t everr_win32(everr_t err);

/* The HTTP status of an answer that failed with this error; EVERR_OK is 200. */
unsigned int everr_http(everr_t err);

#endif
