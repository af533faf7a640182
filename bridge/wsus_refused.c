/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events about what a downstream server was refused: the fault it was given.
 */

#include "bridge/wsus_event.h"

static const struct bridge_kind cookie_refused = {
	.id = BRIDGE_WSUS_COOKIE_REFUSED,
	.level = BRIDGE_LEVEL_WARNING,
	.task = WSUS_TASK_SECURITY,
	.keywords = WSUS_KEYWORD_SECURITY,
};
static const struct bridge_kind request_rejected = {
	.id = BRIDGE_WSUS_REQUEST_REJECTED,
	.level = BRIDGE_LEVEL_WARNING,
	.task = WSUS_TASK_SECURITY,
	.keywords = WSUS_KEYWORD_SECURITY,
};

/* Who it was is what the peer's address says. */
static void put_fault(struct bridge_event *event, const char *operation,
		      const char *error_code, const char *reason,
		      const char *fault_id)
{
	bridge_put_text(event, "Operation", operation);
	bridge_put_text(event, "ErrorCode", error_code);
	bridge_put_text(event, "Reason", reason);
	bridge_put_text(event, "FaultId", fault_id);
}

everr_t bridge_wsus_cookie_refused(struct bridge_events *out,
				   const struct bridge_origin *origin,
				   const char *operation,
				   const char *error_code, const char *reason,
				   const char *fault_id)
{
	struct bridge_event event;

	bridge_event_begin(&event, &bridge_wsus_provider, &cookie_refused,
			   origin);
	put_fault(&event, operation, error_code, reason, fault_id);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_wsus_rejected(struct bridge_events *out,
			     const struct bridge_origin *origin,
			     const char *operation, const char *error_code,
			     const char *reason, const char *fault_id,
			     const char *quarantine)
{
	struct bridge_event event;

	bridge_event_begin(&event, &bridge_wsus_provider, &request_rejected,
			   origin);
	put_fault(&event, operation, error_code, reason, fault_id);
	bridge_put_text(&event, "Quarantine", quarantine);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}
