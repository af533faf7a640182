/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/forget.h"

#include "base/text.h"
#include "collect/collector_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Positions that go in one transaction.  Each is reported, and the reports'
 * own queue (store/operational.c) is not to overflow.
 */
#define BATCH_MAX 64
/* Of which the message names some. */
#define MESSAGE_MAX 16

struct forgotten {
	char *channel; /* as the state's name has it */
	bool damaged;
	uint64_t record_id;
};

/*
 * Belongs to the collector, like a barrier; whoever asked may go before it is
 * done.
 */
struct forgetting {
	struct collector *collector; /* talloc parent */
	struct tevent_req *req;	     /* NULL: nobody is interested */
	bool barrier;
	char *host;
	char *channel; /* NULL: all */
	char *prefix;  /* of the names of its states */
	struct store_state states[BATCH_MAX];
	struct forgotten forgotten[BATCH_MAX];
	size_t num;
	size_t total;
	char *message;
};

struct forget_state {
	struct forgetting *forgetting; /* NULL: it is done */
	char *message;
};

static void forgetting_go(struct forgetting *f);

/* ------------------------------------------------------------- its end */

static int forgetting_destructor(struct forgetting *f)
{
	struct forget_state *state = NULL;

	if (f->req != NULL) {
		state = tevent_req_data(f->req, struct forget_state);
		state->forgetting = NULL;
	}
	return 0;
}

static void forget_cleanup(struct tevent_req *req,
			   enum tevent_req_state req_state)
{
	struct forget_state *state = tevent_req_data(req, struct forget_state);

	if (state->forgetting != NULL) {
		state->forgetting->req = NULL;
		state->forgetting = NULL;
	}
}

static void forgetting_end(struct forgetting *f, everr_t err)
{
	struct collector *collector = f->collector;
	struct tevent_req *req = f->req;
	struct forget_state *state = NULL;
	bool barrier = f->barrier;

	if (req != NULL) {
		state = tevent_req_data(req, struct forget_state);
		state->message = talloc_steal(state, f->message);
	}
	talloc_free(f);
	if (barrier) {
		collector_barrier_down(collector);
	}
	if (req == NULL) {
		return;
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
	} else {
		tevent_req_done(req);
	}
}

/* -------------------------------------------------------- is it in use */

/* A feed that is stuck neither goes by its position nor writes it. */
static bool channel_is_used(const struct collector *collector, size_t index,
			    const char *channel)
{
	struct collect_host_info host;
	struct collect_feed_info feed;
	size_t i;

	collector_host(collector, index, &host);
	for (i = 0; i < host.num_feeds; i++) {
		collector_feed(collector, index, i, &feed);
		if (text_name_equal(feed.channel, channel)) {
			return !feed.stuck;
		}
	}
	/* It is about to begin. */
	return true;
}

static everr_t check_host(struct forgetting *f, size_t index)
{
	struct collect_host_info info;
	size_t i;

	collector_host(f->collector, index, &info);
	for (i = 0; i < info.config->num_channels; i++) {
		const char *channel = info.config->channels[i].name;

		if ((f->channel != NULL &&
		     !text_name_equal(f->channel, channel)) ||
		    !channel_is_used(f->collector, index, channel)) {
			continue;
		}
		f->message = talloc_asprintf(
			f,
			"%s of %s is being collected, by [collect %s]: take "
			"it out of the configuration and reload first",
			channel, f->host, info.config->section);
		return EVERR_NOT_CHANGEABLE;
	}
	return EVERR_OK;
}

static everr_t check_unused(struct forgetting *f)
{
	struct collect_host_info info;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; err == EVERR_OK && i < collector_count(f->collector); i++) {
		collector_host(f->collector, i, &info);
		if (text_name_equal(info.config->host, f->host)) {
			err = check_host(f, i);
		}
	}
	return err;
}

/* --------------------------------------------------------- what there is */

static void add_state(struct forgetting *f, const char *name,
		      const char *channel, const uint8_t *data, size_t len,
		      everr_t err)
{
	struct collect_position position = {};
	struct forgotten *one = &f->forgotten[f->num];

	if (err == EVERR_OK) {
		err = collect_position_decode(data, len, &position);
	}
	*one = (struct forgotten){
		.channel = talloc_strdup(f, channel),
		.damaged = err != EVERR_OK,
		.record_id = position.record_id,
	};
	f->states[f->num] = (struct store_state){
		.name = talloc_strdup(f, name),
	};
	if (one->channel != NULL && f->states[f->num].name != NULL) {
		f->num++;
	}
}

