/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/collect.h"

#include "collect/collector.h"
#include "soap/metrics.h"

#include <string.h>

/* ---------------------------------------------------------------- hosts */

struct host_metric {
	const char *name;
	enum metrics_type type;
	const char *help;
	uint64_t (*number)(const struct collect_link_info *link);
};

static uint64_t host_up(const struct collect_link_info *link)
{
	return link->state == COLLECT_LINK_UP ? 1 : 0;
}

static uint64_t host_attempts(const struct collect_link_info *link)
{
	return link->attempts;
}

static uint64_t host_connects(const struct collect_link_info *link)
{
	return link->connects;
}

static const struct host_metric host_metrics[] = {
	{"evenlog_collect_host_up", METRICS_GAUGE,
	 "1 while there is a connection to the host.", host_up},
	{"evenlog_collect_attempts_total", METRICS_COUNTER,
	 "Attempts to connect to the host.", host_attempts},
	{"evenlog_collect_connects_total", METRICS_COUNTER,
	 "Of them, those that succeeded.", host_connects},
};

static void put_host_family(struct buf *out, const struct collector *collector,
			    const struct host_metric *metric)
{
	struct collect_host_info info;
	size_t i;

	metrics_family(out, metric->name, metric->type, metric->help);
	for (i = 0; i < collector_count(collector); i++) {
		collector_host(collector, i, &info);
		metrics_sample(out, metric->name, "host", info.config->host,
			       metric->number(&info.link));
	}
}

/* ------------------------------------------------------------- channels */

struct feed_metric {
	const char *name;
	enum metrics_type type;
	const char *help;
	uint64_t (*number)(const struct collect_feed_info *feed);
};

static uint64_t feed_reading(const struct collect_feed_info *feed)
{
	return feed->state == COLLECT_FEED_READING ? 1 : 0;
}

static uint64_t feed_events(const struct collect_feed_info *feed)
{
	return feed->events;
}

static uint64_t feed_bytes(const struct collect_feed_info *feed)
{
	return feed->bytes;
}

static uint64_t feed_gaps(const struct collect_feed_info *feed)
{
	return feed->position.gaps;
}

static uint64_t feed_missing(const struct collect_feed_info *feed)
{
	return feed->position.missing;
}

static uint64_t feed_at_most(const struct collect_feed_info *feed)
{
	return feed->position.at_most;
}

static uint64_t feed_lag_events(const struct collect_feed_info *feed)
{
	return feed->lag_events;
}

static uint64_t feed_lag_seconds(const struct collect_feed_info *feed)
{
	return feed->lag_seconds;
}

static uint64_t feed_mismatched(const struct collect_feed_info *feed)
{
	return feed->mismatched;
}

static uint64_t feed_silent(const struct collect_feed_info *feed)
{
	return feed->silent ? 1 : 0;
}

static const struct feed_metric feed_metrics[] = {
	{"evenlog_collect_channel_reading", METRICS_GAUGE,
	 "1 while the channel is read.", feed_reading},
	{"evenlog_collect_events_total", METRICS_COUNTER,
	 "Events stored since the service or the host was started.",
	 feed_events},
	{"evenlog_collect_bytes_total", METRICS_COUNTER, "Bytes of them.",
	 feed_bytes},
	{"evenlog_collect_gaps_total", METRICS_COUNTER,
	 "Gaps met since the channel was first collected.", feed_gaps},
	{"evenlog_collect_missing_total", METRICS_COUNTER,
	 "Events missing in gaps of known size.", feed_missing},
	{"evenlog_collect_missing_at_most_total", METRICS_COUNTER,
	 "Events missing at most in the other gaps.", feed_at_most},
	{"evenlog_collect_lag_events", METRICS_GAUGE,
	 "Events of the host that are not stored yet, at the last look.",
	 feed_lag_events},
	{"evenlog_collect_lag_seconds", METRICS_GAUGE,
	 "Age of the event stored last while there are more.",
	 feed_lag_seconds},
	{"evenlog_collect_mismatched_total", METRICS_COUNTER,
	 "Events whose Computer is not the host.", feed_mismatched},
	{"evenlog_collect_silent", METRICS_GAUGE,
	 "1 while the channel is silent for longer than silent_after.",
	 feed_silent},
};

static void put_host_feeds(struct buf *out, const struct collector *collector,
			   size_t host, const struct feed_metric *metric)
{
	struct collect_host_info info;
	struct collect_feed_info feed;
	size_t i;

	collector_host(collector, host, &info);
	for (i = 0; i < info.num_feeds; i++) {
		collector_feed(collector, host, i, &feed);
		metrics_sample2(out, metric->name, "host", info.config->host,
				"channel", feed.channel, metric->number(&feed));
	}
}

static void put_feed_family(struct buf *out, const struct collector *collector,
			    const struct feed_metric *metric)
{
	size_t i;

	metrics_family(out, metric->name, metric->type, metric->help);
	for (i = 0; i < collector_count(collector); i++) {
		put_host_feeds(out, collector, i, metric);
	}
}

void daemon_collect_metrics(struct buf *out,
			    const struct daemon_service *service)
{
	const struct collector *collector = service->collector;
	size_t i;

	metrics_number(out, "evenlog_collect_hosts", METRICS_GAUGE,
		       "Hosts to collect from.", collector_count(collector));
	for (i = 0; i < sizeof(host_metrics) / sizeof(host_metrics[0]); i++) {
		put_host_family(out, collector, &host_metrics[i]);
	}
	for (i = 0; i < sizeof(feed_metrics) / sizeof(feed_metrics[0]); i++) {
		put_feed_family(out, collector, &feed_metrics[i]);
	}
}
