/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/bridge.h"
#include "daemon/collect.h"
#include "daemon/forward.h"

#include "base/wintime.h"
#include "soap/metrics.h"

#include <string.h>

/* All fields are uint64_t, so that a row says where one is. */
struct number_metric {
	const char *name;
	enum metrics_type type;
	const char *help;
	size_t offset;
};

static void put_numbers(struct buf *out, const struct number_metric *metrics,
			size_t num, const void *stats)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < num; i++) {
		memcpy(&number, (const char *)stats + metrics[i].offset,
		       sizeof(number));
		metrics_number(out, metrics[i].name, metrics[i].type,
			       metrics[i].help, number);
	}
}

/* --------------------------------------------------------------- store */

#define AT(member) offsetof(struct store_stats, member)

static const struct number_metric store_metrics[] = {
	{"evenlog_store_commits_total", METRICS_COUNTER,
	 "Transactions written to disk.", AT(commits)},
	{"evenlog_store_records_total", METRICS_COUNTER, "Events stored.",
	 AT(records)},
	{"evenlog_store_record_bytes_total", METRICS_COUNTER,
	 "Bytes of the events stored.", AT(record_bytes)},
	{"evenlog_store_trimmed_total", METRICS_COUNTER,
	 "Events removed by retention.", AT(trimmed)},
	{"evenlog_store_failed_batches_total", METRICS_COUNTER,
	 "Transactions that failed.", AT(failed_batches)},
	{"evenlog_store_queued_bytes", METRICS_GAUGE,
	 "Bytes waiting to be written.", AT(queued_bytes)},
	{"evenlog_store_disk_free_bytes", METRICS_GAUGE,
	 "Free room of the store's file system.", AT(disk_free)},
	{"evenlog_store_disk_used_bytes", METRICS_GAUGE,
	 "Bytes that the store's file takes.", AT(disk_used)},
};

static void put_store(struct buf *out, struct store *store)
{
	struct store_stats stats;

	store_stats(store, &stats);
	put_numbers(out, store_metrics,
		    sizeof(store_metrics) / sizeof(store_metrics[0]), &stats);
	metrics_number(out, "evenlog_store_full", METRICS_GAUGE,
		       "1 while events are refused for want of room.",
		       stats.full ? 1 : 0);
}

/* ------------------------------------------------------------ channels */

#undef AT
#define AT(member) offsetof(struct store_channel_info, member)

static const struct number_metric channel_metrics[] = {
	{"evenlog_channel_records", METRICS_GAUGE, "Events in the channel.",
	 AT(num_records)},
	{"evenlog_channel_bytes", METRICS_GAUGE,
	 "Bytes of the channel's events.", AT(bytes)},
	{"evenlog_channel_next_record_id", METRICS_GAUGE,
	 "Record id of the next event.", AT(next_id)},
	{"evenlog_channel_missing_total", METRICS_COUNTER,
	 "Record ids lost to recorded gaps.", AT(num_missing)},
};

static void put_channel_family(struct buf *out, struct store *store,
			       const struct number_metric *metric)
{
	struct store_channel_info info;
	uint64_t number;
	size_t i;

	metrics_family(out, metric->name, metric->type, metric->help);
	for (i = 0; i < store_channel_count(store); i++) {
		store_channel_info(store_channel_at(store, i), &info);
		memcpy(&number, (const char *)&info + metric->offset,
		       sizeof(number));
		metrics_sample(out, metric->name, "channel", info.name, number);
	}
}

static void put_channels(struct buf *out, struct store *store)
{
	struct store_channel_info info;
	size_t i;

	for (i = 0; i < sizeof(channel_metrics) / sizeof(channel_metrics[0]);
	     i++) {
		put_channel_family(out, store, &channel_metrics[i]);
	}
	metrics_family(out, "evenlog_channel_full", METRICS_GAUGE,
		       "1 while the channel refuses events for its size.");
	for (i = 0; i < store_channel_count(store); i++) {
		store_channel_info(store_channel_at(store, i), &info);
		metrics_sample(out, "evenlog_channel_full", "channel",
			       info.name, info.full ? 1 : 0);
	}
}

/* ----------------------------------------------------------------- rpc */

#undef AT
#define AT(member) offsetof(struct rpc_stats, member)

static const struct number_metric rpc_metrics[] = {
	{"evenlog_rpc_events_delivered_total", METRICS_COUNTER,
	 "Events handed to clients.", AT(events_delivered)},
	{"evenlog_rpc_bytes_delivered_total", METRICS_COUNTER,
	 "Bytes of the events handed to clients.", AT(bytes_delivered)},
	{"evenlog_rpc_gaps_total", METRICS_COUNTER,
	 "Gaps that readers met, stale bookmarks included.", AT(gaps)},
	{"evenlog_rpc_records_missing_total", METRICS_COUNTER,
	 "Events missing in these gaps, as far as known.", AT(records_missing)},
	{"evenlog_rpc_records_damaged_total", METRICS_COUNTER,
	 "Events passed over because they cannot be read.",
	 AT(records_damaged)},
	{"evenlog_rpc_logons_total", METRICS_COUNTER,
	 "Sessions that logged on.", AT(logons)},
	{"evenlog_rpc_logons_kerberos_total", METRICS_COUNTER,
	 "Of these, with Kerberos.", AT(logons_kerberos)},
	{"evenlog_rpc_logon_failures_total", METRICS_COUNTER,
	 "Logons that failed.", AT(logon_failures)},
	{"evenlog_rpc_refused_total", METRICS_COUNTER,
	 "Connections and calls over a limit.", AT(refused)},
};

