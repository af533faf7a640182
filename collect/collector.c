/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/collector_internal.h"

#include "base/text.h"
#include "base/timers.h"
#include "base/wintime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A host that could not even be begun (memory, the store) is tried again. */
#define START_RETRY_SECONDS 60
/* The state that a barrier deletes; there is none of that name. */
#define BARRIER_STATE "collect"
/* A host takes some 5 us for each of its channels. */
#define STOPS_PER_TURN 16

/* One host: its link, and the feeds of its channels. */
struct host {
	struct collector *collector;
	const struct collect_config *config;
	struct turn turn; /* to begin */
	struct timer retry;
	struct collect_link *link;
	struct collect_feed **feeds;
	size_t num_feeds;
	bool started; /* told once */
	bool up;
	everr_t told;	   /* the failure that was reported last */
	struct host *next; /* of those that go */
	/* While there is no link. */
	uint64_t since;
	struct collect_failure failure;
	uint64_t failure_time;
};

/* ------------------------------------------------------------- reports */

static void report(struct host *host, enum operational_id id, const char *name,
		   const char *value)
{
	const char *fields[] = {"Host",	   host->config->host,
				"Section", host->config->section,
				name,	   value};

	operational_report(host->collector->operational, id, host->config->host,
			   fields, name != NULL ? 3 : 2);
}

/* Each change of state, and each other reason; not each attempt. */
static void report_lost(struct host *host, const struct collect_failure *why)
{
	if (!host->up && host->told == why->err) {
		return;
	}
	host->up = false;
	host->told = why->err;
	report(host, OPERATIONAL_HOST_LOST, "Reason",
	       collect_failure_reason(why, host->config->host));
}

/* ------------------------------------------------------ link and feeds */

static void link_up(struct collect_connection *connection, void *private_data)
{
	struct host *host = talloc_get_type_abort(private_data, struct host);
	bool kerberos = host->config->auth == COLLECT_AUTH_KERBEROS;
	size_t i;

	host->up = true;
	host->told = EVERR_OK;
	report(host, OPERATIONAL_HOST_CONNECTED, "Authentication",
	       kerberos ? "Kerberos" : "NTLM");
	for (i = 0; i < host->num_feeds; i++) {
		collect_feed_up(host->feeds[i], connection, kerberos);
	}
}

static void link_down(const struct collect_failure *why, void *private_data)
{
	struct host *host = talloc_get_type_abort(private_data, struct host);
	size_t i;

	for (i = 0; host->up && i < host->num_feeds; i++) {
		collect_feed_down(host->feeds[i]);
	}
	report_lost(host, why);
}

static const struct collect_link_hooks link_hooks = {
	.up = link_up,
	.down = link_down,
};

static void feed_broken(const struct collect_failure *why, void *private_data)
{
	struct host *host = talloc_get_type_abort(private_data, struct host);

	collect_link_broken(host->link, why);
}

static void feed_alive(void *private_data)
{
	struct host *host = talloc_get_type_abort(private_data, struct host);

	collect_link_alive(host->link);
}

static const struct collect_feed_hooks feed_hooks = {
	.broken = feed_broken,
	.alive = feed_alive,
};

/* --------------------------------------------------------------- begin */

static everr_t need_links(struct collector *collector)
{
	if (collector->links != NULL) {
		return EVERR_OK;
	}
	return collect_links_create(collector, collector->ev,
				    &collector->config, &collector->links);
}

static void free_feeds(struct host *host)
{
	while (host->num_feeds > 0) {
		host->num_feeds--;
		TALLOC_FREE(host->feeds[host->num_feeds]);
	}
	TALLOC_FREE(host->feeds);
}

static everr_t create_feeds(struct host *host)
{
	const struct collect_config *config = host->config;
	everr_t err = EVERR_OK;
	size_t i;

	host->feeds = talloc_zero_array(host, struct collect_feed *,
					config->num_channels);
	if (host->feeds == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; err == EVERR_OK && i < config->num_channels; i++) {
		err = collect_feed_create(host->feeds, &host->collector->env,
					  config, &config->channels[i],
					  &feed_hooks, host, &host->feeds[i]);
		host->num_feeds += err == EVERR_OK ? 1 : 0;
	}
	return err;
}

