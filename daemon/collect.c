/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/collect.h"

#include "base/text.h"
#include "collect/collector.h"

#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------ start and reload */

everr_t daemon_collect_start(struct daemon_service *service)
{
	const struct collector_config *config = &service->config->collect;
	char *message = NULL;
	everr_t err;

	err = collector_start(service, service->ev, config, service->store,
			      service->operational, &service->collector,
			      &message);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "collector: %s",
			   message != NULL ? message : everr_text(err));
	} else if (config->num_hosts > 0) {
		daemon_log(service->log, DAEMON_LOG_INFO,
			   "collector: %zu hosts", config->num_hosts);
	}
	TALLOC_FREE(message);
	if (err == EVERR_OK) {
		daemon_collect_warn_files(service);
	}
	return err;
}

everr_t daemon_collect_reload(struct daemon_service *service,
			      const struct daemon_config *config,
			      char **ret_message)
{
	return collector_reload(service->collector, &config->collect, service,
				ret_message);
}

void daemon_collect_warn_restart(struct daemon_service *service,
				 const struct daemon_config *config)
{
	const struct collector_config *old = &service->config->collect;
	const struct collector_config *new = &config->collect;

	if (!text_same(old->ticket_helper, new->ticket_helper) ||
	    !text_same(old->ticket_directory, new->ticket_directory) ||
	    old->connects != new->connects) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "changes of ticket_helper, ticket_directory and "
			   "connects in [collector] need a restart");
	}
}

static void warn_file(struct daemon_service *service, const char *section,
		      const char *path)
{
	struct stat st;
	int ret;

	ret = stat(path, &st);
	if (ret == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "[collect %s]: everybody on this host may %s %s; "
			   "chmod o= it, and change what is in it",
			   section,
			   (st.st_mode & S_IROTH) != 0 ? "read" : "write",
			   path);
	}
}

/* The hosts of a section stand together and share their strings. */
void daemon_collect_warn_files(struct daemon_service *service)
{
	const struct collector_config *config = &service->config->collect;
	const char *known = NULL;
	size_t i;

	for (i = 0; i < config->num_hosts; i++) {
		const struct collect_config *host = &config->hosts[i];
		const char *path = host->auth == COLLECT_AUTH_NTLM
					   ? host->password_file
					   : host->keytab;

		if (path != NULL && path != known) {
			warn_file(service, host->section, path);
		}
		known = path;
	}
}

/* --------------------------------------------------------------- status */

static const char *const link_states[] = {
	[COLLECT_LINK_WAITING] = "waiting",
	[COLLECT_LINK_TICKET] = "ticket",
	[COLLECT_LINK_CONNECTING] = "connecting",
	[COLLECT_LINK_UP] = "up",
};

static const char *const feed_states[] = {
	[COLLECT_FEED_DOWN] = "down",
	[COLLECT_FEED_OPENING] = "opening",
	[COLLECT_FEED_READING] = "reading",
	[COLLECT_FEED_BLOCKED] = "blocked",
	[COLLECT_FEED_RETRYING] = "retrying",
};

/* What hosts have together; all of them are in it. */
struct totals {
	uint64_t up;
	uint64_t channels;
	uint64_t reading;
	uint64_t events;
	uint64_t gaps;
	uint64_t missing;
	uint64_t at_most;
	uint64_t lag_events;
	uint64_t lag_seconds; /* the largest */
	uint64_t mismatched;
	uint64_t silent;
	double rate;
};

static json_t *failure_json(const struct collect_failure *failure,
			    uint64_t time)
{
	if (failure->err == EVERR_OK) {
		return json_null();
	}
	return json_pack("{s:s,s:o}", "text", failure->text, "time",
			 daemon_time_json(time));
}

static json_t *gap_json(const struct collect_gap *gap)
{
	static const char *const exact[] = {
		[COLLECT_GAP_EXACT] = "exact",
		[COLLECT_GAP_AT_MOST] = "at most",
		[COLLECT_GAP_AT_LEAST] = "at least",
	};

	if (gap->cause == COLLECT_GAP_NONE) {
		return json_null();
	}
	return json_pack("{s:s,s:I,s:I,s:I,s:s}", "cause",
			 collect_gap_cause_text(gap->cause), "first",
			 (json_int_t)gap->first, "last", (json_int_t)gap->last,
			 "missing", (json_int_t)gap->missing, "exact",
			 gap->exact <= COLLECT_GAP_AT_LEAST ? exact[gap->exact]
							    : "");
}

