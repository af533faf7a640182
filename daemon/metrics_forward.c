/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/forward.h"

#include "forward/forward.h"
#include "soap/metrics.h"

#include <string.h>

#define AT(member) offsetof(struct forward_info, member)

/* All fields are uint64_t, so that a row says where one is. */
static const struct {
	const char *name;
	enum metrics_type type;
	const char *help;
	size_t offset;
} output_metrics[] = {
	{"evenlog_forward_messages_total", METRICS_COUNTER,
	 "Messages handed to the transport, those sent again included.",
	 AT(sent)},
	{"evenlog_forward_arrived_total", METRICS_COUNTER,
	 "Messages that have arrived, as far as the transport knows.",
	 AT(arrived)},
	{"evenlog_forward_resent_total", METRICS_COUNTER,
	 "Messages sent again after a break.", AT(resent)},
	{"evenlog_forward_passed_total", METRICS_COUNTER,
	 "Events that the query did not select.", AT(passed)},
	{"evenlog_forward_cut_total", METRICS_COUNTER,
	 "Events that were longer than max_message.", AT(cut)},
	{"evenlog_forward_replaced_total", METRICS_COUNTER,
	 "Events with characters that no text can have.", AT(replaced)},
	{"evenlog_forward_damaged_total", METRICS_COUNTER,
	 "Events that could not be read, of which only a mark was sent.",
	 AT(damaged)},
	{"evenlog_forward_dropped_total", METRICS_COUNTER,
	 "Messages that no datagram of the socket can hold, not sent.",
	 AT(transport.refused)},
	{"evenlog_forward_gaps_total", METRICS_COUNTER,
	 "Gaps: events that were gone, or skipped by a rewind.", AT(gaps)},
	{"evenlog_forward_missing_total", METRICS_COUNTER,
	 "Events missing in gaps of known size.", AT(missing)},
	{"evenlog_forward_missing_at_most_total", METRICS_COUNTER,
	 "Events missing at most in the other gaps.", AT(at_most)},
	{"evenlog_forward_bytes_total", METRICS_COUNTER,
	 "Bytes handed to the transport, with framing.", AT(transport.bytes)},
	{"evenlog_forward_connects_total", METRICS_COUNTER,
	 "Connections made to the receiver.", AT(transport.connects)},
	{"evenlog_forward_in_flight", METRICS_GAUGE,
	 "Messages of which it is not known that they have arrived.",
	 AT(transport.in_flight)},
};

static void put_family(struct buf *out, const struct forwarder *forwarder,
		       size_t row)
{
	struct forward_info info;
	uint64_t number;
	size_t i;

	metrics_family(out, output_metrics[row].name, output_metrics[row].type,
		       output_metrics[row].help);
	for (i = 0; i < forwarder_count(forwarder); i++) {
		forwarder_output(forwarder, i, &info);
		memcpy(&number,
		       (const char *)&info + output_metrics[row].offset,
		       sizeof(number));
		metrics_sample(out, output_metrics[row].name, "output",
			       info.config->name, number);
	}
}

static void put_up(struct buf *out, const struct forwarder *forwarder)
{
	struct forward_info info;
	size_t i;

	metrics_family(out, "evenlog_forward_up", METRICS_GAUGE,
		       "1 while the output is connected to its receiver.");
	for (i = 0; i < forwarder_count(forwarder); i++) {
		forwarder_output(forwarder, i, &info);
		metrics_sample(out, "evenlog_forward_up", "output",
			       info.config->name, info.transport.up ? 1 : 0);
	}
}

/* Over its channels: all that is behind, and the oldest of it. */
static void output_lag(const struct forwarder *forwarder, size_t output,
		       struct forward_channel_info *ret_lag)
{
	struct forward_channel_info channel;
	struct forward_info info;
	size_t i;

	*ret_lag = (struct forward_channel_info){};
	forwarder_output(forwarder, output, &info);
	for (i = 0; i < info.num_channels; i++) {
		forwarder_channel(forwarder, output, i, &channel);
		ret_lag->lag_events += channel.lag_events;
		if (channel.lag_seconds > ret_lag->lag_seconds) {
			ret_lag->lag_seconds = channel.lag_seconds;
		}
	}
}

static void put_lag(struct buf *out, const struct forwarder *forwarder,
		    const struct forward_channel_info *lags)
{
	size_t num = forwarder_count(forwarder);
	struct forward_info info;
	size_t i;

	metrics_family(out, "evenlog_forward_lag_events", METRICS_GAUGE,
		       "Events behind the output's position.");
	for (i = 0; i < num; i++) {
		forwarder_output(forwarder, i, &info);
		metrics_sample(out, "evenlog_forward_lag_events", "output",
			       info.config->name, lags[i].lag_events);
	}
	metrics_family(out, "evenlog_forward_lag_seconds", METRICS_GAUGE,
		       "Age of the oldest of these events.");
	for (i = 0; i < num; i++) {
		forwarder_output(forwarder, i, &info);
		metrics_sample(out, "evenlog_forward_lag_seconds", "output",
			       info.config->name, lags[i].lag_seconds);
	}
}

void daemon_forward_metrics(struct buf *out,
			    const struct daemon_service *service)
{
	const struct forwarder *forwarder = service->forwarder;
	struct forward_channel_info lags[FORWARD_OUTPUTS_MAX];
	size_t i;

	put_up(out, forwarder);
	for (i = 0; i < sizeof(output_metrics) / sizeof(output_metrics[0]);
	     i++) {
		put_family(out, forwarder, i);
	}
	for (i = 0; i < forwarder_count(forwarder); i++) {
		output_lag(forwarder, i, &lags[i]);
	}
	put_lag(out, forwarder, lags);
}
