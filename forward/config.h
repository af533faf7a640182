/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_CONFIG_H
#define EVENLOG_FORWARD_CONFIG_H

/* What to forward, where to and how: one structure for each [forward NAME]. */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define FORWARD_OUTPUTS_MAX 64
#define FORWARD_NAME_MAX 64

enum forward_format_kind {
	FORWARD_RFC5424, /* fields as structured data, the message as MSG */
	FORWARD_RFC5424_JSON, /* the event as a JSON object in MSG */
	FORWARD_RFC3164,
	FORWARD_JSON /* one object on one line, no syslog header */
};

enum forward_transport_kind {
	FORWARD_UDP, /* one message, one datagram: RFC 5426 */
	FORWARD_TCP, /* RFC 6587 */
	FORWARD_TLS, /* RFC 5425 */
	FORWARD_RELP,
	FORWARD_UNIX /* a datagram or stream socket, as it turns out */
};

enum forward_framing {
	FORWARD_OCTET_COUNTING, /* RFC 6587 3.4.1 */
	FORWARD_NEWLINE		/* RFC 6587 3.4.2 */
};

enum forward_start {
	FORWARD_FROM_NOW, /* of an output that is new, once */
	FORWARD_FROM_OLDEST
};

struct forward_config {
	const char *name;
	/*
	 * Channels (NULL-terminated; "*": all but Evenlog's own) with one
	 * XPath query for each of them, or a structured query that names its
	 * channels; then channels is NULL.
	 */
	const char *const *channels;
	const char *query; /* NULL: "*" */
	uint32_t start;	   /* enum forward_start */

	uint32_t format;      /* enum forward_format_kind */
	uint32_t facility;    /* RFC 5424 6.2.1, 0 to 23 */
	const char *sd_id;    /* "evenlog@32473": RFC 5424 6.3.2 */
	uint64_t max_message; /* bytes; longer ones are cut and marked */

	uint32_t transport; /* enum forward_transport_kind */
	uint32_t framing; /* TCP, stream sockets; TLS and RELP have their own */
	const char *host;
	uint16_t port;	  /* 0: 514, TLS 6514, RELP 2514 */
	const char *path; /* FORWARD_UNIX */

	/* TLS. */
	const char *ca;		 /* PEM file; NULL: the system's */
	const char *certificate; /* PEM chain of our own, with key */
	const char *key;
	const char *server_name; /* to verify; NULL: host */

	/* Most messages in flight; 0: 128 with RELP, 32768 else. */
	uint32_t window;
	uint64_t backoff_max;  /* seconds */
	uint64_t idle_timeout; /* seconds without progress until reconnect */
};

#define FORWARD_BACKOFF_MIN_MS 250
#define FORWARD_BACKOFF_MAX_SECONDS 60 /* unless backoff_max says it */
uint32_t forward_backoff_max_ms(const struct forward_config *config);

bool forward_config_equal(const struct forward_config *a,
			  const struct forward_config *b);

/*
 * RFC 5424 6.3.2 and 7.2.2: a name, @, and a private enterprise number, which
 * may have sub-numbers.  Shorter than there: the format makes a second name of
 * it.
 */
#define FORWARD_SD_ID_MAX 27
bool forward_sd_id_valid(const char *sd_id);

/* A copy with all its texts.  EVERR_NOMEM */
everr_t forward_config_copy(TALLOC_CTX *mem_ctx,
			    const struct forward_config *config,
			    struct forward_config **ret_copy) EVERR_MUST_CHECK;

#endif