/* Then nothing is begun: see struct barrier. */
bool collector_is_stopping(const struct collector *collector)
{
	return collector->going != NULL || collector->num_barriers > 0;
}

static everr_t begin(struct host *host)
{
	struct collector *collector = host->collector;
	everr_t err;

	err = need_links(collector);
	if (err == EVERR_OK) {
		err = create_feeds(host);
	}
	if (err != EVERR_OK) {
		return err;
	}
	host->link = collect_link_create(host, collector->links, host->config,
					 &link_hooks, host);
	return host->link != NULL ? EVERR_OK : EVERR_NOMEM;
}

static void retry_turn(void *private_data)
{
	struct host *host = talloc_get_type_abort(private_data, struct host);

	turn_schedule(host->collector->turns, &host->turn);
}

static void begin_failed(struct host *host, everr_t err)
{
	free_feeds(host);
	collect_failure_set(&host->failure, err, "%s cannot be begun: %s",
			    host->config->host, everr_text(err));
	host->failure_time = wintime_now();
	report_lost(host, &host->failure);
	timer_set(host->collector->env.timers, &host->retry,
		  START_RETRY_SECONDS * 1000);
}

/* One host in its turn: a thousand of them are not to hold the loop. */
static void begin_turn(void *private_data)
{
	struct host *host = talloc_get_type_abort(private_data, struct host);
	everr_t err;

	/* begin_waiting() comes back to it. */
	if (collector_is_stopping(host->collector)) {
		return;
	}
	if (!host->started) {
		report(host, OPERATIONAL_HOST_STARTED, NULL, NULL);
		host->started = true;
	}
	err = begin(host);
	if (err != EVERR_OK) {
		begin_failed(host, err);
	}
}

/* ---------------------------------------------------------------- hosts */

/* The feeds let go of the connection before the link closes it. */
static int host_destructor(struct host *host)
{
	turn_cancel(&host->turn);
	timer_cancel(&host->retry);
	free_feeds(host);
	TALLOC_FREE(host->link);
	return 0;
}

static struct host *host_create(TALLOC_CTX *mem_ctx,
				struct collector *collector,
				const struct collect_config *config)
{
	struct host *host = talloc_zero(mem_ctx, struct host);

	if (host == NULL) {
		return NULL;
	}
	host->collector = collector;
	host->since = wintime_now();
	host->turn = (struct turn){.fn = begin_turn, .private_data = host};
	host->retry = (struct timer){.fn = retry_turn, .private_data = host};
	host->config = collect_config_copy(host, config);
	if (host->config == NULL) {
		TALLOC_FREE(host);
		return NULL;
	}
	talloc_set_destructor(host, host_destructor);
	return host;
}

/*
 * The next hosts that wait to begin.  A new name is a wait for the disk, which
 * as many of them as may share it do; whose turn comes then only finds his
 * number (store_origin_number()).
 */
static void naming_turn(void *private_data)
{
	struct collector *collector =
		talloc_get_type_abort(private_data, struct collector);
	const char *names[STORE_ORIGINS_AT_ONCE];
	struct host *host = NULL;
	size_t num = 0;

	/* begin_waiting() comes back to it. */
	if (collector_is_stopping(collector)) {
		return;
	}
	while (collector->num_named < collector->num_hosts &&
	       num < STORE_ORIGINS_AT_ONCE) {
		host = collector->hosts[collector->num_named++];
		if (host->link == NULL && !timer_is_set(&host->retry)) {
			names[num++] = host->config->host;
			turn_schedule(collector->turns, &host->turn);
		}
	}
	/* Where it fails, each asks for itself and says why. */
	(void)!store_origin_add(collector->store, names, num);
	if (collector->num_named < collector->num_hosts) {
		turn_schedule(collector->turns, &collector->naming);
	}
}

static void begin_waiting(struct collector *collector)
{
	collector->num_named = 0;
	turn_schedule(collector->turns, &collector->naming);
}

/* ------------------------------------------------------------- barriers */

/*
 * A feed that is freed leaves its last append to the store.  A host that was
 * changed, or comes back soon, must find the position which that one writes:
 * nothing is begun before the store has answered to what was sent behind it.
 */
struct barrier {
	struct collector *collector; /* parent */
	char *target;
	struct barrier *next;
};