static everr_t find_one(struct forgetting *f)
{
	char *name = collect_position_name(f, f->host, f->channel);
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	if (name == NULL) {
		return EVERR_NOMEM;
	}
	err = store_state_get(f, f->collector->store, name, &data, &len);
	if (err == EVERR_OK || err == EVERR_STORE_CORRUPT) {
		add_state(f, name, f->channel, data, len, err);
		err = EVERR_OK;
	}
	return err == EVERR_NOT_FOUND ? EVERR_OK : err;
}

static everr_t find_all(struct forgetting *f)
{
	char *after = talloc_strdup(f, "");
	everr_t err = EVERR_OK;

	while (f->num < BATCH_MAX) {
		uint8_t *data = NULL;
		char *name = NULL;
		size_t len = 0;

		err = store_state_next(f, f->collector->store, f->prefix, after,
				       &name, &data, &len);
		if (err != EVERR_OK &&
		    (err != EVERR_STORE_CORRUPT || name == NULL)) {
			break;
		}
		add_state(f, name, name + strlen(f->prefix), data, len, err);
		talloc_free(data);
		talloc_free(after);
		after = name;
		err = EVERR_OK;
	}
	talloc_free(after);
	return err == EVERR_END ? EVERR_OK : err;
}

/* ---------------------------------------------------------- told, and gone */

static void tell_one(struct forgetting *f, const struct forgotten *one)
{
	char number[24] = "?";
	const char *fields[] = {"Host",	      f->host,	  "Channel",
				one->channel, "RecordId", number};
	char *message = NULL;

	if (!one->damaged) {
		snprintf(number, sizeof(number), "%" PRIu64, one->record_id);
	}
	operational_report(f->collector->operational,
			   OPERATIONAL_POSITION_FORGOTTEN, NULL, fields, 3);
	f->total++;
	if (f->total > MESSAGE_MAX) {
		return;
	}
	message = talloc_asprintf(f, "%s%s%s: forgotten; it was %s%s",
				  f->message != NULL ? f->message : "",
				  f->message != NULL ? "\n" : "", one->channel,
				  one->damaged ? "damaged" : "behind record ",
				  one->damaged ? "" : number);
	if (message != NULL) {
		talloc_free(f->message);
		f->message = message;
	}
}

/* Feeds that were stuck look again, and find that they are new. */
static void wake_feeds(struct forgetting *f)
{
	struct collect_host_info host;
	struct collect_feed_info feed;
	size_t i, j;

	for (i = 0; i < collector_count(f->collector); i++) {
		collector_host(f->collector, i, &host);
		if (!text_name_equal(host.config->host, f->host)) {
			continue;
		}
		for (j = 0; j < host.num_feeds; j++) {
			collector_feed(f->collector, i, j, &feed);
			if (feed.stuck) {
				collector_feed_again(f->collector, i, j);
			}
		}
	}
}

static void finish(struct forgetting *f)
{
	char *message = NULL;

	if (f->total > MESSAGE_MAX) {
		message = talloc_asprintf(f, "%s\nand %zu more",
					  f->message != NULL ? f->message : "",
					  f->total - MESSAGE_MAX);
		if (message != NULL) {
			f->message = message;
		}
	}
	wake_feeds(f);
	forgetting_end(f, EVERR_OK);
}

static void batch_done(struct tevent_req *req)
{
	struct forgetting *f = tevent_req_callback_data(req, struct forgetting);
	size_t num = f->num;
	uint64_t first = 0;
	size_t bad = 0;
	size_t i;
	everr_t err;

	err = store_append_recv(req, &first, &bad);
	talloc_free(req);
	if (err != EVERR_OK) {
		forgetting_end(f, err);
		return;
	}
	for (i = 0; i < num; i++) {
		tell_one(f, &f->forgotten[i]);
	}
	f->num = 0;
	if (num == BATCH_MAX) {
		forgetting_go(f);
	} else {
		finish(f);
	}
}

