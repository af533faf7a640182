/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_internal.h"

#include "soap/metrics.h"

#include <string.h>
#include <strings.h>

/* Bytes of an endpoint's name as it is shown. */
#define NAME_MAX_SHOWN 64

static const char *const known[] = {
	"MP_DdrEndpoint",	   "MP_HinvEndpoint",  "MP_SinvEndpoint",
	"MP_SinvCollFileEndpoint", "StatusReceiver",   "MP_StatusReceiver",
	"MP_RelayEndpoint",	   "MP_PolicyManager", "MP_ClientRegistration",
	"MP_LocationManager",	   "MP_DriverManager", "MP_AppStateManager",
};

void configmgr_count_known(struct configmgr *configmgr)
{
	struct configmgr_counters *counters = &configmgr->counters;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		counters->endpoints[i].name = known[i];
	}
	counters->num_endpoints = i;
}

/* A sender chose it: what is no plain name is not shown. */
static bool presentable(const char *name)
{
	static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789_-.";
	size_t len = strnlen(name, NAME_MAX_SHOWN + 1);

	return len > 0 && len <= NAME_MAX_SHOWN && strspn(name, legal) == len;
}

void configmgr_count(struct configmgr *configmgr, const char *endpoint)
{
	struct configmgr_counters *counters = &configmgr->counters;
	const char *name = NULL;
	size_t i;

	for (i = 0; i < counters->num_endpoints; i++) {
		if (strcasecmp(counters->endpoints[i].name, endpoint) == 0) {
			counters->endpoints[i].messages++;
			return;
		}
	}
	if (i < CONFIGMGR_ENDPOINTS_MAX && presentable(endpoint)) {
		name = talloc_strdup(configmgr, endpoint);
	}
	if (name == NULL) {
		counters->other_endpoints++;
		return;
	}
	counters->endpoints[i] = (struct configmgr_endpoint){name, 1};
	counters->num_endpoints++;
}

/* ------------------------------------------------------------------ text */

static void put_endpoints(const struct configmgr_counters *counters,
			  struct buf *out)
{
	size_t i;

	metrics_family(out, "evenlog_configmgr_messages_total", METRICS_COUNTER,
		       "Messages by the endpoint they were sent to.");
	for (i = 0; i < counters->num_endpoints; i++) {
		if (counters->endpoints[i].messages > 0) {
			metrics_sample(out, "evenlog_configmgr_messages_total",
				       "endpoint", counters->endpoints[i].name,
				       counters->endpoints[i].messages);
		}
	}
	metrics_sample(out, "evenlog_configmgr_messages_total", "endpoint",
		       "other", counters->other_endpoints);
}

static void put_rejected(const struct configmgr_counters *counters,
			 struct buf *out)
{
	static const char *const causes[CONFIGMGR_CAUSE_NUM] = {
		[CONFIGMGR_CAUSE_CONTENT_TYPE] = "content-type",
		[CONFIGMGR_CAUSE_MALFORMED] = "malformed",
		[CONFIGMGR_CAUSE_LIMIT] = "limit",
		[CONFIGMGR_CAUSE_ENCRYPTED] = "encrypted",
		[CONFIGMGR_CAUSE_SIGNATURE] = "signature",
		[CONFIGMGR_CAUSE_CONTENT] = "content",
		[CONFIGMGR_CAUSE_ID_TWICE] = "id-twice",
		[CONFIGMGR_CAUSE_REGISTRATION] = "registration",
	};
	size_t i;

	metrics_family(out, "evenlog_configmgr_rejected_total", METRICS_COUNTER,
		       "Messages that were not accepted, by cause.");
	for (i = 0; i < CONFIGMGR_CAUSE_NUM; i++) {
		metrics_sample(out, "evenlog_configmgr_rejected_total", "cause",
			       causes[i], counters->rejected[i]);
	}
	metrics_number(
		out, "evenlog_configmgr_rejected_unreported_total",
		METRICS_COUNTER,
		"Rejected messages without an event: their peer sent too "
		"many in a minute, or it could not be stored.",
		counters->rejected_silently);
}

static void put_registrations(const struct configmgr *configmgr,
			      struct buf *out)
{
	const struct configmgr_counters *counters = &configmgr->counters;

	metrics_family(out, "evenlog_configmgr_registrations_total",
		       METRICS_COUNTER, "Registrations that were accepted.");
	metrics_sample(out, "evenlog_configmgr_registrations_total", "kind",
		       "new", counters->registered);
	metrics_sample(out, "evenlog_configmgr_registrations_total", "kind",
		       "again", counters->registered_again);
	metrics_sample(out, "evenlog_configmgr_registrations_total", "kind",
		       "key-changed", counters->key_changes);
	metrics_number(out, "evenlog_configmgr_clients", METRICS_GAUGE,
		       "Clients that are registered.",
		       configmgr_clients_count(configmgr->clients));
}

static void put_ids(const struct configmgr *configmgr, struct buf *out)
{
	const struct configmgr_counters *counters = &configmgr->counters;
	struct configmgr_replay_stats seen;

	configmgr_replay_stats(configmgr->seen, &seen);
	metrics_number(out, "evenlog_configmgr_replays_total", METRICS_COUNTER,
		       "Messages that had been stored before.",
		       counters->replays);
	metrics_number(out, "evenlog_configmgr_message_ids", METRICS_GAUGE,
		       "Message ids that are kept to detect replays.",
		       seen.num);
	metrics_number(out, "evenlog_configmgr_message_ids_dropped_total",
		       METRICS_COUNTER,
		       "Message ids forgotten before their time.",
		       seen.dropped);
	metrics_number(out, "evenlog_configmgr_deferred_total", METRICS_COUNTER,
		       "Messages answered 503, to be sent again.",
		       counters->deferred);
	metrics_number(out, "evenlog_configmgr_locations_total",
		       METRICS_COUNTER, "Answers about the management point.",
		       counters->locations);
}

static void put_inbox(const struct configmgr *configmgr, struct buf *out)
{
	const struct inbox_stats *stats = &configmgr->inbox_counters;

	metrics_family(out, "evenlog_configmgr_inbox_files_total",
		       METRICS_COUNTER,
		       "Files of the inbox by what became of them.");
	metrics_sample(out, "evenlog_configmgr_inbox_files_total", "result",
		       "done", stats->done);
	metrics_sample(out, "evenlog_configmgr_inbox_files_total", "result",
		       "again", stats->again);
	metrics_sample(out, "evenlog_configmgr_inbox_files_total", "result",
		       "bad", stats->bad);
	metrics_sample(out, "evenlog_configmgr_inbox_files_total", "result",
		       "deferred", stats->deferred);
	metrics_sample(out, "evenlog_configmgr_inbox_files_total", "result",
		       "failed", stats->failed);
}

void configmgr_metrics(const struct configmgr *configmgr, struct buf *out)
{
	put_endpoints(&configmgr->counters, out);
	put_rejected(&configmgr->counters, out);
	put_ids(configmgr, out);
	put_registrations(configmgr, out);
	put_inbox(configmgr, out);
}