static void barrier_send(struct barrier *barrier);

void collector_barrier_down(struct collector *collector)
{
	collector->num_barriers--;
	if (!collector_is_stopping(collector)) {
		begin_waiting(collector);
	}
}

static void barrier_end(struct barrier *barrier)
{
	struct collector *collector = barrier->collector;

	talloc_free(barrier);
	collector_barrier_down(collector);
}

static void barrier_again(struct tevent_context *ev, struct tevent_timer *te,
			  struct timeval now, void *private_data)
{
	barrier_send(private_data);
}

static void barrier_later(struct barrier *barrier)
{
	struct tevent_timer *timer = NULL;

	timer = tevent_add_timer(
		barrier->collector->ev, barrier,
		tevent_timeval_current_ofs(0, COLLECTOR_RETRY_MS * 1000),
		barrier_again, barrier);
	if (timer == NULL) {
		barrier_end(barrier);
	}
}

static void barrier_done(struct tevent_req *req)
{
	struct barrier *barrier = tevent_req_callback_data(req, struct barrier);
	uint64_t first = 0;
	size_t bad = 0;
	everr_t err;

	err = store_append_recv(req, &first, &bad);
	talloc_free(req);
	/* It was not even queued: what is before it may not be written yet. */
	if (err == EVERR_LIMIT || err == EVERR_NOMEM) {
		barrier_later(barrier);
		return;
	}
	/* Whatever it says, what was before it has been written or has not. */
	barrier_end(barrier);
}

static void barrier_send(struct barrier *barrier)
{
	const struct store_state none = {.name = BARRIER_STATE};
	struct collector *collector = barrier->collector;
	struct store_channel *channel = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	err = store_channel_find(collector->store, barrier->target, &channel);
	if (err != EVERR_OK) {
		barrier_end(barrier);
		return;
	}
	req = store_append_send(barrier, collector->ev, channel, NULL, 0, &none,
				1);
	if (req == NULL) {
		barrier_later(barrier);
		return;
	}
	tevent_req_set_callback(req, barrier_done, barrier);
}

static void barrier_raise(struct collector *collector, const char *target)
{
	struct barrier *barrier = talloc_zero(collector, struct barrier);

	if (barrier == NULL) {
		return;
	}
	barrier->collector = collector;
	barrier->target = talloc_strdup(barrier, target);
	if (barrier->target == NULL) {
		talloc_free(barrier);
		return;
	}
	barrier->next = collector->waiting;
	collector->waiting = barrier;
	collector->num_barriers++;
}

/* All that go have gone. */
static void stopped(struct collector *collector)
{
	struct barrier *barrier = collector->waiting;

	if (!collector_is_stopping(collector)) {
		begin_waiting(collector);
	}
	while (barrier != NULL) {
		collector->waiting = barrier->next;
		barrier_send(barrier);
		barrier = collector->waiting;
	}
}

/* The next of those that go, with its connection and its feeds. */
static void stop_next(struct collector *collector)
{
	struct host *host = collector->going;

	collector->going = host->next;
	if (host->started) {
		report(host, OPERATIONAL_HOST_STOPPED, NULL, NULL);
	}
	talloc_free(host);
}

static void stop_turn(void *private_data)
{
	struct collector *collector =
		talloc_get_type_abort(private_data, struct collector);
	unsigned int i;

	for (i = 0; i < STOPS_PER_TURN && collector->going != NULL; i++) {
		stop_next(collector);
	}
	if (collector->going == NULL) {
		stopped(collector);
	} else {
		turn_schedule(collector->turns, &collector->stopping);
	}
}

/* ------------------------------------------------- from a configuration */

static everr_t check_targets(struct collector *collector,
			     const struct collector_config *config,
			     TALLOC_CTX *mem_ctx, char **ret_message)
{
	struct store_channel *channel = NULL;
	const char *known = NULL;
	everr_t err;
	size_t i;

	for (i = 0; i < config->num_hosts; i++) {
		const struct collect_config *host = &config->hosts[i];

		/* Hosts of a section share the string. */
		if (host->target == known) {
			continue;
		}
		known = host->target;
		err = store_channel_find(collector->store, host->target,
					 &channel);
		if (err != EVERR_OK) {
			*ret_message = talloc_asprintf(
				mem_ctx,
				"[collect %s]: there is no channel %s to "
				"collect into",
				host->section, host->target);
			return err;
		}
	}
	return EVERR_OK;
}