/* Through one channel, always the same: which one does not matter. */
static everr_t batch_send(struct forgetting *f)
{
	struct store *store = f->collector->store;
	struct store_channel *channel = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	err = store_channel_find(store, OPERATIONAL_CHANNEL, &channel);
	if (err != EVERR_OK) {
		channel = store_channel_at(store, 0);
	}
	if (channel == NULL) {
		return err;
	}
	req = store_append_send(f, f->collector->ev, channel, NULL, 0,
				f->states, f->num);
	if (req == NULL) {
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(req, batch_done, f);
	return EVERR_OK;
}

static void forgetting_go(struct forgetting *f)
{
	everr_t err;

	err = f->channel != NULL ? find_one(f) : find_all(f);
	if (err == EVERR_OK && f->num == 0 && f->total == 0) {
		err = EVERR_NOT_FOUND;
	}
	if (err == EVERR_OK && f->num == 0) {
		finish(f);
		return;
	}
	if (err == EVERR_OK) {
		err = batch_send(f);
	}
	if (err != EVERR_OK) {
		forgetting_end(f, err);
	}
}

/* --------------------------------------------------------------- begin */

static void forgetting_begin(struct tevent_context *ev, struct tevent_timer *te,
			     struct timeval now, void *private_data)
{
	struct forgetting *f =
		talloc_get_type_abort(private_data, struct forgetting);
	struct tevent_timer *timer = NULL;
	everr_t err;

	/* Feeds that are gone may have a position on its way to the disk. */
	if (collector_is_stopping(f->collector)) {
		timer = tevent_add_timer(ev, f,
					 tevent_timeval_current_ofs(
						 0, COLLECTOR_RETRY_MS * 1000),
					 forgetting_begin, f);
		if (timer == NULL) {
			forgetting_end(f, EVERR_NOMEM);
		}
		return;
	}
	err = check_unused(f);
	if (err != EVERR_OK) {
		forgetting_end(f, err);
		return;
	}
	f->collector->num_barriers++;
	f->barrier = true;
	forgetting_go(f);
}

/* A name with a slash would reach into the channels of another host. */
static everr_t forgetting_create(struct tevent_req *req,
				 struct collector *collector, const char *host,
				 const char *channel,
				 struct forgetting **ret_forgetting)
{
	struct forgetting *f = NULL;

	if (collector == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	if (host[0] == '\0' || strchr(host, '/') != NULL) {
		return EVERR_INVALID;
	}
	f = talloc_zero(collector, struct forgetting);
	if (f == NULL) {
		return EVERR_NOMEM;
	}
	f->collector = collector;
	f->host = talloc_strdup(f, host);
	f->prefix = collect_position_prefix(f, host);
	f->channel = talloc_strdup(f, channel);
	if (f->host == NULL || f->prefix == NULL ||
	    (channel != NULL && f->channel == NULL)) {
		talloc_free(f);
		return EVERR_NOMEM;
	}
	f->req = req;
	talloc_set_destructor(f, forgetting_destructor);
	*ret_forgetting = f;
	return EVERR_OK;
}

struct tevent_req *collect_forget_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct collector *collector,
				       const char *host, const char *channel)
{
	struct tevent_timer *timer = NULL;
	struct forget_state *state = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct forget_state);
	if (req == NULL) {
		return NULL;
	}
	err = forgetting_create(req, collector, host, channel,
				&state->forgetting);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	tevent_req_set_cleanup_fn(req, forget_cleanup);
	/* Never within the caller's turn: it may free the request. */
	timer = tevent_add_timer(ev, state->forgetting, tevent_timeval_zero(),
				 forgetting_begin, state->forgetting);
	if (timer == NULL) {
		TALLOC_FREE(state->forgetting);
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	return req;
}

everr_t collect_forget_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    char **ret_message)
{
	struct forget_state *state = tevent_req_data(req, struct forget_state);
	enum tevent_req_state req_state;
	uint64_t err = EVERR_OK;

	if (tevent_req_is_error(req, &req_state, &err)) {
		err = req_state == TEVENT_REQ_USER_ERROR ? err : EVERR_NOMEM;
	}
	*ret_message = talloc_steal(mem_ctx, state->message);
	tevent_req_received(req);
	return (everr_t)err;
}