static void put_calls(struct buf *out, const struct rpc_stats *stats)
{
	const char *name = "evenlog_rpc_calls_total";
	char opnum[16];
	unsigned int i;

	metrics_family(out, name, METRICS_COUNTER,
		       "Calls by opnum of [MS-EVEN6].");
	for (i = 0; i < RPC_EVEN6_NUM_CALLS; i++) {
		snprintf(opnum, sizeof(opnum), "%u", i);
		metrics_sample(out, name, "opnum", opnum, stats->calls[i]);
	}
}

static void put_rpc(struct buf *out, const struct rpc_service *rpc)
{
	struct rpc_stats stats;

	rpc_service_stats(rpc, &stats);
	metrics_number(out, "evenlog_rpc_connections", METRICS_GAUGE,
		       "Open connections of EVEN6 and the control interface.",
		       stats.connections);
	metrics_number(out, "evenlog_rpc_subscriptions", METRICS_GAUGE,
		       "Open subscriptions.", stats.subscriptions);
	metrics_number(out, "evenlog_rpc_queries", METRICS_GAUGE,
		       "Open queries.", stats.queries);
	metrics_number(out, "evenlog_rpc_handles", METRICS_GAUGE,
		       "Open context handles.", stats.handles);
	metrics_number(out, "evenlog_rpc_parked_calls", METRICS_GAUGE,
		       "Calls that wait for events.", stats.parked_calls);
	put_numbers(out, rpc_metrics,
		    sizeof(rpc_metrics) / sizeof(rpc_metrics[0]), &stats);
	put_calls(out, &stats);
}

/* ------------------------------------------------------------- process */

static void put_lag(struct buf *out, const struct daemon_lag *lag)
{
	struct daemon_lag_stats stats;

	daemon_lag_stats(lag, &stats);
	metrics_family(out, "evenlog_loop_lag_p50_seconds", METRICS_GAUGE,
		       "Median lag of the event loop, last 1,000 samples.");
	metrics_sample_real(out, "evenlog_loop_lag_p50_seconds",
			    stats.p50_us / 1e6);
	metrics_family(out, "evenlog_loop_lag_p99_seconds", METRICS_GAUGE,
		       "99th percentile of the event loop's lag.");
	metrics_sample_real(out, "evenlog_loop_lag_p99_seconds",
			    stats.p99_us / 1e6);
	metrics_family(out, "evenlog_loop_lag_max_seconds", METRICS_GAUGE,
		       "Longest lag of the event loop since the start.");
	metrics_sample_real(out, "evenlog_loop_lag_max_seconds",
			    stats.max_us / 1e6);
}

void daemon_metrics(struct buf *out, const struct daemon_service *service)
{
	struct timespec started;

	metrics_family(out, "evenlog_build_info", METRICS_GAUGE,
		       "The running version.");
	metrics_sample(out, "evenlog_build_info", "version", PACKAGE_VERSION,
		       1);
	wintime_to_timespec(service->started, &started);
	metrics_number(out, "evenlog_start_time_seconds", METRICS_GAUGE,
		       "When the service was started, Unix time.",
		       (uint64_t)started.tv_sec);
	put_lag(out, service->lag);
	put_store(out, service->store);
	put_channels(out, service->store);
	put_rpc(out, service->rpc);
	daemon_collect_metrics(out, service);
	daemon_forward_metrics(out, service);
}

/* -------------------------------------------------------------- health */

/*
 * A batch that failed stays the state of the store until one is written; what
 * was made good before anybody asked is no news.
 */
static bool store_failing(struct daemon_service *service,
			  const struct store_stats *stats)
{
	struct daemon_health *seen = &service->health;
	bool written = stats->commits != seen->commits;
	bool failed = stats->failed_batches != seen->failed_batches;

	seen->commits = stats->commits;
	seen->failed_batches = stats->failed_batches;
	seen->failing = !written && (failed || seen->failing);
	return seen->failing;
}

char *daemon_health(TALLOC_CTX *mem_ctx, struct daemon_service *service)
{
	struct store_stats stats;

	store_stats(service->store, &stats);
	if (stats.full) {
		return talloc_strdup(mem_ctx,
				     "the disk is full: events are refused");
	}
	if (store_failing(service, &stats)) {
		return talloc_strdup(mem_ctx,
				     "the disk failed: events are refused");
	}
	return NULL;
}