static int compare_hosts(const void *a, const void *b)
{
	const struct host *const *left = a;
	const struct host *const *right = b;

	return strcasecmp((*left)->config->host, (*right)->config->host);
}

static int compare_name(const void *name, const void *member)
{
	const struct host *const *host = member;

	return strcasecmp(name, (*host)->config->host);
}

/* The hosts that a configuration makes of those there are. */
struct change {
	struct collector *collector;
	size_t num_old;
	struct host **old; /* by name */
	bool *kept;	   /* of old, at the same place */
	size_t num;
	struct host **hosts; /* in the order of the configuration */
};

/* An old host of which nothing has changed, or NULL. */
static struct host *take_kept(struct change *change,
			      const struct collect_config *config)
{
	struct host **found = NULL;
	bool same;

	if (change->num_old == 0) {
		return NULL;
	}
	found = bsearch(config->host, change->old, change->num_old,
			sizeof(*change->old), compare_name);
	if (found == NULL) {
		return NULL;
	}
	same = collect_config_equal((*found)->config, config);
	if (!same) {
		return NULL;
	}
	change->kept[found - change->old] = true;
	return *found;
}

/* New hosts are children of the change until it is made. */
static everr_t build_hosts(struct change *change,
			   const struct collector_config *config)
{
	struct host *host = NULL;

	for (; change->num < config->num_hosts; change->num++) {
		const struct collect_config *one = &config->hosts[change->num];

		host = take_kept(change, one);
		if (host == NULL) {
			host = host_create(change, change->collector, one);
		}
		if (host == NULL) {
			return EVERR_NOMEM;
		}
		change->hosts[change->num] = host;
	}
	return EVERR_OK;
}

static everr_t change_create(TALLOC_CTX *mem_ctx, struct collector *collector,
			     const struct collector_config *config,
			     struct change **ret_change)
{
	struct change *change = talloc_zero(mem_ctx, struct change);
	everr_t err = EVERR_NOMEM;

	if (change == NULL) {
		return EVERR_NOMEM;
	}
	change->collector = collector;
	change->num_old = collector->num_hosts;
	change->old = talloc_array(change, struct host *, change->num_old);
	change->kept = talloc_zero_array(change, bool, change->num_old);
	change->hosts = talloc_array(change, struct host *, config->num_hosts);
	if (change->old != NULL && change->kept != NULL &&
	    change->hosts != NULL) {
		if (change->num_old > 0) {
			memcpy(change->old, collector->hosts,
			       change->num_old * sizeof(*change->old));
			qsort(change->old, change->num_old,
			      sizeof(*change->old), compare_hosts);
		}
		err = build_hosts(change, config);
	}
	if (err != EVERR_OK) {
		talloc_free(change);
		return err;
	}
	*ret_change = change;
	return EVERR_OK;
}

static int compare_targets(const void *a, const void *b)
{
	const struct host *const *left = a;
	const struct host *const *right = b;

	return text_name_cmp((*left)->config->target, (*right)->config->target);
}

/* One barrier for each target of those that go, behind their appends. */
static void raise_barriers(struct collector *collector, struct host **gone,
			   size_t num)
{
	size_t i;

	if (num == 0) {
		return;
	}
	qsort(gone, num, sizeof(*gone), compare_targets);
	for (i = 0; i < num; i++) {
		if (i == 0 || compare_targets(&gone[i - 1], &gone[i]) != 0) {
			barrier_raise(collector, gone[i]->config->target);
		}
	}
}

/* From here on nothing fails. */
static void change_make(struct change *change)
{
	struct collector *collector = change->collector;
	size_t num_gone = 0;
	size_t i;

	for (i = 0; i < change->num_old; i++) {
		if (!change->kept[i]) {
			change->old[num_gone++] = change->old[i];
		}
	}
	raise_barriers(collector, change->old, num_gone);
	for (i = 0; i < num_gone; i++) {
		change->old[i]->next = collector->going;
		collector->going = change->old[i];
		turn_schedule(collector->turns, &collector->stopping);
	}

	TALLOC_FREE(collector->hosts);
	collector->hosts = talloc_steal(collector, change->hosts);
	collector->num_hosts = change->num;
	for (i = 0; i < change->num; i++) {
		(void)talloc_steal(collector, change->hosts[i]);
	}
	talloc_free(change);
	begin_waiting(collector);
}