static json_t *feed_json(const struct collect_feed_info *info)
{
	const struct collect_position *position = &info->position;
	json_t *json = NULL;

	json = json_pack("{s:s,s:s,s:s,s:o,s:I,s:I,s:I,s:I,s:f,s:i}", "channel",
			 info->channel, "target", info->target, "state",
			 feed_states[info->state], "since",
			 daemon_time_json(info->since), "record_id",
			 (json_int_t)position->record_id, "events",
			 (json_int_t)info->events, "bytes",
			 (json_int_t)info->bytes, "events_ever",
			 (json_int_t)position->events, "rate", info->rate,
			 "batch", (int)info->batch);
	if (json == NULL) {
		return NULL;
	}
	json_object_update_new(
		json,
		json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:b,s:o,s:o}",
			  "source_newest", (json_int_t)info->source_newest,
			  "lag_events", (json_int_t)info->lag_events,
			  "lag_seconds", (json_int_t)info->lag_seconds, "gaps",
			  (json_int_t)position->gaps, "missing",
			  (json_int_t)position->missing, "at_most",
			  (json_int_t)position->at_most, "last_gap",
			  gap_json(&position->gap), "mismatched",
			  (json_int_t)info->mismatched, "silent", info->silent,
			  "last_event", daemon_time_json(info->last_event),
			  "failure",
			  failure_json(&info->failure, info->failure_time)));
	return json;
}

static void add_to_totals(struct totals *totals,
			  const struct collect_feed_info *info)
{
	totals->channels++;
	totals->reading += info->state == COLLECT_FEED_READING ? 1 : 0;
	totals->events += info->events;
	totals->gaps += info->position.gaps;
	totals->missing += info->position.missing;
	totals->at_most += info->position.at_most;
	totals->lag_events += info->lag_events;
	if (info->lag_seconds > totals->lag_seconds) {
		totals->lag_seconds = info->lag_seconds;
	}
	totals->mismatched += info->mismatched;
	totals->silent += info->silent ? 1 : 0;
	totals->rate += info->rate;
}

static json_t *host_json(const struct collect_host_info *info, json_t *channels)
{
	const struct collect_link_info *link = &info->link;

	return json_pack("{s:s,s:s,s:s,s:o,s:s,s:I,s:I,s:o,s:o,s:o}", "host",
			 info->config->host, "section", info->config->section,
			 "state", link_states[link->state], "since",
			 daemon_time_json(link->since), "authentication",
			 info->config->auth == COLLECT_AUTH_KERBEROS
				 ? "kerberos"
				 : "ntlm",
			 "attempts", (json_int_t)link->attempts, "connects",
			 (json_int_t)link->connects, "next_attempt",
			 daemon_time_json(link->next_attempt), "failure",
			 failure_json(&link->failure, link->failure_time),
			 "channels", channels);
}

/* The channels of a host, or NULL when they are not to be listed. */
static json_t *feeds_json(const struct collector *collector, size_t host,
			  size_t num_feeds, bool listed, struct totals *totals)
{
	json_t *array = listed ? json_array() : NULL;
	struct collect_feed_info info;
	size_t i;

	for (i = 0; i < num_feeds; i++) {
		collector_feed(collector, host, i, &info);
		add_to_totals(totals, &info);
		if (array != NULL) {
			json_array_append_new(array, feed_json(&info));
		}
	}
	return array;
}

static json_t *hosts_json(const struct collector *collector,
			  struct totals *totals)
{
	json_t *array = json_array();
	struct collect_host_info info;
	json_t *channels = NULL;
	size_t i;

	for (i = 0; i < collector_count(collector); i++) {
		bool listed = i < DAEMON_COLLECT_STATUS_HOSTS &&
			      totals->channels < DAEMON_COLLECT_STATUS_CHANNELS;

		collector_host(collector, i, &info);
		totals->up += info.link.state == COLLECT_LINK_UP ? 1 : 0;
		channels = feeds_json(collector, i, info.num_feeds, listed,
				      totals);
		if (channels != NULL) {
			json_array_append_new(array,
					      host_json(&info, channels));
		}
	}
	return array;
}

static json_t *totals_json(const struct totals *totals, size_t num_hosts)
{
	return json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"hosts", (json_int_t)num_hosts, "up", (json_int_t)totals->up,
		"channels", (json_int_t)totals->channels, "reading",
		(json_int_t)totals->reading, "events",
		(json_int_t)totals->events, "rate", totals->rate, "lag_events",
		(json_int_t)totals->lag_events, "lag_seconds",
		(json_int_t)totals->lag_seconds, "gaps",
		(json_int_t)totals->gaps, "missing",
		(json_int_t)totals->missing, "at_most",
		(json_int_t)totals->at_most, "mismatched",
		(json_int_t)totals->mismatched, "silent",
		(json_int_t)totals->silent);
}

void daemon_collect_status(const struct daemon_service *service, json_t *root)
{
	struct totals totals = {};
	json_t *hosts = NULL;
	size_t num;

	if (service->collector == NULL) {
		return;
	}
	num = collector_count(service->collector);
	if (num == 0) {
		return;
	}
	hosts = hosts_json(service->collector, &totals);
	json_object_set_new(
		root, "collect",
		json_pack("{s:o,s:o,s:I}", "totals", totals_json(&totals, num),
			  "hosts", hosts, "hosts_not_listed",
			  (json_int_t)(num - json_array_size(hosts))));
}
