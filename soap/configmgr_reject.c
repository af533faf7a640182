/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_internal.h"

#include "base/wintime.h"
#include "bridge/events.h"

#include <string.h>

/*
 * The peer's row.  When all are taken by others of this minute, the first one
 * is shared: who floods from many addresses is bounded all the same.
 */
static struct configmgr_peer *peer_row(struct configmgr *configmgr,
				       const char *address, uint64_t minute)
{
	struct configmgr_peer *unused = NULL;
	size_t i;

	for (i = 0; i < CONFIGMGR_REJECTS_PEERS; i++) {
		struct configmgr_peer *peer = &configmgr->peers[i];

		if (peer->minute == minute &&
		    strcmp(peer->address, address) == 0) {
			return peer;
		}
		if (unused == NULL && peer->minute != minute) {
			unused = peer;
		}
	}
	if (unused == NULL) {
		return &configmgr->peers[0];
	}
	*unused = (struct configmgr_peer){.minute = minute};
	strncpy(unused->address, address, sizeof(unused->address) - 1);
	return unused;
}

static bool too_many(struct configmgr *configmgr,
		     const struct bridge_origin *origin)
{
	uint64_t minute = origin->received / (60 * WINTIME_SECOND);
	struct configmgr_peer *peer = peer_row(configmgr, origin->peer, minute);

	if (peer->rejects >= CONFIGMGR_REJECTS_PER_MINUTE) {
		return true;
	}
	peer->rejects++;
	return false;
}

/* NULL: it could not be kept; the event then says nothing of it. */
static char *keep(struct configmgr *configmgr, TALLOC_CTX *mem_ctx,
		  const struct configmgr_input *input,
		  const struct bridge_origin *origin, const char *reason)
{
	const struct quarantine_entry entry = {
		.complete = true, /* bodies are read whole */
		.source = CONFIGMGR_QUARANTINE,
		.reason = reason,
		.peer = origin->peer,
		.method = input->method,
		.path = input->path,
		.content_type = input->content_type,
		.received = origin->received,
	};
	char *name = NULL;
	everr_t err;

	if (configmgr->quarantine == NULL) {
		return NULL;
	}
	err = quarantine_keep(configmgr->quarantine, mem_ctx, &entry,
			      input->body, input->len, &name);
	return err == EVERR_OK ? name : NULL;
}

static everr_t keep_and_report(struct configmgr *configmgr, TALLOC_CTX *frame,
			       const struct configmgr_input *input,
			       const struct bridge_origin *origin,
			       const struct bridge_message *message,
			       const char *reason)
{
	const char *name = keep(configmgr, frame, input, origin, reason);
	struct configmgr_change change = {.now = origin->received};
	everr_t err;

	change.events = bridge_events_create(frame);
	if (change.events == NULL) {
		return EVERR_NOMEM;
	}
	err = bridge_configmgr_rejected(change.events, origin, message, reason,
					name);
	return err != EVERR_OK ? err
			       : configmgr_store_report(configmgr, &change);
}

void configmgr_reject(struct configmgr *configmgr,
		      const struct configmgr_input *input,
		      const struct bridge_origin *origin,
		      const struct bridge_message *message,
		      enum configmgr_cause cause, const char *reason)
{
	TALLOC_CTX *frame = NULL;
	everr_t err = EVERR_NOMEM;

	configmgr->counters.rejected[cause]++;
	if (input->retried) {
		return;
	}
	if (too_many(configmgr, origin)) {
		configmgr->counters.rejected_silently++;
		return;
	}
	frame = talloc_new(NULL);
	if (frame != NULL) {
		err = keep_and_report(configmgr, frame, input, origin, message,
				      reason);
	}
	if (err != EVERR_OK) {
		configmgr->counters.rejected_silently++;
	}
	talloc_free(frame);
}
