/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/metrics.h"

#include "soap/soap_internal.h"

#include <string.h>

/* ---------------------------------------------------------- listeners */

struct listener_metric {
	const char *name;
	enum metrics_type type;
	const char *help;
	size_t offset; /* a uint64_t of struct http_stats */
};

#define AT(member) offsetof(struct http_stats, member)

static const struct listener_metric listener_metrics[] = {
	{"evenlog_http_accepted_total", METRICS_COUNTER,
	 "Connections that were accepted.", AT(accepted)},
	{"evenlog_http_refused_total", METRICS_COUNTER,
	 "Connections from addresses outside the allow-list.", AT(refused)},
	{"evenlog_http_limited_total", METRICS_COUNTER,
	 "Connections over a limit of their number.", AT(limited)},
	{"evenlog_http_timed_out_total", METRICS_COUNTER,
	 "Connections closed because their peer was too slow.", AT(timed_out)},
	{"evenlog_http_requests_total", METRICS_COUNTER,
	 "Requests whose header was complete.", AT(requests)},
	{"evenlog_http_received_bytes_total", METRICS_COUNTER,
	 "Bytes of request bodies.", AT(received)},
	{"evenlog_http_sent_bytes_total", METRICS_COUNTER,
	 "Bytes of answers' bodies.", AT(sent)},
};

static void put_listener_family(const struct soap *soap, struct buf *out,
				const struct listener_metric *metric)
{
	struct soap_listener_info info;
	uint64_t number;
	size_t i;

	metrics_family(out, metric->name, metric->type, metric->help);
	for (i = 0; i < soap_listener_count(soap); i++) {
		soap_listener_info(soap, i, &info);
		memcpy(&number, (const char *)&info.stats + metric->offset,
		       sizeof(number));
		metrics_sample(out, metric->name, "listener", info.name,
			       number);
	}
}

static void put_answers(const struct soap *soap, struct buf *out)
{
	static const char *const codes[] = {"none", "1xx", "2xx",
					    "3xx",  "4xx", "5xx"};
	const char *name = "evenlog_http_answers_total";
	struct soap_listener_info info;
	size_t i, code;

	metrics_family(out, name, METRICS_COUNTER,
		       "Answers by class of status; none: the peer left or a "
		       "limit was passed before.");
	for (i = 0; i < soap_listener_count(soap); i++) {
		soap_listener_info(soap, i, &info);
		for (code = 0; code < sizeof(codes) / sizeof(codes[0]);
		     code++) {
			metrics_sample2(out, name, "listener", info.name,
					"code", codes[code],
					info.stats.answers[code]);
		}
	}
}

static void put_listeners(const struct soap *soap, struct buf *out)
{
	const char *name = "evenlog_http_connections";
	struct soap_listener_info info;
	size_t i;

	if (soap_listener_count(soap) == 0) {
		return;
	}
	metrics_family(out, name, METRICS_GAUGE, "Open connections.");
	for (i = 0; i < soap_listener_count(soap); i++) {
		soap_listener_info(soap, i, &info);
		metrics_sample(out, name, "listener", info.name,
			       info.stats.connections);
	}
	for (i = 0; i < sizeof(listener_metrics) / sizeof(listener_metrics[0]);
	     i++) {
		put_listener_family(soap, out, &listener_metrics[i]);
	}
	put_answers(soap, out);
}

static void put_quarantine(const struct soap *soap, struct buf *out)
{
	struct quarantine_stats stats;

	quarantine_stats(soap->quarantine, &stats);
	metrics_number(out, "evenlog_quarantine_entries", METRICS_GAUGE,
		       "Entries in the quarantine.", stats.entries);
	metrics_number(out, "evenlog_quarantine_bytes", METRICS_GAUGE,
		       "Bytes in the quarantine.", stats.bytes);
	metrics_number(out, "evenlog_quarantine_kept_total", METRICS_COUNTER,
		       "Entries that were put into the quarantine.",
		       stats.kept);
	metrics_number(out, "evenlog_quarantine_dropped_total", METRICS_COUNTER,
		       "Entries that were dropped to make room.",
		       stats.dropped);
	metrics_number(out, "evenlog_quarantine_lost_total", METRICS_COUNTER,
		       "Entries that the disk refused or was too slow for.",
		       stats.lost);
}

void soap_metrics(const struct soap *soap, struct buf *out)
{
	put_listeners(soap, out);
	put_quarantine(soap, out);
	if (soap->wsus != NULL) {
		wsus_metrics(soap->wsus, out);
	}
	if (soap->configmgr != NULL) {
		configmgr_metrics(soap->configmgr, out);
	}
}

/* -------------------------------------------------------------- routes */

/* Whether the request may be answered; else it has been. */
static bool check_method(struct http_exchange *exchange)
{
	static const struct http_field allow = {"Allow", "GET, HEAD"};
	const char *method = http_method(exchange);

	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
		return true;
	}
	http_answer(exchange, 405, NULL, &allow, 1, NULL, 0);
	return false;
}

static void metrics_begin(struct http_exchange *exchange, void *private_data)
{
	const struct soap *soap = private_data;
	struct buf out;

	if (!check_method(exchange)) {
		return;
	}
	buf_init(&out, exchange, METRICS_MAX);
	if (soap->hooks.metrics != NULL) {
		soap->hooks.metrics(&out, soap->hooks.private_data);
	}
	soap_metrics(soap, &out);
	if (buf_error(&out) != EVERR_OK) {
		http_answer_text(exchange, 503, everr_text(buf_error(&out)));
		return;
	}
	http_answer(exchange, 200, METRICS_CONTENT_TYPE, NULL, 0, out.data,
		    out.len);
}

static void health_begin(struct http_exchange *exchange, void *private_data)
{
	const struct soap *soap = private_data;
	char *reason = NULL;

	if (!check_method(exchange)) {
		return;
	}
	if (soap->hooks.health != NULL) {
		reason = soap->hooks.health(exchange, soap->hooks.private_data);
	}
	if (reason != NULL) {
		http_answer_text(exchange, 503, reason);
		return;
	}
	http_answer_text(exchange, 200, "ok");
}

const struct http_handler metrics_handler = {.begin = metrics_begin};
const struct http_handler metrics_health_handler = {.begin = health_begin};
