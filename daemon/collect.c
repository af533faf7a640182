/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/collect.h"

#include "base/text.h"
#include "collect/collector.h"
#include "collect/forget.h"
#include "daemon/json_text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
			   "collector: %zu host%s", config->num_hosts,
			   config->num_hosts == 1 ? "" : "s");
	}
	TALLOC_FREE(message);
	if (err == EVERR_OK) {
		daemon_collect_warn_files(service->log, config);
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

/* As the service's user; it is read again for each logon. */
static void warn_file(const struct daemon_log *log, const char *section,
		      const char *path)
{
	struct stat st;
	int ret;

	ret = access(path, R_OK);
	if (ret != 0) {
		daemon_log(log, DAEMON_LOG_WARNING,
			   "[collect %s]: %s: %s; its hosts wait until the "
			   "service can read it",
			   section, path, strerror(errno));
		return;
	}
	ret = stat(path, &st);
	if (ret == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0) {
		daemon_log(log, DAEMON_LOG_WARNING,
			   "[collect %s]: everybody on this host may %s %s; "
			   "chmod o= it, and change what is in it",
			   section,
			   (st.st_mode & S_IROTH) != 0 ? "read" : "write",
			   path);
	}
}

/* The hosts of a section stand together and share their strings. */
void daemon_collect_warn_files(const struct daemon_log *log,
			       const struct collector_config *config)
{
	const char *known = NULL;
	size_t i;

	for (i = 0; i < config->num_hosts; i++) {
		const struct collect_config *host = &config->hosts[i];
		const char *path = host->auth == COLLECT_AUTH_NTLM
					   ? host->password_file
					   : host->keytab;

		if (path != NULL && path != known) {
			warn_file(log, host->section, path);
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

static void put_failure(struct buf *out, const struct collect_failure *failure,
			uint64_t time)
{
	if (failure->err == EVERR_OK) {
		daemon_json_text(out, "failure", NULL);
		return;
	}
	daemon_json_open(out, "failure", '{');
	daemon_json_text(out, "text", failure->text);
	daemon_json_time(out, "time", time);
	daemon_json_close(out, '}');
}

static void put_gap(struct buf *out, const struct collect_gap *gap)
{
	static const char *const exact[] = {
		[COLLECT_GAP_EXACT] = "exact",
		[COLLECT_GAP_AT_MOST] = "at most",
		[COLLECT_GAP_AT_LEAST] = "at least",
	};

	if (gap->cause == COLLECT_GAP_NONE) {
		daemon_json_text(out, "last_gap", NULL);
		return;
	}
	daemon_json_open(out, "last_gap", '{');
	daemon_json_text(out, "cause", collect_gap_cause_text(gap->cause));
	daemon_json_number(out, "first", gap->first);
	daemon_json_number(out, "last", gap->last);
	daemon_json_number(out, "missing", gap->missing);
	daemon_json_text(out, "exact",
			 gap->exact <= COLLECT_GAP_AT_LEAST ? exact[gap->exact]
							    : "");
	daemon_json_close(out, '}');
}

static void put_feed(struct buf *out, const struct collect_feed_info *info)
{
	const struct collect_position *position = &info->position;

	daemon_json_open(out, NULL, '{');
	daemon_json_text(out, "channel", info->channel);
	daemon_json_text(out, "target", info->target);
	daemon_json_text(out, "state", feed_states[info->state]);
	daemon_json_time(out, "since", info->since);
	daemon_json_number(out, "record_id", position->record_id);
	daemon_json_number(out, "events", info->events);
	daemon_json_number(out, "bytes", info->bytes);
	daemon_json_number(out, "events_ever", position->events);
	daemon_json_real(out, "rate", info->rate);
	daemon_json_number(out, "batch", info->batch);
	daemon_json_number(out, "source_newest", info->source_newest);
	daemon_json_number(out, "lag_events", info->lag_events);
	daemon_json_number(out, "lag_seconds", info->lag_seconds);
	daemon_json_number(out, "gaps", position->gaps);
	daemon_json_number(out, "missing", position->missing);
	daemon_json_number(out, "at_most", position->at_most);
	put_gap(out, &position->gap);
	daemon_json_number(out, "mismatched", info->mismatched);
	daemon_json_bool(out, "silent", info->silent);
	daemon_json_time(out, "last_event", info->last_event);
	put_failure(out, &info->failure, info->failure_time);
	daemon_json_close(out, '}');
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

/* But for its channels and its end. */
static void put_host(struct buf *out, const struct collect_host_info *info)
{
	const struct collect_link_info *link = &info->link;
	bool kerberos = info->config->auth == COLLECT_AUTH_KERBEROS;

	daemon_json_open(out, NULL, '{');
	daemon_json_text(out, "host", info->config->host);
	daemon_json_text(out, "section", info->config->section);
	daemon_json_text(out, "state", link_states[link->state]);
	daemon_json_time(out, "since", link->since);
	daemon_json_text(out, "authentication", kerberos ? "kerberos" : "ntlm");
	daemon_json_number(out, "attempts", link->attempts);
	daemon_json_number(out, "connects", link->connects);
	daemon_json_time(out, "next_attempt", link->next_attempt);
	put_failure(out, &link->failure, link->failure_time);
}

/* A host, counted; out NULL: it is not listed. */
static void take_host(struct buf *out, const struct collector *collector,
		      size_t host, struct totals *totals)
{
	struct collect_host_info info;
	struct collect_feed_info feed;
	size_t i;

	collector_host(collector, host, &info);
	totals->up += info.link.state == COLLECT_LINK_UP ? 1 : 0;
	if (out != NULL) {
		put_host(out, &info);
		daemon_json_open(out, "channels", '[');
	}
	for (i = 0; i < info.num_feeds; i++) {
		collector_feed(collector, host, i, &feed);
		add_to_totals(totals, &feed);
		if (out != NULL) {
			put_feed(out, &feed);
		}
	}
	if (out != NULL) {
		daemon_json_close(out, ']');
		daemon_json_close(out, '}');
	}
}

/* How many of them are listed, the first ones. */
static size_t put_hosts(struct buf *out, const struct collector *collector,
			struct totals *totals)
{
	size_t begin = out->len;
	size_t listed = 0;
	size_t i;

	daemon_json_open(out, "hosts", '[');
	for (i = 0; i < collector_count(collector); i++) {
		bool room = listed == i && i < DAEMON_COLLECT_STATUS_HOSTS &&
			    totals->channels < DAEMON_COLLECT_STATUS_CHANNELS &&
			    out->len - begin < DAEMON_COLLECT_STATUS_BYTES;

		take_host(room ? out : NULL, collector, i, totals);
		listed += room ? 1 : 0;
	}
	daemon_json_close(out, ']');
	return listed;
}

static void put_totals(struct buf *out, const struct totals *totals,
		       size_t num_hosts)
{
	daemon_json_open(out, "totals", '{');
	daemon_json_number(out, "hosts", num_hosts);
	daemon_json_number(out, "up", totals->up);
	daemon_json_number(out, "channels", totals->channels);
	daemon_json_number(out, "reading", totals->reading);
	daemon_json_number(out, "events", totals->events);
	daemon_json_real(out, "rate", totals->rate);
	daemon_json_number(out, "lag_events", totals->lag_events);
	daemon_json_number(out, "lag_seconds", totals->lag_seconds);
	daemon_json_number(out, "gaps", totals->gaps);
	daemon_json_number(out, "missing", totals->missing);
	daemon_json_number(out, "at_most", totals->at_most);
	daemon_json_number(out, "mismatched", totals->mismatched);
	daemon_json_number(out, "silent", totals->silent);
	daemon_json_close(out, '}');
}

void daemon_collect_status(const struct daemon_service *service,
			   struct buf *out)
{
	struct totals totals = {};
	size_t listed;
	size_t num;

	if (service->collector == NULL) {
		return;
	}
	num = collector_count(service->collector);
	if (num == 0) {
		return;
	}
	daemon_json_open(out, "collect", '{');
	listed = put_hosts(out, service->collector, &totals);
	put_totals(out, &totals, num);
	daemon_json_number(out, "hosts_not_listed", num - listed);
	daemon_json_close(out, '}');
}

/* --------------------------------------------------------------- forget */

static struct tevent_req *hook_forget_send(TALLOC_CTX *mem_ctx,
					   struct tevent_context *ev,
					   const char *host,
					   const char *channel,
					   void *private_data)
{
	struct daemon_service *service =
		talloc_get_type_abort(private_data, struct daemon_service);

	return collect_forget_send(mem_ctx, ev, service->collector, host,
				   channel);
}

const struct rpc_collect_hooks daemon_collect_hooks = {
	.forget_send = hook_forget_send,
	.forget_recv = collect_forget_recv,
};
