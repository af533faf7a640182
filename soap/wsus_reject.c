/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_reject.h"

#include "base/wintime.h"
#include "soap/quarantine.h"

#include <stdio.h>
#include <string.h>

#define WINDOW (60 * WINTIME_SECOND)
#define PEER_TEXT_MAX 64

struct peer {
	char address[PEER_TEXT_MAX];
	uint64_t since; /* of the minute; 0: the entry is free */
	uint32_t events;
	uint64_t left_out;
};

struct wsus_reject_limit {
	struct peer peers[WSUS_REJECT_PEERS];
	struct peer others;
};

everr_t wsus_reject_limit_create(TALLOC_CTX *mem_ctx,
				 struct wsus_reject_limit **ret_limit)
{
	struct wsus_reject_limit *limit =
		talloc_zero(mem_ctx, struct wsus_reject_limit);

	if (limit == NULL) {
		return EVERR_NOMEM;
	}
	*ret_limit = limit;
	return EVERR_OK;
}

static bool is_over(const struct peer *peer, uint64_t now)
{
	/* Also when the clock was set back. */
	return now - peer->since >= WINDOW;
}

/*
 * The peer's entry, a new one, or that of all others.  An entry whose minute
 * is over makes room; what it has still to tell goes to the others.
 */
static struct peer *find_peer(struct wsus_reject_limit *limit,
			      const char *address, uint64_t now)
{
	struct peer *usable = NULL;
	size_t i;

	for (i = 0; i < WSUS_REJECT_PEERS; i++) {
		struct peer *peer = &limit->peers[i];

		if (strcmp(peer->address, address) == 0) {
			return peer;
		}
		if (is_over(peer, now) &&
		    (usable == NULL || peer->left_out < usable->left_out)) {
			usable = peer;
		}
	}
	if (usable == NULL) {
		return &limit->others;
	}
	limit->others.left_out += usable->left_out;
	*usable = (struct peer){};
	snprintf(usable->address, sizeof(usable->address), "%s", address);
	return usable;
}

bool wsus_reject_allowed(struct wsus_reject_limit *limit, const char *peer,
			 uint64_t now, uint64_t *ret_left_out)
{
	struct peer *entry = find_peer(limit, peer, now);

	if (is_over(entry, now)) {
		entry->since = now;
		entry->events = 0;
	}
	if (entry->events >= WSUS_REJECT_PER_MINUTE) {
		entry->left_out++;
		return false;
	}
	entry->events++;
	*ret_left_out = entry->left_out;
	entry->left_out = 0;
	return true;
}

/* ------------------------------------------------------------------- events */

static bool is_cookie_error(const char *code)
{
	return code != NULL &&
	       (strcmp(code, "InvalidCookie") == 0 ||
		strcmp(code, "InvalidAuthorizationCookie") == 0 ||
		strcmp(code, "ServerChanged") == 0);
}

/* Input without a code could not be read at all: a person may want it. */
static char *keep(struct wsus *wsus, TALLOC_CTX *mem_ctx,
		  const struct soap_rejected *rejected, uint64_t received)
{
	struct http_exchange *exchange = rejected->exchange;
	struct quarantine_entry entry = {
		.source = "wsus",
		.reason = rejected->reason,
		.peer = http_peer(exchange)->address,
		.method = http_method(exchange),
		.path = http_path(exchange),
		.content_type = http_header(exchange, "Content-Type"),
		.soap_action = http_header(exchange, "SOAPAction"),
		.received = received,
		.complete = rejected->complete,
	};
	char *name = NULL;
	everr_t err;

	if (rejected->error_code != NULL || wsus->quarantine == NULL ||
	    rejected->len == 0) {
		return NULL;
	}
	err = quarantine_keep(wsus->quarantine, mem_ctx, &entry, rejected->body,
			      rejected->len, &name);
	return err == EVERR_OK ? name : NULL;
}

static everr_t make_event(struct wsus *wsus, struct bridge_events *events,
			  const struct soap_rejected *rejected,
			  uint64_t left_out)
{
	const char *reason = rejected->reason;
	struct bridge_origin origin;

	wsus_origin(wsus, rejected->exchange, &origin);
	if (left_out > 0) {
		reason = talloc_asprintf(events,
					 "%s (%llu earlier requests of this "
					 "address were refused without an "
					 "event)",
					 reason != NULL ? reason : "",
					 (unsigned long long)left_out);
	}
	if (is_cookie_error(rejected->error_code)) {
		return bridge_wsus_cookie_refused(
			events, &origin, rejected->operation,
			rejected->error_code, reason, rejected->fault_id);
	}
	return bridge_wsus_rejected(
		events, &origin, rejected->operation, rejected->error_code,
		reason, rejected->fault_id,
		keep(wsus, events, rejected, origin.received));
}

/* Written or not, the fault has long been given. */
static void event_done(struct tevent_req *req)
{
	everr_t err;

	err = wsus_commit_recv(req);
	(void)err;
	talloc_free(req);
}

void wsus_rejected(void *private_data, const struct soap_rejected *rejected)
{
	struct wsus *wsus = private_data;
	struct bridge_events *events = NULL;
	struct tevent_req *req = NULL;
	uint64_t left_out = 0;
	everr_t err;

	wsus->faults++;
	if (!wsus_reject_allowed(wsus->rejects,
				 http_peer(rejected->exchange)->address,
				 wintime_now(), &left_out)) {
		return;
	}
	events = bridge_events_create(wsus);
	if (events == NULL) {
		return;
	}
	err = make_event(wsus, events, rejected, left_out);
	if (err == EVERR_OK) {
		req = wsus_commit_send(wsus, wsus, events, NULL, 0);
	}
	if (req != NULL) {
		tevent_req_set_callback(req, event_done, NULL);
	}
	talloc_free(events);
}