/* ------------------------------------------------------- the interface */

static int collector_destructor(struct collector *collector)
{
	while (collector->num_hosts > 0) {
		collector->num_hosts--;
		TALLOC_FREE(collector->hosts[collector->num_hosts]);
	}
	while (collector->going != NULL) {
		struct host *host = collector->going;

		collector->going = host->next;
		talloc_free(host);
	}
	TALLOC_FREE(collector->links);
	turn_cancel(&collector->naming);
	turn_cancel(&collector->stopping);
	TALLOC_FREE(collector->turns);
	TALLOC_FREE(collector->env.timers);
	return 0;
}

/* What is not of a host; it does not change while the collector runs. */
static everr_t take_common(struct collector *collector,
			   const struct collector_config *config)
{
	everr_t err;

	collector->config = (struct collector_config){
		.ticket_helper =
			talloc_strdup(collector, config->ticket_helper),
		.ticket_directory =
			talloc_strdup(collector, config->ticket_directory),
		.connects = config->connects,
	};
	if (collector->config.ticket_helper == NULL ||
	    collector->config.ticket_directory == NULL) {
		return EVERR_NOMEM;
	}
	err = timers_create(collector, collector->ev, &collector->env.timers);
	if (err != EVERR_OK) {
		return err;
	}
	return turns_create(collector, collector->ev, &collector->turns);
}

everr_t collector_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct collector_config *config,
			struct store *store, struct operational *operational,
			struct collector **ret_collector, char **ret_message)
{
	struct collector *collector = NULL;
	everr_t err;

	collector = talloc_zero(mem_ctx, struct collector);
	if (collector == NULL) {
		return EVERR_NOMEM;
	}
	collector->ev = ev;
	collector->store = store;
	collector->operational = operational;
	collector->env = (struct collect_feed_env){
		.ev = ev,
		.store = store,
		.operational = operational,
	};
	collector->stopping =
		(struct turn){.fn = stop_turn, .private_data = collector};
	collector->naming =
		(struct turn){.fn = naming_turn, .private_data = collector};
	talloc_set_destructor(collector, collector_destructor);
	err = take_common(collector, config);
	if (err == EVERR_OK) {
		err = collector_reload(collector, config, mem_ctx, ret_message);
	}
	if (err != EVERR_OK) {
		talloc_free(collector);
		return err;
	}
	*ret_collector = collector;
	return EVERR_OK;
}

everr_t collector_reload(struct collector *collector,
			 const struct collector_config *config,
			 TALLOC_CTX *mem_ctx, char **ret_message)
{
	struct change *change = NULL;
	everr_t err;

	err = check_targets(collector, config, mem_ctx, ret_message);
	if (err == EVERR_OK) {
		err = change_create(collector, collector, config, &change);
	}
	if (err != EVERR_OK) {
		return err;
	}
	change_make(change);
	return EVERR_OK;
}

/* --------------------------------------------------------------- status */

size_t collector_count(const struct collector *collector)
{
	return collector != NULL ? collector->num_hosts : 0;
}

void collector_host(const struct collector *collector, size_t index,
		    struct collect_host_info *ret_info)
{
	const struct host *host = collector->hosts[index];

	*ret_info = (struct collect_host_info){
		.config = host->config,
		.link = {.state = COLLECT_LINK_WAITING,
			 .since = host->since,
			 .failure = host->failure,
			 .failure_time = host->failure_time},
		.num_feeds = host->num_feeds,
	};
	if (host->link != NULL) {
		collect_link_info(host->link, &ret_info->link);
	}
}

void collector_feed(const struct collector *collector, size_t host, size_t feed,
		    struct collect_feed_info *ret_info)
{
	collect_feed_info(collector->hosts[host]->feeds[feed], ret_info);
}

void collector_feed_again(struct collector *collector, size_t host, size_t feed)
{
	collect_feed_again(collector->hosts[host]->feeds[feed]);
}
